"""`convert-cluster-to-dataflow`: the placed and routed program as a dataflow graph."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.cluster import ClusterOp, InputOp, ProgramOp, address_of, routes_of
from snnir.dialects.cluster_attributes import PartialType, Slice
from snnir.dialects.cluster_routes import Destination
from snnir.dialects.cluster_synapses import AxonGroups, Groups, axon_groups, axons_of, taken
from snnir.dialects.dataflow import ActorOp, GraphOp, Use
from snnir.dialects.dataflow_actor import TRANSPORT
from snnir.dialects.dataflow_attributes import entries, phases_attr
from snnir.dialects.platform import Machine
from snnir.dialects.quick_text import collection_paused
from snnir.dialects.ways import floor_of, start_of
from snnir.passes.activity import Activity, NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.dataflow.network_time import Ways, firing_time, links_of, ways_of
from snnir.passes.dataflow.to_sdf import Load, to_sdf
from snnir.passes.dataflow.waits import orders_of, waits_of
from snnir.schedule.deadlines import bound_with
from snnir.schedule.links import Leads, Links, expected
from snnir.schedule.meetings import Facts
from snnir.schedule.transport import faster_transport


@dataclass(frozen=True)
class ConvertClusterToDataflow(SNNPass):
    """Build the dataflow graph of the mapped program: an actor per slice, input and output, two per way of a flow.

    Needs placed and routed clusters. Each use of a slice gets its delay as initial tokens and space for `space` more
    tokens (fewer, where the input buffer is too small for so many, one at least).
    """

    name = "convert-cluster-to-dataflow"

    activity: Literal["peak", "worst"] = "peak"
    """What the guarantee assumes: no step with more spikes than the profile's `peak`, or nothing (`worst`)."""

    mode: Literal["machine", "paper"] = "machine"
    """`paper`: the graph of the published work, an actor per cluster and spike counts as rates. No guarantee."""

    time: int = 16
    """The firing time of every cluster in mode `paper`, in the platform's unit."""

    space: int = 2
    """Tokens beyond the delay for which a channel has space, at most: with two, one is made while one is used."""

    @collection_paused()
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.space < 1:
            fail(op, f"{self.space} tokens of space let nothing move", "give channels space for at least 1 token")
        if self.time < 0:
            fail(op, f"no firing takes {self.time}", "give a time of at least 0")
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        for cluster in clusters.clusters if self.mode == "machine" else ():
            if cluster.place is None:
                fail(cluster, f"@{cluster.sym_name.data} has no place", "run cluster-place and cluster-route before")
        network = program(op)
        activity = NetworkActivity(network, self.activity)
        if self.mode == "paper":
            from snnir.passes.dataflow.paper import paper_graph  # noqa: PLC0415  (imports this module)

            graph = paper_graph(clusters, op, activity, self.time)
        else:
            graph = graph_of(clusters, machine(op), activity, self.space)
        Rewriter.insert_op(graph, InsertPoint.after(clusters))
        self.statistics["actors"] = len(graph.actors)
        self.statistics["channels"] = sum(len(actor.operands) for actor in graph.actors)


def graph_of(clusters: ProgramOp, target: Machine, activity: NetworkActivity, space: int = 2) -> GraphOp:
    """The dataflow graph of placed and routed clusters, in no module yet."""
    builder = _Builder(clusters, target, activity, space)
    graph = builder.build()
    builder.tighten(graph)
    graph.location = clusters.location
    return graph


def too_fast(graph: GraphOp, clusters: ProgramOp, target: Machine, activity: NetworkActivity) -> str | None:
    """What is wrong with the times in a graph that `graph_of` has made and others may have changed; `None`: nothing.

    No actor may be faster than clusters, machine and activity allow. Transport depends on the graph's capacities too.
    """
    builder = _Builder(clusters, target, activity, 1)
    rule = {actor.sym_name.data: actor for actor in builder.build().actors}
    given = {actor.sym_name.data: actor for actor in graph.actors}
    for name, actor in rule.items():
        if name not in given:
            return f"@{name} is missing"
        found, least = min(given[name].times), max(actor.times)
        if actor.kind.data not in TRANSPORT and found < least:
            return f"@{name} takes {found}, {least} with the clusters and activity of now"
    return builder.too_fast_transport(graph, given)


@dataclass(frozen=True)
class MappedTransport:
    """Links and ways with the names of their actors; `producers[f]` makes the tokens of flow f, `arrivals[w]` is the
    `carry` actor of way w, `least` the least time of each actor that takes any."""

    links: Links
    senders: Sequence[str]
    arrivals: Sequence[str]
    producers: Sequence[str]
    least: Mapping[str, int]
    means: Sequence[float]
    """Flits of a token of each flow on average."""

    def facts(self, graph: GraphOp, load: Load = "time") -> Facts:
        """What the graph says about who waits for whom."""
        sdf = to_sdf(graph, load, with_orders=False)
        return Facts(sdf, orders_of(graph), self.least, self.producers, self.arrivals)


def transport_of(clusters: ProgramOp, target: Machine, activity: NetworkActivity) -> MappedTransport:
    """The transport of placed and routed clusters."""
    builder = _Builder(clusters, target, activity, 1)
    builder.build()
    return builder.transport


def slice_names(cluster: ClusterOp) -> list[str]:
    """A name for each slice of a cluster: `c0.hidden`, or `c0.hidden.1` for a second slice of one population."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for part in cluster.parts:
        number = seen[part.population]
        names.append(f"{cluster.sym_name.data}.{part.population}" + (f".{number}" if number else ""))
        seen[part.population] += 1
    return names


Reads = list[dict[tuple[SSAValue, int], None]]
"""For each slice of a cluster, the signals (with delay) and partial sums that it waits for, in order."""


def reads_of(cluster: ClusterOp, groups: AxonGroups | None = None) -> Reads:
    """What each slice waits for; `groups` are the cluster's axons."""
    groups = axon_groups(cluster) if groups is None else groups
    signals = list(cluster.signals)
    found: Reads = []
    for part, sums in zip(cluster.parts, cluster.sums_of_slices, strict=True):
        waits = {(signals[number], groups[number].axon[1]): None for number, _ in taken(part, groups)}
        found.append(waits | {(value, 0): None for value in sums})
    return found


def events_of(cluster: ClusterOp, part: Slice, activity: NetworkActivity, groups: AxonGroups | None = None) -> Activity:
    """Spikes per step on the axons that a slice reads; those of one population and delay are bounded together."""
    groups = axon_groups(cluster) if groups is None else groups
    parts = [activity.of(source, neurons) for (source, _), neurons in axons_of(part, groups).items()]
    return sum(parts, Activity(Fraction(0), 0))


def load_of(value: SSAValue, activity: NetworkActivity) -> Activity:
    """Values in a token of a signal: spikes, or one per partial sum."""
    if isinstance(value.type, PartialType):
        size = value.type.size.data
        return Activity(Fraction(size), size)
    return activity.of(*address_of(value))


Tile = tuple[int, int]
"""Where the crossbar of a cluster is."""
_PASSED_ON = Use()


class _Builder:
    def __init__(self, clusters: ProgramOp, target: Machine, activity: NetworkActivity, space: int) -> None:
        self._space = space
        self._clusters, self._machine, self._activity = clusters, target, activity
        self._network = clusters.network.root_reference.data
        self._flows: list[tuple[SSAValue, Ways]] = []
        floor = floor_of(target)
        for op in [*clusters.inputs, *clusters.clusters]:
            for route in routes_of(op):
                ways = ways_of(floor, start_of(op, floor), route, from_host=isinstance(op, InputOp))
                self._flows.append((op.results[route.result], ways))
        self._groups = Groups()
        self._loads: dict[SSAValue, Activity] = {}
        self._made: dict[SSAValue, ActorOp] = {}
        self._tiles: dict[SSAValue, Tile] = {}
        """Where slices compute."""
        self._arrived: dict[tuple[SSAValue, Destination], ActorOp] = {}
        self._senders: list[ActorOp] = []
        self._transport: list[tuple[ActorOp, ActorOp]] = []
        """For each way of each flow its actors."""

    def build(self) -> GraphOp:
        """The `dataflow.graph`."""
        graph = GraphOp(self._network, self._machine.time.unit, self._activity.assumption)
        block = graph.body.block
        for op in self._clusters.inputs:
            size = self._activity.of(*address_of(op.signal)).most
            self._add(op.signal, ActorOp("input", op.sym_name.data, 0, 0, [size]))
        for cluster in self._clusters.clusters:
            self._add_slices(cluster)
        self._add_transport()
        block.add_ops(dict.fromkeys([*self._made.values(), *self._senders, *self._arrived.values()]))
        for cluster in self._clusters.clusters:
            self._wire(cluster)
        for op in self._clusters.outputs:
            actor = ActorOp("output", op.sym_name.data, 0, 0, [])
            actor.wire([(self._arrived[signal, "host"].results[0], Use(1, 0, 2)) for signal in op.signals])
            block.add_op(actor)
        return graph

    def _add(self, value: SSAValue, actor: ActorOp) -> None:
        actor.results[0].name_hint = value.name_hint
        self._made[value] = actor

    def _load(self, value: SSAValue) -> Activity:
        if value not in self._loads:
            self._loads[value] = load_of(value, self._activity)
        return self._loads[value]

    def _add_slices(self, cluster: ClusterOp) -> None:
        if cluster.place is not None:
            self._tiles |= dict.fromkeys(cluster.computed, cluster.place.data.tile)
        for part, name, value in zip(cluster.parts, slice_names(cluster), cluster.computed, strict=True):
            events = events_of(cluster, part, self._activity, self._groups[cluster])
            spikes = self._load(value)
            most = firing_time(self._machine, part, events.most, spikes.most)
            mean = firing_time(self._machine, part, events.mean, spikes.mean)
            actor = ActorOp("slice", name, int(most), round(mean), [spikes.most], resource=cluster.sym_name.data)
            self._add(value, actor)

    def _add_transport(self) -> None:
        """Each way of a flow as a `send` and a `carry` actor; a token is its values and one end-of-step marker.

        The ways of one flow on which a token takes equally long to send share the `send` actor.
        """
        loads = [self._load(value) for value, _ in self._flows]
        self._links = links_of(self._machine, [ways for _, ways in self._flows], [load.most + 1 for load in loads])
        means = expected(self._links, [float(load.mean) + 1 for load in loads])
        numbers = iter(range(len(means)))
        for (value, ways), load in zip(self._flows, loads, strict=True):
            producer = self._made[value]
            name = producer.sym_name.data
            senders: dict[tuple[int, int], ActorOp] = {}
            for end, number in zip(ways, numbers, strict=False):
                worst, mean = self._links.waits[number], means[number]
                to = "host" if end == "host" else "{}_{}".format(*end)
                times = int(worst.send), round(mean.send)
                if times not in senders:
                    made = [(producer.results[0], _PASSED_ON)]
                    senders[times] = ActorOp("send", f"{name}.send.{to}", *times, [load.most], reads=made)
                sent, late = [(senders[times].results[0], _PASSED_ON)], (worst.carry, mean.carry)
                carry = ActorOp("carry", f"{name}.carry.{to}", *late, [load.most], concurrent=True, reads=sent)
                self._arrived[value, end] = carry
                self._transport.append((senders[times], carry))
            self._senders.extend(senders.values())

    def too_fast_transport(self, graph: GraphOp, given: Mapping[str, ActorOp]) -> str | None:
        """As `too_fast`, of transport actors only."""
        leads: Leads | None = None
        deadlines = self._with_deadlines(graph, given)
        for number, (send, carry) in enumerate(self._transport):
            if number in deadlines:
                found, needed = min(given[carry.sym_name.data].times), deadlines[number]
                if found < needed:
                    return f"@{carry.sym_name.data} takes {found}, {needed} with the clusters and activity of now"
                continue
            times = [max(given[actor.sym_name.data].times) for actor in (send, carry)]
            least = self._links.waiting(self._links.ways[number])
            if times[0] < least.send:
                if leads is None:
                    # without orders, as when the times were found: waiting for one's turn only makes leads shorter
                    sdf = to_sdf(graph, with_orders=False)
                    leads = Leads(sdf, self._links.ways, self._producers, self._arrivals)
                least = self._links.limited(number, times[0], leads)
            for actor, time, needed in zip((send, carry), times, (least.send, least.carry), strict=True):
                if time < needed:
                    return f"@{actor.sym_name.data} takes {time}, {needed} with the clusters and activity of now"
        return None

    def _with_deadlines(self, graph: GraphOp, given: Mapping[str, ActorOp]) -> dict[int, int]:
        """The least time of each way whose tokens are carried one after the other, as `dataflow-bound-transport` has
        it."""
        ways = [number for number, name in enumerate(self._arrivals) if not given[name].concurrent.data]
        if not ways:
            return {}
        transport = self.transport
        bound = bound_with(transport.facts(graph), transport.links, waits_of(graph))
        return {number: int(bound[number]) for number in ways}

    @property
    def transport(self) -> MappedTransport:
        """What `build` has found."""
        senders = [send.sym_name.data for send, _ in self._transport]
        means = [float(self._load(value).mean) + 1 for value, _ in self._flows]
        return MappedTransport(self._links, senders, self._arrivals, self._producers, self._least(), means)

    def _least(self) -> dict[str, int]:
        """The times of slices without spikes, and of ways for one flit, or as many as partial sums always have."""
        found: dict[str, int] = {}
        partial: set[str] = set()
        for cluster in self._clusters.clusters:
            for name, part in zip(slice_names(cluster), cluster.parts, strict=True):
                found[name] = int(firing_time(self._machine, part, 0, 0))
                partial |= {name} if part.is_partial else set[str]()
        producers = self._producers
        for name, way in zip(self._arrivals, self._links.ways, strict=True):
            flits = self._links.flits[way.flow] if producers[way.flow] in partial else 1
            found[name] = self._links.alone(way, flits)
        return found

    @property
    def _producers(self) -> list[str]:
        """The actor that makes the tokens of each flow."""
        return [self._made[value].sym_name.data for value, _ in self._flows]

    @property
    def _arrivals(self) -> list[str]:
        """The last actor of each way."""
        return [carry.sym_name.data for _, carry in self._transport]

    def tighten(self, graph: GraphOp) -> None:
        """Bound transport by what other flows have to send, where round-robin alone would slow the graph down."""
        work: Counter[str] = Counter()
        for actor in graph.actors:
            if actor.resource_name is not None:
                work[actor.resource_name] += sum(entries(actor.time.data))
        least = max([*work.values(), *self._links.loads])
        actors = [(send.sym_name.data, carry.sym_name.data) for send, carry in self._transport]
        times = faster_transport(to_sdf(graph), self._links, actors, self._producers, least)
        for actor in graph.actors if times else ():
            actor.time = phases_attr(times.get(actor.sym_name.data, actor.time.data))

    def _source(self, value: SSAValue, cluster: ClusterOp, tile: Tile) -> SSAValue:
        """The token of a signal as it is at a cluster's tile."""
        if self._tiles.get(value) == tile:
            return self._made[value].results[0]
        if (value, tile) not in self._arrived:
            fail(
                cluster, f"@{cluster.sym_name.data} reads a signal that is not routed to its tile", "run cluster-route"
            )
        return self._arrived[value, tile].results[0]

    def _wire(self, cluster: ClusterOp) -> None:
        reads = reads_of(cluster, self._groups[cluster])
        tile = cluster.place.data.tile if cluster.place is not None else (0, 0)
        extra = self._extra_space(cluster, reads)
        channels = {
            (signal, delay): (self._source(signal, cluster, tile), Use(1, delay, delay + extra))
            for signal, delay in dict.fromkeys(chain.from_iterable(reads))
        }
        for value, waits in zip(cluster.computed, reads, strict=True):
            self._made[value].wire([channels[each] for each in waits])

    def _extra_space(self, cluster: ClusterOp, reads: Reads) -> int:
        """Tokens beyond the delay that fit the cluster's input buffer: as many as asked for, or fewer."""
        longest: dict[SSAValue, int] = {}
        for signal, delay in chain.from_iterable(reads):
            longest[signal] = max(longest.get(signal, 0), delay)
        sizes = {signal: self._load(signal).most for signal in longest}
        each, least = sum(sizes.values()), sum((delay + 1) * sizes[signal] for signal, delay in longest.items())
        events = self._machine.buffers.events
        if least > events:
            message = f"@{cluster.sym_name.data} needs an input buffer of {least} events, there is {events}"
            fail(cluster, message, "use a machine with larger buffers, shorter delays or smaller crossbars")
        return min(self._space, 1 + (events - least) // each) if each else self._space
