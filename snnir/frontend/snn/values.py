"""Values of the `.snn` language: numbers with units, lists, texts, names, neurons; and what they may be used as.

Numbers are exact fractions until they are used: `5 ms` is 5/1000, whose nearest float64 is that of `5e-3`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.frontend.snn.tokens import UNITS
from snnir.frontend.snn.tree import (
    Expression,
    Items,
    Negative,
    Number,
    Operation,
    Plain,
    Setting,
    Text,
    Using,
    Word,
)
from snnir.frontend.source import Span

if TYPE_CHECKING:
    from snnir.frontend.snn.scope import Scope

Dimension = tuple[int, int]
"""Exponents of time and voltage."""

PLAIN: Dimension = (0, 0)
TIME: Dimension = (1, 0)
VOLTAGE: Dimension = (0, 1)
RATE: Dimension = (-1, 0)
DIMENSIONS: dict[Dimension, tuple[str, str]] = {
    PLAIN: ("a plain number", "without a unit"),
    TIME: ("a time", "such as 5 ms, or in seconds: 5e-3"),
    VOLTAGE: ("a voltage", "such as 10 mV, or in volts: 10e-3"),
    RATE: ("a rate", "such as 50 Hz, or per second: 50"),
}
"""What a number can be, and how it is written."""

_EXPONENT_LIMIT = 400
_BITS_LIMIT = 2048

WHOLE_LIMIT = 10**18
"""Whole numbers are smaller."""
_NUMBER = re.compile(r"[+-]?([0-9]*)\.?[0-9]*(?:[eE]([+-]?[0-9]+))?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit, in SI units."""

    number: Fraction
    dimension: Dimension
    span: Span
    is_minus_zero: bool = False
    """Whether it is -0.0, which fractions do not know."""

    @property
    def real(self) -> float:
        """The nearest float64; an error at its place for a number that is too large."""
        return -0.0 if self.is_minus_zero else _float(self.number, self.span)


@dataclass(frozen=True, slots=True)
class Array:
    """A list of numbers (of lists of numbers, ...), all of one dimension."""

    array: NDArray[np.float64]
    dimension: Dimension
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A name that is no constant, to be understood in `scope` where it is used: a signal, or a word such as `same`."""

    text: str
    scope: Scope
    span: Span


@dataclass(frozen=True, slots=True)
class Neurons:
    """A neuron model with parameters, behind a name. `using` comes with the scope in which it is understood."""

    model: str
    arguments: dict[str, tuple[Setting, Scope]]
    using: tuple[Using, Scope] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Words:
    """A text in quotes. `directory` is that of the file in which it is written: names of files are relative to it."""

    text: str
    span: Span
    directory: Path

    @property
    def path(self) -> Path:
        """The file of this name."""
        return self.directory / self.text


Constant = Quantity | Array | Words | Name | Neurons


def kind_of(value: Constant) -> str:
    """What a value is, for messages."""
    match value:
        case Quantity():
            return dimension_text(value.dimension)
        case Array():
            return "a list"
        case Words():
            return "a text in quotes"
        case Name():
            return f"the name '{value.text}'"
        case Neurons():
            return "a neuron model"


def dimension_text(dimension: Dimension) -> str:
    """A dimension in words; `s^2 V^-1` for what has no name."""
    if dimension in DIMENSIONS:
        return DIMENSIONS[dimension][0]
    parts = [f"{unit}^{power}" for unit, power in zip(("s", "V"), dimension, strict=True) if power]
    return f"a number in {' '.join(parts)}"


def evaluate(expression: Expression, scope: Scope) -> Constant:
    """The value of an expression. A name that is no constant stays a `Name`. Raises `SnnirError`."""
    match expression:
        case Number():
            return _quantity(expression, scope)
        case Word():
            return scope.constant(expression)
        case Text():
            return Words(expression.text, scope.place(expression.span), expression.span.source.directory)
        case Plain():
            return Array(expression.array, PLAIN, scope.place(expression.span))
        case Items():
            return _array(expression, scope)
        case Negative():
            value = evaluate(expression.operand, scope)
            if not isinstance(value, Quantity):
                raise value.span.error(f"- before {kind_of(value)}", "only numbers have a sign")
            is_minus_zero = not value.number and not value.is_minus_zero
            return Quantity(-value.number, value.dimension, scope.place(expression.span), is_minus_zero)
        case Operation():
            return _operation(expression, scope)


def _quantity(number: Number, scope: Scope) -> Quantity:
    span = scope.place(number.span)
    match = _NUMBER.fullmatch(number.text)
    exponent = int(match[2]) if match and match[2] and len(match[2]) < 8 else 0 if match and not match[2] else 10**8
    digits = len(number.text)
    if abs(exponent) > _EXPONENT_LIMIT or digits > _EXPONENT_LIMIT:
        value = float(number.text)
        if value in (float("inf"), float("-inf")):
            shown = number.text if digits <= 24 else f"{number.text[:20]}..."
            raise span.error(f"{shown} is too large for a number", "use a number below 1e308")
        exact = Fraction(value)
    else:
        exact = Fraction(number.text)
    if number.unit is None:
        return Quantity(exact, PLAIN, span, not exact and number.text.startswith("-"))
    unit = UNITS[number.unit]
    return Quantity(exact * unit.factor, unit.dimension, span)


def _operation(expression: Operation, scope: Scope) -> Quantity:
    total = _operand(evaluate(expression.first, scope))
    span = scope.place(expression.span)
    for operator, each in expression.rest:
        value = _operand(evaluate(each, scope))
        (a, da), (b, db) = (total.number, total.dimension), (value.number, value.dimension)
        if operator in "+-":
            if da != db:
                what = f"{dimension_text(da)} {operator} {dimension_text(db)} has no meaning"
                raise value.span.error(what, "give both sides the same unit")
            result, dimension = a + b if operator == "+" else a - b, da
        elif operator == "*":
            result, dimension = a * b, (da[0] + db[0], da[1] + db[1])
        else:
            if not b:
                raise value.span.error("division by zero", "divide by another number")
            result, dimension = a / b, (da[0] - db[0], da[1] - db[1])
        total = Quantity(_bounded(result, span), dimension, span)
    return total


def _operand(value: Constant) -> Quantity:
    if isinstance(value, Name):
        raise value.scope.unknown_constant(value)
    if not isinstance(value, Quantity):
        raise value.span.error(f"arithmetic with {kind_of(value)}", "only numbers can be added and multiplied")
    return value


def _bounded(number: Fraction, span: Span) -> Fraction:
    """The number; rounded to float64 when its exact form gets long."""
    if max(number.numerator.bit_length(), number.denominator.bit_length()) <= _BITS_LIMIT:
        return number
    return Fraction(_float(number, span))


def _float(number: Fraction, span: Span) -> float:
    try:
        return float(number)
    except OverflowError:
        raise span.error("the number is too large", "use a number below 1e308") from None


def _array(items: Items, scope: Scope) -> Array:
    entries = [evaluate(each, scope) for each in items.entries]
    first, arrays = entries[0], list[NDArray[np.float64]]()
    for each in entries:
        if isinstance(each, Name):
            raise each.scope.unknown_constant(each)
        if not isinstance(each, Quantity | Array):
            raise each.span.error(f"a list holds numbers, but this is {kind_of(each)}", "write [1, 2, 3]")
        assert isinstance(first, Quantity | Array)
        array = np.float64(each.real) if isinstance(each, Quantity) else each.array
        arrays.append(np.asarray(array))
        if array.shape != arrays[0].shape:
            raise each.span.error(_ragged(arrays[0], arrays[-1]), "all rows of a matrix are of one length")
        if each.dimension != first.dimension:
            what = f"{dimension_text(each.dimension)} in a list that starts with {dimension_text(first.dimension)}"
            raise each.span.error(what, "give all entries the same unit")
    assert isinstance(first, Quantity | Array)
    return Array(np.stack(arrays), first.dimension, scope.place(items.span))


def _ragged(first: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    if first.ndim == other.ndim == 1:
        return f"this row has {other.size} numbers, but the first one has {first.size}"
    shapes = ["x".join(map(str, each.shape)) or "one number" for each in (other, first)]
    return f"this entry is {shapes[0]}, but the first one is {shapes[1]}"


# -- what values may be used as -------------------------------------------------------------------------------------


def check_dimension(value: Quantity | Array, what: str, allowed: Dimension) -> None:
    """Raise unless a value has the wanted dimension, or none."""
    if value.dimension not in (PLAIN, allowed):
        name, example = DIMENSIONS[allowed]
        found = dimension_text(value.dimension)
        raise value.span.error(f"{what} is {name}, but this is {found}", f"write a number {example}")


def number(value: Constant, what: str, allowed: Dimension = PLAIN, example: str = "1e-3") -> float:
    """A number, in SI units."""
    if isinstance(value, Name):
        raise value.scope.unknown_constant(value, f"{what} is a number")
    if not isinstance(value, Quantity):
        raise value.span.error(f"{what} is a number, but this is {kind_of(value)}", f"write {what} = {example}")
    check_dimension(value, what, allowed)
    return value.real


def whole(value: Constant, what: str, unit: str = "", least: int = 0, dt: Fraction | None = None) -> int:
    """A whole number, at least `least`; where `dt` is given, also a time that is a whole number of steps."""
    of = f" of {unit}" if unit else ""
    wanted = f"{what} is a whole number{of}, {least} or more"
    if isinstance(value, Name):
        raise value.scope.unknown_constant(value, wanted)
    hint = f"write {what} = {max(1, least)}, for example"
    if not isinstance(value, Quantity):
        raise value.span.error(wanted, hint)
    exact = value.number
    if dt is not None and value.dimension == TIME:
        exact = exact / dt
        if exact.denominator != 1:
            seconds = [f"{float(each) * 1e3:.6g} ms" for each in (value.number, dt)]
            what = f"{what} is {seconds[0]}, which is no whole number of steps of {seconds[1]}"
            raise value.span.error(what, "use a multiple of dt, or a number of steps")
    else:
        check_dimension(value, what, PLAIN)
    if exact.denominator != 1 or not least <= exact < WHOLE_LIMIT:
        raise value.span.error(wanted, hint)
    return int(exact)


def wholes(value: Constant, what: str, least: int) -> tuple[int, ...]:
    """Whole numbers of a list; one number is a list of one."""
    if not isinstance(value, Array):
        return (whole(value, what, "", least),)
    check_dimension(value, what, PLAIN)
    array = value.array
    if array.ndim != 1 or not ((array == np.rint(array)) & (array >= least) & (array < 2**31)).all():
        wanted = f"{what} is a list of whole numbers, {least} or more"
        raise value.span.error(wanted, f"write {what} = [2, 2], for example")
    return tuple(int(each) for each in array)


def word(value: Constant, what: str, words: tuple[str, ...]) -> str:
    """One of some words."""
    if isinstance(value, Name):
        bound = value.scope.bound_word(value)
        if bound in words:
            return bound
        value = replace(value, text=bound)
    found = f"'{value.text}'" if isinstance(value, Name | Words) else kind_of(value)
    raise value.span.error(f"{found} is not a value of {what}", f"use {' or '.join(words)}")


def text(value: Constant, what: str, meaning: str = "the name of a file") -> Words:
    """A text in quotes."""
    if not isinstance(value, Words):
        raise value.span.error(f"{what} is {meaning}", f'write {what} = "file name"')
    return value


def too_many(span: Span, limit: int) -> SnnirError:
    """The error for a program that grows without bound."""
    return span.error(f"the program has more than {limit} declarations", "use fewer instances")
