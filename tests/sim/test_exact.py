"""`Population.exact` is a promise: where it is true, any order and any splitting of a sum gives the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import fsum
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir.semantics import Coefficients, Semantics
from snnir.sim import Population, Projection
from snnir.sim.operators import Dense


def population(*weights: NDArray[Any], scales: Sequence[float] | None = None) -> Population:
    """A population of one neuron (or a row each) with a projection for each array."""
    projections = tuple(
        Projection("x", np.arange(Dense(w).sources), Dense(w), scale, 0.0, 0, "w", "here")
        for w, scale in zip(weights, [1.0] * len(weights) if scales is None else scales, strict=True)
    )
    constants = Coefficients(1.0, 1.0, 0.0, 1.0, 0.0)
    return Population("p", weights[0].shape[0], projections, "here", "if", Semantics(), constants)


def row(*values: float, dtype: str = "f8") -> NDArray[Any]:
    """Weights of one neuron."""
    return np.array([values], dtype)


WIDE = st.floats(-(2.0**60), 2.0**60, width=32)
NARROW = st.integers(-(2**20), 2**20).map(lambda n: n / 2**18)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(NARROW, WIDE), min_size=1, max_size=12),
    st.sampled_from(["f4", "f8"]),
)
def test_where_it_is_true_order_does_not_matter(values: list[float], dtype: str) -> None:
    weights = np.array(values, dtype)
    if not population(weights[None]).exact:
        return
    total = sum(Fraction(float(w)) for w in weights)
    rng = np.random.default_rng(len(values))
    for _ in range(5):
        order = rng.permutation(len(weights))
        cut = int(rng.integers(0, len(weights) + 1))
        left, right = 0.0, 0.0
        for i in order[:cut]:
            left += float(weights[i])
        for i in order[cut:]:
            right += float(weights[i])
        assert Fraction(left + right) == total
        assert left + right == fsum(weights.tolist())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-127, 127), min_size=1, max_size=200))
def test_integers_of_few_bits_are_exact(values: list[int]) -> None:
    assert population(np.array([values], "i1")).exact


@pytest.mark.parametrize(
    ("weights", "exact"),
    [
        (row(1.0, 2.0**-23, dtype="f4"), True),
        (row(1.0, 2.0**-60, dtype="f4"), False),
        (row(1.0, 2.0**-60), False),
        (row(1e16, 1.0, -1e16), False),
        (row(0.1, 0.2, 0.3), False),
        (row(0.1, 0.2, 0.3, dtype="f4"), True),
        (row(0.0, 0.0), True),
        (row(), True),
        (row(2**53 - 1, dtype="i8"), True),
        (row(2**53 - 1, 1, dtype="i8"), False),
        (row(2**31 - 1, -(2**31) + 1, dtype="i4"), True),
    ],
)
def test_known_cases(weights: NDArray[Any], exact: bool) -> None:
    assert population(weights).exact == exact


def test_the_worst_neuron_and_the_sum_over_projections_decide() -> None:
    good, bad = row(1.0, 0.5), row(1.0, 2.0**-60)
    assert population(np.concatenate([good, good])).exact
    assert not population(np.concatenate([good, bad])).exact
    assert population(good, row(0.25)).exact
    assert not population(good, row(2.0**-60)).exact
    assert not population(row(2**52, dtype="i8"), row(2**52, dtype="i8")).exact


def test_different_scales_are_not_exact() -> None:
    weights = row(1, 2, dtype="i1")
    assert population(weights, weights, scales=[0.5, 0.5]).exact
    assert not population(weights, weights, scales=[0.5, 0.25]).exact
    assert population(weights, weights, scales=[0.5, 0.25]).scale is None
