"""The attributes of the `dataflow` dialect: token types, exact numbers, phases, ends of channels, processor types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from io import StringIO
from typing import Any

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SizeType, parse_text

Phases = int | tuple[int, ...]
"""The same number for every firing, or one for each phase of a cycle: firing k has entry k modulo the length (>= 2)."""

_SHARED = 1 << 14
"""So many attributes that were made last are used again: ten thousands of actors and channels have few different
ones."""


@irdl_attr_definition
class TokenType(SizeType):
    """Tokens of at most this many spikes (or partial sums; bits, in graphs that were not made from a network).

    ```mlir
    !dataflow.token<21>
    ```
    """

    name = "dataflow.token"

    def verify(self) -> None:
        if self.size.data < 0:
            raise VerifyException("a token holds 0 or more values")


@lru_cache(_SHARED, typed=True)
def token_type(size: int) -> TokenType:
    """The type of tokens of up to `size` values, maybe one that was made before."""
    return TokenType.of(size)


@irdl_attr_definition
class RationalAttr(Data[Fraction]):
    """An exact number.

    ```mlir
    #dataflow.rational<7/2>
    ```
    """

    name = "dataflow.rational"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Fraction:
        with parser.in_angle_brackets():
            return parse_rational(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


def parse_rational(parser: AttrParser) -> Fraction:
    """Parse `7/2` or `7`."""
    numerator = parser.parse_integer()
    if parser.parse_optional_characters("/") is None:
        return Fraction(numerator)
    start = parser.pos
    denominator = parser.parse_integer(allow_negative=False)
    if not denominator:
        parser.raise_error("a denominator is not zero", start)
    return Fraction(numerator, denominator)


@irdl_attr_definition
class PhasesAttr(Data[Phases]):
    """A number for each firing: one for all, or one for each phase of a cycle.

    ```mlir
    #dataflow.phases<[3, 4]>
    ```
    """

    name = "dataflow.phases"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Phases:
        with parser.in_angle_brackets():
            return parse_phases(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{phases_text(self.data)}>")

    def verify(self) -> None:
        if isinstance(self.data, tuple) and len(self.data) < 2:
            raise VerifyException("a list of phases has two at least; one number stands for all firings")


@lru_cache(_SHARED, typed=True)
def phases_attr(phases: Phases) -> PhasesAttr:
    """The attribute, maybe one that was made before."""
    return PhasesAttr(phases)


def entries(phases: Phases) -> tuple[int, ...]:
    """The number of each phase, one where all firings are alike."""
    return phases if isinstance(phases, tuple) else (phases,)


def phases_of(numbers: Sequence[int]) -> Phases:
    """The phases with these numbers (at least one)."""
    return tuple(numbers) if len(numbers) > 1 else numbers[0]


def phases_text(phases: Phases) -> str:
    """`3`, or `[3, 4]`."""
    return f"[{', '.join(map(str, phases))}]" if isinstance(phases, tuple) else str(phases)


def parse_phases(parser: AttrParser) -> Phases:
    """Parse `3`, or `[3, 4]`; `[3]` is the same as `3`."""
    start = parser.pos
    numbers = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
    if numbers is None:
        return parser.parse_integer()
    if not numbers:
        parser.raise_error("a list of phases is not empty", start)
    return phases_of(numbers)


@dataclass(frozen=True)
class Use:
    """The consuming end of a channel."""

    rate: Phases = 1
    """Tokens taken by one firing."""
    tokens: int = 0
    """Initial tokens: the delay of the channel."""
    capacity: int | None = None
    """Tokens for which there is space, counted from the start of the producer to the end of the consumer; `None`:
    unlimited. Tokens on their way through transport actors count."""
    name: str | None = None
    """The channel's own name, where it has one."""
    source: int | None = None
    """Tokens for which there is space at the producer's tile when the two ends are on different tiles."""
    target: int | None = None
    """The same at the consumer's tile."""
    memory: int | None = None
    """Tokens for which there is space when both ends are on one tile."""
    bandwidth: Fraction | None = None
    """Least bandwidth of a connection between tiles, in bits per time unit."""
    latency: int | None = None
    """Least latency of a connection between tiles, in time units; kept as it was read, no analysis looks at it."""

    def __str__(self) -> str:
        rate = phases_text(self.rate)
        text = rate if isinstance(self.rate, tuple) else f"[{rate}]"
        for key in _USE:
            value = getattr(self, key)
            if value is not None and (key, value) != ("tokens", 0):
                text += f" {key} {quoted(value) if isinstance(value, str) else value}"
        return text

    def problem(self) -> str | None:
        """What makes this no end of a channel, in words; `None` when nothing does."""
        if isinstance(self.rate, tuple):
            if min(self.rate) < 0 or not any(self.rate):
                return "no phase takes less than 0 tokens, and one at least takes some"
        elif self.rate < 1:
            return "a rate is at least 1, initial tokens are not negative"
        if self.tokens < 0:
            return "a rate is at least 1, initial tokens are not negative"
        if self.capacity is not None and self.capacity < max(self.tokens, *entries(self.rate)):
            return f"a capacity of {self.capacity} is less than the initial tokens, or than what one firing takes"
        for key in _USE[3:]:
            value = getattr(self, key)
            if value is not None and value < 0:
                return f"the {key} of a channel is not negative"
        return None


@irdl_attr_definition
class UseAttr(Data[Use]):
    """The consuming end of a channel.

    ```mlir
    #dataflow.use<[1] tokens 1 capacity 3>
    ```
    """

    name = "dataflow.use"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Use:
        with parser.in_angle_brackets():
            return parse_use(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        problem = self.data.problem()
        if problem is not None:
            raise VerifyException(problem)


@lru_cache(_SHARED, typed=True)
def use_attr(use: Use) -> UseAttr:
    """The attribute, maybe one that was made before."""
    return UseAttr(use)


def parse_use(parser: AttrParser) -> Use:
    """Parse `[1] tokens 1 capacity 3`, or `[1, 0] name "c" source 2 target 2 memory 4 bandwidth 1/2 latency 3`."""
    rate = phases_of(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer) or [0])
    found: dict[str, Any] = {}
    for key, parse in _USE_FIELDS.items():
        if parser.parse_optional_keyword(key):
            found[key] = parse(parser)
    return Use(rate, **found)


def quoted(text: str) -> str:
    """The text as a string literal."""
    stream = StringIO()
    Printer(stream).print_string_literal(text)
    return stream.getvalue()


def _parse_name(parser: AttrParser) -> str:
    return parse_text(parser, "the name of a channel")


def _parse_count(parser: AttrParser) -> int:
    return parser.parse_integer()


_USE_FIELDS: dict[str, Callable[[AttrParser], int | str | Fraction]] = {
    "tokens": _parse_count,
    "capacity": _parse_count,
    "name": _parse_name,
    "source": _parse_count,
    "target": _parse_count,
    "memory": _parse_count,
    "bandwidth": parse_rational,
    "latency": _parse_count,
}
_USE = tuple(_USE_FIELDS)


@dataclass(frozen=True)
class Processor:
    """A type of processor on which an actor can run."""

    type: str
    time: Phases
    """Its firing time there."""
    memory: int | None = None
    """The memory that it needs there beside its channels, in bits."""

    def __str__(self) -> str:
        memory = "" if self.memory is None else f" memory {self.memory}"
        return f"{quoted(self.type)} {phases_text(self.time)}{memory}"


@irdl_attr_definition
class ProcessorAttr(Data[Processor]):
    """A type of processor on which an actor can run, the firing time there, and the memory that it needs.

    ```mlir
    #dataflow.processor<"arm" [3, 4] memory 128>
    ```
    """

    name = "dataflow.processor"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Processor:
        with parser.in_angle_brackets():
            return parse_processor(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        if min(*entries(self.data.time), self.data.memory or 0, 0) < 0:
            raise VerifyException("neither times nor memory are negative")


def parse_processor(parser: AttrParser) -> Processor:
    """Parse `"arm" [3, 4] memory 128`."""
    kind = parse_text(parser, "the type of a processor")
    time = parse_phases(parser)
    return Processor(kind, time, parser.parse_integer() if parser.parse_optional_keyword("memory") else None)
