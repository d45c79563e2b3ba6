"""Convolutions and pools, channels first, in one or two dimensions."""

from functools import cached_property
from math import prod
from typing import Literal

import numpy as np

from snnir.sim.costs import windows_are_cheaper
from snnir.sim.events import nonzeros, ranges
from snnir.sim.operators import Array, Operator, Reals, row_bounds
from snnir.windows import Windows

PIECE = 1 << 20
"""Elements that are made at a time before their dimensions are exchanged: fewer cost calls, more leave the cache."""


class Conv(Operator):
    """A convolution (cross-correlation): weights (out, in / groups, kernel...) over (in, height, width).

    Added by ascending source where the order matters, as every operator.
    """

    def __init__(self, weights: Array, channels: int, windows: Windows, groups: int) -> None:
        self._weights, self.windows, self.groups, self._channels = weights, windows, groups, channels
        self._places, self._kernel = prod(windows.result), prod(windows.kernel)
        self._out = weights.shape[0] // groups
        self.sources, self.targets = channels * prod(windows.size), weights.shape[0] * self._places

    @property
    def weights(self) -> Array:
        return self._weights

    @property
    def weighted(self) -> bool:
        return True

    def reweighted(self, weights: Array) -> "Conv":
        return Conv(weights, self._channels, self.windows, self.groups)

    def per_weight(self, per_target: "float | Reals") -> Array:
        if not np.ndim(per_target):
            return np.asarray(per_target)
        return np.asarray(per_target)[:: self._places].reshape(-1, *(1,) * (self._weights.ndim - 1))

    @cached_property
    def _matrix(self) -> Reals:
        """(in x kernel, out of a group): the weights that a value at a place in the kernel has in its own group."""
        inputs = self._channels // self.groups
        grouped = self._weights.reshape(self.groups, self._out, inputs, self._kernel)
        return np.ascontiguousarray(grouped.transpose(0, 2, 3, 1).reshape(-1, self._out), np.float64)

    def apply(self, window: Array, most: int | None) -> Reals:
        steps, samples = window.shape[:2]
        rows = window.reshape(steps * samples, self.sources)
        # the result is made with its places before its channels
        result = np.empty((len(rows), self.groups, self._out, self._places))
        elements = self._channels * self._kernel * self._places
        entries = int(np.count_nonzero(rows)) * prod(self.windows.kernel) // prod(self.windows.stride)
        if self.exact(most) and windows_are_cheaper(elements * len(rows), entries, self._out):
            fill, width = self.by_windows, max(1, PIECE // elements)
        else:
            fill, width = self.by_events, max(1, PIECE // self.targets)
        for start in range(0, len(rows), width):
            fill(rows[start : start + width], result[start : start + width].swapaxes(2, 3))
        return result.reshape(steps, samples, self.targets)

    def by_windows(self, rows: Array, result: Reals) -> None:
        """Fill (rows, groups, places, out of a group): a matrix product per group with all patches."""
        inputs = self._channels // self.groups
        planes = rows.reshape(len(rows), self.groups, inputs, *self.windows.size).astype(np.float64)
        patches = self.windows.patches(planes).transpose(1, 0, 3, 4, 2, 5, 6)
        shape = (self.groups, len(rows) * self._places, inputs * self._kernel)
        product = patches.reshape(shape) @ self._matrix.reshape(self.groups, -1, self._out)
        result[...] = product.reshape(self.groups, len(rows), self._places, self._out).swapaxes(0, 1)

    def by_events(self, rows: Array, result: Reals) -> None:
        """The same, each value times the weights of all places that it has in kernels."""
        from scipy.sparse import coo_array  # noqa: PLC0415  (slow to import)

        events = nonzeros(rows)
        starts, counts, window, inside = self.windows.reached
        channel, place = np.divmod(events.columns, prod(self.windows.size))
        entries, owners = ranges(starts[place], counts[place])
        group = channel // (self._channels // self.groups)
        row = ((events.rows * self.groups + group) * self._places)[owners] + window[entries]
        column = (channel * self._kernel)[owners] + inside[entries]
        # each entry is added to its row in turn, so that a sum has the order of the events
        shape = (len(rows) * self.groups * self._places, len(self._matrix))
        patches = coo_array((events.values[owners], (row.astype(np.int32), column.astype(np.int32))), shape=shape)
        product: Reals = np.asarray(patches @ self._matrix)
        result[...] = product.reshape(result.shape)

    def bounds(self) -> tuple[Reals, Reals]:
        sums, units = row_bounds(self._weights.reshape(len(self._weights), -1))
        return np.repeat(sums, self._places), np.repeat(units, self._places)


class Pool(Operator):
    """The sum, the average or the largest of the values in windows. Zeros around the planes take part."""

    def __init__(self, kind: Literal["sum", "avg", "max"], channels: int, windows: Windows) -> None:
        self.kind, self.windows, self._channels = kind, windows, channels
        self._kernel = prod(windows.kernel)
        self.sources, self.targets = channels * prod(windows.size), channels * prod(windows.result)

    def apply(self, window: Array, most: int | None) -> Array:
        planes = window.reshape(*window.shape[:2], self._channels, *self.windows.size)
        whole = window.dtype.kind != "f"
        reach = self.reach(most)
        dtype = np.dtype(np.float64) if not whole else window.dtype if reach is None else whole_type(reach)
        shifted = self.windows.shifted(planes)
        result = next(shifted).astype(dtype)
        combine = np.maximum if self.kind == "max" else np.add
        for values in shifted:
            combine(result, values, out=result)
        if self.kind == "avg":
            result = result / self._kernel
        return result.reshape(*window.shape[:2], self.targets)

    def reach(self, most: int | None) -> int | None:
        if most is None or self.kind == "max":
            return most
        return most * self._kernel if self.kind == "sum" or self._kernel & (self._kernel - 1) == 0 else None

    def whole(self) -> bool:
        return self.kind != "avg"

    def bounds(self) -> tuple[Reals, Reals]:
        rounds = self.kind == "avg" and self._kernel & (self._kernel - 1) != 0
        unit = 0.0 if rounds else 1.0 / self._kernel if self.kind == "avg" else 1.0
        return np.full(self.targets, float(self._kernel) if self.kind == "sum" else 1.0), np.full(self.targets, unit)


def whole_type(most: int) -> "np.dtype[np.unsignedinteger]":
    """The smallest type of whole numbers up to `most`."""
    return np.dtype(np.min_scalar_type(most))
