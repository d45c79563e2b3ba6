"""200 random networks with delays up to 62 steps: the machine spikes as the program does, with every delay memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delayed_networks import LONGEST, DelayedMaker, configured, small_machine
from networks import program_of, random_spikes, set_machine
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir import machine
from snnir.delays import MEMORIES, Memory, Reads, Spikes, observed
from snnir.dialects.machine_delays import Delays as Stated
from snnir.dialects.platform import ATTRIBUTE, MachineAttr
from snnir.errors import SnnirError
from snnir.machine.delays.wiring import programmed_lines
from snnir.machine.parts import Configuration, Crossbar, DelayMemory, Delays
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.size_delays import ClusterSizeDelays
from snnir.sim import simulate

SAMPLES = 2
Signals = Mapping[str, NDArray[Any]]


def made(seed: int) -> tuple[ModuleOp, DelayedMaker, np.random.Generator]:
    """A random program with a random machine: feed-forward when the seed is even, recurrent when it is odd."""
    rng = np.random.default_rng([8, seed])
    maker = DelayedMaker(rng, recurrent=seed % 2 == 1)
    module = maker.module()
    set_machine(module, small_machine(rng))
    return module, maker, rng


def inputs_of(module: ModuleOp, maker: DelayedMaker, rng: np.random.Generator) -> dict[str, NDArray[np.uint8]]:
    """A few steps more than the longest delay."""
    return random_spikes(rng, program_of(module), SAMPLES, maker.longest + 4)


def with_memory(configuration: Configuration, memory: Memory, sizes: Mapping[str, int] | None = None) -> Configuration:
    """The same crossbars beside another delay memory, perhaps with entries reserved."""
    crossbars = configuration.crossbars
    if sizes is not None:
        crossbars = tuple(
            replace(c, delays=DelayMemory(sizes[c.name], sizes[c.name], None) if c.name in sizes else None)
            for c in crossbars
        )
    target = replace(configuration.machine, delays=Delays(memory))
    return replace(configuration, machine=target, crossbars=crossbars)


def useful_reads(crossbar: Crossbar) -> Reads:
    """What is read late where a cell is programmed, for the sizes that are counted without running a memory."""
    groups: list[tuple[str, int, NDArray[np.int64]]] = []
    used, first = programmed_lines(crossbar), 0
    for group in (*crossbar.rows, *crossbar.windowed):
        mine = used[first : first + len(group.neurons)]
        first += len(group.neurons)
        if mine.any():
            groups.append((group.source, group.delay, group.neurons[mine]))
    return Reads.of(groups, sum(part.width for part in crossbar.slices))


@pytest.mark.parametrize("seed", range(200))
def test_spikes_of_every_memory(seed: int, tmp_path: Path) -> None:
    module, maker, rng = made(seed)
    inputs = inputs_of(module, maker, rng)
    expected = simulate(program_of(module), inputs)
    configuration = configured(module, tmp_path / "machine")
    plain = machine.run(configuration, inputs)
    assert not plain.delay_peaks
    known = {name: Spikes.of_array(array) for name, array in {**inputs, **plain.spikes}.items()}
    late = [crossbar for crossbar in configuration.crossbars if crossbar.has_delays]
    for memory in MEMORIES:
        run = machine.run(with_memory(configuration, memory), inputs)
        for name, array in plain.spikes.items():
            assert np.array_equal(expected[name], array), name
            assert np.array_equal(expected[name], run.spikes[name]), (memory, name)
        for name, counts in plain.counts.spikes_in.items():
            assert np.array_equal(counts, run.counts.spikes_in[name]), (memory, name)
        for crossbar in late:
            reads, peak = useful_reads(crossbar), run.delay_peaks[crossbar.name]
            assert peak <= reads.bound(memory)
            assert memory == "ring" or peak == observed(memory, reads, known), (memory, crossbar.name)
        assert set(run.delay_peaks) == {crossbar.name for crossbar in late}


def test_they_have_what_delay_memories_meet(tmp_path: Path) -> None:
    """Long delays in some; populations that share a crossbar, and sums that are split, on one and the same machine."""
    longest = [made(seed)[1].longest for seed in range(200)]
    assert sum(each > 32 for each in longest) >= 12 and max(longest) == LONGEST
    configuration = configured(made(5)[0], tmp_path / "machine")
    assert '"delays"' not in configuration.path.read_text()  # of a machine that states no delay memories
    assert any(part.is_partial for part in configuration.slices.values())
    assert any(len({part.population for part in c.slices}) > 1 for c in configuration.crossbars)


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("seed", [5, 27])
def test_what_is_in_use_is_enough_and_less_is_an_error(memory: Memory, seed: int, tmp_path: Path) -> None:
    module, maker, rng = made(seed)
    inputs = inputs_of(module, maker, rng)
    configuration = configured(module, tmp_path / "machine")
    free = machine.run(with_memory(configuration, memory), inputs)
    tight = machine.run(with_memory(configuration, memory, free.delay_peaks), inputs)
    assert tight.delay_peaks == free.delay_peaks
    for name, array in free.spikes.items():
        assert np.array_equal(tight.spikes[name], array)
    name, most = max(free.delay_peaks.items(), key=lambda item: item[1])
    with pytest.raises(SnnirError, match=f"delay memory of '{name}' ") as caught:
        machine.run(with_memory(configuration, memory, {**free.delay_peaks, name: most - 1}), inputs)
    assert caught.value.hint.startswith("reserve more of it (margin of cluster-size-delays)")


@pytest.mark.parametrize("memory", MEMORIES)
def test_sizes_go_through_the_pipeline(memory: Memory, tmp_path: Path) -> None:
    """What `cluster-size-delays` reserves on data is in the configuration, and enough for these data."""
    module, maker, rng = made(27)
    inputs: Signals = inputs_of(module, maker, rng)
    expected = simulate(program_of(module), inputs)
    np.savez(tmp_path / "data.npz", **inputs)  # pyright: ignore[reportArgumentType]
    attribute = module.attributes[ATTRIBUTE]
    assert isinstance(attribute, MachineAttr)
    set_machine(module, replace(attribute.data, delays=Stated(memory, 5000, 16)))
    sizing = ClusterSizeDelays(data=str(tmp_path / "data.npz"), margin=1)
    configuration = configured(module, tmp_path / "machine", [ConvertSNNToCluster(), sizing])
    assert configuration.machine.delays == Delays(memory, 5000, 16)
    run = machine.run(configuration, inputs)
    for name, array in run.spikes.items():
        assert np.array_equal(expected[name], array)
    reserved = {c.name: c.delays for c in configuration.crossbars if c.delays is not None}
    assert set(reserved) == set(run.delay_peaks)
    for name, size in reserved.items():
        assert run.delay_peaks[name] == size.observed or memory == "ring"
        assert size.entries <= size.bound <= 5000
