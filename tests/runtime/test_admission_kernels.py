"""The compiled loops of admission against the same said in a few lines of Python."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.maxplus import cycle_ratio
from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.graph import TimedGraph
from snnir.runtime import admission, transport
from snnir.runtime.analysis import Cycle, Graph, cycle, self_timed, starts
from snnir.runtime.bound import Bound, bound
from snnir.runtime.floor import floor_of
from snnir.runtime.kernels import returns, settle, spare
from snnir.runtime.state import Integers
from snnir.runtime.transport import Transport, fastest, plain
from tests.runtime.applications import platform, random_application


def spread_out(seed: int, clusters: int = 9, *, multicast: bool = True) -> Bound:
    """A random application on crossbars anywhere, its host in the middle."""
    target = platform((4, 4), 2, multicast=multicast, host=(2, 1), topology="chips")
    crossbars = np.random.default_rng(seed).permutation(target.crossbars)[:clusters]
    return bound(random_application(seed, clusters, target), floor_of(target), crossbars, 2, multicast=multicast)


def links_of(found: Bound) -> list[list[int]]:
    begin: list[int] = found.ways.begin.tolist()
    return [found.ways.links[first:last].tolist() for first, last in pairwise(begin)]


@pytest.mark.parametrize("seed", range(6))
def test_ways_take_turns_on_their_links(seed: int) -> None:
    found = spread_out(seed)
    flit, hop = (each.tolist() for each in found.floor.times)
    room = np.random.default_rng(seed).integers(1, 9, found.floor.links)
    send, carry = plain(found, room)
    for way, links in enumerate(links_of(found)):
        turns = [flit[link] * int(room[link]) for link in links]
        assert send[way] == found.flits[way] * max(turns)
        assert carry[way] == sum(turns) - max(turns) + sum(hop[link] for link in links)


@pytest.mark.parametrize("seed", range(6))
def test_links_on_ways_to_and_from_the_host(seed: int) -> None:
    found, tiles = spread_out(seed), 16
    ways = [links for links in links_of(found) if links[0] == 2 * tiles or links[-1] == 2 * tiles + 1]
    assert ways and len(ways) < len(found.source)
    expected = {2 * tiles, 2 * tiles + 1}.union(*ways)
    assert np.flatnonzero(found.hosted).tolist() == sorted(expected)


@pytest.mark.parametrize("seed", range(6))
def test_spare_flows_are_those_that_no_way_is_too_slow_for(seed: int) -> None:
    found = spread_out(seed)
    flit, present = found.floor.times[0], found.flows
    period = int(plain(found, present)[0].max()) * 5 // 4
    more = spare(found.ways.begin, found.ways.links, found.flits, flit, present, period, 100)
    ways = links_of(found)
    for link in range(found.floor.links):
        sizes = [int(found.flits[way]) for way, links in enumerate(ways) if link in links]
        most = [period // (size * int(flit[link])) - int(present[link]) for size in sizes if size]
        assert more[link] == max(0, min([100, *most]))


def edge_times(graph: Graph, send: Integers, carry: Integers) -> list[int]:
    """The time of each edge, from what its ends are."""
    actors = graph.bound.application.actors.worst
    found: list[int] = []
    for tail, head in zip(graph.tail.tolist(), graph.head.tolist(), strict=True):
        own = int(graph.owner[tail])
        way = own - len(actors)
        found.append(int(actors[own]) if way < 0 else int(send[way]) + (0 if head == tail else int(carry[way])))
    return found


def executed(graph: Graph, times: list[int], steps: int) -> Integers:
    """Self-timed execution, firing by firing."""
    found = np.zeros((steps, graph.size), np.int64)
    edges = list(zip(graph.tail.tolist(), graph.head.tolist(), graph.tokens.tolist(), times, strict=True))
    for step in range(steps):
        for tail, head, tokens, time in edges:
            if step >= graph.lag[tail] and step + tokens < steps:
                found[step + tokens, head] = max(found[step + tokens, head], found[step, tail] + time)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_self_timed_execution(seed: int) -> None:
    found = spread_out(seed, multicast=bool(seed % 2))
    graph = Graph.of(found)
    assert np.array_equal(graph.node[graph.owner], np.arange(graph.size))
    assert np.array_equal(graph.begin, np.searchsorted(graph.tail, np.arange(graph.size + 1)))
    send, carry = plain(found, found.flows)
    times = graph.times(send, carry)
    assert times.tolist() == edge_times(graph, send, carry)
    assert np.array_equal(self_timed(graph, times, 12), executed(graph, times.tolist(), 12))


def test_a_promise_that_is_too_early_is_noticed() -> None:
    """By one unit, of any node that has to start as late as that in one of the steps looked at."""
    found = spread_out(3)
    graph = Graph.of(found)
    times = graph.times(*plain(found, found.flows))
    period = int(cycle(graph, times).period) + 1
    start = starts(graph, times, period, graph.size + 1)
    assert start is not None
    admission._check(graph, times, start, period)  # pyright: ignore[reportPrivateUsage]
    count = int(graph.lag.max()) + admission.STEPS
    steps = np.arange(count)[:, None]
    needed = np.where(steps >= graph.lag, self_timed(graph, times, count) - period * steps, -(1 << 60)).max(axis=0)
    assert np.all(needed <= start)
    for node in range(graph.size):
        exact = start.copy()
        exact[node] = needed[node]
        admission._check(graph, times, exact, period)  # pyright: ignore[reportPrivateUsage]
        exact[node] -= 1
        with pytest.raises(AssertionError, match="later than the guarantee"):
            admission._check(graph, times, exact, period)  # pyright: ignore[reportPrivateUsage]


def in_rounds(edges: list[tuple[int, int, int]], value: list[int], limit: int) -> bool:
    """Raises values in place as `settle` does, looking for no cycle; whether they settle within so many rounds."""
    changed = [True] * len(value)
    for _ in range(limit):
        again = False
        for node in range(len(value)):
            if changed[node]:
                changed[node] = False
                for tail, head, weight in edges:
                    if tail == node and value[node] + weight > value[head]:
                        value[head] = value[node] + weight
                        changed[head] = True
                        again = again or head <= node
        if not again:
            return True
    return False


@st.composite
def weighted(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, int]], list[int]]:
    """Nodes, edges sorted by their tail, first values; loops are not positive, as self-loops have a `send`."""
    size = draw(st.integers(1, 7))
    node, weight = st.integers(0, size - 1), st.integers(-9, draw(st.integers(-2, 6)))
    edges = draw(st.lists(st.tuples(node, node, weight), max_size=16))
    values = draw(st.lists(st.integers(-30, 5), min_size=size, max_size=size))
    return size, sorted((a, b, min(w, 0) if a == b else w) for a, b, w in edges), values


@given(weighted(), st.integers(1, 12))
@settings(max_examples=500, derandomize=True, deadline=None)
def test_values_settle_in_as_many_rounds_as_without_looking_for_cycles(
    given_: tuple[int, list[tuple[int, int, int]], list[int]], limit: int
) -> None:
    size, edges, values = given_
    columns = np.array(edges, np.int64).reshape(-1, 3).T.copy()
    begin = np.searchsorted(columns[0], np.arange(size + 1))
    found, expected = np.array(values, np.int64), list(values)
    settled = settle(begin, columns[1], columns[2], found, limit)
    assert settled == in_rounds(edges, expected, limit)
    if settled:
        assert found.tolist() == expected


def test_a_cycle_of_nodes_that_raise_each_other() -> None:
    for last, expected in (
        ([-1], False),
        ([0], True),
        ([-1, 0, 1, 1], False),
        ([3, 0, 1, 1], True),
        ([4, 4, 4, -1, 3], False),
        ([4, 4, 4, -1, 1], True),
    ):
        assert returns(np.array(last, np.int64)) == expected


@pytest.fixture
def compiled_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets small graphs use what only large ones do otherwise."""
    monkeypatch.setattr(cycle_ratio, "COMPILED_FROM", 0)


def fastest_of_all(graph: Graph, room: Integers, patch: pytest.MonkeyPatch) -> Transport:
    """`fastest`, with each period found from nothing and to the end."""

    def from_nothing(graph: Graph, times: Integers, _enough: Any = None) -> Cycle:
        found = maximum_cycle_ratio(TimedGraph(graph.size, graph.tail, graph.head, times, graph.tokens))
        return Cycle(Fraction(0), ()) if found is None else Cycle(found.ratio, found.cycle)

    def none(*_: object) -> Fraction:
        return Fraction(-1)

    with patch.context() as inside:
        inside.setattr("snnir.runtime.transport.cycle", from_nothing)
        inside.setattr(Cycle, "ratio", none)
        return fastest(graph, room)


@pytest.mark.usefixtures("compiled_for_all")
@pytest.mark.parametrize("multicast", [True, False])
def test_shortcuts_change_no_period(multicast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sharper = 0
    for seed in range(40):
        found = spread_out(seed, multicast=multicast)
        graph = Graph.of(found)
        room = found.flows + np.random.default_rng(seed).integers(0, 40, found.floor.links)
        quick, slow = fastest(graph, room), fastest_of_all(graph, room, monkeypatch)
        assert quick.found == slow.found
        assert np.array_equal(quick.send, slow.send) and np.array_equal(quick.carry, slow.carry)
        sharper += not np.array_equal(quick.send, plain(found, room)[0])
    assert sharper


def test_a_period_that_is_lowered_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each target lies below the last period, until one lowers it no more."""
    sharper = Fraction(63, 64)
    monkeypatch.setattr(transport, "SHARPER", sharper)
    most = 0
    for seed in range(20):
        found = spread_out(seed)
        graph = Graph.of(found)
        room = found.flows + np.random.default_rng(seed).integers(0, 200, found.floor.links)
        send, _ = plain(found, room)
        least, lowered = Fraction(int(send.max())), 0
        while int(send.max()) > int(least * sharper):
            send, carry = transport.within(found, room, int(least * sharper))
            period = cycle(graph, graph.times(send, carry)).period
            if period >= least:
                break
            least, lowered = period, lowered + 1
        if lowered:
            assert fastest(graph, room).found.period == least
        most = max(most, lowered)
    assert most >= 2
