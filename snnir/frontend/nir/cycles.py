"""Where a NIR graph waits a step: NIR states no delays, so each cycle needs one, and some platforms delay everything.

A cycle is opened at the edge that leads back into it, depth first from the Inputs, then from the populations, in the
order of names. The delay then moves up to where the signal leaves its population, as long as nothing outside the cycle
is delayed with it: spikes wait, and a bias on the way does not. With `late_bias` it stays behind the weights.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

Edges = Mapping[str, Sequence[str]]
"""Node -> the nodes that it reads."""


def readers_of(into: Edges) -> dict[str, list[str]]:
    """Node -> the nodes that read it."""
    out: dict[str, list[str]] = {name: [] for name in into}
    for target in sorted(into):
        for source in into[target]:
            out[source].append(target)
    return out


def closing_edges(into: Edges, roots: Sequence[str], late: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """The edges that close a cycle, in the order of names. What leaves a `late` node arrives a step later anyway."""
    out = readers_of(into)
    found: set[tuple[str, str]] = set()
    opened: set[str] = set()
    closed: set[str] = set()
    for root in (*roots, *sorted(into)):
        if root in closed:
            continue
        opened.add(root)
        stack = [(root, iter(() if root in late else out[root]))]
        while stack:
            node, following = stack[-1]
            for each in following:
                if each in opened:
                    found.add((node, each))
                elif each not in closed:
                    opened.add(each)
                    stack.append((each, iter(() if each in late else out[each])))
                    break
            else:
                stack.pop()
                opened.discard(node)
                closed.add(node)
    return sorted(found)


def layers(into: Edges, closing: Sequence[tuple[str, str]], populations: frozenset[str]) -> dict[str, int]:
    """The most populations on a way to each node, over edges that close no cycle."""
    cut = set(closing)
    out = readers_of(into)
    waiting = {name: sum((source, name) not in cut for source in sources) for name, sources in into.items()}
    result = dict.fromkeys(into, 0)
    ready = [name for name in sorted(into) if not waiting[name]]
    while ready:
        name = ready.pop()
        result[name] += name in populations
        for target in out[name]:
            if (name, target) not in cut:
                result[target] = max(result[target], result[name])
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
    return result


def without_sources(into: Edges, sources: Collection[str]) -> list[tuple[str, str]]:
    """An edge of each cycle in which there is no Input and no population."""
    inner = {name: [each for each in before if each not in sources] for name, before in into.items()}
    return closing_edges({name: before for name, before in inner.items() if name not in sources}, [])


@dataclass
class Delays:
    """What waits: the sources of a projection (`nodes`), what runs along an edge, and edges that get a late twin.

    A twin is a second copy of a projection that only its edge reads: its other readers must not wait.
    """

    nodes: dict[str, int] = field(default_factory=dict[str, int])
    edges: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    twins: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


@dataclass(frozen=True)
class Graph:
    """What has to be known of the nodes: who reads whom, and which are projections, with a bias or without."""

    into: Edges
    sources: frozenset[str]
    """Inputs and populations."""
    projections: frozenset[str]
    biased: frozenset[str]


def open_cycles(graph: Graph, closing: Sequence[tuple[str, str]], late: frozenset[str], late_bias: bool) -> Delays:
    """One step of delay for every cycle that `closing` closes."""
    delays = Delays()
    for source, target in closing:
        _Opening(graph, late, late_bias, delays, target).at(source, target)
    return delays


class _Opening:
    """The way of one delay up its cycle."""

    def __init__(self, graph: Graph, late: frozenset[str], late_bias: bool, delays: Delays, start: str) -> None:
        self.graph, self.late_bias, self.delays = graph, late_bias, delays
        self.out = readers_of(graph.into)
        self.inside = self.reachable(start, late)
        self.seen: set[str] = set()

    def reachable(self, start: str, late: frozenset[str]) -> set[str]:
        """Everything behind a node within one step: what of it leads back is part of the cycle."""
        seen, waiting = {start}, [start]
        while waiting:
            node = waiting.pop()
            fresh = [each for each in self.out[node] if each not in seen] if node not in late else []
            seen.update(fresh)
            waiting.extend(fresh)
        return seen

    def at(self, source: str, target: str) -> None:
        """Put the delay on an edge of the cycle, or further up."""
        into = self.graph.into[source]
        if source in self.graph.sources or source in self.seen:
            self.edge(source, target)
            return
        self.seen.add(source)
        inner = [each for each in into if each in self.inside]
        if len(inner) < len(into):
            for each in inner:
                self.at(each, source)
        elif self.late_bias:
            self.edge(source, target)
        elif len(self.out[source]) > 1:
            twin = source in self.graph.biased
            (self.delays.twins if twin else self.delays.edges)[source, target] = 1
        elif source in self.graph.projections and all(each in self.graph.sources for each in into):
            self.delays.nodes[source] = 1
        else:
            for each in inner:
                self.at(each, source)

    def edge(self, source: str, target: str) -> None:
        """Delay what runs along an edge; into a projection that reads nothing else, its sources."""
        alone = len(self.graph.into[target]) == 1 and target in self.graph.projections and not self.late_bias
        if alone and source in self.graph.sources:
            self.delays.nodes[target] = 1
        else:
            self.delays.edges[source, target] = 1


def delay_connections(
    graph: Graph, closing: Sequence[tuple[str, str]], stated: frozenset[str], steps: int, outputs: frozenset[str]
) -> Delays:
    """`steps` of delay for every connection from an Input or a population to a population, once on each way.

    Projections delay their sources; a way without one is delayed at its end. `stated` are nodes that delay by what the
    file says.
    """
    delays, cut = Delays(), set(closing)
    prompt = dict.fromkeys(graph.sources, True)
    order = _order(graph, cut)
    for name in order:
        sources = [each for each in graph.into[name] if (each, name) not in cut or each in graph.sources]
        fresh = [each for each in sources if prompt.get(each, False)]
        if name in outputs:
            continue
        is_end = name in graph.sources
        if not is_end and len(fresh) == len(sources) and fresh and name not in graph.projections | stated:
            prompt[name] = True
        elif not is_end and name in graph.projections and fresh and len(fresh) == len(graph.into[name]):
            delays.nodes[name] = steps
        elif name not in stated:
            delays.edges.update({(each, name): steps for each in fresh})
    return delays


def _order(graph: Graph, cut: set[tuple[str, str]]) -> list[str]:
    """All nodes, transforms behind what they read."""
    done: dict[str, None] = {}
    for root in sorted(graph.into):
        stack = [root]
        while stack:
            name = stack[-1]
            before = [
                each
                for each in graph.into[name]
                if each not in done and each not in graph.sources and (each, name) not in cut
            ]
            if name in done or not before:
                done.setdefault(stack.pop())
            else:
                stack.append(before[0])
    return list(done)
