"""`cluster-place`: which crossbar of the machine holds which cluster."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.cluster import ClusterOp, OutputOp, ProgramOp
from snnir.dialects.cluster_attributes import Place, PlaceAttr
from snnir.dialects.platform import Machine
from snnir.dialects.quick_text import collection_paused
from snnir.dialects.ways import floor_of
from snnir.partition.placement import HOST, CostName, Nets, Options, PlacementError, Problem, cost, place
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program
from snnir.passes.cluster.problem import crossing_of
from snnir.passes.dataflow.convert_cluster_to_dataflow import load_of

MOST_EFFORT = 1_000
MOST_TILES = 1_000_000
"""Searches keep arrays with a number for each tile."""


@dataclass(frozen=True)
class ClusterPlace(SNNPass):
    """Give every cluster a crossbar.

    Needs clusters and a machine; sets `at [x, y] crossbar n` on each cluster. Traffic is spikes per step as profiled
    (every neuron without a profile) and one value per partial sum.
    """

    name = "cluster-place"

    algorithm: Literal["springs", "annealing", "hilbert", "pso", "swap", "load-balance", "row-major"] = "springs"
    """How tiles are chosen; docs/placement.md has what each does and how they compare."""
    cost: Literal["platform", "unicast", "multicast"] = "platform"
    """What is kept low: spikes times hops to each destination tile, or times links of the tree to all of them;
    `platform`: what the machine's `tiles.routes` names."""
    seed: int = 0
    """For algorithms that draw lots; the same seed gives the same placement."""
    effort: float = 1.0
    """How much searching is done, in multiples of the usual; up to 1,000."""

    @collection_paused()
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        target = machine(op)
        self._check(clusters, target)
        clusters.metrics = None
        floor, ops = floor_of(target), clusters.clusters
        nets = nets_of(clusters, NetworkActivity(program(op), "peak"))
        try:
            problem = _problem(target, nets, ops)
            tiles = place(problem, self.algorithm, Options(self.seed, self.effort, self._cost(target)))
            rows = place(problem, "row-major")
        except PlacementError as error:
            message = f"{error}"
            if error.resource == "crossbars":
                message = f"{len(ops)} clusters, but the machine '{target.name}' has {target.crossbars} crossbars"
            fail(clusters, message, error.hint)
        used: Counter[int] = Counter()
        for cluster, tile in zip(ops, tiles.tolist(), strict=True):
            cluster.place = PlaceAttr(Place(floor.router(tile), used[tile]))
            used[tile] += 1
        plain = replace(problem, crossing=1)
        self.statistics["spike-hops per 1000 steps, row-major"] = round(1000 * cost(plain, rows))
        self.statistics["spike-hops per 1000 steps"] = round(1000 * cost(plain, tiles))
        self.statistics["spike-links per 1000 steps, row-major"] = round(1000 * cost(plain, rows, "multicast"))
        self.statistics["spike-links per 1000 steps"] = round(1000 * cost(plain, tiles, "multicast"))

    def _check(self, clusters: ProgramOp, target: Machine) -> None:
        if not 0 < self.effort <= MOST_EFFORT:
            hint = f"give a number above 0 and up to {MOST_EFFORT:,}; 1 is the usual"
            fail(clusters, f"effort is {self.effort:g}", hint)
        if self.seed < 0:
            fail(clusters, f"seed is {self.seed}", "give a whole number of 0 or more")
        count = target.tiles.mesh[0] * target.tiles.mesh[1]
        if count > MOST_TILES:
            message = f"'{target.name}' has {count:,} tiles, and placement looks at {MOST_TILES:,} at most"
            fail(clusters, message, f"describe a part of it: there are {len(clusters.clusters):,} clusters")

    def _cost(self, target: Machine) -> CostName:
        if self.cost != "platform":
            return self.cost
        return "multicast" if target.tiles.routes == "multicast" else "unicast"


def nets_of(clusters: ProgramOp, activity: NetworkActivity) -> Nets:
    """One net per input and per result: who reads it, the host where it is an output, and values per step."""
    number: dict[object, int] = {op: i for i, op in enumerate(clusters.clusters)}
    nets: list[tuple[int, list[int], float]] = []
    for op in [*clusters.inputs, *clusters.clusters]:
        for value in op.results:
            users = [use.operation for use in value.uses]
            sinks = [HOST if isinstance(user, OutputOp) else number[user] for user in users]
            nets.append((number.get(op, HOST), sinks, float(load_of(value, activity).mean)))
    return Nets.of(nets)


def _problem(target: Machine, nets: Nets, clusters: list[ClusterOp]) -> Problem:
    """What is to be placed. A link between chips counts as often as flits take longer on it."""
    tiles, crossing = target.tiles, crossing_of(target)
    work = np.array([cluster.rows + cluster.columns for cluster in clusters], float)
    floor = floor_of(target)
    free = Problem.of(floor, nets, len(clusters), work=work, crossing=crossing)
    if not tiles.table_entries:
        return free
    # a result takes entries at its own router: one in all, or one for each destination, that is at most for each reader
    entries = np.zeros(len(clusters) + 1)
    np.add.at(entries, nets.sources, 1.0 if tiles.routes == "multicast" else nets.fanout.astype(float))
    room = np.full(floor.tiles, float(tiles.table_entries))
    room[floor.host_tile] = max(0.0, room[floor.host_tile] - entries[HOST])
    limits = {"table entries": (entries[:-1], room)}
    try:
        limited = Problem.of(floor, nets, len(clusters), work=work, crossing=crossing, limits=limits)
        place(limited, "row-major")
    except PlacementError:
        return free  # readers that come to share a tile share an entry: cluster-route counts what it takes in the end
    return limited
