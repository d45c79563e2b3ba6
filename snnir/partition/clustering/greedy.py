"""Greedy packing as in "Compiling Spiking Neural Networks to Neuromorphic Hardware" and DFSynthesizer.

Song et al., arXiv 2004.03717 and 2108.02023, with the released artefact (`min-clusters`): neurons in order of their
numbers; for each, the crossbars in descending order of inputs + outputs, and into the first that it fits; where it
fits none, a new one.

One thing is not theirs. The artefact turns a neuron with more than F inputs (F = 2 in its own settings) into a serial
chain of units, where unit k reads the sum of unit k-1 and up to F - 1 more inputs, and packs the units. Intermediate
sums are inputs that nothing else reads, so crossbars stop sharing rows: on 128x128 crossbars, the artefact needs 519
for a 784-100-10 perceptron and 676 for its LeNet. Here, neurons that fit stay whole, and those that do not are split by
the machine's means (partial sums that are added digitally, or relays made before clustering), so that what is compared
is the packing.
"""

import numpy as np
from numpy.typing import NDArray

from snnir.partition.clustering.sequential import in_order
from snnir.partition.problem import Options, Plan, Problem
from snnir.partition.units import Units, plan_of, units_of
from snnir.synapses import IntArray


def greedy(problem: Problem, options: Options) -> Plan:
    """The plan of first fit in descending order of rows and columns in use; of equals, the older crossbar.

    Details: `channels_last` as in `sequential`. The objective is ignored. Every unit looks at all crossbars that have a
    column left: time grows with synapses x open crossbars.
    """
    units = units_of(problem)
    return plan_of(problem, units, packed(problem, units, in_order(units, options)))


class _Open:
    """Clusters with free columns: what they hold, one place each, oldest first."""

    def __init__(self, problem: Problem, keys: int) -> None:
        self.problem = problem
        self.number = np.empty(0, np.int64)
        self.rows = np.zeros(8, np.int64)
        self.columns = np.zeros(8, np.int64)
        self.holds: NDArray[np.bool_] = np.zeros((problem.axons, 8), np.bool_)
        self.slices: NDArray[np.bool_] = np.zeros((keys, 8), np.bool_)

    def place(self, axons: NDArray[np.int32], key: int) -> int:
        """The place of the first cluster with room, in descending order of rows and columns; -1 where there is none."""
        count = len(self.number)
        if not count:
            return -1
        rows = self.rows[:count] + len(axons) - np.add.reduce(self.holds[axons, :count], axis=0, dtype=np.int64)
        fits = rows <= self.problem.rows
        if self.problem.slices:
            slices = self.slices[:, :count]
            fits &= slices[key] | (slices.sum(axis=0) < self.problem.slices)
        size = np.where(fits, self.rows[:count] + self.columns[:count], -1)
        best = int(size.argmax())
        return best if fits[best] else -1

    def open(self, number: int) -> int:
        """The place of a new cluster."""
        place = len(self.number)
        if place == len(self.rows):
            self.rows, self.columns = np.append(self.rows, 0 * self.rows), np.append(self.columns, 0 * self.columns)
            self.holds = np.hstack([self.holds, np.zeros_like(self.holds)])
            self.slices = np.hstack([self.slices, np.zeros_like(self.slices)])
        self.number = np.append(self.number, number)
        return place

    def add(self, place: int, axons: NDArray[np.int32], key: int) -> None:
        """Puts a unit into a cluster, which leaves when it has no column left."""
        self.rows[place] += len(axons) - np.count_nonzero(self.holds[axons, place])
        self.holds[axons, place] = True
        self.slices[key, place] = True
        self.columns[place] += 1
        if self.columns[place] == self.problem.columns:
            count = len(self.number)
            self.number = np.delete(self.number, place)
            for each in (self.rows, self.columns, self.holds, self.slices):
                each[..., place : count - 1] = each[..., place + 1 : count]
                each[..., count - 1] = 0


def packed(problem: Problem, units: Units, order: IntArray) -> IntArray:
    """Unit -> cluster."""
    result = np.empty(len(units), np.int64)
    clusters = _Open(problem, int(units.slice.max(initial=0)) + 1)
    opened = 0
    for unit, key in zip(order.tolist(), units.slice[order].tolist(), strict=True):
        axons = units.of(unit)
        place = clusters.place(axons, key)
        if place < 0:
            place, opened = clusters.open(opened), opened + 1
        result[unit] = clusters.number[place]
        clusters.add(place, axons, key)
    return result
