"""Who may import whom: `cli -> frontend, passes -> dialects`, and the mathematics knows nothing of the IR."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

LEVELS = ["dialects", "passes", "cli"]
"""From below to above; nothing imports what is above it."""

FREE_OF_XDSL = [
    "analog",
    "delays",
    "energy",
    "maxplus",
    "schedule",
    "partition",
    "pruning",
    "reform",
    "synapses",
    "windows",
    "machine",
    "runtime",
    "sim",
    "tuning",
    "train",
]
ALLOWED = {
    "analog": {"snnir.analog", "snnir.machine", "snnir.errors"},
    "delays": {"snnir.delays"},
    "energy": {"snnir.energy", "snnir.machine"},
    "maxplus": {"snnir.maxplus", "snnir.errors"},
    "schedule": {"snnir.schedule", "snnir.maxplus"},
    "partition": {"snnir.partition", "snnir.synapses", "snnir.errors"},
    "pruning": {"snnir.pruning"},
    "reform": {"snnir.reform", "snnir.activations"},
    "synapses": {"snnir.synapses", "snnir.windows"},
    "machine": {"snnir.machine", "snnir.errors"},
    "tuning": {"snnir.tuning", "snnir.precision", "snnir.windows"},
    "train": {
        "snnir.train",
        "snnir.tuning",
        "snnir.precision",
        "snnir.errors",
        "snnir.sim",
        "snnir.semantics",
        "snnir.activations",
        "snnir.frontend.hdf5_guard",
    },
    "runtime": {"snnir.runtime", "snnir.machine", "snnir.maxplus", "snnir.errors"},
}
"""Package -> the modules of ours that it may import."""

MACHINE_LIBRARIES = {"numpy", "numba", "jsonschema", "safetensors"}
ENTRY = "snnir.sim.entry"


def sources(root: Path) -> dict[str, Path]:
    """Dotted name -> file of every module of ours."""
    files = [*(root / "dialects").rglob("*.py"), *(root / "passes").rglob("*.py")]
    files += (root / "snnir").glob("*.py")
    for folder in (root / "snnir").iterdir():
        if folder.is_dir() and not folder.is_symlink():
            files += folder.rglob("*.py")
    modules: dict[str, Path] = {}
    for path in sorted(files):
        parts = path.relative_to(root).with_suffix("").parts
        parts = parts if parts[0] == "snnir" else ("snnir", *parts)
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def imports(path: Path) -> Iterable[tuple[str, int]]:
    """Every module that a file imports, wherever in it, and the line. `from a import b` counts as `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import():
                yield from ((alias.name, node.lineno) for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module, node.lineno
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
            case ast.ImportFrom():
                yield f"relative import in {path}", node.lineno
            case _:
                pass


def within(module: str, packages: Iterable[str]) -> bool:
    """Whether a module is one of the packages or inside one."""
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


@pytest.fixture(scope="module")
def edges(root: Path) -> list[tuple[str, str, str]]:
    """(importing module, imported module, `file:line`) for all our modules."""
    return [
        (module, imported, f"{path.relative_to(root)}:{line}")
        for module, path in sources(root).items()
        for imported, line in imports(path)
    ]


def test_there_is_something_to_look_at(edges: list[tuple[str, str, str]]) -> None:
    assert ("snnir.passes.base", "snnir.dialects.snn") in {(module, imported) for module, imported, _ in edges}


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_imports_what_is_above_it(edges: list[tuple[str, str, str]], level: str) -> None:
    above = [f"snnir.{each}" for each in LEVELS[LEVELS.index(level) + 1 :]]
    assert not [
        place for module, imported, place in edges if within(module, [f"snnir.{level}"]) and within(imported, above)
    ]


def test_readers_know_no_writers(edges: list[tuple[str, str, str]]) -> None:
    """Writers may use what readers know of a format, never the other way round."""

    def between(user: str, used: str) -> list[str]:
        return [place for module, imported, place in edges if within(module, [user]) and within(imported, [used])]

    assert between("snnir.export", "snnir.frontend")
    assert not between("snnir.frontend", "snnir.export")


def test_the_doors_are_used_by_nobody(edges: list[tuple[str, str, str]]) -> None:
    """The command line and the Python API stand above all else; `snnir` itself imports the API when it is asked for."""
    doors = ["snnir.cli", "snnir.api"]
    allowed = [*doors, "snnir.testing"]
    wrong = [(module, place) for module, imported, place in edges if within(imported, doors)]
    assert not [place for module, place in wrong if not within(module, allowed) and module != "snnir"]


@pytest.mark.parametrize("package", FREE_OF_XDSL)
def test_the_mathematics_knows_no_xdsl(edges: list[tuple[str, str, str]], package: str) -> None:
    forbidden = ["xdsl", "snnir.dialects", "snnir.passes", ENTRY]
    assert not [
        place
        for module, imported, place in edges
        if within(module, [f"snnir.{package}"]) and module != ENTRY and within(imported, forbidden)
    ]


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_that_stand_alone(edges: list[tuple[str, str, str]], package: str) -> None:
    assert not [
        place
        for module, imported, place in edges
        if within(module, [f"snnir.{package}"]) and within(imported, ["snnir"])
        if imported not in ("snnir",) and not within(imported, ALLOWED[package])
    ]


def test_the_machine_needs_few_libraries(edges: list[tuple[str, str, str]]) -> None:
    known = sys.stdlib_module_names | MACHINE_LIBRARIES | {"snnir"}
    assert not [
        (place, imported)
        for module, imported, place in edges
        if within(module, ["snnir.machine"]) and imported.partition(".")[0] not in known
    ]


def test_our_folders_are_imported_under_one_name(root: Path) -> None:
    files = [*sources(root).values(), *(root / "tests").rglob("*.py"), *(root / "samples").rglob("*.py")]
    assert not [
        f"{path.relative_to(root)}:{line}"
        for path in files
        for imported, line in imports(path)
        if within(imported, ["dialects", "passes"]) or imported.startswith("relative import")
    ]
