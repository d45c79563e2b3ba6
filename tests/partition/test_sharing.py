"""Kernels that are read at several positions a step: every synapse once, crossbars full, whatever the geometry."""

from __future__ import annotations

import dataclasses
from itertools import count
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from snnir.partition.clustering import cluster
from snnir.partition.metrics import check, lower_bounds
from snnir.partition.problem import Options, PartitionError, Plan, Problem, rows_of
from snnir.partition.sharing import shared_kernel, shared_parts
from snnir.synapses import Conv
from snnir.windows import Windows
from tests.partition.nets import Net, chain
from tests.partition.projections import conv, dense, pool

RANDOM = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def convolutions(draw: st.DrawFn) -> Conv:
    """Any geometry: strides, paddings that differ from side to side, dilation, groups, pools, one dimension."""
    kind = draw(st.sampled_from(("whole", "groups", "depthwise", "pool")))
    height = draw(st.sampled_from((1, 2, 5, 9)))
    size = height, draw(st.integers(1, 12))
    kernel = tuple(draw(st.integers(1, 4)) if n > 1 else 1 for n in size)
    dilation = tuple(draw(st.integers(1, 3)) for _ in size)
    stride = tuple(draw(st.integers(1, 3)) for _ in size)
    low, high = (tuple(draw(st.integers(0, 3)) for _ in size) for _ in range(2))
    for n, k, d, p, q in zip(size, kernel, dilation, low, high, strict=True):
        assume((k - 1) * d < n + p + q)
    windows = Windows.of(size, kernel, stride, low, high, dilation)
    channels = draw(st.integers(1, 9))
    if kind == "pool":
        return Conv.pool(channels, windows, 1.0)
    groups = {"whole": 1, "depthwise": channels, "groups": draw(st.integers(1, 4))}[kind]
    inner = channels if kind != "groups" else groups * draw(st.integers(1, 3))
    outer = groups * draw(st.integers(1, 7))
    return Conv(np.ones((outer, inner // groups, *kernel), np.int8), inner, windows, groups)


@st.composite
def shared(draw: st.DrawFn) -> Problem:
    """One to three convolutions of inputs, on crossbars that read kernels several times."""
    net = Net()
    for number in range(draw(st.integers(1, 3))):
        each = draw(convolutions())
        net.layer(f"l{number}", each.shape, (net.input(each.sources), each, draw(st.integers(0, 2))))
    rows, columns = draw(st.integers(4, 40)), draw(st.integers(2, 24))
    slices = draw(st.sampled_from((0, 0, 1, 2)))
    problem = net.problem(rows, columns, digital=draw(st.booleans()), slices=slices)
    return dataclasses.replace(problem, neurons=columns * draw(st.integers(2, 9)) + draw(st.integers(0, 3)))


def planned(problem: Problem) -> Plan:
    """The plan that users get; its parts of kernels, which are all of those layers."""
    plan = cluster("structured", problem, Options())
    check(problem, plan)
    for part in (part for parts in plan for part in parts):
        assert (part.kernel is not None) == (shared_kernel(problem, part.layer) is not None)
    return plan


def kernels_of(problem: Problem) -> list[int]:
    """The layers that are shared kernels."""
    return [number for number in range(len(problem.layers)) if shared_kernel(problem, number) is not None]


@RANDOM
@given(shared())
def test_every_synapse_is_in_one_place(problem: Problem) -> None:
    try:
        plan = planned(problem)
    except PartitionError as error:
        layer = problem.layers[error.layer].inputs[0].synapses
        assert isinstance(layer, Conv)
        assert not problem.digital
        assert layer.group_in * prod(layer.windows.kernel) > problem.rows
        what = "axons" if shared_kernel(problem, error.layer) is None else "places"
        assert f"{what}, a crossbar has {problem.rows} rows" in str(error)
        return
    for parts in plan:
        for part in parts:
            assert part.axons.size or part.home is None or not part.is_partial
            assert problem.digital or part.home is None


@RANDOM
@given(shared(), st.integers(0, 99))
def test_a_plan_with_a_part_changed_is_none(problem: Problem, which: int) -> None:
    """`check` notices a place of the kernel, an axon or a position that is missing."""
    problem = dataclasses.replace(problem, digital=True)
    plan = planned(problem)
    parts = [part for parts in plan for part in parts if part.axons.size and part.kernel is not None]
    assume(parts)
    part = parts[which % len(parts)]
    conv, places = problem.layers[part.layer].inputs[0].synapses, prod(problem.layers[part.layer].shape[1:])
    assert isinstance(conv, Conv)
    assert part.kernel is not None
    met = (conv.met(part.neurons[: part.reads] % places, part.kernel) >= 0).any(axis=0)
    broken = [
        dataclasses.replace(part, axons=part.axons[1:]),
        dataclasses.replace(part, kernel=np.delete(part.kernel, met.argmax())),
        dataclasses.replace(part, neurons=part.neurons[1:], reads=part.reads),
    ]
    for each in broken:
        changed = [[each if old is part else old for old in parts] for parts in plan]
        with pytest.raises(ValueError, match=r"layer|home"):
            check(problem, changed)


def small(problem: Problem, *, neurons: int = 16384) -> Problem:
    return dataclasses.replace(problem, neurons=neurons)


def stacked(*layers: Conv) -> Problem:
    """Convolutions of an input of their own each, on crossbars of 128x128 that keep 16384 neurons."""
    net = Net()
    for number, each in enumerate(layers):
        net.layer(f"l{number}", each.shape, (net.input(each.sources), each, 0))
    return small(net.problem())


@pytest.mark.parametrize(
    ("layer", "crossbars"),
    [
        # 64 channels at 50176 positions: 196 x 16384 neurons
        (conv(3, 64, 224, 3, 1), 196),
        # the kernel is four and a half crossbars high, and half a one wide: 128 positions of 64 channels twice
        (conv(64, 64, 32, 3, 1), 4 * 4 + 2),
        # 1152 places of the kernel are 9 crossbars, of whole channels they would be more
        (conv(128, 128, 16, 3, 1), 2 * 9),
        # 512 channels of 9 rows each: 14 of them have 126 rows
        (conv(512, 512, 14, 3, 1, groups=512), 37),
        # windows of 4, 32 channels at a time; 512 positions
        (pool(64, 64), 4),
        (conv(64, 128, 32, 1), 8),
    ],
    ids=["first", "half", "whole", "depthwise", "pool", "pointwise"],
)
def test_crossbars_are_full(layer: Conv, crossbars: int) -> None:
    problem = stacked(layer)
    plan = planned(problem)
    assert len(plan) == crossbars
    assert len(plan) >= lower_bounds(problem).neurons


def test_small_kernels_share_crossbars() -> None:
    """Four kernels of 27 rows and 32 columns: rows, columns and neurons are those of one crossbar."""
    layers = [conv(3, 32, 11, 3) for _ in range(4)]
    plan = planned(stacked(*layers))
    assert [(rows_of(parts), sum(p.columns for p in parts)) for parts in plan] == [(108, 128)]
    assert len(planned(dataclasses.replace(stacked(*layers), slices=3))) == 2
    assert len(planned(small(stacked(*layers), neurons=4 * 32 * 81 - 1))) == 2


def test_what_is_left_over_of_patches_shares_a_crossbar() -> None:
    """600 positions of 64 channels: two times 256, and 88 that two layers put together."""
    layers = [conv(3, 64, 26, 3) for _ in range(2)]
    plan = planned(stacked(*layers))
    reads = sorted(tuple(sorted(part.reads for part in parts)) for parts in plan)
    assert reads == [(64, 64), (256,), (256,), (256,), (256,)]


def test_partial_sums_keep_no_states() -> None:
    """The last half crossbar of a kernel goes beside a kernel whose neurons fill the states."""
    problem = stacked(conv(3, 64, 34, 3), conv(64, 64, 34, 3))
    plan = planned(problem)
    both = [parts for parts in plan if len({part.layer for part in parts}) == 2]
    assert len(plan) == 4 * 4 + 4
    assert len(both) == 4


def test_patches_are_nearly_square_and_as_few_as_can_be() -> None:
    problem = stacked(conv(3, 128, 112, 3, 1))
    layer = problem.layers[0].inputs[0].synapses
    assert isinstance(layer, Conv)
    parts = list(shared_parts(problem, 0, layer, count()))
    assert [part.reads for part in parts] == [128] * 98
    # 8 x 16 positions and a border, in three planes
    assert max(len(part.axons) for part in parts) == 3 * 10 * 18


def test_every_split_has_a_home_of_its_own() -> None:
    plan = planned(stacked(conv(64, 64, 9, 3), conv(64, 64, 9, 3)))
    homes = {part.home for parts in plan for part in parts}
    assert len(homes) == 2
    assert all(sum(not part.is_partial for parts in plan for part in parts if part.home == n) == 1 for n in homes)


def test_machines_without_room_for_more_neurons_unroll() -> None:
    problem = chain(1024, conv(1, 6, 32, 3), pool(6, 30)).problem()
    for neurons in (0, 128):
        assert kernels_of(small(problem, neurons=neurons)) == []
        planned(small(problem, neurons=neurons))
    assert kernels_of(small(problem)) == [0, 1]
    planned(small(problem))


def test_dense_layers_and_single_windows_are_no_kernels() -> None:
    problem = small(chain(36, conv(1, 5, 6, 6), dense(5, 4)).problem())
    assert kernels_of(problem) == []
    planned(problem)


def test_a_kernel_that_meets_padding_only_is_none() -> None:
    nowhere = Conv(np.ones((2, 1, 1, 1), np.int8), 1, Windows.of((1, 1), (1, 1), (3, 1), (4, 0), (0, 0)), 1)
    assert nowhere.shape == (2, 2, 1)
    assert kernels_of(stacked(nowhere)) == []
    planned(stacked(nowhere))


def test_places_that_meet_padding_only_take_no_rows() -> None:
    """Of the 5 x 5 places of a kernel only 9 meet a plane of one neuron, since windows are two apart."""
    wide = Conv(np.ones((2, 1, 5, 5), np.int8), 1, Windows.of((1, 1), (5, 5), (2, 2), (4, 4), (4, 4)), 1)
    (parts,) = planned(stacked(wide))
    assert [rows_of([part]) for part in parts] == [9]


def test_a_kernel_that_is_too_high_needs_adders() -> None:
    problem = dataclasses.replace(stacked(conv(15, 4, 8, 3)), digital=False)
    with pytest.raises(PartitionError, match="its kernel has 135 places, a crossbar has 128 rows"):
        planned(problem)


def test_the_same_problem_gives_the_same_plan() -> None:
    def text() -> list[list[tuple[object, ...]]]:
        plan = planned(stacked(conv(3, 64, 34, 3), conv(64, 64, 34, 3), pool(9, 10)))
        return [[(p.layer, p.home, p.neurons.tolist(), p.axons.tolist()) for p in parts] for parts in plan]

    assert text() == text()
