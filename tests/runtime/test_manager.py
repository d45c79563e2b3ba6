"""What can be done with a machine on disk: who waits for whom, moves after failures, defragmentation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from snnir.errors import SnnirError
from snnir.runtime import manager as manager_module
from snnir.runtime.admission import Offer, Request, admit
from snnir.runtime.application import Application, Constraints
from snnir.runtime.events import described
from snnir.runtime.fsck import findings
from snnir.runtime.manager import Manager, asked, request_of, spread
from snnir.runtime.package import Package, read_package
from snnir.runtime.state import FAULTY, FREE, RESERVED, State
from snnir.runtime.store import Store
from tests.runtime.applications import sample_package

MACHINE = "mesh2x2-64"


@cache
def package() -> tuple[Package, bytes]:
    """Of four crossbars."""
    path = sample_package(MACHINE)
    return read_package(path), path.read_bytes()


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    small = package()[0].application.platform
    target = replace(small, machine=replace(small.machine, mesh=(4, 4)))
    return Manager(Store.create(tmp_path / "machine.db", target))


def come(manager: Manager, name: str, throughput: Fraction | None = None) -> Offer:
    return manager.admit(*package(), Request(name, Constraints(throughput)))


@pytest.mark.parametrize("same", [False, True])
def test_the_analysis_keeps_nobody_waiting(manager: Manager, monkeypatch: pytest.MonkeyPatch, same: bool) -> None:
    """Others change the machine meanwhile; the analysis is done again when the place that it found is gone."""
    calls: list[Offer] = []

    def watched(state: State, application: Application, digest: str, request: Request) -> Offer:
        calls.append(admit(state, application, digest, request))
        if len(calls) == 1:
            crossbar = int(calls[0].resident.crossbars[0]) if same else 31
            with Store(manager.store.path, patience=1).changing() as change:
                change.mark(crossbar, RESERVED)
                found = admit(change.state, application, digest, Request("other")).resident
                change.admit(found, package()[1], asked(Request("other")))
        return calls[-1]

    monkeypatch.setattr(manager_module, "admit", watched)
    offer = come(manager, "a")
    assert len(calls) == 2 and offer is calls[1]
    assert offer.resident.number == 1 and list(manager.store.state().residents) == ["other", "a"]
    assert not list(findings(manager.store))


def test_a_place_that_is_still_free_is_taken(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Offer] = []

    def watched(state: State, application: Application, digest: str, request: Request) -> Offer:
        calls.append(admit(state, application, digest, request))
        with Store(manager.store.path, patience=1).changing() as change:
            far = change.state.copy()
            for crossbar in range(16):
                if far.owner[crossbar] == FREE:
                    far.mark(crossbar, FAULTY)
            found = admit(far, application, digest, Request("other", Constraints(Fraction(1000)))).resident
            change.admit(found, package()[1], asked(Request("other")))
        return calls[-1]

    first = come(manager, "first", throughput=Fraction(1000))
    monkeypatch.setattr(manager_module, "admit", watched)
    offer = come(manager, "a", throughput=Fraction(1000))
    assert len(calls) == 1 and offer.resident.number == 2
    assert (
        offer.resident.crossbars.tolist() == calls[0].resident.crossbars.tolist() != first.resident.crossbars.tolist()
    )
    assert [each.number for each in manager.store.state().residents.values()] == [0, 1, 2]
    assert not list(findings(manager.store))


def test_a_failure_moves_what_was_there(manager: Manager) -> None:
    wanted = Fraction(12345)
    crossbar = int(come(manager, "a", throughput=wanted).resident.crossbars[1])
    moved = manager.fail(crossbar)
    assert moved is not None and moved.offer is not None and moved.refusal is None
    state = manager.store.state()
    assert state.owner[crossbar] == FAULTY and described(state.residents["a"]) == described(moved.offer.resident)
    assert moved.offer.steps_per_second >= wanted and manager.store.request("a")["throughput"] == "12345"
    assert manager.fail(crossbar) is None
    manager.repair(crossbar)
    assert manager.store.state().owner[crossbar] == FREE
    with pytest.raises(SnnirError, match="only 0 to 31"):
        manager.fail(32)


def test_who_has_no_other_place_is_gone(manager: Manager) -> None:
    taken = come(manager, "a").resident.crossbars.tolist()
    for crossbar in set(range(32)) - set(taken):
        manager.reserve(crossbar)
    moved = manager.fail(taken[0])
    assert moved is not None and moved.offer is None and moved.refusal is not None
    assert not manager.store.state().residents and not list(findings(manager.store))


def scattered(manager: Manager) -> None:
    """One application on the four corners, as it is when all else was taken."""
    corners = (0, 6, 24, 30)
    for crossbar in set(range(32)) - set(corners):
        manager.reserve(crossbar)
    come(manager, "a", throughput=Fraction(1000))
    for crossbar in set(range(32)) - set(corners):
        manager.repair(crossbar)


def test_defragmentation(manager: Manager) -> None:
    scattered(manager)
    state = manager.store.state()
    before, events = state.copy(), len(manager.store.events())
    (plan,) = manager.defragment(really=False)
    assert len(manager.store.events()) == events
    assert described(manager.store.state().residents["a"]) == described(before.residents["a"])
    (move,) = manager.defragment()
    assert described(move.offer.resident) == described(plan.offer.resident)
    after = manager.store.state()
    assert described(after.residents["a"]) == described(move.offer.resident)
    assert spread(after, after.residents["a"]) < spread(before, before.residents["a"])
    assert move.offer.resident.period <= move.before.period and move.offer.resident.latency <= move.before.latency
    assert move.crossbars >= 1 and move.cells == move.crossbars * 64 * 64
    assert not manager.defragment() and not list(findings(manager.store))


@pytest.mark.parametrize("worse", ["period", "latency"])
def test_nobody_is_moved_to_a_worse_place(manager: Manager, monkeypatch: pytest.MonkeyPatch, worse: str) -> None:
    scattered(manager)
    now = getattr(manager.store.state().residents["a"], worse)

    def pessimistic(state: State, application: Application, digest: str, request: Request) -> Offer:
        offer = admit(state, application, digest, request)
        return replace(offer, resident=replace(offer.resident, **{worse: now + 1}))

    with monkeypatch.context() as patch:
        patch.setattr(manager_module, "admit", pessimistic)
        assert not manager.defragment()
    assert manager.defragment()


def test_requests_are_kept() -> None:
    for request in (Request("a"), Request("a", Constraints(Fraction(1, 3), Fraction(2, 7)), Fraction(1, 4), 9)):
        assert request_of("a", asked(request)) == request
    for broken in ({}, {**asked(Request("a")), "headroom": "x"}, {**asked(Request("a")), "latency": "1/0"}):
        with pytest.raises(SnnirError, match="cannot be read"):
            request_of("a", broken)
