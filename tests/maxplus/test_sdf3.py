"""Published SDF graphs, with the periods that several independent tools computed."""

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest

from snnir.maxplus import (
    Actor,
    Channel,
    CycleRatio,
    SDFGraph,
    TimedGraph,
    TooLarge,
    analyze,
    eigenvalue,
    iteration_matrix,
    k_periodic,
    maximum_cycle_ratio,
    periodic,
    repetition_vector,
)

SLOW = ("agb5__autogen1", "ib5__JPEG2000_sized")
"""Graphs whose critical cycles ask for blocks of an iteration, after many smaller ones."""


def read_sdf3(path: Path) -> SDFGraph:
    """An SDF3 application graph; actors are limited by self loops of the graph only."""
    root = ElementTree.parse(path).getroot()
    times: dict[str, tuple[int, ...]] = {}
    for properties in root.iter("actorProperties"):
        time = properties.find("processor/executionTime")
        assert time is not None
        times[properties.attrib["actor"]] = phases(time.attrib["time"])
    rates = {
        (actor.attrib["name"], port.attrib["name"]): phases(port.attrib["rate"])
        for actor in root.iter("actor")
        for port in actor.iter("port")
    }
    channels = [
        Channel(
            channel.attrib["srcActor"],
            channel.attrib["dstActor"],
            rates[channel.attrib["srcActor"], channel.attrib["srcPort"]],
            rates[channel.attrib["dstActor"], channel.attrib["dstPort"]],
            int(channel.attrib.get("initialTokens", "0")),
        )
        for channel in root.iter("channel")
    ]
    actors = [Actor(actor.attrib["name"], times[actor.attrib["name"]], None) for actor in root.iter("actor")]
    return SDFGraph(tuple(actors), tuple(channels))


def phases(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def references(folder: Path) -> Iterator[tuple[str, int, Fraction | None, SDFGraph]]:
    """Name, firings, period, graph, of all graphs for which tools found a period or that there is none."""
    with (folder / "throughput.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path, expected = folder / f"{row['graph']}.xml", row["period_exact"]
            if path.exists() and expected != "skipped_size":
                period = None if expected == "inf_throughput" else Fraction(expected)
                yield row["graph"], int(row["sum_repetition_vector"]), period, read_sdf3(path)


def test_periods_of_published_graphs(shared_data: Path) -> None:
    """By expansion: all of them, those with phases too."""
    found = {True: 0, False: 0}
    wrong: list[str] = []
    for name, firings, expected, sdf in references(shared_data / "sdf3"):
        assert sum(repetition_vector(sdf).values()) == firings
        result = analyze(sdf, slack=False)
        assert result.block is None
        if result.period != expected:
            wrong.append(f"{name}: {result.period}, not {expected}")
        found[any(phases > 1 for phases in sdf.phases)] += 1
    assert not wrong
    assert found[False] >= 90
    assert found[True] >= 14


def test_periodic_schedules_of_published_graphs(shared_data: Path) -> None:
    """By K-periodic schedules, those included for which a known tool promises more than there is (the first ones)."""
    names: set[str] = set()
    smaller = 0
    for name, firings, expected, sdf in references(shared_data / "sdf3"):
        if name not in SLOW:
            result = k_periodic(sdf, slack=False)
            assert (name, result.period) == (name, expected)
            names.add(name)
            smaller += sum(result.block.values()) < firings / 3
    assert names >= {f"rnd__{each}" for each in ("B_2", "B_6", "B_8", "B_10", "C_2", "C_4", "C_10")}
    assert len(names) >= 105
    assert smaller >= 25


def test_a_graph_of_41_million_firings_is_refused_at_once(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cycles are tight, with hardly a token more than they need, and ask for blocks of about an iteration."""
    sdf = read_sdf3(shared_data / "sdf3" / "agb5__autogen2.xml")
    edges: list[int] = []

    def counted(graph: TimedGraph) -> CycleRatio | None:
        edges.append(graph.edge_count)
        return maximum_cycle_ratio(graph)

    monkeypatch.setattr(periodic, "maximum_cycle_ratio", counted)
    with pytest.raises(TooLarge, match="agent27") as caught:
        analyze(sdf)
    assert edges
    assert sum(edges) < 50_000
    assert caught.value.period is not None
    # what the busiest actor alone needs
    assert caught.value.period >= 1306020


def test_eigenvalues_of_published_graphs(shared_data: Path) -> None:
    compared = 0
    for name, firings, expected, sdf in references(shared_data / "sdf3"):
        if firings < 300 and sum(channel.tokens for channel in sdf.channels) <= 40:
            assert (name, eigenvalue(iteration_matrix(sdf))) == (name, expected)
            compared += 1
    assert compared >= 40
