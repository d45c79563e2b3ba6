"""Weights as integers times a scale per neuron: exactly where they lie on such a grid, by rounding where they do not.

A crossbar column holds integers of a few bits and one scale. All weights into a neuron share its column, so they share
the scale, whatever projection they belong to. Arrays here have one row per neuron.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """`integers * scale[:, None]`, with the largest integer that the bits allow."""

    integers: Matrix
    """Whole numbers, as float64, (neurons, weights)."""
    scale: NDArray[np.float64]
    """One positive factor per neuron."""
    exact: bool
    """Whether the grid reproduces the weights it was made for."""


def largest(bits: int) -> int:
    """The largest integer of a symmetric signed range: 127 for 8 bits."""
    return 2 ** (bits - 1) - 1


def integer_type(bits: int) -> "np.dtype[Any]":
    """The smallest signed numpy type that holds `bits` bits."""
    return np.dtype("i1" if bits <= 8 else "<i2" if bits <= 16 else "<i4")


def exact_grid(weights: Matrix, bits: int) -> Grid | None:
    """The weights as integers of `bits` bits times a power of two per neuron, if they are exactly that."""
    peak = np.abs(weights).max(axis=1, initial=0.0)
    # the finest power of two with which the largest weight still fits, 2 ** ceil(log2(peak / largest)): weights on any
    # coarser power of two lie on this one too
    fraction, exponent = np.frexp(np.where(peak > 0, peak, 1.0) / largest(bits))
    power = np.where(fraction == 0.5, exponent - 1, exponent)
    scale = np.ldexp(1.0, power)
    integers = weights / scale[:, None]
    if (integers == np.rint(integers)).all() and (np.abs(integers) <= largest(bits)).all():
        return Grid(integers, scale, True)
    return None


def nearest_grid(weights: Matrix, bits: int) -> Grid:
    """The weights rounded to `bits` bits; the largest of each neuron becomes the largest integer."""
    found = exact_grid(weights, bits)
    if found is not None:
        return found
    peak = np.abs(weights).max(axis=1, initial=0.0)
    scale = np.where(peak > 0, peak, 1.0) / largest(bits)
    return Grid(np.clip(np.rint(weights / scale[:, None]), -largest(bits), largest(bits)), scale, False)
