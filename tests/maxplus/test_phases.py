"""Cyclo-static graphs whose behaviour is known by hand."""

import pytest

from snnir.maxplus import (
    Actor,
    Channel,
    Inconsistent,
    MaxPlusError,
    SDFGraph,
    analyze,
    eigenvalue,
    expand,
    iteration_matrix,
    k_periodic,
    repetition_vector,
    self_timed,
    self_timed_period,
)


def test_an_iteration_is_whole_cycles_of_phases() -> None:
    """Times and rates of different lengths repeat together."""
    sdf = SDFGraph(
        (Actor("a", (1, 2, 3)), Actor("b", 4), Actor("c", 1)),
        (Channel("a", "b", (1, 0), 2), Channel("b", "c", 3, (1, 1, 0))),
    )
    assert sdf.phases == (6, 1, 3)
    # two cycles of a make 6 tokens, for 3 firings of b, which make 9: not a multiple of the 2 that a cycle of c takes
    assert repetition_vector(sdf) == {"a": 24, "b": 6, "c": 27}
    # 24 firings of a of mean time 2
    assert analyze(sdf).period == 48


def test_phases_that_do_not_balance_are_inconsistent() -> None:
    channels = (Channel("a", "b", (1, 2), 1), Channel("a", "b", (1, 1), 1))
    with pytest.raises(Inconsistent, match=r"channel 1 \(a -> b, \(1, 1\) produced") as caught:
        repetition_vector(SDFGraph((Actor("a", 1), Actor("b", 1)), channels))
    assert caught.value.channel == 1


@pytest.mark.parametrize(
    ("actor", "channel", "message"),
    [
        (Actor("a", ()), Channel("a", "a"), "time of actor a has no phases"),
        (Actor("a", (1, -1)), Channel("a", "a"), "time of actor a is -1"),
        (Actor("a", 1), Channel("a", "a", (0, 0), 1), "production rate of channel 0.*0 in all phases"),
        (Actor("a", 1), Channel("a", "a", 1, 0), "consumption rate of channel 0.*0 in all phases"),
        (Actor("a", 1), Channel("a", "a", (1, 1.5), 1), "must be an integer"),  # type: ignore[arg-type]
    ],
)
def test_bad_phases_are_refused(actor: Actor, channel: Channel, message: str) -> None:
    with pytest.raises(MaxPlusError, match=message):
        SDFGraph((actor,), (channel,))


def test_a_firing_that_takes_nothing_does_not_wait() -> None:
    sdf = SDFGraph((Actor("a", 3), Actor("b", (1, 5, 1))), (Channel("a", "b", 1, (0, 2, 0)),))
    assert self_timed(sdf, 2) == {"a": [0, 3, 6, 9], "b": [0, 6, 11, 12, 13, 18]}
    assert (
        analyze(sdf).period
        == self_timed_period(SDFGraph(sdf.actors, (Channel("a", "b", 1, (0, 2, 0), capacity=9),)))
        == 7
    )


def test_tokens_are_taken_in_the_order_of_the_firings_that_make_them() -> None:
    """Firing 1 of a ends at 1, firing 0 at 5; b, which takes one token each, cannot begin with that of firing 1."""
    sdf = SDFGraph((Actor("a", (5, 1), None), Actor("b", 2)), (Channel("a", "b"), Channel("b", "a", tokens=2)))
    assert (sdf.overtaking, sdf.scattered) == ((True, False), (False, False))
    assert self_timed(sdf, 2) == {"a": [0, 0, 7, 9], "b": [5, 7, 12, 14]}
    # a[0] and b[0] take turns
    period = analyze(sdf).period
    assert period == self_timed_period(sdf) == eigenvalue(iteration_matrix(sdf)) == k_periodic(sdf).period == 7


def test_all_tokens_of_a_firing_have_to_be_there_not_only_the_last() -> None:
    sdf = SDFGraph(
        (Actor("a", (5, 1), None), Actor("b", 2)), (Channel("a", "b", 1, 2), Channel("b", "a", 2, 1, tokens=2))
    )
    assert self_timed(sdf, 2)["b"] == [5, 12]
    edges = {str(expand(sdf).edge(number)) for number in range(expand(sdf).graph.edge_count)}
    assert "a[0] -> b[0] (channel 0, time 5, tokens 0)" in edges
    assert "a[1] -> b[0] (channel 0, time 1, tokens 0)" in edges
    period = analyze(sdf).period
    assert period == self_timed_period(sdf) == eigenvalue(iteration_matrix(sdf)) == k_periodic(sdf).period == 7


def test_scattered_firings_are_analysed_but_not_executed() -> None:
    """The first phase of b takes nothing and feeds a, the second takes what a makes: with unlimited concurrency the
    first ones need not wait for the second ones."""
    channels = (Channel("a", "b", 1, (0, 1)), Channel("b", "a", (1, 0), 1))
    free = SDFGraph((Actor("a", 3, None), Actor("b", (1, 1), None)), channels)
    assert free.scattered == (True, True)
    assert analyze(free).period is k_periodic(free).period is eigenvalue(iteration_matrix(free)) is None
    for call in (lambda: self_timed(free, 1), lambda: self_timed_period(free)):
        with pytest.raises(MaxPlusError, match="firings of a may start in another order"):
            call()
    serial = SDFGraph((Actor("a", 3, None), Actor("b", (1, 1))), channels)
    assert serial.scattered == (False, False)
    # b[0], a, b[1] take turns
    assert analyze(serial).period == self_timed_period(serial) == 5
