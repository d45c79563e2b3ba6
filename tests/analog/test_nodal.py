"""The exact crossbar against its dense equations, and the fast one against the exact."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.analog.nodal import approximate, currents, dense_reference, effective

resistances = st.floats(1e-3, 1e4)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    word=resistances,
    bit=resistances,
    seed=st.integers(0, 2**32 - 1),
    silent=st.floats(0, 1),
)
def test_the_dense_equations(rows: int, columns: int, word: float, bit: float, seed: int, silent: float) -> None:
    rng = np.random.default_rng(seed)
    g = 10 ** rng.uniform(-7, -3, (rows, columns)) * (rng.random((rows, columns)) >= silent)
    v = rng.uniform(-1, 1, rows)
    expected = dense_reference(g, v, word, bit)
    np.testing.assert_allclose(currents(g, v, word, bit), expected, rtol=1e-9, atol=1e-9 * np.abs(v @ g).max() + 1e-18)


@pytest.mark.parametrize("shape", [(16, 16), (24, 5), (5, 24)])
def test_small_crossbars_to_the_ninth_digit(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    g, v = rng.uniform(1e-6, 1e-4, shape), rng.uniform(0, 1, shape[0])
    expected = dense_reference(g, v, 2.82, 2.82)
    assert np.abs(currents(g, v, 2.82, 2.82) - expected).max() <= 1e-9 * np.abs(expected).max()


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 7), columns=st.integers(1, 7), wire=st.floats(0.1, 1e3), seed=st.integers(0, 2**32 - 1))
def test_one_ideal_line_is_the_limit(rows: int, columns: int, wire: float, seed: int) -> None:
    g = np.random.default_rng(seed).uniform(1e-6, 1e-3, (rows, columns))
    for ideal, nearly in (((wire, 0.0), (wire, 1e-7)), ((0.0, wire), (1e-7, wire))):
        np.testing.assert_allclose(effective(g, *ideal), effective(g, *nearly), rtol=1e-6)
        np.testing.assert_allclose(approximate(g, *ideal), effective(g, *ideal), rtol=1e-12)
    np.testing.assert_array_equal(effective(g, 0.0, 0.0), g)


def test_wires_only_take() -> None:
    """Rayleigh's law: no resistor that grows makes more current flow between all sources and ground."""
    g = np.random.default_rng(2).uniform(0, 1e-4, (12, 20))
    last = g.sum()
    for wire in (0.1, 1.0, 10.0, 100.0):
        found = effective(g, wire, wire)
        assert found.sum() < last and (found >= 0).all()
        last = found.sum()


def test_the_fast_one_is_right_to_first_order() -> None:
    g = np.random.default_rng(3).uniform(1e-7, 1e-5, (32, 32))
    errors = [np.abs(approximate(g, r, r) - effective(g, r, r)).max() for r in (4.0, 2.0, 1.0)]
    drops = [np.abs(g - effective(g, r, r)).max() for r in (4.0, 2.0, 1.0)]
    assert errors[0] < 0.05 * drops[0]
    for coarse, fine in pairwise(errors):
        assert 3.5 < coarse / fine < 4.5, "the error falls with the square of the resistance"


@pytest.mark.parametrize(
    ("g", "word", "message"),
    [
        (np.ones(3), 1.0, "rows x columns"),
        (np.array([[np.nan]]), 1.0, "finite and not negative"),
        (np.array([[-1.0]]), 1.0, "finite and not negative"),
        (np.ones((2, 2)), -1.0, "resistances of wires"),
    ],
)
def test_nonsense_is_refused(g: np.ndarray[tuple[int, ...], np.dtype[np.float64]], word: float, message: str) -> None:
    for solve in (effective, approximate):
        with pytest.raises(ValueError, match=message):
            solve(g, word, 1.0)
