"""Requests to a machine on disk, drawn at random, for the benchmarks that kill processes and let them compete."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from snnir.errors import SnnirError
from snnir.runtime.admission import Refused, Request
from snnir.runtime.application import Constraints
from snnir.runtime.manager import Manager
from snnir.runtime.package import Package, unpack
from snnir.runtime.state import FAULTY, RESERVED, State
from snnir.runtime.store import Busy
from snnir.runtime.trace import unit_of

MARKED = (FAULTY, RESERVED)


@dataclass(frozen=True)
class Requested:
    """`admit` or `remove` a name, `fail`, `repair` or `reserve` a crossbar. `package`: number of the one to admit."""

    kind: str
    name: str = ""
    package: int = 0
    part: Fraction = Fraction(1, 2)
    """Of the throughput that the package was compiled with."""
    crossbar: int = -1


@dataclass(frozen=True)
class Packages:
    """Packages with their bytes, by number."""

    members: tuple[tuple[Package, bytes], ...]

    @staticmethod
    def load(paths: Sequence[Path]) -> "Packages":
        """Read them from files."""
        return Packages(tuple((unpack(path, data), data) for path in paths for data in [path.read_bytes()]))


def draw(rng: np.random.Generator, state: State, name: str, packages: int, mine: Sequence[int]) -> Requested:
    """A request: an admission under `name`, or something else with what the asker has, the crossbars `mine` and the
    applications whose names begin as `name` does, up to a dot.

    Admissions prevail on an empty machine, removals on a full one.
    """
    prefix = name.partition(".")[0] + "."
    own = [each for each in state.residents if each.startswith(prefix)]
    kind = rng.random()
    if kind < 0.1:
        marked = [crossbar for crossbar in mine if state.owner[crossbar] in MARKED]
        if marked and rng.random() < 0.7:
            return Requested("repair", crossbar=int(rng.choice(marked)))
        return Requested("fail" if kind < 0.07 else "reserve", crossbar=int(rng.choice(mine)))
    if own and kind > 0.1 + 0.9 * float(np.mean(state.free)):
        return Requested("remove", own[int(rng.integers(len(own)))])
    part = Fraction(int(rng.integers(10, 60)), 100)
    return Requested("admit", name, int(rng.integers(packages)), part)


def request_for(packages: Packages, requested: Requested) -> Request:
    """What is asked of admission."""
    application = packages.members[requested.package][0].application
    wanted = requested.part / (application.period * unit_of(application.platform))
    return Request(requested.name, Constraints(wanted))


def perform(manager: Manager, packages: Packages, requested: Requested) -> str:
    """Do it; the answer in words, the same for the same state."""
    try:
        return _perform(manager, packages, requested)
    except Refused as refusal:
        return f"refused: {refusal.message}"
    except SnnirError as error:
        if isinstance(error, Busy) or "cannot be used" in error.message or "damaged" in error.message:
            raise
        return f"error: {error.message}"


def _perform(manager: Manager, packages: Packages, requested: Requested) -> str:
    match requested.kind:
        case "admit":
            package, data = packages.members[requested.package]
            offer = manager.admit(package, data, request_for(packages, requested))
            return f"admitted: period {offer.resident.period}, latency {offer.resident.latency}"
        case "remove":
            return f"removed: {len(manager.remove(requested.name).crossbars)} crossbars"
        case "fail":
            moved = manager.fail(requested.crossbar)
            if moved is None:
                return "failed: nobody was there"
            return f"failed: {moved.name} is {'gone' if moved.offer is None else 'elsewhere'}"
        case "repair":
            manager.repair(requested.crossbar)
            return "marked: free"
        case _:
            manager.reserve(requested.crossbar)
            return "marked: reserved"


def crossbars_of(platform_crossbars: int, rank: int, askers: int) -> range:
    """The crossbars that an asker may mark: nobody else marks them."""
    return range(rank, platform_crossbars, askers)
