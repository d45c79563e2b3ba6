"""Static orders with stages: entries that are some iterations behind the others of their resource.

In round r of its order a resource fires an actor of stage s for iteration r - s (for none, while that is negative). So
actors from both ends of a long path can share a resource without waiting for the whole path in each round, as in
software pipelining (Lam, PLDI 1988).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.maxplus.potentials import scaled_starts
from snnir.maxplus.sdf import Channel, SDFGraph, dependencies
from snnir.schedule.modulo import staged
from snnir.schedule.waiting_order import waiting_order

Dependencies = tuple[Integers, Integers, Integers]
"""Source, target and tokens of channels of rates 1."""
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


def turns_of(orders: Sequence[Order]) -> list[tuple[str, str, int]]:
    """The waits for one's turn, (a, b, tokens): firing k of b comes after firing k - tokens of a."""
    return [
        (a, b, before - after + (place == len(order) - 1))
        for order in orders
        for place, ((a, before), (b, after)) in enumerate(zip(order, [*order[1:], order[0]], strict=True))
    ]


def retimed(sdf: SDFGraph, orders: Sequence[Order], waits: Sequence[tuple[str, str, int]] = ()) -> Retimed:
    """`sdf` (rates of 1, without orders) with orders that have stages, as a graph without stages.

    `waits` are further ones, (a, b, tokens) as those for one's turn.

    Entry b follows entry a in the order: firing k of b waits for firing k + stage(b) - stage(a) of a, a channel with
    stage(a) - stage(b) tokens, one more from the last entry to the first. That may be a negative number; lags move
    tokens from the channels into an actor to those out of it, until none is (Leiserson, Saxe, Algorithmica 6, 1991).
    Raises `Deadlock` when a cycle has no token, which no lags can change.
    """
    index = sdf.index
    turns = [*turns_of(orders), *waits]
    lag: list[int] = _lags(len(index), _joined(dependencies(sdf), _numbered(index, turns))).tolist()
    channels = [_shifted(each, lag[index[each.target]] - lag[index[each.source]]) for each in sdf.channels]
    names = [actor.name for actor in sdf.actors]
    channels += [Channel(a, b, tokens=count + lag[index[b]] - lag[index[a]]) for a, b, count in turns]
    return Retimed(SDFGraph(sdf.actors, tuple(channels)), dict(zip(names, lag, strict=True)))


def period_of(sdf: SDFGraph, orders: Sequence[Order]) -> Fraction:
    """The period of a graph of rates 1 with orders that have stages; 0 when nothing limits it. Raises `Deadlock`."""
    return _Constraints(sdf).period_of(orders)


def pipelined(sdf: SDFGraph, resources: Sequence[Sequence[str]]) -> list[Order]:
    """Orders with stages for the actors that share each resource, from a periodic schedule of a graph of rates 1.

    Starts s of the schedule with the least period P that channels and resources allow become stages, s div P, and each
    resource fires in the order of s mod P. No deadlock: all that waits without a token in the graph with lags as stages
    is later in s mod P, or starts together with what it waits for and is put after it. Where firings of a resource
    overlap in that schedule, the orders need a longer period; the schedule of that period may have better ones, so this
    is repeated as long as it helps.
    """
    return _pipelined(_Constraints(sdf), resources)[0]


def shorter(sdf: SDFGraph, resources: Sequence[Sequence[str]]) -> list[Order] | None:
    """The orders of `pipelined`, if the period with them is shorter than with those given, which have no stages."""
    graph = _Constraints(sdf)
    found, period = _pipelined(graph, resources)
    if period is None or period >= graph.period_of([[(name, 0) for name in names] for names in resources]):
        return None
    return found


def _pipelined(graph: "_Constraints", resources: Sequence[Sequence[str]]) -> tuple[list[Order], Fraction | None]:
    """The orders and their period; none when all cycles take no time."""
    index, time = graph.index, graph.time.tolist()
    busy = [sum(time[index[name]] for name in names) for names in resources]
    target = max([graph.period, *map(Fraction, busy)])
    best: list[Order] = [[(name, 0) for name in names] for names in resources]
    least: Fraction | None = None
    while target:
        orders = graph.by_start(resources, target)
        found = graph.period_of(orders)
        if least is not None and found >= least:
            break
        best, least, target = orders, found, found
    return best, least


class _Constraints:
    """The channels of a graph of rates 1, in arrays."""

    def __init__(self, sdf: SDFGraph) -> None:
        self.index = sdf.index
        self.time = np.array([actor.times[0] for actor in sdf.actors], np.int64)
        self._arcs = dependencies(sdf)
        self._graph = self._timed(*self._arcs)

    def _timed(self, source: Integers, target: Integers, tokens: Integers) -> TimedGraph:
        return TimedGraph(len(self.time), source, target, self.time[source], tokens)

    @cached_property
    def period(self) -> Fraction:
        """The period without orders; 0 when nothing limits it."""
        return _period(self._graph)

    def period_of(self, orders: Sequence[Order]) -> Fraction:
        """The period with orders, as that of `retimed`."""
        source, target, tokens = _joined(self._arcs, _numbered(self.index, turns_of(orders)))
        lag = _lags(len(self.time), (source, target, tokens))
        return _period(self._timed(source, target, tokens + lag[target] - lag[source]))

    def by_start(self, resources: Sequence[Sequence[str]], period: Fraction) -> list[Order]:
        """Orders by start modulo the period."""
        source, target, tokens = self._arcs
        starts, every = scaled_starts(self._graph, period), np.arange(len(self.time))
        lag, left = staged(starts, period.numerator, every, self._arcs)
        free = tokens + lag[target] - lag[source] == 0
        first: Integers = np.argsort(waiting_order(len(self.time), source[free], target[free]))
        keys: list[tuple[int, int]] = list(zip(left.tolist(), first.tolist(), strict=True))
        stages: list[int] = lag.tolist()
        orders: list[Order] = []
        for names in resources:
            actors = {self.index[name]: name for name in names}
            least = min(stages[actor] for actor in actors)
            orders.append([(actors[a], stages[a] - least) for a in sorted(actors, key=keys.__getitem__)])
        return orders


def _period(graph: TimedGraph) -> Fraction:
    found = maximum_cycle_ratio(graph)
    return found.ratio if found else Fraction(0)


def _shifted(channel: Channel, tokens: int) -> Channel:
    """The channel with so many tokens more."""
    if not tokens and channel.produce == channel.consume == 1:
        return channel
    return Channel(channel.source, channel.target, tokens=channel.tokens + tokens, capacity=channel.capacity)


def _numbered(index: Mapping[str, int], waits: Sequence[tuple[str, str, int]]) -> Dependencies:
    """Waits in arrays; their tokens may be negative."""
    rows = [(index[a], index[b], tokens) for a, b, tokens in waits]
    source, target, tokens = np.array(rows, np.int64).reshape(-1, 3).T
    return source, target, tokens


def _joined(some: Dependencies, more: Dependencies) -> Dependencies:
    source, target, tokens = (np.concatenate(pair) for pair in zip(some, more, strict=True))
    return source, target, tokens


def _lags(size: int, arcs: Dependencies) -> Integers:
    """The least lags with lag(b) >= lag(a) - tokens along every channel: start times at a period of 0."""
    source, target, tokens = arcs
    try:
        return scaled_starts(TimedGraph(size, source, target, -tokens, np.ones_like(tokens)), Fraction(0)).astype(
            np.int64
        )
    except MaxPlusError:
        raise Deadlock("deadlock: the stages of the orders let each actor of some cycle wait for the next") from None
