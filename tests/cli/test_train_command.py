"""`snnc train`: what it prints and writes, interruptions, and what it says without torch."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from snnir.report.schemas import schema
from snnir.testing import Outcome, run_in_process

DESCRIPTION = """\
[network]
layers = [4, 6, 2]
delays = { levels = 3, stride = 2 }
tau = 3e-3

[data]
train = "train.npz"
validation = 0.25

[training]
epochs = 2
batch = 8

[prune]
by = "synapse"
keep = 1
epochs = 1

[quantise]
bits = 8
epochs = 1
"""


def snnc(*words: object) -> Outcome:
    """Run `snnc` in this process."""
    return run_in_process(["snnc", *map(str, words)])


@pytest.fixture
def description(tmp_path: Path) -> Path:
    """A description, and its data beside it."""
    labels = np.arange(24) % 2
    spikes = np.zeros((24, 10, 4), np.uint8)
    spikes[:, 1, :2] = 1
    spikes[np.arange(24), 3 + 3 * labels, 2:] = 1
    np.savez(tmp_path / "train.npz", x=spikes, labels=labels)
    path = tmp_path / "task.toml"
    path.write_text(DESCRIPTION)
    return path


def needs_torch() -> None:
    """Skip where the extra `train` is not installed."""
    pytest.importorskip("torch")
    pytest.importorskip("snntorch")


def test_all_stages(description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each stage; the directory is called after the description where nothing else is said."""
    needs_torch()
    monkeypatch.chdir(tmp_path)
    outcome = snnc("train", description, "--nir")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == "training   @trained: 18 to train with, 6 to validate with; 10 steps"
    rows = {line.split()[0]: line.split()[1:3] for line in lines[2:7]}
    assert rows == {
        "train": ["2", "60"],
        "prune": ["-", "36"],
        "fine-tune": ["1", "36"],
        "round": ["-", "36"],
        "quantise": ["1", "36"],
    }
    assert lines[-1] == "written    task.trained/ (training.json, trained.mlir, the program after each stage)"
    written = {path.name for path in (tmp_path / "task.trained").iterdir()}
    assert written == {
        "checkpoint.pt",
        "quantised.mlir",
        "quantised.nir",
        "stages",
        "times.json",
        "trained.mlir",
        "trained.nir",
        "training.json",
    }
    jsonschema.validate(json.loads((tmp_path / "task.trained" / "training.json").read_text()), schema("training"))
    assert snnc("sim", "task.trained/quantised.mlir", "--data", "train.npz").code == 0


def test_json_seed_and_epochs(description: Path, tmp_path: Path) -> None:
    needs_torch()
    outcome = snnc("train", description, "-o", tmp_path / "out", "--json", "--seed", 5, "--epochs", 1)
    assert outcome.code == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    assert (found["description"]["training"]["seed"], found["description"]["training"]["epochs"]) == (5, 1)
    assert found == json.loads((tmp_path / "out" / "training.json").read_text())
    assert found["stages"][0]["epochs"] == 1


def test_interrupted(description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where the checkpoint is and how to go on, and that way leads to what an uninterrupted run gives."""
    needs_torch()
    from snnir.train import loop  # noqa: PLC0415

    whole = snnc("train", description, "-o", tmp_path / "whole", "--json")
    epoch = loop.Trainer.epoch

    def interrupted(self: Any, samples: Any, number: int, told: Any = None) -> Any:
        if number == 2:
            raise KeyboardInterrupt
        return epoch(self, samples, number, told)

    with monkeypatch.context() as patched:
        patched.setattr(loop.Trainer, "epoch", interrupted)
        outcome = snnc("train", description, "-o", tmp_path / "out", "--json")
    assert outcome.code == 130
    command = f"snnc train {description} -o {tmp_path / 'out'} --json --resume"
    assert outcome.err == f"checkpoint {tmp_path / 'out' / 'checkpoint.pt'}; to go on: {command}\ninterrupted\n"
    resumed = snnc(*command.split()[1:])
    assert resumed.code == 0, resumed.err
    assert resumed.out == whole.out


def test_interrupted_before_anything(description: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_torch()
    from snnir.flow.training import finish  # noqa: PLC0415

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(finish, "job_of", interrupted)
    outcome = snnc("train", description)
    assert (outcome.code, outcome.err) == (130, "interrupted\n")


@pytest.mark.parametrize(
    ("words", "old", "new", "said"),
    [
        ([], "epochs = 2", "epohcs = 2", ":11: error: no entry 'epohcs' in [training]"),
        (["--epochs", "0"], "", "", ":11: error: training.epochs = 0"),
        (["--resume"], "", "", "error: there is no checkpoint to go on from"),
        ([], 'train = "train.npz"', 'train = "none.npz"', "error: no such data file"),
        ([], 'by = "synapse"', 'by = "synapses"', ':15: error: prune.by = "synapses" is not "synapse" or'),
    ],
)
def test_errors(description: Path, tmp_path: Path, words: Sequence[str], old: str, new: str, said: str) -> None:
    needs_torch()
    description.write_text(DESCRIPTION.replace(old, new))
    outcome = snnc("train", description, "-o", tmp_path / "out", *words)
    assert outcome.code == 1
    assert said in outcome.err
    assert not outcome.out
    assert not (tmp_path / "out").exists()


def test_without_torch(description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("snnir.train", "snnir.flow.training"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    outcome = snnc("train", description, "-o", tmp_path / "out")
    assert outcome.code == 1
    assert "error: training needs torch" in outcome.err
    assert "fix: pip install 'snnir[train]'" in outcome.err
    assert not (tmp_path / "out").exists()


def test_help_shows_a_description() -> None:
    outcome = snnc("train", "--help")
    assert outcome.code == 0
    assert "[prune]" in outcome.out
    assert "--resume" in outcome.out
