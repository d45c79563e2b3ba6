"""Passes on random programs with every op: what they cannot do they refuse, at its place; the rest is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import general_program, program_of, random_machine, random_signals, run_passes, set_machine
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import connections_of, refusals_of
from snnir.dialects.machine_neurons import COEFFICIENTS
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp, SparseOp, WeightedOp, networks
from snnir.errors import SnnirError
from snnir.passes.base import progress_told
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.snn.profile import SNNProfile
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.split_fanin import SNNSplitFanin
from snnir.sim import Events, chunks, run, simulate
from snnir.sim.data import write_spikes

Matrix = NDArray[np.float64]
SEEDS = range(40)
LOWERING: list[ModulePass] = [SNNQuantize(), SNNSplitFanin(mode="relay", rows=4), ConvertSNNToCluster()]


def network_in(module: ModuleOp) -> NetworkOp:
    """The program of a module."""
    (network,) = networks(module)
    return network


@pytest.mark.parametrize("lowering", LOWERING, ids=lambda each: each.name)
def test_what_has_no_place_is_refused_with_the_place_of_the_user(lowering: ModulePass) -> None:
    refused: set[str] = set()
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        module = general_program(rng)
        for number, op in enumerate(network_in(module).body.block.ops):
            op.location = named(f"net.snn:{number}:1")
        set_machine(module, random_machine(rng))
        before = str(module)
        try:
            run_passes(module, lowering)
        except SnnirError as error:
            assert str(error.place).startswith("net.snn:"), error
            assert error.message
            assert error.hint
            assert str(module) == before
            refused.add(error.message.split(" cannot ")[0].split(": ")[-1])
    assert len(refused) > 5, refused


def named(place: str) -> Any:
    """A location."""
    from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr  # noqa: PLC0415

    file, line, column = place.split(":")
    return FileLineColLoc(StringAttr(file), IntAttr(int(line)), IntAttr(int(column)))


def effective(module: ModuleOp) -> dict[str, tuple[Matrix, Matrix]]:
    """For each tensor of weights, the weights times their scale, and the scale, in rows."""
    found: dict[str, tuple[Matrix, Matrix]] = {}
    for op in projections(module):
        if isinstance(op.weights, TensorAttr):
            scale = np.asarray(1.0 if op.scale is None else value_of(op.scale), np.float64)
            if isinstance(op, SparseOp):
                rows = op.weights.array.astype(np.float64)[:, None]
                scale = scale[op.targets.array] if scale.ndim else np.broadcast_to(scale, len(rows))
            else:
                rows = op.weights.array.astype(np.float64).reshape(op.lanes, -1)
            scale = np.broadcast_to(scale, len(rows))[:, None]
            found[op.weights.data.key] = rows * scale, scale
    return found


def population_in(module: ModuleOp, name: str) -> NeuronOp:
    """A population by its name."""
    found = network_in(module).sources[name]
    assert isinstance(found, NeuronOp)
    return found


def on_crossbars(module: ModuleOp) -> dict[str, dict[tuple[str, int], Matrix]]:
    """For each population that crossbars can hold: its weights for each source and delay, (sources, targets)."""
    result: dict[str, dict[tuple[str, int], Matrix]] = {}
    for name, op in network_in(module).sources.items():
        if not isinstance(op, NeuronOp) or op.MODEL not in COEFFICIENTS or refusals_of(op):
            continue
        found = result.setdefault(name, {})
        for c in connections_of(op):
            block = c.synapses.block(np.arange(c.synapses.sources), np.arange(op.size)) * c.scale
            found[c.source, c.delay] = found.get((c.source, c.delay), 0.0) + block
    return result


def projections(module: ModuleOp) -> Iterator[WeightedOp]:
    """All projections."""
    return (op for op in module.walk() if isinstance(op, WeightedOp))


@pytest.mark.parametrize("seed", SEEDS)
def test_quantising_for_other_tools(seed: int) -> None:
    """Every kind of projection: integers of 8 bits, at most half a unit away; a second run changes nothing."""
    module = general_program(np.random.default_rng(seed))
    before, columns = effective(module), on_crossbars(module)
    run_passes(module, SNNQuantize(bits=8))
    after = effective(module)
    for key in before if not columns else ():
        assert key in after
    for name, matrices in on_crossbars(module).items():
        for axon, weights in matrices.items():
            ways = 9 * len(connections_of(population_in(module, name)))
            scale = np.asarray(connections_of(population_in(module, name))[0].scale)
            assert (np.abs(weights - columns[name].get(axon, 0.0)) <= 0.5000001 * ways * scale).all(), name
    for key in set(before) & set(after):
        weights, (changed, scale) = before[key][0], after[key]
        assert (np.abs(changed - weights) <= 0.5000001 * scale).all(), key
    for op in projections(module):
        if isinstance(op.weights, TensorAttr):
            assert op.weights.data.element == "i8"
            assert np.abs(op.weights.array.astype(int)).max() <= 127
    again = SNNQuantize(bits=8)
    run_passes(module, again)
    for key, (weights, _) in effective(module).items():
        assert (weights == after[key][0]).all(), key
    assert set(effective(module)) == set(after)
    assert not [name for name, value in again.statistics.items() if name.endswith("changed") and value]


def counted(name: str, signal: NDArray[Any]) -> tuple[int, int, list[int], list[int]]:
    """Steps, peak, percentiles and counts of (samples, steps, neurons), the plain way."""
    per_step = sorted(signal.sum(axis=2, dtype=int).ravel().tolist())
    percentiles = [per_step[-(-percent * len(per_step) // 100) - 1] for percent in (50, 90, 99)]
    return len(per_step), per_step[-1], percentiles, signal.sum(axis=(0, 1), dtype=int).tolist()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", ["arrays", "events"])
def test_profile_counts_every_spike(seed: int, form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    module = general_program(rng)
    program = program_of(module)
    signals = random_signals(rng, program, 2, 10, counts=bool(seed % 2))
    data: dict[str, Any] = signals if form == "arrays" else {n: Events.from_array(a) for n, a in signals.items()}
    write_spikes(tmp_path / "data.npz", data)
    expected = simulate(program, signals)
    run_passes(module, SNNProfile(str(tmp_path / "data.npz")))
    sources = network_in(module).sources
    for name, source in sources.items():
        activity = source.activity
        assert (activity is not None) == source.emits_spikes
        if activity is not None:
            found = (activity.steps.data, activity.peak.data, list(activity.percentiles.data))
            assert (*found, activity.counts.array.tolist()) == counted(name, expected[name]), name
            assert activity.total.data == expected[name].sum(dtype=int)


def test_profile_of_some_samples(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    module = general_program(rng, {"semantics"})
    program = program_of(module)
    signals = random_signals(rng, program, 5, 7)
    write_spikes(tmp_path / "data.npz", {**signals, "labels": np.arange(5)})
    profile = SNNProfile(str(tmp_path / "data.npz"), samples=2)
    run_passes(module, profile)
    first = {name: array[:2] for name, array in signals.items()}
    expected = simulate(program, first)
    for name, source in network_in(module).sources.items():
        assert source.activity is not None
        assert source.activity.counts.array.tolist() == expected[name].sum(axis=(0, 1), dtype=int).tolist()
        assert profile.statistics[f"spikes of @{name}"] == expected[name].sum(dtype=int)
        assert profile.statistics[f"spikes of @{name} in one step, most"] == source.activity.peak.data
    assert (profile.statistics["samples"], profile.statistics["steps"]) == (2, 14)


def test_profile_in_pieces_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More samples than fit into memory at a time: the same counts, and progress that grows to its end."""
    rng = np.random.default_rng(2)
    module = general_program(rng, {"semantics", "delay"})
    program = program_of(module)
    signals = random_signals(rng, program, 9, 20)
    write_spikes(tmp_path / "data.npz", signals)
    whole = run_passes(module.clone(), SNNProfile(str(tmp_path / "data.npz")))
    monkeypatch.setattr("snnir.passes.snn.profile.chunks", one_sample_at_a_time)
    told: list[tuple[str, int, int]] = []
    with progress_told(lambda name, done, total: told.append((name, done, total))):
        pieces = run_passes(module.clone(), SNNProfile(str(tmp_path / "data.npz")))
    assert str(pieces) == str(whole)
    assert told
    assert {(name, total) for name, _, total in told} == {("snn-profile", told[-1][1])}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    count = len(told)
    run_passes(module.clone(), SNNProfile(str(tmp_path / "data.npz")))
    assert len(told) == count


def one_sample_at_a_time(network: Any, inputs: Any, *, record: Any, progress: Any) -> Iterator[tuple[int, Any]]:
    """The simulator, with memory for one sample."""
    samples = len(next(iter(inputs.values())))
    for number in range(samples):
        part = {name: array[number : number + 1] for name, array in inputs.items()}
        for _, signals in chunks(network, part, record=record):
            yield number, signals
        progress(number + 1, samples)


def test_a_profile_of_a_nearly_silent_recording(tmp_path: Path) -> None:
    """Lists of events are counted as lists, also the steps without any."""
    module = general_program(np.random.default_rng(3), frozenset())
    program = program_of(module)
    data: dict[str, Events] = {}
    for name, size in program.inputs.items():
        step = np.array([0, 5, 5, 2_999])
        data[name] = Events.of((1, 3_000, size), np.zeros(4), step, np.array([0, 0, size - 1, 0]))
    write_spikes(tmp_path / "data.npz", data)
    expected = run(program, data, lists=True).events
    run_passes(module, SNNProfile(str(tmp_path / "data.npz")))
    for name, source in network_in(module).sources.items():
        activity = source.activity
        assert activity is not None
        assert activity.steps.data == 3_000
        assert activity.total.data == expected[name].value.sum(dtype=int)
        if isinstance(source, InputOp):
            assert activity.peak.data == 2
            assert activity.percentiles.data == (0, 0, 0)


def test_measured_activity_goes_when_weights_change(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    module = general_program(rng, {"conv", "semantics", "models"})
    write_spikes(tmp_path / "data.npz", random_signals(rng, program_of(module), 2, 5))
    run_passes(module, SNNProfile(str(tmp_path / "data.npz")))
    populations: list[Operation] = [op for op in network_in(module).sources.values() if isinstance(op, NeuronOp)]
    assert all("activity" in op.properties for op in populations)
    run_passes(module, SNNQuantize(bits=2))
    assert not any("activity" in op.properties for op in populations)
