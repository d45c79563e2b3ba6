"""How soon after an event another one can come at the earliest, in a graph whose actors have least times.

Firing k + n of an actor waits for firing k of another one if there is a path with at most n tokens between them, and
for the least times of all actors on it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.errors import Deadlock

Integers = NDArray[np.int64]

NEVER = -(1 << 50)
"""So early, and earlier, that nothing is said."""
CHUNK = 256
"""How many sources are followed at once, for less memory."""


def headways(arcs: Integers, least: Integers, sources: Sequence[int], targets: Sequence[int], tokens: int) -> Integers:
    """(n, source, target): how long after the end of firing k of the source firing k + n of the target ends at the
    earliest, for n < `tokens`; NEVER or less where it need not wait for it.

    `arcs`: rows of source, target and tokens (at least 0) of a graph with rates of 1 that has no cycle without tokens;
    `least` the least time of each actor. Greatest sums over paths, those without tokens in topological order.
    """
    level = _levels(arcs[arcs[:, 2] == 0], len(least))
    found = np.full((tokens, len(sources), len(targets)), NEVER)
    for first in range(0, len(sources), CHUNK):
        some = np.array(sources[first : first + CHUNK], np.int64)
        ends = _followed(arcs, least, level, some, tokens)
        found[:, first : first + CHUNK] = ends[:, np.array(targets, np.int64)].transpose(0, 2, 1)
    return found


def _levels(arcs: Integers, size: int) -> Integers:
    """The place of each node in a sequence of levels: later than those of all before it."""
    level = np.zeros(size, np.int64)
    source, target = arcs[:, 0], arcs[:, 1]
    for _ in range(size + 1):
        later = level.copy()
        np.maximum.at(later, target, level[source] + 1)
        if (later == level).all():
            return level
        level = later
    raise Deadlock("deadlock: some actors wait for each other without an initial token")


def _followed(arcs: Integers, least: Integers, level: Integers, sources: Integers, tokens: int) -> Integers:
    """(n, actor, source): the earliest ends."""
    size, width = len(least), len(sources)
    ends = np.full((tokens, size, width), NEVER)
    free = arcs[arcs[:, 2] == 0]
    free = free[np.lexsort((free[:, 1], level[free[:, 1]]))]
    steps = [free[level[free[:, 1]] == each] for each in range(1, int(level.max(initial=0)) + 1)]
    paid = arcs[(arcs[:, 2] > 0) & (arcs[:, 2] < tokens)]
    paid = paid[np.argsort(paid[:, 1], kind="stable")]
    for n in range(tokens):
        now = ends[n]
        if n:
            now[:] = ends[n - 1]
            some = paid[paid[:, 2] <= n]
            _raise(now, some[:, 1], ends[n - some[:, 2], some[:, 0]], least)
        np.maximum.at(now, (sources, np.arange(width)), 0)
        for step in steps:
            _raise(now, step[:, 1], now[step[:, 0]], least)
    return ends


def _raise(now: Integers, target: Integers, ends: Integers, least: Integers) -> None:
    """Let targets, which are sorted, end a least time after the ends at the other end of their arcs."""
    if not len(target):
        return
    first = np.flatnonzero(np.diff(target, prepend=-1))
    nodes = target[first]
    now[nodes] = np.maximum(now[nodes], np.maximum.reduceat(ends, first, axis=0) + least[nodes, None])
