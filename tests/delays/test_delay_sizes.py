"""Sizes of delay memories: the numbers that papers print, exact bounds, and what spikes take step by step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from snnir.delays import MEMORIES, Memory, Reads, Spikes, formula, observed, occupancy
from snnir.delays.formulas import EVENT_BITS

IntArray = NDArray[np.int64]


def test_truenorth_as_printed() -> None:
    """arXiv 2404.10597, section III: 256 axons, 16 delay levels."""
    assert formula("queue", 256, 256, 16) == 34816
    assert formula("circular", 256, 256, 16) == 7936


def test_loihi_as_printed() -> None:
    """The same section: 48 to 48 neurons, 64 delay levels, slots of 8 bits; equal at an activity of a quarter."""
    assert formula("ring", 48, 48, 64) * 8 == 64 * 48 * 8 == 24576
    assert formula("circular", 48, 48, 64) == 6096
    assert formula("circular", 48, 48, 64) * EVENT_BITS == 97536
    assert formula("circular", 48, 48, 64, "1/4") * EVENT_BITS <= 24576 < formula("circular", 48, 48, 64, "0.26") * 16


def test_spinnaker_as_printed() -> None:
    """The same section: 256 to 256 neurons, 16 delay levels, slots of 16 bits; equal at an activity of a half."""
    assert formula("ring", 256, 256, 16) * 16 == 65536
    assert formula("circular", 256, 256, 16) * EVENT_BITS == 126976
    assert formula("circular", 256, 256, 16, Fraction(1, 2)) * EVENT_BITS <= 65536


def test_a_fifo_takes_about_half_of_a_circular_memory() -> None:
    """arXiv 2501.13610."""
    assert formula("fifo", 48, 48, 64) == 3072
    assert 2 * formula("fifo", 48, 48, 64) - formula("circular", 48, 48, 64) == 48


@pytest.mark.parametrize("wrong", [(-1, 1, 1, 1), (1, -1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 2), (1, 1, 1, -1)])
def test_formulas_refuse_what_is_no_layer(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="levels"):
        formula("ring", *wrong)


def all_to_all(sources: int, targets: int, longest: int) -> Reads:
    """A layer with every delay from 0 to the longest."""
    return Reads.of([("x", delay, np.arange(sources)) for delay in range(longest + 1)], targets)


@pytest.mark.parametrize("longest", [1, 5, 15])
def test_bounds_of_full_layers_are_the_formulas(longest: int) -> None:
    """A queue holds nothing for the level without a delay, so its levels are numbered from 1."""
    reads = all_to_all(7, 9, longest)
    assert reads.bound("queue") == formula("queue", 7, 9, longest)
    for memory in ("ring", "circular", "fifo"):
        assert reads.bound(memory) == formula(memory, 7, 9, longest + 1)


def test_bounds_by_hand() -> None:
    """Neuron 2 is read 1 and 3 steps late, neuron 4 of another source 3, neuron 5 not late."""
    reads = Reads.of(
        [("a", 3, np.array([2])), ("a", 1, np.array([2])), ("b", 3, np.array([4])), ("b", 0, np.array([5]))], 10
    )
    assert reads.longest == 3
    assert [reads.bound(memory) for memory in MEMORIES] == [10 * 4, 3 + 1 + 3, 7 + 7, 4 + 4]
    assert reads.by_source("queue") == {"a": 4, "b": 3}
    assert reads.by_source("circular") == {"a": 7, "b": 7}
    assert reads.by_source("ring") == {"a": 2, "b": 1}


def test_rows_and_windows_of_one_axon_are_one_event() -> None:
    twice = Reads.of([("a", 2, np.array([0, 1])), ("a", 2, np.array([1, 2]))], 1)
    assert twice.bound("queue") == 6
    assert twice.bound("fifo") == 9


def test_nothing_late_takes_nothing() -> None:
    reads = Reads.of([("a", 0, np.arange(9))], 0)
    assert not reads
    assert {reads.bound(memory) for memory in MEMORIES} == {0}
    assert {reads.bound_of(memory, {"a": 3}) for memory in MEMORIES} == {0}
    assert {observed(memory, reads, {"a": Spikes.of_array(np.ones((1, 4, 9)))}) for memory in MEMORIES} == {0}


def random_reads(seed: int, sizes: dict[str, int], longest: int) -> Reads:
    """Some neurons of each source with some delays."""
    rng = np.random.default_rng(seed)
    groups: list[tuple[str, int, IntArray]] = []
    for name, size in sizes.items():
        for delay in rng.permutation(longest + 1)[: rng.integers(1, longest + 2)].tolist():
            groups.append((name, delay, np.flatnonzero(rng.random(size) < 0.6)))
    return Reads.of(groups, 5)


def held_one_by_one(memory: Memory, reads: Reads, spikes: dict[str, NDArray[np.uint8]], sample: int) -> list[int]:
    """The entries after each step of one sample, every event on its own."""
    pairs = list(zip(reads.sources.tolist(), reads.neurons.tolist(), reads.delays.tolist(), strict=True))
    last: dict[tuple[int, int], int] = {}
    for source, neuron, delay in pairs:
        last[source, neuron] = max(delay, last.get((source, neuron), 0))
    waiting: list[int] = []
    found: list[int] = []
    for step in range(next(iter(spikes.values())).shape[1]):

        def fires(source: int, neuron: int, step: int = step) -> bool:
            return bool(spikes[reads.names[source]][sample, step, neuron])

        if memory == "queue":
            # each event counts the steps until it is due; at 0 it is delivered and gone
            waiting = [left - 1 for left in waiting if left > 1]
            waiting += [delay for source, neuron, delay in pairs if fires(source, neuron)]
            found.append(len(waiting))
            continue
        waiting = [left - 1 for left in waiting if left > 0]
        waiting += [late for (source, neuron), late in last.items() if fires(source, neuron)]
        going_on = sum(left > 0 for left in waiting)
        found.append(len(waiting) + (going_on if memory == "circular" else 0))
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("memory", MEMORIES[1:])
def test_occupancy_is_that_of_events_one_by_one(seed: int, memory: Memory) -> None:
    sizes = {"a": 6, "b": 9}
    reads = random_reads(seed, sizes, 1 + seed % 7)
    rng = np.random.default_rng(100 + seed)
    arrays = {name: (rng.random((3, 14, size)) < 0.1 * (1 + seed % 9)).astype(np.uint8) for name, size in sizes.items()}
    spikes = {name: Spikes.of_array(array) for name, array in arrays.items()}
    assert occupancy(memory, reads, spikes).tolist() == [
        held_one_by_one(memory, reads, arrays, sample) for sample in range(3)
    ]
    peaks = {name: int(array.sum(axis=2).max()) for name, array in arrays.items()}
    assert observed(memory, reads, spikes) <= reads.bound_of(memory, peaks) <= reads.bound(memory)


@pytest.mark.parametrize("memory", MEMORIES)
def test_bounds_are_reached(memory: Memory) -> None:
    """By neurons that never rest; and the bound of an activity by those that are remembered longest."""
    reads = random_reads(3, {"a": 6, "b": 9}, 5)
    always = {name: Spikes.of_array(np.ones((2, 9, size), np.uint8)) for name, size in (("a", 6), ("b", 9))}
    assert observed(memory, reads, always) == reads.bound(memory)
    assert reads.bound_of(memory, {"a": 6, "b": 9}) == reads.bound(memory)
    one = Reads.of([("a", 2, np.arange(3)), ("a", 4, np.array([1]))], 5)
    array = np.zeros((1, 9, 3), np.uint8)
    array[:, :, 1] = 1
    expected = {"ring": 25, "queue": 6, "circular": 9, "fifo": 5}[memory]
    assert observed(memory, one, {"a": Spikes.of_array(array)}) == expected == one.bound_of(memory, {"a": 1})


def test_lists_of_events_and_arrays_are_the_same() -> None:
    array = (np.random.default_rng(5).random((3, 8, 4)) < 0.4).astype(np.uint8)
    reads = random_reads(8, {"a": 4}, 3)
    sample, step, neuron = (part[::-1] for part in np.nonzero(array))
    listed = {"a": Spikes.of_events(sample, step, neuron, (3, 8, 4))}
    for memory in MEMORIES:
        both = occupancy(memory, reads, listed), occupancy(memory, reads, {"a": Spikes.of_array(array)})
        assert np.array_equal(*both)
