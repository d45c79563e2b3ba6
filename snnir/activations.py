"""What the neurons of ordinary networks compute: a function of their input, and the code that stands for its value.

A value x travels as a code of k bits, a whole number q that stands for `zero + step * q` (data re-encoding, Ji et al.,
ASPLOS 2018, arXiv 1801.00746). The code of a value is the nearest one, halves upwards, within the range of its type:

    q = min(most, max(least, floor((x - zero) / step + 1/2)))

All functions work in float64, element by element, except `softmax`, which works along the last dimension of a signal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.semantics import Value

Reals = NDArray[np.float64]

ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "relu": (),
    "clip": ("low", "high"),
    "leaky_relu": ("slope",),
    "elu": ("alpha",),
    "selu": ("alpha", "gamma"),
    "sigmoid": (),
    "tanh": (),
    "softplus": (),
    "square": (),
    "softmax": (),
}
"""The parameters of each function. ONNX has all of them under these names (opset 13), `square` as `Mul` by itself."""


def _relu(x: Reals) -> Reals:
    return np.maximum(x, 0.0)


def _clip(x: Reals, low: Value, high: Value) -> Reals:
    return np.minimum(np.maximum(x, low), high)


def _leaky_relu(x: Reals, slope: Value) -> Reals:
    return np.where(x < 0, slope * x, x)


def _elu(x: Reals, alpha: Value) -> Reals:
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0.0)), x)


def _selu(x: Reals, alpha: Value, gamma: Value) -> Reals:
    return gamma * _elu(x, alpha)


def _sigmoid(x: Reals) -> Reals:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _tanh(x: Reals) -> Reals:
    return np.tanh(x)


def _softplus(x: Reals) -> Reals:
    return np.logaddexp(0.0, x)


def _square(x: Reals) -> Reals:
    return x * x


def _softmax(x: Reals) -> Reals:
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


_FUNCTIONS: dict[str, Callable[..., Reals]] = {
    "relu": _relu,
    "clip": _clip,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softplus": _softplus,
    "square": _square,
    "softmax": _softmax,
}


def activate(function: str, x: Reals, parameters: Mapping[str, Value]) -> Reals:
    """The function of an input, (..., neurons); `parameters` as `ACTIVATIONS` lists them."""
    return _FUNCTIONS[function](x, **parameters)


def parameter_problem(function: str, parameters: Mapping[str, Value]) -> str | None:
    """Why parameters make no sense, in words; `None` when they do."""
    if function == "clip" and (np.asarray(parameters["low"]) > parameters["high"]).any():
        return "low must not lie above high"
    return None


@dataclass(frozen=True)
class Coding:
    """Which whole numbers stand for which values: q for `zero + step * q`, `least <= q <= most`."""

    least: int
    most: int
    step: Value = 1.0
    zero: Value = 0.0

    def encode(self, x: "NDArray[Any]") -> Reals:
        """The codes of values, (..., neurons), as float64."""
        q = np.floor((np.asarray(x, np.float64) - self.zero) / self.step + 0.5)
        return np.minimum(np.maximum(q, self.least), self.most)

    def decode(self, q: "NDArray[Any]") -> Reals:
        """The values that codes stand for."""
        return self.zero + self.step * np.asarray(q, np.float64)


def span_of(bits: int, signed: bool) -> tuple[int, int]:
    """The least and the largest code of a type of so many bits."""
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
