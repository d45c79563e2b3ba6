"""Buffer sizing: against published fronts, and against trying all capacities."""

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from heapq import heappop, heappush
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from maxplus_graphs import phased_graphs, sdf_graphs
from scipy.optimize import Bounds, LinearConstraint, milp
from test_sdf3 import read_sdf3

from snnir.maxplus import Actor, Channel, Deadlock, MaxPlusError, SDFGraph, analyze
from snnir.maxplus.buffers import Buffers, front, pareto, smallest_capacities, smallest_distribution
from snnir.maxplus.distributions import Distribution, Search
from snnir.maxplus.errors import TooLarge
from snnir.maxplus.incremental import shrunk, smallest
from snnir.maxplus.storage import Limit, Storage, Store, room_of

examples = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)

PAIR = SDFGraph((Actor("a", 3), Actor("b", 2)), (Channel("a", "b", 2, 3), Channel("b", "b", 1, 1, 1)))


def period_of(sdf: SDFGraph) -> Fraction | None:
    """None for a deadlock."""
    try:
        return analyze(sdf, slack=False).period or Fraction(0)
    except Deadlock:
        return None


def sized(sdf: SDFGraph) -> list[int]:
    return [number for number, channel in enumerate(sdf.channels) if channel.source != channel.target]


def with_capacities(sdf: SDFGraph, capacities: dict[int, int]) -> SDFGraph:
    """The graph with these capacities, and without those of other channels that lead from one actor to another."""
    channels = [
        replace(channel, capacity=capacities.get(number)) if channel.source != channel.target else channel
        for number, channel in enumerate(sdf.channels)
    ]
    return replace(sdf, channels=tuple(channels))


def all_sizes(sdf: SDFGraph, weights: list[int], largest: int) -> dict[int, Fraction]:
    """The least period for each sum of capacities up to `largest`, of all capacities that hold the tokens."""
    numbers = sized(sdf)
    least = [sdf.channels[number].tokens for number in numbers]
    spare = largest - sum(weights[number] * each for number, each in zip(numbers, least, strict=True))
    ranges = [range(each, each + max(0, spare) + 1) for each in least]
    found: dict[int, Fraction] = {}
    for capacities in product(*ranges):
        size = sum(weights[number] * each for number, each in zip(numbers, capacities, strict=True))
        if size <= largest:
            period = period_of(with_capacities(sdf, dict(zip(numbers, capacities, strict=True))))
            if period is not None:
                found[size] = min(period, found.get(size, period))
    return found


def steps(found: dict[int, Fraction]) -> list[tuple[int, Fraction]]:
    """Sizes with a shorter period than all smaller ones."""
    points: list[tuple[int, Fraction]] = []
    for size in sorted(found):
        if not points or found[size] < points[-1][1]:
            points.append((size, found[size]))
    return points


def exact_front(sdf: SDFGraph, weights: list[int] | None = None) -> tuple[Buffers, ...]:
    """The front, up to a period of 5 if there is no end."""
    assume(period_of(with_capacities(sdf, {})) is not None)
    try:
        return pareto(sdf, weights=weights, algorithm="exact", effort=2_000)
    except TooLarge:
        assume(False)
    except MaxPlusError:
        return pareto(sdf, period=5, weights=weights, algorithm="exact")
    raise AssertionError


@examples
@given(st.one_of(sdf_graphs(), phased_graphs()), st.data())
def test_front_is_that_of_all_capacities(sdf: SDFGraph, data: st.DataObject) -> None:
    numbers = sized(sdf)
    assume(0 < len(numbers) <= 3)
    weights = [data.draw(st.integers(1, 3)) if data.draw(st.booleans()) else 1 for _ in sdf.channels]
    points = exact_front(sdf, weights)
    assume(points)
    tokens = sum(weights[number] * sdf.channels[number].tokens for number in numbers)
    # all of the front if it is short, else its beginning
    largest = min(points[-1].size, tokens + {1: 40, 2: 16, 3: 9}[len(numbers)])
    expected = [(size, period) for size, period in steps(all_sizes(sdf, weights, largest))]
    assert [(point.size, point.period) for point in points if point.size <= largest] == expected


@examples
@given(st.one_of(sdf_graphs(), phased_graphs()))
def test_points_have_the_period_that_they_promise(sdf: SDFGraph) -> None:
    points = exact_front(sdf)
    for point in points:
        assert period_of(point.applied(with_capacities(sdf, {}))) == point.period
        assert point.size == sum(each for each in point.capacities if each is not None)
        assert point.exact
    order = [(point.size, -point.period) for point in points]
    assert order == sorted(order)
    assert len({size for size, _ in order}) == len({period for _, period in order}) == len(order)


@examples
@given(st.one_of(sdf_graphs(), phased_graphs()), st.data())
def test_more_space_is_never_slower(sdf: SDFGraph, data: st.DataObject) -> None:
    points = exact_front(sdf)
    assume(points and sized(sdf))
    point = data.draw(st.sampled_from(points))
    number = data.draw(st.sampled_from(sized(sdf)))
    with_space = point.applied(with_capacities(sdf, {}))
    # firings that overtake others give space back in another order than it is claimed in
    assume(not with_space.overtaking[sdf.index[sdf.channels[number].target]])
    more = list(with_space.channels)
    more[number] = replace(more[number], capacity=(more[number].capacity or 0) + data.draw(st.integers(1, 4)))
    found = period_of(replace(with_space, channels=tuple(more)))
    assert found is not None
    assert found <= point.period


@examples
@given(st.one_of(sdf_graphs(), phased_graphs()), st.data())
def test_incremental_capacities_are_enough_and_none_is_too_much(sdf: SDFGraph, data: st.DataObject) -> None:
    points = exact_front(sdf)
    assume(points and sized(sdf))
    point = data.draw(st.sampled_from(points))
    found = smallest_capacities(sdf, point.period, algorithm="incremental")
    assert not found.exact
    assert found.size >= smallest_capacities(sdf, point.period, algorithm="exact").size == point.size
    with_space = found.applied(with_capacities(sdf, {}))
    assert period_of(with_space) == found.period <= point.period
    for number in sized(sdf):
        channel = with_space.channels[number]
        if channel.capacity and channel.capacity > channel.tokens and not any(with_space.overtaking):
            less = list(with_space.channels)
            less[number] = replace(channel, capacity=channel.capacity - 1)
            slower = period_of(replace(with_space, channels=tuple(less)))
            assert slower is None or slower > point.period


@examples
@given(sdf_graphs(), st.randoms(use_true_random=False))
def test_order_of_channels_does_not_matter(sdf: SDFGraph, rng: random.Random) -> None:
    points = exact_front(sdf)
    channels = list(sdf.channels)
    rng.shuffle(channels)
    other = exact_front(replace(sdf, channels=tuple(channels)))
    assert [(point.size, point.period) for point in other] == [(point.size, point.period) for point in points]


def random_network(seed: int) -> tuple[SDFGraph, list[int]]:
    """A graph of rates 1 with up to 8 actors and 12 channels, every cycle of which has a token, and weights."""
    rng = random.Random(seed)
    size = rng.randint(4, 8)
    ends = [(rng.randrange(number), number) for number in range(1, size)]
    ends += [(rng.randrange(size), rng.randrange(size)) for _ in range(5)]
    channels = [Channel(f"a{a}", f"a{b}", tokens=rng.randint(1, 3) if b < a else 0) for a, b in ends if a != b]
    actors = tuple(Actor(f"a{number}", rng.randint(1, 9)) for number in range(size))
    return SDFGraph(actors, tuple(channels)), [rng.randint(1, 4) for _ in channels]


def least_by_integer_programming(sdf: SDFGraph, weights: list[int], period: Fraction) -> int:
    """start(v) >= start(u) + time - period * tokens on every edge, capacities free: the least weighted sum."""
    size, count = len(sdf.actors), len(sdf.channels)
    rows = np.zeros((2 * count, size + count))
    least = np.zeros(2 * count)
    for number, channel in enumerate(sdf.channels):
        source, target = sdf.index[channel.source], sdf.index[channel.target]
        time, back = (sdf.actors[each].times[0] / float(period) for each in (source, target))
        rows[number, [target, source]] = 1, -1
        least[number] = time - channel.tokens
        rows[count + number, [source, target, size + number]] = 1, -1, 1
        least[count + number] = back + channel.tokens
    low = np.concatenate((np.full(size, -np.inf), [max(1, channel.tokens) for channel in sdf.channels]))
    cost = np.concatenate((np.zeros(size), weights))
    integral = np.repeat([0, 1], [size, count])
    found = milp(cost, integrality=integral, bounds=Bounds(low), constraints=LinearConstraint(rows, least))
    assert found.fun is not None
    return round(found.fun)


@examples
@given(st.integers(0, 10_000_000), st.integers(0, 3))
def test_smallest_is_that_of_an_integer_program(seed: int, slower: int) -> None:
    sdf, weights = random_network(seed)
    period = Fraction(analyze(sdf, slack=False).period or 0) + slower
    found = smallest_capacities(sdf, period, weights=weights, algorithm="exact")
    assert found.size == least_by_integer_programming(sdf, weights, period)
    near = smallest_capacities(sdf, period, weights=weights, algorithm="incremental")
    assert near.size >= found.size
    # cut back from much more than enough
    stores = [
        Store(c.source, c.target, tokens=c.tokens, weight=weight)
        for c, weight in zip(sdf.channels, weights, strict=True)
    ]
    storage = Storage(sdf, stores, 100)
    cut = shrunk(storage, Distribution(tuple(c.tokens + 50 for c in sdf.channels), 0, Fraction(0)), period)
    assert cut.period <= period
    for number, capacity in enumerate(cut.capacities):
        less = storage.limit([*cut.capacities[:number], capacity - 1, *cut.capacities[number + 1 :]]).period
        assert capacity == stores[number].smallest or less is None or less > period


def test_published_fronts(shared_data: Path) -> None:
    folder = shared_data / "sdf3"
    expected: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with (folder / "pareto_reference.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            point = row["throughput_iterations_per_time"], row["total_buffer_tokens_kiter(no self-loops)"]
            expected[row["graph"]].append(point)
    compared = 0
    for name, points in expected.items():
        sdf = reference(folder, name)
        if sdf is None:
            continue
        found = [(f"{float(p.throughput or 0):.6g}", str(p.size)) for p in pareto(sdf, algorithm="exact")]
        assert (name, found) == (name, points)
        compared += 1
    assert compared >= 7


@pytest.mark.parametrize(
    "name", ["dfs__LeNet-MNIST", "kiter__tiny", "kiter__new_benchmark", "kiter__speriodic_sample", "rnd__B_8__noac"]
)
def test_front_is_that_of_a_plain_search(shared_data: Path, name: str) -> None:
    """All distributions that storage dependencies lead to, smallest first, each analysed."""
    sdf = read_sdf3(shared_data / "sdf3" / f"{name}.xml")
    stores = [Store(c.source, c.target, c.produced, c.consumed, c.tokens) for c in sdf.channels if c.source != c.target]
    storage = Storage(sdf, stores, 10_000)
    first = tuple(store.smallest for store in stores)
    heap, known, found = [(sum(first), first)], {first}, dict[int, Fraction]()
    while heap:
        size, capacities = heappop(heap)
        limit = storage.limit(capacities)
        if limit.period is not None:
            found[size] = min(limit.period, found.get(size, limit.period))
            if limit.period == storage.fastest:
                break
        for number, enough in zip(limit.stores, limit.enough, strict=True):
            larger = (*capacities[:number], enough, *capacities[number + 1 :])
            if larger not in known:
                known.add(larger)
                heappush(heap, (sum(larger), larger))
    points, exact = front(storage, storage.fastest, algorithm="exact")
    assert exact
    assert [(point.size, point.period) for point in points] == steps(found)


def reference(folder: Path, name: str) -> SDFGraph | None:
    """A published graph; `__noac`: its actors fire one after another, with or without the file that says so."""
    if (folder / f"{name}.xml").exists():
        return read_sdf3(folder / f"{name}.xml")
    path = folder / f"{name.removesuffix('__noac')}.xml"
    if not path.exists():
        return None
    sdf = read_sdf3(path)
    return replace(sdf, actors=tuple(replace(actor, concurrency=1) for actor in sdf.actors))


def test_weights_decide_where_space_is() -> None:
    # a cycle of two channels; space in either one lets the two actors overlap
    sdf = SDFGraph(
        (Actor("a", 4), Actor("b", 4)),
        (Channel("a", "b", tokens=0), Channel("a", "b", tokens=0), Channel("b", "a", tokens=2)),
    )
    first = smallest_capacities(sdf, 4, weights=[5, 1, 1])
    assert first.capacities == (2, 2, 2)
    assert first.size == 14
    chain = SDFGraph((Actor("a", 1), Actor("b", 9), Actor("c", 1)), (Channel("a", "b"), Channel("b", "c")))
    assert smallest_capacities(chain, 10, weights=[1, 8]).capacities == (1, 1)
    assert smallest_capacities(chain, weights=[1, 8]).capacities == (2, 2)


def test_capacities_from_an_actor_to_itself_stay() -> None:
    assert smallest_capacities(PAIR).capacities == (smallest_capacities(PAIR).size, None)
    limited = replace(PAIR, channels=(PAIR.channels[0], replace(PAIR.channels[1], capacity=1)))
    with pytest.raises(Deadlock, match="however much space there is"):
        smallest_capacities(limited)


def test_periods_out_of_reach_are_refused() -> None:
    with pytest.raises(MaxPlusError, match="at least 9 with unlimited buffers, more than 8"):
        smallest_capacities(PAIR, 8)
    free = SDFGraph((Actor("a", 3, None), Actor("b", 2, None)), (Channel("a", "b"),))
    with pytest.raises(MaxPlusError, match="larger ones always help; give a period"):
        pareto(free)
    assert [(point.size, point.period) for point in pareto(free, period=1)] == [
        (size, Fraction(5, size)) for size in range(1, 6)
    ]
    with pytest.raises(MaxPlusError, match="one weight of at least 0 for each of 1 channels"):
        pareto(free, period=1, weights=[1, 1])


def test_limited_effort_switches_or_is_refused() -> None:
    channels = [Channel(f"a{n}", f"a{n + 1}", 2, 3) for n in range(3)]
    sdf = SDFGraph(tuple(Actor(f"a{n}", 5 + n) for n in range(4)), tuple(channels))
    with pytest.raises(TooLarge, match=r"was stopped after 3 steps; the incremental algorithm takes less time"):
        pareto(sdf, algorithm="exact", effort=3)
    assert all(not point.exact for point in pareto(sdf, effort=3))
    assert not smallest_capacities(sdf, effort=3).exact
    assert smallest_capacities(sdf, effort=3).size >= smallest_capacities(sdf).size
    with pytest.raises(MaxPlusError, match="more than the limit of 10"):
        pareto(sdf, limit=10)


def test_stores_stay_within_their_limits() -> None:
    sdf = SDFGraph((Actor("a", 3), Actor("b", 3)), (Channel("a", "b"),))
    tight = Storage(sdf, [Store("a", "b", most=1)], 100)
    for algorithm in ("exact", "incremental"):
        points, _ = front(tight, Fraction(3), algorithm=algorithm)
        assert [(point.size, point.period) for point in points] == [(1, 6)]
        with pytest.raises(MaxPlusError, match="no capacities within their limits reach a period of 3"):
            smallest_distribution(tight, Fraction(3), algorithm=algorithm)
        wide = Storage(sdf, [Store("a", "b", least=3, most=4)], 100)
        assert smallest_distribution(wide, Fraction(6), algorithm=algorithm)[0].capacities == (3,)


@examples
@given(st.integers(0, 10_000_000))
def test_shifted_firings_change_nothing(seed: int) -> None:
    """Firings that stand for earlier ones: tokens are moved from the arcs into an actor to those out of it."""
    rng = random.Random(seed)
    size = rng.randint(2, 4)
    names = [f"a{n}" for n in range(size)]
    actors = tuple(Actor(name, rng.randint(1, 9)) for name in names)
    ends = [(n, (n + 1) % size) for n in range(size)] + [(rng.randrange(size), rng.randrange(size)) for _ in range(2)]
    ends = [(a, b) for a, b in ends if a != b]
    tokens = [rng.randint(0, 2) + 2 * (b <= a) for a, b in ends]
    lag = [rng.randint(-3, 3) for _ in names]
    plain = SDFGraph(actors)
    fixed = [(a, b, count) for (a, b), count in zip(ends, tokens, strict=True)]
    stores: list[Store] = []
    shifted: list[Store] = []
    for a, b, count in fixed:
        stores.append(Store(names[a], names[b], tokens=count))
        shifted.append(Store(names[a], names[b], tokens=count, shift=lag[a] - lag[b]))
    straight = replace(plain, channels=tuple(Channel(names[a], names[b], tokens=count) for a, b, count in fixed))
    moved = [count + lag[b] - lag[a] for a, b, count in fixed]
    assume(min(moved) >= 0)
    other = replace(
        plain, channels=tuple(Channel(names[a], names[b], tokens=c) for (a, b), c in zip(ends, moved, strict=True))
    )
    one, two = Storage(straight, stores, 100), Storage(other, shifted, 100)
    points, _ = front(one, one.fastest, algorithm="exact")
    assert [p.period for p in front(two, two.fastest, algorithm="exact")[0]] == [p.period for p in points]
    assert [p.size for p in front(two, two.fastest, algorithm="exact")[0]] == [p.size for p in points]
    for storage in (one, two):
        large = points[-1]
        cut = shrunk(storage, replace(large, capacities=tuple(each + 3 for each in large.capacities)), large.period)
        assert cut.period <= large.period
        assert cut.size >= large.size
        for number, capacity in enumerate(cut.capacities):
            less = [*cut.capacities[:number], capacity - 1, *cut.capacities[number + 1 :]]
            period = storage.limit(less).period
            assert capacity == storage.stores[number].smallest or period is None or period > large.period


def test_a_search_is_stopped_after_so_many_analyses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Analyses count for more than what is only compared: the effort bounds the time."""
    count = 0
    limit = Storage.limit

    def counted(storage: Storage, capacities: Sequence[int | None]) -> Limit:
        nonlocal count
        count += 1
        return limit(storage, capacities)

    monkeypatch.setattr(Storage, "limit", counted)
    storage = rings(12)
    with pytest.raises(TooLarge, match="was stopped after 30 steps"):
        Search(storage, 30).below(storage.fastest, strictly=False)
    assert 1 < count <= 30 // 5 + 2


def rings(size: int) -> Storage:
    """A ring of actors, each with a channel to the next two, which is hard to size: times without a common pattern."""
    names = [f"a{n}" for n in range(size)]
    actors = tuple(Actor(name, 3 + 7 * n % 11) for n, name in enumerate(names))
    pairs = [(n, (n + step) % size) for n in range(size) for step in (1, 2, 5)]
    channels = [Channel(names[a], names[b], tokens=0 if a < b else 2) for a, b in pairs]
    stores = [Store(names[a], names[b], tokens=int(a > b) * 2) for a, b in pairs]
    return Storage(SDFGraph(actors, tuple(channels)), stores, 100)


@st.composite
def shared_buffers(draw: st.DrawFn) -> tuple[SDFGraph, list[Store]]:
    """Actors with rates 1 in a row; what several of them read of one is in one buffer, with delays of their own."""
    count = draw(st.integers(3, 6))
    actors = tuple(Actor(f"a{n}", draw(st.integers(1, 9))) for n in range(count))
    channels: list[Channel] = []
    stores: list[Store] = []
    for source in range(count - 1):
        readers = draw(st.lists(st.integers(source + 1, count - 1), min_size=1, max_size=3))
        group: list[Store] = []
        for reader in readers:
            tokens = draw(st.integers(0, 2))
            most = tokens + draw(st.integers(1, 3))
            channels.append(Channel(f"a{source}", f"a{reader}", tokens=tokens))
            group.append(Store(f"a{source}", f"a{reader}", tokens=tokens, least=tokens + 1, most=most))
        group.sort(key=lambda store: -(store.most or 0))
        stores.append(replace(group[0], others=tuple(group[1:])))
    return SDFGraph(actors, tuple(channels)), stores


@settings(max_examples=80, deadline=None)
@given(shared_buffers(), st.integers(0, 3))
def test_what_several_read_takes_its_room_once(made: tuple[SDFGraph, list[Store]], slower: int) -> None:
    sdf, stores = made
    storage = Storage(sdf, stores, 100)

    def period(capacities: Sequence[int]) -> Fraction | None:
        """By plain channels back, one for each reader."""
        back = [
            Channel(reader.owner, reader.claimant, tokens=room_of(reader, size) - reader.tokens)
            for store, size in zip(stores, capacities, strict=True)
            for reader in store.readers
        ]
        try:
            return analyze(replace(sdf, channels=(*sdf.channels, *back)), slack=False).period
        except Deadlock:
            return None

    largest = [store.most or 0 for store in stores]
    best = period(largest)
    assert best is not None
    wanted = best + slower
    ranges = [range(store.smallest, most + 1) for store, most in zip(stores, largest, strict=True)]
    enough = [each for each in product(*ranges) if (reached := period(each)) is not None and reached <= wanted]
    found = Search(storage, 10_000).below(wanted, strictly=False)
    assert found is not None
    assert (found.size, found.period) == (sum(found.capacities), period(found.capacities))
    assert found.size == min(map(sum, enough))
    # by growing and cutting: enough, and each in turn as small as those before and after it allow
    full = Distribution(tuple(largest), sum(largest), best)
    for start in (None, full):
        small = smallest(storage, wanted, start)
        assert small is not None
        assert small.period == period(small.capacities)
        assert small.period <= wanted
    left = list(largest)
    for number in sorted(range(len(left)), key=lambda each: stores[each].smallest - left[each]):
        while left[number] > stores[number].smallest:
            reached = period([*left[:number], left[number] - 1, *left[number + 1 :]])
            if reached is None or reached > wanted:
                break
            left[number] -= 1
    assert shrunk(storage, full, wanted).capacities == tuple(left)
