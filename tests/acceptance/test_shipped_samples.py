"""The shipped samples on the shipped machines: the same spikes, and never slower than guaranteed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import program_of
from numpy.typing import NDArray

from snnir import machine
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn.reader import read
from snnir.sim import Network, simulate
from snnir.sim.data import read_spike_arrays
from snnir.testing import Outcome

SAMPLES = ["digits", "digits_recurrent"]
SIZES = [128, 64, 32]
STEPS = 600
"""Steps whose timing is simulated; the first 600 of the 9,000 that the digits are."""

Spikes = Mapping[str, NDArray[np.uint8]]
Snnc = Callable[..., Outcome]
Platform = Callable[..., Path]
CheckGuarantee = Callable[[machine.Configuration, machine.Counts, int, str], Fraction | None]


class Sample:
    """A shipped program as read from its `.snn` file, and its spikes on all held-out digits."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file, self.data = folder / f"{name}.snn", folder / "test_spikes.npz"
        self.network: Network = program_of(read(self.file, FrontendOptions()))
        self.inputs: Spikes = read_spike_arrays(self.data)
        self.spikes: Spikes = simulate(self.network, self.inputs)


@pytest.fixture(scope="module")
def programs(samples: Path) -> dict[str, Sample]:
    """Both samples."""
    return {name: Sample(samples / "digits", name) for name in SAMPLES}


def assert_same_spikes(network: Network, expected: Spikes, found: Spikes) -> None:
    """Neuron for neuron and step for step, every population."""
    for name in network.populations:
        assert expected[name].any(), f"@{name} is silent, so equality would mean nothing"
        assert expected[name].shape == found[name].shape
        assert np.array_equal(expected[name], found[name]), name


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", SIZES)
def test_machine_equals_program(
    snnc: Snnc,
    programs: dict[str, Sample],
    samples: Path,
    tmp_path: Path,
    check_guarantee: CheckGuarantee,
    name: str,
    size: int,
) -> None:
    sample, target = programs[name], tmp_path / "build"
    machine_file = samples / "platforms" / f"mesh2x2-{size}.toml"
    outcome = snnc("compile", sample.file, "--platform", machine_file, "--data", sample.data, "-o", target)
    assert outcome.code == 0, outcome.err
    configuration = machine.load(target / "machine")
    assert (configuration.machine.rows, configuration.machine.columns) == (size, size)
    run = machine.run(configuration, sample.inputs)
    assert run.spikes["out"].shape == (360, 25, 10)
    assert_same_spikes(sample.network, sample.spikes, run.spikes)
    check_guarantee(configuration, run.counts, STEPS, "samples, real spikes")
    tightness = check_guarantee(configuration, machine.peak_counts(configuration, STEPS), STEPS, "samples, peak spikes")
    assert tightness is not None
    assert tightness > Fraction(1, 2)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", SIZES)
def test_machine_equals_program_without_stated_precision(
    snnc: Snnc,
    platform: Platform,
    programs: dict[str, Sample],
    tmp_path: Path,
    check_guarantee: CheckGuarantee,
    name: str,
    size: int,
) -> None:
    sample, target = programs[name], tmp_path / "build"
    machine_file = platform(f"mesh2x2-{size}", weight_bits=0)
    outcome = snnc("compile", sample.file, "--platform", machine_file, "--activity", "worst", "-o", target)
    assert outcome.code == 0, outcome.err
    configuration = machine.load(target / "machine")
    assert configuration.machine.weight_bits is None
    run = machine.run(configuration, sample.inputs)
    assert_same_spikes(sample.network, sample.spikes, run.spikes)
    check_guarantee(configuration, run.counts, 200, "samples, worst, real spikes")


@pytest.mark.parametrize(
    ("name", "size", "least", "count"),
    [("digits", 64, 0.97, 360), ("digits", 32, 0.7, 360), ("digits_recurrent", 64, 0.2, 60)],
)
def test_relays_lose_something_and_say_so(
    snnc: Snnc,
    platform: Platform,
    programs: dict[str, Sample],
    tmp_path: Path,
    check_guarantee: CheckGuarantee,
    name: str,
    size: int,
    least: float,
    count: int,
) -> None:
    sample, target = programs[name], tmp_path / "build"
    machine_file = platform(f"mesh2x2-{size}", fanin='"relay"', crossbars=16)
    data = ("--data", sample.data, "--samples", count)
    outcome = snnc("compile", sample.file, "--platform", machine_file, *data, "-o", target)
    assert outcome.code == 0, outcome.err
    outcome = snnc("verify", target, "--json", "--timing-steps", 50)
    assert outcome.code == 0, outcome.err
    result: dict[str, Any] = json.loads(outcome.out)
    assert result["samples"] == count
    assert result["machine"]["different"] == 0
    assert result["machine"]["compared"] > result["end_to_end"]["compared"]  # relays are compared too
    assert result["exact"] is True
    split, quantize = result["passes"]
    assert (split["name"], split["lossy"], quantize["name"]) == ("snn-split-fanin", True, "snn-quantize")
    assert 0 < split["different"] < split["compared"] / 5
    assert split["first"]["population"] in sample.network.populations
    assert split["accuracy"] >= least
    assert abs(result["accuracy"]["machine"] - split["accuracy"]) < 0.05
    text = snnc("report", target).out
    assert f"snn-split-fanin: changed {split['different'] / split['compared']:.3%} of the spikes" in text
    configuration = machine.load(target / "machine")
    counts = machine.run(configuration, {"pixels": sample.inputs["pixels"][:40]}).counts
    check_guarantee(configuration, counts, STEPS, "relays, real spikes")
