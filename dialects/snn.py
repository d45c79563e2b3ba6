"""`snn`: programs. Populations of neurons and the weighted connections between them, in discrete steps.

Every region is a graph region: SSA values are the connections, and a recurrent network is a cyclic SSA graph. In step t
a population sums its inputs, updates its state and emits; a connection of delay d carries what was emitted in step
t - d. Connections whose delays add up to zero around a cycle have no meaning and do not verify. Why these ops and what
was left out: docs/dialects/snn.md. This file has the network and its ends; the other ops are in files of their own,
`snn_projections`, `snn_pools`, `snn_shapes`, `snn_neurons` and `snn_activations`, and can be imported from here.
"""

from collections.abc import Callable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Self

import numpy as np
from xdsl.dialects.builtin import Float64Type, FloatAttr, IntAttr, StringAttr, SymbolNameConstraint, f64
from xdsl.ir import Attribute, Block, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, NoTerminator, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from snnir.activations import Coding
from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import (
    IndicesAttr,
    IntsAttr,
    SemanticsAttr,
    ShapeAttr,
    SignalType,
    TensorAttr,
    decimal,
    parse_body,
    parse_decimal,
    symbol,
)
from snnir.dialects.snn_activations import (
    ACTIVATION_OPS,
    ActivationOp,
    ClipOp,
    EluOp,
    LeakyReluOp,
    ReluOp,
    SeluOp,
    SigmoidOp,
    SoftmaxOp,
    SoftplusOp,
    TanhOp,
)
from snnir.dialects.snn_bundle import BundleOp
from snnir.dialects.snn_neurons import (
    NEURON_OPS,
    CubaLifOp,
    CubaLiOp,
    DualLifOp,
    IfOp,
    IntegratorOp,
    LifOp,
    LiOp,
    NeuronOp,
    ThresholdOp,
)
from snnir.dialects.snn_pools import AvgPoolOp, MaxPoolOp, PoolOp, SumPoolOp
from snnir.dialects.snn_projections import Conv1dOp, Conv2dOp, ConvOp, DenseOp, ScaleOp, SparseOp, WeightedOp
from snnir.dialects.snn_shapes import AddOp, DelayOp, FlattenOp, SliceOp
from snnir.dialects.snn_text import (
    VALUE,
    coding_of,
    parse_activity,
    parse_coding,
    print_activity,
    print_coding,
    verify_activity,
    verify_coding,
)
from snnir.indices import LIMIT


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
        if self.steps is not None and not 0 < self.steps.data < LIMIT:
            raise VerifyException(f"an inference takes 1 to {LIMIT - 1} steps, not {self.steps.data}")
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
    """The least number of steps by which an op's result lags behind its operands."""
    if isinstance(op, SparseOp | BundleOp):
        return op.least_delay
    if isinstance(op, NeuronOp):
        return op.semantics.data.out_delay
    return op.delay.data if isinstance(op, WeightedOp) else op.least if isinstance(op, DelayOp) else 0


def _names(cycle: Sequence[Operation]) -> str:
    """A cycle in words, from a population on where it has one."""
    start = next((number for number, op in enumerate(cycle) if isinstance(op, NeuronOp)), 0)
    ops = [*cycle[start:-1], *cycle[: start + 1]]
    return " -> ".join(symbol(op.sym_name.data) if isinstance(op, NeuronOp) else op.name for op in ops)


@irdl_op_definition
class InputOp(IRDLOperation):
    """Spikes, currents or codes that come from outside, one vector per step.

    `coded (step = s, zero = z)`: code q stands for the value `z + s * q`, as in activations.

    ```mlir
    %x = snn.input @pixels : !snn.signal<64, spike>
    %c = snn.input @current : !snn.signal<2, f64>
    %q = snn.input @image coded (step = 0.0625) : !snn.signal<2, i4>
    ```
    """

    name = "snn.input"
    sym_name = prop_def(SymbolNameConstraint())
    step = opt_prop_def(VALUE)
    zero = opt_prop_def(VALUE)
    activity = opt_prop_def(ActivityAttr)
    signal = result_def(SignalType)
    traits = traits_def(SymbolOpInterface())

    def __init__(
        self, name: str, type_: SignalType, step: Attribute | None = None, zero: Attribute | None = None
    ) -> None:
        properties = {"sym_name": StringAttr(name), "step": step, "zero": zero}
        super().__init__(properties=properties, result_types=[type_])

    @property
    def size(self) -> int:
        """The number of lines."""
        assert isinstance(self.signal.type, SignalType)
        return self.signal.type.size

    @property
    def emits_spikes(self) -> bool:
        """Whether it brings spikes; else currents or codes."""
        assert isinstance(self.signal.type, SignalType)
        return self.signal.type.is_spike

    @property
    def emits_events(self) -> bool:
        """Whether it brings events: spikes, or codes that are not 0; else currents."""
        assert isinstance(self.signal.type, SignalType)
        return self.signal.type.is_discrete

    @property
    def coding(self) -> Coding | None:
        """What the codes that it brings stand for; `None` where it brings none."""
        assert isinstance(self.signal.type, SignalType)
        return coding_of(self.signal.type, self.step, self.zero)

    def verify_(self) -> None:
        if not self.signal.type.is_discrete and self.signal.type.element != f64:
            raise VerifyException("an input brings spikes, codes or currents (f64)")
        verify_coding(self.signal.type, self.step, self.zero)
        verify_activity(self.activity, self.signal.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        parse_coding(parser, properties)
        parse_activity(parser, properties)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls.create(properties=properties, attributes=attributes, result_types=[parser.parse_type()])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)}")
        print_coding(printer, self.step, self.zero)
        print_activity(printer, self.activity)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.signal.type)


@irdl_op_definition
class OutputOp(IRDLOperation):
    """A signal that the user reads: what an input or a population emits, or a current.

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


def networks(module: Operation) -> Iterator[NetworkOp]:
    """The programs in a module."""
    return (op for region in module.regions for block in region.blocks for op in block.ops if isinstance(op, NetworkOp))


_OPS: list[type[Operation]] = [
    NetworkOp,
    InputOp,
    OutputOp,
    DenseOp,
    ScaleOp,
    Conv1dOp,
    Conv2dOp,
    SparseOp,
    BundleOp,
    SumPoolOp,
    AvgPoolOp,
    MaxPoolOp,
    SliceOp,
    FlattenOp,
    AddOp,
    DelayOp,
    *NEURON_OPS.values(),
    *ACTIVATION_OPS.values(),
]

SNN = Dialect("snn", _OPS, [SignalType, ShapeAttr, IntsAttr, TensorAttr, IndicesAttr, SemanticsAttr, ActivityAttr])

__all__ = [
    "ACTIVATION_OPS",
    "NEURON_OPS",
    "SNN",
    "ActivationOp",
    "AddOp",
    "AvgPoolOp",
    "BundleOp",
    "ClipOp",
    "Conv1dOp",
    "Conv2dOp",
    "ConvOp",
    "CubaLiOp",
    "CubaLifOp",
    "DelayOp",
    "DenseOp",
    "DualLifOp",
    "EluOp",
    "FlattenOp",
    "IfOp",
    "InputOp",
    "IntegratorOp",
    "LeakyReluOp",
    "LiOp",
    "LifOp",
    "MaxPoolOp",
    "NetworkOp",
    "NeuronOp",
    "OutputOp",
    "PoolOp",
    "ReluOp",
    "ScaleOp",
    "SeluOp",
    "SigmoidOp",
    "SliceOp",
    "SoftmaxOp",
    "SoftplusOp",
    "SparseOp",
    "SumPoolOp",
    "TanhOp",
    "ThresholdOp",
    "WeightedOp",
    "delay_of",
    "networks",
    "zero_delay_cycle",
]
