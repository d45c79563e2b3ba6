"""The state of a machine on disk: one SQLite file that any number of processes use, and that survives a crash.

Why SQLite: a transaction is on disk whole or not at all, whatever happens to the process or the power; writers wait for
each other; and the two things that must never happen, a crossbar with two owners and a name with two residents, are
keys that the database itself refuses. A journal of our own would have to do all this again, and be tested for it.

Every change is an event, written in the same transaction as the change (`event`), with all that is needed to make the
change again: so the state can be built from the events alone, and compared (`snnir.runtime.fsck`).
"""

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from snnir.errors import SnnirError
from snnir.runtime.events import MARKS, Event, base_of, described, mark_of, packed, read_events, rebuilt, requests
from snnir.runtime.platform import Platform
from snnir.runtime.state import FREE, Resident, State

VERSION = 1
PATIENCE = 120.0
"""Seconds that a process waits for others."""
PAUSE = 0.001
"""Seconds until it asks again whether it is its turn."""
DAMAGED = "name a file that snnc machine create has made, or go back to a copy of this one"
NONSENSE = (ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration, TypeError, ValueError)
"""What comes up where values of a damaged file are read."""

_SCHEMA = """
create table machine (
  id integer primary key check (id = 1), version integer not null, platform text not null, next integer not null);
create table package (digest text primary key, data blob not null);
create table resident (
  number integer primary key, name text not null unique, package text not null references package,
  request text not null, period text not null, latency text not null,
  links blob not null, flows blob not null, room blob not null);
create table held (
  crossbar integer primary key, resident integer not null references resident on delete cascade,
  cluster integer not null, unique (resident, cluster));
create table marked (crossbar integer primary key, mark text not null);
create table event (number integer primary key autoincrement, kind text not null, detail blob not null);
"""


class Busy(SnnirError):
    """Others have used the file for longer than the patience lasted."""


class Store:
    """The file of a machine. Methods raise `SnnirError` for files that are none or damaged, `Busy` when others use it
    for longer than `patience`, in seconds.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path = path
        self.patience = patience
        if not os.path.isfile(path):
            problem = "this is no file" if os.path.exists(path) else "no such file"
            raise SnnirError(path, problem, f"make a machine: snnc machine create --platform FILE.toml {path}")
        self._state: State | None = None
        self._seen = -1
        with self._talking(), self._reading(), ExitStack() as failing:
            self._database = failing.enter_context(closing(_connect(path, patience)))
            self._platform = self._read_platform()
            failing.pop_all()

    @staticmethod
    def create(path: Path, platform: Platform) -> "Store":
        """A new, empty machine; the file must not exist."""
        try:
            if path.exists():
                raise SnnirError(path, "exists", "name another file, or remove this one")
            if not path.parent.is_dir():
                raise SnnirError(path, "the folder does not exist", "make it, or name a file elsewhere")
            journal = path.with_name(f"{path.name}-journal")
            if journal.exists():  # SQLite would take it for that of the new file, and write into that what is in it
                problem = f"{journal.name} is left of a file that is gone"
                raise SnnirError(path, problem, "remove it, or name another file")
            with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
                new = Path(folder, path.name)
                with closing(_connect(new)) as database:
                    database.executescript(_SCHEMA)
                    row = (VERSION, json.dumps(platform.as_json(), sort_keys=True))
                    database.execute("insert into machine values (1, ?, ?, 0)", row)
                os.link(new, path)  # unlike a rename, it fails when somebody else has made the file meanwhile
            _keep_names(path.parent)
        except (sqlite3.Error, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SnnirError(path, f"cannot be written ({reason})", "name a file that can") from None
        return Store(path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def platform(self) -> Platform:
        """The machine's platform."""
        return self._platform

    @contextmanager
    def changing(self) -> Generator["Change"]:
        """A change of the machine, alone with it: on disk when the block ends, nothing of it when an error leaves it.

        The change's `state` is the machine's; what is done to it must be done by the change's methods.
        """
        with self._talking():
            try:
                self._wait_for_my_turn()
                change = Change(self._database, self._current().copy())
                yield change
                self._database.execute("update machine set next = ?", (change.state.next,))
                last = self._last_event()  # before the end: after it, there may be those of others
                self._database.execute("commit")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("rollback")
                raise
            self._state, self._seen = change.state, last

    def state(self) -> State:
        """The state as it is now; not to be changed."""
        with self._one_moment():
            return self._current()

    def audit(self) -> "Audit":
        """All that the file says, for a comparison."""
        with self._one_moment(), self._reading():
            damage = [row[0] for row in self._database.execute("pragma integrity_check(10)") if row[0] != "ok"]
            orphans = self._database.execute("pragma foreign_key_check")
            damage += [f"row {row} of {table} needs a {parent} that is not there" for table, row, parent, _ in orphans]
            packages = self._database.execute("select digest, data from package")
            found = {digest: _digest(data) for digest, data in packages}
            asked = dict(self._database.execute("select name, request from resident").fetchall())
            return Audit(damage, self._read(), read_events(self._database), found, asked)

    def package(self, digest: str) -> bytes:
        """The bytes of the package of a resident."""
        with self._talking():
            row = self._database.execute("select data from package where digest = ?", (digest,)).fetchone()
        if row is None:
            raise SnnirError(self.path, f"the package {digest} is not there", "snnc machine fsck says more")
        return row[0]

    def request(self, name: str) -> dict[str, Any]:
        """What was asked for when an application was admitted."""
        with self._talking(), self._reading():
            row = self._database.execute("select request from resident where name = ?", (name,)).fetchone()
            return {} if row is None else json.loads(row[0])

    def events(self) -> list[Event]:
        """All changes since the machine was made, or since the state that stands in place of the first ones."""
        with self._talking(), self._reading():
            return read_events(self._database)

    def changes(self) -> int:
        """How many changes there have been: the number of the last event."""
        with self._talking():
            return self._last_event()

    def forget(self, keep: int) -> int:
        """Put the state that they led to in place of all events but the last `keep`, and make the file as small as it
        can be; how many events those were.
        """
        with self.changing() as change, self._reading():
            count = change.forget(keep)
        with self._talking():
            self._database.execute("vacuum")
        return count

    def _wait_for_my_turn(self) -> None:
        """Begin a change. SQLite itself asks again after up to 100 ms, and others come in between."""
        until = time.monotonic() + self.patience
        self._database.execute("pragma busy_timeout = 0")
        try:
            while True:
                try:
                    self._database.execute("begin immediate")
                    return
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() > until:
                        raise
                time.sleep(PAUSE)
        finally:
            self._database.execute(f"pragma busy_timeout = {round(1000 * self.patience)}")

    def _current(self) -> State:
        last = self._last_event()
        if self._state is None or self._seen != last:
            with self._reading():
                self._state, self._seen = self._read(), last
        return self._state

    def _last_event(self) -> int:
        return int(self._database.execute("select coalesce(max(number), 0) from event").fetchone()[0])

    def _read_platform(self) -> Platform:
        version, text = self._database.execute("select version, platform from machine").fetchone()
        if version != VERSION:
            raise SnnirError(self.path, f"version {version} of the format", f"this program reads version {VERSION}")
        return Platform.from_json(json.loads(text))

    def _read(self) -> State:
        """The state from its tables."""
        state = State.of(self._platform)
        held: dict[int, list[tuple[int, int]]] = {}
        for crossbar, resident, cluster in self._database.execute("select crossbar, resident, cluster from held"):
            held.setdefault(resident, []).append((cluster, crossbar))
            state.owner[crossbar] = resident
        for crossbar, mark in self._database.execute("select crossbar, mark from marked"):
            state.owner[crossbar] = mark_of(mark)
        columns = "number, name, package, period, latency, links, flows, room"
        for row in self._database.execute(f"select {columns} from resident order by number"):
            number, name, package, period, latency = row[:5]
            links, flows, room = (np.frombuffer(blob, "<i8").astype(np.int64) for blob in row[5:])
            if not len(links) == len(flows) == len(room):
                raise ValueError(f"the links of {name} have other numbers of flows, or of what it counts on")
            crossbars = np.array([crossbar for _, crossbar in sorted(held.get(number, []))], np.int64)
            guarantee = Fraction(period), Fraction(latency)
            state.residents[name] = Resident(number, name, package, crossbars, links, flows, room, *guarantee)
            state.flows[links] += flows
        state.next = int(self._database.execute("select next from machine").fetchone()[0])
        return state

    @contextmanager
    def _one_moment(self) -> Generator[None]:
        """All that is read inside is of one moment."""
        with self._talking():
            self._database.execute("begin")
            try:
                yield
            finally:
                if self._database.in_transaction:
                    self._database.execute("rollback")

    @contextmanager
    def _talking(self) -> Generator[None]:
        """Errors of the database, in our words."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                hint = "try again; see which other processes use it"
                raise Busy(self.path, f"is in use for more than {self.patience:g} s", hint) from None
            hint = "is there space on the disk, and the right?"
            raise SnnirError(self.path, f"cannot be used ({error})", hint) from None
        except sqlite3.Error as error:
            raise SnnirError(self.path, f"this is no machine, or a damaged one ({error})", DAMAGED) from None

    @contextmanager
    def _reading(self) -> Generator[None]:
        """Errors of what is in the database: nothing may be done inside but to read it."""
        try:
            yield
        except (*NONSENSE, zlib.error) as error:
            raise SnnirError(self.path, f"this is no machine, or a damaged one ({error})", DAMAGED) from None


@dataclass(frozen=True)
class Audit:
    """All that the file of a machine says at one moment. `damage`: what the database finds in itself; `state`: as its
    tables have it; `packages`: for each the digest of its bytes; `asked`: for each resident what it asked for, as text.
    """

    damage: list[str]
    state: State
    events: list[Event]
    packages: dict[str, str]
    asked: dict[str, str]


class Change:
    """A change of a machine within a transaction; `state` follows what is done."""

    def __init__(self, database: sqlite3.Connection, state: State) -> None:
        self._database = database
        self.state = state

    def admit(self, resident: Resident, package: bytes, request: dict[str, Any]) -> None:
        """Take a resident in, with its package and what was asked for."""
        self.state.add(resident)
        execute = self._database.execute
        execute("insert or ignore into package values (?, ?)", (resident.package, package))
        arrays = [each.astype("<i8").tobytes() for each in (resident.links, resident.flows, resident.room)]
        guarantee = str(resident.period), str(resident.latency)
        row = (resident.number, resident.name, resident.package, json.dumps(request), *guarantee, *arrays)
        execute("insert into resident values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        places = [(crossbar, resident.number, cluster) for cluster, crossbar in enumerate(resident.crossbars.tolist())]
        self._database.executemany("insert into held values (?, ?, ?)", places)
        self._note("admit", {**described(resident), "request": request})

    def remove(self, name: str) -> Resident:
        """Take a resident away; its package too, when it was the last one of that package."""
        resident = self.state.remove(name)
        self._leave(resident)
        self._note("remove", {"name": name})
        return resident

    def mark(self, crossbar: int, owner: int) -> Resident | None:
        """Declare a crossbar `FAULTY`, `RESERVED` or `FREE`; the resident that had it, which is removed."""
        holder = self.state.mark(crossbar, owner)
        if holder is not None:
            self._leave(holder)
        self._database.execute("delete from marked where crossbar = ?", (crossbar,))
        if owner != FREE:
            self._database.execute("insert into marked values (?, ?)", (crossbar, MARKS[owner]))
        self._note("mark", {"crossbar": crossbar, "mark": MARKS[owner]})
        return holder

    def forget(self, keep: int) -> int:
        """Put the state that they led to in place of all events but the last `keep`; how many those were."""
        events = read_events(self._database)
        old = events[: max(0, len(events) - keep)]
        count = sum(event.kind != "base" for event in old)
        if count:
            base, last = base_of(rebuilt(self.state.platform, old), requests(old)), old[-1].number
            self._database.execute("delete from event where number <= ?", (last,))
            self._database.execute("insert into event values (?, 'base', ?)", (last, packed(base)))
        return count

    def _leave(self, resident: Resident) -> None:
        self._database.execute("delete from resident where number = ?", (resident.number,))
        unused = "delete from package where digest = ? and digest not in (select package from resident)"
        self._database.execute(unused, (resident.package,))

    def _note(self, kind: str, detail: dict[str, Any]) -> None:
        self._database.execute("insert into event (kind, detail) values (?, ?)", (kind, packed(detail)))


def _digest(data: bytes | str) -> str:
    """The digest of a package's bytes; of a text, where somebody has put one in their place."""
    return blake2b(data.encode() if isinstance(data, str) else data, digest_size=16).hexdigest()


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether others use the file; errors that Python itself raises have no code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _connect(path: Path, patience: float = PATIENCE) -> sqlite3.Connection:
    with ExitStack() as failing:
        database = failing.enter_context(closing(sqlite3.connect(path, timeout=patience, isolation_level=None)))
        database.execute("pragma foreign_keys = on")
        database.execute("pragma synchronous = extra")  # a commit is the end of the journal: that must be on disk, too
        database.execute("pragma fullfsync = on")  # macOS: what has reached the disk's memory is not yet on it
        failing.pop_all()
        return database


def _keep_names(folder: Path) -> None:
    """Have the names of files in a folder on disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
