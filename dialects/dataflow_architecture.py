"""The ops of the `dataflow` dialect that describe the tiles on which a graph may run.

They say what an architecture graph of SDF3 says, and what `snnir.schedule` binds actors to.
"""

from typing import Self

from xdsl.dialects.builtin import FlatSymbolRefAttrConstr, IntAttr, StringAttr, SymbolNameConstraint, SymbolRefAttr
from xdsl.ir import Attribute, Block, Region
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import parse_body, parse_text, symbol
from snnir.schedule.architecture import Architecture, Connection, Tile

_LIMITS = {
    "wheel": "wheel",
    "memory": "memory",
    "connections": "connections",
    "input": "input_bandwidth",
    "output": "output_bandwidth",
}
"""Keyword in the text of a tile -> its property, which is also the field of `snnir.schedule.architecture.Tile`."""


@irdl_op_definition
class TileOp(IRDLOperation):
    """A tile: a processor of some type, its memory in bits, its network interface.

    `wheel` is the length of the processor's time-division wheel, `connections` how many channels to other tiles the
    interface serves, `input` and `output` its bandwidths in bits per time unit. What is not said is not limited.

    See `dataflow.architecture`.
    """

    name = "dataflow.tile"
    sym_name = prop_def(SymbolNameConstraint())
    processor = prop_def(StringAttr)
    wheel = opt_prop_def(IntAttr)
    memory = opt_prop_def(IntAttr)
    connections = opt_prop_def(IntAttr)
    input_bandwidth = opt_prop_def(IntAttr)
    output_bandwidth = opt_prop_def(IntAttr)
    traits = traits_def(SymbolOpInterface())

    def __init__(self, tile: Tile) -> None:
        limits = {field: getattr(tile, field) for field in _LIMITS.values()}
        properties: dict[str, Attribute | None] = {
            "sym_name": StringAttr(tile.name),
            "processor": StringAttr(tile.processor),
            **{field: None if limit is None else IntAttr(limit) for field, limit in limits.items()},
        }
        super().__init__(properties=properties)

    @property
    def tile(self) -> Tile:
        """The tile as `snnir.schedule` knows it; raises `ScheduleError` when a limit is out of range."""
        limits: dict[str, IntAttr | None] = {field: getattr(self, field) for field in _LIMITS.values()}
        known = {field: limit.data for field, limit in limits.items() if limit is not None}
        return Tile(self.sym_name.data, self.processor.data, **known)

    def verify_(self) -> None:
        try:
            _ = self.tile
        except ValueError as error:
            raise VerifyException(str(error)) from error

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        parser.parse_keyword("processor")
        properties["processor"] = StringAttr(parse_text(parser, "the type of a processor"))
        for keyword, field in _LIMITS.items():
            if parser.parse_optional_keyword(keyword):
                properties[field] = IntAttr(parser.parse_integer())
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)} processor ")
        printer.print_string_literal(self.processor.data)
        for keyword, field in _LIMITS.items():
            value: IntAttr | None = getattr(self, field)
            if value is not None:
                printer.print_string(f" {keyword} {value.data}")
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ConnectionOp(IRDLOperation):
    """A way from one tile to another, on which data takes `delay` time units.

    The names of connections need not differ: they do not in published files. See `dataflow.architecture`.
    """

    name = "dataflow.connection"
    connection = prop_def(SymbolNameConstraint())
    source = prop_def(FlatSymbolRefAttrConstr)
    target = prop_def(FlatSymbolRefAttrConstr)
    delay = prop_def(IntAttr)

    def __init__(self, connection: Connection) -> None:
        properties = {
            "connection": StringAttr(connection.name),
            "source": SymbolRefAttr(connection.source),
            "target": SymbolRefAttr(connection.target),
            "delay": IntAttr(connection.delay),
        }
        super().__init__(properties=properties)

    @property
    def ends(self) -> tuple[str, str]:
        """The names of the tiles from which and to which it leads."""
        return self.source.root_reference.data, self.target.root_reference.data

    def verify_(self) -> None:
        if self.delay.data < 0:
            raise VerifyException(f"@{self.connection.data}: a delay is not negative")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"connection": parser.parse_symbol_name()}
        for keyword, end in (("from", "source"), ("to", "target")):
            parser.parse_keyword(keyword)
            properties[end] = SymbolRefAttr(parser.parse_symbol_name())
        parser.parse_keyword("delay")
        properties["delay"] = IntAttr(parser.parse_integer())
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        source, target = map(symbol, self.ends)
        printer.print_string(f" {symbol(self.connection.data)} from {source} to {target} delay {self.delay.data}")
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ArchitectureOp(IRDLOperation):
    """Tiles and the connections between them.

    ```mlir
    dataflow.architecture @pair {
      dataflow.tile @t0 processor "crossbar" wheel 8 memory 1048576 connections 8 input 96 output 96
      dataflow.tile @t1 processor "arm"
      dataflow.connection @c0 from @t0 to @t1 delay 3
    }
    ```
    """

    name = "dataflow.architecture"
    architecture = prop_def(SymbolNameConstraint())
    body = region_def("single_block")
    traits = traits_def(SymbolTable(), NoTerminator())

    def __init__(self, name: str, body: Region | None = None) -> None:
        super().__init__(properties={"architecture": StringAttr(name)}, regions=[body or Region(Block())])

    @property
    def tiles(self) -> list[TileOp]:
        """The tiles, in order."""
        return [op for op in self.body.block.ops if isinstance(op, TileOp)]

    @property
    def connections(self) -> list[ConnectionOp]:
        """The connections, in order."""
        return [op for op in self.body.block.ops if isinstance(op, ConnectionOp)]

    def verify_(self) -> None:
        known = {tile.sym_name.data for tile in self.tiles}
        for connection in self.connections:
            for end in connection.ends:
                if end not in known:
                    raise VerifyException(f"@{connection.connection.data}: there is no tile @{end}")
        for op in self.body.block.ops:
            if not isinstance(op, TileOp | ConnectionOp):
                raise VerifyException(f"an architecture holds tiles and connections, not {op.name}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties = {"architecture": parser.parse_symbol_name()}
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser)
        return cls.create(properties=properties, attributes=attributes.data if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.architecture.data)}")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


def architecture_of(op: ArchitectureOp) -> Architecture:
    """The architecture as `snnir.schedule` knows it."""
    connections = tuple(Connection(each.connection.data, *each.ends, each.delay.data) for each in op.connections)
    return Architecture(op.architecture.data, tuple(tile.tile for tile in op.tiles), connections)
