"""Lightest cycles through given nodes of a strongly connected graph with non-negative integer costs."""

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from snnir.maxplus.graph import Integers
from snnir.maxplus.relaxation import Weights

_BATCH = 64
"""Searches that share one call of scipy."""

_FLOAT_EXACT = 1 << 53
"""Sums of integers up to this one are exact in floating point."""


@dataclass(frozen=True)
class _Costs:
    """Edges tail -> head with integer costs >= 0, sorted by tail, then head, without parallel ones."""

    size: int
    tail: Integers
    head: Integers
    cost: Weights


def lightest_cycles(size: int, tail: Integers, head: Integers, cost: Weights, chosen: Integers) -> list[int]:
    """The cost of a lightest cycle through each of the `chosen` nodes.

    Edges (tail[i], head[i]) of cost[i] >= 0 form a strongly connected graph of `size` nodes with at least one edge. A
    Dijkstra search from each node, not further than the lightest loop or pair of opposite edges at that node. scipy
    computes in floating point, which is exact as long as no sum that counts exceeds 2**53; beyond that, the searches
    run on Python integers.
    """
    costs = _without_parallels(size, tail, head, cost)
    bound = _short_cycles(costs)
    # no simple cycle costs more than all edges together
    worst = sum(costs.cost.tolist())
    limits = [bound.get(node, worst) for node in chosen.tolist()]
    search = _search_floating if max(limits) < _FLOAT_EXACT else _search_integers
    return search(costs, chosen, limits)


def _without_parallels(size: int, tail: Integers, head: Integers, cost: Weights) -> _Costs:
    order = np.lexsort((head, tail))
    pair = tail[order] * size + head[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    return _Costs(size, tail[order][first], head[order][first], np.minimum.reduceat(cost[order], first))


def _short_cycles(costs: _Costs) -> dict[int, int]:
    """For each node that has one, the cost of its lightest cycle of one or two edges."""
    pair = costs.tail * costs.size + costs.head
    opposite = costs.head * costs.size + costs.tail
    place = np.minimum(np.searchsorted(pair, opposite), len(pair) - 1)
    paired = np.flatnonzero(pair[place] == opposite)
    around = np.where(costs.tail == costs.head, costs.cost, costs.cost + costs.cost[place])[paired]
    best: dict[int, int] = {}
    for node, value in zip(costs.tail[paired].tolist(), around.tolist(), strict=True):
        best[node] = min(value, best.get(node, value))
    return best


def _search_floating(costs: _Costs, chosen: Integers, limits: list[int]) -> list[int]:
    size = costs.size
    matrix = csr_array((costs.cost.astype(np.float64), (costs.tail, costs.head)), shape=(size, size))
    order = np.argsort(costs.head, kind="stable")
    begin = np.searchsorted(costs.head[order], np.arange(size + 1)).tolist()
    tails, last_step = costs.tail[order], costs.cost[order].astype(np.float64)
    result = [0] * len(limits)
    ascending = sorted(range(len(limits)), key=lambda index: limits[index])
    for at in range(0, len(ascending), _BATCH):
        batch = ascending[at : at + _BATCH]
        distance: NDArray[np.float64] = np.asarray(
            dijkstra(matrix, directed=True, indices=chosen[batch], limit=float(limits[batch[-1]]))
        )
        for row, index in zip(distance, batch, strict=True):
            node = int(chosen[index])
            edges = slice(begin[node], begin[node + 1])
            result[index] = int((row[tails[edges]] + last_step[edges]).min())
    return result


def _search_integers(costs: _Costs, chosen: Integers, limits: list[int]) -> list[int]:
    begin = np.searchsorted(costs.tail, np.arange(costs.size + 1)).tolist()
    heads: list[int] = costs.head.tolist()
    steps: list[int] = costs.cost.tolist()
    return [_around(node, begin, heads, steps, limit) for node, limit in zip(chosen.tolist(), limits, strict=True)]


def _around(origin: int, begin: list[int], heads: list[int], costs: list[int], best: int) -> int:
    """The cost of the lightest cycle through `origin`, which is at most `best`."""
    done: set[int] = set()
    heap = [(0, origin)]
    while heap:
        distance, node = heappop(heap)
        if distance >= best:
            break
        if node in done:
            continue
        done.add(node)
        for edge in range(begin[node], begin[node + 1]):
            reached = distance + costs[edge]
            if heads[edge] == origin:
                best = min(best, reached)
            elif reached < best and heads[edge] not in done:
                heappush(heap, (reached, heads[edge]))
    return best
