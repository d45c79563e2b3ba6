"""Fewer spikes between crossbars at the same number of crossbars: what fills gaps changes places.

A neuron that fills a gap would save spikes on a crossbar that its sources sit on or that other neurons with the same
sources sit on, and on one that reads it. Those that would save most move there first, into free room or in exchange
for neurons that lose less by going the other way. All gains are taken from the state before a pass: what a moved neuron
reads, and what reads it, stays where it is in that pass, and a pass counts only if the total went down.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snnir.partition.filling import Filling
from snnir.partition.material import Material
from snnir.partition.problem import Part, Vector
from snnir.synapses import IntArray

_PASSES = 8
_LEAST = 1e-3
"""A pass that saves a smaller share than this is the last."""
MOST_PAIRS = 8_000_000
"""Rows of crossbars up to which refinement is worth its time."""


class Traffic:
    """Which crossbars read which neurons and inputs, where tiles and materials lie."""

    def __init__(self, filling: Filling, clusters: Sequence[Sequence[Part]]) -> None:
        problem = filling.problem
        self._filling, self._home = filling, problem.home
        self.spikes: Vector = np.zeros(int(self._home.max(initial=-1)) + 1)
        """Of each number in `problem.home`, per step."""
        np.maximum.at(self.spikes, self._home, problem.spikes)
        self.bins = len(filling.rows)
        read = [self._home[part.axons] * self.bins + c for c, parts in enumerate(clusters) for part in parts]
        self.tiles = distinct(np.concatenate([np.empty(0, np.int64), *read]))
        """home * crossbars + crossbar, of what tiles read, ascending."""

    @property
    def own(self) -> IntArray:
        """The crossbar of the neuron behind each home, -1 for inputs."""
        result = np.full(len(self.spikes), -1)
        result[self._home] = self._filling.places
        return result

    def by_materials(self, each: Material) -> IntArray:
        """home * crossbars + crossbar, of what the neurons of a material read."""
        where = np.repeat(self._filling.where[each.layer], each.counts)
        return self._home[each.read] * self.bins + where

    def total(self) -> float:
        """Spikes per step between crossbars."""
        more = [self.by_materials(each) for each in self._filling.materials]
        home, crossbar = np.divmod(distinct(np.concatenate([self.tiles, *more])), self.bins)
        return float(self.spikes[home[self.own[home] != crossbar]].sum())


@dataclass
class _Gains:
    """What neurons of materials save on crossbars, by neuron * crossbars + crossbar."""

    bins: int
    keys: IntArray
    values: Vector

    def of(self, keys: IntArray) -> Vector:
        """0 where nothing is saved."""
        if not len(self.keys):
            return np.zeros(len(keys))
        at = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.values[at], 0.0)


class Refinement:
    """Moves of the neurons of all materials, numbered one layer after the other."""

    def __init__(self, filling: Filling, traffic: Traffic) -> None:
        self._filling, self._traffic = filling, traffic
        self._firsts = np.cumsum([0, *(len(each.counts) for each in filling.materials)])
        self._counts = np.concatenate([np.empty(0, np.int64), *(each.counts for each in filling.materials)])
        self._starts, self._near = self._links()

    def run(self) -> float:
        """Passes until none helps; the spikes per step that are left between crossbars."""
        total = self._traffic.total()
        if not len(self._counts):
            return total
        for _ in range(_PASSES):
            before = self._where()
            self._pass()
            now = self._traffic.total()
            if now > total:
                self._set(before)
                break
            last, total = now >= total * (1 - _LEAST), now
            if last:
                break
        return total

    def _where(self) -> IntArray:
        return np.concatenate([self._filling.where[each.layer] for each in self._filling.materials])

    def _set(self, where: IntArray) -> None:
        """Put all neurons where they are to be."""
        filling, before = self._filling, self._where()
        for old, sign in ((before, 1), (where, -1)):
            rows = np.bincount(old, self._counts, minlength=len(filling.rows)).astype(np.int64)
            columns = np.bincount(old, minlength=len(filling.rows))
            filling.rows = (np.array(filling.rows) + sign * rows).tolist()
            filling.columns = (np.array(filling.columns) + sign * columns).tolist()
        for number, each in enumerate(filling.materials):
            mine = where[self._firsts[number] : self._firsts[number + 1]]
            filling.where[each.layer] = mine.copy()
            for group in filling.problem.groups:
                if group.source == each.layer:
                    filling.places[group.start : group.start + group.size] = mine

    def _links(self) -> tuple[list[int], list[int]]:
        """For each neuron those that it reads and those that read it: starts in a list, and the list."""
        number = np.full(self._filling.problem.axons, -1)
        for first, each in zip(self._firsts.tolist(), self._filling.materials, strict=False):
            for group in self._filling.problem.groups:
                if group.source == each.layer:
                    number[group.start : group.start + group.size] = first + np.arange(group.size)
        pairs = [np.empty((2, 0), np.int64)]
        for first, each in zip(self._firsts.tolist(), self._filling.materials, strict=False):
            both = np.stack([first + np.repeat(np.arange(len(each.counts)), each.counts), number[each.read]])
            both = both[:, both[1] >= 0]
            pairs += [both, both[::-1]]
        owner, other = np.concatenate(pairs, axis=1)
        starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(self._counts)))])
        return starts.tolist(), other[np.argsort(owner, kind="stable")].tolist()

    def _gains(self) -> _Gains:
        """What each neuron saves on the crossbars where it saves something."""
        traffic, filling, bins = self._traffic, self._filling, self._traffic.bins
        own, spikes = traffic.own, traffic.spikes
        keys: list[IntArray] = [np.empty(0, np.int64)]
        values: list[Vector] = [np.empty(0)]
        readers = distinct(np.concatenate([traffic.tiles, *(traffic.by_materials(m) for m in filling.materials)]))
        for first, each in zip(self._firsts.tolist(), filling.materials, strict=False):
            owner = first + np.repeat(np.arange(len(each.counts)), each.counts)
            source = filling.problem.home[each.read]
            here = own[source]
            known = here >= 0
            keys.append(owner[known] * bins + here[known])
            values.append(spikes[source[known]])
            at, crossbar = _joined(source, traffic.tiles, bins)
            other = crossbar != here[at]
            keys.append(owner[at[other]] * bins + crossbar[other])
            values.append(spikes[source[at[other]]])
            for group in [group for group in filling.problem.groups if group.source == each.layer][:1]:
                home = filling.problem.home[group.start : group.start + group.size]
                at, crossbar = _joined(home, readers, bins)
                keys.append((first + at) * bins + crossbar)
                values.append(spikes[home[at]])
        together, value = np.concatenate(keys), np.concatenate(values)
        order = np.argsort(together, kind="stable")
        together, value = together[order], value[order]
        start = np.flatnonzero(np.diff(together, prepend=-1))
        return _Gains(bins, together[start], np.add.reduceat(value, start) if len(start) else value)

    def _pass(self) -> None:
        gains, where = self._gains(), self._where()
        unit, crossbar = np.divmod(gains.keys, gains.bins)
        here = gains.of(np.arange(len(where)) * gains.bins + where)
        more = gains.values - here[unit]
        useful = np.flatnonzero((more > 1e-9) & (crossbar != where[unit]))
        useful = useful[self._possible(gains, where, here, unit[useful], crossbar[useful], more[useful])]
        useful = useful[np.argsort(-more[useful], kind="stable")]
        on: dict[int, list[int]] = defaultdict(list)
        for number, place in enumerate(where.tolist()):
            on[place].append(number)
        moved = np.zeros(len(where), np.bool_)
        links = self._starts, self._near
        exchange = _Exchange(self._filling, self._layers(), self._counts, gains, where, on, moved, links)
        for number in useful.tolist():
            if not moved[unit[number]]:
                exchange.move(int(unit[number]), int(crossbar[number]), float(more[number]))
        self._set(exchange.where)

    def _possible(
        self, gains: _Gains, where: IntArray, here: Vector, unit: IntArray, crossbar: IntArray, more: Vector
    ) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Which moves may come true: there is room, or something there that may lose less than they gain."""
        owner, place = np.divmod(gains.keys, gains.bins)
        elsewhere = np.zeros(len(where))
        other = place != where[owner]
        np.maximum.at(elsewhere, owner[other], gains.values[other])
        least = np.full(gains.bins, np.inf)
        np.minimum.at(least, where, here - elsewhere)
        rows, columns = np.array(self._filling.rows), np.array(self._filling.columns)
        return (least[crossbar] < more) | ((rows[crossbar] >= self._counts[unit]) & (columns[crossbar] >= 1))

    def _layers(self) -> IntArray:
        return np.repeat([each.layer for each in self._filling.materials], np.diff(self._firsts))


class _Exchange:
    """One pass: every neuron moves at most once."""

    def __init__(
        self,
        filling: Filling,
        layers: IntArray,
        counts: IntArray,
        gains: _Gains,
        where: IntArray,
        on: dict[int, list[int]],
        moved: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
        links: tuple[list[int], list[int]],
    ) -> None:
        self._starts, self._near = links
        self._filling, self._layers, self._counts = filling, layers, counts.tolist()
        self._gains, self.where, self._on, self._moved = gains, where.copy(), on, moved
        self._rows, self._columns = list(filling.rows), list(filling.columns)
        self._tried: dict[int, int] = defaultdict(int)

    def move(self, unit: int, to: int, more: float) -> None:
        """Move a neuron if there is room, or if others lose less than it gains by making room."""
        start, need = int(self.where[unit]), self._counts[unit]
        if not self._may(unit, to):
            return
        if self._rows[to] >= need and self._columns[to] >= 1:
            self._put(unit, to)
            return
        if self._tried[to] > 64:
            return
        others = np.array([n for n in self._on[to] if not self._moved[n]], np.int64)
        if not len(others):
            return
        loss = self._gains.of(others * self._gains.bins + to) - self._gains.of(others * self._gains.bins + start)
        rows, columns, leaving = self._rows[to], self._columns[to], list[int]()
        room, places = self._rows[start] + need, self._columns[start] + 1
        linked = set(self._linked(unit))
        for index in np.argsort(loss, kind="stable").tolist():
            other = int(others[index])
            if rows >= need and columns >= 1:
                break
            if loss[index] >= more:
                self._tried[to] += 1
                return
            if self._counts[other] > room or places < 1 or other in linked or not self._may(other, start):
                continue
            leaving.append(other)
            linked.update(self._linked(other))
            more -= float(loss[index])
            rows, columns = rows + self._counts[other], columns + 1
            room, places = room - self._counts[other], places - 1
        if rows < need or columns < 1 or more <= 1e-9:
            self._tried[to] += 1
            return
        for other in leaving:
            self._put(other, start)
        self._put(unit, to)

    def _may(self, unit: int, to: int) -> bool:
        """Whether the number of slices allows it; a crossbar keeps those that it has."""
        most = self._filling.room.slices
        return not most or int(self._layers[unit]) in self._filling.slices[to]

    def _put(self, unit: int, to: int) -> None:
        start, need = int(self.where[unit]), self._counts[unit]
        self._rows[start] += need
        self._columns[start] += 1
        self._rows[to] -= need
        self._columns[to] -= 1
        self._on[start].remove(unit)
        self._on[to].append(unit)
        self.where[unit] = to
        self._moved[unit] = True
        self._moved[self._linked(unit)] = True

    def _linked(self, unit: int) -> list[int]:
        """What a neuron reads and what reads it."""
        return self._near[self._starts[unit] : self._starts[unit + 1]]


def distinct(values: IntArray) -> IntArray:
    """Each value once, ascending; several times as fast as numpy's, which hashes."""
    values = np.sort(values)
    return values[np.flatnonzero(np.diff(values, prepend=values[:1] - 1))]


def _joined(source: IntArray, pairs: IntArray, bins: int) -> tuple[IntArray, IntArray]:
    """All crossbars that read each source, as positions in `source` and crossbars; `pairs` ascend."""
    start, stop = np.searchsorted(pairs, source * bins), np.searchsorted(pairs, (source + 1) * bins)
    counts = stop - start
    at = np.repeat(np.arange(len(source)), counts)
    before = np.cumsum(counts) - counts
    return at, pairs[np.arange(int(counts.sum())) - before[at] + start[at]] % bins
