"""Ops of the `snn` dialect that rearrange signals: slice, flatten, add, delay. Nothing is weighted here."""

import math
from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import IntAttr, f64
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import IndicesAttr, ShapeAttr, SignalType, TensorAttr, parse_indices
from snnir.dialects.snn_text import parse_types, print_types, verify_read
from snnir.indices import LIMIT, Indices


@irdl_op_definition
class SliceOp(IRDLOperation, HasCanonicalizationPatternsInterface):
    """Some neurons of a signal, in the given order; one-dimensional, or of any shape of as many neurons (some channels
    of an image are an image).

    ```mlir
    %x = snn.input @pixels : !snn.signal<64, spike>
    %y = snn.slice %x [0:32] : !snn.signal<64, spike> -> !snn.signal<32, spike>
    ```
    """

    name = "snn.slice"
    source = operand_def(SignalType)
    part = result_def(SignalType)
    indices = prop_def(IndicesAttr)
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue, indices: Indices, shape: Sequence[int] | None = None) -> None:
        assert isinstance(source.type, SignalType)
        result = SignalType(ShapeAttr((len(indices),) if shape is None else tuple(shape)), source.type.element)
        super().__init__(operands=[source], result_types=[result], properties={"indices": IndicesAttr(indices)})

    def verify_(self) -> None:
        assert isinstance(self.source.type, SignalType)
        assert isinstance(self.part.type, SignalType)
        if not self.indices.data.runs:
            raise VerifyException("a slice has at least one neuron")
        if self.indices.data.stop > self.source.type.size:
            raise VerifyException(f"indices {self.indices.data} reach beyond {self.source.type.size} neurons")
        if self.part.type.size != len(self.indices.data) or self.part.type.element != self.source.type.element:
            raise VerifyException(f"the result holds {len(self.indices.data)} neurons of the source's element")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        source = parser.parse_unresolved_operand()
        properties = {"indices": IndicesAttr(parse_indices(parser))}
        attributes = parser.parse_optional_attr_dict()
        operands, results = parse_types(parser, [source], position)
        return cls.create(operands=operands, result_types=results, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" {self.indices.data}")
        printer.print_op_attributes(self.attributes)
        print_types(printer, self.source.type, self.part.type)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import ComposeSlices, FullSlice  # noqa: PLC0415

        return (FullSlice(), ComposeSlices())


@irdl_op_definition
class FlattenOp(IRDLOperation):
    """The same neurons with runs of neighbouring dimensions merged, in row-major order.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2x8x8, spike>
    %y = snn.flatten %x : !snn.signal<2x8x8, spike> -> !snn.signal<128, spike>
    %z = snn.flatten %x : !snn.signal<2x8x8, spike> -> !snn.signal<2x64, spike>
    ```
    """

    name = "snn.flatten"
    source = operand_def(SignalType)
    flat = result_def(SignalType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($flat)"

    def __init__(self, source: SSAValue, shape: Sequence[int] | None = None) -> None:
        assert isinstance(source.type, SignalType)
        result = SignalType(ShapeAttr((source.type.size,) if shape is None else tuple(shape)), source.type.element)
        super().__init__(operands=[source], result_types=[result])

    def verify_(self) -> None:
        source, flat = self.source.type, self.flat.type
        assert isinstance(source, SignalType)
        assert isinstance(flat, SignalType)
        if source.element != flat.element or not merges(source.shape.data, flat.shape.data):
            raise VerifyException(
                "the result has the source's element, and its shape merges neighbouring dimensions of the source"
            )


def merges(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether `after` is `before` with runs of neighbouring dimensions multiplied."""
    reached = {0}  # how many dimensions of `before` may have gone into those of `after` so far
    for dimension in after:
        products = (
            (end, math.prod(before[start:end])) for start in reached for end in range(start + 1, len(before) + 1)
        )
        reached = {end for end, product in products if product == dimension}
    return len(before) in reached


@irdl_op_definition
class AddOp(IRDLOperation, HasCanonicalizationPatternsInterface):
    """The sum of signals of one shape, as a current; spikes count as their number.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %a = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %c = snn.add %a, %x : (!snn.signal<2, f64>, !snn.signal<2, spike>) -> !snn.signal<2, f64>
    %d = snn.add %a, %c : !snn.signal<2, f64>
    ```
    """

    name = "snn.add"
    inputs = var_operand_def(SignalType)
    total = result_def(SignalType)
    traits = traits_def(Pure())

    def __init__(self, *inputs: SSAValue | Operation) -> None:
        first = SSAValue.get(inputs[0])
        assert isinstance(first.type, SignalType)
        super().__init__(operands=[list(inputs)], result_types=[SignalType(first.type.shape, f64)])

    def verify_(self) -> None:
        if not self.inputs:
            raise VerifyException("a sum needs at least one input")
        if self.total.type.element != f64:
            raise VerifyException("a sum is a current; give its result the element f64")
        for value in self.inputs:
            assert isinstance(value.type, SignalType)
            if value.type.shape != self.total.type.shape:
                raise VerifyException("the inputs and the result of a sum have one shape")
            verify_read(value.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        inputs = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
        if types is None:
            result = parser.parse_type()
            types = [result] * len(inputs)
        else:
            parser.parse_punctuation("->")
            result = parser.parse_type()
        operands = parser.resolve_operands(inputs, types, position)
        return cls.create(operands=operands, result_types=[result], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.inputs, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        if any(value.type != self.total.type for value in self.inputs):
            with printer.in_parens():
                printer.print_list(self.inputs, lambda value: printer.print_attribute(value.type))
            printer.print_string(" -> ")
        printer.print_attribute(self.total.type)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import FlattenSum, SingleSum  # noqa: PLC0415

        return (SingleSum(), FlattenSum())


@irdl_op_definition
class DelayOp(IRDLOperation, HasCanonicalizationPatternsInterface):
    """A signal some steps late, all of it or each neuron by its own number; silent before its first value arrives.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %y = snn.delay %x by 3 : !snn.signal<2, spike>
    %z = snn.delay %x by #snn.tensor<"axons.delay", 2xi64, [1, 4]> : !snn.signal<2, spike>
    ```
    """

    name = "snn.delay"
    source = operand_def(SignalType)
    late = result_def(SignalType)
    delay = prop_def(base(IntAttr) | base(TensorAttr))
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue | Operation, delay: int | TensorAttr) -> None:
        attribute = IntAttr(delay) if isinstance(delay, int) else delay
        super().__init__(operands=[source], result_types=[SSAValue.get(source).type], properties={"delay": attribute})

    @property
    def steps(self) -> int | None:
        """The delay of all neurons; `None` when each has its own."""
        return self.delay.data if isinstance(self.delay, IntAttr) else None

    @property
    def least(self) -> int:
        """The shortest delay."""
        return self.delay.data if isinstance(self.delay, IntAttr) else int(self.delay.array.min())

    def verify_(self) -> None:
        if isinstance(self.delay, TensorAttr):
            verify_steps("delay", self.delay)
            assert isinstance(self.late.type, SignalType)
            if self.delay.data.size != self.late.type.size:
                raise VerifyException(f"{self.delay.data.size} delays for {self.late.type.size} neurons")
        else:
            verify_delay(self.delay.data)
        if self.source.type != self.late.type:
            raise VerifyException("a delay keeps the type of its signal")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        source = parser.parse_unresolved_operand()
        parser.parse_keyword("by")
        number = parser.parse_optional_integer()
        properties = {"delay": IntAttr(number) if number is not None else parser.parse_attribute()}
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type_ = parser.parse_type()
        operands = parser.resolve_operands([source], [type_], position)
        return cls.create(operands=operands, result_types=[type_], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(" by ")
        if isinstance(self.delay, IntAttr):
            printer.print_string(str(self.delay.data))
        else:
            printer.print_attribute(self.delay)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.late.type)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import DelayBehindProjection, MergeDelays, NoDelay  # noqa: PLC0415

        return (NoDelay(), MergeDelays(), DelayBehindProjection())


def verify_delay(delay: int) -> None:
    """Raise unless a delay is a number of steps."""
    if not 0 <= delay < LIMIT:
        raise VerifyException(f"a delay is a number of steps from 0 to {LIMIT - 1}, not {delay}")


def verify_steps(what: str, tensor: TensorAttr) -> None:
    """Raise unless a tensor holds numbers of steps."""
    verify_numbers(what, tensor)
    if int(tensor.array.max()) >= LIMIT:
        raise VerifyException(f"{what} '{tensor.data.key}' holds a number beyond {LIMIT - 1}")


def verify_numbers(what: str, tensor: TensorAttr) -> None:
    """Raise unless a tensor holds whole numbers, none of them negative."""
    if tensor.data.element != "i64":
        raise VerifyException(f"{what} '{tensor.data.key}' holds whole numbers: give it the element i64")
    if int(tensor.array.min()) < 0:
        raise VerifyException(f"{what} '{tensor.data.key}' holds a negative number")
