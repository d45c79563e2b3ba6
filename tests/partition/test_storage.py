"""Crossbars with less memory than cells: no cluster stores more, no synapse is lost, nothing moves that need not."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.partition.clustering import cluster
from snnir.partition.metrics import check, kernel_axons, lower_bounds
from snnir.partition.problem import Options, PartitionError, Plan, Problem
from snnir.partition.storage import stored, within_synapses
from snnir.synapses import Conv
from snnir.windows import Windows
from tests.partition.nets import Net
from tests.partition.problems import problem, problems
from tests.partition.projections import dense
from tests.partition.test_sharing import shared

ALGORITHM = st.sampled_from(("structured", "greedy", "sequential"))


def most_stored(problem: Problem, plan: Plan) -> int:
    """The synapses of the cluster that has most."""
    return max(sum(stored(problem, part) for part in parts) for parts in plan)


def fan_ins(problem: Problem) -> int:
    """The most synapses of a neuron."""
    return max(int(problem.fanin(number).max(initial=0)) for number in range(len(problem.layers)))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_random_plans_stay_within_the_memory(data: st.DataObject) -> None:
    """With kernels that are read several times and without, on machines with digital adders and others."""
    roomy: Problem = data.draw(st.one_of(problems(), shared()))
    algorithm = "structured" if roomy.neurons else cast(str, data.draw(ALGORITHM))
    try:
        free = cluster(algorithm, roomy, Options())
    except PartitionError:
        return
    # a row of a divided neuron has as many synapses as there are columns, at most
    least = roomy.columns if roomy.digital else max(fan_ins(roomy), roomy.columns)
    synapses = least + data.draw(st.integers(0, most_stored(roomy, free)))
    tight = dataclasses.replace(roomy, synapses=synapses)
    plan = cluster(algorithm, tight, Options())
    check(tight, plan)
    assert most_stored(tight, plan) <= synapses
    assert len(plan) >= lower_bounds(tight).crossbars
    if most_stored(roomy, free) <= synapses:
        assert len(plan) == len(free)


def layers(count: int, sources: int, targets: int, *, digital: bool = True) -> Problem:
    """Layers that read an input each, all to all, on crossbars of 8 x 8."""
    each = [((targets,), [(-1 - n, 0, dense(sources, targets))]) for n in range(count)]
    return problem(each, {-1 - n: sources for n in range(count)}, rows=8, columns=8, digital=digital)


def test_whole_parts_move_first() -> None:
    """Four layers of 4 x 4 fit two crossbars; with memory for 20 synapses each is on one of its own."""
    roomy = layers(4, 4, 4)
    assert len(cluster("structured", roomy, Options())) == 2
    plan = cluster("structured", dataclasses.replace(roomy, synapses=20), Options())
    assert [[len(part.neurons) for part in parts] for parts in plan] == [[4]] * 4


def test_neurons_are_divided_where_one_part_is_too_large() -> None:
    """64 synapses with memory for 24 are neurons of 8: three, three and two."""
    plan = cluster("structured", dataclasses.replace(layers(1, 8, 8), synapses=24), Options())
    assert sorted(len(part.neurons) for parts in plan for part in parts) == [2, 3, 3]
    assert all(part.home is None for parts in plan for part in parts)


def test_what_moves_goes_where_there_is_room() -> None:
    """A layer of 6 x 8 and one of 2 x 2: the two neurons that are too many go to the crossbar of the other."""
    both = problem([((8,), [(-1, 0, dense(6, 8))]), ((2,), [(-2, 0, dense(2, 2))])], {-1: 6, -2: 2}, rows=8, columns=8)
    plan = within_synapses(dataclasses.replace(both, synapses=36), cluster("sequential", both, Options()))
    assert [sum(stored(both, part) for part in parts) for parts in plan] == [16, 36]
    assert len(plan) == 2


def test_what_moves_needs_rows_too() -> None:
    """As above, but the other crossbar has 2 rows left, and the two neurons need 6."""
    both = problem([((8,), [(-1, 0, dense(6, 8))]), ((1,), [(-2, 0, dense(6, 1))])], {-1: 6, -2: 6}, rows=8, columns=8)
    tight = dataclasses.replace(both, synapses=36)
    plan = within_synapses(tight, cluster("sequential", both, Options()))
    check(tight, plan)
    assert sorted(sum(stored(both, part) for part in parts) for parts in plan) == [6, 12, 36]


def test_what_moves_needs_neuron_states_too() -> None:
    """A kernel of 6 weights drives 20 neurons, all that a crossbar keeps: a further neuron with 8 weights does not fit.

    With one more state it does.
    """
    net = Net()
    windows = Windows.of((1, 12), (1, 3), (1, 1), (0, 0), (0, 0))
    net.layer("kernel", (2, 1, 10), (net.input(12), Conv(np.ones((2, 1, 1, 3), np.int8), 1, windows, 1), 0))
    net.layer("dense", (4,), (net.input(8), dense(8, 4), 0))
    for states, crossbars in ((20, 3), (21, 2)):
        tight = dataclasses.replace(net.problem(16, 8, digital=True), neurons=states, synapses=30)
        plan = cluster("structured", tight, Options())
        check(tight, plan)
        assert len(plan) == crossbars


@settings(max_examples=25, deadline=None)
@given(shared(), st.integers(0, 30))
def test_divided_kernels_meet_the_axons_that_their_columns_read(problem: Problem, more: int) -> None:
    try:
        plan = cluster("structured", dataclasses.replace(problem, synapses=problem.columns + more), Options())
    except PartitionError:
        return
    for part in (part for parts in plan for part in parts if part.kernel is not None):
        assert np.array_equal(part.axons, kernel_axons(problem, part))


def test_single_neurons_are_divided_by_axons_where_sums_are_digital() -> None:
    """A neuron of 8 synapses with memory for 3 is three partial sums, one of which it adds to."""
    plan = cluster("structured", dataclasses.replace(layers(1, 8, 1), synapses=3), Options())
    parts = [part for parts in plan for part in parts]
    assert sorted(len(part.axons) for part in parts) == [2, 3, 3]
    assert sum(part.is_partial for part in parts) == 2
    assert len({part.home for part in parts}) == 1 == len(plan[0])


def test_single_neurons_are_refused_where_nothing_adds() -> None:
    with pytest.raises(PartitionError, match="a neuron has 8 synapses, a crossbar stores 7"):
        cluster("structured", dataclasses.replace(layers(1, 8, 2, digital=False), synapses=7), Options())
    plan = cluster("structured", dataclasses.replace(layers(1, 8, 2, digital=False), synapses=8), Options())
    assert len(plan) == 2


def test_rows_of_divided_neurons_are_refused_where_they_do_not_fit() -> None:
    with pytest.raises(PartitionError, match="a row has 8 synapses, a crossbar stores 7"):
        cluster("structured", dataclasses.replace(layers(1, 20, 8), synapses=7), Options())


def test_plans_with_too_many_synapses_are_none() -> None:
    roomy = layers(1, 8, 8)
    plan = cluster("structured", roomy, Options())
    check(dataclasses.replace(roomy, synapses=64), plan)
    with pytest.raises(ValueError, match="takes 64 synapses, a crossbar has 63"):
        check(dataclasses.replace(roomy, synapses=63), plan)


def test_the_bound_counts_memory() -> None:
    assert lower_bounds(layers(4, 8, 8)).cells == 4
    assert lower_bounds(dataclasses.replace(layers(4, 8, 8), synapses=32)).cells == 8
    assert np.all([lower_bounds(dataclasses.replace(layers(1, 8, 8), synapses=n)).cells == 1 for n in (0, 64, 1000)])
