"""What `check` finds, and figures of plans that are known by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings

from snnir.partition import metrics
from snnir.partition.clustering.sequential import filled
from snnir.partition.problem import Part, Plan, Problem
from snnir.partition.units import plan_of, units_of
from snnir.synapses import Conv
from snnir.windows import Windows
from tests.partition.problems import cliques, problem, problems, recurrent, spikes_by_hand
from tests.partition.projections import dense, listed


def part(layer: int, neurons: Sequence[int], axons: Sequence[int], home: int | None = None, at: bool = True) -> Part:
    """A part; `at`: the neurons sit here."""
    return Part(layer, np.array(neurons, np.int64), np.array(axons, np.int64), home, not at)


def perceptron(**options: int) -> Problem:
    """4 inputs, 3 neurons that read them all, one that reads those; axons: inputs 0-3, neurons 4-6."""
    layers = [((3,), [(-1, 0, dense(4, 3))]), ((1,), [(0, 0, dense(3, 1))])]
    sizes = {"rows": 4, "columns": 4} | options
    spikes = {-1: [1.0, 2.0, 3.0, 4.0], 0: [10.0, 20.0, 30.0]}
    return problem(layers, {-1: 4}, spikes=spikes, **sizes)  # pyright: ignore[reportArgumentType]


WHOLE: Plan = [[part(0, [0, 1, 2], [0, 1, 2, 3])], [part(1, [0], [4, 5, 6])]]
SPLIT: Plan = [
    [part(0, [0, 1, 2], [0, 1], 0)],
    [part(0, [0, 1, 2], [2, 3], 0, at=False)],
    [part(1, [0], [4, 5], 1), part(1, [0], [6], 1, at=False)],
]


def test_plans_that_are_right() -> None:
    metrics.check(perceptron(), WHOLE)
    metrics.check(perceptron(rows=3), SPLIT)


def test_figures_of_a_whole_plan() -> None:
    assert metrics.crossbars(WHOLE) == 2
    assert metrics.spikes_between(perceptron(), WHOLE) == 1 + 2 + 3 + 4 + 10 + 20 + 30
    assert metrics.sums_between(WHOLE) == 0
    found = metrics.utilisation(perceptron(), WHOLE)
    assert found.rows.tolist() == [1, 0.75]
    assert found.columns.tolist() == [0.75, 0.25]
    assert found.cells.tolist() == [12 / 16, 3 / 16]
    assert found.overall == (0.875, 0.5, 7.5 / 16)


def test_figures_of_a_split_plan() -> None:
    assert metrics.sums_between(SPLIT) == 3  # the sum of the last neuron stays on its crossbar
    assert metrics.spikes_between(perceptron(rows=3), SPLIT) == 10 + 60
    assert metrics.utilisation(perceptron(rows=3), SPLIT).cells.tolist() == [6 / 12, 6 / 12, 3 / 12]


def test_neurons_on_the_crossbar_of_their_readers_send_nothing() -> None:
    together: Plan = [[*WHOLE[0], *WHOLE[1]]]
    wide = perceptron(rows=7)
    metrics.check(wide, together)
    assert metrics.spikes_between(wide, together) == 10


def test_axons_of_one_neuron_count_once_per_crossbar() -> None:
    late = [((2,), [(-1, 0, dense(1, 2)), (-1, 3, dense(1, 2))])]
    task = problem(late, {-1: 1}, rows=2, columns=1, spikes={-1: [5.0]})
    plan: Plan = [[part(0, [0], [0, 1])], [part(0, [1], [0, 1])]]
    metrics.check(task, plan)
    assert metrics.spikes_between(task, plan) == 10


def change(plan: Plan, cluster: int, place: int, **fields: object) -> Plan:
    """The plan with another part."""
    parts = [list(each) for each in plan]
    parts[cluster][place] = replace(parts[cluster][place], **fields)  # pyright: ignore[reportArgumentType]
    return parts


def array(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of neurons or axons."""
    return np.array(values, np.int64)


WRONG: dict[str, tuple[Callable[[], Plan], str]] = {
    "empty cluster": (lambda: [*SPLIT, []], "cluster 3 is empty"),
    "no such layer": (lambda: change(SPLIT, 0, 0, layer=2), "no layer number 2"),
    "no neurons": (lambda: change(SPLIT, 0, 0, neurons=array()), "has no neurons"),
    "neuron twice in a part": (lambda: change(SPLIT, 0, 0, neurons=array(0, 1, 1)), "or one twice"),
    "no such neuron": (lambda: change(SPLIT, 0, 0, neurons=array(0, 1, 3)), "does not have"),
    "axons descend": (lambda: change(SPLIT, 0, 0, axons=array(1, 0)), "do not ascend"),
    "no such axon": (lambda: change(SPLIT, 0, 0, axons=array(0, 7)), "do not exist"),
    "too many rows": (lambda: change(SPLIT, 0, 0, axons=array(0, 1, 4, 5)), "takes 4 rows, a crossbar has 3"),
    "too many columns": (lambda: [[*SPLIT[0], *SPLIT[0]], *SPLIT[1:]], "takes 6 columns, a crossbar has 4"),
    "nothing adds": (lambda: change(SPLIT, 1, 0, home=None), "that nothing adds"),
    "two homes": (lambda: change(SPLIT, 1, 0, is_partial=False), "not exactly one"),
    "other neurons": (lambda: change(SPLIT, 1, 0, neurons=array(0, 2, 1)), "different neurons"),
    "shared axon": (lambda: change(SPLIT, 1, 0, axons=array(1, 2, 3)), "an axon in common"),
    "neuron missing": (lambda: SPLIT[:2], "layer layer1: neuron 0 sits in 0 clusters"),
    "neuron twice": (lambda: [*SPLIT, [part(1, [0], [4, 5, 6])]], "layer layer1: neuron 0 sits in 2 clusters"),
    "synapse missing": (lambda: change(SPLIT, 1, 0, axons=array(2)), "layer layer0: synapses of 3 neurons"),
}


@pytest.mark.parametrize("name", WRONG)
def test_plans_that_are_wrong(name: str) -> None:
    plan, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        metrics.check(perceptron(rows=3), plan())


def test_slices_are_counted() -> None:
    with pytest.raises(ValueError, match="takes 2 slices, a crossbar has 1"):
        metrics.check(perceptron(rows=3, slices=1), SPLIT)


def test_no_partial_sums_without_digital_adders() -> None:
    with pytest.raises(ValueError, match="adds no partial sums"):
        metrics.check(perceptron(rows=4, digital=False), SPLIT)


def test_a_synapse_that_is_there_twice() -> None:
    """Neuron 0 reads axons 0 and 1, neuron 1 axons 1 and 2: parts hold all synapses between their axons and neurons."""
    task = problem(
        [((2,), [(-1, 0, listed(3, 2, [(0, 0), (1, 0), (1, 1), (2, 1)]))])], {-1: 3}, rows=3, columns=1, slices=1
    )
    metrics.check(task, [[part(0, [0], [0, 1])], [part(0, [1], [1, 2])]])
    twice: Plan = [
        [part(0, [0], [0, 1], 0)],
        [part(0, [0], [2], 0, at=False)],
        [part(0, [1], [1, 2])],
        [part(0, [1], [1], 1, at=False)],
        [part(0, [1], [2], 1)],
    ]
    with pytest.raises(ValueError, match="neuron 1 sits in 2"):
        metrics.check(task, twice)
    with pytest.raises(ValueError, match="synapses of 1 neurons are in no part or in two, such as of neuron 1"):
        metrics.check(task, [*twice[:2], [part(0, [1], [0, 2])]])


def kernel_read_nine_times(**fields: object) -> tuple[Problem, Plan]:
    """A 2x2 kernel, 3 channels to 2, at all 9 positions; 12 places on two crossbars of 8 rows; 18 neurons on one."""
    conv = Conv(np.ones((2, 3, 2, 2)), 3, Windows.of((3, 3), (2, 2), (1, 1), (1, 0), (0, 1)), 1)
    task = problem([((2, 3, 3), [(-1, 0, conv)])], {-1: 27}, rows=8, columns=2)
    home = part(0, range(18), range(18), 0)
    rest = part(0, range(18), range(18, 27), 0, at=False)
    plan: Plan = [
        [replace(home, reads=9, kernel=np.arange(8))],
        [replace(rest, reads=9, kernel=np.arange(8, 12))],
    ]
    return replace(task, neurons=18), change(plan, 0, 0, **fields)


def test_a_kernel_that_is_read_several_times() -> None:
    task, plan = kernel_read_nine_times()
    metrics.check(task, plan)
    assert metrics.sums_between(plan) == 18
    assert metrics.spikes_between(task, plan) == 27
    assert metrics.utilisation(task, plan).cells.tolist() == [1, 0.5]


KERNELS: dict[str, tuple[dict[str, object], str]] = {
    "no kernel": ({"kernel": None}, "has no kernel"),
    "place twice": ({"kernel": np.array([0, 0])}, "has no kernel"),
    "reads": ({"reads": 4}, "4 reads do not make 18 neurons"),
    "positions": ({"neurons": np.arange(18).reshape(9, 2).T.ravel()}, "not read at the same positions"),
    "axons": ({"axons": np.arange(17)}, "meet axons that the part does not have"),
    "place missing": ({"kernel": np.arange(7)}, "synapses of 12 neurons are in no part"),
    "place on both": ({"kernel": np.arange(1, 9), "axons": np.arange(27)}, "have an axon in common"),
}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_that_are_wrong(name: str) -> None:
    fields, message = KERNELS[name]
    task, plan = kernel_read_nine_times(**fields)
    with pytest.raises(ValueError, match=message):
        metrics.check(task, plan)


def test_a_crossbar_keeps_so_many_neurons() -> None:
    task, plan = kernel_read_nine_times()
    with pytest.raises(ValueError, match="takes 18 neurons, a crossbar has 17"):
        metrics.check(replace(task, neurons=17), plan)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_spikes_are_those_of_the_definition(task: Problem) -> None:
    units = units_of(task)
    assignment = filled(task, units, units.order())
    plan = plan_of(task, units, assignment)
    metrics.check(task, plan)
    expected = spikes_by_hand(task, plan)
    assert metrics.spikes_between(task, plan) == pytest.approx(expected)
    if not task.slices:
        assert units.spikes_between(assignment) == pytest.approx(expected)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_no_plan_is_below_the_bounds(task: Problem) -> None:
    units = units_of(task)
    bounds = metrics.lower_bounds(task)
    assert bounds.crossbars == max(bounds.columns, bounds.rows, bounds.cells, bounds.slices)
    assert 0 < bounds.crossbars <= len(plan_of(task, units, filled(task, units, units.order())))


def test_bounds_by_hand() -> None:
    """6 columns: 3 neurons in two chunks and one in one; 7 axons with as many rows, one of two parts a crossbar."""
    assert metrics.lower_bounds(perceptron(rows=3)) == metrics.Bounds(columns=2, rows=3, cells=2, slices=0)
    assert metrics.lower_bounds(perceptron(rows=3, slices=1)).slices == 3
    assert metrics.lower_bounds(perceptron(rows=3, digital=False)).columns == 1
    assert metrics.lower_bounds(perceptron(columns=1)) == metrics.Bounds(columns=4, rows=4, cells=4, slices=0)


def test_parallel_synapses_count_once() -> None:
    pairs = [(0, 0), (1, 1)]
    reads = [(-1, 0, listed(2, 2, pairs)), (-1, 0, listed(2, 2, [(0, 0), (0, 1)]))]
    task = problem([((2,), reads)], {-1: 2}, rows=1, columns=1)
    assert metrics.lower_bounds(task) == metrics.Bounds(columns=3, rows=3, cells=3, slices=0)


def test_a_recurrent_neuron_reads_itself_for_nothing() -> None:
    pairs = cliques([[0, 1], [2, 3]], [(0, 2)])
    task = recurrent(4, pairs, rows=4, columns=2)
    plan: Plan = [[part(0, [0, 1], [0, 1])], [part(0, [2, 3], [0, 2, 3])]]
    metrics.check(task, plan)
    assert metrics.spikes_between(task, plan) == 1


def test_bounds_hold_where_kernels_could_be_shared_but_are_not() -> None:
    """A kernel that is larger than its plane, and three branches on the same axons, unrolled on one crossbar."""
    wide = Conv(np.ones((1, 1, 1, 3)), 1, Windows.of((1, 2), (1, 3), (1, 1), (0, 1), (0, 1)), 1)
    alone = replace(problem([((1, 1, 2), [(-1, 0, wide)])], {-1: 2}, rows=2, columns=3), neurons=6)
    metrics.check(alone, [[part(0, [0, 1], [0, 1])]])
    assert metrics.lower_bounds(alone).crossbars == 1
    point = Conv(np.ones((1, 1, 1, 1)), 1, Windows.of((1, 2), (1, 1), (1, 1), (0, 0), (0, 0)), 1)
    branches = [((1, 1, 2), [(-1, 0, point)])] * 3
    task = replace(problem(branches, {-1: 2}, rows=2, columns=6), neurons=12)
    metrics.check(task, [[part(layer, [0, 1], [0, 1]) for layer in range(3)]])
    assert metrics.lower_bounds(task).crossbars == 1


def test_bounds_of_many_synapses_are_fast() -> None:
    """43 million: from the structure, not from single synapses."""
    windows = Windows.of((32, 32), (3, 3), (1, 1), (1, 1), (1, 1))
    conv = Conv(np.ones((96, 48, 3, 3), np.float32), 48, windows, 1)
    task = problem([((96, 32, 32), [(-1, 0, conv)])], {-1: conv.sources}, rows=128, columns=128)
    assert conv.count == 42_467_328 - 48 * 96 * (4 * 32 * 3 - 4)
    start = perf_counter()
    assert metrics.lower_bounds(task).crossbars >= 2500
    assert perf_counter() - start < 2
