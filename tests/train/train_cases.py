"""Small trainings that several tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from snnir.api import Net
from snnir.dialects.attributes import TensorAttr
from snnir.flow.training.forms import weighted_ops

STEPS, LINES, CLASSES = 12, 6, 3
LATE = 5
"""The lag between the two halves of the lines, in steps, for class 2; 1 for class 0, 3 for class 1."""


def samples(count: int, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Two volleys whose distance tells the class, so that counts tell nothing."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    spikes = np.zeros((count, STEPS, LINES), np.uint8)
    for row, label in enumerate(labels):
        onset = int(rng.integers(0, STEPS - LATE - 1))
        spikes[row, onset, : LINES // 2] = 1
        spikes[row, onset + 1 + 2 * label, LINES // 2 :] = 1
    return {"x": spikes, "labels": labels}


def write_data(folder: Path) -> None:
    """`train.npz` and `test.npz`."""
    np.savez(folder / "train.npz", **samples(48, 0))  # pyright: ignore[reportArgumentType]
    np.savez(folder / "test.npz", **samples(24, 1))  # pyright: ignore[reportArgumentType]


def tables(folder: Path, **changes: dict[str, Any] | None) -> dict[str, Any]:
    """A description with all stages, with entries (or tables) replaced; `None` leaves a table out."""
    found: dict[str, Any] = {
        "network": {"layers": [LINES, 8, CLASSES], "delays": {"levels": 4, "stride": 2}, "tau": 3e-3},
        "data": {
            "train": str(folder / "train.npz"),
            "test": str(folder / "test.npz"),
            "validation": 0.25,
        },
        "training": {"epochs": 3, "batch": 8, "lr": 1e-2, "seed": 1},
        "prune": {"by": "axon", "keep": 2, "epochs": 2},
        "quantise": {"bits": 4, "epochs": 2},
    }
    for name, entries in changes.items():
        found[name] = None if entries is None else {**found.get(name, {}), **entries}
    return {name: each for name, each in found.items() if each is not None}


def weights_of(net: Net) -> dict[str, Any]:
    """The weights of a program, by key."""
    return {key: op.weights.array for key, op in weighted_ops(net.module) if isinstance(op.weights, TensorAttr)}
