"""The mapping of an SDF3 file: which tile runs an actor, in which order, and in which slice of its wheel."""

from __future__ import annotations

from collections.abc import Callable
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
    for child in element.all("tile"):
        name = child.required("name")
        if name not in tiles:
            raise child.error(f"there is no tile '{name}'", suggestion(name, tiles))
        processor = child.one("processor")
        if processor is not None:
            complete &= _bind(processor, tiles[name], graph, binding)
        for part in ("memory", "networkInterface"):
            _skip(child.one(part))
    for part in (*element.all("connection"), *element.all("network")):
        _skip(part)
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
    turn = (tile.wheel.data, part) if tile.wheel is not None and part else None
    if turn is not None and turn[1] > turn[0]:
        raise processor.error(f"a slice of {turn[1]} is no part of a wheel of {turn[0]}")
    binding.orders.append(Order(schedule, name, order, turn))
    return True


def _skip(element: Element | None) -> None:
    """Take what a mapping reserves as read: it follows from the binding."""
    if element is not None:
        element.read = True
        element.seen.update(element.attributes)
        for child in element.children:
            _skip(child)
