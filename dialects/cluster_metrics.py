"""The attribute that holds what a clustering is worth: how full crossbars are, what travels between them, what routes
take. Set by `cluster-metrics` on a `cluster.program`, under the name `ATTRIBUTE`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import decimal, parse_fields

ATTRIBUTE = "cluster.metrics"
"""The name of the attribute of a `cluster.program`."""


@dataclass(frozen=True)
class Used:
    """How full the crossbars in use are."""

    clusters: int
    slices: int
    weights: int
    """Cells that hold a weight."""
    rows: float
    """Rows in use, of those of all clusters: 0 to 1."""
    columns: float
    """Columns in use, of those of all clusters."""
    cells: float
    """Cells with a weight, of those of all clusters."""


@dataclass(frozen=True)
class Traffic:
    """Values per step, from the mean activity of the profile."""

    profiled: bool
    """Whether activity was measured; else every neuron is taken to fire in every step."""
    driven: float
    """Rows that are driven by a spike."""
    spikes: float
    """Spikes, each counted for every crossbar other than its own that reads it."""
    sums: int
    """Partial sums that are added on another crossbar."""


@dataclass(frozen=True)
class Routed:
    """What the routes take of the network."""

    hops: int
    """Links between routers that routes cross, those of each route once."""
    entries: int
    """Entries in the tables of all routers."""
    fullest: int
    """Entries in the fullest table."""
    flits: float
    """Flits per step, markers of the end of a step too, each counted on every link between routers that it crosses."""
    busiest: float
    """Flits per step on the link between routers that carries most."""
    energy: float | None = None
    """Picojoule per step that flits take from router to router; absent where the machine states no energy."""


@dataclass(frozen=True)
class Metrics:
    """What a clustering is worth; `routed` once there are routes."""

    used: Used
    traffic: Traffic
    routed: Routed | None = None

    def problem(self) -> str | None:
        """What makes these no metrics, in words; `None` when nothing does."""
        for part in (self.used, self.traffic, self.routed):
            for f in fields(part) if part is not None else ():
                value = getattr(part, f.name)
                if value is not None and not (math.isfinite(value) and value >= 0):
                    return f"{f.name} is a number, 0 or more, not {value}"
        if max(self.used.rows, self.used.columns, self.used.cells) > 1:
            return "rows, columns and cells are shares, 1 at most"
        return None


_PARTS: dict[str, type] = {"used": Used, "traffic": Traffic, "routed": Routed}


@irdl_attr_definition
class MetricsAttr(Data[Metrics]):
    """What a clustering is worth.

    ```mlir
    #cluster.metrics<used(clusters = 2, slices = 3, weights = 96, rows = 0.5, columns = 0.75, cells = 0.25),
      traffic(profiled = true, driven = 3.5, spikes = 1.25, sums = 8),
      routed(hops = 2, entries = 2, fullest = 1, flits = 4.5, busiest = 2.5, energy = 13.5)>
    ```
    """

    name = "cluster.metrics"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Metrics:
        start = parser.pos
        found: dict[str, dict[str, object]] = {}

        def part() -> None:
            name = parser.parse_identifier(" (used, traffic or routed)")
            if name in found:
                parser.raise_error(f"'{name}' is given twice", start)
            found[name] = parse_fields(parser, lambda: _value(parser))

        parser.parse_comma_separated_list(parser.Delimiter.ANGLE, part)
        try:
            return _metrics(found)
        except ValueError as error:
            parser.raise_error(str(error), start)

    def print_parameter(self, printer: Printer) -> None:
        parts = ((name, getattr(self.data, name)) for name in _PARTS)
        text = ", ".join(f"{name}({_text(part)})" for name, part in parts if part is not None)
        with printer.in_angle_brackets():
            printer.print_string(text)

    def verify(self) -> None:
        problem = self.data.problem()
        if problem:
            raise VerifyException(problem)


def _value(parser: AttrParser) -> object:
    truth = parser.parse_optional_boolean()
    return parser.parse_number() if truth is None else truth


def _metrics(found: Mapping[str, Mapping[str, object]]) -> Metrics:
    """Raises `ValueError` for entries that are missing, unknown, or of another type."""
    parts: dict[str, Any] = {}
    for name, values in found.items():
        if name not in _PARTS:
            raise ValueError(f"no part '{name}' in metrics; there are {', '.join(_PARTS)}")
        class_ = _PARTS[name]
        types = get_type_hints(class_)
        required = [f.name for f in fields(class_) if types[f.name] != float | None]
        wrong = [key for key in values if key not in types] + [key for key in required if key not in values]
        if wrong:
            raise ValueError(f"{name}.{wrong[0]} is {'unknown' if wrong[0] in values else 'missing'}")
        parts[name] = class_(**{key: _typed(f"{name}.{key}", types[key], value) for key, value in values.items()})
    for name in ("used", "traffic"):
        if name not in parts:
            raise ValueError(f"'{name}' is missing")
    return Metrics(**parts)


def _typed(key: str, type_: Any, value: object) -> object:
    match value:
        case bool():
            fits = type_ is bool
        case int():
            fits = type_ is not bool
            value = value if type_ is int else float(value)
        case _:
            fits = isinstance(value, float) and type_ not in (bool, int)
    if not fits:
        raise ValueError(f"{key} is {'true or false' if type_ is bool else 'a number'}, whole where it counts things")
    return value


def _text(part: Any) -> str:
    values = {f.name: getattr(part, f.name) for f in fields(part)}
    return ", ".join(f"{name} = {_number(value)}" for name, value in values.items() if value is not None)


def _number(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else decimal(value)
