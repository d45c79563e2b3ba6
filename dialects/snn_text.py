"""How ops of the `snn` dialect are written: what several of them parse and print alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import Float64Type, FloatAttr, IntAttr, f64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import AttrConstraint, base, irdl_to_attr_constraint
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.activations import Coding
from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import (
    IntsAttr,
    SignalType,
    TensorAttr,
    parse_fields,
    parse_ints,
    parse_value,
    print_value,
    value_of,
)

VALUE: AttrConstraint[Any] = irdl_to_attr_constraint(FloatAttr[Float64Type]) | base(TensorAttr)
"""A parameter: an f64 number or a tensor."""


def parse_types(parser: Parser, operands: Sequence[Any], position: int) -> tuple[Sequence[SSAValue], list[Attribute]]:
    """Parse `: source -> result` and resolve the operands, which all have the source's type."""
    parser.parse_punctuation(":")
    source = parser.parse_type()
    parser.parse_punctuation("->")
    result = parser.parse_type()
    return parser.resolve_operands(operands, [source] * len(operands), position), [result]


def print_types(printer: Printer, source: Attribute, result: Attribute) -> None:
    """Print ` : source -> result`."""
    printer.print_string(" : ")
    printer.print_attribute(source)
    printer.print_string(" -> ")
    printer.print_attribute(result)


def parse_optional_ints(parser: Parser, keyword: str) -> IntsAttr | None:
    """Parse `stride [2, 2]`, if it is there."""
    return IntsAttr(parse_ints(parser)) if parser.parse_optional_keyword(keyword) else None


def parse_optional_int(parser: Parser, keyword: str, default: int) -> IntAttr:
    """Parse `delay 3`, if it is there."""
    return IntAttr(parser.parse_integer() if parser.parse_optional_keyword(keyword) else default)


def parse_activity(parser: Parser, properties: dict[str, Attribute]) -> None:
    """Parse `activity <...>`, if it is there, into the properties."""
    if parser.parse_optional_keyword("activity"):
        properties["activity"] = ActivityAttr.new(ActivityAttr.parse_parameters(parser))


def print_activity(printer: Printer, activity: ActivityAttr | None) -> None:
    """Print ` activity <...>`, if there is one."""
    if activity is not None:
        printer.print_string(" activity ")
        activity.print_parameters(printer)


def verify_read(type_: SignalType) -> None:
    """Raise unless a signal can be weighted, pooled or added: spikes, codes, or a current."""
    if not type_.is_discrete and type_.element != f64:
        raise VerifyException(f"spikes, codes or currents (f64) are read, not {type_.element}")


def verify_activity(activity: ActivityAttr | None, type_: Attribute) -> None:
    """Raise unless the activity counts the neurons of a signal of spikes or codes."""
    if activity is None or not isinstance(type_, SignalType):
        return
    if not type_.is_discrete:
        raise VerifyException("only spikes and codes have an activity")
    if activity.counts.data.size != type_.size:
        raise VerifyException(f"activity counts {activity.counts.data.size} neurons of {type_.size}")
    if type_.is_coded and (activity.peak.data > type_.size or activity.counts.array.max() > activity.steps.data):
        raise VerifyException("a neuron emits one code in a step, and a code that is not 0 is one event")


def parse_coding(parser: Parser, properties: dict[str, Attribute]) -> None:
    """Parse `coded (step = 0.5, zero = 0.0)`, if it is there, into the properties."""
    if not parser.parse_optional_keyword("coded"):
        return
    position = parser.pos
    fields = parse_fields(parser, lambda: parse_value(parser))
    if not {"step"} <= set(fields) <= {"step", "zero"}:
        parser.raise_error("a coding is (step = ...) or (step = ..., zero = ...)", position)
    properties.update(fields)


def print_coding(printer: Printer, step: Attribute | None, zero: Attribute | None) -> None:
    """Print ` coded (step = 0.5)`, if there is one."""
    if step is None:
        return
    printer.print_string(" coded (step = ")
    print_value(printer, step)
    if zero is not None:
        printer.print_string(", zero = ")
        print_value(printer, zero)
    printer.print_string(")")


def coding_of(type_: SignalType, step: Attribute | None, zero: Attribute | None) -> Coding | None:
    """How the codes of a signal stand for values; `None` for spikes and reals."""
    if not type_.is_coded or type_.span is None or step is None:
        return None
    return Coding(*type_.span, value_of(step), 0.0 if zero is None else value_of(zero))


def verify_coding(type_: SignalType, step: Attribute | None, zero: Attribute | None) -> None:
    """Raise unless codes, and nothing else, have a positive step and a zero, one each or one per neuron."""
    if type_.is_coded != (step is not None):
        raise VerifyException("codes, and nothing else, are coded (step = ...)")
    for name, attribute in (("step", step), ("zero", zero)):
        if isinstance(attribute, TensorAttr) and attribute.data.size != type_.size:
            raise VerifyException(f"{name} has {attribute.data.size} entries for {type_.size} neurons")
        if attribute is not None and not np.isfinite(value_of(attribute)).all():
            raise VerifyException(f"{name} is not finite")
    if step is not None and not (np.asarray(value_of(step)) > 0).all():
        raise VerifyException("a step must be positive")
