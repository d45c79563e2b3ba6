"""All-to-all and one-to-one projections."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snnir.synapses.base import BoolMatrix, IntArray, Lanes, Marks, Matrix, Synapses, with_data
from snnir.synapses.blocks import Blocks, BoolArray, Gathering

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Dense(Synapses):
    """All-to-all: weights (targets, sources). `repeat` > 1: the same weights for as many equal parts of the signal."""

    def __init__(self, weights: NDArray[Any], repeat: int = 1) -> None:
        self.weights, self.repeat = weights, repeat
        self._out, self._in = len(weights), int(weights.shape[1])
        self.targets, self.sources = self._out * repeat, self._in * repeat

    def fanin(self) -> IntArray:
        return np.full(self.targets, self._in)

    def outdegree(self) -> IntArray:
        return np.full(self.sources, self._out)

    def inputs(self, targets: IntArray) -> IntArray:
        if self.repeat == 1:
            return np.arange(self.sources if len(targets) else 0)
        parts = np.unique(targets // self._out)
        return (parts[:, None] * self._in + np.arange(self._in)).ravel()

    def connected(self, sources: IntArray, targets: IntArray) -> BoolMatrix:
        return (sources // self._in)[:, None] == (targets // self._out)[None, :]

    def block(self, sources: IntArray, targets: IntArray) -> Matrix:
        weights = self.weights[np.ix_(targets % self._out, sources % self._in)].T.astype(np.float64)
        return weights if self.repeat == 1 else np.where(self.connected(sources, targets), weights, 0.0)

    def marked(self, marks: Marks) -> Marks:
        return np.repeat(marks.reshape(self.repeat, self._in).sum(axis=1, dtype=np.uint64), self._out)

    def gathered_in_blocks(self, blocks: Blocks, marks: Marks) -> tuple[Marks, BoolArray]:
        gathering = Gathering(blocks.source_blocks * self.repeat + blocks.sources // self._in, marks)
        sums = gathering.take(blocks.target_blocks * self.repeat + blocks.targets // self._out)
        return sums, gathering.read

    def lanes(self) -> Lanes:
        return Lanes(np.tile(np.arange(self._out), self.repeat), self.weights.astype(np.float64))

    def csr(self) -> "csr_array[Any, Any]":
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        part = np.repeat(np.arange(self.repeat), self._out)
        columns = (part[:, None] * self._in + np.arange(self._in)).astype(np.int32).ravel()
        starts = np.arange(self.targets + 1) * self._in
        return csr_array((np.ones(len(columns), np.int8), columns, starts), shape=(self.targets, self.sources))

    def weighted(self) -> "csr_array[Any, Any]":
        result = self.csr()
        return with_data(result, np.tile(self.weights.ravel(), self.repeat))


class OneToOne(Synapses):
    """Target n reads source n: one weight for all, or (targets,)."""

    def __init__(self, weights: NDArray[Any], size: int) -> None:
        self.weights = weights.ravel()
        self.sources = self.targets = size

    def fanin(self) -> IntArray:
        return np.ones(self.targets, np.int64)

    def outdegree(self) -> IntArray:
        return np.ones(self.sources, np.int64)

    def inputs(self, targets: IntArray) -> IntArray:
        return np.sort(targets)

    def connected(self, sources: IntArray, targets: IntArray) -> BoolMatrix:
        return sources[:, None] == targets[None, :]

    def block(self, sources: IntArray, targets: IntArray) -> Matrix:
        weights = np.broadcast_to(self.weights, (self.targets,))[targets].astype(np.float64)
        return np.where(self.connected(sources, targets), weights, 0.0)

    def marked(self, marks: Marks) -> Marks:
        return marks.copy()

    def gathered_in_blocks(self, blocks: Blocks, marks: Marks) -> tuple[Marks, BoolArray]:
        gathering = Gathering(blocks.source_blocks * self.sources + blocks.sources, marks)
        return gathering.take(blocks.target_blocks * self.sources + blocks.targets), gathering.read

    def lanes(self) -> Lanes:
        if len(self.weights) == 1:
            return Lanes(np.zeros(self.targets, np.int64), self.weights.astype(np.float64)[:, None])
        return Lanes(np.arange(self.targets), self.weights.astype(np.float64)[:, None])

    def csr(self) -> "csr_array[Any, Any]":
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        columns, starts = np.arange(self.targets, dtype=np.int32), np.arange(self.targets + 1)
        return csr_array((np.ones(self.targets, np.int8), columns, starts), shape=(self.targets, self.sources))

    def weighted(self) -> "csr_array[Any, Any]":
        return with_data(self.csr(), np.broadcast_to(self.weights, (self.targets,)))
