"""Weights as arrays: with their scale, and as a matrix where ONNX has no operator for a projection."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import BundleOp, ConvOp, PoolOp, SparseOp, WeightedOp
from snnir.export.base import refusal, title
from snnir.synapses import Conv

Reals = NDArray[np.float64]
MATRIX_LIMIT = 1 << 26
"""Matrices that the program states in another form are written out up to this many entries."""


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The dimensions of a signal."""
    assert isinstance(value.type, SignalType)
    return value.type.shape.data


def raw_weights(op: WeightedOp) -> Reals:
    """Weights without `scale`."""
    return op.weights.array.astype(np.float64) if isinstance(op.weights, TensorAttr) else np.array(value_of(op.weights))


def weights_of(op: WeightedOp) -> Reals:
    """Weights times `scale`, as they are stored."""
    raw = raw_weights(op)
    if op.scale is None:
        return raw
    return raw * op.per_weight(np.asarray(value_of(op.scale), np.float64))


def matrix_of(op: Operation, weights: Reals, path: Path) -> Reals:
    """A sparse projection, a bundle without delays, a convolution or a pool as a matrix, (targets, sources).

    Raises `SnnirError` when it is too large.
    """
    sources, targets = (prod(shape_of(value)) for value in (op.operands[0], op.results[0]))
    if sources * targets > MATRIX_LIMIT:
        message = f"ONNX states {title(op)} as a matrix of {targets} x {sources}, more than {MATRIX_LIMIT} entries"
        raise refusal(op, path, message, "write .mlir instead")
    match op:
        case SparseOp():
            matrix = np.zeros((targets, sources))
            np.add.at(matrix, (op.targets.array, op.sources.array), weights.ravel())
            return matrix
        case BundleOp():
            return weights.sum(axis=0)
        case ConvOp():
            synapses = Conv(weights, op.source_type.shape.data[0], op.windows, op.groups.data)
        case PoolOp():
            synapses = Conv.pool(shape_of(op.source)[0], op.windows, 1.0)
        case _:
            raise TypeError(f"{op.name} is no matrix")
    return np.asarray(synapses.weighted().toarray(), np.float64)
