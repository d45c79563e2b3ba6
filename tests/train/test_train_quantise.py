"""Training with rounded weights: the integers and scales of `snn-quantize`, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from delayed_programs import LINES, delayed_program, network_in, parsed, program_in, spikes
from general_networks import general_program, random_signals
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.snn import WeightedOp
from snnir.errors import SnnirError
from snnir.flow.training.quantise import shared_scales
from snnir.flow.training.weights import put_integers, put_weights
from snnir.passes.snn.quantize import SNNQuantize
from snnir.precision import largest, nearest_grid
from snnir.sim import simulate

torch: Any = pytest.importorskip("torch")
network_module: Any = pytest.importorskip("snnir.train.network")
quantise: Any = pytest.importorskip("snnir.train.quantise")
TorchNetwork: Any = network_module.TorchNetwork
weights_of: Any = network_module.weights_of

FEATURES = {"conv", "sparse", "delay", "last", "slice", "bias", "recurrent", "scaled", "semantics"}


def rounded(module: ModuleOp, bits: int, seed: int, *, clipped: bool = False) -> Any:
    """A module that trains with rounded weights, in float32 as one does, with weights of some training."""
    trained = TorchNetwork(network_in(module), dtype="float32")
    trained.quantiser = quantise.GridQuantiser(shared_scales(program_in(module)), bits, clipped=clipped)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for parameter in trained.weights.values:
            parameter.add_(torch.tensor(rng.normal(0, 0.2, tuple(parameter.shape)).astype("f4")))
    return trained


def scales_and_integers(module: ModuleOp) -> dict[str, tuple[Any, Any]]:
    """The weights and scales of each projection of the program, by key."""
    ops = [op for op in program_in(module).body.block.ops if isinstance(op, WeightedOp)]
    return {
        op.weights.data.key: (op.weights.array, np.broadcast_to(op.spread(value_of(op.scale)), (op.current_type.size,)))
        for op in ops
        if isinstance(op.weights, TensorAttr) and op.scale is not None
    }


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("model", ["lif", "cuba_lif"])
def test_quantised_afterwards_it_is_what_was_trained(bits: int, model: str) -> None:
    module = delayed_program(np.random.default_rng(bits), "nir", model)
    trained, inputs = rounded(module, bits, bits), spikes(np.random.default_rng(1))
    integers = quantise.quantised(trained)
    expected = trained.exact().run(inputs, record=["hidden", "out"]).signals
    put_weights(program_in(module), weights_of(trained))
    float_ = simulate(network_in(module), inputs)
    SNNQuantize(bits=bits).apply(Context(), module)
    found = scales_and_integers(module)
    assert set(integers) == set(found)
    for key, (whole, scale) in integers.items():
        assert np.abs(whole).max() <= largest(bits)
        np.testing.assert_array_equal(found[key][0], whole)
        np.testing.assert_array_equal(found[key][1], scale)
    signals = simulate(network_in(module), inputs)
    for name, values in expected.items():
        np.testing.assert_array_equal(signals[name], values.detach().numpy())
    assert bits > 3 or any((float_[name] != signals[name]).any() for name in expected)


def test_random_programs_quantised_afterwards() -> None:
    compared = 0
    for seed in range(45):
        rng = np.random.default_rng([seed, 5])
        module = general_program(rng, FEATURES)
        bits = 2 + seed % 7
        try:
            trained = rounded(module, bits, seed)
        except SnnirError:
            continue  # the pass does more to these than round their weights
        network = network_in(module)
        inputs = random_signals(rng, network, 2, 9)
        expected = trained.exact().run(inputs, record=list(network.populations)).signals
        put_weights(program_in(module), weights_of(trained))
        SNNQuantize(bits=bits).apply(Context(), module)
        found = simulate(network_in(module), inputs, record=list(network.populations))
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values.detach().numpy(), err_msg=f"{seed} {name}")
        compared += len(trained.weights.keys) > 0
    assert compared >= 8


def own_scales(module: ModuleOp) -> dict[str, float]:
    """The factor that the weights of each key have in the program."""
    ops = [op for op in program_in(module).body.block.ops if isinstance(op, WeightedOp)]
    return {
        op.weights.data.key: 1.0 if op.scale is None else float(np.max(value_of(op.scale)))
        for op in ops
        if isinstance(op.weights, TensorAttr)
    }


def test_weights_that_lie_on_a_grid_stay_there() -> None:
    """As `nearest_grid` does, row by row: a row of such weights keeps them, whatever its neighbours do."""
    rng = np.random.default_rng(2)
    weights = rng.normal(0, 1, (5, 7))
    weights[1] = rng.integers(-7, 8, 7) / 8
    weights[2], weights[3, 0] = 0.0, 0.0
    for bits in (2, 3, 4, 8):
        grid = nearest_grid(weights, bits)
        rows = np.broadcast_to(np.arange(5)[:, None], (5, 7))
        group = quantise.Shared((quantise.Part("w", rows, np.arange(5)),), np.ones(5))
        ((whole, scale),) = quantise.GridQuantiser([group], bits)({"w": torch.tensor(weights)}).values()
        np.testing.assert_array_equal(whole, grid.integers)
        np.testing.assert_array_equal(scale, grid.scale)
        assert bits < 4 or (whole.numpy()[1] * scale.numpy()[1] == weights[1]).all()


@pytest.mark.parametrize("bits", [2, 4])
def test_clipped_scales_are_written_with_their_integers(bits: int) -> None:
    module = delayed_program(np.random.default_rng(3))
    trained, inputs = rounded(module, bits, 3, clipped=True), spikes(np.random.default_rng(4))
    integers = quantise.quantised(trained)
    raw, own = weights_of(trained), own_scales(module)
    nearest = quantise.quantised(rounded(module, bits, 3))
    assert any((integers[key][1] < nearest[key][1]).any() for key in integers)
    errors = [
        sum(
            float(np.square(w * s[:, None] - raw[key] * own[key]).sum())
            for key, (w, s) in each.items()
            if raw[key].ndim > 1  # of single synapses the rows are those of their targets
        )
        for each in (integers, nearest)
    ]
    assert errors[0] < errors[1]
    expected = trained.exact().run(inputs, record=["hidden", "out"]).signals
    put_integers(program_in(module), integers)
    module.verify()
    for _ in range(2):
        signals = simulate(network_in(module), inputs)
        for name, values in expected.items():
            np.testing.assert_array_equal(signals[name], values.detach().numpy())
        SNNQuantize(bits=bits).apply(Context(), module)  # which keeps what lies on a grid


def test_the_gradient_passes_the_rounding() -> None:
    module = delayed_program(np.random.default_rng(5), "nir", "li")
    trained = rounded(module, 3, 5)
    assert trained.quantiser.groups
    inputs = spikes(np.random.default_rng(6))
    trained(inputs)["y"].square().sum().backward()
    integers, own = quantise.quantised(trained), own_scales(module)
    put_integers(program_in(module), integers)
    plain = TorchNetwork(network_in(module), dtype="float32")
    plain(inputs)["y"].square().sum().backward()
    for key in trained.weights.keys:
        mine, theirs = trained.weights.parameter(key).grad, plain.weights.parameter(key).grad
        scale = integers[key][1]
        if mine.ndim > 1:  # dI/dw = 1 with rounded weights, and the scale with integers
            there = integers[key][0] != 0 if mine.ndim == 3 else np.ones(tuple(mine.shape), np.bool_)
            expected = mine.numpy() * (scale / own[key]).astype("f4")[:, None]
            np.testing.assert_allclose(expected[there], theirs.numpy()[there], rtol=2e-3, atol=1e-4)


TWICE = f"""
snn.network @twice dt 0.001 {{
  %x = snn.input @x : !snn.signal<{LINES}, spike>
  %a = snn.dense %x weights #snn.tensor<"a", 1x{LINES}xf32, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]>
    : !snn.signal<{LINES}, spike> -> !snn.signal<1, f64>
  %b = snn.dense %x weights #snn.tensor<"b", 1x{LINES}xf32, [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]>
    : !snn.signal<{LINES}, spike> -> !snn.signal<1, f64>
  %p = snn.if @p(INPUTS) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
  snn.output @y %p : !snn.signal<1, spike>
  OUTPUT
}}
"""


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        ("%a, %b", "", "which add up on a cell"),
        ("%a", "snn.output @z %a : !snn.signal<1, f64>", "is read elsewhere too"),
    ],
)
def test_what_rounding_would_rewrite_is_refused(inputs: str, output: str, message: str) -> None:
    module = parsed(TWICE.replace("INPUTS", inputs).replace("OUTPUT", output))
    with pytest.raises(SnnirError, match=message):
        shared_scales(program_in(module))


def test_bits_and_groups_are_checked() -> None:
    rows = np.zeros((1, 1), np.int64)
    group = quantise.Shared((quantise.Part("w", rows, rows[0]),), np.ones(1))
    with pytest.raises(SnnirError, match="weights of 1 bits"):
        quantise.GridQuantiser([group], 1)
    with pytest.raises(SnnirError, match="'w' are in the columns of several populations"):
        quantise.GridQuantiser([group, group], 4)
    with pytest.raises(SnnirError, match="not rounded"):
        quantise.quantised(TorchNetwork(network_in(delayed_program(np.random.default_rng(7)))))
