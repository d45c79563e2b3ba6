"""Drawn weights, as large as it takes for neurons to spike from the first step of training on.

Weights of too small a scale leave deep layers silent, and a silent neuron has no gradient worth the name: so the scale
of each population is found by running it (as in fluctuation-driven initialisation, Rossbroich, Gygax and Zenke,
Neuromorphic Computing and Engineering 2, 2022, but by measurement in place of a formula).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import BundleOp, InputOp, networks
from snnir.flow.training.forms import weighted_ops, with_weights
from snnir.sim import Network, simulate
from snnir.sim.entry import network_of
from snnir.sim.network import Population, Projection
from snnir.train.samples import WEIGHTS, Samples

Array = NDArray[Any]

TRIES = 12
"""Doublings (or halvings) of a scale at most; the rate that is reached may be another then."""
STEPS = 5
"""Bisections after that: the scale is right within some percent."""
RUN = 32
"""Samples that populations are run on."""


def drawn(module: ModuleOp, seed: int, samples: Samples, rate: float) -> ModuleOp:
    """A copy of a program with normal weights, each population of which spikes `rate` times per step and neuron.

    The spread of the weights of a projection is one over the square root of how many a target reads. What is no synapse
    of a bundle stays none.
    """
    arrays: dict[str, Array] = {}
    for number, (key, op) in enumerate(weighted_ops(module)):
        assert isinstance(op.weights, TensorAttr)
        if key in arrays:
            continue
        shape = op.weights.data.shape
        read = max(1.0, float(np.prod(shape)) / op.lanes)
        draw = np.random.default_rng([seed, WEIGHTS, number])
        arrays[key] = (draw.standard_normal(shape) / np.sqrt(read)).astype(np.float32)
        if isinstance(op, BundleOp) and op.weights.array.any():
            arrays[key] *= op.weights.array != 0
    found = with_weights(module, arrays)
    factors = scales(network_of(next(networks(found))), samples, rate)
    return with_weights(
        found, {key: (array * factors.get(key, 1.0)).astype(np.float32) for key, array in arrays.items()}
    )


def scales(network: Network, samples: Samples, rate: float) -> dict[str, float]:
    """Factors of weights, by key, with which each spiking population in turn spikes at a rate on the first samples."""
    part = samples.some(slice(0, RUN))
    found: dict[str, float] = {}
    for name, population in network.populations.items():
        keys = {p.key for p in population.all_projections if p.operator.weighted} - set(found)
        if not population.spiking or not keys or not rate:
            continue
        factor = _factor(network, name, part.inputs, rate)
        found |= dict.fromkeys(keys, factor)
        network = _scaled(network, name, factor)
    return found


def _factor(network: Network, name: str, inputs: Mapping[str, Array], rate: float) -> float:
    """The factor for one population: doubled or halved until the rate lies between two, then bisected."""

    def too_much(factor: float) -> bool:
        spikes = simulate(_scaled(network, name, factor), inputs, record=[name], engine="steps")[name]
        return float(spikes.mean(dtype=np.float64)) > rate

    low = high = 1.0
    above = too_much(1.0)
    for _ in range(TRIES):
        low, high = (low / 2, low) if above else (high, high * 2)
        if too_much(low if above else high) != above:
            break
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if too_much(middle) else (middle, high)
    return high


def _scaled(network: Network, name: str, factor: float) -> Network:
    """The network with the weights into a population multiplied."""

    def larger(p: Projection) -> Projection:
        if not p.operator.weighted:
            return p
        return replace(p, operator=p.operator.reweighted(p.operator.weights * np.float32(factor)))

    old = network.populations[name]
    second = (
        old.second
        if old.second is None
        else replace(old.second, projections=tuple(map(larger, old.second.projections)))
    )
    new: Population = replace(old, projections=tuple(map(larger, old.projections)), second=second)
    return replace(network, populations={**network.populations, name: new})


def input_sizes(module: ModuleOp) -> dict[str, int]:
    """Lines of each input of the program."""
    sources = next(networks(module)).sources
    return {name: op.size for name, op in sources.items() if isinstance(op, InputOp)}
