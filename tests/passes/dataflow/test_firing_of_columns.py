"""A slice whose weights take several columns fires for as long as the machine says: conversions of all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snnir.dialects.cluster_attributes import Slice, Windows
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles, Time
from snnir.indices import Indices
from snnir.passes.dataflow.network_time import firing_time

TIME = Time("ns", read=100, event=3, convert=10, columns_per_adc=4, add=7, update=5, spike=2)
PART = Slice("neurons", "h", Indices.span(0, 6), Indices.span(0, 8), 0, adds=2)


@pytest.mark.parametrize(("signs", "cell_bits", "conversions"), [("cell", 0, 2), ("cell", 3, 5), ("pair", 3, 9)])
def test_conversions(signs: str, cell_bits: int, conversions: int) -> None:
    """6, 18 and 36 columns, four of which share a converter."""
    crossbar = Crossbar(8, 48, 8, "digital", signs=signs, cell_bits=cell_bits)
    target = Machine("m", Tiles((1, 1), 1), crossbar, Buffers(100), time=TIME)
    others = 3 * 4 + 7 * 6 * 2 + 5 * 6 + 2 * 1
    assert firing_time(target, PART, 4, 1) == 100 + 10 * conversions + others
    windows = Windows(2, Indices.span(0, 8), Indices.span(0, 8))
    twice = replace(PART, neurons=Indices.span(0, 12), windows=windows)
    assert firing_time(target, twice, 4, 1) == 2 * (100 + 10 * conversions) + 3 * 4 + 7 * 12 * 2 + 5 * 12 + 2
