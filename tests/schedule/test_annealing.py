"""Rounds of tiles, their exact evaluation, and annealing on them; bounds that nothing beats."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_graphs import applications, architectures

from snnir.maxplus import Actor, Channel, Deadlock, SDFGraph
from snnir.schedule import kernels
from snnir.schedule.annealing import Annealing
from snnir.schedule.application import Application, Option, Transport
from snnir.schedule.architecture import Architecture, Connection, Tile
from snnir.schedule.bound import refusal
from snnir.schedule.critical import schedule
from snnir.schedule.deployment import Deployment
from snnir.schedule.evaluate import Evaluator
from snnir.schedule.limits import least_period
from snnir.schedule.orders import best_plan, period_of, plans
from snnir.schedule.rounds import Rounds, Table
from snnir.schedule.seeds import gathered, longest_first
from snnir.schedule.tdma import guaranteed_period


def single(draw: st.DrawFn) -> tuple[Application, Architecture]:
    """An application whose actors fire once per iteration, and tiles for it."""
    application, architecture = draw(applications(most=6)), draw(architectures(wheels=False))
    channels = tuple(
        Channel(c.source, c.target, tokens=number, capacity=c.capacity and number + 2)
        for c in application.graph.channels
        for number in (1 if c.tokens else 0,)
    )
    ways = tuple(
        replace(way, source_room=2, target_room=1) if way.source_room is not None else way
        for way in application.transports
    )
    return Application(SDFGraph(application.graph.actors, channels), {}, ways), architecture


deployed = st.composite(single)()


def tiles_of(chosen: list[int], evaluator: Evaluator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A binding by numbers, one per actor."""
    actors, tiles = evaluator.total.shape
    return np.array([chosen[number % len(chosen)] % tiles for number in range(actors)], np.int64)


@settings(max_examples=60, deadline=None)
@given(deployed, st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_rounds_have_the_period_of_their_plan(case: tuple[Application, Architecture], chosen: list[int]) -> None:
    evaluator = Evaluator(Deployment(*case))
    tiles = tiles_of(chosen, evaluator)
    graph, table = evaluator.firings(tiles), Table(evaluator)
    for plan in plans(graph):
        rounds = table.rounds(tiles, plan)
        assert rounds is not None
        assert rounds.ratio == period_of(graph, plan)
        assert np.array_equal(np.maximum(rounds.transfer, 0), _carried(evaluator, tiles))
        again = table.plan(rounds)
        assert period_of(graph, again) == rounds.ratio
        assert table.evaluate(rounds.copy(), rounds.ratio)
        assert rounds.ratio == 0 or not table.evaluate(rounds.copy(), rounds.ratio * Fraction(999, 1000))


def _carried(evaluator: Evaluator, tiles: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """The time of the firing of each channel's connection actor."""
    deployment = evaluator.deployment
    transfer = deployment.transfer(tiles).tolist()
    return [time * deployment.blocks.get(number, 0) for number, time in enumerate(transfer)]


@settings(max_examples=60, deadline=None)
@given(deployed, st.lists(st.integers(0, 3), min_size=6, max_size=6), st.randoms(use_true_random=False))
def test_changed_rounds_are_exact_or_impossible(
    case: tuple[Application, Architecture], chosen: list[int], rng: random.Random
) -> None:
    evaluator = Evaluator(Deployment(*case))
    tiles, table = tiles_of(chosen, evaluator), Table(evaluator)
    rounds = table.rounds(tiles, best_plan(evaluator.firings(tiles), 0))
    assert rounds is not None
    for _ in range(8):
        changed = rounds.copy()
        actor, tile = rng.randrange(len(tiles)), rng.randrange(evaluator.total.shape[1])
        changed.remove(actor)
        changed.tile[actor] = -1
        others = np.flatnonzero(changed.tile == tile).tolist()
        behind = rng.choice(others) if others else -1
        changed.insert(actor, tile, int(table.work[actor, tile]), behind, rng.choice((-1, 0, 0, 1, 2)))
        _check_rounds(changed)
        if table.evaluate(changed):
            plan = table.plan(changed)
            assert period_of(evaluator.firings(changed.tile), plan) == changed.ratio
            rounds = changed
        else:
            with pytest.raises(Deadlock):
                period_of(evaluator.firings(changed.tile), table.plan(changed))


def _check_rounds(rounds: Rounds) -> None:
    actors = np.arange(len(rounds.tile))
    assert np.array_equal(rounds.after[rounds.before], actors)
    assert np.array_equal(rounds.tile[rounds.before], rounds.tile)
    for tile in set(rounds.tile.tolist()):
        assert rounds.gap[rounds.tile == tile].sum() == 1
        assert rounds.work[rounds.tile == tile].sum() == rounds.load[tile]


@settings(max_examples=25, deadline=None)
@given(deployed)
def test_annealing_is_never_worse_and_exact(case: tuple[Application, Architecture]) -> None:
    deployment = Deployment(*case)
    evaluator = Evaluator(deployment)
    tiles, table = longest_first(evaluator.total), Table(evaluator)
    plan = best_plan(evaluator.firings(tiles), 0)
    start = table.rounds(tiles, plan)
    assert start is not None
    found = Annealing(table, least_period(evaluator)).run(start, 100)
    assert found.ratio <= start.ratio
    assert refusal(deployment, found.tile) is None
    assert period_of(evaluator.firings(found.tile), table.plan(found)) == found.ratio


@settings(max_examples=40, deadline=None)
@given(applications(most=5), architectures())
def test_nothing_beats_the_bound(application: Application, architecture: Architecture) -> None:
    evaluator = Evaluator(Deployment(application, architecture))
    least = least_period(evaluator)
    for chosen in product(range(min(2, evaluator.total.shape[1])), repeat=len(evaluator.total)):
        graph = evaluator.firings(np.array(chosen, np.int64))
        assert period_of(graph, best_plan(graph, 0)) >= least


@pytest.mark.parametrize(
    ("times", "tiles", "least"), [((6, 6, 6), 2, 12), ((9, 1, 1), 2, 9), ((3, 3, 3, 3), 3, 6), ((5, 5, 5, 5), 4, 5)]
)
def test_the_bound_counts_who_must_share(times: tuple[int, ...], tiles: int, least: int) -> None:
    graph = SDFGraph(tuple(Actor(f"a{n}", time) for n, time in enumerate(times)))
    architecture = Architecture("some", tuple(Tile(f"t{n}", "p") for n in range(tiles)))
    assert least_period(Evaluator(Deployment(Application(graph), architecture))) == least


def test_the_bound_takes_the_fastest_processor_and_the_cycles() -> None:
    graph = SDFGraph((Actor("a", 9), Actor("b", 7)), (Channel("a", "b"), Channel("b", "a", tokens=1)))
    options = {"a": {"p": Option(4), "q": Option(9)}, "b": {"q": Option(3)}}
    architecture = Architecture("both", (Tile("s", "p"), Tile("t", "q"), Tile("u", "q")))
    assert least_period(Evaluator(Deployment(Application(graph, options), architecture))) == 4 + 3


def test_room_that_a_binding_may_split_is_no_bound() -> None:
    # on one tile there is room for one token; between tiles for two on either side
    graph = SDFGraph((Actor("a", 5), Actor("b", 5)), (Channel("a", "b", capacity=1),))
    ways = (Connection("there", "s", "t"), Connection("back", "t", "s"))
    architecture = Architecture("two", (Tile("s", "p"), Tile("t", "p")), ways)
    deployment = Deployment(Application(graph, {}, (Transport(1, 100, 2, 2),)), architecture)
    assert least_period(Evaluator(deployment)) == 5
    ours = schedule(deployment.application, architecture)
    assert (guaranteed_period(ours) or 0) < 10


def test_what_exchanges_most_is_gathered() -> None:
    graph = SDFGraph(
        tuple(Actor(name, 5) for name in "abcd"), (Channel("a", "b"), Channel("c", "d"), Channel("a", "c"))
    )
    ways = tuple(Connection(x + y, x, y) for x in "stu" for y in "stu" if x != y)
    architecture = Architecture("three", tuple(Tile(name, "p") for name in "stu"), ways)
    application = Application(graph, {}, (Transport(2), Transport(1), Transport(9)))
    evaluator = Evaluator(Deployment(application, architecture))
    a, b, c, d = gathered(evaluator, 10).tolist()
    assert a == c
    assert len({a, b, d}) == 3
    assert len(set(gathered(evaluator, 20).tolist())) == 1
    assert len(set(gathered(evaluator, 9).tolist())) == 3


def test_a_row_that_a_tile_cannot_do_goes_elsewhere() -> None:
    total = np.array([[5, -1], [5, 9], [-1, 2]], np.int64)
    assert longest_first(total).tolist() == [0, 0, 1]


def test_numbers_beyond_64_bits_are_left_to_others() -> None:
    huge = 1 << 60
    graph = SDFGraph((Actor("a", huge), Actor("b", huge), Actor("c", 1)), (Channel("a", "b", tokens=3),))
    architecture = Architecture("two", (Tile("s", "p"), Tile("t", "p")))
    evaluator = Evaluator(Deployment(Application(graph), architecture))
    tiles = np.array([0, 0, 1], np.int64)
    assert Table(evaluator).rounds(tiles, best_plan(evaluator.firings(tiles), 0)) is None


def ring(size: int, rng: random.Random) -> tuple[Application, Architecture]:
    """Loops that share actors, on three tiles that are slow to reach."""
    actors = tuple(Actor(f"a{n}", rng.randint(2, 9)) for n in range(size))
    pairs = [(a, b) for a in range(size) for b in rng.sample(range(size), 2) if a != b]
    channels = tuple(Channel(f"a{a}", f"a{b}", tokens=0 if a < b else 1) for a, b in pairs)
    tiles = tuple(Tile(name, "p", input_bandwidth=1, output_bandwidth=1) for name in "stu")
    ways = tuple(Connection(a + b, a, b, 3) for a in "stu" for b in "stu" if a != b)
    options = {actor.name: {"p": Option(actor.times[0], 10)} for actor in actors}
    application = Application(SDFGraph(actors, channels), options, (Transport(1),) * len(channels))
    return application, Architecture("three", tiles, ways)


def test_limits_of_tiles_hold_in_the_search() -> None:
    application, wide = ring(12, random.Random(3))
    narrow = Deployment(application, replace(wide, tiles=tuple(replace(tile, memory=40) for tile in wide.tiles)))
    found = [_annealed(deployment, 2000) for deployment in (narrow, Deployment(application, wide))]
    assert refusal(narrow, found[0].tile) is None
    assert refusal(narrow, found[1].tile) is not None
    assert found[1].ratio < found[0].ratio


def _annealed(deployment: Deployment, trials: int) -> Rounds:
    evaluator = Evaluator(deployment)
    tiles, table = np.array([0, 1, 2] * 4, np.int64), Table(evaluator)
    start = table.rounds(tiles, best_plan(evaluator.firings(tiles), 0))
    assert start is not None
    return Annealing(table, Fraction(0)).run(start, trials)


def test_the_same_start_gives_the_same_end() -> None:
    ends = [_annealed(Deployment(*ring(12, random.Random(5))), 300) for _ in range(2)]
    assert ends[0].tile.tolist() == ends[1].tile.tolist()
    assert ends[0].gap.tolist() == ends[1].gap.tolist()


def test_a_slot_in_which_nobody_is_late() -> None:
    # tile 0 runs actor 0 from 0 to 4 and actor 1 from 6 to 9 in every 10; actor 2, of 2, begins at 14
    tiles, work = np.array([0, 0, -1], np.int64), np.array([4, 3, 2], np.int64)
    after, gap = np.array([1, 0, -1], np.int64), np.array([1, 0, 0], np.int64)
    value = np.array([0, 6, 14], np.int64)
    assert kernels.best_slot(2, 0, tiles, work, after, gap, value, 1, 10) == (0, -1)
    assert kernels.best_slot(2, 1, tiles, work, after, gap, value, 1, 10) == (-1, 1)
