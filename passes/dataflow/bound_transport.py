"""`dataflow-bound-transport`: transport bounded by what can be on a link together in a schedule."""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntAttr, ModuleOp

from snnir.dialects.cluster import ProgramOp
from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_attributes import phases_attr
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.activity import Assumption, NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.dataflow.convert_cluster_to_dataflow import MappedTransport, transport_of
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_schedule import stale
from snnir.passes.dataflow.waits import set_waits, waits_of
from snnir.schedule.deadlines import separated
from snnir.schedule.expectation import expected_with_schedule


@dataclass(frozen=True)
class DataflowBoundTransport(SNNPass):
    """Let tokens on critical ways count as sent at a deadline: what has arrived by then is not in their way.

    `send` actors of these ways take no time, `carry` actors take what the links need at most from the deadline on, one
    token after the other, and are `after` those that they count on to have arrived. Changes nothing unless the period
    gets shorter. Needs the static orders, and the clusters.
    """

    name = "dataflow-bound-transport"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        clusters = only(op, ProgramOp, "run this before convert-dataflow-to-crossbar")
        again = "run convert-cluster-to-dataflow and dataflow-schedule again"
        if not graph.orders:
            fail(graph, "the crossbars have no static order", "run dataflow-schedule before")
        if waits_of(graph):
            fail(graph, "the transport of this graph is bounded by deadlines already", again)
        transport = transport_of(clusters, machine(op), NetworkActivity(program(op), _assumed(graph)))
        try:
            found = separated(transport.facts(graph), transport.links, transport.senders)
            _expect(graph, transport)
        except MaxPlusError as error:
            refuse(graph, error)
        self.statistics["ways"] = len(transport.senders)
        self.statistics["ways with a deadline"] = len(found.times) if found is not None else 0
        if found is None:
            return
        actors = {actor.sym_name.data: actor for actor in graph.actors}
        for sender, carry in zip(transport.senders, transport.arrivals, strict=True):
            if carry in found.times:
                actors[sender].time = phases_attr(0)
                actors[carry].time = phases_attr(found.times[carry])
                actors[carry].concurrent = IntAttr(0)
                set_waits(actors[carry], found.waits.get(carry, {}))
        stale(graph)


def _expect(graph: GraphOp, transport: MappedTransport) -> None:
    """Set the expected times of transport, with what is on the way at the same time in the schedule."""
    facts = transport.facts(graph, "mean")
    found = expected_with_schedule(facts, transport.links, transport.senders, transport.means)
    if found is None:
        return
    send: dict[str, int] = {}
    for name, time in zip(transport.senders, found.send.tolist(), strict=True):
        send[name] = max(send.get(name, 0), time)
    carry = dict(zip(transport.arrivals, found.carry.tolist(), strict=True))
    for actor in graph.actors:
        time = send.get(actor.sym_name.data, carry.get(actor.sym_name.data))
        if time is not None:
            actor.mean = phases_attr(time)


def _assumed(graph: GraphOp) -> Assumption:
    """Under which assumption the graph was made."""
    return "peak" if graph.activity.data == "peak" else "worst"
