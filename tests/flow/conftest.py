"""A small program with all that a fault can hide in: a delay, recurrence, partial sums and several tiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snnir.tensors import write_safetensors
from snnir.testing import Outcome, run_in_process

PROGRAM = """\
network small {
  dt = 1e-3
  steps = 12
  platform = "machine.toml"
  weights = "weights.safetensors"
  input x[40]
  population h[12] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population o[3] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : dense(weights = "in")
  h -> h : dense(weights = "again", delay = 2)
  h -> o : dense(weights = "out", delay = 1)
  output y = o
}
"""


@pytest.fixture
def folder(samples: Path, tmp_path: Path) -> Path:
    """The program, its weights, a machine of 32x32 crossbars and recorded spikes with labels."""
    rng = np.random.default_rng(5)
    machine = (samples / "platforms" / "mesh2x2-32.toml").read_text().replace("crossbars = 8", "crossbars = 1")
    (tmp_path / "machine.toml").write_text(machine)
    (tmp_path / "net.snn").write_text(PROGRAM)
    shapes = {"in": (12, 40), "again": (12, 12), "out": (3, 12)}
    weights = {key: (rng.integers(-40, 64, shape) / 128).astype("f4") for key, shape in shapes.items()}
    write_safetensors(tmp_path / "weights.safetensors", weights)
    pixels = (rng.random((6, 12, 40)) < 0.3).astype(np.uint8)
    np.savez(tmp_path / "spikes.npz", x=pixels, labels=np.array([0, 1, 2, 0, 1, 2]))
    return tmp_path


@pytest.fixture
def snnc() -> Callable[..., Outcome]:
    """Run `snnc` in this process."""
    return lambda *arguments: run_in_process(["snnc", *map(str, arguments)])


@pytest.fixture
def build(folder: Path, snnc: Callable[..., Outcome]) -> Path:
    """The program, compiled with its spikes."""
    outcome = snnc("compile", folder / "net.snn", "--data", folder / "spikes.npz", "-o", folder / "out")
    assert outcome.code == 0, outcome.err
    return folder / "out"
