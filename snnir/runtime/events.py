"""What happens to a machine, change by change: enough to make its state again, and so to check it."""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from snnir.runtime.platform import Platform
from snnir.runtime.state import FAULTY, FREE, RESERVED, Resident, State

MARKS = {FAULTY: "faulty", RESERVED: "reserved", FREE: "free"}
"""What a crossbar that belongs to no application is marked as, in words."""


@dataclass(frozen=True)
class Event:
    """One change of a machine. `kind`: `admit`, `remove` or `mark`; or, in place of those before it, `base`, the state
    that they led to. `detail`: plain values, as `Change` writes them.
    """

    number: int
    kind: str
    detail: dict[str, Any]


def described(resident: Resident) -> dict[str, Any]:
    """A resident as plain values; `resident_of` is the inverse."""
    arrays = {name: getattr(resident, name).tolist() for name in ("crossbars", "links", "flows", "room")}
    guarantee = {"period": str(resident.period), "latency": str(resident.latency)}
    return {"number": resident.number, "name": resident.name, "package": resident.package, **arrays, **guarantee}


def resident_of(raw: Mapping[str, Any]) -> Resident:
    """The resident that `described` gave."""
    crossbars, links, flows, room = (np.array(raw[name], np.int64) for name in ("crossbars", "links", "flows", "room"))
    guarantee = Fraction(raw["period"]), Fraction(raw["latency"])
    return Resident(raw["number"], raw["name"], raw["package"], crossbars, links, flows, room, *guarantee)


def mark_of(word: str) -> int:
    """`FAULTY`, `RESERVED` or `FREE` from the word for it. Raises StopIteration for any other."""
    return next(number for number, known in MARKS.items() if known == word)


def rebuilt(platform: Platform, events: Iterable[Event], base: State | None = None) -> State:
    """The state that events lead to, from an empty machine or from `base`, which stays as it is."""
    state = State.of(platform) if base is None else base.copy()
    for count, event in enumerate(events):
        match event.kind:
            case "admit":
                state.add(resident_of(event.detail))
            case "remove":
                state.remove(event.detail["name"])
            case "mark":
                state.mark(event.detail["crossbar"], mark_of(event.detail["mark"]))
            case "base" if not count and base is None:
                _restore(state, event.detail)
            case _:
                raise ValueError(f"event {event.number} is of no known kind, or is not where its kind can be")
    return state


def requests(events: Iterable[Event]) -> dict[str, Any]:
    """What was asked for by each application that the events have let in, and that may have left since."""
    found: dict[str, Any] = {}
    for event in events:
        entries = {"admit": [event.detail], "base": event.detail.get("residents", [])}.get(event.kind, [])
        found |= {entry["name"]: entry.get("request") for entry in entries}
    return found


def base_of(state: State, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A state as the detail of a `base`. `asked`: of each resident, what it asked for."""
    marked = {str(n): MARKS[owner] for n, owner in enumerate(state.owner.tolist()) if owner in (FAULTY, RESERVED)}
    entries = [{**described(each), "request": asked.get(name)} for name, each in state.residents.items()]
    return {"next": state.next, "marked": marked, "residents": entries}


def _restore(state: State, detail: Mapping[str, Any]) -> None:
    """Make an empty machine what `base_of` has described."""
    for crossbar, word in detail["marked"].items():
        state.mark(int(crossbar), mark_of(word))
    for entry in detail["residents"]:
        resident = resident_of(entry)
        state.next = resident.number
        state.add(resident)
    state.next = detail["next"]


def packed(detail: Mapping[str, Any]) -> bytes:
    """The detail of an event as it is kept."""
    return zlib.compress(json.dumps(detail).encode(), 1)


def read_events(database: sqlite3.Connection) -> list[Event]:
    """All events of a machine, the first one first."""
    rows = database.execute("select number, kind, detail from event order by number").fetchall()
    return [Event(number, kind, json.loads(zlib.decompress(detail))) for number, kind, detail in rows]
