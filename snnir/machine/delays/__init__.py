"""The delay memories of crossbars, executed step by step as the hardware would, for many samples in lockstep.

A delay memory stands beside its crossbar. It is told of every spike (or code) that a row of the crossbar reads, in the
step in which it is emitted, and says in each step what the columns add up: of what is emitted in this step for rows
without a delay, and of what was emitted before for the others. There is a file for each kind:

- `ring`: for each column a ring buffer of sums (Loihi, SpiNNaker);
- `queue`: an event for each spike and delay, which counts down (TrueNorth);
- `circular`: two queues between which events go round, one delay level a step, until no later level is read (Seneca);
- `fifo`: the same with one queue and a pointer.

All four give the same sums. What they hold differs: `peak` says how much at most.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from snnir.machine.delays.circular import Circular
from snnir.machine.delays.fifo import Fifo
from snnir.machine.delays.memory import Columns, Limit, Memory
from snnir.machine.delays.queue import Queue
from snnir.machine.delays.ring import Ring
from snnir.machine.delays.wiring import wiring_of
from snnir.machine.parts import Configuration

KINDS = {"queue": Queue, "circular": Circular, "fifo": Fifo}
"""Memories of events, by the name that a configuration has for them."""


class Memories:
    """The delay memories of a machine: one for each crossbar that has a row with a delay, none without `delays`."""

    def __init__(self, configuration: Configuration, samples: int, columns: Mapping[str, Columns]) -> None:
        """Empty memories; `columns` says for each slice what its columns add up.

        Raises `SnnirError` where a ring buffer needs more slots than there are.
        """
        self.of: dict[str, Memory] = {}
        """Crossbar -> its memory."""
        self._readers: dict[str, list[Memory]] = {}
        kind = None if configuration.machine.delays is None else configuration.machine.delays.memory
        for number, crossbar in enumerate(configuration.crossbars):
            if kind is None or not crossbar.has_delays:
                continue
            limit = Limit(
                f"{configuration.path}:/crossbars/{number}", crossbar.name, configuration.entries_of(crossbar)
            )
            if kind == "ring":
                memory: Memory = Ring(configuration, crossbar, samples, limit, columns)
            else:
                memory = KINDS[kind](wiring_of(configuration, crossbar), samples, limit, columns)
            self.of[crossbar.name] = memory
            for source in sorted({group.source for group in (*crossbar.rows, *crossbar.windowed)}):
                self._readers.setdefault(source, []).append(memory)

    def begin(self, step: int) -> None:
        """Begin a step: what was emitted before is delivered."""
        for memory in self.of.values():
            memory.begin(step)

    def arrive(self, source: str, neurons: NDArray[np.int64], values: "NDArray[np.generic]") -> None:
        """What neurons of an input or population emit in this step, (samples, neurons); 0: nothing."""
        for memory in self._readers.get(source, ()):
            memory.arrive(source, neurons, values)

    def end(self) -> None:
        """End a step, in which all that is emitted has arrived."""
        for memory in self.of.values():
            memory.end()

    @property
    def peaks(self) -> dict[str, int]:
        """The most entries that were held at a time in one sample, by crossbar; slots of a ring buffer: all."""
        return {name: memory.peak for name, memory in self.of.items()}
