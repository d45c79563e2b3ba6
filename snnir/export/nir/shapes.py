"""Shapes of signals in NIR, and how NIR writes windows and dimensions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import (
    AddOp,
    BundleOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SparseOp,
)
from snnir.export.nir.values import Array
from snnir.frontend.network import Shape
from snnir.frontend.nir.mirror import Stored, path_of


@dataclass(frozen=True)
class Signal:
    """A value: the sum of what some nodes emit, in the shape in which NIR has it."""

    sources: tuple[str, ...]
    shape: Shape


def shape_of(value: SSAValue) -> Shape:
    """The dimensions of a signal."""
    assert isinstance(value.type, SignalType)
    return value.type.shape.data


def own_name(op: Operation) -> str:
    """A name for the node that an op becomes. HDF5 would take a `/` in it for a group, and nir does not expect that."""
    if isinstance(op, InputOp | NeuronOp | OutputOp):
        return op.sym_name.data.replace("/", ".").strip(".") or "_"
    hint = op.results[0].name_hint if op.results else None
    return hint or op.name.removeprefix("snn.")


def on_last(op: DenseOp) -> bool:
    """Whether a matrix can be applied along the last dimension of its source."""
    assert isinstance(op.weights, TensorAttr)
    source, current = shape_of(op.source), shape_of(op.current)
    return source[:-1] == current[:-1] and op.weights.data.shape == (current[-1], source[-1])


def is_identity(op: Operation) -> bool:
    """Whether an op only turns spikes into a current, as front ends insert it."""
    if not isinstance(op, ScaleOp) or path_of(op) or isinstance(op.weights, TensorAttr):
        return False
    return value_of(op.weights) == 1.0 and op.bias is None and op.scale is None


def live_ops(block: Block) -> set[Operation]:
    """What takes part in a network: outputs, populations that something feeds, and whatever these read."""
    found: set[Operation] = set()
    found |= {op for op in block.ops if isinstance(op, OutputOp) or (isinstance(op, NeuronOp) and op.inputs)}
    waiting = list(found)
    while waiting:
        owners = {value.owner for value in waiting.pop().operands}
        fresh = {op for op in owners if isinstance(op, Operation) and op not in found}
        found |= fresh
        waiting += fresh
    return found


def flat_values(block: Block, restored: Callable[[SparseOp], bool]) -> set[SSAValue]:
    """The values of several dimensions that are flat in NIR. `restored`: synapses that keep their dimensions."""
    flat: set[SSAValue] = set()
    growing = True
    while growing:
        growing = False
        for op in block.ops:
            if isinstance(op, SparseOp) and restored(op):
                continue
            if op.results and op.results[0] not in flat and len(shape_of(op.results[0])) > 1 and _is_flat(op, flat):
                flat.add(op.results[0])
                growing = True
    return flat


def _is_flat(op: Operation, flat: set[SSAValue]) -> bool:
    match op:
        case DenseOp():
            return not on_last(op) or op.source in flat
        case SparseOp() | BundleOp():
            return True
        case ScaleOp():
            return op.bias is not None or op.source in flat
        case AddOp() | NeuronOp() | DelayOp() | FlattenOp():
            return any(value in flat for value in op.operands)
        case _:
            return False


def flatten_ranges(before: Shape, after: Shape) -> list[tuple[int, int]]:
    """The first and last of each run of dimensions of `before` that is one dimension of `after`, where it is a run."""
    runs: list[tuple[int, int]] = []
    position = 0
    for dimension in after:
        start, product = position, before[position]
        position += 1
        while product != dimension:
            product *= before[position]
            position += 1
        runs.append((start, position - 1))
    runs[-1] = runs[-1][0], len(before) - 1
    return [(start, end) for start, end in runs if end > start]


def same_padding(kernel: Shape, dilation: Shape) -> tuple[Shape, Shape]:
    """What `padding = "same"` adds before and behind: dilation * (kernel - 1) in all, the larger half behind."""
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return tuple(n // 2 for n in total), tuple(n - n // 2 for n in total)


def padding_field(
    kernel: Shape, stride: Shape, dilation: Shape, low: Shape, high: Shape, stored: Stored | None
) -> Shape | str | None:
    """The padding as NIR can write it: numbers, or a word where the file had it; `None` where it has no way."""
    word = stored.text("padding") if stored else None
    if word == "valid" and not any(low) and not any(high):
        return word
    same = same_padding(kernel, dilation) == (low, high)
    # PyTorch, which NIR has the word from, knows `same` for a stride of 1 only.
    if same and (word == "same" or (low != high and set(stride) == {1})):
        return "same"
    return low if low == high else None


def enlarged(weights: Array, dilation: Shape, low: Shape, high: Shape) -> tuple[Array, Shape, Shape]:
    """A kernel with zeros at its ends that computes with equal padding what the given one does with unequal.

    Returns weights, dilation and padding. With padding p = max(low, high) on both sides a window starts p - low
    positions earlier and may reach p - high further, where the zeros are.
    """
    n = len(low)
    padding = tuple(max(a, b) for a, b in zip(low, high, strict=True))
    extra = [(p - a, p - b) for p, a, b in zip(padding, low, high, strict=True)]
    if any(each % d for pair, d in zip(extra, dilation, strict=True) for each in pair):
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, weights.shape[2:], strict=True)]
        wide = np.zeros((*weights.shape[:2], *spans), weights.dtype)
        wide[(..., *(slice(None, None, d) for d in dilation))] = weights
        weights, dilation = wide, (1,) * n
    taps = [(before // d, behind // d) for (before, behind), d in zip(extra, dilation, strict=True)]
    return np.pad(weights, [(0, 0), (0, 0), *taps]), dilation, padding
