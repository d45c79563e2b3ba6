"""The writer of IR text: `x.mlir`, with large tensors in `x.mlir.safetensors` beside it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

from snnir import tensors
from snnir.dialects.snn import NetworkOp
from snnir.export.base import whole
from snnir.frontend.notes import Notes


def write(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Write the module of a network, or the network alone where it is in none. IR text says everything: no notes."""
    del notes
    module = network.parent_op()
    text = StringIO()
    with tensors.sink(f"{path.name}.safetensors") as policy:
        Printer(text).print_op(module if isinstance(module, ModuleOp) else network)
    with whole(path) as temporary:
        temporary.write_text(f"{text.getvalue()}\n", encoding="utf-8", newline="\n")
        tensors.write_stored(policy, path.parent)
