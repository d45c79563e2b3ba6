"""What can be done with a machine: applications come and go, crossbars fail and are repaired, all on disk at once."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from snnir.errors import SnnirError
from snnir.runtime.admission import Offer, Refused, Request, admit
from snnir.runtime.application import Application, Constraints
from snnir.runtime.package import Package, unpack
from snnir.runtime.state import FAULTY, FREE, RESERVED, Resident, State, Taken
from snnir.runtime.store import Store

LONGEST_NAME = 200


class Misnamed(SnnirError):
    """No application may have this name."""


@dataclass(frozen=True)
class Moved:
    """An application that had to leave its place. `offer`: where it is now; or `refusal`: why it is there no more."""

    name: str
    offer: Offer | None
    refusal: Refused | None


@dataclass(frozen=True)
class Migration:
    """A move that would make room, and its cost: crossbars to be programmed again, and cells in them."""

    offer: Offer
    before: Resident
    crossbars: int
    cells: int


class Manager:
    """A machine on disk. Every method is one transaction: done whole, or with an error and nothing changed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[str, Application] = {}

    def admit(self, package: Package, data: bytes, request: Request) -> Offer:
        """Admit an application; `data` are the bytes of its package. Raises `Refused`, or `Misnamed`."""
        check_name(request.name)
        # others need not wait for the analysis; mostly the place that it found is still free after it
        offer = admit(self.store.state(), package.application, package.digest, request)
        with self.store.changing() as change:
            try:
                offer = replace(offer, resident=replace(offer.resident, number=change.state.next))
                change.admit(offer.resident, data, asked(request))
            except SnnirError:
                offer = admit(change.state, package.application, package.digest, request)
                change.admit(offer.resident, data, asked(request))
        present = {each.package for each in change.state.residents.values()}
        self._known = {digest: each for digest, each in self._known.items() if digest in present}
        self._known[package.digest] = package.application
        return offer

    def remove(self, name: str) -> Resident:
        """Take an application from the machine."""
        with self.store.changing() as change:
            return change.remove(name)

    def fail(self, crossbar: int) -> Moved | None:
        """A crossbar has failed: what runs on it is admitted again elsewhere, if it can; None: nothing ran there."""
        with self.store.changing() as change:
            holder = change.state.holder(crossbar)
            if holder is None:
                change.mark(crossbar, FAULTY)
                return None
            application = self.application(holder.package)
            data, wanted = self.store.package(holder.package), self.store.request(holder.name)
            change.mark(crossbar, FAULTY)
            try:
                offer = admit(change.state, application, holder.package, request_of(holder.name, wanted))
            except Refused as refusal:
                return Moved(holder.name, None, refusal)
            change.admit(offer.resident, data, wanted)
            return Moved(holder.name, offer, None)

    def repair(self, crossbar: int) -> None:
        """A crossbar works again, or is no longer reserved."""
        with self.store.changing() as change:
            change.mark(crossbar, FREE)

    def reserve(self, crossbar: int) -> None:
        """Keep a free crossbar from being used. Raises `Taken` for one that is not free."""
        with self.store.changing() as change:
            if change.state.is_faulty(crossbar):
                fix = "nobody gets it until it is repaired"
                raise Taken(change.state.named(crossbar), "the crossbar is faulty", fix)
            change.mark(crossbar, RESERVED)

    def defragment(self, *, really: bool = True) -> list[Migration]:
        """Move applications to where their squares of tiles are smaller or nearer to the host, the largest ones first,
        with guarantees that are no worse; with `really` false, only say which ones.
        """
        moves: list[Migration] = []
        with self.store.changing() as change:
            scratch = change.state if really else change.state.copy()
            largest = sorted(scratch.residents.values(), key=lambda each: (-len(each.crossbars), each.number))
            for resident in largest:
                found = self._better(scratch, resident)
                if found is None:
                    continue
                moves.append(found)
                if really:
                    data, wanted = self.store.package(resident.package), self.store.request(resident.name)
                    change.remove(resident.name)
                    change.admit(found.offer.resident, data, wanted)
                else:
                    scratch.remove(resident.name)
                    scratch.add(found.offer.resident)
        return moves

    def package(self, digest: str) -> Package:
        """The package of an application that is on the machine."""
        return unpack(self.store.path, self.store.package(digest), checked=digest)

    def application(self, digest: str) -> Application:
        """The application of a package that is on the machine."""
        if digest not in self._known:
            self._known[digest] = self.package(digest).application
        return self._known[digest]

    def _better(self, state: State, resident: Resident) -> Migration | None:
        """A place that is better for the others, and no worse for the resident."""
        without = state.copy()
        without.remove(resident.name)
        application = self.application(resident.package)
        wanted = request_of(resident.name, self.store.request(resident.name))
        promised = 1 / resident.period
        try:
            offer = admit(without, application, resident.package, replace(wanted, tries=1))
        except Refused:
            return None
        if 1 / offer.resident.period < promised or offer.resident.latency > resident.latency:
            return None
        if spread(state, offer.resident) >= spread(state, resident):
            return None
        moved = int(np.count_nonzero(offer.resident.crossbars != resident.crossbars))
        machine = self.store.platform.machine
        return Migration(offer, resident, moved, moved * machine.rows * machine.columns)


def check_name(name: str) -> None:
    """A name stands in addresses, pictures and lines of text. Raises `Misnamed` for one that cannot."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name or name in (".", ".."):
        fix = f"give another name: 1 to {LONGEST_NAME} printable characters, no '/', not '.' or '..'"
        raise Misnamed(ascii(name[:LONGEST_NAME]), "an application cannot have this name", fix)


def spread(state: State, resident: Resident) -> tuple[int, int]:
    """How much of the machine a resident lies across: flows on links, all added up, and tiles of its square."""
    machine = state.platform.machine
    tiles = resident.crossbars // machine.crossbars_per_tile
    x, y = tiles % machine.mesh[0], tiles // machine.mesh[0]
    side = max(int(x.max() - x.min()), int(y.max() - y.min())) + 1
    return int(resident.flows.sum()), side


def asked(request: Request) -> dict[str, Any]:
    """A request as plain values."""
    wanted = request.constraints
    return {
        "throughput": None if wanted.throughput is None else str(wanted.throughput),
        "latency": None if wanted.latency is None else str(wanted.latency),
        "headroom": str(request.headroom),
        "tries": request.tries,
    }


def request_of(name: str, raw: dict[str, Any]) -> Request:
    """The request that `asked` gave. Raises `SnnirError` for anything else."""
    try:
        limits = [None if raw[key] is None else Fraction(raw[key]) for key in ("throughput", "latency")]
        return Request(name, Constraints(*limits), Fraction(raw["headroom"]), int(raw["tries"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise SnnirError(
            name, f"what was asked for it cannot be read ({error})", "remove it, and admit it again"
        ) from None
