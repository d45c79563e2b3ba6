"""Operations times prices, by hand."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from snnir.dialects.machine_energy import Energy
from snnir.energy import HOPS, OPERATIONS, Item, Prices, estimate, simulated_seconds
from snnir.machine import Timing
from snnir.report.energy import energy_as_json, energy_lines, joule

ITEMS = [
    Item("synapse", "h", (0, 0), 100),
    Item("synapse", "o", (1, 0), 50),
    Item("update", "h", (0, 0), 8),
    Item("hop_x", "h", (0, 0), 30),
    Item("delay", "x", (1, 0), 5),
    Item("synapse", "h", (0, 0), 10),
]
PRICES = Prices({"synapse": 23_600, "update": 81_000, "hop_x": 3000, "delay": 0, "idle": 52_000}, static=500_000)


def test_every_energy_of_a_platform_is_of_an_operation() -> None:
    assert tuple(f.name for f in fields(Energy)) == (*OPERATIONS, "static")
    assert not set(OPERATIONS) & set(HOPS)


def test_by_hand() -> None:
    """Two inferences; 0.5 mW in each of three crossbars for 2 us are 1 nJ each."""
    found = estimate(ITEMS, PRICES, {(0, 0): 1, (1, 0): 2}, 2, 7, 2e-6)
    assert {each.name: each.count for each in found.components} == {
        "synapse": 80,
        "update": 4,
        "delay": 2.5,
        "hop_x": 15,
    }
    energies = {"synapse": 1888.0, "update": 324.0, "delay": 0.0, "hop_x": 45.0}
    assert {each.name: each.energy for each in found.components} == pytest.approx(energies)
    assert found.dynamic == pytest.approx(sum(energies.values()))
    assert found.populations == pytest.approx({"h": 55 * 23.6 + 324 + 45, "o": 25 * 23.6, "x": 0})
    assert [(each.tile, each.dynamic, each.static) for each in found.tiles] == [
        ((0, 0), pytest.approx(55 * 23.6 + 324 + 45), pytest.approx(1000)),
        ((1, 0), pytest.approx(25 * 23.6), pytest.approx(2000)),
    ]
    assert found.static == pytest.approx(3000)
    assert found.total == pytest.approx(found.dynamic + 3000)
    assert found.unstated == ("delay",)
    assert (found.samples, found.steps, found.seconds, found.simulated) == (2, 7, 2e-6, False)


@pytest.mark.parametrize(("static", "seconds"), [(0, 1.0), (500, None)])
def test_what_is_not_known_is_not_counted(static: int, seconds: float | None) -> None:
    found = estimate(ITEMS, Prices(PRICES.operations, static), {(0, 0): 1}, 1, 7, seconds)
    assert found.static is None
    assert found.total == found.dynamic
    assert all(each.static is None for each in found.tiles)


def test_the_parts_are_the_whole() -> None:
    found = estimate(ITEMS, PRICES, {(0, 0): 1}, 3, 7)
    assert sum(found.populations.values()) == pytest.approx(found.dynamic)
    assert sum(each.dynamic for each in found.tiles) == pytest.approx(found.dynamic)


def test_a_stream_is_divided_by_whole_inferences() -> None:
    finish = np.array([10, 20, 30, 41, 52, 63, 74], np.int64)
    timing = Timing("ns", finish, {}, {}, {})
    assert simulated_seconds(timing, 3) == pytest.approx(float(Fraction(63, 2)) * 1e-9)
    assert simulated_seconds(timing, 8) is None


def test_text() -> None:
    found = energy_as_json(estimate(ITEMS, PRICES, {(0, 0): 1}, 2, 7, 2e-6, simulated=True))
    assert found is not None
    assert energy_lines(found) == [
        "energy     2.26 nJ + 1 nJ static per inference of 7 steps",
        "           synapses 1.89 nJ, updates 324 pJ, hops in x 45 pJ",
        "           not stated, not counted: delay memory",
        "latency    2.00 us per inference, simulated with real spikes",
    ]


@pytest.mark.parametrize(
    ("picojoule", "text"), [(0.0, "0 pJ"), (0.5, "0.5 pJ"), (28.4e6, "28.4 uJ"), (1e12, "1 J"), (1.5e9, "1.5 mJ")]
)
def test_prefixes(picojoule: float, text: str) -> None:
    assert joule(picojoule) == text
