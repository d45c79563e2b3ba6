"""Exact search for the smallest capacities of the stores of a graph, by branching over what limits the throughput."""

from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.errors import TooLarge
from snnir.maxplus.graph import LARGEST, Integers
from snnir.maxplus.storage import Limit, Storage

_FREE = LARGEST * 2 - 1
"""Stands for the capacity that would break a cycle on which a store is not."""


@dataclass(frozen=True)
class Distribution:
    """Capacities, one for each store, their weighted sum `size`, and the period that the graph has with them."""

    capacities: tuple[int, ...]
    size: int
    period: Fraction


def size_of(storage: Storage, capacities: tuple[int, ...]) -> int:
    """The weighted sum of capacities."""
    return sum(store.weight * capacity for store, capacity in zip(storage.stores, capacities, strict=True))


@dataclass(frozen=True)
class _Box:
    """All distributions from `low` to `high`, both included."""

    low: tuple[int, ...]
    high: tuple[int, ...]


class Search:
    """Distributions by size, best first.

    A cycle of too long a period remains as long as none of its stores grows beyond the capacity that breaks it
    (`Limit`): that is the branching of Stuijk, Geilen, Basten (DAC 2006; IEEE Trans. Computers 57(10), 2008) over
    storage dependencies. Beyond that, three things keep the search small. The set of distributions is split without
    overlap: where the second store of a cycle grows, the first one stays too small to break it. Cycles are remembered,
    so that the graph is analysed only for distributions that no known cycle excludes. And known cycles without a store
    in common need space each on its own, which bounds the size from below (as in A*).

    `effort` bounds the work, in distributions looked at: one counts for as many as the graph has fifties of stores, for
    as many more as what is compared with known cycles has fifty thousands of numbers, and if it is analysed, for five
    and as many as the graph has thousands of edges; beyond it, `TooLarge`.
    """

    def __init__(self, storage: Storage, effort: int) -> None:
        self._storage, self._effort, self._spent = storage, effort, 0
        stores = storage.stores
        self._limits: list[Limit] = []
        self._enough = np.zeros((0, len(stores)), np.int64)
        self._present = np.zeros((0, len(stores)), np.int64)
        low = tuple(store.smallest for store in stores)
        high = tuple(LARGEST if store.most is None else store.most for store in stores)
        self._heap: list[tuple[int, int, _Box]] = []
        if all(least <= most for least, most in zip(low, high, strict=True)):
            self._push(0, _Box(low, high))

    def _push(self, bound: int, box: _Box) -> None:
        # of boxes with the same bound, the last one first: deep before wide; no two have the same second entry
        heappush(self._heap, (bound, -self._spent, box))
        self._spent += 1 + len(box.low) // 50

    def below(self, period: Fraction | None, *, strictly: bool) -> Distribution | None:
        """The next smallest distribution with at most this period (`strictly`: a shorter one), of which None is greater
        than any; None when there is none.

        Asked again, with a shorter period, the search goes on: no distribution in between is smaller.
        """

        def excludes(limit: Limit) -> bool:
            if limit.period is None:
                return True
            return period is not None and (limit.period >= period if strictly else limit.period > period)

        active = np.array([excludes(limit) for limit in self._limits], np.bool_)
        while self._heap:
            if self._spent > self._effort:
                raise TooLarge(
                    f"the search for the smallest capacities was stopped after {self._effort} steps", (), period
                )
            least, _, box = heappop(self._heap)
            settled = self._settle(box, active)
            if settled is None:
                continue
            box, cycles = settled
            bound = self._bound(box, cycles)
            if bound > least and self._heap and bound > self._heap[0][0]:
                self._push(bound, box)
            elif cycles:
                self._branch(bound, box, cycles)
            else:
                limit = self._analyse(box.low)
                active = np.append(active, excludes(limit))
                self._push(bound, box)
                if not active[-1] and limit.period is not None:
                    return Distribution(box.low, size_of(self._storage, box.low), limit.period)
        return None

    def _analyse(self, capacities: tuple[int, ...]) -> Limit:
        limit = self._storage.limit(capacities)
        self._spent += 5 + self._storage.edge_count // 1000
        enough = np.full(len(capacities), _FREE, np.int64)
        present = np.full(len(capacities), -_FREE, np.int64)
        enough[list(limit.stores)], present[list(limit.stores)] = limit.enough, limit.present
        self._limits.append(limit)
        self._enough, self._present = np.vstack((self._enough, enough)), np.vstack((self._present, present))
        return limit

    def _settle(self, box: _Box, active: NDArray[np.bool_]) -> tuple[_Box, list[Limit]] | None:
        """The box without what known cycles leave no choice about, and the cycles that exclude its least distribution;
        None when nothing remains."""
        low, high = np.array(box.low, np.int64), np.array(box.high, np.int64)
        while True:
            self._spent += self._enough.size // 50_000
            held: Integers = np.flatnonzero(
                active & (low < self._enough).all(axis=1) & (low >= self._present).all(axis=1)
            )
            choice = self._enough[held] <= high
            choices = choice.sum(axis=1)
            if not choices.all():
                return None
            forced = np.flatnonzero(choices == 1)
            if not forced.size:
                return _Box(tuple(low.tolist()), box.high), [self._limits[each] for each in held.tolist()]
            number = int(np.flatnonzero(choice[forced[0]])[0])
            low[number] = self._enough[held[forced[0]], number]

    def _bound(self, box: _Box, cycles: list[Limit]) -> int:
        """What a distribution in the box has to have at least: that of `low`, and more for each of some cycles that
        have no store in common."""
        needs: list[tuple[int, set[int]]] = []
        for cycle in cycles:
            options = self._options(box, cycle)
            needs.append((min(cost for cost, _, _ in options), {number for _, number, _ in options}))
        needs.sort(key=lambda need: -need[0])
        total = size_of(self._storage, box.low)
        counted: set[int] = set()
        for cost, stores in needs:
            if not counted & stores:
                total += cost
                counted |= stores
        return total

    def _options(self, box: _Box, cycle: Limit) -> list[tuple[int, int, int]]:
        """What it costs to break a cycle, with which store, and the capacity that does it; cheapest first."""
        return sorted(
            (self._storage.stores[number].weight * (enough - box.low[number]), number, enough)
            for number, enough in zip(cycle.stores, cycle.enough, strict=True)
            if enough <= box.high[number]
        )

    def _branch(self, bound: int, box: _Box, cycles: list[Limit]) -> None:
        """Split the box by what breaks one of the cycles: that with the fewest choices, of those the dearest."""
        options = min((self._options(box, cycle) for cycle in cycles), key=lambda each: (len(each), -each[0][0]))
        high = list(box.high)
        for _, number, enough in options:
            low = (*box.low[:number], enough, *box.low[number + 1 :])
            self._push(bound, _Box(low, tuple(high)))
            high[number] = enough - 1
