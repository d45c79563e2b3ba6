"""Which synapses the slices of a cluster program hold, and that each synapse of the program has exactly one place.

There are too many synapses to count. Each axon gets a random number of 64 bits instead, and a neuron whose axons have
the right sum (modulo 2**64) has them once each, but for a chance of 2**-64.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import prod

import numpy as np
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.cluster import ClusterOp, source_name
from snnir.dialects.cluster_attributes import Slice, Windows
from snnir.dialects.cluster_tables import Rows, RowTable, SliceTable
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.snn import NeuronOp
from snnir.errors import SnnirError
from snnir.synapses import Blocks, BoolArray, Conv, IntArray, Marks, Synapses
from snnir.synapses.blocks import chunks, numbered

Axon = tuple[str, int]
"""A source and a delay; with a neuron's number it names one axon."""
_AT_A_TIME = 1 << 20
"""How many rows and neurons are looked at together: it bounds memory."""


@dataclass(frozen=True)
class AxonGroup:
    """Neurons of one source and delay that a cluster reads."""

    axon: Axon
    neurons: IntArray
    windowed: bool


class AxonGroups(list[AxonGroup]):
    """The axons of a cluster, signal by signal."""

    @cached_property
    def fed(self) -> list[AxonGroup]:
        """Those that feed rows, neighbours of one source and delay as one."""
        return _joined(each for each in self if not each.windowed)

    @cached_property
    def windowed(self) -> list[AxonGroup]:
        """Those that windows pass over, neighbours of one source and delay as one."""
        return _joined(each for each in self if each.windowed)


def _joined(groups: Iterable[AxonGroup]) -> list[AxonGroup]:
    found: list[AxonGroup] = []
    for axon, some in groupby(groups, lambda each: each.axon):
        parts = list(some)
        neurons = parts[0].neurons if len(parts) == 1 else np.concatenate([each.neurons for each in parts])
        found.append(AxonGroup(axon, neurons, parts[0].windowed))
    return found


def axon_groups(cluster: ClusterOp) -> AxonGroups:
    """The axons of a cluster, signal by signal."""
    return AxonGroups(
        AxonGroup((source_name(signal), a.data.delay), a.data.neurons.array, a.data.windowed)
        for signal, a in zip(cluster.signals, cluster.axons, strict=True)
    )


class Groups(dict[ClusterOp, AxonGroups]):
    """The axons of clusters, made when they are asked for."""

    def __missing__(self, cluster: ClusterOp) -> AxonGroups:
        self[cluster] = found = axon_groups(cluster)
        return found


def taken(part: Slice, groups: AxonGroups) -> Iterator[tuple[int, IntArray]]:
    """The groups that a slice reads: the number of each, and the positions of its axons in it.

    Those that feed its rows, in the order of rows; or those that its windows pass over.
    """
    windowed = part.windows is not None
    numbers = [number for number, group in enumerate(groups) if group.windowed is windowed]
    for place, mine in _taken(part, [groups[number] for number in numbers]):
        yield numbers[place], mine


def _taken(part: Slice, groups: Sequence[AxonGroup]) -> Iterator[tuple[int, IntArray]]:
    """`taken`, of groups that all feed rows, or that all are windowed."""
    wanted = part.rows.array if part.windows is None else part.windows.axons.array
    starts = np.cumsum([0, *(len(group.neurons) for group in groups)])
    if len(groups) == 1:
        if wanted.size:
            yield 0, wanted
        return
    if (wanted[1:] > wanted[:-1]).all():
        bounds = np.searchsorted(wanted, starts)
        for number in np.flatnonzero(bounds[1:] > bounds[:-1]).tolist():
            yield number, wanted[bounds[number] : bounds[number + 1]] - starts[number]
        return
    for number in range(len(groups)):
        mine = wanted[(wanted >= starts[number]) & (wanted < starts[number + 1])]
        if mine.size:
            yield number, mine - starts[number]


def axons_of(part: Slice, groups: AxonGroups) -> dict[Axon, IntArray]:
    """The neurons of each source and delay that a slice reads."""
    joined = groups.fed if part.windows is None else groups.windowed
    found: dict[Axon, list[IntArray]] = defaultdict(list)
    for number, mine in _taken(part, joined):
        found[joined[number].axon].append(joined[number].neurons[mine])
    return {axon: parts[0] if len(parts) == 1 else np.concatenate(parts) for axon, parts in found.items()}


@dataclass(frozen=True)
class _Held:
    """A slice of a population, and what it reads."""

    cluster: ClusterOp
    part: Slice
    axons: dict[Axon, IntArray]

    @property
    def where(self) -> str:
        """For messages."""
        return f"@{self.cluster.sym_name.data}: slice of @{self.part.population}"


def verify_synapses(population: NeuronOp, table: SliceTable, rows: RowTable, groups: Groups) -> None:
    """Raise `VerifyException` unless the slices of each neuron have each of its axons once, in all.

    `table` has the slices of the population, `rows` and `groups` what the clusters of the program read.
    """
    try:
        connections = connections_of(population)
    except SnnirError as error:
        raise VerifyException(error.message) from None
    fed = rows.of(table)
    held = {number: _held(table, number, groups) for number, part in enumerate(table.parts) if part.windows is not None}
    _verify_axons({(c.source, c.delay) for c in connections}, fed, rows, held, table, groups)
    unread = {n: {axon: np.ones(len(some), np.bool_) for axon, some in held[n].axons.items()} for n in held}
    order = np.argsort(fed.axons, kind="stable")
    bounds = np.searchsorted(fed.axons[order], np.arange(len(rows.axons) + 1))
    alone = np.ones(len(order), np.bool_)
    for number, connection in enumerate(connections):
        axon, synapses = (connection.source, connection.delay), connection.synapses
        # one more entry, for windows: what lies outside of the plane, number -1, counts nothing
        marks = np.random.default_rng(number).integers(1, 1 << 64, synapses.sources + 1, np.uint64)
        marks[-1] = 0
        flags = np.zeros(len(marks), np.bool_)
        sums = np.zeros(population.size, np.uint64)
        for each, left in zip(held.values(), unread.values(), strict=True):
            if axon in each.axons:
                found, seen = _gathered(each, connection, each.axons[axon], marks, flags)
                sums[each.part.neurons.array] += found
                left[axon] &= ~seen
        if axon in rows.axons:
            mine = order[bounds[rows.axons[axon]] : bounds[rows.axons[axon] + 1]]
            alone[mine] &= ~_add(sums, synapses, marks, table, fed, mine)
        wrong = np.flatnonzero(sums != synapses.marked(marks[:-1]))
        if wrong.size:
            every = [_held(table, each, groups) for each in range(len(table.parts))]
            raise VerifyException(_misplaced(population, connection, int(wrong[0]), every))
    _verify_read(fed, alone, rows, unread, table, groups)


def _held(table: SliceTable, number: int, groups: Groups) -> _Held:
    cluster, part = table.clusters[number], table.parts[number]
    return _Held(cluster, part, axons_of(part, groups[cluster]))


def _verify_axons(
    read: set[Axon], fed: Rows, rows: RowTable, held: Mapping[int, _Held], table: SliceTable, groups: Groups
) -> None:
    """Each row (or window) is of a source and a delay that the population reads."""
    foreign = np.array([axon not in read for axon in rows.axons], np.bool_)
    some = fed.slices[foreign[fed.axons]] if foreign.any() else fed.slices[:0]
    wrong = [*some[:1].tolist(), *[number for number, each in held.items() if not read.issuperset(each.axons)]]
    if wrong:
        each = _held(table, min(wrong), groups)
        source, delay = next(axon for axon in each.axons if axon not in read)
        what = f"@{source} (delay {delay}) that the population does not read"
        raise VerifyException(f"{each.where} has a row of {what}")


def _add(sums: Marks, synapses: Synapses, marks: Marks, table: SliceTable, fed: Rows, mine: IntArray) -> BoolArray:
    """Add, for each neuron of the population, the marks of what it reads; whether anything reads each row of `mine`.

    `mine` are the numbers of rows of one source and delay, those of each slice together.
    """
    slices, number = numbered(fed.slices[mine])
    rows = np.searchsorted(number, np.arange(len(slices) + 1))
    read = np.empty(len(mine), np.bool_)
    blocks = np.arange(len(slices))
    for some in chunks(np.diff(rows) + table.counts[slices], _AT_A_TIME):
        own = slice(rows[some.start], rows[some.stop])
        sources, targets = fed.neurons[mine[own]], table.of_slices(slices[some])
        owners = np.repeat(blocks[some], table.counts[slices[some]])
        found, read[own] = synapses.gathered_in_blocks(Blocks(sources, number[own], targets, owners), marks[sources])
        np.add.at(sums, targets, found)
    return read


def _verify_read(
    fed: Rows,
    alone: BoolArray,
    rows: RowTable,
    unread: Mapping[int, Mapping[Axon, BoolArray]],
    table: SliceTable,
    groups: Groups,
) -> None:
    """Each row (or window) of a slice is read by one of its neurons; `alone` and `unread` are those that are not."""
    windowed = [number for number, left in unread.items() if any(each.any() for each in left.values())]
    wrong = [*fed.slices[alone][:1].tolist(), *windowed]
    if not wrong:
        return
    number = min(wrong)
    each = _held(table, number, groups)
    for axon, neurons in each.axons.items():
        if number in unread:
            mine = neurons[unread[number][axon]]
        else:
            mine = neurons[
                np.isin(neurons, fed.neurons[alone & (fed.slices == number) & (fed.axons == rows.axons[axon])])
            ]
        if mine.size:
            what = f"@{axon[0]}[{mine[0]}] (delay {axon[1]})"
            raise VerifyException(f"{each.where} has a row of {what} that none of its neurons reads")


def _gathered(
    held: _Held, connection: Connection, sources: IntArray, marks: Marks, flags: BoolArray
) -> tuple[Marks, BoolArray]:
    """For each neuron of a slice with windows the sum of the marks of what it reads, and whether any reads each source.

    `flags`, one for each source and one more, are all false before and after.
    """
    conv, windows = connection.synapses, held.part.windows
    if windows is None or not isinstance(conv, Conv):
        raise VerifyException(f"{held.where} has windows, but the population is no convolution")
    positions, channels = window_neurons(held.part, windows, conv, held.where)
    kernel = windows.kernel.array
    if len(kernel) and int(kernel.max()) >= conv.channels * prod(conv.windows.kernel):
        raise VerifyException(f"{held.where}: the kernel has no place {kernel.max()}")
    met = conv.met(positions, kernel)
    flags[sources] = flags[-1] = True
    given = bool(flags[met].all())
    flags[sources] = flags[-1] = False
    if not given:
        raise VerifyException(f"{held.where}: its windows pass over neurons of @{connection.source} that it lacks")
    padded = marks[met]
    # channels of one group read the same
    first, same = np.unique(channels // conv.group_out, return_index=True, return_inverse=True)[1:]
    reads = conv.reads(kernel // prod(conv.windows.kernel), channels[first])
    sums = np.stack([padded[:, column].sum(axis=1, dtype=np.uint64) for column in reads.T])[same]
    flags[met] = True
    seen = flags[sources]
    flags[met] = False
    return sums.ravel(), seen


def window_neurons(part: Slice, windows: Windows, conv: Conv, where: str) -> tuple[IntArray, IntArray]:
    """The positions at which a slice is read and the output channels of its columns."""
    places, neurons = prod(conv.windows.result), part.neurons.array
    positions, channels = neurons[: windows.reads] % places, neurons[:: windows.reads] // places
    if not np.array_equal(neurons, (channels[:, None] * places + positions).ravel()):
        raise VerifyException(f"{where}: its neurons are not the same positions of some channels")
    return positions, channels


def _misplaced(population: NeuronOp, connection: Connection, target: int, held: Sequence[_Held]) -> str:
    """What is wrong with the synapses of one connection onto one neuron."""
    counts = np.zeros(connection.synapses.sources, np.int64)
    for each in held:
        axon = (connection.source, connection.delay)
        if axon in each.axons and target in each.part.neurons.array:
            counts[_reached(each, connection, each.axons[axon], target)] += 1
    inputs = connection.synapses.inputs(np.array([target]))
    source = int(inputs[counts[inputs] != 1][0])
    return (
        f"the synapse from @{connection.source}[{source}] to @{population.sym_name.data}[{target}] "
        f"(delay {connection.delay}) is on {counts[source]} crossbars instead of one"
    )


def _reached(held: _Held, connection: Connection, sources: IntArray, target: int) -> IntArray:
    """The sources that one neuron reads through a slice."""
    windows, conv = held.part.windows, connection.synapses
    if windows is None or not isinstance(conv, Conv):
        return sources
    kernel, (channel, position) = windows.kernel.array, divmod(target, prod(conv.windows.result))
    mine = conv.reads(kernel // prod(conv.windows.kernel), np.array([channel]))[:, 0]
    met = conv.met(np.array([position]), kernel[mine])[0]
    return met[met >= 0]
