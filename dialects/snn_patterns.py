"""Canonicalisations of the `snn` dialect: one way to write each program."""

from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from snnir.dialects.attributes import SignalType
from snnir.dialects.snn import AddOp, DelayOp, DenseOp, NeuronOp, ScaleOp, SliceOp, WeightedOp
from snnir.indices import Indices


class DelayIntoProjection(RewritePattern):
    """`project(delay(x, a), b)` is `project(x, a + b)`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DenseOp | ScaleOp, rewriter: PatternRewriter) -> None:
        late = op.source.owner
        if isinstance(late, DelayOp):
            rewriter.replace(op, _with_source(op, late))


def _with_source(op: WeightedOp, late: DelayOp) -> WeightedOp:
    total = op.delay.data + late.delay.data
    return type(op)(late.source, op.weights, op.current_type, bias=op.bias, scale=op.scale, delay=total)


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
            rewriter.replace(op, DelayOp(inner.source, op.delay.data + inner.delay.data))


class FullSlice(RewritePattern):
    """A slice of all neurons in their order is the signal itself."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        source = op.source.type
        flat = isinstance(source, SignalType) and len(source.shape.data) == 1
        if flat and op.indices.data == Indices.span(0, source.size):
            rewriter.replace(op, (), [op.source])


class ComposeSlices(RewritePattern):
    """A slice of a slice is a slice."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        inner = op.source.owner
        if isinstance(inner, SliceOp):
            chosen = inner.indices.data.array[op.indices.data.array]
            rewriter.replace(op, SliceOp(inner.source, Indices.of(chosen)))


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
        inputs = [v for value in op.inputs for v in (value.owner.inputs if isinstance(value.owner, AddOp) else [value])]
        if len(inputs) != len(op.inputs):
            rewriter.replace(op, AddOp(*inputs))


class SumIntoPopulation(RewritePattern):
    """A population sums its inputs itself."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: NeuronOp, rewriter: PatternRewriter) -> None:
        inputs = [v for value in op.inputs for v in (value.owner.inputs if isinstance(value.owner, AddOp) else [value])]
        if len(inputs) != len(op.inputs):
            new = type(op).create(
                operands=inputs,
                result_types=[op.spikes.type],
                properties=op.properties,
                attributes=op.attributes,
            )
            rewriter.replace(op, new)
