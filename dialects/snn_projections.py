"""Projections: the weighted ops of the `snn` dialect, dense, one-to-one, convolutions, sparse."""

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from xdsl.dialects.builtin import IntAttr, f64
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import IntsAttr, SignalType, TensorAttr, parse_value, print_value, value_of
from snnir.dialects.snn_shapes import verify_delay, verify_numbers, verify_steps
from snnir.dialects.snn_text import (
    VALUE,
    parse_optional_int,
    parse_optional_ints,
    parse_types,
    print_types,
    verify_read,
)
from snnir.semantics import Value
from snnir.windows import Windows


class WeightedOp(IRDLOperation, HasCanonicalizationPatternsInterface, ABC):
    """A projection: a weighted copy of a signal, `delay` steps late.

    `scale` (one number, or one per target or output channel) multiplies integer weights; a bias is a constant current
    in every step, also in those in which the signal has not arrived yet.
    """

    source = operand_def(SignalType)
    current = result_def(SignalType)
    weights = prop_def(VALUE)
    bias = opt_prop_def(TensorAttr)
    scale = opt_prop_def(VALUE)
    delay = prop_def(IntAttr)
    traits = traits_def(Pure())
    KEYWORD: ClassVar[str] = "weights"
    LANES: ClassVar[str] = "targets"

    def __init__(
        self,
        source: SSAValue | Operation,
        weights: Attribute,
        result: SignalType,
        *,
        bias: TensorAttr | None = None,
        scale: Attribute | None = None,
        delay: int = 0,
        details: Mapping[str, Attribute | None] | None = None,
    ) -> None:
        properties: dict[str, Attribute | None] = {"weights": weights, **(details or {}), "bias": bias, "scale": scale}
        super().__init__(operands=[source], result_types=[result], properties={**properties, "delay": IntAttr(delay)})

    @property
    def lanes(self) -> int:
        """How many entries a bias or a scale has."""
        return self.current_type.size

    @property
    def source_type(self) -> SignalType:
        """The type of the signal that is read."""
        assert isinstance(self.source.type, SignalType)
        return self.source.type

    @property
    def current_type(self) -> SignalType:
        """The type of the current that is made."""
        assert isinstance(self.current.type, SignalType)
        return self.current.type

    def spread(self, lanes: Value) -> Value:
        """What is stated once or per lane, once or per target."""
        return lanes

    def per_weight(self, lanes: Value) -> Value:
        """What is stated once or per lane, in a shape that multiplies the weights as they are stored."""
        if not np.ndim(lanes) or not isinstance(self.weights, TensorAttr):
            return np.ravel(lanes) if np.ndim(lanes) else lanes
        return np.reshape(lanes, (-1, *(1,) * (len(self.weights.data.shape) - 1)))

    def verify_(self) -> None:
        verify_delay(self.delay.data)
        verify_read(self.source_type)
        if self.current_type.element != f64:
            raise VerifyException("a projection makes a current; give its result the element f64")
        if not isinstance(self, ScaleOp) and not isinstance(self.weights, TensorAttr):
            raise VerifyException("the weights of this projection are a tensor")
        self.verify_shapes()
        for name in ("weights", "bias", "scale"):
            self._verify_tensor(name, self.properties.get(name))
        integer = isinstance(self.weights, TensorAttr) and not self.weights.data.element.startswith("f")
        if integer and self.scale is None:
            raise VerifyException("integer weights need a scale")
        if self.scale is not None and not (np.asarray(value_of(self.scale)) > 0).all():
            raise VerifyException("a scale must be positive")

    def _verify_tensor(self, name: str, attribute: Attribute | None) -> None:
        if not isinstance(attribute, TensorAttr):
            if attribute is not None and not np.isfinite(value_of(attribute)):
                raise VerifyException(f"{name} is not finite")
            return
        if not attribute.data.is_finite:
            place = [int(i) for i in np.argwhere(~np.isfinite(attribute.array))[0]]
            raise VerifyException(f"{name} '{attribute.data.key}' holds a value that is not finite (NaN?) at {place}")
        if name != "weights" and attribute.data.size != self.lanes:
            raise VerifyException(
                f"{name} '{attribute.data.key}' has {attribute.data.size} entries for {self.lanes} {self.LANES}"
            )

    def verify_shapes(self) -> None:
        """Whether weights, source and result fit each other."""
        raise NotImplementedError

    @classmethod
    def parse_details(cls, parser: Parser, properties: dict[str, Attribute]) -> None:
        """Parse what stands between the weights and the bias."""

    def print_details(self, printer: Printer) -> None:
        """Print what stands between the weights and the bias."""

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import DelayIntoProjection  # noqa: PLC0415

        return (DelayIntoProjection(),)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        source = parser.parse_unresolved_operand()
        parser.parse_keyword(cls.KEYWORD)
        properties: dict[str, Attribute] = {"weights": parse_value(parser)}
        cls.parse_details(parser, properties)
        if parser.parse_optional_keyword("bias"):
            properties["bias"] = parser.parse_attribute()
        if parser.parse_optional_keyword("scale"):
            properties["scale"] = parse_value(parser)
        properties["delay"] = IntAttr(parser.parse_integer() if parser.parse_optional_keyword("delay") else 0)
        attributes = parser.parse_optional_attr_dict()
        operands, results = parse_types(parser, [source], position)
        return cls.create(operands=operands, result_types=results, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" {self.KEYWORD} ")
        print_value(printer, self.weights)
        self.print_details(printer)
        if self.bias is not None:
            printer.print_string(" bias ")
            printer.print_attribute(self.bias)
        if self.scale is not None:
            printer.print_string(" scale ")
            print_value(printer, self.scale)
        if self.delay.data:
            printer.print_string(f" delay {self.delay.data}")
        printer.print_op_attributes(self.attributes)
        print_types(printer, self.source.type, self.current.type)


@irdl_op_definition
class DenseOp(WeightedOp):
    """All-to-all: `current[t] = scale * (weights . source[t - delay]) + bias`; weights are targets x sources.

    Weights of out x in apply along the last dimension where source and result agree in all others.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.dense %x weights #snn.tensor<"w", 1x2xf32, [0.5, -0.25]> delay 1
      : !snn.signal<2, spike> -> !snn.signal<1, f64>
    ```
    """

    name = "snn.dense"

    @property
    def on_last_dimension(self) -> bool:
        """Whether the weights are out x in and apply along the last dimension of a signal of several."""
        assert isinstance(self.weights, TensorAttr)
        return self.weights.data.shape != (self.current_type.size, self.source_type.size)

    @property
    def lanes(self) -> int:
        """How many entries a bias or a scale has."""
        return self.current_type.shape.data[-1] if self.on_last_dimension else self.current_type.size

    @property
    def repeat(self) -> int:
        """How often the weights apply: to how many parts of the signal."""
        return self.source_type.size // self.source_type.shape.data[-1] if self.on_last_dimension else 1

    def spread(self, lanes: Value) -> Value:
        return np.tile(lanes, self.repeat) if np.ndim(lanes) else lanes

    def verify_shapes(self) -> None:
        assert isinstance(self.weights, TensorAttr)
        shape, expected = self.weights.data.shape, (self.current_type.size, self.source_type.size)
        source, current = self.source_type.shape.data, self.current_type.shape.data
        last = (current[-1], source[-1])
        if shape != expected and not (source[:-1] == current[:-1] and shape == last):
            raise VerifyException(
                f"weights '{self.weights.data.key}' are {'x'.join(map(str, shape))}, but the signals need "
                f"{expected[0]}x{expected[1]} (targets x sources)"
            )


@irdl_op_definition
class ScaleOp(WeightedOp):
    """One-to-one projection, `current[t][n] = scale[n] * weights[n] * source[t - delay][n] + bias[n]`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    ```
    """

    name = "snn.scale"
    KEYWORD: ClassVar[str] = "by"

    def per_weight(self, lanes: Value) -> Value:
        shape = self.weights.data.shape if isinstance(self.weights, TensorAttr) else (-1,)
        return np.reshape(lanes, shape) if np.ndim(lanes) else lanes

    def verify_shapes(self) -> None:
        if self.source_type.shape != self.current_type.shape:
            raise VerifyException("a one-to-one projection keeps the shape of its source")
        if isinstance(self.weights, TensorAttr) and self.weights.data.size != self.source_type.size:
            raise VerifyException(
                f"weights '{self.weights.data.key}' have {self.weights.data.size} entries for "
                f"{self.source_type.size} sources"
            )


class ConvOp(WeightedOp, ABC):
    """A convolution (cross-correlation): channels first, weights out x in/groups x kernel, zeros around the source.

    `scale` and `bias` are per output channel. `padding [a, b]` adds rows on both sides; `padding [a, b] to [c, d]` adds
    a and b before, c and d behind.
    """

    stride = prop_def(IntsAttr)
    padding_low = prop_def(IntsAttr)
    padding_high = prop_def(IntsAttr)
    dilation = prop_def(IntsAttr)
    groups = prop_def(IntAttr)
    LANES: ClassVar[str] = "output channels"
    DIMENSIONS: ClassVar[int]

    def __init__(
        self,
        source: SSAValue | Operation,
        weights: TensorAttr,
        *,
        stride: Sequence[int] | None = None,
        padding: tuple[Sequence[int], Sequence[int]] | None = None,
        dilation: Sequence[int] | None = None,
        groups: int = 1,
        bias: TensorAttr | None = None,
        scale: Attribute | None = None,
        delay: int = 0,
    ) -> None:
        n = self.DIMENSIONS
        low, high = padding or ((0,) * n, (0,) * n)
        stride, dilation = tuple(stride or (1,) * n), tuple(dilation or (1,) * n)
        type_ = SSAValue.get(source).type
        assert isinstance(type_, SignalType)
        shape = convolved(type_.shape.data[1:], weights.data.shape[2:], stride, (tuple(low), tuple(high)), dilation)
        result = SignalType.current(weights.data.shape[0], *shape)
        details = {
            "stride": IntsAttr(stride),
            "padding_low": IntsAttr(tuple(low)),
            "padding_high": IntsAttr(tuple(high)),
            "dilation": IntsAttr(dilation),
            "groups": IntAttr(groups),
        }
        super().__init__(source, weights, result, bias=bias, scale=scale, delay=delay, details=details)

    @property
    def lanes(self) -> int:
        """How many entries a bias or a scale has."""
        return self.current_type.shape.data[0]

    @property
    def windows(self) -> Windows:
        """How the kernel moves over a plane."""
        assert isinstance(self.weights, TensorAttr)
        size, kernel = self.source_type.shape.data[1:], self.weights.data.shape[2:]
        low, high = self.padding_low.data, self.padding_high.data
        return Windows.of(size, kernel, self.stride.data, low, high, self.dilation.data)

    def spread(self, lanes: Value) -> Value:
        return np.repeat(lanes, self.current_type.size // self.lanes) if np.ndim(lanes) else lanes

    def verify_shapes(self) -> None:
        n = self.DIMENSIONS
        assert isinstance(self.weights, TensorAttr)
        weights, source, result = self.weights.data.shape, self.source_type.shape.data, self.current_type.shape.data
        if len(weights) != n + 2 or len(source) != n + 1:
            raise VerifyException(f"{self.name} needs weights of {n + 2} dimensions and a source of {n + 1}")
        verify_windows(n, self.stride, self.padding_low, self.padding_high, self.dilation)
        groups = self.groups.data
        if groups < 1 or source[0] % groups or weights[0] % groups or weights[1] != source[0] // groups:
            raise VerifyException(
                f"weights '{self.weights.data.key}' are {'x'.join(map(str, weights))}: {weights[0]} output channels in "
                f"{groups} groups of {weights[1]} input channels each do not fit a source of {source[0]} channels"
            )
        padding = (self.padding_low.data, self.padding_high.data)
        expected = convolved(source[1:], weights[2:], self.stride.data, padding, self.dilation.data)
        if min(expected) < 1:
            raise VerifyException("the kernel is larger than the source with its padding")
        if result != (weights[0], *expected):
            raise VerifyException(f"the result has the shape {'x'.join(map(str, (weights[0], *expected)))}")

    @classmethod
    def parse_details(cls, parser: Parser, properties: dict[str, Attribute]) -> None:
        ones, zeros = IntsAttr((1,) * cls.DIMENSIONS), IntsAttr((0,) * cls.DIMENSIONS)
        properties["stride"] = parse_optional_ints(parser, "stride") or ones
        parse_padding(parser, properties, zeros)
        properties["dilation"] = parse_optional_ints(parser, "dilation") or ones
        properties["groups"] = parse_optional_int(parser, "groups", 1)

    def print_details(self, printer: Printer) -> None:
        if set(self.stride.data) != {1}:
            printer.print_string(f" stride {list(self.stride.data)}")
        print_padding(printer, self.padding_low, self.padding_high)
        if set(self.dilation.data) != {1}:
            printer.print_string(f" dilation {list(self.dilation.data)}")
        if self.groups.data != 1:
            printer.print_string(f" groups {self.groups.data}")


def convolved(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: tuple[Sequence[int], Sequence[int]],
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """How often a kernel fits along each dimension."""
    low, high = padding
    return tuple(
        (n + a + b - d * (k - 1) - 1) // s + 1
        for n, k, s, a, b, d in zip(size, kernel, stride, low, high, dilation, strict=True)
    )


def verify_windows(n: int, stride: IntsAttr, low: IntsAttr, high: IntsAttr, dilation: IntsAttr | None = None) -> None:
    """Raise unless there is a sensible number for each of `n` dimensions."""
    for name, found, least in (
        ("stride", stride, 1),
        ("padding", low, 0),
        ("padding", high, 0),
        ("dilation", dilation, 1),
    ):
        if found is not None and (len(found.data) != n or min(found.data) < least):
            raise VerifyException(f"{name} needs {n} numbers, each {least} or more")


def parse_padding(parser: Parser, properties: dict[str, Attribute], default: IntsAttr) -> None:
    """Parse `padding [1, 1]` or `padding [0, 0] to [1, 1]`, if it is there."""
    low = parse_optional_ints(parser, "padding")
    high = parse_optional_ints(parser, "to") if low is not None else None
    properties["padding_low"] = low or default
    properties["padding_high"] = high or low or default


def print_padding(printer: Printer, low: IntsAttr, high: IntsAttr) -> None:
    """Print the padding unless there is none."""
    if set(low.data) | set(high.data) != {0}:
        printer.print_string(f" padding {list(low.data)}")
        if low != high:
            printer.print_string(f" to {list(high.data)}")


@irdl_op_definition
class Conv1dOp(ConvOp):
    """A convolution over one dimension: source C x L, weights out x C/groups x K.

    ```mlir
    %x = snn.input @sound : !snn.signal<1x4, spike>
    %c = snn.conv1d %x weights #snn.tensor<"k", 1x1x2xf32, [0.5, -0.5]> stride [2]
      : !snn.signal<1x4, spike> -> !snn.signal<1x2, f64>
    ```
    """

    name = "snn.conv1d"
    DIMENSIONS: ClassVar[int] = 1


@irdl_op_definition
class Conv2dOp(ConvOp):
    """A convolution over two dimensions: source C x H x W, weights out x C/groups x KH x KW.

    ```mlir
    %x = snn.input @image : !snn.signal<1x3x3, spike>
    %c = snn.conv2d %x weights #snn.tensor<"k", 1x1x2x2xf32, [0.5, -0.5, 1.0, 0.25]> padding [0, 0] to [1, 1]
      : !snn.signal<1x3x3, spike> -> !snn.signal<1x3x3, f64>
    ```
    """

    name = "snn.conv2d"
    DIMENSIONS: ClassVar[int] = 2


@irdl_op_definition
class SparseOp(WeightedOp):
    """Single synapses: number n leads from neuron `from[n]` to neuron `to[n]` (row-major) with `weights[n]`, and is
    `delay + delays[n]` steps late. Several between the same two neurons add up.

    ```mlir
    %x = snn.input @pixels : !snn.signal<3, spike>
    %c = snn.sparse %x weights #snn.tensor<"w", 2xf32, [0.5, -0.25]> from #snn.tensor<"w.from", 2xi64, [0, 2]>
      to #snn.tensor<"w.to", 2xi64, [1, 1]> delays #snn.tensor<"w.delays", 2xi64, [0, 3]> delay 1
      : !snn.signal<3, spike> -> !snn.signal<2, f64>
    ```
    """

    name = "snn.sparse"
    sources = prop_def(TensorAttr)
    targets = prop_def(TensorAttr)
    delays = opt_prop_def(TensorAttr)

    def __init__(
        self,
        source: SSAValue | Operation,
        weights: TensorAttr,
        sources: TensorAttr,
        targets: TensorAttr,
        result: SignalType,
        *,
        delays: TensorAttr | None = None,
        bias: TensorAttr | None = None,
        scale: Attribute | None = None,
        delay: int = 0,
    ) -> None:
        details = {"sources": sources, "targets": targets, "delays": delays}
        super().__init__(source, weights, result, bias=bias, scale=scale, delay=delay, details=details)

    @property
    def least_delay(self) -> int:
        """The shortest delay of a synapse, in steps."""
        return self.delay.data + (0 if self.delays is None else int(self.delays.array.min()))

    def per_weight(self, lanes: Value) -> Value:
        return np.ravel(lanes)[self.targets.array] if np.ndim(lanes) else lanes

    def verify_shapes(self) -> None:
        assert isinstance(self.weights, TensorAttr)
        shape = self.weights.data.shape
        if len(shape) != 1:
            raise VerifyException("sparse weights have one dimension: one entry per synapse")
        ends = (("from", self.sources, self.source_type.size), ("to", self.targets, self.current_type.size))
        for name, tensor, size in ends:
            self._verify_column(name, tensor, shape[0])
            verify_numbers(name, tensor)
            if int(tensor.array.max()) >= size:
                raise VerifyException(f"{name} '{tensor.data.key}' names neuron {tensor.array.max()} of {size}")
        if self.delays is not None:
            self._verify_column("delays", self.delays, shape[0])
            verify_steps("delays", self.delays)

    def _verify_column(self, name: str, tensor: TensorAttr, size: int) -> None:
        if tensor.data.shape != (size,):
            raise VerifyException(f"{name} '{tensor.data.key}' has {tensor.data.size} entries for {size} weights")

    @classmethod
    def parse_details(cls, parser: Parser, properties: dict[str, Attribute]) -> None:
        parser.parse_keyword("from")
        properties["sources"] = parser.parse_attribute()
        parser.parse_keyword("to")
        properties["targets"] = parser.parse_attribute()
        if parser.parse_optional_keyword("delays"):
            properties["delays"] = parser.parse_attribute()

    def print_details(self, printer: Printer) -> None:
        printer.print_string(" from ")
        printer.print_attribute(self.sources)
        printer.print_string(" to ")
        printer.print_attribute(self.targets)
        if self.delays is not None:
            printer.print_string(" delays ")
            printer.print_attribute(self.delays)
