"""`dataflow-analyze-throughput`: the exact guarantee, what sets it, and how much room the rest has."""

from dataclasses import dataclass
from fractions import Fraction

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, SymbolRefAttr

from snnir.dialects.dataflow import GraphOp, RationalAttr
from snnir.maxplus.analysis import Analysis, analyze
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.base import SNNPass, fail, only
from snnir.passes.dataflow.to_sdf import to_sdf


@dataclass(frozen=True)
class DataflowAnalyzeThroughput(SNNPass):
    """Maximum cycle ratio of the graph, as an exact rational.

    Sets on the graph `period` (time per iteration that the machine cannot exceed in the long run), `latency` (iteration
    k has left every output by latency + k * period), `predicted` (the period at mean times) and `critical` (the actors
    of the cycle that sets the period); on each actor `start` and `slack`; on each order `utilisation`.
    """

    name = "dataflow-analyze-throughput"

    slack: bool = True
    """Whether to compute the slack of every actor, the most expensive part."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        try:
            result = analyze(to_sdf(graph), slack=self.slack)
            predicted = analyze(to_sdf(graph, "mean"), slack=False).period
        except MaxPlusError as error:
            fail(graph, str(error), "the actors named wait for each other or do not agree on rates")
        _annotate(graph, result, predicted)
        if result.period:
            self.statistics["period"] = round(result.period)
            self.statistics["actors on the critical cycle"] = len(graph.critical or ())


def _annotate(graph: GraphOp, result: Analysis, predicted: Fraction | None) -> None:
    outputs = [op.sym_name.data for op in graph.actors if op.kind.data == "output"]
    critical = dict.fromkeys(edge.source for edge in result.critical_cycle)
    graph.period = _rational(result.period)
    graph.latency = _rational(max((result.latency[name] for name in outputs or result.latency), default=None))
    graph.predicted = _rational(predicted)
    graph.critical = ArrayAttr(SymbolRefAttr(name) for name in critical) if critical else None
    for actor in graph.actors:
        actor.start = _rational(result.start[actor.sym_name.data])
        actor.slack = _rational(result.slack[actor.sym_name.data])
    for order, share in zip(graph.orders, result.utilisation, strict=True):
        order.utilisation = RationalAttr(share)


def _rational(value: Fraction | None) -> RationalAttr | None:
    return None if value is None else RationalAttr(value)
