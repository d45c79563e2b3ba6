"""Weights as integers times a scale per neuron: exactly where they lie on such a grid, by rounding where they do not.

A crossbar column holds integers of a few bits and one scale. All weights into a neuron share its column, so they share
the scale, whatever projection they belong to. Arrays here have one row per neuron.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


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


def nearest_grid(weights: Matrix, bits: int) -> Grid:
    """The weights on a grid of `bits` bits, neuron by neuron.

    A neuron whose weights are exactly such integers times a power of two keeps them. Those of the others are rounded to
    nearest, the largest becoming the largest integer.
    """
    grid = _power_grid(weights, bits)
    fits = _fits(grid, weights, bits)
    if fits.all():
        return grid
    scale = np.where(fits, grid.scale, nearest_scale(np.abs(weights).max(axis=1, initial=0.0), bits))
    integers = np.clip(np.rint(weights / scale[:, None]), -largest(bits), largest(bits))
    return Grid(integers, scale, False)


def nearest_scale(peak: Vector, bits: int) -> Vector:
    """The scales with which the largest weight of each neuron, `peak`, becomes the largest integer."""
    return np.maximum(np.where(peak > 0, peak, 1.0) / largest(bits), np.finfo(np.float64).smallest_subnormal)


def finest_power(peak: Vector, bits: int) -> Vector:
    """The finest powers of two with which the largest weight of each neuron still fits.

    That is 2 ** ceil(log2(peak / largest)); weights on any coarser power of two lie on this one too.
    """
    fraction, exponent = np.frexp(np.where(peak > 0, peak, 1.0) / largest(bits))
    return np.maximum(
        np.ldexp(1.0, np.where(fraction == 0.5, exponent - 1, exponent)), np.finfo(np.float64).smallest_subnormal
    )


def _power_grid(weights: Matrix, bits: int) -> Grid:
    """The weights divided by the finest power of two with which the largest of a neuron still fits."""
    scale = finest_power(np.abs(weights).max(axis=1, initial=0.0), bits)
    return Grid(weights / scale[:, None], scale, True)


def _fits(grid: Grid, weights: Matrix, bits: int) -> NDArray[np.bool_]:
    """For each neuron, whether the grid holds its weights: whole numbers in range that give them back."""
    whole = (grid.integers == np.rint(grid.integers)).all(axis=1)
    inside = (np.abs(grid.integers) <= largest(bits)).all(axis=1)
    return whole & inside & (grid.integers * grid.scale[:, None] == weights).all(axis=1)
