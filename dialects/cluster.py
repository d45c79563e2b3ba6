"""`cluster`: the partitioned program. One op per cluster: everything that one crossbar holds.

A cluster reads signals of spikes or codes (its axons) and computes slices: neurons of one population, or partial sums
for neurons that sit elsewhere. The program stays in the module; slices name its populations and hold no weights: the
synapses of a slice are those that the program has between the slice's rows and its neurons. That every neuron and every
synapse has exactly one place is verified against the program. Placement and routes are properties that passes
add. Why these ops:
docs/dialects/cluster.md.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    FlatSymbolRefAttrConstr,
    IntegerType,
    NoneAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    i32,
)
from xdsl.ir import Attribute, Block, Dialect, OpResult, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    base,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SignalType, parse_body, symbol
from snnir.dialects.cluster_attributes import (
    Axons,
    AxonsAttr,
    PartialType,
    Place,
    PlaceAttr,
    Slice,
    SliceAttr,
    Windows,
    parse_axons,
    parse_place,
    parse_slice,
    place_text,
)
from snnir.dialects.cluster_delays import DelayMemoryAttr, parse_delay_memory
from snnir.dialects.cluster_metrics import ATTRIBUTE as METRICS
from snnir.dialects.cluster_metrics import Metrics, MetricsAttr
from snnir.dialects.cluster_reader import clusters_read_quickly
from snnir.dialects.cluster_routes import Route, RouteAttr, parse_route
from snnir.dialects.cluster_text import ClusterText, Frame, print_function_type, print_operands
from snnir.dialects.quick_text import collection_paused

Address = tuple[str, NDArray[np.int64]]
"""The input or population behind a signal, and which of its neurons it carries."""


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """The clusters of one program, a graph: SSA values are slices on their way to other clusters.

    ```mlir
    snn.network @echo dt 0.001 {
      %x = snn.input @pixels : !snn.signal<2, spike>
      %c = snn.scale %x by 2.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
      %s = snn.if @copy(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
      snn.output @label %s : !snn.signal<2, spike>
    }
    cluster.program of @echo {
      %p = cluster.input @pixels : !snn.signal<2, spike>
      %q = cluster.cluster @c0 axons(%p[0:2]) slices(neurons @copy[0:2] rows [0:2] column 0)
        : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
      cluster.output @label(%q) : !snn.signal<2, spike>
    }
    ```
    """

    name = "cluster.program"
    network = prop_def(FlatSymbolRefAttrConstr)
    body = region_def("single_block")
    traits = traits_def(SymbolTable(), NoTerminator())

    def __init__(self, network: str, body: Region | None = None) -> None:
        super().__init__(properties={"network": SymbolRefAttr(network)}, regions=[body or Region(Block())])

    @property
    def clusters(self) -> list["ClusterOp"]:
        """The clusters, in order."""
        return [op for op in self.body.block.ops if isinstance(op, ClusterOp)]

    @property
    def inputs(self) -> list["InputOp"]:
        """The inputs, in order."""
        return [op for op in self.body.block.ops if isinstance(op, InputOp)]

    @property
    def outputs(self) -> list["OutputOp"]:
        """The outputs, in order."""
        return [op for op in self.body.block.ops if isinstance(op, OutputOp)]

    @property
    def metrics(self) -> Metrics | None:
        """What `cluster-metrics` found; `None` also where that is about another number of clusters."""
        attribute = self.attributes.get(METRICS)
        found = attribute.data if isinstance(attribute, MetricsAttr) else None
        return found if found is not None and found.used.clusters == len(self.clusters) else None

    @metrics.setter
    def metrics(self, metrics: Metrics | None) -> None:
        if metrics is None:
            self.attributes.pop(METRICS, None)
        else:
            self.attributes[METRICS] = MetricsAttr(metrics)

    def verify_(self) -> None:
        from snnir.dialects.cluster_verifier import verify_program  # noqa: PLC0415

        if METRICS in self.attributes and not isinstance(self.attributes[METRICS], MetricsAttr):
            raise VerifyException(f"the attribute {METRICS} is no #cluster.metrics")
        with collection_paused():
            verify_program(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("of")
        properties = {"network": SymbolRefAttr(parser.parse_symbol_name())}
        attributes = parser.parse_optional_attr_dict_with_keyword()
        with clusters_read_quickly(parser, ClusterOp.from_text, OutputOp.from_text):
            body = parse_body(parser)
        return cls.create(properties=properties, attributes=attributes.data if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" of {symbol(self.network.root_reference.data)}")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        with collection_paused():
            printer.print_region(self.body, print_empty_block=False)


@irdl_op_definition
class InputOp(IRDLOperation):
    """An input of the program, which enters the machine at the host's router.

    ```mlir
    %p = cluster.input @pixels : !snn.signal<64, spike>
    ```
    """

    name = "cluster.input"
    sym_name = prop_def(SymbolNameConstraint())
    routes = opt_prop_def(ArrayAttr[RouteAttr])
    signal = result_def(SignalType)
    traits = traits_def(SymbolOpInterface())

    def __init__(self, name: str, type_: SignalType) -> None:
        super().__init__(properties={"sym_name": StringAttr(name)}, result_types=[type_])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        _parse_routes(parser, properties)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls.create(properties=properties, attributes=attributes, result_types=[parser.parse_type()])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)}")
        _print_routes(printer, self.routes)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.signal.type)


@irdl_op_definition
class OutputOp(IRDLOperation):
    """An output of the program: the slices that together are its population, as they arrive at the host.

    ```mlir
    %p = cluster.input @pixels : !snn.signal<64, spike>
    cluster.output @label(%p) : !snn.signal<64, spike>
    ```
    """

    name = "cluster.output"
    sym_name = prop_def(SymbolNameConstraint())
    signals = var_operand_def(SignalType)
    traits = traits_def(SymbolOpInterface())
    assembly_format = "$sym_name `(` $signals `)` attr-dict `:` type($signals)"

    def __init__(self, name: str, signals: Sequence[SSAValue]) -> None:
        super().__init__(properties={"sym_name": StringAttr(name)}, operands=[signals])

    @classmethod
    def from_text(cls, frame: Frame) -> "OutputOp":
        """The op whose text has been read, without operands."""
        return cls(frame.name, [])


@irdl_op_definition
class ClusterOp(IRDLOperation):
    """What one crossbar holds: rows fed by axons, and slices with one result each; see `cluster.program`.

    `axons` are the rows in order, group by group; `sums` are partial sums that arrive from other clusters, taken by the
    slices in order; `delays` is what it takes of its crossbar's delay memory, `at` is the crossbar, `routes` the ways
    of the results to other tiles and to the host.
    """

    name = "cluster.cluster"
    sym_name = prop_def(SymbolNameConstraint())
    signals = var_operand_def(SignalType)
    sums = var_operand_def(PartialType)
    axons = prop_def(ArrayAttr[AxonsAttr])
    slices = prop_def(ArrayAttr[SliceAttr])
    delays = opt_prop_def(DelayMemoryAttr)
    place = opt_prop_def(PlaceAttr)
    routes = opt_prop_def(ArrayAttr[RouteAttr])
    computed = var_result_def(base(SignalType) | base(PartialType))
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(SymbolOpInterface())

    def __init__(
        self,
        name: str,
        axons: Sequence[Axons],
        slices: Sequence[Slice],
        elements: Mapping[str, Attribute] | None = None,
    ) -> None:
        """A cluster that reads nothing yet: `wire` follows, when all clusters exist (they may read each other).

        `elements` are those of the signals that populations emit; spikes, where one is not named.
        """
        super().__init__(
            operands=[[], []],
            result_types=[[s.emitting((elements or {}).get(s.population, NoneAttr())) for s in slices]],
            properties={
                "sym_name": StringAttr(name),
                "axons": ArrayAttr(AxonsAttr(a) for a in axons),
                "slices": ArrayAttr(SliceAttr(s) for s in slices),
            },
        )

    def wire(self, signals: Sequence[SSAValue], sums: Sequence[SSAValue]) -> None:
        """Set what the cluster reads: a signal for each group of axons, and the partial sums of its slices."""
        self.operands = [*signals, *sums]
        self.properties[AttrSizedOperandSegments.attribute_name] = _segments(len(signals), len(sums))

    @classmethod
    def from_text(cls, text: ClusterText) -> "ClusterOp":
        """The op whose text has been read, without operands."""
        properties: dict[str, Attribute] = {
            "sym_name": StringAttr(text.frame.name),
            "axons": ArrayAttr(text.axons),
            "slices": ArrayAttr(text.slices),
            AttrSizedOperandSegments.attribute_name: _segments(len(text.axons), text.sums),
        }
        if text.delays is not None:
            properties["delays"] = text.delays
        if text.place is not None:
            properties["place"] = text.place
        if text.routes is not None:
            properties["routes"] = ArrayAttr(text.routes)
        return cls.create(result_types=text.frame.outputs, properties=properties)

    @property
    def parts(self) -> list[Slice]:
        """The slices as plain values."""
        return [attribute.data for attribute in self.slices]

    @property
    def rows(self) -> int:
        """The number of rows in use: those that axons feed, and those of kernels behind them."""
        windows = [part.data.windows for part in self.slices]
        return self.fed + sum([len(each.kernel) for each in windows if each is not None])

    @property
    def fed(self) -> int:
        """The number of rows that axons feed."""
        return sum([len(a.data.neurons) for a in self.axons if not a.data.windowed])

    @property
    def columns(self) -> int:
        """The number of columns in use."""
        return sum(part.columns for part in self.parts)

    @property
    def sums_of_slices(self) -> list[list[SSAValue]]:
        """The partial sums that each slice adds."""
        taken, result = 0, list[list[SSAValue]]()
        for part in self.parts:
            result.append(list(self.sums[taken : taken + part.adds]))
            taken += part.adds
        return result

    def verify_(self) -> None:
        name, parts, groups, signals = self.sym_name.data, self.parts, self.axons.data, self.signals
        given, fed = self.operands[len(signals) :], self.fed
        if len(groups) != len(signals):
            raise VerifyException(f"@{name}: {len(groups)} groups of axons for {len(signals)} signals")
        if sum([part.adds for part in parts]) != len(given):
            raise VerifyException(f"@{name}: the slices do not add exactly the {len(given)} partial sums given")
        if len(self.results) != len(parts) or not all(map(_makes, parts, self.result_types)):
            raise VerifyException(f"@{name}: there is one result per slice, of the slice's size and kind")
        ranges = sorted([(part.column, part.column + part.columns) for part in parts])
        if any(stop > start for (_, stop), (start, _) in pairwise(ranges)):
            raise VerifyException(f"@{name}: two slices use the same column")
        for part in parts:
            rows = fed if part.windows is None else self.rows
            if part.rows.stop > rows:
                raise VerifyException(
                    f"@{name}: slice of @{part.population} uses row {part.rows.stop - 1} of {self.rows}"
                )
            if part.windows is not None:
                self._verify_windows(part, part.windows)
        owners = [part for part in parts for _ in range(part.adds)]
        for part, value in zip(owners, given, strict=False):
            if not isinstance(value.type, PartialType) or value.type.size.data != part.size:
                raise VerifyException(
                    f"@{name}: a slice of {part.size} neurons adds {part.size} partial sums at a time"
                )

    def _verify_windows(self, part: Slice, windows: Windows) -> None:
        """A kernel has rows of its own, and windows pass over axons that feed none."""
        where = f"@{self.sym_name.data}: slice of @{part.population}"
        used = [each.rows.array for each in self.parts if each is not part and each.windows is not None]
        used.append(np.arange(self.fed))
        if np.isin(part.rows.array, np.concatenate(used)).any():
            raise VerifyException(f"{where}: its kernel sits on rows that axons or other kernels use")
        windowed = sum([len(axons.data.neurons) for axons in self.axons if axons.data.windowed])
        if windows.axons.stop > windowed:
            raise VerifyException(f"{where}: windowed axon {windows.axons.stop - 1} of {windowed}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        parser.parse_keyword("axons")
        groups = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_group(parser))
        signals = [operand for operand, _ in groups]
        sums: list[UnresolvedOperand] = []
        if parser.parse_optional_keyword("sums"):
            sums = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        parser.parse_keyword("slices")
        slices = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: SliceAttr(parse_slice(parser)))
        properties["axons"] = ArrayAttr(AxonsAttr(axons) for _, axons in groups)
        properties["slices"] = ArrayAttr(slices)
        mapping: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("delays"):
            mapping["delays"] = DelayMemoryAttr(parse_delay_memory(parser, parser.Delimiter.PAREN))
        if parser.parse_optional_keyword("at"):
            mapping["place"] = PlaceAttr(parse_place(parser))
        _parse_routes(parser, mapping)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_function_type()
        operands = parser.resolve_operands([*signals, *sums], types.inputs.data, position)
        op = cls.build(
            operands=[operands[: len(signals)], operands[len(signals) :]],
            result_types=[types.outputs.data],
            properties=properties,
            attributes=attributes,
        )
        op.properties |= mapping
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)} axons(")
        signals = self.signals
        sums = self.operands[len(signals) :]
        print_operands(printer, signals, [str(axons.data) for axons in self.axons.data])
        if sums:
            printer.print_string(") sums(")
            print_operands(printer, sums, [""] * len(sums))
        delays = f" delays({self.delays.data})" if self.delays is not None else ""
        place = f" at {place_text(self.place.data)}" if self.place is not None else ""
        printer.print_string(f") slices({', '.join(map(str, self.parts))}){delays}{place}")
        _print_routes(printer, self.routes)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        print_function_type(printer, self.operand_types, self.result_types)


def address_of(value: SSAValue) -> Address:
    """The input or population behind a signal, and which of its neurons it carries, in order."""
    assert isinstance(value, OpResult)
    owner = value.op
    if isinstance(owner, InputOp):
        assert isinstance(value.type, SignalType)
        return owner.sym_name.data, np.arange(value.type.size)
    assert isinstance(owner, ClusterOp)
    part = owner.parts[value.index]
    return part.population, part.neurons.array


def source_name(value: SSAValue) -> str:
    """The input or population behind a signal."""
    assert isinstance(value, OpResult)
    owner = value.op
    if isinstance(owner, ClusterOp):
        return owner.slices.data[value.index].data.population
    assert isinstance(owner, InputOp)
    return owner.sym_name.data


def place_of_cluster(op: ClusterOp) -> Place | None:
    """The crossbar that a cluster sits on, when it has been placed."""
    return op.place.data if op.place is not None else None


def routes_of(op: ClusterOp | InputOp) -> list[Route]:
    """The routes of an op's results."""
    return [attribute.data for attribute in op.routes] if op.routes is not None else []


def _makes(part: Slice, type_: Attribute) -> bool:
    """Whether a slice's result has a type like this: `part.emitting(...)`, which need not be made for it."""
    if part.is_partial:
        return isinstance(type_, PartialType) and type_.size.data == part.size
    return isinstance(type_, SignalType) and type_.is_discrete and type_.shape.data == (part.size,)


@lru_cache(1024)
def _segments(signals: int, sums: int) -> DenseArrayBase[IntegerType]:
    return DenseArrayBase.from_list(i32, [signals, sums])


def _parse_group(parser: Parser) -> tuple[UnresolvedOperand, Axons]:
    return parser.parse_unresolved_operand(), parse_axons(parser)


def _parse_routes(parser: Parser, properties: dict[str, Attribute]) -> None:
    if parser.parse_optional_keyword("routes"):
        routes: list[RouteAttr] = []
        parser.parse_punctuation("(")
        if parser.parse_optional_punctuation(")") is None:
            routes.append(RouteAttr(parse_route(parser)))
            while parser.parse_optional_keyword("and"):
                routes.append(RouteAttr(parse_route(parser)))
            parser.parse_punctuation(")")
        properties["routes"] = ArrayAttr(routes)


def _print_routes(printer: Printer, routes: "ArrayAttr[RouteAttr] | None") -> None:
    if routes is not None:
        printer.print_string(f" routes({' and '.join([str(r.data) for r in routes.data])})")


Cluster = Dialect(
    "cluster",
    [ProgramOp, InputOp, OutputOp, ClusterOp],
    [PartialType, AxonsAttr, SliceAttr, DelayMemoryAttr, PlaceAttr, RouteAttr, MetricsAttr],
)
