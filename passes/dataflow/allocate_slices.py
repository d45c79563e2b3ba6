"""`dataflow-allocate-slices`: the smallest slices of the tiles' wheels that meet a throughput constraint."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import IntAttr, ModuleOp

from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_attributes import RationalAttr
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.base import SNNPass, fail
from snnir.passes.dataflow.to_schedule import mapped, ordered_of, stale
from snnir.schedule.architecture import ScheduleError
from snnir.schedule.exact import exact_period
from snnir.schedule.slices import allocate_slices
from snnir.schedule.tdma import guaranteed_period, response_period


@dataclass(frozen=True)
class DataflowAllocateSlices(SNNPass):
    """Reserve as little as possible of the time-division wheels of the tiles.

    Needs a bound graph with an order for each tile that it uses (`dataflow-bind`, `dataflow-schedule`). Binary search
    of the smallest share of all wheels, then of each slice by itself. The slices are noted on the orders, and the
    period that they give on the graph.
    """

    name = "dataflow-allocate-slices"

    throughput: str | None = None
    """Iterations per time unit that are needed, as `1/100`; by default the `throughput` of the graph."""

    analysis: Literal["response", "guaranteed", "exact"] = "response"
    """`response`: what `dataflow-analyze-throughput` guarantees, each firing at its longest response time.
    `guaranteed`: the better of that and of tiles as latency-rate servers. `exact`: all wheels turn together."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph, architecture = mapped(op)
        wanted = self._wanted(graph)
        period = {"response": response_period, "guaranteed": guaranteed_period, "exact": exact_period}[self.analysis]
        try:
            bound = ordered_of(graph, architecture)
            slices = allocate_slices(bound, wanted, period)
            reached = period(bound.sliced(slices))
        except (ScheduleError, MaxPlusError) as error:
            hint = "run dataflow-bind and dataflow-schedule before; then a lower throughput, or another binding"
            fail(graph, str(error), hint)
        stale(graph)
        graph.period = RationalAttr(reached) if reached is not None else None
        for order in graph.orders:
            tile = order.crossbar.data
            order.wheel = order.slice = None
            if tile in slices:
                order.wheel, order.slice = IntAttr(architecture.tile(tile).wheel or 0), IntAttr(slices[tile])
                self.statistics[f"slice of {tile}"] = slices[tile]

    def _wanted(self, graph: GraphOp) -> Fraction:
        if self.throughput is None:
            if graph.throughput is None:
                fail(graph, "the graph does not say what throughput it needs", "give throughput=1/100")
            return graph.throughput.data
        try:
            wanted = Fraction(self.throughput)
        except (ValueError, ZeroDivisionError):
            wanted = Fraction(0)
        if wanted <= 0:
            fail(graph, f"'{self.throughput}' is no throughput", "give a number of iterations per time unit, as 1/100")
        return wanted
