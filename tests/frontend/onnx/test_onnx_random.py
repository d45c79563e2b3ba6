"""Random small networks against onnxruntime."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx_models import TOLERANCE, Array, difference, expected, feeds_of, model, node, save

import snnir

ACTIVATIONS = ["Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus"]


@dataclass
class Drawing:
    """A network that grows: nodes and weights so far, the tensor at its end and what shape it has without a batch."""

    draw: Any
    shape: tuple[int, ...]
    nodes: list[Any] = field(default_factory=list[Any])
    weights: dict[str, Array] = field(default_factory=dict[str, Array])
    end: str = "x"

    def number(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def weight(self, *shape: int) -> str:
        name = f"w{len(self.weights)}"
        random = np.random.default_rng(self.number(0, 1 << 20))
        self.weights[name] = np.asarray(random.normal(size=shape) / np.sqrt(max(shape, default=1)), np.float32)
        return name

    def then(self, op: str, *others: str, shape: tuple[int, ...] | None = None, **attributes: Any) -> None:
        name = f"t{len(self.nodes)}"
        self.nodes.append(node(op, " ".join([self.end, *others]), name, **attributes))
        self.end = name
        self.shape = self.shape if shape is None else shape

    def activation(self) -> None:
        self.then(self.draw(st.sampled_from(ACTIVATIONS)))

    def convolution(self) -> None:
        channels, *size = self.shape
        kernel = [self.number(1, min(3, n)) for n in size]
        stride = [self.number(1, 2) for _ in size]
        pads = [self.number(0, k - 1) for k in (*kernel, *kernel)]
        groups = self.draw(st.sampled_from([1, channels]))
        out = groups * self.number(1, 3)
        n = len(size)
        result = [
            (a + p + q - k) // s + 1 for a, p, q, k, s in zip(size, pads[:n], pads[n:], kernel, stride, strict=True)
        ]
        others = [self.weight(out, channels // groups, *kernel)]
        if self.draw(st.booleans()):
            others.append(self.weight(out))
        self.then("Conv", *others, shape=(out, *result), strides=stride, pads=pads, group=groups)

    def norm(self) -> None:
        parts = [self.weight(self.shape[0]) for _ in range(4)]
        self.weights[parts[3]] = np.abs(self.weights[parts[3]]) + np.float32(0.5)
        self.then("BatchNormalization", *parts)

    def pool(self) -> None:
        channels, *size = self.shape
        kernel = [self.number(1, min(3, n)) for n in size]
        pads = [self.number(0, k // 2) for k in (*kernel, *kernel)]
        n = len(size)
        result = [a + p + q - k + 1 for a, p, q, k in zip(size, pads[:n], pads[n:], kernel, strict=True)]
        op = self.draw(st.sampled_from(["MaxPool", "AveragePool"]))
        self.then(op, shape=(channels, *result), kernel_shape=kernel, pads=pads)

    def residual(self) -> None:
        before = self.end
        self.activation()
        self.then(self.draw(st.sampled_from(["Add", "Sub", "Mul"])), before)

    def arithmetic(self) -> None:
        op = self.draw(st.sampled_from(["Add", "Sub", "Mul"]))
        shape = self.draw(st.sampled_from([(), (self.shape[0], *(1,) * (len(self.shape) - 1)), self.shape]))
        self.then(op, self.weight(*shape))

    def turn(self) -> None:
        order: list[int] = self.draw(st.permutations(range(len(self.shape))))
        shape = tuple(self.shape[n] for n in order)
        self.then("Transpose", shape=shape, perm=[0, *(n + 1 for n in order)])

    def dense(self) -> None:
        size = int(np.prod(self.shape))
        self.then("Flatten", shape=(size,))
        out = self.number(1, 6)
        if self.draw(st.booleans()):
            self.then("Gemm", self.weight(out, size), self.weight(out), shape=(out,), transB=1)
        else:
            self.then("MatMul", self.weight(size, out), shape=(out,))


@st.composite
def networks(draw: st.DrawFn) -> Any:
    """A convolutional network of one or two dimensions with a dense end, or a dense one."""
    dimensions = draw(st.integers(0, 2))
    drawing = Drawing(draw, (draw(st.integers(1, 3)), *(draw(st.integers(3, 7)) for _ in range(dimensions))))
    shape = ["N", *drawing.shape]
    for _ in range(draw(st.integers(1, 5))):
        few = [drawing.activation, drawing.arithmetic, drawing.residual]
        more = [drawing.convolution, drawing.convolution, drawing.norm, drawing.pool, drawing.turn]
        draw(st.sampled_from(few + more if dimensions else [*few, drawing.dense]))()
    if draw(st.booleans()):
        drawing.dense()
    if draw(st.booleans()):
        drawing.then("Softmax")
    if drawing.end == "x":
        drawing.activation()
    drawing.nodes.append(node("Identity", drawing.end, "y"))
    return model(drawing.nodes, {"x": shape}, drawing.weights, opset=draw(st.sampled_from([9, 11, 13, 17, 21])))


@given(networks(), st.integers(0, 1000))
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_random_networks(made: Any, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / "model.onnx", made)
        net = snnir.load(path)
        feeds = feeds_of(net, 2, seed)
        assert difference(net, feeds, expected(path, feeds)) < TOLERANCE
