"""The NIR nodes of projections, pools and slices."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Operation, SSAValue

from snnir.dialects.snn import (
    AvgPoolOp,
    BundleOp,
    ConvOp,
    DenseOp,
    MaxPoolOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    WeightedOp,
)
from snnir.export.base import refusal, title
from snnir.export.nir.affine import affine, bias_field, product
from snnir.export.nir.bundle import bundle
from snnir.export.nir.shapes import Signal, enlarged, is_identity, on_last, own_name, padding_field, shape_of
from snnir.export.nir.sparse import sparse
from snnir.export.nir.values import Array, smallest
from snnir.frontend.network import Shape, text_of
from snnir.frontend.nir.mirror import convention_of, path_of

if TYPE_CHECKING:
    from snnir.export.nir.lower import Lowering


def projection(lowering: Lowering, op: WeightedOp) -> Signal:
    """A projection; copies of one that differ in the convention on cycles alone are one node."""
    path, signal = path_of(op), lowering.signals[op.source]
    steps = max(0, op.delay.data - convention_of(op))
    if path in lowering.projections:
        first, made = lowering.projections[path]
        same = {**first.properties, "delay": op.delay} == op.properties and first.name == op.name
        alike = lowering.signals[first.source] == signal and first.delay.data - convention_of(first) == steps
        if same and alike:
            return made
    if isinstance(op, SparseOp):
        made = sparse(lowering, op, signal, steps)
    elif isinstance(op, BundleOp):
        made = bundle(lowering, op, signal, steps)
    else:
        made = _weighted(lowering, op, lowering.delayed(signal, steps, op, f"{own_name(op)}_delay"))
    if path:
        lowering.projections.setdefault(path, (op, made))
    return made


def _weighted(lowering: Lowering, op: WeightedOp, signal: Signal) -> Signal:
    """A projection whose source has been delayed."""
    match op:
        case DenseOp():
            return _dense(lowering, op, signal)
        case ScaleOp():
            return signal if is_identity(op) else _scaled(lowering, op, signal)
        case ConvOp():
            _check_dimensions(lowering, op, op.source)
            weights = product(lowering, op, (-1, *(1,) * (op.DIMENSIONS + 1)))
            shape = shape_of(op.current)
            return _convolved(lowering, op, signal, weights, op.stride.data, op.dilation.data, op.groups.data, shape)
        case _:
            raise lowering.unknown(op)


def _dense(lowering: Lowering, op: DenseOp, signal: Signal) -> Signal:
    """A matrix on the flat signal, or along the last dimension."""
    weights, source = product(lowering, op, (-1, 1)), shape_of(op.source)
    if len(source) == 1 or not on_last(op):
        return affine(lowering, op, lowering.flattened(signal, op), weights, weights.shape[:1])
    if op.source not in lowering.flat:
        lowering.remarks.add("matrices along the last dimension: nir 1.0.8 reads them with type_check=False alone", op)
        return affine(lowering, op, signal, weights, (*signal.shape[:-1], weights.shape[0]))
    rows = prod(source[:-1])
    lowering.check_size(op, rows * rows * weights.size, "a matrix for all rows")
    lowering.remarks.add("matrices along the last dimension of a flat signal are written out", op)
    weights = np.kron(np.eye(rows, dtype=weights.dtype), weights)
    return affine(lowering, op, signal, weights, weights.shape[:1], rows)


def _scaled(lowering: Lowering, op: ScaleOp, signal: Signal) -> Signal:
    """A Scale; with a bias, which NIR's Scale has not, an Affine with a diagonal."""
    weights, size = product(lowering, op, (-1,)), prod(signal.shape)
    if isinstance(op.weights, FloatAttr) and lowering.known(op) is None:
        weights = smallest({"": weights})[""]
    if op.bias is not None:
        lowering.check_size(op, size * size, "a diagonal matrix where it has a bias")
        lowering.remarks.add("one-to-one projections with a bias are Affine nodes with a diagonal", op)
        matrix = np.diag(np.broadcast_to(weights.ravel(), size))
        return affine(lowering, op, lowering.flattened(signal, op), matrix, (size,))
    array = np.broadcast_to(weights.ravel(), size).reshape(signal.shape)
    node = lowering.add("Scale", {"scale": array}, signal.shape, op)
    lowering.connect(node.name, signal.sources)
    return Signal((node.name,), signal.shape)


def selection(lowering: Lowering, op: SliceOp) -> Signal:
    """Some neurons, as a Linear with a single 1 in each row."""
    signal = lowering.flattened(lowering.signals[op.source], op)
    rows, columns = len(op.indices.data), signal.shape[0]
    lowering.check_size(op, rows * columns, "a selection matrix")
    lowering.remarks.add("slices are Linear nodes that select", op)
    matrix = np.zeros((rows, columns), np.float32)
    matrix[np.arange(rows), op.indices.data.array] = 1
    node = lowering.add("Linear", {"weight": matrix}, (rows,), op)
    lowering.connect(node.name, signal.sources)
    return Signal((node.name,), (rows,))


# -- windows -----------------------------------------------------------------------------------------------------------


def _check_dimensions(lowering: Lowering, op: Operation, value: SSAValue) -> None:
    """Raise when an op needs dimensions that its source has lost."""
    if value in lowering.flat:
        what = f"{title(op)} needs channels and positions, but NIR has no way to get them from a flat signal"
        hint = "what feeds it is a projection onto several dimensions; write .snn or .mlir instead"
        raise refusal(op, lowering.path, what, hint)


def _convolved(
    lowering: Lowering,
    op: ConvOp | PoolOp,
    signal: Signal,
    weights: Array,
    stride: Shape,
    dilation: Shape,
    groups: int,
    shape: Shape,
) -> Signal:
    """A convolution with weights that may be those of a pool."""
    low, high, one = op.padding_low.data, op.padding_high.data, len(stride) == 1
    node = lowering.add(f"Conv{len(stride)}d", {}, shape, op)
    padding = padding_field(weights.shape[2:], stride, dilation, low, high, lowering.stored.get(node.path))
    if padding is None:
        weights, dilation, padding = enlarged(weights, dilation, low, high)
        lowering.remarks.add("kernels are enlarged with zeros, because NIR pads both sides alike", op)
    node.fields |= {
        "input_shape": lowering.counts(node, "input_shape", signal.shape[1:], one),
        "weight": weights,
        "stride": lowering.counts(node, "stride", stride, one),
        "padding": padding if isinstance(padding, str) else lowering.counts(node, "padding", padding, one),
        "dilation": lowering.counts(node, "dilation", dilation, one),
        "groups": lowering.counts(node, "groups", (groups,), True),
    }
    bias = bias_field(lowering, node, op) if isinstance(op, ConvOp) else None
    node.fields["bias"] = bias if bias is not None else np.zeros(weights.shape[0], weights.dtype)
    lowering.connect(node.name, signal.sources)
    return Signal((node.name,), shape)


def pool(lowering: Lowering, op: PoolOp) -> Signal:
    """A pool of two dimensions; others, and those with unequal padding, as a convolution of each channel."""
    if isinstance(op, MaxPoolOp):
        what = f"NIR has no node for {op.name}, which {title(op)} is"
        raise refusal(op, lowering.path, what, "use a sum or average pool, or write .snn or .mlir instead")
    _check_dimensions(lowering, op, op.source)
    signal, kernel, shape = lowering.signals[op.source], op.kernel.data, shape_of(op.pooled)
    average = isinstance(op, AvgPoolOp)
    if len(kernel) == 2 and op.padding_low == op.padding_high:
        node = lowering.add("AvgPool2d" if average else "SumPool2d", {}, shape, op)
        for name, values in (("kernel_size", kernel), ("stride", op.stride.data), ("padding", op.padding_low.data)):
            node.fields[name] = lowering.counts(node, name, values)
        lowering.connect(node.name, signal.sources)
        return Signal((node.name,), shape)
    size, channels = prod(kernel), signal.shape[0]
    lowering.remarks.add("pools that NIR does not have are convolutions of each channel", op)
    if average and size & (size - 1):
        lowering.remarks.add(f"means over {text_of(kernel)} are sums of weights 1/{size}, equal up to rounding", op)
    weights = np.full((channels, 1, *kernel), 1.0 / size if average else 1.0)
    weights = smallest({"": weights})[""]
    return _convolved(lowering, op, signal, weights, op.stride.data, (1,) * len(kernel), channels, shape)
