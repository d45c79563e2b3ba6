"""Every method of every kind of synapses against the simulator's operator for the same projection."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from synapse_cases import Case, conv, dense, fitting, listed, one_to_one, plain, pool, selected

from snnir.synapses import Conv, Dense, Listed, OneToOne, Selected, chained, targets_of
from snnir.windows import Windows

KINDS = {
    "dense": dense(),
    "one-to-one": one_to_one(),
    "conv": conv(),
    "pool": pool(),
    "listed": listed(),
    "selected": selected(),
}
EXAMPLES = settings(max_examples=120, deadline=None)


def some(data: Any, size: int) -> NDArray[np.int64]:
    """Some distinct numbers below `size`, in any order; perhaps none, perhaps all."""
    numbers = data.draw(st.lists(st.integers(0, size - 1), unique=True, max_size=size))
    return np.array(numbers, np.int64)


def check(found: Case, data: Any) -> None:
    """All methods, for all neurons and for some."""
    synapses, weights, connected = found.synapses, found.weights, found.connected
    assert (synapses.sources, synapses.targets) == weights.shape
    assert np.array_equal(synapses.fanin(), connected.sum(axis=0))
    assert np.array_equal(synapses.outdegree(), connected.sum(axis=1))
    assert synapses.count == connected.sum()
    sources, targets = some(data, synapses.sources), some(data, synapses.targets)
    every = np.arange(synapses.sources), np.arange(synapses.targets)
    for chosen in ((sources, targets), every, (sources, every[1]), (every[0], targets)):
        grid = np.ix_(*chosen)
        assert np.array_equal(synapses.connected(*chosen), connected[grid])
        assert np.array_equal(synapses.block(*chosen), weights[grid])
        assert synapses.block(*chosen).dtype == np.float64
        check_marks(found, *chosen)
    assert np.array_equal(synapses.inputs(targets), np.flatnonzero(connected[:, targets].any(axis=1)))
    check_matrices(found)


def check_marks(found: Case, sources: Any, targets: Any) -> None:
    """Sums of marks modulo 2**64."""
    marks = np.random.default_rng(0).integers(1, 1 << 64, found.synapses.sources, np.uint64)
    sums, read = found.synapses.gathered(sources, targets, marks[sources])
    some = found.connected[np.ix_(sources, targets)]
    assert np.array_equal(sums, np.where(some, marks[sources][:, None], np.uint64(0)).sum(axis=0, dtype=np.uint64))
    assert np.array_equal(read, some.any(axis=1))
    whole = np.where(found.connected, marks[:, None], np.uint64(0)).sum(axis=0, dtype=np.uint64)
    assert np.array_equal(found.synapses.marked(marks), whole)


def check_matrices(found: Case) -> None:
    """Lanes hold all weights of their targets; sparse matrices hold synapses of weight 0 too."""
    lanes = found.synapses.lanes()
    for target, lane in enumerate(lanes.of):
        mine = found.weights[found.connected[:, target], target]
        missing = np.setdiff1d(mine, lanes.weights[lane])
        assert not missing.size, (target, missing)
    ones, weighted = found.synapses.csr(), found.synapses.weighted()
    for matrix in (ones, weighted):
        assert matrix.shape == found.weights.T.shape
        assert matrix.nnz == found.connected.sum()
        assert all((np.diff(matrix.indices[a:b]) > 0).all() for a, b in pairwise(matrix.indptr.tolist()))
    assert np.array_equal(ones.toarray(), found.connected.T)
    assert np.array_equal(weighted.toarray(), found.weights.T)


@pytest.mark.parametrize("kind", KINDS)
@EXAMPLES
@given(data=st.data())
def test_every_method(kind: str, data: Any) -> None:
    check(data.draw(KINDS[kind]), data)


@EXAMPLES
@given(data=st.data())
def test_two_in_a_row(data: Any) -> None:
    first = data.draw(st.one_of(plain(), selected(), pool()))
    second = data.draw(fitting(first))
    ways = first.connected.astype(int) @ second.connected.astype(int)
    both = chained(first.synapses, second.synapses)
    rounded = Case(both, first.weights @ second.weights, ways > 0)
    np.testing.assert_allclose(both.weighted().toarray(), rounded.weights.T, rtol=1e-12, atol=1e-12)
    check(Case(both, both.weighted().toarray().T, rounded.connected), data)


@EXAMPLES
@given(data=st.data(), keep=st.booleans())
def test_some_targets(data: Any, keep: bool) -> None:
    found = data.draw(st.one_of(plain(), selected()))
    chosen = some(data, found.synapses.targets)
    part = targets_of(found.synapses, chosen, keep=keep)
    if not keep:
        if len(chosen):
            check(Case(part, found.weights[:, chosen], found.connected[:, chosen]), data)
        return
    left = np.zeros(found.synapses.targets, np.bool_)
    left[chosen] = True
    check(Case(part, np.where(left, found.weights, 0.0), found.connected & left), data)


def pooled(size: int, kernel: int, low: int = 0, high: int = 0, stride: int | None = None) -> Conv:
    windows = Windows.of((size, size), (kernel,) * 2, (stride or kernel,) * 2, (low,) * 2, (high,) * 2)
    return Conv.pool(2, windows, 1.0 / kernel**2)


def convolved(first: Conv, low: int, high: int, kernel: int = 3, dilation: int = 1) -> Conv:
    weights = np.random.default_rng(0).integers(-9, 9, (3, 2, kernel, kernel)).astype("f4")
    size = first.windows.result
    windows = Windows.of(size, (kernel,) * 2, (1, 1), (low,) * 2, (high,) * 2, (dilation,) * 2)
    return Conv(weights, 2, windows, 1)


@pytest.mark.parametrize(
    ("first", "low", "high", "dilation", "stays"),
    [
        (pooled(12, 2), 1, 1, 1, True),  # the usual one
        (pooled(12, 2), 0, 2, 1, True),
        (pooled(13, 2), 0, 0, 1, True),
        (pooled(13, 2), 1, 0, 1, False),  # zeros in front alone would do, but are not told from those behind
        (pooled(13, 2), 1, 1, 1, False),  # behind the last window is a row that is none of the zeros
        (pooled(13, 2, 0, 1), 1, 1, 1, True),
        (pooled(12, 3, stride=1), 0, 0, 1, True),  # windows overlap
        (pooled(12, 3, stride=1), 1, 1, 1, False),  # and would reach into the planes from outside
        (pooled(12, 2, stride=3), 0, 0, 1, False),  # gaps between the windows
        (pooled(12, 2), 1, 1, 2, False),
    ],
)
def test_a_convolution_of_a_pool(first: Conv, low: int, high: int, dilation: int, stays: bool) -> None:
    second = convolved(first, low, high, 2 if dilation > 1 else 3, dilation)
    both = chained(first, second)
    assert isinstance(both, Conv) == stays
    assert np.array_equal(both.weighted().toarray(), (second.weighted() @ first.weighted()).toarray())
    assert np.array_equal(both.csr().toarray(), (second.csr().astype(int) @ first.csr().astype(int)).toarray() > 0)


def test_structure_that_stays() -> None:
    weights = np.arange(12.0).reshape(3, 4)
    pool = Conv.pool(1, Windows.of((8,), (2,), (2,), (0,), (0,)), 0.5)
    assert isinstance(chained(pool, Dense(weights)), Dense)
    assert isinstance(chained(OneToOne(np.array([0.5]), 4), Dense(weights)), Dense)
    some = Selected(OneToOne(np.array([0.5]), 4), np.array([3, 1, 0, 5]), 6)
    found = chained(some, Dense(weights))
    assert isinstance(found, Selected)
    assert isinstance(found.inner, Dense)
    assert isinstance(targets_of(Dense(weights), np.array([2, 0])), Dense)
    assert isinstance(targets_of(OneToOne(weights[0], 4), np.array([2, 0])), Selected)


def test_weights_that_cancel_are_synapses() -> None:
    first = Listed(np.array([1.0, -1.0]), np.array([0, 0]), np.array([0, 1]), (2, 1))
    for second in (Dense(np.ones((1, 2))), Listed(np.ones(2), np.array([0, 1]), np.zeros(2, int), (1, 2))):
        both = chained(first, second)
        assert both.fanin().tolist() == [1]
        assert both.block(np.array([0]), np.array([0])).tolist() == [[0.0]]


def test_large_convolutions_are_not_expanded() -> None:
    """What is asked of the synapses of AlexNet's second convolution takes no memory for single synapses."""
    windows = Windows.of((27, 27), (5, 5), (1, 1), (2, 2), (2, 2))
    synapses = Conv(np.ones((256, 96, 5, 5), "f4"), 96, windows, 1)
    assert synapses.count == 256 * 96 * (27 * 5 - 6) ** 2
    assert int(synapses.outdegree().max()) == 25 * 256
    assert len(synapses.inputs(np.array([13 * 27 + 13]))) == 25 * 96


def test_some_channels_of_a_pool() -> None:
    pool, places = pooled(6, 2, 0, 1), 9
    part = targets_of(pool, places + np.arange(places))
    assert isinstance(part, Selected)
    assert isinstance(part.inner, Conv)
    assert np.array_equal(part.weighted().toarray(), pool.weighted().toarray()[places:])
    assert isinstance(targets_of(pool, np.arange(1, places)), Listed)
