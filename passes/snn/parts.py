"""Parts of what a population reads, each so small that it fits the rows of a crossbar."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from xdsl.ir import Operation

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.connections import Connection, terms_behind
from snnir.dialects.snn import Conv1dOp, Conv2dOp, ConvOp, DenseOp, NetworkOp, NeuronOp, SliceOp, SparseOp, WeightedOp
from snnir.indices import Indices
from snnir.passes.snn.terms import Term
from snnir.synapses import IntArray, Matrix


@dataclass(frozen=True)
class Part:
    """Some of the axons of a term."""

    axons: int
    """How many of them a neuron reads at most."""
    make: Callable[[str], list[Operation]]
    """New ops, given the name of the weights; the projections among them are the part."""


def parts_of(network: NetworkOp, population: NeuronOp, term: Term, rows: int) -> list[Part]:
    """A term in parts of about equal size, none of which reads more than `rows` axons for a neuron.

    All neurons read the same axons of a part where the term is a convolution or all-to-all: crossbars share them.
    """
    op = term.projection
    if isinstance(op, ConvOp):
        found = list(_of_convolution(term, op, rows))
    elif isinstance(op, DenseOp):
        found = list(_of_dense(term, op, rows))
    else:
        found = []
    return found or list(_of_synapses(network, population, term, rows))


def axons_of(term: Term) -> int:
    """The most axons that a neuron reads through a term."""
    return _most(term.connections)


def _most(connections: Sequence[Connection]) -> int:
    return int(np.sum([c.synapses.fanin() for c in connections], axis=0).max()) if connections else 0


# --- all-to-all


def _of_dense(term: Term, op: DenseOp, rows: int) -> Iterator[Part]:
    """Some of the last dimension of the source each."""
    *rest, last = op.source_type.shape.data if op.repeat > 1 else (op.source_type.size,)
    weights, total, each = _scaled(op), axons_of(term), _axons_behind(op)
    if each > rows:
        return
    count = max(-(-total // rows), -(-last // (rows // each)))
    for some in _split(last, count):
        indices = (np.arange(prod(rest))[:, None] * last + some).ravel()
        axons = min(total, len(some) * each)
        yield Part(axons, _dense(term, op, weights[:, some], indices, (*rest, len(some))))


def _axons_behind(op: WeightedOp) -> int:
    """The most axons behind one neuron of what a projection reads: 1 unless that is a pool or a sum."""
    return _most(terms_behind(op.source, op))


def _dense(
    term: Term, op: DenseOp, weights: Matrix, indices: IntArray, shape: tuple[int, ...]
) -> Callable[[str], list[Operation]]:
    def make(key: str) -> list[Operation]:
        part = SliceOp(op.source, Indices.of(indices), shape)
        made = DenseOp(part.part, TensorAttr.of(key, weights), op.current_type, delay=op.delay.data + term.delay)
        return [part, made]

    return make


def _scaled(op: WeightedOp) -> Matrix:
    """Weights times their scale, (lanes, ...)."""
    assert isinstance(op.weights, TensorAttr)
    weights = op.weights.array.astype(np.float64)
    scale = np.asarray(1.0 if op.scale is None else value_of(op.scale), np.float64)
    return weights * (scale.reshape(-1, *(1,) * (weights.ndim - 1)) if scale.ndim else scale)


def _split(size: int, count: int) -> list[IntArray]:
    """The numbers below `size` in so many parts of nearly equal size."""
    return np.array_split(np.arange(size, dtype=np.int64), count)


# --- convolutions


def _of_convolution(term: Term, op: ConvOp, rows: int) -> Iterator[Part]:
    """Some channels of each group; some rows of the kernel, where a channel is too much."""
    weights, groups = _scaled(op), op.groups.data
    inner = weights.shape[1]
    each = -(-axons_of(term) // inner)
    if each <= rows:
        count = -(-inner // (rows // each))
        for some in _split(inner, count):
            channels = (np.arange(groups)[:, None] * inner + some).ravel()
            make = _conv(term, op, weights[:, some], channels, None)
            assert make is not None
            yield Part(each * len(some), make)
        return
    high = weights.shape[2]
    line = min(each, prod(weights.shape[3:]))  # a window at the border may have one row of its kernel inside
    if line > rows or _axons_behind(op) > 1:
        return
    for channel in range(inner):
        channels = np.arange(groups) * inner + channel
        for some in _split(high, -(-high // (rows // line))):
            kernel = weights[:, channel : channel + 1, some[0] : some[-1] + 1]
            make = _conv(term, op, kernel, channels, int(some[0]))
            if make is not None:
                yield Part(line * len(some), make)


def _conv(
    term: Term, op: ConvOp, weights: Matrix, channels: IntArray, first: int | None
) -> Callable[[str], list[Operation]] | None:
    """A convolution over some channels, with all of the kernel or with its rows from `first` on; `None` for rows that
    lie outside the plane wherever the window is."""
    _, *size = op.source_type.shape.data
    low, high = list(op.padding_low.data), list(op.padding_high.data)
    start, stop = 0, size[0]
    if first is not None:
        # where the window of these kernel rows begins and ends, and what it leaves out of the plane
        stride, dilation, count = op.stride.data[0], op.dilation.data[0], op.current_type.shape.data[1]
        begin = first * dilation - low[0]
        end = begin + (count - 1) * stride + dilation * (weights.shape[2] - 1) + 1
        start, stop = max(begin, 0), min(end, size[0])
        if start >= stop:
            return None
        low[0], high[0] = start - begin, end - stop
    lines = prod(size[1:])
    plane = np.arange(start * lines, stop * lines)
    indices = (channels[:, None] * prod(size) + plane).ravel()
    shape = (len(channels), stop - start, *size[1:])

    def make(key: str) -> list[Operation]:
        part = SliceOp(op.source, Indices.of(indices), shape)
        kind = Conv1dOp if op.DIMENSIONS == 1 else Conv2dOp
        made = kind(
            part.part,
            TensorAttr.of(key, weights),
            stride=op.stride.data,
            padding=(low, high),
            dilation=op.dilation.data,
            groups=op.groups.data,
            delay=op.delay.data + term.delay,
        )
        return [part, made]

    return make


# --- anything else


def _of_synapses(network: NetworkOp, population: NeuronOp, term: Term, rows: int) -> Iterator[Part]:
    """The synapses of each neuron in parts of equal size, by ascending axon."""
    targets, numbers, origins, weights = _synapses(term.connections, population.size)
    counts = np.bincount(targets, minlength=population.size)
    rank = np.arange(len(targets)) - np.repeat(np.cumsum(counts) - counts, counts)
    parts = -(-counts // rows)
    number = rank * parts[targets] // counts[targets] if len(targets) else rank
    for part in range(int(parts.max(initial=0))):
        mine = number == part
        most = int(np.bincount(targets[mine], minlength=1).max())
        yield Part(
            most, _sparse(network, population, term, (targets[mine], numbers[mine], origins[mine], weights[mine]))
        )


def _synapses(connections: Sequence[Connection], size: int) -> tuple[IntArray, IntArray, IntArray, Matrix]:
    """All synapses by ascending target: target, number of the connection, source neuron, weight times scale."""
    found: list[tuple[IntArray, IntArray, IntArray, Matrix]] = []
    for number, c in enumerate(connections):
        matrix = c.synapses.weighted()
        target = np.repeat(np.arange(size), np.diff(matrix.indptr))
        scale = np.broadcast_to(np.asarray(c.scale, np.float64), (size,))
        found.append(
            (target, np.full(len(target), number), matrix.indices.astype(np.int64), matrix.data * scale[target])
        )
    targets, numbers, origins, weights = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.argsort(targets, kind="stable")
    return targets[order], numbers[order], origins[order], weights[order]


def _sparse(
    network: NetworkOp, population: NeuronOp, term: Term, some: tuple[IntArray, IntArray, IntArray, Matrix]
) -> Callable[[str], list[Operation]]:
    targets, numbers, origins, weights = some
    order = list(network.sources)
    names = np.array([order.index(c.source) for c in term.connections])[numbers]
    delays = np.array([c.delay for c in term.connections])[numbers]

    def make(key: str) -> list[Operation]:
        made: list[Operation] = []
        for name in np.unique(names).tolist():
            mine = names == name
            late = delays[mine]
            signal = network.sources[order[name]].results[0]
            own = f"{key}.{name}" if len(np.unique(names)) > 1 else key
            made.append(
                SparseOp(
                    signal,
                    TensorAttr.of(own, weights[mine]),
                    TensorAttr.of(f"{own}.from", origins[mine]),
                    TensorAttr.of(f"{own}.to", targets[mine]),
                    SignalType.current(*population.signal_type.shape.data),
                    delays=TensorAttr.of(f"{own}.delays", late - late.min()) if late.max() > late.min() else None,
                    delay=int(late.min()) + term.delay,
                )
            )
        return made

    return make
