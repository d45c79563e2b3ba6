"""Pools: ops of the `snn` dialect that sum, average or take the largest of the values in windows."""

from abc import ABC
from collections.abc import Sequence
from typing import ClassVar, Self

from xdsl.dialects.builtin import f64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import IntsAttr, ShapeAttr, SignalType, parse_ints
from snnir.dialects.snn_projections import convolved, parse_padding, print_padding, verify_windows
from snnir.dialects.snn_text import parse_optional_ints, parse_types, print_types, verify_read
from snnir.windows import Windows


class PoolOp(IRDLOperation, ABC):
    """A pool over one or two dimensions, channels first; the stride is the kernel unless it is given."""

    source = operand_def(SignalType)
    pooled = result_def(SignalType)
    kernel = prop_def(IntsAttr)
    stride = prop_def(IntsAttr)
    padding_low = prop_def(IntsAttr)
    padding_high = prop_def(IntsAttr)
    traits = traits_def(Pure())
    KEEPS_ELEMENT: ClassVar[bool] = False

    def __init__(
        self,
        source: SSAValue | Operation,
        kernel: Sequence[int],
        stride: Sequence[int] | None = None,
        padding: tuple[Sequence[int], Sequence[int]] | None = None,
    ) -> None:
        low, high = padding or ((0,) * len(kernel), (0,) * len(kernel))
        type_ = SSAValue.get(source).type
        assert isinstance(type_, SignalType)
        properties = {
            "kernel": IntsAttr(tuple(kernel)),
            "stride": IntsAttr(tuple(stride or kernel)),
            "padding_low": IntsAttr(tuple(low)),
            "padding_high": IntsAttr(tuple(high)),
        }
        shape = _pooled(type_, *(properties[name] for name in ("kernel", "stride", "padding_low", "padding_high")))
        result = SignalType(ShapeAttr(shape), type_.element if self.KEEPS_ELEMENT else f64)
        super().__init__(operands=[source], result_types=[result], properties=properties)

    @property
    def windows(self) -> Windows:
        """How the kernel moves over a plane."""
        assert isinstance(self.source.type, SignalType)
        size, low, high = self.source.type.shape.data[1:], self.padding_low.data, self.padding_high.data
        return Windows.of(size, self.kernel.data, self.stride.data, low, high)

    def verify_(self) -> None:
        source, pooled, n = self.source.type, self.pooled.type, len(self.kernel.data)
        assert isinstance(source, SignalType)
        assert isinstance(pooled, SignalType)
        verify_read(source)
        if n not in (1, 2) or len(source.shape.data) != n + 1 or min(self.kernel.data) < 1:
            raise VerifyException("a pool has a kernel of one or two dimensions, and its source one more for channels")
        verify_windows(n, self.stride, self.padding_low, self.padding_high)
        shape = _pooled(source, self.kernel, self.stride, self.padding_low, self.padding_high)
        if min(shape) < 1:
            raise VerifyException("the kernel is larger than the source with its padding")
        expected = SignalType(ShapeAttr(shape), source.element if self.KEEPS_ELEMENT else f64)
        if pooled != expected:
            raise VerifyException(f"the result has the type {expected}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        source = parser.parse_unresolved_operand()
        parser.parse_keyword("kernel")
        kernel = IntsAttr(parse_ints(parser))
        properties: dict[str, Attribute] = {"kernel": kernel}
        properties["stride"] = parse_optional_ints(parser, "stride") or kernel
        parse_padding(parser, properties, IntsAttr((0,) * len(kernel.data)))
        attributes = parser.parse_optional_attr_dict()
        operands, results = parse_types(parser, [source], position)
        return cls.create(operands=operands, result_types=results, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" kernel {list(self.kernel.data)}")
        if self.stride != self.kernel:
            printer.print_string(f" stride {list(self.stride.data)}")
        print_padding(printer, self.padding_low, self.padding_high)
        printer.print_op_attributes(self.attributes)
        print_types(printer, self.source.type, self.pooled.type)


def _pooled(type_: SignalType, kernel: IntsAttr, stride: IntsAttr, low: IntsAttr, high: IntsAttr) -> tuple[int, ...]:
    channels, *size = type_.shape.data
    ones = (1,) * len(kernel.data)
    return (channels, *convolved(size, kernel.data, stride.data, (low.data, high.data), ones))


@irdl_op_definition
class SumPoolOp(PoolOp):
    """The sum of the values in each window, as a current.

    ```mlir
    %x = snn.input @image : !snn.signal<1x4x4, spike>
    %y = snn.sum_pool %x kernel [2, 2] : !snn.signal<1x4x4, spike> -> !snn.signal<1x2x2, f64>
    ```
    """

    name = "snn.sum_pool"


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """The sum of the values in each window divided by the size of the window (padding counts), as a current.

    ```mlir
    %x = snn.input @image : !snn.signal<1x4x4, spike>
    %y = snn.avg_pool %x kernel [2, 2] stride [1, 1] : !snn.signal<1x4x4, spike> -> !snn.signal<1x3x3, f64>
    ```
    """

    name = "snn.avg_pool"


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """The largest value in each window; the zeros of the padding take part. Spikes stay spikes.

    ```mlir
    %x = snn.input @image : !snn.signal<1x4x4, spike>
    %y = snn.max_pool %x kernel [2, 2] : !snn.signal<1x4x4, spike> -> !snn.signal<1x2x2, spike>
    ```
    """

    name = "snn.max_pool"
    KEEPS_ELEMENT: ClassVar[bool] = True
