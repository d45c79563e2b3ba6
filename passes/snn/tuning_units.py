"""What is tuned together: the projections that share crossbar columns, and so a scale per neuron."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    ConvOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NeuronOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    WeightedOp,
)

Reals = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Unit:
    """Populations that sum the same projections, and these."""

    populations: tuple[NeuronOp, ...]
    leaves: tuple[WeightedOp, ...]
    """What the first population sums: projections of signals without weights."""
    digits: tuple[ScaleOp, ...] = ()
    """What the others sum besides: the high digits of the same value, to be taken off exactly."""
    mirrors: dict[WeightedOp, WeightedOp] = field(default_factory=dict[WeightedOp, WeightedOp])
    """Projections of units before, of which those of this one are the negatives."""

    @property
    def name(self) -> str:
        """The population that it is called by."""
        return self.populations[0].sym_name.data


def units_of(order: Sequence[NeuronOp]) -> tuple[list[Unit], list[NeuronOp]]:
    """The units of a program in the order of their first populations, and the populations that belong to none.

    These sum signals without weights, or projections of projections.
    """
    leaves = {population: leaves_of(population) for population in order}
    simple = {population: found for population, found in leaves.items() if found}
    groups: list[list[NeuronOp]] = []
    for population, found in simple.items():
        shared = [group for group in groups if any(leaf in simple[each] for each in group for leaf in found)]
        for group in shared:
            groups.remove(group)
        groups.append([*(each for group in shared for each in group), population])
    units: list[Unit] = []
    rest = [population for population, found in leaves.items() if found is None]
    for group in groups:
        unit = _unit(group, simple)
        if unit is None:
            rest += group
        else:
            units.append(_mirrored(unit, units))
    number = {population: n for n, population in enumerate(order)}
    return sorted(units, key=lambda unit: number[unit.populations[0]]), sorted(rest, key=number.__getitem__)


def _unit(group: Sequence[NeuronOp], leaves: "dict[NeuronOp, list[WeightedOp]]") -> Unit | None:
    first, *others = group
    digits: list[ScaleOp] = []
    for other in others:
        for leaf in leaves[other]:
            if leaf in leaves[first]:
                continue
            if not isinstance(leaf, ScaleOp) or leaf.source.owner not in group or isinstance(leaf.weights, TensorAttr):
                return None
            digits.append(leaf)
    return Unit(tuple(group), tuple(leaves[first]), tuple(digits))


def _mirrored(unit: Unit, before: Sequence[Unit]) -> Unit:
    """The unit with what it is the negative of, where it is one."""
    for other in before:
        if len(other.leaves) == len(unit.leaves) and not other.mirrors:
            pairs = dict(zip(unit.leaves, other.leaves, strict=True))
            if all(_is_negative(a, b) for a, b in pairs.items()):
                return Unit(unit.populations, unit.leaves, unit.digits, pairs)
    return unit


def _is_negative(op: WeightedOp, other: WeightedOp) -> bool:
    if type(op) is not type(other) or op.source != other.source or op.current.type != other.current.type:
        return False
    differing = {"weights", "bias", "scale"}
    same = all(value == other.properties.get(name) for name, value in op.properties.items() if name not in differing)
    own = np.array_equal(weights_of(op), -weights_of(other)) if same else False
    biases = [0.0 if each.bias is None else np.asarray(value_of(each.bias)) for each in (op, other)]
    return own and bool((np.asarray(biases[0]) == -np.asarray(biases[1])).all())


def leaves_of(population: NeuronOp) -> list[WeightedOp] | None:
    """The projections that a population sums, where it sums nothing else and they read signals without weights."""
    found: list[WeightedOp] = []
    rest = list(population.inputs)[::-1]
    while rest:
        owner = rest.pop().owner
        if isinstance(owner, AddOp):
            rest += list(owner.inputs)[::-1]
        elif isinstance(owner, FlattenOp):
            rest.append(owner.source)
        elif isinstance(owner, WeightedOp) and not any(isinstance(each, WeightedOp) for each in behind(owner.source)):
            found.append(owner)
        else:
            return None
    return found


def behind(value: SSAValue) -> Iterator[Operation]:
    """The ops between a signal and the inputs and populations that it is made of, and these."""
    owner = value.owner
    if isinstance(owner, Operation):
        yield owner
        if not isinstance(owner, InputOp | NeuronOp):
            for operand in owner.operands:
                yield from behind(operand)


def average_of(value: SSAValue) -> float | None:
    """What average pools multiply the values behind a signal with; `None` where it differs."""
    owner = value.owner
    match owner:
        case AddOp():
            found = {average_of(part) for part in owner.inputs}
            return found.pop() if len(found) == 1 else None
        case AvgPoolOp():
            inner = average_of(owner.source)
            return None if inner is None else inner / prod(owner.kernel.data)
        case FlattenOp() | SliceOp() | DelayOp() | PoolOp():
            return average_of(owner.source)
        case _:
            return 1.0


def weights_of(op: WeightedOp) -> Reals:
    """The weights of a projection with its scale, in the shape in which they are stored; (lanes,) of one number."""
    if not isinstance(op.weights, TensorAttr):
        return np.full(op.lanes, value_of(op.weights)) * (1.0 if op.scale is None else value_of(op.scale))
    raw = op.weights.array.astype(np.float64)
    return raw if op.scale is None else raw * op.per_weight(value_of(op.scale))


def lanes_of(op: WeightedOp) -> IntArray:
    """The lane of each weight, in the order in which they are stored."""
    shape = op.weights.data.shape if isinstance(op.weights, TensorAttr) else (op.lanes,)
    return np.broadcast_to(op.per_weight(np.arange(op.lanes, dtype=np.float64)), shape).ravel().astype(np.int64)


def classes_of(leaves: Sequence[WeightedOp], size: int) -> IntArray:
    """Of each neuron, the number of those with which it has to share a scale: they have a lane in common."""
    lanes = [np.asarray(op.spread(np.arange(op.lanes, dtype=np.float64))).astype(np.int64) for op in leaves]
    distinct = list({lane.tobytes(): lane for lane in lanes}.values())
    if len(distinct) == 1:
        return distinct[0]
    from scipy.sparse import coo_array  # noqa: PLC0415  (slow to import)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    starts = np.cumsum([size, *(int(lane.max()) + 1 for lane in distinct)])
    ends = np.concatenate([lane + start for lane, start in zip(distinct, starts, strict=False)])
    neurons = np.tile(np.arange(size), len(distinct))
    graph = coo_array((np.ones(len(ends), np.int8), (neurons, ends)), shape=(int(starts[-1]), int(starts[-1])))
    return np.unique(connected_components(graph, directed=False)[1][:size], return_inverse=True)[1]


def class_of_lanes(op: WeightedOp, classes: IntArray) -> IntArray:
    """The class of each lane of a projection."""
    lanes = np.asarray(op.spread(np.arange(op.lanes, dtype=np.float64))).astype(np.int64)
    result = np.zeros(op.lanes, np.int64)
    result[lanes] = classes
    return result


def crowding(leaves: Sequence[WeightedOp]) -> int:
    """How many projections at most read one and the same source, so that their weights add up on cells."""
    sources = [{each for each in behind(op.source) if isinstance(each, InputOp | NeuronOp)} for op in leaves]
    return max((sum(each in found for found in sources) for some in sources for each in some), default=1)


def is_fitted(op: WeightedOp) -> bool:
    """Whether the weights of a projection are fitted together; those of the others are rounded one by one."""
    return isinstance(op, DenseOp | ConvOp)


def signal_size(value: SSAValue) -> int:
    """The number of values of a signal."""
    assert isinstance(value.type, SignalType)
    return value.type.size
