"""The syntax tree of a `.snn` file: what is written, in the order in which it is written. Names mean nothing yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.source import Source, Span


@dataclass(slots=True)
class Word:
    """A name, and where it is written."""

    text: str
    span: Span


@dataclass(slots=True)
class Number:
    """`5`, `5 ms`."""

    text: str
    unit: str | None
    span: Span


@dataclass(slots=True)
class Text:
    """A text in quotes (without them)."""

    text: str
    span: Span


@dataclass(slots=True)
class Plain:
    """A list of plain numbers, as an array of one dimension; or a list of such lists that are of one length."""

    array: NDArray[np.float64]
    span: Span


@dataclass(slots=True)
class Items:
    """A list of anything."""

    entries: list[Expression]
    span: Span


@dataclass(slots=True)
class Operation:
    """`a + b - c` or `a * b / c`: the first operand, then pairs of operator and operand."""

    first: Expression
    rest: list[tuple[str, Expression]]
    span: Span


@dataclass(slots=True)
class Negative:
    """`-a`."""

    operand: Expression
    span: Span


Expression = Word | Number | Text | Plain | Items | Operation | Negative


@dataclass(slots=True)
class Setting:
    """`name = value`: a setting of the network, an argument of a call, or a field of the semantics."""

    name: Word
    value: Expression


@dataclass(slots=True)
class Call:
    """`lif(tau = 5e-3, ...)`, `file("spikes.npz")`: `plain` are the texts without a name."""

    name: Word
    arguments: list[Setting]
    plain: list[Text]


@dataclass(slots=True)
class Using:
    """`using nir(reset = subtract)`."""

    preset: Word
    changes: list[Setting]


@dataclass(slots=True)
class Template:
    """`lif(...) using nir` behind a `let`: neurons with a name."""

    call: Call
    using: Using | None


@dataclass(slots=True)
class Dimensions:
    """`[8x8]`: the expressions between the `x`."""

    entries: list[Expression]
    span: Span


@dataclass(slots=True)
class Slice:
    """`[0:32, 40]`: runs of one to three numbers."""

    runs: list[list[Expression]]
    span: Span


@dataclass(slots=True)
class Read:
    """`a[0:32]`: a signal that is read, or some of its neurons."""

    name: Word
    part: Slice | None


@dataclass(slots=True)
class Let:
    """`let tau = 5 ms`."""

    name: Word
    value: Expression | Template


@dataclass(slots=True)
class InputDeclaration:
    """`input pixels[8x8] : f64`."""

    name: Word
    shape: Dimensions
    element: Word | None


@dataclass(slots=True)
class PopulationDeclaration:
    """`population hidden[128] : lif(...) using nir`."""

    name: Word
    shape: Dimensions
    call: Call
    using: Using | None


@dataclass(slots=True)
class Arrow:
    """`a + b[0:3] -> c : stage | stage`."""

    sources: list[Read]
    target: Word
    chain: list[Call]


@dataclass(slots=True)
class Named:
    """`output y = a : stage | stage`, and the same with `signal`."""

    name: Word
    sources: list[Read]
    chain: list[Call]
    output: bool


@dataclass(slots=True)
class Applied:
    """`generate pixels : poisson(...)`, `instance l1 : layer(...)`."""

    name: Word
    call: Call
    instance: bool


Item = Let | InputDeclaration | PopulationDeclaration | Arrow | Named | Applied


@dataclass(slots=True)
class Block:
    """`block layer(n, w) { ... }`."""

    name: Word
    parameters: list[Word]
    items: list[Item]


@dataclass(slots=True)
class NetworkBody:
    """`network tiny { ... }`."""

    name: Word
    settings: list[Setting] = field(default_factory=list[Setting])
    items: list[Item] = field(default_factory=list[Item])


@dataclass(slots=True)
class Program:
    """A parsed file. `header` holds includes, constants and blocks; `starts` where each declaration begins."""

    source: Source
    header: list[Text | Let | Block]
    network: NetworkBody | None
    starts: list[int]


def span_of(node: Any) -> Span:
    """Where an expression is written."""
    return node.span
