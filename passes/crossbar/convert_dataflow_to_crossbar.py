"""`convert-dataflow-to-crossbar`: what is programmed into the machine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Attribute, OpResult
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.cluster import ClusterOp, ProgramOp, address_of, routes_of
from snnir.dialects.cluster_attributes import Axons, Place, Slice
from snnir.dialects.cluster_verifier import row_axons
from snnir.dialects.connections import emitter_of
from snnir.dialects.crossbar import (
    COEFFICIENTS,
    AxonsOp,
    ChannelOp,
    CrossbarOp,
    FlowOp,
    InputOp,
    MachineOp,
    OrderOp,
    OutputOp,
    PopulationOp,
    SliceOp,
)
from snnir.dialects.dataflow import GraphOp, claimant_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import NetworkOp
from snnir.indices import Indices
from snnir.passes.activity import Assumption, NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.dataflow.convert_cluster_to_dataflow import events_of, graph_of, load_of, slice_names
from snnir.passes.placeable import check_placeable
from snnir.precision import exact_grid, integer_type, largest
from snnir.semantics import Value
from snnir.sim.entry import network_of
from snnir.sim.network import Network, Population

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
        orders = {order.crossbar.data: order.names for order in graph.orders}
        if set(orders) != {cluster.sym_name.data for cluster in clusters.clusters}:
            fail(graph, "the crossbars have no static order", "run dataflow-schedule before")
        _check_times(graph, clusters, target, network)
        result = _machine_op(network, clusters, graph)
        block = result.body.block
        arrays = network_of(network)
        programmed = _Programs(network, arrays, target)
        block.add_ops(InputOp(name, size) for name, size in arrays.inputs.items())
        block.add_ops(PopulationOp(name, p.size) for name, p in arrays.populations.items())
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
        self.statistics["populations with sums that float64 rounds"] = sum(
            not p.exact for p in arrays.populations.values()
        )


def _check_times(graph: GraphOp, clusters: ProgramOp, target: Machine, network: NetworkOp) -> None:
    """The guarantee must belong to this machine, these clusters and the activity that is emitted with it."""
    assumption: Assumption = "peak" if graph.activity.data == "peak" else "worst"
    times = {actor.sym_name.data: actor.time.data for actor in graph.actors}
    for actor in graph_of(clusters, target, NetworkActivity(network, assumption)).actors:
        name, least = actor.sym_name.data, actor.time.data
        if times.get(name, -1) < least:
            found = f"takes {times[name]}" if name in times else "is missing"
            message = f"@{name} {found} in the graph, {least} with the clusters and activity of now"
            fail(graph, message, "run convert-cluster-to-dataflow and what follows it again")


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


@dataclass
class _Column:
    """A population as columns: integers (or floats) per projection, their common scale, the rest."""

    weights: list[Matrix]
    """Per projection (targets, weights of each)."""
    scale: Value
    dtype: "np.dtype[np.generic]"


class _Programs:
    """The cells and constants of the slices, from the program's arrays."""

    def __init__(self, network: NetworkOp, arrays: Network, target: Machine) -> None:
        self._network, self._arrays, self._target = network, arrays, target
        self._columns = {name: self._column(p) for name, p in arrays.populations.items()}
        self.cells = 0

    def crossbar(self, cluster: ClusterOp, names: Mapping[ClusterOp, list[str]], order: list[str]) -> CrossbarOp:
        """The configured crossbar of a cluster."""
        own = cluster.sym_name.data
        cells = self._cells(cluster)
        self.cells += int(np.count_nonzero(cells))
        place = cluster.place.data if cluster.place is not None else Place((0, 0), 0)
        op = CrossbarOp(own, place, TensorAttr.of(f"{own}.cells", cells))
        for signal, axons in zip(cluster.signals, cluster.axons, strict=True):
            op.body.block.add_op(AxonsOp(address_of(signal)[0], Axons(axons.data.neurons, axons.data.delay)))
        for name, part, sums in zip(names[cluster], cluster.parts, cluster.sums_of_slices, strict=True):
            added = [
                names[value.op][value.index]
                for value in sums
                if isinstance(value, OpResult) and isinstance(value.op, ClusterOp)
            ]
            op.body.block.add_op(self._slice(name, part, added))
        op.body.block.add_op(OrderOp(order))
        return op

    def _column(self, population: Population) -> _Column:
        bits = self._target.crossbar.weight_bits
        weights = [p.weights.astype(np.float64).reshape(population.size, -1) for p in population.projections]
        place = self._network.sources[population.name]
        if population.scale is None:
            fail(place, f"the projections into @{population.name} have different scales", "run snn-quantize before")
        if not bits:
            narrow = len(weights) < 2 and all((w == w.astype(np.float32)).all() for w in weights)
            return _Column(weights, population.scale, np.dtype("<f4" if narrow else "<f8"))
        integer = all(p.weights.dtype.kind == "i" for p in population.projections)
        if integer and max((np.abs(w).max(initial=0) for w in weights), default=0) <= largest(bits):
            return _Column(weights, population.scale, integer_type(bits))
        grid = exact_grid(np.concatenate(weights, axis=1), bits)
        if grid is None:
            message = f"the weights into @{population.name} need more than the {bits} bits of '{self._target.name}'"
            fail(place, message, "run snn-quantize before, or choose a machine with more weight bits")
        # a power of two times the program's own scale: sums of integers times it are the program's sums, bit for bit
        scale = grid.scale * population.scale
        ends = np.cumsum([w.shape[1] for w in weights])[:-1]
        return _Column(np.split(grid.integers, ends, axis=1), _compact(scale), integer_type(bits))

    def _cells(self, cluster: ClusterOp) -> "NDArray[np.generic]":
        """The cells of a crossbar, (rows, columns)."""
        kinds = [self._columns[part.population].dtype for part in cluster.parts]
        cells = np.zeros((self._target.crossbar.rows, self._target.crossbar.columns))
        groups = row_axons(cluster)
        starts = np.cumsum([0, *(len(neurons) for _, neurons in groups)])
        for part in cluster.parts:
            rows = part.rows.array
            column = part.column + np.arange(part.size)
            for (axon, neurons), start in zip(groups, starts, strict=False):
                mine = rows[(rows >= start) & (rows < start + len(neurons))]
                if mine.size:
                    cells[np.ix_(mine, column)] += self._block(part, axon, neurons[mine - start])
        rounded = cells.astype(np.result_type(*kinds))
        bits = self._target.crossbar.weight_bits
        if (rounded != cells).any() or (bits and np.abs(cells).max(initial=0) > largest(bits)):
            place = self._network.sources[cluster.parts[0].population]
            fail(place, f"parallel synapses on @{cluster.sym_name.data} add up to more than a cell holds", "merge them")
        return rounded

    def _block(self, part: Slice, axon: tuple[str, int], neurons: NDArray[np.int64]) -> Matrix:
        """The cells between some neurons of one axon group and a slice, (axons, columns)."""
        population = self._arrays.populations[part.population]
        targets = part.neurons.array
        block = np.zeros((len(neurons), len(targets)))
        for projection, weights in zip(population.projections, self._columns[population.name].weights, strict=True):
            if (projection.source, projection.delay) != axon:
                continue
            for place, neuron in enumerate(projection.indices) if projection.one_to_one else ():
                hit = np.outer(neurons == neuron, targets == place)
                block[hit] += weights[place, 0]
            if not projection.one_to_one:
                # a neuron may be read twice (a slice can name it twice): its weights add up in the one cell
                order = np.argsort(neurons)
                found = order[np.searchsorted(neurons, projection.indices, sorter=order).clip(max=len(order) - 1)]
                here = neurons[found] == projection.indices
                np.add.at(block, found[here], weights[np.ix_(targets, here)].T)
        return block

    def _slice(self, name: str, part: Slice, added: list[str]) -> SliceOp:
        if part.is_partial:
            return SliceOp(name, part)
        population = self._arrays.populations[part.population]
        values: dict[str, Value] = {
            "scale": self._columns[part.population].scale,
            "bias": population.bias,
            **{
                key: getattr(population.coefficients, key)
                for key in COEFFICIENTS[population.model]
                if key not in ("scale", "bias")
            },
        }
        constants = {key: _attribute(f"{name}.{key}", value, part.neurons) for key, value in values.items()}
        return SliceOp(name, replace(part, adds=0), added, population.model, constants, population.semantics)


def _attribute(key: str, value: Value, neurons: Indices) -> Attribute:
    """A constant of a slice: one number where all its neurons agree."""
    compact = _compact(np.asarray(value)[neurons.array]) if np.ndim(value) else value
    return TensorAttr.of(key, compact) if isinstance(compact, np.ndarray) else FloatAttr(float(compact), 64)


def _compact(values: "NDArray[np.float64]") -> Value:
    return float(values[0]) if values.size and (values == values[0]).all() else values
