"""The links of a machine, numbered, and the links on the way from one tile to another.

Numbers: `inject` of each tile, `eject` of each tile, inject and eject of the host, then the links between routers. On a
mesh these are four for each router, to its neighbours in +x, -x, +y, -y (those at the border stay unused); on a tree
one up from each router and one down to it.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from snnir.machine.parts import Tile
from snnir.machine.topology import link_time
from snnir.runtime.platform import Platform

Integers = NDArray[np.int64]

HOST = -1
"""Stands for the host where a tile is named by its number."""
_TOWARDS = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways in a row: way w crosses `links[begin[w] : begin[w + 1]]`, in this order."""

    begin: Integers
    links: Integers


class Floor:
    """Tiles, numbered row by row (on a tree from left to right), and links."""

    def __init__(self, platform: Platform) -> None:
        self.machine = platform.machine
        self.tiles = platform.tiles
        self.width = self.machine.mesh[0]
        self.host = self.machine.host[1] * self.width + self.machine.host[0]
        self.levels = self._levels()
        self.routers = sum(self.levels)
        self.between = 2 * self.tiles + 2
        """The first link between routers."""
        self.links = self.between + (2 if self.machine.arity else 4) * self.routers

    def _levels(self) -> list[int]:
        """Routers on each level of a tree, or the tiles of a mesh."""
        sizes = [self.tiles]
        while self.machine.arity and sizes[-1] > 1:
            sizes.append(-(-sizes[-1] // self.machine.arity))
        return sizes

    def tile(self, number: int) -> Tile:
        """The position of a tile."""
        return number % self.width, number // self.width

    @cached_property
    def times(self) -> tuple[Integers, Integers]:
        """For how long a flit occupies each link, and how much later it is at the next one, (links,)."""
        time = self.machine.time
        flit = np.full(self.links, time.flit, np.int64)
        hop = np.zeros(self.links, np.int64)
        if self.machine.arity:
            hop[self.between :] = time.hop_y
            return flit, hop
        for number in range(self.tiles):
            x, y = start = self.tile(number)
            for side, (dx, dy) in enumerate(_TOWARDS):
                link = self.between + side * self.routers + number
                flit[link], hop[link] = link_time(self.machine, start, (x + dx, y + dy))
        return flit, hop

    def name(self, link: int) -> str:
        """What a link is called in messages, as in a simulation of the machine."""
        if link < 2 * self.tiles:
            return f"{'inject' if link < self.tiles else 'eject'} {self._router(link % self.tiles)}"
        if link < self.between:
            return "inject host" if link == 2 * self.tiles else "eject host"
        side, router = divmod(link - self.between, self.routers)
        if self.machine.arity:
            ends = [self._router(router), self._router(self._parent(router))]
            return " -> ".join(ends if side == 0 else reversed(ends))
        x, y = self.tile(router)
        dx, dy = _TOWARDS[side]
        return f"({x}, {y}) -> ({x + dx}, {y + dy})"

    def _router(self, number: int) -> str:
        if not self.machine.arity:
            return str(self.tile(number))
        level = 0
        while number >= self.levels[level]:
            number -= self.levels[level]
            level += 1
        return str((number, level))

    def _parent(self, router: int) -> int:
        """The number of the router above one of a tree."""
        first = 0
        for size in self.levels:
            if router < first + size:
                return first + size + (router - first) // (self.machine.arity or 1)
            first += size
        raise ValueError(f"there is no router number {router}")

    def ways(self, starts: Integers, ends: Integers) -> Ways:
        """The links from each start to its end; tiles by number, or `HOST`."""
        inject = np.where(starts == HOST, 2 * self.tiles, starts)
        eject = np.where(ends == HOST, 2 * self.tiles + 1, self.tiles + ends)
        a, b = np.where(starts == HOST, self.host, starts), np.where(ends == HOST, self.host, ends)
        return _joined(inject, self._climb(a, b) if self.machine.arity else self._stretch(a, b), eject)

    def _stretch(self, a: Integers, b: Integers) -> list[tuple[Integers, Integers, Integers]]:
        """On a mesh, along x and then along y: (first link, step from link to link, number of links) of each."""
        x, y, to_x, to_y = a % self.width, a // self.width, b % self.width, b // self.width
        east, south = to_x > x, to_y > y
        corner = y * self.width + to_x
        along_x = self.between + np.where(east, 0, self.routers) + a
        along_y = self.between + np.where(south, 2, 3) * self.routers + corner
        return [
            (along_x, np.where(east, 1, -1), np.abs(to_x - x)),
            (along_y, np.where(south, self.width, -self.width), np.abs(to_y - y)),
        ]

    def _climb(self, a: Integers, b: Integers) -> list[tuple[Integers, Integers, Integers]]:
        """On a tree, up and down: stretches of one link or none, as in `_stretch`."""
        up: list[tuple[Integers, Integers, Integers]] = []
        down: list[tuple[Integers, Integers, Integers]] = []
        first, one = 0, np.ones(len(a), np.int64)
        for size in self.levels[:-1]:
            apart = (a != b).astype(np.int64)
            up.append((self.between + first + a, one, apart))
            down.append((self.between + self.routers + first + b, one, apart))
            a, b = a // (self.machine.arity or 1), b // (self.machine.arity or 1)
            first += size
        return [*up, *reversed(down)]


def _joined(inject: Integers, stretches: list[tuple[Integers, Integers, Integers]], eject: Integers) -> Ways:
    """The links of each way in a row: its inject link, its stretches, its eject link."""
    # numba is loaded only when there is work for it
    from snnir.runtime.kernels import join  # noqa: PLC0415

    one = np.ones(len(inject), np.int64)
    first, step, counts = map(np.stack, zip((inject, one, one), *stretches, (eject, one, one), strict=True))
    return Ways(*join(first, step, counts))


@cache
def floor_of(platform: Platform) -> Floor:
    """The floor of a platform, made once."""
    return Floor(platform)
