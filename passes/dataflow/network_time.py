"""How long firings and transports take on a machine: the hardware model's formulas, for expected and worst load."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from snnir.dialects.cluster_attributes import Router, Slice
from snnir.dialects.platform import Machine

Link = tuple[Literal["inject", "eject", "mesh", "host in", "host out"], Router, Router]
"""A link of the network between tiles; both routers are the same except for `mesh`."""


def firing_time(machine: Machine, part: Slice, events: Fraction | int, spikes: Fraction | int) -> Fraction:
    """Time units for one firing of a slice that takes `events` spikes in and emits `spikes`.

    read + event * in + convert * ceil(columns / columns_per_adc) + add * columns * partial sums, and for neurons
    update * columns + spike * out.
    """
    time, columns = machine.time, part.size
    total = time.read + time.event * Fraction(events) + time.convert * -(-columns // time.columns_per_adc)
    total += time.add * columns * part.adds
    if not part.is_partial:
        total += time.update * columns + time.spike * Fraction(spikes)
    return total


def links_of(path: tuple[Router, ...], *, from_host: bool, to_host: bool) -> list[Link]:
    """The links that a flow crosses: into the network, from router to router, out of it."""
    start, end = path[0], path[-1]
    first: Link = ("host in" if from_host else "inject", start, start)
    last: Link = ("host out" if to_host else "eject", end, end)
    return [first, *(("mesh", a, b) for a, b in pairwise(path)), last]


def hop_time(machine: Machine, link: Link) -> int:
    """Time that a flit needs after it has left a link's queue, until it is at the next router."""
    kind, a, b = link
    if kind != "mesh":
        return 0
    return machine.link.hop_x if a[1] == b[1] else machine.link.hop_y


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
    """

    def __init__(self, machine: Machine, flows: Iterable[list[Link]]) -> None:
        self._machine = machine
        self._flows = Counter(link for links in flows for link in links)

    def worst(self, links: list[Link], flits: int) -> Transport:
        """With every other flow on the way always waiting."""
        service = [self._flows[link] * self._machine.link.flit for link in links]
        return self._transport(links, service, Fraction(flits))

    def alone(self, links: list[Link], flits: Fraction) -> Transport:
        """With no other flow on the way."""
        return self._transport(links, [self._machine.link.flit] * len(links), flits)

    def _transport(self, links: list[Link], service: list[int], flits: Fraction) -> Transport:
        hops = sum(hop_time(self._machine, link) for link in links)
        return Transport(flits * max(service), sum(service) - max(service) + hops)
