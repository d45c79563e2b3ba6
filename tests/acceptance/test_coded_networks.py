"""Ordinary networks on crossbars: the configuration gives the codes of the program, and of plain whole numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from coded_networks import Layer, input_codes, module_of, random_layers
from networks import program_of, run_passes, set_machine
from numpy.typing import NDArray

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
from snnir.sim import simulate

SAMPLES, CODE_BITS = 3, 6
DENSE, PLANE = (150,), (2, 9, 9)
NETWORKS = {"dense": (DENSE, (90, 40, 10)), "conv": (PLANE, (5, 6, 10))}


def crossbars(side: int, bits: int, signs: str, cell_bits: int, neurons: int = 0) -> Machine:
    """A machine with more crossbars than any program here needs."""
    crossbar = Crossbar(
        side,
        side,
        bits,
        "digital",
        ("relu", "clip"),
        0,
        neurons,
        signal_bits=CODE_BITS,
        cell_bits=cell_bits,
        signs=signs,
    )
    time = Time("ns", read=10, event=3, convert=40, columns_per_adc=3, add=1, update=1, spike=2)
    return Machine("coded", Tiles((4, 4), 16), crossbar, Buffers(1 << 16), time=time)


def lowered(shape: tuple[int, ...], layers: list[Layer], target: Machine, directory: Path) -> machine.Configuration:
    """The configuration of a network, for whatever codes may come."""
    module = module_of(shape, layers, CODE_BITS)
    set_machine(module, target)
    passes = [
        ConvertSNNToCluster(),
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


def expected_codes(
    values: NDArray[np.float64], shape: tuple[int, ...], layers: list[Layer]
) -> dict[str, NDArray[np.int64]]:
    """In plain numpy, (samples, 1, neurons)."""
    signal = input_codes(values, CODE_BITS).reshape(len(values), *shape)
    found: dict[str, NDArray[np.int64]] = {}
    for layer in layers:
        signal = layer.of(signal)
        found[layer.name] = signal.reshape(len(signal), 1, -1)
    return found


@pytest.mark.parametrize(("signs", "cell_bits"), [("cell", 0), ("pair", 4)])
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("side", [64, 128, 256])
@pytest.mark.parametrize("kind", NETWORKS)
def test_expansion_is_lossless(kind: str, side: int, bits: int, signs: str, cell_bits: int, tmp_path: Path) -> None:
    """Codes of program, configuration and whole numbers in plain numpy are the same, whatever the crossbars."""
    rng = np.random.default_rng([side, bits])
    shape, sizes = NETWORKS[kind]
    layers = random_layers(rng, shape, sizes, bits, CODE_BITS)
    values = rng.uniform(-1.2, 7.5, (SAMPLES, 1, int(np.prod(shape))))
    expected = expected_codes(values, shape, layers)
    network = program_of(module_of(shape, layers, CODE_BITS))
    assert all(each.exact for each in network.activations.values())
    program = simulate(network, {"x": values})
    configuration = lowered(shape, layers, crossbars(side, bits, signs, cell_bits), tmp_path / "machine")
    found = machine.run(configuration, machine.encoded(configuration, {"x": values}))
    assert set(found.spikes) == set(expected)
    for name, plain in expected.items():
        assert np.array_equal(program[name], plain), name
        assert np.array_equal(found.spikes[name], plain), name
        assert len(np.unique(plain)) > 5, name
    per_weight = {("cell", 4): 1, ("cell", 8): 1, ("pair", 4): 2, ("pair", 8): 4}[signs, bits]
    for crossbar in configuration.crossbars:
        assert crossbar.cells.shape == (side, side // per_weight)
    for counts in (found.counts, machine.peak_counts(configuration, 4)):
        assert machine.check_guarantee(configuration, machine.simulate(configuration, counts), counts).holds
    for name, plain in expected.items():
        parts = [part for part in configuration.slices.values() if part.population == name and not part.is_partial]
        assert sum(found.counts.spikes_out[part.name].sum() for part in parts) == np.count_nonzero(plain)


def test_kernels_read_several_times(tmp_path: Path) -> None:
    """A convolution whose kernel is programmed once: windows carry codes like rows do."""
    rng = np.random.default_rng(5)
    shape, sizes = NETWORKS["conv"]
    layers = random_layers(rng, shape, sizes, 8, CODE_BITS)
    values = rng.uniform(-1.2, 7.5, (SAMPLES, 1, int(np.prod(shape))))
    configuration = lowered(shape, layers, crossbars(128, 8, "cell", 0, neurons=1024), tmp_path / "machine")
    assert any(part.windows is not None for part in configuration.slices.values())
    found = machine.run(configuration, machine.encoded(configuration, {"x": values}))
    for name, plain in expected_codes(values, shape, layers).items():
        assert np.array_equal(found.spikes[name], plain), name
    assert machine.check_guarantee(configuration, machine.simulate(configuration, found.counts), found.counts).holds
