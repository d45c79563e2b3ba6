"""Placing clusters on the crossbars of a mesh of tiles."""

import numpy as np
from numpy.typing import NDArray

Traffic = NDArray[np.float64]


def row_major(clusters: int, tiles: int, per_tile: int) -> list[int]:
    """Tile of each cluster: fill tile after tile. Raises `ValueError` when there are too few crossbars."""
    if clusters > tiles * per_tile:
        raise ValueError(f"{clusters} clusters, but only {tiles * per_tile} crossbars")
    return [number // per_tile for number in range(clusters)]


def hops(mesh: tuple[int, int]) -> NDArray[np.int64]:
    """Links between any two tiles under XY routing; tiles are numbered row by row."""
    x, y = np.arange(mesh[0] * mesh[1]) % mesh[0], np.arange(mesh[0] * mesh[1]) // mesh[0]
    return np.abs(x[:, None] - x) + np.abs(y[:, None] - y)


def cost(tiles: list[int], traffic: Traffic, host: Traffic, host_tile: int, distance: NDArray[np.int64]) -> float:
    """Spikes times hops: `traffic[a, b]` from cluster to cluster, `host[a]` between cluster and host."""
    where = np.asarray(tiles, dtype=np.int64)
    between = float((traffic * distance[np.ix_(where, where)]).sum()) if len(tiles) else 0.0
    return between + float((host * distance[where, host_tile]).sum())


def swap_placement(traffic: Traffic, host: Traffic, mesh: tuple[int, int], per_tile: int, host_tile: int) -> list[int]:
    """Tile of each cluster by pairwise exchange: from row-major order, do the best swap (or move to a free crossbar)
    until none lowers the hop-weighted traffic. Deterministic; ends because the cost falls with every step."""
    count, tiles = len(traffic), mesh[0] * mesh[1]
    where = row_major(count, tiles, per_tile)
    slots = where + [t for t in range(tiles) for _ in range(per_tile - where.count(t))]
    distance = hops(mesh)
    flow = np.zeros((len(slots), len(slots)))
    flow[:count, :count] = traffic + traffic.T
    np.fill_diagonal(flow, 0.0)  # what a cluster sends to itself goes with it
    to_host = np.zeros(len(slots))
    to_host[:count] = host
    position = np.asarray(slots, dtype=np.int64)
    rounding = 1e-9 * max(1.0, float(flow.sum() + to_host.sum()) * float(distance.max(initial=0)))
    while True:
        gain = _swap_gains(flow, to_host, position, distance, host_tile)
        a, b = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[a, b] <= rounding:
            return position[:count].tolist()
        position[[a, b]] = position[[b, a]]


def _swap_gains(
    flow: Traffic, host: Traffic, position: NDArray[np.int64], distance: NDArray[np.int64], host_tile: int
) -> Traffic:
    """By how much the cost falls when two slots change places, for every pair."""
    to_tile = flow @ distance[position]  # cost of slot a's traffic if it sat on each tile
    to_tile = to_tile + host[:, None] * distance[:, host_tile][None, :]
    here = np.take_along_axis(to_tile, position[:, None], 1)
    there = to_tile[:, position]
    apart = distance[np.ix_(position, position)]
    return here + here.T - there - there.T - 2 * flow * apart
