"""The actors of a dataflow graph, and who makes and who claims space for a token."""

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import (
    ArrayAttr,
    FlatSymbolRefAttrConstr,
    IntAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
)
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import symbol
from snnir.dialects.dataflow_attributes import (
    Phases,
    PhasesAttr,
    Processor,
    ProcessorAttr,
    RationalAttr,
    TokenType,
    Use,
    UseAttr,
    entries,
    parse_phases,
    parse_processor,
    parse_use,
    phases_attr,
    phases_text,
    token_type,
    use_attr,
)
from snnir.dialects.dataflow_text import parse_rationals, print_rationals, verify_times

KINDS = ("slice", "send", "carry", "input", "output", "task")
"""A slice of a cluster; the serialisation of a token on the busiest link of its way; the rest of its way; the host (two
kinds); an actor of a graph that was not made from a network."""
TRANSPORT = ("send", "carry")
_KINDS = {kind: StringAttr(kind) for kind in KINDS}
_CONCURRENT = IntAttr(0), IntAttr(1)
ACTOR_TIMES = ("start", "slack")
"""What is known of an actor, in the order in which it is written."""


@irdl_op_definition
class ActorOp(IRDLOperation):
    """An actor: takes tokens from its channels, works for `time` (at most) or `mean` (expected), makes tokens.

    Times and rates are one number for all firings or a list with one for each phase; without `mean`, `time` is
    expected. `on` is the crossbar or tile that it shares with others; `processors` are the types of processor on which
    it can run, with the time there, the one that `time` was taken from first. It fires one step at a time unless
    `concurrent`. `slack`: by how much its time may grow before the period does; `start`: its first start in the
    schedule that the guarantee is based on.

    ```mlir
    dataflow.graph @pair activity "worst" {
      %x = dataflow.actor task @filter time [3, 4] processors("arm" [3, 4] memory 128, "dsp" 2) concurrent
        reads(%y[1, 0] tokens 3 capacity 8 name "back") makes(2) : (!dataflow.token<1>) -> !dataflow.token<16>
      %y = dataflow.actor task @sink time 5 reads(%x[4] bandwidth 1/2 latency 3) makes([1, 0])
        : (!dataflow.token<16>) -> !dataflow.token<1>
    }
    ```
    """

    name = "dataflow.actor"
    sym_name = prop_def(SymbolNameConstraint())
    kind = prop_def(StringAttr)
    resource = opt_prop_def(FlatSymbolRefAttrConstr)
    time = prop_def(PhasesAttr)
    mean = opt_prop_def(PhasesAttr)
    processors = opt_prop_def(ArrayAttr[ProcessorAttr])
    concurrent = prop_def(IntAttr)
    channels = prop_def(ArrayAttr[UseAttr])
    rates = prop_def(ArrayAttr[PhasesAttr])
    start = opt_prop_def(RationalAttr)
    slack = opt_prop_def(RationalAttr)
    taken = var_operand_def(TokenType)
    made = var_result_def(TokenType)
    traits = traits_def(SymbolOpInterface())

    def __init__(
        self,
        kind: str,
        name: str,
        time: Phases,
        mean: Phases | None,
        sizes: Sequence[int],
        *,
        rates: Sequence[Phases] | None = None,
        resource: str | None = None,
        processors: Sequence[Processor] = (),
        concurrent: bool = False,
        reads: Sequence[tuple[SSAValue, Use]] = (),
    ) -> None:
        """One result for each token size; rates are 1 if not given. `wire` sets the channels that are not known yet."""
        properties: dict[str, Attribute | None] = {
            "sym_name": StringAttr(name),
            "kind": _KINDS.get(kind) or StringAttr(kind),
            "resource": SymbolRefAttr(resource) if resource is not None else None,
            "time": phases_attr(time),
            "mean": phases_attr(mean) if mean is not None else None,
            "processors": ArrayAttr(map(ProcessorAttr, processors)) if processors else None,
            "concurrent": _CONCURRENT[concurrent],
            "channels": ArrayAttr(use_attr(use) for _, use in reads),
            "rates": ArrayAttr(map(phases_attr, rates if rates is not None else [1] * len(sizes))),
        }
        # the constructor of all ops takes a third of the time of that of IRDL, which sorts its arguments first
        Operation.__init__(
            self,
            operands=[value for value, _ in reads],
            result_types=[token_type(size) for size in sizes],
            properties={key: value for key, value in properties.items() if value is not None},
        )

    def wire(self, channels: Sequence[tuple[SSAValue, Use]]) -> None:
        """Set the channels that the actor reads."""
        self.operands = [value for value, _ in channels]
        self.channels = ArrayAttr(use_attr(use) for _, use in channels)

    @property
    def resource_name(self) -> str | None:
        """The crossbar or tile on which it fires."""
        return self.resource.root_reference.data if self.resource is not None else None

    @property
    def times(self) -> tuple[int, ...]:
        """How long it works at most, in each of its phases; one number where all firings are alike."""
        return entries(self.time.data)

    @property
    def means(self) -> tuple[int, ...]:
        """The same as expected."""
        return self.times if self.mean is None else entries(self.mean.data)

    @property
    def processor_types(self) -> tuple[Processor, ...]:
        """The types of processor on which it can run; none is named in graphs of crossbars."""
        return () if self.processors is None else tuple(each.data for each in self.processors)

    def made_by_firing(self, value: SSAValue) -> Phases:
        """The producing rate of one of its results."""
        assert isinstance(value, OpResult)
        return self.rates.data[value.index].data

    @property
    def reads(self) -> list[tuple[SSAValue, Use]]:
        """The channels that the actor reads."""
        return [(value, use.data) for value, use in zip(self.taken, self.channels, strict=True)]

    def verify_(self) -> None:
        name = self.sym_name.data
        if self.kind.data not in KINDS:
            raise VerifyException(f"@{name}: no kind '{self.kind.data}'; there are {', '.join(KINDS)}")
        if len(self.channels) != len(self.taken) or len(self.rates) != len(self.made):
            raise VerifyException(f"@{name}: one consuming end per operand, one rate per result")
        rates = [entries(rate.data) for rate in self.rates]
        if min(*self.times, *self.means) < 0 or any(len(rate) == 1 and rate[0] < 1 for rate in rates):
            raise VerifyException(f"@{name}: times are not negative, rates at least 1")
        if any(min(rate) < 0 or not any(rate) for rate in rates):
            raise VerifyException(f"@{name}: no phase makes less than 0 tokens, and one at least makes some")
        if self.concurrent.data not in (0, 1):
            raise VerifyException(f"@{name}: concurrent is 0 or 1")
        types = [processor.type for processor in self.processor_types]
        if len(set(types)) != len(types):
            raise VerifyException(f"@{name}: names a type of processor twice")
        verify_times(self, ACTOR_TIMES)
        if self.resource is not None and self.concurrent.data:
            raise VerifyException(f"@{name}: shares a crossbar, so it fires one step at a time")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        kind = StringAttr(parser.parse_keyword_in(KINDS))
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name(), "kind": kind}
        if parser.parse_optional_keyword("on"):
            properties["resource"] = SymbolRefAttr(parser.parse_symbol_name())
        parser.parse_keyword("time")
        properties["time"] = PhasesAttr(parse_phases(parser))
        if parser.parse_optional_keyword("mean"):
            properties["mean"] = PhasesAttr(parse_phases(parser))
        if parser.parse_optional_keyword("processors"):
            types = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parse_processor(parser))
            properties["processors"] = ArrayAttr(map(ProcessorAttr, types))
        properties["concurrent"] = IntAttr(int(parser.parse_optional_keyword("concurrent") is not None))
        reads: list[tuple[UnresolvedOperand, Use]] = []
        if parser.parse_optional_keyword("reads"):
            reads = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_read(parser))
        rates: list[Phases] = []
        if parser.parse_optional_keyword("makes"):
            rates = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parse_phases(parser))
        properties["channels"] = ArrayAttr(UseAttr(use) for _, use in reads)
        properties["rates"] = ArrayAttr(map(PhasesAttr, rates))
        parse_rationals(parser, ACTOR_TIMES, properties)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_function_type()
        operands = parser.resolve_operands([operand for operand, _ in reads], types.inputs.data, position)
        return cls.create(
            operands=operands, result_types=types.outputs.data, properties=properties, attributes=attributes
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} {symbol(self.sym_name.data)}")
        if self.resource_name is not None:
            printer.print_string(f" on {symbol(self.resource_name)}")
        printer.print_string(f" time {phases_text(self.time.data)}")
        if self.mean is not None:
            printer.print_string(f" mean {phases_text(self.mean.data)}")
        if self.processors is not None:
            printer.print_string(f" processors({', '.join(map(str, self.processor_types))})")
        if self.concurrent.data:
            printer.print_string(" concurrent")
        if self.taken:
            printer.print_string(" reads(")
            printer.print_list(self.reads, lambda read: _print_read(printer, *read))
            printer.print_string(")")
        if self.made:
            printer.print_string(f" makes({', '.join(phases_text(rate.data) for rate in self.rates)})")
        print_rationals(printer, self, ACTOR_TIMES)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_function_type(self.operand_types, self.result_types)


def producer_of(value: SSAValue) -> ActorOp:
    """The actor that makes a token."""
    assert isinstance(value, OpResult)
    assert isinstance(value.op, ActorOp)
    return value.op


def claimant_of(value: SSAValue) -> ActorOp:
    """The actor that claims the space for a token: the first before all transport."""
    actor = producer_of(value)
    while actor.kind.data in TRANSPORT:
        actor = producer_of(actor.taken[0])
    return actor


def _parse_read(parser: Parser) -> tuple[UnresolvedOperand, Use]:
    return parser.parse_unresolved_operand(), parse_use(parser)


def _print_read(printer: Printer, value: SSAValue, use: Use) -> None:
    printer.print_ssa_value(value)
    printer.print_string(str(use))
