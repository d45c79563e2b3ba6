"""Tests that cannot fail are no tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from snnir.testing import expand, run_lines, split_pipe

TESTS = Path(__file__).parent
MLIR = sorted(TESTS.rglob("*.mlir"))
PYTHON = sorted(TESTS.rglob("test_*.py"))
CHECK = re.compile(
    r"^\s*//\s*([A-Z][A-Z0-9_-]*?)(?:-(?:NEXT|SAME|NOT|DAG|COUNT-\d+|EMPTY|LABEL))?(?:\{LITERAL\})?:", re.MULTILINE
)
INPUTS = "inputs"
"""Folders of this name hold `.mlir` files that are input of other tests."""


def relative(path: Path) -> str:
    """The name of a test case."""
    return str(path.relative_to(TESTS))


def prefixes(command: str) -> set[str]:
    """The CHECK prefixes that the filecheck at the end of a command looks for."""
    found = re.findall(r"--?check-prefix(?:es)?[= ](\S+)", command)
    return {prefix for group in found for prefix in group.split(",")} or {"CHECK"}


def test_there_are_tests() -> None:
    assert MLIR
    assert Path(__file__) in PYTHON


@pytest.mark.parametrize("path", MLIR, ids=relative)
def test_mlir_files_check_what_they_run(path: Path) -> None:
    text = path.read_text()
    commands = run_lines(text)
    if INPUTS in path.relative_to(TESTS).parts:
        assert not commands
        return
    assert commands, "no RUN line"
    checked = {match[1] for match in CHECK.finditer(text) if match[1] != "RUN"}
    for command in commands:
        expanded = expand(command, path, path.parent)
        *_, last = split_pipe(expanded)
        stores = "-o" in expanded.split() or ">" in expanded.split()
        assert last[0] in ("filecheck", "not") or stores, f"cannot fail: {command}"
        if last[0] == "filecheck":
            assert prefixes(expanded) <= checked, f"no line for the prefix of: {command}"


@pytest.mark.parametrize("path", [path for path in MLIR if "invalid" in path.name], ids=relative)
def test_every_invalid_chunk_is_checked(path: Path) -> None:
    text = path.read_text()
    assert all("--split-input-file" in command for command in run_lines(text))
    for number, chunk in enumerate(re.split(r"^// -----[ \t]*$", text, flags=re.MULTILINE)):
        assert any(match[1] != "RUN" for match in CHECK.finditer(chunk)), f"chunk {number} has no CHECK"


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_python_tests_assert(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in ast.walk(tree))
    assert any(map(asserts, ast.walk(tree))), "nothing in this file can fail on purpose"


def asserts(node: ast.AST) -> bool:
    """Whether this is an `assert`, `pytest.raises` or `pytest.warns`."""
    match node:
        case ast.Assert() | ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr="raises" | "warns")):
            return True
        case _:
            return False


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_no_test_hides_another(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]:
        found = [node.name for node in scope.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert len(found) == len(set(found))
