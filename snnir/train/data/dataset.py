"""What every loader gives: spikes, labels and what is known of each sample; and events with times made into steps.

A format is read as an iterator of `Recording`, one at a time, so that only a few samples are in memory;
`blocks` makes them into arrays of some hundred samples, `joined` into one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError

Array = NDArray[Any]
Spikes = NDArray[np.uint8]

BLOCK = 128
"""Samples that are made into an array at once, at most."""
BLOCK_BYTES = 1 << 27
"""The array of a block is not larger, where it holds more than one sample."""
MOST_STEPS = 1 << 20
"""Times that need more steps are taken for damage where the number of steps is not given."""
LARGEST_CELLS = 1 << 31
"""Arrays of more bytes than this are refused before any of them is filled."""
NEAR = 1e-6
"""Times this close before the start of a step, in steps, belong to it: 0.03 s are 3 steps of 0.01 s."""

Late = Literal["refuse", "drop"]
"""What becomes of a recording that goes on after the last step: an error, or its end is left out and counted."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples of one kind."""

    spikes: Spikes
    """(samples, steps, neurons): 0 and 1, or counts up to 255 where counts are kept."""
    labels: NDArray[np.int64] | None
    """(samples,), from 0; `None` where the files do not say."""
    about: dict[str, Array] = field(default_factory=dict[str, Array])
    """What else is known, an array (samples,) for each: speaker, key, ... ; `late` are events after the last step."""
    names: tuple[str, ...] = ()
    """What the labels mean, where the file says so."""


@dataclass(frozen=True, eq=False)
class Recording:
    """One sample as it is in a file: events with times, or spikes in steps already."""

    place: str
    """Where it is: the first part of every error."""
    times: NDArray[np.float64]
    """Seconds from the start of the sample, (events,)."""
    neurons: NDArray[np.int64]
    """Which neuron, from 0, (events,)."""
    label: int | None = None
    about: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Binning:
    """How times become steps and neurons become fewer."""

    dt: float
    """Seconds per step."""
    steps: int | None = None
    """Steps of a sample; `None`: as many as the longest needs."""
    group: int = 1
    """Neighbouring neurons that become one."""
    counts: bool = False
    """Keep how many events fall into a step, in place of 1."""
    late: Late = "refuse"

    def __post_init__(self) -> None:
        """Raise `SnnirError` for what is no step, number or choice."""
        if not (np.isfinite(self.dt) and self.dt > 0):
            raise SnnirError("dt", f"a step of {self.dt} s", "give the seconds of a step, such as 0.01")
        if self.steps is not None and self.steps < 1:
            raise SnnirError("steps", f"{self.steps} steps", "one step is the least")
        if self.late not in ("refuse", "drop"):
            raise SnnirError("late", f"'{self.late}' is no way to treat late events", "use refuse or drop")

    def grouped(self, neurons: int, place: str) -> int:
        """How many neurons are left. Raises `SnnirError` where groups do not divide them."""
        if self.group < 1 or neurons % self.group:
            message = f"groups of {self.group} do not divide {neurons} neurons"
            raise SnnirError(place, message, "give a divisor, as 5 of 700")
        return neurons // self.group

    def step_of(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """The step of each time."""
        return np.floor(np.minimum(times / self.dt + NEAR, 2.0**62)).astype(np.int64)


Source = Callable[[], Iterable[Recording]]
"""Reads a file or folder from its start, as often as it is called."""


def blocks(source: Source, neurons: int, binning: Binning, place: str, samples: int | None = None) -> Iterator[Dataset]:
    """Samples in arrays of `BLOCK` at most, all of the same number of steps; the first `samples` of them.

    Where the steps are not given everything is read twice. Raises `SnnirError` that names the sample: for times that
    are no numbers or below 0, neurons outside the sensor, and times after the last step unless these are dropped.
    """
    left = binning.grouped(neurons, place)
    if samples is not None and samples < 1:
        raise SnnirError(place, f"{samples} samples", "ask for at least one sample")
    steps = binning.steps
    if steps is None:
        steps = 1 + max((_last_step(each, neurons, binning) for each in islice(source(), samples)), default=-1)
    if not steps:
        raise SnnirError(place, "there is no sample in it", "name a file or folder with recordings")
    if steps * left > LARGEST_CELLS:
        message = f"a sample of {steps:,} steps and {left} neurons takes more than {LARGEST_CELLS >> 30} GB"
        raise SnnirError(place, message, "ask for fewer or longer steps")
    found = islice(source(), samples)
    rows = max(1, min(BLOCK, BLOCK_BYTES // (steps * left)))
    while part := list(islice(found, rows)):
        yield _block(part, neurons, left, steps, binning)


def joined(parts: Iterable[Dataset], place: str) -> Dataset:
    """All samples in one array. Raises `SnnirError` when there are none, or more than `LARGEST_CELLS` bytes."""
    found: list[Dataset] = []
    size = 0
    for each in parts:
        size += each.spikes.size
        if size > LARGEST_CELLS:
            message = f"the spikes take more than {LARGEST_CELLS >> 30} GB"
            raise SnnirError(place, message, "read fewer samples, larger steps or groups; or read it block by block")
        found.append(each)
    if not found:
        raise SnnirError(place, "there is no sample in it", "name a file or folder with recordings")
    labels = [each.labels for each in found if each.labels is not None]
    about = {key: np.concatenate([each.about[key] for each in found]) for key in found[0].about}
    together = np.concatenate(labels) if len(labels) == len(found) else None
    return Dataset(np.concatenate([each.spikes for each in found]), together, about, found[0].names)


def _last_step(recording: Recording, neurons: int, binning: Binning) -> int:
    _check(recording, neurons)
    last = float(recording.times.max(initial=0.0))
    step = int(binning.step_of(np.array([last]))[0])
    if step >= MOST_STEPS:
        message = f"an event at {last:g} s needs {step + 1:,} steps of {binning.dt:g} s"
        raise SnnirError(recording.place, message, "is the file damaged? if not, give the steps that are meant")
    return step


def _check(recording: Recording, neurons: int) -> None:
    """Raise `SnnirError` for events that cannot be."""
    times, units = recording.times, recording.neurons
    if len(times) != len(units):
        message = f"{len(times)} times, but {len(units)} neurons"
        raise SnnirError(recording.place, message, "store one time and one neuron for each event")
    wrong = np.flatnonzero(~(np.isfinite(times) & (times >= 0)))
    if len(wrong):
        what = f"the time of event {wrong[0]} is {times[wrong[0]]}"
        raise SnnirError(recording.place, what, "times are seconds from the start of the sample, 0 or more")
    wrong = np.flatnonzero((units < 0) | (units >= neurons))
    if len(wrong):
        what = f"event {wrong[0]} is of neuron {units[wrong[0]]}, but there are {neurons}"
        raise SnnirError(recording.place, what, "is this another sensor, or a damaged file?")


def _block(part: list[Recording], neurons: int, left: int, steps: int, binning: Binning) -> Dataset:
    spikes = np.zeros((len(part), steps, left), np.uint8)
    late = np.zeros(len(part), np.int64)
    for row, recording in enumerate(part):
        _check(recording, neurons)
        step = binning.step_of(recording.times)
        kept = step < steps
        late[row] = len(step) - int(kept.sum())
        if late[row] and binning.late == "refuse":
            last = float(recording.times.max())
            message = f"{late[row]} events come after step {steps - 1}, the last at {last:g} s"
            raise SnnirError(recording.place, message, "give more steps or longer ones, or let late events drop")
        places, counts = np.unique(step[kept] * left + recording.neurons[kept] // binning.group, return_counts=True)
        if binning.counts and counts.max(initial=0) > 255:
            message = f"{counts.max()} events of a neuron in one step do not fit into 8 bits"
            raise SnnirError(recording.place, message, "use shorter steps or no counts")
        spikes[row].reshape(-1)[places] = counts if binning.counts else 1
    labels = [each.label for each in part]
    known = None if any(label is None for label in labels) else np.array(labels, np.int64)
    about = {key: np.array([each.about[key] for each in part]) for key in part[0].about}
    return Dataset(spikes, known, {**about, "late": late})
