"""SDF graphs: consistency, validation, and their expansion into firings."""

import pickle
from collections.abc import Callable
from fractions import Fraction

import pytest

from snnir.maxplus import (
    Actor,
    Channel,
    Deadlock,
    Inconsistent,
    MaxPlusError,
    SDFGraph,
    TooLarge,
    analyze,
    expand,
    iteration_matrix,
    repetition_vector,
    self_timed,
    self_timed_period,
)

A, B, C = Actor("a", 1), Actor("b", 2), Actor("c", 3)


def test_the_repetition_vector_is_the_smallest_in_each_part() -> None:
    converter = [(1, 1), (2, 3), (2, 7), (8, 7), (5, 1)]
    names = ["cd", "s1", "s2", "s3", "s4", "dat"]
    sdf = SDFGraph(
        (*(Actor(name, 1) for name in names), Actor("x", 1), Actor("y", 1)),
        (
            *(Channel(names[i], names[i + 1], p, c) for i, (p, c) in enumerate(converter)),
            Channel("y", "x", 4, 6),
        ),
    )
    # CD to DAT, 44.1 to 48 kHz: 147 samples in, 160 out
    assert repetition_vector(sdf) == {"cd": 147, "s1": 147, "s2": 98, "s3": 28, "s4": 32, "dat": 160, "x": 2, "y": 3}


def execute_once(sdf: SDFGraph) -> object:
    return self_timed(sdf, 1)


@pytest.mark.parametrize(
    "function", [repetition_vector, expand, analyze, iteration_matrix, self_timed_period, execute_once]
)
def test_inconsistent_rates_name_the_channel(function: Callable[[SDFGraph], object]) -> None:
    sdf = SDFGraph(
        (A, B, C), (Channel("a", "b", 2, 1), Channel("b", "c", 1, 2), Channel("a", "c", 1, 1), Channel("c", "a", 1, 3))
    )
    with pytest.raises(Inconsistent, match=r"channel 3 \(c -> a, 1 produced, 3 consumed\)") as caught:
        function(sdf)
    assert caught.value.channel == 3


def test_a_channel_from_an_actor_to_itself_must_balance() -> None:
    with pytest.raises(Inconsistent) as caught:
        repetition_vector(SDFGraph((A,), (Channel("a", "a", 1, 1, 5), Channel("a", "a", 2, 1, 5))))
    assert caught.value.channel == 1


@pytest.mark.parametrize(
    ("actors", "channels", "orders", "message"),
    [
        ((A, A), (), (), "several actors are named a"),
        ((Actor("a", -1),), (), (), "time of actor a is -1"),
        ((Actor("a", 1.0),), (), (), "time of actor a must be an integer, not 1.0"),  # pyright: ignore
        ((Actor("a", 1, 0),), (), (), "concurrency of actor a is 0"),
        ((Actor("a", 1, True),), (), (), "concurrency of actor a must be an integer"),
        ((A,), (Channel("a", "z"),), (), r"channel 0 \(a -> z\) names the unknown actor z"),
        ((A, B), (Channel("a", "b", 0),), (), "production rate of channel 0"),
        ((A, B), (Channel("a", "b", 1, 0),), (), "consumption rate of channel 0"),
        ((A, B), (Channel("a", "b", tokens=-1),), (), "tokens of channel 0"),
        ((A, B), (Channel("a", "b", tokens=3, capacity=2),), (), "capacity of channel 0 .*, with 3 tokens in it, is 2"),
        ((A, B), (Channel("a", "b", tokens=1 << 63),), (), "between 0 and 2"),
        ((A,), (), (("a", "z"),), "order 0 names the unknown actor z"),
        ((A,), (), (("a",), ()), "order 1 is empty"),
    ],
)
def test_malformed_graphs_are_refused(
    actors: tuple[Actor, ...], channels: tuple[Channel, ...], orders: tuple[tuple[str, ...], ...], message: str
) -> None:
    with pytest.raises(MaxPlusError, match=message):
        SDFGraph(actors, channels, orders)


def test_an_order_lists_every_firing_of_an_iteration() -> None:
    sdf = SDFGraph((A, B), (Channel("a", "b", 2, 1),), (("a", "b"),))
    with pytest.raises(MaxPlusError, match="order 0 lists actor b 1 times, not 2"):
        repetition_vector(sdf)


def test_the_expansion_has_one_edge_for_each_firing_of_a_consumer() -> None:
    sdf = SDFGraph(
        (Actor("a", 5, None), Actor("b", 7, 2)), (Channel("a", "b", 3, 2, 1, capacity=6),), (("a", "b", "a", "b", "b"),)
    )
    expansion = expand(sdf)
    assert expansion.repetition == {"a": 2, "b": 3}
    assert [expansion.name(node) for node in range(5)] == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2)]
    assert expansion.node("b", 1) == 3
    assert [str(edge) for edge in expansion.edges(range(expansion.graph.edge_count))] == [
        "a[0] -> b[0] (channel 0, time 5, tokens 0)",
        "a[0] -> b[1] (channel 0, time 5, tokens 0)",
        "a[1] -> b[2] (channel 0, time 5, tokens 0)",
        "b[1] -> a[0] (capacity 0, time 7, tokens 1)",
        "b[0] -> a[1] (capacity 0, time 7, tokens 0)",
        "b[1] -> b[0] (concurrency 1, time 7, tokens 1)",
        "b[2] -> b[1] (concurrency 1, time 7, tokens 1)",
        "b[0] -> b[2] (concurrency 1, time 7, tokens 0)",
        "a[0] -> b[0] (order 0, time 5, tokens 0)",
        "b[0] -> a[1] (order 0, time 7, tokens 0)",
        "a[1] -> b[1] (order 0, time 5, tokens 0)",
        "b[1] -> b[2] (order 0, time 7, tokens 0)",
        "b[2] -> a[0] (order 0, time 7, tokens 1)",
    ]


def test_there_is_no_node_for_a_firing_beyond_the_iteration() -> None:
    expansion = expand(SDFGraph((A, B), (Channel("a", "b", 2, 1),)))
    for actor, firing in (("a", 1), ("b", -1), ("z", 0)):
        with pytest.raises(MaxPlusError, match=f"no firing {firing} of actor {actor}"):
            expansion.node(actor, firing)


def test_expansions_beyond_the_limit_are_refused_before_they_are_made() -> None:
    sdf = SDFGraph((A, B), (Channel("a", "b", 10**12, 1),))
    with pytest.raises(MaxPlusError, match="has 1000000000001 firings, more than the limit of 2000000"):
        expand(sdf)
    assert expand(SDFGraph((A, B), (Channel("a", "b", 9, 1),)), limit=10).graph.size == 10
    with pytest.raises(MaxPlusError, match="has 11 firings, more than the limit of 10"):
        expand(SDFGraph((A, B), (Channel("a", "b", 10, 1),)), limit=10)
    # the analysis goes another way then
    assert analyze(SDFGraph((A, B), (Channel("a", "b", 10, 1),)), limit=10).block == {"a": 1, "b": 1}


def test_rates_of_any_size_do_not_overflow() -> None:
    rate = 1 << 61
    sdf = SDFGraph((A, B), (Channel("a", "b", rate, rate, capacity=rate),))
    assert analyze(sdf).period == Fraction(3)
    with pytest.raises(MaxPlusError, match=r"channel 0 passes more than 2\*\*62 tokens"):
        expand(SDFGraph((A, B), (Channel("a", "b", 3 * rate // 2, rate),)))


def test_the_empty_graph_is_a_graph() -> None:
    assert repetition_vector(SDFGraph(())) == {}
    assert analyze(SDFGraph(())).period is None


def test_errors_survive_the_way_to_another_process() -> None:
    wrong = Inconsistent("rates", 7)
    copy = pickle.loads(pickle.dumps(wrong))
    assert (str(copy), copy.channel) == ("rates", 7)
    large = pickle.loads(pickle.dumps(TooLarge("large", ("a",), Fraction(5, 2))))
    assert (str(large), large.actors, large.period) == ("large", ("a",), Fraction(5, 2))
    stuck = pickle.loads(pickle.dumps(Deadlock("stuck", (1, 2), ("a", "b"))))
    assert (str(stuck), stuck.cycle, stuck.actors) == ("stuck", (1, 2), ("a", "b"))
