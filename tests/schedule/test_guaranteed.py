"""What is guaranteed of bound graphs with slices of wheels, against executions with the wheels at any phases."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_graphs import Run, deployments

from snnir.maxplus import Actor, Channel, SDFGraph, analyze
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture
from snnir.schedule.bound import BoundGraph, bind
from snnir.schedule.guaranteed import guarantee, guarantees
from snnir.schedule.orders import order
from snnir.schedule.tdma import guaranteed_period
from snnir.schedule.wheel import Slice

Deployed = tuple[Application, Architecture, dict[str, str], dict[str, int]]


def scheduled(deployed: Deployed, waits: bool = False) -> BoundGraph:
    """The bound graph of a deployment, with orders and no stages: iterations are those of the machine."""
    application, architecture, binding, slices = deployed
    return order(bind(application, architecture, binding, slices, waits=waits), "fifo", stages=False)


@settings(max_examples=80, deadline=None)
@given(deployments(), st.booleans(), st.data())
def test_every_firing_has_ended_by_its_latency(deployed: Deployed, waits: bool, data: st.DataObject) -> None:
    bound = scheduled(deployed, waits)
    phases = {tile: data.draw(st.integers(0, own.wheel - 1)) for tile, own in bound.slices.items()}
    assert guarantee(bound).period == guaranteed_period(bound)
    models = guarantees(bound)
    for name, ends in Run(bound, phases).ends(12).items():
        count = bound.firings[name]
        for firing, end in enumerate(ends):
            for found in models:
                assert end <= found.latency[name] + firing // count * (found.period or 0)


@settings(max_examples=40, deadline=None)
@given(deployments())
def test_slack_is_room_for_work(deployed: Deployed) -> None:
    bound = scheduled(deployed)
    found = guarantee(bound)
    for number, actor in enumerate(bound.graph.actors):
        slack = found.slack[actor.name]
        if slack is not None:
            actors = list(bound.graph.actors)
            actors[number] = replace(actor, time=actor.times[0] + int(slack))
            grown = replace(bound, graph=replace(bound.graph, actors=tuple(actors)))
            assert guaranteed_period(grown) == found.period


def one_tile(count: int, work: int, own: Slice) -> BoundGraph:
    """Actors without channels, one after the other on a tile."""
    actors = tuple(Actor(f"a{n}", work) for n in range(count))
    names = tuple(actor.name for actor in actors)
    return BoundGraph(SDFGraph(actors, (), (names,)), dict.fromkeys(names, "t"), {"t": own.wheel}, {"t": own})


def test_the_first_slice_may_be_a_pause_away() -> None:
    """No token comes from elsewhere, and yet the first firing may have to wait: 7 * 16 units at 3 of 8, and 5 units."""
    found = guarantee(one_tile(7, 16, Slice(8, 3)))
    assert found.period == Fraction(896, 3)
    assert max(found.latency.values()) == Fraction(896, 3) + 5
    assert found.start["a0"] == 5
    assert found.critical == tuple(f"a{n}" for n in range(7))


def test_without_slices_it_is_the_analysis() -> None:
    graph = SDFGraph((Actor("a", 3), Actor("b", 4)), (Channel("a", "b"), Channel("b", "a", tokens=2)))
    found, analysis = guarantee(BoundGraph(graph, {})), analyze(graph)
    assert (found.period, found.start, found.latency) == (analysis.period, analysis.start, analysis.latency)
    assert found.slack == analysis.slack


def test_where_firings_wait_one_by_one_response_times_count() -> None:
    """1 unit of work on each side, in 4 of 8: 2 * (1 + 4), not 2 * (4 + 2)."""
    graph = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b"), Channel("b", "a", tokens=1)), (("a",), ("b",)))
    slices = {"s": Slice(8, 4), "t": Slice(8, 4)}
    found = guarantee(BoundGraph(graph, {"a": "s", "b": "t"}, {"s": 8, "t": 8}, slices))
    assert (found.period, found.latency) == (10, {"a": 5, "b": 10})
