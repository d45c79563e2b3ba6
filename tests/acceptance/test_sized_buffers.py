"""`dataflow-size-buffers` through to the machine: the same spikes, and never slower than guaranteed with less space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import CheckGuarantee
from networks import NetworkMaker, fit, program_of, random_machine, random_spikes, run_passes, set_machine
from xdsl.dialects.builtin import ArrayAttr, ModuleOp

from snnir import machine
from snnir.dialects.dataflow import GraphOp, UseAttr
from snnir.emit import emit
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn.reader import read
from snnir.passes.base import LoweringError, only
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.dataflow.size_buffers import DataflowSizeBuffers
from snnir.passes.snn.profile import SNNProfile
from snnir.sim import simulate
from snnir.sim.data import read_spike_arrays
from snnir.testing import Outcome

SAMPLES, STEPS = 3, 16


def scheduled(module: ModuleOp, space: int = 2) -> GraphOp:
    """The graph of a program that fits its machine, with orders and its period."""
    run_passes(
        module,
        ConvertSNNToCluster(),
        ClusterPlace(),
        ClusterRoute(),
        ConvertClusterToDataflow(space=space),
        DataflowSchedule(),
        DataflowAnalyzeThroughput(slack=False),
    )
    return only(module, GraphOp, "")


def random_program(seed: int, folder: Path) -> tuple[ModuleOp, np.random.Generator]:
    """A random program with its profile on a random machine that it fits."""
    rng = np.random.default_rng([seed, 77])
    module = NetworkMaker(rng, recurrent=seed % 2 == 1, weights="grid").module()
    set_machine(module, random_machine(rng, bits=8))
    inputs = random_spikes(rng, program_of(module), SAMPLES, STEPS)
    np.savez(folder / "spikes.npz", **inputs)  # pyright: ignore[reportArgumentType]
    fit(module, rng)
    run_passes(module, SNNProfile(str(folder / "spikes.npz")))
    return module, rng


def space(graph: GraphOp) -> int:
    """The capacities of all channels together."""
    return sum(use.data.capacity or 0 for actor in graph.actors for use in actor.channels)


@pytest.mark.parametrize("seed", range(40))
def test_random_networks(seed: int, tmp_path: Path, check_guarantee: CheckGuarantee) -> None:
    module, _ = random_program(seed, tmp_path)
    network, inputs = program_of(module), dict(read_spike_arrays(tmp_path / "spikes.npz"))
    graph = scheduled(module, space=1 + seed % 4)
    period, before = graph.period, space(graph)
    assert period is not None
    if seed % 3 == 0:
        sizing = DataflowSizeBuffers(period=str(period.data * Fraction(5, 4)))
    else:
        sizing = DataflowSizeBuffers(weight="size" if seed % 3 == 1 else "tokens")
    run_passes(module, sizing, DataflowAnalyzeThroughput(slack=False))
    assert space(graph) <= before
    assert graph.period is not None
    if seed % 3 == 0:
        assert graph.period.data <= period.data * Fraction(5, 4)
    else:
        assert graph.period == period
    run_passes(module, ConvertDataflowToCrossbar())
    (tmp_path / "machine").mkdir()
    emit(module, tmp_path / "machine")
    configuration = machine.load(tmp_path / "machine")
    run = machine.run(configuration, inputs)
    expected = simulate(network, inputs)
    for name in network.populations:
        assert np.array_equal(expected[name], run.spikes[name]), name
    check_guarantee(configuration, run.counts, SAMPLES * STEPS, "sized buffers, real spikes")
    check_guarantee(configuration, machine.peak_counts(configuration, 60), 60, "sized buffers, peak spikes")


@pytest.mark.parametrize(("name", "size"), [("digits", 64), ("digits_recurrent", 32)])
def test_samples(
    name: str, size: int, samples: Path, tmp_path: Path, snnc: Callable[..., Outcome], check_guarantee: CheckGuarantee
) -> None:
    program, data = samples / "digits" / f"{name}.snn", samples / "digits" / "test_spikes.npz"
    passes = (
        f"snn-quantize,snn-profile{{data={data}}},convert-snn-to-cluster,cluster-place,cluster-route,"
        "convert-cluster-to-dataflow{space=3},dataflow-schedule,dataflow-size-buffers,dataflow-analyze-throughput,"
        "convert-dataflow-to-crossbar"
    )
    platform = samples / "platforms" / f"mesh2x2-{size}.toml"
    outcome = snnc("compile", program, "--platform", platform, "--pass-pipeline", passes, "-o", tmp_path / "build")
    assert outcome.code == 0, outcome.err
    configuration = machine.load(tmp_path / "build" / "machine")
    inputs = read_spike_arrays(data)
    network = program_of(read(program, FrontendOptions()))
    run, expected = machine.run(configuration, inputs), simulate(network, inputs)
    for each in network.populations:
        assert expected[each].any()
        assert np.array_equal(expected[each], run.spikes[each]), each
    check_guarantee(configuration, run.counts, 600, "sized buffers, samples, real spikes")
    check_guarantee(configuration, machine.peak_counts(configuration, 600), 600, "sized buffers, samples, peak spikes")


def test_capacities_that_the_input_buffers_do_not_hold_are_refused(tmp_path: Path) -> None:
    """Where round-robin bounds transport, more space makes no time wrong; but the machine has to have it."""
    module, _ = random_program(2, tmp_path)
    graph = scheduled(module, space=1)
    for actor in graph.actors:
        uses = [use.data for use in actor.channels]
        actor.channels = ArrayAttr(
            UseAttr(use if use.capacity is None else replace(use, capacity=use.capacity + 10**9)) for use in uses
        )
    with pytest.raises(LoweringError, match=r"needs an input buffer of \d+ events, there is \d+"):
        run_passes(module, ConvertDataflowToCrossbar())
