"""Buffer space against throughput: fronts of published graphs, and what mapped networks need for their guarantee.

    python -m benchmarks.buffers [--graphs ../shared/data/sdf3] [--workloads mlp784 lenet28 ...]

The first table: for SDF3 files, the exact front (tokens at period) beside the one found incrementally, with times; the
graphs of a file `pareto_reference.csv` are compared with it. The second: tokens and values (tokens times spikes in a
token) that the channels of a mapped network have space for, as converted and after `dataflow-size-buffers`, at the same
guarantee. One 128x128 crossbar on each tile, synthetic activity (8 spikes in 100 steps and neuron).
"""

import argparse
import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from benchmarks.machines import grid, module_of
from benchmarks.workloads import WORKLOADS, build
from snnir.dialects.dataflow import GraphOp
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sdf3.reader import read
from snnir.maxplus.buffers import Buffers, pareto
from snnir.maxplus.sdf import SDFGraph
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.dataflow.size_buffers import DataflowSizeBuffers
from snnir.passes.dataflow.to_sdf import to_sdf

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "sdf3"
SHOWN = 5
"""Points of a front that are printed."""


def graph_of(module: ModuleOp) -> GraphOp:
    """The dataflow graph of a module."""
    (graph,) = (op for op in module.body.block.ops if isinstance(op, GraphOp))
    return graph


def reference(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Throughput, to six digits, and tokens of the points of each graph."""
    points: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with (folder / "pareto_reference.csv").open(newline="") as file:
        for name, throughput, tokens, *_ in list(csv.reader(file))[1:]:
            points[name].append((throughput, tokens))
    return points


def application(folder: Path, name: str) -> SDFGraph | None:
    """A graph of the folder; `__noac` is one whose actors fire one after another, if the file is not there."""
    path = folder / f"{name}.xml"
    if path.exists():
        return to_sdf(graph_of(read(path, FrontendOptions())))
    path = folder / f"{name.removesuffix('__noac')}.xml"
    if path.exists():
        sdf = to_sdf(graph_of(read(path, FrontendOptions())))
        return replace(sdf, actors=tuple(replace(actor, concurrency=1) for actor in sdf.actors))
    return None


def text(points: tuple[Buffers, ...]) -> str:
    """The first points of a front."""
    shown = ", ".join(f"{point.size} at {point.period}" for point in points[:SHOWN])
    return shown + (f", ... ({len(points)} points)" if len(points) > SHOWN else "")


def fronts(folder: Path) -> None:
    """Print the first table."""
    for name, expected in sorted(reference(folder).items()):
        sdf = application(folder, name)
        if sdf is None:
            print(f"{name}: not there")
            continue
        begin = perf_counter()
        exact = pareto(sdf, algorithm="exact")
        middle = perf_counter()
        incremental = pareto(sdf, algorithm="incremental")
        end = perf_counter()
        found = [(f"{float(point.throughput or 0):.6g}", str(point.size)) for point in exact]
        agrees = "as the reference" if found == expected else f"NOT the reference {expected}"
        print(f"{name}: {text(exact)}: {agrees}; {middle - begin:.2f} s")
        print(f"{'':4}incremental: {text(incremental)}; {end - middle:.2f} s", flush=True)


def sized(workload: str) -> None:
    """Print the lines of a workload."""
    machine = grid(32, max_delay=64)
    module = module_of(build(workload, activity=8.0), machine)
    for step in (ConvertSNNToCluster(), ClusterPlace(), ClusterRoute(), ConvertClusterToDataflow(), DataflowSchedule()):
        step.apply(Context(), module)
    DataflowAnalyzeThroughput(slack=False).apply(Context(), module)
    before = graph_of(module).period
    assert before is not None
    for weight in ("tokens", "size"):
        smaller = module.clone()
        step = DataflowSizeBuffers(weight=weight)
        begin = perf_counter()
        step.apply(Context(), smaller)
        seconds = perf_counter() - begin
        DataflowAnalyzeThroughput(slack=False).apply(Context(), smaller)
        after = graph_of(smaller).period
        assert after is not None
        assert after.data <= before.data
        count = step.statistics
        print(
            f"{workload:18}{weight:>8}{count['tokens before']:>10,}{count['tokens after']:>10,}"
            f"{count['tokens times size before']:>12,}{count['tokens times size after']:>12,}"
            f"{float(machine.units_per_second / before.data):>10,.0f}"
            f"{float(machine.units_per_second / after.data):>10,.0f}"
            f"{'exact' if count['smallest possible'] else 'found':>7}{seconds:>8.2f}",
            flush=True,
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Buffer space against throughput.")
    parser.add_argument("--graphs", type=Path, default=DATA)
    parser.add_argument("--workloads", nargs="*", choices=WORKLOADS, default=("mlp784", "lenet28"))
    arguments = parser.parse_args()
    if (arguments.graphs / "pareto_reference.csv").exists():
        fronts(arguments.graphs)
    header = ("least", "tokens", "after", "values", "after", "steps/s", "after", "", "s")
    widths = (8, 10, 10, 12, 12, 10, 10, 7, 8)
    print(f"{'workload':18}" + "".join(f"{name:>{width}}" for name, width in zip(header, widths, strict=True)))
    for workload in arguments.workloads:
        sized(workload)


if __name__ == "__main__":
    main()
