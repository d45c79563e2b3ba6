"""How two programs differ as they are written, with places in both files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snnir import api
from snnir.flow.difference import Difference, differences
from snnir.tensors import write_safetensors

PROGRAM = """\
network one {
  dt = 1 ms
  steps = 20
  weights = "w.safetensors"
  input x[4]
  population h[3] : lif(tau = 4 ms, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population o[3] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : dense(weights = "in")
  h -> h : dense(weights = "again", delay = 2)
  h -> o : one_to_one(weights = 0.5)
  output y = o
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program and two files of weights."""
    rng = np.random.default_rng(0)
    arrays = {"in": rng.random((3, 4)).astype("f4"), "again": rng.random((3, 3)).astype("f4")}
    write_safetensors(tmp_path / "w.safetensors", arrays)
    (tmp_path / "one.snn").write_text(PROGRAM)
    arrays["again"] = arrays["again"].copy()
    arrays["again"][1, 2] += 0.25
    write_safetensors(tmp_path / "other.safetensors", arrays)
    return tmp_path


def found(folder: Path, *replaced: tuple[str, str]) -> list[Difference]:
    """The differences to the program with some text replaced."""
    text = PROGRAM
    for find, new in replaced:
        assert find in text
        text = text.replace(find, new)
    (folder / "two.snn").write_text(text)
    return differences(api.load(folder / "one.snn").network, api.load(folder / "two.snn").network)


@pytest.mark.parametrize(
    ("find", "new", "what", "first", "second", "line"),
    [
        ("dt = 1 ms", "dt = 2 ms", "dt", "0.001 s", "0.002 s", 1),
        ("steps = 20", "steps = 21", "steps", "20", "21", 1),
        ("tau = 4 ms", "tau = 5 ms", "@h: tau", "0.004", "0.005", 6),
        ("tau = 4 ms", "tau = 4.00000001 ms", "@h: tau", "0.004", "0.00400000001", 6),
        ("v_reset = 0.0) using nir\n  x", "v_reset = 0.0) using spyx\n  x", "@o: reset", "value", "subtract", 7),
        ("delay = 2", "delay = 1", "@h <- @h: delay", "2", "1", 9),
        ("weights = 0.5", "weights = 0.75", "@o <- @h: weights", "0.5", "0.75", 10),
        ("output y = o", "output y = h", "output y <- @o", "@o", "nothing", 11),
    ],
)
def test_one_change(folder: Path, find: str, new: str, what: str, first: str, second: str, line: int) -> None:
    different = found(folder, (find, new))
    (entry,) = [each for each in different if each.what == what]
    assert (entry.first, entry.second) == (first, second)
    assert entry.first_place.startswith(f"{folder / 'one.snn'}:{line}:")
    assert not entry.second_place or entry.second_place.startswith(f"{folder / 'two.snn'}:{line}:")


def test_nothing_differs(folder: Path) -> None:
    lines = PROGRAM.splitlines()
    swapped = [*lines[:7], lines[8], lines[7], *lines[9:]]
    assert found(folder, (PROGRAM, "\n".join(swapped).replace("network one", "# moved\nnetwork two"))) == []


def test_weights_are_compared_by_content(folder: Path) -> None:
    (entry,) = found(folder, ("w.safetensors", "other.safetensors"))
    assert entry.what == "@h <- @h: weights"
    assert entry.first.startswith("3x3xf32 ")
    assert entry.second.endswith("; 1 of 9 differ, by up to 0.25")
    assert entry.first[:16] != entry.second[:16]


def test_what_one_program_has(folder: Path) -> None:
    (recurrent,) = found(folder, ('  h -> h : dense(weights = "again", delay = 2)\n', ""))
    assert (recurrent.what, recurrent.first, recurrent.second) == ("@h <- @h", "snn.dense of @h", "nothing")
    assert (recurrent.first_place, recurrent.second_place) == (f"{folder / 'one.snn'}:9:3", "")
    extra = "  population z[3] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir\n"
    extra += "  h -> z : one_to_one(weights = 1.0)\n"
    (population,) = found(folder, ("  x -> h", extra + "  x -> h"))
    assert (population.what, population.first, population.second) == ("@z", "nothing", "snn.if")


def test_another_shape_and_model(folder: Path) -> None:
    different = found(
        folder, ("population o[3] : if(r = 1.0,", "population o[3] : lif(tau = 4 ms, v_leak = 0.0, r = 1.0,")
    )
    assert [(each.what, each.first, each.second) for each in different] == [("@o", "snn.if", "snn.lif")]


def test_ir_and_source_are_equal(folder: Path) -> None:
    net = api.load(folder / "one.snn")
    net.save(folder / "one.mlir")
    assert differences(net.network, api.load(folder / "one.mlir").network) == []
