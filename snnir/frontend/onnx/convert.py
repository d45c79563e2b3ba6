"""From the graph in an `.onnx` file to declarations: node after node, as `operators` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from snnir.errors import SnnirError
from snnir.frontend.checks import NEURON_LIMIT
from snnir.frontend.hdf5 import shown
from snnir.frontend.names import symbol, unique
from snnir.frontend.network import Input, Output, Population, Reference, Shape, Transform, text_of
from snnir.frontend.notes import Notes
from snnir.frontend.onnx.context import Context, Refused
from snnir.frontend.onnx.file import Model, Node, Port
from snnir.frontend.onnx.findings import Findings
from snnir.frontend.onnx.folding import folded
from snnir.frontend.onnx.operators import HANDLERS, OPSETS, SHAPES, refusal
from snnir.frontend.onnx.tensors import type_name
from snnir.frontend.onnx.views import Array, View


@dataclass
class Declared:
    """The declarations of a network."""

    inputs: list[Input]
    transforms: list[Transform]
    populations: list[Population]
    outputs: list[Output]


def check_operators(model: Model, findings: Findings) -> None:
    """Every operator that is not understood, and an opset that is not, before anything is made of the file."""
    if model.opset not in OPSETS:
        what = f"opset {model.opset} is refused: operators are understood as opsets {OPSETS[0]} to {OPSETS[-1]} define"
        findings.defect("opset", model.place, f"{what} them", f"export with opset_version={OPSETS[-1]}")
    known = set(model.stored) | {""}
    found: dict[tuple[str, str], list[Node]] = {}
    for node in model.nodes:
        constant = node.op in SHAPES or all(name in known for name in node.inputs)
        if constant and not node.domain:
            known.update(node.outputs)
        refused = refusal(node, constant=constant)
        if refused is not None:
            found.setdefault(refused, []).append(node)
    for (what, hint), nodes in found.items():
        more = f" (here and in {len(nodes) - 1} more nodes)" if len(nodes) > 1 else ""
        findings.defect("operator", nodes[0].place, f"{what}{more}", hint)


def converted(model: Model, before: Findings) -> Declared:
    """The declarations of a file, with everything `before` and all that is found on the way settled.

    A first dimension of an input that is a number above 1 counts samples, unless the graph only fits together when it
    is taken for a part of each sample.
    """
    tried: list[tuple[Declared, Findings]] = []
    for batched in (True, False):
        findings = Findings(before.fix, Notes(list(before.notes.lines)), list(before.found))
        converter = Converter(model, findings, findings.notes, batched=batched)
        tried.append((converter.declared(), findings))
        if not findings.has_defects or converter.batch is None:
            break
    declared, findings = tried[-1] if not tried[-1][1].has_defects else tried[0]
    findings.settle()
    before.notes.lines[:] = findings.notes.lines
    return declared


class Converter:
    """Makes declarations. `batched`: a first dimension of the inputs that is a number counts samples."""

    def __init__(self, model: Model, findings: Findings, notes: Notes, *, batched: bool) -> None:
        self.model, self.findings, self.notes, self.batched = model, findings, notes, batched
        self.names: dict[int, str] = {}
        taken: set[str] = set()
        for port in (*model.inputs, *model.outputs):
            self.names[id(port)] = unique(symbol(port.name.strip("/") or "signal"), taken)
            taken.add(self.names[id(port)])
        stated = [port.shape[0] for port in model.inputs if port.shape is not None and len(port.shape) > 1]
        numbers = {size for size in stated if isinstance(size, int) and size > 1} if batched else set[int]()
        self.batch = max(numbers) if numbers else None
        self.context = Context(model.opset, self.batch, model.readers(), taken, notes)
        self.inputs: list[Input] = []

    def declared(self) -> Declared:
        """All declarations; what cannot be converted is a finding."""
        c = self.context
        c.constants.update(self.model.stored)
        for port in self.model.inputs:
            self.input(port)
        for node in self.model.nodes:
            if c.is_known(node):
                self.node(node)
        for lint, place, what, repair in c.repairs:
            self.findings.repairable(lint, place, what, repair)
        outputs = [self.output(port) for port in self.model.outputs if not self.findings.has_defects]
        found = [each for each in outputs if each is not None]
        return Declared(self.inputs, list(c.transforms.values()), c.populations, found)

    def input(self, port: Port) -> None:
        """An input of the graph, without its batch."""
        c, kind = self.context, type_name(port.element)
        c.inputs.add(port.name)
        if not c.readers.get(port.name):
            self.notes.add(port.place, "nothing reads this input; it is left out")
            return
        hint = "fix the shape: python -m onnxruntime.tools.make_dynamic_shape_fixed model.onnx fixed.onnx"
        if port.shape is None:
            self.findings.defect("unknown-shape", port.place, "this input states no shape", hint)
            return
        sizes = list(port.shape)
        if sizes and (isinstance(sizes[0], str | None) or (len(sizes) > 1 and self.batched)):
            if isinstance(sizes[0], int) and sizes[0] > 1:
                self.notes.add(port.place, f"the first dimension, {sizes[0]}, is taken for samples of a batch")
            sizes[0] = 1
        elif sizes and isinstance(sizes[0], int) and len(sizes) > 1 and sizes[0] > 1:
            self.notes.add(port.place, f"the first dimension, {sizes[0]}, is taken for a part of each sample")
        shape: list[int] = []
        for size in sizes:
            if not isinstance(size, int):
                called = f"'{shown(size)}'" if size else "without a name"
                what = f"this input has a dimension {called} of unknown size"
                self.findings.defect("unknown-shape", port.place, what, hint)
                return
            shape.append(size)
        self._declared_input(port, tuple(shape), kind)

    def _declared_input(self, port: Port, shape: Shape, kind: str) -> None:
        if kind.startswith(("elements", "strings", "complex", "bool")):
            self.findings.defect("unknown-shape", port.place, f"this input brings {kind}", "let it bring float32")
            return
        size = 1
        for each in shape:
            size *= max(each, 0)
        if not 0 < size <= NEURON_LIMIT:
            what = f"this input has the shape {text_of(shape)}"
            self.findings.defect("unknown-shape", port.place, what, f"an input has 1 to {NEURON_LIMIT} entries")
            return
        name, view = self.names[id(port)], View((), (1,), shape)
        self.inputs.append(Input(name, view.sample, port.place, "f64"))
        whole, positive = not kind.startswith(("float", "bfloat")), kind.startswith("uint")
        try:
            self.context.set(port.name, View((name,), view.sample, shape, positive=positive, whole=whole))
        except Refused as refused:
            self.findings.defect(refused.lint, port.place, refused.message, refused.hint)

    def node(self, node: Node) -> None:
        """Convert a node, or compute it."""
        c = self.context
        try:
            if node.op not in SHAPES and all(not name or name in c.constants for name in node.inputs):
                for name, array in zip(node.outputs, folded(c, node, Path(self.model.place.file).parent), strict=False):
                    c.set(name, array)
                return
            self._check_outputs(node)
            found = HANDLERS[node.op](c, node)
            several: list[View] | list[Array] | list[View | Array] = found if isinstance(found, list) else [found]
            for name, each in zip(node.outputs, several, strict=False):
                c.set(name, each, alone=len(several) == 1)
        except Refused as refused:
            self.findings.defect(refused.lint, node.place, refused.message, refused.hint)
        except SnnirError as error:
            self.findings.error("use", error)

    def _check_outputs(self, node: Node) -> None:
        """Refuse further outputs that are read: masks, statistics, places of the largest."""
        if node.op == "Split":
            return
        for number, name in enumerate(node.outputs[1:], 1):
            if name and self.context.readers.get(name):
                what = f"output {number} of {node.op} ('{shown(name)}') is read, but only the first one is computed"
                raise Refused(what, "remove what reads it")

    def output(self, port: Port) -> Output | None:
        """An output of the graph. Its stated shape is compared."""
        c = self.context
        view = c.views.get(port.name)
        if view is None:
            if port.name in c.constants:
                what = f"the output '{shown(port.name)}' is constant"
                self.findings.defect("no-outputs", port.place, what, "remove it from the outputs")
            return None
        self.compare(port, view)
        node = Node("Output", "", [], [], {}, port.place, self.names[id(port)], None)
        try:
            names = c.plain(node, c.ordered(node, view), view.sample)
        except Refused as refused:
            self.findings.defect(refused.lint, port.place, refused.message, refused.hint)
            return None
        return Output(self.names[id(port)], tuple(Reference(name, port.place) for name in names), port.place)

    def compare(self, port: Port, view: View) -> None:
        """A stated shape that contradicts the shape that an output has; the batch may be anything."""
        if port.shape is None:
            return
        agree = len(port.shape) == len(view.shape) and all(
            not isinstance(stated, int) or stated == size or (n == 0 and size == 1)
            for n, (stated, size) in enumerate(zip(port.shape, view.shape, strict=False))
        )
        if not agree:
            stated = "x".join(str(size or "?") for size in port.shape) or "no dimensions"
            what = f"the output is stated as {stated}, but it is {text_of(view.shape)}"
            self.findings.repairable("output-shape", port.place, what, "takes the shape that it has")
