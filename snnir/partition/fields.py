"""Layers as channels x height x width, and which axons the neurons of a box of them read, from geometry alone."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from snnir.partition.problem import Layer, Problem
from snnir.synapses import Conv, Dense, IntArray, OneToOne, Selected, Synapses

Shape = tuple[int, int, int]


class Box(NamedTuple):
    """Channels, rows and columns of planes: those from each first number up to, not including, the second."""

    channel: int
    channels: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> int:
        """The number of neurons."""
        return (self.channels - self.channel) * (self.bottom - self.top) * (self.right - self.left)


class View(ABC):
    """What boxes of a layer read through one of its inputs."""

    @abstractmethod
    def count(self, box: Box) -> int:
        """How many axons a box reads."""

    @abstractmethod
    def load(self, channels: tuple[int, int]) -> int:
        """How much more these channels read than other ones; those of equal load read equally much."""

    @abstractmethod
    def most(self, channels: tuple[int, int], height: int, width: int) -> IntArray:
        """The most axons that a box of up to height x width with these channels reads, (height, width)."""

    @abstractmethod
    def axons(self, box: Box) -> IntArray:
        """Global numbers, ascending."""


@dataclass(frozen=True)
class _All(View):
    """Every neuron reads the same axons."""

    read: IntArray

    def count(self, box: Box) -> int:
        return len(self.read)

    def load(self, channels: tuple[int, int]) -> int:
        return 0

    def most(self, channels: tuple[int, int], height: int, width: int) -> IntArray:
        return np.full((height, width), len(self.read))

    def axons(self, box: Box) -> IntArray:
        return self.read


@dataclass(frozen=True)
class _Numbers:
    """The axons of the sources of a projection."""

    start: int
    chosen: IntArray | None

    def axons(self, sources: IntArray) -> IntArray:
        return self.start + (sources if self.chosen is None else np.sort(self.chosen[sources]))


@dataclass(frozen=True)
class _Same(View):
    """Every neuron reads the axon with its own number."""

    shape: Shape
    numbers: _Numbers

    def count(self, box: Box) -> int:
        return box.size

    def load(self, channels: tuple[int, int]) -> int:
        return channels[1] - channels[0]

    def most(self, channels: tuple[int, int], height: int, width: int) -> IntArray:
        return np.outer(np.arange(1, height + 1), np.arange(1, width + 1)) * (channels[1] - channels[0])

    def axons(self, box: Box) -> IntArray:
        return self.numbers.axons(numbers_of(self.shape, box))


@dataclass(frozen=True)
class _Repeated(View):
    """Row n of the only plane reads part n of the signal."""

    part: int
    numbers: _Numbers

    def count(self, box: Box) -> int:
        return (box.bottom - box.top) * self.part

    def load(self, channels: tuple[int, int]) -> int:
        return 0

    def most(self, channels: tuple[int, int], height: int, width: int) -> IntArray:
        return np.broadcast_to(np.arange(1, height + 1)[:, None] * self.part, (height, width))

    def axons(self, box: Box) -> IntArray:
        return self.numbers.axons(np.arange(box.top * self.part, box.bottom * self.part))


class _Windows(View):
    """A box reads a box of a convolution's source, with gaps where strides and dilations leave them."""

    def __init__(self, conv: Conv, numbers: _Numbers) -> None:
        self._conv, self._numbers = conv, numbers
        self._along, self._most = cache(self._met), cache(self._reach)

    def _met(self, axis: int, first: int, last: int) -> IntArray:
        """The places along one dimension that windows `first..last-1` meet."""
        w = self._conv.windows
        starts = np.arange(first, last) * w.stride[axis] - w.low[axis]
        places = np.unique(starts[:, None] + np.arange(w.kernel[axis]) * w.dilation[axis])
        return places[(places >= 0) & (places < w.size[axis])]

    def _channels(self, first: int, last: int) -> tuple[int, int]:
        """The channels of the source that channels `first..last-1` read."""
        inner, outer = self._conv.group_in, self._conv.group_out
        return first // outer * inner, ((last - 1) // outer + 1) * inner

    def count(self, box: Box) -> int:
        first, last = self._channels(box.channel, box.channels)
        return (last - first) * len(self._along(0, box.top, box.bottom)) * len(self._along(1, box.left, box.right))

    def load(self, channels: tuple[int, int]) -> int:
        first, last = self._channels(*channels)
        return last - first

    def most(self, channels: tuple[int, int], height: int, width: int) -> IntArray:
        first, last = self._channels(*channels)
        return np.outer(self._most(0, height), self._most(1, width)) * (last - first)

    def _reach(self, axis: int, longest: int) -> IntArray:
        """The most places that 1, 2, .. neighbouring windows meet."""
        w = self._conv.windows
        starts = np.arange(w.result[axis]) * w.stride[axis] - w.low[axis]
        places = starts[:, None] + np.arange(w.kernel[axis]) * w.dilation[axis]
        met = np.zeros((w.result[axis], w.size[axis]), np.bool_)
        window, tap = np.nonzero((places >= 0) & (places < w.size[axis]))
        met[window, places[window, tap]] = True
        together, result = met, [int(met.sum(axis=1).max())]
        for length in range(2, longest + 1):
            together = together[:-1] | met[length - 1 :]
            result.append(int(together.sum(axis=1).max()))
        return np.array(result)

    def axons(self, box: Box) -> IntArray:
        first, last = self._channels(box.channel, box.channels)
        height, width = self._conv.windows.size
        down, across = self._along(0, box.top, box.bottom), self._along(1, box.left, box.right)
        planes = np.arange(first, last)[:, None, None] * height
        return self._numbers.axons(((planes + down[:, None]) * width + across).ravel())


class Field:
    """A layer in which neighbours read the same axons."""

    def __init__(self, number: int, shape: Shape, views: list[View], group: int) -> None:
        self.number, self.shape, self._views = number, shape, views
        self.group = group
        """Channels that come in one piece of a grouped convolution."""
        self.pooled: tuple[int, int] | None = None
        """The size of the windows that a pool reads of this layer side by side, if there is one."""

    def count(self, box: Box) -> int:
        """How many axons a box reads."""
        return sum(view.count(box) for view in self._views)

    def load(self, channels: tuple[int, int]) -> tuple[int, ...]:
        """What `most` of these channels depends on."""
        return channels[1] - channels[0], *(view.load(channels) for view in self._views)

    def most(self, channels: tuple[int, int], height: int, width: int) -> IntArray:
        """The most axons that boxes of 1 x 1 up to height x width with these channels read, (height, width)."""
        return sum((v.most(channels, height, width) for v in self._views), np.zeros((height, width), np.int64))

    def axons(self, box: Box) -> IntArray:
        """The axons that a box reads, ascending."""
        if len(self._views) == 1:
            return self._views[0].axons(box)
        return np.unique(np.concatenate([np.empty(0, np.int64), *(view.axons(box) for view in self._views)]))

    def neurons(self, box: Box) -> IntArray:
        """The neurons of a box, ascending."""
        return numbers_of(self.shape, box)


def numbers_of(shape: Shape, box: Box) -> IntArray:
    """The numbers of the places of a box in an array of this shape."""
    _, height, width = shape
    planes = np.arange(box.channel, box.channels)[:, None, None] * height
    return ((planes + np.arange(box.top, box.bottom)[:, None]) * width + np.arange(box.left, box.right)).ravel()


def field_of(problem: Problem, number: int) -> Field | None:
    """The field of a layer; `None` where no geometry says what its neurons read, or two that differ do.

    Several projections from the same axons count twice in `Field.count`, and once in `Field.axons`: such layers have
    no field either.
    """
    layer = problem.layers[number]
    if len({each.group for each in layer.inputs}) < len(layer.inputs):
        return None
    cores = [_core(each.synapses) for each in layer.inputs]
    shape = _shape(layer, [core for core, _ in cores])
    if shape is None:
        return None
    views: list[View] = []
    group = shape[0]
    for each, (core, chosen) in zip(layer.inputs, cores, strict=True):
        numbers = _Numbers(problem.groups[each.group].start, chosen)
        match core:
            case Conv():
                views.append(_Windows(core, numbers))
                group = min(group, core.group_out)
            case OneToOne():
                views.append(_Same(shape, numbers))
            case Dense() if core.repeat > 1:
                views.append(_Repeated(core.sources // core.repeat, numbers))
            case _:
                views.append(_All(numbers.axons(np.arange(core.sources))))
    return Field(number, shape, views, group)


def _core(synapses: Synapses) -> tuple[Synapses, IntArray | None]:
    """The projection behind selections, and the sources that its own are, `None` for all."""
    chosen: IntArray | None = None
    while isinstance(synapses, Selected):
        chosen = synapses.chosen if chosen is None else chosen[synapses.chosen]
        synapses = synapses.inner
    return synapses, chosen


def _shape(layer: Layer, cores: list[Synapses]) -> Shape | None:
    """Channels, height and width under which all projections have a geometry."""
    if any(not isinstance(core, Conv | OneToOne | Dense) for core in cores):
        return None
    shapes = {core.shape for core in cores if isinstance(core, Conv)}
    shapes |= {
        (1, core.repeat, core.targets // core.repeat) for core in cores if isinstance(core, Dense) and core.repeat > 1
    }
    if len(shapes) > 1:
        return None
    return next(iter(shapes), (layer.size, 1, 1))
