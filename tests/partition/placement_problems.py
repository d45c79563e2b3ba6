"""Placement problems for tests, and what placements cost by walking every way link by link."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from snnir.partition.floor import Floor
from snnir.partition.placement import HOST, CostName, Nets, Problem
from snnir.partition.placement.problem import IntArray

Net = tuple[int, list[int], float]


def walked(problem: Problem, tiles: IntArray, cost: CostName) -> float:
    """Volume times links, from explicit ways."""
    floor, nets, total = problem.floor, problem.nets, 0.0

    def router(end: int) -> tuple[int, int]:
        return floor.host if end == HOST else floor.router(int(tiles[end]))

    def length(links: set[tuple[tuple[int, int], tuple[int, int]]]) -> int:
        return sum(problem.crossing if floor.crosses(*link) else 1 for link in links)

    for number, source in enumerate(nets.sources.tolist()):
        sinks = nets.sinks[nets.starts[number] : nets.starts[number + 1]].tolist()
        start = router(source)
        ends = {(sink == HOST, router(sink)) for sink in sinks}
        if cost == "unicast":
            links = sum(length(set(pairwise(floor.path(start, end)))) for _, end in ends)
        else:
            links = length(floor.tree_links(start, {end for _, end in ends}))
        total += float(nets.volumes[number]) * links
    return total


@st.composite
def floors(draw: st.DrawFn, most: int = 5) -> Floor:
    """Small meshes, of one chip or several, and small trees."""
    per_tile = draw(st.integers(1, 3))
    if draw(st.integers(0, 2)) == 0:
        leaves = draw(st.integers(1, 2 * most))
        return Floor(
            (leaves, 1), "tree", draw(st.integers(2, 4)), None, per_tile, (draw(st.integers(0, leaves - 1)), 0)
        )
    chip = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    mesh = chip[0] * draw(st.integers(1, most // chip[0])), chip[1] * draw(st.integers(1, most // chip[1]))
    host = draw(st.integers(0, mesh[0] - 1)), draw(st.integers(0, mesh[1] - 1))
    return Floor(mesh, chip=chip if draw(st.booleans()) else None, per_tile=per_tile, host=host)


@st.composite
def problems(draw: st.DrawFn, most: int = 5, limited: bool = False) -> Problem:
    """Random nets on a random floor; volumes are whole numbers, so that sums are exact."""
    floor = draw(floors(most))
    count = draw(st.integers(0, floor.slots))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    nets: list[Net] = []
    for _ in range(draw(st.integers(0, 20))):
        sinks = rng.integers(-1, count, rng.integers(0, 6)).tolist()
        nets.append((int(rng.integers(-1, count)), sinks, float(rng.integers(0, 5))))
    limits = None
    if limited:
        load = rng.integers(0, 4, count).astype(float)
        each = max(float(load.max(initial=0)), 2 * load.sum() / floor.tiles) + 3
        limits = {"buffers": (load, np.full(floor.tiles, each))}
    return Problem.of(floor, Nets.of(nets), count, crossing=draw(st.integers(1, 4)), limits=limits)


def any_placement(problem: Problem, seed: int) -> IntArray:
    """Clusters on slots drawn at random; limits other than crossbars are not looked at."""
    return np.random.default_rng(seed).permutation(problem.slots)[: problem.clusters]


def chain(count: int, order: list[int] | None = None) -> Nets:
    """Cluster `order[0]` sends to `order[1]`, and so on, 10 values each."""
    numbers = order or list(range(count))
    return Nets.of([(a, [b], 10.0) for a, b in pairwise(numbers)])


def grid(width: int, height: int, order: IntArray) -> Nets:
    """A cluster for each point of a grid, numbered by `order`, sends one value to each neighbour right and below."""
    at = order.reshape(height, width)
    across = [(int(a), [int(b)], 1.0) for a, b in zip(at[:, :-1].ravel(), at[:, 1:].ravel(), strict=True)]
    down = [(int(a), [int(b)], 1.0) for a, b in zip(at[:-1].ravel(), at[1:].ravel(), strict=True)]
    return Nets.of(across + down)


def listed(nets: Nets) -> list[tuple[int, tuple[int, ...], float]]:
    """Nets as a sorted list."""
    ends = np.split(nets.sinks, nets.starts[1:-1])
    rows = zip(nets.sources.tolist(), ends, nets.volumes.tolist(), strict=True)
    return sorted((source, tuple(sorted(map(int, sinks))), round(volume, 9)) for source, sinks, volume in rows)
