"""The attributes and types that all levels share: signals, tensors, index sets, semantics.

They belong to the `snn` dialect (`!snn.signal`, `#snn.tensor`, ...) and are registered by it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Self, TypeVar, cast

import numpy as np
from xdsl.dialects.builtin import (
    FloatAttr,
    IntAttr,
    IntegerType,
    NoneAttr,
    Signedness,
    f32,
    f64,
)
from xdsl.ir import Attribute, Block, Data, ParametrizedAttribute, Region, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.mlir_lexer import MLIRLexer

from snnir import tensors
from snnir.activations import span_of
from snnir.dialects.quick_text import parse_optional_quick_indices
from snnir.errors import SnnirError
from snnir.indices import LIMIT, Indices, Run
from snnir.semantics import PRESETS, Semantics, preset
from snnir.tensors import Tensor

_ELEMENTS: dict[str, Attribute] = {
    "f32": f32,
    "f64": f64,
    "i8": IntegerType(8),
    "i16": IntegerType(16),
    "i32": IntegerType(32),
    "i64": IntegerType(64),
    "ui8": IntegerType(8, Signedness.UNSIGNED),
}
CODE_BITS = 16
"""The most bits of a code."""
_DECIMAL_ELEMENTS = 64
_T = TypeVar("_T")


def decimal(value: float) -> str:
    """The shortest decimal that parses back to `value`, always with a point: `0.005`, `1.0e-07`."""
    text = repr(float(value))
    mantissa, exponent_mark, exponent = text.partition("e")
    return (mantissa if "." in mantissa else f"{mantissa}.0") + exponent_mark + exponent


def symbol(name: str) -> str:
    """A name as text refers to it: `@hidden`, or `@"0/hidden"` where it is no identifier."""
    if MLIRLexer.bare_identifier_regex.fullmatch(name):
        return f"@{name}"
    text = StringIO()
    Printer(text).print_symbol_name(name)
    return text.getvalue()


def parse_text(parser: AttrParser, what: str) -> str:
    """Parse a string literal; xDSL lexes those with escapes beyond ASCII, which its printer writes, as bytes."""
    start = parser.pos
    data = parser.parse_optional_bytes_literal()
    if data is None:
        return parser.parse_str_literal(f" ({what})")
    try:
        return data.decode()
    except UnicodeDecodeError:
        parser.raise_error(f"{what} is not UTF-8", start)


@irdl_attr_definition
class ShapeAttr(Data[tuple[int, ...]]):
    """The dimensions of a signal."""

    name = "snn.shape"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, ...]:
        with parser.in_angle_brackets():
            return tuple(parser.parse_dimension_list())

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_dimension_list(self.data)


@irdl_attr_definition
class IntsAttr(Data[tuple[int, ...]]):
    """A short list of whole numbers, one per dimension: strides, padding.

    ```mlir
    #snn.ints<[2, 1]>
    ```
    """

    name = "snn.ints"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, ...]:
        with parser.in_angle_brackets():
            return parse_ints(parser)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(list(self.data)))


def parse_ints(parser: AttrParser) -> tuple[int, ...]:
    """Parse `[2, 1]`."""
    return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer))


@irdl_attr_definition
class SignalType(ParametrizedAttribute, TypeAttribute):
    """What flows between populations: one value per neuron and step.

    The element is `spike` (0 or 1), a float (a real-valued current or activation) or an integer type: codes of k bits,
    `i6` from 0 to 63, `si6` from -32 to 31 (`snnir.activations.Coding`).

    ```mlir
    !snn.signal<16x28x28, spike>
    ```
    """

    name = "snn.signal"
    shape: ShapeAttr
    element: Attribute

    @staticmethod
    def spikes(*shape: int) -> "SignalType":
        """A spike signal of the given shape."""
        return SignalType(ShapeAttr(shape), NoneAttr())

    @staticmethod
    def current(*shape: int) -> "SignalType":
        """A real-valued signal of the given shape."""
        return SignalType(ShapeAttr(shape), f64)

    @property
    def is_spike(self) -> bool:
        """Whether spikes flow."""
        return isinstance(self.element, NoneAttr)

    @property
    def is_coded(self) -> bool:
        """Whether codes of k bits flow."""
        return isinstance(self.element, IntegerType)

    @property
    def is_discrete(self) -> bool:
        """Whether whole numbers flow, which lines of a machine can carry: spikes or codes."""
        return self.is_spike or self.is_coded

    @property
    def span(self) -> tuple[int, int] | None:
        """The least and the largest whole number that flows; `None` for reals."""
        if self.is_coded:
            return span_of(self._code.width.data, self._code.signedness.data == Signedness.SIGNED)
        return (0, 1) if self.is_spike else None

    @property
    def _code(self) -> "IntegerType[int, Signedness]":
        return cast("IntegerType[int, Signedness]", self.element)

    @property
    def size(self) -> int:
        """The number of neurons."""
        return math.prod(self.shape.data)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            shape = ShapeAttr(tuple(parser.parse_dimension_list()))
            parser.parse_punctuation(",")
            if parser.parse_optional_keyword("spike"):
                return shape, NoneAttr()
            return shape, parser.parse_type()

    def print_parameters(self, printer: Printer) -> None:
        printer.print_string(f"<{'x'.join(map(str, self.shape.data))}, ")
        if self.is_spike:
            printer.print_string("spike>")
        else:
            printer.print_attribute(self.element)
            printer.print_string(">")

    def verify(self) -> None:
        if not self.shape.data or min(self.shape.data) < 1:
            raise VerifyException("a signal needs at least one dimension and no empty ones")
        if self.size >= LIMIT:
            raise VerifyException(f"a signal of {self.size} neurons is too large; the limit is {LIMIT - 1}")
        if not isinstance(self.element, NoneAttr | IntegerType) and self.element not in (f32, f64):
            raise VerifyException("a signal's element is `spike`, f32, f64 or an integer type")
        if self.is_coded and not 1 <= self._code.width.data <= CODE_BITS:
            raise VerifyException(f"codes have 1 to {CODE_BITS} bits, not {self._code}")


@dataclass(frozen=True, init=False)
class SizeType(ParametrizedAttribute, TypeAttribute):
    """A base of types that say how many values something has, and nothing else: `!dialect.name<3>`."""

    size: IntAttr

    @classmethod
    def of(cls, size: int) -> Self:
        """The type of that size."""
        return cls(IntAttr(size))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return [IntAttr(parser.parse_integer(allow_negative=False))]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_int(self.size.data)


@irdl_attr_definition
class TensorAttr(Data[Tensor]):
    """A named array: inline when small, in a safetensors file beside the text when large.

    ```mlir
    #snn.tensor<"fc.bias", 3xf32, [0.5, -1.0, 0.25]>
    #snn.tensor<"fc.weight", 2x1xi8, "0x017F">
    ```
    """

    name = "snn.tensor"

    @staticmethod
    def of(key: str, array: "np.ndarray[Any, Any]") -> "TensorAttr":
        """The attribute for a numpy array."""
        return TensorAttr(Tensor.of(key, array))

    @property
    def array(self) -> "np.ndarray[Any, Any]":
        """The elements, read-only."""
        return self.data.array

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Tensor:
        start = parser.pos
        with parser.in_angle_brackets():
            key = parse_text(parser, "the tensor's key")
            parser.parse_punctuation(",")
            dims, element = parser.parse_ranked_shape()
            names = [name for name, type_ in _ELEMENTS.items() if type_ == element]
            if not names or not dims or min(dims) < 1:
                known = ", ".join(_ELEMENTS)
                parser.raise_error(f"a tensor needs dimensions, none of them 0, and one of the elements {known}", start)
            parser.parse_punctuation(",")
            try:
                return _parse_payload(parser, key, tuple(dims), names[0])
            except SnnirError as error:
                parser.raise_error(f"{error.message} ({error.place})", start)

    def print_parameter(self, printer: Printer) -> None:
        tensor, policy = self.data, tensors.printing_policy()
        small = tensor.size <= tensors.INLINE_ELEMENTS
        decimals = tensor.size <= _DECIMAL_ELEMENTS and tensor.is_finite
        key = policy.store(tensor) if policy.mode == "beside" and not small else tensor.key
        with printer.in_angle_brackets():
            printer.print_string_literal(key)
            printer.print_string(", " + "x".join(map(str, tensor.shape)) + f"x{tensor.element}, ")
            if policy.mode == "elided" and not decimals:
                printer.print_string("elided")  # hexadecimal is nothing for people either
            elif not small and policy.mode == "beside":
                printer.print_string(f'digest "{tensor.digest}" in ')
                printer.print_string_literal(policy.file_name)
            elif decimals:
                printer.print_string(f"[{', '.join(_number(x) for x in tensor.array.ravel())}]")
            else:
                printer.print_string(f'"0x{np.ascontiguousarray(tensor.array).tobytes().hex().upper()}"')

    def verify(self) -> None:
        if len(self.data.shape) == 0:
            raise VerifyException("a tensor has at least one dimension; write a scalar as a number")
        if min(self.data.shape) < 1:
            raise VerifyException("a tensor has no empty dimension")


def _number(value: Any) -> str:
    if value.dtype.kind == "f":
        text = str(value)
        return text if "." in text and "e" not in text else decimal(float(text))
    return str(int(value))


def _parse_payload(parser: AttrParser, key: str, shape: tuple[int, ...], element: str) -> Tensor:
    size, dtype = math.prod(shape), tensors.DTYPES[element]
    if parser.parse_optional_keyword("digest"):
        digest = parser.parse_str_literal(" (the tensor's digest)")
        parser.parse_keyword("in")
        path = tensors.resolve(parse_text(parser, "a file name"))
        tensor = Tensor.open(path, key)
        if (tensor.shape, tensor.element) != (shape, element):
            found = "x".join(map(str, (*tensor.shape, tensor.element)))
            raise SnnirError(path, f"tensor '{key}' is {found} in its file")
        if tensor.digest != digest:
            raise SnnirError(path, f"wrong digest of tensor '{key}': the file has {tensor.digest}")
        return tensor
    if parser.parse_optional_keyword("elided"):
        parser.raise_error(f"tensor '{key}' was elided when this text was printed; print it without --elide-tensors")
    hexadecimal = parser.parse_optional_str_literal()
    if hexadecimal is not None:
        try:
            data = bytes.fromhex(hexadecimal.removeprefix("0x"))
        except ValueError:
            parser.raise_error("a tensor's text is hexadecimal: two digits for each byte")
        if len(data) != size * dtype.itemsize:
            parser.raise_error(f"{len(data)} bytes for {size} elements of {element}")
        return Tensor.of(key, np.frombuffer(data, dtype).reshape(shape))
    values = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_number)
    if len(values) != size:
        parser.raise_error(f"{len(values)} numbers for {size} elements")
    if dtype.kind != "f" and not all(isinstance(value, int) for value in values):
        parser.raise_error(f"{element} holds whole numbers only")
    try:
        with np.errstate(over="raise", under="ignore"):
            array = np.array([float(value) for value in values] if dtype.kind == "f" else values, dtype)
        if dtype.kind == "f" and not np.isfinite(array).all():
            raise OverflowError
    except (OverflowError, FloatingPointError):
        parser.raise_error(f"a number does not fit {element}")
    return Tensor.of(key, array.reshape(shape))


@irdl_attr_definition
class IndicesAttr(Data[Indices]):
    """An ordered set of indices, as runs.

    ```mlir
    #snn.indices<[0:64, 70, 80:90:2]>
    ```
    """

    name = "snn.indices"

    @staticmethod
    def span(start: int, stop: int) -> "IndicesAttr":
        """The indices from `start` up to, not including, `stop`."""
        return IndicesAttr(Indices.span(start, stop))

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Indices:
        with parser.in_angle_brackets():
            return parse_indices(parser)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self.data))


def parse_indices(parser: AttrParser) -> Indices:
    """Parse `[0:64, 70]`."""
    indices = parse_optional_quick_indices(parser)
    if indices is not None:
        return indices
    start = parser.pos
    runs = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_run(parser))
    try:
        return Indices.of_runs(runs)
    except ValueError as error:
        parser.raise_error(str(error), start)


def _parse_run(parser: AttrParser) -> Run:
    first = parser.parse_integer(allow_negative=False)
    if parser.parse_optional_punctuation(":") is None:
        return first, first + 1, 1
    stop = parser.parse_integer(allow_negative=False)
    step = parser.parse_integer(allow_negative=False) if parser.parse_optional_punctuation(":") else 1
    return first, stop, step


@irdl_attr_definition
class SemanticsAttr(Data[Semantics]):
    """Neuron semantics: a preset and what differs from it.

    ```mlir
    #snn.semantics<nir, reset = subtract, refractory = 3>
    ```
    """

    name = "snn.semantics"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Semantics:
        return parse_semantics(parser)

    def print_parameter(self, printer: Printer) -> None:
        differences = "".join(f", {k} = {v}" for k, v in self.data.differences(Semantics()).items())
        printer.print_string(f"<nir{differences}>")


def parse_semantics(parser: AttrParser, model: str | None = None) -> Semantics:
    """Parse `<nir, reset = subtract>`. A preset stands for what it means for the neuron model, where that is known."""
    with parser.in_angle_brackets():
        start = parser.pos
        name = parser.parse_identifier(" (a semantics preset)")
        changes: dict[str, str] = {}
        while parser.parse_optional_punctuation(","):
            key = parser.parse_identifier(" (a semantics field)")
            if key in changes:
                parser.raise_error(f"'{key}' is given twice", start)
            parser.parse_punctuation("=")
            number = parser.parse_optional_integer(allow_boolean=False)
            changes[key] = parser.parse_identifier(" (a value)") if number is None else str(number)
        if name not in PRESETS:
            parser.raise_error(f"no semantics preset '{name}'; there are {', '.join(PRESETS)}", start)
        try:
            return (PRESETS[name].semantics if model is None else preset(name, model)).changed(changes)
        except ValueError as error:
            parser.raise_error(str(error), start)


ValueAttr = FloatAttr[Any] | TensorAttr
"""A parameter: one f64 for all neurons, or a tensor with one entry per neuron."""


def value_of(attribute: Attribute) -> "float | np.ndarray[Any, np.dtype[np.float64]]":
    """A parameter as numpy sees it: a float, or a flat float64 array."""
    if isinstance(attribute, TensorAttr):
        return attribute.array.astype(np.float64).ravel()
    return float(cast(FloatAttr[Any], attribute).value.data)


def print_value(printer: Printer, attribute: Attribute) -> None:
    """Print a parameter: a decimal or a tensor."""
    if isinstance(attribute, TensorAttr):
        printer.print_attribute(attribute)
    else:
        printer.print_string(decimal(cast(FloatAttr[Any], attribute).value.data))


def parse_value(parser: AttrParser) -> Attribute:
    """Parse a parameter: a number (f64) or a `#snn.tensor`."""
    start = parser.pos
    number = parser.parse_optional_number()
    if number is not None:
        return FloatAttr(_finite(parser, number, start), 64)
    value = parser.parse_attribute()
    if not isinstance(value, TensorAttr):
        parser.raise_error("expected a number or a #snn.tensor", start)
    return value


def parse_decimal(parser: AttrParser) -> float:
    """Parse a number that float64 can hold."""
    start = parser.pos
    return _finite(parser, parser.parse_number(), start)


def _finite(parser: AttrParser, number: float, start: int) -> float:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        parser.raise_error("this number is too large for f64", start)
    return value


def parse_body(parser: Parser) -> Region:
    """Parse a region of one block, which may be empty."""
    body = parser.parse_region()
    if not body.blocks:
        body.add_block(Block())
    return body


def parse_fields(
    parser: AttrParser, item: Callable[[], _T], delimiter: AttrParser.Delimiter = AttrParser.Delimiter.PAREN
) -> dict[str, _T]:
    """Parse `(name = item, ...)`; a repeated name is an error."""
    result: dict[str, _T] = {}

    def entry() -> None:
        start = parser.pos
        name = parser.parse_identifier()
        if name in result:
            parser.raise_error(f"'{name}' is given twice", start)
        parser.parse_punctuation("=")
        result[name] = item()

    parser.parse_comma_separated_list(delimiter, entry)
    return result
