"""Whether the cells of a machine can hold a layer's weights as they are, and how many different ones there are.

Weights are looked at where they are stored, a piece at a time: a convolution has few, and nothing is copied whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.connections import Connection
from snnir.precision import largest
from snnir.synapses import Conv, Dense, IntArray, OneToOne, Selected, Synapses

Array = NDArray[Any]
Vector = NDArray[np.float64]

PIECE = 1 << 20
"""Weights that are looked at at a time."""
LOOKED_AT = {"i": 1 << 24, "f": 1 << 18}
"""Weights of a projection among which different ones are counted, by the kind of element."""


@dataclass(frozen=True)
class Weights:
    """The weights of a layer as they are stored, without scales."""

    elements: tuple[str, ...]
    """`f32`, `i8`, ... of each projection, each kind once."""
    levels: int
    """How many different weights there are."""
    is_exact: bool
    """Whether all weights were counted; else `levels` is at least so many."""
    one_scale: bool
    """Whether all projections share one scale, as the cells of a column do."""
    representable: bool
    """Whether cells of the machine hold them as they are (with one scale); true where it states no precision."""


def weights_of(connections: Sequence[Connection], size: int, bits: int) -> Weights:
    """What is to be said about the weights of the projections into `size` neurons, for cells of `bits` bits (0: any).

    Representable are integers of so many bits, times a power of two for each neuron.
    """
    stored = [_stored(c.synapses) for c in connections]
    seen = [_levels(array) for array in stored]
    values = np.unique(np.concatenate([np.empty(0), *(found for found, _ in seen)]))
    return Weights(
        tuple(dict.fromkeys(f"{array.dtype.kind}{8 * array.dtype.itemsize}" for array in stored)),
        len(values),
        all(exact for _, exact in seen),
        not bits or _is_one_scale(connections, size),
        not bits or _fit(connections, stored, size, bits),
    )


def _stored(synapses: Synapses) -> Array:
    """The weights as they are stored, (lanes, weights of each)."""
    inner = synapses.inner if isinstance(synapses, Selected) else synapses
    match inner:
        case Dense():
            return inner.weights
        case Conv():
            return inner.weights.reshape(len(inner.weights), -1)
        case OneToOne():
            return inner.weights[:, None]
        case _:
            return inner.lanes().weights


def _lanes(synapses: Synapses, lanes: int) -> IntArray:
    """The lane of each target."""
    inner = synapses.inner if isinstance(synapses, Selected) else synapses
    if isinstance(inner, Dense):
        return np.tile(np.arange(lanes), inner.repeat)
    return np.repeat(np.arange(lanes), inner.targets // max(lanes, 1))


def _pieces(weights: Array) -> Iterator[tuple[slice, Array]]:
    """Some lanes after the other."""
    step = max(1, PIECE // max(1, weights.shape[1]))
    for start in range(0, len(weights), step):
        lanes = slice(start, start + step)
        yield lanes, weights[lanes]


def _levels(weights: Array) -> tuple[Vector, bool]:
    """The different weights, and whether these are all."""
    kind = "f" if weights.dtype.kind == "f" else "i"
    flat = weights.reshape(-1)[: LOOKED_AT[kind]]
    if flat.dtype.itemsize > 1:
        return np.unique(flat[: LOOKED_AT["f"]]).astype(np.float64), weights.size <= LOOKED_AT["f"]
    met = np.zeros(256, np.bool_)
    possible = int(weights.max(initial=0)) - int(weights.min(initial=0)) + 1
    for start in range(0, len(flat), PIECE):
        met[flat[start : start + PIECE].view(np.uint8)] = True
        if np.count_nonzero(met) >= possible:
            break
    found = np.flatnonzero(met).astype(np.uint8).view(flat.dtype).astype(np.float64)
    return found, weights.size <= LOOKED_AT[kind] or len(found) >= possible


def _is_one_scale(connections: Sequence[Connection], size: int) -> bool:
    if len(connections) < 2:
        return True
    first = np.broadcast_to(connections[0].scale, size)
    return all(np.array_equal(np.broadcast_to(c.scale, size), first) for c in connections)


def _fit(connections: Sequence[Connection], stored: Sequence[Array], size: int, bits: int) -> bool:
    """Whether all weights of each neuron are integers of so many bits times one power of two."""
    peaks = [_peaks(weights) for weights in stored]
    integers = all(weights.dtype.kind in "iub" for weights in stored)
    if integers and max((float(p.max(initial=0)) for p in peaks), default=0.0) <= largest(bits):
        return True
    if len(stored) == 1:
        return _lies_on(stored[0], _exponents(peaks[0], bits))
    lanes = [_lanes(c.synapses, len(weights)) for c, weights in zip(connections, stored, strict=True)]
    peak = np.zeros(size)
    for of, own in zip(lanes, peaks, strict=True):
        np.maximum(peak, own[of], out=peak)
    exponents = _exponents(peak, bits)
    for of, weights in zip(lanes, stored, strict=True):
        coarsest = np.full(len(weights), np.iinfo(np.int64).min)
        np.maximum.at(coarsest, of, exponents)
        if not _lies_on(weights, coarsest):
            return False
    return True


def _peaks(weights: Array) -> Vector:
    """The largest magnitude of each lane."""
    low = weights.min(axis=1, initial=0).astype(np.float64)
    return np.maximum(weights.max(axis=1, initial=0).astype(np.float64), -low)


def _exponents(peaks: Vector, bits: int) -> IntArray:
    """The finest power of two with which integers of so many bits reach the peaks; see `snnir.precision`."""
    fraction, exponent = np.frexp(np.where(peaks > 0, peaks, 1.0) / largest(bits))
    return np.where(fraction == 0.5, exponent - 1, exponent).astype(np.int64)


def _lies_on(weights: Array, exponents: IntArray) -> bool:
    """Whether each lane's weights are whole multiples of two to the power of its exponent."""
    for lanes, piece in _pieces(weights):
        multiples = np.ldexp(piece.astype(np.float64), -exponents[lanes, None])
        if (multiples != np.rint(multiples)).any():
            return False
    return True
