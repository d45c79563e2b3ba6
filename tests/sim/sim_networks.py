"""Random programs of all ops, models and semantics, small enough for the naive simulator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, FloatAttr, ModuleOp, f64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.parser import Parser

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    NEURON_OPS,
    SNN,
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
    networks,
)
from snnir.dialects.snn_projections import convolved
from snnir.indices import Indices
from snnir.semantics import CHOICES, PARAMETERS, SPIKING, Semantics, discretise
from snnir.sim import Network, Population, Projection
from snnir.sim.entry import network_of
from snnir.sim.operators import Operator

DT = 1e-3
LARGEST = 40
"""Neurons of a population, about."""


class Maker:
    """Grows a program from its inputs: each new op reads one of the signals that there are.

    `exact`: all weights and inputs lie on a grid on which every sum is exact, but for averages of odd windows. `whole`:
    all integer states and integer weights.
    """

    def __init__(self, rng: np.random.Generator, *, exact: bool = True, whole: bool = False, ops: int = 8) -> None:
        self._rng, self._exact, self._whole, self._count = rng, exact, whole, ops
        self._ops: list[Operation] = []
        self._values: list[SSAValue] = []
        self._number = 0

    def program(self) -> NetworkOp:
        """A verified program, in a module of its own."""
        rng = self._rng
        for number in range(int(rng.integers(1, 3))):
            shape = [(2, 4, 5), (3, 6), (5,), (1, 5, 5)][int(rng.integers(4))]
            real = not self._whole and rng.random() < 0.3
            type_ = SignalType.current(*shape) if real else SignalType.spikes(*shape)
            self._add(InputOp(f"x{number}", type_))
        for _ in range(self._count):
            self._grow()
        self._population(self._pick())
        self._feed_back()
        for number, value in enumerate(rng.permutation(len(self._values))[:2]):
            self._ops.append(OutputOp(f"y{number}", self._values[int(value)]))
        network = NetworkOp("random", DT, None)
        network.body.block.add_ops(self._ops)
        self.module = ModuleOp([network])
        self.module.verify()
        return network

    def inputs(self, network: Network, samples: int, steps: int) -> dict[str, NDArray[Any]]:
        """Data for the inputs, (samples, steps, lines)."""
        rng, found = self._rng, dict[str, NDArray[Any]]()
        for name, size in network.inputs.items():
            shape = (samples, steps, size)
            if name in network.real_inputs:
                values = rng.normal(0, 1, shape)
                found[name] = np.rint(values * 8) / 8 + 0.0 if self._exact else values
            else:
                found[name] = ((rng.random(shape) < rng.uniform(0.1, 0.8)) * rng.integers(1, 4, shape)).astype(np.uint8)
        return found

    def _add(self, op: Operation) -> SSAValue:
        self._ops.append(op)
        self._values.append(op.results[0])
        return op.results[0]

    def _name(self, what: str) -> str:
        self._number += 1
        return f"{what}{self._number}"

    def _pick(self) -> SSAValue:
        return self._values[int(self._rng.integers(len(self._values)))]

    def _grow(self) -> None:
        source = self._pick()
        kinds = [self._population, self._projection, self._projection, self._other]
        kinds[int(self._rng.integers(len(kinds)))](source)

    def _array(self, shape: tuple[int, ...]) -> NDArray[Any]:
        rng = self._rng
        if self._whole:
            return rng.integers(-6, 10, shape).astype("f4")
        if self._exact:
            return (rng.integers(-30, 64, shape) / 64).astype(rng.choice(["f4", "f8"]))
        return rng.normal(0.1, 0.4, shape).astype(rng.choice(["f4", "f8"]))

    def _weights(self, shape: tuple[int, ...], lanes: int) -> tuple[TensorAttr, dict[str, Any]]:
        """A tensor of weights, and perhaps a bias, a scale and a delay."""
        rng, options = self._rng, dict[str, Any]()
        array = self._array(shape)
        if rng.random() < 0.4:
            bias = rng.integers(-2, 3, lanes) * (1 if self._whole else 1 / 32)
            options["bias"] = TensorAttr.of(self._name("b"), bias.astype("f4"))
        if rng.random() < 0.4 and not self._whole:
            scale = 2.0 ** rng.integers(-2, 2, lanes) if rng.random() < 0.5 else np.full(1, 0.5)
            each = rng.random() < 0.5
            options["scale"] = TensorAttr.of(self._name("s"), scale) if len(scale) == lanes and each else _f64(0.5)
            if rng.random() < 0.5:
                array = rng.integers(-3, 4, shape).astype("i1")
        if rng.random() < 0.4:
            options["delay"] = int(rng.integers(0, 4))
        return TensorAttr.of(self._name("w"), array), options

    def _projection(self, source: SSAValue, shape: tuple[int, ...] | None = None) -> SSAValue:
        """A random projection of a signal, into a signal of the given shape."""
        rng, own = self._rng, _shape(source)
        if shape is None and len(own) == 3 and rng.random() < 0.6:
            return self._conv(source, own)
        if shape is None and len(own) == 2 and rng.random() < 0.5:
            return self._conv(source, own)
        if shape is None and len(own) > 1 and rng.random() < 0.3:
            out = int(rng.integers(1, 4))
            weights, options = self._weights((out, own[-1]), out)
            return self._add(DenseOp(source, weights, SignalType.current(*own[:-1], out), **options))
        if (shape is None or shape == own) and rng.random() < 0.3:
            weights, options = self._weights(own, _size(own))
            single = "scale" not in options and rng.random() < 0.5
            return self._add(
                ScaleOp(
                    source,
                    _f64(0.5 if not self._whole else 2.0) if single else weights,
                    SignalType.current(*own),
                    **options,
                )
            )
        shape = shape or ((int(rng.integers(1, 9)),) if rng.random() < 0.7 else (2, 3))
        if rng.random() < 0.4:
            return self._sparse(source, shape)
        weights, options = self._weights((_size(shape), _size(own)), _size(shape))
        return self._add(DenseOp(source, weights, SignalType.current(*shape), **options))

    def _conv(self, source: SSAValue, own: tuple[int, ...]) -> SSAValue:
        rng, n = self._rng, len(own) - 1
        groups = int(rng.choice([g for g in (1, 2, 3) if own[0] % g == 0]))
        kernel = tuple(int(k) for k in rng.integers(1, 4, n))
        low, high = ([int(p) for p in rng.integers(0, 3, n)] for _ in range(2))
        stride, dilation = ([int(p) for p in rng.integers(1, 3, n)] for _ in range(2))
        if min(convolved(own[1:], kernel, stride, (low, high), dilation)) < 1:
            low, high, dilation = [2] * n, [2] * n, [1] * n
        outputs = groups * int(rng.integers(1, 3))
        weights, options = self._weights((outputs, own[0] // groups, *kernel), outputs)
        make = Conv2dOp if n == 2 else Conv1dOp
        op = make(source, weights, stride=stride, padding=(low, high), dilation=dilation, groups=groups, **options)
        return self._add(op)

    def _sparse(self, source: SSAValue, shape: tuple[int, ...]) -> SSAValue:
        rng, own = self._rng, _size(_shape(source))
        count = int(rng.integers(1, 3 * _size(shape) + 2))
        weights, options = self._weights((count,), _size(shape))
        first, last = (TensorAttr.of(self._name("e"), rng.integers(0, n, count)) for n in (own, _size(shape)))
        delays = TensorAttr.of(self._name("d"), rng.integers(0, 5, count)) if rng.random() < 0.6 else None
        return self._add(SparseOp(source, weights, first, last, SignalType.current(*shape), delays=delays, **options))

    def _other(self, source: SSAValue) -> SSAValue:
        """A pool, a flatten, a slice, a delay or a sum."""
        rng, own = self._rng, _shape(source)
        if len(own) > 1 and rng.random() < 0.5:
            n = len(own) - 1
            kernel = [int(min(k, size)) for k, size in zip(rng.integers(1, 4, n), own[1:], strict=True)]
            pads = [int(rng.integers(0, k)) for k in kernel]
            stride = [int(s) for s in rng.integers(1, 3, n)]
            allowed = (SumPoolOp, MaxPoolOp) if self._whole else (SumPoolOp, AvgPoolOp, MaxPoolOp)
            make = allowed[int(rng.integers(len(allowed)))]
            return self._add(make(source, kernel, stride, (pads, pads[::-1]) if n == 1 else (pads, pads)))
        choice = int(rng.integers(4))
        if choice == 0 and len(own) > 1:
            cut = int(rng.integers(0, len(own) - 1))
            return self._add(FlattenOp(source, (*own[:cut], own[cut] * own[cut + 1], *own[cut + 2 :])))
        if choice == 1:
            chosen = rng.choice(_size(own), int(rng.integers(1, _size(own) + 1)), replace=False)
            return self._add(SliceOp(source, Indices.of(chosen)))
        if choice == 2:
            each = TensorAttr.of(self._name("d"), rng.integers(0, 4, own)) if rng.random() < 0.5 else None
            return self._add(DelayOp(source, int(rng.integers(0, 4)) if each is None else each))
        alike = [value for value in self._values if _shape(value) == own]
        return self._add(AddOp(*(alike[int(rng.integers(len(alike)))] for _ in range(int(rng.integers(1, 4))))))

    def _population(self, source: SSAValue) -> SSAValue:
        """Neurons of the shape of a signal that fits, or of a random shape, with one to three inputs."""
        rng = self._rng
        model = str(rng.choice(sorted(NEURON_OPS)))
        own = _shape(source)
        real = not _is_spike(source)
        shape = own if real and _size(own) <= LARGEST else (int(rng.integers(1, 7)),)
        values = [source if real and shape == own else self._projection(source, shape)]
        for _ in range(int(rng.integers(0, 3))):
            values.append(self._projection(self._pick(), shape))
        semantics = self._semantics(model, _size(shape))
        spikes = model in SPIKING
        type_ = SignalType.spikes(*shape) if spikes else SignalType.current(*shape)
        name, parameters = self._name("p"), self._parameters(model, _size(shape), semantics)
        attributes = {key: _value(f"{name}.{key}", value) for key, value in parameters.items()}
        if model == "dual_lif":
            second = int(rng.integers(0, len(values) + 1))
            return self._add(DualLifOp(name, values, attributes, semantics, type_, second))
        return self._add(NEURON_OPS[model](name, values, attributes, semantics, type_))

    def _semantics(self, model: str, neurons: int) -> Semantics:
        rng = self._rng
        while True:
            fields: dict[str, Any] = {name: str(rng.choice(values)) for name, values in CHOICES.items()}
            fields["spikes"] = int(rng.choice([1, 1, 3, 255]))
            fields["refractory"] = int(rng.choice([0, 0, 1, 3]))
            fields["out_delay"] = int(rng.choice([0, 0, 1, 2]))
            if self._whole:
                fields |= {"state": "i32", "decay": "int12", "pulse": "euler", "weights": "exact"}
            elif fields["decay"] == "int12" or fields["state"] == "i32":
                fields |= {"decay": "exp", "state": "f64"}
            if fields["weights"] != "exact" and rng.random() < 0.6:
                fields["weights"] = "exact"
            semantics = Semantics(**fields)
            if semantics.problem(model) is None:
                return semantics

    def _parameters(self, model: str, neurons: int, semantics: Semantics) -> dict[str, Any]:
        rng = self._rng

        def each(low: float, high: float) -> Any:
            return rng.uniform(low, high, neurons) if rng.random() < 0.3 else float(rng.uniform(low, high))

        small = 1e-3 if semantics.pulse == "dirac" else 1.0
        if self._whole:
            return _whole_parameters(rng, model)
        ranges = {
            "tau": (1.2e-3, 8e-3),
            "tau_syn": (1.2e-3, 4e-3),
            "tau_mem": (1.2e-3, 8e-3),
            "tau_exc": (1.2e-3, 4e-3),
            "tau_inh": (1.2e-3, 4e-3),
            "r": (1 * small, 4 * small),
            "w_in": (1 * small, 3 * small),
            "w_exc": (1 * small, 3 * small),
            "w_inh": (1 * small, 3 * small),
            "v_leak": (0.0, 0.1),
            "threshold": (0.3, 1.0),
            "v_reset": (-0.2, 0.1),
        }
        return {name: each(*ranges[name]) for name in PARAMETERS[model]}

    def _feed_back(self) -> None:
        """Let populations read later signals, through what has a delay."""
        rng = self._rng
        populations = [op for op in self._ops if isinstance(op, NeuronOp)]
        for op in populations:
            if rng.random() < 0.5:
                source = populations[int(rng.integers(len(populations)))]
                late = self._add(DelayOp(source.signal, int(rng.integers(1, 4))))
                back = self._projection(late, _shape(op.signal))
                op.operands = [back, *op.operands]


def _whole_parameters(rng: np.random.Generator, model: str) -> dict[str, Any]:
    steps = {name: 4096 / float(rng.choice([128, 1024, 2048])) for name in PARAMETERS[model] if name.startswith("tau")}
    leaky = steps.get("tau", steps.get("tau_mem", 1.0))
    found: dict[str, Any] = {name: n * DT for name, n in steps.items()}
    found |= {
        "r": leaky,
        "v_leak": 0.0,
        "threshold": float(rng.integers(20, 60)),
        "v_reset": float(rng.integers(-4, 3)),
    }
    for weight, tau in (("w_in", "tau_syn"), ("w_exc", "tau_exc"), ("w_inh", "tau_inh")):
        found[weight] = float(rng.integers(1, 4)) * steps.get(tau, 1.0)
    return {name: found[name] for name in PARAMETERS[model]}


def program_in(module: ModuleOp) -> NetworkOp:
    """The one program of a module."""
    (found,) = networks(module)
    return found


def _f64(value: float) -> Attribute:
    return FloatAttr(value, f64)


def _value(key: str, value: Any) -> Attribute:
    return TensorAttr.of(key, value) if np.ndim(value) else _f64(float(value))


def _shape(value: SSAValue) -> tuple[int, ...]:
    assert isinstance(value.type, SignalType)
    return value.type.shape.data


def _is_spike(value: SSAValue) -> bool:
    assert isinstance(value.type, SignalType)
    return value.type.is_spike


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


def parse(text: str) -> Network:
    """The arrays of a program in IR text."""
    context = Context()
    context.load_dialect(Builtin)
    context.load_dialect(SNN)
    module = Parser(context, text).parse_module()
    module.verify()
    return network_of(program_in(module))


def projection(source: str, operator: Operator, *, bias: Any = 0.0, scale: Any = 1.0, delay: int = 0) -> Projection:
    """All of a source through an operator."""
    return Projection(source, np.arange(operator.sources), operator, scale, bias, delay, "w", "here")


def population(
    name: str, model: str, parameters: dict[str, Any], semantics: Semantics, *projections: Projection
) -> Population:
    """A population with a threshold of 1 and a reset to 0 where nothing else is said."""
    values: dict[str, Any] = {"threshold": 1.0, "v_reset": 0.0, **parameters}
    size = projections[0].operator.targets
    coefficients = discretise(model, values, DT, semantics)
    return Population(name, size, projections, "here", model, semantics, coefficients)
