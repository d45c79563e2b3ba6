"""The attribute that holds how many entries of its crossbar's delay memory a cluster takes: set by
`cluster-size-delays`, read where crossbars are programmed."""

from dataclasses import dataclass

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import parse_fields
from snnir.indices import LIMIT

_REQUIRED = ("entries", "bound")
_KNOWN = (*_REQUIRED, "observed")


@dataclass(frozen=True)
class DelayMemory:
    """What a cluster takes of its crossbar's delay memory, in slots (`ring`) or events (all others)."""

    entries: int
    """How many are reserved: a program that needs more at run time stops there, and loses no spike."""
    bound: int
    """How many there are when every neuron fires in every step."""
    observed: int | None = None
    """The most at any time on representative data; `None`: not measured."""

    def problem(self) -> str | None:
        """What makes this no size of a memory, in words; `None` when nothing does."""
        if not 0 < self.entries <= self.bound < LIMIT:
            return f"1 to {self.bound} entries are reserved, as more are never in use, not {self.entries}"
        if self.observed is not None and not 0 <= self.observed <= self.entries:
            return f"{self.observed} entries were in use, and only {self.entries} are reserved"
        return None

    def __str__(self) -> str:
        observed = f", observed = {self.observed}" if self.observed is not None else ""
        return f"entries = {self.entries}, bound = {self.bound}{observed}"


@irdl_attr_definition
class DelayMemoryAttr(Data[DelayMemory]):
    """Entries of a crossbar's delay memory: reserved, at most, and (where measured) the most in use on data.

    ```mlir
    #cluster.delay_memory<entries = 120, bound = 448, observed = 96>
    ```
    """

    name = "cluster.delay_memory"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> DelayMemory:
        return parse_delay_memory(parser, parser.Delimiter.ANGLE)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        problem = self.data.problem()
        if problem:
            raise VerifyException(problem)


def parse_delay_memory(parser: AttrParser, delimiter: AttrParser.Delimiter) -> DelayMemory:
    """Parse `(entries = 120, bound = 448, observed = 96)`."""
    start = parser.pos
    found = parse_fields(parser, lambda: parser.parse_integer(allow_negative=False), delimiter)
    wrong = [name for name in found if name not in _KNOWN] + [name for name in _REQUIRED if name not in found]
    if wrong:
        parser.raise_error(f"'{wrong[0]}' is {'unknown' if wrong[0] in found else 'missing'}", start)
    return DelayMemory(found["entries"], found["bound"], found.get("observed"))
