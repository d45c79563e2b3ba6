"""The operations of the `.snn` language: what may stand behind a `:`, with which arguments, and what each becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from snnir.frontend.names import suggestion
from snnir.frontend.network import Bundle, Conv, Delay, Dense, Flatten, OneToOne, Pool, Shape, Sparse, Value, text_of
from snnir.frontend.snn.connections import read_connections
from snnir.frontend.snn.scope import Scope, by_name, no_plain
from snnir.frontend.snn.tree import Call, Setting
from snnir.frontend.snn.values import (
    PLAIN,
    VOLTAGE,
    Array,
    Constant,
    Dimension,
    Name,
    Quantity,
    Words,
    check_dimension,
    evaluate,
    number,
    text,
    whole,
    wholes,
    word,
)
from snnir.frontend.source import Span
from snnir.frontend.weights import WeightsFile
from snnir.tensors import Tensor

SYNAPSES = ("excitatory", "inhibitory")
"""The synapses of a neuron that has two."""

Op = Dense | OneToOne | Conv | Pool | Sparse | Bundle | Flatten | Delay


@dataclass(frozen=True)
class Operation:
    """An operation of a chain: the arguments that it takes, those of them that it needs, and what it does."""

    make: Callable[[Arguments], Op] | None
    arguments: tuple[str, ...]
    required: tuple[str, ...] = ()
    words: str = ""


class Arguments:
    """The arguments of one call. `dt` is the step, for delays that are times; `weights` the network's file."""

    def __init__(self, call: Call, scope: Scope, known: tuple[str, ...], dt: Fraction, weights: WeightsFile) -> None:
        self.kind, self.dt, self.weights = call.name.text, dt, weights
        self.place = scope.place(call.name.span)
        no_plain(call.plain, scope)
        self.given: Mapping[str, tuple[Setting, Scope]] = by_name(
            call.arguments, known, f"argument of {self.kind}", scope
        )

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def constant(self, name: str) -> Constant:
        """The value of an argument that is given."""
        setting, scope = self.given[name]
        return evaluate(setting.value, scope)

    def value(self, name: str, dimension: Dimension = VOLTAGE) -> Value:
        """Numbers: one, a list, or a tensor of the weights file."""
        return value_of(self.constant(name), name, dimension, self.weights)

    def optional(self, name: str) -> Value | None:
        """The same, where the argument may be missing."""
        return self.value(name) if name in self else None

    def scale(self) -> Value | None:
        """The factor of the weights, which has no unit."""
        return self.value("scale", PLAIN) if "scale" in self else None

    def whole(self, name: str, default: int, least: int = 0) -> int:
        """A whole number."""
        return whole(self.constant(name), name, "", least) if name in self else default

    def steps(self) -> int:
        """The delay of a projection."""
        return whole(self.constant("delay"), "delay", "steps", 0, self.dt) if "delay" in self else 0

    def sizes(self, name: str, rank: int, least: int = 1) -> tuple[int, ...] | None:
        """One whole number for each of `rank` dimensions; a single number stands for all. `None` when missing."""
        if name not in self:
            return None
        value = self.constant(name)
        found = wholes(value, name, least)
        if not isinstance(value, Array):
            return found * rank
        if len(found) != rank:
            what = f"{name} has {len(found)} numbers, but {self.kind} has {rank} dimension{'s' if rank > 1 else ''}"
            raise value.span.error(what, "give one number for each dimension, or one number for all")
        return found

    def padding(self, rank: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Zeros before and behind each dimension; `None` for none."""
        if "padding" not in self:
            return None
        value = self.constant("padding")
        if isinstance(value, Array) and value.array.ndim == 2:
            check_dimension(value, "padding", PLAIN)
            rows = [wholes(Array(row, PLAIN, value.span), "padding", 0) for row in value.array]
            if len(rows) != 2 or len(rows[0]) != rank:
                what = f"padding is {len(rows)}x{len(rows[0])}, but {self.kind} needs 2x{rank}"
                raise value.span.error(what, "write [[before, ...], [behind, ...]]")
            return rows[0], rows[1]
        low = self.sizes("padding", rank, 0)
        assert low is not None
        return low, low

    def indices(self, name: str) -> Value:
        """Whole numbers from 0: a list, or a tensor of the weights file."""
        return indices_of(self.constant(name), name, self.weights)


def value_of(value: Constant, what: str, dimension: Dimension, weights: WeightsFile) -> Value:
    """Numbers for the builder: one, a list, or a tensor that a text names."""
    match value:
        case Array():
            check_dimension(value, what, dimension)
            return Value(value.array, value.span)
        case Words():
            return Value(weights.tensor(value), value.span)
        case _:
            return Value(number(value, what, dimension), value.span)


def indices_of(value: Constant, what: str, weights: WeightsFile) -> Value:
    """Whole numbers, as 64-bit integers."""
    wanted, hint = f"{what} is a list of whole numbers", "give one number per synapse"
    if isinstance(value, Words):
        tensor = weights.tensor(value)
        if tensor.element.startswith("f"):
            raise value.span.error(f"{what} '{value.text}' holds {tensor.element}, but {wanted}", "store it as I64")
        if tensor.element == "i64":
            return Value(tensor, value.span)
        return Value(Tensor.of(tensor.key, tensor.array.astype(np.int64)), value.span)
    if isinstance(value, Name):
        raise value.scope.unknown_constant(value, wanted)
    if not isinstance(value, Array):
        raise value.span.error(wanted, hint)
    check_dimension(value, what, PLAIN)
    if not ((value.array == np.rint(value.array)) & (np.abs(value.array) < 2.0**53)).all():
        raise value.span.error(wanted, hint)
    return Value(value.array.astype(np.int64), value.span)


def _dense(a: Arguments) -> Op:
    return Dense(a.value("weights"), a.optional("bias"), a.scale(), a.steps())


def _one_to_one(a: Arguments) -> Op:
    return OneToOne(a.value("weights"), a.optional("bias"), a.scale(), a.steps())


def _conv(a: Arguments) -> Op:
    rank = int(a.kind[4])
    weights = a.value("weights")
    if len(weights.shape) != rank + 2:
        kernel = ("out x in/groups x length", "out x in/groups x height x width")[rank - 1]
        what = f"weights {weights.label}are {text_of(weights.shape)}, but {a.kind} needs {rank + 2} dimensions"
        raise weights.origin.error(what, f"weights are {kernel}")
    stride, dilation = a.sizes("stride", rank), a.sizes("dilation", rank)
    groups = a.whole("groups", 1, 1)
    padding = None
    named = a.constant("padding") if "padding" in a else None
    if isinstance(named, Name):
        if word(named, "padding", ("same", "valid")) == "same":
            total = [d * (k - 1) for d, k in zip(dilation or (1,) * rank, weights.shape[2:], strict=True)]
            padding = tuple(each // 2 for each in total), tuple(each - each // 2 for each in total)
    else:
        padding = a.padding(rank)
    return Conv(weights, a.optional("bias"), a.scale(), stride, padding, dilation, groups, a.steps())


def _pool(a: Arguments) -> Op:
    value = a.constant("kernel")
    rank = value.array.size if isinstance(value, Array) else 2
    if rank not in (1, 2):
        raise value.span.error(f"a kernel of {rank} dimensions", "pools have one or two dimensions")
    kernel = a.sizes("kernel", rank)
    assert kernel is not None
    kinds = {"sum_pool": "sum", "avg_pool": "avg", "max_pool": "max"}
    return Pool(kinds[a.kind], kernel, a.sizes("stride", rank), a.padding(rank))  # pyright: ignore[reportArgumentType]


def _sparse(a: Arguments) -> Op:
    if "file" in a:
        for each in ("weights", "from", "to", "delays"):
            if each in a:
                setting, scope = a.given[each]
                where = scope.place(setting.name.span)
                raise where.error(f"{each} beside file", "the file holds weights, from, to and delays")
        name = text(a.constant("file"), "file")
        found = read_connections(name)
        weights, sources, targets = (Value(each, name.span) for each in found[:3])
        delays = None if found[3] is None else Value(found[3], name.span)
    else:
        missing = [each for each in ("weights", "from", "to") if each not in a]
        if missing:
            hint = 'sparse(weights = ..., from = ..., to = ...), or sparse(file = "connections.csv")'
            raise a.place.error(f"these sparse connections lack {', '.join(missing)}", hint)
        weights, sources, targets = a.value("weights"), a.indices("from"), a.indices("to")
        delays = a.indices("delays") if "delays" in a else None
        if not weights.shape:
            weights = Value(np.full(sources.shape, weights.array, np.float64), weights.origin)
    return Sparse(weights, sources, targets, delays, a.optional("bias"), a.scale(), a.steps())


def _bundle(a: Arguments) -> Op:
    stride = whole(a.constant("stride"), "stride", "steps", 1, a.dt) if "stride" in a else 1
    return Bundle(a.value("weights"), stride, a.optional("bias"), a.scale(), a.steps())


def _flatten(a: Arguments) -> Op:
    ends = {"start": 0, "end": -1}
    for name in ends:
        if name in a:
            value = a.constant(name)
            if isinstance(value, Quantity) and value.number < 0:
                ends[name] = -whole(Quantity(-value.number, value.dimension, value.span), name)
            else:
                ends[name] = whole(value, name)
    return Flatten(ends["start"], ends["end"])


def _delay(a: Arguments) -> Op:
    value = a.constant("steps")
    if isinstance(value, Array | Words):
        return Delay(indices_of(value, "steps", a.weights))
    return Delay(whole(value, "steps", "steps", 0, a.dt))


_WEIGHTED = ("weights", "bias", "scale", "delay")
_CONV = ("weights", "bias", "scale", "stride", "padding", "dilation", "groups", "delay")

OPERATIONS: dict[str, Operation] = {
    "dense": Operation(_dense, (*_WEIGHTED, "shape"), ("weights",), "every source with every target"),
    "one_to_one": Operation(_one_to_one, _WEIGHTED, ("weights",), "equal indices"),
    "conv1d": Operation(_conv, _CONV, ("weights",), "a convolution along one dimension"),
    "conv2d": Operation(_conv, _CONV, ("weights",), "a convolution along two dimensions"),
    "sum_pool": Operation(_pool, ("kernel", "stride", "padding"), ("kernel",), "the sum of each window"),
    "avg_pool": Operation(_pool, ("kernel", "stride", "padding"), ("kernel",), "the mean of each window"),
    "max_pool": Operation(_pool, ("kernel", "stride", "padding"), ("kernel",), "the largest of each window"),
    "sparse": Operation(
        _sparse,
        ("weights", "from", "to", "delays", "file", "bias", "scale", "delay", "shape"),
        (),
        "single synapses",
    ),
    "bundle": Operation(
        _bundle,
        ("weights", "stride", "bias", "scale", "delay", "shape"),
        ("weights",),
        "every source with every target, at each delay level",
    ),
    "flatten": Operation(_flatten, ("start", "end"), (), "merges dimensions"),
    "delay": Operation(_delay, ("steps",), ("steps",), "the same, later"),
    "direct": Operation(None, (), (), "nothing is applied"),
}
"""What a chain is made of, by name."""


@dataclass(frozen=True)
class Stage:
    """One operation of a chain, understood. `op` is `None` for `direct`; `into` says which synapse it leads to."""

    kind: str
    op: Op | None
    shape: Shape | None
    into: tuple[str, Span] | None
    place: Span


def stage_of(call: Call, scope: Scope, dt: Fraction, weights: WeightsFile) -> Stage:
    """Understand one call of a chain. Raises `SnnirError`."""
    kind, place = call.name.text, scope.place(call.name.span)
    operation = OPERATIONS.get(kind)
    if operation is None:
        raise place.error(f"no kind of projection '{kind}'", suggestion(kind, OPERATIONS, "kinds"))
    arguments = Arguments(call, scope, (*operation.arguments, "into"), dt, weights)
    missing = [each for each in operation.required if each not in arguments]
    if missing:
        example = {"weights": '"key"', "kernel": "2", "steps": "1"}[missing[0]]
        what = "this projection has no weights" if missing[0] == "weights" else f"{kind} lacks {missing[0]}"
        raise place.error(what, f"for example {kind}({missing[0]} = {example})")
    into = None
    if "into" in arguments:
        value = arguments.constant("into")
        into = word(value, "into", SYNAPSES), value.span
    shape = wholes(arguments.constant("shape"), "shape", 1) if "shape" in arguments else None
    return Stage(kind, operation.make(arguments) if operation.make else None, shape, into, place)
