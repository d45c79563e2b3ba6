"""The parts that workloads are made of: inputs, projections with random weights, and populations.

Every tensor has a generator of random numbers of its own, seeded by the seed of the workload and by its key. So the
weights of a layer do not depend on what else a network has, and the same options give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    AvgPoolOp,
    Conv2dOp,
    DenseOp,
    FlattenOp,
    IfOp,
    InputOp,
    LifOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SparseOp,
    SumPoolOp,
)
from snnir.semantics import Semantics

Element = Literal["f32", "i8"]
"""How weights are stored: float32, or int8 with a scale for each projection."""

GAIN = 2.6
"""Standard deviation of the weights of a neuron, times the root of their number. Weights are as often negative as
positive, so that high gain saturates below a spike in every other step; with this one, spikes at 0.1 per step make
spikes at about 0.1 per step, and activity neither dies nor fills deep networks."""

LIF = {"tau": 5e-3, "r": 5.0, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0}
"""`v = 0.8 * v + I` in steps of 1 ms, a spike above 1, then v = 0."""
RELAY = {"r": 1.0, "threshold": 0.5, "v_reset": 0.0}
"""An `if` neuron that fires in exactly those steps in which at least one spike of weight 1 arrives: it has no memory,
since v is 0 after a spike, and without one it stays so."""
COUNTER = {"r": 1.0, "threshold": 1.0, "v_reset": 0.0}
"""An `if` neuron that fires once for each 1 that arrived in total (`Maker.avg_pool`)."""

_INT8_DEVIATION = math.sqrt((255**2 - 1) / 12)
"""Standard deviation of whole numbers from -127 to 127, all equally likely."""


class Maker:
    """A network in the making. Methods return the signal that they add."""

    def __init__(
        self, name: str, *, seed: int, steps: int | None = 25, dt: float = 1e-3, element: Element = "f32"
    ) -> None:
        if element not in get_args(Element):
            raise ValueError(f"weights are stored as {' or '.join(get_args(Element))}, not {element}")
        self.network = NetworkOp(name, dt, steps)
        self._seed, self._element = seed, element

    def rng(self, key: str) -> np.random.Generator:
        """Random numbers for the tensor `key`, the same for every run."""
        return np.random.default_rng([self._seed, crc32(key.encode())])

    def add(self, op: Operation) -> SSAValue:
        """Add an op; its signal."""
        self.network.body.block.add_op(op)
        if isinstance(op, InputOp | NeuronOp):
            op.results[0].name_hint = op.sym_name.data
        return op.results[0]

    def input(self, name: str, *shape: int) -> SSAValue:
        """Spikes from outside."""
        return self.add(InputOp(name, SignalType.spikes(*shape)))

    def output(self, name: str, source: SSAValue) -> None:
        """What the user reads."""
        self.network.body.block.add_op(OutputOp(name, source))

    # --- projections

    def weights(self, key: str, shape: Sequence[int], fanin: int) -> tuple[TensorAttr, Attribute | None]:
        """Random weights around 0 for neurons of `fanin` inputs, and their scale where they are whole numbers."""
        rng, deviation = self.rng(key), GAIN / math.sqrt(fanin)
        if self._element == "i8":
            whole = rng.integers(-127, 128, shape, np.int8)
            return TensorAttr.of(key, whole), FloatAttr(deviation / _INT8_DEVIATION, 64)
        real = rng.standard_normal(tuple(shape), np.float32)
        real *= np.float32(deviation)
        return TensorAttr.of(key, real), None

    def dense(self, name: str, source: SSAValue, *shape: int, delay: int = 0) -> SSAValue:
        """All-to-all, to a current of `shape`."""
        size = math.prod(shape)
        weights, scale = self.weights(f"{name}.weight", (size, size_of(source)), size_of(source))
        return self.add(DenseOp(source, weights, SignalType.current(*shape), scale=scale, delay=delay))

    def conv(
        self,
        name: str,
        source: SSAValue,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
    ) -> SSAValue:
        """A convolution with square kernels; `padding` on all four sides."""
        each = shape_of(source)[0] // groups
        weights, scale = self.weights(f"{name}.weight", (channels, each, kernel, kernel), each * kernel * kernel)
        around = ((padding, padding), (padding, padding))
        return self.add(Conv2dOp(source, weights, stride=(stride, stride), padding=around, groups=groups, scale=scale))

    def one_to_one(self, source: SSAValue, weight: float = 1.0, *, delay: int = 0) -> SSAValue:
        """Neuron to neuron, all with the same weight."""
        return self.add(ScaleOp(source, FloatAttr(weight, 64), SignalType.current(*shape_of(source)), delay=delay))

    def sparse(
        self, name: str, source: SSAValue, ends: NDArray[np.int64], weights: NDArray[np.float32], size: int, **more: Any
    ) -> SSAValue:
        """Single synapses: `ends` is (synapses, 2), target and source; `more` are delays, as `SparseOp` has them."""
        tensors = (
            TensorAttr.of(f"{name}.weight", weights),
            TensorAttr.of(f"{name}.from", ends[:, 1]),
            TensorAttr.of(f"{name}.to", ends[:, 0]),
        )
        return self.add(SparseOp(source, *tensors, SignalType.current(size), **more))

    # --- populations

    def lif(self, name: str, *currents: SSAValue, shape: Sequence[int] = ()) -> SSAValue:
        """Leaky neurons (`LIF`); `shape` where their currents come later (`feed`)."""
        spikes = SignalType.spikes(*(shape or shape_of(currents[0])))
        return self.add(LifOp(name, currents, numbers(LIF), Semantics(), spikes))

    def feed(self, population: SSAValue, *currents: SSAValue) -> None:
        """Let a population sum more currents: those that come from populations behind it, or from itself."""
        op = population.owner
        assert isinstance(op, NeuronOp)
        op.operands = [*op.operands, *currents]

    def relay(self, name: str, *currents: SSAValue) -> SSAValue:
        """Neurons that fire when at least one spike arrives (`RELAY`)."""
        spikes = SignalType.spikes(*shape_of(currents[0]))
        return self.add(IfOp(name, currents, numbers(RELAY), Semantics(), spikes))

    def max_pool(self, name: str, source: SSAValue, kernel: int, stride: int = 0, padding: int = 0) -> SSAValue:
        """A maximum as neurons: relays that read the sum. The maximum of spikes is 1 when at least one is."""
        return self.relay(name, self.add(SumPoolOp(source, *_window(kernel, stride, padding))))

    def avg_pool(self, name: str, source: SSAValue, kernel: int, stride: int = 0, padding: int = 0) -> SSAValue:
        """An average as neurons, which fire as often as the neurons of their window on average, rounded down."""
        pooled = self.add(AvgPoolOp(source, *_window(kernel, stride, padding)))
        semantics = Semantics(reset="subtract", compare="ge")
        return self.add(IfOp(name, [pooled], numbers(COUNTER), semantics, SignalType.spikes(*shape_of(pooled))))

    def flatten(self, name: str, source: SSAValue) -> SSAValue:
        """A one-dimensional copy of a population: relays, one to one."""
        return self.relay(name, self.one_to_one(self.add(FlattenOp(source))))


def _window(kernel: int, stride: int, padding: int) -> tuple[Any, Any, Any]:
    """Kernel, stride (by default the kernel) and padding of a square pool."""
    around = (padding, padding)
    return (kernel, kernel), (stride or kernel,) * 2, (around, around)


def numbers(values: Mapping[str, float | NDArray[np.float64]], prefix: str = "") -> dict[str, Attribute]:
    """Parameters of neurons: numbers, and arrays with one entry per neuron, whose keys are `prefix` and the name."""
    return {
        name: TensorAttr.of(f"{prefix}{name}", value) if isinstance(value, np.ndarray) else FloatAttr(value, 64)
        for name, value in values.items()
    }


def shape_of(signal: SSAValue) -> tuple[int, ...]:
    """The dimensions of a signal."""
    assert isinstance(signal.type, SignalType)
    return signal.type.shape.data


def size_of(signal: SSAValue) -> int:
    """The neurons of a signal."""
    return math.prod(shape_of(signal))
