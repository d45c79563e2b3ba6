"""Published SDF3 graphs through `snn-opt`: the periods that several independent tools computed, and damaged files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from snnir.dialects.dataflow import GraphOp
from snnir.frontend.notes import collected
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sdf3.reader import read
from snnir.testing import run_in_process

LARGEST = 300_000
"""Firings of an iteration up to which a graph is analysed here."""
DAMAGED = ("kiter__NiknamFig1__noac", "dfs__neuromorphic.4.arch", "sdf3__h263decoder")


def test_periods_of_published_graphs(shared_data: Path) -> None:
    """Every graph, read and analysed by the command, has the period of the table, or none where nothing bounds it."""
    wrong: list[str] = []
    compared = 0
    with (shared_data / "sdf3" / "throughput.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if int(row["sum_repetition_vector"]) > LARGEST or row["period_exact"] == "skipped_size":
            continue
        path = shared_data / "sdf3" / f"{row['graph']}.xml"
        outcome = run_in_process(["snn-opt", str(path), "-p", "dataflow-analyze-throughput{slack=false}"])
        assert outcome.code == 0, outcome.err
        words = outcome.out.split(" {", 2)[1].split()
        unbounded = row["period_exact"] == "inf_throughput"
        found = "unbounded" if "unbounded" in words else words[words.index("period") + 1]
        if found != ("unbounded" if unbounded else str(Fraction(row["period_exact"]))):
            wrong.append(f"{row['graph']}: {found}, not {row['period_exact']}")
        compared += 1
    assert not wrong
    assert compared >= 118


def test_the_text_of_published_graphs_comes_back(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "sdf3").glob("*.xml"))
    assert len(paths) >= 100
    for path in [each for each in paths if each.stat().st_size < 30_000]:
        first = run_in_process(["snn-opt", str(path)])
        assert first.code == 0, first.err
        (tmp_path / "a.mlir").write_text(first.out)
        second = run_in_process(["snn-opt", str(tmp_path / "a.mlir")])
        assert second.out == first.out, path.name


@pytest.mark.parametrize(("part", "period"), [(8, "112"), (4, "224"), (2, "448"), (3, "896/3")])
def test_lenet_on_one_tile(shared_data: Path, tmp_path: Path, part: int, period: str) -> None:
    """The tutorial's network, all on one tile: 7 * 16 of work in slices of a wheel of 8.

    SDF3 says 224 and 448 for slices of 4 and 2, and 280 for 3, less than the 112 / (3 / 8) that the work alone needs.
    """
    folder = shared_data / "sdf3"
    application = (
        (folder / "dfs__LeNet-MNIST.xml").read_text().replace('processor type="p"', 'processor type="crossbar"')
    )
    platform = (folder / "dfs__neuromorphic.4.arch.xml").read_text()
    platform = platform[platform.index("<architectureGraph") : platform.index("</sdf3>")]
    actors = [f"actor_{number}" for number in (0, 4, 1, 2, 5, 3, 7)]
    bound = "".join(f'<actor name="{actor}"/>' for actor in actors)
    states = "".join(f'<state actor="{actor}"/>' for actor in actors)
    mapping = f"""<mapping appGraph="LeNet-MNIST.2" archGraph="random_graph"><tile name="tile_0">
      <processor name="proc" timeslice="{part}">{bound}<schedule>{states}</schedule></processor></tile></mapping>"""
    path = tmp_path / "lenet.xml"
    path.write_text(application.replace("</sdf3>", f"{platform}{mapping}</sdf3>"))
    outcome = run_in_process(["snn-opt", str(path), "-p", "dataflow-analyze-throughput"])
    assert f" period {period} " in outcome.out, outcome.err
    assert f"wheel 8 slice {part} utilisation {112 / Fraction(period)}\n" in outcome.out


def _flip(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << random.randrange(8))]) + data[place + 1 :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def _drop_line(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[random.randrange(len(lines))]
    return b"".join(lines)


def _swap_word(data: bytes, random: Random) -> bytes:
    """One quoted value in the place of another."""
    pieces = data.split(b'"')
    first, second = (random.randrange(1, len(pieces), 2) for _ in range(2))
    pieces[first] = random.choice([pieces[second], b"", b"-1", b"1e9", b"9" * 30, b"0*1", b"\xff", b"true"])
    return b'"'.join(pieces)


@pytest.mark.parametrize("damage", [_flip, _cut, _drop_line, _swap_word])
def test_damaged_files_give_one_line(
    shared_data: Path, tmp_path: Path, damage: Callable[[bytes, Random], bytes]
) -> None:
    """Whatever is changed in a file: it is read, or one located line says what is wrong; never a traceback."""
    refused = 0
    for name in DAMAGED:
        data = (shared_data / "sdf3" / f"{name}.xml").read_bytes()
        random = Random(name)
        for _ in range(60):
            path = tmp_path / "a.xml"
            path.write_bytes(damage(data, random))
            outcome = run_in_process(["snn-opt", str(path)])
            lines = [line for line in outcome.err.splitlines() if not line.startswith("  ") and ": note: " not in line]
            assert "internal error" not in outcome.err
            assert "Traceback" not in outcome.err
            if outcome.code:
                assert len(lines) == 1, outcome.err
                assert lines[0].startswith(f"{path}:"), lines
                assert ": error: " in lines[0]
                refused += 1
            else:
                assert not lines
    assert refused >= 20


def test_a_large_file(shared_data: Path) -> None:
    with collected():
        (graph,) = read(shared_data / "sdf3" / "ib5__H264_sized.xml", FrontendOptions()).body.block.ops
    assert isinstance(graph, GraphOp)
    assert sum(len(actor.reads) for actor in graph.actors) == 6922
