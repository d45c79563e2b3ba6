"""Random networks of all ops, models and semantics, as declarations: what the builder makes of them is in normal form.

Weights are small multiples of powers of two, so that sums are exact and do not depend on the order of their terms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import LocationAttr, UnknownLoc

from snnir.errors import SnnirError
from snnir.frontend.network import (
    Conv,
    Delay,
    Dense,
    Flatten,
    Input,
    Network,
    OneToOne,
    Output,
    Pool,
    Population,
    Reference,
    Shape,
    Slice,
    Sparse,
    Transform,
    Value,
)
from snnir.indices import Indices
from snnir.semantics import CHOICES, PARAMETERS, PRESETS, SPIKING, Semantics, preset
from snnir.tensors import Tensor

DT = 1e-3
Level = Literal["all", "nir"]
"""`nir`: only what a NIR file can state, but for semantics."""


@dataclass(frozen=True)
class Nowhere:
    """An origin for tests."""

    @property
    def location(self) -> LocationAttr:
        """No place."""
        return UnknownLoc()

    def error(self, message: str, hint: str = "") -> SnnirError:
        """An error without a place."""
        return SnnirError("nowhere", message, hint)


HERE = Nowhere()


@dataclass
class _Signal:
    name: str
    shape: Shape
    spikes: bool


@dataclass
class Random:
    """A random network. `made` are the signals so far; those in `unread` are not read by anything yet."""

    rng: np.random.Generator
    level: Level = "all"
    made: list[_Signal] = field(default_factory=list[_Signal])
    transforms: list[Transform] = field(default_factory=list[Transform])
    unread: set[str] = field(default_factory=set[str])
    count: int = 0

    def network(self) -> Network:
        """One to two inputs, one to three populations, with transforms before each, and outputs."""
        rng = self.rng
        inputs: list[Input] = []
        for number in range(rng.integers(1, 3)):
            element = "spike" if rng.random() < 0.7 or self.level == "nir" else "f64"
            shape = self.shape()
            inputs.append(Input(f"x{number}", shape, HERE, element))  # pyright: ignore[reportArgumentType]
            self.made.append(_Signal(f"x{number}", shape, element == "spike"))
        populations: list[Population] = []
        for number in range(rng.integers(1, 4)):
            for _ in range(rng.integers(0, 4)):
                self.transform(self.pick())
            populations.append(self.population(f"p{number}", populations))
        outputs = [Output(f"y{n}", self.same(self.pick()), HERE) for n in range(rng.integers(1, 3))]
        outputs += [Output(f"z{n}", (Reference(name, HERE),), HERE) for n, name in enumerate(sorted(self.unread))]
        steps = int(rng.integers(1, 9)) if rng.random() < 0.5 else None
        return Network("random", DT, HERE, steps, HERE, inputs, self.transforms, populations, outputs, HERE)

    def shape(self) -> Shape:
        """One to three dimensions."""
        return tuple(int(n) for n in self.rng.integers(1, 6, self.rng.integers(1, 4)))

    def pick(self) -> _Signal:
        """Something to read; what nobody reads yet before others."""
        waiting = [each for each in self.made if each.name in self.unread]
        choice = waiting if waiting and self.rng.random() < 0.6 else self.made
        return choice[self.rng.integers(len(choice))]

    def read(self, signal: _Signal) -> Reference:
        """Read a signal."""
        self.unread.discard(signal.name)
        return Reference(signal.name, HERE)

    def same(self, signal: _Signal) -> tuple[Reference, ...]:
        """A signal, sometimes with others of its shape, to be added."""
        alike = [each for each in self.made if each.shape == signal.shape and each is not signal]
        chosen = [each for each in alike if self.rng.random() < 0.25][:2]
        return tuple(self.read(each) for each in (signal, *chosen))

    def array(self, *shape: int) -> NDArray[Any]:
        """Weights."""
        return (self.rng.integers(-16, 17, shape) / 16).astype("f4" if self.rng.random() < 0.6 else "f8")

    def value(self, array: NDArray[Any], key: str) -> Value:
        """An array with a key, or one that the builder names."""
        return Value(Tensor.of(key, array) if self.rng.random() < 0.7 else array, HERE)

    def rest(self, name: str, lanes: int, weights: NDArray[Any], key: str) -> dict[str, Any]:
        """Weights, bias, scale and delay of a projection; sometimes quantised."""
        rng = self.rng
        scale: Value | None = None
        if rng.random() < 0.25:
            weights = (weights * 16).astype(rng.choice(["i1", "i2", "i4"]))
            uniform = rng.random() < 0.5
            scale = Value(0.125, HERE) if uniform else Value(0.5 ** rng.integers(1, 5, lanes), HERE)
        bias = self.value(self.array(lanes), f"{name}.bias") if rng.random() < 0.4 else None
        delay = int(rng.integers(0, 4)) if rng.random() < 0.3 else 0
        return {"weights": self.value(weights, key), "bias": bias, "scale": scale, "delay": delay}

    def fresh(self) -> str:
        """A name."""
        self.count += 1
        return f"t{self.count}"

    def add(self, signal: _Signal, op: Any, shape: Shape, spikes: bool = False, given: bool = False) -> _Signal:
        """A transform; `given`: it needs to be told its shape."""
        name = self.fresh()
        inputs = (self.read(signal),) if isinstance(op, Slice) else self.same(signal)
        spikes = spikes and len(inputs) == 1
        self.transforms.append(Transform(name, inputs, op, HERE, shape if given else None))
        self.made.append(_Signal(name, shape, spikes))
        self.unread.add(name)
        return self.made[-1]

    def transform(self, signal: _Signal) -> _Signal:
        """A random op that a signal fits."""
        rng, shape = self.rng, signal.shape
        options = ["dense", "one_to_one", "flatten", "slice", "delay", "delays", "sparse", "last"]
        if len(shape) in (2, 3):
            options += ["conv", "conv", "pool", "pool"]
        return getattr(self, f"_{rng.choice(options)}")(signal)

    def _dense(self, signal: _Signal) -> _Signal:
        size = int(self.rng.integers(1, 6))
        name = f"d{self.count}"
        return self.add(signal, self.dense(name, signal, (size,)), (size,))

    def dense(self, name: str, signal: _Signal, shape: Shape) -> Dense:
        """A matrix."""
        return Dense(**self.rest(name, prod(shape), self.array(prod(shape), prod(signal.shape)), f"{name}.weight"))

    def _last(self, signal: _Signal) -> _Signal:
        name, size = f"l{self.count}", int(self.rng.integers(1, 4))
        if prod(signal.shape[:-1]) == 1:
            return self._dense(signal)
        op = Dense(**self.rest(name, size, self.array(size, signal.shape[-1]), f"{name}.weight"))
        return self.add(signal, op, (*signal.shape[:-1], size))

    def _one_to_one(self, signal: _Signal) -> _Signal:
        name, size = f"o{self.count}", prod(signal.shape)
        op = OneToOne(**self.rest(name, size, self.array(size), f"{name}.weight"))
        return self.add(signal, op, signal.shape)

    def _sparse(self, signal: _Signal) -> _Signal:
        shape = (int(self.rng.integers(1, 6)),)
        return self.add(signal, self.sparse(f"s{self.count}", signal, shape), shape, given=True)

    def sparse(self, name: str, signal: _Signal, shape: Shape) -> Sparse:
        """Single synapses."""
        rng, count = self.rng, int(self.rng.integers(1, 12))
        ends = [Value(rng.integers(0, prod(each), count), HERE) for each in (signal.shape, shape)]
        delays = Value(rng.integers(0, 3, count), HERE) if rng.random() < 0.4 else None
        rest = self.rest(name, prod(shape), self.array(count), f"{name}.weight")
        return Sparse(sources=ends[0], targets=ends[1], delays=delays, **rest)

    def _flatten(self, signal: _Signal) -> _Signal:
        rank = len(signal.shape)
        start = int(self.rng.integers(0, rank))
        end = int(self.rng.integers(start, rank))
        shape = (*signal.shape[:start], prod(signal.shape[start : end + 1]), *signal.shape[end + 1 :])
        if shape == signal.shape:
            return self._delay(signal)
        return self.add(signal, Flatten(start, end), shape, signal.spikes)

    def _slice(self, signal: _Signal) -> _Signal:
        size = prod(signal.shape)
        chosen = self.rng.choice(size, self.rng.integers(1, size + 1), replace=False)
        return self.add(signal, Slice(Indices.of(chosen)), (len(chosen),), signal.spikes)

    def _delay(self, signal: _Signal) -> _Signal:
        return self.add(signal, Delay(int(self.rng.integers(1, 4))), signal.shape, signal.spikes)

    def _delays(self, signal: _Signal) -> _Signal:
        steps = self.rng.integers(0, 4, prod(signal.shape))
        return self.add(signal, Delay(Value(steps, HERE)), signal.shape, signal.spikes)

    def _conv(self, signal: _Signal) -> _Signal:
        rng, (channels, *size) = self.rng, signal.shape
        n = len(size)
        groups = int(rng.choice([g for g in range(1, channels + 1) if channels % g == 0]))
        out = groups * int(rng.integers(1, 3))
        low, high = (tuple(int(x) for x in rng.integers(0, 3, n)) for _ in range(2))
        high = low if rng.random() < 0.6 else high
        stride, dilation = (tuple(int(x) for x in rng.integers(1, 3, n)) for _ in range(2))
        spans = [max(1, (m + a + b - 1) // d + 1) for m, a, b, d in zip(size, low, high, dilation, strict=True)]
        kernel = tuple(int(rng.integers(1, min(3, most) + 1)) for most in spans)
        name = f"c{self.count}"
        rest = self.rest(name, out, self.array(out, channels // groups, *kernel), f"{name}.weight")
        op = Conv(**rest, stride=stride, padding=(low, high), dilation=dilation, groups=groups)
        ends = zip(size, kernel, stride, low, high, dilation, strict=True)
        shape = tuple((m + a + b - d * (k - 1) - 1) // s + 1 for m, k, s, a, b, d in ends)
        return self.add(signal, op, (out, *shape))

    def _pool(self, signal: _Signal) -> _Signal:
        rng, (channels, *size) = self.rng, signal.shape
        kind = str(rng.choice(["sum", "avg"] if self.level == "nir" else ["sum", "avg", "max"]))
        kernel = tuple(int(rng.choice([k for k in (1, 2, 4) if k <= m])) for m in size)
        stride = tuple(int(x) for x in rng.integers(1, 3, len(size))) if rng.random() < 0.5 else kernel
        low = tuple(int(x) for x in rng.integers(0, 2, len(size)))
        high = low if rng.random() < 0.6 else tuple(int(x) for x in rng.integers(0, 2, len(size)))
        low, high = (tuple(min(a, k - 1) for a, k in zip(each, kernel, strict=True)) for each in (low, high))
        ends = zip(size, kernel, stride, low, high, strict=True)
        shape = (channels, *((m + a + b - k) // s + 1 for m, k, s, a, b in ends))
        op = Pool(kind, kernel, stride, (low, high))  # pyright: ignore[reportArgumentType]
        return self.add(signal, op, shape, kind == "max" and signal.spikes)

    def population(self, name: str, before: list[Population]) -> Population:
        """A population that reads something, and perhaps itself or another one, late."""
        rng = self.rng
        model = str(rng.choice([m for m in PARAMETERS if self.level == "all" or m != "dual_lif"]))
        first = self.pick()
        multi = self.level == "all" and rng.random() < 0.4
        shape = first.shape if rng.random() < 0.5 else self.shape() if multi else (int(rng.integers(1, 7)),)
        own = _Signal(name, shape, model in SPIKING)
        readers = [self.into(first, own, 0)]
        if rng.random() < 0.5:
            readers.append(self.into(self.pick(), own, 0))
        if rng.random() < 0.4:
            readers.append(self.into(own, own, int(rng.integers(1, 4))))
        split = int(rng.integers(0, len(readers) + 1)) if model == "dual_lif" else len(readers)
        self.made.append(own)
        given = {key: self.parameter(key, own) for key in PARAMETERS[model]}
        inputs, inhibitory = tuple(readers[:split]), tuple(readers[split:])
        return Population(name, shape, model, given, self.semantics(model), HERE, inputs, inhibitory)

    def into(self, signal: _Signal, own: _Signal, delay: int) -> Reference:
        """A connection."""
        if signal.shape == own.shape and delay == 0 and self.rng.random() < 0.6:
            return self.read(signal)
        name = f"w{self.count}"
        sparse = self.rng.random() < 0.2
        op: Any = self.sparse(name, signal, own.shape) if sparse else self.dense(name, signal, own.shape)
        label = self.fresh()
        vars(op)["delay"] = max(op.delay, delay)
        self.transforms.append(Transform(label, (self.read(signal),), op, HERE, own.shape))
        return Reference(label, HERE)

    def parameter(self, key: str, own: _Signal) -> Value:
        """One number, or one per neuron."""
        low, high = {"threshold": (2, 9), "v_reset": (-8, 1), "v_leak": (-4, 4), "r": (4, 64)}.get(key, (4, 33))
        unit = 1e-3 if key.startswith("tau") else 0.125
        numbers = self.rng.integers(low, high, own.shape) * unit
        return (
            self.value(numbers, f"{own.name}.{key}") if self.rng.random() < 0.3 else Value(float(numbers.flat[0]), HERE)
        )

    def presets(self) -> list[str]:
        """The presets that any parameters go with."""
        exact = [name for name, each in PRESETS.items() if each.semantics.weights == "exact"]
        return [name for name in (exact if self.level == "nir" else PRESETS) if name != "loihi"]

    def semantics(self, model: str) -> Semantics:
        """A preset, or any fields that go together."""
        rng = self.rng
        if rng.random() < 0.4:
            found = preset(str(rng.choice(self.presets())), model)
        else:
            fields: dict[str, Any] = {name: str(rng.choice(values)) for name, values in CHOICES.items()}
            fields |= {"state": str(rng.choice(["f64", "f32"])), "decay": str(rng.choice(["euler", "exp", "exact"]))}
            fields |= {"refractory": int(rng.integers(0, 3)), "out_delay": int(rng.integers(0, 3))}
            fields["spikes"] = int(rng.choice([1, 3]))
            if self.level == "nir":
                fields["weights"] = "exact"  # rounding looks at single synapses, which NIR adds up
            found = Semantics(**fields)
        return found if found.problem(model) is None else preset("nir", model)
