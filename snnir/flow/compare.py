"""Two runs of the same populations, spike by spike."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Spikes = Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Divergence:
    """The first spike in which two runs differ: earliest step, then population in program order."""

    population: str
    neuron: int
    step: int
    sample: int
    expected: int
    found: int

    def __str__(self) -> str:
        where = f"@{self.population}[{self.neuron}] at step {self.step} of sample {self.sample}"
        return f"{where}: {self.expected} expected, {self.found} found"


@dataclass(frozen=True)
class Comparison:
    """How far two runs agree on the populations that both have."""

    compared: int
    """Neuron-steps compared."""
    different: int
    """Neuron-steps in which one spiked and the other did not."""
    first: Divergence | None
    per_population: dict[str, int]


def compare(expected: Spikes, found: Spikes) -> Comparison:
    """Compare arrays (samples, steps, neurons) by name."""
    shared = [name for name in expected if name in found]
    counts = {name: int((expected[name] != found[name]).sum()) for name in shared}
    return Comparison(
        sum(expected[name].size for name in shared), sum(counts.values()), _first(expected, found, shared), counts
    )


def _first(expected: Spikes, found: Spikes, names: list[str]) -> Divergence | None:
    best: tuple[int, int, Divergence] | None = None
    for position, name in enumerate(names):
        places = np.argwhere((expected[name] != found[name]).transpose(1, 0, 2))
        if len(places):
            step, sample, neuron = (int(i) for i in places[0])
            values = int(expected[name][sample, step, neuron]), int(found[name][sample, step, neuron])
            candidate = (step, position, Divergence(name, neuron, step, sample, *values))
            best = candidate if best is None or candidate[:2] < best[:2] else best
    return best[2] if best is not None else None
