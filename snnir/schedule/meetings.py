"""Where the ways of flows meet on round-robin links, and how long a token takes when only so many others are there.

The bounds of `snnir.schedule.links` hold from the time at which a token is sent, for any load. Those here hold from a
deadline: what has arrived by then cannot be in the way any more. Proofs: docs/guarantee.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from snnir.maxplus.sdf import SDFGraph, dependencies
from snnir.schedule.headway import NEVER, headways
from snnir.schedule.links import Links
from snnir.schedule.stages import Order, turns_of

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

ANY = 1 << 40
"""So many tokens or more mean that nothing limits them."""
LAYERS = 4
"""Up to how many tokens paths are looked at for the time that they take."""


def count_meetings(links: Links) -> int:
    """How many pairs of a way and another flow on one of its links there are, links counted one by one."""
    on = np.array([len(flows) for flows in links.flows], np.int64)
    return sum(int((on[list(way.links)] - 1).sum()) for way in links.ways)


class Meetings:
    """Each meeting is a stretch of links that a way has in common with another flow.

    `way`, `flow`, `stretch` (time units for a flit on the slowest link of the stretch): a vector entry per meeting.
    `others`: the ways of the other flow that go through the whole stretch, those of meeting i at `first[i]` and later.
    """

    def __init__(self, links: Links) -> None:
        self.links = links
        before = {(way.flow, b): a for way in links.ways for a, b in zip(way.links[:-1], way.links[1:], strict=True)}
        rows: list[tuple[int, int, int, int]] = []
        entries: list[tuple[int, int, int]] = []
        legs = 0
        for number, way in enumerate(links.ways):
            last: dict[int, tuple[int, int]] = {}
            for place, link in enumerate(way.links):
                for flow in links.flows[link]:
                    if flow == way.flow:
                        continue
                    seen, meeting = last.get(flow, (-2, -1))
                    if seen != place - 1 or before.get((flow, link)) != way.links[place - 1]:
                        meeting = len(rows)
                        rows.append((number, flow, link, links.flit[link]))
                    else:
                        rows[meeting] = (number, flow, link, max(rows[meeting][3], links.flit[link]))
                    last[flow] = place, meeting
                    entries.append((number, legs + place, meeting))
            legs += len(way.links)
        columns: Integers = np.array(rows, np.int64).reshape(-1, 4).T
        self.way: Integers = columns[0]
        self.flow: Integers = columns[1]
        self.stretch: Integers = columns[3]
        legwise: Integers = np.array(entries, np.int64).reshape(-1, 3).T
        self._entry_way, self._entry_leg, self._entry = legwise
        self.groups: list[list[int]] = [links.crossing[link][flow] for link, flow in columns[[2, 1]].T.tolist()]
        """For each meeting the ways of the other flow that go through the whole stretch."""
        self.first: Integers = np.cumsum([0, *map(len, self.groups)])[:-1].astype(np.int64)
        self.others: Integers = np.array([way for ways in self.groups for way in ways], np.int64)
        self._sizes: Integers = np.array(links.flits, np.int64)
        self.size: Integers = self._sizes[[way.flow for way in links.ways]]
        """Flits of a token of each way's own flow."""
        flit: Integers = np.array(links.flit, np.int64)
        self._leg_flit: Integers = np.array([links.flit[link] for way in links.ways for link in way.links], np.int64)
        self.slowest: Integers = np.array([flit[list(way.links)].max() for way in links.ways], np.int64)
        """Time units for a flit on the slowest link of each way."""
        self._between = np.array([sum(links.flit[link] for link in way.links[:-1]) for way in links.ways], np.int64)
        self._through = np.array([sum(links.flit[link] for link in way.links) for way in links.ways], np.int64)
        self._hops = np.array([sum(links.hop[link] for link in way.links) for way in links.ways], np.int64)

    def __len__(self) -> int:
        return len(self.way)

    @property
    def alone(self) -> Integers:
        """How long a token takes on each way when no other flow is there."""
        return self.slowest * self.size + self._between + self._hops

    def least(self, values: Integers) -> Integers:
        """Of a value for each way, the least of the ways of each meeting's other flow."""
        return np.minimum.reduceat(values[self.others], self.first) if len(self) else values[:0]

    def first_of(self, values: Integers) -> Integers:
        """Of a value for each way, the way of each meeting's other flow that has the least; of equals the first."""
        if not len(self):
            return self.others
        ends = np.append(self.first[1:], len(self.others))
        least = np.repeat(self.least(values), ends - self.first)
        hits = np.flatnonzero(values[self.others] == least)
        return self.others[hits[np.searchsorted(hits, self.first)]]

    def bound(self, tokens: Integers, own: Integers | int = 1) -> Integers:
        """For each way, the time from its deadline to a token's arrival, with at most so many tokens of the other flow
        at each meeting (`ANY`: any number), and `own` of its own, itself the last.

        The less of two: each flit of another flow delays the token once per stretch; each link serves every other flow
        at most once for each flit of the token that it serves.
        """
        flits = self.size * own
        return np.minimum(self._once(tokens, flits), self._in_turn(tokens, flits)) + self._hops

    def _once(self, tokens: Integers, flits: Integers) -> Integers:
        """Every flit of others once per stretch, on its slowest link; in ANY tokens there are too many to be least."""
        others = np.zeros(len(self.size), np.int64)
        np.add.at(others, self.way, np.minimum(tokens, ANY >> 16) * self._sizes[self.flow] * self.stretch)
        return self.slowest * flits + self._between + others

    def _in_turn(self, tokens: Integers, flits: Integers) -> Integers:
        """Rounds: x flits of the token on link l, at least 1, meet at most x of each other flow, and no more than there
        are; of all such x with sum n + m - 1 over the m links those that take longest."""
        most = np.minimum(np.minimum(tokens, ANY >> 16) * self._sizes[self.flow], flits[self.way])[self._entry]
        here = most > 0
        most, leg, way = most[here], self._entry_leg[here], self._entry_way[here]
        order = np.lexsort((most, leg))
        most, leg, way = most[order], leg[order], way[order]
        count = np.bincount(leg, minlength=len(self._leg_flit))
        start: Integers = np.cumsum(count) - count
        rank = np.arange(len(most)) - start[leg]
        lower = np.where(rank == 0, 1, np.roll(most, 1))
        # from one size to the next, a further flit of ours meets one of each flow that has more than so many
        length = most - lower
        cost = np.maximum(self._leg_flit[leg] * (1 + count[leg] - rank), self.slowest[way])
        total = self._through.copy()
        np.add.at(total, way, self._leg_flit[leg])
        order = np.lexsort((-cost, way))
        length, cost, way = length[order], cost[order], way[order]
        before: Integers = np.cumsum(length) - length
        first = np.searchsorted(way, np.arange(len(self.size)))
        offset = before[np.minimum(first, len(before) - 1)] if len(before) else np.zeros_like(self.size)
        room = np.maximum(0, (flits - 1)[way] - (before - offset[way]))
        taken = np.minimum(length, room)
        np.add.at(total, way, taken * cost)
        left = flits - 1
        np.subtract.at(left, way, taken)
        return total + left * self.slowest


@dataclass(frozen=True)
class Facts:
    """What is known of a graph whatever is on its links: who waits for whom, and for how long at least.

    `sdf`: the graph without orders, its times at most; `least`: the least times of its actors; `producers[f]`: the
    actor that makes the tokens of flow f; `arrivals[w]`: the one whose end is the arrival of a token over way w.
    """

    sdf: SDFGraph
    orders: Sequence[Order]
    least: Mapping[str, int]
    producers: Sequence[str]
    arrivals: Sequence[str]

    @property
    def waits(self) -> Integers:
        """Rows of source, target, tokens: firing k of the target comes after firing k - tokens of the source. Turns
        with fewer than 0 tokens are left out: there, the source may not fire in the first iterations."""
        index = self.sdf.index
        turns = [(index[a], index[b], tokens) for a, b, tokens in turns_of(self.orders) if tokens >= 0]
        rows: Integers = np.concatenate(
            [np.stack(dependencies(self.sdf), axis=1), np.array(turns, np.int64).reshape(-1, 3)]
        )
        rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
        return rows[np.flatnonzero(np.diff(rows[:, 0] * len(index) + rows[:, 1], prepend=-1))]


@dataclass(frozen=True)
class Limits:
    """For each meeting: of the other flow, token k + `ahead` is not made before token k of ours has arrived over our
    way; and while token k of ours is on its way, no more than `most` of the other flow are (`ANY`: any number)."""

    ahead: Integers
    most: Integers


def limits(meetings: Meetings, facts: Facts) -> Limits:
    """What the graph says, first by its tokens, and then by the least times of actors."""
    waits, index = facts.waits, facts.sdf.index
    tokens = _tokens(waits, len(index), [index[name] for name in facts.arrivals])
    tokens = tokens[:, [index[name] for name in facts.producers]]
    flow = np.array([way.flow for way in meetings.links.ways], np.int64)
    if not len(meetings):
        return Limits(np.zeros(0, np.int64), np.zeros(0, np.int64))
    repeated = np.repeat(flow[meetings.way], np.diff([*meetings.first.tolist(), len(meetings.others)]))
    behind = np.minimum.reduceat(tokens[meetings.others, repeated], meetings.first)
    found = Limits(tokens[meetings.way, meetings.flow], behind)
    # token k is made after token k - own of its flow has arrived
    return _in_time(meetings, facts, found, tokens[np.arange(len(flow)), flow])


def _most(ahead: Integers, behind: Integers) -> Integers:
    return np.minimum(ANY, np.maximum(0, ahead + behind - 1))


def _tokens(waits: Integers, size: int, nodes: Sequence[int]) -> Integers:
    """The least tokens on any path from each of the nodes to each actor."""
    weights: Floats = waits[:, 2].astype(np.float64)
    graph = csr_array((weights, (waits[:, 0], waits[:, 1])), shape=(size, size))
    found: Floats = np.asarray(dijkstra(graph, indices=np.array(nodes)))
    return np.where(np.isfinite(found), found, ANY).astype(np.int64)


def _in_time(meetings: Meetings, facts: Facts, tokens: Limits, own: Integers) -> Limits:
    """Token k + ahead - 1 is too late as well when it is made, at the earliest, longer after an event than token k
    arrives at the latest: after the end of our producer, or after each of the firings that this one waits for."""
    ahead, behind = tokens.ahead.copy(), tokens.most
    index = facts.sdf.index
    producers = [index[name] for name in facts.producers]
    waits = facts.waits
    least: Integers = np.array([facts.least.get(actor.name, 0) for actor in facts.sdf.actors], np.int64)
    time: Integers = np.array([actor.times[0] for actor in facts.sdf.actors], np.int64)
    before = _predecessors(facts)
    making = {producers[way.flow] for way in meetings.links.ways}
    sources = sorted(making | {p for a in making for p, _ in before.get(a, ())})
    place = {source: number for number, source in enumerate(sources)}
    earliest = headways(waits, least, sources, producers, LAYERS)
    made: dict[int, Integers] = {}
    for a in making:
        # made[a][n, flow]: how long after the end of firing k of a token k + n of the flow is made at the earliest
        made[a] = earliest[:, place[a]].copy()
        first = [_shifted(earliest[:, place[p]], count) for p, count in before.get(a, ())]
        if first:
            made[a] = np.maximum(made[a], np.minimum.reduce(first) - time[a])
    makers = np.array([producers[way.flow] for way in meetings.links.ways], np.int64)[meetings.way]
    own = np.minimum(own, ANY >> 20)
    while True:
        late = np.flatnonzero((ahead >= 1) & (ahead <= LAYERS))
        rows = zip(makers[late].tolist(), (ahead[late] - 1).tolist(), meetings.flow[late].tolist(), strict=True)
        after = np.array([made[a][n, j] for a, n, j in rows], np.int64)
        # suppose that all these are too late, and take back those that are not if the others are
        while True:
            fewer = ahead.copy()
            fewer[late] -= 1
            kept = after >= meetings.bound(_most(fewer, behind), own)[meetings.way[late]]
            if kept.all():
                break
            late, after = late[kept], after[kept]
        if not len(late):
            return Limits(ahead, _most(ahead, behind))
        ahead = fewer


def _shifted(ends: Integers, count: int) -> Integers:
    """Of firings n + count, as if they were those n."""
    found = np.full_like(ends, NEVER)
    if count >= 0:
        found[: max(0, len(ends) - count)] = ends[count:]
        # a token later is later still
        found[max(0, len(ends) - count) :] = ends[-1]
    return found


def _predecessors(facts: Facts) -> dict[int, list[tuple[int, int]]]:
    """Of each actor the firings that it waits for, with their tokens; none of those that wait for turns with stages."""
    index = facts.sdf.index
    found: dict[int, list[tuple[int, int]]] = {}
    for arc in facts.sdf.arcs():
        found.setdefault(arc.target, []).append((arc.source, arc.tokens))
    for order in facts.orders:
        if len({stage for _, stage in order}) > 1:
            for name, _ in order:
                found.pop(index[name], None)
            continue
        for a, b, count in turns_of([order]):
            found.setdefault(index[b], []).append((index[a], count))
    return found
