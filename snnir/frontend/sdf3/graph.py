"""The application graph of an SDF3 file: what its elements say, checked against each other.

The format: Stuijk, Geilen, Basten, "SDF3: SDF For Free", ACSD 2006; the schemas sdf3-sdf.xsd and sdf3-csdf.xsd.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from snnir.dialects.dataflow_attributes import Phases, Processor, entries
from snnir.frontend.names import suggestion
from snnir.frontend.sdf3.phases import PhaseReader
from snnir.frontend.sdf3.xml import LARGEST, Element, shortened

_DECIMAL = re.compile(r"\d{1,400}(\.\d{0,400})?([eE][+-]?\d{1,3})?")


@dataclass
class Port:
    """An end for a channel; `rate` tokens in each firing."""

    element: Element
    name: str
    out: bool
    rate: Phases
    channel: Channel | None = None


@dataclass
class Channel:
    """A channel, and what its properties ask for: tokens of `size` bits, capacities in tokens, bandwidth, latency."""

    element: Element
    name: str
    source: Actor
    target: Actor
    ports: tuple[Port, Port]
    tokens: int
    size: int = 0
    capacity: int | None = None
    buffers: tuple[int | None, int | None, int | None] = (None, None, None)
    """At the producer's tile, at the consumer's, and when both are on one."""
    bandwidth: Fraction | None = None
    latency: int | None = None


@dataclass
class Actor:
    """An actor, its ports in order, and the types of processor on which it can run, the one that counts first."""

    element: Element
    name: str
    type: str
    ports: dict[str, Port]
    processors: list[Processor] = field(default_factory=list[Processor])


@dataclass
class Graph:
    """An application graph; `kind` is the type that it has beside its name, `throughput` what it is meant to reach."""

    element: Element
    name: str
    inner: str
    kind: str
    actors: dict[str, Actor]
    channels: dict[str, Channel]
    throughput: Fraction | None = None


def read_graph(element: Element, phases: PhaseReader) -> Graph:
    """The graph of an `<applicationGraph>`."""
    name = element.required("name")
    inner = [child for kind in ("sdf", "csdf") if (child := element.one(kind)) is not None]
    if len(inner) != 1:
        raise element.error("an <applicationGraph> holds one <sdf> or one <csdf>", f"this one holds {len(inner)}")
    body = inner[0]
    actors: dict[str, Actor] = {}
    for child in body.all("actor"):
        actor = _actor(child, phases)
        if actor.name in actors:
            first = actors[actor.name].element.line
            raise child.error(f"a second actor '{actor.name}'", f"the first is in line {first}; names differ")
        actors[actor.name] = actor
    channels: dict[str, Channel] = {}
    for child in body.all("channel"):
        channel = _channel(child, actors)
        if channel.name in channels:
            first = channels[channel.name].element.line
            raise child.error(f"a second channel '{channel.name}'", f"the first is in line {first}; names differ")
        channels[channel.name] = channel
    inner_name, kind = body.optional("name") or name, body.optional("type")
    graph = Graph(element, name, inner_name, inner_name if kind is None else kind, actors, channels)
    for child in (element.one("sdfProperties"), element.one("csdfProperties")):
        if child is not None:
            _properties(child, graph, phases)
    for actor in actors.values():
        if not actor.processors:
            hint = f'add <actorProperties actor="{actor.name}"><processor ...><executionTime time="..."/> ...'
            raise actor.element.error(f"actor '{actor.name}' has no execution time", hint)
    return graph


def _actor(element: Element, phases: PhaseReader) -> Actor:
    name = element.required("name")
    ports: dict[str, Port] = {}
    for child in element.all("port"):
        port = child.required("name")
        direction = child.required("type")
        if direction not in ("in", "out"):
            raise child.error(f"port '{port}' has the type '{shortened(direction)}'", "a port is 'in' or 'out'")
        if port in ports:
            raise child.error(f"a second port '{port}' of actor '{name}'", "names of an actor's ports differ")
        ports[port] = Port(child, port, direction == "out", phases.rate(child, f"the rate of port '{port}'"))
    return Actor(element, name, element.optional("type") or name, ports)


def _channel(element: Element, actors: dict[str, Actor]) -> Channel:
    name = element.required("name")
    source, out = _end(element, actors, "src")
    target, into = _end(element, actors, "dst")
    tokens = element.number("initialTokens")
    channel = Channel(element, name, source, target, (out, into), tokens or 0)
    for actor, port in ((source, out), (target, into)):
        if port.channel is not None:
            hint = f"channel '{port.channel.name}' is; give actor '{actor.name}' a port for each of its channels"
            raise element.error(f"port '{port.name}' of actor '{actor.name}' is already connected", hint)
        port.channel = channel
    return channel


def _end(element: Element, actors: dict[str, Actor], side: str) -> tuple[Actor, Port]:
    """The actor and port at one end of a channel."""
    name, port_name = element.required(f"{side}Actor"), element.required(f"{side}Port")
    if name not in actors:
        raise element.error(f"there is no actor '{name}'", suggestion(name, actors))
    actor = actors[name]
    if port_name not in actor.ports:
        hint = suggestion(port_name, actor.ports)
        raise element.error(f"actor '{name}' has no port '{port_name}'", hint)
    port = actor.ports[port_name]
    if port.out != (side == "src"):
        right, wrong = ("out", "in") if side == "src" else ("in", "out")
        hint = f"{side}Port names a port of type '{right}'; swap the ends, or correct the port"
        raise element.error(f"port '{port_name}' of actor '{name}' has the type '{wrong}'", hint)
    return actor, port


def _properties(element: Element, graph: Graph, phases: PhaseReader) -> None:
    for child in element.all("actorProperties"):
        name = child.required("actor")
        if name not in graph.actors:
            raise child.error(f"there is no actor '{name}'", suggestion(name, graph.actors))
        if graph.actors[name].processors:
            raise child.error(f"second properties of actor '{name}'", "put all processors into one <actorProperties>")
        graph.actors[name].processors = _processors(child, name, phases)
    done: set[str] = set()
    for child in element.all("channelProperties"):
        name = child.required("channel")
        if name not in graph.channels:
            raise child.error(f"there is no channel '{name}'", suggestion(name, graph.channels))
        if name in done:
            raise child.error(f"second properties of channel '{name}'", "put them into one <channelProperties>")
        done.add(name)
        _channel_properties(child, graph.channels[name])
    for outer in (each for each in (element.one("graphProperties"),) if each is not None):
        for constraints in outer.all("timeConstraints"):
            throughput = constraints.one("throughput")
            if throughput is not None:
                graph.throughput = _decimal(throughput, throughput.text.strip(), "the throughput") or None


def _processors(element: Element, actor: str, phases: PhaseReader) -> list[Processor]:
    """The types of processor on which an actor can run: the first that is marked as default, then in order."""
    found: list[Processor] = []
    chosen: int | None = None
    for child in element.all("processor"):
        kind = child.required("type")
        if any(each.type == kind for each in found):
            raise child.error(f"actor '{actor}' has two processors of type '{kind}'", "one of each type is enough")
        time = child.one("executionTime")
        if time is None:
            hint = 'write <executionTime time="..."/> into it'
            raise child.error(f"the processor '{kind}' of actor '{actor}' has no execution time", hint)
        memory = child.one("memory")
        state = memory.one("stateSize") if memory is not None else None
        if child.optional("default") in ("true", "1") and chosen is None:
            chosen = len(found)
        what = f"the execution time of actor '{actor}'"
        found.append(Processor(kind, phases.read(time, "time", what), None if state is None else state.number("max")))
    if not found:
        raise element.error(f"actor '{actor}' has no processor", 'write <processor type="p" default="true"> into it')
    return [found.pop(chosen or 0), *found]


def _channel_properties(element: Element, channel: Channel) -> None:
    # the schema allows several sizes; SDF3 takes the first
    buffer, sizes = element.one("bufferSize"), element.all("tokenSize")
    if buffer is not None:
        channel.capacity = buffer.number("sz")
        channel.buffers = buffer.number("src"), buffer.number("dst"), buffer.number("mem")
        least = max(channel.tokens, *entries(channel.ports[0].rate), *entries(channel.ports[1].rate))
        if channel.capacity is not None and channel.capacity < least:
            message = f"a buffer of {channel.capacity} tokens is too small for channel '{channel.name}'"
            raise buffer.error(message, f"its initial tokens and what one firing passes need {least}")
    if sizes:
        channel.size = sizes[0].number("sz") or 0
    bandwidth, latency = element.one("bandwidth"), element.one("latency")
    if bandwidth is not None:
        channel.bandwidth = _decimal(bandwidth, bandwidth.required("min"), "the bandwidth")
    if latency is not None:
        channel.latency = latency.number("min")


def _decimal(element: Element, text: str, what: str) -> Fraction:
    """An exact number from a decimal, from 0 to 2^62."""
    if not _DECIMAL.fullmatch(text):
        raise element.error(f"{what} is no number: '{shortened(text)}'", "write it as a decimal, for example 0.003")
    value = Fraction(text)
    if value > LARGEST:
        raise element.error(f"{what} is too large: {shortened(text)}", "numbers go to 2^62")
    return value
