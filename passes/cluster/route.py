"""`cluster-route`: the way of every slice's spikes to the tiles that read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp

from snnir.dialects.cluster import ClusterOp, InputOp, ProgramOp
from snnir.dialects.cluster_routes import Route, RouteAttr
from snnir.dialects.cluster_routes_verifier import destinations_of
from snnir.dialects.platform import Machine
from snnir.dialects.quick_text import collection_paused
from snnir.dialects.ways import floor_of, router_of, start_of
from snnir.partition.floor import Router
from snnir.partition.routing import Tally, Ways, tally
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.dataflow.convert_cluster_to_dataflow import load_of

Algorithm = Literal["platform", "xy", "tree"]
Source = InputOp | ClusterOp


@dataclass(frozen=True)
class ClusterRoute(SNNPass):
    """Route every result to each tile that reads it, and to the host where it is an output.

    Needs placed clusters. Clusters of one tile share what arrives there, clusters on the result's own tile need no
    route. Inputs start at the host's router. The way from router to router is the machine's: along x first, then along
    y, or on a tree up and down; both are free of deadlock. Fails when a router's table has too few entries.
    """

    name = "cluster-route"

    algorithm: Algorithm = "platform"
    """`xy`: one route per destination. `tree`: one route per result, whose spikes are copied where ways part, so that
    each link carries a spike once. `platform`: as the machine's `tiles.routes` says, `xy` for unicast."""

    @collection_paused()
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        target = machine(op)
        clusters.metrics = None
        for cluster in clusters.clusters:
            if cluster.place is None:
                fail(cluster, f"@{cluster.sym_name.data} has no place", "run cluster-place before")
        sources = [*clusters.inputs, *clusters.clusters]
        algorithm = _algorithm(self.algorithm, target)
        routes = {source: _routes(source, algorithm) for source in sources}
        activity = NetworkActivity(program(op), "peak")
        found = routed(routes, target, activity)
        if _overflows(found, target):
            _refuse(clusters, routes, target, activity, algorithm)
        for source, own in routes.items():
            source.routes = ArrayAttr(RouteAttr(route) for route in own) if own else None
        self.statistics["routes"] = sum(map(len, routes.values()))
        self.statistics["hops"] = found.hops
        self.statistics["table entries"] = int(found.entries.sum())
        self.statistics["table entries of the fullest router"] = found.fullest[1]
        self.statistics["routed spike-hops per 1000 steps"] = round(1000 * found.spike_hops)
        self.statistics["spikes per 1000 steps on the busiest link"] = round(1000 * found.busiest)
        self.statistics["spikes per 1000 steps on a link in use, on average"] = round(1000 * found.mean_load)


def routed(routes: Mapping[Source, Sequence[Route]], target: Machine, activity: NetworkActivity) -> Tally:
    """What the routes of inputs and clusters take of the machine."""
    floor = floor_of(target)
    ways: list[tuple[Router, list[Router], float]] = []
    for source, own in routes.items():
        start = start_of(source, floor)
        spikes = [float(load_of(value, activity).mean) for value in source.results] if own else []
        for route in own:
            ways.append((start, [router_of(end, floor) for end in route.ends], spikes[route.result]))
    return tally(floor, Ways.of(floor, ways))


def _algorithm(asked: Algorithm, target: Machine) -> Algorithm:
    """`xy` or `tree`."""
    if asked != "platform":
        return asked
    return "tree" if target.tiles.routes == "multicast" else "xy"


def _routes(source: Source, algorithm: Algorithm) -> list[Route]:
    groups = enumerate(destinations_of(source))
    if algorithm == "tree":
        return [Route(number, tuple(ends)) for number, ends in groups if ends]
    return [Route(number, (end,)) for number, ends in groups for end in ends]


def _overflows(found: Tally, target: Machine) -> bool:
    return 0 < target.tiles.table_entries < found.fullest[1]


def _refuse(
    clusters: ProgramOp,
    routes: Mapping[Source, Sequence[Route]],
    target: Machine,
    activity: NetworkActivity,
    algorithm: Algorithm,
) -> NoReturn:
    """Say which table overflows, and whether the other kind of routes would fit."""
    router, most = routed(routes, target, activity).fullest
    limit = target.tiles.table_entries
    other: Algorithm = "xy" if algorithm == "tree" else "tree"
    instead = routed({source: _routes(source, other) for source in routes}, target, activity)
    hint = "use a machine with larger tables, or one with fewer crossbars per tile"
    if not _overflows(instead, target):
        hint = f"use cluster-route{{algorithm={other}}}, with {instead.fullest[1]} entries at most, or larger tables"
    message = f"router {list(router)} needs {most} table entries, a router of '{target.name}' has {limit}"
    fail(clusters, message, hint)
