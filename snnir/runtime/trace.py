"""Traces for a replay: what arrives at a machine, what leaves it, and which crossbars fail, in order of time."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from snnir.errors import SnnirError
from snnir.machine.parts import UNIT_SECONDS
from snnir.runtime.application import Application, Constraints
from snnir.runtime.numbers import exact
from snnir.runtime.platform import Platform

Kind = Literal["arrive", "depart", "fail", "repair"]
KINDS: tuple[Kind, ...] = ("arrive", "depart", "fail", "repair")
MOST_TIME = 1 << 52
"""In the platform's unit."""
MOST_DIGITS = 60
"""Of a throughput or latency; generated ones are parts of exact periods."""


@dataclass(frozen=True)
class Event:
    """What happens at a `time`, in the platform's unit. Of an arrival: the `name` that it will have, its `package`, and
    what it asks for; of a departure: the name; of a failure or repair: the `crossbar`, by its number."""

    time: int
    kind: Kind
    name: str = ""
    package: str = ""
    constraints: Constraints | None = None
    crossbar: int = -1


def generate(
    packages: Mapping[str, Application],
    platform: Platform,
    events: int,
    seed: int,
    load: float = 0.8,
    failures: float = 0.05,
    parts: tuple[int, int] = (25, 75),
) -> list[Event]:
    """So many events, the same for the same seed.

    Arrivals are a Poisson process, stays are exponential, so that on average `load` of the crossbars are asked for
    (Erlang's loss model). Each arrival asks for `parts` per cent (least, most) of the throughput that its package was
    compiled with. `failures`: the part of events, departures aside, that are failures of a crossbar or repairs.
    """
    rng = np.random.default_rng(seed)
    names = sorted(packages)
    step = float(max(each.period for each in packages.values()))
    mean = float(np.mean([len(each.clusters) for each in packages.values()]))
    stay = 24.0 * step
    between = stay * mean / (load * platform.crossbars)
    found: list[Event] = []
    leaving: list[tuple[int, str]] = []
    broken: list[int] = []
    now, count = 0.0, 0
    while len(found) < events:
        now += float(rng.exponential(between))
        leaving.sort()
        while leaving and leaving[0][0] <= now and len(found) < events:
            found.append(Event(leaving[0][0], "depart", leaving.pop(0)[1]))
        if rng.random() < failures:
            found.append(_failure(rng, int(now), broken, platform))
            continue
        package = names[int(rng.integers(len(names)))]
        name, count = f"{package}.{count}", count + 1
        part = Fraction(int(rng.integers(parts[0], parts[1] + 1)), 100)
        wanted = part / (packages[package].period * unit_of(platform))
        found.append(Event(int(now), "arrive", name, package, Constraints(wanted)))
        leaving.append((int(now + rng.exponential(stay)), name))
    return sorted(found[:events], key=lambda event: event.time)


def _failure(rng: np.random.Generator, now: int, broken: list[int], platform: Platform) -> Event:
    """A crossbar fails, or, when many have, one is repaired."""
    if len(broken) * 10 > platform.crossbars or (broken and rng.random() < 0.4):
        return Event(now, "repair", crossbar=broken.pop(0))
    crossbar = int(rng.integers(platform.crossbars))
    if crossbar not in broken:
        broken.append(crossbar)
    return Event(now, "fail", crossbar=crossbar)


def unit_of(platform: Platform) -> Fraction:
    """Seconds in the platform's unit of time."""
    return UNIT_SECONDS[platform.machine.time.unit]


def as_lines(events: Iterable[Event]) -> Iterator[str]:
    """A trace as text: a JSON object in each line, times in the platform's unit."""
    for event in events:
        entry: dict[str, Any] = {"time": event.time, "event": event.kind}
        if event.kind == "arrive":
            wanted = event.constraints or Constraints()
            limits = {"throughput": wanted.throughput, "latency": wanted.latency}
            asked = {key: str(value) for key, value in limits.items() if value is not None}
            entry |= {"name": event.name, "package": event.package, **asked}
        elif event.kind == "depart":
            entry["name"] = event.name
        else:
            entry["crossbar"] = event.crossbar
        yield json.dumps(entry)


def read_trace(path: Path, packages: Mapping[str, Application], platform: Platform) -> list[Event]:
    """The events in a file that `as_lines` made, or somebody else. Raises `SnnirError` with the line at fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        hint = "give a text file with a JSON object in each line"
        raise SnnirError(path, f"cannot be read ({reason})", hint) from None
    found: list[Event] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = _event(json.loads(line))
        except (ValueError, TypeError, KeyError, ZeroDivisionError, RecursionError) as error:
            hint = '{"time": 0, "event": "arrive", "name": "a", "package": "digits", "throughput": "1000"}'
            raise SnnirError(f"{path}:{number}", f"this is no event ({error})", f"for example {hint}") from None
        problem = _problem(event, found, packages, platform)
        if problem is not None:
            raise SnnirError(f"{path}:{number}", problem, "see docs/runtime.md, Replay")
        found.append(event)
    return found


def _event(raw: dict[str, Any]) -> Event:
    limits = [_limit(raw[key]) if key in raw else None for key in ("throughput", "latency")]
    time, crossbar = raw["time"], raw.get("crossbar", -1)
    if not isinstance(time, int) or not isinstance(crossbar, int):
        raise TypeError("time and crossbar are whole numbers")
    wanted = Constraints(*limits) if raw["event"] == "arrive" else None
    return Event(time, raw["event"], str(raw.get("name", "")), str(raw.get("package", "")), wanted, crossbar)


def _limit(value: Any) -> Fraction:
    """A throughput or latency: a fraction as text, or a number of JSON."""
    text = str(value)
    if text.startswith("-") or not (found := exact(text, MOST_DIGITS)):
        raise ValueError("a throughput or latency is not positive")
    return found


def _problem(event: Event, before: list[Event], packages: Mapping[str, Application], platform: Platform) -> str | None:
    """What is wrong with an event, in words."""
    if event.kind not in KINDS:
        return f"'{event.kind}' is no event; there are {', '.join(KINDS)}"
    if not (before[-1].time if before else 0) <= event.time <= MOST_TIME:
        return f"time {event.time} is before that of the line above, or too late"
    if event.kind in ("arrive", "depart") and not event.name:
        return "it has no name"
    if event.kind == "arrive" and event.package not in packages:
        return f"there is no package '{event.package}', only {', '.join(packages)}"
    if event.kind in ("fail", "repair") and not 0 <= event.crossbar < platform.crossbars:
        return f"there is no crossbar {event.crossbar}, only 0 to {platform.crossbars - 1}"
    return None
