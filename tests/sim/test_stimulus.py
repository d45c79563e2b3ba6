"""Stimuli: deterministic spikes of a rate, and recordings."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir.errors import SnnirError
from snnir.sim import stimulus as stimulus_module
from snnir.sim.stimulus import Poisson, Recording, Stimulus, stimulate

DT = 1e-3


def test_the_numbers_are_those_of_the_documentation() -> None:
    """PCG64 of the seed and the sample, one float64 per step and neuron."""
    drawn = Poisson(100.0, 3).draw(5, DT, 4, 50)
    assert drawn.dtype == np.uint8
    for sample in range(4):
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(3, spawn_key=(sample,))))
        assert np.array_equal(drawn[sample], generator.random((50, 5)) < 100.0 * DT)


def test_the_numbers_never_change() -> None:
    """The same bytes on every machine and in every version."""
    drawn = Poisson(np.array([20.0, 200.0, 1000.0]), 42).draw(3, DT, 2, 1000)
    assert blake2b(drawn.tobytes(), digest_size=8).hexdigest() == "ac59a8244a2c73aa"


def test_samples_and_steps_do_not_depend_on_how_many_are_drawn() -> None:
    many = Poisson(100.0, 3).draw(5, DT, 4, 50)
    assert np.array_equal(many[:2, :20], Poisson(100.0, 3).draw(5, DT, 2, 20))
    assert not np.array_equal(many[0], many[1])
    assert not np.array_equal(many, Poisson(100.0, 4).draw(5, DT, 4, 50))


def test_rates() -> None:
    """The mean over 200,000 steps is the rate, within five standard deviations; 0 and 1/dt are exact."""
    rates = np.array([0.0, 20.0, 300.0, 1000.0])
    drawn = Poisson(rates, 1).draw(4, DT, 1, 200_000)[0].mean(axis=0)
    chance = rates * DT
    assert (np.abs(drawn - chance) <= 5 * np.sqrt(chance * (1 - chance) / 200_000)).all()
    assert (drawn[0], drawn[3]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("rate", "size", "problem"),
    [
        (50.0, 3, None),
        (1000.0, 3, None),
        (1001.0, 3, "more than one spike in each step"),
        (-1.0, 3, "0 or more"),
        (float("nan"), 3, "0 or more"),
        (np.array([1.0, 2.0]), 3, "2 rates for 3 neurons"),
        (np.array([1.0, 2.0, -1.0]), 3, "0 or more"),
    ],
)
def test_problems(rate: Any, size: int, problem: str | None) -> None:
    found = Poisson(rate, 1).problem(size, DT)
    assert (problem is None) == (found is None)
    assert found is None or (problem is not None and problem in found)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two samples of three steps."""
    path = tmp_path / "spikes.npz"
    flat = np.arange(12, dtype=np.float64)
    np.savez(tmp_path / "flat.npz", flat=flat)
    np.savez(path, x=np.arange(12).reshape(2, 3, 2).astype(np.uint8), y=flat.reshape(2, 3, 2, 1))
    events = {"sample": [0, 1, 1], "step": [0, 2, 2], "index": [1, 0, 1], "shape": [2, 3]}
    np.savez(tmp_path / "events.npz", **{f"e.{name}": values for name, values in events.items()})  # pyright: ignore
    return path


def test_recordings_and_drawn_spikes(recording: Path) -> None:
    """Lengths come from the recording; shapes from the network; types stay."""
    stimuli: dict[str, Stimulus] = {"x": Recording(recording), "y": Recording(recording), "z": Poisson(1000.0, 1)}
    data = stimulate(stimuli, {"x": (2, 1), "y": (2,), "z": (2, 2)}, DT, None, None)
    assert {name: (array.shape, array.dtype.name) for name, array in data.items()} == {
        "x": ((2, 3, 2, 1), "uint8"),
        "y": ((2, 3, 2), "float64"),
        "z": ((2, 3, 2, 2), "uint8"),
    }
    assert data["x"].ravel().tolist() == list(range(12))
    assert data["z"].all()
    less = stimulate(stimuli, {"x": (2, 1), "z": (1,)}, DT, 1, 2)
    assert less["x"].tolist() == [[[[0], [1]], [[2], [3]]]]
    assert less["z"].shape == (1, 2, 1)


def test_events(recording: Path) -> None:
    """Recordings as lists of events."""
    stimuli = {"e": Recording(recording.with_name("events.npz"))}
    data = stimulate(stimuli, {"e": (2,)}, DT, None, None)
    assert data["e"].tolist() == [[[0, 1], [0, 0], [0, 0]], [[0, 0], [0, 0], [1, 1]]]
    assert stimulate(stimuli, {"e": (2, 1)}, DT, 1, 1)["e"].tolist() == [[[[0], [1]]]]


def test_long_runs_are_drawn_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces change nothing."""
    whole = Poisson(100.0, 3).draw(5, DT, 2, 50)
    monkeypatch.setattr(stimulus_module, "_CHUNK", 17)
    assert np.array_equal(whole, Poisson(100.0, 3).draw(5, DT, 2, 50))


def test_one_sample_is_drawn_where_nothing_says_how_many() -> None:
    assert stimulate({"z": Poisson(1.0, 1)}, {"z": (3,)}, DT, None, 7)["z"].shape == (1, 7, 3)


@pytest.mark.parametrize(
    ("name", "shape", "samples", "steps", "message"),
    [
        ("q", (2,), None, None, "there is no data for this input, and it has no stimulus"),
        ("x", (3,), None, None, "does not fit an input of 3"),
        ("x", (2,), 3, None, "2 samples of 3 steps, but 3 of 3 are asked for"),
        ("x", (2,), None, 4, "2 samples of 3 steps, but 2 of 4 are asked for"),
        ("w", (2,), None, None, "there is no array 'w' in this file"),
        ("flat", (2,), None, None, "shape (12,) is not (samples, steps, lines)"),
        ("z", (1 << 20,), 1 << 10, 1 << 10, "1024 samples of 1024 steps are more than 8,589,934,592 numbers"),
        ("z", (2,), None, None, "nothing says how many steps to draw"),
        ("fast", (2,), None, 3, "more than one spike"),
    ],
)  # fmt: skip
def test_errors(recording: Path, name: str, shape: tuple[int, ...], samples: Any, steps: Any, message: str) -> None:
    stimuli: dict[str, Stimulus] = {each: Recording(recording) for each in ("x", "y", "w")}
    stimuli["flat"] = Recording(recording.with_name("flat.npz"))
    stimuli |= {"z": Poisson(1.0, 1), "fast": Poisson(5000.0, 1)}
    with pytest.raises(SnnirError) as caught:
        stimulate(stimuli, {name: shape}, DT, samples, steps)
    assert message in caught.value.message
    assert caught.value.hint


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="no such data file"):
        stimulate({"x": Recording(tmp_path / "no.npz")}, {"x": (1,)}, DT, None, None)
