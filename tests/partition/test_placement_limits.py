"""What tiles have room for: found before a search begins, kept by every step, named when it is not enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnir.partition.floor import Floor
from snnir.partition.placement import Nets, PlacementError, Problem, cost
from snnir.partition.placement.curve import compact, hilbert
from snnir.partition.placement.exchange import descend, neighbours
from snnir.partition.placement.fill import fill, settle
from snnir.partition.placement.row_major import place as row_major
from snnir.partition.placement.state import State
from tests.partition.placement_problems import chain, floors

NONE = Nets.of([])


def refusal(floor: Floor, clusters: int, **limits: tuple[list[float], float]) -> PlacementError:
    """What a problem is refused with."""
    with pytest.raises(PlacementError) as error:
        Problem.of(
            floor, NONE, clusters, limits={k.replace("_", " "): (np.array(v), c) for k, (v, c) in limits.items()}
        )
    return error.value


def test_what_cannot_fit_is_refused_by_name() -> None:
    error = refusal(Floor((2, 2), per_tile=2), 9)
    assert (error.resource, str(error)) == ("crossbars", "9 clusters, but only 8 crossbars")
    assert "more tiles" in error.hint
    error = refusal(Floor((2, 2)), 2, table_entries=([3, 9], 8.0))
    assert (error.resource, str(error)) == ("table entries", "cluster 1 takes 9 table entries; a tile has 8")
    assert "tables" in error.hint
    error = refusal(Floor((2, 1), per_tile=2), 4, buffers=([5, 5, 5, 5], 8.0))
    assert str(error) == "the clusters take 20 buffers; all tiles have 16"
    assert "more heat per tile" in refusal(Floor((1, 1)), 1, heat=([2.0], 1.0)).hint


def test_three_that_fit_in_sum_but_not_in_pieces() -> None:
    problem = Problem.of(Floor((2, 1), per_tile=2), NONE, 3, limits={"buffers": (np.array([5.0, 5, 5]), 8.0)})
    with pytest.raises(PlacementError, match="no tile has 5 buffers left for cluster 2"):
        fill(problem, np.arange(3), np.arange(2))
    with pytest.raises(PlacementError, match="no tile has 5 buffers left"):
        settle(problem, np.zeros(3, np.int64))


def test_the_largest_first_where_order_leaves_one_over() -> None:
    problem = Problem.of(Floor((2, 1), per_tile=3), NONE, 4, limits={"buffers": (np.array([1.0, 3, 3, 1]), 4.0)})
    assert fill(problem, np.arange(4), np.arange(2)).tolist() == [0, 0, 1, 1]
    problem = Problem.of(Floor((2, 1), per_tile=3), NONE, 4, limits={"buffers": (np.array([1.0, 2, 3, 2]), 4.0)})
    assert fill(problem, np.arange(4), np.arange(2)).tolist() == [0, 1, 0, 1]


def test_settling_moves_only_what_is_too_much_and_no_further_than_needed() -> None:
    problem = Problem.of(Floor((4, 1), per_tile=2), NONE, 5)
    assert settle(problem, np.array([2, 2, 2, 2, 0])).tolist() == [2, 2, 1, 1, 0]
    problem = Problem.of(Floor((4, 1), per_tile=2), NONE, 3, limits={"buffers": (np.array([2.0, 2, 1]), 3.0)})
    assert settle(problem, np.array([3, 3, 3])).tolist() == [3, 2, 3]


def test_settling_uses_what_moved_clusters_leave() -> None:
    """Tile 0 is asked for 2 and 2 of 3, tile 1 for 3 and 1: the second 2 goes away, which leaves room for the 1."""
    limits = {"buffers": (np.array([2.0, 2, 3, 1]), 3.0)}
    problem = Problem.of(Floor((3, 1), per_tile=3), NONE, 4, limits=limits)
    assert settle(problem, np.array([0, 0, 1, 1])).tolist() == [0, 2, 1, 0]


def test_sums_that_are_equal_but_for_rounding_fit() -> None:
    limits = {"buffers": (np.array([0.1, 0.2, 0.1]), 0.3)}  # 0.3 - 0.1 < 0.2
    problem = Problem.of(Floor((2, 1), per_tile=2), NONE, 3, limits=limits)
    assert fill(problem, np.arange(3), np.arange(2)).tolist() == [0, 0, 1]
    state = State(problem, np.array([0, 1, 1]), "unicast")
    assert state.allowed(state.slot_of[[0]], state.slot_of[[2]]).tolist() == [True]


def test_taken_crossbars_are_left_alone() -> None:
    problem = Problem.of(Floor((3, 1), per_tile=2), NONE, 3, crossbars=np.array([0, 1, 2]))
    assert row_major(problem, None).tolist() == [1, 2, 2]  # pyright: ignore[reportArgumentType]
    with pytest.raises(PlacementError, match="tile 0 holds 1 crossbars of 0"):
        problem.check(np.array([0, 1, 2]))
    with pytest.raises(PlacementError, match="not one tile of 3 for each of 3"):
        problem.check(np.array([0, 1, 3]))


def test_exchanges_keep_to_limits_even_when_several_would_fit_alone() -> None:
    # 1 and 2 both gain by moving beside 0, but only one of them fits there
    nets = Nets.of([(0, [1], 5.0), (0, [2], 5.0)])
    limits = {"buffers": (np.array([2.0, 2, 2]), 4.0)}
    problem = Problem.of(Floor((3, 1), per_tile=3), nets, 3, limits=limits)
    state = State(problem, np.array([0, 2, 2]), "unicast")
    for _ in range(4):
        descend(state, state.slot_of[[1, 2]], np.array([1, 2]))
        problem.check(state.tiles)
    assert sorted(state.tiles.tolist()) == [0, 0, 2]
    free = State(Problem.of(Floor((3, 1), per_tile=3), nets, 3), np.array([0, 2, 2]), "unicast")
    assert descend(free, free.slot_of[[1, 2]], np.array([1, 2])) == 2


def test_what_does_not_fit_is_not_exchanged_however_much_it_helps() -> None:
    limits = {"buffers": (np.array([3.0, 2]), 4.0)}
    problem = Problem.of(Floor((3, 1), per_tile=2), Nets.of([(0, [1], 5.0)]), 2, limits=limits)
    state = State(problem, np.array([0, 2]), "unicast")
    assert descend(state, state.slot_of[[1]], np.array([1])) == 0
    assert state.tiles.tolist() == [0, 2]


def test_what_leaves_a_tile_makes_room_there() -> None:
    limits = {"buffers": (np.array([3.0, 2]), 4.0)}
    state = State(Problem.of(Floor((3, 1), per_tile=2), NONE, 2, limits=limits), np.array([0, 2]), "unicast")
    for _ in range(3):  # 0 to tile 1 and back
        state.exchange(np.array([0]), np.array([2]))
        assert state.allowed(state.slot_of[[1]], np.array([0])).tolist() == [True]
        state.exchange(np.array([0]), np.array([2]))
        assert state.allowed(state.slot_of[[1]], np.array([1])).tolist() == [False]


def test_neighbours_are_all_pairs_of_next_tiles_and_every_crossbar_meets_every_other_in_turn() -> None:
    floor = Floor((4, 3), per_tile=2)
    state = State(Problem.of(floor, NONE, 3), np.array([0, 5, 11]), "unicast")
    met = set[tuple[int, int]]()
    for turn in range(2):
        a, b = neighbours(state, turn)
        assert np.all(floor.hops(state.slots[a], state.slots[b]) == 1)
        met.update(zip(a.tolist(), b.tolist(), strict=True))
    across, down = 3 * 3, 4 * 2
    assert len(met) == (across + down) * 2 * 2


def test_exchanges_that_help_alone_but_not_together_are_not_done_together() -> None:
    # each of the two is better off on the other's tile; if both go, they miss each other
    problem = Problem.of(Floor((2, 1), per_tile=2), Nets.of([(0, [1], 1.0)]), 2)
    state = State(problem, np.array([0, 1]), "unicast")
    assert descend(state, np.array([0, 2]), np.array([3, 1])) == 1
    assert state.cost == 0


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_curve_visits_every_point_and_goes_to_neighbours(width: int, height: int) -> None:
    x, y = hilbert(width, height)
    assert sorted((y * width + x).tolist()) == list(range(width * height))
    steps = np.abs(np.diff(x)) + np.abs(np.diff(y))
    assert np.count_nonzero(steps > 1) <= 1
    assert np.maximum(np.abs(np.diff(x)), np.abs(np.diff(y))).max(initial=0) <= 1


def test_squares_of_powers_of_two_have_hilberts_curve() -> None:
    x, y = hilbert(4, 4)
    along = list(zip(x.tolist(), y.tolist(), strict=True))
    quarters = [{(a // 2, b // 2) for a, b in along[i : i + 4]} for i in range(0, 16, 4)]
    assert all(len(quarter) == 1 for quarter in quarters)


@given(floors(), st.data())
def test_tiles_are_filled_from_the_host_on(floor: Floor, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, floor.slots))
    order = compact(Problem.of(floor, NONE, count))
    assert sorted(order.tolist()) == list(range(floor.tiles))
    used = order[: -(-count // floor.per_tile)]
    assert floor.hops(used, floor.host_tile).min() <= 1 or floor.is_tree
    if not floor.is_tree and floor.mesh[0] == floor.mesh[1]:
        side = int(np.ceil(np.sqrt(len(used))))
        assert floor.hops(used, floor.host_tile).max() <= 2 * side


def test_outside_of_the_rectangle_the_nearest_tiles_come_first() -> None:
    floor = Floor((5, 4), host=(1, 2))
    order = compact(Problem.of(floor, NONE, 4))
    assert np.all(np.diff(floor.hops(order[4:], floor.host_tile)) >= 0)


def test_a_chain_longer_than_the_rectangle_goes_on_outside() -> None:
    crossbars = np.ones(9, np.int64)
    crossbars[:4] = 0
    problem = Problem.of(Floor((3, 3)), chain(5), 5, crossbars=crossbars)
    tiles = fill(problem, np.arange(5), compact(problem))
    assert sorted(tiles.tolist()) == [4, 5, 6, 7, 8]
    assert cost(problem, tiles) >= 40
