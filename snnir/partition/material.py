"""Layers that can be divided anywhere, since no two of their neurons read the same axon: they fill gaps."""

from dataclasses import dataclass

import numpy as np

from snnir.partition.problem import Problem, Vector
from snnir.synapses import IntArray


@dataclass(frozen=True)
class Material:
    """The neurons of a layer with an axon list each, none in two lists."""

    layer: int
    counts: IntArray
    """How many axons each neuron reads."""
    starts: IntArray
    """Where the axons of each neuron start in `axons`, and the number of all."""
    read: IntArray
    """The axons of neuron 0, of neuron 1, .., ascending for each neuron."""

    def axons(self, neurons: IntArray) -> IntArray:
        """The axons of some neurons, ascending."""
        counts = self.counts[neurons]
        before = np.cumsum(counts) - counts
        return np.sort(self.read[np.repeat(self.starts[neurons] - before, counts) + np.arange(int(counts.sum()))])

    def wishes(self, places: IntArray, spikes: Vector) -> tuple[IntArray, Vector]:
        """For each neuron the crossbar that most of the spikes that it reads come from, or -1, and how many they are.

        `places`: the crossbar of the neuron behind each axon, or -1; `spikes`: on each axon.
        """
        owner = np.repeat(np.arange(len(self.counts)), self.counts)
        place = places[self.read]
        known = place >= 0
        owner, place, weight = owner[known], place[known], spikes[self.read[known]] + 1e-9
        result, most = np.full(len(self.counts), -1), np.zeros(len(self.counts))
        if not len(owner):
            return result, most
        order = np.lexsort((place, owner))
        owner, place, weight = owner[order], place[order], weight[order]
        first = np.flatnonzero((np.diff(owner, prepend=-1) != 0) | (np.diff(place, prepend=-1) != 0))
        total, owner, place = np.add.reduceat(weight, first), owner[first], place[first]
        order = np.lexsort((-place, total, owner))
        last = order[np.flatnonzero(np.diff(owner[order], append=-1))]
        result[owner[last]], most[owner[last]] = place[last], total[last]
        return result, most


def material_of(problem: Problem, number: int) -> Material | None:
    """The material that a layer is, `None` if two of its neurons read the same axon or one reads too many."""
    inputs = problem.layers[number].inputs
    groups = {each.group for each in inputs}
    fanin = problem.fanin(number)
    if len(groups) < len(inputs) or fanin.max(initial=0) > problem.rows:
        return None
    if any(each.synapses.count > problem.groups[each.group].size for each in inputs):
        return None
    csr = problem.csr(number)
    read = csr.indices.astype(np.int64)
    if len(np.unique(read)) < len(read):
        return None
    return Material(number, fanin, csr.indptr.astype(np.int64), read)
