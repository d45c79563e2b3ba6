"""Buffers as part of a dataflow graph: which of them limit the throughput, and by how much they have to grow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, chain, cycle, islice
from math import gcd

import numpy as np

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.expansion import KINDS, edges_of_arc, expand
from snnir.maxplus.graph import LARGEST, Integers, TimedGraph
from snnir.maxplus.potentials import start_times
from snnir.maxplus.sdf import Arc, Channel, SDFGraph


@dataclass(frozen=True)
class Store:
    """The room for the tokens of one channel, of a capacity that is to be found.

    `claimant` claims room for `claim` tokens at the start of each firing (phase after phase), `owner` gives that of
    `release` tokens back at the end of each of its firings: the producer and the consumer of the channel, but tokens
    may be on their way through other actors in between. `tokens` are there at the beginning.

    `least` and `most` limit the capacity (None: not); one more token costs `weight`. When the firings of the graph
    stand for other firings of the claimant than of the owner (`snnir.schedule.stages`), `shift` is by how many tokens
    the room at the beginning is greater than capacity - tokens.

    A token that several consumers read from the same buffer takes its room once, until the last of them gives it back.
    Then `others` are the other consumers, as stores whose weights do not count, with the same claimant: each has a room
    of the capacity, or of its own `most` if that is less, which it is for no other one than for the first.
    """

    claimant: str
    owner: str
    claim: tuple[int, ...] = (1,)
    release: tuple[int, ...] = (1,)
    tokens: int = 0
    least: int = 0
    most: int | None = None
    weight: int = 1
    shift: int = 0
    others: "tuple[Store, ...]" = ()

    @property
    def readers(self) -> "tuple[Store, ...]":
        """This store, and the others in the same buffer."""
        return self, *self.others

    @property
    def unit(self) -> int:
        """The greatest common divisor of the rates: beyond the tokens, only multiples of it make a difference."""
        own = gcd(*self.claim, *self.release)
        # initial tokens of others may have any rest
        return 1 if self.others else own

    @property
    def smallest(self) -> int:
        """A capacity without which the graph surely deadlocks, and at least `least`.

        p + c - g + (d mod g) for rates p and c with common divisor g, unless the d initial tokens need more (Stuijk,
        Geilen, Basten, IEEE Trans. Computers 57(10), 2008, section 6); with phases, what one firing needs.
        """
        if self.others:
            return max(replace(self, others=()).smallest, *(other.smallest for other in self.others))
        largest = max(*self.claim, *self.release)
        if len(self.claim) == len(self.release) == 1 and not self.shift:
            largest = self.claim[0] + self.release[0] - self.unit
        needed = max(largest + self.tokens % self.unit, self.tokens, self.least)
        return needed + (self.tokens - needed) % self.unit


@dataclass(frozen=True)
class Limit:
    """A cycle that holds the throughput down, and what may break it.

    Whatever the other capacities are, the period is at least `period` (None: the graph deadlocks) as long as the
    capacity of each store in `stores` is less than its entry in `enough` and not less than that in `present`. No
    stores: whatever all capacities are.
    """

    period: Fraction | None
    stores: tuple[int, ...]
    enough: tuple[int, ...]
    present: tuple[int, ...]

    def longer(self, period: Fraction) -> bool:
        """Whether a shorter period than that of the limit is asked for."""
        return self.period is None or self.period > period


@dataclass(frozen=True)
class _Ends:
    """A store in numbers: the firings that claim and release room, and how many tokens they have by then."""

    claimant: int
    owner: int
    claimed: tuple[int, ...]
    released: tuple[int, ...]


def room_of(store: Store, capacity: int) -> int:
    """The room of a reader of a buffer that has so much."""
    return capacity if store.most is None else min(capacity, store.most)


class Storage:
    """A graph with stores whose capacities change.

    `sdf` holds all other constraints. Raises what `expand` raises; `limit` bounds the firings of an iteration.
    """

    def __init__(self, sdf: SDFGraph, stores: Sequence[Store], limit: int) -> None:
        self.stores = tuple(stores)
        # as channels back with any tokens, so that all that depends on the structure of the graph is known to `expand`
        back = [
            Channel(reader.owner, reader.claimant, reader.release, reader.claim)
            for store in self.stores
            for reader in store.readers
        ]
        self._sdf = replace(sdf, channels=(*sdf.channels, *back))
        expansion = expand(self._sdf, limit)
        graph = expansion.graph
        fixed = np.flatnonzero((expansion.kind != KINDS.index("channel")) | (expansion.index < len(sdf.channels)))
        self._fixed = graph.source[fixed], graph.target[fixed], graph.tokens[fixed]
        self._size, self._first = graph.size, expansion.first
        self._counts = [expansion.repetition[actor.name] for actor in sdf.actors]
        # not those of the edges: with other capacities, edges leave other firings
        times = [islice(cycle(actor.times), count) for actor, count in zip(sdf.actors, self._counts, strict=True)]
        self._time: Integers = np.fromiter(chain.from_iterable(times), np.int64, graph.size)
        self._ends = [[self._ends_of(reader) for reader in store.readers] for store in self.stores]
        self._columns: dict[tuple[int, int, int], tuple[Integers, ...]] = {}
        self._late: Integers = np.zeros(graph.size, np.int64)
        self.edge_count = graph.edge_count

    def _ends_of(self, store: Store) -> _Ends:
        claimant, owner = self._sdf.index[store.claimant], self._sdf.index[store.owner]
        claimed = accumulate(islice(cycle(store.claim), self._counts[claimant]))
        released = accumulate(islice(cycle(store.release), self._counts[owner]))
        return _Ends(claimant, owner, tuple(claimed), tuple(released))

    @cached_property
    def fastest(self) -> Fraction:
        """The period with unlimited space; 0 when nothing else limits the throughput. Raises `Deadlock`."""
        period = self.limit([None] * len(self.stores)).period
        if period is None:
            raise Deadlock("deadlock: some actors wait for each other, however much space there is for their tokens")
        return period

    @property
    def takes_time(self) -> bool:
        """Whether any firing does."""
        return bool(self._time.any())

    @property
    def single(self) -> bool:
        """Whether all stores have rates of 1 and are between actors that fire once per iteration."""
        return all(
            reader.claim == reader.release == (1,) and len(each.claimed) == len(each.released) == 1
            for store, ends in zip(self.stores, self._ends, strict=True)
            for reader, each in zip(store.readers, ends, strict=True)
        )

    def fixed_edges(self) -> Iterator[tuple[int, int, int, int]]:
        """The edges between firings that are no store's: source, target, time and tokens."""
        source, target, tokens = self._fixed
        return zip(*(each.tolist() for each in (source, target, self._time[source], tokens)), strict=True)

    def ends(self, number: int) -> list[tuple[int, int, int]]:
        """Of the readers of a `single` store the firings that release and claim its room, and the time of the first."""
        pairs = [[int(self._first[actor]) for actor in (each.owner, each.claimant)] for each in self._ends[number]]
        return [(owner, claimant, int(self._time[owner])) for owner, claimant in pairs]

    def heights(self, capacities: Sequence[int | None], period: Fraction) -> list[int]:
        """Start times of a schedule of this period, in units of 1 / its denominator. Raises as `start_times` does."""
        source, target, tokens, _, _ = self._columns_of(capacities)
        lag = self._lag(source, target, tokens)
        assert lag is not None
        graph = TimedGraph(self._size, source, target, self._time[source], tokens + lag[target] - lag[source])
        starts = start_times(graph, period)
        late = zip(starts, lag.tolist(), strict=True)
        return [int(start * period.denominator) + each * period.numerator for start, each in late]

    def limit(self, capacities: Sequence[int | None]) -> Limit:
        """What limits the throughput with these capacities, one for each store; None stands for no limit."""
        source, target, tokens, used, bounds = self._columns_of(capacities)
        period, edges = self._critical(source, target, tokens)
        enough: dict[int, int] = {}
        present: dict[int, int] = {}
        for edge in edges:
            place = int(np.searchsorted(bounds, edge, side="right"))
            if place:
                number, reader = used[place - 1]
                low, high = self._range(number, reader, int(source[edge]), int(target[edge]), int(tokens[edge]))
                enough[number] = min(high, enough.get(number, high))
                present[number] = max(low, present.get(number, low))
        stores = tuple(sorted(enough))
        return Limit(period, stores, tuple(enough[n] for n in stores), tuple(present[n] for n in stores))

    def _columns_of(
        self, capacities: Sequence[int | None]
    ) -> tuple[Integers, Integers, Integers, list[tuple[int, int]], Integers]:
        """Sources, targets and tokens of all edges; the stores of limited capacity and their readers; up to which edge
        each part goes."""
        used = [
            (number, reader)
            for number, capacity in enumerate(capacities)
            if capacity is not None
            for reader in range(len(self._ends[number]))
        ]
        columns = [self._fixed, *(self._edges(number, reader, capacities[number] or 0) for number, reader in used)]
        source, target, tokens = (np.concatenate(column) for column in zip(*columns, strict=True))
        return source, target, tokens, used, np.cumsum([len(column[0]) for column in columns])

    def _edges(self, number: int, reader: int, capacity: int) -> tuple[Integers, ...]:
        """Sources, targets and tokens of the edges of a reader of a store."""
        store, ends = self.stores[number].readers[reader], self._ends[number][reader]
        key = number, reader, room_of(store, capacity)
        if key not in self._columns:
            room = key[2] - store.tokens + store.shift
            arc = Arc("capacity", number, ends.owner, ends.claimant, store.release, store.claim, room)
            self._columns[key] = edges_of_arc(self._sdf, arc, self._counts, self._first)[:3]
        return self._columns[key]

    def _range(self, number: int, reader: int, source: int, target: int, tokens: int) -> tuple[int, int]:
        """From which capacity on an edge of a store surely is a constraint, and with which it no longer is.

        Firing k of the claimant takes room up to token C(k), counted from the first that the owner releases, less the
        room at the beginning; firing j of the owner, `tokens` iterations earlier, releases up to R(j) - tokens * R. As
        long as the ends of the owner's firings are in order, less room never helps.
        """
        whole, ends = self.stores[number], self._ends[number][reader]
        store = whole.readers[reader]
        taker, maker = target - int(self._first[ends.claimant]), source - int(self._first[ends.owner])
        begin, end = (ends.claimed[taker - 1] if taker else 0), ends.claimed[taker]
        before, after = (ends.released[maker - 1] if maker else 0), ends.released[maker]
        earlier = tokens * ends.released[-1] + store.tokens - store.shift
        low = (begin + 1 - after + earlier) if self._sdf.overtaking[ends.owner] else 0
        broken = end - before + earlier
        if store.most is not None and broken > store.most:
            # more than this reader ever has: no capacity of the store helps
            broken = max(broken, LARGEST if whole.most is None else whole.most + 1)
        return low, broken

    def _critical(self, source: Integers, target: Integers, tokens: Integers) -> tuple[Fraction | None, Sequence[int]]:
        """The least period, and the edges of a cycle that needs it; None for a cycle without tokens."""
        lag = self._lag(source, target, tokens)
        if lag is None:
            emptied = maximum_cycle_ratio(TimedGraph(self._size, source, target, -tokens, np.ones_like(tokens)))
            assert emptied is not None
            return None, emptied.cycle
        tokens = tokens + lag[target] - lag[source]
        try:
            found = maximum_cycle_ratio(TimedGraph(self._size, source, target, self._time[source], tokens))
        except Deadlock as deadlock:
            return None, deadlock.cycle
        return (found.ratio, found.cycle) if found is not None else (Fraction(0), ())

    def _lag(self, source: Integers, target: Integers, tokens: Integers) -> Integers | None:
        """As other firings, `lag` iterations earlier, the nodes form a graph whose edges have no less than no tokens:
        the same cycles with the same sums. None when a cycle has less than no tokens, or none where another is short.
        """
        if not tokens.size or int((tokens + self._late[target] - self._late[source]).min()) >= 0:
            return self._late
        emptying = TimedGraph(self._size, source, target, -tokens, np.ones_like(tokens))
        try:
            starts = start_times(emptying, Fraction(0))
        except MaxPlusError:
            return None
        self._late = np.array([int(start) for start in starts], np.int64)
        return self._late
