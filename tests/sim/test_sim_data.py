"""Spike files: what is written is read again, NIRData is what the package nir reads and writes, errors have places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import nir as _nir  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import pytest
from numpy.typing import NDArray
from sim_networks import population, projection

from snnir.errors import SnnirError
from snnir.semantics import Semantics
from snnir.sim import Events, Network, data, simulate
from snnir.sim.data import read_labels, read_spike_arrays, read_spikes, write_spikes
from snnir.sim.nirdata import read_recording, write_recording
from snnir.sim.operators import Dense

h5py: Any = _h5py
nir: Any = _nir


@pytest.fixture
def spikes() -> NDArray[np.uint8]:
    """Some spikes, (3, 20, 5)."""
    return (np.random.default_rng(3).random((3, 20, 5)) < 0.2).astype(np.uint8)


def test_npz(tmp_path: Path, spikes: NDArray[np.uint8]) -> None:
    path = tmp_path / "a.npz"
    signals = {"x": spikes, "counts": spikes * 3, "image": spikes.reshape(3, 20, 5, 1), "real": spikes * 0.5}
    write_spikes(path, {**signals, "list": Events.from_array(spikes)}, np.array([1, 2, 3]))
    found = read_spikes(path)
    for name, array in signals.items():
        again = found[name]
        assert isinstance(again, np.ndarray)
        assert (again.dtype, again.shape) == (array.dtype, array.shape)
        assert (again == array).all()
    listed = found["list"]
    assert isinstance(listed, Events)
    assert np.array_equal(listed.array(), spikes)
    assert set(found) == {*signals, "list"}
    labels = read_labels(path, 2)
    assert labels is not None
    assert labels.tolist() == [1, 2]
    first = read_spikes(path, 2)
    assert all(each.shape[0] == 2 for each in first.values())
    assert np.array_equal(read_spike_arrays(path, 2)["list"], spikes[:2])
    assert list(tmp_path.iterdir()) == [path]


def test_events_with_values(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    values = np.array([2.5, -1.0, 3.0])
    events = Events.of((2, 9, 4), np.array([1, 0, 1]), np.array([8, 3, 8]), np.array([2, 0, 2]), values)
    assert events.array()[1, 8, 2] == 5.5  # two entries of one place add up
    write_spikes(path, {"x": events})
    found = read_spikes(path)["x"]
    assert isinstance(found, Events)
    assert np.array_equal(found.array(), events.array())


def test_events_without_a_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    arrays: Any = {"x.sample": [0, 1], "x.step": [5, 7], "x.index": [3, 0], "y.sample": np.zeros((1, 2, 3))}
    np.savez(path, **arrays)
    found = read_spikes(path)
    events = found["x"]
    assert isinstance(events, Events)
    assert (events.shape, events.stated) == ((2, 8, 4), False)
    one = population("p", "if", {"r": 1.0}, Semantics(), projection("x", Dense(np.ones((1, 6)))))
    network = Network("n", 1e-3, None, {"x": 6}, {"p": one}, {"y": "p"})
    assert simulate(network, found)["x"].shape == (2, 8, 6)
    with pytest.raises(SnnirError, match="for 6 lines"):
        simulate(network, {"x": Events.of((2, 8, 4), events.sample, events.step, events.index)})
    assert isinstance(found["y.sample"], np.ndarray)


def test_a_block_of_events(spikes: NDArray[np.uint8]) -> None:
    events = Events.from_array(spikes)
    block = events.block(range(1, 3), range(4, 11), np.uint8)
    assert np.array_equal(block, spikes[1:3, 4:11].transpose(1, 0, 2))
    assert np.array_equal(events.first(2).array(), spikes[:2])


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((2, 3))}, r"a.npz:x: error: shape \(2, 3\) is not \(samples, steps, lines\)"),
        ({"x": np.zeros((0, 3, 1))}, r"shape \(0, 3, 1\)"),
        ({"x": np.full((1, 2, 3), "a")}, "is no number"),
        ({"x.sample": [0], "x.step": [5], "x.index": [-1]}, r"a.npz:x: error: index -1 is not in 0 to"),
        ({"x.sample": [0], "x.step": [5], "x.index": [1], "x.shape": [1, 5]}, "step 5 is not in 0 to 4"),
        ({"x.sample": [0], "x.step": [5, 6], "x.index": [1]}, "differ in length: 1, 2, 1"),
        ({"x.sample": [0], "x.step": [0.5], "x.index": [1]}, r"a.npz:x.step: error: the type float64"),
        ({"x.sample": [0], "x.step": [5], "x.index": [1], "x.shape": [7]}, "the shape is not"),
        ({"x": np.array([None])}, "not a readable .npz file"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, arrays: Any, words: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(SnnirError, match=words):
        read_spikes(tmp_path / "a.npz")


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "spikes.npz"
    with pytest.raises(SnnirError, match="no such data file"):
        read_spikes(path)
    path.write_bytes(bytes(range(256)))
    with pytest.raises(SnnirError, match="it is no zip archive"):  # numpy advises to load it as a pickle
        read_spikes(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\nnothing")
    with pytest.raises(SnnirError, match="not a readable HDF5 file"):
        read_spikes(path)
    np.savez_compressed(path, x=np.zeros((1, 1000, 1000), np.uint8))
    monkeypatch.setattr(data, "LARGEST_BYTES", 10**5)
    with pytest.raises(SnnirError, match="store events in place of arrays"):
        read_spikes(path)
    with pytest.raises(SnnirError, match="cannot be written"):
        write_spikes(tmp_path / "nowhere" / "a.npz", {})
    with pytest.raises(SnnirError, match="0 samples"):
        read_spikes(path, 0)


def test_nir_reads_what_we_write(tmp_path: Path, spikes: NDArray[np.uint8]) -> None:
    path = tmp_path / "a.h5"
    voltages = np.random.default_rng(0).normal(size=(3, 20, 5))
    counts = Events.from_array(spikes * 2)
    recording = {
        "hidden": {"spikes": spikes, "v": voltages},
        "out": {"spikes": Events.from_array(spikes)},
        "in.put": {"spikes": counts},
    }
    write_recording(path, recording, 1e-4)
    found = nir.read_data(str(path))
    hidden, out, many = (found.nodes[name].observables for name in recording)
    assert hidden["spikes"].data.dtype == bool
    assert np.array_equal(hidden["spikes"].data, spikes)
    assert np.array_equal(hidden["v"].data, voltages)
    assert hidden["v"].dt == 1e-4
    events = out["spikes"]
    assert (events.n_neurons, events.t_max) == (5, 20 * 1e-4)
    assert (events.idx >= 0).sum() == spikes.sum()
    assert isinstance(many["spikes"], nir.ValuedEventData)
    again = read_recording(path, 1e-4)
    assert list(again) == sorted(recording)
    for name, observables in recording.items():
        for key, expected in observables.items():
            got = again[name][key]
            a, b = (x.array() if isinstance(x, Events) else x for x in (got, expected))
            assert np.array_equal(a, b), (name, key)
    signals = read_spikes(path, samples=2, dt=1e-4)
    assert {name: each.shape for name, each in signals.items()} == dict.fromkeys(recording, (2, 20, 5))


def test_we_read_what_nir_writes(tmp_path: Path, spikes: NDArray[np.uint8]) -> None:
    path, dt = tmp_path / "a.h5", 1e-3
    grid = nir.TimeGriddedData(spikes.astype(bool), dt)
    nodes = {
        "a": nir.NIRNodeData({"spikes": grid}),
        "b": nir.NIRNodeData({"whatever": grid.to_event(100)}),
        "c": nir.NIRNodeData({"spikes": grid.to_event(100, time_shift=0.4e-3)}),
    }
    nir.write_data(str(path), nir.NIRGraphData(nodes))
    found = read_spikes(path, dt=dt)
    for name in nodes:
        each = found[name]
        assert np.array_equal(each.array() if isinstance(each, Events) else each, spikes), name
    with pytest.raises(SnnirError, match=r"a.h5:/nodes/b/observables/whatever: error: the file holds times"):
        read_spikes(path)
    with pytest.raises(SnnirError, match=r"recorded with steps of 0\.001 s, but the network runs in steps of 0\.002 s"):
        read_spikes(path, dt=2e-3)


def test_nodes_of_nested_graphs(tmp_path: Path, spikes: NDArray[np.uint8]) -> None:
    path = tmp_path / "a.h5"
    write_recording(path, {"inner": {"spikes": spikes}}, 1e-3)
    with h5py.File(path, "a") as file:
        outer = file["nodes"].create_group("outer")
        outer.attrs["__type__"] = "NIRGraphData"
        file.move("nodes/inner", "moved")
        outer.create_group("nodes")
        file.move("moved", "nodes/outer/nodes/inner")
    assert set(read_recording(path)) == {"outer.inner"}


CHANGES: list[tuple[Callable[[Any], Any], str | None]] = [
    (lambda f: f.attrs.__setitem__("__type__", "else"), "a.h5:/: error: the file is no NIRGraphData"),
    (lambda f: f.__delitem__("nodes"), "there is no group 'nodes'"),
    (lambda f: f["nodes/a"].attrs.__setitem__("__type__", "x"), "a.h5:/nodes/a: error: 'x' is no node"),
    (lambda f: f["nodes/a"].__delitem__("observables"), "there is no group 'observables'"),
    (lambda f: f["nodes/a/observables/spikes"].attrs.__setitem__("__type__", "x"), "is no observable"),
    (lambda f: f["nodes/a/observables/spikes"].attrs.__setitem__("dt", "x"), "'dt' is no positive number"),
    (lambda f: f["nodes/a/observables/spikes"].attrs.__setitem__("dt", 0.0), "'dt' is no positive number"),
    (lambda f: f["nodes/a/observables/spikes"].__delitem__("data"), "'data' is no array of numbers"),
    (lambda f: f["nodes"].create_dataset("z", data=[1]), "/nodes/z: error: a data set in place of a group"),
    (lambda f: f["nodes/b/observables/spikes"].attrs.__setitem__("n_neurons", 2), "is not in 0 to 1"),
    (lambda f: f["nodes/b/observables/spikes"].attrs.__setitem__("t_max", 3e-3), "is not in 0 to 2"),
    (lambda f: f["nodes/b/observables/spikes/time"].__setitem__((0, 0), np.nan), "has no finite time"),
    (lambda f: f["nodes/a/observables"].move("spikes", "x"), None),
    (lambda f: f["nodes/a/observables"].copy("spikes", "x"), None),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_nirdata_that_is_wrong(tmp_path: Path, spikes: NDArray[np.uint8], change: Any, words: str | None) -> None:
    path = tmp_path / "a.h5"
    events = Events.from_array(spikes)
    write_recording(path, {"a": {"spikes": spikes}, "b": {"spikes": events}}, 1e-3)
    with h5py.File(path, "a") as file:
        change(file)
    if words is None:
        assert set(read_spikes(path, dt=1e-3)) == {"a", "b"}
        return
    with pytest.raises(SnnirError, match=words):
        read_spikes(path, dt=1e-3)


def test_several_observables_need_a_name(tmp_path: Path, spikes: NDArray[np.uint8]) -> None:
    write_recording(tmp_path / "a.h5", {"a": {"x": spikes, "y": spikes}}, 1e-3)
    with pytest.raises(SnnirError, match="which observable\\? there are x, y"):
        read_spikes(tmp_path / "a.h5")
    with pytest.raises(SnnirError, match="cannot name the node 'a/b'"):
        write_recording(tmp_path / "b.h5", {"a/b": {"x": spikes}}, 1e-3)
    assert not (tmp_path / "b.h5").exists()


def test_times_that_are_nearly_a_step(tmp_path: Path) -> None:
    """0.0003 / 0.0001 is a little less than 3."""
    times = np.array([[0.0003, 0.00035, 0.0006]])
    events = nir.EventData(np.array([[0, 1, 0]]), times, n_neurons=2, t_max=0.0007)
    nir.write_data(str(tmp_path / "a.h5"), nir.NIRGraphData({"a": nir.NIRNodeData({"spikes": events})}))
    found = read_spikes(tmp_path / "a.h5", dt=1e-4)["a"]
    assert isinstance(found, Events)
    assert (found.step.tolist(), found.shape) == ([3, 3, 6], (1, 7, 2))
