"""Exchanges that lower the cost, many at a time: the step that all local searches share."""

import numpy as np

from snnir.partition.placement.force import Forces
from snnir.partition.placement.problem import FloatArray, IntArray
from snnir.partition.placement.state import State

ROUNDING = 1e-12
"""Changes below this part of the cost are rounding."""


def descend(state: State, a: IntArray, b: IntArray, forces: Forces | None = None) -> int:
    """Exchange the slots of those pairs (`a`, `b`) that together lower the cost; how many were.

    Pairs are priced exactly, each on its own; with `forces` only those whose tension promises something, the tightest
    first. One that shares a slot with a better one waits. The rest is done at once, which may bring less than the sum
    of its parts where they share nets: when it does not lower the cost it is undone, and the best quarter is tried
    instead, down to the best pair alone, which always helps.
    """
    holds = (state.occupant[a] != state.empty) | (state.occupant[b] != state.empty)
    usable = holds & (state.slots[a] != state.slots[b])
    a, b = a[usable], b[usable]
    allowed = state.allowed(a, b)
    a, b = a[allowed], b[allowed]
    if forces is not None:
        chosen = independent(state, a, b, forces.changes(state, a, b), 0.0)
        a, b = a[chosen], b[chosen]
    before = state.cost
    change = state.changes(a, b)
    chosen = independent(state, a, b, change, -ROUNDING * before)
    a, b = a[chosen], b[chosen]
    while len(a):
        state.exchange(a, b)
        if state.cost < before:
            return len(a)
        state.exchange(a, b)
        count = max(len(a) // 4, 1) if len(a) > 1 else 0
        a, b = a[:count], b[:count]
    return 0


def independent(state: State, a: IntArray, b: IntArray, change: FloatArray, below: float) -> IntArray:
    """Which exchanges lower the cost by more than `-below`, best first, without those that share a slot with a better
    one (a tile, when tiles have more limits than crossbars: what fits alone may not fit together)."""
    order = np.argsort(change, kind="stable")
    order = order[: np.searchsorted(change[order], below)]
    ends = np.stack([a[order], b[order]])
    if not state.problem.only_crossbars:
        ends = state.slots[ends]
    rank = np.arange(len(order))
    first = np.full(len(state.slots) + state.problem.floor.tiles, len(order))
    for side in ends:
        np.minimum.at(first, side, rank)
    return order[(first[ends[0]] == rank) & (first[ends[1]] == rank)]


def neighbours(state: State, turn: int) -> tuple[IntArray, IntArray]:
    """Pairs of slots on neighbouring tiles, along x and along y; which slot of a tile meets which of the next changes
    with every `turn`."""
    floor = state.problem.floor
    slot = np.arange(len(state.slots))
    tile, rank = state.slots, slot - state.slot_starts[state.slots]
    left, right = list[IntArray](), list[IntArray]()
    steps = ((1, tile % floor.mesh[0] < floor.mesh[0] - 1), (floor.mesh[0], tile // floor.mesh[0] < floor.mesh[1] - 1))
    for step, inside in steps:
        near = np.where(inside, tile + step, tile)
        count = state.slot_starts[near + 1] - state.slot_starts[near]
        usable = inside & (count > 0)
        left.append(slot[usable])
        right.append((state.slot_starts[near] + (rank + turn) % np.maximum(count, 1))[usable])
    return np.concatenate(left), np.concatenate(right)


def all_pairs(state: State) -> tuple[IntArray, IntArray]:
    """All pairs of a slot with a cluster and another slot of another tile; of the empty slots of a tile, which are
    alike, the first stands for all."""
    empty = np.flatnonzero(state.occupant == state.empty)
    empty = empty[np.unique(state.slots[empty], return_index=True)[1]]
    count = len(state.slot_of)
    one, other = np.triu_indices(count, 1)
    a = np.concatenate([state.slot_of[one], np.repeat(state.slot_of, len(empty))])
    b = np.concatenate([state.slot_of[other], np.tile(empty, count)])
    apart = state.slots[a] != state.slots[b]
    return a[apart], b[apart]
