"""From a plan on arrays to the `cluster` dialect: rows from axons, slices with columns, partial sums to their homes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue

from snnir.dialects import cluster
from snnir.dialects.cluster import ClusterOp, OutputOp, ProgramOp
from snnir.dialects.cluster_attributes import Axons, Slice, Windows
from snnir.dialects.connections import emitter_of
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp
from snnir.indices import Indices
from snnir.partition.problem import Part, Plan, Problem

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class _Lines:
    """Consecutive rows of a cluster, or windowed axons: some neurons of one signal, `delay` steps late."""

    carrier: int
    axons: Axons
    places: IntArray
    """Their places among the cluster's fed (or windowed) axons in ascending order."""


class _Carriers:
    """The results that carry spikes or codes, numbered: inputs first, then the slices that hold neurons."""

    def __init__(self, problem: Problem, plan: Plan, inputs: Sequence[int]) -> None:
        """`inputs` are the sizes of the inputs."""
        self.origin: list[tuple[int, int]] = [(-1, n) for n in range(len(inputs))]
        """Of each carrier: its cluster (-1: an input) and its number there."""
        self.of: dict[int, IntArray] = {-1 - n: np.full(size, n) for n, size in enumerate(inputs)}
        """Source (as in `Group`) -> the carrier of each of its neurons."""
        for number, layer in enumerate(problem.layers):
            self.of[number] = np.full(layer.size, -1)
        for number, parts in enumerate(plan):
            for position, part in enumerate(parts):
                if not part.is_partial:
                    self.of[part.layer][part.neurons] = len(self.origin)
                    self.origin.append((number, position))


class Builder:
    """Makes a `cluster.program` of a plan."""

    def __init__(self, network: NetworkOp, problem: Problem, plan: Plan) -> None:
        self._network, self._problem, self._plan = network, problem, plan
        self._inputs = [op for op in network.sources.values() if isinstance(op, InputOp)]
        self._carriers = _Carriers(problem, plan, [op.size for op in self._inputs])
        self._sums: dict[int, list[tuple[int, int]]] = defaultdict(list)
        """For each split, the parts that make partial sums for it."""
        self._found: dict[int, Indices] = {}
        for number, parts in enumerate(plan):
            for position, part in enumerate(parts):
                if part.is_partial and part.home is not None:
                    self._sums[part.home].append((number, position))

    def build(self) -> ProgramOp:
        """The `cluster.program`."""
        result = ProgramOp(self._network.sym_name.data)
        result.location = self._network.location
        inputs = [cluster.InputOp(op.sym_name.data, op.signal.type) for op in self._inputs]
        lines: list[list[_Lines]] = []
        clusters: list[ClusterOp] = []
        populations = [op for op in self._network.sources.values() if isinstance(op, NeuronOp)]
        elements = {op.sym_name.data: op.signal_type.element for op in populations}
        for number, parts in enumerate(self._plan):
            groups, slices = self._held(parts)
            lines.append(groups)
            clusters.append(ClusterOp(f"c{number}", [g.axons for g in groups], slices, elements))
        result.body.block.add_ops([*inputs, *clusters])

        def value(place: tuple[int, int]) -> SSAValue:
            number, position = place
            return inputs[position].signal if number < 0 else clusters[number].computed[position]

        sources = self._network.sources
        for op, parts, groups in zip(clusters, self._plan, lines, strict=True):
            op.location = sources[self._name(parts[0])].location
            signals = [value(self._carriers.origin[g.carrier]) for g in groups]
            op.wire(signals, [value(place) for part in parts for place in self._added(part)])
            for part, computed in zip(parts, op.computed, strict=True):
                computed.name_hint = self._name(part) + ("_sum" if part.is_partial else "")
        for entry in inputs:
            entry.signal.name_hint = entry.sym_name.data
        numbers = {layer.name: n for n, layer in enumerate(self._problem.layers)}
        for name, output in self._network.outputs.items():
            carried: list[int] = np.unique(self._carriers.of[numbers[emitter_of(output)]]).tolist()
            result.body.block.add_op(OutputOp(name, [value(self._carriers.origin[c]) for c in carried]))
        return result

    def _name(self, part: Part) -> str:
        return self._problem.layers[part.layer].name

    def _indices(self, chosen: IntArray) -> Indices:
        """An index set; the same object for the same array, which parts of a split share."""
        if id(chosen) not in self._found:
            self._found[id(chosen)] = Indices.of(chosen)
        return self._found[id(chosen)]

    def _added(self, part: Part) -> list[tuple[int, int]]:
        return self._sums[part.home] if part.home is not None and not part.is_partial else []

    def _held(self, parts: Sequence[Part]) -> tuple[list[_Lines], list[Slice]]:
        """The axons of a cluster, fed ones first, and its slices."""
        fed, fed_number = self._lines([part.axons for part in parts if part.kernel is None], windowed=False)
        windowed, window_number = self._lines([part.axons for part in parts if part.kernel is not None], windowed=True)
        slices: list[Slice] = []
        column, row = 0, sum(len(each.places) for each in fed)
        for part in parts:
            windows = None
            if part.kernel is None:
                rows = fed_number(part.axons)
            else:
                rows = Indices.span(row, row + len(part.kernel))
                row += len(part.kernel)
                windows = Windows(part.reads, self._indices(part.kernel), window_number(part.axons))
            kind = "partial" if part.is_partial else "neurons"
            added = len(self._added(part))
            slices.append(Slice(kind, self._name(part), self._indices(part.neurons), rows, column, added, windows))
            column += part.columns
        return [*fed, *windowed], slices

    def _lines(self, read: Sequence[IntArray], *, windowed: bool) -> tuple[list[_Lines], Callable[[IntArray], Indices]]:
        """The axons that any of some parts reads, signal by signal; and what gives numbers in this order, sorted."""
        axons = read[0] if len(read) == 1 else np.unique(np.concatenate([*read, np.empty(0, np.int64)]))
        found: list[_Lines] = []
        bounds = np.searchsorted(axons, self._problem.starts)
        for group, first, last in zip(self._problem.groups, bounds[:-1], bounds[1:], strict=True):
            if first == last:
                continue
            neurons = axons[first:last] - group.start
            carriers = self._carriers.of[group.source][neurons]
            order = np.argsort(carriers, kind="stable")
            for mine in np.split(order, np.flatnonzero(np.diff(carriers[order])) + 1):
                carrier = int(carriers[mine[0]])
                found.append(_Lines(carrier, Axons(Indices.of(neurons[mine]), group.delay, windowed), first + mine))
        number = np.empty(len(axons), np.int64)
        number[np.concatenate([each.places for each in found] or [np.empty(0, np.int64)])] = np.arange(len(axons))

        def numbers(chosen: IntArray) -> Indices:
            if len(chosen) == len(axons):
                return Indices.span(0, len(axons))
            return Indices.of(np.sort(number[np.searchsorted(axons, chosen)]))

        return found, numbers
