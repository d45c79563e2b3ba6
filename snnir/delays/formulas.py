"""The sizes that the literature gives for a layer of all-to-all synapses with every delay level.

For networks as they are, with pruned delays and several sources, see `snnir.delays.reads`: its bounds are these where a
layer has all of them.
"""

from fractions import Fraction
from math import ceil
from typing import Literal, get_args

Memory = Literal["ring", "queue", "circular", "fifo"]
MEMORIES: tuple[Memory, ...] = get_args(Memory)

EVENT_BITS = 16
"""Bits of one event in arXiv 2404.10597, section III."""


def formula(memory: Memory, sources: int, targets: int, levels: int, active: Fraction | int | str | float = 1) -> int:
    """Entries of the delay memory between `sources` and `targets` neurons (I, J) with `levels` delay levels (D).

    `active` is the share of sources that fire in one step (a), 0 to 1; entries are rounded up.

    - `ring`: J D slots, whatever the activity.
    - `queue`: a I (D^2 + D) / 2 events: a level d = 1 .. D holds an event for d steps. The paper prints the sum of
      D - d for d = 1 .. D, which is (D^2 - D) / 2, but its numbers are those of (D^2 + D) / 2.
    - `circular`: a I (2 D - 1) events in the two queues together.
    - `fifo`: a I D events, about half of that (arXiv 2501.13610).

    Raises `ValueError` for numbers below 0, no level, or another share. Source: arXiv 2404.10597, section III.
    """
    share = Fraction(active)
    if min(sources, targets) < 0 or levels < 1 or not 0 <= share <= 1:
        raise ValueError(f"{sources} sources, {targets} targets, {levels} levels, {active} of them active")
    match memory:
        case "ring":
            return targets * levels
        case "queue":
            return ceil(share * sources * (levels * levels + levels) / 2)
        case "circular":
            return ceil(share * sources * (2 * levels - 1))
        case "fifo":
            return ceil(share * sources * levels)
