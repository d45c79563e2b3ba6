"""Which delays to keep so that events fit a delay memory: the last one of each source, chosen for all together.

An event stays in a shared delay queue until its last delay has been read, so that only a delay at the end of what is
left frees entries. Each source therefore keeps a prefix of its delays. With o(i, j) the entries and n(i, j) the lost
norm when source i keeps its first j delays, the choice is a multiple-choice knapsack problem:

    minimise sum_i n(i, j_i)   subject to   sum_i o(i, j_i) <= budget
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

import numpy as np

from snnir.pruning.synapses import Integers, Reals

EXACT_WORK = 100_000_000
"""Additions up to which the best choice is computed; about a second."""


@dataclass(frozen=True)
class Option:
    """What one source can keep, from its first delay alone to all of them."""

    costs: Integers
    """Entries of each option; ascending."""
    losses: Reals
    """The norm that each loses; descending to 0."""


@dataclass(frozen=True)
class Choice:
    """One option of each source."""

    chosen: tuple[int, ...]
    lost: float
    """The sum of their losses."""
    least: float
    """No choice within the budget loses less."""


def choose(options: Sequence[Option], budget: int) -> Choice:
    """The choice that loses least within a budget: exact where that takes at most `EXACT_WORK` additions.

    Else by the multipliers of Lagrange, which is as good as `least` says. Raises `ValueError` where the first options
    alone exceed the budget.
    """
    if sum(int(each.costs[0]) for each in options) > budget:
        raise ValueError("the cheapest options exceed the budget")
    spare = min(budget, sum(int(each.costs[-1]) for each in options)) - sum(int(each.costs[0]) for each in options)
    unit = gcd(*(int(cost - each.costs[0]) for each in options for cost in each.costs)) or 1
    work = sum(len(each.costs) for each in options) * (spare // unit + 1)
    if work <= EXACT_WORK:
        return exact(options, budget)
    return relaxed(options, budget)


def exact(options: Sequence[Option], budget: int) -> Choice:
    """The best choice, by dynamic programming over the entries that are spent; ties go to fewer entries."""
    first = sum(int(each.costs[0]) for each in options)
    extra = [each.costs - each.costs[0] for each in options]
    unit = gcd(*(int(cost) for costs in extra for cost in costs)) or 1
    spare = (min(budget, first + sum(int(costs[-1]) for costs in extra)) - first) // unit
    best = np.zeros(spare + 1)
    taken = np.zeros((len(options), spare + 1), np.int32)
    for number, (each, costs) in enumerate(zip(options, extra, strict=True)):
        before, best = best, best + each.losses[0]
        for choice in range(1, len(costs)):
            cost = int(costs[choice]) // unit
            if cost > spare:
                break
            reached = before[: spare + 1 - cost] + each.losses[choice]
            better = reached < best[cost:]
            best[cost:][better] = reached[better]
            taken[number, cost:][better] = choice
    chosen: list[int] = []
    left = spare
    for number in reversed(range(len(options))):
        chosen.append(int(taken[number, left]))
        left -= int(extra[number][chosen[-1]]) // unit
    lost = _lost(options, chosen[::-1])
    return Choice(tuple(chosen[::-1]), lost, lost)


def relaxed(options: Sequence[Option], budget: int) -> Choice:
    """A choice along the convex hulls of the options, by descending norm per entry, and a bound on what the best loses.

    All steps of a hull that fit in this order are what some Lagrange multiplier chooses; the first that does not fit
    gives the bound (the linear relaxation). What is left of the budget is then spent source by source.
    """
    hulls = [hull(each) for each in options]
    steps = [
        ((each.losses[a] - each.losses[b]) / int(each.costs[b] - each.costs[a]), n, a, b)
        for n, (each, corners) in enumerate(zip(options, hulls, strict=True))
        for a, b in pairwise(corners)
    ]
    steps.sort(key=lambda step: (-step[0], step[1], step[2]))
    chosen = [corners[0] for corners in hulls]
    left = budget - sum(int(each.costs[0]) for each in options)
    least: float | None = None
    for ratio, number, before, after in steps:
        cost = int(options[number].costs[after] - options[number].costs[before])
        if cost > left and least is None:
            least = max(0.0, _lost(options, chosen) - float(ratio) * left)
        if chosen[number] == before and cost <= left:
            chosen[number] = after
            left -= cost
    for number, each in enumerate(options):
        reachable = np.flatnonzero(each.costs <= each.costs[chosen[number]] + left)
        best = int(reachable[np.argmin(each.losses[reachable])])
        left -= int(each.costs[best] - each.costs[chosen[number]])
        chosen[number] = best
    lost = _lost(options, chosen)
    return Choice(tuple(chosen), lost, lost if least is None else min(lost, least))


def hull(option: Option) -> list[int]:
    """The options on the lower convex hull of losses over costs, ascending; of equal costs the least loss counts."""
    corners: list[int] = []
    for number in np.flatnonzero(np.diff(option.costs, append=option.costs[-1] + 1)).tolist():
        while len(corners) > 1 and not _turns(option, corners[-2], corners[-1], number):
            corners.pop()
        corners.append(number)
    return corners


def _turns(option: Option, a: int, b: int, c: int) -> bool:
    """Whether b lies below the line from a to c."""
    costs, losses = option.costs, option.losses
    return bool((losses[a] - losses[b]) * (costs[c] - costs[a]) > (losses[a] - losses[c]) * (costs[b] - costs[a]))


def _lost(options: Sequence[Option], chosen: Sequence[int]) -> float:
    return float(sum(each.losses[number] for each, number in zip(options, chosen, strict=True)))
