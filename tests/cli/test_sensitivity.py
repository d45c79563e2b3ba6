"""`snnc sensitivity`: its figures are those of the passes and of clustering; its errors say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from snnir.report.schemas import schema
from snnir.testing import Outcome, run_in_process

BITS, SIZES = (2, 8), (32, 128)


def snnc(*words: object) -> Outcome:
    """Run `snnc` in this process."""
    return run_in_process(["snnc", *map(str, words)])


def table(*words: object) -> dict[str, Any]:
    """What the command prints as JSON; it fits the schema."""
    outcome = snnc("sensitivity", *words, "--json")
    assert outcome.code == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    jsonschema.validate(found, schema("sensitivity"))
    return found


@pytest.fixture
def ordinary(samples: Path) -> list[object]:
    """The ordinary network and a machine for it."""
    folder = samples / "ordinary"
    return [folder / "digits.onnx", "--platform", samples / "platforms" / "mesh4x4-128-codes.toml"]


def test_an_ordinary_network(samples: Path, ordinary: list[object], tmp_path: Path) -> None:
    """Each figure is that of a compilation for a machine with such crossbars."""
    data = samples / "ordinary" / "test.npz"
    words = ["--data", data, "--samples", 120, "--signals", 5, "--bits", "8,2", "--crossbars", "32,128"]
    found = table(*ordinary, *words)
    assert (found["signal_bits"], found["samples"]) == (5, 120)
    assert [row["bits"] for row in found["rows"]] == list(BITS)
    text = (samples / "platforms" / "mesh4x4-128-codes.toml").read_text()
    for row in found["rows"]:
        for fit in row["sizes"]:
            machine = text.replace("weight_bits = 8", f"weight_bits = {row['bits']}")
            machine = machine.replace("signal_bits = 6", "signal_bits = 5")
            for name in ("rows", "columns"):
                machine = machine.replace(f"\n{name} = 128", f"\n{name} = {fit['size']}")
            (tmp_path / "machine.toml").write_text(machine)
            given = f"{{data={data} samples=120}}"
            passes = f"snn-fold, snn-legalize{given}, snn-code-signals{given}, snn-tune-weights{given}"
            arguments = ["--platform", tmp_path / "machine.toml", "--data", data, "--samples", 120]
            passes += ", convert-snn-to-cluster, cluster-place, cluster-route, cluster-metrics"
            arguments += ["--pass-pipeline", passes, "-o", tmp_path / "out"]
            assert snnc("compile", ordinary[0], *arguments).code == 0
            made = json.loads((tmp_path / "out" / "transformation.json").read_text())["accuracy"]
            assert {"accuracy": made["after"], "agreement": made["agreement"]} == {
                name: row[name] for name in ("accuracy", "agreement")
            }
            assert made["before"] == found["accuracy"]
            metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
            assert fit["crossbars"] == metrics["totals"]["used"]["clusters"]
    small, large = ([row["sizes"][n]["crossbars"] for row in found["rows"]] for n in (0, 1))
    assert min(small) > max(large)


def test_a_spiking_network(samples: Path) -> None:
    """Weights are rounded; with 8 bits these lose nothing, with 2 much."""
    digits = samples / "digits"
    words = [digits / "digits.snn", "--data", digits / "test_spikes.npz", "--bits", "2,8", "--crossbars", 64]
    found = table(*words)
    assert found["signal_bits"] is None
    coarse, fine = found["rows"]
    assert fine["agreement"]["share"] == 1.0
    assert fine["accuracy"] == found["accuracy"]
    assert coarse["accuracy"]["high"] < found["accuracy"]["low"]


def test_without_labels_and_with_other_calibration(samples: Path, ordinary: list[object], tmp_path: Path) -> None:
    """Agreement with the network as it was; what is fitted to other samples is another network."""
    folder = samples / "ordinary"
    words = [*ordinary, "--bits", 2, "--crossbars", 128, "--signals", 1]
    found = table(*words, "--data", folder / "calibration.npz")
    assert found["accuracy"] is None
    assert found["rows"][0]["accuracy"] is None
    assert 0.5 < found["rows"][0]["agreement"]["share"] < 1
    fitted = [
        table(*words, "--data", folder / "test.npz", *more)["rows"][0]
        for more in ([], ["--calibration", folder / "calibration.npz"])
    ]
    assert fitted[0]["accuracy"] != fitted[1]["accuracy"]
    data = folder / "calibration.npz"
    passes = (
        f"snn-legalize{{data={data}}}, snn-code-signals{{data={data} bits=1}}, snn-tune-weights{{data={data} bits=2}}"
    )
    arguments = ["--data", folder / "test.npz", "--pass-pipeline", passes, "-o", tmp_path / "out"]
    assert snnc("compile", *ordinary, *arguments).code == 0
    made = json.loads((tmp_path / "out" / "transformation.json").read_text())["accuracy"]
    assert made["after"] == fitted[1]["accuracy"]


def test_the_text(samples: Path, ordinary: list[object], tmp_path: Path) -> None:
    """The same figures, and what does not fit is said."""
    text = (samples / "platforms" / "mesh4x4-128-codes.toml").read_text()
    text = text.replace("mesh = [4, 4]", "mesh = [1, 1]").replace('fanin = "digital"', 'fanin = "none"')
    (tmp_path / "machine.toml").write_text(text.replace("\nrows = 128", "\nrows = 144"))
    words = [ordinary[0], "--platform", tmp_path / "machine.toml", "--bits", 8, "--crossbars", "8,144"]
    words += ["--data", samples / "ordinary" / "test.npz"]
    found, printed = table(*words), snnc("sensitivity", *words).out.splitlines()
    (row,) = found["rows"]
    small, large = row["sizes"]
    assert small["crossbars"] is None
    assert large["crossbars"] > found["crossbars_of_machine"]
    share = row["accuracy"]
    assert f"{share['share']:.2%} ({share['low']:.1%} to {share['high']:.1%})" in printed[3]
    assert f"{large['crossbars']}* (" in printed[3]
    assert f"-: 8x8: {small['reason']}" in printed
    assert printed[-1] == f"*: the machine has {found['crossbars_of_machine']} crossbars"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--bits", "2,x"], "no list of whole numbers"),
        (["--bits", "0"], "no list of whole numbers"),
        (["--bits", "1"], "weight_bits"),
        (["--bits", "33"], "weight_bits"),
        (["--signals", "17"], "signal_bits"),
        (["--samples", "0"], "at least one sample"),
        (["--calibration", "missing.npz"], "missing.npz: error: no such data file"),
    ],
)
def test_wrong_arguments(samples: Path, ordinary: list[object], words: list[str], message: str) -> None:
    outcome = snnc("sensitivity", *ordinary, "--data", samples / "ordinary" / "test.npz", *words)
    assert outcome.code == 1
    assert "error: " in outcome.err
    assert message in outcome.err
    assert not outcome.out


def test_what_is_missing(samples: Path, ordinary: list[object], tmp_path: Path) -> None:
    """No data, no machine, a machine for spikes, bits of spikes, labels that are too few."""
    data = samples / "ordinary" / "test.npz"
    small = samples / "platforms" / "mesh2x2-128.toml"
    digits = samples / "digits"
    with np.load(data) as file:
        np.savez(tmp_path / "short.npz", pixels=file["pixels"], labels=file["labels"][:7])
    spikes = digits / "test_spikes.npz"
    for words, message in (
        (ordinary, "--data values.npz"),
        ([ordinary[0], "--data", data], "no machine to transform for"),
        ([ordinary[0], "--platform", small, "--data", data], "--signals 6"),
        ([digits / "digits.snn", "--data", spikes, "--signals", 4], "leave out --signals"),
        ([*ordinary, "--data", tmp_path / "short.npz"], "7 labels for 360 samples"),
    ):
        outcome = snnc("sensitivity", *words)
        assert (outcome.code, outcome.out) == (1, "")
        assert message in outcome.err
