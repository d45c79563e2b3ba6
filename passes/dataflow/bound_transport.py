"""`dataflow-bound-transport`: transport bounded by what can be on a link together in a schedule."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from xdsl.context import Context
from xdsl.dialects.builtin import IntAttr, ModuleOp

from snnir.dialects.cluster import ClusterOp, ProgramOp, routes_of
from snnir.dialects.cluster_routes import Destination
from snnir.dialects.dataflow import ActorOp, GraphOp
from snnir.dialects.dataflow_attributes import phases_attr
from snnir.dialects.places import place_of
from snnir.dialects.quick_text import collection_paused
from snnir.frontend.notes import Notes
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.activity import Assumption, NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.dataflow.convert_cluster_to_dataflow import MappedTransport, transport_of
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_schedule import stale
from snnir.passes.dataflow.waits import set_waits, waits_of
from snnir.schedule.deadlines import EFFORT, PAIRS, separated, too_many
from snnir.schedule.expectation import expected_with_schedule

GIVEN_UP = "too many ways, and other flows on their links, to try deadlines; a shorter period may exist"
_AGAIN = "run convert-cluster-to-dataflow and dataflow-schedule again"


@dataclass(frozen=True)
class DataflowBoundTransport(SNNPass):
    """Let tokens on critical ways count as sent at a deadline: what has arrived by then is not in their way.

    `send` actors of these ways take no time, `carry` actors take what the links need at most from the deadline on, one
    token after the other, and are `after` those that they count on to have arrived. Changes nothing unless the period
    gets shorter. Needs the static orders, and the clusters.
    """

    name = "dataflow-bound-transport"

    pairs: int = PAIRS
    """With more pairs of a way and another flow on a link of it, nothing is tried; nor with more than 30,000,000 pairs
    of a way and an actor or channel."""

    @collection_paused()
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        clusters = only(op, ProgramOp, "run this before convert-dataflow-to-crossbar")
        actors = {actor.sym_name.data: actor for actor in graph.actors}
        if self.pairs < 0:
            fail(
                graph,
                f"nothing has {self.pairs} pairs",
                "give the most pairs for which something is tried, 0 for never",
            )
        if not graph.orders:
            fail(graph, "the crossbars have no static order", "run dataflow-schedule before")
        if waits_of(graph):
            fail(graph, "the transport of this graph is bounded by deadlines already", _AGAIN)
        ways = sum(len(route.ends) for each in [*clusters.inputs, *clusters.clusters] for route in routes_of(each))
        self.statistics["ways"] = ways
        self.statistics["ways with a deadline"] = 0
        # what is seen of the routes alone: that takes no time where the rest would take much
        if len(actors) * ways > EFFORT or pairs_at_ends(clusters) > self.pairs:
            self._give_up(graph)
            return
        transport = transport_of(clusters, machine(op), NetworkActivity(program(op), _assumed(graph)))
        _check_names(graph, actors, transport)
        try:
            facts = transport.facts(graph)
            if too_many(facts, transport.links, self.pairs):
                self._give_up(graph)
            found = separated(facts, transport.links, transport.senders, self.pairs)
            _expect(graph, transport, self.pairs)
        except MaxPlusError as error:
            refuse(graph, error)
        if found is None:
            return
        self.statistics["ways with a deadline"] = len(found.times)
        for sender, carry in zip(transport.senders, transport.arrivals, strict=True):
            if carry in found.times:
                actors[sender].time = phases_attr(0)
                actors[carry].time = phases_attr(found.times[carry])
                actors[carry].concurrent = IntAttr(0)
                set_waits(actors[carry], found.waits.get(carry, {}))
        stale(graph)

    def _give_up(self, graph: GraphOp) -> None:
        """Say so, unless nothing was to be tried."""
        if self.pairs:
            note = Notes()
            note.add(place_of(graph), GIVEN_UP)
            note.show()


def pairs_at_ends(clusters: ProgramOp) -> int:
    """Pairs of a way and another flow on its first or its last link; each route is a flow with a way to each end."""
    starts: dict[Destination, list[int]] = {}
    into = Counter[Destination]()
    for op in [*clusters.inputs, *clusters.clusters]:
        start = op.place.data.tile if isinstance(op, ClusterOp) and op.place is not None else "host"
        for route in routes_of(op):
            starts.setdefault(start, []).append(len(route.ends))
            into.update(route.ends)
    first = sum((len(ways) - 1) * sum(ways) for ways in starts.values())
    return first + sum(flows * (flows - 1) for flows in into.values())


def _check_names(graph: GraphOp, actors: Mapping[str, ActorOp], transport: MappedTransport) -> None:
    """Refuse a graph that was made from other clusters."""
    for name in chain(transport.producers, transport.senders, transport.arrivals):
        if name not in actors:
            fail(graph, f"@{name} is missing", _AGAIN)


def _expect(graph: GraphOp, transport: MappedTransport, pairs: int) -> None:
    """Set the expected times of transport, with what is on the way at the same time in the schedule."""
    facts = transport.facts(graph, "mean")
    found = expected_with_schedule(facts, transport.links, transport.senders, transport.means, pairs)
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
