"""Routes: where the spikes of a slice or an input go, and the attribute that says so in the `cluster` dialect.

A machine has one way from each router to each other (`snnir.partition.floor`), so a route names no routers in between.
"""

from dataclasses import dataclass
from typing import Literal

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

Router = tuple[int, int]
Destination = Router | Literal["host"]
"""Where a way ends: at a tile, or at the host."""


@dataclass(frozen=True)
class Route:
    """One flow of flits for one result: to one destination, or along a tree whose routers copy flits where ways part.

    The tree is the union of the machine's ways from the result's own router to each destination.
    """

    result: int
    """Which result of the op."""
    ends: tuple[Destination, ...]
    """The destinations."""

    @property
    def way(self) -> str:
        """`to tile [1, 0], host`."""
        return f"to {', '.join([destination_text(end) for end in self.ends])}"

    def __str__(self) -> str:
        return f"{self.result} {self.way}"


@irdl_attr_definition
class RouteAttr(Data[Route]):
    """A route.

    ```mlir
    #cluster.route<0 to tile [1, 0]>
    #cluster.route<1 to tile [1, 0], tile [1, 1], host>
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
        ends = self.data.ends
        tiles = [end for end in ends if end != "host"]
        if not ends or self.data.result < 0 or min((min(tile) for tile in tiles), default=0) < 0:
            raise VerifyException("a route has at least one destination; results and tiles are counted from 0")
        if len(set(ends)) != len(ends):
            raise VerifyException("a route has each destination once")


def destination_text(end: Destination) -> str:
    """`tile [1, 0]`, or `host`."""
    return "host" if end == "host" else f"tile [{end[0]}, {end[1]}]"


def parse_route(parser: AttrParser, result: int | None = None) -> Route:
    """Parse `0 to tile [1, 0], host`, without the number when `result` gives it."""
    result = parser.parse_integer(allow_negative=False) if result is None else result
    parser.parse_keyword("to")
    ends: list[Destination]
    ends = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: _parse_destination(parser))
    return Route(result, tuple(ends))


def _parse_destination(parser: AttrParser) -> Destination:
    return "host" if parser.parse_keyword_in(("tile", "host")) == "host" else parse_router(parser)


def parse_router(parser: AttrParser) -> Router:
    """Parse `[x, y]`."""
    values = parser.parse_comma_separated_list(
        parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_negative=False)
    )
    if len(values) != 2:
        parser.raise_error("a router is [x, y]")
    return values[0], values[1]
