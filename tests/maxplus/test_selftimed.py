"""Self-timed execution of graphs whose schedules are known by hand."""

from fractions import Fraction

import pytest

from snnir.maxplus import Actor, Channel, Deadlock, MaxPlusError, SDFGraph, self_timed, self_timed_period


def test_a_pipeline_fires_as_soon_as_data_and_room_allow() -> None:
    actors = (Actor("a", 2), Actor("b", 5))
    assert self_timed(SDFGraph(actors, (Channel("a", "b"),)), 4) == {"a": [0, 2, 4, 6], "b": [2, 7, 12, 17]}
    # room for two: firing k of a starts when firing k - 2 of b has ended
    assert self_timed(SDFGraph(actors, (Channel("a", "b", capacity=2),)), 4) == {
        "a": [0, 2, 7, 12],
        "b": [2, 7, 12, 17],
    }
    # a token that is there from the start takes room
    assert self_timed(SDFGraph(actors, (Channel("a", "b", tokens=1, capacity=2),)), 3) == {
        "a": [0, 5, 10],
        "b": [0, 5, 10],
    }


def test_rates_collect_tokens() -> None:
    sdf = SDFGraph((Actor("a", 2), Actor("b", 3, None)), (Channel("a", "b", 3, 2, 1),))
    assert self_timed(sdf, 2) == {"a": [0, 2, 4, 6], "b": [2, 2, 4, 6, 6, 8]}


def test_concurrency_limits_firings_in_flight() -> None:
    for concurrency, expected in ((1, [0, 4, 8]), (2, [0, 0, 4]), (None, [0, 0, 0])):
        assert self_timed(SDFGraph((Actor("a", 4, concurrency),)), 3) == {"a": expected}


def test_orders_hold_back_and_serialise() -> None:
    actors = (Actor("a", 2), Actor("b", 3, None))
    assert self_timed(SDFGraph(actors, (), (("b", "a"),)), 2) == {"a": [3, 8], "b": [0, 5]}
    twice = SDFGraph(actors, (Channel("a", "b", 2, 1, 2),), (("b", "a", "b"),))
    assert self_timed(twice, 2) == {"a": [3, 11], "b": [0, 5, 8, 13]}


def test_the_period_is_that_of_the_slowest_independent_part() -> None:
    sdf = SDFGraph((Actor("a", 7, 2), Actor("b", 3), Actor("c", 1)), (Channel("c", "b", 1, 2, capacity=2),))
    # b and c take turns: 3 + 1 + 1; a needs 7/2
    assert self_timed_period(sdf) == 5
    assert self_timed_period(SDFGraph((Actor("a", 7, 2), Actor("b", 3)))) == Fraction(7, 2)


def test_stuck_executions_name_who_waits() -> None:
    sdf = SDFGraph(
        (Actor("a", 1), Actor("b", 1), Actor("c", 1)), (Channel("a", "b"), Channel("b", "a"), Channel("c", "a"))
    )
    with pytest.raises(Deadlock, match="waiting for ever are a, b") as caught:
        self_timed(sdf, 3)
    assert caught.value.actors == ("a", "b")
    blocked = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b"), Channel("b", "a")))
    with pytest.raises(Deadlock) as caught:
        self_timed_period(blocked)
    assert caught.value.actors == ("a", "b")


def test_unbounded_executions_are_refused() -> None:
    with pytest.raises(MaxPlusError, match="unbounded"):
        self_timed_period(SDFGraph((Actor("a", 1, None),)), limit=1000)
    faster = SDFGraph((Actor("a", 1), Actor("b", 2)), (Channel("a", "b"),))
    with pytest.raises(MaxPlusError, match="unbounded"):
        self_timed_period(faster, limit=1000)
    with pytest.raises(MaxPlusError, match="in which b never fire"):
        self_timed_period(SDFGraph((Actor("a", 0), Actor("b", 2))))
    with pytest.raises(MaxPlusError, match="without actors"):
        self_timed_period(SDFGraph(()))


def test_nothing_is_executed_for_no_iterations() -> None:
    assert self_timed(SDFGraph((Actor("a", 1),)), 0) == {"a": []}
    with pytest.raises(MaxPlusError, match="3 iterations are 3 firings, more than the limit of 2"):
        self_timed(SDFGraph((Actor("a", 1),)), 3, limit=2)
    with pytest.raises(MaxPlusError, match="-1 iterations"):
        self_timed(SDFGraph((Actor("a", 1),)), -1)
