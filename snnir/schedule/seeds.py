"""Bindings to begin a search with: SDF3's load balance, and others that look at one thing each."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

import numpy as np

from snnir.maxplus.graph import Integers
from snnir.maxplus.potentials import start_times
from snnir.schedule.architecture import ScheduleError
from snnir.schedule.balance import TileCost, balanced
from snnir.schedule.deployment import UNBOUND, Deployment
from snnir.schedule.evaluate import Evaluator
from snnir.schedule.firing import sequence
from snnir.schedule.orders import scaled, target_period

_COSTS = TileCost(), TileCost(bandwidth=0), TileCost(processing=2, bandwidth=1, latency=1)

_ROOM = Fraction(1), Fraction(5, 4), Fraction(3, 2)
"""How much work is gathered on a tile, for the period aimed at."""


def bindings(evaluator: Evaluator, period: Fraction) -> Iterator[tuple[Integers, bool]]:
    """Bindings as vectors, not all of them possible, and whether they are from load balance.

    Load balance with the weights of SDF3's flow, of work only, and of distance; the longest first; runs of the earliest
    schedule; and what exchanges most gathered, for a `period` aimed at.
    """
    for cost in _COSTS:
        try:
            yield balanced(evaluator.deployment, cost), True
        except ScheduleError:
            continue
    yield longest_first(evaluator.total), False
    yield runs(evaluator), False
    for part in _ROOM:
        yield gathered(evaluator, ceil(period * part)), False


def longest_first(total: Integers) -> Integers:
    """Each row of work on all tiles, those with most first, to the tile that would be done first.

    Negative: that tile cannot do it. Graham, SIAM J. Applied Mathematics 17(2), 1969.
    """
    tiles = np.full(len(total), UNBOUND, np.int64)
    load = np.zeros(total.shape[1], np.int64)
    for row in np.argsort(-total.max(axis=1), kind="stable").tolist():
        after = np.where(total[row] < 0, np.iinfo(np.int64).max, load + total[row])
        tiles[row] = np.argmin(after)
        load[tiles[row]] = after[tiles[row]]
    return tiles


def gathered(evaluator: Evaluator, most: int) -> Integers:
    """Actors that exchange most bits on one tile, as long as their work is at most `most`.

    Groups are joined along the channels, those of most bits first, then put on tiles by `longest_first`.
    """
    deployment, total = evaluator.deployment, evaluator.total
    group = list(range(len(total)))
    load: list[int] = total.max(axis=1).tolist()

    def root(actor: int) -> int:
        while group[actor] != actor:
            group[actor] = group[group[actor]]
            actor = group[actor]
        return actor

    for number in np.argsort(-deployment.sizes * deployment.passed, kind="stable").tolist():
        a, b = root(int(deployment.sources[number])), root(int(deployment.targets[number]))
        if a != b and load[a] + load[b] <= most:
            group[b] = a
            load[a] += load[b]
    groups = np.array([root(actor) for actor in range(len(group))])
    together = np.zeros_like(total)
    np.add.at(together, groups, total)
    np.minimum.at(together, groups, np.where(total < 0, -1, np.iinfo(np.int64).max))
    return longest_first(together)[groups]


def runs(evaluator: Evaluator) -> Integers:
    """The actors by earliest start, cut into one run for each tile, the longest as short as can be."""
    total = evaluator.total
    graph = evaluator.firings(np.full(len(total), UNBOUND, np.int64))
    period = target_period(graph)
    starts = scaled(start_times(graph.timed(), period), period)
    first: dict[int, None] = {}
    for node in sequence(graph.timed(), starts):
        if evaluator.actor[node] < len(total):
            first.setdefault(int(evaluator.actor[node]))
    cuts = _cut(total.max(axis=1)[list(first)].tolist(), total.shape[1])
    tiles = np.empty(len(total), np.int64)
    tiles[list(first)] = np.array(_walk(evaluator.deployment))[cuts]
    return tiles


def _walk(deployment: Deployment) -> list[int]:
    """All tiles, each next to the one before as far as possible."""
    left = list(range(1, len(deployment.architecture.tiles)))
    walk = [0]
    while left:
        near = [(deployment.delay(walk[-1], tile), tile) for tile in left]
        walk.append(min((delay if delay >= 0 else 1 << 60, tile) for delay, tile in near)[1])
        left.remove(walk[-1])
    return walk


def _cut(work: list[int], parts: int) -> list[int]:
    """The part of each item when a row is cut into at most so many parts and the greatest sum is least."""
    low, high = max(work, default=0), sum(work)
    while low < high:
        middle = (low + high) // 2
        if max(_greedy(work, middle), default=0) < parts:
            high = middle
        else:
            low = middle + 1
    return _greedy(work, low)


def _greedy(work: list[int], room: int) -> list[int]:
    part, filled, result = 0, 0, list[int]()
    for each in work:
        if filled + each > room:
            part, filled = part + 1, 0
        filled += each
        result.append(part)
    return result
