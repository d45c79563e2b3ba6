"""Bundles of delayed synapses compute what the same synapses do one by one, bit for bit, however they are run."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from bundled_networks import Weights, as_sparse, bundled_program, network_in, pruned
from naive import naive_simulate
from numpy.typing import NDArray

from snnir.sim import Events, engine, run, simulate
from snnir.sim import bundle as bundle_module
from snnir.sim.bundle import Bundle
from snnir.sim.entry import network_of
from snnir.sim.sparse import Sparse

KINDS: tuple[Weights, ...] = ("float", "grid", "integer")


def listed(bundle: Bundle) -> Sparse:
    """The synapses of a bundle one by one."""
    levels, targets, sources = np.nonzero(bundle.weights)
    weights = bundle.weights[levels, targets, sources]
    return Sparse(weights, sources, targets, levels * bundle.stride, (bundle.targets, bundle.sources))


def signal(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> tuple[NDArray[Any], int | None]:
    """Spikes, counts or real numbers, and the largest of them where they are whole."""
    spikes = (rng.random(shape) < rng.uniform(0.05, 0.8)).astype(np.uint8)
    match kind:
        case "spikes":
            return spikes, 1
        case "counts":
            return spikes * rng.integers(1, 5, shape, np.uint8), 4
        case _:
            return spikes * rng.normal(size=shape), None


@pytest.mark.parametrize("product", [True, False])
@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("kind", ["spikes", "counts", "reals"])
def test_a_window_gives_the_bytes_of_single_synapses(
    kind: str, weights: Weights, product: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_module, "dense_is_cheaper", Mock(return_value=product))
    for seed in range(12):
        rng = np.random.default_rng(seed)
        levels, targets, sources = (int(n) for n in rng.integers(1, 7, 3))
        bundle = Bundle(pruned(rng, (levels, targets, sources), weights), int(rng.integers(1, 5)))
        sparse = listed(bundle)
        assert (bundle.least, bundle.span) == (sparse.least, sparse.span)
        for steps in (0, 1, 9):
            window, most = signal(rng, kind, (bundle.span + steps, 2, sources))
            assert bundle.apply(window, most).tobytes() == sparse.apply(window, most).tobytes()
        assert bundle.limit == pytest.approx(sparse.limit, rel=1e-12)
        values = rng.integers(1, 4, sources).astype(np.float64)
        found, expected = (each.synapses(np.arange(sources), values) for each in (bundle, sparse))
        assert sorted(np.stack(found).T.tolist()) == sorted(np.stack(expected).T.tolist())


def test_no_synapse_is_left() -> None:
    bundle = Bundle(np.zeros((5, 3, 2), "f4"), 4)
    assert (bundle.least, bundle.span) == (0, 0)
    assert not bundle.apply(np.ones((6, 1, 2), np.uint8), 1).any()
    assert [len(each) for each in bundle.synapses(np.arange(2), np.ones(2))] == [0, 0, 0]
    assert bundle.limit == np.inf


def spikes_of(seed: int, sizes: dict[str, int], steps: int = 40) -> dict[str, NDArray[Any]]:
    """Two samples for each input."""
    rng = np.random.default_rng(seed)
    return {name: (rng.random((2, steps, size)) < 0.2).astype(np.uint8) for name, size in sizes.items()}


def same(found: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]]) -> None:
    """Both hold the same bytes."""
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("seed", range(12))
def test_programs_say_the_same_with_listed_synapses_and_in_any_chunks(
    seed: int, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    op = network_in(bundled_program(seed, weights))
    network, other = network_of(op), network_of(as_sparse(op))
    inputs = spikes_of(seed, network.inputs)
    names = list(network.populations)
    expected = run(other, inputs, voltages=names)
    found = run(network, inputs, voltages=names)
    same(found.signals, expected.signals)
    same(found.voltages, expected.voltages)
    monkeypatch.setattr(engine, "CHUNK_ELEMENTS", 1 + seed * 7)
    monkeypatch.setattr(engine, "BLOCK_BYTES", seed * 90)
    same(simulate(network, inputs), expected.signals)


@pytest.mark.parametrize("seed", range(12))
def test_events_alone_say_what_steps_say(seed: int) -> None:
    op = network_in(bundled_program(seed, "grid", quiet=True))
    network, other = network_of(op), network_of(as_sparse(op))
    arrays = spikes_of(seed, network.inputs)
    lists = {name: Events.from_array(array) for name, array in arrays.items()}
    expected = simulate(other, arrays, engine="steps")
    same(simulate(network, arrays, engine="steps"), expected)
    found = run(network, lists, engine="events", lists=True).events
    for name, events in found.items():
        assert np.array_equal(events.array(), expected[name]), name


def test_the_random_programs_fire_and_differ() -> None:
    fired: dict[str, int] = {}
    for seed in range(12):
        for quiet in (False, True):
            network = network_of(network_in(bundled_program(seed, "grid", quiet=quiet)))
            last = simulate(network, spikes_of(seed, network.inputs))["a"]
            fired[str(quiet)] = fired.get(str(quiet), 0) + int(last.any())
    assert min(fired.values()) > 6, fired


@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_plain_loop_says_the_same(seed: int, weights: Weights) -> None:
    op = network_in(bundled_program(seed, weights, longest=6))
    network = network_of(op)
    inputs = spikes_of(seed, network.inputs, 9)
    expected = naive_simulate(op, inputs)
    for name, found in simulate(network, inputs).items():
        assert np.array_equal(found, expected[name]), name


def test_delays_beyond_the_run_bring_nothing() -> None:
    def late(longest: int) -> int:
        network = network_of(network_in(bundled_program(5, "grid", longest=longest)))
        return int(simulate(network, spikes_of(5, network.inputs, 30))["b"].sum())

    assert late(4) > late(4000) == late(100000)
