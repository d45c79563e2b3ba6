"""Plans of `structured`: always valid, small on the published networks, and the same each time."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from snnir.partition.clustering.structured import structured
from snnir.partition.metrics import check, lower_bounds, spikes_between
from snnir.partition.problem import Options, PartitionError, Plan, Problem
from tests.partition.nets import (
    Net,
    alexnet_disco,
    chain,
    lenet28,
    lenet28_relays,
    lenet_disco,
    lenet_disco_relays,
    mlp784,
    mlp784_relays,
    problems,
)
from tests.partition.projections import conv, dense, one, pool

RANDOM = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def plan_of(problem: Problem, objective: str = "crossbars") -> Plan:
    plan = structured(problem, Options(objective))
    check(problem, plan)
    return plan


@RANDOM
@given(problems())
def test_every_plan_is_valid_and_only_impossible_problems_are_refused(problem: Problem) -> None:
    most = max(int(problem.fanin(number).max(initial=0)) for number in range(len(problem.layers)))
    if not problem.digital and most > problem.rows:
        with pytest.raises(PartitionError, match=f"axons, a crossbar has {problem.rows} rows"):
            structured(problem, Options())
        return
    plan = plan_of(problem)
    assert len(plan) >= lower_bounds(problem).crossbars


@settings(RANDOM, max_examples=40)
@given(problems(), st.integers(1, 5))
def test_kernels_that_are_read_several_times_a_step_are_placed_too(problem: Problem, times: int) -> None:
    problem = dataclasses.replace(problem, neurons=problem.columns * times)
    try:
        plan_of(problem)
    except PartitionError:
        assert not problem.digital


def test_a_kernel_that_is_read_256_times_takes_one_crossbar() -> None:
    problem = dataclasses.replace(chain(256, conv(1, 8, 16, 3, 1), dense(2048, 4)).problem(), neurons=2048)
    plan = plan_of(problem)
    (kernel,) = [part for parts in plan for part in parts if part.layer == 0]
    assert (kernel.reads, kernel.columns, len(kernel.neurons)) == (256, 8, 2048)
    assert len(plan) == 17  # 2,048 axons of the dense layer fill 16


@settings(RANDOM, max_examples=15)
@given(problems(digital=True, slices=0))
def test_more_slices_per_crossbar_never_take_more_crossbars(problem: Problem) -> None:
    counts = [len(plan_of(dataclasses.replace(problem, slices=slices))) for slices in (1, 2, 3, 4, 0)]
    assert counts == sorted(counts, reverse=True)


@settings(RANDOM, max_examples=15)
@given(problems())
def test_for_spikes_there_are_hardly_more_crossbars(problem: Problem) -> None:
    try:
        fewest = plan_of(problem)
    except PartitionError:
        assume(False)
        return
    plan = plan_of(problem, objective="spikes")
    assert len(plan) <= len(fewest) * 1.05 + 1
    if len(plan) <= len(fewest):
        assert spikes_between(problem, plan) <= spikes_between(problem, fewest) + 1e-9


@pytest.mark.parametrize(
    ("net", "digital", "most"),
    [
        (mlp784, True, 7),
        (lenet_disco, True, 114),
        (lenet28, True, 88),
        (alexnet_disco, True, 3622),
        (mlp784_relays, False, 13),
        (lenet_disco_relays, False, 119),
        (lenet28_relays, False, 113),
    ],
)
def test_crossbars_of_published_networks(net: Callable[[], Net], digital: bool, most: int) -> None:
    problem = net().problem(digital=digital)
    assert len(plan_of(problem)) <= most


def test_a_perceptron_meets_its_lower_bound_and_keeps_hidden_spikes_at_home() -> None:
    problem = mlp784().problem()
    plan = plan_of(problem)
    assert len(plan) == lower_bounds(problem).crossbars == 7
    # the neurons of the hidden layer sit where they are read
    assert spikes_between(problem, plan) == pytest.approx(problem.spikes[:784].sum())


def test_the_same_problem_gives_the_same_plan() -> None:
    first, second = (plan_of(lenet_disco().problem()) for _ in range(2))
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert [(x.layer, x.home, x.is_partial) for x in a] == [(x.layer, x.home, x.is_partial) for x in b]
        for x, y in zip(a, b, strict=True):
            assert np.array_equal(x.neurons, y.neurons)
            assert np.array_equal(x.axons, y.axons)


def test_pools_lie_beside_what_they_read() -> None:
    """4x4 places of 6 channels take 36 rows: 23 of the 24 windows beside them fit."""
    problem = chain(1024, conv(1, 6, 32, 3), pool(6, 30)).problem()
    plan = plan_of(problem)
    inside = 0
    for parts in plan:
        tiles = [part for part in parts if part.layer == 0]
        pools = [part for part in parts if part.layer == 1]
        if tiles and pools:
            group = problem.layers[1].inputs[0].group
            inside += np.isin(pools[0].axons - problem.groups[group].start, tiles[0].neurons).sum()
    assert inside > 0.8 * 5400


def test_a_reader_shares_the_crossbar_of_its_only_source() -> None:
    """Pools read 4 axons and what copies them 1: a crossbar of 20 rows holds four of each."""
    problem = chain(64 * 4, pool(4, 8), one(64)).problem(rows=20, columns=20)
    plan = plan_of(problem)
    assert len(plan) == 16
    assert spikes_between(problem, plan) == pytest.approx(problem.spikes[:256].sum())


def test_a_neuron_that_reads_too_much_is_refused_by_name_of_its_layer() -> None:
    problem = chain(40, one(40), dense(40, 3)).problem(rows=32, digital=False)
    with pytest.raises(PartitionError, match="read 40 axons, a crossbar has 32 rows") as error:
        structured(problem, Options())
    assert error.value.layer == 1
