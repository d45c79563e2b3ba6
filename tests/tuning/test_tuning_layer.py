"""Weights fitted to few bits: never worse than rounding, better than it on average, always the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir.precision import largest
from snnir.tuning.feedback import Feedback, damped
from snnir.tuning.layer import Moments, refit, tune
from snnir.tuning.rounding import Rounded, clipped_scales, lane_scales, rounded

Reals = NDArray[np.float64]


def problem(seed: int, samples: int = 200, features: int = 24, rows: int = 8) -> tuple[Reals, Reals, Reals]:
    """Correlated inputs of few levels, the same before rounding, and weights."""
    rng = np.random.default_rng(seed)
    mixed = np.maximum(rng.normal(size=(samples, 6)) @ rng.normal(size=(6, features)) + rng.normal(size=features), 0)
    codes = np.minimum(np.floor(mixed * 3 + 0.5), 15.0)
    return codes, mixed * 3, rng.normal(size=(rows, features)) / 4


def mean_squares(inputs: Reals, wanted: Reals, found: Reals, bias: Reals) -> Reals:
    return np.square(inputs @ found.T + bias - wanted).mean(axis=0)


@pytest.mark.parametrize("centred", [True, False])
@given(seed=st.integers(0, 500), bits=st.sampled_from([2, 3, 4, 8]))
def test_no_row_is_worse_than_rounded_to_nearest(centred: bool, seed: int, bits: int) -> None:
    codes, real, weights = problem(seed)
    wanted = real @ weights.T
    moments = Moments.of(codes, wanted, centred=centred)
    found = tune(moments, weights, bits)
    importance = np.square(codes - moments.input_mean).mean(axis=0)
    nearest = rounded(weights, clipped_scales(weights, bits, importance), bits)
    bias = (wanted - codes @ nearest.weights.T).mean(axis=0) if centred else np.zeros(len(weights))
    before = mean_squares(codes, wanted, nearest.weights, bias)
    after = mean_squares(codes, wanted, found.rounded.weights, found.bias)
    assert (after <= before * (1 + 1e-9) + 1e-12).all()
    np.testing.assert_allclose(found.error, after, rtol=1e-6, atol=1e-9)
    assert np.abs(found.rounded.integers).max() <= largest(bits)
    assert (found.rounded.integers == np.rint(found.rounded.integers)).all()


def test_feedback_has_less_error_than_nearest() -> None:
    ratios: list[float] = []
    for seed in range(30):
        codes, _, weights = problem(seed)
        hessian = codes.T @ codes / len(codes)
        scale = clipped_scales(weights, 4)
        objective = [
            np.einsum("rf,fg,rg->", e, damped(hessian), e)
            for e in (
                each.weights - weights
                for each in (Feedback(damped(hessian)).rounded(weights, scale, 4), rounded(weights, scale, 4))
            )
        ]
        ratios.append(float(objective[0] / objective[1]))
    assert np.mean(ratios) < 0.5
    assert np.median(ratios) < 0.5


def test_blocks_pass_their_errors_on() -> None:
    """More features than a block: the same as one after the other by the definition of the method."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 90)) @ rng.normal(size=(90, 90))
    hessian, weights = damped(x.T @ x / 400), rng.normal(size=(3, 90))
    scale = clipped_scales(weights, 3)
    found = Feedback(hessian).rounded(weights, scale, 3).integers
    order = np.argsort(-np.diagonal(hessian), kind="stable")
    rest, expected = (weights / scale[:, None])[:, order], np.zeros_like(weights)
    inverse = np.linalg.inv(hessian[np.ix_(order, order)])
    for n in range(90):
        q = np.clip(np.rint(rest[:, n]), -3, 3)
        expected[:, order[n]] = q
        rest[:, n:] -= np.outer((rest[:, n] - q) / inverse[0, 0], inverse[0])
        inverse = inverse[1:, 1:] - np.outer(inverse[1:, 0], inverse[0, 1:]) / inverse[0, 0]
    np.testing.assert_array_equal(found, expected)


def test_solved_is_a_product_with_the_inverse() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 12))
    hessian, right = damped(x.T @ x), rng.normal(size=(3, 12))
    np.testing.assert_allclose(Feedback(hessian).solved(right), right @ np.linalg.inv(hessian), rtol=1e-8, atol=1e-10)


@given(st.integers(0, 500))
def test_regression_makes_up_for_changed_inputs(seed: int) -> None:
    codes, real, weights = problem(seed)
    wanted = real @ weights.T
    moments = Moments.of(codes, wanted, centred=False)
    few = weights[:, moments.active]
    fitted = refit(moments, few)
    before, after = (np.square(codes[:, moments.active] @ w.T - wanted).sum() for w in (few, fitted))
    assert after <= before * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("bits", [4, 8])
def test_layers_behind_changed_ones_are_fitted_to_what_arrives(bits: int) -> None:
    """Inputs of which each is off by a factor of its own: the sums are those of the original all the same."""
    for seed in range(5):
        _, real, weights = problem(seed)
        factors: Reals = np.asarray(np.random.default_rng(seed).uniform(0.5, 1.5, (24,)), np.float64)
        arriving: Reals = real * factors
        wanted = real @ weights.T
        found = tune(Moments.of(arriving, wanted, centred=True), weights, bits)
        plain = wanted - arriving @ weights.T
        after = wanted - arriving @ found.rounded.weights.T - found.bias
        assert np.square(after).sum() < 0.1 * np.square(plain - plain.mean(axis=0)).sum()


def test_integers_that_fit_are_found_again() -> None:
    rng = np.random.default_rng(2)
    integers = rng.integers(-7, 8, (5, 20)).astype(np.float64)
    integers[:, 0] = 7
    weights = integers * 0.125
    codes = rng.integers(0, 16, (300, 20)).astype(np.float64)
    found = tune(Moments.of(codes, codes @ weights.T + 3.0, centred=True), weights, 4)
    np.testing.assert_allclose(found.rounded.weights, weights, atol=1e-9)
    np.testing.assert_allclose(found.bias, 3.0, atol=1e-6)


def test_features_that_never_change_keep_their_weights() -> None:
    codes, real, weights = problem(3)
    codes[:, 5] = 2.0
    found = tune(Moments.of(codes, real @ weights.T, centred=True), weights, 8)
    assert np.abs(found.rounded.weights[:, 5] - weights[:, 5]).max() <= found.rounded.scale.max()
    silent = tune(Moments.of(np.zeros((10, 24)), np.ones((10, 8)), centred=True), weights, 8)
    np.testing.assert_allclose(silent.rounded.weights, weights, atol=0.02)
    np.testing.assert_allclose(silent.bias, 1.0)


def test_given_scales_are_kept() -> None:
    codes, real, weights = problem(4)
    scale = np.linspace(0.05, 0.2, 8)
    found = tune(Moments.of(codes, real @ weights.T, centred=True), weights, 4, scale)
    np.testing.assert_array_equal(found.rounded.scale, scale)


def test_the_same_bits_every_time() -> None:
    codes, real, weights = problem(5)
    runs = [tune(Moments.of(codes, real @ weights.T, centred=True), weights, 3) for _ in range(2)]
    for name in ("integers", "scale"):
        assert getattr(runs[0].rounded, name).tobytes() == getattr(runs[1].rounded, name).tobytes()
    assert runs[0].bias.tobytes() == runs[1].bias.tobytes()


@given(st.integers(0, 300), st.sampled_from([2, 3, 4, 8]))
def test_clipping_never_adds_to_the_error(seed: int, bits: int) -> None:
    weights = np.random.default_rng(seed).standard_t(3, (6, 40))
    peak = np.abs(weights).max(axis=1) / largest(bits)
    errors = [
        np.square(rounded(weights, s, bits).weights - weights).sum(axis=1)
        for s in (clipped_scales(weights, bits), peak)
    ]
    assert (errors[0] <= errors[1] * (1 + 1e-5)).all()
    lanes = np.repeat(np.arange(6), 40)
    np.testing.assert_allclose(lane_scales(weights.ravel(), lanes, 6, bits), clipped_scales(weights, bits), rtol=1e-9)


def test_rows_of_zeros_have_a_scale() -> None:
    assert (clipped_scales(np.zeros((2, 3)), 4) > 0).all()
    assert isinstance(rounded(np.zeros((2, 3)), np.ones(2), 4), Rounded)
