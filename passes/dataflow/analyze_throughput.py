"""`dataflow-analyze-throughput`: the exact guarantee, what sets it, and how much room the rest has."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, SymbolRefAttr, UnitAttr

from snnir.dialects.dataflow import GraphOp, OrderOp, RationalAttr
from snnir.dialects.quick_text import collection_paused
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.base import SNNPass, only
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_sdf import at_means, to_retimed, to_served
from snnir.schedule.guaranteed import Guarantee, guarantee
from snnir.schedule.stages import Retimed


@dataclass(frozen=True)
class DataflowAnalyzeThroughput(SNNPass):
    """Maximum cycle ratio of the graph, as an exact rational.

    With slices of wheels, the better of two bounds that hold for any phases of the wheels.
    Sets on the graph `period` (time per iteration that the machine cannot exceed in the long run), `latency` (iteration
    k has left every output by latency + k * period), `predicted` (the period at mean times) and `critical` (the actors
    of the cycle that sets the period), or `unbounded` when nothing limits the throughput; on each actor `start` and
    `slack`; on each order `utilisation`.
    """

    name = "dataflow-analyze-throughput"

    slack: bool = True
    """Whether to compute the slack of every actor, the most expensive part."""

    @collection_paused()
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before, or read an application graph")
        try:
            timed = to_retimed(graph, with_slices=False)
            result = guarantee(to_served(timed, graph), slack=self.slack)
            same = all(actor.means == actor.times for actor in graph.actors)
            expected = timed if same else at_means(timed, graph)
            predicted = result.period if same else guarantee(to_served(expected, graph), slack=False).period
        except MaxPlusError as error:
            refuse(graph, error)
        _annotate(graph, _in_time(result, timed), predicted)
        if result.period:
            self.statistics["period"] = round(result.period)
            self.statistics["actors on the critical cycle"] = len(graph.critical or ())


def _in_time(result: Guarantee, timed: Retimed) -> Guarantee:
    """The analysis with the times of the graph itself, whose firings are those of the retimed one `lag` later."""
    if not any(timed.lag.values()) or result.period is None:
        return result
    late = {lag: lag * result.period for lag in set(timed.lag.values())}
    return replace(
        result,
        start={name: start + late[timed.lag[name]] for name, start in result.start.items()},
        latency={name: latency + late[timed.lag[name]] for name, latency in result.latency.items()},
    )


def _annotate(graph: GraphOp, result: Guarantee, predicted: Fraction | None) -> None:
    outputs = [op.sym_name.data for op in graph.actors if op.kind.data == "output"]
    graph.period = _rational(result.period)
    graph.unbounded = UnitAttr() if result.period is None else None
    graph.latency = _rational(max((result.latency[name] for name in outputs or result.latency), default=None))
    graph.predicted = _rational(predicted)
    graph.critical = ArrayAttr(map(SymbolRefAttr, result.critical)) if result.critical else None
    times: dict[str, tuple[int, ...]] = {}
    for actor in graph.actors:
        name = actor.sym_name.data
        actor.start, actor.slack = _rational(result.start[name]), _rational(result.slack[name])
        times[name] = actor.times
    for order in graph.orders:
        order.utilisation = RationalAttr(_work(times, order) / result.period if result.period else Fraction(0))


def _work(times: Mapping[str, tuple[int, ...]], order: OrderOp) -> Fraction:
    """The time for which the resource of an order works for its actors in one iteration, gaps in its wheel left out."""
    total = Fraction(0)
    for name, count in Counter(order.names).items():
        total += Fraction(sum(times[name]) * count, len(times[name]))
    return total


def _rational(value: Fraction | None) -> RationalAttr | None:
    return None if value is None else RationalAttr(value)
