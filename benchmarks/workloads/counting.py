"""Neurons, synapses and fan-in of a network, counted by the structure of its ops: nothing is expanded.

A synapse is a pair of neurons, as in mapping literature. Where a kernel reaches into the padding there is none. Listed
synapses count as often as they are listed, also where several lead from one neuron to the same other: `pairs` counts
those once, as a crossbar has one cell for all of them when their delays agree. The inputs of a network are neurons too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from benchmarks.workloads.maker import shape_of
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    ConvOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    NetworkOp,
    NeuronOp,
    ScaleOp,
    SparseOp,
    SumPoolOp,
)


def neurons(network: NetworkOp) -> int:
    """All neurons, inputs included."""
    return sum(source.size for source in network.sources.values())


def synapses(network: NetworkOp) -> int:
    """All synapses; see the head of this file."""
    return sum(_count(op) for population in _populations(network) for op in _projections(population))


def pairs(network: NetworkOp) -> int:
    """Synapses where those of one op, between the same two neurons and with the same delay, count once."""
    return sum(
        len(_distinct(op)[0]) if isinstance(op, SparseOp) else _count(op)
        for population in _populations(network)
        for op in _projections(population)
    )


def largest_fanin(network: NetworkOp) -> int:
    """The most synapses of a neuron, counted like `pairs`."""
    most = 0
    for population in _populations(network):
        fanin = np.zeros(population.size, np.int64)
        for op in _projections(population):
            fanin += _fanin(op)
        most = max(most, int(fanin.max()))
    return most


def _populations(network: NetworkOp) -> list[NeuronOp]:
    return [source for source in network.sources.values() if isinstance(source, NeuronOp)]


def _projections(population: NeuronOp) -> Iterator[Operation]:
    """The ops whose results a population sums."""
    return (op for value in population.inputs for op in _terms(value))


def _terms(value: SSAValue) -> Iterator[Operation]:
    op = value.owner
    match op:
        case AddOp():
            for part in op.inputs:
                yield from _terms(part)
        case DelayOp() | FlattenOp():
            yield from _terms(op.operands[0])
        case DenseOp() | ScaleOp() | ConvOp() | SumPoolOp() | AvgPoolOp() | SparseOp():
            yield op
        case _:
            assert isinstance(op, Operation)
            raise TypeError(f"{op.name} is no projection, so its synapses cannot be counted")


def _count(op: Operation) -> int:
    match op:
        case DenseOp() if op.on_last_dimension:
            return op.current_type.size * op.source_type.shape.data[-1]
        case DenseOp():
            return op.current_type.size * op.source_type.size
        case SparseOp():
            return op.sources.data.size
        case ScaleOp():
            return op.current_type.size
        case ConvOp() | SumPoolOp() | AvgPoolOp():
            channels, reads, taps = _windows(op)
            return channels * reads * math.prod(int(each.sum()) for each in taps)
        case _:
            raise TypeError(op.name)


def _fanin(op: Operation) -> NDArray[np.int64] | int:
    """Synapses of each target, or of all."""
    match op:
        case DenseOp():
            return op.source_type.shape.data[-1] if op.on_last_dimension else op.source_type.size
        case ScaleOp():
            return 1
        case SparseOp():
            codes, each = _distinct(op)
            return np.bincount(codes // each, minlength=op.current_type.size)
        case ConvOp() | SumPoolOp() | AvgPoolOp():
            channels, reads, taps = _windows(op)
            places = taps[0]
            for each in taps[1:]:
                places = np.multiply.outer(places, each).ravel()
            return np.tile(places * reads, channels)
        case _:
            raise TypeError(op.name)


def _distinct(op: SparseOp) -> tuple[NDArray[np.int64], int]:
    """A number for each distinct (target, source, delay) of the listed synapses, and how many numbers a target has."""
    delays = np.zeros(1, np.int64) if op.delays is None else op.delays.array
    depth = int(delays.max()) + 1
    each = op.source_type.size * depth
    codes = np.sort(op.targets.array * each + op.sources.array * depth + delays)
    return codes[np.append(True, codes[1:] != codes[:-1])], each


def _windows(op: ConvOp | SumPoolOp | AvgPoolOp) -> tuple[int, int, list[NDArray[np.int64]]]:
    """Output channels, input channels that each reads, and along each dimension the taps of each place."""
    if isinstance(op, ConvOp):
        assert isinstance(op.weights, TensorAttr)
        weights = op.weights.data.shape
        channels, reads, kernel, dilation = weights[0], weights[1], weights[2:], op.dilation.data
        source, result = op.source_type.shape.data, op.current_type.shape.data
    else:
        kernel = op.kernel.data
        source, result, dilation, reads = shape_of(op.source), shape_of(op.pooled), (1,) * len(kernel), 1
        channels = source[0]
    taps = [
        _taps(*each)
        for each in zip(source[1:], kernel, op.stride.data, op.padding_low.data, dilation, result[1:], strict=True)
    ]
    return channels, reads, taps


def _taps(size: int, kernel: int, stride: int, low: int, dilation: int, places: int) -> NDArray[np.int64]:
    """How many taps of a kernel lie within a dimension of `size`, at each place."""
    at = np.arange(places)[:, None] * stride - low + np.arange(kernel) * dilation
    return ((at >= 0) & (at < size)).sum(axis=1)
