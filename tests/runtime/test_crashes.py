"""A process that dies leaves the machine as it was before or after what it was doing, and nobody has to clean up."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from benchmarks.runtime_crashes import kill_makers, kill_workers, snapshot
from snnir.errors import SnnirError
from snnir.runtime.fsck import findings
from snnir.runtime.state import FAULTY, FREE, RESERVED
from snnir.runtime.store import Store
from tests.runtime.applications import platform, sample_application, sample_package
from tests.runtime.test_store import MACHINE, resident

EVERY = 7
"""Instructions of SQLite from one moment that is looked at to the next; each start of a statement is one, too."""


class Moments:
    """What is on disk at every moment of what is done inside: what a crash at that moment would leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies: list[Path] = []

    def keep(self, *_: object) -> None:
        """Copy what there is now, journals too."""
        copy = self.folder.with_name(f"moment{len(self.copies)}")
        shutil.copytree(self.folder, copy)
        self.copies.append(copy)


@contextmanager
def moments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Moments]:
    """Collects the moments of all that is done in databases that are opened inside; they lie in `folder`."""
    found = Moments(folder)
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def watched(path: Path, **options: object) -> sqlite3.Connection:
        database = connect(path, **options)
        database.set_trace_callback(found.keep)
        database.set_progress_handler(found.keep, EVERY)
        return database

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", watched)
        yield found
    found.keep()


def admit(store: Store) -> None:
    with store.changing() as change:
        change.admit(resident(2, "c", [7, 8, 9], [4, 5]), b"other package", {"tries": 4})


def remove(store: Store) -> None:
    with store.changing() as change:
        change.remove("a")


def move(store: Store) -> None:
    with store.changing() as change:
        change.mark(5, FAULTY)
        change.admit(resident(2, "a", [10, 0], [1, 3]), b"package", {})


def release(store: Store) -> None:
    with store.changing() as change:
        change.mark(11, FREE)


def forget(store: Store) -> None:
    assert store.forget(1) == 2


@pytest.mark.parametrize("change", [admit, remove, move, release, forget])
def test_at_every_moment_the_state_is_that_before_or_after(
    change: Callable[[Store], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "machine"
    folder.mkdir()
    path = folder / "machine.db"
    with closing(Store.create(path, MACHINE)) as store, store.changing() as all_at_once:
        all_at_once.admit(resident(0, "a", [5, 0], [1, 2]), b"package", {})
        all_at_once.admit(resident(1, "b", [3], [2, 4]), b"package", {})
        all_at_once.mark(11, RESERVED)
    with closing(Store(path)) as store:
        before = snapshot(store)
    with moments(folder, monkeypatch) as found, closing(Store(path)) as store:
        change(store)
        after = snapshot(store)
    kinds: list[str] = []
    for copy in found.copies:
        with closing(Store(copy / "machine.db")) as store:
            seen = snapshot(store)
            assert seen in (before, after)
            kinds.append("before" if seen == before else "after")
            assert not list(findings(store))
            with store.changing():
                pass
    assert before != after and kinds == sorted(kinds, reverse=True) and kinds[0] != kinds[-1] and len(kinds) > 30


def test_a_machine_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "machine"
    folder.mkdir()
    with moments(folder, monkeypatch) as found:
        Store.create(folder / "machine.db", MACHINE).close()
    there: list[bool] = []
    for copy in found.copies:
        path = copy / "machine.db"
        there.append(path.exists())
        with closing(Store(path) if there[-1] else Store.create(path, MACHINE)) as store:
            assert store.platform == MACHINE and not list(findings(store))
    assert there == sorted(there) and there[-1] and not there[0]
    assert [each.name for each in folder.iterdir()] == ["machine.db"]


def test_the_journal_of_a_file_that_is_gone_is_not_taken_for_that_of_a_new_one(tmp_path: Path) -> None:
    journal = tmp_path / "machine.db-journal"
    journal.write_bytes(b"left")
    with pytest.raises(SnnirError, match=r"machine\.db-journal is left of a file that is gone"):
        Store.create(tmp_path / "machine.db", MACHINE)
    assert [each.name for each in tmp_path.iterdir()] == [journal.name]


def test_processes_are_killed_at_work(tmp_path: Path) -> None:
    package = sample_package("mesh2x2-32")
    target = sample_application("mesh2x2-32").platform
    kills = kill_workers(tmp_path, target, [package], 12, np.random.default_rng(1))
    assert not kills.wrong
    assert sum(kills.found[kind] for kind in ("before", "after", "between")) == 12 and kills.found["operations"]


def test_processes_are_killed_when_they_make_a_machine(tmp_path: Path) -> None:
    kills = kill_makers(tmp_path, platform((2, 2)), 6, np.random.default_rng(1))
    assert not kills.wrong and kills.found["before"] + kills.found["after"] == 6
