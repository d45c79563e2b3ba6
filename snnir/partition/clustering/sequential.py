"""Neurons in order fill one crossbar after the other.

PACMAN cuts populations into consecutive neurons like this (SpiNNaker), and so does the partitioning in front of the
Hilbert placement of Jin et al. (ASPLOS 2023). Next fit: a crossbar that a neuron does not fit is never opened again.
"""

import numpy as np

from snnir.partition.problem import Options, Plan, Problem
from snnir.partition.units import Units, plan_of, units_of
from snnir.synapses import IntArray


def sequential(problem: Problem, options: Options) -> Plan:
    """The plan of `filled`.

    A layer with too many axons per neuron goes chunk by chunk: first chunk 0 of all its neurons. Details:
    `channels_last` (1): a place of a plane after the other, all channels of a place side by side, as frameworks
    number neurons that keep channels last; 0: by the numbers of the program, channel after channel. The first is the
    stronger baseline: channels of one place read the same axons. The objective is ignored.
    """
    units = units_of(problem)
    return plan_of(problem, units, filled(problem, units, in_order(units, options)))


def in_order(units: Units, options: Options) -> IntArray:
    """The order in which the algorithms that pack neuron by neuron take them."""
    return units.order(channels_last=bool(options.details.get("channels_last", 1)))


def filled(problem: Problem, units: Units, order: IntArray) -> IntArray:
    """Unit -> cluster: each unit in the cluster of the one before it, or, where it does not fit, in the next."""
    result = np.empty(len(units), np.int64)
    last = np.full(problem.axons, -1)
    cluster = rows = columns = 0
    slices: set[int] = set()
    most = problem.slices or problem.columns
    for unit, key in zip(order.tolist(), units.slice[order].tolist(), strict=True):
        axons = units.of(unit)
        new = np.count_nonzero(last[axons] != cluster)
        if rows + new > problem.rows or columns == problem.columns or len(slices | {key}) > most:
            cluster, rows, columns, new = cluster + 1, 0, 0, len(axons)
            slices.clear()
        last[axons] = cluster
        rows, columns = rows + int(new), columns + 1
        slices.add(key)
        result[unit] = cluster
    return result
