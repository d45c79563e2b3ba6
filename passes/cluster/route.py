"""`cluster-route`: the way of every slice's spikes to the tiles that read them."""

from dataclasses import dataclass
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.ir import SSAValue

from snnir.dialects.cluster import ClusterOp, OutputOp, ProgramOp
from snnir.dialects.cluster_attributes import Route, RouteAttr, Router
from snnir.passes.base import SNNPass, fail, machine, only


@dataclass(frozen=True)
class ClusterRoute(SNNPass):
    """Route every result to each tile that reads it, and to the host where it is an output.

    Needs placed clusters. One route per result and destination: clusters of one tile share it, clusters on the
    result's own tile need none. Inputs start at the host's router.
    """

    name = "cluster-route"

    algorithm: Literal["xy"] = "xy"
    """`xy`: along x first, then along y; free of deadlock on a mesh."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        host = machine(op).tiles.host
        for cluster in clusters.clusters:
            if cluster.place is None:
                fail(cluster, f"@{cluster.sym_name.data} has no place", "run cluster-place before")
        for source in [*clusters.inputs, *clusters.clusters]:
            start = source.place.data.tile if isinstance(source, ClusterOp) and source.place is not None else host
            own = start if isinstance(source, ClusterOp) else None
            routes = [
                route
                for number, value in enumerate(source.results)
                for route in _routes(number, value, start, own, host)
            ]
            source.routes = ArrayAttr(RouteAttr(route) for route in routes) if routes else None
            self.statistics["routes"] += len(routes)
            self.statistics["hops"] += sum(len(route.path) - 1 for route in routes)


def _routes(number: int, value: SSAValue, start: Router, own: Router | None, host: Router) -> list[Route]:
    """The routes of one result, tiles in order of their position, the host last."""
    users = [use.operation for use in value.uses]
    tiles = {op.place.data.tile for op in users if isinstance(op, ClusterOp) and op.place is not None} - {own}
    routes = [Route(number, False, xy_path(start, tile)) for tile in sorted(tiles, key=lambda t: (t[1], t[0]))]
    if any(isinstance(op, OutputOp) for op in users):
        routes.append(Route(number, True, xy_path(start, host)))
    return routes


def xy_path(start: Router, end: Router) -> tuple[Router, ...]:
    """The routers from `start` to `end`, both included: first along x, then along y."""
    (x, y), (to_x, to_y) = start, end
    across = [(i, y) for i in range(x, to_x, 1 if to_x > x else -1)]
    along = [(to_x, j) for j in range(y, to_y, 1 if to_y > y else -1)]
    return (*across, *along, end)
