"""Labelled samples: divided and ordered by numbers alone, and refused where they fit nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir.errors import SnnirError
from snnir.train.samples import Samples, batches, divided, fitted, made, read_npz


def some(count: int = 20, steps: int = 5, lines: int = 3, classes: int = 4) -> Samples:
    """Spikes of one input."""
    rng = np.random.default_rng(count)
    spikes = (rng.random((count, steps, lines)) < 0.3).astype(np.uint8)
    return made("here", {"x": spikes}, np.arange(count) % classes)


def test_a_share_is_kept_back_of_each_class() -> None:
    train, validation = divided(some(40), 0.25, seed=3)
    assert (len(train), len(validation)) == (32, 8)
    assert np.bincount(validation.labels).tolist() == [2, 2, 2, 2]
    again = divided(some(40), 0.25, seed=3)
    assert np.array_equal(again[1].inputs["x"], validation.inputs["x"])
    assert divided(some(40), 0.25, seed=4)[1].digest != validation.digest
    together = np.concatenate([train.inputs["x"], validation.inputs["x"]])
    assert np.array_equal(np.sort(together, axis=None), np.sort(some(40).inputs["x"], axis=None))
    with pytest.raises(SnnirError, match="no sample is left"):
        divided(some(4), 0.5, seed=0)


def test_batches_hold_each_sample_once_and_depend_on_their_numbers() -> None:
    found = list(batches(10, 4, seed=1, stage=2, epoch=3))
    assert [len(each) for each in found] == [4, 4, 2]
    assert sorted(np.concatenate(found).tolist()) == list(range(10))
    orders = {tuple(np.concatenate(list(batches(10, 4, *numbers))).tolist()) for numbers in np.ndindex(2, 2, 2)}
    assert len(orders) == 8


def test_digests_tell_data_apart() -> None:
    first, second = some(), some()
    assert first.digest == second.digest
    second.inputs["x"][3, 2, 1] ^= 1
    third = Samples(first.place, first.inputs, first.labels[::-1])
    assert len({each.digest for each in (first, second, third, first.renamed("y"))}) == 4


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    given = some()
    np.savez(path, x=given.inputs["x"], labels=given.labels.astype(np.uint8))
    found = read_npz(path, None, 1e-3)
    assert found.digest == Samples("", given.inputs, given.labels).digest
    assert len(read_npz(path, 5, 1e-3)) == 5
    np.savez(path, x=given.inputs["x"])
    with pytest.raises(SnnirError, match="data have no labels"):
        read_npz(path, None, 1e-3)
    with pytest.raises(SnnirError, match="no such data file"):
        read_npz(tmp_path / "none.npz", None, 1e-3)


@pytest.mark.parametrize(
    ("inputs", "labels", "said"),
    [
        ({}, [0], "there are no spikes"),
        ({"x": np.zeros((2, 3, 4)), "y": np.zeros((2, 5, 4))}, [0, 1], "'y' has .2, 5. samples and steps"),
        ({"x": np.zeros((2, 3, 4))}, [0], "labels of shape .1,. for 2 samples"),
        ({"x": np.zeros((2, 3, 4))}, [0, -1], "a label is -1"),
    ],
)
def test_arrays_that_do_not_fit_each_other(inputs: dict[str, Any], labels: list[int], said: str) -> None:
    with pytest.raises(SnnirError, match=said):
        made("here", inputs, np.array(labels))


def test_samples_that_do_not_fit_a_network() -> None:
    found = some()
    assert list(fitted(found, {"x": 3}, 4, 5).inputs) == ["x"]
    for sizes, classes, steps, said in [
        ({"y": 3}, 4, None, "no data for input 'y'"),
        ({"x": 7}, 4, None, "here:x: error: 3 lines, but the input has 7"),
        ({"x": 3}, 3, None, "a label is 3, but the network tells 3 classes"),
        ({"x": 3}, 4, 6, "5 steps, but an inference of the program takes 6"),
    ]:
        with pytest.raises(SnnirError, match=said):
            fitted(found, sizes, classes, steps)
    found.inputs["x"] = found.inputs["x"] * 0.5
    with pytest.raises(SnnirError, match="spikes are 0 or 1"):
        fitted(found, {"x": 3}, 4, None)
