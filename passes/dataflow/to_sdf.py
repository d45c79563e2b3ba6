"""From the IR's dataflow graph to the arrays of `snnir.maxplus`."""

from typing import Literal

from snnir.dialects.dataflow import GraphOp, claimant_of, producer_of
from snnir.maxplus.sdf import Actor, Channel, SDFGraph

Load = Literal["time", "mean"]
"""Firing times at most, or expected."""


def to_sdf(graph: GraphOp, load: Load = "time", *, with_orders: bool = True) -> SDFGraph:
    """The graph for analysis.

    A use becomes a channel; its capacity becomes a channel back, from the consumer to the actor that claims the space
    (the producer, or the slice before all transport), with as many tokens as there is space at the start.
    """
    actors: list[Actor] = []
    channels: list[Channel] = []
    for op in graph.actors:
        time = op.time.data if load == "time" else op.mean.data
        actors.append(Actor(op.sym_name.data, time, None if op.concurrent.data else 1))
        for value, use in op.reads:
            producer, target = producer_of(value), op.sym_name.data
            made = producer.rates.data[[made is value for made in producer.made].index(True)].data
            source = producer.sym_name.data
            channels.append(Channel(source, target, made, use.rate, use.tokens))
            if use.capacity is not None:
                claimant = claimant_of(value)
                space = use.capacity - use.tokens
                channels.append(Channel(target, claimant.sym_name.data, use.rate, made, space))
    orders = tuple(tuple(order.names) for order in graph.orders) if with_orders else ()
    return SDFGraph(tuple(actors), tuple(channels), orders)
