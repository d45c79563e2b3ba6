"""The maximum cycle ratio of large graphs: snnir.maxplus beside Boost's `howard_cycle_ratio` and networkx.

    python -m benchmarks.maxplus [--sizes 1000 10000] [--families mean hsdf snn] [--runs 3] [--limit 20] [--shuffle]

Graphs: `mean`, a ring through all nodes and four random edges a node, all with one token; `hsdf`, the firings of an
iteration: a chain without tokens, edges forward without tokens that skip up to 100 nodes, and edges back with
one token; `snn`, layers of 100 clusters, each of which reads two or three of the layer before (no token), through
buffers for 1, 2 or 4 tokens, and fires one at a time. Times are 1..1000. `--shuffle` numbers the nodes at random.

Everybody runs on the same graph in a process of its own, in turn, in the opposite order every other time; seconds are
processor time (others on the same machine disturb it less), medians over the runs. `build` is from four arrays to
what the solver needs, `solve` the rest; memory is the peak of the whole process; `x` is how many times longer it took
than snnir, for solving alone and in all. Boost (`g++ -O3`, peers/howard.cpp) runs on both of its kinds of graph,
networkx (peers/cycle_ratio_networkx.py, Lawler) up to 10,000 nodes; it sometimes loses a cycle that it has detected.
Results must be equal as fractions: `WRONG` marks those that are not, `> n` those that took more than n seconds.
`make bench-maxplus` runs all sizes up to 1,000,000, which takes long.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PEERS = Path(__file__).parent / "peers"
BOOST = ("boost csr", "boost list")
NETWORKX_UP_TO = 10_000

Columns = tuple[NDArray[np.int64], ...]
"""Source, target, time and tokens of all edges."""


class Took(NamedTuple):
    """One run: processor seconds, result, peak memory in MB."""

    build: float
    solve: float
    ratio: Fraction
    memory: float

    @property
    def total(self) -> float:
        """Seconds for both."""
        return self.build + self.solve


def mean(size: int, rng: np.random.Generator) -> Columns:
    """Random, strongly connected, one token on each edge."""
    ring = rng.permutation(size)
    source = np.concatenate((ring, rng.integers(0, size, 4 * size)))
    target = np.concatenate((np.roll(ring, -1), rng.integers(0, size, 4 * size)))
    return source, target, rng.integers(1, 1001, 5 * size), np.ones(5 * size, np.int64)


def hsdf(size: int, rng: np.random.Generator) -> Columns:
    """A chain of firings, with edges ahead, and back to the next iteration."""
    node = np.arange(size)
    before = rng.integers(0, size - 1, 2 * size)
    after = np.minimum(before + rng.integers(1, 101, 2 * size), size - 1)
    ends = np.sort(rng.integers(0, size, (2, 2 * size)), axis=0)
    source = np.concatenate((node[:-1], before, ends[1]))
    target = np.concatenate((node[1:], after, ends[0]))
    tokens = np.repeat([0, 1], [3 * size - 1, 2 * size])
    return source, target, rng.integers(1, 1001, size)[source], tokens


def snn(size: int, rng: np.random.Generator) -> Columns:
    """Layers of clusters with bounded buffers between them."""
    node = np.arange(100, size)
    reader = np.concatenate((node, node, node[rng.random(len(node)) < 0.5]))
    read = reader // 100 * 100 - rng.integers(1, 101, len(reader))
    source = np.concatenate((np.arange(size), read, reader))
    target = np.concatenate((np.arange(size), reader, read))
    tokens = np.concatenate((np.ones(size, np.int64), np.zeros(len(read), np.int64), rng.choice([1, 2, 4], len(read))))
    return source, target, rng.integers(1, 1001, size)[source], tokens


FAMILIES = {"mean": mean, "hsdf": hsdf, "snn": snn}


def write(path: Path, size: int, columns: Columns) -> None:
    """The file that all programs read."""
    np.concatenate(([size, len(columns[0])], *columns)).astype(np.int64).tofile(path)


def programs(folder: Path, size: int) -> dict[str, list[str]]:
    """Who can run on this machine, and how."""
    found = {"snnir": [sys.executable, str(PEERS / "cycle_ratio_snnir.py")]}
    boost = folder / "howard"
    if boost.exists():
        found |= {name: [str(boost)] for name in BOOST}
    if size <= NETWORKX_UP_TO:
        found["networkx"] = [sys.executable, str(PEERS / "cycle_ratio_networkx.py")]
    return found


def run(name: str, command: list[str], path: Path, limit: float) -> Took | None:
    """One run in a process of its own; None when it takes longer than `limit` seconds."""
    kind = [name.split()[1]] if name in BOOST else []
    try:
        done = subprocess.run(
            [*command, str(path), *kind],
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
            cwd=PEERS.parents[1],
        )
    except subprocess.TimeoutExpired:
        return None
    build, solve, time, tokens, _, memory = done.stdout.split()
    return Took(float(build), float(solve), Fraction(int(time), int(tokens) or 1), float(memory) / 1024)


def measure(commands: dict[str, list[str]], path: Path, runs: int, limit: float) -> dict[str, Took | None]:
    """The medians of each program; None for those that took too long."""
    results: dict[str, list[Took]] = {name: [] for name in commands}
    late: set[str] = set()
    for turn in range(runs):
        for name in list(commands)[:: -1 if turn % 2 else 1]:
            if name not in late:
                took = run(name, commands[name], path, limit)
                if took:
                    results[name].append(took)
                else:
                    late.add(name)
    return {name: None if name in late else median(took) for name, took in results.items()}


def median(runs: list[Took]) -> Took:
    """The median of each figure; the result must not change from run to run."""
    (ratio,) = {took.ratio for took in runs}
    return Took(
        statistics.median(took.build for took in runs),
        statistics.median(took.solve for took in runs),
        ratio,
        max(took.memory for took in runs),
    )


def table(family: str, size: int, edges: int, results: dict[str, Took | None], limit: float) -> None:
    """A line for each program, with how many times longer it took than snnir."""
    ours = results["snnir"]
    assert ours is not None
    for name, took in results.items():
        place = f"{family:6}{size:>9}{edges:>9}  {name:11}"
        if took is None:
            print(f"{place}{'':10}{f'> {limit:g}':>10}{'':20}{f'> {limit / ours.total:.0f}':>20}", flush=True)
            continue
        verdict = "" if took.ratio == ours.ratio else f"  WRONG: {took.ratio}, not {ours.ratio}"
        times = "" if took is ours else f"{took.solve / ours.solve:>10.1f}{took.total / ours.total:>10.1f}"
        figures = f"{took.build:>10.4f}{took.solve:>10.4f}{took.total:>10.4f}{took.memory:>10.0f}"
        print(place + figures + times + verdict, flush=True)


def compile_boost(folder: Path) -> str:
    """Makes `howard` in the folder; why not, if that fails."""
    compiler = shutil.which("g++")
    if not compiler:
        return "no g++"
    command = [compiler, "-O3", "-w", "-o", str(folder / "howard"), str(PEERS / "howard.cpp")]
    failed = subprocess.run(command, capture_output=True, check=False).returncode
    return "howard.cpp does not compile (libboost-graph-dev?)" if failed else ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Maximum cycle ratio: snnir, Boost and networkx.")
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000, 10_000])
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=20, help="seconds after which a peer is stopped")
    parser.add_argument("--shuffle", action="store_true", help="number the nodes at random")
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        missing = compile_boost(folder)
        if missing:
            print(f"Boost is left out: {missing}")
        heads = "".join(f"{head:>10}" for head in ("build s", "solve s", "all s", "peak MB", "solve x", "all x"))
        print(f"{'graph':6}{'nodes':>9}{'edges':>9}  {'program':11}{heads}")
        for family in arguments.families:
            for size in arguments.sizes:
                rng = np.random.default_rng(size)
                columns = FAMILIES[family](size, rng)
                if arguments.shuffle:
                    number = rng.permutation(size)
                    columns = (number[columns[0]], number[columns[1]], *columns[2:])
                path = folder / "graph"
                write(path, size, columns)
                edges = len(columns[0])
                del columns
                results = measure(programs(folder, size), path, arguments.runs, arguments.limit)
                table(family, size, edges, results, arguments.limit)


if __name__ == "__main__":
    main()
