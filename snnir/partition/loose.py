"""Layers without a geometry: neurons in an order that keeps together what reads the same axons, cut into blocks."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from snnir.partition.covers import Cover, chunks
from snnir.partition.problem import PartitionError, Problem
from snnir.partition.tiling import Crossbar, Prices
from snnir.synapses import IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_SAMPLES = 12
"""Blocks of each size that are looked at before a size is chosen."""


class Loose:
    """The neurons of a layer, one by one."""

    def __init__(self, problem: Problem, number: int) -> None:
        csr: csr_array[Any, Any] = problem.csr(number)
        self.layer, self._rows = number, problem.rows
        starts, read = csr.indptr.astype(np.int64), csr.indices.astype(np.int64)
        counts = np.diff(starts)
        if counts.max(initial=0) > problem.rows and not problem.digital:
            raise PartitionError(
                number, f"its neurons read {int(counts.max())} axons, a crossbar has {problem.rows} rows"
            )
        # neurons of one place of a plane follow each other, then neighbours: by the middle of what they read
        middle = (
            np.where(counts > 0, read[np.minimum(starts[:-1] + counts // 2, max(len(read) - 1, 0))], -1)
            if len(read)
            else np.zeros(len(counts), np.int64)
        )
        self.order = np.argsort(middle, kind="stable")
        self._starts, self._read = starts, read
        self._crossbar = Crossbar(problem.rows, problem.columns, problem.digital)
        self._tightest = bool(counts.max(initial=0) <= problem.rows)

    def covers(self, prices: Prices) -> list[Cover]:
        """Blocks of neurons; whole ones, or of equal width with as many axons as they happen to have."""
        return [self._cover(block) for block in self._blocks(prices)]

    def _cover(self, block: IntArray) -> Cover:
        axons = self._union(block)
        neurons = np.sort(block)
        pattern = chunks(len(neurons), len(axons), self._rows)
        return Cover(self.layer, pattern, partial(_just, neurons), partial(_just, axons))

    def _union(self, block: IntArray) -> IntArray:
        return np.unique(np.concatenate([self._read[self._starts[n] : self._starts[n + 1]] for n in block.tolist()]))

    def _blocks(self, prices: Prices) -> list[IntArray]:
        best, found = np.inf, self._whole() if self._tightest else []
        if found:
            reads = np.array([len(self._union(block)) for block in found])
            sizes = np.array([len(block) for block in found])
            best = float(self._crossbar.cost(reads, sizes, prices).sum())
        if not self._crossbar.digital:
            return found
        size = 0
        width = min(self._crossbar.columns, len(self.order))
        while width:
            cost = self._sampled(width, prices)
            if cost < best:
                best, size = cost, width
            width //= 2
        if not size:
            return found
        return [self.order[start : start + size] for start in range(0, len(self.order), size)]

    def _sampled(self, width: int, prices: Prices) -> float:
        """What blocks of this width cost, from some of them."""
        count = -(-len(self.order) // width)
        some = np.unique(np.linspace(0, count - 1, min(_SAMPLES, count)).astype(np.int64)).tolist()
        blocks = [self.order[n * width : (n + 1) * width] for n in some]
        reads = np.array([len(self._union(block)) for block in blocks])
        sizes = np.array([len(block) for block in blocks])
        return float(self._crossbar.cost(reads, sizes, prices).sum()) * count / len(blocks)

    def _whole(self) -> list[IntArray]:
        """Blocks in order, each as long as all its axons and neurons fit."""
        last = np.full(int(self._read.max(initial=-1)) + 1, -1)
        found: list[list[int]] = [[]]
        rows = 0
        for neuron in self.order.tolist():
            read = self._read[self._starts[neuron] : self._starts[neuron + 1]]
            new = int(np.count_nonzero(last[read] != len(found)))
            if rows + new > self._crossbar.rows or len(found[-1]) == self._crossbar.columns:
                found.append([])
                rows, new = 0, len(read)
            last[read] = len(found)
            found[-1].append(neuron)
            rows += new
        return [np.array(block) for block in found]


def _just(array: IntArray) -> list[IntArray]:
    return [array]
