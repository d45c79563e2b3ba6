"""docs/nir.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from snnir.dialects.snn import SNN
from snnir.frontend.nir.fields import DEFAULTS, FIELDS, MODELS
from snnir.frontend.nir.file import GRAPH
from snnir.frontend.nir.lints import FIX, LINTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "nir.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table rows of a section whose first cell is code."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in found]


def test_every_defect_is_listed() -> None:
    assert [tuple(row) for row in rows("Defects")] == [
        (name, lint.what, lint.repair or "no") for name, lint in LINTS.items()
    ]
    assert f"`{FIX}`" in PAGE.read_text(encoding="utf-8")


def test_every_node_is_listed() -> None:
    """With the op that it becomes: neurons by their models."""
    listed = {row[0]: row[1] for row in rows("What each node becomes")}
    assert set(listed) == {*FIELDS, GRAPH}
    assert {name: op.removeprefix("snn.") for name, op in listed.items() if name in MODELS} == MODELS
    assert {op for op in listed.values() if op.startswith("snn.")} <= {op.name for op in SNN.operations}


def test_defaults_are_listed() -> None:
    found = re.search(r"\*\*Missing fields\.\*\* (.*)", PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[1] == ", ".join(f"`{name}` is {value:g}" for name, value in DEFAULTS.items()) + "."
