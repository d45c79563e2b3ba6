"""Single synapses in NIR: as matrices, one for each delay that occurs."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.snn import SparseOp
from snnir.export.base import refusal, title
from snnir.export.nir.affine import affine
from snnir.export.nir.shapes import Signal, own_name, shape_of
from snnir.export.nir.values import Array, cast, product, smallest
from snnir.frontend.nir.mirror import Stored

if TYPE_CHECKING:
    from snnir.export.nir.lower import Lowering

DELAYS_LIMIT = 64
"""Synapses of more different delays are refused: each delay is a matrix of its own."""


def sparse(lowering: Lowering, op: SparseOp, signal: Signal, steps: int) -> Signal:
    """The nodes of sparse connections that all are `steps` late, and each by its own number."""
    weights = _weights(lowering, op)
    stored = blocks(lowering.known(op), op)
    if stored is not None:
        late = lowering.delayed(signal, steps, op, f"{own_name(op)}_delay")
        return _matrices(lowering, op, late, weights, stored)
    delays = np.zeros(weights.shape, np.int64) if op.delays is None else op.delays.array
    distinct = [int(n) for n in np.unique(delays)]
    if len(distinct) > DELAYS_LIMIT:
        what = f"NIR has no delays of single synapses, and {title(op)} has {len(distinct)} different ones"
        hint = f"up to {DELAYS_LIMIT} are written, as a matrix each; write .snn or .mlir instead"
        raise refusal(op, lowering.path, what, hint)
    shape = prod(shape_of(op.current)), prod(shape_of(op.source))
    lowering.check_size(op, prod(shape) * len(distinct), "one matrix for each delay")
    lowering.remarks.add("single synapses are written as matrices", op)
    flat, sources = lowering.flattened(signal, op), list[str]()
    for own in distinct:
        late = lowering.delayed(flat, steps + own, op, f"{own_name(op)}_delay")
        matrix = _summed(op, weights, delays == own, shape)
        node = lowering.add("Linear", {"weight": matrix}, shape[:1], op, f"{own_name(op)}_{own}" if sources else "")
        if not sources and op.bias is not None:
            node.kind, node.fields["bias"] = "Affine", op.bias.array.ravel()
        lowering.connect(node.name, late.sources)
        sources.append(node.name)
    return Signal(tuple(sources), shape[:1])


def _weights(lowering: Lowering, op: SparseOp) -> Array:
    """The weight of each synapse; a scale has one entry per target."""
    assert isinstance(op.weights, TensorAttr)
    if op.scale is None:
        return op.weights.array
    scale = value_of(op.scale)
    per_synapse = scale[op.targets.array] if isinstance(scale, np.ndarray) else scale
    weights, exact = product(op.weights.array, per_synapse)
    if not exact:
        lowering.remarks.add("weights times scale are rounded to float64", op)
    return weights


def _summed(op: SparseOp, weights: Array, chosen: Array, shape: tuple[int, int]) -> Array:
    """A matrix of some of the synapses; several between the same neurons add up."""
    matrix = np.zeros(shape, np.float64)
    np.add.at(matrix, (op.targets.array[chosen], op.sources.array[chosen]), weights[chosen])
    return matrix if weights.dtype == np.float64 else smallest({"": matrix})[""]


def blocks(stored: Stored | None, op: SparseOp) -> Stored | None:
    """The Linear or Affine with a weight of more than two dimensions that the synapses were, if they still are."""
    shape = stored.shape("weight") if stored is not None and stored.kind in ("Linear", "Affine") else None
    if shape is None or len(shape) < 3 or prod(shape) != op.sources.data.size or op.delays is not None:
        return None
    rows, columns = shape[-2:]
    block, row, column = (n.ravel() for n in np.indices((prod(shape[:-2]), rows, columns), np.int64))
    same = np.array_equal(op.sources.array, block * columns + column)
    fits = shape_of(op.source) == (*shape[:-2], columns) and shape_of(op.current) == (*shape[:-2], rows)
    return stored if same and fits and np.array_equal(op.targets.array, block * rows + row) else None


def _matrices(lowering: Lowering, op: SparseOp, signal: Signal, weights: Array, stored: Stored) -> Signal:
    """One matrix for each entry of the dimensions before the last."""
    shape = stored.shape("weight")
    assert shape is not None
    weights = cast(weights.reshape(shape), stored.dtype("weight"))
    return affine(lowering, op, signal, weights, shape_of(op.current))
