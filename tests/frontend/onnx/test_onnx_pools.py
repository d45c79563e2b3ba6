"""Pools, means and sums against onnxruntime."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import Shape, check, floats, model, node

IMAGE: dict[str, Shape] = {"x": [1, 3, 7, 6]}
WINDOWS = [
    (kernel, stride, pads)
    for kernel, stride, pads in itertools.product((2, 3), (1, 2, 3), ([0] * 4, [1] * 4, [1, 0, 0, 1]))
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


@pytest.mark.parametrize(("kernel", "stride", "pads"), WINDOWS, ids=str)
@pytest.mark.parametrize("ceil", [0, 1])
def test_pools_of_both_signs(path: Path, kernel: int, stride: int, pads: list[int], ceil: int) -> None:
    """Padding never is the largest, and counts in a mean or not."""
    window: dict[str, Any] = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": pads, "ceil_mode": ceil}
    check(path, model([node("MaxPool", "x", "y", **window)], IMAGE, opset=11))
    check(path, model([node("Relu", "x", "h"), node("MaxPool", "h", "y", **window)], IMAGE, opset=17))
    for counted in (0, 1):
        check(path, model([node("AveragePool", "x", "y", count_include_pad=counted, **window)], IMAGE, opset=19))


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_pools_that_pad_themselves(path: Path, op: str, auto_pad: str, stride: int) -> None:
    window: dict[str, Any] = {"kernel_shape": [3, 2], "strides": [stride] * 2, "auto_pad": auto_pad}
    for counted in (0, 1) if op == "AveragePool" else (None,):
        more: dict[str, Any] = {} if counted is None else {"count_include_pad": counted}
        check(path, model([node(op, "x", "y", **window, **more)], IMAGE, opset=7))


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pools_along_one_dimension_and_with_gaps(path: Path, op: str) -> None:
    line = node(op, "x", "y", kernel_shape=[3], strides=[2], pads=[1, 1])
    check(path, model([line], {"x": [1, 3, 7]}))
    gaps = node(op, "x", "y", kernel_shape=[3, 3], dilations=[2, 1], pads=[1, 1, 1, 1])
    check(path, model([gaps], {"x": [1, 3, 9, 7]}, opset=21))


def test_what_is_never_negative_needs_no_windows_side_by_side(path: Path) -> None:
    pool = node("MaxPool", "h", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    net = check(path, model([node("Relu", "x", "h"), pool], IMAGE))
    assert [op.name for op in net.network.body.block.ops] == ["snn.input", "snn.relu", "snn.max_pool", "snn.output"]
    net = check(path, model([node("Tanh", "x", "h"), pool], IMAGE))
    assert "snn.sparse" in [op.name for op in net.network.body.block.ops]


@pytest.mark.parametrize("shape", [(1, 3, 7, 6), (1, 3, 7)], ids=["2d", "1d"])
@pytest.mark.parametrize("op", ["GlobalMaxPool", "GlobalAveragePool"])
def test_global_pools(path: Path, op: str, shape: tuple[int, ...]) -> None:
    check(path, model([node(op, "x", "y")], {"x": shape}))


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceSum"])
@pytest.mark.parametrize("axes", [[2, 3], [-1], [1], [1, 2, 3]], ids=str)
@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("opset", [11, 13, 18])
def test_means_and_sums(path: Path, op: str, axes: list[int], kept: int, opset: int) -> None:
    if opset < (18 if op == "ReduceMean" else 13):
        made = model([node(op, "x", "y", axes=axes, keepdims=kept)], {"x": [1, 2, 4, 5]}, opset=opset)
    else:
        weights = {"a": np.array(axes)}
        made = model([node(op, "x a", "y", keepdims=kept)], {"x": [1, 2, 4, 5]}, weights, opset=opset)
    check(path, made)


def test_a_mean_of_three_dimensions(path: Path) -> None:
    check(path, model([node("GlobalAveragePool", "x", "y")], {"x": [1, 3, 3, 2, 2]}))


def test_pools_behind_a_permutation(path: Path) -> None:
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "c"),
        node("MaxPool", "c", "m", kernel_shape=[2, 2], pads=[1, 1, 1, 1]),
        node("Transpose", "m", "n", perm=[0, 2, 3, 1]),
        node("Transpose", "n", "o", perm=[0, 3, 1, 2]),
        node("AveragePool", "o", "y", kernel_shape=[2, 2]),
    ]
    check(path, model(nodes, {"x": [1, 6, 7, 2]}, {"w": floats(3, 2, 3, 3)}))
