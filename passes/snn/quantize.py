"""`snn-quantize`: weights as integers of the machine's precision, with one scale per neuron."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import NeuronOp, WeightedOp
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.snn.projections import dense_weights, forget_activity, replace_projections
from snnir.precision import Grid, Matrix, integer_type, nearest_grid

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SNNQuantize(SNNPass):
    """Write every weight as an integer of `bits` bits times a scale that all weights of a neuron share.

    A neuron whose weights are exactly such integers times a power of two (and times the scale that its projections
    already share, as after an earlier run) keeps them: nothing is lost. The weights of others are rounded to nearest,
    the largest of a neuron becoming the largest integer. Biases and neuron parameters stay. Activity that was measured
    before a weight changed is dropped: profile again. Does nothing for a machine that states no precision.
    """

    name = "snn-quantize"
    lossy = True

    bits: int | None = None
    """Bits of a signed weight; the machine's `weight_bits` by default."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        bits = self.bits if self.bits is not None else target.crossbar.weight_bits if target is not None else None
        if bits is None:
            fail(network, "no precision to quantise to", "give bits=8, or a machine with --platform")
        if bits and not 2 <= bits <= 32:
            fail(network, f"{bits} bits", "use 2 to 32 bits")
        populations = [source for source in network.sources.values() if isinstance(source, NeuronOp)]
        changed = [bool(bits) and self._quantize(population, bits) for population in populations]
        if any(changed):
            forget_activity(populations)

    def _quantize(self, population: NeuronOp, bits: int) -> bool:
        """Quantise the projections of a population; whether that changed a weight."""
        connections = connections_of(population)
        if not connections:
            return False
        weights, shared = _common(connections)
        found = nearest_grid(np.concatenate(weights, axis=1), bits)
        grid = Grid(found.integers, found.scale * shared, found.exact)
        ends = np.cumsum([w.shape[1] for w in weights])[:-1]
        pieces = np.split(grid.integers, ends, axis=1)
        new = [_integer(c, piece, grid, population, bits) for c, piece in zip(connections, pieces, strict=True)]
        replace_projections(population, new)
        original = np.concatenate([w * shared[:, None] for w in weights], axis=1)
        error = np.abs(grid.integers * grid.scale[:, None] - original).max(initial=0.0)
        self.statistics[f"bits of @{population.sym_name.data}"] = bits
        changed = int((grid.integers * grid.scale[:, None] != original).sum())
        self.statistics[f"weights of @{population.sym_name.data} changed"] = changed
        self.statistics[f"largest change of @{population.sym_name.data}, millionths"] = round(float(error) * 1e6)
        return changed > 0


def _common(connections: Sequence[Connection]) -> tuple[list[Matrix], Vector]:
    """The weights of each connection, and the scale that they share; with different scales these are multiplied in."""
    size = connections[0].op.current_type.size
    values = [1.0 if c.op.scale is None else value_of(c.op.scale) for c in connections]
    scales = [np.broadcast_to(np.asarray(value, np.float64), (size,)) for value in values]
    if all((scale == scales[0]).all() for scale in scales):
        return [dense_weights(c, scaled=False) for c in connections], scales[0]
    return [dense_weights(c) for c in connections], np.ones(size)


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
