"""The ways of routes: a machine has one way from router to router, so a route names its destinations only."""

from snnir.dialects.cluster import ClusterOp, InputOp
from snnir.dialects.cluster_routes import Destination, Route
from snnir.dialects.platform import Machine
from snnir.partition.floor import Floor, Router


def floor_of(machine: Machine) -> Floor:
    """The tiles of a machine and the routers between them."""
    tiles = machine.tiles
    if tiles.is_tree:
        return Floor(tiles.mesh, "tree", tiles.arity, None, tiles.crossbars, tiles.host)
    chip = tiles.chip if tiles.chip != (0, 0) else None
    return Floor(tiles.mesh, chip=chip, per_tile=tiles.crossbars, host=tiles.host)


def start_of(op: ClusterOp | InputOp, floor: Floor) -> Router:
    """The router at which the routes of an op start: that of its tile, the host's for an input."""
    return op.place.data.tile if isinstance(op, ClusterOp) and op.place is not None else floor.host


def router_of(destination: Destination, floor: Floor) -> Router:
    """The router at which a way ends."""
    return floor.host if destination == "host" else destination


def branches_of(start: Router, route: Route, floor: Floor) -> list[tuple[Router, ...]]:
    """For each destination of a route the part of its way that no destination before it has; see `Floor.branches`."""
    return floor.branches(start, [router_of(end, floor) for end in route.ends])
