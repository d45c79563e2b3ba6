"""Each delay memory against a plain reference, and the example that is printed with the circular one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from delay_reference import REFERENCES, circular, ring
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snnir.machine.delays import Memories
from snnir.machine.delays.events import EventMemory
from snnir.machine.delays.memory import Columns
from snnir.machine.delays.ring import slots_of
from snnir.machine.delays.wiring import programmed_lines, wiring_of
from snnir.machine.parts import Configuration, Crossbar, Delays, Machine, RowGroup, Signal, Slice, Times, Windows

MEMORIES = ("ring", "queue", "circular", "fifo")
TIMES = Times("ns", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
Weights = dict[tuple[int, int], list[int]]
"""The cells of the row of each (axon, level), one per column."""
Spikes = list[list[list[tuple[int, int]]]]
"""(axon, value) that spike, sample by sample and step by step."""


def configured(weights: Weights, axons: int, memory: str, entries: int = 0) -> Configuration:
    """Axons are the neurons of input `x` and, the upper half, of population `p`.

    A slice for the first column, one for all others.
    """
    half = axons - axons // 2
    levels = sorted({level for _, level in weights})
    groups: list[RowGroup] = []
    cells: list[list[int]] = []
    for source, start, stop in (("x", 0, half), ("p", half, axons)):
        for level in levels:
            neurons = [axon for axon in range(start, stop) if (axon, level) in weights]
            if neurons:
                groups.append(RowGroup(source, np.array(neurons) - start, level))
                cells += [weights[axon, level] for axon in neurons]
    array = np.array(cells, np.int8)
    width = array.shape[1]
    spans = [(start, stop) for start, stop in ((0, 1), (1, width)) if start < stop]
    slices = tuple(
        Slice(f"s{span[0]}", "p", np.arange(*span), span, np.arange(len(cells)), (), 1.0, 0.0, None) for span in spans
    )
    crossbar = Crossbar(
        "c0", (0, 0), 0, array, tuple(groups), slices, tuple(s.name for s in slices), (0,) * len(slices)
    )
    delays = Delays(memory, entries)  # pyright: ignore[reportArgumentType]
    machine = Machine("m", (1, 1), 1, (0, 0), len(cells), width, 8, TIMES, delays=delays)
    signals = (Signal("x", half),), (Signal("p", max(1, axons // 2)),)
    return Configuration(Path("config.json"), 2, "n", 1.0, None, machine, *signals, (), (crossbar,), (), (), None)


def execute(configuration: Configuration, spikes: Spikes, axons: int) -> tuple[NDArray[np.int64], list[int], Memories]:
    """The sums in each step, (samples, steps, columns), and the peak after each step."""
    (crossbar,) = configuration.crossbars
    half = axons - axons // 2

    def columns(part: Slice) -> Columns:
        cells = crossbar.cells[:, slice(*part.columns)].astype(np.float64)
        return lambda values, positions: values @ (cells if positions is None else cells[positions])

    add = {part.name: columns(part) for part in crossbar.slices}
    memories = Memories(configuration, len(spikes), add)
    sums: list[NDArray[np.float64]] = []
    peaks: list[int] = []
    for step in range(len(spikes[0])):
        emitted = np.zeros((len(spikes), axons), np.uint8)
        for sample, steps in enumerate(spikes):
            for axon, value in steps[step]:
                emitted[sample, axon] = value
        memories.begin(step)
        memories.arrive("x", np.arange(half), emitted[:, :half])
        for neuron in range(half, axons):
            memories.arrive("p", np.array([neuron - half]), emitted[:, neuron : neuron + 1])
        sums.append(np.concatenate([memories.of["c0"].sums(part.name) for part in crossbar.slices], axis=1))
        memories.end()
        peaks.append(memories.peaks["c0"])
    return np.array(sums).astype(np.int64).swapaxes(0, 1), peaks, memories


@st.composite
def cases(draw: st.DrawFn) -> tuple[Weights, int, Spikes]:
    """Rows of up to four axons at levels up to 7, some of zeros, and two samples of spikes (or codes) of some steps."""
    axons, columns = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    pairs = draw(st.sets(st.tuples(st.integers(0, axons - 1), st.integers(0, 7)), min_size=1))
    cell = st.sampled_from([-3, 0, 0, 1, 2])
    weights = {pair: draw(st.lists(cell, min_size=columns, max_size=columns)) for pair in sorted(pairs)}
    weights.setdefault((0, 3), [1] * columns)
    step = st.dictionaries(st.integers(0, axons - 1), st.sampled_from([1, 1, 5])).map(lambda d: sorted(d.items()))
    steps = draw(st.integers(1, 12))
    return weights, axons, [draw(st.lists(step, min_size=steps, max_size=steps)) for _ in range(2)]


def reads_of(weights: Weights, axons: int) -> dict[int, set[int]]:
    """The levels at which an axon is read by a cell that is not 0."""
    return {a: {level for (axon, level), row in weights.items() if axon == a and any(row)} for a in range(axons)}


@pytest.mark.parametrize("memory", ["queue", "circular", "fifo"])
@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_events_go_as_the_reference_has_them(memory: str, case: tuple[Weights, int, Spikes]) -> None:
    weights, axons, spikes = case
    sums, peaks, _ = execute(configured(weights, axons, memory), spikes, axons)
    traces = [REFERENCES[memory](reads_of(weights, axons), steps) for steps in spikes]
    for sample, trace in enumerate(traces):
        for step, delivered in enumerate(trace.delivered):
            expected = np.sum([[0] * sums.shape[2], *(np.array(weights[a, d]) * v for a, d, v in delivered)], axis=0)
            assert sums[sample, step].tolist() == expected.tolist(), (sample, step)
    most = np.maximum.accumulate(np.max([trace.held for trace in traces], axis=0))
    assert peaks == most.tolist()


@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_rings_go_as_the_reference_has_them(case: tuple[Weights, int, Spikes]) -> None:
    weights, axons, spikes = case
    configuration = configured(weights, axons, "ring")
    sums, peaks, _ = execute(configuration, spikes, axons)
    assert sums.tolist() == [ring(weights, steps) for steps in spikes]
    late = [any(row[c] for (_, level), row in weights.items() if level) for c in range(sums.shape[2])]
    longest = max((level for (_, level), row in weights.items() if any(row)), default=0)
    assert set(peaks) == {sum(late) * (longest + 1)} == {slots_of(configuration.crossbars[0])}


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_all_give_what_was_emitted_so_many_steps_ago(case: tuple[Weights, int, Spikes]) -> None:
    """Against the definition: a row of delay d carries what its axon emitted d steps before."""
    weights, axons, spikes = case
    columns = len(next(iter(weights.values())))
    expected = np.zeros((len(spikes), len(spikes[0]), columns), np.int64)
    for sample, steps in enumerate(spikes):
        for step, fresh in enumerate(steps):
            for axon, value in fresh:
                for (source, level), row in weights.items():
                    if source == axon and step + level < len(steps):
                        expected[sample, step + level] += np.array(row) * value
    for memory in MEMORIES:
        assert execute(configured(weights, axons, memory), spikes, axons)[0].tolist() == expected.tolist(), memory


def test_the_printed_example() -> None:
    """Axon A with 110 is delivered in two steps and dropped; B with 001 not before the third (arXiv 2404.10597)."""
    weights: Weights = {(0, 0): [1], (0, 1): [1], (1, 2): [10], (0, 2): [0], (1, 0): [0], (1, 1): [0]}
    reads = reads_of(weights, 2)
    assert reads == {0: {0, 1}, 1: {2}}
    spikes: Spikes = [[[(0, 1), (1, 1)], [], [], []]]
    sums, peaks, _ = execute(configured(weights, 2, "circular"), spikes, 2)
    assert sums[0, :, 0].tolist() == [1, 1, 10, 0]
    # step 0: A and B in both queues; step 1: A is not pushed again, B is; step 2: B alone, in the first queue
    assert circular(reads, spikes[0]).held == [4, 3, 1, 0]
    assert peaks == [4, 4, 4, 4]


@pytest.mark.parametrize(
    ("memory", "reads", "expected"),
    [
        ("circular", [0, 2], [1, 1, 0, 0]),
        ("circular", [3], [1, 1, 1, 0]),
        ("fifo", [0, 2], [1, 1, 0, 0]),
        ("queue", [0, 2], [1, 1, 0, 0]),
        ("queue", [1, 3], [2, 1, 1, 0]),
    ],
)
def test_what_goes_on_into_the_next_step(memory: str, reads: list[int], expected: list[int]) -> None:
    """Behind the end of each step, after one spike in the first."""
    configuration = configured({(0, level): [1] for level in reads}, 1, memory)
    found: list[int] = []
    for steps in range(1, len(expected) + 1):
        left = execute(configuration, [[[(0, 1)], *[[]] * (steps - 1)]], 1)[2].of["c0"]
        assert isinstance(left, EventMemory)
        found.append(int(left.held[0]))
    assert found == expected


@pytest.mark.parametrize("memory", ["queue", "circular", "fifo"])
def test_what_only_rows_without_a_delay_read_is_not_kept(memory: str) -> None:
    weights: Weights = {(0, 0): [1], (0, 4): [0], (1, 4): [1]}
    sums, peaks, _ = execute(configured(weights, 2, memory), [[[(0, 1)], []]], 2)
    assert peaks == [0, 0]
    assert sums[0, :, 0].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("memory", "peak"), [("ring", 48 * 64), ("queue", 64 * 63 // 2 * 8), ("circular", 8 * 127), ("fifo", 8 * 64)]
)
def test_bounds_are_reached_when_all_spike(memory: str, peak: int) -> None:
    """Eight axons at levels 0 to 63: as the formulas say of all-to-all synapses with every level."""
    weights: Weights = {(axon, level): [1] * 48 for axon in range(8) for level in range(64)}
    configuration = configured(weights, 8, memory)
    spikes: Spikes = [[[(axon, 1) for axon in range(8)]] * 70]
    sums, peaks, _ = execute(configuration, spikes, 8)
    assert sums[0, -1].tolist() == [8 * 64] * 48
    assert peaks[-1] == peak


def test_wiring_numbers_axons_and_leaves_rows_of_zeros_out() -> None:
    weights: Weights = {(0, 0): [1], (0, 5): [0], (1, 2): [0], (2, 1): [1], (2, 4): [2]}
    configuration = configured(weights, 3, "circular")
    wiring = wiring_of(configuration, configuration.crossbars[0])
    assert (wiring.sources, wiring.neurons.tolist()) == (("x", "x", "p"), [0, 1, 0])
    assert (wiring.last.tolist(), wiring.span, wiring.lines) == ([0, -1, 4], 5, 5)
    positions, lines = wiring.delivered(np.array([2, 0, 1, 2, 2]), np.array([4, 0, 2, 3, 1]))
    assert positions.tolist() == [0, 1, 4]
    assert lines.tolist() == [4, 0, 3]


def test_windowed_axons_are_numbered_behind_the_rows() -> None:
    """A row, and a kernel of two places whose first is 0: what only that place meets is not remembered."""
    cells = np.array([[1, 0], [0, 0], [0, 5]], np.int8)
    windows = Windows(np.array([-1, 0, 1, 2, 3]), np.array([0, 1]), np.array([0, 1]))
    slices = (
        Slice("s", "p", np.array([0]), (0, 1), np.array([0]), (), 1.0, 0.0, None),
        Slice("t", "p", np.array([1, 2]), (1, 2), np.array([1, 2]), (), 1.0, 0.0, None, windows),
    )
    rows, lines = RowGroup("x", np.array([3]), 1), RowGroup("x", np.array([0, 1]), 2)
    late = RowGroup("x", np.array([2, 3]), 6)
    crossbar = Crossbar("c0", (0, 0), 0, cells, (rows,), slices, ("s", "t"), (0, 0), (lines, late))
    assert programmed_lines(crossbar).tolist() == [True, True, True, False, False]
    wiring = wiring_of(replace(configured({(3, 0): [1]}, 4, "fifo"), inputs=(Signal("x", 4),)), crossbar)
    assert wiring.parts["t"].tolist() == [1, 2, 3, 4]
    assert wiring.last.tolist() == [2, 2, -1, 1]
    # one slot ring for s, one for each of the two neurons of t
    assert slots_of(crossbar) == 3 * 3
