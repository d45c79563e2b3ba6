"""Traces in simulation: guarantees hold through every change, and a replay finds out when they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.errors import SnnirError
from snnir.runtime import replay as replay_module
from snnir.runtime.admission import Offer, Request, admit
from snnir.runtime.application import Application, Constraints
from snnir.runtime.package import Package, read_package
from snnir.runtime.platform import Platform
from snnir.runtime.replay import Outcome, count_late, largest_square, replay
from snnir.runtime.state import ENDLESS, FAULTY, RESERVED, Resident, State
from snnir.runtime.trace import Event, as_lines, generate, read_trace, unit_of
from tests.runtime.applications import platform, sample_package

MACHINES = ("mesh2x2-32", "mesh2x2-64", "tree16-32", "mesh4x4-128-shared")
"""Two with a flow to each destination, a tree and a mesh whose routers copy."""


@cache
def packages(machine: str) -> dict[str, Package]:
    return {network: read_package(sample_package(machine, network)) for network in ("digits", "digits_recurrent")}


@cache
def target(machine: str) -> Platform:
    """A machine for several of the packages."""
    small = packages(machine)["digits"].application.platform
    if small.machine.arity:
        return replace(small, machine=replace(small.machine, crossbars_per_tile=4))
    return replace(small, machine=replace(small.machine, mesh=(4, 4), crossbars_per_tile=4))


def trace(machine: str, seed: int, events: int) -> list[Event]:
    applications = {name: package.application for name, package in packages(machine).items()}
    return generate(applications, target(machine), events, seed, load=1.2, failures=0.1, parts=(10, 90))


@pytest.mark.parametrize("machine", MACHINES)
@given(st.integers(0, 1 << 30))
@settings(max_examples=2, deadline=None, derandomize=True)
def test_guarantees_hold(machine: str, seed: int) -> None:
    events = trace(machine, seed, 150)
    outcome = replay(target(machine), packages(machine), events)
    assert not outcome.broken and not outcome.late
    assert outcome.admitted > 10 and sum(stay.steps for stay in outcome.stays) > 100
    assert len(outcome.free) == len(events)
    assert outcome.arrived == outcome.admitted + sum(outcome.reasons.values()) - outcome.evicted
    assert len(outcome.stays) == outcome.admitted + outcome.moved


def company(machine: str, count: int, throughput: Fraction | None = None) -> list[Event]:
    """As many applications as asked for come at once, and run for a while next to each other."""
    period = int(packages(machine)["digits"].application.period)
    wanted = Constraints(throughput)
    come = [Event(n * period // 3, "arrive", f"a{n}", "digits", wanted) for n in range(count)]
    return [*come, *(Event(60 * period + n, "depart", f"a{n}") for n in range(count))]


def with_admission(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Resident], Resident], events: list[Event]
) -> Outcome:
    """A replay in which all residents are changed before they come in."""

    def changed(*arguments: object) -> Offer:
        offer = admit(*arguments)  # type: ignore[arg-type]
        return replace(offer, resident=change(offer.resident))

    monkeypatch.setattr(replay_module, "admit", changed)
    return replay(target("mesh2x2-64"), packages("mesh2x2-64"), events)


def test_nothing_is_late_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = with_admission(monkeypatch, lambda each: each, company("mesh2x2-64", 3))
    assert len(outcome.stays) == 3 and not outcome.late and not outcome.broken


@pytest.mark.parametrize("short", [Fraction(9, 10), Fraction(8, 10)])
def test_a_period_that_is_too_short_is_found(monkeypatch: pytest.MonkeyPatch, short: Fraction) -> None:
    events = company("mesh2x2-64", 3)
    outcome = with_admission(monkeypatch, lambda each: replace(each, period=each.period * short), events)
    assert len(outcome.stays) == 3 and all(stay.late > 30 for stay in outcome.stays)


def test_a_step_may_finish_when_it_was_promised_and_no_later() -> None:
    """Periods and latencies are fractions, and what is left of them adds up: 10, 12.67, 15.33, 18."""
    first, period = Fraction(10), Fraction(8, 3)
    assert count_late([10, 12, 15, 18], first, period) == 0
    assert [count_late(each, first, period) for each in ([11], [10, 13], [10, 12, 16], [10, 12, 15, 19])] == [1] * 4
    assert count_late([11, 13], first + Fraction(1, 3), period) == 1
    assert count_late([], first, period) == 0


def test_a_latency_that_is_too_short_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    events = company("mesh2x2-64", 3)
    outcome = with_admission(monkeypatch, lambda each: replace(each, latency=each.latency / 2), events)
    assert outcome.late


def test_flows_that_are_not_counted_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    add = State.add

    def forgetful(state: State, resident: Resident) -> None:
        flows = state.flows.copy()
        add(state, resident)
        state.flows = flows

    monkeypatch.setattr(State, "add", forgetful)
    outcome = replay(target("mesh2x2-64"), packages("mesh2x2-64"), company("mesh2x2-64", 2))
    assert any("the flows on a link are not those of the residents" in each for each in outcome.broken)


def test_crossbars_that_are_not_freed_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    remove = State.remove

    def forgetful(state: State, name: str) -> Resident:
        owner = state.owner.copy()
        resident = remove(state, name)
        state.owner = owner
        return resident

    monkeypatch.setattr(State, "remove", forgetful)
    outcome = replay(target("mesh2x2-64"), packages("mesh2x2-64"), company("mesh2x2-64", 2))
    assert any("marked as a resident's that does not have it" in each for each in outcome.broken)


def test_room_that_is_ignored_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes does not care for what others count on: the state contradicts itself, and who was there is late."""

    def ignored(state: State, resident: Resident) -> None:
        state.owner[resident.crossbars] = resident.number
        state.flows[resident.links] += resident.flows
        state.residents[resident.name] = resident
        state.next += 1

    def careless(state: State, application: Application, package: str, request: Request) -> Offer:
        return admit(_roomy(state), application, package, request)

    monkeypatch.setattr(State, "add", ignored)
    monkeypatch.setattr(replay_module, "admit", careless)
    machine, small = "mesh2x2-32", target("mesh2x2-32")
    large = replace(small, machine=replace(small.machine, mesh=(8, 8)))
    outcome = replay(large, packages(machine), company(machine, 16))
    assert outcome.admitted == 16 and any("a guarantee allows" in each for each in outcome.broken)
    assert outcome.late and outcome.stays[0].late


def _roomy(state: State) -> State:
    """The state if nobody counted on anything."""
    residents = {n: replace(each, room=np.full_like(each.room, ENDLESS)) for n, each in state.residents.items()}
    return State(state.platform, state.owner, state.flows, residents, state.next)


def test_a_failure_moves_what_was_there() -> None:
    machine = "mesh2x2-64"
    events = company(machine, 1)[:1]
    place = admit(State.of(target(machine)), packages(machine)["digits"].application, "", Request("a0")).resident
    period = int(packages(machine)["digits"].application.period)
    crossbar = int(place.crossbars[0])
    events += [Event(20 * period, "fail", crossbar=crossbar), Event(50 * period, "repair", crossbar=crossbar)]
    outcome = replay(target(machine), packages(machine), events)
    assert outcome.moved == 1 and not outcome.evicted and not outcome.late and not outcome.broken
    assert [stay.start > 20 * period for stay in outcome.stays] == [False, True]
    free = [count for _, count, _ in outcome.free]
    assert free[1] == free[0] - 1 and free[2] == free[0]


def test_a_name_that_is_there_already() -> None:
    """The second one is refused, and the first one stays what it is."""
    events = company("mesh2x2-64", 1)
    again = replace(events[0], time=events[0].time + 1, package="digits_recurrent")
    crossbar = int(
        admit(
            State.of(target("mesh2x2-64")), packages("mesh2x2-64")["digits"].application, "", Request("a0")
        ).resident.crossbars[0]
    )
    failure = Event(events[0].time + 2, "fail", crossbar=crossbar)
    outcome = replay(target("mesh2x2-64"), packages("mesh2x2-64"), [events[0], again, failure, events[1]])
    assert (outcome.arrived, outcome.admitted, outcome.moved) == (2, 1, 1)
    assert outcome.reasons == {"name": 1} and not outcome.broken and not outcome.late


def test_the_largest_square() -> None:
    state = State.of(platform((5, 4), 2))
    assert largest_square(state) == 32
    state.mark(2 * (2 + 5 * 1), FAULTY)  # tile (2, 1)
    assert largest_square(state) == 8
    state.mark(2 * (3 + 5 * 3) + 1, RESERVED)  # tile (3, 3)
    state.mark(2 * (0 + 5 * 2), RESERVED)  # tile (0, 2)
    assert largest_square(state) == 8
    for crossbar in range(40):
        state.mark(crossbar, FAULTY)
    assert largest_square(state) == 0


def test_traces_are_the_same_for_the_same_seed_and_in_a_file(tmp_path: Path) -> None:
    machine = "mesh2x2-64"
    events = trace(machine, 3, 200)
    assert events == trace(machine, 3, 200) != trace(machine, 4, 200)
    assert len(events) == 200 and {event.kind for event in events} == {"arrive", "depart", "fail", "repair"}
    assert all(a.time <= b.time for a, b in pairwise(events))
    applications = {name: package.application for name, package in packages(machine).items()}
    unit = unit_of(target(machine))
    for event in events:
        if event.constraints is not None and event.constraints.throughput is not None:
            part = event.constraints.throughput * applications[event.package].period * unit
            assert Fraction(1, 10) <= part <= Fraction(9, 10)
    path = tmp_path / "trace.jsonl"
    path.write_text("\n".join(as_lines(events)) + "\n\n")
    assert read_trace(path, applications, target(machine)) == events


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"time": 1', "this is no event"),
        ('{"time": 1.5, "event": "depart", "name": "a"}', "whole numbers"),
        ('{"time": -1, "event": "depart", "name": "a"}', "is before that of the line above"),
        ('{"time": 1, "event": "leave", "name": "a"}', "is no event"),
        ('{"time": 1, "event": "depart"}', "has no name"),
        ('{"time": 1, "event": "arrive", "name": "a", "package": "x"}', "no package 'x'"),
        ('{"time": 1, "event": "arrive", "name": "a", "package": "digits", "throughput": "0"}', "not positive"),
        ('{"time": 1, "event": "arrive", "name": "a", "package": "digits", "latency": "1/0"}', "this is no event"),
        ('{"time": 1, "event": "arrive", "name": "a", "package": "digits", "latency": 1e999}', "this is no event"),
        ('{"time": 1, "event": "arrive", "name": "a", "package": "digits", "latency": "1e999999999"}', "is no number"),
        ('{"time": 1, "event": "arrive", "name": "a", "package": "digits", "latency": true}', "this is no event"),
        ('{"time": 1, "event": "fail", "crossbar": 64}', "no crossbar 64, only 0 to 63"),
        ("[1]", "this is no event"),
    ],
)
def test_bad_lines_are_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('{"time": 0, "event": "fail", "crossbar": 1}\n' + line)
    applications = {name: package.application for name, package in packages("mesh2x2-64").items()}
    with pytest.raises(SnnirError, match=message) as caught:
        read_trace(path, applications, target("mesh2x2-64"))
    assert caught.value.place == f"{path}:2"
