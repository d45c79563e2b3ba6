"""What the constructions of `snn-legalize` share: names, new populations, ranges, and notes of what was done."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import ceil, log2
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.places import place_of
from snnir.dialects.snn import ActivationOp, AddOp, ClipOp, NetworkOp, OutputOp, ReluOp
from snnir.passes.snn.affine import Vector, type_of
from snnir.passes.snn.rebuild import Builder
from snnir.report.changes import LayerChange
from snnir.semantics import Value
from snnir.sim import chunks
from snnir.sim.data import read_spikes
from snnir.sim.entry import network_of

WIDE = 2.0**20
"""The limit of values whose range nobody has measured."""
HEADROOM = 1.25
"""By how much values may exceed those that were measured before they are clipped."""


@dataclass
class Work:
    """A program on its way to what a machine has."""

    network: NetworkOp
    models: Collection[str]
    error: float
    reaches: dict[str, tuple[float, float]]
    """The least and the largest input of activations, and value of outputs, by name, where they were measured."""
    layers: list[LayerChange] = field(default_factory=list[LayerChange])
    counts: Counter[str] = field(default_factory=Counter[str])

    def name(self, base: str) -> str:
        """A name that nothing in the program has: `base`, or with a number behind it."""
        taken = {*self.network.sources, *self.network.outputs}
        found, number = base, 1
        while found in taken:
            found, number = f"{base}_{number}", number + 1
        return found

    def note(self, layer: str, op: Operation, change: str, count: str) -> None:
        """Say what was done to a layer, and count it."""
        self.layers.append(LayerChange(layer, place_of(op), change))
        self.counts[count] += 1

    def limit(self, name: str) -> float:
        """What the values at `name` stay below, a power of two: from data, else very much."""
        if name not in self.reaches:
            return WIDE
        most = max(map(abs, self.reaches[name]))
        return 2.0 ** ceil(log2(max(HEADROOM * most, 2.0**-20)))

    def positive(self, builder: Builder, name: str, inputs: Sequence[SSAValue], limit: float) -> SSAValue:
        """A population that emits the positive part of its input (below `limit`, where there is only `clip`)."""
        result = SignalType.current(*type_of(inputs[0]).shape.data)
        if "relu" in self.models:
            op: ActivationOp = ReluOp(self.name(name), inputs, result)
        else:
            op = ClipOp(self.name(name), inputs, result, {"low": FloatAttr(0.0, 64), "high": FloatAttr(limit, 64)})
        return self.placed(builder, op)

    def clipped(self, builder: Builder, name: str, value: SSAValue, low: float, high: float) -> SSAValue:
        """A population that emits its input between two limits."""
        result = SignalType.current(*type_of(value).shape.data)
        limits: dict[str, Attribute] = {"low": FloatAttr(low, 64), "high": FloatAttr(high, 64)}
        return self.placed(builder, ClipOp(self.name(name), [value], result, limits))

    @staticmethod
    def placed(builder: Builder, op: ActivationOp) -> SSAValue:
        """Insert a population where the op stands that it is made for."""
        op.location = builder.at.location
        op.signal.name_hint = op.sym_name.data
        return builder.put(op)


def total(builder: Builder, values: Sequence[SSAValue]) -> SSAValue:
    """The sum of values."""
    return values[0] if len(values) == 1 else builder.put(AddOp(*values))


def each(size: int, value: Value) -> Vector:
    """A parameter as one number per neuron."""
    return np.broadcast_to(np.asarray(value, np.float64), (size,)).copy()


def uniform(value: Value) -> float | None:
    """A parameter that all neurons share; `None` where they differ."""
    array = np.asarray(value, np.float64).ravel()
    return float(array[0]) if (array == array[0]).all() else None


def attribute_of(key: str, value: Vector) -> Attribute:
    """A parameter as an attribute: a number where all neurons share it."""
    shared = uniform(value)
    return FloatAttr(shared, 64) if shared is not None else TensorAttr.of(key, value)


def measured(network: NetworkOp, data: Path, samples: int | None) -> dict[str, tuple[float, float]]:
    """The least and the largest input of each activation, and value of each output, on recorded inputs."""
    copy = network.clone()
    block = copy.body.block
    watched = {op.sym_name.data: f"{op.sym_name.data} (input)" for op in block.ops if isinstance(op, ActivationOp)}
    for op in list(block.ops):
        if isinstance(op, ActivationOp) and op.inputs:
            block.add_op(into := AddOp(*op.inputs))
            block.add_op(OutputOp(watched[op.sym_name.data], into))
    arrays = network_of(copy)
    signals = {name: arrays.outputs[name] for name in network.outputs}
    signals |= {name: arrays.outputs[output] for name, output in watched.items() if output in arrays.outputs}
    inputs = read_spikes(data, samples, network.step_seconds)
    found: dict[str, tuple[float, float]] = {}
    for _, part in chunks(arrays, inputs, record=sorted(set(signals.values()))):
        for name, signal in signals.items():
            low, high = found.get(name, (np.inf, -np.inf))
            found[name] = min(low, float(part[signal].min())), max(high, float(part[signal].max()))
    return found
