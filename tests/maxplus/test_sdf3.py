"""Published SDF graphs, with the periods that several independent tools computed."""

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from snnir.maxplus import Actor, Channel, SDFGraph, analyze, eigenvalue, iteration_matrix, repetition_vector

LARGEST = 20_000
"""Firings of an iteration up to which a graph is analysed here."""


def read_sdf3(path: Path) -> SDFGraph:
    """An SDF3 application graph of plain rates; actors are limited by self loops of the graph only."""
    root = ElementTree.parse(path).getroot()
    times: dict[str, int] = {}
    for properties in root.iter("actorProperties"):
        time = properties.find("processor/executionTime")
        assert time is not None
        times[properties.attrib["actor"]] = int(time.attrib["time"])
    rates = {
        (actor.attrib["name"], port.attrib["name"]): int(port.attrib["rate"])
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


def references(folder: Path) -> Iterator[tuple[str, int, str, SDFGraph]]:
    """Name, firings, expected answer, graph."""
    with (folder / "throughput.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / f"{row['graph']}.xml"
            firings = row["sum_repetition_vector"]
            if row["type"] == "sdf" and path.exists() and int(firings) <= LARGEST:
                yield row["graph"], int(firings), row["period_exact"], read_sdf3(path)


def test_periods_of_published_graphs(shared_data: Path) -> None:
    compared = 0
    wrong: list[str] = []
    for name, firings, expected, sdf in references(shared_data / "sdf3"):
        assert sum(repetition_vector(sdf).values()) == firings
        period = analyze(sdf, slack=False).period
        if period != (None if expected == "inf_throughput" else Fraction(expected)):
            wrong.append(f"{name}: {period}, not {expected}")
        compared += 1
    assert not wrong
    assert compared >= 90


def test_eigenvalues_of_published_graphs(shared_data: Path) -> None:
    compared = 0
    for name, firings, expected, sdf in references(shared_data / "sdf3"):
        if firings < 300 and sum(channel.tokens for channel in sdf.channels) <= 40:
            value = eigenvalue(iteration_matrix(sdf))
            assert (name, value) == (name, None if expected == "inf_throughput" else Fraction(expected))
            compared += 1
    assert compared >= 20
