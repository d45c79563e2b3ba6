"""Grids of integers: exact where weights lie on one, nearest where they do not, neuron by neuron."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir.precision import integer_type, largest, nearest_grid

Matrix = NDArray[np.float64]


@st.composite
def on_a_grid(draw: st.DrawFn) -> tuple[int, Matrix]:
    """Bits, and weights that are integers of that many bits times a power of two per neuron."""
    bits = draw(st.sampled_from([2, 4, 8, 16]))
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    integers = rng.integers(-largest(bits), largest(bits) + 1, shape)
    return bits, integers * 2.0 ** rng.integers(-40, 40, (shape[0], 1))


@settings(max_examples=200, deadline=None)
@given(on_a_grid())
def test_weights_on_a_grid_are_kept(given_: tuple[int, Matrix]) -> None:
    bits, weights = given_
    grid = nearest_grid(weights, bits)
    assert grid.exact
    assert (grid.integers == np.rint(grid.integers)).all()
    assert np.abs(grid.integers).max() <= largest(bits)
    assert (grid.integers * grid.scale[:, None] == weights).all()
    assert all(Fraction(float(s)).numerator == 1 or Fraction(float(s)).denominator == 1 for s in grid.scale)


@settings(max_examples=200, deadline=None)
@given(on_a_grid(), st.integers(0, 2**32), st.sampled_from([1.0, 1e-300, 1e-320, 1e300]))
def test_others_are_rounded_to_nearest_and_neighbours_left_alone(
    given_: tuple[int, Matrix], seed: int, size: float
) -> None:
    bits, exact = given_
    rough = np.random.default_rng(seed).normal(0, 1, exact.shape) * size
    grid = nearest_grid(np.concatenate([exact, rough]), bits)
    assert (grid.integers * grid.scale[:, None])[: len(exact)].tolist() == exact.tolist()
    assert np.isfinite(grid.integers).all()
    assert (grid.scale > 0).all()
    assert (grid.integers == np.rint(grid.integers)).all()
    assert np.abs(grid.integers).max() <= largest(bits)
    if size > 1e-305:  # smaller scales have too few bits themselves
        error = np.abs(grid.integers * grid.scale[:, None] - np.concatenate([exact, rough]))
        assert (error <= 0.5000001 * grid.scale[:, None]).all()


def test_what_is_on_no_grid() -> None:
    assert not nearest_grid(np.array([[1.0, 0.3]]), 8).exact
    assert not nearest_grid(np.array([[127.0, 0.5]]), 8).exact
    assert nearest_grid(np.array([[127.0, 0.5]]), 9).exact
    zero = nearest_grid(np.zeros((2, 3)), 8)
    assert zero.exact
    assert not zero.integers.any()


def test_types() -> None:
    assert [str(integer_type(bits)) for bits in (2, 8, 9, 16, 17, 32)] == [
        "int8",
        "int8",
        "int16",
        "int16",
        "int32",
        "int32",
    ]
