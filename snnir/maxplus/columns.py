"""The numbers of dataflow graphs without phases as columns: large graphs are checked and expanded by vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import NamedTuple

import numpy as np

from snnir.maxplus.channels import Actor, Channel
from snnir.maxplus.graph import LARGEST, Integers

NONE = -1
"""Stands for no limit."""


class Arcs(NamedTuple):
    """What `SDFGraph.arcs` yields, one entry per arc; `kind` is a place in `KINDS`: channel, capacity, concurrency."""

    kind: Integers
    number: Integers
    source: Integers
    target: Integers
    produce: Integers
    consume: Integers
    tokens: Integers


@dataclass(frozen=True, eq=False)
class Columns:
    """`time` and `concurrency` have an entry per actor, the others one per channel; `source` and `target` are numbers
    of actors. `concurrency` and `capacity` are `NONE` where there is no limit."""

    time: Integers
    concurrency: Integers
    source: Integers
    target: Integers
    produce: Integers
    consume: Integers
    tokens: Integers
    capacity: Integers

    @staticmethod
    def of(actors: Sequence[Actor], channels: Sequence[Channel], index: Mapping[str, int]) -> "Columns | None":
        """None when there are phases, and for anything that `SDFGraph` refuses."""
        given = (
            _numbers([actor.time for actor in actors], 0),
            _limits([actor.concurrency for actor in actors], 1),
            _numbers([index.get(channel.source, NONE) for channel in channels], 0),
            _numbers([index.get(channel.target, NONE) for channel in channels], 0),
            _numbers([channel.produce for channel in channels], 1),
            _numbers([channel.consume for channel in channels], 1),
            _numbers([channel.tokens for channel in channels], 0),
            _limits([channel.capacity for channel in channels], 0),
        )
        columns = [each for each in given if each is not None]
        if len(columns) < len(given):
            return None
        found = Columns(*columns)
        return found if np.all((found.capacity == NONE) | (found.capacity >= found.tokens)) else None

    @cached_property
    def arcs(self) -> Arcs:
        """All constraints but the orders: each channel and the way back of its space, then the actors' own."""
        limited = self.capacity != NONE
        there = np.arange(len(limited)) + np.cumsum(limited) - limited
        numbers = np.flatnonzero(limited)
        back, alone = there[numbers] + 1, np.flatnonzero(self.concurrency != NONE)

        def column(forward: Integers, backward: Integers, own: Integers) -> Integers:
            joined = np.empty(len(there) + len(back) + len(alone), np.int64)
            joined[there], joined[back], joined[len(there) + len(back) :] = forward, backward, own
            return joined

        one = np.ones_like(alone)
        kinds = [np.full(len(each), kind) for kind, each in enumerate((there, back, alone))]
        return Arcs(
            column(*kinds),
            column(np.arange(len(there)), numbers, alone),
            column(self.source, self.target[numbers], alone),
            column(self.target, self.source[numbers], alone),
            column(self.produce, self.consume[numbers], one),
            column(self.consume, self.produce[numbers], one),
            column(self.tokens, (self.capacity - self.tokens)[numbers], self.concurrency[alone]),
        )


def _numbers(values: Sequence[object], least: int) -> Integers | None:
    """The values as a vector, if all of them are integers from `least` to `LARGEST`."""
    # bool is an int to Python, and a number read from a file may be a float
    if not set(map(type, values)) <= {int}:
        return None
    try:
        column: Integers = np.array(values, np.int64)
    except OverflowError:
        return None
    return column if not column.size or (column.min() >= least and column.max() <= LARGEST) else None


def _limits(values: Sequence[int | None], least: int) -> Integers | None:
    """The same with `NONE` where no value is given."""
    if not set(map(type, values)) <= {int, NoneType} or any(each is not None and each < least for each in values):
        return None
    return _numbers([NONE if each is None else each for each in values], NONE)
