"""Many flows of unequal size on few links: no step is later than guaranteed, and the guarantee is close.

Most transport here is bounded by what other flows have to send, not by round-robin alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from networks import run_passes
from numpy.typing import NDArray
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.utils.exceptions import DiagnosticException

from benchmarks.machines import grid, module_of
from benchmarks.workloads import build
from snnir import machine
from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_attributes import UseAttr
from snnir.emit import emit
from snnir.passes.base import only
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.bound_transport import DataflowBoundTransport
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.dataflow.waits import AFTER, waits_of
from snnir.passes.snn.quantize import SNNQuantize

STEPS = 60
CheckGuarantee = Callable[[machine.Configuration, machine.Counts, int, str], Fraction | None]


def graph_of(name: str, side: int, crossbars: int, lines: int, space: int = 2) -> tuple[ModuleOp, GraphOp]:
    """A workload on `side` x `side` tiles with crossbars of `lines` x `lines`, as a dataflow graph."""
    target = grid(side, crossbars, rows=lines, columns=lines, max_delay=64)
    module = module_of(build(name, activity=8.0), target)
    mapping = (SNNQuantize(), ConvertSNNToCluster(), ClusterPlace(), ClusterRoute())
    run_passes(module, *mapping, ConvertClusterToDataflow(space=space))
    return module, only(module, GraphOp, "")


def configured(module: ModuleOp, folder: Path) -> machine.Configuration:
    """The machine for a graph."""
    run_passes(module, DataflowSchedule(), DataflowBoundTransport())
    run_passes(module, DataflowAnalyzeThroughput(slack=False), ConvertDataflowToCrossbar())
    emit(module, folder)
    return machine.load(folder)


def up_to(most: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Any numbers of spikes."""
    return rng.integers(0, most + 1)


def all_or_none(most: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """All spikes in about half of the steps."""
    return most * rng.integers(0, 2, most.size)


@pytest.mark.parametrize(
    ("name", "side", "crossbars", "lines", "least"),
    [
        ("mlp784", 2, 2, 128, 0.95),
        ("mlp784", 2, 8, 64, 0.9),
        ("mlp784", 3, 4, 64, 0.9),
        ("recurrent_digits", 4, 3, 128, 0.9),
    ],
)
def test_no_step_is_late(
    name: str, side: int, crossbars: int, lines: int, least: float, tmp_path: Path, check_guarantee: CheckGuarantee
) -> None:
    module, _ = graph_of(name, side, crossbars, lines)
    configuration = configured(module, tmp_path)
    peaks = machine.peak_counts(configuration, STEPS)
    tightness = check_guarantee(configuration, peaks, STEPS, "contention, peak spikes")
    assert tightness is not None
    assert tightness >= least
    for seed, some in enumerate((up_to, up_to, all_or_none)):
        fields = [
            {
                part: some(most, np.random.default_rng([seed, number]))
                for number, (part, most) in enumerate(each.items())
            }
            for each in (peaks.spikes_in, peaks.spikes_out)
        ]
        check_guarantee(configuration, machine.Counts(*fields), STEPS, "contention, random spikes")


def with_capacities(graph: GraphOp, change: Callable[[int], int]) -> None:
    """Change the capacity of every channel with one."""
    for actor in graph.actors:
        uses = [each.data for each in actor.channels]
        changed = [
            use if use.capacity is None else replace(use, capacity=max(use.tokens + 1, change(use.capacity)))
            for use in uses
        ]
        actor.channels = ArrayAttr(map(UseAttr, changed))


def test_more_space_than_transport_was_bounded_for_is_refused(tmp_path: Path) -> None:
    module, graph = graph_of("mlp784", 2, 2, 128)
    with_capacities(graph, lambda capacity: capacity + 3)
    with pytest.raises(
        DiagnosticException, match=r"@pixels\.carry\S+ takes \d+, \d+ with the clusters and activity of now"
    ):
        configured(module, tmp_path)


def test_more_space_that_transport_was_bounded_for_is_taken(tmp_path: Path, check_guarantee: CheckGuarantee) -> None:
    module, graph = graph_of("mlp784", 2, 2, 128, space=4)
    assert max(use.data.capacity or 0 for actor in graph.actors for use in actor.channels) == 4
    configuration = configured(module, tmp_path)
    check_guarantee(configuration, machine.peak_counts(configuration, STEPS), STEPS, "contention, peak spikes")


@pytest.mark.parametrize("name", ["mlp784", "recurrent_digits"])
def test_less_space_is_taken(name: str, tmp_path: Path, check_guarantee: CheckGuarantee) -> None:
    module, graph = graph_of(name, 4, 3, 128)
    with_capacities(graph, lambda capacity: capacity - 1)
    configuration = configured(module, tmp_path)
    check_guarantee(configuration, machine.peak_counts(configuration, STEPS), STEPS, "contention, peak spikes")


def test_times_with_deadlines_are_refused_without_their_waits(tmp_path: Path) -> None:
    module, graph = graph_of("recurrent_digits", 4, 3, 128)
    run_passes(module, DataflowSchedule(), DataflowBoundTransport(), DataflowAnalyzeThroughput(slack=False))
    bounded = [actor for actor in graph.actors if len(waits_of(graph).get(actor.sym_name.data, {})) > 3]
    assert bounded
    assert not any(actor.concurrent.data for actor in bounded)
    with pytest.raises(DiagnosticException, match="bounded by deadlines already"):
        run_passes(module, DataflowBoundTransport())
    for actor in bounded:
        del actor.attributes[AFTER]
    with pytest.raises(DiagnosticException, match=r"\.carry\S+ takes \d+, \d+ with the clusters and activity of now"):
        run_passes(module, ConvertDataflowToCrossbar())
