"""Builds small configurations by hand: rows and slices are said, channels and flows follow from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from snnir.machine import Configuration, load

Document = dict[str, Any]

# Round numbers, each recognisable in a sum.
TIMES = {
    "unit": "ns",
    "read": 100,
    "event": 1,
    "convert": 10,
    "columns_per_adc": 2,
    "add": 3,
    "update": 5,
    "spike": 2,
    "flit": 4,
    "hop_x": 7,
    "hop_y": 9,
}
IF_NEURON = {
    "model": "if",
    "order": "syn_first",
    "compare": "ge",
    "reset": "value",
    "decay": 1.0,
    "gain": 1.0,
    "drift": 0.0,
    "threshold": 1.0,
    "v_reset": 0.0,
}


def ranges(indices: Sequence[int]) -> list[list[int]]:
    """Index ranges as the format writes them: consecutive indices together, others one by one."""
    found: list[list[int]] = []
    for index in indices:
        if found and found[-1][1] == index:
            found[-1][1] += 1
        else:
            found.append([index, index + 1, 1])
    return found


@dataclass
class Builder:
    """A configuration in the making; `document` and `tensors` give what `write` puts into files."""

    mesh: tuple[int, int] = (2, 1)
    host: tuple[int, int] = (0, 0)
    version: int = 1
    arity: int | None = None
    chip: tuple[int, int] | None = None
    multicast: bool = False
    """Whether a producer has one flow to all destinations, or one to each."""
    per_tile: int = 4
    rows: int = 8
    columns: int = 8
    weight_bits: int | None = 8
    time: Mapping[str, Any] = field(default_factory=lambda: dict(TIMES))
    steps: int | None = None
    capacities: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Capacity beyond the delay, by (from, to); 2 where nothing is said."""
    flow_order: Sequence[tuple[str, Any]] = ()
    guarantee: Mapping[str, Any] | None = None
    inputs: list[Document] = field(default_factory=list[Document])
    populations: list[Document] = field(default_factory=list[Document])
    outputs: list[Document] = field(default_factory=list[Document])
    crossbars: list[Document] = field(default_factory=list[Document])
    tensors: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict[str, "np.ndarray[Any, Any]"])

    def input(self, name: str, size: int) -> None:
        self.inputs.append({"name": name, "size": size})

    def population(self, name: str, size: int, output: str = "") -> None:
        self.populations.append({"name": name, "size": size})
        if output:
            self.outputs.append({"name": output, "population": name})

    def crossbar(
        self, name: str, tile: tuple[int, int], index: int = 0, rows: Sequence[tuple[str, Sequence[int], int]] = ()
    ) -> None:
        """A crossbar whose rows are driven by (source, neurons, delay) groups."""
        groups = [{"source": s, "neurons": ranges(n), "delay": delay} for s, n, delay in rows]
        key = f"{name}.cells"
        integers = {8: np.int8, 16: np.int16}.get(self.weight_bits or 0, np.int32)
        kind = np.float32 if self.weight_bits is None else integers
        self.tensors[key] = np.zeros((self.rows, self.columns), kind)
        self.crossbars.append(
            {"name": name, "tile": list(tile), "index": index, "cells": key, "rows": groups, "slices": [], "order": []}
        )

    def slice(
        self,
        name: str,
        population: str,
        neurons: Sequence[int],
        weights: Any,
        rows: Sequence[int] | None = None,
        partials: Sequence[str] = (),
        scale: float | str = 1.0,
        bias: float | str = 0.0,
        neuron: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """A slice on the last crossbar, in the next free columns; `weights` are (rows, neurons), `rows` all rows.

        `changes` are neuron fields that differ from an integrate-and-fire neuron; with `neuron={}` it is a partial.
        """
        crossbar = self.crossbars[-1]
        start = max((part["columns"][1] for part in crossbar["slices"]), default=0)
        driven = sum(stop - first for group in crossbar["rows"] for first, stop, _ in group["neurons"])
        used = list(range(driven)) if rows is None else list(rows)
        stop = start + len(neurons)
        if used:
            block = self.tensors[crossbar["cells"]][:, start:stop]
            block[used] = np.asarray(weights).reshape(len(used), len(neurons))
        part: Document = {
            "name": name,
            "kind": "neurons",
            "population": population,
            "neurons": ranges(neurons),
            "columns": [start, stop],
            "rows": ranges(used),
            "partials": list(partials),
        }
        if neuron == {}:
            part["kind"] = "partial"
        else:
            part |= {"scale": scale, "bias": bias, "neuron": {**IF_NEURON, **(neuron or {}), **changes}}
        crossbar["slices"].append(part)
        crossbar["order"].append(name)

    def links(self) -> list[tuple[str, str, int]]:
        """(from, to, delay) of all channels, least delay only, in the order of first use."""
        found: dict[tuple[str, str], int] = {}
        neurons = [part for crossbar in self.crossbars for part in crossbar["slices"] if part["kind"] == "neurons"]
        for crossbar in self.crossbars:
            table = [
                (group["source"], neuron, group["delay"])
                for group in crossbar["rows"]
                for neuron in expand(group["neurons"])
            ]
            for part in crossbar["slices"]:
                for name in part["partials"]:
                    found[name, part["name"]] = 0
                for row in expand(part["rows"]):
                    source, neuron, delay = table[row]
                    owners = [
                        p["name"] for p in neurons if p["population"] == source and neuron in expand(p["neurons"])
                    ]
                    pair = (owners[0] if owners else source, part["name"])
                    found[pair] = min(delay, found.get(pair, delay))
        for output in self.outputs:
            for part in neurons:
                if part["population"] == output["population"]:
                    found[part["name"], output["name"]] = 0
        return [(source, target, delay) for (source, target), delay in found.items()]

    def document(self) -> Document:
        """What `config.json` says, without the digest of the tensors."""
        channels = [
            {"from": s, "to": t, "delay": d, "capacity": d + self.capacities.get((s, t), 2)} for s, t, d in self.links()
        ]
        added: Document = {} if self.version == 1 else {"arity": self.arity, "chip": self.chip and list(self.chip)}
        between = {} if self.version == 1 else {"chip_flit": None, "chip_hop": None}
        return {
            "format": "snnir-configuration",
            "version": self.version,
            "name": "tiny",
            "dt": 0.001,
            "steps": self.steps,
            "tensors": {"file": "cells.safetensors", "digest": ""},
            "machine": {
                "name": "bench",
                "mesh": list(self.mesh),
                "crossbars_per_tile": self.per_tile,
                "host": list(self.host),
                "rows": self.rows,
                "columns": self.columns,
                "weight_bits": self.weight_bits,
                "arbitration": "round-robin",
                "time": {**between, **self.time},
                **added,
            },
            "inputs": self.inputs,
            "populations": self.populations,
            "outputs": self.outputs,
            "crossbars": self.crossbars,
            "channels": channels,
            "flows": self.flows(channels),
            "guarantee": None if self.guarantee is None else dict(self.guarantee),
        }

    def flows(self, channels: Sequence[Document]) -> list[Document]:
        """One flow per producer (and destination), in `flow_order` first, then in the order of the channels."""
        tiles: dict[str, tuple[int, ...]] = {
            part["name"]: tuple(c["tile"]) for c in self.crossbars for part in c["slices"]
        }
        found: dict[tuple[str, Any], list[list[int]]] = {key: [] for key in self.flow_order}
        for channel in channels:
            start, to = tiles.get(channel["from"]), tiles.get(channel["to"], "host")
            if start != to:
                ends = (tiles.get(channel[end], self.host) for end in ("from", "to"))
                found[channel["from"], to] = way(*ends) if self.arity is None else up_and_down(self.arity, *ends)
        single = [{"from": s, "to": t if t == "host" else list(t), "path": path} for (s, t), path in found.items()]
        return single if self.version == 1 else joined(single, self.multicast)

    def load(self, directory: Path) -> Configuration:
        write(directory, self.document(), self.tensors)
        return load(directory)


def joined(flows: Sequence[Document], multicast: bool) -> list[Document]:
    """The flows as version 2 of the format has them; with `multicast` those of one producer as one."""
    found: dict[tuple[str, int], Document] = {}
    for number, flow in enumerate(flows):
        key = (flow["from"], 0 if multicast else number)
        whole = found.setdefault(key, {"from": flow["from"], "to": [], "branches": []})
        reached = [router for branch in whole["branches"] for router in branch]
        start = max((n for n, router in enumerate(flow["path"]) if router in reached), default=0)
        whole["to"].append(flow["to"])
        whole["branches"].append(flow["path"][start:])
    return list(found.values())


def up_and_down(arity: int, start: Sequence[int], end: Sequence[int]) -> list[list[int]]:
    """Routers of a tree from leaf to leaf."""
    level = 0
    while start[0] // arity**level != end[0] // arity**level:
        level += 1
    up = [[start[0] // arity**n, n] for n in range(level + 1)]
    return up + [[end[0] // arity**n, n] for n in reversed(range(level))]


def expand(triples: Sequence[Sequence[int]]) -> list[int]:
    return [index for triple in triples for index in range(*triple)]


def way(start: Sequence[int], end: Sequence[int]) -> list[list[int]]:
    """Routers from start to end, in x first."""
    (x, y), (u, v) = start, end
    across = [[i, y] for i in (range(x, u + 1) if u >= x else range(x, u - 1, -1))]
    along = [[u, j] for j in (range(y, v + 1) if v >= y else range(y, v - 1, -1))]
    return across + along[1:]


def write(directory: Path, document: Document, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write both files, with the digest filled in."""
    directory.mkdir(parents=True, exist_ok=True)
    data = save(dict(tensors))
    (directory / "cells.safetensors").write_bytes(data)
    entry = {"digest": blake2b(data, digest_size=16).hexdigest(), **{k: v for k, v in document["tensors"].items() if v}}
    (directory / "config.json").write_text(json.dumps({**document, "tensors": entry}, indent=1))


def chain() -> Builder:
    """Input `in` (3) -> population `a` (2) on tile (0, 0) -> population `b` (1) on tile (1, 0) -> output `o`."""
    builder = Builder()
    builder.input("in", 3)
    builder.population("a", 2)
    builder.population("b", 1, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", range(3), 0)])
    builder.slice("sa", "a", range(2), [[1, 0], [0, 2], [1, 1]], threshold=2.0)
    builder.crossbar("c1", (1, 0), rows=[("a", range(2), 0)])
    builder.slice("sb", "b", [0], [[1], [-1]])
    return builder
