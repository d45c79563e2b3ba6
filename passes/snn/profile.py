"""`snn-profile`: how active the program is on representative data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.activity import PERCENTILES, ActivityAttr
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import NetworkOp
from snnir.passes.base import SNNPass, note_progress, program
from snnir.sim import Data, Events, chunks, run
from snnir.sim.data import read_spikes
from snnir.sim.entry import network_of


@dataclass(frozen=True)
class SNNProfile(SNNPass):
    """Run the program on recorded inputs and attach `activity` to every input and population with spikes or codes.

    Activity is the number of steps seen, the spikes in them (of codes: those that are not 0), the most spikes in one
    step, the 50th, 90th and 99th percentile of the spikes in a step, and each neuron's count. Samples are run a few at
    a time, so that memory does not grow with their number. Who wants to know how far it is uses
    `snnir.passes.base.progress_told`.
    """

    name = "snn-profile"

    data: str
    """An .npz or NIRData file with an array (samples, steps, lines) or a list of events for each input, by its name."""
    samples: int | None = None
    """How many of the samples to run; all by default."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network = program(op)
        inputs = read_spikes(Path(self.data), self.samples, network.step_seconds)
        sources = network.sources
        for name, activity in measure(network, inputs, partial(note_progress, self.name)).items():
            sources[name].activity = activity
            self._count(name, activity)
        samples, steps = next(data for name, data in inputs.items() if name in sources).shape[:2]
        self.statistics["samples"], self.statistics["steps"] = samples, samples * steps

    def _count(self, name: str, activity: ActivityAttr) -> None:
        self.statistics[f"spikes of @{name}"] = activity.total.data
        self.statistics[f"spikes of @{name} in one step, most"] = activity.peak.data
        for percent, level in zip(PERCENTILES, activity.percentiles.data, strict=True):
            self.statistics[f"spikes of @{name} in one step, percentile {percent}"] = level


def measure(
    network: NetworkOp, inputs: Mapping[str, Data], progress: Callable[[int, int], None] | None = None
) -> dict[str, ActivityAttr]:
    """The activity of every input and population that emits spikes or codes; a few samples at a time, so that memory
    stays bounded."""
    arrays = network_of(network)
    events = {name: op for name, op in network.sources.items() if op.emits_events}
    measures = {name: Measure(name, op.size, coded=op.coding is not None) for name, op in events.items()}
    if all(isinstance(inputs.get(name), Events) for name in arrays.inputs):
        found = run(arrays, inputs, record=list(measures), lists=True, progress=progress).events
        for name, listed in found.items():
            measures[name].add_events(listed)
    else:
        for _, signals in chunks(arrays, inputs, record=list(measures), progress=progress):
            for name, each in measures.items():
                each.add(signals[name])
    return {name: each.activity() for name, each in measures.items()}


class Measure:
    """Counts of a signal's spikes, or of its codes that are not 0, gathered from one part of the samples after the
    other."""

    def __init__(self, name: str, size: int, *, coded: bool = False) -> None:
        self._name, self._coded = name, coded
        self._counts = np.zeros(size, np.int64)
        self._histogram = np.zeros(1, np.int64)
        """How many steps had so many spikes."""

    def add(self, spikes: NDArray[Any]) -> None:
        """Count the spikes or codes of (samples, steps, neurons)."""
        if self._coded:
            spikes = spikes != 0
        self._counts += spikes.sum(axis=(0, 1), dtype=np.int64)
        self._add_steps(spikes.sum(axis=2, dtype=np.int64).ravel(), 0)

    def add_events(self, events: Events) -> None:
        """Count the spikes in a list of events."""
        samples, steps, _ = events.shape
        count = (events.value != 0 if self._coded else events.value).astype(np.int64)
        np.add.at(self._counts, events.index, count)
        moments, place = np.unique(events.sample * steps + events.step, return_inverse=True)
        found = np.zeros(len(moments), np.int64)
        np.add.at(found, place, count)
        self._add_steps(found, samples * steps - len(moments))

    def _add_steps(self, spikes: NDArray[np.int64], silent: int) -> None:
        """Count steps: one for each entry of `spikes`, and some in which there were none."""
        found = np.bincount(spikes, minlength=len(self._histogram))
        found[: len(self._histogram)] += self._histogram
        found[0] += silent
        self._histogram = found

    def activity(self) -> ActivityAttr:
        """All that was counted. Percentile p: the least number that p percent of the steps do not exceed."""
        reached = np.cumsum(self._histogram)
        steps = int(reached[-1])
        percentiles = tuple(int(np.searchsorted(reached * 100, percent * steps)) for percent in PERCENTILES)
        peak = int(np.flatnonzero(self._histogram).max(initial=0))
        counts = TensorAttr.of(f"{self._name}.counts", self._counts)
        return ActivityAttr.of(steps, int(self._counts.sum()), peak, counts, percentiles)
