"""Static orders with stages: against an execution of them round by round."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from snnir.maxplus import Actor, Channel, Deadlock, SDFGraph, analyze
from snnir.schedule.stages import Order, pipelined, retimed

STEPS = 60


def random_graph(random: Random) -> tuple[SDFGraph, list[list[str]]]:
    """A graph of rates 1 in which each channel without tokens leads to a later actor, and which actors share what."""
    size = random.randint(2, 7)
    names = [f"a{number}" for number in range(size)]
    channels: list[Channel] = []
    for _ in range(random.randint(1, 2 * size)):
        source, target = random.randrange(size), random.randrange(size)
        tokens = random.choice([0, 0, 1, 2]) if source < target else random.choice([1, 1, 2, 3])
        room = random.choice([None, 1, 2, 3])
        channels.append(
            Channel(names[source], names[target], tokens=tokens, capacity=None if room is None else tokens + room)
        )
    actors = [Actor(name, random.choice([0, 1, 3, 7, 20]), random.choice([1, 1, None])) for name in names]
    shared = random.sample(names, random.randint(1, size))
    cut = random.randint(1, len(shared))
    return SDFGraph(tuple(actors), tuple(channels)), [part for part in (shared[:cut], shared[cut:]) if part]


def execute(sdf: SDFGraph, orders: Sequence[Order], steps: int) -> Mapping[str, list[int]] | None:
    """The starts of the first firings: each resource goes through the rounds of its order, and in round r an actor of
    stage s fires for iteration r - s, if it is one. None for a deadlock."""
    turns: dict[str, list[tuple[str, int]]] = {
        actor.name: [(actor.name, k) for k in range(steps)] for actor in sdf.actors
    }
    queues: list[list[tuple[str, int]]] = []
    for order in orders:
        rounds = range(steps + max(stage for _, stage in order))
        queues.append([(name, r - stage) for r in rounds for name, stage in order if 0 <= r - stage < steps])
    on = {name for order in orders for name, _ in order}
    queues += [turns[actor.name] for actor in sdf.actors if actor.name not in on]
    serial = on | {actor.name for actor in sdf.actors if actor.concurrency is not None}
    time = {actor.name: actor.times[0] for actor in sdf.actors}
    arcs = [(c.source, c.target, c.tokens) for c in sdf.channels]
    arcs += [(c.target, c.source, c.capacity - c.tokens) for c in sdf.channels if c.capacity is not None]
    starts: dict[str, list[int]] = {name: [] for name in time}
    free = [0] * len(queues)
    place = [0] * len(queues)
    moved = True
    while moved:
        moved = False
        for number, queue in enumerate(queues):
            while place[number] < len(queue):
                name, k = queue[place[number]]
                needs = [(a, k - tokens) for a, b, tokens in arcs if b == name and k >= tokens]
                if any(len(starts[a]) <= firing for a, firing in needs):
                    break
                start = max([0, *(starts[a][firing] + time[a] for a, firing in needs)])
                start = max(start, free[number]) if name in serial else start
                starts[name].append(start)
                free[number] = start + time[name]
                place[number] += 1
                moved = True
    return starts if all(len(each) == steps for each in starts.values()) else None


def period_of(starts: Mapping[str, list[int]]) -> Fraction:
    """The time for an iteration of the slowest actor, from one third of the run to its end; not exact."""
    return max(Fraction(each[-1] - each[STEPS // 3], len(each) - 1 - STEPS // 3) for each in starts.values())


def random_stages(random: Random, resources: Sequence[Sequence[str]]) -> list[Order]:
    return [[(name, random.choice([0, 0, 1, 2])) for name in names] for names in resources]


@pytest.mark.parametrize("seed", range(200))
def test_retimed_bounds_what_is_executed(seed: int) -> None:
    random = Random(seed)
    sdf, resources = random_graph(random)
    orders = random_stages(random, resources)
    starts = execute(sdf, orders, STEPS)
    if starts is None:
        with pytest.raises(Deadlock, match="deadlock"):
            analyze(retimed(sdf, orders).graph)
        return
    found = retimed(sdf, orders)
    result = analyze(found.graph, slack=False)
    period = result.period or Fraction(0)
    assert min(found.lag.values()) >= 0
    for name, times in starts.items():
        for k, start in enumerate(times):
            assert start <= result.start[name] + (k + found.lag[name]) * period
    assert abs(period_of(starts) - period) <= 2 * Fraction(sum(a.times[0] for a in sdf.actors), STEPS - STEPS // 3)


@pytest.mark.parametrize("seed", range(200))
def test_pipelined_orders_never_deadlock(seed: int) -> None:
    sdf, resources = random_graph(Random(seed))
    orders = pipelined(sdf, resources)
    assert [sorted(name for name, _ in order) for order in orders] == [sorted(names) for names in resources]
    assert all(min(stage for _, stage in order) == 0 for order in orders)
    assert execute(sdf, orders, STEPS) is not None
    period = analyze(retimed(sdf, orders).graph, slack=False).period or Fraction(0)
    plain = analyze(sdf, slack=False).period or Fraction(0)
    busy = max(sum(sdf.actors[sdf.index[name]].times[0] for name in names) for names in resources)
    assert period >= max(plain, busy)


def loop(stage: int) -> tuple[SDFGraph, list[Order]]:
    """@first and @last share a resource; @between, 30 on its own, is on the way from one to the other."""
    actors = Actor("first", 10), Actor("between", 30), Actor("last", 10)
    channels = Channel("first", "between", capacity=2), Channel("between", "last", capacity=2)
    return SDFGraph(actors, channels), [[("first", 0), ("last", stage)]]


def test_two_ends_of_a_path_on_one_resource_by_hand() -> None:
    # In one round after the other: 10 + 30 + 10. With @last one or two steps behind, the rounds take 20 and @between
    # sets the pace. Three steps are as bad as none: @last waits for @first, three steps ahead, that for the space that
    # @between gives back one step ahead, and that for the space that @last gave back in the step before.
    periods = [analyze(retimed(*loop(stage)).graph).period for stage in range(4)]
    assert periods == [50, 30, 30, 50]
    sdf, _ = loop(0)
    assert pipelined(sdf, [["first", "last"]]) == [[("first", 0), ("last", 1)]]


@pytest.mark.parametrize("names", [["last", "first"], ["first", "last"]])
def test_who_waits_for_no_time_comes_after_whom_it_waits_for(names: list[str]) -> None:
    # @first and @between take no time, so that all three start together; with @last before @first, nobody ever does
    actors = Actor("last", 5), Actor("between", 0), Actor("first", 0)
    sdf = SDFGraph(actors, (Channel("first", "between"), Channel("between", "last")))
    orders = pipelined(sdf, [names])
    assert orders == [[("first", 0), ("last", 0)]]
    assert execute(sdf, orders, STEPS) is not None


def test_starts_are_those_of_the_retimed_graph_some_rounds_later() -> None:
    sdf, orders = loop(1)
    found = retimed(sdf, orders)
    starts = execute(sdf, orders, STEPS)
    assert starts is not None
    assert starts["first"][:3] == [0, 10, 50]
    assert starts["last"][:2] == [40, 70]
    result = analyze(found.graph)
    assert result.start["last"] + found.lag["last"] * 30 >= 40


def test_more_stages_than_there_is_space_for_deadlock() -> None:
    sdf, orders = loop(5)
    assert execute(sdf, orders, STEPS) is None
    with pytest.raises(Deadlock, match="the stages of the orders let each actor of some cycle wait for the next"):
        retimed(sdf, orders)


def test_equal_stages_are_none() -> None:
    sdf, orders = loop(0)
    same = retimed(sdf, [[(name, 3) for name, _ in order] for order in orders])
    assert same == retimed(sdf, orders)
    assert analyze(same.graph).period == analyze(replace(sdf, orders=(("first", "last"),))).period
