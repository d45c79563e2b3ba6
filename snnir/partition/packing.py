"""Packing of crossbars by rows and columns: rigid pieces first, then what can be divided anywhere fills the gaps.

What shares a crossbar lies block-diagonally on it: rows and columns add up. That is vector packing in two dimensions;
best fit in decreasing order of size is the rule (Panigrahy et al., Heuristics for vector bin packing, 2011). Crossbars
with the same room are one choice, so that time grows with the number of pieces, not with its square.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Piece(NamedTuple):
    """Something that lies on one crossbar as a whole."""

    rows: int
    columns: int
    kinds: tuple[int, ...]
    """The slices that it makes: a whole slice of a layer its number, on one crossbar with others of the same layer one
    slice; other slices numbers below 0, each its own."""
    neurons: int = 0
    """Neurons whose state it keeps, where that is not one per column at most."""


@dataclass
class Bin:
    """A crossbar and what lies on it."""

    rows: int
    """Free."""
    columns: int
    """Free."""
    pieces: list[int] = field(default_factory=list[int])
    kinds: set[int] = field(default_factory=set[int])
    neurons: int = 0
    """Free; 0 as well where that is no limit of its own."""


@dataclass(frozen=True)
class Room:
    """What a crossbar has room for, and how to judge what is left."""

    rows: int
    columns: int
    slices: int
    """0: any number."""
    steep: float
    """Rows per column of what fills the gaps."""
    neurons: int = 0
    """0: one per column."""

    def waste(self, rows: int, columns: int) -> float:
        """How much of free rows and columns nothing can use, in rows."""
        return max(0.0, rows - self.steep * columns)

    def holds(self, slices: "_Slices", kinds: tuple[int, ...]) -> bool:
        """Whether these slices may share a crossbar."""
        if not self.slices:
            return True
        return len(slices.layers.union(n for n in kinds if n >= 0)) + slices.others + _others(kinds) <= self.slices


class _Slices(NamedTuple):
    """The slices on a crossbar, as far as they matter."""

    layers: frozenset[int]
    others: int


class _Free(NamedTuple):
    """What is free on a crossbar."""

    rows: int
    columns: int
    neurons: int
    slices: _Slices


_NONE = _Slices(frozenset(), 0)


def _others(kinds: Sequence[int] | set[int]) -> int:
    return sum(kind < 0 for kind in kinds)


def pack(pieces: Sequence[Piece], room: Room) -> list[Bin]:
    """Bins with every piece in one.

    Where a piece goes: to where least is wasted, then where least is left.
    """

    def weight(number: int) -> tuple[float, ...]:
        piece = pieces[number]
        shares = piece.rows / room.rows, piece.columns / room.columns, piece.neurons / max(room.neurons, 1)
        return -max(shares), -sum(shares), piece.kinds[0], number

    result: list[Bin] = []
    open_: dict[_Free, list[Bin]] = defaultdict(list)
    for number in sorted(range(len(pieces)), key=weight):
        piece = pieces[number]
        free = _place(piece, open_, room)
        if free is None:
            bin_ = Bin(room.rows, room.columns, neurons=room.neurons)
            result.append(bin_)
        else:
            bin_ = open_[free].pop()
            if not open_[free]:
                del open_[free]
        bin_.rows -= piece.rows
        bin_.columns -= piece.columns
        bin_.neurons -= piece.neurons
        bin_.pieces.append(number)
        bin_.kinds.update(piece.kinds)
        slices = _NONE
        if room.slices:
            slices = _Slices(frozenset(kind for kind in bin_.kinds if kind >= 0), _others(bin_.kinds))
        if bin_.columns and slices.others < (room.slices or 1):
            open_[_Free(bin_.rows, bin_.columns, bin_.neurons, slices)].append(bin_)
    return result


def _place(piece: Piece, open_: dict[_Free, list[Bin]], room: Room) -> _Free | None:
    """The best of the open bins that a piece fits, by what is free."""
    best, where = (float("inf"), 0.0), None
    for free in open_:
        rows, columns = free.rows - piece.rows, free.columns - piece.columns
        if rows < 0 or columns < 0 or free.neurons < piece.neurons or not room.holds(free.slices, piece.kinds):
            continue
        left = rows / room.rows + columns / room.columns
        more = room.waste(rows, columns) - room.waste(free.rows, free.columns)
        cost = more, left
        if cost < best:
            best, where = cost, free
    return where
