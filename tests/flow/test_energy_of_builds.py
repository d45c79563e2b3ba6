"""Energy and latency of a build: of what its machine did, where the platform says what that takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from snnir import machine
from snnir.flow import energy
from snnir.flow.pipeline import LOWERING
from snnir.frontend.platform import read_platform
from snnir.report.energy import energy_as_json
from snnir.report.schemas import schema
from snnir.testing import Outcome

Snnc = Callable[..., Outcome]

CONVERT = "convert-cluster-to-dataflow"
ENERGY = """
[energy]
synapse = 1000
update = 100
idle = 10
spike = 7
static = 1_000_000

[source]
energy = "test"
"""


@pytest.fixture
def stated(folder: Path) -> Path:
    """The same program, for a machine that says what it takes."""
    path = folder / "machine.toml"
    path.write_text(path.read_text().replace("[source]\n", ENERGY))
    return folder


def compiled(folder: Path, snnc: Snnc, *words: object, data: bool = True) -> Outcome:
    given = ["--data", folder / "spikes.npz"] if data else []
    outcome = snnc("compile", folder / "net.snn", *given, *words, "-o", folder / "out")
    assert outcome.code == 0, outcome.err
    return outcome


def written(folder: Path) -> dict[str, Any]:
    """What `metrics.json` has of energy."""
    found: dict[str, Any] = json.loads((folder / "out" / "metrics.json").read_text())
    jsonschema.validate(found, schema("metrics"))
    return found["energy"]


def test_of_measured_activity(stated: Path, snnc: Snnc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synaptic operations and updates once more, from the cells and what was recorded."""
    outcome = compiled(stated, snnc)
    found = written(stated)
    configuration = machine.load(stated / "out" / "machine")
    data = {"x": np.load(stated / "spikes.npz")["x"]}
    run = machine.run(configuration, data)
    signals = {**data, **run.spikes}
    synapses = 0
    for crossbar in configuration.crossbars:
        driven = np.concatenate(
            [np.roll(signals[g.source][:, :, g.neurons], g.delay, axis=1) * late(g.delay) for g in crossbar.rows],
            axis=2,
        )
        for part in crossbar.slices:
            cells = crossbar.cells[part.rows, slice(*part.columns)]
            synapses += int((driven[:, :, part.rows].sum((0, 1)) * np.count_nonzero(cells, 1)).sum())
    counts = {each["name"]: each["count"] for each in found["components"]}
    assert synapses > 0
    assert counts["synapse"] == pytest.approx(synapses / 6)
    assert counts["update"] + counts.get("idle", 0) == pytest.approx(15 * 12)
    assert counts["spike"] == pytest.approx(sum(int(each.sum()) for each in run.spikes.values()) / 6)
    assert found["dynamic"] == pytest.approx(
        counts["synapse"]
        + 0.1 * counts["update"]
        + 0.01 * counts.get("idle", 0)
        + 0.007 * counts["spike"]
        + sum(each["energy"] for each in found["components"] if each["name"].startswith("hop"))
    )
    guarantee = configuration.guarantee
    assert guarantee is not None
    assert found["seconds"] == pytest.approx(float(guarantee.latency + 11 * guarantee.period) * 1e-12)
    assert found["static"] == pytest.approx(1e9 * len(configuration.crossbars) * found["seconds"])
    assert "\nenergy     " in outcome.out
    assert np.array_equal(energy.machine_inputs(configuration, stated / "spikes.npz", 4)["x"], data["x"][:4])
    monkeypatch.setattr(energy, "_AT_ONCE", 12 * 55 * 4)  # some samples at a time
    target = read_platform(stated / "machine.toml").data
    some = energy.estimate_build(target, stated / "out" / "machine", stated / "spikes.npz", None)
    assert energy_as_json(some) == found
    assert f"\nlatency    {1e6 * found['seconds']:,.2f} us per inference, guaranteed\n" in outcome.out


def late(delay: int) -> np.ndarray[Any, Any]:
    """0 in the steps that no spike of so many steps before reaches."""
    return (np.arange(12) >= delay)[None, :, None]


def test_with_the_spikes_of_other_data(stated: Path, snnc: Snnc) -> None:
    """`snnc verify` estimates what it ran, and takes the simulated time."""
    compiled(stated, snnc)
    silent = stated / "silent.npz"
    np.savez(silent, x=np.zeros((2, 12, 40), np.uint8), labels=np.zeros(2, np.int64))
    outcome = snnc("verify", stated / "out", "--data", silent, "--json")
    found = json.loads(outcome.out)["energy"]
    assert (found["samples"], found["simulated"]) == (2, True)
    names = {each["name"] for each in found["components"]}
    assert not {"synapse", "event", "update", "spike"} & names
    same = json.loads(snnc("verify", stated / "out", "--json").out)["energy"]
    assert same["components"] == written(stated)["components"]
    assert same["seconds"] < written(stated)["seconds"]
    assert "per inference, simulated with real spikes" in snnc("verify", stated / "out").out
    assert snnc("report", stated / "out").out.count("\nenergy     ") == 2
    assert json.loads(snnc("report", stated / "out", "--json").out)["energy"] == written(stated)
    untimed = json.loads(snnc("verify", stated / "out", "--timing-steps", "0", "--json").out)["energy"]
    assert (untimed["seconds"], untimed["simulated"]) == (written(stated)["seconds"], False)


def test_without_data(stated: Path, snnc: Snnc) -> None:
    outcome = compiled(stated, snnc, data=False)
    assert written(stated) is None
    assert "\nenergy     is measured on data that the machine takes: snnc verify --data spikes.npz\n" in outcome.out


def test_where_the_platform_says_nothing(folder: Path, snnc: Snnc) -> None:
    outcome = compiled(folder, snnc)
    assert written(folder) is None
    assert "\nenergy " not in outcome.out
    assert json.loads(snnc("verify", folder / "out", "--json").out)["energy"] is None


def test_data_of_another_program_are_not_taken(stated: Path, snnc: Snnc, samples: Path) -> None:
    """Behind a conversion the machine takes spikes, and the data of the compilation are values."""
    ordinary, platform = samples / "ordinary", stated / "machine.toml"
    larger = (samples / "platforms" / "mesh2x2-128.toml").read_text().replace("crossbars = 1\n", "crossbars = 4\n")
    platform.write_text(larger.replace("[source]\n", ENERGY))
    lowering = ", ".join(LOWERING).replace(CONVERT, f"{CONVERT}{{activity=worst}}")
    conversion = f"convert-ann-to-snn{{data={ordinary / 'calibration.npz'} input=rate output=spikes}}"
    pipeline = f"snn-fold, snn-legalize{{models=relu,clip}}, {conversion}, snn-quantize, {lowering}"
    words = ["--platform", platform, "--data", ordinary / "calibration.npz", "-o", stated / "out"]
    outcome = snnc("compile", ordinary / "digits.onnx", *words, "--pass-pipeline", pipeline)
    assert outcome.code == 0, outcome.err
    assert written(stated) is None
    assert "\nenergy     is measured on data that the machine takes" in outcome.out
