"""`snn-fold` computes what was computed before, and leaves chains that crossbars can hold."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from general_networks import general_program, random_signals
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ordinary_networks import EXACT, FITTED, assert_close, ordinary, outputs_of, program_in, values_for
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    Conv2dOp,
    DelayOp,
    DenseOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    PoolOp,
    ReluOp,
    ScaleOp,
    WeightedOp,
)
from snnir.passes.snn.fold import SNNFold
from snnir.passes.snn.rebuild import Builder
from snnir.sim import simulate
from snnir.sim.entry import network_of

CONTEXT = Context()
Merge = Literal["smaller", "always", "never"]


def assert_constants_at_ends(module: ModuleOp) -> None:
    """No projection or pool without delay reads something with a constant part."""
    for op in list(program_in(module).body.block.ops):
        if isinstance(op, WeightedOp | PoolOp):
            assert not Builder(op).stripped(op.source)[1].any(), op


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), merge=st.sampled_from(["smaller", "always", "never"]), duplicate=st.booleans())
@example(seed=1580, merge="smaller", duplicate=False)  # a constant at a border that two sums read
def test_folding_keeps_values(seed: int, merge: Merge, duplicate: bool) -> None:
    rng = np.random.default_rng(seed)
    module = ordinary(rng, (*EXACT, *FITTED, "softmax"), max_pools=bool(seed % 2))
    data = values_for(module, rng)
    before = outputs_of(module, data)
    SNNFold(merge=merge, duplicate=duplicate).apply(CONTEXT, module)
    module.verify()
    assert_close(outputs_of(module, data), before)
    if duplicate and not seed % 2:
        assert_constants_at_ends(module)
    if duplicate:
        text = str(module)
        SNNFold(merge=merge).apply(CONTEXT, module)
        assert str(module) == text


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_spiking_programs_keep_their_spikes(seed: int) -> None:
    """With every op, delay and semantics; weights are float64 here, and sums may differ in their last place."""
    rng = np.random.default_rng(seed)
    module = general_program(rng)
    network = network_of(program_in(module))
    data = random_signals(rng, network, 2, 12)
    before = simulate(network, data)
    SNNFold().apply(CONTEXT, module)
    module.verify()
    found = simulate(network_of(program_in(module)), data)
    for name, op in program_in(module).sources.items():
        if isinstance(op, NeuronOp):
            same = np.isclose(found[name].astype(float), before[name].astype(float), rtol=1e-5, atol=1e-5)
            assert same.mean() > 0.98, name


def _network(*ops: Operation, steps: int = 1) -> ModuleOp:
    network = NetworkOp("n", 1e-3, steps)
    for op in ops:
        network.body.block.add_op(op)
    module = ModuleOp([network])
    module.verify()
    return module


def _ops(module: ModuleOp, kind: type[Operation]) -> list[Operation]:
    return [op for op in program_in(module).body.block.ops if isinstance(op, kind)]


def test_batch_norm_before_a_padded_convolution_is_right_at_the_border() -> None:
    rng = np.random.default_rng(1)
    x = InputOp("x", SignalType.current(2, 4, 4))
    factor, bias = (np.repeat(rng.normal(size=2), 16) for _ in range(2))
    norm = ScaleOp(x, TensorAttr.of("f", factor), SignalType.current(2, 4, 4), bias=TensorAttr.of("b", bias))
    conv = Conv2dOp(norm, TensorAttr.of("w", rng.normal(size=(3, 2, 3, 3))), padding=([1, 1], [1, 1]))
    module = _network(x, norm, conv, h := ReluOp("h", [conv], SignalType.current(3, 4, 4)), OutputOp("y", h))
    data = values_for(module, rng)
    before = outputs_of(module, data)
    SNNFold().apply(CONTEXT, module)
    assert_close(outputs_of(module, data), before)
    assert not _ops(module, ScaleOp) and len(_ops(module, Conv2dOp)) == 1
    assert_constants_at_ends(module)


@pytest.mark.parametrize("element", [np.float32, np.float64])
def test_weights_keep_their_precision_and_the_error_is_told(element: type[np.floating]) -> None:
    rng = np.random.default_rng(2)
    x = InputOp("x", SignalType.current(3))
    dense = DenseOp(x, TensorAttr.of("w", rng.normal(size=(2, 3)).astype(np.float32)), SignalType.current(2))
    norm = ScaleOp(dense, TensorAttr.of("f", rng.normal(size=2).astype(element)), SignalType.current(2))
    module = _network(x, dense, norm, h := ReluOp("h", [norm], SignalType.current(2)), OutputOp("y", h))
    folding = SNNFold()
    folding.apply(CONTEXT, module)
    (folded,) = _ops(module, DenseOp)
    assert isinstance(folded, DenseOp) and isinstance(folded.weights, TensorAttr)
    assert folded.weights.array.dtype == element
    assert ("rounded to float32" in "".join(each.change for each in folding.layers)) == (element is np.float32)
    assert folding.statistics["scales folded"] == 1


def test_what_is_shared_is_copied_or_left() -> None:
    def build() -> ModuleOp:
        rng = np.random.default_rng(3)
        x = InputOp("x", SignalType.current(3))
        dense = DenseOp(x, TensorAttr.of("w", rng.normal(size=(2, 3))), SignalType.current(2))
        norm = ScaleOp(dense, TensorAttr.of("f", np.array([2.0, 3.0])), SignalType.current(2))
        populations = [ReluOp(name, [value], SignalType.current(2)) for name, value in (("a", dense), ("b", norm))]
        return _network(x, dense, norm, *populations, *(OutputOp(f"y{n}", op) for n, op in enumerate(populations)))

    copied, left = build(), build()
    data = values_for(copied, np.random.default_rng(4))
    before = outputs_of(copied, data)
    SNNFold().apply(CONTEXT, copied)
    SNNFold(duplicate=False).apply(CONTEXT, left)
    assert (len(_ops(copied, DenseOp)), len(_ops(copied, ScaleOp))) == (2, 0)
    assert (len(_ops(left, DenseOp)), len(_ops(left, ScaleOp))) == (1, 1)
    assert_close(outputs_of(copied, data), before)
    assert_close(outputs_of(left, data), before)


@pytest.mark.parametrize(("merge", "left"), [("smaller", 1), ("always", 1), ("never", 2)])
@pytest.mark.parametrize("middle", [2, 9])
def test_dense_after_dense(merge: Merge, left: int, middle: int) -> None:
    rng = np.random.default_rng(5)
    x = InputOp("x", SignalType.current(8))
    first = DenseOp(x, TensorAttr.of("a", rng.normal(size=(middle, 8))), SignalType.current(middle))
    second = DenseOp(first, TensorAttr.of("b", rng.normal(size=(8, middle))), SignalType.current(8))
    module = _network(x, first, second, h := ReluOp("h", [second], SignalType.current(8)), OutputOp("y", h))
    data = values_for(module, rng)
    before = outputs_of(module, data)
    SNNFold(merge=merge).apply(CONTEXT, module)
    assert_close(outputs_of(module, data), before)
    # 8 x 2 and 2 x 8 are fewer weights than 8 x 8
    assert len(_ops(module, DenseOp)) == (2 if merge == "smaller" and middle == 2 else left)


@pytest.mark.parametrize("late", ["projection", "delay"])
def test_a_constant_that_begins_late_stays_where_it_is(late: str) -> None:
    x = InputOp("x", SignalType.current(2))
    bias = TensorAttr.of("b", np.array([1.0, 2.0]))
    norm = ScaleOp(x, FloatAttr(0.5, 64), SignalType.current(2), bias=bias)
    ops: list[Operation] = [x, norm]
    value: SSAValue = norm.current
    if late == "delay":
        ops.append(delay := DelayOp(value, 2))
        value = delay.late
    weights = TensorAttr.of("w", np.array([[1.0, -1.0]]))
    ops.append(dense := DenseOp(value, weights, SignalType.current(1), delay=2 * (late == "projection")))
    ops.append(OutputOp("y", dense))
    module = _network(*ops, steps=4)
    data = {"x": np.random.default_rng(6).normal(size=(2, 4, 2))}
    before = outputs_of(module, data)
    assert (before["y"][:, 0] == 0).all() and (before["y"][:, 3] != 0).all()
    SNNFold().apply(CONTEXT, module)
    assert_close(outputs_of(module, data), before)


def test_integer_weights_take_factors_into_their_scale() -> None:
    weights = np.array([[1, -2], [3, 0]], np.int8)
    x = InputOp("x", SignalType.spikes(2))
    dense = DenseOp(x, TensorAttr.of("w", weights), SignalType.current(2), scale=FloatAttr(0.5, 64))
    norm = ScaleOp(dense, TensorAttr.of("f", np.array([2.0, 4.0])), SignalType.current(2))
    module = _network(x, dense, norm, OutputOp("y", norm))
    SNNFold().apply(CONTEXT, module)
    (folded,) = _ops(module, DenseOp)
    assert isinstance(folded, DenseOp) and isinstance(folded.weights, TensorAttr)
    np.testing.assert_array_equal(folded.weights.array, weights)
    assert isinstance(folded.scale, TensorAttr)
    np.testing.assert_array_equal(folded.scale.array, [1.0, 2.0])
