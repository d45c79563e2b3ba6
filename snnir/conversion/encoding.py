"""Values as trains of spikes: what a host sends to a spiking network that was an ordinary one.

A value x of a range stands for the rate r = (x - low) / (high - low), limited to 0..1. `rate` is what an integrate and
fire neuron of threshold 1 emits that starts at 1/2, subtracts, and gets r in every step: after t steps it has fired
floor(t r + 1/2) times, the nearest whole number to t r. `poisson` fires in each step with probability r. `current` is
the value itself in every step.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Code = Literal["current", "rate", "poisson"]
CODES: tuple[str, ...] = get_args(Code)


def encoded(
    values: "NDArray[Any]", steps: int, code: Code, low: float = 0.0, high: float = 1.0, seed: int = 0
) -> "NDArray[Any]":
    """What a network gets in `steps` steps for values (samples, 1, lines...): (samples, steps, lines...).

    Spikes are bytes, currents keep their type. The same seed gives the same spikes, of the first samples too. Raises
    `ValueError` in words for a range without extent, for no steps, and for values of more than one step.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps")
    if values.ndim < 3 or values.shape[1] != 1:
        raise ValueError(f"an ordinary network has one step, (samples, 1, lines...), and this is {values.shape}")
    if code == "current":
        return np.repeat(values, steps, axis=1)
    if not high > low:
        raise ValueError(f"a range from {low:g} to {high:g}")
    rates = np.clip((values.astype(np.float64) - low) / (high - low), 0.0, 1.0)
    result = np.empty((len(values), steps, *values.shape[2:]), np.uint8)
    if code == "poisson":
        generator = np.random.default_rng(seed)
        for sample, rate in zip(result, rates, strict=True):
            sample[:] = generator.random(sample.shape) < rate
        return result
    before = np.zeros(rates.shape)
    for step in range(steps):
        fired = np.floor((step + 1) * rates + 0.5)
        result[:, step] = (fired - before)[:, 0]
        before = fired
    return result
