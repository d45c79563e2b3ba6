"""Labelled samples: read, checked, divided, and in an order that depends on numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.sim.data import read_labels, read_spike_arrays

Array = NDArray[Any]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Samples:
    """What drives a network, and what it should say."""

    place: str
    inputs: dict[str, Array]
    """(samples, steps, lines) of each input."""
    labels: Integers
    """(samples,), from 0."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def steps(self) -> int:
        """Steps of a sample."""
        return next(iter(self.inputs.values())).shape[1]

    def some(self, chosen: Integers | slice) -> Samples:
        """Samples by their numbers."""
        return Samples(self.place, {n: each[chosen] for n, each in self.inputs.items()}, self.labels[chosen])

    def renamed(self, name: str) -> Samples:
        """The same with its only input under another name."""
        (only,) = self.inputs.values()
        return Samples(self.place, {name: only}, self.labels)

    @property
    def digest(self) -> str:
        """Of all that is in them."""
        found = blake2b(digest_size=16)
        for name, array in sorted({**self.inputs, "": self.labels}.items()):
            found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()


def read_npz(path: Path, samples: int | None, dt: float) -> Samples:
    """The samples of a file as `snnc sim --data` takes it. Raises `SnnirError` where there are no labels in it."""
    inputs = {name: array.reshape(*array.shape[:2], -1) for name, array in read_spike_arrays(path, samples, dt).items()}
    labels = read_labels(path, samples)
    if labels is None:
        raise SnnirError(
            path, "the data have no labels, and training needs one for each sample", "store an array labels"
        )
    return made(str(path), inputs, labels)


def made(place: str, inputs: Mapping[str, Array], labels: Array) -> Samples:
    """Samples of arrays. Raises `SnnirError` where these do not fit each other."""
    if not inputs:
        raise SnnirError(place, "there are no spikes in it", "store an array (samples, steps, lines)")
    name, first = next(iter(inputs.items()))
    for other, array in inputs.items():
        if array.shape[:2] != first.shape[:2]:
            shapes = f"'{other}' has {array.shape[:2]} samples and steps, '{name}' {first.shape[:2]}"
            raise SnnirError(place, shapes, "store the same samples and steps of each input")
    if labels.shape != (len(first),):
        message = f"labels of shape {labels.shape} for {len(first)} samples"
        raise SnnirError(place, message, "give one label per sample")
    if labels.min() < 0:
        raise SnnirError(place, f"a label is {labels.min()}", "labels count from 0")
    return Samples(place, dict(inputs), labels.astype(np.int64))


def fitted(found: Samples, sizes: Mapping[str, int], classes: int, steps: int | None) -> Samples:
    """Only the inputs of a network, checked against its sizes. Raises `SnnirError` that names what does not fit."""
    place = found.place
    for name, size in sizes.items():
        if name not in found.inputs:
            held = ", ".join(found.inputs)
            raise SnnirError(place, f"there is no data for input '{name}'", f"it holds {held}")
        shape = found.inputs[name].shape
        if shape[2] != size:
            raise SnnirError(f"{place}:{name}", f"{shape[2]} lines, but the input has {size}", "use data of its size")
        _check_values(f"{place}:{name}", found.inputs[name])
    if int(found.labels.max()) >= classes:
        message = f"a label is {found.labels.max()}, but the network tells {classes} classes (0 to {classes - 1})"
        raise SnnirError(place, message, "give the output a neuron for each class")
    if steps is not None and steps != found.steps:
        message = f"{found.steps} steps, but an inference of the program takes {steps}"
        raise SnnirError(place, message, "make data of as many steps")
    return Samples(place, {name: found.inputs[name] for name in sizes}, found.labels)


def _check_values(place: str, array: Array) -> None:
    if array.dtype.kind == "f" and not ((array >= 0) & (array == np.rint(array))).all():
        raise SnnirError(place, "spikes are 0 or 1, or small counts, but there are others", "store uint8")
    if array.size and (array.min() < 0 or array.max() > 255):
        raise SnnirError(place, f"spikes are 0 or 1, or counts up to 255, but one is {array.max()}", "store uint8")


def divided(found: Samples, share: float, seed: int) -> tuple[Samples, Samples]:
    """The samples to train with, and a share that is kept back, equally from every class; both in their order."""
    draw = np.random.default_rng([seed, _SPLIT])
    kept = np.zeros(len(found), bool)
    for label in np.unique(found.labels):
        mine = np.flatnonzero(found.labels == label)
        kept[draw.permutation(mine)[: max(1, round(share * len(mine)))]] = True
    if kept.all():
        raise SnnirError(found.place, "no sample is left to train with", "keep a smaller share back for validation")
    return found.some(np.flatnonzero(~kept)), found.some(np.flatnonzero(kept))


def batches(count: int, batch: int, seed: int, stage: int, epoch: int) -> Iterator[Integers]:
    """All numbers below `count`, `batch` at a time, in an order that depends on seed, stage and epoch alone."""
    order = np.random.default_rng([seed, _ORDER, stage, epoch]).permutation(count)
    for start in range(0, count, batch):
        yield order[start : start + batch]


_SPLIT, _ORDER = 1, 2
"""What is drawn, so that no two things are drawn from the same numbers."""
WEIGHTS = 3
"""The same for weights."""
