"""The universe names what there is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from xdsl.passes import ModulePass

from snnir.cli.listing import first_line, options_of
from snnir.passes.base import SNNPass
from snnir.universe import DIALECTS, PASSES, SNNIR_UNIVERSE, dialect_factory, pass_factory


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_are_where_the_universe_says(name: str) -> None:
    assert SNNIR_UNIVERSE.all_dialects[name]().name == name


@pytest.mark.parametrize("name", PASSES)
def test_passes_are_where_the_universe_says(name: str) -> None:
    cls = SNNIR_UNIVERSE.all_passes[name]()
    assert cls.name == name
    assert issubclass(cls, SNNPass)


@pytest.mark.parametrize("name", PASSES)
def test_passes_explain_themselves(name: str) -> None:
    cls = SNNIR_UNIVERSE.all_passes[name]()
    assert first_line(cls), "a pass has a docstring"
    for option in options_of(cls):
        assert option.meaning, f"option {option.name} has a string literal below its field"


def test_every_pass_of_ours_is_in_the_universe(root: Path) -> None:
    found: set[tuple[str, str]] = set()
    for path in sorted((root / "passes").rglob("*.py")):
        module = ".".join(["snnir", *path.relative_to(root).with_suffix("").parts])
        for value in vars(import_module(module)).values():
            if isinstance(value, type) and issubclass(value, ModulePass) and value.__module__ == module:
                found.add((module, value.__name__))
    found.discard((SNNPass.__module__, SNNPass.__name__))
    assert found == set(PASSES.values())


def test_factories_refuse_other_things() -> None:
    with pytest.raises(TypeError, match=r"pathlib\.Path is not a dialect"):
        dialect_factory("pathlib", "Path")()
    with pytest.raises(TypeError, match=r"pathlib\.Path is not a pass"):
        pass_factory("pathlib", "Path")()
    with pytest.raises(ModuleNotFoundError):
        pass_factory("snnir.no_such_module", "Pass")()
