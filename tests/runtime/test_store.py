"""The machine on disk: the same after every change, after errors, and for other processes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnir.errors import SnnirError
from snnir.runtime.events import described, packed, rebuilt
from snnir.runtime.fsck import compact, findings
from snnir.runtime.state import FAULTY, FREE, RESERVED, Resident, State, problems
from snnir.runtime.store import Busy, Store
from tests.runtime.applications import platform

MACHINE = platform((3, 2), 2)
PRAGMAS = {"synchronous": 3, "foreign_keys": 1, "fullfsync": 1, "journal_mode": "delete"}
"""Settings of a connection that promises depend on; 3: extra."""
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


def test_an_error_that_is_not_of_the_file_stays_what_it_is(store: Store) -> None:
    """A mistake in what is done within a change must not be taken for a damaged file."""
    for error in (ValueError, KeyError, TypeError, StopIteration, ZeroDivisionError):
        with pytest.raises(error, match="ours"), store.changing():
            raise error("ours")


def test_an_interrupt_right_after_the_beginning_leaves_nothing_locked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = Store._wait_for_my_turn  # pyright: ignore[reportPrivateUsage]

    def interrupted(waiting: Store) -> None:
        wait(waiting)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_wait_for_my_turn", interrupted)
        with pytest.raises(KeyboardInterrupt), store.changing():
            pytest.fail("it was interrupted before")
    with Store(store.path, patience=0.05).changing() as change:
        change.mark(3, FAULTY)


def test_what_is_written_is_on_disk_before_it_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def watched(path: Path, **options: Any) -> sqlite3.Connection:
        connections.append(connect(path, **options))
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", watched)
    Store(store.path)
    values = {name: connections[0].execute(f"pragma {name}").fetchone()[0] for name in PRAGMAS}
    assert values == PRAGMAS


def test_a_file_that_is_refused_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def watched(path: Path, **options: Any) -> sqlite3.Connection:
        connections.append(connect(path, **options))
        return connections[-1]

    (tmp_path / "other.db").write_bytes(b"no database" * 1000)
    monkeypatch.setattr(sqlite3, "connect", watched)
    with pytest.raises(SnnirError):
        Store(tmp_path / "other.db")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[0].execute("select 1")


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


def busy_machine(store: Store) -> None:
    """Two applications, of which one came again, and two marks."""
    admit(store, resident(0, "a", [5, 0], [1, 2]))
    admit(store, resident(1, "b", [3], [2, 4]))
    with store.changing() as change:
        change.mark(7, FAULTY)
        change.mark(8, RESERVED)
        change.remove("a")
    with store.changing() as change:
        change.admit(resident(2, "a", [5, 0], [1, 2]), b"package", {"tries": 2})


@pytest.mark.parametrize("keep", [0, 1, 3, 5])
def test_events_are_forgotten(store: Store, keep: int) -> None:
    busy_machine(store)
    before, events = store.state().copy(), store.events()
    other = Store(store.path)
    assert same(other.state(), before) and other.changes() == len(events) == 6
    assert compact(store, keep) == 6 - keep
    found = store.events()
    assert found[0].kind == "base" and found[1:] == events[6 - keep :] and store.changes() == 6
    for each in (store, other, Store(store.path)):
        assert same(each.state(), before) and not list(findings(each))
    assert same(rebuilt(MACHINE, found), before)
    assert compact(store, keep) == 0 and store.events() == found
    admit(other, resident(3, "c", [1], [4]))
    with store.changing() as change:
        change.mark(8, FREE)
    assert [event.number for event in store.events()[-2:]] == [7, 8] and not list(findings(store))
    with store.changing() as change:
        change.remove("c")
    assert compact(store, 0) == keep + 3 and same(rebuilt(MACHINE, store.events()), store.state())


def test_more_events_are_kept_than_there_are(store: Store) -> None:
    assert compact(store, 0) == 0 and store.events() == []
    busy_machine(store)
    events = store.events()
    assert compact(store, 6) == compact(store, 1000) == 0 and store.events() == events


def test_what_is_not_sound_is_not_forgotten(store: Store) -> None:
    busy_machine(store)
    events = store.events()
    damage(store.path, "delete from marked")
    with pytest.raises(SnnirError, match="it is not sound: crossbar 7 belongs to another"):
        compact(store, 0)
    assert store.events() == events


def test_a_base_is_the_first_event(store: Store) -> None:
    busy_machine(store)
    events = store.events()
    compact(store, 0)
    (base,) = store.events()
    for wrong in ([*events, base], [replace(events[0], kind="dance")]):
        with pytest.raises(ValueError, match="no known kind"):
            rebuilt(MACHINE, wrong)


def damage(path: Path, statement: str, values: tuple[object, ...] = ()) -> int:
    """Change the file past all checks; how many rows were concerned."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("pragma ignore_check_constraints = on")
        return database.execute(statement, values).rowcount


@pytest.mark.parametrize(
    "statement",
    [
        "update held set crossbar = 9 where crossbar = 5",
        "delete from held where crossbar = 3",
        "update machine set id = 2",
        "update machine set next = 1",
        "update machine set next = 5",
        "insert into marked values (6, 'faulty')",
        "update marked set mark = 'broken'",
        "update resident set period = '99' where name = 'a'",
        "update resident set period = '1/0' where name = 'a'",
        "update resident set room = x'' where name = 'a'",
        "update resident set room = x'0000000000000000' where name = 'a'",
        "update resident set request = '{}' where name = 'a'",
        "update resident set request = 'x' where name = 'a'",
        "delete from event where number = 1",
        "delete from event where number = 6",
        "delete from package",
        "update package set data = x'00'",
        "update event set detail = x'00' where number = 1",
    ],
)
def test_damage_is_found(store: Store, statement: str) -> None:
    busy_machine(store)
    assert not list(findings(store))
    assert damage(store.path, statement)
    assert found_in(store.path), statement


def test_links_without_all_of_their_numbers_are_no_machine(store: Store) -> None:
    """Admission would fall over them."""
    busy_machine(store)
    damage(store.path, "update resident set room = x'0000000000000000' where name = 'a'")
    with pytest.raises(SnnirError, match="the links of a have other numbers of flows"):
        Store(store.path).state()


def found_in(path: Path) -> list[str]:
    """What is wrong with a file: findings, or why it cannot be read."""
    try:
        with closing(Store(path)) as store:
            return list(findings(store))
    except SnnirError as error:
        return [str(error)]


COLUMNS = {
    "machine": ["version", "platform", "next"],
    "package": ["digest", "data"],
    "resident": ["number", "name", "package", "request", "period", "latency", "links", "flows", "room"],
    "held": ["crossbar", "resident", "cluster"],
    "marked": ["crossbar", "mark"],
    "event": ["number", "kind", "detail"],
}
WORDS = ["", "0", "-1", "1/0", "1e999", "nan", "{}", "[1]", "null", "a", "b", "admit", "base", "faulty", "\0"]
cells = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(-1, 13),
    st.floats(),
    st.binary(max_size=24),
    st.sampled_from(WORDS),
    st.sampled_from([packed({}), packed({"name": "a"}), packed({"crossbar": 1 << 80, "mark": "free"})]),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A machine with all of its events, and with few."""
    path = tmp_path_factory.mktemp("files") / "machine.db"
    with closing(Store.create(path, MACHINE)) as store:
        busy_machine(store)
        whole = path.read_bytes()
        compact(store, 2)
    return [whole, path.read_bytes()]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_cell_that_is_another_one_is_found(tmp_path: Path, files: list[bytes], data: st.DataObject) -> None:
    """Whatever stands in a cell, fsck says that it is wrong, and never falls over it."""
    path = tmp_path / "machine.db"
    path.write_bytes(data.draw(st.sampled_from(files)))
    table = data.draw(st.sampled_from(sorted(COLUMNS)))
    column = data.draw(st.sampled_from(COLUMNS[table]))
    before = path.read_bytes()
    with closing(sqlite3.connect(path)) as database:
        rows = [row[0] for row in database.execute(f"select rowid from {table}")]
    place = data.draw(st.sampled_from(rows))
    try:
        damage(path, f"update {table} set {column} = ? where rowid = ?", (data.draw(cells), place))
    except sqlite3.IntegrityError:
        return
    with closing(sqlite3.connect(path)) as database:
        now = list(database.iterdump())
    copy = path.with_name("copy.db")
    copy.write_bytes(before)
    with closing(sqlite3.connect(copy)) as database:
        unchanged = now == list(database.iterdump())
    # of what the tables leave out, the order is all that says something
    assert unchanged or found_in(path) or (table, column) in {("held", "cluster"), ("event", "number")}


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damaged_file_is_read_as_it_was_or_refused(tmp_path: Path, files: list[bytes], data: st.DataObject) -> None:
    """Bytes that are not those that were written: an error in our words, or no harm."""
    whole, path = files[0], tmp_path / "machine.db"
    path.write_bytes(whole)
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    copy = path.with_name("changed.db")
    copy.write_bytes(changed)
    if not found_in(copy):
        with closing(Store(path)) as store, closing(Store(copy)) as other:
            assert same(store.state(), other.state())


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to look at" * 100])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with pytest.raises(SnnirError):
        Store(path)
    with pytest.raises(SnnirError, match="exists"):
        Store.create(path, MACHINE)
    assert path.read_bytes() == content


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="no such file"):
        Store(tmp_path / ("n" * 300))
    with pytest.raises(SnnirError, match=r"cannot be written \(File name too long\)"):
        Store.create(tmp_path / ("n" * 300), MACHINE)
    with pytest.raises(SnnirError, match="this is no file"):
        Store(tmp_path)
