"""Placements: which tile holds each cluster. One algorithm a file, all with the same interface, none aware of the IR.

An algorithm is imported when it is asked for.
"""

from collections.abc import Callable
from importlib import import_module

import numpy as np

from snnir.partition.placement.cost import cost
from snnir.partition.placement.problem import (
    CROSSBARS,
    HOST,
    CostName,
    IntArray,
    Nets,
    Options,
    PlacementError,
    Problem,
)

ALGORITHMS = {
    "row-major": "row_major",
    "load-balance": "load_balance",
    "swap": "swap",
    "pso": "pso",
    "hilbert": "hilbert",
    "springs": "springs",
    "annealing": "annealing",
}
"""Name -> module of this package, which has `place(problem, options)`."""

__all__ = [
    "ALGORITHMS",
    "CROSSBARS",
    "HOST",
    "CostName",
    "Nets",
    "Options",
    "PlacementError",
    "Problem",
    "cost",
    "place",
]


def place(problem: Problem, algorithm: str, options: Options | None = None) -> IntArray:
    """(clusters,) the tile of each cluster.

    The same problem and options give the same placement. No tile is given more of any resource than it has; raises
    `PlacementError`, which names the resource, when clusters do not fit, and `ValueError` for an unknown algorithm.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"no placement algorithm '{algorithm}'; there are {', '.join(ALGORITHMS)}")
    if not problem.clusters:
        return np.zeros(0, np.int64)
    find: Callable[[Problem, Options], IntArray] = import_module(f"{__name__}.{ALGORITHMS[algorithm]}").place
    found = find(problem, options or Options())
    problem.check(found)
    return found
