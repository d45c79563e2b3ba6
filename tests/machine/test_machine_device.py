"""What a configuration says of its cells: carried through as the platform file says it, and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir import machine
from snnir.emit import machine_document
from snnir.errors import SnnirError
from snnir.frontend.platform import read_device, read_platform
from snnir.machine.parts import Device
from snnir.runtime.platform import Platform
from snnir.runtime.relocate import machine_document as placed_document
from snnir.testing import run_in_process

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def emitted(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits, emitted for the shipped machine of resistive cells."""
    folder = tmp_path_factory.mktemp("device") / "out"
    model, platform = samples / "digits" / "digits.snn", samples / "platforms" / "rram-128.toml"
    words = ["snnc", "compile", str(model), "--platform", str(platform), "--activity", "worst", "-o", str(folder)]
    outcome = run_in_process(words)
    assert outcome.code == 0, outcome.err
    return folder / "machine"


@pytest.fixture
def changed(emitted: Path, tmp_path: Path) -> Callable[[Change], Path]:
    """The same with another entry `machine`."""

    def change(edit: Change) -> Path:
        document = json.loads((emitted / "config.json").read_text())
        edit(document["machine"])
        (tmp_path / "config.json").write_text(json.dumps(document))
        (tmp_path / "cells.safetensors").write_bytes((emitted / "cells.safetensors").read_bytes())
        return tmp_path

    return change


def test_it_is_carried_through(emitted: Path, samples: Path) -> None:
    target = read_platform(samples / "platforms" / "rram-128.toml").data
    found = machine.load(emitted).machine
    assert target.device is not None and found.device is not None
    assert asdict(found.device) == asdict(target.device) == asdict(Device(16, 1e4, 1e6, 0.01, 1e-3, 1e-3, 0.01, 2.82))
    assert found.adc_bits == target.crossbar.adc_bits == 8
    assert read_device(samples / "platforms" / "rram-128.toml") == (target.device, 8)


def test_shared_machines_keep_it(samples: Path) -> None:
    """The state of a machine at run time, and the configurations that are written from it."""
    target = read_platform(samples / "platforms" / "rram-128.toml").data
    document = machine_document(target)
    platform = Platform.from_json({**document, "multicast": False, "events": 9})
    assert platform.machine.device is not None and platform.machine.adc_bits == 8
    assert Platform.from_json(json.loads(json.dumps(platform.as_json()))) == platform
    assert placed_document(platform.machine) == document


def test_older_machines_say_nothing_of_it(samples: Path) -> None:
    document = machine_document(read_platform(samples / "platforms" / "mesh2x2-128.toml").data)
    assert not {"device", "adc_bits"} & document.keys()
    platform = Platform.from_json({**document, "multicast": False, "events": 9})
    assert not {"device", "adc_bits"} & platform.as_json().keys()


def test_the_machine_computes_exactly_all_the_same(emitted: Path, changed: Callable[[Change], Path]) -> None:
    def without(entry: dict[str, Any]) -> None:
        del entry["device"], entry["adc_bits"]

    spikes = (np.random.default_rng(0).random((2, 25, 64)) < 0.3).astype(np.uint8)
    runs = [machine.run(machine.load(path), {"pixels": spikes}) for path in (emitted, changed(without))]
    np.testing.assert_array_equal(runs[0].spikes["out"], runs[1].spikes["out"])


@pytest.mark.parametrize(
    ("device", "others", "place", "message"),
    [
        ({"wire": None}, {}, "/machine/device", "field 'wire' is missing"),
        ({"wire": -1}, {}, "/machine/device/wire", "minimum"),
        ({"color": 1}, {}, "/machine/device", "unexpected"),
        ({"r_on": 0}, {}, "/machine/device/r_on", "minimum"),
        ({"r_on": 2e6}, {}, "/machine/device/r_on", r"r_on is 2e\+06 ohm and r_off 1e\+06 ohm"),
        ({"stuck_on": 0.6, "stuck_off": 0.6}, {}, "/machine/device", "more than all cells are stuck"),
        ({"levels": 8}, {}, "/machine/device/levels", "8 levels, but cells hold 16"),
        ({}, {"adc_bits": 17}, "/machine/adc_bits", "maximum"),
    ],
)
def test_contradictions(
    changed: Callable[[Change], Path],
    device: dict[str, float | None],
    others: dict[str, int],
    place: str,
    message: str,
) -> None:
    def edit(entry: dict[str, Any]) -> None:
        merged = {**entry["device"], **device}
        entry["device"] = {name: value for name, value in merged.items() if value is not None}
        entry |= others

    with pytest.raises(SnnirError, match=message) as caught:
        machine.load(changed(edit))
    assert str(caught.value).split(": error:")[0].endswith(f"config.json:{place}"), str(caught.value)
