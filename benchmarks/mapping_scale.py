"""Time and memory from a program to placed and routed clusters, at real network sizes; and how they grow.

    python -m benchmarks.mapping_scale [--runs 3]

Each row is a process of its own: seconds of each pass, `total` with a verification of the whole module after each, and
the largest resident memory of the process (the program and its weights included). Making the program is not counted.
Peers, quoted: Mt-KaHyPar 1.7 takes 433 s (default) and 769 s (deterministic preset) and 3.3 GB to partition
alexnet_disco as a hypergraph on 2 threads, without a limit on axons; PACMAN 7.4.1 places populations, not neurons.

The sweep clusters convolutional networks of growing size; the exponent is that of seconds ~ (n log n) ** exponent,
fitted over the sizes, n in clusters: 1 is n log n.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

from xdsl.context import Context

from benchmarks.machines import grid, module_of
from benchmarks.workloads import build
from benchmarks.workloads.counting import neurons, synapses
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute

Case = tuple[str, dict[str, Any], dict[str, Any]]
"""A workload, its options, and entries of the machine's crossbars."""
NETWORKS: dict[str, Case] = {
    "alexnet_disco, unrolled": ("alexnet_disco", {}, {}),
    "microcircuit at 10 %": ("microcircuit", {"scale": 0.1}, {"max_delay": 64}),
    "vgg16 224x224, shared": ("vgg16", {}, {"neurons": 16384}),
    "resnet18 224x224, shared": ("resnet18", {}, {"neurons": 16384}),
}
SWEEP = (16, 32, 48, 64)
"""Image sizes of alexnet_disco's layers."""


def measure(name: str, options: dict[str, Any], crossbar: dict[str, Any]) -> dict[str, float]:
    """Seconds of each pass, clusters and memory of one network."""
    network = build(name, activity=8.0, **options)
    module = module_of(network, grid(128, 4, **crossbar))
    result: dict[str, float] = {"neurons": neurons(network), "synapses": synapses(network)}
    total = 0.0
    for key, step in (
        ("cluster", ConvertSNNToCluster()),
        ("place", ClusterPlace()),
        ("route", ClusterRoute()),
    ):
        start = time.perf_counter()
        step.apply(Context(), module)
        result[key] = time.perf_counter() - start
        module.verify()
        total += time.perf_counter() - start
        if key == "cluster":
            result["clusters"] = step.statistics["clusters"]
    result["total"] = total
    result["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return result


def apart(case: Case, runs: int) -> dict[str, float]:
    """`measure` in processes of its own; medians."""
    words = [sys.executable, "-m", "benchmarks.mapping_scale", "--one", json.dumps(case)]
    found = [json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout) for _ in range(runs)]
    return {key: statistics.median(each[key] for each in found) for key in found[0]}


def exponent(points: list[tuple[float, float]]) -> float:
    """The slope of log seconds over log (n log n)."""
    x = [math.log(n * math.log(n)) for n, _ in points]
    y = [math.log(seconds) for _, seconds in points]
    return statistics.linear_regression(x, y).slope


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Time and memory from a program to placed and routed clusters.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*json.loads(arguments.one))))
        return
    columns = ("clusters", "cluster", "place", "route", "total", "gigabytes")
    print(f"{'network':27}{'neurons':>12}{'synapses':>16}" + "".join(f"{name:>11}" for name in columns))
    for title, network in NETWORKS.items():
        row = apart(network, arguments.runs)
        figures = "".join(f"{row[name]:>11.2f}" for name in columns[1:])
        print(
            f"{title:27}{row['neurons']:>12,.0f}{row['synapses']:>16,.0f}{row['clusters']:>11,.0f}{figures}", flush=True
        )
    points: list[tuple[float, float]] = []
    print(f"\n{'sweep: image':14}{'clusters':>10}{'seconds':>10}{'us per n log n':>16}")
    for size in SWEEP:
        row = apart(("alexnet_disco", {"size": size}, {}), arguments.runs)
        n, seconds = row["clusters"], row["total"]
        points.append((n, seconds))
        each = 1e6 * seconds / (n * math.log(n))
        bar = "#" * round(each / 10)
        print(f"{size:>8}x{size:<5}{n:>10,.0f}{seconds:>10.2f}{each:>16.1f}  {bar}", flush=True)
    print(f"seconds ~ (n log n) ** {exponent(points):.2f}")


if __name__ == "__main__":
    main()
