"""Canonicalisations of the `snn` dialect: one way to write each program."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from snnir.dialects.attributes import IndicesAttr
from snnir.dialects.snn import AddOp, DelayOp, DenseOp, NeuronOp, ScaleOp, SliceOp
from snnir.indices import Indices

OpT = TypeVar("OpT", bound=Operation)


class DelayIntoProjection(RewritePattern):
    """`project(delay(x, a), b)` is `project(x, a + b)`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DenseOp | ScaleOp, rewriter: PatternRewriter) -> None:
        late = op.source.owner
        if isinstance(late, DelayOp):
            properties = {**op.properties, "delay": IntAttr(op.delay.data + late.delay.data)}
            rewriter.replace(op, _like(op, [late.source], properties))


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
        if op.delay.data == 0:
            rewriter.replace(op, (), [op.source])


class MergeDelays(RewritePattern):
    """`delay(delay(x, a), b)` is `delay(x, a + b)`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DelayOp, rewriter: PatternRewriter) -> None:
        inner = op.source.owner
        if isinstance(inner, DelayOp):
            rewriter.replace(op, _like(op, [inner.source], {"delay": IntAttr(op.delay.data + inner.delay.data)}))


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
    """A sum of one current is that current."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp, rewriter: PatternRewriter) -> None:
        if len(op.inputs) == 1:
            rewriter.replace(op, (), [op.inputs[0]])


class FlattenSum(RewritePattern):
    """A sum of sums is one sum."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp, rewriter: PatternRewriter) -> None:
        inputs = _summands(op.inputs)
        if inputs != list(op.inputs):
            rewriter.replace(op, _like(op, inputs))


class SumIntoPopulation(RewritePattern):
    """A population sums its inputs itself."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: NeuronOp, rewriter: PatternRewriter) -> None:
        inputs = _summands(op.inputs)
        if inputs != list(op.inputs):
            rewriter.replace(op, _like(op, inputs))


def _summands(values: Sequence[SSAValue]) -> list[SSAValue]:
    """The values with sums among them replaced by what they add."""
    return [v for value in values for v in (value.owner.inputs if isinstance(value.owner, AddOp) else [value])]
