"""Activations as nodes, and the codes that stand for their values."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snnir.activations import Coding
from snnir.dialects.snn import ActivationOp
from snnir.export.base import refusal, title
from snnir.export.onnx.graph import Graph
from snnir.semantics import Value

_KINDS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus", "relu": "Relu"}
_NUMBERS = {"elu": "Elu", "selu": "Selu", "leaky_relu": "LeakyRelu"}
"""Functions whose parameters are attributes: numbers."""
_ONNX_NAMES = {"slope": "alpha"}
_SINGLE = ("Elu", "Selu", "LeakyRelu", "PRelu", "Softplus")
"""What onnxruntime has for float32 only."""


def activated(graph: Graph, op: ActivationOp, value: str, shape: tuple[int, ...], path: Path) -> str:
    """The function of a signal whose samples have `shape`."""
    name, parameters = op.sym_name.data, op.parameters
    match op.MODEL:
        case "clip":
            return _clip(graph, value, parameters["low"], parameters["high"], shape, name)
        case "softmax":
            return _softmax(graph, op, value, shape)
        case "square":
            return graph.node("Mul", [value, value], name)
        case "leaky_relu" if np.ndim(parameters["slope"]):
            slope = np.reshape(np.asarray(parameters["slope"]), shape)
            return _single(graph, "PRelu", [value], name, slope)
        case model if model in _KINDS:
            return _single(graph, _KINDS[model], [value], name)
        case model:
            if any(np.ndim(each) for each in parameters.values()):
                message = f"ONNX has one {', '.join(parameters)} for all neurons, and those of {title(op)} differ"
                raise refusal(op, path, message, "write .mlir instead, or run snn-legalize")
            found = {_ONNX_NAMES.get(key, key): float(each) for key, each in parameters.items()}
            return _single(graph, _NUMBERS[model], [value], name, None, **found)


def coded(graph: Graph, value: str, coding: Coding, shape: tuple[int, ...], name: str) -> str:
    """The code of a value: `min(most, max(least, floor((x - zero) / step + 1/2)))`, node by node in float64."""
    if np.any(coding.zero):
        value = graph.node("Sub", [value, _constant(graph, f"{name}.zero", coding.zero, shape)], f"{name}.from_zero")
    if np.any(np.asarray(coding.step) != 1.0):
        value = graph.node("Div", [value, _constant(graph, f"{name}.step", coding.step, shape)], f"{name}.steps")
    value = graph.node("Add", [value, graph.constant("half", 0.5)], f"{name}.lifted")
    value = graph.node("Floor", [value], f"{name}.whole")
    ends = [graph.constant(f"{name}.{key}", end) for key, end in (("least", coding.least), ("most", coding.most))]
    return graph.node("Clip", [value, *ends], f"{name}.code")


def _constant(graph: Graph, name: str, value: Value, shape: tuple[int, ...]) -> str:
    return graph.constant(name, np.reshape(value, shape) if np.ndim(value) else value)


def _clip(graph: Graph, value: str, low: Value, high: Value, shape: tuple[int, ...], name: str) -> str:
    ends = [_constant(graph, f"{name}.{key}", end, shape) for key, end in (("low", low), ("high", high))]
    if not (np.ndim(low) or np.ndim(high)):
        return graph.node("Clip", [value, *ends], name)
    return graph.node("Min", [graph.node("Max", [value, ends[0]], f"{name}.from_low"), ends[1]], name)


def _softmax(graph: Graph, op: ActivationOp, value: str, shape: tuple[int, ...]) -> str:
    """Along the last dimension of the signal, which may be flat here."""
    own, name = op.signal_type.shape.data, op.sym_name.data
    if own == shape:
        return graph.node("Softmax", [value], name, axis=-1)
    apart = graph.node("Reshape", [value, graph.constant("shape", (0, *own), np.int64)], f"{name}.shaped")
    found = graph.node("Softmax", [apart], f"{name}.shares", axis=-1)
    return graph.node("Reshape", [found, graph.constant("shape", (0, *shape), np.int64)], name)


def _single(
    graph: Graph,
    kind: str,
    inputs: list[str],
    name: str,
    constant: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None = None,
    **attributes: float,
) -> str:
    """A node, in float32 where onnxruntime has it for nothing else."""
    double = graph.dtype == np.float64 and kind in _SINGLE
    if double:
        inputs = [graph.cast(each, np.float32, f"{name}.single") for each in inputs]
    if constant is not None:
        inputs = [*inputs, graph.constant(f"{name}.parameter", constant, np.float32)]
    found = graph.node(kind, inputs, f"{name}.value" if double else name, **attributes)
    return graph.cast(found, np.float64, name) if double else found
