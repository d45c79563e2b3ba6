"""What every kind of projection can say about its synapses."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snnir.synapses.blocks import Blocks, BoolArray, IntArray, Marks

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BoolMatrix = NDArray[np.bool_]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Lanes:
    """The distinct rows of weights: all targets of one lane have the same weights (of other sources)."""

    of: IntArray
    """The lane of each target."""
    weights: Matrix
    """(lanes, most weights of a target), as stored; filled up with zeros."""


class Synapses(ABC):
    """Synapses from neurons `0..sources-1` to neurons `0..targets-1`.

    A target reads a source or does not; several synapses between the same two neurons are one with the sum of their
    weights. A weight of 0 is a synapse like any other. Arguments that name neurons hold distinct numbers.
    """

    sources: int
    targets: int

    @abstractmethod
    def fanin(self) -> IntArray:
        """How many sources each target reads, (targets,)."""

    @property
    def count(self) -> int:
        """How many synapses there are."""
        return int(self.fanin().sum())

    @abstractmethod
    def outdegree(self) -> IntArray:
        """How many targets read each source, (sources,)."""

    @abstractmethod
    def inputs(self, targets: IntArray) -> IntArray:
        """The sources that any of the targets reads, ascending."""

    @abstractmethod
    def connected(self, sources: IntArray, targets: IntArray) -> BoolMatrix:
        """Whether there is a synapse, (sources, targets)."""

    @abstractmethod
    def block(self, sources: IntArray, targets: IntArray) -> Matrix:
        """The weights as they are stored, (sources, targets), 0 where there is no synapse."""

    @abstractmethod
    def marked(self, marks: Marks) -> Marks:
        """For each target, the sum of the marks of the sources that it reads, modulo 2**64."""

    def gathered(self, sources: IntArray, targets: IntArray, marks: Marks) -> tuple[Marks, BoolArray]:
        """`marked` with some sources alone, for some targets, and whether any of these reads each of the sources.

        `marks` has one entry for each of `sources`.
        """
        return self.gathered_in_blocks(Blocks.one(sources, targets), marks)

    @abstractmethod
    def gathered_in_blocks(self, blocks: Blocks, marks: Marks) -> tuple[Marks, BoolArray]:
        """`gathered` in many blocks at once, each by itself.

        `marks` and what is returned second have one entry for each of `blocks.sources`, what is returned first has one
        for each of `blocks.targets`.
        """

    @abstractmethod
    def lanes(self) -> Lanes:
        """All weights, as stored, in as few rows as the structure allows."""

    @abstractmethod
    def csr(self) -> "csr_array[Any, Any]":
        """(targets, sources) of ones with ascending columns; for what goes neuron by neuron."""

    @abstractmethod
    def weighted(self) -> "csr_array[Any, Any]":
        """`csr` with the weights as they are stored in place of ones; weights of 0 stay entries."""


def with_data(structure: "csr_array[Any, Any]", data: NDArray[Any]) -> "csr_array[Any, Any]":
    """The entries of a sparse matrix with other values, as float64."""
    from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

    values = data.astype(np.float64)
    return csr_array((values, structure.indices, structure.indptr), shape=structure.shape)
