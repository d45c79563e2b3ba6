"""`dataflow-schedule`: the static order in which the slices of each crossbar fire."""

from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.dataflow import ActorOp, GraphOp, OrderOp, producer_of
from snnir.dialects.dataflow_attributes import entries
from snnir.dialects.dataflow_verifier import fire_once
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.base import SNNPass, fail, only
from snnir.passes.dataflow.to_schedule import bound_of
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.schedule.orders import order as ordered
from snnir.schedule.stages import period_of, pipelined


@dataclass(frozen=True)
class DataflowSchedule(SNNPass):
    """Order the actors of each crossbar.

    All actors are put into one sequence that respects every channel without initial tokens; each crossbar fires its own
    in that sequence. So no order can contradict another, and the schedule is free of deadlock by construction (any
    cycle of waits would have to go backwards in the sequence somewhere). `pipelined` orders have stages besides, where
    that gives a shorter period: of two actors on one crossbar, the one late on a path fires for an earlier iteration.
    Replaces orders that are there.
    """

    name = "dataflow-schedule"

    algorithm: Literal["pipelined", "asap", "fifo", "slack", "critical"] = "pipelined"
    """`asap`: by the earliest start of each actor in one iteration with nothing shared. `pipelined`: by the start in a
    periodic schedule, modulo the period. `fifo`: list scheduling, first come first served, as SDF3 does; `slack`: the
    least slack first. `critical`: the best of several, improved along critical cycles. The last three also order actors
    that fire several times per iteration."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        if self.algorithm in ("fifo", "slack", "critical"):
            self._add(graph, _searched(graph, self.algorithm))
            return
        _check_rates(graph)
        _forget(graph)
        shared: dict[str, list[ActorOp]] = defaultdict(list)
        for actor in _sequence(graph):
            if actor.resource_name is not None:
                shared[actor.resource_name].append(actor)
        orders = {
            crossbar: [(actor.sym_name.data, 0) for actor in shared[crossbar]]
            for crossbar in dict.fromkeys(a.resource_name for a in graph.actors if a.resource_name is not None)
        }
        if self.algorithm == "pipelined" and orders:
            orders = _pipelined(graph, orders)
        self._add(graph, orders)

    def _add(self, graph: GraphOp, orders: "Orders") -> None:
        for crossbar, order in orders.items():
            stages = [stage for _, stage in order]
            graph.body.block.add_op(OrderOp(crossbar, [name for name, _ in order], stages=stages))
        self.statistics["crossbars"] = len(orders)
        self.statistics["longest order"] = max((len(order) for order in orders.values()), default=0)
        self.statistics["stages"] = 1 + max((stage for order in orders.values() for _, stage in order), default=0)


Orders = dict[str, list[tuple[str, int]]]
"""Of each crossbar the actors in order, with their stages."""


def _searched(graph: GraphOp, algorithm: Literal["fifo", "slack", "critical"]) -> Orders:
    """The orders of `snnir.schedule.orders`; stages only where each actor fires once per iteration."""
    _forget(graph)
    try:
        bound = ordered(bound_of(graph), algorithm, stages=fire_once(graph.actors))
    except MaxPlusError as error:
        fail(graph, str(error), "add initial tokens or room to the channels between the actors named")
    shared = {name for names in bound.orders.values() for name in names}
    # the first iteration in which anything fires is round 0 of all orders
    first = min((bound.stages.get(name, 0) for name in shared), default=0)
    return {tile: [(name, bound.stages.get(name, 0) - first) for name in names] for tile, names in bound.orders.items()}


def _pipelined(graph: GraphOp, plain: Orders) -> Orders:
    """Orders with stages, if the period is shorter with them."""
    sdf = to_sdf(graph)
    found = pipelined(sdf, [[name for name, _ in order] for order in plain.values()])
    if period_of(sdf, found) >= period_of(sdf, list(plain.values())):
        return plain
    return {crossbar: list(order) for crossbar, order in zip(plain, found, strict=True)}


def _check_rates(graph: GraphOp) -> None:
    """Orders that name each actor once are those of graphs in which each fires once per iteration."""
    if not fire_once(graph.actors) and any(actor.resource_name is not None for actor in graph.actors):
        message = "the actors of this graph fire several times per iteration; asap orders graphs where each fires once"
        fail(graph, message, "write the dataflow.order of each resource yourself")


def _forget(graph: GraphOp) -> None:
    """Take away old orders, and what was analysed without the new ones: it would promise too much."""
    for order in graph.orders:
        order.detach()
        order.erase()
    graph.period = graph.latency = graph.predicted = graph.simulated = graph.critical = graph.unbounded = None
    for actor in graph.actors:
        actor.start = actor.slack = None


def _sequence(graph: GraphOp) -> list[ActorOp]:
    """All actors by earliest start; an actor comes after those whose tokens of the same iteration it needs."""
    needs: TopologicalSorter[ActorOp] = TopologicalSorter()
    before: dict[ActorOp, list[ActorOp]] = {}
    for actor in graph.actors:
        before[actor] = [producer_of(value) for value, use in actor.reads if use.tokens < max(entries(use.rate))]
        needs.add(actor, *before[actor])
    try:
        order = list(needs.static_order())
    except CycleError as error:
        names = " -> ".join(f"@{actor.sym_name.data}" for actor in error.args[1])
        fail(graph, f"deadlock: {names} wait for each other without an initial token", "add a delay to the cycle")
    start: dict[ActorOp, int] = {}
    for actor in order:
        start[actor] = max((start[p] + max(p.times) for p in before[actor]), default=0)
    place = {actor: number for number, actor in enumerate(order)}
    return sorted(order, key=lambda actor: (start[actor], place[actor]))
