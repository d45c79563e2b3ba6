"""Ordered index sets as runs `start:stop:step`: small for a million neurons in a row, exact for any selection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Run = tuple[int, int, int]
LIMIT = 1 << 31
"""No index is as large as this."""


@dataclass(frozen=True)
class Indices:
    """Distinct non-negative integers in a given order, held as runs `(start, stop, step)` in canonical form.

    Canonical form is what `of` finds, so equal selections in equal order are equal objects.
    """

    runs: tuple[Run, ...]

    @staticmethod
    def span(start: int, stop: int) -> "Indices":
        """`start, start + 1, ..., stop - 1`."""
        return Indices(((start, stop, 1),) if stop > start else ())

    @staticmethod
    def of(values: Iterable[int] | NDArray[np.int64]) -> "Indices":
        """The index set of the given integers, in their order. Raises `ValueError` on negative or repeated ones."""
        array = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.int64)
        if array.size and (array.min() < 0 or np.unique(array).size != array.size):
            raise ValueError("an index set holds distinct, non-negative integers")
        return Indices(tuple(_runs_of(array)))

    @staticmethod
    def of_runs(runs: Sequence[Run]) -> "Indices":
        """The canonical index set of any runs. Raises `ValueError` when a run is empty, negative or repeats."""
        for start, stop, step in runs:
            if start < 0 or step < 1 or stop <= start:
                raise ValueError(f"{start}:{stop}:{step} is not a run (need 0 <= start < stop, step >= 1)")
            if stop > LIMIT:
                raise ValueError(f"{start}:{stop}:{step} goes beyond {LIMIT}, the largest index set")
        if len(runs) == 1 and (runs[0][2] == 1 or runs[0][0] + 2 * runs[0][2] < runs[0][1]):
            start, stop, step = runs[0]
            return Indices(((start, start + (stop - 1 - start) // step * step + 1, step),))
        if sum(-(-(stop - start) // step) for start, stop, step in runs) > LIMIT:
            raise ValueError("an index set holds distinct, non-negative integers")
        return Indices.of(np.concatenate([np.arange(*run) for run in runs]) if runs else [])

    @cached_property
    def array(self) -> NDArray[np.int64]:
        """The integers, in order, shape `(len,)`."""
        if not self.runs:
            return np.empty(0, np.int64)
        return np.concatenate([np.arange(*run, dtype=np.int64) for run in self.runs])

    @property
    def is_span(self) -> bool:
        """Whether the set is one run of step 1."""
        return len(self.runs) == 1 and self.runs[0][2] == 1

    @property
    def stop(self) -> int:
        """One more than the largest index; 0 for the empty set."""
        return max((start + (stop - 1 - start) // step * step + 1 for start, stop, step in self.runs), default=0)

    def __len__(self) -> int:
        return sum(-(-(stop - start) // step) for start, stop, step in self.runs)

    def __str__(self) -> str:
        return f"[{', '.join(_run_text(run) for run in self.runs)}]"


def _run_text(run: Run) -> str:
    start, stop, step = run
    if stop == start + 1:
        return str(start)
    return f"{start}:{stop}" if step == 1 else f"{start}:{stop}:{step}"


def _runs_of(array: NDArray[np.int64]) -> Iterable[Run]:
    """Greedy runs from the left: each as long as it can be; two elements make a run only when they are neighbours."""
    position, count = 0, array.size
    steps = np.diff(array)
    changes = np.flatnonzero(np.diff(steps)) + 1
    while position < count:
        first = int(array[position])
        step = int(steps[position]) if position < count - 1 else 0
        end = position + 1
        if step > 0:
            following = changes[np.searchsorted(changes, position, side="right") :]
            end = int(following[0]) + 1 if following.size else count
        length = end - position
        if length > 2 or (length == 2 and step == 1):
            yield first, first + (length - 1) * step + 1, step
            position = end
        else:
            yield first, first + 1, 1
            position += 1
