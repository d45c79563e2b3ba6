"""Admission: what is guaranteed, what is refused and why, and that nobody's guarantee is touched."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.maxplus.analysis import analyze
from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.runtime.admission import Refused, Request, admit
from snnir.runtime.analysis import Graph, cycle, latency, self_timed, starts
from snnir.runtime.application import Application, Constraints
from snnir.runtime.bound import Bound, bound
from snnir.runtime.floor import floor_of
from snnir.runtime.state import FAULTY, RESERVED, Integers, State, problems
from snnir.runtime.transport import plain
from tests.runtime.applications import platform, random_application, sample_application

Kind = Literal["mesh", "tree", "chips"]
SECOND = 10**12
"""In the unit of `platform`."""


def spread_out(application: Application, seed: int) -> Bound:
    """Bound to crossbars anywhere."""
    target = application.platform
    crossbars = np.random.default_rng(seed).permutation(target.crossbars)[: len(application.clusters)]
    per_tile = target.machine.crossbars_per_tile
    return bound(application, floor_of(target), crossbars, per_tile, multicast=target.multicast)


def serialised(found: Bound) -> tuple[Integers, Integers]:
    return plain(found, found.flows)


def as_sdf(found: Bound) -> SDFGraph:
    """The same graph, actor by actor: slices, a send and a carry for each way, channels, orders with stages."""
    application = found.application
    actors, channels, names = application.actors, application.channels, application.names
    send, carry = serialised(found)
    parts = [Actor(name, int(time)) for name, time in zip(names, actors.worst, strict=True)]
    edges: list[Channel] = []
    for way in range(len(send)):
        source = int(found.source[way])
        parts += [Actor(f"send{way}", int(send[way])), Actor(f"carry{way}", int(carry[way]), None)]
        edges += [Channel(names[source], f"send{way}"), Channel(f"send{way}", f"carry{way}")]
    columns = channels.source, channels.target, channels.delay, channels.capacity, found.way
    rows: list[list[int]] = np.stack(columns, axis=1).tolist()
    for source, target, delay, capacity, way in rows:
        moved = delay + int(actors.lag[target] - actors.lag[source])
        edges.append(Channel(names[source] if way < 0 else f"carry{way}", names[target], tokens=moved))
        edges.append(Channel(names[target], names[source], tokens=capacity - moved))
    for number in range(len(application.clusters)):
        slices: list[int] = np.flatnonzero(actors.cluster == number).tolist()
        order = sorted(slices, key=lambda each: int(actors.sequence[each]))
        for a, b in zip(order, [*order[1:], order[0]], strict=True):
            ahead = int(actors.stage[a] - actors.stage[b] + actors.lag[b] - actors.lag[a] + (b == order[0]))
            edges.append(Channel(names[a], names[b], tokens=ahead))
    return SDFGraph(tuple(parts), tuple(edges))


@pytest.mark.parametrize("kind", ["mesh", "tree", "chips"])
@given(st.integers(0, 1 << 30), st.integers(1, 14), st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_period_is_that_of_the_graph_actor_by_actor(
    kind: Kind, seed: int, clusters: int, multicast: bool, pipelined: bool
) -> None:
    target = platform((4, 4), 2, multicast=multicast, topology=kind)
    found = spread_out(random_application(seed, clusters, target, pipelined=pipelined), seed)
    graph = Graph.of(found)
    times = graph.times(*serialised(found))
    period = cycle(graph, times).period
    assert period == analyze(as_sdf(found), slack=False).period
    whole = int(np.ceil(float(period)))
    start = starts(graph, times, whole, graph.size + 1)
    assert start is not None
    assert np.all(start[graph.head] >= start[graph.tail] + times - whole * graph.tokens)
    steps = np.arange(20)[:, None]
    assert np.all((self_timed(graph, times, 20) <= start + whole * steps) | (steps < graph.lag))
    assert latency(graph, start, whole) >= 0
    if period >= 2:
        assert starts(graph, times, int(period) - 1, graph.size + 1) is None


def admitted(state: State, application: Application, name: str, throughput: Fraction | None = None) -> bool:
    try:
        state.add(admit(state, application, name, Request(name, Constraints(throughput))).resident)
    except Refused:
        return False
    return True


def fill(target_seed: int, count: int, state: State) -> int:
    """Admit random applications one after the other; how many were."""
    sizes = np.random.default_rng(target_seed).integers(1, 9, count)
    made = [random_application(number, int(size), state.platform) for number, size in enumerate(sizes)]
    wanted = [SECOND / (4 * each.period) for each in made]
    return sum(admitted(state, made[n], f"a{n}", throughput=wanted[n]) for n in range(count))


@pytest.mark.parametrize("kind", ["mesh", "tree", "chips"])
@pytest.mark.parametrize("multicast", [True, False])
def test_nobody_takes_from_others(kind: Kind, multicast: bool) -> None:
    state = State.of(platform((4, 4), 2, multicast=multicast, topology=kind))
    assert fill(1, 12, state) >= 3
    assert not list(problems(state))
    for name in list(state.residents)[::2]:
        state.remove(name)
        assert not list(problems(state))
    for name in list(state.residents):
        state.remove(name)
    assert state.free.all() and not state.flows.any()


def test_a_guarantee_is_what_the_room_allows() -> None:
    """The guarantee of each resident holds, computed anew with as many flows on each link as it has room for."""
    state = State.of(platform((4, 4), 2))
    applications = {f"a{n}": random_application(n, 5, state.platform) for n in range(5)}
    for name, each in applications.items():
        admitted(state, each, name, throughput=SECOND / (3 * each.period))
    assert len(state.residents) >= 3
    for name, resident in state.residents.items():
        found = bound(applications[name], floor_of(state.platform), resident.crossbars, 2, multicast=True)
        room = np.zeros_like(state.flows)
        room[resident.links] = resident.room
        graph = Graph.of(found)
        times = graph.times(*plain(found, room))
        period = cycle(graph, times).period
        assert resident.period >= applications[name].period
        # sharper bounds on transport may promise more than plain round-robin does, never without reason
        if period <= resident.period:
            start = starts(graph, times, int(resident.period), graph.size + 1)
            assert start is not None
        assert np.all(resident.room >= state.flows[resident.links])


def test_crossbars_that_are_not_free_are_not_used() -> None:
    state = State.of(platform((4, 4), 2))
    state.owner[::2] = RESERVED
    state.owner[1] = FAULTY
    offer = admit(state, random_application(3, 9, state.platform), "digest", Request("a"))
    assert np.all(offer.resident.crossbars % 2 == 1) and 1 not in offer.resident.crossbars
    assert len(set(offer.resident.crossbars.tolist())) == 9


def test_too_few_crossbars() -> None:
    state = State.of(platform((2, 2), 1))
    state.owner[0] = RESERVED
    with pytest.raises(Refused, match="needs 4 crossbars, 3 of 4 are free"):
        admit(state, random_application(3, 4, state.platform), "digest", Request("a"))


def test_throughput_that_cannot_be_had() -> None:
    state = State.of(platform((4, 4), 2))
    application = random_application(3, 9, state.platform)
    best = admit(state, application, "digest", Request("a", headroom=Fraction(0)))
    wanted = best.steps_per_second * 2
    with pytest.raises(Refused, match="cannot be guaranteed here") as error:
        admit(state, application, "digest", Request("a", Constraints(wanted)))
    assert error.value.best is not None and wanted > error.value.best >= best.steps_per_second
    assert " -> " in str(error.value) or "c" in str(error.value)
    slow = admit(state, application, "digest", Request("a", Constraints(best.steps_per_second / 2)))
    assert slow.resident.period == int(2 * best.resident.period)
    assert slow.resident.room.sum() >= best.resident.room.sum()


def test_latency_that_cannot_be_had() -> None:
    state = State.of(platform((4, 4), 2))
    application = random_application(3, 9, state.platform)
    best = admit(state, application, "digest", Request("a"))
    near = admit(state, application, "digest", Request("a", Constraints(None, best.latency_seconds)))
    assert near.latency_seconds <= best.latency_seconds
    with pytest.raises(Refused, match="latency of 1e-12 s"):
        admit(state, application, "digest", Request("a", Constraints(None, Fraction(1, SECOND))))


def test_full_links_are_named() -> None:
    """On one row of tiles all that goes to the host crosses one link; who counts on it is named."""
    state = State.of(platform((6, 1), 1))
    names: list[str] = []
    with pytest.raises(Refused, match=r"link .* would have \d+ flows, the guarantee of a\d+ allows \d+") as error:
        for number in range(6):
            application = random_application(number, 1, state.platform)
            offer = admit(state, application, "d", Request(f"a{number}", headroom=Fraction(0)))
            state.add(replace(offer.resident, room=offer.resident.room.clip(max=offer.resident.flows + 1)))
            names.append(f"a{number}")
    assert any(name in str(error.value) for name in names)


def test_another_platform() -> None:
    application = random_application(3, 4, platform((4, 4), 2))
    larger = State.of(platform((8, 3), 1, host=(2, 1)))
    assert admit(larger, application, "d", Request("a")).steps_per_second > 0
    machine = larger.platform.machine
    for other, message in (
        (replace(larger.platform, events=1), "input buffers"),
        (replace(larger.platform, multicast=False), "unicast"),
        (replace(larger.platform, machine=replace(machine, rows=128)), "rows"),
        (replace(larger.platform, machine=replace(machine, time=replace(machine.time, flit=9))), "time.flit"),
        (platform((4, 4), 2, topology="tree"), "topology"),
    ):
        with pytest.raises(Refused, match=message):
            admit(State.of(other), application, "d", Request("a"))


def test_one_name_for_one_application() -> None:
    state = State.of(platform((4, 4), 2))
    assert admitted(state, random_application(1, 2, state.platform), "a")
    with pytest.raises(Refused, match="of this name"):
        admit(state, random_application(2, 2, state.platform), "d", Request("a"))


@pytest.mark.parametrize("machine", ["mesh2x2-64", "mesh2x2-32", "mesh4x4-128-shared"])
def test_the_compiler_and_admission_agree(machine: str) -> None:
    """At the places that the compiler chose, on an empty machine, the guarantee is the compiler's."""
    application = sample_application(machine)
    target = application.platform
    tiles = application.where[:, 1] * target.machine.mesh[0] + application.where[:, 0]
    order = np.argsort(tiles, kind="stable")
    crossbars = np.empty_like(tiles)
    first = np.searchsorted(tiles[order], tiles[order])
    per_tile = target.machine.crossbars_per_tile
    crossbars[order] = tiles[order] * per_tile + np.arange(len(tiles)) - first
    found = bound(application, floor_of(target), crossbars, per_tile, multicast=target.multicast)
    graph = Graph.of(found)
    period = cycle(graph, graph.times(*serialised(found))).period
    assert period >= application.period
    assert float(period) <= 1.3 * float(application.period)
