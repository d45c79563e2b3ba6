"""From blocks that break the limits of a crossbar to clusters within them."""

import numpy as np
from numpy.typing import NDArray

from snnir.partition.problem import Problem
from snnir.partition.units import Units
from snnir.synapses import IntArray


def repaired(problem: Problem, units: Units, blocks: IntArray) -> IntArray:
    """Unit -> cluster within rows, columns and slices: blocks that are within them stay, as numbered.

    An overfull block keeps what `_kept` chooses; the rest moves to the clusters with room that it shares most spikes
    with, or to new ones.
    """
    result = blocks.copy()
    out: list[IntArray] = []
    for block in range(int(blocks.max(initial=-1)) + 1):
        members = np.flatnonzero(blocks == block)
        kept = _kept(problem, units, members)
        result[members[~kept]] = -1
        out += _sets(units, members[~kept])
    rooms = _Rooms(problem, units, result)
    for some in out:
        rooms.place(some)
    return rooms.cluster


def _sets(units: Units, members: IntArray) -> list[IntArray]:
    """Units with the same axons and slice, in order of their first unit."""
    keys = np.column_stack([units.kind[members], units.slice[members]])
    number = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(number, kind="stable")
    cuts = np.flatnonzero(np.diff(number[order])) + 1
    found = np.split(members[order], cuts) if len(members) else []
    return sorted(found, key=lambda some: int(some[0]))


def _kept(problem: Problem, units: Units, members: IntArray) -> NDArray[np.bool_]:
    """Which units an overfull block keeps: (members,), all where it is within the limits.

    Sets of units with the same axons, one after the other: each time the one with the fewest new rows per unit; of
    equals, the one with most rows that are there already.
    """
    sets = _sets(units, members)
    slices = len(np.unique(units.slice[members]))
    if (
        len(members) <= problem.columns
        and len(units.union(members)) <= problem.rows
        and slices <= (problem.slices or slices)
    ):
        return np.ones(len(members), np.bool_)
    owner, axons = units.entries(np.array([some[0] for some in sets]))
    axon, local = np.unique(axons, return_inverse=True)
    reads = np.zeros((len(sets), len(axon)), np.int32)
    reads[owner, local] = 1
    key = np.array([units.slice[some[0]] for some in sets])
    size, degree = np.array([len(some) for some in sets]), reads.sum(axis=1)
    held = np.zeros(len(axon), np.bool_)
    free = np.ones(len(sets), np.bool_)
    chosen: list[int] = []
    columns = 0
    while columns < problem.columns:
        new = degree - reads[:, held].sum(axis=1)
        fits = free & (np.count_nonzero(held) + new <= problem.rows)
        known = np.unique(key[~free])
        if problem.slices and len(known) >= problem.slices:
            fits &= np.isin(key, known)
        if not fits.any():
            break
        taken = np.minimum(size, problem.columns - columns)
        best = int(np.lexsort((new - degree, np.where(fits, new / taken, np.inf)))[0])
        chosen += sets[best][: taken[best]].tolist()
        held |= reads[best] > 0
        free[best] = False
        columns += int(taken[best])
    return np.isin(members, chosen)


class _Rooms:
    """Clusters that units move into: what they hold, one column each."""

    def __init__(self, problem: Problem, units: Units, cluster: IntArray) -> None:
        self.problem, self.units, self.cluster = problem, units, cluster
        self.count = int(cluster.max(initial=-1)) + 1
        keys = int(units.slice.max(initial=0)) + 1
        self.holds: NDArray[np.bool_] = np.zeros((problem.axons, self.count), np.bool_)
        self.slices: NDArray[np.bool_] = np.zeros((keys, self.count), np.bool_)
        inside = np.flatnonzero(cluster >= 0)
        owner, axons = units.entries(inside)
        self.holds[axons, cluster[inside][owner]] = True
        self.slices[units.slice[inside], cluster[inside]] = True
        self.rows: IntArray = np.count_nonzero(self.holds, axis=0)
        self.columns: IntArray = np.bincount(cluster[inside], minlength=self.count)
        self.spikes = units.spikes[problem.home]
        """Spikes per axon."""
        self.unit_of = np.full(len(units.spikes), -1)
        """The unit that each source sits in."""
        known = np.flatnonzero(units.source >= 0)
        self.unit_of[units.source[known]] = known
        self.axons_of = np.argsort(problem.home, kind="stable")
        self.first = np.searchsorted(problem.home[self.axons_of], np.arange(len(units.spikes) + 1))

    def place(self, some: IntArray) -> None:
        """Moves units with the same axons: as many as there is room for to the best cluster, and so on."""
        axons, key = self.units.of(int(some[0])), int(self.units.slice[some[0]])
        while len(some):
            rows = self.rows + len(axons) - self.holds[axons].sum(axis=0)
            fits = (rows <= self.problem.rows) & (self.columns < self.problem.columns)
            if self.problem.slices:
                fits &= self.slices[key] | (self.slices.sum(axis=0) < self.problem.slices)
            fits[self.count :] = False
            if fits.any():
                shared = np.where(fits, self._shared(some, axons), -np.inf)
                best = int(shared.argmax())
            else:
                best = self._open()
            moved = some[: self.problem.columns - self.columns[best]]
            some = some[len(moved) :]
            self.cluster[moved] = best
            self.holds[axons, best] = True
            self.slices[key, best] = True
            self.rows[best] = np.count_nonzero(self.holds[:, best])
            self.columns[best] += len(moved)

    def _shared(self, some: IntArray, axons: NDArray[np.int32]) -> NDArray[np.float64]:
        """Spikes that need not travel to or from units with the same axons in each cluster."""
        spikes = self.spikes[axons]
        shared = (self.holds[axons] * spikes[:, None]).sum(axis=0)
        writer = self.unit_of[self.problem.home[axons]]
        sits = np.where(writer >= 0, self.cluster[writer], -1)
        away = (sits >= 0) & ~self.holds[axons, sits]
        np.add.at(shared, sits[away], spikes[away])
        for source in self.units.source[some].tolist():
            if source >= 0:
                mine = self.axons_of[self.first[source] : self.first[source + 1]]
                shared += self.units.spikes[source] * self.holds[mine].any(axis=0)
        return shared

    def _open(self) -> int:
        if self.count == len(self.rows):
            more = max(8, self.count)
            self.holds = np.pad(self.holds, ((0, 0), (0, more)))
            self.slices = np.pad(self.slices, ((0, 0), (0, more)))
            self.rows, self.columns = np.pad(self.rows, (0, more)), np.pad(self.columns, (0, more))
        self.count += 1
        return self.count - 1
