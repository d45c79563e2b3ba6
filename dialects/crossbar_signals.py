"""What the parts of a configured machine emit: inputs and populations, as lines that carry spikes or codes."""

from abc import ABC
from typing import Self

from xdsl.dialects.builtin import I64, IntegerAttr, IntegerType, Signedness, StringAttr, SymbolNameConstraint, i64
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def
from xdsl.parser import Parser
from xdsl.printer import Printer

from snnir.activations import Coding
from snnir.dialects.attributes import SignalType, symbol
from snnir.dialects.snn_text import VALUE, coding_of, parse_coding, print_coding, verify_coding


class SignalOp(IRDLOperation, ABC):
    """Lines that carry spikes, or codes: `element` is then their type, and a code q stands for `zero + step * q`."""

    sym_name = prop_def(SymbolNameConstraint())
    size = prop_def(IntegerAttr[I64])
    element = opt_prop_def(IntegerType)
    step = opt_prop_def(VALUE)
    zero = opt_prop_def(VALUE)

    def __init__(
        self,
        name: str,
        size: int,
        element: Attribute | None = None,
        step: Attribute | None = None,
        zero: Attribute | None = None,
    ) -> None:
        properties: dict[str, Attribute | None] = {"sym_name": StringAttr(name), "size": IntegerAttr(size, i64)}
        super().__init__(properties={**properties, "element": element, "step": step, "zero": zero})

    @property
    def type_(self) -> SignalType:
        """The type of the signal."""
        spikes = SignalType.spikes(max(1, self.size.value.data))
        return spikes if self.element is None else SignalType(spikes.shape, self.element)

    @property
    def coding(self) -> Coding | None:
        """What its codes stand for; `None` for spikes."""
        return coding_of(self.type_, self.step, self.zero)

    @property
    def is_signed(self) -> bool:
        """Whether its codes may be below 0."""
        return self.element is not None and self.element.signedness.data == Signedness.SIGNED

    def verify_(self) -> None:
        self.type_.verify()
        verify_coding(self.type_, self.step, self.zero)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        parser.parse_keyword("size")
        properties["size"] = IntegerAttr(parser.parse_integer(), i64)
        if parser.parse_optional_keyword("of"):
            properties["element"] = parser.parse_type()
            parse_coding(parser, properties)
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)} size {self.size.value.data}")
        if self.element is not None:
            printer.print_string(f" of {self.element}")
            print_coding(printer, self.step, self.zero)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class InputOp(SignalOp):
    """An input of the machine, lines at the host's router; see `crossbar.machine`."""

    name = "crossbar.input"


@irdl_op_definition
class PopulationOp(SignalOp):
    """A population whose neurons the slices hold; see `crossbar.machine`."""

    name = "crossbar.population"
