"""What a population sums, term by term, as quantisation rewrites it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import Connection, terms_behind
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    DelayOp,
    FlattenOp,
    InputOp,
    NeuronOp,
    PoolOp,
    SliceOp,
    SumPoolOp,
    WeightedOp,
)
from snnir.synapses import IntArray, Matrix

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Term:
    """A signal that a population sums: a projection, or something without weights."""

    value: SSAValue
    delay: int
    """Steps between the signal and the population."""
    connections: tuple[Connection, ...]
    projection: WeightedOp | None
    """What makes the signal, where that is a projection, and nothing that it reads has weights."""
    factor: float | None
    """What average pools multiply spikes with, where it is the same for all that is summed and nothing else weighs."""

    @property
    def is_folded(self) -> bool:
        """Whether no op of the program has weights that could be rounded: only the synapses that they make in all."""
        return self.factor is None


def terms_of(population: NeuronOp) -> list[Term]:
    """The terms of a population that crossbars can hold. Raises as `connections_of` does."""
    return [term for value in population.inputs for term in _terms(value, population, 0)]


def _terms(value: SSAValue, user: Operation, delay: int) -> list[Term]:
    owner = value.owner
    match owner:
        case AddOp():
            return [term for part in owner.inputs for term in _terms(part, owner, delay)]
        case FlattenOp():
            return _terms(owner.source, owner, delay)
        case DelayOp() if owner.steps is not None:
            return _terms(owner.source, owner, delay + owner.steps)
        case WeightedOp():
            found, factor = tuple(terms_behind(value, user)), _factor(owner.source)
            return [Term(value, delay, found, owner if factor is not None else None, factor)]
        case _:
            return [Term(value, delay, tuple(terms_behind(value, user)), None, _factor(value))]


def _factor(value: SSAValue) -> float | None:
    """What average pools multiply the spikes behind a signal with; `None` behind weights, and where it differs."""
    owner = value.owner
    match owner:
        case InputOp() | NeuronOp():
            return 1.0
        case AddOp():
            found = {_factor(part) for part in owner.inputs}
            return found.pop() if len(found) == 1 else None
        case AvgPoolOp():
            inner = _factor(owner.source)
            return None if inner is None else inner / prod(owner.kernel.data)
        case FlattenOp() | SliceOp() | DelayOp() | PoolOp():
            return _factor(owner.source)
        case _:
            return None


def summands(value: SSAValue) -> list[SSAValue]:
    """The signals of which a signal is the sum."""
    owner = value.owner
    return [each for part in owner.inputs for each in summands(part)] if isinstance(owner, AddOp) else [value]


def summing(value: SSAValue) -> tuple[list[Operation], SSAValue]:
    """A signal without weights, made by pools that sum where they average; and the new ops, in order."""
    owner = value.owner
    if not isinstance(owner, Operation) or not _averages(value):
        return [], value
    made: list[Operation] = []
    operands: list[SSAValue] = []
    for operand in owner.operands:
        ops, new = summing(operand)
        made += ops
        operands.append(new)
    if isinstance(owner, AvgPoolOp):
        padding = owner.padding_low.data, owner.padding_high.data
        copy: Operation = SumPoolOp(operands[0], owner.kernel.data, owner.stride.data, padding)
    else:
        copy = owner.clone()
        copy.operands = operands
    copy.location = owner.location
    return [*made, copy], copy.results[0]


def _averages(value: SSAValue) -> bool:
    owner = value.owner
    if not isinstance(owner, Operation) or isinstance(owner, InputOp | NeuronOp):
        return False
    return isinstance(owner, AvgPoolOp) or any(_averages(operand) for operand in owner.operands)


@dataclass(frozen=True)
class Leaf:
    """The weights of a term: each belongs to a lane, and all targets of a lane have its weights."""

    term: Term
    weights: Vector
    """All weights as they are stored, (weights,)."""
    lane: IntArray
    """The lane of each weight."""
    of: IntArray
    """The lane of each neuron of the population."""
    scale: Vector
    """The factor of the weights of each lane."""


def leaf_of(term: Term, size: int) -> Leaf:
    """The weights of a term of a population of `size` neurons."""
    op = term.projection
    if term.factor is None:
        return _folded(term, size)
    every = np.arange(size)
    if op is None:
        return Leaf(term, np.ones(size), every, every, np.full(size, term.factor))
    lanes = op.lanes
    raw = op.weights.array if isinstance(op.weights, TensorAttr) else np.full(lanes, value_of(op.weights))
    weights = raw.astype(np.float64).ravel()
    each = op.per_weight(np.arange(lanes, dtype=np.float64))
    lane: IntArray = np.broadcast_to(each, raw.shape).ravel().astype(np.int64)
    own = np.asarray(1.0 if op.scale is None else value_of(op.scale), np.float64)
    of = np.asarray(op.spread(np.arange(lanes, dtype=np.float64))).astype(np.int64)
    return Leaf(term, weights, lane, of, np.broadcast_to(own * term.factor, (lanes,)))


def _folded(term: Term, size: int) -> Leaf:
    matrices = [c.synapses.weighted() for c in term.connections]
    lane = [np.repeat(np.arange(size), np.diff(m.indptr)) for m in matrices]
    scales = [np.broadcast_to(np.asarray(c.scale, np.float64), (size,)) for c in term.connections]
    weights = [m.data for m in matrices]
    if all((scale == scales[0]).all() for scale in scales):
        shared = scales[0] if scales else np.ones(size)
    else:
        weights = [m.data * scale[row] for m, scale, row in zip(matrices, scales, lane, strict=True)]
        shared = np.ones(size)
    every, none = np.arange(size), np.empty(0)
    return Leaf(term, np.concatenate([none, *weights]), np.concatenate([none.astype(int), *lane]), every, shared)


def cell_peaks(connections: Sequence[Connection], size: int) -> Vector:
    """The largest cell of each neuron: the sum of all weights that it has for one axon, without scales."""
    peaks = np.zeros(size)
    axons = {
        (c.source, c.delay): [d for d in connections if (d.source, d.delay) == (c.source, c.delay)] for c in connections
    }
    for found in axons.values():
        if len(found) == 1:
            lanes = found[0].synapses.lanes()
            mine = np.abs(lanes.weights).max(axis=1, initial=0.0)[lanes.of]
        else:
            mine = _row_peaks(found, size)
        peaks = np.maximum(peaks, mine)
    return peaks


def _row_peaks(connections: Sequence[Connection], size: int) -> Vector:
    total = connections[0].synapses.weighted()
    for c in connections[1:]:
        total = total + c.synapses.weighted()
    cells: Matrix = np.abs(total.data)
    peaks = np.zeros(size)
    np.maximum.at(peaks, np.repeat(np.arange(size), np.diff(total.indptr)), cells)
    return peaks
