"""Populations: the neuron ops of the `snn` dialect."""

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from xdsl.dialects.builtin import IntAttr, StringAttr, SymbolNameConstraint, f64
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, result_def, traits_def, var_operand_def
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from snnir.activations import Coding
from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import (
    SemanticsAttr,
    SignalType,
    TensorAttr,
    parse_fields,
    parse_semantics,
    parse_value,
    print_value,
    symbol,
    value_of,
)
from snnir.dialects.snn_text import VALUE, parse_activity, print_activity, verify_activity
from snnir.semantics import PARAMETERS, SPIKING, Semantics, check_discretisation


class NeuronOp(IRDLOperation, HasCanonicalizationPatternsInterface, ABC):
    """A population: sums its inputs, updates its neurons by `semantics`, emits spikes or its membrane.

    Parameters are f64 numbers (uniform) or tensors (one entry per neuron); times in seconds.
    """

    inputs = var_operand_def(SignalType)
    signal = result_def(SignalType)
    sym_name = prop_def(SymbolNameConstraint())
    semantics = prop_def(SemanticsAttr)
    activity = opt_prop_def(ActivityAttr)
    traits = traits_def(SymbolOpInterface())
    MODEL: ClassVar[str]

    def __init__(
        self,
        name: str,
        inputs: Sequence[SSAValue | Operation],
        parameters: Mapping[str, Attribute],
        semantics: Semantics,
        result: SignalType,
        details: Mapping[str, Attribute] | None = None,
    ) -> None:
        properties: dict[str, Attribute] = {"sym_name": StringAttr(name), **(details or {})}
        properties["semantics"] = SemanticsAttr(semantics)
        properties |= {name: parameters[name] for name in self.names()}
        super().__init__(operands=[list(inputs)], result_types=[result], properties=properties)

    @property
    def parameters(self) -> "dict[str, float | np.ndarray[Any, np.dtype[np.float64]]]":
        """The model's parameters by name: floats, or arrays with one entry per neuron."""
        return {name: value_of(self.properties[name]) for name in self.names()}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the model's parameters, in the order in which they are written."""
        return PARAMETERS[cls.MODEL]

    @property
    def excitatory(self) -> Sequence[SSAValue]:
        """The inputs of the first (or only) synapse."""
        return self.inputs

    @property
    def inhibitory(self) -> Sequence[SSAValue]:
        """The inputs of the second synapse, for models that have one."""
        return ()

    @property
    def size(self) -> int:
        """The number of neurons."""
        return self.signal_type.size

    @property
    def emits_spikes(self) -> bool:
        """Whether it emits spikes; else its membrane, or the value of an activation."""
        return self.signal_type.is_spike

    @property
    def emits_events(self) -> bool:
        """Whether it emits events: spikes, or codes that are not 0; else reals."""
        return self.signal_type.is_discrete

    @property
    def coding(self) -> Coding | None:
        """What the codes that it emits stand for; `None` where it emits none."""
        return None

    @property
    def signal_type(self) -> SignalType:
        """The type of the signal that is emitted."""
        assert isinstance(self.signal.type, SignalType)
        return self.signal.type

    def verify_(self) -> None:
        if self.signal_type != self.emitted(self.signal_type):
            raise VerifyException(f"{self.name} emits {self.what_is_emitted()}")
        for value in self.inputs:
            assert isinstance(value.type, SignalType)
            if value.type != SignalType(self.signal_type.shape, f64):
                raise VerifyException(f"inputs of @{self.sym_name.data} must be currents (f64) of its own shape")
        for name in self.names():
            attribute = self.properties[name]
            if isinstance(attribute, TensorAttr) and attribute.data.size != self.signal_type.size:
                raise VerifyException(
                    f"{name} of @{self.sym_name.data} has {attribute.data.size} entries for "
                    f"{self.signal_type.size} neurons"
                )
            if not np.isfinite(value_of(attribute)).all():
                raise VerifyException(f"{name} of @{self.sym_name.data} is not finite")
        verify_activity(self.activity, self.signal_type)

    @classmethod
    def emitted(cls, type_: SignalType) -> SignalType:
        """What a population of this model emits, in the shape of `type_`."""
        return SignalType.spikes(*type_.shape.data) if cls.MODEL in SPIKING else SignalType(type_.shape, f64)

    @classmethod
    def what_is_emitted(cls) -> str:
        """The same in words."""
        return "spikes" if cls.MODEL in SPIKING else "its membrane (f64)"

    def verify_parameters(self, dt: float) -> None:
        """Raise when the parameters make no sense for steps of `dt` seconds."""
        problem = check_discretisation(self.MODEL, self.parameters, dt, self.semantics.data)
        if problem:
            raise VerifyException(f"@{self.sym_name.data}: {problem}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        inputs = cls.parse_inputs(parser, properties)
        cls.parse_model(parser, properties, position)
        parse_activity(parser, properties)
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
        self.print_inputs(printer)
        printer.print_string(")")
        self.print_model(printer)
        print_activity(printer, self.activity)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.signal.type)

    @classmethod
    def parse_inputs(cls, parser: Parser, properties: dict[str, Attribute]) -> list[UnresolvedOperand]:
        """Parse the operands in parentheses."""
        del properties
        return parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)

    def print_inputs(self, printer: Printer) -> None:
        """Print the operands, without parentheses."""
        printer.print_list(self.inputs, printer.print_ssa_value)

    @classmethod
    def parse_model(cls, parser: Parser, properties: dict[str, Attribute], position: int) -> None:
        """Parse `with (...) using <...>`; what is wrong is said of `position`, the start of the op."""
        parser.parse_keyword("with")
        parameters = cls.parse_parameters(parser, position)
        parser.parse_keyword("using")
        properties["semantics"] = SemanticsAttr(parse_semantics(parser, cls.MODEL))
        properties |= parameters

    @classmethod
    def parse_parameters(cls, parser: Parser, position: int) -> dict[str, Attribute]:
        """Parse `(tau = 0.5, ...)`."""
        fields = parse_fields(parser, lambda: parse_value(parser))
        if set(fields) != set(cls.names()):
            parser.raise_error(f"{cls.name} takes the parameters {', '.join(cls.names())}", position)
        return {name: fields[name] for name in cls.names()}

    def print_model(self, printer: Printer) -> None:
        """Print ` with (...) using <...>`."""
        self.print_parameters(printer)
        printer.print_string(" using ")
        self.semantics.print_parameter(printer)

    def print_parameters(self, printer: Printer) -> None:
        """Print ` with (...)`."""
        printer.print_string(" with (")
        printer.print_list(self.names(), lambda name: self._print_parameter(printer, name))
        printer.print_string(")")

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
    r = prop_def(VALUE)
    threshold = prop_def(VALUE)
    v_reset = prop_def(VALUE)


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
    tau = prop_def(VALUE)
    r = prop_def(VALUE)
    v_leak = prop_def(VALUE)
    threshold = prop_def(VALUE)
    v_reset = prop_def(VALUE)


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
    tau_syn = prop_def(VALUE)
    tau_mem = prop_def(VALUE)
    r = prop_def(VALUE)
    v_leak = prop_def(VALUE)
    threshold = prop_def(VALUE)
    v_reset = prop_def(VALUE)
    w_in = prop_def(VALUE)


@irdl_op_definition
class DualLifOp(NeuronOp):
    """Leaky integrate and fire with two synapse states, `tau_exc di/dt = -i + w_exc * I` and
    `tau_inh dj/dt = -j + w_inh * J`; `tau_mem dv/dt = (v_leak - v) + r * (i + j)`. The inputs behind the bar are J.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %a = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %b = snn.scale %x by -0.25 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %s = snn.dual_lif @p(%a | %b) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0,
      threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nir> : !snn.signal<2, spike>
    ```
    """

    name = "snn.dual_lif"
    MODEL: ClassVar[str] = "dual_lif"
    second = prop_def(IntAttr, prop_name="inhibitory")
    tau_exc = prop_def(VALUE)
    tau_inh = prop_def(VALUE)
    tau_mem = prop_def(VALUE)
    r = prop_def(VALUE)
    v_leak = prop_def(VALUE)
    threshold = prop_def(VALUE)
    v_reset = prop_def(VALUE)
    w_exc = prop_def(VALUE)
    w_inh = prop_def(VALUE)

    def __init__(
        self,
        name: str,
        inputs: Sequence[SSAValue | Operation],
        parameters: Mapping[str, Attribute],
        semantics: Semantics,
        result: SignalType,
        inhibitory: int = 0,
    ) -> None:
        super().__init__(name, inputs, parameters, semantics, result, {"inhibitory": IntAttr(inhibitory)})

    @property
    def excitatory(self) -> Sequence[SSAValue]:
        return self.inputs[: len(self.inputs) - self.second.data]

    @property
    def inhibitory(self) -> Sequence[SSAValue]:
        return self.inputs[len(self.inputs) - self.second.data :]

    def verify_(self) -> None:
        if not 0 <= self.second.data <= len(self.inputs):
            raise VerifyException(f"{self.second.data} inhibitory inputs of {len(self.inputs)}")
        super().verify_()

    @classmethod
    def parse_inputs(cls, parser: Parser, properties: dict[str, Attribute]) -> list[UnresolvedOperand]:
        parser.parse_punctuation("(")
        first = _operands(parser)
        second = _operands(parser) if parser.parse_optional_punctuation("|") else []
        parser.parse_punctuation(")")
        properties["inhibitory"] = IntAttr(len(second))
        return [*first, *second]

    def print_inputs(self, printer: Printer) -> None:
        printer.print_list(self.excitatory, printer.print_ssa_value)
        if self.inhibitory:
            printer.print_string(" | " if self.excitatory else "| ")
            printer.print_list(self.inhibitory, printer.print_ssa_value)


def _operands(parser: Parser) -> list[UnresolvedOperand]:
    """A list of operands, which may be empty."""
    first = parser.parse_optional_unresolved_operand()
    found = [] if first is None else [first]
    while found and parser.parse_optional_punctuation(","):
        found.append(parser.parse_unresolved_operand())
    return found


@irdl_op_definition
class ThresholdOp(NeuronOp):
    """A spike in every step in which the input exceeds the threshold; no state.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %s = snn.threshold @step(%c) with (threshold = 0.25) using <nir> : !snn.signal<2, spike>
    ```
    """

    name = "snn.threshold"
    MODEL: ClassVar[str] = "threshold"
    threshold = prop_def(VALUE)


@irdl_op_definition
class IntegratorOp(NeuronOp):
    """An integrator: `v += r * I` once per step; emits v.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.scale %x by 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %v = snn.integrator @sum(%c) with (r = 1.0) using <nir> : !snn.signal<2, f64>
    ```
    """

    name = "snn.integrator"
    MODEL: ClassVar[str] = "integrator"
    r = prop_def(VALUE)


@irdl_op_definition
class LiOp(NeuronOp):
    """A leaky integrator: `tau dv/dt = (v_leak - v) + r * I`; emits v.

    ```mlir
    snn.network @n dt 0.001 {
      %v = snn.li @readout() with (tau = 0.005, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<2, f64>
    }
    ```
    """

    name = "snn.li"
    MODEL: ClassVar[str] = "li"
    tau = prop_def(VALUE)
    r = prop_def(VALUE)
    v_leak = prop_def(VALUE)


@irdl_op_definition
class CubaLiOp(NeuronOp):
    """A leaky integrator behind a synapse: `tau_syn di/dt = -i + w_in * I`, `tau_mem dv/dt = (v_leak - v) + r * i`; it
    emits v.

    ```mlir
    snn.network @n dt 0.001 {
      %v = snn.cuba_li @readout() with (tau_syn = 0.002, tau_mem = 0.01, r = 1.0, v_leak = 0.0, w_in = 1.0) using <nir>
        : !snn.signal<2, f64>
    }
    ```
    """

    name = "snn.cuba_li"
    MODEL: ClassVar[str] = "cuba_li"
    tau_syn = prop_def(VALUE)
    tau_mem = prop_def(VALUE)
    r = prop_def(VALUE)
    v_leak = prop_def(VALUE)
    w_in = prop_def(VALUE)


NEURON_OPS: dict[str, type[NeuronOp]] = {
    op.MODEL: op for op in (IfOp, LifOp, CubaLifOp, DualLifOp, ThresholdOp, IntegratorOp, LiOp, CubaLiOp)
}
"""The neuron op of each model."""
