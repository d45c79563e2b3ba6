"""The Python API does what the commands do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

import snnir
from snnir.sim.events import Events


@pytest.fixture
def digits(samples: Path) -> Path:
    """The folder of a shipped program."""
    return samples / "digits"


def test_importing_the_package_is_light() -> None:
    heavy = ["numpy", "xdsl", "scipy", "h5py", "lark", "rich", "snnir.api", "snnir.errors"]
    code = f"import sys, snnir; print([name for name in {heavy} if name in sys.modules]); snnir.load; snnir.SnnirError"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "[]\n", "")
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        snnir.lod  # noqa: B018  # pyright: ignore


def test_a_program_from_end_to_end(digits: Path, tmp_path: Path) -> None:
    net = snnir.load(digits / "digits.snn")
    assert (net.dt, net.inputs, list(net.populations), net.notes) == (1e-3, {"pixels": (64,)}, ["hidden", "out"], ())
    assert isinstance(net.module, ModuleOp)
    run = net.sim(digits / "test_spikes.npz", samples=20, voltages=["out"])
    assert (run.samples, run.steps, run.accuracy()) == (20, 25, 0.95)
    assert run.spikes["hidden"].shape == (20, 25, 128)
    assert run.outputs["label"] is run.spikes["out"]
    assert run.voltages["out"].dtype == np.float64
    labels = run.totals("out").argmax(axis=1)
    assert run.accuracy(labels) == 1.0
    run.save(tmp_path / "run.npz")
    report = net.compare(tmp_path / "run.npz")
    assert report.equal
    assert (report.samples, report.steps) == (20, 25)
    assert str(report).endswith("verdict    equal in all 69,000 neuron-steps")
    assert report.as_json()["per_population"] == {"hidden": 0, "out": 0}


def test_arrays_in_place_of_files(digits: Path) -> None:
    net = snnir.load(digits / "digits.snn")
    spikes = np.load(digits / "test_spikes.npz")["pixels"][:3]
    runs = [net.sim(data) for data in (spikes, {"pixels": spikes}, {"pixels": Events.from_array(spikes)}, spikes[0])]
    for run in runs[:3]:
        assert (np.asarray(run.spikes["out"]) == runs[0].spikes["out"]).all()
    assert (np.asarray(runs[3].spikes["out"]) == np.asarray(runs[0].spikes["out"])[:1]).all()
    assert runs[0].accuracy() is None
    golden = np.asarray(runs[0].spikes["out"]).copy()
    golden[1, 7, 4] ^= 1
    report = net.compare({"out": golden}, spikes, budget=0)
    first = report.comparison.first
    assert first is not None
    assert (first.population, first.neuron, first.step, first.sample) == ("out", 4, 7, 1)
    assert report.explanation is None
    report = net.compare({"label": golden}, spikes, budget=0)
    assert report.comparison.per_population == {"label": 1}


def test_options_and_notes(digits: Path, tmp_path: Path) -> None:
    assert any("semantics nir are assumed" in note for note in snnir.load(digits / "digits.nir", dt=1e-3).notes)
    net = snnir.load(digits / "digits.nir", dt=1e-3, semantics="spyx")
    assert net.populations["hidden"].semantics.data.out_delay == 1
    left_out = net.save(tmp_path / "digits.snn")
    assert all(note.startswith(f"{tmp_path / 'digits.snn'}: note: ") for note in left_out)
    again = snnir.load(tmp_path / "digits.snn")
    data = digits / "test_spikes.npz"
    names = {"input": "pixels"} if "pixels" not in net.inputs else None
    runs = [each.sim(data, samples=3, names=names) for each in (net, again)]
    for name, signal in runs[0].spikes.items():
        assert (np.asarray(signal) == runs[1].spikes[name]).all()


REFUSED: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: snnir.load(folder / "no.snn"), r"no\.snn: error: .*[Nn]o such file"),
    (lambda folder: snnir.load(folder / "digits.txt"), r"digits\.txt: error: unknown file extension"),
    (lambda folder: snnir.load(folder / "digits.snn", dt=2e-3), r"digits\.snn:\d+:\d+: error: dt = 0\.001"),
    (lambda folder: snnir.load(folder / "digits.snn").sim(), "no data for this input"),
    (lambda folder: snnir.load(folder / "digits.snn").sim({"x": np.zeros((1, 2, 64))}), "no such input"),
    (lambda folder: snnir.load(folder / "digits.snn").sim(np.zeros((1, 2, 63))), "does not fit a signal of 64"),
    (lambda folder: snnir.load(folder / "digits.snn").sim(folder / "digits.safetensors"), "not a readable"),
    (lambda folder: snnir.load(folder / "digits.snn").save(folder / "x.xyz"), "there is no writer"),
    (
        lambda folder: snnir.load(folder / "digits.snn").compare(
            {"pixels": np.zeros((1, 2, 64), np.uint8)}, np.zeros((1, 2, 64), np.uint8)
        ),
        "no population of the program",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_errors_are_of_one_kind(digits: Path, call: Callable[[Path], object], message: str) -> None:
    with pytest.raises(snnir.SnnirError, match=message):
        call(digits)


def test_notes_of_a_file_that_is_refused(shared_data: Path) -> None:
    path = shared_data / "nir" / "bad" / "negative_tau.nir"
    with pytest.raises(snnir.SnnirError, match="negative_tau") as raised:
        snnir.load(path, dt=1e-3)
    assert any("also wrong" in note for note in raised.value.__notes__)
