"""Multilevel hypergraph partitioning with Mt-KaHyPar, and a repair for the limit that it does not know.

Gottesbueren et al. (Mt-KaHyPar, MIT licence). A node is a unit; a hyperedge is a neuron or input with all units that
read it, and with the unit that it sits in, weighted with its spikes. The objective `km1` then is spikes between
crossbars: exactly for neurons, and for inputs up to a constant. Blocks have at most as many nodes as a crossbar has
columns; that a crossbar also has rows, for distinct axons, no such partitioner can be told (Ronzani and Silvano, arXiv
2601.16118). So blocks are repaired afterwards; the repair is ours.

**Repair.** An overfull block keeps what belongs together most: units with the same axons are taken together, one set
after the other, each time the set with the fewest new rows per column, while the block is within rows, columns and
slices. The rest, which has least in common with what was kept, moves out: each set to the block with room that it
shares most spikes with, and where there is no such block, to a new one.
"""

import os
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.partition.clustering.repair import repaired
from snnir.partition.metrics import lower_bounds
from snnir.partition.problem import Options, Plan, Problem
from snnir.partition.units import Units, plan_of, units_of
from snnir.synapses import IntArray

FINE = 1000
"""Weights are whole numbers: the busiest neuron has this one, and none has less than 1."""


def hypergraph(problem: Problem, options: Options) -> Plan:
    """The plan of the repaired partition; more crossbars than `k` where the repair opens new ones.

    Details: `k` blocks (the lower bound on crossbars). Mt-KaHyPar's deterministic preset gives the
    same blocks for the same seed, whatever the threads. Raises `ImportError` without the package `mtkahypar` (extra
    `hypergraph`).
    """
    units = units_of(problem)
    least = -(-len(units) // problem.columns)
    k = max(int(options.details.get("k", lower_bounds(problem).crossbars)), least)
    blocks = parted(units, problem.columns, k, options)
    return plan_of(problem, units, repaired(problem, units, blocks))


def parted(units: Units, columns: int, k: int, options: Options) -> IntArray:
    """Unit -> block of k, as Mt-KaHyPar finds them; rows are not looked at."""
    if k <= 1 or len(units) <= k:
        return np.arange(len(units)) % max(k, 1)
    pins, weights = hyperedges(units)
    kahypar, library = _library()
    kahypar.set_seed(options.seed)
    context = library.context_from_preset(kahypar.PresetType.DETERMINISTIC)
    context.set_partitioning_parameters(k, columns * k / len(units) - 1, kahypar.Objective.KM1)
    graph = library.create_hypergraph(context, len(units), len(pins), pins, [1] * len(units), weights)
    return np.array(graph.partition(context).get_partition(), np.int64)


def hyperedges(units: Units) -> tuple[list[list[int]], list[int]]:
    """The pins and the weight of each neuron or input that has two pins or more."""
    known = np.flatnonzero(units.source >= 0)
    source = np.concatenate([units.problem.home[units.axons], units.source[known]])
    unit = np.concatenate([np.repeat(np.arange(len(units)), units.sizes), known])
    source, unit = np.divmod(np.unique(source * len(units) + unit), len(units))
    cuts = np.flatnonzero(np.diff(source)) + 1
    edges = [each for each in np.split(unit, cuts) if len(each) > 1]
    first = source[np.concatenate([[0], cuts]).astype(np.int64)] if len(source) else source
    wide = np.diff(np.concatenate([[0], cuts, [len(source)]])) > 1
    spikes = units.spikes[first[wide]]
    most = float(spikes.max(initial=0.0)) or 1.0
    weights: NDArray[np.int64] = np.rint(spikes / most * FINE).astype(np.int64).clip(min=1)
    return [each.tolist() for each in edges], weights.tolist()


@cache
def _library() -> tuple[Any, Any]:
    """The module and its only instance: a process can initialise it once."""
    kahypar: Any = import_module("mtkahypar")
    return kahypar, kahypar.initialize(os.cpu_count() or 1)
