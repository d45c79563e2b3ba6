"""Codes in the machine: what is read, what is refused, what neurons emit, and what columns cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine_builder import Builder, Document, write

from snnir.errors import SnnirError
from snnir.machine import Configuration, encoded, firing_times, load, peak_counts, run, simulate
from snnir.machine.functional import sums_are_exact
from snnir.machine.parts import Code

Change = Callable[[Document], object]
RELU = {"model": "relu", "step": 2.0, "zero": 0.0, "least": 0, "most": 15}


def coded() -> Builder:
    """Codes of four bits into two neurons, and those into one with a sign that the host reads."""
    builder = Builder(version=2)
    builder.input("in", 2)
    builder.population("a", 2)
    builder.population("b", 1, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", [0, 1], 0)])
    builder.slice("sa", "a", [0, 1], [[1, -2], [3, 4]], neuron=dict(RELU), scale=0.5, bias=1.0)
    builder.crossbar("c1", (1, 0), rows=[("a", [0, 1], 0)])
    builder.slice("sb", "b", [0], [[-1], [1]], neuron={**RELU, "model": "clip", "step": 1.0, "least": -4, "most": 3})
    return builder


def document(builder: Builder) -> Document:
    """The document with its codes."""
    made: Document = json.loads(json.dumps(builder.document()))
    made["machine"]["signal_bits"] = 4
    inputs, populations = made["inputs"], made["populations"]
    for item, bits, signed in ((inputs[0], 4, False), (populations[0], 4, False), (populations[1], 3, True)):
        item.update(bits=bits, signed=signed, step=0.5, zero=-1.0 if item["name"] == "in" else 0.0)
    for crossbar in made["crossbars"]:
        for part in crossbar["slices"]:
            part["neuron"] = {key: part["neuron"][key] for key in RELU}
    return made


def loaded(directory: Path, change: Change = lambda document: None) -> Configuration:
    builder = coded()
    made = document(builder)
    change(made)
    write(directory, made, builder.tensors)
    return load(directory)


def test_values_codes_and_counts(tmp_path: Path) -> None:
    configuration = loaded(tmp_path)
    values = np.array([[[-1.3, 0.24]], [[1.0, 9.0]], [[-1.0, -1.0]]])
    inputs = encoded(configuration, {"in": values})
    assert inputs["in"].dtype == np.uint8
    # -1.3 is below the first code; 0.24 is 2.48 steps above -1; 9.0 is beyond the last code
    assert inputs["in"].tolist() == [[[0, 2]], [[4, 15]], [[0, 0]]]
    found = run(configuration, inputs)
    # sums 0.5 * [0 + 6, 0 + 8] + 1 = [4, 5]: 2 and, halves upwards, 3 in steps of 2; then [25.5, 27] and [1, 1]
    assert found.spikes["a"].tolist() == [[[2, 3]], [[13, 14]], [[1, 1]]]
    assert found.spikes["b"].dtype == np.int8
    assert found.spikes["b"].tolist() == [[[1]], [[1]], [[0]]]
    assert found.counts.spikes_in["sa"].tolist() == [1, 2, 0]
    assert found.counts.spikes_out["in"].tolist() == [1, 2, 0]
    assert found.counts.spikes_out["sb"].tolist() == [1, 1, 0]
    assert found.counts.spikes_in["sb"].tolist() == [2, 2, 2]
    code = configuration.populations[1].code
    assert code is not None and (code.least, code.most) == (-4, 3)
    assert code.decode(found.spikes["b"]).tolist() == [[[0.5]], [[0.5]], [[0.0]]]


def test_limits_of_codes(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, lambda d: d["crossbars"][1]["slices"][0].update(scale=-9.0))
    found = run(configuration, {"in": np.array([[[4, 15]], [[15, 0]]], np.uint8)})
    assert found.spikes["a"].tolist() == [[[13, 14]], [[4, 0]]]
    assert found.spikes["b"].tolist() == [[[-4]], [[3]]]


@pytest.mark.parametrize(
    ("bits", "signed", "kind"),
    [(1, False, "u1"), (8, False, "u1"), (9, False, "u2"), (8, True, "i1"), (16, True, "i2")],
)
def test_the_type_of_codes(bits: int, signed: bool, kind: str) -> None:
    code = Code(bits, signed, 1.0, 0.0)
    assert code.dtype == np.dtype(kind)
    ends = code.encode(np.array([-1e9, 1e9]))
    assert ends.tolist() == [code.least, code.most]


def with_a_sign(made: Document) -> None:
    """Signed codes on rows, though not too wide for them."""
    made["machine"]["signal_bits"] = 5
    made["populations"][0].update(signed=True, bits=5)


REFUSED: list[tuple[Change, str, str]] = [
    (lambda d: d["machine"].update(signal_bits=3), "/crossbars/0/rows/0/source", "codes of 4 bits"),
    (lambda d: d["machine"].pop("signal_bits"), "/crossbars/0/rows/0/source", "codes of 4 bits"),
    (with_a_sign, "/crossbars/1/rows/0/source", "with a sign"),
    (lambda d: d["populations"][1].update(bits=2), "/crossbars/1/slices/0/neuron", "codes from -4 to 3"),
    (
        lambda d: [d["populations"][1].pop(k) for k in ("bits", "signed", "step", "zero")],
        "/model",
        "'clip' does not emit",
    ),
    (lambda d: d["populations"][1].pop("step"), "/populations/1", "step"),
    (lambda d: d["populations"][1].update(step=0.0), "/populations/1/step", "a step is not positive"),
    (lambda d: d["crossbars"][0]["slices"][0]["neuron"].update(step=-1.0), "/neuron/step", "a step is not positive"),
    (lambda d: d["crossbars"][0]["slices"][0]["neuron"].pop("least"), "/neuron", "'least' is missing"),
    (lambda d: d["crossbars"][0]["slices"][0]["neuron"].update(threshold=1.0), "/neuron/threshold", "does not belong"),
    (lambda d: d["machine"].update(signs="cell"), "/machine/signs", "pair"),
    (lambda d: d.update(version=1), "/", "does not belong"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refused(number: int, tmp_path: Path) -> None:
    change, place, words = REFUSED[number]
    with pytest.raises(SnnirError) as error:
        loaded(tmp_path, change)
    assert place in str(error.value.place) and words in error.value.message, error.value


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((1, 1, 2)), "the element type is float64"),
        (np.zeros((1, 1, 2), np.uint16), "the element type is uint16"),
        (np.full((1, 1, 2), 16, np.uint8), "a value is 16"),
    ],
)
def test_inputs_that_are_no_codes(array: np.ndarray[Any, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match=words):
        run(loaded(tmp_path), {"in": array})


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="no finite number"):
        encoded(loaded(tmp_path), {"in": np.array([[[np.nan, 0.0]]])})


def test_columns_of_weights(tmp_path: Path) -> None:
    """Pairs of cells of three bits: seven bits are three cells, twice; slices count columns of weights."""
    builder = coded()
    made = document(builder)
    rows, columns = made["machine"]["rows"], made["machine"]["columns"]
    made["machine"].update(cell_bits=3, signs="pair", columns=6 * columns + 5, weight_bits=8)
    write(tmp_path, made, builder.tensors)
    configuration = load(tmp_path)
    assert configuration.machine.columns_per_weight == 6
    assert configuration.machine.weight_columns == columns
    assert configuration.crossbars[0].cells.shape == (rows, columns)
    timing = simulate(configuration, peak_counts(configuration, 1))
    # read 100, two events, 12 columns on converters for two at 10 each, update 5 and spike 2 for each of two neurons
    assert timing.busy["sa"] == 100 + 2 + 6 * 10 + 10 + 4
    part, one = configuration.slices["sa"], np.array([2])
    assert firing_times(configuration.machine.time, part, one, one).tolist() == [100 + 2 + 10 + 10 + 4]
    assert firing_times(configuration.machine.time, part, one, one, 6).tolist() == [timing.busy["sa"]]


def test_exactness_counts_the_bits_of_codes() -> None:
    cells = np.full((4, 1), 2.0**40) + 1
    assert sums_are_exact(cells) and sums_are_exact(cells, 2**10 - 1)
    assert not sums_are_exact(cells, 2**11)
