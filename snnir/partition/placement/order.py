"""Orders of clusters in which those that talk to each other come near each other."""

from itertools import pairwise

import numpy as np
from scipy.sparse import csgraph, csr_array

from snnir.partition.placement.arrays import group, ranges
from snnir.partition.placement.problem import FloatArray, IntArray, Problem


def topological(problem: Problem) -> IntArray:
    """(clusters,) clusters so that senders come before readers: layer by layer, where the layer of a cluster is the
    longest way to it; clusters on a common cycle have a common layer. Within a layer, clusters go by the mean place of
    those that they read, so that neighbours read neighbours; those that read none keep their order."""
    nets, count = problem.nets, problem.clusters
    between = (nets.sources[nets.net_of_pin] >= 0) & (nets.sinks >= 0)
    source, sink = nets.sources[nets.net_of_pin][between], nets.sinks[between]
    volume = nets.volumes[nets.net_of_pin][between]
    graph = csr_array((np.ones(len(source)), (source, sink)), shape=(count, count))
    component = csgraph.connected_components(graph, connection="strong")[1].astype(np.int64)
    layer = _layers(component[source], component[sink], int(component.max(initial=-1)) + 1)[component]
    starts, members = group(layer, int(layer.max(initial=-1)) + 1, np.arange(count))
    pin_starts, pins = group(sink, count, np.arange(len(sink)))
    place, order = np.full(count, -1.0), np.empty(count, np.int64)
    for first, last in pairwise(starts.tolist()):
        inside = members[first:last]
        lengths = pin_starts[inside + 1] - pin_starts[inside]
        read = pins[ranges(pin_starts[inside], lengths)]
        reader = np.repeat(np.arange(len(inside)), lengths)
        known = place[source[read]] >= 0
        weight = np.where(known, volume[read] + 1e-300, 0.0)
        total = np.bincount(reader, weight, len(inside))
        mean = np.bincount(reader, weight * place[source[read]], len(inside)) / np.where(total > 0, total, 1)
        order[first:last] = inside[np.argsort(np.where(total > 0, mean, -1), kind="stable")]
        place[order[first:last]] = np.arange(first, last)
    return order


def _layers(source: IntArray, sink: IntArray, count: int) -> IntArray:
    """(count,) the length of the longest way to each node of a graph without cycles (loops left out)."""
    edges = np.unique(source[source != sink] * max(count, 1) + sink[source != sink])
    source, sink = edges // max(count, 1), edges % max(count, 1)
    starts, sinks = group(source, count, sink)
    missing = np.bincount(sink, minlength=count)
    layer, now, number = np.zeros(count, np.int64), np.flatnonzero(missing == 0), 0
    while len(now):
        layer[now] = number
        reached = sinks[ranges(starts[now], starts[now + 1] - starts[now])]
        np.subtract.at(missing, reached, 1)
        reached = np.unique(reached)
        now, number = reached[missing[reached] == 0], number + 1
    return layer


def springs(problem: Problem, *, power: float = 0.0) -> "csr_array[np.float64, tuple[int, int]]":
    """(clusters + 1, clusters + 1) how much each pair of clusters (the last: the host) is pulled together: the volume
    of the nets between them, divided by their fan-out to the `power`."""
    nets, count = problem.nets, problem.clusters
    net = nets.net_of_pin
    source, sink = (np.where(ends < 0, count, ends) for ends in (nets.sources[net], nets.sinks))
    volume: FloatArray = (nets.volumes / np.maximum(nets.fanout, 1) ** power)[net]
    both = csr_array((volume, (source, sink)), shape=(count + 1, count + 1))
    return csr_array(both + both.T)


def product(matrix: "csr_array[np.float64, tuple[int, int]]", at: FloatArray) -> FloatArray:
    """`matrix @ at`, on one thread, so that the order of additions and with it the result is always the same."""
    return np.asarray(matrix.dot(at), np.float64)
