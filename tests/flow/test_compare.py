"""Where two runs differ first, and how often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.errors import SnnirError
from snnir.flow.compare import Divergence, compare, prefix, trace
from snnir.sim.events import Events


def zeros(samples: int = 2, steps: int = 6, neurons: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A silent signal."""
    return np.zeros((samples, steps, neurons), np.uint8)


def test_the_earliest_step_counts_then_the_order_of_dependence() -> None:
    expected = {"a": zeros(), "b": zeros(), "c": zeros()}
    found = {"a": zeros(), "b": zeros(), "c": zeros()}
    found["a"][0, 4, 0] = 1
    found["b"][1, 2, 2] = 1
    found["c"][0, 2, 1] = 1
    result = compare(expected, found)
    assert result.first == Divergence("b", 2, 2, 1, 0, 1)
    assert (result.compared, result.different) == (3 * 36, 3)
    assert result.per_population == {"a": 1, "b": 1, "c": 1}
    assert compare(expected, found, ["c", "b", "a"]).first == Divergence("c", 1, 2, 0, 0, 1)
    assert str(result.first) == "@b[2] at step 2 of sample 1: 0 expected, 1 found"


def test_within_a_step_the_first_sample_and_neuron() -> None:
    found = zeros()
    found[1, 3, 0] = found[0, 3, 2] = found[0, 3, 1] = 2
    first = compare({"a": zeros()}, {"a": found}).first
    assert first == Divergence("a", 1, 3, 0, 0, 2)
    assert first is not None
    assert isinstance(first.found, int)


def test_only_what_both_have_is_compared() -> None:
    found = zeros(1, 4)
    result = compare({"a": zeros(), "b": zeros()}, {"a": found, "c": found})
    assert (result.compared, result.different, result.per_population) == (12, 0, {"a": 0})
    with pytest.raises(SnnirError, match="@a: error: 3 neurons are expected, but 4 found"):
        compare({"a": zeros()}, {"a": zeros(neurons=4)})


def test_real_numbers_are_equal_up_to_rounding() -> None:
    expected = np.array([[[0.0], [100.0], [1e-7]]])
    assert compare({"v": expected}, {"v": expected + 1e-5}).different == 0
    assert compare({"v": expected}, {"v": expected + 1e-3}).different == 3
    broken = expected.copy()
    broken[0, 1] = np.nan
    assert compare({"v": expected}, {"v": broken}).different == 1


def test_trace_is_cut_at_the_ends() -> None:
    expected, found = zeros(1, 6), zeros(1, 6)
    expected[0, 1, 1], found[0, 0, 1] = 1, 1
    first = compare({"a": expected}, {"a": found}).first
    assert first is not None
    around = trace({"a": expected}, {"a": found}, first, 2)
    assert (around.start, around.expected, around.found) == (0, [0, 1, 0], [1, 0, 0])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_lists_of_events_are_compared_like_arrays(seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected = rng.integers(0, 3, (3, 7, 4)) * (rng.random((3, 7, 4)) < 0.2)
    found = np.where(rng.random(expected.shape) < 0.1, 1, expected)
    arrays = compare({"a": expected}, {"a": found})
    lists = {"a": Events.from_array(expected)}, {"a": Events.from_array(found)}
    assert compare(*lists) == arrays
    assert compare(lists[0], {"a": found}) == arrays
    if arrays.first is not None:
        assert trace(*lists, arrays.first) == trace({"a": expected}, {"a": found}, arrays.first)
    cut = prefix(lists[0]["a"], [2, 0], 5)
    assert isinstance(cut, Events)
    assert (cut.array() == expected[[2, 0], :5]).all()
