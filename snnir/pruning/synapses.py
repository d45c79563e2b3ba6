"""Delayed synapses as lists, and which of them are the strongest.

Magnitude pruning of parallel synapses with different delays, between each two neurons or in groups of all synapses that
one delay of one source neuron feeds: arXiv 2404.10597, section II. There, groups went by their smallest weights; here
they go by their norm, which keeps a group with a few large weights.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Mask = NDArray[np.bool_]
Norm = Literal["l1", "l2"]


@dataclass(frozen=True)
class Delayed:
    """Synapses, one entry each; those with the same ends and delay add up."""

    weights: Reals
    origins: Integers
    ends: Integers
    delays: Integers
    """Steps."""

    def __len__(self) -> int:
        return len(self.weights)

    def some(self, kept: Mask) -> "Delayed":
        """Those that `kept` marks."""
        return Delayed(self.weights[kept], self.origins[kept], self.ends[kept], self.delays[kept])


@dataclass(frozen=True)
class Kept:
    """How many delays of each owner stay: a number, or a share of those that it has, rounded up."""

    number: int | None = None
    """1 or more."""
    share: float | None = None
    """Above 0, at most 1."""

    def of(self, counts: Integers) -> Integers:
        """How many of so many stay."""
        if self.number is not None:
            return np.minimum(counts, self.number)
        assert self.share is not None
        # a share of 0.1 of 10 is 1, though 0.1 * 10 may be a little more
        return np.minimum(counts, np.ceil(counts * self.share - 1e-9).astype(np.int64))


def strongest_of_pairs(synapses: Delayed, kept: Kept) -> Mask:
    """Which synapses stay, (n,), where each source and target keep the delays with the largest weights between them.

    Of equally strong ones the shorter delays stay.
    """
    targets = int(synapses.ends.max(initial=0)) + 1
    return _strongest(synapses.origins * targets + synapses.ends, synapses, "l1", kept)


def strongest_of_sources(synapses: Delayed, kept: Kept, norm: Norm = "l1") -> Mask:
    """Which synapses stay, (n,), where each source keeps the delays whose weights to all targets are the strongest.

    Of equally strong ones the shorter delays stay.
    """
    return _strongest(synapses.origins, synapses, norm, kept)


def cells(synapses: Delayed) -> tuple[Integers, Reals]:
    """The number of the cell of each synapse, (n,), and the weight of each cell: synapses that add up share one."""
    targets, levels = (int(each.max(initial=0)) + 1 for each in (synapses.ends, synapses.delays))
    keys = (synapses.origins * targets + synapses.ends) * levels + synapses.delays
    _, first, cell = np.unique(keys, return_index=True, return_inverse=True)
    weights: Reals = np.bincount(cell, synapses.weights, len(first))  # pyright: ignore[reportAssignmentType]
    return cell, weights


def groups(owners: Integers, synapses: Delayed, norm: Norm) -> tuple[Integers, Integers, Integers, Reals]:
    """The groups of one owner and delay, by ascending owner and delay.

    Returns the group of each synapse (n,), and owner, delay and magnitude of each group. A magnitude is the sum of the
    absolute weights of cells for `l1`, of their squares for `l2`: both add up over groups.
    """
    levels = int(synapses.delays.max(initial=0)) + 1
    keys, group = np.unique(owners * levels + synapses.delays, return_inverse=True)
    cell, weights = cells(synapses)
    of_cell = np.zeros(len(weights), np.int64)
    of_cell[cell] = group
    sizes = np.abs(weights) if norm == "l1" else weights**2
    magnitude: Reals = np.bincount(of_cell, sizes, len(keys))  # pyright: ignore[reportAssignmentType]
    return group, keys // levels, keys % levels, magnitude


def _strongest(owners: Integers, synapses: Delayed, norm: Norm, kept: Kept) -> Mask:
    group, owner, delay, magnitude = groups(owners, synapses, norm)
    _, owner, counts = np.unique(owner, return_inverse=True, return_counts=True)
    order = np.lexsort((delay, -magnitude, owner))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return (rank < kept.of(counts)[owner])[group]


def last_delays(origins: Integers, delays: Integers, sources: int) -> Integers:
    """The delay at which each source is read last, (sources,): how many steps its events live; 0 where none is read."""
    last = np.zeros(sources, np.int64)
    np.maximum.at(last, origins, delays)
    return last


def entries(last: Integers) -> Integers:
    """The entries that each source takes of a shared circular delay queue if it fires in every step, (sources,).

    2 L + 1 with the last delay L; none where L is 0, for such events need not wait (arXiv 2404.10597, section III).
    """
    return np.where(last > 0, 2 * last + 1, 0)
