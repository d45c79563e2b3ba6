"""Placement: never worse than row-major, optimal where pairwise exchange must be, within the tiles."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir.partition import row_major, swap_placement
from snnir.partition.placement import cost, hops


@st.composite
def problems(
    draw: st.DrawFn, most: int = 8
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int], int, int]:
    """Traffic, traffic with the host, mesh, crossbars per tile, host tile."""
    mesh = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    per_tile = draw(st.integers(1, 3))
    tiles = mesh[0] * mesh[1]
    count = draw(st.integers(0, min(most, tiles * per_tile)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = 10.0 ** draw(st.integers(-3, 12))
    traffic = rng.integers(0, 5, (count, count)) * rng.random((count, count)) * scale
    return traffic, rng.random(count) * scale, mesh, per_tile, draw(st.integers(0, tiles - 1))


@settings(max_examples=200, deadline=None)
@given(problems())
def test_never_worse_than_row_major_and_no_swap_helps(
    problem: tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int], int, int],
) -> None:
    traffic, host, mesh, per_tile, host_tile = problem
    distance = hops(mesh)
    found = swap_placement(traffic, host, mesh, per_tile, host_tile)
    assert found == swap_placement(traffic, host, mesh, per_tile, host_tile)
    assert len(found) == len(traffic)
    assert max(Counter(found).values(), default=0) <= per_tile
    assert set(found) <= set(range(mesh[0] * mesh[1]))
    best = cost(found, traffic, host, host_tile, distance)
    start = cost(row_major(len(traffic), mesh[0] * mesh[1], per_tile), traffic, host, host_tile, distance)
    rounding = 1e-6 * (traffic.sum() + host.sum() + 1) * 4
    assert best <= start + rounding
    for a in range(len(found)):
        for b in range(a):
            other = found.copy()
            other[a], other[b] = other[b], other[a]
            assert cost(other, traffic, host, host_tile, distance) >= best - rounding
        for tile in set(range(mesh[0] * mesh[1])) - {t for t, n in Counter(found).items() if n == per_tile}:
            other = found.copy()
            other[a] = tile
            assert cost(other, traffic, host, host_tile, distance) >= best - rounding


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 3))
def test_optimal_when_only_the_host_is_talked_to(seed: int, host_tile: int) -> None:
    host = np.random.default_rng(seed).random(4)
    found = swap_placement(np.zeros((4, 4)), host, (2, 2), 1, host_tile)
    distance = hops((2, 2))
    assert cost(found, np.zeros((4, 4)), host, host_tile, distance) == pytest.approx(
        min(cost(list(p), np.zeros((4, 4)), host, host_tile, distance) for p in permutations(range(4)))
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_optimal_for_two_and_three_clusters_on_a_line(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for count in (2, 3):  # any arrangement is at most two exchanges away, and each of them helps
        traffic, host = np.triu(rng.random((count, count)), 1), np.zeros(count)
        found = swap_placement(traffic, host, (count, 1), 1, 0)
        distance = hops((count, 1))
        best = min(cost(list(p), traffic, host, 0, distance) for p in permutations(range(count)))
        assert cost(found, traffic, host, 0, distance) == pytest.approx(best)


def test_by_hand() -> None:
    # a chain 0 -> 1 -> 2 -> 3 in a row of four tiles, in the wrong order at first, with the host at the right end
    traffic = np.zeros((4, 4))
    traffic[0, 2] = traffic[2, 1] = traffic[1, 3] = 10.0
    host = np.array([0.0, 0.0, 0.0, 1.0])
    assert swap_placement(traffic, host, (4, 1), 1, 3) == [0, 2, 1, 3]
    assert swap_placement(np.zeros((2, 2)), np.array([1.0, 5.0]), (2, 2), 1, 3)[1] == 3


def test_hops_and_row_major() -> None:
    assert hops((3, 2))[0].tolist() == [0, 1, 2, 1, 2, 3]
    assert row_major(5, 3, 2) == [0, 0, 1, 1, 2]
    with pytest.raises(ValueError, match="7 clusters, but only 6 crossbars"):
        row_major(7, 3, 2)
