"""Routers and links of every topology: ways, times by hand, and what version 2 of the format refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine_builder import TIMES, Builder, Document, write

from snnir.errors import SnnirError
from snnir.machine import load, run, simulate
from snnir.machine.network import way_of
from snnir.machine.topology import branches, way

Change = Callable[[Document], None]


def fan(**floor: Any) -> Builder:
    """Input `in` (2) at the host feeds `a`, `b` and `c` (1 each); `a` goes to `b` and `c`; the host reads all three."""
    builder = Builder(version=2, multicast=True, **floor)
    builder.input("in", 2)
    tiles = {"a": (0, 0), "b": (1, 0), "c": (3, 0)}
    for name, tile in tiles.items():
        builder.population(name, 1, output=f"o_{name}")
        rows: list[tuple[str, list[int], int]] = [("in", [0, 1], 0)] if name == "a" else [("a", [0], 0)]
        builder.crossbar(f"x{name}", tile, rows=rows)
        builder.slice(f"s{name}", name, [0], [[1]] * (2 if name == "a" else 1))
    return builder


MESH: dict[str, Any] = {"mesh": (4, 1)}
CHIPS: dict[str, Any] = {"mesh": (4, 1), "chip": (2, 1), "time": {**TIMES, "chip_flit": 10, "chip_hop": 50}}
TREE: dict[str, Any] = {"mesh": (4, 1), "arity": 2}


def test_a_flow_of_version_2(tmp_path: Path) -> None:
    configuration = fan(**MESH).load(tmp_path)
    flow = next(flow for flow in configuration.flows if flow.source == "sa")
    assert flow.to == ((1, 0), (3, 0), "host")
    assert flow.branches == (((0, 0), (1, 0)), ((1, 0), (2, 0), (3, 0)), ((0, 0),))
    links = way_of(configuration, flow)
    assert [link.name for link in links.links] == [
        "inject (0, 0)",
        "(0, 0) -> (1, 0)",
        "eject (1, 0)",
        "(1, 0) -> (2, 0)",
        "(2, 0) -> (3, 0)",
        "eject (3, 0)",
        "eject host",
    ]
    assert links.before == (-1, 0, 1, 1, 3, 4, 0)
    assert links.ends == (2, 5, 6)


@pytest.mark.parametrize(
    ("floor", "to_b", "to_c"),
    [
        # flits of 4, hops of 7: inject, one link, eject; and two links more
        (MESH, 3 * 4 + 7, 5 * 4 + 3 * 7),
        # the second of the three links to c is between chips
        (CHIPS, 3 * 4 + 7, 4 * 4 + 10 + 2 * 7 + 50),
        # up and down once, twice; all hops are those in y
        (TREE, 4 * 4 + 2 * 9, 6 * 4 + 4 * 9),
    ],
)
def test_arrivals_of_a_token_without_spikes(tmp_path: Path, floor: dict[str, Any], to_b: int, to_c: int) -> None:
    """The marker alone, with nothing else on its way: `b` and `c` start when it is there."""
    configuration = fan(**floor).load(tmp_path)
    result = run(configuration, {"in": np.zeros((1, 1, 2), np.uint8)})
    timing = simulate(configuration, result.counts)
    sent = timing.firings["sa"][1][0]
    assert [timing.firings[name][0][0] - sent for name in ("sb", "sc")] == [to_b, to_c]


def test_each_link_of_a_tree_carries_a_flit_once(tmp_path: Path) -> None:
    flits: dict[bool, dict[str, int]] = {}
    for multicast in (False, True):
        builder = fan(**MESH)
        builder.multicast = multicast
        configuration = builder.load(tmp_path / str(multicast))
        result = run(configuration, {"in": np.ones((1, 3, 2), np.uint8)})
        flits[multicast] = dict(simulate(configuration, result.counts).link_flits)
    # 3 steps of a spike and a marker each, to two tiles and the host
    assert flits[False]["inject (0, 0)"] == 18
    assert flits[False]["(0, 0) -> (1, 0)"] == 12
    assert flits[True] == flits[False] | {"inject (0, 0)": 6, "(0, 0) -> (1, 0)": 6}


def test_ways_on_a_tree(tmp_path: Path) -> None:
    machine = fan(mesh=(9, 1), arity=3).load(tmp_path).machine
    assert way(machine, (4, 0), (4, 0)) == ((4, 0),)
    assert way(machine, (3, 0), (5, 0)) == ((3, 0), (1, 1), (5, 0))
    assert way(machine, (8, 0), (0, 0)) == ((8, 0), (2, 1), (0, 2), (0, 1), (0, 0))
    assert branches(machine, (0, 0), [(8, 0), (7, 0), (0, 0), (1, 0)]) == [
        ((0, 0), (0, 1), (0, 2), (2, 1), (8, 0)),
        ((2, 1), (7, 0)),
        ((0, 0),),
        ((0, 1), (1, 0)),
    ]


def machine_entry(name: str, value: Any) -> Change:
    """The change that gives an entry of the machine a value."""

    def change(document: Document) -> None:
        document["machine"][name] = value

    return change


def chip_flit(value: int | None) -> Change:
    """The change that sets the time for a flit between chips."""

    def change(document: Document) -> None:
        document["machine"]["time"]["chip_flit"] = value

    return change


def flow_of_a(field: str, value: Any) -> Change:
    """The change that sets a field of the flow of `sa`."""

    def change(document: Document) -> None:
        next(flow for flow in document["flows"] if flow["from"] == "sa")[field] = value

    return change


def without(*path: str) -> Change:
    """The change that takes an entry away."""

    def change(document: Document) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


@pytest.mark.parametrize(
    ("floor", "change", "place", "message"),
    [
        (MESH, without("machine", "arity"), "/machine", "field 'arity' is missing"),
        (MESH, without("machine", "time", "chip_flit"), "/machine/time", "field 'chip_flit' is missing"),
        (MESH, machine_entry("arity", 1), "/machine/arity", "1 is less than the minimum of 2"),
        (TREE, machine_entry("mesh", [2, 2]), "/machine/mesh", "the tiles of a tree are [2, 2]"),
        (TREE, machine_entry("chip", [2, 1]), "/machine/chip", "a tree of several chips"),
        (MESH, machine_entry("chip", [3, 1]), "/machine/chip", "does not consist of chips of [3, 1]"),
        (CHIPS, chip_flit(0), "/machine/time/chip_flit", "flits take 4 within a chip and 0 between chips"),
        (MESH, flow_of_a("path", [[0, 0]]), "/flows/", "Additional properties are not allowed"),
        (MESH, flow_of_a("to", "host"), "/flows/", "'host' is not of type 'array'"),
        (MESH, flow_of_a("to", [[1, 0], [3, 0]]), "/branches", "3 branches to 2 destinations"),
        (MESH, flow_of_a("to", [[1, 0], [3, 0], [3, 0]]), "/flows/", "a second flow from 'sa' to tile [3, 0]"),
        (MESH, flow_of_a("to", [[1, 0], [2, 0], "host"]), "/flows/", "no channel needs the flow from 'sa' to tile [2"),
        (
            MESH,
            flow_of_a("branches", [[[0, 0], [1, 0]], [[0, 0], [1, 0], [2, 0], [3, 0]], [[0, 0]]]),
            "/branches/1",
            "the path (0, 0), (1, 0), (2, 0), (3, 0) is not the way in x first, then in y",
        ),
        (
            TREE,
            flow_of_a("branches", [[[0, 0], [1, 0]], [[0, 0], [3, 0]], [[0, 0]]]),
            "/branches/0",
            "the path (0, 0), (1, 0) is not the way up and down the tree",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, floor: dict[str, Any], change: Change, place: str, message: str) -> None:
    builder = fan(**floor)
    document = builder.document()
    change(document)
    write(tmp_path, document, builder.tensors)
    with pytest.raises(SnnirError) as caught:
        load(tmp_path)
    assert message in caught.value.message
    assert place in caught.value.place
    assert caught.value.hint
