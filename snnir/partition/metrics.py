"""Whether a plan is one, and what it is worth: checks, traffic, utilisation, and how few crossbars there can be."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from snnir.partition.problem import Part, Plan, Problem, Vector, rows_of
from snnir.partition.sharing import shared_kernel
from snnir.synapses import Conv, IntArray, Marks, Selected


def check(problem: Problem, plan: Plan) -> None:
    """Raises `ValueError` with what is wrong, unless the plan is one for the problem.

    Every neuron sits in exactly one part and every synapse (axon, neuron) is in exactly one; clusters are within the
    crossbar; parts with the same `home` belong together. Synapses are not listed: each axon gets a random 64-bit mark,
    and the marks that the parts of a neuron hold must add up to those of all its axons. A synapse that is missing or
    there twice is overlooked with a probability of about 2**-63.
    """
    for number, parts in enumerate(plan):
        _check_cluster(problem, number, parts)
    _check_homes(problem, plan)
    _check_neurons(problem, plan)
    _check_synapses(problem, plan)


def _check_cluster(problem: Problem, number: int, parts: Sequence[Part]) -> None:
    if not parts:
        raise ValueError(f"cluster {number} is empty")
    for part in parts:
        if not 0 <= part.layer < len(problem.layers):
            raise ValueError(f"cluster {number}: there is no layer number {part.layer}")
        name, neurons, axons = problem.layers[part.layer].name, part.neurons, part.axons
        if not len(neurons) or len(np.unique(neurons)) < len(neurons):
            raise ValueError(f"cluster {number}: a part of layer {name} has no neurons, or one twice")
        if neurons.min() < 0 or neurons.max() >= problem.layers[part.layer].size:
            raise ValueError(f"cluster {number}: a part has neurons that layer {name} does not have")
        if len(axons) and (axons[0] < 0 or axons[-1] >= problem.axons or (np.diff(axons) <= 0).any()):
            raise ValueError(f"cluster {number}: axons of a part of layer {name} do not ascend, or do not exist")
        if part.kernel is not None or part.reads != 1:
            _check_kernel(problem, number, part)
    kept = max(problem.neurons, problem.columns)
    for used, limit, what in (
        (rows_of(parts), problem.rows, "rows"),
        (sum(part.columns for part in parts), problem.columns, "columns"),
        (len(parts), problem.slices or len(parts), "slices"),
        (sum(len(part.neurons) for part in parts if not part.is_partial), kept, "neurons"),
        (max(len(part.neurons) for part in parts), kept, "neurons"),
        (_stored(problem, parts) if problem.synapses else 0, problem.synapses, "synapses"),
    ):
        if used > limit:
            raise ValueError(f"cluster {number} takes {used} {what}, a crossbar has {limit}")


def _stored(problem: Problem, parts: Sequence[Part]) -> int:
    """The synapses that a cluster takes memory for."""
    return sum(
        int(np.count_nonzero(kernel_cells(problem, part)))
        if part.kernel is not None
        else int(np.count_nonzero(problem.connected(part.layer, part.axons, part.neurons)))
        for part in parts
    )


def _check_kernel(problem: Problem, number: int, part: Part) -> None:
    """A part that is read several times: channels at the same positions, and all axons that its windows meet."""
    name = problem.layers[part.layer].name
    if part.kernel is None or len(np.unique(part.kernel)) < len(part.kernel) or _conv(problem, part) is None:
        raise ValueError(f"cluster {number}: a part of layer {name} is read several times, but has no kernel")
    if part.reads < 1 or len(part.neurons) % part.reads:
        raise ValueError(
            f"cluster {number}: {part.reads} reads do not make {len(part.neurons)} neurons of layer {name}"
        )
    shared = _Shared(problem, part)
    if not np.array_equal(part.neurons, (shared.channels[:, None] * shared.plane + shared.positions).ravel()):
        raise ValueError(f"cluster {number}: the channels of layer {name} are not read at the same positions")
    if not np.isin(shared.met[shared.met >= 0], part.axons).all():
        raise ValueError(f"cluster {number}: windows of layer {name} meet axons that the part does not have")


def _conv(problem: Problem, part: Part) -> Conv | None:
    """The only projection of a part's layer, if that is a convolution."""
    inputs = problem.layers[part.layer].inputs
    synapses = inputs[0].synapses if len(inputs) == 1 else None
    synapses = synapses.inner if isinstance(synapses, Selected) else synapses
    return synapses if isinstance(synapses, Conv) else None


class _Shared:
    """A part that is read several times."""

    def __init__(self, problem: Problem, part: Part) -> None:
        conv, each = _conv(problem, part), problem.layers[part.layer].inputs[0]
        assert conv is not None and part.kernel is not None
        self.plane = prod(conv.windows.result)
        self.channels: IntArray = part.neurons[:: part.reads] // self.plane
        """Of each column."""
        self.positions: IntArray = part.neurons[: part.reads] % self.plane
        """Of each read."""
        self.weights: NDArray[np.bool_] = conv.reads(part.kernel // prod(conv.windows.kernel), self.channels)
        """Whether there is a weight, (rows, columns)."""
        met = conv.met(self.positions, part.kernel)
        source = each.synapses.chosen[met] if isinstance(each.synapses, Selected) else met
        used = (met >= 0) & self.weights.any(axis=1)
        self.met: IntArray = np.where(used, problem.groups[each.group].start + source, -1)
        """The axon that each read meets on each row, (reads, rows); -1 where there is none, or no column reads it."""

    def held(self, marks: Marks) -> Marks:
        """For each neuron the sum of the marks of the axons that it reads."""
        found = np.where(self.met >= 0, marks[self.met], np.uint64(0))
        columns = [np.where(column, found, np.uint64(0)).sum(axis=1, dtype=np.uint64) for column in self.weights.T]
        return np.concatenate([np.empty(0, np.uint64), *columns])


def _check_homes(problem: Problem, plan: Plan) -> None:
    """Parts of one home: same neurons, disjoint axons, one that the neurons sit in."""
    together: dict[int, list[Part]] = {}
    for part in (part for parts in plan for part in parts):
        name = problem.layers[part.layer].name
        if part.home is None:
            if part.is_partial:
                raise ValueError(f"a part of layer {name} holds partial sums that nothing adds")
            continue
        if not problem.digital:
            raise ValueError(f"layer {name} is split by axons, on a machine that adds no partial sums")
        together.setdefault(part.home, []).append(part)
    for home, parts in together.items():
        first, name = parts[0], problem.layers[parts[0].layer].name
        if sum(not part.is_partial for part in parts) != 1:
            raise ValueError(f"home {home} of layer {name}: not exactly one of its parts holds the neurons")
        if any(p.layer != first.layer or not np.array_equal(p.neurons, first.neurons) for p in parts):
            raise ValueError(f"home {home} of layer {name}: its parts have different neurons")
        # a row is an axon, or a place of the kernel: windows may meet one axon with several places
        axons = np.concatenate([part.axons if part.kernel is None else part.kernel for part in parts])
        if len(np.unique(axons)) < len(axons):
            raise ValueError(f"home {home} of layer {name}: two of its parts have an axon in common")


def _check_neurons(problem: Problem, plan: Plan) -> None:
    for number, layer in enumerate(problem.layers):
        here = [p.neurons for parts in plan for p in parts if p.layer == number and not p.is_partial]
        times = np.bincount(np.concatenate([*here, np.empty(0, np.int64)]), minlength=layer.size)
        wrong = np.flatnonzero(times != 1)
        if len(wrong):
            raise ValueError(f"layer {layer.name}: neuron {wrong[0]} sits in {times[wrong[0]]} clusters, not in one")


def _check_synapses(problem: Problem, plan: Plan) -> None:
    marks = np.random.default_rng(0).integers(0, 2**64 - 1, problem.axons, np.uint64, endpoint=True)
    left = [_marked(problem, number, marks) for number in range(len(problem.layers))]
    for part in (part for parts in plan for part in parts):
        left[part.layer][part.neurons] -= _held(problem, part, marks)
    for layer, rest in zip(problem.layers, left, strict=True):
        wrong = np.flatnonzero(rest)
        if len(wrong):
            raise ValueError(
                f"layer {layer.name}: synapses of {len(wrong)} neurons are in no part or in two, such as of neuron "
                f"{wrong[0]}"
            )


def _held(problem: Problem, part: Part, marks: Marks) -> Marks:
    """For each neuron of a part the sum of the marks of the axons that it reads there."""
    if part.kernel is not None:
        return _Shared(problem, part).held(marks)
    connected = problem.connected(part.layer, part.axons, part.neurons)
    return np.where(connected, marks[part.axons][:, None], np.uint64(0)).sum(axis=0, dtype=np.uint64)


def _marked(problem: Problem, number: int, marks: Marks) -> Marks:
    """For each neuron of a layer the sum of the marks of the axons that it reads."""
    layer = problem.layers[number]
    if _is_shared(problem, number):
        csr = problem.csr(number)
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(marks[csr.indices], dtype=np.uint64)])
        return sums[csr.indptr[1:]] - sums[csr.indptr[:-1]]
    total = np.zeros(layer.size, np.uint64)
    for each in layer.inputs:
        group = problem.groups[each.group]
        total += each.synapses.marked(marks[group.start : group.start + group.size])
    return total


def _is_shared(problem: Problem, number: int) -> bool:
    """Whether two projections of a layer read the same axons, so that synapses of both may be the same."""
    inputs = problem.layers[number].inputs
    return len({each.group for each in inputs}) < len(inputs)


def crossbars(plan: Plan) -> int:
    """How many crossbars a plan takes."""
    return len(plan)


def source_spikes(problem: Problem) -> Vector:
    """Spikes per step of each neuron and input that is read, by its number in `problem.home`."""
    result = np.zeros(int(problem.home.max(initial=-1)) + 1)
    np.maximum.at(result, problem.home, problem.spikes)
    return result


def places(problem: Problem, plan: Plan) -> list[IntArray]:
    """For each layer, the cluster that each neuron sits in."""
    result = [np.full(layer.size, -1) for layer in problem.layers]
    for number, part in _numbered(plan):
        if not part.is_partial:
            result[part.layer][part.neurons] = number
    return result


def spikes_between(problem: Problem, plan: Plan) -> float:
    """Spikes per step that travel between crossbars.

    The sum over neurons and inputs of spikes x number of crossbars, other than the own one, that read them. Axons of
    one neuron with several delays count once per crossbar; inputs have no crossbar of their own.
    """
    spikes = source_spikes(problem)
    clusters = max(len(plan), 1)
    read = [problem.home[part.axons] * clusters + number for number, part in _numbered(plan)]
    source, reader = np.divmod(np.unique(np.concatenate([*read, np.empty(0, np.int64)])), clusters)
    own = np.full(len(spikes), -1)
    sits = places(problem, plan)
    for group in problem.groups:
        if group.source >= 0:
            own[problem.home[group.start : group.start + group.size]] = sits[group.source]
    return float(spikes[source[reader != own[source]]].sum())


def sums_between(plan: Plan) -> int:
    """Partial sums per step that travel between crossbars."""
    homes = {part.home: number for number, part in _numbered(plan) if not part.is_partial}
    return sum(len(part.neurons) for number, part in _numbered(plan) if part.is_partial and homes[part.home] != number)


def _numbered(plan: Plan) -> list[tuple[int, Part]]:
    return [(number, part) for number, parts in enumerate(plan) for part in parts]


@dataclass(frozen=True)
class Utilisation:
    """How full crossbars are, between 0 and 1; one number per cluster, (clusters,)."""

    rows: Vector
    columns: Vector
    cells: Vector
    """Cells with a synapse, of all cells of the crossbar."""

    @property
    def overall(self) -> tuple[float, float, float]:
        """The mean utilisation of rows, of columns and of cells; 0 without clusters."""
        a, b, c = (float(each.mean()) if len(each) else 0.0 for each in (self.rows, self.columns, self.cells))
        return a, b, c


def utilisation(problem: Problem, plan: Plan) -> Utilisation:
    """How full the crossbars are."""
    fanin = [problem.fanin(number) for number in range(len(problem.layers))]
    rows, columns, cells = np.zeros((3, len(plan)))
    for number, parts in enumerate(plan):
        rows[number] = rows_of(parts)
        for part in parts:
            columns[number] += part.columns
            if part.kernel is not None:
                cells[number] += np.count_nonzero(kernel_cells(problem, part))
            elif part.home is None:
                cells[number] += fanin[part.layer][part.neurons].sum()
            else:
                cells[number] += np.count_nonzero(problem.connected(part.layer, part.axons, part.neurons))
    return Utilisation(rows / problem.rows, columns / problem.columns, cells / (problem.rows * problem.columns))


def kernel_cells(problem: Problem, part: Part) -> "NDArray[np.bool_]":
    """Where a part that is read at several positions has weights, (rows, columns)."""
    conv = _conv(problem, part)
    assert conv is not None and part.kernel is not None
    channels = part.neurons[:: part.reads] // prod(conv.windows.result)
    return conv.reads(part.kernel // prod(conv.windows.kernel), channels)


def kernel_axons(problem: Problem, part: Part) -> IntArray:
    """The axons that the windows of such a part meet where a column reads them, ascending."""
    met = _Shared(problem, part).met
    return np.unique(met[met >= 0])


@dataclass(frozen=True)
class Bounds:
    """Numbers of crossbars that no plan is below, each for one reason."""

    columns: int
    """A neuron takes a column for each `rows` axons or part of it."""
    rows: int
    """A row carries one axon to at most `columns` neurons."""
    cells: int
    """A cell holds one synapse, and the memory of a crossbar so many."""
    slices: int
    """A crossbar has room for parts of so many layers; 0 without such a limit."""
    neurons: int = 0
    """A crossbar keeps the state of so many neurons; 0 where each has a column of its own."""

    @property
    def crossbars(self) -> int:
        """The largest: no plan has fewer crossbars."""
        return max(self.columns, self.rows, self.cells, self.slices, self.neurons)


def lower_bounds(problem: Problem) -> Bounds:
    """How few crossbars there can be; from the numbers of synapses per neuron and per axon alone."""
    return demands(problem)[0]


@dataclass(frozen=True)
class Demand:
    """What a layer takes by itself."""

    synapses: int
    fanin: int
    """The most axons of a neuron."""
    axons: int
    """Different axons that any of its neurons reads."""
    least: Bounds


@dataclass(frozen=True)
class _Lines:
    """What layers take of crossbars."""

    columns: int
    rows: int
    cells: int
    neurons: int


def demands(problem: Problem) -> tuple[Bounds, list[Demand]]:
    """`lower_bounds`, and what each layer takes as if it were alone."""
    readers: dict[int, IntArray] = {}
    rows: dict[int, int] = {}
    found: list[Demand] = []
    every: list[_Lines] = []
    parts = 0
    readings = Counter(each.group for layer in problem.layers for each in layer.inputs)
    for number, layer in enumerate(problem.layers):
        counts, local = np.bincount(problem.fanin(number)), _readers(problem, number)
        own = {group: np.bincount(each) for group, each in local.items()}
        rows_alone = {group: _ceil_sum(each, problem.columns) for group, each in own.items()}
        lines = _kernel_lines(problem, number)
        if lines is None:
            lines = _lines(problem, counts, sum(rows_alone.values()))
            for group, each in local.items():
                both = group in readers
                readers[group] = readers[group] + each if both else each
                rows[group] = _ceil_sum(np.bincount(readers[group]), problem.columns) if both else rows_alone[group]
        else:
            # where another layer reads the same axons, rows may be shared if the kernel is not: cells count then
            rows[-1 - number] = lines.rows if all(readings[each.group] == 1 for each in layer.inputs) else 0
        axons = sum(int(each[1:].sum()) for each in own.values())
        synapses = int((np.arange(len(counts)) * counts).sum())
        found.append(Demand(synapses, max(len(counts) - 1, 0), axons, _bounds(problem, lines)))
        every.append(lines)
        # every part is of one layer, so that what bounds crossbars bounds the parts of a layer too
        parts += found[-1].least.crossbars
    columns, cells, neurons = (sum(getattr(each, name) for each in every) for name in ("columns", "cells", "neurons"))
    return _bounds(problem, _Lines(columns, sum(rows.values()), cells, neurons), parts), found


def _lines(problem: Problem, fanin: IntArray, rows: int) -> _Lines:
    """What a layer takes where each neuron has a column; `fanin[n]` neurons read n axons."""
    size = int(fanin.sum())
    columns = _ceil_sum(fanin, problem.rows) + int(fanin[:1].sum()) if problem.digital else size
    return _Lines(columns, rows, int((np.arange(len(fanin)) * fanin).sum()), size)


def _kernel_lines(problem: Problem, number: int) -> _Lines | None:
    """What a layer takes whose kernel may be read at several positions in a step: once, for the neuron with most axons.

    That holds however many of its neurons have columns of their own. Where windows reach beyond a small plane, no
    neuron reads the whole kernel.
    """
    conv = shared_kernel(problem, number)
    if conv is None:
        return None
    places = int(problem.fanin(number).max(initial=0))
    columns = len(conv.weights) * (-(-places // problem.rows) if problem.digital else 1)
    rows = conv.groups * places * -(-conv.group_out // problem.columns)
    return _Lines(columns, rows, len(conv.weights) * places, conv.targets)


def _bounds(problem: Problem, lines: _Lines, parts: int = 0) -> Bounds:
    return Bounds(
        columns=-(-lines.columns // problem.columns),
        rows=-(-lines.rows // problem.rows),
        cells=-(-lines.cells // problem.cells),
        slices=-(-parts // problem.slices) if problem.slices else 0,
        neurons=-(-lines.neurons // problem.neurons) if problem.neurons > problem.columns else 0,
    )


def _ceil_sum(counts: IntArray, unit: int) -> int:
    """The sum of numbers divided by `unit`, each rounded up; `counts[n]` of them are n."""
    return int((-(-np.arange(len(counts)) // unit) * counts).sum())


def _readers(problem: Problem, number: int) -> dict[int, IntArray]:
    """How many neurons of a layer read each axon of each group that it reads, (size of the group,)."""
    found: dict[int, IntArray] = {}
    if _is_shared(problem, number):
        total = np.bincount(problem.csr(number).indices, minlength=problem.axons)
        for each in problem.layers[number].inputs:
            group = problem.groups[each.group]
            found[each.group] = total[group.start : group.start + group.size]
        return found
    for each in problem.layers[number].inputs:
        found[each.group] = each.synapses.outdegree()
    return found
