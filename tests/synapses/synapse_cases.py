"""Random synapses of every kind, with the matrix that the simulator's operator of the same projection multiplies by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir import synapses as s
from snnir.sim import convolution, operators, sparse
from snnir.windows import Windows

Array = NDArray[Any]
Draw = Callable[[st.SearchStrategy[int]], int]


@dataclass(frozen=True)
class Case:
    """Synapses, and what they must be."""

    synapses: s.Synapses
    weights: NDArray[np.float64]
    """(sources, targets)."""
    connected: NDArray[np.bool_]
    """(sources, targets)."""


def matrix(operator: operators.Operator) -> NDArray[np.float64]:
    """(sources, targets): what each source alone makes of each target, whenever it arrives."""
    window = np.zeros((operator.span + 1 + operator.span, operator.sources, operator.sources))
    window[operator.span] = np.eye(operator.sources)
    return operator.apply(window, None).astype(np.float64).sum(axis=0)


def case(synapses: s.Synapses, operator: operators.Operator) -> Case:
    """The matrix of an operator, and where it has synapses: with ones for weights."""
    ones = operator.reweighted(np.ones_like(operator.weights)) if operator.weighted else operator
    return Case(synapses, matrix(operator), matrix(ones) > 0)


def _numbers(seed: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Small whole numbers, some of them 0: every sum is exact."""
    return np.random.default_rng(seed).integers(-3, 9, shape).astype("f4")


def _between(draw: Any, low: int, high: int) -> int:
    return draw(st.integers(low, high))


@st.composite
def dense(draw: Any) -> Case:
    """All-to-all, also along the last dimension."""
    repeat, out, inner = _between(draw, 1, 3), _between(draw, 1, 5), _between(draw, 1, 5)
    weights = _numbers(_between(draw, 0, 99), (out, inner))
    return case(s.Dense(weights, repeat), operators.Dense(weights, repeat))


@st.composite
def one_to_one(draw: Any) -> Case:
    """One weight, or one per neuron."""
    size = _between(draw, 1, 8)
    weights = _numbers(_between(draw, 0, 99), (1,) if draw(st.booleans()) else (size,))
    return case(s.OneToOne(weights, size), operators.OneToOne(weights, size))


@st.composite
def windows(draw: Any, *, dilated: bool = True) -> Windows:
    """One or two dimensions with any stride, padding (other in front than behind) and dilation."""
    found: list[tuple[int, ...]] = []
    for _ in range(_between(draw, 1, 2)):
        size, low, high = _between(draw, 1, 7), _between(draw, 0, 2), _between(draw, 0, 2)
        dilation = _between(draw, 1, 3) if dilated else 1
        most = (size + low + high - 1) // dilation + 1
        found.append((size, _between(draw, 1, min(4, most)), _between(draw, 1, 3), low, high, dilation))
    size, kernel, stride, low, high, dilation = zip(*found, strict=True)
    return Windows.of(size, kernel, stride, low, high, dilation)


@st.composite
def conv(draw: Any) -> Case:
    """Convolutions: one group, several, depthwise."""
    groups, w = _between(draw, 1, 3), draw(windows())
    channels, out = groups * _between(draw, 1, 2), groups * _between(draw, 1, 2)
    weights = _numbers(_between(draw, 0, 99), (out, channels // groups, *w.kernel))
    return case(s.Conv(weights, channels, w, groups), convolution.Conv(weights, channels, w, groups))


@st.composite
def pool(draw: Any) -> Case:
    """Pools that sum or average."""
    w, channels, average = draw(windows(dilated=False)), _between(draw, 1, 3), draw(st.booleans())
    weight = 1.0 / (w.kernel[0] * w.kernel[1]) if average else 1.0
    operator = convolution.Pool("avg" if average else "sum", channels, w)
    found = case(s.Conv.pool(channels, w, weight), operator)
    return Case(found.synapses, np.where(found.connected, weight, 0.0), found.connected)


@st.composite
def listed(draw: Any) -> Case:
    """Single synapses, several between two neurons, or none at all."""
    sources, targets, count = _between(draw, 1, 8), _between(draw, 1, 8), _between(draw, 0, 20)
    rng = np.random.default_rng(_between(draw, 0, 9999))
    origins, ends = rng.integers(0, sources, count), rng.integers(0, targets, count)
    weights, shape = _numbers(_between(draw, 0, 99), (count,)), (targets, sources)
    synapses = s.Listed(weights, origins, ends, shape)
    if not count:
        return Case(synapses, np.zeros((sources, targets)), np.zeros((sources, targets), np.bool_))
    return case(synapses, sparse.Sparse(weights, origins, ends, None, shape))


@st.composite
def selected(draw: Any) -> Case:
    """Any of the others over some neurons of a larger source, in any order."""
    inner: Case = draw(st.one_of(dense(), one_to_one(), conv(), pool(), listed()))
    sources = inner.synapses.sources + _between(draw, 0, 4)
    rng = np.random.default_rng(_between(draw, 0, 9999))
    chosen = rng.permutation(sources)[: inner.synapses.sources]
    weights = np.zeros((sources, inner.synapses.targets))
    weights[chosen] = inner.weights
    connected = np.zeros(weights.shape, np.bool_)
    connected[chosen] = inner.connected
    return Case(s.Selected(inner.synapses, chosen, sources), weights, connected)


def plain() -> st.SearchStrategy[Case]:
    """Projections as programs have them."""
    return st.one_of(dense(), one_to_one(), conv(), pool(), listed())


@st.composite
def fitting(draw: Any, first: Case) -> Case:
    """A projection of what another one makes."""
    size = first.synapses.targets
    kind = _between(draw, 0, 3)
    seed = _between(draw, 0, 99)
    if kind == 0:
        weights = _numbers(seed, (_between(draw, 1, 4), size))
        return case(s.Dense(weights), operators.Dense(weights))
    if kind == 1:
        weights = _numbers(seed, (size,))
        return case(s.OneToOne(weights, size), operators.OneToOne(weights, size))
    if kind == 2 and isinstance(first.synapses, s.Conv):
        channels, *plane = first.synapses.shape
        groups = channels if draw(st.booleans()) else 1
        low, high = ((_between(draw, 0, 2), _between(draw, 0, 2)) for _ in range(2))
        kernel = tuple(_between(draw, 1, min(3, n + a + b)) for n, a, b in zip(plane, low, high, strict=True))
        w = Windows.of(tuple(plane), kernel, (_between(draw, 1, 2), _between(draw, 1, 2)), low, high)
        weights = _numbers(seed, (groups * _between(draw, 1, 2), channels // groups, *kernel))
        return case(s.Conv(weights, channels, w, groups), convolution.Conv(weights, channels, w, groups))
    origins, ends = np.random.default_rng(seed).integers(0, size, (2, 6))
    weights, shape = _numbers(seed, (6,)), (size, size)
    return case(s.Listed(weights, origins, ends, shape), sparse.Sparse(weights, origins, ends, None, shape))
