"""Tensors of every kind in a file beside the text: ops verify them there, and say what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snnir.tensors import Tensor, write_safetensors
from snnir.testing import Outcome, run_in_process

SYNAPSES, SIZE = 3000, 50


def good() -> dict[str, NDArray[Any]]:
    """Synapses, a delay per neuron, a kernel and a matrix, all of them too large to be printed."""
    rng = np.random.default_rng(0)
    return {
        "w": rng.normal(size=SYNAPSES).astype("f4"),
        "from": rng.integers(0, SIZE, SYNAPSES),
        "to": rng.integers(0, SIZE, SYNAPSES),
        "delays": rng.integers(0, 9, SYNAPSES),
        "neurons": rng.integers(0, 9, SYNAPSES),
        "kernel": rng.normal(size=(20, 2, 6, 6)).astype("f4"),
        "last": rng.normal(size=(40, 30)).astype("f8"),
    }


def opt(folder: Path, arrays: dict[str, NDArray[Any]]) -> Outcome:
    """`snn-opt` on a program whose tensors lie in a file."""
    write_safetensors(folder / "net.safetensors", arrays)
    digests = {key: Tensor.open(folder / "net.safetensors", key) for key in arrays}

    def tensor(key: str) -> str:
        found = digests[key]
        shape = "x".join(map(str, (*found.shape, found.element)))
        return f'#snn.tensor<"{key}", {shape}, digest "{found.digest}" in "net.safetensors">'

    s, d, k, m = f"{SIZE}, spike", f"{SYNAPSES}, spike", "2x7x7", "2x20x30"
    (folder / "net.mlir").write_text(
        f"""snn.network @n dt 0.001 {{
  %x = snn.input @x : !snn.signal<{s}>
  %c = snn.sparse %x weights {tensor("w")} from {tensor("from")} to {tensor("to")} delays {tensor("delays")} : \
!snn.signal<{s}> -> !snn.signal<{SIZE}, f64>
  %y = snn.input @y : !snn.signal<{d}>
  %l = snn.delay %y by {tensor("neurons")} : !snn.signal<{d}>
  %z = snn.input @z : !snn.signal<{k}, f64>
  %k = snn.conv2d %z weights {tensor("kernel")} : !snn.signal<{k}, f64> -> !snn.signal<20x2x2, f64>
  %u = snn.input @u : !snn.signal<{m}, f64>
  %m = snn.dense %u weights {tensor("last")} : !snn.signal<{m}, f64> -> !snn.signal<2x20x40, f64>
}}
"""
    )
    return run_in_process(["snn-opt", str(folder / "net.mlir"), "-o", str(folder / "out.mlir")])


def test_tensors_in_a_file(tmp_path: Path) -> None:
    outcome = opt(tmp_path, good())
    assert outcome.code == 0, outcome.err
    text = (tmp_path / "out.mlir").read_text()
    assert text.count('in "out.mlir.safetensors"') == len(good())
    assert run_in_process(["snn-opt", str(tmp_path / "out.mlir"), "-o", str(tmp_path / "again.mlir")]).code == 0
    assert (tmp_path / "again.mlir").read_text().replace("again.mlir", "out.mlir") == text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("w", np.nan, "snn.sparse: weights 'w' holds a value that is not finite (NaN?) at [2999]"),
        ("from", SIZE, f"snn.sparse: from 'from' names neuron {SIZE} of {SIZE}"),
        ("to", 2**62, f"snn.sparse: to 'to' names neuron {2**62} of {SIZE}"),
        ("to", -(2**63), "snn.sparse: to 'to' holds a negative number"),
        ("delays", 2**31, "snn.sparse: delays 'delays' holds a number beyond 2147483647"),
        ("neurons", -1, "snn.delay: delay 'neurons' holds a negative number"),
        ("kernel", np.inf, "snn.conv2d: weights 'kernel' holds a value that is not finite (NaN?) at [19, 1, 5, 5]"),
        ("last", -np.inf, "snn.dense: weights 'last' holds a value that is not finite (NaN?) at [39, 29]"),
    ],
)
def test_what_is_wrong_with_tensors_in_a_file(key: str, value: float, said: str, tmp_path: Path) -> None:
    arrays = good()
    arrays[key].reshape(-1)[-1] = value
    outcome = opt(tmp_path, arrays)
    assert outcome.code == 1
    assert said in outcome.err
    assert outcome.err.count("error:") == 1
    assert "Traceback" not in outcome.err


def test_numbers_of_another_type(tmp_path: Path) -> None:
    outcome = opt(tmp_path, {**good(), "to": good()["to"].astype("i4")})
    assert outcome.code == 1
    assert "snn.sparse: to 'to' holds whole numbers: give it the element i64" in outcome.err
