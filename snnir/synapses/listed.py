"""Synapses one by one."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snnir.synapses.base import BoolMatrix, IntArray, Lanes, Marks, Matrix, Synapses, with_data
from snnir.synapses.blocks import Blocks, BoolArray, Gathering, chunks

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_AT_A_TIME = 1 << 20
"""How many synapses are looked up at a time: it bounds memory."""


class Listed(Synapses):
    """Synapse n leads from `origins[n]` to `ends[n]` with `weights[n]`; those between the same two neurons add up."""

    def __init__(
        self, weights: NDArray[Any], origins: NDArray[Any], ends: NDArray[Any], shape: tuple[int, int]
    ) -> None:
        """`shape` is (targets, sources)."""
        self.targets, self.sources = shape
        pairs = ends.astype(np.int64) * self.sources + origins
        order = np.argsort(pairs, kind="stable")
        pairs = pairs[order]
        first = np.flatnonzero(np.diff(pairs, prepend=-1))
        self._ends, self._origins = np.divmod(pairs[first], self.sources)
        values = weights.astype(np.float64)[order]
        self._weights: Matrix = np.add.reduceat(values, first) if len(values) else values
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(self._ends, minlength=self.targets))])

    def fanin(self) -> IntArray:
        return np.diff(self._starts)

    def outdegree(self) -> IntArray:
        return np.bincount(self._origins, minlength=self.sources)

    def inputs(self, targets: IntArray) -> IntArray:
        return np.unique(self._origins[self._of(targets)[0]])

    def connected(self, sources: IntArray, targets: IntArray) -> BoolMatrix:
        result = np.zeros((len(sources), len(targets)), np.bool_)
        _, row, column = self._within(sources, targets)
        result[row, column] = True
        return result

    def block(self, sources: IntArray, targets: IntArray) -> Matrix:
        result = np.zeros((len(sources), len(targets)))
        entries, row, column = self._within(sources, targets)
        result[row, column] = self._weights[entries]
        return result

    def marked(self, marks: Marks) -> Marks:
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(marks[self._origins], dtype=np.uint64)])
        return sums[self._starts[1:]] - sums[self._starts[:-1]]

    def gathered_in_blocks(self, blocks: Blocks, marks: Marks) -> tuple[Marks, BoolArray]:
        gathering = Gathering(blocks.source_blocks * self.sources + blocks.sources, marks)
        sums = np.zeros(len(blocks.targets), np.uint64)
        for part in chunks(self.fanin()[blocks.targets], _AT_A_TIME):
            entries, owners = self._of(blocks.targets[part])
            wanted = blocks.target_blocks[part][owners] * self.sources + self._origins[entries]
            np.add.at(sums[part], owners, gathering.take(wanted))
        return sums, gathering.read

    def lanes(self) -> Lanes:
        counts = self.fanin()
        weights = np.zeros((self.targets, int(counts.max(initial=0))))
        weights[self._ends, np.arange(len(self._ends)) - self._starts[self._ends]] = self._weights
        return Lanes(np.arange(self.targets), weights)

    def csr(self) -> "csr_array[Any, Any]":
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        ones = np.ones(len(self._origins), np.int8)
        return csr_array((ones, self._origins.astype(np.int32), self._starts), shape=(self.targets, self.sources))

    def weighted(self) -> "csr_array[Any, Any]":
        return with_data(self.csr(), self._weights)

    def _of(self, targets: IntArray) -> tuple[IntArray, IntArray]:
        """The numbers of the synapses of some targets, and the position in `targets` of each."""
        counts = self._starts[targets + 1] - self._starts[targets]
        owners = np.repeat(np.arange(len(targets)), counts)
        before = np.cumsum(counts) - counts
        return np.arange(int(counts.sum())) - before[owners] + self._starts[targets][owners], owners

    def _within(self, sources: IntArray, targets: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """The synapses between some sources and targets: number, position in `sources`, position in `targets`."""
        entries, column = self._of(targets)
        order = np.argsort(sources)
        if not len(order):
            return entries[:0], entries[:0], column[:0]
        place = np.searchsorted(sources, self._origins[entries], sorter=order).clip(max=len(order) - 1)
        row = order[place]
        here = sources[row] == self._origins[entries]
        return entries[here], row[here], column[here]
