"""`snnc encode --format`: what comes out is what all other commands take, or nothing."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from snnir.sim.data import read_labels, read_spikes
from snnir.sim.events import Events
from snnir.testing import run_in_process
from snnir.train.data import Lags, load


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three recordings of N-MNIST in a folder, which is the current one; the last takes seven steps."""
    monkeypatch.chdir(tmp_path)
    for digit, name, time in ((3, "00001", 0), (1, "00002", 2500), (3, "00003", 6100)):
        folder = tmp_path / "Test" / str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.bin").write_bytes(struct.pack(">Q", digit << 32 | 2 << 24 | 1 << 23 | time)[3:])
    return tmp_path


def done(*words: str) -> str:
    """What a command prints."""
    outcome = run_in_process(["snnc", "encode", *words])
    assert outcome.code == 0, outcome.err
    return outcome.out


def test_recordings_become_data(recordings: Path) -> None:
    shown = done("Test", "--format", "nmnist", "--input", "pixels", "-o", "found.npz")
    assert "pixels: 3 samples x 7 steps x 2312 neurons, 1 spikes a sample" in shown
    assert "written    found.npz" in shown
    data = read_spikes(Path("found.npz"))["pixels"]
    np.testing.assert_array_equal(np.asarray(data), load("nmnist", recordings / "Test").spikes)
    labels = read_labels(Path("found.npz"))
    assert labels is not None
    assert labels.tolist() == [3, 1, 3]
    shown = done(".", "--format", "nmnist", "--subset", "test", "--set", "steps=3", "--set", "late=drop", "-o", "s.npz")
    assert "3 samples x 3 steps" in shown
    assert "dropped    1 events after the last step" in shown


def test_large_recordings_are_lists_of_events(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnir.cli.encode_data.LARGEST_ARRAY", 1000)
    monkeypatch.setattr("snnir.train.data.dataset.BLOCK", 2)
    done("Test", "--format", "nmnist", "-o", "found.npz")
    data = read_spikes(Path("found.npz"))["input"]
    assert isinstance(data, Events)
    np.testing.assert_array_equal(data.array(), load("nmnist", recordings / "Test").spikes)


def test_a_generated_task_becomes_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--format", "lags", "--samples", "20", "--seed", "3", "--set", "jitter=1", "--set", "added=0"]
    done(*words, "-o", "a.npz")
    done(*words, "-o", "b.npz")
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    expected = Lags(jitter=1, added=0.0).samples(20, 3)
    np.testing.assert_array_equal(np.asarray(read_spikes(Path("a.npz"))["input"]), expected.spikes)
    labels = read_labels(Path("a.npz"))
    assert labels is not None
    assert expected.labels is not None
    assert labels.tolist() == expected.labels.tolist()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Test", "--format", "nmnist", "--set", "steps=3"], "00003.bin: error: 1 events come after step 2"),
        (["Test", "--format", "nmnist", "--set", "size=3"], "there is no option 'size'"),
        (["Test", "--format", "nmnist", "--set", "steps"], "'steps' is no option"),
        (["Test", "--format", "nmnist", "--set", "dt=fast"], "dt = 'fast' is not a number"),
        (["Test", "--format", "nmnist", "-o", "absent/f.npz"], "there is no directory"),
        (["absent", "--format", "nmnist"], "absent: error: no such file or folder"),
        (["--format", "shd"], "there is nothing to read"),
        (["Test", "--format", "lags", "--samples", "5"], "a generated task is read from no file"),
        (["--format", "lags"], "say how many: --samples 1000"),
        (["--data", "d.npz"], "there is no MODEL"),
        (["net.mlir"], "there is no --data"),
        (["net.mlir", "--data", "d.npz", "--set", "dt=1"], "--set and --subset belong to --format"),
    ],
)
def test_what_cannot_be_read_leaves_no_file(recordings: Path, words: list[str], message: str) -> None:
    outcome = run_in_process(["snnc", "encode", "-o", "found.npz", *words])
    assert outcome.code == 1
    assert message in outcome.err
    assert "fix:" in outcome.err
    assert not list(recordings.glob("**/*.npz*"))
