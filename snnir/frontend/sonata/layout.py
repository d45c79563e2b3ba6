"""Which nodes of a SONATA model become which input or population of the program.

A node population stays one input or population where it can: parameters may differ from neuron to neuron, but a
population of ours has one model and one refractory period, and virtual nodes are inputs. What differs in that is split,
in ascending order of the lowest node: `<population>_<template>`, `<population>_virtual`, numbered where names repeat.
Neuron n of a part is its node with the n-th lowest id. The split depends on the circuit alone, never on the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Place
from snnir.frontend.names import symbol, unique
from snnir.frontend.notes import Notes
from snnir.frontend.sonata.components import Components, Simulator
from snnir.frontend.sonata.config import Config
from snnir.frontend.sonata.neurons import (
    VIRTUAL,
    Model,
    Neurons,
    join,
    model_of,
    needs_two_synapses,
    read_neurons,
)
from snnir.frontend.sonata.tables import Nodes, read_nodes


@dataclass(frozen=True)
class Part:
    """An input (`neurons` is `None`) or a population of the program."""

    name: str
    entries: NDArray[np.int64]
    """Positions in the node population, ascending."""
    neurons: Neurons | None
    refractory: float
    """In ms."""
    two_synapses: bool
    place: Place

    @property
    def size(self) -> int:
        """The number of nodes."""
        return self.entries.size

    @property
    def model(self) -> Model:
        """What the neurons compute, in our terms."""
        assert self.neurons is not None
        return model_of(self.neurons, two_synapses=self.two_synapses)


@dataclass(frozen=True)
class Population:
    """A node population and its parts; node at position n is neuron `within[n]` of part `part_of[n]`."""

    nodes: Nodes
    parts: tuple[Part, ...]
    part_of: NDArray[np.int64]
    within: NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """All node populations of a model, by name."""

    populations: dict[str, Population]

    def parts(self) -> Iterator[Part]:
        """All parts, in the order of the configuration."""
        for population in self.populations.values():
            yield from population.parts

    @property
    def simulator(self) -> Simulator:
        """The simulator of all neurons; NEURON's conventions when there are none."""
        found: list[Simulator] = [part.neurons.simulator for part in self.parts() if part.neurons is not None]
        return found[0] if found else "nrn"

    @property
    def first_time(self) -> int:
        """The time of step 0, in steps: events of NEURON may be at 0, the first update of NEST ends at 1."""
        return 1 if self.simulator == "nest" else 0


def layout_of(config: Config, components: Components, notes: Notes) -> Layout:
    """All nodes of a model. Raises `SnnirError` for what is not supported or does not fit."""
    populations: dict[str, Nodes] = {}
    for files in config.nodes:
        for nodes in read_nodes(files):
            if nodes.name in populations:
                raise nodes.place.error(
                    f"population '{nodes.name}' is there twice, also in {populations[nodes.name].place}"
                )
            populations[nodes.name] = nodes
    if not populations:
        raise config.place.error("the network has no nodes", "list their files under networks/nodes")
    taken: set[str] = set()
    result: dict[str, Population] = {}
    for name, nodes in populations.items():
        result[name] = _split(nodes, components, notes, taken)
    layout = Layout(result)
    for part in layout.parts():
        if part.neurons is not None and part.neurons.simulator != layout.simulator:
            what = f"population '{part.name}' is for {part.neurons.simulator}, others are for {layout.simulator}"
            raise part.place.error(what, "a model runs on one simulator")
    return layout


def _split(nodes: Nodes, components: Components, notes: Notes, taken: set[str]) -> Population:
    """A node population in parts; adds their names to `taken`."""
    found: dict[str, list[tuple[NDArray[np.int64], Neurons]]] = {}
    virtual: list[NDArray[np.int64]] = []
    for block in nodes.blocks:
        for chosen, neurons in read_neurons(block, components, notes):
            if neurons is None:
                virtual.append(block.entries[chosen])
            else:
                found.setdefault(neurons.template, []).append((block.entries[chosen], neurons))
    groups: list[tuple[NDArray[np.int64], Neurons | None, float, bool]] = []
    if virtual:
        groups.append((np.sort(np.concatenate(virtual)), None, 0.0, False))
    for pieces in found.values():
        entries, neurons = np.sort(np.concatenate([piece for piece, _ in pieces])), join(pieces)
        periods, two_synapses = neurons.refractory, needs_two_synapses(neurons)
        for period in np.unique(periods):
            chosen = np.flatnonzero(periods == period)
            groups.append((entries[chosen], neurons.picked(chosen), float(period), two_synapses))
    groups.sort(key=lambda group: int(group[0][0]))
    parts: list[Part] = []
    part_of, within = np.zeros(nodes.ids.size, np.int64), np.zeros(nodes.ids.size, np.int64)
    for number, (entries, neurons, period, two_synapses) in enumerate(groups):
        kind = VIRTUAL if neurons is None else neurons.template.partition(":")[2]
        name = unique(symbol(nodes.name if len(groups) == 1 else f"{nodes.name}_{kind}"), taken)
        taken.add(name)
        part_of[entries], within[entries] = number, np.arange(entries.size)
        parts.append(Part(name, entries, neurons, period, two_synapses, nodes.place))
    if len(parts) > 1:
        notes.add(nodes.place, f"'{nodes.name}' is split by model and refractory period: {_listed(nodes, parts)}")
    return Population(nodes, tuple(parts), part_of, within)


def _listed(nodes: Nodes, parts: list[Part]) -> str:
    """`v1_a (240 nodes from 0), ...`."""
    return ", ".join(f"{part.name} ({part.size} nodes from {nodes.ids[part.entries[0]]})" for part in parts)
