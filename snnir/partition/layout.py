"""Covers on crossbars: which piece lies where, gaps filled, as parts of clusters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from snnir.partition.covers import Cover
from snnir.partition.filling import Filling, further
from snnir.partition.material import Material
from snnir.partition.packing import Bin, Piece, Room, pack
from snnir.partition.problem import Part, Plan, Problem
from snnir.partition.refinement import MOST_PAIRS, Refinement, Traffic


@dataclass(frozen=True)
class Layout:
    """Covers packed on crossbars."""

    covers: Sequence[Cover]
    pieces: Sequence[tuple[int, int]]
    """Of each piece: its cover and its number there."""
    bins: Sequence[Bin]
    crossbars: int
    """How many there will be when the gaps are filled."""

    @staticmethod
    def of(covers: Sequence[Cover], materials: Sequence[Material], room: Room) -> "Layout":
        """Pack the pieces of covers."""
        pieces: list[Piece] = []
        names: list[tuple[int, int]] = []
        for number, (cover, first) in enumerate(zip(covers, _firsts(covers), strict=False)):
            for place, (rows, columns, homes) in enumerate(cover.pattern.shapes):
                kinds = (cover.layer,) if cover.is_mergeable else tuple(-1 - first - home for home in homes)
                pieces.append(Piece(rows, columns, kinds, cover.kept(place) if room.neurons else 0))
                names.append((number, place))
        bins = pack(pieces, room)
        return Layout(covers, names, bins, len(bins) + further(materials, room, bins))

    def planned(self, problem: Problem, materials: Sequence[Material], room: Room, *, grouped: bool = False) -> Plan:
        """The clusters with gaps filled, refined unless they are too many; `grouped` as in `Filling.fill`."""
        clusters = self._clusters()
        few = sum(len(part.axons) for cluster in clusters for part in cluster) <= MOST_PAIRS
        ways = [
            self._filled(problem, materials, room, clusters, chained, grouped) for chained in (True, False)[: 1 + few]
        ]
        fewest = min(len(filling.rows) for filling in ways)
        found = [(filling, Traffic(filling, clusters)) for filling in ways if few and len(filling.rows) == fewest]
        filling = next(each for each in ways if len(each.rows) == fewest)
        if found:
            filling, traffic = min(found, key=lambda one: one[1].total())
            Refinement(filling, traffic).run()
        joined = zip_longest(clusters, filling.parts(), fillvalue=list[Part]())
        return [merged([*cluster, *more]) for cluster, more in joined]

    def _filled(
        self,
        problem: Problem,
        materials: Sequence[Material],
        room: Room,
        clusters: Sequence[Sequence[Part]],
        chained: bool,
        grouped: bool,
    ) -> Filling:
        filling = Filling(problem, materials, room, self.bins)
        for crossbar, cluster in enumerate(clusters):
            for part in cluster:
                if not part.is_partial:
                    filling.mark(part.layer, part.neurons, crossbar)
        filling.fill(chained=chained, grouped=grouped)
        return filling

    def _clusters(self) -> list[list[Part]]:
        firsts, homes = _firsts(self.covers), self._homes()
        made = [cover.parts() for cover in self.covers]
        clusters: list[list[Part]] = []
        for crossbar, bin_ in enumerate(self.bins):
            cluster: list[Part] = []
            for piece in bin_.pieces:
                number, place = self.pieces[piece]
                whole = len(self.covers[number].pattern.pieces) == 1
                for home, part in made[number][place]:
                    name = firsts[number] + home
                    partial = part.is_partial or (not self.covers[number].ready and homes[name] != crossbar)
                    cluster.append(part if whole else replace(part, home=name, is_partial=partial))
            clusters.append(cluster)
        return clusters

    def _homes(self) -> dict[int, int]:
        """The crossbar that the neurons of each home sit on: the one with most room for those that read them."""
        firsts = _firsts(self.covers)
        result: dict[int, int] = {}
        most: dict[int, int] = {}
        for crossbar, bin_ in enumerate(self.bins):
            for piece in bin_.pieces:
                number, place = self.pieces[piece]
                for home in self.covers[number].pattern.shapes[place][2]:
                    name = firsts[number] + home
                    if bin_.rows > most.get(name, -1):
                        most[name], result[name] = bin_.rows, crossbar
        return result


def _firsts(covers: Sequence[Cover]) -> list[int]:
    """The number of the first home of each cover, and the number of all."""
    return np.cumsum([0, *(len(cover.pattern.widths) for cover in covers)]).tolist()


def merged(parts: Sequence[Part]) -> list[Part]:
    """Whole parts of the same layer as one, and so parts of the same home."""
    found: dict[tuple[int, int, int], list[Part]] = {}
    for number, part in enumerate(parts):
        alone = number if part.kernel is not None else -1
        found.setdefault((part.layer, -1 if part.home is None else part.home, alone), []).append(part)
    return [_joined(found[key]) for key in sorted(found)]


def _joined(parts: Sequence[Part]) -> Part:
    """Parts of one layer on one crossbar as one; those of a home have the same neurons."""
    first = parts[0]
    if len(parts) == 1:
        return first
    axons = np.unique(np.concatenate([part.axons for part in parts]))
    if first.home is not None:
        return replace(first, axons=axons)
    return Part(first.layer, np.sort(np.concatenate([part.neurons for part in parts])), axons)
