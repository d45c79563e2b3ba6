"""Schedules and latencies, by hand and against execution."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maxplus_graphs import INFINITE, phased_graphs, sdf_graphs
from test_methods import examples, period

from snnir.maxplus import (
    Actor,
    Channel,
    MaxPlusError,
    SDFGraph,
    analyze,
    completion,
    expand,
    first_output,
    periodic_schedule,
    self_timed,
    source_to_sink,
)

PIPELINE = SDFGraph(
    (Actor("a", 3), Actor("b", 8), Actor("c", 5)), (Channel("a", "b"), Channel("b", "c"), Channel("c", "a", tokens=2))
)


def test_a_pipeline_by_hand() -> None:
    assert analyze(PIPELINE).period == 8
    schedule = periodic_schedule(PIPELINE)
    assert (schedule.period, schedule.starts) == (8, {"a": [0], "b": [3], "c": [11]})
    assert schedule.start("b", 5) == 43
    assert periodic_schedule(PIPELINE, 10).starts == schedule.starts
    assert [first_output(PIPELINE, name) for name in "abc"] == [3, 11, 16]
    assert source_to_sink(PIPELINE, "a", "c") == source_to_sink(PIPELINE, "a", "c", 20) == 16
    assert source_to_sink(PIPELINE, "a", "a") == 3
    # a step later: two tokens on the way back
    assert source_to_sink(PIPELINE, "c", "b", 10) == 5 + 3 + 8 - 20
    assert [completion(PIPELINE, count) for count in (0, 1, 2, 3)] == [0, 16, 24, 32]
    assert [analyze(PIPELINE).completion(count) for count in (0, 1, 2, 3)] == [0, 16, 24, 32]


def test_what_does_not_depend_on_the_source_has_no_latency() -> None:
    sdf = SDFGraph((Actor("a", 3), Actor("b", 8)), (Channel("a", "b"),))
    assert source_to_sink(sdf, "b", "a") is None
    assert source_to_sink(sdf, "a", "b") == 11


def test_rates_and_phases() -> None:
    """Two firings of a fill what one of b takes; b's second phase takes longer."""
    sdf = SDFGraph((Actor("a", 2), Actor("b", (1, 4))), (Channel("a", "b", 1, 2),))
    assert periodic_schedule(sdf, 8).starts == {"a": [0, 2, 4, 6], "b": [4, 8]}
    assert source_to_sink(sdf, "a", "b", 8) == 12
    assert first_output(sdf, "b") == 5
    assert completion(sdf, 1) == 12


def test_periods_that_cannot_be_are_refused() -> None:
    with pytest.raises(MaxPlusError, match="below the ratio 8"):
        periodic_schedule(PIPELINE, Fraction(15, 2))
    with pytest.raises(MaxPlusError, match="below the ratio 8"):
        source_to_sink(PIPELINE, "a", "c", Fraction(15, 2))
    with pytest.raises(MaxPlusError, match="actor d"):
        source_to_sink(PIPELINE, "a", "d")
    with pytest.raises(MaxPlusError, match="-1 is negative"):
        periodic_schedule(PIPELINE, -1)
    assert periodic_schedule(SDFGraph((Actor("a", 3, None),))).period == 0


@examples
@given(st.one_of(sdf_graphs(), phased_graphs()), st.integers(0, 5))
def test_schedules_are_the_earliest_of_their_period(sdf: SDFGraph, extra: int) -> None:
    least = period(sdf)
    if least == INFINITE:
        return
    schedule = periodic_schedule(sdf, least + extra)
    graph, expansion = expand(sdf).graph, expand(sdf)
    starts = [start for name in sdf.index for start in schedule.starts[name]]
    incoming: list[list[Fraction]] = [[Fraction(0)] for _ in starts]
    for number in range(graph.edge_count):
        edge = expansion.edge(number)
        offer = schedule.starts[edge.source][edge.source_firing] + edge.time - schedule.period * edge.tokens
        incoming[int(graph.target[number])].append(offer)
    assert starts == [max(offers) for offers in incoming]
    if not any(sdf.scattered):
        for name, times in self_timed(sdf, 3).items():
            assert all(schedule.start(name, firing) >= time for firing, time in enumerate(times))


@examples
@given(st.one_of(sdf_graphs(), phased_graphs()))
def test_first_outputs_and_completions_are_those_of_an_execution(sdf: SDFGraph) -> None:
    if period(sdf) == INFINITE or any(sdf.scattered):
        return
    starts, result = self_timed(sdf, 4), analyze(sdf, slack=False)
    ends = {
        actor.name: [start + actor.times[k % len(actor.times)] for k, start in enumerate(starts[actor.name])]
        for actor in sdf.actors
    }
    for name in sdf.index:
        assert first_output(sdf, name) == ends[name][0]
    assert completion(sdf, 4) == max(max(each) for each in ends.values()) <= result.completion(4)


@examples
@given(sdf_graphs(), st.data())
def test_a_source_paces_the_graph(sdf: SDFGraph, data: st.DataObject) -> None:
    """Longest walks from its firing 0, found in as many rounds as there are firings."""
    least = period(sdf)
    if least == INFINITE or not least:
        return
    source, sink = (data.draw(st.sampled_from(sorted(sdf.index))) for _ in range(2))
    expansion = expand(sdf)
    found = source_to_sink(sdf, source, sink, least + 1)
    graph = expansion.graph
    best: dict[int, Fraction] = {expansion.node(source): Fraction(0)}
    for _ in range(graph.size):
        for tail, head, time, tokens in zip(
            *(vector.tolist() for vector in (graph.source, graph.target, graph.time, graph.tokens)), strict=True
        ):
            if tail in best:
                offer = best[tail] + time - (least + 1) * tokens
                best[head] = max(offer, best.get(head, offer))
    last = sdf.actors[sdf.index[sink]].times[0]
    ends = [best[node] + last for node in expansion.nodes(sink) if node in best]
    assert found == max(ends, default=None)


def test_a_slower_source_waits_for_nothing_but_itself() -> None:
    """With initial tokens on the way, the sink is done with what came before, however slow the source."""
    sdf = replace(PIPELINE, channels=(Channel("a", "b", tokens=1), *PIPELINE.channels[1:]))
    assert source_to_sink(sdf, "a", "c", 100) == 16 - 100
