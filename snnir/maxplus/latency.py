"""How long things take: static periodic schedules, first output, from one actor to another, n iterations."""

from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush

import numpy as np

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.expansion import Expansion, expand
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.potentials import start_times
from snnir.maxplus.sdf import SDFGraph
from snnir.maxplus.selftimed import self_timed


@dataclass(frozen=True)
class PeriodicSchedule:
    """Firing n of actor a starts at `starts[a][n % q]` + (n // q) * `period`, q being the firings of an iteration."""

    period: Fraction
    starts: dict[str, list[Fraction]]

    def start(self, actor: str, firing: int) -> Fraction:
        """The start of a firing, counted from 0 on through all iterations."""
        starts = self.starts[actor]
        return starts[firing % len(starts)] + firing // len(starts) * self.period


def periodic_schedule(sdf: SDFGraph, period: Fraction | int | None = None) -> PeriodicSchedule:
    """The earliest schedule that repeats every `period` time units, by default the least possible one.

    The starts are the least s >= 0 with s(v) >= s(u) + time - period * tokens for all edges of `expand(sdf)`. Raises
    `MaxPlusError` when the period is below the least one, and what `expand` raises. A graph that nothing holds back has
    a least period of 0.
    """
    expansion = expand(sdf)
    chosen = _period(expansion, period)
    starts = start_times(expansion.graph, chosen)
    return PeriodicSchedule(chosen, {name: [starts[node] for node in expansion.nodes(name)] for name in sdf.index})


def first_output(sdf: SDFGraph, actor: str) -> Fraction:
    """When firing 0 of an actor ends in self-timed execution from time 0 on.

    The heaviest walk of edges without tokens that ends there: whatever needs a token of an earlier iteration finds it.
    """
    expansion = expand(sdf)
    graph, node = expansion.graph, expansion.node(actor)
    free = graph.tokens == 0
    edges = (vector[free] for vector in (graph.source, graph.target, graph.time, graph.tokens))
    starts = start_times(TimedGraph(graph.size, *edges), Fraction(0))
    return starts[node] + sdf.actors[sdf.index[actor]].times[0]


def source_to_sink(sdf: SDFGraph, source: str, sink: str, period: Fraction | int | None = None) -> Fraction | None:
    """From the start of firing 0 of `source` to the end of the last firing of `sink` in the same iteration, when the
    source paces the graph: its firing 0 starts every `period` (by default the least possible) and all else as soon as
    it can. None when the sink does not depend on the source.

    With weights time - period * tokens it is the heaviest walk from the source's firing 0 to a firing of the sink, plus
    the time of that: the entry of C (x) (A - period)* (x) (B - period) (+) D in the state space x' = A x (+) B u, y =
    C x (+) D u (Geilen et al., "Performance analysis of dataflow by max-plus algebra"). Negative when the sink, thanks
    to initial tokens, works on an earlier iteration. One search in non-negative integers (Johnson's reweighting by
    `start_times`). Raises what `periodic_schedule` raises, and `MaxPlusError` for unknown actors.
    """
    expansion = expand(sdf)
    chosen = _period(expansion, period)
    origin, ends_in = expansion.node(source), expansion.nodes(sink)
    walks = _walks_from(expansion, origin, chosen)
    times = sdf.actors[sdf.index[sink]].times
    ends = [walks[node] + times[k % len(times)] for k, node in enumerate(ends_in) if node in walks]
    return max(ends, default=None)


def completion(sdf: SDFGraph, iterations: int) -> int:
    """When the first `iterations` iterations have ended in self-timed execution from time 0 on; 0 for none.

    Executes them all (`self_timed`, which says what is raised); `Analysis.completion` bounds the same for any number at
    once.
    """
    starts = self_timed(sdf, iterations)
    times = {actor.name: actor.times for actor in sdf.actors}
    return max(
        (start + times[name][k % len(times[name])] for name, all_ in starts.items() for k, start in enumerate(all_)),
        default=0,
    )


def _period(expansion: Expansion, period: Fraction | int | None) -> Fraction:
    if period is None:
        critical = maximum_cycle_ratio(expansion.graph)
        return critical.ratio if critical else Fraction(0)
    if period < 0:
        raise MaxPlusError(f"the period {period} is negative")
    return Fraction(period)


def _walks_from(expansion: Expansion, origin: int, period: Fraction) -> dict[int, Fraction]:
    """The weight of the heaviest walk from a node to each one that it leads to."""
    graph, scale = expansion.graph, period.denominator
    starts = [int(value * scale) for value in start_times(graph, period)]
    order = np.argsort(graph.source, kind="stable")
    begin: list[int] = np.searchsorted(graph.source[order], np.arange(graph.size + 1)).tolist()
    heads: list[int] = graph.target[order].tolist()
    weights = zip(graph.time[order].tolist(), graph.tokens[order].tolist(), strict=True)
    weight = [scale * time - period.numerator * tokens for time, tokens in weights]
    found: dict[int, Fraction] = {}
    heap = [(0, origin)]
    while heap:
        cost, node = heappop(heap)
        if node in found:
            continue
        found[node] = Fraction(starts[node] - starts[origin] - cost, scale)
        for edge in range(begin[node], begin[node + 1]):
            head = heads[edge]
            if head not in found:
                heappush(heap, (cost + starts[head] - starts[node] - weight[edge], head))
    return found
