"""Relay neurons: integrate and fire neurons that send a sum on as spikes of a fixed weight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import Connection, terms_behind
from snnir.dialects.snn import FlattenOp, IfOp, NetworkOp, NeuronOp, ScaleOp, WeightedOp
from snnir.passes.snn.parts import Part
from snnir.passes.snn.projections import replace_inputs
from snnir.semantics import Semantics
from snnir.sim import convolution
from snnir.synapses import Conv, Matrix, Selected, Synapses

Vector = NDArray[np.float64]

_LEAST_STEP = 1e-6
"""The threshold of a relay of nothing, which never fires."""


@dataclass(frozen=True)
class Sums:
    """What a relay may have to send in a step, per neuron."""

    low: Vector
    """The smallest sum possible."""
    high: Vector
    """The largest."""
    mean: Vector
    variance: Vector
    is_measured: bool
    """Whether mean and variance are known."""

    def bounds(self, sigma: float) -> tuple[Vector, Vector]:
        """The range for which a threshold is chosen: never more than is possible, and 0 is always in it."""
        if not self.is_measured:
            return self.low, self.high
        spread = sigma * np.sqrt(self.variance)
        low = np.maximum(self.low, np.minimum(self.mean - spread, 0.0))
        return low, np.minimum(self.high, np.maximum(self.mean + spread, 0.0))


@dataclass(frozen=True)
class Relay:
    """A population of relays, one for each neuron."""

    op: IfOp
    sums: Sums
    step: Vector
    """What a spike stands for."""
    lift: Vector
    """The constant current that is sent on as well."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.op.sym_name.data


def relay_of(network: NetworkOp, population: NeuronOp, parts: Sequence[Part], number: int, sigma: float) -> Relay:
    """A relay for each neuron of a population, that sends the sum of some parts of what it reads."""
    name = f"{population.sym_name.data}_relay{number}"
    ops: list[Operation] = []
    for index, part in enumerate(parts):
        ops += part.make(f"{name}.weight{index}" if len(parts) > 1 else f"{name}.weight")
    if ops:
        Rewriter.insert_op(ops, InsertPoint.before(population))
    projections = [op for op in ops if isinstance(op, WeightedOp)]
    sums = _sums(network, population, projections)
    low, high = sums.bounds(sigma)
    first = projections[0] if projections else None
    if first is not None:
        low = _per_lane(first, low)
        first.bias = TensorAttr.of(f"{name}.lift", -low[_first_of_lanes(first)])
    step = np.maximum(high - low, _LEAST_STEP)
    return Relay(_neurons(population, name, projections, step), sums, step, -low)


def relay_of_relays(population: NeuronOp, relays: Sequence[Relay], number: int, sigma: float) -> Relay:
    """A relay for each neuron of a population, that sends the sum of what other relays send."""
    name = f"{population.sym_name.data}_relay{number}"
    current = SignalType.current(*population.signal_type.shape.data)
    out = [ScaleOp(r.op.signal, TensorAttr.of(f"{r.name}.out", r.step), current) for r in relays]
    sums = Sums(
        sum((r.sums.low for r in relays), start=np.zeros(population.size)),
        sum((r.sums.high for r in relays), start=np.zeros(population.size)),
        sum((r.sums.mean for r in relays), start=np.zeros(population.size)),
        sum((r.sums.variance for r in relays), start=np.zeros(population.size)),
        all(r.sums.is_measured for r in relays),
    )
    low, high = sums.bounds(sigma)
    lifted = sum((r.lift for r in relays), start=np.zeros(population.size))
    out[0].bias = TensorAttr.of(f"{name}.lift", -low - lifted)
    Rewriter.insert_op(out, InsertPoint.before(population))
    step = np.maximum(high - low, _LEAST_STEP)
    return Relay(_neurons(population, name, out, step), sums, step, -low)


def _neurons(population: NeuronOp, name: str, projections: Sequence[WeightedOp], step: Vector) -> IfOp:
    parameters = {"r": FloatAttr(1.0, 64), "threshold": TensorAttr.of(f"{name}.threshold", step)}
    parameters["v_reset"] = FloatAttr(0.0, 64)
    relay = IfOp(name, [], parameters, Semantics(reset="subtract", compare="ge"), population.signal_type)
    relay.location = population.location
    relay.signal.name_hint = name
    Rewriter.insert_op(relay, InsertPoint.before(population))
    shape = population.signal_type.shape
    flat = [FlattenOp(op.current, shape.data) for op in projections if op.current_type.shape != shape]
    Rewriter.insert_op(list[Operation](flat), InsertPoint.before(relay))
    as_they_are = [op.current for op in projections if op.current_type.shape == shape]
    replace_inputs(relay, [], [*as_they_are, *(op.flat for op in flat)])
    return relay


def _per_lane(op: WeightedOp, low: Vector) -> Vector:
    """The smallest of each lane: a bias is the same for all of its neurons."""
    lane = np.asarray(op.spread(np.arange(op.lanes, dtype=np.float64))).astype(np.int64)
    least = np.full(op.lanes, np.inf)
    np.minimum.at(least, lane, low)
    return least[lane]


def _first_of_lanes(op: WeightedOp) -> NDArray[np.int64]:
    lane = np.asarray(op.spread(np.arange(op.lanes, dtype=np.float64))).astype(np.int64)
    return np.unique(lane, return_index=True)[1]


def _sums(network: NetworkOp, population: NeuronOp, projections: Sequence[WeightedOp]) -> Sums:
    """What projections may add up to, from the measured activity of what they read, where there is one."""
    low, high, mean, variance = (np.zeros(population.size) for _ in range(4))
    measured = True
    for op in projections:
        for c in terms_behind(op.current, population):
            low += applied(c, _negative, np.ones(c.synapses.sources))
            high += applied(c, _positive, np.ones(c.synapses.sources))
            activity = network.sources[c.source].activity
            if activity is None:
                measured = False
                continue
            rate = activity.counts.array.ravel() / activity.steps.data
            mean += applied(c, _itself, rate)
            variance += applied(c, _squared, rate * (1 - rate)) * c.scale
    return Sums(low, high, mean, variance, measured)


def _negative(weights: Matrix) -> Matrix:
    return np.minimum(weights, 0.0)


def _positive(weights: Matrix) -> Matrix:
    return np.maximum(weights, 0.0)


def _itself(weights: Matrix) -> Matrix:
    return weights


def _squared(weights: Matrix) -> Matrix:
    return weights**2


def applied(c: Connection, function: Callable[[Matrix], Matrix], values: Vector) -> Vector:
    """The sum, for each neuron, of a function of each weight times a value of its source; times the scale once."""
    return _applied(c.synapses, function, values) * c.scale


def _applied(synapses: Synapses, function: Callable[[Matrix], Matrix], values: Vector) -> Vector:
    if isinstance(synapses, Selected):
        return _applied(synapses.inner, function, values[synapses.chosen])
    if isinstance(synapses, Conv):
        weights = function(synapses.weights.astype(np.float64))
        operator = convolution.Conv(weights, synapses.channels, synapses.windows, synapses.groups)
        return operator.apply(values[None, None, :], None)[0, 0]
    matrix = synapses.weighted()
    matrix.data = function(matrix.data)
    return matrix @ values
