"""Projections whose weights are all 1, for clustering problems. Sources come before targets, everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snnir.synapses import Conv, Dense, Listed, OneToOne
from snnir.windows import Windows


def conv(inner: int, outer: int, size: int, kernel: int, padding: int = 0, stride: int = 1, groups: int = 1) -> Conv:
    """From `inner` to `outer` channels; all that is two-dimensional is square."""
    both = (size, size), (kernel, kernel), (stride, stride), (padding, padding), (padding, padding)
    return Conv(np.ones((outer, inner // groups, kernel, kernel), np.int8), inner, Windows.of(*both), groups)


def pool(channels: int, size: int) -> Conv:
    """Sums of 2x2 neurons."""
    return Conv.pool(channels, Windows.of((size, size), (2, 2), (2, 2), (0, 0), (0, 0)), 1.0)


def dense(sources: int, targets: int) -> Dense:
    """All-to-all."""
    return Dense(np.ones((targets, sources), np.int8))


def one(size: int) -> OneToOne:
    """Each to the neuron of its number."""
    return OneToOne(np.ones(1), size)


def listed(sources: int, targets: int, pairs: Sequence[tuple[int, int]]) -> Listed:
    """Synapses (source, target)."""
    origins, ends = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return Listed(np.ones(len(pairs)), origins, ends, (targets, sources))
