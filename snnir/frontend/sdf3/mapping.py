"""The mapping of an SDF3 file: which tile runs an actor, in which order, and in which slice of its wheel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from snnir.dialects.dataflow import ArchitectureOp, TileOp
from snnir.dialects.dataflow_attributes import Phases
from snnir.frontend.names import suggestion
from snnir.frontend.sdf3.graph import Graph
from snnir.frontend.sdf3.xml import Element

Note = Callable[[object, str], None]


@dataclass
class Order:
    """A static order of a tile; `turn` is the length of its wheel and of the slice."""

    element: Element
    tile: str
    actors: list[str]
    turn: tuple[int, int] | None


@dataclass
class Binding:
    """Actor -> tile, actor -> time on that tile, and the orders of the tiles."""

    tiles: dict[str, str] = field(default_factory=dict[str, str])
    times: dict[str, Phases] = field(default_factory=dict[str, Phases])
    orders: list[Order] = field(default_factory=list[Order])


def read_mapping(element: Element, graph: Graph | None, architecture: ArchitectureOp | None, note: Note) -> Binding:
    """The binding that a `<mapping>` states; `note` is told what is left out."""
    if graph is None or architecture is None:
        hint = "put <applicationGraph> and <architectureGraph> into the same file"
        raise element.error("a <mapping> without the graphs that it maps", hint)
    for attribute, name in (("appGraph", graph.name), ("archGraph", architecture.architecture.data)):
        if element.required(attribute) != name:
            raise element.error(f"{attribute} names '{element.required(attribute)}', the graph is '{name}'")
    tiles = {tile.sym_name.data: tile for tile in architecture.tiles}
    binding = Binding()
    complete = True
    reserved: Counter[str] = Counter()
    for child in element.all("tile"):
        name = child.required("name")
        if name not in tiles:
            raise child.error(f"there is no tile '{name}'", suggestion(name, tiles))
        processor = child.one("processor")
        if processor is not None:
            complete &= _bind(processor, tiles[name], graph, binding)
        _skip([*child.all("memory"), *child.all("networkInterface")], reserved)
    _skip([*element.all("connection"), *element.all("network")], reserved)
    if reserved:
        named = ", ".join(f"<{name}>" + (f" ({count} times)" if count > 1 else "") for name, count in reserved.items())
        note(element.place, f"left out: what is reserved in {named}; dataflow-bind computes what a binding needs")
    if len(set(binding.tiles.values())) > 1:
        note(element.place, "connections between tiles take no time here; dataflow-bind builds the graph with them")
    if not complete and binding.tiles:
        binding.orders.clear()
        note(element.place, "left out: schedules; every tile needs one, without states before the periodic regime")
    return binding


def _bind(processor: Element, tile: TileOp, graph: Graph, binding: Binding) -> bool:
    """Bind the actors of one tile; whether it has a static order, or needs none."""
    name = tile.sym_name.data
    # which of its processors is meant needs no saying: a tile has one
    processor.seen.add("name")
    bound: list[str] = []
    for child in processor.all("actor"):
        actor = child.required("name")
        if actor not in graph.actors:
            raise child.error(f"there is no actor '{actor}'", suggestion(actor, graph.actors))
        if actor in binding.tiles:
            raise child.error(f"actor '{actor}' is bound twice", f"it is on tile '{binding.tiles[actor]}' already")
        times = {each.type: each.time for each in graph.actors[actor].processors}
        if tile.processor.data not in times:
            message = f"actor '{actor}' cannot run on tile '{name}', a '{tile.processor.data}'"
            raise child.error(message, suggestion(tile.processor.data, times))
        binding.tiles[actor], binding.times[actor] = name, times[tile.processor.data]
        bound.append(actor)
    part = processor.number("timeslice")
    schedule = processor.one("schedule")
    states = schedule.all("state") if schedule is not None else []
    order = [state.required("actor") for state in states]
    for state, actor in zip(states, order, strict=True):
        if actor not in bound:
            raise state.error(f"actor '{actor}' is not bound to tile '{name}'", suggestion(actor, bound))
    starts = [number for number, state in enumerate(states) if state.optional("startOfPeriodicRegime") == "true"]
    if not bound:
        return True
    if schedule is None or starts not in ([], [0]) or set(order) != set(bound):
        return False
    turn = None if part is None else _turn(processor, tile, part)
    binding.orders.append(Order(schedule, name, order, turn))
    return True


def _turn(processor: Element, tile: TileOp, part: int) -> tuple[int, int]:
    """The length of the wheel of a tile and of a slice of it."""
    if tile.wheel is None:
        message = f"a slice of {part}, but tile '{tile.sym_name.data}' has no wheel"
        raise processor.error(message, 'give it <arbitration type="TDMA" wheelsize="..."/>')
    wheel = tile.wheel.data
    if not 0 < part <= wheel:
        message = f"a slice of {part} is no part of a wheel of {wheel}"
        raise processor.error(message, "without a timeslice, the whole wheel is meant")
    return wheel, part


def _skip(elements: Iterable[Element], reserved: Counter[str]) -> None:
    """Count the parts that reserve something, whose insides then need no mention of their own."""
    for element in elements:
        if element.children or set(element.attributes) - {"name"}:
            reserved[element.name] += 1
        _mention(element)


def _mention(element: Element) -> None:
    element.read = True
    element.seen.update(element.attributes)
    for child in element.children:
        _mention(child)
