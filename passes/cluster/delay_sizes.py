"""What the clusters of a program take of delay memories of every kind: at most, and on recorded inputs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.delays import MEMORIES, Memory, Reads, Spikes, observed
from snnir.dialects.cluster import ClusterOp, ProgramOp
from snnir.dialects.cluster_cells import Cells
from snnir.dialects.cluster_synapses import axon_groups, taken
from snnir.dialects.snn import NetworkOp
from snnir.sim import Data, Events, chunks, run
from snnir.sim.entry import network_of
from snnir.synapses import IntArray

Progress = Callable[[int, int], None]

MARGIN = Fraction(5, 4)
"""Entries that are reserved for each one observed, unless another number is asked for."""


@dataclass(frozen=True)
class Taken:
    """What one crossbar takes of a delay memory of each kind, in entries."""

    cluster: str
    reads: Reads
    observed: Mapping[Memory, int] | None
    """The most at a time in one sample; `None`: nothing was run."""

    def bound(self, memory: Memory) -> int:
        """The most at any time, whatever spikes there are."""
        return self.reads.bound(memory)

    def entries(self, memory: Memory, margin: Fraction) -> int:
        """What to reserve: the bound, or what was observed times `margin`, 1 at least, where that is less.

        The slots of a ring are all there, whatever is in them.
        """
        bound = self.bound(memory)
        if self.observed is None or memory == "ring":
            return bound
        return min(bound, max(1, ceil(self.observed[memory] * margin)))


@dataclass(frozen=True)
class DelaySizes:
    """What all crossbars take that have a late row with a weight."""

    crossbars: tuple[Taken, ...]
    margin: Fraction
    samples: int = 0
    """How many were run; 0: none."""
    steps: int = 0
    """Of each."""
    spikes: Mapping[str, float] | None = None
    """Of each source that is read late: spikes per sample, on average."""


def _reads(cluster: ClusterOp, cells: Cells) -> Reads:
    """The late rows of a cluster that drive a weight other than 0, and how many neurons and partial sums they drive."""
    groups = axon_groups(cluster)
    found: list[tuple[str, int, IntArray]] = []
    targets = 0
    for part in cluster.parts:
        late = np.zeros(part.size, np.bool_)
        for number, mine in taken(part, groups):
            axon = groups[number].axon
            if axon[1] > 0:
                neurons = groups[number].neurons[mine]
                rows, columns = cells.programmed(part, axon, neurons)
                found.append((*axon, neurons[rows]))
                late |= columns
        targets += int(late.sum())
    return Reads.of(found, targets)


def delay_sizes(
    clusters: ProgramOp,
    network: NetworkOp,
    inputs: Mapping[str, Data] | None = None,
    margin: Fraction = MARGIN,
    progress: Progress | None = None,
) -> DelaySizes:
    """What clusters take of delay memories. With `inputs` the program is run on them, a few samples at a time.

    `clusters` have all synapses of `network`. Raises `SnnirError` for inputs that the program cannot run on.
    """
    cells = Cells(network)
    every = [(op.sym_name.data, _reads(op, cells)) for op in clusters.clusters]
    reads = {name: each for name, each in every if each}
    sources = list(dict.fromkeys(source for each in reads.values() for source in each.names))
    if inputs is None or not reads:
        return DelaySizes(tuple(Taken(name, each, None) for name, each in reads.items()), margin)
    most = {name: dict.fromkeys(MEMORIES, 0) for name in reads}
    totals = dict.fromkeys(sources, 0)
    samples = steps = 0
    for spikes in _recorded(network, inputs, sources, progress):
        samples, steps = samples + spikes[sources[0]].samples, spikes[sources[0]].steps
        for source, each in spikes.items():
            totals[source] += len(each.moments)
        for name, each in reads.items():
            for memory in MEMORIES:
                most[name][memory] = max(most[name][memory], observed(memory, each, spikes))
    taken_by = tuple(Taken(name, each, most[name]) for name, each in reads.items())
    return DelaySizes(taken_by, margin, samples, steps, {name: count / samples for name, count in totals.items()})


def _recorded(
    network: NetworkOp, inputs: Mapping[str, Data], sources: Sequence[str], progress: Progress | None
) -> Iterator[dict[str, Spikes]]:
    """The spikes of some sources, a few samples at a time; all at once where the inputs are lists of events."""
    arrays = network_of(network)
    if all(isinstance(inputs.get(name), Events) for name in arrays.inputs):
        listed = run(arrays, inputs, record=sources, lists=True, progress=progress).events
        yield {name: _listed(events) for name, events in listed.items()}
        return
    for _, signals in chunks(arrays, inputs, record=sources, progress=progress):
        yield {name: Spikes.of_array(_flat(signals[name])) for name in sources}


def _listed(events: Events) -> Spikes:
    some = events.value != 0
    samples, steps, *shape = events.shape
    size = int(np.prod(shape))
    return Spikes.of_events(events.sample[some], events.step[some], events.index[some], (samples, steps, size))


def _flat(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(*array.shape[:2], -1)
