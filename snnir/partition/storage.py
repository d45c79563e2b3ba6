"""Plans whose crossbars hold no more synapses than they have memory for: what is too much moves, divided where it must.

Algorithms pack rows and columns. Where the memory of a crossbar is smaller than all its cells, parts leave the clusters
that have too many synapses, cut into pieces that fit by themselves, and each goes to the first cluster with room for
it, the largest first, or else opens one.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from snnir.partition.layout import merged
from snnir.partition.metrics import kernel_axons, kernel_cells
from snnir.partition.problem import Part, PartitionError, Plan, Problem, rows_of
from snnir.synapses import BoolMatrix, IntArray


class StorageError(PartitionError):
    """A layer has more synapses in one place than the memory of a crossbar holds; `needed` is how many."""

    def __init__(self, layer: int, what: str, needed: int, available: int) -> None:
        self.needed = needed
        super().__init__(layer, f"{what} has {needed:,} synapses, a crossbar stores {available:,}")


def within_synapses(problem: Problem, plan: Plan) -> Plan:
    """The plan with at most `problem.synapses` synapses per cluster.

    Raises `StorageError` for a neuron that has more, on a machine that adds no partial sums; and for an axon that has
    more into a part of a neuron that was divided by its axons.
    """
    if not problem.synapses:
        return plan
    homes = count(1 + max((part.home for parts in plan for part in parts if part.home is not None), default=-1))
    clusters: list[_Cluster] = []
    moved: list[tuple[int, Part]] = []
    for parts in plan:
        cluster = _Cluster(problem)
        for part in parts:
            held = stored(problem, part)
            if held <= cluster.free:
                cluster.add(part, held)
            else:
                moved += [(stored(problem, piece), piece) for piece in _divided(problem, part, homes)]
        if cluster.parts:
            clusters.append(cluster)
    for held, part in sorted(moved, key=lambda each: -each[0]):
        cluster = next((each for each in clusters if each.holds(part, held)), None)
        if cluster is None:
            cluster = _Cluster(problem)
            clusters.append(cluster)
        cluster.add(part, held)
    return [merged(each.parts) for each in clusters]


def stored(problem: Problem, part: Part) -> int:
    """The synapses that a part takes memory for; those of a kernel once, however often it is read."""
    return int(np.count_nonzero(_cells(problem, part)))


class _Cluster:
    """A crossbar, and what is on it."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.parts: list[Part] = []
        self.free = problem.synapses
        """Synapses for which there still is memory."""

    def add(self, part: Part, held: int) -> None:
        """Put a part there."""
        self.parts.append(part)
        self.free -= held

    def holds(self, part: Part, held: int) -> bool:
        """Whether there is room for a part with so many synapses: two parts of one home are never together."""
        if held > self.free or (part.home is not None and any(part.home == other.home for other in self.parts)):
            return False
        problem, parts = self._problem, [*self.parts, part]
        neurons = sum(len(each.neurons) for each in parts if not each.is_partial)
        return (
            sum(each.columns for each in parts) <= problem.columns
            and neurons <= max(problem.neurons, problem.columns)
            and len(parts) <= (problem.slices or len(parts))
            and rows_of(parts) <= problem.rows
        )


def _cells(problem: Problem, part: Part) -> BoolMatrix:
    """Where a part has synapses, (rows, columns)."""
    if part.kernel is None:
        return problem.connected(part.layer, part.axons, part.neurons)
    return kernel_cells(problem, part)


def _divided(problem: Problem, part: Part, homes: "count[int]") -> Iterator[Part]:
    """A part in pieces that each fit the memory of a crossbar: by neurons, or where these are divided, by axons."""
    cells = _cells(problem, part)
    if np.count_nonzero(cells) <= problem.synapses:
        yield part
        return
    if part.home is not None:
        yield from _by_rows(problem, part, cells)
        return
    heavy = cells.sum(axis=0) > problem.synapses
    if heavy.any() and not problem.digital:
        raise StorageError(part.layer, "a neuron", int(cells.sum(axis=0).max()), problem.synapses)
    for column in np.flatnonzero(heavy).tolist():
        alone = _columns(problem, part, cells, np.array([column]))
        yield from _by_rows(problem, replace(alone, home=next(homes)), _cells(problem, alone))
    light = np.flatnonzero(~heavy)
    for some in _runs(cells.sum(axis=0)[light], problem.synapses):
        yield _columns(problem, part, cells, light[some])


def _by_rows(problem: Problem, part: Part, cells: BoolMatrix) -> Iterator[Part]:
    """A part of a divided neuron, divided further: the first piece is what it was, the others are partial sums."""
    each = cells.sum(axis=1)
    if each.max(initial=0) > problem.synapses:
        raise StorageError(part.layer, "a row", int(each.max()), problem.synapses)
    for number, some in enumerate(_runs(each, problem.synapses)):
        yield replace(_rows(problem, part, some), is_partial=part.is_partial or number > 0)


def _columns(problem: Problem, part: Part, cells: BoolMatrix, columns: IntArray) -> Part:
    """Some columns of a part, and the rows that they read."""
    neurons = part.neurons.reshape(-1, part.reads)[columns].ravel()
    return _rows(problem, replace(part, neurons=neurons), np.flatnonzero(cells[:, columns].any(axis=1)))


def _rows(problem: Problem, part: Part, rows: IntArray) -> Part:
    """A part with some of its rows."""
    if part.kernel is None:
        return replace(part, axons=part.axons[rows])
    fewer = replace(part, kernel=part.kernel[rows])
    return replace(fewer, axons=kernel_axons(problem, fewer))


def _runs(sizes: IntArray, most: int) -> Iterator[IntArray]:
    """Neighbours in as few runs as in order hold at most so much; none of `sizes` is more."""
    first, total = 0, 0
    for number, size in enumerate(sizes.tolist()):
        if number > first and total + size > most:
            yield np.arange(first, number)
            first, total = number, 0
        total += size
    if len(sizes):
        yield np.arange(first, len(sizes))
