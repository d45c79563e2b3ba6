"""How many entries recorded spikes take of a delay memory, step by step.

An entry is counted in every step at whose end it is in the memory. With a spike of step s and delays up to L: a `queue`
holds an event for each delay d in the steps s .. s + d - 1, a `fifo` one event in the steps s .. s + L; a `circular`
memory holds it in those steps in its pre-processing queue, and in the steps s .. s + L - 1 also in the post-processing
queue, from where it goes on to the next step. All slots of a `ring` are always there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.delays.formulas import Memory
from snnir.delays.reads import IntArray, Reads


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes (or codes other than 0) of one source over some samples, neuron by neuron."""

    samples: int
    steps: int
    first: IntArray
    """Where those of each neuron start in `moments`, (neurons + 1,)."""
    moments: IntArray
    """The sample times (steps + 1) plus the step of each spike."""

    @staticmethod
    def of_array(array: NDArray[Any]) -> "Spikes":
        """From (samples, steps, neurons)."""
        sample, step, neuron = np.nonzero(array)
        return Spikes.of_events(sample, step, neuron, (array.shape[0], array.shape[1], array.shape[2]))

    @staticmethod
    def of_events(sample: IntArray, step: IntArray, neuron: IntArray, shape: tuple[int, int, int]) -> "Spikes":
        """From lists of the sample, step and neuron of each spike, with (samples, steps, neurons)."""
        samples, steps, neurons = shape
        order = np.argsort(neuron, kind="stable")
        first = np.zeros(neurons + 1, np.int64)
        np.cumsum(np.bincount(neuron, minlength=neurons), out=first[1:])
        return Spikes(samples, steps, first, (sample * (steps + 1) + step)[order])

    def held(self, neurons: IntArray, lengths: IntArray) -> IntArray:
        """The entries that some neurons' spikes take, (samples, steps): each for `lengths` steps, (neurons,)."""
        counts = self.first[neurons + 1] - self.first[neurons]
        before = np.cumsum(counts) - counts
        chosen = np.arange(int(counts.sum())) + np.repeat(self.first[neurons] - before, counts)
        start = self.moments[chosen]
        within = start % (self.steps + 1)
        end = start - within + np.minimum(within + np.repeat(lengths, counts), self.steps)
        size = self.samples * (self.steps + 1)
        change = np.bincount(start, minlength=size) - np.bincount(end, minlength=size)
        return change.reshape(self.samples, self.steps + 1).cumsum(axis=1)[:, :-1]


def occupancy(memory: Memory, reads: Reads, spikes: Mapping[str, Spikes]) -> IntArray:
    """The entries in use at the end of each step, (samples, steps), when each source fires as recorded.

    `spikes` has the spikes of all sources that are read, of the same samples and steps. Every sample starts with an
    empty memory.
    """
    some = next(iter(spikes.values()))
    if memory == "ring":
        return np.full((some.samples, some.steps), reads.bound(memory))
    total = np.zeros((some.samples, some.steps), np.int64)
    if memory == "queue":
        sources, neurons, lengths = reads.sources, reads.neurons, reads.delays
    else:
        sources, neurons, last = reads.last
        lengths = last + 1
    for number, name in enumerate(reads.names):
        mine = sources == number
        total += spikes[name].held(neurons[mine], lengths[mine])
        if memory == "circular":
            total += spikes[name].held(neurons[mine], lengths[mine] - 1)
    return total


def observed(memory: Memory, reads: Reads, spikes: Mapping[str, Spikes]) -> int:
    """The most entries in use at the end of any step."""
    return int(occupancy(memory, reads, spikes).max(initial=0)) if reads else 0
