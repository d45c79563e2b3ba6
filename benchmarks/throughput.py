"""Guarantee, prediction and simulation of sample networks and workloads, beside the naive bound and paper mode.

    python -m benchmarks.throughput

`naive`: every firing and every transport of a step one after the other, nothing overlapping: what a user without
dataflow analysis would have to assume. `paper`: the graph of clusters that the published work analyses, with the mean
firing time of a cluster, without links, buffers and orders: no guarantee. `peak-driven`: the machine's event-driven
simulation with the assumed peak activity in every step; guarantee / peak-driven is the tightness of the model itself.
`simulated`: with real spikes, those of the held-out digits for the samples; workloads get random input spikes, measured
by `snn-profile` on the same. `error`: of the prediction against it.
"""

import sys
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.passes import ModulePass, PassPipeline

from benchmarks.machines import grid, module_of
from benchmarks.workloads import build
from snnir import machine
from snnir.cli.pipeline import build_passes
from snnir.dialects.cluster import ProgramOp
from snnir.dialects.dataflow import GraphOp
from snnir.dialects.platform import ATTRIBUTE, machine_of
from snnir.dialects.snn import InputOp
from snnir.emit import emit
from snnir.flow.pipeline import default_pipeline
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.frontend.snn.reader import read
from snnir.maxplus.analysis import analyze
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import program
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.bound_transport import DataflowBoundTransport
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.paper import paper_graph
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.passes.snn.profile import SNNProfile
from snnir.passes.snn.quantize import SNNQuantize
from snnir.sim.data import read_spike_arrays
from snnir.universe import SNNIR_UNIVERSE

SAMPLES = Path(__file__).parent.parent / "samples"
DATA = SAMPLES / "digits" / "test_spikes.npz"
NETWORKS = ("digits", "digits_recurrent")
PLATFORMS = ("mesh2x2-128", "mesh2x2-64", "mesh2x2-32")
WORKLOADS = (
    ("mlp784", 2, 2, 128, "xy"),
    ("mlp784", 3, 4, 64, "xy"),
    ("respclass", 2, 9, 128, "xy"),
    ("recurrent_digits", 7, 1, 128, "tree"),
    ("recurrent_digits", 4, 3, 128, "tree"),
    ("lenet28", 10, 1, 128, "tree"),
    ("reservoir", 4, 4, 128, "tree"),
)
"""Name, side of the mesh, crossbars per tile, their rows and columns, and kind of routes."""
STEPS = 2000
"""Steps with real spikes, at most."""
PEAKS = 200
"""Steps with the assumed peaks."""
RANDOM = (4, 50, 0.08)
"""Samples and steps of random input spikes, and their probability."""


class Watch:
    """What is known of a compilation before its graph is replaced by the machine: steps per second."""

    def __init__(self) -> None:
        self.naive = self.paper = self.predicted = 0.0

    def __call__(self, previous: object, module: ModuleOp, following: object) -> None:
        target = machine_of(module)
        ops = list(module.body.block.ops)
        graph = next((op for op in ops if isinstance(op, GraphOp) and op.predicted is not None), None)
        clusters = next((op for op in ops if isinstance(op, ProgramOp)), None)
        if graph is None or clusters is None or target is None or graph.predicted is None:
            return
        self.naive = target.units_per_second / sum(max(actor.times) for actor in graph.actors)
        self.predicted = float(target.units_per_second / graph.predicted.data)
        work = sum(actor.means[0] for actor in graph.actors if actor.resource_name is not None)
        time = round(work / len(clusters.clusters))
        period = analyze(to_sdf(paper_graph(clusters, module, NetworkActivity(program(module), "peak"), time))).period
        self.paper = float(target.units_per_second / period) if period else float("inf")


def apply(module: ModuleOp, passes: list[ModulePass]) -> Watch:
    """Run the passes."""
    watch, context = Watch(), Context()
    context.load_dialect(Builtin)
    PassPipeline(tuple(passes), watch).apply(context, module)
    return watch


def sample(network: str, platform: str) -> list[str]:
    """The line of a sample on a sample platform."""
    with redirect_stderr(StringIO()):  # notes about the replaced platform
        module = read(SAMPLES / "digits" / f"{network}.snn", FrontendOptions())
    module.attributes[ATTRIBUTE] = read_platform(SAMPLES / "platforms" / f"{platform}.toml")
    target = machine_of(module)
    assert target is not None
    passes = build_passes(default_pipeline(target, str(DATA), None, "peak"), SNNIR_UNIVERSE.all_passes)
    return row(module, apply(module, list(passes)), read_spike_arrays(DATA))


def workload(name: str, side: int, crossbars: int, lines: int, algorithm: str) -> list[str]:
    """The line of a workload, with random input spikes."""
    target = grid(side, crossbars, rows=lines, columns=lines, max_delay=64)
    module = module_of(build(name), replace(target, name=f"{side}x{side}"))
    network = program(module)
    samples, steps, likely = RANDOM
    steps = network.steps.data if network.steps is not None else steps
    rng = np.random.default_rng(0)
    inputs = {
        op.sym_name.data: (rng.random((samples, steps, op.size)) < likely).astype(np.uint8)
        for op in network.walk()
        if isinstance(op, InputOp)
    }
    with TemporaryDirectory() as directory:
        data = Path(directory) / "spikes.npz"
        np.savez(data, **inputs)  # pyright: ignore[reportArgumentType]
        route = ClusterRoute("tree" if algorithm == "tree" else "xy")
        mapping = [SNNQuantize(), SNNProfile(str(data)), ConvertSNNToCluster(), ClusterPlace(), route]
        analysis = [ConvertClusterToDataflow(), DataflowSchedule(), DataflowBoundTransport()]
        rest = [DataflowAnalyzeThroughput(slack=False), ConvertDataflowToCrossbar()]
        return row(module, apply(module, [*mapping, *analysis, *rest]), inputs)


def row(module: ModuleOp, watch: Watch, inputs: Mapping[str, NDArray[np.uint8]]) -> list[str]:
    """One line of the table."""
    with TemporaryDirectory() as directory:
        emit(module, Path(directory))
        configuration = machine.load(directory)
    run = machine.run(configuration, inputs)
    assert configuration.guarantee is not None
    guarantee = configuration.guarantee.steps_per_second
    steps = min(STEPS, run.counts.steps)
    peak = machine.simulate(configuration, machine.peak_counts(configuration, PEAKS)).steps_per_second
    real = machine.simulate(configuration, run.counts, steps).steps_per_second
    assert peak is not None
    assert real is not None
    rates = [f"{rate:,.0f}" for rate in (watch.naive, watch.paper, guarantee, peak, watch.predicted, real)]
    return [*rates[:4], f"{guarantee / peak:.3f}", *rates[4:], f"{watch.predicted / real - 1:+.1%}"]


def main() -> None:
    """Print the table."""
    header = ("naive", "paper", "guarantee", "peak-driven", "tightness", "predicted", "simulated", "error")
    print(f"{'steps per second':36}" + "".join(f"{name:>13}" for name in header))
    for network in NETWORKS:
        for platform in PLATFORMS:
            print(f"{network + ' on ' + platform:36}" + "".join(f"{cell:>13}" for cell in sample(network, platform)))
    for name, side, crossbars, lines, algorithm in WORKLOADS:
        title = f"{name}, {side}x{side} tiles of {crossbars} x {lines}, {algorithm}"
        cells = workload(name, side, crossbars, lines, algorithm)
        print(f"{title:36}" + "".join(f"{cell:>13}" for cell in cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
