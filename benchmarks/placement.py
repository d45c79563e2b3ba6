"""What a placement costs, and how long it takes to find, for every algorithm and a placement at random.

    python benchmarks/placement.py [--quick]

Traffic is made here, in the shapes that clustered networks have: *layers*, each cluster of which sends ten nets to the
clusters around its place in the next layer (convolutions); *reservoir*, nets between clusters that lie near each other
on a plane, numbered at random; *random*, nets between any clusters. The peer is a placement drawn at random, which is
what the file released for SpiNePlacer does (drexel-DISCO/SpiNeMap, SNNPlacer/pso/placer.py); the particle swarm that
its paper describes is `pso`, and `hilbert` is the curve with swaps of neighbours of Jin et al. Costs are in parts
of that of row-major order, in the cost that the search looks at. Seconds are of the processor, without making the
traffic. The second table is the time of the default algorithm over a sweep of sizes.
"""

import argparse
import math
import time
from collections.abc import Callable

import numpy as np

from snnir.partition.floor import Floor
from snnir.partition.placement import ALGORITHMS, HOST, CostName, Nets, Options, Problem, cost, place
from snnir.partition.placement.problem import IntArray

NETS = 10
"""Nets that a cluster sends."""
DEFAULT = "springs"
LARGEST = {"swap": 100, "annealing": 100, "pso": 400, "load-balance": 4_000}
"""Clusters up to which an algorithm is run here."""


def layers(clusters: int) -> Nets:
    """Five layers on grids of patches; each net is read by some clusters around the sender's place in the next."""
    rng = np.random.default_rng(0)
    sizes = np.maximum(1, (np.array([0.25, 0.2, 0.12, 0.08]) * clusters).astype(int))
    sizes = np.array([clusters - sizes.sum(), *sizes])
    starts = np.cumsum(sizes) - sizes
    sides = np.ceil(np.sqrt(sizes)).astype(int)
    bands = max(1, min(64, int(sizes[0]) // 8))
    width = int(sides[0])
    rows = np.arange(int(sizes[0])) // width * bands // width
    nets = [(HOST, np.flatnonzero(rows == band), 75.0) for band in range(bands)]
    for layer, (size, start, side) in enumerate(zip(sizes, starts, sides, strict=True)):
        if layer == len(sizes) - 1:
            nets += [(int(start) + number, np.array([HOST]), 5.0) for number in range(size)]
            break
        after, wide = int(sizes[layer + 1]), int(sides[layer + 1])
        for number in range(size):
            x, y = (number % side + 0.5) / side * wide, (number // side + 0.5) / side * wide
            for _ in range(NETS):
                near_x = np.clip(np.floor(x + rng.uniform(-1.5, 1.5, 4)), 0, wide - 1)
                near_y = np.clip(np.floor(y + rng.uniform(-1.5, 1.5, 4)), 0, wide - 1)
                near = np.minimum((near_y * wide + near_x).astype(np.int64), after - 1)
                nets.append((int(start) + number, starts[layer + 1] + near, float(rng.gamma(2, 5))))
    return Nets.of(nets)


def reservoir(clusters: int) -> Nets:
    """Clusters on a hidden plane, numbered at random; nets go two places far or so."""
    rng = np.random.default_rng(1)
    side, name = math.isqrt(clusters - 1) + 1, rng.permutation(clusters)
    nets: list[tuple[int, IntArray, float]] = []
    for number in range(clusters):
        for _ in range(NETS):
            x, y = np.rint(rng.normal((number % side, number // side), 2, (4, 2)).T).astype(np.int64)
            read = np.clip(y, 0, side - 1) * side + np.clip(x, 0, side - 1)
            nets.append((int(name[number]), name[read[read < clusters]], float(rng.gamma(2, 5))))
    return Nets.of(nets)


def anyhow(clusters: int) -> Nets:
    """Nets between any clusters."""
    rng = np.random.default_rng(2)
    readers = rng.integers(0, clusters, (clusters * NETS, 4))
    volumes = rng.gamma(2, 5, clusters * NETS)
    return Nets.of([(number // NETS, readers[number], float(volumes[number])) for number in range(clusters * NETS)])


TRAFFIC: dict[str, Callable[[int], Nets]] = {"layers": layers, "reservoir": reservoir, "random": anyhow}


def problem_of(traffic: str, clusters: int, per_tile: int = 1) -> Problem:
    """Clusters of some traffic on a square mesh with about a seventh of its crossbars to spare."""
    side = math.ceil(math.sqrt(1.15 * clusters / per_tile))
    return Problem.of(Floor((side, side), per_tile=per_tile), TRAFFIC[traffic](clusters), clusters)


def at_random(problem: Problem) -> IntArray:
    """The peer: clusters on crossbars drawn at random."""
    return np.random.default_rng(0).permutation(problem.slots)[: problem.clusters]


def compare(traffic: str, clusters: int, name: CostName, per_tile: int = 1) -> str:
    """A line of the table: cost relative to row-major order and seconds, for every algorithm."""
    problem = problem_of(traffic, clusters, per_tile)
    rows = cost(problem, place(problem, "row-major"), name)
    cells = [f"{cost(problem, at_random(problem), name) / rows:6.3f}"]
    for algorithm in ALGORITHMS:
        if algorithm == "row-major":
            continue
        if clusters > LARGEST.get(algorithm, clusters):
            cells.append(f"{'-':>14}")
            continue
        start = time.process_time()
        tiles = place(problem, algorithm, Options(cost=name))
        seconds = time.process_time() - start
        cells.append(f"{cost(problem, tiles, name) / rows:6.3f}{seconds:7.2f}s")
    return f"{traffic:10}{clusters:7}{per_tile:3} {name:10}" + " ".join(cells)


def sweep(sizes: list[int]) -> None:
    """Time of the default algorithm over sizes, and by how much it grows beyond n log n."""
    print(f"\n{DEFAULT}, {'clusters':>9}{'nets':>9}{'cost':>8}{'seconds':>9}{'us/(n log n)':>14}")
    for traffic in ("layers", "random"):
        for clusters in sizes:
            problem = problem_of(traffic, clusters)
            start = time.process_time()
            tiles = place(problem, DEFAULT)
            seconds = time.process_time() - start
            part = cost(problem, tiles) / cost(problem, place(problem, "row-major"))
            each = 1e6 * seconds / (clusters * math.log2(clusters))
            print(
                f"{traffic:10}{clusters:7}{len(problem.nets.sources):9}{part:8.3f}{seconds:9.2f}{each:14.1f}",
                flush=True,
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    quick = parser.parse_args().quick
    names = [name for name in ALGORITHMS if name != "row-major"]
    print(f"{'traffic':10}{'n':>7}{'/t':>3} {'cost':10}{'random':>6} " + " ".join(f"{name:>14}" for name in names))
    for clusters in (16, 64) if quick else (16, 64, 400, 3500):
        for traffic in TRAFFIC:
            for name in ("unicast", "multicast"):
                print(compare(traffic, clusters, name), flush=True)
    print(compare("layers", 64 if quick else 400, "unicast", per_tile=4))
    sweep([200, 400, 800] if quick else [1000, 3500, 10000, 30000])


if __name__ == "__main__":
    main()
