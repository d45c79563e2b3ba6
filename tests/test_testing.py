"""The runner of RUN lines fails when it should."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from snnir.testing import SHORTHANDS, RunLineError, expand, run_in_process, run_lines, run_pipe, split_pipe

PROGRAM = 'func.func @f(%x : i32) -> i32 {\n  %y = "test.pureop"() : () -> i32\n  func.return %x : i32\n}\n'

pytest_plugins = ["pytester"]

CRASH = """
from dataclasses import dataclass
from xdsl.passes import ModulePass

@dataclass(frozen=True)
class Crash(ModulePass):
    name = "crash"
    def apply(self, ctx, op):
        raise KeyError("oops")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small program with a CHECK line."""
    path = tmp_path / "a.mlir"
    path.write_text(PROGRAM + "// CHECK: func.func @f\n// GONE: pureop\n")
    return path


def test_run_lines_are_found_and_joined() -> None:
    text = "// RUN: a %s \\\n// RUN:   | b\nx // RUN: no\n  //RUN: c\n// CHECK: RUN: d\n"
    assert run_lines(text) == ("a %s | b", "c")


def test_names_are_replaced(file: Path, tmp_path: Path) -> None:
    assert expand("a %s %S/b %t", file, tmp_path / "t") == f"a {file} {tmp_path}/b {tmp_path}/t"
    expanded = expand("ROUNDTRIP", file, tmp_path)
    assert expanded == SHORTHANDS["ROUNDTRIP"].replace("%s", str(file))
    assert "--print-op-generic" in expand("GENERIC_ROUNDTRIP", file, tmp_path)


def test_quotes_hold_words_together() -> None:
    assert split_pipe("a -p 'x | y' \"b{c d}\" | e 2>&1") == [["a", "-p", "x | y", "b{c d}"], ["e", "2>&1"]]


@pytest.mark.parametrize(
    "command",
    [
        "snn-opt %s | filecheck %s",
        "snn-opt %s -p dce -o %t",
        "not snn-opt %s -p nope",
        "not snn-opt %s -p nope 2>&1 | filecheck %s --check-prefix=CHECK --allow-empty --input-file %s",
        "snn-opt %s -p dce | not filecheck %s --check-prefix=GONE",
        "cat %s | snn-opt | filecheck %s",
        "snn-opt < %s | filecheck %s",
        "snn-opt %s > %t",
        "ROUNDTRIP",
        "GENERIC_ROUNDTRIP",
    ],
)
def test_commands_that_succeed(command: str, file: Path, tmp_path: Path) -> None:
    assert run_pipe(expand(command, file, tmp_path / "t")).count("Traceback") == 0


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("snn-opt %s -p nope | filecheck %s", "unknown pass 'nope'"),
        ("not snn-opt %s", "expected a failure"),
        ("snn-opt %s -p dce | filecheck %s --check-prefix=GONE", "Couldn't match"),
        ("snn-opt %s | filecheck %s --check-prefix=NONE", "No check strings found"),
        ("snn-opt %s -o %t | filecheck %s", "is empty"),
        ("not snn-opt %s --load %S/crash.py -p crash", "internal error"),
        ("rm %s", "unknown command 'rm'"),
    ],
)
def test_commands_that_fail(command: str, reason: str, file: Path, tmp_path: Path) -> None:
    (tmp_path / "crash.py").write_text(CRASH)
    with pytest.raises(RunLineError, match=reason):
        run_pipe(expand(command, file, tmp_path / "t"))


def test_streams_are_put_back(file: Path) -> None:
    before = sys.stdin, sys.stdout, sys.stderr, list(sys.path)
    outcome = run_in_process(["snn-opt", str(file), "-p", "nope"])
    assert outcome.code == 1
    assert (sys.stdin, sys.stdout, sys.stderr, list(sys.path)) == before


def test_the_plugin_reports_each_file(pytester: pytest.Pytester, file: Path) -> None:
    pytester.makeconftest("pytest_plugins = ['snnir.testing']")
    run = "// RUN: snn-opt %s | filecheck %s\n"
    pytester.path.joinpath("good.mlir").write_text(run + file.read_text())
    pytester.path.joinpath("bad.mlir").write_text(run + file.read_text().replace("CHECK: func", "CHECK: no such"))
    pytester.path.joinpath("other.mlir").write_text(PROGRAM)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*bad.mlir*no such*"])
