"""One layer, tuned on calibration data: regression, rounding with error feedback, correction of the bias.

With X the inputs that the layer gets from the already transformed layers before it and Y the sums that it should make
of them, those of the original, the weights are

    W* = W + (Y - X W^T)^T X (X^T X + lam I)^-1                                          (free tuning)

the weights nearest to W that make Y of X, with lam 1 % of the mean diagonal of X^T X; then rounded with error feedback
against the same X^T X. Where the layer has a bias, means are taken off before, and the bias makes up for what is left.
All that is needed of the data are its moments, whatever the number of samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.tuning.feedback import Feedback, damped
from snnir.tuning.rounding import Matrix, Rounded, Vector, clipped_scales, rounded

SEARCH_BITS = 2
"""With up to so many bits, several scales are tried with error feedback; with more it makes no difference."""
SEARCHED = (0.75, 1.0, 1.25)
"""These, as multiples of the scale that rounding to nearest would have."""


@dataclass(frozen=True)
class Moments:
    """What is known of the inputs X, (samples, features), of a layer and of the sums Y, (samples, rows), wanted of it.

    Features that are always the same are left out: their weights do nothing (but to the bias).
    """

    active: NDArray[np.intp]
    """The features that are not always the same, or 0 where means are not taken off."""
    hessian: Matrix
    """X^T X / samples of these, (active, active)."""
    cross: Matrix
    """Y^T X / samples of these, (rows, active)."""
    power: Vector
    """The mean of Y^2, (rows,)."""
    input_mean: Vector
    """(features,); 0 where means are not taken off."""
    output_mean: Vector
    """(rows,)"""

    @staticmethod
    def of(inputs: NDArray[Any], outputs: NDArray[Any], *, centred: bool) -> "Moments":
        """The moments of data; `centred`: about the means, for a layer whose bias can be set."""
        x, y = np.asarray(inputs, np.float64), np.asarray(outputs, np.float64)
        samples = max(1, len(x))
        means = (x.mean(axis=0), y.mean(axis=0)) if centred else (np.zeros(x.shape[1]), np.zeros(y.shape[1]))
        rest = x - x[:1] if centred else x
        active = np.flatnonzero(rest.any(axis=0))
        x = x[:, active] - means[0][active]
        y = y - means[1]
        return Moments(active, x.T @ x / samples, y.T @ x / samples, np.square(y).mean(axis=0), *means)

    def error(self, found: Rounded) -> Vector:
        """The mean squared error of each row: of `X weights^T` as Y, the bias at its best; of the active features."""
        return self._error(*self._powers(found), found.scale)

    def rescaled(self, found: Rounded) -> tuple[Rounded, Vector]:
        """The same integers with the scale that is best for each row, and their error."""
        own, wanted = self._powers(found)
        fits = (own > 0) & (wanted > 0)
        scale = np.where(fits, wanted / np.where(own > 0, own, 1.0), found.scale)
        return Rounded(found.integers, scale), self._error(own, wanted, scale)

    def _powers(self, found: Rounded) -> tuple[Vector, Vector]:
        """Of integers: the mean square of what they make, and of its product with what is wanted."""
        own = np.einsum("rf,rf->r", found.integers @ self.hessian, found.integers)
        return own, np.einsum("rf,rf->r", found.integers, self.cross)

    def _error(self, own: Vector, wanted: Vector, scale: Vector) -> Vector:
        return np.maximum(self.power - 2 * scale * wanted + np.square(scale) * own, 0.0)

    @cached_property
    def feedback(self) -> Feedback:
        """Rounding against the damped Hessian."""
        return Feedback(damped(self.hessian))


@dataclass(frozen=True)
class Tuned:
    """A layer with integers for weights."""

    rounded: Rounded
    bias: Vector
    """What is to be added to the sums, (rows,); 0 where means were not taken off."""
    error: Vector
    """Mean squared error of each row on the calibration data, with the bias."""


def refit(moments: Moments, weights: Matrix) -> Matrix:
    """The real weights, (rows, active), that make the wanted sums, as near to `weights` as the damping keeps them."""
    return weights + moments.feedback.solved(moments.cross - weights @ moments.hessian)


def tune(moments: Moments, weights: Matrix, bits: int, scale: Vector | None = None) -> Tuned:
    """The weights of a layer, (rows, features), as integers of `bits` bits that make the wanted sums of its inputs.

    Each row takes the best, on the calibration data, of rounding to nearest with a clipped scale and of error feedback
    after regression, so that no row is worse than rounded to nearest. `scale` gives the scales where they are shared
    with others.
    """
    some, used = moments.active, weights[:, moments.active]
    importance = np.zeros(weights.shape[1])
    importance[some] = np.diagonal(moments.hessian)
    own = clipped_scales(weights, bits, importance if len(some) else None) if scale is None else scale
    integers, scales = rounded(used, own, bits).integers, own.copy()
    error = moments.error(Rounded(integers, scales))
    for candidate, found in _candidates(moments, used, bits, scale) if len(some) else ():
        better = np.flatnonzero(found < error)
        integers[better], scales[better], error[better] = (
            candidate.integers[better],
            candidate.scale[better],
            found[better],
        )
    # what does nothing on the calibration data keeps its weight, on the grid of its row
    every = rounded(weights, scales, bits)
    every.integers[:, some] = integers
    return Tuned(every, moments.output_mean - every.weights @ moments.input_mean, error)


def _candidates(moments: Moments, weights: Matrix, bits: int, scale: Vector | None) -> Iterator[tuple[Rounded, Vector]]:
    """The weights after regression, rounded with error feedback, with one scale or several; and their errors."""
    feedback, fitted = moments.feedback, refit(moments, weights)
    if scale is not None:
        found = feedback.rounded(fitted, scale, bits)
        yield found, moments.error(found)
        return
    own = clipped_scales(fitted, bits, np.diagonal(moments.hessian))
    factors = SEARCHED if bits <= SEARCH_BITS else (1.0,)
    # all at once: the loop over features is the same for any number of rows
    stacked = feedback.rounded(np.tile(fitted, (len(factors), 1)), np.outer(factors, own).ravel(), bits)
    parts = zip(*(np.split(each, len(factors)) for each in (stacked.integers, stacked.scale)), strict=True)
    yield from (moments.rescaled(Rounded(integers, scales)) for integers, scales in parts)
