"""Processes that work on a machine are killed (kill -9) at random moments: what do they leave behind?

    python -m benchmarks.runtime_crashes [--kills 200] [--seed 0]

A process admits, removes, and marks crossbars of one machine on disk, and says through a pipe what it begins and what
it has got for an answer. It is killed while it is at it: half of the times at a random moment of an operation, half at
a random moment of the commit at the end of one. Then the same operations are done, undisturbed, on another machine:

    before / after  the state, its events and its packages are those before or after the operation that was cut off
    lost            an operation that had got its answer is not there, or something else than before or after is
    unsound         `snnc machine fsck` finds something
    blocked         the next process cannot change the machine at once

and the next process goes on with what is there. Then processes are killed while they make a new machine. The exit code
is 1 if anything was lost, unsound or blocked.
"""

import argparse
import multiprocessing
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.runtime_replay import packages as compiled_packages
from benchmarks.runtime_requests import Packages, Requested, draw, perform
from snnir.errors import SnnirError
from snnir.runtime.events import described
from snnir.runtime.fsck import findings
from snnir.runtime.manager import Manager
from snnir.runtime.platform import Platform
from snnir.runtime.store import Store

PATIENCE = 10.0
"""Seconds after which the machine counts as blocked."""


@dataclass
class Kills:
    """What kills have left behind, and for how long things take: to know when to kill."""

    found: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"try": [0.03], "commit": [0.003], "start": [0.01]})

    def delay(self, moment: str, rng: np.random.Generator) -> float:
        """A moment within what has begun."""
        return float(rng.uniform(0, 1.2 * np.median(self.seconds[moment][-100:])))


def watch_statements(told: Callable[[str], None]) -> None:
    """From now on in this process, `told` gets each statement that any database is about to execute."""
    connect = sqlite3.connect

    def watched(*args: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*args, **options)
        database.set_trace_callback(told)
        return database

    sqlite3.connect = watched


def work(path: Path, packages: Sequence[Path], seed: int, pipe: Connection) -> None:
    """Work on a machine for ever, saying `try` before, `commit` in and `done` after each operation."""

    def tell(what: str, value: Any) -> None:
        pipe.send((what, time.monotonic(), value))

    watch_statements(lambda statement: tell("commit", None) if statement == "commit" else None)
    loaded, rng = Packages.load(packages), np.random.default_rng(seed)
    manager, count = Manager(Store(path)), 0
    while True:
        state, count = manager.store.state(), count + 1
        mine = range(manager.store.platform.crossbars)
        requested = draw(rng, state, f"a.{seed}.{count}", len(loaded.members), mine)
        tell("try", requested)
        tell("done", perform(manager, loaded, requested))


def create(path: Path, platform: Platform, pipe: Connection) -> None:
    """Make a machine."""
    watch_statements(lambda _: None)
    pipe.send(("start", time.monotonic(), None))
    Store.create(path, platform).close()
    pipe.send(("done", time.monotonic(), None))


def killed(target: Callable[..., None], arguments: tuple[Any, ...], wait: Callable[[str], float | None]) -> list[Any]:
    """Run it in a process of its own, and kill that when `wait`, which gets what it says, gives seconds to go on.

    All that it has said.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.runtime_requests", "snnir.cli.snnc"])
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, writer))
    process.start()
    writer.close()
    said: list[Any] = []
    waiting = True
    with closing(reader):
        try:
            while True:
                said.append(reader.recv())
                seconds = wait(said[-1][0]) if waiting else None
                if seconds is not None:
                    waiting = False
                    time.sleep(seconds)
                    process.kill()
        except (EOFError, OSError):
            process.join()
    process.close()
    return said


def snapshot(store: Store) -> tuple[Any, ...]:
    """All that a machine on disk holds."""
    state = store.state()
    residents = [described(each) for each in state.residents.values()]
    packages = {each.package: store.package(each.package) for each in state.residents.values()}
    events = [(event.kind, event.detail) for event in store.events()]
    return residents, state.owner.tolist(), state.flows.tolist(), state.next, packages, events


def operations(said: Sequence[Any]) -> Iterator[tuple[Requested, str | None]]:
    """What was begun, and the answer, None if there was none."""
    begun: Requested | None = None
    for what, _, value in said:
        if what == "try":
            begun = value
        elif what == "done" and begun is not None:
            yield begun, value
            begun = None
    if begun is not None:
        yield begun, None


def compare(path: Path, other: Path, packages: Packages, said: Sequence[Any], kills: Kills) -> None:
    """Do on the other machine what was done on this one, and say what this one is like."""
    with closing(Store(other)) as undisturbed, closing(Store(path, PATIENCE)) as store:
        manager = Manager(undisturbed)
        seen = snapshot(store)
        kind = "between"
        for requested, answer in operations(said):
            if answer is None:
                kind = "before" if snapshot(undisturbed) == seen else "after"
                if kind == "before":
                    continue
            again = perform(manager, packages, requested)
            if answer is not None and again != answer:
                kills.wrong.append(f"{requested}: '{answer}', undisturbed '{again}'")
        if snapshot(undisturbed) != seen:
            kind = "lost"
            kills.wrong.append(f"neither before nor after: {list(operations(said))[-1:]}")
        kills.found[kind] += 1
        unsound = list(findings(store))
        kills.wrong += unsound
        kills.found["unsound"] += bool(unsound)
        try:
            with store.changing():
                pass
        except SnnirError as error:
            kills.found["blocked"] += 1
            kills.wrong.append(str(error))


def kill_workers(
    folder: Path, platform: Platform, paths: Sequence[Path], count: int, rng: np.random.Generator
) -> Kills:
    """Kill so many processes that work on a machine, one after the other."""
    path, other = folder / "machine.db", folder / "undisturbed.db"
    for each in (path, other):
        Store.create(each, platform).close()
    packages, kills = Packages.load(paths), Kills()
    for number in range(count):
        moment = "commit" if number % 2 else "try"
        left = int(rng.integers(1, 6))

        def wait(what: str, moment: str = moment) -> float | None:
            nonlocal left
            left -= what == moment
            return None if left else kills.delay(moment, rng)

        said = killed(work, (path, paths, int(rng.integers(1 << 30))), wait)
        times = {what: at for what, at, _ in said[-2:]}
        for (what, at, _), (then, later, _) in pairwise(said):
            if what == "commit" and then == "done":
                kills.seconds["commit"].append(later - at)
        begun = [at for what, at, _ in said if what == "try"]
        ended = [at for what, at, _ in said if what == "done"]
        kills.seconds["try"] += [stop - start for start, stop in zip(begun, ended, strict=False)]
        kills.found["journal"] += path.with_name(path.name + "-journal").exists()
        kills.found["operations"] += len(ended)
        kills.found["in a commit"] += "commit" in times and "done" not in times
        compare(path, other, packages, said, kills)
    return kills


def kill_makers(folder: Path, platform: Platform, count: int, rng: np.random.Generator) -> Kills:
    """Kill so many processes that make a machine, each a new one."""
    kills = Kills()
    kills.seconds["start"] = [_seconds_to_create(folder / f"first{each}.db", platform) for each in range(5)]
    for number in range(count):
        path = folder / f"new{number}.db"
        said = killed(create, (path, platform), lambda what: kills.delay("start", rng) if what == "start" else None)
        times = {what: at for what, at, _ in said}
        if "done" in times:
            kills.seconds["start"].append(times["done"] - times["start"])
        kind = "after" if path.exists() else "before"
        if kind == "before" and "done" in times:
            kills.wrong.append(f"{path.name} was made, and is not there")
        kills.found[kind] += 1
        try:
            with closing(Store(path, PATIENCE) if path.exists() else Store.create(path, platform)) as store:
                kills.wrong += findings(store)
                with store.changing() as change:
                    assert not change.state.residents
        except SnnirError as error:
            kills.wrong.append(str(error))
    return kills


def _seconds_to_create(path: Path, platform: Platform) -> float:
    start = time.monotonic()
    Store.create(path, platform).close()
    return time.monotonic() - start


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compiled = compiled_packages(folder, 4, "unicast")
        paths = [folder / f"{each}.snnpkg" for each in compiled]
        platform = next(iter(compiled.values())).application.platform
        kills = kill_workers(folder, platform, paths, arguments.kills, rng)
        makers = kill_makers(folder, platform, arguments.kills, rng)
    columns = ["before", "after", "between", "lost", "unsound", "blocked"]
    print(f"{'killed in':12}{'kills':>7}" + "".join(f"{column:>9}" for column in columns))
    for title, each in (("operations", kills), ("create", makers)):
        row = "".join(f"{each.found[column]:9}" for column in columns)
        print(f"{title:12}{arguments.kills:7}{row}")
    print(f"{kills.found['operations']} operations had got an answer; {kills.found['in a commit']} kills hit a commit,")
    print(f"{kills.found['journal']} left a journal; {len(kills.wrong) + len(makers.wrong)} things were wrong")
    for wrong in (kills.wrong + makers.wrong)[:10]:
        print(wrong)
    return 1 if kills.wrong or makers.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
