"""How the synapses of neurons that stay together are shared out over crossbars.

Neurons that stay together in all crossbars are a *home*. Axons that the same homes of a cover read are a *class*.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from snnir.partition.problem import Part, rows_of
from snnir.synapses import IntArray


class Slab(NamedTuple):
    """Axons `start..stop-1` of a class, and the homes that read them on this crossbar."""

    group: int
    start: int
    stop: int
    homes: tuple[int, ...]


@dataclass(frozen=True)
class Pattern:
    """How a cover is cut, by sizes alone: equal for equal places of a layer."""

    widths: tuple[int, ...]
    """The number of neurons of each home."""
    pieces: tuple[tuple[Slab, ...], ...]
    """What lies on one crossbar each; the classes of a piece differ."""

    @cached_property
    def shapes(self) -> list[tuple[int, int, tuple[int, ...]]]:
        """Of each piece the rows, the columns, and the homes."""
        result: list[tuple[int, int, tuple[int, ...]]] = []
        for slabs in self.pieces:
            homes = tuple(sorted({home for slab in slabs for home in slab.homes}))
            rows = sum(slab.stop - slab.start for slab in slabs)
            result.append((rows, sum(self.widths[home] for home in homes), homes))
        return result


@dataclass(frozen=True)
class Cover:
    """Neurons of a layer and all their synapses."""

    layer: int
    pattern: Pattern
    homes: Callable[[], Sequence[IntArray]]
    """The neurons of each home."""
    classes: Callable[[], Sequence[IntArray]]
    """The axons of each class, ascending."""
    ready: tuple[Part, ...] = ()
    """The part of each piece, where the cover is a kernel that is read at several positions in a step."""

    @property
    def is_mergeable(self) -> bool:
        """Whether it makes one slice with other covers of its layer on the same crossbar."""
        return len(self.pattern.pieces) == 1 and not self.ready

    def kept(self, piece: int) -> int:
        """The neurons whose state a piece keeps; all those of its columns where that is not known yet."""
        if self.ready:
            return 0 if self.ready[piece].is_partial else len(self.ready[piece].neurons)
        return self.pattern.shapes[piece][1]

    def parts(self) -> list[list[tuple[int, Part]]]:
        """For each piece its parts, and their homes."""
        if self.ready:
            return [[(0, part)] for part in self.ready]
        neurons, classes = self.homes(), self.classes()
        result: list[list[tuple[int, Part]]] = []
        for number, slabs in enumerate(self.pattern.pieces):
            parts: list[tuple[int, Part]] = []
            for home in self.pattern.shapes[number][2]:
                read = [classes[s.group][s.start : s.stop] for s in slabs if home in s.homes and s.stop > s.start]
                axons = read[0] if len(read) == 1 else np.sort(np.concatenate([np.empty(0, np.int64), *read]))
                parts.append((home, Part(self.layer, neurons[home], axons)))
            result.append(parts)
        return result


def shared(parts: Sequence[Part]) -> Cover:
    """The cover of a kernel, from its parts: one, or those of a home."""
    bounds = np.cumsum([0, *(rows_of([part]) for part in parts)]).tolist()
    slabs = tuple((Slab(0, start, stop, (0,)),) for start, stop in pairwise(bounds))
    return Cover(parts[0].layer, Pattern((parts[0].columns,), slabs), list, list, tuple(parts))


def chunks(columns: int, axons: int, rows: int) -> Pattern:
    """One home: as many full crossbars of rows as its axons fill, and the rest."""
    starts = range(0, max(axons, 1), rows)
    return Pattern((columns,), tuple((Slab(0, start, min(start + rows, axons), (0,)),) for start in starts))
