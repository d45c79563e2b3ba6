"""`load-balance`: each cluster in turn to the tile that it loads least.

As the binding step of SDF3 (S. Stuijk, T. Basten, M. Geilen, H. Corporaal, "Multiprocessor resource allocation for
throughput-constrained synchronous dataflow graphs", DAC 2007), which DFSynthesizer uses: the clusters in the order of
their load, the busiest first, each to the tile for which `a * processing + b * memory + c * communication` is lowest,
where `a, b, c` are the `weights` of the options and, with the cluster on the tile,

- processing: the part of the work of all clusters that is on the tile;
- memory: the part of the tile's most used resource that is taken (of its crossbars, when nothing else is limited);
- communication: the part of the traffic between all clusters and the host that enters or leaves the tile, as far as
  both ends have a tile.

Distances play no role: it is a baseline.
"""

import numpy as np

from snnir.partition.placement.fill import SLACK, settle
from snnir.partition.placement.order import springs
from snnir.partition.placement.problem import FloatArray, IntArray, Options, Problem


def place(problem: Problem, options: Options) -> IntArray:
    """See `snnir.partition.placement.place`."""
    traffic = springs(problem)
    total = max(float(traffic.sum()) / 2, 1e-300)
    weights, whole = options.weights, max(float(problem.work.sum()), 1e-300)
    work, crossing = np.zeros(problem.floor.tiles), np.zeros(problem.floor.tiles)
    used = np.zeros_like(problem.capacity)
    found = np.full(problem.clusters + 1, -1)
    for cluster in np.argsort(-problem.work, kind="stable"):
        ends = slice(traffic.indptr[cluster], traffic.indptr[cluster + 1])
        outside, to_tile = _traffic(problem, found, traffic.indices[ends].astype(np.int64), traffic.data[ends])
        memory = ((used + problem.loads[cluster]) / np.maximum(problem.capacity, 1e-300)).max(1)
        cost = (
            weights[0] * (work + problem.work[cluster]) / whole
            + weights[1] * memory
            + weights[2] * (crossing + outside - to_tile) / total
        )
        cost[memory > SLACK] = np.inf
        tile = int(cost.argmin())
        found[cluster] = tile
        if np.isinf(cost[tile]):
            continue
        used[tile] += problem.loads[cluster]
        work[tile] += problem.work[cluster]
        here = to_tile[tile]
        crossing += to_tile
        crossing[tile] += outside - 2 * here
    return settle(problem, found[:-1])


def _traffic(problem: Problem, found: IntArray, ends: IntArray, volumes: FloatArray) -> tuple[float, FloatArray]:
    """Traffic of a cluster with the host and all clusters that have a tile, and with those of each tile."""
    placed = found[ends] >= 0
    known = placed | (ends == problem.clusters)
    to_tile = np.bincount(found[ends[placed]], volumes[placed], problem.floor.tiles).astype(np.float64)
    return float(volumes[known].sum()), to_tile
