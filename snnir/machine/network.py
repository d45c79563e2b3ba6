"""The links between tiles and the host: flows of flits, served round-robin, exactly and in few operations per token.

A link serves one flit at a time and is busy for `flit` units with it. Two facts keep the simulation exact without an
event per flit and link:

* Flits leave a link at least `flit` apart. A link all of whose flows come from one and the same link before it
  therefore never makes a flit wait: it is a constant delay. Only the inject links and links where ways merge are
  *servers*, and an inject link with a single flow needs no arbitration.
* What happens at a server up to a time h follows from the arrivals before h, so all servers can be advanced to a
  *horizon* before which no arrival is missing, each after those that feed it. Between two arrivals of other flows a
  server goes round the same flows again and again; such rounds are served at once, as *runs* of flits that are
  equally far apart.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from itertools import pairwise

from snnir.machine.parts import Configuration, Flow, Tile

_NEVER = 1 << 63


@dataclass(frozen=True)
class Link:
    """One link: its name, and the time `hop` that a flit needs after it to reach the next router."""

    name: str
    hop: int


def links_of(configuration: Configuration, flow: Flow) -> list[Link]:
    """The links that a flow crosses, from its inject link to its eject link."""
    time = configuration.machine.time
    start = "host" if flow.source not in configuration.home else _name(flow.path[0])
    end = "host" if flow.to == "host" else _name(flow.path[-1])
    between = [
        Link(f"{_name(a)} -> {_name(b)}", time.hop_x if a[0] != b[0] else time.hop_y) for a, b in pairwise(flow.path)
    ]
    return [Link(f"inject {start}", 0), *between, Link(f"eject {end}", 0)]


def _name(tile: Tile) -> str:
    return f"({tile[0]}, {tile[1]})"


class _Port:
    """The queue of one flow at one server, as runs `[first arrival, spacing, flits]`, and where its flits go then."""

    __slots__ = ("before", "head", "lag", "runs", "server", "target")

    def __init__(self, server: "_Server", before: str) -> None:
        self.server = server
        self.before = before
        """The link that the flits come from; "" when whole tokens come from a slice or an input."""
        self.runs: deque[list[int]] = deque()
        self.head = _NEVER
        """The first arrival that is queued."""
        self.target: _Port | _Arrivals
        """Where flits go from here: the next server of the flow, or its destination."""
        self.lag = 0
        """Time from the end of service here to the arrival at `target`."""

    def accept(self, first: int, spacing: int, flits: int) -> None:
        """Queue a run; runs that continue each other become one."""
        if self.runs:
            last = self.runs[-1]
            gap = first - last[0] - (last[2] - 1) * last[1]
            if last[2] == 1 and (flits == 1 or spacing == gap):
                last[1], last[2] = gap, flits + 1
                return
            if gap == last[1] and (flits == 1 or spacing == gap):
                last[2] += flits
                return
        else:
            self.head = first
            self.server.head = min(self.server.head, first)
        self.runs.append([first, spacing, flits])

    def serve(self, end: int, period: int, flits: int) -> None:
        """Take so many flits of the first run and pass them on; the first one ends at `end`, then one per period."""
        run = self.runs[0]
        if run[2] == flits:
            self.runs.popleft()
            self.head = self.runs[0][0] if self.runs else _NEVER
        else:
            self.head = run[0] = run[0] + flits * run[1]
            run[2] -= flits
        self.target.accept(end + self.lag, period, flits)

    def pass_on(self, limit: int, flit: int) -> int:
        """Serve all flits that arrive before `limit` when they arrive; the last such arrival, or -1."""
        last = -1
        while (first := self.head) < limit:
            _, spacing, flits = self.runs[0]
            served = flits if flits == 1 else min(flits, (limit - 1 - first) // spacing + 1)
            last = first + (served - 1) * spacing
            self.serve(first + flit, spacing, served)
        return last


class _Arrivals:
    """Counts the flits of one flow at its destination and notes when each token is complete."""

    __slots__ = ("awaited", "deliver", "times")

    def __init__(self, times: list[int], deliver: Callable[[], None]) -> None:
        self.awaited: deque[int] = deque()
        self.times = times
        self.deliver = deliver

    def accept(self, first: int, spacing: int, flits: int) -> None:
        awaited = self.awaited
        while flits:
            left = awaited[0]
            if flits < left:
                awaited[0] = left - flits
                return
            awaited.popleft()
            self.times.append(first + (left - 1) * spacing)
            self.deliver()
            first += left * spacing
            flits -= left


class _Server:
    """A link where flits may have to wait; `turn` is the port that is asked first."""

    __slots__ = ("_alike", "_orders", "_others", "flit", "free", "head", "ports", "turn")

    def __init__(self, flit: int) -> None:
        self.flit = flit
        self.free = 0
        self.head = _NEVER
        """The earliest arrival that is queued."""
        self.turn = 0
        self.ports: list[_Port] = []
        self._orders: list[list[int]] = []
        """All ports in the order in which they are asked, for each `turn`."""
        self._alike: list[list[int]] = []
        """For each port those whose flits come from the same link, itself included; none at an inject link."""
        self._others: list[list[int]] = []

    def complete(self) -> None:
        """Prepare for service: all ports are there."""
        numbers = range(len(self.ports))
        self._orders = [[*numbers[turn:], *numbers[:turn]] for turn in numbers]
        for port in self.ports:
            alike = [number for number in numbers if port.before and self.ports[number].before == port.before]
            self._alike.append(alike)
            self._others.append([number for number in numbers if number not in alike])

    def advance(self, horizon: int) -> None:
        """Serve all flits that start before the horizon; all arrivals before it must be queued."""
        while self.free < horizon:
            heads = [port.head for port in self.ports]
            self.head = earliest = min(heads)
            if earliest >= horizon:
                return
            if earliest < self.free or not self._serve_on_arrival(heads, earliest, horizon):
                self._serve_in_turn(heads, max(self.free, earliest), horizon)

    def _serve_on_arrival(self, heads: Sequence[int], earliest: int, horizon: int) -> bool:
        """Serve what comes from one link while nothing comes from others: at least `flit` apart, so that none waits."""
        first = heads.index(earliest)
        limit = min([horizon, *[heads[number] for number in self._others[first]]])
        if earliest >= limit:
            return False
        latest = -1
        for number in self._alike[first]:
            if heads[number] < limit and (arrival := self.ports[number].pass_on(limit, self.flit)) > latest:
                latest, self.turn = arrival, number + 1
        self.turn %= len(heads)
        self.free = latest + self.flit
        return True

    def _serve_in_turn(self, heads: Sequence[int], now: int, horizon: int) -> None:
        """Serve rounds of the flows that have flits waiting, until the next flow joins them or one of them runs dry."""
        flit, ports = self.flit, self.ports
        active = [number for number in self._orders[self.turn] if heads[number] <= now]
        limit = min([horizon, *[head for head in heads if head > now]])
        period = len(active) * flit
        # Flits that can start before the limit: whole rounds, or the beginning of one.
        room = (limit - 1 - now) // flit + 1
        rounds = room // len(active)
        start = now
        for number in active:
            first, spacing, flits = ports[number].runs[0]
            rounds = min(rounds, flits)
            if spacing > period:
                rounds = min(rounds, (start - first) // (spacing - period) + 1)
            start += flit
        if not rounds:
            rounds, active = 1, active[:room]
        end = now
        for number in active:
            end += flit
            ports[number].serve(end, period, rounds)
        self.free = end + (rounds - 1) * period
        self.turn = (active[-1] + 1) % len(heads)


class Network:
    """All links with their queues. Tokens go in by `send`; `advance` moves flits on as far as is certain.

    `ways` are the links that each flow crosses; the order of the flows is the order of the rounds. `arrivals[flow]`
    is the list of times at which the flow's tokens are complete at their destination, in order; `deliver(flow)` is
    called after each.
    """

    def __init__(self, ways: Sequence[Sequence[Link]], flit: int, deliver: Callable[[int], None]) -> None:
        self.flit = flit
        self.arrivals: list[list[int]] = [[] for _ in ways]
        self._deliver = deliver
        self._servers: dict[str, _Server] = {}
        self._shared: list[_Server] = []
        self._first: list[tuple[_Server, _Port]] = []
        self._ends: list[_Arrivals] = []
        self._hops = [sum(link.hop for link in way) for way in ways]
        if self.flit:
            self._build(ways)

    def _build(self, ways: Sequence[Sequence[Link]]) -> None:
        waiting = _links_that_wait(ways)
        for number, way in enumerate(ways):
            ends = _Arrivals(self.arrivals[number], partial(self._deliver, number))
            ports: list[_Port] = []
            previous = ""
            for link in way:
                if link.name in waiting:
                    server = self._servers.setdefault(link.name, _Server(self.flit))
                    port = _Port(server, previous)
                    server.ports.append(port)
                    if ports:
                        ports[-1].target = port
                    else:
                        self._first.append((server, port))
                    ports.append(port)
                else:
                    ports[-1].lag += self.flit
                ports[-1].lag += link.hop
                previous = link.name
            ports[-1].target = ends
            self._ends.append(ends)
        order = _upstream_first([[link.name for link in way if link.name in waiting] for way in ways])
        self._shared = [self._servers[name] for name in order if len(self._servers[name].ports) > 1]
        for server in self._shared:
            server.complete()

    def send(self, flow: int, time: int, flits: int) -> None:
        """A token of so many flits, end-of-step marker included, enters the inject link; times must not decrease."""
        if not self.flit:
            self.arrivals[flow].append(time + self._hops[flow])
            self._deliver(flow)
            return
        self._ends[flow].awaited.append(flits)
        server, port = self._first[flow]
        if len(server.ports) > 1:
            port.accept(time, 0, flits)
            return
        start = max(server.free, time)
        server.free = start + flits * self.flit
        port.target.accept(start + self.flit + port.lag, self.flit, flits)

    def advance(self, lookahead: int) -> bool:
        """Serve what starts within `lookahead` of the earliest possible start; False when no flit is queued.

        `lookahead` (at least 1): no token that is not sent yet enters earlier than this after the start of service of
        the earliest flit.
        """
        start = min([max(server.head, server.free) for server in self._shared], default=_NEVER)
        if start == _NEVER:
            return False
        horizon = start + lookahead
        for server in self._shared:
            if server.head < horizon:
                server.advance(horizon)
        return True


def _links_that_wait(ways: Iterable[Sequence[Link]]) -> set[str]:
    """Inject links, and links whose flows come from more than one link."""
    before: dict[str, set[str]] = {}
    for way in ways:
        previous = ""
        for link in way:
            before.setdefault(link.name, set()).add(previous)
            previous = link.name
    return {name for name, links in before.items() if len(links) > 1 or "" in links}


def _upstream_first(chains: Iterable[Sequence[str]]) -> list[str]:
    """The servers in an order in which each comes after those that feed it; there is one as ways go in x, then in y."""
    graph: dict[str, list[str]] = {}
    for chain in chains:
        for number, name in enumerate(chain):
            graph.setdefault(name, []).extend(chain[number - 1 : number])
    return list(TopologicalSorter(graph).static_order())
