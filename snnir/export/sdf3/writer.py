"""The writer of SDF3 files: dataflow graphs, architectures, and how the first is mapped onto the second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.utils.target import Target

from snnir.dialects.dataflow import ActorOp, ArchitectureOp, GraphOp, TileOp
from snnir.dialects.dataflow_attributes import Processor
from snnir.dialects.places import place_of
from snnir.errors import SnnirError
from snnir.export.sdf3.architecture import architecture_tag, mapped_tiles, mapping_tag
from snnir.export.sdf3.channels import Channel, channels_of
from snnir.export.sdf3.xml import Tag, decimal, phases_list
from snnir.frontend.notes import Notes

_FOUND = ("unbounded", "period", "latency", "predicted", "simulated", "critical")


@dataclass(frozen=True)
class SDF3Target(Target):
    """An output of `snn-opt`: the graph and the architecture of a module as an SDF3 file."""

    name = "sdf3"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Write the text; what it cannot say is noted on stderr."""
        del ctx
        notes = Notes()
        output.write(sdf3_text(module, notes))
        notes.show()


def sdf3_text(module: ModuleOp, notes: Notes) -> str:
    """The text of an SDF3 file with the one graph and the one architecture of a module, or with either.

    `notes` get what the format cannot say. Raises `SnnirError` when there are several of them or none.
    """
    graphs = [op for op in module.body.block.ops if isinstance(op, GraphOp)]
    platforms = [op for op in module.body.block.ops if isinstance(op, ArchitectureOp)]
    if not graphs and not platforms:
        message = "the module holds neither a dataflow graph nor an architecture"
        raise SnnirError(place_of(module, "sdf3"), message, "run convert-cluster-to-dataflow before")
    for several in (graphs, platforms):
        if len(several) > 1:
            message = f"an SDF3 file holds one {several[0].name}, the module holds {len(several)}"
            raise SnnirError(place_of(several[1], "sdf3"), message, "write them one by one")
    graph, architecture = graphs[0] if graphs else None, platforms[0] if platforms else None
    _leave_out(notes, module, (op.name for op in module.body.block.ops if op not in (graph, architecture)))
    kind = "csdf" if graph is not None and _has_phases(graph) else "sdf"
    root = Tag("sdf3", {"type": kind, "version": "1.0"})
    if graph is not None:
        root.children.append(_application(graph, kind, mapped_tiles(graph, architecture), notes))
    if architecture is not None:
        root.children.append(architecture_tag(architecture))
    if graph is not None and architecture is not None:
        mapping = mapping_tag(graph, _name(graph), architecture, notes)
        root.children += [mapping] if mapping is not None else []
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *root.lines(), ""])


def _has_phases(graph: GraphOp) -> bool:
    """Whether a rate or a time changes from firing to firing."""
    for actor in graph.actors:
        phases = [actor.time.data, *(rate.data for rate in actor.rates), *(use.rate for _, use in actor.reads)]
        if any(isinstance(each, tuple) for each in (*phases, *(each.time for each in actor.processor_types))):
            return True
    return False


def _name(graph: GraphOp) -> str:
    """The name of the application: the graph's own, or the network's."""
    if graph.graph is not None:
        return graph.graph.data
    return graph.network.root_reference.data if graph.network is not None else "graph"


def _application(graph: GraphOp, kind: str, tiles: dict[str, TileOp], notes: Notes) -> Tag:
    name = _name(graph)
    inner = _text(graph, "inner", name)
    tag = Tag("applicationGraph", {"name": name})
    body = tag.add(kind, name=inner, type=_text(graph, "type", inner))
    properties = tag.add(f"{kind}Properties")
    mapped = {actor.sym_name.data for actor in graph.actors if actor.resource_name in tiles}
    found = channels_of(graph, mapped | set(tiles), notes)
    for actor in graph.actors:
        own = actor.sym_name.data
        kind_of = own if actor.kind.data == "task" else actor.kind.data
        child = body.add("actor", name=own, type=_text(actor, "type", kind_of))
        for port, direction, rate in found.ports[own]:
            child.add("port", name=port, type=direction, rate=phases_list(rate))
        _add_processors(properties.add("actorProperties", actor=own), actor, tiles)
    for channel in found.channels:
        ends = {"srcActor": channel.source, "srcPort": channel.ports[0]}
        ends |= {"dstActor": channel.target, "dstPort": channel.ports[1]}
        body.add("channel", name=channel.name, **ends, initialTokens=channel.use.tokens or None)
        _add_channel_properties(properties, channel, graph, notes)
    if graph.throughput is not None:
        constraints = properties.add("graphProperties").add("timeConstraints")
        text, exact = decimal(graph.throughput.data)
        constraints.add("throughput").text = text
        if not exact:
            notes.add(place_of(graph, "sdf3"), f"the throughput {graph.throughput.data} is written as {text}")
    _note_rest(graph, notes)
    return tag


def _text(op: Operation, key: str, usual: str) -> str:
    value = op.attributes.get(key)
    return value.data if isinstance(value, StringAttr) else usual


def _add_processors(tag: Tag, actor: ActorOp, tiles: dict[str, TileOp]) -> None:
    """The types of processor, with the time of the graph for the one on which the actor runs there."""
    tile = tiles.get(actor.resource_name) if actor.resource_name is not None else None
    types = list(actor.processor_types)
    running = tile.processor.data if tile is not None else types[0].type if types else "p"
    if not any(each.type == running for each in types):
        types.append(Processor(running, actor.time.data))
    for number, each in enumerate(types):
        child = tag.add("processor", type=each.type, default=None if number else "true")
        child.add("executionTime", time=phases_list(actor.time.data if each.type == running else each.time))
        if each.memory is not None:
            child.add("memory").add("stateSize", max=each.memory)


def _add_channel_properties(properties: Tag, channel: Channel, graph: GraphOp, notes: Notes) -> None:
    use = channel.use
    tag = Tag("channelProperties", {"channel": channel.name})
    buffers = {"sz": use.capacity, "src": use.source, "dst": use.target, "mem": use.memory}
    if any(size is not None for size in buffers.values()):
        tag.add("bufferSize", **buffers)
    if channel.size:
        tag.add("tokenSize", sz=channel.size)
    if use.bandwidth is not None:
        text, exact = decimal(use.bandwidth)
        tag.add("bandwidth", min=text)
        if not exact:
            notes.add(
                place_of(graph, "sdf3"), f"the bandwidth {use.bandwidth} of '{channel.name}' is written as {text}"
            )
    if use.latency is not None:
        tag.add("latency", min=use.latency)
    if tag.children:
        properties.children.append(tag)


def _note_rest(graph: GraphOp, notes: Notes) -> None:
    """What SDF3 has no words for."""
    found: list[str] = []
    if graph.unit is not None:
        found.append(f"the unit of time, {graph.unit.data}")
    if any(actor.means != actor.times for actor in graph.actors):
        found.append("expected times (mean)")
    known = [name for name in _FOUND if graph.properties.get(name) is not None]
    if known:
        found.append(f"what was found ({', '.join(known)})")
    _leave_out(notes, graph, found)


def _leave_out(notes: Notes, op: Operation, what: Iterable[str]) -> None:
    listed = list(dict.fromkeys(what))
    if listed:
        notes.add(place_of(op, "sdf3"), f"left out: {', '.join(listed)}")
