"""Which of its axons a neuron reads through which part, where a crossbar has too few rows for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import Connection
from snnir.dialects.snn import AddOp, DelayOp, DenseOp, FlattenOp, NetworkOp, NeuronOp, ScaleOp, SliceOp
from snnir.indices import Indices
from snnir.passes.snn.parts import Part, axons_of, parts_of
from snnir.passes.snn.projections import dense_weights
from snnir.passes.snn.terms import Term


@dataclass(frozen=True)
class Kept:
    """What a population goes on reading itself; biases are taken from it."""

    ops: list[Operation]
    """Not yet in the IR."""
    values: list[SSAValue]
    axons: list[int]


def is_plain(population: NeuronOp, connections: Sequence[Connection]) -> bool:
    """Whether a population sums dense and one-to-one projections of its own shape."""
    shape = population.signal_type.shape
    return all(c.plain is not None and c.plain.current_type.shape == shape for c in connections)


def axons_read(connections: Sequence[Connection]) -> int:
    """How many axons the all-to-all projections read."""
    return len(_all_to_all(connections))


def _all_to_all(connections: Sequence[Connection]) -> list[tuple[str, int, int]]:
    return sorted({(c.source, c.delay, int(n)) for c in connections if not c.one_to_one for n in c.chosen})


def fanin_of(connections: Sequence[Connection], size: int) -> int:
    """The most axons that a neuron reads; parallel synapses of one axon count once."""
    total = np.zeros(size, np.int64)
    for axon in {(c.source, c.delay) for c in connections}:
        mine = [c.synapses for c in connections if (c.source, c.delay) == axon]
        if len(mine) == 1:
            total += mine[0].fanin()
        else:
            matrices = [each.csr().astype(np.int32) for each in mine]
            total += np.diff(sum(matrices[1:], start=matrices[0]).indptr)
    return int(total.max(initial=0))


def plain_bins(connections: Sequence[Connection], rows: int) -> tuple[Kept, list[list[Part]]]:
    """Equal parts of all axons; one-to-one projections stay."""
    axons = _all_to_all(connections)
    kept = [
        ScaleOp(op.source, op.weights, op.current_type, scale=op.scale, delay=op.delay.data)
        for op in (c.plain for c in connections)
        if isinstance(op, ScaleOp)
    ]
    bins: list[list[Part]] = []
    for chosen in np.array_split(np.arange(len(axons)), -(-len(axons) // rows)):
        wanted = set(axons[chosen[0] : chosen[-1] + 1])
        bins.append([part for c in connections if not c.one_to_one for part in _plain_part(c, wanted)])
    return Kept([*kept], [op.current for op in kept], [1] * len(kept)), bins


def _plain_part(c: Connection, wanted: set[tuple[str, int, int]]) -> list[Part]:
    mine = np.array([i for i, n in enumerate(c.chosen) if (c.source, c.delay, int(n)) in wanted], np.int64)
    op = c.plain
    assert op is not None

    def make(key: str) -> list[Operation]:
        some = SliceOp(op.source, Indices.of(mine))
        weights = TensorAttr.of(key, dense_weights(c)[:, mine])
        return [some, DenseOp(some.part, weights, op.current_type, delay=op.delay.data)]

    return [Part(len(mine), make)] if mine.size else []


def bins_of(
    network: NetworkOp, population: NeuronOp, terms: Sequence[Term], rows: int, lines: int = 1
) -> tuple[Kept, list[list[Part]]]:
    """Parts of the larger terms, put together where they fit; the smaller terms stay while there are rows for them,
    where the sum of each part comes back on so many lines."""
    sizes = [axons_of(term) for term in terms]
    least = [lines * -(-size // rows) for size in sizes]
    order = sorted(range(len(terms)), key=lambda n: sizes[n])
    kept, used, relays = Kept([], [], []), 0, sum(least)
    stays: set[int] = set()
    for n in order:
        if used + sizes[n] + relays - least[n] > rows or len(stays) == len(terms) - 1:
            break
        used, relays = used + sizes[n], relays - least[n]
        stays.add(n)
        kept.axons.append(sizes[n])
    bins: list[list[Part]] = []
    room: list[int] = []
    for n, term in enumerate(terms):
        if n in stays:
            _keep(kept, population, term)
            continue
        for part in parts_of(network, population, term, rows):
            place = next((b for b, free in enumerate(room) if free >= part.axons), len(room))
            if place == len(room):
                bins.append([])
                room.append(rows)
            bins[place].append(part)
            room[place] -= part.axons
    return kept, bins


def _keep(kept: Kept, population: NeuronOp, term: Term) -> None:
    """A term as it is, but for its bias."""
    value = term.value
    assert isinstance(value.type, SignalType)
    if term.projection is not None and term.projection.bias is not None:
        copy = term.projection.clone()
        copy.bias, copy.location = None, term.projection.location
        kept.ops.append(copy)
        value = copy.current
    if isinstance(value.type, SignalType) and value.type.is_discrete:
        value = _put(kept, AddOp(value))
    if term.delay:
        value = _put(kept, DelayOp(value, term.delay))
    shape = population.signal_type.shape
    if value.type != SignalType.current(*shape.data):
        value = _put(kept, FlattenOp(value, shape.data))
    kept.values.append(value)


def _put(kept: Kept, op: Operation) -> SSAValue:
    kept.ops.append(op)
    return op.results[0]
