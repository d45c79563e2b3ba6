"""Every chunk of an `invalid.mlir` fails, with the message beside it.

`filecheck` alone would let a chunk pass that does not fail when a later one brings its message.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from snnir.testing import run_in_process

FILES = sorted(Path(__file__).parent.rglob("invalid.mlir"))
SPLIT = re.compile(r"^// -----[ \t]*\n", re.MULTILINE)
REGEX = re.compile(r"\{\{(.*?)\}\}")


def pattern(check: str) -> re.Pattern[str]:
    """A CHECK line as a regular expression."""
    parts = REGEX.split(check)
    return re.compile("".join(part if number % 2 else re.escape(part) for number, part in enumerate(parts)))


@pytest.mark.parametrize("path", FILES, ids=[path.parent.name for path in FILES])
def test_every_chunk_fails_with_its_own_message(path: Path) -> None:
    words = ["snn-opt", str(path), "--verify-diagnostics", "--parsing-diagnostics", "--split-input-file"]
    outcome = run_in_process(words)
    assert outcome.code == 0, outcome.err
    chunks, printed = SPLIT.split(path.read_text()), SPLIT.split(outcome.out)
    assert len(chunks) == len(printed)
    wrong: list[str] = []
    for number, (chunk, text) in enumerate(zip(chunks, printed, strict=True)):
        checks = re.findall(r"// CHECK: (.*)", chunk)
        assert len(checks) == 1, f"chunk {number} of {path} must have one CHECK"
        if not pattern(checks[0]).search(text.splitlines()[0]):
            wrong.append(f"expected: {checks[0]}\n{text[:500]}")
    assert not wrong, "\n".join(wrong)
