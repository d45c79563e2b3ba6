"""Nodes and edges of SONATA: populations in HDF5, joined with their types files.

Source: SONATA Developer Guide 0.1, "Representing Nodes" (table 1) and "Representing Edges" (table 2). What the HDF5
file says about a node or an edge takes precedence over its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Array, Group, Place, opened, reading
from snnir.frontend.names import suggestion
from snnir.frontend.sonata.config import TableFiles
from snnir.frontend.sonata.types import Row, Types, no_types, read_types

Column = NDArray[Any]
"""Numbers, or texts in an array of objects."""

_ID_LIMIT = 1 << 62
DYNAMICS = "dynamics_params"


@dataclass(frozen=True)
class Block:
    """Entries of one type and one HDF5 group: where they are and what is known of them.

    `columns` are those of the HDF5 group, one value per entry of the block; `dynamics` those of its `dynamics_params`.
    """

    entries: NDArray[np.int64]
    row: Row
    columns: Mapping[str, Column]
    dynamics: Mapping[str, Column]
    place: Place


@dataclass(frozen=True)
class Nodes:
    """A node population; entries in the order of their ids."""

    name: str
    ids: NDArray[np.int64]
    blocks: tuple[Block, ...]
    place: Place

    def entries_of(self, ids: NDArray[np.int64], place: Place) -> NDArray[np.int64]:
        """Where nodes stand in the order of ids. Raises `SnnirError` at `place` for an id that there is none of."""
        found = np.searchsorted(self.ids, ids)
        wrong = found == self.ids.size
        found[wrong] = 0
        wrong |= self.ids[found] != ids
        if wrong.any():
            number = int(np.argmax(wrong))
            what = f"entry {number} names node {ids[number]}, but population '{self.name}' has no such node"
            raise place.error(what, f"its nodes are {self.ids[0]} to {self.ids[-1]}")
        return found

    def texts(self, column: str) -> NDArray[Any]:
        """A column of any kind as text, one per node, `None` where a node has no value. `node_id` is a column, too."""
        result = np.full(self.ids.size, None, object)
        if column == "node_id":
            return self.ids.astype(object)
        for block in self.blocks:
            stored = block.columns.get(column)
            result[block.entries] = block.row.get(column) if stored is None else stored.astype(object)
        return result


@dataclass(frozen=True)
class Edges:
    """An edge population, in the order of the file."""

    name: str
    source: str
    target: str
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    blocks: tuple[Block, ...]
    place: Place


def read_nodes(files: TableFiles) -> list[Nodes]:
    """All node populations of a file. Raises `SnnirError` for anything that does not fit together."""
    result: list[Nodes] = []
    with opened(files.data) as root:
        for group in _populations(root, "nodes"):
            name = group.place.path.rpartition("/")[2]
            type_ids = _whole(group, "node_type_id")
            if not type_ids.size:
                raise group.place.error("this population has no nodes", "leave it out")
            ids = _whole(group, "node_id", type_ids.size) if "node_id" in group.names else np.arange(type_ids.size)
            order = np.argsort(ids, kind="stable")
            if np.unique(ids).size != ids.size:
                twice = int(ids[order][1:][np.diff(ids[order]) == 0][0])
                raise group.place.inside("node_id").error(f"node {twice} is there twice")
            place_of = np.empty_like(order)
            place_of[order] = np.arange(order.size)
            types = _types(files, "node", name, group.place)
            blocks = _blocks(group, "node", type_ids, types, place_of)
            result.append(Nodes(name, ids[order].astype(np.int64), blocks, group.place))
    return result


def read_edges(files: TableFiles) -> list[Edges]:
    """All edge populations of a file. Raises `SnnirError` for anything that does not fit together."""
    result: list[Edges] = []
    with opened(files.data) as root:
        for group in _populations(root, "edges"):
            name = group.place.path.rpartition("/")[2]
            sources = _whole(group, "source_node_id")
            targets = _whole(group, "target_node_id", sources.size)
            type_ids = _whole(group, "edge_type_id", sources.size)
            types = _types(files, "edge", name, group.place)
            blocks = _blocks(group, "edge", type_ids, types, np.arange(sources.size))
            ends = (_population(group, "source_node_id"), _population(group, "target_node_id"))
            result.append(Edges(name, *ends, sources, targets, blocks, group.place))
    return result


def _populations(root: Group, kind: str) -> list[Group]:
    top = root.child(kind)
    if not isinstance(top, Group):
        other = "edges" if kind == "nodes" else "nodes"
        hint = f"this is a file of {other}" if other in root.names else "see the SONATA guide, table 1 and 2"
        raise root.place.error(f"there is no group '{kind}'", hint)
    found = [child for name in top.names if isinstance(child := top.child(name), Group)]
    if not found:
        raise top.place.error("there is no population")
    return found


def _types(files: TableFiles, kind: str, population: str, place: Place) -> Types:
    return no_types(place) if files.types is None else read_types(files.types, kind, population)


def _whole(group: Group, name: str, size: int | None = None) -> NDArray[np.int64]:
    """A dataset of whole numbers that are not negative, one for each entry."""
    child = group.child(name)
    if not isinstance(child, Array):
        raise group.place.error(f"there is no dataset '{name}'", suggestion(name, group.names, "datasets"))
    array = child.read()
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise child.place.error(f"whole numbers in one dimension are expected here, not {array.dtype} {array.shape}")
    if size is not None and array.size != size:
        raise child.place.error(f"{array.size} entries, but there are {size} in the other datasets")
    if array.size and (int(array.min()) < 0 or int(array.max()) >= _ID_LIMIT):
        raise child.place.error(f"{int(array.min() if int(array.min()) < 0 else array.max())} is no valid number here")
    return array.astype(np.int64)


def _population(group: Group, name: str) -> str:
    """The node population that a dataset of node ids refers to."""
    child = group.child(name)
    assert isinstance(child, Array)
    with reading(child.place):
        value = child.dataset.attrs.get("node_population")
        value = value.decode("utf-8") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise child.place.error("the attribute 'node_population' is missing", "it names the population of these nodes")
    return value


def _blocks(
    group: Group, kind: str, type_ids: NDArray[np.int64], types: Types, place_of: NDArray[np.int64]
) -> tuple[Block, ...]:
    """The entries by type and HDF5 group; within a block in ascending order of `place_of`."""
    type_place = group.place.inside(f"{kind}_type_id")
    rows = types.rows
    positions = np.zeros(type_ids.size, np.int64)
    if types.columns:
        positions = types.positions(type_ids, type_place)
    else:
        values, positions = np.unique(type_ids, return_inverse=True)
        rows = tuple(Row(int(value), {}, type_place) for value in values)
    group_ids, indices = _group_positions(group, kind, type_ids.size)
    result: list[Block] = []
    for group_id in np.unique(group_ids):
        members = np.flatnonzero(group_ids == group_id)
        columns, dynamics, place = _columns(group, int(group_id), kind, indices[members])
        for position in np.unique(positions[members]):
            chosen = positions[members] == position
            order = np.argsort(place_of[members[chosen]], kind="stable")
            picked = np.flatnonzero(chosen)[order]
            result.append(
                Block(
                    place_of[members[picked]],
                    rows[int(position)],
                    {name: column[picked] for name, column in columns.items()},
                    {name: column[picked] for name, column in dynamics.items()},
                    place,
                )
            )
    return tuple(result)


def _group_positions(group: Group, kind: str, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each entry its HDF5 group and its place in there; one group in order when the file says nothing."""
    names = (f"{kind}_group_id", f"{kind}_group_index")
    if not set(names) & set(group.names):
        return np.zeros(size, np.int64), np.arange(size)
    return _whole(group, names[0], size), _whole(group, names[1], size)


def _columns(
    parent: Group, number: int, kind: str, indices: NDArray[np.int64]
) -> tuple[dict[str, Column], dict[str, Column], Place]:
    """The columns of an HDF5 group and those of its `dynamics_params`, in the order of `indices`."""
    group = parent.child(str(number))
    place = parent.place.inside(str(number))
    if group is None:
        return {}, {}, place
    if not isinstance(group, Group):
        raise place.error("a group is expected here")
    inner = group.child(DYNAMICS)
    index_place = parent.place.inside(f"{kind}_group_index")
    columns = _read_columns(group, indices, index_place)
    return columns, _read_columns(inner, indices, index_place) if isinstance(inner, Group) else {}, place


def _read_columns(group: Group, indices: NDArray[np.int64], index_place: Place) -> dict[str, Column]:
    library = group.child("@library")
    result: dict[str, Column] = {}
    for name in group.names:
        child = group.child(name)
        if not isinstance(child, Array) or len(child.shape) != 1:
            continue
        column = child.texts() if _is_text(child) else child.read()
        names = library.child(name) if isinstance(library, Group) else None
        if isinstance(names, Array):
            column = _pick(names.texts(), column, child.place)
        result[name] = _pick(column, indices, index_place)
    return result


def _is_text(array: Array) -> bool:
    return array.dataset.dtype.kind in "OS"


def _pick(column: Column, indices: NDArray[Any], place: Place) -> Column:
    if indices.dtype.kind not in "iu":
        raise place.error(f"whole numbers are expected here, not {indices.dtype}")
    if indices.size and (int(indices.min()) < 0 or int(indices.max()) >= column.size):
        raise place.error(f"{int(indices.max())} reaches beyond the {column.size} entries of the group")
    return column[indices]
