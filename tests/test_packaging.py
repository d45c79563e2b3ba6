"""What a wheel holds is what the checkout holds."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """The contents of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text())


def packages(root: Path) -> dict[str, Path]:
    """Dotted name -> folder of every package, with `dialects` and `passes` under `snnir`."""
    found: dict[str, Path] = {}
    for top, prefix in (("snnir", ""), ("dialects", "snnir."), ("passes", "snnir.")):
        for init in sorted((root / top).rglob("__init__.py")):
            if not any(parent.is_symlink() for parent in init.parents):
                found[prefix + ".".join(init.parent.relative_to(root).parts)] = init.parent
    return found


def test_the_list_of_packages_is_complete(root: Path, project: dict[str, Any]) -> None:
    listed = project["tool"]["setuptools"]["packages"]
    assert len(listed) == len(set(listed))
    assert set(listed) == packages(root).keys()


def test_every_folder_with_code_is_a_package(root: Path) -> None:
    folders = {path.parent for top in ("snnir", "dialects", "passes") for path in (root / top).rglob("*.py")}
    assert {folder for folder in folders if not any(each.is_symlink() for each in (folder, *folder.parents))} == set(
        packages(root).values()
    )


def test_data_files_are_listed(root: Path, project: dict[str, Any]) -> None:
    patterns: dict[str, list[str]] = project["tool"]["setuptools"]["package-data"]
    for name, folder in packages(root).items():
        data = {path for path in folder.iterdir() if path.is_file() and path.suffix not in (".py", ".pyc")}
        listed = {path for pattern in patterns.get(name, []) for path in folder.glob(pattern)}
        assert data == listed, f"package-data of {name}"


@pytest.mark.parametrize("name", ["dialects", "passes"])
def test_links_make_the_checkout_look_like_the_wheel(root: Path, name: str) -> None:
    link = root / "snnir" / name
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == root / name


def test_pins_satisfy_the_requirements(root: Path, project: dict[str, Any]) -> None:
    pins: dict[str, str] = {}
    for line in (root / ".ci" / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            assert version, f"{line} is not an exact pin"
            pins[canonicalize_name(name)] = version
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    for text in wanted:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text
