"""Random programs with every op, model and semantics of the `snn` dialect, for front ends and simulator.

Programs for crossbars are made by `networks.NetworkMaker`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import prod
from typing import Any

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
    DualLifOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
)
from snnir.indices import Indices
from snnir.semantics import PARAMETERS, SPIKING, TIME_CONSTANTS, Semantics
from snnir.sim import Network

DT = 1e-3
FEATURES = frozenset(
    {
        "conv",  # convolutions
        "pool",  # sum, average, max
        "sparse",  # single synapses, with and without delays of their own
        "delay",  # delays of projections and signals
        "delays",  # a delay per neuron
        "last",  # dense weights along the last dimension
        "slice",
        "bias",
        "real",  # real-valued inputs, and what emits membranes
        "recurrent",
        "scaled",  # integer weights times a scale
        "semantics",  # all of them; else the default
        "integers",  # integer states
        "models",  # all of them; else if, lif, cuba_lif
        "currents",  # outputs of currents and of parts of signals
    }
)
Shape = tuple[int, ...]


def general_program(rng: np.random.Generator, features: Collection[str] = FEATURES) -> ModuleOp:
    """A random program of up to three inputs and four populations, with some of the features. It verifies and runs."""
    module = ModuleOp([_Maker(rng, frozenset(features)).network()])
    module.verify()
    return module


def random_signals(
    rng: np.random.Generator, network: Network, samples: int, steps: int, *, counts: bool = False
) -> dict[str, NDArray[Any]]:
    """Inputs (samples, steps, lines): spikes (with `counts` up to 3 of a line in a step), and currents around 0."""
    found: dict[str, NDArray[Any]] = {}
    for name, size in network.inputs.items():
        shape = (samples, steps, size)
        if name in network.real_inputs:
            found[name] = rng.normal(0.2, 0.5, shape)
        else:
            spikes = (rng.random(shape) < rng.uniform(0.1, 0.8)).astype(np.uint8)
            found[name] = spikes * rng.integers(1, 4, shape, np.uint8) if counts else spikes
    return found


class _Maker:
    def __init__(self, rng: np.random.Generator, features: frozenset[str]) -> None:
        assert features <= FEATURES
        self._rng, self._features = rng, features
        self._network = NetworkOp("general", DT, int(rng.integers(5, 20)) if rng.random() < 0.5 else None)
        self._signals: list[SSAValue] = []
        """What may be read: every signal made so far."""
        self._keys = 0

    def network(self) -> NetworkOp:
        """The program."""
        rng = self._rng
        for number in range(int(rng.integers(1, 4))):
            shape = [(int(rng.integers(1, 9)),), self._image(1), self._image(2)][int(rng.integers(0, 3))]
            real = self._may("real", 0.25)
            type_ = SignalType.current(*shape) if real else SignalType.spikes(*shape)
            self._add(InputOp(f"x{number}", type_))
        populations: list[NeuronOp] = []
        for number in range(int(rng.integers(1, 5))):
            for _ in range(int(rng.integers(0, 3))):
                self._transform()
            populations.append(self._population(f"p{number}"))
        if "recurrent" in self._features:
            for population in populations:
                if rng.random() < 0.4:
                    self._feed_back(population)
        self._outputs(populations)
        return self._network

    # --- helpers

    def _may(self, feature: str, probability: float) -> bool:
        return feature in self._features and bool(self._rng.random() < probability)

    def _add(self, op: Operation) -> SSAValue:
        self._network.body.block.add_op(op)
        self._signals.append(op.results[0])
        return op.results[0]

    def _tensor(self, what: str, array: NDArray[Any]) -> TensorAttr:
        self._keys += 1
        return TensorAttr.of(f"{what}{self._keys}", array)

    def _image(self, dimensions: int) -> Shape:
        return (int(self._rng.integers(1, 4)), *(int(n) for n in self._rng.integers(2, 6, dimensions)))

    def _any(self, *, spikes: bool = False) -> SSAValue:
        known = [value for value in self._signals if not spikes or _type(value).is_spike]
        return known[int(self._rng.integers(0, len(known)))]

    def _delay(self) -> int:
        return int(self._rng.integers(0, 4)) if self._may("delay", 0.5) else 0

    # --- signals from signals

    def _transform(self) -> SSAValue:
        """A new signal from old ones, by an op that suits the shape."""
        source = self._any()
        rank = len(_shape(source))
        makers: list[Callable[[SSAValue], SSAValue]] = [self._scale, self._flatten, self._sum]
        makers += [self._late] * ("delay" in self._features or "delays" in self._features)
        makers += [self._slice] * ("slice" in self._features)
        makers += [self._last] * ("last" in self._features and rank > 1)
        makers += [self._conv] * (3 * ("conv" in self._features and rank in (2, 3)))
        makers += [self._pool] * (2 * ("pool" in self._features and rank in (2, 3)))
        return makers[int(self._rng.integers(0, len(makers)))](source)

    def _flatten(self, source: SSAValue) -> SSAValue:
        shape = _shape(source)
        start = int(self._rng.integers(0, len(shape)))
        stop = int(self._rng.integers(start, len(shape))) + 1
        return self._add(FlattenOp(source, (*shape[:start], prod(shape[start:stop]), *shape[stop:])))

    def _slice(self, source: SSAValue) -> SSAValue:
        size = prod(_shape(source))
        chosen = self._rng.choice(size, int(self._rng.integers(1, size + 1)), replace=False)
        return self._add(SliceOp(source, Indices.of(chosen)))

    def _late(self, source: SSAValue) -> SSAValue:
        if "delay" not in self._features or self._may("delays", 0.5):
            steps = self._rng.integers(0, 5, prod(_shape(source)))
            return self._add(DelayOp(source, self._tensor("delay", steps)))
        return self._add(DelayOp(source, int(self._rng.integers(0, 4))))

    def _sum(self, source: SSAValue) -> SSAValue:
        others = [value for value in self._signals if _shape(value) == _shape(source)]
        parts = [others[int(i)] for i in self._rng.integers(0, len(others), int(self._rng.integers(0, 3)))]
        return self._add(AddOp(source, *parts))

    def _scale(self, source: SSAValue) -> SSAValue:
        return self._one_to_one(source, _shape(source))

    def _last(self, source: SSAValue) -> SSAValue:
        *rest, last = _shape(source)
        wanted = int(self._rng.integers(1, 5))
        weights, scale = self._weights((wanted, last), wanted)
        result = SignalType.current(*rest, wanted)
        flat = wanted * prod(rest) if weights.data.shape == (wanted * prod(rest), last * prod(rest)) else wanted
        bias = self._bias(flat)
        return self._add(DenseOp(source, weights, result, bias=bias, scale=scale, delay=self._delay()))

    def _conv(self, source: SSAValue) -> SSAValue:
        rng, (channels, *size) = self._rng, _shape(source)
        op = Conv1dOp if len(size) == 1 else Conv2dOp
        groups = int(rng.choice([g for g in (1, 2, 3) if channels % g == 0]))
        out = groups * int(rng.integers(1, 3))
        low, high = (tuple(int(n) for n in rng.integers(0, 3, len(size))) for _ in range(2))
        whole = [n + a + b for n, a, b in zip(size, low, high, strict=True)]
        kernel = tuple(int(rng.integers(1, min(n, 3) + 1)) for n in whole)
        dilation = tuple(int(rng.integers(1, 3)) if (k - 1) * 2 < n else 1 for k, n in zip(kernel, whole, strict=True))
        stride = tuple(int(n) for n in rng.integers(1, 4, len(size)))
        weights, scale = self._weights((out, channels // groups, *kernel), out)
        made = op(
            source,
            weights,
            stride=stride,
            padding=(low, high),
            dilation=dilation,
            groups=groups,
            bias=self._bias(out),
            scale=scale,
            delay=self._delay(),
        )
        return self._add(made)

    def _pool(self, source: SSAValue) -> SSAValue:
        rng, (_, *size) = self._rng, _shape(source)
        op = [SumPoolOp, AvgPoolOp, MaxPoolOp][int(rng.integers(0, 3))]
        kernel = tuple(int(rng.integers(1, min(n, 3) + 1)) for n in size)
        stride = tuple(int(n) for n in rng.integers(1, 3, len(size))) if rng.random() < 0.5 else None
        padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
        return self._add(op(source, kernel, stride, (padding, padding)))

    # --- projections

    def _weights(self, shape: Shape, lanes: int, *, whole: bool = False) -> tuple[TensorAttr, Attribute | None]:
        """Weights, and the scale that integers need: one number, or one for each lane."""
        rng = self._rng
        if whole:
            return self._tensor("w", rng.integers(-20, 40, shape).astype("f4")), None
        if self._may("scaled", 0.3):
            scale = rng.choice([0.5, 0.03, 0.015625]) if rng.random() < 0.5 else rng.uniform(0.01, 0.05, lanes)
            return self._tensor("w", rng.integers(-60, 128, shape).astype("i1")), self._value("scale", scale)
        weights = rng.normal(0.2, 0.5, shape)
        if rng.random() < 0.5:
            weights = np.rint(weights * 64) / 64
        return self._tensor("w", weights.astype("f4" if rng.random() < 0.7 else "f8")), None

    def _bias(self, lanes: int, *, whole: bool = False) -> TensorAttr | None:
        if not self._may("bias", 0.3):
            return None
        values = self._rng.integers(-5, 6, lanes) if whole else self._rng.normal(0.05, 0.1, lanes)
        return self._tensor("b", values.astype("f4"))

    def _value(self, what: str, value: float | NDArray[np.float64]) -> Attribute:
        return self._tensor(what, value) if isinstance(value, np.ndarray) else FloatAttr(float(value), f64)

    def _one_to_one(self, source: SSAValue, shape: Shape, *, whole: bool = False, delay: int | None = None) -> SSAValue:
        size = prod(shape)
        weights, scale = self._weights((size,), size, whole=whole)
        if scale is None and not whole and self._rng.random() < 0.3:
            weights = FloatAttr(float(self._rng.choice([1.0, 0.5, -0.3])), f64)
        bias, late = self._bias(size, whole=whole), self._delay() if delay is None else delay
        return self._add(ScaleOp(source, weights, SignalType.current(*shape), bias=bias, scale=scale, delay=late))

    def _project(self, source: SSAValue, shape: Shape, *, whole: bool = False, delay: int | None = None) -> SSAValue:
        """A current of a given shape from any signal; at least `delay` steps late where that is given."""
        rng, size, width = self._rng, prod(shape), prod(_shape(source))
        late, result = self._delay() if delay is None else delay, SignalType.current(*shape)
        if _shape(source) == shape and rng.random() < 0.4:
            return self._one_to_one(source, shape, whole=whole, delay=late)
        if self._may("sparse", 0.4):
            count = int(rng.integers(1, 2 * max(size, width) + 1))
            weights, scale = self._weights((count,), size, whole=whole)
            sources = self._tensor("from", rng.integers(0, width, count))
            targets = self._tensor("to", rng.integers(0, size, count))
            delays = self._tensor("delays", rng.integers(0, 5, count)) if self._may("delays", 0.5) else None
            bias = self._bias(size, whole=whole)
            return self._add(
                SparseOp(source, weights, sources, targets, result, delays=delays, bias=bias, scale=scale, delay=late)
            )
        weights, scale = self._weights((size, width), size, whole=whole)
        bias = self._bias(size, whole=whole)
        return self._add(DenseOp(source, weights, result, bias=bias, scale=scale, delay=late))

    # --- populations

    def _population(self, name: str) -> NeuronOp:
        rng = self._rng
        models = [m for m in PARAMETERS if m in ("if", "lif", "cuba_lif") or "models" in self._features]
        models = [m for m in models if m in SPIKING or "real" in self._features]
        model = str(rng.choice(models))
        integer = model in ("if", "lif", "cuba_lif", "threshold") and self._may("integers", 0.2)
        integer = integer and any(_type(value).is_spike for value in self._signals)
        semantics = self._semantics(model, integer=integer)
        candidates = [s for s in self._signals if _type(s) == SignalType.current(*_shape(s)) and not integer]
        if candidates and rng.random() < 0.5:
            inputs = [candidates[int(rng.integers(0, len(candidates)))]]
            shape = _shape(inputs[0])
        else:
            shape = self._image(2) if rng.random() < 0.2 else (int(rng.integers(1, 9)),)
            inputs = []
        for _ in range(int(rng.integers(not inputs, 3))):
            inputs.append(self._project(self._any(spikes=integer), shape, whole=integer))
        parameters = self._parameters(name, model, prod(shape), semantics, integer=integer)
        type_ = SignalType.spikes(*shape) if model in SPIKING else SignalType.current(*shape)
        if model == "dual_lif":
            second = int(rng.integers(0, len(inputs) + 1))
            op: NeuronOp = DualLifOp(name, inputs, parameters, semantics, type_, second)
        else:
            op = NEURON_OPS[model](name, inputs, parameters, semantics, type_)
        self._add(op)
        return op

    def _semantics(self, model: str, *, integer: bool) -> Semantics:
        rng = self._rng
        if integer:
            values: dict[str, Any] = {"decay": "int12", "pulse": "euler", "state": "i32"}
            return Semantics(**values, reset=str(rng.choice(["value", "subtract"])))  # pyright: ignore[reportArgumentType]
        if "semantics" not in self._features:
            return Semantics()
        values = {
            "decay": str(rng.choice(["euler", "exp", "exact"])),
            "pulse": str(rng.choice(["box", "euler", "dirac"])),
            "order": str(rng.choice(["syn_first", "mem_first"])),
            "compare": str(rng.choice(["gt", "ge"])),
            "reset": str(rng.choice(["value", "subtract", "subtract_repeat", "subtract_late"])),
            "bias": str(rng.choice(["synapse", "membrane"])),
            "weights": str(rng.choice(["exact", "exact", "trunc8", "nearest8"])),
            "state": str(rng.choice(["f64", "f64", "f32"])),
        }
        if model in SPIKING:
            values["floor"] = str(rng.choice(["none", "threshold"]))
            values["out_delay"] = int(rng.integers(0, 3))
            values["start"] = "half" if values["out_delay"] == 1 and model != "threshold" else "zero"
            values["spikes"] = int(rng.choice([1, 3, 255])) if values["reset"] == "subtract" else 1
            values["refractory"] = int(rng.integers(0, 4)) if values["reset"] == "value" else 0
        return Semantics(**values)

    def _parameters(
        self, name: str, model: str, size: int, semantics: Semantics, *, integer: bool
    ) -> dict[str, Attribute]:
        """Parameters with which neurons fire now and then, whatever the semantics makes of them."""
        rng = self._rng
        found: dict[str, Attribute] = {}
        tau = {n: DT * 2.0 ** rng.integers(0, 4) for n in PARAMETERS[model] if n in TIME_CONSTANTS}
        charge = DT if semantics.pulse == "dirac" else 1.0
        entries = {"r"} if "tau" in PARAMETERS[model] else {"w_in", "w_exc", "w_inh"}
        for parameter in PARAMETERS[model]:
            value: float | NDArray[np.float64]
            if integer:
                steps = {"r": tau.get("tau", tau.get("tau_mem", DT)) / DT, "w_in": tau.get("tau_syn", DT) / DT}
                value = {"threshold": 50.0, "v_reset": 0.0, "v_leak": 0.0, **steps, **tau}[parameter]
            elif parameter in tau:
                value = tau[parameter] * (1 + rng.random(size)) if rng.random() < 0.4 else float(tau[parameter])
            elif parameter in entries:
                value = charge * float(rng.uniform(1, 5))
            elif parameter == "threshold":
                value = rng.uniform(0.3, 1.0, size) if rng.random() < 0.3 else float(rng.uniform(0.3, 1.0))
            elif parameter == "v_reset":
                value = float(rng.choice([0.0, 0.0, -0.25, 0.1]))
            else:
                value = float(rng.uniform(0, 0.1) if parameter == "v_leak" else rng.uniform(0.5, 3))
            found[parameter] = self._value(f"{name}.{parameter}", value)
        return found

    def _feed_back(self, population: NeuronOp) -> None:
        """One more input of a population, from anything, a step late at least."""
        integer = population.semantics.data.state == "i32"
        source = self._any(spikes=integer)
        delay = int(self._rng.integers(1, 4))
        current = self._project(source, population.signal_type.shape.data, whole=integer, delay=delay)
        inputs = list(population.inputs)
        place = int(self._rng.integers(0, len(population.excitatory) + 1))
        population.operands = [*inputs[:place], current, *inputs[place:]]

    def _outputs(self, populations: list[NeuronOp]) -> None:
        block, rng = self._network.body.block, self._rng
        chosen = [p.signal for p in populations if rng.random() < 0.7] or [populations[-1].signal]
        if "currents" in self._features:
            chosen += [self._any() for _ in range(int(rng.integers(0, 3)))]
        block.add_ops(OutputOp(f"y{number}", value) for number, value in enumerate(chosen))


def _type(value: SSAValue) -> SignalType:
    assert isinstance(value.type, SignalType)
    return value.type


def _shape(value: SSAValue) -> Shape:
    return _type(value).shape.data
