"""How a pass stops when the analysis of its graph has no answer: at the actor concerned, and with what may help."""

from typing import NoReturn

from snnir.dialects.dataflow import GraphOp
from snnir.maxplus.analysis import analyze
from snnir.maxplus.errors import Deadlock, Inconsistent, MaxPlusError, TooLarge
from snnir.passes.base import fail
from snnir.passes.dataflow.to_sdf import to_sdf

HINTS: dict[type[MaxPlusError], str] = {
    Deadlock: "give a channel between the actors named more initial tokens, or more room",
    Inconsistent: "correct the rates of this channel, or of another one between the two actors",
    TooLarge: "rates with larger common divisors make iterations shorter",
}
"""What may help against an error, whatever the pass."""


def refuse(graph: GraphOp, error: MaxPlusError, hint: str = "") -> NoReturn:
    """Stop because of what an analysis of `graph` says.

    The place is that of the first actor named, if it is in the graph; `hint` is for errors that have none in `HINTS`.
    """
    if isinstance(error, Deadlock) and not error.actors:
        error = _with_actors(graph, error)
    actors = {op.sym_name.data: op for op in graph.actors}
    named = error.actors if isinstance(error, Deadlock | TooLarge) else ()
    place = next((actors[name] for name in named if name in actors), graph)
    fail(place, str(error), HINTS.get(type(error), hint))


def _with_actors(graph: GraphOp, error: Deadlock) -> Deadlock:
    """The same deadlock with the actors on its cycle, if orders have no part in it."""
    try:
        analyze(to_sdf(graph, with_orders=False), slack=False)
    except Deadlock as named:
        return named
    except MaxPlusError:
        pass
    return error
