"""The shared circular delay queue with its pruning filter, as of Seneca (arXiv 2404.10597, section III)."""

from collections.abc import Mapping

import numpy as np

from snnir.machine.delays.events import EventMemory, Events
from snnir.machine.delays.memory import Columns, Limit
from snnir.machine.delays.wiring import Wiring


class Circular(EventMemory):
    """Two queues: from the pre-processing queue events are delivered, in the post-processing queue they go on.

    A fresh event enters the pre-processing queue at level 0. In each step each event there is delivered to what reads
    its axon at its level (the bit of the weight-valid matrix), and enters the post-processing queue with the next
    level if any later one is read; if not, it is dropped early (the hardware counts leading zeros). At the end of the
    step the queues change places. So a step holds up to 2 L + 1 entries of a neuron that is last read at level L.
    """

    def __init__(self, wiring: Wiring, samples: int, limit: Limit, columns: Mapping[str, Columns]) -> None:
        super().__init__(wiring, samples, limit, columns)
        self._before, self._behind = Events.none(), Events.none()
        """The pre-processing queue and the post-processing queue; counters are levels."""

    def _recall(self) -> None:
        self.deliver(self._before, self._before.counter)
        going = self._going_on(self._before)
        self.enter(going)
        self._behind = going

    def _remember(self, fresh: Events) -> None:
        going = self._going_on(fresh)
        assert len(going) == len(fresh), "what is fresh here is read at a later level"
        self.enter(_twice(fresh))
        self._before, self._behind = self._before.then(fresh), self._behind.then(going)

    def _going_on(self, events: Events) -> Events:
        """Those that a later level reads, at the next one."""
        useful = events.only(events.counter < self.wiring.last[events.axon])
        return useful.counted(useful.counter + 1)

    def end(self) -> None:
        """End the step: the queues change places, and the one that has been processed is empty."""
        self.leave(self._before)
        self._before, self._behind = self._behind, Events.none()


def _twice(events: Events) -> Events:
    """Each event twice, one time behind the other: it enters both queues before the next event comes."""
    return events.only(np.repeat(np.arange(len(events)), 2))
