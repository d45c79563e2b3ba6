"""Buffer sizing: the smallest capacities for a throughput, and the front of buffer space against throughput."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from snnir.maxplus.distributions import Distribution, Search
from snnir.maxplus.errors import MaxPlusError, TooLarge
from snnir.maxplus.incremental import grown, smallest
from snnir.maxplus.sdf import SDFGraph
from snnir.maxplus.storage import Storage, Store

Algorithm = Literal["auto", "exact", "incremental"]
"""`exact`: no smaller capacities exist. `incremental`: upper bounds, for graphs of any size. `auto`: exact when that
takes no more than a given effort, else incremental."""

EFFORT = 30_000
"""How many steps of an exact search, distributions of buffer space looked at (see `Search`), are too much: seconds."""


@dataclass(frozen=True)
class Buffers:
    """Capacities of the channels of a graph.

    `capacities`: of each channel, in tokens; None for those that are left alone. `size`: their weighted sum. `period`:
    of an iteration with these capacities. `exact`: whether no smaller ones reach this period.
    """

    capacities: tuple[int | None, ...]
    size: int
    period: Fraction
    exact: bool

    @property
    def throughput(self) -> Fraction | None:
        """Iterations per time unit, 1 / period; None when it is unbounded."""
        return 1 / self.period if self.period else None

    def applied(self, sdf: SDFGraph) -> SDFGraph:
        """The graph with these capacities."""
        pairs = zip(sdf.channels, self.capacities, strict=True)
        sized = [channel if each is None else replace(channel, capacity=each) for channel, each in pairs]
        return replace(sdf, channels=tuple(sized))


def smallest_capacities(
    sdf: SDFGraph,
    period: Fraction | int | None = None,
    *,
    weights: Sequence[int] | None = None,
    algorithm: Algorithm = "auto",
    effort: int = EFFORT,
    limit: int = 200_000,
) -> Buffers:
    """Capacities of least sum with which an iteration takes at most `period` (not given: as short as it gets).

    Capacities that the channels have are not looked at, but for one: a channel from an actor to itself keeps its
    capacity or has none, since its tokens only say how many firings may run at once. `weights` holds what a token costs
    in each channel (1, if not given; a token's size, for memory). `effort` limits an exact search, `limit` the firings
    of an iteration.

    Finding them is NP-hard (Murthy, Bhattacharyya, ACM TODAES 9(2), 2004; even for rates of 1). Raises `MaxPlusError`
    when no capacities suffice, when no finite ones make the graph as fast as it gets, or beyond the limit; `TooLarge`
    when an exact search is asked for and takes too long; `Deadlock` for graphs that no space helps.
    """
    stores = _stores(sdf, weights)
    storage = Storage(_without(sdf), [store for _, store in stores], limit)
    wanted = storage.fastest if period is None else Fraction(period)
    found, exact = smallest_distribution(storage, wanted, algorithm=algorithm, effort=effort)
    return _buffers(sdf, stores, found, exact)


def pareto(
    sdf: SDFGraph,
    *,
    period: Fraction | int | None = None,
    weights: Sequence[int] | None = None,
    algorithm: Algorithm = "auto",
    effort: int = EFFORT,
    limit: int = 200_000,
) -> tuple[Buffers, ...]:
    """The front of buffer space against throughput: each entry is larger and faster than the one before it.

    From the smallest capacities that are free of deadlock to the smallest ones that do not slow the graph down, or that
    reach `period`. Exact: no capacities of a sum up to that of an entry are faster. Incremental: those on the way of
    growth along critical cycles; others may be smaller. Arguments and errors are those of `smallest_capacities`.
    """
    stores = _stores(sdf, weights)
    storage = Storage(_without(sdf), [store for _, store in stores], limit)
    wanted = storage.fastest if period is None else Fraction(period)
    points, exact = front(storage, wanted, algorithm=algorithm, effort=effort)
    return tuple(_buffers(sdf, stores, point, exact) for point in points)


def smallest_distribution(
    storage: Storage,
    period: Fraction,
    *,
    start: Distribution | None = None,
    algorithm: Algorithm = "auto",
    effort: int = EFFORT,
) -> tuple[Distribution, bool]:
    """The smallest distribution of at most this period, and whether that is certain; `start` is one that is known."""
    _check_reach(storage, period)
    found: Distribution | None = None
    exact = algorithm != "incremental"
    if exact:
        try:
            found = Search(storage, effort).below(period, strictly=False)
        except TooLarge as error:
            if algorithm == "exact":
                raise _advised(error) from None
            exact = False
    if not exact:
        found = smallest(storage, period, start)
    if found is None:
        raise MaxPlusError(f"no capacities within their limits reach a period of {period}")
    return found, exact


def front(
    storage: Storage, period: Fraction, *, algorithm: Algorithm = "auto", effort: int = EFFORT
) -> tuple[list[Distribution], bool]:
    """The distributions of the front down to this period, and whether they are exact."""
    _check_reach(storage, period)
    if algorithm != "incremental":
        try:
            return _exact_front(Search(storage, effort), storage, period), True
        except TooLarge as error:
            if algorithm == "exact":
                raise _advised(error) from None
    points = list(grown(storage, period))
    if points:
        points[-1] = smallest(storage, points[-1].period, points[-1]) or points[-1]
    return [p for p in points if p.size < points[-1].size or p is points[-1]], False


def _exact_front(search: Search, storage: Storage, period: Fraction) -> list[Distribution]:
    points: list[Distribution] = []
    found = search.below(None, strictly=True)
    while found is not None:
        if points and points[-1].size == found.size:
            points.pop()  # as large, and slower
        elif points and points[-1].period <= period:
            break
        points.append(found)
        found = search.below(found.period, strictly=True) if found.period > storage.fastest else None
    return points


def _check_reach(storage: Storage, period: Fraction) -> None:
    """Refuse periods that no finite capacities reach."""
    if period < storage.fastest:
        raise MaxPlusError(f"an iteration takes at least {storage.fastest} with unlimited buffers, more than {period}")
    if not period and storage.takes_time and any(store.most is None for store in storage.stores):
        raise MaxPlusError("nothing but buffers limits the throughput, so larger ones always help; give a period")


def _advised(error: TooLarge) -> TooLarge:
    return TooLarge(f"{error}; the incremental algorithm takes less time", error.actors, error.period)


def _without(sdf: SDFGraph) -> SDFGraph:
    """The graph without the capacities that are to be found."""
    return replace(sdf, channels=tuple(c if c.source == c.target else replace(c, capacity=None) for c in sdf.channels))


def _stores(sdf: SDFGraph, weights: Sequence[int] | None) -> list[tuple[int, Store]]:
    """The channels to be sized, by number, and their stores."""
    if weights is None:
        weights = [1] * len(sdf.channels)
    if len(weights) != len(sdf.channels) or min(weights, default=0) < 0:
        raise MaxPlusError(f"one weight of at least 0 for each of {len(sdf.channels)} channels expected")
    return [
        (number, Store(c.source, c.target, c.produced, c.consumed, c.tokens, weight=weight))
        for number, (c, weight) in enumerate(zip(sdf.channels, weights, strict=True))
        if c.source != c.target
    ]


def _buffers(sdf: SDFGraph, stores: list[tuple[int, Store]], found: Distribution, exact: bool) -> Buffers:
    capacities: list[int | None] = [None] * len(sdf.channels)
    for (number, _), capacity in zip(stores, found.capacities, strict=True):
        capacities[number] = capacity
    return Buffers(tuple(capacities), found.size, found.period, exact)
