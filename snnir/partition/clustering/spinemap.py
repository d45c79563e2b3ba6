"""SpiNeCluster: exchanges of neurons between pairs of crossbars, after Kernighan and Lin, for fewer spikes.

Balaji et al., "Mapping Spiking Neural Networks to Neuromorphic Hardware" (SpiNeMap, IEEE TVLSI 2020, arXiv 1909.01843)
start from any fill and go over pairs of crossbars: exchange the two neurons with the largest gain, lock them, go on
although gains become negative, and keep the sequence up to its best point. The gain is in spikes between crossbars as
`metrics.spikes_between` counts them: a source costs its spikes for each crossbar that reads it, not for each synapse.
Where that is equal, which is often, exchanges that bring more of the units that a source ties together to one side win.
An exchange leaves both crossbars within rows, columns and slices; a free column counts as a neuron without synapses.

How this keeps the time down: gains of all single moves are exact and kept for all units of the pair, but only the best
few begin an exchange; a sequence ends after a few exchanges in a row without a new best; a pair is visited again only
after one of its crossbars changed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.partition.clustering.sequential import filled, in_order
from snnir.partition.problem import Options, Plan, Problem, Vector
from snnir.partition.units import Units, plan_of, units_of
from snnir.synapses import IntArray

BEGINNERS = 2
"""How many units of each side are tried as the first of an exchange."""
TIES = 1e-7
"""The weight of gains in units that are together: decides between equal spikes only."""
TINY = 1e-10
"""Gains below are rounding."""


def spinemap(problem: Problem, options: Options) -> Plan:
    """The plan after passes of exchanges over all pairs of crossbars that have a source in common.

    Starts from `sequential` and has as many crossbars or fewer. Details: `passes` (10) at most, `visits` of pairs
    (50,000) at most, `patience` (4) exchanges in a row without a new best, `channels_last` as in `sequential`.
    """
    units = units_of(problem)
    assignment = filled(problem, units, in_order(units, options))
    return plan_of(problem, units, exchanged(problem, units, assignment, options))


def exchanged(problem: Problem, units: Units, assignment: IntArray, options: Options) -> IntArray:
    """Unit -> cluster after the passes."""
    result = assignment.copy()
    visits, patience = int(options.details.get("visits", 50_000)), int(options.details.get("patience", 4))
    clusters = int(result.max(initial=-1)) + 1
    version, seen = [0] * clusters, dict[tuple[int, int], tuple[int, int]]()
    for _ in range(int(options.details.get("passes", 10))):
        changed = False
        members = [np.flatnonzero(result == number) for number in range(clusters)]
        for a, b in _pairs(units, result):
            if seen.get((a, b)) == (version[a], version[b]) or not visits:
                continue
            visits -= 1
            pair = Pair(problem, units, members[a], members[b])
            moved = pair.sequence(patience)
            if moved is not None:
                changed = True
                version[a], version[b] = version[a] + 1, version[b] + 1
                both = np.concatenate([members[a], members[b]])
                members[a], members[b] = np.sort(both[~moved]), np.sort(both[moved])
                result[members[a]], result[members[b]] = a, b
            seen[a, b] = (version[a], version[b])
        if not changed or not visits:
            break
    return result


def _pairs(units: Units, assignment: IntArray) -> list[tuple[int, int]]:
    """Pairs of clusters that hold or read the same source, those with most spikes in common first."""
    from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

    known = np.flatnonzero(units.source >= 0)
    source = np.concatenate([units.problem.home[units.axons], units.source[known]])
    cluster = np.concatenate([np.repeat(assignment, units.sizes), assignment[known]])
    shape = (len(units.spikes), int(assignment.max(initial=-1)) + 1)
    touched: Any = csr_array((np.ones(len(source)), (source, cluster)), shape=shape)
    touched.data[:] = 1
    weighted = touched.copy()
    weighted.data = np.repeat(units.spikes, np.diff(touched.indptr))
    shared = (touched.T @ weighted).tocoo()
    first, second, value = np.asarray(shared.row), np.asarray(shared.col), np.asarray(shared.data)
    upper = first < second
    row, column, spikes = first[upper], second[upper], value[upper]
    order = np.lexsort((column, row, -spikes))
    return list(zip(row[order].tolist(), column[order].tolist(), strict=True))


@dataclass(frozen=True)
class State:
    """Of the two sides: how many units read each source and each axon, and how many there are."""

    sources: NDArray[np.float64]
    """(2, sources)"""
    pins: NDArray[np.float64]
    """(2, sources), with the unit that a source sits in."""
    axons: NDArray[np.float64]
    """(2, axons)"""
    units: IntArray
    """(2,)"""


class Pair:
    """The units of two clusters as small dense matrices; side 0 is the first cluster, side 1 the second."""

    def __init__(self, problem: Problem, units: Units, first: IntArray, second: IntArray) -> None:
        self.problem = problem
        both = np.concatenate([first, second])
        self.side = np.arange(len(both)) >= len(first)
        self.key = units.slice[both]
        owner, axons = units.entries(both)
        axon, local = np.unique(axons, return_inverse=True)
        self.axons = np.zeros((len(both), len(axon)))
        self.axons[owner, local] = 1
        source, of_axon = np.unique(problem.home[axon], return_inverse=True)
        self.sources = np.zeros((len(both), len(source)))
        self.sources[owner, of_axon[local]] = 1
        self.spikes = units.spikes[source]
        place = np.searchsorted(source, units.source[both]).clip(max=max(len(source) - 1, 0))
        here = source[place] == units.source[both] if len(source) else np.zeros(len(both), np.bool_)
        self.emits = np.where(here, place, -1)
        """For each unit, its own number among the sources, -1 where neither side reads it."""
        self.own = np.full(len(source), -1)
        """For each source, the side that it sits on, -1 for neither."""
        self.own[place[here]] = self.side[here]
        self.pins = self.sources.copy()
        self.pins[here, place[here]] = 1

    def sequence(self, patience: int) -> NDArray[np.bool_] | None:
        """The side of each unit after the best sequence of exchanges; `None` where none gains."""
        state = self.state()
        free = np.ones(len(self.side), np.bool_)
        gain = best = 0.0
        kept: NDArray[np.bool_] | None = None
        idle = 0
        while idle < patience:
            step = self._best(state, free)
            if step is None:
                break
            change, moved = step
            gain += change
            free[moved] = False
            for unit in moved:
                state = self._move(state, unit)
            idle += 1
            if gain > best + TINY:
                best, kept, idle = gain, self.side.copy(), 0
        return kept

    def state(self) -> State:
        """What the sides read now."""
        sides = np.stack([~self.side, self.side]).astype(np.float64)
        return State(sides @ self.sources, sides @ self.pins, sides @ self.axons, sides.sum(axis=1).astype(np.int64))

    def _move(self, state: State, unit: int) -> State:
        """Moves a unit to the other side, in `side` and `own` too."""
        to = int(not self.side[unit])
        sign = np.array([1.0, -1.0]) if to == 0 else np.array([-1.0, 1.0])
        self.side[unit] = bool(to)
        if self.emits[unit] >= 0:
            self.own[self.emits[unit]] = to
        return State(
            state.sources + sign[:, None] * self.sources[unit],
            state.pins + sign[:, None] * self.pins[unit],
            state.axons + sign[:, None] * self.axons[unit],
            state.units + sign.astype(np.int64),
        )

    def gains(self, state: State, side: int) -> Vector:
        """What moving each unit from `side` to the other one alone saves, (units,); -inf for others."""
        here, there = state.sources[side], state.sources[1 - side]
        leaves = self.spikes * ((here == 1) & (self.own != side))
        joins = self.spikes * ((there == 0) & (self.own != 1 - side))
        gains = _times(self.sources, leaves - joins)
        unit = np.flatnonzero(self.emits >= 0)
        own = self.emits[unit]
        reads = self.sources[unit, own]
        gains[unit] -= reads * (leaves - joins)[own]
        gains[unit] += self.spikes[own] * ((there[own] > 0).astype(np.float64) - (here[own] - reads > 0))
        # half the sum over sources of spikes x (pins of a side)**2 grows by this: a potential, so that steps add up
        together = self.spikes * (state.pins[1 - side] - state.pins[side] + 1)
        gains += TIES * _times(self.pins, together)
        return np.where(self.side == bool(side), gains, -np.inf)

    def _best(self, state: State, free: NDArray[np.bool_]) -> tuple[float, list[int]] | None:
        """The gain and the units of the best exchange of two free units, or move of one."""
        best: tuple[float, list[int]] | None = None
        for side in (0, 1):
            gains = np.where(free, self.gains(state, side), -np.inf)
            for unit in np.argsort(-gains, kind="stable")[:BEGINNERS].tolist():
                if gains[unit] == -np.inf:
                    break
                step = self._completed(state, unit, free)
                if step is not None and (best is None or gains[unit] + step[0] > best[0] + TINY):
                    best = float(gains[unit] + step[0]), step[1]
        return best

    def _completed(self, state: State, unit: int, free: NDArray[np.bool_]) -> tuple[float, list[int]] | None:
        """The gain of the best partner of a unit on the other side, and both; the partner may be a free column."""
        side, emits = int(self.side[unit]), self.emits[unit]
        after = self._move(state, unit)
        gains = np.where(free & self._fits(after, unit, side), self.gains(after, 1 - side), -np.inf)
        gains[unit] = -np.inf
        alone = self._fits_alone(after, unit, side)
        self.side[unit] = bool(side)
        if emits >= 0:
            self.own[emits] = side
        partner = int(gains.argmax())
        if gains[partner] == -np.inf or (alone and gains[partner] < 0):
            return (0.0, [unit]) if alone else None
        return float(gains[partner]), [unit, partner]

    def _fits(self, after: State, unit: int, side: int) -> NDArray[np.bool_]:
        """Whether each unit can come to `side` in exchange for `unit`, which `after` has moved away."""
        back, away = after.axons[side], after.axons[1 - side]
        rows_back = np.count_nonzero(back) + _times(self.axons, back == 0)
        rows_away = np.count_nonzero(away) - _times(self.axons, away == 1)
        fits = (rows_back <= self.problem.rows) & (rows_away <= self.problem.rows)
        if self.problem.slices:
            known = np.isin(self.key, self.key[self.side == bool(side)]) & self._is_known(unit, side)
            fits &= known | (self.key == self.key[unit])
        return fits

    def _fits_alone(self, after: State, unit: int, side: int) -> bool:
        """Whether the other side has room for `unit` without giving anything back."""
        if self.problem.slices and not self._is_known(unit, side):
            return False
        rows, columns = np.count_nonzero(after.axons[1 - side]), after.units[1 - side]
        return bool(rows <= self.problem.rows and columns <= self.problem.columns)

    def _is_known(self, unit: int, side: int) -> bool:
        """Whether the side other than `side` has units of the slice of `unit`, which comes from `side`."""
        there = self.side != bool(side)
        there[unit] = False
        return bool((self.key[there] == self.key[unit]).any())


def _times(matrix: NDArray[np.float64], vector: NDArray[Any]) -> NDArray[np.float64]:
    """Matrix times vector without BLAS, whose threads cost more than products of this size."""
    return np.einsum("ij,j->i", matrix, vector.astype(np.float64))
