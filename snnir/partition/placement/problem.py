"""What a placement starts from: nets between clusters, the floor that they go on, and what its tiles have room for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from snnir.partition.floor import Floor

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

HOST = -1
"""Stands for the host among sources and sinks."""

CostName = Literal["unicast", "multicast"]

CROSSBARS = "crossbars"
"""The resource that every cluster takes one of."""

DEGREE = 64
"""Net ends a cluster up to which searches do all their rounds."""

HELP = {
    CROSSBARS: "choose a machine with more tiles, more crossbars per tile or larger crossbars",
    "buffers": "choose a machine with larger buffers, or one with more tiles so that fewer clusters share one",
    "table entries": "choose a machine with larger routing tables, or one with more tiles",
}
"""What to do when a resource runs out."""


class PlacementError(ValueError):
    """Clusters that the tiles have no room for; `resource` names what runs out, `hint` says what helps."""

    def __init__(self, resource: str, message: str, hint: str | None = None) -> None:
        self.resource = resource
        self.hint = hint or HELP.get(resource, f"choose a machine with more {resource} per tile, or with more tiles")
        super().__init__(message)


@dataclass(frozen=True)
class Nets:
    """Who sends how much to whom: net `n` leads from `sources[n]` to `sinks[starts[n] : starts[n + 1]]`.

    Sinks of a net are distinct and not its source; no net is without sinks. Cluster numbers, `HOST` is the host.
    """

    sources: IntArray
    """(nets,)"""
    starts: IntArray
    """(nets + 1,)"""
    sinks: IntArray
    """(pins,)"""
    volumes: FloatArray
    """(nets,) spikes, or values of partial sums, per step."""

    @classmethod
    def of(cls, nets: Sequence[tuple[int, Sequence[int] | IntArray, float]]) -> Nets:
        """Nets from (source, sinks, volume). A sink that is named twice counts once; what a cluster sends to itself
        goes with it and is left out, and so is a net without sinks."""
        counts = [len(sinks) for _, sinks, _ in nets]
        sources = np.array([source for source, _, _ in nets], dtype=np.int64)
        flat = np.concatenate([np.asarray(s, dtype=np.int64) for _, s, _ in nets]) if nets else np.zeros(0, np.int64)
        return cls.from_arrays(sources, np.array(counts, dtype=np.int64), flat, np.array([v for *_, v in nets], float))

    @classmethod
    def from_arrays(cls, sources: IntArray, counts: IntArray, sinks: IntArray, volumes: FloatArray) -> Nets:
        """The same from arrays: `sinks` net after net, `counts` (nets,) of them each."""
        if np.any(volumes < 0) or not np.all(np.isfinite(volumes)):
            raise ValueError("the volume of a net is a finite number of at least 0")
        net = np.repeat(np.arange(len(sources)), counts)
        width = int(max(sinks.max(initial=-1), sources.max(initial=-1))) + 2
        keys = np.unique((net * width + sinks + 1)[sinks != sources[net]])
        net, sinks = keys // width, keys % width - 1
        kept = np.bincount(net, minlength=len(sources))
        used = kept > 0
        starts = np.concatenate([[0], np.cumsum(kept[used])]).astype(np.int64)
        return cls(sources[used], starts, sinks, volumes[used])

    @property
    def fanout(self) -> IntArray:
        """(nets,) sinks of each net."""
        return np.diff(self.starts)

    @property
    def net_of_pin(self) -> IntArray:
        """(pins,) the net of each sink."""
        return np.repeat(np.arange(len(self.sources)), self.fanout)


@dataclass(frozen=True)
class Options:
    """What all algorithms take."""

    seed: int = 0
    effort: float = 1.0
    """How much work a search does, in multiples of what it does without this option."""
    cost: CostName = "unicast"
    """`unicast`: volume times hops to each destination tile; `multicast`: volume times links of the tree of routes."""
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """`load-balance`: weights of processing, memory and communication."""

    def __post_init__(self) -> None:
        if not 0 < self.effort < math.inf:
            raise ValueError("effort is a finite number of more than 0")


@dataclass(frozen=True)
class Problem:
    """Clusters to be placed on the tiles of a floor."""

    floor: Floor
    nets: Nets
    clusters: int
    resources: tuple[str, ...]
    """Names of what tiles have a limited amount of; the first is `CROSSBARS`."""
    loads: FloatArray = field(repr=False)
    """(clusters, resources): what each cluster takes."""
    capacity: FloatArray = field(repr=False)
    """(tiles, resources): what each tile has."""
    work: FloatArray = field(repr=False)
    """(clusters,) how busy each cluster keeps its crossbar; only ratios matter."""
    crossing: int = 1
    """How many links one counts for that crosses a border between chips."""

    @classmethod
    def of(
        cls,
        floor: Floor,
        nets: Nets,
        clusters: int,
        *,
        crossbars: IntArray | None = None,
        limits: Mapping[str, tuple[FloatArray, FloatArray | float]] | None = None,
        work: FloatArray | None = None,
        crossing: int = 1,
    ) -> Problem:
        """A problem on a floor. `crossbars` (tiles,): free crossbars, when not all of `floor.per_tile` are. `limits`:
        further resources by name, each as what every cluster takes and what every tile has.

        Raises `PlacementError` when a resource cannot suffice however clusters are placed.
        """
        free = np.full(floor.tiles, floor.per_tile) if crossbars is None else crossbars
        loads, capacity = [np.ones(clusters)], [np.asarray(free, float)]
        for load, each in (limits or {}).values():
            loads.append(np.asarray(load, float))
            capacity.append(np.broadcast_to(np.asarray(each, float), (floor.tiles,)))
        names = (CROSSBARS, *(limits or {}))
        busy = np.ones(clusters) if work is None else np.asarray(work, float)
        problem = cls(floor, nets, clusters, names, np.stack(loads, 1), np.stack(capacity, 1), busy, crossing)
        problem.check_totals()
        return problem

    @property
    def slots(self) -> IntArray:
        """(crossbars,) the tile of each crossbar, ascending."""
        return np.repeat(np.arange(self.floor.tiles), self.capacity[:, 0].astype(np.int64))

    @property
    def only_crossbars(self) -> bool:
        """Whether nothing but the number of crossbars limits what a tile holds."""
        return len(self.resources) == 1

    def rounds(self, usual: int, effort: float) -> int:
        """How many rounds of a search to do at some effort: fewer than usual where clusters have very many net ends,
        so that no network takes longer than one of the same size with `DEGREE` a cluster."""
        degree = len(self.nets.sinks) / max(self.clusters, 1)
        return max(1, round(usual * effort * min(1.0, DEGREE / max(degree, 1))))

    def check_totals(self) -> None:
        """Raise `PlacementError` when a cluster is too large for every tile, or all together for all tiles."""
        for number, name in enumerate(self.resources):
            load, room = self.loads[:, number], self.capacity[:, number]
            if number == 0 and self.clusters > room.sum():
                raise PlacementError(name, f"{self.clusters} clusters, but only {int(room.sum())} crossbars")
            if load.max(initial=0) > room.max(initial=0):
                worst, most = int(load.argmax()), room.max(initial=0)
                message = f"cluster {worst} takes {_number(load[worst])} {name}; a tile has {_number(most)}"
                raise PlacementError(name, message)
            if load.sum() > room.sum():
                message = f"the clusters take {_number(load.sum())} {name}; all tiles have {_number(room.sum())}"
                raise PlacementError(name, message)

    def check(self, tiles: IntArray) -> None:
        """Raise `PlacementError` when `tiles` (clusters,) is no placement or a tile is given more than it has."""
        if tiles.shape != (self.clusters,) or np.any((tiles < 0) | (tiles >= self.floor.tiles)):
            raise PlacementError(CROSSBARS, f"not one tile of {self.floor.tiles} for each of {self.clusters} clusters")
        for number, name in enumerate(self.resources):
            used = np.bincount(tiles, self.loads[:, number], self.floor.tiles)
            over = np.flatnonzero(used > self.capacity[:, number] * (1 + 1e-12))
            if len(over):
                tile = int(over[0])
                message = f"tile {tile} holds {_number(used[tile])} {name} of {_number(self.capacity[tile, number])}"
                raise PlacementError(name, message)


def _number(value: float) -> str:
    return f"{value:g}"
