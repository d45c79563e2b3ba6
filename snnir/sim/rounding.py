"""Weights in 8 bits, as platforms round them: jointly over all weights into a population."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnir.sim.network import Projection

LEVELS = 127
"""The largest weight becomes this integer."""


def rounded(parts: Sequence[Sequence[Projection]], how: Literal["trunc8", "nearest8"]) -> "list[list[Projection]]":
    """The projections with weights of type int8 and one scale, that of the largest weight / 127.

    `trunc8` cuts 127 w / max towards zero, `nearest8` rounds to nearest (halves to even). Pools and plain sums have no
    weights and stay as they are.
    """
    effective = [[_effective(p) if p.operator.weighted else None for p in part] for part in parts]
    peak = max((float(np.abs(w).max(initial=0)) for part in effective for w in part if w is not None), default=0.0)
    if not peak:
        return [list(part) for part in parts]
    cut = np.trunc if how == "trunc8" else np.rint
    return [
        [
            p
            if w is None
            else replace(p, operator=p.operator.reweighted(cut(LEVELS * w / peak).astype(np.int8)), scale=peak / LEVELS)
            for p, w in zip(part, weights, strict=True)
        ]
        for part, weights in zip(parts, effective, strict=True)
    ]


def _effective(p: Projection) -> NDArray[np.float64]:
    """The weights with their scale."""
    weights = p.operator.weights.astype(np.float64)
    return weights * p.operator.per_weight(p.scale) if np.any(np.asarray(p.scale) != 1.0) else weights
