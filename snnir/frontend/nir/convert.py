"""From the nodes of a NIR graph to declarations, one to one.

    Input, Output                                     input, output
    Affine, Linear                                    dense (on the last dimension); sparse for one matrix per neuron
    Scale                                             one-to-one
    Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten     the same
    Delay                                             delay in whole steps
    I, IF, LI, LIF, CubaLI, CubaLIF, Threshold        populations

Several edges into a node are a sum. Numbers keep their bytes; an array of equal bytes becomes one number. What the file
says beyond that (names, nesting, types and shapes of datasets) is kept by `snnir.frontend.nir.mirror`: in the attribute
`nir` of the network and, as the path of its node, of each op. From both `snnir.export.nir.writer` restores the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr
from snnir.frontend.hdf5 import Place
from snnir.frontend.names import symbols, unique
from snnir.frontend.network import (
    Conv,
    Delay,
    Dense,
    Flatten,
    Input,
    OneToOne,
    Output,
    Pool,
    Population,
    Reference,
    Shape,
    Sparse,
    Transform,
    Value,
    semantics_for,
    text_of,
)
from snnir.frontend.nir.edges import Flat
from snnir.frontend.nir.exporter import Meaning
from snnir.frontend.nir.fields import DEFAULTS, MODELS, Node, field_of
from snnir.frontend.nir.lints import Findings
from snnir.frontend.nir.mirror import ATTRIBUTE, mark
from snnir.frontend.nir.rules import flatten_range, padding_of, window
from snnir.frontend.nir.shapes import Shapes
from snnir.frontend.options import FrontendOptions
from snnir.semantics import PARAMETERS, TIME_CONSTANTS
from snnir.tensors import Tensor

_WHOLE = 1e-6


@dataclass
class Declared:
    """The declarations of a network, without delays that the file does not state. Names are symbols."""

    inputs: list[Input]
    transforms: list[Transform]
    populations: list[Population]
    outputs: list[Output]


class Converter:
    """Makes declarations of nodes. `names` maps a node to its symbol."""

    def __init__(
        self, flat: Flat, shapes: Shapes, meaning: Meaning, options: FrontendOptions, findings: Findings
    ) -> None:
        self.flat, self.shapes, self.meaning, self.options = flat, shapes, meaning, options
        self.findings = findings
        self.kept = sorted(name for name in flat.nodes if not flat.is_wire(name))
        self.names = symbols(self.kept)
        self.taken = set(self.names.values())
        self.sources = {name: flat.sources(name) for name in self.kept}
        self.missing: dict[str, list[str]] = {}

    def declared(self) -> Declared:
        """All declarations, sorted by name."""
        result = Declared([], [], [], [])
        for name in self.kept:
            node, symbol = self.flat.nodes[name], self.names[name]
            attributes = mark(node.place.path)
            references = tuple(Reference(self.names[each], node.place) for each in self.sources[name])
            if node.kind == "Input":
                shape = self.shapes.into[name]
                result.inputs.append(Input(symbol, shape, node.place, attributes=attributes))
            elif node.kind == "Output":
                result.outputs.append(Output(symbol, references, node.place, attributes))
            elif node.is_population:
                references = self.flattened(node, references, result)
                result.populations.append(self.population(node, symbol, references, attributes))
            else:
                references = self.flattened(node, references, result)
                op = self.operation(node, symbol)
                shape = self.shapes.out[name]
                result.transforms.append(Transform(symbol, references, op, node.place, shape, symbol, attributes))
        for fields, names in self.missing.items():
            what = f"not in the file, NIR's default is used: {fields} in {some(names)}"
            self.findings.notes.add(self.flat.place, what)
        return result

    def flattened(self, node: Node, inputs: tuple[Reference, ...], result: Declared) -> tuple[Reference, ...]:
        """What a node reads, through a Flatten where it needs one. (Matrices flatten what they read themselves.)"""
        if self.shapes.repair(node.name) != "flatten" or node.is_matrix:
            return inputs
        name = unique(f"{self.names[node.name]}_flat", self.taken)
        self.taken.add(name)
        result.transforms.append(Transform(name, inputs, Flatten(), node.place))
        return (Reference(name, node.place),)

    def population(
        self, node: Node, symbol: str, inputs: tuple[Reference, ...], attributes: Mapping[str, Attribute]
    ) -> Population:
        """A node with a state, or one that emits spikes."""
        model, shape = MODELS[node.kind], self.shapes.out[node.name]
        parameters: dict[str, Value] = {}
        missing: list[str] = []
        for parameter in PARAMETERS[model]:
            field = field_of(parameter, model)
            place = node.place.inside(field)
            if field not in node.numbers:
                missing.append(f"{field} = {DEFAULTS[field]:g}")
                parameters[parameter] = Value(DEFAULTS[field], place)
                continue
            tensor = node.numbers[field]
            if parameter in TIME_CONSTANTS and self.meaning.time_scale != 1.0:
                tensor = Tensor.of(tensor.key, tensor.array * tensor.array.dtype.type(self.meaning.time_scale))
            meant = self.meant(node, field, tensor)
            if meant is not None:
                pair = (("read", meant), ("file", tensor.array.ravel()))
                kept = [TensorAttr.of(f"{symbol}.{field}.{name}", array) for name, array in pair]
                attributes = _with(attributes, field, ArrayAttr(kept))
                tensor = Tensor.of(tensor.key, meant.reshape(tensor.shape))
            parameters[parameter] = self.per_neuron(node, field, tensor, f"{symbol}.{parameter}", shape)
        if missing:
            self.missing.setdefault(", ".join(missing), []).append(node.name)
        semantics = semantics_for(self.meaning.semantics, model, self.options, str(self.flat.place))
        return Population(symbol, shape, model, parameters, semantics, node.place, inputs, attributes=attributes)

    def meant(self, node: Node, field: str, tensor: Tensor) -> NDArray[np.float64] | None:
        """What a gain stands for where the exporter meant other numbers; `None` where they say what they mean."""
        dt = self.meaning.dt
        if self.meaning.unit_gain and node.kind == "IF" and field == "r":
            return np.ones(tensor.size)
        if self.meaning.rockpool and node.kind == "CubaLIF" and field in ("r", "w_in"):
            name = "tau_mem" if field == "r" else "tau_syn"
            tau = np.broadcast_to(node.numbers[name].array.astype(np.float64).ravel(), tensor.size)
            return 1.0 / (1.0 - np.exp(-dt / tau)) if field == "r" else tau / dt * np.exp(-dt / tau)
        return None

    def per_neuron(self, node: Node, field: str, tensor: Tensor, key: str, shape: Shape) -> Value:
        """A number, or an array with one entry per neuron."""
        place, array = node.place.inside(field), tensor.array
        if _uniform(tensor):
            return Value(float(array.ravel()[0]), place)
        if array.shape != shape:
            array = array.reshape(shape) if array.size == prod(shape) else np.broadcast_to(array, shape)
            return Value(Tensor.of(key, array), place)
        return Value(tensor.renamed(key), place)

    def operation(self, node: Node, symbol: str) -> Dense | OneToOne | Sparse | Conv | Pool | Flatten | Delay:
        """What a node without a state computes."""
        match node.kind:
            case "Affine" | "Linear":
                if len(node.weight.shape) > 2:
                    return self.matrices(node, symbol)
                weight = node.weight.renamed(f"{symbol}.weight")
                if self.shapes.repair(node.name) == "transpose":
                    weight = Tensor.of(weight.key, weight.array.T)
                bias = self.whole(node, "bias", symbol)
                return Dense(Value(weight, node.place.inside("weight")), bias)
            case "Scale":
                shape = self.shapes.out[node.name]
                return OneToOne(self.per_neuron(node, "scale", node.numbers["scale"], f"{symbol}.scale", shape))
            case "Conv1d" | "Conv2d":
                return self.convolution(node, symbol)
            case "SumPool2d" | "AvgPool2d":
                kernel, padding = window(node, "kernel_size", 2), window(node, "padding", 2, 0)
                assert kernel is not None
                assert padding is not None
                none = padding == (0, 0)
                kind = "sum" if node.kind == "SumPool2d" else "avg"
                return Pool(kind, kernel, window(node, "stride", 2), None if none else (padding, padding))
            case "Flatten":
                return Flatten(*flatten_range(node, self.shapes.repair(node.name) == "unbatch"))
            case _:
                assert node.kind == "Delay"
                return self.delay(node, symbol)

    def whole(self, node: Node, field: str, symbol: str) -> Value | None:
        """An array as it is, where the node has it."""
        if field not in node.numbers:
            return None
        return Value(node.numbers[field].renamed(f"{symbol}.{field}"), node.place.inside(field))

    def matrices(self, node: Node, symbol: str) -> Sparse:
        """A weight of more than two dimensions: one matrix for each entry of the dimensions before the last."""
        place, array = node.place.inside("weight"), node.weight.array
        rows, columns = array.shape[-2:]
        count = array.size // (rows * columns)
        block, row, column = (n.ravel() for n in np.indices((count, rows, columns), np.int64))
        bias = node.numbers.get("bias")
        if bias is not None:
            shape = (*array.shape[:-2], rows)
            bias = Tensor.of(f"{symbol}.bias", np.broadcast_to(bias.array, shape))
        return Sparse(
            Value(Tensor.of(f"{symbol}.weight", array.ravel()), place),
            Value(block * columns + column, place),
            Value(block * rows + row, place),
            bias=None if bias is None else Value(bias, node.place.inside("bias")),
        )

    def convolution(self, node: Node, symbol: str) -> Conv:
        """Conv1d and Conv2d."""
        kernel = node.weight.shape[2:]
        padding, stride = padding_of(node, kernel), window(node, "stride", len(kernel))
        assert padding is not None
        if node.padding == "same" and stride is not None and max(stride) > 1:
            what = f"'same' pads as for stride 1: {text_of(padding[0])} before, {text_of(padding[1])} behind"
            self.findings.notes.add(node.place.inside("padding"), what)
        weight = self.whole(node, "weight", symbol)
        assert weight is not None
        return Conv(
            weight,
            self.whole(node, "bias", symbol),
            None,
            stride,
            padding,
            window(node, "dilation", len(kernel)),
            (node.counts.get("groups") or (1,))[0],
        )

    def delay(self, node: Node, symbol: str) -> Delay:
        """Delays in seconds as steps, which must be whole."""
        place, dt, tensor = node.place.inside("delay"), self.meaning.dt, node.numbers["delay"]
        seconds = tensor.array.astype(np.float64) * self.meaning.time_scale
        steps = np.rint(seconds / dt)
        wrong = np.argwhere(np.abs(seconds / dt - steps) > _WHOLE * np.maximum(1.0, steps))
        if wrong.size:
            self.report_delay(float(seconds[tuple(wrong[0])]), place)
        whole = steps.astype(np.int64)
        shape = self.shapes.out[node.name]
        if (whole == whole.flat[0]).all():
            return Delay(int(whole.flat[0]))
        return Delay(Value(np.broadcast_to(whole.reshape(whole.shape[-len(shape) :]), shape).copy(), place))

    def report_delay(self, seconds: float, place: Place) -> None:
        """A delay that is no whole number of steps."""
        dt = self.meaning.dt
        below, above = np.floor(seconds / dt), np.ceil(seconds / dt)
        what = f"a delay of {seconds:g} s is {seconds / dt:.6g} steps of {dt:g} s, but delays are whole steps"
        hint = f"{below * dt:g} s or {above * dt:g} s would be, or pass a --dt that divides it"
        self.findings.defect("delay", place, what, hint)


def some(names: Sequence[str]) -> str:
    """The first names of a list."""
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def _uniform(tensor: Tensor) -> bool:
    """Whether all entries have the same bytes."""
    raw = tensor.array.reshape(-1).view(f"u{tensor.array.dtype.itemsize}")
    return bool((raw == raw[0]).all())


def _with(attributes: Mapping[str, Attribute], name: str, value: Attribute) -> dict[str, Attribute]:
    """An op's attributes with one entry more in what is kept for the file."""
    before = attributes.get(ATTRIBUTE)
    entries = dict(before.data) if isinstance(before, DictionaryAttr) else {}
    return {**attributes, ATTRIBUTE: DictionaryAttr({**entries, name: value})}


def twin_of(transform: Transform, name: str) -> Transform:
    """A second copy of a transform."""
    return replace(transform, name=name, label=name)
