"""Random programs, machines and inputs, and the shortest way through the pipeline, for tests of many parts.

The programs here are those that crossbars can hold; `general_networks` makes all others.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from general_networks import general_program, random_signals
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass, PassPipeline

from snnir import machine
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.machine_neurons import SPIKING_MODELS
from snnir.dialects.platform import ATTRIBUTE, Buffers, Crossbar, Link, Machine, MachineAttr, Tiles, Time
from snnir.dialects.snn import (
    NEURON_OPS,
    DenseOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    WeightedOp,
    networks,
)
from snnir.emit import emit
from snnir.indices import Indices
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.bound_transport import DataflowBoundTransport
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.semantics import Semantics
from snnir.sim import Network
from snnir.sim.entry import network_of

__all__ = ["general_program", "random_signals"]  # made elsewhere, offered here too

Weights = Literal["grid", "float"]
"""`grid`: integers of 8 bits times a power of two per neuron; `float`: any float32."""

DT = 1e-3
DELAYS = 6
ON_MACHINES: dict[str, tuple[str, ...]] = {
    "decay": ("euler", "exp", "exact"),
    "pulse": ("box", "box", "euler", "dirac"),
    "order": ("syn_first", "mem_first"),
    "compare": ("gt", "ge"),
    "reset": ("value", "subtract"),
}
"""Semantics that machines can do."""


class NetworkMaker:
    """A random program: one or two inputs, one to three populations, each with two or three projections."""

    def __init__(self, rng: np.random.Generator, *, recurrent: bool, weights: Weights = "grid", most: int = 20) -> None:
        self._rng, self._recurrent, self._weights, self._most = rng, recurrent, weights, most
        self._sources: list[InputOp | NeuronOp] = []

    def module(self) -> ModuleOp:
        """The program, in a module without a machine."""
        rng = self._rng
        network = NetworkOp("random", DT, None)
        self._sources += [InputOp(f"x{n}", SignalType.spikes(self._size())) for n in range(rng.integers(1, 3))]
        projections: list[WeightedOp | SliceOp] = []
        for number in range(rng.integers(1, 4)):
            population = self._population(f"p{number}")
            read = {int(i): int(rng.integers(0, DELAYS)) for i in rng.permutation(len(self._sources))[:2]}
            self._sources.append(population)
            if self._recurrent:
                read |= {int(rng.integers(0, len(self._sources))): int(rng.integers(1, DELAYS))}
            own = [self._projection(self._sources[i], population, delay) for i, delay in read.items()]
            population.operands = [ops[-1].results[0] for ops in own]
            projections += [op for ops in own for op in ops]
        outputs = [OutputOp(f"y{n}", s.results[0]) for n, s in enumerate(self._sources) if isinstance(s, NeuronOp)]
        network.body.block.add_ops([*self._sources, *projections, *outputs])
        module = ModuleOp([network])
        module.verify()
        return module

    def _size(self) -> int:
        return int(self._rng.integers(1, self._most + 1))

    def _population(self, name: str) -> NeuronOp:
        rng = self._rng
        size, model = self._size(), str(rng.choice(list(SPIKING_MODELS)))
        threshold = rng.uniform(0.3, 1.0, size) if rng.random() < 0.3 else rng.uniform(0.3, 1.0)
        values: dict[str, Any] = {"r": rng.uniform(1, 5), "threshold": threshold, "v_reset": rng.uniform(-0.2, 0.1)}
        if model == "lif":
            values |= {"tau": rng.uniform(1e-3, 8e-3, size), "v_leak": rng.uniform(0, 0.1)}
        elif model == "cuba_lif":
            values |= {"tau_syn": rng.uniform(1e-3, 4e-3), "tau_mem": rng.uniform(1e-3, 8e-3, size)}
            values |= {"v_leak": 0.0, "w_in": rng.uniform(1, 3)}
        fields = {key: str(rng.choice(options)) for key, options in ON_MACHINES.items()}
        fields["start"] = "half" if size % 2 else "zero"
        semantics = Semantics(**fields)  # pyright: ignore[reportArgumentType]
        entry = {"lif": "r", "cuba_lif": "w_in"}.get(model)
        if entry is not None and semantics.pulse == "dirac":
            values[entry] = values[entry] * DT
        parameters = {key: _value(f"{name}.{key}", value) for key, value in values.items()}
        return NEURON_OPS[model](name, [], parameters, semantics, SignalType.spikes(size))

    def _projection(self, source: InputOp | NeuronOp, target: NeuronOp, delay: int) -> list[WeightedOp | SliceOp]:
        rng, size, name = self._rng, target.size, f"{source.sym_name.data}_to_{target.sym_name.data}"
        ops: list[WeightedOp | SliceOp] = []
        value: SSAValue = source.results[0]
        if rng.random() < 0.3:
            chosen = rng.choice(source.size, rng.integers(1, source.size + 1), replace=False)
            ops.append(SliceOp(value, Indices.of(chosen)))
            value = ops[0].part if isinstance(ops[0], SliceOp) else value
        assert isinstance(value.type, SignalType)
        width, current = value.type.size, SignalType.current(size)
        bias = TensorAttr.of(f"{name}.bias", rng.normal(0, 0.05, size).astype("f4")) if rng.random() < 0.5 else None
        if width == size and rng.random() < 0.5:
            weights = TensorAttr.of(f"{name}.weight", self._array(target, (size, 1)).ravel())
            return [*ops, ScaleOp(value, weights, current, bias=bias, delay=delay)]
        weights = TensorAttr.of(f"{name}.weight", self._array(target, (size, width)))
        return [*ops, DenseOp(value, weights, current, bias=bias, delay=delay)]

    def _array(self, target: NeuronOp, shape: tuple[int, int]) -> NDArray[np.float32]:
        if self._weights == "float":
            return self._rng.normal(0.1, 0.4, shape).astype("f4")
        grid = np.random.default_rng(target.size).integers(6, 9, shape[0])
        return (self._rng.integers(-60, 128, shape) * 0.5 ** grid[:, None]).astype("f4")


def _value(key: str, value: float | NDArray[np.float64]) -> Attribute:
    return TensorAttr.of(key, value) if isinstance(value, np.ndarray) else FloatAttr(float(value), f64)


def random_machine(rng: np.random.Generator, *, bits: int = 8) -> Machine:
    """Mesh of 1x1 to 3x3 tiles, crossbars of 8 to 64 rows and columns with digital adders, random times."""
    mesh = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    time = {name: int(rng.integers(0, 40)) for name in ("event", "convert", "add", "update", "spike")}
    link = {name: int(rng.integers(0, 30)) for name in ("flit", "hop_x", "hop_y")}
    return Machine(
        "random",
        Tiles(mesh, 1, (int(rng.integers(0, mesh[0])), int(rng.integers(0, mesh[1])))),
        Crossbar(int(rng.integers(8, 65)), int(rng.integers(8, 65)), bits, "digital", max_delay=2 * DELAYS),
        Buffers(int(rng.choice([600, 4096]))),
        Link("round-robin", **link),
        Time("ns", read=int(rng.integers(1, 20)), columns_per_adc=int(rng.integers(1, 9)), **time),
    )


def set_machine(module: ModuleOp, target: Machine) -> None:
    """Make `target` the machine that a module is compiled for."""
    module.attributes[ATTRIBUTE] = MachineAttr(target)


def program_of(module: ModuleOp) -> Network:
    """The one program of a module, as arrays."""
    (op,) = networks(module)
    return network_of(op)


def random_spikes(rng: np.random.Generator, network: Network, samples: int, steps: int) -> dict[str, NDArray[np.uint8]]:
    """Inputs: uint8 (samples, steps, lines), each input with a rate of its own."""
    rates = {name: rng.uniform(0.1, 0.8) for name in network.inputs}
    return {
        name: (rng.random((samples, steps, size)) < rates[name]).astype(np.uint8)
        for name, size in network.inputs.items()
    }


def run_passes(module: ModuleOp, *passes: ModulePass) -> ModuleOp:
    """Apply passes to `module`, which is then verified and returned."""
    PassPipeline(passes).apply(Context(), module)
    module.verify()
    return module


def fit(module: ModuleOp, rng: np.random.Generator) -> None:
    """Give the module's random machine as many crossbars per tile as its program needs, or a few more."""
    attribute = module.attributes[ATTRIBUTE]
    assert isinstance(attribute, MachineAttr)
    trial = ConvertSNNToCluster()
    run_passes(module.clone(), trial)
    tiles = attribute.data.tiles
    needed = -(-trial.statistics["clusters"] // (tiles.mesh[0] * tiles.mesh[1]))
    set_machine(module, replace(attribute.data, tiles=replace(tiles, crossbars=needed + int(rng.integers(0, 3)))))


def lower(module: ModuleOp, directory: Path, activity: Literal["peak", "worst"] = "peak") -> machine.Configuration:
    """From a program that fits its machine to the loaded configuration; `directory` is made."""
    passes = [
        ConvertSNNToCluster(),
        ClusterPlace(),
        ClusterRoute(),
        ConvertClusterToDataflow(activity=activity),
        DataflowSchedule(),
        DataflowBoundTransport(),
        DataflowAnalyzeThroughput(slack=False),
        ConvertDataflowToCrossbar(),
    ]
    directory.mkdir(parents=True)
    emit(run_passes(module, *passes), directory)
    return machine.load(directory)
