"""A placement that is being searched: exact changes of cost for exchanges of two crossbars, many at once.

Every crossbar is a slot of its tile and holds a cluster or nothing, so that an exchange of two slots is a swap of two
clusters or a move of one. The sorted keys of the nets (see `metrics`) are kept; an exchange is priced from the nets
that touch its clusters alone: a net of which one sink moves by a few searches, a net whose source moves from its sinks.
"""

import numpy as np

from snnir.partition.placement.arrays import chunks, group, ranges
from snnir.partition.placement.fill import SLACK
from snnir.partition.placement.metrics import END, Metric, metric
from snnir.partition.placement.problem import CostName, FloatArray, IntArray, Problem


class State:
    """Which cluster is in which slot, and what that costs. `tiles` (clusters,) is the placement to start from."""

    def __init__(self, problem: Problem, tiles: IntArray, cost: CostName) -> None:
        problem.check(tiles)
        self.problem = problem
        self.metric: Metric = metric(problem.floor, cost, problem.crossing)
        self.slots = problem.slots
        """(slots,) the tile of each slot, ascending."""
        self.slot_starts = np.searchsorted(self.slots, np.arange(problem.floor.tiles + 1))
        """(tiles + 1,) the first slot of each tile."""
        self._host, self.empty = problem.clusters, problem.clusters + 1
        self.where = np.concatenate([tiles, [problem.floor.tiles, 0]])
        """(clusters + 2,) the location of each cluster, of the host, and of nothing."""
        self.slot_of, self.occupant = self._fill(tiles)
        self._index_nets()
        self._used = np.zeros_like(problem.capacity)
        np.add.at(self._used, tiles, problem.loads)
        self.keys = np.append(np.sort(self._keys(np.arange(len(self._sources)))), END)
        self.links = self.metric.full(self.keys[:-1], len(self._sources), self.where[self._sources])
        """(nets,) what one value of each net costs."""

    def _fill(self, tiles: IntArray) -> tuple[IntArray, IntArray]:
        order = np.argsort(tiles, kind="stable")
        rank = np.arange(len(tiles)) - np.searchsorted(tiles[order], tiles[order])
        slot_of = np.empty(len(tiles), np.int64)
        slot_of[order] = self.slot_starts[tiles[order]] + rank
        occupant = np.full(len(self.slots), self.empty)
        occupant[slot_of] = np.arange(len(tiles))
        return slot_of, occupant

    def _index_nets(self) -> None:
        nets, count = self.problem.nets, self.problem.clusters + 2
        self._starts, self._volumes = nets.starts, nets.volumes
        self._sinks = np.where(nets.sinks < 0, self._host, nets.sinks)
        self._sources = np.where(nets.sources < 0, self._host, nets.sources)
        self._read_starts, self._read = group(self._sinks, count, nets.net_of_pin)
        self._sent_starts, self._sent = group(self._sources, count, np.arange(len(nets.sources)))

    def _keys(self, nets: IntArray) -> IntArray:
        """Keys of the sinks of some nets, unsorted."""
        counts = self._starts[nets + 1] - self._starts[nets]
        sinks = self._sinks[ranges(self._starts[nets], counts)]
        return np.repeat(nets * self.metric.size, counts) + self.metric.codes[self.where[sinks]]

    @property
    def cost(self) -> float:
        """Volume times links of the placement as it is."""
        return float((self.links * self._volumes).sum())

    @property
    def tiles(self) -> IntArray:
        """(clusters,) the placement as it is."""
        return self.where[: self.problem.clusters].copy()

    def degree(self, slots: IntArray) -> IntArray:
        """How many ends of nets the cluster in each slot has: what an exchange costs to price."""
        cluster = self.occupant[slots]
        sent = self._sent_starts[cluster + 1] - self._sent_starts[cluster]
        return sent + self._read_starts[cluster + 1] - self._read_starts[cluster] + 1

    def changes(self, a: IntArray, b: IntArray) -> FloatArray:
        """(exchanges,) how much the cost changes when the contents of slots `a` and `b` are exchanged: each exchange on
        its own, exactly."""
        parts = [self._changes(a[part], b[part]) for part in chunks(self.degree(a) + self.degree(b))]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _changes(self, a: IntArray, b: IntArray) -> FloatArray:
        pair = self.occupant[np.stack([a, b])]
        tile = self.slots[np.stack([a, b])]
        change = np.zeros(len(a))
        for exchange, net, links in (self._of_readers(pair, tile), self._of_senders(pair, tile)):
            change += np.bincount(exchange, links * self._volumes[net], len(a))
        return np.where(tile[0] == tile[1], 0.0, change)

    def _of_readers(self, pair: IntArray, tile: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Exchange, net, and more links, for nets of which exactly one sink and not the source moves."""
        flat, count, nets = pair.ravel(), int(pair.shape[1]), len(self._sources)
        lengths = self._read_starts[flat + 1] - self._read_starts[flat]
        net = self._read[ranges(self._read_starts[flat], lengths)]
        moved: IntArray = np.repeat(np.arange(2 * count), lengths)
        exchange = moved % max(count, 1)
        sender = self._sources[net]
        kept = (sender != pair[0][exchange]) & (sender != pair[1][exchange])
        keys = np.sort((exchange[kept] * nets + net[kept]) * 2 + moved[kept] // max(count, 1))
        # a net that both clusters read has its sinks where it had them
        twice = np.zeros(len(keys), np.bool_)
        twice[1:] = keys[1:] // 2 == keys[:-1] // 2
        twice[:-1] |= twice[1:]
        keys = keys[~twice]
        side, both = keys % 2, keys // 2
        exchange, net = both // max(nets, 1), both % max(nets, 1)
        old, new = tile[side, exchange], tile[1 - side, exchange]
        return exchange, net, self.metric.shift(self.keys, net, self.where[self._sources[net]], old, new)

    def _of_senders(self, pair: IntArray, tile: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Exchange, net, and more links, for nets whose source moves."""
        flat, count = pair.ravel(), int(pair.shape[1])
        lengths = self._sent_starts[flat + 1] - self._sent_starts[flat]
        net = self._sent[ranges(self._sent_starts[flat], lengths)]
        moved: IntArray = np.repeat(np.arange(2 * count), lengths)
        exchange = moved % max(count, 1)
        pins = self._starts[net + 1] - self._starts[net]
        sink = self._sinks[ranges(self._starts[net], pins)]
        case = np.repeat(np.arange(len(net)), pins)
        at = self.where[sink]
        for side in (0, 1):
            at = np.where(sink == pair[side][exchange[case]], tile[1 - side][exchange[case]], at)
        source = tile[::-1].ravel()[moved]
        links = self.metric.full(np.sort(case * self.metric.size + self.metric.codes[at]), len(net), source)
        return exchange, net, links - self.links[net]

    def allowed(self, a: IntArray, b: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether the tiles of slots `a` and `b` have room for each other's contents; each exchange on its own."""
        if self.problem.only_crossbars:
            return np.ones(len(a), np.bool_)
        loads = np.concatenate([self.problem.loads, np.zeros((2, len(self.problem.resources)))])
        more = loads[self.occupant[b]] - loads[self.occupant[a]]
        room = self.problem.capacity * SLACK - self._used
        fits = np.all(more <= room[self.slots[a]], 1) & np.all(-more <= room[self.slots[b]], 1)
        return fits | (self.slots[a] == self.slots[b])

    def exchange(self, a: IntArray, b: IntArray) -> None:
        """Exchange the contents of slots; no slot may be named twice."""
        if not len(a):
            return
        slots = np.concatenate([a, b])
        held = self.occupant[slots]
        self._account(held, -1)
        self.occupant[slots] = self.occupant[np.concatenate([b, a])]
        now = self.occupant[slots]
        moved = now[now != self.empty]
        real = slots[now != self.empty]
        self.slot_of[moved], self.where[moved] = real, self.slots[real]
        self._account(held, 1)
        self._renew(moved)

    def _account(self, clusters: IntArray, sign: int) -> None:
        if not self.problem.only_crossbars:
            clusters = clusters[clusters != self.empty]
            np.add.at(self._used, self.where[clusters], sign * self.problem.loads[clusters])

    def _renew(self, moved: IntArray) -> None:
        """Bring keys and links of all nets of these clusters up to date."""
        changed = np.zeros(len(self._sources), np.bool_)
        changed[self.touched(moved)[1]] = True
        nets = np.flatnonzero(changed)
        counts = self._starts[nets + 1] - self._starts[nets]
        keys = np.sort(self._keys(nets))
        self.keys[ranges(self._starts[nets], counts)] = keys
        local = keys - np.repeat((nets - np.arange(len(nets))) * self.metric.size, counts)
        self.links[nets] = self.metric.full(local, len(nets), self.where[self._sources[nets]])

    def touched(self, clusters: IntArray) -> tuple[IntArray, IntArray]:
        """The nets that clusters send or read: number of the cluster in the list, net."""
        number, nets = list[IntArray](), list[IntArray]()
        for starts, members in ((self._read_starts, self._read), (self._sent_starts, self._sent)):
            lengths = starts[clusters + 1] - starts[clusters]
            number.append(np.repeat(np.arange(len(clusters)), lengths))
            nets.append(members[ranges(starts[clusters], lengths)])
        return np.concatenate(number), np.concatenate(nets)
