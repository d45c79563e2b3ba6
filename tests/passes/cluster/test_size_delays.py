"""`cluster-size-delays`: what is reserved is what the machine then takes; what does not fit is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delayed_networks import DelayedMaker, small_machine
from networks import fit, program_of, random_spikes, run_passes, set_machine
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64

from snnir import machine
from snnir.delays import MEMORIES, Memory
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.cluster import ClusterOp, ProgramOp
from snnir.dialects.cluster_delays import DelayMemory, DelayMemoryAttr
from snnir.dialects.cluster_reads import reads_of
from snnir.dialects.machine_delays import Delays
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import NEURON_OPS, DenseOp, InputOp, NetworkOp, OutputOp
from snnir.emit import emit
from snnir.errors import SnnirError
from snnir.passes.base import only, program
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.delay_sizes import delay_sizes
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.cluster.size_delays import ClusterSizeDelays
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.bound_transport import DataflowBoundTransport
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.semantics import Semantics
from snnir.sim.data import read_spikes, write_spikes

AFTER = (
    ClusterPlace,
    ClusterRoute,
    lambda: ConvertClusterToDataflow(activity="worst"),
    DataflowSchedule,
    DataflowBoundTransport,
    lambda: DataflowAnalyzeThroughput(slack=False),
    ConvertDataflowToCrossbar,
)


def clustered(seed: int, memory: Memory, directory: Path) -> tuple[ModuleOp, dict[str, NDArray[np.uint8]], Path]:
    """A random program with delays in clusters, inputs for it, and the file that holds them."""
    rng = np.random.default_rng(seed)
    module = DelayedMaker(rng, recurrent=seed % 2 == 0).module()
    set_machine(module, replace(small_machine(rng), delays=Delays(memory)))
    fit(module, rng)
    inputs = random_spikes(rng, program_of(module), 2, 40)
    path = directory / "spikes.npz"
    write_spikes(path, inputs)
    return run_passes(module, ConvertSNNToCluster()), inputs, path


def one_population(weights: NDArray[np.float64], delay: int) -> ModuleOp:
    """An input and a population, one to the other late, and small enough for one crossbar."""
    targets, sources = weights.shape
    source = InputOp("x", SignalType.spikes(sources))
    late = DenseOp(source, TensorAttr.of("w", weights.astype("f4")), SignalType.current(targets), delay=delay)
    parameters = {name: FloatAttr(value, f64) for name, value in (("r", 1.0), ("threshold", 1.0), ("v_reset", 0.0))}
    neurons = NEURON_OPS["if"]("p", [late.results[0]], parameters, Semantics(), SignalType.spikes(targets))
    network = NetworkOp("small", 1e-3, None)
    network.body.block.add_ops([source, late, neurons, OutputOp("y", neurons.results[0])])
    module = ModuleOp([network])
    set_machine(module, small_machine(np.random.default_rng(1)))
    return module


def recorded(directory: Path) -> tuple[ModuleOp, Path, int]:
    """Clusters of ten lines that are read 6 steps late, a file of spikes of these, and the most that are remembered.

    A spike of the lines that `fifo` and `circular` remember stays for 7 steps, in the latter for 6 of them twice.
    """
    module = run_passes(limited(one_population(np.ones((4, 10)), 6), "circular", 0), ConvertSNNToCluster())
    spikes = (np.random.default_rng(4).random((3, 30, 10)) < 0.2).astype(np.uint8)
    write_spikes(directory / "spikes.npz", {"x": spikes})
    padded = np.pad(spikes.sum(axis=2), ((0, 0), (6, 0)))
    longer, shorter = (sum(padded[:, 6 - age : 36 - age] for age in range(many)) for many in (7, 6))
    return module, directory / "spikes.npz", int(np.max(longer + shorter))


def clusters_of(module: ModuleOp) -> list[ClusterOp]:
    """The clusters of a module."""
    return only(module, ProgramOp, "").clusters


def emitted(module: ModuleOp, directory: Path) -> machine.Configuration:
    """The configuration of clusters."""
    directory.mkdir()
    emit(run_passes(module, *(make() for make in AFTER)), directory)
    return machine.load(directory)


@pytest.mark.parametrize(("seed", "memory"), list(enumerate(MEMORIES * 2)))
def test_the_machine_takes_what_is_observed(seed: int, memory: Memory, tmp_path: Path) -> None:
    module, inputs, path = clustered(seed, memory, tmp_path)
    run_passes(module, ClusterSizeDelays(data=str(path), margin=1))
    sized = {op.sym_name.data: op.delays.data for op in clusters_of(module) if op.delays is not None}
    assert sized
    peaks = machine.run(emitted(module, tmp_path / "machine"), inputs).delay_peaks
    assert {name: each.observed for name, each in sized.items()} == {name: peaks[name] for name in sized}
    assert not any(peaks[name] for name in peaks.keys() - sized.keys())
    for each in sized.values():
        assert each.entries == (each.bound if memory == "ring" else max(1, each.observed or 0))


@pytest.mark.parametrize("memory", MEMORIES)
def test_bounds_are_what_the_machine_takes_when_all_neurons_fire(memory: Memory, tmp_path: Path) -> None:
    """Inputs that never rest are read alone: of those every crossbar reaches its bound."""
    module, inputs, _ = clustered(3, memory, tmp_path)
    network = program(module)
    always = {name: np.ones(array.shape, np.uint8) for name, array in inputs.items()}
    sizes = delay_sizes(only(module, ProgramOp, ""), network, always)
    reached = [each for each in sizes.crossbars if set(each.reads.names) <= set(always)]
    assert reached
    for each in reached:
        assert each.observed is not None
        assert each.observed[memory] == each.bound(memory) > 0


def test_without_data_bounds_are_reserved_and_with_a_margin_more_than_was_in_use(tmp_path: Path) -> None:
    module, path, most = recorded(tmp_path)
    bound = 10 * (7 + 6)
    assert 0 < most < bound
    expected = {
        ClusterSizeDelays(): DelayMemory(bound, bound),
        ClusterSizeDelays(margin=3): DelayMemory(bound, bound),
        ClusterSizeDelays(data=str(path), margin=1): DelayMemory(most, bound, most),
        ClusterSizeDelays(data=str(path), margin=1.1): DelayMemory(-(-most * 11 // 10), bound, most),
        ClusterSizeDelays(data=str(path)): DelayMemory(-(-most * 5 // 4), bound, most),
        ClusterSizeDelays(data=str(path), margin=50): DelayMemory(bound, bound, most),
    }
    for size, found in expected.items():
        (cluster,) = clusters_of(run_passes(module.clone(), size))
        assert cluster.delays is not None
        assert cluster.delays.data == found


@pytest.mark.parametrize(("memory", "expected"), [("ring", 4), ("queue", 3), ("circular", 7), ("fifo", 4)])
def test_rows_and_columns_without_a_weight_are_not_remembered(memory: Memory, expected: int) -> None:
    """A weight of 0 in a dense projection is a synapse, whose cell holds nothing: line 1 and neuron 0 have no other."""
    module = limited(one_population(np.array([[0.0, 0.0], [0.5, 0.0]]), 3), memory, expected)
    (cluster,) = clusters_of(run_passes(module, ConvertSNNToCluster(), ClusterSizeDelays()))
    assert cluster.delays is not None
    assert cluster.delays.data == DelayMemory(expected, expected)
    assert reads_of(cluster).bound(memory) == 2 * expected


def test_late_rows_without_any_weight_take_nothing() -> None:
    module = limited(one_population(np.zeros((2, 2)), 3), "fifo", 1)
    (cluster,) = clusters_of(run_passes(module, ConvertSNNToCluster(), ClusterSizeDelays()))
    assert cluster.delays is None


def limited(module: ModuleOp, memory: Memory, entries: int) -> ModuleOp:
    """The same module for a machine with so many entries."""
    target = machine_of(module)
    assert target is not None
    copy = module.clone()
    set_machine(copy, replace(target, delays=Delays(memory, entries)))
    return copy


@pytest.mark.parametrize("memory", MEMORIES)
def test_too_small_memories_are_refused_by_name(memory: Memory, tmp_path: Path) -> None:
    module, _, _ = clustered(4, memory, tmp_path)
    largest = max(delay_sizes(only(module, ProgramOp, ""), program(module)).crossbars, key=lambda e: e.bound(memory))
    run_passes(limited(module, memory, largest.bound(memory)), ClusterSizeDelays())
    with pytest.raises(SnnirError) as found:
        run_passes(limited(module, memory, largest.bound(memory) - 1), ClusterSizeDelays())
    text = str(found.value)
    assert f"@{largest.cluster} needs {largest.bound(memory):,}" in text
    assert all(f"@{name}" in text for name in largest.reads.names[:3])
    assert f"delays.entries = {largest.bound(memory)} or more" in text
    assert "snn-prune-delays" in text


def test_what_fits_on_data_alone_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module, path, most = recorded(tmp_path)
    run_passes(limited(module, "circular", 130), ClusterSizeDelays(data=str(path)))
    assert not capsys.readouterr().err
    reserved = -(-most * 5 // 4)
    run_passes(limited(module, "circular", reserved), ClusterSizeDelays(data=str(path)))
    text = capsys.readouterr().err
    assert f"note: @c0 reserves {reserved} events of delay memory, 130 if all neurons fired" in text
    assert "overflow is then an error of the machine, not a lost spike" in text
    with pytest.raises(SnnirError, match="give representative inputs"):
        run_passes(limited(module, "circular", reserved), ClusterSizeDelays())


def test_lists_of_events_are_sized_as_arrays_are(tmp_path: Path) -> None:
    module, path, most = recorded(tmp_path)
    sizes = delay_sizes(only(module, ProgramOp, ""), program(module), read_spikes(path))
    sample, step, line = np.nonzero(np.load(path)["x"])
    listed: dict[str, Any] = {"x.sample": sample, "x.step": step, "x.index": line, "x.shape": np.array([3, 30])}
    np.savez(tmp_path / "events.npz", **listed)
    again = delay_sizes(only(module, ProgramOp, ""), program(module), read_spikes(tmp_path / "events.npz"))
    assert (
        (again.samples, again.steps, again.spikes)
        == (sizes.samples, sizes.steps, sizes.spikes)
        == (
            3,
            30,
            {"x": len(sample) / 3},
        )
    )
    assert again.crossbars[0].observed == sizes.crossbars[0].observed
    assert (sizes.crossbars[0].observed or {})["circular"] == most


def test_machines_without_a_memory_and_margins_below_one_are_refused(tmp_path: Path) -> None:
    module, path, _ = recorded(tmp_path)
    for margin in (0.9, float("nan"), float("inf")):
        with pytest.raises(SnnirError, match="a margin of"):
            run_passes(module.clone(), ClusterSizeDelays(data=str(path), margin=margin))
    target = machine_of(module)
    assert target is not None
    set_machine(module, replace(target, delays=None))
    with pytest.raises(SnnirError, match="has no delay memory"):
        run_passes(module, ClusterSizeDelays())


def test_programs_without_delays_take_nothing_and_no_data_are_read(tmp_path: Path) -> None:
    done = ClusterSizeDelays(data=str(tmp_path / "nowhere.npz"))
    module = limited(one_population(np.ones((2, 2)), 0), "queue", 1)
    run_passes(module, ConvertSNNToCluster(), done)
    assert not done.measures[0].crossbars
    assert all(op.delays is None for op in clusters_of(module))


def test_reserving_again_replaces_what_was_reserved(tmp_path: Path) -> None:
    module, path, _ = recorded(tmp_path)
    run_passes(module, ClusterSizeDelays(data=str(path)), ClusterSizeDelays())
    some = [op.delays.data for op in clusters_of(module) if op.delays is not None]
    assert some
    assert all(each.entries == each.bound for each in some)


@pytest.mark.parametrize(
    ("memory", "entries", "wrong", "problem"),
    [
        ("circular", 0, DelayMemory(1, 1 << 20), "its rows take up to"),
        ("circular", 3, DelayMemory(4, 4), "reserves 4 entries, a delay memory has 3"),
        ("ring", 0, DelayMemory(1, 2), "a ring has all of its 2 slots, not 1"),
        (None, 0, DelayMemory(1, 1), "the machine has none"),
    ],
)
def test_what_is_reserved_is_verified(
    memory: Memory | None, entries: int, wrong: DelayMemory, problem: str, tmp_path: Path
) -> None:
    module, _, _ = recorded(tmp_path)
    target = machine_of(module)
    assert target is not None
    set_machine(module, replace(target, delays=None if memory is None else Delays(memory, entries)))
    cluster = max(clusters_of(module), key=lambda op: reads_of(op).bound("fifo"))
    cluster.delays = DelayMemoryAttr(wrong)
    with pytest.raises(Exception, match=problem):
        module.verify()
