"""From the IR's dataflow graph to the arrays of `snnir.maxplus`."""

from dataclasses import replace
from typing import Literal

from snnir.dialects.dataflow import GraphOp, claimant_of, producer_of
from snnir.dialects.dataflow_attributes import Phases
from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.schedule.stages import Retimed, retimed
from snnir.schedule.wheel import Slice

Load = Literal["time", "mean"]
"""Firing times at most, or expected."""


def to_sdf(graph: GraphOp, load: Load = "time", *, with_orders: bool = True, with_capacities: bool = True) -> SDFGraph:
    """The graph for analysis.

    A use becomes a channel; its capacity becomes a channel back, from the consumer to the actor that claims the space
    (the producer, or the slice before all transport), with as many tokens as there is space at the start. A resource
    that works for its actors in a slice of a wheel only lets each firing take its response time (`snnir.schedule`).
    """
    turns = {order.crossbar.data: order.turn for order in graph.orders} if with_orders else {}
    actors: list[Actor] = []
    channels: list[Channel] = []
    for op in graph.actors:
        target = op.sym_name.data
        time = op.time.data if load == "time" or op.mean is None else op.mean.data
        turn = turns.get(op.resource_name) if op.resource_name is not None else None
        actors.append(Actor(target, _responses(time, turn), None if op.concurrent.data else 1))
        for value, use in op.reads:
            producer = producer_of(value)
            made = producer.made_by_firing(value)
            channels.append(Channel(producer.sym_name.data, target, made, use.rate, use.tokens))
            if use.capacity is not None and with_capacities:
                space = use.capacity - use.tokens
                channels.append(Channel(target, claimant_of(value).sym_name.data, use.rate, made, space))
    orders = tuple(tuple(order.names) for order in graph.orders if order.names) if with_orders else ()
    return SDFGraph(tuple(actors), tuple(channels), orders)


def to_retimed(graph: GraphOp, load: Load = "time", *, with_capacities: bool = True) -> Retimed:
    """The graph for analysis, with the stages of its orders; raises `Deadlock` for actors that wait in a cycle."""
    sdf = to_sdf(graph, load, with_capacities=with_capacities)
    if not any(any(order.lags) for order in graph.orders):
        return Retimed(sdf, dict.fromkeys(sdf.index, 0))
    return retimed(replace(sdf, orders=()), [list(zip(o.names, o.lags, strict=True)) for o in graph.orders if o.names])


def _responses(time: Phases, turn: tuple[int, int] | None) -> Phases:
    """How long firings take at most on a resource that works for them in a slice of a wheel only."""
    if turn is None:
        return time
    response = Slice(*turn).response
    return tuple(map(response, time)) if isinstance(time, tuple) else response(time)
