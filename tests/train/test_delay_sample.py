"""The sample `samples/delays`: its description reads, its data are those that the pages describe, it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snnir.train.data import Lags
from snnir.train.description import Description, read_description
from snnir.train.readers import read_samples
from snnir.train.samples import Samples


@pytest.fixture(scope="module")
def description(root: Path) -> Description:
    """What `snnc train samples/delays/train.toml` does."""
    return read_description(root / "samples" / "delays" / "train.toml")


def test_the_sample_trains_on_the_generated_task(description: Description) -> None:
    task = Lags()
    data = description.data
    sizes = {"train": data.train, "validation": data.validation, "test": data.test}
    found: dict[str, Samples] = {}
    for use, size in sizes.items():
        assert isinstance(size, int)
        found[use] = read_samples(description, size, use)
        assert found[use].inputs["channels"].shape == (size, task.steps, description.network.layers[0])
        assert (np.bincount(found[use].labels) > 0).sum() == description.network.layers[-1] == task.classes
    every = np.concatenate([each.inputs["channels"] for each in found.values()])
    assert len(np.unique(every.reshape(len(every), -1), axis=0)) == len(every)


def test_its_delays_span_what_the_machine_keeps(description: Description) -> None:
    delays, platform = description.network.delays, description.hardware.platform
    assert delays is not None
    assert delays.first + (delays.levels - 1) * delays.stride == 58
    assert platform is not None
    assert description.path(platform).name == "seneca.toml"
    assert description.hardware.deploy
    assert description.quantise is not None
    assert description.quantise.bits == 8
