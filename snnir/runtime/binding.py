"""Which free crossbar each cluster gets: where the compiler had placed it, moved to where there is room.

1. The whole arrangement is moved, and flipped in x or y so that the side towards its host is towards the host here, to
   where most clusters find a free crossbar on their tile; of several such places to the one nearest to the host. The
   others go to the nearest tile with one.
2. For a second try, or a machine that is too narrow for that: the smallest square of tiles with enough free crossbars,
   in which clusters and crossbars are halved together, along the longer side of the crossbars, until each has its own:
   neighbours stay neighbours. Then the next such square.

Shorter ways are not what counts: exchanges that shorten them were seen to fill some links more, and a full link sets
the period (docs/runtime.md).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from snnir.runtime.application import Application
from snnir.runtime.arranging import fit, halve, settle_down
from snnir.runtime.floor import Floor

Integers = NDArray[np.int64]


def places(application: Application, floor: Floor, free: NDArray[np.bool_], per_tile: int) -> Iterator[Integers]:
    """A free crossbar for each cluster, (clusters,), the best first. `free`: of each crossbar."""
    if np.count_nonzero(free) < len(application.clusters):
        return
    moved = _moved(application, floor, free, per_tile)
    if moved is not None:
        yield moved
    for crossbars in squares(floor, free, per_tile, len(application.clusters)):
        yield place(application, floor, crossbars, per_tile)


def _moved(application: Application, floor: Floor, free: NDArray[np.bool_], per_tile: int) -> Integers | None:
    """The compiler's arrangement, moved; None: it is too wide or too high for this machine."""
    where = application.where - application.where.min(axis=0)
    last = where.max(axis=0)
    if last[0] >= floor.width or last[1] >= floor.tiles // floor.width:
        return None
    counts = free.reshape(floor.tiles, per_tile).sum(axis=1)
    left, top, flip_x, flip_y = fit(where, counts, floor.width, floor.tile(floor.host))
    x = left + (last[0] - where[:, 0] if flip_x else where[:, 0])
    y = top + (last[1] - where[:, 1] if flip_y else where[:, 1])
    tiles = settle_down(y * floor.width + x, counts, floor.width)
    # the first free crossbar of a tile to the first cluster there, and so on
    order = np.argsort(tiles, kind="stable")
    numbers = np.flatnonzero(free)
    first = np.searchsorted(numbers // per_tile, tiles[order])
    rank = np.arange(len(tiles)) - np.searchsorted(tiles[order], tiles[order])
    found = np.empty(len(tiles), np.int64)
    found[order] = numbers[first + rank]
    return found


def squares(floor: Floor, free: NDArray[np.bool_], per_tile: int, clusters: int) -> Iterator[Integers]:
    """Sets of so many free crossbars: those of the smallest squares of tiles that have enough, the nearest to the host
    first. `free`: of each crossbar. None when there are too few.
    """
    width, height = floor.width, floor.tiles // floor.width
    counts = free.reshape(floor.tiles, per_tile).sum(axis=1).reshape(height, width)
    total = np.zeros((height + 1, width + 1), np.int64)
    total[1:, 1:] = counts.cumsum(0).cumsum(1)
    if total[-1, -1] < clusters:
        return
    low, high = 1, max(width, height)
    while low < high:
        side = (low + high) // 2
        if _inside(total, side).max() >= clusters:
            high = side
        else:
            low = side + 1
    y, x = np.nonzero(_inside(total, low) >= clusters)
    centre = (min(low, width) - 1) / 2, (min(low, height) - 1) / 2
    host_x, host_y = floor.tile(floor.host)
    away = np.abs(x + centre[0] - host_x) + np.abs(y + centre[1] - host_y)
    numbers = np.flatnonzero(free)
    tile_y, tile_x = np.divmod(numbers // per_tile, width)
    for corner in np.argsort(away, kind="stable").tolist():
        apart_x, apart_y = tile_x - x[corner], tile_y - y[corner]
        inside = (apart_x >= 0) & (apart_x < low) & (apart_y >= 0) & (apart_y < low)
        middle = np.abs(apart_x - centre[0]) + np.abs(apart_y - centre[1])
        found = np.flatnonzero(inside)
        yield np.sort(numbers[found[np.argsort(middle[found], kind="stable")[:clusters]]])


def _inside(total: Integers, side: int) -> Integers:
    """What lies in each square of `side` tiles (where the machine is narrower, rectangle), from sums of prefixes."""
    height, width = min(side, total.shape[0] - 1), min(side, total.shape[1] - 1)
    return total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]


def place(application: Application, floor: Floor, crossbars: Integers, per_tile: int) -> Integers:
    """One of the crossbars for each cluster, (clusters,); there are as many of both."""
    tiles = crossbars // per_tile
    x, y = tiles % floor.width, tiles // floor.width
    where = _turned(application, floor, x, y)
    return crossbars[halve(where, np.stack((x, y), axis=1))]


def _turned(application: Application, floor: Floor, x: Integers, y: Integers) -> Integers:
    """Where the compiler placed clusters, turned so that the side towards its host is towards the host here."""
    where = application.where.copy()
    hosts = application.platform.machine.host, floor.machine.host
    for axis, centre in enumerate((float(x.mean()), float(y.mean()))):
        there = hosts[0][axis] - float(where[:, axis].mean())
        if there * (hosts[1][axis] - centre) < 0:
            where[:, axis] = where[:, axis].max() - where[:, axis]
    return where
