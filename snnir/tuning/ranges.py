"""Which values codes should reach: steps from recorded values, and the error that they make.

Data re-encoding x' = k x + b (Ji et al., arXiv 1801.00746): here k = 1 / step, and b moves the zero.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

TRIES = 40
"""Ranges that are tried, evenly from a fifth of the largest value to all of it."""
VALUES = 1 << 15
"""Values that a range is fitted to: of more than these, equally many from everywhere."""


def thinned(values: "NDArray[Any]", most: int = VALUES) -> Reals:
    """At most `most` of the values, from everywhere; all of them where they are no more."""
    flat = values.reshape(-1)
    return np.asarray(flat[picked(len(flat), most)], np.float64)


def picked(total: int, most: int) -> NDArray[np.int64]:
    """At most `most` of the numbers 0 to `total` - 1, ascending: one drawn from each of equally long runs."""
    if total <= most:
        return np.arange(total)
    starts = np.arange(most + 1, dtype=np.int64) * total // most
    # drawn, because a fixed distance would meet the same column of all images
    return starts[:-1] + (np.random.default_rng(0).random(most) * np.diff(starts)).astype(np.int64)


def step_of(values: "NDArray[Any]", most: int, percentile: float | None = None) -> float:
    """The step with which codes from 0 to `most` stand for values from 0 on; values below 0 do not count.

    The one with the least squared error, or the one that reaches the percentile. 1 where there is no value above 0.
    """
    some = np.asarray(values, np.float64).reshape(-1)
    peak = float(some.max(initial=0.0))
    some = np.maximum(thinned(some[some > 0]), 0.0)
    if not len(some) or peak <= 0:
        return 1.0
    if percentile is not None:
        return float(np.percentile(some, percentile)) / most
    steps = peak / most * np.linspace(1.0, 0.2, TRIES)
    errors = [float(np.square(np.minimum(np.floor(some / s + 0.5), most) * s - some).mean()) for s in steps]
    return float(steps[int(np.argmin(errors))])


def sqnr(original: "NDArray[Any]", changed: "NDArray[Any]") -> float:
    """Signal-to-quantisation-noise ratio in dB; infinite where nothing changed."""
    signal = float(np.square(original, dtype=np.float64).sum())
    noise = float(np.square(np.asarray(changed, np.float64) - original).sum())
    return decibel(signal, noise)


def decibel(signal: float, noise: float) -> float:
    """The ratio of two powers in dB; infinite without noise, minus infinite without signal."""
    if noise <= 0:
        return float("inf")
    return float(10.0 * np.log10(signal / noise)) if signal > 0 else float("-inf")


def grid_of(values: "NDArray[Any]", most: int) -> float | None:
    """The step with which codes from 0 to `most` stand exactly for all values, 0 or more, where there is one."""
    flat = np.asarray(values, np.float64).reshape(-1)
    found = np.unique(thinned(flat))
    peak = float(flat.max(initial=0.0))
    if not 0 < len(found) <= most + 1 or peak <= 0:
        return None
    gaps = np.diff(np.concatenate([[0.0], found]))
    step = float(gaps[gaps > 0].min(initial=peak))
    step = peak / float(np.rint(peak / step))
    if peak > step * (most + 0.25):
        return None
    # the finest such step: whatever has the same bits then has weights of a like size behind it
    step /= np.floor(most / np.rint(peak / step))
    whole = flat / step
    exact = np.abs(whole - np.rint(whole)).max(initial=0.0) < 1e-6
    return float(step) if exact else None
