"""Binding by throughput: the actors of the critical cycle move, and the bound graph says whether it helped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from snnir.maxplus.cycle_ratio import CycleRatio
from snnir.maxplus.errors import Deadlock
from snnir.maxplus.graph import Integers
from snnir.maxplus.potentials import start_times
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture, ScheduleError
from snnir.schedule.balance import TileCost, balanced
from snnir.schedule.bound import BoundGraph, bound_graph, refusal
from snnir.schedule.deployment import UNBOUND, Deployment
from snnir.schedule.evaluate import Evaluator
from snnir.schedule.firing import FiringGraph, sequence
from snnir.schedule.orders import Plan, improved, plans, scaled, target_period, with_plan

_TRIES = 64
"""Moves that are tried for one critical cycle, the most promising ones."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """A binding (the tile of each actor), stages and places of the firings, and the critical cycle that they give."""

    tiles: Integers
    plan: Plan
    graph: FiringGraph
    critical: CycleRatio | None

    @property
    def period(self) -> Fraction:
        """0 when nothing limits the throughput."""
        return self.critical.ratio if self.critical else Fraction(0)


def schedule(
    application: Application,
    architecture: Architecture,
    slices: Mapping[str, int] | None = None,
    *,
    budget: int = 1000,
) -> BoundGraph:
    """All actors bound to tiles, with orders, by search on the guaranteed throughput; no worse than SDF3's way.

    Seeds: SDF3's load balance with list scheduling, longest processing time first, runs of the earliest schedule (what
    follows each other stays together), and a balance that weighs distance. From the best of them on, the critical cycle
    says what can help: actors on it move to other tiles or change places with actors there, unless the work alone
    would already exceed the period; and neighbours in its orders change places. Ends after `budget` evaluations, or at
    a period that nothing can beat. Deterministic. Raises `ScheduleError` when no seed is a possible binding.
    """
    deployment = Deployment(application, architecture)
    search = _Search(Evaluator(deployment, slices), budget)
    seeds = sorted(search.seeds(), key=_worth)
    if not seeds:
        raise ScheduleError("none of the bindings tried is possible on this architecture")
    best = seeds[0]
    # most of the budget for the best seed, what is left for one that is different
    for seed, share in zip(seeds[:3], (0.6, 0.9, 1.0), strict=False):
        search.limit = round(budget * share)
        found = search.descend(seed)
        if found.period < best.period or found is seeds[0]:
            best = found
    bound = bound_graph(deployment, best.tiles, slices)
    return with_plan(bound, best.plan, search.evaluator.expansion)


class _Search:
    """Evaluations that are counted, and the ways from one schedule to another."""

    def __init__(self, evaluator: Evaluator, budget: int) -> None:
        self.evaluator = evaluator
        self.deployment = evaluator.deployment
        self.limit = budget
        self.spent = 0
        self.total = evaluator.total
        possible = np.where(self.total < 0, np.iinfo(np.int64).max, self.total).min(axis=1)
        spread = Fraction(int(possible.sum()), self.total.shape[1])
        self.enough = max(spread, Fraction(int(possible.max(initial=0))))
        """No period is shorter: all work on all tiles, and each actor on the fastest one."""

    def evaluate(self, tiles: Integers, plan: Plan, graph: FiringGraph | None = None) -> Schedule | None:
        """The schedule, None when it is impossible."""
        if graph is None and refusal(self.deployment, tiles):
            return None
        self.spent += 1
        graph = graph or self.evaluator.firings(tiles)
        try:
            return Schedule(tiles, plan, graph, graph.retimed(plan.stage).critical(plan.rank))
        except Deadlock:
            return None

    def seeds(self) -> Iterator[Schedule]:
        """The schedules to begin with, the best order of each binding."""
        bindings: list[Integers] = []
        for cost in (TileCost(), TileCost(bandwidth=0), TileCost(processing=2, bandwidth=1, latency=1)):
            try:
                bindings.append(balanced(self.deployment, cost))
            except ScheduleError:
                continue
        bindings += [self._longest_first(), self._runs()]
        for tiles in bindings:
            if refusal(self.deployment, tiles):
                continue
            graph = self.evaluator.firings(tiles)
            found = [self.evaluate(tiles, plan, graph) for plan in plans(graph)]
            yield from sorted((each for each in found if each), key=_worth)[:1]

    def _longest_first(self) -> Integers:
        """Each actor, those with most work first, to the tile that would be done first."""
        tiles = np.full(len(self.total), UNBOUND, np.int64)
        load = np.zeros(self.total.shape[1], np.int64)
        for actor in np.argsort(-self.total.max(axis=1), kind="stable").tolist():
            after = np.where(self.total[actor] < 0, np.iinfo(np.int64).max, load + self.total[actor])
            tiles[actor] = np.argmin(after)
            load[tiles[actor]] = after[tiles[actor]]
        return tiles

    def _runs(self) -> Integers:
        """The actors by earliest start, cut into one run for each tile, the longest as short as can be."""
        graph = self.evaluator.firings(np.full(len(self.total), UNBOUND, np.int64))
        period = target_period(graph)
        starts = scaled(start_times(graph.timed(), period), period)
        first: dict[int, None] = {}
        for node in sequence(graph.timed(), starts):
            if self.evaluator.actor[node] < len(self.total):
                first.setdefault(int(self.evaluator.actor[node]))
        work = self.total.max(axis=1)[list(first)].tolist()
        cuts = _cut(work, self.total.shape[1])
        tiles = np.empty(len(self.total), np.int64)
        tiles[list(first)] = np.array(self._walk())[cuts]
        return tiles

    def _walk(self) -> list[int]:
        """All tiles, each next to the one before as far as possible."""
        left = list(range(1, self.total.shape[1]))
        walk = [0]
        while left:
            near = [(self.deployment.delay(walk[-1], tile), tile) for tile in left]
            walk.append(min((delay if delay >= 0 else 1 << 60, tile) for delay, tile in near)[1])
            left.remove(walk[-1])
        return walk

    def descend(self, current: Schedule) -> Schedule:
        """Moves as long as they help."""
        while current.period > self.enough and self.spent < self.limit:
            better = self._moved(current) or self._reordered(current)
            if better is None:
                break
            current = better
        return current

    def _value(self, each: Schedule) -> tuple[Fraction, int]:
        """What a step must lower: the period; if equal, how unevenly the tiles are loaded."""
        load = each.graph.load(self.total.shape[1])
        return each.period, sum(value * value for value in load.tolist())

    def _moved(self, current: Schedule) -> Schedule | None:
        value = self._value(current)
        for tiles in self._candidates(current):
            if self.spent >= self.limit:
                return None
            found = self.evaluate(tiles, current.plan)
            if found and self._value(found) < value:
                return found
        return None

    def _reordered(self, current: Schedule) -> Schedule | None:
        """Another order on the same tiles."""
        left = self.limit - self.spent
        found = [self.evaluate(current.tiles, plan, current.graph) for plan in plans(current.graph)]
        better = [each for each in found if each and each.period < current.period]
        if better:
            return min(better, key=_worth)
        tries = min(left, 4 * _TRIES)
        plan = improved(current.graph, current.plan, self.enough, tries)
        self.spent += tries
        again = self.evaluate(current.tiles, plan, current.graph)
        return again if again and again.period < current.period else None

    def _candidates(self, current: Schedule) -> list[Integers]:
        """Bindings in which an actor that the critical cycle depends on has moved or changed places.

        The most promising first: those that make the connections on the cycle fastest, a new one on it counted as slow
        as those of before are on average; then those that leave the tiles concerned with least work.
        """
        assert current.critical is not None
        nodes = current.graph.timed(current.plan.rank).source[list(current.critical.cycle)]
        passed: list[int] = self.evaluator.actor[nodes].tolist()
        walk = [actor for actor in passed if actor < len(self.total)]
        ways = [number for number, carrier in self.deployment.carriers.items() if carrier in set(passed)]
        before = self.deployment.transfer(current.tiles)
        usual = int(before.sum()) // max(1, int((before > 0).sum()))
        load = current.graph.load(self.total.shape[1])
        trials: list[tuple[tuple[int, int], Integers]] = []
        for actor in self._concerned(current, walk, ways):
            for trial in self._moves(current, actor, load):
                changed = trial[walk]
                crossings = int((changed != np.roll(changed, 1)).sum()) - len(ways)
                slow = int(self.deployment.transfer(trial)[ways].sum()) + max(0, crossings) * usual
                trials.append(((slow, self._busiest(current, trial, load)), trial))
        trials.sort(key=lambda each: each[0])
        return [trial for _, trial in trials[:_TRIES]]

    def _concerned(self, current: Schedule, walk: list[int], ways: list[int]) -> list[int]:
        """The actors of the cycle, and those whose tokens share an interface with a connection of the cycle."""
        actors = dict.fromkeys(actor for actor in walk if current.tiles[actor] != UNBOUND)
        deployment, crossing = self.deployment, np.flatnonzero(self.deployment.crossing(current.tiles))
        for ends in (deployment.sources, deployment.targets):
            busy = np.isin(current.tiles[ends[crossing]], current.tiles[ends[ways]])
            sharing: list[int] = ends[crossing[busy & (deployment.sizes[crossing] > 0)]].tolist()
            actors.update(dict.fromkeys(sharing))
        return list(actors)

    def _moves(self, current: Schedule, actor: int, load: Integers) -> Iterator[Integers]:
        """The moves of one actor after which no tile that it concerns has more work than the period."""
        tiles, period = current.tiles, current.period
        here, own = int(tiles[actor]), self.total[actor]
        for tile in range(self.total.shape[1]):
            if tile == here or own[tile] < 0:
                continue
            if load[tile] + own[tile] < period:
                trial = tiles.copy()
                trial[actor] = tile
                yield trial
            others = np.flatnonzero(tiles == tile)
            gain = load[here] - own[here] + self.total[others, here]
            loss = load[tile] + own[tile] - self.total[others, tile]
            worst = np.maximum(gain, loss)
            fits = (self.total[others, here] >= 0) & (worst < ceil(period))
            for other in others[fits][np.argsort(worst[fits], kind="stable")][:2].tolist():
                trial = tiles.copy()
                trial[actor], trial[other] = tile, here
                yield trial

    def _busiest(self, current: Schedule, trial: Integers, load: Integers) -> int:
        """The work of the busiest tile that a move concerns."""
        changed = np.flatnonzero(trial != current.tiles)
        after = load.copy()
        np.subtract.at(after, current.tiles[changed], self.total[changed, current.tiles[changed]])
        np.add.at(after, trial[changed], self.total[changed, trial[changed]])
        concerned = np.concatenate((trial[changed], current.tiles[changed]))
        return int(after[concerned].max())


def _worth(each: Schedule) -> tuple[Fraction, int]:
    """The period; if equal, the fewest stages, as each adds a period to the latency."""
    return each.period, int(each.plan.stage.max(initial=0))


def _cut(work: list[int], parts: int) -> list[int]:
    """The part of each item when a row is cut into at most so many parts and the greatest sum is least."""
    low, high = max(work, default=0), sum(work)
    while low < high:
        middle = (low + high) // 2
        if max(_greedy(work, middle), default=0) < parts:
            high = middle
        else:
            low = middle + 1
    return _greedy(work, low)


def _greedy(work: list[int], room: int) -> list[int]:
    part, filled, result = 0, 0, list[int]()
    for each in work:
        if filled + each > room:
            part, filled = part + 1, 0
        filled += each
        result.append(part)
    return result
