"""Spikes as lists: what is not silent in an array, and recordings that are too long for one.

A `Matrix` is the non-zero part of (rows, columns) in row order, a row being one step of one sample. `Events` is a whole
recording.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Reals = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Matrix:
    """The values of a matrix that are not 0, row by row, in each row by ascending column."""

    shape: tuple[int, int]
    rows: Integers
    columns: Integers
    values: Reals

    def times(self, weights: Reals) -> Reals:
        """`self @ weights` for weights (columns, targets): (rows, targets).

        The weights of a row's columns are added one after the other, in their order, to 0.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        starts = np.searchsorted(self.rows, np.arange(self.shape[0] + 1))
        matrix = csr_array((self.values, self.columns, starts), shape=self.shape)
        return np.asarray(matrix @ weights)

    def choose(self, columns: Integers) -> "Matrix":
        """The part in the given (sorted) columns, which get the numbers 0, 1, ..."""
        place = np.searchsorted(columns, self.columns)
        return Matrix((self.shape[0], len(columns)), self.rows, place, self.values)


def nonzeros(rows: Array) -> Matrix:
    """What is not 0 in an array of two dimensions."""
    width = max(1, rows.shape[1])
    flat = np.ascontiguousarray(rows).reshape(-1)
    places = np.flatnonzero(flat != 0)
    row = places // width
    return Matrix((rows.shape[0], rows.shape[1]), row, places - row * width, flat[places].astype(np.float64))


def ranges(starts: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """For each n the numbers `starts[n], ..., starts[n] + counts[n] - 1`, one after the other, and n for each."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    owners = np.repeat(np.arange(len(counts)), counts)
    return np.arange(total) + (starts - ends + counts)[owners], owners


@dataclass(frozen=True, eq=False)
class Events:
    """A recording as a list of what is not 0: (samples, steps, size), sorted by sample, step and index.

    Make one with `Events.of`.
    """

    shape: tuple[int, int, int]
    """Samples, steps, neurons."""
    sample: Integers
    step: Integers
    index: Integers
    value: Array
    """What each entry is: 1 for a spike, a count, or a real number."""
    stated: bool = True
    """Whether the number of neurons is known; else it is one more than the largest index, and there may be more."""

    @staticmethod
    def of(
        shape: tuple[int, int, int], sample: Array, step: Array, index: Array, value: Array | None = None
    ) -> "Events":
        """A recording of the given entries; spikes where no values are given; values of one place are added.

        Raises `ValueError` in words for entries outside the shape.
        """
        columns = [np.asarray(a).astype(np.int64).ravel() for a in (sample, step, index)]
        values = np.ones(len(columns[0]), np.uint8) if value is None else np.asarray(value).ravel()
        if len({len(a) for a in (*columns, values)}) > 1:
            raise ValueError(f"samples, steps and indices differ in length: {', '.join(str(len(a)) for a in columns)}")
        for name, array, size in zip(("sample", "step", "index"), columns, shape, strict=True):
            if array.size and (array.min() < 0 or array.max() >= size):
                wrong = array[(array < 0) | (array >= size)][0]
                raise ValueError(f"{name} {wrong} is not in 0 to {size - 1}")
        return _sorted(shape, columns, values)

    @staticmethod
    def from_array(array: Array) -> "Events":
        """The entries of an array (samples, steps, neurons) that are not 0."""
        flat = array.reshape(*array.shape[:2], -1)
        sample, step, index = np.nonzero(flat)
        return Events((flat.shape[0], flat.shape[1], flat.shape[2]), sample, step, index, flat[sample, step, index])

    @cached_property
    def _keys(self) -> Integers:
        return self.sample * self.shape[1] + self.step

    def first(self, samples: int) -> "Events":
        """The first `samples` samples."""
        kept = slice(0, int(np.searchsorted(self.sample, samples)))
        shape = (min(samples, self.shape[0]), *self.shape[1:])
        return Events(shape, self.sample[kept], self.step[kept], self.index[kept], self.value[kept])

    def block(self, samples: range, steps: range, dtype: Any) -> Array:
        """A part as an array (steps, samples, neurons)."""
        result = np.zeros((len(steps), len(samples), self.shape[2]), dtype)
        for place, sample in enumerate(samples):
            ends = np.searchsorted(self._keys, [sample * self.shape[1] + t for t in (steps.start, steps.stop)])
            part = slice(int(ends[0]), int(ends[1]))
            result[self.step[part] - steps.start, place, self.index[part]] = self.value[part]
        return result

    def array(self) -> Array:
        """The whole recording, (samples, steps, neurons), in the type of the values."""
        result = np.zeros(self.shape, self.value.dtype)
        result[self.sample, self.step, self.index] = self.value
        return result


Data = Array | Events
"""What an input brings: (samples, steps, lines...), or a list of events."""


def _sorted(shape: tuple[int, int, int], columns: list[Integers], values: Array) -> Events:
    sample, step, index = columns
    key = (sample * shape[1] + step) * shape[2] + index
    order = np.argsort(key, kind="stable")
    key, values = key[order], values[order]
    first = np.flatnonzero(np.diff(key, prepend=-1) != 0)
    if len(first) < len(key):
        total = np.add.reduceat(values.astype(np.float64), first) if len(first) else values
        counts = values.dtype.kind in "biu"
        values = total.astype(np.uint8) if counts and total.max() < 256 else total.astype(np.int64) if counts else total
        order = order[first]
    return Events(shape, sample[order], step[order], index[order], values)
