"""The architecture graph of an SDF3 file: tiles, connections, and the network below them."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntAttr, StringAttr
from xdsl.ir import Attribute

from snnir.dialects.dataflow import ArchitectureOp, ConnectionOp, TileOp
from snnir.frontend.names import suggestion
from snnir.frontend.sdf3.xml import Element, shortened
from snnir.schedule.architecture import Connection, Tile

PARTS = {"processor": "proc", "memory": "mem", "networkInterface": "ni"}
"""Part of a tile -> the name that it has unless the tile says another."""
NETWORK = ("slotTableSize", "packetHeaderSize", "flitSize", "reconfigurationTimeNI")
"""Numbers of a network, which are kept as they are."""


def read_architecture(element: Element) -> ArchitectureOp:
    """The op of an `<architectureGraph>`; its `<network>` is kept as an attribute of that name."""
    op = ArchitectureOp(element.required("name"))
    op.location = element.location
    tiles: dict[str, TileOp] = {}
    for child in element.all("tile"):
        tile = _tile(child)
        name = tile.sym_name.data
        if name in tiles:
            raise child.error(f"a second tile '{name}'", "names of tiles differ")
        tiles[name] = tile
    if not tiles:
        raise element.error("an architecture without tiles", 'write <tile name="..."> into it')
    op.body.block.add_ops(tiles.values())
    for child in element.all("connection"):
        name, source, target = child.required("name"), child.required("srcTile"), child.required("dstTile")
        for end in (source, target):
            if end not in tiles:
                raise child.error(f"there is no tile '{end}'", suggestion(end, tiles))
        connection = ConnectionOp(Connection(name, source, target, child.number("delay") or 0))
        connection.location = child.location
        op.body.block.add_op(connection)
    network = element.one("network")
    if network is not None:
        op.attributes["network"] = _network(network)
    return op


def _tile(element: Element) -> TileOp:
    name = element.required("name")
    processor, memory, interface = (element.one(part) for part in PARTS)
    if processor is None:
        raise element.error(f"tile '{name}' has no processor", 'write <processor name="..." type="..."> into it')
    arbitration = processor.one("arbitration")
    wheel: int | None = None
    if arbitration is not None:
        kind = arbitration.required("type")
        if kind != "TDMA":
            message = f"the arbitration '{shortened(kind)}' of tile '{name}' is not known"
            raise arbitration.error(message, "TDMA is; without <arbitration> the processor is not shared")
        wheel = arbitration.number("wheelsize")
        if not wheel:
            raise arbitration.error(f"the wheel of tile '{name}' has no length", 'write wheelsize="..."')
    tile = Tile(
        name,
        processor.required("type"),
        wheel,
        None if memory is None else memory.number("size"),
        None if interface is None else interface.number("nrConnections"),
        None if interface is None else interface.number("inBandwidth"),
        None if interface is None else interface.number("outBandwidth"),
    )
    op = TileOp(tile)
    op.location = element.location
    for part, usual in PARTS.items():
        child = element.one(part)
        own = child.optional("name") if child is not None else None
        if own and own != usual:
            op.attributes[part] = StringAttr(own)
    return op


def _network(element: Element) -> DictionaryAttr:
    """Routers by name, links as [name, from, to], and the numbers of the network."""
    found: dict[str, Attribute] = {}
    for name in NETWORK:
        value = element.number(name)
        if value is not None:
            found[name] = IntAttr(value)
    found["routers"] = ArrayAttr(StringAttr(child.required("name")) for child in element.all("router"))
    ends = ("name", "src", "dst")
    links = [[StringAttr(child.required(end)) for end in ends] for child in element.all("link")]
    found["links"] = ArrayAttr(map(ArrayAttr, links))
    return DictionaryAttr(found)
