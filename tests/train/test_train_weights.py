"""Weights as parameters: masks, common weights, whole weights, and the way back into the program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from delayed_programs import HIDDEN, OUT, delayed_program, network_in, parsed, program_in, spikes

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import ConvOp, DenseOp, WeightedOp
from snnir.errors import SnnirError
from snnir.flow.training.weights import put_biases, put_integers, put_weights
from snnir.sim import simulate

torch: Any = pytest.importorskip("torch")
network_module: Any = pytest.importorskip("snnir.train.network")
TorchNetwork: Any = network_module.TorchNetwork
weights_of: Any = network_module.weights_of


def changed(module: Any, by: float) -> None:
    """Other weights (float32, so that sums of spikes are exact)."""
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for parameter in module.weights.values:
            parameter.add_(torch.tensor(rng.normal(0, by, tuple(parameter.shape)).astype("f4")))


def bundle_of(module: Any) -> str:
    """The key of the first bundle."""
    return next(key for key in module.weights.keys if module.weights.mask(key).ndim == 3)


@pytest.mark.parametrize("name", ["nir", "spinnaker2", "speck", "loihi"])
def test_what_was_trained_is_what_the_program_has(name: str) -> None:
    program = delayed_program(np.random.default_rng(1), name, "lif")
    trained, inputs = TorchNetwork(network_in(program)), spikes(np.random.default_rng(2))
    before = simulate(network_in(program), inputs)
    changed(trained, 8.0 if name == "loihi" else 0.2)
    put_weights(program_in(program), weights_of(trained))
    program.verify()
    expected = trained.run(inputs, record=["hidden", "out"]).signals
    found = simulate(network_in(program), inputs)
    assert any((found[n] != before[n]).any() for n in expected)
    for signal, values in expected.items():
        assert (found[signal] == values.detach().numpy()).all()
    again = TorchNetwork(network_in(program))
    assert again.weights.keys == trained.weights.keys


def test_pruned_synapses_stay_away() -> None:
    program = delayed_program(np.random.default_rng(3))
    module, inputs = TorchNetwork(network_in(program)), spikes(np.random.default_rng(4))
    key = bundle_of(module)
    pruned = module.weights.mask(key).numpy().copy()
    assert 0 < pruned.sum() < pruned.size  # zeros of a bundle are no synapses
    optimiser = torch.optim.SGD(module.parameters(), 0.1)
    dense = next(key for key in module.weights.keys if module.weights.mask(key).ndim == 2)
    mask = np.ones(tuple(module.weights.mask(dense).shape), np.bool_)
    mask[0] = False
    module.weights.set_mask(dense, mask)
    for _ in range(3):
        optimiser.zero_grad()
        module(inputs)["y"].sum().backward()
        assert bool((module.weights.parameter(dense).grad[0] == 0).all())
        optimiser.step()
    found = weights_of(module)
    assert (found[key][~pruned] == 0).all()
    assert (found[dense][0] == 0).all()
    assert (found[dense][1] != 0).all()
    module.weights.set_mask(key, None)  # what the program says is no synapse cannot come back
    assert (module.weights.mask(key).numpy() == pruned).all()
    module.weights.set_mask(key, np.zeros(pruned.shape))
    assert not weights_of(module)[key].any()
    with pytest.raises(SnnirError, match="a mask of shape"):
        module.weights.set_mask(key, np.ones(3))


def test_levels_that_are_pruned_make_a_bundle_later() -> None:
    """The simulator's operator then reads a shorter window, that begins later."""
    program = delayed_program(np.random.default_rng(10), "nir", "cuba_lif", loop=2)
    module, inputs = TorchNetwork(network_in(program), dtype="float32"), spikes(np.random.default_rng(11))
    for key in module.weights.keys:
        if module.weights.mask(key).ndim == 3:
            mask = np.ones(tuple(module.weights.mask(key).shape))
            mask[0] = mask[3:] = 0
            module.weights.set_mask(key, mask)
    put_weights(program_in(program), weights_of(module))
    expected = simulate(network_in(program), inputs)
    found = module.exact().run(inputs, record=["hidden", "out"]).signals
    for signal, values in found.items():
        np.testing.assert_array_equal(values.detach(), expected[signal])


def test_masks_are_part_of_a_state() -> None:
    program = delayed_program(np.random.default_rng(5))
    first, second = (TorchNetwork(network_in(program)) for _ in range(2))
    key = first.weights.keys[0]
    mask = np.zeros(tuple(first.weights.mask(key).shape))
    first.weights.set_mask(key, mask)
    second.load_state_dict(first.state_dict())
    assert not weights_of(second)[key].any()


def test_whole_weights_of_integer_states_stay_whole() -> None:
    program = delayed_program(np.random.default_rng(6), "loihi", "lif")
    module, inputs = TorchNetwork(network_in(program)), spikes(np.random.default_rng(7))
    changed(module, 4.0)
    assert module.weights.whole == set(module.weights.keys)
    assert any((w != np.rint(w)).any() for w in (p.detach().numpy() for p in module.weights.values))
    assert all((w == np.rint(w)).all() for w in weights_of(module).values())
    outputs = module(inputs)["y"]
    (
        outputs * torch.rand(outputs.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ).sum().backward()
    assert all(bool((p.grad != 0).any()) for p in module.weights.values)


SHARED = """
snn.network @shared dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %y = snn.input @y : !snn.signal<2, spike>
  %a = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1.0, 2.0, 3.0, 4.0]>
    : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %b = snn.dense %y weights #snn.tensor<"w", 2x2xf32, [1.0, 2.0, 3.0, LAST]>
    : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %c = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%a, %b, %c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @z %p : !snn.signal<2, spike>
}
"""


def test_projections_of_one_key_share_their_weights() -> None:
    network = network_in(parsed(SHARED.replace("LAST", "4.0")))
    module = TorchNetwork(network)
    assert module.weights.keys == ("w",)  # and 0.5 is no tensor
    module({"x": np.ones((1, 3, 2)), "y": np.ones((1, 3, 2))})["z"].sum().backward()
    both = module.weights.parameter("w").grad.clone()
    module.zero_grad()
    module({"x": np.ones((1, 3, 2)), "y": np.zeros((1, 3, 2))})["z"].sum().backward()
    assert (both != module.weights.parameter("w").grad).any()
    with pytest.raises(SnnirError, match="different weights of the key 'w'"):
        TorchNetwork(network_in(parsed(SHARED.replace("LAST", "5.0"))))


CONVOLUTION = """
snn.network @lanes dt 0.001 {
  %x = snn.input @x : !snn.signal<1x4, spike>
  %c = snn.conv1d %x weights #snn.tensor<"k", 2x1x3xf32, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]>
    bias #snn.tensor<"kb", 2xf32, [0.5, -0.5]> : !snn.signal<1x4, spike> -> !snn.signal<2x2, f64>
  %p = snn.lif @p(%c) with (tau = 0.01, r = 1.0, v_leak = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    : !snn.signal<2x2, spike>
  %d = snn.dense %p weights #snn.tensor<"d", 3x2xf32, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]>
    : !snn.signal<2x2, spike> -> !snn.signal<2x3, f64>
  %q = snn.li @q(%d) with (tau = 0.01, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<2x3, f64>
  snn.output @y %q : !snn.signal<2x3, f64>
}
"""


def test_biases_one_per_lane() -> None:
    program = parsed(CONVOLUTION)
    module = TorchNetwork(network_in(program), biases=True)
    keys = [op.weights.data.key for op in program_in(program).body.block.ops if isinstance(op, ConvOp | DenseOp)]  # pyright: ignore
    assert [tuple(b.shape) for b in module.biases] == [(2,), (3,)]
    assert module.biases[0].tolist() == [0.5, -0.5]
    inputs = {"x": np.random.default_rng(0).integers(0, 2, (2, 9, 4)).astype(np.uint8)}
    np.testing.assert_array_equal(module(inputs)["y"].detach(), simulate(network_in(program), inputs)["q"])
    with torch.no_grad():
        for bias in module.biases:
            bias.add_(torch.arange(len(bias), dtype=torch.float64))
    put_biases(program_in(program), dict(zip(keys, (b.detach().numpy() for b in module.biases), strict=True)))
    program.verify()
    np.testing.assert_array_equal(module(inputs)["y"].detach(), simulate(network_in(program), inputs)["q"])
    with pytest.raises(SnnirError, match="biases of shape"):
        put_biases(program_in(program), {"k": np.zeros(4)})


def test_what_does_not_fit_the_program_is_refused() -> None:
    program = delayed_program(np.random.default_rng(8))
    op = program_in(program)
    before = str(program)
    weights = weights_of(TorchNetwork(network_in(program)))
    first = next(iter(weights))
    for wrong, what in (
        ({"none": np.zeros(3)}, "no projection has weights 'none'"),
        ({first: np.zeros(3)}, "of shape"),
        ({**weights, first: np.full(weights[first].shape, np.nan)}, "not all finite"),
    ):
        with pytest.raises(SnnirError, match=what):
            put_weights(op, wrong)
    assert str(program) == before


def test_integers_keep_their_type_where_they_fit() -> None:
    program = delayed_program(np.random.default_rng(9))
    op = program_in(program)
    dense = next(each for each in op.body.block.ops if isinstance(each, DenseOp))
    assert isinstance(dense.weights, TensorAttr)
    key, shape = dense.weights.data.key, dense.weights.data.shape
    integers = np.arange(np.prod(shape)).reshape(shape).astype("i1")
    put_integers(op, {key: (integers, np.linspace(0.5, 1, HIDDEN))})
    assert dense.weights.array.dtype == np.int8
    assert dense.scale is not None
    put_weights(op, {key: integers.astype(np.float64) + 1})
    assert dense.weights.array.dtype == np.int8
    put_weights(op, {key: integers.astype(np.float32) + 0.5})
    assert dense.weights.array.dtype == np.float32
    program.verify()
    sparse = next(each for each in op.body.block.ops if isinstance(each, WeightedOp) and each.lanes == OUT)
    assert sparse.scale is not None
