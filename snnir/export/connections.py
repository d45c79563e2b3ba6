"""Everything linear between populations as single connections, a few source neurons at a time.

For formats that know only neurons and connections: matrices, convolutions, pools, sparse and one-to-one weights, also
several of them in a row, become pairs of neurons with a weight. Nothing of the size of all connections is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    AvgPoolOp,
    BundleOp,
    ConvOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
    WeightedOp,
)
from snnir.errors import SnnirError
from snnir.export.chains import Chain

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Fan:
    """Connections of some sources: for each the position of its source in a list, the target, the weight."""

    positions: Numbers
    targets: Numbers
    weights: NDArray[np.float64]


@dataclass
class Expansion:
    """One way from a source to a population, to be asked for the connections of any of its source neurons."""

    chain: Chain
    ends: dict[Operation, tuple[Numbers, Numbers]] = field(default_factory=dict[Operation, tuple[Numbers, Numbers]])

    def of(self, neurons: Numbers) -> Fan:
        """The connections of `neurons`; a connection of weight 0 is one only where it is listed as such (sparse)."""
        fan = Fan(np.arange(neurons.size), neurons, np.ones(neurons.size))
        weighted = False
        for op in self.chain.ops:
            if isinstance(op, FlattenOp | DelayOp):
                continue
            step = self.selected(op, fan.targets) if isinstance(op, SliceOp) else self.fan(op, fan.targets)
            fan = Fan(fan.positions[step.positions], step.targets, fan.weights[step.positions] * step.weights)
            if weighted and isinstance(op, WeightedOp | PoolOp):
                fan = _added(fan, _type(op.results[0]).size)
            weighted |= isinstance(op, WeightedOp | PoolOp)
        return fan

    def selected(self, op: SliceOp, lines: Numbers) -> Fan:
        """Where each line goes in a slice; lines that are not in it go nowhere."""
        if op not in self.ends:
            place = np.full(_type(op.source).size, -1, np.int64)
            place[op.indices.data.array] = np.arange(len(op.indices.data))
            self.ends[op] = (place, place)
        reached = self.ends[op][0][lines]
        kept = np.flatnonzero(reached >= 0)
        return Fan(kept, reached[kept], np.ones(kept.size))

    def fan(self, op: Operation, lines: Numbers) -> Fan:
        """The connections of the given lines through one op. Raises `SnnirError` for one that is not linear."""
        match op:
            case DenseOp():
                fan = _dense(op, lines)
            case ScaleOp():
                weights = np.broadcast_to(np.asarray(value_of(op.weights), np.float64).ravel(), (op.lanes,))
                fan = Fan(np.arange(lines.size), lines, weights[lines])
            case SparseOp():
                fan = self.sparse(op, lines)
            case BundleOp():
                fan = _bundle(op, lines)
            case ConvOp():
                fan = _conv(op, lines)
            case SumPoolOp() | AvgPoolOp():
                fan = _pool(op, lines)
            case _:
                hint = "only weighted connections can be listed"
                raise SnnirError(place_of(op), f"{op.name} is no set of weighted connections", hint)
        if isinstance(op, WeightedOp) and op.scale is not None:
            scale = np.broadcast_to(np.asarray(value_of(op.scale), np.float64).ravel(), (op.lanes,))
            inner = prod(_shape(op.current)[1:]) if isinstance(op, ConvOp) else 1
            fan = Fan(fan.positions, fan.targets, fan.weights * scale[fan.targets // inner % op.lanes])
        return fan

    def sparse(self, op: SparseOp, lines: Numbers) -> Fan:
        """Single synapses, sorted by source once."""
        sources = op.sources.array.astype(np.int64)
        if op not in self.ends:
            order = np.argsort(sources, kind="stable").astype(np.int64)
            starts = np.searchsorted(sources[order], np.arange(op.source_type.size + 1)).astype(np.int64)
            self.ends[op] = (order, starts)
        order, starts = self.ends[op]
        counts = starts[lines + 1] - starts[lines]
        positions = np.repeat(np.arange(lines.size), counts)
        within = np.arange(positions.size) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = order[starts[lines][positions] + within]
        assert isinstance(op.weights, TensorAttr)
        return Fan(positions, op.targets.array[chosen].astype(np.int64), op.weights.array[chosen].astype(np.float64))


def _type(value: Any) -> SignalType:
    assert isinstance(value.type, SignalType)
    return value.type


def _shape(value: Any) -> tuple[int, ...]:
    return _type(value).shape.data


def _added(fan: Fan, size: int) -> Fan:
    """Connections of the same two neurons as one, with the sum of their weights."""
    keys, inverse = np.unique(fan.positions * size + fan.targets, return_inverse=True)
    weights = np.bincount(inverse, fan.weights, keys.size).astype(np.float64)
    return Fan(keys // size, keys % size, weights)


def _kept(positions: Sequence[Numbers], targets: Sequence[Numbers], weights: Sequence[NDArray[Any]]) -> Fan:
    """Pieces put together, without what has weight 0."""
    flat = np.concatenate([np.empty(0), *weights]).astype(np.float64)
    kept = np.flatnonzero(flat)
    none = np.empty(0, np.int64)
    return Fan(np.concatenate([none, *positions])[kept], np.concatenate([none, *targets])[kept], flat[kept])


def _dense(op: DenseOp, lines: Numbers) -> Fan:
    assert isinstance(op.weights, TensorAttr)
    matrix = op.weights.array
    copy, column = (lines // matrix.shape[1], lines % matrix.shape[1]) if op.on_last_dimension else (0 * lines, lines)
    part = matrix[:, column]
    targets, positions = np.nonzero(part)
    weights = part[targets, positions].astype(np.float64)
    return Fan(positions, copy[positions] * matrix.shape[0] + targets, weights)


def _bundle(op: BundleOp, lines: Numbers) -> Fan:
    """What was not pruned, line by line; one connection for each delay level."""
    assert isinstance(op.weights, TensorAttr)
    part = op.weights.array[:, :, lines].transpose(2, 1, 0)
    positions, targets, levels = np.nonzero(part)
    return Fan(positions, targets, part[positions, targets, levels].astype(np.float64))


def _windows(
    op: ConvOp | PoolOp, lines: Numbers, kernel: Sequence[int], dilation: Sequence[int], result: Sequence[int]
) -> list[tuple[tuple[int, ...], Numbers, Numbers]]:
    """For each offset in the kernel the positions of the lines that meet it, and where in a channel of the result."""
    source = _shape(op.operands[0])[1:]
    coordinates = np.stack(np.unravel_index(lines % prod(source), source))
    low, stride = np.array(op.padding_low.data)[:, np.newaxis], np.array(op.stride.data)[:, np.newaxis]
    size = np.array(result)[:, np.newaxis]
    found: list[tuple[tuple[int, ...], Numbers, Numbers]] = []
    for offset in product(*map(range, kernel)):
        shifted = coordinates + low - np.array([o * d for o, d in zip(offset, dilation, strict=True)])[:, np.newaxis]
        place = shifted // stride
        met = np.flatnonzero(((shifted % stride == 0) & (place >= 0) & (place < size)).all(axis=0))
        flat = np.ravel_multi_index(tuple(place[:, met]), tuple(result))
        found.append((offset, met, np.asarray(flat, np.int64)))
    return found


def _conv(op: ConvOp, lines: Numbers) -> Fan:
    assert isinstance(op.weights, TensorAttr)
    weights, result = op.weights.array, _shape(op.current)
    channel = lines // prod(_shape(op.source)[1:])
    inputs, outputs = weights.shape[1], weights.shape[0] // op.groups.data
    area = prod(result[1:])
    pieces: tuple[list[Numbers], list[Numbers], list[NDArray[Any]]] = ([], [], [])
    for offset, met, flat in _windows(op, lines, weights.shape[2:], op.dilation.data, result[1:]):
        first = channel[met] // inputs * outputs
        for output in range(outputs):
            pieces[0].append(met)
            pieces[1].append((first + output) * area + flat)
            pieces[2].append(weights[(first + output, channel[met] % inputs, *offset)])
    return _kept(*pieces)


def _pool(op: SumPoolOp | AvgPoolOp, lines: Numbers) -> Fan:
    result, kernel = _shape(op.results[0]), op.kernel.data
    channel = lines // prod(_shape(op.operands[0])[1:])
    weight = 1.0 / prod(kernel) if isinstance(op, AvgPoolOp) else 1.0
    pieces: tuple[list[Numbers], list[Numbers], list[NDArray[Any]]] = ([], [], [])
    for _, met, flat in _windows(op, lines, kernel, (1,) * len(kernel), result[1:]):
        pieces[0].append(met)
        pieces[1].append(channel[met] * prod(result[1:]) + flat)
        pieces[2].append(np.full(met.size, weight))
    return _kept(*pieces)
