"""The sequence by waits, against `graphlib`, and what it says of cycles."""

from graphlib import TopologicalSorter
from random import Random

import numpy as np
import pytest

from snnir.maxplus import Deadlock
from snnir.maxplus.graph import Integers
from snnir.schedule.waiting_order import waiting_order


def columns(edges: list[tuple[int, int]]) -> tuple[Integers, Integers]:
    source, target = np.array(edges, np.int64).reshape(-1, 2).T
    return source, target


@pytest.mark.parametrize("seed", range(300))
def test_same_sequence_as_graphlib(seed: int) -> None:
    random = Random(seed)
    size = random.randint(1, 12)
    rank = random.sample(range(size), size)
    pairs = [(random.randrange(size), random.randrange(size)) for _ in range(random.randint(0, 25))]
    edges = [(a, b) if rank[a] < rank[b] else (b, a) for a, b in pairs if a != b]
    needs: dict[int, list[int]] = {node: [] for node in range(size)}
    for before, after in edges:
        needs[after].append(before)
    assert waiting_order(size, *columns(edges)).tolist() == list(TopologicalSorter(needs).static_order())


def test_cycle_is_a_deadlock() -> None:
    with pytest.raises(Deadlock, match="wait for each other"):
        waiting_order(3, *columns([(0, 1), (1, 2), (2, 1)]))
