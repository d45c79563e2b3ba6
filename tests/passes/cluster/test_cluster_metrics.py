"""What `cluster-metrics` finds, against a count of single synapses and against spikes that were simulated."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from networks import (
    NetworkMaker,
    fit,
    program_of,
    random_machine,
    random_spikes,
    run_passes,
    set_machine,
)
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.printer import Printer

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.cluster import ClusterOp, ProgramOp, address_of, routes_of
from snnir.dialects.cluster_routes import Router
from snnir.dialects.connections import connections_of
from snnir.dialects.platform import Buffers, Crossbar, Link, Machine, Tiles, machine_of
from snnir.dialects.snn import DenseOp, IfOp, InputOp, NetworkOp, NeuronOp, OutputOp, networks
from snnir.dialects.ways import floor_of, start_of
from snnir.partition.metrics import check
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import only
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.measures import Measures
from snnir.passes.cluster.metrics import ClusterMetrics
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.plan import plan_of
from snnir.passes.cluster.problem import problem_of
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.dataflow.convert_cluster_to_dataflow import load_of
from snnir.passes.dataflow.network_time import ways_of
from snnir.passes.snn.profile import measure as profile
from snnir.semantics import Semantics
from snnir.sim import simulate

SAMPLES, STEPS = 2, 15
Read = dict[ClusterOp, set[tuple[str, int, int]]]
"""For each cluster the axons that its rows carry: source, delay, neuron."""


def compiled(
    seed: int, algorithm: str = "tree"
) -> tuple[ModuleOp, dict[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    """A random program, profiled, as routed clusters that were measured; and all its spikes."""
    rng = np.random.default_rng(seed)
    module = NetworkMaker(rng, recurrent=seed % 2 == 1, most=40).module()
    target = random_machine(rng)
    set_machine(module, replace(target, link=replace(target.link, flit=1, energy_x=3000, energy_y=4200)))
    fit(module, rng)
    (network,) = networks(module)
    arrays = program_of(module)
    spikes = random_spikes(rng, arrays, SAMPLES, STEPS)
    for name, activity in profile(network, dict(spikes)).items():
        network.sources[name].activity = activity
    route = ClusterRoute(algorithm="tree" if algorithm == "tree" else "xy")
    run_passes(module, ConvertSNNToCluster(), ClusterPlace(), route)
    return module, simulate(arrays, spikes)


def measured(module: ModuleOp) -> Measures:
    """Run the pass; the attribute survives text."""
    metrics = ClusterMetrics()
    run_passes(module, metrics)
    return metrics.measures[-1]


def axons(program: ProgramOp) -> Read:
    """What the rows of each cluster carry."""
    found: Read = {}
    for cluster in program.clusters:
        found[cluster] = set()
        for signal, group in zip(cluster.signals, cluster.axons, strict=True):
            name = address_of(signal)[0]
            found[cluster] |= {(name, group.data.delay, n) for n in group.data.neurons.array.tolist()}
    return found


def homes(program: ProgramOp) -> dict[tuple[str, int], ClusterOp]:
    """The cluster of each neuron."""
    return {
        (part.population, n): cluster
        for cluster in program.clusters
        for part in cluster.parts
        if not part.is_partial
        for n in part.neurons.array.tolist()
    }


@pytest.mark.parametrize("seed", range(8))
def test_traffic_is_that_of_simulated_spikes(seed: int) -> None:
    module, spikes = compiled(seed)
    program = only(module, ProgramOp, "")
    found = measured(module).metrics
    read, home = axons(program), homes(program)
    counts = {name: each.sum(axis=(0, 1)) / (SAMPLES * STEPS) for name, each in spikes.items()}
    driven = sum(counts[name][n] for each in read.values() for name, _, n in each)
    between = sum(
        counts[name][n]
        for cluster, each in read.items()
        for name, n in {(name, n) for name, _, n in each}
        if home.get((name, n)) is not cluster
    )
    sums = sum(
        part.size
        for cluster in program.clusters
        for part, value in zip(cluster.parts, cluster.computed, strict=True)
        if part.is_partial and next(iter(value.uses)).operation is not cluster
    )
    assert found.traffic.profiled
    assert found.traffic.driven == pytest.approx(driven)
    assert found.traffic.spikes == pytest.approx(between)
    assert found.traffic.sums == sums


def test_a_row_is_driven_once_for_all_slices() -> None:
    """Two populations that read the same three lines share a crossbar, and its rows."""
    network = NetworkOp("n", 1e-3, None)
    lines = InputOp("x", SignalType.spikes(3))
    network.body.block.add_op(lines)
    for name in ("a", "b"):
        weights = TensorAttr.of(f"{name}.weight", np.ones((2, 3), "f4"))
        current = DenseOp(lines.signal, weights, SignalType.current(2))
        values = {key: FloatAttr(value, 64) for key, value in {"r": 1.0, "threshold": 1.0, "v_reset": 0.0}.items()}
        population = IfOp(name, [current.current], values, Semantics(), SignalType.spikes(2))
        network.body.block.add_ops([current, population, OutputOp(f"y{name}", population.signal)])
    module = ModuleOp([network])
    set_machine(module, Machine("m", Tiles((1, 1), 1), Crossbar(8, 8), Buffers(100)))
    run_passes(module, ConvertSNNToCluster())
    found = measured(module)
    (crossbar,) = found.crossbars
    assert (crossbar.rows, crossbar.columns, crossbar.weights, crossbar.slices) == (3, 4, 12, ("a", "b"))
    assert crossbar.driven == 3
    assert found.metrics.traffic.spikes == 3
    assert not found.metrics.traffic.profiled
    assert found.metrics.routed is None


@pytest.mark.parametrize("seed", range(8))
def test_cells_are_those_of_single_synapses(seed: int) -> None:
    module, _ = compiled(seed)
    (network,) = networks(module)
    program, target = only(module, ProgramOp, ""), machine_of(module)
    assert target is not None
    synapses = synapses_of(network)
    read = axons(program)
    found = measured(module)
    for cluster, each in zip(program.clusters, found.crossbars, strict=True):
        held = 0
        for part in cluster.parts:
            rows = rows_of(cluster, part.rows.array)
            held += sum((axon, part.population, n) in synapses for axon in rows for n in part.neurons.array.tolist())
        assert (each.name, each.weights) == (cluster.sym_name.data, held)
        assert (each.rows, each.columns) == (len(read[cluster]), sum(part.size for part in cluster.parts))
    used, size = found.metrics.used, (target.crossbar.rows, target.crossbar.columns)
    assert used.clusters == len(program.clusters)
    assert used.weights == sum(each.weights for each in found.crossbars) == len(synapses)
    assert used.cells == pytest.approx(used.weights / (used.clusters * size[0] * size[1]))
    assert used.rows == pytest.approx(sum(each.rows for each in found.crossbars) / (used.clusters * size[0]))


def synapses_of(network: NetworkOp) -> set[tuple[tuple[str, int, int], str, int]]:
    """Every synapse: axon, population, neuron."""
    found: set[tuple[tuple[str, int, int], str, int]] = set()
    for name, op in network.sources.items():
        for c in connections_of(op) if isinstance(op, NeuronOp) else ():
            targets, sources = c.synapses.csr().nonzero()
            found |= {((c.source, c.delay, int(s)), name, int(t)) for t, s in zip(targets, sources, strict=True)}
    return found


def rows_of(cluster: ClusterOp, rows: NDArray[np.int64]) -> list[tuple[str, int, int]]:
    """The axons of some rows."""
    every = [
        (address_of(signal)[0], group.data.delay, n)
        for signal, group in zip(cluster.signals, cluster.axons, strict=True)
        for n in group.data.neurons.array.tolist()
    ]
    return [every[row] for row in rows.tolist()]


@pytest.mark.parametrize("algorithm", ["xy", "tree"])
@pytest.mark.parametrize("seed", range(6))
def test_links_are_those_on_the_ways(seed: int, algorithm: str) -> None:
    """Loads, hops, entries and energy, router by router."""
    module, _ = compiled(seed, algorithm)
    (network,) = networks(module)
    program, target = only(module, ProgramOp, ""), machine_of(module)
    assert target is not None
    floor, activity = floor_of(target), NetworkActivity(network, "peak")
    flits, entries = Counter[tuple[str, Router, Router]](), Counter[Router]()
    for op in (*program.inputs, *program.clusters):
        start, is_input = start_of(op, floor), op in program.inputs
        for route in routes_of(op):
            load = float(load_of(op.results[route.result], activity).mean) + 1
            ways = ways_of(floor, start, route, from_host=is_input).values()
            for link in {link for way in ways for link in way}:
                flits[link] += load  # pyright: ignore[reportArgumentType]
            passed = {start} | {b for way in ways for kind, _, b in way if kind == "between"}
            entries.update([start] if len(route.ends) == 1 else passed)
    found = measured(module)
    assert {link: load.flits for link, load in found.links.items()} == pytest.approx(dict(flits))
    assert found.entries == entries
    between = {(a, b): count for (kind, a, b), count in flits.items() if kind == "between"}
    numbers = found.metrics.routed
    assert numbers is not None
    assert (numbers.entries, numbers.fullest) == (entries.total(), max(entries.values()))
    assert numbers.flits == pytest.approx(sum(between.values()))
    assert numbers.busiest == pytest.approx(max(between.values(), default=0))
    energy = sum(count * (3.0 if a[1] == b[1] else 4.2) for (a, b), count in between.items())
    assert numbers.energy == pytest.approx(energy)


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_comes_back(seed: int) -> None:
    """The plan that is read from the clusters holds every neuron and synapse once."""
    module, _ = compiled(seed)
    (network,) = networks(module)
    target = machine_of(module)
    assert target is not None
    problem = problem_of(network, target)
    check(problem, plan_of(only(module, ProgramOp, ""), network, problem))


def test_energy_is_reported_where_it_is_stated() -> None:
    module, _ = compiled(1)
    target = machine_of(module)
    assert target is not None
    set_machine(module, replace(target, link=Link()))
    numbers = measured(module).metrics.routed
    assert numbers is not None
    assert numbers.energy is None


def test_metrics_go_when_clusters_move() -> None:
    module, _ = compiled(2)
    program = only(module, ProgramOp, "")
    measured(module)
    assert program.metrics is not None
    text = StringIO()
    Printer(text).print_attribute(program.attributes["cluster.metrics"])
    assert text.getvalue().startswith("#cluster.metrics<used(clusters = ")
    run_passes(module, ClusterRoute())
    assert program.metrics is None
