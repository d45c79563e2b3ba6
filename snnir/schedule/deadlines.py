"""Transport bounded by deadlines: which tokens have arrived before others are due to be sent, in a periodic schedule.

In a schedule of period P that nothing is later than, token k of a flow counts as sent at its deadline. What has arrived
by that deadline is not in its way. Written as a wait (no machine waits so) that is a channel of the graph, and the
period of the graph with all of these is a bound again. Proof: docs/guarantee.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.cycle_ratio import CycleRatio, maximum_cycle_ratio
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.potentials import scaled_starts
from snnir.maxplus.sdf import dependencies
from snnir.schedule.links import Links
from snnir.schedule.meetings import ANY, Facts, Limits, Meetings, count_meetings, limits
from snnir.schedule.stages import turns_of

Integers = NDArray[np.int64]

PAIRS = 200_000
"""With more pairs of a way and another flow on a link of it, nothing is tried."""
EFFORT = 30_000_000
"""The same for steps on arcs in search of paths: arcs times ways."""
PERIODS = 12
"""How many periods are tried."""
ROUNDS = 30
"""How often the times of a schedule are made anew for one period."""
EARLY = 64
"""So many periods earlier than the critical cycle may anything be that does not depend on it."""
SHIFTS = 4
"""How many later deadlines are tried for a token that others are in the way of."""


@dataclass(frozen=True)
class Separated:
    """Times of `carry` actors that fire one at a time (those of their `send` actors are 0), and what they wait for.

    `waits[a][b] = d`: firing k of a counts as waiting for firing k - d of b; d may be negative.
    """

    times: dict[str, int]
    waits: dict[str, dict[str, int]]


def most_with(waits: Integers, ahead: Integers, most: Integers) -> Integers:
    """How many tokens of the other flow can be there at each meeting, with a wait of so many tokens (`ANY`: none).

    Those up to k - wait have arrived, and those from k + ahead on are not made yet.
    """
    return np.clip(np.where(waits >= ANY, ANY, ahead + waits - 1), 0, most)


def bound_with(facts: Facts, links: Links, waits: Mapping[str, Mapping[str, int]]) -> Integers:
    """For each way the time that a token needs at most from its deadline on, with waits as those of `Separated`, and
    one token of its own at a time."""
    meet = Meetings(links)
    known = limits(meet, facts)
    wait = np.full(len(meet), ANY)
    names = facts.arrivals
    ways: list[int] = meet.way.tolist()
    for number, (way, others) in enumerate(zip(ways, meet.groups, strict=True)):
        own = waits.get(names[way], {})
        wait[number] = min([ANY, *[own[names[other]] for other in others if names[other] in own]])
    return meet.bound(most_with(wait, known.ahead, known.most))


def too_many(facts: Facts, links: Links, pairs: int) -> bool:
    """Whether so many ways, pairs and arcs are there that a search for deadlines would take too long."""
    arcs = len(dependencies(facts.sdf)[0])
    return arcs * len(links.ways) > EFFORT or count_meetings(links) > pairs


def separated(facts: Facts, links: Links, senders: Sequence[str], pairs: int = PAIRS) -> Separated | None:
    """Times and waits with which the period of a graph with rates of 1 is less than with its own; None: not found.

    `senders[w]` is the name of the `send` actor of way w; `carry` actors are the arrivals of the facts. With more than
    so many `pairs` of a way and another flow on a link of it, nothing is tried.
    """
    if too_many(facts, links, pairs) or not count_meetings(links):
        return None
    return _Search(facts, links, senders).best()


@dataclass(frozen=True)
class _Schedule:
    """`time[w]` of each way, and at each meeting the tokens that its wait has."""

    period: int
    time: Integers
    wait: Integers
    other: Integers
    """The way of the other flow that is waited for."""


class Schedules:
    """Periodic schedules of a graph in which each way takes one time in all, for all of its actors."""

    def __init__(self, facts: Facts, senders: Sequence[str]) -> None:
        sdf, index = facts.sdf, facts.sdf.index
        self.names = [actor.name for actor in sdf.actors]
        turns = [(index[a], index[b], tokens) for a, b, tokens in turns_of(facts.orders)]
        arcs = np.stack(dependencies(sdf), axis=1)
        self._arcs: Integers = np.concatenate([arcs, np.array(turns, np.int64).reshape(-1, 3)])
        self.time: Integers = np.array([actor.times[0] for actor in sdf.actors], np.int64)
        self.send: Integers = np.array([index[name] for name in senders], np.int64)
        self.carry: Integers = np.array([index[name] for name in facts.arrivals], np.int64)
        self.none = np.zeros(len(senders), np.bool_)
        self.arcs, self._tokens, self._lag = self.graph(~self.none, np.zeros((0, 3), np.int64))

    def graph(self, chosen: NDArray[np.bool_], waits: Integers) -> tuple[Integers, Integers, Integers]:
        """The arcs where the chosen ways carry one token at a time, their tokens after retiming, and the lags."""
        own = np.stack([self.carry, self.carry, np.ones_like(self.carry)], axis=1)[chosen]
        arcs = np.concatenate([self._arcs, own, waits])
        source, target, tokens = arcs.T
        graph = TimedGraph(len(self.time), source, target, -tokens, np.ones_like(tokens))
        lag: Integers = scaled_starts(graph, Fraction(0)).astype(np.int64)
        return arcs, tokens + lag[target] - lag[source], lag

    def times(self, time: Integers, chosen: NDArray[np.bool_] | None = None) -> Integers:
        """The times of all actors when the chosen ways, or all, take so long."""
        chosen = ~self.none if chosen is None else chosen
        times = self.time.copy()
        times[self.send[chosen]] = 0
        times[self.carry[chosen]] = time[chosen]
        return times

    def period(self, times: Integers, arcs: Integers | None = None, tokens: Integers | None = None) -> CycleRatio:
        """The period and a critical cycle, of the graph where all ways are chosen or of another one."""
        arcs = self.arcs if arcs is None else arcs
        tokens = self._tokens if tokens is None else tokens
        found = maximum_cycle_ratio(TimedGraph(len(times), arcs[:, 0], arcs[:, 1], times[arcs[:, 0]], tokens))
        assert found is not None, "an actor that fires one at a time is on a cycle"
        return found

    def all_starts(self, period: int, times: Integers, critical: CycleRatio) -> Integers:
        """Starts of all actors as early as the critical cycle lets them be, in a schedule of the period."""
        source, target, _ = self.arcs.T
        graph = TimedGraph(
            len(times) + 1,
            np.append(source, len(times)),
            np.append(target, source[critical.cycle[0]]),
            np.append(times[source], EARLY * period),
            np.append(self._tokens, 0),
        )
        return scaled_starts(graph, Fraction(period))[:-1].astype(np.int64) + self._lag * period

    def starts(self, period: int, times: Integers, critical: CycleRatio) -> Integers:
        """When token 0 of each way is sent."""
        return self.all_starts(period, times, critical)[self.carry]


class _Search(Schedules):
    def __init__(self, facts: Facts, links: Links, senders: Sequence[str]) -> None:
        super().__init__(facts, senders)
        self._facts, self._meet = facts, Meetings(links)

    @cached_property
    def _known(self) -> Limits:
        """Found late, as it takes longer than to see that nothing can be gained."""
        return limits(self._meet, self._facts)

    def _there(self, wait: Integers) -> Integers:
        """How many tokens of the other flow can be there at each meeting, with such waits."""
        return most_with(wait, self._known.ahead, self._known.most)

    def best(self) -> Separated | None:
        """The times and waits with the least period that is found."""
        arcs, tokens, _ = self.graph(self.none, np.zeros((0, 3), np.int64))
        most = self.period(self.time, arcs, tokens).ratio
        least = ceil(self.period(self.times(self._meet.alone)).ratio)
        best: Separated | None = None
        target = (least + ceil(most)) // 2
        for _ in range(PERIODS):
            if target >= most:
                break
            found = self._schedule(target)
            better = self._waits(found, most) if isinstance(found, _Schedule) else None
            if better is None:
                later = target if isinstance(found, _Schedule) else found
                least = max(target + 1, min(later, (target + ceil(most)) // 2))
            else:
                most, best = better
            target = (least + ceil(most)) // 2
        return best

    def _schedule(self, period: int) -> _Schedule | int:
        """A schedule of a period; or else a longer one that there may be a schedule for."""
        meet = self._meet
        time = meet.alone
        for _ in range(ROUNDS):
            times = self.times(time)
            found = self.period(times)
            if found.ratio > period:
                return ceil(found.ratio)
            start = self.all_starts(period, times, found)
            sent, arrived = start[self.carry], start[self.carry] + time
            allowed = self._allowed(period, start) - sent
            gap = sent[meet.way] - meet.least(arrived)
            wait, needed = self._shifted(period, gap, allowed)
            if (needed <= time).all():
                return _Schedule(period, time, wait, meet.first_of(arrived))
            time = np.maximum(time, needed)
        return period + 1

    def _allowed(self, period: int, start: Integers) -> Integers:
        """For each way until when a token may arrive before anything starts later."""
        source, target, tokens = self.arcs.T
        until = np.full(len(start), np.iinfo(np.int64).max)
        np.minimum.at(until, source, start[target] + period * tokens)
        return until[self.carry]

    def _shifted(self, period: int, gap: Integers, allowed: Integers) -> tuple[Integers, Integers]:
        """The waits at each meeting, and the time that each way then needs from the time at which its token is sent.

        `gap`: from the arrival of a token of the other flow to the time at which ours of the same iteration is sent.
        Waiting for others to arrive may be better than having them in the way.
        """
        meet = self._meet
        shift = np.zeros(len(self.carry), np.int64)
        wait = -(gap // period)
        needed = meet.bound(self._there(wait))
        for _ in range(SHIFTS):
            late = (needed > allowed)[meet.way] & (self._there(wait) > 0)
            if not late.any():
                break
            step = np.full(len(shift), ANY)
            then = -(gap + shift[meet.way]) % period
            then = np.where(then == 0, period, then)
            np.minimum.at(step, meet.way[late], then[late])
            shift = np.where(step < ANY, shift + step, shift)
            later = -((gap + shift[meet.way]) // period)
            found = meet.bound(self._there(later)) + shift
            better = found < needed
            needed = np.where(better, found, needed)
            wait = np.where(better[meet.way], later, wait)
        return wait, needed

    def _waits(self, schedule: _Schedule, below: Fraction) -> tuple[Fraction, Separated] | None:
        """A period below a given one with times and waits for some ways only, those that are critical without."""
        meet, limit = self._meet, Fraction(schedule.period)
        chosen, waits = np.zeros(len(self.carry), np.bool_), np.zeros((0, 3), np.int64)
        there = self._there(schedule.wait)
        # a way's time depends on its own meetings alone, so not on which others are chosen
        time, shorter, times = meet.bound(there), there < self._known.most, self.time
        try:
            while True:
                arcs, tokens, _ = self.graph(chosen, waits)
                found = self.period(times, arcs, tokens)
                on = np.zeros(len(self.time), np.bool_)
                on[arcs[list(found.cycle), 0]] = True
                more = chosen | np.isin(self.send, self.send[on[self.carry] | on[self.send]])
                if found.ratio <= limit or (more == chosen).all():
                    break
                chosen = more
                used = shorter & chosen[meet.way]
                times = self.times(time, chosen)
                ends = self.carry[schedule.other[used]], self.carry[meet.way[used]]
                waits = np.stack([*ends, schedule.wait[used]], axis=1)
        except MaxPlusError:
            return None
        if found.ratio >= below:
            return None
        names, by_way = self.names, dict[str, dict[str, int]]()
        for other, own, count in waits.tolist():
            waiting = by_way.setdefault(names[own], {})
            waiting[names[other]] = min(waiting.get(names[other], count), count)
        return found.ratio, Separated({names[self.carry[w]]: int(time[w]) for w in np.flatnonzero(chosen)}, by_way)
