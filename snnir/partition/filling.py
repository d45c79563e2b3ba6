"""Gaps of crossbars, filled with layers that can be divided anywhere."""

from collections.abc import Sequence

import numpy as np

from snnir.partition.material import Material
from snnir.partition.packing import Bin, Room
from snnir.partition.problem import Part, Problem, Vector
from snnir.synapses import IntArray


class Filling:
    """Materials, and the crossbars in whose gaps they are put."""

    def __init__(self, problem: Problem, materials: Sequence[Material], room: Room, bins: Sequence[Bin]) -> None:
        self.problem, self.room = problem, room
        self.materials = list(materials)
        self.rows = [bin_.rows for bin_ in bins]
        """Free rows of each crossbar."""
        self.columns = [min(bin_.columns, bin_.neurons) if room.neurons else bin_.columns for bin_ in bins]
        """Free columns of each crossbar."""
        self.slices = [set(bin_.kinds) for bin_ in bins]
        """The slices on each crossbar; the number of the layer for a whole one."""
        self.where = {each.layer: np.full(len(each.counts), -1) for each in materials}
        """Layer -> the crossbar of each of its neurons, -1 for none yet."""
        self.places = np.full(problem.axons, -1)
        """The crossbar of the neuron behind each axon, -1 for none."""
        self._groups = {
            layer: [group for group in problem.groups if group.source == layer] for layer in range(len(problem.layers))
        }

    def mark(self, layer: int, neurons: IntArray, crossbar: int) -> None:
        """Neurons sit on a crossbar."""
        for group in self._groups[layer]:
            self.places[group.start + neurons] = crossbar

    def fill(self, *, chained: bool, grouped: bool = False) -> None:
        """Put every neuron on a crossbar: first where most of what it reads comes from, then wherever there is room.

        `chained`: what is put anywhere keeps room for those that read it. `grouped`: it goes in the order of the
        crossbars that it reads, not of its numbers, so that few crossbars read each.
        """
        for each in self.materials:
            self._near(each, np.arange(len(each.counts)))
        for each in sorted(self.materials, key=lambda each: -int(each.counts.max(initial=0))):
            self._anywhere(each, chained=chained, grouped=grouped)

    def _near(self, each: Material, neurons: IntArray) -> None:
        """Put neurons where most of what they read comes from, those that read most first, as far as they fit."""
        wish, gain = each.wishes(self.places, self.problem.spikes)
        order = neurons[(wish[neurons] >= 0) & (self.where[each.layer][neurons] < 0)]
        order = order[np.lexsort((-gain[order], wish[order]))]
        for run in np.split(order, np.flatnonzero(np.diff(wish[order])) + 1) if len(order) else []:
            crossbar = int(wish[run[0]])
            self.put(each, self._fitting(each, run, crossbar), crossbar)

    def _anywhere(self, each: Material, *, chained: bool, grouped: bool) -> None:
        """Put neurons in order into the gaps, and those on new crossbars for which there is no room."""
        children = self._children(each) if chained else []
        rows, columns = self._needs(each, children)
        least = int(each.counts.min(initial=self.room.rows))
        left = np.flatnonzero(self.where[each.layer] < 0)
        if grouped:
            left = left[np.argsort(each.wishes(self.places, self.problem.spikes)[0][left], kind="stable")]
        gaps = (n for n in range(len(self.rows)) if self.columns[n] and self.rows[n] >= least)
        while len(left):
            crossbar = next(gaps, len(self.rows))
            if crossbar == len(self.rows):
                self.rows.append(self.room.rows)
                self.columns.append(self.room.columns)
                self.slices.append(set())
            some = left[: self.room.columns]
            taken = np.cumsum(rows[some])
            fits = int(((taken <= self.rows[crossbar]) & (np.cumsum(columns[some]) <= self.columns[crossbar])).sum())
            # rather one whose readers are elsewhere than a gap
            fits += not fits or taken[fits - 1] < self.rows[crossbar]
            some = self._fitting(each, some[:fits], crossbar)
            self.put(each, some, crossbar)
            for child in children if len(some) else ():
                self._near(child, self._readers(child, each, some))
            left = left[len(some) :]

    def _children(self, each: Material) -> list[Material]:
        """The materials that read this one and nothing else."""
        return [
            other
            for other in self.materials
            if other.layer != each.layer
            and len(other.read)
            and {self.problem.groups[i.group].source for i in self.problem.layers[other.layer].inputs} == {each.layer}
        ]

    def _needs(self, each: Material, children: Sequence[Material]) -> tuple[IntArray, Vector]:
        """Rows and columns that each neuron takes together with those of the children that still have no place."""
        rows, columns = each.counts.copy(), np.ones(len(each.counts))
        for child in children:
            owner = np.repeat(np.arange(len(child.counts)), child.counts)
            waiting = self.where[child.layer][owner] < 0
            source = self._sources(each.layer)[child.read[waiting]]
            np.add.at(rows, source, 1)
            np.add.at(columns, source, 1 / child.counts[owner[waiting]])
        return rows, columns

    def _sources(self, layer: int) -> IntArray:
        """The neuron of a layer behind each axon; only for axons of that layer."""
        result = np.zeros(self.problem.axons, np.int64)
        for group in self._groups[layer]:
            result[group.start : group.start + group.size] = np.arange(group.size)
        return result

    def _readers(self, child: Material, each: Material, neurons: IntArray) -> IntArray:
        """The neurons of a child that read some neurons."""
        read = np.zeros(self.problem.axons, np.bool_)
        for group in self._groups[each.layer]:
            read[group.start + neurons] = True
        return np.unique(np.repeat(np.arange(len(child.counts)), child.counts)[read[child.read]])

    def _fitting(self, each: Material, neurons: IntArray, crossbar: int) -> IntArray:
        """As many of the first neurons as a crossbar has room for."""
        if self.room.slices and len(self.slices[crossbar] | {each.layer}) > self.room.slices:
            return neurons[:0]
        some = neurons[: self.columns[crossbar]]
        return some[: int(np.searchsorted(np.cumsum(each.counts[some]), self.rows[crossbar], side="right"))]

    def put(self, each: Material, neurons: IntArray, crossbar: int) -> None:
        """Put neurons on a crossbar, which must have room for them."""
        if not len(neurons):
            return
        self.where[each.layer][neurons] = crossbar
        self.rows[crossbar] -= int(each.counts[neurons].sum())
        self.columns[crossbar] -= len(neurons)
        self.slices[crossbar].add(each.layer)
        self.mark(each.layer, neurons, crossbar)

    def parts(self) -> list[list[Part]]:
        """For each crossbar the parts of the materials."""
        result: list[list[Part]] = [[] for _ in self.rows]
        for each in self.materials:
            where = self.where[each.layer]
            order = np.argsort(where, kind="stable")
            for run in np.split(order, np.flatnonzero(np.diff(where[order])) + 1) if len(order) else []:
                result[int(where[run[0]])].append(Part(each.layer, run, each.axons(run)))
        return result


def further(materials: Sequence[Material], room: Room, bins: Sequence[Bin]) -> int:
    """How many crossbars a filling takes beside these, about: counted with equal neurons."""
    rows = np.array([bin_.rows for bin_ in bins], np.int64)
    columns = np.array([min(b.columns, b.neurons) if room.neurons else b.columns for b in bins], np.int64)
    slices = np.array([len(bin_.kinds) for bin_ in bins], np.int64)
    added = 0
    for each in sorted(materials, key=lambda each: -int(each.counts.max(initial=0))):
        left, need = len(each.counts), max(1, int(each.counts.max(initial=0)))
        fits = np.minimum(rows // need, columns)
        if room.slices:
            fits[slices >= room.slices] = 0
        before = np.cumsum(fits) - fits
        taken = np.clip(left - before, 0, fits)
        slices = slices + (taken > 0)
        rows, columns, left = rows - taken * need, columns - taken, left - int(taken.sum())
        most = min(room.rows // need, room.columns)
        new = -(-left // most)
        used = np.minimum(most, left - np.arange(new) * most)
        rows = np.concatenate([rows, room.rows - used * need])
        columns = np.concatenate([columns, room.columns - used])
        slices = np.concatenate([slices, np.ones(new, np.int64)])
        added += new
    return added
