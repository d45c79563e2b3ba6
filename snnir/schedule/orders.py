"""Static orders: in which sequence each tile runs the firings of an iteration, and which of them run behind.

An order is more than a sequence: the firings of some actors may be one or more iterations behind (software pipelining,
Lam, PLDI 1988), so that a tile need not wait for a long way through other tiles within each round of its order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

import numpy as np

from snnir.maxplus.errors import Deadlock
from snnir.maxplus.expansion import Expansion
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.maxplus.potentials import start_times
from snnir.schedule.bound import BoundGraph
from snnir.schedule.deployment import UNBOUND
from snnir.schedule.firing import FiringGraph, firings, rank_of, sequence
from snnir.schedule.list_scheduling import Execution, Key
from snnir.schedule.modulo import staged

Algorithm = Literal["fifo", "slack", "critical"]

_EVENTS = 6_000_000
"""About how many tokens a list schedule hands over before it is taken as settled, 16 iterations of 375,000 tokens."""


@dataclass(frozen=True, eq=False)
class Plan:
    """For each node of a `FiringGraph` how many iterations it is behind, and its place in one sequence of all firings.

    The stages of the firings of an actor are equal, and no firing needs a token of a later iteration; the sequence
    respects the edges without tokens of the graph retimed by the stages. So no binding and no tile can deadlock.
    """

    stage: Integers
    rank: Integers


def order(
    bound: BoundGraph, algorithm: Algorithm = "critical", budget: int = 400, *, stages: bool = True
) -> BoundGraph:
    """The bound graph with orders, retimed by the stages of its actors.

    `fifo`: list scheduling, first come first served, as in SDF3. `slack`: list scheduling, the least slack first.
    `critical`: the best of these and of periodic schedules, improved along critical cycles with at most `budget`
    evaluations. Without `stages` nothing runs behind. Raises `Deadlock` when an iteration cannot be completed.
    """
    graph, expansion = firings(bound)
    match algorithm:
        case "fifo":
            plan = fifo(graph, stages)
        case "slack":
            plan = least_slack(graph, stages)
        case "critical":
            plan = best_plan(graph, budget, stages)
    return with_plan(bound, plan, expansion)


def with_plan(bound: BoundGraph, plan: Plan, expansion: Expansion) -> BoundGraph:
    """The bound graph with the stages and the orders of a plan for the nodes of an expansion.

    That may be the expansion of a graph with more connections, as long as all actors of the bound one are in it.
    """
    names = [actor.name for actor in expansion.sdf.actors]
    stages: list[int] = plan.stage[expansion.first].tolist()
    shown = {name: stage for name, stage in zip(names, stages, strict=True) if name in bound.graph.index}
    orders: dict[str, list[str]] = {tile: [] for tile in bound.actors}
    nodes: list[int] = expansion.actor[np.argsort(plan.rank)].tolist()
    for name in (names[actor] for actor in nodes):
        if name in bound.binding:
            orders[bound.binding[name]].append(name)
    return bound.retimed(shown).ordered({tile: tuple(order) for tile, order in orders.items()})


def plan_of(graph: FiringGraph, starts: Sequence[int], period: int) -> Plan:
    """The plan of a periodic schedule, even of one that is not quite right: its stages, and by what is left of starts.

    See `snnir.schedule.modulo`.
    """
    edges = graph.source, graph.target, graph.tokens
    nodes, left = staged(np.array(starts, object), period, graph.actor, edges)
    nodes -= nodes.min(initial=0)
    return Plan(nodes, rank_of(sequence(graph.retimed(nodes).timed(), left.tolist())))


def together(graph: FiringGraph, starts: Sequence[int]) -> Plan:
    """The plan that keeps all firings of an iteration together, by start."""
    return Plan(np.zeros(graph.size, np.int64), rank_of(sequence(graph.timed(), starts)))


def target_period(graph: FiringGraph) -> Fraction:
    """A period that no order beats: of the graph with nothing shared, and of the busiest tile; at least 1."""
    critical = graph.critical()
    alone = critical.ratio if critical else Fraction(0)
    busiest = graph.load(int(graph.tile.max(initial=UNBOUND)) + 1).max(initial=0)
    return max(alone, Fraction(int(busiest)), Fraction(1))


def period_of(graph: FiringGraph, plan: Plan) -> Fraction:
    """The guaranteed period with orders; 0 when nothing limits the throughput."""
    critical = graph.retimed(plan.stage).critical(plan.rank)
    return critical.ratio if critical else Fraction(0)


def fifo(graph: FiringGraph, stages: bool = True) -> Plan:
    """A list schedule in which a tile takes the firing that has been ready longest."""
    return _better(graph, _list_schedule(graph, lambda node, iteration, ready: (ready, node)), stages)


def least_slack(graph: FiringGraph, stages: bool = True) -> Plan:
    """A list schedule in which a tile takes the ready firing that can wait least at the target period.

    The latest start of firing v of iteration k is k * period less the weight of the heaviest walk that begins at v.
    """
    period = target_period(graph)
    timed = graph.timed()
    against = TimedGraph(graph.size, timed.target, timed.source, timed.time, timed.tokens)
    heaviest = scaled(start_times(against, period), period)

    def latest(node: int, iteration: int, _ready: int) -> tuple[int, int]:
        return iteration * period.numerator - heaviest[node], node

    return _better(graph, _list_schedule(graph, latest), stages)


def _better(graph: FiringGraph, plans: tuple[Plan, Plan], stages: bool) -> Plan:
    return min(plans if stages else plans[:1], key=lambda plan: period_of(graph, plan))


def _list_schedule(graph: FiringGraph, key: Key) -> tuple[Plan, Plan]:
    """The orders in which firings start when tiles never idle while something is ready, without and with stages.

    Self-timed execution; a free tile takes the ready firing of least key. What counts is an iteration in the middle,
    after the pipeline has filled and before it runs dry, and how long after it one more quarter of them starts.
    """
    # nothing here may depend on connections that a binding does not use: not every graph of the binding has them
    handed = int((graph.source != graph.target).sum())
    iterations = min(16, max(4, _EVENTS // max(1, handed)))
    execution = Execution(graph, iterations, key)
    execution.run()
    if len(execution.started) < graph.size * iterations:
        raise Deadlock("deadlock: firings wait for each other without a token")
    chosen, later = iterations // 2, iterations * 3 // 4
    rank = rank_of([node for node, iteration in execution.started if iteration == chosen])
    starts = execution.starts[chosen]
    bound: list[int] = np.flatnonzero(graph.tile != UNBOUND).tolist()
    passed = sum(execution.starts[later][node] - starts[node] for node in bound)
    period = max(1, passed // (max(1, len(bound)) * (later - chosen)))
    return Plan(np.zeros(graph.size, np.int64), rank), plan_of(graph, starts, period)


def plans(graph: FiringGraph, stages: bool = True) -> Iterator[Plan]:
    """Orders worth trying: list schedules, and periodic schedules."""
    yield from listed(graph, stages)
    yield from periodic(graph, stages)


def listed(graph: FiringGraph, stages: bool = True) -> Iterator[Plan]:
    """List schedules."""
    yield fifo(graph, stages)
    yield least_slack(graph, stages)


def periodic(graph: FiringGraph, stages: bool = True) -> Iterator[Plan]:
    """The orders of periodic schedules at and a little above the target period, much faster than list schedules."""
    period = target_period(graph)
    starts = scaled(start_times(graph.timed(), period), period)
    yield together(graph, starts)
    if not stages:
        return
    yield plan_of(graph, starts, period.numerator)
    for longer in (period, period * 9 / 8, period * 5 / 4):
        whole = ceil(longer)
        yield plan_of(graph, reserved(graph, starts, whole), whole)


def scaled(starts: list[Fraction], period: Fraction) -> list[int]:
    """Starts of a schedule with that period, in units of 1 / its denominator, of which all of them are multiples."""
    return [start.numerator * (period.denominator // start.denominator) for start in starts]


def reserved(graph: FiringGraph, starts: Sequence[int], period: int) -> list[int]:
    """Starts of a periodic schedule in which the firings of a tile do not overlap, as far as one pass gets.

    Modulo scheduling (Rau, MICRO 1994) without backtracking: in the order of `starts`, each firing begins at the first
    time, not before its tokens from firings already placed, that is free on its tile in every period.
    """
    before: list[list[tuple[int, int]]] = [[] for _ in range(graph.size)]
    edges: list[tuple[int, int, int]] = np.stack((graph.source, graph.target, graph.tokens), axis=1).tolist()
    for source, target, tokens in edges:
        before[target].append((source, tokens))
    times: list[int] = graph.time.tolist()
    tiles: list[int] = graph.tile.tolist()
    taken: dict[int, list[tuple[int, int]]] = {}
    placed: dict[int, int] = {}
    for node in sequence(graph.timed(), starts):
        ready = [
            placed[source] + times[source] - period * tokens for source, tokens in before[node] if source in placed
        ]
        start = max(ready, default=0)
        if tiles[node] != UNBOUND and times[node]:
            start = _free(taken.setdefault(tiles[node], []), start, times[node], period)
        placed[node] = start
    return [placed[node] for node in range(graph.size)]


def _free(taken: list[tuple[int, int]], earliest: int, time: int, period: int) -> int:
    """The first start from `earliest` on with room for `time` between what is taken, and takes it; `earliest` if none.

    `taken`: begin and end of each firing within the period, in order; those that pass its end are in two parts.
    """
    position = earliest % period
    wait = 0
    for begin, end in [*taken, *((begin + period, end + period) for begin, end in taken)]:
        if end <= position + wait:
            continue
        if begin >= position + wait + time:
            break
        wait = end - position
    if wait >= period or time > period:
        return earliest
    begin = (position + wait) % period
    end = begin + time
    taken.extend([(begin, end)] if end <= period else [(begin, period), (0, end - period)])
    taken.sort()
    return earliest + wait


def best_plan(graph: FiringGraph, budget: int = 400, stages: bool = True) -> Plan:
    """The best of `plans`, improved along critical cycles."""
    # of equal ones that with the fewest stages: each adds a period to the latency
    found = [(period_of(graph, plan), int(plan.stage.max(initial=0)), plan) for plan in plans(graph, stages)]
    best = min(found, key=lambda each: each[:2])[2]
    return improved(graph, best, target_period(graph), budget - len(found))


def improved(graph: FiringGraph, plan: Plan, enough: Fraction, budget: int) -> Plan:
    """A plan of no longer period: neighbours in an order that are on the critical cycle change places.

    Only such a swap can help: as long as all edges of the critical cycle are there, so is its ratio. Ends at the period
    `enough`, after `budget` evaluations, or when no swap helps.
    """
    shifted, rank = graph.retimed(plan.stage), plan.rank
    critical = shifted.critical(rank)
    while critical is not None and critical.ratio > enough:
        timed = shifted.timed(rank)
        turns = [edge for edge in critical.cycle if edge >= len(graph.source) and not timed.tokens[edge]]
        for edge in turns:
            if budget <= 0:
                return Plan(plan.stage, rank)
            budget -= 1
            trial = rank.copy()
            ends = timed.source[edge], timed.target[edge]
            trial[ends[0]], trial[ends[1]] = rank[ends[1]], rank[ends[0]]
            try:
                found = shifted.critical(trial)
            except Deadlock:
                continue
            if found is not None and found.ratio < critical.ratio:
                # the swap may contradict the sequence elsewhere: make one that respects the new orders
                rank = rank_of(sequence(shifted.timed(trial)))
                critical = found
                break
        else:
            break
    return Plan(plan.stage, rank)
