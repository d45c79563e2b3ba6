"""Load balance: the binding of SDF3, actor by actor to the tile that costs least, then each of them once more.

Stuijk, Basten, Geilen, Corporaal, "Multiprocessor resource allocation for throughput-constrained synchronous dataflow
graphs", DAC 2007.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio, strong_components
from snnir.maxplus.errors import Deadlock
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.maxplus.sdf import repetition_vector
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture, ScheduleError
from snnir.schedule.bound import refusal
from snnir.schedule.deployment import UNBOUND, Deployment


@dataclass(frozen=True)
class TileCost:
    """Weights of what a tile costs, all parts as fractions of what there is, and their powers.

    cost = processing * work^k + memory * bits^l + bandwidth * traffic^m + connections * channels^n
           + new * channels added by the actor^o + latency * delay of those^q

    with SDF3's letters for the powers. The default is that of the public DFSynthesizer's tutorial, a = 1 and c = 4.
    """

    processing: int = 1
    memory: int = 0
    bandwidth: int = 4
    connections: int = 0
    new: int = 0
    latency: int = 0
    powers: tuple[int, int, int, int, int, int] = (1, 1, 1, 1, 1, 1)


def load_balance(application: Application, architecture: Architecture, cost: TileCost | None = None) -> dict[str, str]:
    """A binding of all actors: in the order of their criticality to the cheapest tile that has room.

    Then every actor, those of the tiles with most work first, is taken out and bound again. Criticality: the maximum
    cycle ratio of the part of the graph that the actor is on, which SDF3 has cycle by cycle; the work, if equal.
    Raises `ScheduleError` when no tile can take an actor.
    """
    deployment = Deployment(application, architecture)
    tiles = balanced(deployment, cost or TileCost())
    reason = refusal(deployment, tiles)
    if reason:
        raise ScheduleError(reason)
    return deployment.names(tiles)


def balanced(deployment: Deployment, cost: TileCost) -> Integers:
    """`load_balance` as a vector."""
    usage = _Usage(deployment, cost)
    critical = _criticality(deployment, usage)
    by_need = sorted(range(len(critical)), key=lambda actor: (critical[actor], usage.work[actor]), reverse=True)
    for actor in by_need:
        usage.bind(actor)
    waiting = [{actor for actor, own in enumerate(usage.tile) if own == tile} for tile in range(usage.count)]
    for _ in by_need:
        tile = max((tile for tile in range(usage.count) if waiting[tile]), key=lambda tile: (usage.load[tile], -tile))
        actor = min(waiting[tile], key=lambda actor: (critical[actor], actor))
        waiting[tile].remove(actor)
        usage.free(actor)
        usage.bind(actor)
    return np.array(usage.tile, np.int64)


def _criticality(deployment: Deployment, usage: "_Usage") -> list[Fraction]:
    """The maximum cycle ratio of the component of each actor: the work of its actors over the iterations of delay."""
    graph = deployment.application.graph
    delays = [
        channel.tokens // max(channel.consumed) if channel.source != channel.target else 1 for channel in graph.channels
    ]
    work = np.array(usage.work, np.int64)
    timed = TimedGraph(
        len(graph.actors), deployment.sources, deployment.targets, work[deployment.sources], np.array(delays, np.int64)
    )
    component = strong_components(timed)
    result = [Fraction(0)] * len(graph.actors)
    for part in np.flatnonzero(np.bincount(component) > 1):
        inside = np.flatnonzero((component[timed.source] == part) & (component[timed.target] == part))
        edges = (column[inside] for column in (timed.source, timed.target, timed.time, timed.tokens))
        try:
            critical = maximum_cycle_ratio(TimedGraph(timed.size, *edges))
        except Deadlock:
            # rates may let a cycle live whose channels all hold less than a firing needs
            critical = None
        ratio = critical.ratio if critical else Fraction(int(work[component == part].sum()))
        for actor in np.flatnonzero(component == part):
            result[actor] = ratio
    return result


class _Added(NamedTuple):
    """What an actor adds to a tile: bits of memory, channels to other tiles, their delays, bandwidth out and in."""

    memory: int
    channels: int
    delay: int
    out: float
    into: float


class _Usage:
    """What is taken of each tile, and what an actor would add. Costs are floats, as in SDF3: they only rank tiles."""

    def __init__(self, deployment: Deployment, cost: TileCost) -> None:
        application, self.architecture = deployment.application, deployment.architecture
        self.deployment, self.cost = deployment, cost
        graph = application.graph
        self.count = len(self.architecture.tiles)
        self.repetition = list(repetition_vector(graph).values())
        self.tile = [UNBOUND] * len(graph.actors)
        self.load, self.bits, self.channels = ([0] * self.count for _ in range(3))
        self.traffic = [[0.0] * self.count for _ in range(2)]
        """Bandwidth in use of the output and the input of each tile."""
        self.options = [
            [deployment.option(actor, tile) for tile in range(self.count)] for actor in range(len(self.tile))
        ]
        self.work = [max(map(self.work_on, [actor] * self.count, range(self.count))) for actor in range(len(self.tile))]
        self.average = (sum(self.work) or 1) / self.count
        tiles = range(self.count)
        self.connected = [[deployment.connected(a, b) for b in tiles] for a in tiles]
        self.delays = [[deployment.delay(a, b) for b in tiles] for a in tiles]
        self.bandwidth = [self._bandwidth(number) for number in range(len(graph.channels))]
        self.ends: list[list[tuple[int, int, bool]]] = [[] for _ in self.tile]
        """Of each actor the channels, the actors at their other ends, and whether they lead there."""
        for number, channel in enumerate(graph.channels):
            source, target = graph.index[channel.source], graph.index[channel.target]
            if source != target:
                self.ends[source].append((number, target, True))
                self.ends[target].append((number, source, False))

    def work_on(self, actor: int, tile: int) -> int:
        """The time of an actor's firings in an iteration on a tile, 0 if it cannot run there."""
        option = self.options[actor][tile]
        if option is None:
            return 0
        time = option.time if isinstance(option.time, tuple) else (option.time,)
        return sum(time) * self.repetition[actor] // len(time)

    def _bandwidth(self, number: int) -> float:
        """Of a channel between tiles: what is reserved, or what an iteration moves in the time of an average tile."""
        way, channel = (
            self.deployment.application.transports[number],
            self.deployment.application.graph.channels[number],
        )
        if way.bandwidth is not None:
            return float(way.bandwidth)
        firings = self.repetition[self.deployment.application.graph.index[channel.source]]
        return way.size * sum(channel.produced) * firings / len(channel.produced) / self.average

    def added(self, actor: int, tile: int) -> _Added | None:
        """What an actor adds to a tile; None: a connection is missing."""
        option = self.options[actor][tile]
        memory, channels, delay, traffic = option.memory if option else 0, 0, 0, [0.0, 0.0]
        application = self.deployment.application
        for number, neighbour, outward in self.ends[actor]:
            other = self.tile[neighbour]
            if other == UNBOUND:
                continue
            way, room = application.transports[number], application.graph.channels[number].capacity or 0
            if other != tile:
                source, target = (tile, other) if outward else (other, tile)
                if not self.connected[source][target]:
                    return None
                own = way.source_room if outward else way.target_room
                room = room if own is None else own
                channels += 1
                delay += self.delays[source][target]
                traffic[not outward] += self.bandwidth[number]
            memory += room * way.size
        return _Added(memory, channels, delay, traffic[0], traffic[1])

    def bind(self, actor: int) -> None:
        """Binds an actor to the cheapest tile with room for it."""
        tile = self._cheapest(actor)
        self.tile[actor] = tile
        self._take(actor, tile, 1)

    def free(self, actor: int) -> None:
        """Undoes `bind`."""
        self._take(actor, self.tile[actor], -1)
        self.tile[actor] = UNBOUND

    def _take(self, actor: int, tile: int, sign: int) -> None:
        self.load[tile] += sign * self.work_on(actor, tile)
        added = self.added(actor, tile)
        assert added is not None
        self.bits[tile] += sign * added.memory
        self.channels[tile] += sign * added.channels
        self.traffic[0][tile] += sign * added.out
        self.traffic[1][tile] += sign * added.into
        for number, neighbour, outward in self.ends[actor]:
            other = self.tile[neighbour]
            if other not in (UNBOUND, tile):
                self.channels[other] += sign
                self.traffic[outward][other] += sign * self.bandwidth[number]

    def _cheapest(self, actor: int) -> int:
        candidates = [(tile, self.added(actor, tile)) for tile in range(self.count) if self.options[actor][tile]]
        found = [(tile, added) for tile, added in candidates if added is not None and self._fits(tile, added)]
        if not found:
            name = self.deployment.application.graph.actors[actor].name
            raise ScheduleError(f"no tile has a processor, memory and connections left for actor {name}")
        farthest = max(added.delay for _, added in found) or 1
        return min((self._cost(actor, tile, added, farthest), tile) for tile, added in found)[1]

    def _fits(self, tile: int, added: _Added) -> bool:
        place = self.architecture.tiles[tile]
        taken = (
            (self.bits[tile] + added.memory, place.memory),
            (self.channels[tile] + added.channels, place.connections),
        )
        return all(limit is None or value <= limit for value, limit in taken)

    def _cost(self, actor: int, tile: int, added: _Added, farthest: int) -> float:
        place, cost = self.architecture.tiles[tile], self.cost
        out = _part(self.traffic[0][tile] + added.out, place.output_bandwidth)
        into = _part(self.traffic[1][tile] + added.into, place.input_bandwidth)
        parts = (
            (cost.processing, (self.load[tile] + self.work_on(actor, tile)) / self.average),
            (cost.memory, _part(self.bits[tile] + added.memory, place.memory)),
            (cost.bandwidth, max(out, into)),
            (cost.connections, _part(self.channels[tile] + added.channels, place.connections)),
            (cost.new, added.channels / max(1, len(self.ends[actor]))),
            (cost.latency, added.delay / farthest),
        )
        return sum(weight * part**power for (weight, part), power in zip(parts, cost.powers, strict=True))


def _part(value: float, whole: int | None) -> float:
    """The fraction of a resource that is used; 0 of one without limit."""
    return value / whole if whole else 0.0
