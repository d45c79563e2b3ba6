"""Tiles and connections, and a mapping onto them, as SDF3 writes them."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntAttr, StringAttr

from snnir.dialects.dataflow import ArchitectureOp, GraphOp, TileOp
from snnir.export.sdf3.xml import Tag
from snnir.frontend.notes import Notes
from snnir.frontend.sdf3.architecture import NETWORK, PARTS


def architecture_tag(op: ArchitectureOp) -> Tag:
    """The `<architectureGraph>`."""
    tag = Tag("architectureGraph", {"name": op.architecture.data})
    for tile_op in op.tiles:
        tile = tile_op.tile
        child = tag.add("tile", name=tile.name)
        processor = child.add("processor", name=part_name(tile_op, "processor"), type=tile.processor)
        if tile.wheel is not None:
            processor.add("arbitration", type="TDMA", wheelsize=tile.wheel)
        if tile.memory is not None:
            child.add("memory", name=part_name(tile_op, "memory"), size=tile.memory)
        limits = {
            "nrConnections": tile.connections,
            "inBandwidth": tile.input_bandwidth,
            "outBandwidth": tile.output_bandwidth,
        }
        if any(limit is not None for limit in limits.values()):
            child.add("networkInterface", name=part_name(tile_op, "networkInterface"), **limits)
    for connection in op.connections:
        source, target = connection.ends
        name, delay = connection.connection.data, connection.delay.data
        tag.add("connection", name=name, srcTile=source, dstTile=target, delay=delay)
    network = op.attributes.get("network")
    if isinstance(network, DictionaryAttr):
        tag.children.append(_network_tag(network))
    return tag


def part_name(tile: TileOp, part: str) -> str:
    """The name of a part of a tile."""
    name = tile.attributes.get(part)
    return name.data if isinstance(name, StringAttr) else PARTS[part]


def _network_tag(network: DictionaryAttr) -> Tag:
    """A network as `frontend.sdf3.architecture` keeps it."""
    numbers = {name: cast("IntAttr", network.data[name]).data for name in NETWORK if name in network.data}
    tag = Tag("network", {**numbers})
    for router in cast("ArrayAttr[StringAttr]", network.data.get("routers", ArrayAttr([]))):
        tag.add("router", name=router.data)
    for link in cast("ArrayAttr[ArrayAttr[StringAttr]]", network.data.get("links", ArrayAttr([]))):
        name, source, target = (each.data for each in link)
        tag.add("link", name=name, src=source, dst=target)
    return tag


def mapped_tiles(graph: GraphOp, architecture: ArchitectureOp | None) -> dict[str, TileOp]:
    """The tiles of an architecture on which actors of a graph fire, by name."""
    used = {actor.resource_name for actor in graph.actors}
    tiles = architecture.tiles if architecture is not None else []
    return {tile.sym_name.data: tile for tile in tiles if tile.sym_name.data in used}


def mapping_tag(graph: GraphOp, application: str, architecture: ArchitectureOp, notes: Notes) -> Tag | None:
    """The `<mapping>` of the actors that fire on tiles; `None` when none does."""
    tiles = mapped_tiles(graph, architecture)
    if not tiles:
        return None
    tag = Tag("mapping", {"appGraph": application, "archGraph": architecture.architecture.data})
    orders = {order.crossbar.data: order for order in graph.orders}
    for name, tile in tiles.items():
        order = orders.get(name)
        turn = order.turn if order is not None else None
        if turn is not None and (tile.wheel is None or tile.wheel.data != turn[0]):
            notes.add(name, f"left out: the slice of tile @{name}, because the tile's own wheel is not {turn[0]}")
            turn = None
        child = tag.add("tile", name=name)
        part = None if turn is None else turn[1]
        processor = child.add("processor", name=part_name(tile, "processor"), timeslice=part)
        for actor in graph.actors:
            if actor.resource_name == name:
                processor.add("actor", name=actor.sym_name.data)
        if order is None:
            continue
        if any(order.lags):
            notes.add(name, f"left out: the order of tile @{name}, because its actors are in different iterations")
            continue
        schedule = processor.add("schedule")
        for number, actor in enumerate(order.names):
            schedule.add("state", actor=actor, startOfPeriodicRegime=None if number else "true")
    return tag
