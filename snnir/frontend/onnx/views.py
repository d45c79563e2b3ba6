"""Signals as ONNX sees them: the neurons of a sum of signals of the program, rearranged in any way.

Everything that only rearranges (Reshape, Transpose, Slice, Pad, ...) works on the numbers of the neurons, and costs
nothing until something reads them in a shape of their own. Shapes here have the batch, which is always 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.network import Shape

Array = NDArray[Any]
Numbers = NDArray[np.int64]

ZERO = -1
"""The number that stands for a constant zero (of padding) in place of a neuron."""


@dataclass(frozen=True)
class View:
    """A tensor that is computed from data.

    It is the sum of the signals `names`, all of shape `base` in the program, as an array of `shape`: in row-major order
    where there are no `indices`, else each entry is the neuron of that number, or `ZERO`.
    """

    names: tuple[str, ...]
    base: Shape
    shape: Shape
    indices: Numbers | None = None
    positive: bool = False
    """No entry is ever negative."""
    whole: bool = False
    """The tensor has an integer type, of which nothing but casts and rearrangements is understood."""
    alone: bool = False
    """Nothing else reads the signal, or ever will, so that it may still be changed."""

    @property
    def size(self) -> int:
        """The number of entries."""
        return prod(self.shape)

    @property
    def sample(self) -> Shape:
        """The shape without the batch, as it is in a program."""
        if len(self.shape) > 1 and self.shape[0] == 1:
            return self.shape[1:]
        return self.shape or (1,)

    @property
    def numbers(self) -> Numbers:
        """The neurons, of `shape`."""
        return np.arange(self.size).reshape(self.shape) if self.indices is None else self.indices

    @property
    def is_permutation(self) -> bool:
        """Whether every neuron of the base stands in it once."""
        if self.indices is None:
            return True
        if self.size != prod(self.base) or ZERO in self.indices:
            return False
        return bool((np.bincount(self.indices.ravel(), minlength=self.size) == 1).all())

    @property
    def is_selection(self) -> bool:
        """Whether no neuron of the base stands in it twice, and none is a constant zero."""
        if self.indices is None:
            return True
        flat = self.indices.ravel()
        return ZERO not in flat and np.unique(flat).size == flat.size

    def reshaped(self, shape: Shape) -> View:
        """The same entries in another shape of as many."""
        return replace(self, shape=shape, indices=None if self.indices is None else self.indices.reshape(shape))

    def rearranged(self, change: Callable[[Numbers], Array]) -> View:
        """The entries that `change` picks of them, in its order; identity is noticed."""
        indices = np.ascontiguousarray(change(self.numbers), np.int64)
        positive = self.positive
        if indices.size == prod(self.base) and (indices.ravel() == np.arange(indices.size)).all():
            return replace(self, shape=indices.shape, indices=None)
        return replace(self, shape=indices.shape, indices=indices, positive=positive)

    def over_base(self, values: Array) -> Array:
        """What is stated per entry, broadcast to `shape`, per neuron of the base: of a permutation only."""
        spread = np.broadcast_to(values, self.shape)
        if self.indices is None:
            return np.ascontiguousarray(spread).reshape(-1)
        result = np.empty(self.size, spread.dtype)
        result[self.indices.ravel()] = spread.reshape(-1)
        return result

    def broadcast(self, shape: Shape) -> View:
        """The same entries repeated to a larger shape, as ONNX and numpy do it."""
        if shape == self.shape:
            return self
        if prod(shape) == self.size:
            return self.reshaped(shape)
        return self.rearranged(lambda numbers: np.broadcast_to(numbers, shape))


def without_border(numbers: Numbers) -> tuple[Numbers, tuple[int, ...], tuple[int, ...]]:
    """A rectangle of neurons without zeros around it, and how many zeros stood before and behind along each dimension.

    The numbers as they are, and no zeros, where the zeros are no border.
    """
    none = (0,) * numbers.ndim
    if ZERO not in numbers:
        return numbers, none, none
    real = np.argwhere(numbers != ZERO)
    if not real.size:
        return numbers, none, none
    low, high = real.min(axis=0), real.max(axis=0) + 1
    inner = numbers[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    if ZERO in inner:
        return numbers, none, none
    behind = tuple(int(n - b) for n, b in zip(numbers.shape, high, strict=True))
    return inner, tuple(int(n) for n in low), behind
