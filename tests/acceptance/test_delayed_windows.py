"""Kernels that are read several times a step, late: every delay memory gives the spikes of the program."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from delayed_networks import configured
from networks import program_of, random_spikes, set_machine
from operator_networks import PADDED, Maker

from snnir import machine
from snnir.delays import MEMORIES
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles, Time
from snnir.machine.delays.ring import slots_of
from snnir.machine.parts import Delays
from snnir.sim import simulate


def late_kernels(m: Maker) -> None:
    """Late kernels, one of them split into partial sums, one that reads its own population."""
    x = m.spikes("x", 2, 6, 6)
    first = m.population("a", m.conv(x, 3, padding=PADDED, delay=2))
    m.population("b", m.conv(first, 4, stride=(2, 2), delay=5))
    drive = m.tensor(np.array([0.5, 1.0, 0.25]))
    m.recurrent("h", (3, 6, 6), lambda own: [m.conv(own, 3, padding=PADDED, delay=3, bias=drive)])
    wide = m.spikes("y", 5, 5, 5)
    m.population("c", m.conv(wide, 3, delay=4))


def test_windows_with_every_memory(tmp_path: Path) -> None:
    made = Maker(grid=True)
    late_kernels(made)
    module = made.module()
    crossbar = Crossbar(32, 16, 8, "digital", max_delay=12, neurons=128)
    set_machine(module, Machine("shared", Tiles((4, 2), 32), crossbar, Buffers(100_000), time=Time("ns", read=10)))
    network = program_of(module)
    inputs = random_spikes(np.random.default_rng(0), network, 2, 14)
    expected = simulate(network, inputs)
    configuration = configured(module, tmp_path / "machine")
    windowed = [part for part in configuration.slices.values() if part.windows is not None]
    assert windowed and any(part.is_partial for part in windowed)
    late = [each for each in configuration.crossbars if each.has_delays]
    for memory in MEMORIES:
        target = replace(configuration.machine, delays=Delays(memory))
        run = machine.run(replace(configuration, machine=target), inputs)
        for name, array in run.spikes.items():
            assert array.any() and np.array_equal(expected[name], array), (memory, name)
        assert set(run.delay_peaks) == {each.name for each in late}
        if memory == "ring":
            # a slot for each neuron, not for each column
            widths = {each.name: sum(part.width for part in each.slices) for each in late}
            assert all(run.delay_peaks[name] <= 6 * width for name, width in widths.items())
            assert any(slots_of(each) > 6 * 16 for each in late)
