"""What a bound application guarantees, from a max-plus graph of its firings and its ways; docs/guarantee.md.

A node for each actor and one for the serialisation of each way. `send` of a way is a node of its own, `carry` lies on
the edges out of it. Edges: tokens, space, the orders of the crossbars. Rates are 1.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.maxplus.cycle_ratio import CycleRatios
from snnir.maxplus.graph import frozen
from snnir.runtime.bound import Bound
from snnir.runtime.kernels import assemble, execute, settle, time_edges, weigh

Integers = NDArray[np.int64]
_LARGEST = 1 << 60


@dataclass(frozen=True, eq=False)
class Graph:
    """The firings of a bound application. Nodes are numbered so that edges without tokens lead to greater ones; edges
    are sorted by their tail.
    """

    bound: Bound
    node: Integers
    """The node of each actor, then of each way."""
    owner: Integers
    """The other way round."""
    begin: Integers
    """The first edge out of each node, and the number of edges, (nodes + 1,)."""
    tail: Integers
    head: Integers
    tokens: Integers

    @staticmethod
    def of(bound: Bound) -> "Graph":
        """The graph of a bound application."""
        application = bound.application
        actors, channels = application.actors, application.channels
        size = len(actors.worst) + len(bound.source)
        # a way has an edge to it and one to itself, a channel one and one for its space
        count = 2 * (len(bound.source) + len(bound.way)) + int(np.count_nonzero(application.following[0] >= 0))
        nodes = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size + 1, np.int64)
        edges = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
        assemble(
            application.in_order,
            actors.lag,
            (channels.source, channels.target, channels.delay, channels.capacity),
            application.leaving,
            application.entering,
            application.following,
            bound.way,
            bound.uses,
            np.searchsorted(bound.source, np.arange(len(actors.worst) + 1)),
            nodes,
            edges,
        )
        return Graph(bound, *nodes, *frozen(*edges))

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.node)

    def times(self, send: Integers, carry: Integers) -> Integers:
        """The time of each edge: what an actor takes at worst, and a way."""
        found = np.empty_like(self.tail)
        time_edges(self.begin, self.owner, self.bound.application.actors.worst, send, carry, found)
        return found

    @cached_property
    def lag(self) -> Integers:
        """The lag of each node; a way has that of its actor."""
        lag = self.bound.application.actors.lag
        return np.concatenate([lag, lag[self.bound.source]])[self.owner]

    @cached_property
    def ratios(self) -> CycleRatios:
        """Maximum cycle ratios of this graph."""
        return CycleRatios(self.size, self.tail, self.head, self.tokens)


@dataclass(frozen=True)
class Cycle:
    """The period of a graph, and what stands on a cycle that attains it."""

    period: Fraction
    edges: tuple[int, ...]

    def ratio(self, graph: Graph, times: Integers) -> Fraction:
        """The ratio of this cycle with other times of the edges, which is no more than the period with them."""
        edges = np.array(self.edges, np.int64)
        return Fraction(sum(times[edges].tolist()), sum(graph.tokens[edges].tolist()) or 1)


def cycle(graph: Graph, times: Integers, enough: Fraction | int | None = None) -> Cycle:
    """The maximum cycle ratio with the times of the edges, or any ratio of at least `enough`. Raises `Deadlock`."""
    found = graph.ratios.maximum(times, enough)
    return Cycle(Fraction(0), ()) if found is None else Cycle(found.ratio, found.cycle)


def starts(graph: Graph, times: Integers, period: int, rounds: int) -> Integers | None:
    """Least s >= -lag * period with s(head) >= s(tail) + time - period * tokens, (nodes,).

    Firing k of a node, of step k - lag, starts at s + k * period at the latest: what it waits for does so, or was there
    at time 0. None when none are found in so many rounds: the period is too short for the graph, or nearly so.
    """
    weight = np.empty_like(times)
    if weigh(times, graph.tokens, period, weight) * graph.size > _LARGEST:
        raise SnnirError(graph.bound.application.name, "its times are too long to analyse", "use a larger unit of time")
    value = -period * graph.lag
    return value if settle(graph.begin, graph.head, weight, value, rounds) else None


def latency(graph: Graph, start: Integers, period: int) -> int:
    """By when step 0 has arrived: the latest start of an output, with `starts`."""
    outputs = graph.node[np.flatnonzero(graph.bound.application.actors.flits == 0)]
    return int((start[outputs] + graph.lag[outputs] * period).max(initial=0))


def self_timed(graph: Graph, times: Integers, steps: int) -> Integers:
    """When firing k of each node starts in self-timed execution, (steps, nodes); 0 for those of no step."""
    found = np.zeros((steps, graph.size), np.int64)
    execute(graph.begin, graph.head, times, graph.tokens, graph.lag, found)
    return found


def names(graph: Graph, edges: tuple[int, ...]) -> list[str]:
    """What stands on a cycle: actors, and the links that slow a way down most."""
    application = graph.bound.application
    found: list[str] = []
    actors = len(application.names)
    tails: list[int] = graph.owner[graph.tail[np.array(edges, np.int64)]].tolist()
    for number in tails:
        if number < actors:
            found.append(application.names[number])
        else:
            way = number - actors
            first, last = graph.bound.ways.begin[way : way + 2].tolist()
            links = graph.bound.ways.links[first:last]
            busiest = int(links[graph.bound.flows[links].argmax()])
            found.append(f"{application.names[int(graph.bound.source[way])]} over {graph.bound.floor.name(busiest)}")
    return found
