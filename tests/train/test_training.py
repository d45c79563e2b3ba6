"""Whole trainings: the same bytes again and after every interruption, what is trained is what is written."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from train_cases import CLASSES, LINES, samples, tables, weights_of, write_data
from xdsl.context import Context

pytest.importorskip("torch")
pytest.importorskip("snntorch")

from snnir import api
from snnir.errors import SnnirError
from snnir.flow.difference import differences
from snnir.flow.training import run
from snnir.flow.training.finish import read_training
from snnir.passes.snn.quantize import SNNQuantize
from snnir.report.schemas import schema
from snnir.train import loop

STAGES = ["train", "prune", "fine-tune", "round", "quantise"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and in it a training of all stages that nothing interrupted."""
    found = tmp_path_factory.mktemp("training")
    write_data(found)
    api.train(tables(found), found / "whole")
    return found


def contents(directory: Path) -> dict[str, str]:
    """The digest of each file but those that hold times."""
    left_out = ("times.json", "checkpoint.pt")
    files = [path for path in sorted(directory.rglob("*")) if path.is_file() and path.name not in left_out]
    return {str(path.relative_to(directory)): blake2b(path.read_bytes()).hexdigest() for path in files}


class Killed(SystemExit):
    """What kills a training."""


def kill_after(count: int) -> Any:
    """A bar that raises when it is told for the so-manyth time how far the training is."""
    told_so_far = 0

    @contextmanager
    def bar(_: str) -> Generator[Any]:
        def told(done: int, total: int) -> None:
            nonlocal told_so_far
            told_so_far += 1
            if told_so_far == count:
                raise Killed

        yield told

    return bar


def test_the_report_fits_its_schema(folder: Path) -> None:
    found = read_training(folder / "whole")
    jsonschema.validate(found, schema("training"))
    assert [stage["name"] for stage in found["stages"]] == STAGES
    assert [stage["epochs"] for stage in found["stages"]] == [3, 0, 2, 0, 2]
    assert [(row["stage"], row["epoch"]) for row in found["epochs"]] == [
        *(("train", n) for n in (1, 2, 3)),
        *((name, n) for name in ("fine-tune", "quantise") for n in (1, 2)),
    ]
    assert found["samples"] == {"train": 36, "validation": 12, "test": 24, "steps": 12, "classes": CLASSES}
    kept = {stage["name"]: stage["kept_epoch"] for stage in found["stages"]}
    for name in ("train", "fine-tune", "quantise"):
        row = {r["epoch"]: r["validation"] for r in found["epochs"] if r["stage"] == name}
        assert row[kept[name]] == max(row.values())


def test_a_second_run_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    api.train(tables(folder), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder / "whole")
    api.train(tables(folder, training={"seed": 2}, prune=None, quantise=None), tmp_path / "other")
    assert (tmp_path / "other" / "stages" / "1-train.mlir").read_bytes() != (
        folder / "whole" / "stages" / "1-train.mlir"
    ).read_bytes()


@pytest.mark.parametrize(
    "moment",
    [
        2,  # in the middle of the first epoch
        5,  # at the end of the first epoch, before its checkpoint
        16,  # while the first stage is judged
        19,  # in the middle of fine-tuning
        30,  # while training with rounded weights
    ],
)
def test_a_killed_training_goes_on_to_the_same_bytes(folder: Path, tmp_path: Path, moment: int) -> None:
    directory = tmp_path / "killed"
    with pytest.raises(Killed):
        api.train(tables(folder), directory, bar=kill_after(moment))
    assert not (directory / "training.json").exists()
    api.train(tables(folder), directory, resume=True)
    assert contents(directory) == contents(folder / "whole")


def test_killed_again_and_again(folder: Path, tmp_path: Path) -> None:
    """Each start gets a little further: one epoch at least, as long as there are any."""
    directory, starts = tmp_path / "often", 0
    while not (directory / "training.json").exists():
        starts += 1
        assert starts < 20
        try:
            api.train(tables(folder), directory, resume=starts > 1, bar=kill_after(8))
        except Killed:
            continue
    assert starts > 5
    assert contents(directory) == contents(folder / "whole")


def test_a_finished_training_is_not_done_again(folder: Path, tmp_path: Path) -> None:
    before = contents(folder / "whole")
    api.train(tables(folder), folder / "whole", resume=True)
    assert contents(folder / "whole") == before
    with pytest.raises(SnnirError, match="there is a training in this directory"):
        api.train(tables(folder), folder / "whole")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("")
    with pytest.raises(SnnirError, match="holds no training"):
        api.train(tables(folder), tmp_path / "full")
    with pytest.raises(SnnirError, match="no checkpoint to go on from"):
        api.train(tables(folder), tmp_path / "none", resume=True)


def test_what_has_changed_is_named(folder: Path, tmp_path: Path) -> None:
    directory = tmp_path / "changed"
    with pytest.raises(Killed):
        api.train(tables(folder), directory, bar=kill_after(7))
    for changes, said in [
        ({"training": {"lr": 1e-3}}, "training.lr was 0.01 when the training began, and is 0.001 now"),
        ({"network": {"delays": {"levels": 4}}}, "network.delays.stride was 2 .*, and is 1 now"),
        ({"prune": None}, 'prune.by was "axon" .*, and is not there now'),
    ]:
        with pytest.raises(SnnirError, match=said):
            api.train(tables(folder, **changes), directory, resume=True)  # pyright: ignore[reportArgumentType]
    other = samples(48, 9)
    np.savez(tmp_path / "train.npz", **other)  # pyright: ignore[reportArgumentType]
    with pytest.raises(SnnirError, match=r"data\.train is not what it was"):
        api.train(tables(folder, data={"train": str(tmp_path / "train.npz")}), directory, resume=True)
    stage = directory / "stages" / "0-start.mlir"
    stage.write_text(stage.read_text().replace("0.0", "0.5", 1))
    with pytest.raises(SnnirError, match="not the one that the training left here"):
        api.train(tables(folder), directory, resume=True)
    (directory / "checkpoint.pt").write_bytes(b"PK nothing")
    with pytest.raises(SnnirError, match="checkpoint cannot be read"):
        api.train(tables(folder), directory, resume=True)


def test_what_is_trained_is_what_is_written(folder: Path) -> None:
    """The programs judge the test samples as the report says, with the synapses that it says."""
    found = read_training(folder / "whole")
    for stage in found["stages"]:
        net = api.load(folder / "whole" / stage["program"])
        run = net.sim(str(folder / "test.npz"))
        assert run.accuracy() == stage["test"]["share"]
        weights = weights_of(net)
        assert {key: int(np.count_nonzero(array)) for key, array in weights.items()} == stage["projections"]
        pruned = stage["name"] != "train"
        levels = (weights["out.weight"] != 0).any(axis=1).sum(axis=0)
        assert levels.max() == (2 if pruned else 4)
        assert (weights["out.weight"].dtype == np.int8) == (stage["bits"] == 4)
    trained, rounded = (api.load(folder / "whole" / f"{name}.mlir") for name in ("trained", "quantised"))
    assert weights_of(trained)["out.weight"].dtype == np.float32
    last = api.load(folder / "whole" / found["stages"][-1]["program"])
    assert not differences(last.network, rounded.network)


def test_rounding_is_that_of_the_pass(folder: Path) -> None:
    """The stage without training rounds what fine-tuning left, as the pass does."""
    found = {stage["name"]: stage["program"] for stage in read_training(folder / "whole")["stages"]}
    tuned, rounded = (api.load(folder / "whole" / found[name]) for name in ("fine-tune", "round"))
    assert differences(tuned.network, rounded.network)
    SNNQuantize(4).apply(Context(), tuned.module)
    assert not differences(tuned.network, rounded.network)


def test_the_best_epoch_is_kept(folder: Path, tmp_path: Path) -> None:
    """What is written is the epoch of the best validation, not the last."""
    given: dict[str, Any] = {
        "training": {"epochs": 5, "lr": 0.2, "schedule": "constant"},
        "prune": None,
        "quantise": None,
    }
    found = api.train(tables(folder, **given), tmp_path / "best")
    shares = [row["validation"] for row in found["epochs"]]
    stage = found["stages"][0]
    assert shares[-1] < max(shares)
    assert stage["kept_epoch"] == 5 - shares[::-1].index(max(shares))
    assert stage["validation"]["share"] == max(shares)
    given["training"]["select"] = "last"
    last = api.train(tables(folder, **given), tmp_path / "last")["stages"][0]
    assert (last["kept_epoch"], last["validation"]["share"]) == (5, shares[-1])


def test_what_stages_start_from(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded weights are trained from floats, pruned ones from what is left; rates fall to 0 in each stage."""
    seen: list[tuple[str, int, float]] = []

    class Spy(loop.Trainer):
        def epoch(self, samples: Any, number: int, told: Any = None) -> loop.Epoch:
            weights = self.arrays()[0]["out.weight"]
            found = super().epoch(samples, number, told)
            between = int((weights != np.rint(weights)).sum())
            seen.append((self.name, between, self.optimiser.param_groups[0]["lr"]))
            return found

    monkeypatch.setattr(run, "Trainer", Spy)
    api.train(tables(folder), tmp_path / "out")
    assert [name for name, _, _ in seen] == ["train"] * 3 + ["fine-tune"] * 2 + ["quantise"] * 2
    assert [count for _, count, _ in seen] == [96] * 3 + [48] * 4
    steps = 5  # of an epoch: 36 samples in batches of 8
    for (name, _, rate), epoch in zip(seen, (1, 2, 3, 1, 2, 1, 2), strict=True):
        first, epochs = {"train": (1e-2, 3), "fine-tune": (5e-3, 2), "quantise": (1e-3, 2)}[name]
        assert rate == pytest.approx(first * 0.5 * (1 + np.cos(np.pi * (epoch * steps - 1) / (epochs * steps))))


def test_training_learns(folder: Path, tmp_path: Path) -> None:
    """With delays the distance of two volleys is learnt; counts of spikes alone tell nothing of it."""
    changes: dict[str, Any] = {"training": {"epochs": 32, "select": "last"}, "prune": None, "quantise": None}
    late = api.train(tables(folder, network={"layers": [LINES, 16, CLASSES]}, **changes), tmp_path / "late")
    assert late["stages"][0]["test"]["share"] >= 0.9
    rows = late["epochs"]
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]


def test_pulls_on_spikes_and_late_weights(folder: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"prune": None, "quantise": None}
    found: dict[str, Any] = {}
    for name, training in {
        "plain": {},
        "quiet": {"most_spikes": 0.1, "spike_strength": 50.0},
        "early": {"late_strength": 300.0},
    }.items():
        given = {"epochs": 8, "select": "last", **training}
        found[name] = api.train(tables(folder, **{**changes, "training": given}), tmp_path / name)
    spikes = {name: each["stages"][0]["spikes"]["hidden1"] for name, each in found.items()}
    assert spikes["quiet"] < 0.8 * spikes["plain"]

    def lateness(name: str) -> float:
        net = api.load(tmp_path / name / "trained.mlir")
        weights = weights_of(net)["out.weight"]
        sums = np.abs(weights).sum(axis=(1, 2))
        return float((sums * np.arange(4)).sum() / sums.sum())

    assert lateness("early") < 0.9 * lateness("plain")


def test_a_diverging_training_stops_and_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"training": {"sharpness": 3e38}}
    with pytest.raises(SnnirError) as error:
        api.train(tables(folder, **changes), tmp_path / "wild")
    assert "epoch 1 of stage 'train'" in error.value.message
    assert "the loss is" in error.value.message
    assert "lower lr (now 0.01)" in error.value.hint
    assert not (tmp_path / "wild" / "training.json").exists()


def test_a_program_from_a_file(folder: Path, tmp_path: Path) -> None:
    """Weights are the start, or drawn anew; rounded ones are trained as floats."""
    given = str(folder / "whole" / "quantised.mlir")
    plain: dict[str, Any] = {"prune": None, "quantise": None, "training": {"epochs": 1, "lr": 1e-30}}
    description = tables(folder, **plain)
    description["network"] = {"file": given}
    found = api.train(description, tmp_path / "kept")
    before = read_training(folder / "whole")["stages"][-1]
    assert found["stages"][0]["test"] == before["test"]
    assert found["stages"][0]["projections"]["out.weight"] == before["projections"]["out.weight"]
    description["network"] = {"file": given, "init": "random"}
    drawn = api.train(description, tmp_path / "drawn")
    assert drawn["stages"][0]["projections"]["out.weight"] == before["projections"]["out.weight"]
    assert drawn["stages"][0]["spikes"] != found["stages"][0]["spikes"]
    spikes = {**description, "training": {"epochs": 1, "classify": "max"}}
    with pytest.raises(SnnirError, match="the output spikes, and one spike tells nothing"):
        api.train(spikes, tmp_path / "not")
    description["network"] = {"file": str(tmp_path / "none.snn")}
    with pytest.raises(SnnirError, match=r"none\.snn"):
        api.train(description, tmp_path / "not")
    assert json.loads((tmp_path / "kept" / "training.json").read_text()) == found
