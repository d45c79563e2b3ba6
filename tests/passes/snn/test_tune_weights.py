"""Weights of few bits, fitted to data: one grid per column, nearer to the original than rounded, the same each time."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plain_networks import Array, cnn, dense, emitted, mlp, module_of, number, passed, stored, tensor, values
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import AvgPoolOp, DenseOp, FlattenOp, IfOp, InputOp, NeuronOp, OutputOp, ReluOp, WeightedOp
from snnir.errors import SnnirError
from snnir.passes.base import program
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.tune_weights import SNNTuneWeights
from snnir.precision import largest
from snnir.semantics import Semantics
from snnir.sim.entry import network_of
from snnir.tuning.ranges import sqnr


def prepared(make: str, seed: int, folder: Path, **options: object) -> tuple[ModuleOp, ModuleOp, Array, str]:
    """A network, the same with coded signals, values for its input, and the name of their file."""
    rng = np.random.default_rng(seed)
    module = cnn(rng) if make == "cnn" else mlp(rng, hidden=make)
    x = values(rng, module, 200)
    data = stored(folder, x)
    return module, passed(module, SNNCodeSignals(data=data, bits=6, **options)), x, data  # pyright: ignore[reportArgumentType]


def projections(module: ModuleOp) -> list[WeightedOp]:
    return [op for op in program(module).body.block.ops if isinstance(op, WeightedOp)]


def scores(module: ModuleOp, x: Array) -> Array:
    coding = program(module).sources["y"].coding
    found = emitted(module, x)["y"]
    return found if coding is None else coding.decode(found)


def check_grid(module: ModuleOp, bits: int) -> None:
    """All weights are integers that fit, and what a population sums has one scale per neuron."""
    for op in projections(module):
        assert isinstance(op.weights, TensorAttr)
        assert op.weights.array.dtype.kind == "i"
        assert np.abs(op.weights.array).max() <= largest(bits)
    network = network_of(program(module))
    assert all(node.scale is not None for node in {**network.populations, **network.activations}.values())


@pytest.mark.parametrize("make", ["relu", "clip", "cnn"])
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_nearer_than_rounded(make: str, bits: int, tmp_path: Path) -> None:
    ratios: list[float] = []
    for seed in range(4):
        module, coded, x, data = prepared(make, seed, tmp_path)
        tune = SNNTuneWeights(data=data, bits=bits)
        tuned, nearest = passed(coded, tune), passed(coded, SNNQuantize(bits=bits))
        check_grid(tuned, bits)
        wanted = scores(module, x)
        errors = [np.square(scores(each, x) - wanted).mean() for each in (tuned, nearest)]
        ratios.append(float(errors[0] / errors[1]))
        assert [layer.bits for layer in tune.layers] == [bits] * len(tune.layers)
        assert len(tune.layers) == sum(isinstance(op, NeuronOp) for op in program(tuned).sources.values())
    assert np.mean(ratios) < (0.7 if bits < 8 else 1.2)


def test_layers_are_told_as_they_are(tmp_path: Path) -> None:
    _, coded, x, data = prepared("relu", 0, tmp_path)
    tune = SNNTuneWeights(data=data, bits=4)
    tuned = passed(coded, tune)
    from snnir.passes.snn.forward import Forward  # noqa: PLC0415

    before = Forward(program(coded), {"x": x}, rounded=False)
    after = Forward(program(tuned), {"x": x})
    for layer in tune.layers:
        old, new = (program(each).sources[layer.layer[1:]] for each in (coded, tuned))
        assert isinstance(old, NeuronOp)
        assert isinstance(new, NeuronOp)
        assert layer.sqnr == pytest.approx(sqnr(before.current(old), after.current(new)))


def test_later_layers_make_up_for_earlier_ones(tmp_path: Path) -> None:
    """The last layer, fitted to what the coarse ones before it emit, against the same one fitted alone."""
    better = 0
    for seed in range(6):
        module, coded, x, data = prepared("relu", seed, tmp_path)
        tuned = passed(coded, SNNTuneWeights(data=data, bits=2))
        alone = coded.clone()
        for old, new in zip(projections(alone)[:2], projections(tuned)[:2], strict=True):
            old.properties.update(new.properties)
        fitted = passed(alone, SNNQuantize(bits=2))
        wanted = scores(module, x)
        errors = [np.square(scores(each, x) - wanted).mean() for each in (tuned, fitted)]
        better += errors[0] < errors[1]
    assert better == 6


@pytest.mark.parametrize("make", ["relu", "clip", "cnn"])
def test_the_same_text_every_time(make: str, tmp_path: Path) -> None:
    _, coded, _, data = prepared(make, 1, tmp_path)
    first, second = (passed(coded, SNNTuneWeights(data=data, bits=3)) for _ in range(2))
    assert str(first) == str(second)
    assert str(passed(first, SNNTuneWeights(data=data, bits=3))) == str(first)


def test_pairs_are_negatives_of_each_other(tmp_path: Path) -> None:
    _, coded, x, data = prepared("clip", 2, tmp_path)
    tuned = passed(coded, SNNTuneWeights(data=data, bits=4))
    arrays = network_of(program(tuned)).activations
    for name in "hg":
        above, below = (arrays[f"{name}.{side}"].projections for side in ("positive", "negative"))
        for p, q in zip(above, below, strict=True):
            np.testing.assert_array_equal(p.weights, -q.weights)
            np.testing.assert_array_equal(p.scale, q.scale)
            np.testing.assert_array_equal(np.asarray(p.bias), -np.asarray(q.bias))
    found = emitted(tuned, x)
    assert (np.minimum(found["h.positive"], found["h.negative"]) == 0).all()


@pytest.mark.parametrize("make", ["relu", "clip"])
def test_digits_stay_exact(make: str, tmp_path: Path) -> None:
    """The two lines of a value are the digits of the code of what the tuned projections sum, also after tuning."""
    _, coded, x, data = prepared(make, 3, tmp_path, lines=2)
    tuned = passed(coded, SNNTuneWeights(data=data, bits=8))
    check_grid(tuned, 8)
    network, found = network_of(program(tuned)), emitted(tuned, x)
    for name in ("h",) if make == "relu" else ("h.positive", "h.negative"):
        high, low = (network.activations[f"{name}.{digit}"] for digit in ("high", "low"))
        (p,) = high.projections
        current = found["x"].astype(np.float64) @ p.weights.T.astype(np.float64) * p.scale + p.bias
        assert low.coding is not None
        assert p.source == "x"
        whole = replace(low.coding, most=(1 << 12) - 1).encode(np.maximum(current, 0.0))
        np.testing.assert_array_equal(found[f"{name}.high"].astype(np.int64) * 64 + found[f"{name}.low"], whole)


def test_average_pools_become_sums(tmp_path: Path) -> None:
    _, coded, _, data = prepared("cnn", 4, tmp_path)
    tuned = passed(coded, SNNTuneWeights(data=data, bits=8))
    read = [op.source.owner for op in projections(tuned)]
    assert not any(isinstance(owner, AvgPoolOp) for owner in read)


@pytest.mark.parametrize("budget", [15.0, 30.0])
def test_bits_for_a_budget(budget: float, tmp_path: Path) -> None:
    for seed in range(3):
        module, coded, x, data = prepared("relu", seed, tmp_path)
        tune = SNNTuneWeights(data=data, bits=8, budget=budget)
        tuned = passed(coded, tune)
        check_grid(tuned, 8)
        assert sqnr(scores(module, x), scores(tuned, x)) > budget - 0.5
        assert tune.statistics["SQNR of the outputs, hundredths of a decibel"] >= 100 * budget
        used = {layer.layer: layer.bits for layer in tune.layers}
        # a bit is 6 dB, so that no more than one of a layer is given away
        reached = tune.statistics["SQNR of the outputs, hundredths of a decibel"]
        assert reached < 100 * (budget + 7) or set(used.values()) == {2}
        for op in program(tuned).sources.values():
            if isinstance(op, NeuronOp):
                (leaf,) = (each.owner for each in op.inputs)
                assert isinstance(leaf, WeightedOp)
                assert isinstance(leaf.weights, TensorAttr)
                bits = used[f"@{op.sym_name.data}"]
                assert bits is not None
                assert np.abs(leaf.weights.array).max() <= largest(bits)
        if budget == 15.0:
            assert min(bits for bits in used.values() if bits is not None) < 6


def _spiking(rng: np.random.Generator, *, recurrent: bool) -> ModuleOp:
    x = InputOp("x", SignalType.spikes(12))
    a = dense(rng, x, "a", 10)
    parameters = {"r": number(1.0), "threshold": number(1.0), "v_reset": number(0.0)}
    h = IfOp("h", [a], parameters, Semantics(), SignalType.spikes(10))
    ops = [x, a, h]
    if recurrent:
        weights = tensor("back", (rng.normal(size=(10, 10)) / 10).astype(np.float32))
        back = DenseOp(h, weights, SignalType.current(10), delay=1)
        h.operands = [a.current, back.current]
        ops.append(back)
    b = dense(rng, h, "b", 4)
    o = IfOp("o", [b], parameters, Semantics(), SignalType.spikes(4))
    return module_of(*ops, b, o, OutputOp("y", o))


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("bits", [3, 4])
def test_spiking_networks(recurrent: bool, bits: int, tmp_path: Path) -> None:
    differences: list[int] = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        module = _spiking(rng, recurrent=recurrent)
        x = (rng.random((60, 20, 12)) < 0.3).astype(np.uint8)
        tuned = passed(module, SNNTuneWeights(data=stored(tmp_path, x), bits=bits))
        check_grid(tuned, bits)
        rounded = passed(module, SNNQuantize(bits=bits))
        wanted = emitted(module, x)["o"].astype(np.int64)
        errors = [int(np.abs(emitted(each, x)["o"] - wanted).sum()) for each in (tuned, rounded)]
        differences.append(errors[1] - errors[0])
        for old, new in zip(projections(module), projections(tuned), strict=True):
            assert old.bias == new.bias
    assert np.sum(differences) > 0


def test_projections_of_projections_are_rounded(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = InputOp("x", SignalType.current(6))
    a = dense(rng, x, "a", 5)
    b = DenseOp(a, tensor("b", rng.normal(size=(4, 5))), SignalType.current(4))
    h = ReluOp("h", [b], SignalType.current(4))
    f = FlattenOp(h.signal)
    y = dense(rng, f, "c", 2)
    end = ReluOp("y", [y], SignalType.current(2))
    module = module_of(x, a, b, h, f, y, end, OutputOp("s", end))
    data = stored(tmp_path, values(rng, module, 50))
    tuned = passed(module, SNNTuneWeights(data=data, bits=8))
    for op in projections(tuned):
        assert isinstance(op.weights, TensorAttr)
        assert op.weights.array.dtype.kind == "i"
        assert op.scale is not None
        assert (np.asarray(value_of(op.scale)) > 0).all()


def test_descent_needs_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, coded, _, data = prepared("relu", 0, tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SnnirError, match="needs torch"):
        passed(coded, SNNTuneWeights(data=data, bits=2, ste=5))


def test_descent_is_never_worse(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    _, coded, _, data = prepared("relu", 0, tmp_path)
    plain, descended = SNNTuneWeights(data=data, bits=2), SNNTuneWeights(data=data, bits=2, ste=30)
    passed(coded, plain)
    passed(coded, descended)
    first = [tune.layers[0].sqnr for tune in (plain, descended)]
    assert first[0] is not None
    assert first[1] is not None
    assert first[1] >= first[0] - 1e-9
