"""The compiled loops of a machine at work; importing this module loads numba.

Time goes in windows no longer than a flit takes on the fastest link. What a link does in a window changes nothing on
another link in the same window, and nothing for an actor: so the events of actors come first, in the order of time,
then each link that may serve a flit in the window, in any order. A link that can serve a flit only later is in the
bucket of that window in a wheel, or, when that is far away, in the heap of events.

Where all flits come from one and the same link, they come one by one, in the order in which that link serves them, and
hardly wait. Such a link is crossed at once when it is free and that starts before `UNTIL`: until then no flow comes
that could be first.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from snnir.machine.together.columns import (
    ASLEEP,
    BUSY,
    DELIVER,
    END,
    IDLE,
    NEVER,
    NONE,
    OVER,
    SERVE,
    START,
    Actor,
    Application,
    Clock,
    Counter,
    Emit,
    Event,
    Link,
    Log,
    Node,
    Port,
    Slot,
    State,
    Target,
    Turn,
    Unit,
    Wait,
    layout,
)

Function = TypeVar("Function", bound=Callable[..., Any])

DONE, NO_EVENTS_FREE, NO_NODES_FREE, LOG_FULL = 0, 1, 2, 3
"""Why `advance` returns: all has happened, or a table is too short to go on."""

_ONE = np.uint64(1)
_ALL = np.uint64(2**64 - 1)
_WORD = 64
_FACTOR = np.uint64(0x03F79D71B4CB0A89)
_TOP = np.uint64(58)
# _PLACES[(2**i * _FACTOR mod 2**64) >> 58] == i, for a de Bruijn sequence (Leiserson, Prokop and Randall, 1998)
_PLACES = np.zeros(_WORD, np.int64)
for _place in range(_WORD):
    _PLACES[((0x03F79D71B4CB0A89 << _place) & (2**64 - 1)) >> 58] = _place


LAYOUT = "01df8bf29a21ee7b"
"""The digest of the columns: code on disk is that of this file as it is, whatever becomes of the numbers it imports."""


def compiled(function: Function) -> Function:
    """The function in machine code, kept on disk for the next process if some folder for that can be written.

    Nothing is allocated in there, so nobody counts who uses an array (`_nrt`): that would take most of the time.
    """
    numba: Any = import_module("numba")
    try:
        return numba.njit(function, cache=layout() == LAYOUT, _nrt=False)
    except RuntimeError:
        return numba.njit(function, _nrt=False)


@compiled
def push_event(s: State, time: int, kind: int, number: int) -> None:
    """An event at that time."""
    heap, place = s.heap, s.clock[Clock.EVENTS]
    s.clock[Clock.EVENTS] = place + 1
    while place > 0:
        parent = (place - 1) >> 1
        if heap[parent, Event.TIME] <= time:
            break
        heap[place, Event.TIME] = heap[parent, Event.TIME]
        heap[place, Event.WHAT] = heap[parent, Event.WHAT]
        place = parent
    heap[place, Event.TIME] = time
    heap[place, Event.WHAT] = (number << 2) | kind


@compiled
def _drop_first_event(s: State) -> None:
    heap, last = s.heap, s.clock[Clock.EVENTS] - 1
    s.clock[Clock.EVENTS] = last
    time, what, place = heap[last, Event.TIME], heap[last, Event.WHAT], 0
    while True:
        child = 2 * place + 1
        if child >= last:
            break
        if child + 1 < last and heap[child + 1, Event.TIME] < heap[child, Event.TIME]:
            child += 1
        if heap[child, Event.TIME] >= time:
            break
        heap[place, Event.TIME] = heap[child, Event.TIME]
        heap[place, Event.WHAT] = heap[child, Event.WHAT]
        place = child
    heap[place, Event.TIME] = time
    heap[place, Event.WHAT] = what


@compiled
def _list(s: State, link: int, time: int) -> None:
    """The link may serve a flit at that time."""
    links = s.links
    links[link, Link.WAKE] = time
    window = time >> s.clock[Clock.WIDTH]
    if window - s.clock[Clock.WINDOW] >= len(s.wheel):
        push_event(s, time, SERVE, link)
        return
    bucket = window & (len(s.wheel) - 1)
    head = s.wheel[bucket]
    links[link, Link.BUCKET], links[link, Link.PREVIOUS], links[link, Link.FOLLOWING] = bucket, NONE, head
    if head != NONE:
        links[head, Link.PREVIOUS] = link
    s.wheel[bucket] = link
    s.clock[Clock.LISTED] += 1


@compiled
def _unlist(s: State, link: int) -> None:
    links = s.links
    bucket, previous, following = links[link, Link.BUCKET], links[link, Link.PREVIOUS], links[link, Link.FOLLOWING]
    if bucket == NONE:
        return
    links[link, Link.BUCKET] = NONE
    s.clock[Clock.LISTED] -= 1
    if previous == NONE:
        s.wheel[bucket] = following
    else:
        links[previous, Link.FOLLOWING] = following
    if following != NONE:
        links[following, Link.PREVIOUS] = previous


@compiled
def _queue(s: State, port: int, time: int, flits: int, marker: int) -> None:
    """Flits that reach a link at that time come last in the queue of their flow."""
    nodes, ports, links, clock = s.nodes, s.ports, s.links, s.clock
    node = clock[Clock.FREE_NODE]
    clock[Clock.FREE_NODE] = nodes[node, Node.NEXT]
    clock[Clock.SPARE] -= 1
    nodes[node, Node.TIME] = time
    nodes[node, Node.FLITS] = flits
    nodes[node, Node.MARKER] = marker
    nodes[node, Node.NEXT] = NONE
    tail = ports[port, Port.TAIL]
    ports[port, Port.TAIL] = node
    if tail != NONE:
        nodes[tail, Node.NEXT] = node
        return
    link, slot = ports[port, Port.LINK], ports[port, Port.SLOT]
    ports[port, Port.HEAD] = node
    s.slots[slot, Slot.READY] = time
    place = slot - links[link, Link.FIRST_SLOT]
    s.bits[links[link, Link.FIRST_WORD] + (place >> 6)] |= _ONE << np.uint64(place & 63)
    links[link, Link.WAITING] += 1
    start = max(time, links[link, Link.FREE])
    if start < links[link, Link.WAKE]:
        _unlist(s, link)
        _list(s, link, start)


@compiled
def _take(s: State, link: int, slot: int) -> int:
    """The first flit of the port at a slot leaves its queue; whether it is the end of a token."""
    nodes, ports, links, clock = s.nodes, s.ports, s.links, s.clock
    port = s.slots[slot, Slot.PORT]
    node = ports[port, Port.HEAD]
    if nodes[node, Node.FLITS] > 1:
        nodes[node, Node.FLITS] -= 1
        return 0
    marker, following = nodes[node, Node.MARKER], nodes[node, Node.NEXT]
    nodes[node, Node.NEXT] = clock[Clock.FREE_NODE]
    clock[Clock.FREE_NODE] = node
    clock[Clock.SPARE] += 1
    ports[port, Port.HEAD] = following
    if following != NONE:
        s.slots[slot, Slot.READY] = nodes[following, Node.TIME]
        return marker
    ports[port, Port.TAIL] = NONE
    s.slots[slot, Slot.READY] = NEVER
    place = slot - links[link, Link.FIRST_SLOT]
    s.bits[links[link, Link.FIRST_WORD] + (place >> 6)] &= ~(_ONE << np.uint64(place & 63))
    links[link, Link.WAITING] -= 1
    return marker


@compiled
def _whose_turn(s: State, link: int, time: int) -> tuple[int, int]:
    """The slot of the next flow with a flit at that time, the one served last being asked last; without one, `NONE`,
    and when the first flit comes."""
    links, slots = s.links, s.slots
    first_slot, first_word, words = links[link, Link.FIRST_SLOT], links[link, Link.FIRST_WORD], links[link, Link.WORDS]
    turn = links[link, Link.LAST] + 1
    if turn == words * _WORD:
        turn = 0
    after = _ALL << np.uint64(turn & 63)
    word, earliest = turn >> 6, NEVER
    for visited in range(words + 1):
        left = s.bits[first_word + word]
        if visited == 0:
            left &= after
        elif visited == words:
            left &= ~after
        while left:
            lowest = left & (~left + _ONE)
            slot = first_slot + word * _WORD + _PLACES[(lowest * _FACTOR) >> _TOP]
            ready = slots[slot, Slot.READY]
            if ready <= time:
                return slot, time
            earliest = min(earliest, ready)
            left ^= lowest
        word += 1
        if word == words:
            word = 0
    return NONE, earliest


@compiled
def _go_on(s: State, port: int, time: int, marker: int) -> None:
    """A flit that leaves the link of a port at that time goes to all targets, and over links where none waits."""
    ports, links, targets, path, depth = s.ports, s.links, s.targets, s.path, 1
    path[0, 0], path[0, 1] = port, time
    while depth:
        depth -= 1
        here, left = path[depth, 0], path[depth, 1]
        arrival = left + links[ports[here, Port.LINK], Link.HOP]
        for target in range(ports[here, Port.FIRST_TARGET], ports[here, Port.TARGET_STOP]):
            there = targets[target, Target.PORT]
            if there == NONE:
                if marker:
                    push_event(s, left, DELIVER, targets[target, Target.COUNTER])
                continue
            link = ports[there, Port.LINK]
            if (
                links[link, Link.ALONE]
                and links[link, Link.WAITING] == 0
                and links[link, Link.FREE] <= arrival < s.clock[Clock.UNTIL]
            ):
                links[link, Link.LAST] = ports[there, Port.SLOT] - links[link, Link.FIRST_SLOT]
                links[link, Link.CROSSED] += 1
                links[link, Link.FREE] = arrival + links[link, Link.FLIT]
                path[depth, 0], path[depth, 1] = there, arrival + links[link, Link.FLIT]
                depth += 1
            else:
                _queue(s, there, arrival, 1, marker)


@compiled
def _serve(s: State, link: int, limit: int) -> None:
    """The link serves all flits whose service starts before the limit."""
    links = s.links
    # flits that the link was to wake for may have been taken away, and others have crossed at once since then
    start = max(links[link, Link.WAKE], links[link, Link.FREE])
    links[link, Link.WAKE] = NEVER
    while links[link, Link.WAITING] and start < limit:
        slot, earliest = _whose_turn(s, link, start)
        if slot == NONE:
            start = earliest
            continue
        port = s.slots[slot, Slot.PORT]
        marker = _take(s, link, slot)
        start += links[link, Link.FLIT]
        links[link, Link.FREE] = start
        links[link, Link.CROSSED] += 1
        links[link, Link.LAST] = slot - links[link, Link.FIRST_SLOT]
        _go_on(s, port, start, marker)
    if links[link, Link.WAITING]:
        _list(s, link, start)


@compiled
def _shortage(s: State) -> int:
    """Whether there may not be room for what the next event brings."""
    clock = s.clock
    if len(s.heap) - clock[Clock.EVENTS] < clock[Clock.MARGIN]:
        return NO_EVENTS_FREE
    if clock[Clock.SPARE] < clock[Clock.MARGIN]:
        return NO_NODES_FREE
    return LOG_FULL if clock[Clock.LOGGED] == len(s.log) else DONE


@compiled
def _serve_links(s: State, limit: int) -> int:
    """All links serve the flits of the current window whose service starts before the limit."""
    link = int(s.wheel[s.clock[Clock.WINDOW] & (len(s.wheel) - 1)])
    while link != NONE:
        following = int(s.links[link, Link.FOLLOWING])
        if s.links[link, Link.WAKE] < limit:
            short = _shortage(s)
            if short:
                return short
            _unlist(s, link)
            _serve(s, link, limit)
        link = following
    return DONE


@compiled
def wake_unit(s: State, unit: int) -> None:
    """The unit may be able to fire."""
    if not s.units[unit, Unit.WOKEN]:
        s.units[unit, Unit.WOKEN] = 1
        s.woken[s.clock[Clock.WOKEN]] = unit
        s.clock[Clock.WOKEN] += 1


@compiled
def _count(s: State, counter: int) -> None:
    """One firing or token more; whoever waits for just this may be able to fire."""
    counters, units = s.counters, s.units
    counters[counter, Counter.COUNT] += 1
    for place in range(counters[counter, Counter.FIRST_WAKE], counters[counter, Counter.WAKE_STOP]):
        unit = s.wakes[place]
        wait = units[unit, Unit.WAIT]
        if units[unit, Unit.STATE] == IDLE and (wait == NONE or s.waits[wait, Wait.COUNTER] == counter):
            wake_unit(s, unit)


@compiled
def _leave(s: State, application: int) -> None:
    """One unit or token less; without any the application has drained."""
    s.applications[application, Application.LEFT] -= 1
    if s.applications[application, Application.LEFT] == 0:
        s.applications[application, Application.GONE] = s.clock[Clock.NOW]


@compiled
def _next_turn(s: State, unit: int) -> None:
    units = s.units
    units[unit, Unit.WAIT] = NONE
    units[unit, Unit.POSITION] += 1
    if units[unit, Unit.POSITION] == units[unit, Unit.TURNS]:
        units[unit, Unit.POSITION] = 0
        units[unit, Unit.ROUND] += 1


@compiled
def _try_to_fire(s: State, unit: int) -> None:
    """Start the firing whose turn it is, unless something that it waits for is missing."""
    units, turns = s.units, s.turns
    if units[unit, Unit.STATE] != IDLE:
        return
    application = units[unit, Unit.APPLICATION]
    steps, cycle = s.applications[application, Application.STEPS], s.applications[application, Application.CYCLE]
    while True:
        turn = units[unit, Unit.FIRST_TURN] + units[unit, Unit.POSITION]
        step, actor = units[unit, Unit.ROUND] - turns[turn, Turn.STAGE], turns[turn, Turn.ACTOR]
        if 0 <= step < steps:
            break
        if units[unit, Unit.ROUND] >= steps + units[unit, Unit.LAST_STAGE]:
            units[unit, Unit.STATE] = OVER
            _leave(s, application)
            return
        _next_turn(s, unit)
    wait, stop = units[unit, Unit.WAIT], s.actors[actor, Actor.WAIT_STOP]
    if wait == NONE:
        wait = s.actors[actor, Actor.FIRST_WAIT]
    while wait < stop:
        if s.counters[s.waits[wait, Wait.COUNTER], Counter.COUNT] <= step - s.waits[wait, Wait.LAG]:
            units[unit, Unit.WAIT] = wait
            return
        wait += 1
    units[unit, Unit.STATE] = BUSY
    push_event(s, s.clock[Clock.NOW] + s.values[s.actors[actor, Actor.DURATION] + step % cycle], END, unit)


@compiled
def _end_firing(s: State, unit: int) -> None:
    """Tokens go on their way, others may be able to fire, and the turn goes to the next actor."""
    units, clock = s.units, s.clock
    turn = units[unit, Unit.FIRST_TURN] + units[unit, Unit.POSITION]
    actor, step = s.turns[turn, Turn.ACTOR], units[unit, Unit.ROUND] - s.turns[turn, Turn.STAGE]
    application = units[unit, Unit.APPLICATION]
    if clock[Clock.TRACE] or s.actors[actor, Actor.IS_OUTPUT]:
        s.log[clock[Clock.LOGGED], Log.ACTOR] = actor
        s.log[clock[Clock.LOGGED], Log.TIME] = clock[Clock.NOW]
        clock[Clock.LOGGED] += 1
    place = step % s.applications[application, Application.CYCLE]
    for emit in range(s.actors[actor, Actor.FIRST_EMIT], s.actors[actor, Actor.EMIT_STOP]):
        first_end, end_stop = s.emits[emit, Emit.FIRST_END], s.emits[emit, Emit.END_STOP]
        first_port, flits = s.emits[emit, Emit.FIRST_PORT], int(s.values[s.emits[emit, Emit.FLITS] + place])
        s.applications[application, Application.LEFT] += end_stop - first_end
        if not clock[Clock.INSTANT]:
            _queue(s, first_port, clock[Clock.NOW], flits, 1)
            continue
        for port in range(first_port, s.emits[emit, Emit.PORT_STOP]):
            s.links[s.ports[port, Port.LINK], Link.CROSSED] += flits
        for end in range(first_end, end_stop):
            push_event(s, clock[Clock.NOW] + s.counters[end, Counter.HOPS], DELIVER, end)
    units[unit, Unit.STATE] = IDLE
    _next_turn(s, unit)
    wake_unit(s, unit)
    _count(s, s.actors[actor, Actor.COUNTER])


@compiled
def _begin(s: State, application: int) -> None:
    """All units of an application that starts may be able to fire."""
    for unit in range(len(s.units)):
        if s.units[unit, Unit.APPLICATION] == application and s.units[unit, Unit.STATE] == ASLEEP:
            s.units[unit, Unit.STATE] = IDLE
            wake_unit(s, unit)


@compiled
def _settle(s: State, limit: int) -> int:
    """All firings, ends of firings and arrivals of tokens before the limit."""
    clock, heap = s.clock, s.heap
    while True:
        short = _shortage(s)
        if short:
            return short
        if clock[Clock.WOKEN]:
            clock[Clock.WOKEN] -= 1
            unit = int(s.woken[clock[Clock.WOKEN]])
            s.units[unit, Unit.WOKEN] = 0
            _try_to_fire(s, unit)
            continue
        if clock[Clock.EVENTS] == 0 or heap[0, Event.TIME] >= limit:
            return DONE
        time, kind, number = heap[0, Event.TIME], heap[0, Event.WHAT] & 3, heap[0, Event.WHAT] >> 2
        _drop_first_event(s)
        clock[Clock.NOW] = time
        if kind == END:
            _end_firing(s, number)
        elif kind == DELIVER:
            _count(s, number)
            _leave(s, s.counters[number, Counter.APPLICATION])
        elif kind == START:
            _begin(s, number)
        elif s.links[number, Link.WAKE] == time and s.links[number, Link.BUCKET] == NONE:
            _list(s, number, time)


@compiled
def advance(s: State) -> int:
    """Let everything before `UNTIL` happen. If a table is too short for that, says which; called again, it goes on."""
    clock = s.clock
    until, width = clock[Clock.UNTIL], clock[Clock.WIDTH]
    while True:
        short = _settle(s, 0)
        if short:
            return short
        if clock[Clock.LISTED] == 0:
            if clock[Clock.EVENTS] == 0 or s.heap[0, Event.TIME] >= until:
                break
            clock[Clock.WINDOW] = max(clock[Clock.WINDOW], s.heap[0, Event.TIME] >> width)
        limit = min((clock[Clock.WINDOW] + 1) << width, until)
        short = _settle(s, limit)
        if short == DONE:
            short = _serve_links(s, limit)
        if short:
            return short
        if limit == until:
            break
        clock[Clock.WINDOW] += 1
    clock[Clock.NOW] = until
    return DONE
