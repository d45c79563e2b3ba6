"""Timed graphs: the weighted, token-carrying directed graphs on which all of the analysis works."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnir.maxplus.errors import MaxPlusError

Integers = NDArray[np.int64]
"""A vector of 64-bit integers."""

LARGEST = 1 << 62
"""The greatest magnitude of a time or a number of tokens."""


@dataclass(frozen=True, eq=False)
class TimedGraph:
    """A directed multigraph whose edges carry a time and a number of initial tokens (a timed event graph).

    Node v fires again and again; with x_k(v) the start of its firing k, edge e = (u, v) states

        x_k(v) >= x_{k - tokens(e)}(u) + time(e)      (k >= tokens(e); earlier tokens are there at the start)

    so `time` is the delay of the edge, in general the firing time of its source. Homogeneous SDF graphs are such
    graphs: Baccelli, Cohen, Olsder, Quadrat, "Synchronization and Linearity", chapter 2.

    `size` nodes 0..size-1; `source`, `target`, `time`, `tokens` are int64 vectors with one entry per edge. Anything
    that converts exactly is accepted; the arrays are copied and made read-only, but for int64 vectors that are
    read-only already and own their memory, which are kept (see `frozen`). Times may be negative, tokens not; the
    magnitude of both is at most 2**62. Raises `MaxPlusError` for anything malformed.
    """

    size: int
    source: Integers
    target: Integers
    time: Integers
    tokens: Integers

    def __post_init__(self) -> None:
        if self.size < 0:
            raise MaxPlusError(f"a graph cannot have {self.size} nodes")
        for name in ("source", "target", "time", "tokens"):
            object.__setattr__(self, name, _integers(name, getattr(self, name)))
        lengths = {name: len(getattr(self, name)) for name in ("source", "target", "time", "tokens")}
        if len(set(lengths.values())) > 1:
            raise MaxPlusError(f"one entry per edge expected in each array, got lengths {lengths}")
        for name, ends in (("source", self.source), ("target", self.target)):
            if ends.size and not 0 <= ends.min() <= ends.max() < self.size:
                bad = np.flatnonzero((ends < 0) | (ends >= self.size))[0]
                raise MaxPlusError(f"{name} of edge {bad} is node {ends[bad]}, outside 0..{self.size - 1}")
        if self.tokens.size and self.tokens.min() < 0:
            bad = np.flatnonzero(self.tokens < 0)[0]
            raise MaxPlusError(f"edge {bad} has {self.tokens[bad]} tokens; tokens cannot be negative")

    @classmethod
    def from_edges(cls, size: int, edges: Iterable[tuple[int, int, int, int]]) -> "TimedGraph":
        """The graph with `size` nodes and edges given as (source, target, time, tokens)."""
        rows = list(edges)
        columns: list[list[int]] = [[row[i] for row in rows] for i in range(4)]
        return cls(size, *(_integers("edges", column) for column in columns))

    @property
    def edge_count(self) -> int:
        """The number of edges."""
        return len(self.source)

    def ratio(self, cycle: Sequence[int] | Integers) -> Fraction:
        """Sum of times / sum of tokens over `cycle`, a closed walk of edge indices, exact.

        Raises `MaxPlusError` when the edges do not form a closed walk or carry no token.
        """
        edges = np.asarray(cycle, dtype=np.int64)
        if not edges.size or not np.array_equal(self.target[edges], self.source[np.roll(edges, -1)]):
            raise MaxPlusError(f"edges {list(cycle)} are not a cycle")
        tokens = _total(self.tokens[edges])
        if not tokens:
            raise MaxPlusError(f"the cycle {list(cycle)} has no token")
        return Fraction(_total(self.time[edges]), tokens)


def _total(column: Integers) -> int:
    """The sum, exact for any entries."""
    if len(column) * max(int(column.max()), -int(column.min())) <= LARGEST:
        return int(column.sum())
    return sum(column.tolist())


def _integers(name: str, given: ArrayLike) -> Integers:
    try:
        array: NDArray[Any] = np.asarray(given)
        whole = array.dtype.kind in "iu" or all(type(entry) is int for entry in array.flat)
        if not whole:
            raise MaxPlusError(f"{name} must hold integers, not {array.dtype}")
        if array.size and max(int(array.max()), -int(array.min())) > LARGEST:
            raise OverflowError
        kept = array is given and array.dtype == np.int64 and array.base is None and not array.flags.writeable
        copy = array if kept else np.array(array, dtype=np.int64, order="C")
    except OverflowError:
        raise MaxPlusError(f"{name} holds a number of magnitude greater than 2**62") from None
    if copy.ndim != 1:
        raise MaxPlusError(f"{name} must be a vector, got shape {copy.shape}")
    copy.flags.writeable = False
    return copy


def frozen(*columns: Integers) -> tuple[Integers, ...]:
    """The same arrays, read-only from now on, so that a `TimedGraph` may keep them. No other view may write to them."""
    for column in columns:
        column.flags.writeable = False
    return columns
