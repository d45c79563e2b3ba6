"""Values as spikes: counts, order, randomness, ranges."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import FloatAttr

from snnir.conversion.encoding import encoded
from snnir.conversion.ranges import reach, score_range
from snnir.dialects.attributes import SignalType
from snnir.dialects.snn import IfOp, InputOp, NetworkOp, OutputOp
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.sim.entry import network_of


def test_rates_are_the_spikes_of_a_neuron_that_starts_at_half_its_threshold() -> None:
    values = np.arange(65)[None, None] / 64.0  # multiples of 2**-6: sums are exact
    x = InputOp("x", SignalType.current(65))
    parameters = {"r": FloatAttr(1.0, 64), "threshold": FloatAttr(1.0, 64), "v_reset": FloatAttr(0.0, 64)}
    semantics = Semantics(compare="ge", reset="subtract", start="half")
    neurons = IfOp("h", [x], parameters, semantics, SignalType.spikes(65))
    network = NetworkOp("net", 1e-3, 20)
    network.body.block.add_ops([x, neurons, OutputOp("y", neurons)])
    expected = simulate(network_of(network), {"x": encoded(values, 20, "current")})["h"]
    np.testing.assert_array_equal(encoded(values, 20, "rate"), expected)


def test_a_rate_is_the_nearest_count_at_every_step() -> None:
    values = np.random.default_rng(0).uniform(-3, 5, (7, 1, 4, 3))
    found = encoded(values, 13, "rate", -2.0, 4.0)
    assert found.shape == (7, 13, 4, 3)
    assert found.dtype == np.uint8
    assert found.max() == 1
    rates = np.clip((values + 2.0) / 6.0, 0, 1)
    steps = np.arange(1, 14)[None, :, None, None]
    np.testing.assert_array_equal(np.cumsum(found, axis=1), np.floor(steps * rates + 0.5))


def test_random_spikes_have_the_rate_and_follow_the_seed() -> None:
    values = np.repeat(np.array([0.0, 0.25, 1.0])[None, None], 50, axis=0)
    found = encoded(values, 400, "poisson", seed=3)
    assert not found[..., 0].any()
    assert found[..., 2].all()
    assert abs(found[..., 1].mean() - 0.25) < 0.02
    np.testing.assert_array_equal(encoded(values[:7], 400, "poisson", seed=3), found[:7])
    assert (encoded(values, 400, "poisson", seed=4) != found).any()


def test_currents_are_there_in_every_step() -> None:
    values = np.random.default_rng(0).normal(size=(3, 1, 2)).astype(np.float32)
    found = encoded(values, 5, "current")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.broadcast_to(values, (3, 5, 2)))


@pytest.mark.parametrize(
    ("shape", "steps", "high", "message"),
    [((3, 1, 2), 0, 1.0, "0 steps"), ((3, 2, 2), 4, 1.0, r"\(3, 2, 2\)"), ((3, 1, 2), 4, 0.0, "from 0 to 0")],
)
def test_what_cannot_be_encoded(shape: tuple[int, ...], steps: int, high: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encoded(np.zeros(shape), steps, "rate", 0.0, high)


def test_the_percentile_is_of_the_values_above_0() -> None:
    values = np.concatenate([np.zeros(900), -np.ones(100), np.arange(1.0, 101.0)])
    assert reach(values, 100) == 100.0
    assert reach(values, 50) == 50.5
    assert reach(np.zeros(4), 99) == 1.0


def test_scores_reach_from_the_least_largest_to_the_greatest_second() -> None:
    scores = np.array([[-9.0, 2.0, 5.0], [7.0, 3.0, -1.0], [4.0, 4.5, -8.0]])
    assert score_range(scores, 100) == (4.0, 4.5)
    assert score_range(np.array([[1.0, 9.0], [3.0, 8.0]]), 100) == (3.0, 8.0)
    assert score_range(np.array([[2.0, 2.0]]), 100) == (1.0, 2.0)
    assert score_range(np.array([[2.0], [6.0]]), 100) == (2.0, 6.0)
