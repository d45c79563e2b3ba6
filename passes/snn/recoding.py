"""Rewriting a program so that its signals are codes, and its projections read them as the whole numbers that they are.

A signal of the old program is a sum of signals of the new one: `sum(factor * carried) + offset`, for codes the steps
and the zero. The first projection behind takes factors and offset into its weights and its bias.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import (
    AddOp,
    BundleOp,
    ConvOp,
    DelayOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    WeightedOp,
)
from snnir.passes.base import fail

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A signal of the new program, and what it is multiplied with."""

    value: SSAValue
    factor: float


@dataclass(frozen=True)
class Signal:
    """A signal of the old program, in those of the new one."""

    parts: tuple[Part, ...]
    offset: float = 0.0


class Recoder:
    """Makes the ops of the new program, in order."""

    def __init__(self, network: NetworkOp) -> None:
        self.ops: list[Operation] = []
        self.sources: dict[str, Signal] = {}
        """What the inputs and populations of the old program are in the new one, by their names."""
        self._done: dict[tuple[SSAValue, int], Signal] = {}
        self._copies: dict[tuple[Operation, SSAValue], SSAValue] = {}
        self._keys: set[str] = set()
        self._old_keys = {
            each.data.key
            for op in network.body.block.ops
            for each in op.properties.values()
            if isinstance(each, TensorAttr)
        }

    def put(self, op: Operation, like: Operation) -> SSAValue:
        """Append an op that takes the place of another."""
        op.location = like.location
        if op.results and like.results:
            op.results[0].name_hint = like.results[0].name_hint
        self.ops.append(op)
        return op.results[0]

    def summed(self, population: NeuronOp, sign: int = 1) -> list[SSAValue]:
        """What a population reads, or its negative, as currents."""
        currents: list[SSAValue] = []
        for value in population.inputs:
            signal = self.signal(value, sign)
            for number, part in enumerate(signal.parts):
                offset = signal.offset if number == 0 else 0.0
                currents.append(self._current(population, part, offset))
        return currents

    def scaled(self, source: SSAValue, factor: float, offset: float, like: Operation) -> SSAValue:
        """`factor * source + offset`, as a one-to-one projection."""
        assert isinstance(source.type, SignalType)
        shape = source.type.shape.data
        bias = TensorAttr.of(self._key("offset"), np.full(source.type.size, offset)) if offset else None
        return self.put(ScaleOp(source, FloatAttr(factor, 64), SignalType.current(*shape), bias=bias), like)

    def _current(self, population: NeuronOp, part: Part, offset: float) -> SSAValue:
        assert isinstance(part.value.type, SignalType)
        value = part.value
        if not is_current(part) or offset:
            value = self.scaled(value, part.factor, offset, population)
        shape = population.signal_type.shape.data
        assert isinstance(value.type, SignalType)
        return value if value.type.shape.data == shape else self.put(FlattenOp(value, shape), population)

    def signal(self, value: SSAValue, sign: int) -> Signal:
        """A signal of the old program, or its negative."""
        if (value, sign) not in self._done:
            self._done[value, sign] = self._made(value, sign)
        return self._done[value, sign]

    def _made(self, value: SSAValue, sign: int) -> Signal:
        owner = value.owner
        match owner:
            case InputOp() | NeuronOp():
                found = self.sources[owner.sym_name.data]
                return Signal(tuple(Part(p.value, sign * p.factor) for p in found.parts), sign * found.offset)
            case AddOp():
                return self._sum(owner, [self.signal(each, sign) for each in owner.inputs])
            case FlattenOp() | SliceOp() | DelayOp() | PoolOp():
                return self._moved(owner, self.signal(owner.source, sign))
            case WeightedOp():
                return self._weighted(owner, self.signal(owner.source, 1), sign)
            case _:
                raise TypeError(f"{owner} makes no signal")

    def _sum(self, op: AddOp, signals: Sequence[Signal]) -> Signal:
        parts = [part for signal in signals for part in signal.parts]
        currents = [part.value for part in parts if is_current(part)]
        offset = sum(signal.offset for signal in signals)
        if len(currents) < 2:
            return Signal(tuple(parts), offset)
        total = Part(self.put(AddOp(*currents), op), 1.0)
        return Signal((total, *(part for part in parts if not is_current(part))), offset)

    def _moved(self, op: "FlattenOp | SliceOp | DelayOp | PoolOp", signal: Signal) -> Signal:
        """The same rearrangement or pool of each part."""
        parts = tuple(Part(self._copy(op, part.value), part.factor) for part in signal.parts)
        if isinstance(op, MaxPoolOp) and (len(parts) > 1 or any(part.factor < 0 for part in parts)):
            fail(op, "the largest of values that are no single codes", "run snn-legalize before")
        grown = float(np.prod(op.kernel.data)) if op.name == "snn.sum_pool" and isinstance(op, PoolOp) else 1.0
        return Signal(parts, signal.offset * grown)

    def _copy(self, op: "FlattenOp | SliceOp | DelayOp | PoolOp", source: SSAValue) -> SSAValue:
        if (op, source) not in self._copies:
            match op:
                case FlattenOp():
                    assert isinstance(op.flat.type, SignalType)
                    new: Operation = FlattenOp(source, op.flat.type.shape.data)
                case SliceOp():
                    assert isinstance(op.part.type, SignalType)
                    new = SliceOp(source, op.indices.data, op.part.type.shape.data)
                case DelayOp():
                    new = DelayOp(source, op.delay if isinstance(op.delay, TensorAttr) else op.delay.data)
                case _:
                    padding = (op.padding_low.data, op.padding_high.data)
                    new = type(op)(source, op.kernel.data, op.stride.data, padding)
            self._copies[op, source] = self.put(new, op)
        return self._copies[op, source]

    def _weighted(self, op: WeightedOp, signal: Signal, sign: int) -> Signal:
        """The projection of each part, with its factor in the weights; the first with the bias."""
        made: list[SSAValue] = []
        bias = bias_of(op, signal.offset)
        for number, part in enumerate(signal.parts):
            new = op.clone()
            new.operands = [part.value]
            self._weigh(new, op, sign * part.factor)
            new.bias = None
            if bias is not None and number == 0:
                same = op.bias is not None and not signal.offset and sign == 1
                new.bias = op.bias if same else TensorAttr.of(self._key(f"{_key_of(op)}.bias"), sign * bias)
            made.append(self.put(new, op))
        if len(made) > 1:
            made = [self.put(AddOp(*made), op)]
        return Signal(tuple(Part(value, 1.0) for value in made))

    def _weigh(self, new: WeightedOp, op: WeightedOp, factor: float) -> None:
        """Multiply the weights: integers by the sign alone, and the scale by the rest."""
        if factor == 1.0:
            return
        if not isinstance(op.weights, TensorAttr):
            new.weights = FloatAttr(float(np.float64(value_of(op.weights))) * factor, 64)
            return
        raw, key = op.weights.array, self._key(op.weights.data.key)
        if raw.dtype.kind == "f":
            new.weights = TensorAttr.of(key, (raw.astype(np.float64) * factor).astype(raw.dtype))
            return
        new.weights = TensorAttr.of(key, raw if factor > 0 else -raw)
        assert op.scale is not None
        scale = np.asarray(value_of(op.scale)) * abs(factor)
        new.scale = TensorAttr.of(f"{key}.scale", scale) if scale.ndim else FloatAttr(float(scale), 64)

    def _key(self, name: str) -> str:
        """A name for a tensor that no other has."""
        number, found = 2, name
        while found in self._keys or (found != name and found in self._old_keys):
            found, number = f"{name}.{number}", number + 1
        self._keys.add(found)
        return found


def is_current(part: Part) -> bool:
    """Whether a part is a current that is added as it is."""
    assert isinstance(part.value.type, SignalType)
    return part.factor == 1.0 and not part.value.type.is_discrete


def bias_of(op: WeightedOp, offset: float) -> Reals | None:
    """The bias of a projection that reads a signal that is lower by `offset`, per lane; no window may be padded."""
    if not offset:
        return None if op.bias is None else np.asarray(value_of(op.bias), np.float64)
    raw = np.asarray(value_of(op.weights), np.float64)
    if isinstance(op, SparseOp):
        sums = np.bincount(op.targets.array, raw, op.lanes)
    elif isinstance(op, ScaleOp):
        sums = np.broadcast_to(raw.ravel(), (op.lanes,))
    elif isinstance(op, BundleOp):
        sums = raw.reshape(op.levels, op.lanes, -1).sum(axis=(0, 2))
    else:
        sums = raw.reshape(op.lanes, -1).sum(axis=1)
    own = 0.0 if op.bias is None else value_of(op.bias)
    return np.asarray(sums * (1.0 if op.scale is None else value_of(op.scale)) * offset + own, np.float64)


def keeps_zero(value: SSAValue) -> bool:
    """Whether nothing behind a signal takes it for 0 where there is none: no padding, no delay."""
    for use in value.uses:
        user = use.operation
        if isinstance(user, ConvOp | PoolOp) and any((*user.padding_low.data, *user.padding_high.data)):
            return False
        if isinstance(user, DelayOp) or (isinstance(user, WeightedOp) and user.delay.data):
            return False
        if isinstance(user, SparseOp) and user.delays is not None and user.delays.array.any():
            return False
        if isinstance(user, BundleOp) and user.is_late:
            return False
        if isinstance(user, FlattenOp | SliceOp | AddOp | PoolOp) and not keeps_zero(user.results[0]):
            return False
    return True


def _key_of(op: WeightedOp) -> str:
    return op.weights.data.key if isinstance(op.weights, TensorAttr) else "weight"
