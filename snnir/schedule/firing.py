"""The firings of an iteration on their tiles: what ordering and binding work on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

import numpy as np

from snnir.maxplus.cycle_ratio import CycleRatio, maximum_cycle_ratio
from snnir.maxplus.errors import Deadlock
from snnir.maxplus.expansion import Expansion, expand
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.schedule.bound import BoundGraph
from snnir.schedule.deployment import UNBOUND
from snnir.schedule.tdma import responding


@dataclass(frozen=True, eq=False)
class FiringGraph:
    """One node per firing, of `actor`, with its `time` and its `tile` (-1: none); edges carry `tokens`.

    A rank is a vector with the place of each node in one sequence of all firings; the order of a tile is that sequence
    without the firings of others. If the sequence respects all edges without tokens, so does every binding of the
    actors: an order only adds edges that go forward in it, and no cycle of waits can close (it would have to go back).
    """

    source: Integers
    target: Integers
    tokens: Integers
    time: Integers
    tile: Integers
    actor: Integers

    @property
    def size(self) -> int:
        """The number of firings of an iteration."""
        return len(self.time)

    def retimed(self, stage: Integers) -> "FiringGraph":
        """The same when node v is `stage[v]` iterations behind: its firing k is that of iteration k - stage[v].

        All cycles keep their tokens. Raises `Deadlock` when a firing would need a token of a later iteration.
        """
        tokens = self.tokens + stage[self.target] - stage[self.source]
        if tokens.min(initial=0) < 0:
            raise Deadlock("deadlock: the stages let a firing wait for one of a later iteration")
        return replace(self, tokens=tokens)

    def timed(self, rank: Integers | None = None) -> TimedGraph:
        """The graph for analysis, without sharing of tiles or ordered by `rank`.

        Edges of the orders come after the others: from each firing to the next one of its tile, and with a token from
        the last to the first.
        """
        source, target, tokens = self.source, self.target, self.tokens
        if rank is not None:
            before, after, free = chains(self.tile, rank)
            source, target = np.concatenate((source, before)), np.concatenate((target, after))
            tokens = np.concatenate((tokens, free))
        return TimedGraph(self.size, source, target, self.time[source], tokens)

    def critical(self, rank: Integers | None = None) -> CycleRatio | None:
        """The period and the cycle that sets it; `Deadlock` when firings wait for each other."""
        return maximum_cycle_ratio(self.timed(rank))

    def load(self, tiles: int) -> Integers:
        """The time of the firings of each of so many tiles."""
        bound = self.tile != UNBOUND
        result = np.zeros(tiles, np.int64)
        np.add.at(result, self.tile[bound], self.time[bound])
        return result


def chains(tile: Integers, rank: Integers) -> tuple[Integers, Integers, Integers]:
    """Sources, targets and tokens of the edges of the orders."""
    nodes = np.lexsort((rank, tile))
    nodes = nodes[tile[nodes] != UNBOUND]
    if not nodes.size:
        return nodes, nodes, nodes
    first = np.flatnonzero(np.diff(tile[nodes], prepend=UNBOUND))
    last = np.append(first[1:], len(nodes)) - 1
    after = np.roll(nodes, -1)
    after[last] = nodes[first]
    tokens = np.zeros(len(nodes), np.int64)
    tokens[last] = 1
    return nodes, after, tokens


def sequence(graph: TimedGraph, first: Sequence[int] | None = None) -> list[int]:
    """All nodes, each after those whose token of the same iteration it needs; of those that may come next, the least.

    `first`: what to compare; the number of the node, if equal or not given. `Deadlock` when there is no such sequence.
    """
    after: list[list[int]] = [[] for _ in range(graph.size)]
    missing = [0] * graph.size
    free = np.flatnonzero(graph.tokens == 0)
    pairs: list[tuple[int, int]] = np.stack((graph.source[free], graph.target[free]), axis=1).tolist()
    for source, target in pairs:
        after[source].append(target)
        missing[target] += 1
    keys = first or [0] * graph.size
    ready = [(keys[node], node) for node in range(graph.size) if not missing[node]]
    heapify(ready)
    result: list[int] = []
    while ready:
        _, node = heappop(ready)
        result.append(node)
        for other in after[node]:
            missing[other] -= 1
            if not missing[other]:
                heappush(ready, (keys[other], other))
    if len(result) < graph.size:
        raise Deadlock("deadlock: firings wait for each other without a token")
    return result


def rank_of(nodes: list[int]) -> Integers:
    """The place of each node in a sequence."""
    rank = np.empty(len(nodes), np.int64)
    rank[nodes] = np.arange(len(nodes))
    return rank


def firing_times(expansion: Expansion) -> Integers:
    """The time of each node of an expansion, with or without edges."""
    times = [actor.times for actor in expansion.sdf.actors]
    pairs: list[tuple[int, int]] = np.stack((expansion.actor, expansion.firing), axis=1).tolist()
    return np.array([times[actor][k % len(times[actor])] for actor, k in pairs], np.int64)


def firings(bound: BoundGraph) -> tuple[FiringGraph, Expansion]:
    """The firings of a bound graph, orders left out, with response times on tiles that are shared."""
    expansion = expand(responding(bound))
    graph, actors = expansion.graph, expansion.sdf.actors
    tiles = {name: number for number, name in enumerate(bound.actors)}
    place = np.array([tiles.get(bound.binding.get(actor.name, ""), UNBOUND) for actor in actors], np.int64)
    # kinds of constraints are numbered; 3 is the order of a resource
    kept = np.flatnonzero(expansion.kind != 3)
    time = firing_times(expansion)
    source, target, tokens = graph.source[kept], graph.target[kept], graph.tokens[kept]
    return FiringGraph(source, target, tokens, time, place[expansion.actor], expansion.actor), expansion
