"""Longest walks in a graph with positive, zero and negative integer weights: the engine below the other modules.

One `Relaxation` fixes the order in which the nodes of a graph are visited; `settle` then raises node values until

    value(u) >= weight(e) + value(head(e))      for every edge e with tail u                                  (*)

or shows a cycle of positive total weight. It is policy iteration (Howard) in the manner of Dasdan, TODAES 9(4), 2004,
on integers: each node remembers the edge that last raised it (its policy); a sweep visits all nodes, the
heads of token-free edges before their tails (Gauss-Seidel: one sweep carries a change along every token-free path);
after a sweep all nodes take the weight of their whole policy path at once (pointer doubling).

Why it ends. Values only rise. For a node raised since the start, value(u) <= weight(policy(u)) + value(head), because
it was an equality when u was raised and heads only rise since. Closing a policy cycle through raised nodes takes one
strict inequality, so such a cycle is positive, and it is reported. While there is none, each policy path ends in a
node that was never raised, so values are bounded by start values plus the weight of a simple path; being integers that
strictly rise, they stop. (After `restart` the equality holds for all nodes but one of each policy cycle, and these are
the ones that count as never raised.)
"""

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.errors import Deadlock
from snnir.maxplus.graph import Integers

Weights = NDArray[Any]
"""A vector of exact integers: int64, or Python integers in an object array where 64 bits might overflow."""

SAFE = float(1 << 61)
"""Values whose magnitude is estimated (in floating point, with room to spare) below this are kept in int64."""

_EDGES_PER_LEVEL = 150
"""From this many edges a level on, visiting a level with numpy beats a Python loop over its edges."""


@dataclass(frozen=True)
class Cycles:
    """Any number of disjoint cycles: their `edges`, in no order within a cycle, those of cycle i from `first[i]` on."""

    edges: Integers
    first: Integers

    def __len__(self) -> int:
        return len(self.first)

    def sums(self, vector: Integers) -> list[int]:
        """The sum of an edge vector over each cycle."""
        values: Weights = vector[self.edges]
        if float(np.abs(values.astype(np.float64)).sum()) >= SAFE:
            values = values.astype(object)
        return np.add.reduceat(values, self.first).tolist() if len(self) else []

    def select(self, which: list[bool]) -> "Cycles":
        """The cycles for which the mask is set."""
        mask = np.array(which, np.bool_)
        lengths = np.diff(np.append(self.first, len(self.edges)))
        kept = lengths[mask]
        return Cycles(self.edges[np.repeat(mask, lengths)], np.cumsum(kept) - kept)


@dataclass(frozen=True)
class _Level:
    """Nodes `first..last-1` with their edges `begin..end-1`; `offsets`: first edge of each node, `owner`: node of each
    edge, both counted within the level."""

    first: int
    last: int
    begin: int
    end: int
    offsets: Integers
    owner: Integers


class Relaxation:
    """The graph with edges (tail[i], head[i]), ready to be swept.

    `tail`, `head`: node numbers below `size`; `free`: which edges carry no token; `label`: the caller's name of each
    edge; `against`: the caller's edges point from head to tail. Raises `Deadlock`, with a cycle of token-free edges in
    terms of `label` and in the direction of the caller's edges, when there is one.

    All vectors that the methods take and return are in the relaxation's own order: per node `position[v]`, per edge
    `edge[i]` = place of that edge in the arrays given.
    """

    def __init__(
        self,
        size: int,
        tail: Integers,
        head: Integers,
        *,
        free: NDArray[np.bool_],
        label: Integers,
        against: bool = False,
    ) -> None:
        self.size = size
        level = _levels(size, tail[free], head[free], label[free], against)
        out_degree = np.bincount(tail, minlength=size)
        nodes = np.lexsort((out_degree > 0, level))
        self.position: Integers = np.empty(size, np.int64)
        self.position[nodes] = np.arange(size)
        self.edge: Integers = np.argsort(self.position[tail], kind="stable")
        self.label: Integers = label[self.edge]
        self.head: Integers = self.position[head[self.edge]]
        self.owner: Integers = np.repeat(np.arange(size), out_degree[nodes])
        self.start: Integers = np.concatenate(([0], np.cumsum(out_degree[nodes])))
        self.sinks = int(np.count_nonzero(out_degree == 0))
        depth = int(level.max(initial=0)) + 1
        self._levels = self._cut(level[nodes], depth) if depth * _EDGES_PER_LEVEL <= len(tail) else None
        self._lists: tuple[list[int], list[int]] | None = (
            None if self._levels else (self.start.tolist(), self.head.tolist())
        )

    def _cut(self, level: Integers, depth: int) -> list[_Level]:
        bounds = np.searchsorted(level, np.arange(depth + 1)).tolist()
        bounds[0] = self.sinks
        levels: list[_Level] = []
        for first, last in pairwise(bounds):
            if first < last:
                begin, end = int(self.start[first]), int(self.start[last])
                offsets = self.start[first:last] - begin
                levels.append(_Level(first, last, begin, end, offsets, self.owner[begin:end] - first))
        return levels

    def heaviest_policy(self, weights: Weights) -> Integers:
        """For each node its first edge of greatest weight, -1 for nodes without edges."""
        policy = np.full(self.size, -1, np.int64)
        starts = self.start[self.sinks : -1]
        if starts.size:
            best = np.maximum.reduceat(weights, starts)
            hit = np.flatnonzero(weights == best[self.owner - self.sinks])[::-1]
            policy[self.owner[hit]] = hit
        return policy

    def settle(self, weights: Weights, values: Weights, policy: Integers) -> "tuple[Weights, Cycles]":
        """Raises values until (*) holds; `values` may, and `policy` (edge per node or -1) will, be changed in place.

        Returns the values and the positive cycles found; there are none exactly when (*) holds for all edges. Nodes
        with policy -1 are taken as never raised.
        """
        reach = self.reach(weights)
        while True:
            weights, values = _widen(weights, values, reach)
            if not self._sweep(weights, values, policy):
                return values, Cycles(policy[:0], policy[:0])
            cycles = self.policy_cycles(policy)
            positive = [weight > 0 for weight in cycles.sums(weights)]
            if any(positive):
                return values, cycles.select(positive)
            values = np.maximum(values, self._along_policy(weights, values, policy, cycles))

    def restart(self, weights: Weights, values: Weights, policy: Integers) -> Weights:
        """Values of the policy paths alone, keeping one node of each policy cycle (none positive) as it is."""
        weights, values = _widen(weights, values, self.reach(weights))
        return self._along_policy(weights, values, policy, self.policy_cycles(policy))

    def reach(self, weights: Weights) -> float:
        """An upper bound (but for rounding) on the magnitude of the weight of any simple path or cycle."""
        starts = self.start[self.sinks : -1]
        magnitude = np.abs(weights).astype(np.float64)
        return float(np.maximum.reduceat(magnitude, starts).sum()) if starts.size else 0.0

    def policy_cycles(self, policy: Integers) -> "Cycles":
        """The cycles of the policy, ordered by first node."""
        step = self._step(policy)
        jump = step
        for _ in range(self.size.bit_length()):
            jump = jump[jump]
        # after at least `size` steps every walk is on a cycle or stands at a node without policy
        reached = np.zeros(self.size, np.bool_)
        reached[jump] = True
        nodes = np.flatnonzero(reached & (policy >= 0))
        # name each cycle after its first node
        place = np.searchsorted(nodes, step[nodes])
        lowest = nodes
        for _ in range(len(nodes).bit_length()):
            lowest = np.minimum(lowest, lowest[place])
            place = place[place]
        order = np.argsort(lowest, kind="stable")
        first = np.flatnonzero(np.diff(lowest[order], prepend=-1))
        return Cycles(policy[nodes[order]], first)

    def walk(self, policy: Integers, edge: int) -> list[int]:
        """The edges of the policy cycle that contains `edge`, in its direction, from `edge` on."""
        cycle = [edge]
        while (following := int(policy[self.head[cycle[-1]]])) != edge:
            cycle.append(following)
        return cycle

    def _step(self, policy: Integers) -> Integers:
        if not len(self.head):
            return np.arange(self.size)
        return np.where(policy >= 0, self.head[policy], np.arange(self.size))

    def _along_policy(self, weights: Weights, values: Weights, policy: Integers, cycles: "Cycles") -> NDArray[Any]:
        jump = self._step(policy)
        total = np.where(policy >= 0, weights[policy], 0)
        anchors = self.head[cycles.edges[cycles.first]]
        jump[anchors] = anchors
        total[anchors] = 0
        while True:
            further = jump[jump]
            if np.array_equal(further, jump):
                return total + values[jump]
            total = total + total[jump]
            jump = further

    def _sweep(self, weights: Weights, values: Weights, policy: Integers) -> bool:
        if self._levels is not None and weights.dtype.kind == "i":
            return self._sweep_levels(self._levels, weights, values, policy)
        return self._sweep_nodes(weights, values, policy)

    def _sweep_levels(self, levels: list[_Level], weights: Weights, values: Weights, policy: Integers) -> bool:
        changed = False
        for level in levels:
            offer: Weights = weights[level.begin : level.end] + values[self.head[level.begin : level.end]]
            best: Weights = np.maximum.reduceat(offer, level.offsets)
            raised = best > values[level.first : level.last]
            if raised.any():
                changed = True
                hit = np.flatnonzero((offer == best[level.owner]) & raised[level.owner])[::-1]
                policy[level.first + level.owner[hit]] = level.begin + hit
                values[level.first : level.last][raised] = best[raised]
        return changed

    def _sweep_nodes(self, weights: Weights, values: Weights, policy: Integers) -> bool:
        if self._lists is None:
            self._lists = self.start.tolist(), self.head.tolist()
        start, head = self._lists
        weight = _integers(weights)
        value = _integers(values)
        raised: list[int] = []
        chosen: list[int] = []
        begin = start[self.sinks]
        for node in range(self.sinks, self.size):
            end = start[node + 1]
            highest, choice = value[node], -1
            for edge in range(begin, end):
                offer = weight[edge] + value[head[edge]]
                if offer > highest:
                    highest, choice = offer, edge
            begin = end
            if choice >= 0:
                value[node] = highest
                raised.append(node)
                chosen.append(choice)
        values[:] = value
        policy[raised] = chosen
        return bool(raised)


def exact(*factors: tuple[int, Integers]) -> Weights:
    """The sum of factor * vector over the given pairs, exact: int64 if that surely fits, Python integers if not."""
    bound = sum(abs(factor) * float(np.abs(vector.astype(np.float64)).max(initial=0)) for factor, vector in factors)
    fits = bound < SAFE and all(abs(factor) < SAFE for factor, _ in factors)
    terms: list[Weights] = [factor * (vector if fits else vector.astype(object)) for factor, vector in factors]
    return reduce(np.add, terms)


def _integers(vector: Weights) -> list[int]:
    return vector.tolist()


def _widen(weights: Weights, values: Weights, reach: float) -> tuple[Weights, Weights]:
    wide = weights.dtype.kind, values.dtype.kind
    if wide == ("O", "O"):
        return weights, values
    if wide == ("i", "i"):
        highest = float(np.abs(values.astype(np.float64)).max(initial=0))
        # a sweep and a path evaluation each add at most one simple path
        if highest + 2 * reach < SAFE:
            return weights, values
    return weights.astype(object), values.astype(object)


def _levels(size: int, tail: Integers, head: Integers, label: Integers, against: bool) -> Integers:
    """For each node the number of edges of the longest path that leaves it (Kahn's algorithm, backwards)."""
    order = np.argsort(head, kind="stable")
    begin = np.concatenate(([0], np.cumsum(np.bincount(head, minlength=size)))).tolist()
    tails: list[int] = tail[order].tolist()
    waiting: list[int] = np.bincount(tail, minlength=size).tolist()
    level = [0] * size
    ready = [node for node in range(size) if not waiting[node]]
    for node in ready:
        above = level[node] + 1
        for before in tails[begin[node] : begin[node + 1]]:
            waiting[before] -= 1
            if not waiting[before]:
                # nodes get ready in the order of their levels, so the last successor decides
                level[before] = above
                ready.append(before)
    if len(ready) < size:
        cycle = _blocked_cycle(np.array(waiting) > 0, tail, head)
        names = tuple(label[cycle[::-1] if against else cycle].tolist())
        raise deadlock(names)
    return np.array(level, np.int64)


def _blocked_cycle(blocked: NDArray[np.bool_], tail: Integers, head: Integers) -> list[int]:
    """A cycle among the blocked nodes, each of which has an edge to another one, as a list of edges."""
    inside = np.flatnonzero(blocked[tail] & blocked[head])[::-1]
    chosen = dict(zip(tail[inside].tolist(), inside.tolist(), strict=True))
    walk: list[int] = []
    place: dict[int, int] = {}
    node = min(chosen)
    while node not in place:
        place[node] = len(walk)
        walk.append(chosen[node])
        node = int(head[chosen[node]])
    return walk[place[node] :]


def deadlock(names: tuple[int, ...]) -> Deadlock:
    """The error that shows a cycle of token-free edges."""
    shown = ", ".join(map(str, names[:20]))
    shown = f"{shown}, ... ({len(names)} edges)" if len(names) > 20 else shown
    return Deadlock(f"the cycle of edges {shown} carries no token", names)
