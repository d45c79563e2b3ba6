"""Which reader gets what: formats, parts of folders, steps, and the generated task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir.errors import SnnirError
from snnir.train import readers
from snnir.train.data import Dataset, Lags
from snnir.train.description import Description, description_of
from snnir.train.readers import read_samples


def description(network: dict[str, Any] | None = None, **data: Any) -> Description:
    """A description with such data."""
    layers = {"layers": [8, 4, 2], "dt": 2e-3}
    given = {"train": "some/folder", **data}
    return description_of({"network": network or layers, "data": given, "training": {"epochs": 1}})


def test_loaders_get_steps_options_and_their_part(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def load(format: str, path: Path, **options: Any) -> Dataset:
        asked.append((format, path, options))
        return Dataset(np.ones((2, 3, 8), np.uint8), np.array([0, 1]))

    monkeypatch.setattr(readers, "load", load)
    options = {"group": 5, "test_subset": "test"}
    given = description(format="nmnist", samples=7, options=options)
    found = read_samples(given, "some/folder", "train")
    assert list(found.inputs) == ["input"]
    read_samples(given, "some/folder", "test")
    read_samples(description({"file": "net.snn"}, format="shd"), "x.h5", "train")
    assert asked == [
        ("nmnist", Path("some/folder"), {"samples": 7, "subset": None, "dt": 2e-3, "group": 5}),
        ("nmnist", Path("some/folder"), {"samples": 7, "subset": "test", "dt": 2e-3, "group": 5}),
        ("shd", Path("x.h5"), {"samples": None, "subset": None}),
    ]


def test_the_generated_task() -> None:
    given = description(format="lags", train=20, options={"classes": 3, "deleted": 0})
    found = {use: read_samples(given, 20, use) for use in ("train", "validation", "test")}
    assert len({each.digest for each in found.values()}) == 3
    assert np.array_equal(found["test"].inputs["input"], Lags(classes=3, deleted=0.0).samples(20, 2).spikes)
    assert len(read_samples(description(format="lags", samples=5), 20, "train")) == 5


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        ({"format": "lags"}, "x.npz", 'train = "x.npz", but samples of this task are generated'),
        ({"format": "lags", "options": {"channel": 3}}, 20, "there is no option 'channel'"),
        ({"format": "shd"}, 20, "train = 20 is no file"),
        ({"format": "mnist"}, "x", "there is no reader of 'mnist'"),
        ({}, "none.npz", "no such data file"),
    ],
)
def test_what_cannot_be_read(data: dict[str, Any], name: str | int, said: str) -> None:
    with pytest.raises(SnnirError, match=said):
        read_samples(description(**data), name, "train")


def test_samples_without_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any, **__: Any) -> Dataset:
        return Dataset(np.ones((2, 3, 8), np.uint8), None)

    monkeypatch.setattr(readers, "load", load)
    with pytest.raises(SnnirError, match="the samples have no labels"):
        read_samples(description(format="wav"), "folder", "train")
