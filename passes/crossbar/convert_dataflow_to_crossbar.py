"""`convert-dataflow-to-crossbar`: what is programmed into the machine."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import SignalType
from snnir.dialects.cluster import ClusterOp, ProgramOp, routes_of
from snnir.dialects.connections import emitter_of
from snnir.dialects.crossbar import (
    ChannelOp,
    FlowOp,
    InputOp,
    MachineOp,
    OutputOp,
    PopulationOp,
)
from snnir.dialects.dataflow import GraphOp, claimant_of
from snnir.dialects.dataflow_attributes import TokenType
from snnir.dialects.platform import Machine
from snnir.dialects.snn import InputOp as SourceOp
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.passes.activity import Assumption, NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.crossbar.programs import Programs
from snnir.passes.dataflow.convert_cluster_to_dataflow import events_of, load_of, slice_names, too_fast
from snnir.passes.dataflow.to_sdf import space_by_signal
from snnir.passes.placeable import check_placeable
from snnir.sim.entry import network_of

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class ConvertDataflowToCrossbar(SNNPass):
    """Program the cells, the neurons, the axon tables, the routes and the orders of every crossbar.

    Needs a placed, routed and scheduled program; replaces program, clusters and graph by one `crossbar.machine`, which
    holds all that the emitted configuration needs. On machines with a stated precision every weight must be an integer
    of that many bits times a scale (a power of two, or what `snn-quantize` chose); nothing is rounded here.
    """

    name = "convert-dataflow-to-crossbar"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        network, target = program(op), machine(op)
        check_placeable(network)
        orders = {order.crossbar.data: order for order in graph.orders}
        if set(orders) != {cluster.sym_name.data for cluster in clusters.clusters}:
            fail(graph, "the crossbars have no static order", "run dataflow-schedule before")
        _check_times(graph, clusters, target, network)
        _check_buffers(graph, clusters, target)
        result = _machine_op(network, clusters, graph)
        block = result.body.block
        arrays = network_of(network)
        programmed = Programs(network, arrays, target)
        sources = list(network.sources.values())
        block.add_ops(InputOp(*_lines(op)) for op in sources if isinstance(op, SourceOp))
        block.add_ops(PopulationOp(*_lines(op)) for op in sources if isinstance(op, NeuronOp))
        block.add_ops(OutputOp(name, emitter_of(output)) for name, output in network.outputs.items())
        names = {c: slice_names(c) for c in clusters.clusters}
        for cluster in clusters.clusters:
            block.add_op(programmed.crossbar(cluster, names, orders[cluster.sym_name.data]))
        _add_channels(result, graph)
        for source in [*clusters.inputs, *clusters.clusters]:
            for route in routes_of(source):
                sender = names[source][route.result] if isinstance(source, ClusterOp) else source.sym_name.data
                block.add_op(FlowOp(sender, route))
        Rewriter.insert_op(result, InsertPoint.after(graph))
        for old in (graph, clusters, network):
            old.detach()
            old.erase()
        self.statistics["crossbars"] = len(clusters.clusters)
        self.statistics["cells programmed"] = programmed.cells
        self.statistics["populations with sums that float64 rounds"] = sum(not p.exact for p in arrays.nodes.values())


def _lines(op: SourceOp | NeuronOp) -> tuple[str, int, Attribute | None, Attribute | None, Attribute | None]:
    """The name and the size of a signal; of codes also their type, and what they stand for."""
    assert isinstance(op.signal.type, SignalType)
    element = op.signal.type.element if op.signal.type.is_coded else None
    step, zero = (op.properties.get(name) if element is not None else None for name in ("step", "zero"))
    return op.sym_name.data, op.size, element, step, zero


def _check_times(graph: GraphOp, clusters: ProgramOp, target: Machine, network: NetworkOp) -> None:
    """The guarantee must belong to this machine, these clusters and the activity that is emitted with it."""
    assumption: Assumption = "peak" if graph.activity.data == "peak" else "worst"
    wrong = too_fast(graph, clusters, target, NetworkActivity(network, assumption))
    if wrong is not None:
        fail(graph, wrong, "run convert-cluster-to-dataflow and what follows it again")


def _check_buffers(graph: GraphOp, clusters: ProgramOp, target: Machine) -> None:
    """The input buffer of each cluster must hold what its channels have space for.

    A signal is in the buffer once, however many slices read it: until the last one has, so for as many tokens as the
    largest capacity says (docs/guarantee.md, Space).
    """
    needed: dict[str, int] = {}
    for (cluster, value), tokens in space_by_signal(graph).items():
        assert isinstance(value.type, TokenType)
        needed[cluster] = needed.get(cluster, 0) + tokens * value.type.size.data
    for op in clusters.clusters:
        name = op.sym_name.data
        if needed.get(name, 0) > target.buffers.events:
            message = f"@{name} needs an input buffer of {needed[name]} events, there is {target.buffers.events}"
            fail(op, message, "give its channels less capacity: dataflow-size-buffers, or those they were made with")


def _machine_op(network: NetworkOp, clusters: ProgramOp, graph: GraphOp) -> MachineOp:
    guarantee = {"period": graph.period, "latency": graph.latency, "predicted": graph.predicted}
    peaks: dict[str, int] | None = None
    peaks_in: dict[str, int] | None = None
    if graph.activity.data == "peak":
        activity = NetworkActivity(network, "peak")
        peaks = {op.sym_name.data: load_of(op.signal, activity).most for op in clusters.inputs}
        peaks_in = {}
        for cluster in clusters.clusters:
            for name, part, value in zip(slice_names(cluster), cluster.parts, cluster.computed, strict=True):
                peaks_in[name] = events_of(cluster, part, activity).most
                if not part.is_partial:
                    peaks[name] = load_of(value, activity).most
    steps = network.steps.data if network.steps is not None else None
    return MachineOp(network.sym_name.data, network.step_seconds, steps, guarantee, peaks, peaks_in)


def _add_channels(result: MachineOp, graph: GraphOp) -> None:
    """The waits between slices: channels of the graph with the transport left out."""
    for actor in graph.actors:
        if actor.kind.data in ("slice", "output"):
            for value, use in actor.reads:
                if use.capacity is None:
                    fail(graph, f"@{actor.sym_name.data} reads a channel of unlimited capacity", "give it a capacity")
                origin = claimant_of(value).sym_name.data
                result.body.block.add_op(ChannelOp(origin, actor.sym_name.data, use.tokens, use.capacity))
