"""A plan made better neuron by neuron: the exchanges of `spinemap`, from any plan on."""

from collections import defaultdict

import numpy as np

from snnir.partition.clustering.spinemap import exchanged, spinemap
from snnir.partition.metrics import spikes_between
from snnir.partition.problem import Options, Plan, Problem
from snnir.partition.units import SMALL, Units, plan_of
from snnir.synapses import IntArray

_MOST_SYNAPSES = 1 << 17
"""Of more synapses, neuron by neuron takes too long."""
_VISITS = 2000
"""Pairs of crossbars that are looked at."""


def polished(problem: Problem, plan: Plan, options: Options, most: int) -> Plan:
    """The plan with the fewest spikes between crossbars, of at most `most`, that exchanges of neurons lead to.

    They start from the plan, and from a fill in order. Plans of many synapses stay as they are.
    """
    synapses = sum(each.synapses.count for layer in problem.layers for each in layer.inputs)
    shared = any(part.kernel is not None for parts in plan for part in parts)
    if synapses > _MOST_SYNAPSES or shared or problem.slices:
        return plan
    units, assignment = _units_of_plan(problem, plan)
    own = Options(options.objective, options.seed, {"visits": _VISITS, **options.details})
    found = [plan, plan_of(problem, units, exchanged(problem, units, assignment, own)), spinemap(problem, own)]
    return min((each for each in found if len(each) <= most), key=lambda each: spikes_between(problem, each))


def _units_of_plan(problem: Problem, plan: Plan) -> tuple[Units, IntArray]:
    """The columns of a plan as units, and the cluster of each."""
    chunk_of: dict[int, int] = defaultdict(int)
    rows: list[tuple[int, int, int, int, int]] = []
    read: list[IntArray] = []
    parts_of: dict[int | None, int] = defaultdict(int)
    for parts in plan:
        for part in parts:
            parts_of[part.home] += 1
    for cluster, parts in enumerate(plan):
        for part in parts:
            chunk = 0
            if part.home is not None and part.is_partial:
                chunk_of[part.home] += 1
                chunk = chunk_of[part.home]
            chunks = 1 if part.home is None else parts_of[part.home]
            connected = problem.connected(part.layer, part.axons, part.neurons)
            for place, neuron in enumerate(part.neurons.tolist()):
                rows.append((part.layer, neuron, chunk, chunks, cluster))
                read.append(part.axons[connected[:, place]])
    table = np.array(rows, np.int64).reshape(-1, 5)
    order = np.lexsort((table[:, 2], table[:, 1], table[:, 0]))
    table, read = table[order], [read[number] for number in map(int, order)]
    numbers: dict[bytes, int] = {}
    kind = np.array([numbers.setdefault(axons.tobytes(), len(numbers)) for axons in read], np.int64)
    starts = np.cumsum([0, *(len(axons) for axons in read)])
    axons = np.concatenate([*read, np.empty(0, np.int64)]).astype(SMALL)
    units = Units(problem, table[:, 0], table[:, 1], table[:, 2], table[:, 3], kind, starts, axons)
    return units, table[:, 4]
