"""Static orders with stages: entries that are some iterations behind the others of their resource.

In round r of its order a resource fires an actor of stage s for iteration r - s (for none, while that is negative). So
actors from both ends of a long path can share a resource without waiting for the whole path in each round, as in
software pipelining (Lam, PLDI 1988).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.potentials import start_times
from snnir.maxplus.sdf import Channel, SDFGraph

Order = Sequence[tuple[str, int]]
"""The actors that fire on one resource, once each per round, and their stages."""


@dataclass(frozen=True)
class Retimed:
    """A graph in which firing k of an actor stands for its firing k - lag of another graph.

    Both have the same cycles with the same tokens, hence the same period. When the firings of `graph` start at s(a) +
    k * period at the latest, those of the other one start at s(a) + (k + lag(a)) * period at the latest: firings before
    the first are missing in the other graph, and nothing waits for them.
    """

    graph: SDFGraph
    lag: Mapping[str, int]


def retimed(sdf: SDFGraph, orders: Sequence[Order]) -> Retimed:
    """`sdf` (rates of 1, without orders) with orders that have stages, as a graph without stages.

    Entry b follows entry a in the order: firing k of b waits for firing k + stage(b) - stage(a) of a, a channel with
    stage(a) - stage(b) tokens, one more from the last entry to the first. That may be a negative number; lags move
    tokens from the channels into an actor to those out of it, until none is (Leiserson, Saxe, Algorithmica 6, 1991).
    Raises `Deadlock` when a cycle has no token, which no lags can change.
    """
    index = sdf.index
    turns = [
        (index[a], index[b], before - after + (place == len(order) - 1))
        for order in orders
        for place, ((a, before), (b, after)) in enumerate(zip(order, [*order[1:], order[0]], strict=True))
    ]
    arcs = [(arc.source, arc.target, arc.tokens) for arc in sdf.arcs()]
    source, target, tokens = np.array([*arcs, *turns], np.int64).reshape(-1, 3).T
    # lag(b) >= lag(a) - tokens along every channel: the least such lags, as start times at a period of 0
    try:
        lags = start_times(TimedGraph(len(sdf.actors), source, target, -tokens, np.ones_like(tokens)), Fraction(0))
    except MaxPlusError:
        raise Deadlock("deadlock: the stages of the orders let each actor of some cycle wait for the next") from None
    lag = [int(each) for each in lags]
    channels = [
        Channel(
            channel.source,
            channel.target,
            tokens=channel.tokens + lag[index[channel.target]] - lag[index[channel.source]],
            capacity=channel.capacity,
        )
        for channel in sdf.channels
    ]
    names = [actor.name for actor in sdf.actors]
    channels += [Channel(names[a], names[b], tokens=count + lag[b] - lag[a]) for a, b, count in turns]
    return Retimed(SDFGraph(sdf.actors, tuple(channels)), dict(zip(names, lag, strict=True)))


def period_of(sdf: SDFGraph, orders: Sequence[Order]) -> Fraction:
    """The period of a graph of rates 1 with orders that have stages; 0 when nothing limits it. Raises `Deadlock`."""
    return _Constraints(retimed(sdf, orders).graph).period


def pipelined(sdf: SDFGraph, resources: Sequence[Sequence[str]]) -> list[Order]:
    """Orders with stages for the actors that share each resource, from a periodic schedule of a graph of rates 1.

    Starts s of the schedule with the least period P that channels and resources allow become stages, s div P, and each
    resource fires in the order of s mod P. No deadlock: all that waits without a token in the graph with lags as stages
    is later in s mod P, or starts together with what it waits for and is put after it. Where firings of a resource
    overlap in that schedule, the orders need a longer period; the schedule of that period may have better ones, so this
    is repeated as long as it helps.
    """
    graph = _Constraints(sdf)
    busy = [sum(sdf.actors[sdf.index[name]].times[0] for name in names) for names in resources]
    target = max([graph.period, *map(Fraction, busy)])
    best: list[Order] = [[(name, 0) for name in names] for names in resources]
    least: Fraction | None = None
    while target:
        orders = graph.by_start(resources, target)
        found = period_of(sdf, orders)
        if least is not None and found >= least:
            break
        best, least, target = orders, found, found
    return best


class _Constraints:
    """The channels of a graph of rates 1, in arrays."""

    def __init__(self, sdf: SDFGraph) -> None:
        self._sdf = sdf
        arcs = [(arc.source, arc.target, arc.tokens) for arc in sdf.arcs()]
        self._source, self._target, self._tokens = np.array(arcs, np.int64).reshape(-1, 3).T
        time = np.array([actor.times[0] for actor in sdf.actors], np.int64)[self._source]
        self._graph = TimedGraph(len(sdf.actors), self._source, self._target, time, self._tokens)
        found = maximum_cycle_ratio(self._graph)
        self.period = found.ratio if found else Fraction(0)

    def by_start(self, resources: Sequence[Sequence[str]], period: Fraction) -> list[Order]:
        """Orders by start modulo the period."""
        index = self._sdf.index
        starts = start_times(self._graph, period)
        stages = [int(start // period) for start in starts]
        lag = np.array(stages, np.int64)
        free = self._tokens + lag[self._target] - lag[self._source] == 0
        place = self._sequence(free)
        orders: list[Order] = []
        for names in resources:
            least = min(stages[index[name]] for name in names)
            keys = {name: (starts[index[name]] - stages[index[name]] * period, place[index[name]]) for name in names}
            orders.append([(name, stages[index[name]] - least) for name in sorted(names, key=keys.__getitem__)])
        return orders

    def _sequence(self, free: NDArray[np.bool_]) -> dict[int, int]:
        """The place of each actor in a sequence where all that waits without a token comes after what it waits for."""
        needs: dict[int, list[int]] = {actor: [] for actor in range(len(self._sdf.actors))}
        for before, after in zip(self._source[free].tolist(), self._target[free].tolist(), strict=True):
            needs[after].append(before)
        return {actor: number for number, actor in enumerate(TopologicalSorter(needs).static_order())}
