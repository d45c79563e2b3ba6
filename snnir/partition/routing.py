"""What routes cost on a floor: links crossed, entries in the routers' tables, spikes on every link.

Nothing here goes along a way router by router. On a mesh the tree from a router to any destinations consists of one
stretch to each side along x, and in each column of a destination one stretch to each side along y; a stretch adds to
all of its links by one number at its start and one at its end, summed up at last. On a tree of routers a way is looked
at level by level. So the time grows with the number of destinations, not of links.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnir.partition.floor import Floor, Integers, Link, Router

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ways:
    """Flows, each to one destination or along the tree of the ways to several; tiles by their number on the floor."""

    starts: Integers
    """Where each flow starts, (flows,)."""
    spikes: Floats
    """Spikes per step of each flow, (flows,)."""
    flows: Integers
    """The flow of each destination, (destinations,)."""
    ends: Integers
    """The tile of each destination, (destinations,)."""

    @staticmethod
    def of(floor: Floor, ways: Sequence[tuple[Router, Sequence[Router], float]]) -> "Ways":
        """From (start, destinations, spikes per step) of each flow."""
        return Ways(
            np.array([floor.number(start) for start, _, _ in ways], np.int64),
            np.array([spikes for _, _, spikes in ways], np.float64),
            np.repeat(np.arange(len(ways)), np.array([len(ends) for _, ends, _ in ways], np.int64)),
            np.array([floor.number(end) for _, ends, _ in ways for end in ends], np.int64),
        )


@dataclass(frozen=True, eq=False)
class Tally:
    """The sums over all flows. Links are those between routers, in both directions, in no order that matters."""

    floor: Floor
    entries: Integers
    """Entries in each router's table, (routers,): one at the start of a flow with one destination; one at each router
    that a flow with several passes."""
    crossed: Integers
    """Flows on each link."""
    loads: Floats
    """Spikes per step on each link."""

    @property
    def hops(self) -> int:
        """Links that the flows cross, all added up."""
        return int(self.crossed.sum())

    @property
    def fullest(self) -> tuple[Router, int]:
        """The router with most entries (the first of several), and how many these are."""
        number = int(self.entries.argmax())
        return self.floor.router(number), int(self.entries[number])

    @property
    def spike_hops(self) -> float:
        """Spikes per step, each counted on every link that it crosses."""
        return float(self.loads.sum())

    @property
    def busiest(self) -> float:
        """Spikes per step on the link that has most."""
        return float(self.loads.max(initial=0.0))

    @property
    def mean_load(self) -> float:
        """Spikes per step on a link that any flow crosses, on average."""
        used = np.count_nonzero(self.crossed)
        return self.spike_hops / used if used else 0.0

    def by_link(self) -> dict[Link, tuple[int, float]]:
        """Flows and spikes per step of each link that any flow crosses."""
        links = _links(self.floor)
        used = np.flatnonzero(self.crossed).tolist()
        return {links[n]: (int(self.crossed[n]), float(self.loads[n])) for n in used}


def tally(floor: Floor, ways: Ways) -> Tally:
    """Count what the flows take."""
    forks = np.bincount(ways.flows, minlength=len(ways.starts)) > 1
    weights = np.stack([ways.spikes, np.ones(len(ways.starts)), forks.astype(np.float64)])
    entered, links = (_climb if floor.is_tree else _stretch)(floor, ways, weights)
    entries = np.rint(entered).astype(np.int64) + np.bincount(ways.starts, minlength=floor.routers)
    return Tally(floor, entries, np.rint(links[1]).astype(np.int64), links[0])


def _links(floor: Floor) -> list[Link]:
    """The link behind each number of `Tally.loads`; those that would lead out of a mesh are there too."""
    if floor.is_tree:
        upward = [
            [((i, level), (i // floor.arity, level + 1)) for i in range(count)]
            for level, count in enumerate(floor.levels[:-1])
        ]
        return [link for up in upward for link in (*up, *((b, a) for a, b in up))]
    width, height = floor.mesh
    east = [((x, y), (x + 1, y)) for y in range(height) for x in range(width)]
    south = [((x, y), (x, y + 1)) for x in range(width) for y in range(height)]
    return [*east, *((b, a) for a, b in east), *south, *((b, a) for a, b in south)]


def _stretch(floor: Floor, ways: Ways, weights: Floats) -> tuple[Floats, Floats]:
    """On a mesh: how many forking flows enter each router, and the sums of all weights on each link."""
    width, height = floor.mesh
    x, y = ways.starts % width, ways.starts // width
    end_x, end_y = ways.ends % width, ways.ends // width
    left, right = x.copy(), x.copy()
    np.minimum.at(left, ways.flows, end_x)
    np.maximum.at(right, ways.flows, end_x)
    keys, column = np.unique(ways.flows * width + end_x, return_inverse=True)
    owner, at = keys // width, keys % width
    low, high = y[owner].copy(), y[owner].copy()
    np.minimum.at(low, column, end_y)
    np.maximum.at(high, column, end_y)
    east, west = _sums(weights, y, x, right, (height, width)), _sums(weights, y, left, x, (height, width))
    down = weights[:, owner]
    south, north = _sums(down, at, y[owner], high, (width, height)), _sums(down, at, low, y[owner], (width, height))
    entered = np.zeros((height, width))
    entered[:, 1:] += east[2, :, :-1]
    entered[:, :-1] += west[2, :, :-1]
    entered[1:] += south[2, :, :-1].T
    entered[:-1] += north[2, :, :-1].T
    return entered.ravel(), np.concatenate([part.reshape(3, -1) for part in (east, west, south, north)], axis=1)


def _sums(weights: Floats, line: Integers, first: Integers, last: Integers, shape: tuple[int, int]) -> Floats:
    """(weights, lines, places): what lies on the link from each place of a line to the next one, where each weight lies
    on those from place `first` to place `last`."""
    start, stop, size = line * shape[1] + first, line * shape[1] + last, shape[0] * shape[1]
    changes = np.stack([_added(start, weight, size) - _added(stop, weight, size) for weight in weights])
    return np.cumsum(changes.reshape(len(weights), *shape), axis=2)


def _added(places: Integers, weights: Floats, count: int) -> Floats:
    """The sum of the weights at each place."""
    return np.bincount(places, weights, count).astype(np.float64, copy=False)


def _climb(floor: Floor, ways: Ways, weights: Floats) -> tuple[Floats, Floats]:
    """The same on a tree of routers."""
    starts, ends = ways.starts, ways.ends
    entered = np.zeros(floor.routers)
    links: list[Floats] = []
    base = 0
    for count in floor.levels[:-1]:
        apart = starts[ways.flows] != ends
        climbing = np.unique(ways.flows[apart])
        keys = np.unique(ways.flows[apart] * count + ends[apart])
        falling, below = keys // count, keys % count
        up = np.stack([_added(starts[climbing], weight[climbing], count) for weight in weights])
        down = np.stack([_added(below, weight[falling], count) for weight in weights])
        entered[base : base + count] += down[2]
        parents = _added(np.arange(count) // floor.arity, up[2], 0)
        entered[base + count : base + count + len(parents)] += parents
        links += [up, down]
        starts, ends, base = starts // floor.arity, ends // floor.arity, base + count
    return entered, np.concatenate([np.zeros((len(weights), 0)), *links], axis=1)
