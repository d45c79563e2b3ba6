"""Max pools as populations: a tree of `max(a, b) = a + relu(b - a)` over the places of a window.

All pairs of a level are one population, with a channel per pair; they read windows through convolutions of each channel
by itself, with a 1 where the kernel has one place of the pair and a -1 where it has the other. So a pool of k places is
log2 k populations, and stays a convolution on the crossbars.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute, SSAValue

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import (
    ActivationOp,
    AvgPoolOp,
    ClipOp,
    Conv1dOp,
    Conv2dOp,
    IfOp,
    InputOp,
    MaxPoolOp,
    NeuronOp,
    ReluOp,
    SliceOp,
    SumPoolOp,
)
from snnir.indices import Indices
from snnir.passes.base import fail
from snnir.passes.snn.affine import Vector, channelwise, leaf_behind, spread_over, type_of
from snnir.passes.snn.rebuild import Builder
from snnir.passes.snn.reforming import WIDE, Work, total
from snnir.semantics import SPIKING, Semantics

_RISING = ("relu", "clip", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus")
_ZERO_AT_ZERO = ("relu", "leaky_relu", "elu", "selu", "tanh")


def activations_first(work: Work) -> dict[MaxPoolOp, str]:
    """Where an activation that never falls is all that reads a max pool of a current, let the pool read the activation:
    the largest value is the same, and the pool reads a population. The name that the pool's result then should have."""
    names: dict[MaxPoolOp, str] = {}
    for pool in [op for op in work.network.body.block.ops if isinstance(op, MaxPoolOp)]:
        uses = list(pool.pooled.uses)
        user = uses[0].operation if len(uses) == 1 else None
        if not isinstance(user, ActivationOp) or len(user.inputs) != 1 or not _commutes(user, pool):
            continue
        if isinstance(pool.source.owner, InputOp | NeuronOp):
            continue
        name = user.sym_name.data
        user.sym_name = type(user.sym_name)(work.name(f"{name}_before"))
        builder = Builder(pool)
        parameters = {key: user.properties[key] for key in user.names()}
        first = type(user)(work.name(f"{name}_all"), [pool.source], type_of(pool.source), parameters)
        first.location = user.location
        first.signal.name_hint = first.sym_name.data
        pool.operands[0] = builder.put(first)
        user.signal.replace_all_uses_with(pool.pooled)
        user.detach()
        user.erase()
        names[pool] = name
        work.counts["activations put before a max pool"] += 1
    return names


def _commutes(op: ActivationOp, pool: MaxPoolOp) -> bool:
    """Whether the activation of the largest is the largest activation, and zeros around a plane stay zeros."""
    if op.MODEL not in _RISING or op.coding is not None or type_of(pool.pooled).is_discrete:
        return False
    parameters = op.parameters
    if any(np.ndim(value) for value in parameters.values()):
        return False
    if any(float(value) < 0 for key, value in parameters.items() if key in ("slope", "alpha", "gamma")):
        return False
    if not any((*pool.padding_low.data, *pool.padding_high.data)) or op.MODEL in _ZERO_AT_ZERO:
        return True
    return op.MODEL == "clip" and float(parameters["low"]) <= 0 <= float(parameters["high"])


def average(work: Work, pool: MaxPoolOp) -> None:
    """An average pool in the place of a max pool."""
    new = AvgPoolOp(pool.source, pool.kernel.data, pool.stride.data, (pool.padding_low.data, pool.padding_high.data))
    new.location = pool.location
    work.note(f"@{_source_name(pool)}", pool, "max pool taken for an average pool: not the same", "max pools averaged")
    _replace(pool, Builder(pool).put(new))


def _source_name(pool: MaxPoolOp) -> str:
    owner = leaf_behind(pool.source).owner
    assert isinstance(owner, InputOp | NeuronOp)
    return owner.sym_name.data


def _replace(pool: MaxPoolOp, value: SSAValue) -> None:
    pool.pooled.replace_all_uses_with(value)
    pool.detach()
    pool.erase()


def of_spikes(work: Work, pool: MaxPoolOp) -> None:
    """The largest of zeros and ones: a neuron without a memory that fires from one spike on."""
    source = leaf_behind(pool.source).owner
    name = work.name(f"{_source_name(pool)}_max")
    several = isinstance(source, NeuronOp) and source.MODEL in SPIKING and source.semantics.data.spikes != 1
    if "if" not in work.models or several:
        what = "several spikes in a step" if several else "a machine without if neurons"
        fail(pool, f"a max pool of spikes, and {what}", "use a sum pool, or max-pool=avg")
    builder = Builder(pool)
    added = SumPoolOp(pool.source, pool.kernel.data, pool.stride.data, (pool.padding_low.data, pool.padding_high.data))
    added.location = pool.location
    parameters: dict[str, Attribute] = {
        "r": FloatAttr(1.0, 64),
        "threshold": FloatAttr(0.5, 64),
        "v_reset": FloatAttr(0.0, 64),
    }
    neurons = IfOp(name, [builder.put(added)], parameters, Semantics(), type_of(pool.pooled))
    neurons.location = pool.location
    neurons.signal.name_hint = name
    work.note(f"@{name}", pool, "max pool of spikes as neurons that fire from one spike on: exact", "max pools exact")
    _replace(pool, builder.put(neurons))


@dataclass(frozen=True)
class _Largest:
    """The largest of some places of a window: the value at one of them, and relu neurons that are added to it."""

    place: int
    added: tuple[tuple[int, int], ...]
    """Level, and number of the pair in it."""


class _Tree:
    """The comparisons of one pool."""

    def __init__(self, work: Work, pool: MaxPoolOp, name: str, signals: list[tuple[SSAValue, float]]) -> None:
        self._work, self._pool, self._name, self._signals = work, pool, name, signals
        self._builder = Builder(pool)
        self._channels, *self._result = type_of(pool.pooled).shape.data
        self._levels: list[tuple[SSAValue, int]] = []
        """The populations so far, and their pairs."""

    def largest(self) -> list[SSAValue]:
        """Currents whose sum is the largest value of each window."""
        found = [_Largest(place, ()) for place in range(prod(self._pool.kernel.data))]
        while len(found) > 1:
            pairs = list(zip(found[::2], found[1::2], strict=False))
            level = len(self._levels)
            inputs = self._read(pairs, f"{self._name}.level{level}")
            signal = self._work.positive(self._builder, f"{self._name}_level{level}", inputs, WIDE)
            self._levels.append((signal, len(pairs)))
            rest = found[len(pairs) * 2 :]
            found = [_Largest(a.place, (*a.added, (level, n))) for n, (a, _) in enumerate(pairs)] + rest
        return self._read([(None, found[0])], f"{self._name}.place")

    def _read(self, pairs: Sequence[tuple[_Largest | None, _Largest]], key: str) -> list[SSAValue]:
        """Second minus first of each pair, as projections of the windows and of the levels so far."""
        kernels = np.zeros((len(pairs), prod(self._pool.kernel.data)))
        added = [np.zeros((len(pairs), count)) for _, count in self._levels]
        for n, pair in enumerate(pairs):
            for each, sign in zip(pair, (-1.0, 1.0), strict=True):
                if each is not None:
                    kernels[n, each.place] += sign
                    for level, number in each.added:
                        added[level][n, number] += sign
        found = [self._windows(signal, sign * kernels, f"{key}{n}") for n, (signal, sign) in enumerate(self._signals)]
        for level, matrix in enumerate(added):
            if matrix.any():
                found.append(self._level(level, matrix, f"{key}.of{level}"))
        return found

    def _windows(self, signal: SSAValue, kernels: Vector, key: str) -> SSAValue:
        pool, n = self._pool, len(self._pool.kernel.data)
        weights = np.tile(kernels.reshape(len(kernels), 1, *pool.kernel.data), (self._channels, *(1,) * (n + 1)))
        kind = Conv1dOp if n == 1 else Conv2dOp
        made = kind(
            signal,
            TensorAttr.of(key, weights),
            stride=pool.stride.data,
            padding=(pool.padding_low.data, pool.padding_high.data),
            groups=self._channels,
        )
        made.location = pool.location
        return self._builder.put(made)

    def _level(self, level: int, matrix: Vector, key: str) -> SSAValue:
        signal, count = self._levels[level]
        n = len(self._result)
        if len(matrix) == 1 and matrix.sum() == 1:  # some whole channels, as they are
            places = prod(self._result)
            channels = np.arange(self._channels) * count + int(matrix[0].argmax())
            chosen = (channels[:, None] * places + np.arange(places)).ravel()
            part = SliceOp(signal, Indices.of(chosen), (self._channels, *self._result))
            part.location = self._pool.location
            return self._builder.put(part)
        weights = np.tile(matrix.reshape(*matrix.shape, *(1,) * n), (self._channels, *(1,) * (n + 1)))
        made = (Conv1dOp if n == 1 else Conv2dOp)(signal, TensorAttr.of(key, weights), groups=self._channels)
        made.location = self._pool.location
        return self._builder.put(made)


def of_values(work: Work, pool: MaxPoolOp, wanted: str | None) -> None:
    """The largest of real values, by a tree; `wanted` names the population that emits it, where there is one."""
    if type_of(pool.pooled).is_coded:
        fail(pool, "a max pool of codes", "run snn-legalize before snn-code-signals")
    builder, source = Builder(pool), pool.source
    name = wanted or work.name(f"{_source_name(pool)}_max")
    constants: Vector | None = None
    if not any((*pool.padding_low.data, *pool.padding_high.data)):
        stripped, found = builder.stripped(source)
        constants = channelwise(type_of(source), found)
        source = stripped if constants is not None else source
    if isinstance(source.owner, InputOp | NeuronOp):
        signals = [(source, 1.0)]
    else:
        limit = WIDE
        plus = work.positive(builder, f"{name}_plus", [source], limit)
        minus = work.positive(builder, f"{name}_minus", [builder.minus(source, f"{name}.minus")], limit)
        signals = [(plus, 1.0), (minus, -1.0)]
    parts = _Tree(work, pool, name, signals).largest()
    value = total(builder, parts)
    joined = _never_negative(source)
    if joined:
        value = work.positive(builder, name, parts, WIDE)
    if constants is not None:
        value = builder.shifted(value, spread_over(type_of(pool.pooled), constants), f"{name}.constant")
    places = prod(pool.kernel.data)
    work.note(f"@{name}", pool, f"max pool of {places} places as {places - 1} comparisons: exact", "max pools exact")
    _replace(pool, value)


def _never_negative(value: SSAValue) -> bool:
    owner = value.owner
    if isinstance(owner, ClipOp):
        return bool((np.asarray(owner.parameters["low"]) >= 0).all())
    return isinstance(owner, ReluOp)
