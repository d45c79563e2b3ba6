"""Random programs whose synapses have delays, pruned at random, and machines that are small against them.

Bundles, single synapses with delays of their own and whole projections that are late; weights of 8 bits. Made for delay
memories: delays reach up to 62 steps, populations share crossbars, and sums are split over several of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from networks import run_passes
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64
from xdsl.ir import Attribute
from xdsl.passes import ModulePass

from snnir import machine
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.platform import Buffers, Crossbar, Link, Machine, Tiles, Time
from snnir.dialects.snn import (
    NEURON_OPS,
    BundleOp,
    DenseOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    SparseOp,
    WeightedOp,
)
from snnir.emit import emit
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.semantics import Semantics

LONGEST = 62
"""Steps of the longest delay."""
_MODELS = ("if", "lif", "cuba_lif")


class DelayedMaker:
    """A program of one or two inputs and one to three populations, each of which reads one to three sources late.

    `longest`: the longest delay that is in it, known when the module has been made.
    """

    def __init__(self, rng: np.random.Generator, *, recurrent: bool, most: int = 9) -> None:
        self._rng, self._recurrent, self._most = rng, recurrent, most
        self._limit = int(rng.choice([4, 4, 4, 5, 5, 6, 8, 10, 16, LONGEST]))
        self.longest = 0

    def module(self) -> ModuleOp:
        """The program, in a module without a machine."""
        rng = self._rng
        network = NetworkOp("delayed", 1e-3, None)
        sources: list[InputOp | NeuronOp] = []
        sources += [InputOp(f"x{n}", SignalType.spikes(self._size())) for n in range(rng.integers(1, 3))]
        projections: list[WeightedOp] = []
        for number in range(int(rng.choice([1, 1, 2, 2, 3]))):
            population = self._population(f"p{number}")
            read = dict.fromkeys([sources[int(i)] for i in rng.permutation(len(sources))[:2]], 0)
            sources.append(population)
            if self._recurrent:
                read[sources[int(rng.integers(0, len(sources)))]] = 1
            own = [self._projection(source, population, least) for source, least in read.items()]
            population.operands = [op.results[0] for op in own]
            projections += own
        outputs = [OutputOp(f"y{n}", s.results[0]) for n, s in enumerate(sources) if isinstance(s, NeuronOp)]
        network.body.block.add_ops([*sources, *projections, *outputs])
        module = ModuleOp([network])
        module.verify()
        return module

    def _size(self) -> int:
        return int(self._rng.integers(1, self._most + 1))

    def _population(self, name: str) -> NeuronOp:
        rng, size = self._rng, self._size()
        model = str(rng.choice(_MODELS))
        values: dict[str, Any] = {"r": 3.0, "threshold": rng.uniform(0.2, 0.8, size), "v_reset": 0.0}
        if model == "lif":
            values |= {"tau": rng.uniform(2e-3, 8e-3, size), "v_leak": 0.0}
        elif model == "cuba_lif":
            values |= {"tau_syn": 2e-3, "tau_mem": rng.uniform(2e-3, 8e-3, size), "v_leak": 0.0, "w_in": 2.0}
        parameters = {key: _value(f"{name}.{key}", value) for key, value in values.items()}
        semantics = Semantics(reset="subtract" if size % 2 else "value")
        return NEURON_OPS[model](name, [], parameters, semantics, SignalType.spikes(size))

    def _projection(self, source: InputOp | NeuronOp, target: NeuronOp, least: int) -> WeightedOp:
        """One of three kinds; `least` is the shortest delay that it may have."""
        rng, name = self._rng, f"{source.sym_name.data}_to_{target.sym_name.data}"
        current = SignalType.current(target.size)
        kind = ("bundle", "bundle", "sparse", "dense")[int(rng.integers(0, 4))]
        start = least + int(rng.integers(0, 3)) * (rng.random() < 0.5)
        if kind == "dense":
            delay = int(rng.integers(start, self._limit + 1))
            self.longest = max(self.longest, delay)
            weights = self._weights(target, (target.size, source.size))
            return DenseOp(source, TensorAttr.of(f"{name}.weight", weights), current, delay=delay)
        if kind == "sparse":
            return self._sparse(source, target, name, start)
        stride = int(rng.integers(1, 1 + self._limit // 4))
        levels = 1 + int(rng.integers(1, min(8, (self._limit - start) // stride + 1)))
        shape = levels, target.size, source.size
        weights = self._weights(target, shape) * _pruned(rng, shape)
        self.longest = max(self.longest, start + (levels - 1) * stride)
        tensor = TensorAttr.of(f"{name}.weight", weights.astype("f4"))
        return BundleOp(source, tensor, current, stride=stride, delay=start)

    def _sparse(self, source: InputOp | NeuronOp, target: NeuronOp, name: str, start: int) -> SparseOp:
        rng = self._rng
        count = int(rng.integers(1, 4 * (source.size + target.size)))
        ends = (rng.integers(0, each, count) for each in (source.size, target.size, self._limit - start + 1))
        sources, targets, delays = np.unique(np.stack(list(ends)), axis=1)
        self.longest = max(self.longest, start + int(delays.max()))
        weights = rng.integers(-50, 128, len(targets)) * _unit(target)[targets]
        columns = {"from": sources, "to": targets, "delays": delays}
        tensors = {key: TensorAttr.of(f"{name}.{key}", array) for key, array in columns.items()}
        return SparseOp(
            source,
            TensorAttr.of(f"{name}.weight", weights.astype("f4")),
            tensors["from"],
            tensors["to"],
            SignalType.current(target.size),
            delays=tensors["delays"],
            delay=start,
        )

    def _weights(self, target: NeuronOp, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Whole numbers of 8 bits times a power of two per neuron; targets are the last dimension but one."""
        return (self._rng.integers(-50, 128, shape) * _unit(target)[:, None]).astype("f4")


def _unit(target: NeuronOp) -> NDArray[np.float64]:
    return np.ldexp(1.0, -np.random.default_rng(target.size).integers(7, 9, target.size))


def _pruned(rng: np.random.Generator, shape: tuple[int, int, int]) -> NDArray[np.bool]:
    """What is left of a bundle: synapses, axons (all of a level and source) and levels are pruned."""
    levels, _, sources = shape
    left = rng.random(shape) < rng.uniform(0.3, 1)
    left &= (rng.random((levels, sources)) < rng.uniform(0.3, 1))[:, None]
    left[rng.random(levels) < 0.2] = False
    left[-1, 0, 0] = True
    return left


def _value(key: str, value: float | NDArray[np.float64]) -> Attribute:
    return TensorAttr.of(key, value) if isinstance(value, np.ndarray) else FloatAttr(float(value), f64)


def small_machine(rng: np.random.Generator) -> Machine:
    """A machine with digital adders and 8 bits, whose crossbars have few rows for many delays."""
    crossbar = Crossbar(int(rng.integers(12, 49)), int(rng.integers(8, 33)), 8, "digital", max_delay=LONGEST)
    mesh = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    time = Time("ns", read=10, event=3, convert=2, columns_per_adc=3, add=1, update=1, spike=2)
    return Machine("small", Tiles(mesh, 64), crossbar, Buffers(1 << 20), Link("round-robin", flit=1), time)


def configured(
    module: ModuleOp, directory: Path, clustering: Sequence[ModulePass] = (ConvertSNNToCluster(),)
) -> machine.Configuration:
    """The configuration of a program with a machine that is large enough, by the shortest way; `directory` is made."""
    passes = [
        *clustering,
        ClusterPlace(algorithm="row-major"),
        ClusterRoute(),
        ConvertClusterToDataflow(activity="worst"),
        DataflowSchedule(),
        ConvertDataflowToCrossbar(),
    ]
    directory.mkdir()
    emit(run_passes(module, *passes), directory)
    return machine.load(directory)
