"""Bindings with orders as rounds: who follows whom on each tile and by how many iterations, for cheap evaluation.

For graphs in which every actor fires once per iteration. Firing k of actor v waits for firing k - gap of the actor
before it on its tile; the gaps of a tile, positive, 0 or negative, add up to 1. So an actor changes its place in the
order, and by how many iterations it is behind, without a change anywhere else, and whether that is possible at all is
seen from the maximum cycle ratio. Connection actors are left out: the arcs over them are longer by their time instead,
which is exact, as no token waits for the one before it in a period that is not below that time.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.graph import Integers, TimedGraph
from snnir.maxplus.potentials import scaled_starts
from snnir.schedule import kernels
from snnir.schedule.bound import refusal
from snnir.schedule.deployment import ALWAYS, CROSSING
from snnir.schedule.evaluate import Evaluator
from snnir.schedule.firing import rank_of, sequence
from snnir.schedule.orders import Plan

ALONE = -1
"""In place of the actor to follow: nobody is on the tile yet."""


@dataclass(eq=False)
class Rounds:
    """A binding and the rounds of its tiles, and what `Table.evaluate` found.

    `tile`, `before`, `after`, `gap`, and `work`, the time of a firing: one entry per actor. `load`: the work on each
    tile. `transfer`: the time of a token of each channel from tile to tile. `start`: start times of the actors in
    units of 1 / denominator of `ratio`, the period; `sequence`: the actors by start. `cycle`: rows of an actor and the
    arc into it, against the direction of the critical cycle; none when a tile or a connection that is always busy sets
    the period.
    """

    tile: Integers
    before: Integers
    after: Integers
    gap: Integers
    work: Integers
    load: Integers
    transfer: Integers
    start: Integers
    sequence: Integers
    cycle: Integers
    ratio: Fraction = Fraction(0)

    def copy(self) -> "Rounds":
        """The same, to be changed."""
        return replace(
            self,
            tile=self.tile.copy(),
            before=self.before.copy(),
            after=self.after.copy(),
            gap=self.gap.copy(),
            work=self.work.copy(),
            load=self.load.copy(),
            transfer=self.transfer.copy(),
            start=self.start.copy(),
        )

    def remove(self, actor: int) -> None:
        """Takes an actor out of the round of its tile."""
        before, after = int(self.before[actor]), int(self.after[actor])
        self.after[before], self.before[after] = after, before
        self.gap[after] += self.gap[actor] if after != actor else 0
        self.load[self.tile[actor]] -= self.work[actor]

    def insert(self, actor: int, tile: int, work: int, before: int, gap: int) -> None:
        """Puts an actor that is in no round behind `before` on a tile."""
        after = actor if before == ALONE else int(self.after[before])
        self.gap[after] = self.gap[after] - gap if before != ALONE else 1
        if before != ALONE:
            self.gap[actor] = gap
        before = actor if before == ALONE else before
        self.before[actor], self.after[actor] = before, after
        self.after[before] = self.before[after] = actor
        self.tile[actor], self.work[actor] = tile, work
        self.load[tile] += work


class Table:
    """The arcs and channels of a deployment for `snnir.schedule.kernels`.

    All its actors fire once per iteration (`Evaluator.single`), and none waits for slices.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        deployment = self.deployment = evaluator.deployment
        self.work = evaluator.total
        size = len(self.work)
        rows = np.array(sorted(set(_arcs(evaluator))), np.int64).reshape(-1, 5)
        self.arcs = np.searchsorted(rows[:, 0], np.arange(size + 1)), np.ascontiguousarray(rows[:, 1:])
        self.ends = np.stack((deployment.sources, deployment.targets), axis=1)
        blocks = np.array([deployment.blocks.get(number, 0) for number in range(len(self.ends))], np.int64)
        self._channel = np.stack((deployment.sizes, deployment.passed, deployment.reserved, blocks), axis=1)
        self._ports = np.stack(deployment.ports)
        tiles = deployment.architecture.tiles
        limits = [(tile.memory, tile.connections) for tile in tiles]
        self._limited = any(limit != (None, None) for limit in limits) or any(
            0 in (tile.input_bandwidth, tile.output_bandwidth) for tile in tiles
        )
        self._room = np.empty_like(self._ports), np.empty(size, np.int64), np.empty(size, np.int64)
        self._cycle = np.empty((size + 1, 2), np.int64)

    def rounds(self, tiles: Integers, plan: Plan) -> Rounds | None:
        """The rounds of a binding and a plan; None if numbers are too large for 64 bits."""
        size = len(self.work)
        order = np.lexsort((plan.rank[:size], tiles))
        first = np.flatnonzero(np.diff(tiles[order], prepend=-1))
        last = np.append(first[1:], size) - 1
        before, after, gap = (np.empty(size, np.int64) for _ in range(3))
        earlier = np.roll(order, 1)
        earlier[first] = order[last]
        before[order], after[earlier] = earlier, order
        gap[order] = plan.stage[earlier] - plan.stage[order]
        gap[order[first]] += 1
        work = self.work[np.arange(size), tiles]
        load = np.bincount(tiles, work, self.work.shape[1]).astype(np.int64)
        room = np.empty(len(self.ends), np.int64), np.zeros(size, np.int64)
        sequence = np.argsort(plan.rank[:size], kind="stable")
        found = Rounds(tiles.copy(), before, after, gap, work, load, *room, sequence, self._cycle[:0])
        return found if self.evaluate(found) else None

    def evaluate(self, rounds: Rounds, most: Fraction | None = None) -> bool:
        """Fills in what follows from the rounds; False if they are impossible or the period exceeds `most`."""
        bits, choice, mark = self._room
        delays = self.deployment.delays
        longest = kernels.transfer_times(
            rounds.tile, self.ends, self._channel, self._ports, delays, bits, rounds.transfer
        )
        least = max(longest, int(rounds.load.max(initial=0)))
        if longest < 0 or (most is not None and least > most):
            return False
        if self._limited and refusal(self.deployment, rounds.tile):
            return False
        given = self.arcs, (rounds.work, rounds.transfer), (rounds.before, rounds.gap), rounds.sequence
        state = rounds.start, choice, mark
        if most is not None:
            ratio = most.numerator, most.denominator
            _, tokens, length = kernels.critical_ratio(*given, ratio, True, state, self._cycle)
            if length or not tokens:
                return False
        time, tokens, length = kernels.critical_ratio(*given, (least, 1), False, state, self._cycle)
        if not tokens:
            return False
        rounds.ratio, rounds.cycle = Fraction(time, tokens), self._cycle[:length].copy()
        rounds.sequence = np.argsort(rounds.start, kind="stable")
        return True

    def plan(self, rounds: Rounds) -> Plan:
        """The stages and places of all firings. Raises `Deadlock` when there is no such plan.

        The least stages with which no channel and no turn has fewer than 0 tokens (Leiserson, Saxe, Algorithmica 6,
        1991). The gaps of a tile then are 0 but for one, after which its order begins.
        """
        graph = self.evaluator.firings(rounds.tile)
        size = len(self.work)
        every = replace(
            graph,
            source=np.concatenate((graph.source, rounds.before)),
            target=np.concatenate((graph.target, np.arange(size))),
            tokens=np.concatenate((graph.tokens, rounds.gap)),
        )
        ones = np.ones_like(every.tokens)
        try:
            stage = scaled_starts(TimedGraph(every.size, every.source, every.target, -every.tokens, ones), Fraction(0))
        except MaxPlusError:
            raise Deadlock("deadlock: the rounds let each actor of some cycle wait for the next") from None
        stage = stage.astype(np.int64)
        starts = np.zeros(every.size, np.int64)
        starts[:size] = rounds.start
        return Plan(stage, rank_of(sequence(every.retimed(stage).timed(), starts.tolist())))


def _arcs(evaluator: Evaluator) -> list[tuple[int, int, int, int, int]]:
    """Target, source, tokens, channel and kind of each arc, with one arc for each way over a connection actor."""
    deployment = evaluator.deployment
    carried = {carrier: number for number, carrier in deployment.carriers.items()}
    into: dict[int, list[tuple[int, int]]] = {number: [] for number in deployment.carriers}
    out: dict[int, list[tuple[int, int]]] = {number: [] for number in deployment.carriers}
    arcs: list[tuple[int, int, int, int, int]] = []
    columns = (*evaluator.edges, evaluator.channel)
    for source, target, tokens, channel in zip(*(column.tolist() for column in columns), strict=True):
        if source in carried and target in carried:
            continue
        if target in carried:
            into[carried[target]].append((source, tokens))
        elif source in carried:
            out[carried[source]].append((target, tokens))
        else:
            kind = int(deployment.when[channel]) if channel >= 0 else ALWAYS
            arcs.append((target, source, tokens, int(deployment.origin[channel]) if kind else -1, kind))
    for number, ways in into.items():
        arcs += [(b, a, t + u, number, CROSSING) for a, t in ways for b, u in out[number]]
    return arcs
