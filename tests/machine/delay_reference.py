"""Delay memories as plainly as they can be said: one sample, lists, whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Event = tuple[int, int, int]
"""Axon, counter, value."""


@dataclass
class Trace:
    """What a memory did: (axon, level, value) delivered in each step, and entries held at the end of each step."""

    delivered: list[list[Event]] = field(default_factory=list[list[Event]])
    held: list[int] = field(default_factory=list[int])


def circular(reads: Mapping[int, set[int]], spikes: Sequence[Sequence[tuple[int, int]]]) -> Trace:
    """Two queues. `reads`: the levels at which each axon is read; `spikes`: axon and value, step by step."""
    trace, before = Trace(), list[Event]()
    for fresh in spikes:
        now, behind = list[Event](), list[Event]()
        before += [(axon, 0, value) for axon, value in fresh if max(reads[axon], default=0) > 0]
        now += [(axon, 0, value) for axon, value in fresh if reads[axon] == {0}]
        for axon, level, value in before:
            if level in reads[axon]:
                now.append((axon, level, value))
            if any(later > level for later in reads[axon]):
                behind.append((axon, level + 1, value))
        trace.delivered.append(now)
        trace.held.append(len(before) + len(behind))
        before = behind
    return trace


def fifo(reads: Mapping[int, set[int]], spikes: Sequence[Sequence[tuple[int, int]]]) -> Trace:
    """One queue, in which an event has the step in which it came."""
    trace, queue = Trace(), list[tuple[int, int, int]]()
    for step, fresh in enumerate(spikes):
        queue += [(axon, step, value) for axon, value in fresh if max(reads[axon], default=0) > 0]
        now = [(axon, step - since, value) for axon, since, value in queue if step - since in reads[axon]]
        now += [(axon, 0, value) for axon, value in fresh if reads[axon] == {0}]
        trace.delivered.append(now)
        trace.held.append(len(queue))
        queue = [each for each in queue if step - each[1] < max(reads[each[0]])]
    return trace


def queue(reads: Mapping[int, set[int]], spikes: Sequence[Sequence[tuple[int, int]]]) -> Trace:
    """An event for each delay, which counts down."""
    trace, waiting = Trace(), list[tuple[int, int, int, int]]()
    for fresh in spikes:
        waiting = [(axon, level, left - 1, value) for axon, level, left, value in waiting]
        now = [(axon, level, value) for axon, level, left, value in waiting if left == 0]
        now += [(axon, 0, value) for axon, value in fresh if 0 in reads[axon]]
        waiting = [each for each in waiting if each[2] > 0]
        waiting += [(axon, level, level, value) for axon, value in fresh for level in reads[axon] if level > 0]
        trace.delivered.append(now)
        trace.held.append(len(waiting))
    return trace


REFERENCES = {"circular": circular, "fifo": fifo, "queue": queue}


def ring(
    weights: Mapping[tuple[int, int], Sequence[int]], spikes: Sequence[Sequence[tuple[int, int]]]
) -> list[list[int]]:
    """The sums of each column in each step; `weights` of each axon and level, one per column."""
    slots = max([level for (_, level), row in weights.items() if any(row)], default=0) + 1
    columns = len(next(iter(weights.values())))
    rings = [[0] * slots for _ in range(columns)]
    sums: list[list[int]] = []
    for step, fresh in enumerate(spikes):
        for (axon, level), row in weights.items():
            for column, weight in enumerate(row):
                rings[column][(step + level) % slots] += weight * sum(v for a, v in fresh if a == axon)
        sums.append([each[step % slots] for each in rings])
        for each in rings:
            each[step % slots] = 0
    return sums
