"""Which cells of clusters hold a weight other than 0: read off the program, some axons at a time."""

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.cluster import ClusterOp
from snnir.dialects.cluster_attributes import Slice, Windows
from snnir.dialects.cluster_synapses import Axon, axon_groups, taken
from snnir.dialects.connections import Connection, connections_of
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.synapses import BoolArray, Conv, IntArray, Selected

_AT_A_TIME = 1 << 22
"""Cells that are looked at together: it bounds memory."""


class Cells:
    """The cells of a program's clusters. Raises `SnnirError` for projections that no crossbar holds."""

    def __init__(self, network: NetworkOp) -> None:
        ops = network.sources.items()
        self._populations: Mapping[str, NeuronOp] = {name: op for name, op in ops if isinstance(op, NeuronOp)}
        self._connections: dict[str, list[Connection]] = {}

    def weights(self, cluster: ClusterOp) -> int:
        """How many cells of a cluster hold a weight; those of a kernel once, however often it is read."""
        groups, total = axon_groups(cluster), 0
        for part in cluster.parts:
            if part.windows is not None:
                total += self._kernel_weights(part, part.windows)
                continue
            for number, mine in taken(part, groups):
                blocks = self.blocks(part, groups[number].axon, groups[number].neurons[mine])
                total += sum(int(np.count_nonzero(cells)) for _, cells in blocks)
        return total

    def blocks(
        self, part: Slice, axon: Axon, neurons: IntArray
    ) -> Iterator[tuple[slice, "np.ndarray[tuple[int, int], np.dtype[np.bool_]]"]]:
        """Between some neurons of an axon group and a slice: which of them, and where there is a weight, (neurons,
        targets).

        Parallel synapses share a cell, so that they may cancel each other.
        """
        alike = [c for c in self._of(part.population) if (c.source, c.delay) == axon]
        targets = part.neurons.array
        some = max(1, _AT_A_TIME // max(1, len(targets)))
        for first in range(0, len(neurons), some):
            here = neurons[first : first + some]
            if len(alike) == 1:
                cells = alike[0].synapses.block(here, targets)
            else:
                cells = sum((_scaled(c, here, targets) for c in alike), np.zeros((len(here), len(targets))))
            yield slice(first, first + len(here)), cells != 0

    def programmed(self, part: Slice, axon: Axon, neurons: IntArray) -> tuple[BoolArray, BoolArray]:
        """Which neurons of an axon group have a weight to the slice, and which of its neurons have one from them."""
        rows, columns = np.zeros(len(neurons), np.bool_), np.zeros(part.size, np.bool_)
        for some, cells in self.blocks(part, axon, neurons):
            rows[some] = cells.any(axis=1)
            columns |= cells.any(axis=0)
        return rows, columns

    def _of(self, population: str) -> list[Connection]:
        if population not in self._connections:
            self._connections[population] = connections_of(self._populations[population])
        return self._connections[population]

    def _kernel_weights(self, part: Slice, windows: Windows) -> int:
        (connection,) = self._of(part.population)
        synapses = connection.synapses
        conv = synapses.inner if isinstance(synapses, Selected) else synapses
        assert isinstance(conv, Conv)
        channels = part.neurons.array[:: windows.reads] // prod(conv.windows.result)
        return int(np.count_nonzero(conv.kernel(windows.kernel.array, channels)))


def _scaled(connection: Connection, sources: IntArray, targets: IntArray) -> NDArray[np.float64]:
    scale = connection.scale
    return connection.synapses.block(sources, targets) * (scale[targets] if isinstance(scale, np.ndarray) else scale)
