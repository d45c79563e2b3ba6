"""200 random networks on random machines: the same spikes, and never slower than guaranteed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from networks import (
    NetworkMaker,
    Weights,
    fit,
    lower,
    program_of,
    random_machine,
    random_spikes,
    run_passes,
    set_machine,
)
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir import machine
from snnir.passes.snn.profile import SNNProfile
from snnir.passes.snn.quantize import SNNQuantize
from snnir.sim import Network, simulate

SAMPLES, STEPS = 3, 16

CheckGuarantee = Callable[[machine.Configuration, machine.Counts, int, str], Fraction | None]


def make(seed: int, *, bits: int, weights: Weights) -> tuple[ModuleOp, np.random.Generator]:
    """A random program with a random machine: feed-forward when the seed is even, recurrent when it is odd."""
    rng = np.random.default_rng([seed, bits])
    module = NetworkMaker(rng, recurrent=seed % 2 == 1, weights=weights).module()
    set_machine(module, random_machine(rng, bits=bits))
    return module, rng


def assert_same(network: Network, expected: dict[str, NDArray[np.uint8]], found: machine.Run) -> None:
    """Neuron for neuron and step for step, every population."""
    assert set(found.spikes) == set(network.populations)
    for name in network.populations:
        assert np.array_equal(expected[name], found.spikes[name]), name


@pytest.mark.parametrize("seed", range(200))
def test_spikes_and_guarantee(seed: int, tmp_path: Path, check_guarantee: CheckGuarantee) -> None:
    module, rng = make(seed, bits=8 if seed % 4 < 2 else 0, weights="grid")
    network = program_of(module)
    assert all(population.exact for population in network.populations.values())
    inputs = random_spikes(rng, network, SAMPLES, STEPS)
    np.savez(tmp_path / "spikes.npz", **inputs)  # pyright: ignore[reportArgumentType]
    fit(module, rng)
    if seed % 5:
        run_passes(module, SNNProfile(str(tmp_path / "spikes.npz")))
    configuration = lower(module, tmp_path / "machine")
    assert configuration.guarantee is not None
    assert configuration.guarantee.activity == ("peak" if seed % 5 else "worst")
    run = machine.run(configuration, inputs)
    assert_same(network, simulate(network, inputs), run)
    kind = "recurrent" if seed % 2 else "feed-forward"
    check_guarantee(configuration, run.counts, SAMPLES * STEPS, f"{kind}, real spikes")
    peaks = machine.peak_counts(configuration, 60)
    check_guarantee(configuration, peaks, 60, f"{kind}, peak spikes")


@pytest.mark.parametrize("seed", range(30))
def test_quantised_float_weights(seed: int, tmp_path: Path) -> None:
    bits = int(np.random.default_rng(seed).choice([2, 4, 8, 16]))
    module, rng = make(seed, bits=bits, weights="float")
    original = program_of(module)
    run_passes(module, SNNQuantize())
    network = program_of(module)
    assert all(population.exact for population in network.populations.values())
    largest = 2 ** (bits - 1) - 1
    for name, population in network.populations.items():
        for before, after in zip(original.populations[name].projections, population.projections, strict=True):
            assert after.weights.dtype.kind == "i"
            assert np.abs(after.weights.astype(int)).max() <= largest
            scale = np.broadcast_to(after.scale, (population.size,)).reshape(-1, *[1] * (after.weights.ndim - 1))
            error = np.abs(after.weights * scale - before.weights)
            assert (error <= scale * 0.5000001).all()
    inputs = random_spikes(rng, network, SAMPLES, STEPS)
    fit(module, rng)
    run = machine.run(lower(module, tmp_path / "machine"), inputs)
    assert_same(network, simulate(network, inputs), run)
