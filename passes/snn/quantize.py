"""`snn-quantize`: weights as integers of the machine's precision, with one scale per neuron."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Attribute, Operation

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.machine_neurons import COEFFICIENTS
from snnir.dialects.places import place_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import BundleOp, NetworkOp, NeuronOp, SparseOp, WeightedOp
from snnir.errors import SnnirError
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.placeable import check_placeable
from snnir.passes.snn.columns import quantise
from snnir.passes.snn.projections import dense_weights, forget_activity, replace_projections
from snnir.precision import Grid, Matrix, integer_type, nearest_grid
from snnir.report.changes import LayerChange
from snnir.tuning.ranges import sqnr

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SNNQuantize(SNNPass):
    """Write every weight as an integer of `bits` bits times a scale that all weights of a neuron share.

    A neuron whose weights are exactly such integers times a power of two (and times the scale that its projections
    already share, as after an earlier run) keeps them: nothing is lost. The weights of others are rounded to nearest,
    the largest of a neuron becoming the largest integer; where several of them add up on one cell, the largest sum.
    Neurons with common weights, as those of a channel, have a common scale.

    Sums of spikes and pools have weights of 1 (or 1 / kernel). A population that sums nothing else keeps them. Beside
    other weights they are rounded like these: an identity becomes a one-to-one projection with integers. Pools that
    average before a projection become pools that sum, and the scale divides. Two projections in a row, and parts of
    projections, become single synapses, whose weights are rounded. All of it is counted.

    Where no crossbar can hold a population, its projections share no scale: a convolution has one per output channel,
    sparse connections have one. Biases and neuron parameters stay. Activity that was measured before a weight changed
    is dropped: profile again. Does nothing for a machine that states no precision.
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
        if self.bits is None:
            check_placeable(network)
        populations = [source for source in network.sources.values() if isinstance(source, NeuronOp)]
        if bits and self._quantize_all(network, populations, bits):
            forget_activity(populations)

    def _quantize_all(self, network: NetworkOp, populations: Sequence[NeuronOp], bits: int) -> bool:
        """Quantise all projections; whether that changed a weight."""
        shared = {population: crossbar_connections(population) for population in populations}
        changed: list[bool] = []
        for population, found in shared.items():
            if found and is_plain(population, found):
                changed.append(self._quantize(population, found, bits))
            elif found:
                changed.append(self._quantize_columns(network, population, bits))
        done = {c.op for population, found in shared.items() if found for c in connections_of(population)}
        rest = [op for op in network.body.block.ops if isinstance(op, WeightedOp) and op not in done]
        return any([*changed, *(self._quantize_alone(op, bits) for op in rest)])

    def _quantize_columns(self, network: NetworkOp, population: NeuronOp, bits: int) -> bool:
        """Quantise what a population reads, whatever that is; whether that changed a weight."""
        name, found = population.sym_name.data, quantise(network, population, bits)
        self.statistics[f"signals into @{name} given weights"] = found.given
        self.statistics[f"projections into @{name} made single synapses"] = found.folded
        return self._note(f"@{name}", population, found.rounded, found.weights, bits)

    def _quantize(self, population: NeuronOp, connections: Sequence[Connection], bits: int) -> bool:
        """Quantise the projections of a population; whether that changed a weight."""
        weights, shared = _common(connections)
        found = nearest_grid(np.concatenate(weights, axis=1), bits)
        grid = Grid(found.integers, found.scale * shared, found.exact)
        ends = np.cumsum([w.shape[1] for w in weights])[:-1]
        pieces = np.split(grid.integers, ends, axis=1)
        new = [_integer(c, piece, grid, population, bits) for c, piece in zip(connections, pieces, strict=True)]
        replace_projections(population, new)
        original = np.concatenate([w * shared[:, None] for w in weights], axis=1)
        return self._count(f"@{population.sym_name.data}", population, grid, original, bits)

    def _quantize_alone(self, op: WeightedOp, bits: int) -> bool:
        """Quantise one projection; whether that changed a weight. A weight that is one number needs no cells."""
        if not isinstance(op.weights, TensorAttr):
            return False
        raw, key = op.weights.array, op.weights.data.key
        own = np.asarray(1.0 if op.scale is None else value_of(op.scale), np.float64)
        weights = raw.astype(np.float64)
        if isinstance(op, SparseOp) and own.ndim:
            weights, own = weights * own[op.targets.array], np.ones(())
        if isinstance(op, BundleOp):
            weights = weights.transpose(1, 0, 2)
        rows = weights.reshape(1 if isinstance(op, SparseOp) else op.lanes, -1)
        found = nearest_grid(rows, bits)
        grid = Grid(found.integers, found.scale * own, found.exact)
        integers = grid.integers.reshape(weights.shape)
        if isinstance(op, BundleOp):
            integers = integers.transpose(1, 0, 2)
        op.weights = TensorAttr.of(key, integers.astype(integer_type(bits)))
        op.scale = _scale_of(grid, key)
        return self._count(f"'{key}'", op, grid, rows * np.broadcast_to(own, len(rows))[:, None], bits)

    def _count(self, what: str, op: Operation, grid: Grid, original: Matrix, bits: int) -> bool:
        """Count what was changed; whether anything was."""
        return self._note(what, op, grid.integers * grid.scale[:, None], original, bits)

    def _note(
        self, what: str, op: Operation, rounded: "Matrix | Vector", original: "Matrix | Vector", bits: int
    ) -> bool:
        changed = int((rounded != original).sum())
        self.statistics[f"bits of {what}"] = bits
        self.statistics[f"weights of {what} changed"] = changed
        largest_change = float(np.abs(rounded - original).max(initial=0.0))
        self.statistics[f"largest change of {what}, millionths"] = round(largest_change * 1e6)
        change = f"{changed:,} of {original.size:,} weights rounded to {bits} bits"
        self.layers.append(LayerChange(what, place_of(op), change, sqnr(original, rounded), bits))
        return changed > 0


def crossbar_connections(population: NeuronOp) -> list[Connection] | None:
    """The connections of a population if crossbars can hold them, and its neurons too unless all are plain."""
    try:
        found = connections_of(population)
    except SnnirError:
        return None
    return found if population.MODEL in COEFFICIENTS or is_plain(population, found) else None


def is_plain(population: NeuronOp, connections: Sequence[Connection]) -> bool:
    """Whether a population sums dense and one-to-one projections, no two of the same axons."""
    shape = population.signal_type.shape
    plain = all(c.plain is not None and c.plain.current_type.shape == shape for c in connections)
    return plain and len({(c.source, c.delay) for c in connections}) == len(connections)


def _common(connections: Sequence[Connection]) -> tuple[list[Matrix], Vector]:
    """The weights of each connection, and the scale that they share; with different scales these are multiplied in."""
    size = connections[0].synapses.targets
    scales = [np.broadcast_to(np.asarray(c.scale, np.float64), (size,)) for c in connections]
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
    op = connection.plain
    assert op is not None
    values = integers.ravel() if connection.one_to_one else integers
    key = op.weights.data.key if isinstance(op.weights, TensorAttr) else f"{population.sym_name.data}.weight"
    new = type(op)(
        op.source,
        TensorAttr.of(key, values.astype(integer_type(bits))),
        op.current_type,
        bias=op.bias,
        scale=_scale_of(grid, population.sym_name.data),
        delay=op.delay.data,
    )
    new.attributes, new.location = dict(op.attributes), op.location
    new.current.name_hint = op.current.name_hint
    return new


def _scale_of(grid: Grid, name: str) -> Attribute:
    """The scales of a grid: one number where all are equal."""
    if (grid.scale == grid.scale[0]).all():
        return FloatAttr(float(grid.scale[0]), 64)
    return TensorAttr.of(f"{name}.scale", grid.scale)
