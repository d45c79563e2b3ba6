"""DFSynthesizer's tutorial from its own files, through `snn-opt`: docs/published-guarantee.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from snnir.testing import Outcome, run_in_process

Opt = Callable[[str], Outcome]

ON_TILES = (
    "dataflow-bind{{architecture={folder}/dfs__neuromorphic.4.arch.xml processors=any algorithm=file "
    "file={file}{more}}}"
)
SIZED = "dataflow-size-buffers{period=96},"
"""The smallest buffers without deadlock, as in the tutorial."""


@pytest.fixture
def files(shared_data: Path, tmp_path: Path) -> dict[str, Path]:
    """The binding files of the tutorial: the given one, and all clusters on one tile."""
    one = tmp_path / "tile_binding_1.txt"
    one.write_text("0 0 1 2 3 4 5 7\n")
    return {"one": one, "given": shared_data / "sdf3" / "dfs__tile_binding_2.txt"}


@pytest.fixture
def opt(shared_data: Path) -> Opt:
    """Runs passes on the graph of the tutorial."""
    graph = shared_data / "sdf3" / "dfs__LeNet-MNIST.xml"
    return lambda passes: run_in_process(["snn-opt", str(graph), "-p", passes])


def throughput(outcome: Outcome) -> Fraction:
    """Iterations per time unit, from what is printed."""
    assert outcome.code == 0, outcome.err
    found = re.search(r"dataflow\.graph .*? period (\S+)", outcome.out)
    assert found is not None
    return 1 / Fraction(found[1])


def test_unbound(opt: Opt) -> None:
    assert throughput(opt("dataflow-analyze-throughput")) == Fraction(1, 16)


@pytest.mark.parametrize(("share", "expected"), [("1/2", 224), ("1/4", 448), ("3/8", Fraction(896, 3))])
def test_all_on_one_tile(
    opt: Opt, shared_data: Path, files: dict[str, Path], share: str, expected: Fraction | int
) -> None:
    """At 3/8 the tutorial says 1/280."""
    bind = ON_TILES.format(folder=shared_data / "sdf3", file=files["one"], more="")
    slices = f"dataflow-allocate-slices{{share={share} analysis=exact}}"
    passes = f"{bind},dataflow-schedule{{algorithm=fifo}},{slices}"
    assert throughput(opt(passes)) == 1 / Fraction(expected)
    # exact and guaranteed are the same here
    assert throughput(opt(f"{passes},dataflow-analyze-throughput")) == 1 / Fraction(expected)
    simulated = opt(f"{passes},dataflow-simulate").out
    assert f"simulated {Fraction(expected)} " in simulated


@pytest.mark.parametrize(
    ("share", "exact", "guaranteed"), [("1/2", 200, Fraction(403, 2)), ("1/4", 296, Fraction(597, 2))]
)
def test_the_given_binding(
    opt: Opt, shared_data: Path, files: dict[str, Path], share: str, exact: int, guaranteed: Fraction
) -> None:
    bind = ON_TILES.format(folder=shared_data / "sdf3", file=files["given"], more=" transport=sdf3")
    # the order is made for half of each wheel, as in the tutorial
    slices = f"dataflow-allocate-slices{{share={share} analysis=exact}}"
    passes = f"{SIZED}{bind},dataflow-schedule{{algorithm=fifo share=1/2}},{slices}"
    assert throughput(opt(passes)) == Fraction(1, exact)
    assert throughput(opt(f"{passes},dataflow-analyze-throughput")) == 1 / guaranteed
    assert f"simulated {exact} " in opt(f"{passes},dataflow-simulate").out
    # pauses that tokens wait for are gone with the slices
    unsliced = f"{passes},dataflow-schedule{{algorithm=fifo}}"
    assert re.findall(r"carry @wait_\d+ time (\d+)", opt(passes).out) == [str(8 - 8 * Fraction(share))] * 8
    assert re.findall(r"carry @wait_\d+ time (\d+)", opt(unsliced).out) == ["0"] * 8


def test_without_the_word_any_the_mismatch_is_said(opt: Opt, shared_data: Path, files: dict[str, Path]) -> None:
    """The public copy of the graph names another type of processor than the tiles."""
    bind = ON_TILES.format(folder=shared_data / "sdf3", file=files["one"], more="").replace(" processors=any", "")
    outcome = opt(bind)
    assert outcome.code == 1
    assert "dfs__LeNet-MNIST.xml:" in outcome.err
    assert "error: @actor_0 runs on 'p'; the tiles of @random_graph have 'crossbar'" in outcome.err
    assert "fix: correct the type, or let every actor run on every tile for the time it says: processors=any" in (
        outcome.err
    )


@pytest.mark.parametrize(
    ("name", "text", "place", "message"),
    [
        ("missing.xml", None, "missing.xml", "cannot be read: No such file or directory"),
        ("bad.xml", "<sdf3", "bad.xml:1:1", "not well-formed XML"),
        ("other.xml", "<html/>", "other.xml:1:1", "the root is <html>, not <sdf3>"),
        ("wheel.xml", None, "wheel.xml:4:1", "the wheel of tile 't' has no length"),
        ("graph.xml", None, "graph.xml:2:1", "the file holds no <architectureGraph>"),
    ],
)
def test_files_that_are_no_architecture(
    opt: Opt, shared_data: Path, tmp_path: Path, name: str, text: str | None, place: str, message: str
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    elif name == "graph.xml":
        path.write_text((shared_data / "sdf3" / "dfs__LeNet-MNIST.xml").read_text())
    elif name == "wheel.xml":
        path.write_text(
            '<sdf3 type="sdf">\n<architectureGraph name="a"><tile name="t">\n<processor name="p" type="p">\n'
            '<arbitration type="TDMA"/></processor></tile></architectureGraph></sdf3>\n'
        )
    outcome = opt(f"dataflow-bind{{architecture={path}}}")
    assert outcome.code == 1
    assert f"{tmp_path}/{place}: error: {message}" in outcome.err
    assert "\n  fix: " in outcome.err
    assert "Traceback" not in outcome.err


def test_a_binding_file_that_is_missing_or_of_another_graph(opt: Opt, shared_data: Path, tmp_path: Path) -> None:
    def bound_by(file: Path) -> str:
        outcome = opt(ON_TILES.format(folder=shared_data / "sdf3", file=file, more=""))
        assert outcome.code == 1
        return outcome.err

    assert f"{tmp_path}/none.txt: error: cannot be read: No such file or directory\n  fix: " in bound_by(
        tmp_path / "none.txt"
    )
    other = tmp_path / "other.txt"
    other.write_text("0 0 1 2\n1 6\n")
    assert f"{other}:2: error: there is no actor 6\n  fix: " in bound_by(other)
    other.write_text("7 0 1 2\n")
    assert f"{other}:1: error: there is no tile 7\n  fix: " in bound_by(other)


def test_two_architectures(opt: Opt, shared_data: Path, files: dict[str, Path]) -> None:
    bind = ON_TILES.format(folder=shared_data / "sdf3", file=files["one"], more="")
    outcome = opt(f"{bind},{bind}")
    assert outcome.code == 1
    assert "error: the module holds a dataflow.architecture already" in outcome.err


def test_the_rest_of_the_second_file_is_left_out_with_a_note(shared_data: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.xml"
    folder = shared_data / "sdf3"
    tiles = (folder / "dfs__neuromorphic.4.arch.xml").read_text()
    tiles = tiles[tiles.index("<architectureGraph") : tiles.index("</sdf3>")]
    graph = (folder / "dfs__LeNet-MNIST.xml").read_text()
    both.write_text(graph.replace("</sdf3>", tiles + "</sdf3>"))
    passes = f"dataflow-bind{{architecture={both} processors=any algorithm=load-balance}}"
    outcome = run_in_process(["snn-opt", str(folder / "dfs__LeNet-MNIST.xml"), "-p", passes])
    assert outcome.code == 0
    assert outcome.err == f"{both}: note: left out: all but the <architectureGraph>\n"
