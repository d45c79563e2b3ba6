"""The classical clusterings: known results on small cases, and valid plans on random ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir.partition import metrics
from snnir.partition.clustering import ALGORITHMS, cluster
from snnir.partition.clustering.spinemap import Pair
from snnir.partition.problem import Options, Part, PartitionError, Plan, Problem
from snnir.partition.units import units_of
from tests.partition.problems import cliques, problem, problems, recurrent
from tests.partition.projections import dense, listed

QUICK: dict[str, dict[str, float]] = {"pso": {"particles": 3, "iterations": 3}, "spinemap": {"passes": 1, "visits": 40}}
"""Details that keep random tests short."""


def algorithms(*names: str) -> list[object]:
    """As parameters; those that need a package are skipped without it."""
    missing = importlib.util.find_spec("mtkahypar") is None
    skip = pytest.mark.skipif(missing, reason="needs mtkahypar (extra hypergraph), which is not installed")
    return [pytest.param(name, marks=[skip] if name == "hypergraph" else []) for name in names]


def neurons(plan: Plan) -> list[list[int]]:
    """The neurons of each cluster of a plan for one layer."""
    return [sorted(int(n) for part in parts for n in part.neurons) for parts in plan]


def same(a: Part, b: Part) -> bool:
    """Whether two parts are equal."""
    return (
        (a.layer, a.home, a.is_partial) == (b.layer, b.home, b.is_partial)
        and np.array_equal(a.neurons, b.neurons)
        and np.array_equal(a.axons, b.axons)
    )


def reading(*inputs: Sequence[int], rows: int, columns: int) -> Problem:
    """One neuron for each of the sets of inputs."""
    pairs = [(axon, n) for n, axons in enumerate(inputs) for axon in axons]
    width = 1 + max(axon for axon, _ in pairs)
    return problem(
        [((len(inputs),), [(-1, 0, listed(width, len(inputs), pairs))])], {-1: width}, rows=rows, columns=columns
    )


SEVEN = ([0, 1], [2, 3, 4], [0, 4], [0, 1], [2, 3], [4], [5])


def test_sequential_fills_one_crossbar_after_the_other() -> None:
    plan = cluster("sequential", reading(*SEVEN, rows=4, columns=3), Options())
    assert neurons(plan) == [[0], [1, 2], [3, 4], [5, 6]]


def test_sequential_fills_columns() -> None:
    plan = cluster("sequential", reading(*[[0]] * 7, rows=4, columns=3), Options())
    assert neurons(plan) == [[0, 1, 2], [3, 4, 5], [6]]


def test_greedy_takes_the_fullest_crossbar_that_fits() -> None:
    """By hand. Neuron 2 fits cluster 0 (2 rows, 1 column) and cluster 1 (3 rows, 1 column): the fuller one is first.

    Neuron 3 fits cluster 0 alone; neuron 4 fills the columns of cluster 1, so that neuron 5, which reads what is there,
    goes to cluster 0; neuron 6 fits none.
    """
    plan = cluster("greedy", reading(*SEVEN, rows=4, columns=3), Options())
    assert neurons(plan) == [[0, 3, 5], [1, 2, 4], [6]]


def test_greedy_goes_back_where_sequential_does_not() -> None:
    task = reading([0, 1], [2, 3], [0, 1], [2, 3], rows=2, columns=2)
    assert neurons(cluster("greedy", task, Options())) == [[0, 2], [1, 3]]
    assert neurons(cluster("sequential", task, Options())) == [[0], [1], [2], [3]]


def test_greedy_of_equals_takes_the_older_crossbar() -> None:
    task = reading([0], [1, 2, 3], [4, 5, 6], [1], rows=3, columns=2)
    assert neurons(cluster("greedy", task, Options())) == [[0], [1, 3], [2]]


@pytest.mark.parametrize("name", ["sequential", "greedy", *algorithms("hypergraph")])
def test_a_perceptron_is_cut_as_well_as_can_be(name: str) -> None:
    """784-100-10 on 128x128: seven chunks of 112 axons, all 100 neurons each, and the last layer."""
    layers = [((100,), [(-1, 0, dense(784, 100))]), ((10,), [(0, 0, dense(100, 10))])]
    task = problem(layers, {-1: 784}, rows=128, columns=128)
    plan = cluster(name, task, Options())
    metrics.check(task, plan)
    assert len(plan) == 8
    assert metrics.sums_between(plan) == 600


def two_cliques(bridges: Sequence[tuple[int, int]], rows: int = 12) -> Problem:
    """Even and odd neurons, six each: every neuron reads all others of its kind."""
    return recurrent(12, cliques([range(0, 12, 2), range(1, 12, 2)], bridges), rows=rows, columns=6)


TWO = [list(range(0, 12, 2)), list(range(1, 12, 2))]


@pytest.mark.parametrize("name", algorithms("spinemap", "pso", "hypergraph"))
@pytest.mark.parametrize("seed", range(3))
def test_two_cliques_are_found(name: str, seed: int) -> None:
    """The optimum: one clique per crossbar, and only the three bridges between them."""
    task = two_cliques([(0, 1), (0, 3), (5, 2)])
    assert metrics.spikes_between(task, cluster("sequential", task, Options())) == 12
    plan = cluster(name, task, Options(seed=seed))
    metrics.check(task, plan)
    assert sorted(neurons(plan)) == TWO
    assert metrics.spikes_between(task, plan) == 2  # neurons 0 and 5; two synapses to one crossbar are one spike


def splits(count: int) -> Iterable[NDArray[np.int64]]:
    """All ways to put neurons into two crossbars of half as many columns."""
    for chosen in combinations(range(1, count), count // 2):
        yield np.isin(np.arange(count), chosen).astype(np.int64)


@pytest.mark.parametrize("name", algorithms("spinemap", "pso", "hypergraph"))
@pytest.mark.parametrize("seed", range(4))
def test_the_best_of_all_splits_is_found(name: str, seed: int) -> None:
    """Eight neurons, random synapses and rates, two crossbars: the optimum is known from all 35 splits."""
    random = np.random.default_rng(seed)
    pairs = [(a, b) for a in range(8) for b in range(8) if a != b and random.random() < 0.25]
    layers = [((8,), [(0, 1, listed(8, 8, pairs))])]
    task = problem(layers, {}, rows=8, columns=4, spikes={0: random.integers(1, 100, 8).tolist()})
    units = units_of(task)
    best = min(units.spikes_between(split) for split in splits(8))
    assert metrics.spikes_between(task, cluster("sequential", task, Options())) > best
    plan = cluster(name, task, Options(seed=seed))
    metrics.check(task, plan)
    assert metrics.spikes_between(task, plan) == pytest.approx(best)


@settings(max_examples=100, deadline=None)
@given(task=problems(), seed=st.integers(0, 2**32 - 1))
def test_gains_of_moves_are_exact(task: Problem, seed: int) -> None:
    """What Kernighan and Lin's exchanges add up is the change of what is measured, for any unit of any two clusters."""
    units = units_of(task)
    place = np.random.default_rng(seed).integers(0, 3, len(units))
    first, second = (np.flatnonzero(place == side) for side in (0, 1))
    pair = Pair(task, units, first, second)
    before = units.spikes_between(place)
    both = np.concatenate([first, second])
    for side in (0, 1):
        for number, gain in enumerate(pair.gains(pair.state(), side)):
            if place[both[number]] != side:
                assert gain == -np.inf
                continue
            moved = place.copy()
            moved[both[number]] = 1 - side
            assert gain == pytest.approx(before - units.spikes_between(moved), abs=0.1)


@pytest.mark.parametrize("name", algorithms("hypergraph"))
def test_the_repair_respects_rows(name: str) -> None:
    """Four groups of neurons that read four axons each; two blocks of columns, but each crossbar has four rows only."""
    task = reading(*[[4 * (n % 4) + i for i in range(4)] for n in range(16)], rows=4, columns=8)
    plan = cluster(name, task, Options(details={"k": 2}))
    metrics.check(task, plan)
    assert sorted(neurons(plan)) == [[n, n + 4, n + 8, n + 12] for n in range(4)]


@pytest.mark.parametrize("name", algorithms(*ALGORITHMS))
def test_what_fits_no_crossbar_is_refused(name: str) -> None:
    task = problem([((3,), [(-1, 0, dense(5, 3))])], {-1: 5}, rows=4, columns=4, digital=False)
    with pytest.raises(PartitionError, match="a crossbar has 4 rows") as caught:
        cluster(name, task, Options())
    assert caught.value.layer == 0


@pytest.mark.parametrize("name", algorithms(*ALGORITHMS))
def test_the_same_seed_gives_the_same_plan(name: str) -> None:
    task = two_cliques([(0, 1), (4, 7)], rows=8)
    first, second = (cluster(name, task, Options(seed=3, details=QUICK.get(name, {}))) for _ in range(2))
    assert [len(parts) for parts in first] == [len(parts) for parts in second]
    assert all(same(a, b) for x, y in zip(first, second, strict=True) for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize("name", algorithms(*ALGORITHMS))
@settings(max_examples=40, deadline=None)
@given(task=problems(), seed=st.integers(0, 5))
def test_plans_are_plans(name: str, task: Problem, seed: int) -> None:
    plan = cluster(name, task, Options(seed=seed, details=QUICK.get(name, {})))
    metrics.check(task, plan)
    assert len(plan) >= metrics.lower_bounds(task).crossbars


@pytest.mark.parametrize("name", ["spinemap", "pso"])
@settings(max_examples=25, deadline=None)
@given(task=problems())
def test_searches_are_never_worse_than_where_they_start(name: str, task: Problem) -> None:
    start, plan = (cluster(each, task, Options(details=QUICK.get(each, {}))) for each in ("sequential", name))
    if not task.slices:
        assert len(plan) <= len(start)
        assert metrics.spikes_between(task, plan) <= metrics.spikes_between(task, start) + 1e-6


def test_names() -> None:
    with pytest.raises(KeyError, match="there is no clustering 'best', only structured, sequential"):
        cluster("best", two_cliques([]), Options())
