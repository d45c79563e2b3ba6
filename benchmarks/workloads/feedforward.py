"""Fully connected classifiers."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.workloads.maker import Element, Maker
from snnir.dialects.snn import NetworkOp


def perceptron(name: str, *sizes: int, seed: int = 0, steps: int | None = 25, element: Element = "f32") -> NetworkOp:
    """A multilayer perceptron; the first of `sizes` is the input."""
    make = Maker(name, seed=seed, steps=steps, element=element)
    signal = make.input("pixels", sizes[0])
    for number, (_, size) in enumerate(pairwise(sizes), start=1):
        signal = make.lif(f"fc{number}", make.dense(f"fc{number}", signal, size))
    make.output("label", signal)
    return make.network


def mlp784(*, seed: int = 0, element: Element = "f32") -> NetworkOp:
    """784-100-10, the perceptron for MNIST of the published mappers: 894 neurons, 79,400 synapses."""
    return perceptron("mlp784", 784, 100, 10, seed=seed, element=element)


def respclass(*, seed: int = 0, element: Element = "f32") -> NetworkOp:
    """2-150-120-1, run for 200 steps: RespClass ANNDVT of the published mappers, 273 neurons, 18,420 synapses."""
    return perceptron("respclass", 2, 150, 120, 1, seed=seed, steps=200, element=element)
