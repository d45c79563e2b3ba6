"""`convert-cluster-to-dataflow`: the placed and routed program as a dataflow graph."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import OpResult, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.cluster import ClusterOp, InputOp, ProgramOp, address_of, routes_of
from snnir.dialects.cluster_attributes import PartialType, Slice
from snnir.dialects.cluster_routes import Destination
from snnir.dialects.cluster_synapses import axon_groups, axons_of, taken
from snnir.dialects.dataflow import ActorOp, GraphOp, Use
from snnir.dialects.platform import Machine
from snnir.dialects.ways import floor_of, start_of
from snnir.passes.activity import Activity, NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.dataflow.network_time import Contention, Ways, firing_time, ways_of


@dataclass(frozen=True)
class ConvertClusterToDataflow(SNNPass):
    """Build the dataflow graph of the mapped program: an actor per slice, input and output, two per way of a flow.

    Needs placed and routed clusters. Each use of a slice gets its delay as initial tokens and space for two more
    tokens (one, where the input buffer is too small for two).
    """

    name = "convert-cluster-to-dataflow"

    activity: Literal["peak", "worst"] = "peak"
    """What the guarantee assumes: no step with more spikes than the profile's `peak`, or nothing (`worst`)."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        for cluster in clusters.clusters:
            if cluster.place is None:
                fail(cluster, f"@{cluster.sym_name.data} has no place", "run cluster-place and cluster-route before")
        network = program(op)
        graph = graph_of(clusters, machine(op), NetworkActivity(network, self.activity))
        Rewriter.insert_op(graph, InsertPoint.after(clusters))
        self.statistics["actors"] = len(graph.actors)
        self.statistics["channels"] = sum(len(actor.taken) for actor in graph.actors)


def graph_of(clusters: ProgramOp, target: Machine, activity: NetworkActivity) -> GraphOp:
    """The dataflow graph of placed and routed clusters, in no module yet."""
    graph = _Builder(clusters, target, activity).build()
    graph.location = clusters.location
    return graph


def slice_names(cluster: ClusterOp) -> list[str]:
    """A name for each slice of a cluster: `c0.hidden`, or `c0.hidden.1` for a second slice of one population."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for part in cluster.parts:
        number = seen[part.population]
        names.append(f"{cluster.sym_name.data}.{part.population}" + (f".{number}" if number else ""))
        seen[part.population] += 1
    return names


def reads_of(cluster: ClusterOp) -> list[dict[tuple[SSAValue, int], None]]:
    """For each slice, the signals (with delay) and partial sums that it waits for, in order."""
    groups, signals = axon_groups(cluster), list(cluster.signals)
    found: list[dict[tuple[SSAValue, int], None]] = []
    for part, sums in zip(cluster.parts, cluster.sums_of_slices, strict=True):
        waits = {(signals[number], groups[number].axon[1]): None for number, _ in taken(part, groups)}
        found.append(waits | {(value, 0): None for value in sums})
    return found


def events_of(cluster: ClusterOp, part: Slice, activity: NetworkActivity) -> Activity:
    """Spikes per step on the axons that a slice reads; those of one population and delay are bounded together."""
    parts = [activity.of(source, neurons) for (source, _), neurons in axons_of(part, axon_groups(cluster)).items()]
    return sum(parts, Activity(Fraction(0), 0))


def load_of(value: SSAValue, activity: NetworkActivity) -> Activity:
    """Values in a token of a signal: spikes, or one per partial sum."""
    if isinstance(value.type, PartialType):
        size = value.type.size.data
        return Activity(Fraction(size), size)
    return activity.of(*address_of(value))


class _Builder:
    def __init__(self, clusters: ProgramOp, target: Machine, activity: NetworkActivity) -> None:
        self._clusters, self._machine, self._activity = clusters, target, activity
        self._network = clusters.network.root_reference.data
        self._flows: list[tuple[SSAValue, Ways]] = []
        floor = floor_of(target)
        for op in [*clusters.inputs, *clusters.clusters]:
            for route in routes_of(op):
                ways = ways_of(floor, start_of(op, floor), route, from_host=isinstance(op, InputOp))
                self._flows.append((op.results[route.result], ways))
        self._made: dict[SSAValue, ActorOp] = {}
        self._arrived: dict[tuple[SSAValue, Destination], ActorOp] = {}

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
            actor.wire([(self._arrived[signal, "host"].made[0], Use(1, 0, 2)) for signal in op.signals])
            block.add_op(actor)
        return graph

    def _add(self, value: SSAValue, actor: ActorOp) -> None:
        actor.made[0].name_hint = value.name_hint
        self._made[value] = actor

    def _add_slices(self, cluster: ClusterOp) -> None:
        for part, name, value in zip(cluster.parts, slice_names(cluster), cluster.computed, strict=True):
            events, spikes = events_of(cluster, part, self._activity), load_of(value, self._activity)
            most = firing_time(self._machine, part, events.most, spikes.most)
            mean = firing_time(self._machine, part, events.mean, spikes.mean)
            actor = ActorOp("slice", name, int(most), round(mean), [spikes.most], resource=cluster.sym_name.data)
            self._add(value, actor)

    def _add_transport(self) -> None:
        """Each way of a flow as a `send` and a `carry` actor; a token is its values and one end-of-step marker.

        The ways of one flow on which a token takes equally long to send share the `send` actor.
        """
        contention = Contention(self._machine, [ways for _, ways in self._flows])
        self._senders: list[ActorOp] = []
        for value, ways in self._flows:
            load = load_of(value, self._activity)
            producer = self._made[value]
            name = producer.sym_name.data
            senders: dict[tuple[int, int], ActorOp] = {}
            for end, links in ways.items():
                worst = contention.worst(links, load.most + 1)
                mean = contention.alone(links, load.mean + 1)
                to = "host" if end == "host" else "{}_{}".format(*end)
                times = int(worst.send), round(mean.send)
                if times not in senders:
                    senders[times] = ActorOp("send", f"{name}.send.{to}", *times, [load.most])
                    senders[times].wire([(producer.made[0], Use())])
                carry = ActorOp("carry", f"{name}.carry.{to}", worst.carry, mean.carry, [load.most], concurrent=True)
                carry.wire([(senders[times].made[0], Use())])
                self._arrived[value, end] = carry
            self._senders.extend(senders.values())

    def _source(self, value: SSAValue, cluster: ClusterOp) -> SSAValue:
        """The token of a signal as it is at a cluster's tile."""
        tile = cluster.place.data.tile if cluster.place is not None else (0, 0)
        owner = value.op if isinstance(value, OpResult) else None
        local = isinstance(owner, ClusterOp) and owner.place is not None and owner.place.data.tile == tile
        if local:
            return self._made[value].made[0]
        if (value, tile) not in self._arrived:
            fail(
                cluster, f"@{cluster.sym_name.data} reads a signal that is not routed to its tile", "run cluster-route"
            )
        return self._arrived[value, tile].made[0]

    def _wire(self, cluster: ClusterOp) -> None:
        reads = reads_of(cluster)
        extra = self._extra_space(cluster, reads)
        for value, waits in zip(cluster.computed, reads, strict=True):
            self._made[value].wire(
                [(self._source(signal, cluster), Use(1, delay, delay + extra)) for signal, delay in waits]
            )

    def _extra_space(self, cluster: ClusterOp, reads: Iterable[dict[tuple[SSAValue, int], None]]) -> int:
        """Tokens beyond the delay that fit the cluster's input buffer: two, or one."""
        longest: dict[SSAValue, int] = {}
        for signal, delay in (key for waits in reads for key in waits):
            longest[signal] = max(longest.get(signal, 0), delay)
        needed = {
            extra: sum((delay + extra) * load_of(signal, self._activity).most for signal, delay in longest.items())
            for extra in (2, 1)
        }
        events = self._machine.buffers.events
        if needed[1] > events:
            message = f"@{cluster.sym_name.data} needs an input buffer of {needed[1]} events, there is {events}"
            fail(cluster, message, "use a machine with larger buffers, shorter delays or smaller crossbars")
        return 2 if needed[2] <= events else 1
