"""K-periodic analysis: the same as by expansion where there is one, and beyond."""

from dataclasses import replace
from fractions import Fraction
from random import Random
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maxplus_graphs import phased_graphs, random_graph, sdf_graphs
from test_methods import examples

from snnir.maxplus import (
    Actor,
    Channel,
    Deadlock,
    MaxPlusError,
    SDFGraph,
    TooLarge,
    analyze,
    expand,
    k_periodic,
    maximum_cycle_ratio,
    self_timed,
)
from snnir.maxplus.wide import heaviest_walks, least_tokens, wide_cycle_ratio


@settings(examples, max_examples=400)
@given(st.one_of(phased_graphs(), sdf_graphs()))
def test_periods_are_those_of_the_expansion(sdf: SDFGraph) -> None:
    try:
        expected = analyze(sdf)
    except Deadlock:
        with pytest.raises(Deadlock) as caught:
            k_periodic(sdf)
        assert caught.value.actors
        return
    found = k_periodic(sdf)
    assert found.period == expected.period
    for name, slack in expected.slack.items():
        least = found.slack[name]
        assert least is None if slack is None else least is not None and 0 <= least <= slack
    cycle = found.critical_cycle
    if found.period is not None:
        assert Fraction(sum(edge.time for edge in cycle)) == found.period * sum(edge.tokens for edge in cycle)
    for edge, following in zip(cycle, (*cycle[1:], *cycle[:1]), strict=True):
        assert (edge.target, edge.target_firing) == (following.source, following.source_firing)


@examples
@given(st.one_of(phased_graphs(), sdf_graphs()))
def test_schedules_keep_all_dependencies(sdf: SDFGraph) -> None:
    """Checked on the edges of the expansion, which are not those that the schedule was made from."""
    try:
        found = k_periodic(sdf)
    except Deadlock:
        return
    expansion = expand(sdf)
    period = found.period or Fraction(0)
    starts: list[Fraction] = []
    for name, count in found.repetition.items():
        block = found.block[name]
        starts.extend(
            found.starts[name][firing % block] + firing // block * period * Fraction(block, count)
            for firing in range(count)
        )
    assert min(starts) >= 0
    graph = expansion.graph
    for source, target, time, tokens in zip(
        *(vector.tolist() for vector in (graph.source, graph.target, graph.time, graph.tokens)), strict=True
    ):
        assert starts[target] >= starts[source] + time - period * tokens
    result = analyze(sdf, slack=False, limit=0)
    assert result.block == found.block
    for name in sdf.index:
        times = sdf.actors[sdf.index[name]].times
        ends = [starts[node] + times[k % len(times)] for k, node in enumerate(expansion.nodes(name))]
        assert result.latency[name] == max(ends)
        assert result.start[name] == starts[expansion.node(name)]


def chain(length: int, capacity: int | None = None, back: int = 0) -> SDFGraph:
    """Actors that pass tokens 1000 : 999, with buffers, or `back` tokens on a channel from last to first."""
    actors = tuple(Actor(f"a{number}", number % 3 + 1) for number in range(length))
    pairs = [(f"a{number}", f"a{number + 1}") for number in range(length - 1)]
    channels = [Channel(source, target, 1000, 999, capacity=capacity) for source, target in pairs]
    if back:
        channels.append(Channel(f"a{length - 1}", "a0", 999 ** (length - 1), 1000 ** (length - 1), back))
    return SDFGraph(actors, tuple(channels))


@pytest.mark.parametrize(
    "sdf", [chain(4), chain(4, capacity=4000), chain(4, back=1000**3 * 999**3)], ids=["open", "buffers", "feedback"]
)
def test_more_than_a_billion_firings_are_analysed(sdf: SDFGraph) -> None:
    begin = process_time()
    result = analyze(sdf)
    assert process_time() - begin < 5
    assert sum(result.repetition.values()) == 3_994_003_999
    # the busiest actor works all the time
    assert result.period == 3 * result.repetition["a2"] == 2_997_000_000
    assert [(edge.source, edge.kind) for edge in result.critical_cycle] == [("a2", "concurrency")]
    assert result.block == dict.fromkeys(result.repetition, 1)
    assert 2_997_000_000 <= result.latency["a2"] < result.latency["a3"] < 2_997_000_100


def test_numbers_beyond_64_bits_are_analysed() -> None:
    result = analyze(chain(9, capacity=100_000))
    assert result.period == max(3 * result.repetition[name] for name in ("a2", "a5", "a8"))
    assert (result.period or 0) > 1 << 64
    assert result.slack == dict.fromkeys(result.repetition)


def test_a_cycle_of_billions_of_firings_is_refused_at_once() -> None:
    begin = process_time()
    with pytest.raises(TooLarge, match="more than the limit of 5000000; most firings are those of a3") as caught:
        analyze(chain(4, back=1000**3 + 5000))
    assert process_time() - begin < 5
    assert caught.value.actors == ("a3", "a2", "a1", "a0")
    assert caught.value.period is None
    # with a little less room than for a schedule of short blocks
    with pytest.raises(TooLarge, match="a schedule of period") as caught:
        k_periodic(chain(3, capacity=2200), limit=2_000_000)
    assert caught.value.period is not None
    assert caught.value.period > 999 * 1000 * 3


def test_the_period_known_at_a_refusal_can_be_reached() -> None:
    """A smaller relative of the refused graph, small enough to execute."""
    actors = (Actor("a", 1), Actor("b", 2), Actor("c", 3))
    sdf = SDFGraph(actors, (Channel("a", "b", 10, 9, capacity=20), Channel("b", "c", 10, 9, capacity=20)))
    with pytest.raises(TooLarge) as caught:
        k_periodic(sdf, limit=60)
    exact = analyze(sdf).period
    assert exact is not None
    assert caught.value.period is not None
    assert exact <= caught.value.period
    assert k_periodic(sdf).period == exact


def test_blocks_that_pass_too_many_tokens_are_refused() -> None:
    sdf = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b", 1 << 61, 1, capacity=1 << 62),))
    with pytest.raises(MaxPlusError, match="2\\*\\*60 tokens"):
        k_periodic(sdf)


def test_a_deadlock_names_the_actors() -> None:
    channels = (Channel("a", "b", 3, 2), Channel("b", "a", 2, 3, 3))
    sdf = SDFGraph((Actor("a", 1), Actor("b", 1), Actor("c", 1)), (*channels, Channel("b", "c")))
    with pytest.raises(Deadlock, match="has no tokens to begin with") as caught:
        k_periodic(sdf)
    assert set(caught.value.actors) == {"a", "b"}
    assert k_periodic(replace(sdf, channels=(channels[0], replace(channels[1], tokens=4)))).period == 5


def test_an_order_takes_part_in_the_critical_cycle() -> None:
    sdf = SDFGraph((Actor("a", 3), Actor("b", 5)), (Channel("a", "b", 2, 1),), (("a", "b", "b"),))
    assert k_periodic(sdf).period == analyze(sdf).period == 13
    assert analyze(sdf, limit=1).utilisation == (1,)


def test_an_order_repeats_with_the_whole_iteration_only() -> None:
    """The resource runs a twice, then c twice; b, which is not on it, has to be free to fire at unequal distances."""
    # d, once an iteration, makes it one of two firings of the others
    actors = (Actor("a", 1), Actor("b", 10, None), Actor("c", 1), Actor("d", 1))
    channels = (Channel("a", "b"), Channel("b", "c"), Channel("d", "a", 2, 1))
    sdf = SDFGraph(actors, channels, (("a", "a", "c", "c"),))
    assert k_periodic(sdf).period == analyze(sdf).period == 13


def test_a_source_of_many_firings_at_once_is_not_faster_than_it_is() -> None:
    """Two actors of unlimited concurrency with the tokens of one iteration on their cycle take turns."""
    sdf = SDFGraph(
        (Actor("a", 88, None), Actor("b", 46, None)), (Channel("a", "b", 3, 5), Channel("b", "a", 5, 3, tokens=15))
    )
    assert k_periodic(sdf).period == analyze(sdf).period == 134
    starts = self_timed(sdf, 3)
    assert starts["a"][-1] == 2 * 134
    fewer = replace(sdf, channels=(sdf.channels[0], replace(sdf.channels[1], tokens=14)))
    assert (analyze(fewer).period or 0) > 134


@examples
@given(st.randoms(use_true_random=False))
def test_wide_numbers_give_what_64_bits_give(rng: Random) -> None:
    graph = random_graph(rng)
    ends = graph.size, graph.source, graph.target
    tokens = graph.tokens.astype(object)
    expected = maximum_cycle_ratio(graph)
    found = wide_cycle_ratio(*ends, graph.time, tokens * 10**30)
    assert (found and found.ratio * 10**30) == (expected and expected.ratio)
    assert not least_tokens(*ends, tokens)
    # one token less than the lightest cycle has, spread over its edges by potentials
    height = np.array([rng.randint(-9, 9) for _ in range(graph.size)], dtype=object)
    shifted = tokens + height[graph.target] - height[graph.source]
    assert not least_tokens(*ends, shifted)
    again = wide_cycle_ratio(*ends, graph.time, shifted)
    assert (again and again.ratio) == (expected and expected.ratio)
    if expected is not None:
        less = tokens - 1
        cycle = least_tokens(*ends, less)
        if cycle:
            assert sum(less[cycle].tolist()) <= 0
        period = expected.ratio
        weight = period.denominator * graph.time.astype(object) - period.numerator * tokens
        walks = heaviest_walks(*ends, weight)
        for source, target, each in zip(graph.source, graph.target, weight, strict=True):
            assert walks[target] >= walks[source] + each
        with pytest.raises(MaxPlusError, match="below the ratio"):
            heaviest_walks(*ends, weight + 1)


@pytest.mark.parametrize(("tokens", "found"), [((5, -6), True), ((5, -5), True), ((5, -4), False), ((0, 0), True)])
def test_cycles_of_wide_numbers_without_tokens_are_found(tokens: tuple[int, int], found: bool) -> None:
    source, target = np.array([0, 1, 2]), np.array([1, 0, 0])
    wide = np.array([*(10**40 * each for each in tokens), -(10**60)], dtype=object)
    assert sorted(least_tokens(3, source, target, wide)) == ([0, 1] if found else [])
