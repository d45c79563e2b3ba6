"""Signals made anew: without their constants, times a factor, plus a constant, with as much as possible in weights."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.snn import AddOp, BundleOp, DelayOp, FlattenOp, PoolOp, SliceOp, SparseOp, WeightedOp
from snnir.passes.snn.affine import (
    Vector,
    adds,
    bias_of,
    channelwise,
    constant,
    is_constant,
    lanes_of,
    like,
    moved,
    on_targets,
    per_lane,
    scaling,
    spread_over,
    type_of,
    with_bias,
)

T = TypeVar("T")


class Builder:
    """Makes signals from signals; new ops go before `at`. With `duplicate`, projections that several signals read are
    copied where that lets something go into their weights; without, they stay as they are."""

    def __init__(self, at: Operation, *, duplicate: bool = True) -> None:
        self.at, self.duplicate = at, duplicate

    def put(self, op: Operation) -> SSAValue:
        """Insert a new op; its result."""
        Rewriter.insert_op(op, InsertPoint.before(self.at))
        return op.results[0]

    def _is_free(self, value: SSAValue) -> bool:
        """Whether a signal may be made anew: at most one op reads it, or copies are allowed."""
        return self.duplicate or value.has_one_use() or not value.uses

    def added(self, values: Sequence[SSAValue], at: Operation) -> SSAValue:
        """The sum of values, at the place of another op; the value itself where it is a single current."""
        if len(values) == 1 and not type_of(values[0]).is_discrete:
            return values[0]
        new = AddOp(*values)
        new.location = at.location
        return self.put(new)

    # --- constants

    def stripped(self, value: SSAValue) -> tuple[SSAValue, Vector]:
        """A signal without its constant part, and that part (neurons,); the signal itself where there is none.

        What is late keeps its constants, which begin late too.
        """
        owner, nothing = value.owner, np.zeros(type_of(value).size)
        if not isinstance(owner, Operation) or not self._is_free(value):
            return value, nothing
        match owner:
            case WeightedOp() if owner.bias is not None:
                found = bias_of(owner)[lanes_of(owner)]
                return (self.put(like(owner, [owner.source], {"bias": None})), found) if found.any() else (value, found)
            case FlattenOp():
                inner, found = self.stripped(owner.source)
                return (value, nothing) if inner is owner.source else (self.put(like(owner, [inner])), found)
            case SliceOp():
                inner, found = self.stripped(owner.source)
                found = found[owner.indices.data.array]
                return (value, nothing) if inner is owner.source else (self.put(like(owner, [inner])), found)
            case AddOp():
                parts = [self.stripped(part) for part in owner.inputs]
                if all(new is old for (new, _), old in zip(parts, owner.inputs, strict=True)):
                    return value, nothing
                kept = [new for new, _ in parts if not _is_nothing(new)] or [parts[0][0]]
                return self.added(kept, owner), sum((found for _, found in parts), start=nothing)
            case _:
                return value, nothing

    def shifted(self, value: SSAValue, bias: Vector, key: str) -> SSAValue:
        """A signal plus a constant (neurons,), in the bias of a projection where one can hold it."""
        if not bias.any():
            return value
        return self.biased(value, bias) or self.put(AddOp(value, self.put(constant(value, bias, key, self.at))))

    def biased(self, value: SSAValue, bias: Vector) -> SSAValue | None:
        """The same, where a projection can hold it; else `None`."""
        owner = value.owner
        if not isinstance(owner, Operation) or not self._is_free(value):
            return None
        match owner:
            case WeightedOp():
                lanes = per_lane(owner, bias)
                return None if lanes is None else self.put(with_bias(owner, bias_of(owner) + lanes))
            case FlattenOp():
                inner = self.biased(owner.source, bias)
                return None if inner is None else self.put(like(owner, [inner]))
            case AddOp():
                for number, part in enumerate(owner.inputs):
                    new = self.biased(part, bias)
                    if new is not None:
                        return self.put(like(owner, [*owner.inputs[:number], new, *owner.inputs[number + 1 :]]))
                return None
            case _:
                return None

    # --- factors

    def absorbs(self, value: SSAValue, factor: Vector) -> bool:
        """Whether a factor per neuron can go into the weights of what makes a signal, or nearer to its sources."""
        owner = value.owner
        if not isinstance(owner, Operation) or not self._is_free(value):
            return False
        match owner:
            case WeightedOp():
                return on_targets(owner, factor) is not None
            case FlattenOp():
                return self.absorbs(owner.source, factor)
            case AddOp():
                return any(self.absorbs(part, factor) for part in owner.inputs)
            case DelayOp():
                return owner.steps is not None and self.absorbs(owner.source, factor)
            case SliceOp():
                return self._through_slice(owner, factor, self.absorbs) or False
            case PoolOp():
                return self._through_pool(owner, factor, self.absorbs) or False
            case _:
                return False

    def scaled(self, value: SSAValue, factor: Vector, key: str) -> SSAValue:
        """A signal times a factor per neuron, in weights where they can hold it; `key` names it where they cannot."""
        if (factor == 1).all():
            return value
        owner = value.owner
        if not self.absorbs(value, factor):
            return self.put(scaling(value, factor, key, self.at))

        def inner(source: SSAValue, its: Vector) -> SSAValue:
            return self.scaled(source, its, key)

        match owner:
            case WeightedOp():
                new = on_targets(owner, factor)
                assert new is not None
                return self.put(new)
            case AddOp():
                return self.put(like(owner, [inner(part, factor) for part in owner.inputs]))
            case SliceOp():
                source = self._through_slice(owner, factor, inner)
            case PoolOp():
                source = self._through_pool(owner, factor, inner)
            case FlattenOp() | DelayOp():
                source = inner(owner.source, factor)
            case _:
                raise AssertionError(owner)
        assert source is not None
        return self.put(moved(owner, source) if not isinstance(owner, PoolOp) else like(owner, [source]))

    @staticmethod
    def _through_slice(op: SliceOp, factor: Vector, go: Callable[[SSAValue, Vector], T]) -> T | None:
        chosen = op.indices.data.array
        if len(np.unique(chosen)) < len(chosen):
            return None
        whole = np.ones(type_of(op.source).size)
        whole[chosen] = factor
        return go(op.source, whole)

    @staticmethod
    def _through_pool(op: PoolOp, factor: Vector, go: Callable[[SSAValue, Vector], T]) -> T | None:
        channels = channelwise(type_of(op.pooled), factor)
        if not adds(op) or channels is None:
            return None
        return go(op.source, spread_over(type_of(op.source), channels))

    def minus(self, value: SSAValue, key: str) -> SSAValue:
        """The negative of a signal."""
        return self.scaled(value, np.full(type_of(value).size, -1.0), key)


def _is_nothing(value: SSAValue) -> bool:
    """Whether a signal is always 0."""
    owner = value.owner
    return isinstance(owner, WeightedOp) and is_constant(owner) and owner.bias is None


def reads_late(op: Operation) -> bool:
    """Whether a projection reads its source some steps late, so that constants behind it begin late."""
    if isinstance(op, SparseOp) and op.delays is not None and op.delays.array.any():
        return True
    if isinstance(op, BundleOp) and op.is_late:
        return True
    return isinstance(op, WeightedOp) and op.delay.data > 0
