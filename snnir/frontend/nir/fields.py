"""The primitives of NIR 1.0.8, the fields of each, and how a field is read.

Field names and meanings: NIR 1.0 (Nat. Commun. 15:8122) and the package `nir`, `nir/ir/*.py`. Numbers keep their type
where that is float32 or float64; integers become float64 and half precision becomes float32, both without loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Array, FileError, Group, Place
from snnir.frontend.network import Shape, text_of
from snnir.frontend.nir.lints import Findings
from snnir.semantics import PARAMETERS
from snnir.tensors import Tensor

MODELS = {
    "I": "integrator",
    "IF": "if",
    "LI": "li",
    "LIF": "lif",
    "CubaLI": "cuba_li",
    "CubaLIF": "cuba_lif",
    "Threshold": "threshold",
}
"""NIR's nodes that are populations, and our names of their models."""

DEFAULTS = {"v_reset": 0.0, "w_in": 1.0}
"""Fields that older files lack, and what NIR says that they are then."""

Kind = Literal["numbers", "bias", "counts", "count", "padding"]
_RENAMED = {("threshold", model): "v_threshold" for model in ("if", "lif", "cuba_lif")}
_CONVOLUTION: dict[str, Kind] = {
    "input_shape": "counts",
    "weight": "numbers",
    "stride": "counts",
    "padding": "padding",
    "dilation": "counts",
    "groups": "count",
    "bias": "bias",
}
_POOL: dict[str, Kind] = {"kernel_size": "counts", "stride": "counts", "padding": "counts"}


def field_of(parameter: str, model: str) -> str:
    """NIR's name of one of our neuron parameters."""
    return _RENAMED.get((parameter, model), parameter)


FIELDS: dict[str, dict[str, Kind]] = {
    "Input": {"shape": "counts"},
    "Output": {"shape": "counts"},
    "Affine": {"weight": "numbers", "bias": "bias"},
    "Linear": {"weight": "numbers"},
    "Scale": {"scale": "numbers"},
    "Conv1d": _CONVOLUTION,
    "Conv2d": _CONVOLUTION,
    "SumPool2d": _POOL,
    "AvgPool2d": _POOL,
    "Flatten": {"start_dim": "count", "end_dim": "count", "input_type": "counts"},
    "Delay": {"delay": "numbers"},
    **{kind: {field_of(name, model): "numbers" for name in PARAMETERS[model]} for kind, model in MODELS.items()},
}
"""The fields of each primitive. `NIRGraph` has nodes and edges instead."""

_OPTIONAL = {*DEFAULTS, "input_type", "input_shape", "bias"}
_IGNORED = {"type", "metadata"}
_INTEGER_LIMIT = 2**53
_AGAIN = "export the file again"


@dataclass
class Node:
    """A node. `name` is unique in the file: those of nested graphs have the name of their graph and a dot before it.

    `numbers` are fields of real numbers, `counts` those of whole ones. `inner`: it belongs to a nested graph. `broken`:
    fields are missing.
    """

    name: str
    kind: str
    place: Place
    inner: bool = False
    numbers: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    counts: dict[str, Shape] = field(default_factory=dict[str, Shape])
    padding: str | None = None
    broken: bool = False

    @property
    def is_population(self) -> bool:
        """Whether it has a state, or emits spikes."""
        return self.kind in MODELS

    @property
    def is_matrix(self) -> bool:
        """Whether it is an Affine or a Linear."""
        return self.kind in ("Affine", "Linear")

    @property
    def article(self) -> str:
        """`an Affine`, `a LIF`."""
        return f"{'an' if self.kind[0] in 'AIO' else 'a'} {self.kind}"

    @property
    def weight(self) -> Tensor:
        """The weight of a matrix or convolution."""
        return self.numbers["weight"]

    @cached_property
    def elementwise(self) -> Mapping[str, Tensor]:
        """The fields that have one entry per element of the signal."""
        return self.numbers if self.is_population or self.kind in ("Scale", "Delay") else {}


def read_node(node: Node, group: Group, findings: Findings) -> None:
    """Read the fields of a node; what is wrong with one is a finding and leaves the node `broken`."""
    known = FIELDS[node.kind]
    for name in group.names:
        if name not in known and name not in _IGNORED and not _is_node(group, name):
            hint = f"{node.kind} nodes have the fields {', '.join(known)}"
            what = f"unknown field '{name}' of {node.article} node"
            findings.defect("unknown-field", group.place.inside(name), what, hint)
    for name, kind in known.items():
        try:
            found = group.child(name)
            if isinstance(found, Array):
                _read_field(node, name, kind, found, findings)
            elif found is not None or name not in _OPTIONAL:
                what = "is missing" if found is None else "is a group, not numbers"
                message = f"field '{name}' of this {node.kind} node {what}"
                findings.defect("missing-part", group.place.inside(name), message, _AGAIN)
                node.broken = True
            elif name == "bias":
                repair = "reads it as no bias"
                findings.repairable("missing-bias", node.place, f"this {node.kind} has no bias field", repair)
            elif name == "input_shape":
                what = f"this {node.kind} does not say its input_shape, as files before nir 0.2"
                findings.repairable("missing-input-shape", node.place, what, "takes it from the signal that arrives")
        except FileError as error:
            findings.file(error)
            node.broken = True


def _is_node(group: Group, name: str) -> bool:
    """Whether a member is a node of its own, whose name has a `/` in it."""
    return isinstance(group.child(name), Group)


def _read_field(node: Node, name: str, kind: Kind, found: Array, findings: Findings) -> None:
    """Read one field into its node."""
    key = f"{node.name}.{name}"
    match kind:
        case "numbers":
            node.numbers[name] = _numbers(key, found)
        case "bias":
            if found.shape == () and (array := found.read()).dtype.kind == "b" and not array:
                what = "the bias is the single value False"
                findings.repairable("bool-bias", found.place, what, "reads it as no bias")
            elif found.shape != (0,):
                node.numbers[name] = _numbers(key, found)
        case "padding":
            array = found.read()
            if array.dtype.kind in "OSU":
                node.padding = str(found.texts().flat[0]) if array.size == 1 else ""
            else:
                node.counts[name] = _counts(array, found.place)
        case "counts" | "count":
            array = found.read()
            if kind == "count" and array.shape not in ((), (1,)):
                what = f"one whole number is expected here, not {text_of(array.shape)}"
                raise FileError(found.place, "wrong-type", what, _AGAIN)
            node.counts[name] = _counts(array, found.place)


def _numbers(key: str, found: Array) -> Tensor:
    """A field of real numbers. Large ones stay in the file."""
    lazy = found.tensor(key)
    if lazy is not None:
        return lazy
    array = found.read()
    match array.dtype.kind:
        case "f" if array.dtype.itemsize in (4, 8):
            return Tensor.of(key, array)
        case "f" if array.dtype.itemsize == 2:
            return Tensor.of(key, array.astype(np.float32))
        case "i" | "u":
            if array.size and max(int(array.max()), -int(array.min())) > _INTEGER_LIMIT:
                what = "an integer beyond 2**53 has no exact float64"
                raise FileError(found.place, "wrong-type", what, "store the field as float64")
            return Tensor.of(key, array.astype(np.float64))
        case _:
            given = "text" if array.dtype.kind in "SUO" else array.dtype
            what = f"numbers are expected here, not {given}"
            raise FileError(found.place, "wrong-type", what, "store the field as float32 or float64")


def _counts(array: NDArray[Any], place: Place) -> Shape:
    """A field of whole numbers: a shape, or one per dimension of a window."""
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and bool((array == np.floor(array)).all()))
    if not whole or array.ndim > 1:
        what = f"a list of whole numbers is expected here, not {array.dtype} of {text_of(array.shape)}"
        raise FileError(place, "wrong-type", what, _AGAIN)
    values = [int(n) for n in array.ravel()]
    if any(abs(n) > np.iinfo(np.int64).max // 2 for n in values):
        raise FileError(place, "wrong-type", "a dimension is too large", _AGAIN)
    return tuple(values)
