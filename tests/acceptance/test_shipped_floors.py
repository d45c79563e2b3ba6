"""The recurrent digits on the shipped machines with trees of routers and several chips, along each kind of routes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from networks import program_of

from snnir import machine
from snnir.flow.pipeline import default_pipeline
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.frontend.snn.reader import read
from snnir.sim import simulate
from snnir.sim.data import read_spike_arrays
from snnir.testing import Outcome

SAMPLES, STEPS = 20, 200
Snnc = Callable[..., Outcome]
CheckGuarantee = Callable[[machine.Configuration, machine.Counts, int, str], Fraction | None]


@pytest.mark.parametrize("name", ["tree16-32", "chips2x2-32"])
def test_digits_on_other_floors(
    snnc: Snnc, samples: Path, tmp_path: Path, check_guarantee: CheckGuarantee, name: str
) -> None:
    model, data = samples / "digits" / "digits_recurrent.snn", samples / "digits" / "test_spikes.npz"
    platform = samples / "platforms" / f"{name}.toml"
    inputs = {key: array[:SAMPLES] for key, array in read_spike_arrays(data).items()}
    network = program_of(read(model, FrontendOptions()))
    expected = simulate(network, inputs)
    pipeline = default_pipeline(read_platform(platform).data, str(data), SAMPLES, "peak")
    periods: dict[str, Fraction] = {}
    for algorithm in ("xy", "tree"):
        passes = pipeline.replace("cluster-route", f"cluster-route{{algorithm={algorithm}}}")
        out = tmp_path / algorithm
        outcome = snnc("compile", model, "--platform", platform, "--data", data, "--pass-pipeline", passes, "-o", out)
        assert outcome.code == 0, outcome.err
        configuration = machine.load(out / "machine")
        result = machine.run(configuration, inputs)
        for population in network.populations:
            assert expected[population].any()
            assert np.array_equal(expected[population], result.spikes[population]), population
        check_guarantee(configuration, result.counts, STEPS, f"{name}, {algorithm}, real spikes")
        check_guarantee(configuration, machine.peak_counts(configuration, STEPS), STEPS, f"{name}, {algorithm}, peak")
        assert configuration.guarantee is not None
        periods[algorithm] = configuration.guarantee.period
    assert periods["tree"] < periods["xy"]
