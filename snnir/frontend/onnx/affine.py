"""Sums and products with constants, and sums of signals: folded into weights where nothing else reads them."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from snnir.frontend.network import Conv, Dense, OneToOne, Value, text_of
from snnir.frontend.onnx.context import Context, Refused, check_size
from snnir.frontend.onnx.file import Node
from snnir.frontend.onnx.views import Array, View

Shape = tuple[int, ...]


def broadcast(node: Node, *shapes: Shape) -> Shape:
    """The shape that tensors have together."""
    try:
        found = tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        what = " and ".join(text_of(shape) for shape in shapes)
        raise Refused(f"{node.op}: the shapes {what} do not fit each other", "correct the shapes", "shape") from None
    check_size(found, node.op)
    return found


def affine(c: Context, node: Node, view: View, weight: Array | float, bias: Array | float) -> View:
    """`weight * x + bias`, each broadcast: folded into the weights that make x, or a one-to-one projection."""
    factors, terms = np.asarray(weight), np.asarray(bias)
    view = c.ordered(node, view.broadcast(broadcast(node, view.shape, factors.shape, terms.shape)))
    number, term = same(factors), same(terms)
    if number == 1.0 and term == 0.0:
        return view
    positive = view.positive and bool((factors >= 0).all() and (terms >= 0).all())
    if view.alone and len(view.names) == 1 and _folded(c, view, factors, terms):
        return replace(view, positive=False)
    given = Value(number if number is not None else view.over_base(_real(factors)), node.place)
    added = None if term == 0.0 else Value(view.over_base(_real(terms)), node.place)
    names = c.transform(node, OneToOne(given, added), view.names, view.base)
    return replace(view, names=names, positive=positive, alone=True)


def same(values: Array) -> float | None:
    """The number that all entries are; `None` where they differ."""
    first = values.flat[0]
    return float(first) if bool((values == first).all()) else None


def _real(values: Array) -> Array:
    """Numbers in a type that programs have."""
    return values if values.dtype in (np.dtype(np.float32), np.dtype(np.float64)) else values.astype(np.float32)


def _folded(c: Context, view: View, factors: Array, terms: Array) -> bool:
    """Change the weights and the bias of the transform that makes a view, if it has one of each per lane."""
    made = c.transforms.get(view.names[0])
    if made is None or not isinstance(made.op, Dense | Conv):
        return False
    op, old = made.op, made.op.weights.array
    lanes = len(old)
    per_lane = [_per_lane(view, values, op, lanes) for values in (factors, terms)]
    if per_lane[0] is None or per_lane[1] is None:
        return False
    factor, term = (each.astype(np.float64) for each in per_lane if each is not None)
    weights, bias = op.weights, op.bias
    if (factor != 1.0).any():
        shaped = factor.reshape(lanes, *(1,) * (old.ndim - 1))
        weights = Value((old * shaped).astype(old.dtype), op.weights.origin)
    sums = term if bias is None else bias.array * factor + term
    dtype = old.dtype if bias is not None or terms.dtype.kind != "f" else np.result_type(terms)
    bias = Value(sums.astype(dtype), op.weights.origin) if bias is not None or sums.any() else None
    c.transforms[made.name] = replace(made, op=replace(op, weights=weights, bias=bias))
    return True


def _per_lane(view: View, values: Array, op: Dense | Conv, lanes: int) -> Array | None:
    """What is stated per entry, once per lane of a projection; `None` where it differs within a lane."""
    flat = view.over_base(values)
    grid = flat.reshape(lanes, -1) if isinstance(op, Conv) or lanes == prod(view.base) else flat.reshape(-1, lanes).T
    return grid[:, 0] if bool((grid == grid[:, :1]).all()) else None


def total(c: Context, node: Node, views: list[View]) -> View:
    """The sum of signals, each broadcast to the shape that they have together."""
    shape = broadcast(node, *(view.shape for view in views))
    spread = [view.broadcast(shape) for view in views]
    first = spread[0]
    alike = all(view.base == first.base and _same_numbers(view, first) for view in spread)
    if not alike:
        sample = replace(first, shape=shape).sample
        spread = [replace(v, names=c.plain(node, v, sample), base=sample, indices=None) for v in spread]
    names = tuple(name for view in spread for name in view.names)
    return replace(spread[0], names=names, positive=all(view.positive for view in spread), alone=False)


def _same_numbers(one: View, other: View) -> bool:
    if one.indices is None or other.indices is None:
        return one.indices is other.indices
    return bool(np.array_equal(one.indices, other.indices))
