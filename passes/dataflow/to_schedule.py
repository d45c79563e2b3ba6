"""From the IR's dataflow graph and architecture to what `snnir.schedule` works on."""

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_actor import ActorOp, producer_of
from snnir.dialects.dataflow_architecture import ArchitectureOp, architecture_of
from snnir.dialects.dataflow_attributes import TokenType
from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.passes.base import only
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.schedule.application import Application, Option, Transport
from snnir.schedule.architecture import Architecture
from snnir.schedule.bound import BoundGraph


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
    return BoundGraph(to_sdf(graph, with_orders=False), binding, wheels)


def ordered_of(graph: GraphOp, architecture: Architecture | None = None) -> BoundGraph:
    """The graph as it is bound and ordered. Raises `ScheduleError` when orders are missing or wrong."""
    lags = {name: lag for order in graph.orders for name, lag in zip(order.names, order.lags, strict=True)}
    orders = {order.crossbar.data: tuple(order.names) for order in graph.orders}
    return bound_of(graph, architecture).retimed(lags).ordered(orders)


def forget(graph: GraphOp) -> None:
    """Take away orders, and what was analysed with them."""
    for order in graph.orders:
        order.detach()
        order.erase()
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
