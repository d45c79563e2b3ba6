"""Files to read: programs with their weights, and NIR graphs written by the reference package `nir`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.parser import Parser
from xdsl.printer import Printer

from snnir.dialects.platform import Platform
from snnir.dialects.snn import SNN
from snnir.errors import SnnirError
from snnir.frontend.nir import reader as nir_frontend
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn_frontend
from snnir.tensors import write_safetensors

nir: Any = import_module("nir")

WEIGHTS: dict[str, np.ndarray[Any, Any]] = {
    "fc.weight": np.array([[0.5, -1.0], [0.25, 2.0], [1.0, 0.0]], np.float32),
    "fc.bias": np.array([0.0, 0.5, -0.5], np.float32),
    "turned": np.ones((2, 3), np.float32),
    "nan": np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]], np.float32),
    "integers": np.array([[1, 2], [3, 4], [5, 6]], np.int8),
    "taus": np.array([4e-3, 5e-3, 6e-3]),
    "bad_taus": np.array([4e-3, -5e-3, 6e-3]),
    "empty": np.empty((0, 2), np.float32),
    "rec.weight": np.eye(3, dtype=np.float32),
    "scalar": np.array(1.0, np.float32),
}

ReadSnn = Callable[..., ModuleOp]
ReadNir = Callable[..., ModuleOp]


@pytest.fixture
def read_snn(tmp_path: Path) -> ReadSnn:
    """Read program text, with `w.safetensors` beside it."""
    write_safetensors(tmp_path / "w.safetensors", WEIGHTS)

    def read(text: str | bytes, **options: Any) -> ModuleOp:
        path = tmp_path / "net.snn"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return snn_frontend.read(path, FrontendOptions(**options))

    return read


@pytest.fixture
def read_nir(tmp_path: Path) -> ReadNir:
    """Write a graph with the package `nir` (unchecked) and read it; `change` may spoil the open HDF5 file first."""

    def read(
        nodes: Mapping[str, Any],
        edges: Sequence[tuple[str, str]],
        change: Callable[[Any], None] | None = None,
        name: str = "net.nir",
        **options: Any,
    ) -> ModuleOp:
        path = tmp_path / name
        nir.write(path, nir.NIRGraph(nodes=dict(nodes), edges=list(edges), type_check=False))
        if change is not None:
            h5py: Any = import_module("h5py")
            with h5py.File(path, "r+") as file:
                change(file["node"])
        return nir_frontend.read(path, FrontendOptions(**options))

    return read


def node_input(*shape: int) -> Any:
    """A NIR Input."""
    return nir.Input(input_type={"input": np.array(shape)})


def node_output(*shape: int) -> Any:
    """A NIR Output."""
    return nir.Output(output_type={"output": np.array(shape)})


def node_lif(*shape: int, tau: Any = 5e-3, r: Any = 5.0, **other: Any) -> Any:
    """A NIR LIF; numbers stand for arrays of that number."""
    values = {"tau": tau, "r": r, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **other}
    return nir.LIF(**{name: np.full(shape, value) for name, value in values.items()})


@pytest.fixture
def lif() -> Callable[..., Any]:
    """`node_lif`."""
    return node_lif


@pytest.fixture
def ends() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`node_input` and `node_output`."""
    return node_input, node_output


@pytest.fixture
def graph() -> Callable[[], tuple[dict[str, Any], list[tuple[str, str]]]]:
    """Nodes and edges of a small recurrent network, 2 -> 3 (recurrent)."""

    def make() -> tuple[dict[str, Any], list[tuple[str, str]]]:
        nodes = {
            "a": node_input(2),
            "fc": nir.Affine(weight=WEIGHTS["fc.weight"], bias=WEIGHTS["fc.bias"]),
            "rec": nir.Linear(weight=WEIGHTS["rec.weight"]),
            "b": node_lif(3),
            "o": node_output(3),
        }
        return nodes, [("a", "fc"), ("fc", "b"), ("b", "rec"), ("rec", "b"), ("b", "o")]

    return make


@pytest.fixture
def error_of() -> Callable[[Callable[[], object]], SnnirError]:
    """Call something that must raise a `SnnirError`, and return it."""

    def run(action: Callable[[], object]) -> SnnirError:
        with pytest.raises(SnnirError) as caught:
            action()
        assert "\n" not in caught.value.message
        assert "\n" not in caught.value.hint
        return caught.value

    return run


@pytest.fixture
def reparsed() -> Callable[[ModuleOp], str]:
    """Print a module in custom syntax, then in generic syntax, parse both, verify, and print again as text."""

    def run(module: ModuleOp) -> str:
        context = Context()
        for dialect in (Builtin, SNN, Platform):
            context.load_dialect(dialect)
        for generic in (True, False):
            stream = StringIO()
            Printer(stream, print_generic_format=generic).print_op(module)
            module = Parser(context, stream.getvalue(), "printed").parse_module()
            module.verify()
        return str(module)

    return run
