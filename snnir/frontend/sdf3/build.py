"""From what an SDF3 file says to the ops of the `dataflow` dialect."""

from __future__ import annotations

import re

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue

from snnir.dialects.dataflow import ActorOp, GraphOp, OrderOp, Use
from snnir.frontend.sdf3.graph import Actor, Channel, Graph
from snnir.frontend.sdf3.mapping import Binding

_SUFFIX = re.compile(r"_(?=\d+$)")


def build_graph(graph: Graph, binding: Binding) -> GraphOp:
    """The op of an application graph.

    Each actor is a `task`; as in SDF3, any number of its firings may run at once unless channels forbid it or a
    processor runs it. Its results are its connected ports of type out, in order, and it reads those of type in.
    """
    op = GraphOp(None, None, "worst", name=graph.name, throughput=graph.throughput)
    op.location = graph.element.location
    for key, value, usual in (("inner", graph.inner, graph.name), ("type", graph.kind, graph.inner)):
        if value != usual:
            op.attributes[key] = StringAttr(value)
    made: dict[str, SSAValue] = {}
    for actor in graph.actors.values():
        actor_op = _actor(actor, binding)
        for value, channel in zip(actor_op.made, _channels(actor, out=True), strict=True):
            made[channel.name] = value
            value.name_hint = _hint(channel.name)
        op.body.block.add_op(actor_op)
    for actor, actor_op in zip(graph.actors.values(), op.actors, strict=True):
        actor_op.wire([(made[channel.name], _use(channel)) for channel in _channels(actor, out=False)])
    for order in binding.orders:
        order_op = OrderOp(order.tile, order.actors, order.turn)
        order_op.location = order.element.location
        op.body.block.add_op(order_op)
    return op


def _actor(actor: Actor, binding: Binding) -> ActorOp:
    tile = binding.tiles.get(actor.name)
    channels = _channels(actor, out=True)
    op = ActorOp(
        "task",
        actor.name,
        binding.times.get(actor.name, actor.processors[0].time),
        None,
        [channel.size for channel in channels],
        rates=[channel.ports[0].rate for channel in channels],
        resource=tile,
        processors=actor.processors,
        concurrent=tile is None,
    )
    op.location = actor.element.location
    if actor.type != actor.name:
        op.attributes["type"] = StringAttr(actor.type)
    return op


def _channels(actor: Actor, *, out: bool) -> list[Channel]:
    ports = (port for port in actor.ports.values() if port.out == out)
    return [port.channel for port in ports if port.channel is not None]


def _use(channel: Channel) -> Use:
    source, target, memory = channel.buffers
    return Use(
        channel.ports[1].rate,
        channel.tokens,
        channel.capacity,
        channel.name,
        source,
        target,
        memory,
        channel.bandwidth,
        channel.latency,
    )


def _hint(name: str) -> str:
    """A name for a value that resembles that of its channel; numbers behind `_` belong to the printer."""
    cleaned = _SUFFIX.sub(".", re.sub(r"[^A-Za-z0-9_$.-]", "_", name))
    return cleaned if re.match(r"[A-Za-z_]", cleaned) else f"c{cleaned}"
