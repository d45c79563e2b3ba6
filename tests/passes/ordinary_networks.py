"""Random small ordinary networks: every linear op, pool and activation, batch norms, residual sums, tails."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    ACTIVATION_OPS,
    AddOp,
    AvgPoolOp,
    Conv1dOp,
    Conv2dOp,
    DenseOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
)
from snnir.indices import Indices
from snnir.sim import simulate
from snnir.sim.entry import network_of

EXACT = ("relu", "clip", "leaky_relu")
"""What relu populations can be, exactly."""
FITTED = ("elu", "selu", "sigmoid", "tanh", "softplus")
PARAMETERS = {"low": -0.5, "high": 1.5, "slope": 0.25, "alpha": 0.5, "gamma": 1.25}
Array = NDArray[Any]


def ordinary(rng: np.random.Generator, functions: Collection[str] = EXACT, *, max_pools: bool = True) -> ModuleOp:
    """A random program of one input and up to four populations, with some of the activations. It verifies and runs."""
    module = ModuleOp([_Maker(rng, tuple(functions), max_pools).network()])
    module.verify()
    return module


def values_for(module: ModuleOp, rng: np.random.Generator, samples: int = 5) -> dict[str, Array]:
    """Inputs (samples, 1, lines) around 0."""
    network = network_of(program_in(module))
    return {name: rng.normal(0.0, 1.0, (samples, 1, size)) for name, size in network.inputs.items()}


def program_in(module: ModuleOp) -> NetworkOp:
    """The program of a module."""
    return next(op for op in module.body.block.ops if isinstance(op, NetworkOp))


def outputs_of(module: ModuleOp, data: dict[str, Array]) -> dict[str, Array]:
    """What each output reads, (samples, 1, neurons)."""
    network = network_of(program_in(module))
    found = simulate(network, data)
    return {name: found[signal] for name, signal in network.outputs.items()}


def assert_close(found: dict[str, Array], expected: dict[str, Array], error: float = 1e-9) -> None:
    """Whether all outputs agree, relative to the largest value of each."""
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=error, atol=error * (1 + np.abs(values).max()))


class _Maker:
    def __init__(self, rng: np.random.Generator, functions: tuple[str, ...], max_pools: bool) -> None:
        self._rng, self._functions, self._max_pools = rng, functions, max_pools
        self._network = NetworkOp("ordinary", 1e-3, 1)
        self._keys = 0

    def network(self) -> NetworkOp:
        """The program."""
        rng = self._rng
        shape = [(int(rng.integers(2, 7)),), (2, 6), (2, 5, 4)][int(rng.integers(0, 3))]
        value: SSAValue = self._add(InputOp("x", SignalType.current(*shape)))
        made: list[SSAValue] = []
        for number in range(int(rng.integers(1, 5))):
            for _ in range(int(rng.integers(0, 4))):
                value = self._linear(value, made)
            value = self._population(f"h{number}", value)
            made.append(value)
            if rng.random() < 0.2:
                self._add(OutputOp(f"o{number}", value))
        for _ in range(int(rng.integers(0, 3))):
            value = self._linear(value, made)
        if isinstance(value.owner, InputOp):
            value = self._dense(value)
        self._add(OutputOp("y", value))
        return self._network

    def _add(self, op: Operation) -> SSAValue:
        self._network.body.block.add_op(op)
        return op.results[0] if op.results else SSAValue.get(op.operands[0])

    def _tensor(self, *shape: int, spread: float = 0.5) -> TensorAttr:
        self._keys += 1
        return TensorAttr.of(f"w{self._keys}", self._rng.normal(0.0, spread, shape))

    def _bias(self, lanes: int) -> TensorAttr | None:
        return self._tensor(lanes) if self._rng.random() < 0.6 else None

    def _scale(self, value: SSAValue) -> SSAValue:
        type_ = _type(value)
        bias = self._tensor(type_.size) if self._rng.random() < 0.6 else None
        kind = self._rng.integers(0, 3)
        if kind == 0:
            return self._add(ScaleOp(value, FloatAttr(float(self._rng.normal()), 64), type_, bias=bias))
        if kind == 1:
            return self._add(ScaleOp(value, self._tensor(type_.size, spread=1.0), type_, bias=bias))
        each = type_.size // type_.shape.data[0]
        self._keys += 1
        per_channel = [np.repeat(self._rng.normal(size=type_.shape.data[0]), each) for _ in range(2)]
        tensors = [TensorAttr.of(f"bn{self._keys}.{n}", array) for n, array in enumerate(per_channel)]
        return self._add(ScaleOp(value, tensors[0], type_, bias=tensors[1]))

    def _dense(self, value: SSAValue) -> SSAValue:
        type_, out = _type(value), int(self._rng.integers(2, 6))
        if len(type_.shape.data) > 1 and self._rng.random() < 0.3:
            result = SignalType.current(*type_.shape.data[:-1], out)
            weights = self._tensor(out, type_.shape.data[-1])
            return self._add(DenseOp(value, weights, result, bias=self._bias(out)))
        scale = FloatAttr(0.5, 64) if self._rng.random() < 0.3 else None
        weights = self._tensor(out, type_.size)
        return self._add(DenseOp(value, weights, SignalType.current(out), bias=self._bias(out), scale=scale))

    def _sparse(self, value: SSAValue) -> SSAValue:
        size, out, count = _type(value).size, int(self._rng.integers(2, 6)), int(self._rng.integers(1, 9))
        self._keys += 1
        ends = [TensorAttr.of(f"e{self._keys}.{n}", self._rng.integers(0, m, count)) for n, m in enumerate((size, out))]
        bias = self._bias(out)
        return self._add(SparseOp(value, self._tensor(count), ends[0], ends[1], SignalType.current(out), bias=bias))

    def _conv(self, value: SSAValue) -> SSAValue:
        rng, (channels, *size) = self._rng, _type(value).shape.data
        groups = channels if rng.random() < 0.3 else 1
        out = groups * int(rng.integers(1, 3))
        kernel = tuple(int(rng.integers(1, min(3, n) + 1)) for n in size)
        stride, pads = [int(rng.integers(1, 3)) for _ in size], rng.integers(0, 2, (2, len(size)))
        weights, padding = self._tensor(out, channels // groups, *kernel), (pads[0].tolist(), pads[1].tolist())
        kind = Conv1dOp if len(size) == 1 else Conv2dOp
        bias = self._bias(out)
        return self._add(kind(value, weights, stride=stride, padding=padding, groups=groups, bias=bias))

    def _pool(self, value: SSAValue) -> SSAValue:
        rng, (_, *size) = self._rng, _type(value).shape.data
        kinds = [AvgPoolOp, SumPoolOp, *([MaxPoolOp] if self._max_pools else [])]
        kind = kinds[int(rng.integers(0, len(kinds)))]
        kernel = [int(rng.integers(1, min(3, n) + 1)) for n in size]
        stride, pads = [int(rng.integers(1, 3)) for _ in size], rng.integers(0, 2, (2, len(size)))
        return self._add(kind(value, kernel, stride, (pads[0].tolist(), pads[1].tolist())))

    def _slice(self, value: SSAValue) -> SSAValue:
        type_ = _type(value)
        chosen = self._rng.permutation(type_.size)[: int(self._rng.integers(1, type_.size + 1))]
        return self._add(SliceOp(value, Indices.of(chosen.astype(np.int64))))

    def _linear(self, value: SSAValue, made: list[SSAValue]) -> SSAValue:
        image = len(_type(value).shape.data) > 1
        same = [each for each in made if _type(each).shape == _type(value).shape and each is not value]
        choices = ["scale"] * 4 + (["conv"] * 5 + ["pool"] * 5 if image else ["dense", "sparse", "slice"])
        choices += ["dense", "flatten"] + (["add"] * 3 if same else ["shared"])
        match choices[int(self._rng.integers(0, len(choices)))]:
            case "scale":
                return self._scale(value)
            case "dense":
                return self._dense(value)
            case "sparse":
                return self._sparse(value)
            case "slice":
                return self._slice(value)
            case "conv":
                return self._conv(value)
            case "pool":
                return self._pool(value)
            case "flatten":
                return self._add(FlattenOp(value))
            case "add":
                return self._add(AddOp(value, same[int(self._rng.integers(0, len(same)))]))
            case _:
                return self._add(AddOp(value, self._scale(value)))

    def _population(self, name: str, value: SSAValue) -> SSAValue:
        function = self._functions[int(self._rng.integers(0, len(self._functions)))]
        op = ACTIVATION_OPS[function]
        parameters = {key: FloatAttr(PARAMETERS[key], 64) for key in op.names()}
        return self._add(op(name, [value], _type(value), parameters))


def _type(value: SSAValue) -> SignalType:
    assert isinstance(value.type, SignalType)
    return value.type
