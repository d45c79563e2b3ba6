"""What algorithms that go neuron by neuron pack: neurons, or equal chunks of the axons of a neuron with too many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from snnir.partition.metrics import source_spikes
from snnir.partition.problem import Part, PartitionError, Plan, Problem, Vector
from snnir.synapses import IntArray

SMALL = np.int32
"""Of axons, which are as many as synapses."""


@dataclass(frozen=True)
class Units:
    """One column of a crossbar each, in order of layer, neuron, chunk.

    Unit n reads the axons `axons[starts[n] : starts[n + 1]]`, ascending and distinct.
    """

    problem: Problem
    layer: IntArray
    neuron: IntArray
    chunk: IntArray
    """The number of the chunk; the neuron sits where its chunk 0 is."""
    chunks: IntArray
    """How many chunks the neuron has."""
    kind: IntArray
    """A number of the axons: units with the same one read the same axons."""
    starts: IntArray
    axons: NDArray[SMALL]

    def __len__(self) -> int:
        return len(self.layer)

    @cached_property
    def sizes(self) -> IntArray:
        """How many axons each unit reads."""
        return np.diff(self.starts)

    @cached_property
    def slice(self) -> IntArray:
        """A number of the slice that a unit would be in: units of one cluster with the same one may share a slice."""
        split = np.where(self.chunks > 1, self.chunk + 1, 0)
        return np.unique(self.layer * (split.max(initial=0) + 1) + split, return_inverse=True)[1]

    @cached_property
    def source(self) -> IntArray:
        """The number of the unit's neuron in `problem.home`; -1 where nothing reads it, or the unit is not chunk 0."""
        known = [np.full(layer.size, -1) for layer in self.problem.layers]
        for group in self.problem.groups:
            if group.source >= 0:
                known[group.source][:] = self.problem.home[group.start : group.start + group.size]
        result = np.full(len(self), -1)
        for number, ids in enumerate(known):
            here = np.flatnonzero((self.layer == number) & (self.chunk == 0))
            result[here] = ids[self.neuron[here]]
        return result

    @cached_property
    def spikes(self) -> Vector:
        """Spikes per step by number in `problem.home`."""
        return source_spikes(self.problem)

    def of(self, unit: int) -> NDArray[SMALL]:
        """The axons of a unit."""
        return self.axons[self.starts[unit] : self.starts[unit + 1]]

    def entries(self, units: IntArray) -> tuple[IntArray, NDArray[SMALL]]:
        """All synapses of some units: position in `units`, and axon."""
        counts = self.sizes[units]
        owner = np.repeat(np.arange(len(units)), counts)
        first = self.starts[units] - (np.cumsum(counts) - counts)
        return owner, self.axons[np.arange(len(owner)) + first[owner]]

    def union(self, units: IntArray) -> IntArray:
        """The distinct axons of some units, ascending."""
        first = np.unique(self.kind[units], return_index=True)[1]
        return np.unique(self.entries(units[first])[1]).astype(np.int64)

    def order(self, *, channels_last: bool = False) -> IntArray:
        """Units layer by layer; in a layer first chunk 0 of all neurons, then chunk 1, and so on.

        Neurons are in the order of their numbers, or (`channels_last`) place by place with all channels of a place one
        after the other, as frameworks number them that keep channels last.
        """
        rank = self.neuron.copy()
        for number, layer in enumerate(self.problem.layers):
            if channels_last and len(layer.shape) > 1:
                here = self.layer == number
                channel, place = np.divmod(self.neuron[here], layer.size // layer.shape[0])
                rank[here] = place * layer.shape[0] + channel
        return np.lexsort((rank, self.chunk, self.layer))

    def spikes_between(self, assignment: IntArray) -> float:
        """As `metrics.spikes_between` for the plan of an assignment: unit -> cluster."""
        clusters = int(assignment.max(initial=-1)) + 1
        total = len(self.spikes) * clusters
        if total <= max(2 * len(self.axons), 1 << 24):
            seen = np.zeros(total, np.bool_)
            seen[self.problem.home[self.axons] * clusters + np.repeat(assignment, self.sizes)] = True
            pairs = np.flatnonzero(seen)
        else:
            order = np.argsort(assignment, kind="stable")
            found = [
                np.unique(self.problem.home[self.union(members)]) * clusters + assignment[members[0]]
                for members in _runs(order, assignment[order])
            ]
            pairs = np.concatenate([*found, np.empty(0, np.int64)])
        source, cluster = np.divmod(pairs, clusters)
        own = self._own(assignment)
        return float(self.spikes[source[cluster != own[source]]].sum())

    def spikes_on_synapses(self, assignment: IntArray) -> float:
        """Spikes per step on synapses between neurons in different clusters, counted for each synapse."""
        own = self._own(assignment)
        source = self.problem.home[self.axons]
        away = (own[source] >= 0) & (own[source] != np.repeat(assignment, self.sizes))
        return float(self.spikes[source[away]].sum())

    def _own(self, assignment: IntArray) -> IntArray:
        """The cluster of each source by number in `problem.home`, -1 of inputs."""
        own = np.full(len(self.spikes), -1)
        known = self.source >= 0
        own[self.source[known]] = assignment[known]
        return own


def units_of(problem: Problem) -> Units:
    """The units of a problem.

    A neuron that reads more axons than a crossbar has rows is cut into as few chunks as there must be, equal to one
    axon. Raises `PartitionError` where there is such a neuron and the machine adds no partial sums.
    """
    marks = np.random.default_rng(0).integers(0, 2**64 - 1, problem.axons, np.uint64, endpoint=True)
    columns: list[list[IntArray]] = []
    axons: list[NDArray[SMALL]] = []
    sums: list[NDArray[np.uint64]] = []
    offset = 0
    for number, layer in enumerate(problem.layers):
        csr = problem.csr(number)
        begin, fanin = csr.indptr[:-1].astype(np.int64), np.diff(csr.indptr).astype(np.int64)
        most = int(fanin.max(initial=0))
        if most > problem.rows and not problem.digital:
            raise PartitionError(number, f"its neurons read up to {most} axons, a crossbar has {problem.rows} rows")
        chunks = (-(-fanin // problem.rows)).clip(min=1)
        neuron = np.repeat(np.arange(layer.size), chunks)
        chunk = np.arange(len(neuron)) - np.repeat(np.cumsum(chunks) - chunks, chunks)
        start = begin[neuron] + fanin[neuron] * chunk // chunks[neuron]
        running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(marks[csr.indices], dtype=np.uint64)])
        sums.append(np.diff(running[np.append(start, len(csr.indices))]))
        columns.append([np.full(len(neuron), number), neuron, chunk, chunks[neuron], start + offset])
        axons.append(csr.indices.astype(SMALL))
        offset += len(csr.indices)
    if not columns:
        nothing = np.empty(0, np.int64)
        columns, axons, sums = [[nothing] * 5], [nothing.astype(SMALL)], [nothing.astype(np.uint64)]
    layers, neurons, chunk, chunks, starts = (np.concatenate(c) for c in zip(*columns, strict=True))
    kind = np.unique(np.concatenate(sums), return_inverse=True)[1]
    starts = np.append(starts, offset)
    return Units(problem, layers, neurons, chunk, chunks, kind, starts, np.concatenate(axons))


def plan_of(problem: Problem, units: Units, assignment: IntArray) -> Plan:
    """The parts of each cluster, from unit -> number of its cluster; clusters keep their order, empty ones are dropped.

    Whole neurons of one layer in one cluster are one part. Neurons whose chunks are in the same clusters share a home
    where that keeps the axons of its parts disjoint. Clusters must be within rows and columns; with
    `problem.slices`, parts that are too many for a crossbar move to crossbars of their own.
    """
    numbers, cluster = np.unique(assignment, return_inverse=True)
    plan: list[list[Part]] = [[] for _ in numbers]
    for home, is_first, members in _families(units, cluster):
        layer, number = int(units.layer[members[0]]), int(cluster[members[0]])
        part = Part(layer, units.neuron[members], units.union(members), home, home is not None and not is_first)
        plan[number].append(part)
    return within_slices(problem, plan)


def _families(units: Units, cluster: IntArray) -> Iterable[tuple[int | None, bool, IntArray]]:
    """The units of each part: (home, whether the neurons sit there, numbers of units)."""
    whole = np.flatnonzero(units.chunks == 1)
    whole = whole[np.lexsort((units.neuron[whole], units.layer[whole], cluster[whole]))]
    key = cluster[whole] * len(units.problem.layers) + units.layer[whole]
    for members in _runs(whole, key):
        yield None, True, members
    home = 0
    split = np.flatnonzero((units.chunks > 1) & (units.chunk == 0))
    numbers: list[int] = np.unique(units.chunks[split]).tolist()
    for chunks in numbers:
        first = split[units.chunks[split] == chunks]
        # (neurons, chunks): the chunks of a neuron are side by side
        columns: NDArray[np.int64] = first[:, None] + np.arange(chunks)
        for together in _alike(np.column_stack([units.layer[first], cluster[columns]])):
            for family in _disjoint(units, columns[together]):
                for number in range(chunks):
                    yield home, number == 0, family[:, number]
                home += 1


def _runs(values: IntArray, key: IntArray) -> list[IntArray]:
    """`values` cut where `key` changes."""
    cuts = [0, *(np.flatnonzero(np.diff(key)) + 1).tolist(), len(values)]
    return [values[start:stop] for start, stop in pairwise(cuts) if stop > start]


def _alike(rows: NDArray[np.int64]) -> Iterable[IntArray]:
    """The numbers of equal rows, ascending."""
    number = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(number, kind="stable")
    return _runs(order, number[order])


def _disjoint(units: Units, members: NDArray[np.int64]) -> Iterable[NDArray[np.int64]]:
    """Units (neurons, chunks) as one family if no axon is in two chunks, otherwise a family for each set of axons.

    A part holds all synapses between its axons and its neurons: where windows overlap, chunk 1 of one neuron may read
    what chunk 0 of another one does.
    """
    kinds = units.kind[members]
    if (kinds == kinds[0]).all():
        return [members]
    axons = [units.union(members[:, chunk]) for chunk in range(members.shape[1])]
    if len(np.unique(np.concatenate(axons))) == sum(len(each) for each in axons):
        return [members]
    return [members[together] for together in _alike(kinds)]


def within_slices(problem: Problem, plan: Sequence[Sequence[Part]]) -> Plan:
    """The plan with at most `problem.slices` parts per cluster: others move, whole, to clusters at the end."""
    if not problem.slices:
        return plan
    kept = [list(parts[: problem.slices]) for parts in plan]
    opened: list[list[Part]] = []
    for part in (part for parts in plan for part in parts[problem.slices :]):
        for parts in opened:
            rows = len(np.unique(np.concatenate([part.axons, *(p.axons for p in parts)])))
            columns = len(part.neurons) + sum(len(p.neurons) for p in parts)
            if len(parts) < problem.slices and rows <= problem.rows and columns <= problem.columns:
                parts.append(part)
                break
        else:
            opened.append([part])
    return kept + opened
