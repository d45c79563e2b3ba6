"""The graphs in a `.nir` file: nodes with their fields, edges as they are listed, graphs inside graphs.

The package `nir` writes `/node/nodes/<name>/<field>` and `/node/edges`; a nested graph is a node with nodes and edges
of its own; a `/` in a name makes HDF5 nest groups, which is undone here. Places leave out the leading `/node`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from snnir.frontend.hdf5 import Array, FileError, Group, Place, opened, shown
from snnir.frontend.names import unique
from snnir.frontend.network import text_of
from snnir.frontend.nir.fields import FIELDS, Node, read_node
from snnir.frontend.nir.lints import Findings

GRAPH = "NIRGraph"
NODE_LIMIT = 100_000
"""A file that seems to have more nodes than this is refused."""

_AGAIN = "export the file again"


@dataclass(frozen=True)
class Edge:
    """An edge as it is listed."""

    source: str
    target: str
    place: Place


@dataclass
class Graph:
    """A graph: its own nodes and nested graphs by their names in it, and its edges."""

    place: Place
    prefix: str
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    graphs: dict[str, Graph] = field(default_factory=dict[str, "Graph"])
    edges: list[Edge] = field(default_factory=list[Edge])

    @property
    def inner(self) -> bool:
        """Whether it is nested."""
        return bool(self.prefix)

    def all(self) -> Iterator[Graph]:
        """This graph and those inside it, outer ones first."""
        waiting: list[Graph] = [self]
        while waiting:
            graph = waiting.pop()
            yield graph
            waiting.extend(graph.graphs[name] for name in sorted(graph.graphs, reverse=True))


def read_file(path: Path | str, findings: Findings) -> Graph | None:
    """The outermost graph of a `.nir` file; `None` when there is none, which is a finding."""
    try:
        with opened(path) as root:
            return _Reader(findings).file(root)
    except FileError as error:
        findings.file(error)
        return None


class _Reader:
    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.names: set[str] = set()
        self.seen: dict[int, Place] = {}

    def file(self, root: Group) -> Graph | None:
        """The graph that the file holds."""
        place, missing = root.place, "missing-part"
        top = root.child("node", place)
        if not isinstance(top, Group):
            held = ", ".join(map(shown, root.names[:8])) or "nothing"
            what = f"this is not a NIR file: it holds {held}, but no 'node'"
            self.findings.defect(missing, place, what, "name a .nir file")
            return None
        kind = self.kind(top)
        if kind != GRAPH:
            if kind is not None:
                what = f"the file holds a single {kind} node, not a graph"
                self.findings.defect(missing, place, what, "export a NIRGraph")
            return None
        graph = Graph(place, "")
        waiting = [(graph, top)]
        while waiting:
            waiting.extend(self.graph(*waiting.pop()))
        return graph

    def graph(self, graph: Graph, group: Group) -> list[tuple[Graph, Group]]:
        """Read the nodes and edges of a graph; returns the graphs inside it, still unread."""
        inside: list[tuple[Graph, Group]] = []
        for name in group.names:
            if name not in ("nodes", "edges", "type", "metadata") and isinstance(group.child(name), Array):
                hint = "a NIRGraph has the fields nodes, edges"
                what = f"unknown field '{shown(name)}' of a NIRGraph"
                self.findings.defect("unknown-field", graph.place.inside(name), what, hint)
        nodes = group.child("nodes", graph.place.inside("nodes"))
        if isinstance(nodes, Group):
            for name, member in self.members(nodes):
                nested = self.member(graph, name, member)
                if nested is not None:
                    inside.append((nested, member))
        else:
            where = graph.place.inside("nodes")
            self.findings.defect("missing-part", where, "'nodes' is missing or not a group", _AGAIN)
        self.edges(graph, group.child("edges", graph.place.inside("edges")))
        return inside

    def members(self, group: Group) -> Iterator[tuple[str, Group]]:
        """The nodes below a group of nodes: a group without a type is the first part of a name that has a `/`."""
        waiting = [(name, group, name) for name in reversed(group.names)]
        while waiting:
            member, parent, name = waiting.pop()
            found = parent.child(member)
            if not isinstance(found, Group):
                if parent is group:
                    where = parent.place.inside(member)
                    self.findings.defect("missing-part", where, f"'{shown(member)}' is not a group, so no node", _AGAIN)
                continue
            if found.address in self.seen:
                what = f"this is the same part of the file as {self.seen[found.address].path}"
                raise FileError(found.place, "elsewhere", what, "store every node once")
            if len(self.seen) >= NODE_LIMIT:
                raise FileError(found.place, "damaged", f"more than {NODE_LIMIT} nodes", _AGAIN)
            self.seen[found.address] = found.place
            is_node = "type" in found.names
            reserved = ("metadata", "nodes") if is_node else ()
            below = [each for each in found.names if each not in reserved]
            below = [each for each in below if isinstance(found.child(each), Group)]
            waiting.extend((each, found, f"{name}/{each}") for each in reversed(below))
            if is_node or not below:
                yield name, found

    def member(self, graph: Graph, name: str, group: Group) -> Graph | None:
        """Read a node into its graph, or return the graph that it is."""
        kind = self.kind(group)
        full = unique(graph.prefix + name, self.names)
        self.names.add(full)
        if kind == GRAPH:
            graph.graphs[name] = Graph(group.place, f"{full}.")
            return graph.graphs[name]
        if kind is not None and kind not in FIELDS:
            hint = f"NIR 1.0.8 has {', '.join((*FIELDS, GRAPH))}"
            what = f"{kind or 'nameless'} is no node type of NIR 1.0.8"
            self.findings.defect("unknown-node", group.place, what, hint)
            kind = None
        node = Node(full, kind or "unknown", group.place, graph.inner)
        graph.nodes[name] = node
        if kind is None:
            node.broken = True
        else:
            read_node(node, group, self.findings)
        return None

    def kind(self, group: Group) -> str | None:
        """The name of a node's primitive; `None`, with a finding, when it has none."""
        found = group.child("type")
        if not isinstance(found, Array):
            self.findings.defect("missing-part", group.place, "this node has no type", _AGAIN)
            return None
        text = found.texts()
        if text.size != 1:
            self.findings.defect("wrong-type", found.place, "the type of a node is one word", _AGAIN)
            return None
        return shown(str(text.flat[0]))

    def edges(self, graph: Graph, found: Group | Array | None) -> None:
        """Read the edges of a graph as they are listed."""
        place = graph.place.inside("edges")
        if not isinstance(found, Array):
            self.findings.defect("missing-part", place, "the list of edges is missing", _AGAIN)
            return
        if not found.read().size:
            return
        array = found.texts()
        if array.ndim != 2 or array.shape[1] != 2:
            what = f"edges are pairs of names, not {text_of(array.shape)}"
            self.findings.defect("wrong-type", place, what, _AGAIN)
            return
        for number, (source, target) in enumerate(array.tolist()):
            where = Place(place.file, f"{place.path}[{number}]")
            graph.edges.append(Edge(_clean(source), _clean(target), where))


def _clean(name: str) -> str:
    """A name as HDF5 keeps it: without empty parts and single dots between its slashes."""
    return "/".join(part for part in name.split("/") if part not in ("", ".")) if "/" in name else name
