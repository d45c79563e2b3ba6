"""Ordered index sets as runs `start:stop:step`: small for a million neurons in a row, exact for any selection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat

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
        steps = np.diff(array)
        ascending = not steps.size or steps.min() > 0
        if array.size and ((array[0] if ascending else array.min()) < 0):
            raise ValueError("an index set holds distinct, non-negative integers")
        if not ascending and np.unique(array).size != array.size:
            raise ValueError("an index set holds distinct, non-negative integers")
        return Indices(tuple(_runs_of(array, steps)))

    @staticmethod
    def of_spans(starts: Sequence[int], stops: Sequence[int]) -> "Indices | None":
        """`[starts[0]:stops[0], ...]` where these ascend with gaps and have two elements or more; else `None`.

        `of_runs` without looking twice: it is for the most frequent sets, of which text has hundreds of thousands.
        """
        before = -1
        for start, stop in zip(starts, stops, strict=True):
            if start <= before or stop < start + 2:
                return None
            before = stop
        return Indices(tuple(zip(starts, stops, repeat(1)))) if before <= LIMIT else None

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
        if _ascending_and_canonical(runs):
            return Indices(tuple(runs))
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
        return max([start + (stop - 1 - start) // step * step + 1 for start, stop, step in self.runs], default=0)

    def covers(self, other: "Indices") -> bool:
        """Whether all indices of the other set are in this one."""
        position, runs = 0, self.runs
        for run in other.runs:
            # where both ascend, the first run here that does not end too early is the one to look at
            while position < len(runs) and runs[position][1] < run[1]:
                position += 1
            if (
                position == len(runs)
                or runs[position][0] > run[0]
                or (runs[position][2] != 1 and runs[position] != run)
            ):
                return bool(np.isin(other.array, self.array).all())
        return True

    def __len__(self) -> int:
        known = self.__dict__
        if "_count" not in known:
            # as `cached_property` does it, without its lock
            known["_count"] = sum([-(-(stop - start) // step) for start, stop, step in self.runs])
        return known["_count"]

    def __str__(self) -> str:
        texts = [f"{a}:{b}" if step == 1 and b > a + 1 else _run_text(a, b, step) for a, b, step in self.runs]
        return f"[{', '.join(texts)}]"


def flattened(sets: Sequence[Indices]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The integers of many sets, one set after the other, and how many each set has."""
    runs = np.fromiter(chain.from_iterable(chain.from_iterable([each.runs for each in sets])), np.int64).reshape(-1, 3)
    start, stop, step = runs.T
    counts = -((start - stop) // step)
    ends = np.cumsum(counts)
    numbers = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    if (step != 1).any():
        numbers *= np.repeat(step, counts)
    numbers += np.repeat(start, counts)
    # where each set ends among the runs, and so among the integers
    of_sets = np.append(0, ends)[np.cumsum([0, *[len(each.runs) for each in sets]])]
    return numbers, np.diff(of_sets)


def _run_text(start: int, stop: int, step: int) -> str:
    if stop == start + 1:
        return str(start)
    return f"{start}:{stop}" if step == 1 else f"{start}:{stop}:{step}"


def _ascending_and_canonical(runs: Sequence[Run]) -> bool:
    """Whether the runs are those that `of` finds and their elements ascend: true of most text, and quick to see."""
    last, barred, after_single = -1, 0, False
    for start, stop, step in runs:
        gap = start - last
        if gap <= 0 or gap == barred or (after_single and gap == 1):
            return False
        if stop == start + 1:
            # a third element at the same distance would make a run of this single one and the one before
            last, barred, after_single = start, gap if after_single else 0, True
            if step != 1:
                return False
            continue
        span = stop - 1 - start
        if (step > 1 and (span % step or span < 2 * step)) or (after_single and gap == step):
            return False
        last, barred, after_single = stop - 1, step, False
    return True


def _runs_of(array: NDArray[np.int64], steps: NDArray[np.int64]) -> Iterable[Run]:
    """Greedy runs from the left: each as long as it can be; two elements make a run only when they are neighbours."""
    position, count = 0, array.size
    ends: list[int] = [*(np.flatnonzero(steps[1:] != steps[:-1]) + 2).tolist(), count]
    """One more than the last element of each stretch of equal steps."""
    stretch = 0
    value, difference = array.item, steps.item
    while position < count:
        first = value(position)
        step = difference(position) if position < count - 1 else 0
        end = position + 1
        if step > 0:
            while ends[stretch] <= position + 1:
                stretch += 1
            end = ends[stretch]
        length = end - position
        if length > 2 or (length == 2 and step == 1):
            yield first, first + (length - 1) * step + 1, step
            position = end
        else:
            yield first, first + 1, 1
            position += 1
