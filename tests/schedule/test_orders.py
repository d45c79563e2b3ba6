"""Orders and bindings on random graphs: they exist, never deadlock, and ours are no worse than SDF3's."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from schedule_graphs import applications, architectures, deployments

from snnir.maxplus import Actor, Channel, Deadlock, SDFGraph, expand, maximum_cycle_ratio
from snnir.schedule.application import Application, Transport
from snnir.schedule.architecture import Architecture, Connection, ScheduleError, Tile
from snnir.schedule.balance import load_balance
from snnir.schedule.bound import BoundGraph, bind
from snnir.schedule.critical import schedule
from snnir.schedule.exact import exact_period
from snnir.schedule.firing import firings
from snnir.schedule.orders import improved, order, period_of, together
from snnir.schedule.slices import allocate_slices
from snnir.schedule.tdma import guaranteed_period, response_period
from snnir.schedule.wheel import Slice

Deployed = tuple[Application, Architecture, dict[str, str], dict[str, int]]


def period(bound: BoundGraph) -> Fraction:
    """The period with orders; raises `Deadlock`."""
    critical = maximum_cycle_ratio(expand(bound.graph).graph)
    return critical.ratio if critical else Fraction(0)


@settings(max_examples=40, deadline=None)
@given(deployments())
def test_orders_are_permutations_without_deadlock(deployed: Deployed) -> None:
    application, architecture, binding, slices = deployed
    bound = bind(application, architecture, binding, slices)
    for algorithm in ("fifo", "slack", "critical"):
        ordered = order(bound, algorithm)
        for tile, entries in ordered.orders.items():
            assert Counter(entries) == {name: ordered.firings[name] for name in bound.actors[tile]}
        assert period(ordered) >= max(bound.work.values())
        assert not any(stage < 0 for stage in ordered.stages.values())


@settings(max_examples=40, deadline=None)
@given(deployments())
def test_ours_is_never_worse_than_list_scheduling(deployed: Deployed) -> None:
    application, architecture, binding, slices = deployed
    bound = bind(application, architecture, binding, slices)
    ours = response_period(order(bound, "critical")) or Fraction(0)
    assert ours <= (response_period(order(bound, "fifo")) or 0)
    assert ours <= (response_period(order(bound, "slack")) or 0)


@settings(max_examples=25, deadline=None)
@given(applications(), architectures())
def test_our_binding_is_never_worse_than_load_balance(application: Application, architecture: Architecture) -> None:
    slices = {tile.name: 1 + (tile.wheel or 1) // 2 for tile in architecture.tiles}
    ours = schedule(application, architecture, slices, budget=60)
    assert set(ours.binding) == {actor.name for actor in application.graph.actors}
    theirs = bind(application, architecture, load_balance(application, architecture), slices)
    assert (response_period(ours) or 0) <= (response_period(order(theirs, "fifo")) or 0)


@settings(max_examples=25, deadline=None)
@given(deployments())
def test_slices_suffice_and_none_can_be_smaller(deployed: Deployed) -> None:
    application, architecture, binding, slices = deployed
    bound = order(bind(application, architecture, binding, slices), "fifo")
    for analysis in (guaranteed_period, exact_period):
        found = analysis(bound)
        if not found:
            continue
        given_out = allocate_slices(bound, 1 / found, analysis)
        assert given_out.keys() == {tile for tile, work in bound.work.items() if work}
        for tile, length in given_out.items():
            shorter = {**given_out, tile: length - 1} if length > 1 else None
            for slices, enough in ((given_out, True), (shorter, False)):
                if slices is not None:
                    reached = analysis(bound.sliced(slices))
                    assert reached is not None
                    assert (reached <= found) is enough


def chain(*times: int, room: int | None = None) -> Application:
    """Actors that hand data on, one to the next."""
    names = [f"a{n}" for n in range(len(times))]
    channels = tuple(Channel(a, b, capacity=room) for a, b in pairwise(names))
    return Application(SDFGraph(tuple(Actor(n, t) for n, t in zip(names, times, strict=True)), channels))


def two_tiles(delay: int = 0) -> Architecture:
    """Two tiles with connections both ways."""
    ways = (Connection("there", "s", "t", delay), Connection("back", "t", "s", delay))
    return Architecture("two", (Tile("s", "p"), Tile("t", "p")), ways)


def test_a_tile_does_not_wait_for_a_round_trip_within_one_iteration() -> None:
    # a0 and a2 share a tile: one iteration at a time takes 4 + 10 + 4; with a2 one behind, the two tiles overlap
    bound = bind(chain(4, 10, 4), two_tiles(), {"a0": "s", "a1": "t", "a2": "s"})
    ordered = order(bound)
    assert period(ordered) == 10
    assert period(bound.ordered({"s": ("a0", "a2"), "t": ("a1",)})) == 18
    assert ordered.stages["a2"] > ordered.stages.get("a0", 0)


def test_room_limits_how_far_behind_an_actor_can_be() -> None:
    bound = bind(chain(4, 10, 4, room=1), two_tiles(), {"a0": "s", "a1": "t", "a2": "s"})
    # a0 and a2 can only run while a1 does not: with room for one token a producer waits for its consumer to end
    assert period(order(bound)) == 18


def test_neighbours_change_places_on_the_critical_cycle() -> None:
    # a0 feeds a long actor on the other tile and must go first, although a3 is ready as soon
    graph = SDFGraph(
        (Actor("a3", 5), Actor("a0", 1), Actor("a1", 9), Actor("a2", 1)),
        (Channel("a0", "a1"), Channel("a1", "a2"), Channel("a2", "a0", tokens=1), Channel("a3", "a3", tokens=1)),
    )
    bound = bind(Application(graph), two_tiles(), {"a3": "s", "a0": "s", "a1": "t", "a2": "s"})
    assert period(order(bound)) == 11


def test_binding_leaves_a_loop_together() -> None:
    # two loops of two actors; apart, each round of a loop would cross twice
    graph = SDFGraph(
        tuple(Actor(n, 5) for n in "abcd"),
        (Channel("a", "b"), Channel("b", "a", tokens=1), Channel("c", "d"), Channel("d", "c", tokens=1)),
    )
    ours = schedule(Application(graph), two_tiles(delay=7))
    assert ours.binding["a"] == ours.binding["b"] != ours.binding["c"] == ours.binding["d"]
    assert period(ours) == 10


def test_the_same_again() -> None:
    application = chain(3, 1, 4, 1, 5, 9, 2, 6, room=2)
    first, second = (schedule(application, two_tiles(delay=1)) for _ in range(2))
    assert (first.binding, first.orders, first.stages) == (second.binding, second.orders, second.stages)


def test_a_cycle_without_tokens_is_a_deadlock() -> None:
    graph = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b"), Channel("b", "a")))
    bound = bind(Application(graph), two_tiles(), {"a": "s", "b": "t"})
    for algorithm in ("fifo", "slack", "critical"):
        with pytest.raises(Deadlock):
            order(bound, algorithm)


def test_a_bad_order_is_improved_on_its_critical_cycle() -> None:
    graph = SDFGraph(
        (Actor("a3", 5), Actor("a0", 1), Actor("a1", 9), Actor("a2", 1)),
        (Channel("a0", "a1"), Channel("a1", "a2"), Channel("a2", "a0", tokens=1)),
    )
    bound = bind(Application(graph), two_tiles(), {"a3": "s", "a0": "s", "a1": "t", "a2": "s"})
    nodes, _ = firings(bound)
    bad = together(nodes, [0, 1, 2, 3])
    assert period_of(nodes, bad) == 16
    assert period_of(nodes, improved(nodes, bad, Fraction(0), 10)) == 11
    assert period_of(nodes, improved(nodes, bad, Fraction(0), 0)) == 16


@pytest.mark.parametrize("wanted", range(1, 31))
def test_the_smallest_slice_of_a_long_wheel(wanted: int) -> None:
    architecture = Architecture("one", (Tile("s", "p", 30),))
    bound = order(bind(Application(SDFGraph((Actor("a", 47),))), architecture, {"a": "s"}))
    limit = Slice(30, wanted).response(47)
    best = min(length for length in range(1, 31) if Slice(30, length).response(47) <= limit)
    assert allocate_slices(bound, Fraction(1, limit), response_period) == {"s": best}
    # of the work alone: 47 units in `wanted` of every 30
    assert allocate_slices(bound, Fraction(wanted, 47 * 30), exact_period) == {"s": wanted}


def test_whole_wheels_may_not_be_enough() -> None:
    architecture = Architecture("one", (Tile("s", "p", 30),))
    bound = order(bind(Application(SDFGraph((Actor("a", 47),))), architecture, {"a": "s"}))
    with pytest.raises(ScheduleError, match="whole wheels give a throughput of 1/47, less than 1/46"):
        allocate_slices(bound, Fraction(1, 46))


@pytest.mark.parametrize(("seed", "most"), [(1, 27), (4, 28)])
def test_the_search_gets_far_beyond_its_seeds(seed: int, most: int) -> None:
    rng = random.Random(seed)
    actors = tuple(Actor(f"a{n}", rng.randint(2, 9)) for n in range(12))
    pairs = [(a, b) for a in range(12) for b in rng.sample(range(12), 2) if a != b]
    channels = tuple(Channel(f"a{a}", f"a{b}", tokens=0 if a < b else 1) for a, b in pairs)
    tiles = tuple(Tile(name, "p", input_bandwidth=1, output_bandwidth=1) for name in "stu")
    ways = tuple(Connection(a + b, a, b, 3) for a in "stu" for b in "stu" if a != b)
    application = Application(SDFGraph(actors, channels), {}, (Transport(1),) * len(channels))
    architecture = Architecture("three", tiles, ways)
    assert period(schedule(application, architecture, budget=0)) > most + 5
    assert period(schedule(application, architecture, budget=400)) <= most


def test_the_search_finds_the_best_of_all_bindings() -> None:
    graph = SDFGraph(
        tuple(Actor(f"a{n}", time) for n, time in enumerate((7, 3, 5, 2, 6, 4))),
        tuple(Channel(f"a{a}", f"a{b}", tokens=tokens) for a, b, tokens in LOOPS),
    )
    application = Application(graph, {}, (Transport(6),) * len(LOOPS))
    tiles = tuple(replace(tile, input_bandwidth=2, output_bandwidth=3) for tile in two_tiles().tiles)
    architecture = replace(two_tiles(delay=2), tiles=tiles)
    best = min(
        period(order(bind(application, architecture, {f"a{n}": tile for n, tile in enumerate(chosen)})))
        for chosen in product("st", repeat=6)
    )
    assert period(schedule(application, architecture)) == best


LOOPS = ((0, 1, 0), (1, 2, 0), (2, 0, 1), (3, 4, 0), (4, 5, 0), (5, 3, 1), (2, 3, 1), (5, 0, 1))
"""Source, target and initial tokens of the channels between two loops of three actors."""
