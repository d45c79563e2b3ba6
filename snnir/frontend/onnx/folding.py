"""Nodes between constants, computed when the file is read."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np

from snnir.frontend.network import text_of
from snnir.frontend.onnx.context import AGAIN, Context, Refused, check_size
from snnir.frontend.onnx.file import Node
from snnir.frontend.onnx.layout import check_parts
from snnir.frontend.onnx.library import evaluate
from snnir.frontend.onnx.tensors import WIDENED, TensorProblem, array_of
from snnir.frontend.onnx.views import Array

_NUMBERS = {"value", "value_float", "value_floats", "value_int", "value_ints"}
_ARITHMETIC = ("Add", "Sub", "Mul", "Div")
_LEAST_OPSET = {**dict.fromkeys(_ARITHMETIC, 7), "DequantizeLinear": 19, "QuantizeLinear": 19}
"""The first opset that the reference implementation has, where it means the same as those before it."""


def folded(c: Context, node: Node, directory: Path) -> list[Array]:
    """The outputs of a node whose inputs are known. Raises `Refused`."""
    inputs = [c.constants[name] if name else None for name in node.inputs]
    _check_growth(node, inputs)
    check_parts(node)
    if node.op == "Constant" and not node.attributes.keys() & _NUMBERS:
        raise Refused("a Constant holds no numbers", "store it as a plain tensor", "tensor")
    if node.op == "Constant" and "value" in node.attributes:
        try:
            return [array_of(node.attributes["value"], directory)]
        except TensorProblem as problem:
            raise Refused(f"the constant {problem.message}", problem.hint, problem.lint) from None
    given = {name: array for name, array in zip(node.inputs, inputs, strict=True) if array is not None}
    if c.opset < 7 and node.op in _ARITHMETIC and node.whole("broadcast") and "axis" in node.attributes:
        one, other = given[node.inputs[0]], given[node.inputs[1]]
        axis = node.whole("axis") % max(one.ndim, 1)
        given[node.inputs[1]] = other.reshape(*other.shape, *(1,) * (one.ndim - axis - other.ndim))
    opset = max(c.opset, _LEAST_OPSET.get(node.op, 1))
    proto = node.proto
    if node.op in _ARITHMETIC and proto.attribute:
        proto = type(proto)()
        proto.CopyFrom(node.proto)
        del proto.attribute[:]
    try:
        with np.errstate(all="ignore"):
            found = evaluate(proto, opset, given)
    except Exception as error:  # the reference implementation raises whatever numpy does
        reason = " ".join(str(error).split())[:200]
        raise Refused(f"{node.op} of constants makes no sense ({reason})", AGAIN) from None
    return [_known_type(np.asarray(each)) for each in found]


def _known_type(array: Array) -> Array:
    return array.astype(WIDENED[array.dtype.name]) if array.dtype.name in WIDENED else array


def _check_growth(node: Node, inputs: list[Array | None]) -> None:
    """Refuse constants that would be made much larger than what they are made of."""
    shapes = [array.shape for array in inputs if array is not None]
    first = inputs[0] if inputs else None
    if node.op == "ConstantOfShape" and first is not None:
        _limited(node, tuple(int(n) for n in first.ravel()))
    elif node.op in ("Expand", "Tile") and len(inputs) > 1 and inputs[1] is not None:
        sizes = [max(int(n), 1) for n in inputs[1].ravel()]
        _limited(node, (*sizes, *(shapes[0] if node.op == "Tile" else ())))
    elif node.op == "Range" and len(shapes) == 3:
        start, limit, step = (float(array.ravel()[0]) for array in inputs if array is not None)
        _limited(node, (int(abs(limit - start) / max(abs(step), 1e-30)) + 1,))
    elif node.op == "Pad" and shapes:
        given = node.wholes("pads") or (inputs[1].ravel() if len(inputs) > 1 and inputs[1] is not None else ())
        _limited(node, tuple(n + max((abs(int(p)) for p in given), default=0) for n in shapes[0]))
    elif node.op in ("MatMul", "Gemm") and len(shapes) > 1:
        _limited(node, (prod(shapes[0][:-1]), *shapes[1][-1:]))
    elif len(shapes) > 1:
        try:
            _limited(node, tuple(np.broadcast_shapes(*shapes)))
        except ValueError:
            return  # these are no shapes that are broadcast


def _limited(node: Node, shape: tuple[int, ...]) -> None:
    if min(shape, default=1) < 0:
        raise Refused(f"{node.op} makes a constant of {text_of(shape)}", AGAIN, "shape")
    if 0 not in shape:
        check_size(shape, f"the constant that {node.op} makes")
