"""One run of benchmarks/maxplus.py: the maximum cycle ratio of the graph in a file by snnir.maxplus.

The file and the answer are those of peers/howard.cpp. `build` is checking the arrays and bringing the edges into
the order of the sweeps, `solve` all the rest. The compiled code, if it is used, is loaded before the clock starts.
"""

import sys
import time
from pathlib import Path

import numpy as np

from snnir.maxplus import TimedGraph, maximum_cycle_ratio
from snnir.maxplus.cycle_ratio import COMPILED_FROM
from snnir.maxplus.graph import frozen


def solve(size: int, *columns: np.ndarray) -> tuple[float, float, int, int]:
    """Seconds for building and solving, and the ratio."""
    begin = time.process_time()
    graph = TimedGraph(size, *frozen(*columns))
    built = time.process_time() - begin
    if graph.edge_count >= COMPILED_FROM:
        from snnir.maxplus.sweeps import Sweeps  # noqa: PLC0415

        sweeps = Sweeps.__init__

        def timed(*given: object, **named: object) -> None:
            nonlocal built
            start = time.process_time()
            sweeps(*given, **named)  # pyright: ignore[reportArgumentType]
            built += time.process_time() - start

        Sweeps.__init__ = timed
    found = maximum_cycle_ratio(graph)
    assert found is not None
    total = time.process_time() - begin
    return built, total - built, found.ratio.numerator, found.ratio.denominator


def load() -> None:
    """Have all of the compiled code loaded, by graphs that need each part of it."""
    from snnir.maxplus.sweeps import Sweeps  # noqa: PLC0415

    node = np.arange(1000)
    ring = TimedGraph(1000, np.roll(node, -1), node, (node < 50).astype(np.int64), np.ones_like(node))
    chain = TimedGraph(4, *np.array([[0, 2, 1, 3], [2, 1, 3, 0], [1, 1, 1, 1], [0, 0, 0, 1]]))
    for graph in (ring, chain):
        sweeps = Sweeps(graph)
        sweeps.heaviest()
        sweeps.rescale(2, 1)
        found = sweeps.settle(2, 1)
        assert bool(found) == (graph is chain)
        if found:
            sweeps.edges_of(found)


def main() -> None:
    """Read, solve, print one line."""
    with open(sys.argv[1], "rb") as file:
        size, edges = np.fromfile(file, np.int64, 2).tolist()
        columns = [np.fromfile(file, np.int64, edges) for _ in range(4)]
    if edges >= COMPILED_FROM:
        load()
    build, spent, time_, tokens = solve(size, *columns)
    (memory,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(f"{build:.6f} {spent:.6f} {time_} {tokens} {time_ / tokens} {memory}")


if __name__ == "__main__":
    main()
