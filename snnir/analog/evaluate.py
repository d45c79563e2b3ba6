"""What analog crossbars make of a configuration: each effect alone, all together, with and without compensation.

Every setting runs on several chips (seeds), on the same inputs, against the run of exact crossbars. A chip of a setting
without chance (wires, converters) is like any other, so there is one of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnir.analog.chip import Cells, Chip, largest_weight
from snnir.analog.crossbar import Effects
from snnir.machine.functional import Run, run
from snnir.machine.parts import Configuration

Array = NDArray[Any]
EFFECTS = ("cells", "wires", "noise", "converter")
CALIBRATION = 32
"""Samples that converters are calibrated on, the first of the data."""
_NORMAL = 1.959963984540054
"""The standard normal distribution has 95 % of itself within this of 0."""


@dataclass(frozen=True)
class Setting:
    """Effects that are modelled together, under a name."""

    name: str
    effects: Effects

    @property
    def by_chance(self) -> bool:
        """Whether one chip differs from another."""
        return self.effects.cells or self.effects.noise


@dataclass(frozen=True)
class Layer:
    """A population on analog crossbars against itself on exact ones."""

    equal: float
    """The share of spikes (or codes) that are the same, over all neurons, steps, samples and chips."""
    sqnr: float | None
    """Signal to error in dB, of the codes, or of the spikes that a neuron emits for a sample; None: no error, or no
    signal."""


@dataclass(frozen=True)
class Outcome:
    """What one setting gave."""

    name: str
    chips: int
    accuracies: tuple[float, ...]
    """Of each chip; empty without labels."""
    layers: Mapping[str, Layer]


@dataclass(frozen=True)
class Request:
    """What is evaluated: chips, effects, and how converters get their range."""

    seeds: int = 5
    effects: Sequence[str] = EFFECTS
    ranges: Literal["calibrated", "worst"] = "calibrated"
    exact_wires: bool = True


def settings_for(request: Request) -> list[Setting]:
    """Each effect alone and uncompensated, then all together; with compensation only what it can do something about."""
    chosen = [name for name in EFFECTS if name in request.effects]

    def effects(names: Sequence[str], *, compensate: bool) -> Effects:
        on = {name: name in names for name in EFFECTS}
        return Effects(**on, exact_wires=request.exact_wires, compensate=compensate)

    found = [Setting(name, effects([name], compensate=False)) for name in chosen]
    if len(chosen) > 1:
        found.append(Setting("all", effects(chosen, compensate=False)))
    if "cells" in chosen or "wires" in chosen:
        name = "all, compensated" if len(chosen) > 1 else f"{chosen[0]}, compensated"
        found.append(Setting(name, effects(chosen, compensate=True)))
    return found


def evaluate(
    configuration: Configuration,
    cells: Cells,
    inputs: Mapping[str, Array],
    labels: NDArray[np.int64] | None = None,
    request: Request | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """The outcome of exact crossbars, named `ideal`, and of every setting.

    `inputs` are as `snnir.machine.run` takes them, `labels` one for each sample. `progress` is told what is done and
    how many chips there are. The same arguments give the same outcomes. Raises `SnnirError` for cells of real numbers.
    """
    request = request or Request()
    largest_weight(configuration)
    ideal = run(configuration, inputs)
    outcomes = [_outcome("ideal", configuration, ideal, [ideal], labels)]
    plan = [(setting, request.seeds if setting.by_chance else 1) for setting in settings_for(request)]
    total, done = sum(count for _, count in plan), 0
    for setting, count in plan:
        runs: list[Run] = []
        for seed in range(count):
            if progress is not None:
                progress(done, total)
            runs.append(_on_a_chip(configuration, cells, inputs, request, setting, seed))
            done += 1
        outcomes.append(_outcome(setting.name, configuration, ideal, runs, labels))
    return outcomes


def _on_a_chip(
    configuration: Configuration,
    cells: Cells,
    inputs: Mapping[str, Array],
    request: Request,
    setting: Setting,
    seed: int,
) -> Run:
    chip = Chip(configuration, cells, setting.effects, seed)
    if setting.effects.converter and request.ranges == "worst":
        chip.range_for_all()
    elif setting.effects.converter:
        chip.calibrate({name: array[:CALIBRATION] for name, array in inputs.items()})
    return run(configuration, inputs, reader=chip.read)


def _outcome(
    name: str, configuration: Configuration, ideal: Run, runs: Sequence[Run], labels: NDArray[np.int64] | None
) -> Outcome:
    accuracies = () if labels is None else tuple(_accuracy(configuration, each, labels) for each in runs)
    return Outcome(name, len(runs), accuracies, dict(_layers(configuration, ideal, runs)))


def _accuracy(configuration: Configuration, found: Run, labels: NDArray[np.int64]) -> float:
    """The share of samples whose label is the neuron of the first output that says most (the first of equals)."""
    name = configuration.outputs[0].population
    code = next(each.code for each in configuration.populations if each.name == name)
    said = found.spikes[name] if code is None else code.decode(found.spikes[name])
    return float((said.sum(axis=1, dtype=np.float64).argmax(axis=1) == labels).mean())


def _layers(configuration: Configuration, ideal: Run, runs: Sequence[Run]) -> Iterator[tuple[str, Layer]]:
    for population in configuration.populations:
        before = ideal.spikes[population.name]
        equal = [float((before == each.spikes[population.name]).mean()) for each in runs]
        axis = () if population.code is not None else (1,)
        signal = before.sum(axis=axis, dtype=np.float64)
        error = sum(
            float(np.square(each.spikes[population.name].sum(axis=axis, dtype=np.float64) - signal).sum())
            for each in runs
        )
        power = float(np.square(signal).sum()) * len(runs)
        yield population.name, Layer(float(np.mean(equal)), _decibel(power, error))


def _decibel(power: float, error: float) -> float | None:
    return float(10 * np.log10(power / error)) if error and power else None


def interval(share: float, count: int) -> tuple[float, float]:
    """Where the share of a whole is with 95 % confidence that is found in `count` samples of it (Wilson 1927)."""
    z = _NORMAL**2 / count
    middle = (share + z / 2) / (1 + z)
    half = _NORMAL * np.sqrt(share * (1 - share) / count + z / (4 * count)) / (1 + z)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
