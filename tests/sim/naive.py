"""A program run neuron by neuron and step by step, in plain Python, as DESIGN section 3 and the semantics say it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.sim import Network, Population

Spikes = NDArray[np.uint8]


def at(value: Any, neuron: int) -> float:
    """A parameter of one neuron."""
    return float(value[neuron]) if np.ndim(value) else float(value)


def naive_simulate(network: Network, inputs: dict[str, Spikes]) -> dict[str, Spikes]:
    """The spikes of every population, uint8 (samples, steps, neurons)."""
    samples, steps = next(iter(inputs.values())).shape[:2]
    spikes = {**inputs}
    for name, population in network.populations.items():
        spikes[name] = np.zeros((samples, steps, population.size), np.uint8)
    order = dependence_order(network)
    for sample in range(samples):
        states = {name: [(0.0, 0.0)] * p.size for name, p in network.populations.items()}
        for t in range(steps):
            for name in order:
                population = network.populations[name]
                for n in range(population.size):
                    current = weighted_sum(population, n, {k: s[sample] for k, s in spikes.items()}, t)
                    states[name][n], fired = update(population, n, states[name][n], current)
                    spikes[name][sample, t, n] = fired
    return {name: spikes[name] for name in network.populations}


def dependence_order(network: Network) -> list[str]:
    """Populations, each after those that it reads without a delay."""
    order: list[str] = []
    while len(order) < len(network.populations):
        for name, population in network.populations.items():
            now = {p.source for p in population.projections if p.delay == 0} & set(network.populations)
            if name not in order and now <= set(order):
                order.append(name)
    return order


def weighted_sum(population: Population, n: int, spikes: dict[str, Spikes], t: int) -> float:
    """The input current of one neuron in one step: scale * sum of weights + biases."""
    total, scaled = 0.0, 0.0
    for p in population.projections:
        part = 0.0
        if t >= p.delay:
            for j, neuron in enumerate(p.indices):
                if p.one_to_one and j != n:
                    continue
                weight = float(p.weights[n]) if p.one_to_one else float(p.weights[n, j])
                part += weight * int(spikes[p.source][t - p.delay, neuron])
        total += part
        scaled += part * at(p.scale, n)
    bias = 0.0
    for p in population.projections:
        bias += at(p.bias, n)
    common = population.scale
    return (scaled if common is None else at(common, n) * total) + bias


def update(
    population: Population, n: int, state: tuple[float, float], current: float
) -> tuple[tuple[float, float], int]:
    """The new (v, i) of one neuron and whether it spikes."""
    c, semantics = population.coefficients, population.semantics
    v, i = state
    if population.model == "cuba_lif":
        new = at(c.syn_decay, n) * i + at(c.syn_gain, n) * current
        current = new if semantics.order == "syn_first" else i
        i = new
    v = at(c.decay, n) * v + at(c.gain, n) * current + at(c.drift, n)
    threshold = at(c.threshold, n)
    fired = v > threshold if semantics.compare == "gt" else v >= threshold
    if fired:
        v = at(c.v_reset, n) if semantics.reset == "value" else v - threshold
    return (v, i), int(fired)
