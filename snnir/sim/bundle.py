"""Bundles of delayed synapses: one matrix for each delay level."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snnir.sim.costs import dense_is_cheaper
from snnir.sim.events import nonzeros
from snnir.sim.operators import Array, Operator, Reals, row_bounds

Integers = NDArray[np.int64]


class Bundle(Operator):
    """Weights (levels, targets, sources); level k is k * `stride` steps late.

    A target adds what arrives in order of emission, older values first, and in a step by ascending source: the order of
    `snnir.sim.sparse.Sparse`. A weight of 0 is no synapse.
    """

    def __init__(self, weights: Array, stride: int) -> None:
        self._weights, self.stride = weights, stride
        levels, self.targets, self.sources = weights.shape
        used = np.flatnonzero(weights.any(axis=(1, 2)))
        first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
        self.least, self.span = first * stride, (last - first) * stride
        self._levels = range(last, first - 1, -1) if levels else range(0)

    @property
    def weights(self) -> Array:
        return self._weights

    @property
    def weighted(self) -> bool:
        return True

    def reweighted(self, weights: Array) -> "Bundle":
        return Bundle(weights, self.stride)

    def per_weight(self, per_target: "float | Reals") -> Array:
        return np.asarray(per_target)[:, None] if np.ndim(per_target) else np.asarray(per_target)

    @cached_property
    def _matrix(self) -> Reals:
        """(levels * sources, targets), the slowest level first: rows in the order in which they are added."""
        chosen = self._weights[list(self._levels)].astype(np.float64)
        return np.ascontiguousarray(chosen.transpose(0, 2, 1).reshape(-1, self.targets))

    def apply(self, window: Array, most: int | None) -> Reals:
        steps, samples = len(window) - self.span, window.shape[1]
        result = np.zeros((steps, samples, self.targets))
        if steps <= 0 or not result.size:
            return result
        late = [window[start : start + steps] for start in range(0, self.span + 1, self.stride)]
        rows = np.concatenate(late, axis=2).reshape(steps * samples, -1)
        additions = int(np.count_nonzero(rows)) * self.targets
        if self.exact(most) and dense_is_cheaper(rows.size, additions, self.targets):
            return (rows.astype(np.float64) @ self._matrix).reshape(result.shape)
        return nonzeros(rows).times(self._matrix).reshape(result.shape)

    def synapses(self, sources: Integers, values: Reals) -> tuple[Integers, Integers, Reals]:
        """Delay, target and current of each synapse of sources that emit `values`, source by source."""
        weights = self._weights[:, :, sources].transpose(2, 0, 1)
        places = np.nonzero(weights)
        currents = weights[places].astype(np.float64) * values[places[0]]
        return places[1] * self.stride, places[2], currents

    def bounds(self) -> tuple[Reals, Reals]:
        return row_bounds(self._weights.transpose(1, 0, 2).reshape(self.targets, -1))
