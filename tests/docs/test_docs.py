"""What the documentation shows is so: commands print what the pages say, examples parse, tables match the code."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import MISSING, fields
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import pytest
from docs_pages import PAGES, ROOT, Block, blocks, commands, difference, links, name_of

from snnir import machine, tensors
from snnir.cli.driver import GENERIC_PASSES
from snnir.cli.listing import options_of
from snnir.dialects.platform import GROUPS
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn.format import format_program
from snnir.frontend.snn.reader import read
from snnir.machine.__main__ import main as machine_main
from snnir.testing import run_in_process
from snnir.universe import SNNIR_UNIVERSE

MACHINE_COMMAND = "python -m snnir.machine "


def pages_with(*languages: str) -> list[Path]:
    """The pages that hold such blocks."""
    return [page for page in PAGES if any(block.language in languages for block in blocks(page))]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the samples, as the working directory."""
    ignored = shutil.ignore_patterns("__pycache__", "train.py", "reference_*")
    shutil.copytree(ROOT / "samples", tmp_path / "samples", ignore=ignored)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_command(words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code of a command, and what it prints."""
    if words.startswith(MACHINE_COMMAND):
        code = machine_main(shlex.split(words.removeprefix(MACHINE_COMMAND)))
        return code, "".join(capsys.readouterr())
    if words.startswith("cat "):
        return 0, "".join(Path(name).read_text() for name in shlex.split(words)[1:])
    outcome = run_in_process(shlex.split(words), merged=True)
    return outcome.code, outcome.out


@pytest.mark.parametrize("page", pages_with("console", "python"), ids=name_of)
def test_commands(page: Path, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Blocks of a page run in order, in one directory: files are written, Python is run, commands are compared."""
    for block in blocks(page):
        if block.file is not None:
            (checkout / block.file).write_text(block.text)
        elif block.language == "python":
            exec(compile(block.text, f"{name_of(page)}:{block.line}", "exec"), {"__name__": "example"})
        elif block.language == "console":
            check_console(page, block, capsys)


def check_console(page: Path, block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command must succeed, or fail where the page shows an error, and print what is shown."""
    for command in commands(block):
        code, printed = run_command(command.words, capsys)
        place = f"{name_of(page)}:{command.line}"
        failed = any("error:" in line or "verdict    DIFFERENT" in line for line in command.shown)
        assert (code != 0) == failed, f"{place}: exit code {code}\n{printed}"
        assert not difference(command.shown, printed), f"{place}: {difference(command.shown, printed)}"


@pytest.mark.parametrize("page", pages_with("mlir"), ids=name_of)
def test_ir(page: Path, checkout: Path) -> None:
    for number, block in enumerate(block for block in blocks(page) if block.language == "mlir"):
        path = checkout / f"{number}.mlir"
        path.write_text(block.text)
        outcome = run_in_process(["snn-opt", str(path)])
        assert outcome.code == 0, f"{name_of(page)}:{block.line}: {outcome.err}"
        path.write_text(outcome.out)
        assert run_in_process(["snn-opt", str(path)]).out == outcome.out


@pytest.mark.parametrize("page", pages_with("snn"), ids=name_of)
def test_programs(page: Path, checkout: Path) -> None:
    folder = checkout / "samples" / "digits"
    with tensors.source_directory(folder):
        for number, block in enumerate(b for b in blocks(page) if b.language == "snn" and b.file is None):
            path = folder / f"{number}.snn"
            path.write_text(block.text)
            read(path, FrontendOptions()).verify()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path) -> None:
    for target in links(page):
        if not re.match(r"https?:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{name_of(page)}: {target}"


def test_every_page_is_reached() -> None:
    """From the README, following links."""
    known, queue = set[Path](), [ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in known or page.suffix != ".md":
            continue
        known.add(page)
        local = [target.partition("#")[0] for target in links(page) if not re.match(r"https?:|#", target)]
        queue += [(page.parent / target).resolve() for target in local]
    assert set(PAGES) <= known


def table_rows(text: str) -> list[list[str]]:
    """The cells of all table rows whose first cell is code."""
    rows = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip().replace("\\|", "|").strip("`") for cell in row] for row in rows]


def sections(path: Path, level: str = "## ") -> dict[str, str]:
    """Heading -> text below it."""
    parts = re.split(rf"^{level}(.*)$", path.read_text(), flags=re.MULTILINE)
    return {heading.strip().strip("`"): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_passes_page() -> None:
    documented = {
        heading: [tuple(row[:3]) for row in table_rows(body)]
        for heading, body in sections(ROOT / "docs" / "passes.md", "### ").items()
    }
    real = {
        name: [(option.name, option.type, option.default or "required") for option in options_of(factory())]
        for name, factory in SNNIR_UNIVERSE.all_passes.items()
    }
    assert documented == real
    theirs = sections(ROOT / "docs" / "passes.md")["Passes of xDSL"].partition(" come from xDSL")[0]
    assert set(re.findall(r"`([\w-]+)`", theirs)) == set(GENERIC_PASSES)


def test_platforms_page() -> None:
    text = (ROOT / "docs" / "platforms.md").read_text()
    documented = [(row[0], row[1]) for row in table_rows(text)]
    real: list[tuple[str, str]] = []
    for group, cls in GROUPS.items():
        for each in fields(cls):
            default = "required" if each.default is MISSING else json.dumps(each.default)
            real.append((f"{group}.{each.name}", default))
    assert documented == real


def test_programs_are_in_canonical_layout() -> None:
    shown = [block.text for page in pages_with("snn") for block in blocks(page) if block.language == "snn"]
    shown += [path.read_text() for path in sorted((ROOT / "samples").rglob("*.snn"))]
    assert shown
    assert [format_program(text) for text in shown] == shown


def test_configuration_page() -> None:
    """Every field of the format is named on the page."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    names = set(re.findall(r"`([a-z_]+)`", text))
    assert field_names(machine.schema()) - names == set()


def field_names(node: object) -> set[str]:
    """The names of all properties in a schema."""
    if isinstance(node, list):
        return {name for each in cast(list[object], node) for name in field_names(each)}
    if not isinstance(node, dict):
        return set()
    found = set[str]()
    for key, value in cast(dict[str, object], node).items():
        if key in ("if", "then", "else", "not"):
            continue
        if key == "properties":
            found |= set(cast(dict[str, object], value))
        found |= field_names(value)
    return found


def test_shown_output_is_compared() -> None:
    """The comparison itself can fail."""
    assert not difference(("a ... z", "...", "end"), "a b z\nx\ny\nend\n")
    assert difference(("a",), "b\n")
    assert difference(("a",), "a\nb\n")
    assert difference(("a", "...", "c"), "a\nb\n")


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "images").glob("*.svg")), ids=name_of)
def test_images(path: Path) -> None:
    """Pictures are well-formed, say what they show, and name only things that exist."""
    root = ElementTree.parse(path).getroot()
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("}text")]
    assert any(element.tag.endswith("}title") and element.text for element in root)
    passes = {word.strip() for text in texts for word in text.split(",") if re.fullmatch(r"\w+(-\w+)+", word.strip())}
    assert passes
    assert passes <= set(SNNIR_UNIVERSE.all_passes)
