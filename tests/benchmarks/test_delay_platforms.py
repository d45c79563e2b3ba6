"""The published networks with delays: their sizes, and that they fit the machines that they were published for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.delay_platforms import (
    KEPT,
    NETWORKS,
    PLATFORMS,
    Measured,
    bundle,
    fitted_energies,
    implied,
    input_spikes,
    line,
    measure,
    network,
)
from snnir.dialects.snn import WeightedOp
from snnir.frontend.platform import read_platform

PARAMETERS = {"48-48": 82_560, "32-32": 47_360, "24-24": 32_640, "48-48 Ax": 82_560}
"""82.6K, 47.4K and 32.6K: arXiv 2404.10597, Table I."""
THRESHOLDS = (7.4768, 5.0354, 17.395)
"""Those that the benchmark finds for 24-24, with which it emits as many spikes as published."""
SAMPLES = 5


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_are_the_published_ones(name: str) -> None:
    made = network(NETWORKS[name], (1.0, 1.0, 1.0), 0)
    weights = [op.weights for op in made.body.block.ops if isinstance(op, WeightedOp)]
    assert sum(np.count_nonzero(each.array) for each in weights) == PARAMETERS[name]  # pyright: ignore[reportAttributeAccessIssue]


def test_what_is_kept() -> None:
    """15 levels of each pair of neurons, or 15 axons of each source, with all their synapses."""
    single = bundle(np.random.default_rng(3), 6, 5, axonal=False)
    assert ((single != 0).sum(axis=0) == KEPT).all()
    assert ((single != 0).any(axis=1).sum(axis=0) > KEPT).all()
    axons = bundle(np.random.default_rng(3), 6, 5, axonal=True)
    assert ((axons != 0).any(axis=1).sum(axis=0) == KEPT).all()
    assert ((axons != 0).all(axis=1) == (axons != 0).any(axis=1)).all()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Measured]:
    """24-24 on both machines; the machine computes what the program does, or `snnc verify` would fail."""
    made, spikes = network(NETWORKS["24-24"], THRESHOLDS, 0), input_spikes(8000, SAMPLES, 0)
    return {name: measure(Path(tmp_path_factory.mktemp(name)), made, spikes, name) for name in ("loihi", "seneca")}


def test_24_24_on_loihi(measured: dict[str, Measured]) -> None:
    """One core, as published; energy from constants that were fitted to nothing, too low by a quarter."""
    found = measured["loihi"]
    assert found.cores == 1
    assert found.parameters <= PARAMETERS["24-24"]
    assert found.counts["synapse"] == pytest.approx(8000 * 24 + 273.86 * 24 * KEPT + 311.19 * 20 * KEPT, rel=0.03)
    assert found.energy["synapse"] == pytest.approx(23.6e-6 * found.counts["synapse"])
    assert found.dynamic / 12.5 == pytest.approx(0.75, abs=0.03)
    assert implied("24-24", found, 8000) == pytest.approx(13_500, rel=0.05)
    assert found.latency < found.guaranteed


def test_24_24_on_seneca(measured: dict[str, Measured]) -> None:
    """Three cores; the platform's fitted constants are what this network gives."""
    found = measured["seneca"]
    assert found.cores == 3
    assert found.parameters == PARAMETERS["24-24"]
    energy = read_platform(PLATFORMS / "seneca.toml").data.energy
    assert energy is not None
    event, delay = fitted_energies(found)
    assert energy.event == pytest.approx(event, rel=0.03)
    assert energy.delay == pytest.approx(delay, rel=0.03)
    assert found.dynamic == pytest.approx(23.8, rel=0.03)
    assert line("24-24", "seneca", found).split()[:4] == ["24-24", "seneca", "32,640", "3"]
