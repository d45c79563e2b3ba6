"""The nodes and edges of a `.nir` file, each field read and checked on its own.

Field names and meanings: NIR 1.0 (Nat. Commun. 15:8122). The package `nir` writes the same layout,
`/node/nodes/<name>/<field>` and `/node/edges`. Places leave out the leading `/node`. Primitives that the IR has no op
for yet are refused by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.frontend.hdf5 import Array, Group, Place, opened
from snnir.frontend.names import suggestion
from snnir.frontend.network import Shape, text_of
from snnir.semantics import PARAMETERS

MODELS = {"IF": "if", "LIF": "lif", "CubaLIF": "cuba_lif"}
"""NIR's neurons and our names of their models."""

DEFAULTS = {"v_reset": 0.0, "w_in": 1.0}
"""Fields that older files lack, and what NIR says that they are then."""

_RENAMED = {"threshold": "v_threshold"}
_FIELDS: dict[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Flatten": ("start_dim", "end_dim", "input_type"),
    **{kind: tuple(_RENAMED.get(name, name) for name in PARAMETERS[model]) for kind, model in MODELS.items()},
}
_OPTIONAL = {*DEFAULTS, "input_type"}
_IGNORED = {"type", "metadata"}
_INTEGER_LIMIT = 2**53
_AGAIN = "export the file again"


def field_of(parameter: str) -> str:
    """NIR's name of one of our neuron parameters."""
    return _RENAMED.get(parameter, parameter)


@dataclass(frozen=True)
class Node:
    """A node: its fields as float32, float64 or (shapes, dimensions) int64 arrays."""

    name: str
    kind: str
    place: Place
    fields: Mapping[str, NDArray[Any]]

    @property
    def is_neuron(self) -> bool:
        """Whether it emits spikes of its own."""
        return self.kind in MODELS

    @property
    def is_source(self) -> bool:
        """Whether a signal starts here."""
        return self.is_neuron or self.kind == "Input"

    @property
    def is_weight(self) -> bool:
        """Whether it turns spikes into current."""
        return self.kind in ("Affine", "Linear", "Scale")

    @property
    def article(self) -> str:
        """`an Affine`, `a LIF`."""
        return f"{'an' if self.kind[0] in 'AIO' else 'a'} {self.kind}"

    @cached_property
    def shape(self) -> Shape:
        """The shape of the signal of an input, output or neuron. Raises `SnnirError` when the fields disagree."""
        if not self.is_neuron:
            return tuple(int(n) for n in self.fields["shape"])
        shapes = {name: tuple(array.shape) for name, array in self.fields.items()}
        shape = shapes["v_threshold"]
        if not any(shapes.values()):
            hint = "export the parameters as arrays with one entry per neuron"
            raise self.place.error("the parameters have no dimensions, so the number of neurons is unknown", hint)
        for name, other in shapes.items():
            if other != shape and not (name == "w_in" and other == ()):
                listed = ", ".join(f"{each} {text_of(shapes[each])}" for each in shapes)
                hint = "all parameters of a node have one shape"
                raise self.place.inside(name).error(f"the parameters differ in shape: {listed}", hint)
        return shape


@dataclass(frozen=True)
class Graph:
    """A whole file. `into` and `out` list the neighbours of each node, sorted by name."""

    place: Place
    nodes: Mapping[str, Node]
    into: Mapping[str, Sequence[str]]
    out: Mapping[str, Sequence[str]]


def read_graph(path: Path | str) -> Graph:
    """Read a `.nir` file. Raises `SnnirError` with the place inside the file for everything that cannot be read."""
    with opened(path) as root:
        place = root.place
        top = root.child("node", place)
        if not isinstance(top, Group):
            held = ", ".join(root.names[:8]) or "nothing"
            raise place.error(f"this is not a NIR file: it holds {held}, but no 'node'", "name a .nir file")
        if _kind(top) != "NIRGraph":
            raise place.error(f"the file holds a single {_kind(top)} node, not a graph", "export a NIRGraph")
        nodes = _nodes(_member(top, "nodes", Place(place.file, "/nodes")))
        edges = _edges(top.child("edges", Place(place.file, "/edges")), nodes, Place(place.file, "/edges"))
    into: dict[str, list[str]] = defaultdict(list)
    out: dict[str, list[str]] = defaultdict(list)
    for source, target in sorted(edges):
        into[target].append(source)
        out[source].append(target)
    return Graph(place, nodes, into, out)


def _member(group: Group, name: str, place: Place) -> Group:
    found = group.child(name, place)
    if not isinstance(found, Group):
        raise place.error(f"'{name}' is missing or not a group", _AGAIN)
    return found


def _kind(group: Group) -> str:
    """The name of a node's primitive."""
    found = group.child("type")
    if not isinstance(found, Array):
        nested = any(isinstance(group.child(name), Group) for name in group.names)
        hint = "node names must not contain '/', which nests them" if nested else _AGAIN
        raise group.place.error("this node has no type", hint)
    text = found.texts()
    if text.size != 1:
        raise found.place.error("the type of a node is one word", _AGAIN)
    return str(text.flat[0])


def _nodes(group: Group) -> dict[str, Node]:
    """All nodes; unsupported primitives are refused before any field is read."""
    members = {name: _member(group, name, group.place.inside(name)) for name in group.names}
    kinds = {name: _kind(member) for name, member in members.items()}
    for name, kind in kinds.items():
        if kind == "NIRGraph":
            hint = "put its nodes into the top graph"
            raise members[name].place.error("a graph inside a graph (NIRGraph) is not supported yet", hint)
        if kind not in _FIELDS:
            hint = f"supported are {', '.join(_FIELDS)}"
            raise members[name].place.error(f"{kind or 'nameless'} nodes are not supported yet", hint)
    return {name: _node(name, kinds[name], member) for name, member in members.items()}


def _node(name: str, kind: str, group: Group) -> Node:
    known = _FIELDS[kind]
    for field in group.names:
        if field not in known and field not in _IGNORED:
            hint = f"{kind} nodes have the fields {', '.join(known)}"
            raise group.place.inside(field).error(f"unknown field '{field}' of a {kind} node", hint)
    fields: dict[str, NDArray[Any]] = {}
    for field in known:
        found = group.child(field)
        if isinstance(found, Array):
            whole = kind in ("Input", "Output", "Flatten")
            fields[field] = (_whole if whole else _numbers)(found, field)
        elif found is not None or field not in _OPTIONAL:
            what = "is missing" if found is None else "is a group, not numbers"
            raise group.place.inside(field).error(f"field '{field}' of this {kind} node {what}", _AGAIN)
    _check_dimensions(kind, fields, group.place)
    return Node(name, kind, group.place, fields)


def _numbers(found: Array, field: str) -> NDArray[Any]:
    """A field of real numbers: float32 and float64 stay, float16 and integers become the next type that holds them."""
    array = found.read()
    match array.dtype.kind:
        case "f" if array.dtype.itemsize in (4, 8):
            return array
        case "f" if array.dtype.itemsize == 2:
            return array.astype(np.float32)
        case "i" | "u":
            if array.size and max(int(array.max()), -int(array.min())) > _INTEGER_LIMIT:
                raise found.place.error("an integer beyond 2**53 has no exact float64", "store the field as float64")
            return array.astype(np.float64)
        case "b" if field == "bias" and array.shape == () and not array:
            return np.empty(0, np.float64)
        case _:
            given = "text" if array.dtype.kind in "SUO" else array.dtype
            hint = "store the field as float32 or float64"
            raise found.place.error(f"numbers are expected here, not {given}", hint)


def _whole(found: Array, field: str) -> NDArray[Any]:
    """A field of whole numbers: a shape, or one dimension."""
    array = found.read()
    if array.dtype.kind not in "iu" or array.ndim != (0 if field.endswith("dim") else 1):
        what = "one whole number" if field.endswith("dim") else "a list of whole numbers"
        raise found.place.error(f"{what} is expected here, not {array.dtype} of {text_of(array.shape)}", _AGAIN)
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise found.place.error("a dimension is too large", _AGAIN)
    return array.astype(np.int64)


def _check_dimensions(kind: str, fields: Mapping[str, NDArray[Any]], place: Place) -> None:
    """The shapes of fields that depend on no other node."""
    if kind in ("Affine", "Linear"):
        weight = fields["weight"]
        if weight.ndim != 2 or not weight.size:
            what = f"the weight is {text_of(weight.shape)}, but only matrices (targets x sources) are supported"
            raise place.inside("weight").error(what, "give each row of neurons its own node")
        bias = fields.get("bias")
        if bias is not None and bias.size and bias.shape != weight.shape[:1]:
            what = f"the bias is {text_of(bias.shape)}, but the weight has {weight.shape[0]} rows"
            raise place.inside("bias").error(what, "give one bias per row")


def _edges(found: Group | Array | None, nodes: Mapping[str, Node], place: Place) -> set[tuple[str, str]]:
    """The edges, each between two nodes that exist. An edge leads from one node to another, at most once."""
    if not isinstance(found, Array):
        raise place.error("the list of edges is missing", _AGAIN)
    if found.read().size == 0:
        return set()
    array = found.texts()
    if array.ndim != 2 or array.shape[1] != 2:
        raise place.error(f"edges are pairs of names, not {text_of(array.shape)}", _AGAIN)
    edges: set[tuple[str, str]] = set()
    for number, (source, target) in enumerate(array.tolist()):
        where = Place(place.file, f"/edges[{number}]")
        for name in (source, target):
            if name not in nodes:
                raise _dangling(where, source, target, name, nodes)
        if (source, target) in edges:
            raise where.error(f"the edge {source} -> {target} is listed twice", "list it once")
        if nodes[source].kind == "Output" or nodes[target].kind == "Input":
            end = "leaves an Output" if nodes[source].kind == "Output" else "enters an Input"
            raise where.error(f"the edge {source} -> {target} {end}", "turn it round or remove it")
        edges.add((source, target))
    return edges


def _dangling(where: Place, source: str, target: str, name: str, nodes: Mapping[str, Node]) -> SnnirError:
    inner = [each for each in nodes if each.startswith(f"{name}.")]
    hint = f"nodes inside '{name}' were meant: {', '.join(inner)}" if inner else suggestion(name, nodes, "nodes")
    return where.error(f"the edge {source} -> {target} names '{name}', which is no node", hint)
