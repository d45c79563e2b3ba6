"""Operators that compute each entry from one or a few: arithmetic, activations, batch normalisation, casts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snnir.frontend.onnx.affine import affine, broadcast, same, total
from snnir.frontend.onnx.context import Context, Refused
from snnir.frontend.onnx.file import Node
from snnir.frontend.onnx.library import types
from snnir.frontend.onnx.tensors import type_name
from snnir.frontend.onnx.views import Array, View

_FLOATS = ("float32", "float64", "float16", "bfloat16")
_LARGEST = float(np.finfo(np.float32).max)
_INFERENCE = "export for inference: model.eval() before torch.onnx.export"


def operands(c: Context, node: Node) -> tuple[View | Array, View | Array]:
    """The two inputs of an arithmetic operator, with the broadcasting of opset 6 made explicit."""
    if len(node.inputs) != 2:
        raise Refused(f"{node.op} reads {len(node.inputs)} tensors, not two", "export the model again", "damaged")
    found: list[View | Array] = []
    for number, name in enumerate(node.inputs):
        found.append(c.constants[name] if name in c.constants else c.view(node, number))
    one, other = found
    if c.opset < 7 and node.whole("broadcast") and "axis" in node.attributes:
        axis, rank = node.whole("axis"), len(one.shape)
        axis += rank if axis < 0 else 0
        shape = (*other.shape, *(1,) * (rank - axis - len(other.shape)))
        other = other.reshaped(shape) if isinstance(other, View) else other.reshape(shape)
    return one, other


def add(c: Context, node: Node) -> View:
    """Add and Sum."""
    if len(node.inputs) == 2:
        one, other = operands(c, node)
        parts = [one, other]
    else:
        parts = [c.constants[n] if n in c.constants else c.view(node, k) for k, n in enumerate(node.inputs)]
    views = [part for part in parts if isinstance(part, View)]
    result = views[0] if len(views) == 1 else total(c, node, views)
    for part in parts:
        if not isinstance(part, View):
            result = affine(c, node, result, 1.0, part)
    return result


def subtract(c: Context, node: Node) -> View:
    """Sub: the second operand with its sign changed is added."""
    one, other = operands(c, node)
    if not isinstance(other, View):
        assert isinstance(one, View)
        return affine(c, node, one, 1.0, -other)
    if not isinstance(one, View):
        return affine(c, node, other, -1.0, one)
    return total(c, node, [one, affine(c, node, other, -1.0, 0.0)])


def multiply(c: Context, node: Node) -> View:
    """Mul: by a constant, or of two signals."""
    one, other = operands(c, node)
    if isinstance(one, View) and isinstance(other, View):
        return _product(c, node, one, other)
    view, factor = (one, other) if isinstance(one, View) else (other, one)
    assert isinstance(view, View)
    assert not isinstance(factor, View)
    return affine(c, node, view, factor, 0.0)


def _product(c: Context, node: Node, one: View, other: View) -> View:
    """Products of signals by squares: `a b = ((a + b)^2 - (a - b)^2) / 4`, and `a a` is one square."""
    if one == other:
        return c.population(node, "square", one, positive=True)
    shape = broadcast(node, one.shape, other.shape)
    one, other = one.broadcast(shape), other.broadcast(shape)
    both = c.population(node, "square", total(c, node, [one, other]))
    apart = c.population(node, "square", total(c, node, [one, affine(c, node, other, -1.0, 0.0)]))
    return total(c, node, [affine(c, node, both, 0.25, 0.0), affine(c, node, apart, -0.25, 0.0)])


def divide(c: Context, node: Node) -> View:
    """Div by a constant."""
    one, other = operands(c, node)
    if isinstance(other, View):
        raise Refused("Div by a signal: no crossbar and no neuron divides", "divide by a constant")
    assert isinstance(one, View)
    if not other.all():
        raise Refused("Div by zero", "correct the constant")
    number = same(other)
    return affine(c, node, one, 1.0 / other.astype(np.float64) if number is None else 1.0 / number, 0.0)


def negate(c: Context, node: Node) -> View:
    """Neg."""
    return affine(c, node, c.view(node), -1.0, 0.0)


def power(c: Context, node: Node) -> View:
    """Pow by 1 or 2."""
    exponent = same(c.constant(node, 1, "exponents"))
    if exponent == 1.0:
        return c.view(node)
    if exponent != 2.0:
        raise Refused("Pow is understood for squares only", "fit it with another activation")
    return c.population(node, "square", c.view(node), positive=True)


def relu(c: Context, node: Node) -> View:
    """Relu."""
    return c.population(node, "relu", c.view(node), positive=True)


def leaky_relu(c: Context, node: Node) -> View:
    """LeakyRelu."""
    return c.population(node, "leaky_relu", c.view(node), slope=node.real("alpha", 0.01))


def p_relu(c: Context, node: Node) -> View:
    """PRelu: a leaky ReLU with slopes of each channel."""
    view, slope = c.view(node), c.floats(node, 1, "slopes")
    broadcast(node, view.shape, slope.shape)
    if c.opset < 7 and slope.ndim == 1 and len(view.shape) > 2:
        slope = slope.reshape(-1, *(1,) * (len(view.shape) - 2))
    number = same(slope)
    return c.population(node, "leaky_relu", view, slope=slope if number is None else number)


def elu(c: Context, node: Node) -> View:
    """Elu."""
    return c.population(node, "elu", c.view(node), alpha=node.real("alpha", 1.0))


def selu(c: Context, node: Node) -> View:
    """Selu."""
    alpha, gamma = node.real("alpha", 1.67326319217681884765625), node.real("gamma", 1.05070102214813232421875)
    return c.population(node, "selu", c.view(node), alpha=alpha, gamma=gamma)


def sigmoid(c: Context, node: Node) -> View:
    """Sigmoid."""
    return c.population(node, "sigmoid", c.view(node), positive=True)


def hard_sigmoid(c: Context, node: Node) -> View:
    """HardSigmoid: a clip of a line."""
    line = affine(c, node, c.view(node), node.real("alpha", 0.2), node.real("beta", 0.5))
    return c.population(node, "clip", line, positive=True, low=0.0, high=1.0)


def tanh(c: Context, node: Node) -> View:
    """Tanh."""
    return c.population(node, "tanh", c.view(node))


def softplus(c: Context, node: Node) -> View:
    """Softplus."""
    return c.population(node, "softplus", c.view(node), positive=True)


def clip(c: Context, node: Node) -> View:
    """Clip, its limits as attributes or as inputs."""
    view = c.view(node)
    if c.opset < 11:
        low, high = node.real("min", -_LARGEST), node.real("max", _LARGEST)
    else:
        given = [c.floats(node, n, "limits") if c.has(node, n) else None for n in (1, 2)]
        low, high = (
            limit if each is None or not each.size else float(each.flat[0])
            for each, limit in zip(given, (-_LARGEST, _LARGEST), strict=True)
        )
    low, high = max(low, -_LARGEST), min(high, _LARGEST)
    if low > high:
        raise Refused(f"Clip between {low:g} and {high:g}: the lower limit is the larger one", "exchange the limits")
    if high == _LARGEST and low in (0.0, -_LARGEST):
        return c.population(node, "relu", view, positive=True) if low == 0.0 else view
    return c.population(node, "clip", view, positive=low >= 0, low=low, high=high)


def softmax(c: Context, node: Node) -> View:
    """Softmax along an axis; before opset 13 along everything from the axis on."""
    view, rank = c.view(node), len(c.view(node).shape)
    axis = node.whole("axis", 1 if c.opset < 13 else -1)
    axis += rank if axis < 0 else 0
    if not 0 <= axis < max(rank, 1):
        raise Refused(f"Softmax has the axis {axis} of {rank}", "export the model again", "shape")
    if axis == 0 and c.batch not in (None, 1):
        raise Refused("Softmax mixes the samples of a batch", "export with a batch of 1")
    shape = view.shape
    if c.opset < 13:
        last = int(np.prod(shape[axis:]))
        rows = view.reshaped((view.size // last, last))
        found = _softmax(c, node, rows)
        return found.reshaped(shape)
    moved = view if axis == rank - 1 else view.rearranged(lambda numbers: np.moveaxis(numbers, axis, -1))
    found = _softmax(c, node, moved)
    return found if axis == rank - 1 else found.rearranged(lambda numbers: np.moveaxis(numbers, -1, axis))


def _softmax(c: Context, node: Node, view: View) -> View:
    """Along the last dimension of a view, which is the last of the population, too."""
    rows = (view.size // view.shape[-1], view.shape[-1])
    base = rows if rows[0] > 1 else rows[1:]
    if view.indices is not None or view.base[-1] != view.shape[-1]:
        view = replace(view, names=c.plain(node, view, base), base=base, indices=None)
    return c.population(node, "softmax", view, positive=True)


def batch_normalization(c: Context, node: Node) -> View:
    """BatchNormalization with the statistics in the file."""
    if node.whole("training_mode"):
        raise Refused("BatchNormalization in training mode takes its statistics from the data", _INFERENCE)
    if c.opset < 7 and not node.whole("is_test"):
        c.notes.add(node.place, "is_test is 0, but the statistics in the file are used, as for inference")
    if c.opset < 9 and not node.whole("spatial", 1):
        raise Refused("BatchNormalization with statistics of every place (spatial = 0)", "export with opset 9 or more")
    view = c.view(node)
    parts = [c.floats(node, n + 1, what) for n, what in enumerate(("scales", "biases", "means", "variances"))]
    channels = view.shape[1] if len(view.shape) > 1 else 1
    if any(part.shape != (channels,) for part in parts):
        raise Refused(f"BatchNormalization of {channels} channels has other parameters", "correct the shapes", "shape")
    scale, bias, mean, variance = (part.astype(np.float64) for part in parts)
    epsilon = node.real("epsilon", 1e-5)
    if (variance + epsilon <= 0).any():
        raise Refused("BatchNormalization has a variance below zero", "export the model again")
    factor = scale / np.sqrt(variance + epsilon)
    shape = (channels, *(1,) * (len(view.shape) - 2))
    dtype = np.result_type(*parts)
    return affine(
        c, node, view, factor.astype(dtype).reshape(shape), (bias - mean * factor).astype(dtype).reshape(shape)
    )


def dropout(c: Context, node: Node) -> View:
    """Dropout, which does nothing in inference."""
    if c.opset >= 12 and c.has(node, 2) and c.constant(node, 2, "training mode").any():
        raise Refused("Dropout in training mode draws random numbers", _INFERENCE)
    return c.view(node, whole=True)


def cast(c: Context, node: Node) -> View:
    """Cast between real types, from integers to reals, and to wider integers."""
    view, to = c.view(node, whole=True), node.whole("to")
    kind = type_name(to)
    if kind in _FLOATS:
        if kind in ("float16", "bfloat16"):
            c.notes.add(node.place, f"a cast to {kind} rounds, here it does not")
        return replace(view, whole=False)
    if view.whole and to in (types.TensorProto.INT32, types.TensorProto.INT64):
        return view
    raise Refused(f"Cast of a signal to {kind} rounds or wraps its values", "cast to float")
