"""Slices that are read several times a step: what they compute, how long they take, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from machine_builder import Builder, Document, write

from snnir import machine
from snnir.errors import SnnirError
from snnir.machine import functional

Change = Callable[[Document, Builder], object]
KERNEL = np.array([[1, 2], [3, -4]], np.int8)
"""Two places of a kernel, two channels."""


def windowed() -> tuple[Document, Builder]:
    """A kernel of two places that passes over four neurons, the first of its windows half outside; and a dense slice.

    Positions 0, 1, 2 meet neurons (-, 0), (0, 1), (2, 3).
    """
    builder = Builder(version=2, rows=4, columns=4)
    builder.input("x", 4)
    builder.population("h", 6, output="o")
    builder.population("p", 1, output="q")
    builder.crossbar("c0", (0, 0), rows=[("x", [0, 1, 2, 3], 0)])
    builder.slice("s", "h", range(4), np.zeros((4, 4)), threshold=2.0)
    builder.crossbar("c1", (1, 0), rows=[("h", [0, 5], 1)])
    builder.slice("t", "p", [0], [[1], [1]])
    builder.slice("u", "h", [4, 5], np.zeros((2, 2)))
    document = json.loads(json.dumps(builder.document()))
    for crossbar in document["crossbars"]:
        crossbar["slices"] = [part for part in crossbar["slices"] if part["name"] != "u"]
        crossbar["order"] = [name for name in crossbar["order"] if name != "u"]
    for field in ("channels", "flows"):
        document[field] = [each for each in document[field] if "u" not in (each["from"], each.get("to"))]
    document["channels"] += [{"from": "s", "to": "t", "delay": 1, "capacity": 3}]
    document["channels"] = list({(c["from"], c["to"]): c for c in document["channels"]}.values())
    first = document["crossbars"][0]
    # row 0 is fed and used by a slice of its own below; the kernel sits on rows 1 and 2
    first["windowed"], first["rows"] = first["rows"], []
    first["slices"][0] |= {
        "neurons": [[0, 6, 1]],
        "columns": [1, 3],
        "rows": [[1, 3, 1]],
        "windows": {"lines": "lines", "origins": "origins", "offsets": "offsets"},
    }
    builder.tensors["c0.cells"] = np.zeros((4, 4), np.int8)
    builder.tensors["c0.cells"][1:3, 1:3] = KERNEL
    builder.tensors["lines"] = np.array([-1, 0, 1, 2, 3], np.int32)
    builder.tensors["origins"] = np.array([0, 1, 3], np.int32)
    builder.tensors["offsets"] = np.array([0, 1], np.int32)
    return document, builder


def loaded(directory: Path) -> machine.Configuration:
    document, builder = windowed()
    write(directory, document, builder.tensors)
    return machine.load(directory)


def expected(
    x: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Spikes of `h`, (samples, steps, 6), where no potential is left from the step before."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 0))).astype(np.int64)
    rows = np.stack([padded[..., [0, 1]], padded[..., [1, 2]], padded[..., [3, 4]]], axis=2)
    sums = (rows @ KERNEL.astype(np.int64)).swapaxes(2, 3)
    return sums.reshape(*x.shape[:2], 6) >= 2


def every_input() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """All 16 patterns of four neurons, a sample of one step each."""
    return (np.arange(16)[:, None, None] >> np.arange(4) & 1).astype(np.uint8)


@pytest.mark.parametrize("most", [1, 3, 5, 8, 1 << 21], ids=str)
def test_windows_are_gathered_in_chunks(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads one by one, some reads of a sample, samples one by one, some samples, all at once."""
    monkeypatch.setattr(functional, "_AT_ONCE", most)
    inputs = every_input()
    run = machine.run(loaded(tmp_path), {"x": inputs})
    assert np.array_equal(run.spikes["h"], expected(inputs))
    assert run.spikes["h"].any(axis=(0, 1)).tolist() == [True, True, True, False, True, True]
    assert np.array_equal(run.counts.spikes_in["s"], inputs.sum(axis=(1, 2)))


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more spikes are gathered at once than allowed."""
    monkeypatch.setattr(functional, "_AT_ONCE", 4)
    seen: list[int] = []
    columns = functional._Unit._columns  # pyright: ignore[reportPrivateUsage]

    def watched(unit: functional._Unit, rows: functional.Reals) -> functional.Reals:  # pyright: ignore[reportPrivateUsage]
        if unit.part.windows is not None:
            seen.append(rows.size)
        return columns(unit, rows)

    monkeypatch.setattr(functional._Unit, "_columns", watched)  # pyright: ignore[reportPrivateUsage]
    machine.run(loaded(tmp_path), {"x": every_input()})
    assert max(seen) == 4
    assert sum(seen) == 16 * 3 * 2


def test_what_is_read(tmp_path: Path) -> None:
    configuration = loaded(tmp_path)
    part = configuration.slices["s"]
    assert (part.reads, part.width, part.axons.tolist()) == (3, 6, [0, 1, 2, 3])
    assert part.windows is not None
    assert part.windows.met.tolist() == [[-1, 0], [0, 1], [2, 3]]
    assert configuration.slices["t"].reads == 1
    assert [(d.source, d.target, d.delay) for d in configuration.dependencies] == [("s", "t", 1), ("x", "s", 0)]


def test_reads_take_time_and_columns_are_counted_once(tmp_path: Path) -> None:
    configuration = loaded(tmp_path)
    timing = machine.simulate(configuration, machine.peak_counts(configuration, 1))
    time = configuration.machine.time
    fixed = 3 * (time.read + time.convert) + 6 * time.update
    assert timing.busy["s"] == fixed + 4 * time.event + 6 * time.spike


def tensor(name: str, *values: int, kind: type = np.int32) -> Change:
    return lambda _, builder: builder.tensors.update({name: np.array(values, kind)})


def part(**fields: object) -> Change:
    return lambda document, _: document["crossbars"][0]["slices"][0].update(fields)


def more(field: str) -> Change:
    """Another row, of the first neuron of the input."""
    return lambda document, _: document["crossbars"][0][field].append(
        {"source": "x", "neurons": [[0, 1, 1]], "delay": 0}
    )


WRONG: dict[str, tuple[Change, str, str]] = {
    "kind of tensor": (tensor("lines", -1, 0, 1, 2, 3, kind=np.int64), "/windows/lines", "no tensor 'lines' of int32"),
    "no tensor": (lambda _, b: b.tensors.pop("origins"), "/windows/origins", "no tensor 'origins' of int32 in a row"),
    "no reads": (tensor("origins"), "/windows/origins", "no tensor 'origins' of int32 in a row"),
    "offsets": (tensor("offsets", 0), "/windows/offsets", "1 offsets for 2 rows"),
    "negative origin": (tensor("origins", -1, 1, 3), "/windows", "a number is negative"),
    "negative offset": (tensor("offsets", -1, 1), "/windows", "a number is negative"),
    "negative line": (tensor("lines", -2, 0, 1, 2, 3), "/windows", "a number is negative"),
    "outside the lines": (tensor("origins", 0, 1, 4), "/windows", "a window meets what is not there"),
    "no such axon": (tensor("lines", -1, 0, 1, 2, 4), "/windows", "a window meets what is not there"),
    "unused axon": (tensor("lines", -1, 0, 1, 2, 2), "/windowed", "no window meets axon 3"),
    "neurons": (part(neurons=[[0, 4, 1]]), "/neurons", "4 neurons for 6 columns"),
    "fed rows": (more("rows"), "/rows", "no slice uses row 0"),
    "more axons": (more("windowed"), "/windowed", "no window meets axon 4"),
    "no such row": (part(rows=[[3, 5, 1]]), "/rows", "index 4 does not exist"),
    "cells elsewhere": (part(rows=[[0, 2, 1]]), "/cells", "the cell at row 2, column 1 is programmed"),
    "field": (part(windows={"lines": "lines", "origins": "origins"}), "/windows", "field 'offsets' is missing"),
}


@pytest.mark.parametrize(("change", "place", "message"), WRONG.values(), ids=WRONG)
def test_refused(change: Change, place: str, message: str, tmp_path: Path) -> None:
    document, builder = windowed()
    change(document, builder)
    write(tmp_path, document, builder.tensors)
    with pytest.raises(SnnirError) as caught:
        machine.load(tmp_path)
    assert message in caught.value.message
    assert str(caught.value.place).endswith(place)


def second_kernel(document: Document, rows: list[list[int]]) -> None:
    """The kernel once more, for another population."""
    crossbar = document["crossbars"][0]
    crossbar["slices"].append(
        {**crossbar["slices"][0], "name": "s2", "population": "h2", "rows": rows, "columns": [0, 1]}
    )
    crossbar["slices"][-1]["neurons"] = [[0, 3, 1]]
    crossbar["order"].append("s2")
    document["populations"].append({"name": "h2", "size": 3})
    document["channels"].append({"from": "x", "to": "s2", "delay": 0, "capacity": 2})


@pytest.mark.parametrize("feed", [False, True])
def test_a_kernel_has_rows_of_its_own(feed: bool, tmp_path: Path) -> None:
    """Neither those of another kernel nor those that axons feed."""
    document, builder = windowed()
    if feed:
        crossbar = document["crossbars"][0]
        crossbar["rows"] = [{"source": "x", "neurons": [[0, 2, 1]], "delay": 0}]
    else:
        second_kernel(document, [[2, 4, 1]])
    write(tmp_path, document, builder.tensors)
    with pytest.raises(SnnirError, match="its kernel sits on rows that axons or other kernels use"):
        machine.load(tmp_path)


def test_two_kernels_on_one_crossbar(tmp_path: Path) -> None:
    document, builder = windowed()
    builder.tensors["c0.cells"][[0, 3], 0] = (3, 5)
    second_kernel(document, [[0, 1, 1], [3, 4, 1]])
    write(tmp_path, document, builder.tensors)
    inputs = every_input()
    run = machine.run(machine.load(tmp_path), {"x": inputs})
    assert np.array_equal(run.spikes["h"], expected(inputs))
    met = np.pad(inputs, ((0, 0), (0, 0), (1, 0)))[..., [[0, 1], [1, 2], [3, 4]]]
    assert np.array_equal(run.spikes["h2"], met @ np.array([3, 5]) >= 2)
