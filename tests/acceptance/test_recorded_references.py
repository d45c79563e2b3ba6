"""Recordings that others published are reproduced, spike for spike, under the semantics of the platform that made them.

What was measured is in research/nir-semantics.md of the shared data; models are read by our own front ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.parser import Parser

from snnir.dialects.snn import SNN, NetworkOp, networks
from snnir.flow.recordings import read_data
from snnir.frontend.nir import reader as nir
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sonata import reader as sonata
from snnir.semantics import Semantics, discretise
from snnir.sim import Network, Population, run, simulate
from snnir.sim.entry import network_of
from snnir.tensors import Tensor, source_directory, write_safetensors

Arrays = dict[str, NDArray[Any]]
Load = Callable[..., Network]


@pytest.fixture
def load(shared_data: Path) -> Load:
    """Read a model of `nir/good`."""

    def read(name: str, **options: Any) -> Network:
        module = nir.read(shared_data / "nir" / "good" / f"{name}.nir", FrontendOptions(**options))
        (network,) = networks(module)
        return network_of(network)

    return read


@pytest.fixture
def reference(shared_data: Path) -> Callable[[str], Arrays]:
    """The arrays of a file of `refs`."""

    def read(name: str) -> Arrays:
        with np.load(shared_data / "refs" / f"{name}.npz") as file:
            return {key: file[key] for key in file.files}

    return read


def only(network: Network) -> Population:
    """The one population of a network."""
    (population,) = network.populations.values()
    return population


def after_reset(population: Population, spikes: NDArray[Any], voltages: NDArray[Any]) -> NDArray[Any]:
    """Membranes at the end of each step, which is what most platforms record."""
    c = population.coefficients
    if population.semantics.reset == "value":
        return np.where(spikes > 0, c.v_reset, voltages)
    return voltages - np.asarray(c.threshold) * spikes


@pytest.mark.parametrize("preset", ["norse", "snntorch", "sinabs", "rockpool", "spyx"])
def test_one_neuron(load: Load, reference: Any, preset: str) -> None:
    network, arrays = load("lif_norse", dt=1e-4, semantics=preset), reference("lif_norse")
    (name,) = network.populations
    found = run(network, {"input": arrays["input"].astype(np.uint8)[None, :, None]}, voltages=[name])
    spikes, voltages = found.signals[name][0, :, 0], found.voltages[name][0, :, 0]
    recorded = arrays[f"recorded_{preset}"]
    assert int(((recorded[:, 2] > 0) != spikes).sum()) == 0
    assert spikes.any()
    if preset in ("norse", "sinabs", "rockpool"):  # the others record other quantities than the membrane
        assert np.abs(after_reset(only(network), spikes, voltages) - recorded[:, 1]).max() < 1e-7
    if preset == "norse":
        assert np.flatnonzero(spikes).tolist() == [460, 510, 710, 760]
        assert (arrays["euler_z"] == spikes).all()


@pytest.mark.parametrize("dt", [1e-3, 5e-4, 2e-4, 1e-4, 5e-5])
@pytest.mark.parametrize("pulse", ["box", "dirac"])
def test_box_and_dirac(load: Load, reference: Any, dt: float, pulse: Any) -> None:
    expected = reference("two_lif_dt_sweep")[f"v2_{pulse}_dt{dt:g}"]
    network = load("two_lif_neurons", dt=dt, semantics="nir")
    second = network.populations["lif2"]
    semantics = Semantics(pulse=pulse)
    # the recording has no second threshold, which charges would pass
    parameters = {"tau": 1e-2, "r": 1.0, "v_leak": 0.0, "threshold": np.inf, "v_reset": 0.0}
    network.populations["lif2"] = replace(
        second, semantics=semantics, coefficients=discretise("lif", parameters, dt, semantics)
    )
    found = run(network, {"in": np.zeros((1, len(expected), 1), np.uint8)}, voltages=["lif2"])
    assert np.abs(found.voltages["lif2"][0, :, 0] - expected).max() < 1e-9 * expected.max()
    assert expected.max() > 0


BRAILLE = [
    ("bias_zero", "nir", None, "nir_euler", None),
    ("bias_zero", "norse", None, "nir_euler_recbias0", "recorded_norse"),
    ("bias_zero", "snntorch", None, "snntorch", "recorded_snntorch"),
    ("bias_zero", "spyx", None, "spyx_subtract_delay1", "recorded_spyx"),
    ("bias_zero", "spinnaker2", None, "spinnaker2_int8", "recorded_s2"),
    ("noBias_subtract", "nir", "subtract", "nir_euler", None),
    ("noBias_subtract", "norse", "value", None, "recorded_norse"),
    ("noBias_subtract", "snntorch", "subtract", "snntorch", "recorded_snntorch"),
    ("noBias_subtract", "spyx", None, "spyx_subtract_delay1", "recorded_spyx"),
    ("noBias_subtract", "spinnaker2", "subtract", "spinnaker2_int8", "recorded_s2"),
]


@pytest.mark.parametrize(("graph", "preset", "reset", "computed", "recorded"), BRAILLE)
@pytest.mark.parametrize("nested", ["", "_subgraph"])
def test_braille(
    load: Load,
    reference: Any,
    graph: str,
    preset: str,
    reset: str | None,
    computed: str | None,
    recorded: str | None,
    nested: str,
) -> None:
    if nested and graph != "bias_zero":  # this network was published flat only
        return
    name = f"braille_{graph.lower()}{nested}"
    network, arrays = load(name, semantics=preset, reset=reset), reference(f"braille_{graph}")
    hidden, out = network.populations
    if (graph, preset) == ("bias_zero", "spyx"):
        # the reference lets a layer begin when the layer before it has begun to emit, biases included
        late = [replace(p, bias_start=1) for p in network.populations[out].projections]
        network.populations[out] = replace(network.populations[out], projections=tuple(late))
    assert network.dt == 1e-4
    found = simulate(network, {"input": arrays["input"][None]})
    for key, spikes in (
        (f"{computed}_hidden", found[hidden]),
        (f"{computed}_out", found[out]),
        (recorded, found[hidden]),
    ):
        if key in arrays:
            assert int((arrays[key] != spikes[0]).sum()) == 0, key
    assert f"{computed}_hidden" in arrays or recorded in arrays
    assert found[hidden].sum() > 100


def binned(arrays: Arrays, sample: int) -> NDArray[np.uint8]:
    """A recording as counts per millisecond from its first event on, (300, 2, 34, 34)."""
    part = slice(*arrays["offsets"][sample : sample + 2])
    step = (arrays["t_us"][part] - arrays["t_us"][part][0]) // 1000
    kept = step < 300
    counts = np.zeros((300, 2, 34, 34), np.uint8)
    places = tuple(arrays[key][part][kept] for key in ("p", "y", "x"))
    np.add.at(counts, (step[kept], *places), 1)
    return counts


def test_nmnist_layer_by_layer(load: Load, reference: Any) -> None:
    network, arrays = load("cnn_sinabs", dt=1e-3, semantics="norse"), reference("cnn_nmnist_zero")
    inputs = np.moveaxis(arrays["input"], 1, 0)
    found = simulate(network, {"input": inputs})
    compared = 0
    for key, expected in arrays.items():
        node, _, what = key.removeprefix("node").partition("_")
        if what == "count":
            assert int((found[f"n{node}"].sum(axis=1).reshape(expected.shape) != expected).sum()) == 0, key
        elif what == "spikes":
            steps, samples = expected.shape[:2]
            spikes = np.moveaxis(found[f"n{node}"][:samples], 0, 1).reshape(expected.shape)
            assert int((spikes != expected).sum()) == 0, key
            assert steps == 300
        compared += what in ("count", "spikes")
    assert compared == 10
    events = reference("nmnist_test100_events")
    assert all(np.array_equal(binned(events, n), inputs[n]) for n in range(10))


def test_nmnist_accuracy(load: Load, reference: Any) -> None:
    network, events = load("cnn_sinabs", dt=1e-3, semantics="norse"), reference("nmnist_test100_events")
    inputs = np.stack([binned(events, sample) for sample in range(100)])
    found = simulate(network, {"input": inputs}, record=["n12"])
    assert set(found) == {"n12"}
    assert int((found["n12"].sum(axis=1).argmax(axis=1) == events["labels"]).sum()) == 100


LOIHI = """
snn.network @loihi dt 0.001 {
  %x = snn.input @x : !snn.signal<250, spike>
  %a = snn.dense %x weights #snn.tensor<"W1", 25x250xf32, digest "DIGEST1" in "w.safetensors">
    : !snn.signal<250, spike> -> !snn.signal<25, f64>
  %h = snn.cuba_lif @hidden(%a) with (NEURON) using <nir, decay = int12, pulse = euler, state = i32, out_delay = 1>
    : !snn.signal<25, spike>
  %b = snn.dense %h weights #snn.tensor<"W2", 1x25xf32, WEIGHTS2>
    : !snn.signal<25, spike> -> !snn.signal<1, f64>
  %o = snn.cuba_lif @output(%b) with (NEURON) using <nir, decay = int12, pulse = euler, state = i32, out_delay = 1>
    : !snn.signal<1, spike>
  snn.output @y %o : !snn.signal<1, spike>
}
"""
# u = cut(u * (4096 - 1024) / 4096) + 64 W s,   v = cut(v * (4096 - 128) / 4096) + u,   a spike where v > 80 * 64
NEURON = "tau_syn = 0.004, tau_mem = 0.032, r = 32.0, v_leak = 0.0, threshold = 5120.0, v_reset = 0.0, w_in = 256.0"
MARK = 128
"""What the chip shows as the voltage of a neuron in the step in which it fires."""


def test_loihi(reference: Any, tmp_path: Path) -> None:
    arrays = reference("loihi_slayer_250_25_1")
    write_safetensors(tmp_path / "w.safetensors", {"W1": arrays["W1"].astype("f4")})
    text = LOIHI.replace("NEURON", NEURON).replace("WEIGHTS2", str(arrays["W2"].ravel().astype(float).tolist()))
    with source_directory(tmp_path):
        text = text.replace("DIGEST1", Tensor.open(tmp_path / "w.safetensors", "W1").digest)
        context = Context()
        context.load_dialect(Builtin)
        context.load_dialect(SNN)
        module = Parser(context, text).parse_module()
    module.verify()
    (op,) = networks(module)
    network = network_of(op)
    found = run(network, {"x": arrays["X"].T[None].astype(np.uint8)}, voltages=["hidden", "output"])
    for name, spikes in (("hidden", 639), ("output", 2)):
        signal = found.signals[name][0].T
        assert int((signal != arrays[f"{name}_spikes_loihi"]).sum()) == 0
        assert int(signal.sum()) == spikes
        voltages = found.voltages[name][0].T
        shown = np.where(voltages > 5120, MARK, voltages)
        assert int((shown != arrays[f"{name}_v_ref"]).sum()) == 0


def test_sonata(shared_data: Path, reference: Any) -> None:
    path = shared_data / "sonata" / "300_intfire" / "config.json"
    op: NetworkOp
    (op,) = networks(sonata.read(path, FrontendOptions(dt=1e-6)))
    network, stimulus = network_of(op), read_data(path, op).signals
    assert network.dt == 1e-6
    found = run(network, stimulus, lists=True)
    assert found.engine == "events"
    (population,) = network.populations
    spikes = found.events[population]
    pairs = set(zip(spikes.step.tolist(), spikes.index.tolist(), strict=True))
    arrays = reference("sonata_300_intfire")
    for suffix in ("", "_ref"):
        steps = np.rint(arrays[f"times{suffix}"] * 1000).astype(int).tolist()
        assert pairs == set(zip(steps, arrays[f"ids{suffix}"].astype(int).tolist(), strict=True))
    assert len(spikes.step) == 4322
