"""The package `onnx`, an extra: what the reader uses of it, as `Any`, because its types are incomplete."""

from __future__ import annotations

from importlib import import_module
from typing import Any

types: Any = import_module("onnx")
helper: Any = import_module("onnx.helper")
numpy_helper: Any = import_module("onnx.numpy_helper")


def evaluate(node: Any, opset: int, inputs: dict[str, Any]) -> list[Any]:
    """The outputs of a node for given inputs, by the reference implementation of ONNX. Raises what that raises."""
    reference: Any = import_module("onnx.reference")
    value = helper.make_tensor_value_info
    kind = types.TensorProto.FLOAT  # the reference implementation looks at the arrays only
    graph = helper.make_graph(
        [node], "node", [value(n, kind, None) for n in inputs], [value(n, kind, None) for n in node.output if n]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return list(reference.ReferenceEvaluator(model).run(None, inputs))
