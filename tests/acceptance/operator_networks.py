"""A small program for each operator that crossbars can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    NEURON_OPS,
    AddOp,
    AvgPoolOp,
    Conv1dOp,
    Conv2dOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
)
from snnir.indices import Indices
from snnir.semantics import Semantics


class Maker:
    """A program that grows op by op. Weights are floats (`grid` false), or integers of 8 bits times 2**-6."""

    def __init__(self, *, grid: bool, seed: int = 0) -> None:
        self._rng, self._grid = np.random.default_rng(seed), grid
        self._network, self._keys = NetworkOp("operators", 1e-3, None), 0

    def module(self) -> ModuleOp:
        """The program, with every population as an output."""
        found = [op for op in self._network.sources.values() if isinstance(op, NeuronOp)]
        self._network.body.block.add_ops(OutputOp(f"y{n}", op.signal) for n, op in enumerate(found))
        module = ModuleOp([self._network])
        module.verify()
        return module

    def add(self, op: Operation) -> SSAValue:
        """The result of an op."""
        self._network.body.block.add_op(op)
        return op.results[0]

    def tensor(self, array: NDArray[np.generic]) -> TensorAttr:
        """An array under a name of its own."""
        self._keys += 1
        return TensorAttr.of(f"t{self._keys}", array)

    def weights(self, *shape: int) -> TensorAttr:
        """Random weights (targets, ...), smaller where there are more, so that neurons fire now and then."""
        half = 2.0 ** -max(0, round(np.log2(np.prod(shape[1:])) / 2) - 1)
        if self._grid:
            return self.tensor((self._rng.integers(-40, 64, shape) * (half / 64)).astype("f4"))
        return self.tensor(self._rng.normal(0.2 * half, 0.5 * half, shape).astype("f4"))

    def bias(self, size: int) -> TensorAttr:
        """Small constant currents."""
        return self.tensor(np.rint(self._rng.normal(0, 4, size)) / 64)

    def spikes(self, name: str, *shape: int) -> SSAValue:
        """An input."""
        return self.add(InputOp(name, SignalType.spikes(*shape)))

    def population(self, name: str, *currents: SSAValue, threshold: float = 1.0) -> SSAValue:
        """Neurons that sum currents, with thresholds around `threshold`."""
        assert isinstance(currents[0].type, SignalType)
        return self._neurons(name, currents, currents[0].type.shape.data, "if", threshold)

    def _neurons(
        self, name: str, currents: Sequence[SSAValue], shape: Sequence[int], model: str, threshold: float = 1.0
    ) -> SSAValue:
        size = int(np.prod(shape))
        values: dict[str, Attribute] = {"r": FloatAttr(1.0, f64), "v_reset": FloatAttr(0.0, f64)}
        values["threshold"] = self.tensor(threshold * self._rng.uniform(0.8, 2.0, size))
        if model == "lif":
            values |= {"tau": FloatAttr(0.004, f64), "r": FloatAttr(4.0, f64), "v_leak": FloatAttr(0.0, f64)}
        return self.add(NEURON_OPS[model](name, currents, values, Semantics(), SignalType.spikes(*shape)))

    def recurrent(self, name: str, shape: tuple[int, ...], make: Callable[[SSAValue], Sequence[SSAValue]]) -> SSAValue:
        """A population that reads itself: `make` gives its inputs from its spikes."""
        signal = self._neurons(name, [], shape, "lif")
        population = signal.owner
        assert isinstance(population, NeuronOp)
        population.operands = make(signal)
        return signal

    def dense(self, source: SSAValue, size: int, **details: object) -> SSAValue:
        """All-to-all."""
        assert isinstance(source.type, SignalType)
        weights = self.weights(size, source.type.size)
        return self.add(DenseOp(source, weights, SignalType.current(size), **details))  # pyright: ignore[reportArgumentType]

    def conv(self, source: SSAValue, out: int, kernel: int = 3, **details: object) -> SSAValue:
        """A convolution over as many dimensions as the source has; padding as given."""
        assert isinstance(source.type, SignalType)
        channels, *size = source.type.shape.data
        groups = details.get("groups", 1)
        assert isinstance(groups, int)
        op = Conv1dOp if len(size) == 1 else Conv2dOp
        weights = self.weights(out, channels // groups, *(kernel,) * len(size))
        return self.add(op(source, weights, **details))  # pyright: ignore[reportArgumentType]


PADDED = ((1, 1), (1, 1))


def conv1d(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 3, 12), 4, 3, stride=(2,), padding=((2,), (0,)), bias=m.bias(4)))


def conv2d(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 2, 6, 6), 3, bias=m.bias(3), delay=1))


def stride_and_padding(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 2, 7, 6), 4, stride=(2, 3), padding=((1, 0), (2, 1))))


def dilation(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 2, 8, 8), 2, dilation=(2, 3), padding=((0, 2), (0, 2))))


def groups(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 4, 5, 5), 6, groups=2, padding=PADDED))


def depthwise(m: Maker) -> None:
    first = m.population("h", m.conv(m.spikes("x", 6, 5, 5), 6, groups=6, padding=PADDED))
    m.population("o", m.conv(first, 4, 1))


def pools_between(m: Maker) -> None:
    """Pools as the wiring between two populations."""
    first = m.population("h", m.conv(m.spikes("x", 1, 8, 8), 3, padding=PADDED))
    pooled = m.add(AvgPoolOp(first, (2, 2)))
    second = m.population("i", m.conv(pooled, 4, padding=PADDED))
    flat = m.add(FlattenOp(m.add(SumPoolOp(second, (3, 3), (1, 1)))))
    m.population("o", m.dense(flat, 5, bias=m.bias(5)))


def pools_of_nine(m: Maker) -> None:
    """Averages that are no binary fractions."""
    first = m.population("h", m.conv(m.spikes("x", 1, 9, 9), 2, padding=PADDED))
    second = m.population("i", m.conv(m.add(AvgPoolOp(first, (3, 3))), 4, padding=PADDED))
    m.population("p", m.add(AvgPoolOp(second, (3, 3))), threshold=0.05)


def pools_as_populations(m: Maker) -> None:
    x = m.spikes("x", 2, 6, 6)
    a = m.population("a", m.add(SumPoolOp(x, (2, 2))), threshold=2.0)
    b = m.population("b", m.add(AvgPoolOp(x, (2, 2))))
    m.population(
        "c", m.add(SumPoolOp(a, (3, 3), (2, 2), ((1, 1), (1, 1)))), m.add(AvgPoolOp(b, (2, 2), (1, 1))), threshold=6.0
    )


def sparse(m: Maker) -> None:
    rng = np.random.default_rng(1)
    for_synapses = [m.tensor(rng.integers(0, most, 120)) for most in (30, 20, 5)]
    x = m.spikes("x", 30)
    current = SignalType.current(20)
    origins, ends, late = for_synapses
    m.population("h", m.add(SparseOp(x, m.weights(120), origins, ends, current, delays=late, bias=m.bias(20))))


def last_dimension(m: Maker) -> None:
    x = m.spikes("x", 4, 6)
    m.population("h", m.add(DenseOp(x, m.weights(5, 6), SignalType.current(4, 5), bias=m.bias(5))))


def scales_and_slices(m: Maker) -> None:
    x = m.spikes("x", 30)
    scaled = m.add(ScaleOp(x, m.weights(30), SignalType.current(30)))
    first = m.population("h", scaled)
    part = m.add(SliceOp(first, Indices.of([*range(5, 25, 2), 0, 1])))
    more = m.dense(part, 9)
    currents = m.add(SliceOp(m.dense(x, 12), Indices.of([3, 1, 11, 0, 5, 6, 7, 10, 2])))
    m.population("o", more, currents)


def sums(m: Maker) -> None:
    x, y = m.spikes("x", 12), m.spikes("y", 12)
    both = m.add(AddOp(x, m.add(DelayOp(y, 2)), m.add(ScaleOp(y, m.weights(12), SignalType.current(12)))))
    first = m.population("h", both)
    m.population("o", m.dense(m.add(AddOp(first, x)), 7, bias=m.bias(7)))


def skip(m: Maker) -> None:
    """A residual block: the identity and two convolutions meet in one population."""
    x = m.spikes("x", 2, 6, 6)
    first = m.population("a", m.conv(x, 3, padding=PADDED, bias=m.bias(3)))
    second = m.population("b", m.conv(first, 3, padding=PADDED))
    total = m.add(AddOp(m.conv(second, 3, padding=PADDED), first))
    block = m.population("c", total)
    shortcut = m.conv(block, 4, 1, stride=(2, 2))
    down = m.population("d", m.conv(block, 4, stride=(2, 2), padding=PADDED), shortcut)
    m.population("o", m.dense(m.add(FlattenOp(m.add(AvgPoolOp(down, (3, 3))))), 5))


def stride_and_groups(m: Maker) -> None:
    first = m.population("a", m.conv(m.spikes("x", 2, 9, 9), 4, stride=(2, 2), padding=PADDED))
    second = m.population("b", m.conv(first, 8, groups=4, padding=PADDED))
    third = m.population("c", m.conv(second, 4, 1, groups=2))
    m.population("o", m.dense(m.add(FlattenOp(third)), 6))


def recurrent(m: Maker) -> None:
    x = m.spikes("x", 18)
    signal = m.recurrent("h", (14,), lambda own: [m.dense(x, 14), m.dense(own, 14, delay=2)])
    m.population("o", m.dense(signal, 4, delay=1))


def delays_per_neuron(m: Maker) -> None:
    x = m.spikes("x", 15)
    late = m.add(DelayOp(x, m.tensor(np.arange(15) % 4)))
    first = m.population("h", m.dense(late, 10))
    again = m.dense(first, 8)
    m.population("o", m.add(DelayOp(again, m.tensor(np.arange(8) % 3))))


def parallel(m: Maker) -> None:
    """Two convolutions and a pool of the same source: their weights add up on cells."""
    x = m.spikes("x", 2, 5, 5)
    m.population(
        "h",
        m.conv(x, 2, padding=PADDED),
        m.conv(x, 2, padding=PADDED),
        m.add(SumPoolOp(x, (3, 3), (1, 1), PADDED)),
        threshold=12.0,
    )


def in_a_row(m: Maker) -> None:
    """Projections of projections."""
    x = m.spikes("x", 2, 6, 6)
    half = m.add(ScaleOp(x, FloatAttr(0.5, f64), SignalType.current(2, 6, 6)))
    m.population("h", m.conv(half, 3, padding=PADDED), m.conv(m.conv(x, 2, padding=PADDED), 3, padding=PADDED))


def wide_kernel(m: Maker) -> None:
    """One channel of a window is more than 16 axons, one row of the kernel of a window nearly."""
    first = m.population("h", m.conv(m.spikes("x", 2, 9, 9), 3, 6, padding=((2, 5), (3, 1)), stride=(2, 1)))
    m.population("o", m.conv(m.add(FlattenOp(first, (3, 50))), 2, 20, stride=(7,), dilation=(2,)))


OPERATORS = {
    make.__name__: make
    for make in (
        conv1d,
        conv2d,
        stride_and_padding,
        dilation,
        groups,
        depthwise,
        pools_between,
        pools_of_nine,
        pools_as_populations,
        sparse,
        last_dimension,
        scales_and_slices,
        sums,
        skip,
        stride_and_groups,
        recurrent,
        delays_per_neuron,
        parallel,
        in_a_row,
        wide_kernel,
    )
}
"""Each makes a program."""


def operator_program(name: str, *, grid: bool = False) -> ModuleOp:
    """The program of an operator."""
    maker = Maker(grid=grid)
    OPERATORS[name](maker)
    return maker.module()
