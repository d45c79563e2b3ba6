"""Ordinary networks of real numbers as ONNX has them: an operator for each op, in float32."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
from xdsl.ir import Operation, SSAValue

from snnir.dialects.snn import (
    ActivationOp,
    AddOp,
    AvgPoolOp,
    ConvOp,
    DenseOp,
    FlattenOp,
    MaxPoolOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    WeightedOp,
)
from snnir.export.onnx.activations import activated
from snnir.export.onnx.graph import Array, Graph
from snnir.export.onnx.matrices import matrix_of, shape_of, weights_of


class RealLowering:
    """Nodes of one program. Signals have the shapes that they have in the program."""

    def __init__(self, graph: Graph, path: Path) -> None:
        self._graph, self._path = graph, path
        self._made: dict[SSAValue, str] = {}

    def given(self, value: SSAValue, name: str) -> None:
        """An input of the graph."""
        self._made[value] = name

    def signal(self, value: SSAValue) -> str:
        """The name of a signal whose operands have been made."""
        if value not in self._made:
            assert isinstance(value.owner, Operation)
            self._made[value] = self._of(value.owner, value.name_hint or value.owner.name.removeprefix("snn."))
        return self._made[value]

    def _of(self, op: Operation, name: str) -> str:
        graph = self._graph
        match op:
            case ActivationOp():
                own, shape = op.sym_name.data, shape_of(op.signal)
                total = self._sum(op.inputs, f"{own}.sum") if op.inputs else graph.zeros(shape, own)
                return activated(graph, op, total, shape, self._path)
            case AddOp():
                return self._sum(op.inputs, name)
            case FlattenOp():
                return self._shaped(self.signal(op.source), shape_of(op.source), shape_of(op.flat), name)
            case SliceOp():
                flat = self._shaped(
                    self.signal(op.source), shape_of(op.source), (prod(shape_of(op.source)),), f"{name}.flat"
                )
                indices = graph.constant(f"{name}.indices", op.indices.data.array, np.int64)
                part = graph.node("Gather", [flat, indices], name, axis=1)
                return self._shaped(part, (len(op.indices.data),), shape_of(op.part), f"{name}.shaped")
            case PoolOp():
                return self._pool(op, name)
            case WeightedOp():
                return self._projection(op, name)
            case _:
                raise TypeError(f"{op.name} makes no signal")

    def _sum(self, values: Sequence[SSAValue], name: str) -> str:
        names = [self.signal(value) for value in values]
        return names[0] if len(names) == 1 else self._graph.node("Sum", names, name)

    def _shaped(self, value: str, before: tuple[int, ...], after: tuple[int, ...], name: str) -> str:
        if before == after:
            return value
        if len(after) == 1:
            return self._graph.node("Flatten", [value], name, axis=1)
        return self._graph.node("Reshape", [value, self._graph.constant("shape", (0, *after), np.int64)], name)

    def _projection(self, op: WeightedOp, name: str) -> str:
        graph, source, after = self._graph, self.signal(op.source), shape_of(op.current)
        weights = weights_of(op)
        bias = None if op.bias is None else op.bias.array.astype(np.float64).ravel()
        match op:
            case ConvOp():
                inputs = [source, graph.constant(f"{name}.weight", weights)]
                inputs += [] if bias is None else [graph.constant(f"{name}.bias", bias)]
                return graph.node("Conv", inputs, name, **windows_of(op))
            case ScaleOp():
                factor = weights if weights.size == 1 else weights.reshape(after)
                found = graph.node("Mul", [source, graph.constant(f"{name}.factor", factor)], name)
                return self._biased(found, None if bias is None else bias.reshape(after), name)
            case DenseOp() if op.on_last_dimension:
                found = graph.node("MatMul", [source, graph.constant(f"{name}.weight", weights.T)], name)
                return self._biased(found, bias, name)
            case _:
                matrix = weights if isinstance(op, DenseOp) else matrix_of(op, weights, self._path)
                before = shape_of(op.source)
                flat = self._shaped(source, before, (prod(before),), f"{name}.flat")
                inputs = [flat, graph.constant(f"{name}.weight", matrix)]
                inputs += [] if bias is None else [graph.constant(f"{name}.bias", bias)]
                found = graph.node("Gemm", inputs, name, transB=1)
                return self._shaped(found, (prod(after),), after, f"{name}.shaped")

    def _biased(self, value: str, bias: Array | None, name: str) -> str:
        if bias is None or not bias.any():
            return value
        return self._graph.node("Add", [value, self._graph.constant(f"{name}.bias", bias)], f"{name}.biased")

    def _pool(self, op: PoolOp, name: str) -> str:
        """Zeros around the planes take part, so they are there before the pool."""
        graph, source, kernel = self._graph, padded(self._graph, op, self.signal(op.source), name), op.kernel.data
        sizes = {"kernel_shape": list(kernel), "strides": list(op.stride.data)}
        if isinstance(op, MaxPoolOp | AvgPoolOp):
            return graph.node("MaxPool" if isinstance(op, MaxPoolOp) else "AveragePool", [source], name, **sizes)
        channels = shape_of(op.source)[0]
        ones = graph.constant(f"{name}.ones", np.ones((channels, 1, *kernel)))
        return graph.node("Conv", [source, ones], name, group=channels, **sizes)


def windows_of(op: ConvOp) -> dict[str, int | list[int]]:
    """How the kernel moves, as attributes."""
    return {
        "kernel_shape": list(shape_of_kernel(op)),
        "strides": list(op.stride.data),
        "pads": [*op.padding_low.data, *op.padding_high.data],
        "dilations": list(op.dilation.data),
        "group": op.groups.data,
    }


def shape_of_kernel(op: ConvOp) -> tuple[int, ...]:
    """The size of a kernel."""
    return weights_of(op).shape[2:]


def padded(graph: Graph, op: PoolOp, source: str, name: str) -> str:
    """The planes of a pool with the zeros around them."""
    low, high = op.padding_low.data, op.padding_high.data
    if not any((*low, *high)):
        return source
    pads = graph.constant(f"{name}.pads", (0, 0, *low, 0, 0, *high), np.int64)
    return graph.node("Pad", [source, pads, graph.constant("nothing", 0.0)], f"{name}.padded")
