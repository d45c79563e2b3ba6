"""Units that move between clusters, within rows, columns and slices."""

import numpy as np
from numpy.typing import NDArray

from snnir.partition.problem import Problem
from snnir.partition.units import Units
from snnir.synapses import IntArray


class Clusters:
    """An assignment that is changed by moves; what a cluster holds is counted when it is first asked for."""

    def __init__(self, problem: Problem, units: Units, assignment: IntArray) -> None:
        self.problem, self.units = problem, units
        self.place = assignment.copy()
        """Unit -> cluster."""
        self._axons: dict[int, NDArray[np.int64]] = {}
        """Of a cluster: how many of its units read each axon."""
        self._rows: dict[int, int] = {}
        self._keys: dict[int, NDArray[np.int64]] = {}
        """Of a cluster: how many of its units are in each slice."""

    def members(self, cluster: int) -> IntArray:
        """The units of a cluster."""
        return np.flatnonzero(self.place == cluster)

    def _known(self, cluster: int) -> NDArray[np.int64]:
        if cluster not in self._axons:
            members = self.members(cluster)
            read = np.bincount(self.units.entries(members)[1], minlength=self.problem.axons)
            self._axons[cluster], self._rows[cluster] = read, int(np.count_nonzero(read))
            keys = int(self.units.slice.max(initial=0)) + 1
            self._keys[cluster] = np.bincount(self.units.slice[members], minlength=keys)
        return self._axons[cluster]

    def fits(self, unit: int, cluster: int) -> bool:
        """Whether a cluster has room for one more unit."""
        read = self._known(cluster)
        rows = self._rows[cluster] + np.count_nonzero(read[self.units.of(unit)] == 0)
        keys = self._keys[cluster]
        if rows > self.problem.rows or keys.sum() >= self.problem.columns:
            return False
        most = self.problem.slices
        return not most or bool(keys[self.units.slice[unit]]) or bool(np.count_nonzero(keys) < most)

    def move(self, unit: int, cluster: int) -> None:
        """Moves a unit, whether there is room or not."""
        old = int(self.place[unit])
        read = self._known(old), self._known(cluster)
        axons = self.units.of(unit)
        for number, counts, change in ((old, read[0], -1), (cluster, read[1], 1)):
            self._rows[number] += change * int(np.count_nonzero(counts[axons] == (change < 0)))
            counts[axons] += change
            self._keys[number][self.units.slice[unit]] += change
        self.place[unit] = cluster

    def exchange(self, unit: int, other: int) -> bool:
        """Exchanges two units if both then have room."""
        here, there = int(self.place[unit]), int(self.place[other])
        for goes, to, comes in ((unit, there, other), (other, here, unit)):
            new = np.count_nonzero(self._known(to)[self.units.of(goes)] == 0)
            if self._rows[to] + new - self.units.sizes[comes] > self.problem.rows:
                return False
        self.move(unit, there)
        self.move(other, here)
        if self._is_within(here) and self._is_within(there):
            return True
        self.move(other, there)
        self.move(unit, here)
        return False

    def _is_within(self, cluster: int) -> bool:
        slices = np.count_nonzero(self._keys[cluster])
        return self._rows[cluster] <= self.problem.rows and bool(slices <= (self.problem.slices or slices))
