"""Random machines: text is the identity, whatever the numbers and the name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import random_machine
from xdsl.context import Context
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.platform import (
    UNITS,
    Buffers,
    Crossbar,
    Delays,
    Device,
    Energy,
    Link,
    Machine,
    MachineAttr,
    MachineError,
    Platform,
    Tiles,
    Time,
    machine_from,
)
from snnir.semantics import PARAMETERS

small = st.integers(1, 99)
some = st.integers(1, 10**12)
any_number = st.integers(0, 10**12)


@st.composite
def floors(draw: st.DrawFn) -> Tiles:
    """Meshes of one or more chips, and trees."""
    mesh, chips = draw(st.tuples(small, small)), draw(st.tuples(small, small))
    crossbars, entries, routes = draw(some), draw(any_number), draw(st.sampled_from(["unicast", "multicast"]))
    if draw(st.booleans()):
        leaf = draw(st.integers(0, mesh[0] - 1))
        return Tiles((mesh[0], 1), crossbars, (leaf, 0), "tree", draw(st.integers(2, 99)), (0, 0), entries, routes)
    whole = (mesh[0] * chips[0], mesh[1] * chips[1])
    host = draw(st.tuples(st.integers(0, whole[0] - 1), st.integers(0, whole[1] - 1)))
    chip = mesh if draw(st.booleans()) else (0, 0)
    return Tiles(whole, crossbars, host, chip=chip, table_entries=entries, routes=routes)


@st.composite
def devices(draw: st.DrawFn, bits: int) -> Device:
    """Devices whose cells hold a whole weight of so many bits."""
    r_on, ratio = draw(st.floats(1e-3, 1e9)), draw(st.floats(1.5, 1e6))
    spread, noise, wire = (draw(st.floats(0, 1e6)) for _ in range(3))
    stuck = draw(st.floats(0, 0.5)), draw(st.floats(0, 0.5))
    return Device(1 << (bits - 1), r_on, r_on * ratio, spread, *stuck, noise, wire)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Machines of all kinds."""
    tiles = draw(floors())
    models = tuple(draw(st.lists(st.sampled_from(list(PARAMETERS)), min_size=1, unique=True)))
    bits = draw(st.sampled_from([0, *range(2, 33)]))
    fanin = draw(st.sampled_from(["digital", "relay", "none"]))
    crossbar = Crossbar(draw(some), draw(some), bits, fanin, models, draw(any_number))
    between = (draw(any_number), draw(any_number)) if tiles.chip != (0, 0) else (0, 0)
    hop_x = 0 if tiles.is_tree else draw(any_number)
    link = Link("round-robin", draw(some), hop_x, draw(any_number), *between)
    read, event, convert, add, update, spike = (draw(any_number) for _ in range(6))
    time = Time(draw(st.sampled_from(list(UNITS))), read, event, convert, draw(some), add, update, spike)
    name = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
    device = draw(st.none() | devices(bits)) if bits else None
    if device is not None:
        crossbar = dataclasses.replace(
            crossbar, columns=draw(small) + 1, signs="pair", adc_bits=draw(st.integers(0, 16))
        )
    return Machine(name, tiles, crossbar, Buffers(draw(some)), link, time, device)


def parse(text: str) -> MachineAttr:
    """The machine that text means."""
    ctx = Context()
    ctx.load_dialect(Platform)
    attribute = Parser(ctx, text, "text").parse_attribute()
    assert isinstance(attribute, MachineAttr)
    return attribute


@given(machines())
def test_text_comes_back(machine: Machine) -> None:
    attribute = MachineAttr(machine)
    assert parse(str(attribute)) == attribute
    assert str(parse(str(attribute))) == str(attribute)


@given(st.builds(Energy, *[any_number] * len(dataclasses.fields(Energy))))
def test_energies_come_back(energy: Energy) -> None:
    machine = dataclasses.replace(random_machine(np.random.default_rng(1)), energy=energy, delays=Delays("fifo"))
    assert machine.problem() is None
    assert parse(str(MachineAttr(machine))).data == machine


@given(st.integers(0, 10**6))
def test_machines_of_other_tests_are_machines(seed: int) -> None:
    machine = random_machine(np.random.default_rng(seed))
    assert machine.problem() is None
    assert machine.crossbars == machine.tiles.mesh[0] * machine.tiles.mesh[1] * machine.tiles.crossbars


def test_impossible_machines_are_none() -> None:
    good = random_machine(np.random.default_rng(0))
    with pytest.raises(VerifyException, match=r"crossbar\.models is empty"):
        MachineAttr(dataclasses.replace(good, crossbar=dataclasses.replace(good.crossbar, models=())))
    with pytest.raises(MachineError, match="two whole numbers") as caught:
        machine_from("m", {"tiles": {"mesh": [True, 1], "crossbars": 1}})
    assert caught.value.key == "tiles.mesh"
