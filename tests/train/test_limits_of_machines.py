"""Training for a machine: its limits hold from the start, and what is deployed is what was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from train_cases import CLASSES, LINES, tables, write_data

pytest.importorskip("torch")
pytest.importorskip("snntorch")

from snnir import api
from snnir.dialects.snn import BundleOp
from snnir.errors import SnnirError
from snnir.flow.training.forms import weighted_ops
from snnir.report.schemas import schema
from snnir.report.training import result_lines
from snnir.sim.entry import network_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data."""
    found = tmp_path_factory.mktemp("limits")
    write_data(found)
    return found


def machine(folder: Path, samples: Path, **changes: object) -> str:
    """A platform with entries of `crossbar` replaced, or added."""
    text = (samples / "platforms" / "mesh2x2-64.toml").read_text()
    for name, value in changes.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{name} = ")]
        at = lines.index("[crossbar]") + 1
        text = "\n".join([*lines[:at], f"{name} = {value}", *lines[at:]])
    path = folder / f"machine-{'-'.join(f'{n}-{v}' for n, v in changes.items())}.toml"
    path.write_text(text)
    return str(path)


def refused(directory: Path, description: dict[str, Any]) -> str:
    """What is said, before anything is written."""
    with pytest.raises(SnnirError) as error:
        api.train(description, directory)
    assert not directory.exists()
    return str(error.value)


def test_delays_that_are_too_long_are_refused_before_training(folder: Path, samples: Path, tmp_path: Path) -> None:
    hardware = {"platform": machine(folder, samples, max_delay=5)}
    said = refused(tmp_path / "out", tables(folder, hardware=hardware, prune=None))
    assert "description: error: a delay of 6 steps; 'mesh2x2-64' delays by 5 at most" in said
    hardware = {"platform": machine(folder, samples, max_delay=6)}
    api.train(tables(folder, hardware=hardware, prune=None, quantise=None), tmp_path / "out")


def test_limits_hold_for_the_pruned_network(folder: Path, samples: Path, tmp_path: Path) -> None:
    """28 axons of 4 delays each do not fit 20 rows; pruned to 2 each, they do."""
    hardware = {"platform": machine(folder, samples, rows=20, fanin='"none"')}
    said = refused(tmp_path / "out", tables(folder, hardware=hardware, prune=None))
    assert "a crossbar of 'mesh2x2-64' has 20 rows" in said
    pruned = refused(tmp_path / "out", tables(folder, hardware=hardware, prune={"keep": 3}))
    assert "even pruned, a neuron of @out reads 24 axons" in pruned
    found = api.train(tables(folder, hardware=hardware), tmp_path / "out")
    problems = {stage["name"]: stage["problems"] for stage in found["stages"]}
    assert len(problems.pop("train")) == 1
    assert not any(problems.values())


def test_membranes_cannot_be_deployed(folder: Path, samples: Path, tmp_path: Path) -> None:
    hardware = {"platform": str(samples / "platforms" / "mesh2x2-64.toml")}
    membrane = tables(folder, network={"readout": "membrane"}, hardware=hardware)
    assert "no machine has li neurons" in refused(tmp_path / "out", membrane)
    alone: dict[str, Any] = {"network": {"readout": "membrane"}, "prune": None, "quantise": None}
    for classify in ("max", "last"):
        training = {"classify": classify, "epochs": 1}
        found = api.train(tables(folder, training=training, **alone), tmp_path / classify)
        assert list(found["stages"][0]["spikes"]) == ["hidden1"]


def test_weights_of_more_bits_than_cells(folder: Path, samples: Path, tmp_path: Path) -> None:
    hardware = {"platform": machine(folder, samples, weight_bits=3)}
    said = refused(tmp_path / "out", tables(folder, hardware=hardware))
    assert "weights of 4 bits, but those of 'mesh2x2-64' have 3" in said
    found = api.train(tables(folder, hardware=hardware, quantise={"bits": 3, "epochs": 0}), tmp_path / "out")
    assert found["stages"][-1]["bits"] == 3
    plain = tables(folder)
    plain["quantise"] = {"epochs": 1}
    assert "nothing says how many bits" in refused(tmp_path / "none", plain)


def test_deployed(folder: Path, samples: Path, tmp_path: Path) -> None:
    """The machine spikes as the program that was trained last, on every sample."""
    hardware = {"platform": str(samples / "platforms" / "mesh2x2-64.toml"), "deploy": True}
    found = api.train(tables(folder, hardware=hardware), tmp_path / "out")
    jsonschema.validate(found, schema("training"))
    deployed = found["deployed"]
    assert deployed["different"] == 0
    assert deployed["samples"] == 24
    assert deployed["test"] == deployed["program"] == found["stages"][-1]["test"]
    assert deployed["spikes"].keys() == {"hidden1", "out"}
    assert (tmp_path / "out" / "deployed" / "machine" / "config.json").exists()
    lines = result_lines(found)
    assert any("deployed" in line for line in lines)
    assert any("as the program, of 24 samples" in line for line in lines)


def test_pruning_by_memory(folder: Path, tmp_path: Path) -> None:
    """Eight sources with delays up to 6 take 8 (2 * 6 + 1) entries; half of them are left."""
    prune = {"by": "memory", "keep": None, "entries": 52, "epochs": 1}
    description = tables(folder, prune=prune, quantise=None, training={"epochs": 1})
    del description["prune"]["keep"]
    found = api.train(description, tmp_path / "out")
    before, pruned, after = (stage["delay_memory"]["circular"] for stage in found["stages"])
    assert before == 8 * 13
    assert 0 < pruned <= 52
    assert after == pruned
    del description["prune"]["entries"]
    assert "says nothing of 'entries'" in refused(tmp_path / "none", description)
    description = tables(folder, network={"layers": [LINES, 4, CLASSES], "delays": {"levels": 1, "stride": 1}})
    assert "nothing to prune" in refused(tmp_path / "none", description)


def test_biases_and_recurrence(folder: Path, tmp_path: Path) -> None:
    network = {"bias": True, "recurrent": {"delay": 2, "levels": 2, "stride": 3}}
    plain: dict[str, Any] = {"prune": None, "quantise": None}
    found = api.train(tables(folder, network=network, **plain), tmp_path / "out")
    net = api.load(tmp_path / "out" / "trained.mlir")
    ops = dict(weighted_ops(net.module))
    again = ops["hidden1.recurrent"]
    assert isinstance(again, BundleOp)
    assert (again.levels, again.stride.data, again.delay.data, again.bias) == (2, 3, 2, None)
    biases = [ops[key].bias for key in ("hidden1.weight", "out.weight")]
    assert all(bias is not None and bias.array.any() for bias in biases)
    assert net.sim(str(folder / "test.npz")).accuracy() == found["stages"][0]["test"]["share"]
    api.train(tables(folder, network={"bias": True}, training={"biases": False}, **plain), tmp_path / "still")
    still = [op.bias for _, op in weighted_ops(api.load(tmp_path / "still" / "trained.mlir").module)]
    assert not any(bias is not None and bias.array.any() for bias in still)


def test_semantics_of_layers(folder: Path, tmp_path: Path) -> None:
    """A weight of 1 raises a membrane by 1, whatever the semantics; presets with a least delay keep it."""
    plain: dict[str, Any] = {"prune": None, "quantise": None, "training": {"epochs": 1}}
    for semantics in ("nir(decay = exp, pulse = dirac)", "sinabs", "nest"):
        out = tmp_path / semantics[:6].replace("(", "") / str(len(semantics))
        api.train(tables(folder, network={"semantics": semantics}, **plain), out)
        network = api.load(out / "trained.mlir").network
        op = network.sources["hidden1"]
        assert network_of(network).populations["hidden1"].coefficients.gain == pytest.approx(1.0)
        assert op.size == 8
        delays = [each.delay for each in network_of(network).populations["hidden1"].projections]
        assert delays == [1 if semantics == "nest" else 0]
    wrong = tables(folder, network={"semantics": "nobody"}, **plain)
    assert "no semantics preset 'nobody'" in refused(tmp_path / "none", wrong)
    whole = tables(folder, network={"semantics": "loihi"}, **plain)
    assert "integer states are not trained" in refused(tmp_path / "none", whole)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network": {"layers": [5, 8, 3]}}, "the first of layers is 5, but the data have 6 lines"),
        ({"network": {"layers": [6, 8, 2]}}, "a label is 2, but the network tells 2 classes"),
        ({"network": {"input": "y"}}, "the data hold no array 'y'"),
        ({"data": {"format": "shd2"}}, "there is no reader of 'shd2'"),
        ({"data": {"train": 40}}, "train = 40 is no file"),
        ({"data": {"test": "nothing.npz"}}, "no such data file"),
        ({"data": {"options": {"dt": 1}}}, "files of arrays have no options"),
        ({"hardware": {"platform": "nothing.toml"}}, "no such platform file"),
    ],
)
def test_data_that_do_not_fit(folder: Path, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    assert said in refused(tmp_path / "out", tables(folder, **changes))
