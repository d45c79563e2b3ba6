"""The columns of a population as integers with one scale per neuron, whatever its projections are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, IntAttr
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.snn import FlattenOp, NetworkOp, NeuronOp, ScaleOp, SparseOp, WeightedOp
from snnir.passes.snn.projections import replace_inputs
from snnir.passes.snn.terms import Leaf, Vector, cell_peaks, leaf_of, summands, summing, terms_of
from snnir.precision import finest_power, integer_type, largest, nearest_scale
from snnir.synapses import IntArray

_ROUNDS = 40
"""Attempts at a scale with which sums of rounded weights fit a cell; the first or second nearly always does."""


@dataclass(frozen=True)
class Columns:
    """What rounding a population's weights did."""

    weights: Vector
    """All weights before, with their scales."""
    rounded: Vector
    """And after."""
    given: int = 0
    """Signals without weights that were given some, to share the scale of the others."""
    folded: int = 0
    """Chains of projections (or parts of them) that became single synapses."""


def quantise(network: NetworkOp, population: NeuronOp, bits: int) -> Columns:
    """Make the weights of a population integers of `bits` bits; all that its neurons read then have one scale.

    Neurons with common weights (a channel) have a common scale.
    """
    leaves = [leaf_of(term, population.size) for term in terms_of(population)]
    every = np.concatenate([leaf.weights * leaf.scale[leaf.lane] for leaf in leaves] or [np.empty(0)])
    if all(leaf.term.projection is None and leaf.term.factor is not None for leaf in leaves) and _fits(
        leaves, connections_of(population), bits
    ):
        return Columns(every, every)
    own, classes = own_scale(leaves, population.size), neuron_classes(leaves, population.size)
    reach = _Reach(np.ones(int(classes.max(initial=-1)) + 1), np.ones(int(classes.max(initial=-1)) + 1))
    integers: list[Vector] = []
    scale = np.ones(population.size)
    for _ in range(_ROUNDS):
        integers, scale, exact = _rounded(leaves, classes, own, reach, bits)
        maker = _Maker(network, population, scale, bits)
        for leaf, values in zip(leaves, integers, strict=True):
            maker.add(leaf, values)
        replace_inputs(population, maker.ops, maker.values)
        over = cell_peaks(connections_of(population), population.size) / largest(bits)
        if (over <= 1).all():
            break
        reach.grow(classes[over > 1], over[over > 1], exact)
    after = [values * _of_lanes(leaf, scale)[leaf.lane] for leaf, values in zip(leaves, integers, strict=True)]
    given = sum(leaf.term.projection is None and leaf.term.factor is not None for leaf in leaves)
    folded = sum(leaf.term.is_folded for leaf in leaves)
    return Columns(every, np.concatenate([np.empty(0), *after]), given, folded)


def _fits(leaves: Sequence[Leaf], connections: Sequence[Connection], bits: int) -> bool:
    """Whether sums of spikes fit cells as they are: times a power of two, all of them within the bits."""
    factors = np.array([leaf.term.factor for leaf in leaves], np.float64)
    if not len(factors):
        return True
    peaks = cell_peaks(connections, connections[0].synapses.targets) if connections else np.zeros(1)
    powers = bool((np.frexp(factors)[0] == 0.5).all())
    return powers and bool(peaks.max(initial=0.0) <= largest(bits) * factors.min())


def own_scale(leaves: Sequence[Leaf], size: int) -> Vector | None:
    """The scale that all projections share already, one entry per neuron."""
    scales = [leaf.scale[leaf.of] for leaf in leaves]
    if not scales or not all((scale == scales[0]).all() for scale in scales):
        return None
    return np.broadcast_to(scales[0], (size,))


def neuron_classes(leaves: Sequence[Leaf], size: int) -> IntArray:
    """Of each neuron, the number of those with which it has to share a scale: they have a lane in common."""
    if len(leaves) == 1:
        return leaves[0].of
    from scipy.sparse import coo_array  # noqa: PLC0415  (slow to import)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    shared = [leaf.of for leaf in leaves if len(leaf.scale) < size]
    starts = np.cumsum([size, *(int(of.max(initial=-1)) + 1 for of in shared)])
    lanes = np.concatenate([np.empty(0, np.int64), *(of + start for of, start in zip(shared, starts, strict=False))])
    neurons = np.tile(np.arange(size), len(shared))
    graph = coo_array((np.ones(len(lanes), np.int8), (neurons, lanes)), shape=(int(starts[-1]), int(starts[-1])))
    return np.unique(connected_components(graph, directed=False)[1][:size], return_inverse=True)[1]


@dataclass
class _Reach:
    """How many times its largest weight a cell of each class may hold, because weights add up there."""

    power: Vector
    """Where weights are kept, on a grid that is a power of two: a power of two."""
    nearest: Vector
    """Where weights are rounded."""

    def grow(self, classes: IntArray, over: Vector, exact: "NDArray[np.bool_]") -> None:
        """Allow for cells `over` times the largest integer."""
        worst = np.ones(len(self.power))
        np.maximum.at(worst, classes, over)
        self.power[exact & (worst > 1)] *= 2
        # a little more than seen: sums of rounded weights may round up again
        self.nearest[~exact & (worst > 1)] *= worst[~exact & (worst > 1)] * 1.001


def _rounded(
    leaves: Sequence[Leaf], classes: IntArray, own: Vector | None, reach: _Reach, bits: int
) -> tuple[list[Vector], Vector, "NDArray[np.bool_]"]:
    """The weights of each leaf as integers, the scale of each neuron, and whether a class keeps its weights.

    `own` is the scale that they have in common already.
    """
    peak, exact = np.zeros(len(reach.power)), np.ones(len(reach.power), np.bool_)
    values = [leaf.weights if own is not None else leaf.weights * leaf.scale[leaf.lane] for leaf in leaves]
    places = [_of_lanes(leaf, classes.astype(np.float64)).astype(np.int64)[leaf.lane] for leaf in leaves]
    for weights, place in zip(values, places, strict=True):
        np.maximum.at(peak, place, np.abs(weights))
    power, nearest = finest_power(peak * reach.power, bits), nearest_scale(peak * reach.nearest, bits)
    for weights, place in zip(values, places, strict=True):
        whole = weights / power[place]
        fits = (whole == np.rint(whole)) & (np.abs(whole) <= largest(bits)) & (whole * power[place] == weights)
        np.logical_and.at(exact, place, fits)
    scale = np.where(exact, power, nearest)
    integers = [
        np.clip(np.rint(weights / scale[place]), -largest(bits), largest(bits))
        for weights, place in zip(values, places, strict=True)
    ]
    return integers, scale[classes] * (1.0 if own is None else own), exact


def _of_lanes(leaf: Leaf, per_neuron: Vector) -> Vector:
    """What all neurons of a lane agree on, once per lane."""
    result = np.zeros(len(leaf.scale))
    result[leaf.of] = per_neuron
    return result


class _Maker:
    """Makes the ops that a population sums."""

    def __init__(self, network: NetworkOp, population: NeuronOp, scale: Vector, bits: int) -> None:
        self._network, self._population, self._scale = network, population, scale
        self._type = integer_type(bits)
        self.ops: list[Operation] = []
        self.values: list[SSAValue] = []

    def add(self, leaf: Leaf, integers: Vector) -> None:
        """A term with integers for its weights."""
        if leaf.term.projection is not None:
            self._keep(leaf, leaf.term.projection, integers)
        elif leaf.term.factor is not None:
            self._give(leaf, integers)
        else:
            self._fold(leaf, integers)

    def _put(self, ops: Sequence[Operation], value: SSAValue) -> None:
        self.ops += ops
        assert isinstance(value.type, SignalType)
        shape = self._population.signal_type.shape.data
        if value.type.shape.data != shape:
            flat = FlattenOp(value, shape)
            self.ops.append(flat)
            value = flat.flat
        self.values.append(value)

    def _keep(self, leaf: Leaf, op: WeightedOp, integers: Vector) -> None:
        """The same projection with integers; one for each of several signals whose sum it reads."""
        shape = op.weights.array.shape if isinstance(op.weights, TensorAttr) else (op.lanes,)
        key = self._key(op)
        weights = TensorAttr.of(key, integers.reshape(shape).astype(self._type))
        scale = _scale_of(key, _of_lanes(leaf, self._scale))
        for number, part in enumerate(summands(op.source)):
            ops, source = summing(part)
            new = op.clone()
            new.operands = [source]
            new.weights, new.scale = weights, scale
            new.bias = op.bias if number == 0 else None
            new.delay = IntAttr(op.delay.data + leaf.term.delay)
            new.location = op.location
            new.current.name_hint = op.current.name_hint
            self._put([*ops, new], new.current)

    def _give(self, leaf: Leaf, integers: Vector) -> None:
        """A one-to-one projection of what has no weights."""
        ops, source = summing(leaf.term.value)
        assert isinstance(source.type, SignalType)
        current = SignalType.current(*source.type.shape.data)
        key = self._key(None)
        weights = TensorAttr.of(key, integers.astype(self._type))
        new = ScaleOp(source, weights, current, scale=_scale_of(key, self._scale), delay=leaf.term.delay)
        new.location = self._population.location
        self._put([*ops, new], new.current)

    def _fold(self, leaf: Leaf, integers: Vector) -> None:
        """Single synapses, those of each source as one projection."""
        found = leaf.term.connections
        ends = np.cumsum([0, *(c.synapses.count for c in found)]).tolist()
        bias = np.zeros(self._population.size)
        for c in found:
            bias = bias + c.bias
        for source in dict.fromkeys(c.source for c in found):
            mine = [n for n, c in enumerate(found) if c.source == source]
            origins = np.concatenate([found[n].synapses.csr().indices for n in mine]).astype(np.int64)
            targets = np.concatenate([leaf.lane[ends[n] : ends[n + 1]] for n in mine])
            weights = np.concatenate([integers[ends[n] : ends[n + 1]] for n in mine])
            late = np.concatenate([np.full(ends[n + 1] - ends[n], found[n].delay) for n in mine])
            if not len(weights):
                continue
            key = self._key(None)
            least = int(late.min())
            delays = TensorAttr.of(f"{key}.delays", late - least) if late.max() > least else None
            new = SparseOp(
                self._network.sources[source].results[0],
                TensorAttr.of(key, weights.astype(self._type)),
                TensorAttr.of(f"{key}.from", origins),
                TensorAttr.of(f"{key}.to", targets),
                SignalType.current(*self._population.signal_type.shape.data),
                delays=delays,
                bias=TensorAttr.of(f"{key}.bias", bias) if np.any(bias) else None,
                scale=_scale_of(key, self._scale),
                delay=least + leaf.term.delay,
            )
            bias = np.zeros(self._population.size)
            new.location = found[mine[0]].op.location
            self._put([new], new.current)

    def _key(self, op: WeightedOp | None) -> str:
        if op is not None and isinstance(op.weights, TensorAttr):
            return op.weights.data.key
        return f"{self._population.sym_name.data}.weight{len(self.values) or ''}"


def _scale_of(key: str, scale: Vector) -> Attribute:
    return FloatAttr(float(scale[0]), 64) if (scale == scale[0]).all() else TensorAttr.of(f"{key}.scale", scale)
