"""Start times and slack: what a period means for each node of a timed graph."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from snnir.maxplus.cycle_ratio import COMPILED_FROM, strong_components
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.maxplus.nearest import lightest_cycles
from snnir.maxplus.relaxation import Relaxation, Weights, exact


def start_times(graph: TimedGraph, period: Fraction) -> list[Fraction]:
    """The least non-negative s, one entry per node, with

        s(v) >= s(u) + time(e) - period * tokens(e)      for every edge e = (u, v),

    the weight of the heaviest walk that ends in v (Reiter, J. ACM 15(4), 1968). Starting firing k of v at
    s(v) + k * period is a periodic schedule.

    It also bounds self-timed execution, in which every node fires as soon as it can and nothing starts before time 0:
    for period >= 0, the start x_k(v) of firing k is at most s(v) + k * period. Proof, by induction on k and, within k,
    along the token-free edges, which form no cycle: x_k(v) = max(0, max over edges e = (u, v) with tokens(e) <= k of
    x_{k - tokens(e)}(u) + time(e)). The first term is at most s(v) + k * period as all three are non-negative. Each
    other one is, by induction, at most s(u) + (k - tokens(e)) * period + time(e), which is at most s(v) + k * period by
    the inequality above.

    Raises `MaxPlusError` when the period is below the maximum cycle ratio (then no s exists), `Deadlock` when a cycle
    carries no token.
    """
    period = Fraction(period)
    scaled = scaled_starts(graph, period)
    return [Fraction(value, period.denominator) for value in scaled.tolist()]


def node_slack(
    graph: TimedGraph, period: Fraction, nodes: Sequence[int] | Integers | None = None
) -> list[Fraction | None]:
    """For each node (or each of `nodes`) by how much its time may grow before the graph misses the period.

    The time of a node is that of all edges that leave it. The slack of v is minus the weight of the heaviest cycle
    through v, an edge weighing time - period * tokens: a cycle that passes v once gets heavier by what v gets slower,
    and the period is kept while no cycle has positive weight. None for a node on no cycle. 0 for nodes on a critical
    cycle when `period` is the maximum cycle ratio. One node may use up its slack, not several at once.

    Raises as `start_times` does. One bounded shortest-path search per node (Johnson's reweighting by `start_times`
    makes the weights non-negative): seconds for a few thousand nodes.
    """
    period = Fraction(period)
    starts = scaled_starts(graph, period)
    cost = starts[graph.target] - starts[graph.source] - _reduced(graph, period).astype(starts.dtype)
    wanted = np.arange(graph.size) if nodes is None else np.asarray(nodes, np.int64)
    found: dict[int, int] = {}
    component = strong_components(graph)
    inside: Integers = np.flatnonzero(component[graph.source] == component[graph.target])
    inside = inside[np.argsort(component[graph.source[inside]], kind="stable")]
    bounds = np.flatnonzero(np.diff(component[graph.source[inside]], prepend=-1, append=-1)).tolist()
    asked = np.zeros(graph.size, np.bool_)
    asked[wanted] = True
    for begin, end in pairwise(bounds):
        edges = inside[begin:end]
        members, tail = np.unique(graph.source[edges], return_inverse=True)
        head: Integers = np.searchsorted(members, graph.target[edges])
        chosen = np.flatnonzero(asked[members])
        if chosen.size:
            weights = lightest_cycles(len(members), tail, head, cost[edges], chosen)
            found.update(zip(members[chosen].tolist(), weights, strict=True))
    return [Fraction(found[node], period.denominator) if node in found else None for node in wanted.tolist()]


def group_slack(
    graph: TimedGraph, period: Fraction, nodes: Sequence[int] | Integers, constant: Sequence[int] | Integers = ()
) -> Fraction | None:
    """By how much the times of all `nodes` may grow together before the graph misses the period; None if on no cycle.

    All edges that leave these nodes get slower, but for the edges `constant`. The least -weight(C) / n(C) over the
    cycles C that pass n(C) > 0 such edges, an edge weighing time - period * tokens. For the firings of a multi-rate
    actor, which get slower together. Newton's method on x, the common growth (Dinkelbach, Management Science 13(7),
    1967): as long as some cycle has positive weight with x added, x falls to the value at which that cycle has none;
    the first x is beyond what any cycle can bear. Raises as `start_times` does.
    """
    period = Fraction(period)
    starts = scaled_starts(graph, period)
    relaxation = _relaxation(graph)
    slower = np.zeros(graph.size, np.int64)
    slower[np.asarray(nodes, np.int64)] = 1
    grows: Integers = slower[graph.source]
    grows[np.asarray(constant, np.int64)] = 0
    grows = grows[relaxation.edge]
    weights = _reduced(graph, period)[relaxation.edge]
    growth = Fraction(sum(np.abs(weights).tolist()) + 1)
    bearable: Fraction | None = None
    while True:
        scale = growth.denominator
        values = exact((scale, _in_order(relaxation, starts)))
        policy = np.full(graph.size, -1, np.int64)
        slowed = exact((scale, weights), (growth.numerator, grows))
        _, cycles = relaxation.settle(slowed, values, policy)
        if not cycles:
            return None if bearable is None else bearable / period.denominator
        passes = zip(cycles.sums(weights), cycles.sums(grows), strict=True)
        bearable = growth = min(Fraction(-weight, times) for weight, times in passes)


def _reduced(graph: TimedGraph, period: Fraction) -> Weights:
    """time - period * tokens of each edge, times the period's denominator."""
    return exact((period.denominator, graph.time), (-period.numerator, graph.tokens))


def _relaxation(graph: TimedGraph) -> Relaxation:
    """The graph with all edges turned around, so that values travel from sources to targets."""
    free, label = graph.tokens == 0, np.arange(graph.edge_count)
    return Relaxation(graph.size, graph.target, graph.source, free=free, label=label, against=True)


def _in_order(relaxation: Relaxation, vector: Weights) -> Weights:
    """A vector over nodes, in the relaxation's order."""
    ordered = np.empty_like(vector)
    ordered[relaxation.position] = vector
    return ordered


def scaled_starts(graph: TimedGraph, period: Fraction) -> Weights:
    """`start_times` times the period's denominator, as integers; raises as it does."""
    if graph.edge_count >= COMPILED_FROM:
        from snnir.maxplus.sweeps import OutOfRange  # noqa: PLC0415

        try:
            return _swept_starts(graph, period)
        except OutOfRange:
            pass
    relaxation = _relaxation(graph)
    weights = _reduced(graph, period)[relaxation.edge]
    policy = np.full(graph.size, -1, np.int64)
    values, cycles = relaxation.settle(weights, np.zeros(graph.size, np.int64), policy)
    if cycles:
        cycle = relaxation.walk(policy, int(cycles.edges[0]))
        raise _too_short(graph, period, relaxation.label[cycle].tolist()[::-1])
    return values[relaxation.position]


def _swept_starts(graph: TimedGraph, period: Fraction) -> Weights:
    """The same in 64 bits, for large graphs."""
    # numba is loaded only when there is work for it
    from snnir.maxplus.sweeps import Sweeps  # noqa: PLC0415

    sweeps = Sweeps(graph, against=True)
    found = sweeps.heaviest()
    if not found or Fraction(found.time, found.tokens) <= period:
        found = sweeps.settle(period.denominator, period.numerator)
    if found:
        raise _too_short(graph, period, sweeps.edges_of(found).tolist())
    return sweeps.values()


def _too_short(graph: TimedGraph, period: Fraction, cycle: list[int]) -> MaxPlusError:
    return MaxPlusError(f"the period {period} is below the ratio {graph.ratio(cycle)} of a cycle")
