"""From the starts of a periodic schedule to stages and places within a period, the way into every static order here."""

import numpy as np

from snnir.maxplus.graph import LARGEST, Integers
from snnir.maxplus.relaxation import Weights

Edges = tuple[Integers, Integers, Integers]
"""Sources, targets and tokens."""


def staged(starts: Weights, period: int, actor: Integers, edges: Edges) -> tuple[Integers, Weights]:
    """By how many iterations each firing is behind, and what is left of its start without these whole periods.

    A firing begins at `starts` in units of which `period` has a whole number, and again every period. Its stage is
    start div period, the least of the firings of its actor, and more where a firing would otherwise need a token of a
    later iteration; that takes a schedule which is not quite right. In one that is, whoever waits without a token when
    the edges are retimed by the stages has no less left than whom it waits for: s(v) >= s(u) + time - period * tokens.
    """
    starts = starts if period <= LARGEST else starts.astype(object)
    stage = np.full(int(actor.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(stage, actor, (starts // period).astype(np.int64))
    source, target, tokens = actor[edges[0]], actor[edges[1]], edges[2]
    while True:
        least = stage[source] - tokens
        late = least > stage[target]
        if not late.any():
            break
        np.maximum.at(stage, target[late], least[late])
    behind: Integers = stage[actor]
    return behind, starts - behind.astype(starts.dtype) * period
