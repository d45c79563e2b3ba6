"""Spikes worked out by hand, and what `run` refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine_builder import Builder, chain

from snnir.errors import SnnirError
from snnir.machine import evaluation_order, peak_counts, run
from snnir.machine.functional import sums_are_exact


def steps_of(*rows: str) -> np.ndarray[Any, Any]:
    """One sample from strings of 0 and 1, one per step."""
    return np.array([[[int(bit) for bit in row] for row in rows]], np.uint8)


def spikes(builder: Builder, directory: Path, **inputs: np.ndarray[Any, Any]) -> dict[str, list[str]]:
    """What each population emits, one string per step of the first sample."""
    result = run(builder.load(directory), inputs)
    return {name: ["".join(str(bit) for bit in step) for step in array[0]] for name, array in result.spikes.items()}


def single(threshold: float = 2.0, weight: int = 1, delay: int = 0, **changes: Any) -> Builder:
    """One neuron behind one input."""
    builder = Builder()
    builder.input("in", 1)
    builder.population("a", 1, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], delay)])
    builder.slice("sa", "a", [0], [[weight]], threshold=threshold, **changes)
    return builder


def test_two_populations(tmp_path: Path) -> None:
    # v of a: (1,0) -> (2,2) spikes both -> (1,1) -> (2,1) spikes the first -> (0,1); b gets 1-1 = 0, then 1.
    found = spikes(chain(), tmp_path, **{"in": steps_of("100", "110", "001", "100", "000")})
    assert found == {"a": ["00", "11", "00", "10", "00"], "b": ["0", "0", "0", "1", "0"]}


def test_counts_follow_the_rows(tmp_path: Path) -> None:
    counts = run(chain().load(tmp_path), {"in": steps_of("100", "110", "001", "100", "000")}).counts
    assert {name: array.tolist() for name, array in counts.spikes_in.items()} == {
        "sa": [1, 2, 1, 1, 0],
        "sb": [0, 2, 0, 1, 0],
    }
    assert {name: array.tolist() for name, array in counts.spikes_out.items()} == {
        "in": [1, 2, 1, 1, 0],
        "sa": [0, 2, 0, 1, 0],
        "sb": [0, 0, 0, 1, 0],
    }
    assert counts.steps == 5


def test_each_sample_starts_afresh_and_counts_come_sample_by_sample(tmp_path: Path) -> None:
    data = np.concatenate([steps_of("1", "0"), steps_of("1", "1")])
    result = run(single(delay=0).load(tmp_path), {"in": data})
    assert result.spikes["a"][:, :, 0].tolist() == [[0, 0], [0, 1]]
    assert result.counts.spikes_in["sa"].tolist() == [1, 0, 1, 1]


def test_delay_memory_is_empty_at_first(tmp_path: Path) -> None:
    found = spikes(single(threshold=1, delay=2), tmp_path, **{"in": steps_of("1", "1", "0", "1", "0", "0")})
    assert found["a"] == ["0", "0", "1", "1", "0", "1"]


@pytest.mark.parametrize(("compare", "expected"), [("ge", ["1", "1"]), ("gt", ["0", "1"])])
def test_threshold_itself(tmp_path: Path, compare: str, expected: list[str]) -> None:
    assert spikes(single(threshold=1, compare=compare), tmp_path, **{"in": steps_of("1", "1")})["a"] == expected


@pytest.mark.parametrize(
    ("reset", "v_reset", "expected"),
    # Input 3 at threshold 2: to 0 -> silent after; to 2 -> spikes on; subtract: 3 -> 1, 1+3 = 4 -> 2 -> 0.
    [("value", 0.0, "1100"), ("value", 2.0, "1111"), ("subtract", 0.0, "1110")],
)
def test_reset(tmp_path: Path, reset: str, v_reset: float, expected: str) -> None:
    builder = single(weight=3, reset=reset, v_reset=v_reset)
    assert "".join(spikes(builder, tmp_path, **{"in": steps_of("1", "1", "0", "0")})["a"]) == expected


@pytest.mark.parametrize(("order", "expected"), [("syn_first", "0100"), ("mem_first", "0010")])
def test_cuba_lif(tmp_path: Path, order: str, expected: str) -> None:
    # i: 2, 3, 0.5*3 = 1.5, ... (syn_decay 0.5, syn_gain 1, input 2 twice); v = 0.5 v + i: 2, 4 | old i: 0, 2, 4
    builder = single(
        weight=2, threshold=3.5, model="cuba_lif", order=order, decay=0.5, syn_decay=0.5, syn_gain=1.0, reset="value"
    )
    assert "".join(spikes(builder, tmp_path, **{"in": steps_of("1", "1", "0", "0")})["a"]) == expected


def test_scale_bias_gain_and_drift_enter_where_the_format_says(tmp_path: Path) -> None:
    # I = 0.5*4 + 1 = 3; v = 2*3 + 0.25 = 6.25, then 0.5*6.25 + 2*1 + 0.25 = 5.375
    changes: dict[str, Any] = {"decay": 0.5, "gain": 2.0, "drift": 0.25, "model": "lif"}
    for threshold, expected in [(5.375, "11"), (5.38, "10"), (6.25, "10"), (6.26, "00")]:
        builder = single(weight=4, threshold=threshold, v_reset=6.25, scale=0.5, bias=1.0, **changes)
        found = spikes(builder, tmp_path / str(threshold), **{"in": steps_of("1", "0")})["a"]
        assert "".join(found) == expected


def test_parameters_per_neuron_and_neurons_out_of_order(tmp_path: Path) -> None:
    builder = Builder()
    builder.input("in", 1)
    builder.population("a", 3, output="o")
    builder.tensors["thresholds"] = np.array([1.0, 3.0])
    builder.tensors["biases"] = np.array([0.0, 1.0], np.float32)
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0)])
    builder.slice("s0", "a", [2, 0], [[1, 1]], threshold="thresholds", bias="biases")
    builder.slice("s1", "a", [1], [[0]], threshold=0.5)
    # Neuron 2: spikes with each input. Neuron 0: bias 1 per step, and the input: 2, then 3.
    assert spikes(builder, tmp_path, **{"in": steps_of("1", "0", "1")})["a"] == ["001", "100", "001"]


def test_partial_sums(tmp_path: Path) -> None:
    builder = Builder(rows=2)
    builder.input("in", 4)
    builder.population("a", 2, output="o")
    builder.crossbar("c1", (1, 0), rows=[("in", [2, 3], 0)])
    builder.slice("whole", "a", [0, 1], [[1, 0], [0, 1]], partials=["part"], threshold=2.0)
    builder.crossbar("c0", (0, 0), rows=[("in", [0, 1], 0)])
    builder.slice("part", "a", [0, 1], [[1, 0], [0, -1]], neuron={})
    assert evaluation_order(builder.load(tmp_path)) == ("part", "whole")
    found = spikes(builder, tmp_path, **{"in": steps_of("1010", "0101", "0001", "0001")})
    assert found["a"] == ["10", "00", "00", "01"]


def test_recurrence(tmp_path: Path) -> None:
    builder = Builder()
    builder.input("in", 1)
    builder.population("ring", 3, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0), ("ring", range(3), 1)])
    builder.slice("s", "ring", range(3), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]])
    assert spikes(builder, tmp_path, **{"in": steps_of(*"10000")})["ring"] == ["100", "010", "001", "100", "010"]


def test_a_slice_without_rows_lives_on_its_bias(tmp_path: Path) -> None:
    builder = single()
    builder.population("free", 1)
    builder.crossbar("c1", (1, 0))
    builder.slice("sf", "free", [0], [], bias=0.5)
    assert spikes(builder, tmp_path, **{"in": steps_of(*"0000")})["free"] == ["0", "1", "0", "1"]


def test_a_cycle_without_delay_is_named(tmp_path: Path) -> None:
    builder = Builder()
    builder.input("in", 1)
    builder.population("a", 1)
    builder.population("b", 1, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0), ("b", [0], 0)])
    builder.slice("sa", "a", [0], [[1], [1]])
    builder.crossbar("c1", (0, 0), 1, rows=[("a", [0], 0)])
    builder.slice("sb", "b", [0], [[1]])
    with pytest.raises(SnnirError, match=r"in one step: (sa -> sb -> sa|sb -> sa -> sb)"):
        run(builder.load(tmp_path), {"in": steps_of("1")})


def test_real_cells_are_added_row_by_row_where_order_matters(tmp_path: Path) -> None:
    builder = Builder(rows=16, weight_bits=None)
    builder.input("in", 16)
    builder.population("a", 1, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", range(16), 0)])
    # Row by row, 2**53 + 1 is 2**53 again, fifteen times; ones that are added first would count.
    builder.slice("s", "a", [0], [[2.0**53]] + [[1.0]] * 15, threshold=2.0**53, compare="gt")
    assert spikes(builder, tmp_path, **{"in": steps_of("1" * 16)})["a"] == ["0"]


def test_the_order_of_operations_in_a_neuron(tmp_path: Path) -> None:
    # v = 2**53 after the first step; then (2**53 + 1) + 1 = 2**53, but 2**53 + (1 + 1) would be more.
    builder = single(threshold=2.0**53, compare="gt", scale=2.0**53 - 2, bias=1.0, drift=1.0)
    assert spikes(builder, tmp_path, **{"in": steps_of("1", "0")})["a"] == ["0", "0"]


@pytest.mark.parametrize(
    ("cells", "exact"),
    [
        ([[0.0]], True),
        ([[127.0], [-128.0]], True),
        ([[0.1], [0.3]], False),
        ([[2.0**52], [2.0**51]], True),
        ([[2.0**52], [2.0**52], [1.0]], False),
        ([[2.0**53], [1.0]], False),
        ([[2.0**53 - 1], [2.0**53 - 2]], False),
        ([[1.5], [2.0**-51]], True),
        ([[1.5], [2.0**-53]], False),
    ],
)
def test_when_sums_are_exact(cells: list[list[float]], exact: bool) -> None:
    assert sums_are_exact(np.array(cells)) is exact


def test_float32_cells_of_like_size_are_exact() -> None:
    cells = np.random.default_rng(0).uniform(0.1, 1, (128, 8)).astype(np.float32).astype(np.float64)
    assert sums_are_exact(cells)


@pytest.mark.parametrize(
    ("inputs", "place", "message"),
    [
        ({}, "data", "no spikes for the input 'in'"),
        ({"in": steps_of("1"), "no": steps_of("1")}, "data:no", "no such input"),
        ({"in": steps_of("11")}, "data:in", r"the shape is \(1, 1, 2\)"),
        ({"in": np.zeros((1, 1), np.uint8)}, "data:in", r"the shape is \(1, 1\)"),
        ({"in": np.zeros((1, 1, 1))}, "data:in", "the element type is float64"),
        ({"in": np.full((1, 1, 1), 2, np.uint8)}, "data:in", "a value is 2"),
        ({"in": np.zeros((0, 1, 1), np.uint8)}, "data", "no samples"),
        ({"in": np.zeros((1, 0, 1), np.uint8)}, "data", "no samples or no steps"),
    ],
)
def test_wrong_inputs(tmp_path: Path, inputs: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(SnnirError, match=message) as caught:
        run(single().load(tmp_path), inputs, "data")
    assert caught.value.place == place
    assert caught.value.hint


def test_inputs_of_different_length(tmp_path: Path) -> None:
    builder = single()
    builder.input("more", 1)
    with pytest.raises(SnnirError, match=r"\(1, 2\) samples and steps, but 'in' has \(1, 1\)"):
        run(builder.load(tmp_path), {"in": steps_of("1"), "more": steps_of("1", "1")})


def test_wrong_number_of_steps(tmp_path: Path) -> None:
    builder = single()
    builder.steps = 3
    with pytest.raises(SnnirError, match="2 steps per sample, but an inference has 3"):
        run(builder.load(tmp_path), {"in": steps_of("1", "1")})


@pytest.mark.parametrize("changes", [{"gain": 1e308, "bias": 1e308}, {"decay": -1e308, "bias": 1e308}])
def test_a_state_out_of_range_is_named(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(SnnirError, match=r"step [01]: the state of slice 'sa' leaves the range"):
        run(single(threshold=1e308, compare="gt", **changes).load(tmp_path), {"in": steps_of("1", "1")})


def test_peak_counts_use_the_peaks_that_the_guarantee_names(tmp_path: Path) -> None:
    builder = chain()
    builder.guarantee = {"period": "5", "latency": "9/2", "activity": "peak", "steps_per_second": 2e8}
    assert {n: a.tolist() for n, a in peak_counts(builder.load(tmp_path), 2).spikes_in.items()} == {
        "sa": [3, 3],
        "sb": [2, 2],
    }
    builder.guarantee |= {"peaks": {"sa": 1, "in": 9}, "peaks_in": {"sb": 1}}
    counts = peak_counts(builder.load(tmp_path), 2)
    assert {n: a.tolist() for n, a in counts.spikes_in.items()} == {"sa": [3, 3], "sb": [1, 1]}
    assert {n: a.tolist() for n, a in counts.spikes_out.items()} == {"in": [3, 3], "sa": [1, 1], "sb": [1, 1]}
