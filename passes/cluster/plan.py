"""From the `cluster` dialect back to a plan on arrays: the parts of each cluster, for what works on plans."""

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.ir import SSAValue

from snnir.dialects.cluster import ClusterOp, ProgramOp
from snnir.dialects.cluster_synapses import Axon, AxonGroup, axon_groups
from snnir.dialects.snn import InputOp, NetworkOp
from snnir.partition.problem import Part, Problem
from snnir.synapses import IntArray


def plan_of(clusters: ProgramOp, network: NetworkOp, problem: Problem) -> list[list[Part]]:
    """The plan that clusters are, of the clustering problem of the same program; clusters in order, parts as slices."""
    layers = {layer.name: number for number, layer in enumerate(problem.layers)}
    starts = _starts(network, problem, layers)
    homes = _homes(clusters)
    return [_parts(cluster, layers, starts, homes) for cluster in clusters.clusters]


def _starts(network: NetworkOp, problem: Problem, layers: Mapping[str, int]) -> dict[Axon, int]:
    """The number of the first axon of each source and delay."""
    inputs = [name for name, op in network.sources.items() if isinstance(op, InputOp)]
    names = {number: name for name, number in layers.items()} | {-1 - n: name for n, name in enumerate(inputs)}
    return {(names[group.source], group.delay): group.start for group in problem.groups}


def _homes(clusters: ProgramOp) -> dict[SSAValue, int]:
    """A number for each slice that adds partial sums, by its own result and by those sums."""
    found: dict[SSAValue, int] = {}
    for cluster in clusters.clusters:
        for value, sums in zip(cluster.computed, cluster.sums_of_slices, strict=True) if cluster.sums else ():
            found.update(dict.fromkeys((value, *sums), len(found)) if sums else {})
    return found


def _parts(
    cluster: ClusterOp, layers: Mapping[str, int], starts: Mapping[Axon, int], homes: Mapping[SSAValue, int]
) -> list[Part]:
    """The parts that the slices of a cluster are."""
    groups = axon_groups(cluster)
    lines = {windowed: _lines(groups, starts, windowed=windowed) for windowed in (False, True)}
    parts: list[Part] = []
    for part, value in zip(cluster.parts, cluster.computed, strict=True):
        chosen = part.rows if part.windows is None else part.windows.axons
        axons = np.sort(lines[part.windows is not None][chosen.array])
        kernel = None if part.windows is None else part.windows.kernel.array
        home = homes.get(value)
        parts.append(
            Part(layers[part.population], part.neurons.array, axons, home, part.is_partial, part.reads, kernel)
        )
    return parts


def _lines(groups: Sequence[AxonGroup], starts: Mapping[Axon, int], *, windowed: bool) -> IntArray:
    """The numbers of the axons that feed the rows of a cluster, or over which its windows pass, in order."""
    found = [starts[group.axon] + group.neurons for group in groups if group.windowed is windowed]
    return np.concatenate([*found, np.empty(0, np.int64)])
