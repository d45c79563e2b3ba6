"""Families of neighbouring places of a plane (`snnir.partition.families`), from the geometry of a field."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from snnir.partition.covers import Cover, Pattern
from snnir.partition.families import Classes, Family, classes_of
from snnir.partition.fields import Box, Field
from snnir.partition.tiling import Crossbar, Prices
from snnir.synapses import IntArray

_MOST_HOMES = 24
"""In one family: the effort grows with the cube."""
_SIZES = ((1, 2), (2, 1), (2, 2), (2, 4), (4, 2))


class Neighbours:
    """The families of a field."""

    def __init__(self, field: Field, crossbar: Crossbar, prices: Prices, slices: int) -> None:
        self._slices = slices
        self._field, self._crossbar, self._prices = field, crossbar, prices
        self._patterns: dict[tuple[object, ...], Pattern] = {}

    def costs(self, block: tuple[int, int], height: int, width: int) -> Iterable[tuple[tuple[int, int], float, int]]:
        """As `snnir.partition.tiling.Families.costs`, taken from the middle of the planes."""
        channels = block[1] - block[0]
        home = self._width(block)
        if not home:
            return
        for down, across in _SIZES:
            places = down * across
            if down > height or across > width or places * (channels // home) > _MOST_HOMES:
                continue
            if places * channels > 2 * self._crossbar.columns and places > 4:
                continue
            top, left = (height - down) // 2, (width - across) // 2
            pattern = self._pattern(Box(*block, top, top + down, left, left + across), home)[0]
            yield (down, across), self._cost(pattern), home

    def _width(self, block: tuple[int, int]) -> int:
        """How many channels of a place stay together: as many as let crossbars be full; 0: families gain nothing."""
        first, last = block
        group, columns = self._field.group, self._crossbar.columns
        size = last - first
        whole = self._field.shape[0] if group == 1 else group
        if size not in {whole, columns // 2, whole % columns} or first // group != (last - 1) // group:
            return 0
        divisors = [d for d in range(1, size + 1) if size % d == 0 and columns // d > 1]
        return max(divisors, key=lambda d: (columns // d * d, d), default=0)

    def cover(self, box: Box, home: int) -> Cover:
        """The cover of a tile whose places are on their own."""
        pattern, classes = self._pattern(box, home)
        return Cover(self._field.number, pattern, partial(self._homes, box, home), partial(_just, classes.axons))

    def _pattern(self, box: Box, home: int) -> tuple[Pattern, Classes]:
        height, width = box.bottom - box.top, box.right - box.left
        blocks = (box.channels - box.channel) // home
        read = [self._field.axons(place) for place in _places(box)]
        classes = classes_of(read, [((1 << blocks) - 1) << n * blocks for n in range(len(read))])
        key = height, width, blocks, home, classes.readers, classes.sizes
        if key not in self._patterns:
            places = np.arange(height * width).reshape(height, width)
            orders = [_of_places(order.ravel(), blocks) for order in (places, places.T)]
            together = min(self._crossbar.columns // home, self._slices or height * width * blocks)
            family = Family(height * width * blocks, home, self._crossbar.rows, together, self._piece_cost)
            self._patterns[key] = family.pattern(classes.readers, classes.sizes, orders)
        return self._patterns[key], classes

    def _homes(self, box: Box, home: int) -> list[IntArray]:
        return [
            self._field.neurons(place._replace(channel=channel, channels=channel + home))
            for place in _places(box)
            for channel in range(box.channel, box.channels, home)
        ]

    def _cost(self, pattern: Pattern) -> float:
        return sum(self._piece_cost(rows, columns) for rows, columns, _ in pattern.shapes)

    def _piece_cost(self, rows: int, columns: int) -> float:
        return float(self._crossbar.cost(np.array(rows), np.array(columns), self._prices))


def _places(box: Box) -> list[Box]:
    return [
        Box(box.channel, box.channels, y, y + 1, x, x + 1)
        for y in range(box.top, box.bottom)
        for x in range(box.left, box.right)
    ]


def _of_places(places: IntArray, blocks: int) -> Sequence[int]:
    return (places[:, None] * blocks + np.arange(blocks)).ravel().tolist()


def _just(axons: Sequence[IntArray]) -> Sequence[IntArray]:
    return axons
