"""`cluster-merge`, a pass of your own: fewer crossbars, by emptying under-filled clusters into the room of others.

Load it with `snn-opt --load merge_clusters.py` and name it between `convert-snn-to-cluster` and `cluster-place`.
README.md beside this file says what it is good for, docs/writing-a-pass.md how it is made.

The first half of the file knows nothing of the IR: a `Piece` is what a slice computes, a `Load` what a cluster holds,
and `merged` moves pieces between loads. The second half is the pass: it reads loads out of a `cluster.program` and
writes them back as one.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import OpResult, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects import cluster
from snnir.dialects.attributes import SignalType
from snnir.dialects.cluster import ClusterOp, OutputOp, ProgramOp, address_of
from snnir.dialects.cluster_attributes import Axons, Slice
from snnir.dialects.cluster_synapses import axon_groups
from snnir.indices import Indices
from snnir.passes.base import SNNPass, fail, machine, only, program

Axon = tuple[str, int, int]
"""An input or population, a delay in steps, and a neuron: what drives one row."""


@dataclass(frozen=True)
class Piece:
    """What a slice computes, wherever it sits."""

    population: str
    neurons: tuple[int, ...]
    axons: frozenset[Axon]
    family: int | None = None
    """Partial sums and the neurons that add them have a number in common; `None`: all axons are read here."""
    is_partial: bool = False

    def joined(self, other: "Piece") -> "Piece | None":
        """Both as one piece, when they are of one family, or whole neurons of one population."""
        if (self.population, self.family) != (other.population, other.family):
            return None
        neurons = self.neurons if self.family is not None else tuple(sorted({*self.neurons, *other.neurons}))
        return replace(
            self,
            neurons=neurons,
            axons=self.axons | other.axons,
            is_partial=self.is_partial and other.is_partial,
        )


@dataclass(frozen=True)
class Load:
    """What a cluster holds."""

    name: str
    pieces: tuple[Piece, ...]

    @cached_property
    def axons(self) -> frozenset[Axon]:
        """What its rows carry: an axon that several pieces read takes one row."""
        return frozenset[Axon]().union(*(piece.axons for piece in self.pieces))

    @cached_property
    def columns(self) -> int:
        """The columns that its pieces take."""
        return sum(len(piece.neurons) for piece in self.pieces)

    def adding(self, piece: Piece) -> "Load":
        """With one more piece, joined to one that is here where that is possible."""
        for number, known in enumerate(self.pieces):
            both = known.joined(piece)
            if both is not None:
                return Load(self.name, (*self.pieces[:number], both, *self.pieces[number + 1 :]))
        return Load(self.name, (*self.pieces, piece))


@dataclass(frozen=True)
class Rules:
    """When a piece may move to a load, and which load it likes best."""

    rows: int
    columns: int
    min_shared: int
    prefer: str
    cut: bool

    def allow(self, load: Load, piece: Piece) -> bool:
        """Whether the load has room, and shares enough axons with the piece."""
        after = load.adding(piece)
        shared = len(load.axons & piece.axons)
        return after.columns <= self.columns and len(after.axons) <= self.rows and shared >= self.min_shared

    def rank(self, load: Load, piece: Piece) -> tuple[int, int, int]:
        """How well a piece does there: columns that joining saves, then axons shared or columns in use."""
        saved = load.columns + len(piece.neurons) - load.adding(piece).columns
        shared = len(load.axons & piece.axons)
        return (saved, shared, load.columns) if self.prefer == "shared" else (saved, load.columns, shared)


def merged(loads: Sequence[Load], rules: Rules, counts: Counter[str]) -> list[Load]:
    """The loads with as many of them as possible emptied into others, smallest first; adds to `counts`."""
    done = _settled(loads)
    progress = True
    while progress:
        progress = False
        for load in sorted(done, key=lambda each: each.columns):
            # the load may have grown since the list was made: look it up by name
            current = next((each for each in done if each.name == load.name), load)
            trial = Counter[str]()
            others = _emptied(current, [each for each in done if each.name != load.name], rules, trial)
            if others is not None:
                done, progress = _settled(others), True
                counts.update(trial)
    return done


def _settled(loads: Sequence[Load]) -> list[Load]:
    """The loads with families of one member dissolved: neurons that add no partial sums any more are whole."""
    split = {piece.family for load in loads for piece in load.pieces if piece.is_partial}
    result: list[Load] = []
    for load in loads:
        after = Load(load.name, ())
        for piece in load.pieces:
            after = after.adding(piece if piece.family in split else replace(piece, family=None))
        result.append(after)
    return result


def _emptied(load: Load, others: list[Load], rules: Rules, counts: Counter[str]) -> list[Load] | None:
    """`others` with all pieces of a load added, or `None` when one of them fits nowhere."""
    for piece in sorted(load.pieces, key=lambda each: -len(each.neurons)):
        rest: Piece | None = piece
        while rest is not None:
            hosts = [host for host in others if rules.allow(host, rest)]
            part = rest
            if not hosts and rules.cut and rest.family is None:
                hosts, part = _cut(rest, others, rules)
                counts["slices cut"] += bool(hosts)
            if not hosts:
                return None
            best = max(hosts, key=lambda host: rules.rank(host, part))
            others = [host.adding(part) if host is best else host for host in others]
            left = tuple(n for n in rest.neurons if n not in part.neurons)
            rest = replace(rest, neurons=left) if left else None
            counts["slices moved"] += 1
    return others


def _cut(piece: Piece, others: Sequence[Load], rules: Rules) -> tuple[list[Load], Piece]:
    """The load that takes most of a piece's neurons, and that part of the piece; no load when none takes any."""
    room = {
        number: min(rules.columns - host.columns, len(piece.neurons))
        for number, host in enumerate(others)
        if host.columns < rules.columns and rules.allow(host, replace(piece, neurons=piece.neurons[:1]))
    }
    if not room:
        return [], piece
    number = max(room, key=lambda each: (room[each], -each))
    return [others[number]], replace(piece, neurons=piece.neurons[: room[number]])


@dataclass(frozen=True)
class ClusterMerge(SNNPass):
    """Empty under-filled clusters into the free rows and columns of others, so that fewer crossbars are needed.

    Needs clusters without places, and a machine. A slice moves to a cluster when all its axons and columns fit; an axon
    that is there already takes no second row. Slices of one population that meet become one slice, and partial sums
    that meet the neurons that add them become part of their column. What is computed stays the same; slices of one
    crossbar fire one after the other, so that the guaranteed throughput may fall.
    """

    name = "cluster-merge"

    min_shared: int = 0
    """A slice moves only to a cluster that has at least so many of its axons already."""
    prefer: Literal["shared", "full"] = "shared"
    """Where several clusters have room: the one that shares most axons, or the one with fewest columns left."""
    cut: bool = True
    """Whether neurons of a slice may go to several clusters, where none has room for all of them. Slices with partial
    sums are not cut."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the `cluster.program` of the module."""
        old = only(op, ProgramOp, "run convert-snn-to-cluster before")
        crossbar = machine(op).crossbar
        if self.min_shared < 0:
            fail(old, f"min-shared={self.min_shared} is no number of axons", "give 0 or more")
        for each in old.clusters:
            if each.place is not None:
                fail(each, f"@{each.sym_name.data} has a place already", "run cluster-merge before cluster-place")
        loads = loads_of(old)
        rules = Rules(crossbar.rows, crossbar.columns, self.min_shared, self.prefer, self.cut)
        result = merged(loads, rules, self.statistics)
        Rewriter.insert_op(program_of(old, list(program(op).sources), result), InsertPoint.after(old))
        old.detach()
        old.erase()
        self.statistics["clusters before"] = len(loads)
        self.statistics["clusters"] = len(result)
        self.statistics["rows in use"] = sum(len(load.axons) for load in result)


def loads_of(old: ProgramOp) -> list[Load]:
    """What each cluster holds."""
    families: dict[SSAValue, int] = {}
    for number, (result, sums) in enumerate(
        (result, sums)
        for each in old.clusters
        for result, sums in zip(each.computed, each.sums_of_slices, strict=True)
        if sums
    ):
        families |= dict.fromkeys([result, *sums], number)
    loads: list[Load] = []
    for each in old.clusters:
        rows = [(*group.axon, n) for group in axon_groups(each) for n in map(int, group.neurons)]
        pieces = [
            Piece(
                part.population,
                tuple(map(int, part.neurons.array)),
                frozenset(rows[row] for row in map(int, part.rows.array)),
                families.get(result),
                part.is_partial,
            )
            for part, result in zip(each.parts, each.computed, strict=True)
        ]
        loads.append(Load(each.sym_name.data, tuple(pieces)))
    return loads


Carrier = tuple[int, int]
"""What carries a signal: the number of a load and of a piece in it, or -1 and the number of an input."""


@dataclass(frozen=True)
class Group:
    """Consecutive rows of a cluster, driven by neurons of one signal."""

    carrier: Carrier
    source: str
    delay: int
    neurons: tuple[int, ...]


def program_of(old: ProgramOp, sources: Sequence[str], loads: Sequence[Load]) -> ProgramOp:
    """A `cluster.program` with these loads; inputs and outputs are those of `old`.

    `sources` are the names of inputs and populations in program order, which is the order of the rows.
    """
    new = ProgramOp(old.network.root_reference.data)
    inputs = [cluster.InputOp(op.sym_name.data, _signal_type(op.signal)) for op in old.inputs]
    carriers = _carriers(inputs, loads)
    groups = [[group for source in sources for group in _groups(load, source, carriers[source])] for load in loads]
    sums = [[_partials(piece, loads) for piece in load.pieces] for load in loads]
    ops = [
        ClusterOp(load.name, [Axons(Indices.of(g.neurons), g.delay) for g in mine], _slices(load, mine, added))
        for load, mine, added in zip(loads, groups, sums, strict=True)
    ]
    new.body.block.add_ops([*inputs, *ops])

    def value(carrier: Carrier) -> OpResult:
        number, position = carrier
        return inputs[position].signal if number < 0 else ops[number].computed[position]

    for load, op, mine, added in zip(loads, ops, groups, sums, strict=True):
        # clusters may read each other, so they are wired when all of them exist
        op.wire([value(group.carrier) for group in mine], [value(carrier) for each in added for carrier in each])
        for piece, result in zip(load.pieces, op.computed, strict=True):
            result.name_hint = piece.population + ("_sum" if piece.is_partial else "")
    for op in inputs:
        op.signal.name_hint = op.sym_name.data
    for op in old.outputs:
        source, _ = address_of(op.signals[0])
        new.body.block.add_op(OutputOp(op.sym_name.data, [value(carrier) for carrier in carriers[source]]))
    return new


def _signal_type(value: SSAValue) -> SignalType:
    assert isinstance(value.type, SignalType)
    return value.type


def _carriers(inputs: Sequence[cluster.InputOp], loads: Sequence[Load]) -> dict[str, dict[Carrier, frozenset[int]]]:
    """For each input and population, who carries which of its neurons."""
    found: dict[str, dict[Carrier, frozenset[int]]] = defaultdict(dict)
    for number, op in enumerate(inputs):
        found[op.sym_name.data][-1, number] = frozenset(range(_signal_type(op.signal).size))
    for number, load in enumerate(loads):
        for position, piece in enumerate(load.pieces):
            if not piece.is_partial:
                found[piece.population][number, position] = frozenset(piece.neurons)
    return found


def _groups(load: Load, source: str, carriers: dict[Carrier, frozenset[int]]) -> list[Group]:
    """The rows of a load that an input or population drives, by delay and carrier."""
    read: dict[int, set[int]] = defaultdict(set)
    for name, delay, neuron in load.axons:
        if name == source:
            read[delay].add(neuron)
    return [
        Group(carrier, source, delay, tuple(sorted(mine)))
        for delay in sorted(read)
        for carrier, carried in carriers.items()
        if (mine := read[delay] & carried)
    ]


def _partials(piece: Piece, loads: Sequence[Load]) -> list[Carrier]:
    """The partial sums that a piece adds."""
    if piece.family is None or piece.is_partial:
        return []
    return [
        (number, position)
        for number, load in enumerate(loads)
        for position, other in enumerate(load.pieces)
        if other.is_partial and other.family == piece.family
    ]


def _slices(load: Load, groups: Sequence[Group], sums: Sequence[Sequence[Carrier]]) -> list[Slice]:
    """The pieces as slices, columns one after the other; `sums` has the partial sums that each of them adds."""
    axons = [(group.source, group.delay, neuron) for group in groups for neuron in group.neurons]
    row = {axon: number for number, axon in enumerate(axons)}
    slices: list[Slice] = []
    column = 0
    for piece, added in zip(load.pieces, sums, strict=True):
        rows = Indices.of(sorted(row[axon] for axon in piece.axons))
        kind = "partial" if piece.is_partial else "neurons"
        slices.append(Slice(kind, piece.population, Indices.of(piece.neurons), rows, column, len(added)))
        column += len(piece.neurons)
    return slices
