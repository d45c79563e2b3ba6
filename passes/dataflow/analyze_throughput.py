"""`dataflow-analyze-throughput`: the exact guarantee, what sets it, and how much room the rest has."""

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, SymbolRefAttr, UnitAttr

from snnir.dialects.dataflow import GraphOp, OrderOp, RationalAttr
from snnir.maxplus.analysis import Analysis, analyze
from snnir.maxplus.errors import Deadlock, Inconsistent, MaxPlusError
from snnir.passes.base import SNNPass, fail, only
from snnir.passes.dataflow.to_sdf import to_retimed
from snnir.schedule.stages import Retimed


@dataclass(frozen=True)
class DataflowAnalyzeThroughput(SNNPass):
    """Maximum cycle ratio of the graph, as an exact rational.

    Sets on the graph `period` (time per iteration that the machine cannot exceed in the long run), `latency` (iteration
    k has left every output by latency + k * period), `predicted` (the period at mean times) and `critical` (the actors
    of the cycle that sets the period), or `unbounded` when nothing limits the throughput; on each actor `start` and
    `slack`; on each order `utilisation`.
    """

    name = "dataflow-analyze-throughput"

    slack: bool = True
    """Whether to compute the slack of every actor, the most expensive part."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before, or read an application graph")
        try:
            timed = to_retimed(graph)
            result = analyze(timed.graph, slack=self.slack)
            same = all(actor.means == actor.times for actor in graph.actors)
            predicted = result.period if same else analyze(to_retimed(graph, "mean").graph, slack=False).period
        except MaxPlusError as error:
            named = isinstance(error, Deadlock | Inconsistent)
            hint = "the actors named wait for each other or do not agree on rates" if named else ""
            fail(graph, str(error), hint)
        _annotate(graph, _in_time(result, timed), predicted)
        if result.period:
            self.statistics["period"] = round(result.period)
            self.statistics["actors on the critical cycle"] = len(graph.critical or ())


def _in_time(result: Analysis, timed: Retimed) -> Analysis:
    """The analysis with the times of the graph itself, whose firings are those of the retimed one `lag` later."""
    if not any(timed.lag.values()) or result.period is None:
        return result
    late = {name: lag * result.period for name, lag in timed.lag.items()}
    return replace(
        result,
        start={name: start + late[name] for name, start in result.start.items()},
        latency={name: latency + late[name] for name, latency in result.latency.items()},
    )


def _annotate(graph: GraphOp, result: Analysis, predicted: Fraction | None) -> None:
    outputs = [op.sym_name.data for op in graph.actors if op.kind.data == "output"]
    critical = dict.fromkeys(edge.source for edge in result.critical_cycle)
    graph.period = _rational(result.period)
    graph.unbounded = UnitAttr() if result.period is None else None
    graph.latency = _rational(max((result.latency[name] for name in outputs or result.latency), default=None))
    graph.predicted = _rational(predicted)
    graph.critical = ArrayAttr(SymbolRefAttr(name) for name in critical) if critical else None
    for actor in graph.actors:
        actor.start = _rational(result.start[actor.sym_name.data])
        actor.slack = _rational(result.slack[actor.sym_name.data])
    for order in graph.orders:
        order.utilisation = RationalAttr(_work(graph, order) / result.period if result.period else Fraction(0))


def _work(graph: GraphOp, order: OrderOp) -> Fraction:
    """The time for which the resource of an order works for its actors in one iteration, gaps in its wheel left out."""
    total = Fraction(0)
    times = {actor.sym_name.data: actor.times for actor in graph.actors}
    for name, count in Counter(order.names).items():
        total += Fraction(sum(times[name]) * count, len(times[name]))
    return total


def _rational(value: Fraction | None) -> RationalAttr | None:
    return None if value is None else RationalAttr(value)
