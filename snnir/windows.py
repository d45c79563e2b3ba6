"""How a kernel moves over planes: the geometry of convolutions and pools, in one or two dimensions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Windows:
    """How a kernel moves over planes of `size`; all are (vertical, horizontal), with height 1 for one dimension."""

    size: Pair
    kernel: Pair
    stride: Pair
    low: Pair
    high: Pair
    dilation: Pair

    @staticmethod
    def of(
        size: tuple[int, ...],
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        low: tuple[int, ...],
        high: tuple[int, ...],
        dilation: tuple[int, ...] | None = None,
    ) -> "Windows":
        """Windows over one or two dimensions."""
        dilation = dilation or (1,) * len(size)
        fill = ((1, size), (1, kernel), (1, stride), (0, low), (0, high), (1, dilation))
        pairs = [(first, each[0]) if len(each) == 1 else (each[0], each[1]) for first, each in fill]
        return Windows(*pairs)

    @property
    def result(self) -> Pair:
        """How often the kernel fits, vertically and horizontally."""
        a, b = (
            (n + low + high - d * (k - 1) - 1) // s + 1
            for n, k, s, low, high, d in zip(
                self.size, self.kernel, self.stride, self.low, self.high, self.dilation, strict=True
            )
        )
        return a, b

    def padded(self, planes: Array) -> Array:
        """Planes (..., height, width) with zeros around."""
        if not any((*self.low, *self.high)):
            return planes
        edges = [(0, 0)] * (planes.ndim - 2) + list(zip(self.low, self.high, strict=True))
        return np.pad(planes, edges)

    def shifted(self, planes: Array) -> Iterator[Array]:
        """For each place in the kernel, row by row, the values (..., result) that it meets; views of padded planes."""
        (rows, columns), (down, right) = self.result, self.stride
        padded = self.padded(planes)
        for y in range(self.kernel[0]):
            for x in range(self.kernel[1]):
                top, left = y * self.dilation[0], x * self.dilation[1]
                yield padded[..., top : top + down * rows : down, left : left + right * columns : right][
                    ..., :rows, :columns
                ]

    def patches(self, planes: Array) -> Array:
        """Views (..., result rows, result columns, kernel rows, kernel columns) of padded planes."""
        extent = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        views = sliding_window_view(self.padded(planes), extent, axis=(-2, -1))
        (down, right), (y, x) = self.stride, self.dilation
        return views[..., ::down, ::right, ::y, ::x]

    @cached_property
    def reached(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Which windows a place of a plane is in: starts and counts per place into (window, place in its kernel)."""
        (height, width), (rows, columns) = self.size, self.result
        ys, ky, oy = _along(height, self.kernel[0], self.stride[0], self.low[0], self.dilation[0], rows)
        xs, kx, ox = _along(width, self.kernel[1], self.stride[1], self.low[1], self.dilation[1], columns)
        place = (ys[:, None] * width + xs).ravel()
        order = np.argsort(place, kind="stable")
        counts = np.bincount(place, minlength=height * width)
        window = (oy[:, None] * columns + ox).ravel()[order]
        inside = (ky[:, None] * self.kernel[1] + kx).ravel()[order]
        return np.cumsum(counts) - counts, counts, window, inside


def _along(size: int, kernel: int, stride: int, low: int, dilation: int, count: int) -> list[NDArray[np.int64]]:
    """Along one dimension: places, the number in the kernel with which a window meets them, and the window."""
    place, number = (a.ravel() for a in np.meshgrid(np.arange(size), np.arange(kernel), indexing="ij"))
    start = place + low - number * dilation
    kept = (start >= 0) & (start % stride == 0) & (start // stride < count)
    return [place[kept], number[kept], start[kept] // stride]
