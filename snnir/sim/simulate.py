"""Running a network: vectorised over samples and neurons, and over time where nothing feeds back."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.semantics import Coefficients, Semantics
from snnir.sim.network import Network, Population, Projection

Spikes = NDArray[np.uint8]


def simulate(network: Network, inputs: Mapping[str, Spikes]) -> dict[str, Spikes]:
    """The spikes of every input and population, each uint8 of shape (samples, steps, neurons).

    `inputs` gives (samples, steps, lines) for each input, values 0 and 1; every sample starts from rest. Raises
    `SnnirError` when the arrays do not fit the network.
    """
    spikes = check_inputs(network, inputs)
    samples, steps = next(iter(spikes.values())).shape[:2]
    history = {name: np.ascontiguousarray(array.transpose(1, 0, 2)) for name, array in spikes.items()}
    for group in network.groups:
        for name in group:
            history[name] = np.zeros((steps, samples, network.populations[name].size), np.uint8)
        _run_group(network, group, history, samples)
    return {name: np.ascontiguousarray(array.transpose(1, 0, 2)) for name, array in history.items()}


def check_inputs(network: Network, inputs: Mapping[str, Spikes]) -> dict[str, Spikes]:
    """The inputs, each reshaped to (samples, steps, lines)."""
    if not network.inputs:
        raise SnnirError(network.name, "the network has no input", "add one")
    missing = [name for name in network.inputs if name not in inputs]
    if missing:
        have = ", ".join(inputs) or "nothing"
        raise SnnirError(f"input {missing[0]}", f"the data has no array '{missing[0]}'", f"it holds {have}")
    result: dict[str, Spikes] = {}
    for name, size in network.inputs.items():
        array = np.asarray(inputs[name])
        if array.ndim < 3 or array[0, 0].size != size:
            raise SnnirError(
                f"input {name}", f"data of shape {array.shape} for {size} lines", f"give (samples, steps, {size})"
            )
        if array.dtype.kind not in "biu" or (array.size and (array.max() > 1 or array.min() < 0)):
            raise SnnirError(f"input {name}", "spikes are 0 or 1", "convert the data to uint8 zeros and ones")
        result[name] = array.reshape(*array.shape[:2], size).astype(np.uint8)
    if len({a.shape[:2] for a in result.values()}) > 1:
        raise SnnirError(network.name, "the inputs differ in samples or steps", "give all inputs the same number")
    return result


def _run_group(network: Network, group: Sequence[str], history: dict[str, Spikes], samples: int) -> None:
    """Run populations that depend on each other step by step; what comes from outside is projected for all steps."""
    populations = [network.populations[name] for name in group]
    outside = {p.name: _outside(p, group, history) for p in populations}
    inside = {p.name: [q for q in p.projections if q.source in group] for p in populations}
    states = {p.name: NeuronState(p.coefficients, p.model, p.semantics, (samples, p.size)) for p in populations}
    steps = next(iter(history.values())).shape[0]
    for t in range(steps):
        for p in populations:
            total = outside[p.name][t]
            for projection in inside[p.name]:
                if t >= projection.delay:
                    total = total + weighted(projection, history[projection.source][t - projection.delay], p)
            history[p.name][t] = states[p.name].step(current(p, total))


def _outside(population: Population, group: Sequence[str], history: dict[str, Spikes]) -> NDArray[np.float64]:
    """Weighted input from outside the group, (steps, samples, neurons)."""
    steps, samples = next(iter(history.values())).shape[:2]
    total = np.zeros((steps, samples, population.size))
    for projection in population.projections:
        if projection.source not in group and projection.delay < steps:
            source = history[projection.source][: steps - projection.delay]
            total[projection.delay :] += weighted(projection, source, population)
    return total


def weighted(projection: Projection, spikes: Spikes, population: Population) -> NDArray[np.float64]:
    """The projection's part of the sum: integers where the population has one scale, else already scaled.

    `spikes` has the source's neurons in its last dimension; the result has the targets there.
    """
    chosen = spikes[..., projection.indices].astype(np.float64)
    weights = projection.weights.astype(np.float64)
    product = chosen * weights if projection.one_to_one else chosen @ weights.T
    return product if population.scale is not None else product * projection.scale


def current(population: Population, total: NDArray[np.float64]) -> NDArray[np.float64]:
    """The input current of a step from the sum of the weighted inputs."""
    return (total if population.scale is None else population.scale * total) + population.bias


class NeuronState:
    """Membranes (and synapses) of a population for a batch of samples, from rest."""

    def __init__(self, c: Coefficients, model: str, semantics: Semantics, shape: tuple[int, int]) -> None:
        self._c, self._semantics = c, semantics
        self._v = np.zeros(shape)
        self._i = np.zeros(shape) if model == "cuba_lif" else None

    def step(self, total: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Advance by one step with the given input currents; which neurons spiked."""
        c, late = self._c, self._i
        if late is not None:
            new = c.syn_decay * late + c.syn_gain * total
            total = new if self._semantics.order == "syn_first" else late
            self._i = new
        v = c.decay * self._v + c.gain * total + c.drift
        fired = v > c.threshold if self._semantics.compare == "gt" else v >= c.threshold
        after = c.v_reset if self._semantics.reset == "value" else v - c.threshold
        self._v = np.where(fired, after, v)
        return fired
