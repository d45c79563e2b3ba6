"""A single queue with a pointer, the smaller variant of the circular one (arXiv 2501.13610)."""

from collections.abc import Mapping

import numpy as np

from snnir.machine.delays.events import EventMemory, Events
from snnir.machine.delays.memory import Columns, Limit
from snnir.machine.delays.wiring import Wiring


class Fifo(EventMemory):
    """An event stays in the queue until its last level has been read; a pointer passes over all of them in each step.

    What is delivered is that of `circular`, with one entry for an event: a step holds up to L + 1 of a neuron that is
    last read at level L.
    """

    def __init__(self, wiring: Wiring, samples: int, limit: Limit, columns: Mapping[str, Columns]) -> None:
        super().__init__(wiring, samples, limit, columns)
        self._events = Events.none()
        """Counters are levels."""

    def _recall(self) -> None:
        self._events = self._events.counted(self._events.counter + 1)
        self.deliver(self._events, self._events.counter)

    def _remember(self, fresh: Events) -> None:
        self.enter(fresh)
        self._events = self._events.then(fresh)

    def end(self) -> None:
        """End the step: what no later level reads leaves."""
        useful = np.asarray(self._events.counter < self.wiring.last[self._events.axon])
        self.leave(self._events.only(~useful))
        self._events = self._events.only(useful)
