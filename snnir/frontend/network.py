"""What a front end reads from a file: declarations, each with the place in the file that is blamed when it is wrong.

`snnir.frontend.build` makes the IR of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import LocationAttr

from snnir.dialects.platform import MachineAttr
from snnir.errors import SnnirError
from snnir.frontend.names import suggestion
from snnir.indices import Indices
from snnir.semantics import PRESETS, Semantics
from snnir.tensors import Tensor

Shape = tuple[int, ...]
Kind = Literal["dense", "one_to_one"]


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
    """Spikes from outside."""

    name: str
    shape: Shape
    origin: Origin


@dataclass(frozen=True)
class Population:
    """Neurons of one model; `parameters` has a value for each of `snnir.semantics.PARAMETERS[model]`."""

    name: str
    shape: Shape
    model: str
    parameters: Mapping[str, Value]
    semantics: Semantics
    origin: Origin


@dataclass(frozen=True)
class Projection:
    """Weighted connections, `delay` steps long, from a source (or the `part` of its neurons) to a population.

    Dense weights are targets x sources; one-to-one weights are a number or one per neuron. `scale` multiplies them.
    """

    source: Reference
    target: Reference
    kind: Kind
    weights: Value
    origin: Origin
    bias: Value | None = None
    scale: Value | None = None
    delay: int = 0
    part: tuple[Indices, Origin] | None = None

    @property
    def label(self) -> str:
        """`pixels -> hidden`."""
        return f"{self.source.name} -> {self.target.name}"


@dataclass(frozen=True)
class Output:
    """A signal that the user reads."""

    name: str
    source: Reference
    origin: Origin


@dataclass(frozen=True)
class Network:
    """A whole program. `dt` is in seconds; `steps` per inference."""

    name: str
    dt: float
    dt_origin: Origin
    steps: int | None
    steps_origin: Origin
    inputs: Sequence[Input]
    populations: Sequence[Population]
    projections: Sequence[Projection]
    outputs: Sequence[Output]
    origin: Origin
    machine: MachineAttr | None = None

    def values(self) -> Iterator[Value]:
        """Every value in the program."""
        for population in self.populations:
            yield from population.parameters.values()
        for each in self.projections:
            yield from (value for value in (each.weights, each.bias, each.scale) if value is not None)


def text_of(shape: Shape) -> str:
    """`16x28x28`; `no dimensions` for a number."""
    return "x".join(map(str, shape)) or "no dimensions"


def preset_named(name: str | None, place: str) -> Semantics | None:
    """The semantics of `--semantics`; `None` stays `None`. Raises `SnnirError` for an unknown preset."""
    if name is None or name in PRESETS:
        return None if name is None else PRESETS[name]
    raise SnnirError(place, f"--semantics: no semantics preset '{name}'", suggestion(name, PRESETS, "presets"))
