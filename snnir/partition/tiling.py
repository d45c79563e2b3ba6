"""Tiles of a layer: boxes of neurons that share axons, chosen by what they cost.

A plane is cut by guillotine cuts, each from edge to edge: the cheapest way to cut a height x width rectangle is a tile,
or the cheapest two parts that one cut makes. A dynamic program over all sizes finds it (Gilmore and Gomory, Multistage
cutting stock problems of two and more dimensions, Operations Research 13, 1965).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from snnir.partition.fields import Box, Field
from snnir.synapses import IntArray

Costs = NDArray[np.float64]
Rectangle = tuple[int, int, int, int]
"""Top, bottom, left, right."""

MOST = 48
"""Planes of more places in a dimension are cut into bands before, so that time stays linear in them."""


class Cutter:
    """The cheapest ways to cut rectangles up to the size of `costs`, (height, width).

    Entry [h-1, w-1] is the cost of an h x w tile, infinite where there can be none."""

    def __init__(self, costs: Costs) -> None:
        height, width = costs.shape
        self.best = costs.copy()
        """The cost of the cheapest way, as `costs`."""
        self._cut = np.zeros((height, width), np.int64)
        """Where that cuts: 0 nowhere, +n below row n, -n right of column n."""
        best, cut = self.best, self._cut
        for h in range(1, height + 1):
            if h > 1:
                half = h // 2
                both = best[:half] + best[h - 2 : h - 2 - half if h - 2 - half >= 0 else None : -1]
                where = both.argmin(axis=0)
                least = both[where, np.arange(width)]
                better = least < best[h - 1] - 1e-9
                best[h - 1, better], cut[h - 1, better] = least[better], where[better] + 1
            line = best[h - 1]
            for w in range(2, width + 1):
                half = w // 2
                both = line[:half] + line[w - 2 : w - 2 - half if w - 2 - half >= 0 else None : -1]
                where = int(both.argmin())
                if both[where] < line[w - 1] - 1e-9:
                    line[w - 1], cut[h - 1, w - 1] = both[where], -(where + 1)

    def cut(self, height: int, width: int) -> list[Rectangle]:
        """The tiles of the cheapest way, larger parts first, from the upper left."""
        found: list[Rectangle] = []
        open_ = [(0, height, 0, width)]
        while open_:
            top, bottom, left, right = open_.pop()
            where = int(self._cut[bottom - top - 1, right - left - 1])
            if where > 0:
                open_ += [(bottom - where, bottom, left, right), (top, bottom - where, left, right)]
            elif where < 0:
                open_ += [(top, bottom, right + where, right), (top, bottom, left, right + where)]
            else:
                found.append((top, bottom, left, right))
        return found


@dataclass(frozen=True)
class Prices:
    """What a tile costs: rows and columns that it takes, and those that nothing can use beside it."""

    row: float
    column: float
    steep: float
    """Rows per column of what is to fill the gaps: free rows beyond this multiple of the free columns are wasted."""
    near: float = 0.0
    """What a free row earns that windows of a pool can take beside all neurons that they read."""


@dataclass(frozen=True)
class Crossbar:
    """What a crossbar has room for."""

    rows: int
    columns: int
    digital: bool
    """Whether neurons may be split by their axons."""

    def cost(self, rows: IntArray, columns: IntArray, prices: Prices) -> Costs:
        """What tiles cost, infinite where one fits no crossbar; arrays of equal shape."""
        whole, rest = np.divmod(rows, self.rows)
        full = whole * (prices.row * self.rows + prices.column * columns)
        wasted = np.maximum(0, self.rows - rest - prices.steep * (self.columns - columns))
        partial = np.where(rest > 0, prices.row * (rest + wasted) + prices.column * columns, 0.0)
        cost = full + partial + np.where(rows == 0, prices.column * columns, 0.0)
        possible = (columns <= self.columns) & ((rows <= self.rows) | self.digital)
        return np.where(possible, cost, np.inf)


class Families(Protocol):
    """Tiles of a field whose places are on their own but share axons."""

    def costs(self, block: tuple[int, int], height: int, width: int) -> Iterable[tuple[tuple[int, int], float, int]]:
        """For sizes up to height x width what such a tile with these channels costs, and how many of the channels of
        a place stay together."""
        ...


class Tile(NamedTuple):
    """A box of neurons that share axons."""

    box: Box
    width: int
    """0: its neurons stay together on all crossbars. Otherwise each place of the planes is on its own, and of its
    channels so many stay together (`snnir.partition.families`)."""


def tiles(field: Field, crossbar: Crossbar, prices: Prices, families: Families | None = None) -> list[Tile]:
    """The tiles of a field that cost least, each neuron in one; empty if a single neuron fits no crossbar."""
    planes, height, width = field.shape
    chooser = _Chooser(field, crossbar, prices, families)
    best, chosen = np.inf, 0
    for size in _sizes(field.group if field.group > 1 else planes, crossbar.columns):
        cost = sum(chooser.cost(block) for block in _blocks(planes, field.group, size))
        if cost < best - 1e-9:
            best, chosen = cost, size
    if not chosen:
        return []
    return [tile for block in _blocks(planes, field.group, chosen) for tile in chooser.tiles(block, height, width)]


class _Chooser:
    """Cuts planes for blocks of channels; blocks that read equally many axons are cut once."""

    def __init__(self, field: Field, crossbar: Crossbar, prices: Prices, families: Families | None) -> None:
        _, height, width = field.shape
        self._bands = [-(-side // -(-side // MOST)) for side in (height, width)]
        self._field, self._crossbar, self._prices, self._families = field, crossbar, prices, families
        self._cutters: dict[tuple[int, ...], tuple[Cutter, dict[tuple[int, int], int]]] = {}

    def _cutter(self, block: tuple[int, int]) -> tuple[Cutter, dict[tuple[int, int], int]]:
        """For a block of channels the cheapest cuts, and the sizes of tiles that are families."""
        key = self._field.load(block)
        if key not in self._cutters:
            height, width = self._bands
            reads = self._field.most(block, height, width)
            columns = np.outer(np.arange(1, height + 1), np.arange(1, width + 1)) * (block[1] - block[0])
            costs = self._crossbar.cost(reads, columns, self._prices)
            costs -= self._earned(reads, columns)
            shared: dict[tuple[int, int], int] = {}
            found = self._families.costs(block, height, width) if self._families else ()
            for size, cost, home in found:
                place = size[0] - 1, size[1] - 1
                if cost < costs[place] - 1e-9:
                    costs[place], shared[size] = cost, home
            self._cutters[key] = Cutter(costs), shared
        return self._cutters[key]

    def _earned(self, reads: IntArray, columns: IntArray) -> Costs:
        """What tiles of all sizes earn by leaving room for the pool that reads them."""
        if self._field.pooled is None or not self._prices.near:
            return np.zeros(reads.shape)
        down, across = self._field.pooled
        height, width = reads.shape
        fits = [[size // unit for size in range(1, most + 1)] for most, unit in ((height, down), (width, across))]
        windows: IntArray = np.outer(np.array(fits[0], np.int64), np.array(fits[1], np.int64))
        channels = int(columns[0, 0])
        free = np.minimum((self._crossbar.rows - reads) // (down * across), self._crossbar.columns - columns)
        return self._prices.near * down * across * np.minimum(windows * channels, free.clip(min=0))

    def cost(self, block: tuple[int, int]) -> float:
        """Of all tiles with these channels."""
        cutter, _ = self._cutter(block)
        _, height, width = self._field.shape
        return sum(
            float(cutter.best[bottom - top - 1, right - left - 1])
            for top, bottom in self._cuts(0, height)
            for left, right in self._cuts(1, width)
        )

    def tiles(self, block: tuple[int, int], height: int, width: int) -> list[Tile]:
        """The tiles of the planes of a block."""
        cutter, shared = self._cutter(block)
        return [
            Tile(Box(*block, y + top, y + bottom, x + left, x + right), shared.get((bottom - top, right - left), 0))
            for y, y_end in self._cuts(0, height)
            for x, x_end in self._cuts(1, width)
            for top, bottom, left, right in cutter.cut(y_end - y, x_end - x)
        ]

    def _cuts(self, axis: int, length: int) -> list[tuple[int, int]]:
        band = self._bands[axis]
        return [(start, min(start + band, length)) for start in range(0, length, band)]


@cache
def _sizes(channels: int, columns: int) -> list[int]:
    """Sizes of blocks of channels worth a try: equal parts, and those of which so many fill the columns."""
    most = min(channels, columns)
    equal = {-(-channels // parts) for parts in range(1, channels + 1)}
    filling = {columns // parts for parts in range(1, columns + 1)}
    found = sorted({size for size in equal | filling if 0 < size <= most}, reverse=True)
    return found[:24] + ([1] if found[-1:] != [1] else [])


def _blocks(planes: int, group: int, size: int) -> list[tuple[int, int]]:
    """Channels in blocks of `size`, and smaller ones where a group ends."""
    if group == 1:
        group = planes
    return [
        (start, min(start + size, first + group))
        for first in range(0, planes, group)
        for start in range(first, first + group, size)
    ]
