"""Rounding to nearest, with a scale per row that clips where that makes the error smaller."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnir.precision import largest, nearest_scale

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

TRIES = 9
"""Clipping limits that are tried, evenly from `_least_limit` to the largest weight."""


@dataclass(frozen=True)
class Rounded:
    """Weights as `integers * scale[:, None]`."""

    integers: Matrix
    """Whole numbers, as float64, (rows, features)."""
    scale: Vector
    """One positive factor per row."""

    @property
    def weights(self) -> Matrix:
        """What they stand for."""
        return self.integers * self.scale[:, None]


def rounded(weights: Matrix, scale: Vector, bits: int) -> Rounded:
    """The nearest integers of `bits` bits."""
    return Rounded(nearest(weights, scale[:, None], bits), scale)


def clipped_scales(weights: Matrix, bits: int, importance: Vector | None = None) -> Vector:
    """For each row the scale with the least squared rounding error, of `TRIES` up to the one that clips nothing.

    `importance`, (features,), weighs the squared errors; the second moment of the inputs makes them those of the sums
    where inputs are independent. A row of zeros has the scale of a row whose largest weight is 1.
    """
    peak = np.abs(weights).max(axis=1, initial=0.0)
    most = largest(bits)
    # in units of the largest weight and in single precision: only the order of the errors counts
    unit = (weights / np.where(peak > 0, peak, 1.0)[:, None]).astype(np.float32)
    weight = 1.0 if importance is None else 1.0 / max(float(importance.max(initial=0.0)), 1e-300)
    factor = np.ones(weights.shape[1], np.float32) if importance is None else (importance * weight).astype(np.float32)
    best, least = np.ones(len(weights)), np.full(len(weights), np.inf)
    for ratio in np.linspace(1.0, _least_limit(bits), TRIES):
        whole = unit * np.float32(most / ratio)
        near = np.rint(whole)
        np.clip(near, -most, most, out=near)
        near -= whole
        np.square(near, out=near)
        error = (near @ factor) * ratio**2
        better = error < least
        best, least = np.where(better, ratio, best), np.where(better, error, least)
    return nearest_scale(peak * best, bits)


def lane_scales(
    weights: Vector, lanes: NDArray[np.int64], count: int, bits: int, importance: "Vector | float" = 1.0
) -> Vector:
    """The same for weights in any order, (weights,): `lanes` names the row of each, from 0 to `count` - 1."""
    peak = np.zeros(count)
    np.maximum.at(peak, lanes, np.abs(weights))
    best, least = nearest_scale(peak, bits), np.full(count, np.inf)
    for ratio in np.linspace(1.0, _least_limit(bits), TRIES):
        scale = nearest_scale(peak * ratio, bits)
        off = np.square(nearest(weights, scale[lanes], bits) * scale[lanes] - weights)
        error = np.bincount(lanes, off * importance, count)
        better = error < least
        best, least = np.where(better, scale, best), np.where(better, error, least)
    return best


def nearest(weights: "NDArray[np.float64]", scale: "NDArray[np.float64]", bits: int) -> "NDArray[np.float64]":
    """The nearest integers of `bits` bits, element by element."""
    most = largest(bits)
    return np.clip(np.rint(weights / scale), -most, most)


def _least_limit(bits: int) -> float:
    """The least limit that is tried, as a part of the largest weight: coarse grids gain by clipping, fine ones lose."""
    return min(0.9, 0.25 + 0.1 * (bits - 2))
