"""What a net costs on a floor, for many nets at once, and by how much that changes when one sink moves.

A location is the number of a tile, or `tiles` for the host. A metric gives every location a code below `size`, such
that the sorted keys `net * size + code` of all sinks of all nets are enough to read the cost of every net off runs of
equal keys: no route is built, and there is no matrix of distances. A link that crosses a border between chips counts
`crossing` times; on a mesh that only stretches the coordinates.
"""

from typing import Protocol

import numpy as np

from snnir.partition.floor import Floor
from snnir.partition.placement.problem import CostName, IntArray

END = np.iinfo(np.int64).max
"""Stands after the last sorted key, so that there always is a next one."""

Marks = np.ndarray[tuple[int], np.dtype[np.bool_]]


class Metric(Protocol):
    """How nets are priced; `keys` are sorted, several nets one after the other."""

    size: int
    codes: IntArray
    """(tiles + 1,) code of each location."""

    def full(self, keys: IntArray, count: int, sources: IntArray) -> IntArray:
        """(count,) the cost of the nets numbered in `keys`; `sources` (count,) are the locations of their sources."""
        ...

    def shift(self, keys: IntArray, nets: IntArray, sources: IntArray, old: IntArray, new: IntArray) -> IntArray:
        """How much more each of `nets` costs when a sink of it goes from location `old` to `new`: all (moves,).
        `keys` are those of all nets, with `END` behind; the moves are looked at one by one, each on its own."""
        ...


def metric(floor: Floor, cost: CostName, crossing: int = 1) -> Metric:
    """The metric of a cost on a floor."""
    if cost == "unicast":
        return Unicast(floor, crossing)
    return TreeMulticast(floor) if floor.is_tree else MeshMulticast(floor, crossing)


class Unicast:
    """The lengths of the ways to all destinations: each tile once however many sinks it holds, the host on its own even
    where it shares a router with a tile."""

    def __init__(self, floor: Floor, crossing: int = 1) -> None:
        self.size = floor.tiles + 1
        self.codes = np.arange(self.size)
        self.floor = floor
        if not floor.is_tree:
            (x, y), (at_x, at_y) = coordinates(floor), _stretched(floor, crossing)
            self.x, self.y = at_x[x], at_y[y]

    def between(self, a: IntArray, b: IntArray) -> IntArray:
        """The length of the way between locations."""
        if not self.floor.is_tree:
            return np.abs(self.x[a] - self.x[b]) + np.abs(self.y[a] - self.y[b])
        host, tiles = self.floor.host_tile, self.floor.tiles
        return self.floor.hops(np.where(a == tiles, host, a), np.where(b == tiles, host, b))

    def full(self, keys: IntArray, count: int, sources: IntArray) -> IntArray:
        """See `Metric`."""
        keys = keys[_first(keys)]
        net = keys // self.size
        links = self.between(sources[net], keys - net * self.size)
        return np.bincount(net, links, count).astype(np.int64)

    def shift(self, keys: IntArray, nets: IntArray, sources: IntArray, old: IntArray, new: IntArray) -> IntArray:
        """See `Metric`."""
        key_old, key_new = nets * self.size + old, nets * self.size + new
        alone = keys[np.searchsorted(keys, key_old) + 1] != key_old
        absent = keys[np.searchsorted(keys, key_new)] != key_new
        change = np.where(absent, self.between(sources, new), 0) - np.where(alone, self.between(sources, old), 0)
        return np.where(old == new, 0, change)


class MeshMulticast:
    """The links of the tree of XY ways: those along the source's row, and those up and down each column that holds a
    destination. As all ways go along x first, these are all links of the union, each of them once."""

    def __init__(self, floor: Floor, crossing: int = 1) -> None:
        self.x, self.y = coordinates(floor)
        self.width, self.height = floor.mesh
        self.size = self.width * self.height
        self.codes = self.x * self.height + self.y
        self.at_x, self.at_y = _stretched(floor, crossing)

    def full(self, keys: IntArray, count: int, sources: IntArray) -> IntArray:
        """See `Metric`."""
        column = keys // self.height
        first = _first(column)
        row = keys - column * self.height
        low, high, column = row[first], row[_last(first)], column[first]
        net = column // self.width
        up_down = _span(low, high, self.y[sources[net]], self.at_y)
        cost = np.bincount(net, up_down, count).astype(np.int64)
        first = _first(net)
        column -= net * self.width
        net = net[first]
        cost[net] += _span(column[first], column[_last(first)], self.x[sources[net]], self.at_x)
        return cost

    def shift(self, keys: IntArray, nets: IntArray, sources: IntArray, old: IntArray, new: IntArray) -> IntArray:
        """See `Metric`."""
        x_old, x_new, y_old, y_new, y_source = self.x[old], self.x[new], self.y[old], self.y[new], self.y[sources]
        begin, end = np.searchsorted(keys, nets * self.size), np.searchsorted(keys, (nets + 1) * self.size)
        left, right = self._column(keys, nets, x_old)
        low, high = keys[left] % self.height, keys[right - 1] % self.height
        before = _span(low, high, y_source, self.at_y)
        many = right - left > 1
        low = np.where(many & (y_old == low), keys[np.minimum(left + 1, right - 1)] % self.height, low)
        high = np.where(many & (y_old == high), keys[np.maximum(right - 2, left)] % self.height, high)
        low, high = np.where(many, low, y_source), np.where(many, high, y_source)
        left_new, right_new = self._column(keys, nets, x_new)
        there, stays = right_new > left_new, x_old == x_new
        low_new = np.where(there, keys[np.minimum(left_new, end - 1)] % self.height, y_source)
        high_new = np.where(there, keys[right_new - 1] % self.height, y_source)
        low_new, high_new = np.where(stays, low, low_new), np.where(stays, high, high_new)
        more = self._widened(low_new, high_new, y_new, y_source)
        along = self._along(keys, (begin, left, right, end), np.where(many, -1, x_old), x_new, self.x[sources])
        change = _span(low, high, y_source, self.at_y) - before + more + along
        return np.where(old == new, 0, change)

    def _column(self, keys: IntArray, nets: IntArray, x: IntArray) -> tuple[IntArray, IntArray]:
        """Where in `keys` the sinks of a net in a column begin and end."""
        start = nets * self.size + x * self.height
        return np.searchsorted(keys, start), np.searchsorted(keys, start + self.height)

    def _widened(self, low: IntArray, high: IntArray, y: IntArray, y_source: IntArray) -> IntArray:
        wide = _span(np.minimum(low, y), np.maximum(high, y), y_source, self.at_y)
        return wide - _span(low, high, y_source, self.at_y)

    def _along(
        self,
        keys: IntArray,
        bounds: tuple[IntArray, IntArray, IntArray, IntArray],
        gone: IntArray,
        x_new: IntArray,
        x_source: IntArray,
    ) -> IntArray:
        """How much longer the way along the source's row gets. `gone` is the column that is left empty, or -1; `bounds`
        are where in `keys` the net begins, the old column begins and ends, and the net ends."""
        begin, left, right, end = bounds
        first, last = keys[begin] // self.height % self.width, keys[end - 1] // self.height % self.width
        before = _span(first, last, x_source, self.at_x)
        following = np.where(right < end, keys[np.minimum(right, end - 1)] // self.height % self.width, x_source)
        previous = np.where(left > begin, keys[np.maximum(left - 1, begin)] // self.height % self.width, x_source)
        first, last = np.where(gone == first, following, first), np.where(gone == last, previous, last)
        return _span(np.minimum(first, x_new), np.maximum(last, x_new), x_source, self.at_x) - before


class TreeMulticast:
    """The links of the union on a tree of routers: up from the source to the router above all destinations, and on each
    level down into every router that has a destination below it but not the source."""

    def __init__(self, floor: Floor) -> None:
        self.size = floor.tiles
        self.codes = np.append(np.arange(floor.tiles), floor.host_tile)
        self.blocks = [floor.arity**level for level in range(len(floor.levels) - 1)]
        """Leaves below a router of each level but the highest."""

    def full(self, keys: IntArray, count: int, sources: IntArray) -> IntArray:
        """See `Metric`."""
        net = keys // self.size
        leaf, own = keys - net * self.size, self.codes[sources]
        first = _first(net)
        cost = np.zeros(count, np.int64)
        cost[net[first]] = self._up(own[net[first]], leaf[first], leaf[_last(first)])
        for block in self.blocks:
            below = leaf // block
            apart = _first(below + net * self.size) & (below != own[net] // block)
            cost += np.bincount(net[apart], minlength=count)
        return cost

    def shift(self, keys: IntArray, nets: IntArray, sources: IntArray, old: IntArray, new: IntArray) -> IntArray:
        """See `Metric`."""
        own, old, new, base = self.codes[sources], self.codes[old], self.codes[new], nets * self.size
        begin, end = np.searchsorted(keys, base), np.searchsorted(keys, base + self.size)
        low, high = keys[begin] - base, keys[end - 1] - base
        change = -self._up(own, low, high)
        low = np.where(old == low, np.where(end - begin > 1, keys[np.minimum(begin + 1, end - 1)] - base, new), low)
        high = np.where(old == high, np.where(end - begin > 1, keys[np.maximum(end - 2, begin)] - base, new), high)
        change += self._up(own, np.minimum(low, new), np.maximum(high, new))
        for block in self.blocks:
            moves = old // block != new // block
            change -= moves & (old // block != own // block) & (self._held(keys, base, old, block) == 1)
            change += moves & (new // block != own // block) & (self._held(keys, base, new, block) == 0)
        return change

    def _up(self, own: IntArray, low: IntArray, high: IntArray) -> IntArray:
        """Links from the source up to the router above it and all leaves from `low` to `high`."""
        up = np.zeros(len(own), np.int64)
        for block in self.blocks:
            up += (own // block != low // block) | (own // block != high // block)
        return up

    def _held(self, keys: IntArray, base: IntArray, leaf: IntArray, block: int) -> IntArray:
        """How many sinks of the net are among the `block` leaves around `leaf`."""
        start = leaf // block * block
        stop = np.minimum(start + block, self.size)
        return np.searchsorted(keys, base + stop) - np.searchsorted(keys, base + start)


def coordinates(floor: Floor) -> tuple[IntArray, IntArray]:
    """x and y (tiles + 1,) of each location of a mesh; the host's are those of its router."""
    number = np.append(np.arange(floor.tiles), floor.host_tile)
    return number % floor.mesh[0], number // floor.mesh[0]


def _stretched(floor: Floor, crossing: int) -> tuple[IntArray, IntArray]:
    """How far column x (row y) is from the first when borders between chips count `crossing` links."""
    x, y = np.arange(floor.mesh[0]), np.arange(floor.mesh[1])
    chip = floor.chip or floor.mesh
    return x + (crossing - 1) * (x // chip[0]), y + (crossing - 1) * (y // chip[1])


def _span(low: IntArray, high: IntArray, source: IntArray, at: IntArray) -> IntArray:
    """Links that join `low`, `high` and `source`, which lie on one line at the positions `at`."""
    return at[np.maximum(high, source)] - at[np.minimum(low, source)]


def _first(keys: IntArray) -> Marks:
    """Where a run of equal keys begins."""
    first = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return first


def _last(first: Marks) -> Marks:
    """Where a run ends, from where runs begin."""
    last = np.ones(len(first), np.bool_)
    last[:-1] = first[1:]
    return last
