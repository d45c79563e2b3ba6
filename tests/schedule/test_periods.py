"""Periods of bound graphs: exact against an execution, bounds against exact, and all of them against capacity."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_graphs import Run, deployments

from snnir.maxplus import Actor, Channel, SDFGraph, expand, maximum_cycle_ratio
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture, Connection, Tile
from snnir.schedule.bound import BoundGraph, bind
from snnir.schedule.exact import exact_period
from snnir.schedule.orders import order
from snnir.schedule.tdma import guaranteed_period, latency_rate_period, response_period

Deployed = tuple[Application, Architecture, dict[str, str], dict[str, int]]


def scheduled(deployed: Deployed, waits: bool = False) -> BoundGraph:
    """The bound graph of a deployment, with orders of one kind or another."""
    application, architecture, binding, slices = deployed
    bound = bind(application, architecture, binding, slices, waits=waits)
    return order(bound, "slack" if len(binding) % 2 else "fifo")


@settings(max_examples=60, deadline=None)
@given(deployments(), st.booleans())
def test_the_exact_period_is_that_of_execution(deployed: Deployed, waits: bool) -> None:
    bound = scheduled(deployed, waits)
    period = exact_period(bound)
    assert period is not None
    # after the transient, a multiple of the loops that these small graphs settle in
    before, rounds = 48, 12 * period.denominator
    ends = Run(bound).ends(before + rounds)
    passed = [found[-1] - found[before * count - 1] for found, count in counted(bound, ends)]
    assert period == Fraction(max(passed), rounds)


def counted(bound: BoundGraph, ends: dict[str, list[int]]) -> list[tuple[list[int], int]]:
    """The ends of each actor's firings, and how many of them make an iteration."""
    return [(found, bound.firings[name]) for name, found in ends.items()]


@settings(max_examples=50, deadline=None)
@given(deployments(), st.booleans())
def test_bounds_are_above_the_exact_period_and_that_above_capacity(deployed: Deployed, waits: bool) -> None:
    bound = scheduled(deployed, waits)
    exact = exact_period(bound) or Fraction(0)
    assert exact <= (response_period(bound) or 0)
    assert exact <= (latency_rate_period(bound) or 0)
    assert exact <= (guaranteed_period(bound) or 0)
    for tile, work in bound.work.items():
        own = bound.slices.get(tile)
        assert exact >= (work if own is None else work / own.share)


@settings(max_examples=50, deadline=None)
@given(deployments(), st.data())
def test_a_longer_slice_never_lowers_the_throughput(deployed: Deployed, data: st.DataObject) -> None:
    _, architecture, _, slices = deployed
    bound = scheduled(deployed, waits=data.draw(st.booleans()))
    more = {
        tile.name: data.draw(st.integers(slices[tile.name], tile.wheel)) for tile in architecture.tiles if tile.wheel
    }
    longer = bound.sliced(more)
    for period in (exact_period, response_period, latency_rate_period, guaranteed_period):
        assert (period(longer) or 0) <= (period(bound) or 0)


@settings(max_examples=50, deadline=None)
@given(deployments())
def test_with_whole_wheels_everything_is_the_cycle_ratio(deployed: Deployed) -> None:
    bound = scheduled(deployed).sliced({})
    critical = maximum_cycle_ratio(expand(bound.graph).graph)
    assert critical is not None
    assert exact_period(bound) == guaranteed_period(bound) == latency_rate_period(bound) == critical.ratio


def test_tokens_from_another_tile_wait_for_the_slice() -> None:
    # 1 unit of work on each side, in the second half of every 8 units, and 1 unit of way each time: the token comes too
    # late for one of the slices. At the rate of the slices alone a round would take 2 + 1 + 2 + 1
    graph = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b"), Channel("b", "a", tokens=1)))
    ways = (Connection("there", "s", "t", 1), Connection("back", "t", "s", 1))
    architecture = Architecture("two", (Tile("s", "p", 8), Tile("t", "p", 8)), ways)
    bound = order(bind(Application(graph), architecture, {"a": "s", "b": "t"}, {"s": 4, "t": 4}))
    assert exact_period(bound) == 8
    assert latency_rate_period(bound) == 2 * (4 + 2 + 1)
    assert response_period(bound) == guaranteed_period(bound) == 2 * (1 + 4 + 1)
