"""`springs`: unfold the network, let clusters go where their connections pull them, and exchange the rest.

Ours, from old ideas of circuit placement, for the nets of spiking networks:

1. *Unfolding* (`unfold`): two coordinates for each cluster such that clusters that talk to each other are near, from
   some hundred products of the springs' matrix with them.
2. *Spreading*: coordinates become tiles by halving. The clusters are halved at the middle tile of the longer side, by
   where they are along it, and so on in both halves, down to single crossbars. Of the layout turned and mirrored, the
   one of the lowest cost is taken; the space-filling curve and row-major order compete.
3. *Relaxing*: every cluster goes half of the way to the mean place of what it talks to, the host included; then all
   are spread again, as often as that lowers the cost.
4. *Exchanges* that lower the exact cost: with a neighbouring tile, and with tiles on the way to where the springs would
   be at rest; among few clusters, all pairs.

A round of the first three is a product with a sparse matrix and some sorts, in which all clusters find their place in
the large; swaps alone would carry them there one tile at a time.
"""

import numpy as np

from snnir.partition.placement.cost import cost
from snnir.partition.placement.curve import compact
from snnir.partition.placement.exchange import all_pairs, descend, neighbours
from snnir.partition.placement.fill import fill, settle
from snnir.partition.placement.force import Forces
from snnir.partition.placement.order import topological
from snnir.partition.placement.problem import FloatArray, IntArray, Options, Problem
from snnir.partition.placement.row_major import place as row_major
from snnir.partition.placement.state import State
from snnir.partition.placement.unfold import SWEEPS, turns, unfold

RELAXATIONS = 40
"""Rounds of relaxing and spreading at effort 1."""
ROUNDS = 12
"""Rounds of exchanges at effort 1."""
FEW = 32
"""Clusters up to which all starts are followed to the end."""
ALL_PAIRS = 40
"""Clusters up to which all pairs of crossbars are tried at the end."""
LOOK = 4
"""Rounds of relaxing after which the cost is looked at."""
STEP = 0.5
"""The part of the way to its place of rest that a cluster goes in a round."""


def place(problem: Problem, options: Options) -> IntArray:
    """See `snnir.partition.placement.place`."""
    forces = Forces(problem)
    rounds = problem.rounds(RELAXATIONS, options.effort)
    curve, rows = fill(problem, topological(problem), compact(problem)), row_major(problem, options)
    starts = [_unfolded(problem, forces, curve, options)]
    starts += [relax(problem, forces, tiles, options, rounds // 4) for tiles in (curve, rows)]
    if problem.clusters <= FEW:
        starts.append(rows)
    else:
        starts = [min(starts, key=lambda tiles: cost(problem, tiles, options.cost))]
    found = [_improved(problem, forces, relax(problem, forces, tiles, options, rounds), options) for tiles in starts]
    return min(found, key=lambda state: state.cost).tiles


def _unfolded(problem: Problem, forces: Forces, start: IntArray, options: Options) -> IntArray:
    """The best way to lay the unfolded network on the tiles that `start` uses."""
    plan = _Halves(np.sort(start), problem.floor.mesh[0])
    best, lowest = start, cost(problem, start, options.cost)
    for x, y in turns(unfold(forces, problem.rounds(SWEEPS, options.effort), options.seed)):
        tiles = settle(problem, plan.spread(x, y))
        now = cost(problem, tiles, options.cost)
        if now < lowest:
            best, lowest = tiles, now
    return best


def _improved(problem: Problem, forces: Forces, tiles: IntArray, options: Options) -> State:
    state = State(problem, tiles, options.cost)
    refine(state, forces, options)
    if problem.clusters <= ALL_PAIRS:
        for _ in range(ROUNDS):
            if not descend(state, *all_pairs(state)):
                break
    return state


def relax(problem: Problem, forces: Forces, start: IntArray, options: Options, rounds: int) -> IntArray:
    """(clusters,) the best placement met when `start` is relaxed and spread in turn over the tiles it uses."""
    floor = problem.floor
    plan = _Halves(np.sort(start), floor.mesh[0])
    best, lowest, tiles = start, cost(problem, start, options.cost), start
    for number in range(1, rounds + 1):
        at = np.append(tiles, floor.host_tile)
        x, y = (at % floor.mesh[0]).astype(float), (at // floor.mesh[0]).astype(float)
        to_x, to_y = forces.means(x, y)
        tiles = plan.spread(x[:-1] + STEP * (to_x - x[:-1]), y[:-1] + STEP * (to_y - y[:-1]))
        if number % LOOK and number < rounds:
            continue
        if not problem.only_crossbars:
            tiles = settle(problem, tiles)
        now = cost(problem, tiles, options.cost)
        if now < lowest:
            best, lowest = tiles, now
    return best


class _Halves:
    """A set of slots, halved again and again at the middle of its longer side: the same for every spreading."""

    def __init__(self, slots: IntArray, width: int) -> None:
        x, y = slots % width, slots // width
        self.levels: list[tuple[IntArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]] = []
        order, sizes = np.arange(len(slots)), np.array([len(slots)])
        while sizes.max(initial=0) > 1:
            starts = np.cumsum(sizes) - sizes
            region = np.repeat(np.arange(len(sizes)), sizes)
            spans = [
                np.maximum.reduceat(side[order], starts) - np.minimum.reduceat(side[order], starts) for side in (x, y)
            ]
            flat = (spans[0] >= spans[1])[region]
            main, other = np.where(flat, x[order], y[order]), np.where(flat, y[order], x[order])
            order = order[np.lexsort((other, main, region))]
            self.levels.append((region, flat))
            sizes = np.stack([sizes // 2, sizes - sizes // 2], 1).ravel()
            sizes = sizes[sizes > 0]
        self.slots = slots[order]

    def spread(self, x: FloatArray, y: FloatArray) -> IntArray:
        """(clusters,) a slot for each cluster, so that order along both axes is kept as well as it can be."""
        order = np.arange(len(x))
        # places are scaled below 1, so that one sort has all regions of a level
        x, y = (((at - at.min()) / (at.max() - at.min() + 1)) if len(at) else at for at in (x, y))
        for region, flat in self.levels:
            order = order[np.argsort(np.where(flat, x[order], y[order]) + region, kind="stable")]
        found = np.empty(len(x), np.int64)
        found[order] = self.slots
        return found


def refine(state: State, forces: Forces, options: Options) -> None:
    """Exchanges with neighbours and towards the place of rest, until hardly anything is gained."""
    rng = np.random.default_rng(options.seed)
    for turn in range(state.problem.rounds(ROUNDS, options.effort)):
        before = state.cost
        descend(state, *neighbours(state, turn), forces)
        for _ in range(2):
            descend(state, *_jumps(state, forces, rng), forces)
        if state.cost > before * (1 - 1e-3):
            break


def _jumps(state: State, forces: Forces, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """For each cluster, a slot somewhere on the way to where its springs would be at rest."""
    floor, count = state.problem.floor, state.problem.clusters
    at = np.append(state.where[:count], floor.host_tile)
    x, y = at % floor.mesh[0], at // floor.mesh[0]
    part = rng.random(count)
    goal = [
        np.rint(old[:-1] + part * (rest - old[:-1])).astype(np.int64) + rng.integers(-2, 3, count)
        for old, rest in zip((x, y), forces.means(x.astype(float), y.astype(float)), strict=True)
    ]
    tile = np.clip(goal[1], 0, floor.mesh[1] - 1) * floor.mesh[0] + np.clip(goal[0], 0, floor.mesh[0] - 1)
    room = state.slot_starts[tile + 1] - state.slot_starts[tile]
    slot = state.slot_starts[tile] + (rng.random(count) * room).astype(np.int64)
    return state.slot_of[room > 0], slot[room > 0]
