"""Synthetic activity: what `snn-profile` would have measured, without a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np

from snnir.dialects.activity import PERCENTILES, ActivityAttr
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import NetworkOp


def attach_activity(network: NetworkOp, mean: float | Mapping[str, float], *, steps: int = 100, seed: int = 0) -> None:
    """Give every input and population that spikes an `activity` over `steps` steps.

    Each neuron's count is a Poisson number of this mean, cut at one spike a step; the spikes of a population fall on
    the steps at random. Where `mean` has a number for each name, what it does not name stays as it is. The numbers of a
    population depend on `seed`, on its size and on its name alone. Raises `ValueError` when a mean is negative or not
    below the number of steps.
    """
    for name, source in network.sources.items():
        own = mean.get(name) if isinstance(mean, Mapping) else mean
        if source.emits_spikes and own is not None:
            source.activity = _activity(name, source.size, own, steps, seed)


def _activity(name: str, size: int, mean: float, steps: int, seed: int) -> ActivityAttr:
    if not 0 <= mean < steps:
        raise ValueError(f"a mean of {mean:g} spikes does not fit into {steps} steps of at most one each")
    rng = np.random.default_rng([seed, crc32(name.encode())])
    counts = np.minimum(rng.poisson(mean, size), steps)
    total = int(counts.sum())
    each = np.sort(np.minimum(rng.multinomial(total, np.full(steps, 1 / steps)), size))
    # the least number that so many percent of the steps do not exceed, as in snn-profile
    levels = tuple(int(each[-(-percent * steps // 100) - 1]) for percent in PERCENTILES)
    return ActivityAttr.of(steps, total, int(each[-1]), TensorAttr.of(f"{name}.counts", counts), levels)
