"""Small ordinary networks as programs, and what they compute, for tests of codes and of tuned weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    AvgPoolOp,
    ClipOp,
    Conv2dOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    OutputOp,
    ReluOp,
    ScaleOp,
)
from snnir.passes.base import program
from snnir.sim import simulate
from snnir.sim.entry import network_of

Array = NDArray[Any]


def tensor(key: str, array: Array) -> TensorAttr:
    """A tensor."""
    return TensorAttr.of(key, array)


def number(value: float) -> FloatAttr[Any]:
    """A number."""
    return FloatAttr(value, 64)


def module_of(*ops: Operation) -> ModuleOp:
    """A program of some ops."""
    module = ModuleOp([NetworkOp("net", 1e-3, 1, Region(Block(ops)))])
    module.verify()
    return module


def dense(rng: np.random.Generator, source: SSAValue | Operation, key: str, size: int) -> DenseOp:
    """A dense projection with a bias."""
    inputs = SSAValue.get(source).type
    assert isinstance(inputs, SignalType)
    weights = rng.normal(size=(size, inputs.size)) / np.sqrt(inputs.size)
    bias = tensor(f"{key}.bias", rng.normal(size=size) / 4)
    return DenseOp(source, tensor(key, weights.astype(np.float32)), SignalType.current(size), bias=bias)


def clipped(name: str, source: Operation, limit: float) -> ClipOp:
    """A clip to -limit .. limit."""
    type_ = source.results[0].type
    assert isinstance(type_, SignalType)
    return ClipOp(name, [source], type_, {"low": number(-limit), "high": number(limit)})


def mlp(rng: np.random.Generator, *, hidden: str = "relu") -> ModuleOp:
    """Dense layers 6-8-7-3; `hidden`: what the hidden populations are, `relu` or `clip` of both signs."""
    x = InputOp("x", SignalType.current(6))
    a = dense(rng, x, "a", 8)
    h = ReluOp("h", [a], SignalType.current(8)) if hidden == "relu" else clipped("h", a, 0.75)
    b = dense(rng, h, "b", 7)
    g = ReluOp("g", [b], SignalType.current(7)) if hidden == "relu" else clipped("g", b, 0.75)
    c = dense(rng, g, "c", 3)
    y = clipped("y", c, 1e4)
    return module_of(x, a, h, b, g, c, y, OutputOp("scores", y))


def cnn(rng: np.random.Generator) -> ModuleOp:
    """A padded convolution, an average pool before a grouped one with a skip connection around it, a dense layer."""
    x = InputOp("x", SignalType.current(1, 6, 6))
    kernel, bias = rng.normal(size=(4, 1, 3, 3)) / 3, rng.normal(size=4) / 4
    a = Conv2dOp(x, tensor("a", kernel.astype(np.float32)), padding=((1, 1), (1, 1)), bias=tensor("a.bias", bias))
    h = ReluOp("h", [a], SignalType.current(4, 6, 6))
    p = AvgPoolOp(h, (2, 2))
    kernel = rng.normal(size=(4, 2, 3, 3)) / 4
    b = Conv2dOp(p, tensor("b", kernel.astype(np.float32)), padding=((1, 1), (1, 1)), groups=2)
    first = ReluOp("f", [p], SignalType.current(4, 3, 3))
    skip = ScaleOp(first, number(0.5), SignalType.current(4, 3, 3))
    g = ReluOp("g", [b, skip], SignalType.current(4, 3, 3))
    flat = FlattenOp(g.signal)
    c = dense(rng, flat, "c", 3)
    y = clipped("y", c, 1e4)
    return module_of(x, a, h, p, b, first, skip, g, flat, c, y, OutputOp("scores", y))


def values(rng: np.random.Generator, module: ModuleOp, samples: int, low: float = 0.0) -> Array:
    """Inputs from `low` to 1, (samples, 1, lines)."""
    (source,) = (op for op in program(module).sources.values() if isinstance(op, InputOp))
    return rng.uniform(low, 1.0, (samples, 1, source.size))


def stored(folder: Path, x: Array) -> str:
    """The name of a file with the values of input x."""
    path = folder / "data.npz"
    np.savez(path, x=x)
    return str(path)


def passed(module: ModuleOp, *passes: ModulePass) -> ModuleOp:
    """A copy after some passes, verified."""
    copy = module.clone()
    for each in passes:
        each.apply(Context(), copy)
    copy.verify()
    return copy


def emitted(module: ModuleOp, x: Array) -> Mapping[str, Array]:
    """What everything emits in the exact simulator."""
    return simulate(network_of(program(module)), {"x": x})
