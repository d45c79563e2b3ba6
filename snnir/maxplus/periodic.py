"""Exact analysis of graphs with too many firings for an expansion, by K-periodic schedules."""

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from snnir.maxplus.blocks import BlockGraph, Blocks
from snnir.maxplus.cycle_ratio import maximum_cycle_ratio, strong_components
from snnir.maxplus.errors import Deadlock, TooLarge
from snnir.maxplus.expansion import KINDS, SEQUENCE, FiringEdge
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.maxplus.potentials import group_slack, start_times
from snnir.maxplus.sdf import SDFGraph, repetition_vector
from snnir.maxplus.wide import heaviest_walks, least_tokens, wide_cycle_ratio

_LARGEST = float(1 << 60)
"""Scaled times below this one are kept in 64 bits."""


@dataclass(frozen=True)
class Periodic:
    """A K-periodic schedule of least period, and why there is no faster schedule of any kind.

    `period`: of one iteration; None when nothing bounds the throughput.
    `repetition`: firings of each actor in an iteration. `block`: in a block; firing r of block m of actor a starts at
    `starts[a][r]` + m * period * block[a] / repetition[a].
    `critical_cycle`: edges between firings of blocks; their `tokens` may be fractions, a block being a part of an
    iteration.
    `slack`: the time of an actor alone may grow by at least this without a longer period; None for actors on no cycle.
    """

    period: Fraction | None
    repetition: dict[str, int]
    block: dict[str, int]
    critical_cycle: tuple[FiringEdge, ...]
    starts: dict[str, list[Fraction]]
    slack: dict[str, Fraction | None]


def k_periodic(sdf: SDFGraph, *, slack: bool = True, limit: int = 5_000_000) -> Periodic:
    """The exact period of `sdf`, whatever the number of firings in an iteration, and a schedule that has it.

    K-Iter (Bodin, Munier-Kordon, Dupont de Dinechin, DAC 2016): begin with blocks of one cycle of phases for each
    actor, find the shortest period of such schedules as a maximum cycle ratio (`snnir.maxplus.blocks`), enlarge the
    blocks of the actors on the critical cycle, and repeat.

    Why it is exact when it stops. Let the actors on the critical cycle, of ratio lambda, go through their phases q(a) =
    h * t(a) times an iteration, where the t(a) have no common divisor. Take away all constraints but those between
    these actors: in what remains an iteration is t(a) cycles, schedules of period lambda_0 exist that repeat it
    (`expand`), and none is faster, so lambda_0 is at most the period of the whole graph. When each block K(a) is a
    multiple of t(a), such a schedule is K-periodic; thus no K-periodic schedule of the remaining graph, in which the
    critical cycle still is, takes longer, and lambda <= lambda_0. A cycle whose tokens add up to nothing or less, of
    which no block of such size is free, is a deadlock. Blocks that divide q(a) suffice, and there are finitely many.
    (An order repeats only with the whole iteration: a cycle through one asks for K(a) = q(a).)

    `limit` bounds firings plus edges of a block graph. Raises `TooLarge` beyond that, at once and with the period of
    the best schedule found before; else what `expand` and `maximum_cycle_ratio` raise.
    """
    repetition = repetition_vector(sdf)
    cycles = [repetition[actor.name] // phases for actor, phases in zip(sdf.actors, sdf.phases, strict=True)]
    ordered = {sdf.index[name] for order in sdf.orders for name in order}
    blocks = Blocks(sdf, cycles)
    count = [cycles[actor] if actor in ordered else 1 for actor in range(len(cycles))]
    known: Fraction | None = None
    while True:
        if blocks.count(count) > limit:
            raise _too_large(sdf, blocks.count(count), limit, count, known)
        graph = blocks.graph(count)
        search = _Search(graph)
        period, critical = search.critical()
        if critical.size and period is not None:
            known = period
        wanted = _wanted(graph, critical, cycles)
        if all(count[actor] % least == 0 for actor, least in wanted.items()):
            break
        for actor, least in wanted.items():
            count[actor] = lcm(count[actor], least)
    edges = tuple(_firing_edge(sdf, graph, int(edge)) for edge in critical)
    if period is None and edges:
        raise _deadlock(edges)
    starts, schedule = search.starts(period or Fraction(0))
    names = [actor.name for actor in sdf.actors]
    return Periodic(
        period=period,
        repetition=repetition,
        block=dict(zip(names, graph.block, strict=True)),
        critical_cycle=edges,
        starts={name: starts[graph.first[a] : graph.first[a] + graph.block[a]] for a, name in enumerate(names)},
        slack=_slack(graph, names, schedule) if slack and period is not None else dict.fromkeys(names),
    )


class _Search:
    """Cycles and start times of a block graph, in 64 bits if that surely suffices."""

    def __init__(self, graph: BlockGraph) -> None:
        self.graph = graph
        component = strong_components(self._timed(np.arange(len(graph.source)), graph.time, graph.time * 0))
        self.inside: Integers = np.flatnonzero(component[graph.source] == component[graph.target])

    def _timed(self, edges: Integers, time: Integers, tokens: Integers) -> TimedGraph:
        return TimedGraph(self.graph.size, self.graph.source[edges], self.graph.target[edges], time, tokens)

    def critical(self) -> tuple[Fraction | None, Integers]:
        """The least period and a cycle that needs it; no period for a cycle that no period is enough for; neither
        when nothing but the order of an actor's own starts makes a cycle."""
        graph, inside = self.graph, self.inside
        tokens, unit = graph.tokens(inside)
        ones = np.ones(len(inside), np.int64)
        if tokens.dtype.kind == "O":
            ends = graph.size, graph.source[inside], graph.target[inside]
            cycle = least_tokens(*ends, tokens)
            if cycle:
                return None, inside[cycle]
            found = wide_cycle_ratio(*ends, graph.time[inside], tokens)
        else:
            emptying = self._timed(inside, -tokens, ones)
            emptied = maximum_cycle_ratio(emptying)
            if emptied is None or emptied.ratio >= 0:
                return None, inside[list(emptied.cycle)] if emptied else inside[:0]
            # with these potentials no edge carries fewer than no tokens, and cycles carry what they did
            level = np.array([int(value) for value in start_times(emptying, Fraction(0))], np.int64)
            tokens = tokens + level[graph.target[inside]] - level[graph.source[inside]]
            found = maximum_cycle_ratio(self._timed(inside, graph.time[inside], tokens))
        if found is None or (not found.ratio and self._acyclic()):
            return None, inside[:0]
        return found.ratio * unit, inside[list(found.cycle)]

    def _acyclic(self) -> bool:
        kept = self.inside[self.graph.kind[self.graph.part[self.inside]] != SEQUENCE]
        graph = self._timed(kept, self.graph.time[kept], np.ones(len(kept), np.int64))
        return maximum_cycle_ratio(graph) is None

    def starts(self, period: Fraction) -> tuple[list[Fraction], "tuple[TimedGraph, int] | None"]:
        """The least start of each node in a schedule of a period, and the graph, of scaled times, that says so.

        No graph when the times exceed 64 bits.
        """
        graph, edges = self.graph, np.arange(len(self.graph.source))
        tokens, unit = graph.tokens(edges)
        pace = period / unit
        scale, loss = pace.denominator, pace.numerator
        largest = scale * float(graph.time.max(initial=0)) + loss * float(np.abs(tokens).max(initial=0))
        if largest * graph.size < _LARGEST and tokens.dtype.kind == "i":
            rigid = self._timed(edges, scale * graph.time - loss * tokens, np.ones(len(edges), np.int64))
            values = start_times(rigid, Fraction(0))
            return [value / scale for value in values], (rigid, scale)
        weight = scale * graph.time.astype(object) - loss * tokens.astype(object)
        walks = heaviest_walks(graph.size, graph.source, graph.target, weight)
        return [Fraction(value, scale) for value in walks], None


def _wanted(graph: BlockGraph, critical: Integers, cycles: list[int]) -> dict[int, int]:
    """For each actor on the critical cycle, what its number of cycles in a block has to be a multiple of."""
    nodes = graph.source[critical]
    owner = np.searchsorted(np.array(graph.first), nodes, side="right") - 1
    actors: list[int] = np.unique(owner).tolist()
    whole = bool((graph.kind[graph.part[critical]] == KINDS.index("order")).any())
    common = 1 if whole else gcd(*(cycles[actor] for actor in actors))
    return {actor: cycles[actor] // common for actor in actors}


def _firing_edge(sdf: SDFGraph, graph: BlockGraph, edge: int) -> FiringEdge:
    part = int(graph.part[edge])
    ends: list[tuple[str, int]] = []
    for node in (int(graph.source[edge]), int(graph.target[edge])):
        actor = int(np.searchsorted(np.array(graph.first), node, side="right")) - 1
        ends.append((sdf.actors[actor].name, node - graph.first[actor]))
    tokens = Fraction(int(graph.numerator[edge]), graph.denominator[part])
    kind = KINDS[int(graph.kind[part])]
    return FiringEdge(*ends[0], *ends[1], kind, int(graph.index[part]), int(graph.time[edge]), tokens)


def _slack(graph: BlockGraph, names: list[str], schedule: tuple[TimedGraph, int] | None) -> dict[str, Fraction | None]:
    if schedule is None:
        return dict.fromkeys(names)
    rigid, scale = schedule
    constant = np.flatnonzero(graph.kind[graph.part] == SEQUENCE)
    slack: dict[str, Fraction | None] = {}
    for name, first, block in zip(names, graph.first, graph.block, strict=True):
        growth = group_slack(rigid, Fraction(0), range(first, first + block), constant)
        slack[name] = None if growth is None else growth / scale
    return slack


def _too_large(sdf: SDFGraph, size: int, limit: int, count: list[int], known: Fraction | None) -> TooLarge:
    largest = sorted(range(len(count)), key=lambda actor: -count[actor] * sdf.phases[actor])[:5]
    names = tuple(sdf.actors[actor].name for actor in largest)
    firings = ", ".join(f"{sdf.actors[actor].name} ({count[actor] * sdf.phases[actor]})" for actor in largest)
    bound = "" if known is None else f"; a schedule of period {known} is known"
    return TooLarge(
        f"the cycle that limits the throughput takes {size} firings and dependencies to examine, more than the limit "
        f"of {limit}; most firings are those of {firings}{bound}",
        names,
        known,
    )


def _deadlock(edges: tuple[FiringEdge, ...]) -> Deadlock:
    shown = ", ".join(map(str, edges[:8])) + (", ..." if len(edges) > 8 else "")
    actors = tuple(edge.source for edge in edges)
    return Deadlock(f"deadlock: the cycle {shown} has no tokens to begin with", (), actors)
