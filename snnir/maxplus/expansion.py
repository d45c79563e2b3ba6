"""From SDF graphs to timed graphs: one node per firing of an iteration."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from snnir.maxplus.channels import KINDS
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.graph import LARGEST, Integers, TimedGraph
from snnir.maxplus.sdf import Arc, ArcKind, SDFGraph, repetition_vector

__all__ = ["KINDS", "SEQUENCE", "Expansion", "FiringEdge", "edges_of_arc", "expand"]

SEQUENCE = KINDS.index("sequence")
"""The kind of edges along which a firing waits for a start, not for an end."""


@dataclass(frozen=True)
class FiringEdge:
    """One edge between firings, in the words of the SDF graph.

    Firing `target_firing` of actor `target` waits for firing `source_firing` of actor `source`, `tokens` iterations
    earlier, to end, `time` after its start (kind sequence: for its start). `kind` says why; `index` is the number of
    the channel (kinds channel and capacity), of the actor (concurrency and sequence) or of the order.
    """

    source: str
    source_firing: int
    target: str
    target_firing: int
    kind: ArcKind
    index: int
    time: int
    tokens: int | Fraction

    def __str__(self) -> str:
        return (
            f"{self.source}[{self.source_firing}] -> {self.target}[{self.target_firing}] "
            f"({self.kind} {self.index}, time {self.time}, tokens {self.tokens})"
        )


@dataclass(frozen=True, eq=False)
class Expansion:
    """The homogeneous graph of an SDF graph, and the way back.

    Node n of `graph` is firing `firing[n]` (0 <= firing < repetition) of actor number `actor[n]` and takes `time[n]`;
    `first[a]` is the node of firing 0 of actor number a. Edge e comes from the constraint `kind[e]` (an index into
    channel, capacity, concurrency, order) number `index[e]`.
    """

    sdf: SDFGraph
    repetition: dict[str, int]
    graph: TimedGraph
    actor: Integers
    firing: Integers
    time: Integers
    first: Integers
    kind: Integers
    index: Integers

    def node(self, actor: str, firing: int = 0) -> int:
        """The node of a firing."""
        if actor not in self.repetition or not 0 <= firing < self.repetition[actor]:
            raise MaxPlusError(f"there is no firing {firing} of actor {actor} in an iteration")
        return int(self.first[self.sdf.index[actor]]) + firing

    def nodes(self, actor: str) -> range:
        """The nodes of all firings of an actor, in order."""
        begin = self.node(actor)
        return range(begin, begin + self.repetition[actor])

    def name(self, node: int) -> tuple[str, int]:
        """The actor and the firing of a node."""
        return self.sdf.actors[int(self.actor[node])].name, int(self.firing[node])

    def edge(self, number: int) -> FiringEdge:
        """What edge `number` of the graph stands for."""
        (source, source_firing), (target, target_firing) = (
            self.name(int(ends[number])) for ends in (self.graph.source, self.graph.target)
        )
        return FiringEdge(
            source,
            source_firing,
            target,
            target_firing,
            KINDS[int(self.kind[number])],
            int(self.index[number]),
            int(self.graph.time[number]),
            int(self.graph.tokens[number]),
        )

    def edges(self, numbers: Iterable[int]) -> tuple[FiringEdge, ...]:
        """What the given edges, a cycle for example, stand for."""
        return tuple(self.edge(number) for number in numbers)


def expand(sdf: SDFGraph, limit: int = 2_000_000) -> Expansion:
    """The timed graph of the firings of one iteration, with the same timing as `sdf`.

    One edge per firing k of the consumer of an arc from a (p produced) to b (c consumed) with d tokens: the last token
    that it takes is number (k+1)*c, made by firing j = ceil(((k+1)*c - d) / p) - 1 of a, so the edge leaves firing
    j mod q(a) and carries -floor(j / q(a)) tokens. Later tokens never arrive before earlier ones, as firings of an
    actor start in order and take the same time (or one ends before the next starts), so the last one decides, and one
    edge does where the homogeneous graph of Lee and Messerschmitt (Proc. IEEE 75(9), 1987) has one per token. With
    phases, (k+1)*c and j*p become sums over the phases; a firing that takes nothing waits for nothing. Where firings
    of a can overtake each other (`SDFGraph.overtaking`) there is an edge from each one that makes a token taken. Orders
    become chains without tokens, closed by an edge with one.

    Raises `MaxPlusError` when an iteration has more than `limit` firings, and what `repetition_vector` raises.
    """
    repetition = repetition_vector(sdf)
    counts = [repetition[actor.name] for actor in sdf.actors]
    if sum(counts) > limit:
        raise MaxPlusError(f"an iteration has {sum(counts)} firings, more than the limit of {limit}")
    firings = np.array(counts, np.int64)
    first: Integers = np.cumsum(firings) - firings
    actor = np.repeat(np.arange(len(counts)), firings)
    firing = np.arange(len(actor)) - first[actor]
    parts = [_arc_edges(sdf, counts, first), *_order_edges(sdf, first)]
    source, target, tokens, kind, index = (np.concatenate(column) for column in zip(*parts, strict=True))
    time = _times(sdf, counts)
    graph = TimedGraph(len(actor), source, target, time[source], tokens)
    return Expansion(sdf, repetition, graph, actor, firing, time, first, kind, index)


def _times(sdf: SDFGraph, counts: list[int]) -> Integers:
    """The time of each firing."""
    if sdf.columns is not None:
        return np.repeat(sdf.columns.time, counts)
    times = [np.resize(np.array(each.times, np.int64), count) for each, count in zip(sdf.actors, counts, strict=True)]
    return np.concatenate([np.zeros(0, np.int64), *times])


def _arc_edges(sdf: SDFGraph, counts: list[int], first: Integers) -> tuple[Integers, ...]:
    firings = np.array(counts, np.int64)
    rows, phased = _plain_arcs(sdf, firings), list[Arc]()
    if rows is None:
        rows, phased = _sorted_arcs(sdf, counts)
    kind, index, source, target, produce, consume, tokens = rows
    each = firings[target]
    arc = np.repeat(np.arange(len(kind)), each)
    k = np.arange(len(arc)) - np.repeat(np.cumsum(each) - each, each)
    needed = (k + 1) * consume[arc] - tokens[arc]
    j = -(-needed // produce[arc]) - 1
    round_, within = np.divmod(j, firings[source[arc]])
    plain = first[source[arc]] + within, first[target[arc]] + k, -round_, kind[arc], index[arc]
    parts = [plain, *(edges_of_arc(sdf, arc, counts, first) for arc in phased)]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _plain_arcs(sdf: SDFGraph, firings: Integers) -> tuple[Integers, ...] | None:
    """The arcs as columns, if none has phases and all numbers of tokens are surely small enough."""
    if sdf.columns is None:
        return None
    arcs = sdf.columns.arcs
    passed = arcs.consume.astype(np.float64) * firings[arcs.target]
    return arcs if passed.max(initial=0) < LARGEST // 2 else None


def _sorted_arcs(sdf: SDFGraph, counts: list[int]) -> tuple[tuple[Integers, ...], list[Arc]]:
    """The arcs without phases as columns, and the others."""
    rows: list[tuple[int, ...]] = []
    phased: list[Arc] = []
    for arc in sdf.arcs():
        if sum(arc.consume) * counts[arc.target] > LARGEST * len(arc.consume):
            raise MaxPlusError(f"{arc.kind} {arc.number} passes more than 2**62 tokens an iteration")
        if len(arc.produce) == len(arc.consume) == 1 and not sdf.overtaking[arc.source]:
            ends = arc.source, arc.target, *arc.produce, *arc.consume
            rows.append((KINDS.index(arc.kind), arc.number, *ends, arc.tokens))
        else:
            phased.append(arc)
    return tuple(np.array(rows, np.int64).reshape(-1, 7).T), phased


def edges_of_arc(sdf: SDFGraph, arc: Arc, counts: list[int], first: Integers) -> tuple[Integers, ...]:
    """The edges of one arc between firings, as columns source, target, tokens, kind and index.

    Rates and times may change from firing to firing; firings that take nothing have no edge. `counts` holds how often
    each actor fires in an iteration, `first` its first node.
    """
    taken = np.resize(np.array(arc.consume, np.int64), counts[arc.target])
    made = np.resize(np.array(arc.produce, np.int64), counts[arc.source])
    takes, makes = np.flatnonzero(taken), np.flatnonzero(made)
    last = np.cumsum(taken)[takes] - arc.tokens
    ends: Integers = np.cumsum(made)[makes]
    maker = _maker(ends, last)
    if sdf.overtaking[arc.source]:
        # all that make a token taken: from the maker of the first one to that of the last one
        begin = _maker(ends, last - taken[takes] + 1)
        count = maker - begin + 1
        takes = np.repeat(takes, count)
        maker = np.arange(len(takes)) - np.repeat(np.cumsum(count) - count - begin, count)
    round_, within = np.divmod(maker, len(makes))
    kind, index = (np.full(len(takes), value, np.int64) for value in (KINDS.index(arc.kind), arc.number))
    return first[arc.source] + makes[within], first[arc.target] + takes, -round_, kind, index


def _maker(ends: Integers, token: Integers) -> Integers:
    """Which firing makes each token, counted from 1: firing i of an iteration makes those up to `ends[i]`."""
    total = int(ends[-1])
    round_: Integers = (token - 1) // total
    offset: Integers = token - round_ * total
    within: Integers = np.searchsorted(ends, offset)
    return round_ * len(ends) + within


def _order_edges(sdf: SDFGraph, first: Integers) -> list[tuple[Integers, ...]]:
    parts: list[tuple[Integers, ...]] = []
    for number, order in enumerate(sdf.orders):
        fired: dict[int, int] = {}
        nodes: list[int] = []
        for name in order:
            actor = sdf.index[name]
            nodes.append(int(first[actor]) + fired.get(actor, 0))
            fired[actor] = fired.get(actor, 0) + 1
        chain = np.array(nodes, np.int64)
        tokens = np.zeros(len(chain), np.int64)
        tokens[-1] = 1
        kind = np.full(len(chain), KINDS.index("order"), np.int64)
        parts.append((chain, np.roll(chain, -1), tokens, kind, np.full(len(chain), number, np.int64)))
    return parts
