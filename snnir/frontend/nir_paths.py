"""The shape of a NIR graph: which connections lead from source to neuron, in which order, and where cycles close.

A path is one projection of the IR: spikes of an input or a neuron, perhaps flattened, through at most one Affine,
Linear or Scale node, into a neuron. Several paths into one neuron add up, as several edges into a node do in NIR.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snnir.frontend.build import check_shape
from snnir.frontend.network import Shape, text_of
from snnir.frontend.nir_nodes import Graph, Node


@dataclass(frozen=True)
class Path:
    """One projection; `weight` is `None` when a neuron is fed by the spikes themselves."""

    source: Node
    target: Node
    weight: Node | None


@dataclass(frozen=True)
class Wiring:
    """All projections and the order of everything.

    Populations come in layers (the longest way from an input, cycles cut open), by name within a layer. Projections are
    sorted by target, then by source (so those that close a cycle come last), then by the name of their node.
    """

    inputs: Sequence[Node]
    populations: Sequence[Node]
    paths: Sequence[Path]
    outputs: Sequence[tuple[Node, Node]]
    closing: frozenset[tuple[str, str]]
    """Pairs (source, target) that close a cycle: back edges, depth first from the inputs in the order of names."""

    def closes_cycle(self, path: Path) -> bool:
        """Whether a path is the one of its cycle that must wait a step."""
        return (path.source.name, path.target.name) in self.closing


def wire(graph: Graph) -> Wiring:
    """Find all paths, check that shapes fit along them, and bring everything in order."""
    nodes = [graph.nodes[name] for name in sorted(graph.nodes)]
    for node in nodes:
        if node.is_source or node.kind == "Output":
            check_shape(node.shape, node.place, node.name)
    finder = _Finder(graph)
    inputs = [node for node in nodes if node.kind == "Input"]
    neurons = [node for node in nodes if node.is_neuron]
    paths = [path for node in neurons for path in finder.into_neuron(node)]
    outputs = [(node, finder.into_output(node)) for node in nodes if node.kind == "Output"]
    for node in nodes:
        if node.name not in finder.used and not node.is_source:
            what = "this node lies on no way from an input or a neuron to a neuron"
            raise node.place.error(what, "connect it, or delete it")
    successors: dict[str, list[str]] = defaultdict(list)
    for source, target in sorted({(path.source.name, path.target.name) for path in paths}):
        successors[source].append(target)
    closing = _back_edges([node.name for node in (*inputs, *neurons)], successors)
    layers = _layers([node.name for node in (*inputs, *neurons)], successors, closing)
    populations = sorted(neurons, key=lambda node: (layers[node.name], node.name))
    rank = {node.name: number for number, node in enumerate((*inputs, *populations))}

    def key(path: Path) -> tuple[int, int, str]:
        return rank[path.target.name], rank[path.source.name], path.weight.name if path.weight else ""

    return Wiring(inputs, populations, sorted(paths, key=key), outputs, frozenset(closing))


class _Finder:
    """Walks edges backwards."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.used: set[str] = set()

    def into_neuron(self, target: Node) -> list[Path]:
        """The paths that end in a neuron."""
        paths: list[Path] = []
        for name in self.graph.into.get(target.name, ()):
            node, after = self.back(name)
            if node.is_source:
                self.arrive(self.flattened(node.shape, after), target)
                paths.append(Path(node, target, None))
                continue
            feeding = self.graph.into.get(node.name, ())
            if not feeding:
                raise node.place.error(f"nothing feeds this {node.kind} node", "connect it to an input or a neuron")
            for other in feeding:
                source, before = self.back(other)
                if not source.is_source:
                    what = f"{node.article} node fed by {source.article} node ('{source.name}') is not supported yet"
                    raise node.place.error(what, "put a neuron between them, or multiply the two into one")
                shape = self.weighted(self.flattened(source.shape, before), node)
                self.arrive(self.flattened(shape, after), target)
                paths.append(Path(source, target, node))
        return paths

    def into_output(self, output: Node) -> Node:
        """The source that an output shows."""
        feeding = self.graph.into.get(output.name, ())
        if len(feeding) != 1:
            what = "nothing feeds this Output" if not feeding else f"{len(feeding)} nodes feed this Output"
            raise output.place.error(what, "an Output shows the spikes of one neuron node or Input")
        source = self.graph.nodes[feeding[0]]
        if not source.is_source:
            hint = "end the network in IF, LIF or CubaLIF neurons"
            raise output.place.error(f"an Output fed by {source.article} node is not supported yet", hint)
        self.used.add(output.name)
        self.arrive(source.shape, output)
        return source

    def back(self, name: str) -> tuple[Node, list[Node]]:
        """The first node from here backwards that is no Flatten, and the Flattens after it in forward order."""
        passed: list[Node] = []
        node = self.graph.nodes[name]
        while node.kind == "Flatten":
            feeding = self.graph.into.get(node.name, ())
            if node in passed:
                raise node.place.error("a cycle without a neuron", "remove an edge")
            if len(feeding) != 1:
                what = (
                    "nothing feeds this Flatten" if not feeding else "a Flatten fed by several nodes is not supported"
                )
                raise node.place.error(what, "give each source a Flatten of its own")
            passed.append(node)
            self.used.add(node.name)
            node = self.graph.nodes[feeding[0]]
        self.used.add(node.name)
        return node, passed[::-1]

    def flattened(self, shape: Shape, nodes: Sequence[Node]) -> Shape:
        """What Flattens make of a shape; only whole signals can be flattened."""
        for node in nodes:
            given = node.fields.get("input_type")
            if given is not None and tuple(given.tolist()) != shape:
                what = f"this Flatten is for {text_of(tuple(given.tolist()))}, but it receives {text_of(shape)}"
                raise node.place.inside("input_type").error(what, "correct input_type")
            start, end = int(node.fields["start_dim"]), int(node.fields["end_dim"])
            first, last = (d + len(shape) if d < 0 else d for d in (start, end))
            if len(shape) > 1 and (first, last) != (0, len(shape) - 1):
                what = f"this Flatten keeps dimensions of {text_of(shape)} (start_dim {start}, end_dim {end})"
                raise node.place.inside("start_dim").error(what, "shapes have no batch dimension: 0 and -1 flatten all")
            shape = (_product(shape),)
        return shape

    def weighted(self, shape: Shape, node: Node) -> Shape:
        """What a weight node makes of a shape."""
        needed = node.fields["scale"].shape if node.kind == "Scale" else node.fields["weight"].shape[1:]
        if shape != needed:
            raise node.place.error(
                f"this {node.kind} takes {text_of(needed)} values, but it receives {text_of(shape)}",
                _shape_hint(shape, needed),
            )
        return shape if node.kind == "Scale" else node.fields["weight"].shape[:1]

    def arrive(self, shape: Shape, target: Node) -> None:
        """Raise unless a signal fits the node that receives it."""
        if shape != target.shape:
            what = f"this {target.kind} has the shape {text_of(target.shape)}, but it receives {text_of(shape)}"
            raise target.place.error(what, _shape_hint(target.shape, shape))


def _product(shape: Shape) -> int:
    result = 1
    for each in shape:
        result *= each
    return result


def _shape_hint(wrong: Shape, right: Shape) -> str:
    """What is probably the matter with a shape."""
    if len(wrong) > len(right) and wrong[len(wrong) - len(right) :] == right:
        return f"NIR shapes have no time or batch dimension: write {text_of(right)}"
    if _product(wrong) == _product(right):
        return "put a Flatten node between them" if len(wrong) > 1 else "correct one of the two shapes"
    return "correct one of the two shapes"


def _back_edges(roots: Sequence[str], successors: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    """Edges to a node that is still open, depth first (without recursion: networks can be deep)."""
    found: set[tuple[str, str]] = set()
    opened: set[str] = set()
    closed: set[str] = set()
    for root in roots:
        if root in closed:
            continue
        opened.add(root)
        stack = [(root, iter(successors.get(root, ())))]
        while stack:
            node, following = stack[-1]
            for each in following:
                if each in opened:
                    found.add((node, each))
                elif each not in closed:
                    opened.add(each)
                    stack.append((each, iter(successors.get(each, ()))))
                    break
            else:
                stack.pop()
                opened.discard(node)
                closed.add(node)
    return found


def _layers(
    nodes: Sequence[str], successors: Mapping[str, Sequence[str]], closing: set[tuple[str, str]]
) -> dict[str, int]:
    """The longest way to each node over edges that close no cycle."""
    waiting = dict.fromkeys(nodes, 0)
    for source in nodes:
        for target in successors.get(source, ()):
            waiting[target] += (source, target) not in closing
    layers = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waiting[node]]
    while ready:
        source = ready.pop()
        for target in successors.get(source, ()):
            if (source, target) not in closing:
                layers[target] = max(layers[target], layers[source] + 1)
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
    return layers
