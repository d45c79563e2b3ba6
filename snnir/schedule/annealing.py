"""Bindings and orders by simulated annealing on the guaranteed period, every step of it exact.

Threshold accepting (Dueck, Scheuer, J. Computational Physics 90, 1990), with the best so far as the reference (record
to record, Dueck, ibid. 104, 1993): a change is kept if the period stays below the best one by no more than a part that
shrinks to nothing. Changes begin at the critical cycle: as long as all of it is there, so is its ratio.
"""

from collections.abc import Iterator
from fractions import Fraction
from random import Random

import numpy as np

from snnir.schedule import kernels
from snnir.schedule.rounds import ALONE, Rounds, Table

_WIDTH = Fraction(1, 12)
"""By what part of the best period a change may be worse at first."""

_SEED = 1


class Annealing:
    """A search with its own sequence of random numbers: the same again for the same start."""

    def __init__(self, table: Table, enough: Fraction) -> None:
        self.table = table
        self.enough = enough
        self.random = Random(_SEED)

    def run(self, start: Rounds, trials: int) -> Rounds:
        """The best rounds found by so many changes, or with a period of at most `enough`."""
        best = current = start
        for trial in range(trials):
            if best.ratio <= self.enough:
                break
            left = Fraction(trials - trial, trials)
            # whole numbers keep the arithmetic small
            most = max(best.ratio, Fraction(int(best.ratio * (1 + _WIDTH * left * left))))
            changed = current.copy()
            for actor, tile in self._change(current, most):
                self._move(current, changed, actor, tile)
            if self.table.evaluate(changed, most):
                current = changed
                if current.ratio < best.ratio:
                    best = current
        return best

    def _change(self, rounds: Rounds, most: Fraction) -> Iterator[tuple[int, int]]:
        """Actors to take out of their rounds and the tiles to put them on, one after the other."""
        actor, turn = self._critical(rounds)
        here = int(rounds.tile[actor])
        kind = self.random.random()
        if turn and kind < 0.45:
            yield actor, here
            return
        other = -1
        if kind < 0.75:
            tile = self._near(rounds, actor) if self.random.random() < 0.5 else self._any(self.table.work.shape[1])
            if rounds.load[tile] + self.table.work[actor, tile] > most:
                other = self._one_of(np.flatnonzero(rounds.tile == tile))
        else:
            other = self._any(len(rounds.tile))
            tile = int(rounds.tile[other])
        if tile == here or self.table.work[actor, tile] < 0 or (other >= 0 and self.table.work[other, here] < 0):
            return
        yield actor, tile
        if other >= 0:
            yield other, here

    def _critical(self, rounds: Rounds) -> tuple[int, bool]:
        """An actor that the period depends on, and whether it is the turn of a tile that does."""
        turn = False
        if len(rounds.cycle):
            actor, arc = rounds.cycle[self._any(len(rounds.cycle))].tolist()
            turn = arc == kernels.TURN
            if self.random.random() < 0.5:
                actor = int(rounds.before[actor] if turn else self.table.arcs[1][arc, kernels.SOURCE])
        elif rounds.load.max() == rounds.ratio:
            return self._one_of(np.flatnonzero(rounds.tile == rounds.load.argmax())), False
        else:
            actor = int(self.table.ends[rounds.transfer.argmax(), self._any(2)])
        if self.random.random() < 0.25:
            # what it shares a tile with may be what it waits for, or share the interface
            actor = self._one_of(np.flatnonzero(rounds.tile == rounds.tile[actor]))
        return actor, turn

    def _near(self, rounds: Rounds, actor: int) -> int:
        """The tile of an actor at the other end of a channel."""
        ends = self.table.ends
        number = self._one_of(np.flatnonzero((ends == actor).any(axis=1)))
        return int(rounds.tile[actor if number < 0 else ends[number].sum() - actor])

    def _move(self, current: Rounds, changed: Rounds, actor: int, tile: int) -> None:
        """Takes an actor out and puts it where it can begin when it does now, or, at times, anywhere on the tile."""
        changed.remove(actor)
        changed.tile[actor] = ALONE
        scale, price = current.ratio.denominator, current.ratio.numerator
        before = ALONE
        gap = 1
        if self.random.random() < 0.3:
            before = self._one_of(np.flatnonzero(changed.tile == tile))
            if before != ALONE:
                wait = int(current.start[before] + scale * changed.work[before] - current.start[actor])
                gap = -(-wait // price)
                if self.random.random() < 0.2:
                    gap += self.random.choice((-1, 1))
        else:
            before, gap = kernels.best_slot(
                actor, tile, changed.tile, changed.work, changed.after, changed.gap, current.start, scale, price
            )
        changed.insert(actor, tile, int(self.table.work[actor, tile]), before, gap)

    def _any(self, count: int) -> int:
        """A number below `count`."""
        return int(self.random.random() * count)

    def _one_of(self, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> int:
        """One of them, -1 if there is none."""
        return int(numbers[self._any(len(numbers))]) if len(numbers) else -1
