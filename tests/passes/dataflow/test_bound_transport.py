"""`dataflow-bound-transport` sees early that there are too many pairs of ways and flows, and never too early."""

from __future__ import annotations

from dataclasses import replace

import pytest
from networks import run_passes
from xdsl.dialects.builtin import ModuleOp

from benchmarks.machines import grid, module_of
from benchmarks.workloads import build
from snnir.dialects.cluster import ProgramOp
from snnir.dialects.dataflow import GraphOp
from snnir.frontend.notes import collected
from snnir.maxplus.sdf import dependencies
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import machine, only, program
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.dataflow import bound_transport
from snnir.passes.dataflow.bound_transport import DataflowBoundTransport, pairs_at_ends
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow, transport_of
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.schedule.links import Links
from snnir.schedule.meetings import count_meetings


def mapped(side: int, crossbars: int, routes: str, name: str = "mlp784") -> ModuleOp:
    """A workload on `side` x `side` tiles."""
    target = grid(side, crossbars, rows=64, columns=64, max_delay=64)
    module = module_of(build(name, activity=8.0), replace(target, tiles=replace(target.tiles, routes=routes)))
    run_passes(module, ConvertSNNToCluster(), ClusterPlace(), ClusterRoute())
    return module


def links_of(module: ModuleOp) -> Links:
    """The links that the ways of a mapped workload cross."""
    network = NetworkActivity(program(module), "worst")
    return transport_of(only(module, ProgramOp, ""), machine(module), network).links


@pytest.mark.parametrize("routes", ["unicast", "multicast"])
@pytest.mark.parametrize(
    ("name", "side", "crossbars"), [("mlp784", 2, 8), ("mlp784", 7, 1), ("recurrent_digits", 5, 7)]
)
def test_pairs_at_ends_are_some_of_all(name: str, side: int, crossbars: int, routes: str) -> None:
    module = mapped(side, crossbars, routes, name)
    links, found = links_of(module), pairs_at_ends(only(module, ProgramOp, ""))
    ends = [links.flows[link] for way in links.ways for link in (way.links[0], way.links[-1])]
    assert found == sum(len(flows) - 1 for flows in ends)
    assert 0 < found < count_meetings(links)


def test_giving_up_is_said() -> None:
    module = mapped(2, 8, "unicast")
    run_passes(module, ConvertClusterToDataflow(), DataflowSchedule())
    text, early = module.clone(), pairs_at_ends(only(module, ProgramOp, ""))
    pairs = count_meetings(links_of(module))
    for most, said in ((0, False), (early - 1, True), (early, True), (pairs - 1, True), (pairs, False)):
        with collected() as notes:
            run_passes(text.clone(), DataflowBoundTransport(pairs=most))
        assert [note.partition(": note: ")[2] for note in notes] == [bound_transport.GIVEN_UP] * said


def test_too_many_pairs_are_seen_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    module = mapped(2, 8, "unicast")
    run_passes(module, ConvertClusterToDataflow(), DataflowSchedule())
    before, pairs = str(only(module, GraphOp, "")), count_meetings(links_of(module))
    with monkeypatch.context() as patch:
        patch.delattr(bound_transport, "transport_of")
        run_passes(module, DataflowBoundTransport(pairs=pairs_at_ends(only(module, ProgramOp, "")) - 1))
    assert str(only(module, GraphOp, "")) == before
    run_passes(module, DataflowBoundTransport(pairs=pairs - 1))
    assert str(only(module, GraphOp, "")) == before
    run_passes(module, DataflowBoundTransport(pairs=pairs))
    assert str(only(module, GraphOp, "")) != before


def test_too_many_ways_and_actors_are_seen_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    module = mapped(2, 8, "unicast")
    run_passes(module, ConvertClusterToDataflow(), DataflowSchedule())
    graph = only(module, GraphOp, "")
    before, ways = str(graph), len(links_of(module).ways)
    # no more than what `separated` counts, so nothing is left out that it would try
    assert len(graph.actors) <= len(dependencies(to_sdf(graph, with_orders=False))[0])
    with monkeypatch.context() as patch:
        patch.delattr(bound_transport, "transport_of")
        patch.setattr(bound_transport, "EFFORT", len(graph.actors) * ways - 1)
        run_passes(module, DataflowBoundTransport())
        assert str(graph) == before
        patch.setattr(bound_transport, "EFFORT", len(graph.actors) * ways)
        with pytest.raises(NameError):
            run_passes(module, DataflowBoundTransport())
