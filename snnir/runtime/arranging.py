"""The compiled loops of binding: where on the machine an arrangement of clusters goes. Importing this loads numba."""

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.kernels import compiled

Integers = NDArray[np.int64]


@compiled
def halve(where: Integers, at: Integers) -> Integers:
    """A point of `at` for each point of `where`, (points, 2) both: both are halved along the longer side of what is
    left of `at`, again and again, and the halves belong together.
    """
    count = len(where)
    chosen = np.empty(count, np.int64)
    left, right = np.arange(count), np.arange(count)
    stack = [(0, count)]
    while stack:
        first, last = stack.pop()
        if last - first == 1:
            chosen[left[first]] = right[first]
            continue
        own, theirs = left[first:last].copy(), right[first:last].copy()
        wide = at[theirs, 0].max() - at[theirs, 0].min()
        high = at[theirs, 1].max() - at[theirs, 1].min()
        axis = 0 if wide >= high else 1
        # ties by the other coordinate; stable sorts, so that equal input gives equal output
        for points, part, full in ((where, own, left), (at, theirs, right)):
            ordered = part[np.argsort(points[part, 1 - axis], kind="mergesort")]
            full[first:last] = ordered[np.argsort(points[ordered, axis], kind="mergesort")]
        middle = (first + last) // 2
        stack.append((first, middle))
        stack.append((middle, last))
    return chosen


@compiled
def fit(where: Integers, free: Integers, width: int, host: tuple[int, int]) -> tuple[int, int, int, int]:
    """(x, y, flipped in x, flipped in y) of the move of an arrangement with which fewest points are without a place; of
    several, the one nearest to the host.

    `where`: the arrangement, (points, 2), from 0 on; `free`: places on each tile.
    """
    height = len(free) // width
    wide, high = where[:, 0].max() + 1, where[:, 1].max() + 1
    need = np.zeros((high, wide), np.int64)
    for point in range(len(where)):
        need[where[point, 1], where[point, 0]] += 1
    best, away, found = len(where) + 1, 0, (0, 0, 0, 0)
    for flip_x in range(2):
        for flip_y in range(2):
            for top in range(height - high + 1):
                for left in range(width - wide + 1):
                    missing = 0
                    for y in range(high):
                        for x in range(wide):
                            wanted = need[high - 1 - y if flip_y else y, wide - 1 - x if flip_x else x]
                            missing += max(0, wanted - free[(top + y) * width + left + x])
                        if missing > best:
                            break
                    far = abs(2 * left + wide - 2 * host[0]) + abs(2 * top + high - 2 * host[1])
                    if missing < best or (missing == best and far < away):
                        best, away, found = missing, far, (left, top, flip_x, flip_y)
    return found


@compiled
def settle_down(wanted: Integers, free: Integers, width: int) -> Integers:
    """A tile for each point: the one that it wants where there are places left, else the nearest one with a place.

    `free`, the places on each tile, is used up.
    """
    found = np.full(len(wanted), -1, np.int64)
    for point in range(len(wanted)):
        if free[wanted[point]] > 0:
            found[point] = wanted[point]
            free[wanted[point]] -= 1
    for point in range(len(wanted)):
        if found[point] < 0:
            x, y = wanted[point] % width, wanted[point] // width
            nearest = 1 << 40
            for tile in range(len(free)):
                apart = abs(tile % width - x) + abs(tile // width - y)
                if free[tile] > 0 and apart < nearest:
                    nearest = apart
                    found[point] = tile
            free[found[point]] -= 1
    return found
