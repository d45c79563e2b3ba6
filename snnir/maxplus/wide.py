"""Cycle ratios and walks where 64 bits are not enough: the same questions on Python integers, for small graphs."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.cycle_ratio import CycleRatio
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.graph import Integers

Wide = NDArray[Any]
"""A vector of Python integers."""


def least_tokens(size: int, source: Integers, target: Integers, tokens: Wide) -> list[int]:
    """The edges of a cycle on which the tokens, which may be negative, add up to 0 or less; empty if there is none."""
    # a cycle has at most `size` edges: what one more each adds does not make up for a whole token
    weight = 1 - tokens * (size + 1)
    return _settle(size, source, target, weight)[1]


def wide_cycle_ratio(size: int, source: Integers, target: Integers, time: Integers, tokens: Wide) -> CycleRatio | None:
    """`maximum_cycle_ratio` for tokens of any size and sign, when those of each cycle add up to more than 0.

    Newton's method: a cycle that is positive when an edge weighs time - ratio * tokens has a greater ratio.
    """
    wide = time.astype(object)
    best: CycleRatio | None = None
    # below the ratio of any cycle
    ratio = -1 - Fraction(sum(abs(each) for each in time.tolist()))
    while True:
        _, cycle = _settle(size, source, target, ratio.denominator * wide - ratio.numerator * tokens)
        if not cycle:
            return best
        ratio = Fraction(sum(wide[cycle].tolist()), sum(tokens[cycle].tolist()))
        best = CycleRatio(ratio, tuple(cycle))


def heaviest_walks(size: int, source: Integers, target: Integers, weight: Wide) -> list[int]:
    """For each node the weight of the heaviest walk that ends in it, 0 for the empty one.

    Raises `MaxPlusError` when there is a cycle of positive weight.
    """
    values, cycle = _settle(size, source, target, weight)
    if cycle:
        raise MaxPlusError("the period is below the ratio of a cycle")
    return values.tolist()


def _settle(size: int, source: Integers, target: Integers, weight: Wide) -> tuple[Wide, list[int]]:
    """Raises values, 0 at first, until value(target) >= value(source) + weight on all edges, or finds a positive cycle.

    Bellman and Ford, all edges at once. Each node remembers the edge that raised it last; a cycle of such edges is
    positive, as values only rise, and as long as there is none, no value is more than the weight of a path.
    """
    values: Wide = np.array([0] * size, dtype=object)
    if not len(source):
        return values, []
    order = np.argsort(target, kind="stable")
    starts = np.flatnonzero(np.diff(target[order], prepend=-1))
    heads: Integers = target[order][starts]
    group: Integers = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(order))))
    policy = np.full(size, -1, np.int64)
    while True:
        offer: Wide = values[source[order]] + weight[order]
        best: Wide = np.maximum.reduceat(offer, starts)
        raised: NDArray[np.bool_] = (best > values[heads]).astype(np.bool_)
        if not raised.any():
            return values, []
        hit = np.flatnonzero((offer == best[group]).astype(np.bool_) & raised[group])[::-1]
        policy[heads[group[hit]]] = order[hit]
        values[heads[raised]] = best[raised]
        cycle = _policy_cycle(policy, source)
        if cycle:
            return values, cycle


def _policy_cycle(policy: Integers, source: Integers) -> list[int]:
    """The edges of a cycle of the graph that has the edge policy[v] into each node v (none if -1), as they point."""
    step = np.where(policy >= 0, source[policy], np.arange(len(policy)))
    jump = step
    for _ in range(len(policy).bit_length()):
        jump = jump[jump]
    ends = np.flatnonzero(policy[jump] >= 0)
    if not ends.size:
        return []
    node = first = int(jump[ends[0]])
    cycle: list[int] = []
    while not cycle or node != first:
        cycle.append(int(policy[node]))
        node = int(step[node])
    return cycle[::-1]
