"""The routes of a placed program: each reader has its spikes brought to it once, and the routers' tables hold that."""

from collections.abc import Mapping, Sequence

from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.cluster import ClusterOp, InputOp, OutputOp, routes_of
from snnir.dialects.cluster_routes import Destination, Router, destination_text
from snnir.dialects.platform import Machine
from snnir.dialects.ways import floor_of, router_of, start_of
from snnir.partition.routing import Ways, tally


def verify_routes(ops: Sequence[ClusterOp | InputOp], machine: Machine) -> None:
    """Raise `VerifyException` when a route is missing, superfluous or does not fit; nothing, when there are none."""
    if all(op.routes is None for op in ops):
        return
    for op in ops:
        if isinstance(op, ClusterOp) and op.place is None:
            raise VerifyException(f"@{op.sym_name.data}: has no place, so nothing can be routed")
    tiles: dict[Operation, Router | None] = {op: tile_of(op) for op in ops if isinstance(op, ClusterOp)}
    for op in ops:
        _verify_destinations(op, tiles)
    limit = machine.tiles.table_entries
    router, most = _fullest(ops, machine) if limit else ((0, 0), 0)
    if most > limit:
        raise VerifyException(f"router {list(router)} has {most} table entries, the machine has room for {limit}")


def _fullest(ops: Sequence[ClusterOp | InputOp], machine: Machine) -> tuple[Router, int]:
    """The router with most entries in its table."""
    floor = floor_of(machine)
    ways = [
        (start_of(op, floor), [router_of(end, floor) for end in route.ends], 0.0)
        for op in ops
        for route in routes_of(op)
    ]
    return tally(floor, Ways.of(floor, ways)).fullest


def tile_of(op: Operation) -> Router | None:
    """The tile of an op that has a place."""
    return op.place.data.tile if isinstance(op, ClusterOp) and op.place is not None else None


def destinations_of(op: ClusterOp | InputOp) -> list[list[Destination]]:
    """Where each result is read: the other tiles in order of their position, and the host where it is an output."""
    found: list[list[Destination]] = []
    for ends in _ends(op, {use.operation: tile_of(use.operation) for value in op.results for use in value.uses}):
        tiles = sorted([end for end in ends if end != "host"], key=lambda tile: (tile[1], tile[0]))
        found.append([*tiles, *(["host"] if "host" in ends else [])])
    return found


def _ends(op: ClusterOp | InputOp, tiles: Mapping[Operation, Router | None]) -> list[set[Destination]]:
    """`destinations_of` in any order; `tiles` are those of clusters."""
    own = tile_of(op)
    found: list[set[Destination]] = []
    for value in op.results:
        ends: set[Destination] = set()
        for use in value.uses:
            user = use.operation
            if isinstance(user, OutputOp):
                ends.add("host")
            elif (tile := tiles.get(user)) is not None and tile != own:
                ends.add(tile)
        found.append(ends)
    return found


def _verify_destinations(op: ClusterOp | InputOp, tiles: Mapping[Operation, Router | None]) -> None:
    """Each result is routed once to each other tile that reads it, and to the host where it is an output."""
    name = op.sym_name.data
    given: list[tuple[int, Destination]]
    given = [(route.result, end) for route in routes_of(op) for end in route.ends]
    if any(number >= len(op.results) for number, _ in given):
        raise VerifyException(f"@{name}: a route belongs to a result that does not exist")
    needed: set[tuple[int, Destination]]
    needed = {(number, end) for number, ends in enumerate(_ends(op, tiles)) for end in ends}
    if set(given) != needed:
        number, end = min(needed ^ set(given), key=str)
        problem = "no route" if (number, end) in needed else "a route that nothing reads"
        where = "the host" if end == "host" else destination_text(end)
        raise VerifyException(f"@{name}: result {number} has {problem} to {where}")
    if len(given) != len(needed):
        raise VerifyException(f"@{name}: a result has two routes to one destination")
