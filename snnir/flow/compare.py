"""Two runs of the same populations, value by value: how often they differ, and where first.

A signal is an array (samples, steps, neurons) of spikes, counts or real numbers, or the same as a list of events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from snnir.errors import SnnirError
from snnir.sim.events import Data, Events

Signal = Data
Spikes = Mapping[str, Signal]

TOLERANCE = 1e-6
"""Real numbers are equal when they differ by at most this share of the largest magnitude of the signal."""
MARGIN = 4
"""Steps of both traces that are shown on each side of a divergence."""


@dataclass(frozen=True)
class Divergence:
    """The first value in which two runs differ: earliest step, then population in the order of dependence."""

    population: str
    neuron: int
    step: int
    sample: int
    expected: float
    found: float

    def __str__(self) -> str:
        where = f"@{self.population}[{self.neuron}] at step {self.step} of sample {self.sample}"
        return f"{where}: {self.expected:g} expected, {self.found:g} found"


@dataclass(frozen=True)
class Comparison:
    """How far two runs agree on the populations that both have."""

    compared: int
    """Neuron-steps compared."""
    different: int
    """Neuron-steps in which the values differ."""
    first: Divergence | None
    per_population: dict[str, int]


@dataclass(frozen=True)
class Trace:
    """What one neuron did around a divergence."""

    start: int
    """The first step that is shown."""
    expected: list[float]
    found: list[float]


def compare(expected: Spikes, found: Spikes, order: Sequence[str] | None = None) -> Comparison:
    """Compare signals by name, over the samples and steps that both have.

    `order` lists the populations so that within a step each follows those that it depends on; the order of `expected`
    when it is left out. Raises `SnnirError` where the numbers of neurons differ.
    """
    shared = [name for name in order or expected if name in expected and name in found]
    counts: dict[str, int] = {}
    compared, best = 0, None
    for name in shared:
        both = _overlap(name, expected[name], found[name])
        compared += int(np.prod(both[0].shape, dtype=np.int64))
        counts[name], first = _differences(name, *both)
        if first is not None and (best is None or first.step < best.step):
            best = first
    return Comparison(compared, sum(counts.values()), best, {name: counts[name] for name in expected if name in counts})


def trace(expected: Spikes, found: Spikes, first: Divergence, margin: int = MARGIN) -> Trace:
    """Both runs of the neuron that diverged, `margin` steps to each side."""
    signals = (expected[first.population], found[first.population])
    start = max(0, first.step - margin)
    stop = min(first.step + margin + 1, *(signal.shape[1] for signal in signals))
    ours, theirs = (_values(signal, first.sample, start, stop, first.neuron) for signal in signals)
    return Trace(start, ours, theirs)


def prefix(signal: Signal, samples: Sequence[int], steps: int) -> Signal:
    """Some samples, and of them the first steps."""
    if not isinstance(signal, Events):
        return signal[list(samples), :steps]
    number = np.full(signal.shape[0], -1)
    number[list(samples)] = np.arange(len(samples))
    kept = (number[signal.sample] >= 0) & (signal.step < steps)
    shape = (len(samples), min(steps, signal.shape[1]), signal.shape[2])
    columns = (number[signal.sample[kept]], signal.step[kept], signal.index[kept])
    return Events.of(shape, *columns, signal.value[kept])


def _overlap(name: str, expected: Signal, found: Signal) -> tuple[Signal, Signal]:
    """Both signals, cut to the samples and steps that both have; as events when one of them is."""
    if expected.shape[2] != found.shape[2]:
        message = f"{expected.shape[2]} neurons are expected, but {found.shape[2]} found"
        raise SnnirError(f"@{name}", message, "compare recordings of the same network")
    samples, steps = (min(expected.shape[axis], found.shape[axis]) for axis in (0, 1))
    if isinstance(expected, Events) or isinstance(found, Events):
        expected, found = (s if isinstance(s, Events) else Events.from_array(s) for s in (expected, found))
    both = (expected, found)
    if all(signal.shape[:2] == (samples, steps) for signal in both):
        return both
    return prefix(both[0], range(samples), steps), prefix(both[1], range(samples), steps)


def _differences(name: str, expected: Signal, found: Signal) -> tuple[int, Divergence | None]:
    """How many values differ, and the first of them."""
    if isinstance(expected, Events) and isinstance(found, Events):
        return _event_differences(name, expected, found)
    assert isinstance(expected, np.ndarray) and isinstance(found, np.ndarray)
    if "f" in (expected.dtype.kind, found.dtype.kind):
        limit = TOLERANCE * float(np.abs(expected).max(initial=0.0))
        # not(<=) also holds for what is no number
        wrong = ~(np.abs(expected.astype(np.float64) - found) <= limit)
    else:
        wrong = expected != found
    count = int(np.count_nonzero(wrong))
    if not count:
        return 0, None
    step = int(wrong.any(axis=(0, 2)).argmax())
    sample = int(wrong[:, step].any(axis=1).argmax())
    neuron = int(wrong[sample, step].argmax())
    values = (_number(signal[sample, step, neuron]) for signal in (expected, found))
    return count, Divergence(name, neuron, step, sample, *values)


def _event_differences(name: str, expected: Events, found: Events) -> tuple[int, Divergence | None]:
    """The same for lists of events: entries of only one of them, or with different values."""
    size, samples = expected.shape[2], expected.shape[0]
    keys = [(e.step * samples + e.sample) * size + e.index for e in (expected, found)]
    every = np.union1d(*keys)
    values = np.zeros((2, len(every)))
    for row, (key, signal) in enumerate(zip(keys, (expected, found), strict=True)):
        values[row, np.searchsorted(every, key)] = signal.value
    wrong = np.flatnonzero(values[0] != values[1])
    if not len(wrong):
        return 0, None
    place, neuron = divmod(int(every[wrong[0]]), size)
    step, sample = divmod(place, samples)
    both = (_number(value) for value in values[:, wrong[0]])
    return len(wrong), Divergence(name, neuron, step, sample, *both)


def _values(signal: Signal, sample: int, start: int, stop: int, neuron: int) -> list[float]:
    if isinstance(signal, Events):
        block = signal.block(range(sample, sample + 1), range(start, stop), np.float64)[:, 0, neuron]
        return [_number(value) for value in block]
    return [_number(value) for value in signal[sample, start:stop, neuron]]


def _number(value: Any) -> float:
    """A plain number, whole where it can be: spikes are 0 and 1, not 0.0 and 1.0."""
    number = float(value)
    return int(number) if number.is_integer() else number
