"""What a front end reads from a file: declarations, each with the place in the file that is blamed when it is wrong.

`snnir.frontend.build` makes the IR of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute

from snnir.dialects.platform import MachineAttr
from snnir.errors import SnnirError
from snnir.frontend.names import suggestion
from snnir.frontend.options import FrontendOptions
from snnir.indices import Indices
from snnir.semantics import PRESETS, SPIKING, Semantics, preset, with_reset
from snnir.tensors import Tensor

Shape = tuple[int, ...]


class Origin(Protocol):
    """A place in a user's file."""

    @property
    def location(self) -> LocationAttr:
        """The place as an attribute of the IR."""
        ...

    def error(self, message: str, hint: str = "") -> SnnirError:
        """An error that blames this place."""
        ...


@dataclass(frozen=True)
class Value:
    """One number, a tensor that has a key, or an array that gets one from where it is used."""

    data: float | Tensor | NDArray[Any]
    origin: Origin

    @property
    def label(self) -> str:
        """`'fc.weight' ` for a tensor with a key, else nothing: to be put into messages."""
        return f"'{self.data.key}' " if isinstance(self.data, Tensor) else ""

    @property
    def array(self) -> NDArray[Any]:
        """The numbers; of no dimensions for one number."""
        return self.data.array if isinstance(self.data, Tensor) else np.asarray(self.data)

    @property
    def shape(self) -> Shape:
        """`()` for a number."""
        return () if isinstance(self.data, int | float) else tuple(self.data.shape)


@dataclass(frozen=True)
class Reference:
    """A name that is used, and where."""

    name: str
    origin: Origin


@dataclass(frozen=True)
class Input:
    """Spikes (or currents, `f64`) from outside. `attributes` are kept on the op."""

    name: str
    shape: Shape
    origin: Origin
    element: Literal["spike", "f64"] = "spike"
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])


@dataclass(frozen=True)
class Dense:
    """All-to-all: weights targets x sources, or out x in along the last dimension."""

    weights: Value
    bias: Value | None = None
    scale: Value | None = None
    delay: int = 0


@dataclass(frozen=True)
class OneToOne:
    """Neuron n to neuron n: one weight, or one per neuron."""

    weights: Value
    bias: Value | None = None
    scale: Value | None = None
    delay: int = 0


@dataclass(frozen=True)
class Conv:
    """A convolution of as many dimensions as the weights (out x in/groups x kernel) have beyond two.

    `None` is a stride and dilation of 1 and no padding; `padding` holds what is added before and behind each dimension.
    """

    weights: Value
    bias: Value | None = None
    scale: Value | None = None
    stride: tuple[int, ...] | None = None
    padding: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    dilation: tuple[int, ...] | None = None
    groups: int = 1
    delay: int = 0


@dataclass(frozen=True)
class Pool:
    """A pool with a kernel of one or two dimensions; `None` is a stride like the kernel and no padding."""

    kind: Literal["sum", "avg", "max"]
    kernel: tuple[int, ...]
    stride: tuple[int, ...] | None = None
    padding: tuple[tuple[int, ...], tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Sparse:
    """Single synapses `sources[n] -> targets[n]` (flat numbers), `delays[n] + delay` steps late."""

    weights: Value
    sources: Value
    targets: Value
    delays: Value | None = None
    bias: Value | None = None
    scale: Value | None = None
    delay: int = 0


@dataclass(frozen=True)
class Bundle:
    """All-to-all, once for each delay level: weights levels x targets x sources, level k `delay + k * stride` late."""

    weights: Value
    stride: int = 1
    bias: Value | None = None
    scale: Value | None = None
    delay: int = 0


@dataclass(frozen=True)
class Flatten:
    """Merge the dimensions from `start` to `end`, both included; negative ones count from the last."""

    start: int = 0
    end: int = -1


@dataclass(frozen=True)
class Slice:
    """Some neurons, by their flat numbers."""

    indices: Indices


@dataclass(frozen=True)
class Delay:
    """The signal late by a number of steps, or each neuron by its own."""

    steps: int | Value


Weighted = Dense | OneToOne | Conv | Sparse | Bundle


@dataclass(frozen=True)
class Transform:
    """A node without state that computes from the sum of its inputs.

    Inputs, transforms and populations share one namespace. `shape` is the shape that the result must have, where the
    reader knows it (a projection into a population); sparse connections need it. `label` is for messages. The value in
    the IR has the name of a node that is `declared`; that of others may be better called after what it holds.
    """

    name: str
    inputs: tuple[Reference, ...]
    op: Weighted | Pool | Flatten | Slice | Delay
    origin: Origin
    shape: Shape | None = None
    label: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    declared: bool = False

    @property
    def title(self) -> str:
        """`pixels -> hidden`, or what the label says."""
        return self.label or f"{' + '.join(each.name for each in self.inputs)} -> {self.name}"


@dataclass(frozen=True)
class Population:
    """Neurons of one model, or of an activation, which has no semantics but the default.

    `parameters` has a value for each of `snnir.semantics.PARAMETERS[model]` or `snnir.activations.ACTIVATIONS[model]`.

    They sum their `inputs`; `inhibitory` are the inputs of the second synapse of a model that has two.
    """

    name: str
    shape: Shape
    model: str
    parameters: Mapping[str, Value]
    semantics: Semantics
    origin: Origin
    inputs: tuple[Reference, ...] = ()
    inhibitory: tuple[Reference, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])


@dataclass(frozen=True)
class Output:
    """A signal that the user reads: the sum of its sources. `attributes` are kept on the op."""

    name: str
    sources: tuple[Reference, ...]
    origin: Origin
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])


@dataclass(frozen=True)
class Network:
    """A whole program. `dt` is in seconds; `steps` per inference."""

    name: str
    dt: float
    dt_origin: Origin
    steps: int | None
    steps_origin: Origin
    inputs: Sequence[Input]
    transforms: Sequence[Transform]
    populations: Sequence[Population]
    outputs: Sequence[Output]
    origin: Origin
    machine: MachineAttr | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])

    def values(self) -> Iterator[Value]:
        """Every value in the program."""
        for population in self.populations:
            yield from population.parameters.values()
        for each in self.transforms:
            yield from (value for value in vars(each.op).values() if isinstance(value, Value))


def text_of(shape: Shape) -> str:
    """`16x28x28`; `no dimensions` for a number."""
    return "x".join(map(str, shape)) or "no dimensions"


_ASKED = re.compile(r"\s*([^\s(]+)\s*(?:\((.*)\))?\s*")


def preset_named(asked: str | None, place: str) -> str | None:
    """The preset that `--semantics` names, alone or as in `spyx(refractory = 2)`; `None` stays `None`.

    Raises `SnnirError` for an unknown one.
    """
    found = None if asked is None else _ASKED.fullmatch(asked)
    name = asked if found is None else found.group(1)
    if name is None or name in PRESETS:
        return name
    raise SnnirError(place, f"--semantics: no semantics preset '{name}'", suggestion(name, PRESETS, "presets"))


def semantics_for(name: str, model: str, options: FrontendOptions, place: str) -> Semantics:
    """What preset `name` does with a neuron model, with the changes of `--semantics` and `--reset`.

    Raises `SnnirError` for a change that is none.
    """
    semantics = preset(name, model)
    found = _ASKED.fullmatch(options.semantics or "")
    try:
        if found is not None and found[2]:
            semantics = semantics.changed(_changes(found[2]))
    except ValueError as error:
        raise SnnirError(place, f"--semantics: {error}", "for example --semantics 'nir(reset = subtract)'") from None
    if options.reset is None or model not in SPIKING or model == "threshold":
        return semantics
    try:
        return with_reset(name, semantics, options.reset)
    except ValueError as error:
        raise SnnirError(place, f"--reset: {error}", "use --reset value or --reset subtract") from None


def _changes(text: str) -> dict[str, str]:
    """`a = b, c = d` as a dictionary. Raises `ValueError`."""
    result: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise ValueError(f"'{part.strip()}' is no change of a field")
        if name in result:
            raise ValueError(f"'{name}' is given twice")
        result[name] = value
    return result
