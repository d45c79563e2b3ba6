"""`swap`: pairwise exchange over all pairs of crossbars; for small machines."""

import numpy as np

from snnir.partition.placement.exchange import ROUNDING, all_pairs
from snnir.partition.placement.problem import IntArray, Options, PlacementError, Problem
from snnir.partition.placement.row_major import place as row_major
from snnir.partition.placement.state import State

LARGEST = 1000
"""Clusters up to which all pairs are looked at."""


def place(problem: Problem, options: Options) -> IntArray:
    """See `snnir.partition.placement.place`. From row-major order: all swaps of two clusters and moves to a free
    crossbar are priced; those that help are done, the best first, each priced again before. Ends when no exchange
    helps. Raises `PlacementError` above `LARGEST` clusters."""
    if problem.clusters > LARGEST:
        message = f"swap looks at all pairs of up to {LARGEST} clusters, and there are {problem.clusters}"
        raise PlacementError("time", message, "choose another algorithm, for example springs")
    state = State(problem, row_major(problem, options), options.cost)
    while _round(state):
        pass
    return state.tiles


def _round(state: State) -> bool:
    """Price all pairs once and do those that help, the best first; whether there was one."""
    least = -ROUNDING * state.cost
    a, b = all_pairs(state)
    change = state.changes(a, b)
    done = False
    order = np.argsort(change, kind="stable")
    for number in order[: np.searchsorted(change[order], least)]:
        pair = a[number : number + 1], b[number : number + 1]
        if state.allowed(*pair)[0] and state.changes(*pair)[0] < least:
            state.exchange(*pair)
            done = True
    return done
