"""Clusters as masses on springs: how strongly an exchange is wanted, without looking at nets."""

import numpy as np

from snnir.partition.placement.arrays import chunks, ranges
from snnir.partition.placement.metrics import Unicast
from snnir.partition.placement.order import product, springs
from snnir.partition.placement.problem import FloatArray, IntArray, Problem
from snnir.partition.placement.state import State


class Forces:
    """The springs between clusters, each as strong as the volume between its ends and as long as the way between their
    tiles. What an exchange does to their lengths is its *tension*; with one crossbar per tile it is the change of the
    unicast cost, else near it (clusters of one tile share what they receive, springs don't), and cheap to find."""

    def __init__(self, problem: Problem) -> None:
        self.matrix = springs(problem)
        self._between = Unicast(problem.floor, problem.crossing).between
        count = problem.clusters
        ends = np.append(self.matrix.indptr, [self.matrix.indptr[-1]] * 2).astype(np.int64)
        self._starts, self._lengths = ends[: count + 2], np.diff(ends)
        self._lengths[count] = 0  # neither the host nor an empty slot is exchanged for its own sake
        self._ends, self._strength = self.matrix.indices.astype(np.int64), self.matrix.data

    def changes(self, state: State, a: IntArray, b: IntArray) -> FloatArray:
        """(exchanges,) how much longer the springs get, times their strength, by each exchange of two slots."""
        work = self._lengths[state.occupant[a]] + self._lengths[state.occupant[b]] + 1
        parts = [self._changes(state, a[part], b[part]) for part in chunks(work)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _changes(self, state: State, a: IntArray, b: IntArray) -> FloatArray:
        change = np.zeros(len(a))
        for one, other in ((a, b), (b, a)):
            cluster, partner = state.occupant[one], state.occupant[other]
            lengths = self._lengths[cluster]
            at = ranges(self._starts[cluster], lengths)
            pair = np.repeat(np.arange(len(a)), lengths)
            end = self._ends[at]
            there, here, fixed = state.slots[other][pair], state.slots[one][pair], state.where[end]
            longer = self._between(there, fixed) - self._between(here, fixed)
            longer[end == partner[pair]] = 0  # the spring between the two is turned round
            change += np.bincount(pair, longer * self._strength[at], len(a))
        return change

    def means(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Where each cluster would come to rest if all others and the host, last in `x` and `y`, stayed."""
        total = np.asarray(self.matrix.sum(1), np.float64).ravel()
        tied = total > 0
        total[~tied] = 1.0
        to_x, to_y = (np.where(tied, product(self.matrix, at) / total, at)[:-1] for at in (x, y))
        return to_x, to_y
