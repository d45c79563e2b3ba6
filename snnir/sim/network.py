"""A program as arrays: what the simulator runs and what passes compute on. No IR here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.semantics import Coefficients, Semantics, Value

EXACT_BITS = 53
"""Integers up to 2**53 add exactly in float64."""


@dataclass(frozen=True)
class Projection:
    """Weighted connections from `source` to one population, `delay` steps late."""

    source: str
    """The input or population that is read."""
    indices: NDArray[np.int64]
    """Which of its neurons, in the order of the weights' columns."""
    weights: NDArray[Any]
    """Dense: (targets, sources). One-to-one: (targets,), target n reads `indices[n]`."""
    one_to_one: bool
    scale: Value
    """Factor of the weights: one number, or one per target."""
    bias: Value
    """Constant current per target."""
    delay: int
    key: str
    """The name of the weights, for messages."""
    place: str
    """Where the projection comes from, for messages."""


@dataclass(frozen=True)
class Population:
    """Neurons of one model; they sum the projections in their order."""

    name: str
    size: int
    model: str
    semantics: Semantics
    coefficients: Coefficients
    projections: tuple[Projection, ...]
    place: str

    @cached_property
    def scale(self) -> Value | None:
        """The factor that all projections share, or `None` when they differ (then no crossbar column can hold them)."""
        scales = [p.scale for p in self.projections]
        if all(np.array_equal(np.broadcast_to(s, self.size), np.broadcast_to(scales[0], self.size)) for s in scales):
            return scales[0] if scales else 1.0
        return None

    @cached_property
    def bias(self) -> Value:
        """The sum of the projections' biases, in their order."""
        return sum((p.bias for p in self.projections), start=0.0)

    @cached_property
    def exact(self) -> bool:
        """Whether every sum of weighted inputs, in any order, is exact in float64.

        All summands are multiples of a common unit (1 for integers; for floats the last place of the smallest weight)
        and no sum can exceed 2**53 units: the condition is sum |w| < 2**53 unit, per neuron.
        """
        if self.scale is None:
            return False
        sums = np.zeros(self.size)
        units = np.full(self.size, np.inf)
        for p in self.projections:
            magnitudes = np.abs(p.weights.astype(np.float64)).reshape(self.size, -1)
            sums += magnitudes.sum(axis=1)
            units = np.minimum(units, _units(p.weights, magnitudes))
        return bool((sums < units * 2.0**EXACT_BITS).all())


def _units(weights: NDArray[Any], magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per target, a number of which all weights are multiples."""
    if weights.dtype.kind != "f":
        return np.ones(len(magnitudes))
    single = weights.dtype == np.float32 or bool((magnitudes == magnitudes.astype(np.float32)).all())
    smallest = np.where(magnitudes > 0, magnitudes, np.inf).min(axis=1, initial=np.inf)
    exponents = np.frexp(np.where(np.isinf(smallest), 1.0, smallest))[1]
    return np.ldexp(1.0, exponents - (24 if single else 53))


@dataclass(frozen=True)
class Network:
    """A program: inputs, populations in program order, and which of them the user reads."""

    name: str
    dt: float
    steps: int | None
    inputs: dict[str, int]
    """Number of lines of each input."""
    populations: dict[str, Population]
    outputs: dict[str, str]
    """The input or population behind each output."""

    @property
    def sizes(self) -> dict[str, int]:
        """Number of neurons (or lines) of every input and population."""
        return {**self.inputs, **{name: p.size for name, p in self.populations.items()}}

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Populations that must run together because they depend on each other, in an order of dependence.

        Within a group the order respects connections without delay.
        """
        names = list(self.populations)
        reach = _components(names, {n: {p.source for p in self.populations[n].projections} for n in names})
        return tuple(tuple(self._step_order(group)) for group in reach)

    def _step_order(self, group: Sequence[str]) -> list[str]:
        order: TopologicalSorter[str] = TopologicalSorter()
        for name in group:
            sources = [p.source for p in self.populations[name].projections if p.delay == 0 and p.source in group]
            order.add(name, *sources)
        return list(order.static_order())


def _components(names: Sequence[str], sources: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components in topological order, each in program order."""
    from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    position = {name: i for i, name in enumerate(names)}
    edges = [(position[s], position[n]) for n in names for s in sources[n] if s in position]
    rows, columns = (list(x) for x in zip(*edges, strict=True)) if edges else ([], [])
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(names), len(names)))
    labels: list[int] = connected_components(matrix, connection="strong")[1].tolist()
    order: TopologicalSorter[int] = TopologicalSorter({label: [] for label in labels})
    for row, column in edges:
        if labels[row] != labels[column]:
            order.add(labels[column], labels[row])
    return [[n for n in names if labels[position[n]] == label] for label in order.static_order()]
