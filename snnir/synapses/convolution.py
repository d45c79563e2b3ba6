"""Convolutions and pools: everything from the geometry of the kernel."""

from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snnir.synapses.base import BoolMatrix, IntArray, Lanes, Marks, Matrix, Synapses, with_data
from snnir.synapses.blocks import Blocks, BoolArray, Gathering, numbered
from snnir.windows import Windows

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Conv(Synapses):
    """Weights (out, in / groups, kernel rows, kernel columns) over planes (in, height, width), channels first."""

    def __init__(self, weights: NDArray[Any], channels: int, windows: Windows, groups: int) -> None:
        self.weights = weights.reshape(*weights.shape[:2], *windows.kernel)
        self.windows, self.groups, self.channels = windows, groups, channels
        self.group_in, self.group_out = channels // groups, len(weights) // groups
        self.sources = channels * prod(windows.size)
        self.targets = len(weights) * prod(windows.result)

    @staticmethod
    def pool(channels: int, windows: Windows, weight: float) -> "Conv":
        """A pool that sums (weight 1) or averages (weight 1 / kernel)."""
        return Conv(np.full((channels, 1, *windows.kernel), weight), channels, windows, channels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the result."""
        return len(self.weights), *self.windows.result

    @cached_property
    def _taps(self) -> IntArray:
        """How many places of a plane each window meets, (height, width) of the result."""
        down, across = (self._met(axis).sum(axis=1) for axis in (0, 1))
        return down[:, None] * across

    @cached_property
    def met_taps(self) -> BoolMatrix:
        """Whether any window meets the plane with each place of one channel of the kernel, (kernel places,)."""
        down, across = (self._met(axis).astype(np.int64).sum(axis=0) for axis in (0, 1))
        return (down[:, None] * across).ravel() > 0

    def _met(self, axis: int) -> BoolMatrix:
        """Along one dimension: whether window n meets the plane with place k of its kernel, (windows, kernel)."""
        place = self._places(axis)
        return (place >= 0) & (place < self.windows.size[axis])

    def _places(self, axis: int) -> IntArray:
        """Along one dimension: where window n meets the plane with place k of its kernel, (windows, kernel)."""
        w = self.windows
        start = np.arange(w.result[axis]) * w.stride[axis] - w.low[axis]
        return start[:, None] + np.arange(w.kernel[axis]) * w.dilation[axis]

    def fanin(self) -> IntArray:
        return np.tile(self._taps.ravel() * self.group_in, len(self.weights))

    def outdegree(self) -> IntArray:
        down, across = (
            np.bincount(self._places(axis)[self._met(axis)], minlength=self.windows.size[axis]) for axis in (0, 1)
        )
        return np.tile((down[:, None] * across).ravel() * self.group_out, self.channels)

    def inputs(self, targets: IntArray) -> IntArray:
        (height, width), (rows, columns) = self.windows.size, self.windows.result
        channel, place = np.divmod(targets, rows * columns)
        group, window = np.divmod(np.unique(channel // self.group_out * (rows * columns) + place), rows * columns)
        down, across = self._places(0)[window // columns], self._places(1)[window % columns]
        met = self._met(0)[window // columns][:, :, None] & self._met(1)[window % columns][:, None, :]
        plane = (group[:, None, None] * height + down[:, :, None]) * width + across[:, None, :]
        group, place = np.divmod(np.unique(plane[met]), height * width)
        inputs = (group[:, None] * self.group_in + np.arange(self.group_in)) * (height * width) + place[:, None]
        return np.sort(inputs.ravel())

    def connected(self, sources: IntArray, targets: IntArray) -> BoolMatrix:
        return self._kernel_places(sources, targets)[0]

    def block(self, sources: IntArray, targets: IntArray) -> Matrix:
        connected, down, across = self._kernel_places(sources, targets)
        channel = (sources // prod(self.windows.size) % self.group_in)[:, None]
        out = (targets // prod(self.windows.result))[None, :]
        weights = self.weights[out, channel, np.where(connected, down, 0), np.where(connected, across, 0)]
        return np.where(connected, weights.astype(np.float64), 0.0)

    def _kernel_places(self, sources: IntArray, targets: IntArray) -> tuple[BoolMatrix, IntArray, IntArray]:
        """Whether each source lies in each target's window, and at which place of its kernel, (sources, targets)."""
        w = self.windows
        (height, width), (rows, columns) = w.size, w.result
        channel, place = np.divmod(sources, height * width)
        out, window = np.divmod(targets, rows * columns)
        connected = (channel // self.group_in)[:, None] == (out // self.group_out)[None, :]
        places: list[IntArray] = []
        for axis, (where, number) in enumerate(
            ((place // width, window // columns), (place % width, window % columns))
        ):
            offset = where[:, None] + w.low[axis] - number[None, :] * w.stride[axis]
            k = offset // w.dilation[axis]
            connected &= (offset >= 0) & (k < w.kernel[axis]) & (k * w.dilation[axis] == offset)
            places.append(k)
        return connected, places[0], places[1]

    def met(self, positions: IntArray, kernel: IntArray) -> IntArray:
        """The source that each window meets with each place of the kernel, (positions, kernel); -1: none, padding.

        Positions are places of a plane of the result; places of the kernel are numbered `channel x kernel rows x kernel
        columns`, over all input channels.
        """
        (height, width), columns = self.windows.size, self.windows.result[1]
        channel, tap = np.divmod(kernel, prod(self.windows.kernel))
        row, column = np.divmod(tap, self.windows.kernel[1])
        down = self._places(0)[positions // columns][:, row]
        across = self._places(1)[positions % columns][:, column]
        inside = (down >= 0) & (down < height) & (across >= 0) & (across < width)
        return np.where(inside, (channel * height + down) * width + across, -1)

    def table(self, positions: IntArray, kernel: IntArray, numbers: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """`met` as a small table: window p meets, with place k, `table[origins[p] + offsets[k]]`.

        The table holds `numbers[source]`, -1 where there is none; `numbers` has one entry per source.
        """
        (height, width), columns = self.windows.size, self.windows.result[1]
        top, left = self._places(0)[positions // columns, 0], self._places(1)[positions % columns, 0]
        channel, tap = np.divmod(kernel, prod(self.windows.kernel))
        down, across = (
            n * d for n, d in zip(np.divmod(tap, self.windows.kernel[1]), self.windows.dilation, strict=True)
        )
        y = np.arange(int(top.min()), int(top.max() + down.max()) + 1)
        x = np.arange(int(left.min()), int(left.max() + across.max()) + 1)
        planes, plane = np.unique(channel, return_inverse=True)
        inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))
        source = (planes[:, None, None] * height + y[:, None]) * width + x
        table = np.where(inside, numbers[np.where(inside, source, 0)], -1).ravel()
        origins = (top - y[0]) * len(x) + left - x[0]
        return table, origins, (plane * len(y) + down) * len(x) + across

    def kernel(self, places: IntArray, channels: IntArray) -> Matrix:
        """The weights between places of the kernel, numbered as in `met`, and output channels, (places, channels)."""
        channel, tap = np.divmod(places, prod(self.windows.kernel))
        flat = self.weights.reshape(len(self.weights), self.group_in, -1)
        weights = flat[channels[None, :], (channel % self.group_in)[:, None], tap[:, None]].astype(np.float64)
        return np.where(self.reads(channel, channels), weights, 0.0)

    def reads(self, inputs: IntArray, channels: IntArray) -> BoolMatrix:
        """Whether output channels read input channels, (inputs, channels)."""
        return (inputs // self.group_in)[:, None] == (channels // self.group_out)[None, :]

    def marked(self, marks: Marks) -> Marks:
        planes = marks.reshape(self.groups, self.group_in, *self.windows.size).sum(axis=1, dtype=np.uint64)
        total = np.zeros((self.groups, *self.windows.result), np.uint64)
        for met in self.windows.shifted(planes):
            total += met
        return np.repeat(total.reshape(self.groups, 1, -1), self.group_out, axis=1).ravel()

    def gathered_in_blocks(self, blocks: Blocks, marks: Marks) -> tuple[Marks, BoolArray]:
        (height, width), (rows, columns) = self.windows.size, self.windows.result
        # channels of one group read the same, and are read by the same: each place and each window is looked at once
        channel, place = np.divmod(blocks.sources, height * width)
        plane = blocks.source_blocks * self.groups + channel // self.group_in
        gathering = Gathering(plane * (height * width) + place, marks)
        channel, window = np.divmod(blocks.targets, rows * columns)
        plane = blocks.target_blocks * self.groups + channel // self.group_out
        windows, number = numbered(plane * (rows * columns) + window)
        plane, window = np.divmod(windows, rows * columns)
        down, across = self._places(0)[window // columns].T, self._places(1)[window % columns].T
        sums = np.zeros(len(windows), np.uint64)
        for y in down:
            for x in across:
                met = np.flatnonzero((y >= 0) & (y < height) & (x >= 0) & (x < width))
                sums[met] += gathering.take((plane[met] * height + y[met]) * width + x[met])
        return sums[number], gathering.read

    def lanes(self) -> Lanes:
        lane = np.repeat(np.arange(len(self.weights)), prod(self.windows.result))
        return Lanes(lane, self.weights.reshape(len(self.weights), -1).astype(np.float64))

    def csr(self) -> "csr_array[Any, Any]":
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        (height, width), (rows, columns) = self.windows.size, self.windows.result
        down, across = self._places(0), self._places(1)
        place = (down[:, None, :, None] * width + across[None, :, None, :]).reshape(rows * columns, -1)
        planes = np.arange(self.group_in) * (height * width)
        # per window: (group_in, taps) places, ascending because planes are longer than places
        window = planes[:, None] + place[:, None, :]
        inner, counts = window[self._kept].astype(np.int32), self._taps.ravel() * self.group_in
        group = [inner + np.int32(g * self.group_in * height * width) for g in range(self.groups)]
        indices = np.concatenate([np.tile(each, self.group_out) for each in group])
        starts = np.concatenate([[0], np.cumsum(np.tile(counts, len(self.weights)))])
        return csr_array((np.ones(len(indices), np.int8), indices, starts), shape=(self.targets, self.sources))

    def weighted(self) -> "csr_array[Any, Any]":
        kept = self._kept
        lanes = self.weights.reshape(len(self.weights), self.group_in, -1)
        return with_data(self.csr(), np.concatenate([np.broadcast_to(lane, kept.shape)[kept] for lane in lanes]))

    @property
    def _kept(self) -> BoolMatrix:
        """Whether a window meets a plane with each place of its kernel, (windows, group_in, kernel)."""
        met = (self._met(0)[:, None, :, None] & self._met(1)[None, :, None, :]).reshape(prod(self.windows.result), -1)
        return np.broadcast_to(met[:, None, :], (len(met), self.group_in, met.shape[1]))
