"""The attributes of the `cluster` dialect: axons, slices, places, and the type of partial sums."""

from dataclasses import dataclass
from typing import Literal

from xdsl.dialects.builtin import NoneAttr
from xdsl.ir import Attribute, Data, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import ShapeAttr, SignalType, SizeType, parse_indices, symbol
from snnir.dialects.cluster_routes import Router, parse_router
from snnir.indices import LIMIT, Indices

Kind = Literal["neurons", "partial"]


@irdl_attr_definition
class PartialType(SizeType):
    """Partial sums, one per neuron, in every step.

    ```mlir
    !cluster.partial<100>
    ```
    """

    name = "cluster.partial"

    def verify(self) -> None:
        if not 0 < self.size.data < LIMIT:
            raise VerifyException(f"there are 1 to {LIMIT - 1} partial sums, not {self.size.data}")


@dataclass(frozen=True)
class Axons:
    """Neurons (numbered as in their population) that feed consecutive rows, `delay` steps late.

    Windowed ones feed no row of their own: windows of slices that are read several times in a step pass over them.
    """

    neurons: Indices
    delay: int = 0
    windowed: bool = False

    def __str__(self) -> str:
        return f"{self.neurons}{f' delay {self.delay}' if self.delay else ''}{' windowed' if self.windowed else ''}"


@dataclass(frozen=True)
class Windows:
    """How a slice is read several times in a step: at one position of a convolution after the other.

    Each of its columns then is an output channel, and its neurons are the positions of the first channel, the same
    positions of the next, and so on.
    """

    reads: int
    """How many positions."""
    kernel: Indices
    """The places of the kernel (input channel x kernel rows x kernel columns) on the slice's rows."""
    axons: Indices
    """Which of the cluster's windowed axons, numbered in their order, the windows pass over."""

    def __str__(self) -> str:
        return f"reads {self.reads} kernel {self.kernel} windows {self.axons}"


@dataclass(frozen=True)
class Slice:
    """Columns of a cluster: which neurons they make (or partial sums for), from which rows."""

    kind: Kind
    population: str
    neurons: Indices
    rows: Indices
    """The crossbar rows whose cells belong to the slice."""
    column: int
    """The first of its columns; there is one per neuron (and read)."""
    adds: int = 0
    """How many of the cluster's partial sums are added, in the order of its operands."""
    windows: Windows | None = None
    """Where the slice is read several times in a step."""

    @property
    def size(self) -> int:
        """The number of neurons."""
        return len(self.neurons)

    @property
    def reads(self) -> int:
        """How often its cells are read in a step."""
        return 1 if self.windows is None else self.windows.reads

    @property
    def columns(self) -> int:
        """The number of columns."""
        return self.size // self.reads

    @property
    def is_partial(self) -> bool:
        """Whether the neurons themselves sit elsewhere."""
        return self.kind == "partial"

    @property
    def result_type(self) -> TypeAttribute:
        """The type of what the slice computes, where its population spikes."""
        return self.emitting(NoneAttr())

    def emitting(self, element: Attribute) -> TypeAttribute:
        """The type of what the slice computes, where its population emits signals of this element."""
        return PartialType.of(self.size) if self.is_partial else SignalType(ShapeAttr((self.size,)), element)

    def __str__(self) -> str:
        more = (f" adds {self.adds}" if self.adds else "") + (f" {self.windows}" if self.windows is not None else "")
        return f"{self.kind} {symbol(self.population)}{self.neurons} rows {self.rows} column {self.column}{more}"


@dataclass(frozen=True)
class Place:
    """A crossbar of the machine."""

    tile: Router
    crossbar: int
    """Its number within the tile."""


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
        windows = self.data.windows
        if windows is not None and (windows.reads < 1 or self.data.size % windows.reads):
            raise VerifyException(f"{self.data.size} neurons are not {windows.reads} positions of some channels")
        if windows is not None and len(windows.kernel) != len(self.data.rows):
            raise VerifyException(f"{len(windows.kernel)} places of a kernel on {len(self.data.rows)} rows")


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


def place_text(place: Place) -> str:
    """`[0, 1] crossbar 3`."""
    return f"[{place.tile[0]}, {place.tile[1]}] crossbar {place.crossbar}"


def parse_axons(parser: AttrParser) -> Axons:
    """Parse `[0:64] delay 1 windowed`."""
    neurons = parse_indices(parser)
    delay = parser.parse_integer() if parser.parse_optional_keyword("delay") else 0
    return Axons(neurons, delay, parser.parse_optional_keyword("windowed") is not None)


def parse_slice(parser: AttrParser, *, counted: bool = True) -> Slice:
    """Parse `neurons @hidden[0:128] rows [0:64] column 0 adds 1`, and `reads 4 kernel [0:9] windows [0:36]` behind it;
    what is added only when `counted`."""
    kind = parser.parse_keyword_in(("neurons", "partial"))
    population = parser.parse_symbol_name().data
    neurons = parse_indices(parser)
    parser.parse_keyword("rows")
    rows = parse_indices(parser)
    parser.parse_keyword("column")
    column = parser.parse_integer(allow_negative=False)
    adds = parser.parse_integer(allow_negative=False) if counted and parser.parse_optional_keyword("adds") else 0
    windows = parse_windows(parser) if parser.parse_optional_keyword("reads") else None
    return Slice("neurons" if kind == "neurons" else "partial", population, neurons, rows, column, adds, windows)


def parse_windows(parser: AttrParser) -> Windows:
    """Parse what follows `reads`: `4 kernel [0:9] windows [0:36]`."""
    reads = parser.parse_integer(allow_negative=False)
    parser.parse_keyword("kernel")
    kernel = parse_indices(parser)
    parser.parse_keyword("windows")
    return Windows(reads, kernel, parse_indices(parser))


def parse_place(parser: AttrParser) -> Place:
    """Parse `[0, 1] crossbar 3`."""
    tile = parse_router(parser)
    parser.parse_keyword("crossbar")
    return Place(tile, parser.parse_integer(allow_negative=False))
