"""Neighbouring homes whose synapses are shared out together: axons that several of them read take one row for all.

Four neighbouring places of a plane, 64 channels each, do not fit a crossbar of 128 columns, but any two of them do. Of
the axons, some are read by all four places, some by two, some by one; on each crossbar other places may lie beside each
other, wherever the axons of its rows are read. Greedy: the next crossbar is the one that covers most synapses per cost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from snnir.partition.covers import Pattern, Slab
from snnir.synapses import IntArray

Cost = Callable[[int, int], float]
"""Of a piece with so many rows and columns."""


@dataclass(frozen=True)
class Classes:
    """Axons by the homes that read them."""

    readers: tuple[int, ...]
    """Of each class, a bit for each home."""
    axons: tuple[IntArray, ...]
    """Of each class, ascending."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of axons of each class."""
        return tuple(len(each) for each in self.axons)


def classes_of(axons: Sequence[IntArray], bits: Sequence[int]) -> Classes:
    """The classes of axons, from those that some homes read (`axons[n]` are read by the homes `bits[n]`)."""
    everything = np.concatenate(axons)
    masks = np.repeat(np.array(bits, np.int64), [len(each) for each in axons])
    order = np.argsort(everything, kind="stable")
    everything, masks = everything[order], masks[order]
    first = np.flatnonzero(np.diff(everything, prepend=-1))
    readers, numbers = np.bitwise_or.reduceat(masks, first), everything[first]
    kinds = np.unique(readers)
    return Classes(tuple(kinds.tolist()), tuple(numbers[readers == kind] for kind in kinds))


@dataclass
class _Rows:
    """Axons of a class that some homes still wait for."""

    group: int
    start: int
    stop: int
    waiting: int


@dataclass
class _Choice:
    """A crossbar to be: what it covers for its cost, and how many axons it takes of which rows."""

    value: float = 0.0
    covered: int = 0
    columns: int = 0
    taken: list[tuple[_Rows, int]] = field(default_factory=list[tuple[_Rows, int]])


class Family:
    """Homes of equal width, in the order of their bits."""

    def __init__(self, homes: int, width: int, rows: int, together: int, cost: Cost) -> None:
        """`together`: how many homes may lie on one crossbar."""
        self._homes, self._width, self._rows, self._together = homes, width, rows, together
        self._cost = cache(cost)

    def pattern(self, readers: Sequence[int], sizes: Sequence[int], orders: Sequence[Sequence[int]]) -> Pattern:
        """How classes (`readers`: bits of homes) of some sizes are cut; homes that come together in one of the
        `orders` may lie on one crossbar."""
        waiting = [_Rows(n, 0, size, mask) for n, (mask, size) in enumerate(zip(readers, sizes, strict=True)) if size]
        pieces: list[tuple[Slab, ...]] = []
        while waiting:
            masks = {rows.waiting for rows in waiting}
            together = sorted({part for mask in masks for order in orders for part in self._parts(mask, order)})
            best = max((self._choice(waiting, mask) for mask in together), key=lambda each: (each.value, each.covered))
            pieces.append(self._take(waiting, best))
            waiting = [rows for rows in waiting if rows.waiting and rows.stop > rows.start]
        alone = set(range(self._homes)) - {home for slabs in pieces for slab in slabs for home in slab.homes}
        pieces += [(Slab(0, 0, 0, (home,)),) for home in sorted(alone)]
        return Pattern((self._width,) * self._homes, tuple(pieces))

    def _parts(self, mask: int, order: Sequence[int]) -> list[int]:
        """Homes of a mask, as many as fill a crossbar, from the first on."""
        most = self._together
        found = [home for home in order if mask >> home & 1]
        return [sum(1 << home for home in found[start : start + most]) for start in range(0, len(found), most)]

    def _choice(self, waiting: Sequence[_Rows], mask: int) -> _Choice:
        """The best crossbar with no other homes than those of a mask."""

        def rank(rows: _Rows) -> tuple[int, int]:
            return -(rows.waiting & mask).bit_count(), (rows.waiting & ~mask).bit_count()

        best, covered, used, homes = _Choice(), 0, 0, 0
        taken: list[tuple[_Rows, int]] = []
        for rows in sorted((rows for rows in waiting if rows.waiting & mask), key=rank):
            count = min(rows.stop - rows.start, self._rows - used)
            used += count
            homes |= rows.waiting & mask
            covered += count * (rows.waiting & mask).bit_count() * self._width
            taken.append((rows, count))
            columns = homes.bit_count() * self._width
            value = covered / self._cost(used, columns)
            if value > best.value + 1e-9:
                best = _Choice(value, covered, mask, list(taken))
            if used == self._rows:
                break
        return best

    @staticmethod
    def _take(waiting: list[_Rows], choice: _Choice) -> tuple[Slab, ...]:
        """Cover the synapses of a choice; its rows."""
        slabs: list[Slab] = []
        for rows, count in choice.taken:
            homes = rows.waiting & choice.columns
            slabs.append(Slab(rows.group, rows.start, rows.start + count, _bits(homes)))
            if rows.waiting & ~homes:
                waiting.append(_Rows(rows.group, rows.start, rows.start + count, rows.waiting & ~homes))
            rows.start += count
        return tuple(slabs)


def _bits(mask: int) -> tuple[int, ...]:
    return tuple(bit for bit in range(mask.bit_length()) if mask >> bit & 1)
