"""The tables in which a machine at work is kept: one row per link, unit, actor, ..., one column per member here.

All entries are int64. A name in the singular (`FIRST_WAIT`) is the number of a row of another table, and `..._STOP` the
number after the last one.
"""

from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

NEVER = 1 << 62
NONE = -1


class Clock(IntEnum):
    """Entries of `State.clock`."""

    NOW = 0
    """The time of the last event of an actor."""
    UNTIL = 1
    """Nothing at this time or later happens yet."""
    WIDTH = 2
    """The length of a window is 2 to this power, and at most the time of a flit on the fastest link."""
    WINDOW = 3
    """The number of the current window, from 0."""
    LISTED = 4
    """How many links are in the wheel."""
    EVENTS = 5
    """How many events are in the heap."""
    WOKEN = 6
    """How many units are in `State.woken`."""
    LOGGED = 7
    """How many rows of the log are in use."""
    FREE_NODE = 8
    """The first node that is not in use."""
    SPARE = 9
    """How many nodes are not in use."""
    MARGIN = 10
    """The most events or nodes that one flit, or the end of one firing, makes."""
    INSTANT = 11
    """Whether no link takes time for a flit."""
    TRACE = 12
    """Whether the firings of all actors are logged, and not those of outputs only."""


class Application(IntEnum):
    """Columns of `State.applications`."""

    STEPS = 0
    CYCLE = 1
    """Durations and flits repeat after so many steps."""
    LEFT = 2
    """Units that are not over, and tokens on their way, counted once per destination."""
    GONE = 3
    """When it had drained, or `NEVER`."""


class Unit(IntEnum):
    """Columns of `State.units`: what fires one actor at a time, a crossbar, an input or an output."""

    APPLICATION = 0
    FIRST_TURN = 1
    TURNS = 2
    LAST_STAGE = 3
    """The greatest of its stages."""
    POSITION = 4
    ROUND = 5
    STATE = 6
    WAIT = 7
    """What holds up the next firing; `NONE` while it is not known whose turn is next."""
    WOKEN = 8
    """Whether it is among those that may be able to fire."""


ASLEEP, IDLE, BUSY, OVER = 0, 1, 2, 3
"""States of a unit: before the start of the application, between two firings, in one, and after the last one."""


class Turn(IntEnum):
    """Columns of `State.turns`: the static orders."""

    ACTOR = 0
    STAGE = 1


class Actor(IntEnum):
    """Columns of `State.actors`: inputs, slices, outputs."""

    FIRST_WAIT = 0
    WAIT_STOP = 1
    FIRST_EMIT = 2
    EMIT_STOP = 3
    DURATION = 4
    """The first of its durations in `State.values`."""
    COUNTER = 5
    IS_OUTPUT = 6


class Counter(IntEnum):
    """Columns of `State.counters`: firings of an actor that have ended, tokens of a flow complete at a destination."""

    COUNT = 0
    FIRST_WAKE = 1
    WAKE_STOP = 2
    APPLICATION = 3
    HOPS = 4
    """Of a destination: the hops on the way to it."""


class Wait(IntEnum):
    """Columns of `State.waits`: the firing for step k needs a count of more than k - lag."""

    COUNTER = 0
    LAG = 1


class Emit(IntEnum):
    """Columns of `State.emits`: the flows of an actor."""

    FIRST_PORT = 0
    PORT_STOP = 1
    FIRST_END = 2
    END_STOP = 3
    """Counters of its destinations."""
    FLITS = 4
    """The first of its numbers of flits in `State.values`."""


class Port(IntEnum):
    """Columns of `State.ports`: a flow at a link, numbered in the order of turns."""

    LINK = 0
    BEFORE = 1
    """Of the link that its flits come from, the port; `NONE` at the inject link."""
    FIRST_TARGET = 2
    TARGET_STOP = 3
    SLOT = 4
    HEAD = 5
    TAIL = 6
    """First and last node of its queue, or `NONE`."""


class Target(IntEnum):
    """Columns of `State.targets`: where flits go from a port, one of both, the other one is `NONE`."""

    PORT = 0
    COUNTER = 1


class Link(IntEnum):
    """Columns of `State.links`."""

    FLIT = 0
    HOP = 1
    FREE = 2
    """When its last flit has left it."""
    WAKE = 3
    """The earliest time at which it may serve a flit, or `NEVER`."""
    LAST = 4
    """The place, among its slots, of the port that it served last."""
    WAITING = 5
    """How many of its ports have flits queued."""
    CROSSED = 6
    """How many flits it has served."""
    ALONE = 7
    """Whether all its flits come from one and the same link."""
    FIRST_SLOT = 8
    FIRST_WORD = 9
    WORDS = 10
    BUCKET = 11
    """Its place in the wheel, or `NONE`."""
    PREVIOUS = 12
    FOLLOWING = 13
    """Its neighbours there."""


class Slot(IntEnum):
    """Columns of `State.slots`: the ports of a link in the order of turns."""

    READY = 0
    """When its first flit is there, or `NEVER`."""
    PORT = 1


class Node(IntEnum):
    """Columns of `State.nodes`: flits of a queue that come together."""

    TIME = 0
    FLITS = 1
    MARKER = 2
    """Whether the last one is the end of a token."""
    NEXT = 3


class Event(IntEnum):
    """Columns of `State.heap`."""

    TIME = 0
    WHAT = 1
    """A kind in the two lowest bits, and the number of a unit, counter, link or application above."""


END, DELIVER, SERVE, START = 0, 1, 2, 3
"""Kinds of events: a firing ends, a token is complete somewhere, a link may serve a flit, an application starts."""


class Log(IntEnum):
    """Columns of `State.log`: the ends of firings."""

    ACTOR = 0
    TIME = 1


class State(NamedTuple):
    """Everything about a machine at work, as arrays: tables have the columns that the classes above name."""

    clock: Integers
    applications: Integers
    units: Integers
    turns: Integers
    actors: Integers
    counters: Integers
    waits: Integers
    wakes: Integers
    """Units."""
    emits: Integers
    ports: Integers
    targets: Integers
    values: Integers
    """Durations of firings and flits of tokens, `CYCLE` entries each."""
    links: Integers
    slots: Integers
    bits: NDArray[np.uint64]
    """64 slots in each: whether flits are queued there."""
    nodes: Integers
    heap: Integers
    """By time, each before its children 2i + 1 and 2i + 2."""
    wheel: Integers
    """The first link of each bucket, or `NONE`: those that may serve a flit in one window."""
    woken: Integers
    """Units that may be able to fire."""
    path: Integers
    """Room to work in: ports, and times at which a flit leaves their links."""
    log: Integers


def layout() -> str:
    """A digest of all names and numbers above that compiled code depends on."""
    tables = [Clock, Application, Unit, Turn, Actor, Counter, Wait, Emit, Port, Target, Link, Slot, Node, Event, Log]
    members = [(member.name, member.value) for table in tables for member in table]
    kinds = (NEVER, NONE, ASLEEP, IDLE, BUSY, OVER, END, DELIVER, SERVE, START)
    return blake2b(repr((members, kinds, State._fields)).encode(), digest_size=8).hexdigest()
