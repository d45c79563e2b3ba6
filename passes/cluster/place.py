"""`cluster-place`: which crossbar of the machine holds which cluster."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from snnir.dialects.cluster import ClusterOp, ProgramOp, address_of
from snnir.dialects.cluster_attributes import PartialType, Place, PlaceAttr
from snnir.partition.placement import Traffic, cost, hops, row_major, swap_placement
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import SNNPass, fail, machine, only, program


@dataclass(frozen=True)
class ClusterPlace(SNNPass):
    """Give every cluster a crossbar.

    Needs clusters and a machine; sets `at [x, y] crossbar n` on each cluster. Traffic is spikes per step as profiled
    (every neuron without a profile) and one value per partial sum.
    """

    name = "cluster-place"

    algorithm: Literal["swap", "row-major"] = "swap"
    """`row-major` fills tile after tile; `swap` then exchanges pairs while hop-weighted traffic falls."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        target = machine(op)
        count, (width, height) = len(clusters.clusters), target.tiles.mesh
        if count > target.crossbars:
            message = f"{count} clusters, but the machine '{target.name}' has {target.crossbars} crossbars"
            fail(clusters, message, "choose a machine with more tiles, more crossbars per tile or larger crossbars")
        traffic, host = _traffic(clusters, NetworkActivity(program(op), "peak"))
        host_tile = target.tiles.host[1] * width + target.tiles.host[0]
        tiles = row_major(count, width * height, target.tiles.crossbars)
        distance = hops(target.tiles.mesh)
        before = cost(tiles, traffic, host, host_tile, distance)
        if self.algorithm == "swap":
            tiles = swap_placement(traffic, host, target.tiles.mesh, target.tiles.crossbars, host_tile)
        used: Counter[int] = Counter()
        for cluster, tile in zip(clusters.clusters, tiles, strict=True):
            cluster.place = PlaceAttr(Place((tile % width, tile // width), used[tile]))
            used[tile] += 1
        self.statistics["spike-hops per 1000 steps, row-major"] = round(1000 * before)
        self.statistics["spike-hops per 1000 steps"] = round(1000 * cost(tiles, traffic, host, host_tile, distance))


def _traffic(clusters: ProgramOp, activity: NetworkActivity) -> tuple[Traffic, Traffic]:
    """Values per step from cluster to cluster, and between each cluster and the host."""
    number = {op: i for i, op in enumerate(clusters.clusters)}
    between = np.zeros((len(number), len(number)))
    host = np.zeros(len(number))
    for output in clusters.outputs:
        for signal in output.signals:
            if isinstance(signal.owner, ClusterOp):
                host[number[signal.owner]] += _volume(signal, activity)
    for cluster in clusters.clusters:
        for value in dict.fromkeys(cluster.operands):
            if isinstance(value.owner, ClusterOp):
                between[number[value.owner], number[cluster]] += _volume(value, activity)
            else:
                host[number[cluster]] += _volume(value, activity)
    return between, host


def _volume(value: SSAValue, activity: NetworkActivity) -> float:
    if isinstance(value.type, PartialType):
        return float(value.type.size.data)
    return float(activity.of(*address_of(value)).mean)
