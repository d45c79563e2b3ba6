"""The shared delay queue, as of TrueNorth: an event for each spike and delay, which counts the steps down."""

from collections.abc import Mapping

import numpy as np

from snnir.machine.delays.events import EventMemory, Events
from snnir.machine.delays.memory import Columns, Limit
from snnir.machine.delays.wiring import Wiring


class Queue(EventMemory):
    """An event of delay d is there for d steps: from the one in which it came to the one before it is delivered.

    Of a neuron that spikes in each step and is read at d levels from 1 to d, d (d + 1) / 2 events are there at a time
    (arXiv 2404.10597, section III). A delay without a programmed cell makes no event.
    """

    def __init__(self, wiring: Wiring, samples: int, limit: Limit, columns: Mapping[str, Columns]) -> None:
        super().__init__(wiring, samples, limit, columns)
        pairs = np.unique(wiring.keys)
        pairs = pairs[pairs % wiring.span >= 1]
        self._delays = pairs % wiring.span
        """The delays of axon after axon, ascending; those of one axon from `_first` on, `_many` of them."""
        self._many = np.bincount(pairs // wiring.span, minlength=len(wiring.last))
        self._first = np.cumsum(self._many) - self._many
        self._events, self._delay = Events.none(), np.empty(0, np.int64)

    def _recall(self) -> None:
        self._events = self._events.counted(self._events.counter - 1)
        due = self._events.counter == 0
        self.deliver(self._events.only(due), self._delay[due])
        self.leave(self._events.only(due))
        self._events, self._delay = self._events.only(~due), self._delay[~due]

    def _remember(self, fresh: Events) -> None:
        many = self._many[fresh.axon]
        copies = fresh.only(np.repeat(np.arange(len(fresh)), many))
        within = np.arange(len(copies)) - np.repeat(np.cumsum(many) - many, many)
        delay = self._delays[self._first[copies.axon] + within]
        self.enter(copies)
        self._events, self._delay = self._events.then(copies.counted(delay)), np.concatenate([self._delay, delay])

    def end(self) -> None:
        """End the step: nothing changes until the next begins."""
