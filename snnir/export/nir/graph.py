"""A NIR graph as it stands in a file, and the file itself: the HDF5 layout of the package `nir` 1.0.8.

    /version                      text
    /node/type                    "NIRGraph"
    /node/edges                   n x 2 names
    /node/nodes/<name>/type       "LIF"; a nested graph has nodes and edges of its own
    /node/nodes/<name>/<field>    one dataset per field
    /node/nodes/<name>/metadata/  optional

Arrays are neither compressed nor chunked (nir.write compresses, nir.read takes both), so that readers can map large
weights into memory. Equal graphs give equal bytes: groups are ordered by name and nothing is dated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.ir import Operation

from snnir.frontend.hdf5 import h5py
from snnir.frontend.network import Shape
from snnir.frontend.nir.mirror import Field, Metadata

VERSION = "1.0.8"
"""The release of the package `nir` whose layout this is."""


@dataclass
class Node:
    """A node. `shape` is that of its signal; `path` where it stood in the `.nir` file that the network came from."""

    name: str
    kind: str
    fields: dict[str, Field]
    shape: Shape
    path: str = ""
    op: Operation | None = None
    metadata: Metadata = field(default_factory=dict[str, Any])


@dataclass
class Graph:
    """Nodes and nested graphs by name, and edges between names."""

    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    graphs: dict[str, Graph] = field(default_factory=dict[str, "Graph"])
    edges: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    metadata: Metadata = field(default_factory=dict[str, Any])


def write_file(path: Path, graph: Graph) -> None:
    """Write a graph into a new file."""
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.create_dataset("version", data=VERSION, dtype=h5py.string_dtype())
        _write_graph(file.create_group("node"), graph)


def _write_graph(group: Any, graph: Graph) -> None:
    _write(group, "type", "NIRGraph")
    group.create_dataset("edges", data=np.array(graph.edges, object).reshape(-1, 2), dtype=h5py.string_dtype())
    _write_metadata(group, graph.metadata)
    nodes = group.create_group("nodes")
    for name, node in graph.nodes.items():
        member = nodes.require_group(name)
        _write(member, "type", node.kind)
        for key, value in node.fields.items():
            _write(member, key, value)
        _write_metadata(member, node.metadata)
    for name, inner in graph.graphs.items():
        _write_graph(nodes.require_group(name), inner)


def _write_metadata(group: Any, metadata: Metadata) -> None:
    if metadata:
        _write_entries(group.create_group("metadata"), metadata)


def _write_entries(group: Any, entries: Metadata) -> None:
    for key, value in entries.items():
        if isinstance(value, Mapping):
            _write_entries(group.create_group(key), value)
        else:
            _write(group, key, value)


def _write(group: Any, key: str, value: Field) -> None:
    if isinstance(value, str):
        group.create_dataset(key, data=value, dtype=h5py.string_dtype())
    else:
        group.create_dataset(key, data=value)
