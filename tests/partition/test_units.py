"""Neurons cut to the crossbar, and parts from where the pieces are put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.partition import metrics
from snnir.partition.problem import Part, PartitionError, Problem
from snnir.partition.units import plan_of, units_of, within_slices
from snnir.synapses import Conv
from snnir.windows import Windows
from tests.partition.problems import problem, problems
from tests.partition.projections import dense, listed


def described(part: Part) -> tuple[list[int], list[int], int | None, bool]:
    """Neurons, axons, home, whether it is partial."""
    return part.neurons.tolist(), part.axons.tolist(), part.home, part.is_partial


def test_neurons_with_too_many_axons_are_cut_into_equal_chunks() -> None:
    units = units_of(problem([((2,), [(-1, 0, dense(7, 2))])], {-1: 7}, rows=3, columns=4))
    assert [units.of(n).tolist() for n in range(len(units))] == 2 * [[0, 1], [2, 3], [4, 5, 6]]
    assert units.neuron.tolist() == [0, 0, 0, 1, 1, 1]
    assert units.chunk.tolist() == [0, 1, 2, 0, 1, 2]
    assert set(units.chunks.tolist()) == {3}
    assert units.kind[:3].tolist() == units.kind[3:].tolist()
    assert len(set(units.kind.tolist())) == 3


def test_neurons_without_axons_are_units_too() -> None:
    units = units_of(problem([((3,), [(-1, 0, listed(2, 3, [(1, 1)]))])], {-1: 2}, rows=1, columns=4))
    assert units.sizes.tolist() == [0, 1, 0]
    assert len(units_of(problem([], {-1: 2}, rows=1, columns=1))) == 0


def test_what_cannot_be_cut_is_refused_by_name() -> None:
    task = problem(
        [((3,), [(-1, 0, dense(2, 3))]), ((3,), [(0, 0, dense(3, 3))])], {-1: 2}, rows=2, columns=4, digital=False
    )
    with pytest.raises(PartitionError, match="read up to 3 axons, a crossbar has 2 rows") as caught:
        units_of(task)
    assert caught.value.layer == 1


def test_chunks_come_one_after_the_other() -> None:
    units = units_of(problem([((2,), [(-1, 0, dense(4, 2))])], {-1: 4}, rows=2, columns=4))
    assert units.order().tolist() == [0, 2, 1, 3]


def test_channels_first_and_last() -> None:
    windows = Windows.of((1, 3), (1, 1), (1, 1), (0, 0), (0, 0))
    conv = Conv(np.ones((2, 1, 1, 1)), 1, windows, 1)
    units = units_of(problem([((2, 1, 3), [(-1, 0, conv)])], {-1: 3}, rows=4, columns=4))
    assert units.order().tolist() == [0, 1, 2, 3, 4, 5]
    assert units.order(channels_last=True).tolist() == [0, 3, 1, 4, 2, 5]


def test_neurons_that_read_the_same_share_a_home_where_all_their_chunks_are_together() -> None:
    task = problem([((3,), [(-1, 0, dense(4, 3))])], {-1: 4}, rows=2, columns=4)
    units = units_of(task)
    plan = plan_of(task, units, np.array([0, 1, 0, 2, 0, 1]))
    metrics.check(task, plan)
    assert [[described(part) for part in parts] for parts in plan] == [
        [([0, 2], [0, 1], 0, False), ([1], [0, 1], 1, False)],
        [([0, 2], [2, 3], 0, True)],
        [([1], [2, 3], 1, True)],
    ]


def overlapping() -> Problem:
    """Neuron 0 reads axons 0-3, neuron 1 axons 2-5, neuron 2 axons 6-9; crossbars have 2 rows."""
    pairs = [(a, n) for n, start in enumerate((0, 2, 6)) for a in range(start, start + 4)]
    return problem([((3,), [(-1, 0, listed(10, 3, pairs))])], {-1: 10}, rows=2, columns=4)


def test_overlapping_windows_do_not_share_a_home() -> None:
    """Chunk 1 of neuron 0 reads what chunk 0 of neuron 1 does: one home would hold those synapses twice."""
    task, wide = overlapping(), replace(overlapping(), rows=10)
    units = units_of(task)
    plan = plan_of(task, units, np.array([0, 1, 0, 1, 2, 3]))
    metrics.check(wide, plan)
    assert len(plan[0]) == len(plan[1]) == 2
    apart = plan_of(task, units, np.array([0, 1, 2, 3, 0, 1]))
    metrics.check(wide, apart)
    assert [described(part) for part in apart[0]] == [([0, 2], [0, 1, 6, 7], 0, False)]


@settings(max_examples=100, deadline=None)
@given(problems(), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_any_assignment_holds_every_synapse_once(task: Problem, clusters: int, seed: int) -> None:
    units = units_of(task)
    assignment = np.random.default_rng(seed).integers(0, clusters, len(units))
    loose = replace(task, rows=10**6, columns=10**6, slices=0)
    plan = plan_of(loose, units, assignment)
    metrics.check(loose, plan)
    assert len(plan) == len(np.unique(assignment))
    assert metrics.spikes_between(loose, plan) == pytest.approx(units.spikes_between(assignment))
    for parts in plan:
        whole = [part.layer for part in parts if part.home is None]
        assert len(set(whole)) == len(whole)


def test_parts_that_are_too_many_move_to_the_end() -> None:
    task = problem([((1,), [(-1, 0, listed(4, 1, [(n, 0)]))]) for n in range(4)], {-1: 4}, rows=2, columns=2, slices=2)
    together = plan_of(replace(task, slices=0), units_of(task), np.zeros(4, np.int64))
    assert [len(parts) for parts in together] == [4]
    plan = within_slices(task, together)
    assert [[part.layer for part in parts] for parts in plan] == [[0, 1], [2, 3]]
