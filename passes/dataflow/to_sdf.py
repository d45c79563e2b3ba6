"""From the IR's dataflow graph to the arrays of `snnir.maxplus`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from xdsl.ir import SSAValue

from snnir.dialects.dataflow import GraphOp, OrderOp
from snnir.dialects.dataflow_attributes import Phases
from snnir.dialects.dataflow_tables import GraphTable
from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.passes.dataflow.waits import orders_of, waits_of
from snnir.schedule.bound import BoundGraph
from snnir.schedule.stages import Retimed, retimed
from snnir.schedule.wheel import Slice

Load = Literal["time", "mean"]
"""Firing times at most, or expected."""


def to_sdf(
    graph: GraphOp,
    load: Load = "time",
    *,
    with_orders: bool = True,
    with_capacities: bool = True,
    with_slices: bool = True,
) -> SDFGraph:
    """The graph for analysis.

    A use becomes a channel; its capacity becomes a channel back, from the consumer to the actor that claims the space
    (the producer, or the slice before all transport), with as many tokens as there is space at the start. A resource
    that works for its actors in a slice of a wheel only lets each firing take its response time (`snnir.schedule`);
    without slices, times are work.
    """
    given = graph.orders if with_orders else []
    orders = tuple(tuple(order.names) for order in given if order.names)
    return _sdf(graph, load, given if with_slices else [], orders, with_capacities=with_capacities)


def _sdf(
    graph: GraphOp,
    load: Load,
    sliced: Sequence[OrderOp],
    orders: tuple[tuple[str, ...], ...],
    *,
    with_capacities: bool,
) -> SDFGraph:
    """The graph with response times on the resources of the orders `sliced`, and with `orders`."""
    turns = {order.crossbar.data: order.turn for order in sliced}
    table = GraphTable.of(graph)
    names = table.names
    actors: list[Actor] = []
    for name, resource, op in zip(names, table.resources, table.actors, strict=True):
        mean = op.mean if load == "mean" else None
        time = op.time.data if mean is None else mean.data
        turn = turns.get(resource) if resource is not None else None
        actors.append(Actor(name, _responses(time, turn), None if op.concurrent.data else 1))
    channels: list[Channel] = []
    for producer, consumer, made, use in table.reads:
        target = names[consumer]
        channels.append(Channel(names[producer], target, made, use.rate, use.tokens))
        if use.capacity is not None and with_capacities:
            claimant = names[table.claimants[producer]]
            channels.append(Channel(target, claimant, use.rate, made, use.capacity - use.tokens))
    return SDFGraph(tuple(actors), tuple(channels), orders)


def to_retimed(
    graph: GraphOp, load: Load = "time", *, with_capacities: bool = True, with_slices: bool = True
) -> Retimed:
    """The graph for analysis, with the stages of its orders; raises `Deadlock` for actors that wait in a cycle.

    Times at most are bounds only together with what actors count as waiting for (`dataflow-bound-transport`).
    """
    waits = [(b, a, tokens) for a, each in waits_of(graph).items() for b, tokens in each.items() if load == "time"]
    if not waits and not any(any(order.lags) for order in graph.orders):
        sdf = to_sdf(graph, load, with_capacities=with_capacities, with_slices=with_slices)
        return Retimed(sdf, dict.fromkeys(sdf.index, 0))
    sliced = graph.orders if with_slices else []
    return retimed(_sdf(graph, load, sliced, (), with_capacities=with_capacities), orders_of(graph), waits)


def at_means(timed: Retimed, graph: GraphOp) -> Retimed:
    """`to_retimed` for expected times, from the graph for times at most, without slices."""
    if waits_of(graph):
        return to_retimed(graph, "mean", with_slices=False)
    times = [op.time.data if op.mean is None else op.mean.data for op in graph.actors]
    actors = [Actor(actor.name, time, actor.concurrency) for actor, time in zip(timed.graph.actors, times, strict=True)]
    return replace(timed, graph=replace(timed.graph, actors=tuple(actors)))


def to_served(retimed: Retimed, graph: GraphOp) -> BoundGraph:
    """The graph of `to_retimed` (its times work, without slices), with the tiles of its actors and their slices."""
    binding = {op.sym_name.data: op.resource_name for op in graph.actors if op.resource_name is not None}
    slices = {order.crossbar.data: Slice(*order.turn) for order in graph.orders if order.turn is not None}
    return BoundGraph(retimed.graph, binding, slices={tile: each for tile, each in slices.items() if each.pause})


def _responses(time: Phases, turn: tuple[int, int] | None) -> Phases:
    """How long firings take at most on a resource that works for them in a slice of a wheel only."""
    if turn is None:
        return time
    response = Slice(*turn).response
    return tuple(map(response, time)) if isinstance(time, tuple) else response(time)


def space_by_signal(graph: GraphOp) -> dict[tuple[str, SSAValue], int]:
    """How many tokens of a signal there is space for at each resource that reads it: the largest capacity of its uses.

    Uses without a capacity are left out.
    """
    found: dict[tuple[str, SSAValue], int] = {}
    for actor in graph.actors:
        for value, use in actor.reads:
            if actor.resource_name is not None and use.capacity is not None:
                key = actor.resource_name, value
                found[key] = max(use.capacity, found.get(key, 0))
    return found
