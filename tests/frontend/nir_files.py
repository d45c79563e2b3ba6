"""NIR graphs for tests: nodes by the reference package `nir`, files by it or by h5py alone, and runs of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.snn import NetworkOp, networks
from snnir.frontend.nir import reader as nir_frontend
from snnir.frontend.options import FrontendOptions
from snnir.sim import simulate
from snnir.sim.entry import network_of

nir: Any = import_module("nir")
h5py: Any = import_module("h5py")

DT = 1e-3
Edges = Sequence[tuple[str, str]]
Change = Callable[[Any], None]
Floats = NDArray[np.float64]


def source(*shape: int) -> Any:
    """A NIR Input."""
    return nir.Input(input_type={"input": np.array(shape)})


def sink(*shape: int) -> Any:
    """A NIR Output."""
    return nir.Output(output_type={"output": np.array(shape)})


def filled(kind: Any, shape: tuple[int, ...], **values: Any) -> Any:
    """A NIR node; numbers stand for arrays of that number."""
    return kind(**{name: np.broadcast_to(np.asarray(value, float), shape).copy() for name, value in values.items()})


def lif(*shape: int, tau: Any = 5e-3, r: Any = 5.0, **other: Any) -> Any:
    """A NIR LIF, for dt = 1 ms."""
    return filled(nir.LIF, shape, **{"tau": tau, "r": r, "v_leak": 0, "v_threshold": 1, "v_reset": 0, **other})


def cuba(*shape: int, **other: Any) -> Any:
    """A NIR CubaLIF, for dt = 1 ms."""
    values = {"tau_syn": 2e-3, "tau_mem": 4e-3, "r": 4.0, "v_leak": 0, "v_threshold": 1, "v_reset": 0, "w_in": 2.0}
    return filled(nir.CubaLIF, shape, **{**values, **other})


def spiking(*shape: int, r: Any = 1.0, v_threshold: Any = 1.0, v_reset: Any = 0.0) -> Any:
    """A NIR IF."""
    return filled(nir.IF, shape, r=r, v_threshold=v_threshold, v_reset=v_reset)


def graph(nodes: Mapping[str, Any], edges: Edges) -> Any:
    """An unchecked NIR graph; nodes that are pairs of nodes and edges are graphs inside it."""
    made = {name: graph(*node) if isinstance(node, tuple) else node for name, node in nodes.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return nir.NIRGraph(nodes=made, edges=list(edges), type_check=False)


def chain(*names: str) -> list[tuple[str, str]]:
    """Edges from each to the next."""
    return list(pairwise(names))


def written(path: Path, nodes: Mapping[str, Any], edges: Edges, change: Change | None = None) -> Path:
    """Write a graph with the package `nir`; `change` may spoil the open HDF5 file then."""
    nir.write(path, graph(nodes, edges))
    if change is not None:
        with h5py.File(path, "r+") as file:
            change(file["node"])
    return path


def replaced(values: Mapping[str, Any]) -> Change:
    """A change that puts other values at paths of the file, or removes what is there (`None`)."""

    def change(file: Any) -> None:
        for path, value in values.items():
            if path in file:
                del file[path]
            if value is not None:
                file[path] = value

    return change


def pairs(*edges: tuple[str, str]) -> list[list[str]]:
    """Edges as a file holds them."""
    return [list(edge) for edge in edges]


def read(path: Path, **options: Any) -> ModuleOp:
    """The module that a file becomes, verified."""
    module = nir_frontend.read(path, FrontendOptions(**options))
    module.verify()
    return module


def network(module: ModuleOp) -> NetworkOp:
    """The only network of a module."""
    (found,) = networks(module)
    return found


def run(path: Path, inputs: Mapping[str, NDArray[Any]], **options: Any) -> dict[str, Floats]:
    """What each Output of a file shows for one sample: (steps, neurons), flat. `inputs` are (steps, *shape)."""
    program = network_of(network(read(path, **options)))
    given = {name: each[None].astype(np.uint8) for name, each in inputs.items()}
    signals = simulate(program, given, record=set(program.outputs.values()))
    return {name: signals[of][0].reshape(each_steps(inputs), -1).astype(float) for name, of in program.outputs.items()}


def each_steps(inputs: Mapping[str, NDArray[Any]]) -> int:
    """The number of steps of some data."""
    return len(next(iter(inputs.values())))


def rain(seed: int, steps: int, *shape: int, rate: float = 0.3) -> NDArray[np.uint8]:
    """Random spikes (steps, *shape)."""
    return (np.random.default_rng(seed).random((steps, *shape)) < rate).astype(np.uint8)
