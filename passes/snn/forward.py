"""What a program computes, by fast floating-point matrix products: for calibration, where the last bit does not matter.

Signals are (samples, steps, neurons). `rounded=False` leaves out the rounding and the limits of codes: the program as
it would be with signals of unlimited precision, in the units of its codes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue

from snnir.activations import Coding, activate
from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import (
    ActivationOp,
    AddOp,
    AvgPoolOp,
    BundleOp,
    ConvOp,
    DelayOp,
    DenseOp,
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
from snnir.sim.convolution import Pool
from snnir.tuning.patches import convolved

Array = NDArray[Any]


class Forward:
    """Evaluates signals of one program on given inputs; what inputs and activations emit is kept."""

    def __init__(
        self,
        network: NetworkOp,
        inputs: Mapping[str, Array],
        *,
        rounded: bool = True,
        recorded: Mapping[str, Array] | None = None,
    ) -> None:
        """`inputs`: spikes or values, by name; `recorded`: what populations with a state emit."""
        self._rounded = rounded
        self._kept: dict[SSAValue, Array] = {}
        self._last: tuple[NeuronOp, Array] | None = None
        given = {**inputs, **(recorded or {})}
        for name, source in network.sources.items():
            if name in given:
                values = given[name].reshape(*given[name].shape[:2], -1)
                self._kept[source.signal] = self._emitted(values, source.coding)

    def signal(self, value: SSAValue) -> Array:
        """A signal of the program."""
        if value in self._kept:
            return self._kept[value]
        owner = value.owner
        match owner:
            case ActivationOp():
                self._kept[value] = self._activation(owner)
                return self._kept[value]
            case FlattenOp():
                return self.signal(owner.source)
            case SliceOp():
                return self.signal(owner.source)[..., owner.indices.data.array]
            case AddOp():
                return self.total(owner.inputs)
            case DelayOp():
                delay = owner.delay.array if isinstance(owner.delay, TensorAttr) else owner.delay.data
                return delayed(self.signal(owner.source), delay)
            case PoolOp():
                return pooled(owner, self.signal(owner.source))
            case WeightedOp():
                return projected(owner, self.signal(owner.source))
            case NeuronOp() | InputOp():
                fail(owner, "a population with a state that was not recorded", "give data for every input")
            case _:
                pass
        raise TypeError(f"{owner} makes no signal")

    def total(self, values: Sequence[SSAValue]) -> Array:
        """The sum of signals."""
        result = np.asarray(self.signal(values[0]), np.float64)
        for value in values[1:]:
            result = result + self.signal(value)
        return result

    def current(self, population: NeuronOp) -> Array:
        """What a population sums; 0 where it reads nothing. The last one is kept: do not ask before it is final."""
        if self._last is None or self._last[0] is not population:
            self._last = (population, self._summed(population))
        return self._last[1]

    def _summed(self, population: NeuronOp) -> Array:
        if population.inputs:
            return self.total(population.inputs)
        some = next(iter(self._kept.values()))
        return np.zeros((*some.shape[:2], population.size))

    def forget(self, value: SSAValue) -> None:
        """Give the memory of a signal back; it is computed again where it is read again."""
        self._kept.pop(value, None)

    def _activation(self, op: ActivationOp) -> Array:
        current = self.current(op)
        found = activate(op.MODEL, _grouped(op, current), op.parameters).reshape(current.shape)
        return self._emitted(found, op.coding)

    def _emitted(self, values: Array, coding: Coding | None) -> Array:
        if coding is None:
            return values
        return coding.encode(values) if self._rounded else (values - coding.zero) / coding.step


def _grouped(op: ActivationOp, current: Array) -> Array:
    if op.MODEL != "softmax":
        return current
    return current.reshape(*current.shape[:-1], -1, op.signal_type.shape.data[-1])


def projected(op: WeightedOp, source: Array, *, biased: bool = True) -> Array:
    """What a projection makes of (samples, steps, sources): float64, (samples, steps, targets)."""
    raw = op.weights.array if isinstance(op.weights, TensorAttr) else np.asarray(value_of(op.weights))
    read = delayed(source, op.delay.data)
    match op:
        case DenseOp():
            rows = read.reshape(-1, raw.shape[1]).astype(np.float64, copy=False)
            result = (rows @ raw.T.astype(np.float64)).reshape(*read.shape[:2], -1)
        case ScaleOp():
            result = read * raw.astype(np.float64).ravel()
        case ConvOp():
            rows = read.reshape(-1, read.shape[2])
            result = convolved(rows, raw, op.windows, op.groups.data).reshape(*read.shape[:2], -1)
        case SparseOp():
            result = _sparse(op, raw, read)
        case BundleOp():
            result = _bundle(op, raw, read)
        case _:
            raise TypeError(f"{op.name} is no known projection")
    if op.scale is not None:
        result *= op.spread(value_of(op.scale))
    if op.bias is not None and biased:
        result += op.spread(value_of(op.bias))
    return result


def _sparse(op: SparseOp, raw: Array, read: Array) -> Array:
    from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)

    result = np.zeros((*read.shape[:2], op.current_type.size))
    delays = np.zeros(len(raw), np.int64) if op.delays is None else op.delays.array
    for delay in np.unique(delays).tolist():
        some = delays == delay
        ends = (op.targets.array[some], op.sources.array[some])
        matrix = csr_array((raw[some].astype(np.float64), ends), shape=(op.current_type.size, read.shape[2]))
        late = delayed(read, delay).reshape(-1, read.shape[2])
        result += np.asarray((matrix @ late.T).T).reshape(result.shape)
    return result


def _bundle(op: BundleOp, raw: Array, read: Array) -> Array:
    result = np.zeros((*read.shape[:2], op.current_type.size))
    for level in np.flatnonzero(raw.any(axis=(1, 2))).tolist():
        late = delayed(read, level * op.stride.data).reshape(-1, read.shape[2]).astype(np.float64, copy=False)
        result += (late @ raw[level].T.astype(np.float64)).reshape(result.shape)
    return result


def pooled(op: PoolOp, source: Array) -> Array:
    """What a pool makes of (samples, steps, sources)."""
    assert isinstance(op.source.type, SignalType)
    kind = "max" if isinstance(op, MaxPoolOp) else "avg" if isinstance(op, AvgPoolOp) else "sum"
    values = source.astype(np.float64, copy=False)
    return Pool(kind, op.source.type.shape.data[0], op.windows).apply(values, None)


def delayed(values: Array, delay: "int | Array") -> Array:
    """A signal some steps late, silent before; (neurons,) delays or one for all."""
    if np.ndim(delay):
        result = np.zeros_like(values)
        for each in np.unique(delay).tolist():
            some = np.flatnonzero(np.ravel(delay) == each)
            result[:, each:, some] = values[:, : max(0, values.shape[1] - each), some]
        return result
    steps = int(delay)
    if not steps:
        return values
    result = np.zeros_like(values)
    result[:, steps:] = values[:, : max(0, values.shape[1] - steps)]
    return result
