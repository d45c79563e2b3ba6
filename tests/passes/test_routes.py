"""Routes on floors of every kind: the same spikes, never slower than guaranteed, and each link and table counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from networks import NetworkMaker, fit, program_of, random_machine, random_spikes, run_passes, set_machine
from xdsl.dialects.builtin import ModuleOp

from snnir import machine
from snnir.dialects.cluster import ClusterOp, InputOp, ProgramOp, routes_of
from snnir.dialects.cluster_attributes import Place, PlaceAttr
from snnir.dialects.dataflow import GraphOp, producer_of
from snnir.dialects.platform import Link, Machine, Tiles, machine_of
from snnir.dialects.ways import floor_of
from snnir.emit import emit
from snnir.partition.placement import CostName, Options, Problem, place
from snnir.partition.placement.problem import IntArray
from snnir.passes.base import LoweringError, only
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.sim import simulate

Algorithm = Literal["xy", "tree"]
FLOORS = ["mesh", "chips", "tree"]
SAMPLES, STEPS = 2, 12


def machine_on(floor: str, rng: np.random.Generator) -> Machine:
    """A random machine whose tiles are a mesh, a mesh of several chips, or a tree."""
    target = random_machine(rng)
    link = replace(target.link, flit=int(rng.integers(1, 20)))
    if floor == "tree":
        leaves = int(rng.integers(1, 10))
        host = (int(rng.integers(0, leaves)), 0)
        tiles = Tiles((leaves, 1), 1, host, "tree", int(rng.integers(2, 4)))
        return replace(target, tiles=tiles, link=replace(link, hop_x=0))
    if floor == "mesh":
        return replace(target, link=link)
    chip = target.tiles.mesh
    tiles = replace(
        target.tiles, mesh=(chip[0] * int(rng.integers(1, 3)), chip[1] * int(rng.integers(1, 3))), chip=chip
    )
    slow = Link("round-robin", link.flit, link.hop_x, link.hop_y, int(rng.integers(0, 60)), int(rng.integers(0, 60)))
    return replace(target, tiles=tiles, link=slow)


def clustered(seed: int, floor: str) -> tuple[ModuleOp, np.random.Generator]:
    """A random program on a random machine, its clusters on crossbars drawn at random."""
    rng = np.random.default_rng([seed, FLOORS.index(floor)])
    module = NetworkMaker(rng, recurrent=seed % 2 == 1, most=40).module()
    set_machine(module, machine_on(floor, rng))
    fit(module, rng)
    run_passes(module, ConvertSNNToCluster())
    target = machine_of(module)
    assert target is not None
    tiles = floor_of(target)
    slots = rng.permutation(tiles.slots).tolist()
    for cluster, slot in zip(only(module, ProgramOp, "").clusters, slots, strict=False):
        cluster.place = PlaceAttr(Place(tiles.router(slot // tiles.per_tile), slot % tiles.per_tile))
    return module, rng


def configured(module: ModuleOp, directory: Path, algorithm: Algorithm) -> machine.Configuration:
    """From placed clusters to the loaded configuration."""
    rest = [
        ClusterRoute(algorithm=algorithm),
        ConvertClusterToDataflow(),
        DataflowSchedule(),
        DataflowAnalyzeThroughput(slack=False),
        ConvertDataflowToCrossbar(),
    ]
    directory.mkdir()
    emit(run_passes(module, *rest), directory)
    return machine.load(directory)


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("seed", range(16))
def test_spikes_and_guarantee(seed: int, floor: str, tmp_path: Path) -> None:
    module, rng = clustered(seed, floor)
    network = program_of(module)
    inputs = random_spikes(rng, network, SAMPLES, STEPS)
    expected = simulate(network, inputs)
    for algorithm in ("xy", "tree"):
        configuration = configured(module.clone(), tmp_path / algorithm, algorithm)
        run = machine.run(configuration, inputs)
        for name in network.populations:
            assert np.array_equal(expected[name], run.spikes[name]), name
        assert configuration.guarantee is not None
        for counts in (run.counts, machine.peak_counts(configuration, 40)):
            result = machine.check_guarantee(
                configuration, machine.simulate(configuration, counts, counts.steps), counts
            )
            assert result.holds, (result, algorithm)


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("seed", range(8))
def test_statistics_are_what_the_machine_counts(seed: int, floor: str, tmp_path: Path) -> None:
    """Without a profile every neuron spikes in every step: the flits on each link, without markers, are its load."""
    module, _ = clustered(seed, floor)
    hops: dict[str, int] = {}
    for algorithm in ("xy", "tree"):
        copy, route = module.clone(), ClusterRoute(algorithm=algorithm)
        run_passes(copy, route)
        own = [op for op in only(copy, ProgramOp, "").body.block.ops if isinstance(op, ClusterOp | InputOp)]
        configuration = configured(module.clone(), tmp_path / algorithm, algorithm)
        flows = configuration.flows
        links = [[link for branch in flow.branches for link in pairwise(branch)] for flow in flows]
        crossed = Counter(link for way in links for link in way)
        flits = machine.simulate(configuration, machine.peak_counts(configuration, 1)).link_flits
        loads = [flits[f"{a} -> {b}"] - crossed[a, b] for a, b in crossed]
        entries = Counter(
            router
            for flow, way in zip(flows, links, strict=True)
            for router in {flow.branches[0][0], *(b for _, b in way if len(flow.to) > 1)}
        )
        counted = route.statistics
        assert counted["routes"] == len(flows) == sum(len(routes_of(op)) for op in own)
        assert counted["hops"] == crossed.total()
        assert counted["table entries"] == entries.total()
        assert counted["table entries of the fullest router"] == max(entries.values())
        assert counted["routed spike-hops per 1000 steps"] == 1000 * sum(loads)
        assert counted["spikes per 1000 steps on the busiest link"] == 1000 * max(loads, default=0)
        mean = round(1000 * sum(loads) / len(loads)) if loads else 0
        assert counted["spikes per 1000 steps on a link in use, on average"] == mean
        hops[algorithm] = counted["hops"]
    assert hops["tree"] <= hops["xy"]


def graph_times(module: ModuleOp, algorithm: Algorithm) -> dict[str, tuple[int, int]]:
    """For each actor that carries a token to its destination the time of its `send` and its own."""
    run_passes(module, ClusterRoute(algorithm=algorithm), ConvertClusterToDataflow())
    actors = only(module, GraphOp, "").actors
    carried = [actor for actor in actors if actor.kind.data == "carry"]
    return {actor.sym_name.data: (max(producer_of(actor.taken[0]).times), max(actor.times)) for actor in carried}


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("seed", range(8))
def test_trees_share_links_with_fewer_flows(seed: int, floor: str) -> None:
    """No way of a tree is slower than the route with its destination alone, which meets at least as many flows."""
    module, _ = clustered(seed, floor)
    single, trees = graph_times(module.clone(), "xy"), graph_times(module.clone(), "tree")
    assert set(single) == set(trees)
    for name, (send, carry) in trees.items():
        assert send <= single[name][0]
        assert send + carry <= sum(single[name])


@pytest.mark.parametrize("algorithm", ["xy", "tree"])
def test_tables_that_are_too_small(algorithm: Algorithm) -> None:
    module, _ = clustered(3, "chips")
    route = ClusterRoute(algorithm=algorithm)
    run_passes(module.clone(), route)
    most = route.statistics["table entries of the fullest router"]
    assert most > 1
    target = machine_of(module)
    assert target is not None
    set_machine(module, replace(target, tiles=replace(target.tiles, table_entries=most)))
    run_passes(module.clone(), ClusterRoute(algorithm=algorithm))
    set_machine(module, replace(target, tiles=replace(target.tiles, table_entries=most - 1)))
    with pytest.raises(
        LoweringError, match=rf"router \[\d, \d\] needs {most} table entries, .* has {most - 1}"
    ) as caught:
        run_passes(module, ClusterRoute(algorithm=algorithm))
    assert "larger tables" in str(caught.value)


@pytest.mark.parametrize(
    ("routes", "other", "algorithm"), [("unicast", "multicast", "xy"), ("multicast", "unicast", "tree")]
)
def test_the_machine_says_what_is_placed_and_routed_for(
    monkeypatch: pytest.MonkeyPatch, routes: str, other: CostName, algorithm: Algorithm
) -> None:
    module, _ = clustered(4, "mesh")
    target = machine_of(module)
    assert target is not None
    set_machine(module, replace(target, tiles=replace(target.tiles, routes=routes)))
    costs: list[CostName] = []

    def noted(problem: Problem, name: str, options: Options | None = None) -> IntArray:
        costs.extend([options.cost] if options else [])
        return place(problem, name, options)

    monkeypatch.setattr("snnir.passes.cluster.place.place", noted)
    run_passes(module.clone(), ClusterPlace())
    run_passes(module.clone(), ClusterPlace(cost=other))
    assert costs == [routes, other]
    said, xy, tree = module.clone(), module.clone(), module.clone()
    run_passes(said, ClusterRoute())
    run_passes(xy, ClusterRoute(algorithm="xy"))
    run_passes(tree, ClusterRoute(algorithm="tree"))
    assert str(xy) != str(tree)
    assert str(said) == str({"xy": xy, "tree": tree}[algorithm])
