"""Where a plan will lie, as far as clustering wants to know: the machine's floor, and what leaves for the host.

A slice sends each of its spikes to every tile on which something reads any of its neurons, and a partial sum is a value
per neuron and step. So what a plan costs is known when it is placed, and a quick placement tells it nearly enough to
choose between plans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from snnir.partition.floor import Floor
from snnir.partition.placement import HOST, CostName, Nets, PlacementError, cost, place
from snnir.partition.placement import Options as Search
from snnir.partition.placement import Problem as Placing
from snnir.partition.problem import Plan, Problem, Vector
from snnir.synapses import IntArray

_THOROUGH = 1000
"""Clusters up to which the placement that judges a plan is searched for at full effort."""
_QUICK = 0.1
"""The effort beyond."""


@dataclass(frozen=True)
class Site:
    """The floor on which clusters will be placed."""

    floor: Floor
    cost: CostName = "unicast"
    """How values travel: once to each destination tile, or along a tree to all of them."""
    crossing: int = 1
    """How many links one counts for that crosses a border between chips."""
    shown: Mapping[int, Vector] = field(default_factory=dict[int, Vector])
    """Of layers that are outputs: the spikes per step of each neuron, which travel to the host."""

    def hops(self, problem: Problem, plan: Plan) -> float:
        """Spikes and partial sums per step times the links that they cross, after a placement with `springs`.

        Infinite for plans that the floor has no room for.
        """
        nets = nets_of(problem, plan, self.shown)
        try:
            placing = Placing.of(self.floor, nets, len(plan), crossing=self.crossing)
            effort = 1.0 if len(plan) <= _THOROUGH else _QUICK
            tiles = place(placing, "springs", Search(0, effort, self.cost))
        except PlacementError:
            return float("inf")
        return cost(replace(placing, crossing=1), tiles, self.cost)

    def nearest(self, problem: Problem, plans: Sequence[Plan]) -> Plan:
        """The plan with the fewest hops; of equals, the one with fewer clusters."""
        return min(plans, key=lambda plan: (self.hops(problem, plan), len(plan)))


def nets_of(problem: Problem, plan: Plan, shown: Mapping[int, Vector]) -> Nets:
    """One net for each input, slice of neurons and slice of partial sums: to its readers, the host among them."""
    inputs = sorted({group.source for group in problem.groups if group.source < 0})
    parts = [(number, part) for number, cluster in enumerate(plan) for part in cluster]
    owner = np.array([HOST] * len(inputs) + [number for number, _ in parts], np.int64)
    carriers = _carriers(problem, plan, inputs)
    volumes = np.zeros(len(owner))
    sent = {group.source: problem.spikes[group.start : group.start + group.size] for group in problem.groups}
    for source, spikes in (sent | dict(shown)).items():
        np.add.at(volumes, carriers[source], spikes)
    by_axon = np.concatenate([np.empty(0, np.int64), *(carriers[group.source] for group in problem.groups)])
    net, sink = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    homes = {part.home: number for number, part in parts if not part.is_partial}
    for position, (number, part) in enumerate(parts, start=len(inputs)):
        read = np.unique(by_axon[part.axons])
        net.append(read)
        sink.append(np.full(len(read), number))
        if part.is_partial:
            volumes[position] = len(part.neurons)
            net.append(np.array([position]))
            sink.append(np.array([homes[part.home]]))
    for source in shown:
        read = np.unique(carriers[source])
        net.append(read)
        sink.append(np.full(len(read), HOST))
    nets, sinks = np.concatenate(net), np.concatenate(sink)
    order = np.argsort(nets, kind="stable")
    return Nets.from_arrays(owner, np.bincount(nets, minlength=len(owner)), sinks[order], volumes)


def _carriers(problem: Problem, plan: Plan, inputs: list[int]) -> dict[int, IntArray]:
    """Source (as in `Group`) -> the number of the net that carries each of its neurons."""
    sizes = {group.source: group.size for group in problem.groups}
    found = {source: np.full(sizes[source], number) for number, source in enumerate(inputs)}
    found |= {number: np.full(layer.size, -1) for number, layer in enumerate(problem.layers)}
    position = len(inputs)
    for cluster in plan:
        for part in cluster:
            if not part.is_partial:
                found[part.layer][part.neurons] = position
            position += 1
    return found
