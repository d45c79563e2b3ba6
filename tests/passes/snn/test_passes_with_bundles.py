"""Every pass over programs with bundles of delayed synapses: delays are kept, and what was pruned stays pruned."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundled_networks import Weights, array_of, as_sparse, bundled_program, bundles_of, network_in, pruned
from numpy.typing import NDArray
from plain_networks import dense, emitted, module_of, number, passed, stored, tensor
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.connections import connections_of
from snnir.dialects.snn import (
    BundleOp,
    InputOp,
    IntegratorOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ReluOp,
    ScaleOp,
    SparseOp,
)
from snnir.errors import SnnirError
from snnir.passes.base import program
from snnir.passes.snn.ann_to_snn import ConvertANNToSNN
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.expand import SNNExpand
from snnir.passes.snn.fold import SNNFold
from snnir.passes.snn.forward import projected
from snnir.passes.snn.legalize import SNNLegalize
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.split_fanin import SNNSplitFanin
from snnir.passes.snn.tune_weights import SNNTuneWeights
from snnir.precision import largest
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.sim.entry import network_of
from snnir.tuning.ranges import sqnr

Axons = dict[tuple[str, int], NDArray[np.float64]]
Array = NDArray[Any]


def axons_of(network: NetworkOp, name: str) -> Axons:
    """The weights of a population for each source and delay, (sources, targets)."""
    op = network.sources[name]
    assert isinstance(op, NeuronOp)
    found: Axons = defaultdict(lambda: np.zeros(()))
    for c in connections_of(op):
        block = c.synapses.block(np.arange(c.synapses.sources), np.arange(op.size)) * c.scale
        found[c.source, c.delay] = found[c.source, c.delay] + block
    return {key: block for key, block in found.items() if block.any()}


def assert_equal(found: Axons, expected: Axons) -> None:
    """The same weights, up to the last digits."""
    assert set(found) == set(expected)
    for key, block in expected.items():
        np.testing.assert_allclose(found[key], block, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weights", ["float", "grid", "integer"])
@pytest.mark.parametrize("seed", range(8))
def test_quantising_rounds_bundles_as_it_rounds_single_synapses(seed: int, weights: Weights) -> None:
    module = bundled_program(seed, weights)
    network = network_in(module)
    listed = ModuleOp([as_sparse(network)])
    before = {op.weights.data.key: array_of(op) for op in bundles_of(network)}  # pyright: ignore
    found, other = passed(module, SNNQuantize(bits=4)), passed(listed, SNNQuantize(bits=4))
    for name in "abc":
        assert_equal(axons_of(network_in(found), name), axons_of(network_in(other), name))
    for op in bundles_of(network_in(found)):
        assert isinstance(op.weights, TensorAttr)
        assert op.weights.data.element == "i8"
        assert np.abs(array_of(op)).max() <= largest(4)
        old = before[op.weights.data.key]
        assert old.shape == array_of(op).shape
        assert not array_of(op)[old == 0].any()
    again = SNNQuantize(bits=4)
    for op, other in zip(*(bundles_of(network_in(each)) for each in (passed(found, again), found)), strict=True):
        assert np.array_equal(array_of(op), array_of(other))
    assert not [name for name, value in again.statistics.items() if name.endswith("changed") and value]


def summed(raw: Array, scale: Array | float | None = None) -> ModuleOp:
    """A bundle that nothing but a simulator can hold: neurons that sum up read it."""
    x = InputOp("x", SignalType.spikes(raw.shape[2]))
    factor = None if scale is None else tensor("s", scale) if isinstance(scale, np.ndarray) else number(scale)
    bundle = BundleOp(x, tensor("w", raw), SignalType.current(raw.shape[1]), stride=2, scale=factor)
    y = IntegratorOp("y", [bundle.current], {"r": number(1.0)}, Semantics(), SignalType.current(raw.shape[1]))
    return module_of(x, bundle, y, OutputOp("sums", y))


def test_a_bundle_alone_has_a_scale_for_each_target() -> None:
    raw = np.array([[[0.5, 0.0], [4.0, 0.0]], [[0.0, 3.5], [-28.0, 0.7 * 4]]], np.float32)
    (op,) = bundles_of(program(passed(summed(raw), SNNQuantize(bits=4))))
    assert array_of(op).tolist() == [[[1, 0], [1, 0]], [[0, 7], [-7, 1]]]
    assert op.scale is not None
    assert np.asarray(value_of(op.scale)).tolist() == [0.5, 4.0]
    (op,) = bundles_of(program(passed(summed(raw, np.array([2.0, 0.5])), SNNQuantize(bits=4))))
    assert array_of(op).tolist() == [[[1, 0], [1, 0]], [[0, 7], [-7, 1]]]
    assert op.scale is not None
    assert np.asarray(value_of(op.scale)).tolist() == [1.0, 2.0]


def folded(seed: int) -> tuple[ModuleOp, Array]:
    """Constants and factors before and behind bundles, some of which are late, and spikes."""
    rng = np.random.default_rng(seed)
    x = InputOp("x", SignalType.spikes(3))
    constants = tensor("c", rng.normal(size=3))
    lifted = ScaleOp(x, tensor("v", rng.uniform(0.5, 2, 3)), SignalType.current(3), bias=constants)
    raw = pruned(rng, (3, 2, 3))
    raw[0, 0, 0] = 0.5
    raw[1:] *= seed % 2
    scale = tensor("s", rng.uniform(0.5, 2, 2)) if seed % 3 else None
    bias = tensor("b", rng.normal(size=2))
    first = BundleOp(lifted, tensor("w", raw), SignalType.current(2), stride=2, scale=scale, bias=bias)
    behind = ScaleOp(first, tensor("f", rng.uniform(0.5, 2, 2)), SignalType.current(2), bias=tensor("g", np.ones(2)))
    y = IntegratorOp("y", [behind.current], {"r": number(1.0)}, Semantics(), SignalType.current(2))
    module = module_of(x, lifted, first, behind, y, OutputOp("sums", y))
    return module, (rng.random((2, 15, 3)) < 0.4).astype(np.uint8)


@pytest.mark.parametrize("seed", range(12))
def test_folding_changes_nothing(seed: int) -> None:
    module, spikes = folded(seed)
    after = passed(module, SNNFold())
    found, expected = emitted(after, spikes)["y"], emitted(module, spikes)["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    kept = [op for op in program(after).body.block.ops if isinstance(op, ScaleOp)]
    (bundle,) = bundles_of(program(after))
    # a constant that begins late stays before the bundle
    assert len(kept) == bundle.is_late
    assert bundle.scale is None


@pytest.mark.parametrize("seed", range(8))
def test_relays_keep_the_delays(seed: int) -> None:
    module = bundled_program(seed, "grid", on_machines=True)
    split = passed(module, SNNSplitFanin(mode="relay", rows=5))
    network, after = network_in(module), network_in(split)
    levels = 0
    for name in "abc":
        found: Axons = defaultdict(lambda: np.zeros(()))
        for other in after.sources:
            relay = other.startswith(f"{name}_relay")
            if other != name and not relay:
                continue
            for (source, delay), block in axons_of(after, other).items():
                if "_relay" not in source:
                    found[source, delay] = found[source, delay] + block
            levels += relay
        assert_equal(dict(found), axons_of(network, name))
    if seed == 0:
        assert levels > 1


@pytest.mark.parametrize("seed", range(4))
def test_tuning_rounds_bundles_and_prunes_nothing_back(seed: int, tmp_path: Path) -> None:
    module = bundled_program(seed, "float")
    network = network_in(module)
    rng = np.random.default_rng(seed)
    (x,) = (op for op in network.sources.values() if isinstance(op, InputOp))
    np.savez(tmp_path / "data.npz", x=(rng.random((6, 20, x.size)) < 0.3).astype(np.uint8))
    before = {op.weights.data.key: array_of(op) for op in bundles_of(network)}  # pyright: ignore
    tuned = network_in(passed(module, SNNTuneWeights(data=str(tmp_path / "data.npz"), bits=8)))
    for op in bundles_of(tuned):
        assert isinstance(op.weights, TensorAttr)
        assert op.scale is not None
        old, new = before[op.weights.data.key], array_of(op)
        assert new.dtype == np.int8
        assert not new[old == 0].any()
        scale = np.broadcast_to(np.asarray(value_of(op.scale)), (op.lanes,))
        inside = np.abs(new) < largest(8)
        assert (np.abs(new * scale[:, None] - old) <= 0.51 * scale[:, None])[inside].all()
        assert new.any() == old.any()
    for name in "abc":
        assert set(axons_of(tuned, name)) <= set(axons_of(network, name))


def ordinary(seed: int, *, late: bool = True, wide: int = 5) -> tuple[ModuleOp, Array]:
    """Two layers of relu, the first behind a bundle, and values for ten steps."""
    rng = np.random.default_rng(seed)
    x = InputOp("x", SignalType.current(wide))
    raw = pruned(rng, (3, 4, wide))
    raw[0, :, 0] = 0.5
    raw[1:] *= late
    a = BundleOp(x, tensor("a", raw), SignalType.current(4), stride=2, bias=tensor("a.bias", rng.normal(size=4) / 4))
    h = ReluOp("h", [a.current], SignalType.current(4))
    b = dense(rng, h, "b", 3)
    y = ReluOp("y", [b.current], SignalType.current(3))
    module = module_of(x, a, h, b, y, OutputOp("scores", y))
    program(module).steps = None
    module.verify()
    return module, rng.uniform(-1 if seed % 2 else 0, 1, (30, 10, wide))


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_coding_keeps_what_is_late(seed: int, late: bool, tmp_path: Path) -> None:
    module, values = ordinary(seed, late=late)
    coded = passed(module, SNNCodeSignals(data=stored(tmp_path, values), bits=12))
    coding = program(coded).sources["y"].coding
    assert coding is not None
    found = coding.decode(emitted(coded, values)["y"])
    assert sqnr(emitted(module, values)["y"], found) > 45
    # a value that is lower by the same in every step is none where the signal is late
    assert len(bundles_of(program(coded))) == (2 if late and seed % 2 else 1)


@pytest.mark.parametrize("seed", range(6))
def test_sums_of_pairs_are_exact(seed: int) -> None:
    module, values = ordinary(seed, wide=9)
    expanded = passed(module, SNNLegalize(models=("relu",)), SNNExpand(mode="pairs", rows=6))
    assert len(program(expanded).sources) > len(program(module).sources)
    found, expected = (emitted(each, values)["y"] for each in (expanded, module))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_rates_have_no_delays(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    module, values = ordinary(0)
    program(module).steps = None
    np.savez(data, x=values[:, :1])
    with pytest.raises(SnnirError, match=r"snn\.bundle delays its signal"):
        passed(module, ConvertANNToSNN(data=str(data)))
    prompt, values = ordinary(0, late=False)
    np.savez(data, x=values[:, :1])
    assert bundles_of(program(passed(prompt, ConvertANNToSNN(data=str(data)))))


@pytest.mark.parametrize("seed", range(4))
def test_calibration_computes_what_the_simulator_does(seed: int) -> None:
    network = network_in(bundled_program(seed, "integer"))
    rng = np.random.default_rng(seed)
    for op in bundles_of(network):
        source: Array = (rng.random((2, 30, op.source_type.size)) < 0.3).astype(np.uint8)
        x = InputOp("x", SignalType.spikes(*op.source_type.shape.data))
        copy = op.clone()
        copy.operands = [x.signal]
        ops: list[Operation] = [x, copy, OutputOp("y", copy)]
        only = network_of(program(module_of(*ops)))
        expected = simulate(only, {"x": source})[only.outputs["y"]]
        np.testing.assert_allclose(projected(op, source), expected, rtol=1e-12, atol=1e-12)


def test_what_is_delayed_is_late_whatever_projection_it_is() -> None:
    x = InputOp("x", SignalType.current(1))
    ends = tensor("e", np.zeros(2, np.int64))
    late = SparseOp(
        x, tensor("w", np.ones(2)), ends, ends, SignalType.current(1), delays=tensor("d", np.array([0, 3], np.int64))
    )
    h = ReluOp("h", [late.current], SignalType.current(1))
    module = module_of(x, late, h, OutputOp("y", h))
    with pytest.raises(SnnirError, match=r"snn\.sparse delays its signal"):
        passed(module, ConvertANNToSNN(data="none.npz"))
