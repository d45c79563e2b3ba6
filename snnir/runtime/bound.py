"""An application bound to tiles: which ways its tokens take, and which links they share."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snnir.runtime.application import Application
from snnir.runtime.floor import HOST, Floor, Ways
from snnir.runtime.kernels import count_flows, cross, find_ways, reach_host, use

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bound:
    """An application with a crossbar for each cluster.

    `ways`: the links of each way, one from each actor to each other tile that reads it. `source[w]`: the actor whose
    tokens take way w; `flow[w]`: the flow that it belongs to (all ways of an actor, where routers copy flits); ways are
    sorted by actor. `way[c]`: the way of channel c; -1 where both ends are on one tile.
    """

    application: Application
    floor: Floor
    crossbars: Integers
    ways: Ways
    source: Integers
    flow: Integers
    way: Integers

    @cached_property
    def flits(self) -> Integers:
        """Flits of a token on each way, at most."""
        return self.application.actors.flits[self.source]

    @cached_property
    def flows(self) -> Integers:
        """The flows on each link, (links,)."""
        counts = np.zeros(self.floor.links, np.int64)
        count_flows(self.ways.begin, self.ways.links, self.flow, counts)
        return counts

    @cached_property
    def hosted(self) -> NDArray[np.bool_]:
        """Which links lie on ways to or from the host, (links,)."""
        found = np.zeros(self.floor.links, np.bool_)
        found[2 * self.floor.tiles : 2 * self.floor.tiles + 2] = True
        reach_host(self.ways.begin, self.ways.links, 2 * self.floor.tiles, found)
        return found

    @cached_property
    def crossing(self) -> tuple[Integers, Integers]:
        """The ways on each link: those of link l are the second array from the first's l to its l + 1."""
        return cross(self.ways.begin, self.ways.links, self.floor.links)

    @cached_property
    def uses(self) -> tuple[Integers, Integers]:
        """The channels that each way serves: (begin, channels), those of way w from begin[w] to begin[w + 1]."""
        return use(self.application.leaving[1], self.way, len(self.source))


def bound(application: Application, floor: Floor, crossbars: Integers, per_tile: int, *, multicast: bool) -> Bound:
    """`application` with cluster c on crossbar `crossbars[c]`, of `per_tile` on each tile."""
    place = np.append(crossbars // per_tile, HOST)[application.actors.cluster]
    way = np.empty(len(application.channels.source), np.int64)
    source, end = find_ways(*application.leaving, application.channels.target, place, floor.tiles, way)
    ways = floor.ways(place[source], end)
    flow = source if multicast else np.arange(len(source))
    return Bound(application, floor, crossbars, ways, source, flow, way)
