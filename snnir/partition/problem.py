"""What a clustering starts from: layers, the axons that they read, and the crossbar."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snnir.synapses import IntArray, Synapses

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from snnir.partition.site import Site

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """The axons of one source: one for each of its neurons, all `delay` steps late."""

    source: int
    """The number of a layer; -1 - n for the input number n."""
    delay: int
    start: int
    """The number of its first axon; that of neuron n is `start + n`."""
    size: int


@dataclass(frozen=True)
class Input:
    """Synapses of a layer onto the axons of a group."""

    group: int
    synapses: Synapses


@dataclass(frozen=True)
class Layer:
    """A population: its neurons in the order of `shape`, and what they read."""

    name: str
    shape: tuple[int, ...]
    """Channels first."""
    inputs: tuple[Input, ...]
    """At most one may be a projection that shares synapses with another: parallel synapses count once."""

    @property
    def size(self) -> int:
        """The number of neurons."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class Problem:
    """A program to be partitioned: which neurons and which of their axons share a crossbar?"""

    layers: tuple[Layer, ...]
    groups: tuple[Group, ...]
    rows: int
    """Axons that a crossbar has room for."""
    columns: int
    """Neurons or partial sums that a crossbar has room for."""
    digital: bool
    """Whether a neuron may be split into partial sums by its axons."""
    spikes: Vector
    """Spikes per step on each axon."""
    slices: int = 0
    """The most slices that may share a crossbar; 0: any number."""
    neurons: int = 0
    """Neurons that a crossbar keeps the state of; more than `columns`: kernels may be read several times a step."""
    synapses: int = 0
    """Synapses that a crossbar has memory for; 0: one in each cell."""

    @property
    def cells(self) -> int:
        """Synapses that a crossbar holds."""
        every = self.rows * self.columns
        return min(every, self.synapses or every)

    @property
    def axons(self) -> int:
        """The number of axons."""
        return sum(group.size for group in self.groups)

    @cached_property
    def starts(self) -> IntArray:
        """The first axon of each group, and the number of axons."""
        return np.array([*(group.start for group in self.groups), self.axons])

    def group_of(self, axons: IntArray) -> IntArray:
        """The group of each axon."""
        return np.searchsorted(self.starts, axons, side="right") - 1

    @cached_property
    def home(self) -> IntArray:
        """Of each axon, a number of the neuron behind it: axons of one neuron (with other delays) have the same."""
        first: dict[int, int] = {}
        total = 0
        result = np.empty(self.axons, np.int64)
        for group in self.groups:
            if group.source not in first:
                first[group.source] = total
                total += group.size
            result[group.start : group.start + group.size] = first[group.source] + np.arange(group.size)
        return result

    def axons_of(self, layer: int, neurons: IntArray) -> IntArray:
        """The axons that any of some neurons of a layer reads, ascending."""
        found = [self.groups[i.group].start + i.synapses.inputs(neurons) for i in self.layers[layer].inputs]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)

    def fanin(self, layer: int) -> IntArray:
        """How many axons each neuron of a layer reads."""
        inputs = self.layers[layer].inputs
        if len(inputs) == 1:
            return inputs[0].synapses.fanin()
        if len({i.group for i in inputs}) < len(inputs):
            return np.diff(self.csr(layer).indptr).astype(np.int64)
        return sum((i.synapses.fanin() for i in inputs), np.zeros(self.layers[layer].size, np.int64))

    def csr(self, layer: int) -> "csr_array[Any, Any]":
        """Which axons each neuron of a layer reads, (neurons, axons) of ones with ascending columns.

        Every synapse becomes an entry: for algorithms that go neuron by neuron.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

        size, total = self.layers[layer].size, None
        for each in self.layers[layer].inputs:
            found = each.synapses.csr()
            columns = found.indices + np.int64(self.groups[each.group].start)
            part = csr_array((np.ones(len(columns), np.int32), columns, found.indptr), shape=(size, self.axons))
            total = part if total is None else total + part
        result = total if total is not None else csr_array((size, self.axons), dtype=np.int32)
        result.data[:] = 1
        result.sort_indices()
        return result

    def connected(self, layer: int, axons: IntArray, neurons: IntArray) -> NDArray[np.bool_]:
        """Whether each of some neurons of a layer reads each of some axons (ascending), (axons, neurons)."""
        result = np.zeros((len(axons), len(neurons)), np.bool_)
        for each in self.layers[layer].inputs:
            group = self.groups[each.group]
            first, last = np.searchsorted(axons, [group.start, group.start + group.size])
            if last > first:
                result[first:last] |= each.synapses.connected(axons[first:last] - group.start, neurons)
        return result


@dataclass(frozen=True)
class Options:
    """What a user may choose, whatever the algorithm."""

    objective: str = "crossbars"
    """`crossbars`, `spikes` (between crossbars) or `hops` (spikes weighted with distance after placement)."""
    seed: int = 0
    details: dict[str, float] = field(default_factory=dict[str, float])
    site: "Site | None" = None
    """Where the clusters will be placed; `hops` needs it."""


@dataclass(frozen=True)
class Part:
    """What one cluster holds of a layer: all synapses between `axons` and `neurons`."""

    layer: int
    neurons: IntArray
    axons: IntArray
    """Ascending."""
    home: int | None = None
    """`None`: the neurons sit here and nothing is added. Parts of split neurons share a number, and have the same
    neurons in the same order: one of them holds the neurons and adds the partial sums of the others."""
    is_partial: bool = False
    """Whether the neurons sit in another cluster."""
    reads: int = 1
    """How often its cells are read in a step. More than once: each column is an output channel of a convolution, and
    `neurons` are `reads` positions of the first channel, the same positions of the next, and so on."""
    kernel: IntArray | None = None
    """Of a part that is read several times: the places of the kernel (input channel x places) on its rows, ascending;
    `axons` then are the inputs of all its windows, and no rows."""

    @property
    def columns(self) -> int:
        """The columns that it takes."""
        return len(self.neurons) // self.reads


def rows_of(parts: Sequence[Part]) -> int:
    """The rows that parts take on one crossbar."""
    axons = [part.axons for part in parts if part.kernel is None]
    kernels = sum(len(part.kernel) for part in parts if part.kernel is not None)
    return kernels + (len(np.unique(np.concatenate(axons))) if axons else 0)


Plan = Sequence[Sequence[Part]]
"""The parts of each cluster."""


class PartitionError(ValueError):
    """A layer fits no crossbar; `layer` says which."""

    def __init__(self, layer: int, message: str) -> None:
        self.layer = layer
        super().__init__(message)
