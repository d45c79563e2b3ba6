"""What operators are converted with: tensors so far, and the declarations that have been made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from snnir.activations import ACTIVATIONS
from snnir.frontend.hdf5 import Place, shown
from snnir.frontend.names import symbol, unique
from snnir.frontend.network import (
    Conv,
    Dense,
    Flatten,
    OneToOne,
    Pool,
    Population,
    Reference,
    Shape,
    Slice,
    Sparse,
    Transform,
    Value,
    text_of,
)
from snnir.frontend.notes import Notes
from snnir.frontend.onnx.file import AGAIN, Node
from snnir.frontend.onnx.findings import Refused
from snnir.frontend.onnx.views import ZERO, Array, View
from snnir.indices import Indices
from snnir.semantics import Semantics

SIGNAL_LIMIT = 1 << 27
"""Tensors with more entries than this are refused."""

Op = Dense | OneToOne | Conv | Sparse | Pool | Flatten | Slice


class Context:
    """The network so far.

    `batch` is the number of samples that the inputs state, `None` where any number is meant or there is no such
    dimension; `readers` is how often each tensor is read; `reserved` are names that are taken.
    """

    def __init__(
        self, opset: int, batch: int | None, readers: Mapping[str, int], reserved: set[str], notes: Notes
    ) -> None:
        self.opset, self.batch, self.readers, self.notes = opset, batch, readers, notes
        self.taken = set(reserved)
        self.constants: dict[str, Array] = {}
        self.views: dict[str, View] = {}
        self.inputs: set[str] = set()
        """The tensors that are inputs of the graph."""
        self.transforms: dict[str, Transform] = {}
        self.populations: list[Population] = []
        self.repairs: list[tuple[str, Place, str, str]] = []
        self._plain: dict[tuple[tuple[str, ...], Shape, bytes], tuple[str, ...]] = {}

    def set(self, name: str, found: View | Array, *, alone: bool = True) -> None:
        """What a tensor is. `alone`: no other tensor is made of the same signal by the same node."""
        if isinstance(found, View):
            check_size(found.shape, f"'{shown(name)}'")
            alone = alone and found.alone and self.readers.get(name, 0) == 1
            self.views[name] = replace(found, alone=alone)
        else:
            self.constants[name] = found

    # what a node reads

    def has(self, node: Node, number: int) -> bool:
        """Whether an optional input is there."""
        return len(node.inputs) > number and bool(node.inputs[number])

    def is_signal(self, node: Node, number: int) -> bool:
        """Whether an input is computed from data."""
        return self.has(node, number) and node.inputs[number] in self.views

    def is_known(self, node: Node) -> bool:
        """Whether everything that a node reads could be converted."""
        return all(not name or name in self.views or name in self.constants for name in node.inputs)

    def view(self, node: Node, number: int = 0, *, whole: bool = False) -> View:
        """An input that is computed from data; a constant one is refused, and integers where they are not expected."""
        if not self.has(node, number):
            raise Refused(f"{node.op} lacks its input {number}", AGAIN, "damaged")
        name = node.inputs[number]
        if name not in self.views:
            raise Refused(f"{node.op} reads the constant '{shown(name)}' in place of data", "let it read data")
        found = self.views[name]
        if found.whole and not whole:
            raise Refused(f"{node.op} computes with integers", "cast them to float before")
        return found

    def constant(self, node: Node, number: int, what: str) -> Array:
        """An input that is known before any data are. `what` it is, in the plural."""
        if not self.has(node, number):
            raise Refused(f"{node.op} lacks its {what}", AGAIN, "damaged")
        name = node.inputs[number]
        if name in self.constants:
            return self.constants[name]
        if name in self.inputs:
            hint = "store them in the file: export with the parameters"
            raise Refused(f"the {what} of {node.op} are the input '{shown(name)}' of the graph", hint, "no-weights")
        hint = "export for inference, with constant parameters"
        raise Refused(f"the {what} of {node.op} are computed from data", hint)

    def floats(self, node: Node, number: int, what: str) -> Array:
        """The same, as real numbers."""
        found = self.constant(node, number, what)
        if found.dtype.kind != "f":
            raise Refused(f"the {what} of {node.op} are {found.dtype}, not real numbers", "cast them to float")
        return found

    def whole_numbers(self, node: Node, number: int, what: str) -> list[int] | None:
        """A constant list of whole numbers; `None` where the input is missing."""
        return [int(n) for n in self.constant(node, number, what).ravel()] if self.has(node, number) else None

    # what it makes

    def name(self, node: Node, suffix: str = "") -> str:
        """A new symbol for what a node makes."""
        wished = symbol(f"{node.title or node.op.lower()}{suffix}")
        if wished in self.taken:
            wished = f"{wished}_{node.op.lower()}"
        found = unique(wished, self.taken)
        self.taken.add(found)
        return found

    def transform(self, node: Node, op: Op, names: tuple[str, ...], shape: Shape, suffix: str = "") -> tuple[str, ...]:
        """The signal that an op makes of a sum of signals."""
        name = self.name(node, suffix)
        references = tuple(Reference(each, node.place) for each in names)
        self.transforms[name] = Transform(name, references, op, node.place, shape, name)
        return (name,)

    def population(
        self, node: Node, model: str, view: View, *, positive: bool = False, **parameters: float | Array
    ) -> View:
        """A population that applies a function to every entry of a view; arrays of parameters are broadcast to it."""
        view = self.ordered(node, view)
        values: dict[str, Value] = {}
        for key in ACTIVATIONS[model]:
            given = parameters[key]
            values[key] = Value(view.over_base(given) if isinstance(given, np.ndarray) else given, node.place)
        name = self.name(node)
        references = tuple(Reference(each, node.place) for each in view.names)
        self.populations.append(Population(name, view.base, model, values, Semantics(), node.place, references))
        return replace(view, names=(name,), positive=positive, alone=False)

    def ordered(self, node: Node, view: View) -> View:
        """The same tensor as a permutation of the neurons of its base."""
        if view.is_permutation:
            return view
        return replace(view, names=self.plain(node, view, view.sample), base=view.sample, indices=None, alone=False)

    def plain(self, node: Node, view: View, shape: Shape) -> tuple[str, ...]:
        """The signals, in row-major order and of `shape`, whose sum a view is."""
        if view.indices is None and view.base == shape:
            return view.names
        key = (view.names, shape, b"" if view.indices is None else view.indices.tobytes())
        if key not in self._plain:
            self._plain[key] = self._made_plain(node, view, shape)
        return self._plain[key]

    def _made_plain(self, node: Node, view: View, shape: Shape) -> tuple[str, ...]:
        if view.indices is None:
            if len(shape) == 1:
                return self.transform(node, Flatten(), view.names, shape, "_flat")
            return self.transform(node, Slice(Indices.span(0, view.size)), view.names, shape, "_shaped")
        if view.is_selection:
            return self.transform(node, Slice(Indices.of(view.indices.ravel())), view.names, shape, "_part")
        flat = view.indices.ravel()
        targets = np.flatnonzero(flat != ZERO)
        if not targets.size:
            raise Refused(f"{node.op} reads nothing but the zeros of a padding", "let it read data")
        return self.gathered(node, view.names, flat[targets], targets, shape)

    def gathered(
        self,
        node: Node,
        names: tuple[str, ...],
        sources: Array,
        targets: Array,
        shape: Shape,
        weights: Array | None = None,
    ) -> tuple[str, ...]:
        """Single connections between numbered neurons, of weight 1 where no weights are given."""
        found = np.ones(len(sources), np.float32) if weights is None else weights
        before, behind = (Value(each.astype(np.int64), node.place) for each in (sources, targets))
        return self.transform(node, Sparse(Value(found, node.place), before, behind), names, shape, "_gathered")


def check_size(shape: Shape, what: str) -> None:
    """Refuse a tensor of too many entries before it is made, and one that has none."""
    if min(shape, default=1) < 1:
        raise Refused(f"{what} of {text_of(shape)} has no entries", "correct the shapes", "shape")
    if prod(shape) > SIGNAL_LIMIT:
        raise Refused(f"{what} of {text_of(shape)} has more than {SIGNAL_LIMIT} entries", "correct the shapes", "shape")
