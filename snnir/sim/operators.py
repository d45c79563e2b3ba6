"""What a projection does to a signal: dense, one-to-one, and the operators without weights.

Every operator maps a window of a signal, (steps, samples, sources), to (steps, samples, targets). There are two ways to
add: a matrix product, and one weight after the other for the sources that are not silent. Where every sum is exact in
float64 (`Operator.limit`) both give the same bits, and the faster is taken (`costs`). Where sums round, only the second
way is used, because its order is defined: ascending numbers of the sources, one after the other, starting from 0. So
the result never depends on the number of samples, on chunks, or on the library that multiplies.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.sim.costs import dense_is_cheaper
from snnir.sim.events import Matrix, nonzeros

Array = NDArray[Any]
Reals = NDArray[np.float64]

EXACT_BITS = 53
"""Integers up to 2**53 add exactly in float64."""
BLAS_PIECE = 1 << 18
"""Products of more multiplications than this are computed in pieces of it."""
KEPT_ELEMENTS = 1 << 25
"""Weights of up to this many elements are kept transposed in float64; of larger ones only active rows are taken."""


class Operator(ABC):
    """A map from one signal to another. Arrays in and out have the neurons in their last dimension."""

    sources: int
    targets: int
    least: int = 0
    """Steps by which every value is late."""
    span: int = 0
    """Further steps by which the slowest value is late."""

    @property
    def weights(self) -> Array:
        """The weights as they are stored; the number 1 for an operator that has none."""
        return np.ones(1)

    @property
    def weighted(self) -> bool:
        """Whether it has weights."""
        return False

    def reweighted(self, weights: Array) -> "Operator":
        """The same connections with other weights of the same shape."""
        raise TypeError(f"{type(self).__name__} has no weights, so not {weights.shape} of them")

    def per_weight(self, per_target: "float | Reals") -> Array:
        """What is stated per target, in a shape that multiplies the weights."""
        return np.asarray(per_target)

    @abstractmethod
    def apply(self, window: Array, most: int | None) -> Array:
        """The result for the last `len(window) - span` steps of a window, a new array.

        `window` is (steps, samples, sources) of spikes, counts or reals; `most` the largest value in it where all are
        whole multiples of one unit, in that unit, else `None`. The result is float64, or whole numbers in an integer
        type where the source is whole and the operator has no weights.
        """

    def bounds(self) -> tuple[Reals, Reals]:
        """Per target: the sum of |weights|, and a number of which all its weights are multiples (0: there is none)."""
        return np.ones(self.targets), np.ones(self.targets)

    @cached_property
    def limit(self) -> float:
        """Sums are exact, in any order, for sources whose `most` is below this."""
        sums, units = self.bounds()
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.where(sums > 0, units * 2.0**EXACT_BITS / sums, np.inf).min(initial=np.inf))

    def exact(self, most: int | None) -> bool:
        """Whether all sums are exact for such a source."""
        return most is not None and most < self.limit

    def reach(self, most: int | None) -> int | None:
        """`most` of the result."""
        del most
        return None

    def whole(self) -> bool:
        """Whether whole numbers become whole numbers."""
        return False


def units_of(weights: Array, magnitudes: Reals) -> Reals:
    """Per row, a number of which all weights are multiples: 1 for integers, else the last place of the smallest."""
    if weights.dtype.kind != "f":
        return np.ones(len(magnitudes))
    single = weights.dtype == np.float32 or bool((magnitudes == magnitudes.astype(np.float32)).all())
    smallest = np.where(magnitudes > 0, magnitudes, np.inf).min(axis=1, initial=np.inf)
    exponents = np.frexp(np.where(np.isinf(smallest), 1.0, smallest))[1]
    return np.ldexp(1.0, exponents - (24 if single else EXACT_BITS))


def row_bounds(weights: Array) -> tuple[Reals, Reals]:
    """`Operator.bounds` of weights with a row per target."""
    magnitudes = np.abs(weights.astype(np.float64))
    return magnitudes.sum(axis=1), units_of(weights, magnitudes)


class Dense(Operator):
    """All-to-all: weights (targets, sources). `repeat` > 1: the same weights for as many equal parts of the signal."""

    def __init__(self, weights: Array, repeat: int = 1) -> None:
        self._weights, self.repeat = weights, repeat
        self._out, self._in = weights.shape
        self.targets, self.sources = self._out * repeat, self._in * repeat

    @property
    def weights(self) -> Array:
        return self._weights

    @property
    def weighted(self) -> bool:
        return True

    def reweighted(self, weights: Array) -> "Dense":
        return Dense(weights, self.repeat)

    def per_weight(self, per_target: "float | Reals") -> Array:
        return np.asarray(per_target)[: self._out, None] if np.ndim(per_target) else np.asarray(per_target)

    @cached_property
    def _transposed(self) -> Reals:
        return np.ascontiguousarray(self._weights.T, np.float64)

    def apply(self, window: Array, most: int | None) -> Reals:
        steps, samples = window.shape[:2]
        rows = window.reshape(steps * samples * self.repeat, self._in)
        kept = self._weights.size <= KEPT_ELEMENTS
        if kept and self.exact(most) and dense_is_cheaper(rows.size, np.count_nonzero(rows) * self._out, self._out):
            result = self._product(rows.astype(np.float64))
        elif kept:
            result = nonzeros(rows).times(self._transposed)
        else:
            result = self._active(nonzeros(rows))
        return result.reshape(steps, samples, self.targets)

    def _product(self, rows: Reals) -> Reals:
        """The product with all weights, in pieces so small that BLAS does not wake its threads for them: they cost more
        than they save here, and samples are computed in parallel anyway."""
        result = np.empty((len(rows), self._out))
        piece = max(1, BLAS_PIECE // (self._in * self._out))
        whole = len(rows) // piece * piece
        pieces = (-1, piece, self._in)
        np.matmul(rows[:whole].reshape(pieces), self._transposed, out=result[:whole].reshape(-1, piece, self._out))
        np.matmul(rows[whole:], self._transposed, out=result[whole:])
        return result

    def _active(self, events: Matrix) -> Reals:
        """The product with the weights of those sources alone that are not silent, for some targets at a time."""
        active = np.unique(events.columns)
        chosen = events.choose(active)
        result = np.zeros((events.shape[0], self._out))
        width = max(1, KEPT_ELEMENTS // max(1, len(active)))
        for start in range(0, self._out if len(active) else 0, width):
            part = self._weights[start : start + width, active]
            result[:, start : start + width] = chosen.times(np.ascontiguousarray(part.T, np.float64))
        return result

    def bounds(self) -> tuple[Reals, Reals]:
        parts = [row_bounds(self._weights[n : n + 1024]) for n in range(0, self._out, 1024)]
        sums, units = (np.concatenate(each) for each in zip(*parts, strict=True))
        return np.tile(sums, self.repeat), np.tile(units, self.repeat)


class OneToOne(Operator):
    """Target n reads source n: one weight for all, or (targets,)."""

    def __init__(self, weights: Array, size: int) -> None:
        self._weights = weights
        self.sources = self.targets = size
        self._factors = weights.astype(np.float64).ravel()

    @property
    def weights(self) -> Array:
        return np.broadcast_to(self._weights.ravel(), (self.targets,))

    @property
    def weighted(self) -> bool:
        return True

    def reweighted(self, weights: Array) -> "OneToOne":
        return OneToOne(weights, self.targets)

    def apply(self, window: Array, most: int | None) -> Reals:
        return np.multiply(window, self._factors, dtype=np.float64)

    def bounds(self) -> tuple[Reals, Reals]:
        return row_bounds(self.weights.reshape(-1, 1))


class Identity(Operator):
    """The signal itself, as a current."""

    def __init__(self, size: int) -> None:
        self.sources = self.targets = size

    def apply(self, window: Array, most: int | None) -> Array:
        return np.array(window)

    def reach(self, most: int | None) -> int | None:
        return most

    def whole(self) -> bool:
        return True


class Shift(Identity):
    """Each neuron late by a number of steps of its own, (size,)."""

    def __init__(self, delays: NDArray[np.int64]) -> None:
        super().__init__(len(delays))
        self.delays = delays
        self.least = int(delays.min())
        self.span = int(delays.max()) - self.least
        self._groups = [(int(d) - self.least, np.flatnonzero(delays == d)) for d in np.unique(delays)]

    def apply(self, window: Array, most: int | None) -> Array:
        steps = len(window) - self.span
        result = np.empty((steps, *window.shape[1:]), window.dtype)
        for late, neurons in self._groups:
            start = self.span - late
            result[..., neurons] = window[start : start + steps][..., neurons]
        return result
