"""Activations: the populations of ordinary networks in the `snn` dialect, a function of their input and no state."""

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import ClassVar

from xdsl.dialects.builtin import IntegerType, f64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.activations import ACTIVATIONS, Coding, parameter_problem
from snnir.dialects.attributes import SemanticsAttr, SignalType
from snnir.dialects.snn_neurons import NeuronOp
from snnir.dialects.snn_text import VALUE, coding_of, parse_coding, print_coding, verify_coding
from snnir.semantics import Semantics


class ActivationOp(NeuronOp, ABC):
    """A population without a state: emits a function of the sum of its inputs, as reals or as codes.

    `coded (step = s, zero = z)`: it emits the code of its value, the nearest q of `z + s * q` in the range of the
    element type; `i6` has codes from 0 to 63, `si6` from -32 to 31 (`snnir.activations`). Projections read codes as the
    whole numbers that they are. Steps and zeros are numbers (uniform) or tensors (one entry per neuron).
    """

    step = opt_prop_def(VALUE)
    zero = opt_prop_def(VALUE)

    def __init__(
        self,
        name: str,
        inputs: Sequence[SSAValue | Operation],
        result: SignalType,
        parameters: Mapping[str, Attribute] | None = None,
        step: Attribute | None = None,
        zero: Attribute | None = None,
    ) -> None:
        super().__init__(name, inputs, parameters or {}, Semantics(), result)
        for key, value in (("step", step), ("zero", zero)):
            if value is not None:
                self.properties[key] = value

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return ACTIVATIONS[cls.MODEL]

    @property
    def coding(self) -> Coding | None:
        return coding_of(self.signal_type, self.step, self.zero)

    @classmethod
    def emitted(cls, type_: SignalType) -> SignalType:
        return type_ if isinstance(type_.element, IntegerType) else SignalType(type_.shape, f64)

    @classmethod
    def what_is_emitted(cls) -> str:
        return "reals (f64) or codes"

    def verify_(self) -> None:
        super().verify_()
        verify_coding(self.signal_type, self.step, self.zero)

    def verify_parameters(self, dt: float) -> None:
        del dt
        problem = parameter_problem(self.MODEL, self.parameters)
        if self.semantics.data != Semantics():
            problem = "an activation has no state, so no semantics but the default"
        if problem:
            raise VerifyException(f"@{self.sym_name.data}: {problem}")

    @classmethod
    def parse_model(cls, parser: Parser, properties: dict[str, Attribute], position: int) -> None:
        properties["semantics"] = SemanticsAttr(Semantics())
        if cls.names():
            parser.parse_keyword("with")
            properties |= cls.parse_parameters(parser, position)
        parse_coding(parser, properties)

    def print_model(self, printer: Printer) -> None:
        if self.names():
            self.print_parameters(printer)
        print_coding(printer, self.step, self.zero)


@irdl_op_definition
class ReluOp(ActivationOp):
    """`max(x, 0)`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %c = snn.scale %x by 0.5 : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %h = snn.relu @hidden(%c) : !snn.signal<2, f64>
    %q = snn.relu @coded(%c) coded (step = 0.0625) : !snn.signal<2, i6>
    ```
    """

    name = "snn.relu"
    MODEL: ClassVar[str] = "relu"


@irdl_op_definition
class ClipOp(ActivationOp):
    """`min(max(x, low), high)`; coded and signed, an ordinary output.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.clip @hidden(%x) with (low = -1.0, high = 1.0) : !snn.signal<2, f64>
    %q = snn.clip @score(%x) with (low = -8.0, high = 8.0) coded (step = 0.0625) : !snn.signal<2, si8>
    ```
    """

    name = "snn.clip"
    MODEL: ClassVar[str] = "clip"
    low = prop_def(VALUE)
    high = prop_def(VALUE)


@irdl_op_definition
class LeakyReluOp(ActivationOp):
    """x where it is positive, `slope * x` where it is not.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.leaky_relu @hidden(%x) with (slope = 0.01) : !snn.signal<2, f64>
    ```
    """

    name = "snn.leaky_relu"
    MODEL: ClassVar[str] = "leaky_relu"
    slope = prop_def(VALUE)


@irdl_op_definition
class EluOp(ActivationOp):
    """x where it is positive, `alpha * (exp(x) - 1)` where it is not.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.elu @hidden(%x) with (alpha = 1.0) : !snn.signal<2, f64>
    ```
    """

    name = "snn.elu"
    MODEL: ClassVar[str] = "elu"
    alpha = prop_def(VALUE)


@irdl_op_definition
class SeluOp(ActivationOp):
    """`gamma` times the `elu`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.selu @hidden(%x) with (alpha = 1.67326, gamma = 1.0507) : !snn.signal<2, f64>
    ```
    """

    name = "snn.selu"
    MODEL: ClassVar[str] = "selu"
    alpha = prop_def(VALUE)
    gamma = prop_def(VALUE)


@irdl_op_definition
class SigmoidOp(ActivationOp):
    """`1 / (1 + exp(-x))`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.sigmoid @hidden(%x) : !snn.signal<2, f64>
    ```
    """

    name = "snn.sigmoid"
    MODEL: ClassVar[str] = "sigmoid"


@irdl_op_definition
class TanhOp(ActivationOp):
    """`tanh(x)`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.tanh @hidden(%x) : !snn.signal<2, f64>
    ```
    """

    name = "snn.tanh"
    MODEL: ClassVar[str] = "tanh"


@irdl_op_definition
class SoftplusOp(ActivationOp):
    """`log(1 + exp(x))`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.softplus @hidden(%x) : !snn.signal<2, f64>
    ```
    """

    name = "snn.softplus"
    MODEL: ClassVar[str] = "softplus"


@irdl_op_definition
class SquareOp(ActivationOp):
    """`x * x`; products of signals are made of it: `a b = ((a + b)^2 - (a - b)^2) / 4`.

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, f64>
    %h = snn.square @hidden(%x) : !snn.signal<2, f64>
    ```
    """

    name = "snn.square"
    MODEL: ClassVar[str] = "square"


@irdl_op_definition
class SoftmaxOp(ActivationOp):
    """`exp(x) / sum(exp(x))` along the last dimension: the tail of a classifier, which no crossbar has.

    ```mlir
    %x = snn.input @scores : !snn.signal<10, f64>
    %p = snn.softmax @probability(%x) : !snn.signal<10, f64>
    ```
    """

    name = "snn.softmax"
    MODEL: ClassVar[str] = "softmax"


ACTIVATION_OPS: dict[str, type[ActivationOp]] = {
    op.MODEL: op
    for op in (ReluOp, ClipOp, LeakyReluOp, EluOp, SeluOp, SigmoidOp, TanhOp, SoftplusOp, SquareOp, SoftmaxOp)
}
"""The op of each activation."""
