"""The text of clusters and outputs as they are printed: read by one regular expression each; types in one piece.

Each `read_` function refuses, with `None`, all text that is spelled in another way, and all that is wrong.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, cast

from xdsl.dialects.builtin import IntegerType, NoneAttr, Signedness
from xdsl.ir import Attribute, SSAValue
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import ShapeAttr, SignalType
from snnir.dialects.cluster_attributes import Axons, AxonsAttr, PartialType, Place, PlaceAttr, Slice, SliceAttr, Windows
from snnir.dialects.cluster_delays import DelayMemory, DelayMemoryAttr
from snnir.dialects.cluster_routes import Destination, Route, RouteAttr
from snnir.dialects.quick_text import INDICES, indices_of, is_quick
from snnir.indices import Indices

_NAME = r"(?:[0-9]+|[a-zA-Z$._-][a-zA-Z0-9$._-]*)"
_SYMBOL = r'@(?:[a-zA-Z_][a-zA-Z0-9_$.]*|"[^"\\\n\v\f]*")'
_NUMBER = "[0-9]+"
_SIGNAL = r"!snn\.signal<[1-9][0-9]*(?:x[1-9][0-9]*)*, (?:spike|[su]?i[1-9][0-9]?)>"
_TYPE = rf"(?:{_SIGNAL}|!cluster\.partial<[0-9]+>)"
_ROUTER = rf"\[{_NUMBER}, {_NUMBER}\]"
_END = rf"(?:host|tile {_ROUTER})"


def _list(item: str, separator: str = ", ") -> str:
    return f"{item}(?:{separator}{item})*"


_GROUP = rf"%{_NAME}{INDICES}(?: delay {_NUMBER})?(?: windowed)?"
_SLICE = (
    rf"(?:neurons|partial) {_SYMBOL}{INDICES} rows {INDICES} column {_NUMBER}(?: adds {_NUMBER})?"
    rf"(?: reads {_NUMBER} kernel {INDICES} windows {INDICES})?"
)
_ROUTE = rf"{_NUMBER} to {_list(_END)}"
_CLUSTER = re.compile(
    rf"(?:({_list(f'%{_NAME}')}) = )?cluster\.cluster ({_SYMBOL}) axons\(((?:{_list(_GROUP)})?)\)"
    rf"(?: sums\(({_list(f'%{_NAME}')})\))? slices\(((?:{_list(_SLICE)})?)\)"
    rf"(?: delays\(entries = ({_NUMBER}), bound = ({_NUMBER})(?:, observed = ({_NUMBER}))?\))?"
    rf"(?: at \[({_NUMBER}), ({_NUMBER})\] crossbar ({_NUMBER}))?"
    rf"(?: routes\(((?:{_list(_ROUTE, ' and ')})?)\))?"
    rf" : \(((?:{_list(_TYPE)})?)\) -> (?:({_TYPE})|\(((?:{_list(_TYPE)})?)\))"
)
_OUTPUT = re.compile(rf"cluster\.output ({_SYMBOL})\(({_list(f'%{_NAME}')})\) : ({_list(_SIGNAL)})(?=\n)")
_VALUES = re.compile(f"%({_NAME})")
_GROUPS = re.compile(rf"%({_NAME})({INDICES})(?: delay ({_NUMBER}))?( windowed)?")
_SLICES = re.compile(
    rf"(neurons|partial) ({_SYMBOL})({INDICES}) rows ({INDICES}) column ({_NUMBER})(?: adds ({_NUMBER}))?"
    rf"(?: reads ({_NUMBER}) kernel ({INDICES}) windows ({INDICES}))?"
)
_ENDS = re.compile(rf"host|\[({_NUMBER}), ({_NUMBER})\]")
_TYPES = re.compile(rf"!snn\.signal<([0-9x]+), (spike|[su]?i[0-9]+)>|!cluster\.partial<({_NUMBER})>")

_REMEMBERED = 1 << 14
"""How many index sets are remembered by their text: clusters next to each other have many in common."""
Named = tuple[str, int]
"""A value: its name without `%`, and the position of the `%`."""


class Frame(NamedTuple):
    """What is alike in all ops: where the text ends, and what names and types it gives."""

    end: int
    name: str
    results: list[Named]
    operands: list[Named]
    inputs: tuple[Attribute, ...]
    """The types of the operands."""
    outputs: tuple[Attribute, ...]
    """The types of the results."""


class ClusterText(NamedTuple):
    """What the text of a cluster says, before names stand for values."""

    frame: Frame
    sums: int
    """How many of the operands, the last, are partial sums."""
    axons: list[AxonsAttr]
    slices: list[SliceAttr]
    delays: DelayMemoryAttr | None
    place: PlaceAttr | None
    routes: list[RouteAttr] | None


def read_cluster(text: str, position: int) -> ClusterText | None:
    """The cluster that stands at `position`."""
    match = _CLUSTER.match(text, position)
    if match is None:
        return None
    _, name, _, _, slices, entries, bound, observed, x, y, crossbar, routes, inputs, output, outputs = match.groups()
    groups = list(_GROUPS.finditer(text, *match.span(3)))
    results, sums = _values(text, *match.span(1)), _values(text, *match.span(4))
    operands = [*[(group[1], group.start()) for group in groups], *sums]
    try:
        frame = Frame(match.end(), _name(name), results, operands, _types(inputs), _types(output or outputs))
        if len(frame.inputs) != len(operands) or len(frame.outputs) != len(results):
            return None
        return ClusterText(
            frame,
            len(sums),
            [_axons(group[2], group[3], group[4]) for group in groups],
            [SliceAttr(_slice(*part)) for part in cast(list[tuple[str, ...]], _SLICES.findall(slices))],
            _delays(entries, bound, observed) if entries is not None else None,
            PlaceAttr(Place((int(x), int(y)), int(crossbar))) if x is not None else None,
            [_route(part) for part in routes.split(" and ") if part] if routes is not None else None,
        )
    except (ValueError, VerifyException):
        return None


def read_output(text: str, position: int) -> Frame | None:
    """The output that stands at `position`."""
    match = _OUTPUT.match(text, position)
    if match is None:
        return None
    operands = _values(text, *match.span(2))
    try:
        types = tuple([_type(type_[1], type_[2], type_[3]) for type_ in _TYPES.finditer(text, *match.span(3))])
    except (ValueError, VerifyException):
        return None
    return Frame(match.end(), _name(match[1]), [], operands, types, ()) if len(types) == len(operands) else None


def _name(symbol: str) -> str:
    return symbol[2:-1] if symbol[1] == '"' else symbol[1:]


def print_operands(printer: Printer, values: Iterable[SSAValue], texts: Iterable[str]) -> None:
    """Print each value and the text behind it: in as few pieces as the printer knows the values' names."""
    known: dict[SSAValue, str] = {}
    if is_quick() and type(printer).print_ssa_value is Printer.print_ssa_value:
        known = getattr(printer, "_ssa_values", known)
    made, separator = "", ""
    for value, text in zip(values, texts, strict=True):
        if value in known:
            made += f"{separator}%{known[value]}{text}"
        else:
            printer.print_string(made + separator)
            printer.print_ssa_value(value)
            made = text
        separator = ", "
    printer.print_string(made)


def print_function_type(printer: Printer, inputs: Iterable[Attribute], outputs: Iterable[Attribute]) -> None:
    """What `printer.print_function_type` prints, in one piece where the printer has no ways of its own with types."""
    if not is_quick() or type(printer).print_attribute is not Printer.print_attribute:
        printer.print_function_type(inputs, outputs)
        return
    made = [_type_text(type_) for type_ in outputs]
    result = made[0] if len(made) == 1 else f"({', '.join(made)})"
    printer.print_string(f"({', '.join([_type_text(type_) for type_ in inputs])}) -> {result}")


def _type_text(type_: Attribute) -> str:
    match type_:
        case SignalType() if type_.is_discrete:
            element = "spike" if type_.is_spike else type_.element
            return f"!snn.signal<{'x'.join(map(str, type_.shape.data))}, {element}>"
        case PartialType():
            return f"!cluster.partial<{type_.size.data}>"
        case _:
            return str(type_)


@lru_cache(_REMEMBERED)
def _axons(neurons: str, delay: str | None, windowed: str | None) -> AxonsAttr:
    return AxonsAttr(Axons(_indices(neurons), int(delay or 0), windowed is not None))


@lru_cache(_REMEMBERED)
def _indices(text: str) -> Indices:
    indices = indices_of(text)
    if indices is None:
        raise ValueError(text)
    return indices


def _values(text: str, start: int, end: int) -> list[Named]:
    return [(match[1], match.start()) for match in _VALUES.finditer(text, start, end)] if end > start else []


def _slice(
    kind: str, population: str, neurons: str, rows: str, column: str, adds: str, reads: str, kernel: str, windows: str
) -> Slice:
    return Slice(
        "neurons" if kind == "neurons" else "partial",
        _name(population),
        _indices(neurons),
        _indices(rows),
        int(column),
        int(adds or 0),
        Windows(int(reads), _indices(kernel), _indices(windows)) if reads else None,
    )


def _delays(entries: str, bound: str, observed: str | None) -> DelayMemoryAttr:
    return DelayMemoryAttr(DelayMemory(int(entries), int(bound), int(observed) if observed is not None else None))


@lru_cache(_REMEMBERED)
def _route(text: str) -> RouteAttr:
    result, _, ends = text.partition(" to ")
    found: list[Destination] = [(int(e[1]), int(e[2])) if e[1] else "host" for e in _ENDS.finditer(ends)]
    return RouteAttr(Route(int(result), tuple(found)))


@lru_cache(_REMEMBERED)
def _types(text: str) -> tuple[Attribute, ...]:
    return tuple(_type(match[1], match[2], match[3]) for match in _TYPES.finditer(text))


@lru_cache(_REMEMBERED)
def _type(shape: str | None, element: str | None, partial: str | None) -> Attribute:
    if partial is not None:
        return PartialType.of(int(partial))
    assert shape is not None and element is not None
    return SignalType(ShapeAttr(tuple(map(int, shape.split("x")))), _element(element))


def _element(text: str) -> Attribute:
    """`spike`, or the type of a code: `i6`, `si6`, `ui6`."""
    if text == "spike":
        return NoneAttr()
    kind, _, bits = text.partition("i")
    signs = {"": Signedness.SIGNLESS, "s": Signedness.SIGNED, "u": Signedness.UNSIGNED}
    return IntegerType(int(bits), signs[kind])
