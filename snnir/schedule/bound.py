"""An application on an architecture: the binding-aware graph."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from snnir.maxplus.graph import Integers
from snnir.maxplus.sdf import Actor, Channel, Phases, SDFGraph, repetition_vector
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture, ScheduleError
from snnir.schedule.deployment import UNBOUND, Binding, Deployment
from snnir.schedule.wheel import Slice

Orders = Mapping[str, tuple[str, ...]]
"""Tile -> the firings of an iteration in the order in which the tile runs them, each by the name of its actor."""


@dataclass(frozen=True, eq=False)
class BoundGraph:
    """The graph of a binding; with orders, it says exactly who runs when.

    `graph`: the actors with their times on their tiles, connections, and buffers as channels back; its orders are those
    of the tiles. `binding`: actor -> tile. `wheels`: tile -> length of its wheel, if it has one. `slices`: tile -> its
    slice, of tiles that the application has for a part of the time only; the times in `graph` are work, without pauses.
    `stages`: by how many iterations actors are behind (`retimed`), of those that are. `waits`: actor that waits for a
    slice -> the tile that has it.
    """

    graph: SDFGraph
    binding: dict[str, str]
    wheels: dict[str, int] = field(default_factory=dict[str, int])
    slices: dict[str, Slice] = field(default_factory=dict[str, Slice])
    stages: dict[str, int] = field(default_factory=dict[str, int])
    waits: dict[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def firings(self) -> dict[str, int]:
        """How often each actor, connections too, fires in an iteration."""
        return repetition_vector(replace(self.graph, orders=()))

    @cached_property
    def actors(self) -> dict[str, list[str]]:
        """Tile -> the actors on it, in the order of the graph."""
        result: dict[str, list[str]] = {}
        for actor in self.graph.actors:
            if actor.name in self.binding:
                result.setdefault(self.binding[actor.name], []).append(actor.name)
        return result

    @cached_property
    def work(self) -> dict[str, int]:
        """Tile -> time of the firings of an iteration on it, without pauses."""
        times = {actor.name: actor.times for actor in self.graph.actors}
        return {
            tile: sum(sum(times[name]) * (self.firings[name] // len(times[name])) for name in names)
            for tile, names in self.actors.items()
        }

    def slice_of(self, actor: str) -> Slice | None:
        """The slice in which an actor works; None: whenever it is its turn."""
        return self.slices.get(self.binding.get(actor, ""))

    def ordered(self, orders: Orders) -> "BoundGraph":
        """The same with these orders in place of those there were.

        Raises `ScheduleError` when an order is not a permutation of the firings of an iteration on its tile.
        """
        for tile, order in orders.items():
            wanted = sorted(name for name in self.actors.get(tile, []) for _ in range(self.firings[name]))
            if sorted(order) != wanted:
                raise ScheduleError(f"the order of tile {tile} does not list the firings of an iteration on it")
        missing = sorted(set(self.actors) - set(orders))
        if missing:
            raise ScheduleError(f"tile {missing[0]} has no order")
        shown = tuple(tuple(orders[tile]) for tile in self.actors)
        return replace(self, graph=replace(self.graph, orders=shown))

    def retimed(self, stages: Mapping[str, int]) -> "BoundGraph":
        """The same when the firings of each actor are so many iterations (>= 0) behind: k is that of k - stage.

        Tokens move from the channels out of an actor to those into it; the cycles, so the period, stay as they are. A
        real run leaves out what would come before the first iteration, which makes nothing later. Raises
        `ScheduleError` when a channel would have fewer than no tokens.
        """
        channels: list[Channel] = []
        for channel in self.graph.channels:
            firings = self.firings[channel.source]
            moved = sum(channel.produced) * firings // len(channel.produced)
            tokens = channel.tokens + (stages.get(channel.target, 0) - stages.get(channel.source, 0)) * moved
            if tokens < 0:
                raise ScheduleError(f"{channel.target} would need tokens of {channel.source} from a later iteration")
            channels.append(replace(channel, tokens=tokens))
        behind = {name: self.stages.get(name, 0) + stage for name, stage in stages.items() if stage}
        return replace(self, graph=replace(self.graph, channels=tuple(channels)), stages={**self.stages, **behind})

    def sliced(self, slices: Mapping[str, int]) -> "BoundGraph":
        """The same with other slices of the wheels, whole ones where nothing else is said; see `bind`."""
        shared: dict[str, Slice] = {}
        for tile, length in slices.items():
            if tile not in self.wheels:
                raise ScheduleError(f"tile {tile} has no wheel to take a slice of")
            if length != self.wheels[tile]:
                shared[tile] = Slice(self.wheels[tile], length)
        pauses = {name: shared[tile].pause if tile in shared else 0 for name, tile in self.waits.items()}
        actors = [replace(a, time=pauses[a.name]) if a.name in pauses else a for a in self.graph.actors]
        return replace(self, graph=replace(self.graph, actors=tuple(actors)), slices=shared)

    @property
    def orders(self) -> dict[str, tuple[str, ...]]:
        """The order of each tile; `ScheduleError` when there are none yet."""
        if len(self.graph.orders) != len(self.actors):
            raise ScheduleError("the tiles have no orders")
        return dict(zip(self.actors, self.graph.orders, strict=True))


def bind(
    application: Application,
    architecture: Architecture,
    binding: Binding,
    slices: Mapping[str, int] | None = None,
    *,
    waits: bool = False,
) -> BoundGraph:
    """The graph of a binding, without orders.

    `slices`: tile -> how much of its wheel the application gets; tiles with a wheel that are not named give all of it.
    `waits`: each token that comes from another tile waits for wheel - slice of the receiver first, as SDF3 has it
    against wheels that turn at different phases. Raises `ScheduleError` when the binding is impossible.
    """
    deployment = Deployment(application, architecture, waits=waits)
    return bound_graph(deployment, deployment.vector(binding), slices)


def bound_graph(deployment: Deployment, tiles: Integers, slices: Mapping[str, int] | None = None) -> BoundGraph:
    """`bind` for a binding as a vector."""
    reason = refusal(deployment, tiles)
    if reason:
        raise ScheduleError(reason)
    times = _times(deployment, tiles)
    crossing = set(np.flatnonzero(deployment.crossing(tiles)).tolist())
    gone = {
        each
        for own in (deployment.carriers, deployment.waiters)
        for number, each in own.items()
        if number not in crossing
    }
    binding = deployment.names(tiles)
    actors = tuple(
        Actor(actor.name, times[number], 1 if actor.name in binding else actor.concurrency)
        for number, actor in enumerate(deployment.graph.actors)
        if number not in gone
    )
    present = deployment.present(tiles).tolist()
    channels = tuple(channel for channel, here in zip(deployment.graph.channels, present, strict=True) if here)
    wheels = {tile.name: tile.wheel for tile in deployment.architecture.tiles if tile.wheel is not None}
    waits = {
        deployment.graph.actors[waiter].name: binding[deployment.application.graph.channels[number].target]
        for number, waiter in deployment.waiters.items()
        if number in crossing
    }
    return BoundGraph(SDFGraph(actors, channels), binding, wheels, waits=waits).sliced(slices or {})


def _times(deployment: Deployment, tiles: Integers) -> list[Phases]:
    """The time of each actor of the full graph under a binding, without slices."""
    times: list[Phases] = [actor.time for actor in deployment.graph.actors]
    for actor, tile in enumerate(tiles.tolist()):
        option = deployment.option(actor, tile) if tile != UNBOUND else None
        if option is not None:
            times[actor] = option.time
    transfer = deployment.transfer(tiles).tolist()
    for number, carrier in deployment.carriers.items():
        times[carrier] = deployment.blocks[number] * transfer[number]
    return times


def refusal(deployment: Deployment, tiles: Integers) -> str | None:
    """Why a binding is impossible, None when it is possible: types of processors, connections, bandwidth, memory.

    Of channels without room, which need any amount of memory, the memory is not counted.
    """
    graph, architecture = deployment.application.graph, deployment.architecture
    memory = [0] * len(architecture.tiles)
    bound: list[int] = tiles.tolist()
    for actor, tile in enumerate(bound):
        if tile == UNBOUND:
            continue
        option = deployment.option(actor, tile)
        place = architecture.tiles[tile]
        if option is None:
            return f"actor {graph.actors[actor].name} does not run on {place.processor}, the processor of {place.name}"
        memory[tile] += option.memory
    users = [0] * len(architecture.tiles)
    crossing = deployment.crossing(tiles).tolist()
    for number, channel in enumerate(graph.channels):
        way = deployment.application.transports[number]
        source, target = int(tiles[deployment.sources[number]]), int(tiles[deployment.targets[number]])
        room = channel.capacity or 0
        if not crossing[number]:
            for tile in {source, target} - {UNBOUND}:
                memory[tile] += room * way.size
            continue
        ends = architecture.tiles[source], architecture.tiles[target]
        name = f"channel {number} ({channel.source} -> {channel.target})"
        if not deployment.connected(source, target):
            return f"{name} needs a connection from {ends[0].name} to {ends[1].name}"
        if way.size and (ends[0].output_bandwidth == 0 or ends[1].input_bandwidth == 0):
            return f"{name} meets a network interface without bandwidth"
        for tile, own in ((source, way.source_room), (target, way.target_room)):
            memory[tile] += (room if own is None else own) * way.size
            users[tile] += 1
    return _over(architecture, memory, users)


def _over(architecture: Architecture, memory: Iterable[int], users: Iterable[int]) -> str | None:
    for tile, bits, channels in zip(architecture.tiles, memory, users, strict=True):
        if tile.memory is not None and bits > tile.memory:
            return f"tile {tile.name} has {tile.memory} bits of memory, {bits} are needed"
        if tile.connections is not None and channels > tile.connections:
            return f"the network interface of {tile.name} serves {tile.connections} channels, {channels} are needed"
    return None
