"""Links and ways, against those of the machine's simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from snnir.machine.parts import Machine, Times
from snnir.machine.topology import link_time, steps, way
from snnir.runtime.floor import HOST, Floor
from snnir.runtime.platform import Platform

TIME = Times("ns", 1, 1, 1, 1, 1, 1, 1, flit=2, hop_x=3, hop_y=5, chip_flit=20, chip_hop=30)
MESH = Machine("mesh", (4, 6), 2, (2, 1), 8, 8, 8, TIME)
TREE = replace(MESH, mesh=(11, 1), host=(4, 0), arity=3)
CHIPS = replace(MESH, chip=(2, 3))


@pytest.mark.parametrize("machine", [MESH, TREE, CHIPS, replace(MESH, mesh=(1, 1), host=(0, 0))])
def test_ways_cross_the_links_of_the_simulator(machine: Machine) -> None:
    floor = Floor(Platform(machine, True, 10))
    flit, hop = floor.times
    numbers = [HOST, *range(floor.tiles)]
    pairs = np.array([(a, b) for a in numbers for b in numbers if a != b]).reshape(-1, 2)
    ways = floor.ways(pairs[:, 0], pairs[:, 1])
    for number, (a, b) in enumerate(pairs.tolist()):
        links = ways.links[ways.begin[number] : ways.begin[number + 1]].tolist()
        start, end = (machine.host if each == HOST else floor.tile(each) for each in (a, b))
        path = steps(way(machine, start, end))
        inject = "inject host" if a == HOST else f"inject {start}"
        eject = "eject host" if b == HOST else f"eject {end}"
        assert [floor.name(link) for link in links] == [inject, *(f"{u} -> {v}" for u, v in path), eject]
        expected = [(2, 0), *(link_time(machine, u, v) for u, v in path), (2, 0)]
        assert [(int(flit[link]), int(hop[link])) for link in links] == expected
    assert int(ways.links.max(initial=0)) < floor.links
