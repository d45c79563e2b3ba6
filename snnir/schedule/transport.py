"""Which of two bounds on round-robin links to use for each flow of a graph."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.expansion import Expansion, expand
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.sdf import SDFGraph, dependencies
from snnir.schedule.links import Leads, Links

TARGETS = 6
"""How many targets are tried between what the resources need and what the graph takes without."""
EFFORT = 30_000_000
"""How many steps on arcs may be taken in search of leads; lower targets, for which more ways are slow, are left out."""


def faster_transport(
    sdf: SDFGraph, links: Links, actors: Sequence[tuple[str, str]], producers: Sequence[str], least: int
) -> dict[str, int]:
    """New times of `send` and `carry` actors with which the period of a graph with rates of 1 is least; often none.

    `sdf` is the graph with the times of `Links.waiting`; `actors[w]` are the names of the actors of way w, of which
    ways of one flow may share the first, and `producers[f]` that of the actor that makes the tokens of flow f. `least`
    is what no period can be below: the load of the busiest resource. `Links.limited` trades time per token for time on
    the way, so targets from `least` up to the present period are tried.
    """
    expansion = expand(sdf)
    best: dict[str, int] = {}
    period = present = _period(expansion, best)
    if present <= least:
        return best
    leads: Leads | None = None
    arcs = len(dependencies(sdf)[0])
    waiting = [each.send for each in links.waits]
    for step in reversed(range(TARGETS)):
        target = round(least * (float(present) / least) ** (step / TARGETS))
        slow = [number for number, send in enumerate(waiting) if send > target]
        # a search from each way, and one from the producer of each flow
        if arcs * (len(slow) + len({links.ways[number].flow for number in slow})) > EFFORT:
            break
        if leads is None:
            leads = Leads(sdf, links.ways, producers, [carry for _, carry in actors])
        times = _limited(links, actors, leads, slow, target)
        found = _period(expansion, times)
        if found < period:
            period, best = found, times
    return best


def _limited(
    links: Links, actors: Sequence[tuple[str, str]], leads: Leads, slow: Sequence[int], target: int
) -> dict[str, int]:
    """The times of the ways `slow`, which take more than `target` when every other flow is always waiting."""
    times: dict[str, int] = {}
    first = {number: links.limited(number, target, leads) for number in slow}
    for number, found in first.items():
        send, _ = actors[number]
        times[send] = max(times.get(send, 0), int(found.send))
    for number, found in first.items():
        # what the actor `send` takes for all of its ways is the target of each: none has to be faster
        send, carry = actors[number]
        same = times[send] == found.send <= target
        times[carry] = (found if same else links.limited(number, times[send], leads)).carry
    return times


def _period(expansion: Expansion, times: Mapping[str, int]) -> Fraction:
    """The period with some other times."""
    old = expansion.graph
    actors = [times.get(actor.name, actor.times[0]) for actor in expansion.sdf.actors]
    time = np.array(actors, np.int64)[expansion.actor[old.source]]
    found = maximum_cycle_ratio(TimedGraph(old.size, old.source, old.target, time, old.tokens))
    return found.ratio if found else Fraction(0)
