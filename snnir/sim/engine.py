"""The step engine: a chunk of samples through the network, block by block of steps.

What does not feed back runs through a whole block at once, layer by layer; a loop runs as many steps at a time as its
delays allow (`schedule`). A signal keeps the steps that its readers still need, so memory is bounded by the block and
the longest delay, whatever the number of steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from snnir.sim.convolution import whole_type
from snnir.sim.events import Events
from snnir.sim.network import Activation, Current, Network, Population, Projection
from snnir.sim.neurons import Neurons

Array = NDArray[Any]
Reals = NDArray[np.float64]

CHUNK_ELEMENTS = 1 << 16
"""Neurons times samples of the largest signal that are computed together: states then stay in the cache."""
BLOCK_BYTES = 1 << 24
"""Currents of the largest signal in a block."""
HISTORY_BYTES = 1 << 28
"""What all delays may keep of a chunk of more than one sample."""


class Sink(Protocol):
    """Where results go."""

    def signal(self, name: str, sample: int, step: int, values: Array) -> None:
        """A block of a signal, (steps, samples, neurons), from the given sample and step on; copied if kept."""
        ...

    def voltage(self, name: str, sample: int, step: int, values: Array) -> None:
        """A block of membranes before the reset, likewise."""
        ...


@dataclass(frozen=True)
class Plan:
    """What is computed for which results, and how much of it at a time."""

    network: Network
    record: frozenset[str]
    voltages: frozenset[str]
    most: Mapping[str, int | None]
    """For each signal the largest value, where all are whole multiples of one unit."""
    types: Mapping[str, "np.dtype[Any]"]
    samples: int
    """Samples of a chunk."""
    steps: int
    """Steps of a block."""
    lead: Mapping[str, int]
    """Steps that each signal keeps for its readers."""


def plan_of(
    network: Network,
    inputs: Mapping[str, "Array | Events"],
    record: frozenset[str],
    voltages: frozenset[str],
    samples: int,
) -> Plan:
    """The plan for checked inputs."""
    most: dict[str, int | None] = {name: largest_of(array) for name, array in inputs.items()}
    types = {name: np.dtype(np.float64) if top is None else whole_type(top) for name, top in most.items()}
    for name, p in network.populations.items():
        most[name] = p.semantics.spikes if p.spiking else None
        types[name] = whole_type(p.semantics.spikes) if p.spiking else np.dtype(np.float64)
    for name, each in network.activations.items():
        top = most[name] = each.most
        types[name] = np.dtype(np.float64) if top is None else whole_type(top)
    for group in network.groups:
        for name in group.names:
            if name in network.currents:
                most[name], types[name] = _emitted(network.currents[name], most, types)
    lead = dict.fromkeys(network.sizes, 0)
    for node in network.nodes.values():
        for p in _projections(node):
            lead[p.source] = max(lead[p.source], p.lag + p.operator.span)
    kept = {name: lead[name] + network.emission_delay(name) for name in lead}
    size = max(network.sizes.values())
    history = sum(kept[name] * network.sizes[name] * types[name].itemsize for name in kept)
    chunk = max(1, min(samples, CHUNK_ELEMENTS // size, HISTORY_BYTES // max(1, history)))
    return Plan(network, record, voltages, most, types, chunk, max(1, BLOCK_BYTES // (8 * size * chunk)), lead)


def largest_of(array: "Array | Events") -> int | None:
    """The largest value of an input where all are whole and none negative, else `None`."""
    values = array.value if isinstance(array, Events) else array
    if values.dtype.kind == "f":
        return None
    return int(values.max(initial=0))


def _projections(node: Current) -> tuple[Projection, ...]:
    return node.all_projections if isinstance(node, Population) else node.projections


def _emitted(
    node: Current, most: Mapping[str, int | None], types: Mapping[str, "np.dtype[Any]"]
) -> tuple[int | None, "np.dtype[Any]"]:
    """The largest value and the type of a current. In a loop it may read what comes behind it: reals, then."""
    real = np.dtype(np.float64)
    if any(p.source not in most for p in node.projections):
        return None, real
    reach = node.reach(most)
    whole = node.keeps_whole and types[node.projections[0].source] != real and reach is not None
    return reach, whole_type(reach) if whole and reach is not None else real


class _Signal:
    """The steps of a signal that are still needed: `lead` before the block, the block, `ahead` behind it."""

    def __init__(self, lead: int, steps: int, ahead: int, shape: tuple[int, int], dtype: "np.dtype[Any]") -> None:
        self._lead, self._ahead = lead, ahead
        self._data = np.zeros((lead + steps + ahead, *shape), dtype)

    def read(self, start: int, stop: int) -> Array:
        """Steps of the block, counted from its start; from -lead on."""
        return self._data[self._lead + start : self._lead + stop]

    def write(self, start: int, stop: int) -> Array:
        """Where what is computed for steps of the block goes: `ahead` steps later."""
        return self.read(start + self._ahead, stop + self._ahead)

    def advance(self, steps: int) -> None:
        """Make the end of a block of `steps` steps the past of the next."""
        kept = self._lead + self._ahead
        if kept:
            self._data[:kept] = self._data[steps : steps + kept].copy()


class Chunk:
    """Some samples on their way through the network."""

    def __init__(self, plan: Plan, first: int, samples: int) -> None:
        self._plan, self._first, self._samples = plan, first, samples
        network = plan.network
        self._signals = {
            name: _Signal(plan.lead[name], plan.steps, network.emission_delay(name), (samples, size), plan.types[name])
            for name, size in network.sizes.items()
        }
        self._nodes, self._groups = network.nodes, network.groups
        self._neurons = {name: Neurons(p, samples) for name, p in network.populations.items()}

    def run(
        self, inputs: Mapping[str, "Array | Events"], steps: int, sink: Sink, progress: Callable[[int], None]
    ) -> None:
        """All steps; `progress` is told the number of steps times samples of each block."""
        for start in range(0, steps, self._plan.steps):
            count = min(self._plan.steps, steps - start)
            for name, values in inputs.items():
                self._load(name, values, start, count)
            for group in self._groups:
                stride = group.stride or count
                for begin in range(0, count, stride):
                    for name in group.names:
                        self._advance(name, start, begin, min(count, begin + stride), sink)
            for name in self._plan.record:
                sink.signal(name, self._first, start, self._signals[name].read(0, count))
            for signal in self._signals.values():
                signal.advance(count)
            progress(count * self._samples)

    def _load(self, name: str, values: "Array | Events", start: int, count: int) -> None:
        place = self._signals[name].write(0, count)
        if isinstance(values, Events):
            samples = range(self._first, self._first + self._samples)
            place[...] = values.block(samples, range(start, start + count), place.dtype)
        else:
            part = values[self._first : self._first + self._samples, start : start + count]
            place[...] = part.transpose(1, 0, 2)

    def _advance(self, name: str, start: int, begin: int, end: int, sink: Sink) -> None:
        """Compute steps `begin` to `end` of the block of one signal."""
        node = self._nodes[name]
        place = self._signals[name].write(begin, end)
        if isinstance(node, Activation):
            place[...] = node.emitted(self._sum(node, start, begin, end))
            return
        if not isinstance(node, Population):
            if place.dtype.kind == "f":
                place[...] = self._sum(node, start, begin, end)
            else:
                place[...] = self._part(node.projections[0], begin, end)
            return
        current = self._sum(node, start, begin, end)
        second = None if node.second is None else self._sum(node.second, start, begin, end)
        voltages = None
        if name in self._plan.voltages:
            voltages = np.empty(current.shape, self._neurons[name].type)
        self._neurons[name].run(start + begin, current, second, place, voltages)
        if voltages is not None:
            sink.voltage(name, self._first, start + begin, voltages)

    def _sum(self, node: Current, start: int, begin: int, end: int) -> Reals:
        """The input current, a new array (steps, samples, neurons): scale * (sum of the projections) + biases."""
        shared = node.scale
        total: Reals | None = None
        for p in node.projections:
            part = self._part(p, begin, end)
            if shared is None:
                part = part * p.scale
            if total is None:
                total = part.astype(np.float64, copy=False)
            else:
                total += part
        if total is None:
            total = np.zeros((end - begin, self._samples, node.size))
        if shared is not None and (np.ndim(shared) or shared != 1.0):
            total *= shared
        self._add_bias(node, total, start + begin)
        return total

    @staticmethod
    def _add_bias(node: Current, total: Reals, first: int) -> None:
        ends = [s for s in node.starts if first < s < first + len(total)]
        for begin, end in zip([first, *ends], [*ends, first + len(total)], strict=True):
            bias = node.bias_at(begin)
            if np.any(bias):
                total[begin - first : end - first] += bias

    def _part(self, p: Projection, begin: int, end: int) -> Array:
        """What one projection adds, before scale and bias."""
        window = self._signals[p.source].read(begin - p.lag - p.operator.span, end - p.lag)
        if not p.whole or window.shape[-1] != len(p.indices):
            window = window[..., p.indices]
        return p.operator.apply(window, self._plan.most[p.source])
