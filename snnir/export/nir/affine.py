"""Affine and Linear nodes, and the weights and biases of all projections."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from snnir.dialects.snn import ScaleOp, WeightedOp
from snnir.export.nir.graph import Node
from snnir.export.nir.shapes import Signal
from snnir.export.nir.values import Array, cast, weights_of
from snnir.frontend.network import Shape

if TYPE_CHECKING:
    from snnir.export.nir.lower import Lowering


def product(lowering: Lowering, op: WeightedOp, lanes: Shape) -> Array:
    """Weights with their scale (of shape `lanes`), in the type that they had in the file, where there was one."""
    weights, exact = weights_of(op, lanes)
    if not exact:
        lowering.remarks.add("weights times scale are rounded to float64", op)
    stored = lowering.known(op)
    return cast(weights, stored.dtype("scale" if isinstance(op, ScaleOp) else "weight")) if stored else weights


def bias_field(lowering: Lowering, node: Node, op: WeightedOp) -> Array | None:
    """The bias, in the type and shape that it had in the file; an empty one where the file had that."""
    stored = lowering.stored.get(node.path)
    before = stored.shape("bias") if stored else None
    if op.bias is None:
        return np.empty(0, stored.dtype("bias")) if stored and before == (0,) else None
    array = cast(op.bias.array, stored.dtype("bias") if stored else None)
    return array.reshape(before if before and prod(before) == array.size else (-1,))


def affine(
    lowering: Lowering, op: WeightedOp, signal: Signal, weights: Array, shape: Shape, repeats: int = 1
) -> Signal:
    """An Affine or Linear; its bias is repeated."""
    node = lowering.add("Linear", {"weight": weights}, shape, op)
    bias = bias_field(lowering, node, op)
    if bias is not None:
        node.kind = "Affine"
        node.fields["bias"] = bias if repeats == 1 else np.tile(bias, repeats)
    lowering.connect(node.name, signal.sources)
    return Signal((node.name,), shape)
