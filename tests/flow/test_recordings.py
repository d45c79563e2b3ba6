"""Recordings in the formats that other tools write, read for a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir as _nir  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import pytest

from snnir import api
from snnir.errors import SnnirError
from snnir.flow.recordings import Signals, as_signal, read_data, read_signals
from snnir.sim.events import Events

nir: Any = _nir

PROGRAM = """\
network shapes {
  dt = 1 ms
  input x[2x3]
  population h[2x3] : lif(tau = 4 ms, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population v[2x3] : li(tau = 4 ms, r = 4.0, v_leak = 0.0) using nir
  x -> h : one_to_one(weights = 0.5)
  h -> v : one_to_one(weights = 0.5)
  output y = v
}
"""


@pytest.fixture
def net(tmp_path: Path) -> api.Net:
    """A program whose signals have two dimensions."""
    (tmp_path / "shapes.snn").write_text(PROGRAM)
    return api.load(tmp_path / "shapes.snn")


def spikes(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Some spikes."""
    return (np.random.default_rng(1).random(shape) < 0.3).astype(np.uint8)


Write = Callable[[Path], None]


def npz(**arrays: Any) -> Write:
    """Writes an archive with these arrays."""
    return lambda path: np.savez(path, **arrays)


@pytest.mark.parametrize("shape", [(4, 5, 2, 3), (4, 5, 6), (5, 2, 3), (5, 6)])
def test_samples_and_shapes_may_be_left_out(net: api.Net, tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = spikes(*shape)
    np.savez(tmp_path / "d.npz", x=array, labels=np.arange(4), other=array)
    found = read_data(tmp_path / "d.npz", net.network)
    samples = 4 if shape[0] == 4 else 1
    signal = found.signals["x"]
    assert isinstance(signal, np.ndarray)
    assert signal.shape == (samples, 5, 6)
    assert (signal.ravel() == array.ravel()).all()
    assert found.labels is not None
    assert found.first(2).signals["x"].shape[0] == min(2, samples)


def test_events_and_names(net: api.Net, tmp_path: Path) -> None:
    array = spikes(3, 8, 6)
    events = Events.from_array(array)
    columns = {"sample": events.sample, "step": events.step, "index": events.index, "shape": np.array([3, 8])}
    npz(**{f"theirs.{name}": column for name, column in columns.items()})(tmp_path / "e.npz")
    found = read_data(tmp_path / "e.npz", net.network, {"x": "theirs"}).signals["x"]
    assert isinstance(found, Events)
    assert (found.array() == array).all()


@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_what_is_written_is_read(net: api.Net, tmp_path: Path, ending: str) -> None:
    run = net.sim(spikes(2, 9, 6), voltages=["h"])
    run.save(tmp_path / f"r{ending}")
    found = read_signals(tmp_path / f"r{ending}", net.network)
    assert found.signals.keys() >= {"x", "h", "v"}
    for name, signal in run.spikes.items():
        assert (np.asarray(found.signals[name]) == signal).all()
    assert (np.asarray(found.voltages["h"]) == run.voltages["h"]).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"r{ending}", "shapes.snn"]


def test_nir_reads_what_is_written(net: api.Net, tmp_path: Path) -> None:
    run = net.sim(spikes(2, 9, 6))
    run.save(tmp_path / "r.h5")
    theirs = nir.read_data(str(tmp_path / "r.h5"))
    observables = {name: node.observables for name, node in theirs.nodes.items()}
    assert (observables["h"]["spikes"].data == run.spikes["h"]).all()
    assert observables["h"]["spikes"].dt == net.dt
    assert (observables["v"]["v"].data == run.spikes["v"]).all()


def test_names_of_foreign_files_become_symbols(tmp_path: Path) -> None:
    (tmp_path / "n.snn").write_text(PROGRAM.replace(" h", " n0").replace("h ->", "n0 ->"))
    net = api.load(tmp_path / "n.snn")
    array = spikes(1, 4, 6)
    npz(**{"0": array})(tmp_path / "g.npz")
    found = read_signals(tmp_path / "g.npz", net.network)
    assert list(found.signals) == ["n0"]


def empty(path: Path) -> None:
    """A file that is no archive."""
    path.write_bytes(b"PK")


def nothing(path: Path) -> None:
    """No file."""
    assert not path.exists()


@pytest.mark.parametrize(
    ("write", "error", "fix"),
    [
        (npz(x=spikes(4, 5, 7)), ":x: error: shape (4, 5, 7) does not fit a signal of 2x3", "(samples, steps, 2, 3)"),
        (npz(y=spikes(4, 5, 6)), ": error: there is no data for input 'x' in this file", "it holds y; --names x="),
        (npz(x=np.array(["a"])), ":x: error: <U1 of shape (1,) is not (samples, steps, neurons)", "store numbers"),
        (npz(x=spikes(0, 5, 6)), ":x: error: uint8 of shape (0, 5, 6) is not", "store numbers"),
        (empty, ": error: not a readable .npz file", "write it with numpy.savez"),
        (nothing, ": error: no such file", "name an existing recording"),
        (
            npz(**{"x.sample": np.array([3]), "x.step": np.array([0]), "x.index": np.array([0]), "x.shape": [2, 5]}),
            ":x: error: sample 3 is not in 0 to 1",
            "[samples, steps]",
        ),
        (
            npz(**{"x.sample": np.array([0]), "x.step": np.array([0]), "x.index": np.array([9])}),
            ":x: error: index 9 is not in 0 to 5",
            "[samples, steps]",
        ),
    ],
)
def test_errors_have_places(net: api.Net, tmp_path: Path, write: Write, error: str, fix: str) -> None:
    path = tmp_path / "bad.npz"
    write(path)
    with pytest.raises(SnnirError) as raised:
        read_data(path, net.network)
    assert str(raised.value).startswith(f"{path}{error}")
    assert fix in raised.value.hint


def test_too_few_samples() -> None:
    found = Signals("f.npz", {"x": as_signal("f.npz:x", spikes(2, 3, 4), None)})
    with pytest.raises(SnnirError, match=r"f\.npz: error: 0 samples"):
        found.first(0)
    assert found.first(9).signals["x"].shape == (2, 3, 4)
