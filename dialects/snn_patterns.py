"""Canonicalisations of the `snn` dialect: one way to write each program."""

from collections.abc import Mapping, Sequence
from math import gcd
from typing import TypeVar

import numpy as np
from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from snnir.dialects.attributes import IndicesAttr, TensorAttr
from snnir.dialects.snn import AddOp, BundleOp, DelayOp, DenseOp, DualLifOp, NeuronOp, SliceOp, WeightedOp
from snnir.indices import LIMIT, Indices

OpT = TypeVar("OpT", bound=Operation)


class DelayIntoProjection(RewritePattern):
    """`project(delay(x, a), b)` is `project(x, a + b)`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: WeightedOp, rewriter: PatternRewriter) -> None:
        late = op.source.owner
        if isinstance(late, DelayOp) and (total := _later(op, late.steps)) is not None:
            rewriter.replace(op, _like(op, [late.source], {**op.properties, "delay": IntAttr(total)}))


def _together(first: int | None, second: int | None) -> int | None:
    """Two delays as one; `None` where one of them is not the same for all neurons, or their sum is too large."""
    if first is None or second is None or first + second >= LIMIT:
        return None
    return first + second


def _later(op: WeightedOp, steps: int | None) -> int | None:
    """The delay of a projection and some steps more; `None` where its slowest synapse could not be so late."""
    if isinstance(op, BundleOp) and _together(op.longest, steps) is None:
        return None
    return _together(op.delay.data, steps)


def _like(op: OpT, operands: Sequence[SSAValue], properties: Mapping[str, Attribute] | None = None) -> OpT:
    """The op with other operands; what its user said about it (attributes, location) stays."""
    return type(op).create(
        operands=operands,
        result_types=op.result_types,
        properties=op.properties if properties is None else properties,
        attributes=op.attributes,
        location=op.location,
    )


class NoDelay(RewritePattern):
    """`delay(x, 0)` is `x`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DelayOp, rewriter: PatternRewriter) -> None:
        if op.steps == 0:
            rewriter.replace(op, (), [op.source])


class DelayBehindProjection(RewritePattern):
    """`delay(project(x, a), b)` is `project(x, a + b)` where nobody else reads the projection and it has no bias, which
    would be late as well."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DelayOp, rewriter: PatternRewriter) -> None:
        inner = op.source.owner
        if (
            isinstance(inner, WeightedOp)
            and inner.bias is None
            and (total := _later(inner, op.steps)) is not None
            and inner.current.has_one_use()
        ):
            rewriter.replace(op, _like(inner, [inner.source], {**inner.properties, "delay": IntAttr(total)}))
            rewriter.erase(inner)


class PrunedLevels(RewritePattern):
    """Delay levels without a synapse go: those before the first and behind the last, and those in between where the
    others are equally far apart."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BundleOp, rewriter: PatternRewriter) -> None:
        assert isinstance(op.weights, TensorAttr)
        raw, stride = op.weights.array, op.stride.data
        used = np.flatnonzero(raw.any(axis=(1, 2))).tolist() or [0]
        first, last = used[0], used[-1]
        apart = gcd(*(level - first for level in used)) or 1
        kept = raw[first : last + 1 : apart]
        details: dict[str, Attribute] = {
            "weights": op.weights if len(kept) == op.levels else TensorAttr.of(op.weights.data.key, kept),
            "stride": IntAttr(stride * apart if len(kept) > 1 else 1),
            "delay": IntAttr(op.delay.data + first * stride),
        }
        if any(op.properties[name] != value for name, value in details.items()):
            rewriter.replace(op, _like(op, [op.source], {**op.properties, **details}))


class OneLevel(RewritePattern):
    """A bundle of one delay level is all-to-all; it stays where a synapse was pruned, which would come back."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BundleOp, rewriter: PatternRewriter) -> None:
        assert isinstance(op.weights, TensorAttr)
        if op.levels > 1 or not op.weights.array.all():
            return
        weights = TensorAttr.of(op.weights.data.key, op.weights.array[0])
        properties = {name: value for name, value in op.properties.items() if name != "stride"}
        new = DenseOp.create(
            operands=[op.source],
            result_types=op.result_types,
            properties={**properties, "weights": weights},
            attributes=op.attributes,
            location=op.location,
        )
        rewriter.replace(op, new)


class MergeDelays(RewritePattern):
    """`delay(delay(x, a), b)` is `delay(x, a + b)`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DelayOp, rewriter: PatternRewriter) -> None:
        inner = op.source.owner
        if isinstance(inner, DelayOp) and (total := _together(op.steps, inner.steps)) is not None:
            rewriter.replace(op, _like(op, [inner.source], {"delay": IntAttr(total)}))


class FullSlice(RewritePattern):
    """A slice of all neurons in their order is the signal itself."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        source = op.source.type
        if source == op.part.type and op.indices.data.is_span:
            rewriter.replace(op, (), [op.source])


class ComposeSlices(RewritePattern):
    """A slice of a slice is a slice."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        inner = op.source.owner
        if isinstance(inner, SliceOp):
            chosen = inner.indices.data.array[op.indices.data.array]
            rewriter.replace(op, _like(op, [inner.source], {"indices": IndicesAttr(Indices.of(chosen))}))


class SingleSum(RewritePattern):
    """A sum of one current is that current; a sum of one spike signal turns it into a current and stays."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp, rewriter: PatternRewriter) -> None:
        if len(op.inputs) == 1 and op.inputs[0].type == op.total.type:
            rewriter.replace(op, (), [op.inputs[0]])


class FlattenSum(RewritePattern):
    """A sum of sums is one sum."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp, rewriter: PatternRewriter) -> None:
        inputs = _summands(op.inputs)
        if inputs != list(op.inputs):
            rewriter.replace(op, _like(op, inputs))


class SumIntoPopulation(RewritePattern):
    """A population sums its inputs itself, as far as they are currents."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: NeuronOp, rewriter: PatternRewriter) -> None:
        first, second = _currents(op.excitatory), _currents(op.inhibitory)
        if [*first, *second] != list(op.inputs):
            properties = dict(op.properties)
            if isinstance(op, DualLifOp):
                properties["inhibitory"] = IntAttr(len(second))
            rewriter.replace(op, _like(op, [*first, *second], properties))


def _summands(values: Sequence[SSAValue]) -> list[SSAValue]:
    """The values with sums among them replaced by what they add."""
    return [v for value in values for v in (value.owner.inputs if isinstance(value.owner, AddOp) else [value])]


def _currents(values: Sequence[SSAValue]) -> list[SSAValue]:
    """The values with sums of currents among them replaced by what they add."""
    return [v for value in values for v in (_summands([value]) if _adds_currents(value) else [value])]


def _adds_currents(value: SSAValue) -> bool:
    return isinstance(value.owner, AddOp) and all(part.type == value.type for part in value.owner.inputs)
