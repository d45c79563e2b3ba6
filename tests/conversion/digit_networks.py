"""A small network of rectified units, trained on the 8x8 digits that scikit-learn brings."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import ClipOp, DenseOp, InputOp, NetworkOp, OutputOp, ReluOp

Array = NDArray[Any]
SIZES = (64, 48, 32, 10)
TESTED = 360


@dataclass(frozen=True, eq=False)
class Trained:
    """Weights (out, in) and biases, and the data that they were not trained on behind the data that they were."""

    weights: list[Array]
    biases: list[Array]
    x: Array
    """(samples, 64) from 0 to 1; the last `TESTED` are for tests."""
    labels: Array

    def scores(self, x: Array) -> Array:
        """The outputs for inputs (samples, 64), in plain numpy."""
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight.T + bias
            x = x if number == len(self.weights) - 1 else np.maximum(x, 0.0)
        return x


@cache
def trained(epochs: int = 30) -> Trained:
    """Adam on minibatches, seeded: the same on every machine up to rounding."""
    x, labels = _digits()
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, np.sqrt(2 / a), (b, a)) for a, b in pairwise(SIZES)]
    biases = [np.zeros(b) for b in SIZES[1:]]
    parameters = [*weights, *biases]
    firsts, seconds = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    known, step = len(x) - TESTED, 0
    for _ in range(epochs):
        for chosen in np.array_split(rng.permutation(known), known // 48):
            step += 1
            gradients = _gradients(weights, biases, x[chosen], labels[chosen])
            for n, g in enumerate(gradients):
                firsts[n] = 0.9 * firsts[n] + 0.1 * g
                seconds[n] = 0.999 * seconds[n] + 0.001 * g * g
                parameters[n] -= 3e-3 * (firsts[n] / (1 - 0.9**step)) / (np.sqrt(seconds[n] / (1 - 0.999**step)) + 1e-8)
    single = [p.astype(np.float32) for p in parameters]
    return Trained(single[: len(weights)], single[len(weights) :], x.astype(np.float32), labels)


def _digits() -> tuple[Array, Array]:
    """Images and labels in a fixed random order. The file is read as it is: importing scikit-learn takes seconds."""
    found = find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the digits of scikit-learn")
    path = Path(found.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    table = table[np.random.default_rng(1).permutation(len(table))]
    return table[:, :-1] / 16.0, table[:, -1].astype(np.int64)


def _gradients(weights: list[Array], biases: list[Array], x: Array, labels: Array) -> list[Array]:
    values = [x]
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        total = values[-1] @ weight.T + bias
        values.append(total if number == len(weights) - 1 else np.maximum(total, 0.0))
    shares = np.exp(values[-1] - values[-1].max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(x)), labels] -= 1.0
    error, of_weights, of_biases = shares / len(x), list[Array](), list[Array]()
    for number in reversed(range(len(weights))):
        of_weights.insert(0, error.T @ values[number])
        of_biases.insert(0, error.sum(axis=0))
        error = (error @ weights[number]) * (values[number] > 0)
    return [*of_weights, *of_biases]


def program_of(network: Trained) -> ModuleOp:
    """The network as a program, its scores behind a clip with wide limits as `snn-legalize` makes it."""
    x = InputOp("x", SignalType.current(SIZES[0]))
    ops: list[Operation] = [x]
    value: SSAValue = x.signal
    for number, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        type_ = SignalType.current(len(bias))
        dense = DenseOp(value, TensorAttr.of(f"w{number}", weight), type_, bias=TensorAttr.of(f"b{number}", bias))
        limits = {"low": FloatAttr(-1024.0, 64), "high": FloatAttr(1024.0, 64)}
        last = number == len(network.weights) - 1
        population = ClipOp("scores", [dense], type_, limits) if last else ReluOp(f"hidden{number}", [dense], type_)
        value = population.signal
        ops += [dense, population]
    program = NetworkOp("digits", 1e-3, 1)
    program.body.block.add_ops([*ops, OutputOp("label", value)])
    module = ModuleOp([program])
    module.verify()
    return module
