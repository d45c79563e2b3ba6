"""Admission: where an application can go on a machine as it is now, and what is guaranteed there."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import ceil

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.machine.parts import UNIT_SECONDS
from snnir.runtime.analysis import Graph, latency, names, self_timed, starts
from snnir.runtime.application import Application, Constraints
from snnir.runtime.binding import places
from snnir.runtime.bound import Bound, bound
from snnir.runtime.floor import Floor, floor_of
from snnir.runtime.kernels import later, spare
from snnir.runtime.state import Resident, State
from snnir.runtime.transport import Transport, fastest, within

Integers = NDArray[np.int64]

MOST_SPARE = 256
"""Spare flows of a link, at most."""
PARTS = ((4, False), (16, False), (4, True), (16, True))
"""What is tried as room: which part of the spare flows of links, and whether only of those that lie on ways to and from
the host, where others are most likely to pass."""
ROUNDS = 12
"""Rounds in which starts must settle where there is a choice; more are needed when hardly any period is shorter."""
STEPS = 4
"""Steps of self-timed execution, of the actor that comes last, against which a guarantee is checked."""


NOTHING = Constraints()
"""Whatever can be had."""


@dataclass(frozen=True)
class Request:
    """What is asked for: an application under a `name`, with `constraints` besides those of its package.

    `headroom`: the part of the throughput that may be given up for room on links, where no throughput is asked for.
    `tries`: at how many places it is tried.
    """

    name: str
    constraints: Constraints = NOTHING
    headroom: Fraction = Fraction(1, 20)
    tries: int = 4


@dataclass(frozen=True)
class Offer:
    """A place for an application, and what is guaranteed there. `critical`: what sets the throughput."""

    resident: Resident
    steps_per_second: Fraction
    latency_seconds: Fraction
    critical: tuple[str, ...]


class Refused(SnnirError):
    """An application cannot be admitted; `best`: the steps per second that could be guaranteed, if any."""

    def __init__(self, name: str, message: str, hint: str, best: Fraction | None = None) -> None:
        super().__init__(name, message, hint)
        self.best = best


def admit(state: State, application: Application, package: str, request: Request) -> Offer:
    """An offer for the state as it is, which is not changed: `State.add` takes the resident in.

    `package`: the digest of the application's package. Raises `Refused` with the resource or the cycle that stands in
    the way.
    """
    misfit = state.platform.misfit(application.platform)
    if misfit is not None:
        raise Refused(
            request.name, f"{application.name} cannot run on {state.platform.machine.name}: {misfit}", REBUILD
        )
    if request.name in state.residents:
        hint = "remove it before, or give another name"
        raise Refused(request.name, "an application of this name is on the machine", hint)
    asked = _strictest(application.constraints, request.constraints)
    refusal: Refused | None = None
    for each in _places(state, application, request):
        outcome = _offer(state, application, package, request, asked, each)
        if isinstance(outcome, Offer):
            return outcome
        if refusal is None or (outcome.best or 0) > (refusal.best or 0):
            refusal = outcome
    if refusal is None:
        count, free = len(application.clusters), int(np.count_nonzero(state.free))
        message = f"it needs {count} crossbars, {free} of {len(state.owner)} are free"
        raise Refused(request.name, message, "remove an application, or repair faulty crossbars")
    raise refusal


REBUILD = "compile it for this platform: snnc compile MODEL --platform FILE.toml -o BUILD --package FILE.snnpkg"


def _strictest(first: Constraints, second: Constraints) -> Constraints:
    throughputs = [each.throughput for each in (first, second) if each.throughput is not None]
    latencies = [each.latency for each in (first, second) if each.latency is not None]
    return Constraints(max(throughputs, default=None), min(latencies, default=None))


def _places(state: State, application: Application, request: Request) -> Iterator[Bound]:
    """The application bound to free crossbars, in several places."""
    floor, per_tile = floor_of(state.platform), state.platform.machine.crossbars_per_tile
    for chosen in islice(places(application, floor, state.free, per_tile), request.tries):
        yield bound(application, floor, chosen, per_tile, multicast=state.platform.multicast)


def _offer(
    state: State, application: Application, package: str, request: Request, asked: Constraints, found: Bound
) -> Offer | Refused:
    """What can be had in one place."""
    links = np.flatnonzero(found.flows)
    present = state.flows + found.flows
    full = links[present[links] > state.room[links]]
    if len(full):
        return _crowded(state, request.name, found.floor, int(full[0]), int(present[full[0]]))
    graph = Graph.of(found)
    base = fastest(graph, present)
    units = 1 / UNIT_SECONDS[state.platform.machine.time.unit]
    best = units / base.found.period if base.found.period else None
    period = ceil(base.found.period * (1 + request.headroom))
    if asked.throughput is not None:
        period = int(units / asked.throughput)
        if base.found.period > period:
            message = f"{float(asked.throughput):,.0f} steps/s cannot be guaranteed here, {float(best or 0):,.0f} can"
            critical = " -> ".join(names(graph, base.found.edges))
            return Refused(request.name, message, f"in the way is {critical}", best)
    period = max(period, 1)
    limit = None if asked.latency is None else int(asked.latency * units)
    chosen = _roomiest(graph, base, present, period, limit)
    if chosen is None:
        message = f"a latency of {float(asked.latency or 0):g} s cannot be guaranteed with this throughput"
        return Refused(request.name, message, "ask for less throughput, or for a longer latency", best)
    room, arrived = chosen
    resident = Resident(
        number=state.next,
        name=request.name,
        package=package,
        crossbars=found.crossbars,
        links=links,
        flows=found.flows[links],
        room=room[links],
        period=Fraction(period),
        latency=Fraction(arrived),
    )
    critical = tuple(names(graph, base.found.edges))
    return Offer(resident, units / period, Fraction(arrived) / units, critical)


def _crowded(state: State, name: str, floor: Floor, link: int, flows: int) -> Refused:
    room = int(state.room[link])
    holders = [each.name for each in state.residents.values() if room in each.room[each.links == link].tolist()]
    message = f"link {floor.name(link)} would have {flows} flows, the guarantee of {holders[0]} allows {room}"
    return Refused(name, message, f"remove {holders[0]}, or admit it again with a lower throughput")


def _roomiest(
    graph: Graph, base: Transport, present: Integers, period: int, limit: int | None
) -> tuple[Integers, int] | None:
    """The most room for later flows with which the period and the latency `limit` hold, and the latency then."""
    found = graph.bound
    more = spare(found.ways.begin, found.ways.links, found.flits, found.floor.times[0], present, period, MOST_SPARE)
    for part, hosted in (*PARTS, (0, False)):
        room = present + (np.where(found.hosted, more, 0) if hosted else more) // part if part else present
        times = graph.times(*(within(found, room, period) if part else (base.send, base.carry)))
        if base.found.ratio(graph, times) > period:
            continue
        start = starts(graph, times, period, ROUNDS if part else graph.size + 1)
        if start is None:
            continue
        arrived = latency(graph, start, period)
        if limit is None or arrived <= limit:
            _check(graph, times, start, period)
            return room, arrived
    return None


def _check(graph: Graph, times: Integers, start: Integers, period: int) -> None:
    """Self-timed execution must not be later than the guarantee, which comes from another computation."""
    steps = int(graph.lag.max(initial=0)) + STEPS
    if later(self_timed(graph, times, steps), start, period, graph.lag):
        raise AssertionError("self-timed execution is later than the guarantee")
