"""`dataflow`: the mapped program as a synchronous dataflow graph, for exact performance analysis.

An actor is one slice firing for one step, or one leg of a token's way; a token is all that an actor emits in one
firing. Channels are SSA edges: the producing rate belongs to the result, and consuming rate, initial tokens and
capacity to each use. Rates and times may change from firing to firing, in a cycle of phases. Actors that share a
crossbar, or a tile of an architecture, fire in its static order, an op. What the analysis adds (space as
back edges, orders as cycles, one firing at a time as self loops) is not in the IR; what it finds is, as properties.
Times are integers in the graph's unit. Why these ops: docs/dialects/dataflow.md.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Self

from xdsl.dialects.builtin import (
    ArrayAttr,
    FlatSymbolRefAttrConstr,
    IntAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    UnitAttr,
)
from xdsl.ir import Attribute, Block, Dialect, Operation, Region
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, SymbolTable
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import parse_body, symbol
from snnir.dialects.dataflow_actor import ActorOp, claimant_of, producer_of
from snnir.dialects.dataflow_architecture import ArchitectureOp, ConnectionOp, TileOp
from snnir.dialects.dataflow_attributes import (
    PhasesAttr,
    ProcessorAttr,
    RationalAttr,
    TokenType,
    Use,
    UseAttr,
    parse_rational,
)
from snnir.dialects.dataflow_text import (
    NAMES,
    names_of,
    names_text,
    order_text,
    parse_names,
    parse_order,
    parse_rationals,
    print_rationals,
    stages_attr,
    stages_of,
    verify_stages,
    verify_times,
)

GRAPH_TIMES = ("period", "latency", "predicted", "simulated")
"""What is known of a graph, in the order in which it is written."""


@irdl_op_definition
class GraphOp(IRDLOperation):
    """A dataflow graph; one iteration is one step of the program.

    After `dataflow-analyze-throughput`: `period` (time per step that is guaranteed; `unbounded` when nothing limits the
    throughput), `latency` (step k has reached the host by latency + k * period), `predicted` (period at mean activity),
    `critical` (actors on the cycle that sets the period). `dataflow-simulate` adds `simulated`, a measured period.
    `activity` says what the guarantee assumes: at most the profiled `peak` spikes, or the `worst` case.

    A graph that was not made from a network has a name of its own, and maybe no unit of time; `throughput` is how many
    iterations per time unit it is meant to reach.

    ```mlir
    dataflow.graph of @echo unit "ns" activity "peak" {
      %a = dataflow.actor input @pixels time 0 mean 0 makes(1) : () -> !dataflow.token<2>
      %b = dataflow.actor slice @c0.copy on @c0 time 30 mean 20 reads(%a[1] capacity 2) makes(1)
        : (!dataflow.token<2>) -> !dataflow.token<2>
      dataflow.actor output @label time 0 mean 0 reads(%b[1]) : (!dataflow.token<2>) -> ()
      dataflow.order @c0 [@c0.copy]
    }
    dataflow.graph @decoder activity "worst" throughput 1/100 {
      %a = dataflow.actor task @parse on @t0 time [3, 4] makes([2, 1]) : () -> !dataflow.token<64>
      dataflow.actor task @show on @t0 time 2 reads(%a[1] tokens 1) : (!dataflow.token<64>) -> ()
      dataflow.order @t0 [@parse, @parse, @show, @show, @show] wheel 8 slice 4
    }
    ```
    """

    name = "dataflow.graph"
    graph = opt_prop_def(SymbolNameConstraint())
    network = opt_prop_def(FlatSymbolRefAttrConstr)
    unit = opt_prop_def(StringAttr)
    activity = prop_def(StringAttr)
    throughput = opt_prop_def(RationalAttr)
    unbounded = opt_prop_def(UnitAttr)
    period = opt_prop_def(RationalAttr)
    latency = opt_prop_def(RationalAttr)
    predicted = opt_prop_def(RationalAttr)
    simulated = opt_prop_def(RationalAttr)
    critical = opt_prop_def(NAMES)
    body = region_def("single_block")
    traits = traits_def(SymbolTable(), NoTerminator())

    def __init__(
        self,
        network: str | None,
        unit: str | None,
        activity: str,
        body: Region | None = None,
        *,
        name: str | None = None,
        throughput: Fraction | None = None,
    ) -> None:
        properties: dict[str, Attribute | None] = {
            "graph": StringAttr(name) if name is not None else None,
            "network": SymbolRefAttr(network) if network is not None else None,
            "unit": StringAttr(unit) if unit is not None else None,
            "activity": StringAttr(activity),
            "throughput": RationalAttr(throughput) if throughput is not None else None,
        }
        super().__init__(properties=properties, regions=[body or Region(Block())])

    @property
    def actors(self) -> list["ActorOp"]:
        """The actors, in order."""
        return [op for op in self.body.block.ops if isinstance(op, ActorOp)]

    @property
    def orders(self) -> list["OrderOp"]:
        """The static orders, in order."""
        # the first question is answered at once for actors, and there are many of them
        return [op for op in self.body.block.ops if not isinstance(op, ActorOp) and isinstance(op, OrderOp)]

    def verify_(self) -> None:
        from snnir.dialects.dataflow_verifier import verify_graph  # noqa: PLC0415

        verify_graph(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {}
        name = parser.parse_optional_symbol_name()
        if name is not None:
            properties["graph"] = name
        if parser.parse_optional_keyword("of"):
            properties["network"] = SymbolRefAttr(parser.parse_symbol_name())
        if parser.parse_optional_keyword("unit"):
            properties["unit"] = StringAttr(parser.parse_str_literal())
        parser.parse_keyword("activity")
        properties["activity"] = StringAttr(parser.parse_str_literal())
        if parser.parse_optional_keyword("throughput"):
            properties["throughput"] = RationalAttr(parse_rational(parser))
        if parser.parse_optional_keyword("unbounded"):
            properties["unbounded"] = UnitAttr()
        parse_rationals(parser, GRAPH_TIMES, properties)
        if parser.parse_optional_keyword("critical"):
            properties["critical"] = parse_names(parser)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser)
        return cls.create(properties=properties, attributes=attributes.data if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        if self.graph is not None:
            printer.print_string(f" {symbol(self.graph.data)}")
        if self.network is not None:
            printer.print_string(f" of {symbol(self.network.root_reference.data)}")
        if self.unit is not None:
            printer.print_string(" unit ")
            printer.print_string_literal(self.unit.data)
        printer.print_string(" activity ")
        printer.print_string_literal(self.activity.data)
        print_rationals(printer, self, ("throughput",))
        if self.unbounded is not None:
            printer.print_string(" unbounded")
        print_rationals(printer, self, GRAPH_TIMES)
        if self.critical is not None:
            printer.print_string(f" critical {names_text(self.critical)}")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


@irdl_op_definition
class OrderOp(IRDLOperation):
    """The static order in which the actors of one crossbar or tile fire, each as often as in one iteration.

    An entry of stage s fires for iteration k - s when others fire for iteration k, and not at all before: so a resource
    that has actors from both ends of a long path does not wait for the whole path in each iteration. With a wheel, the
    resource works for these actors during `slice` of every `wheel` time units, and for others in the
    rest. `utilisation` is the share of the guaranteed period in which it works for them. See `dataflow.graph`.
    """

    name = "dataflow.order"
    crossbar = prop_def(SymbolNameConstraint())
    order = prop_def(NAMES)
    stages = opt_prop_def(ArrayAttr[IntAttr])
    wheel = opt_prop_def(IntAttr)
    slice = opt_prop_def(IntAttr)
    utilisation = opt_prop_def(RationalAttr)

    def __init__(
        self, crossbar: str, order: Sequence[str], turn: tuple[int, int] | None = None, stages: Sequence[int] = ()
    ) -> None:
        """`turn` is the length of the wheel and that of the slice of it, in time units; no `stages`: all are 0."""
        properties: dict[str, Attribute | None] = {
            "crossbar": StringAttr(crossbar),
            "order": ArrayAttr(SymbolRefAttr(name) for name in order),
            "stages": stages_attr(stages),
            "wheel": IntAttr(turn[0]) if turn is not None else None,
            "slice": IntAttr(turn[1]) if turn is not None else None,
        }
        present = {key: value for key, value in properties.items() if value is not None}
        Operation.__init__(self, properties=present)

    @property
    def names(self) -> list[str]:
        """The actors in order."""
        return names_of(self.order)

    @property
    def lags(self) -> list[int]:
        """The stage of each entry."""
        return stages_of(self.order, self.stages)

    @property
    def turn(self) -> tuple[int, int] | None:
        """The lengths of the wheel and of the slice, in time units."""
        return None if self.wheel is None or self.slice is None else (self.wheel.data, self.slice.data)

    def verify_(self) -> None:
        verify_stages(self.order, self.stages)
        if (self.wheel is None) != (self.slice is None):
            raise VerifyException("a wheel and a slice of it are given together")
        if self.wheel is not None and self.slice is not None and not 0 < self.slice.data <= self.wheel.data:
            raise VerifyException(f"a slice of {self.slice.data} is no part of a wheel of {self.wheel.data}")
        if self.utilisation is not None and not 0 <= self.utilisation.data <= 1:
            raise VerifyException("a utilisation is between 0 and 1")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"crossbar": parser.parse_symbol_name()}
        properties["order"], stages = parse_order(parser)
        if stages is not None:
            properties["stages"] = stages
        for name in ("wheel", "slice"):
            if parser.parse_optional_keyword(name):
                properties[name] = IntAttr(parser.parse_integer())
        parse_rationals(parser, ("utilisation",), properties)
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.crossbar.data)} {order_text(self.names, self.lags)}")
        if self.wheel is not None:
            printer.print_string(f" wheel {self.wheel.data}")
        if self.slice is not None:
            printer.print_string(f" slice {self.slice.data}")
        print_rationals(printer, self, ("utilisation",))
        printer.print_op_attributes(self.attributes)


Dataflow = Dialect(
    "dataflow",
    [GraphOp, ActorOp, OrderOp, ArchitectureOp, TileOp, ConnectionOp],
    [TokenType, RationalAttr, PhasesAttr, UseAttr, ProcessorAttr],
)

__all__ = [
    "ActorOp",
    "ArchitectureOp",
    "ConnectionOp",
    "Dataflow",
    "GraphOp",
    "OrderOp",
    "RationalAttr",
    "TileOp",
    "TokenType",
    "Use",
    "claimant_of",
    "names_of",
    "parse_rational",
    "producer_of",
    "verify_times",
]
