"""A program run neuron by neuron and step by step from its ops, in plain Python, as DESIGN section 3 and the semantics
say it. It shares nothing with the simulator but `discretise`."""

from __future__ import annotations

from itertools import product
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    BundleOp,
    ConvOp,
    DelayOp,
    DenseOp,
    DualLifOp,
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
from snnir.semantics import SPIKING, discretise

Leaf = tuple[Any, int, SSAValue | None]
"""A projection (or a bare signal) that is a summand, and the steps by which the summand is late."""


class Naive:
    """One sample on its way through a program."""

    def __init__(self, op: NetworkOp, inputs: dict[str, NDArray[Any]]) -> None:
        self._op, self._inputs = op, inputs
        self._memo: dict[tuple[SSAValue, int], list[float]] = {}
        self._neurons = {
            s.signal: NaiveNeurons(s, op.step_seconds) for s in op.sources.values() if isinstance(s, NeuronOp)
        }
        self._synapses: dict[WeightedOp, tuple[list[tuple[int, int, int]], list[float]]] = {}
        self._rounded: dict[NeuronOp, tuple[dict[Any, list[float]], float]] = {}

    def run(self, steps: int) -> dict[str, NDArray[np.float64]]:
        """What every input and population emits, (steps, neurons), and the voltages before the reset as `name.v`."""
        found: dict[str, list[list[float]]] = {name: [] for name in self._op.sources}
        for t in range(steps):
            for name, source in self._op.sources.items():
                found[name].append(self.value(source.signal, t))
                if isinstance(source, NeuronOp):
                    self._advance(source, t)
        result = {name: np.array(rows, np.float64) for name, rows in found.items()}
        for name, source in self._op.sources.items():
            if isinstance(source, NeuronOp):
                result[f"{name}.v"] = np.array(self._neurons[source.signal].voltages, np.float64)
        return result

    def value(self, value: SSAValue, t: int) -> list[float]:
        """A signal in step t, flat; silence before the first step."""
        if t < 0:
            return [0.0] * size(value)
        if (value, t) not in self._memo:
            self._memo[value, t] = self._compute(value, t)
        return self._memo[value, t]

    def _compute(self, value: SSAValue, t: int) -> list[float]:
        op: Any = value.owner
        match op:
            case InputOp():
                return [float(x) for x in self._inputs[op.sym_name.data][t]]
            case NeuronOp():
                return self._population(op, t)
            case FlattenOp():
                return self.value(op.source, t)
            case SliceOp():
                source = self.value(op.source, t)
                return [source[int(n)] for n in op.indices.data.array]
            case DelayOp():
                each: Any = op.delay
                late = [op.steps] * size(value) if op.steps is not None else each.array.ravel().tolist()
                return [self.value(op.source, t - d)[n] for n, d in enumerate(late)]
            case PoolOp():
                return pool(op, self.value(op.source, t))
            case _:
                return self._sum([value], t)

    def _population(self, op: NeuronOp, t: int) -> list[float]:
        """What leaves a population in step t."""
        late = t - op.semantics.data.out_delay
        self._advance(op, late)
        return self._neurons[op.signal].fired[late] if late >= 0 else [0.0] * op.size

    def _advance(self, op: NeuronOp, t: int) -> None:
        """Let a population compute its steps up to t."""
        neurons = self._neurons[op.signal]
        while len(neurons.fired) <= t:
            now = len(neurons.fired)
            neurons.fired.append([])  # a loop through the population reads earlier steps
            sides = [op.excitatory, op.inhibitory] if isinstance(op, DualLifOp) else [op.inputs, ()]
            drives = [self._sum(list(side), now, op) for side in sides]
            biases = [self._biases(list(side), op) for side in sides]
            neurons.fired[now] = neurons.step(drives, biases)

    def _sum(self, values: list[SSAValue], t: int, population: NeuronOp | None = None) -> list[float]:
        """scale * (sum of weighted inputs) + biases where all projections share a scale, else the sum of the scaled."""
        leaves = [leaf for value in values for leaf in self._leaves(value, 0)]
        n = size(values[0]) if values else population.size if population is not None else 0
        on_membrane = population is not None and membrane_bias(population)
        rounded = population is not None and population.semantics.data.weights != "exact"
        scales = [self._scale(leaf, n, population if rounded else None) for leaf in leaves]
        shared = all(scale == scales[0] for scale in scales)
        total, bias = [0.0] * n, [0.0] * n
        for (op, late, value), scale in zip(leaves, scales, strict=True):
            part = self._weighted(op, t - late, population if rounded else None) if value is None else None
            values_now = self.value(value, t - late) if value is not None else part
            assert values_now is not None
            for i in range(n):
                total[i] += values_now[i] if shared else values_now[i] * scale[i]
                if isinstance(op, WeightedOp) and op.bias is not None and t >= late and not on_membrane:
                    bias[i] += lane(op, value_of(op.bias), i)
        first = scales[0] if scales else [1.0] * n
        return [(first[i] * total[i] if shared else total[i]) + bias[i] for i in range(n)]

    def _biases(self, values: list[SSAValue], population: NeuronOp) -> list[float]:
        """The biases of all projections where they enter at the membrane."""
        bias = [0.0] * population.size
        for value in values if membrane_bias(population) else []:
            for op, _, _ in self._leaves(value, 0):
                if isinstance(op, WeightedOp) and op.bias is not None:
                    bias = [b + lane(op, value_of(op.bias), i) for i, b in enumerate(bias)]
        return bias

    def _leaves(self, value: SSAValue, late: int) -> list[Leaf]:
        op: Any = value.owner
        match op:
            case AddOp():
                return [leaf for each in op.inputs for leaf in self._leaves(each, late)]
            case FlattenOp():
                return self._leaves(op.source, late)
            case DelayOp() if op.steps is not None:
                return self._leaves(op.source, late + op.steps)
            case WeightedOp():
                return [(op, late, None)]
            case _:
                return [(op, late, value)]

    def _scale(self, leaf: Leaf, n: int, population: NeuronOp | None) -> list[float]:
        op: Any = leaf[0]
        value = leaf[2]
        if value is not None or (op.scale is None and population is None):
            return [1.0] * n
        if population is not None:
            return [self._integers(population)[1]] * n
        scale: Any = op.scale
        return [lane(op, value_of(scale), i) for i in range(n)]

    def _integers(self, population: NeuronOp) -> tuple[dict[Any, list[float]], float]:
        """The weights into a population as integers of 8 bits, and their scale."""
        if population not in self._rounded:
            leaves = [op for v in population.inputs for op, _, value in self._leaves(v, 0) if value is None]
            real = {op: effective(op) for op in leaves}
            peak = max((abs(w) for values in real.values() for w in values), default=0.0)
            cut = np.trunc if population.semantics.data.weights == "trunc8" else np.rint
            if peak:
                real = {op: [float(cut(127 * w / peak)) for w in values] for op, values in real.items()}
            self._rounded[population] = (real, peak / 127 if peak else 1.0)
        return self._rounded[population]

    def _weighted(self, op: WeightedOp, t: int, population: NeuronOp | None) -> list[float]:
        """The sum of the weighted inputs of a projection, before scale and bias."""
        t -= op.delay.data
        total = [0.0] * size(op.current)
        if op not in self._synapses:
            self._synapses[op] = (synapses(op), weights_of(op).ravel().tolist())
        ends, flat = self._synapses[op]
        if population is not None:
            flat = self._integers(population)[0][op]
        if isinstance(op, SparseOp):
            return self._sparse(op, t, flat, total)
        if isinstance(op, BundleOp):
            return self._bundle(op, t, flat, total)
        source = self.value(op.source, t)
        for target, origin, number in ends:
            total[target] += flat[number] * source[origin]
        return total

    def _sparse(self, op: SparseOp, t: int, flat: list[float], total: list[float]) -> list[float]:
        delays = op.delays.array.tolist() if op.delays is not None else [0] * len(flat)
        ends = zip(op.sources.array.tolist(), op.targets.array.tolist(), delays, range(len(flat)), strict=True)
        for origin, target, delay, number in sorted(ends, key=lambda each: (-each[2], each[0])):
            total[target] += flat[number] * self.value(op.source, t - delay)[origin]
        return total

    def _bundle(self, op: BundleOp, t: int, flat: list[float], total: list[float]) -> list[float]:
        sources, targets = size(op.source), size(op.current)
        for level in reversed(range(op.levels)):
            source = self.value(op.source, t - level * op.stride.data)
            for target, origin in np.ndindex(targets, sources):
                total[target] += flat[(level * targets + target) * sources + origin] * source[origin]
        return total


def size(value: SSAValue) -> int:
    """The neurons of a signal."""
    assert isinstance(value.type, SignalType)
    return value.type.size


def shape(value: SSAValue) -> tuple[int, ...]:
    """The shape of a signal."""
    assert isinstance(value.type, SignalType)
    return value.type.shape.data


def weights_of(op: WeightedOp) -> NDArray[np.float64]:
    """The weights as numbers."""
    if isinstance(op.weights, TensorAttr):
        return op.weights.array.astype(np.float64)
    return np.full(size(op.current), value_of(op.weights))


def lane(op: WeightedOp, value: Any, target: int) -> float:
    """What is stated once, per target, per output channel or per entry of the last dimension, for one target."""
    if not np.ndim(value):
        return float(value)
    if isinstance(op, ConvOp):
        return float(value[target // (size(op.current) // len(value))])
    return float(value[target % len(value)])


def effective(op: WeightedOp) -> list[float]:
    """The weights with their scale."""
    values = weights_of(op)
    flat = values.ravel().tolist()
    if op.scale is None:
        return flat
    if isinstance(op, SparseOp):
        rows = op.targets.array.tolist()
    elif isinstance(op, ScaleOp):
        rows = list(range(values.size))
    elif isinstance(op, BundleOp):
        rows = [n // values.shape[2] % values.shape[1] for n in range(values.size)]
    else:
        rows = [n // (values.size // len(values)) for n in range(values.size)]
    scale: Any = value_of(op.scale)
    return [w * (float(scale[row]) if np.ndim(scale) else float(scale)) for w, row in zip(flat, rows, strict=True)]


def synapses(op: WeightedOp) -> list[tuple[int, int, int]]:
    """(target, source, number of the weight), for each target by ascending source; none of a sparse op."""
    found: list[tuple[int, int, int]] = []
    match op:
        case ScaleOp():
            found = [(n, n, n) for n in range(size(op.source))]
        case DenseOp():
            out, inputs = weights_of(op).shape
            for part in range(size(op.source) // inputs):
                found += [
                    (part * out + o, part * inputs + i, o * inputs + i) for o in range(out) for i in range(inputs)
                ]
        case ConvOp():
            found = convolution(op)
        case _:
            pass
    return sorted(found)


def convolution(op: ConvOp) -> list[tuple[int, int, int]]:
    """The synapses of a convolution."""
    weights = weights_of(op).shape
    channels, *extent = shape(op.source)
    outputs, *places = shape(op.current)
    found: list[tuple[int, int, int]] = []
    for o, place, i in product(range(outputs), product(*map(range, places)), range(weights[1])):
        channel = o // (outputs // op.groups.data) * weights[1] + i
        for k in product(*map(range, weights[2:])):
            at = [
                p * s - low + d * each
                for p, s, low, d, each in zip(
                    place, op.stride.data, op.padding_low.data, op.dilation.data, k, strict=True
                )
            ]
            if all(0 <= a < n for a, n in zip(at, extent, strict=True)):
                source = int(np.ravel_multi_index((channel, *at), (channels, *extent)))
                target = int(np.ravel_multi_index((o, *place), (outputs, *places)))
                found.append((target, source, int(np.ravel_multi_index((o, i, *k), weights))))
    return found


def pool(op: PoolOp, source: list[float]) -> list[float]:
    """Sums, averages or largest values of windows, the zeros of the padding included."""
    channels, *extent = shape(op.source)
    _, *places = shape(op.pooled)
    values = np.array(source).reshape(channels, *extent)
    result: list[float] = []
    for c, place in product(range(channels), product(*map(range, places))):
        window: list[float] = []
        for k in product(*map(range, op.kernel.data)):
            at = [
                p * s - low + each
                for p, s, low, each in zip(place, op.stride.data, op.padding_low.data, k, strict=True)
            ]
            inside = all(0 <= a < n for a, n in zip(at, extent, strict=True))
            window.append(float(values[(c, *at)]) if inside else 0.0)
        total = 0.0
        for value in window:
            total += value
        largest = isinstance(op, MaxPoolOp)
        result.append(max(window) if largest else total / len(window) if isinstance(op, AvgPoolOp) else total)
    return result


def membrane_bias(op: NeuronOp) -> bool:
    """Whether biases enter at the membrane."""
    return op.semantics.data.bias == "membrane" and op.MODEL in ("cuba_lif", "cuba_li", "dual_lif")


class NaiveNeurons:
    """The states of a population."""

    def __init__(self, op: NeuronOp, dt: float) -> None:
        self._op, self._s = op, op.semantics.data
        self._c = vars(discretise(op.MODEL, op.parameters, dt, self._s))
        self._number: Any = {"f64": float, "f32": np.float32, "i32": int}[self._s.state]
        zero = self._number(0)
        self._v, self._i, self._j = ([zero] * op.size for _ in range(3))
        if self._s.start == "half":
            self._v = [self._number(float(self._of("threshold", n)) / 2) for n in range(op.size)]
        self._held = [0] * op.size
        self._fired = [False] * op.size
        self.fired: list[list[float]] = []
        self.voltages: list[list[float]] = []

    def _of(self, name: str, n: int) -> Any:
        value = self._c[name]
        value = float(value[n]) if np.ndim(value) else float(value)
        return value if self._s.state == "i32" and not value.is_integer() else self._number(value)

    def _decayed(self, state: Any, factor: Any) -> Any:
        return int(state * factor / 4096) if self._s.state == "i32" else state * factor  # int() cuts towards zero

    def step(self, drives: list[list[float]], biases: list[list[float]]) -> list[float]:
        """Advance by a step; what each neuron emits."""
        self.voltages.append([0.0] * self._op.size)
        return [self._neuron(n, drives, biases) for n in range(self._op.size)]

    def _synapse(self, state: list[Any], n: int, drive: Any, name: str) -> Any:
        old = state[n]
        state[n] = self._decayed(old, self._of(f"{name}_decay", n)) + self._of(f"{name}_gain", n) * drive
        return state[n] if self._s.order == "syn_first" else old

    def _neuron(self, n: int, drives: list[list[float]], biases: list[list[float]]) -> float:
        op, s, model = self._op, self._s, self._op.MODEL
        current = self._number(drives[0][n])
        if model in ("cuba_lif", "cuba_li", "dual_lif"):
            current = self._synapse(self._i, n, current, "syn")
            if membrane_bias(op):
                current += self._number(at(op.parameters["w_exc" if model == "dual_lif" else "w_in"], n) * biases[0][n])
        v = current
        if model != "threshold":
            v = self._decayed(self._v[n], self._of("decay", n)) + self._of("gain", n) * current
            if model == "dual_lif":
                other = self._synapse(self._j, n, self._number(drives[1][n] if drives[1] else 0), "inh")
                if membrane_bias(op):
                    other += self._number(at(op.parameters["w_inh"], n) * biases[1][n])
                v += self._of("inh_share", n) * other
            v += self._of("drift", n)
        threshold = self._of("threshold", n)
        again = s.reset == "subtract_repeat" and lowers(model) and self._exceeds(self._v[n], threshold)
        if again or (s.reset == "subtract_late" and lowers(model) and self._fired[n]):
            v -= threshold
        if s.floor == "threshold" and model in SPIKING:
            v = max(v, -threshold)
        if self._held[n]:
            v = self._of("v_reset", n)
        self.voltages[-1][n] = float(v)
        fired = self._exceeds(v, threshold) and not self._held[n]
        self._held[n] = max(0, self._held[n] - 1)
        self._fired[n] = fired
        count, self._v[n] = self._reset(n, v, fired, again)
        return float(count) if model in SPIKING else float(v)

    def _exceeds(self, v: Any, threshold: Any) -> bool:
        return bool(v > threshold if self._s.compare == "gt" else v >= threshold)

    def _reset(self, n: int, v: Any, fired: bool, again: bool) -> tuple[int, Any]:
        s, threshold = self._s, self._of("threshold", n)
        if s.reset == "subtract_repeat" and lowers(self._op.MODEL):
            return int(fired), v - threshold if fired and not again else v + threshold if again and not fired else v
        if not fired or self._op.MODEL not in SPIKING:
            return 0, v
        if s.reset == "subtract_late" and lowers(self._op.MODEL):
            return 1, v
        if s.refractory:
            self._held[n] = s.refractory
        count = min(max(1, floor(v / threshold)), s.spikes) if s.spikes > 1 else 1
        if s.reset == "value" or s.refractory:
            return count if s.spikes > 1 else 1, self._of("v_reset", n)
        return count, v - self._number(count) * threshold


def lowers(model: str) -> bool:
    """Whether a model has a membrane that a reset can lower."""
    return model in SPIKING and model != "threshold"


def at(value: Any, neuron: int) -> float:
    """A parameter of one neuron."""
    return float(value[neuron]) if np.ndim(value) else float(value)


def naive_simulate(op: NetworkOp, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float64]]:
    """What every input and population emits, (samples, steps, neurons), and voltages as `name.v`."""
    samples, steps = next(iter(inputs.values())).shape[:2]
    runs = [Naive(op, {name: x[s].reshape(steps, -1) for name, x in inputs.items()}).run(steps) for s in range(samples)]
    return {name: np.stack([each[name] for each in runs]) for name in runs[0]}
