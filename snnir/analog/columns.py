"""Signed integer weights on cells that are neither signed nor wide: pairs of columns, and a column for each digit.

A weight w of many levels is split into digits to the base of the cell's levels, its magnitude on the columns of its
sign: w = sum over digits d of base^d * (plus_d - minus_d) (bit slicing and differential pairs, as in ISAAC and PRIME).
The columns of a weight lie side by side, the least digit first, plus before minus.
"""

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]


def digits_of(largest: int, base: int) -> int:
    """Digits that a magnitude up to `largest` takes."""
    count = 1
    while base**count <= largest:
        count += 1
    return count


def spread(weights: Integers, base: int, digits: int) -> Integers:
    """Levels of the cells for weights (rows, outputs): (rows, outputs * digits * 2), each from 0 to base - 1.

    Raises `ValueError` for a weight that the digits cannot hold.
    """
    if weights.size and int(np.abs(weights).max()) >= base**digits:
        raise ValueError(f"a weight of {int(np.abs(weights).max())} takes more than {digits} digits of base {base}")
    powers = base ** np.arange(digits)
    parts = np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)], axis=-1)  # (rows, outputs, sign)
    levels = parts[:, :, None, :] // powers[:, None] % base  # (rows, outputs, digit, sign)
    return levels.reshape(len(weights), -1)


def gathered(columns: Reals, base: int, digits: int) -> Reals:
    """What columns say together: (..., outputs * digits * 2) to (..., outputs), digits weighted, pairs subtracted."""
    parts = columns.reshape(*columns.shape[:-1], -1, digits, 2)
    return (parts[..., 0] - parts[..., 1]) @ (float(base) ** np.arange(digits))
