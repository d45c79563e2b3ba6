"""The attributes of the `cluster` dialect: axons, slices, places, routes, and the type of partial sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, Data, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SignalType, parse_indices, symbol
from snnir.indices import LIMIT, Indices

Router = tuple[int, int]
Destination = Router | Literal["host"]
"""Where a route ends: at a tile, or at the host."""
Kind = Literal["neurons", "partial"]


@irdl_attr_definition
class PartialType(ParametrizedAttribute, TypeAttribute):
    """Partial sums, one per neuron, in every step.

    ```mlir
    !cluster.partial<100>
    ```
    """

    name = "cluster.partial"
    size: IntAttr

    @staticmethod
    def of(size: int) -> "PartialType":
        """The type of `size` partial sums."""
        return PartialType(IntAttr(size))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return [IntAttr(parser.parse_integer(allow_negative=False))]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_int(self.size.data)

    def verify(self) -> None:
        if not 0 < self.size.data < LIMIT:
            raise VerifyException(f"there are 1 to {LIMIT - 1} partial sums, not {self.size.data}")


@dataclass(frozen=True)
class Axons:
    """Neurons (numbered as in their population) that feed consecutive rows, `delay` steps late."""

    neurons: Indices
    delay: int = 0

    def __str__(self) -> str:
        return str(self.neurons) + (f" delay {self.delay}" if self.delay else "")


@dataclass(frozen=True)
class Slice:
    """Columns of a cluster: which neurons they make (or partial sums for), from which rows."""

    kind: Kind
    population: str
    neurons: Indices
    rows: Indices
    """The crossbar rows whose cells belong to the slice."""
    column: int
    """The first of its columns; there is one per neuron."""
    adds: int = 0
    """How many of the cluster's partial sums are added, in the order of its operands."""

    @property
    def size(self) -> int:
        """The number of columns."""
        return len(self.neurons)

    @property
    def is_partial(self) -> bool:
        """Whether the neurons themselves sit elsewhere."""
        return self.kind == "partial"

    @property
    def result_type(self) -> TypeAttribute:
        """The type of what the slice computes."""
        return PartialType.of(self.size) if self.is_partial else SignalType.spikes(self.size)

    def __str__(self) -> str:
        adds = f" adds {self.adds}" if self.adds else ""
        return f"{self.kind} {symbol(self.population)}{self.neurons} rows {self.rows} column {self.column}{adds}"


@dataclass(frozen=True)
class Place:
    """A crossbar of the machine."""

    tile: Router
    crossbar: int
    """Its number within the tile."""


@dataclass(frozen=True)
class Route:
    """The routers that the spikes of one result pass, from its own to the last."""

    result: int
    """Which result of the op."""
    to_host: bool
    """Whether it ends at the host; else at the tile of the last router."""
    path: tuple[Router, ...]

    @property
    def destination(self) -> Destination:
        """A tile, or the host."""
        return "host" if self.to_host else self.path[-1]

    @property
    def way(self) -> str:
        """`to tile [0, 0], [1, 0]`."""
        return f"to {'host' if self.to_host else 'tile'} {', '.join(f'[{x}, {y}]' for x, y in self.path)}"

    def __str__(self) -> str:
        return f"{self.result} {self.way}"


@irdl_attr_definition
class AxonsAttr(Data[Axons]):
    """Neurons that feed consecutive rows.

    ```mlir
    #cluster.axons<[0:64] delay 1>
    ```
    """

    name = "cluster.axons"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Axons:
        with parser.in_angle_brackets():
            return parse_axons(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        if self.data.delay < 0:
            raise VerifyException("a delay is a number of steps, 0 or more")
        if not self.data.neurons.runs:
            raise VerifyException("a group of axons has at least one neuron")


@irdl_attr_definition
class SliceAttr(Data[Slice]):
    """A slice.

    ```mlir
    #cluster.slice<neurons @hidden[0:128] rows [0:64] column 0 adds 1>
    ```
    """

    name = "cluster.slice"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Slice:
        with parser.in_angle_brackets():
            return parse_slice(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        if not self.data.size:
            raise VerifyException("a slice has at least one neuron")
        if not 0 <= self.data.column < LIMIT:
            raise VerifyException(f"column {self.data.column} is out of range")
        if self.data.is_partial and self.data.adds:
            raise VerifyException("a partial sum adds no other partial sums")


@irdl_attr_definition
class PlaceAttr(Data[Place]):
    """A crossbar of the machine: its tile and its number within the tile.

    ```mlir
    #cluster.place<[0, 1] crossbar 3>
    ```
    """

    name = "cluster.place"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Place:
        with parser.in_angle_brackets():
            return parse_place(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{place_text(self.data)}>")

    def verify(self) -> None:
        if min(*self.data.tile, self.data.crossbar) < 0:
            raise VerifyException("tiles and crossbars are counted from 0")


@irdl_attr_definition
class RouteAttr(Data[Route]):
    """A route.

    ```mlir
    #cluster.route<0 to tile [0, 0], [1, 0]>
    #cluster.route<1 to host [1, 0], [0, 0]>
    ```
    """

    name = "cluster.route"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Route:
        with parser.in_angle_brackets():
            return parse_route(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        if not self.data.path or min(min(router) for router in self.data.path) < 0 or self.data.result < 0:
            raise VerifyException("a route passes at least one router; results and routers are counted from 0")
        if any(abs(a[0] - b[0]) + abs(a[1] - b[1]) != 1 for a, b in pairwise(self.data.path)):
            raise VerifyException("a route goes from router to neighbouring router")


def place_text(place: Place) -> str:
    """`[0, 1] crossbar 3`."""
    return f"[{place.tile[0]}, {place.tile[1]}] crossbar {place.crossbar}"


def parse_axons(parser: AttrParser) -> Axons:
    """Parse `[0:64] delay 1`."""
    neurons = parse_indices(parser)
    return Axons(neurons, parser.parse_integer() if parser.parse_optional_keyword("delay") else 0)


def parse_slice(parser: AttrParser, *, counted: bool = True) -> Slice:
    """Parse `neurons @hidden[0:128] rows [0:64] column 0 adds 1`; the last part only when `counted`."""
    kind = parser.parse_keyword_in(("neurons", "partial"))
    population = parser.parse_symbol_name().data
    neurons = parse_indices(parser)
    parser.parse_keyword("rows")
    rows = parse_indices(parser)
    parser.parse_keyword("column")
    column = parser.parse_integer(allow_negative=False)
    adds = parser.parse_integer(allow_negative=False) if counted and parser.parse_optional_keyword("adds") else 0
    return Slice("neurons" if kind == "neurons" else "partial", population, neurons, rows, column, adds)


def parse_place(parser: AttrParser) -> Place:
    """Parse `[0, 1] crossbar 3`."""
    tile = parse_router(parser)
    parser.parse_keyword("crossbar")
    return Place(tile, parser.parse_integer(allow_negative=False))


def parse_route(parser: AttrParser, result: int | None = None) -> Route:
    """Parse `0 to tile [0, 0], [1, 0]`, without the number when `result` gives it."""
    result = parser.parse_integer(allow_negative=False) if result is None else result
    parser.parse_keyword("to")
    to_host = parser.parse_keyword_in(("tile", "host")) == "host"
    path = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_router(parser))
    return Route(result, to_host, tuple(path))


def parse_router(parser: AttrParser) -> Router:
    """Parse `[x, y]`."""
    values = parser.parse_comma_separated_list(
        parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_negative=False)
    )
    if len(values) != 2:
        parser.raise_error("a router is [x, y]")
    return values[0], values[1]
