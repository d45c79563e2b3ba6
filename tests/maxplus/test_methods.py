"""Three methods that share no code agree, and what holds for every graph."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from maxplus_graphs import INFINITE, heaviest_cycle, phased_graphs, sdf_graphs, token_edges

from snnir.maxplus import (
    Actor,
    Channel,
    Deadlock,
    SDFGraph,
    analyze,
    eigenvalue,
    expand,
    group_slack,
    iteration_matrix,
    self_timed,
    self_timed_period,
    start_times,
)

any_graph = st.one_of(sdf_graphs(), phased_graphs())

examples = settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def period(sdf: SDFGraph) -> Fraction:
    try:
        return analyze(sdf, slack=False).period or Fraction(0)
    except Deadlock:
        return INFINITE


@settings(examples, max_examples=1000)
@given(st.one_of(phased_graphs(bounded=True, least_time=1), sdf_graphs(bounded=True, least_time=1)))
def test_four_methods_agree(sdf: SDFGraph) -> None:
    """Cycle ratio, eigenvalue, self-timed execution, and the ratio of each simple cycle of the graph of tokens."""
    brute = heaviest_cycle(token_edges(sdf), limit=500)
    try:
        found = analyze(sdf, slack=False).period
    except Deadlock:
        assert brute in (INFINITE, None)
        with pytest.raises(Deadlock):
            iteration_matrix(sdf)
        if not any(sdf.scattered):
            with pytest.raises(Deadlock):
                self_timed_period(sdf)
        return
    assert brute in (found or 0, None)
    assert eigenvalue(iteration_matrix(sdf)) == found
    if found and not any(sdf.scattered):
        assert self_timed_period(sdf) == found


@settings(examples, max_examples=200)
@given(any_graph)
def test_unbounded_graphs_agree_too(sdf: SDFGraph) -> None:
    """Without the state space, which such graphs may not have."""
    if period(sdf) == INFINITE:
        with pytest.raises(Deadlock):
            iteration_matrix(sdf)
        if not any(sdf.scattered):
            with pytest.raises(Deadlock):
                self_timed(sdf, 1)
    else:
        assert eigenvalue(iteration_matrix(sdf)) == analyze(sdf, slack=False).period


@examples
@given(any_graph, st.data())
def test_names_and_their_sequence_change_nothing(sdf: SDFGraph, data: st.DataObject) -> None:
    actors = data.draw(st.permutations(sdf.actors))
    new = {actor.name: f"x{place}" for place, actor in enumerate(actors)}
    channels = data.draw(st.permutations(sdf.channels))
    renamed = SDFGraph(
        tuple(replace(actor, name=new[actor.name]) for actor in actors),
        tuple(replace(c, source=new[c.source], target=new[c.target]) for c in channels),
        tuple(tuple(new[name] for name in order) for order in sdf.orders),
    )
    assert period(renamed) == period(sdf)
    if period(sdf) != INFINITE:
        before, after = analyze(sdf), analyze(renamed)
        for name, other in new.items():
            assert before.slack[name] == after.slack[other]
            assert before.start[name] == after.start[other]
            assert before.latency[name] == after.latency[other]
        assert before.utilisation == after.utilisation


@settings(examples, max_examples=400)
@given(any_graph, st.data())
def test_more_tokens_more_room_or_less_time_never_hurt(sdf: SDFGraph, data: st.DataObject) -> None:
    """But where an actor that is concurrent waits for firings that overtake each other: see the next test."""
    what = data.draw(st.sampled_from(["token", "room", "time", "concurrency", "order"]))
    actors, channels, orders = list(sdf.actors), list(sdf.channels), sdf.orders
    if what in ("token", "room") and channels:
        index = data.draw(st.integers(0, len(channels) - 1))
        channel = channels[index]
        ends = (channel.source, channel.target) if what == "token" else (channel.target, channel.source)
        assume(not any_order(sdf, *ends))
        room = None if channel.capacity is None else channel.capacity + 1
        channels[index] = replace(channel, capacity=room, tokens=channel.tokens + (what == "token"))
    elif what == "order":
        orders = ()
    else:
        index = data.draw(st.integers(0, len(actors) - 1))
        actor = actors[index]
        if what == "concurrency":
            assume(not any_order(sdf, actor.name, actor.name))
            actors[index] = replace(actor, concurrency=None if actor.concurrency is None else actor.concurrency + 1)
        else:
            place = data.draw(st.integers(0, len(actor.times) - 1))
            times = list(actor.times)
            times[place] = max(0, times[place] - 1)
            actors[index] = replace(actor, time=tuple(times))
    assert period(SDFGraph(tuple(actors), tuple(channels), orders)) <= period(sdf)


def any_order(sdf: SDFGraph, source: str, target: str) -> bool:
    """Whether firings of the source end, and those of the target start, in any order."""
    return sdf.overtaking[sdf.index[source]] and sdf.actors[sdf.index[target]].concurrency != 1


def test_one_more_may_hurt_where_firings_overtake() -> None:
    """With three instead of two, every third firing waits for slow ones only."""
    a, b = Actor("a", 1, None), Actor("b", (10, 1, 1), None)
    room = [SDFGraph((a, b), (Channel("a", "b", capacity=number),)) for number in (2, 3)]
    token = [SDFGraph((a, b), (Channel("a", "b"), Channel("b", "a", tokens=number))) for number in (2, 3)]
    concurrency = [SDFGraph((replace(b, concurrency=number),), ()) for number in (2, 3)]
    assert [period(sdf) for sdf in room] == [period(sdf) for sdf in token] == [Fraction(15, 2), 11]
    assert [period(sdf) for sdf in concurrency] == [6, 10]
    serial = [replace(sdf, actors=(replace(a, concurrency=1), b)) for sdf in room]
    assert [period(sdf) for sdf in serial] == [12, 11]


@examples
@given(any_graph)
def test_no_firing_is_later_than_its_bound(sdf: SDFGraph) -> None:
    least = period(sdf)
    if least == INFINITE or any(sdf.scattered):
        return
    rounds = 6
    starts = self_timed(sdf, rounds)
    expansion = expand(sdf)
    bounds = start_times(expansion.graph, least)
    result = analyze(sdf, slack=False)
    for actor in sdf.actors:
        count = expansion.repetition[actor.name]
        assert len(starts[actor.name]) == count * rounds
        for index, start in enumerate(starts[actor.name]):
            iteration, firing = divmod(index, count)
            assert start <= bounds[expansion.node(actor.name, firing)] + iteration * least
            assert start + actor.times[index % len(actor.times)] <= result.latency[actor.name] + iteration * least
            assert firing or start <= result.start[actor.name] + iteration * least


@examples
@given(any_graph)
def test_the_critical_cycle_is_the_period(sdf: SDFGraph) -> None:
    if period(sdf) == INFINITE:
        return
    result = analyze(sdf)
    cycle = result.critical_cycle
    if result.period is None:
        assert cycle == ()
        return
    assert Fraction(sum(edge.time for edge in cycle), sum(edge.tokens for edge in cycle)) == result.period
    for edge, following in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
        assert (edge.target, edge.target_firing) == (following.source, following.source_firing)
        assert result.slack[edge.source] == 0


@examples
@given(any_graph)
def test_slack_is_the_growth_that_an_actor_bears(sdf: SDFGraph) -> None:
    least = period(sdf)
    if least == INFINITE:
        return
    result, expansion = analyze(sdf), expand(sdf)
    for index, actor in enumerate(sdf.actors):
        slack = result.slack[actor.name]
        if result.period is not None:
            assert slack == group_slack(expansion.graph, least, expansion.nodes(actor.name))
        if slack is None:
            assert slowed(sdf, index, 1000) == least
        else:
            assert slowed(sdf, index, int(slack)) == least < slowed(sdf, index, int(slack) + 1)


def slowed(sdf: SDFGraph, index: int, growth: int) -> Fraction:
    actor = sdf.actors[index]
    times = tuple(time + growth for time in actor.times)
    slower = (*sdf.actors[:index], replace(actor, time=times), *sdf.actors[index + 1 :])
    return period(replace(sdf, actors=slower))
