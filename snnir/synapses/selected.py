"""Projections that read some neurons of a source."""

from typing import TYPE_CHECKING, Any

import numpy as np

from snnir.synapses.base import BoolMatrix, IntArray, Lanes, Marks, Matrix, Synapses

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Selected(Synapses):
    """`inner` over the neurons `chosen` (distinct, in the order in which `inner` numbers them) of a larger source."""

    def __init__(self, inner: Synapses, chosen: IntArray, sources: int) -> None:
        self.inner, self.chosen = inner, chosen
        self.sources, self.targets = sources, inner.targets
        self._number = np.full(sources, -1)
        self._number[chosen] = np.arange(len(chosen))

    def fanin(self) -> IntArray:
        return self.inner.fanin()

    def outdegree(self) -> IntArray:
        result = np.zeros(self.sources, np.int64)
        result[self.chosen] = self.inner.outdegree()
        return result

    def inputs(self, targets: IntArray) -> IntArray:
        return np.sort(self.chosen[self.inner.inputs(targets)])

    def connected(self, sources: IntArray, targets: IntArray) -> BoolMatrix:
        numbers = self._number[sources]
        result = np.zeros((len(sources), len(targets)), np.bool_)
        result[numbers >= 0] = self.inner.connected(numbers[numbers >= 0], targets)
        return result

    def block(self, sources: IntArray, targets: IntArray) -> Matrix:
        numbers = self._number[sources]
        result = np.zeros((len(sources), len(targets)))
        result[numbers >= 0] = self.inner.block(numbers[numbers >= 0], targets)
        return result

    def marked(self, marks: Marks) -> Marks:
        return self.inner.marked(marks[self.chosen])

    def gathered(self, sources: IntArray, targets: IntArray, marks: Marks) -> tuple[Marks, BoolMatrix]:
        numbers = self._number[sources]
        sums, read = self.inner.gathered(numbers[numbers >= 0], targets, marks[numbers >= 0])
        any_reads = numbers >= 0
        any_reads[any_reads] = read
        return sums, any_reads

    def lanes(self) -> Lanes:
        return self.inner.lanes()

    def csr(self) -> "csr_array[Any, Any]":
        return self._moved(self.inner.csr())

    def weighted(self) -> "csr_array[Any, Any]":
        return self._moved(self.inner.weighted())

    def _moved(self, inner: "csr_array[Any, Any]") -> "csr_array[Any, Any]":
        """A matrix of `inner` over all sources."""
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        columns = self.chosen[inner.indices].astype(np.int32)
        result = csr_array((inner.data, columns, inner.indptr), shape=(self.targets, self.sources))
        result.sort_indices()
        return result
