"""The floor of a machine: its tiles, the routers between them, and the ways that spikes take.

Two topologies. On a *mesh*, router (x, y) stands on tile (x, y) and has links to its four neighbours; a way goes along
x first, then along y. On a *tree*, router (i, 0) stands on leaf tile i and the parent of router (i, l) is
(i // arity, l + 1), up to one root; a way goes up to the lowest common ancestor and down again. A mesh may consist of
several equal chips; links between two chips are those that cross a border.

**The union of the ways from one router is a tree.** The router before router r on a way from a depends on a and r
alone: on a mesh the neighbour of r towards a, along y where r is in another row than a, else along x; on a tree of
routers the child towards a where r is an ancestor of a, else the parent. So no router of the union is entered twice,
whatever the destinations, and flits that fork at routers cross each link of the union once.

Tiles are numbered row by row (number = y * width + x), on a tree from left to right; routers that stand on no tile
(inner nodes of a tree) follow, level by level.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Router = tuple[int, int]
"""[x, y] on a mesh, [index, level] on a tree."""
Link = tuple[Router, Router]
"""A directed link between neighbouring routers."""
Integers = NDArray[np.int64]

MOST_TILES = 4096
"""Up to here there is an array of all distances (128 MiB); beyond it, `hops` has those of given pairs."""


@dataclass(frozen=True)
class Floor:
    """The tiles of a machine and the network between them, from plain numbers.

    `mesh`: tiles in x and y (a tree: leaves and 1); `arity`: children of a router on a tree; `chip`: tiles per chip in
    x and y, `None` for one chip; `per_tile`: crossbars behind each tile's router; `host`: the router of the tile at
    which the host is attached. Raises `ValueError` for numbers that make no floor.
    """

    mesh: tuple[int, int]
    topology: Literal["mesh", "tree"] = "mesh"
    arity: int = 2
    chip: tuple[int, int] | None = None
    per_tile: int = 1
    host: Router = (0, 0)

    def __post_init__(self) -> None:
        if min(*self.mesh, self.per_tile) < 1:
            raise ValueError("a floor has at least one tile, and a tile at least one crossbar")
        if self.is_tree and (self.mesh[1] != 1 or self.arity < 2 or self.chip is not None):
            raise ValueError("a tree has [leaves, 1] tiles, two or more children of a router, and one chip")
        if self.chip is not None and (
            min(self.chip) < 1 or any(m % c for m, c in zip(self.mesh, self.chip, strict=True))
        ):
            raise ValueError("a mesh consists of whole chips")
        if not self.is_tile(self.host):
            raise ValueError("the host is attached to the router of a tile")

    @property
    def is_tree(self) -> bool:
        """Whether the routers are a tree."""
        return self.topology == "tree"

    @property
    def tiles(self) -> int:
        """The number of tiles (leaves of a tree)."""
        return self.mesh[0] * self.mesh[1]

    @property
    def slots(self) -> int:
        """The number of crossbars."""
        return self.tiles * self.per_tile

    @property
    def host_tile(self) -> int:
        """The number of the tile at which the host is attached."""
        return self.number(self.host)

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Of a tree: the number of routers on each level, leaves first; of a mesh: its tiles."""
        sizes = [self.tiles]
        while self.is_tree and sizes[-1] > 1:
            sizes.append(-(-sizes[-1] // self.arity))
        return tuple(sizes)

    @property
    def routers(self) -> int:
        """The number of routers, those that stand on no tile included."""
        return sum(self.levels)

    def is_tile(self, router: Router) -> bool:
        """Whether the router exists and stands on a tile."""
        return 0 <= router[0] < self.mesh[0] and 0 <= router[1] < self.mesh[1]

    def exists(self, router: Router) -> bool:
        """Whether there is such a router."""
        index, level = router
        if not self.is_tree:
            return self.is_tile(router)
        return 0 <= level < len(self.levels) and 0 <= index < self.levels[level]

    def number(self, router: Router) -> int:
        """The number of a router; those of tiles come first."""
        if not self.exists(router):
            raise ValueError(f"there is no router {list(router)}")
        return sum(self.levels[: router[1]]) + router[0] if self.is_tree else router[1] * self.mesh[0] + router[0]

    def router(self, number: int) -> Router:
        """The router of a number."""
        if not 0 <= number < self.routers:
            raise ValueError(f"there is no router number {number}")
        if not self.is_tree:
            return number % self.mesh[0], number // self.mesh[0]
        level = 0
        while number >= self.levels[level]:
            number -= self.levels[level]
            level += 1
        return number, level

    def neighbours(self, router: Router) -> list[Router]:
        """The routers that a router has links to, in the order of their numbers."""
        x, y = router
        if self.is_tree:
            below = [(child, y - 1) for child in range(x * self.arity, (x + 1) * self.arity)]
            near = [*below, (x // self.arity, y + 1)]
        else:
            near = [(x, y - 1), (x - 1, y), (x + 1, y), (x, y + 1)]
        return [other for other in near if self.exists(other)]

    def hops(self, a: ArrayLike, b: ArrayLike) -> Integers:
        """Links on the way between tiles, by number; arrays of any shapes that broadcast."""
        left, right = np.asarray(a, np.int64), np.asarray(b, np.int64)
        if not self.is_tree:
            return self._apart(left, right, (1, 1))
        total = np.zeros(np.broadcast_shapes(left.shape, right.shape), np.int64)
        for _ in self.levels[1:]:
            total += 2 * (left != right)
            left, right = left // self.arity, right // self.arity
        return total

    def crossings(self, a: ArrayLike, b: ArrayLike) -> Integers:
        """Borders between chips on the way between tiles, by number; arrays of any shapes that broadcast."""
        left, right = np.asarray(a, np.int64), np.asarray(b, np.int64)
        return self._apart(left, right, self.chip or self.mesh)

    def _apart(self, a: Integers, b: Integers, unit: tuple[int, int]) -> Integers:
        """Steps in x and y between blocks of `unit` tiles."""
        width = self.mesh[0]
        return abs(a % width // unit[0] - b % width // unit[0]) + abs(a // width // unit[1] - b // width // unit[1])

    @cached_property
    def distance(self) -> Integers:
        """Links on the way between any two tiles, (tiles, tiles); `ValueError` beyond `MOST_TILES`."""
        return self.weighted(1)

    def weighted(self, crossing: int) -> Integers:
        """As `distance`, with a link that crosses a border between chips counted `crossing` times."""
        if self.tiles > MOST_TILES:
            raise ValueError(f"{self.tiles} tiles have too many distances for an array; use hops and crossings")
        if self.is_tree:
            numbers = np.arange(self.tiles)
            return self.hops(numbers[:, None], numbers)
        x, y = (_line(count, unit, crossing) for count, unit in zip(self.mesh, self.chip or self.mesh, strict=True))
        return (y[:, None, :, None] + x[None, :, None, :]).reshape(self.tiles, self.tiles)

    def crosses(self, a: Router, b: Router) -> bool:
        """Whether the link between two neighbouring routers crosses a border between chips."""
        return self.chip is not None and any(i // c != j // c for i, j, c in zip(a, b, self.chip, strict=True))

    def path(self, a: Router, b: Router) -> tuple[Router, ...]:
        """The routers on the way from a to b, both included."""
        return self._up_and_down(a, b) if self.is_tree else _xy(a, b)

    def _up_and_down(self, a: Router, b: Router) -> tuple[Router, ...]:
        up, down = [a], [b]
        while up[-1] != down[-1]:
            lower = up if up[-1][1] <= down[-1][1] else down
            index, level = lower[-1]
            lower.append((index // self.arity, level + 1))
        return (*up, *reversed(down[:-1]))

    def branches(self, a: Router, destinations: Iterable[Router]) -> list[tuple[Router, ...]]:
        """For each destination the part of its way that no earlier one has: from a router already reached (a itself at
        first) to the destination, both included; one router where the destination has been reached."""
        reached = {a}
        found: list[tuple[Router, ...]] = []
        for end in destinations:
            way = self.path(a, end)
            last = max(place for place, router in enumerate(way) if router in reached)
            found.append(way[last:])
            reached.update(way)
        return found

    def tree_links(self, a: Router, destinations: Iterable[Router]) -> set[Link]:
        """The links of all ways from a to the destinations: a tree with root a."""
        return {link for branch in self.branches(a, destinations) for link in links_of(branch)}


def links_of(path: Iterable[Router]) -> list[Link]:
    """The links that a way crosses, in order."""
    return list(pairwise(path))


def _line(count: int, unit: int, crossing: int) -> Integers:
    """Links between the places of a row, those that leave a block of `unit` places counted `crossing` times."""
    place = np.arange(count)
    block = place // unit
    return abs(place[:, None] - place) + (crossing - 1) * abs(block[:, None] - block)


def _xy(a: Router, b: Router) -> tuple[Router, ...]:
    (x, y), (to_x, to_y) = a, b
    across = [(i, y) for i in range(x, to_x, 1 if to_x > x else -1)]
    along = [(to_x, j) for j in range(y, to_y, 1 if to_y > y else -1)]
    return (*across, *along, b)
