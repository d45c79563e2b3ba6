"""docs/language.md is the reference: its tables are those of the code, and every construct is in an example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from snnir.frontend.snn.operations import OPERATIONS
from snnir.frontend.snn.populations import GENERATORS, IN_STEPS, VOLTAGES, semantics_of
from snnir.frontend.snn.reader import SETTINGS
from snnir.frontend.snn.scope import Scope
from snnir.frontend.snn.syntax import parse
from snnir.frontend.snn.tokens import KEYWORDS, UNITS
from snnir.frontend.snn.tree import PopulationDeclaration
from snnir.frontend.source import Source
from snnir.semantics import CHOICES, COUNTS, PARAMETERS, PRESETS, TIME_CONSTANTS, preset

Rows = dict[str, list[str]]


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The text of the reference."""
    return (root / "docs" / "language.md").read_text()


def section(page: str, heading: str) -> str:
    """What stands below a heading."""
    found = re.search(rf"^##+ {re.escape(heading)}$(.*?)(?=^##+ |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def tables(text: str) -> list[Rows]:
    """The tables of a section: first cell -> other cells, for rows whose first cell is code."""
    result: list[Rows] = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
        result.append({row[0].strip("`"): row[1:] for row in rows})
    return result


def codes(cell: str) -> tuple[str, ...]:
    """What is in backquotes."""
    return tuple(re.findall(r"`([^`]*)`", cell))


def test_declarations(page: str) -> None:
    (rows,) = tables(section(page, "Declarations"))
    assert set(rows) == set(KEYWORDS)
    for word, (meaning,) in rows.items():
        assert codes(meaning)[0].startswith(f"{word} ")


def test_settings(page: str) -> None:
    (rows,) = tables(section(page, "Settings"))
    assert tuple(rows) == SETTINGS


def test_units(page: str) -> None:
    (rows,) = tables(section(page, "Numbers and units"))
    assert {unit: words for unit, (words,) in rows.items()} == {name: unit.words for name, unit in UNITS.items()}


def test_models(page: str) -> None:
    (rows,) = tables(section(page, "Neuron models"))
    assert {model: codes(cell) for model, (cell,) in rows.items()} == PARAMETERS
    everything = {parameter for parameters in PARAMETERS.values() for parameter in parameters}
    assert {name for name in everything if name.startswith("tau")} == TIME_CONSTANTS
    assert everything >= VOLTAGES
    (sentence,) = re.findall(r"Parameters that start with `tau` are times; (.*) are voltages", page)
    assert set(codes(sentence)) == VOLTAGES


def test_semantics(page: str) -> None:
    presets, fields = tables(section(page, "Semantics"))
    assert list(presets) == list(PRESETS)
    assert {name: codes(cells[0]) for name, cells in fields.items() if name in CHOICES} == CHOICES
    counts = {name: cells[0] for name, cells in fields.items() if name not in CHOICES}
    assert counts == {
        name: f"{least} to {most}" if most < 1000 else f"{least} or more" for name, (least, most) in COUNTS.items()
    }
    assert {name for name, cells in fields.items() if "(or a time)" in cells[1]} == IN_STEPS


def test_values_of_presets(page: str) -> None:
    """The table of presets says what each does with `lif` neurons; `sinabs` has a remark on `if`."""
    presets, _ = tables(section(page, "Semantics"))
    for name, (cell,) in presets.items():
        base = "nir"
        text = cell.split("its subtracting")[0].split("`if`")[0]
        found = re.match(r"as `(\w+)`", text)
        if found:
            base, text = found[1], text[found.end() :]
        said = dict(code.split(" = ") for code in codes(text) if " = " in code)
        assert preset(base, "lif").changed(said) == preset(name, "lif"), name
    assert preset("sinabs", "if") == preset("sinabs", "lif").changed({"floor": "threshold"})


def test_operations(page: str) -> None:
    operations, arguments = tables(section(page, "Chains"))
    assert {name: (words, codes(cell)) for name, (words, cell) in operations.items()} == {
        name: (each.words, each.arguments) for name, each in OPERATIONS.items()
    }
    assert set(arguments) == {"into", *(name for each in OPERATIONS.values() for name in each.arguments)}


def test_generators(page: str) -> None:
    (rows,) = tables(section(page, "Stimuli"))
    assert {name: codes(cell) for name, (cell, _) in rows.items()} == GENERATORS


def test_every_construct_is_in_an_example(page: str) -> None:
    text = "\n".join(re.findall(r"^```snn.*?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert not [word for word in KEYWORDS if not re.search(rf"^ *{word} ", text, re.MULTILINE)]
    assert not [name for name in GENERATORS if name not in page]
    assert not [name for name in OPERATIONS if not re.search(rf"[:|] {name}\b", text)]
    assert not [model for model in PARAMETERS if not re.search(rf"[:=] {model}\(", text)]
    arguments = {argument for each in OPERATIONS.values() for argument in each.arguments} | {"into"}
    assert {name for name in arguments if f"{name} = " not in text} == {"dilation", "shape"}


def test_semantics_of_an_example() -> None:
    """The reader of `using` is what the table is about."""
    program = parse(Source("a", "network a { population p[1] : lif() using nir(reset = subtract, refractory = 3) }"))
    assert program.network is not None
    population = program.network.items[0]
    assert isinstance(population, PopulationDeclaration)
    assert population.using is not None
    found = semantics_of(population.using, Scope(), "lif", dt=1)  # pyright: ignore[reportArgumentType]
    assert found.differences(preset("nir", "lif")) == {"reset": "subtract", "refractory": "3"}
