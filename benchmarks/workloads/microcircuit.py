"""The cortical microcircuit of Potjans and Diesmann at any scale.

T. C. Potjans and M. Diesmann, The cell-type specific cortical microcircuit, Cerebral Cortex 24 (2014) 785, table 5.
Membranes are in mV above rest, currents in pA. Scaling, its correction and the mean rates that this needs: NEST's
example Potjans_2014 and van Albada, Helias and Diesmann, PLoS Comput. Biol. 11 (2015) e1004490.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import SSAValue

from benchmarks.workloads.maker import Maker, numbers
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import CubaLifOp, NetworkOp, ScaleOp
from snnir.semantics import PRESETS

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
"""Neurons of each population at full scale."""
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
"""Probability that at least one synapse leads from a neuron of the column's population to one of the row's."""
_OUTSIDE = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
"""Synapses of each neuron from outside; each brings `_OUTSIDE_RATE` spikes per second."""
_OUTSIDE_RATE = 8.0
_RATES = np.array([0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523])
"""Mean rates at full scale, in spikes per second."""
_WEIGHT, _INHIBITION, _SPREAD = 87.8, -4.0, 0.1
"""Current of a spike in pA, that of inhibitory spikes relative to it, and the relative standard deviation."""
_DELAYS = (1.5e-3, 0.8e-3)
"""Mean delay of excitatory and inhibitory synapses in seconds; the standard deviation is half of it."""
_TAU_SYN, _TAU_MEM, _REFRACTORY = 0.5e-3, 10e-3, 2e-3
_RESISTANCE = 0.04
"""In mV per pA: a membrane of 250 pF and 10 ms."""
_THRESHOLD = 15.0


def microcircuit(
    *, scale: float = 0.1, dt: float = 1e-4, spread: bool = False, refractory: bool = False, seed: int = 0
) -> NetworkOp:
    """Potjans and Diesmann's microcircuit with `scale` of its neurons and of each neuron's synapses.

    Full scale has 77,169 neurons and about 0.3 billion synapses; 0.1 has about 7,700 and 3 million. The neurons of two
    populations are joined by K = log(1 - C) / log(1 - 1 / (N * M)) synapses times `scale**2`, whose ends are drawn with
    replacement, so that some pairs have several. Weights grow by 1 / sqrt(scale), and a constant current makes up for
    the mean, so that rates stay near those of full scale. Delays are the published means, rounded to steps; `spread`
    draws each from the published normal distribution, at least one step, and `refractory` adds the published 2 ms,
    which machines of this compiler cannot do. Each neuron has an input of its own, `drive_L4E` and so on: Poisson
    spikes, at `drive_rates(scale)` per second.
    """
    make = Maker("microcircuit", seed=seed, steps=None, dt=dt)
    sizes = np.maximum(1, np.rint(SIZES * scale).astype(np.int64))
    drives = [make.input(f"drive_{name}", int(size)) for name, size in zip(NAMES, sizes, strict=True)]
    populations = [_population(make, name, int(size), dt, refractory) for name, size in zip(NAMES, sizes, strict=True)]
    constant, counts = _constant_currents(scale), synapse_counts(scale)
    for target, population in enumerate(populations):
        currents = [_drive(make, target, drives[target], int(sizes[target]), constant[target], scale, dt)]
        for source in np.flatnonzero(counts[target]).tolist():
            name, pair = f"{NAMES[source]}_{NAMES[target]}", (int(sizes[target]), int(sizes[source]))
            count, weight = int(counts[target, source]), _weight(target, source) / math.sqrt(scale)
            currents.append(_synapses(make, name, populations[source], pair, count, weight, spread))
        make.feed(population, *currents)
    for name, population in zip(NAMES, populations, strict=True):
        make.output(f"spikes_{name}", population)
    return make.network


def synapse_counts(scale: float) -> NDArray[np.int64]:
    """How many synapses lead to each population (rows) from each (columns)."""
    pairs = np.multiply.outer(SIZES, SIZES).astype(np.float64)
    full = np.log1p(-PROBABILITIES) / np.log1p(-1.0 / pairs)
    return np.rint(full * scale**2).astype(np.int64)


def drive_rates(scale: float) -> NDArray[np.float64]:
    """Spikes per second of a neuron's input, for each population."""
    return _OUTSIDE * _OUTSIDE_RATE * scale


def _weight(target: int, source: int) -> float:
    """Mean weight in pA at full scale; layer 4 excites layer 2/3 twice as strongly."""
    doubled = 2.0 if (NAMES[target], NAMES[source]) == ("L23E", "L4E") else 1.0
    return _WEIGHT * doubled * (_INHIBITION if NAMES[source].endswith("I") else 1.0)


def _constant_currents(scale: float) -> NDArray[np.float64]:
    """The current in pA that each population loses by having fewer but stronger synapses."""
    weights = np.array([[_weight(i, j) for j in range(len(NAMES))] for i in range(len(NAMES))])
    indegrees = synapse_counts(1.0) / SIZES[:, None]
    arriving = (weights * indegrees) @ _RATES + _WEIGHT * _OUTSIDE * _OUTSIDE_RATE
    return _TAU_SYN * (1.0 - math.sqrt(scale)) * arriving


def _population(make: Maker, name: str, size: int, dt: float, refractory: bool) -> SSAValue:
    """Neurons that integrate exactly, as NEST's iaf_psc_exp does; a weight is the current that a spike adds."""
    semantics = PRESETS["nest"].semantics
    if refractory:
        semantics = semantics.changed({"refractory": str(round(_REFRACTORY / dt))})
    parameters = {"tau_syn": _TAU_SYN, "tau_mem": _TAU_MEM, "r": _RESISTANCE, "w_in": _TAU_SYN}
    parameters |= {"v_leak": 0.0, "threshold": _THRESHOLD, "v_reset": 0.0}
    return make.add(CubaLifOp(name, [], numbers(parameters), semantics, SignalType.spikes(size)))


def _drive(make: Maker, target: int, source: SSAValue, size: int, constant: float, scale: float, dt: float) -> SSAValue:
    """Spikes from outside, and the constant current: the synapse state settles at it, so each step adds its loss."""
    bias = np.full(size, constant * -math.expm1(-dt / _TAU_SYN))
    weight, delay = FloatAttr(_WEIGHT / math.sqrt(scale), 64), _steps(_DELAYS[0], dt)
    tensor = TensorAttr.of(f"drive_{NAMES[target]}.bias", bias)
    return make.add(ScaleOp(source, weight, SignalType.current(size), bias=tensor, delay=delay))


def _synapses(
    make: Maker, name: str, source: SSAValue, pair: tuple[int, int], count: int, weight: float, spread: bool
) -> SSAValue:
    """`count` synapses between any two neurons of two populations, sorted by target and source."""
    targets, sources = pair
    chosen = np.sort(make.rng(f"{name}.pairs").integers(0, targets * sources, count))
    noise = make.rng(f"{name}.weight").standard_normal(count, np.float32)
    # a deviation of more than a whole weight would change its sign
    weights = np.float32(weight) * np.maximum(1.0 + np.float32(_SPREAD) * noise, 0.0, dtype=np.float32)
    mean, dt = _DELAYS[weight < 0], make.network.step_seconds
    ends = np.stack(np.divmod(chosen, sources), axis=1)
    if not spread:
        return make.sparse(name, source, ends, weights, targets, delay=_steps(mean, dt))
    drawn = mean * (1.0 + 0.5 * make.rng(f"{name}.delays").standard_normal(count))
    delays = np.maximum(1, np.rint(drawn / dt).astype(np.int64))
    return make.sparse(name, source, ends, weights, targets, delays=TensorAttr.of(f"{name}.delays", delays))


def _steps(seconds: float, dt: float) -> int:
    """A delay in steps: the nearest number, and at least one."""
    return max(1, round(seconds / dt))
