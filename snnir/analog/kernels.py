"""The compiled loops of `snnir.analog.nodal`; importing this module loads numba.

The blocks are small (a row of a crossbar each), too small to be worth the threads of a linear algebra library, which
take many times as long where other programs use the processors.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Reals = NDArray[np.float64]


def compiled(function: Function) -> Function:
    """The function in machine code, kept on disk for the next process if some folder for that can be written."""
    numba: Any = import_module("numba")
    try:
        return numba.njit(function, cache=True)
    except RuntimeError:
        return numba.njit(function)


@compiled
def invert(a: Reals) -> None:
    """Put the inverse of a symmetric positive definite matrix in its place: Gauss and Jordan's elimination."""
    n = len(a)
    for k in range(n):
        pivot = 1.0 / a[k, k]
        for j in range(n):
            a[k, j] *= pivot
        a[k, k] = pivot
        for i in range(n):
            if i != k:
                factor = a[i, k]
                a[i, k] = 0.0
                for j in range(n):
                    a[i, j] -= factor * a[k, j]


@compiled
def word_line(g: Reals, gw: float, through: Reals) -> None:
    """Fill `through`: volts at each node (column) of a word line for an ampere into each (row).

    Rungs of conductance `g` lead to 0 V, as does a segment of conductance `gw` on the left of the first node. Nothing
    is subtracted, so that no digit is lost.
    """
    n = len(g)
    left, right = np.empty(n), np.zeros(n)
    left[0] = gw
    for j in range(1, n):
        before = left[j - 1] + g[j - 1]
        left[j] = gw * before / (gw + before)
    for j in range(n - 2, -1, -1):
        after = right[j + 1] + g[j + 1]
        right[j] = gw * after / (gw + after)
    for j in range(n):
        through[j, j] = 1.0 / (left[j] + g[j] + right[j])
        for i in range(j - 1, -1, -1):
            through[j, i] = through[j, i + 1] * (gw / (gw + left[i] + g[i]))
            through[i, j] = through[j, i]


@compiled
def solve(g: Reals, gw: float, gb: float) -> Reals:
    """`snnir.analog.nodal.effective` of (rows, columns) conductances, segments of conductance `gw` and `gb`."""
    rows, columns = g.shape
    through, above = np.empty((columns, columns)), np.zeros((columns, columns))
    said = np.zeros((columns, rows))  # volts at the bit nodes of the row for a volt at each source so far
    entered, moved = np.empty(columns), np.empty((columns, rows))
    for i in range(rows):
        word_line(g[i], gw, through)
        for j in range(columns):
            entered[j] = gw * g[i, j] * through[j, 0]  # amperes into the bit nodes for a volt at the row's source
            for k in range(columns):
                above[j, k] = -g[i, j] * through[j, k] * g[i, k] - gb * gb * above[j, k]
            above[j, j] += gb + g[i, j] if i == 0 else 2.0 * gb + g[i, j]
        invert(above)
        for j in range(columns):
            for m in range(i):
                said[j, m] *= gb
            said[j, i] = entered[j]
            for m in range(i + 1):
                moved[j, m] = 0.0
        for j in range(columns):
            for k in range(columns):
                factor = above[j, k]
                for m in range(i + 1):
                    moved[j, m] += factor * said[k, m]
        said, moved = moved, said
    return gb * said.T
