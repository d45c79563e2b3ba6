"""Conv, Gemm and MatMul: the operators with weights."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from snnir.frontend.network import Conv, Dense, Value, text_of
from snnir.frontend.onnx.affine import affine, total
from snnir.frontend.onnx.context import Context, Refused
from snnir.frontend.onnx.file import Node
from snnir.frontend.onnx.views import Array, View, without_border
from snnir.frontend.onnx.windows import padding_of, sizes

_PLACES = (1, 2)
_CONSTANT = "let one side be constant; a parameter that is an input of the graph has to be stored in the file"


def conv(c: Context, node: Node) -> View:
    """Conv in one or two dimensions. Zeros that a Pad put around the planes become padding of the convolution."""
    view, weights = c.view(node), c.floats(node, 1, "weights")
    n = weights.ndim - 2
    if n not in _PLACES:
        raise Refused(f"Conv in {n} dimensions", "programs have convolutions of one and two dimensions")
    if len(view.shape) != n + 2 or view.shape[0] != 1:
        what = f"Conv in {n} dimensions reads {text_of(view.shape)}"
        raise Refused(what, "it reads one sample at a time, channels first", "shape")
    kernel, groups = weights.shape[2:], node.whole("group", 1)
    stated = node.wholes("kernel_shape") or kernel
    if stated != kernel:
        what = f"kernel_shape is {text_of(stated)}, but the weights are {text_of(weights.shape)}"
        c.repairs.append(("kernel-shape", node.place, what, "takes the shape of the weights"))
    channels = view.shape[1]
    if groups < 1 or weights.shape[1] * groups != channels or weights.shape[0] % groups:
        what = f"weights of {text_of(weights.shape)} in {groups} groups do not fit {channels} channels"
        raise Refused(what, "correct the weights or the group", "shape")
    stride, dilation = sizes(node, "strides", n), sizes(node, "dilations", n)
    low, high, _ = padding_of(node, view.shape[2:], kernel, stride, dilation)
    names, base, low, high = _without_padding(c, node, view, low, high)
    bias = c.floats(node, 2, "biases") if c.has(node, 2) else None
    if bias is not None and bias.shape != (len(weights),):
        raise Refused(f"{bias.size} biases for {len(weights)} channels", "correct the biases", "shape")
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    shape = tuple(
        (size + a + b - r) // s + 1 for size, a, b, r, s in zip(base[1:], low, high, reach, stride, strict=True)
    )
    if min(shape) < 1:
        raise Refused(f"a kernel of {text_of(kernel)} does not fit {text_of(base[1:])}", "correct the shapes", "shape")
    padding = None if not any((*low, *high)) else (low, high)
    given = None if bias is None or not bias.any() else Value(bias, node.place)
    op = Conv(Value(weights, node.place), given, None, stride, padding, dilation, groups)
    result = (len(weights), *shape)
    made = c.transform(node, op, names, result)
    return View(made, result, (1, *result), alone=True)


def _without_padding(
    c: Context, node: Node, view: View, low: tuple[int, ...], high: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """What a convolution reads, its shape, and the padding, with the zeros around what is read as padding."""
    if view.indices is not None:
        inner, before, behind = without_border(view.indices[0])
        if not before[0] and not behind[0] and any((*before, *behind)):
            low = tuple(a + b for a, b in zip(low, before[1:], strict=True))
            high = tuple(a + b for a, b in zip(high, behind[1:], strict=True))
            view = view.rearranged(lambda _: inner[None])
    return c.plain(node, view, view.sample), view.sample, low, high


def linear(c: Context, node: Node, view: View, matrix: Array, bias: Array | None = None) -> View:
    """`y[..., n] = sum_k matrix[n, k] x[..., k] + bias[n]`, with a permutation of all of x put into the matrix."""
    out, entries = matrix.shape
    if not view.shape or view.shape[-1] != entries:
        what = f"{node.op}: a matrix of {text_of(matrix.shape[::-1])} does not fit a signal of {text_of(view.shape)}"
        raise Refused(what, "correct the weights", "shape")
    rows = prod(view.shape[:-1])
    shape, base = (*view.shape[:-1], out), (out,) if rows == 1 else (rows, out)
    given = None if bias is None or not bias.any() else Value(bias, node.place)
    if rows > 1:
        names = c.plain(node, view, (rows, entries))
    elif view.is_permutation:
        names, indices = view.names, view.indices
        if indices is not None:
            turned = np.empty_like(matrix)
            turned[:, indices.ravel()] = matrix
            matrix = turned
    else:
        names = c.plain(node, view, (entries,))
    made = c.transform(node, Dense(Value(np.ascontiguousarray(matrix), node.place), given), names, base)
    return View(made, base, shape, alone=True)


def mat_mul(c: Context, node: Node) -> View:
    """MatMul with a constant on one side."""
    if c.is_signal(node, 0) and c.is_signal(node, 1):
        raise Refused("MatMul of two signals: the weights of a crossbar are constant", _CONSTANT)
    if c.is_signal(node, 0):
        return linear(c, node, c.view(node, 0), _matrix(node, c.floats(node, 1, "weights")).T)
    view, matrix = c.view(node, 1), c.floats(node, 0, "weights")
    if len(view.shape) == 1:
        found = linear(c, node, view, matrix.reshape(-1, matrix.shape[-1]))
        return found.reshaped(matrix.shape[:-1])
    vector = matrix.ndim == 1
    turned = view.rearranged(lambda numbers: np.swapaxes(numbers, -1, -2))
    found = linear(c, node, turned, _matrix(node, matrix.reshape(1, -1) if vector else matrix))
    found = found.rearranged(lambda numbers: np.swapaxes(numbers, -1, -2))
    return found.reshaped((*found.shape[:-2], found.shape[-1])) if vector else found


def _matrix(node: Node, array: Array) -> Array:
    """Constant factors as one matrix; vectors stand on the right."""
    if array.ndim == 1:
        return array.reshape(-1, 1)
    if prod(array.shape[:-2]) != 1:
        what = f"{node.op} with {prod(array.shape[:-2])} matrices, one for each part of a signal"
        raise Refused(what, "split it into one MatMul for each")
    return array.reshape(array.shape[-2:])


def product(c: Context, node: Node) -> View:
    """MatMul; a vector on its right leaves no last dimension."""
    found = mat_mul(c, node)
    if c.is_signal(node, 0) and c.constants[node.inputs[1]].ndim == 1:
        return found.reshaped(found.shape[:-1])
    return found


def gemm(c: Context, node: Node) -> View:
    """`alpha A B + beta C`, A and B as they are or transposed, one of them constant."""
    alpha, beta = node.real("alpha", 1.0), node.real("beta", 1.0)
    turned = [bool(node.whole(name)) for name in ("transA", "transB")]
    if c.is_signal(node, 0) and c.is_signal(node, 1):
        raise Refused("Gemm of two signals: the weights of a crossbar are constant", _CONSTANT)
    side = 0 if c.is_signal(node, 0) else 1
    view, matrix = c.view(node, side), c.floats(node, 1 - side, "weights")
    if len(view.shape) != 2 or matrix.ndim != 2:
        what = f"Gemm of {text_of(view.shape)} and {text_of(matrix.shape)}"
        raise Refused(what, "it multiplies matrices: put a Flatten before it", "shape")
    if turned[1 - side]:
        matrix = matrix.T
    if turned[side]:
        view = view.rearranged(lambda numbers: numbers.T)
    if alpha != 1.0:
        matrix = (matrix * alpha).astype(matrix.dtype)
    if side == 0:
        found = linear(c, node, view, matrix.T)
    else:
        found = linear(c, node, view.rearranged(lambda numbers: numbers.T), matrix)
        found = found.rearranged(lambda numbers: numbers.T)
    return _added(c, node, found, beta)


def _added(c: Context, node: Node, found: View, beta: float) -> View:
    """The third operand of a Gemm: constant, which becomes the bias, or a signal."""
    if not c.has(node, 2) or beta == 0.0:
        return found
    if c.is_signal(node, 2):
        other = affine(c, node, c.view(node, 2), beta, 0.0)
        return total(c, node, [found, other.broadcast(found.shape)])
    bias = c.floats(node, 2, "biases")
    bias = bias if beta == 1.0 else (bias * beta).astype(bias.dtype)
    if bias.size > found.size:
        raise Refused(f"Gemm adds {bias.size} biases to {found.size} results", "correct the biases", "shape")
    result = affine(c, node, found, 1.0, bias)
    return replace(result, alone=found.alone)
