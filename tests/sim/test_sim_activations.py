"""Ordinary networks: what activations emit, as reals and as codes, and what inputs bring as codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, IntegerType
from xdsl.ir import Block, Region

from snnir.activations import ACTIVATIONS, Coding, activate, span_of
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import ACTIVATION_OPS, DenseOp, InputOp, NetworkOp, OutputOp, ReluOp
from snnir.errors import SnnirError
from snnir.sim import simulate
from snnir.sim.entry import network_of
from snnir.sim.events import Events

Array = NDArray[Any]
X = np.linspace(-3.0, 3.0, 12).reshape(2, 1, 6)


def _reference(function: str, x: Array) -> Array:
    """The functions as ONNX writes them."""
    match function:
        case "relu":
            return np.where(x > 0, x, 0)
        case "clip":
            return np.clip(x, -0.5, 1.5)
        case "leaky_relu":
            return np.where(x < 0, 0.25 * x, x)
        case "elu":
            return np.where(x < 0, 0.5 * (np.exp(x) - 1), x)
        case "selu":
            return 1.25 * np.where(x < 0, 0.5 * (np.exp(x) - 1), x)
        case "sigmoid":
            return 1 / (1 + np.exp(-x))
        case "tanh":
            return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
        case "square":
            return x * x
        case "softplus":
            return np.log(1 + np.exp(x))
        case _:
            grouped = np.exp(x.reshape(*x.shape[:-1], 2, 3))
            return (grouped / grouped.sum(-1, keepdims=True)).reshape(x.shape)


PARAMETERS = {"low": -0.5, "high": 1.5, "slope": 0.25, "alpha": 0.5, "gamma": 1.25}


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_functions(function: str) -> None:
    x = InputOp("x", SignalType.current(2, 3))
    parameters = {name: FloatAttr(PARAMETERS[name], 64) for name in ACTIVATIONS[function]}
    h = ACTIVATION_OPS[function]("h", [x], SignalType.current(2, 3), parameters)
    network = NetworkOp("n", 1e-3, 1, Region(Block([x, h, OutputOp("y", h)])))
    network.verify()
    found = simulate(network_of(network), {"x": X})
    np.testing.assert_allclose(found["h"], _reference(function, X), rtol=1e-12, atol=1e-12)


def test_codes_are_weighted_as_whole_numbers() -> None:
    w = np.array([[1, -2, 3], [0, 5, -1]], np.int8)
    x = InputOp("x", SignalType(SignalType.current(3).shape, IntegerType(4)), FloatAttr(0.5, 64), FloatAttr(-1.0, 64))
    scale = FloatAttr(0.5, 64)
    c = DenseOp(x, TensorAttr.of("w", w), SignalType.current(2), scale=scale)
    steps = TensorAttr.of("s", np.array([0.25, 1.0]))
    h = ReluOp("h", [c], SignalType(SignalType.current(2).shape, IntegerType(5)), step=steps)
    network = NetworkOp("n", 1e-3, 1, Region(Block([x, c, h, OutputOp("y", h), OutputOp("c", c)])))
    network.verify()
    values = np.array([[[-1.0, 0.2, 9.0]], [[-2.0, 1.0, 0.74]]])
    found = simulate(network_of(network), {"x": values})
    codes = np.array([[[0, 2, 15]], [[0, 4, 3]]])  # (x + 1) / 0.5, halves upwards, from 0 to 15
    np.testing.assert_array_equal(found["x"], codes)
    currents = 0.5 * (codes @ w.T)
    np.testing.assert_array_equal(found["c"], currents)
    np.testing.assert_array_equal(found["h"], np.clip(np.floor(currents / [0.25, 1.0] + 0.5), 0, 31))
    assert found["h"].dtype == np.uint8 and found["h"].max() == 31


@given(
    bits=st.integers(1, 16),
    signed=st.booleans(),
    step=st.floats(1e-3, 1e3),
    zero=st.floats(-1e3, 1e3),
    share=st.floats(0, 1),
)
def test_the_nearest_code(bits: int, signed: bool, step: float, zero: float, share: float) -> None:
    least, most = span_of(bits, signed)
    coding = Coding(least, most, step, zero)
    value = float(coding.decode(np.array(least + share * (most - least))))
    q = coding.encode(np.array(value))
    assert least <= q <= most and q == np.rint(q)
    assert abs(float(coding.decode(q)) - value) <= step / 2 * (1 + 1e-9) + 1e-9 * (abs(value) + abs(zero))
    assert coding.encode(coding.decode(q)) == q
    assert coding.encode(np.array(zero + step * (most + 2.0))) == most


def test_silence_must_have_the_code_0() -> None:
    x = InputOp("x", SignalType(SignalType.current(3).shape, IntegerType(4)), FloatAttr(0.5, 64), FloatAttr(-1.0, 64))
    network = NetworkOp("n", 1e-3, 1, Region(Block([x, OutputOp("y", x)])))
    event = [np.zeros(1, np.int64)] * 3
    with pytest.raises(SnnirError, match="what is silent has a code other than 0"):
        simulate(network_of(network), {"x": Events.of((1, 1, 3), *event)})


def test_softmax_of_large_numbers() -> None:
    found = activate("softmax", np.array([1e4, 1e4, -1e4]), {})
    np.testing.assert_allclose(found, [0.5, 0.5, 0.0])
