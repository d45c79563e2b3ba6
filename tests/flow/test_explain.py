"""The search for the decision that would make two runs agree names it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from snnir import api
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.flow.compare import Signal, Spikes, compare
from snnir.flow.explain import Explanation, Told, explain
from snnir.flow.variants import step_order, with_delay, with_fields
from snnir.sim.entry import network_of
from snnir.sim.simulate import simulate

PROGRAM = """\
network pair {
  dt = 1 ms
  input x[12]
  population h[12] : cuba_lif(tau_syn = 2 ms, tau_mem = 5 ms, r = 5.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0,
    w_in = 2.0) using nir
  population o[12] : lif(tau = 4 ms, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : one_to_one(weights = 0.75)
  h -> h : one_to_one(weights = -0.25, delay = 1)
  h -> o : one_to_one(weights = 1.5)
  output y = o
}
"""


@pytest.fixture
def net(tmp_path: Path) -> api.Net:
    """Two populations, one of them recurrent."""
    (tmp_path / "pair.snn").write_text(PROGRAM)
    return api.load(tmp_path / "pair.snn")


@pytest.fixture
def inputs() -> dict[str, NDArray[np.uint8]]:
    """Three samples of spikes; the first has none before step 20."""
    spikes = (np.random.default_rng(3).random((3, 60, 12)) < 0.4).astype(np.uint8)
    spikes[0, :20] = 0
    return {"x": spikes}


def run(network: NetworkOp, data: Mapping[str, Signal], told: Told | None = None) -> Spikes:
    """The spikes of all populations."""
    return simulate(network_of(network), data, progress=told)


def search(
    net: api.Net, inputs: dict[str, NDArray[np.uint8]], golden: Spikes, budget: float = 60.0
) -> tuple[Explanation, int]:
    """Explain, and the step of the first difference."""
    populations = {name: golden[name] for name in net.populations if name in golden}
    first = compare(populations, run(net.network, inputs), step_order(net.network)).first
    assert first is not None
    return explain(net.network, inputs, populations, first, run, reread=net.reread, budget=budget), first.step


def changed(network: NetworkOp | None) -> NetworkOp:
    """A variant that there is."""
    assert network is not None
    return network


@pytest.mark.parametrize(
    "changes",
    [
        {"reset": "subtract"},
        {"reset": "subtract_repeat"},
        {"order": "mem_first"},
        {"decay": "exp"},
        {"pulse": "dirac"},
        {"out_delay": "1"},
        {"refractory": "2"},
    ],
)
def test_one_decision(net: api.Net, inputs: dict[str, NDArray[np.uint8]], changes: dict[str, str]) -> None:
    golden = run(changed(with_fields(net.network, changes)), inputs)
    found, _ = search(net, inputs, golden)
    (name, value), *_ = changes.items()
    named = "spikes leave 1 step later (out_delay)" if name == "out_delay" else f"{name} = {value}"
    assert named in [trial.what for trial in found.explains]
    assert all((t.samples, t.steps, t.different) == (3, 60, 0) for t in found.explains)
    assert found.better == []


def test_two_decisions(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    golden = run(changed(with_fields(net.network, {"reset": "subtract", "pulse": "dirac"})), inputs)
    found, _ = search(net, inputs, golden)
    assert [(trial.what, trial.changes) for trial in found.explains] == [("pulse = dirac and reset = subtract", 2)]


def test_one_population(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    golden = run(changed(with_fields(net.network, {"reset": "subtract"}, "o")), inputs)
    found, _ = search(net, inputs, golden)
    assert [trial.what for trial in found.explains] == ["reset = subtract in @o alone"]


def test_a_connection(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    golden = run(changed(with_delay(net.network, "h", 1, recurrent=True)), inputs)
    found, _ = search(net, inputs, golden)
    assert "recurrent projections of @h 1 step later" in [trial.what for trial in found.explains]


def test_agreement_in_one_sample_is_not_enough(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    golden = run(changed(with_fields(net.network, {"reset": "subtract"})), inputs)
    wrong = np.array(golden["o"])
    wrong[2, 59, 3] ^= 1
    found, step = search(net, inputs, {**golden, "o": wrong})
    assert found.explains == []
    nearest = {trial.what: trial.first for trial in found.better}
    first = nearest["reset = subtract"]
    assert first is not None
    assert (first.population, first.neuron, first.step) == ("o", 3, 59)
    assert step < 59


def test_nothing_explains_noise(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    golden = {"h": (np.random.default_rng(0).random((3, 60, 12)) < 0.5).astype(np.uint8)}
    found, _ = search(net, inputs, golden)
    assert found.explains == []
    assert len(found.tried) > 30
    assert found.untried == []


def test_time_runs_out(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    golden = run(changed(with_fields(net.network, {"reset": "subtract"})), inputs)
    found, _ = search(net, inputs, golden, budget=0.0)
    assert (found.explains, found.tried) == ([], [])
    assert "reset = subtract" in found.untried


def test_what_takes_too_long_is_left_out(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    """One candidate that would never end costs its share of the time; the others are tried."""
    golden = run(changed(with_fields(net.network, {"reset": "subtract"})), inputs)

    def slow(network: NetworkOp, data: Mapping[str, Signal], told: Told) -> Spikes:
        if any(op.semantics.data.decay == "exp" for op in network.sources.values() if isinstance(op, NeuronOp)):
            for n in range(10_000):
                time.sleep(0.01)
                told(n, 10_000)
        return run(network, data, told)

    first = compare(golden, run(net.network, inputs), step_order(net.network)).first
    assert first is not None
    found = explain(net.network, inputs, {"h": golden["h"]}, first, slow, budget=8.0)
    assert "reset = subtract" in [trial.what for trial in found.explains]
    assert "decay = exp" in found.untried
    assert found.seconds < 16


def test_what_agreed_until_the_time_was_over(net: api.Net, inputs: dict[str, NDArray[np.uint8]]) -> None:
    golden = run(changed(with_fields(net.network, {"reset": "subtract"})), inputs)

    def slow(network: NetworkOp, data: Mapping[str, Signal], told: Told) -> Spikes:
        while data["x"].shape[1] > 50:
            time.sleep(0.01)
            told(0, 1)
        return run(network, data, told)

    first = compare(golden, run(net.network, inputs), step_order(net.network)).first
    assert first is not None
    assert first.step < 50
    found = explain(net.network, inputs, {"h": golden["h"]}, first, slow, budget=4.0)
    (trial,) = [trial for trial in found.unfinished if trial.what == "reset = subtract"]
    assert first.step < trial.steps <= 50
    assert (found.explains, found.better) == ([], [])


BRAILLE = [
    ("braille_bias_zero", {"lif1.lif": "recorded_spyx"}, "--semantics spyx"),
    ("braille_bias_zero", {"lif1.lif": "recorded_norse"}, "--semantics norse"),
    ("braille_bias_zero", {"lif1.lif": "mem_first_hidden", "lif2": "mem_first_out"}, "order = mem_first"),
    ("braille_bias_zero", {"lif1.lif": "exp_decay_hidden", "lif2": "exp_decay_out"}, "decay = exp"),
    ("braille_bias_zero", {"lif1.lif": "spinnaker2_int8_hidden"}, "--semantics spinnaker2"),
    ("braille_nobias_subtract", {"lif1.lif": "recorded_snntorch"}, "reset = subtract_repeat"),
    ("braille_nobias_subtract", {"lif1.lif": "snntorch_hidden", "lif2": "snntorch_out"}, "reset = subtract_repeat"),
    ("braille_nobias_subtract", {"lif1.lif": "nir_euler_hidden", "lif2": "nir_euler_out"}, "reset = subtract"),
    ("braille_nobias_subtract", {"lif1.lif": "recorded_spyx"}, "--semantics spyx"),
    ("braille_nobias_subtract", {"lif1.lif": "recorded_s2"}, "--semantics spinnaker2 --reset subtract"),
]


@pytest.mark.parametrize(("name", "signals", "named"), BRAILLE)
def test_recordings_of_other_platforms(shared_data: Path, name: str, signals: dict[str, str], named: str) -> None:
    """Published recordings of one network: what each platform does otherwise is found."""
    net = api.load(shared_data / "nir" / "good" / f"{name}.nir")
    recorded = np.load(shared_data / "refs" / f"{name.replace('nobias', 'noBias')}.npz")
    golden = {population: recorded[key][np.newaxis] for population, key in signals.items()}
    found, _ = search(net, {"input": recorded["input"][np.newaxis]}, golden)
    assert named in [trial.what for trial in found.explains]
    assert found.seconds < 60
