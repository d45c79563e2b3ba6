"""The nesting and the edges of the `.nir` file that a network came from, restored while they still say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from snnir.export.nir.graph import Graph, Node
from snnir.frontend.network import Shape
from snnir.frontend.nir.mirror import Stored, StoredGraph

_ENDS = ("Input", "Output")
Way = tuple[str, bool]
"""Where a signal comes from, and whether its dimensions are merged on the way."""


def flat_graph(nodes: Mapping[str, Node], edges: Iterable[tuple[str, str]]) -> Graph:
    """One graph without nesting."""
    return Graph(dict(nodes), {}, list(edges))


def restored(stored: StoredGraph, nodes: Mapping[str, Node], edges: Iterable[tuple[str, str]]) -> Graph | None:
    """The graph with the nesting, the edges and the Flattens of the file; `None` when it would not be the same network.

    Nodes of nested graphs that only pass a signal on are in the file alone, and so are Flattens that merge nothing or
    that the IR has once where the file has them twice.
    """
    try:
        return _Structure(stored, nodes, list(edges)).graph()
    except _ChangedError:
        return None


class _ChangedError(Exception):
    """The network is no longer what the file says."""


@dataclass
class _Graph:
    """Who feeds whom, by path, and which nodes only pass their signal on."""

    into: dict[str, list[str]]
    passing: set[str]
    flattens: set[str]

    def ways(self, path: str, ranks: Mapping[str, int]) -> list[Way]:
        """Where the signals that enter a node come from."""
        found: list[Way] = []
        waiting = [(each, False, frozenset[str]()) for each in self.into.get(path, ())]
        while waiting:
            each, merged, before = waiting.pop()
            if each in before:
                raise _ChangedError
            if each in self.passing:
                flat = merged or each in self.flattens
                waiting += [(source, flat, before | {each}) for source in self.into.get(each, ())]
            else:
                found.append((each, merged and ranks.get(each, 1) > 1))
        return sorted(found)


class _Structure:
    def __init__(self, stored: StoredGraph, nodes: Mapping[str, Node], edges: list[tuple[str, str]]) -> None:
        self.stored = stored
        self.carried = {node.path: node for node in nodes.values() if node.path}
        self.all = {node.path: node for graph in stored.all() for node in graph.nodes.values()}
        self.own = self.derived(nodes, edges)
        self.file = self.mirrored()

    def derived(self, nodes: Mapping[str, Node], edges: list[tuple[str, str]]) -> _Graph:
        """The graph that the IR became."""
        names = {node.name: node.path or f" {node.name}" for node in nodes.values()}
        into: dict[str, list[str]] = defaultdict(list)
        for source, target in edges:
            into[names[target]].append(names[source])
        flattens = {names[node.name] for node in nodes.values() if node.kind == "Flatten"}
        if any(not node.path and node.kind != "Flatten" for node in nodes.values()):
            raise _ChangedError
        return _Graph(into, flattens, flattens)

    def mirrored(self) -> _Graph:
        """The graph of the file."""
        into: dict[str, list[str]] = defaultdict(list)
        for graph in self.stored.all():
            for source, target in graph.edges:
                for end in _ends(graph, target, "Input"):
                    into[end] += _ends(graph, source, "Output")
        flattens = {path for path, node in self.all.items() if node.kind == "Flatten"}
        passing = {path for path in self.all if path in flattens or path not in self.carried}
        for path in passing - flattens:
            node = self.all[path]
            delay = node.tensor("delay")
            if not (node.kind in _ENDS and len(node.names) > 1) and (delay is None or delay.any()):
                raise _ChangedError
        return _Graph(into, passing, flattens)

    def graph(self) -> Graph:
        """The whole graph, where both say the same."""
        ranks = {path: len(node.shape) for path, node in self.carried.items()}
        for path, node in self.carried.items():
            if self.all[path].kind != node.kind:
                raise _ChangedError
            if node.kind != "Flatten" and self.own.ways(path, ranks) != self.file.ways(path, ranks):
                raise _ChangedError
        return self.restore(self.stored)

    def restore(self, stored: StoredGraph) -> Graph:
        """A graph with its members."""
        nodes: dict[str, Node] = {}
        for name, member in stored.nodes.items():
            own = self.carried.get(member.path)
            nodes[name] = self.passing(name, member) if own is None else replace(own, name=name)
        graphs = {name: self.restore(inner) for name, inner in stored.graphs.items()}
        return Graph(nodes, graphs, list(stored.edges), stored.metadata)

    def passing(self, name: str, member: Stored) -> Node:
        """A node that only the file has."""
        shape = self.shape(member.path)
        node = Node(name, member.kind, {}, shape, member.path, None, member.metadata)
        if member.kind in _ENDS:
            node.fields["shape"] = np.array(shape, member.dtype("shape"))
        elif member.kind == "Delay":
            delay = member.tensor("delay")
            assert delay is not None
            node.fields["delay"] = delay
        else:
            for each in ("start_dim", "end_dim", "input_type"):
                values = member.counts(each)
                if values is not None:
                    node.fields[each] = values
            given = member.counts("input_type")
            if not {"start_dim", "end_dim"} <= set(node.fields) or (given is not None and tuple(given) != shape):
                raise _ChangedError
        return node

    def shape(self, path: str) -> Shape:
        """The shape of the signal that enters a node which only passes it on."""
        seen = {path}
        while True:
            sources = self.file.into.get(path)
            if not sources:
                raise _ChangedError
            path = sources[0]
            if path in self.carried:
                return self.carried[path].shape
            if path in seen or path in self.file.flattens:
                raise _ChangedError
            seen.add(path)


def _ends(graph: StoredGraph, name: str, kind: str) -> list[str]:
    """The nodes that an end of an edge means: a node, the Inputs or Outputs of a nested graph, or one of them."""
    if name in graph.nodes:
        return [graph.nodes[name].path]
    if name in graph.graphs:
        return [node.path for node in graph.graphs[name].nodes.values() if node.kind == kind]
    for inner_name, inner in graph.graphs.items():
        for separator in "./":
            rest = name.removeprefix(inner_name + separator)
            if rest != name and rest in inner.nodes and inner.nodes[rest].kind in _ENDS:
                return [inner.nodes[rest].path]
    raise _ChangedError
