"""Small things that numpy has no name for."""

from itertools import pairwise

import numpy as np

from snnir.partition.placement.problem import IntArray


def ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """`starts[0], starts[0] + 1, ...` of `lengths[0]` numbers, then those of `starts[1]`, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - ends + lengths, lengths)


def group(keys: IntArray, count: int, values: IntArray) -> tuple[IntArray, IntArray]:
    """`values` in order of their keys (0 to count - 1), stably, and where those of each key start: (count + 1,)."""
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=count), out=starts[1:])
    return starts, values[np.argsort(keys, kind="stable")]


CHUNK = 1 << 17
"""Elements that are looked at together: what fits in the caches."""


def chunks(work: IntArray) -> list[slice]:
    """Slices of consecutive items with about `CHUNK` of `work` each, (items,) positive numbers."""
    total = np.cumsum(work)
    cuts = np.searchsorted(total, np.arange(CHUNK, int(total[-1]) + 1 if len(total) else 0, CHUNK), "right")
    bounds = sorted({0, *cuts.tolist(), len(work)})
    return [slice(first, last) for first, last in pairwise(bounds)]
