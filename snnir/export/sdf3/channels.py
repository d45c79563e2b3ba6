"""The channels of a dataflow graph as SDF3 has them: one port at each end, and nothing that is not a channel.

What the `dataflow` dialect says otherwise becomes channels of tokens without a size: one firing at a time is a self
loop with a token; space that is claimed before transport a channel back to who claims it; the static order of a
resource, where each actor fires once per iteration, a cycle through its actors with one token.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field, replace
from math import lcm

from xdsl.ir import SSAValue

from snnir.dialects.dataflow import ActorOp, GraphOp, OrderOp, TokenType, Use, claimant_of
from snnir.dialects.dataflow_attributes import Phases, entries
from snnir.dialects.dataflow_verifier import fire_once
from snnir.dialects.places import place_of
from snnir.frontend.notes import Notes


@dataclass
class Channel:
    """A channel between two actors; `made` tokens of `size` bits per firing of the source; `use` says the rest."""

    name: str
    source: str
    target: str
    ports: tuple[str, str]
    made: Phases
    size: int
    use: Use


@dataclass
class Channels:
    """The channels of a graph, and the ports of each actor: name, `in` or `out`, rate."""

    channels: list[Channel] = field(default_factory=list[Channel])
    ports: dict[str, list[tuple[str, str, Phases]]] = field(
        default_factory=lambda: defaultdict(list[tuple[str, str, Phases]])
    )
    taken: set[str] = field(default_factory=set[str])

    def add(self, name: str, source: str, target: str, made: Phases, use: Use, size: int = 0, into: str = "") -> None:
        """A channel with new ports, under `name` or one that resembles it; `into` is a port that is there."""
        name = use.name if use.name is not None else self._unique(name)
        out = self._port(source, "out", made)
        self.channels.append(
            Channel(name, source, target, (out, into or self._port(target, "in", use.rate)), made, size, use)
        )

    def _unique(self, name: str) -> str:
        number, found = 1, name
        while found in self.taken:
            number += 1
            found = f"{name}.{number}"
        self.taken.add(found)
        return found

    def _port(self, actor: str, direction: str, rate: Phases) -> str:
        name = f"p{len(self.ports[actor])}"
        self.ports[actor].append((name, direction, rate))
        return name


def channels_of(graph: GraphOp, mapped: Container[str], notes: Notes) -> Channels:
    """All channels; actors in `mapped` are bound to tiles in the file, which run them one at a time."""
    found = Channels()
    found.taken |= {use.name for actor in graph.actors for _, use in actor.reads if use.name is not None}
    readers: dict[SSAValue, list[tuple[str, str, Use]]] = {}
    for actor in graph.actors:
        name = actor.sym_name.data
        for number, (value, use) in enumerate(actor.reads):
            found.ports[name].append((f"p{number}", "in", use.rate))
            readers.setdefault(value, []).append((name, f"p{number}", use))
    unread = 0
    for actor in graph.actors:
        name = actor.sym_name.data
        for value in actor.made:
            unread += value not in readers
            for target, port, use in readers.get(value, ()):
                _add_read(found, actor, value, target, port, use)
    if unread:
        notes.add(place_of(graph, "sdf3"), f"left out: {unread} results that no actor reads")
    for actor in graph.actors:
        if not actor.concurrent.data and actor.sym_name.data not in mapped:
            _add_self_loop(found, actor)
    for order in graph.orders:
        if order.crossbar.data not in mapped:
            _add_order(found, graph, order, notes)
    return found


def _add_read(found: Channels, actor: ActorOp, value: SSAValue, target: str, port: str, use: Use) -> None:
    """The channel of one use, and one back for its space when another actor than the producer claims that."""
    name, made = actor.sym_name.data, actor.made_by_firing(value)
    assert isinstance(value.type, TokenType)
    claimant = claimant_of(value)
    if use.capacity is not None and claimant is not actor:
        back = Use(made, use.capacity - use.tokens)
        found.add(f"{name}.{target}.space", target, claimant.sym_name.data, use.rate, back)
        use = replace(use, capacity=None)
    found.add(f"{name}.{target}", name, target, made, use, value.type.size.data, port)


def _add_self_loop(found: Channels, actor: ActorOp) -> None:
    """One firing at a time; lists are as long as the actor has phases, because some readers want them so."""
    name = actor.sym_name.data
    lists = [actor.times, *(entries(rate.data) for rate in actor.rates), *(entries(u.rate) for _, u in actor.reads)]
    phases = lcm(*map(len, lists))
    rate = (1,) * phases if phases > 1 else 1
    found.add(f"{name}.alone", name, name, rate, Use(rate, 1))


def _add_order(found: Channels, graph: GraphOp, order: OrderOp, notes: Notes) -> None:
    """The cycle through the actors of an order, where it can be said."""
    if any(order.lags) or order.turn is not None or not fire_once(graph.actors):
        what = "stages, a slice of a wheel, or several firings of an actor"
        notes.add(place_of(order, "sdf3"), f"left out: the order of @{order.crossbar.data}; it has {what}")
        return
    names = order.names
    for number, (source, target) in enumerate(zip(names, names[1:] + names[:1], strict=True)):
        if len(names) > 1:
            found.add(f"{source}.before.{target}", source, target, 1, Use(1, int(number == len(names) - 1)))
