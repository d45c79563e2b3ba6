"""Small, not always smallest, capacities for large graphs: grown along critical cycles, then cut back."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from snnir.maxplus.cutting import Cutter
from snnir.maxplus.distributions import Distribution, size_of
from snnir.maxplus.storage import Limit, Storage

_PATIENCE = 8
"""So often a store grows by what breaks one cycle; then by twice as much, and so on."""


def grown(storage: Storage, period: Fraction) -> Iterator[Distribution]:
    """Distributions of ever shorter periods until one is at most `period` or no store on a critical cycle may grow.

    From the smallest capacities on, one store of the critical cycle grows until it breaks it: the one that costs least,
    divided by on how many critical cycles it has been before, as space that many cycles share serves them all.
    """
    capacities = [store.smallest for store in storage.stores]
    seen: Counter[int] = Counter()
    best: Fraction | None = None
    while all(store.most is None or each <= store.most for store, each in zip(storage.stores, capacities, strict=True)):
        limit = storage.limit(capacities)
        if limit.period is not None and (best is None or limit.period < best):
            best = limit.period
            found = tuple(capacities)
            yield Distribution(found, size_of(storage, found), best)
            if best <= period:
                return
        number = _choice(storage, limit, capacities, seen)
        if number is None:
            return
        store, enough = storage.stores[number], limit.enough[limit.stores.index(number)]
        wanted = capacities[number] + ((enough - capacities[number]) << (seen[number] // _PATIENCE))
        capacities[number] = enough if store.most is not None and wanted > store.most else wanted
        seen[number] += 1


def _choice(storage: Storage, limit: Limit, capacities: list[int], seen: Counter[int]) -> int | None:
    """The store that is to grow."""
    options = [
        (Fraction(storage.stores[number].weight * (enough - capacities[number]), 1 + seen[number]), number)
        for number, enough in zip(limit.stores, limit.enough, strict=True)
        if (most := storage.stores[number].most) is None or enough <= most
    ]
    return min(options)[1] if options else None


def shrunk(storage: Storage, start: Distribution, period: Fraction) -> Distribution:
    """`start`, whose period is at most `period`, with each capacity cut back as far as the others leave room for.

    Stores in which there is most to win come first. For each, its smallest capacity is tried, then the one that breaks
    the cycle which forbids it, then halves.
    """
    gain = [
        store.weight * (each - store.smallest) for store, each in zip(storage.stores, start.capacities, strict=True)
    ]
    order = sorted(range(len(gain)), key=lambda each: -gain[each])
    if storage.single and period:
        cutter = Cutter(storage, start.capacities, period)
        for number in order:
            cutter.cut(number)
        capacities = cutter.capacities
    else:
        capacities = list(start.capacities)
        for number in order:
            _cut(storage, capacities, number, period)
    found = tuple(capacities)
    reached = storage.limit(found).period
    assert reached is not None
    return Distribution(found, size_of(storage, found), reached)


def _cut(storage: Storage, capacities: list[int], number: int, period: Fraction) -> None:
    """Give a store the least capacity with which the others still keep the period, by trial."""
    unit, least = storage.stores[number].unit, storage.stores[number].smallest
    refused = 0
    while least < capacities[number]:
        half = (capacities[number] - least) // 2 // unit * unit
        trial = least if refused < 2 else least + half
        limit = storage.limit([*capacities[:number], trial, *capacities[number + 1 :]])
        if limit.period is not None and limit.period <= period:
            capacities[number] = trial
        else:
            broken = dict(zip(limit.stores, limit.enough, strict=True)).get(number, trial + unit)
            least = max(least, broken)
            refused += 1


def smallest(storage: Storage, period: Fraction, start: Distribution | None = None) -> Distribution | None:
    """A small distribution of at most this period, from `start` if one is known; None when none was found."""
    if start is None or start.period > period:
        *_, start = [None, *grown(storage, period)]
    return shrunk(storage, start, period) if start is not None and start.period <= period else None
