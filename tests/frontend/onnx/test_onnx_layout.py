"""What only rearranges, against onnxruntime; most of it costs nothing in the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import Array, check, floats, model, node, numpy_helper

from snnir.api import Net

OPSETS = [7, 9, 11, 13, 18, 21]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def ops(net: Net) -> list[str]:
    """The ops of a program between its inputs and outputs."""
    return [op.name.removeprefix("snn.") for op in net.network.body.block.ops][1:-1]


def with_axes(op: str, axes: list[int], opset: int) -> tuple[Any, dict[str, Array]]:
    """A Squeeze or an Unsqueeze with axes as they are given in an opset."""
    if opset < 13:
        return node(op, "x", "y", axes=axes), {}
    return node(op, "x a", "y"), {"a": np.array(axes)}


@pytest.mark.parametrize("opset", OPSETS)
def test_transpose(path: Path, opset: int) -> None:
    turned = node("Transpose", "x", "t", perm=[0, 2, 3, 1])
    image = {"x": [1, 2, 3, 4]}
    check(path, model([node("Transpose", "x", "y", perm=[0, 2, 3, 1])], image, opset=opset))
    check(path, model([turned, node("Relu", "t", "u"), node("Add", "u t", "y")], image, opset=opset))
    dense = [turned, node("Flatten", "t", "u"), node("Gemm", "u w b", "y")]
    net = check(path, model(dense, image, {"w": floats(24, 5), "b": floats(5)}, opset=opset))
    assert ops(net) == ["flatten", "dense"]


def test_an_export_of_keras(path: Path) -> None:
    """Channels last at both ends: one slice before the first convolution, and a permuted matrix."""
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a k", "b"),
        node("Relu", "b", "c"),
        node("Transpose", "c", "d", perm=[0, 2, 3, 1]),
        node("Reshape", "d s", "e"),
        node("MatMul", "e w", "f"),
        node("Add", "f v", "g"),
        node("Softmax", "g", "y"),
    ]
    weights = {"k": floats(4, 3, 2, 2), "s": np.array([-1, 48]), "w": floats(48, 5), "v": floats(5)}
    net = check(path, model(nodes, {"x": ["N", 4, 5, 3]}, weights))
    assert ops(net) == ["slice", "conv2d", "relu", "flatten", "dense", "softmax"]


@pytest.mark.parametrize("opset", OPSETS)
def test_shapes_only(path: Path, opset: int) -> None:
    for axis in (0, 1, 2, 3, 4, *((-1,) if opset >= 11 else ())):
        check(path, model([node("Flatten", "x", "y", axis=axis)], {"x": [1, 2, 3, 4]}, opset=opset))
    for target in ([1, -1], [0, -1], [-1, 4, 3], [2, 12], [0, 0, -1]):
        weights = {"s": np.array(target)}
        check(path, model([node("Reshape", "x s", "y")], {"x": [1, 6, 1, 4]}, weights, opset=opset))
    made, weights = with_axes("Squeeze", [2], opset)
    check(path, model([made], {"x": [1, 2, 1, 4]}, weights, opset=opset))
    check(path, model([node("Squeeze", "x", "y")], {"x": [1, 2, 1, 4]}, opset=opset))
    made, weights = with_axes("Unsqueeze", [1, 3], opset)
    assert ops(check(path, model([made], {"x": [1, 2]}, weights, opset=opset))) == ["slice"]


@pytest.mark.parametrize("opset", OPSETS)
def test_selections(path: Path, opset: int) -> None:
    table = {"x": [1, 4, 5]}
    if opset < 10:
        made = model([node("Slice", "x", "y", axes=[1, 2], starts=[1, 0], ends=[3, -1])], table, opset=opset)
    else:
        numbers = {"s": np.array([3, 0]), "e": np.array([-9, 4]), "a": np.array([1, 2]), "t": np.array([-1, 2])}
        made = model([node("Slice", "x s e a t", "y")], table, numbers, opset=opset)
    check(path, made)
    check(path, model([node("Gather", "x i", "y", axis=1)], table, {"i": np.array([2, 0, 2])}, opset=opset))
    check(path, model([node("Tile", "x r", "y")], {"x": [1, 2, 3]}, {"r": np.array([1, 2, 2])}, opset=opset))
    check(path, model([node("DepthToSpace", "x", "y", blocksize=2)], {"x": [1, 8, 2, 3]}, opset=opset))
    check(path, model([node("SpaceToDepth", "x", "y", blocksize=2)], {"x": [1, 2, 4, 6]}, opset=opset))
    if opset >= 8:
        check(path, model([node("Expand", "x r", "y")], {"x": [1, 2, 1]}, {"r": np.array([1, 2, 4])}, opset=opset))


@pytest.mark.parametrize("opset", OPSETS)
def test_parts_put_together_again(path: Path, opset: int) -> None:
    table = {"x": [1, 4, 5]}
    if opset < 13:
        split, weights = node("Split", "x", "a b", axis=1, split=[1, 3]), {}
    else:
        split, weights = node("Split", "x s", "a b", axis=1), {"s": np.array([1, 3])}
    nodes = [split, node("Relu", "a", "c"), node("Concat", "b c", "y", axis=1)]
    check(path, model(nodes, table, weights, opset=opset))
    halves: dict[str, Any] = {} if opset < 18 else {"num_outputs": 2}
    shuffled = [node("Split", "x", "a b", axis=1, **halves), node("Concat", "b a", "y", axis=1)]
    assert ops(check(path, model(shuffled, table, opset=opset))) == ["slice"]


def test_both_parts_of_a_split_read_one_convolution(path: Path) -> None:
    """What is added to one part must not change the other."""
    nodes = [
        node("Conv", "x w", "h"),
        node("Split", "h s", "a b", axis=1),
        node("Add", "a c", "d"),
        node("Concat", "d b", "y", axis=1),
    ]
    weights = {"w": floats(4, 2, 1, 1), "s": np.array([4, 0]), "c": floats(4, 1, 1)}
    nodes[1] = node("Split", "h t", "a b", axis=1)
    check(path, model(nodes, {"x": [1, 2, 3, 3]}, {**weights, "t": np.array([2, 2]), "c": floats(2, 1, 1)}))


def test_concat_of_signals_and_constants(path: Path) -> None:
    nodes = [node("Relu", "x", "h"), node("Sigmoid", "x", "i"), node("Concat", "h i x c", "y", axis=1)]
    check(path, model(nodes, {"x": [1, 2, 4]}, {"c": floats(1, 1, 4)}))
    check(path, model([node("Relu", "x", "h"), node("Concat", "h x", "y", axis=2)], {"x": [1, 2, 4]}))


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_pad(path: Path, opset: int, mode: str, value: float) -> None:
    pads = [0, 0, 1, 0, 0, 0, 2, 1]
    if opset < 11:
        made = model([node("Pad", "x", "y", pads=pads, mode=mode, value=value)], {"x": [1, 2, 4, 5]}, opset=opset)
    else:
        weights = {"p": np.array(pads), "v": np.array(value, np.float32)}
        made = model([node("Pad", "x p v", "y", mode=mode)], {"x": [1, 2, 4, 5]}, weights, opset=opset)
    check(path, made)


def test_pads_become_padding_of_a_convolution(path: Path) -> None:
    nodes = [node("Pad", "x p", "h"), node("Conv", "h w b", "y", pads=[1, 0, 0, 1])]
    weights = {"p": np.array([0, 0, 1, 0, 0, 0, 2, 1]), "w": floats(3, 2, 3, 3), "b": floats(3)}
    assert ops(check(path, model(nodes, {"x": [1, 2, 4, 5]}, weights))) == ["conv2d"]
    channels = {**weights, "p": np.array([0, 1, 0, 0, 0, 0, 0, 0])}
    assert ops(check(path, model(nodes, {"x": [1, 1, 4, 5]}, channels))) == ["sparse", "conv2d"]
    cut = {"p": np.array([0, 0, -1, 0, 0, 0, 2, -1])}
    check(path, model([node("Pad", "x p", "y")], {"x": [1, 2, 4, 5]}, cut))
    named = {"p": np.array([1, 2]), "a": np.array([-1])}
    check(path, model([node("Pad", "x p - a", "y")], {"x": [1, 2, 4, 5]}, named, opset=18))
    pool = [node("Pad", "x p", "h"), node("MaxPool", "h", "y", kernel_shape=[3, 3])]
    check(path, model(pool, {"x": [1, 2, 4, 5]}, {"p": np.array([0, 0, 1, 0, 0, 0, 2, 1])}))


@pytest.mark.parametrize("opset", [9, 13, 21])
def test_constants_are_computed_beforehand(path: Path, opset: int) -> None:
    """Shapes that exporters compute, and weights that are made of others."""
    if opset < 13:
        unsqueeze, axes = node("Unsqueeze", "b", "u", axes=[0]), {}
    else:
        unsqueeze, axes = node("Unsqueeze", "b a", "u"), {"a": np.array([0])}
    shape = [
        node("Shape", "x", "s"),
        node("Gather", "s i", "b", axis=0),
        unsqueeze,
        node("Concat", "u m", "t", axis=0),
        node("Reshape", "x t", "y"),
    ]
    check(path, model(shape, {"x": ["N", 2, 4]}, {"i": np.array(0), "m": np.array([-1]), **axes}, opset=opset))
    half = numpy_helper.from_array(np.array([0.5], np.float32))
    added = [node("Shape", "x", "s"), node("ConstantOfShape", "s", "z", value=half), node("Add", "x z", "y")]
    check(path, model(added, {"x": ["N", 2, 4]}, opset=opset))
    turned = [node("Transpose", "w", "t", perm=[1, 0]), node("Mul", "t t", "u"), node("MatMul", "x u", "y")]
    assert ops(check(path, model(turned, {"x": [1, 4]}, {"w": floats(3, 4)}, opset=opset))) == ["dense"]


@pytest.mark.parametrize("opset", [10, 13, 19, 21])
def test_quantised_weights_are_computed_beforehand(path: Path, opset: int) -> None:
    nodes = [node("DequantizeLinear", "q s z", "w"), node("MatMul", "x w", "y")]
    numbers = np.arange(-6, 6, dtype=np.int8).reshape(4, 3)
    weights: dict[str, Array] = {"q": numbers, "s": np.array(0.5, np.float32), "z": np.array(1, np.int8)}
    check(path, model(nodes, {"x": [1, 4]}, weights, opset=opset), optimised=False)
