"""`convert-snn-to-cluster`: which neurons and synapses share a crossbar."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects import cluster
from snnir.dialects.cluster import ClusterOp, OutputOp, ProgramOp
from snnir.dialects.cluster_attributes import Axons, Slice
from snnir.dialects.connections import Connection, connections_of, emitter_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp
from snnir.indices import Indices
from snnir.partition import Demand, Part, PartitionError, greedy
from snnir.passes.base import SNNPass, fail, machine, program
from snnir.passes.placeable import check_placeable

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class ConvertSNNToCluster(SNNPass):
    """Partition the program into clusters that fit the machine's crossbars.

    Needs a program and a machine. The program stays in the module; a `cluster.program` that refers to it is added.
    Neurons that read more axons than a crossbar has rows are split into partial sums where the machine adds digitally;
    on other machines run `snn-split-fanin` first.
    """

    name = "convert-snn-to-cluster"

    algorithm: Literal["greedy"] = "greedy"
    """How neurons are grouped: `greedy` packs neurons where most of their inputs already are (first fit)."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine(op)
        _check(network, target)
        axons = _AxonNumbers(network)
        demands = [d for number, p in enumerate(axons.populations) for d in axons.demands(number, p)]
        try:
            plan = greedy(
                demands, target.crossbar.rows, target.crossbar.columns, digital=target.crossbar.fanin == "digital"
            )
        except PartitionError as error:
            name = axons.populations[error.population].sym_name.data
            hint = "run snn-split-fanin before, or compile for a machine with digital partial sums"
            fail(axons.populations[error.population], f"@{name}: {error}", hint)
        Rewriter.insert_op(_Builder(network, axons, plan).build(), InsertPoint.after(network))
        self.statistics["clusters"] = len(plan)
        self.statistics["slices"] = sum(len(parts) for parts in plan)
        self.statistics["partial slices"] = sum(part.is_partial for parts in plan for part in parts)
        self.statistics["cells used"] = sum(len(p.neurons) * len(p.axons) for parts in plan for p in parts)


def _check(network: NetworkOp, target: Machine) -> None:
    """Refuse by name what the machine has no means for."""
    check_placeable(network)
    for op in network.sources.values():
        if not isinstance(op, NeuronOp):
            continue
        if op.MODEL not in target.crossbar.models:
            known = ", ".join(target.crossbar.models)
            fail(op, f"the machine '{target.name}' has no {op.MODEL} neurons", f"it has {known}")
        for connection in connections_of(op):
            if connection.delay > target.crossbar.max_delay:
                longest = target.crossbar.max_delay
                message = f"a delay of {connection.delay} steps; '{target.name}' delays by {longest} at most"
                fail(connection.op, message, "shorten the delay or choose another machine")


class _AxonNumbers:
    """Numbers for the axons of a program: one for each neuron of each (source, delay) that is read."""

    def __init__(self, network: NetworkOp) -> None:
        self.populations = [op for op in network.sources.values() if isinstance(op, NeuronOp)]
        self.connections = {p: connections_of(p) for p in self.populations}
        sizes = {name: op.size for name, op in network.sources.items()}
        order = {name: i for i, name in enumerate(sizes)}
        read = {(c.source, c.delay) for found in self.connections.values() for c in found}
        self.groups = sorted(read, key=lambda group: (order[group[0]], group[1]))
        starts = np.cumsum([0, *(sizes[source] for source, _ in self.groups)])
        self.start = dict(zip(self.groups, starts.tolist(), strict=False))
        self.starts: IntArray = starts

    def of(self, connection: Connection) -> IntArray:
        """The axons that a connection reads, in the order of its weights."""
        return self.start[connection.source, connection.delay] + connection.neurons

    def demands(self, number: int, population: NeuronOp) -> list[Demand]:
        """What a population asks of the clustering: one demand, or one per neuron when some read axons of their own."""
        found = self.connections[population]
        shared = np.unique(np.concatenate([self.of(c) for c in found if not c.one_to_one] or [np.empty(0, np.int64)]))
        own = [self.of(c) for c in found if c.one_to_one]
        if not own:
            return [Demand(number, np.arange(population.size), shared)]
        return [
            Demand(number, np.array([n]), np.union1d(shared, np.array([axons[n] for axons in own])))
            for n in range(population.size)
        ]


Carrier = tuple[int, int]
"""A result: cluster (-1: an input) and slice (or the number of the input)."""


class _Builder:
    """Turns parts into ops: rows from axons, slices with columns one after the other, partial sums to their homes."""

    def __init__(self, network: NetworkOp, axons: _AxonNumbers, plan: Sequence[Sequence[Part]]) -> None:
        self._network, self._axons, self._plan = network, axons, plan
        self._carriers: dict[str, list[tuple[IntArray, Carrier]]] = defaultdict(list)
        self._sums: dict[int, list[Carrier]] = defaultdict(list)
        """For each split, the parts that make partial sums for it."""
        inputs = [(name, op.size) for name, op in network.sources.items() if isinstance(op, InputOp)]
        for number, (name, size) in enumerate(inputs):
            self._carriers[name].append((np.arange(size), (-1, number)))
        for number, parts in enumerate(plan):
            for position, part in enumerate(parts):
                if part.is_partial and part.home is not None:
                    self._sums[part.home].append((number, position))
                else:
                    self._carriers[self._name(part)].append((part.neurons, (number, position)))

    def build(self) -> ProgramOp:
        """The `cluster.program`."""
        result = ProgramOp(self._network.sym_name.data)
        result.location = self._network.location
        block = result.body.block
        inputs = [
            cluster.InputOp(name, op.signal.type)
            for name, op in self._network.sources.items()
            if isinstance(op, InputOp)
        ]
        rows = [np.unique(np.concatenate([part.axons for part in parts])) for parts in self._plan]
        groups = [self._groups(axons) for axons in rows]
        clusters = [
            ClusterOp(f"c{number}", [axons for _, axons, _ in found], self._slices(parts, axons, found))
            for number, (parts, axons, found) in enumerate(zip(self._plan, rows, groups, strict=True))
        ]
        block.add_ops([*inputs, *clusters])

        def value(carrier: Carrier) -> SSAValue:
            number, position = carrier
            return inputs[position].signal if number < 0 else clusters[number].computed[position]

        for op, parts, found in zip(clusters, self._plan, groups, strict=True):
            op.location = self._axons.populations[parts[0].population].location
            op.wire([value(c) for c, _, _ in found], [value(c) for part in parts for c in self._added(part)])
            for part, result_value in zip(parts, op.computed, strict=True):
                result_value.name_hint = self._name(part) + ("_sum" if part.is_partial else "")
        for entry in inputs:
            entry.signal.name_hint = entry.sym_name.data
        for name, output in self._network.outputs.items():
            source = emitter_of(output)
            block.add_op(OutputOp(name, [value(carrier) for _, carrier in self._carriers[source]]))
        return result

    def _name(self, part: Part) -> str:
        return self._axons.populations[part.population].sym_name.data

    def _added(self, part: Part) -> list[Carrier]:
        return self._sums[part.home] if part.home is not None and not part.is_partial else []

    def _groups(self, axons: IntArray) -> list[tuple[Carrier, Axons, IntArray]]:
        """The rows of a cluster in order: for each signal read, its carrier, its axons, and their places in `axons`."""
        found: list[tuple[Carrier, Axons, IntArray]] = []
        for position, (source, delay) in enumerate(self._axons.groups):
            start, stop = self._axons.starts[position : position + 2]
            first, last = np.searchsorted(axons, [start, stop])
            neurons = axons[first:last] - start
            for carried, carrier in self._carriers[source]:
                mine = np.flatnonzero(np.isin(neurons, carried))
                if mine.size:
                    found.append((carrier, Axons(Indices.of(neurons[mine]), delay), first + mine))
        return found

    def _slices(
        self, parts: Sequence[Part], axons: IntArray, groups: Sequence[tuple[Carrier, Axons, IntArray]]
    ) -> list[Slice]:
        row = np.empty(len(axons), np.int64)
        row[np.concatenate([places for _, _, places in groups] or [np.empty(0, np.int64)])] = np.arange(len(axons))
        slices: list[Slice] = []
        column = 0
        for part in parts:
            rows = Indices.of(np.sort(row[np.searchsorted(axons, part.axons)]))
            kind = "partial" if part.is_partial else "neurons"
            added = len(self._added(part))
            slices.append(Slice(kind, self._name(part), Indices.of(part.neurons), rows, column, added))
            column += len(part.neurons)
        return slices
