"""What `snnc compile` and `snnc report` say of delays, on machines with and without delay memories of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from snnir.flow.pipeline import default_pipeline
from snnir.frontend.platform import read_platform
from snnir.machine import load, run
from snnir.report.delays import delay_lines
from snnir.report.metrics import FILE
from snnir.report.schemas import schema
from snnir.tensors import write_safetensors
from snnir.testing import Outcome, run_in_process

Snnc = Callable[..., Outcome]
PROGRAM = """\
network late {
  dt = 1e-3
  steps = 20
  platform = "machine.toml"
  weights = "weights.safetensors"
  input x[8]
  population h[6] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population o[3] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : dense(weights = "in")
  h -> o : bundle(weights = "out", stride = 2)
  output y = o
}
"""
LEVELS = 4
KERNEL = """\
network late {
  dt = 1e-3
  platform = "machine.toml"
  weights = "weights.safetensors"
  input x[2x6x6]
  population h[3x5x5] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : conv2d(weights = "kernel", delay = 3)
  output y = h
}
"""


def folder_of(samples: Path, target: Path, delays: str | None) -> Path:
    """A program with a bundle of four delay levels, its data, and a machine with a delay memory, or none."""
    rng = np.random.default_rng(7)
    text = (samples / "platforms" / "mesh2x2-32.toml").read_text()
    if delays is not None:
        text = text.replace("[source]", '[source]\ndelays = "chosen"') + f"\n[delays]\n{delays}\n"
    (target / "machine.toml").write_text(text)
    (target / "net.snn").write_text(PROGRAM)
    weights = {"in": rng.integers(-20, 64, (6, 8)) / 128, "out": rng.integers(20, 64, (LEVELS, 3, 6)) / 128}
    weights["out"][1:, :, 0] = 0.0
    write_safetensors(target / "weights.safetensors", {key: value.astype("f4") for key, value in weights.items()})
    np.savez(target / "spikes.npz", x=(rng.random((4, 20, 8)) < 0.1).astype(np.uint8))
    return target


def compiled(folder: Path, *options: str) -> tuple[dict[str, Any], Outcome]:
    """The delays in the metrics of a build, and what compiling printed."""
    arguments = ["snnc", "compile", str(folder / "net.snn"), "-o", str(folder / "out"), *options]
    outcome = run_in_process(arguments)
    assert outcome.code == 0, outcome.err
    content = json.loads((folder / "out" / FILE).read_text())
    jsonschema.validate(content, schema("metrics"))
    return content["delays"], outcome


def structures(found: dict[str, Any], kind: str) -> dict[str, int]:
    """Bits of all crossbars by memory."""
    return {each["memory"]: each[kind]["total"] for each in found["structures"]}


def test_every_structure_is_there_whatever_the_machine_has(samples: Path, tmp_path: Path) -> None:
    """Five sources are read 0, 2, 4 and 6 steps late and one not, by three targets."""
    folder = folder_of(samples, tmp_path, None)
    found, outcome = compiled(folder, "--data", str(folder / "spikes.npz"))
    assert (found["memory"], found["entries"], found["longest"], found["margin"]) == (None, None, 6, 1.25)
    assert structures(found, "bound") == {
        "ring": 3 * 7 * 8,
        "queue": 5 * (2 + 4 + 6) * 16,
        "circular": 5 * 13 * 16,
        "fifo": 5 * 7 * 16,
    }
    (crossbar,) = found["crossbars"]
    assert crossbar["reserved"] is None
    with_margin = structures(found, "with_margin")
    for memory in ("queue", "circular", "fifo"):
        assert 0 < crossbar["observed"][memory] < crossbar["bound"][memory]
        assert with_margin[memory] == 16 * -(-crossbar["observed"][memory] * 5 // 4)
    assert with_margin["ring"] == 3 * 7 * 8
    assert found["parameters"] == 6 * 8 + LEVELS * 3 * 6 - 3 * 3 * 1
    assert (found["samples"], found["steps"]) == (4, 20)
    text = outcome.out
    assert "delays     up to 6 steps on 1 crossbar, 111 parameters" in text
    assert f"spikes per inference: h {found['spikes']['h']:,.1f}" in text
    assert [line.split()[0] for line in text.splitlines() if line.startswith("           ") and " 16 " in line] == [
        "queue",
        "circular",
        "fifo",
    ]
    report = run_in_process(["snnc", "report", str(folder / "out"), "--json"])
    assert json.loads(report.out)["delays"] == found


def test_without_data_there_are_bounds_alone(samples: Path, tmp_path: Path) -> None:
    found, outcome = compiled(folder_of(samples, tmp_path, None))
    assert (found["samples"], found["margin"], found["spikes"]) == (0, None, None)
    assert all(each["with_margin"] is None for each in found["structures"])
    assert found["crossbars"][0]["observed"] is None
    assert "observed" not in outcome.out
    assert len({len(line) for line in delay_lines(found)[1:]}) == 1


@pytest.mark.parametrize("memory", ["ring", "circular"])
def test_machines_with_a_memory_reserve_it(memory: str, samples: Path, tmp_path: Path) -> None:
    folder = folder_of(samples, tmp_path, f'memory = "{memory}"\nbits = 12\nentries = 100')
    found, outcome = compiled(folder, "--data", str(folder / "spikes.npz"))
    assert 'cluster-size-delays{data="' in outcome.out
    (crossbar,) = found["crossbars"]
    assert (found["memory"], found["entries"]) == (memory, 100)
    assert {each["memory"]: each["bits"] for each in found["structures"]} == {
        "ring": 8,
        "queue": 16,
        "circular": 16,
        "fifo": 16,
    } | {memory: 12}
    assert structures(found, "with_margin")[memory] == 12 * crossbar["reserved"]
    configuration = load(folder / "out" / "machine")
    (reserved,) = [each.delays for each in configuration.crossbars if each.delays is not None]
    observed = crossbar["observed"][memory]
    assert (reserved.entries, reserved.bound, reserved.observed) == (
        crossbar["reserved"],
        crossbar["bound"][memory],
        observed,
    )
    (line,) = [line for line in outcome.out.splitlines() if line.split()[:2] == [memory, "*"]]
    assert line.split()[2] == "12"


def test_what_does_not_fit_stops_the_compilation(samples: Path, tmp_path: Path) -> None:
    """Five neurons that are read 2, 4 and 6 steps late make 60 events."""
    folder = folder_of(samples, tmp_path, 'memory = "queue"\nentries = 59')
    outcome = run_in_process(["snnc", "compile", str(folder / "net.snn"), "-o", str(folder / "out")])
    assert outcome.code == 1
    assert "needs 60 events of delay memory, a crossbar of 'mesh2x2-32' has 59; most is for @h 100%" in outcome.err
    assert "fix:" in outcome.err
    assert not (folder / "out").exists()


def test_programs_without_delays_have_no_such_section(samples: Path, tmp_path: Path) -> None:
    folder = folder_of(samples, tmp_path, 'memory = "queue"\nentries = 10')
    text = PROGRAM.replace('bundle(weights = "out", stride = 2)', 'dense(weights = "in2")')
    (folder / "net.snn").write_text(text.replace('weights = "weights.safetensors"', 'weights = "more.safetensors"'))
    write_safetensors(folder / "more.safetensors", {"in": np.ones((6, 8), "f4"), "in2": np.ones((3, 6), "f4")})
    found, outcome = compiled(folder, "--data", str(folder / "spikes.npz"))
    assert found is None
    assert "delays  " not in outcome.out


@pytest.mark.parametrize("memory", ["ring", "circular"])
def test_kernels_that_are_read_late(memory: str, samples: Path, tmp_path: Path) -> None:
    """One kernel, read at 25 positions in a step: a place of it that holds only zeros is not remembered for."""
    folder = folder_of(samples, tmp_path, None)
    text = (samples / "platforms" / "mesh4x4-128-shared.toml").read_text()
    delays = f'\n[delays]\nmemory = "{memory}"\n'
    (folder / "machine.toml").write_text(text.replace("[source]", '[source]\ndelays = "chosen"') + delays)
    (folder / "net.snn").write_text(KERNEL)
    rng = np.random.default_rng(3)
    kernel = (rng.integers(1, 64, (3, 2, 2, 2)) / 64).astype("f4")
    kernel[:, 0] = 0.0
    write_safetensors(folder / "weights.safetensors", {"kernel": kernel})
    lines = (rng.random((2, 20, 2, 6, 6)) < 0.2).astype(np.uint8)
    np.savez(folder / "spikes.npz", x=lines)
    (crossbar,) = compiled(folder, "--data", str(folder / "spikes.npz"))[0]["crossbars"]
    assert crossbar["bound"] == {"ring": 75 * 4, "queue": 36 * 3, "circular": 36 * 7, "fifo": 36 * 4}
    configuration = load(folder / "out" / "machine")
    assert all(part.windows is not None for part in configuration.slices.values())
    (peak,) = run(configuration, {"x": lines.reshape(2, 20, 72)}).delay_peaks.values()
    assert peak == crossbar["observed"][memory]


def test_worst_case_compilations_reserve_bounds(samples: Path, tmp_path: Path) -> None:
    platform = folder_of(samples, tmp_path, 'memory = "fifo"') / "machine.toml"
    machine = read_platform(platform).data
    assert "cluster-size-delays{data=" in default_pipeline(machine, "a.npz", 3, "peak")
    assert "samples=3}" in default_pipeline(machine, "a.npz", 3, "peak").split("cluster-size-delays")[1]
    assert "cluster-size-delays," in default_pipeline(machine, "a.npz", 3, "worst")
    assert "cluster-size-delays," in default_pipeline(machine, None, None, "peak")
