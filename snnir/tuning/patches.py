"""Convolutions as matrices: for places drawn from all samples, the patch that the kernel meets there (im2col)."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.tuning.ranges import picked
from snnir.windows import Windows

Array = NDArray[Any]
Reals = NDArray[np.float64]

PIECE = 1 << 22
"""Elements of patches that are made at a time."""


def places_of(samples: int, windows: Windows, most: int) -> NDArray[np.int64]:
    """At most `most` of the places of all samples, (3, places): the sample, the row and the column of the result."""
    rows, columns = windows.result
    chosen = picked(samples * rows * columns, most)
    return np.stack(np.unravel_index(chosen, (samples, rows, columns)))


def patches_at(planes: Array, windows: Windows, places: NDArray[np.int64], groups: int) -> Reals:
    """The patches at some places: (groups, places, features); planes are (samples, channels, ...)."""
    sample, row, column = places
    views = windows.patches(planes.reshape(len(planes), -1, *windows.size))
    found = views[sample, :, row, column]
    grouped = found.reshape(len(sample), groups, -1)
    return np.ascontiguousarray(grouped.transpose(1, 0, 2), np.float64)


def convolved(planes: Array, weights: Array, windows: Windows, groups: int) -> Reals:
    """The convolution of (samples, channels * height * width), (samples, output channels * places)."""
    outputs, places = len(weights), prod(windows.result)
    matrix = weights.astype(np.float64).reshape(groups, outputs // groups, -1)
    result = np.empty((len(planes), groups, outputs // groups, places))
    elements = groups * matrix.shape[2] * places
    width = max(1, PIECE // elements)
    for start in range(0, len(planes), width):
        some = planes[start : start + width]
        views = windows.patches(some.reshape(len(some), groups, -1, *windows.size))
        patches = views.transpose(0, 1, 2, 5, 6, 3, 4).reshape(len(some), groups, -1, places)
        np.matmul(matrix, patches.astype(np.float64, copy=False), out=result[start : start + width])
    return result.reshape(len(planes), -1)
