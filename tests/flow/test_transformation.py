"""What a build says about a transformed network: every change, the error of every layer, and the labels."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from math import isclose
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from snnir.cli.commands import model_driver
from snnir.cli.driver import read_module
from snnir.cli.errors import Situation
from snnir.flow.transformation import Reference, Share
from snnir.report.schemas import schema
from snnir.report.transformation import FILE
from snnir.sim import simulate
from snnir.sim.data import accuracy, read_spikes
from snnir.sim.entry import network_in, network_of
from snnir.testing import Outcome

Snnc = Callable[..., Outcome]
PASSES = "snn-fold, snn-legalize{{data={0}}}, snn-code-signals{{data={0} bits=4}}, snn-tune-weights{{data={0} bits=3}}"
PROBABILITY = "probability_value"


@pytest.fixture
def ordinary(samples: Path) -> Path:
    """The folder with the ordinary network."""
    return samples / "ordinary"


@pytest.fixture
def coarse(snnc: Snnc, samples: Path, ordinary: Path, tmp_path: Path) -> Path:
    """The ordinary network with few bits, up to clusters that are measured."""
    data, out = ordinary / "test.npz", tmp_path / "coarse"
    passes = PASSES.format(data) + ", convert-snn-to-cluster, cluster-place, cluster-route, cluster-metrics"
    platform = samples / "platforms" / "mesh4x4-128-codes.toml"
    words = ["compile", ordinary / "digits.onnx", "--platform", platform, "--data", data, "-o", out]
    outcome = snnc(*words, "--samples", 100, "--pass-pipeline", passes)
    assert outcome.code == 0, outcome.err
    return out


def read(build: Path) -> dict[str, Any]:
    """The report; it fits its schema."""
    found: dict[str, Any] = json.loads((build / FILE).read_text())
    jsonschema.validate(found, schema("transformation"))
    return found


def signals(build: Path, stage: str, data: Path, count: int) -> dict[str, Any]:
    """What a stage computes, as values: (samples, neurons)."""
    (path,) = (build / "stages").glob(f"*-{stage}.mlir")
    words = Namespace(model=str(path))
    network = network_of(network_in(read_module(model_driver(words, Situation("test"))), "test"))
    found = simulate(network, read_spikes(data, count))
    values: dict[str, Any] = {}
    for name, activation in network.activations.items():
        signal = found[name].sum(axis=1, dtype=np.float64)
        coding = activation.coding
        values[name] = signal if coding is None else signal * np.asarray(coding.step) + np.asarray(coding.zero)
    return values


@pytest.mark.parametrize("name", ["transformation", "sensitivity"])
def test_the_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(
        schema("transformation") if name == "transformation" else schema("sensitivity")
    )


def test_layers_and_labels(coarse: Path, ordinary: Path) -> None:
    """The figures are those of the stages when they are run again, by themselves."""
    found, data = read(coarse), ordinary / "test.npz"
    layers = {each["name"]: each for each in found["layers"]}
    assert list(layers) == ["edges", "hidden", PROBABILITY]
    assert [(each["weight_bits"], each["signal_bits"]) for each in layers.values()] == [(3, 4), (3, 4), (3, 16)]
    before, after = (signals(coarse, stage, data, 100) for stage in ("import", "snn-tune-weights"))
    for name in ("edges", "hidden"):
        noise = np.square(after[name] - before[name]).sum()
        assert isclose(layers[name]["sqnr"], 10 * np.log10(np.square(before[name]).sum() / noise), rel_tol=1e-9)
        assert 3 < layers[name]["sqnr"] < 40
    labels = np.load(data)["labels"][:100].astype(np.int64)
    shares = found["accuracy"]
    assert shares["samples"] == 100
    assert shares["before"]["share"] == accuracy(before["softmax"], labels)
    assert shares["after"]["share"] == accuracy(after[PROBABILITY], labels)
    same = before["softmax"].argmax(axis=1) == after[PROBABILITY].argmax(axis=1)
    assert shares["agreement"]["share"] == same.mean() < 1
    assert shares["after"]["low"] < shares["after"]["share"] < shares["after"]["high"]


def test_crossbars_are_those_of_the_metrics(coarse: Path) -> None:
    crossbars = json.loads((coarse / "metrics.json").read_text())["crossbars"]
    for each in read(coarse)["layers"]:
        assert each["crossbars"] == sum(each["name"] in held["slices"] for held in crossbars) > 0


def test_every_change_is_told(coarse: Path, snnc: Snnc) -> None:
    """In the file, in order, and in the text of the report, with the seconds of the passes."""
    changes = read(coarse)["changes"]
    passes = list(dict.fromkeys(each["pass"] for each in changes))
    assert passes == ["snn-legalize", "snn-code-signals", "snn-tune-weights"]
    assert {each["layer"] for each in changes} >= {"@pixels", "@edges", "@hidden", f"@{PROBABILITY}"}
    text = snnc("report", coarse).out
    for each in changes:
        assert each["change"] in text
    for name in passes:
        assert f"{name} " in next(line for line in text.splitlines() if line.startswith("changed "))
    shown = json.loads(snnc("report", coarse, "--json").out)
    assert shown["transformation"] == read(coarse)
    assert set(passes) <= set(shown["metrics"]["seconds"]["parts"])


def test_the_same_again(coarse: Path, snnc: Snnc, ordinary: Path, samples: Path, tmp_path: Path) -> None:
    manifest = json.loads((coarse / "build.json").read_text())
    words = ["compile", ordinary / "digits.onnx", "--data", ordinary / "test.npz", "--samples", 100]
    words += ["--platform", samples / "platforms" / "mesh4x4-128-codes.toml"]
    assert snnc(*words, "--pass-pipeline", manifest["pipeline"], "-o", tmp_path / "again").code == 0
    assert (coarse / FILE).read_bytes() == (tmp_path / "again" / FILE).read_bytes()


def test_without_labels(snnc: Snnc, samples: Path, ordinary: Path, tmp_path: Path) -> None:
    """The share of samples that keep their class stands in the place of the accuracy."""
    data, out = ordinary / "calibration.npz", tmp_path / "out"
    words = ["compile", ordinary / "digits.onnx", "--data", data, "--pass-pipeline", PASSES.format(data), "-o", out]
    outcome = snnc(*words, "--platform", samples / "platforms" / "prime.toml")
    assert outcome.code == 0, outcome.err
    found = read(out)
    assert (found["accuracy"]["before"], found["accuracy"]["after"]) == (None, None)
    assert found["accuracy"]["samples"] == 256
    assert [each["crossbars"] for each in found["layers"]] == [None] * 3
    assert f"agreement  {found['accuracy']['agreement']['share']:.2%} (" in outcome.out
    assert "\naccuracy " not in outcome.out


def test_rounded_weights_are_told_and_not_run(build: Path, snnc: Snnc) -> None:
    """snn-quantize alone: what it cost is measured by `snnc verify`."""
    found = read(build)
    assert {each["pass"] for each in found["changes"]} == {"snn-quantize"}
    assert {each["layer"] for each in found["changes"]} == {"@h", "@o"}
    assert found["accuracy"] is None
    assert "snnc verify" in found["reason"]
    assert [each["weight_bits"] for each in found["layers"]] == [8, 8]
    crossbars = json.loads((build / "metrics.json").read_text())["crossbars"]
    for each in found["layers"]:
        assert each["crossbars"] == sum(each["name"] in held["slices"] for held in crossbars) > 0
    assert any(len(set(held["slices"])) > 1 for held in crossbars), "no crossbar is shared"
    assert all(each["equal"] or each["sqnr"] > 20 for each in found["changes"])
    assert ("changed " in snnc("report", build).out) == any(not each["equal"] for each in found["changes"])


def test_spikes_are_counted_over_the_steps(folder: Path, snnc: Snnc) -> None:
    """A spiking network with tuned weights: rates are what its layers are worth."""
    data, out = folder / "spikes.npz", folder / "tuned"
    words = ["compile", folder / "net.snn", "--data", data, "-o", out]
    outcome = snnc(*words, "--pass-pipeline", f"snn-tune-weights{{data={data} bits=3}}")
    assert outcome.code == 0, outcome.err
    rates: list[Any] = []
    for path in sorted((out / "stages").glob("*.mlir")):
        network = network_of(network_in(read_module(model_driver(Namespace(model=str(path)), Situation("test"))), "t"))
        rates.append({n: s.sum(1, dtype=np.float64) for n, s in simulate(network, read_spikes(data)).items()})
    for each in read(out)["layers"]:
        before, after = (rate[each["name"]] for rate in rates)
        noise = float(np.square(after - before).sum())
        assert each["equal"] == (noise == 0)
        if noise:
            assert isclose(each["sqnr"], 10 * np.log10(np.square(before).sum() / noise), rel_tol=1e-9, abs_tol=1e-9)
    labels = np.load(data)["labels"]
    assert read(out)["accuracy"]["after"]["share"] == np.mean(rates[1]["o"].argmax(1) == labels)
    assert any(each["sqnr"] is not None for each in read(out)["layers"])


def test_a_conversion_to_spikes_has_its_own_count(snnc: Snnc, ordinary: Path, tmp_path: Path) -> None:
    """The data of the spiking network is other data; the pass itself ran both."""
    data, out = ordinary / "test.npz", tmp_path / "out"
    words = ["compile", ordinary / "digits.onnx", "--data", data, "-o", out]
    passes = f"convert-ann-to-snn{{data={data} steps=8}}"
    outcome = snnc(*words, "--pass-pipeline", f"snn-legalize{{models=relu,clip}}, {passes}")
    assert outcome.code == 0, outcome.err
    found = read(out)
    counted = json.loads((out / "build.json").read_text())["stages"][-1]["statistics"]
    counts = "accuracy before, hundredths of a percent"
    assert round(found["accuracy"]["before"]["share"] * 1e4) == counted[counts]
    assert found["accuracy"]["samples"] == counted["samples run"]
    assert found["accuracy"]["after"]["share"] * 1e4 == counted["accuracy after 8 steps, hundredths of a percent"]
    assert found["accuracy"]["agreement"] is None
    assert "8 steps" in found["reason"]


def test_a_reference_agrees_with_itself(ordinary: Path) -> None:
    words = Namespace(model=str(ordinary / "digits.onnx"))
    network = network_of(network_in(read_module(model_driver(words, Situation("test"))), "test"))
    compared = Reference(network, ordinary / "test.npz", 50).compare(network)
    assert (compared.samples, compared.agreement) == (50, Share.found(1.0, 50))
    assert compared.before == compared.after is not None
    assert set(compared.levels.values()) == {float("inf")}


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "snnir-transformation", "version": 2}'])
def test_damaged(build: Path, snnc: Snnc, text: str) -> None:
    (build / FILE).write_text(text)
    outcome = snnc("report", build)
    assert (outcome.code, outcome.out) == (1, "")
    assert f"{FILE}: error: " in outcome.err
