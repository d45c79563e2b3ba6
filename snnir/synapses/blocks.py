"""Many blocks of sources and targets at a time: what all slices of a population read, in a few flat arrays.

A slice has about a hundred neurons, and a call of numpy takes longer than it takes to add up a hundred numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Marks = NDArray[np.uint64]
"""One number per neuron, added modulo 2**64."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Some sources and some targets in each block, numbered from 0. Within a block each is there once."""

    sources: IntArray
    source_blocks: IntArray
    """The block of each of the sources."""
    targets: IntArray
    target_blocks: IntArray
    """The block of each of the targets."""

    @staticmethod
    def one(sources: IntArray, targets: IntArray) -> "Blocks":
        """A single block."""
        return Blocks(sources, np.zeros_like(sources), targets, np.zeros_like(targets))


class Gathering:
    """Sums of marks by a key, and which keys have been asked for."""

    def __init__(self, keys: IntArray, marks: Marks) -> None:
        """`keys`, 0 or more, and `marks` have one entry for each source; several sources may have one key."""
        self._keys, self._number = numbered(keys)
        # one more entry, for keys that there are not
        self._sums = np.zeros(len(self._keys) + 1, np.uint64)
        np.add.at(self._sums, self._number, marks)
        self._asked = np.zeros(len(self._sums), np.bool_)

    def take(self, wanted: IntArray) -> Marks:
        """For each key, the sum of the marks of the sources that have it: 0 where none has."""
        places = located(self._keys, wanted)
        self._asked[places] = True
        return self._sums[places]

    @property
    def read(self) -> BoolArray:
        """Whether the key of each source has been asked for."""
        return self._asked[self._number]


def numbered(keys: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct keys, ascending, and the position of each key among them."""
    if (keys[1:] < keys[:-1]).any():
        return np.unique(keys, return_inverse=True)
    first = np.diff(keys, prepend=-1) > 0
    return keys[first], np.cumsum(first) - 1


def located(keys: IntArray, wanted: IntArray) -> IntArray:
    """The position of each wanted number among ascending, distinct keys from 0 on; `len(keys)` where it is none."""
    places = np.searchsorted(keys, wanted)
    return np.where(np.append(keys, -1)[places] == wanted, places, len(keys))


def chunks(counts: IntArray, most: int) -> Iterator[slice]:
    """Ranges of elements, in order, whose counts add up to about `most` (or that are single)."""
    chunk = np.cumsum(counts) // most
    for start, stop in pairwise([0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), len(counts)]):
        yield slice(start, stop)
