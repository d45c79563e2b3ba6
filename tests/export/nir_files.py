"""`.nir` files for tests: what is in one, and files with everything that other tools write."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np

from snnir.dialects.snn import NetworkOp, networks
from snnir.export.nir.graph import Graph, Node, write_file
from snnir.export.nir.writer import write
from snnir.frontend.nir import reader as nir
from snnir.frontend.nir.mirror import Field
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions

h5py: Any = _h5py


def contents(path: Path) -> dict[str, tuple[Any, ...]]:
    """Every dataset by its path, but for the version: dimensions, type, and bytes or texts."""
    found: dict[str, tuple[Any, ...]] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name != "version":
            value = item[()]
            texts = item.dtype.kind == "O"
            bytes_ = (value.tolist() if item.shape else value) if texts else value.tobytes()
            found[name] = (item.shape, str(item.dtype), bytes_)

    with h5py.File(path, "r") as file:
        file.visititems(keep)
    return found


def network_in(path: Path, **options: Any) -> NetworkOp:
    """The network of a file."""
    (network,) = networks(nir.read(path, FrontendOptions(**options)))
    return network


def written(network: NetworkOp, path: Path) -> list[str]:
    """Write a network; the notes."""
    notes = Notes()
    write(network, path, notes)
    return notes.lines


def field(*values: Any, dtype: str = "i8", shape: tuple[int, ...] | None = None) -> Field:
    """A dataset."""
    return np.array(values, dtype).reshape(shape if shape is not None else (len(values),))


def node(name: str, kind: str, **fields: Field) -> Node:
    """A node of a file; its shape is of no interest."""
    return Node(name, kind, dict(fields), ())


def lif(name: str, shape: tuple[int, ...], dtype: str = "f8", **more: Field) -> Node:
    """A LIF node with a threshold of its own for each neuron."""
    ones = np.ones(shape, dtype)
    threshold = (0.5 + np.arange(ones.size) % 7 / 8).reshape(shape).astype(dtype)
    fields: dict[str, Field] = {"tau": ones * ones.dtype.type(0.02), "r": ones, "v_leak": 0 * ones}
    return node(name, "LIF", **fields, v_threshold=threshold, **more)


def ends(first: tuple[int, ...], last: tuple[int, ...]) -> list[Node]:
    """An Input and an Output."""
    return [node("input", "Input", shape=field(*first)), node("output", "Output", shape=field(*last))]


def save(path: Path, nodes: list[Node], edges: list[tuple[str, str]], graphs: dict[str, Graph] | None = None) -> Path:
    """Write a file."""
    write_file(path, Graph({each.name: each for each in nodes}, graphs or {}, edges))
    return path


def line(*names: str) -> list[tuple[str, str]]:
    """Edges from each to the next."""
    return list(pairwise(names))
