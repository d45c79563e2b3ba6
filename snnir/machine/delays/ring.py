"""Ring buffers of sums, as of Loihi and SpiNNaker: what a spike will say to a column is added when it is emitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.machine.delays.memory import ROOM, Columns, Integers, Limit, Reals
from snnir.machine.delays.wiring import programmed_lines
from snnir.machine.parts import Configuration, Crossbar, taps


@dataclass(frozen=True, eq=False)
class _Tap:
    """Axons of one slice that read a source at one delay: its neurons, and their places among the slice's axons."""

    part: str
    delay: int
    neurons: Integers
    positions: Integers


class Ring:
    """For each neuron (and each of its partial sums) a ring of slots, one more than the longest delay has steps.

    What is emitted in step t is multiplied with the weight of a row of delay d and added to slot (t + d) mod slots; the
    slot of step t is read and cleared in step t. The sums are of whole numbers and fit 53 bits, so the order in which
    they are added does not matter. A ring that has been read has one slot free for what is emitted longest before.
    """

    def __init__(
        self,
        configuration: Configuration,
        crossbar: Crossbar,
        samples: int,
        limit: Limit,
        columns: Mapping[str, Columns],
    ) -> None:
        """Raises `SnnirError` where there are fewer slots than columns and delays need."""
        check_slots(crossbar, limit)
        self._samples, self._columns = samples, columns
        self._peak, self._step = slots_of(crossbar), 0
        self._around = longest_delay(crossbar) + 1
        self._sizes = {item.name: item.size for item in (*configuration.inputs, *configuration.populations)}
        self._widths = {part.name: part.width for part in crossbar.slices}
        self._taps: dict[str, list[_Tap]] = {}
        for part in crossbar.slices:
            for group, neurons, positions in taps(crossbar, part):
                tap = _Tap(part.name, group.delay, neurons, positions)
                self._taps.setdefault(group.source, []).append(tap)
        self._slots: dict[tuple[str, int], Reals] = {}
        """Slice and number of a slot -> its sums, (samples, neurons); one that is not there holds zeros."""

    @property
    def peak(self) -> int:
        """The slots that are there, whatever is in them."""
        return self._peak

    def begin(self, step: int) -> None:
        """Begin a step."""
        self._step = step

    def arrive(self, source: str, neurons: Integers, values: NDArray[Any]) -> None:
        """Add what neurons of a source emit in this step, (samples, neurons), to the slots of all that read it."""
        if not values.any():
            return
        whole = np.zeros((self._samples, self._sizes[source]))
        whole[:, neurons] = values
        here = np.zeros(self._sizes[source], np.bool)
        here[neurons] = True
        for tap in self._taps[source]:
            mine = here[tap.neurons]
            emitted = whole[:, tap.neurons[mine]]
            if emitted.any():
                slot = tap.part, (self._step + tap.delay) % self._around
                self._slots[slot] = self._slots.get(slot, 0.0) + self._columns[tap.part](emitted, tap.positions[mine])

    def sums(self, name: str) -> Reals:
        """The slot of this step, which is cleared: (samples, neurons)."""
        found = self._slots.pop((name, self._step % self._around), None)
        return np.zeros((self._samples, self._widths[name])) if found is None else found

    def end(self) -> None:
        """End the step: every slice has read its slot."""


def longest_delay(crossbar: Crossbar) -> int:
    """The longest delay of a crossbar's rows that drive a programmed cell, in steps."""
    groups = [*crossbar.rows, *crossbar.windowed]
    delays = np.concatenate([np.empty(0, np.int64), *(np.full(len(group.neurons), group.delay) for group in groups)])
    return int(delays[programmed_lines(crossbar)].max(initial=0))


def slots_of(crossbar: Crossbar) -> int:
    """The slots that a crossbar needs: for each neuron, and each partial sum of one, that has a programmed cell on a
    row with a delay, as many as the longest delay of the crossbar has steps, and one more."""
    return _delayed_neurons(crossbar) * (longest_delay(crossbar) + 1)


def _delayed_neurons(crossbar: Crossbar) -> int:
    total = 0
    for part in crossbar.slices:
        late = np.zeros(len(part.axons), np.bool)
        for group, _, positions in taps(crossbar, part):
            late[positions] = group.delay >= 1
        cells = crossbar.cells[part.rows, slice(*part.columns)] != 0
        if part.windows is None:
            total += int(cells[late].any(axis=0).sum())
            continue
        met = part.windows.met
        meets = (met >= 0) & late[np.searchsorted(part.axons, np.maximum(met, 0)).clip(max=len(late) - 1)]
        total += int((meets.astype(np.float64) @ cells.astype(np.float64) > 0).sum())
    return total


def check_slots(crossbar: Crossbar, limit: Limit) -> None:
    """Raise `SnnirError` where a crossbar has not enough slots."""
    needed = slots_of(crossbar)
    if limit.entries is not None and needed > limit.entries:
        columns, steps = _delayed_neurons(crossbar), longest_delay(crossbar)
        message = (
            f"the delay memory of {limit.crossbar!r} has {limit.entries} slots, and {columns} sums with delays of up "
            f"to {steps} steps need {needed}"
        )
        raise SnnirError(limit.place, message, ROOM)
