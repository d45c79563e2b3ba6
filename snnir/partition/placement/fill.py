"""Putting clusters on tiles within the tiles' limits, in a given order or near given tiles."""

import numpy as np

from snnir.partition.placement.problem import FloatArray, IntArray, PlacementError, Problem

SLACK = 1 + 1e-12
"""Sums of loads that are equal to a capacity but for rounding fit."""


def fill(problem: Problem, clusters: IntArray, tiles: IntArray) -> IntArray:
    """(clusters,) the tile of each cluster when they are put, in the order `clusters`, tile after tile of `tiles`.

    A cluster that a tile has no room for goes to the next that has, and a later one may go back. Where that leaves a
    cluster over, the largest are put first. Raises `PlacementError` when that does not fit either.
    """
    found = np.empty(problem.clusters, np.int64)
    if problem.only_crossbars:
        found[clusters] = np.repeat(tiles, problem.capacity[tiles, 0].astype(np.int64))[: len(clusters)]
        return found
    share = (problem.loads / np.maximum(problem.capacity.max(0, initial=0), 1e-300)).max(1)
    for order in (clusters, clusters[np.argsort(-share[clusters], kind="stable")]):
        left_over = _first_fit(problem, order, tiles, found)
        if left_over is None:
            return found
    raise _full(problem, left_over)


def _first_fit(problem: Problem, order: IntArray, tiles: IntArray, found: IntArray) -> int | None:
    """Fill `found`; the first cluster that no tile has room for, if any."""
    room, at = problem.capacity[tiles] * SLACK, 0
    for cluster in order:
        load = problem.loads[cluster]
        while at < len(tiles) and room[at, 0] < 1:
            at += 1
        fits = np.all(load <= room[at:], 1)
        if not fits.any():
            return int(cluster)
        place = at + int(fits.argmax())
        room[place] -= load
        found[cluster] = tiles[place]
    return None


def settle(problem: Problem, wanted: IntArray) -> IntArray:
    """The placement nearest to `wanted` (clusters,): where a tile is given more than it has, its last clusters go to
    the nearest tile with room. Raises `PlacementError` when there is none for all of them."""
    order = np.argsort(wanted, kind="stable")
    if problem.only_crossbars:
        rank = np.arange(len(wanted)) - np.searchsorted(wanted[order], wanted[order])
        over = order[rank >= problem.capacity[wanted[order], 0]]
    else:
        over = _over(problem, wanted, order)
    if not len(over):
        return wanted
    found, all_tiles = wanted.copy(), np.arange(problem.floor.tiles)
    staying = np.ones(problem.clusters, np.bool_)
    staying[over] = False
    room = problem.capacity * SLACK - _used(problem, wanted, staying)
    for cluster in over:
        fits = np.flatnonzero(np.all(problem.loads[cluster] <= room, 1))
        if not len(fits):
            return fill(problem, order, all_tiles)
        found[cluster] = fits[problem.floor.hops(fits, wanted[cluster]).argmin()]
        room[found[cluster]] -= problem.loads[cluster]
    return found


def _over(problem: Problem, wanted: IntArray, order: IntArray) -> IntArray:
    """The clusters that do not fit on their tile after those before them in `order`."""
    room = problem.capacity * SLACK
    over: list[int] = []
    for cluster in order:
        if np.all(problem.loads[cluster] <= room[wanted[cluster]]):
            room[wanted[cluster]] -= problem.loads[cluster]
        else:
            over.append(int(cluster))
    return np.array(over, np.int64)


def _used(problem: Problem, tiles: IntArray, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> FloatArray:
    used = np.zeros_like(problem.capacity)
    np.add.at(used, tiles[which], problem.loads[which])
    return used


def _full(problem: Problem, cluster: int) -> PlacementError:
    """What to say when all tiles together have room, but none has enough for `cluster`."""
    load, largest = problem.loads[cluster], problem.capacity.max(0)
    scarce = 1 + int((load[1:] / np.maximum(largest[1:], 1e-300)).argmax())
    name = problem.resources[scarce]
    message = f"no tile has {load[scarce]:g} {name} left for cluster {cluster}, though all together have"
    return PlacementError(name, message)
