"""What programming can take back: stuck cells, voltage that wires drop."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.analog.columns import gathered, spread
from snnir.analog.compensation import answered, lifted
from snnir.analog.device import STUCK_OFF, STUCK_ON, Device
from snnir.analog.nodal import effective


def _said(levels: np.ndarray[tuple[int, ...], np.dtype[np.int64]], base: int, digits: int) -> int:
    return int(gathered(levels.reshape(1, -1).astype(np.float64), base, digits)[0, 0])


@settings(deadline=None, max_examples=200)
@given(base=st.sampled_from([2, 3, 4]), digits=st.integers(1, 3), data=st.data())
def test_the_nearest_weight_that_stuck_cells_allow(base: int, digits: int, data: st.DataObject) -> None:
    most = base**digits - 1
    weight = data.draw(st.integers(-most, most))
    states = st.sampled_from([0, 0, 0, STUCK_ON, STUCK_OFF])
    faults = np.array(data.draw(st.lists(states, min_size=2 * digits, max_size=2 * digits)), np.int8)
    found = answered(np.array([[weight]]), base, digits, faults[None])[0]
    stuck = np.where(faults == STUCK_ON, base - 1, 0)
    assert ((faults == 0) | (found == stuck)).all() and found.min() >= 0 and found.max() < base
    free = [range(base) if fault == 0 else (int(end),) for fault, end in zip(faults, stuck, strict=True)]
    nearest = min(abs(_said(np.array(levels), base, digits) - weight) for levels in product(*free))
    assert abs(_said(found, base, digits) - weight) == nearest


def test_what_works_stays() -> None:
    weights = np.random.default_rng(0).integers(-255, 256, (6, 5))
    levels = spread(weights, 16, 2)
    np.testing.assert_array_equal(answered(weights, 16, 2, np.zeros(levels.shape, np.int8)), levels)


@pytest.mark.parametrize("wire", [1.0, 4.0])
def test_wires_are_answered(wire: float) -> None:
    device = Device(16, 2e4, 1e6)
    rng = np.random.default_rng(1)
    targets = device.conductance(rng.integers(0, 13, (48, 40)))
    high = device.low + device.span
    programmed = lifted(targets, device.low, high, wire, wire)
    assert programmed.min() >= device.low and programmed.max() <= high
    before = np.abs(effective(targets, wire, wire) - targets).sum()
    after = np.abs(effective(programmed, wire, wire) - targets).sum()
    assert after < 0.1 * before
