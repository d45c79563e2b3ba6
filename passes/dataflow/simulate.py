"""`dataflow-simulate`: run the graph, every actor as soon as it can, and measure."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.dataflow import GraphOp, RationalAttr
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.selftimed import self_timed
from snnir.passes.base import SNNPass, fail, only
from snnir.passes.dataflow.to_sdf import to_sdf


@dataclass(frozen=True)
class DataflowSimulate(SNNPass):
    """Event-driven simulation of the graph with constant firing times.

    Sets `simulated` on the graph: the average time between iterations at the slowest output. At worst-case times it
    cannot exceed the `period` of `dataflow-analyze-throughput` in the long run; the simulation shares no code with the
    analysis. (What the configured machine does with real spikes is measured by `snnir.machine`.)
    """

    name = "dataflow-simulate"

    iterations: int = 200
    """How many iterations are run; the first half is left out of the measurement."""
    load: Literal["worst", "mean"] = "worst"
    """Firing times at most, or expected."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        if self.iterations < 4:
            fail(graph, f"{self.iterations} iterations measure nothing", "simulate at least 4")
        try:
            starts = self_timed(to_sdf(graph, "time" if self.load == "worst" else "mean"), self.iterations)
        except MaxPlusError as error:
            fail(graph, str(error), "the actors named wait for each other or do not agree on rates")
        ends = [starts[a.sym_name.data] for a in graph.actors if a.kind.data == "output"] or list(starts.values())
        first = self.iterations // 2
        span = max(Fraction(times[-1] - times[first], len(times) - 1 - first) for times in ends)
        graph.simulated = RationalAttr(span)
        self.statistics["simulated period"] = round(span)
