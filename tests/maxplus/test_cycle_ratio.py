"""The maximum cycle ratio against the enumeration of all cycles, and on graphs where arithmetic or order is hard."""

import random
from fractions import Fraction

import numpy as np
import pytest
from maxplus_graphs import is_cycle, random_graph, simple_cycles

from snnir.maxplus import CycleRatio, Deadlock, TimedGraph, maximum_cycle_ratio, relaxation


def both_ways(graph: TimedGraph, patch: pytest.MonkeyPatch) -> CycleRatio | None:
    """The result of sweeping by level, which must be that of sweeping node by node."""
    patch.setattr(relaxation, "_EDGES_PER_LEVEL", 0)
    by_level = maximum_cycle_ratio(graph)
    patch.setattr(relaxation, "_EDGES_PER_LEVEL", 1 << 60)
    by_node = maximum_cycle_ratio(graph)
    assert by_level == by_node
    return by_level


@pytest.mark.parametrize(("graphs", "largest"), [(1000, 20), (200, 10**15), (200, 1 << 62)])
def test_random_graphs_agree_with_brute_force(graphs: int, largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(2025)
    cyclic = 0
    for _ in range(graphs):
        graph = random_graph(rng, largest)
        expected = max((Fraction(cycle.time, cycle.tokens) for cycle in simple_cycles(graph)), default=None)
        found = both_ways(graph, monkeypatch)
        assert (found.ratio if found else None) == expected
        if found:
            cyclic += 1
            assert is_cycle(graph, found.cycle)
            assert graph.ratio(found.cycle) == expected
            assert found.cycle[0] == min(found.cycle)
    assert graphs / 2 < cyclic < graphs


def test_token_free_cycles_are_deadlocks_and_named() -> None:
    rng = random.Random(7)
    deadlocks = 0
    for _ in range(300):
        edges = [(rng.randrange(6), rng.randrange(6), rng.randint(0, 9), rng.choice([0, 1])) for _ in range(9)]
        graph = TimedGraph.from_edges(6, edges)
        if any(cycle.tokens == 0 for cycle in simple_cycles(graph)):
            deadlocks += 1
            with pytest.raises(Deadlock, match="no token") as caught:
                maximum_cycle_ratio(graph)
            assert is_cycle(graph, caught.value.cycle)
            assert not graph.tokens[list(caught.value.cycle)].any()
        else:
            maximum_cycle_ratio(graph)
    assert 50 < deadlocks < 250


def test_graphs_without_cycles_have_no_ratio() -> None:
    assert maximum_cycle_ratio(TimedGraph.from_edges(0, [])) is None
    assert maximum_cycle_ratio(TimedGraph.from_edges(3, [(0, 1, 5, 1), (0, 2, 5, 0), (1, 2, 5, 0)])) is None


def test_negative_times_are_allowed() -> None:
    found = maximum_cycle_ratio(TimedGraph.from_edges(2, [(0, 1, -7, 1), (1, 0, 2, 1), (0, 0, -4, 1)]))
    assert found is not None
    assert (found.ratio, found.cycle) == (Fraction(-5, 2), (0, 1))


def test_a_cycle_that_is_better_by_less_than_floating_point_resolves() -> None:
    long = [(node, (node + 1) % 50, 10**15, 1) for node in range(50)]
    better = [(50 + node, 50 + (node + 1) % 50, 10**15 + (node == 17), 1) for node in range(50)]
    found = maximum_cycle_ratio(TimedGraph.from_edges(100, [*long, *better, (0, 50, 1, 0)]))
    assert found is not None
    assert found.ratio == 10**15 + Fraction(1, 50)
    assert found.cycle == tuple(range(50, 100))


@pytest.mark.parametrize("largest", [1000, 10**15])
@pytest.mark.parametrize("layers", [1, 20, 4000])
def test_large_graphs_carry_their_certificate(layers: int, largest: int) -> None:
    """Layers of nodes, or one chain: potentials that no edge violates prove that no cycle is better."""
    rng = np.random.default_rng(layers)
    size = 4000
    node = np.arange(size)
    ahead = rng.integers(0, size, 3 * size)
    other = rng.integers(0, size, 3 * size)
    layer = node * layers // size
    free = layer[ahead] < layer[other]
    time = rng.integers(0, largest, size)
    source, target = np.concatenate((node, ahead)), np.concatenate((node, other))
    tokens = np.concatenate((np.ones(size, np.int64), np.where(free, 0, rng.integers(1, 4, 3 * size))))
    graph = TimedGraph(size, source, target, time[source], tokens)
    found = maximum_cycle_ratio(graph)
    assert found is not None
    assert is_cycle(graph, found.cycle)
    assert graph.ratio(found.cycle) == found.ratio
    assert violation_free(graph, found.ratio)


def violation_free(graph: TimedGraph, ratio: Fraction) -> bool:
    """Bellman-Ford in Python integers: whether no cycle has a ratio above the given one."""
    weights = [
        ratio.denominator * time - ratio.numerator * tokens
        for time, tokens in zip(graph.time.tolist(), graph.tokens.tolist(), strict=True)
    ]
    sources: list[int] = graph.source.tolist()
    outgoing: list[list[tuple[int, int]]] = [[] for _ in range(graph.size)]
    for source, target, weight in zip(sources, graph.target.tolist(), weights, strict=True):
        outgoing[source].append((target, weight))
    value = [0] * graph.size
    frontier = list(range(graph.size))
    for _ in range(graph.size + 1):
        raised: dict[int, None] = {}
        for node in frontier:
            for target, weight in outgoing[node]:
                if value[node] + weight > value[target]:
                    value[target] = value[node] + weight
                    raised[target] = None
        if not raised:
            return True
        frontier = list(raised)
    return False
