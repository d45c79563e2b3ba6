"""What the slices and rows of all clusters of a program hold, in flat arrays: a program has a million rows.

Sources (the inputs and populations of a program), its clusters and the signals between them are numbered in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress

import numpy as np
from xdsl.ir import SSAValue

from snnir.dialects.cluster import ClusterOp, ProgramOp
from snnir.dialects.cluster_attributes import Slice
from snnir.indices import flattened
from snnir.synapses import BoolArray, IntArray


@dataclass(frozen=True, eq=False)
class SliceTable:
    """The slices of one population, in order."""

    numbers: IntArray
    """The number of the cluster of each slice."""
    clusters: Sequence[ClusterOp]
    """The cluster of each slice."""
    parts: Sequence[Slice]
    """The slices."""
    results: Sequence[SSAValue]
    """What they compute."""
    neurons: IntArray
    """The neurons of all slices, one slice after the other."""
    counts: IntArray
    """How many each slice has."""

    @staticmethod
    def of(slices: Sequence[tuple[int, ClusterOp, Slice, SSAValue]]) -> "SliceTable":
        """From number of the cluster, cluster, slice and result of each."""
        numbers, clusters, parts, results = zip(*slices, strict=True) if slices else ((), (), (), ())
        neurons, counts = flattened([part.neurons for part in parts])
        return SliceTable(np.array(numbers, np.int64), clusters, parts, results, neurons, counts)

    @cached_property
    def owners(self) -> IntArray:
        """The slice of each of `neurons`."""
        return np.repeat(np.arange(len(self.parts)), self.counts)

    @property
    def partial(self) -> BoolArray:
        """Whether the neurons of each slice sit elsewhere."""
        return np.array([part.is_partial for part in self.parts], np.bool_)

    def of_slices(self, chosen: IntArray) -> IntArray:
        """The neurons of some slices, one slice after the other."""
        counts = self.counts[chosen]
        before = np.cumsum(counts) - counts
        return self.neurons[
            np.arange(int(counts.sum())) + np.repeat((np.cumsum(self.counts) - self.counts)[chosen] - before, counts)
        ]


@dataclass(frozen=True, eq=False)
class Signals:
    """The signals of a program: those of its inputs, and those of slices that are no partial sums."""

    names: Sequence[str]
    """The names of sources."""
    first: IntArray
    """How many neurons the sources before each have, (sources + 1,)."""
    numbers: Mapping[SSAValue, int]
    """The number of each signal."""
    sources: IntArray
    """The source of each signal."""
    carriers: IntArray
    """The signal that carries each neuron; -1 where there is none. Neurons are numbered source after source."""

    @staticmethod
    def of(program: ProgramOp, sizes: Mapping[str, int], tables: Mapping[str, SliceTable]) -> "Signals":
        """From the number of neurons of each source, and the slices of populations."""
        names, first = list(sizes), np.cumsum([0, *sizes.values()])
        numbers, carriers = dict[SSAValue, int](), np.full(first[-1], -1)
        sources: list[int] = []
        for op in program.inputs:
            source = names.index(op.sym_name.data)
            carriers[first[source] : first[source + 1]] = numbers[op.signal] = len(numbers)
            sources.append(source)
        for source, name in enumerate(names):
            if name in tables:
                table, whole = tables[name], ~tables[name].partial
                own = np.where(whole, len(numbers) + np.cumsum(whole) - 1, -1)
                numbers |= zip(compress(table.results, whole.tolist()), own[whole].tolist(), strict=True)
                sources += [source] * int(whole.sum())
                inside = whole[table.owners]
                carriers[first[source] + table.neurons[inside]] = own[table.owners[inside]]
        return Signals(names, first, numbers, np.array(sources, np.int64), carriers)


@dataclass(frozen=True, eq=False)
class AxonTable:
    """The axons that clusters read, one group after the other and one cluster after the other."""

    clusters: IntArray
    """The cluster of each group."""
    signals: IntArray
    """The signal that each group reads."""
    sources: IntArray
    """The source of each group."""
    delays: IntArray
    """How late each group is read."""
    windowed: BoolArray
    """Whether each group feeds no rows of its own."""
    neurons: IntArray
    """The neurons of all groups."""
    counts: IntArray
    """How many each group has."""

    @staticmethod
    def of(clusters: Sequence[ClusterOp], signals: Signals) -> "AxonTable":
        """The axons of some clusters."""
        groups = [attribute.data for cluster in clusters for attribute in cluster.axons.data]
        values = chain.from_iterable([cluster.operands[: len(cluster.axons)] for cluster in clusters])
        read = np.fromiter(map(signals.numbers.__getitem__, values), np.int64)
        neurons, counts = flattened([group.neurons for group in groups])
        return AxonTable(
            np.repeat(np.arange(len(clusters)), [len(cluster.axons) for cluster in clusters]),
            read,
            signals.sources[read],
            np.array([group.delay for group in groups], np.int64),
            np.array([group.windowed for group in groups], np.bool_),
            neurons,
            counts,
        )

    @cached_property
    def owners(self) -> IntArray:
        """The group of each of `neurons`."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def repeated(self) -> IntArray:
        """The clusters that read a signal several times, equally late, into rows (or windows): ascending."""
        late = self.delays * 2 + self.windowed
        order = np.lexsort((late, self.signals, self.clusters))
        keys = np.stack([self.clusters, self.signals, late])[:, order]
        return np.unique(keys[0, 1:][(keys[:, 1:] == keys[:, :-1]).all(axis=0)])


@dataclass(frozen=True, eq=False)
class Rows:
    """What feeds the rows of some slices, one slice after the other."""

    slices: IntArray
    """The number of the slice of each row."""
    axons: IntArray
    """The source and delay of each row, by their number in `RowTable.axons`."""
    neurons: IntArray
    """The neuron of that source."""


class RowTable:
    """What feeds the rows of all clusters."""

    def __init__(self, table: AxonTable, names: Sequence[str], clusters: int) -> None:
        """`names` are those of sources, `clusters` is how many there are."""
        late = int(table.delays.max(initial=0)) + 1
        keys, axons = np.unique(table.sources * late + table.delays, return_inverse=True)
        self.axons = {(names[key // late], key % late): number for number, key in enumerate(keys.tolist())}
        """The number of each source and delay that any cluster reads."""
        fed = np.flatnonzero(~table.windowed[table.owners]) if table.windowed.any() else slice(None)
        groups = table.owners[fed]
        self._axons, self._neurons = axons[groups], table.neurons[fed]
        self._first = np.searchsorted(table.clusters[groups], np.arange(clusters))

    def of(self, table: SliceTable) -> Rows:
        """The rows of the slices that are read once in a step."""
        plain = [number for number, part in enumerate(table.parts) if part.windows is None]
        rows, counts = flattened([table.parts[number].rows for number in plain])
        slices = np.array(plain, np.int64)
        rows += np.repeat(self._first[table.numbers[slices]], counts)
        return Rows(np.repeat(slices, counts), self._axons[rows], self._neurons[rows])
