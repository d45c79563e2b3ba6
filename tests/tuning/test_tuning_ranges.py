"""Steps of codes, places of patches, and bits for a budget."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from snnir.activations import Coding
from snnir.sim.convolution import Conv
from snnir.tuning.allocation import allocate
from snnir.tuning.patches import convolved, patches_at, places_of
from snnir.tuning.ranges import decibel, grid_of, picked, sqnr, step_of
from snnir.windows import Windows


@given(st.integers(0, 300), st.sampled_from([1, 3, 15, 63]))
def test_steps_are_no_worse_than_the_whole_range(seed: int, most: int) -> None:
    values = np.random.default_rng(seed).exponential(2.0, 300) - 0.5
    step = step_of(values, most)
    above = values[values > 0]
    errors = [np.square(Coding(0, most, s).encode(above) * s - above).sum() for s in (step, above.max() / most)]
    assert errors[0] <= errors[1] * (1 + 1e-9)


def test_a_percentile_is_what_codes_reach() -> None:
    values = np.arange(1, 1001) / 10
    assert step_of(values, 10, 50.0) * 10 == np.percentile(values, 50)
    assert step_of(np.array([-1.0, 0.0]), 10) == 1.0


def test_values_on_a_grid_are_carried_exactly() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 17, (40, 9)) / 16
    step = grid_of(values, 63)
    assert step is not None
    assert (Coding(0, 63, step).decode(Coding(0, 63, step).encode(values)) == values).all()
    assert grid_of(values, 15) is None
    assert grid_of(rng.uniform(size=1000), 63) is None
    assert grid_of(np.zeros(5), 63) is None


def test_numbers_are_picked_from_everywhere() -> None:
    np.testing.assert_array_equal(picked(5, 8), np.arange(5))
    found = picked(10_000, 100)
    assert (found // 100 == np.arange(100)).all()
    assert len(set((found % 100).tolist())) > 50
    np.testing.assert_array_equal(found, picked(10_000, 100))


def test_levels() -> None:
    x = np.array([3.0, 4.0])
    assert sqnr(x, x) == float("inf")
    np.testing.assert_allclose(sqnr(x, 1.1 * x), 20.0)
    assert decibel(0.0, 1.0) == float("-inf")


def test_patches_are_what_kernels_meet() -> None:
    rng = np.random.default_rng(1)
    windows = Windows.of((5, 6), (3, 2), (2, 1), (1, 0), (1, 1), (1, 2))
    weights, planes = rng.integers(-5, 6, (6, 2, 3, 2)), rng.integers(0, 9, (7, 4 * 30))
    expected = Conv(weights, 4, windows, 2).apply(planes[:, None].astype(np.uint8), 9)[:, 0]
    np.testing.assert_array_equal(convolved(planes, weights, windows, 2), expected)
    places = places_of(7, windows, 40)
    patches = patches_at(planes, windows, places, 2)
    products = np.einsum("gpf,gof->pgo", patches, weights.reshape(2, 3, -1)).reshape(len(places[0]), 6)
    images = expected.reshape(7, 6, *windows.result)
    np.testing.assert_array_equal(products, images[places[0], :, places[1], places[2]])


def test_bits_go_where_noise_falls_most_for_their_cost() -> None:
    noise = [[0.4, 0.1, 0.025], [0.4, 0.1, 0.025], [0.04, 0.01, 0.0025]]
    assert allocate(noise, [100, 1, 1], 1.0) == [0, 0, 0]
    assert allocate(noise, [100, 1, 1], 0.6) == [0, 1, 0]
    assert allocate(noise, [100, 1, 1], 0.25) == [1, 2, 2]
    assert allocate(noise, [1, 1, 1], 0.0) == [2, 2, 2]


@given(st.lists(st.lists(st.floats(0.001, 1.0), min_size=3, max_size=3), min_size=1, max_size=5), st.floats(0.01, 2.0))
def test_a_budget_is_kept_where_that_is_possible(noise: list[list[float]], budget: float) -> None:
    falling = [sorted(each, reverse=True) for each in noise]
    chosen = allocate(falling, [1] * len(noise), budget)
    total = sum(each[c] for each, c in zip(falling, chosen, strict=True))
    assert (
        total <= budget or total <= sum(each[-1] for each in falling) + 1e-12 or any(len(set(e)) < 3 for e in falling)
    )
