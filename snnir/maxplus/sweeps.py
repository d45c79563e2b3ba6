"""Longest walks and best cycles of large graphs, in compiled 64-bit arithmetic that notices when it does not suffice.

What `snnir.maxplus.relaxation` is for graphs and numbers of any size, this is for graphs that are large enough to wait
for numba. Values start at 0 and only rise, until

    value(u) >= scale * time(e) - price * tokens(e) + value(v)      for every edge e = (u, v)                   (*)

or a cycle of positive weight appears. Policy iteration after Dasdan (TODAES 9(4), 2004), with three changes. Nodes are
swept in a topological order of the token-free edges, heads first, so that one sweep carries a change along every
token-free path; against that order a node sees the values of the sweep before, which makes a sweep one policy
improvement of the max-plus matrix of the tokens (Cochet-Terrasson, Cohen, Gaubert, McGettrick, Quadrat, 1998). When a
sweep raises few nodes, the next one visits only those with edges to them. Values never fall below 0, so that only nodes
from which a walk of positive weight starts are ever raised: few, when price / scale is close to the greatest ratio.

(*) with no node left to visit is the certificate of optimality, in integers; why sweeps end is said in `relaxation`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus import kernels
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.maxplus.relaxation import deadlock

_PATIENCE = 8
"""Edges looked at per node before whole paths of choices are followed again, which costs about as much as these."""

_FEW = 1 / 8
"""When no greater part of the nodes was raised in a sweep, the next one visits only nodes with edges to these."""

_SMALL = np.iinfo(np.int32).max


class OutOfRange(ArithmeticError):
    """64 bits might not hold some sum: the caller has to take the way that is exact for any size."""


@dataclass(frozen=True, eq=False)
class ChosenCycle:
    """The total time and tokens of a cycle, and the `choices` (see `kernels`) that make it up, in its direction."""

    time: int
    tokens: int
    choices: Integers


class Sweeps:
    """A timed graph in the order of its sweeps, with the state of its nodes.

    `against`: edges are turned around, so that values travel from their sources to their targets. Raises `Deadlock`
    with the edges of a cycle that carries no token, and `OutOfRange`.
    """

    def __init__(self, graph: TimedGraph, *, against: bool = False) -> None:
        self._graph, self._against = graph, against
        size, count = graph.size, graph.edge_count
        self._tail, self._head = (graph.target, graph.source) if against else (graph.source, graph.target)
        self._most_tokens = int(graph.tokens.max(initial=0))
        self._most_time = self._greatest(graph.time)
        if max(size, count) > _SMALL:
            raise OutOfRange
        up, down = kernels.token_free_directions(self._tail, self._head, graph.tokens)
        self._position = self._numbered() if up and down else np.zeros(0, np.int32)
        self._flip = up and not down
        # arrays come from numpy rather than from within the kernels, as numpy asks for large pages
        narrow = max(self._most_time, self._most_tokens) <= _SMALL
        self._lists = np.zeros(size + 2, np.uint32), np.empty((count, 4), np.int32 if narrow else np.int64)
        columns = self._tail, self._head, graph.time, graph.tokens
        kernels.sort_by_tail(columns, self._position, self._flip, self._lists)
        self._state = np.zeros(size, np.int64), np.full(size, -1, np.int64)
        self._tails: kernels.Tails | None = None
        self._active = np.zeros(size, np.uint8)
        self._everywhere = True
        self._nodes = np.arange(size, dtype=np.int32)
        self._mark = np.full(size, -1, np.int64)
        self._stamp = 0

    def retime(self, time: Integers) -> None:
        """Begins anew, as for a graph that differs in its times alone. Raises `OutOfRange`."""
        self._most_time = self._greatest(time)
        begin, edges = self._lists
        if self._most_time > np.iinfo(edges.dtype).max:
            self._lists = begin, edges.astype(np.int64)
        kernels.retime(self._lists, time)
        for vector, first in ((self._state[0], 0), (self._state[1], -1), (self._active, 0)):
            vector.fill(first)
        self._everywhere = True
        self._nodes = np.arange(self._graph.size, dtype=np.int32)

    def _greatest(self, time: Integers) -> int:
        """The greatest magnitude of a time. Raises `OutOfRange` when 64 bits might not hold the sums of some path."""
        most = max(int(time.max(initial=0)), -int(time.min(initial=0)))
        if min(self._graph.size, self._graph.edge_count) * max(most, self._most_tokens) > kernels.LIMIT:
            raise OutOfRange
        return most

    def _numbered(self) -> NDArray[np.int32]:
        tokens, size = self._graph.tokens, self._graph.size
        position, path = np.empty(size, np.int32), np.empty(size, np.int32)
        heads = np.empty(np.count_nonzero(tokens == 0), np.int32)
        begin = np.zeros(size + 2, np.int32)
        first, last = kernels.token_free_order(self._tail, self._head, tokens, position, begin, heads, path)
        if last:
            raise deadlock(self._token_free_edges(path[first:last]))
        return position

    def heaviest(self) -> ChosenCycle | None:
        """The best cycle when each node chooses its edge of the greatest time; None if all end at nodes without edges.

        `settle` comes next, with a price per scale of at least this cycle's ratio. The choices that remain are where
        it begins: without them whole paths could not be followed before a sweep has gone along every edge of them.
        """
        kernels.choose_heaviest(self._lists, self._state)
        return self._best(self._graph.size, 0, 0)

    def settle(self, scale: int, price: int) -> ChosenCycle | None:
        """Sweeps until (*) holds, or to the best cycle of positive weight among the first ones that appear.

        Goes on from the values at hand. Raises `OutOfRange`.
        """
        if scale * self._most_time + abs(price) * self._most_tokens > kernels.LIMIT:
            raise OutOfRange
        looked = 0
        while True:
            count, work = self._sweep(scale, price)
            if not count:
                return None
            found = self._best(count, scale, price)
            if found:
                return found
            looked += work + self._graph.size // 8
            if looked > _PATIENCE * self._graph.size:
                looked = 0
                self._follow(scale, price)

    def rescale(self, numerator: int, denominator: int) -> None:
        """Multiplies the values by numerator / denominator, for sweeps with another scale.

        The ratio price / scale may only rise then: edges for which (*) holds keep it. Raises `OutOfRange`.
        """
        if max(numerator, denominator) > kernels.LIMIT:
            raise OutOfRange
        self._everywhere |= not kernels.restart(self._state, numerator, denominator)

    def values(self) -> Integers:
        """The value of each node of the graph."""
        values: Integers = self._state[0]
        if self._position.size:
            return values[self._position]
        return (values[::-1] if self._flip else values).copy()

    def edges_of(self, cycle: ChosenCycle) -> Integers:
        """The edges of a cycle of choices, by their numbers in the graph and in its direction."""
        edges = self._lists[1][cycle.choices >> kernels.NODE_BITS, kernels.NUMBER].astype(np.int64)
        return edges[::-1] if self._against else edges

    def _sweep(self, scale: int, price: int) -> tuple[int, int]:
        """One sweep: how many nodes were raised, and how many edges were looked at. Raises `OutOfRange`."""
        if self._everywhere or self._tails is None:
            count = kernels.sweep(self._lists, self._state, self._nodes, scale, price)
            work = self._graph.edge_count
        else:
            count, work = kernels.sweep_active(
                self._lists, self._tails, self._state, self._active, self._nodes, scale, price
            )
        if count < 0:
            raise OutOfRange
        few = count <= _FEW * self._graph.size
        if few and self._everywhere and count:
            self._wake(self._nodes[:count])
        self._everywhere = not few
        return count, work

    def _wake(self, raised: NDArray[np.int32]) -> None:
        """Lets the next sweep visit only nodes with edges to those `raised`, and what is left of earlier ones."""
        if self._tails is None:
            self._tails = np.zeros(self._graph.size + 2, np.uint32), np.empty(self._graph.edge_count, np.uint32)
            kernels.list_tails(self._lists, self._tails)
        kernels.wake_all(self._tails, raised, self._active)

    def _best(self, count: int, scale: int, price: int) -> ChosenCycle | None:
        """The best cycle better than price / scale that choices lead to from the first `count` of the nodes listed."""
        time, tokens, node = kernels.best_chosen_cycle(
            self._lists, self._state, self._nodes[:count], self._mark, self._stamp, scale, price
        )
        self._stamp += count
        if node < 0:
            return None
        return ChosenCycle(time, tokens, kernels.cycle_of_choices(self._state, node))

    def _follow(self, scale: int, price: int) -> None:
        within = kernels.follow_choices(self._lists, self._state, self._nodes, self._mark, self._stamp, scale, price)
        self._stamp += 1
        self._everywhere = True
        if not within:
            raise OutOfRange

    def _token_free_edges(self, nodes: NDArray[np.int32]) -> tuple[int, ...]:
        """The first token-free edges from each of the nodes to the next one, in the direction of the graph."""
        following = np.full(self._graph.size, -1, np.int64)
        following[nodes] = np.roll(nodes, -1)
        edges = np.flatnonzero((following[self._tail] == self._head) & (self._graph.tokens == 0))
        tails, first = np.unique(self._tail[edges], return_index=True)
        cycle: list[int] = edges[first[np.searchsorted(tails, nodes)]].tolist()
        return tuple(cycle[::-1] if self._against else cycle)
