"""Single synapses, each with its own weight and delay."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snnir.sim.costs import rows_are_cheaper
from snnir.sim.events import nonzeros, ranges
from snnir.sim.operators import Array, Operator, Reals, units_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Integers = NDArray[np.int64]


class Sparse(Operator):
    """Synapse n leads from neuron `origins[n]` to neuron `ends[n]` with `weights[n]`, `delays[n]` steps late.

    A target adds what arrives in order of emission: older values first, in a step by ascending source, and synapses of
    one source in the order of the list. Synapses between the same two neurons count each for itself.
    """

    def __init__(
        self, weights: Array, origins: Integers, ends: Integers, delays: Integers | None, shape: tuple[int, int]
    ) -> None:
        self.targets, self.sources = shape
        self._weights, self.origins, self.ends = weights, origins, ends
        self.delays = np.zeros(len(weights), np.int64) if delays is None else delays
        self.least = int(self.delays.min(initial=np.iinfo(np.int64).max)) if len(weights) else 0
        self.span = int(self.delays.max()) - self.least if len(weights) else 0
        order = np.argsort(origins, kind="stable")
        self._order = order
        self._ends, self._late = ends[order], self.delays[order] - self.least
        self._values = weights[order].astype(np.float64)
        self._counts = np.bincount(origins, minlength=self.sources)
        self._starts = np.cumsum(self._counts) - self._counts

    @property
    def weights(self) -> Array:
        return self._weights

    @property
    def weighted(self) -> bool:
        return True

    def reweighted(self, weights: Array) -> "Sparse":
        return Sparse(weights, self.origins, self.ends, self.delays, (self.targets, self.sources))

    def per_weight(self, per_target: "float | Reals") -> Array:
        return np.asarray(per_target)[self.ends] if np.ndim(per_target) else np.asarray(per_target)

    def apply(self, window: Array, most: int | None) -> Reals:
        if not self.span:
            rows = window.reshape(-1, self.sources)
            additions = int(np.count_nonzero(rows, axis=0) @ self._counts)
            if rows_are_cheaper(len(rows) * len(self._weights), additions):
                return self.by_rows(rows).reshape(*window.shape[:2], self.targets)
        return self.by_events(window)

    def by_rows(self, rows: Array) -> Reals:
        """All weights times all rows (rows, sources), without delays."""
        return np.ascontiguousarray(np.asarray(self._by_target @ np.ascontiguousarray(rows.T, np.float64)).T)

    def by_events(self, window: Array) -> Reals:
        """Each value times the weights of its synapses."""
        steps, samples = len(window) - self.span, window.shape[1]
        events = nonzeros(window.reshape(-1, self.sources))
        synapses, owners = ranges(self._starts[events.columns], self._counts[events.columns])
        values = self._values[synapses] * events.values[owners]
        row = events.rows[owners]
        if self.span:
            row = row + (self._late[synapses] - self.span) * samples
            kept = (row >= 0) & (row < steps * samples)
            synapses, values, row = synapses[kept], values[kept], row[kept]
        places = row * self.targets + self._ends[synapses]
        result: Reals = np.bincount(places, values, steps * samples * self.targets)  # pyright: ignore[reportAssignmentType]
        return result.reshape(steps, samples, self.targets)

    def synapses(self, sources: Integers, values: Reals) -> tuple[Integers, Integers, Reals]:
        """Delay, target and current of each synapse of sources that emit `values`, source by source."""
        synapses, owners = ranges(self._starts[sources], self._counts[sources])
        return self._late[synapses] + self.least, self._ends[synapses], self._values[synapses] * values[owners]

    @cached_property
    def _by_target(self) -> "csr_array[Any, Any]":
        """(targets, sources): each row by ascending source, as `apply` adds."""
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        order = np.argsort(self._ends, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(self._ends, minlength=self.targets))])
        columns = self.origins[self._order][order]
        return csr_array((self._values[order], columns, starts), shape=(self.targets, self.sources))

    def bounds(self) -> tuple[Reals, Reals]:
        magnitudes = np.abs(self._weights.astype(np.float64))
        sums: Reals = np.bincount(self.ends, magnitudes, self.targets)  # pyright: ignore[reportAssignmentType]
        units = np.full(self.targets, np.inf)
        np.minimum.at(units, self.ends, units_of(self._weights, magnitudes[:, None]))
        return sums, units
