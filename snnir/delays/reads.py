"""What the rows of one crossbar read of past steps, and the most that this can take of each kind of memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snnir.delays.formulas import Memory

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reads:
    """The late rows of one crossbar, each pair of a neuron and a delay once."""

    names: tuple[str, ...]
    """The inputs and populations that any of them reads."""
    sources: IntArray
    """Which of these each row reads, (rows,)."""
    neurons: IntArray
    """Which neuron of it, (rows,)."""
    delays: IntArray
    """How many steps late, 1 or more, (rows,)."""
    targets: int
    """How many neurons (or partial sums) a late row drives: a ring buffer each."""

    @staticmethod
    def of(groups: Sequence[tuple[str, int, IntArray]], targets: int) -> "Reads":
        """From the name, delay and neurons of each group of rows; those without a delay are left out."""
        late = [group for group in groups if group[1] > 0]
        names = tuple(dict.fromkeys(name for name, _, _ in late))
        numbers = {name: number for number, name in enumerate(names)}
        counts = [len(neurons) for _, _, neurons in late]
        rows = np.stack(
            [
                np.repeat(np.array([numbers[name] for name, _, _ in late], np.int64), counts),
                np.concatenate([np.empty(0, np.int64), *(neurons for _, _, neurons in late)]),
                np.repeat(np.array([delay for _, delay, _ in late], np.int64), counts),
            ]
        )
        # a row and a window may read the same neuron equally late: that is one event
        sources, neurons, delays = np.unique(rows, axis=1)
        return Reads(names, sources, neurons, delays, targets)

    def __bool__(self) -> bool:
        """Whether anything is read late."""
        return self.delays.size > 0

    @property
    def longest(self) -> int:
        """The longest delay, in steps."""
        return int(self.delays.max(initial=0))

    @cached_property
    def last(self) -> tuple[IntArray, IntArray, IntArray]:
        """The source, the neuron and the last delay of each neuron that is read late, (neurons,) each."""
        # rows are in order: the last of a neuron has its longest delay
        following = np.diff(self.sources).astype(np.bool_) | np.diff(self.neurons).astype(np.bool_)
        ends = np.append(following, np.ones(min(1, len(self.delays)), np.bool_))
        return self.sources[ends], self.neurons[ends], self.delays[ends]

    def bound(self, memory: Memory) -> int:
        """The entries that are in use when every neuron fires in every step.

        With L the last delay of a neuron: a `ring` has `targets` times (longest + 1) slots, a `queue` an event for d
        steps for each delay d of a neuron, `circular` queues L + 1 events of a neuron and L copies, a `fifo` L + 1.
        """
        _, _, last = self.last
        match memory:
            case "ring":
                return self.targets * (self.longest + 1) if self else 0
            case "queue":
                return int(self.delays.sum())
            case "circular":
                return int((2 * last + 1).sum())
            case "fifo":
                return int((last + 1).sum())

    def bound_of(self, memory: Memory, peaks: Mapping[str, int]) -> int:
        """The entries that are in use at most when no step has more than `peaks` spikes of each source.

        Of the spikes of one step, k steps ago, those are remembered that some delay still waits for; the most are when
        just the neurons fire that are remembered longest. A source without a peak fires with all neurons.
        """
        if memory == "ring":
            return self.bound(memory)
        total = 0
        for number, name in enumerate(self.names):
            mine = self.sources == number
            most = peaks.get(name, int(mine.sum()))
            if memory == "queue":
                total += self._queued(mine, most)
                continue
            last = self.last[2][self.last[0] == number]
            ages = _exceeding(last + 1)
            total += int(np.minimum(ages, most).sum())
            if memory == "circular":
                total += int(np.minimum(_exceeding(last), most).sum())
        return total

    def by_source(self, memory: Memory) -> dict[str, int]:
        """The bound, source by source; of a ring the share of late rows, as sums have no source."""
        if memory == "ring":
            return {name: int((self.sources == number).sum()) for number, name in enumerate(self.names)}
        found: dict[str, int] = {}
        for number, name in enumerate(self.names):
            mine = self.sources == number
            found[name] = Reads(
                (name,), np.zeros(int(mine.sum()), np.int64), self.neurons[mine], self.delays[mine], 0
            ).bound(memory)
        return found

    def _queued(self, mine: NDArray[np.bool_], most: int) -> int:
        """Events of one source in a queue, with at most so many spikes in a step."""
        _, place = np.unique(self.neurons[mine], return_inverse=True)
        delays, total = self.delays[mine], 0
        for age in range(int(delays.max(initial=0))):
            waiting = np.bincount(place[delays > age])
            total += int(np.sort(waiting)[::-1][:most].sum())
        return total


def _exceeding(values: IntArray) -> IntArray:
    """How many values exceed 0, 1, 2, ..., up to the largest."""
    counts = np.bincount(values)
    return counts[::-1].cumsum()[::-1][1:]
