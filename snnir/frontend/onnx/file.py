"""An `.onnx` file as a graph: nodes in an order in which they can be computed, stored tensors, inputs and outputs.

Nodes whose results lead to no output are left out. Nothing is known of operators here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any, NoReturn

from snnir.frontend.hdf5 import Place, shown
from snnir.frontend.onnx.findings import Findings, Refused
from snnir.frontend.onnx.library import helper, types
from snnir.frontend.onnx.tensors import Array, TensorProblem, array_of, place_of_tensor

NODE_LIMIT = 100_000
"""A file that seems to have more nodes than this is refused."""
DOMAINS = ("", "ai.onnx")
"""The names of the domain of ONNX's own operators."""

AGAIN = "export the model again"


@dataclass
class Node:
    """A node of a graph. `inputs` hold empty names for inputs that are left out."""

    op: str
    domain: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    place: Place
    title: str
    """Its name, or that of its first output."""
    proto: Any = field(repr=False)

    def whole(self, name: str, default: int = 0) -> int:
        """An attribute that is a whole number. Raises `Refused` for one of another kind, as all of these."""
        found = self.attributes.get(name, default)
        return found if isinstance(found, int) else self._wrong(name, "whole number")

    def real(self, name: str, default: float) -> float:
        """An attribute that is a number."""
        found = self.attributes.get(name, default)
        return float(found) if isinstance(found, int | float) else self._wrong(name, "number")

    def text(self, name: str, default: str) -> str:
        """An attribute that is a word."""
        found = self.attributes.get(name, default)
        return found if isinstance(found, str) else self._wrong(name, "word")

    def wholes(self, name: str) -> tuple[int, ...] | None:
        """An attribute that is a list of whole numbers; `None` where it is missing."""
        found = self.attributes.get(name)
        if found is None:
            return None
        if not isinstance(found, Sequence) or not all(isinstance(n, int) for n in found):  # pyright: ignore[reportUnknownVariableType]
            return self._wrong(name, "list of whole numbers")
        return tuple(found)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]

    def _wrong(self, name: str, wanted: str) -> NoReturn:
        raise Refused(f"{name} of {self.op} is no {wanted}", AGAIN, "damaged")


@dataclass(frozen=True)
class Port:
    """An input or output as the graph states it: numbers, names of free dimensions, or `None` for unknown ones."""

    name: str
    element: int
    shape: tuple[int | str | None, ...] | None
    place: Place


@dataclass
class Model:
    """What a file holds, before any of it is understood."""

    place: Place
    opset: int
    nodes: list[Node]
    stored: dict[str, Array]
    inputs: list[Port]
    outputs: list[Port]

    def readers(self) -> dict[str, int]:
        """How often each tensor is read, by nodes and outputs."""
        count: dict[str, int] = {}
        for name in (*(n for node in self.nodes for n in node.inputs), *(port.name for port in self.outputs)):
            count[name] = count.get(name, 0) + 1
        return count


def read_file(path: Path | str, findings: Findings) -> Model | None:
    """What a file holds; `None` when it cannot be understood at all, which is a finding."""
    path = Path(path)
    place = Place(str(path))
    proto = _parsed(path, place, findings)
    if proto is None:
        return None
    graph = proto.graph
    broken = next((name for name in _names(proto) if isinstance(name, bytes)), None)
    if broken is not None:
        findings.defect("damaged", place, f"the name {broken!r} is no UTF-8 text", AGAIN)
        return None
    if not graph.output:
        findings.defect("no-outputs", place, "the graph has no outputs", AGAIN)
        return None
    if len(graph.node) > NODE_LIMIT:
        findings.defect("damaged", place, f"{len(graph.node)} nodes are more than {NODE_LIMIT}", AGAIN)
        return None
    opsets = [entry.version for entry in proto.opset_import if entry.domain in DOMAINS]
    if len(opsets) != 1:
        what = "the file states no opset" if not opsets else "the file states several opsets"
        findings.defect("opset", place, what, "export with opset_version 21 or less")
        return None
    stored_names = {tensor.name for tensor in graph.initializer}
    nodes = [_node(each, number, str(path)) for number, each in enumerate(graph.node)]
    inputs = [_port(each, place, "input") for each in graph.input if each.name not in stored_names]
    outputs = [_port(each, place, "output") for each in graph.output]
    known = stored_names | {port.name for port in inputs} | {sparse.values.name for sparse in graph.sparse_initializer}
    nodes = _sorted(_live(_unique(nodes, known, findings), outputs), known, findings)
    _check_ends(nodes, outputs, known, findings)
    read = {name for node in nodes for name in node.inputs} | {port.name for port in outputs}
    stored = _stored(graph, path, read, findings)
    return Model(place, int(opsets[0]), nodes, stored, inputs, outputs)


def _parsed(path: Path, place: Place, findings: Findings) -> Any:
    """The message in a file; `None` when it is no model."""
    hint = "name a model that torch.onnx.export or tf2onnx wrote"
    try:
        data = path.read_bytes()
    except OSError as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        findings.defect("not-onnx", place, what, "name an existing .onnx file")
        return None
    proto = types.ModelProto()
    try:
        proto.ParseFromString(data)
    except Exception as error:  # the parser's own class of errors is in another package
        reason = " ".join(str(error).split())
        findings.defect("not-onnx", place, f"not an ONNX model, or a truncated one ({reason})", hint)
        return None
    if not proto.HasField("graph") or not proto.ir_version:
        what = "empty" if not data else "not an ONNX model: it holds no graph"
        findings.defect("not-onnx", place, what, hint)
        return None
    return proto


def _names(proto: Any) -> Iterator[str | bytes]:
    """Every name in a model; the parser gives bytes for what is no UTF-8."""
    graph = proto.graph
    yield from (entry.domain for entry in proto.opset_import)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    for each in (*graph.input, *graph.output, *graph.initializer):
        yield each.name
    for tensor in graph.initializer:
        for entry in tensor.external_data:
            yield from (entry.key, entry.value)


def _node(proto: Any, number: int, file: str) -> Node:
    """A node, its attributes as numbers, lists and texts; graphs and unknown ones stay as they are."""
    attributes: dict[str, Any] = {}
    for attribute in proto.attribute:
        try:
            value = helper.get_attribute_value(attribute)
        except (TypeError, ValueError):
            value = attribute
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        attributes[attribute.name] = value
    place = Place(file, "/graph")
    title = proto.name.strip("/") or next((name for name in proto.output if name), "").strip("/")
    where = place.inside(title) if proto.name.strip("/") else place.inside(f"node[{number}]")
    inputs, outputs = [str(n) for n in proto.input], [str(n) for n in proto.output]
    domain = "" if proto.domain in DOMAINS else str(proto.domain)
    return Node(str(proto.op_type), domain, inputs, outputs, attributes, where, title, proto)


def _port(proto: Any, place: Place, kind: str) -> Port:
    """An input or an output."""
    where = Place(place.file, f"/graph/{kind}").inside(proto.name.strip("/"))
    tensor = proto.type.tensor_type
    if not proto.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return Port(proto.name, int(tensor.elem_type), None, where)
    shape = tuple(
        int(each.dim_value) if each.HasField("dim_value") else (str(each.dim_param) or None)
        for each in tensor.shape.dim
    )
    return Port(proto.name, int(tensor.elem_type), shape, where)


def _unique(nodes: list[Node], known: set[str], findings: Findings) -> list[Node]:
    """The nodes; a tensor that is computed twice is a finding."""
    made: dict[str, Node] = {}
    for node in nodes:
        for name in node.outputs:
            if name and (name in made or name in known):
                what = f"'{shown(name)}' is computed here, and {'by another node' if name in made else 'given'} as well"
                findings.defect("duplicate", node.place, what, AGAIN)
            made[name] = node
    return nodes


def _live(nodes: list[Node], outputs: Sequence[Port]) -> list[Node]:
    """The nodes that lead to an output."""
    producer = {name: number for number, node in enumerate(nodes) for name in node.outputs if name}
    waiting = [producer[port.name] for port in outputs if port.name in producer]
    seen = set(waiting)
    while waiting:
        for name in nodes[waiting.pop()].inputs:
            if name in producer and producer[name] not in seen:
                seen.add(producer[name])
                waiting.append(producer[name])
    return [node for number, node in enumerate(nodes) if number in seen]


def _sorted(nodes: list[Node], known: set[str], findings: Findings) -> list[Node]:
    """The nodes, each behind those that it reads, else in the order of the file."""
    producer = {name: number for number, node in enumerate(nodes) for name in node.outputs if name}
    needs: list[set[int]] = []
    for number, node in enumerate(nodes):
        before = {producer[name] for name in node.inputs if name in producer}
        needs.append(before)
        for name in node.inputs:
            if name and name not in producer and name not in known:
                what = f"{node.op} reads '{shown(name)}', which nothing computes"
                findings.defect("dangling", node.place, what, AGAIN)
        late = sorted(each for each in before if each > number)
        if late:
            what = f"{node.op} stands before {nodes[late[0]].title}, which it reads"
            findings.repairable("order", node.place, what, "sorts the nodes")
    readers: list[list[int]] = [[] for _ in nodes]
    for number, before in enumerate(needs):
        for each in before:
            readers[each].append(number)
    missing = [len(before) for before in needs]
    ready = [number for number, count in enumerate(missing) if not count]
    heapify(ready)
    order: list[int] = []
    while ready:
        number = heappop(ready)
        order.append(number)
        for reader in readers[number]:
            missing[reader] -= 1
            if not missing[reader]:
                heappush(ready, reader)
    if len(order) < len(nodes):
        first = nodes[min(set(range(len(nodes))) - set(order))]
        findings.defect("cycle", first.place, f"{first.op} reads what is computed from its own result", AGAIN)
    return [nodes[number] for number in order]


def _check_ends(nodes: Iterable[Node], outputs: Iterable[Port], known: set[str], findings: Findings) -> None:
    """Every output is computed."""
    made = {name for node in nodes for name in node.outputs} | known
    for port in outputs:
        if port.name not in made:
            what = f"nothing computes the output '{shown(port.name)}'"
            findings.defect("no-outputs", port.place, what, AGAIN)


def _stored(graph: Any, path: Path, read: set[str], findings: Findings) -> dict[str, Array]:
    """The tensors that live nodes read."""
    stored: dict[str, Array] = {}
    for proto in graph.initializer:
        if proto.name not in read:
            continue
        try:
            stored[proto.name] = array_of(proto, path.parent)
        except TensorProblem as problem:
            place = place_of_tensor(str(path), proto.name)
            findings.defect(problem.lint, place, f"'{shown(proto.name)}' {problem.message}", problem.hint)
    for proto in graph.sparse_initializer:
        if proto.values.name in read:
            place = place_of_tensor(str(path), proto.values.name)
            findings.defect("tensor", place, f"'{shown(proto.values.name)}' is sparse", "store it as a plain tensor")
    return stored
