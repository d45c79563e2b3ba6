"""The analysis of a bound graph whose tiles give it slices of their wheels: the better of two models, in its own time.

Each model of `snnir.schedule.tdma` is a graph whose firings end no earlier than those of the machine, whatever the
phases of the wheels. So the period of either is a bound, and so is any latency together with the period of its model.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from snnir.maxplus.analysis import Analysis, analyze
from snnir.maxplus.sdf import Phases
from snnir.schedule.bound import BoundGraph
from snnir.schedule.tdma import latency_rate, responding
from snnir.schedule.wheel import Slice


@dataclass(frozen=True)
class Guarantee:
    """What is guaranteed of each actor of a bound graph, as in `Analysis`.

    `period`: None when nothing bounds the throughput. `start` and `latency`: firing k may begin, as far as tokens and
    turns go, by start + k * period, and has ended by latency + k * period. `slack`: by how much the work of an actor
    alone may grow before the period does. `critical`: the actors on the cycle that sets the period.
    """

    period: Fraction | None
    start: dict[str, Fraction]
    latency: dict[str, Fraction]
    slack: dict[str, Fraction | None]
    critical: tuple[str, ...]


def guarantee(bound: BoundGraph, *, slack: bool = True) -> Guarantee:
    """What is guaranteed by the model of least period, of those the one of least latency. Raises as `analyze` does."""
    return min(guarantees(bound, slack=slack), key=_merit)


def guarantees(bound: BoundGraph, *, slack: bool = True) -> list[Guarantee]:
    """What each of the models guarantees; one of them, where nothing is sliced."""
    found = [_by_responses(bound, analyze(responding(bound), slack=slack))]
    if bound.slices:
        graph, scale = latency_rate(bound)
        found.append(_by_rates(bound, analyze(graph, slack=slack), scale))
    return found


def _merit(found: Guarantee) -> tuple[Fraction | float, Fraction]:
    return inf if found.period is None else found.period, max(found.latency.values(), default=Fraction(0))


def _by_responses(bound: BoundGraph, found: Analysis) -> Guarantee:
    slack: dict[str, Fraction | None] = {}
    for actor in bound.graph.actors:
        own, room = bound.slice_of(actor.name), found.slack[actor.name]
        slack[actor.name] = room if own is None or room is None else _more_work(own, actor.time, room)
    critical = dict.fromkeys(edge.source for edge in found.critical_cycle)
    return Guarantee(found.period, found.start, found.latency, slack, tuple(critical))


def _more_work(own: Slice, time: Phases, room: Fraction) -> Fraction:
    """By how many whole units each phase of an actor may grow, so that no response time grows by more than `room`."""
    grown: list[int] = []
    for work in time if isinstance(time, tuple) else (time,):
        turns, rest = divmod(own.response(work) + int(room), own.wheel)
        grown.append(turns * own.length + max(0, rest - own.pause) - work)
    return Fraction(min(grown))


def _by_rates(bound: BoundGraph, found: Analysis, scale: int) -> Guarantee:
    """The analysis of `latency_rate` for the actors of the bound graph, in its units of time."""
    names = bound.graph.index
    slack: dict[str, Fraction | None] = {}
    for name in names:
        own, room = bound.slice_of(name), found.slack[name]
        slack[name] = None if room is None else room / scale * (1 if own is None else own.share)
    # an actor that waits for its slice is followed by itself at work
    critical = dict.fromkeys(edge.source for edge in found.critical_cycle if edge.source in names)
    return Guarantee(
        None if found.period is None else found.period / scale,
        {name: found.start[name] / scale for name in names},
        {name: found.latency[name] / scale for name in names},
        slack,
        tuple(critical),
    )
