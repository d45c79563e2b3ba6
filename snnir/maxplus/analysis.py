"""The whole analysis of an SDF graph in one call: period, critical cycle, slack, start times, latency, utilisation."""

from dataclasses import dataclass
from fractions import Fraction

from snnir.maxplus.cycle_ratio import CycleRatio, maximum_cycle_ratio
from snnir.maxplus.errors import Deadlock
from snnir.maxplus.expansion import Expansion, FiringEdge, expand
from snnir.maxplus.potentials import group_slack, node_slack, start_times
from snnir.maxplus.sdf import SDFGraph


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
    """

    period: Fraction | None
    repetition: dict[str, int]
    critical_cycle: tuple[FiringEdge, ...]
    start: dict[str, Fraction]
    latency: dict[str, Fraction]
    slack: dict[str, Fraction | None]
    utilisation: tuple[Fraction, ...]

    @property
    def throughput(self) -> Fraction | None:
        """Iterations per time unit, 1 / period; None when it is unbounded."""
        return 1 / self.period if self.period else None


def analyze(sdf: SDFGraph, *, slack: bool = True, limit: int = 2_000_000) -> Analysis:
    """The exact analysis of `sdf`, by expansion (`expand`) and maximum cycle ratio (`maximum_cycle_ratio`).

    `slack=False` leaves out the slack, by far the most expensive part; `limit` bounds the number of firings of an
    iteration. Raises `Inconsistent` with the channel, `Deadlock` with the actors on the cycle (its edges are those of
    `expand(sdf).graph`), `MaxPlusError` beyond the limit.
    """
    expansion = expand(sdf, limit)
    critical = _critical(expansion)
    period = critical.ratio if critical else None
    # without a cycle nothing accumulates from one iteration to the next: all may start as if the period were 0
    starts = start_times(expansion.graph, period or Fraction(0))
    repetition = expansion.repetition
    times = {actor.name: actor.time for actor in sdf.actors}
    nodes = {name: expansion.nodes(name) for name in times}
    return Analysis(
        period=period,
        repetition=repetition,
        critical_cycle=expansion.edges(critical.cycle) if critical else (),
        start={name: starts[nodes[name][0]] for name in times},
        latency={name: max(starts[node] for node in nodes[name]) + times[name] for name in times},
        slack=_slack(expansion, period) if slack and period is not None else dict.fromkeys(times),
        utilisation=tuple(
            sum(times[name] for name in order) / period if period else Fraction(0) for order in sdf.orders
        ),
    )


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
