"""Edges of SONATA as sparse connections: one for each pair of parts (and synapse), in the order of the files.

The weight of an edge, as bmtk 1.2.0 sets it: `syn_weight`, from the edge or its type; for `nrn:IntFire1`, where the
edges have a column `nsyns`, times `nsyns` and the `sign` in the edge type's component file (BioNet, class
PointProcessCell). For NEST's models weights have their signs; `nsyns` synapses of one connection act as their sum.
Source and target queries say how edges were made; the edges themselves are in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Place
from snnir.frontend.notes import Notes
from snnir.frontend.sonata.components import SYNAPSES, Components, Simulator, parameters_of
from snnir.frontend.sonata.config import Config, shown
from snnir.frontend.sonata.layout import Layout, Part, Population
from snnir.frontend.sonata.tables import DYNAMICS, Block, Edges, read_edges
from snnir.frontend.sonata.times import steps_of

_TEMPLATES = {"nrn": ("exp2syn", "Exp2Syn"), "nest": ("static_synapse",)}
"""Synapse templates beside none at all; NEURON's point processes take the weight alone, whatever synapse is named."""
_WEIGHT_FUNCTIONS = ("wmax", "default_weight_fnc")


@dataclass
class Synapses:
    """The connections between two parts, collected from several edge populations."""

    source: Part
    target: Part
    inhibitory: bool
    """Whether they enter the second synapse of their targets."""
    place: Place
    sources: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])
    targets: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])
    weights: list[NDArray[np.floating]] = field(default_factory=list["NDArray[np.floating]"])
    delays: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])


def read_synapses(config: Config, layout: Layout, components: Components, dt: float, notes: Notes) -> list[Synapses]:
    """All connections of a model for steps of `dt` seconds. Raises `SnnirError` for what does not fit."""
    found: dict[tuple[str, str, bool], Synapses] = {}
    for files in config.edges:
        for edges in read_edges(files):
            ends = _ends(edges, layout)
            weights, delays = _Values(edges, ends, layout, components, dt, notes).read()
            _collect(found, edges, ends, weights, delays)
    return list(found.values())


def _ends(edges: Edges, layout: Layout) -> tuple[Population, Population]:
    for name in (edges.source, edges.target):
        if name not in layout.populations:
            known = ", ".join(layout.populations)
            raise edges.place.error(f"there is no node population '{name}'", f"there are {known}")
    return layout.populations[edges.source], layout.populations[edges.target]


def _collect(
    found: dict[tuple[str, str, bool], Synapses],
    edges: Edges,
    ends: tuple[Population, Population],
    weights: NDArray[np.floating],
    delays: NDArray[np.int64],
) -> None:
    """Add an edge population to the connections, pair of parts by pair of parts."""
    source, target = ends
    sources = source.nodes.entries_of(edges.sources, edges.place.inside("source_node_id"))
    targets = target.nodes.entries_of(edges.targets, edges.place.inside("target_node_id"))
    for source_number, source_part in enumerate(source.parts):
        leaving = source.part_of[sources] == source_number
        for target_number, target_part in enumerate(target.parts):
            between = leaving & (target.part_of[targets] == target_number)
            if not between.any():
                continue
            if target_part.neurons is None:
                number = int(np.argmax(between))
                what = f"edge {number} leads to node {edges.targets[number]} of '{edges.target}', which is virtual"
                raise edges.place.inside("target_node_id").error(what, "virtual nodes only send spikes")
            for inhibitory, chosen in _receptors(target_part, between, weights):
                key = (source_part.name, target_part.name, inhibitory)
                each = found.setdefault(key, Synapses(source_part, target_part, inhibitory, edges.place))
                each.sources.append(source.within[sources[chosen]])
                each.targets.append(target.within[targets[chosen]])
                each.weights.append(weights[chosen])
                each.delays.append(delays[chosen])


def _receptors(
    target: Part, between: NDArray[np.bool_], weights: NDArray[np.floating]
) -> Iterator[tuple[bool, NDArray[np.int64]]]:
    """Which of the edges enter which synapse: NEST chooses by the sign of the weight."""
    if not target.two_synapses:
        yield False, np.flatnonzero(between)
        return
    for inhibitory in (False, True):
        chosen = np.flatnonzero(between & ((weights < 0) == inhibitory))
        if chosen.size:
            yield inhibitory, chosen


class _Values:
    """Weights and delays of an edge population."""

    def __init__(
        self,
        edges: Edges,
        ends: tuple[Population, Population],
        layout: Layout,
        components: Components,
        dt: float,
        notes: Notes,
    ) -> None:
        self.edges, self.ends, self.components, self.dt, self.notes = edges, ends, components, dt, notes
        self.simulator: Simulator = layout.simulator
        self.first = layout.first_time

    def read(self) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
        """Weights in the unit of the target's model (float32 where the file has nothing finer), delays in steps."""
        size = self.edges.sources.size
        weights, delays = np.zeros(size), np.zeros(size, np.int64)
        single = bool(self.edges.blocks)
        for block in self.edges.blocks:
            self.check(block)
            found = self.weights(block)
            single = single and found.dtype == np.float32
            weights[block.entries] = found
            delays[block.entries] = self.delays(block)
        return (weights.astype(np.float32) if single else weights), delays

    def check(self, block: Block) -> None:
        """Raise for synapses that are more than a weight and a delay."""
        place = block.row.place
        template, function = self.text(block, "model_template"), self.text(block, "weight_function")
        if template is not None and template not in _TEMPLATES[self.simulator]:
            hint = f"supported are none and {', '.join(_TEMPLATES[self.simulator])}"
            raise place.error(f"synapses '{template}' of {self.simulator} are not supported", hint)
        if function is not None and function not in _WEIGHT_FUNCTIONS:
            hint = f"supported are none and {', '.join(_WEIGHT_FUNCTIONS)}, which is syn_weight itself"
            raise place.error(f"weight_function '{function}' is not supported", hint)
        if block.dynamics:
            name = min(block.dynamics)
            raise block.place.inside(DYNAMICS).inside(name).error(f"a synapse parameter '{name}' is not supported")

    def text(self, block: Block, name: str) -> str | None:
        """A text that must be the same for a block."""
        column = block.columns.get(name)
        if column is None:
            return block.row.get(name)
        values = {str(value) for value in column.tolist()}
        if len(values) > 1:
            raise block.place.inside(name).error(f"'{name}' of each single edge is not supported", "make edge types")
        return next(iter(values))

    def number(self, block: Block, name: str) -> NDArray[np.floating] | None:
        """A number of each edge: the edge's own, else its type's; `None` when neither says."""
        column = block.columns.get(name)
        if column is not None:
            where = block.place.inside(name)
            if column.dtype.kind not in "iuf":
                raise where.error(f"numbers are expected here, not {column.dtype}")
            if not np.isfinite(column).all():
                raise where.error(f"{name} of edge {block.entries[int(np.argmin(np.isfinite(column)))]} is not finite")
            return column if column.dtype == np.float32 else column.astype(np.float64)
        value = block.row.number(name)
        return None if value is None else np.full(block.entries.size, float(value))

    def needed(self, block: Block, name: str) -> NDArray[np.floating]:
        """`number`, which must be there."""
        found = self.number(block, name)
        if found is None:
            hint = f"add a column '{name}' to {block.row.place.file}, or a dataset to {block.place}"
            raise block.row.place.error(f"edges of type {block.row.id} have no {name}", hint)
        return found

    def weights(self, block: Block) -> NDArray[np.floating]:
        """The weight of each edge, see above."""
        weights, count = self.needed(block, "syn_weight"), self.number(block, "nsyns")
        sign = self.sign(block) if count is not None or self.simulator == "nest" else None
        if count is None:
            return weights
        if (count < 0).any() or (count != np.rint(count)).any():
            raise block.place.inside("nsyns").error("nsyns is not a number of synapses")
        if self.simulator == "nest":
            if (count != 1).any():
                self.notes.add(block.place, "weights are syn_weight * nsyns; bmtk's PointNet leaves nsyns out")
            return weights.astype(np.float64) * count
        assert sign is not None
        return sign * weights.astype(np.float64) * count

    def sign(self, block: Block) -> NDArray[np.float64]:
        """+1 or -1 of each edge by its type's component file, else by whether its source is excitatory."""
        place, size = block.row.place, block.entries.size
        name = self.text(block, DYNAMICS)
        given = None
        if name is not None:
            file = parameters_of(self.components.find(name, SYNAPSES, self.simulator, place))
            known = {"sign"} if self.simulator == "nrn" else {"receptor_type"}
            for key, entry in file.items():
                if key not in known or (key == "receptor_type" and entry.value != 0):
                    raise entry.place.error(f"a synapse parameter {key} = {shown(entry.value)} is not supported")
            given = file.get("sign")
        if self.simulator == "nest":
            return np.ones(size)
        if given is not None:
            if given.number() not in (1, -1):
                raise given.place.error(f"sign = {given.number()} is neither 1 nor -1")
            return np.full(size, float(given.number()))
        return self.sign_by_source(block)

    def sign_by_source(self, block: Block) -> NDArray[np.float64]:
        """+1 or -1 of each edge by the column `ei` of its source."""
        nodes = self.ends[0].nodes
        sources = nodes.entries_of(self.edges.sources[block.entries], self.edges.place.inside("source_node_id"))
        kinds = nodes.texts("ei")[sources]
        excitatory = np.array([str(kind).lower().startswith("e") for kind in kinds])
        inhibitory = np.array([str(kind).lower().startswith("i") for kind in kinds])
        if not (excitatory | inhibitory).all():
            hint = 'name a file with { "sign": 1 } or { "sign": -1 } as dynamics_params'
            raise block.row.place.error(f"nothing says whether edges of type {block.row.id} excite or inhibit", hint)
        self.notes.add(block.row.place, f"edges of type {block.row.id} have the sign of their sources' column ei")
        return np.where(excitatory, 1.0, -1.0)

    def delays(self, block: Block) -> NDArray[np.int64]:
        """The delay of each edge in steps."""
        place = block.place.inside("delay") if "delay" in block.columns else block.row.place
        delays = steps_of(self.needed(block, "delay"), self.dt, "the delay", place)
        if delays.size and int(delays.min()) < self.first:
            raise place.error("a delay of 0 ms, but NEST's least delay is one step", "correct it")
        return delays
