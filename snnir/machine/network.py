"""The links between tiles and the host: flows of flits, served round-robin, exactly and in few operations per token.

A link serves one flit at a time and is busy with it for the link's `flit` units. Where the ways of a flow part, its
flits are copied: each copy goes on as if it were the only one. Two facts keep the simulation exact without an event per
flit and link:

* Flits leave a link at least `flit` apart. A link all of whose flows come from one and the same link before it, which
  is not faster, therefore never makes a flit wait: it is a constant delay. Only the inject links, links where ways
  merge and links behind a faster one are *servers*, and an inject link with a single flow needs no arbitration.
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

from snnir.machine.parts import Configuration, Flow, Tile
from snnir.machine.topology import link_time, steps

_NEVER = 1 << 63


@dataclass(frozen=True)
class Link:
    """One link: its name, for how long it is busy with a flit, and the time `hop` that the flit needs after it to reach
    the next router."""

    name: str
    flit: int
    hop: int


@dataclass(frozen=True)
class Way:
    """The links of a flow: a tree, or a line where the flow has one destination."""

    links: tuple[Link, ...]
    """Each after the one that it comes from; the first is the inject link."""
    before: tuple[int, ...]
    """For each link the number of the one that it comes from; -1 for the first."""
    ends: tuple[int, ...]
    """For each destination the number of the link that leads to it, its eject link."""


def way_of(configuration: Configuration, flow: Flow) -> Way:
    """The links that a flow crosses, from its inject link to its eject links."""
    machine = configuration.machine
    source = "host" if flow.source not in configuration.home else router_name(flow.branches[0][0])
    links, before, ends = [Link(f"inject {source}", machine.time.flit, 0)], [-1], list[int]()
    reached = {flow.branches[0][0]: 0}
    """For each router the link by which flits come to it."""
    for to, branch in zip(flow.to, flow.branches, strict=True):
        for a, b in steps(branch):
            before.append(reached[a])
            reached[b] = len(links)
            links.append(Link(f"{router_name(a)} -> {router_name(b)}", *link_time(machine, a, b)))
        before.append(reached[branch[-1]])
        ends.append(len(links))
        links.append(Link(f"eject {'host' if to == 'host' else router_name(branch[-1])}", machine.time.flit, 0))
    return Way(tuple(links), tuple(before), tuple(ends))


def router_name(tile: Tile) -> str:
    return f"({tile[0]}, {tile[1]})"


class _Port:
    """The queue of one flow at one server, as runs `[first arrival, spacing, flits]`, and where its flits go then."""

    __slots__ = ("before", "head", "lag", "runs", "server", "target")

    def __init__(self, server: "_Server", before: str) -> None:
        self.server = server
        self.before = before
        """The link that the flits come from, at least `flit` of the server apart; "" when they come closer together:
        from a faster link, or as whole tokens from a slice or an input."""
        self.runs: deque[list[int]] = deque()
        self.head = _NEVER
        """The first arrival that is queued."""
        self.target: _Target
        """Where flits go from here: the next server of the flow, or its destination, or several of these."""
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


class _Fork:
    """Where the ways of a flow part: flits go on to each target, so much later."""

    __slots__ = ("targets",)

    def __init__(self, targets: "Sequence[tuple[_Target, int]]") -> None:
        self.targets = targets

    def accept(self, first: int, spacing: int, flits: int) -> None:
        for target, lag in self.targets:
            target.accept(first + lag, spacing, flits)


class _Arrivals:
    """Counts the flits of one flow at one destination and notes when each token is complete."""

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


_Target = _Port | _Fork | _Arrivals


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
        """For each port those whose flits come from the same link, itself included; none where flits come closer
        together than `flit`."""
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

    `ways` are the links of each flow; the order of the flows is the order of the rounds. The destinations of all flows
    are numbered one flow after the other, see `ends`: `arrivals[end]` is the list of times at which tokens are complete
    at a destination, in order; `deliver(end)` is called after each.
    """

    def __init__(self, ways: Sequence[Way], deliver: Callable[[int], None]) -> None:
        self.ends: list[range] = []
        """For each flow the numbers of its destinations."""
        for way in ways:
            start = self.ends[-1].stop if self.ends else 0
            self.ends.append(range(start, start + len(way.ends)))
        count = self.ends[-1].stop if self.ends else 0
        self.arrivals: list[list[int]] = [[] for _ in range(count)]
        self._deliver = deliver
        self._servers: dict[str, _Server] = {}
        self._shared: list[_Server] = []
        self._first: list[tuple[_Server, _Port]] = []
        self._counters = [_Arrivals(times, partial(deliver, end)) for end, times in enumerate(self.arrivals)]
        self._hops = [hops for way in ways for hops in _hops(way)]
        self._instant = not any(link.flit for way in ways for link in way.links)
        """Whether no link takes time for a flit; else all do."""
        if not self._instant:
            self._build(ways)

    def _build(self, ways: Sequence[Way]) -> None:
        waiting = _links_that_wait(ways)
        for way, ends in zip(ways, self.ends, strict=True):
            self._add(way, [self._counters[end] for end in ends], waiting)
        chains: dict[str, set[str]] = {}
        for way in ways:
            for name, feeding in _fed_by(way, waiting):
                chains.setdefault(name, set()).update(feeding)
        entrances = {id(server) for server, _ in self._first}
        order = [self._servers[name] for name in TopologicalSorter(chains).static_order()]
        self._shared = [server for server in order if len(server.ports) > 1 or id(server) not in entrances]
        for server in self._shared:
            server.complete()

    def _add(self, way: Way, counters: Sequence[_Arrivals], waiting: set[str]) -> None:
        """A port for the flow at each server that it crosses, and what is between them."""
        ports: list[_Port] = []
        onward: list[list[tuple[_Target, int]]] = []
        """For each port where its flits go from there, and how much later they arrive."""
        origin: list[tuple[int, int]] = []
        """For each link the port where its flits were served last, and how much later they reach the next link."""
        for link, before in zip(way.links, way.before, strict=True):
            if link.name not in waiting:
                port, lag = origin[before]
                origin.append((port, lag + link.flit + link.hop))
                continue
            server = self._servers.setdefault(link.name, _Server(link.flit))
            spaced = before >= 0 and way.links[before].flit >= link.flit
            made = _Port(server, way.links[before].name if spaced else "")
            server.ports.append(made)
            if before >= 0:
                port, lag = origin[before]
                onward[port].append((made, lag))
            origin.append((len(ports), link.hop))
            ports.append(made)
            onward.append([])
        for end, counter in zip(way.ends, counters, strict=True):
            port, lag = origin[end]
            onward[port].append((counter, lag))
        for port, targets in zip(ports, onward, strict=True):
            port.target, port.lag = targets[0] if len(targets) == 1 else (_Fork(targets), 0)
        self._first.append((ports[0].server, ports[0]))

    def send(self, flow: int, time: int, flits: int) -> None:
        """A token of so many flits, end-of-step marker included, enters the inject link; times must not decrease."""
        if self._instant:
            for end in self.ends[flow]:
                self.arrivals[end].append(time + self._hops[end])
                self._deliver(end)
            return
        for end in self.ends[flow]:
            self._counters[end].awaited.append(flits)
        server, port = self._first[flow]
        if len(server.ports) > 1:
            port.accept(time, 0, flits)
            return
        start = max(server.free, time)
        server.free = start + flits * server.flit
        port.target.accept(start + server.flit + port.lag, server.flit, flits)

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


def _hops(way: Way) -> list[int]:
    """The hops on the way to each destination, added up."""
    total: list[int] = []
    for link, before in zip(way.links, way.before, strict=True):
        total.append(link.hop + (total[before] if before >= 0 else 0))
    return [total[end] for end in way.ends]


def _links_that_wait(ways: Iterable[Way]) -> set[str]:
    """Inject links, links whose flows come from more than one link, and links behind a faster one."""
    sources: dict[str, set[str]] = {}
    waiting: set[str] = set()
    for way in ways:
        for link, before in zip(way.links, way.before, strict=True):
            if before < 0 or way.links[before].flit < link.flit:
                waiting.add(link.name)
            else:
                sources.setdefault(link.name, set()).add(way.links[before].name)
    return waiting | {name for name, links in sources.items() if len(links) > 1}


def _fed_by(way: Way, waiting: set[str]) -> list[tuple[str, list[str]]]:
    """Each server of a way with the server that feeds it, if one does.

    Over all ways there are no cycles of servers that feed each other: ways go in x, then in y, or up, then down.
    """
    last: list[str] = []
    """For each link the last server up to it, itself included."""
    found: list[tuple[str, list[str]]] = []
    for link, before in zip(way.links, way.before, strict=True):
        if link.name in waiting:
            found.append((link.name, [last[before]] if before >= 0 else []))
        last.append(link.name if link.name in waiting else last[before])
    return found
