"""Graphs for the tests of snnir.maxplus, and what is true of them by enumerating all of their cycles."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, cycle, islice, pairwise
from math import gcd
from typing import Any, cast

import networkx as nx
from hypothesis import strategies as st

from snnir.maxplus import Actor, Channel, SDFGraph, TimedGraph, repetition_vector

INFINITE = Fraction(10**9)
"""Stands for the period of a deadlock."""


@dataclass(frozen=True)
class Cycle:
    """A simple cycle: its edges, and the nodes that it leaves."""

    edges: tuple[int, ...]
    nodes: frozenset[int]
    time: int
    tokens: int


def simple_cycles(graph: TimedGraph) -> Iterator[Cycle]:
    """All simple cycles, parallel edges told apart by a node in the middle of each edge."""
    networkx = cast(Any, nx)  # whose stubs leave types unknown
    split = networkx.DiGraph()
    split.add_nodes_from(range(graph.size))
    rows = list(zip(*(array.tolist() for array in (graph.source, graph.target, graph.time, graph.tokens)), strict=True))
    for index, (source, target, _, _) in enumerate(rows):
        split.add_edge(source, graph.size + index)
        split.add_edge(graph.size + index, target)
    for walk in networkx.simple_cycles(split):
        # every other node of the walk stands for an edge
        edges: tuple[int, ...] = tuple(step - graph.size for step in walk if step >= graph.size)
        nodes = frozenset(rows[edge][0] for edge in edges)
        yield Cycle(edges, nodes, sum(rows[edge][2] for edge in edges), sum(rows[edge][3] for edge in edges))


def random_graph(rng: random.Random, largest: int = 20) -> TimedGraph:
    """A small graph; every cycle carries a token, as edges without one only lead to greater nodes of a hidden order."""
    size = rng.randint(1, 7)
    rank = list(range(size))
    rng.shuffle(rank)
    edges: list[tuple[int, int, int, int]] = []
    for _ in range(rng.randint(0, 12)):
        source, target = rng.randrange(size), rng.randrange(size)
        forward = rank[source] < rank[target]
        edges.append((source, target, rng.randint(0, largest), rng.choice([0, 0, 1, 2] if forward else [1, 1, 2, 3])))
    return TimedGraph.from_edges(size, edges)


def is_cycle(graph: TimedGraph, edges: tuple[int, ...]) -> bool:
    """Whether the edges lead from one to the next, the last one back to the first, through different nodes."""
    sources = [int(graph.source[edge]) for edge in edges]
    targets = [int(graph.target[edge]) for edge in edges]
    return bool(edges) and targets == sources[1:] + sources[:1] and len(set(sources)) == len(sources)


def rates(repetition: list[int], source: int, target: int) -> tuple[int, int]:
    """The least production and consumption that balance."""
    common = gcd(repetition[source], repetition[target])
    return repetition[target] // common, repetition[source] // common


def _ends(draw: st.DrawFn, size: int, ring: bool) -> list[tuple[int, int]]:
    """Channels that connect all actors, and if `ring` lead through all of them and back, as pairs (source, target)."""
    ends = [(number, (number + 1) % size) for number in range(size)] if ring else []
    for number in range(1, size):
        other = draw(st.integers(0, number - 1))
        ends.append((other, number) if draw(st.booleans()) else (number, other))
    return ends


@st.composite
def sdf_graphs(draw: st.DrawFn, bounded: bool = False, least_time: int = 0) -> SDFGraph:
    """Small connected multi-rate graphs with buffers, cycles, concurrencies and orders; some of them deadlock.

    `bounded`: every channel has a capacity or is on a ring through all actors.
    """
    size = draw(st.integers(1, 4))
    repetition = [draw(st.integers(1, 4)) for _ in range(size)]
    repetition = [firings // gcd(*repetition) for firings in repetition]
    names = [f"a{number}" for number in range(size)]
    actors = tuple(
        Actor(name, draw(st.integers(least_time, 9)), draw(st.sampled_from([1, 2, 3, None]))) for name in names
    )
    ring = draw(st.booleans())
    live = draw(st.integers(0, 3)) > 0
    ends = _ends(draw, size, ring)
    channels: list[Channel] = []
    for source, target in ends:
        produce, consume = rates(repetition, source, target)
        scale = draw(st.integers(1, 2))
        produce, consume = produce * scale, consume * scale
        # a token for each firing of an iteration lets a cycle turn, room for one firing at each end a buffer
        enough = repetition[target] * consume if live and target <= source else 0
        tokens = enough + draw(st.integers(0, produce + consume))
        room = (produce + consume if live else 1) + draw(st.integers(0, produce + consume))
        limited = draw(st.booleans()) or (bounded and not ring)
        channels.append(
            Channel(names[source], names[target], produce, consume, tokens, tokens + room if limited else None)
        )
    orders: list[tuple[str, ...]] = []
    if draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(range(size)), unique=True, min_size=1))
        firings = [names[number] for number in chosen for _ in range(repetition[number])]
        orders.append(tuple(draw(st.permutations(firings))))
    return SDFGraph(actors, tuple(channels), tuple(orders))


def _split(draw: st.DrawFn, total: int, phases: int) -> tuple[int, ...]:
    """Rates that pass `total` tokens in a cycle of phases, sometimes the same one for each."""
    if total % phases == 0 and draw(st.booleans()):
        return (total // phases,)
    cuts = sorted(draw(st.integers(0, total)) for _ in range(phases - 1))
    return tuple(end - begin for begin, end in pairwise([0, *cuts, total]))


@st.composite
def phased_graphs(draw: st.DrawFn, bounded: bool = False, least_time: int = 0, largest: int = 3) -> SDFGraph:
    """Small connected cyclo-static graphs of all kinds; some of them deadlock, in some of them firings overtake others.

    At most `largest` actors, each of at most 3 phases (6 with times and rates of different lengths) and 2 cycles of
    them in an iteration; all phases together take at least `least_time`.
    """
    size = draw(st.integers(1, largest))
    cycles = [draw(st.integers(1, 2)) for _ in range(size)]
    cycles = [count // gcd(*cycles) for count in cycles]
    lengths = [draw(st.sampled_from([1, 2, 2, 3])) for _ in range(size)]
    names = [f"a{number}" for number in range(size)]
    actors: list[Actor] = []
    for name, length in zip(names, lengths, strict=True):
        times = [draw(st.integers(0, 9)) for _ in range(draw(st.sampled_from([1, length])))]
        times[-1] += max(0, least_time - sum(times))
        actors.append(Actor(name, tuple(times), draw(st.sampled_from([1, 2, 3, None]))))
    ring = draw(st.booleans())
    live = draw(st.integers(0, 3)) > 0
    ends = _ends(draw, size, ring)
    channels: list[Channel] = []
    for source, target in ends:
        produced, consumed = rates(cycles, source, target)
        scale = draw(st.integers(1, 3))
        produced, consumed = produced * scale, consumed * scale
        enough = cycles[target] * consumed if live and target <= source else 0
        tokens = enough + draw(st.integers(0, 3))
        room = (produced + consumed if live else 1) + draw(st.integers(0, 3))
        limited = draw(st.booleans()) or (bounded and not ring)
        produce, consume = _split(draw, produced, lengths[source]), _split(draw, consumed, lengths[target])
        channels.append(
            Channel(names[source], names[target], produce, consume, tokens, tokens + room if limited else None)
        )
    sdf = SDFGraph(tuple(actors), tuple(channels))
    if draw(st.integers(0, 3)):
        return sdf
    repetition = repetition_vector(sdf)
    chosen = draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    firings = [name for name in chosen for _ in range(repetition[name])]
    return replace(sdf, orders=(tuple(draw(st.permutations(firings))),))


def heaviest(cycles: list[Cycle], period: Fraction) -> Fraction | None:
    """The greatest weight time - period * tokens among the cycles."""
    return max((cycle.time - period * cycle.tokens for cycle in cycles), default=None)


def token_edges(sdf: SDFGraph) -> Iterator[tuple[int, int, int, int]]:
    """The dependencies between the firings of one iteration by their definition, one for each token taken.

    Edges (source, target, time, tokens), firings numbered actor after actor. Every token is followed from the firing
    that makes it to the one that takes it; nothing is left out because another dependency implies it.
    """
    repetition = list(repetition_vector(sdf).values())
    first = [0, *accumulate(repetition)]
    ways: list[tuple[int, int, tuple[int, ...], tuple[int, ...], int]] = []
    for channel in sdf.channels:
        source, target = sdf.index[channel.source], sdf.index[channel.target]
        ways.append((source, target, channel.produced, channel.consumed, channel.tokens))
        if channel.capacity is not None:
            ways.append((target, source, channel.consumed, channel.produced, channel.capacity - channel.tokens))
    for number, actor in enumerate(sdf.actors):
        if actor.concurrency is not None:
            ways.append((number, number, (1,), (1,), actor.concurrency))
    for source, target, produce, consume, tokens in ways:
        # so late that all tokens taken are made by firings, none there from the beginning
        late = tokens + 1
        taken = sum(islice(cycle(consume), late * repetition[target]))
        makers = [
            firing
            for firing, count in enumerate(islice(cycle(produce), (late + 1) * repetition[source]))
            for _ in range(count)
        ]
        times = sdf.actors[source].times
        for firing, count in enumerate(islice(cycle(consume), repetition[target])):
            for maker in makers[taken - tokens : taken - tokens + count]:
                rounds, made = divmod(maker, repetition[source])
                yield first[source] + made, first[target] + firing, times[made % len(times)], late - rounds
            taken += count
    for order in sdf.orders:
        fired = dict.fromkeys(order, 0)
        nodes: list[tuple[int, int]] = []
        for name in order:
            times = sdf.actors[sdf.index[name]].times
            nodes.append((first[sdf.index[name]] + fired[name], times[fired[name] % len(times)]))
            fired[name] += 1
        for (node, time), (following, _) in pairwise(nodes):
            yield node, following, time, 0
        yield nodes[-1][0], nodes[0][0], nodes[-1][1], 1


def heaviest_cycle(edges: Iterable[tuple[int, int, int, int]], limit: int) -> Fraction | None:
    """The greatest time / tokens of all simple cycles, one after the other; 0 if there is none; None beyond `limit`.

    `INFINITE` for a cycle without tokens.
    """
    offers: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for source, target, time, tokens in sorted(set(edges), key=lambda edge: (edge[3], -edge[2])):
        # of the edges between two nodes, those that no other one beats in both respects
        kept = offers.setdefault((source, target), [])
        if all(time > other for other, _ in kept):
            kept.append((time, tokens))
    networkx = cast(Any, nx)
    best = Fraction(0)
    for count, walk in enumerate(networkx.simple_cycles(networkx.DiGraph(list(offers)))):
        if count == limit:
            return None
        sums = {(0, 0)}
        for step in pairwise([*walk, walk[0]]):
            sums = {(time + more, tokens + others) for time, tokens in sums for more, others in offers[step]}
        best = max(best, *(Fraction(time, tokens) if tokens else INFINITE for time, tokens in sums))
    return best
