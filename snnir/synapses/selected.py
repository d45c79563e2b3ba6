"""Projections that read some neurons of a source."""

from typing import TYPE_CHECKING, Any

import numpy as np

from snnir.synapses.base import BoolMatrix, IntArray, Lanes, Marks, Matrix, Synapses
from snnir.synapses.blocks import Blocks, BoolArray

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

    def gathered_in_blocks(self, blocks: Blocks, marks: Marks) -> tuple[Marks, BoolArray]:
        numbers = self._number[blocks.sources]
        chosen = numbers >= 0
        inner = Blocks(numbers[chosen], blocks.source_blocks[chosen], blocks.targets, blocks.target_blocks)
        sums, chosen[chosen] = self.inner.gathered_in_blocks(inner, marks[chosen])
        return sums, chosen

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
