"""Stimuli: the spikes of an input that a program describes instead of a recording.

A stimulus is deterministic. `Poisson` draws the numbers of sample `k` from
`numpy.random.Generator(PCG64(SeedSequence(seed, spawn_key=(k,))))`, one float64 in [0, 1) per step and neuron, steps
first, and there is a spike where the number lies below `rate * dt`. So sample `k` is the same however many samples are
drawn, and a longer run starts like a shorter one. Two inputs with one seed and one size get the same spikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.sim.data import read_spikes
from snnir.sim.events import Events


@dataclass(frozen=True)
class Poisson:
    """Independent spikes in every step with probability `rate * dt`; `rate` in 1/s, one for all or one per neuron."""

    rate: float | NDArray[np.float64]
    seed: int

    def problem(self, size: int, dt: float) -> str | None:
        """Why this cannot drive `size` neurons in steps of `dt` seconds, in words; `None` when it can."""
        rate = np.asarray(self.rate, np.float64)
        if rate.ndim and rate.size != size:
            return f"{rate.size} rates for {size} neurons"
        if not np.isfinite(rate).all() or (rate < 0).any():
            return "a rate is 0 or more"
        if (rate * dt > 1.0).any():
            return f"a rate of {rate.max():g} Hz is more than one spike in each step of {dt:g} s"
        return None

    def draw(self, size: int, dt: float, samples: int, steps: int) -> NDArray[np.uint8]:
        """Spikes, (samples, steps, size)."""
        chance = np.broadcast_to(np.asarray(self.rate, np.float64).ravel() * dt, (size,))
        result = np.empty((samples, steps, size), np.uint8)
        rows = max(1, _CHUNK // size)
        for sample in range(samples):
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=(sample,))))
            for start in range(0, steps, rows):
                part = result[sample, start : start + rows]
                np.less(generator.random(part.shape), chance, out=part, casting="unsafe")
        return result


@dataclass(frozen=True)
class Recording:
    """What a file of recordings (see `snnir.sim.data`) holds under the input's name: (samples, steps, ...)."""

    path: Path


Stimulus = Poisson | Recording
Array = NDArray[Any]

LARGEST = 1 << 33
"""Data of more numbers is refused."""

_CHUNK = 1 << 22


def stimulate(
    stimuli: Mapping[str, Stimulus],
    shapes: Mapping[str, tuple[int, ...]],
    dt: float,
    samples: int | None,
    steps: int | None,
) -> dict[str, Array]:
    """The data of each input, (samples, steps, *shape), uint8 for drawn spikes, else as recorded.

    `shapes` lists the inputs; `samples` and `steps` may be `None` where a recording says them (one sample is drawn when
    nothing does). Raises `SnnirError` for an input without a stimulus and for recordings that do not fit.
    """
    missing = [name for name in shapes if name not in stimuli]
    if missing:
        hint = f"pass --data, or write: generate {missing[0]} : poisson(rate = 50 Hz, seed = 1)"
        raise SnnirError(f"input {missing[0]}", "there is no data for this input, and it has no stimulus", hint)
    stimuli = {name: stimuli[name] for name in shapes}
    recorded = {name: _recorded(name, each, dt) for name, each in stimuli.items() if isinstance(each, Recording)}
    for name, array in recorded.items():
        if array.shape[2:] != shapes[name] and prod(array.shape[2:]) != prod(shapes[name]):
            place = f"{_path(stimuli[name])}:{name}"
            text = "x".join(map(str, shapes[name]))
            raise SnnirError(
                place, f"shape {array.shape} does not fit an input of {text}", "store (samples, steps, ...)"
            )
    lengths = {array.shape[:2] for array in recorded.values()}
    count = samples if samples is not None else min((each[0] for each in lengths), default=1)
    length = steps if steps is not None else min((each[1] for each in lengths), default=None)
    if length is None:
        raise SnnirError("stimulus", "nothing says how many steps to draw", "pass --steps, or write steps = 25")
    for name, array in recorded.items():
        if array.shape[0] < count or array.shape[1] < length:
            what = f"{array.shape[0]} samples of {array.shape[1]} steps, but {count} of {length} are asked for"
            raise SnnirError(f"{_path(stimuli[name])}:{name}", what, "ask for fewer, or record more")
    if count * length * sum(map(prod, shapes.values())) > LARGEST:
        what = f"{count} samples of {length} steps are more than {LARGEST:,} numbers"
        raise SnnirError("stimulus", what, "ask for fewer, or pass events with --data")
    result: dict[str, Array] = {}
    for name, shape in shapes.items():
        stimulus = stimuli[name]
        if isinstance(stimulus, Poisson):
            problem = stimulus.problem(prod(shape), dt)
            if problem:
                raise SnnirError(f"input {name}", problem, "lower the rate or shorten dt")
            result[name] = stimulus.draw(prod(shape), dt, count, length).reshape(count, length, *shape)
        else:
            result[name] = _cut(recorded[name], count, length).reshape(count, length, *shape)
    return result


def _path(stimulus: Stimulus) -> str:
    assert isinstance(stimulus, Recording)
    return str(stimulus.path)


def _recorded(name: str, stimulus: Recording, dt: float) -> Array | Events:
    found = read_spikes(stimulus.path, dt=dt)
    if name not in found:
        held = ", ".join(found) or "nothing"
        raise SnnirError(stimulus.path, f"there is no array '{name}' in this file", f"it holds {held}")
    return found[name]


def _cut(recorded: Array | Events, count: int, length: int) -> Array:
    """The first samples and steps."""
    if isinstance(recorded, Events):
        return np.ascontiguousarray(recorded.block(range(count), range(length), recorded.value.dtype).swapaxes(0, 1))
    return recorded[:count, :length]
