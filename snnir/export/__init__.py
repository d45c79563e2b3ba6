"""Writers: from IR to the files of other tools. Each module has `write(network, path, notes)`.

`write` picks one by the ending of the name.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from snnir.errors import SnnirError

if TYPE_CHECKING:
    from snnir.dialects.snn import NetworkOp
    from snnir.frontend.notes import Notes

FORMATS: dict[str, tuple[str, str]] = {
    ".nir": ("snnir.export.nir.writer", "a file in the Neuromorphic Intermediate Representation"),
    ".onnx": ("snnir.export.onnx.writer", "an ordinary network in the Open Neural Network Exchange format"),
    ".snn": ("snnir.export.snn.writer", "a program, and a .safetensors file with its arrays"),
    ".mlir": ("snnir.export.mlir", "IR text, and a .safetensors file with its large tensors"),
    ".sonata": ("snnir.export.sonata.writer", "a folder with a SONATA network and its configuration"),
    ".neurons": ("snnir.export.neuron_list", "a folder with neuron lists for the published mappers"),
}
"""Ending of a name -> the module that writes it, and what it writes."""


def write(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Write a network in the format that the ending of `path` says, whole or not at all; a folder is SONATA.

    `notes` get what the format cannot say or says otherwise. Raises `SnnirError` for what it cannot say at all.
    """
    ending = path.suffix or ".sonata"
    if ending not in FORMATS:
        known = ", ".join(f"{each} ({what})" for each, (_, what) in FORMATS.items())
        raise SnnirError(path, f"there is no writer for '{ending}' files", f"there are {known}")
    import_module(FORMATS[ending][0]).write(network, path, notes)
