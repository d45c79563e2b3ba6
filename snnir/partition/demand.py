"""What a clustering starts from and what it makes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Demand:
    """Neurons of one population that all read the same axons."""

    population: int
    neurons: IntArray
    axons: IntArray
    """Numbers of axons over the whole program, ascending."""


@dataclass(frozen=True)
class Part:
    """What one cluster holds of a population: the synapses between `axons` and `neurons`."""

    population: int
    neurons: IntArray
    axons: IntArray
    home: int | None = None
    """`None`: the neurons sit here and nothing is added. Parts of split neurons share a number: the first of them in
    order of clusters holds the neurons and adds the partial sums of the others."""
    is_partial: bool = False
    """Whether the neurons sit in another cluster."""


class PartitionError(ValueError):
    """A demand fits no crossbar; `population` says whose."""

    def __init__(self, population: int, message: str) -> None:
        self.population = population
        super().__init__(message)
