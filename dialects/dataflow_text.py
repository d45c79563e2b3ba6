"""What the ops of the `dataflow` dialect share: exact results and lists of names, in text and in their verifiers."""

from collections.abc import Sequence, Sized

from xdsl.dialects.builtin import ArrayAttr, FlatSymbolRefAttrConstr, IntAttr, StringAttr, SymbolRefAttr
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import symbol
from snnir.dialects.dataflow_attributes import RationalAttr, parse_rational

NAMES = ArrayAttr.constr(FlatSymbolRefAttrConstr)


def verify_times(op: IRDLOperation, names: Sequence[str]) -> None:
    """Raise `VerifyException` when one of the named properties is a negative time."""
    for name in names:
        value = op.properties.get(name)
        if isinstance(value, RationalAttr) and value.data < 0:
            raise VerifyException(f"{name} is a time, at least 0")


def parse_names(parser: AttrParser) -> "ArrayAttr[SymbolRefAttr]":
    """Parse `[@a, @b]`."""
    names = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_symbol_name)
    return ArrayAttr(SymbolRefAttr(name) for name in names)


def names_of(names: "ArrayAttr[SymbolRefAttr]") -> list[str]:
    """The names in a list of references."""
    return [name.root_reference.data for name in names]


def names_text(names: "ArrayAttr[SymbolRefAttr]") -> str:
    """The text of a list of references."""
    return f"[{', '.join(map(symbol, names_of(names)))}]"


def parse_order(parser: AttrParser) -> "tuple[ArrayAttr[SymbolRefAttr], ArrayAttr[IntAttr] | None]":
    """Parse `[@a, @b stage 1]`: names, and their stages when one of them is not 0."""

    def entry() -> tuple[StringAttr, int]:
        name = parser.parse_symbol_name()
        stage = parser.parse_integer(allow_negative=False) if parser.parse_optional_keyword("stage") else 0
        return name, stage

    entries = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, entry)
    return ArrayAttr(SymbolRefAttr(name) for name, _ in entries), stages_attr([stage for _, stage in entries])


def stages_attr(stages: Sequence[int]) -> "ArrayAttr[IntAttr] | None":
    """The attribute for the stages of an order; none when all are 0."""
    return ArrayAttr(IntAttr(stage) for stage in stages) if any(stages) else None


def stages_of(order: Sized, stages: "ArrayAttr[IntAttr] | None") -> list[int]:
    """The stage of each entry of an order."""
    return [stage.data for stage in stages] if stages is not None else [0] * len(order)


def verify_stages(order: Sized, stages: "ArrayAttr[IntAttr] | None") -> None:
    """Raise `VerifyException` unless there is a stage, at least 0, for each entry."""
    if stages is not None and (len(stages) != len(order) or min((each.data for each in stages), default=0) < 0):
        raise VerifyException("one stage for each entry of an order, at least 0")


def order_text(names: Sequence[str], stages: Sequence[int]) -> str:
    """The text of an order."""
    entries = (symbol(n) + (f" stage {stage}" if stage else "") for n, stage in zip(names, stages, strict=True))
    return f"[{', '.join(entries)}]"


def parse_rationals(parser: AttrParser, names: Sequence[str], properties: dict[str, Attribute]) -> None:
    """Parse those of the named exact numbers that come next, in this order: `period 7/2 latency 9`."""
    for name in names:
        if parser.parse_optional_keyword(name):
            properties[name] = RationalAttr(parse_rational(parser))


def print_rationals(printer: Printer, op: IRDLOperation, names: Sequence[str]) -> None:
    """Print those of the named exact numbers that an op has."""
    for name in names:
        value = op.properties.get(name)
        if isinstance(value, RationalAttr):
            printer.print_string(f" {name} {value.data}")
