"""What a compilation says of delays: the sizes that a pass found, or those that its clusters have anyway."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from snnir.dialects.cluster import ProgramOp
from snnir.dialects.cluster_reads import is_late
from snnir.passes.base import machine, only, program
from snnir.passes.cluster.delay_sizes import delay_sizes
from snnir.passes.cluster.size_delays import ClusterSizeDelays
from snnir.passes.snn.profile import SNNProfile
from snnir.report.delays import delays_as_json
from snnir.sim.data import read_spikes


def reads_late(module: ModuleOp) -> bool:
    """Whether any cluster of a module reads something late."""
    programs = [op for op in module.body.block.ops if isinstance(op, ProgramOp)]
    return any(is_late(cluster) for op in programs for cluster in op.clusters)


def delays_of(module: ModuleOp, passes: Sequence[ModulePass]) -> dict[str, Any]:
    """The delays of a clustered program.

    What is observed is on the data of `cluster-size-delays`, or where that is not among `passes`, of `snn-profile`.
    """
    clusters = only(module, ProgramOp, "run convert-snn-to-cluster before")
    network, target = program(module), machine(module)
    measures = [found for each in passes if isinstance(each, ClusterSizeDelays) for found in each.measures]
    if measures:
        return delays_as_json(network, target, measures[-1])
    profiles = [each for each in passes if isinstance(each, SNNProfile)]
    inputs = None
    if profiles:
        inputs = read_spikes(Path(profiles[-1].data), profiles[-1].samples, network.step_seconds)
    return delays_as_json(network, target, delay_sizes(clusters, network, inputs))
