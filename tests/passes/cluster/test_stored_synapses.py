"""`crossbar.synapses`: clusters stay within it, the machine computes the same, and more weights are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkMaker, fit, lower, program_of, random_machine, random_spikes, run_passes, set_machine
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64
from xdsl.utils.exceptions import VerifyException

from snnir import machine
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.cluster import ProgramOp
from snnir.dialects.cluster_cells import Cells
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import NEURON_OPS, DenseOp, InputOp, NetworkOp, OutputOp
from snnir.errors import SnnirError
from snnir.passes.base import only, program
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.semantics import Semantics
from snnir.sim import simulate


def machine_with(module: ModuleOp, **crossbar: int | str) -> Machine:
    """The module's machine with other crossbars, which becomes the module's."""
    target = machine_of(module)
    assert target is not None
    changed = replace(target, crossbar=replace(target.crossbar, **crossbar))  # pyright: ignore[reportArgumentType]
    set_machine(module, changed)
    return changed


@pytest.mark.parametrize("seed", range(3))
def test_the_machine_computes_the_same_with_less_memory(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    module = NetworkMaker(rng, recurrent=seed % 2 == 0).module()
    set_machine(module, random_machine(rng))
    roomy = run_passes(module.clone(), ConvertSNNToCluster())
    before = [Cells(program(roomy)).weights(op) for op in only(roomy, ProgramOp, "").clusters]
    target = machine_of(module)
    assert target is not None
    synapses = max(target.crossbar.weight_columns, max(before) // 3)
    machine_with(module, synapses=synapses)
    fit(module, rng)
    tight = run_passes(module.clone(), ConvertSNNToCluster())
    after = [Cells(program(tight)).weights(op) for op in only(tight, ProgramOp, "").clusters]
    assert max(after) <= synapses < max(before)
    assert sum(after) == sum(before)
    network = program_of(module)
    inputs = random_spikes(rng, network, 2, 12)
    expected = simulate(network, inputs)
    found = machine.run(lower(module, tmp_path / "machine"), inputs).spikes
    assert all(np.array_equal(found[name], expected[name]) for name in found)


def dense(weights: NDArray[np.float64]) -> ModuleOp:
    """An input and a population of whole weights, on a machine with digital adders."""
    targets, sources = weights.shape
    source = InputOp("x", SignalType.spikes(sources))
    read = DenseOp(source, TensorAttr.of("w", weights.astype("f4")), SignalType.current(targets))
    parameters = {name: FloatAttr(value, f64) for name, value in (("r", 1.0), ("threshold", 1.0), ("v_reset", 0.0))}
    neurons = NEURON_OPS["if"]("p", [read.results[0]], parameters, Semantics(), SignalType.spikes(targets))
    network = NetworkOp("small", 1e-3, None)
    network.body.block.add_ops([source, read, neurons, OutputOp("y", neurons.results[0])])
    module = ModuleOp([network])
    set_machine(module, random_machine(np.random.default_rng(0)))
    machine_with(module, rows=16, columns=16)
    return module


def test_weights_of_zero_are_clustered_as_synapses_and_verified_as_none() -> None:
    weights = np.ones((8, 8))
    weights[:, :3] = 0.0
    module = dense(weights)
    clustered = run_passes(module.clone(), ConvertSNNToCluster())
    (cluster,) = only(clustered, ProgramOp, "").clusters
    assert Cells(program(clustered)).weights(cluster) == 40
    machine_with(clustered, synapses=40)
    clustered.verify()
    machine_with(clustered, synapses=39)
    with pytest.raises(VerifyException, match="@c0 holds 40 weights, a crossbar stores 39"):
        clustered.verify()
    machine_with(module, synapses=40)
    assert len(only(run_passes(module, ConvertSNNToCluster()), ProgramOp, "").clusters) == 2


def test_a_neuron_that_no_crossbar_stores_is_refused_where_nothing_adds() -> None:
    module = dense(np.ones((2, 8)))
    machine_with(module, synapses=7, fanin="none")
    with pytest.raises(SnnirError) as found:
        run_passes(module, ConvertSNNToCluster())
    assert "@p: a neuron has 8 synapses, a crossbar stores 7" in str(found.value)
    assert "crossbar.synapses = 8 or more" in str(found.value)
