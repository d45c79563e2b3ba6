"""Writing SONATA: a folder with configuration, nodes, edges, component files, and perhaps spikes.

What is written is what `snnir.frontend.sonata.reader` reads: populations of lif, cuba_lif and dual_lif neurons whose
semantics are those of `nrn:IntFire1`, `nest:iaf_psc_delta` or `nest:iaf_psc_exp`, and connections that are single
edges. Anything else is refused by name, nothing is approximated. Layout: SONATA Developer Guide 0.1; docs/sonata.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.places import place_of
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.export.directory import whole_directory
from snnir.export.sonata.edges import Edges, edges_of
from snnir.export.sonata.models import Written, written
from snnir.frontend.hdf5 import h5py
from snnir.frontend.notes import Notes
from snnir.frontend.sonata.times import milliseconds

MAGIC = 0x0A7A
_TYPE_LIMIT = 64
"""A population with more different neurons keeps their parameters in the HDF5 file, with fewer in one type each."""
_FIRST_TYPE = 100
_COMPONENTS = {"point_neuron_models_dir": "point_neuron_models", "synaptic_models_dir": "synaptic_models"}
_SYNAPSES: dict[str, dict[str, Any]] = {
    "nrn": {"level_of_detail": "instantaneous", "sign": 1},
    "nest": {},
}


def write(network: NetworkOp, path: Path, notes: Notes, spikes: Mapping[str, NDArray[Any]] | None = None) -> None:
    """Write a program as the SONATA folder `path`, whole or not at all.

    `spikes` are what its inputs receive, in the event form of `snnir.frontend.sonata.reader.Events` (one sample).
    Raises `SnnirError` naming the op that SONATA cannot state; `notes` get what is lost (shapes, names of outputs).
    """
    populations = {
        name: written(op, network.step_seconds, notes)
        for name, op in network.sources.items()
        if isinstance(op, NeuronOp)
    }
    simulators = {each.simulator: name for name, each in populations.items()}
    if len(simulators) > 1:
        names = [f"@{name} ({simulator})" for simulator, name in sorted(simulators.items())]
        what = f"{' and '.join(names)} are models of two simulators"
        raise SnnirError(place_of(network), what, "a SONATA model runs on one")
    simulator = next(iter(simulators), "nrn")
    for name, op in network.sources.items():
        _check_source(name, op, notes)
    edges = edges_of(network, notes)
    _check_delays(network, edges, simulator)
    _note_outputs(network, notes)
    silent = [
        name for name, op in network.sources.items() if isinstance(op, InputOp) and f"{name}.step" not in (spikes or {})
    ]
    if silent:
        notes.add(place_of(network), f"no spikes are written for {', '.join(silent)}: none are part of the program")
    with whole_directory(path) as folder:
        _Folder(folder, network, simulator).write(populations, edges, spikes or {})


def _check_source(name: str, op: InputOp | NeuronOp, notes: Notes) -> None:
    type_: Any = op.results[0].type
    if isinstance(op, InputOp) and not type_.is_spike:
        raise SnnirError(place_of(op), f"SONATA cannot state @{name}: virtual nodes send spikes, not currents")
    if len(type_.shape.data) > 1:
        shape = "x".join(map(str, type_.shape.data))
        notes.add(place_of(op), f"the shape {shape} of @{name} is lost: SONATA's nodes are numbered in one row")


def _check_delays(network: NetworkOp, edges: Mapping[tuple[str, str], Edges], simulator: str) -> None:
    for (source, target), each in edges.items():
        if simulator == "nest" and each.delays.size and int(each.delays.min()) < 1:
            what = f"@{source} -> @{target} has a delay of 0 steps, NEST's least delay is 1"
            raise SnnirError(place_of(network.sources[target]), what, "give it a delay of 1 or more")


def _note_outputs(network: NetworkOp, notes: Notes) -> None:
    """Say which outputs are lost: SONATA records the spikes of all populations, under their own names."""
    for name, op in network.outputs.items():
        owner = op.signal.owner
        if not isinstance(owner, NeuronOp):
            notes.add(
                place_of(op), f"output '{name}' is not written: SONATA records what populations fire, nothing else"
            )
        elif name != f"{owner.sym_name.data}_spikes":
            what = f"output '{name}' will be '{owner.sym_name.data}_spikes': SONATA records populations by their names"
            notes.add(place_of(op), what)


class _Folder:
    """The files of a model."""

    def __init__(self, folder: Path, network: NetworkOp, simulator: str) -> None:
        self.folder, self.network, self.simulator = folder, network, simulator
        self.dt: Decimal = milliseconds(network.step_seconds)
        self.components = folder / "components"

    def write(
        self,
        populations: Mapping[str, Written],
        edges: Mapping[tuple[str, str], Edges],
        spikes: Mapping[str, NDArray[Any]],
    ) -> None:
        """All of them."""
        for folder in ("network", "inputs", *(f"components/{name}" for name in _COMPONENTS.values())):
            (self.folder / folder).mkdir(parents=True)
        for name, op in self.network.sources.items():
            if name in populations:
                self.neurons(name, op.size, populations[name])
            else:
                self.virtual(name, op.size)
        for (source, target), each in edges.items():
            self.edges(source, target, each)
        inputs = [name for name, op in self.network.sources.items() if isinstance(op, InputOp)]
        driven = [name for name in inputs if f"{name}.step" in spikes]
        for name in driven:
            self.spikes(name, spikes)
        self.configuration(list(self.network.sources), list(edges), driven)

    def configuration(self, nodes: Sequence[str], edges: Sequence[tuple[str, str]], driven: Sequence[str]) -> None:
        """The three configuration files."""
        circuit = {
            "manifest": {"$NETWORK_DIR": "./network", "$COMPONENT_DIR": "./components"},
            "components": {key: f"$COMPONENT_DIR/{name}" for key, name in _COMPONENTS.items()},
            "networks": {
                "nodes": [self.table("nodes", name) for name in nodes],
                "edges": [self.table("edges", f"{source}_{target}") for source, target in edges],
            },
        }
        run: dict[str, Any] = {"dt": self.dt}
        if self.network.steps is not None:
            run["tstop"] = self.dt * self.network.steps.data
        simulation = {
            "manifest": {"$INPUT_DIR": "./inputs", "$OUTPUT_DIR": "./output"},
            "target_simulator": {"nrn": "NEURON", "nest": "NEST"}[self.simulator],
            "network": "./circuit_config.json",
            "run": run,
            "inputs": {
                f"{name}_spikes": {
                    "input_type": "spikes",
                    "module": "h5",
                    "input_file": f"$INPUT_DIR/{name}_spikes.h5",
                    "node_set": name,
                }
                for name in driven
            },
            "output": {"output_dir": "$OUTPUT_DIR", "spikes_file": "spikes.h5", "spikes_sort_order": "time"},
        }
        self.text("config.json", json_text({"simulation": "./simulation_config.json"}))
        self.text("circuit_config.json", json_text(circuit))
        self.text("simulation_config.json", json_text(simulation))

    def table(self, kind: str, name: str) -> dict[str, str]:
        """An entry of `networks`."""
        return {
            f"{kind}_file": f"$NETWORK_DIR/{name}_{kind}.h5",
            f"{kind[:-1]}_types_file": f"$NETWORK_DIR/{name}_{kind[:-1]}_types.csv",
        }

    def text(self, name: str, text: str) -> None:
        """A text file."""
        (self.folder / name).write_text(text, encoding="utf-8", newline="\n")

    def virtual(self, name: str, size: int) -> None:
        """An input as virtual nodes."""
        self.text(f"network/{name}_node_types.csv", f"node_type_id model_type\n{_FIRST_TYPE} virtual\n")
        self.nodes(name, np.full(size, _FIRST_TYPE), {})

    def neurons(self, name: str, size: int, each: Written) -> None:
        """A population as point neurons: one type for each set of parameters, or the parameters of each in HDF5."""
        rows = list(zip(*each.parameters.values(), strict=True))
        distinct = {row: number for number, row in enumerate(dict.fromkeys(rows))}
        if len(distinct) > _TYPE_LIMIT:
            values = {key: np.array([float(v) for v in column]) for key, column in each.parameters.items()}
            types = [f"{_FIRST_TYPE} point_neuron {each.template} NULL"]
            self.nodes(name, np.full(size, _FIRST_TYPE), values)
        else:
            types: list[str] = []
            for row, number in distinct.items():
                file = f"{name}_{number}.json"
                parameters = dict(zip(each.parameters, row, strict=True))
                self.text(f"components/{_COMPONENTS['point_neuron_models_dir']}/{file}", json_text(parameters))
                types.append(f"{_FIRST_TYPE + number} point_neuron {each.template} {file}")
            self.nodes(name, np.array([_FIRST_TYPE + distinct[row] for row in rows]), {})
        header = "node_type_id model_type model_template dynamics_params"
        self.text(f"network/{name}_node_types.csv", "\n".join([header, *types, ""]))

    def nodes(self, name: str, types: NDArray[np.int64], parameters: Mapping[str, NDArray[np.float64]]) -> None:
        """The HDF5 file of a node population."""
        with created(self.folder / "network" / f"{name}_nodes.h5") as file:
            group = file.create_group(f"nodes/{name}")
            group["node_id"] = np.arange(types.size, dtype=np.uint64)
            group["node_type_id"] = types.astype(np.uint32)
            group["node_group_id"] = np.zeros(types.size, np.uint32)
            group["node_group_index"] = np.arange(types.size, dtype=np.uint64)
            inner = group.create_group("0")
            for key, values in parameters.items():
                inner[f"dynamics_params/{key}"] = values

    def edges(self, source: str, target: str, each: Edges) -> None:
        """The two files of an edge population. One delay of all edges is in their type, else each edge has its own."""
        name = f"{source}_{target}"
        uniform = each.delays.size > 0 and bool((each.delays == each.delays[0]).all())
        component = f"{name}.json"
        template = "static_synapse" if self.simulator == "nest" else "NULL"
        columns = {"edge_type_id": str(_FIRST_TYPE), "model_template": template, "dynamics_params": component}
        if uniform:
            columns["delay"] = format(self.dt * int(each.delays[0]), "f")
        self.text(f"network/{name}_edge_types.csv", f"{' '.join(columns)}\n{' '.join(columns.values())}\n")
        folder = f"components/{_COMPONENTS['synaptic_models_dir']}"
        self.text(f"{folder}/{component}", json_text(_SYNAPSES[self.simulator]))
        sizes = [self.network.sources[end].size for end in (source, target)]
        with created(self.folder / "network" / f"{name}_edges.h5") as file:
            group = file.create_group(f"edges/{source}_to_{target}")
            ends = (("source", source, each.sources), ("target", target, each.targets))
            for kind, population, nodes in ends:
                dataset = group.create_dataset(f"{kind}_node_id", data=nodes.astype(np.uint64))
                dataset.attrs["node_population"] = population
            group["edge_type_id"] = np.full(each.weights.size, _FIRST_TYPE, np.uint32)
            group["edge_group_id"] = np.zeros(each.weights.size, np.uint16)
            group["edge_group_index"] = np.arange(each.weights.size, dtype=np.uint64)
            inner = group.create_group("0")
            inner["syn_weight"] = each.weights
            if not uniform:
                inner["delay"] = np.array([float(self.dt * delay) for delay in each.delays.tolist()])
            indices = group.create_group("indices")
            _index(indices.create_group("source_to_target"), each.sources, sizes[0])
            _index(indices.create_group("target_to_source"), each.targets, sizes[1])

    def spikes(self, name: str, events: Mapping[str, NDArray[Any]]) -> None:
        """What an input receives; a step is written as the time at which the simulator has it."""
        first = 1 if self.simulator == "nest" else 0
        if events[f"{name}.sample"].any():
            raise SnnirError(f"spikes of '{name}'", "there is more than one sample", "a simulation has one")
        steps = events[f"{name}.step"].tolist()
        with created(self.folder / "inputs" / f"{name}_spikes.h5") as file:
            group = file.create_group(f"spikes/{name}")
            group["node_ids"] = events[f"{name}.index"].astype(np.uint64)
            times = [float(self.dt * (step + first)) for step in steps]
            dataset = group.create_dataset("timestamps", data=np.array(times, np.float64))
            dataset.attrs["units"] = "ms"


def created(path: Path) -> Any:
    """A new SONATA HDF5 file, open."""
    file = h5py.File(path, "w")
    file.attrs["magic"] = np.uint32(MAGIC)
    file.attrs["version"] = np.array([0, 1], np.uint32)
    return file


def _index(group: Any, nodes: NDArray[np.int64], size: int) -> None:
    """The index of edges by one of their ends: runs of edges of one node, and for each node its runs.

    The guide calls a dataset `node_id_to_ranges`, bmtk and the published examples `node_id_to_range`: both are there.
    """
    starts = np.flatnonzero(np.diff(nodes, prepend=-1))
    ends = np.append(starts[1:], nodes.size)
    order = np.argsort(nodes[starts], kind="stable")
    owners = nodes[starts][order]
    first, last = np.searchsorted(owners, np.arange(size)), np.searchsorted(owners, np.arange(size), "right")
    ranges = np.stack([first, last], axis=1)
    ranges[first == last] = 0
    group["node_id_to_ranges"] = ranges.astype(np.uint64)
    group["node_id_to_range"] = group["node_id_to_ranges"]
    group["range_to_edge_id"] = np.stack([starts[order], ends[order]], axis=1).astype(np.uint64)


def json_text(value: Any, indent: str = "") -> str:
    """JSON text with decimal numbers as they are."""
    inner = f"{indent}  "
    if isinstance(value, Mapping):
        items: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        lines = [f'{inner}"{key}": {json_text(item, inner)}' for key, item in items.items()]
        text = "{" + ("\n" + ",\n".join(lines) + f"\n{indent}" if lines else "") + "}"
    elif isinstance(value, list):
        elements: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        lines = [f"{inner}{json_text(item, inner)}" for item in elements]
        text = "[" + ("\n" + ",\n".join(lines) + f"\n{indent}" if lines else "") + "]"
    elif isinstance(value, str):
        text = f'"{value}"'
    else:
        text = str(value)
    return text if indent else f"{text}\n"
