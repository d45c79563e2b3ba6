"""Checkpoints: all that a training needs to go on as if nothing had happened.

A file is written under another name, forced to the disk, and renamed: at any moment the old one or the new one is
there, whole. Nothing random has a state to be kept: what is drawn in an epoch depends on the seed, the stage and the
number of the epoch alone.
"""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from snnir.errors import SnnirError

if TYPE_CHECKING:
    import torch

FILE = "checkpoint.pt"
FORMAT = "snnir-checkpoint"
VERSION = 1

Tensors = dict[str, "torch.Tensor"]


@dataclass
class Best:
    """The epoch of a stage that is kept so far."""

    accuracy: float
    epoch: int
    parameters: Tensors


@dataclass
class State:
    """How far a training is."""

    description: dict[str, Any]
    """The entries of the training description."""
    digests: dict[str, str]
    """Of the program, the platform and the data."""
    stage: int = 0
    """Stages that are done."""
    epoch: int = 0
    """Epochs of the current one that are done."""
    parameters: Tensors = field(default_factory=dict[str, "torch.Tensor"])
    """Weights, masks of those that were pruned, and biases."""
    optimiser: dict[str, Any] | None = None
    best: Best | None = None
    programs: dict[str, str] = field(default_factory=dict[str, str])
    """The programs that were written so far, each with its digest."""
    epochs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What each epoch gave, as in `training.json`."""
    stages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What each stage gave, as in `training.json`."""
    seconds: list[float] = field(default_factory=list[float])
    """How long each stage took."""


def save(path: Path, state: State) -> None:
    """Write a checkpoint, whole or not at all. Raises `SnnirError` when the system refuses."""
    import torch  # noqa: PLC0415  (an extra)

    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    content = {"format": FORMAT, "version": VERSION, "torch": str(torch.__version__), **_plain(state)}
    try:
        with temporary.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        hint = "free some space, then go on with --resume"
        raise SnnirError(path, f"the checkpoint cannot be written: {error.strerror}", hint) from None
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path) -> State:
    """Read a checkpoint. Raises `SnnirError` where there is none, or a damaged one."""
    import torch  # noqa: PLC0415  (an extra)

    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if (content.pop("format"), content.pop("version")) != (FORMAT, VERSION):
            raise ValueError("it is of another version")
        version = content.pop("torch")
        best = content.pop("best")
        state = State(**content, best=None if best is None else Best(**best))
    except FileNotFoundError:
        raise SnnirError(path, "there is no checkpoint to go on from", "leave --resume out to start") from None
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, UnpicklingError, AttributeError) as error:
        lines = str(error).splitlines()
        what = "it is none" if isinstance(error, UnpicklingError) or not lines else lines[0]
        raise SnnirError(path, f"the checkpoint cannot be read ({what})", "remove it and start anew") from None
    if version != torch.__version__:
        message = f"made with torch {version}, and this is {torch.__version__}, which may sum in another order"
        raise SnnirError(path, message, f"install torch {version}, or start anew")
    return state


def check_same(path: Path, state: State, description: Mapping[str, Any], digests: Mapping[str, str]) -> None:
    """Raise `SnnirError` that names what has changed since a checkpoint was written."""
    old, new = _entries(state.description), _entries(description)
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            message = f"{key} was {_shown(old.get(key))} when the training began, and is {_shown(new.get(key))} now"
            raise SnnirError(path, message, "write it as it was, or start anew in another directory")
    for key in dict.fromkeys((*state.digests, *digests)):
        if state.digests.get(key) != digests.get(key):
            message = f"{key} is not what it was when the training began"
            raise SnnirError(path, message, "put it back, or start anew in another directory")


FREE = ("data.train", "data.test", "data.validation", "network.file", "hardware.platform")
"""Entries that name files: what is in these counts, not where they are."""


def _entries(description: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """All entries by their dotted names, without names of files."""
    found: dict[str, Any] = {}
    for key, value in description.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            found |= _entries(value, f"{name}.")  # pyright: ignore[reportUnknownArgumentType]
        elif name not in FREE or not isinstance(value, str):
            found[name] = list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType]
    return found


def _shown(value: object) -> str:
    return "not there" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def _plain(state: State) -> dict[str, Any]:
    """The fields as they are; `asdict` would copy every tensor."""
    best = None if state.best is None else vars(state.best)
    return {**vars(state), "best": best}


__all__ = ["FILE", "Best", "State", "Tensors", "check_same", "load", "save"]
