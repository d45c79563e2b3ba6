"""Bad input: one located line that says what is wrong, exit code 1, and no output file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snnir.tensors import write_safetensors
from snnir.testing import Outcome

SnnOpt = Callable[..., Outcome]

PROGRAM = """\
network small {
  dt = 1e-3
  steps = 10
  weights = "weights.safetensors"
  input pixels[4]
  population out[2] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  pixels -> out : dense(weights = "w")
  output label = out
}
"""
MAPPING = "convert-snn-to-cluster{algorithm=greedy}, cluster-place, cluster-route"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small program with its weights and a machine for it."""
    (tmp_path / "net.snn").write_text(PROGRAM)
    write_safetensors(tmp_path / "weights.safetensors", {"w": np.full((2, 4), 0.5, dtype=np.float32)})
    return tmp_path


@pytest.fixture
def refuse(snn_opt: SnnOpt, folder: Path) -> Callable[..., str]:
    """Run `snn-opt` on something bad; returns what it says, after checking the form of it."""

    def run(name: str, *arguments: object) -> str:
        before = sorted(path.name for path in folder.iterdir())
        outcome = snn_opt(folder / name, *arguments, "-o", folder / "out.mlir")
        assert (outcome.code, outcome.out) == (1, "")
        assert sorted(path.name for path in folder.iterdir()) == before
        lines = [line for line in outcome.err.splitlines() if not line.startswith("  ")]
        errors = [line for line in lines if ": note: also wrong: " not in line]
        assert len(errors) == 1, outcome.err
        assert errors[0] == lines[-1]
        assert ": error: " in errors[0]
        assert "internal error" not in errors[0]
        return outcome.err

    return run


def test_the_good_program_passes(snn_opt: SnnOpt, folder: Path, samples: Path) -> None:
    machine = samples / "platforms" / "mesh2x2-64.toml"
    outcome = snn_opt(folder / "net.snn", "--platform", machine, "-p", MAPPING)
    assert outcome.code == 0, outcome.err
    assert "cluster.cluster @" in outcome.out


@pytest.mark.parametrize(
    ("find", "replace", "line", "word"),
    [
        ("tau = 4e-3", "tau = -4e-3", 6, "tau"),
        ("tau = 4e-3", "tau = nan", 6, "tau"),
        ("input pixels[4]", "input pixels[5]", 7, "4"),
        ('"w")', '"v")', 7, "v"),
        ('"weights.safetensors"', '"missing.safetensors"', 4, "missing.safetensors"),
        ("output label = out", "output label = hidden", 8, "hidden"),
        ("population out[2]", "population [2]", 6, "["),
        ("output label = out\n", 'out -> out : dense(weights = "r")\n  output label = out\n', 8, "r"),
    ],
)
def test_programs(refuse: Callable[..., str], folder: Path, find: str, replace: str, line: int, word: str) -> None:
    assert find in PROGRAM
    (folder / "net.snn").write_text(PROGRAM.replace(find, replace))
    said = refuse("net.snn")
    assert word in said
    assert f"net.snn:{line}" in said or "missing.safetensors" in said


def test_zero_delay_cycle(refuse: Callable[..., str], folder: Path) -> None:
    write_safetensors(
        folder / "weights.safetensors",
        {"w": np.zeros((2, 4), dtype=np.float32), "r": np.zeros((2, 2), dtype=np.float32)},
    )
    recurrent = 'out -> out : dense(weights = "r")\n  output label = out\n'
    (folder / "net.snn").write_text(PROGRAM.replace("output label = out\n", recurrent))
    said = refuse("net.snn")
    assert "net.snn:" in said
    assert "cycle" in said
    assert "out" in said


def test_weight_that_is_not_a_number(refuse: Callable[..., str], folder: Path) -> None:
    weights = np.full((2, 4), 0.5, dtype=np.float32)
    weights[1, 2] = np.nan
    write_safetensors(folder / "weights.safetensors", {"w": weights})
    assert "net.snn:7" in refuse("net.snn")


def test_truncated_weights(refuse: Callable[..., str], folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    assert "truncated" in refuse("net.snn")


def test_wrong_digest(refuse: Callable[..., str], snn_opt: SnnOpt, folder: Path) -> None:
    write_safetensors(folder / "weights.safetensors", {"w": np.full((300, 4), 0.5, dtype=np.float32)})
    (folder / "net.snn").write_text(PROGRAM.replace("out[2]", "out[300]"))
    assert snn_opt(folder / "net.snn", "-o", folder / "ir.mlir").code == 0
    stored = folder / "ir.mlir.safetensors"
    content = stored.read_bytes()
    stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    said = refuse("ir.mlir")
    assert "ir.mlir:" in said
    assert "digest" in said
    stored.unlink()
    assert "no such file" in refuse("ir.mlir")


def test_truncated_nir(refuse: Callable[..., str], folder: Path, samples: Path) -> None:
    whole = (samples / "digits" / "digits.nir").read_bytes()
    (folder / "net.nir").write_bytes(whole[: len(whole) // 2])
    assert "net.nir" in refuse("net.nir")
    (folder / "net.nir").write_bytes(b"")
    assert "net.nir" in refuse("net.nir")


def test_published_nir_files_that_are_wrong(refuse: Callable[..., str], folder: Path, shared_data: Path) -> None:
    for path in sorted((shared_data / "nir" / "bad").glob("negative_tau.nir")):
        shutil.copy(path, folder / path.name)
        assert path.name in refuse(path.name, "--dt", "1e-3", "--semantics", "nir")


def test_platform_too_small(refuse: Callable[..., str], folder: Path, samples: Path) -> None:
    machine = (samples / "platforms" / "mesh2x2-32.toml").read_text()
    for find, small in (
        ("mesh = [2, 2]", "mesh = [1, 1]"),
        ("rows = 32", "rows = 2"),
        ("crossbars = 8", "crossbars = 1"),
    ):
        assert find in machine
        machine = machine.replace(find, small)
    (folder / "small.toml").write_text(machine)
    said = refuse("net.snn", "--platform", folder / "small.toml", "-p", MAPPING)
    assert "crossbar" in said


@pytest.mark.parametrize(
    ("pipeline", "error"),
    [
        (
            "snn-quantise",
            "<pass-pipeline>:1:1: error: unknown pass 'snn-quantise'\n  fix: did you mean 'snn-quantize'?",
        ),
        ("snn-profile{data=1 data=2}", "<pass-pipeline>:1:20: error: option 'data' is given twice"),
        ("convert-snn-to-cluster{algorithm=", "<pass-pipeline>:1:34: error: expected a value"),
        ("convert-snn-to-cluster{algoritm=greedy}", "did you mean 'algorithm'?"),
        ("builtin.module(snn-quantize", "<pass-pipeline>:1:28: error: expected ')'"),
        (
            "snn-quantize{bits=eight}",
            "<pass-pipeline>:1:14: error: snn-quantize: option 'bits' expects int, not 'eight'",
        ),
        (
            "cluster-place{algorithm=magic}",
            "expects one of springs, annealing, hilbert, pso, swap, load-balance, row-major, not 'magic'",
        ),
        ("dataflow-simulate{iterations=1.5}", "option 'iterations' expects int, not '1.5'"),
        ("dataflow-analyze-throughput{slack=perhaps}", "option 'slack' expects bool, not 'perhaps'"),
        ("snn-profile", "<pass-pipeline>:1:1: error: snn-profile: option 'data' is missing"),
    ],
)
def test_pipelines(refuse: Callable[..., str], pipeline: str, error: str) -> None:
    assert error in refuse("net.snn", "--pass-pipeline", pipeline)
