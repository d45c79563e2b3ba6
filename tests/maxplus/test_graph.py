"""Timed graphs: what is accepted, what is refused."""

from fractions import Fraction

import numpy as np
import pytest

from snnir.maxplus import MaxPlusError, TimedGraph


def build(
    size: int = 2,
    source: object = (0, 1),
    target: object = (1, 0),
    time: object = (3, 4),
    tokens: object = (0, 1),
) -> TimedGraph:
    return TimedGraph(size, source, target, time, tokens)  # pyright: ignore[reportArgumentType]


def test_the_arrays_are_private_64_bit_copies() -> None:
    time = np.array([3, 4], np.int16)
    graph = build(time=time)
    time[0] = 99
    assert graph.time.tolist() == [3, 4]
    assert {array.dtype for array in (graph.source, graph.target, graph.time, graph.tokens)} == {np.dtype(np.int64)}
    with pytest.raises(ValueError, match="read-only"):
        graph.time[0] = 5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": -1}, "cannot have -1 nodes"),
        ({"source": (0, 2)}, r"source of edge 1 is node 2, outside 0\.\.1"),
        ({"target": (-1, 0)}, "target of edge 0 is node -1"),
        ({"tokens": (0, -1)}, "edge 1 has -1 tokens"),
        ({"tokens": (0,)}, "one entry per edge"),
        ({"time": (1.5, 2)}, "time must hold integers"),
        ({"time": (True, False)}, "time must hold integers"),
        ({"time": ((1, 2), (3, 4))}, "time must be a vector"),
        ({"time": (1 << 70, 2)}, r"greater than 2\*\*62"),
        ({"time": (-(1 << 62) - 1, 2)}, r"greater than 2\*\*62"),
        ({"tokens": np.array([1 << 63, 0], np.uint64)}, r"greater than 2\*\*62"),
    ],
)
def test_malformed_graphs_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(MaxPlusError, match=message):
        build(**wrong)  # pyright: ignore[reportArgumentType]


def test_the_ratio_of_a_cycle_is_exact_for_sums_beyond_64_bits() -> None:
    huge = 1 << 62
    graph = TimedGraph.from_edges(4, [(node, (node + 1) % 4, huge - node, 1 if node else 0) for node in range(4)])
    assert graph.ratio([0, 1, 2, 3]) == Fraction(4 * huge - 6, 3)


@pytest.mark.parametrize(("cycle", "message"), [((), "not a cycle"), ((0,), "not a cycle"), ((2,), "no token")])
def test_the_ratio_of_something_else_is_refused(cycle: tuple[int, ...], message: str) -> None:
    graph = TimedGraph.from_edges(2, [(0, 1, 3, 0), (1, 0, 4, 1), (0, 0, 1, 0)])
    with pytest.raises(MaxPlusError, match=message):
        graph.ratio(cycle)
