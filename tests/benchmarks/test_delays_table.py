"""The table of `benchmarks.delays`: means over seeds, and nothing where nothing is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.delays import TASKS, Row, table, write_data


def test_rows_are_means_over_seeds() -> None:
    spikes = {"hidden": 10.0, "out": 2.0}
    first = Row(0.9, None, 100, spikes, {"ring": 8000, "queue": 16000, "circular": 4000, "fifo": 2000})
    second = Row(0.8, None, 200, {"hidden": 20.0, "out": 4.0}, first.memory)
    deployed = Row(0.85, 0.99, 100, spikes, {}, 3000, (1.5, 0.25), 2.0)
    lines = table({"delays": [first, second], "delays, loihi": [deployed]}).splitlines()
    assert lines[2] == "| delays | 85.0 ± 7.1 |  | 150 | 15 / 3 | 8.0 | 16.0 | 4.0 | 2.0 |  |  |  |  | 2 |"
    assert lines[3] == "| delays, loihi | 85.0 | 99.0 | 100 | 10 / 2 |  |  |  |  | 3.0 | 1.50 | 0.25 | 2.00 | 1 |"
    assert {line.count("|") for line in lines} == {15}


def test_wide_networks_have_as_many_parameters() -> None:
    for task in TASKS.values():
        inputs, hidden, _, classes = task.layers
        delayed = inputs * hidden + 30 * hidden * (hidden + classes)
        plain = task.wide * (inputs + task.wide + classes)
        assert plain == pytest.approx(delayed, rel=0.03)


def test_the_recorded_digits_are_unpacked(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNIR_DATA", str(shared_data))
    assert write_data("fsdd", tmp_path / "fsdd")
    with np.load(tmp_path / "fsdd" / "test.npz") as file:
        assert file["channels"].shape == (300, 64, 64)
        assert np.bincount(file["labels"]).tolist() == [30] * 10
        assert 0.15 < file["channels"].mean() < 0.25
    monkeypatch.setenv("SNNIR_DATA", str(tmp_path))
    assert not write_data("fsdd", tmp_path / "other")
