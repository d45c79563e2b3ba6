"""Start times and slack against enumeration and against what they promise."""

import random
from fractions import Fraction
from itertools import count

import numpy as np
import pytest
from maxplus_graphs import heaviest, random_graph, simple_cycles

from snnir.maxplus import (
    Deadlock,
    MaxPlusError,
    TimedGraph,
    group_slack,
    maximum_cycle_ratio,
    nearest,
    node_slack,
    relaxation,
    start_times,
)
from snnir.maxplus.graph import Integers


def periods(graph: TimedGraph) -> list[Fraction]:
    found = maximum_cycle_ratio(graph)
    least = found.ratio if found else Fraction(0)
    return [least, least + Fraction(7, 3)]


@pytest.mark.parametrize("largest", [20, 10**15, 1 << 61])
def test_start_times_are_the_least_fixed_point(largest: int) -> None:
    rng = random.Random(1)
    for _ in range(100):
        graph = random_graph(rng, largest)
        for period in periods(graph):
            expected = [Fraction(0)] * graph.size
            # a longest walk without positive cycles has fewer edges than there are nodes
            for _ in range(graph.size):
                for edge in range(graph.edge_count):
                    source, target = int(graph.source[edge]), int(graph.target[edge])
                    weight = int(graph.time[edge]) - period * int(graph.tokens[edge])
                    expected[target] = max(expected[target], expected[source] + weight)
            assert start_times(graph, period) == expected


@pytest.mark.parametrize("edges_per_level", [0, 1 << 60])
def test_sums_beyond_64_bits_of_times_within(edges_per_level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaxation, "_EDGES_PER_LEVEL", edges_per_level)
    time = (1 << 55) + 1
    chain = TimedGraph.from_edges(401, [(node, node + 1, time, node % 2) for node in range(400)])
    assert start_times(chain, Fraction(1, 2)) == [node * time - Fraction(node // 2, 2) for node in range(401)]
    tiny = Fraction(1, 1 << 14)
    assert start_times(chain, tiny) == [node * time - node // 2 * tiny for node in range(401)]


@pytest.mark.parametrize("edges_per_level", [0, 1 << 60])
def test_one_sweep_passes_a_change_along_every_path_without_tokens(
    edges_per_level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes long chains of firings cheap: the first sweep finds all values, the second one nothing to raise."""
    monkeypatch.setattr(relaxation, "_EDGES_PER_LEVEL", edges_per_level)
    sweeps: list[int] = []
    policy_cycles = relaxation.Relaxation.policy_cycles

    def counted(self: relaxation.Relaxation, policy: Integers) -> relaxation.Cycles:
        sweeps.append(1)
        return policy_cycles(self, policy)

    monkeypatch.setattr(relaxation.Relaxation, "policy_cycles", counted)
    rng = random.Random(6)
    order = rng.sample(range(300), 300)
    ends = [sorted(rng.sample(range(300), 2)) for _ in range(900)]
    ends.extend([place, place + 1] for place in range(299))
    graph = TimedGraph.from_edges(300, [(order[first], order[last], rng.randint(1, 9), 0) for first, last in ends])
    start_times(graph, Fraction(1))
    assert len(sweeps) == 1


def test_a_period_below_the_cycle_ratio_is_refused() -> None:
    graph = TimedGraph.from_edges(3, [(0, 1, 5, 0), (1, 0, 6, 2), (1, 2, 1, 0)])
    assert start_times(graph, Fraction(11, 2)) == [Fraction(0), Fraction(5), Fraction(6)]
    for function in (start_times, node_slack):
        with pytest.raises(MaxPlusError, match="the period 5 is below the ratio 11/2"):
            function(graph, Fraction(5))


def test_deadlocks_are_reported_in_the_direction_of_the_edges() -> None:
    graph = TimedGraph.from_edges(4, [(0, 1, 1, 0), (1, 2, 1, 0), (2, 3, 1, 0), (3, 1, 1, 0)])
    for function in (start_times, node_slack):
        with pytest.raises(Deadlock) as caught:
            function(graph, Fraction(1))
        first = caught.value.cycle.index(1)
        assert caught.value.cycle[first:] + caught.value.cycle[:first] == (1, 2, 3)


@pytest.mark.parametrize("search", ["floating", "integers"])
@pytest.mark.parametrize("largest", [20, 10**15, 1 << 61])
def test_node_slack_is_what_the_heaviest_cycle_leaves(
    largest: int, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "_BATCH", 2)
    if search == "integers":
        monkeypatch.setattr(nearest, "_FLOAT_EXACT", 0)
    rng = random.Random(2)
    for _ in range(60):
        graph = random_graph(rng, largest)
        cycles = list(simple_cycles(graph))
        for period in periods(graph):
            weights = [heaviest([cycle for cycle in cycles if v in cycle.nodes], period) for v in range(graph.size)]
            expected = [None if weight is None else -weight for weight in weights]
            assert node_slack(graph, period) == expected
            some = [rng.randrange(graph.size) for _ in range(3)]
            assert node_slack(graph, period, some) == [expected[v] for v in some]


def slower(graph: TimedGraph, nodes: list[int], growth: int) -> Fraction:
    times = graph.time + growth * np.isin(graph.source, nodes)
    found = maximum_cycle_ratio(TimedGraph(graph.size, graph.source, graph.target, times, graph.tokens))
    assert found is not None
    return found.ratio


def test_group_slack_is_the_most_that_a_group_may_grow_together() -> None:
    rng = random.Random(3)
    shared = 0
    for _ in range(150):
        graph = random_graph(rng)
        group = rng.sample(range(graph.size), rng.randint(1, graph.size))
        through = [cycle for cycle in simple_cycles(graph) if cycle.nodes & set(group)]
        for period in periods(graph):
            bounds = [(period * cycle.tokens - cycle.time) / len(cycle.nodes & set(group)) for cycle in through]
            found = group_slack(graph, period, group)
            assert found == min(bounds, default=None)
            if found is not None:
                shared += len(group) > 1
                whole = int(found)
                assert slower(graph, group, whole) <= period < slower(graph, group, whole + 1)
    assert shared > 50


def test_group_slack_of_one_node_is_its_slack_for_large_times() -> None:
    rng = random.Random(4)
    for _ in range(40):
        graph = random_graph(rng, 1 << 61)
        period = periods(graph)[1]
        assert [group_slack(graph, period, [v]) for v in range(graph.size)] == node_slack(graph, period)


def test_slack_of_a_larger_graph_with_many_components() -> None:
    """Rings of different lengths in a row: the slack of each node is what its ring leaves."""
    edges: list[tuple[int, int, int, int]] = []
    expected: list[Fraction | None] = []
    period = Fraction(10**6)
    nodes = count()
    for length in range(1, 60):
        ring = [next(nodes) for _ in range(length)]
        edges.extend((v, ring[(i + 1) % length], 7 * length + i, 1) for i, v in enumerate(ring))
        edges.append((ring[0], ring[-1] + 1, 1, 0))
        expected.extend([period * length - 7 * length * length - length * (length - 1) // 2] * length)
    expected.append(None)
    graph = TimedGraph.from_edges(next(nodes) + 1, edges)
    assert node_slack(graph, period) == expected
