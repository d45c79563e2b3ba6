"""Tiles: the dynamic program against trying everything, geometry against the synapses."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.partition.fields import Box, field_of
from snnir.partition.problem import Problem
from snnir.partition.tiling import MOST, Crossbar, Cutter, Prices, tiles
from tests.partition.nets import Net, chain, problems
from tests.partition.projections import conv


def _edges(size: int) -> st.SearchStrategy[tuple[int, int]]:
    """The first and the last place of a box along one dimension, the latter not included."""
    return st.tuples(st.integers(0, size - 1), st.integers(1, size)).filter(lambda pair: pair[0] < pair[1])


def cheapest(costs: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", height: int, width: int) -> float:
    """By trying every cut."""

    @cache
    def of(h: int, w: int) -> float:
        cuts = [of(n, w) + of(h - n, w) for n in range(1, h)] + [of(h, n) + of(h, w - n) for n in range(1, w)]
        return min([float(costs[h - 1, w - 1]), *cuts])

    return of(height, width)


@settings(deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10_000))
def test_cuts_are_the_cheapest(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.integers(1, 30, (height, width)).astype(np.float64)
    costs[rng.random((height, width)) < 0.3] = np.inf
    costs[0, 0] = 9.0
    cutter = Cutter(costs)
    found = cutter.cut(height, width)
    assert cutter.best[-1, -1] == cheapest(costs, height, width)
    assert sum(costs[b - t - 1, r - x - 1] for t, b, x, r in found) == cutter.best[-1, -1]
    covered = np.zeros((height, width), np.int64)
    for top, bottom, left, right in found:
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all()


@settings(max_examples=60, deadline=None)
@given(problems(), st.data())
def test_boxes_read_what_their_neurons_read(problem: Problem, data: st.DataObject) -> None:
    for number in range(len(problem.layers)):
        field = field_of(problem, number)
        if field is None:
            continue
        (a, b), (c, d), (e, f) = (data.draw(_edges(n)) for n in field.shape)
        box = Box(a, b, c, d, e, f)
        neurons = field.neurons(box)
        expected = problem.axons_of(number, neurons)
        assert len(neurons) == box.size == len(np.unique(neurons))
        assert np.array_equal(field.axons(box), expected)
        assert field.count(box) == len(expected)
        most = field.most((a, b), box.bottom - box.top, box.right - box.left)
        assert most[-1, -1] >= len(expected)


@settings(max_examples=60, deadline=None)
@given(problems(digital=True), st.sampled_from((0.2, 0.8, 1.0)))
def test_tiles_hold_every_neuron_once(problem: Problem, share: float) -> None:
    crossbar = Crossbar(problem.rows, problem.columns, True)
    for number in range(len(problem.layers)):
        field = field_of(problem, number)
        if field is not None:
            found = tiles(field, crossbar, Prices(share, 1 - share, 1.0))
            neurons = np.concatenate([field.neurons(tile.box) for tile in found])
            assert np.array_equal(np.sort(neurons), np.arange(problem.layers[number].size))
            assert all(tile.box.size <= problem.columns for tile in found)


def test_first_layer_of_lenet_takes_36_rows_for_16_places() -> None:
    problem = chain(1024, conv(1, 6, 32, 3)).problem()
    field = field_of(problem, 0)
    assert field is not None
    found = tiles(field, Crossbar(128, 128, True), Prices(0.8, 0.2, 4.0))
    # 900 places of 6 channels; 57 is 900 / 16 rounded up
    assert len(found) == 57
    assert sum(field.count(tile.box) for tile in found) <= 57 * 36


def test_large_planes_are_cut_into_bands() -> None:
    problem = chain((MOST + 6) ** 2, conv(1, 1, MOST + 6, 1)).problem(rows=4, columns=4)
    field = field_of(problem, 0)
    assert field is not None
    found = tiles(field, Crossbar(4, 4, True), Prices(0.5, 0.5, 1.0))
    assert sum(tile.box.size for tile in found) == (MOST + 6) ** 2


def test_no_tiles_where_a_neuron_does_not_fit() -> None:
    problem = chain(64, conv(1, 1, 8, 5)).problem(rows=24, columns=8, digital=False)
    field = field_of(problem, 0)
    assert field is not None
    assert tiles(field, Crossbar(24, 8, False), Prices(0.5, 0.5, 1.0)) == []


@pytest.mark.parametrize(
    ("rows", "columns", "cost"), [(0, 3, 3.0), (8, 4, 12.0), (11, 4, 8 + 4 + 3 + 1 + 4), (5, 1, 6.0)]
)
def test_costs_count_full_crossbars_the_rest_and_what_is_wasted(rows: int, columns: int, cost: float) -> None:
    """8 rows, 8 columns, one free row per free column can be used; a row costs 1 and a column 1.

    11 rows of 4 columns: a full crossbar, then 3 rows, of whose 5 free ones 4 can be used.
    """
    found = Crossbar(8, 8, True).cost(np.array(rows), np.array(columns), Prices(1.0, 1.0, 1.0))
    assert float(found) == cost
    assert np.isinf(Crossbar(8, 8, False).cost(np.array(9), np.array(1), Prices(1.0, 1.0, 1.0)))
    assert np.isinf(Crossbar(8, 8, True).cost(np.array(1), np.array(9), Prices(1.0, 1.0, 1.0)))


def test_layers_of_two_geometries_have_no_field() -> None:
    net = Net()
    source = net.input(64)
    net.layer("both", (1, 8, 8), (source, conv(1, 1, 8, 3, 1), 0), (source, conv(1, 4, 8, 3, 1, 2), 1))
    assert field_of(net.problem(), 0) is None
