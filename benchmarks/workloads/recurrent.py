"""Recurrent networks: a liquid state machine, and digit recognition by competition."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads.maker import Maker
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import DenseOp, NetworkOp

_EXCITATORY = 0.8
"""The share of excitatory neurons of a liquid."""
_CONNECTED = np.array([[0.3, 0.4], [0.2, 0.1]])
"""Probability of a synapse between two neurons at the same place: [target inhibitory][source inhibitory]."""
_REACH = 2.0
"""Distance at which that probability has fallen to 1/e."""
_STRENGTH = (0.15, -0.6)
"""Mean weight of excitatory and inhibitory synapses."""
_INPUT_SHARE = 0.3
_PAIRS = 1 << 22
"""Pairs of neurons that are looked at together."""
_DRIVE = 6.0
"""Twice the current of a neuron when every pixel spikes."""
_RIVALRY = 20.0
"""The inhibition of a neuron when all inhibitory neurons spike."""


def reservoir(
    *, shape: tuple[int, int, int] = (10, 10, 10), inputs: int = 32, outputs: int = 10, seed: int = 0
) -> NetworkOp:
    """A liquid state machine: neurons on a grid, joined at random, the rarer the further apart, and a dense readout.

    Maass, Natschläger and Markram, Neural Computation 14 (2002) 2531: 80 % excitatory, probability
    C * exp(-(distance / 2)**2) with C = 0.3 between excitatory neurons, 0.2 from excitatory to inhibitory, 0.4 back,
    0.1 between inhibitory ones; delays of 1.5 ms between excitatory neurons and 0.8 ms else, here 2 and 1 steps. The
    default is 1,000 neurons (theirs was 15x3x3). Each input reaches 30 % of the neurons.
    """
    make = Maker("reservoir", seed=seed, steps=100)
    stimulus, size = make.input("stimulus", inputs), math.prod(shape)
    inhibitory = make.rng("liquid.inhibitory").random(size) >= _EXCITATORY
    liquid = make.lif("liquid", shape=(size,))
    hits = np.argwhere(make.rng("stimulus.pairs").random((size, inputs)) < _INPUT_SHARE)
    strength = np.abs(make.rng("stimulus.weight").normal(0.0, 0.3, len(hits))).astype(np.float32)
    currents = [make.sparse("stimulus", stimulus, hits, strength, size)]
    ends = _pairs(make.rng("liquid.pairs"), shape, inhibitory)
    means = np.where(inhibitory[ends[:, 1]], _STRENGTH[1], _STRENGTH[0])
    weights = (means * make.rng("liquid.weight").gamma(4.0, 0.25, len(ends))).astype(np.float32)
    slow = ~inhibitory[ends].any(axis=1)
    for name, chosen, delay in (("slow", slow, 2), ("fast", ~slow, 1)):
        currents.append(make.sparse(name, liquid, ends[chosen], weights[chosen], size, delay=delay))
    make.feed(liquid, *currents)
    make.output("class", make.lif("readout", make.dense("readout", liquid, outputs)))
    return make.network


def _pairs(rng: np.random.Generator, shape: tuple[int, int, int], inhibitory: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(target, source) of every synapse within a liquid, in order; no neuron reads itself."""
    places = np.stack(np.unravel_index(np.arange(math.prod(shape)), shape), axis=1)
    size, kinds = len(places), inhibitory.astype(np.int64)
    found: list[NDArray[np.int64]] = []
    step = max(1, _PAIRS // size)
    for first in range(0, size, step):
        targets = np.arange(first, min(first + step, size))
        squares = ((places[targets, None] - places) ** 2).sum(axis=2)
        likely: NDArray[np.float64] = _CONNECTED[kinds[targets, None], kinds] * np.exp(-squares / _REACH**2)
        likely[targets - first, targets] = 0.0
        rows, columns = np.nonzero(rng.random(likely.shape) < likely)
        found.append(np.stack((rows + first, columns), axis=1))
    return np.concatenate(found)


def recurrent_digits(*, excitatory: int = 400, seed: int = 0) -> NetworkOp:
    """Digits by competition, the network of Diehl and Cook (Front. Comput. Neurosci. 9 (2015) 99).

    784 pixels reach every excitatory neuron; each of those has an inhibitory neuron of its own, which inhibits all
    excitatory neurons but that one, a step later. The weights of "all but one" are dense with a diagonal of 0, which is
    counted: for N excitatory neurons 785 * N + N**2 synapses.
    """
    make = Maker("recurrent_digits", seed=seed, steps=350)
    pixels, size = make.input("pixels", 784), excitatory
    drive = make.rng("drive.weight").random((size, 784), np.float32)
    drive *= np.float32(_DRIVE / 784)
    current = SignalType.current(size)
    first = make.lif("excitatory", make.add(DenseOp(pixels, TensorAttr.of("drive.weight", drive), current)))
    second = make.relay("inhibitory", make.one_to_one(first))
    others = np.full((size, size), -_RIVALRY / size, np.float32)
    np.fill_diagonal(others, 0.0)
    make.feed(first, make.add(DenseOp(second, TensorAttr.of("rivalry.weight", others), current, delay=1)))
    make.output("spikes", first)
    return make.network
