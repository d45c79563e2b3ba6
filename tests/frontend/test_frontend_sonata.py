"""SONATA in: what is read, what it means, and that real simulators agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm
from sonata_files import Model, events, nest_network, nodes_of, run

from snnir.dialects.snn import CubaLifOp, DualLifOp, InputOp, LifOp, NetworkOp, NeuronOp, SparseOp, networks
from snnir.errors import SnnirError
from snnir.export.sonata import writer as export
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sonata import reader as sonata
from snnir.semantics import Semantics, preset
from snnir.sim.entry import network_of
from snnir.sim.events import Events
from snnir.sim.simulate import run as simulate

SAMPLE = "sonata/300_intfire"
Ends = dict[str, list[tuple[int, int, float, int]]]


def program(path: Path | str, **options: Any) -> NetworkOp:
    """The network that the front end makes of a model."""
    return next(networks(sonata.read(path, FrontendOptions(**options))))


def ops(network: NetworkOp, kind: type[Any]) -> list[Any]:
    """The ops of a kind."""
    return [op for op in network.body.block.ops if isinstance(op, kind)]


def synapses(network: NetworkOp) -> Ends:
    """For each sparse op its synapses as (source, target, weight, delay)."""
    found: Ends = {}
    for op in ops(network, SparseOp):
        delays = op.delay.data + (np.zeros(op.weights.data.size, np.int64) if op.delays is None else op.delays.array)
        columns = (op.sources.array, op.targets.array, op.weights.array, delays)
        found[op.weights.data.key.removesuffix(".weight")] = list(zip(*(c.tolist() for c in columns), strict=True))
    return found


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model to change and write."""
    return Model(tmp_path / "model")


@pytest.fixture
def notes(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was said on stderr since the last time."""
    return lambda: capsys.readouterr().err


# Real data


def test_three_hundred_neurons_fire_as_neuron_recorded(shared_data: Path) -> None:
    network = program(shared_data / SAMPLE, dt=1e-6)
    stimulus = sonata.read_stimulus(shared_data / SAMPLE, network)
    inputs = {
        name: Events.of(
            (1, 3_000_000, network.sources[name].size),
            *(stimulus[f"{name}.{column}"] for column in ("sample", "step", "index")),
        )
        for name in ("lgn", "tw")
    }
    found = simulate(network_of(network), inputs, lists=True).events["v1"]
    with np.load(shared_data / "refs" / "sonata_300_intfire.npz") as reference:
        times, ids = np.rint(reference["times_ref"] * 1e3).astype(int), reference["ids_ref"]
    expected = set(zip(times.tolist(), ids.tolist(), strict=True))
    assert len(expected) == 4322
    assert set(zip(found.step.tolist(), found.index.tolist(), strict=True)) == expected
    recorded = sonata.read_recording(shared_data / SAMPLE, network)
    assert set(zip(recorded["v1.step"].tolist(), recorded["v1.index"].tolist(), strict=True)) == expected


def test_the_sample_is_read_whole(shared_data: Path, notes: Callable[[], str]) -> None:
    network = program(shared_data / SAMPLE, dt=1e-6)
    assert {name: op.size for name, op in network.sources.items()} == {"v1": 300, "lgn": 90, "tw": 30}
    (neurons,) = ops(network, LifOp)
    assert neurons.semantics.data == Semantics(decay="exp", pulse="dirac", refractory=3000)
    tau = neurons.parameters["tau"]
    assert sorted(set(tau.tolist())) == [0.007, 0.024]
    assert (tau == 0.024).sum() == 240
    sizes = {str(op.results[0].name_hint): op.weights.data.size for op in ops(network, SparseOp)}
    assert sizes == {"v1_to_v1": 61560, "lgn_to_v1": 17160, "tw_to_v1": 9000}
    assert all(op.delay.data == 2000 and op.delays is None for op in ops(network, SparseOp))
    said = notes()
    assert "IntFire1_exc_1.json is missing; the file of this name that bmtk ships is used: tau = 0.024" in said
    assert "instanteneousInh.json is missing" in said
    assert "--dt 1e-06 is used instead of the simulator's step, 0.0001 s" in said


def test_the_sample_needs_a_finer_step(shared_data: Path) -> None:
    with pytest.raises(SnnirError) as caught:
        program(shared_data / SAMPLE)
    assert str(caught.value.place).endswith("inputs/lgn_spikes.h5:/spikes")
    assert "a spike at 445.539 ms is not a whole number of steps of 0.1 ms" in caught.value.message
    assert "--dt 1e-06" in caught.value.hint


@pytest.mark.parametrize("kind", ["delta", "cuba", "dual"])
def test_nest_fires_alike(kind: str, tmp_path: Path) -> None:
    """The spikes are those of NEST 3.10.0, run by bmtk 1.2.0 on the folder that is written here."""
    network, spikes = nest_network(kind, 5)
    export.write(network, tmp_path / "model", Notes(), spikes)
    read = program(tmp_path / "model")
    recorded = json.loads((Path(__file__).parent / "inputs" / "nest_spikes.json").read_text())[kind]
    assert len(recorded) > 200
    found = run(read, sonata.read_stimulus(tmp_path / "model", read))
    assert found["p"] == [tuple(spike) for spike in recorded]


# Models


def exact(
    tau_m: float, c_m: float, taus: tuple[float, float], current: float, charges: NDArray[np.float64], limits: Any
) -> list[int]:
    """Spikes of one neuron by the matrix exponential of dV/dt = -V/tau_m + (I_ex + I_in + I_e)/C_m, in ms, mV, pA, pF.

    `charges` (steps, 2) are added to the two currents at the end of a step; `limits` are threshold, reset and the
    refractory period in steps.
    """
    threshold, reset, refractory = limits
    h = 0.1
    system = np.zeros((4, 4))
    system[0] = [-1 / tau_m, 1 / c_m, 1 / c_m, current / c_m]
    system[1, 1], system[2, 2] = -1 / taus[0], -1 / taus[1]
    flow = expm(system * h)
    state, waiting = np.array([0.0, 0.0, 0.0, 1.0]), 0
    fired: list[int] = []
    for step, charge in enumerate(charges):
        moved = flow @ state
        if waiting:
            moved[0], waiting = reset, waiting - 1
        state = moved
        state[1:3] += charge
        if state[0] >= threshold:
            fired.append(step)
            state[0], waiting = reset, refractory
    return fired


@pytest.mark.parametrize("taus", [(2.0, 5.0), (2.0, 2.0), (10.0, 3.0)])
def test_iaf_psc_exp_is_integrated_exactly(model: Model, taus: tuple[float, float]) -> None:
    steps = 600
    random = np.random.default_rng(3)
    cell = {"tau_m": 10.0, "C_m": 200.0, "t_ref": 1.2, "E_L": -65.0, "I_e": 310.0, "V_th": -48.5, "V_reset": -66.0}
    model.json["neurons/cell.json"] = cell | {"tau_syn_ex": taus[0], "tau_syn_in": taus[1], "V_m": -65.0, "rho": 0.01}
    model.csv["net/post_types.csv"] = (
        "node_type_id model_type model_template dynamics_params\n7 point_neuron nest:iaf_psc_exp cell.json\n"
    )
    model.csv["net/edge_types.csv"] = "edge_type_id delay syn_weight\n1 2.0 930.5\n2 1.5 -400.25\n"
    del model.h5["net/edges.h5"]["edges/e/0/nsyns"]
    model.simulation["run"]["tstop"] = steps / 10
    model.simulation["inputs"] = {}
    network = program(model.write())
    assert [type(op) for op in ops(network, NeuronOp)] == [CubaLifOp if taus[0] == taus[1] else DualLifOp]
    drive = random.random((steps, 2)) < 0.08
    spikes = run(network, events("pre", [(int(s), int(n)) for s, n in np.argwhere(drive)], steps))["post"]
    edges = {0: [(0, 930.5, 20), (1, 930.5, 20)], 1: [(1, -400.25, 15)], 2: [(0, 930.5, 20), (1, 930.5, 20)]}
    assert len(spikes) > 20
    for neuron, incoming in edges.items():
        charges = np.zeros((steps, 2))
        for line, weight, delay in incoming:
            charges[delay:, int(weight < 0)] += weight * drive[:-delay, line]
        expected = exact(10.0, 200.0, taus, 310.0, charges, (16.5, -1.0, 12))
        assert [step for step, number in spikes if number == neuron] == expected


def test_units_of_iaf_psc_exp(model: Model) -> None:
    model.json["neurons/cell.json"] = {"tau_m": 10, "C_m": 250.0, "E_L": -70.0, "I_e": 100.0, "V_th": -55.0}
    model.csv["net/post_types.csv"] = (
        "node_type_id model_type model_template dynamics_params\n7 point_neuron nest:iaf_psc_exp cell.json\n"
    )
    model.csv["net/edge_types.csv"] = "edge_type_id delay syn_weight\n1 2.0 1\n2 1.5 -1\n"
    model.simulation["inputs"] = {}
    (neurons,) = ops(program(model.write()), CubaLifOp)
    expected = {"tau_syn": 2e-3, "tau_mem": 0.01, "r": 0.04, "v_leak": 4.0, "threshold": 15.0, "v_reset": 0.0}
    assert neurons.parameters == pytest.approx(expected | {"w_in": 2e-3})
    semantics = preset("nest", "cuba_lif")
    assert neurons.semantics.data.differences(semantics) == {"refractory": "20"}


@pytest.mark.parametrize("tau", [1.9, 2.7, 3.1, 10.0, 14.9])
def test_a_weight_that_reaches_the_threshold_fires(model: Model, tau: float) -> None:
    """NEST fires when V >= V_th, so a weight of exactly V_th - E_L must move V by exactly that."""
    model.json["neurons/cell.json"] = {"tau_m": tau, "E_L": -70.0, "V_th": -55.0, "t_ref": 0.0}
    model.csv["net/post_types.csv"] = (
        "node_type_id model_type model_template dynamics_params\n7 point_neuron nest:iaf_psc_delta cell.json\n"
    )
    model.csv["net/edge_types.csv"] = "edge_type_id delay syn_weight\n1 2.0 15.0\n2 1.5 14.999999999999998\n"
    del model.h5["net/edges.h5"]["edges/e/0/nsyns"]
    network = program(model.write())
    assert run(network, events("pre", [(0, 1)], 200))["post"] == [(20, 0), (20, 2)]


def test_what_bmtk_makes_of_weights(model: Model) -> None:
    network = program(model.write())
    assert synapses(network) == {
        "pre_to_post": [(0, 0, 0.25, 20), (1, 0, 0.5, 20), (1, 1, -1.5, 15), (0, 2, 1.0, 20), (1, 2, 2.25, 20)]
    }
    (neurons,) = ops(network, LifOp)
    expected = {"tau": 0.01, "r": 0.01, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0}
    assert neurons.parameters == expected
    assert network.step_seconds == 1e-4
    assert network.steps is not None
    assert network.steps.data == 200


def test_the_sign_of_a_weight_chooses_the_synapse(model: Model) -> None:
    model.json["neurons/cell.json"] = {"tau_syn_ex": 1.0, "tau_syn_in": 2.0}
    model.csv["net/post_types.csv"] = (
        "node_type_id model_type model_template dynamics_params\n7 point_neuron nest:iaf_psc_exp cell.json\n"
    )
    del model.h5["net/edges.h5"]["edges/e/0/nsyns"]
    model.h5["net/edges.h5"]["edges/e/0/syn_weight"] = np.array([1.0, -1.0, 0.0, -2.0, 2.0])
    model.csv["net/edge_types.csv"] = "edge_type_id delay\n1 2.0\n2 1.5\n"
    network = program(model.write())
    assert synapses(network) == {
        "pre_to_post": [(0, 0, 1.0, 20), (1, 1, 0.0, 15), (1, 2, 2.0, 20)],
        "pre_to_post_inhibitory": [(1, 0, -1.0, 20), (0, 2, -2.0, 20)],
    }
    (neurons,) = ops(network, DualLifOp)
    assert [len(neurons.excitatory), len(neurons.inhibitory)] == [1, 1]


def test_without_nsyns_a_weight_is_a_weight(model: Model) -> None:
    del model.h5["net/edges.h5"]["edges/e/0/nsyns"]
    model.h5["net/edges.h5"]["edges/e/0/syn_weight"] = np.array([1, -2, 3, -4, 5], np.float32)
    model.h5["net/edges.h5"]["edges/e/0/delay"] = np.full(5, 0.3)
    network = program(model.write())
    assert [each[2:] for each in synapses(network)["pre_to_post"]] == [(w, 3) for w in (1.0, -2.0, 3.0, -4.0, 5.0)]
    (op,) = ops(network, SparseOp)
    assert op.weights.data.element == "f32"
    assert op.delays is None


def test_the_sign_of_the_source_is_the_last_resort(model: Model, notes: Callable[[], str]) -> None:
    model.csv["net/edge_types.csv"] = "edge_type_id delay syn_weight\n1 2.0 0.25\n2 1.5 0.5\n"
    model.csv["net/pre_types.csv"] = "node_type_id model_type ei\n5 virtual e\n6 virtual i\n"
    model.h5["net/pre_nodes.h5"]["nodes/pre/node_type_id"] = np.array([5, 6])
    network = program(model.write())
    assert [each[2] for each in synapses(network)["pre_to_post"]] == [0.25, -0.5, -1.5, 1.0, -2.25]
    assert "have the sign of their sources' column ei" in notes()


# Configuration


@pytest.mark.parametrize("entry", ["", "config.json", "circuit_config.json", "simulation_config.json"])
def test_every_file_is_an_entry(model: Model, entry: str) -> None:
    folder = model.write()
    (folder / "config.json").write_text(
        '{"network": "./circuit_config.json", "simulation": "./simulation_config.json"}'
    )
    del model.simulation["network"]
    (folder / "simulation_config.json").write_text(json.dumps(model.simulation))
    assert str(program(folder / entry)) == str(program(folder / "config.json"))


def test_a_circuit_alone_needs_a_step(model: Model) -> None:
    folder = model.write()
    (folder / "simulation_config.json").unlink()
    with pytest.raises(SnnirError, match="nothing says how long a step is"):
        program(folder)
    network = program(folder, dt=5e-4, steps=7)
    assert (network.step_seconds, str(network.steps)) == (5e-4, "#builtin.int<7>")
    assert [each[3] for each in synapses(network)["pre_to_post"]] == [4, 4, 3, 4, 4]


def test_a_simulation_of_another_network_is_not_used(model: Model) -> None:
    folder = model.write()
    (folder / "other.json").write_text(json.dumps(model.circuit))
    model.simulation["network"] = "./other.json"
    (folder / "simulation_config.json").write_text(json.dumps(model.simulation))
    with pytest.raises(SnnirError, match="nothing says how long a step is"):
        program(folder / "circuit_config.json")


def test_components_beside_the_configuration(model: Model, notes: Callable[[], str]) -> None:
    expected = str(program(model.write()))
    shutil.move(model.folder / "neurons" / "cell.json", model.path("components/cell.json"))
    shutil.move(model.folder / "synapses", model.folder / "components" / "synapses")
    assert str(program(model.folder)) == expected
    assert "missing" not in notes()


def test_a_missing_component_names_the_file_and_the_ways_out(model: Model) -> None:
    folder = model.write()
    (folder / "neurons" / "cell.json").unlink()
    with pytest.raises(SnnirError) as caught:
        program(folder)
    assert str(caught.value.place).endswith("net/post_types.csv:2")
    assert "neurons/cell.json are missing" in caught.value.message
    assert str(folder / "components") in caught.value.hint


# Nodes


def test_neurons_are_in_the_order_of_their_ids(model: Model) -> None:
    model.h5["net/post_nodes.h5"]["nodes/post/node_id"] = np.array([30, 10, 20])
    model.h5["net/post_nodes.h5"]["nodes/post/0/dynamics_params/tau"] = np.array([0.03, 0.01, 0.02])
    model.h5["net/edges.h5"]["edges/e/target_node_id"] = np.array([10, 10, 20, 30, 30])
    network = program(model.write())
    assert [each[1] for each in synapses(network)["pre_to_post"]] == [0, 0, 1, 2, 2]
    (neurons,) = ops(network, LifOp)
    assert neurons.parameters["tau"].tolist() == [0.01, 0.02, 0.03]


def test_groups_of_nodes_and_library_columns(model: Model) -> None:
    nodes = model.h5["net/post_nodes.h5"]
    nodes["nodes/post/node_group_id"] = np.array([0, 1, 0])
    nodes["nodes/post/node_group_index"] = np.array([1, 0, 0])
    nodes["nodes/post/0/dynamics_params/refrac"] = np.array([0.004, 0.006])
    nodes["nodes/post/1/model_template"] = np.array([0])
    nodes["nodes/post/1/@library/model_template"] = np.array(["nrn:IntFire1"], dtype="S12")
    network = program(model.write())
    populations = {op.sym_name.data: op.semantics.data.refractory for op in ops(network, LifOp)}
    assert populations == {"post_IntFire1": 60, "post_IntFire1_2": 20, "post_IntFire1_3": 40}
    assert synapses(network) == {
        "pre_to_post_IntFire1": [(0, 0, 0.25, 20), (1, 0, 0.5, 20)],
        "pre_to_post_IntFire1_2": [(1, 0, -1.5, 15)],
        "pre_to_post_IntFire1_3": [(0, 0, 1.0, 20), (1, 0, 2.25, 20)],
    }


def test_virtual_nodes_among_neurons_are_split_off(model: Model, notes: Callable[[], str]) -> None:
    model.csv["net/post_types.csv"] += "8 virtual NULL NULL e\n"
    model.h5["net/post_nodes.h5"] = nodes_of("post", [8, 7, 7, 7])
    model.h5["net/edges.h5"]["edges/e/target_node_id"] = np.array([1, 1, 2, 3, 3])
    network = program(model.write())
    assert {op.sym_name.data: op.size for op in ops(network, InputOp)} == {"pre": 2, "post_virtual": 1}
    assert {op.sym_name.data: op.size for op in ops(network, LifOp)} == {"post_IntFire1": 3}
    assert "'post' is split by model and refractory period: post_virtual (1 nodes from 0)" in notes()


# Spikes


def spikes_of(network: NetworkOp, path: Path) -> list[tuple[int, int]]:
    """The stimulus of `pre`."""
    found = sonata.read_stimulus(path, network)
    assert found["pre.shape"].tolist() == [1, 200]
    assert found["pre.sample"].tolist() == [0] * len(found["pre.step"])
    return list(zip(found["pre.step"].tolist(), found["pre.index"].tolist(), strict=True))


def test_spikes_in_the_layouts_that_are_in_use(model: Model) -> None:
    expected = [(5, 1), (10, 0), (30, 1)]
    assert spikes_of(program(model.write()), model.folder) == expected
    old = {"spikes/gids": np.array([0, 1, 1]), "spikes/timestamps": np.array([1.0, 3.0, 0.5])}
    model.h5["spikes.h5"] = old
    assert spikes_of(program(model.write()), model.folder) == expected
    model.h5["spikes.h5"] |= {"spikes/timestamps": np.array([1e-3, 3e-3, 5e-4]), "spikes/timestamps::units": "s"}
    assert spikes_of(program(model.write()), model.folder) == expected
    model.simulation["inputs"]["drive"] |= {"module": "csv", "input_file": "./spikes.csv"}
    model.csv["spikes.csv"] = "timestamps population node_ids\n3.0 pre 1\n1.0 pre 0\n0.5 pre 1\n"
    assert spikes_of(program(model.write()), model.folder) == expected


def test_single_precision_times_are_rounded_to_the_step(model: Model) -> None:
    model.h5["spikes.h5"]["spikes/pre/timestamps"] = np.array([1.1, 3.3, 0.7], np.float32)
    assert spikes_of(program(model.write()), model.folder) == [(7, 1), (11, 0), (33, 1)]


def test_inputs_that_are_switched_off_do_nothing(model: Model) -> None:
    model.simulation["inputs"]["clamp"] = {"input_type": "current_clamp", "module": "IClamp", "enabled": False}
    model.simulation["inputs"]["drive"]["enabled"] = True
    assert spikes_of(program(model.write()), model.folder) == [(5, 1), (10, 0), (30, 1)]
    model.simulation["inputs"]["drive"]["enabled"] = False
    assert spikes_of(program(model.write()), model.folder) == []


def test_spikes_after_the_end_are_left_out_and_said(model: Model, notes: Callable[[], str]) -> None:
    model.h5["spikes.h5"]["spikes/pre/timestamps"] = np.array([1.0, 20.0, 0.5])
    network = program(model.write())
    assert "1 spikes of 'pre' at or after tstop are left out" in notes()
    assert spikes_of(network, model.folder) == [(5, 1), (10, 0)]


@pytest.mark.parametrize(
    ("node_set", "chosen"),
    [
        ("pre", [0, 1]),
        ("all", [0, 1]),
        ("both", [0, 1]),
        ("second", [1]),
        ({"population": "pre", "node_id": [0]}, [0]),
        (["second", {"node_id": 7}], [1]),
        ({"population": "post"}, []),
    ],
)
def test_only_the_node_set_receives_spikes(model: Model, node_set: Any, chosen: list[int]) -> None:
    model.simulation["inputs"]["drive"]["node_set"] = node_set
    model.simulation["node_sets"] = {
        "both": {"population": "pre", "ei": "e", "model_type": "virtual"},
        "second": {"population": ["pre", "other"], "node_id": [1]},
    }
    expected = [(step, line) for step, line in [(5, 1), (10, 0), (30, 1)] if line in chosen]
    assert spikes_of(program(model.write()), model.folder) == expected


def test_recorded_spikes_are_split_like_the_population(model: Model) -> None:
    model.h5["net/post_nodes.h5"]["nodes/post/0/dynamics_params/refrac"] = np.array([0.002, 0.004, 0.002])
    model.h5["output/spikes.h5"] = {
        "spikes/post/node_ids": np.array([2, 1, 0]),
        "spikes/post/timestamps": np.array([2.0, 2.5, 3.0]),
    }
    network = program(model.write())
    found = sonata.read_recording(model.folder, network)
    assert found["post_IntFire1.step"].tolist() == [20, 30]
    assert found["post_IntFire1.index"].tolist() == [1, 0]
    assert found["post_IntFire1_2.step"].tolist() == [25]
    again = sonata.read_recording(model.folder / "circuit_config.json", network, model.folder / "output" / "spikes.h5")
    assert {name: array.tolist() for name, array in again.items()} == {n: a.tolist() for n, a in found.items()}


def test_an_inhibited_neuron_waits(model: Model) -> None:
    """Step by step by hand: a charge of 1.5 at 1.0 ms + 2.0 ms fires at 3.0 ms; refractory for 2 ms."""
    del model.h5["net/edges.h5"]["edges/e/0/nsyns"]
    model.csv["net/edge_types.csv"] = "edge_type_id delay syn_weight\n1 2.0 1.5\n2 1.5 1.0\n"
    model.h5["spikes.h5"]["spikes/pre/node_ids"] = np.array([0, 0, 0, 1], np.uint64)
    model.h5["spikes.h5"]["spikes/pre/timestamps"] = np.array([1.0, 3.0, 3.1, 3.1])
    network = program(model.write())
    found = run(network, sonata.read_stimulus(model.folder, network))["post"]
    # node 0 and 2 hear line 0 after 2.0 ms; at 5.0 ms they are still refractory, at 5.1 ms no longer.
    # node 1 hears line 1 with weight 1.0, which does not exceed the threshold.
    assert found == [(30, 0), (30, 2), (51, 0), (51, 2)]
