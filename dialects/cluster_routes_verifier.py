"""The routes of a placed program: each reader has its spikes brought to it once, and the routers' tables hold that."""

from collections.abc import Sequence

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
    for op in ops:
        _verify_destinations(op)
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


def destinations_of(op: ClusterOp | InputOp) -> list[list[Destination]]:
    """Where each result is read: the other tiles in order of their position, and the host where it is an output."""
    own = op.place.data.tile if isinstance(op, ClusterOp) and op.place is not None else None
    found: list[list[Destination]] = []
    for value in op.results:
        users = [use.operation for use in value.uses]
        tiles = {user.place.data.tile for user in users if isinstance(user, ClusterOp) and user.place is not None}
        ends: list[Destination] = [*sorted(tiles - {own}, key=lambda tile: (tile[1], tile[0]))]
        if any(isinstance(user, OutputOp) for user in users):
            ends.append("host")
        found.append(ends)
    return found


def _verify_destinations(op: ClusterOp | InputOp) -> None:
    """Each result is routed once to each other tile that reads it, and to the host where it is an output."""
    name = op.sym_name.data
    given: list[tuple[int, Destination]]
    given = [(route.result, end) for route in routes_of(op) for end in route.ends]
    if any(number >= len(op.results) for number, _ in given):
        raise VerifyException(f"@{name}: a route belongs to a result that does not exist")
    needed: set[tuple[int, Destination]]
    needed = {(number, end) for number, ends in enumerate(destinations_of(op)) for end in ends}
    if set(given) != needed:
        number, end = min(needed ^ set(given), key=str)
        problem = "no route" if (number, end) in needed else "a route that nothing reads"
        where = "the host" if end == "host" else destination_text(end)
        raise VerifyException(f"@{name}: result {number} has {problem} to {where}")
    if len(given) != len(needed):
        raise VerifyException(f"@{name}: a result has two routes to one destination")
