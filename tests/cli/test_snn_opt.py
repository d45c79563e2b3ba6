"""The driver: input, output, observation, errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute
from xdsl.utils.diagnostic import Diagnostic

from snnir.testing import Outcome

SnnOpt = Callable[..., Outcome]
TWO_RESULTS = "func.func @f(%x : i32) -> i32 {\n    func.return %x, %x : i32, i32\n}\n"


def test_without_a_pipeline_the_text_is_reproduced(snn_opt: SnnOpt, program: Path) -> None:
    first = snn_opt(program)
    assert first.code == 0
    assert first.err == ""
    assert '%1 = "test.pureop"() : () -> i32' in first.out
    again = snn_opt(stdin=first.out)
    assert again.out == first.out
    assert first.out.endswith("}\n")
    assert not first.out.endswith("\n\n")


@pytest.mark.parametrize("flag", ["--pass-pipeline", "--passes", "-p"])
@pytest.mark.parametrize("text", ["builtin.module(cse, dce)", "cse, dce", "cse,dce"])
def test_every_flag_takes_every_spelling(snn_opt: SnnOpt, program: Path, flag: str, text: str) -> None:
    outcome = snn_opt(program, flag, text)
    assert outcome.code == 0
    assert "test.op" in outcome.out
    assert "test.pureop" not in outcome.out


def test_two_pipelines_are_refused(snn_opt: SnnOpt, program: Path) -> None:
    outcome = snn_opt(program, "-p", "cse", "--pass-pipeline", "dce")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("snn-opt: error: both --pass-pipeline and --passes are given\n")


# Errors


@pytest.mark.parametrize(
    ("arguments", "stdin", "error"),
    [
        (["nothing.mlir"], "", "nothing.mlir: error: No such file or directory\n  fix: name a file that is there\n"),
        (["-p", "csee"], "", "<pass-pipeline>:1:1: error: unknown pass 'csee'\n  fix: did you mean 'cse'?\n"),
        (["--no-such"], "", "snn-opt: error: unrecognized arguments: --no-such\n  fix: snn-opt --help "),
        (["--steps", "x"], "", "snn-opt: error: argument --steps: invalid int value: 'x'\n"),
        (["-t", "asm"], "", "snn-opt: error: unknown target 'asm'\n  fix: known: mlir, sdf3\n"),
        (["--dt", "0.1"], "", "snn-opt: error: --dt is for programs (snn, nir, onnx, sonata, neurons)\n"),
        (["-f", "snn"], "", "<stdin>: error: a .snn program is read from a file only\n"),
        ([], "func.func @f(", "<stdin>:1:14: error: Expected argument or type\n  func.func @f(\n               ^\n"),
        (
            [],
            '\n"no.op"() : () -> ()',
            '<stdin>:2:8: error: Operation no.op is not registered\n  "no.op"() : () -> ()\n',
        ),
        ([], "func.func @f() {\n  func.return %y : i32\n}", "<stdin>:2:15: error: values used but not defined: [%y]\n"),
        ([], TWO_RESULTS, "<stdin>:2:5: error: func.return: Expected arguments to have the same types as"),
        ([], '"test.op"() {a = #builtin.int<x>} : () -> ()', "<stdin>:1:31: error: "),
    ],
)
def test_bad_input_is_one_located_line(snn_opt: SnnOpt, arguments: list[str], stdin: str, error: str) -> None:
    outcome = snn_opt(*arguments, stdin=stdin)
    assert outcome.err.startswith(error)
    assert (outcome.code, outcome.out) == (1, "")
    assert all(line.startswith("  ") for line in outcome.err.splitlines()[1:])
    assert "Traceback" not in outcome.err


def test_input_that_is_not_text(snn_opt: SnnOpt, tmp_path: Path) -> None:
    path = tmp_path / "x.mlir"
    path.write_bytes(b"\xff\xfe")
    assert snn_opt(path).err == f"{path}: error: not UTF-8 text: invalid start byte at byte 0\n"


@pytest.mark.parametrize("name", ["x", "x.xyz", "x.mlir.bak"])
def test_unknown_extensions_list_the_known_ones(snn_opt: SnnOpt, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("builtin.module {}")
    outcome = snn_opt(path)
    assert outcome.code == 1
    assert outcome.err.startswith(f"{path}: error: ")
    assert "known are .mlir, .snn, .nir" in outcome.err
    assert snn_opt(path, "-f", "mlir").out == "builtin.module {\n}\n"


def test_a_long_source_line_is_cut_around_the_caret(snn_opt: SnnOpt) -> None:
    outcome = snn_opt(stdin=f'"test.op"() {{a = "{"x" * 100_000}", b = ?}} : () -> ()')
    _, line, caret = outcome.err.splitlines()
    assert len(line) < 130
    assert line[caret.index("^")] == "?"


def test_the_module_is_not_printed_into_an_error(snn_opt: SnnOpt) -> None:
    blob = f'"test.op"() {{a = "{"x" * 100_000}"}} : () -> ()\n'
    outcome = snn_opt(stdin=blob + TWO_RESULTS)
    assert outcome.err.startswith("<stdin>:3:5: error: func.return: ")
    assert len(outcome.err) < 500


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("pass", "{place}:1:1: error: func.func: this op will not do (in fail)\n"),
        ("bare", "{place}: error: nothing to do (in fail)\n"),
        ("snnir", "net.snn:3:4: error: too large\n  fix: make it smaller\n"),
        ("value", "{place}: error: bad value (in fail)\n"),
        ("verify", "{place}: error: never valid (after fail)\n"),
        ("other", "{place}: error: internal error: KeyError: 'other' (in fail)\n"),
    ],
)
def test_failing_passes(snn_opt: SnnOpt, program: Path, extra: str, how: str, error: str) -> None:
    outcome = snn_opt(program, "--load", extra, "-p", f"fail{{how={how}}}")
    assert outcome.err.startswith(error.format(place=program))
    assert (outcome.code, outcome.out) == (1, "")
    assert "Traceback" not in outcome.err
    with_traceback = snn_opt(program, "--load", extra, "-p", f"fail{{how={how}}}", "--debug")
    assert "Traceback" in with_traceback.err
    assert outcome.err in with_traceback.err


def test_an_interrupt_is_quiet(snn_opt: SnnOpt, program: Path, extra: str) -> None:
    outcome = snn_opt(program, "--load", extra, "-p", "fail{how=interrupt}")
    assert outcome == Outcome(130, "", "interrupted\n")


# Chunks and expected diagnostics


def test_lines_count_from_the_start_of_a_split_file(snn_opt: SnnOpt) -> None:
    text = f"// one\n{TWO_RESULTS}// -----\nbuiltin.module {{}}\n// -----\n\n{TWO_RESULTS}// -----\nfunc.func @g(\n"
    outcome = snn_opt("--split-input-file", "--verify-diagnostics", "--parsing-diagnostics", stdin=text)
    assert outcome.code == 0
    places = re.findall(r"^<stdin>:(\d+:\d+): error", outcome.out, re.MULTILINE)
    assert places[:2] == ["3:5", "10:5"]
    assert places[2] == "13:14"
    assert outcome.out.count("\n// -----\n") == 3
    assert "\nbuiltin.module {\n}\n" in outcome.out


def test_a_split_mark_inside_a_line_does_not_split(snn_opt: SnnOpt) -> None:
    outcome = snn_opt("--split-input-file", stdin='"test.op"() {a = "// -----"} : () -> () // -----\n')
    assert outcome.code == 0
    assert '"// -----"' in outcome.out


def test_the_type_verifier_is_located(snn_opt: SnnOpt) -> None:
    text = '"test.op"() : () -> ()\n"test.op"() {a = !snn.signal<0, spike>} : () -> ()\n'
    outcome = snn_opt(stdin=text)
    assert outcome.err.startswith("<stdin>:2:29: error: !snn.signal: ")
    assert snn_opt("--verify-diagnostics", stdin=text).out == outcome.err


# Output


def test_output_file_holds_the_text(snn_opt: SnnOpt, program: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mlir"
    outcome = snn_opt(program, "-o", target)
    assert outcome == Outcome(0, "", "")
    assert target.read_text() == snn_opt(program).out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mlir", "out.mlir"]
    assert target.stat().st_mode & 0o444 == 0o444


def test_a_failure_leaves_the_old_output(snn_opt: SnnOpt, program: Path, extra: str, tmp_path: Path) -> None:
    target = tmp_path / "out.mlir"
    target.write_text("old")
    for how in ("pass", "verify", "other", "interrupt"):
        assert snn_opt(program, "--load", extra, "-p", f"cse, fail{{how={how}}}", "-o", target).code != 0
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mlir", "out.mlir"]


def test_output_that_cannot_be_written_is_found_first(snn_opt: SnnOpt, tmp_path: Path) -> None:
    missing = tmp_path / "no" / "out.mlir"
    assert snn_opt("nothing.mlir", "-o", missing).err.startswith(f"{missing}: error: there is no directory")
    assert snn_opt("nothing.mlir", "-o", tmp_path).err.startswith(f"{tmp_path}: error: this is a directory")


def test_an_output_that_the_system_refuses_is_named(snn_opt: SnnOpt, program: Path) -> None:
    assert snn_opt(program, "-o", "/dev/full").err == (
        "/dev/full: error: cannot be written: No space left on device\n  fix: name a file that can\n"
    )


def test_an_attribute_in_the_syntax_of_an_operation_is_located(snn_opt: SnnOpt) -> None:
    text = 'dataflow.graph @g activity "worst" {\n  dataflow.actor task @a time 1 processors("p" -1) : () -> ()\n}\n'
    assert snn_opt(stdin=text).err.startswith("<stdin>:2:3: error: neither times nor memory are negative")


def test_a_device_is_written_directly(snn_opt: SnnOpt, program: Path) -> None:
    assert snn_opt(program, "-o", "/dev/null") == Outcome(0, "", "")
    assert not Path("/dev/null").is_file()


def test_generic_syntax_and_locations(snn_opt: SnnOpt, program: Path) -> None:
    assert '"func.return"(%0) : (i32) -> ()' in snn_opt(program, "--print-op-generic").out
    with_locations = snn_opt(program, "--print-debuginfo").out
    assert f'"test.pureop"() : () -> i32 loc("{program}":3:3)' in with_locations
    again = snn_opt("--print-debuginfo", stdin=with_locations)
    assert again.out == with_locations


# Observation


def test_dumps_go_to_stderr(snn_opt: SnnOpt, program: Path) -> None:
    plain = snn_opt(program, "-p", "cse,dce")
    outcome = snn_opt(program, "-p", "cse,dce", "--print-ir-before-all", "--print-ir-after-all")
    assert outcome.out == plain.out
    titles = re.findall(r"// IR Dump (.*) //----- //", outcome.err)
    assert titles == ["Before cse", "After cse", "Before dce", "After dce"]
    assert outcome.err.count("func.func @f") == 4


def test_stock_observation_goes_to_stderr_too(snn_opt: SnnOpt, program: Path) -> None:
    outcome = snn_opt(program, "-p", "cse,dce", "--print-between-passes", "--time-passes")
    assert outcome.out == snn_opt(program, "-p", "cse,dce").out
    assert re.search(r"^Pass cse took [\d.e-]+ seconds$", outcome.err, re.MULTILINE)
    assert outcome.err.count("IR Dump Between cse and dce") == 1


def test_ir_that_does_not_verify_is_dumped(snn_opt: SnnOpt, program: Path, extra: str) -> None:
    outcome = snn_opt(program, "--load", extra, "-p", "fail{how=verify}", "--print-ir-after-all")
    assert "IR Dump After fail{how=verify} Failed" in outcome.err
    assert '"extra.broken"() : () -> ()' in outcome.err


def test_timing_adds_up(snn_opt: SnnOpt, program: Path) -> None:
    outcome = snn_opt(program, "-p", "cse,dce,cse", "--timing")
    assert outcome.out == snn_opt(program, "-p", "cse,dce,cse").out
    rows = re.findall(r"^(\S+) +([\d.]+) +([\d.]+) %$", outcome.err, re.MULTILINE)
    assert [name for name, _, _ in rows] == ["load", "read", "verify", "cse", "dce", "print", "write", "rest", "total"]
    seconds = {name: float(value) for name, value, _ in rows}
    assert sum(seconds.values()) - seconds["total"] == pytest.approx(seconds["total"], abs=1e-3)
    assert sum(float(share) for name, _, share in rows if name != "total") == pytest.approx(100, abs=0.5)


def test_statistics_are_those_of_each_run(snn_opt: SnnOpt, program: Path, extra: str) -> None:
    outcome = snn_opt(program, "--load", extra, "-p", "mark,cse,mark", "--statistics")
    assert outcome.err == "statistics\nmark:\n         5  ops-seen\nmark:\n         4  ops-seen\n"


def test_list_passes_tells_types_defaults_and_meanings(snn_opt: SnnOpt, extra: str) -> None:
    outcome = snn_opt("--list-passes", "--load", extra)
    assert outcome.code == 0
    assert (
        "\nmark\n    Write the options onto the module.\n      number: int = 1\n          A whole number.\n"
        in outcome.out
    )
    for line in ("ratio: float = 0.5", "mode: one of fast, slow = fast", "sizes: int,... = none", "limit: int = none"):
        assert f"\n      {line}\n" in outcome.out
    assert "\n      what-for: str (required)\n" in outcome.out
    assert "second paragraph" not in outcome.out
    assert "\ncanonicalize\n" in outcome.out


# One process, many runs


def test_disable_verify_does_not_leak(snn_opt: SnnOpt, program: Path) -> None:
    before = Attribute.__post_init__
    assert snn_opt(stdin=TWO_RESULTS).code == 1
    assert snn_opt("--disable-verify", stdin=TWO_RESULTS).code == 0
    assert Attribute.__post_init__ is before
    assert snn_opt(stdin=TWO_RESULTS).code == 1
    assert snn_opt(program, "--syntax-highlight").code == 0
    assert Diagnostic.colored is False
    assert IntAttr(3).data == 3


def test_diagnostics_are_restored(snn_opt: SnnOpt) -> None:
    stock = Diagnostic.raise_exception
    snn_opt(stdin=TWO_RESULTS)
    assert Diagnostic.raise_exception is stock
