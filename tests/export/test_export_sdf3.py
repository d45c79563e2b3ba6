"""SDF3 files that are written say what was read, and of our own graphs what analysis needs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.parser import Parser

from snnir.dialects.dataflow import Dataflow, GraphOp
from snnir.errors import SnnirError
from snnir.export.sdf3.writer import sdf3_text
from snnir.export.sdf3.xml import decimal
from snnir.frontend.notes import Notes, collected
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sdf3.reader import read
from snnir.maxplus import analyze
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.testing import run_in_process
from tests.sdf3_files import DECODER, read_text, without

OWN = """
dataflow.graph of @echo unit "ns" activity "peak" {
  %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<8>
  %a = dataflow.actor slice @c0.a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 1 capacity 3) makes(1)
    : (!dataflow.token<8>, !dataflow.token<4>) -> !dataflow.token<6>
  %s = dataflow.actor send @a.send time 7 mean 7 reads(%a[1]) makes(1) : (!dataflow.token<6>) -> !dataflow.token<6>
  %c = dataflow.actor carry @a.carry time 50 mean 50 concurrent reads(%s[1]) makes(1)
    : (!dataflow.token<6>) -> !dataflow.token<6>
  %b = dataflow.actor slice @c1.b on @c0 time 25 mean 20 reads(%c[1] capacity 1) makes(1)
    : (!dataflow.token<6>) -> !dataflow.token<4>
  dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<4>) -> ()
  dataflow.order @c0 [@c0.a, @c1.b]
}
"""


def parsed(text: str) -> ModuleOp:
    """IR text as a verified module."""
    context = Context()
    for dialect in (Builtin, Dataflow):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def graph_of(module: ModuleOp) -> GraphOp:
    """The graph of a module."""
    (graph,) = [op for op in module.body.block.ops if isinstance(op, GraphOp)]
    return graph


def written(module: ModuleOp, folder: Path, notes: Notes | None = None) -> ModuleOp:
    """The module written and read again."""
    with collected():
        return read_text(folder, sdf3_text(module, notes or Notes()))


@pytest.mark.parametrize("missing", ["", "applicationGraph", "architectureGraph"])
def test_what_is_read_is_written(tmp_path: Path, missing: str) -> None:
    text = without(without(DECODER, "mapping"), missing) if missing else DECODER
    notes = Notes()
    with collected():
        module = read_text(tmp_path, text)
    again = written(module, tmp_path, notes)
    assert str(again) == str(module)
    assert not notes.lines
    assert sdf3_text(again, Notes()) == sdf3_text(module, Notes())


def test_published_graphs_come_back(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "sdf3").glob("*.xml"))
    assert len(paths) >= 100
    for path in paths:
        notes = Notes()
        module = read(path, FrontendOptions())
        assert str(written(module, tmp_path, notes)) == str(module), path.name
        assert not notes.lines


def test_our_own_graphs_keep_their_period(tmp_path: Path) -> None:
    """Self loops, space before transport, and the order of a crossbar are said as channels."""
    module = parsed(OWN)
    notes = Notes()
    again = written(module, tmp_path, notes)
    period = analyze(to_sdf(graph_of(module))).period
    assert period == 112
    assert analyze(to_sdf(graph_of(again))).period == period
    assert [a.sym_name.data for a in graph_of(again).actors] == [a.sym_name.data for a in graph_of(module).actors]
    assert all(actor.concurrent.data for actor in graph_of(again).actors)
    assert "left out: the unit of time, ns, expected times (mean)" in "".join(notes.lines)


ORDER = "  dataflow.order @c0 [@c0.a, @c1.b]\n"
LOOP = "tokens 1 capacity 3"
SPACE = "capacity 1)"


@pytest.mark.parametrize(
    ("changes", "period"),
    [
        ({ORDER: "", SPACE: "capacity 9)"}, 112),  # the loop of @c0.a and @c1.b with one token
        ({ORDER: "", LOOP: "tokens 3 capacity 5"}, 112),  # space for one token from @c0.a to @c1.b
        ({ORDER: "", LOOP: "tokens 3 capacity 5", SPACE: "capacity 2)"}, 56),
        ({LOOP: "tokens 3 capacity 5", SPACE: "capacity 9)"}, 112),  # the order
        ({ORDER: "", LOOP: "tokens 9 capacity 99", SPACE: "capacity 99)"}, 30),  # one firing of @c0.a at a time
    ],
)
def test_each_constraint_of_our_own_graphs(tmp_path: Path, changes: dict[str, str], period: int) -> None:
    text = OWN
    for find, replace in changes.items():
        assert find in text
        text = text.replace(find, replace)
    module = parsed(text)
    assert analyze(to_sdf(graph_of(module))).period == period
    assert analyze(to_sdf(graph_of(written(module, tmp_path)))).period == period


def test_an_order_alone_keeps_actors_apart(tmp_path: Path) -> None:
    text = """dataflow.graph activity "worst" {
      dataflow.actor task @a on @t time 30 : () -> ()
      dataflow.actor task @b on @t time 25 : () -> ()
      dataflow.order @t [@a, @b]
    }"""
    assert analyze(to_sdf(graph_of(written(parsed(text), tmp_path)))).period == 55


def test_orders_that_channels_cannot_say_are_named(tmp_path: Path) -> None:
    text = OWN.replace("[@c0.a, @c1.b]", "[@c0.a, @c1.b] wheel 8 slice 4")
    notes = Notes()
    written(parsed(text), tmp_path, notes)
    assert any("left out: the order of @c0" in line for line in notes.lines)


def test_results_are_named_as_left_out(tmp_path: Path) -> None:
    notes = Notes()
    text = OWN.replace('"peak" {', '"peak" period 112 latency 112 critical [@c0.a] {')
    written(parsed(text), tmp_path, notes)
    assert any("what was found (period, latency, critical)" in line for line in notes.lines)


def test_tokens_that_nobody_reads_are_named(tmp_path: Path) -> None:
    notes = Notes()
    text = 'dataflow.graph activity "worst" { %a = dataflow.actor task @a time 1 makes(1) : () -> !dataflow.token<1> }'
    written(parsed(text), tmp_path, notes)
    assert any("left out: 1 results that no actor reads" in line for line in notes.lines)


@pytest.mark.parametrize(
    ("value", "text", "exact"),
    [("3/1000", "0.003", True), ("7", "7", True), ("1/3", "0.333333333333333333333334", False), ("0", "0", True)],
)
def test_decimals_are_exact_or_the_next_above(value: str, text: str, exact: bool) -> None:
    assert decimal(Fraction(value)) == (text, exact)


def test_modules_that_are_no_sdf3_file() -> None:
    with pytest.raises(SnnirError, match="neither a dataflow graph nor an architecture"):
        sdf3_text(ModuleOp([]), Notes())
    with pytest.raises(SnnirError, match=r"holds one dataflow\.graph, the module holds 2"):
        sdf3_text(parsed(OWN + OWN), Notes())
    name = 'dataflow.graph activity "worst" { dataflow.actor task @"a\\01" time 1 : () -> () }'
    with pytest.raises(SnnirError, match=r"XML cannot write the character U\+0001"):
        sdf3_text(parsed(name), Notes())


def test_the_command_writes_by_the_ending_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.mlir").write_text(OWN)
    assert run_in_process(["snn-opt", f"{tmp_path}/a.mlir", "-o", f"{tmp_path}/a.xml"]).code == 0
    printed = run_in_process(["snn-opt", f"{tmp_path}/a.mlir", "-t", "sdf3"])
    assert printed.out == (tmp_path / "a.xml").read_text()
    assert "note: left out: the unit of time, ns" in printed.err
    again = run_in_process(["snn-opt", f"{tmp_path}/a.xml", "-p", "dataflow-analyze-throughput"])
    assert "period 112 " in again.out
    refused = run_in_process(["snn-opt", f"{tmp_path}/a.mlir", "-t", "sdf3", "--print-op-generic"])
    assert (refused.code, refused.out) == (1, "")


def test_commands_for_networks_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(DECODER)
    for command in (["import"], ["compile", "-o", f"{tmp_path}/b"], ["check"], ["sim"]):
        outcome = run_in_process(["snnc", command[0], f"{tmp_path}/a.xml", *command[1:]])
        assert outcome.code == 1
        assert f"{tmp_path}/a.xml: error: an SDF3 file holds a dataflow graph, and no network" in outcome.err
        assert f"fix: snn-opt {tmp_path}/a.xml -p dataflow-analyze-throughput" in outcome.err
