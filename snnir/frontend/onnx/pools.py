"""Pools, and means and sums along dimensions."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from snnir.frontend.network import Conv, OneToOne, Pool, Shape, Value, text_of
from snnir.frontend.onnx.affine import same
from snnir.frontend.onnx.context import Context, Refused, check_size
from snnir.frontend.onnx.file import Node
from snnir.frontend.onnx.views import Array, View
from snnir.frontend.onnx.windows import Sizes, padding_of, sizes


def _planes(c: Context, node: Node, view: View) -> tuple[tuple[str, ...], Shape]:
    """What a pool reads: one sample, channels first, of one or two dimensions."""
    if len(view.shape) not in (3, 4) or view.shape[0] != 1:
        what = f"{node.op} reads {text_of(view.shape)}"
        raise Refused(what, "it reads one sample at a time, channels first, in one or two dimensions", "shape")
    return c.plain(node, view, view.shape[1:]), view.shape[1:]


def average_pool(c: Context, node: Node) -> View:
    """AveragePool, its padding counted or not; sums divided place by place where windows hold different numbers."""
    view = c.view(node)
    names, base = _planes(c, node, view)
    size, n = base[1:], len(base) - 1
    kernel, stride, dilation = (
        sizes(node, "kernel_shape", n, None),
        sizes(node, "strides", n),
        sizes(node, "dilations", n),
    )
    ceil = bool(node.whole("ceil_mode"))
    low, high, out = padding_of(node, size, kernel, stride, dilation, ceil=ceil)
    counted = bool(node.whole("count_include_pad"))
    stated = padding_of(node, size, kernel, stride, dilation)[1] if counted else (0,) * n
    counts = np.ones((), np.int64)
    for number in range(n):
        first, last = (-low[number], size[number] + stated[number]) if counted else (0, size[number])
        check_size((out[number], kernel[number]), "the windows of an AveragePool")
        start = np.arange(out[number])[:, None] * stride[number] - low[number]
        places = start + np.arange(kernel[number]) * dilation[number]
        inside = ((places >= first) & (places < last)).sum(axis=1)
        counts = np.multiply.outer(counts, inside)
    result, padding = (base[0], *out), None if not any((*low, *high)) else (low, high)
    if (counts == prod(kernel)).all() and set(dilation) == {1}:
        made = c.transform(node, Pool("avg", kernel, stride, padding), names, result)
        return View(made, result, (1, *result), positive=view.positive)
    if not counts.all():
        raise Refused("AveragePool has a window with nothing in it", "use less padding", "shape")
    if set(dilation) == {1}:
        made = c.transform(node, Pool("sum", kernel, stride, padding), names, result, "_sum")
    else:
        weights = Value(np.ones((base[0], 1, *kernel), np.float32), node.place)
        op = Conv(weights, None, None, stride, padding, dilation, base[0])
        made = c.transform(node, op, names, result, "_sum")
    shares = np.broadcast_to(1.0 / counts, result)
    number = same(shares)
    given = Value(number if number is not None else shares.reshape(-1), node.place)
    made = c.transform(node, OneToOne(given), made, result)
    return View(made, result, (1, *result), positive=view.positive)


def max_pool(c: Context, node: Node) -> View:
    """MaxPool. Its padding never wins, while zeros of a pool in a program take part: they may for what is never
    negative; else windows are laid side by side, places outside replaced by one inside."""
    view = c.view(node)
    if len(view.shape) not in (3, 4) or view.shape[0] != 1:
        _planes(c, node, view)
    base = view.shape[1:]
    size, n = base[1:], len(base) - 1
    kernel, stride, dilation = (
        sizes(node, "kernel_shape", n, None),
        sizes(node, "strides", n),
        sizes(node, "dilations", n),
    )
    low, high, out = padding_of(node, size, kernel, stride, dilation, ceil=bool(node.whole("ceil_mode")))
    result = (base[0], *out)
    if set(dilation) == {1} and (view.positive or not any((*low, *high))):
        padding = None if not any((*low, *high)) else (low, high)
        made = c.transform(node, Pool("max", kernel, stride, padding), c.plain(node, view, base), result)
        return View(made, result, (1, *result), positive=view.positive)
    check_size((base[0], *(a * b for a, b in zip(out, kernel, strict=True))), "the windows of a MaxPool")
    places = [
        _places(size[number], low[number], out[number], kernel[number], stride[number], dilation[number])
        for number in range(n)
    ]
    side_by_side = view
    for axis, chosen in enumerate(places, 2):
        side_by_side = side_by_side.rearranged(lambda numbers, a=axis, p=chosen: np.take(numbers, p, axis=a))
    names = c.plain(node, side_by_side, side_by_side.shape[1:])
    made = c.transform(node, Pool("max", kernel), names, result)
    return View(made, result, (1, *result), positive=view.positive)


def _places(size: int, low: int, out: int, kernel: int, stride: int, dilation: int) -> Array:
    """The places of all windows along a dimension, one window behind the other; of those outside, one inside."""
    places = np.arange(out)[:, None] * stride - low + np.arange(kernel) * dilation
    inside = (places >= 0) & (places < size)
    if not inside.any(axis=1).all():
        raise Refused("MaxPool has a window with nothing in it", "use less padding", "shape")
    known = np.take_along_axis(places, inside.argmax(axis=1)[:, None], axis=1)
    return np.where(inside, places, known).ravel()


def global_average_pool(c: Context, node: Node) -> View:
    """GlobalAveragePool."""
    view = c.view(node)
    return _reduced(c, node, view, tuple(range(2, len(view.shape))), mean=True, kept=True)


def global_max_pool(c: Context, node: Node) -> View:
    """GlobalMaxPool."""
    view = c.view(node)
    names, base = _planes(c, node, view)
    result = (base[0], *(1 for _ in base[1:]))
    made = c.transform(node, Pool("max", base[1:]), names, result)
    return View(made, result, (1, *result), positive=view.positive)


def reduce_mean(c: Context, node: Node) -> View:
    """ReduceMean."""
    return _reduce(c, node, mean=True)


def reduce_sum(c: Context, node: Node) -> View:
    """ReduceSum."""
    return _reduce(c, node, mean=False)


def _reduce(c: Context, node: Node, *, mean: bool) -> View:
    """Along the axes of an attribute (before opset 13 or 18), or of an input; along all where none are given."""
    view = c.view(node)
    rank = len(view.shape)
    given = c.whole_numbers(node, 1, "axes")
    axes: list[int] = list(node.wholes("axes") or given or ())
    if not axes and node.whole("noop_with_empty_axes"):
        return view
    wanted = tuple(sorted({n + rank if n < 0 else n for n in axes})) or tuple(range(rank))
    if wanted[0] < 0 or wanted[-1] >= rank:
        raise Refused(f"{node.op} along the axes {axes} of {rank}", "export the model again", "shape")
    if 0 in wanted and c.batch not in (None, 1):
        raise Refused(f"{node.op} mixes the samples of a batch", "export with a batch of 1")
    return _reduced(c, node, view, wanted, mean=mean, kept=bool(node.whole("keepdims", 1)))


def _reduced(c: Context, node: Node, view: View, axes: Sizes, *, mean: bool, kept: bool) -> View:
    """The mean or the sum along axes: a pool of whole planes where it is one, else single connections."""
    rank = len(view.shape)
    full = tuple(1 if n in axes else size for n, size in enumerate(view.shape))
    shape = full if kept else tuple(size for n, size in enumerate(view.shape) if n not in axes)
    count = prod(view.shape[n] for n in axes)
    if rank in (3, 4) and view.shape[0] == 1 and axes == tuple(range(2, rank)):
        names, base = _planes(c, node, view)
        made = c.transform(node, Pool("avg" if mean else "sum", base[1:]), names, full[1:])
        return View(made, full[1:], full, positive=view.positive).reshaped(shape)
    view = c.ordered(node, view)
    targets = np.broadcast_to(np.arange(prod(full)).reshape(full), view.shape).ravel()
    weights = np.full(view.size, 1.0 / count if mean else 1.0)
    result = replace(View((), (1,), shape)).sample
    names = c.gathered(node, view.names, view.numbers.ravel(), targets, result, weights)
    return View(names, result, shape, positive=view.positive)
