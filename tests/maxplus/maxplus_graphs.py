"""Graphs for the tests of snnir.maxplus, and what is true of them by enumerating all of their cycles."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any, cast

import networkx as nx
from hypothesis import strategies as st

from snnir.maxplus import Actor, Channel, SDFGraph, TimedGraph


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
    ends = [(number, (number + 1) % size) for number in range(size)] if ring else []
    for number in range(1, size):
        other = draw(st.integers(0, number - 1))
        ends.append((other, number) if draw(st.booleans()) else (number, other))
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


def heaviest(cycles: list[Cycle], period: Fraction) -> Fraction | None:
    """The greatest weight time - period * tokens among the cycles."""
    return max((cycle.time - period * cycle.tokens for cycle in cycles), default=None)
