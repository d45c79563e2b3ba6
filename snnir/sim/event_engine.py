"""The event engine: for long runs in which nearly nothing happens, only the steps in which something arrives.

Between two such steps a membrane decays by `decay ** gap` at once, where the step engine multiplies gap times. Both are
equal up to the rounding of this idle decay (relative error below gap * 2**-53); all other operations are the same, in
the same order.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.sim.bundle import Bundle
from snnir.sim.events import Events, ranges
from snnir.sim.network import Network, Population, Projection
from snnir.sim.operators import Dense, Identity, OneToOne, Operator, Shift
from snnir.sim.sparse import Sparse

Array = NDArray[Any]
Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

MODELS = frozenset({"if", "lif"})


def why_not(network: Network) -> str | None:
    """Why a network cannot be run from event to event, in words; `None` when it can."""
    for name in network.activations:
        return f"@{name} has no state"
    for name, p in network.populations.items():
        s = p.semantics
        if p.model not in MODELS:
            return f"@{name} is a {p.model} population"
        if np.any(p.coefficients.drift) or np.any(p.bias):
            return f"@{name} has a constant current"
        if s.state != "f64" or s.reset in ("subtract_repeat", "subtract_late"):
            return f"@{name} has state {s.state} and reset {s.reset}"
        if np.any(np.asarray(p.coefficients.decay) < 0) or np.any(np.asarray(p.coefficients.decay) > 1):
            return f"@{name} does not decay"
        if np.any(np.asarray(p.coefficients.threshold) <= 0):
            return f"the threshold of @{name} is not positive"
        for q in p.projections:
            if not isinstance(q.operator, Dense | OneToOne | Shift | Identity | Sparse | Bundle):
                return f"@{name} reads a {type(q.operator).__name__.lower()}"
            if q.source in network.currents:
                return f"@{name} reads a current"
    if any(source in network.currents for source in network.outputs.values()):
        return "an output reads a current"
    return None


class _Wire:
    """A projection seen from its source: which targets the firing of a neuron reaches, when, and with what weight."""

    def __init__(self, number: int, projection: Projection) -> None:
        self.number, self._projection, self._operator = number, projection, projection.operator
        size = int(projection.indices.max(initial=-1)) + 1
        self._order = np.argsort(projection.indices, kind="stable")
        self._counts = np.bincount(projection.indices, minlength=size)
        self._starts = np.cumsum(self._counts) - self._counts

    def send(self, neurons: Integers, values: Reals) -> list[tuple[int, Integers, Reals]]:
        """(steps until arrival, targets, currents) of neurons that emit in one step, by ascending source."""
        known = neurons < len(self._counts)
        neurons, values = neurons[known], values[known]
        places, owners = ranges(self._starts[neurons], self._counts[neurons])
        sources = self._order[places]
        ascending = np.argsort(sources, kind="stable")
        late, targets, currents = fan_out(self._operator, sources[ascending], values[owners[ascending]])
        delay = self._projection.delay
        return [
            (delay + int(step), targets[late == step], currents[late == step])
            for step in (np.unique(late) if late.size else ())
        ]


def fan_out(operator: Operator, sources: Integers, values: Reals) -> tuple[Integers, Integers, Reals]:
    """Own delay, target and current of each synapse of the given sources, source by source."""
    match operator:
        case Sparse() | Bundle():
            return operator.synapses(sources, values)
        case Dense():
            out, inputs = operator.weights.shape
            currents = operator.weights[:, sources % inputs].T.astype(np.float64) * values[:, None]
            targets, _ = ranges(sources // inputs * out, np.full(len(sources), out))
            return np.zeros(len(targets), np.int64), targets, currents.ravel()
        case OneToOne():
            return np.zeros(len(sources), np.int64), sources, operator.weights[sources].astype(np.float64) * values
        case Shift():
            return operator.delays[sources], sources, values
        case _:
            return np.zeros(len(sources), np.int64), sources, values


class _Membranes:
    """The neurons of a population for one sample: membranes as they were in the step in which they last changed."""

    def __init__(self, p: Population) -> None:
        self._p, self._semantics = p, p.semantics
        c = p.coefficients
        broadcast = [np.broadcast_to(np.asarray(x, np.float64), (p.size,)) for x in (c.decay, c.gain, c.threshold)]
        self._decay, self._gain, self._threshold = broadcast
        self._v_reset = np.broadcast_to(np.asarray(c.v_reset, np.float64), (p.size,))
        self._v, self._last = np.zeros(p.size), np.full(p.size, -1, np.int64)
        if p.semantics.start == "half":
            self._v += 0.5 * self._threshold
        self._above = np.empty(0, np.int64)

    def step(self, t: int, arrived: Mapping[int, list[tuple[Integers, Reals]]]) -> tuple[Integers, Integers, bool]:
        """Neurons that fire in step t, how often, and whether a neuron may fire in the next step without input."""
        p, s = self._p, self._semantics
        touched = np.zeros(p.size, bool)
        touched[self._above] = True
        total = np.zeros(p.size)
        shared = p.scale
        for number in sorted(arrived):
            targets, currents = (np.concatenate(a) for a in zip(*arrived[number], strict=True))
            touched[targets] = True
            part = np.bincount(targets, currents, p.size)
            total += part if shared is not None else part * p.projections[number].scale
        if shared is not None:
            total *= shared
        # a neuron in its refractory steps has a step of last change that lies ahead
        chosen = np.flatnonzero(touched & (self._last < t))
        gap = (t - self._last[chosen]).astype(np.float64)
        threshold = self._threshold[chosen]
        v = self._v[chosen] * self._decay[chosen] ** gap + self._gain[chosen] * total[chosen]
        if s.floor == "threshold":
            v = np.maximum(v, -threshold)
        fired = v > threshold if s.compare == "gt" else v >= threshold
        count = np.ones(len(chosen), np.int64)
        if s.spikes > 1:
            count = np.clip(np.floor_divide(v, threshold), 1, s.spikes).astype(np.int64)
        after = self._v_reset[chosen] if s.reset == "value" or s.refractory else v - count * threshold
        v = np.where(fired, after, v)
        self._v[chosen], self._last[chosen] = v, t
        neurons = chosen[fired]
        self._last[neurons] += s.refractory
        next_v = v * self._decay[chosen]
        again = next_v > threshold if s.compare == "gt" else next_v >= threshold
        self._above = chosen[again]
        return neurons, count[fired], bool(again.any())


class EventEngine:
    """Runs a network from event to event. Make one for a network of which `why_not` says nothing."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._order = [name for group in network.groups for name in group.names]
        self._wires: dict[str, list[tuple[str, _Wire]]] = defaultdict(list)
        for name, p in network.populations.items():
            for number, q in enumerate(p.projections):
                self._wires[q.source].append((name, _Wire(number, q)))

    def run(
        self, inputs: Mapping[str, Events], samples: int, steps: int, progress: Callable[[int, int], None] | None = None
    ) -> dict[str, Events]:
        """The events of every input and population."""
        found: dict[str, list[tuple[int, int, Integers, Array]]] = {name: [] for name in self._network.populations}
        for sample in range(samples):
            self._run_sample(inputs, sample, steps, found)
            if progress is not None:
                progress((sample + 1) * steps, samples * steps)
        return {**inputs, **{name: self._events(name, found[name], samples, steps) for name in found}}

    def _events(self, name: str, found: list[tuple[int, int, Integers, Array]], samples: int, steps: int) -> Events:
        population = self._network.populations[name]
        lengths = [len(neurons) for _, _, neurons, _ in found]
        columns = [np.repeat(np.array([entry[n] for entry in found], np.int64), lengths) for n in (0, 1)]
        neurons, counts = (np.concatenate([np.empty(0, np.int64), *(entry[n] for entry in found)]) for n in (2, 3))
        shape = (samples, steps, population.size)
        return Events.of(shape, columns[0], columns[1], neurons, counts.astype(np.uint8))

    def _run_sample(
        self,
        inputs: Mapping[str, Events],
        sample: int,
        steps: int,
        found: dict[str, list[tuple[int, int, Integers, Array]]],
    ) -> None:
        agenda = _Agenda()
        emissions = {name: _by_step(events, sample) for name, events in inputs.items()}
        for emitted in emissions.values():
            agenda.add(emitted)
        membranes = {name: _Membranes(self._network.populations[name]) for name in self._order}
        while (t := agenda.next()) is not None and t < steps:
            for name, emitted in emissions.items():
                if t in emitted:
                    self._send(name, t, *emitted[t], agenda)
            for name in self._order:
                arrived = agenda.arrived(t, name)
                if arrived is None:
                    continue
                neurons, counts, again = membranes[name].step(t, arrived)
                if again:
                    agenda.wake(t + 1, name)
                leaves = t + self._network.emission_delay(name)
                if neurons.size and leaves < steps:
                    found[name].append((sample, leaves, neurons, counts))
                    self._send(name, leaves, neurons, counts.astype(np.float64), agenda)
            agenda.done(t)

    def _send(self, source: str, t: int, neurons: Integers, values: Reals, agenda: "_Agenda") -> None:
        for name, wire in self._wires[source]:
            for late, targets, currents in wire.send(neurons, values):
                agenda.put(t + late, name, wire.number, targets, currents)


class _Agenda:
    """What arrives when, and the steps in which there is something to do, in order."""

    def __init__(self) -> None:
        self._heap: list[int] = []
        self._known: set[int] = set()
        self._arrivals: dict[int, dict[str, dict[int, list[tuple[Integers, Reals]]]]] = {}

    def add(self, steps: Collection[int]) -> None:
        """Steps in which there is something to do."""
        new = set(steps) - self._known
        self._known |= new
        self._heap += new
        heapify(self._heap)

    def wake(self, step: int, name: str) -> None:
        """Let a population compute a step."""
        self._arrivals.setdefault(step, {}).setdefault(name, {})
        if step not in self._known:
            self._known.add(step)
            heappush(self._heap, step)

    def put(self, step: int, name: str, number: int, targets: Integers, currents: Reals) -> None:
        """Currents for targets of a population from one of its projections."""
        self.wake(step, name)
        self._arrivals[step][name].setdefault(number, []).append((targets, currents))

    def next(self) -> int | None:
        """The next step."""
        return heappop(self._heap) if self._heap else None

    def arrived(self, step: int, name: str) -> Mapping[int, list[tuple[Integers, Reals]]] | None:
        """What a population gets in a step, by the number of the projection; `None` when it has nothing to do."""
        return self._arrivals.get(step, {}).get(name)

    def done(self, step: int) -> None:
        """Forget a step."""
        self._arrivals.pop(step, None)
        self._known.discard(step)


def _by_step(events: Events, sample: int) -> dict[int, tuple[Integers, Reals]]:
    """The neurons that emit in each step of a sample, and what."""
    first, last = np.searchsorted(events.sample, [sample, sample + 1])
    step, index, value = events.step[first:last], events.index[first:last], events.value[first:last]
    bounds = np.flatnonzero(np.diff(step, prepend=-1))
    pairs = pairwise([*bounds.tolist(), len(step)])
    return {int(step[a]): (index[a:b], value[a:b].astype(np.float64)) for a, b in pairs}
