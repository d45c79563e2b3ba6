"""What `snnc report` says of cells where a kernel is read at several positions in a step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snnir.tensors import write_safetensors
from snnir.testing import Outcome

PROGRAM = """\
network shared {
  dt = 1e-3
  steps = 4
  platform = "machine.toml"
  weights = "weights.safetensors"
  input x[2x8x8]
  population h[4x8x8] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  population o[3] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : conv2d(weights = "kernel", padding = same)
  h -> o : flatten | dense(weights = "out")
  output y = o
}
"""


@pytest.fixture
def compiled(samples: Path, tmp_path: Path, snnc: Callable[..., Outcome]) -> Callable[[str], Path]:
    """The build directory of the program on a machine whose crossbars keep so many neurons."""

    def build(neurons: str) -> Path:
        rng = np.random.default_rng(3)
        machine = (samples / "platforms" / "mesh4x4-128-shared.toml").read_text()
        (tmp_path / "machine.toml").write_text(machine.replace("neurons = 1024", neurons))
        (tmp_path / "net.snn").write_text(PROGRAM)
        shapes = {"kernel": (4, 2, 3, 3), "out": (3, 256)}
        weights = {key: (rng.integers(1, 64, shape) / 128).astype("f4") for key, shape in shapes.items()}
        write_safetensors(tmp_path / "weights.safetensors", weights)
        outcome = snnc("compile", tmp_path / "net.snn", "-o", tmp_path / "out")
        assert outcome.code == 0, outcome.err
        return tmp_path / "out"

    return build


def test_a_kernel_counts_once(compiled: Callable[[str], Path], snnc: Callable[..., Outcome]) -> None:
    """18 places of the kernel in 4 columns on the crossbars of the convolution, however many neurons they drive."""
    build = compiled("neurons = 1024")
    summary = json.loads(snnc("report", build, "--json").out)
    kernels = [c for c in summary["clusters"] if any("kernel" in part for part in c["slices"])]
    assert kernels
    for cluster in kernels:
        assert cluster["cells"] <= cluster["rows"] * cluster["columns"]
        assert cluster["cells"] >= 18 * 4
    cells = sum(cluster["cells"] for cluster in summary["clusters"])
    assert cells == 18 * 4 * len(kernels) + 3 * 256
    assert all(cluster["used"] == cluster["cells"] / 128**2 for cluster in summary["clusters"])
    made = next(each for each in summary["passes"] if each["name"] == "convert-snn-to-cluster")
    assert made["statistics"]["cells used"] == cells
    share = cells / (len(summary["clusters"]) * 128**2)
    assert f"their cells {share:.0%} used" in snnc("report", build).out


def test_without_shared_weights_each_neuron_has_its_column(
    compiled: Callable[[str], Path], snnc: Callable[..., Outcome]
) -> None:
    summary = json.loads(snnc("report", compiled("neurons = 0"), "--json").out)
    cells = sum(cluster["cells"] for cluster in summary["clusters"])
    made = next(each for each in summary["passes"] if each["name"] == "convert-snn-to-cluster")
    assert made["statistics"]["cells used"] == cells
    assert cells > 256 * 18
