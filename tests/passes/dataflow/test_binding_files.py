"""Binding files that are wrong: one line with the place in the file, and how it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from snnir.testing import run_in_process

GRAPH = """\
dataflow.architecture @one {
  dataflow.tile @t processor "p"
}
dataflow.graph @g activity "worst" {
  dataflow.actor task @a time 1 : () -> ()
  dataflow.actor task @b time 1 : () -> ()
}
"""


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("t a\nu b\n", ":2", "there is no tile u"),
        ("t a\n\nt c\n", ":3", "there is no actor c"),
        ("t a b\nt a\n", ":2", "actor a is bound twice"),
        ("t b # a\n", "", "no tile runs a"),
        ("", "", "no tile runs a, b"),
    ],
)
def test_a_wrong_line_has_its_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    file = tmp_path / "binding.txt"
    file.write_text(text)
    outcome = run_in_process(["snn-opt", "-p", f"dataflow-bind{{algorithm=file file={file}}}"], GRAPH)
    first, hint, *rest = outcome.err.splitlines()
    assert (outcome.code, outcome.out, rest) == (1, "", [])
    assert first == f"{file}{place}: error: {message}"
    assert hint.startswith("  fix: ")


def test_every_actor_gets_its_tile(tmp_path: Path) -> None:
    file = tmp_path / "binding.txt"
    file.write_text("t b a\n")
    outcome = run_in_process(["snn-opt", "-p", f"dataflow-bind{{algorithm=file file={file}}}"], GRAPH)
    assert outcome.out.count(" on @t ") == 2
