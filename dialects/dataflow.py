"""`dataflow`: the mapped program as a synchronous dataflow graph, for exact performance analysis.

An actor is one slice firing for one step, or one leg of a token's way; a token is all that an actor emits in one
firing. Channels are SSA edges: the producing rate belongs to the result, and consuming rate, initial tokens and
capacity to each use. Actors that share a crossbar fire in its static order, an op. What the analysis adds (space as
back edges, orders as cycles, one firing at a time as self loops) is not in the IR; what it finds is, as properties.
Times are integers in the graph's unit. Why these ops: docs/dialects/dataflow.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from xdsl.dialects.builtin import (
    ArrayAttr,
    FlatSymbolRefAttrConstr,
    IntAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
)
from xdsl.ir import Attribute, Block, Data, Dialect, OpResult, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import AttrParser, Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import parse_body, symbol

KINDS = ("slice", "send", "carry", "input", "output")
"""A slice of a cluster; the serialisation of a token on the busiest link of its way; the rest of its way; the host."""
TRANSPORT = ("send", "carry")
GRAPH_TIMES = ("period", "latency", "predicted", "simulated")
"""What is known of a graph, in the order in which it is written."""
ACTOR_TIMES = ("start", "slack")
"""What is known of an actor, in the order in which it is written."""
_NAMES = ArrayAttr.constr(FlatSymbolRefAttrConstr)


@irdl_attr_definition
class TokenType(ParametrizedAttribute, TypeAttribute):
    """Tokens of at most this many spikes (or partial sums).

    ```mlir
    !dataflow.token<21>
    ```
    """

    name = "dataflow.token"
    size: IntAttr

    @staticmethod
    def of(size: int) -> "TokenType":
        """The type of tokens of up to `size` values."""
        return TokenType(IntAttr(size))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return [IntAttr(parser.parse_integer(allow_negative=False))]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_int(self.size.data)

    def verify(self) -> None:
        if self.size.data < 0:
            raise VerifyException("a token holds 0 or more values")


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


@dataclass(frozen=True)
class Use:
    """The consuming end of a channel."""

    rate: int = 1
    """Tokens taken by one firing."""
    tokens: int = 0
    """Initial tokens: the delay of the channel."""
    capacity: int | None = None
    """Tokens for which there is space, counted from the start of the producer to the end of the consumer; `None`:
    unlimited. Tokens on their way through transport actors count."""

    def __str__(self) -> str:
        tokens = f" tokens {self.tokens}" if self.tokens else ""
        capacity = f" capacity {self.capacity}" if self.capacity is not None else ""
        return f"[{self.rate}]{tokens}{capacity}"


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
        use = self.data
        if use.rate < 1 or use.tokens < 0:
            raise VerifyException("a rate is at least 1, initial tokens are not negative")
        if use.capacity is not None and use.capacity < max(use.tokens, use.rate):
            raise VerifyException(f"a capacity of {use.capacity} holds neither the initial tokens nor one firing")


def parse_use(parser: AttrParser) -> Use:
    """Parse `[1] tokens 1 capacity 3`."""
    with parser.in_square_brackets():
        rate = parser.parse_integer()
    tokens = parser.parse_integer() if parser.parse_optional_keyword("tokens") else 0
    return Use(rate, tokens, parser.parse_integer() if parser.parse_optional_keyword("capacity") else None)


@irdl_op_definition
class GraphOp(IRDLOperation):
    """A dataflow graph; one iteration is one step of the program.

    After `dataflow-analyze-throughput`: `period` (time per step that is guaranteed), `latency` (step k has reached the
    host by latency + k * period), `predicted` (period at mean activity), `critical` (actors on the cycle that sets the
    period). `dataflow-simulate` adds `simulated`, a measured period. `activity` says what the guarantee assumes: at
    most the profiled `peak` spikes, or the `worst` case.

    ```mlir
    dataflow.graph of @echo unit "ns" activity "peak" {
      %a = dataflow.actor input @pixels time 0 mean 0 makes(1) : () -> !dataflow.token<2>
      %b = dataflow.actor slice @c0.copy on @c0 time 30 mean 20 reads(%a[1] capacity 2) makes(1)
        : (!dataflow.token<2>) -> !dataflow.token<2>
      dataflow.actor output @label time 0 mean 0 reads(%b[1]) : (!dataflow.token<2>) -> ()
      dataflow.order @c0 [@c0.copy]
    }
    ```
    """

    name = "dataflow.graph"
    network = prop_def(FlatSymbolRefAttrConstr)
    unit = prop_def(StringAttr)
    activity = prop_def(StringAttr)
    period = opt_prop_def(RationalAttr)
    latency = opt_prop_def(RationalAttr)
    predicted = opt_prop_def(RationalAttr)
    simulated = opt_prop_def(RationalAttr)
    critical = opt_prop_def(_NAMES)
    body = region_def("single_block")
    traits = traits_def(SymbolTable(), NoTerminator())

    def __init__(self, network: str, unit: str, activity: str, body: Region | None = None) -> None:
        properties = {
            "network": SymbolRefAttr(network),
            "unit": StringAttr(unit),
            "activity": StringAttr(activity),
        }
        super().__init__(properties=properties, regions=[body or Region(Block())])

    @property
    def actors(self) -> list["ActorOp"]:
        """The actors, in order."""
        return [op for op in self.body.block.ops if isinstance(op, ActorOp)]

    @property
    def orders(self) -> list["OrderOp"]:
        """The static orders, in order."""
        return [op for op in self.body.block.ops if isinstance(op, OrderOp)]

    def verify_(self) -> None:
        from snnir.dialects.dataflow_verifier import verify_graph  # noqa: PLC0415

        verify_graph(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("of")
        properties: dict[str, Attribute] = {"network": SymbolRefAttr(parser.parse_symbol_name())}
        parser.parse_keyword("unit")
        properties["unit"] = StringAttr(parser.parse_str_literal())
        parser.parse_keyword("activity")
        properties["activity"] = StringAttr(parser.parse_str_literal())
        for name in GRAPH_TIMES:
            if parser.parse_optional_keyword(name):
                properties[name] = RationalAttr(parse_rational(parser))
        if parser.parse_optional_keyword("critical"):
            properties["critical"] = _parse_names(parser)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser)
        return cls.create(properties=properties, attributes=attributes.data if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" of {symbol(self.network.root_reference.data)} unit ")
        printer.print_string_literal(self.unit.data)
        printer.print_string(" activity ")
        printer.print_string_literal(self.activity.data)
        for name in GRAPH_TIMES:
            value = self.properties.get(name)
            if isinstance(value, RationalAttr):
                printer.print_string(f" {name} {value.data}")
        if self.critical is not None:
            printer.print_string(f" critical {_names_text(self.critical)}")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


@irdl_op_definition
class ActorOp(IRDLOperation):
    """An actor: takes tokens from its channels, works for `time` (at most) or `mean` (expected), makes tokens.

    `on` is the crossbar it shares with others. It fires one step at a time unless `concurrent`. `slack`: by how much
    its time may grow before the period does; `start`: its first start in the schedule that the guarantee is based on.
    See `dataflow.graph`.
    """

    name = "dataflow.actor"
    sym_name = prop_def(SymbolNameConstraint())
    kind = prop_def(StringAttr)
    resource = opt_prop_def(FlatSymbolRefAttrConstr)
    time = prop_def(IntAttr)
    mean = prop_def(IntAttr)
    concurrent = prop_def(IntAttr)
    channels = prop_def(ArrayAttr[UseAttr])
    rates = prop_def(ArrayAttr[IntAttr])
    start = opt_prop_def(RationalAttr)
    slack = opt_prop_def(RationalAttr)
    taken = var_operand_def(TokenType)
    made = var_result_def(TokenType)
    traits = traits_def(SymbolOpInterface())

    def __init__(
        self,
        kind: str,
        name: str,
        time: int,
        mean: int,
        sizes: Sequence[int],
        *,
        resource: str | None = None,
        concurrent: bool = False,
    ) -> None:
        """An actor that reads nothing yet; `wire` follows. One result with rate 1 for each token size."""
        properties: dict[str, Attribute | None] = {
            "sym_name": StringAttr(name),
            "kind": StringAttr(kind),
            "resource": SymbolRefAttr(resource) if resource is not None else None,
            "time": IntAttr(time),
            "mean": IntAttr(mean),
            "concurrent": IntAttr(int(concurrent)),
            "channels": ArrayAttr([]),
            "rates": ArrayAttr(IntAttr(1) for _ in sizes),
        }
        super().__init__(operands=[[]], result_types=[[TokenType.of(size) for size in sizes]], properties=properties)

    def wire(self, channels: Sequence[tuple[SSAValue, Use]]) -> None:
        """Set the channels that the actor reads."""
        self.operands = [value for value, _ in channels]
        self.channels = ArrayAttr(UseAttr(use) for _, use in channels)

    @property
    def resource_name(self) -> str | None:
        """The crossbar on which it fires."""
        return self.resource.root_reference.data if self.resource is not None else None

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
        if min(self.time.data, self.mean.data) < 0 or any(rate.data < 1 for rate in self.rates):
            raise VerifyException(f"@{name}: times are not negative, rates at least 1")
        if self.concurrent.data not in (0, 1):
            raise VerifyException(f"@{name}: concurrent is 0 or 1")
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
        for name in ("time", "mean"):
            parser.parse_keyword(name)
            properties[name] = IntAttr(parser.parse_integer())
        properties["concurrent"] = IntAttr(int(parser.parse_optional_keyword("concurrent") is not None))
        reads: list[tuple[UnresolvedOperand, Use]] = []
        if parser.parse_optional_keyword("reads"):
            reads = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_read(parser))
        rates: list[int] = []
        if parser.parse_optional_keyword("makes"):
            rates = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_integer)
        properties["channels"] = ArrayAttr(UseAttr(use) for _, use in reads)
        properties["rates"] = ArrayAttr(IntAttr(rate) for rate in rates)
        for name in ACTOR_TIMES:
            if parser.parse_optional_keyword(name):
                properties[name] = RationalAttr(parse_rational(parser))
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
        printer.print_string(f" time {self.time.data} mean {self.mean.data}")
        if self.concurrent.data:
            printer.print_string(" concurrent")
        if self.taken:
            printer.print_string(" reads(")
            printer.print_list(self.reads, lambda read: _print_read(printer, *read))
            printer.print_string(")")
        if self.made:
            printer.print_string(f" makes({', '.join(str(rate.data) for rate in self.rates)})")
        for name in ACTOR_TIMES:
            value = self.properties.get(name)
            if isinstance(value, RationalAttr):
                printer.print_string(f" {name} {value.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_function_type(self.operand_types, self.result_types)


@irdl_op_definition
class OrderOp(IRDLOperation):
    """The static order in which the actors of one crossbar fire, once each per iteration.

    `utilisation` is the share of the guaranteed period in which the crossbar works. See `dataflow.graph`.
    """

    name = "dataflow.order"
    crossbar = prop_def(SymbolNameConstraint())
    order = prop_def(_NAMES)
    utilisation = opt_prop_def(RationalAttr)

    def __init__(self, crossbar: str, order: Sequence[str]) -> None:
        references = ArrayAttr(SymbolRefAttr(name) for name in order)
        super().__init__(properties={"crossbar": StringAttr(crossbar), "order": references})

    @property
    def names(self) -> list[str]:
        """The actors in order."""
        return names_of(self.order)

    def verify_(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise VerifyException(f"an actor is twice in the order of @{self.crossbar.data}")
        if self.utilisation is not None and not 0 <= self.utilisation.data <= 1:
            raise VerifyException("a utilisation is between 0 and 1")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"crossbar": parser.parse_symbol_name(), "order": _parse_names(parser)}
        if parser.parse_optional_keyword("utilisation"):
            properties["utilisation"] = RationalAttr(parse_rational(parser))
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.crossbar.data)} {_names_text(self.order)}")
        if self.utilisation is not None:
            printer.print_string(f" utilisation {self.utilisation.data}")
        printer.print_op_attributes(self.attributes)


def producer_of(value: SSAValue) -> ActorOp:
    """The actor that makes a token."""
    assert isinstance(value, OpResult)
    assert isinstance(value.op, ActorOp)
    return value.op


def verify_times(op: IRDLOperation, names: Sequence[str]) -> None:
    """Raise `VerifyException` when one of the named properties is a negative time."""
    for name in names:
        value = op.properties.get(name)
        if isinstance(value, RationalAttr) and value.data < 0:
            raise VerifyException(f"{name} is a time, at least 0")


def claimant_of(value: SSAValue) -> ActorOp:
    """The actor that claims the space for a token: the first before all transport."""
    actor = producer_of(value)
    while actor.kind.data in TRANSPORT:
        actor = producer_of(actor.taken[0])
    return actor


def graphs(block: Block) -> Iterator[GraphOp]:
    """The dataflow graphs in a block."""
    return (op for op in block.ops if isinstance(op, GraphOp))


def _parse_names(parser: AttrParser) -> "ArrayAttr[SymbolRefAttr]":
    names = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_symbol_name)
    return ArrayAttr(SymbolRefAttr(name) for name in names)


def names_of(names: "ArrayAttr[SymbolRefAttr]") -> list[str]:
    """The names in a list of references."""
    return [name.root_reference.data for name in names]


def _names_text(names: "ArrayAttr[SymbolRefAttr]") -> str:
    return f"[{', '.join(map(symbol, names_of(names)))}]"


def _parse_read(parser: Parser) -> tuple[UnresolvedOperand, Use]:
    return parser.parse_unresolved_operand(), parse_use(parser)


def _print_read(printer: Printer, value: SSAValue, use: Use) -> None:
    printer.print_ssa_value(value)
    printer.print_string(str(use))


Dataflow = Dialect("dataflow", [GraphOp, ActorOp, OrderOp], [TokenType, RationalAttr, UseAttr])
