"""Binding by throughput: the actors of the critical cycle move, and the bound graph says whether it helped.

Where every actor fires once per iteration, as in clustered networks, the search is `snnir.schedule.annealing`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import ceil

import numpy as np

from snnir.maxplus.cycle_ratio import CycleRatio
from snnir.maxplus.errors import Deadlock
from snnir.maxplus.graph import Integers
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture, ScheduleError
from snnir.schedule.bound import BoundGraph, bound_graph, refusal
from snnir.schedule.deployment import UNBOUND, Deployment
from snnir.schedule.evaluate import Evaluator
from snnir.schedule.firing import FiringGraph
from snnir.schedule.limits import least_period
from snnir.schedule.orders import Plan, improved, listed, periodic, plans, with_plan
from snnir.schedule.seeds import bindings

_TRIES = 64
"""Moves that are tried for one critical cycle, the most promising ones."""

_CLOSE = Fraction(1002, 1000)
"""Within this factor of a lower bound on the period, no search is worth its time."""

_WORTH, _ARCS = 100, 200_000
"""A change of rounds costs about a hundredth of an evaluation; on large graphs, so much for each of so many arcs."""


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
    follows each other stays together), a balance that weighs distance, and what exchanges most gathered on a tile. From
    the best of them on, the critical cycle says what can help: actors on it move to other tiles or change places with
    actors there, unless the work alone would already exceed the period; and the orders on it change. Ends after
    `budget` evaluations, or within two thousandths of a period that nothing can beat. Where actors fire once per
    iteration an evaluation is worth `_WORTH` changes of rounds, fewer on small and on large graphs. Deterministic.
    Raises `ScheduleError` when no seed is a possible binding.
    """
    deployment = Deployment(application, architecture)
    search = _Search(Evaluator(deployment, slices), budget)
    seeds = sorted(search.seeds(), key=_worth)
    if not seeds:
        raise ScheduleError("none of the bindings tried is possible on this architecture")
    if seeds[0].period <= search.enough or budget <= 0:
        best = seeds[0]
    elif search.evaluator.single and not deployment.waiters:
        best = min([*search.annealed(seeds), seeds[0]], key=_worth)
    else:
        best = search.best(seeds)
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
        self.enough = least_period(evaluator) * _CLOSE

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
        """The schedules to begin with, the best order of each binding; none after one that is good enough."""
        for number, (tiles, balance) in enumerate(bindings(self.evaluator, self.enough)):
            if refusal(self.deployment, tiles):
                continue
            graph = self.evaluator.firings(tiles)
            # list schedules take long, and pay where the work is balanced
            tried = chain(periodic(graph), listed(graph)) if balance else periodic(graph)
            found: list[Schedule] = []
            for plan in tried:
                each = self.evaluate(tiles, plan, graph)
                found += [each] if each else []
                # all orders of the first binding: no result may be worse than SDF3's
                if number and each and each.period <= self.enough:
                    break
            best = min(found, key=_worth, default=None)
            if best:
                yield best
            if best and best.period <= self.enough:
                return

    def best(self, seeds: list[Schedule]) -> Schedule:
        """What is found from the three best seeds, given the best first."""
        best = seeds[0]
        budget = self.limit
        # most of the budget for the best seed, what is left for one that is different
        for seed, share in zip(seeds[:3], (0.6, 0.9, 1.0), strict=False):
            self.limit = round(budget * share)
            found = self.descend(seed)
            if found.period < best.period or found is seeds[0]:
                best = found
        return best

    def annealed(self, seeds: list[Schedule]) -> Iterator[Schedule]:
        """The same by annealing, for graphs in which each actor fires once per iteration."""
        # numba is loaded only when there is work for it
        from snnir.schedule.annealing import Annealing  # noqa: PLC0415
        from snnir.schedule.rounds import Table  # noqa: PLC0415

        table = Table(self.evaluator)
        annealing = Annealing(table, self.enough)
        # a small graph has few ways to be changed
        worth = max(1, min(_WORTH, 4 * len(self.total), _ARCS // max(1, len(table.arcs[1]))))
        for seed in seeds[:3]:
            start = table.rounds(seed.tiles, seed.plan)
            if start is None:
                continue
            rounds = annealing.run(start, self.limit * worth // 3)
            try:
                found = self.evaluate(rounds.tile, table.plan(rounds))
            except Deadlock:
                continue
            if found:
                yield found

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
