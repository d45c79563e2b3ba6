"""From the IR's dataflow graph and architecture to what `snnir.schedule` works on."""

from collections.abc import Mapping
from math import ceil

from xdsl.dialects.builtin import IntAttr, ModuleOp, SymbolRefAttr
from xdsl.ir import SSAValue

from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_actor import ActorOp, producer_of
from snnir.dialects.dataflow_architecture import ArchitectureOp, architecture_of
from snnir.dialects.dataflow_attributes import PhasesAttr, TokenType
from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.passes.base import fail, only, positive
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.schedule.application import Application, Option, Transport
from snnir.schedule.architecture import Architecture
from snnir.schedule.bound import BoundGraph

WAITS = "waits"
"""The attribute of an actor in which tokens wait for the slice of a tile, that of the tile."""


def mapped(module: ModuleOp) -> tuple[GraphOp, Architecture]:
    """The graph of a module and the architecture that it runs on; it is an error when one of them is missing."""
    graph = only(module, GraphOp, "start from a dataflow graph: an SDF3 or .mlir file")
    hint = "put <applicationGraph> and <architectureGraph> into one SDF3 file, or write the op into the module"
    return graph, architecture_of(only(module, ArchitectureOp, hint))


def application_of(graph: GraphOp) -> Application:
    """The graph as something to bind: its actors with their types of processor, one channel per use.

    The bits of a token are the size of its type. On one tile a channel has the room of its `memory`, or else of its
    `capacity`; between tiles, of its `source` and `target` buffers.
    """
    actors: list[Actor] = []
    channels: list[Channel] = []
    transports: list[Transport] = []
    options: dict[str, dict[str, Option]] = {}
    for op in graph.actors:
        name = op.sym_name.data
        actors.append(Actor(name, op.time.data, None if op.concurrent.data else 1))
        if op.processor_types:
            options[name] = {each.type: Option(each.time, each.memory or 0) for each in op.processor_types}
        for value, use in op.reads:
            producer = producer_of(value)
            made, room = producer.made_by_firing(value), use.capacity if use.memory is None else use.memory
            channels.append(Channel(producer.sym_name.data, name, made, use.rate, use.tokens, room))
            transports.append(Transport(bits_of(value), use.bandwidth, use.source, use.target))
    return Application(SDFGraph(tuple(actors), tuple(channels)), options, tuple(transports))


def bits_of(value: SSAValue) -> int:
    """The size of the tokens that an actor makes."""
    assert isinstance(value.type, TokenType)
    return value.type.size.data


def bound_of(graph: GraphOp, architecture: Architecture | None = None) -> BoundGraph:
    """The graph as it is bound, without its orders; the wheels are those of the architecture."""
    binding = {op.sym_name.data: op.resource_name for op in graph.actors if op.resource_name is not None}
    tiles = architecture.tiles if architecture is not None else ()
    wheels = {tile.name: tile.wheel for tile in tiles if tile.wheel is not None}
    return BoundGraph(to_sdf(graph, with_orders=False), binding, wheels, waits=waiting_in(graph))


def waiting_in(graph: GraphOp) -> dict[str, str]:
    """Actor in which tokens wait for a slice -> the tile that has it."""
    found = {op.sym_name.data: op.attributes.get(WAITS) for op in graph.actors}
    return {name: tile.root_reference.data for name, tile in found.items() if isinstance(tile, SymbolRefAttr)}


def ordered_of(graph: GraphOp, architecture: Architecture | None = None) -> BoundGraph:
    """The graph as it is bound and ordered. Raises `ScheduleError` when orders are missing or wrong."""
    lags = {name: lag for order in graph.orders for name, lag in zip(order.names, order.lags, strict=True)}
    orders = {order.crossbar.data: tuple(order.names) for order in graph.orders}
    return bound_of(graph, architecture).retimed(lags).ordered(orders)


def give_slices(graph: GraphOp, architecture: Architecture, slices: Mapping[str, int]) -> None:
    """Note the slices of the wheels on the orders, none where none is named, and on the actors that wait for them."""
    for order in graph.orders:
        tile = order.crossbar.data
        order.wheel = order.slice = None
        if tile in slices:
            order.wheel, order.slice = IntAttr(architecture.tile(tile).wheel or 0), IntAttr(slices[tile])
    waits = waiting_in(graph)
    for name, actor in actors_by_name(graph).items():
        if name in waits:
            tile = waits[name]
            pause = (architecture.tile(tile).wheel or 0) - slices[tile] if tile in slices else 0
            actor.time = PhasesAttr(pause)


def share_of(text: str, graph: GraphOp, bound: BoundGraph) -> dict[str, int]:
    """Tile -> slice, for all tiles with a wheel and work; `text` is a fraction of the wheels, rounded up to units."""
    share = positive(graph, text)
    if share > 1:
        fail(graph, f"'{text}' is no part of a wheel", "give a number above 0 and at most 1, as 1/2")
    return {tile: ceil(share * wheel) for tile, wheel in bound.wheels.items() if bound.work.get(tile)}


def forget(graph: GraphOp) -> None:
    """Take away orders and slices, and what was analysed with them."""
    for order in graph.orders:
        order.detach()
        order.erase()
    for actor in graph.actors:
        if WAITS in actor.attributes:
            actor.time = PhasesAttr(0)
    stale(graph)


def stale(graph: GraphOp) -> None:
    """Take away what was analysed."""
    graph.period = graph.latency = graph.predicted = graph.simulated = graph.critical = graph.unbounded = None
    for order in graph.orders:
        order.utilisation = None
    for actor in graph.actors:
        actor.start = actor.slack = None


def actors_by_name(graph: GraphOp) -> dict[str, ActorOp]:
    """The actors of a graph."""
    return {op.sym_name.data: op for op in graph.actors}
