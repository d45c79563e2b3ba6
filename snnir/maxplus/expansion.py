"""From SDF graphs to timed graphs: one node per firing of an iteration."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np

from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.graph import LARGEST, Integers, TimedGraph
from snnir.maxplus.sdf import ArcKind, SDFGraph, repetition_vector

_KINDS = cast(tuple[ArcKind, ...], get_args(ArcKind))


@dataclass(frozen=True)
class FiringEdge:
    """One edge between firings, in the words of the SDF graph.

    Firing `target_firing` of actor `target` waits for firing `source_firing` of actor `source`, `tokens` iterations
    earlier, to end, `time` after its start. `kind` says why; `index` is the number of the channel (kinds channel and
    capacity), of the actor (concurrency) or of the order.
    """

    source: str
    source_firing: int
    target: str
    target_firing: int
    kind: ArcKind
    index: int
    time: int
    tokens: int

    def __str__(self) -> str:
        return (
            f"{self.source}[{self.source_firing}] -> {self.target}[{self.target_firing}] "
            f"({self.kind} {self.index}, time {self.time}, tokens {self.tokens})"
        )


@dataclass(frozen=True, eq=False)
class Expansion:
    """The homogeneous graph of an SDF graph, and the way back.

    Node n of `graph` is firing `firing[n]` (0 <= firing < repetition) of actor number `actor[n]`; `first[a]` is the
    node of firing 0 of actor number a. Edge e comes from the constraint `kind[e]` (an index into channel, capacity,
    concurrency, order) number `index[e]`.
    """

    sdf: SDFGraph
    repetition: dict[str, int]
    graph: TimedGraph
    actor: Integers
    firing: Integers
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
            _KINDS[int(self.kind[number])],
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
    j mod q(a) and carries -floor(j / q(a)) tokens. Later tokens never arrive before earlier ones, as all firings of an
    actor take the same time, so the last one decides, and one edge does where the homogeneous graph of Lee and
    Messerschmitt (Proc. IEEE 75(9), 1987) has one per token. Orders become chains without tokens, closed by an edge
    with one.

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
    times = np.array([each.time for each in sdf.actors], np.int64)
    graph = TimedGraph(len(actor), source, target, times[actor[source]], tokens)
    return Expansion(sdf, repetition, graph, actor, firing, first, kind, index)


def _arc_edges(sdf: SDFGraph, counts: list[int], first: Integers) -> tuple[Integers, ...]:
    rows: list[tuple[int, ...]] = []
    for arc in sdf.arcs():
        if counts[arc.target] * arc.consume > LARGEST:
            raise MaxPlusError(f"{arc.kind} {arc.number} passes more than 2**62 tokens an iteration")
        rows.append((_KINDS.index(arc.kind), arc.number, arc.source, arc.target, arc.produce, arc.consume, arc.tokens))
    kind, index, source, target, produce, consume, tokens = np.array(rows, np.int64).reshape(-1, 7).T
    firings = np.array(counts, np.int64)
    each = firings[target]
    arc = np.repeat(np.arange(len(rows)), each)
    k = np.arange(len(arc)) - np.repeat(np.cumsum(each) - each, each)
    needed = (k + 1) * consume[arc] - tokens[arc]
    j = -(-needed // produce[arc]) - 1
    round_, within = np.divmod(j, firings[source[arc]])
    return first[source[arc]] + within, first[target[arc]] + k, -round_, kind[arc], index[arc]


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
        kind = np.full(len(chain), _KINDS.index("order"), np.int64)
        parts.append((chain, np.roll(chain, -1), tokens, kind, np.full(len(chain), number, np.int64)))
    return parts
