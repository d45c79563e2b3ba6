"""Ops without a state as stages of a chain: `dense(weights = "fc.weight", delay = 2)`."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, Operation

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import AddOp, BundleOp, ConvOp, DelayOp, DenseOp, FlattenOp, PoolOp, SparseOp, WeightedOp
from snnir.export.nir.shapes import flatten_ranges, shape_of
from snnir.export.snn import text
from snnir.export.snn.flows import kind_of
from snnir.frontend.network import Shape

Value = Callable[[Attribute, str], str]
"""Writes a number or a tensor; the second argument is the key that the reader gives to a list in this place."""


def stages_of(op: Operation, key: str, shape: Shape | None, value: Value) -> list[tuple[str, list[str]]]:
    """The calls for an op, each with its arguments. `shape`: that of the result, where the reader knows it."""
    match op:
        case AddOp():
            return [("one_to_one", ["weights = 1"])]
        case FlattenOp():
            return _flatten(op)
        case DelayOp():
            steps = str(op.delay.data) if isinstance(op.delay, IntAttr) else value(op.delay, f"{key}.delay")
            return [("delay", [f"steps = {steps}"])]
        case PoolOp():
            return [(kind_of(op), _pool(op))]
        case WeightedOp():
            return [(kind_of(op), _weighted(op, key, shape, value))]
        case _:
            raise AssertionError(op.name)


def _flatten(op: FlattenOp) -> list[tuple[str, list[str]]]:
    """One stage for each run of dimensions, from the last to the first."""
    before = shape_of(op.source)
    ranges = flatten_ranges(before, shape_of(op.flat))
    if ranges == [(0, len(before) - 1)]:
        return [("flatten", [])]
    return [("flatten", [f"start = {start}", f"end = {end}"]) for start, end in reversed(ranges)]


def _pool(op: PoolOp) -> list[str]:
    kernel = op.kernel.data
    arguments = [f"kernel = {text.wholes(kernel)}"]
    if op.stride != op.kernel:
        arguments.append(f"stride = {text.wholes(op.stride.data)}")
    return arguments + _padding(op)


def _padding(op: PoolOp | ConvOp) -> list[str]:
    low, high = op.padding_low.data, op.padding_high.data
    if not any(low) and not any(high):
        return []
    if low == high:
        return [f"padding = {text.wholes(low)}"]
    return [f"padding = [{text.wholes(low)}, {text.wholes(high)}]"]


def _weighted(op: WeightedOp, key: str, shape: Shape | None, value: Value) -> list[str]:
    arguments = [f"weights = {value(op.weights, f'{key}.weight')}"]
    if isinstance(op, SparseOp):
        arguments.append(f"from = {value(op.sources, f'{key}.from')}")
        arguments.append(f"to = {value(op.targets, f'{key}.to')}")
        if op.delays is not None:
            arguments.append(f"delays = {value(op.delays, f'{key}.delays')}")
    if isinstance(op, BundleOp) and op.stride.data != 1:
        arguments.append(f"stride = {op.stride.data}")
    if op.bias is not None:
        arguments.append(f"bias = {value(op.bias, f'{key}.bias')}")
    if op.scale is not None:
        arguments.append(f"scale = {value(op.scale, f'{key}.scale')}")
    if isinstance(op, ConvOp):
        for name, given in (("stride", op.stride.data), ("dilation", op.dilation.data)):
            if set(given) != {1}:
                arguments.append(f"{name} = {text.wholes(given)}")
        arguments += _padding(op)
        if op.groups.data != 1:
            arguments.append(f"groups = {op.groups.data}")
    if op.delay.data:
        arguments.append(f"delay = {op.delay.data}")
    result = shape_of(op.current)
    if isinstance(op, DenseOp | SparseOp | BundleOp) and result != (shape or _usual_shape(op)):
        arguments.append(f"shape = {text.wholes(result)}")
    return arguments


def _usual_shape(op: DenseOp | SparseOp | BundleOp) -> Shape | None:
    """The shape of the result that the reader takes when nothing names one."""
    if isinstance(op, SparseOp):
        return None
    assert isinstance(op.weights, TensorAttr)
    if isinstance(op, BundleOp):
        return op.weights.data.shape[1:2]
    rows, columns = op.weights.data.shape
    source = shape_of(op.source)
    return (rows,) if columns == prod(source) else (*source[:-1], rows)
