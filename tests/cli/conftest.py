"""Fixtures for tests of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from snnir.testing import Outcome, run_in_process

PROGRAM = """\
func.func @f(%x : i32) -> i32 {
  %0 = "test.op"(%x) : (i32) -> i32
  %1 = "test.pureop"() : () -> i32
  func.return %0 : i32
}
"""


@pytest.fixture
def extra() -> str:
    """The file of passes to give to `--load`."""
    return str(Path(__file__).with_name("extra_passes.py"))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A small `.mlir` file of generic ops."""
    path = tmp_path / "in.mlir"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def snn_opt() -> Callable[..., Outcome]:
    """Run `snn-opt` in this process: `snn_opt("a.mlir", "-p", "cse", stdin="")`."""

    def run(*arguments: object, stdin: str = "") -> Outcome:
        return run_in_process(["snn-opt", *map(str, arguments)], stdin)

    return run
