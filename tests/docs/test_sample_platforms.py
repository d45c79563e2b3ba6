"""The shipped machines load and say where their numbers are from; the ordinary sample compiles for those that can."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.delay_platforms import LEVELS, fitted_times
from snnir.dialects.platform import Machine
from snnir.frontend.platform import read_platform
from snnir.testing import run_in_process

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PLATFORMS = sorted((SAMPLES / "platforms").glob("*.toml"))
ORDINARY = SAMPLES / "ordinary"
DIGITS = SAMPLES / "digits"
ACCURACY = 0.9722222222222222


def machine_in(path: Path) -> Machine:
    """The machine of a file."""
    return read_platform(path).data


def snnc(*words: object) -> str:
    """What a command prints; it must succeed."""
    outcome = run_in_process(["snnc", *map(str, words)])
    assert outcome.code == 0, outcome.err
    return outcome.out


@pytest.mark.parametrize("path", PLATFORMS, ids=lambda path: path.stem)
def test_every_machine_loads(path: Path) -> None:
    machine = machine_in(path)
    assert machine.name == path.stem
    assert machine.problem() is None


@pytest.mark.parametrize("path", PLATFORMS, ids=lambda path: path.stem)
def test_every_machine_runs_a_sample(path: Path, tmp_path: Path) -> None:
    """That for spikes, or where there are no neurons that spike, the ordinary one."""
    spiking = "lif" in machine_in(path).crossbar.models
    model, data = (DIGITS / "digits.snn", "test_spikes.npz") if spiking else (ORDINARY / "digits.onnx", "test.npz")
    words = ["--data", model.parent / data, "--samples", 8, "--platform", path, "-o", tmp_path / "out"]
    snnc("compile", model, *words)
    assert json.loads(snnc("verify", tmp_path / "out", "--json"))["holds"]


def test_tianji() -> None:
    """The constants of the published code: 256 rows and columns, weights of 8 bits, values in thousandths."""
    crossbar = machine_in(SAMPLES / "platforms" / "tianji.toml").crossbar
    assert (crossbar.rows, crossbar.columns, crossbar.weight_bits) == (256, 256, 8)
    assert 2 ** (crossbar.signal_bits - 1) < 1 / 0.001 < 2**crossbar.signal_bits
    assert {"if", "lif", "relu"} <= set(crossbar.models)


def test_prime() -> None:
    """256 x 256 cells of 4 bits in pairs, 6-bit signals and converters, 8 of these for 256 columns."""
    machine = machine_in(SAMPLES / "platforms" / "prime.toml")
    crossbar = machine.crossbar
    assert (crossbar.rows, crossbar.columns, crossbar.weight_bits, crossbar.cell_bits) == (256, 256, 8, 4)
    assert (crossbar.signs, crossbar.signal_bits, crossbar.adc_bits) == ("pair", 6, 6)
    assert machine.time.columns_per_adc == crossbar.columns // 8
    assert crossbar.weight_columns == 64
    assert machine.device is not None
    assert (machine.device.levels, machine.device.r_on, machine.device.r_off) == (16, 1_000, 20_000)


def test_loihi() -> None:
    """Davies et al. 2018: sizes of a core, Table 2 in femtojoule and picoseconds."""
    machine = machine_in(SAMPLES / "platforms" / "loihi.toml")
    crossbar, energy, link = machine.crossbar, machine.energy, machine.link
    assert machine.crossbars == 128
    assert (crossbar.rows, crossbar.columns, crossbar.max_delay) == (4096, 1024, 62)
    assert crossbar.synapses * crossbar.weight_bits == 128 * 1024 * 8
    assert energy is not None
    assert (energy.synapse, energy.update, energy.idle, energy.spike) == (23_600, 81_000, 52_000, 1700)
    assert (link.energy_x, link.energy_y, link.hop_x, link.hop_y, link.flit) == (3000, 4000, 4100, 6500, 2100)
    assert machine.time.event == 48 * 3500
    assert energy.static == round(3.34e9 / 32 / 128)
    assert machine.delays is not None
    assert (machine.delays.memory, machine.delays.entries) == ("ring", 8 * 1024)


def test_seneca() -> None:
    """arXiv 2404.10597: the delay queue, static power, and times that its tables give."""
    machine = machine_in(SAMPLES / "platforms" / "seneca.toml")
    assert machine.delays is not None
    assert machine.energy is not None
    assert (machine.delays.memory, machine.delays.entries, machine.delays.bits) == ("circular", 2048, 16)
    assert machine.crossbar.rows == 48 * LEVELS
    assert (machine.energy.synapse, 3 * machine.energy.static) == (2800, 462_000)
    read, event = fitted_times()
    assert machine.time.read == pytest.approx(read, rel=0.005)
    assert machine.time.event == pytest.approx(event, rel=0.005)


@pytest.mark.parametrize("name", ["loihi", "seneca"])
def test_what_was_not_seen_is_marked(name: str) -> None:
    """Constants are cited, chosen or fitted; what is disputed or from memory says so."""
    source: Mapping[str, str] = tomllib.loads((SAMPLES / "platforms" / f"{name}.toml").read_text())["source"]
    words = ("Davies", "arXiv", "the paper", "SANA-FE", "Tang et al.", "Frady", "chosen", "fitted", "SRAM of")
    assert all(any(word in text for word in words) for text in source.values())
    if name == "loihi":
        assert "disputes" in source["energy.synapse"]
    else:
        assert {key for key, text in source.items() if text.startswith("fitted")} == {
            "time.read",
            "time.event",
            "energy.event",
            "energy.delay",
        }
        assert source["crossbar.synapses"].startswith("chosen")


@pytest.mark.parametrize(("name", "cited"), [("tianji", "NEUTRAMS"), ("prime", "PRIME, section")])
def test_what_is_cited_and_what_is_chosen(name: str, cited: str) -> None:
    """What no source states is chosen; times are nobody's but the models that they are from."""
    source: Mapping[str, str] = tomllib.loads((SAMPLES / "platforms" / f"{name}.toml").read_text())["source"]
    assert sum(cited in text for key, text in source.items() if key.startswith("crossbar.")) >= 2
    assert sum("chosen" in text for text in source.values()) >= 8
    times = [text for key, text in source.items() if key.startswith("time.") and key != "time.columns_per_adc"]
    assert times
    assert all("chosen" in text or "PRIME states none" in text for text in times)


@pytest.mark.parametrize("name", ["mesh4x4-128-codes", "tianji", "prime", "rram-128"])
def test_the_ordinary_sample_keeps_its_labels(name: str, tmp_path: Path) -> None:
    """Fitted to other digits, run on the held-out ones: the machine gives what the last program does."""
    platform, out = SAMPLES / "platforms" / f"{name}.toml", tmp_path / "out"
    words = ["--platform", platform, "--data", ORDINARY / "calibration.npz", "-o", out]
    snnc("compile", ORDINARY / "digits.onnx", *words)
    found = json.loads(snnc("verify", out, "--data", ORDINARY / "test.npz", "--json"))
    assert found["holds"]
    assert found["machine"]["different"] == 0
    assert found["accuracy"]["program"] == pytest.approx(ACCURACY)
    assert found["accuracy"]["machine"] > ACCURACY - 0.006


@pytest.fixture(scope="module")
def training() -> ModuleType:
    """The script beside the sample; it trains only when it is run."""
    spec = spec_from_file_location("ordinary_train", ORDINARY / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def weights() -> dict[str, Any]:
    """The weights in the ONNX file."""
    onnx: Any = import_module("onnx")
    model = onnx.load(ORDINARY / "digits.onnx")
    numpy_helper: Any = import_module("onnx.numpy_helper")
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def test_the_onnx_file_is_what_the_script_writes(training: ModuleType) -> None:
    made = training.model(weights()).SerializeToString(deterministic=True)
    assert made == (ORDINARY / "digits.onnx").read_bytes()


def test_the_script_computes_the_same_accuracy(training: ModuleType) -> None:
    """Plain numpy on the held-out digits, and the program simulator."""
    with np.load(ORDINARY / "test.npz") as file:
        planes, labels = file["pixels"][:, 0, 0], file["labels"]
    assert training.accuracy(planes, labels, weights()) == pytest.approx(ACCURACY)
    shown = snnc("sim", ORDINARY / "digits.onnx", "--data", ORDINARY / "test.npz")
    assert f"accuracy {ACCURACY:.2%}" in shown


def test_the_files_are_small() -> None:
    files = [path for path in ORDINARY.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"digits.onnx", "calibration.npz", "test.npz", "train.py", "README.md"}
    assert sum(path.stat().st_size for path in files) < 200_000
