"""Ordinary networks of whole numbers: integer weights, codes of k bits; as programs and in plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, IntegerType, ModuleOp, Signedness, f64
from xdsl.ir import Attribute, SSAValue

from snnir.dialects.attributes import ShapeAttr, SignalType, TensorAttr
from snnir.dialects.snn import Conv2dOp, DenseOp, FlattenOp, InputOp, NetworkOp, OutputOp
from snnir.dialects.snn_activations import ClipOp, ReluOp

Integers = NDArray[np.int64]
Shape = tuple[int, ...]


def codes(bits: int, *shape: int, signed: bool = False) -> SignalType:
    """The type of codes of so many bits."""
    return SignalType(ShapeAttr(shape), IntegerType(bits, Signedness.SIGNED if signed else Signedness.SIGNLESS))


@dataclass(frozen=True)
class Layer:
    """A population of codes and its one projection."""

    name: str
    weights: Integers
    """(out, in), or (out, in, 3, 3) of a convolution with padding 1."""
    scale: NDArray[np.float64]
    """One per output (channel)."""
    bias: NDArray[np.float64]
    bits: int
    step: float
    low: float | None
    """Of a clip, symmetric and with a sign; `None`: a relu."""

    def of(self, signal: Integers) -> Integers:
        """The codes for those of the layer before, (samples, *shape): plain sums of whole numbers."""
        if self.weights.ndim == 2:
            total = np.einsum("oi,si->so", self.weights, signal.reshape(len(signal), -1))
            lanes = 1
        else:
            height, width = signal.shape[2:]
            padded = np.pad(signal, ((0, 0), (0, 0), (1, 1), (1, 1)))
            total = np.zeros((len(signal), len(self.weights), height, width), np.int64)
            for y, x in product(range(3), range(3)):
                part = padded[:, :, y : y + height, x : x + width]
                total += np.einsum("oi,sihw->sohw", self.weights[:, :, y, x], part)
            lanes = height * width
        shape = total.shape
        scale, bias = (np.repeat(each, lanes) for each in (self.scale, self.bias))
        value = total.reshape(len(signal), -1) * scale + bias
        value = np.maximum(value, 0.0) if self.low is None else np.clip(value, self.low, -self.low)
        least, most = (0, 2**self.bits - 1) if self.low is None else (-(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1)
        return np.clip(np.floor(value / self.step + 0.5), least, most).astype(np.int64).reshape(shape)


def random_layers(
    rng: np.random.Generator, shape: Shape, sizes: Sequence[int], bits: int, signal_bits: int
) -> list[Layer]:
    """A convolution for each size while the shape is a plane, then dense layers; the last has a sign."""
    found: list[Layer] = []
    for number, size in enumerate(sizes):
        last = number == len(sizes) - 1
        planes = len(shape) == 3 and not last
        fanin = (shape[0], 3, 3) if planes else (int(np.prod(shape)),)
        weights = rng.integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1), (size, *fanin))
        spread = float(np.sqrt(np.prod(fanin))) * 2.0 ** (bits + signal_bits - 3)
        scale = rng.uniform(0.5, 1.5, size) / spread
        bias = rng.normal(0.2, 0.2, size)
        width = 10 if last else signal_bits
        step = 4.0 / 2**width
        found.append(Layer(f"h{number}", weights, scale, bias, width, step, -1.5 if last else None))
        shape = (size, *shape[1:]) if planes else (size,)
    return found


def module_of(shape: Shape, layers: Sequence[Layer], signal_bits: int) -> ModuleOp:
    """The program; every population is an output."""
    network = NetworkOp("coded", 1e-3, 1)
    block = network.body.block
    source = InputOp("x", codes(signal_bits, *shape), FloatAttr(1 / 8, f64), FloatAttr(-1.0, f64))
    block.add_op(source)
    value: SSAValue = source.signal
    for layer in layers:
        value = _population(block, value, layer)
    made = [op for op in block.ops if isinstance(op, ReluOp | ClipOp)]
    block.add_ops(OutputOp(f"y{n}", op.signal) for n, op in enumerate(made))
    module = ModuleOp([network])
    module.verify()
    return module


def _population(block: Any, value: SSAValue, layer: Layer) -> SSAValue:
    weights, scale, bias = (
        TensorAttr.of(f"{layer.name}.{key}", array)
        for key, array in (("w", layer.weights.astype("i4")), ("scale", layer.scale), ("bias", layer.bias))
    )
    if layer.weights.ndim == 4:
        projection = Conv2dOp(value, weights, padding=((1, 1), (1, 1)), bias=bias, scale=scale)
    else:
        assert isinstance(value.type, SignalType)
        if len(value.type.shape.data) > 1:
            flat = FlattenOp(value)
            block.add_op(flat)
            value = flat.results[0]
        projection = DenseOp(value, weights, SignalType.current(len(layer.weights)), bias=bias, scale=scale)
    shape = projection.current_type.shape.data
    type_ = codes(layer.bits, *shape, signed=layer.low is not None)
    step = FloatAttr(layer.step, f64)
    limits: dict[str, Attribute] = {}
    if layer.low is not None:
        limits = {"low": FloatAttr(layer.low, f64), "high": FloatAttr(-layer.low, f64)}
    make = ReluOp if layer.low is None else ClipOp
    population = make(layer.name, [projection.current], type_, limits, step)
    block.add_ops([projection, population])
    return population.signal


def input_codes(values: NDArray[np.float64], signal_bits: int) -> Integers:
    """The codes of values for the input of `module_of`."""
    return np.clip(np.floor((values + 1.0) / (1 / 8) + 0.5), 0, 2**signal_bits - 1).astype(np.int64)
