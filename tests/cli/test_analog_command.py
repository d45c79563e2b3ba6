"""`snnc analog`: the table, JSON, and what is said when something is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from snnir.testing import Outcome, run_in_process

CELLS = """\
[device]
levels = 16
r_on = 10_000
r_off = 1e6
variation = 0.02

[crossbar]
adc_bits = 7

[source]
device = "test"
crossbar = "test"
"""
Build = Callable[[str], Path]


def snnc(*arguments: object) -> Outcome:
    """Run `snnc` in this process."""
    return run_in_process(["snnc", *map(str, arguments)])


@pytest.fixture(scope="module")
def build(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The digits for a shipped platform: `build("rram-128")`."""
    made: dict[str, Path] = {}

    def compile_for(platform: str) -> Path:
        if platform not in made:
            made[platform] = tmp_path_factory.mktemp("analog") / platform
            words = ["--data", samples / "digits" / "test_spikes.npz", "--samples", 10]
            machine = samples / "platforms" / f"{platform}.toml"
            model = samples / "digits" / "digits.snn"
            outcome = snnc("compile", model, "--platform", machine, *words, "-o", made[platform])
            assert outcome.code == 0, outcome.err
        return made[platform]

    return compile_for


def test_the_table(build: Build) -> None:
    outcome = snnc("analog", build("rram-128"), "--effects", "cells,converter", "--seeds", 2)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == (
        "analog     digits on rram-128: 10 samples x 25 steps, 5 crossbars of 128x128 cells, 8-bit converters"
    )
    assert lines[1].startswith("device     16 levels from 1e+06 to 10000 ohm, wires 2.82 ohm, variation 0.01, ")
    assert [line[:20].strip() for line in lines[2:]] == [
        *["", "ideal", "cells", "converter", "all", "all, compensated"],
        *["SQNR in dB", "hidden", "out"],
    ]
    assert lines[3].split()[-1] == "100.00%"
    assert lines[-3].split()[3:] == ["cells", "converter", "all", "all,", "compensated"]


def test_json(build: Build, samples: Path) -> None:
    words = ["--data", samples / "digits" / "test_spikes.npz", "--samples", 6, "--effects", "noise", "--seeds", 2]
    outcome = snnc("analog", build("rram-128"), *words, "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert (found["samples"], found["adc_bits"], found["device"]["wire"], found["notes"]) == (6, 8, 2.82, [])
    ideal, noise = found["settings"]
    assert ideal["name"] == "ideal" and ideal["layers"]["out"] == {"equal": 1.0, "sqnr": None}
    assert noise["chips"] == 2 == len(noise["accuracies"]) and noise["layers"]["hidden"]["equal"] < 1
    assert noise["interval"][0] <= noise["accuracy"] <= noise["interval"][1]
    assert outcome.out == snnc("analog", build("rram-128"), *words, "--json").out


def test_another_device(build: Build, tmp_path: Path) -> None:
    """Of a machine that says nothing of its cells, and has room for fewer columns."""
    (tmp_path / "cells.toml").write_text(CELLS)
    words = ["--device", tmp_path / "cells.toml", "--effects", "cells", "--seeds", 1]
    outcome = snnc("analog", build("mesh2x2-128"), *words)
    assert outcome.code == 0, outcome.err
    note = "note       a weight takes 4 columns of such cells, on the machine 1: crossbars of 128x512 are evaluated"
    assert note in outcome.out.splitlines()
    assert "7-bit converters" in outcome.out and "[cells, compensated]" not in outcome.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--effects", "cells,heat"], "--effects: error: there is no effect 'heat'"),
        (["--effects", ","], "--effects: error: no effect is named"),
        (["--seeds", "0"], "--seeds: error: 0 chips"),
        (["--data", "absent.npz"], "absent.npz"),
    ],
)
def test_what_was_asked_wrongly(build: Build, words: list[str], message: str) -> None:
    outcome = snnc("analog", build("rram-128"), *words)
    assert outcome.code == 1 and message in outcome.err and not outcome.out


def test_no_device(build: Build) -> None:
    outcome = snnc("analog", build("mesh2x2-128"))
    assert outcome.code == 1
    assert "config.json: error: the platform does not say what cells are made of" in outcome.err
    assert "add the table [device] to the platform file and compile again, or give --device FILE.toml" in outcome.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (CELLS, "[link]\nflit = 1\n", "cells.toml: error: no table [device] in this file"),
        ("levels = 16", "levels = 1", "cells.toml:2: error: device.levels must be at least 2"),
        ("r_on = 10_000", "r_on = 1e7", "cells.toml:3: error: device.r_on must be above 0 and below device.r_off"),
        ("r_off = 1e6", "r_off = inf", "cells.toml:4: error: device.r_off must be a number, not inf"),
        ("r_off = 1e6", "", "cells.toml:1: error: device.r_off is missing"),
        ("variation", "varation", "cells.toml:5: error: no entry 'varation' in device; did you mean 'variation'?"),
        ("= 0.02", "= -1", "cells.toml:5: error: device.variation must not be negative"),
        ("adc_bits = 7", "adc_bits = 17", "cells.toml:8: error: crossbar.adc_bits is 0 (exact) or 1 to 16"),
        ('device = "test"', "", "cells.toml:2: error: device.levels names no source"),
        ('crossbar = "test"', "", "cells.toml:8: error: crossbar.adc_bits names no source"),
    ],
)
def test_a_file_that_is_no_device(build: Build, tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CELLS
    (tmp_path / "cells.toml").write_text(CELLS.replace(old, new))
    outcome = snnc("analog", build("rram-128"), "--device", tmp_path / "cells.toml")
    assert outcome.code == 1 and message in outcome.err, outcome.err
