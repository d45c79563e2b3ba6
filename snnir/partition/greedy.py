"""Greedy clustering: shared inputs first, best overlap, first fit.

The idea is that of DFSynthesizer and its predecessor (arXiv 2108.02023, 2004.03717): walk over the neurons and pack
each into the cluster whose inputs it shares most, under the crossbar's rows and columns. Where they add neurons one by
one and split a large fan-in into a serial chain, this packs all neurons that read the same axons together and splits a
large fan-in into parallel parts of equal size, whose partial sums are added digitally.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from snnir.partition.demand import Demand, Part, PartitionError


@dataclass
class _Cluster:
    columns: int
    axons: int = 0
    """A bit for each axon that is already a row."""
    parts: list[Part] = field(default_factory=list[Part])


def greedy(demands: Sequence[Demand], rows: int, columns: int, *, digital: bool) -> list[list[Part]]:
    """The parts of each cluster: at most `rows` distinct axons and `columns` neurons (or partial sums).

    Demands are packed in their order. With `digital`, neurons that read more than `rows` axons are split into partial
    sums; without, they raise `PartitionError`. Neurons of one population in one cluster become one part.
    """
    clusters: list[_Cluster] = []
    for part in _parts(demands, rows, columns, digital=digital):
        mask = _mask(part.axons)
        cluster = _best(clusters, mask, len(part.neurons), rows)
        if cluster is None:
            cluster = _Cluster(columns)
            clusters.append(cluster)
        cluster.axons |= mask
        cluster.columns -= len(part.neurons)
        cluster.parts.append(part)
    return [_merged(cluster.parts) for cluster in clusters]


def _parts(demands: Iterable[Demand], rows: int, columns: int, *, digital: bool) -> Iterator[Part]:
    """Demands cut to the crossbar: neurons by columns, axons by rows, each into pieces of equal size."""
    homes = 0
    for demand in demands:
        fanin = len(demand.axons)
        if fanin > rows and not digital:
            raise PartitionError(demand.population, f"its neurons read {fanin} axons, a crossbar has {rows} rows")
        for neurons in np.array_split(demand.neurons, -(-len(demand.neurons) // columns)):
            if fanin <= rows:
                yield Part(demand.population, neurons, demand.axons)
                continue
            for number, axons in enumerate(np.array_split(demand.axons, -(-fanin // rows))):
                yield Part(demand.population, neurons, axons, homes, number > 0)
            homes += 1


def _mask(axons: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> int:
    if not len(axons):
        return 0
    bits = np.zeros(int(axons.max()) + 1, np.uint8)
    bits[axons] = 1
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _best(clusters: Sequence[_Cluster], mask: int, neurons: int, rows: int) -> _Cluster | None:
    """The cluster with room that shares most axons; the first of equals."""
    best, shared = None, -1
    for cluster in clusters:
        if cluster.columns >= neurons and (cluster.axons | mask).bit_count() <= rows:
            overlap = (cluster.axons & mask).bit_count()
            if overlap > shared:
                best, shared = cluster, overlap
    return best


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Unsplit parts of one population as one part, at the place of the first."""
    merged: dict[object, Part] = {}
    for number, part in enumerate(parts):
        key = ("split", number) if part.home is not None else part.population
        known = merged.get(key)
        if known is not None:
            neurons = np.concatenate([known.neurons, part.neurons])
            part = Part(part.population, np.sort(neurons), np.union1d(known.axons, part.axons))  # noqa: PLW2901
        merged[key] = part
    return list(merged.values())
