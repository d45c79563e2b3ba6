"""Operator by operator against onnxruntime: weights, arithmetic, activations."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import Shape, check, floats, model, node

OPSETS = [7, 9, 11, 12, 13, 18, 21]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "pads", "groups"),
    list(itertools.product((1, 3), (1, 2), (1, 2), ([0, 0, 0, 0], [1, 0, 2, 1]), (1, 2))),
)
def test_conv(path: Path, kernel: int, stride: int, dilation: int, pads: list[int], groups: int) -> None:
    attributes: dict[str, Any] = {"strides": [stride, 1], "dilations": [dilation] * 2, "pads": pads, "group": groups}
    weights = {"w": floats(6, 4 // groups, kernel, kernel), "b": floats(6)}
    check(path, model([node("Conv", "x w b", "y", **attributes)], {"x": ["N", 4, 9, 8]}, weights))


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 3, 9, 8), (1, 3, 9)], ids=["2d", "1d"])
def test_conv_that_pads_itself(path: Path, auto_pad: str, stride: int, shape: tuple[int, ...]) -> None:
    n = len(shape) - 2
    weights = {"w": floats(4, 3, *(3, 2)[:n])}
    check(path, model([node("Conv", "x w", "y", strides=[stride] * n, auto_pad=auto_pad)], {"x": shape}, weights))


@pytest.mark.parametrize(("turned", "alpha", "beta"), list(itertools.product((0, 1), (1.0, 0.5), (1.0, 2.0))))
@pytest.mark.parametrize("bias", [None, (), (4,), (1, 4), (1, 1)], ids=str)
def test_gemm(path: Path, turned: int, alpha: float, beta: float, bias: tuple[int, ...] | None) -> None:
    weights = {"w": floats(4, 6) if turned else floats(6, 4)}
    if bias is not None:
        weights["c"] = floats(*bias)
    made = node("Gemm", "x w" if bias is None else "x w c", "y", transB=turned, alpha=alpha, beta=beta)
    check(path, model([made], {"x": ["N", 6]}, weights, opset=11))


@pytest.mark.parametrize(("turned_a", "turned_b"), list(itertools.product((0, 1), (0, 1))))
def test_gemm_of_several_rows_and_of_a_constant_on_the_left(path: Path, turned_a: int, turned_b: int) -> None:
    rows = [node("Reshape", "x s", "r"), node("Gemm", "r w c", "y", transA=turned_a, transB=turned_b)]
    weights = {"w": floats(5, 4) if turned_b else floats(4, 5), "c": floats(3, 5)}
    check(path, model(rows, {"x": [1, 12]}, {**weights, "s": np.array([4, 3] if turned_a else [3, 4])}))
    left = [node("Gemm", "w x", "y", transA=turned_a, transB=turned_b)]
    size = 6 if turned_b else 1
    check(path, model(left, {"x": [1, 6]}, {"w": floats(size, 4) if turned_a else floats(4, size)}))


def test_gemm_with_a_residual(path: Path) -> None:
    check(path, model([node("Gemm", "x w x", "y", beta=0.5)], {"x": [1, 6]}, {"w": floats(6, 6)}))


RIGHT: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((1, 5), (5, 3)),
    ((1, 2, 5), (5, 3)),
    ((1, 2, 4, 5), (5, 3)),
    ((5,), (5, 3)),
    ((1, 5), (5,)),
    ((1, 2, 5), (5,)),
    ((1, 2, 5), (1, 5, 3)),
]
LEFT: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3, 5), (1, 5, 2)),
    ((5,), (1, 5, 2)),
    ((3, 5), (5,)),
    ((4, 1), (1, 6)),
    ((1, 3, 5), (1, 5, 2)),
]


@pytest.mark.parametrize(("shape", "weights"), RIGHT, ids=str)
def test_mat_mul_and_add(path: Path, shape: tuple[int, ...], weights: tuple[int, ...]) -> None:
    matrix = floats(*weights)
    bias = floats(weights[-1] if len(weights) > 1 else 1)
    nodes = [node("MatMul", "x w", "h"), node("Add", "h b", "y")]
    check(path, model(nodes, {"x": shape}, {"w": matrix, "b": bias}))


@pytest.mark.parametrize(("weights", "shape"), LEFT, ids=str)
def test_mat_mul_with_the_constant_on_the_left(path: Path, weights: tuple[int, ...], shape: tuple[int, ...]) -> None:
    check(path, model([node("MatMul", "w x", "y")], {"x": shape}, {"w": floats(*weights)}))


ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("Relu", {}),
    ("LeakyRelu", {}),
    ("LeakyRelu", {"alpha": 0.3}),
    ("Elu", {}),
    ("Elu", {"alpha": 0.5}),
    ("Selu", {}),
    ("Selu", {"alpha": 1.0, "gamma": 2.0}),
    ("Sigmoid", {}),
    ("Tanh", {}),
    ("Softplus", {}),
    ("HardSigmoid", {"alpha": 0.3, "beta": 0.1}),
    ("HardSigmoid", {}),
    ("Neg", {}),
    ("Identity", {}),
    ("Dropout", {}),
]


@pytest.mark.parametrize(("op", "attributes"), ACTIVATIONS, ids=str)
@pytest.mark.parametrize("opset", [7, 13, 21])
def test_activations(path: Path, op: str, attributes: dict[str, Any], opset: int) -> None:
    shapes: list[Shape] = [[1, 5], ["N", 2, 3, 4], [4]]
    for shape in shapes:
        check(path, model([node(op, "x", "y", **attributes)], {"x": shape}, opset=opset))


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axis", [None, 1, 2, 3, -1, -2], ids=str)
def test_softmax(path: Path, opset: int, axis: int | None) -> None:
    """Before opset 13 along everything from the axis on, then along one axis, also of what was transposed."""
    if opset < 11 and axis is not None and axis < 0:
        pytest.skip("opsets before 11 count axes from the first")
    attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
    check(path, model([node("Softmax", "x", "y", **attributes)], {"x": [1, 2, 3, 4]}, opset=opset))
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Softmax", "t", "y", **attributes)]
    check(path, model(nodes, {"x": [1, 2, 3, 4]}, opset=opset))


@pytest.mark.parametrize("opset", [7, 11, 13, 21])
@pytest.mark.parametrize("limits", [(-0.5, 0.5), (0.0, None), (None, 0.3), (0.0, 6.0), (None, None)], ids=str)
def test_clip(path: Path, opset: int, limits: tuple[float | None, float | None]) -> None:
    given: dict[str, Any] = {
        name: value for name, value in zip(("min", "max"), limits, strict=True) if value is not None
    }
    if opset < 11:
        made = model([node("Clip", "x", "y", **given)], {"x": [1, 5]}, opset=opset)
    else:
        names = " ".join(name if name in given else "-" for name in ("min", "max"))
        weights = {name: np.float32(value) for name, value in given.items()}
        made = model([node("Clip", f"x {names}", "y")], {"x": [1, 5]}, weights, opset=opset)  # pyright: ignore[reportArgumentType]
    check(path, made)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("shape", [(), (3, 1, 1), (1, 3, 4, 5), (5,), (1, 1, 1, 5), (4, 1)], ids=str)
def test_arithmetic_with_constants(path: Path, op: str, shape: tuple[int, ...]) -> None:
    """By itself, from the left, behind a convolution (of which it becomes a part), and with another reader of that."""
    weights = {"c": np.asarray(floats(*shape)), "w": floats(3, 3, 1, 1), "b": floats(3)}
    image: dict[str, Shape] = {"x": [1, 3, 4, 5]}
    conv = node("Conv", "x w b", "h")
    check(path, model([node(op, "x c", "y")], image, weights))
    if op != "Div":
        check(path, model([node(op, "c x", "y")], image, weights))
    check(path, model([conv, node(op, "h c", "y")], image, weights))
    check(path, model([conv, node(op, "h c", "i"), node("Relu", "i", "j"), node("Add", "j h", "y")], image, weights))


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul"])
def test_arithmetic_of_signals(path: Path, op: str) -> None:
    check(path, model([node(op, "x x", "y")], {"x": [1, 3]}))
    check(path, model([node(op, "x z", "y")], {"x": [1, 3, 2], "z": [1, 1, 2]}))
    check(path, model([node(op, "x c", "y")], {"x": [1, 3, 1]}, {"c": floats(1, 1, 4)}))


def test_sum(path: Path) -> None:
    check(path, model([node("Sum", "x z x c", "y")], {"x": [1, 3, 2], "z": [1, 1, 2]}, {"c": floats(3, 2)}))


def test_a_residual_block(path: Path) -> None:
    nodes = [
        node("Conv", "x w", "a", pads=[1, 1, 1, 1]),
        node("Relu", "a", "b"),
        node("Conv", "b w", "c", pads=[1, 1, 1, 1]),
        node("Add", "c x", "d"),
        node("Relu", "d", "y"),
    ]
    check(path, model(nodes, {"x": [1, 3, 5, 5]}, {"w": floats(3, 3, 3, 3)}))


def test_products_of_signals_are_squares(path: Path) -> None:
    swish = [node("Sigmoid", "x", "s"), node("Mul", "x s", "y")]
    net = check(path, model(swish, {"x": [1, 3, 2]}))
    assert [op.MODEL for op in net.populations.values()] == ["sigmoid", "square", "square"]
    excitation = [node("GlobalAveragePool", "x", "g"), node("Sigmoid", "g", "s"), node("Mul", "x s", "y")]
    check(path, model(excitation, {"x": [1, 3, 2, 2]}))
    net = check(path, model([node("Pow", "x c", "y")], {"x": [1, 3]}, {"c": np.array(2.0, np.float32)}))
    assert [op.MODEL for op in net.populations.values()] == ["square"]


NORM = {"s": floats(3), "b": floats(3), "m": floats(3), "v": np.abs(floats(3)) + np.float32(0.1)}


@pytest.mark.parametrize("opset", [7, 9, 14, 21])
def test_batch_normalization(path: Path, opset: int) -> None:
    norm = node("BatchNormalization", "h s b m v", "y", epsilon=1e-3)
    shapes: list[Shape] = [[1, 3, 4, 5], ["N", 3], [1, 3, 6]]
    for shape in shapes:
        alone = node("BatchNormalization", "x s b m v", "y")
        check(path, model([alone], {"x": shape}, NORM, opset=opset))
    image: dict[str, Shape] = {"x": [1, 2, 5, 5]}
    kernel = {**NORM, "w": floats(3, 2, 3, 3), "c": floats(3)}
    for conv in ("x w", "x w c"):
        net = check(path, model([node("Conv", conv, "h"), norm], image, kernel, opset=opset))
        assert [op.name for op in net.network.body.block.ops] == ["snn.input", "snn.conv2d", "snn.output"]
    matrix = {**NORM, "w": floats(4, 3)}
    check(path, model([node("MatMul", "x w", "h"), norm], {"x": [1, 4]}, matrix, opset=opset))


@pytest.mark.parametrize("opset", [7, 9, 16])
def test_p_relu(path: Path, opset: int) -> None:
    check(path, model([node("PRelu", "x s", "y")], {"x": [1, 3, 4]}, {"s": np.abs(floats(3, 1))}, opset=opset))


def test_casts(path: Path) -> None:
    nodes = [node("Cast", "x", "h", to=1), node("MatMul", "h w", "y")]
    check(path, model(nodes, {"x": [1, 4]}, {"w": floats(4, 3)}))
