"""The documentation as tests see it: pages, their fenced blocks, and console blocks as commands with output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", *(ROOT / "samples").rglob("README.md")])

_FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is the content of (or none), its text, and its line."""

    language: str
    file: str | None
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    """A command of a console block and the lines that the page shows below it; `...` stands for anything."""

    words: str
    shown: tuple[str, ...]
    line: int


def name_of(page: Path) -> str:
    """The name of a test case."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """All fenced blocks with a language."""
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], m[3], text.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(text)]


def links(page: Path) -> list[str]:
    """The targets of all links outside of fenced blocks."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block: lines from `$ ` on, continued by a backslash at the end of a line."""
    words, shown, start = "", list[str](), 0
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("$ "):
            if words:
                yield Command(words, tuple(shown), start)
            words, shown, start = line[2:], [], block.line + 1 + number
            while words.endswith("\\"):
                number += 1
                words = words[:-1] + lines[number].strip()
        else:
            shown.append(line)
        number += 1
    if words:
        yield Command(words, tuple(shown), start)


def difference(shown: tuple[str, ...], printed: str) -> str:
    """Empty when what a page shows fits what was printed; else the first line that does not.

    A line `...` stands for any lines, `...` within a line for any characters. A page may show nothing at all.
    """
    if not shown:
        return ""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", ".*") + r"[ \t]*\n"
        for line in shown
    )
    text = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    if re.fullmatch(pattern, text):
        return ""
    for count in range(1, len(shown) + 1):
        start = "".join(
            r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", ".*") + r"[ \t]*\n"
            for line in shown[:count]
        )
        if re.match(start, text) is None:
            return f"not printed here: {shown[count - 1]}\n{printed}"
    return f"more was printed than the page shows:\n{printed}"
