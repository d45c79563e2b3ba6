"""Weights on a grid: exact where they can be, nearest where they cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from snnir.precision import integer_type, largest, nearest_grid

Matrix = NDArray[np.float64]
bits = st.integers(2, 16)


@st.composite
def on_a_grid(draw: st.DrawFn) -> tuple[Matrix, int]:
    """Integers of some bits times a power of two per row."""
    number = draw(bits)
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 5)))
    integers = draw(hnp.arrays(np.int64, shape, elements=st.integers(-largest(number), largest(number))))
    exponents = draw(hnp.arrays(np.int64, shape[:1], elements=st.integers(-60, 60)))
    return np.ldexp(integers.astype(np.float64), exponents[:, None]), number


@given(on_a_grid())
def test_what_lies_on_a_grid_is_kept_exactly(case: tuple[Matrix, int]) -> None:
    weights, number = case
    grid = nearest_grid(weights, number)
    assert grid.exact
    np.testing.assert_array_equal(grid.integers * grid.scale[:, None], weights)
    assert (grid.integers == np.rint(grid.integers)).all()
    assert np.abs(grid.integers).max() <= largest(number)
    assert (np.frexp(grid.scale)[0] == 0.5).all(), "the scale of an exact grid is a power of two"


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(0, 6)), elements=st.floats(-1e6, 1e6)), bits)
def test_the_nearest_grid_is_half_a_step_away_at_most(weights: Matrix, number: int) -> None:
    grid = nearest_grid(weights, number)
    assert (grid.scale > 0).all()
    assert (grid.integers == np.rint(grid.integers)).all()
    assert np.abs(grid.integers).max(initial=0) <= largest(number)
    error = np.abs(grid.integers * grid.scale[:, None] - weights)
    assert (error <= 0.5 * grid.scale[:, None] * (1 + 1e-9) + 1e-300).all()
    if grid.exact:
        assert not error.any()


def test_all_weights_of_a_neuron_share_its_scale() -> None:
    grid = nearest_grid(np.array([[1.0, 0.3], [0.01, -0.003]]), 4)
    assert grid.integers.tolist() == [[7, 2], [7, -2]]
    np.testing.assert_allclose(grid.scale, [1 / 7, 0.01 / 7])


@pytest.mark.parametrize(("number", "weights"), [(2, [[1.0, 0.5]]), (8, [[1.0, 1 / 3]]), (8, [[128.0, 1.0]])])
def test_what_needs_more_bits_is_on_no_grid(number: int, weights: list[list[float]]) -> None:
    assert not nearest_grid(np.array(weights), number).exact


def test_zeros_are_on_every_grid() -> None:
    grid = nearest_grid(np.zeros((2, 3)), 2)
    assert grid.exact
    assert not grid.integers.any()
    assert (grid.scale > 0).all()


@pytest.mark.parametrize(("number", "name"), [(2, "int8"), (8, "int8"), (9, "int16"), (16, "int16"), (17, "int32")])
def test_the_integer_type_is_the_smallest_that_fits(number: int, name: str) -> None:
    assert integer_type(number) == np.dtype(name)
    assert np.iinfo(integer_type(number)).max >= largest(number)
