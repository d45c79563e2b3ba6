"""Compiled samples on analog crossbars: the same as exact ones where nothing is wrong, else wrong by what is said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coded_networks import module_of, random_layers
from networks import run_passes, set_machine
from scipy.stats import binomtest

from snnir import machine
from snnir.analog.chip import Cells, Chip, cells_of, columns_per_weight, exact_columns
from snnir.analog.columns import gathered, spread
from snnir.analog.crossbar import Effects
from snnir.analog.device import Device
from snnir.analog.evaluate import EFFECTS, Outcome, Request, evaluate, interval
from snnir.analog.nodal import effective
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles, Time
from snnir.emit import emit
from snnir.errors import SnnirError
from snnir.machine.data import SpikeData, read_spikes
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.testing import run_in_process

SAMPLES = 12
IDEAL = Device(levels=16, r_on=1e4, r_off=1e6)
NOTHING = Effects(cells=False, wires=False, noise=False, converter=False, compensate=False)


def compiled(samples: Path, folder: Path, model: str, side: int) -> Path:
    """A sample for the shipped machine of resistive cells, with crossbars of another size."""
    text = (samples / "platforms" / "rram-128.toml").read_text()
    text = re.sub(r"(rows|columns) = 128", rf"\1 = {side}", text).replace("crossbars = 2", "crossbars = 8")
    (folder / "rram.toml").write_text(text)
    model = str(samples / "digits" / f"{model}.snn")
    words = ["compile", model, "--platform", str(folder / "rram.toml"), "--activity", "worst"]
    outcome = run_in_process(["snnc", *words, "-o", str(folder / "out")])
    assert outcome.code == 0, outcome.err
    return folder / "out" / "machine"


@pytest.fixture(scope="module", params=[("digits", 64), ("digits_recurrent", 128)], ids=["digits", "recurrent"])
def configuration(
    request: pytest.FixtureRequest, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> machine.Configuration:
    """A shipped sample, configured."""
    return machine.load(compiled(samples, tmp_path_factory.mktemp("analog"), *request.param))


@pytest.fixture(scope="module")
def digits(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> machine.Configuration:
    """The digits on crossbars of 64x64 cells."""
    return machine.load(compiled(samples, tmp_path_factory.mktemp("analog"), "digits", 64))


@pytest.fixture(scope="module")
def data(samples: Path) -> SpikeData:
    """The first held-out digits."""
    found = read_spikes(samples / "digits" / "test_spikes.npz")
    assert found.labels is not None
    return SpikeData({name: array[:SAMPLES] for name, array in found.inputs.items()}, found.labels[:SAMPLES])


def outcomes(
    configuration: machine.Configuration, data: SpikeData, device: Device, bits: int = 0, request: Request | None = None
) -> dict[str, Outcome]:
    """What `evaluate` finds, by name."""
    found = evaluate(configuration, Cells(device, bits), data.inputs, data.labels, request or Request(seeds=2))
    return {each.name: each for each in found}


def alike(outcome: Outcome) -> bool:
    """Whether every spike is that of exact crossbars."""
    return all(layer.equal == 1.0 and layer.sqnr is None for layer in outcome.layers.values())


def test_ideal_devices_compute_the_same_spikes(configuration: machine.Configuration, data: SpikeData) -> None:
    expected = machine.run(configuration, data.inputs)
    for effects in (NOTHING, Effects()):
        chip = Chip(configuration, Cells(IDEAL), effects, 0)
        for name, columns in exact_columns(configuration).items():
            rows = np.random.default_rng(0).integers(0, 64, (20, len(columns))).astype(np.float64)
            np.testing.assert_array_equal(chip.read(name, rows), rows @ columns)
        found = machine.run(configuration, data.inputs, reader=chip.read)
        assert found.counts.spikes_in.keys() == expected.counts.spikes_in.keys()
        for name, spikes in expected.spikes.items():
            assert spikes.any()
            np.testing.assert_array_equal(found.spikes[name], spikes)
    assert all(alike(each) for each in outcomes(configuration, data, IDEAL).values())


def test_codes_on_the_rows(tmp_path: Path) -> None:
    """An ordinary network: rows carry codes, outputs are codes with a sign."""
    rng = np.random.default_rng(0)
    layers = random_layers(rng, (70,), (40, 10), 8, 6)
    module = module_of((70,), layers, 6)
    crossbar = Crossbar(64, 64, 8, "digital", ("relu", "clip"), signal_bits=6, cell_bits=4, signs="pair")
    set_machine(module, Machine("coded", Tiles((4, 4), 4), crossbar, Buffers(1 << 16), time=Time("ns", 1)))
    passes = [ConvertSNNToCluster(), ClusterPlace(), ClusterRoute(), ConvertClusterToDataflow(activity="worst")]
    emit(run_passes(module, *passes, DataflowSchedule(), ConvertDataflowToCrossbar()), tmp_path)
    coded = machine.load(tmp_path)
    inputs = machine.encoded(coded, {"x": rng.uniform(-1.2, 7.5, (8, 1, 70))})
    assert all(each.code is not None for each in coded.populations)
    found = evaluate(coded, Cells(IDEAL), inputs, request=Request(seeds=1))
    assert all(alike(each) and not each.accuracies for each in found)
    device = replace(IDEAL, variation=0.01, wire=1.0)
    ratios = [
        [layer.sqnr for layer in each.layers.values()]
        for each in evaluate(coded, Cells(device, 8), inputs, request=Request(seeds=2))[-2:]
    ]
    for before, after in zip(*ratios, strict=True):
        assert before is not None and after is not None and 5 < before < after - 3


def test_the_platform_says_what_cells_are(configuration: machine.Configuration) -> None:
    assert cells_of(configuration) == Cells(Device(16, 1e4, 1e6, 0.01, 0.001, 0.001, 0.01, 2.82), 8)
    assert columns_per_weight(configuration, IDEAL) == configuration.machine.columns_per_weight == 4
    assert columns_per_weight(configuration, replace(IDEAL, levels=2)) == 14


def test_a_crossbar_shares_its_wires(samples: Path, tmp_path: Path) -> None:
    """A slice drives its rows and reads its columns of one circuit, all of whose cells draw current."""
    configuration = machine.load(compiled(samples, tmp_path, "digits", 192))
    device = replace(IDEAL, wire=3.0)
    effects = replace(NOTHING, wires=True)
    crossbar = max(configuration.crossbars, key=lambda each: len(each.slices))
    assert len(crossbar.slices) > 1
    whole = effective(device.conductance(spread(crossbar.cells.astype(np.int64), 16, 2)), 3.0, 3.0) / device.unit
    assert whole.shape == (configuration.machine.rows, configuration.machine.columns)
    chip = Chip(configuration, Cells(device), effects, 0)
    for part in crossbar.slices:
        rows = np.random.default_rng(0).integers(0, 2, (5, len(part.rows))).astype(np.float64)
        driven = np.zeros((5, len(whole)))
        driven[:, part.rows] = rows
        expected = gathered(driven @ whole, 16, 2)[:, slice(*part.columns)]
        np.testing.assert_allclose(chip.read(part.name, rows), expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "bits", "effect"),
    [
        ({"variation": 0.03}, 0, "cells"),
        ({"stuck_on": 0.01, "stuck_off": 0.05}, 0, "cells"),
        ({"wire": 3.0}, 0, "wires"),
        ({"read_noise": 0.05}, 0, "noise"),
        ({}, 4, "converter"),
    ],
)
def test_each_effect_is_switched_by_itself(
    digits: machine.Configuration, data: SpikeData, change: dict[str, float], bits: int, effect: str
) -> None:
    device = replace(IDEAL, **change)  # pyright: ignore[reportArgumentType]
    found = outcomes(digits, data, device, bits, Request(seeds=1))
    assert list(found) == ["ideal", *EFFECTS, "all", "all, compensated"]
    for name in EFFECTS:
        assert alike(found[name]) == (name != effect)
    assert not alike(found["all"])


def test_compensation_takes_back_most(digits: machine.Configuration, data: SpikeData) -> None:
    found = outcomes(digits, data, replace(IDEAL, stuck_on=0.01, stuck_off=0.03, wire=3.0))
    for name in ("hidden", "out"):
        before, after = (found[setting].layers[name].sqnr for setting in ("all", "all, compensated"))
        assert before is not None and after is not None and after > before + 3


def test_what_is_by_chance_has_several_chips(digits: machine.Configuration, data: SpikeData) -> None:
    device = replace(IDEAL, variation=0.05, wire=2.0, read_noise=0.05)
    found = outcomes(digits, data, device, 6, Request(seeds=3))
    assert {name: each.chips for name, each in found.items()} == {
        "ideal": 1,
        "cells": 3,
        "wires": 1,
        "noise": 3,
        "converter": 1,
        "all": 3,
        "all, compensated": 3,
    }
    assert found == outcomes(digits, data, device, 6, Request(seeds=3))
    chips = [Chip(digits, Cells(device), Effects(), seed) for seed in (0, 0, 1)]
    name = next(iter(digits.slices))
    rows = np.ones((2, len(digits.slices[name].rows)))
    reads = [chip.read(name, rows) for chip in chips]
    np.testing.assert_array_equal(reads[0], reads[1])
    assert not np.array_equal(reads[0], reads[2])


def test_converters(digits: machine.Configuration, data: SpikeData) -> None:
    def error(bits: int, ranges: str) -> float:
        request = Request(seeds=1, effects=("converter",), ranges=ranges)  # pyright: ignore[reportArgumentType]
        return 1 - outcomes(digits, data, IDEAL, bits, request)["converter"].layers["hidden"].equal

    assert error(3, "calibrated") > error(5, "calibrated") > error(8, "calibrated")
    assert error(5, "worst") > error(5, "calibrated")
    assert error(14, "worst") < 0.1 * error(5, "worst")


def test_wires_to_first_order_are_nearly_right(digits: machine.Configuration) -> None:
    device = replace(IDEAL, r_on=1e5, r_off=1e7, wire=1.0)
    effects = replace(NOTHING, wires=True)
    name, columns = next(iter(exact_columns(digits).items()))
    rows = np.ones((1, len(columns)))
    exact, fast, none = (
        Chip(digits, Cells(device), each, 0).read(name, rows)
        for each in (effects, replace(effects, exact_wires=False), NOTHING)
    )
    np.testing.assert_array_equal(none, rows @ columns)
    assert 0 < np.abs(fast - exact).max() < 0.1 * np.abs(none - exact).max()


@pytest.mark.parametrize(("right", "count"), [(351, 360), (0, 10), (10, 10), (1, 2)])
def test_the_interval(right: int, count: int) -> None:
    expected = binomtest(right, count).proportion_ci(method="wilson")
    np.testing.assert_allclose(interval(right / count, count), (expected.low, expected.high), atol=1e-12)


def test_real_cells_are_refused(digits: machine.Configuration, data: SpikeData) -> None:
    real = replace(digits, machine=replace(digits.machine, weight_bits=None, device=None))
    with pytest.raises(SnnirError, match=r"hold real numbers"):
        evaluate(real, Cells(IDEAL), data.inputs)
    assert cells_of(real) is None
