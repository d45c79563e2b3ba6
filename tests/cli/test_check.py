"""`snnc check`: every limit that a layer breaks, all at once, before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from snnir.report.schemas import schema
from snnir.tensors import write_safetensors
from snnir.testing import Outcome, run_in_process

PROGRAM = """\
network small {
  dt = 1e-3
  platform = "machine.toml"
  weights = "weights.safetensors"
  input x[40]
  population h[12] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population o[3] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : dense(weights = "in")
  h -> o : dense(weights = "out", delay = 2)
  output y = o
}
"""
MACHINE = """\
name = "m"
[tiles]
mesh = [2, 1]
crossbars = 2
[crossbar]
rows = 40
columns = 12
weight_bits = 8
fanin = "none"
max_delay = 2
[buffers]
events = 40
[link]
flit = 1
[time]
unit = "ns"
read = 10
[source]
tiles = "chosen"
crossbar = "chosen"
buffers = "chosen"
link = "chosen"
time = "chosen"
"""
NOTE = "the host's link lets at most 24,390,244 steps per second through when all of them fire"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program that fits its machine."""
    (tmp_path / "net.snn").write_text(PROGRAM)
    (tmp_path / "machine.toml").write_text(MACHINE)
    rng = np.random.default_rng(0)
    shapes = {"in": (12, 40), "out": (3, 12), "float": (3, 12)}
    weights = {key: (rng.integers(-40, 64, shape) / 128).astype("f4") for key, shape in shapes.items()}
    weights["float"] = rng.normal(size=(3, 12)).astype("f4")
    write_safetensors(tmp_path / "weights.safetensors", weights)
    return tmp_path


def change(folder: Path, *changes: tuple[str, str]) -> None:
    """Replace text that stands once in the program or in the machine."""
    for find, replace in changes:
        files = [folder / name for name in ("net.snn", "machine.toml") if find in (folder / name).read_text()]
        assert len(files) == 1, find
        files[0].write_text(files[0].read_text().replace(find, replace))


def check(folder: Path, *options: str) -> tuple[Outcome, dict[str, Any]]:
    """What `snnc check --json` prints; it fits its schema."""
    outcome = run_in_process(["snnc", "check", str(folder / "net.snn"), "--json", *options])
    found = json.loads(outcome.out)
    jsonschema.validate(found, schema("platform-check"))
    assert outcome.code == (0 if found["holds"] else 1)
    return outcome, found


def findings(folder: Path, *options: str) -> list[tuple[str, str, str, str]]:
    """Level, limit, the line in the program, and the message of each finding; the host's note left out."""
    _, found = check(folder, *options)
    assert all(finding["hint"] for finding in found["findings"])
    return [
        (f["level"], f["limit"], f["place"].replace(f"{folder}/", "").rsplit(":", 1)[0], f["message"])
        for f in found["findings"]
        if f["limit"] != "host"
    ]


def test_what_fits(folder: Path) -> None:
    outcome, found = check(folder)
    assert outcome.code == 0
    assert [(f["level"], f["message"], f["needed"]) for f in found["findings"]] == [("note", NOTE, 41)]
    hidden, out = found["layers"]
    assert (hidden["name"], hidden["neurons"], hidden["fits"]) == ("h", 12, True)
    takes = hidden["takes"]
    assert (takes["synapses"], takes["fanin"], takes["axons"], takes["parts"]) == (480, 40, 40, 1)
    assert takes["crossbars"] == {"columns": 1, "rows": 1, "cells": 1, "neurons": 0, "at_least": 1}
    assert takes["weights"]["elements"] == ["f32"]
    assert takes["weights"]["representable"]
    assert takes["buffer"] == {"worst": 40, "peak": None, "sums": 0}
    assert out["takes"]["delay"] == 2
    assert out["takes"]["buffer"]["worst"] == 36
    assert found["crossbars"]["at_least"] == 2


BREAKS = [
    (
        [("rows = 40", "rows = 39")],
        ("error", "fan-in", "net.snn:6", "a neuron of @h reads 40 axons, a crossbar of 'm' has 39 rows"),
    ),
    (
        [("rows = 40", "rows = 20"), ('fanin = "none"', 'fanin = "digital"')],
        (
            "note",
            "fan-in",
            "net.snn:6",
            "a neuron of @h reads 40 axons, a crossbar of 'm' has 20 rows: its inputs are summed on 2 crossbars, "
            "which is exact",
        ),
    ),
    (
        [("rows = 40", "rows = 20"), ('fanin = "none"', 'fanin = "relay"')],
        (
            "note",
            "fan-in",
            "net.snn:6",
            "a neuron of @h reads 40 axons, a crossbar of 'm' has 20 rows: it takes 2 relay neurons or more, which is "
            "not exact",
        ),
    ),
    (
        [("columns = 12", "columns = 3")],
        (
            "error",
            "crossbars",
            "net.snn:1",
            "the program takes at least 5 crossbars (neurons and partial sums fill the columns), 'm' has 4",
        ),
    ),
    ([("using nir\n  x", "using spyx\n  x")], ("error", "semantics", "net.snn:7", None)),
    (
        [('fanin = "none"', 'fanin = "none"\nmodels = ["lif"]')],
        ("error", "model", "net.snn:7", "the machine 'm' has no if neurons"),
    ),
    (
        [("max_delay = 2", "max_delay = 1")],
        ("error", "delay", "net.snn:9", "a delay of 2 steps; 'm' delays by 1 at most"),
    ),
    (
        [('weights = "out"', 'weights = "float"')],
        (
            "note",
            "weights",
            "net.snn:7",
            "the weights of @o (f32, 36 different weights) are no integers of 8 bits",
        ),
    ),
    (
        [("events = 40", "events = 39")],
        (
            "warning",
            "buffer",
            "net.snn:6",
            "@h waits for 40 spikes when all neurons fire, the input buffer of a crossbar of 'm' holds 39",
        ),
    ),
    (
        [
            ("crossbars = 2", "crossbars = 2\ntable_entries = 1"),
            ("input x[40]", "input x[40]\n  input z[12]"),
            ("output y", "z -> h : one_to_one(weights = 1.0)\n  output y"),
            ("rows = 40", "rows = 60"),
        ],
        (
            "error",
            "tables",
            "net.snn:1",
            "2 inputs take a table entry each at the host's router, a router of 'm' has 1",
        ),
    ),
    (
        [("rows = 40", "rows = 20"), ('fanin = "none"', 'fanin = "digital"'), ("events = 40", "events = 11")],
        (
            "warning",
            "buffer",
            "net.snn:6",
            "a crossbar full of neurons of @h takes 12 partial sums a step, the input buffer of a crossbar of 'm' "
            "holds 11",
        ),
    ),
    (
        [
            ("crossbars = 2", "crossbars = 2\ntable_entries = 1"),
            ("rows = 40", "rows = 10"),
            ('fanin = "none"', 'fanin = "digital"'),
            ("mesh = [2, 1]", "mesh = [4, 1]"),
        ],
        (
            "warning",
            "tables",
            "net.snn:1",
            "routes to single tiles take at least 2 table entries at the host's router, a router of 'm' has 1",
        ),
    ),
    (
        [("output y = o", "output y = o\n  output z = x")],
        ("error", "outputs", "net.snn:11", "output @z reads the input @x; a machine returns what it computes"),
    ),
    (
        [("input x[40]", "input x[40] : f64")],
        ("error", "signals", "net.snn:5", "input @x brings currents, and a machine reads spikes or codes"),
    ),
]


@pytest.mark.parametrize(("changes", "expected"), BREAKS, ids=[f"{e[0]}-{e[1]}" for _, e in BREAKS])
def test_one_limit(folder: Path, changes: list[tuple[str, str]], expected: tuple[str, str, str, str | None]) -> None:
    change(folder, *changes)
    found = findings(folder)
    assert expected[:3] in [each[:3] for each in found], found
    if expected[3] is not None:
        assert expected in found, found
    assert not [each for each in found if each[0] == "error" and each[1] not in (expected[1], "projections")], found


def test_worst_case_of_buffers(folder: Path) -> None:
    change(folder, ("events = 40", "events = 39"))
    assert [each[:2] for each in findings(folder)] == [("warning", "buffer")]
    assert [each[:2] for each in findings(folder, "--activity", "worst")] == [("error", "buffer")]


def test_a_profile_decides_on_buffers(folder: Path) -> None:
    """30 lines fire at most: 30 spikes in the buffer of @h, and 3 steps of 12 in that of @o."""
    spikes = np.zeros((2, 5, 40), np.uint8)
    spikes[:, :, :30] = 1
    np.savez(folder / "spikes.npz", x=spikes)
    profiled = folder / "profiled.mlir"
    command = ["snnc", "profile", str(folder / "net.snn"), "--data", str(folder / "spikes.npz"), "-o", str(profiled)]
    assert run_in_process(command).code == 0

    def run(events: int) -> tuple[int, dict[str, Any]]:
        (folder / "other.toml").write_text(MACHINE.replace("events = 40", f"events = {events}"))
        platform = ["--platform", str(folder / "other.toml")]
        outcome = run_in_process(["snnc", "check", str(profiled), "--json", *platform])
        return outcome.code, json.loads(outcome.out)

    code, found = run(36)
    assert (code, found["layers"][0]["takes"]["buffer"]["peak"]) == (0, 30)
    code, found = run(29)
    assert code == 1
    message = "@h waits for 30 spikes at the profile's peak, the input buffer of a crossbar of 'm' holds 29"
    assert message in [f["message"] for f in found["findings"]]


def test_all_at_once(folder: Path) -> None:
    """In program order, and the pass says the same in one error."""
    change(
        folder,
        ("max_delay = 2", "max_delay = 1"),
        ("rows = 40", "rows = 10"),
        ("events = 40", "events = 1"),
        ("columns = 12", "columns = 2"),
        ('fanin = "none"', 'fanin = "none"\nmodels = ["lif"]'),
    )
    expected = [
        ("error", "fan-in", "net.snn:6"),
        ("error", "crossbars", "net.snn:6"),
        ("warning", "buffer", "net.snn:6"),
        ("error", "model", "net.snn:7"),
        ("error", "delay", "net.snn:9"),
        ("error", "fan-in", "net.snn:7"),
        ("warning", "buffer", "net.snn:7"),
        ("error", "crossbars", "net.snn:1"),
    ]
    found = findings(folder)
    assert [each[:3] for each in found] == expected
    outcome = run_in_process(["snn-opt", str(folder / "net.snn"), "-p", "check-platform"])
    assert outcome.code == 1
    for level, _, _, message in found:
        assert f": {level}: {message}\n  fix: " in outcome.err
    assert outcome.err.count("\n  fix: ") == len(expected)
    assert run_in_process(["snn-opt", str(folder / "net.snn"), "-p", "check-platform{strict=false}"]).code == 0


def test_compile_checks_first(folder: Path) -> None:
    change(folder, ("max_delay = 2", "max_delay = 1"), ("rows = 40", "rows = 10"))
    outcome = run_in_process(["snnc", "compile", str(folder / "net.snn"), "-o", str(folder / "out")])
    assert outcome.code == 1
    assert outcome.err.count(": error: ") == 4, outcome.err
    assert not (folder / "out").exists()


def test_text(folder: Path) -> None:
    change(folder, ("max_delay = 2", "max_delay = 1"))
    outcome = run_in_process(["snnc", "check", str(folder / "net.snn")])
    assert outcome.code == 1
    lines = outcome.out.replace(f"{folder}/", "").splitlines()
    assert lines[1] == "machine    m: 4 crossbars of 40x12, no splitting of fan-in, 8-bit weights"
    rows = [line.split() for line in lines[3:6]]
    assert rows[1][:8] == ["h", "lif", "12", "480", "40", "40", "0", "1"]
    assert lines[4].endswith("fits")
    assert lines[5].endswith("BREAKS delay")
    assert "net.snn:9:3: error: a delay of 2 steps; 'm' delays by 1 at most" in lines
    assert lines[-1] == "verdict    BREAKS 1 limit"


def test_no_machine(folder: Path) -> None:
    change(folder, ('  platform = "machine.toml"\n', ""))
    outcome = run_in_process(["snnc", "check", str(folder / "net.snn")])
    assert (outcome.code, outcome.out) == (1, "")
    assert "no machine to check against" in outcome.err


def test_help_has_examples() -> None:
    outcome = run_in_process(["snnc", "check", "--help"])
    assert outcome.code == 0
    assert "\n  snnc check cnn.snn --platform chip.toml " in outcome.out
