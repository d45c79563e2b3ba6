"""The writer of `.onnx` files: ordinary networks at opset 17.

A network of real numbers is written in float32, an operator for each op (`real`). One whose signals are codes is
arithmetic in float64 that gives the same codes (`coded`): its inputs are values, its outputs codes. What has a state,
and whatever takes time, ONNX cannot say; that is an error that names the op.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.platform import ATTRIBUTE as MACHINE
from snnir.dialects.snn import (
    ActivationOp,
    BundleOp,
    DelayOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    SparseOp,
    WeightedOp,
    delay_of,
)
from snnir.errors import SnnirError
from snnir.export.base import listed, refusal, title, whole
from snnir.export.onnx.coded import CodedLowering
from snnir.export.onnx.graph import Graph
from snnir.export.onnx.matrices import shape_of
from snnir.export.onnx.real import RealLowering
from snnir.frontend.notes import Notes

LARGEST = (1 << 31) - (1 << 20)
"""A file of more bytes than this cannot be read (Protocol Buffers)."""
_TEXT = "ordinary network written by snnir; inputs and outputs are (samples, *shape)"


def write(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Write a network as an `.onnx` file, whole or not at all. Raises `SnnirError` for what ONNX cannot state."""
    if find_spec("onnx") is None:
        raise SnnirError(path, "writing ONNX files needs the package onnx", "pip install 'snnir[onnx]'")
    document = document_of(network, path, notes)
    with whole(path) as temporary:
        temporary.write_bytes(document)


def document_of(network: NetworkOp, path: Path, notes: Notes) -> bytes:
    """The bytes of the file. `path` is for messages."""
    for op in network.body.block.ops:
        _check(op, path)
    coded = [op for op in network.sources.values() if op.coding is not None]
    inputs = [op for op in network.sources.values() if isinstance(op, InputOp)]
    if not inputs:
        raise SnnirError(path, "the program has no input, which says how many samples there are", "add an input")
    reserved = [*network.outputs, *(op.sym_name.data for op in inputs)]
    graph = Graph(reserved, np.float64 if coded else np.float32)
    lowering = CodedLowering(graph, path) if coded else RealLowering(graph, path)
    for op in inputs:
        lowering.given(op.signal, graph.input(op.sym_name.data, shape_of(op.signal)))
    for value in _in_order(list(network.outputs.values())):
        lowering.signal(value)
    for name, op in network.outputs.items():
        found = lowering.shaped(op.signal) if isinstance(lowering, CodedLowering) else lowering.signal(op.signal)
        graph.output(name, found, shape_of(op.signal))
    if not network.outputs:
        raise SnnirError(path, "the program has no output, and an ONNX file has one", "add an output")
    if graph.stored_bytes > LARGEST:
        raise SnnirError(path, f"{graph.stored_bytes} bytes of weights, and an ONNX file holds 2 GiB", "write .mlir")
    _note(network, path, notes)
    return graph.document(network.sym_name.data, _TEXT)


def _in_order(outputs: list[OutputOp]) -> Iterator[SSAValue]:
    """All signals that lead to outputs, each after what it is made of, so that no chain is too long to follow."""
    done: set[SSAValue] = set()
    pending = [(op.signal, False) for op in reversed(outputs)]
    while pending:
        value, ready = pending.pop()
        if value in done:
            continue
        owner = value.owner
        assert isinstance(owner, Operation)
        if ready:
            done.add(value)
            if isinstance(owner, ActivationOp):
                yield value
        else:
            pending.append((value, True))
            pending += [(operand, False) for operand in reversed(owner.operands)]


def _check(op: Operation, path: Path) -> None:
    """Refuse what has a state, what brings spikes, and what takes time."""
    hint = "write .nir, .snn or .mlir instead"
    if isinstance(op, NeuronOp) and not isinstance(op, ActivationOp):
        raise refusal(op, path, f"ONNX has no neurons with a state, and {title(op)} is {op.name}", hint)
    if isinstance(op, InputOp) and op.emits_spikes:
        raise refusal(op, path, f"{title(op)} brings spikes, and an ONNX file knows no steps", hint)
    late = isinstance(op, DelayOp) or (isinstance(op, WeightedOp) and delay_of(op) > 0)
    late = late or (isinstance(op, SparseOp) and isinstance(op.delays, TensorAttr) and bool(op.delays.array.any()))
    late = late or (isinstance(op, BundleOp) and op.is_late)
    if late:
        raise refusal(op, path, f"{title(op)} delays its signal, and an ONNX file knows no steps", hint)


def _note(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Say what the file does not."""
    notes.add(path, f"an .onnx file does not say how long a step is: read it with --dt {network.step_seconds:g}")
    if network.steps is not None and network.steps.data != 1:
        notes.add(path, f"not in an .onnx file: an inference takes {network.steps.data} steps")
    coded = [op for op in network.sources.values() if op.coding is not None]
    if coded:
        notes.add(path, f"codes are float64 arithmetic, inputs are values, outputs codes: {listed(map(title, coded))}")
    module = network.parent_op()
    silent = {
        "the machine": module is not None and MACHINE in module.attributes,
        "measured activity": any(op.activity is not None for op in network.sources.values()),
    }
    if any(silent.values()):
        notes.add(path, f"not in an .onnx file: {', '.join(what for what, found in silent.items() if found)}")
