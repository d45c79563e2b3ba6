"""`dataflow-schedule`: the static order in which the slices of each crossbar fire."""

from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.dataflow import ActorOp, GraphOp, OrderOp, producer_of
from snnir.passes.base import SNNPass, fail, only


@dataclass(frozen=True)
class DataflowSchedule(SNNPass):
    """Order the actors of each crossbar.

    All actors are put into one sequence that respects every channel without initial tokens; each crossbar fires its own
    in that sequence. So no order can contradict another, and the schedule is free of deadlock by construction (any
    cycle of waits would have to go backwards in the sequence somewhere). Replaces orders that are there.
    """

    name = "dataflow-schedule"

    algorithm: Literal["asap"] = "asap"
    """`asap`: by the earliest start of each actor in one iteration with nothing shared."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        _forget(graph)
        shared: dict[str, list[ActorOp]] = defaultdict(list)
        for actor in _sequence(graph):
            if actor.resource_name is not None:
                shared[actor.resource_name].append(actor)
        for crossbar in dict.fromkeys(a.resource_name for a in graph.actors if a.resource_name is not None):
            graph.body.block.add_op(OrderOp(crossbar, [a.sym_name.data for a in shared[crossbar]]))
        self.statistics["crossbars"] = len(shared)
        self.statistics["longest order"] = max((len(actors) for actors in shared.values()), default=0)


def _forget(graph: GraphOp) -> None:
    """Take away old orders, and what was analysed without the new ones: it would promise too much."""
    for order in graph.orders:
        order.detach()
        order.erase()
    graph.period = graph.latency = graph.predicted = graph.simulated = graph.critical = None
    for actor in graph.actors:
        actor.start = actor.slack = None


def _sequence(graph: GraphOp) -> list[ActorOp]:
    """All actors by earliest start; an actor comes after those whose tokens of the same iteration it needs."""
    needs: TopologicalSorter[ActorOp] = TopologicalSorter()
    before: dict[ActorOp, list[ActorOp]] = {}
    for actor in graph.actors:
        before[actor] = [producer_of(value) for value, use in actor.reads if use.tokens < use.rate]
        needs.add(actor, *before[actor])
    try:
        order = list(needs.static_order())
    except CycleError as error:
        names = " -> ".join(f"@{actor.sym_name.data}" for actor in error.args[1])
        fail(graph, f"deadlock: {names} wait for each other without an initial token", "add a delay to the cycle")
    start: dict[ActorOp, int] = {}
    for actor in order:
        start[actor] = max((start[p] + p.time.data for p in before[actor]), default=0)
    place = {actor: number for number, actor in enumerate(order)}
    return sorted(order, key=lambda actor: (start[actor], place[actor]))
