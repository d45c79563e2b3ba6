"""`row-major`: tile after tile, row by row, in the order of the clusters."""

import numpy as np

from snnir.partition.placement.fill import fill
from snnir.partition.placement.problem import IntArray, Options, Problem


def place(problem: Problem, options: Options) -> IntArray:
    """See `snnir.partition.placement.place`."""
    del options
    return fill(problem, np.arange(problem.clusters), np.arange(problem.floor.tiles))
