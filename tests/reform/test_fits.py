"""Fits of activations: within their error, with few pieces."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.activations import activate
from snnir.reform.fits import Fit, fit, least_pieces

FUNCTIONS: dict[str, Mapping[str, float]] = {
    "sigmoid": {},
    "tanh": {},
    "softplus": {},
    "elu": {"alpha": 1.0},
    "selu": {"alpha": 1.67326, "gamma": 1.0507},
}
X = np.concatenate([np.linspace(-40.0, 40.0, 80_001), [-1e4, 1e4]])


def _error(made: Fit, function: str, x: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(np.abs(made(x) - activate(function, x, FUNCTIONS.get(function, {}))).max())


@pytest.mark.parametrize("error", [0.1, 0.01, 0.002])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_within_the_error_on_all_reals(function: str, error: float) -> None:
    made = fit(function, FUNCTIONS[function], error)
    found = _error(made, function, X)
    assert found <= error * (1 + 1e-9)
    assert found <= made.error * (1 + 1e-3) and made.rms < made.error
    assert (np.diff(made.knots) > 0).all()


@pytest.mark.parametrize("error", [0.1, 0.03, 0.01, 0.002])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_nearly_as_few_pieces_as_possible(function: str, error: float) -> None:
    """Against a bound from below that holds for pieces that need not even meet."""
    pieces = len(fit(function, FUNCTIONS[function], error).knots) - 1
    least = least_pieces(function, FUNCTIONS[function], error)
    assert least <= pieces <= least + 1 + least // 8


@settings(max_examples=15, deadline=None)
@given(
    function=st.sampled_from([*FUNCTIONS, "square"]),
    low=st.floats(-6, 4),
    width=st.floats(0.1, 6),
    error=st.sampled_from([0.2, 0.05, 0.01]),
)
def test_within_the_error_in_a_range(function: str, low: float, width: float, error: float) -> None:
    made = fit(function, FUNCTIONS.get(function, {}), error, (low, low + width))
    x = np.linspace(low, low + width, 5001)
    assert _error(made, function, x) <= error * (1 + 1e-6)
    values = activate(function, x, FUNCTIONS.get(function, {}))
    assert made.least <= values.min() + 1e-12 and made.most >= values.max() - 1e-12


def test_a_range_needs_fewer_pieces() -> None:
    assert len(fit("tanh", {}, 0.01, (0.0, 1.0)).knots) < len(fit("tanh", {}, 0.01).knots)


@pytest.mark.parametrize(("function", "error"), [("softmax", 0.1), ("tanh", 0.0), ("tanh", -1.0), ("square", 0.1)])
def test_what_has_no_fit(function: str, error: float) -> None:
    with pytest.raises(ValueError, match="no fit of"):
        fit(function, {}, error)


def test_bounds() -> None:
    made = fit("selu", FUNCTIONS["selu"], 0.05)
    assert made.least == pytest.approx(-1.67326 * 1.0507) and made.most == np.inf
    assert fit("sigmoid", {}, 0.05).most == pytest.approx(1.0)
