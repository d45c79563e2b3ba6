"""How long tokens are expected to be on their way: with those that are on the way at the same time, in a schedule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from snnir.maxplus.graph import Integers
from snnir.schedule.deadlines import EFFORT, PAIRS, Schedules
from snnir.schedule.links import Links
from snnir.schedule.meetings import Facts, Meetings, count_meetings

ROUNDS = 10
"""How often the schedule is made anew."""


@dataclass(frozen=True)
class Expected:
    """Time of each way's `send` and `carry` actors."""

    send: Integers
    carry: Integers


def expected_with_schedule(
    facts: Facts, links: Links, senders: Sequence[str], flits: Sequence[float], pairs: int = PAIRS
) -> Expected | None:
    """Expected times of all ways, with `flits` per token of each flow on average; None when there are more than so many
    `pairs` of a way and another flow on a link of it, or too many actors and ways.

    `facts.sdf` is the graph at mean times. No bound, but what a token takes when just those others delay it that are on
    their way at the same time in the periodic schedule of the graph. The schedule depends on how long tokens take: both
    are made anew from each other, each time with half of the change.
    """
    if not 0 < count_meetings(links) <= pairs or len(facts.sdf.actors) * len(links.ways) > EFFORT:
        return None
    meet = Meetings(replace(links, flits=[max(1, round(each)) for each in flits]))
    schedules = Schedules(facts, senders)
    time = meet.alone
    for _ in range(ROUNDS):
        times = schedules.times(time)
        found = schedules.period(times)
        period = ceil(found.ratio)
        start = schedules.starts(period, times, found)
        time = (time + meet.bound(_together(meet, start, time, period))) // 2
    rest = meet.alone - np.array([meet.slowest[w] * meet.size[w] for w in range(len(time))], np.int64)
    return Expected(time - rest, rest)


def _together(meet: Meetings, sent: Integers, time: Integers, period: int) -> Integers:
    """For each meeting 1 when a token of the other flow is on its way at some time when ours is, else 0."""
    meeting = np.repeat(np.arange(len(meet)), np.diff([*meet.first.tolist(), len(meet.others)]))
    own, other = meet.way[meeting], meet.others
    later = (sent[other] - sent[own]) % period
    found = np.zeros(len(meet), np.int64)
    np.maximum.at(found, meeting, ((later < time[own]) | (later + time[other] > period)).astype(np.int64))
    return found
