"""Programming that takes back what it can: cells that are stuck, and wires that drop voltage.

Stuck cells are known after a first read of the array. A signed weight sits on several cells (digits, plus and minus),
so a cell that cannot move can often be answered by the others: `answered` takes the levels that come nearest to the
weight. Wires make the current of a cell depend on where it is; `lifted` sets
every cell higher by what its place loses, as far as the range allows.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from snnir.analog.columns import spread
from snnir.analog.device import STUCK_ON, WORKING
from snnir.analog.nodal import effective

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDS = 4
"""Corrections of the conductances; each takes away nearly all that is left where cells are within their range."""


def answered(weights: Integers, base: int, digits: int, faults: "NDArray[np.int8]") -> Integers:
    """Levels, as `snnir.analog.columns.spread` gives, for weights (rows, outputs) on cells of which some are stuck.

    `faults` is (rows, outputs * digits * 2). The levels of working cells are free; those of stuck cells are what these
    are stuck at. Weights whose cells all work get the levels that `spread` gives them.
    """
    levels = spread(weights, base, digits)
    stuck = np.where(faults == STUCK_ON, base - 1, 0)
    fixed = (faults != WORKING).reshape(*weights.shape, digits, 2)
    damaged = np.argwhere(fixed.any(axis=(2, 3)))
    found = levels.reshape(*weights.shape, digits, 2)
    ends = stuck.reshape(found.shape)
    for row, output in damaged:
        found[row, output] = _one(int(weights[row, output]), base, digits, fixed[row, output], ends[row, output])
    return found.reshape(levels.shape)


def _one(weight: int, base: int, digits: int, fixed: "NDArray[np.bool_]", ends: Integers) -> Integers:
    """Levels (digits, 2) of one weight, the nearest that the cells allow."""
    low, high = np.where(fixed, ends, 0), np.where(fixed, ends, base - 1)
    spans = [(int(low[d, 0] - high[d, 1]), int(high[d, 0] - low[d, 1])) for d in range(digits)]
    differences: Integers = np.array(_nearest(weight, base, spans)[1], np.int64)
    minus = np.clip(-differences, low[:, 1], high[:, 1])
    plus = np.clip(differences + minus, low[:, 0], high[:, 0])
    return np.stack([plus, plus - differences], axis=1)


def _nearest(rest: int, base: int, spans: list[tuple[int, int]]) -> tuple[int, list[int]]:
    """The least error, and the digits within their spans (least digit first) that have it; small digits preferred.

    The largest digit is chosen first; a choice that the smaller digits cannot make better than the best known is left.
    """
    if not spans:
        return abs(rest), []
    *smaller, (low, high) = spans
    power = base ** len(smaller)
    under, over = (sum(base**k * span[end] for k, span in enumerate(smaller)) for end in (0, 1))

    def beyond(difference: int) -> int:
        left = rest - difference * power
        return max(under - left, left - over, 0)

    best, chosen = abs(rest) + base * power * 2, list[int]()
    for difference in sorted(range(low, high + 1), key=lambda each: (beyond(each), abs(each))):
        if beyond(difference) >= best:
            break
        error, digits = _nearest(rest - difference * power, base, smaller)
        if error < best:
            best, chosen = error, [*digits, difference]
    return best, chosen


def lifted(
    targets: Reals,
    low: float,
    high: float,
    word: float,
    bit: float,
    solve: Callable[[Reals, float, float], Reals] = effective,
) -> Reals:
    """Conductances to program so that wires leave `targets` of them, as near as the range [low, high] allows.

    `solve` says what wires leave, `snnir.analog.nodal.effective` or `approximate`.
    """
    programmed = targets.copy()
    best, least = programmed, np.inf
    for _ in range(ROUNDS):
        found = solve(programmed, word, bit)
        error = float(np.abs(found - targets).sum())
        if error >= least:
            break
        best, least = programmed, error
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(found > 0, targets / found, 1.0)
        programmed = np.clip(programmed * ratio, low, high)
    return best
