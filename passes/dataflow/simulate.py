"""`dataflow-simulate`: run the graph, every actor as soon as it can, and measure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import add
from pathlib import Path
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.dataflow import GraphOp, RationalAttr
from snnir.machine.trace import Row, write_trace
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.sdf import repetition_vector
from snnir.maxplus.selftimed import Done, self_timed
from snnir.passes.base import SNNPass, fail, only
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_sdf import to_retimed
from snnir.schedule.stages import Retimed
from snnir.schedule.wheel import Slice


@dataclass(frozen=True)
class DataflowSimulate(SNNPass):
    """Event-driven simulation of the graph with constant firing times.

    Sets `simulated` on the graph: the average time between iterations at the slowest output. At worst-case times it
    cannot exceed the `period` of `dataflow-analyze-throughput` in the long run; the simulation shares no code with the
    analysis. Each firing starts as soon as it can, at an exact time; in what order ties are worked off changes nothing.
    Resources that work in slices of wheels only do so in all of them at the same time, from the pause at time 0 on.
    (What the configured machine does with real spikes is measured by `snnir.machine`.)
    """

    name = "dataflow-simulate"

    iterations: int = 200
    """How many iterations are run; the first half is left out of the measurement."""
    load: Literal["worst", "mean"] = "worst"
    """Firing times at most, or expected."""
    trace: str = ""
    """A CSV file for a Gantt chart, with a row `actor,firing,start,end,resource` per firing; none when empty."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before")
        if self.iterations < 4:
            fail(graph, f"{self.iterations} iterations measure nothing", "simulate at least 4")
        try:
            timed = to_retimed(graph, "time" if self.load == "worst" else "mean", with_slices=False)
            sdf, done = timed.graph, _done(graph)
            starts, firings = self_timed(sdf, self.iterations, done), repetition_vector(sdf)
        except MaxPlusError as error:
            refuse(graph, error, "simulate fewer iterations")
        observed = [a.sym_name.data for a in graph.actors if a.kind.data == "output"] or list(starts)
        # the first firing of each iteration, from the middle of the run on
        times = [starts[name][:: firings[name]][self.iterations // 2 :] for name in observed]
        span = max(Fraction(each[-1] - each[0], len(each) - 1) for each in times)
        graph.simulated = RationalAttr(span)
        self.statistics["simulated period"] = round(span)
        if self.trace:
            try:
                write_trace(Path(self.trace), _rows(graph, timed, starts, done))
            except OSError as error:
                fail(graph, f"{self.trace}: {error.strerror}", "write the trace to a folder that exists")


def _done(graph: GraphOp) -> dict[str, Done]:
    """When the firings of an actor end that shares a wheel: all wheels turn together from time 0 on."""
    slices = {order.crossbar.data: Slice(*order.turn) for order in graph.orders if order.turn is not None}
    shared = {op.sym_name.data: slices.get(op.resource_name) for op in graph.actors if op.resource_name is not None}
    return {name: own.end for name, own in shared.items() if own is not None}


def _rows(graph: GraphOp, timed: Retimed, starts: Mapping[str, list[int]], done: Mapping[str, Done]) -> Iterator[Row]:
    """All firings; those of iterations before the first, for which a pipeline that fills leaves time, are none."""
    resources = {actor.sym_name.data: actor.resource_name or "" for actor in graph.actors}
    for actor in timed.graph.actors:
        lag, end = timed.lag[actor.name], done.get(actor.name, add)
        for number, start in enumerate(starts[actor.name][lag:]):
            ended = end(start, actor.times[(number + lag) % len(actor.times)])
            yield actor.name, number, start, ended, resources[actor.name]
