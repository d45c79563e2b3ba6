"""The maximum cycle ratio: the iteration period that the tightest cycle of a timed graph dictates."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from snnir.maxplus.graph import Integers, TimedGraph, frozen
from snnir.maxplus.relaxation import Cycles, Relaxation, Weights, exact

if TYPE_CHECKING:
    from snnir.maxplus.sweeps import ChosenCycle, Sweeps

COMPILED_FROM = 30_000
"""Graphs with at least so many edges are worth the half second that loading the compiled sweeps takes."""

_COARSE_BITS = 40
"""Sums of times up to this many bits leave room in 64 bits for the scaling by a cycle's number of tokens."""


@dataclass(frozen=True)
class CycleRatio:
    """The maximum cycle ratio `ratio` of a graph and a `cycle` that attains it.

    `cycle` holds edge indices in the direction of the edges, begins with its smallest index and visits no node twice.
    """

    ratio: Fraction
    cycle: tuple[int, ...]


def maximum_cycle_ratio(graph: TimedGraph) -> CycleRatio | None:
    """The greatest ratio of time to tokens over all cycles,

        lambda = max over cycles C of  sum_{e in C} time(e) / sum_{e in C} tokens(e),

    exact for any times and tokens; None for a graph without cycles. lambda is the least period P for which start times
    s with s(v) >= s(u) + time - P * tokens exist (Reiter, J. ACM 15(4), 1968), hence the period of self-timed
    execution. Raises `Deadlock` with the edges of a cycle that carries no token.

    Howard's policy iteration (Cochet-Terrasson, Cohen, Gaubert, McGettrick, Quadrat, "Numerical computation of spectral
    elements in max-plus algebra", 1998; Dasdan, TODAES 9(4), 2004): for the ratio W/D of the best cycle so far, look
    for a cycle of positive weight D*time - W*tokens; its ratio is greater. When there is none, the integer potentials
    h that remain prove optimality: h(u) >= D*time - W*tokens + h(v) for all edges (u, v), summed around any cycle,
    gives ratio <= W/D. Large graphs are swept by compiled code in 64 bits, which gives up before anything overflows;
    then, and for small ones, `relaxation` does the same on integers of any size.
    """
    if graph.edge_count >= COMPILED_FROM:
        # numba is loaded only when there is work for it
        from snnir.maxplus.sweeps import OutOfRange  # noqa: PLC0415

        try:
            best = _swept(graph)
        except OutOfRange:
            best = _relaxed(graph)
    else:
        best = _relaxed(graph)
    if not best.size:
        return None
    return CycleRatio(graph.ratio(best), _from_smallest(best))


class CycleRatios:
    """Maximum cycle ratios of a large graph with one vector of times after the other.

    What does not depend on times is prepared once, which takes about half as long as finding a ratio. The vectors are
    those of a `TimedGraph`.
    """

    def __init__(self, size: int, source: Integers, target: Integers, tokens: Integers) -> None:
        # any vector will do in place of times
        self._graph = TimedGraph(size, source, target, tokens, tokens)
        self._sweeps: Sweeps | None = None

    def maximum(self, time: Integers, enough: Fraction | int | None = None) -> CycleRatio | None:
        """What `maximum_cycle_ratio` finds for the graph with these times, the same cycle too; or any cycle whose ratio
        is `enough` or more.
        """
        found = self._swept(time, enough) if self._graph.edge_count >= COMPILED_FROM else None
        return maximum_cycle_ratio(replace(self._graph, time=time)) if found is None else found

    def _swept(self, time: Integers, enough: Fraction | int | None) -> CycleRatio | None:
        """None: the sweeps cannot tell."""
        from snnir.maxplus.sweeps import OutOfRange, Sweeps  # noqa: PLC0415

        try:
            if self._sweeps is None:
                self._sweeps = Sweeps(self._graph)
            self._sweeps.retime(time)
            found = self._sweeps.heaviest()
            if not found:
                return None
            best = _climb(self._sweeps, found, enough)
        except OutOfRange:
            return None
        return CycleRatio(Fraction(best.time, best.tokens), _from_smallest(self._sweeps.edges_of(best)))


def _from_smallest(cycle: Integers | list[int]) -> tuple[int, ...]:
    """The edges of a cycle, from the smallest one on."""
    return tuple(np.roll(cycle, -int(np.argmin(cycle))).tolist())


def _swept(graph: TimedGraph) -> Integers:
    """The edges of a cycle of maximum ratio, by compiled sweeps; empty if there is no cycle."""
    from snnir.maxplus.sweeps import Sweeps  # noqa: PLC0415

    sweeps = Sweeps(graph)
    found = sweeps.heaviest()
    if not found:
        inside = inner_edges(graph)
        columns = frozen(*(column[inside] for column in (graph.source, graph.target, graph.time, graph.tokens)))
        return inside[_swept(TimedGraph(graph.size, *columns))] if inside.size else inside
    return sweeps.edges_of(_climb(sweeps, found))


def _climb(sweeps: "Sweeps", first: "ChosenCycle", enough: Fraction | int | None = None) -> "ChosenCycle":
    """From the `first` cycle to one of maximum ratio, or one whose ratio is `enough`."""
    found, unit = first, 1
    while True:
        best, ratio = found, Fraction(found.time, found.tokens)
        if enough is not None and ratio >= enough:
            return best
        sweeps.rescale(ratio.denominator, unit)
        unit = ratio.denominator
        found = sweeps.settle(ratio.denominator, ratio.numerator)
        if not found:
            return best


def _relaxed(graph: TimedGraph) -> Integers:
    """The same for numbers of any size, over all strongly connected components at once."""
    inside = inner_edges(graph)
    if not inside.size:
        return inside
    nodes, tail = np.unique(graph.source[inside], return_inverse=True)
    head: Integers = np.searchsorted(nodes, graph.target[inside])
    relaxation = Relaxation(len(nodes), tail, head, free=graph.tokens[inside] == 0, label=inside)
    time, tokens = graph.time[relaxation.label], graph.tokens[relaxation.label]

    policy = relaxation.heaviest_policy(time)
    surplus = math.ceil(math.log2(relaxation.reach(time) + 1)) - _COARSE_BITS
    if surplus > 0:
        # a policy for rounded times, found in 64 bits, leaves the slow exact arithmetic little to do
        _improve(relaxation, time >> surplus, tokens, policy)
    return relaxation.label[_improve(relaxation, time, tokens, policy)]


def inner_edges(graph: TimedGraph) -> Integers:
    """The edges that lie on some cycle: those within a strongly connected component."""
    component = strong_components(graph)
    return np.flatnonzero(component[graph.source] == component[graph.target])


def _improve(relaxation: Relaxation, time: Integers, tokens: Integers, policy: Integers) -> list[int]:
    """The edges of a cycle of maximum ratio; `policy`, which must lead every node to a cycle, is improved in place."""
    values: Weights = np.zeros(relaxation.size, np.int64)
    cycles = relaxation.policy_cycles(policy)
    scale = 1
    while True:
        edge, ratio = _best(cycles, time, tokens)
        best = relaxation.walk(policy, edge)
        weights = exact((ratio.denominator, time), (-ratio.numerator, tokens))
        values = _rescale(values, ratio.denominator, scale)
        scale = ratio.denominator
        values = relaxation.restart(weights, values, policy)
        values, cycles = relaxation.settle(weights, values, policy)
        if not cycles:
            return best


def strong_components(graph: TimedGraph) -> Integers:
    """The number of the strongly connected component of each node."""
    shape = (graph.size, graph.size)
    ones = np.ones(graph.edge_count, np.int8)
    matrix = coo_array((ones, (graph.source, graph.target)), shape=shape).tocsr()
    _, component = connected_components(matrix, directed=True, connection="strong")
    return np.asarray(component, dtype=np.int64)


def _best(cycles: Cycles, time: Integers, tokens: Integers) -> tuple[int, Fraction]:
    """An edge of the first cycle of greatest ratio, and the ratio."""
    best, above, below = 0, 0, 0
    for index, (length, count) in enumerate(zip(cycles.sums(time), cycles.sums(tokens), strict=True)):
        if not below or length * below > above * count:
            best, above, below = index, length, count
    return int(cycles.edges[cycles.first[best]]), Fraction(above, below)


def _rescale(values: Weights, numerator: int, denominator: int) -> Weights:
    """floor(value * numerator / denominator): the same potentials for another unit; any rounding will do."""
    if numerator == denominator:
        return values
    return exact((numerator, values)) // denominator
