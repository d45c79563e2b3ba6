"""`snn-quantize`: weights as integers of the machine's precision, with one scale per neuron."""

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import NeuronOp, WeightedOp
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.snn.projections import dense_weights, replace_projections
from snnir.precision import Grid, integer_type, nearest_grid


@dataclass(frozen=True)
class SNNQuantize(SNNPass):
    """Write every weight as an integer of `bits` bits times a scale that all weights of a neuron share.

    Weights that are exactly such integers times a power of two keep their values (nothing is lost); others are rounded
    to nearest, the largest weight of each neuron becoming the largest integer. Biases and neuron parameters stay.
    Does nothing for a machine that states no precision.
    """

    name = "snn-quantize"

    bits: int | None = None
    """Bits of a signed weight; the machine's `weight_bits` by default."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        bits = self.bits if self.bits is not None else target.crossbar.weight_bits if target is not None else None
        if bits is None:
            fail(network, "no precision to quantise to", "give bits=8, or a machine with --platform")
        if bits and not 2 <= bits <= 32:
            fail(network, f"{bits} bits", "use 2 to 32 bits")
        for population in network.sources.values():
            if bits and isinstance(population, NeuronOp):
                self._quantize(population, bits)

    def _quantize(self, population: NeuronOp, bits: int) -> None:
        connections = connections_of(population)
        if not connections:
            return
        weights = [dense_weights(connection) for connection in connections]
        grid = nearest_grid(np.concatenate(weights, axis=1), bits)
        ends = np.cumsum([w.shape[1] for w in weights])[:-1]
        pieces = np.split(grid.integers, ends, axis=1)
        new = [_integer(c, piece, grid, population, bits) for c, piece in zip(connections, pieces, strict=True)]
        replace_projections(population, new)
        original = np.concatenate(weights, axis=1)
        error = np.abs(grid.integers * grid.scale[:, None] - original).max(initial=0.0)
        self.statistics[f"bits of @{population.sym_name.data}"] = bits
        self.statistics[f"weights of @{population.sym_name.data} changed"] = int(
            (grid.integers * grid.scale[:, None] != original).sum()
        )
        self.statistics[f"largest change of @{population.sym_name.data}, millionths"] = round(float(error) * 1e6)


def _integer(
    connection: Connection,
    integers: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    grid: Grid,
    population: NeuronOp,
    bits: int,
) -> WeightedOp:
    op = connection.op
    values = integers.ravel() if connection.one_to_one else integers
    key = op.weights.data.key if isinstance(op.weights, TensorAttr) else f"{population.sym_name.data}.weight"
    uniform = bool((grid.scale == grid.scale[0]).all())
    scale: Attribute = FloatAttr(float(grid.scale[0]), 64)
    if not uniform:
        scale = TensorAttr.of(f"{population.sym_name.data}.scale", grid.scale)
    new = type(op)(
        op.source,
        TensorAttr.of(key, values.astype(integer_type(bits))),
        op.current_type,
        bias=op.bias,
        scale=scale,
        delay=op.delay.data,
    )
    new.location = op.location
    new.current.name_hint = op.current.name_hint
    return new
