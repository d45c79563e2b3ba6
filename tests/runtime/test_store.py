"""The machine on disk: the same after every change, after errors, and for other processes."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir.errors import SnnirError
from snnir.runtime.fsck import findings
from snnir.runtime.state import FAULTY, FREE, RESERVED, Resident, State, problems
from snnir.runtime.store import Busy, Store, described, rebuilt
from tests.runtime.applications import platform

MACHINE = platform((3, 2), 2)
DIGEST = blake2b(b"package", digest_size=16).hexdigest()


def resident(number: int, name: str, crossbars: list[int], links: list[int], room: int = 3) -> Resident:
    """A resident with one flow on each link."""
    ones = np.ones(len(links), np.int64)
    places, guarantee = np.array(crossbars), (Fraction(100), Fraction(7, 2))
    return Resident(number, name, DIGEST, places, np.array(links), ones, ones * room, *guarantee)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "machine.db", MACHINE)


def same(first: State, second: State) -> bool:
    here, there = ([described(each) for each in state.residents.values()] for state in (first, second))
    arrays = [(first.owner, second.owner), (first.flows, second.flows)]
    return here == there and first.next == second.next and all(np.array_equal(a, b) for a, b in arrays)


def admit(store: Store, each: Resident) -> None:
    with store.changing() as change:
        change.admit(each, b"package", {})


def test_what_is_done_is_there_for_another_process(store: Store) -> None:
    admit(store, resident(0, "a", [5, 0], [1, 2]))
    admit(store, resident(1, "b", [3], [2, 4]))
    with store.changing() as change:
        change.mark(7, FAULTY)
        change.mark(8, RESERVED)
    with store.changing() as change:
        change.remove("a")
    other = Store(store.path)
    state = other.state()
    assert list(state.residents) == ["b"] and state.owner.tolist() == [-1, -1, -1, 1, -1, -1, -1, -2, -3, -1, -1, -1]
    assert same(state, store.state()) and same(state, rebuilt(MACHINE, other.events()))
    assert not list(problems(state)) and not list(findings(other))
    admit(store, resident(2, "a", [5, 0], [1, 2]))
    assert "a" in other.state().residents


def test_a_change_by_another_right_after_ones_own_is_seen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def between(statement: str) -> None:
        if done == ["commit"]:
            done.append("other")
            admit(store, resident(1, "b", [3], [2, 4]))
        elif statement == "commit":
            done.append(statement)

    connect = sqlite3.connect

    def watched(path: Path, **options: Any) -> sqlite3.Connection:
        database = connect(path, **options)
        database.set_trace_callback(between)
        return database

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", watched)
        first = Store(store.path)
    admit(first, resident(0, "a", [5, 0], [1, 2]))
    assert list(first.state().residents) == ["a", "b"] and done == ["commit", "other"]
    assert same(first.state(), Store(store.path).state())


def test_one_change_at_a_time(store: Store) -> None:
    other = Store(store.path, patience=0.05)
    with store.changing() as change:
        with pytest.raises(Busy, match="is in use"), other.changing():
            pytest.fail("two changes at once")
        assert not other.state().residents
        change.admit(resident(0, "a", [5, 0], [1, 2]), b"package", {})
    with other.changing() as change:
        assert list(change.state.residents) == ["a"]


def test_a_file_that_somebody_else_has_just_made_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    admit(store, resident(0, "a", [5, 0], [1, 2]))

    def absent(_: Path) -> bool:
        return False

    monkeypatch.setattr(Path, "exists", absent)
    with pytest.raises(SnnirError, match="cannot be written"):
        Store.create(store.path, MACHINE)
    assert list(Store(store.path).state().residents) == ["a"]


def test_an_error_changes_nothing(store: Store) -> None:
    admit(store, resident(0, "a", [5, 0], [1, 2]))
    before = store.state().copy()
    with pytest.raises(RuntimeError), store.changing() as change:
        change.remove("a")
        change.mark(3, FAULTY)
        raise RuntimeError
    assert same(before, store.state()) and same(before, Store(store.path).state())


def test_packages_leave_with_their_last_resident(store: Store) -> None:
    admit(store, resident(0, "a", [0], [1]))
    admit(store, resident(1, "b", [1], [1]))
    with store.changing() as change:
        change.remove("a")
    assert store.package(DIGEST) == b"package"
    with store.changing() as change:
        change.remove("b")
    with pytest.raises(SnnirError, match="is not there"):
        store.package(DIGEST)


@pytest.mark.parametrize(
    ("each", "message"),
    [
        (resident(1, "a", [3], [4]), "on the machine already"),
        (resident(1, "b", [5], [4]), "not free"),
        (resident(1, "b", [3], [2], room=1), "more flows"),
        (replace(resident(1, "b", [3], [2]), flows=np.array([3])), "more flows"),
        (replace(resident(1, "b", [3], [2], room=9), flows=np.array([3])), "more flows"),
    ],
)
def test_what_belongs_to_others_is_not_touched(store: Store, each: Resident, message: str) -> None:
    admit(store, resident(0, "a", [5, 0], [1, 2]))
    before = store.state().copy()
    with pytest.raises(SnnirError, match=message):
        admit(store, each)
    assert same(before, store.state()) and len(store.events()) == 1


def test_marks(store: Store) -> None:
    admit(store, resident(0, "a", [5, 0], [1, 2]))
    with pytest.raises(SnnirError, match="belongs to a"), store.changing() as change:
        change.mark(5, RESERVED)
    with store.changing() as change:
        holder = change.mark(5, FAULTY)
    assert holder is not None and holder.name == "a" and not store.state().residents
    with store.changing() as change:
        change.mark(5, FREE)
    assert store.state().free.all()
    with pytest.raises(SnnirError, match="only 0 to 11"), store.changing() as change:
        change.mark(12, FAULTY)


def test_the_database_itself_refuses_two_owners(store: Store) -> None:
    admit(store, resident(0, "a", [5, 0], [1, 2]))
    with sqlite3.connect(store.path) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute("insert into held values (5, 0, 9)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": 2}, "a number that was not given yet"),
        ({"number": 1}, "two residents have one number"),
        ({"name": "c"}, "c is listed as a"),
        ({"crossbars": np.array([5, 5])}, "a has a crossbar twice"),
        ({"crossbars": np.array([5, 3])}, "or one that belongs to another"),
        ({"crossbars": np.array([5])}, "marked as a resident's that does not have it"),
        ({"crossbars": np.array([5, 0, 1])}, "marked as another's"),
        ({"links": np.array([2, 1])}, "not in order"),
        ({"links": np.array([1, 1])}, "not in order"),
        ({"flows": np.array([0, 1])}, "has no flow on one of them"),
        ({"flows": np.array([2, 1])}, "the flows on a link are not those"),
        ({"room": np.array([3, 1])}, "has 2 flows, a guarantee allows 1"),
    ],
)
def test_a_contradiction_is_found(change: dict[str, Any], message: str) -> None:
    state = State.of(MACHINE)
    state.add(resident(0, "a", [5, 0], [1, 2]))
    state.add(resident(1, "b", [3], [2, 4]))
    assert not list(problems(state))
    state.residents["a"] = replace(state.residents["a"], **change)
    assert any(message in each for each in problems(state))


def test_damage_is_found(store: Store) -> None:
    admit(store, resident(0, "a", [5, 0], [1, 2]))
    admit(store, resident(1, "b", [3], [2, 4]))
    for damage in (
        "update held set crossbar = 9 where crossbar = 5",
        "delete from held where crossbar = 3",
        "update machine set next = 1",
        "update machine set next = 5",
        "insert into marked values (6, 'faulty')",
        "update resident set period = '99' where name = 'a'",
        "delete from event where number = 1",
        "update package set data = x'00'",
        "update event set detail = x'00' where number = 1",
    ):
        path = store.path.with_name("damaged.db")
        path.write_bytes(store.path.read_bytes())
        database = sqlite3.connect(path)
        database.execute(damage)
        database.commit()
        database.close()
        try:
            found = list(findings(Store(path)))
        except SnnirError as error:
            found = [str(error)]
        assert found, damage
    assert not list(findings(store))


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to look at" * 100])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with pytest.raises(SnnirError):
        Store(path)
    with pytest.raises(SnnirError, match="exists"):
        Store.create(path, MACHINE)
    assert path.read_bytes() == content
