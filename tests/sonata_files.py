"""Small SONATA models for tests: written by hand with h5py, or random networks that SONATA's neurons can compute."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.snn import NetworkOp, networks
from snnir.frontend.build import build
from snnir.frontend.hdf5 import Place
from snnir.frontend.network import (
    Delay,
    Dense,
    Input,
    Network,
    OneToOne,
    Output,
    Population,
    Reference,
    Slice,
    Sparse,
    Transform,
    Value,
)
from snnir.indices import Indices
from snnir.semantics import Semantics, preset
from snnir.sim import simulate
from snnir.sim.entry import network_of

h5py: Any = import_module("h5py")
HERE = Place("here")
INT_FIRE = Semantics(decay="exp", pulse="dirac")


@dataclass
class Model:
    """A model: virtual nodes `pre` (2) and IntFire1 nodes `post` (3) with five edges. Change it, then write it."""

    folder: Path
    circuit: dict[str, Any] = field(default_factory=dict[str, Any])
    simulation: dict[str, Any] = field(default_factory=dict[str, Any])
    csv: dict[str, str] = field(default_factory=dict[str, str])
    h5: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    json: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        nodes = [
            {"nodes_file": f"$NET/{name}_nodes.h5", "node_types_file": f"$NET/{name}_types.csv"}
            for name in ("pre", "post")
        ]
        self.circuit = {
            "manifest": {"$BASE": "${configdir}", "$NET": "${BASE}/net"},
            "components": {
                "point_neuron_models_dir": "$BASE/neurons",
                "synaptic_models_dir": "$BASE/synapses",
            },
            "networks": {
                "nodes": nodes,
                "edges": [{"edges_file": "$NET/edges.h5", "edge_types_file": "$NET/edge_types.csv"}],
            },
        }
        self.simulation = {
            "network": "./circuit_config.json",
            "run": {"tstop": 20.0, "dt": 0.1},
            "inputs": {"drive": {"input_type": "spikes", "module": "h5", "input_file": "spikes.h5", "node_set": "pre"}},
            "output": {"output_dir": "./output"},
        }
        self.csv = {
            "net/pre_types.csv": "node_type_id model_type ei\n5 virtual e\n",
            "net/post_types.csv": "node_type_id model_type model_template dynamics_params ei\n"
            "7 point_neuron nrn:IntFire1 cell.json i\n",
            "net/edge_types.csv": "edge_type_id delay syn_weight dynamics_params\n"
            "1 2.0 0.25 exc.json\n2 1.5 0.5 inh.json\n",
        }
        self.json = {
            "neurons/cell.json": {"tau": 0.01, "refrac": 0.002, "type": "NEURON_IntFire1"},
            "synapses/exc.json": {"level_of_detail": "instantaneous", "sign": 1},
            "synapses/inh.json": {"level_of_detail": "instantaneous", "sign": -1},
        }
        self.h5 = {
            "net/pre_nodes.h5": nodes_of("pre", [5, 5]),
            "net/post_nodes.h5": nodes_of("post", [7, 7, 7]),
            "net/edges.h5": edges_of("e", ("pre", "post"), [0, 1, 1, 0, 1], [0, 0, 1, 2, 2], [1, 1, 2, 1, 1])
            | {"edges/e/0/nsyns": np.array([1, 2, 3, 4, 9], np.uint16)},
            "spikes.h5": {
                "spikes/pre/node_ids": np.array([0, 1, 1], np.uint64),
                "spikes/pre/timestamps": np.array([1.0, 3.0, 0.5]),
            },
        }

    def write(self) -> Path:
        """All files; returns the folder."""
        for name, text in self.csv.items():
            self.path(name).write_text(text)
        for name, content in self.json.items():
            self.path(name).write_text(json.dumps(content))
        for name, datasets in self.h5.items():
            write_h5(self.path(name), datasets)
        self.path("circuit_config.json").write_text(json.dumps(self.circuit))
        self.path("simulation_config.json").write_text(json.dumps(self.simulation))
        return self.folder

    def path(self, name: str) -> Path:
        """The path of a file, its folder made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def write_h5(path: Path, datasets: Mapping[str, Any]) -> None:
    """Datasets by their paths; `path::name` are attributes."""
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            where, _, attribute = name.partition("::")
            if attribute:
                file[where].attrs[attribute] = value
            else:
                file[where] = value


def nodes_of(name: str, types: Sequence[int]) -> dict[str, Any]:
    """The datasets of a node population."""
    size = len(types)
    return {
        f"nodes/{name}/node_type_id": np.array(types, np.uint32),
        f"nodes/{name}/node_id": np.arange(size, dtype=np.uint64),
        f"nodes/{name}/node_group_id": np.zeros(size, np.uint32),
        f"nodes/{name}/node_group_index": np.arange(size, dtype=np.uint64),
    }


def edges_of(
    name: str, ends: tuple[str, str], sources: Sequence[int], targets: Sequence[int], types: Sequence[int]
) -> dict[str, Any]:
    """The datasets of an edge population."""
    size = len(sources)
    return {
        f"edges/{name}/source_node_id": np.array(sources, np.uint64),
        f"edges/{name}/source_node_id::node_population": ends[0],
        f"edges/{name}/target_node_id": np.array(targets, np.uint64),
        f"edges/{name}/target_node_id::node_population": ends[1],
        f"edges/{name}/edge_type_id": np.array(types, np.uint32),
        f"edges/{name}/edge_group_id": np.zeros(size, np.uint16),
        f"edges/{name}/edge_group_index": np.arange(size, dtype=np.uint64),
    }


# Random networks


def value(data: Any) -> Value:
    """A value from nowhere."""
    return Value(data, HERE)


def reference(name: str) -> Reference:
    """A name that is used nowhere in a file."""
    return Reference(name, HERE)


def network_in(declared: Network) -> NetworkOp:
    """The program of declarations."""
    return next(networks(build(declared)))


def nest_network(kind: str, seed: int, steps: int = 2000, dt: float = 1e-4) -> tuple[NetworkOp, dict[str, Any]]:
    """Twenty recurrent neurons of NEST's (`delta`, `cuba`, `dual`) behind eight inputs, and spikes in event form."""
    random = np.random.default_rng(seed)
    size, lines = 20, 8

    def synapses(name: str, source: str, sources: int, count: int, low: float, high: float, longest: int) -> Transform:
        op = Sparse(
            value(random.uniform(low, high, count)),
            value(random.integers(0, sources, count)),
            value(random.integers(0, size, count)),
            value(random.integers(1, longest, count)),
        )
        return Transform(name, (reference(source),), op, HERE, (size,))

    refractory = int(random.integers(0, 30))
    tau = np.round(random.uniform(8, 20, size), 1) / 1e3
    voltages = {"v_leak": value(np.round(random.uniform(0, 10, size), 3)), "threshold": value(15.0)}
    voltages["v_reset"] = value(-1.5)
    resistance = value(np.round(tau * 1e3, 1) / np.round(random.uniform(100, 300, size), 0))
    low, high, model = 200.0, 1500.0, "cuba_lif"
    if kind == "delta":
        low, high, model = 1.0, 8.0, "lif"
        parameters = {"tau": value(tau), "r": value(tau), **voltages}
    elif kind == "cuba":
        parameters = {"tau_syn": value(2e-3), "tau_mem": value(tau), "r": resistance, **voltages, "w_in": value(2e-3)}
    else:
        model = "dual_lif"
        synapse = {name: value(2e-3 if "exc" in name else 5e-3) for name in ("tau_exc", "tau_inh", "w_exc", "w_inh")}
        parameters = {**synapse, "tau_mem": value(tau), "r": resistance, **voltages}
    transforms = [
        synapses("in", "a", lines, 60, low, high, 20),
        synapses("rec", "p", size, 40, low, high, 30),
        synapses("inh", "p", size, 40, -high, -low, 30),
    ]
    semantics = replace(preset("nest", model), refractory=refractory)
    read = tuple(reference(each.name) for each in transforms)
    second = (read[2],) if model == "dual_lif" else ()
    population = Population("p", (size,), model, parameters, semantics, HERE, read[: len(read) - len(second)], second)
    ends = ([Input("a", (lines,), HERE)], transforms, [population], [Output("o", (reference("p"),), HERE)])
    count = int(steps * lines * 0.01)
    pairs = sorted(
        set(zip(random.choice(steps - 1, count).tolist(), random.integers(0, lines, count).tolist(), strict=True))
    )
    return network_in(Network("t", dt, HERE, steps, HERE, *ends, HERE)), events("a", pairs, steps)


def events(name: str, pairs: Sequence[tuple[int, int]], steps: int) -> dict[str, NDArray[np.int64]]:
    """Spikes (step, neuron) of one sample in event form."""
    table = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return {
        f"{name}.sample": np.zeros(len(table), np.int64),
        f"{name}.step": table[:, 0],
        f"{name}.index": table[:, 1],
        f"{name}.shape": np.array([1, steps], np.int64),
    }


def run(network: NetworkOp, spikes: Mapping[str, NDArray[Any]]) -> dict[str, list[tuple[int, int]]]:
    """The spikes (step, neuron) of each population for one sample in event form."""
    inputs: dict[str, NDArray[Any]] = {}
    arrays = network_of(network)
    steps = int(next(value for name, value in spikes.items() if name.endswith(".shape"))[1])
    populations = [name for name, op in network.sources.items() if name not in arrays.inputs and op]
    for name in arrays.inputs:
        size = network.sources[name].size
        flat = spikes[f"{name}.step"] * size + spikes[f"{name}.index"]
        inputs[name] = np.bincount(flat, minlength=steps * size).astype(np.uint8).reshape(1, steps, size)
    signals = simulate(arrays, inputs)
    return {name: [(int(s), int(n)) for s, n in np.argwhere(signals[name][0])] for name in populations}


def parameters_of(network: NetworkOp) -> list[tuple[str, str, dict[str, Any]]]:
    """Everything that a program states but its own name, the names of its outputs and keys of tensors."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for op in network.body.block.ops:
        if op.name == "snn.output":
            continue
        properties = {name: _plain(attribute) for name, attribute in op.properties.items()}
        name = str(properties.get("sym_name", op.results[0].name_hint))
        found.append((op.name, name, properties))
    return sorted(found, key=lambda each: each[:2])


def _plain(attribute: Any) -> Any:
    array = getattr(attribute, "array", None)
    return str(attribute) if array is None else (str(array.dtype), array.tolist())


def small_network(
    model: str, parameters: Mapping[str, Any], semantics: Semantics, op: Any, *, shape: tuple[int, ...] = (3,)
) -> NetworkOp:
    """Two inputs, one projection, three neurons."""
    population = Population(
        "p", shape, model, {k: value(v) for k, v in parameters.items()}, semantics, HERE, (reference("t"),)
    )
    transform = Transform("t", (reference("x"),), op, HERE, shape)
    output = Output("o", (reference("p"),), HERE)
    return network_in(
        Network("n", 1e-3, HERE, 20, HERE, [Input("x", (2,), HERE)], [transform], [population], [output], HERE)
    )


__all__ = [
    "HERE",
    "INT_FIRE",
    "Delay",
    "Dense",
    "Indices",
    "Model",
    "OneToOne",
    "Slice",
    "Sparse",
    "edges_of",
    "events",
    "nest_network",
    "network_in",
    "nodes_of",
    "parameters_of",
    "reference",
    "run",
    "small_network",
    "value",
    "write_h5",
]
