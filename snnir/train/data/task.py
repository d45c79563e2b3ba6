"""A task that only timing solves: classes are the order in which groups of channels spike, far apart, and nothing else.

Every sample is a window of `steps` steps in which every channel spikes exactly once. Channels form groups. A class is a
cyclic order of the groups: channel c of class k has the lag `lags[k, c]`, the same for all channels of a group, and the
groups of each class have the same lags, evenly spaced (0, steps / groups, 2 steps / groups, ...), in another order. A
sample draws one onset for all its channels, uniformly from all steps, and for each channel a small jitter; channel c
spikes in step

    (onset + lags[k, c] + jitter[c]) mod steps,

so that what leaves the window at its end enters it at its start. Therefore, without noise as with it:

- the spikes of each channel are one, whatever the class: counts say nothing;
- the step in which a channel spikes is uniform over the window, whatever the class: so no channel alone says anything,
  and neither does any weighted sum over channels and steps, whose mean is the same for all classes;
- the spikes of all channels together, and of each group, have the same distribution for all classes;
- spikes that are less than `steps / groups - 2 jitter` steps apart are of the same group in every class: who remembers
  less than that sees no difference.

What is left are differences between times of channels of different groups, from `steps / groups - 2 jitter` steps up to
the window. Noise deletes spikes and adds others, each with a probability that does not depend on the class.
"""

from dataclasses import dataclass
from functools import cached_property
from math import factorial

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.train.data.dataset import Dataset

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Lags:
    """The task: its sizes and its noise. The same values give the same classes and, with a seed, the same samples."""

    classes: int = 6
    channels: int = 32
    groups: int = 4
    steps: int = 64
    jitter: int = 2
    """Largest distance of a spike from its place, in steps; all distances up to it are equally likely."""
    deleted: float = 0.2
    """The probability that a spike is missing."""
    added: float = 0.3
    """The probability that a channel has one more spike, in a step drawn from all."""
    task_seed: int = 0
    """What the classes are drawn from; samples of one task share it."""

    def __post_init__(self) -> None:
        """Raise `SnnirError` for sizes that make no task."""
        if self.groups < 3 or self.channels < self.groups:
            message = f"{self.channels} channels in {self.groups} groups"
            raise SnnirError("lags", message, "three groups are the least, each of one channel or more")
        orders = factorial(self.groups - 1)
        if not 2 <= self.classes <= orders:
            message = f"{self.classes} classes, but {self.groups} groups have {orders} cyclic orders"
            raise SnnirError("lags", message, "ask for two classes at least, and for more groups where there are many")
        if not 0 <= 2 * self.jitter < self.steps // self.groups:
            message = f"a jitter of {self.jitter} steps for groups {self.steps // self.groups} steps apart"
            raise SnnirError("lags", message, "keep it below half their distance, so that groups do not overlap")
        for name, value in (("deleted", self.deleted), ("added", self.added)):
            if not 0.0 <= value < 1.0:
                raise SnnirError("lags", f"{name} is {value}", "a probability lies from 0 to below 1")
        if self.task_seed < 0:
            raise SnnirError("lags", f"the task's seed is {self.task_seed}", "seeds count from 0")

    @cached_property
    def lags(self) -> Integers:
        """The lag of each channel in each class, in steps: (classes, channels); group 0 has the lag 0.

        Channels are dealt to the groups in turn. The cyclic orders are drawn, each at most once.
        """
        rng = np.random.default_rng([self.task_seed, self.groups, self.steps])
        found: dict[tuple[int, ...], None] = {}
        while len(found) < self.classes:
            found.setdefault((0, *(1 + rng.permutation(self.groups - 1)).tolist()))
        places = np.array(list(found), np.int64)
        return (places * self.steps // self.groups)[:, np.arange(self.channels) % self.groups]

    def samples(self, samples: int, seed: int = 0) -> Dataset:
        """Samples of the task: labels in turn, in an order drawn from the seed, so that classes are equally frequent.

        Raises `SnnirError` for fewer samples than one.
        """
        if samples < 1 or seed < 0:
            raise SnnirError("lags", f"{samples} samples from seed {seed}", "one sample and seed 0 are the least")
        rng = np.random.default_rng([seed, samples])
        labels = rng.permutation(np.arange(samples) % self.classes)
        size = (samples, self.channels)
        onset = rng.integers(self.steps, size=(samples, 1))
        step = (onset + self.lags[labels] + rng.integers(-self.jitter, self.jitter + 1, size=size)) % self.steps
        kept, more = rng.random(size) >= self.deleted, rng.random(size) < self.added
        where = rng.integers(self.steps, size=size)
        spikes = np.zeros((samples, self.steps, self.channels), np.uint8)
        for steps, chosen in ((step, kept), (where, more)):
            sample, channel = np.nonzero(chosen)
            spikes[sample, steps[sample, channel], channel] = 1
        return Dataset(spikes, labels.astype(np.int64), {"onset": onset[:, 0]})

    def decoded(self, spikes: NDArray[np.uint8]) -> Integers:
        """The class of each sample by matching lags, (samples,): what can be known when the lags are known.

        Spikes (samples, steps, channels). For each class and onset the spikes are counted that lie within the jitter of
        their place; the class with the most for any onset wins, the first of equals. This is not a network: it knows
        the end of the window before it answers, and that the window closes to a ring.
        """
        near = np.zeros(spikes.shape, np.int64)
        for shift in range(-self.jitter, self.jitter + 1):
            near += np.roll(spikes, shift, axis=1)
        best: list[Integers] = []
        for lags in self.lags:
            places = (np.arange(self.steps)[:, None] + lags) % self.steps
            best.append(near[:, places, np.arange(self.channels)].sum(axis=2).max(axis=1))
        return np.stack(best, axis=1).argmax(axis=1)
