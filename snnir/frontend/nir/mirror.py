"""What a `.nir` file says beyond a network's meaning: names, nesting, types of datasets. Kept beside the IR.

The front end stores it in one discardable attribute, `nir`: on the network a mirror of the file without its bulk,
on each op the path of the node that it was. A writer that finds both can restore the file.

    snn.network @n dt 0.001 attributes {nir = {type = "NIRGraph", edges = [["input", "fc"], ...], nodes = {
      fc = {type = "Affine", weight = tensor<38x12xf32>, bias = tensor<38xf32>}, ...}}} { ...
      %fc = snn.dense ... {nir = {node = "/nodes/fc"}}

A dataset whose values are in the IR is mirrored as its type; small counts as `array<i64: 2, 2>` or `1 : i64`, texts as
texts. Names are percent-encoded where they are not plain ASCII. `late = 1` on an op: that many steps of its delay are
the front end's convention (a cycle needs one), and not in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    Signedness,
    StringAttr,
    TensorType,
    f16,
    f32,
    f64,
    i64,
)
from xdsl.ir import Attribute, Operation

from snnir.dialects.attributes import TensorAttr
from snnir.frontend.hdf5 import Place, h5py, reading, shown
from snnir.frontend.network import Shape

Field: TypeAlias = "NDArray[Any] | str"
"""What one dataset holds."""

Metadata: TypeAlias = "Mapping[str, Field | Metadata]"
"""What a node's `metadata` group holds."""

ATTRIBUTE = "nir"
"""The name of the attribute, on networks and on ops."""

_COUNTS = frozenset({"shape", "input_shape", "stride", "padding", "dilation", "groups", "kernel_size"}) | {
    "start_dim",
    "end_dim",
    "input_type",
}
_SMALL = 16
_METADATA = 1 << 16
_PLAIN = "".join(chr(n) for n in range(32, 127) if chr(n) not in '"\\%')
_FLOATS: dict[str, Attribute] = {"f2": f16, "f4": f32, "f8": f64}


# -- from a file to attributes --------------------------------------------------------------------------------------


def mirror_of(path: Path | str) -> DictionaryAttr:
    """The mirror of a `.nir` file that a front end has found to be whole. Raises `SnnirError` for one that is not."""
    with reading(Place(str(path))), h5py.File(path, "r") as file:
        return DictionaryAttr(_graph(file["node"]))


def mark(path: str, *, delay: int = 0) -> dict[str, Attribute]:
    """The attributes of an op: the path of its node (empty for none), the steps of its delay that are a convention."""
    attributes: dict[str, Attribute] = {}
    if path:
        attributes[ATTRIBUTE] = DictionaryAttr({"node": StringAttr(_encoded(path))})
    return marked_late(attributes, delay) if delay else attributes


def marked_late(attributes: Mapping[str, Attribute], steps: int) -> dict[str, Attribute]:
    """The attributes of an op that is `steps` later than its file says."""
    given = attributes.get(ATTRIBUTE)
    entries = dict(given.data) if isinstance(given, DictionaryAttr) else dict[str, Attribute]()
    before = entries.get("late")
    total = steps + (before.value.data if isinstance(before, IntegerAttr) else 0)
    return {**attributes, ATTRIBUTE: DictionaryAttr({**entries, "late": IntegerAttr(total, 64)})}


def _graph(group: Any) -> dict[str, Attribute]:
    edges = group["edges"][()]
    pairs = [ArrayAttr([_text(end) for end in pair]) for pair in edges.tolist()] if edges.ndim == 2 else []
    nodes = {_encoded(name): DictionaryAttr(_member(member)) for name, member in _members(group["nodes"])}
    found: dict[str, Attribute] = {"type": StringAttr("NIRGraph"), "edges": ArrayAttr(pairs)}
    return {**found, **_metadata(group), "nodes": DictionaryAttr(nodes)}


def _members(group: Any) -> Iterator[tuple[str, Any]]:
    """The nodes of a graph: a group without a type is the first part of a name that has a `/`."""
    waiting = [(name, group[name]) for name in sorted(group, reverse=True)]
    while waiting:
        name, member = waiting.pop()
        if not isinstance(member, h5py.Group):
            continue
        is_node = "type" in member
        if is_node:
            yield name, member
        below = [each for each in sorted(member) if not (is_node and each in ("metadata", "nodes"))]
        waiting.extend((f"{name}/{each}", member[each]) for each in reversed(below))


def _member(group: Any) -> dict[str, Attribute]:
    if _string(group["type"][()]) == "NIRGraph":
        return _graph(group)
    fields = {name: group[name] for name in sorted(group) if isinstance(group[name], h5py.Dataset)}
    return {**{name: _dataset(name, each) for name, each in fields.items()}, **_metadata(group)}


def _dataset(name: str, dataset: Any) -> Attribute:
    """The value of what is small and not in the IR, else the type."""
    if dataset.dtype.kind in "OSU":
        return _text(dataset[()] if dataset.shape == () else dataset[()].flat[0])
    if name == "delay" and dataset.shape and dataset.dtype.kind == "f" and dataset.dtype.itemsize > 2:
        return TensorAttr.of(_encoded(dataset.name.removeprefix("/node")), dataset[()])
    if name in _COUNTS and dataset.dtype.kind == "i" and dataset.size <= _SMALL:
        if dataset.shape == ():
            return IntegerAttr(int(dataset[()]), 8 * dataset.dtype.itemsize)
        if len(dataset.shape) == 1 and dataset.dtype.itemsize == 8:
            return DenseArrayBase.from_list(i64, [int(n) for n in dataset[()]])
    return type_of(dataset.dtype, dataset.shape)


def type_of(dtype: np.dtype[Any], shape: Shape) -> Attribute:
    """A type as it stands in the IR: `f32` for a single number, else `tensor<38xf32>`."""
    element = _FLOATS.get(f"f{dtype.itemsize}") if dtype.kind == "f" else None
    if element is None:
        signs = Signedness.UNSIGNED if dtype.kind == "u" else Signedness.SIGNLESS
        element = IntegerType(1 if dtype.kind == "b" else 8 * dtype.itemsize, signs)
    return element if shape == () else TensorType(element, shape)


def _metadata(group: Any) -> dict[str, Attribute]:
    """A node's metadata, as far as attributes can hold it."""
    if not isinstance(group.get("metadata"), h5py.Group):
        return {}
    entries = _described(group["metadata"])
    return {"metadata": DictionaryAttr(entries)} if entries else {}


def _described(group: Any) -> dict[str, Attribute]:
    entries: dict[str, Attribute] = {}
    for name in sorted(group):
        item = group[name]
        if isinstance(item, h5py.Group):
            entries[_encoded(name)] = DictionaryAttr(_described(item))
        elif item.size is not None and item.size <= _METADATA and (found := _value(item)) is not None:
            entries[_encoded(name)] = found
    return entries


def _value(dataset: Any) -> Attribute | None:
    dtype: np.dtype[Any] = dataset.dtype
    if dtype.kind in "OSU" and dataset.shape == ():
        return _text(dataset[()])
    if dataset.shape == () and dtype.kind == "i":
        return IntegerAttr(int(dataset[()]), 8 * dtype.itemsize)
    if dataset.shape == () and dtype.kind == "f" and dtype.itemsize in (4, 8):
        return FloatAttr(float(dataset[()]), 8 * dtype.itemsize)
    if dataset.shape and dataset.size and dtype.kind in "if" and dtype.itemsize in (4, 8):
        return TensorAttr.of(_encoded(dataset.name.removeprefix("/node")), dataset[()])
    return None


def _encoded(name: str) -> str:
    return quote(name, safe=_PLAIN)


def _string(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _text(value: Any) -> StringAttr:
    return StringAttr(_encoded(_string(value)))


# -- from attributes to what a writer asks ---------------------------------------------------------------------------


@dataclass
class Stored:
    """A node as it stood in the file. `names` are those of the graphs around it, outermost first, and its own."""

    path: str
    names: tuple[str, ...]
    kind: str
    fields: dict[str, Attribute]
    metadata: Metadata

    def dtype(self, name: str) -> np.dtype[Any] | None:
        """The numpy type of a field; `None` when it is missing or a text."""
        found = self.fields.get(name)
        match found:
            case TensorAttr():
                return found.array.dtype
            case DenseArrayBase():
                return np.dtype(np.int64)
            case IntegerAttr():
                return np.dtype(f"i{cast(IntegerType, found.type).width.data // 8}")
            case TensorType():
                return _dtype(found.element_type)
            case None | StringAttr():
                return None
            case _:
                return _dtype(found)

    def shape(self, name: str) -> Shape | None:
        """The dimensions of a field; `None` when it is missing."""
        found = self.fields.get(name)
        match found:
            case TensorAttr():
                return found.data.shape
            case DenseArrayBase():
                return (len(found),)
            case TensorType():
                return tuple(found.get_shape())
            case None:
                return None
            case _:
                return ()

    def counts(self, name: str) -> NDArray[Any] | None:
        """The values of a field of whole numbers, where they are mirrored."""
        found = self.fields.get(name)
        if isinstance(found, DenseArrayBase):
            return np.array(found.get_values(), np.int64)
        if isinstance(found, IntegerAttr):
            return np.array(found.value.data, self.dtype(name))
        return None

    def text(self, name: str) -> str | None:
        """A field that is a text."""
        found = self.fields.get(name)
        return unquote(found.data) if isinstance(found, StringAttr) else None

    def tensor(self, name: str) -> NDArray[Any] | None:
        """A field of real numbers that is mirrored with its values."""
        found = self.fields.get(name)
        return found.array if isinstance(found, TensorAttr) else None


@dataclass
class StoredGraph:
    """A graph as it stood in the file."""

    path: str
    nodes: dict[str, Stored] = field(default_factory=dict[str, Stored])
    graphs: dict[str, StoredGraph] = field(default_factory=dict[str, "StoredGraph"])
    edges: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    metadata: Metadata = field(default_factory=dict[str, Any])

    def all(self) -> Iterator[StoredGraph]:
        """This graph and those inside it."""
        yield self
        for inner in self.graphs.values():
            yield from inner.all()


def stored_graph(attribute: Attribute | None) -> StoredGraph | None:
    """The mirror that a network carries; `None` when it carries none, or something that is no mirror."""
    try:
        return _read_graph(attribute, "", ()) if isinstance(attribute, DictionaryAttr) else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _read_graph(attribute: DictionaryAttr, path: str, names: tuple[str, ...]) -> StoredGraph:
    data = attribute.data
    edges = [tuple(unquote(cast(StringAttr, end).data) for end in pair) for pair in cast(Any, data["edges"])]
    graph = StoredGraph(path, edges=cast(list[tuple[str, str]], edges), metadata=_read_metadata(data))
    for encoded, member in cast(DictionaryAttr, data["nodes"]).data.items():
        name = unquote(encoded)
        where, entries = "/".join((path, "nodes", *map(shown, name.split("/")))), cast(DictionaryAttr, member).data
        kind = cast(StringAttr, entries["type"]).data
        if kind == "NIRGraph":
            graph.graphs[name] = _read_graph(cast(DictionaryAttr, member), where, (*names, name))
        else:
            fields = {key: value for key, value in entries.items() if key not in ("type", "metadata")}
            graph.nodes[name] = Stored(where, (*names, name), kind, fields, _read_metadata(entries))
    return graph


def _read_metadata(entries: Any) -> Metadata:
    found = entries.get("metadata")
    return _restored(found) if isinstance(found, DictionaryAttr) else {}


def _restored(attribute: DictionaryAttr) -> Metadata:
    result: dict[str, Field | Metadata] = {}
    for encoded, value in attribute.data.items():
        name = unquote(encoded)
        match value:
            case DictionaryAttr():
                result[name] = _restored(value)
            case StringAttr():
                result[name] = unquote(value.data)
            case TensorAttr():
                result[name] = value.array
            case IntegerAttr():
                result[name] = np.array(value.value.data, f"i{cast(IntegerType, value.type).width.data // 8}")
            case FloatAttr():
                result[name] = np.array(value.value.data, _dtype(cast(Attribute, value.type)))
            case _:
                raise ValueError(name)
    return result


def _dtype(element: Attribute) -> np.dtype[Any]:
    for code, known in _FLOATS.items():
        if known == element:
            return np.dtype(code)
    integer = cast(Any, element)
    if integer.width.data == 1:
        return np.dtype(np.bool_)
    unsigned = integer.signedness.data == Signedness.UNSIGNED
    return np.dtype(f"{'u' if unsigned else 'i'}{integer.width.data // 8}")


def path_of(op: Operation) -> str:
    """The path of the node that an op was in its `.nir` file; empty when it was none."""
    found = entry_of(op, "node")
    return unquote(found.data) if isinstance(found, StringAttr) else ""


def convention_of(op: Operation) -> int:
    """The steps of an op's delay that are the front end's convention."""
    found = entry_of(op, "late")
    return int(found.value.data) if isinstance(found, IntegerAttr) else 0


def entry_of(op: Operation, name: str) -> Attribute | None:
    """One entry of an op's attribute `nir`."""
    attribute = op.attributes.get(ATTRIBUTE)
    return attribute.data.get(name) if isinstance(attribute, DictionaryAttr) else None
