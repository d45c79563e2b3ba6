"""Puts the tables of several applications together, takes those away that have gone, and gives flows their turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.machine.together.columns import (
    DELIVER,
    END,
    NEVER,
    NONE,
    SERVE,
    START,
    Application,
    Clock,
    Counter,
    Event,
    Integers,
    Link,
    Node,
    Port,
    Slot,
    State,
    Unit,
)
from snnir.machine.together.work import Floor, Work

Numbers = Mapping[str, int]
"""For each table a number of a row: where the rows of an application begin."""

# For each column of a table the table whose rows it numbers, "" where it holds something else.
_NUMBERED: Mapping[str, Sequence[str]] = {
    "applications": [""] * 4,
    "units": ["applications", "turns", "", "", "", "", "", "waits", ""],
    "turns": ["actors", ""],
    "actors": ["waits", "waits", "emits", "emits", "values", "counters", ""],
    "counters": ["", "wakes", "wakes", "applications", ""],
    "waits": ["counters", ""],
    "wakes": ["units"],
    "emits": ["ports", "ports", "counters", "counters", "values"],
    "ports": ["", "ports", "targets", "targets", "", "", ""],
    "targets": ["ports", "counters"],
    "values": [""],
}
_EVENTS_OF = {END: "units", DELIVER: "counters", START: "applications"}
_BUCKETS = 1024
_WORD = 64
_SPARE_ROWS = 1024
_LOG_ROWS = 1 << 16


@dataclass(frozen=True)
class Block:
    """The rows of one application: in each table from `first` to before `stop`."""

    first: Numbers
    stop: Numbers


def empty_state(floor: Floor, trace: bool) -> State:
    """A machine without applications."""
    clock = np.zeros(len(Clock), np.int64)
    clock[Clock.INSTANT] = not floor.flit.any()
    clock[Clock.WIDTH] = max(int(floor.flit.min()).bit_length() - 1, 0)
    clock[Clock.FREE_NODE] = NONE
    clock[Clock.TRACE] = trace
    links = np.zeros((len(floor.names), len(Link)), np.int64)
    links[:, Link.FLIT], links[:, Link.HOP] = floor.flit, floor.hop
    links[:, Link.WAKE], links[:, Link.LAST], links[:, Link.BUCKET] = NEVER, NONE, NONE
    return State(
        clock=clock,
        links=links,
        slots=np.zeros((0, len(Slot)), np.int64),
        bits=np.zeros(0, np.uint64),
        nodes=np.zeros((0, len(Node)), np.int64),
        heap=np.zeros((0, len(Event)), np.int64),
        wheel=np.full(_BUCKETS, NONE),
        woken=np.zeros(0, np.int64),
        path=np.zeros((1, 2), np.int64),
        log=np.zeros((_LOG_ROWS, 2), np.int64),
        **_without_rows(),
    )


def _without_rows() -> dict[str, Any]:
    return {
        name: np.zeros(0 if name in ("wakes", "values") else (0, len(columns)), np.int64)
        for name, columns in _NUMBERED.items()
    }


def append(state: State, work: Work) -> tuple[State, Block]:
    """The state with the rows of one application more, after those that are there; its flows have no slots yet."""
    tables = {name: getattr(state, name) for name in _NUMBERED}
    first = {name: len(table) for name, table in tables.items()}
    for name, columns in _NUMBERED.items():
        added = work.tables[name]
        shift = np.array([first.get(column, 0) for column in columns])
        shifted = added + (shift if added.ndim == 2 else shift[0])
        tables[name] = np.concatenate([tables[name], np.where(added == NONE, NONE, shifted)])
    clock = state.clock.copy()
    clock[Clock.MARGIN] = max(clock[Clock.MARGIN], work.margin + 2)
    state = state._replace(clock=clock, **tables)
    if len(state.woken) < len(state.units):
        more = np.zeros(2 * len(state.units) - len(state.woken), np.int64)
        state = state._replace(woken=np.concatenate([state.woken, more]))
    if len(state.path) < work.ports + 1:
        state = state._replace(path=np.zeros((work.ports + 1, 2), np.int64))
    return state, Block(first, {name: len(table) for name, table in tables.items()})


def keep(state: State, kept: Sequence[tuple[Work, Block]]) -> tuple[State, list[Block]]:
    """The state with these applications only, in this order, which is that of their blocks; flits of others are gone.

    Their flows have their slots, and the turns go on where they were.
    """
    served = _served_last(state)
    made, blocks = state._replace(**_without_rows()), list[Block]()
    rows = {name: np.full(len(getattr(state, name)), NONE) for name in _NUMBERED}
    for work, old in kept:
        made, new = append(made, work)
        blocks.append(new)
        for name, row in rows.items():
            row[old.first[name] : old.stop[name]] = np.arange(new.first[name], new.stop[name])
    dynamic: dict[str, Sequence[int]] = {
        "applications": [Application.STEPS, Application.LEFT, Application.GONE],
        "units": [Unit.POSITION, Unit.ROUND, Unit.STATE, Unit.WAIT, Unit.WOKEN],
        "counters": [Counter.COUNT],
        "ports": [Port.HEAD, Port.TAIL],
    }
    for name, columns in dynamic.items():
        old, new = getattr(state, name), getattr(made, name)
        new[:, columns] = old[rows[name] != NONE][:, columns]
    wait = made.units[:, Unit.WAIT]
    wait[wait != NONE] = rows["waits"][wait[wait != NONE]]
    _free_nodes(made, state.ports[rows["ports"] == NONE, Port.HEAD])
    woken = rows["units"][state.woken[: state.clock[Clock.WOKEN]]]
    woken = woken[woken != NONE]
    made.woken[: len(woken)] = woken
    made.clock[Clock.WOKEN] = len(woken)
    made = _with_events(made, state, rows)
    last = np.where(served == NONE, NONE, (np.cumsum(rows["ports"] != NONE) - 1)[served])
    return _laid_out(made, last), blocks


def _free_nodes(state: State, heads: Integers) -> None:
    """Give back the nodes of these queues."""
    for head in heads[heads != NONE].tolist():
        last, count = head, 1
        while state.nodes[last, Node.NEXT] != NONE:
            last, count = state.nodes[last, Node.NEXT], count + 1
        state.nodes[last, Node.NEXT] = state.clock[Clock.FREE_NODE]
        state.clock[Clock.FREE_NODE] = head
        state.clock[Clock.SPARE] += count


def _with_events(made: State, state: State, rows: Mapping[str, Integers]) -> State:
    """The events of the applications that are kept, by time: such a list is a heap."""
    heap = state.heap[: state.clock[Clock.EVENTS]].copy()
    kind, number = heap[:, Event.WHAT] & 3, heap[:, Event.WHAT] >> 2
    for each, name in _EVENTS_OF.items():
        number[kind == each] = rows[name][number[kind == each]]
    heap[:, Event.WHAT] = (number << 2) | kind
    heap = heap[(kind == SERVE) | (number != NONE)]
    heap = heap[np.argsort(heap[:, Event.TIME], kind="stable")]
    made.clock[Clock.EVENTS] = len(heap)
    return made._replace(heap=np.concatenate([heap, np.zeros((_SPARE_ROWS, len(Event)), np.int64)]))


def lay_out(state: State) -> State:
    """Give the ports of each link their slots, in their order; the turns go on where they were."""
    return _laid_out(state, _served_last(state))


def _served_last(state: State) -> Integers:
    """For each link the port that it served last, or `NONE`."""
    links = state.links
    served = links[:, Link.LAST] != NONE
    last = np.full(len(links), NONE)
    last[served] = state.slots[(links[:, Link.FIRST_SLOT] + links[:, Link.LAST])[served], Slot.PORT]
    return last


def _laid_out(state: State, last: Integers) -> State:
    """Slots for all ports, when each link has served the port `last` last, or one after it that is gone."""
    ports, links = state.ports.copy(), state.links.copy()
    link, count = ports[:, Port.LINK], len(links)
    flows = np.bincount(link, minlength=count)
    words = -(-flows // _WORD)
    links[:, Link.WORDS] = words
    links[:, Link.FIRST_WORD] = np.cumsum(words) - words
    links[:, Link.FIRST_SLOT] = links[:, Link.FIRST_WORD] * _WORD
    order = np.argsort(link, kind="stable")
    places = np.arange(len(ports)) - np.repeat(np.cumsum(flows) - flows, flows)
    ports[order, Port.SLOT] = links[link[order], Link.FIRST_SLOT] + places
    links[:, Link.LAST] = np.bincount(link[np.arange(len(ports)) <= last[link]], minlength=count) - 1
    slots = np.empty((int(words.sum()) * _WORD, len(Slot)), np.int64)
    slots[:, Slot.READY], slots[:, Slot.PORT] = NEVER, NONE
    slots[ports[:, Port.SLOT], Slot.PORT] = np.arange(len(ports))
    waiting = ports[:, Port.HEAD] != NONE
    taken = ports[waiting, Port.SLOT]
    slots[taken, Slot.READY] = state.nodes[ports[waiting, Port.HEAD], Node.TIME]
    bits = np.zeros(int(words.sum()), np.uint64)
    np.bitwise_or.at(bits, taken // _WORD, np.uint64(1) << (taken % _WORD).astype(np.uint64))
    links[:, Link.WAITING] = np.bincount(link[waiting], minlength=count)
    links[:, Link.ALONE] = _alone(ports, count)
    return state._replace(ports=ports, links=links, slots=slots, bits=bits)


def _alone(ports: Integers, count: int) -> NDArray[np.bool_]:
    """For each link whether it has flows that all come from one and the same link."""
    before = np.where(ports[:, Port.BEFORE] == NONE, NONE, ports[ports[:, Port.BEFORE], Port.LINK])
    least, most = np.full(count, count), np.full(count, NONE)
    np.minimum.at(least, ports[:, Port.LINK], before)
    np.maximum.at(most, ports[:, Port.LINK], before)
    return (least == most) & (most != NONE)


def with_more_events(state: State) -> State:
    """The same with more room in the heap."""
    more = np.zeros((len(state.heap) + state.clock[Clock.MARGIN] + _SPARE_ROWS, len(Event)), np.int64)
    return state._replace(heap=np.concatenate([state.heap, more]))


def with_more_nodes(state: State) -> State:
    """The same with more room in the queues."""
    old = len(state.nodes)
    more = np.zeros((old + state.clock[Clock.MARGIN] + _SPARE_ROWS, len(Node)), np.int64)
    more[:, Node.NEXT] = np.arange(old + 1, old + len(more) + 1)
    more[-1, Node.NEXT] = state.clock[Clock.FREE_NODE]
    state.clock[Clock.FREE_NODE] = old
    state.clock[Clock.SPARE] += len(more)
    return state._replace(nodes=np.concatenate([state.nodes, more]))
