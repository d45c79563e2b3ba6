"""The period of a recurrent network falls as 1 / delay until another cycle binds, exactly."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import delay_throughput
from benchmarks.delay_throughput import Point, guarantee, picture, ring
from benchmarks.machines import grid
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.platform import Machine
from snnir.dialects.snn import BundleOp, NetworkOp

LONGEST = 40
"""A delay with which the recurrence cannot bind any more."""


def slow_links(seed: int) -> Machine:
    """A machine of random times, on which it takes long from tile to tile."""
    rng = np.random.default_rng(seed)
    machine = grid(3, rows=64, columns=8, max_delay=LONGEST + 4)
    time = replace(machine.time, read=int(rng.integers(1, 9000)), event=int(rng.integers(1, 400)))
    link = replace(machine.link, flit=int(rng.integers(1, 500)), hop_x=int(rng.integers(9000, 90000)))
    return replace(machine, time=time, link=link)


def bundle_of(network: NetworkOp) -> BundleOp:
    """The recurrence."""
    (found,) = (op for op in network.body.block.ops if isinstance(op, BundleOp))
    return found


@pytest.mark.parametrize(("seed", "populations", "space"), [(0, 3, 2), (1, 4, 1), (3, 2, 12)])
def test_the_period_falls_as_one_over_the_delay(seed: int, populations: int, space: int) -> None:
    machine = slow_links(seed)

    def at(delay: int) -> Point:
        return guarantee(ring(delay, populations, 8), machine, space)

    around, other = at(1), at(LONGEST)
    members = {name.split(".")[1] for name in around.critical if "." in name}
    assert members == {f"p{n}" for n in range(populations)}
    assert around.period > 2 * other.period
    falls = 0
    for delay in range(1, 7):
        found = at(delay)
        assert found.period == max(around.period / delay, other.period)
        falls += found.period == Fraction(around.period, delay)
        # whoever binds is named: all of the ring, or another cycle
        assert found.period == other.period or set(found.critical) == set(around.critical)
    assert falls >= 2


def test_the_first_level_that_is_left_counts() -> None:
    """Pruned levels are none: a bundle without its first level is as late as its second."""
    machine = slow_links(0)
    network = ring(1, 3, 8)
    bundle = bundle_of(network)
    assert isinstance(bundle.weights, TensorAttr)
    weights = bundle.weights.array.copy()
    weights[0] = 0
    bundle.weights = TensorAttr.of("back", weights)
    second = 1 + bundle.stride.data
    assert guarantee(network, machine, 6).period == guarantee(ring(second, 3, 8, levels=1), machine, 6).period


def test_table_and_picture(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(delay_throughput, "RING", 3)
    monkeypatch.setattr(delay_throughput, "SIZE", 8)
    path = tmp_path / "a.svg"
    monkeypatch.setattr("sys.argv", ["delay_throughput", "--delays", "2", "-o", str(path)])
    delay_throughput.main()
    lines = capsys.readouterr().out.splitlines()
    rows = [[float(cell) for cell in line.split()] for line in lines[2:4]]
    assert [row[0] for row in rows] == [1, 2]
    assert rows[1][1] == pytest.approx(rows[0][1] / 2, rel=1e-3)
    root = ElementTree.parse(path).getroot()
    circles = [element for element in root.iter() if element.tag.endswith("}circle")]
    assert len(circles) == 2 * len(delay_throughput.SPACES)


def test_the_picture_shows_the_numbers() -> None:
    points = {1: [Point(Fraction(8), ()), Point(Fraction(4), ())], 2: [Point(Fraction(8), ()), Point(Fraction(2), ())]}
    text = picture([1, 2], points, 1.0)
    root = ElementTree.fromstring(text)
    heights = [float(element.get("cy", "")) for element in root.iter() if element.tag.endswith("}circle")]
    middle = (delay_throughput.TOP + delay_throughput.BOTTOM) / 2
    assert heights == [delay_throughput.TOP, middle, delay_throughput.TOP, delay_throughput.BOTTOM]
