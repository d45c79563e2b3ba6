"""`annealing`: simulated annealing on exact changes of cost, started from `springs`.

An exchange that raises the cost by d is done with probability exp(-d / temperature). The temperature falls by a
constant factor each step, from one at which a good part of the exchanges is done to one at which hardly any is that
costs something; the reach of exchanges falls with it. Exchanges are drawn and priced many at a time, and those are done
that would have been done one after the other: of two that share a net or a slot, the first. The best placement met is
kept.
"""

import numpy as np

from snnir.partition.placement.exchange import descend, neighbours
from snnir.partition.placement.problem import FloatArray, IntArray, Options, Problem
from snnir.partition.placement.springs import place as springs
from snnir.partition.placement.state import State

STEPS = 60
"""Temperatures."""
DRAWS = 1_000
"""Exchanges that are drawn per cluster at effort 1, ..."""
MOST = 60_000
"""... and in all at most, where there are many clusters."""
FIRST, LAST = 0.3, 0.002
"""The first and the last temperature, in parts of what an exchange changes on average: not so hot that what `springs`
found in the large is lost, ..."""
FIRST_OF_FEW, FEW = 1.0, 64
"""... but for up to so few clusters hot enough to forget it."""


def place(problem: Problem, options: Options) -> IntArray:
    """See `snnir.partition.placement.place`."""
    state = State(problem, springs(problem, options), options.cost)
    if len(state.slots) < 2:
        return state.tiles
    rng = np.random.default_rng(options.seed)
    usual = _usual_change(state, rng)
    hottest = FIRST if problem.clusters > FEW else FIRST_OF_FEW
    best, lowest = state.tiles, state.cost
    draws = max(1, int(problem.rounds(min(DRAWS * problem.clusters, MOST), options.effort) / STEPS))
    batch = 32
    for step in range(STEPS):
        part = step / (STEPS - 1)
        heat = usual * hottest * (LAST / hottest) ** part
        left = draws
        while left > 0:
            drawn = min(batch, left)
            done = _exchange(state, rng, heat, 1 - part, drawn)
            left -= drawn
            batch = int(np.clip(batch * (0.7 if done > 4 else 1.3 if done < 2 else 1), 8, 512))
            if state.cost < lowest:
                best, lowest = state.tiles, state.cost
    state = State(problem, best, options.cost)
    for turn in range(problem.floor.per_tile):
        descend(state, *neighbours(state, turn))
    return state.tiles


def _exchange(state: State, rng: np.random.Generator, heat: float, reach: float, count: int) -> int:
    """Draw exchanges and do those that the temperature lets pass; how many were."""
    a, b = _draw(state, rng, reach, count)
    change = state.changes(a, b)
    passing = rng.random(len(a)) < np.exp(np.minimum(-change / max(heat, 1e-300), 0.0))
    passing &= state.allowed(a, b)
    a, b = a[passing], b[passing]
    if not len(a):
        return 0
    first = _first_of_its_nets(state, a, b)
    state.exchange(a[first], b[first])
    return int(first.sum())


def _draw(state: State, rng: np.random.Generator, reach: float, count: int) -> tuple[IntArray, IntArray]:
    """Slots with a cluster, and slots of other tiles within a `reach` from 1, the whole floor, to 0, the next tiles."""
    floor = state.problem.floor
    a = state.slot_of[rng.integers(0, state.problem.clusters, count)]
    at = state.slots[a]
    goal = list[IntArray]()
    for place, size in ((at % floor.mesh[0], floor.mesh[0]), (at // floor.mesh[0], floor.mesh[1])):
        most = 1 + round(reach * (size - 1) / 2)
        goal.append(np.clip(place + rng.integers(-most, most + 1, count), 0, size - 1))
    tile = goal[1] * floor.mesh[0] + goal[0]
    room = state.slot_starts[tile + 1] - state.slot_starts[tile]
    b = np.minimum(state.slot_starts[tile] + (rng.random(count) * room).astype(np.int64), len(state.slots) - 1)
    usable = (tile != at) & (room > 0)
    return a[usable], b[usable]


def _first_of_its_nets(state: State, a: IntArray, b: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which exchanges share no net, slot or full tile with an earlier one: their changes add up exactly."""
    rank = np.arange(len(a))
    ends = np.concatenate([a, b])
    exchange, nets = state.touched(state.occupant[ends])
    marks = [(exchange % len(a), nets), (np.tile(rank, 2), ends if state.problem.only_crossbars else state.slots[ends])]
    first = np.ones(len(a), np.bool_)
    for owner, thing in marks:
        earliest = np.full(int(thing.max(initial=-1)) + 1, len(a))
        np.minimum.at(earliest, thing, owner)
        first[owner[earliest[thing] < owner]] = False
    return first


def _usual_change(state: State, rng: np.random.Generator) -> float:
    """What an exchange changes on average, up or down."""
    changes: FloatArray = np.abs(state.changes(*_draw(state, rng, 0.2, 256)))
    return float(changes.mean()) if len(changes) and changes.mean() > 0 else 1.0
