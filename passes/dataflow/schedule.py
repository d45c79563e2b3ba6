"""`dataflow-schedule`: the static order in which the slices of each crossbar fire."""

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal, NoReturn

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.dataflow import GraphOp, OrderOp
from snnir.dialects.dataflow_tables import GraphTable
from snnir.dialects.dataflow_verifier import fire_once
from snnir.dialects.quick_text import collection_paused
from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.passes.base import SNNPass, fail, only
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_schedule import bound_of, forget, give_slices, mapped, share_of
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.schedule.bound import BoundGraph
from snnir.schedule.orders import order as ordered
from snnir.schedule.stages import shorter
from snnir.schedule.waiting_order import waiting_order


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

    share: str | None = None
    """For the last three: the order is to be good for tiles that give this part of their wheels, `1/2`, and they do."""

    @collection_paused()
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        if self.algorithm in ("fifo", "slack", "critical"):
            self._search(op, graph, self.algorithm)
            return
        if self.share is not None:
            fail(graph, f"the algorithm {self.algorithm} knows no wheels", "use algorithm=critical, slack or fifo")
        table = GraphTable.of(graph)
        _check_rates(table)
        forget(graph)
        resources = table.resources
        orders: Orders = {resource: [] for resource in resources if resource is not None}
        for actor in _sequence(table):
            resource = resources[actor]
            if resource is not None:
                orders[resource].append((table.names[actor], 0))
        if self.algorithm == "pipelined" and orders:
            orders = _pipelined(graph, orders)
        self._add(graph, orders)

    def _search(self, op: ModuleOp, graph: GraphOp, algorithm: Literal["fifo", "slack", "critical"]) -> None:
        """Orders of `snnir.schedule.orders`, for whole wheels or for a share of them."""
        forget(graph)
        if self.share is None:
            self._add(graph, _searched(graph, bound_of(graph), algorithm))
            return
        architecture = mapped(op)[1]
        bound = bound_of(graph, architecture)
        slices = share_of(self.share, graph, bound)
        self._add(graph, _searched(graph, bound.sliced(slices), algorithm))
        give_slices(graph, architecture, slices)

    def _add(self, graph: GraphOp, orders: "Orders") -> None:
        for crossbar, order in orders.items():
            stages = [stage for _, stage in order]
            graph.body.block.add_op(OrderOp(crossbar, [name for name, _ in order], stages=stages))
        self.statistics["crossbars"] = len(orders)
        self.statistics["longest order"] = max((len(order) for order in orders.values()), default=0)
        self.statistics["stages"] = 1 + max((stage for order in orders.values() for _, stage in order), default=0)


Orders = dict[str, list[tuple[str, int]]]
"""Of each crossbar the actors in order, with their stages."""


def _searched(graph: GraphOp, unordered: BoundGraph, algorithm: Literal["fifo", "slack", "critical"]) -> Orders:
    """The orders of `snnir.schedule.orders`; stages only where each actor fires once per iteration."""
    try:
        bound = ordered(unordered, algorithm, stages=fire_once(graph.actors))
    except MaxPlusError as error:
        refuse(graph, error)
    shared = {name for names in bound.orders.values() for name in names}
    # the first iteration in which anything fires is round 0 of all orders
    first = min((bound.stages.get(name, 0) for name in shared), default=0)
    return {tile: [(name, bound.stages.get(name, 0) - first) for name in names] for tile, names in bound.orders.items()}


def _pipelined(graph: GraphOp, plain: Orders) -> Orders:
    """Orders with stages, if the period is shorter with them."""
    found = shorter(to_sdf(graph), [[name for name, _ in order] for order in plain.values()])
    if found is None:
        return plain
    return {crossbar: list(order) for crossbar, order in zip(plain, found, strict=True)}


def _check_rates(table: GraphTable) -> None:
    """Orders that name each actor once are those of graphs in which each fires once per iteration."""
    if not table.fire_once and any(resource is not None for resource in table.resources):
        message = "asap and pipelined orders are for graphs in which each actor fires once per iteration"
        fail(table.graph, message, "use algorithm=critical, slack or fifo")


def _sequence(table: GraphTable) -> list[int]:
    """All actors by earliest start; an actor comes after those whose tokens of the same iteration it needs."""
    before, after = (np.array(each, np.int64) for each in table.waits)
    times = [max(actor.times) for actor in table.actors]
    try:
        order: list[int] = waiting_order(len(times), before, after).tolist()
    except Deadlock:
        _fail_waiting(table)
    needs: list[list[int]] = [[] for _ in times]
    for producer, consumer in zip(*table.waits, strict=True):
        needs[consumer].append(producer)
    start = [0] * len(times)
    for actor in order:
        start[actor] = max((start[each] + times[each] for each in needs[actor]), default=0)
    return sorted(order, key=start.__getitem__)


def _fail_waiting(table: GraphTable) -> NoReturn:
    """Say which actors wait for each other."""
    needs: dict[int, list[int]] = {number: [] for number in range(len(table.actors))}
    for producer, consumer in zip(*table.waits, strict=True):
        needs[consumer].append(producer)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        names = " -> ".join(f"@{table.names[actor]}" for actor in error.args[1])
        message = f"deadlock: {names} wait for each other without an initial token"
        fail(table.graph, message, "add a delay to the cycle")
    raise AssertionError
