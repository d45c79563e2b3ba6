"""Every operator: the emitted configuration gives the spikes of the program, neuron for neuron and step for step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import program_of, random_spikes, run_passes, set_machine
from operator_networks import OPERATORS, operator_program
from xdsl.dialects.builtin import ModuleOp

from snnir import machine
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles, Time
from snnir.emit import emit
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.snn.quantize import SNNQuantize
from snnir.sim import simulate

SAMPLES, STEPS = 2, 12
ALGORITHMS = ("structured", "sequential", "greedy")


def small(rows: int, columns: int, bits: int, fanin: str = "digital") -> Machine:
    """A machine with more small crossbars than any program here needs."""
    crossbar = Crossbar(rows, columns, bits, fanin, max_delay=12)
    return Machine("small", Tiles((2, 2), 64), crossbar, Buffers(4096), time=Time("ns", read=10, event=1))


def lowered(module: ModuleOp, algorithm: str, directory: Path) -> machine.Configuration:
    """The configuration of a program, with the crossbars of one clustering."""
    clustering = ConvertSNNToCluster(algorithm=algorithm)  # pyright: ignore[reportArgumentType]
    passes = [
        clustering,
        ClusterPlace(algorithm="row-major"),
        ClusterRoute(),
        ConvertClusterToDataflow(activity="worst"),
        DataflowSchedule(),
        DataflowAnalyzeThroughput(slack=False),
        ConvertDataflowToCrossbar(),
    ]
    directory.mkdir()
    emit(run_passes(module, *passes), directory)
    return machine.load(directory)


def assert_same(module: ModuleOp, algorithm: str, directory: Path) -> None:
    """Program and configuration give the same spikes, and enough of them."""
    network = program_of(module)
    inputs = random_spikes(np.random.default_rng(7), network, SAMPLES, STEPS)
    expected = simulate(network, inputs)
    found = machine.run(lowered(module, algorithm, directory), inputs).spikes
    assert set(found) == set(network.populations)
    for name, spikes in found.items():
        assert np.array_equal(expected[name], spikes), name
        assert 0.01 < spikes.mean() < 0.98, (name, spikes.mean())


@pytest.mark.parametrize(
    ("rows", "columns", "algorithm"), [*((16, 16, each) for each in ALGORITHMS), (24, 12, ALGORITHMS[0])]
)
@pytest.mark.parametrize("operator", OPERATORS)
def test_with_integers(operator: str, rows: int, columns: int, algorithm: str, tmp_path: Path) -> None:
    """Floats, rounded for a machine of 8 bits; sums of integers are exact however they are split."""
    module = operator_program(operator)
    set_machine(module, small(rows, columns, bits=8))
    run_passes(module, SNNQuantize())
    assert all(population.exact for population in program_of(module).populations.values())
    assert_same(module, algorithm, tmp_path / "machine")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("operator", [name for name in OPERATORS if name != "pools_of_nine"])
def test_without_stated_precision(operator: str, algorithm: str, tmp_path: Path) -> None:
    """Weights on a grid, so that sums of floats are exact too."""
    module = operator_program(operator, grid=True)
    set_machine(module, small(16, 16, bits=0))
    assert_same(module, algorithm, tmp_path / "machine")


@pytest.mark.parametrize("bits", [3, 4, 6, 12, 16])
@pytest.mark.parametrize("operator", ["skip", "pools_between", "parallel", "in_a_row", "sums"])
def test_other_precisions(operator: str, bits: int, tmp_path: Path) -> None:
    module = operator_program(operator)
    set_machine(module, small(16, 16, bits=bits))
    run_passes(module, SNNQuantize())
    again = SNNQuantize()
    text = str(run_passes(module, again).clone())
    assert not [name for name, value in again.statistics.items() if name.endswith("changed") and value], text
    assert_same(module, "structured", tmp_path / "machine")


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_grid_is_kept(operator: str) -> None:
    """Weights that are integers of 8 bits times a power of two stay as they are, beside an identity too."""
    module = operator_program(operator, grid=True)
    set_machine(module, replace(small(16, 16, bits=8), name="exact"))
    network = program_of(module)
    inputs = random_spikes(np.random.default_rng(3), network, SAMPLES, STEPS)
    quantise = SNNQuantize()
    run_passes(module, quantise)
    changed = sum(value for name, value in quantise.statistics.items() if name.endswith("changed"))
    assert bool(changed) == (operator in ROUNDED)
    if operator not in {*ROUNDED, "pools_of_nine"}:
        expected, found = simulate(network, inputs), simulate(program_of(module), inputs)
        assert all(np.array_equal(expected[name], found[name]) for name in network.populations)


ROUNDED = {"pools_between", "parallel", "in_a_row", "skip"}
"""Windows that overlap, and weights that add up to more than 8 bits hold; an identity of 128 units."""
