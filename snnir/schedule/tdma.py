"""The period of a bound graph whose tiles give it slices of their wheels: exact, and bounds that hold for any phase.

All of it on graphs with orders. Three views of a firing that needs `work` units of a slice of `length` per `wheel`:

exact         ends at `Slice.end(start, work)`, all wheels turning together from time 0 on (`snnir.schedule.exact`);
response      takes `Slice.response(work)` wherever the wheel stands when it begins;
latency-rate  begins wheel - length after its tokens from elsewhere are there, but not before its tile is done with what
              is before it in the order, and takes work * wheel / length (Wiggers, Bekooij, Smit, SCOPES 2007).

Why the last two are bounds, whatever the phases of the wheels. Self-timed execution is monotone: a firing that ends
later makes nothing end earlier; so it is enough that each firing ends no later than the model says if all before it did
not. Response: the wait is longest when the slice has just ended; after that pause, ceil(work / length) - 1 more.
Latency-rate: a firing belongs to the same stretch as the one before it in the order if its tokens from elsewhere are
there when that one ends (those from its own tile always are); let t be the time at which those of the first firing of
the stretch are there. From t to the end of the stretch the tile works whenever its slice is open. In x units after t
the slice is open for at least (x - pause) * length / wheel, as the staircase of the worst phase, which begins with a
pause and rises by `length` a turn, lies above this line. So the firings of the stretch up to some one, w units of work
together, are done by t + pause + w * wheel / length, which is when the model ends that one or earlier: it begins the
first one at t + pause or later, and the others follow one another without overlap. A stretch may also begin at time 0
with a firing that waits for nothing from elsewhere: so no firing of the model begins before `pause`.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import lcm

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.expansion import expand
from snnir.maxplus.sdf import Actor, Channel, Phases, SDFGraph
from snnir.schedule.bound import BoundGraph


def guaranteed_period(bound: BoundGraph) -> Fraction | None:
    """The better of the two bounds: no iteration takes longer on average, however the wheels stand to each other.

    Exact when nothing is sliced. None when nothing limits the throughput. Raises as `expand` and
    `maximum_cycle_ratio` do.
    """
    found = [response_period(bound)]
    if bound.slices:
        found.append(latency_rate_period(bound))
    return min((period for period in found if period is not None), default=None)


def response_period(bound: BoundGraph) -> Fraction | None:
    """The period when every firing takes its longest response time."""
    return _period(responding(bound))


def latency_rate_period(bound: BoundGraph) -> Fraction | None:
    """The period when every sliced tile is a latency-rate server."""
    graph, scale = latency_rate(bound)
    period = _period(graph)
    return None if period is None else period / scale


def responding(bound: BoundGraph) -> SDFGraph:
    """The graph with response times in place of work."""
    if not bound.slices:
        return bound.graph
    actors: list[Actor] = []
    for actor in bound.graph.actors:
        own = bound.slice_of(actor.name)
        actors.append(actor if own is None else replace(actor, time=_each(actor.time, own.response)))
    return replace(bound.graph, actors=tuple(actors))


def latency_rate(bound: BoundGraph) -> tuple[SDFGraph, int]:
    """The graph with latency actors for tokens that come from elsewhere, and how many of its time units are one.

    Such tokens come to the latency actor, which any number of firings may pass at once; everything else, turns in the
    order too, is between the rate actors, which keep the names. A latency actor to which nothing comes only delays the
    beginning, which counts for the latency and not for the period.
    """
    scale = lcm(*(each.length for each in bound.slices.values()))
    actors: list[Actor] = []
    channels: list[Channel] = []
    for actor in bound.graph.actors:
        own = bound.slice_of(actor.name)
        stretch = scale if own is None else scale * own.wheel // own.length
        actors.append(replace(actor, time=_each(actor.time, stretch.__mul__)))
        late = entrance(bound, None, actor.name)
        if own is not None and late != actor.name:
            actors.append(Actor(late, own.pause * scale, concurrency=None))
            channels.append(Channel(late, actor.name))
    for channel in bound.graph.channels:
        channels.append(replace(channel, target=entrance(bound, channel.source, channel.target)))
    return replace(bound.graph, actors=tuple(actors), channels=tuple(channels)), scale


def entrance(bound: BoundGraph, source: str | None, target: str) -> str:
    """The actor of `latency_rate` to which a channel leads, of an actor or from outside: a latency actor, if any."""
    tile = bound.binding.get(target)
    # also where the work is 0, which is done at once outside the slice: what follows it on the tile may have to wait
    sliced = bound.slice_of(target) is not None
    near = source is not None and bound.binding.get(source) == tile
    return f"wait of {target}" if sliced and not near else target


def _each(time: Phases, change: Callable[[int], int]) -> Phases:
    return tuple(map(change, time)) if isinstance(time, tuple) else change(time)


def _period(graph: SDFGraph) -> Fraction | None:
    critical = maximum_cycle_ratio(expand(graph).graph)
    return critical.ratio if critical else None
