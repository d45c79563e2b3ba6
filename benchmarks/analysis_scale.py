"""Time and memory from placed and routed clusters to their guarantee, at real network sizes.

    python -m benchmarks.analysis_scale [--runs 3] [--networks mlp784 lenet28 alexnet_disco] [--slack]

Each row is a process of its own, medians over the runs: processor seconds of `convert-cluster-to-dataflow`,
`dataflow-schedule` and `dataflow-analyze-throughput` (without the slack of actors, unless asked for) and their sum;
the largest resident memory of the process, the program and its weights included; actors and channels of the graph, and
its period in the machine's unit. Routes are trees. Making, clustering, placing and routing the program is not counted:
that is `benchmarks.mapping_scale`. The kernels are compiled before, as in any process but the very first.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

from xdsl.context import Context

from benchmarks.machines import grid, module_of
from benchmarks.workloads import build
from snnir.dialects.dataflow import GraphOp
from snnir.passes.base import only
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule

NETWORKS = {"mlp784": (2, 2), "lenet28": (10, 1), "alexnet_disco": (31, 4)}
"""The side of the mesh and the crossbars of a tile."""
STEPS = ("convert", "schedule", "analyse")


def measure(name: str, *, slack: bool) -> dict[str, float]:
    """Seconds of each pass, size and period of the graph, and memory."""
    side, crossbars = NETWORKS[name]
    module = module_of(build(name, activity=8.0), grid(side, crossbars, max_delay=64))
    for step in (ConvertSNNToCluster(), ClusterPlace(), ClusterRoute(algorithm="tree")):
        step.apply(Context(), module)
    passes = ConvertClusterToDataflow(), DataflowSchedule(), DataflowAnalyzeThroughput(slack=slack)
    result: dict[str, float] = {}
    for key, step in zip(STEPS, passes, strict=True):
        start = time.process_time()
        step.apply(Context(), module)
        result[key] = time.process_time() - start
    graph = only(module, GraphOp, "")
    result["total"] = sum(result[key] for key in STEPS)
    result["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    result |= {key: passes[0].statistics[key] for key in ("actors", "channels")}
    return result | {"period": float(graph.period.data) if graph.period is not None else 0.0}


def apart(name: str, runs: int, *, slack: bool) -> dict[str, float]:
    """`measure` in processes of its own; medians."""
    words = [sys.executable, "-m", "benchmarks.analysis_scale", "--one", name, *(["--slack"] if slack else [])]
    found = [json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout) for _ in range(runs)]
    return {key: statistics.median(each[key] for each in found) for key in found[0]}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time and memory from placed and routed clusters to their guarantee.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--slack", action="store_true", help="compute the slack of every actor too")
    parser.add_argument("--one", choices=NETWORKS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, slack=arguments.slack)))
        return
    seconds = (*STEPS, "total", "gigabytes")
    print(f"{'network':16}{'actors':>9}{'channels':>10}{'period':>13}" + "".join(f"{name:>11}" for name in seconds))
    for name in arguments.networks:
        row = apart(name, arguments.runs, slack=arguments.slack)
        figures = f"{row['actors']:>9,.0f}{row['channels']:>10,.0f}{row['period']:>13,.0f}"
        print(f"{name:16}{figures}" + "".join(f"{row[key]:>11.2f}" for key in seconds), flush=True)


if __name__ == "__main__":
    main()
