"""Relay neurons for every operator: no neuron reads too much, nothing is lost on average, and machines agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import program_of, random_spikes, run_passes, set_machine
from numpy.typing import NDArray
from operator_networks import OPERATORS, operator_program
from test_operators import lowered, small
from xdsl.dialects.builtin import ModuleOp

from benchmarks import clustering
from benchmarks.machines import grid, module_of
from benchmarks.workloads import build
from snnir import machine
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.connections import connections_of
from snnir.dialects.snn import IfOp, NetworkOp, NeuronOp, ScaleOp, networks
from snnir.passes.activity import NetworkActivity
from snnir.passes.cluster.problem import problem_of
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.split_fanin import SNNSplitFanin
from snnir.sim import simulate
from snnir.synapses import Conv, Selected

Sums = dict[tuple[str, int], NDArray[np.float64]]


def network_in(module: ModuleOp) -> NetworkOp:
    """The program of a module."""
    (network,) = networks(module)
    return network


def sums_of(network: NetworkOp, population: NeuronOp, originals: set[str]) -> tuple[Sums, NDArray[np.float64]]:
    """What a population reads of the original sources, through relays too, and its constant current.

    On average a relay sends what it reads: spikes times their weight are the sum of its inputs.
    """
    found: Sums = {}
    constant = np.zeros(population.size)
    for c in connections_of(population):
        matrix = c.synapses.block(np.arange(c.synapses.sources), np.arange(population.size)) * c.scale
        constant = constant + c.bias
        if c.source in originals:
            found[c.source, c.delay] = found.get((c.source, c.delay), 0.0) + matrix
            continue
        relay = network.sources[c.source]
        assert isinstance(relay, IfOp)
        assert isinstance(relay.properties["threshold"], TensorAttr)
        step = np.diag(matrix)
        assert np.array_equal(np.diag(step), matrix)
        assert np.array_equal(step, relay.properties["threshold"].array)
        inner, lift = sums_of(network, relay, originals)
        constant = constant + lift
        for axon, weights in inner.items():
            found[axon] = found.get(axon, 0.0) + weights
    return found, constant


def most_axons(population: NeuronOp) -> int:
    """The most axons that a neuron reads."""
    connections = connections_of(population)
    total = np.zeros(population.size, int)
    for axon in {(c.source, c.delay) for c in connections}:
        mine = [c.synapses.csr().astype(int).toarray() for c in connections if (c.source, c.delay) == axon]
        total += (np.sum(mine, axis=0) > 0).sum(axis=1)
    return int(total.max(initial=0))


def check_range(sums: Sums, lift: NDArray[np.float64], relay: NeuronOp) -> None:
    """Whatever fires, a relay reads between 0 and its threshold: what it has not sent stays below that."""
    assert isinstance(relay.properties["threshold"], TensorAttr)
    low = sum((np.minimum(weights, 0).sum(axis=0) for weights in sums.values()), start=lift)
    high = sum((np.maximum(weights, 0).sum(axis=0) for weights in sums.values()), start=lift)
    assert (low >= -1e-9).all()
    assert (high <= relay.properties["threshold"].array + 1e-9).all()


@pytest.mark.parametrize("rows", [4, 7, 16])
@pytest.mark.parametrize("operator", OPERATORS)
def test_nothing_is_lost_and_all_fits(operator: str, rows: int) -> None:
    module = operator_program(operator)
    before = network_in(module.clone())
    wide = {n for n, op in before.sources.items() if isinstance(op, NeuronOp) and most_axons(op) > rows}
    split = SNNSplitFanin(mode="relay", rows=rows)
    network = network_in(run_passes(module, split))
    assert split.statistics["populations split"] == len(wide)
    originals = set(before.sources)
    for name, population in network.sources.items():
        if not isinstance(population, NeuronOp):
            continue
        assert most_axons(population) <= rows, name
        if name not in originals:
            check_range(*sums_of(network, population, originals), population)
            continue
        original = before.sources[name]
        assert isinstance(original, NeuronOp)
        expected, bias = sums_of(before, original, originals)
        found, constant = sums_of(network, population, originals)
        assert set(found) == set(expected)
        for axon, weights in expected.items():
            np.testing.assert_allclose(found[axon], weights, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(constant, bias, rtol=1e-9, atol=1e-9)
    relays = sum(op.size for name, op in network.sources.items() if name not in originals)
    assert split.statistics["relay neurons"] == relays


@pytest.mark.parametrize("operator", OPERATORS)
def test_machines_with_relays(operator: str, tmp_path: Path) -> None:
    """What the pass makes runs on a machine that adds nothing, exactly as the program that it made."""
    module = operator_program(operator)
    set_machine(module, small(16, 16, bits=8, fanin="relay"))
    run_passes(module, SNNSplitFanin(), SNNQuantize())
    network = program_of(module)
    inputs = random_spikes(np.random.default_rng(7), network, 2, 12)
    found = machine.run(lowered(module, "structured", tmp_path / "machine"), inputs).spikes
    for name, spikes in simulate(network, inputs).items():
        assert name in network.inputs or np.array_equal(spikes, found[name]), name


def test_channels_of_a_convolution_share_their_axons() -> None:
    """Parts are some input channels each, of equal size, and still convolutions."""
    module = operator_program("pools_between")
    network = network_in(run_passes(module, SNNSplitFanin(mode="relay", rows=72)))
    relays = [op for name, op in network.sources.items() if name.startswith("i_relay")]
    assert len(relays) == 2
    for relay in relays:
        assert isinstance(relay, NeuronOp)
        (connection,) = connections_of(relay)
        assert isinstance(connection.synapses, Selected)
        assert isinstance(connection.synapses.inner, Conv)


def test_kernel_rows_where_a_channel_is_too_much() -> None:
    module = operator_program("wide_kernel")
    network = network_in(run_passes(module, SNNSplitFanin(mode="relay", rows=12)))
    for name, relay in network.sources.items():
        if "_relay" in name and not name.startswith("o"):
            assert isinstance(relay, NeuronOp)
            for connection in connections_of(relay):
                inner = connection.synapses.inner if isinstance(connection.synapses, Selected) else connection.synapses
                assert isinstance(inner, Conv) or connection.source.startswith("h_relay")


def test_relays_of_relays() -> None:
    """Sums of 18 axons on crossbars of three rows: six relays, and two that read these."""
    module = operator_program("conv2d")
    split = SNNSplitFanin(mode="relay", rows=3)
    network = network_in(run_passes(module, split))
    assert split.statistics["levels of relays, most"] == 2
    population = network.sources["h"]
    assert isinstance(population, NeuronOp)
    assert len([value for value in population.inputs if isinstance(value.owner, ScaleOp)]) == 2


def test_identities_stay() -> None:
    """The identity of a residual block is not sent through relays."""
    module = operator_program("skip")
    network = network_in(run_passes(module, SNNSplitFanin(mode="relay", rows=16)))
    block = network.sources["c"]
    assert isinstance(block, NeuronOp)
    assert "a" in {c.source for c in connections_of(block)}


def test_cost() -> None:
    module = operator_program("conv2d")
    set_machine(module, small(16, 8, bits=0, fanin="relay"))
    split = SNNSplitFanin()
    run_passes(module, split)
    # two input channels of nine axons each, three output channels of 4 x 4 neurons
    assert split.statistics["relay neurons"] == 2 * 3 * 16
    assert split.statistics["crossbars for relays, about"] == 2 * 3 * 16 / 8


def test_what_is_kept_keeps_its_activity_and_nothing_is_guaranteed_from_it() -> None:
    """Relays have none, so that a peak that was measured before is not taken for a bound."""
    target = grid(8, 4, fanin="relay", max_delay=64)
    module = module_of(build("respclass", activity=8.0), target)
    before = {name: op.activity for name, op in network_in(module.clone()).sources.items()}
    run_passes(module, SNNSplitFanin())
    network = network_in(module)
    relays = set(network.sources) - set(before)
    assert relays
    for name, op in network.sources.items():
        assert op.activity == before.get(name), name
    assert None not in before.values()
    assert NetworkActivity(network, "peak").assumption == "worst"
    problem = problem_of(network, target)
    for group in problem.groups:
        if group.source >= 0:
            measured = problem.layers[group.source].name in before
            mean = problem.spikes[group.start : group.start + group.size].mean()
            assert 0.05 < mean < 0.12 if measured else mean == 1


def test_the_benchmark_gives_relays_activity_too() -> None:
    """All algorithms are compared on the same spikes, 8 in 100 steps, and what is kept on those that it had."""
    whole, split = (clustering.problem_for("respclass", fanin) for fanin in ("digital", "relay"))
    assert len(split.layers) > len(whole.layers)
    assert split.spikes.max() < 0.3
    kept = {layer.name: number for number, layer in enumerate(whole.layers)}
    for group in split.groups:
        if group.source >= 0 and (name := split.layers[group.source].name) in kept:
            (same,) = [each for each in whole.groups if each.source == kept[name]]
            first, second = split.spikes[group.start :][: group.size], whole.spikes[same.start :][: same.size]
            assert np.array_equal(first, second)
