"""The whole analysis of an SDF graph in one call: period, critical cycle, slack, start times, latency, utilisation."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle

import numpy as np

from snnir.maxplus.cycle_ratio import CycleRatio, maximum_cycle_ratio
from snnir.maxplus.errors import Deadlock
from snnir.maxplus.expansion import Expansion, FiringEdge, expand
from snnir.maxplus.periodic import Periodic, k_periodic
from snnir.maxplus.potentials import group_slack, node_slack, scaled_starts
from snnir.maxplus.relaxation import exact
from snnir.maxplus.sdf import SDFGraph, repetition_vector


@dataclass(frozen=True)
class Analysis:
    """What `analyze` finds; times in the unit of the actors' times.

    `period`: of one iteration in self-timed execution, on average over time; None when nothing bounds the throughput
    (an acyclic graph of actors with unlimited concurrency). 0 when all cycles take no time.
    `repetition`: firings of each actor in an iteration.
    `critical_cycle`: the edges between firings that set the period; empty when it is None.
    `start`: s(a) such that firing 0 of actor a in iteration k starts at s(a) + k * period at the latest.
    `latency`: l(a) such that all firings of a in iteration k have ended by l(a) + k * period; s(a) + time of a for an
    actor that fires once.
    `slack`: by how much the time of an actor alone may grow before the period does, 0 on critical cycles, None for
    actors on no cycle (and for all when slack was not asked for).
    `utilisation`: of each order, the fraction of the period in which its resource is busy (0 for a period of 0).
    `block`: None, or for a graph with too many firings, the firings of each actor in a block of the K-periodic
    schedule that was used instead (`snnir.maxplus.periodic`). Period and critical cycle are exact even then, and so is
    utilisation; the edges of the critical cycle are between firings of blocks and may carry a fraction of a token;
    starts and latencies are those of this schedule, which self-timed execution is never behind; the slack is what an
    actor may grow by in it, and perhaps not all (all None when the numbers exceed 64 bits).
    """

    period: Fraction | None
    repetition: dict[str, int]
    critical_cycle: tuple[FiringEdge, ...]
    start: dict[str, Fraction]
    latency: dict[str, Fraction]
    slack: dict[str, Fraction | None]
    utilisation: tuple[Fraction, ...]
    block: dict[str, int] | None = None

    @property
    def throughput(self) -> Fraction | None:
        """Iterations per time unit, 1 / period; None when it is unbounded."""
        return 1 / self.period if self.period else None

    def completion(self, iterations: int) -> Fraction:
        """When the first `iterations` iterations have ended at the latest: the greatest latency + (n - 1) * period."""
        if iterations < 1:
            return Fraction(0)
        return max(self.latency.values(), default=Fraction(0)) + (iterations - 1) * (self.period or 0)


def analyze(sdf: SDFGraph, *, slack: bool = True, limit: int = 2_000_000) -> Analysis:
    """The exact analysis of `sdf`, by expansion (`expand`) and maximum cycle ratio (`maximum_cycle_ratio`), or for more
    than `limit` firings an iteration by a K-periodic schedule (`k_periodic`).

    `slack=False` leaves out the slack, by far the most expensive part. Raises `Inconsistent` with the channel,
    `Deadlock` with the actors on the cycle (its edges are those of `expand(sdf).graph`, none beyond the limit),
    `TooLarge` when not even a K-periodic schedule of least period is small enough.
    """
    repetition = repetition_vector(sdf)
    if sum(repetition.values()) > limit:
        return _by_blocks(sdf, k_periodic(sdf, slack=slack))
    expansion = expand(sdf, limit)
    critical = _critical(expansion)
    period = critical.ratio if critical else None
    # without a cycle nothing accumulates from one iteration to the next: all may start as if the period were 0
    start, latency = _in_time(expansion, period or Fraction(0))
    names = [actor.name for actor in sdf.actors]
    return Analysis(
        period=period,
        repetition=repetition,
        critical_cycle=expansion.edges(critical.cycle) if critical else (),
        start=dict(zip(names, start, strict=True)),
        latency=dict(zip(names, latency, strict=True)),
        slack=_slack(expansion, period) if slack and period is not None else dict.fromkeys(names),
        utilisation=_utilisation(sdf, period),
    )


def _in_time(expansion: Expansion, period: Fraction) -> tuple[list[Fraction], list[Fraction]]:
    """Of each actor the start of its first firing in the schedule of a period, and when all of its firings have
    ended."""
    unit = period.denominator
    starts = scaled_starts(expansion.graph, period)
    ends = exact((1, starts), (unit, expansion.time))
    latest = np.maximum.reduceat(ends, expansion.first) if len(expansion.first) else ends
    start, latency = starts[expansion.first].tolist(), latest.tolist()
    return [Fraction(each, unit) for each in start], [Fraction(each, unit) for each in latency]


def _by_blocks(sdf: SDFGraph, found: Periodic) -> Analysis:
    """The analysis that a K-periodic schedule gives: all blocks of an iteration are as far apart as one is long."""
    latency: dict[str, Fraction] = {}
    for actor in sdf.actors:
        starts, block = found.starts[actor.name], found.block[actor.name]
        length = (found.period or 0) * Fraction(block, found.repetition[actor.name])
        ends = (start + time for start, time in zip(starts, cycle(actor.times), strict=False))
        latency[actor.name] = max(ends) + (found.period or 0) - length
    return Analysis(
        period=found.period,
        repetition=found.repetition,
        critical_cycle=found.critical_cycle,
        start={name: starts[0] for name, starts in found.starts.items()},
        latency=latency,
        slack=found.slack,
        utilisation=_utilisation(sdf, found.period),
        block=found.block,
    )


def _utilisation(sdf: SDFGraph, period: Fraction | None) -> tuple[Fraction, ...]:
    return tuple(_work(sdf, order) / period if period else Fraction(0) for order in sdf.orders)


def _work(sdf: SDFGraph, order: tuple[str, ...]) -> Fraction:
    """The time of all firings of an order."""
    total = Fraction(0)
    for name, count in Counter(order).items():
        times = sdf.actors[sdf.index[name]].times
        total += Fraction(sum(times) * count, len(times))
    return total


def _critical(expansion: Expansion) -> CycleRatio | None:
    try:
        return maximum_cycle_ratio(expansion.graph)
    except Deadlock as deadlock:
        edges = expansion.edges(deadlock.cycle)
        shown = ", ".join(map(str, edges[:8])) + (", ..." if len(edges) > 8 else "")
        raise Deadlock(
            f"deadlock: each firing of the cycle {shown} waits for the one before",
            deadlock.cycle,
            tuple(edge.source for edge in edges),
        ) from None


def _slack(expansion: Expansion, period: Fraction) -> dict[str, Fraction | None]:
    single = [name for name, count in expansion.repetition.items() if count == 1]
    found = node_slack(expansion.graph, period, [expansion.node(name) for name in single])
    slack = dict(zip(single, found, strict=True))
    return {
        name: slack[name] if count == 1 else group_slack(expansion.graph, period, expansion.nodes(name))
        for name, count in expansion.repetition.items()
    }
