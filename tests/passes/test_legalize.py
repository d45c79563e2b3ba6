"""`snn-legalize`: what is left is what the machine has, and computes the same, or as much less as it says."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ordinary_networks import EXACT, FITTED, PARAMETERS, assert_close, ordinary, outputs_of, program_in, values_for
from test_fold import CONTEXT, assert_constants_at_ends
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import connections_of, real_values
from snnir.dialects.snn import (
    ACTIVATION_OPS,
    ActivationOp,
    ClipOp,
    DenseOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ReluOp,
    SoftmaxOp,
)
from snnir.passes.base import LoweringError
from snnir.passes.snn.legalize import SNNLegalize

BOTH = ("relu", "clip")
LIMITS = {"low": -2.0, "high": 2.0}


def _network(*ops: Operation, steps: int = 1) -> ModuleOp:
    network = NetworkOp("n", 1e-3, steps)
    for op in ops:
        network.body.block.add_op(op)
    module = ModuleOp([network])
    module.verify()
    return module


def assert_legal(module: ModuleOp, models: tuple[str, ...]) -> None:
    """Only such activations, and only chains between them that crossbars hold; outputs read populations."""
    network = program_in(module)
    with real_values():
        for op in network.body.block.ops:
            if isinstance(op, NeuronOp):
                assert op.MODEL in models
                connections_of(op)
            assert not isinstance(op, MaxPoolOp)
    assert_constants_at_ends(module)


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), models=st.sampled_from([BOTH, ("clip",)]))
def test_exact_constructions(seed: int, models: tuple[str, ...]) -> None:
    rng = np.random.default_rng(seed)
    module = ordinary(rng, EXACT)
    data = values_for(module, rng)
    before = outputs_of(module, data)
    SNNLegalize(models=models).apply(CONTEXT, module)
    module.verify()
    assert_legal(module, models)
    assert_close(outputs_of(module, data), before)


@pytest.mark.parametrize("models", [BOTH, ("relu",), ("clip",)])
@pytest.mark.parametrize("function", [*EXACT, *FITTED])
def test_each_activation(function: str, models: tuple[str, ...]) -> None:
    """All of them on values from -8 to 8; the error of fitted ones is what the pass says, and within the bound."""
    x = InputOp("x", SignalType.current(400))
    parameters = {key: FloatAttr(PARAMETERS[key], 64) for key in ACTIVATION_OPS[function].names()}
    h = ACTIVATION_OPS[function]("h", [x], SignalType.current(400), parameters)
    module = _network(x, h, end := ReluOp("end", [h], SignalType.current(400)), OutputOp("y", end))
    data = {"x": np.linspace(-8.0, 8.0, 400)[None, None]}
    before = outputs_of(module, data)["y"]
    legalize = SNNLegalize(models=models, error=0.02)
    legalize.apply(CONTEXT, module)
    assert_legal(module, models)
    wrong = float(np.abs(outputs_of(module, data)["y"] - before).max())
    if function in EXACT:
        assert wrong < 1e-12
    else:
        (change,) = [each.change for each in legalize.layers if each.change.startswith(f"{function} as")]
        said = float(change.split("wrong by ")[1].split()[0])
        assert wrong <= said * 1.01 <= 0.02 * 1.01
        assert legalize.statistics["largest error of a fit, millionths"] == pytest.approx(said * 1e6, rel=0.01)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_fits_are_as_wrong_as_their_errors_allow(seed: int) -> None:
    """Through one layer behind a fitted one: the error times the sum of weights at most."""
    rng = np.random.default_rng(seed)
    function = FITTED[seed % len(FITTED)]
    x = InputOp("x", SignalType.current(6))
    first = DenseOp(x, TensorAttr.of("a", rng.normal(size=(5, 6))), SignalType.current(5))
    parameters = {key: FloatAttr(PARAMETERS[key], 64) for key in ACTIVATION_OPS[function].names()}
    h = ACTIVATION_OPS[function]("h", [first], SignalType.current(5), parameters)
    weights = rng.normal(size=(4, 5))
    second = DenseOp(h, TensorAttr.of("b", weights), SignalType.current(4))
    module = _network(x, first, h, second, OutputOp("y", second))
    data = values_for(module, rng, 50)
    before = outputs_of(module, data)["y"]
    SNNLegalize(models=BOTH, error=0.03).apply(CONTEXT, module)
    assert_legal(module, BOTH)
    wrong = np.abs(outputs_of(module, data)["y"] - before).max(axis=(0, 1))
    assert (wrong <= 0.03 * np.abs(weights).sum(axis=1) * (1 + 1e-9)).all()


@pytest.mark.parametrize("sign", ["positive", "any", "current"])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (1, 5)])
def test_max_pools_are_trees(kernel: tuple[int, int], sign: str) -> None:
    """One population per level of comparisons, one more that joins them where values are never negative."""
    x = InputOp("x", SignalType.current(3, 6, 10))
    ops: list[Operation] = [x]
    if sign == "positive":
        ops.append(ReluOp("h", [x], SignalType.current(3, 6, 10)))
    elif sign == "current":
        ops.append(ClipOp("h", [x], SignalType.current(3, 6, 10), {n: FloatAttr(v, 64) for n, v in LIMITS.items()}))
    ops.append(pool := MaxPoolOp(ops[-1], kernel, [2, 1], ([1, 0], [0, 1])))
    ops.append(OutputOp("y", pool))
    module = _network(*ops)
    data = values_for(module, np.random.default_rng(0))
    before = outputs_of(module, data)
    legalize = SNNLegalize(models=BOTH)
    legalize.apply(CONTEXT, module)
    assert_legal(module, BOTH)
    assert_close(outputs_of(module, data), before)
    levels = [name for name in program_in(module).sources if "level" in name]
    assert len(levels) == int(np.ceil(np.log2(prod(kernel))))
    assert len(program_in(module).sources) - len(levels) == {"positive": 3, "any": 2, "current": 3}[sign]
    assert f"{prod(kernel)} places" in legalize.layers[0].change


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize(("function", "low"), [("relu", 0.0), ("tanh", 0.0), ("sigmoid", 0.0), ("clip", 0.5)])
def test_an_activation_comes_before_a_pool_where_that_is_the_same(function: str, low: float, padding: int) -> None:
    """Zeros around a plane are no sigmoid of zero, and no clip from 0.5 on."""
    x = InputOp("x", SignalType.current(1, 4, 4))
    dense = DenseOp(x, TensorAttr.of("w", -np.eye(16)), SignalType.current(1, 4, 4))
    pool = MaxPoolOp(dense, [2, 2], [2, 2], ([padding] * 2, [padding] * 2))
    parameters = {key: FloatAttr({"low": low, "high": 3.0}[key], 64) for key in ACTIVATION_OPS[function].names()}
    side = 2 + padding
    h = ACTIVATION_OPS[function]("h", [pool], SignalType.current(1, side, side), parameters)
    module = _network(x, dense, pool, h, OutputOp("y", h))
    data = {"x": np.abs(np.random.default_rng(7).normal(size=(5, 1, 16)))}
    before = outputs_of(module, data)
    legalize = SNNLegalize(models=(*BOTH, function))
    legalize.apply(CONTEXT, module)
    assert_close(outputs_of(module, data), before)
    first = padding == 0 or function in ("relu", "tanh")
    assert legalize.statistics["activations put before a max pool"] == first


def test_max_pools_of_spikes() -> None:
    x = InputOp("x", SignalType.spikes(2, 4, 4))
    module = _network(x, pool := MaxPoolOp(x, [2, 2]), OutputOp("y", pool), steps=20)
    data = {"x": (np.random.default_rng(1).random((3, 20, 32)) < 0.3).astype(np.uint8)}
    before = outputs_of(module, data)
    SNNLegalize(models=("if", "lif")).apply(CONTEXT, module)
    assert [op.MODEL for op in program_in(module).sources.values() if isinstance(op, NeuronOp)] == ["if"]
    np.testing.assert_array_equal(outputs_of(module, data)["y"], before["y"])


def test_max_pools_as_averages_are_something_else() -> None:
    x = InputOp("x", SignalType.current(1, 4, 4))
    module = _network(x, pool := MaxPoolOp(x, [2, 2]), OutputOp("y", pool))
    data = values_for(module, np.random.default_rng(2))
    legalize = SNNLegalize(models=BOTH, max_pool="avg")
    legalize.apply(CONTEXT, module)
    expected = data["x"].reshape(-1, 2, 2, 2, 2).mean(axis=(2, 4)).reshape(-1, 1, 4)
    np.testing.assert_allclose(outputs_of(module, data)["y"], expected)
    assert "not the same" in legalize.layers[0].change and legalize.lossy


def _classifier() -> ModuleOp:
    rng = np.random.default_rng(3)
    x = InputOp("x", SignalType.current(6))
    dense = DenseOp(x, TensorAttr.of("w", 9 * rng.normal(size=(4, 6))), SignalType.current(4))
    return _network(x, dense, p := SoftmaxOp("p", [dense], SignalType.current(4)), OutputOp("y", p))


@pytest.mark.parametrize("with_data", [False, True])
def test_a_softmax_at_the_end_leaves_the_class(tmp_path: Path, with_data: bool) -> None:
    """Limits must be those of what the softmax reads, not of what it makes."""
    module = _classifier()
    data = values_for(module, np.random.default_rng(4), 50)
    np.savez(tmp_path / "data.npz", x=data["x"])
    before = outputs_of(module, data)["y"].argmax(axis=-1)
    SNNLegalize(models=BOTH, data=str(tmp_path / "data.npz") if with_data else None).apply(CONTEXT, module)
    after = outputs_of(module, data)["y"]
    np.testing.assert_array_equal(after.argmax(axis=-1), before)
    (end,) = [op for op in program_in(module).sources.values() if isinstance(op, ClipOp)]
    limit = float(np.asarray(end.parameters["high"]))
    assert limit == (2.0 ** np.ceil(np.log2(np.abs(after).max() * 1.25)) if with_data else 2.0**20)


def test_data_narrow_what_is_fitted(tmp_path: Path) -> None:
    modules = [
        _network(
            x := InputOp("x", SignalType.current(6)),
            h := ACTIVATION_OPS["tanh"]("h", [x], SignalType.current(6)),
            OutputOp("y", h),
        )
        for _ in range(2)
    ]
    data = {"x": np.random.default_rng(5).uniform(0.5, 1.0, (9, 1, 6))}
    np.savez(tmp_path / "data.npz", x=data["x"])
    before = outputs_of(modules[0], data)
    SNNLegalize(models=BOTH).apply(CONTEXT, modules[0])
    SNNLegalize(models=BOTH, data=str(tmp_path / "data.npz")).apply(CONTEXT, modules[1])
    pieces = [sum("piece" in name for name in program_in(module).sources) for module in modules]
    assert 0 < pieces[1] < pieces[0]
    for module in modules:
        assert_close(outputs_of(module, data), before, 0.01)


def test_what_a_machine_has_stays() -> None:
    x = InputOp("x", SignalType.current(6))
    module = _network(x, h := ACTIVATION_OPS["tanh"]("h", [x], SignalType.current(6)), OutputOp("y", h))
    text = str(module)
    legalize = SNNLegalize(models=("relu", "tanh"))
    legalize.apply(CONTEXT, module)
    assert str(module) == text and not legalize.layers


def test_a_relu_is_all_that_is_there_and_the_end_has_a_sign() -> None:
    with pytest.raises(LoweringError, match="a current of either sign"):
        SNNLegalize(models=("relu",)).apply(CONTEXT, _classifier())


def test_places_and_order_are_told() -> None:
    rng = np.random.default_rng(6)
    module = ordinary(rng, ("leaky_relu",))
    legalize = SNNLegalize(models=BOTH)
    legalize.apply(CONTEXT, module)
    names = [op.sym_name.data for op in program_in(module).body.block.ops if isinstance(op, ActivationOp)]
    assert legalize.layers and names
    assert all(each.layer and each.place and each.change for each in legalize.layers)
