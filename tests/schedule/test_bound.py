"""Bound graphs: what a binding adds, what it is refused for; load balance; files of bindings; wrong input."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from schedule_graphs import deployments

from snnir.maxplus import Actor, Channel, MaxPlusError, SDFGraph, analyze
from snnir.schedule.application import Application, Option, Transport
from snnir.schedule.architecture import Architecture, Connection, ScheduleError, Tile
from snnir.schedule.balance import TileCost, load_balance
from snnir.schedule.bound import bind, bound_graph, refusal
from snnir.schedule.deployment import Deployment
from snnir.schedule.evaluate import Evaluator
from snnir.schedule.orders import best_plan, period_of, with_plan
from snnir.schedule.tdma import response_period
from snnir.schedule.tile_binding import read_binding

PAIR = SDFGraph((Actor("a", 3), Actor("b", 4)), (Channel("a", "b", 2, 2, 2, 6),))
TWO = Architecture(
    "two",
    (Tile("s", "p", 8, 100, 1, 10, 4), Tile("t", "q", None, 100, 1, 5, 10)),
    (Connection("slow", "s", "t", 9), Connection("fast", "s", "t", 2)),
)


def application(way: Transport | None = None, **options: dict[str, Option]) -> Application:
    """The pair, with a transport and options."""
    return Application(PAIR, options, (way or Transport(10, None, 4, 2),))


def test_a_channel_between_tiles() -> None:
    bound = bind(application(), TWO, {"a": "s", "b": "t"})
    # two tokens of 10 bits, at 4 bits per unit and after a delay of 2 each, go as one block: all rates are even
    assert bound.graph.actors == (Actor("a", 3), Actor("b", 4), Actor("connection 0", 2 * (2 + 3)))
    assert bound.graph.channels == (
        Channel("a", "b", 2, 2, 2),
        Channel("a", "connection 0", 1 * 1, 1, 1),
        Channel("connection 0", "b", 1, 1, 0),
        Channel("connection 0", "a", 1, 1, 1),
        Channel("b", "connection 0", 1, 1, 1),
    )


def test_a_channel_on_one_tile_and_to_the_environment() -> None:
    room = Channel("b", "a", 2, 2, 4)
    assert bind(application(), TWO, {"a": "s", "b": "s"}).graph.channels == (Channel("a", "b", 2, 2, 2), room)
    assert bind(application(), TWO, {"a": "s"}).graph.actors == PAIR.actors


def test_what_shares_an_interface_shares_its_bandwidth() -> None:
    graph = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b"), Channel("a", "b")))
    wide = replace(TWO, tiles=tuple(replace(tile, connections=None) for tile in TWO.tiles))
    pair = Application(graph, {}, (Transport(10), Transport(2)))
    # 12 bits an iteration at 4 per unit leave the tile, each token takes as long as all of them
    assert [actor.time for actor in bind(pair, wide, {"a": "s", "b": "t"}).graph.actors[2:]] == [5, 5]
    reserved = Application(graph, {}, (Transport(10, Fraction(5, 2)), Transport(2, 4)))
    assert [actor.time for actor in bind(reserved, wide, {"a": "s", "b": "t"}).graph.actors[2:]] == [6, 3]


def test_the_type_of_processor_sets_the_time() -> None:
    options = {"p": Option(7), "q": Option((1, 2))}
    assert bind(application(a=options), TWO, {"a": "s"}).graph.actors[0].time == 7
    assert bind(application(a=options), TWO, {"a": "t"}).graph.actors[0].time == (1, 2)


@pytest.mark.parametrize(
    ("change", "binding", "message"),
    [
        ({}, {"a": "t", "b": "s"}, "needs a connection from t to s"),
        ({"options": {"a": {"q": Option(1)}}}, {"a": "s"}, "actor a does not run on p, the processor of s"),
        ({"options": {"a": {"p": Option(1, 101)}}}, {"a": "s"}, "tile s has 100 bits of memory, 161 are needed"),
        ({"transports": (Transport(20),)}, {"a": "s", "b": "t"}, "tile s has 100 bits of memory, 120 are needed"),
        ({}, {"x": "s"}, "the unknown actor x"),
        ({}, {"a": "x"}, "there is no tile x"),
    ],
)
def test_impossible_bindings(change: dict[str, Any], binding: dict[str, str], message: str) -> None:
    ways = change.get("transports", (Transport(10, None, 4, 2),))
    given_application = Application(PAIR, change.get("options", {}), ways)
    with pytest.raises(ScheduleError, match=message):
        bind(given_application, TWO, binding)


def test_connections_are_counted() -> None:
    graph = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b"), Channel("a", "b")))
    with pytest.raises(ScheduleError, match="interface of s serves 1 channels, 2 are needed"):
        bind(Application(graph), TWO, {"a": "s", "b": "t"})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Application(PAIR, {"x": dict[str, Option]()}),
        lambda: Application(PAIR, {}, (Transport(), Transport())),
        lambda: application(Transport(1, None, 1, 2)),
        lambda: Transport(1, None, 1),
        lambda: Transport(-1),
        lambda: Transport(1, 0),
        lambda: Tile("t", "p", 0),
        lambda: Architecture("a", (Tile("t", "p"), Tile("t", "p"))),
        lambda: Architecture("a", (Tile("t", "p"),), (Connection("c", "t", "x"),)),
        lambda: Architecture("a", (Tile("t", "p"),), (Connection("c", "t", "t", -1),)),
        lambda: bind(application(), TWO, {"a": "s"}, {"t": 3}),
        lambda: bind(application(), TWO, {"a": "s"}, {"s": 9}),
        lambda: bind(application(), TWO, {"a": "s"}).ordered({"s": ("a", "a")}),
        lambda: bind(application(), TWO, {"a": "s"}).ordered({}),
        lambda: bind(application(), TWO, {"a": "s"}).orders,
        lambda: bind(application(), TWO, {"a": "s"}).retimed({"a": 2}),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises((ScheduleError, MaxPlusError)):
        make()


@settings(max_examples=60, deadline=None)
@given(deployments())
def test_the_evaluator_agrees_with_the_bound_graph(
    deployed: tuple[Application, Architecture, dict[str, str], dict[str, int]],
) -> None:
    application, architecture, binding, slices = deployed
    deployment = Deployment(application, architecture)
    tiles = deployment.vector(binding)
    assert refusal(deployment, tiles) is None
    evaluator = Evaluator(deployment, slices)
    graph = evaluator.firings(tiles)
    plan = best_plan(graph)
    bound = with_plan(bound_graph(deployment, tiles, slices), plan, evaluator.expansion)
    assert (response_period(bound) or 0) == period_of(graph, plan)


def test_load_balance_spreads_work_and_sees_traffic() -> None:
    ways = tuple(Connection(f"{a}{b}", a, b) for a, b in ("st", "ts"))
    even = Architecture("even", (Tile("s", "p", None, None, None, 1, 1), Tile("t", "p", None, None, None, 1, 1)), ways)
    actors = tuple(Actor(name, time) for name, time in zip("abcd", (8, 7, 2, 1), strict=True))
    apart = load_balance(Application(SDFGraph(actors)), even)
    assert {frozenset(name for name, tile in apart.items() if tile == each) for each in "st"} == {
        frozenset("ad"),
        frozenset("bc"),
    }
    talk = Application(SDFGraph(actors, (Channel("a", "b"),)), {}, (Transport(20),))
    together = load_balance(talk, even)
    assert together["a"] == together["b"]
    alone = load_balance(talk, even, TileCost(bandwidth=0))
    assert alone["a"] != alone["b"]


def test_load_balance_needs_room() -> None:
    with pytest.raises(ScheduleError, match="no tile has a processor, memory and connections left for actor a"):
        load_balance(application(a={"x": Option(1)}), TWO)


def test_files_of_bindings() -> None:
    graph = SDFGraph((Actor("actor_0", 1), Actor("1", 1)))
    tiles = Architecture("a", (Tile("tile_0", "p"), Tile("1", "p")))
    assert read_binding("0 0  # first\n\n1 1\n", graph, tiles) == {"actor_0": "tile_0", "1": "1"}
    for text, message in (
        ("2 0", "line 1: there is no tile 2"),
        ("0 7", "no actor 7"),
        ("0 0\n1 0", "line 2: .* twice"),
    ):
        with pytest.raises(ScheduleError, match=message):
            read_binding(text, graph, tiles)


def test_stages_keep_every_cycle() -> None:
    graph = SDFGraph((Actor("a", 3), Actor("b", 4)), (Channel("a", "b"), Channel("b", "a", tokens=2)))
    bound = bind(Application(graph), TWO, {"a": "s", "b": "s"})
    behind = bound.retimed({"b": 1})
    assert [channel.tokens for channel in behind.graph.channels] == [1, 1]
    assert analyze(behind.graph).period == analyze(bound.graph).period == 4
    assert behind.retimed({"b": 1}).stages == {"b": 2}
