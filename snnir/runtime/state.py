"""Who is on a machine: crossbars and their owners, flows on links, and what residents count on.

Crossbars belong to one application each. Links are shared: a link serves all flows that cross it in turn. The guarantee
of a resident holds as long as no link on its ways has more flows than its `room` there. So a newcomer is no danger to
anybody exactly when no link gets more flows than the least room of the residents that use it; see docs/runtime.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.runtime.floor import floor_of
from snnir.runtime.platform import Platform

Integers = NDArray[np.int64]

FREE, FAULTY, RESERVED = -1, -2, -3
"""What stands in place of a resident's number in `State.owner`."""
LISTED = 10
"""Applications that a message names."""
ENDLESS = 1 << 40
"""The room of a link that nobody counts on."""


class Unknown(SnnirError):
    """There is no such application on the machine, or no such crossbar."""


class Taken(SnnirError):
    """A crossbar belongs to an application, or is faulty."""


@dataclass(frozen=True, eq=False)
class Resident:
    """An application on a machine. `number`: as no other resident had one; `package`: the digest of its package.

    `crossbars[c]`: the crossbar of cluster c. It crosses `links` (ascending) with so many `flows` each, and its
    guarantee holds while they carry `room` flows at most, its own included. Step k of a run that begins at time t has
    arrived at the host by t + latency + k * period, in the platform's unit.
    """

    number: int
    name: str
    package: str
    crossbars: Integers
    links: Integers
    flows: Integers
    room: Integers
    period: Fraction
    latency: Fraction


@dataclass
class State:
    """The state of a machine. Its methods keep the invariant that `problems` checks, or change nothing."""

    platform: Platform
    owner: Integers
    """Of each crossbar the number of its resident, or `FREE`, `FAULTY`, `RESERVED`."""
    flows: Integers
    """Flows on each link."""
    residents: dict[str, Resident] = field(default_factory=dict[str, Resident])
    next: int = 0
    """The number of the next resident."""

    @staticmethod
    def of(platform: Platform) -> "State":
        """An empty machine."""
        links = floor_of(platform).links
        return State(platform, np.full(platform.crossbars, FREE, np.int64), np.zeros(links, np.int64))

    @property
    def room(self) -> Integers:
        """How many flows each link may have at most, so that all guarantees hold."""
        room = np.full(len(self.flows), ENDLESS, np.int64)
        for each in self.residents.values():
            room[each.links] = np.minimum(room[each.links], each.room)
        return room

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which crossbars are free."""
        return self.owner == FREE

    def resident(self, name: str) -> Resident:
        """The resident of that name."""
        if name not in self.residents:
            known = ", ".join(islice(self.residents, LISTED)) or "nobody"
            more = len(self.residents) - LISTED
            hint = f"there is {known}" + (f" and {more} more" if more > 0 else "")
            raise Unknown(name, "no application of this name is on the machine", hint)
        return self.residents[name]

    def add(self, resident: Resident) -> None:
        """Let an application in. Raises `SnnirError` when it would touch what belongs to others."""
        if resident.name in self.residents or resident.number != self.next:
            raise SnnirError(resident.name, "is on the machine already", "remove it before, or choose another name")
        if np.any(self.owner[resident.crossbars] != FREE):
            raise SnnirError(resident.name, "a crossbar that it would get is not free", "admit it again")
        after = self.flows[resident.links] + resident.flows
        if np.any(after > np.minimum(self.room[resident.links], resident.room)):
            raise SnnirError(resident.name, "a link would have more flows than guarantees allow", "admit it again")
        self.owner[resident.crossbars] = resident.number
        self.flows[resident.links] = after
        self.residents[resident.name] = resident
        self.next += 1

    def remove(self, name: str) -> Resident:
        """Free all that an application has."""
        resident = self.resident(name)
        del self.residents[name]
        self.flows[resident.links] -= resident.flows
        self.owner[self.owner == resident.number] = FREE
        return resident

    def mark(self, crossbar: int, owner: int) -> Resident | None:
        """Declare a crossbar `FAULTY`, `RESERVED` or `FREE` again; the resident that held it, which is removed."""
        if not self._exists(crossbar):
            most = len(self.owner) - 1
            raise SnnirError(str(crossbar), f"there is no such crossbar, only 0 to {most}", "see snnc machine show")
        holder = self.holder(crossbar)
        if holder is not None and owner != FAULTY:
            place, hint = self.named(crossbar), f"remove {holder.name} before"
            raise Taken(place, f"the crossbar belongs to {holder.name}", hint)
        if holder is not None:
            self.remove(holder.name)
        self.owner[crossbar] = owner
        return holder

    def holder(self, crossbar: int) -> Resident | None:
        """The resident that a crossbar belongs to."""
        number = int(self.owner[crossbar]) if self._exists(crossbar) else FREE
        return next((each for each in self.residents.values() if each.number == number), None)

    def is_faulty(self, crossbar: int) -> bool:
        """Whether a crossbar is marked as `FAULTY`."""
        return self._exists(crossbar) and self.owner[crossbar] == FAULTY

    def named(self, crossbar: int) -> str:
        """A crossbar as users name it: `X,Y,N`."""
        tile, within = divmod(crossbar, self.platform.machine.crossbars_per_tile)
        return ",".join(map(str, (*floor_of(self.platform).tile(tile), within)))

    def _exists(self, crossbar: int) -> bool:
        return 0 <= crossbar < len(self.owner)

    def copy(self) -> "State":
        """A state that changes by itself."""
        return State(self.platform, self.owner.copy(), self.flows.copy(), dict(self.residents), self.next)


def problems(state: State) -> Iterator[str]:
    """What contradicts what in a state; nothing when it is sound."""
    flows, owner = np.zeros_like(state.flows), np.full_like(state.owner, FREE)
    numbers = {each.number for each in state.residents.values()}
    if len(numbers) != len(state.residents) or any(number >= state.next for number in numbers):
        yield "two residents have one number, or one has a number that was not given yet"
    for name, each in state.residents.items():
        if name != each.name:
            yield f"{each.name} is listed as {name}"
        if len(np.unique(each.crossbars)) != len(each.crossbars) or np.any(owner[each.crossbars] != FREE):
            yield f"{name} has a crossbar twice, or one that belongs to another"
        if np.any(np.diff(each.links) <= 0) or np.any(each.flows < 1):
            yield f"the links of {name} are not in order, or it has no flow on one of them"
        owner[each.crossbars] = each.number
        flows[each.links] += each.flows
    held = owner != FREE
    if np.any(state.owner[held] != owner[held]):
        yield "a crossbar of a resident is marked as another's"
    if np.any(~np.isin(state.owner[~held], (FREE, FAULTY, RESERVED))):
        yield "a crossbar is marked as a resident's that does not have it"
    if np.any(flows != state.flows):
        yield "the flows on a link are not those of the residents"
    floor = floor_of(state.platform)
    for link in np.flatnonzero(flows > state.room).tolist():
        yield f"{floor.name(link)} has {flows[link]} flows, a guarantee allows {state.room[link]}"
