"""The generated task: counts, single channels and weighted sums say nothing of the class, differences of times do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.train.data import Lags

Reals = NDArray[np.float64]
TASK = Lags()
TRAINED, TESTED = 1200, 900
CHANCE = 1 / TASK.classes + 4 * np.sqrt((1 - 1 / TASK.classes) / TASK.classes / TESTED)
"""What a guess reaches, and four standard errors of the samples tested."""


@pytest.fixture(scope="module")
def samples() -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    """Spikes and labels to fit with, and others to test with."""
    fitted, tested = TASK.samples(TRAINED, 1), TASK.samples(TESTED, 2)
    assert fitted.labels is not None
    assert tested.labels is not None
    return fitted.spikes, fitted.labels, tested.spikes, tested.labels


def linear(x: Reals, labels: NDArray[np.int64], tested: Reals) -> NDArray[np.int64]:
    """Ridge regression on the classes, with a constant."""
    x, tested = (np.concatenate([each, np.ones((len(each), 1))], axis=1) for each in (x, tested))
    wanted = np.eye(TASK.classes)[labels]
    weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ wanted)
    return (tested @ weights).argmax(axis=1)


def centroids(x: Reals, labels: NDArray[np.int64], tested: Reals) -> NDArray[np.int64]:
    """The class whose mean is nearest."""
    means = np.stack([x[labels == label].mean(axis=0) for label in range(TASK.classes)])
    return ((tested[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)


def views(spikes: NDArray[np.uint8]) -> dict[str, Reals]:
    """What is known without differences of times: spikes of channels, of steps, and of each channel in each step."""
    found = spikes.astype(np.float64)
    return {"channels": found.sum(axis=1), "steps": found.sum(axis=2), "both": found.reshape(len(found), -1)}


@pytest.mark.parametrize("view", ["channels", "steps", "both"])
def test_what_knows_no_differences_of_times_guesses(samples: Any, view: str) -> None:
    spikes, labels, tested, wanted = samples
    for classify in (linear, centroids):
        guessed = classify(views(spikes)[view], labels, views(tested)[view])
        assert (guessed == wanted).mean() < CHANCE


def test_who_knows_the_lags_is_right(samples: Any) -> None:
    _, _, tested, wanted = samples
    assert (TASK.decoded(tested) == wanted).mean() > 0.99


def test_without_noise_every_channel_spikes_once_anywhere() -> None:
    task = Lags(deleted=0.0, added=0.0)
    found = task.samples(1200, 5)
    np.testing.assert_array_equal(found.spikes.sum(axis=1), 1)
    assert found.labels is not None
    assert np.bincount(found.labels).tolist() == [200] * 6
    for label in range(task.classes):
        when = found.spikes[found.labels == label].sum(axis=0)
        assert abs(when.mean(axis=1) - 200 / 64).max() < 5 * np.sqrt(200 / 64)
    assert (task.decoded(found.spikes) == found.labels).all()


def test_spikes_near_in_time_are_of_one_group_in_every_class() -> None:
    task = Lags(deleted=0.0, added=0.0)
    found = task.samples(60, 0)
    step = found.spikes.argmax(axis=1)
    apart = abs(step[:, :, None] - step[:, None, :])
    apart = np.minimum(apart, task.steps - apart)
    group = np.arange(task.channels) % task.groups
    same = group[:, None] == group
    assert apart[:, same].max() <= 2 * task.jitter
    assert apart[:, ~same].min() >= task.steps // task.groups - 2 * task.jitter
    assert len({tuple(row) for row in task.lags.tolist()}) == task.classes


def test_a_seed_gives_the_same_samples_and_another_others() -> None:
    first, again, other = TASK.samples(50, 3), Lags(**asdict(TASK)).samples(50, 3), TASK.samples(50, 4)
    np.testing.assert_array_equal(first.spikes, again.spikes)
    assert (first.spikes != other.spikes).any()
    np.testing.assert_array_equal(Lags(task_seed=0).lags, TASK.lags)
    assert (Lags(task_seed=1).lags != TASK.lags).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 7}, "7 classes, but 4 groups have 6 cyclic orders"),
        ({"classes": 1}, "1 classes"),
        ({"groups": 2}, "three groups are the least"),
        ({"channels": 3}, "3 channels in 4 groups"),
        ({"jitter": 8}, "a jitter of 8 steps for groups 16 steps apart"),
        ({"deleted": 1.0}, "deleted is 1.0"),
        ({"task_seed": -1}, "the task's seed is -1"),
    ],
)
def test_tasks_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SnnirError, match=message):
        Lags(**options)
    with pytest.raises(SnnirError, match="0 samples"):
        TASK.samples(0)
