"""Cells: levels, faults, and signed weights on several of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnir.analog.columns import digits_of, gathered, spread
from snnir.analog.device import Cells, Device

CELL = Device(levels=16, r_on=1e4, r_off=1e6)


def test_levels_are_evenly_spaced() -> None:
    g = CELL.conductance(np.arange(16))
    np.testing.assert_allclose(np.diff(g), CELL.unit)
    np.testing.assert_allclose([g[0], g[-1]], [1e-6, 1e-4])


def test_faults_and_misses() -> None:
    device = Device(levels=2, r_on=1e4, r_off=1e6, variation=0.05, stuck_on=0.1, stuck_off=0.2)
    cells = Cells.made(device, 400, 250, np.random.default_rng(0))
    middle = device.low + device.span / 2
    found = cells.programmed(np.full((400, 250), middle))
    assert abs((cells.faults == 1).mean() - 0.1) < 0.005 and abs((cells.faults == -1).mean() - 0.2) < 0.005
    np.testing.assert_allclose(found[cells.faults == 1], device.low + device.span)
    np.testing.assert_allclose(found[cells.faults == -1], device.low)
    spread_of = (found[cells.faults == 0] - middle) / device.span
    assert abs(spread_of.mean()) < 1e-3 and abs(spread_of.std() - 0.05) < 1e-3
    assert found.min() >= device.low and found.max() <= (device.low + device.span) * (1 + 1e-12)


@given(st.integers(2, 17), st.integers(1, 4), st.data())
def test_weights_come_back(base: int, digits: int, data: st.DataObject) -> None:
    most = base**digits - 1
    entries = st.integers(-most, most)
    w = np.array(data.draw(st.lists(st.lists(entries, min_size=3, max_size=3), min_size=1, max_size=4)))
    levels = spread(w, base, digits)
    assert levels.shape == (len(w), 6 * digits) and levels.min() >= 0 and levels.max() < base
    np.testing.assert_array_equal(gathered(levels.astype(np.float64), base, digits), w)
    assert digits_of(most, base) == digits
    with pytest.raises(ValueError, match="takes more than"):
        spread(np.array([[most + 1]]), base, digits)


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": 1},
        {"r_on": 2e6},
        {"r_on": 0.0},
        {"variation": -0.1},
        {"wire": np.inf},
        {"stuck_on": 0.6, "stuck_off": 0.5},
    ],
)
def test_nonsense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Device(**{"levels": 4, "r_on": 1e4, "r_off": 1e6, **wrong})  # pyright: ignore[reportArgumentType]
