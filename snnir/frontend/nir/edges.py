"""From graphs inside graphs to one flat graph: which node an edge means, and which nodes nothing reaches.

An edge to a nested graph leads to its Input, an edge from it comes from its Output; both stay as nodes that pass their
signal on (`is_wire`), because they state a shape. nirtorch wrote flattened graphs whose nested Inputs and Outputs are
still there, as `lif1.input`; they count as such when an edge enters or leaves them the wrong way round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from snnir.frontend.hdf5 import Place
from snnir.frontend.names import suggestion, unique
from snnir.frontend.nir.fields import Node
from snnir.frontend.nir.file import Edge, Graph
from snnir.frontend.nir.lints import Findings


@dataclass
class Flat:
    """All nodes by their unique names, and who is next to whom, sorted by name."""

    place: Place
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    into: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    out: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def is_wire(self, name: str) -> bool:
        """Whether a node is an Input or Output that only passes its signal on."""
        node = self.nodes[name]
        return node.inner and node.kind in ("Input", "Output")

    def connect(self, edges: Iterable[tuple[str, str]]) -> None:
        """Set the edges."""
        into: dict[str, list[str]] = defaultdict(list)
        out: dict[str, list[str]] = defaultdict(list)
        for source, target in sorted(set(edges)):
            into[target].append(source)
            out[source].append(target)
        self.into, self.out = dict(into), dict(out)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The edges."""
        return ((source, target) for source, targets in self.out.items() for target in targets)

    def sources(self, name: str) -> list[str]:
        """The nodes whose sum a node reads, through wires and through Outputs that pass their signal on."""
        found: set[str] = set()
        waiting, seen = list(self.into.get(name, ())), set[str]()
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            if self.is_wire(each) or self.nodes[each].kind == "Output":
                waiting.extend(self.into.get(each, ()))
            else:
                found.add(each)
        return sorted(found)


def flatten(top: Graph, findings: Findings) -> Flat:
    """One graph of all nodes. What is wrong with its edges is a finding.

    With edges or nodes missing, nothing is said about what they leave unconnected.
    """
    flat = Flat(top.place)
    pairs: list[tuple[str, str]] = []
    for graph in top.all():
        flat.nodes.update((node.name, node) for node in graph.nodes.values())
    for graph in top.all():
        if graph.nodes or graph.graphs:
            pairs.extend(_Edges(graph, findings).resolved())
    flat.connect(pairs)
    if findings.has_defects:
        return flat
    _check_ends(flat, findings)
    _check_wires(flat, findings)
    return flat


class _Edges:
    """The edges of one graph."""

    def __init__(self, graph: Graph, findings: Findings) -> None:
        self.graph, self.findings = graph, findings
        self.members = {*graph.nodes, *graph.graphs}
        self.own = {node.name: name for name, node in graph.nodes.items()}
        mentioned = {name for edge in graph.edges for name in (edge.source, edge.target)}
        self.unmentioned = sorted(self.members - mentioned)
        self.unknown = {name for name in mentioned if name not in self.members and self.port(name) is None}

    def resolved(self) -> Iterator[tuple[str, str]]:
        """The edges between unique names."""
        seen: set[tuple[str, str]] = set()
        for edge in self.graph.edges:
            if (edge.source, edge.target) in seen:
                what = f"the edge {edge.source} -> {edge.target} is listed twice"
                self.findings.repairable("duplicate-edge", edge.place, what, "counts it once")
                continue
            seen.add((edge.source, edge.target))
            source, target = self.end(edge, edge.source, False), self.end(edge, edge.target, True)
            if source is not None and target is not None and self.direction(edge, source, target):
                yield source.name, target.name

    def end(self, edge: Edge, name: str, entering: bool) -> Node | None:
        """The node that an end of an edge means."""
        if name in self.graph.nodes:
            return self.graph.nodes[name]
        found = self.port(name)
        if found is not None:
            return found
        if name in self.graph.graphs:
            return self.only_port(edge, name, entering)
        what = f"the edge {edge.source} -> {edge.target} names '{name}', which is no node"
        meant = self.meant(name, entering)
        if meant is None:
            inner = [each for each in sorted(self.members) if each.startswith(f"{name}.")]
            hint = suggestion(name, sorted(self.members), "nodes")
            if inner:
                hint = f"nodes inside '{name}' were meant: {', '.join(inner)}"
            self.findings.unrepaired("dangling-edge", edge.place, what, hint)
            return None
        self.findings.repairable("dangling-edge", edge.place, what, f"takes '{meant}' for it")
        return self.graph.nodes[meant] if meant in self.graph.nodes else self.only_port(edge, meant, entering)

    def port(self, name: str) -> Node | None:
        """The Input or Output of a nested graph that a name like `graph.port` means."""
        for graph_name, graph in self.graph.graphs.items():
            for separator in "./":
                rest = name.removeprefix(graph_name + separator)
                if rest != name and rest in graph.nodes and graph.nodes[rest].kind in ("Input", "Output"):
                    return graph.nodes[rest]
        return None

    def only_port(self, edge: Edge, name: str, entering: bool) -> Node | None:
        """The Input or Output of a nested graph, which must have one only."""
        kind = "Input" if entering else "Output"
        inside = self.graph.graphs[name].nodes
        ports = sorted(each for each, node in inside.items() if node.kind == kind and not node.broken)
        if len(ports) == 1:
            return inside[ports[0]]
        what = f"the edge {edge.source} -> {edge.target} leads {'into' if entering else 'out of'} the graph '{name}'"
        hint = (
            f"name one of them: {', '.join(f'{name}.{port}' for port in ports)}"
            if ports
            else f"give the graph an {kind}"
        )
        self.findings.defect("ports", edge.place, f"{what}, which has {len(ports) or 'no'} {kind}s", hint)
        return None

    def meant(self, name: str, entering: bool) -> str | None:
        """The only node that a name can mean that is none.

        What is left of a nested graph of that name, or the only node that no edge names where only this name is wrong.
        """
        port = f"{name}.{'input' if entering else 'output'}"
        if port in self.graph.nodes:
            return port
        inside = [each for each, node in self.graph.nodes.items() if each.startswith(f"{name}.") and node.is_population]
        if len(inside) == 1:
            return inside[0]
        if not inside and len(self.unmentioned) == 1 and self.unknown == {name}:
            return self.unmentioned[0]
        return None

    def direction(self, edge: Edge, source: Node, target: Node) -> bool:
        """Whether an edge may be kept: Inputs and Outputs of this graph have one side only, unless they are wires."""
        own_input, own_output = self.own.get(target.name), self.own.get(source.name)
        if target.kind == "Input" and own_input is not None and not self.is_remainder(target, own_input):
            what = f"the edge {edge.source} -> {edge.target} enters an Input"
            hint = "turn it round or remove it"
            self.findings.defect("edge-into-input", edge.place, what, hint)
            return False
        if source.kind == "Output" and own_output is not None and not self.is_remainder(source, own_output):
            what = f"the edge {edge.source} -> {edge.target} leaves an Output"
            self.findings.repairable("edge-out-of-output", edge.place, what, "lets it leave what feeds the Output")
        return True

    def is_remainder(self, node: Node, name: str) -> bool:
        """Whether an Input or Output is left of a graph that was flattened; it becomes a wire then."""
        head, dot, _ = name.rpartition(".")
        if dot and any(each != name and each.startswith(f"{head}.") for each in self.graph.nodes):
            if not node.inner:
                self.findings.notes.add(node.place, "this is left of a nested graph; it passes its signal on")
            node.inner = True
        return node.inner and bool(dot)


def _check_ends(flat: Flat, findings: Findings) -> None:
    """Find nodes without edges, without inputs, and without readers, and mend the graph."""
    pairs = list(flat.pairs())
    if not any(node.kind == "Output" and not node.inner for node in flat.nodes.values()):
        findings.notes.add(flat.place, "the graph has no Output: only recordings of its populations show what it does")
    for name in sorted(flat.nodes):
        node, fed, read = flat.nodes[name], name in flat.into, name in flat.out
        if not fed and not read:
            findings.repairable("unconnected", node.place, f"this {node.kind} has no edges", "leaves it out")
            del flat.nodes[name]
        elif not fed and node.kind == "Output":
            findings.unrepaired("unfed", node.place, "nothing feeds this Output", "add an edge to it")
        elif not fed and node.kind == "Input":
            if node.inner:
                repair = "makes it an Input of the whole network"
                what = "nothing feeds this Input of a nested graph"
                findings.repairable("unfed", node.place, what, repair)
                node.inner = False
        elif not fed and node.is_population:
            findings.notes.add(node.place, f"nothing feeds this {node.kind} node")
        elif not fed:
            added = Node(unique(f"input_{name}", flat.nodes), "Input", node.place)
            findings.repairable("unfed", node.place, f"nothing feeds this {node.kind} node", "adds an Input")
            flat.nodes[added.name] = added
            pairs.append((added.name, name))
        elif not read and not node.is_population and node.kind not in ("Input", "Output"):
            added = Node(unique(f"output_{name}", flat.nodes), "Output", node.place)
            findings.repairable("leads-nowhere", node.place, f"nothing reads this {node.kind} node", "adds an Output")
            flat.nodes[added.name] = added
            pairs.append((name, added.name))
    flat.connect(pairs)


def _check_wires(flat: Flat, findings: Findings) -> None:
    """Find wires that run in a circle: their signal comes from nowhere."""
    for name in sorted(flat.nodes):
        node = flat.nodes[name]
        if flat.is_wire(name) and name in flat.into and not flat.sources(name):
            what = f"this {node.kind} of a nested graph is fed by nothing but itself"
            findings.defect("empty-cycle", node.place, what, "put a node into the cycle")
