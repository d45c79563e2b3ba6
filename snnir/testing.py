"""Tests of IR text: a pytest plugin that runs the `RUN` lines of `.mlir` files in the process of the test.

Put `pytest_plugins = ["snnir.testing"]` into `conftest.py`; then every `.mlir` file with a line like

    // RUN: snn-opt %s --load %S/my_pass.py --pass-pipeline=my-pass | filecheck %s

below the tested folders is a test, at a few milliseconds instead of the third of a second that new processes cost. The
lines are those of LLVM's `lit`, which can run the same files: several lines, continuation by a backslash at the end of
a line, pipes, `not`, `2>&1`, `< file` and `> file`. `%s` is the file, `%S` its directory, `%t` a temporary file name of
its own; `ROUNDTRIP` and `GENERIC_ROUNDTRIP` stand for the commands in `SHORTHANDS`. Commands are those of `TOOLS`,
`filecheck` and `cat`. A pipe fails when one of its commands does, and on every internal error.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

TOOLS = {"snn-opt": "snnir.cli.snn_opt", "snnc": "snnir.cli.snnc"}
"""Command -> module whose `main(arguments)` returns the exit code."""

SHORTHANDS = {
    "GENERIC_ROUNDTRIP": (
        "snn-opt %s --split-input-file --print-op-generic | snn-opt --split-input-file | filecheck %s"
    ),
    "ROUNDTRIP": "snn-opt %s --split-input-file | snn-opt --split-input-file | filecheck %s",
}
"""Text -> IR -> text -> IR -> text must match the file's `CHECK` lines, in custom and in generic syntax."""

_RUN = re.compile(r"^\s*//\s*RUN:\s*(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


class RunLineError(Exception):
    """A RUN line failed; the message is for the person who reads the test's output."""


def run_lines(text: str) -> tuple[str, ...]:
    """The commands of a file: its RUN lines, continued ones joined."""
    commands: list[str] = []
    continued = False
    for line in _RUN.findall(text):
        if continued:
            commands[-1] += " " + line.removesuffix("\\").rstrip()
        else:
            commands.append(line.removesuffix("\\").rstrip())
        continued = line.endswith("\\")
    return tuple(commands)


def expand(command: str, path: Path, temporary: Path) -> str:
    """The command with shorthands and `%` names replaced."""
    for name, meaning in SHORTHANDS.items():
        command = re.sub(rf"\b{name}\b", lambda _, meaning=meaning: meaning, command)
    return re.sub(
        "%[sSt]",
        lambda match: shlex.quote(str({"%s": path, "%S": path.parent, "%t": temporary}[match[0]])),
        command,
    )


def split_pipe(command: str) -> list[list[str]]:
    """The commands of a pipe, each as a list of words."""
    pipe: list[list[str]] = [[]]
    for word in shlex.split(command):
        if word == "|":
            pipe.append([])
        else:
            pipe[-1].append(word)
    return pipe


@contextmanager
def standard_input(text: str) -> Generator[None]:
    """Inside, `text` is on stdin."""
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before


def run_in_process(words: Sequence[str], stdin: str = "", *, merged: bool = False) -> Outcome:
    """Run one command as the shell would, in this process; `merged` sends stderr where stdout goes."""
    out = io.StringIO()
    err = out if merged else io.StringIO()
    path = list(sys.path)
    try:
        with redirect_stdout(out), redirect_stderr(err), standard_input(stdin):
            code = _command(words[0])(list(words[1:]))
    finally:
        sys.path[:] = path
    return Outcome(code, out.getvalue(), "" if merged else err.getvalue())


def run_pipe(command: str) -> str:
    """Run a pipe of expanded commands; returns what the last one prints. Raises `RunLineError` when one fails."""
    stream = ""
    for words in split_pipe(command):
        words, files = _redirections(words)  # noqa: PLW2901  (the words without the redirections)
        negated = words[:1] == ["not"]
        stdin = files["<"].read_text() if "<" in files else stream
        outcome = run_in_process(words[negated:], stdin, merged="2>&1" in files)
        if (outcome.code == 0) == negated or "internal error" in outcome.out + outcome.err:
            wanted = "a failure" if negated else "success"
            said = "\n".join(filter(None, (outcome.out if words[0] != "filecheck" else "", outcome.err)))
            raise RunLineError(f"{shlex.join(words)}\nexit code {outcome.code}, expected {wanted}\n{said}\n{stdin}")
        stream = outcome.out
        if ">" in files:
            files[">"].write_text(stream)
            stream = ""
    return stream


def _redirections(words: Sequence[str]) -> tuple[list[str], dict[str, Path]]:
    plain: list[str] = []
    files: dict[str, Path] = {}
    rest = iter(words)
    for word in rest:
        if word in ("<", ">"):
            files[word] = Path(next(rest))
        elif word == "2>&1":
            files[word] = Path()
        else:
            plain.append(word)
    return plain, files


def _command(name: str) -> Callable[[list[str]], int]:
    if name in TOOLS:
        return import_module(TOOLS[name]).main
    if name == "filecheck":
        return _filecheck
    if name == "cat":
        return _cat
    raise RunLineError(f"unknown command '{name}' in a RUN line; known are {', '.join(TOOLS)}, filecheck, cat")


def _filecheck(arguments: list[str]) -> int:
    from filecheck.matcher import Matcher  # noqa: PLC0415  (a tool for tests only)
    from filecheck.options import parse_argv_options  # noqa: PLC0415

    return Matcher.from_opts(parse_argv_options(["filecheck", *arguments])).run()


def _cat(arguments: list[str]) -> int:
    for name in arguments:
        print(Path(name).read_text(), end="")
    return 0


class RunLinesFile(pytest.File):
    """A `.mlir` file with RUN lines."""

    def collect(self) -> Iterable[pytest.Item]:
        """One test, because the lines of a file may share its temporary file."""
        yield RunLinesItem.from_parent(self, name="RUN")  # pyright: ignore[reportUnknownMemberType]


class RunLinesItem(pytest.Item):
    """The RUN lines of one file, in order."""

    def runtest(self) -> None:
        """Run them all; the first failure ends the test."""
        with tempfile.TemporaryDirectory(prefix="snnir-") as directory:
            for command in run_lines(self.path.read_text()):
                run_pipe(expand(command, self.path, Path(directory) / "t"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """The command and what it printed, without a Python traceback."""
        if isinstance(excinfo.value, RunLineError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test is."""
        return self.path, 0, f"{self.path.name}: RUN"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect `.mlir` files with RUN lines."""
    if file_path.suffix == ".mlir" and run_lines(file_path.read_text()):
        return RunLinesFile.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]
    return None
