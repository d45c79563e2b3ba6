"""`snn`: programs. Populations of neurons and the weighted connections between them, in discrete steps.

Every region is a graph region: SSA values are the connections, and a recurrent network is a cyclic SSA graph. In step t
a population sums its inputs, updates its state and emits spikes; a connection of delay d carries what was emitted in
step t - d. Connections whose delays add up to zero around a cycle have no meaning and do not verify. Why these ops and
what was left out: docs/dialects/snn.md. The file is longer than others because an op's syntax stays with the op.
"""

from abc import ABC
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, ClassVar, Self

import numpy as np
from xdsl.dialects.builtin import Float64Type, FloatAttr, IntAttr, StringAttr, SymbolNameConstraint, f64
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Attribute, Block, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    base,
    irdl_op_definition,
    irdl_to_attr_constraint,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, NoTerminator, Pure, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import (
    ActivityAttr,
    IndicesAttr,
    SemanticsAttr,
    ShapeAttr,
    SignalType,
    TensorAttr,
    decimal,
    parse_body,
    parse_decimal,
    parse_fields,
    parse_indices,
    parse_value,
    print_value,
    symbol,
    value_of,
)
from snnir.indices import Indices
from snnir.semantics import PARAMETERS, Semantics, parameter_error

_VALUE = irdl_to_attr_constraint(FloatAttr[Float64Type]) | base(TensorAttr)


@irdl_op_definition
class NetworkOp(IRDLOperation):
    """A whole program, run in steps of `dt` seconds; one inference takes `steps` steps where that is known.

    ```mlir
    snn.network @echo dt 0.001 steps 25 {
      %x = snn.input @pixels : !snn.signal<2, spike>
      snn.output @label %x : !snn.signal<2, spike>
    }
    ```
    """

    name = "snn.network"
    sym_name = prop_def(SymbolNameConstraint())
    dt = prop_def(FloatAttr[Float64Type])
    steps = opt_prop_def(IntAttr)
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), SymbolTable(), NoTerminator(), IsolatedFromAbove())

    def __init__(self, name: str, dt: float, steps: int | None, body: Region | None = None) -> None:
        properties: dict[str, Attribute | None] = {"sym_name": StringAttr(name), "dt": FloatAttr(dt, f64)}
        properties["steps"] = None if steps is None else IntAttr(steps)
        super().__init__(properties=properties, regions=[body or Region(Block())])

    @property
    def step_seconds(self) -> float:
        """`dt` as a number."""
        return float(self.dt.value.data)

    @property
    def sources(self) -> dict[str, "InputOp | NeuronOp"]:
        """Everything that emits a signal of its own, by name, in program order: inputs and populations."""
        return {op.sym_name.data: op for op in self.body.block.ops if isinstance(op, InputOp | NeuronOp)}

    @property
    def outputs(self) -> dict[str, "OutputOp"]:
        """The outputs by name, in program order."""
        return {op.sym_name.data: op for op in self.body.block.ops if isinstance(op, OutputOp)}

    def verify_(self) -> None:
        if not np.isfinite(self.step_seconds) or self.step_seconds <= 0:
            raise VerifyException(f"dt must be a positive number of seconds, not {self.step_seconds:g}")
        if self.steps is not None and self.steps.data < 1:
            raise VerifyException("an inference takes at least one step")
        if self.body.block.args:
            raise VerifyException("a network takes no block arguments; its inputs are snn.input")
        for op in self.body.block.ops:
            if isinstance(op, NeuronOp):
                op.verify_parameters(self.step_seconds)
        cycle = zero_delay_cycle(self.body.block)
        if cycle:
            raise VerifyException(
                f"zero-delay cycle {_names(cycle)}: one of its connections needs a delay of at least 1 step"
            )
        cycle = _cycle(self.body.block, lambda op: not isinstance(op, NeuronOp))
        if cycle:
            raise VerifyException(f"the cycle {_names(cycle)} has no population in it, so it carries nothing")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name()
        parser.parse_keyword("dt")
        properties: dict[str, Attribute] = {"sym_name": name, "dt": FloatAttr(parse_decimal(parser), f64)}
        if parser.parse_optional_keyword("steps"):
            properties["steps"] = IntAttr(parser.parse_integer())
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser)
        return cls.create(properties=properties, attributes=attributes.data if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)} dt {decimal(self.step_seconds)}")
        if self.steps is not None:
            printer.print_string(f" steps {self.steps.data}")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


def zero_delay_cycle(block: Block) -> list[Operation] | None:
    """Operations around which no step passes, first one repeated at the end; `None` when every cycle has a delay."""
    return _cycle(block, lambda op: not delay_of(op))


def _cycle(block: Block, follow: Callable[[Operation], bool]) -> list[Operation] | None:
    """Operations that read each other around a cycle of ops to which `follow` applies, first one repeated."""
    order: TopologicalSorter[Operation] = TopologicalSorter()
    for op in block.ops:
        order.add(op, *(v.owner for v in op.operands if isinstance(v.owner, Operation) and follow(op)))
    try:
        order.prepare()
    except CycleError as error:
        found: list[Operation] = error.args[1]
        return found
    return None


def delay_of(op: Operation) -> int:
    """The steps by which an op's result lags behind its operands."""
    return op.delay.data if isinstance(op, WeightedOp | DelayOp) else 0


def _names(cycle: Sequence[Operation]) -> str:
    """A cycle in words, from a population on where it has one."""
    start = next((number for number, op in enumerate(cycle) if isinstance(op, NeuronOp)), 0)
    ops = [*cycle[start:-1], *cycle[: start + 1]]
    return " -> ".join(symbol(op.sym_name.data) if isinstance(op, NeuronOp) else op.name for op in ops)


@irdl_op_definition
class InputOp(IRDLOperation):
    """Spikes that come from outside, one vector per step.

    ```mlir
    %x = snn.input @pixels : !snn.signal<64, spike>
    ```
    """

    name = "snn.input"
    sym_name = prop_def(SymbolNameConstraint())
    activity = opt_prop_def(ActivityAttr)
    signal = result_def(SignalType)
    traits = traits_def(SymbolOpInterface())

    def __init__(self, name: str, type_: SignalType) -> None:
        super().__init__(properties={"sym_name": StringAttr(name)}, result_types=[type_])

    @property
    def size(self) -> int:
        """The number of lines."""
        assert isinstance(self.signal.type, SignalType)
        return self.signal.type.size

    def verify_(self) -> None:
        if not self.signal.type.is_spike:
            raise VerifyException("an input brings spikes")
        _verify_activity(self.activity, self.signal.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        _parse_activity(parser, properties)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls.create(properties=properties, attributes=attributes, result_types=[parser.parse_type()])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)}")
        _print_activity(printer, self.activity)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.signal.type)


@irdl_op_definition
class OutputOp(IRDLOperation):
    """A signal that the user reads.

    ```mlir
    %x = snn.input @pixels : !snn.signal<64, spike>
    snn.output @label %x : !snn.signal<64, spike>
    ```
    """

    name = "snn.output"
    sym_name = prop_def(SymbolNameConstraint())
    signal = operand_def(SignalType)
    traits = traits_def(SymbolOpInterface())
    assembly_format = "$sym_name $signal attr-dict `:` type($signal)"

    def __init__(self, name: str, signal: SSAValue | Operation) -> None:
        super().__init__(properties={"sym_name": StringAttr(name)}, operands=[signal])

    def verify_(self) -> None:
        owner = self.signal.owner
        while isinstance(owner, FlattenOp):
            owner = owner.source.owner
        if not isinstance(owner, InputOp | NeuronOp) and isinstance(self.parent_op(), NetworkOp):
            raise VerifyException("an output reads a whole input or population as it is emitted")


class WeightedOp(IRDLOperation, ABC):
    """A projection: a weighted copy of a signal, `delay` steps late.

    `scale` (one number, or one per target) multiplies integer weights; a bias is a constant current in every step.
    """

    source = operand_def(SignalType)
    current = result_def(SignalType)
    weights = prop_def(_VALUE)
    bias = opt_prop_def(TensorAttr)
    scale = opt_prop_def(_VALUE)
    delay = prop_def(IntAttr)
    traits = traits_def(Pure())
    KEYWORD: ClassVar[str]

    def __init__(
        self,
        source: SSAValue | Operation,
        weights: Attribute,
        result: SignalType,
        *,
        bias: TensorAttr | None = None,
        scale: Attribute | None = None,
        delay: int = 0,
    ) -> None:
        properties: dict[str, Attribute | None] = {"weights": weights, "bias": bias, "scale": scale}
        super().__init__(operands=[source], result_types=[result], properties={**properties, "delay": IntAttr(delay)})

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

    def verify_(self) -> None:
        if self.delay.data < 0:
            raise VerifyException("a delay is a number of steps, 0 or more")
        if self.current_type.element != f64:
            raise VerifyException("a projection makes a current; give its result the element f64")
        for name in ("weights", "bias", "scale"):
            self._verify_tensor(name, self.properties.get(name))
        integer = isinstance(self.weights, TensorAttr) and not self.weights.data.element.startswith("f")
        if integer and self.scale is None:
            raise VerifyException("integer weights need a scale")
        if self.scale is not None and not (np.asarray(value_of(self.scale)) > 0).all():
            raise VerifyException("a scale must be positive")
        self.verify_shapes()

    def _verify_tensor(self, name: str, attribute: Attribute | None) -> None:
        if not isinstance(attribute, TensorAttr):
            if attribute is not None and not np.isfinite(value_of(attribute)):
                raise VerifyException(f"{name} is not finite")
            return
        if not attribute.data.is_finite:
            place = [int(i) for i in np.argwhere(~np.isfinite(attribute.array))[0]]
            raise VerifyException(f"{name} '{attribute.data.key}' holds a value that is not finite (NaN?) at {place}")
        if name != "weights" and attribute.data.size != self.current_type.size:
            raise VerifyException(
                f"{name} '{attribute.data.key}' has {attribute.data.size} entries for {self.current_type.size} targets"
            )

    def verify_shapes(self) -> None:
        """Whether weights, source and result fit each other."""
        raise NotImplementedError

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        source = parser.parse_unresolved_operand()
        parser.parse_keyword(cls.KEYWORD)
        properties: dict[str, Attribute] = {"weights": parse_value(parser)}
        if parser.parse_optional_keyword("bias"):
            properties["bias"] = parser.parse_attribute()
        if parser.parse_optional_keyword("scale"):
            properties["scale"] = parse_value(parser)
        properties["delay"] = IntAttr(parser.parse_integer() if parser.parse_optional_keyword("delay") else 0)
        attributes = parser.parse_optional_attr_dict()
        operands, results = _parse_types(parser, [source], position)
        return cls.create(operands=operands, result_types=results, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" {self.KEYWORD} ")
        print_value(printer, self.weights)
        if self.bias is not None:
            printer.print_string(" bias ")
            printer.print_attribute(self.bias)
        if self.scale is not None:
            printer.print_string(" scale ")
            print_value(printer, self.scale)
        if self.delay.data:
            printer.print_string(f" delay {self.delay.data}")
        printer.print_op_attributes(self.attributes)
        _print_types(printer, self.source.type, self.current.type)


@irdl_op_definition
class DenseOp(WeightedOp, HasCanonicalizationPatternsInterface):
    """All-to-all: `current[t] = scale * (weights . source[t - delay]) + bias`; weights are targets x sources.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.dense %x weights #snn.tensor<"w", 1x2xf32, [0.5, -0.25]> delay 1
      : !snn.signal<2, spike> -> !snn.signal<1, f64>
    ```
    """

    name = "snn.dense"
    KEYWORD: ClassVar[str] = "weights"

    def verify_shapes(self) -> None:
        if not isinstance(self.weights, TensorAttr):
            raise VerifyException("dense weights are a tensor of targets x sources")
        shape, expected = self.weights.data.shape, (self.current_type.size, self.source_type.size)
        if shape != expected:
            raise VerifyException(
                f"weights '{self.weights.data.key}' are {'x'.join(map(str, shape))}, but the signals need "
                f"{expected[0]}x{expected[1]} (targets x sources)"
            )

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import DelayIntoProjection  # noqa: PLC0415

        return (DelayIntoProjection(),)


@irdl_op_definition
class ScaleOp(WeightedOp, HasCanonicalizationPatternsInterface):
    """One-to-one projection, `current[t][n] = scale[n] * weights[n] * source[t - delay][n] + bias[n]`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    ```
    """

    name = "snn.scale"
    KEYWORD: ClassVar[str] = "by"

    def verify_shapes(self) -> None:
        if self.source_type.shape != self.current_type.shape:
            raise VerifyException("a one-to-one projection keeps the shape of its source")
        if isinstance(self.weights, TensorAttr) and self.weights.data.size != self.source_type.size:
            raise VerifyException(
                f"weights '{self.weights.data.key}' have {self.weights.data.size} entries for "
                f"{self.source_type.size} sources"
            )

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import DelayIntoProjection  # noqa: PLC0415

        return (DelayIntoProjection(),)


@irdl_op_definition
class SliceOp(IRDLOperation, HasCanonicalizationPatternsInterface):
    """Some neurons of a signal, in the given order; the result is one-dimensional.

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

    def __init__(self, source: SSAValue, indices: Indices) -> None:
        assert isinstance(source.type, SignalType)
        result = SignalType(ShapeAttr((len(indices),)), source.type.element)
        super().__init__(operands=[source], result_types=[result], properties={"indices": IndicesAttr(indices)})

    def verify_(self) -> None:
        assert isinstance(self.source.type, SignalType)
        assert isinstance(self.part.type, SignalType)
        if not self.indices.data.runs:
            raise VerifyException("a slice has at least one neuron")
        if self.indices.data.stop > self.source.type.size:
            raise VerifyException(f"indices {self.indices.data} reach beyond {self.source.type.size} neurons")
        expected = SignalType(ShapeAttr((len(self.indices.data),)), self.source.type.element)
        if self.part.type != expected:
            raise VerifyException(f"the result holds {len(self.indices.data)} neurons of the source's element")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        source = parser.parse_unresolved_operand()
        properties = {"indices": IndicesAttr(parse_indices(parser))}
        attributes = parser.parse_optional_attr_dict()
        operands, results = _parse_types(parser, [source], position)
        return cls.create(operands=operands, result_types=results, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" {self.indices.data}")
        printer.print_op_attributes(self.attributes)
        _print_types(printer, self.source.type, self.part.type)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import ComposeSlices, FullSlice  # noqa: PLC0415

        return (FullSlice(), ComposeSlices())


@irdl_op_definition
class FlattenOp(IRDLOperation):
    """The same neurons as one dimension, in row-major order.

    ```mlir
    %x = snn.input @pixels : !snn.signal<8x8, spike>
    %y = snn.flatten %x : !snn.signal<8x8, spike> -> !snn.signal<64, spike>
    ```
    """

    name = "snn.flatten"
    source = operand_def(SignalType)
    flat = result_def(SignalType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($flat)"

    def __init__(self, source: SSAValue) -> None:
        assert isinstance(source.type, SignalType)
        result = SignalType(ShapeAttr((source.type.size,)), source.type.element)
        super().__init__(operands=[source], result_types=[result])

    def verify_(self) -> None:
        source = self.source.type
        if isinstance(source, SignalType) and self.flat.type != SignalType(ShapeAttr((source.size,)), source.element):
            raise VerifyException(f"the result is one-dimensional and holds the {source.size} neurons of the source")


@irdl_op_definition
class AddOp(IRDLOperation, HasCanonicalizationPatternsInterface):
    """The sum of currents.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %a = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %b = snn.scale %x by 0.25 delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %c = snn.add %a, %b : !snn.signal<2, f64>
    ```
    """

    name = "snn.add"
    inputs = var_operand_def(SignalType)
    total = result_def(SignalType)
    traits = traits_def(Pure())

    def __init__(self, *inputs: SSAValue | Operation) -> None:
        first = SSAValue.get(inputs[0])
        super().__init__(operands=[list(inputs)], result_types=[first.type])

    def verify_(self) -> None:
        if not self.inputs:
            raise VerifyException("a sum needs at least one input")
        if any(value.type != self.total.type for value in self.inputs):
            raise VerifyException("the inputs and the result of a sum have one type")
        if self.total.type.element != f64:
            raise VerifyException("only currents (f64) are added; project spikes first")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        inputs = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type_ = parser.parse_type()
        operands = parser.resolve_operands(inputs, [type_] * len(inputs), position)
        return cls.create(operands=operands, result_types=[type_], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.inputs, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.total.type)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import FlattenSum, SingleSum  # noqa: PLC0415

        return (SingleSum(), FlattenSum())


@irdl_op_definition
class DelayOp(IRDLOperation, HasCanonicalizationPatternsInterface):
    """A signal some steps late; silent before its first value arrives.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %y = snn.delay %x by 3 : !snn.signal<2, spike>
    ```
    """

    name = "snn.delay"
    source = operand_def(SignalType)
    late = result_def(SignalType)
    delay = prop_def(IntAttr)
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue, delay: int) -> None:
        super().__init__(operands=[source], result_types=[source.type], properties={"delay": IntAttr(delay)})

    def verify_(self) -> None:
        if self.delay.data < 0:
            raise VerifyException("a delay is a number of steps, 0 or more")
        if self.source.type != self.late.type:
            raise VerifyException("a delay keeps the type of its signal")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        source = parser.parse_unresolved_operand()
        parser.parse_keyword("by")
        properties = {"delay": IntAttr(parser.parse_integer())}
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type_ = parser.parse_type()
        operands = parser.resolve_operands([source], [type_], position)
        return cls.create(operands=operands, result_types=[type_], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" by {self.delay.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.late.type)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import MergeDelays, NoDelay  # noqa: PLC0415

        return (NoDelay(), MergeDelays())


class NeuronOp(IRDLOperation, HasCanonicalizationPatternsInterface, ABC):
    """A population: sums its inputs, updates its neurons by `semantics`, emits spikes.

    Parameters are f64 numbers (uniform) or tensors (one entry per neuron); times in seconds.
    """

    inputs = var_operand_def(SignalType)
    spikes = result_def(SignalType)
    sym_name = prop_def(SymbolNameConstraint())
    semantics = prop_def(SemanticsAttr)
    activity = opt_prop_def(ActivityAttr)
    threshold = prop_def(_VALUE)
    v_reset = prop_def(_VALUE)
    r = prop_def(_VALUE)
    traits = traits_def(SymbolOpInterface())
    MODEL: ClassVar[str]

    def __init__(
        self,
        name: str,
        inputs: Sequence[SSAValue | Operation],
        parameters: Mapping[str, Attribute],
        semantics: Semantics,
        result: SignalType,
    ) -> None:
        properties: dict[str, Attribute] = {"sym_name": StringAttr(name), "semantics": SemanticsAttr(semantics)}
        properties |= {name: parameters[name] for name in PARAMETERS[self.MODEL]}
        super().__init__(operands=[list(inputs)], result_types=[result], properties=properties)

    @property
    def parameters(self) -> "dict[str, float | np.ndarray[Any, np.dtype[np.float64]]]":
        """The model's parameters by name: floats, or arrays with one entry per neuron."""
        return {name: value_of(self.properties[name]) for name in PARAMETERS[self.MODEL]}

    @property
    def size(self) -> int:
        """The number of neurons."""
        return self.spikes_type.size

    @property
    def spikes_type(self) -> SignalType:
        """The type of the signal that is emitted."""
        assert isinstance(self.spikes.type, SignalType)
        return self.spikes.type

    def verify_(self) -> None:
        if not self.spikes_type.is_spike:
            raise VerifyException("a population emits spikes")
        for value in self.inputs:
            assert isinstance(value.type, SignalType)
            if value.type != SignalType(self.spikes_type.shape, f64):
                raise VerifyException(f"inputs of @{self.sym_name.data} must be currents (f64) of its own shape")
        for name in PARAMETERS[self.MODEL]:
            attribute = self.properties[name]
            if isinstance(attribute, TensorAttr) and attribute.data.size != self.spikes_type.size:
                raise VerifyException(
                    f"{name} of @{self.sym_name.data} has {attribute.data.size} entries for "
                    f"{self.spikes_type.size} neurons"
                )
            if not np.isfinite(value_of(attribute)).all():
                raise VerifyException(f"{name} of @{self.sym_name.data} is not finite")
        _verify_activity(self.activity, self.spikes_type)

    def verify_parameters(self, dt: float) -> None:
        """Raise when the parameters make no sense for steps of `dt` seconds."""
        problem = parameter_error(self.MODEL, self.parameters, dt)
        if problem:
            raise VerifyException(f"@{self.sym_name.data}: {problem}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        inputs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        parser.parse_keyword("with")
        fields = parse_fields(parser, lambda: parse_value(parser))
        if set(fields) != set(PARAMETERS[cls.MODEL]):
            parser.raise_error(f"{cls.name} takes the parameters {', '.join(PARAMETERS[cls.MODEL])}", position)
        parser.parse_keyword("using")
        properties["semantics"] = SemanticsAttr(SemanticsAttr.parse_parameter(parser))
        properties |= {name: fields[name] for name in PARAMETERS[cls.MODEL]}
        _parse_activity(parser, properties)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        before_type = parser.pos
        result = parser.parse_type()
        if not isinstance(result, SignalType):
            parser.raise_error("a population emits a !snn.signal", before_type)
        current = SignalType(result.shape, f64)
        return cls.create(
            operands=parser.resolve_operands(inputs, [current] * len(inputs), position),
            result_types=[result],
            properties=properties,
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)}(")
        printer.print_list(self.inputs, printer.print_ssa_value)
        printer.print_string(") with (")
        printer.print_list(PARAMETERS[self.MODEL], lambda name: self._print_parameter(printer, name))
        printer.print_string(") using ")
        self.semantics.print_parameter(printer)
        _print_activity(printer, self.activity)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.spikes.type)

    def _print_parameter(self, printer: Printer, name: str) -> None:
        printer.print_string(f"{name} = ")
        print_value(printer, self.properties[name])

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import SumIntoPopulation  # noqa: PLC0415

        return (SumIntoPopulation(),)


@irdl_op_definition
class IfOp(NeuronOp):
    """Integrate and fire: `v += r * I` once per step.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %s = snn.if @relay(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, reset = subtract>
      : !snn.signal<2, spike>
    ```
    """

    name = "snn.if"
    MODEL: ClassVar[str] = "if"


@irdl_op_definition
class LifOp(NeuronOp):
    """Leaky integrate and fire: `tau dv/dt = (v_leak - v) + r * I`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    snn.network @n dt 0.001 {
      %s = snn.lif @hidden() with (tau = 0.005, r = 5.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using <nir>
        : !snn.signal<2, spike>
    }
    ```
    """

    name = "snn.lif"
    MODEL: ClassVar[str] = "lif"
    tau = prop_def(_VALUE)
    v_leak = prop_def(_VALUE)


@irdl_op_definition
class CubaLifOp(NeuronOp):
    """Current-based leaky integrate and fire: `tau_syn di/dt = -i + w_in * I`, `tau_mem dv/dt = (v_leak - v) + r * i`.

    ```mlir
    snn.network @n dt 0.001 {
      %s = snn.cuba_lif @hidden() with (tau_syn = 0.002, tau_mem = 0.01, r = 1.0, v_leak = 0.0, threshold = 1.0,
        v_reset = 0.0, w_in = 1.0) using <nir> : !snn.signal<2, spike>
    }
    ```
    """

    name = "snn.cuba_lif"
    MODEL: ClassVar[str] = "cuba_lif"
    tau_syn = prop_def(_VALUE)
    tau_mem = prop_def(_VALUE)
    v_leak = prop_def(_VALUE)
    w_in = prop_def(_VALUE)


NEURON_OPS: dict[str, type[NeuronOp]] = {op.MODEL: op for op in (IfOp, LifOp, CubaLifOp)}
"""The neuron op of each model."""


def networks(module: Operation) -> Iterator[NetworkOp]:
    """The programs in a module."""
    return (op for region in module.regions for block in region.blocks for op in block.ops if isinstance(op, NetworkOp))


def _parse_activity(parser: Parser, properties: dict[str, Attribute]) -> None:
    if parser.parse_optional_keyword("activity"):
        properties["activity"] = ActivityAttr.new(ActivityAttr.parse_parameters(parser))


def _print_activity(printer: Printer, activity: ActivityAttr | None) -> None:
    if activity is not None:
        printer.print_string(" activity ")
        activity.print_parameters(printer)


def _verify_activity(activity: ActivityAttr | None, type_: Attribute) -> None:
    if activity is not None and isinstance(type_, SignalType) and activity.counts.data.size != type_.size:
        raise VerifyException(f"activity counts {activity.counts.data.size} neurons of {type_.size}")


def _parse_types(
    parser: Parser, operands: Sequence[Any], position: int
) -> tuple[Sequence[SSAValue], Sequence[Attribute]]:
    """Parse `: source -> result` and resolve the operands, which all have the source's type."""
    parser.parse_punctuation(":")
    source = parser.parse_type()
    parser.parse_punctuation("->")
    result = parser.parse_type()
    return parser.resolve_operands(operands, [source] * len(operands), position), [result]


def _print_types(printer: Printer, source: Attribute, result: Attribute) -> None:
    printer.print_string(" : ")
    printer.print_attribute(source)
    printer.print_string(" -> ")
    printer.print_attribute(result)


SNN = Dialect(
    "snn",
    [
        NetworkOp,
        InputOp,
        OutputOp,
        DenseOp,
        ScaleOp,
        SliceOp,
        FlattenOp,
        AddOp,
        DelayOp,
        IfOp,
        LifOp,
        CubaLifOp,
    ],
    [SignalType, ShapeAttr, TensorAttr, IndicesAttr, SemanticsAttr, ActivityAttr],
)
