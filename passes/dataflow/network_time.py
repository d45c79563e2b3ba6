"""How long firings and transports take on a machine: the hardware model's formulas, for expected and worst load."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from snnir.dialects.cluster_attributes import Slice
from snnir.dialects.cluster_routes import Destination, Route, Router
from snnir.dialects.platform import Machine
from snnir.dialects.ways import floor_of, router_of
from snnir.partition.floor import Floor, links_of

Link = tuple[Literal["inject", "eject", "between", "host in", "host out"], Router, Router]
"""A link of the network between tiles; both routers are the same except for `between`."""
Ways = dict[Destination, list[Link]]
"""The links of one flow on the way to each of its destinations, in order; ways of a tree begin alike."""


def firing_time(machine: Machine, part: Slice, events: Fraction | int, spikes: Fraction | int) -> Fraction:
    """Time units for one firing of a slice that takes `events` spikes in and emits `spikes`.

    event * in + reads * (read + convert * ceil(columns / columns_per_adc)) + add * neurons * partial sums, and for
    neurons update * neurons + spike * out.
    """
    time = machine.time
    read = time.read + time.convert * -(-part.columns // time.columns_per_adc)
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
        found[end] = [first, *(("between", a, b) for a, b in links_of(path)), last]
    return found


@dataclass(frozen=True)
class Transport:
    """A flow as two actors: tokens are serialised on the slowest link, then travel the rest of their way."""

    send: Fraction
    carry: int


class Contention:
    """What each flow gets of the links that it shares.

    A link with k flows serves them round-robin, one flit at a time: a flit that has waited for its flow's previous one
    leaves at most k flit times later, whatever the others do. So each link is a server that takes c = k * flit per
    flit, and n flits that start together have left the last link after n * max(c) + sum(c + hop) - max(c).

    A flow with several destinations is one of the k on each link of its tree. Where its ways part, each goes on with
    copies of the flits at the times at which they arrived; ways do not wait for each other, and so the bound holds for
    each way as for a flow with that destination alone.
    """

    def __init__(self, machine: Machine, flows: Iterable[Ways]) -> None:
        self._machine = machine
        self._floor = floor_of(machine)
        counts = Counter(link for ways in flows for link in {link for way in ways.values() for link in way})
        times = {link: self._times(link) for link in counts}
        self._alone = {link: flit for link, (flit, _) in times.items()}
        """For how long a flit occupies each link that is in use."""
        self._shared = {link: flit * counts[link] for link, flit in self._alone.items()}
        """The same, with one flit of each other flow before it."""
        self._hops = {link: hop for link, (_, hop) in times.items()}

    def worst(self, links: list[Link], flits: int) -> Transport:
        """With every other flow on the way always waiting."""
        return self._transport(links, Fraction(flits), self._shared)

    def alone(self, links: list[Link], flits: Fraction) -> Transport:
        """With no other flow on the way."""
        return self._transport(links, flits, self._alone)

    def _transport(self, links: list[Link], flits: Fraction, times: Mapping[Link, int]) -> Transport:
        service = [times[link] for link in links]
        slowest = max(service)
        return Transport(flits * slowest, sum(service) - slowest + sum([self._hops[link] for link in links]))

    def _times(self, link: Link) -> tuple[int, int]:
        """For how long a flit occupies a link, and how much later it is at the next router."""
        settings, (kind, a, b) = self._machine.link, link
        if kind != "between":
            return settings.flit, 0
        hop = settings.hop_x if a[1] == b[1] and not self._floor.is_tree else settings.hop_y
        if self._floor.crosses(a, b):
            return settings.chip_flit or settings.flit, settings.chip_hop or hop
        return settings.flit, hop
