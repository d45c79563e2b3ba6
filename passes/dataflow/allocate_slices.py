"""`dataflow-allocate-slices`: the smallest slices of the tiles' wheels that meet a throughput constraint."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_attributes import RationalAttr
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.base import SNNPass, fail, positive
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_schedule import give_slices, mapped, ordered_of, share_of, stale
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

    analysis: Literal["guaranteed", "response", "exact"] = "guaranteed"
    """`guaranteed`: what `dataflow-analyze-throughput` guarantees, whatever the phases of the wheels. `response`: only
    by the longest response time of each firing. `exact`: all wheels turn together."""

    share: str | None = None
    """This part of each wheel, `1/2`, in place of the smallest slices; no throughput is needed then."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph, architecture = mapped(op)
        if self.share is not None and self.throughput is not None:
            fail(graph, "both a share and a throughput are given", "one follows from the other: give one")
        wanted = self._wanted(graph) if self.share is None else None
        period = {"response": response_period, "guaranteed": guaranteed_period, "exact": exact_period}[self.analysis]
        try:
            bound = ordered_of(graph, architecture)
            if wanted is None:
                slices = share_of(self.share or "", graph, bound)
            else:
                slices = allocate_slices(bound, wanted, period)
            reached = period(bound.sliced(slices))
        except MaxPlusError as error:
            refuse(graph, error, "other wheels or analysis=guaranteed may help")
        except ScheduleError as error:
            hint = "run dataflow-bind and dataflow-schedule before; then a lower throughput, or another binding"
            fail(graph, str(error), hint)
        stale(graph)
        graph.period = RationalAttr(reached) if reached is not None else None
        give_slices(graph, architecture, slices)
        self.statistics.update({f"slice of {tile}": length for tile, length in slices.items()})

    def _wanted(self, graph: GraphOp) -> Fraction:
        if self.throughput is None:
            if graph.throughput is None:
                fail(graph, "the graph does not say what throughput it needs", "give throughput=1/100")
            return graph.throughput.data
        return positive(graph, self.throughput)
