"""The analysis of graphs whose answers are known by hand."""

import doctest
from fractions import Fraction

import pytest

from snnir import maxplus
from snnir.maxplus import Actor, Channel, Deadlock, SDFGraph, analyze, expand


def test_a_pipeline_is_as_fast_as_its_slowest_actor() -> None:
    sdf = SDFGraph((Actor("a", 3), Actor("b", 8), Actor("c", 5)), (Channel("a", "b"), Channel("b", "c")))
    result = analyze(sdf)
    assert (result.period, result.throughput) == (Fraction(8), Fraction(1, 8))
    assert [str(edge) for edge in result.critical_cycle] == ["b[0] -> b[0] (concurrency 1, time 8, tokens 1)"]
    assert result.slack == {"a": 5, "b": 0, "c": 3}
    assert result.start == {"a": 0, "b": 3, "c": 11}
    assert result.latency == {"a": 3, "b": 11, "c": 16}
    assert result.utilisation == ()


@pytest.mark.parametrize(("capacity", "pair", "triangle"), [(1, 11, 16), (2, 8, 8), (3, 8, 8)])
def test_room_is_claimed_at_the_start_and_released_at_the_end(capacity: int, pair: int, triangle: int) -> None:
    """With room for one token, the producer and the consumer, and all between them, take turns."""
    a, b, c = Actor("a", 3), Actor("b", 8), Actor("c", 5)
    assert analyze(SDFGraph((a, b), (Channel("a", "b", capacity=capacity),))).period == pair
    channels = (Channel("a", "b"), Channel("b", "c"), Channel("a", "c", capacity=capacity))
    assert analyze(SDFGraph((a, b, c), channels)).period == triangle


def test_the_capacity_that_limits_is_named() -> None:
    sdf = SDFGraph((Actor("a", 3), Actor("b", 8)), (Channel("a", "b"), Channel("a", "b", tokens=1, capacity=2)))
    result = analyze(sdf)
    assert result.period == 11
    assert [(edge.kind, edge.index) for edge in result.critical_cycle] == [("channel", 0), ("capacity", 1)]


def test_concurrency_divides_the_time_of_an_actor() -> None:
    for concurrency, period in ((1, Fraction(7)), (2, Fraction(7, 2)), (3, Fraction(7, 3)), (None, None)):
        result = analyze(SDFGraph((Actor("a", 7, concurrency),)))
        assert result.period == period
        assert result.slack == {"a": None if period is None else 0}
        assert result.start == {"a": 0}
        assert result.latency == {"a": 7}


def test_orders_share_a_resource() -> None:
    actors = (Actor("a", 3), Actor("b", 8), Actor("c", 5), Actor("d", 4))
    channels = (Channel("a", "b"), Channel("b", "c"), Channel("c", "d"))
    result = analyze(SDFGraph(actors, channels, (("a", "c"), ("b", "d"))))
    # the next b waits for d, which waits for c, which waits for b
    assert result.period == 17
    assert [(edge.source, edge.kind, edge.index, edge.tokens) for edge in result.critical_cycle] == [
        ("b", "channel", 1, 0),
        ("c", "channel", 2, 0),
        ("d", "order", 1, 1),
    ]
    assert result.utilisation == (Fraction(8, 17), Fraction(12, 17))
    pipelined = (channels[0], Channel("b", "c", tokens=2), channels[2])
    decoupled = analyze(SDFGraph(actors, pipelined, (("c", "a"), ("b", "d"))))
    assert decoupled.period == 12
    assert decoupled.utilisation == (Fraction(2, 3), Fraction(1))


def test_an_order_of_several_firings() -> None:
    sdf = SDFGraph((Actor("a", 3), Actor("b", 5)), (Channel("a", "b", 2, 1),), (("a", "b", "b"),))
    result = analyze(sdf)
    assert result.period == 13
    assert result.utilisation == (Fraction(1),)
    assert result.latency == {"a": 3, "b": 13}
    assert result.slack == {"a": 0, "b": 0}


def test_slack_of_a_multi_rate_actor_counts_all_of_its_firings() -> None:
    sdf = SDFGraph((Actor("a", 10), Actor("b", 2)), (Channel("a", "b", 3, 1, capacity=3),))
    result = analyze(sdf)
    # three firings of b between two of a
    assert result.period == 16
    roomy = SDFGraph((Actor("a", 16), Actor("b", 2)), (Channel("a", "b", 3, 1),))
    assert analyze(roomy).slack == {"a": 0, "b": Fraction(10, 3)}


def test_deadlocks_name_the_actors_and_the_edges() -> None:
    sdf = SDFGraph(
        (Actor("a", 1), Actor("b", 1), Actor("c", 1), Actor("d", 1)),
        (Channel("a", "b"), Channel("b", "c"), Channel("c", "b"), Channel("c", "d", capacity=4)),
    )
    with pytest.raises(Deadlock, match=r"b\[0\] -> c\[0\] \(channel 1, time 1, tokens 0\)") as caught:
        analyze(sdf)
    assert sorted(caught.value.actors) == ["b", "c"]
    edges = expand(sdf).edges(caught.value.cycle)
    assert sorted((edge.kind, edge.index) for edge in edges) == [("channel", 1), ("channel", 2)]


def test_a_buffer_that_is_too_small_is_a_deadlock_through_its_capacity() -> None:
    sdf = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b", 2, 3, capacity=3),))
    with pytest.raises(Deadlock) as caught:
        analyze(sdf)
    assert {edge.kind for edge in expand(sdf).edges(caught.value.cycle)} == {"channel", "capacity"}
    assert analyze(SDFGraph(sdf.actors, (Channel("a", "b", 2, 3, capacity=4),))).period == 5


def test_an_order_against_the_data_is_a_deadlock() -> None:
    sdf = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b"),), (("b", "a"),))
    with pytest.raises(Deadlock) as caught:
        analyze(sdf)
    assert {edge.kind for edge in expand(sdf).edges(caught.value.cycle)} == {"channel", "order"}


def test_cycles_that_take_no_time_have_period_zero() -> None:
    result = analyze(SDFGraph((Actor("a", 0),), (), (("a",),)))
    assert (result.period, result.throughput, result.utilisation) == (Fraction(0), None, (Fraction(0),))


def test_slack_can_be_left_out() -> None:
    sdf = SDFGraph((Actor("a", 3),))
    assert analyze(sdf, slack=False).slack == {"a": None}


def test_the_example_of_the_package_is_true() -> None:
    result = doctest.testmod(maxplus)
    assert (result.failed, result.attempted > 5) == (0, True)
