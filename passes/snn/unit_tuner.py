"""Tuning the projections of one unit: calibration data in, integers with a scale per column out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.snn import AddOp, ConvOp, DenseOp, FlattenOp, NeuronOp, ScaleOp, WeightedOp
from snnir.passes.snn.forward import Forward, delayed, projected
from snnir.passes.snn.terms import summing
from snnir.passes.snn.tuning_units import (
    Unit,
    average_of,
    class_of_lanes,
    classes_of,
    crowding,
    is_fitted,
    lanes_of,
    signal_size,
    weights_of,
)
from snnir.precision import integer_type, largest
from snnir.tuning.layer import Moments, Tuned, tune
from snnir.tuning.patches import patches_at, places_of
from snnir.tuning.ranges import picked
from snnir.tuning.rounding import Matrix, Rounded, lane_scales, nearest, rounded

Array = NDArray[Any]
Reals = NDArray[np.float64]

SCALED = 64
"""Samples that tell how much each of several projections matters."""
ROWS = 8192
"""Calibration rows of a projection: of more, so many from everywhere."""


@dataclass(frozen=True)
class Data:
    """Calibration data of the part of a projection that is one matrix: all of it, or one group of a convolution."""

    inputs: Reals
    """(rows, features)"""
    outputs: Reals
    """What it should make of them, (rows, lanes)."""
    lanes: slice
    """Its lanes."""


def calibration_data(op: "DenseOp | ConvOp", source: Array, wanted: Array) -> Iterator[Data]:
    """The data of a projection; signals are (samples, steps, neurons), `wanted` is what it should make."""
    read = delayed(source, op.delay.data)
    assert isinstance(op.weights, TensorAttr)
    if isinstance(op, DenseOp):
        outputs, features = op.weights.data.shape
        rows = read.reshape(-1, features)
        some = picked(len(rows), ROWS)
        yield Data(rows[some].astype(np.float64), wanted.reshape(-1, outputs)[some], slice(0, outputs))
        return
    groups, windows = op.groups.data, op.windows
    planes = read.reshape(-1, read.shape[2])
    places = places_of(len(planes), windows, ROWS)
    patches = patches_at(planes, windows, places, groups)
    result = wanted.reshape(len(planes), op.lanes, *windows.result)[places[0], :, places[1], places[2]]
    width = op.lanes // groups
    for group in range(groups):
        lanes = slice(group * width, (group + 1) * width)
        yield Data(patches[group], np.ascontiguousarray(result[:, lanes]), lanes)


@dataclass(frozen=True)
class Tuning:
    """How units are tuned."""

    bits: int
    biased: bool
    """Whether biases may be set, and everything is fitted about its mean."""
    ste: int = 0
    """Steps of gradient descent after the closed form; 0: none."""


class UnitTuner:
    """Tunes units of one program; `new` evaluates it as it is rewritten, what comes first first."""

    def __init__(self, new: Forward) -> None:
        self._new = new

    def tune(self, unit: Unit, wanted: Reals, tuning: Tuning) -> None:
        """Give the projections of a unit integers; `wanted` is what its first population should sum."""
        if unit.mirrors:
            for op, other in unit.mirrors.items():
                _mirror(op, other)
            scale = _scale_of_neurons(unit)
        else:
            for op in unit.leaves:
                sum_pools(op)
            bits = tuning.bits - int(np.ceil(np.log2(crowding(unit.leaves))))
            self._leaves(unit, wanted, Tuning(max(2, bits), tuning.biased, tuning.ste))
            scale = _scale_of_neurons(unit)
        for op in unit.digits:
            _divide(op, scale, tuning.bits)

    def noise(self, unit: Unit, wanted: Reals, choices: range, biased: bool) -> list[float]:
        """The noise-to-signal ratio of a unit with each number of bits."""
        errors, power = np.zeros(len(choices)), 0.0
        for op in unit.leaves:
            weights = weights_of(op)
            if not is_fitted(op):
                continue
            rest = self._unbiased(op, wanted - self._total(unit) + self._made(op), biased)
            assert isinstance(op, DenseOp | ConvOp)
            for data in calibration_data(op, self._new.signal(op.source), rest):
                moments = Moments.of(data.inputs, data.outputs, centred=biased)
                matrix = weights[data.lanes].reshape(len(moments.power), -1)
                power += float(moments.power.sum())
                errors += [float(tune(moments, matrix, bits).error.sum()) for bits in choices]
        return [float(error / power) if power else 0.0 for error in errors]

    def _made(self, op: WeightedOp) -> Reals:
        made: Reals = projected(op, self._new.signal(op.source))
        return made

    def _unbiased(self, op: WeightedOp, wanted: Reals, biased: bool) -> Reals:
        """What the weights alone should make, where the bias stays."""
        return wanted if biased or op.bias is None else wanted - op.spread(value_of(op.bias))

    def _total(self, unit: Unit) -> Reals:
        total = self._made(unit.leaves[0])
        for op in unit.leaves[1:]:
            total = total + self._made(op)
        return total

    def _leaves(self, unit: Unit, wanted: Reals, tuning: Tuning) -> None:
        """One projection after the other, each against what the others leave; those that cannot be fitted first."""
        shared = self._shared(unit, tuning.bits)
        ordered = sorted(unit.leaves, key=is_fitted)
        made = {op: self._made(op) for op in ordered} if len(ordered) > 1 else {}
        for number, op in enumerate(ordered):
            rest = wanted
            for other in ordered:
                if other is not op:
                    rest = rest - made[other]
            last = number == len(ordered) - 1
            if is_fitted(op):
                self._fit(op, rest, shared.get(op), tuning)
            else:
                _round(op, shared.get(op), tuning.bits)
                if tuning.biased and last:
                    _correct(op, rest - self._made(op))
            if made:
                made[op] = self._made(op)

    def _shared(self, unit: Unit, bits: int) -> dict[WeightedOp, Reals]:
        """The scale of each lane of each projection, where scales have to agree; else none."""
        if len(unit.leaves) == 1 and not unit.digits:
            return {}
        classes = classes_of(unit.leaves, unit.populations[0].size)
        own = {op: class_of_lanes(op, classes) for op in unit.leaves}
        weights = np.concatenate([weights_of(op).ravel() for op in unit.leaves])
        lanes = np.concatenate([own[op][lanes_of(op)] for op in unit.leaves])
        power = [float(np.var(self._new.signal(op.source)[:SCALED])) for op in unit.leaves]
        importance = np.concatenate([np.full(weights_of(op).size, p) for op, p in zip(unit.leaves, power, strict=True)])
        scale = lane_scales(weights, lanes, int(classes.max()) + 1, bits, importance + 1e-12 * max(power))
        for digit in unit.digits:
            # the weight of the high digit has to be a whole number of scales
            weight = abs(float(np.asarray(value_of(digit.weights))))
            scale = weight / np.clip(np.rint(weight / scale), 1, largest(bits))
        return {op: scale[own[op]] for op in unit.leaves}

    def _fit(self, op: WeightedOp, wanted: Reals, scale: "Reals | None", tuning: Tuning) -> None:
        assert isinstance(op, DenseOp | ConvOp)
        weights, wanted = weights_of(op), self._unbiased(op, wanted, tuning.biased)
        integers, scales, biases = np.zeros(weights.shape), np.ones(op.lanes), np.zeros(op.lanes)
        for data in calibration_data(op, self._new.signal(op.source), wanted):
            moments = Moments.of(data.inputs, data.outputs, centred=tuning.biased)
            matrix = weights[data.lanes].reshape(len(moments.power), -1)
            found = tune(moments, matrix, tuning.bits, None if scale is None else scale[data.lanes])
            if tuning.ste and scale is None:
                found = _descended(found, moments, data, matrix, tuning)
            integers[data.lanes] = found.rounded.integers.reshape(weights[data.lanes].shape)
            scales[data.lanes], biases[data.lanes] = found.rounded.scale, found.bias
        _set(op, integers, scales, tuning.bits)
        if tuning.biased:
            set_bias(op, biases)


def _descended(found: Tuned, moments: Moments, data: Data, weights: Matrix, tuning: Tuning) -> Tuned:
    """After gradient descent, row by row where that is better on the calibration data."""
    from snnir.train.ste import tuned  # noqa: PLC0415  (needs torch)

    other, _ = tuned(data.inputs, data.outputs, found.rounded, weights, tuning.bits, tuning.ste)
    error = moments.error(Rounded(other.integers[:, moments.active], other.scale))
    better = error < found.error
    integers = np.where(better[:, None], other.integers, found.rounded.integers)
    best = Rounded(integers, np.where(better, other.scale, found.rounded.scale))
    bias = moments.output_mean - best.weights @ moments.input_mean
    return Tuned(best, bias, np.minimum(error, found.error))


def _round(op: WeightedOp, scale: "Reals | None", bits: int) -> None:
    """Round to nearest; a projection with one weight per lane and a scale of its own keeps its weights."""
    weights = weights_of(op)
    flat, lanes = weights.ravel(), lanes_of(op)
    if scale is None and isinstance(op, ScaleOp):
        scale = np.where(flat == 0, 1.0, np.abs(flat))
    elif scale is None:
        scale = lane_scales(flat, lanes, op.lanes, bits)
    _set(op, nearest(flat, scale[lanes], bits).reshape(weights.shape), scale, bits)


def round_alone(op: WeightedOp, bits: int) -> None:
    """Round the weights of a projection that shares no columns that could be known."""
    weights = weights_of(op)
    if not is_fitted(op):
        _round(op, None, bits)
        return
    matrix = weights.reshape(op.lanes, -1)
    scale = lane_scales(weights.ravel(), lanes_of(op), op.lanes, bits)
    _set(op, rounded(matrix, scale, bits).integers.reshape(weights.shape), scale, bits)


def _divide(op: ScaleOp, scale: Reals, bits: int) -> None:
    """The weight of a high digit as a whole number of the scales of its neurons."""
    weight = float(np.asarray(value_of(op.weights))) * (1.0 if op.scale is None else np.asarray(value_of(op.scale)))
    _set(op, np.rint(weight / scale), scale, bits)


def _mirror(op: WeightedOp, other: WeightedOp) -> None:
    """The negative of a projection that has been tuned, of the same source."""
    assert isinstance(other.weights, TensorAttr)
    op.operands = [other.source]
    key = op.weights.data.key if isinstance(op.weights, TensorAttr) else f"{other.weights.data.key}.negative"
    op.weights = TensorAttr.of(key, -other.weights.array)
    op.scale = other.scale
    if other.bias is not None:
        set_bias(op, -np.asarray(value_of(other.bias)))


def _correct(op: WeightedOp, error: Reals) -> None:
    """Add to the bias what sums lack on average, (samples, steps, targets)."""
    lanes = np.asarray(op.spread(np.arange(op.lanes, dtype=np.float64))).astype(np.int64)
    mean = error.mean(axis=(0, 1))
    own = np.zeros(op.lanes) if op.bias is None else np.asarray(value_of(op.bias))
    set_bias(op, own + np.bincount(lanes, mean, op.lanes) / np.bincount(lanes, minlength=op.lanes))


def _set(op: WeightedOp, integers: Reals, scale: Reals, bits: int) -> None:
    key = _name(op)
    op.weights = TensorAttr.of(key, integers.astype(integer_type(bits)))
    same = bool((scale == scale[0]).all())
    op.scale = FloatAttr(float(scale[0]), 64) if same else TensorAttr.of(f"{key}.scale", scale)


def set_bias(op: WeightedOp, bias: Reals) -> None:
    """Give a projection a bias, (lanes,)."""
    key = op.bias.data.key if op.bias is not None else f"{_name(op)}.bias"
    op.bias = TensorAttr.of(key, bias) if np.any(bias) else None


def _name(op: WeightedOp) -> str:
    """The key of the weights; for those that are one number a new one, by the population that reads them."""
    if isinstance(op.weights, TensorAttr):
        return op.weights.data.key
    value, block = op.current, op.parent_block()
    while True:
        reader = next((use.operation for use in value.uses), None)
        if not isinstance(reader, AddOp | FlattenOp):
            break
        value = reader.results[0]
    name = f"{reader.sym_name.data}.weight" if isinstance(reader, NeuronOp) else "weight"
    others = [each.weights for each in block.ops if isinstance(each, WeightedOp)] if block is not None else []
    keys = {each.data.key for each in others if isinstance(each, TensorAttr)}
    return next(key for n in count() if (key := f"{name}{n or ''}") not in keys)


def _scale_of_neurons(unit: Unit) -> Reals:
    op = unit.leaves[0]
    scale: Attribute | None = op.scale
    return np.broadcast_to(1.0 if scale is None else op.spread(value_of(scale)), (unit.populations[0].size,))


def sum_pools(op: WeightedOp) -> None:
    """Let a projection read pools that sum where they average, and divide its weights: cells hold whole numbers."""
    average = average_of(op.source)
    if average is None or average == 1.0:
        return
    made, source = summing(op.source)
    Rewriter.insert_op(list(made), InsertPoint.before(op))
    assert signal_size(source) == signal_size(op.source)
    weights = weights_of(op) * average
    key = _name(op)
    op.operands = [source]
    op.weights, op.scale = TensorAttr.of(key, weights), None
