"""Several processes admit, remove and mark crossbars on one machine at once: does everybody get an answer, a true one?

    python -m benchmarks.runtime_company [--processes 8] [--seconds 60] [--seed 0]

Each process asks for one thing after the other, and notes the answer, how long it took, and how many changes there had
been before and after. At the end the machine must be sound (`snnc machine fsck`), and its events, in their order, must
explain all answers: each request that changed something is one change, by the one that asked and with what was
answered, in the order in which that one asked; nothing else is a change; and what was refused is refused again, in the
same words, at some point between the changes before and after. The exit code is 1 if anything is not so.

    answers   `error`: a crossbar to reserve has an owner, or an application had to leave before it was removed;
              unanswered: the machine was in use for too long, for example
    wait      milliseconds until there was an answer
    waiting   seconds that the longest one took, of each process: whether anybody is kept waiting
"""

import argparse
import multiprocessing
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.runtime_replay import packages as compiled_packages
from benchmarks.runtime_requests import Packages, Requested, crossbars_of, draw, perform, request_for
from snnir.errors import SnnirError
from snnir.runtime.admission import Refused, Request, admit
from snnir.runtime.events import Event, rebuilt
from snnir.runtime.fsck import findings
from snnir.runtime.manager import Manager
from snnir.runtime.state import State
from snnir.runtime.store import Store

CHANGES = ("admitted", "removed", "failed", "marked")
"""How an answer begins when something was changed."""


@dataclass(frozen=True)
class Answered:
    """A request, its answer, seconds until then, and the numbers of the last change before and after."""

    requested: Requested
    answer: str
    seconds: float
    before: int
    after: int

    @property
    def kind(self) -> str:
        """The first word of the answer."""
        return self.answer.partition(":")[0]


def ask(
    path: Path, paths: Sequence[Path], rank: int, askers: int, seed: int, limit: float | int, to: Connection
) -> None:
    """Ask for one thing after the other, for `limit` seconds (float) or so many times (int); send all answers."""
    packages, rng = Packages.load(paths), np.random.default_rng([seed, rank])
    manager, said = Manager(Store(path)), list[Answered]()
    mine = crossbars_of(manager.store.platform.crossbars, rank, askers)
    package = packages.members[0][0]
    admit(State.of(manager.store.platform), package.application, package.digest, Request("first"))  # loads numba
    to.send("ready")
    to.recv()
    start = time.monotonic()
    while (len(said) if isinstance(limit, int) else time.monotonic() - start) < limit:
        name = f"p{rank}.{len(said)}"
        begun, before = time.monotonic(), manager.store.changes()
        try:
            requested = draw(rng, manager.store.state(), name, len(packages.members), mine)
            answer = perform(manager, packages, requested)
        except SnnirError as error:
            requested, answer = Requested("", name), f"ERROR: {error}"
        seconds = time.monotonic() - begun
        said.append(Answered(requested, answer, seconds, before, manager.store.changes()))
    to.send(said)


def company(path: Path, paths: Sequence[Path], askers: int, seed: int, limit: float | int) -> list[list[Answered]]:
    """So many processes that ask at once; the answers of each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.runtime_requests"])
    pipes: list[Connection] = []
    for rank in range(askers):
        here, there = context.Pipe()
        context.Process(target=ask, args=(path, paths, rank, askers, seed, limit, there)).start()
        there.close()
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()
    for pipe in pipes:
        pipe.send("go")
    return [pipe.recv() for pipe in pipes]


def contradictions(
    store: Store, packages: Packages, answers: Sequence[Sequence[Answered]], refusals: int
) -> Iterator[str]:
    """What the events of a machine do not explain; of so many refusals, drawn at random, whether they were right."""
    events = store.events()
    waiting = [deque(each for each in said if each.kind in CHANGES) for said in answers]
    state, last = State.of(store.platform), ""
    for event in events:
        name = event.detail.get("name", "")
        if name and name == last:  # moved, within the change that a failure is
            last = ""
        else:
            rank = int(name[1:].partition(".")[0]) if name else event.detail["crossbar"] % len(answers)
            each = waiting[rank].popleft() if waiting[rank] else None
            if each is None or not _explains(event, each):
                yield f"change {event.number}, {event.kind} {name}, is not what was asked for: {each}"
                return
            holder = state.holder(event.detail["crossbar"]) if event.kind == "mark" else None
            moved = holder is not None and each.answer.endswith("elsewhere")
            last = holder.name if holder is not None and moved else ""
        state = rebuilt(store.platform, [event], state)
    for rank, left in enumerate(waiting):
        if left:
            yield f"process {rank} got '{left[0].answer}' to {left[0].requested}, and there was no change"
    refused = [each for said in answers for each in said if each.kind == "refused"]
    chosen: list[int] = np.random.default_rng(0).permutation(len(refused))[:refusals].tolist()
    yield from _unfounded(store, packages, events, sorted((refused[n] for n in chosen), key=lambda each: each.before))


def _explains(event: Event, each: Answered) -> bool:
    """Whether a change is what was answered."""
    if not each.before < event.number <= each.after:
        return False
    detail, requested = event.detail, each.requested
    if event.kind == "admit":
        same = f"admitted: period {detail['period']}, latency {detail['latency']}" == each.answer
        return same and requested.name == detail["name"]
    if event.kind == "remove":
        return each.kind == "removed" and requested.name == detail["name"]
    marks = {"fail": "faulty", "repair": "free", "reserve": "reserved"}
    return requested.crossbar == detail["crossbar"] and marks.get(requested.kind) == detail["mark"]


def _unfounded(store: Store, packages: Packages, events: Sequence[Event], refused: Sequence[Answered]) -> Iterator[str]:
    """Refusals for which there is no reason in any state that there was at the time; `refused` in order of `before`."""
    first, base = 0, State.of(store.platform)
    for each in refused:
        base = rebuilt(store.platform, events[first : each.before], base)
        first = each.before
        package = packages.members[each.requested.package][0]
        state = base.copy()
        for number in range(each.before, each.after + 1):
            if number > each.before:
                state = rebuilt(store.platform, [events[number - 1]], state)
            try:
                admit(state, package.application, package.digest, request_for(packages, each.requested))
            except Refused as refusal:
                if f"refused: {refusal.message}" == each.answer:
                    break
        else:
            yield f"{each.requested} could have been admitted, and was {each.answer}"


def report(store: Store, packages: Packages, answers: Sequence[Sequence[Answered]], seconds: float) -> list[str]:
    """Print the table; what is wrong."""
    everything = [each for said in answers for each in said]
    kinds = Counter(each.kind for each in everything)
    waits = np.array([each.seconds for each in everything])
    wrong = [each.answer for each in everything if each.kind == "ERROR"]
    wrong += list(findings(store)) + list(contradictions(store, packages, answers, 300))
    milliseconds = 1e3 * np.quantile(waits, [0.5, 0.9, 0.99, 1])
    rows = {
        "requests": f"{len(everything):,} of {len(answers)} processes, {len(everything) / seconds:.1f} a second",
        "answers": ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items())),
        "unanswered": f"{kinds['ERROR']}",
        "wait, ms": "median {:.0f}, 90 % {:.0f}, 99 % {:.0f}, most {:.0f}".format(*milliseconds),
        "waiting, s": ", ".join(f"{max(each.seconds for each in said):.1f}" for said in answers),
        "each asked": ", ".join(f"{len(said):,}" for said in answers) + " times",
        "changes": f"{store.changes():,}",
        "wrong": f"{len(wrong)}",
    }
    for name, text in rows.items():
        print(f"{name:12}{text}")
    return wrong


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compiled = compiled_packages(folder, 8, "unicast")
        paths = [folder / f"{each}.snnpkg" for each in compiled]
        path = folder / "machine.db"
        Store.create(path, next(iter(compiled.values())).application.platform).close()
        answers = company(path, paths, arguments.processes, arguments.seed, arguments.seconds)
        with closing(Store(path)) as store:
            wrong = report(store, Packages.load(paths), answers, arguments.seconds)
    for each in wrong[:10]:
        print(each)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
