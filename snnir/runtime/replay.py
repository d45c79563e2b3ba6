"""A trace on a simulated machine: who is admitted, how fast, and whether every guarantee holds through every change.

Applications are admitted to a `State`, as on a real machine, and run, flit by flit and at the activity that their
guarantees assume, in `snnir.machine.together`, which knows nothing of admission.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from snnir.errors import SnnirError
from snnir.machine.configuration import CONFIG_FILE, read
from snnir.machine.parts import Configuration, Flow
from snnir.machine.together import Running, Together, work_of
from snnir.runtime.admission import Refused, Request, admit
from snnir.runtime.application import Constraints
from snnir.runtime.floor import floor_of
from snnir.runtime.package import Package
from snnir.runtime.platform import Platform
from snnir.runtime.relocate import relocated
from snnir.runtime.state import FAULTY, FREE, Resident, State, problems
from snnir.runtime.trace import Event


@dataclass(frozen=True)
class Stay:
    """One application at one place: promised, in the platform's unit, and seen. `steps` were complete when it left, one
    every `simulated` units on average (None for fewer than two); `late` of them after the time that was promised."""

    name: str
    start: int
    period: Fraction
    latency: Fraction
    steps: int
    simulated: Fraction | None
    late: int


@dataclass
class Outcome:
    """What a replay found. `seconds`: what each admission took, refusals included; `broken`: what contradicted the
    invariant of the state after an event; `free`: (time, free crossbars, those of the largest square that is free)."""

    arrived: int = 0
    admitted: int = 0
    moved: int = 0
    evicted: int = 0
    seconds: list[float] = field(default_factory=list[float])
    reasons: dict[str, int] = field(default_factory=dict[str, int])
    stays: list[Stay] = field(default_factory=list[Stay])
    broken: list[str] = field(default_factory=list[str])
    free: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])

    @property
    def late(self) -> int:
        """Steps that were later than promised, of all stays."""
        return sum(stay.late for stay in self.stays)


def replay(platform: Platform, packages: Mapping[str, Package], events: Sequence[Event]) -> Outcome:
    """Let the events happen to an empty machine."""
    machine = _Machine(platform, packages)
    for event in events:
        machine.happen(event)
    machine.close()
    return machine.outcome


class _Machine:
    """The state, and the simulated machine that follows it."""

    def __init__(self, platform: Platform, packages: Mapping[str, Package]) -> None:
        self._platform = platform
        self._packages = packages
        self._state = State.of(platform)
        self._together = Together(platform.machine)
        self._configurations = {name: _configuration(package) for name, package in packages.items()}
        self._wanted: dict[str, tuple[str, Constraints]] = {}
        """Package and constraints of each application on the machine."""
        self._starts: dict[str, int] = {}
        self._turn = int(floor_of(platform).times[0].max(initial=0))
        self.outcome = Outcome()

    def happen(self, event: Event) -> None:
        """One event, and a check of everything after it."""
        self._together.advance(max(event.time, self._together.now))
        if event.kind == "arrive":
            self.outcome.arrived += 1
            self.outcome.admitted += self._admit(event.name, event.package, event.constraints or Constraints())
        elif event.kind == "depart" and event.name in self._state.residents:
            self._leave(event.name)
        elif event.kind == "fail":
            self._fail(event.crossbar)
        elif event.kind == "repair" and self._state.owner[event.crossbar] == FAULTY:
            self._state.mark(event.crossbar, FREE)
        self._check(event)

    def close(self) -> None:
        """Let all applications leave."""
        for name in list(self._state.residents):
            self._leave(name)
        if np.any(self._state.flows) or self._together.present:
            self.outcome.broken.append("something is left on the machine when all have left")

    def _admit(self, name: str, package: str, wanted: Constraints) -> bool:
        start = time.perf_counter()
        try:
            offer = admit(self._state, self._packages[package].application, package, Request(name, wanted))
        except Refused as refusal:
            kind = _kind(refusal)
            self.outcome.reasons[kind] = self.outcome.reasons.get(kind, 0) + 1
            return False
        finally:
            self.outcome.seconds.append(time.perf_counter() - start)
        self._state.add(offer.resident)
        placed = _placed(self._packages[package], self._configurations[package], offer.resident, self._platform)
        # cells are programmed first, which takes longer than a turn of any link: no flit that waits now is still there
        ready = self._together.now + self._turn * (int(self._state.flows.max()) + 1)
        self._together.add(Running(name, work_of(placed), ready))
        self._starts[name] = ready
        self._wanted[name] = package, wanted
        return True

    def _leave(self, name: str) -> None:
        """No new steps; the state frees the place when the last one is complete."""
        self._together.remove(name)
        resident = self._state.residents[name]
        wait = int(resident.latency + 2 * resident.period) + 1
        while name in self._together.present:
            self._together.advance(self._together.now + wait)
        self._note(self._state.remove(name))
        del self._wanted[name]

    def _fail(self, crossbar: int) -> None:
        holder = self._state.mark(crossbar, FAULTY)
        if holder is None:
            return
        self._together.kill(holder.name)
        self._note(holder)
        if self._admit(holder.name, *self._wanted.pop(holder.name)):
            self.outcome.moved += 1
        else:
            self.outcome.evicted += 1

    def _note(self, resident: Resident) -> None:
        """Hold the steps of a stay against what was promised."""
        start, finish = self._starts.pop(resident.name), self._together.finish(resident.name).tolist()
        period, latency = resident.period, resident.latency
        late = count_late(finish, start + latency, period)
        span = finish[-1] - finish[0] if len(finish) > 1 else 0
        simulated = Fraction(span, len(finish) - 1) if span else None
        self.outcome.stays.append(Stay(resident.name, start, period, latency, len(finish), simulated, late))

    def _check(self, event: Event) -> None:
        found = list(problems(self._state))
        if set(self._together.present) != set(self._state.residents):
            found.append("the simulated machine has other applications")
        self.outcome.broken += [f"after {event}: {each}" for each in found]
        free = int(np.count_nonzero(self._state.free))
        self.outcome.free.append((self._together.now, free, largest_square(self._state)))


def count_late(finish: Sequence[int], first: Fraction, period: Fraction) -> int:
    """Steps that finish after what was promised: `first` for the first one, `period` more for each one after it."""
    return sum(time > first + period * step for step, time in enumerate(finish))


def largest_square(state: State) -> int:
    """Crossbars in the largest square of tiles all of whose crossbars are free: how much room there is in one piece."""
    machine = state.platform.machine
    width, per_tile = machine.mesh[0], machine.crossbars_per_tile
    whole = state.free.reshape(-1, per_tile).all(axis=1).reshape(-1, width).astype(np.int64)
    side = np.zeros((whole.shape[0] + 1, width + 1), np.int64)
    for y in range(whole.shape[0]):
        for x in range(width):
            if whole[y, x]:
                side[y + 1, x + 1] = 1 + min(side[y, x], side[y, x + 1], side[y + 1, x])
    return int(side.max()) ** 2 * per_tile


_KINDS = {"link": "link", "it needs": "crossbars", "a latency": "latency", "an application": "name"}
"""How a refusal begins, and what was short."""


def _kind(refusal: Refused) -> str:
    """What stood in the way of an application, in a word."""
    return next((kind for start, kind in _KINDS.items() if refusal.message.startswith(start)), "throughput")


def _configuration(package: Package) -> Configuration:
    """The configuration in a package, as compiled."""
    text = json.dumps(package.config).encode()
    return read(Path(package.application.name, CONFIG_FILE), text, lambda _: package.cells)


def _placed(package: Package, configuration: Configuration, resident: Resident, platform: Platform) -> Configuration:
    """The configuration where a resident is; as `relocated` gives it, without going through a file."""
    if configuration.guarantee is None:
        raise SnnirError(resident.name, "its package states no activity", "compile it again with a guarantee")
    document = relocated(package, resident.crossbars.tolist(), platform, (resident.period, resident.latency))
    places = [((entry["tile"][0], entry["tile"][1]), entry["index"]) for entry in document["crossbars"]]
    crossbars = [
        replace(crossbar, tile=tile, index=index)
        for crossbar, (tile, index) in zip(configuration.crossbars, places, strict=True)
    ]
    flows = [
        Flow(
            entry["from"],
            tuple(end if end == "host" else (end[0], end[1]) for end in entry["to"]),
            tuple(tuple((x, y) for x, y in branch) for branch in entry["branches"]),
        )
        for entry in document["flows"]
    ]
    guarantee = replace(configuration.guarantee, period=resident.period, latency=resident.latency)
    return replace(
        configuration, machine=platform.machine, crossbars=tuple(crossbars), flows=tuple(flows), guarantee=guarantee
    )
