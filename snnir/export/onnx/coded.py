"""Networks whose signals are codes, as float64 arithmetic that gives the same codes.

The order of operations is that of the simulator: the whole-number sums of all projections of a population, then their
scale, then the sum of their biases, then the code. Whole numbers below 2**53 are exact in float64. Convolutions, which
onnxruntime has for float32 alone, are left to it while their sums stay below 2**24, and are matrices where they do not.
Signals are (samples, neurons) here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from xdsl.ir import SSAValue

from snnir.dialects.attributes import value_of
from snnir.dialects.snn import (
    ActivationOp,
    AddOp,
    AvgPoolOp,
    ConvOp,
    DenseOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SumPoolOp,
    WeightedOp,
)
from snnir.export.onnx.activations import activated, coded
from snnir.export.onnx.graph import Graph
from snnir.export.onnx.matrices import matrix_of, raw_weights, shape_of
from snnir.export.onnx.real import padded, windows_of
from snnir.semantics import Value

SINGLE = 1 << 24
"""Whole numbers up to this are exact in float32."""


@dataclass(frozen=True)
class _Term:
    """What a projection adds: a sum, and what it is multiplied by."""

    total: str
    scale: Value = 1.0
    bias: Value = 0.0


class CodedLowering:
    """Nodes of one program."""

    def __init__(self, graph: Graph, path: Path) -> None:
        self._graph, self._path = graph, path
        self._made: dict[SSAValue, str] = {}
        self._most: dict[SSAValue, int] = {}
        """The largest code, where signals are codes."""

    def given(self, value: SSAValue, name: str) -> None:
        """An input of the graph; its values become codes where it is coded."""
        op = value.owner
        assert isinstance(op, InputOp)
        found = self._flat(name, shape_of(value), f"{name}.flat")
        if op.coding is not None:
            found = coded(self._graph, found, op.coding, (op.size,), name)
            self._most[value] = max(abs(op.coding.least), op.coding.most)
        self._made[value] = found

    def signal(self, value: SSAValue) -> str:
        """The name of a signal."""
        if value not in self._made:
            self._made[value] = self._of(value)
        return self._made[value]

    def _of(self, value: SSAValue) -> str:
        op, graph = value.owner, self._graph
        match op:
            case ActivationOp():
                name, shape = op.sym_name.data, (op.size,)
                total = self._total(op.inputs, name) if op.inputs else graph.zeros(shape, name)
                found = activated(graph, op, total, shape, self._path)
                if op.coding is None:
                    return found
                self._most[value] = max(abs(op.coding.least), op.coding.most)
                return coded(graph, found, op.coding, shape, name)
            case FlattenOp():
                found = self.signal(op.source)
                self._inherit(value, op.source)
                return found
            case SliceOp():
                name = value.name_hint or "slice"
                indices = graph.constant(f"{name}.indices", op.indices.data.array, np.int64)
                found = graph.node("Gather", [self.signal(op.source), indices], name, axis=1)
                self._inherit(value, op.source)
                return found
            case MaxPoolOp():
                found = self._pooled(op, value.name_hint or "max_pool")
                self._inherit(value, op.source)
                return found
            case _:
                return self._total([value], value.name_hint or "current")

    def _inherit(self, value: SSAValue, source: SSAValue) -> None:
        if source in self._most:
            self._most[value] = self._most[source]

    # --- sums, in the order of the simulator

    def _total(self, values: Iterable[SSAValue], name: str) -> str:
        """The sum of signals: scale times the sum of the projections, plus the sum of the biases."""
        graph = self._graph
        terms = [term for value in values for term in self._terms(value, name)]
        shared = all(np.array_equal(np.asarray(t.scale), np.asarray(terms[0].scale)) for t in terms)
        parts = [t.total if shared else self._scaled(t.total, t.scale, f"{name}.scaled") for t in terms]
        found = parts[0]
        for part in parts[1:]:
            found = graph.node("Add", [found, part], f"{name}.sum")
        if shared:
            found = self._scaled(found, terms[0].scale, f"{name}.scaled")
        bias: Value = sum((t.bias for t in terms), start=0.0)
        if np.any(bias):
            found = graph.node("Add", [found, graph.constant(f"{name}.bias", bias)], f"{name}.current")
        return found

    def _scaled(self, value: str, scale: Value, name: str) -> str:
        if not np.any(np.asarray(scale) != 1.0):
            return value
        return self._graph.node("Mul", [value, self._graph.constant(f"{name}.scale", scale)], name)

    def _terms(self, value: SSAValue, name: str) -> list[_Term]:
        op = value.owner
        match op:
            case AddOp():
                return [term for part in op.inputs for term in self._terms(part, name)]
            case FlattenOp():
                return self._terms(op.source, name)
            case PoolOp():
                return [_Term(self.signal(value) if isinstance(op, MaxPoolOp) else self._pooled(op, f"{name}.pool"))]
            case WeightedOp():
                size = op.current_type.size
                scale, bias = (
                    (1.0 if op.scale is None else value_of(op.scale)),
                    (0.0 if op.bias is None else value_of(op.bias)),
                )
                spread = [_of_all(op.spread(each), size) for each in (scale, bias)]
                return [_Term(self._product(op, value.name_hint or f"{name}.product"), *spread)]
            case _:
                return [_Term(self.signal(value))]

    # --- products

    def _product(self, op: WeightedOp, name: str) -> str:
        """What a projection adds, before its scale and its bias."""
        graph, weights, source = self._graph, raw_weights(op), self.signal(op.source)
        if isinstance(op, ScaleOp):
            return graph.node(
                "Mul", [source, graph.constant(f"{name}.factor", weights.ravel() if weights.ndim else weights)], name
            )
        if isinstance(op, ConvOp) and self._fits(op.source, weights):
            image = self._single(op.source, source, name)
            stored = graph.constant(f"{name}.weight", weights, np.float32)
            return self._double(graph.node("Conv", [image, stored], f"{name}.planes", **windows_of(op)), name)
        if isinstance(op, DenseOp):
            return self._dense(op, weights, source, name)
        stored = graph.constant(f"{name}.weight", matrix_of(op, weights, self._path).T)
        return graph.node("MatMul", [source, stored], name)

    def _dense(
        self, op: DenseOp, weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]], source: str, name: str
    ) -> str:
        graph, stored = self._graph, self._graph.constant(f"{name}.weight", weights.T)
        if op.repeat == 1:
            return graph.node("MatMul", [source, stored], name)
        apart = self._shaped(source, (op.repeat, weights.shape[1]), f"{name}.rows")
        return self._shaped(graph.node("MatMul", [apart, stored], f"{name}.each"), (op.current_type.size,), name)

    def _pooled(self, op: PoolOp, name: str) -> str:
        graph, source, kernel = self._graph, self.signal(op.source), op.kernel.data
        sizes = {"kernel_shape": list(kernel), "strides": list(op.stride.data)}
        shape = shape_of(op.source)
        if isinstance(op, MaxPoolOp):
            image = padded(graph, op, self._shaped(source, shape, f"{name}.image"), name)
            planes = graph.node("MaxPool", [image], f"{name}.planes", **sizes)
            return self._shaped(planes, (prod(shape_of(op.pooled)),), name)
        if self._fits(op.source, np.ones((shape[0], 1, *kernel))):
            image = self._single(op.source, source, name)
            ones = graph.constant(f"{name}.ones", np.ones((shape[0], 1, *kernel)), np.float32)
            pads = [*op.padding_low.data, *op.padding_high.data]
            planes = graph.node("Conv", [image, ones], f"{name}.planes", group=shape[0], pads=pads, **sizes)
            found = self._double(planes, f"{name}.sum")
        else:
            stored = graph.constant(f"{name}.ones", matrix_of(op, np.ones(()), self._path).T)
            found = graph.node("MatMul", [source, stored], f"{name}.sum")
        if isinstance(op, AvgPoolOp):
            return graph.node("Div", [found, graph.constant(f"{name}.places", float(prod(kernel)))], name)
        assert isinstance(op, SumPoolOp)
        return found

    def _fits(self, source: SSAValue, weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
        """Whether all sums are whole numbers that float32 holds."""
        if source not in self._most or (weights != np.rint(weights)).any():
            return False
        sums = np.abs(weights).reshape(len(weights), -1).sum(axis=1)
        return float(sums.max(initial=0.0)) * self._most[source] <= SINGLE

    def _single(self, value: SSAValue, source: str, name: str) -> str:
        image = self._shaped(source, shape_of(value), f"{name}.image")
        return self._graph.cast(image, np.float32, f"{name}.single")

    def _double(self, planes: str, name: str) -> str:
        return self._flat(self._graph.cast(planes, np.float64, f"{name}.double"), (1, 1), name)

    def _shaped(self, value: str, shape: Sequence[int], name: str) -> str:
        return self._graph.node("Reshape", [value, self._graph.constant("shape", (0, *shape), np.int64)], name)

    def _flat(self, value: str, shape: Sequence[int], name: str) -> str:
        return value if len(shape) == 1 else self._graph.node("Flatten", [value], name, axis=1)

    def shaped(self, value: SSAValue) -> str:
        """A signal in the shape that it has in the program."""
        shape, found = shape_of(value), self.signal(value)
        return found if len(shape) == 1 else self._shaped(found, shape, f"{found}.shaped")


def _of_all(value: Value, size: int) -> Value:
    """A number, or an array with an entry for each neuron."""
    return np.broadcast_to(value, (size,)).astype(np.float64) if np.ndim(value) else value
