"""Applications and architectures for the tests of snnir.schedule, and executions of bound graphs by counting tokens."""

from collections.abc import Mapping
from fractions import Fraction
from heapq import heappop, heappush
from math import gcd

from hypothesis import strategies as st

from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.schedule.application import Application, Transport
from snnir.schedule.architecture import Architecture, Connection, Tile
from snnir.schedule.bound import BoundGraph


@st.composite
def applications(draw: st.DrawFn, most: int = 6) -> Application:
    """Live graphs: channels back hold an iteration, and so does every buffer beside its initial tokens."""
    count = draw(st.integers(1, most))
    firings = [draw(st.sampled_from((1, 1, 1, 2, 3))) for _ in range(count)]
    actors = [Actor(f"a{n}", draw(st.integers(0 if n else 1, 9))) for n in range(count)]
    channels: list[Channel] = []
    transports: list[Transport] = []
    for _ in range(draw(st.integers(0, 2 * count))):
        source, target = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
        common = gcd(firings[source], firings[target])
        produce, consume = firings[target] // common, firings[source] // common
        each = produce * firings[source]
        least = 0 if source < target else 1
        tokens = each * draw(st.integers(least, least + 1))
        room = draw(st.none() | st.integers(1, 2))
        channels.append(Channel(f"a{source}", f"a{target}", produce, consume, tokens, room and tokens + room * each))
        split = draw(st.booleans())
        transports.append(
            Transport(
                draw(st.integers(0, 20)),
                draw(st.none() | st.fractions(Fraction(1, 2), 5, max_denominator=3)),
                tokens + each if split else None,
                each if split else None,
            )
        )
    return Application(SDFGraph(tuple(actors), tuple(channels)), {}, tuple(transports))


@st.composite
def architectures(draw: st.DrawFn, wheels: bool = True) -> Architecture:
    """Up to four tiles, each with a connection to every other."""
    names = [f"t{n}" for n in range(draw(st.integers(1, 4)))]
    width = st.none() | st.integers(1, 10)
    tiles = [
        Tile(name, "p", draw(st.sampled_from((2, 3, 4, 6))) if wheels else None, None, None, draw(width), draw(width))
        for name in names
    ]
    pairs = [(a, b) for a in names for b in names if a != b]
    ways = [Connection(f"{a}.{b}", a, b, draw(st.integers(0, 5))) for a, b in pairs]
    return Architecture("random", tuple(tiles), tuple(ways))


@st.composite
def deployments(draw: st.DrawFn) -> tuple[Application, Architecture, dict[str, str], dict[str, int]]:
    """An application, an architecture, a binding, and slices."""
    application, architecture = draw(applications()), draw(architectures())
    tiles = st.sampled_from([tile.name for tile in architecture.tiles])
    binding = {actor.name: draw(tiles) for actor in application.graph.actors}
    slices = {tile.name: draw(st.integers(1, tile.wheel)) for tile in architecture.tiles if tile.wheel}
    return application, architecture, binding, slices


class Run:
    """A bound graph with orders in execution, by counting tokens, from event to event."""

    def __init__(self, bound: BoundGraph, phases: Mapping[str, int] | None = None) -> None:
        """`phases`: tile -> where its wheel stands at time 0, at the beginning of the pause if nothing is said."""
        self.bound = bound
        self.phases = phases or {}
        self.tokens = [channel.tokens for channel in bound.graph.channels]
        self.turns = {tile: list(order) for tile, order in bound.orders.items()}
        self.busy: set[str] = set()
        self.running: list[tuple[int, str]] = []
        channels = list(enumerate(bound.graph.channels))
        names = [actor.name for actor in bound.graph.actors]
        self.inputs = {name: [(n, c.consumed[0]) for n, c in channels if c.target == name] for name in names}
        self.outputs = {name: [(n, c.produced[0]) for n, c in channels if c.source == name] for name in names}

    def ends(self, count: int) -> dict[str, list[int]]:
        """When the firings of every actor end, so many iterations of each."""
        found: dict[str, list[int]] = {actor.name: [] for actor in self.bound.graph.actors}
        self.left: dict[str, int] = {name: count * self.bound.firings[name] for name in found}
        now = 0
        while any(self.left.values()) or self.running:
            while self._start(now):
                pass
            now = self.running[0][0]
            _, name = heappop(self.running)
            found[name].append(now)
            self._end(name)
        return found

    def _start(self, now: int) -> bool:
        """Starts one firing that can start."""
        for actor in self.bound.graph.actors:
            name, tile = actor.name, self.bound.binding.get(actor.name)
            # who shares a tile with others is held back by its turn, connections by themselves
            held = name in self.busy if tile is None else tile in self.busy or self.turns[tile][0] != name
            if (
                not self.left[name]
                or (held and actor.concurrency is not None)
                or any(self.tokens[n] < rate for n, rate in self.inputs[name])
            ):
                continue
            for n, rate in self.inputs[name]:
                self.tokens[n] -= rate
            self.busy.add(tile or name)
            self.left[name] -= 1
            own = self.bound.slice_of(name)
            phase = self.phases.get(tile or "", 0)
            end = own.end(now + phase, actor.times[0]) - phase if own else now + actor.times[0]
            heappush(self.running, (end, name))
            return True
        return False

    def _end(self, name: str) -> None:
        for n, rate in self.outputs[name]:
            self.tokens[n] += rate
        tile = self.bound.binding.get(name)
        self.busy.discard(tile or name)
        if tile is not None:
            self.turns[tile].append(self.turns[tile].pop(0))
