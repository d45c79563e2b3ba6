"""How long firings and transports take on a machine: the hardware model's formulas, for expected and worst load."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from snnir.dialects.cluster_attributes import Slice
from snnir.dialects.cluster_routes import Destination, Route, Router
from snnir.dialects.platform import Machine
from snnir.dialects.ways import floor_of, router_of
from snnir.partition.floor import Floor
from snnir.partition.floor import links_of as links_between
from snnir.schedule.links import Links, Way

Link = tuple[Literal["inject", "eject", "between", "host in", "host out"], Router, Router]
"""A link of the network between tiles; both routers are the same except for `between`."""
Ways = dict[Destination, list[Link]]
"""The links of one flow on the way to each of its destinations, in order; ways of a tree begin alike."""


def firing_time(machine: Machine, part: Slice, events: Fraction | int, spikes: Fraction | int) -> Fraction:
    """Time units for one firing of a slice that takes `events` spikes in and emits `spikes`.

    event * in + reads * (read + convert * ceil(columns / columns_per_adc)) + add * neurons * partial sums, and for
    neurons update * neurons + spike * out; with the columns as they are built.
    """
    time = machine.time
    columns = part.columns * machine.crossbar.columns_per_weight
    read = time.read + time.convert * -(-columns // time.columns_per_adc)
    total = part.reads * read + time.event * Fraction(events) + time.add * part.size * part.adds
    if not part.is_partial:
        total += time.update * part.size + time.spike * Fraction(spikes)
    return total


def ways_of(floor: Floor, start: Router, route: Route, *, from_host: bool) -> Ways:
    """The links that a flow crosses to each destination: into the network, from router to router, out of it."""
    first: Link = ("host in" if from_host else "inject", start, start)
    found: Ways = {}
    for end in route.ends:
        path = floor.path(start, router_of(end, floor))
        last: Link = ("host out" if end == "host" else "eject", path[-1], path[-1])
        found[end] = [first, *(("between", a, b) for a, b in links_between(path)), last]
    return found


def links_of(machine: Machine, flows: Sequence[Ways], flits: Sequence[int]) -> Links:
    """The links that flows cross, in the order in which they are met; the ways of the flows one after the other."""
    numbers: dict[Link, int] = {}
    ways: list[Way] = []
    for flow, each in enumerate(flows):
        for way in each.values():
            ways.append(Way(flow, tuple(numbers.setdefault(link, len(numbers)) for link in way)))
    floor = floor_of(machine)
    times = [_times(machine, floor, link) for link in numbers]
    return Links([flit for flit, _ in times], [hop for _, hop in times], flits, ways)


def _times(machine: Machine, floor: Floor, link: Link) -> tuple[int, int]:
    """For how long a flit occupies a link, and how much later it is at the next router."""
    settings, (kind, a, b) = machine.link, link
    if kind != "between":
        return settings.flit, 0
    hop = settings.hop_x if a[1] == b[1] and not floor.is_tree else settings.hop_y
    if floor.crosses(a, b):
        return settings.chip_flit or settings.flit, settings.chip_hop or hop
    return settings.flit, hop
