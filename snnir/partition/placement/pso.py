"""`pso`: particle swarm over placements, the baseline.

After SpiNePlacer (A. Balaji et al., "Mapping spiking neural networks to neuromorphic hardware", TVLSI 2020): a swarm of
placements, each a point with one coordinate per cluster, that flies towards the best place that it and the swarm have
seen; its fitness is the hop-weighted traffic. Coordinates are continuous, so a point is read as an order: the cluster
with the lowest coordinate goes to the first crossbar, row by row, and so on. (The file that the authors released under
this name places at random.) One particle starts as row-major order, the others at random.
"""

import numpy as np

from snnir.partition.placement.cost import cost
from snnir.partition.placement.fill import settle
from snnir.partition.placement.problem import FloatArray, IntArray, Options, Problem
from snnir.partition.placement.row_major import place as row_major

PARTICLES = 24
ITERATIONS = 120
"""At effort 1."""
PINS = 40_000_000
"""Net ends that are priced at effort 1, at most."""
INERTIA, OWN, COMMON = 0.72, 1.49, 1.49
"""How much of its speed a particle keeps, and how much it is drawn to its own and to the common best place: the usual
values, for which swarms converge (M. Clerc and J. Kennedy, 2002)."""


def place(problem: Problem, options: Options) -> IntArray:
    """See `snnir.partition.placement.place`."""
    first = row_major(problem, options)
    rng = np.random.default_rng(options.seed)
    at = rng.random((PARTICLES, problem.clusters))
    at[0] = _read_back(first)
    speed = rng.uniform(-0.1, 0.1, at.shape)
    own, own_cost = at.copy(), np.full(PARTICLES, np.inf)
    best, best_cost, leader = first, cost(problem, first, options.cost), at[0].copy()
    affordable = options.effort * PINS / (PARTICLES * max(len(problem.nets.sinks), 1))
    for _ in range(max(2, min(round(ITERATIONS * options.effort), int(affordable)))):
        for number, point in enumerate(at):
            tiles = _read(problem, point)
            now = cost(problem, tiles, options.cost)
            if now < own_cost[number]:
                own[number], own_cost[number] = point, now
            if now < best_cost:
                best, best_cost, leader = tiles, now, point.copy()
        drawn = OWN * rng.random(at.shape) * (own - at) + COMMON * rng.random(at.shape) * (leader - at)
        speed = INERTIA * speed + drawn
        at = at + speed
    return best


def _read(problem: Problem, point: FloatArray) -> IntArray:
    """The placement that a point stands for."""
    tiles = np.empty(problem.clusters, np.int64)
    tiles[np.argsort(point, kind="stable")] = problem.slots[: problem.clusters]
    return settle(problem, tiles)


def _read_back(tiles: IntArray) -> FloatArray:
    """A point that stands for a placement."""
    point = np.empty(len(tiles))
    point[np.argsort(tiles, kind="stable")] = (np.arange(len(tiles)) + 0.5) / max(len(tiles), 1)
    return point
