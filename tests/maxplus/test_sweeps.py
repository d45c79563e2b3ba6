"""The compiled sweeps on graphs small enough to know everything about, and against the arithmetic of any size."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maxplus_graphs import is_cycle, simple_cycles

from snnir.maxplus import (
    CycleRatio,
    Deadlock,
    MaxPlusError,
    TimedGraph,
    cycle_ratio,
    maximum_cycle_ratio,
    potentials,
    start_times,
    sweeps,
)
from snnir.maxplus.cycle_ratio import CycleRatios
from snnir.maxplus.kernels import LIMIT, compiled, greater, restart
from snnir.maxplus.relaxation import Relaxation
from snnir.maxplus.sweeps import Sweeps

examples = settings(max_examples=1000, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TIMES = st.one_of(
    st.just(0),
    st.integers(-3, 20),
    st.integers(0, 1 << 35),
    st.integers(-(1 << 62), 1 << 62),
)
TOKENS = st.one_of(st.sampled_from([0, 0, 0, 1, 1, 1, 2, 3]), st.integers(0, 1 << 40), st.integers(0, 1 << 62))


@st.composite
def graphs(draw: st.DrawFn) -> TimedGraph:
    """Up to 7 nodes and 14 edges: loops, parallel edges, components, and, in one of four, cycles without tokens."""
    size = draw(st.integers(1, 7))
    rank = draw(st.permutations(range(size)))
    times = draw(st.sampled_from([st.just(0), st.integers(0, 20), TIMES]))
    tokens = draw(st.sampled_from([st.just(1), st.integers(0, 2), TOKENS]))
    live = draw(st.integers(0, 3)) > 0
    edges: list[tuple[int, int, int, int]] = []
    node = st.integers(0, size - 1)
    for source, target in draw(st.lists(st.tuples(node, node), max_size=14)):
        held = draw(tokens)
        # edges without tokens only lead to nodes of higher rank
        edges.append((source, target, draw(times), held or int(live and rank[source] >= rank[target])))
    return TimedGraph.from_edges(size, edges)


@pytest.fixture(autouse=True, scope="module")
def compiled_for_all() -> Iterator[None]:
    """Lets even the smallest graphs use the compiled code."""
    patch = pytest.MonkeyPatch()
    patch.setattr(cycle_ratio, "COMPILED_FROM", 0)
    patch.setattr(potentials, "COMPILED_FROM", 0)
    yield
    patch.undo()


FEW = [0, 1, 0.125]
"""Sweeps visit all nodes each time, after the first one only the active ones, or now these and now those."""


def relaxed(graph: TimedGraph) -> CycleRatio | None:
    """The result without compiled code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cycle_ratio, "COMPILED_FROM", 1 << 60)
        return maximum_cycle_ratio(graph)


def starts(graph: TimedGraph, period: Fraction, compiled_from: int) -> list[Fraction] | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(potentials, "COMPILED_FROM", compiled_from)
        try:
            return start_times(graph, period)
        except MaxPlusError as error:
            assert "is below the ratio" in str(error)
            return None


@examples
@given(graphs(), st.sampled_from(FEW))
def test_all_that_is_true_of_small_graphs(graph: TimedGraph, few: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeps, "_FEW", few)
        check_all(graph)


def check_all(graph: TimedGraph) -> None:
    cycles = list(simple_cycles(graph))
    if not all(cycle.tokens for cycle in cycles):
        for function, given in ((maximum_cycle_ratio, ()), (start_times, (Fraction(1),))):
            with pytest.raises(Deadlock) as caught:
                function(graph, *given)
            assert is_cycle(graph, caught.value.cycle)
            assert not graph.tokens[list(caught.value.cycle)].any()
        return
    expected = max((Fraction(cycle.time, cycle.tokens) for cycle in cycles), default=None)
    found = maximum_cycle_ratio(graph)
    assert (found.ratio if found else None) == expected
    assert maximum_cycle_ratio(graph) == found
    other = relaxed(graph)
    assert (other.ratio if other else None) == expected
    if found:
        assert is_cycle(graph, found.cycle)
        assert graph.ratio(found.cycle) == expected
        assert found.cycle[0] == min(found.cycle)
    least = expected or Fraction(0)
    for period in (least, least + Fraction(7, 3), least - 1):
        assert starts(graph, period, 0) == starts(graph, period, 1 << 60)


@given(graphs(), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1 << 30)), min_size=1, max_size=4))
@examples
def test_ratios_for_one_vector_of_times_after_the_other(graph: TimedGraph, draws: list[tuple[int, int]]) -> None:
    """Each is what is found from nothing; with `enough`, any ratio that is."""
    ratios = CycleRatios(graph.size, graph.source, graph.target, graph.tokens)
    for bits, seed in draws:
        time = np.random.default_rng(seed).integers(-(1 << bits >> 3), 1 << bits, graph.edge_count)
        try:
            expected = maximum_cycle_ratio(replace(graph, time=time))
        except Deadlock as error:
            with pytest.raises(Deadlock) as again:
                ratios.maximum(time)
            assert again.value.cycle == error.cycle
            continue
        assert ratios.maximum(time) == expected
        if expected is not None:
            for enough in (expected.ratio + 1, expected.ratio, expected.ratio - Fraction(1 << bits, 4)):
                found = ratios.maximum(time, enough)
                assert found is not None
                assert replace(graph, time=time).ratio(found.cycle) == found.ratio
                assert found == expected if enough > expected.ratio else found.ratio >= enough


def test_the_first_ratio_that_is_enough_will_do() -> None:
    """The first choice of both nodes is the loop of ratio 3; that of 5 is found only when it is needed."""
    graph = TimedGraph.from_edges(2, [(0, 0, 3, 1), (0, 1, 2, 0), (1, 0, 3, 1)])
    ratios = CycleRatios(graph.size, graph.source, graph.target, graph.tokens)
    assert ratios.maximum(graph.time, 3) == CycleRatio(Fraction(3), (0,))
    for enough in (None, 4, 5, 6):
        assert ratios.maximum(graph.time, enough) == CycleRatio(Fraction(5), (1, 2))


def test_both_arithmetics_are_met_and_the_second_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to some size of times the 64 bits are enough, beyond that they must not be used."""
    calls: list[str] = []
    exact = cycle_ratio.Relaxation

    def relaxation(*given: Any, **named: Any) -> Relaxation:
        calls.append("exact")
        return exact(*given, **named)

    monkeypatch.setattr(cycle_ratio, "Relaxation", relaxation)
    for bits in range(4, 63):
        time = (1 << bits) - 1
        ring = [(node, (node + 1) % 5, time - node, int(node == 4) * 7 + 1) for node in range(5)]
        # the first choice is the loop of greatest time, which is far from the best cycle
        graph = TimedGraph.from_edges(6, [*ring, (0, 5, time, 1), (5, 0, time - 2, 9), (3, 3, time, 5)])
        calls.clear()
        found = maximum_cycle_ratio(graph)
        best = max(Fraction(cycle.time, cycle.tokens) for cycle in simple_cycles(graph))
        assert found is not None
        assert found.ratio == best
        assert graph.ratio(found.cycle) == best
        if not 50 < bits < 60:
            assert bool(calls) == (bits >= 60)


@pytest.mark.parametrize(("few", "patience"), [(0, 99), (1, 99), (0, 0)], ids=["all", "active", "paths"])
def test_values_that_outgrow_64_bits_are_noticed(few: int, patience: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each edge weighs little enough, their sum along the chain does not; the period is what makes them heavy.

    A sweep adds one edge here; three exceed the limit, eight the 64 bits.
    """
    monkeypatch.setattr(sweeps, "_FEW", few)
    monkeypatch.setattr(sweeps, "_PATIENCE", patience)
    chain = TimedGraph.from_edges(40, [(node + 1, node, (1 << 54) - node, 1) for node in range(39)])
    period = Fraction(1, 63)
    exact = starts(chain, period, 1 << 60)
    with pytest.raises(sweeps.OutOfRange):
        Sweeps(chain, against=True).settle(period.denominator, period.numerator)
    assert starts(chain, period, 0) == exact
    assert exact is not None
    assert exact[0] * 63 > 2 * LIMIT


def test_what_could_outgrow_64_bits_is_not_begun() -> None:
    loop = Sweeps(TimedGraph.from_edges(1, [(0, 0, 1 << 30, 1)]))
    for scale, price in ((1 << 40, 0), (1, 1 << 62), (1, -(1 << 62))):
        with pytest.raises(sweeps.OutOfRange):
            loop.settle(scale, price)
    for time, tokens in ((1 << 59, 1), (-(1 << 59), 1), (1, 1 << 59)):
        ring = [(node, (node + 1) % 5, time, tokens) for node in range(5)]
        with pytest.raises(sweeps.OutOfRange):
            Sweeps(TimedGraph.from_edges(5, ring))


def test_values_too_large_for_another_scale_are_settled_anew() -> None:
    values, choices = np.array([7, LIMIT // 4]), np.array([-1, -1])
    assert restart((values, choices), 3, 2)
    assert values.tolist() == [10, LIMIT // 8 * 3]
    assert not restart((values, choices), 8, 1)
    assert values.tolist() == [80, LIMIT // 2]


@pytest.mark.parametrize("few", FEW)
@pytest.mark.parametrize("numbering", ["up", "down", "shuffled"])
@pytest.mark.parametrize("family", ["chain", "layers", "rings", "mean", "distant"])
def test_larger_graphs_in_every_numbering(
    family: str, numbering: str, few: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many phases, long paths of choices, components: ratio and start times as without compiled code."""
    monkeypatch.setattr(sweeps, "_FEW", few)
    for seed in range(6):
        graph = larger(family, numbering, seed)
        found, other = maximum_cycle_ratio(graph), relaxed(graph)
        assert found is not None
        assert other is not None
        assert found.ratio == other.ratio == graph.ratio(found.cycle)
        assert is_cycle(graph, found.cycle)
        for period in (found.ratio, found.ratio + Fraction(1, 3)):
            assert starts(graph, period, 0) == starts(graph, period, 1 << 60)


def larger(family: str, numbering: str, seed: int) -> TimedGraph:
    rng = random.Random(seed)
    size = 120
    edges: list[tuple[int, int, int, int]] = []
    if family == "chain":
        edges = [(node, node + 1, rng.randint(1, 1000), 0) for node in range(size - 1)]
        edges += [(max(ends), min(ends), rng.randint(1, 9), 1) for ends in pairs(rng, size, 3 * size)]
    elif family == "layers":
        for node in range(10, size):
            before = rng.randrange(node - node % 10 - 10, node - node % 10)
            edges += [(before, node, rng.randint(1, 99), 0), (node, before, rng.randint(1, 99), rng.choice([1, 2, 4]))]
    elif family == "rings":
        for first in range(0, size, 12):
            edges += [(first + i, first + (i + 1) % 12, rng.randint(1, 9), rng.randint(1, 3)) for i in range(12)]
            edges += [(first + i, min(first + 13, size - 1), 9, int(first + 13 >= size)) for i in range(3)]
    elif family == "mean":
        edges = [(a, b, rng.randint(1, 1000), 1) for a, b in pairs(rng, size, 5 * size)]
    else:
        # token by token around one long ring: without following choices a sweep gains one edge
        edges = [(node, (node + 1) % size, rng.randint(1, 9), rng.randint(1, 5)) for node in range(size)]
        edges += [(a, b, 1, rng.randint(5, 50)) for a, b in pairs(rng, size, 20)]
    number = list(range(size)) if numbering == "up" else list(range(size))[::-1]
    if numbering == "shuffled":
        rng.shuffle(number)
    return TimedGraph.from_edges(size, [(number[a], number[b], time, tokens) for a, b, time, tokens in edges])


def pairs(rng: random.Random, size: int, count: int) -> list[tuple[int, int]]:
    return [(rng.randrange(size), rng.randrange(size)) for _ in range(count)]


def test_a_choice_that_leads_nowhere_is_not_the_end() -> None:
    """All nodes prefer the heavy edge to a node without any; the cycle is found all the same."""
    edges = [(0, 1, 2, 1), (1, 0, 3, 1), (0, 2, 99, 1), (1, 2, 99, 0), (3, 0, 1, 1)]
    assert maximum_cycle_ratio(TimedGraph.from_edges(4, edges)) == CycleRatio(Fraction(5, 2), (0, 1))
    assert maximum_cycle_ratio(TimedGraph.from_edges(4, edges[2:])) is None


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many edges each sweep looks at; one entry a sweep, as long as the test runs."""
    seen: list[int] = []
    sweep = Sweeps._sweep  # pyright: ignore[reportPrivateUsage]

    def counting(self: Sweeps, scale: int, price: int) -> tuple[int, int]:
        result = sweep(self, scale, price)
        seen.append(result[1])
        return result

    monkeypatch.setattr(Sweeps, "_sweep", counting)
    return seen


def test_long_ways_from_token_to_token_take_few_sweeps(looked_at: list[int]) -> None:
    """What following whole paths of choices is for: one ring whose edges all carry a token, and one better loop."""
    size = 3000
    ring = [(node, (node + 1) % size, 10 if node % 3 else 1, 1) for node in range(size)]
    graph = TimedGraph.from_edges(size, [*ring, (0, 0, 6, 1)])
    found = maximum_cycle_ratio(graph)
    assert found is not None
    assert found.ratio == 7
    assert starts(graph, Fraction(7), 0) == starts(graph, Fraction(7), 1 << 60)
    assert 0 < len(looked_at) < 100


@pytest.mark.parametrize("numbering", ["up", "down", "shuffled"])
def test_ways_without_tokens_take_one_sweep(numbering: str, looked_at: list[int]) -> None:
    """What the order of the nodes is for: values travel along the whole chain at once, and a second sweep confirms."""
    number = list(range(3000))[:: -1 if numbering == "down" else 1]
    if numbering == "shuffled":
        random.Random(1).shuffle(number)
    graph = TimedGraph.from_edges(3000, [(a, b, 1, 0) for a, b in pairwise(number)])
    assert starts(graph, Fraction(0), 0) == starts(graph, Fraction(0), 1 << 60)
    assert len(looked_at) == 2


def test_when_few_nodes_rise_few_are_visited(looked_at: list[int]) -> None:
    """A long ring that is slow along a few edges: only what follows these can be late."""
    size = 3000
    ring = [((node + 1) % size, node, int(node < 50), 1) for node in range(size)]
    graph = TimedGraph.from_edges(size, ring)
    assert starts(graph, Fraction(1, 2), 0) == starts(graph, Fraction(1, 2), 1 << 60)
    assert len(looked_at) > 10
    assert sum(looked_at) < 3 * size


@examples
@given(*[st.integers(-(1 << 62), 1 << 62), st.integers(1, 1 << 62)] * 2)
def test_ratios_are_compared_without_overflow(time: int, tokens: int, other_time: int, other_tokens: int) -> None:
    assert greater(time, tokens, other_time, other_tokens) == (
        Fraction(time, tokens) > Fraction(other_time, other_tokens)
    )
    assert not greater(time, tokens, time, tokens)


def test_parallel_edges_are_told_apart() -> None:
    edges = [(0, 1, 1, 1), (0, 1, 5, 1), (0, 1, 5, 2), (1, 0, 3, 2), (1, 0, 4, 2), (1, 0, 4, 3)]
    assert maximum_cycle_ratio(TimedGraph.from_edges(2, edges)) == CycleRatio(Fraction(3), (1, 4))


def test_where_nothing_can_be_kept_on_disk_the_code_is_compiled_all_the_same() -> None:
    made: dict[str, Callable[[int], int]] = {}
    # numba finds no folder for the machine code of a function that comes from no file
    exec("def double(number):\n    return 2 * number\n", made)
    assert compiled(made["double"])(21) == 42


@pytest.mark.parametrize(("nodes", "loaded"), [(100, "False"), (60_000, "True")])
def test_numba_is_loaded_for_large_graphs_only(nodes: int, loaded: str) -> None:
    code = f"""
import sys, numpy
from fractions import Fraction
from snnir.maxplus import TimedGraph, maximum_cycle_ratio, start_times
node = numpy.arange({nodes})
ring = TimedGraph({nodes}, node, numpy.roll(node, -1), node, numpy.ones_like(node))
assert maximum_cycle_ratio(ring).ratio == Fraction({nodes} - 1, 2)
start_times(ring, Fraction({nodes}))
print('numba' in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded


def test_columns_may_be_of_any_width() -> None:
    """Times that fit 32 bits and those that do not are two programs; here the same graph goes through both."""
    rng = np.random.default_rng(5)
    source, target = rng.integers(0, 200, 1000), rng.integers(0, 200, 1000)
    time, tokens = rng.integers(0, 1000, 1000), rng.integers(1, 5, 1000)
    narrow = maximum_cycle_ratio(TimedGraph(200, source, target, time, tokens))
    wide = maximum_cycle_ratio(TimedGraph(200, source, target, time << 32, tokens))
    assert narrow is not None
    assert wide is not None
    assert wide == CycleRatio(narrow.ratio * 2**32, narrow.cycle)
