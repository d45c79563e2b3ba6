"""Convolutions with shared weights: a kernel sits on a crossbar once and is read once for each position, in turn.

A part holds some output channels (columns), the places of the kernel that they read (rows) and as many positions as the
crossbar keeps neuron states for. Positions are patches of the plane, so that windows share what they read.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count, pairwise
from math import prod, sqrt

import numpy as np

from snnir.partition.problem import Part, PartitionError, Problem
from snnir.synapses import Conv, IntArray

_CROOKED = 2.0
"""What sides of patches that divide nothing cost, in neurons: their windows meet a ragged edge."""


def shared_kernel(problem: Problem, layer: int) -> Conv | None:
    """The one convolution that a layer is, where a crossbar can read it at several positions in a step."""
    inputs = problem.layers[layer].inputs
    if problem.neurons <= problem.columns or len(inputs) != 1 or not isinstance(inputs[0].synapses, Conv):
        return None
    conv = inputs[0].synapses
    return conv if prod(conv.windows.result) > 1 and conv.met_taps.any() else None


def shared_parts(problem: Problem, layer: int, conv: Conv, homes: "count[int]") -> Iterator[Part]:
    """The parts of a layer that is one convolution, those of a split one after the other. `homes` numbers the splits.

    Raises `PartitionError` where a kernel needs more rows than there are and partial sums cannot be added.
    """
    start = problem.groups[problem.layers[layer].inputs[0].group].start
    places = prod(conv.windows.result)
    pieces = _channels(problem, conv)
    widest = max(len(out) for out in pieces)
    chunks = _chunks(problem, layer, conv, pieces)
    roomy = all(len(each) == 1 and 2 * len(each[0]) <= problem.rows for each in chunks)
    most = max(1, problem.neurons // widest)
    for positions in _patches(conv.windows.result, most, even=not roomy or 2 * widest > problem.columns):
        patch = _Patch(conv, positions, start)
        for out, kernels in zip(pieces, chunks, strict=True):
            neurons = (out[:, None] * places + positions).ravel()
            read = [(kernel, patch.axons(kernel)) for kernel in kernels]
            # sums of nothing need not be added, but neurons sit somewhere
            read = [each for each in read if len(each[1])] or read[:1]
            home = next(homes) if len(read) > 1 else None
            for number, (kernel, axons) in enumerate(read):
                yield Part(layer, neurons, axons, home, number > 0, len(positions), kernel)


def _channels(problem: Problem, conv: Conv) -> list[IntArray]:
    """The output channels of each part: some whole groups where several fit, else equal pieces of one group."""
    total, group = np.arange(len(conv.weights)), conv.group_out
    together = min(problem.columns // group, problem.rows // (conv.group_in * prod(conv.windows.kernel)))
    if together:
        groups = np.array_split(total.reshape(-1, group), -(-conv.groups // together))
        return [each.ravel() for each in groups]
    pieces = -(-group // problem.columns)
    return [out for each in total.reshape(-1, group) for out in np.array_split(each, pieces)]


def _chunks(problem: Problem, layer: int, conv: Conv, pieces: Sequence[IntArray]) -> list[list[IntArray]]:
    """The places of the kernel that each piece of the output channels reads, cut to the rows of a crossbar."""
    used = np.tile(conv.met_taps, conv.channels).reshape(conv.groups, -1)
    found: dict[tuple[int, int], list[IntArray]] = {}
    result: list[list[IntArray]] = []
    for out in pieces:
        first, last = int(out[0]) // conv.group_out, int(out[-1]) // conv.group_out
        if (first, last) not in found:
            places = np.flatnonzero(used[first : last + 1]) + first * used.shape[1]
            if len(places) > problem.rows and not problem.digital:
                message = f"its kernel has {len(places)} places, a crossbar has {problem.rows} rows"
                raise PartitionError(layer, message)
            size = _chunk(problem, len(places), int(conv.met_taps.sum()), len(out))
            found[first, last] = [places[n : n + size] for n in range(0, len(places), size)]
        result.append(found[first, last])
    return result


def _chunk(problem: Problem, places: int, taps: int, columns: int) -> int:
    """How many places of a kernel lie on one crossbar: whole channels if this takes no more crossbars, so that windows
    of one chunk share axons."""

    def crossbars(size: int) -> float:
        whole, rest = divmod(places, size)
        return whole + (1 / min(problem.rows // rest, problem.columns // columns) if rest else 0)

    channels = problem.rows // taps * taps
    return channels if channels and crossbars(channels) <= crossbars(problem.rows) else problem.rows


class _Patch:
    """Some positions of a convolution, and what their windows meet."""

    def __init__(self, conv: Conv, positions: IntArray, start: int) -> None:
        """`start` is the first axon."""
        self._conv, self._positions, self._start = conv, positions, start
        self._places: dict[bytes, IntArray] = {}
        self._axons: dict[tuple[int, int], IntArray] = {}

    @cached_property
    def _met(self) -> IntArray:
        """The place of the plane that each window meets with each place of one channel of the kernel."""
        return self._conv.met(self._positions, np.arange(prod(self._conv.windows.kernel)))

    def axons(self, kernel: IntArray) -> IntArray:
        """The axons that the windows meet with some consecutive places of the kernel, ascending."""
        key = int(kernel[0]), int(kernel[-1])
        if key not in self._axons:
            self._axons[key] = self._start + self._sources(kernel)
        return self._axons[key]

    def _sources(self, kernel: IntArray) -> IntArray:
        plane = prod(self._conv.windows.size)
        channel, tap = np.divmod(kernel, prod(self._conv.windows.kernel))
        # all channels but the first and the last are there as a whole
        inner = np.flatnonzero(np.diff(channel)) + 1
        cuts: list[int] = [0, *np.unique(inner[[0, -1][: len(inner)]]).tolist(), len(channel)]
        found = [np.empty(0, np.int64)]
        for first, last in pairwise(cuts):
            channels = np.unique(channel[first:last])
            places = self._met_with(tap[first : first + (last - first) // len(channels)])
            found.append((channels[:, None] * plane + places).ravel())
        return np.concatenate(found)

    def _met_with(self, taps: IntArray) -> IntArray:
        """The places of a plane that the windows meet with some places of the kernel, ascending."""
        key = taps.tobytes()
        if key not in self._places:
            met = self._met[:, taps]
            self._places[key] = np.unique(met[met >= 0])
        return self._places[key]


def _patches(plane: tuple[int, int], most: int, *, even: bool) -> list[IntArray]:
    """Positions of a plane in as few patches as there can be with at most `most` each, nearly square.

    A line that goes down and up in strips, one strip to the right and the next to the left, is cut into pieces: equal
    ones, or with `even` false as long as possible, so that what is left over is one small patch.
    """
    height, width = plane
    total = height * width
    pieces = -(-total // most)
    length = total / pieces if even else min(most, total)

    def sides(strips: int) -> float:
        down = height / strips
        return down + length / down + _CROOKED * ((height % strips > 0) + (length % down > 0))

    middle = height / sqrt(length)
    strips = min(range(max(1, int(middle / 2)), min(height, int(2 * middle) + 1) + 1), key=sides)
    line: list[IntArray] = []
    for number, rows in enumerate(np.array_split(np.arange(height), strips)):
        columns = np.arange(width)[:: -1 if number % 2 else 1]
        line.append((rows[None, :] * width + columns[:, None]).ravel())
    order = np.concatenate(line)
    cut = np.array_split(order, pieces) if even else np.split(order, range(most, total, most))
    return [np.sort(each) for each in cut]
