"""Clusterings with the hops of a machine as their objective, in the IR: the nets, and what `cluster-place` counts."""

from __future__ import annotations

import pytest
from networks import run_passes
from xdsl.dialects.builtin import ModuleOp

from benchmarks.machines import grid, module_of
from benchmarks.workloads import build
from snnir.dialects.cluster import ProgramOp
from snnir.partition.clustering.structured import structured
from snnir.partition.problem import Options, Problem
from snnir.partition.site import Site, nets_of
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import only, program
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.place import nets_of as nets_of_clusters
from snnir.passes.cluster.problem import problem_of, site_of
from snnir.passes.snn.split_fanin import SNNSplitFanin
from tests.partition.placement_problems import listed


@pytest.mark.parametrize(("name", "fanin"), [("mlp784", "digital"), ("respclass", "relay"), ("lenet_disco", "digital")])
def test_nets_are_those_that_are_placed(name: str, fanin: str) -> None:
    """Before there is IR, and from it: the same nets, so what is judged is what is placed."""
    module, task, site = _problem(name, fanin)
    plan = structured(task, Options())
    run_passes(module, ConvertSNNToCluster())
    clusters = only(module, ProgramOp, "")
    made = nets_of_clusters(clusters, NetworkActivity(program(module), "peak"))
    assert listed(nets_of(task, plan, site.shown)) == listed(made)


def _problem(name: str, fanin: str) -> tuple[ModuleOp, Problem, Site]:
    machine = grid(8, 4, fanin=fanin, max_delay=64)
    module = module_of(build(name, activity=8.0), machine)
    run_passes(module, SNNSplitFanin())
    task = problem_of(program(module), machine)
    return module, task, site_of(program(module), machine, task)


def test_the_pass_counts_on_its_own_machine() -> None:
    """After `cluster-place` too, whose statistic counts the traffic that the objective is about."""
    hops: dict[str, float] = {}
    for objective in ("spikes", "hops"):
        module, _, _ = _problem("lenet_disco", "digital")
        placed = ClusterPlace()
        run_passes(module, ConvertSNNToCluster(objective=objective), placed)
        hops[objective] = placed.statistics["spike-hops per 1000 steps"]
    assert hops["hops"] < 0.8 * hops["spikes"]
