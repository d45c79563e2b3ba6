"""Cutting capacities back, one after the other, in graphs whose actors fire once per iteration."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from heapq import heappop, heappush

from snnir.maxplus.storage import Storage, Store, room_of


class Cutter:
    """A graph with stores of rates 1, each firing once per iteration, that keeps a period.

    For the period n/d an edge weighs d * time - n * tokens. Potentials h with h(v) >= h(u) + weight for all edges prove
    the period; they make the costs h(v) - h(u) - weight of Dijkstra's algorithm non-negative (Johnson, J. ACM 24(1),
    1977), here in integers of any size. `capacities` have to keep the period.
    """

    def __init__(self, storage: Storage, capacities: Sequence[int], period: Fraction) -> None:
        self.capacities = list(capacities)
        self._storage, self._period = storage, period
        self._height = storage.heights(capacities, period)
        self._ways: list[dict[tuple[int, int], int]] = [{} for _ in self._height]
        """For each node the edges that leave it: to which node, for which store (-1: none), and the weight."""
        for source, target, time, tokens in storage.fixed_edges():
            weight = period.denominator * time - period.numerator * tokens
            ways = self._ways[source]
            ways[target, -1] = max(weight, ways.get((target, -1), weight))
        for number in range(len(capacities)):
            self._set(number)

    def _set(self, number: int) -> None:
        """Let the edge of a store weigh what its capacity says."""
        for owner, claimant in {(each[0], each[1]) for each in self._storage.ends(number)}:
            self._ways[owner].pop((claimant, number), None)
        for reader, (owner, claimant, time) in self._readers(number):
            room = room_of(reader, self.capacities[number]) - reader.tokens + reader.shift
            weight = self._period.denominator * time - self._period.numerator * room
            ways = self._ways[owner]
            ways[claimant, number] = max(weight, ways.get((claimant, number), weight))

    def _readers(self, number: int) -> Iterator[tuple[Store, tuple[int, int, int]]]:
        """The readers of a store, and the firings that release and claim its room with the time of the first."""
        return zip(self._storage.stores[number].readers, self._storage.ends(number), strict=True)

    def cut(self, number: int) -> None:
        """Give a store the least capacity with which the others still keep the period."""
        ends = self._storage.ends(number)
        claimant = ends[0][1]
        near = self._distances(claimant, {owner for owner, _, _ in ends}, without=number)
        least = self._storage.stores[number].smallest
        for reader, (owner, _, time) in self._readers(number):
            if owner in near:
                # no cycle through the store is heavier than 0: the heaviest way from claimant to owner, and back
                way = self._height[owner] - self._height[claimant] - near[owner]
                total = way + self._period.denominator * time
                least = max(least, -(-total // self._period.numerator) + reader.tokens - reader.shift)
        if least >= self.capacities[number]:
            return
        self.capacities[number] = least
        self._set(number)
        # a cycle passes the claimant once, so it has one of the edges of the readers, which all lead there
        raised = max(self._height[owner] + self._ways[owner][claimant, number] for owner, _, _ in ends)
        raised -= self._height[claimant]
        for node, distance in near.items():
            self._height[node] += max(0, raised - distance)

    def _distances(self, start: int, ends: set[int], without: int) -> dict[int, int]:
        """The least cost of ways from `start` to the nodes nearer than the last of `ends`, and to those to which there
        are any; ways that use the store `without` do not count."""
        left = set(ends)
        height, found = self._height, dict[int, int]()
        heap = [(0, start)]
        while heap:
            distance, node = heappop(heap)
            if node in found:
                continue
            found[node] = distance
            left.discard(node)
            if not left:
                break
            base = distance - height[node]
            for (target, number), weight in self._ways[node].items():
                if target not in found and number != without:
                    heappush(heap, (base + height[target] - weight, target))
        return found
