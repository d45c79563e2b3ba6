"""The price of sharing a crossbar: crossbars against guaranteed throughput, for each workload.

    python -m benchmarks.slices [--workloads mlp784 lenet_disco ...]

Slices of one crossbar fire one after the other, so fewer crossbars are slower. `convert-snn-to-cluster{slices=n}` lets
at most n slices share a crossbar; 0 sets no limit. Throughput is guaranteed for the activity of the profile (synthetic,
8 spikes in 100 steps and neuron), in steps per second, on a mesh of 128x128 crossbars, one on each tile. `front` marks
the points that no other point beats in both.
"""

import argparse

from xdsl.context import Context

from benchmarks.machines import grid, module_of
from benchmarks.workloads import WORKLOADS, build
from snnir.dialects.dataflow import GraphOp
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule

DEFAULT = ("mlp784", "respclass", "recurrent_digits", "lenet28", "lenet_disco")
LIMITS = (1, 2, 3, 4, 0)


def point(workload: str, slices: int) -> tuple[int, float]:
    """Clusters, and guaranteed steps per second."""
    machine = grid(32, max_delay=64)
    module = module_of(build(workload, activity=8.0), machine)
    convert = ConvertSNNToCluster(slices=slices)
    for step in (
        convert,
        ClusterPlace(),
        ClusterRoute(),
        ConvertClusterToDataflow(),
        DataflowSchedule(),
        DataflowAnalyzeThroughput(),
    ):
        step.apply(Context(), module)
    (graph,) = (op for op in module.body.block.ops if isinstance(op, GraphOp))
    assert graph.period is not None
    return convert.statistics["clusters"], float(machine.units_per_second / graph.period.data)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Crossbars against guaranteed throughput.")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=DEFAULT)
    arguments = parser.parse_args()
    print(f"{'workload':18}{'slices':>7}{'crossbars':>11}{'steps/s guaranteed':>20}  front")
    for workload in arguments.workloads:
        points = {limit: point(workload, limit) for limit in LIMITS}
        for limit, (clusters, speed) in points.items():
            beaten = any(c <= clusters and s >= speed and (c, s) != (clusters, speed) for c, s in points.values())
            print(f"{workload:18}{limit or 'any':>7}{clusters:>11}{speed:>20,.0f}  {'' if beaten else '*'}", flush=True)


if __name__ == "__main__":
    main()
