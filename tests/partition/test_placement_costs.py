"""What placements cost: all at once and by exchanges, the same as walking every way link by link."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.partition.floor import Floor
from snnir.partition.placement import HOST, CostName, Nets, Options, Problem, cost
from snnir.partition.placement.exchange import all_pairs, neighbours
from snnir.partition.placement.force import Forces
from snnir.partition.placement.state import State
from tests.partition.placement_problems import any_placement, problems, walked

COSTS: tuple[CostName, ...] = ("unicast", "multicast")


def test_by_hand() -> None:
    # on a 4x3 mesh with two crossbars a tile: cluster 0 at (0, 1) sends to 1 and 2 at (2, 0), 3 at (2, 2), 4 on its own
    # tile, and the host at (3, 1)
    floor = Floor((4, 3), per_tile=2, host=(3, 1))
    tiles = np.array([floor.number(router) for router in ((0, 1), (2, 0), (2, 0), (2, 2), (0, 1))])
    problem = Problem.of(floor, Nets.of([(0, [1, 2, 3, 4, HOST], 2.0)]), 5)
    assert cost(problem, tiles, "unicast") == 2 * (3 + 3 + 3)
    assert cost(problem, tiles, "multicast") == 2 * (3 + 1 + 1)


def test_a_border_between_chips_counts_as_often_as_said() -> None:
    problem = Problem.of(Floor((4, 2), chip=(2, 2)), Nets.of([(0, [1], 1.0)]), 2, crossing=5)
    assert cost(problem, np.array([0, 3])) == cost(problem, np.array([0, 3]), "multicast") == 2 + 5


def test_a_host_on_the_router_of_a_tile_is_a_destination_of_its_own() -> None:
    problem = Problem.of(Floor((3, 1), host=(2, 0)), Nets.of([(0, [HOST, 1], 1.0), (HOST, [1], 7.0)]), 2)
    assert cost(problem, np.array([0, 2])) == 2 + 2
    assert cost(problem, np.array([0, 2]), "multicast") == 2


def test_nets_count_a_reader_once_and_no_sender_among_its_readers() -> None:
    nets = Nets.of([(0, [1, 1, 0], 1.0), (1, [1], 5.0), (HOST, [], 5.0), (HOST, [2, 0], 3.0)])
    assert nets.sources.tolist() == [0, HOST]
    assert nets.starts.tolist() == [0, 1, 3]
    assert nets.sinks.tolist() == [1, 0, 2]
    assert nets.volumes.tolist() == [1.0, 3.0]
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="volume"):
            Nets.of([(0, [1], wrong)])
    with pytest.raises(ValueError, match="effort"):
        Options(effort=0)
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="effort"):
            Options(effort=wrong)


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(0, 2**32), st.sampled_from(COSTS))
def test_costs_are_those_of_explicit_ways(problem: Problem, seed: int, name: CostName) -> None:
    tiles = any_placement(problem, seed)
    assert cost(problem, tiles, name) == walked(problem, tiles, name)


@settings(max_examples=150, deadline=None)
@given(problems(most=4), st.integers(0, 2**32), st.sampled_from(COSTS))
def test_changes_are_those_of_costs_before_and_after(problem: Problem, seed: int, name: CostName) -> None:
    """Random exchanges, priced together, each compared with the cost of the placement that it leads to; after some
    have been done, once more."""
    state = State(problem, any_placement(problem, seed), name)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        a, b = rng.integers(0, len(state.slots), (2, 12))
        changes = state.changes(a, b)
        for number in range(len(a)):
            other = State(problem, state.tiles, name)
            other.occupant, other.slot_of = state.occupant.copy(), state.slot_of.copy()
            if a[number] != b[number]:
                other.exchange(a[number : number + 1], b[number : number + 1])
            assert changes[number] == cost(problem, other.tiles, name) - state.cost
            assert other.cost == cost(problem, other.tiles, name)
        ends = rng.permutation(len(state.slots))[: len(state.slots) // 2 * 2].reshape(2, -1)
        state.exchange(ends[0], ends[1])
        assert state.cost == cost(problem, state.tiles, name)
        assert np.array_equal(state.slots[state.slot_of], state.tiles)
        problem.check(state.tiles)


def test_changes_are_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    nets = Nets.of([(c, rng.integers(0, 40, 4).tolist(), 1.0) for c in range(40) for _ in range(3)])
    state = State(Problem.of(Floor((7, 6)), nets, 40), np.arange(40), "multicast")
    pairs = all_pairs(state)
    whole = state.changes(*pairs)
    monkeypatch.setattr("snnir.partition.placement.arrays.CHUNK", 100)
    assert np.array_equal(state.changes(*pairs), whole)
    assert len(pairs[0]) == 40 * 39 // 2 + 40 * 2


@settings(max_examples=60, deadline=None)
@given(problems(most=4), st.integers(0, 2**32))
def test_tension_is_the_change_of_the_unicast_cost_where_tiles_hold_one_cluster(problem: Problem, seed: int) -> None:
    floor = Floor(
        problem.floor.mesh, problem.floor.topology, problem.floor.arity, problem.floor.chip, 1, problem.floor.host
    )
    count = min(problem.clusters, floor.tiles)
    sources, starts, sinks = problem.nets.sources, problem.nets.starts, problem.nets.sinks
    kept = [
        (int(s), [int(k) for k in sinks[starts[n] : starts[n + 1]] if k < count], float(problem.nets.volumes[n]))
        for n, s in enumerate(sources)
        if s < count
    ]
    single = Problem.of(floor, Nets.of(kept), count, crossing=problem.crossing)
    state = State(single, any_placement(single, seed), "unicast")
    a, b = neighbours(state, 0)
    assert np.allclose(Forces(single).changes(state, a, b), state.changes(a, b))
