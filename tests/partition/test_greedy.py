"""Clustering: every synapse in exactly one part, within the crossbar, the same every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.partition import Demand, Part, PartitionError, greedy


def shared(population: int, neurons: int, axons: Sequence[int]) -> Demand:
    """Neurons that all read the same axons."""
    return Demand(population, np.arange(neurons), np.array(sorted(set(axons)), np.int64))


@st.composite
def demands(draw: st.DrawFn) -> list[Demand]:
    """One to four populations; each as one demand, or as one per neuron with axons of its own."""
    found: list[Demand] = []
    for number in range(draw(st.integers(1, 4))):
        axons = draw(st.lists(st.integers(0, 60), max_size=30))
        neurons = draw(st.integers(1, 30))
        if draw(st.booleans()):
            found.append(shared(number, neurons, axons))
            continue
        for n in range(neurons):
            own = sorted({*axons[:4], 61 + n})
            found.append(Demand(number, np.array([n]), np.array(own, np.int64)))
    return found


def pairs(part: Part | Demand) -> set[tuple[int, int, int]]:
    """(population, neuron, axon)."""
    return {(part.population, int(n), int(a)) for n in part.neurons for a in part.axons}


@settings(max_examples=200, deadline=None)
@given(demands(), st.integers(2, 20), st.integers(2, 20))
def test_every_synapse_once_and_within_the_crossbar(wanted: list[Demand], rows: int, columns: int) -> None:
    plan = greedy(wanted, rows, columns, digital=True)
    held = Counter(pair for parts in plan for part in parts for pair in pairs(part))
    needed = {pair for demand in wanted for pair in pairs(demand)}
    assert all(held[pair] == 1 for pair in needed)
    for parts in plan:
        assert parts
        assert len({int(a) for part in parts for a in part.axons}) <= rows
        assert sum(len(part.neurons) for part in parts) <= columns
        for part in parts:
            assert (np.diff(part.axons) > 0).all()
            assert len(set(part.neurons.tolist())) == len(part.neurons) > 0
    sitting = Counter((p.population, int(n)) for parts in plan for p in parts if not p.is_partial for n in p.neurons)
    assert sitting == Counter((d.population, int(n)) for d in wanted for n in d.neurons)
    check_homes([part for parts in plan for part in parts])


def check_homes(parts: Sequence[Part]) -> None:
    """Parts of one split: one holds the neurons, the others add to it, none reads an axon that another reads."""
    homes = {part.home for part in parts if part.home is not None}
    for home in homes:
        mine = [part for part in parts if part.home == home]
        assert len(mine) > 1
        assert sum(not part.is_partial for part in mine) == 1
        assert len({(part.population, tuple(part.neurons)) for part in mine}) == 1
        axons = np.concatenate([part.axons for part in mine])
        assert len(np.unique(axons)) == len(axons)
        sizes = [len(part.axons) for part in mine]
        assert max(sizes) - min(sizes) <= 1
    assert all(part.home is not None for part in parts if part.is_partial)


@settings(max_examples=50, deadline=None)
@given(demands(), st.integers(2, 20), st.integers(2, 20))
def test_the_same_every_time(wanted: list[Demand], rows: int, columns: int) -> None:
    def text() -> str:
        plan = greedy(wanted, rows, columns, digital=True)
        return repr(
            [[(p.population, p.neurons.tolist(), p.axons.tolist(), p.home, p.is_partial) for p in c] for c in plan]
        )

    assert text() == text()


@settings(max_examples=50, deadline=None)
@given(demands(), st.integers(2, 20), st.integers(2, 20))
def test_without_adders_wide_neurons_are_refused(wanted: list[Demand], rows: int, columns: int) -> None:
    wide = [demand for demand in wanted if len(demand.axons) > rows]
    if wide:
        with pytest.raises(
            PartitionError, match=f"read {len(wide[0].axons)} axons, a crossbar has {rows} rows"
        ) as info:
            greedy(wanted, rows, columns, digital=False)
        assert info.value.population == wide[0].population
    else:
        assert not any(p.is_partial for parts in greedy(wanted, rows, columns, digital=False) for p in parts)


@pytest.mark.parametrize(
    ("sizes", "crossbar", "clusters"),
    [
        ((784, 100, 10), 128, 8),  # ceil(784 / 128) = 7 parts of 100 neurons, and the last layer
        ((64, 128, 10), 128, 2),
        ((64, 128, 10), 64, 4),  # two of hidden, and 128 inputs of 10 neurons in two parts
        ((64, 64, 64), 64, 2),
        ((32, 16, 16), 32, 2),
        ((16, 16, 16), 32, 1),  # 32 rows, 32 columns: all on one
    ],
)
def test_layers(sizes: tuple[int, ...], crossbar: int, clusters: int) -> None:
    start, wanted = 0, list[Demand]()
    for number, (fan, size) in enumerate(pairwise(sizes)):
        wanted.append(shared(number, size, range(start, start + fan)))
        start += fan
    assert len(greedy(wanted, crossbar, crossbar, digital=True)) == clusters


def test_neurons_go_where_their_inputs_are() -> None:
    wanted = [shared(0, 2, range(4)), shared(1, 2, range(10, 14)), shared(2, 1, [11, 12]), shared(3, 1, [0])]
    (first, second) = greedy(wanted, 4, 4, digital=True)
    assert [part.population for part in first] == [0, 3]
    assert [part.population for part in second] == [1, 2]


def test_no_demand_and_no_axon() -> None:
    assert greedy([], 4, 4, digital=True) == []
    ((part,),) = greedy([shared(0, 3, [])], 4, 4, digital=False)
    assert len(part.axons) == 0
