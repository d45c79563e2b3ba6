"""Memories of events: what is emitted waits in a queue, and is delivered to the rows that read it later."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.machine.delays.memory import Columns, Integers, Limit, Reals
from snnir.machine.delays.wiring import Wiring


@dataclass(frozen=True, eq=False)
class Events:
    """Events of all samples in one array each, those of a sample in the order in which they came.

    `axon` is a number of the wiring, `counter` what the memory counts, `value` 1 of a spike, else the code.
    """

    sample: Integers
    axon: Integers
    counter: Integers
    value: Reals

    @staticmethod
    def none() -> "Events":
        """No events."""
        return Events(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    def __len__(self) -> int:
        return len(self.sample)

    def only(self, chosen: "NDArray[np.bool] | Integers") -> "Events":
        """Those that a mask or positions choose."""
        return Events(self.sample[chosen], self.axon[chosen], self.counter[chosen], self.value[chosen])

    def counted(self, counter: "Integers | int") -> "Events":
        """The same with other counters."""
        return Events(self.sample, self.axon, np.broadcast_to(counter, len(self)), self.value)

    def then(self, later: "Events") -> "Events":
        """These, and others behind them."""
        return Events(
            np.concatenate([self.sample, later.sample]),
            np.concatenate([self.axon, later.axon]),
            np.concatenate([self.counter, later.counter]),
            np.concatenate([self.value, later.value]),
        )


class EventMemory(ABC):
    """A memory of events. Subclasses keep them: `_recall` at the start of a step, `_remember` what is fresh."""

    def __init__(self, wiring: Wiring, samples: int, limit: Limit, columns: Mapping[str, Columns]) -> None:
        self.wiring = wiring
        self._limit, self._columns = limit, columns
        self._now = np.zeros((samples, wiring.lines))
        self.held = np.zeros(samples, np.int64)
        """Entries that each sample has at this moment."""
        self._peak, self._step = 0, 0

    @property
    def peak(self) -> int:
        """The most events of one sample that were held at a time."""
        return self._peak

    def begin(self, step: int) -> None:
        """Begin a step: deliver what was emitted in steps before."""
        self._step = step
        self._now[:] = 0
        self._recall()

    def arrive(self, source: str, neurons: Integers, values: NDArray[Any]) -> None:
        """What neurons of a source emit in this step, (samples, neurons). What no later row reads is not kept.

        Raises `SnnirError` where the memory is full.
        """
        samples, positions = np.nonzero(values)
        axons = self.wiring.numbers[source][neurons[positions]]
        emitted = values[samples, positions].astype(np.float64)
        fresh = Events(samples, axons, np.zeros(len(samples), np.int64), emitted).only(axons >= 0)
        self.deliver(fresh, fresh.counter)
        late = fresh.only(self.wiring.last[fresh.axon] >= 1)
        if len(late):
            self._remember(late)

    def sums(self, name: str) -> Reals:
        """What the columns of a slice add up in this step, (samples, neurons)."""
        return self._columns[name](self._now[:, self.wiring.parts[name]], None)

    @abstractmethod
    def end(self) -> None:
        """End the step."""

    @abstractmethod
    def _recall(self) -> None:
        """Deliver what is due in this step of what was emitted before."""

    @abstractmethod
    def _remember(self, fresh: Events) -> None:
        """Take what was emitted just now and is read later, perhaps in this step too; its counters are 0."""

    def deliver(self, events: Events, levels: Integers) -> None:
        """Put events on the rows that read them at these delay levels."""
        if not len(events):
            return
        positions, lines = self.wiring.delivered(events.axon, levels)
        self._now[events.sample[positions], lines] = events.value[positions]

    def enter(self, events: Events) -> None:
        """Count entries that are made for events, in this order. Raises `SnnirError` at the first without room."""
        held = self.held + np.bincount(events.sample, minlength=len(self.held))
        entries = self._limit.entries
        if entries is not None and (held > entries).any():
            sample = int(np.argmax(held > entries))
            mine = np.flatnonzero(events.sample == sample)
            axon = int(events.axon[mine[entries - self.held[sample]]])
            self._limit.full(self.wiring.sources[axon], int(self.wiring.neurons[axon]), sample, self._step)
        self.held = held
        self._peak = max(self._peak, int(held.max()))

    def leave(self, events: Events) -> None:
        """Count entries that become free."""
        self.held = self.held - np.bincount(events.sample, minlength=len(self.held))
