"""Crossbars that are programmed and read: exact where nothing is wrong, and wrong by as much as the device says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir.analog.crossbar import Effects, programmed
from snnir.analog.device import Device

IDEAL = Device(levels=16, r_on=1e4, r_off=1e6)
RNG = np.random.default_rng


def _case(
    seed: int = 0, rows: int = 40, outputs: int = 7, reads: int = 30
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rng = RNG(seed)
    return rng.integers(-127, 128, (rows, outputs)), rng.integers(0, 64, (reads, rows)).astype(np.float64)


@settings(deadline=None, max_examples=40)
@given(levels=st.integers(2, 32), seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 30), outputs=st.integers(1, 5))
def test_an_ideal_one_multiplies(levels: int, seed: int, rows: int, outputs: int) -> None:
    w, x = _case(seed, rows, outputs)
    found = programmed(w, replace(IDEAL, levels=levels), RNG(0)).read(x, RNG(1))
    np.testing.assert_allclose(found, x @ w, rtol=0, atol=1e-6 * np.abs(x).sum(1).max() * 127)


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"variation": 0.02}, "cells"),
        ({"stuck_on": 0.01, "stuck_off": 0.05}, "cells"),
        ({"wire": 2.0}, "wires"),
        ({"read_noise": 0.02}, "noise"),
    ],
)
def test_each_effect_is_an_error_that_can_be_left_out(change: dict[str, float], effect: str) -> None:
    w, x = _case()
    device = replace(IDEAL, **change)  # pyright: ignore[reportArgumentType]
    with_it = programmed(w, device, RNG(0)).read(x, RNG(1))
    without = programmed(w, device, RNG(0), Effects(**{effect: False})).read(x, RNG(1))
    np.testing.assert_allclose(without, x @ w, atol=1e-3)
    assert np.abs(with_it - x @ w).max() > 1.0


@pytest.mark.parametrize("change", [{"stuck_on": 0.02, "stuck_off": 0.05}, {"wire": 3.0}])
def test_programming_takes_back_much(change: dict[str, float]) -> None:
    w, x = _case(3, rows=64, outputs=12)
    device = replace(IDEAL, **change)  # pyright: ignore[reportArgumentType]
    errors = [
        np.abs(programmed(w, device, RNG(0), Effects(compensate=yes), 255).read(x, RNG(1)) - x @ w).mean()
        for yes in (False, True)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_noise_has_the_stated_spread() -> None:
    device = replace(IDEAL, read_noise=0.01)
    w, x = np.zeros((50, 1), np.int64), np.ones((20_000, 50))
    found = programmed(w, device, RNG(0), largest=15).read(x, RNG(1))
    assert abs(found.std() / (0.01 * 15 * np.sqrt(2 * 50)) - 1) < 0.03


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_converters_round_to_their_levels(bits: int) -> None:
    w, x = _case(5)
    ideal = programmed(w, IDEAL, RNG(0))
    rounded = ideal.calibrated(x, bits)
    step = np.asarray(rounded.full_scale) / (2**bits - 1)
    reach = (step.reshape(-1, ideal.digits, 2).sum(2) * 16.0 ** np.arange(ideal.digits)).sum(1) / 2
    error = np.abs(rounded.read(x, RNG(1)) - x @ w)
    assert (error <= reach * (1 + 1e-9) + 1e-6).all() and error.max() > 0.05 * reach.max()


def test_the_same_seed_the_same_crossbar() -> None:
    w, x = _case(7)
    device = Device(16, 1e4, 1e6, 0.02, 0.01, 0.01, 0.01, 1.0)
    found = programmed(w, device, RNG(5)).read(x, RNG(6))
    np.testing.assert_array_equal(programmed(w, device, RNG(5)).read(x, RNG(6)), found)
    assert not np.array_equal(found, programmed(w, device, RNG(8)).read(x, RNG(6)))
