"""The exact period of a bound graph with orders and slices, when all wheels turn together from time 0 on."""

from fractions import Fraction
from math import lcm

import numpy as np

from snnir.maxplus.cycle_ratio import strong_components
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.expansion import Expansion, expand
from snnir.schedule.bound import BoundGraph
from snnir.schedule.firing import firing_times, sequence
from snnir.schedule.wheel import Slice

_LIMIT = 1_000_000
"""So many firings take up to half a minute."""


class _Recurrence:
    """The recursion of self-timed execution on the firings of one strongly connected component.

    Firing v of iteration k begins when the last of its tokens is there, max over edges (u, v) of the end of u in
    iteration k - tokens, and ends when its work is done within its slice. No choice is left, so this is the execution.
    """

    def __init__(self, nodes: list[int], edges: list[tuple[int, int, int]], work: list[int], own: list[Slice | None]):
        """`nodes`: in a sequence that respects edges without tokens; `edges`: source, target, tokens; `work` and `own`
        slice of each node of the whole graph."""
        place = {node: number for number, node in enumerate(nodes)}
        self.depth = max((tokens for _, _, tokens in edges), default=1) + 1
        self.work = [work[node] for node in place]
        self.own = [own[node] for node in place]
        self.before: list[list[tuple[int, int]]] = [[] for _ in place]
        for source, target, tokens in edges:
            self.before[place[target]].append((place[source], tokens))
        self.ends = [[-1] * len(place) for _ in range(self.depth)]
        """Of the last iterations, the newest last; -1: tokens that are there at the beginning."""
        self.turn = lcm(*(each.wheel for each in self.own if each is not None))

    def iterate(self) -> None:
        """One iteration more."""
        ends = self.ends.pop(0)
        self.ends.append(ends)
        for node, before in enumerate(self.before):
            start = max((self.ends[-1 - tokens][source] for source, tokens in before), default=0)
            own = self.own[node]
            start = max(start, 0)
            ends[node] = start + self.work[node] if own is None else own.end(start, self.work[node])

    def state(self) -> tuple[object, ...]:
        """All that decides what follows, relative to `now`."""
        base = self.now
        return base % self.turn, [[end - base for end in ends] for ends in self.ends[1:]]

    @property
    def now(self) -> int:
        """The end of some firing of the newest iteration."""
        return self.ends[-1][0]


def exact_period(bound: BoundGraph, limit: int = _LIMIT) -> Fraction | None:
    """The long-run time of an iteration, None when nothing limits the throughput; a rational number, not rounded.

    Iterations are executed until their state, the ends of the firings that later ones wait for and the position of the
    wheels, recurs (self-timed state space: Ghamarian et al., ACSD 2006; with wheels: Stuijk et al., DAC 2007). Each
    strongly connected component has its own pace, as if what it gets from others were always there, and the slowest
    decides: were one that could keep up slower than what feeds it, its input would pile up until it had its own pace.
    Only one state is kept (Brent, BIT 20, 1980).

    Raises as `expand` does, `Deadlock`, and `MaxPlusError` when more than `limit` firings show no recurrence.
    """
    expansion = expand(bound.graph)
    graph = expansion.graph
    component = strong_components(graph)
    inside = np.flatnonzero(component[graph.source] == component[graph.target])
    parts: dict[int, list[tuple[int, int, int]]] = {}
    columns = (component[graph.source[inside]], graph.source[inside], graph.target[inside], graph.tokens[inside])
    for part, source, target, tokens in zip(*(column.tolist() for column in columns), strict=True):
        parts.setdefault(part, []).append((source, target, tokens))
    members: dict[int, list[int]] = {part: [] for part in parts}
    for node in sequence(graph):
        members.get(int(component[node]), []).append(node)
    work, own = _firings(bound, expansion)
    periods: list[Fraction] = []
    for part, edges in parts.items():
        period, limit = _period(_Recurrence(members[part], edges, work, own), limit)
        periods.append(period)
    return max(periods, default=None)


def _firings(bound: BoundGraph, expansion: Expansion) -> tuple[list[int], list[Slice | None]]:
    """Work and slice of each node."""
    own = [bound.slice_of(actor.name) for actor in expansion.sdf.actors]
    each: list[int] = expansion.actor.tolist()
    return firing_times(expansion).tolist(), [own[actor] for actor in each]


def _period(recurrence: _Recurrence, limit: int) -> tuple[Fraction, int]:
    """The period of a component, and what is left of the limit."""
    for _ in range(recurrence.depth):
        recurrence.iterate()
    anchor, then = recurrence.state(), recurrence.now
    steps, renewal = 0, 1
    while True:
        recurrence.iterate()
        limit -= len(recurrence.work)
        steps += 1
        state = recurrence.state()
        if state == anchor:
            return Fraction(recurrence.now - then, steps), limit
        if limit < 0:
            raise MaxPlusError("too many firings before the execution repeats; the period is not known exactly")
        if steps == renewal:
            anchor, then = state, recurrence.now
            steps, renewal = 0, 2 * renewal
