"""`crossbar`: the configured machine. What is programmed into each crossbar, who sends to whom, and in what order.

Nothing here refers to the program any more: `crossbar.machine` is all that the emitted configuration needs. Names, not
SSA values, connect the parts, because names are what routing tables and orders hold. Why these ops:
docs/dialects/crossbar.md.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Self, TypeVar

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    DictionaryAttr,
    FlatSymbolRefAttrConstr,
    Float64Type,
    FloatAttr,
    IntAttr,
    IntegerAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    f64,
    i64,
)
from xdsl.ir import Attribute, Block, Dialect, Operation, Region
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import (
    TensorAttr,
    decimal,
    parse_body,
    parse_decimal,
    symbol,
)
from snnir.dialects.cluster_attributes import (
    Axons,
    AxonsAttr,
    Place,
    PlaceAttr,
    parse_axons,
    parse_place,
    place_text,
)
from snnir.dialects.cluster_delays import DelayMemoryAttr, parse_delay_memory
from snnir.dialects.cluster_routes import Route, RouteAttr, parse_route
from snnir.dialects.crossbar_signals import InputOp, PopulationOp
from snnir.dialects.crossbar_slices import SliceOp
from snnir.dialects.dataflow import RationalAttr, parse_rational
from snnir.dialects.dataflow_text import NAMES, names_of, order_text, parse_order, stages_attr, stages_of, verify_stages

GUARANTEE = ("period", "latency", "predicted")
"""What is known of a machine's speed, in the order in which it is written."""
OpT = TypeVar("OpT", bound=Operation)


@irdl_op_definition
class MachineOp(IRDLOperation):
    """A configured machine.

    Signals of ordinary networks are codes: `crossbar.population @hidden size 2 of i6 coded (step = 0.5)`.

    The guarantee: step k is out by `latency + k * period` (in the machine's time unit), as long as no input or slice
    emits more spikes in a step than `peaks` says, and none has more on its rows than `peaks_in` says; without them it
    holds for every input.

    ```mlir
    crossbar.machine @echo dt 0.001 steps 25 period 30 latency 91/2 peaks {c0.copy = 2, pixels = 2}
        peaks_in {c0.copy = 2} {
      crossbar.input @pixels size 2
      crossbar.population @copy size 2
      crossbar.output @label of @copy
      crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
        crossbar.axons @pixels[0:2]
        crossbar.slice @c0.copy neurons @copy[0:2] rows [0:2] column 0 adds [] if(scale = 1.0, bias = 0.0,
          decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
        crossbar.order [@c0.copy]
      }
      crossbar.channel @pixels to @c0.copy delay 0 capacity 2
      crossbar.flow @pixels to tile [0, 0]
    }
    ```
    """

    name = "crossbar.machine"
    sym_name = prop_def(SymbolNameConstraint())
    dt = prop_def(FloatAttr[Float64Type])
    steps = opt_prop_def(IntAttr)
    period = opt_prop_def(RationalAttr)
    latency = opt_prop_def(RationalAttr)
    predicted = opt_prop_def(RationalAttr)
    peaks = opt_prop_def(DictionaryAttr)
    peaks_in = opt_prop_def(DictionaryAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())

    def __init__(
        self,
        name: str,
        dt: float,
        steps: int | None,
        guarantee: Mapping[str, RationalAttr | None],
        peaks: Mapping[str, int] | None = None,
        peaks_in: Mapping[str, int] | None = None,
    ) -> None:
        properties: dict[str, Attribute | None] = {"sym_name": StringAttr(name), "dt": FloatAttr(dt, f64)}
        properties |= {"steps": None if steps is None else IntAttr(steps), **guarantee}
        for key, most in (("peaks", peaks), ("peaks_in", peaks_in)):
            if most is not None:
                properties[key] = DictionaryAttr({name: IntegerAttr(spikes, i64) for name, spikes in most.items()})
        super().__init__(properties=properties, regions=[Region(Block())])

    def children(self, kind: type[OpT]) -> list[OpT]:
        """The direct children of a kind, in order."""
        return [op for op in self.body.block.ops if isinstance(op, kind)]

    def verify_(self) -> None:
        from snnir.dialects.crossbar_verifier import verify_machine  # noqa: PLC0415

        verify_machine(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        parser.parse_keyword("dt")
        properties["dt"] = FloatAttr(parse_decimal(parser), f64)
        if parser.parse_optional_keyword("steps"):
            properties["steps"] = IntAttr(parser.parse_integer())
        for name in GUARANTEE:
            if parser.parse_optional_keyword(name):
                properties[name] = RationalAttr(parse_rational(parser))
        for name in ("peaks", "peaks_in"):
            if parser.parse_optional_keyword(name):
                properties[name] = DictionaryAttr(parser.parse_optional_dictionary_attr_dict())
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser)
        return cls.create(properties=properties, attributes=attributes.data if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)} dt {decimal(float(self.dt.value.data))}")
        if self.steps is not None:
            printer.print_string(f" steps {self.steps.data}")
        for name in GUARANTEE:
            value = self.properties.get(name)
            if isinstance(value, RationalAttr):
                printer.print_string(f" {name} {value.data}")
        for name, peaks in (("peaks", self.peaks), ("peaks_in", self.peaks_in)):
            if peaks is not None:
                printer.print_string(f" {name} ")
                printer.print_attr_dict(peaks.data)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


@irdl_op_definition
class OutputOp(IRDLOperation):
    """A population that the host reads; see `crossbar.machine`."""

    name = "crossbar.output"
    sym_name = prop_def(SymbolNameConstraint())
    population = prop_def(FlatSymbolRefAttrConstr)
    assembly_format = "$sym_name `of` $population attr-dict"

    def __init__(self, name: str, population: str) -> None:
        super().__init__(properties={"sym_name": StringAttr(name), "population": SymbolRefAttr(population)})


@irdl_op_definition
class CrossbarOp(IRDLOperation):
    """One crossbar: its cells (rows x columns), where its rows come from, what its columns drive; see
    `crossbar.machine`. `delays` is what it takes of its delay memory.

    ```mlir
    crossbar.crossbar @c0 at [0, 0] crossbar 0 delays(entries = 5, bound = 6, observed = 4)
        cells #snn.tensor<"c0.cells", 2x1xi8, [1, 2]> {
      crossbar.axons @pixels[0:2] delay 2
      crossbar.slice @c0.sum partial @copy[0:1] rows [0:2] column 0
      crossbar.order [@c0.sum]
    }
    ```
    """

    name = "crossbar.crossbar"
    sym_name = prop_def(SymbolNameConstraint())
    place = prop_def(PlaceAttr)
    delays = opt_prop_def(DelayMemoryAttr)
    cells = prop_def(TensorAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())

    def __init__(self, name: str, place: Place, cells: TensorAttr, delays: DelayMemoryAttr | None = None) -> None:
        properties = {"sym_name": StringAttr(name), "place": PlaceAttr(place), "delays": delays, "cells": cells}
        super().__init__(properties=properties, regions=[Region(Block())])

    @property
    def axons(self) -> list["AxonsOp"]:
        """The groups of axons, in order."""
        return [op for op in self.body.block.ops if isinstance(op, AxonsOp)]

    @property
    def slices(self) -> list["SliceOp"]:
        """The slices, in order of their columns."""
        return [op for op in self.body.block.ops if isinstance(op, SliceOp)]

    @property
    def order(self) -> list[str]:
        """The slices in the order in which they fire."""
        return [name for op in self.body.block.ops if isinstance(op, OrderOp) for name in op.names]

    @property
    def lags(self) -> list[int]:
        """The stage of each slice in this order."""
        return [stage for op in self.body.block.ops if isinstance(op, OrderOp) for stage in op.lags]

    def verify_(self) -> None:
        name = self.sym_name.data
        fed = sum(len(op.axons.data.neurons) for op in self.axons if not op.axons.data.windowed)
        rows = max([fed, *(s.part.data.rows.stop for s in self.slices if s.part.data.windows is not None)])
        columns = max((s.part.data.column + s.part.data.columns for s in self.slices), default=0)
        if len(self.cells.data.shape) != 2 or self.cells.data.shape[0] < rows or self.cells.data.shape[1] < columns:
            raise VerifyException(f"@{name}: cells of shape {self.cells.data.shape} for {rows} rows, {columns} columns")
        if not self.cells.data.is_finite:
            raise VerifyException(f"@{name}: a cell is not finite")
        if sorted(self.order) != sorted(s.sym_name.data for s in self.slices):
            raise VerifyException(f"@{name}: the order does not list each of its slices once")
        for part in self.slices:
            if part.part.data.rows.stop > (fed if part.part.data.windows is None else rows):
                raise VerifyException(f"@{part.sym_name.data} uses a row that has no axon")
        if self.delays is not None and not any(op.axons.data.delay for op in self.axons):
            raise VerifyException(f"@{name} reserves entries of a delay memory, and reads nothing late")
        ranges = sorted((s.part.data.column, s.part.data.column + s.part.data.columns) for s in self.slices)
        if any(stop > start for (_, stop), (start, _) in pairwise(ranges)):
            raise VerifyException(f"@{name}: two slices use the same column")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        parser.parse_keyword("at")
        properties["place"] = PlaceAttr(parse_place(parser))
        if parser.parse_optional_keyword("delays"):
            properties["delays"] = DelayMemoryAttr(parse_delay_memory(parser, parser.Delimiter.PAREN))
        parser.parse_keyword("cells")
        properties["cells"] = parser.parse_attribute()
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser)
        return cls.create(properties=properties, attributes=attributes.data if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        delays = f" delays({self.delays.data})" if self.delays is not None else ""
        printer.print_string(f" {symbol(self.sym_name.data)} at {place_text(self.place.data)}{delays} cells ")
        printer.print_attribute(self.cells)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


@irdl_op_definition
class AxonsOp(IRDLOperation):
    """Where the next rows of a crossbar come from: neurons of an input or population, and their delay; see
    `crossbar.machine`."""

    name = "crossbar.axons"
    source = prop_def(FlatSymbolRefAttrConstr)
    axons = prop_def(AxonsAttr)

    def __init__(self, source: str, axons: Axons) -> None:
        super().__init__(properties={"source": SymbolRefAttr(source), "axons": AxonsAttr(axons)})

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = SymbolRefAttr(parser.parse_symbol_name())
        properties = {"source": source, "axons": AxonsAttr(parse_axons(parser))}
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.source.root_reference.data)}{self.axons.data}")
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class OrderOp(IRDLOperation):
    """The order in which the slices of a crossbar fire, once each per step; one of stage s is s steps behind those of
    stage 0. See `crossbar.machine`."""

    name = "crossbar.order"
    order = prop_def(NAMES)
    stages = opt_prop_def(ArrayAttr[IntAttr])

    def __init__(self, order: Sequence[str], stages: Sequence[int] = ()) -> None:
        names = ArrayAttr(SymbolRefAttr(name) for name in order)
        super().__init__(properties={"order": names, "stages": stages_attr(stages)})

    @property
    def names(self) -> list[str]:
        """The slices in order."""
        return names_of(self.order)

    @property
    def lags(self) -> list[int]:
        """The stage of each slice."""
        return stages_of(self.order, self.stages)

    def verify_(self) -> None:
        verify_stages(self.order, self.stages)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        order, stages = parse_order(parser)
        properties: dict[str, Attribute] = {"order": order}
        if stages is not None:
            properties["stages"] = stages
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {order_text(self.names, self.lags)}")
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ChannelOp(IRDLOperation):
    """One slice (or input) waits for another: `delay` tokens are there at the start, there is space for `capacity`;
    see `crossbar.machine`."""

    name = "crossbar.channel"
    source = prop_def(FlatSymbolRefAttrConstr)
    sink = prop_def(FlatSymbolRefAttrConstr)
    delay = prop_def(IntegerAttr[I64])
    capacity = prop_def(IntegerAttr[I64])
    assembly_format = "$source `to` $sink `delay` $delay `capacity` $capacity attr-dict"

    def __init__(self, source: str, sink: str, delay: int, capacity: int) -> None:
        properties = {"source": SymbolRefAttr(source), "sink": SymbolRefAttr(sink)}
        numbers = {"delay": IntegerAttr(delay, i64), "capacity": IntegerAttr(capacity, i64)}
        super().__init__(properties={**properties, **numbers})

    @property
    def origin(self) -> str:
        """The slice or input that sends."""
        return self.source.root_reference.data

    @property
    def target(self) -> str:
        """The slice or output that receives."""
        return self.sink.root_reference.data

    def verify_(self) -> None:
        if self.delay.value.data < 0 or self.capacity.value.data <= self.delay.value.data:
            raise VerifyException("a channel holds more tokens than its delay, which is not negative")


@irdl_op_definition
class FlowOp(IRDLOperation):
    """The way of a slice's (or input's) spikes to tiles and to the host; a tree, where there are several destinations.

    See `crossbar.machine`, and for the routers in between `cluster-route`.
    """

    name = "crossbar.flow"
    source = prop_def(FlatSymbolRefAttrConstr)
    route = prop_def(RouteAttr)

    def __init__(self, source: str, route: Route) -> None:
        way = RouteAttr(Route(0, route.ends))
        super().__init__(properties={"source": SymbolRefAttr(source), "route": way})

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = SymbolRefAttr(parser.parse_symbol_name())
        properties = {"source": source, "route": RouteAttr(parse_route(parser, result=0))}
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.source.root_reference.data)} {self.route.data.way}")
        printer.print_op_attributes(self.attributes)


Crossbar = Dialect(
    "crossbar",
    [
        MachineOp,
        InputOp,
        PopulationOp,
        OutputOp,
        CrossbarOp,
        AxonsOp,
        SliceOp,
        OrderOp,
        ChannelOp,
        FlowOp,
    ],
)
