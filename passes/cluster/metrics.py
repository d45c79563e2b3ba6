"""`cluster-metrics`: how full crossbars are, what travels between them, what the routes take."""

from dataclasses import dataclass, field
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.cluster import ProgramOp
from snnir.passes.base import SNNPass, machine, only, program
from snnir.passes.cluster.measures import Measures, measure


@dataclass(frozen=True)
class ClusterMetrics(SNNPass):
    """Measure the clusters, and their routes where there are any; attach the sums to the `cluster.program`.

    Traffic is spikes per step as profiled (every neuron in every step without a profile). What is measured per
    crossbar, tile and link is in `metrics.json` of a build directory.
    """

    name = "cluster-metrics"
    kept: ClassVar[bool] = False

    measures: list[Measures] = field(default_factory=list[Measures], init=False, repr=False, compare=False)
    """What the pass found, run by run."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        clusters = only(op, ProgramOp, "run convert-snn-to-cluster before")
        found = measure(clusters, program(op), machine(op))
        clusters.metrics = found.metrics
        self.measures.append(found)
        used, traffic, routed = found.metrics.used, found.metrics.traffic, found.metrics.routed
        self.statistics["clusters"] = used.clusters
        self.statistics["cells that hold a weight"] = used.weights
        self.statistics["rows in use, permille"] = round(1000 * used.rows)
        self.statistics["columns in use, permille"] = round(1000 * used.columns)
        self.statistics["cells in use, permille"] = round(1000 * used.cells)
        self.statistics["rows driven per 1000 steps"] = round(1000 * traffic.driven)
        self.statistics["spikes between crossbars per 1000 steps"] = round(1000 * traffic.spikes)
        self.statistics["partial sums between crossbars"] = traffic.sums
        if routed is not None:
            self.statistics["flit-hops per 1000 steps"] = round(1000 * routed.flits)
            self.statistics["flits per 1000 steps on the busiest link"] = round(1000 * routed.busiest)
        if routed is not None and routed.energy is not None:
            self.statistics["femtojoule of routing per step"] = round(1000 * routed.energy)
