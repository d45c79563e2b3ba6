"""All bindings of an application to an architecture: one graph that holds whatever any of them needs.

The model is that of SDF3's flow for multiprocessors (Stuijk, PhD thesis, TU Eindhoven, 2007, chapter 7). An actor takes
the time of its tile's type of processor, one firing at a time. A channel between tiles goes over a connection actor,
which takes delay + ceil(size / bandwidth) a token, one token at a time, from a buffer on the one tile to a buffer on
the other; room is claimed when tokens set out for a buffer and given back when they have left it.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.graph import Integers
from snnir.maxplus.sdf import Actor, Channel, Phases, SDFGraph, repetition_vector
from snnir.schedule.application import Application, Option, Transport
from snnir.schedule.architecture import Architecture, ScheduleError

ALWAYS, LOCAL, CROSSING = range(3)
"""When a channel of the full graph is there: whatever the binding, when both ends share a tile, when they do not."""

UNBOUND = -1

Binding = Mapping[str, str]
"""Actor -> tile. Actors that are not in it are the environment: they share nothing, and nothing travels to them."""


class Deployment:
    """The graph of an application with everything that a binding may add, and what a given binding makes of it.

    `graph` has the actors of the application first, then a connection actor for each channel that can cross and, if
    `waits`, one that waits for the slice of the receiver. `when[c]`: when channel c of `graph` is there; `origin[c]`:
    the channel of the application that it belongs to. Within the package bindings are vectors: the tile of each actor
    of the application, or -1 (`vector`, `names`).
    """

    def __init__(self, application: Application, architecture: Architecture, *, waits: bool = False) -> None:
        self.application = application
        self.architecture = architecture
        self.carriers: dict[int, int] = {}
        """Channel of the application -> its connection actor."""
        self.waiters: dict[int, int] = {}
        """Channel of the application -> the actor that waits for the receiver's slice."""
        self.blocks: dict[int, int] = {}
        """Channel of the application -> how many tokens a firing of its connection actor takes."""
        self.delays = _delays(architecture)
        self._far = bool((self.delays > 0).any())
        self._prepare(waits)
        index = application.graph.index
        channels = application.graph.channels
        self.sources: Integers = np.array([index[channel.source] for channel in channels], np.int64)
        self.targets: Integers = np.array([index[channel.target] for channel in channels], np.int64)
        self.sizes: Integers = np.array([way.size for way in application.transports], np.int64)
        reserved = [-1 if w.bandwidth is None else ceil(w.size / Fraction(w.bandwidth)) for w in application.transports]
        self.reserved: Integers = np.array(reserved, np.int64)
        repetition = repetition_vector(SDFGraph(application.graph.actors, channels))
        passed = [repetition[c.source] * sum(c.produced) // len(c.produced) for c in channels]
        self.passed: Integers = np.array(passed, np.int64)
        tiles = architecture.tiles
        self.ports: tuple[Integers, Integers] = (
            np.array([tile.output_bandwidth or 0 for tile in tiles], np.int64),
            np.array([tile.input_bandwidth or 0 for tile in tiles], np.int64),
        )

    def _prepare(self, waits: bool) -> None:
        application = self.application
        actors: list[Actor] = list(application.graph.actors)
        channels: list[Channel] = []
        origin: list[int] = []
        when: list[int] = []

        def add(parts: Iterator[tuple[int, Channel]]) -> None:
            for kind, part in parts:
                channels.append(part)
                origin.append(number)
                when.append(kind)

        for number, (channel, way) in enumerate(zip(application.graph.channels, application.transports, strict=True)):
            add(_plain(channel, way))
            if channel.source == channel.target or not (waits or way.size or way.source_room is not None or self._far):
                continue
            self.carriers[number] = len(actors)
            self.blocks[number] = _block(channel, way)
            stops = [f"connection {number}"]
            actors.append(Actor(stops[0], 0))
            if waits:
                self.waiters[number] = len(actors)
                stops.append(f"wait {number}")
                actors.append(Actor(stops[1], 0, concurrency=None))
            add(_crossing(channel, way, self.blocks[number], stops))
        self.graph = SDFGraph(tuple(actors), tuple(channels))
        self.origin: Integers = np.array(origin, np.int64)
        self.when: Integers = np.array(when, np.int64)

    def vector(self, binding: Binding) -> Integers:
        """The tile of each actor; `ScheduleError` for unknown actors and tiles."""
        tiles = np.full(len(self.application.graph.actors), UNBOUND, np.int64)
        for actor, tile in binding.items():
            if actor not in self.application.graph.index:
                raise ScheduleError(f"the binding names the unknown actor {actor}")
            self.architecture.tile(tile)
            tiles[self.application.graph.index[actor]] = self.architecture.index[tile]
        return tiles

    def names(self, tiles: Integers) -> dict[str, str]:
        """The binding that a vector stands for."""
        bound: list[int] = tiles.tolist()
        pairs = zip(self.application.graph.actors, bound, strict=True)
        tiles_of = self.architecture.tiles
        return {actor.name: tiles_of[tile].name for actor, tile in pairs if tile != UNBOUND}

    def option(self, actor: int, tile: int) -> Option | None:
        """An actor on a tile; None when it cannot run there."""
        name = self.application.graph.actors[actor].name
        return self.application.option(name, self.architecture.tiles[tile].processor)

    def crossing(self, tiles: Integers) -> NDArray[np.bool_]:
        """Which channels of the application go from one tile to another."""
        source, target = tiles[self.sources], tiles[self.targets]
        apart: NDArray[np.bool_] = (source != target) & (source != UNBOUND) & (target != UNBOUND)
        return apart

    def present(self, tiles: Integers) -> NDArray[np.bool_]:
        """Which channels of `graph` are there."""
        crossing = self.crossing(tiles)[self.origin]
        here: NDArray[np.bool_] = crossing & (self.when == CROSSING) | ~crossing & (self.when == LOCAL)
        return here | (self.when == ALWAYS)

    def transfer(self, tiles: Integers) -> Integers:
        """The time of a token of each channel from tile to tile, 0 for those that stay.

        Exact: ceil(size / bandwidth), and with a share in what an interface has, ceil(bits of all channels that pass it
        in an iteration / (tokens of the channel in an iteration * its bandwidth)): each token takes as long as all of
        its channel's take when the interface does nothing but send what it has to.
        """
        crossing = np.flatnonzero(self.crossing(tiles))
        result = np.zeros(len(self.sources), np.int64)
        source, target = tiles[self.sources[crossing]], tiles[self.targets[crossing]]
        time = self.reserved[crossing]
        for ports, ends in zip(self.ports, (source, target), strict=True):
            bits = np.zeros(len(ports), np.int64)
            np.add.at(bits, ends, self.sizes[crossing] * self.passed[crossing])
            # a port without limit, and a channel that has its own bandwidth, share nothing
            shares = (ports[ends] > 0) & (self.reserved[crossing] < 0) & (self.sizes[crossing] > 0)
            width = np.maximum(ports[ends] * self.passed[crossing], 1)
            time = np.maximum(time, np.where(shares, -(-bits[ends] // width), 0))
        result[crossing] = time + np.maximum(self.delays[source, target], 0)
        return result

    def delay(self, source: int, target: int) -> int:
        """The delay of the connection from one tile to the other."""
        return int(self.delays[source, target])

    def connected(self, source: int, target: int) -> bool:
        """Whether the architecture has a connection from one tile to the other."""
        return bool(self.delays[source, target] >= 0)


def _delays(architecture: Architecture) -> Integers:
    """The least delay between each pair of tiles, shape (tiles, tiles); -1: no connection."""
    count = len(architecture.tiles)
    delays = np.full((count, count), -1, np.int64)
    np.fill_diagonal(delays, 0)
    for (source, target), connection in architecture.fastest.items():
        delays[architecture.index[source], architecture.index[target]] = connection.delay
    return delays


def _plain(channel: Channel, way: Transport) -> Iterator[tuple[int, Channel]]:
    """A channel and, as a channel back, its room."""
    yield ALWAYS, Channel(channel.source, channel.target, channel.produce, channel.consume, channel.tokens)
    if channel.capacity is not None:
        split = way.source_room is not None and channel.source != channel.target
        room = channel.capacity - channel.tokens
        back = Channel(channel.target, channel.source, channel.consume, channel.produce, room)
        yield LOCAL if split else ALWAYS, back


def _block(channel: Channel, way: Transport) -> int:
    """The greatest number of tokens that always go together.

    Everything that is made, taken, there at first, or room for, is a multiple of it; so the connection, one token at a
    time, finishes a block that it has begun without waiting, and nobody waits for a part of one.
    """
    rooms = (way.source_room or 0, way.target_room or 0)
    return gcd(*channel.produced, *channel.consumed, channel.tokens, *rooms)


def _crossing(channel: Channel, way: Transport, block: int, stops: list[str]) -> Iterator[tuple[int, Channel]]:
    """The way of a channel over the actors `stops`, with a buffer at each end if their room is given."""
    produce, consume = _divided(channel.produce, block), _divided(channel.consume, block)
    yield CROSSING, Channel(channel.source, stops[0], produce, 1, channel.tokens // block)
    for before, after in pairwise(stops):
        yield CROSSING, Channel(before, after)
    yield CROSSING, Channel(stops[-1], channel.target, 1, consume)
    if way.source_room is not None and way.target_room is not None:
        yield CROSSING, Channel(stops[0], channel.source, 1, produce, (way.source_room - channel.tokens) // block)
        yield CROSSING, Channel(channel.target, stops[0], consume, 1, way.target_room // block)


def _divided(rate: Phases, block: int) -> Phases:
    return tuple(each // block for each in rate) if isinstance(rate, tuple) else rate // block
