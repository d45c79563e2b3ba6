"""A package at other places, on other machines: another configuration, the same spikes, no deadlock."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import sample_package, staged_package
from numpy.typing import NDArray

from snnir import machine
from snnir.errors import SnnirError
from snnir.machine.configuration import CONFIG_FILE
from snnir.runtime.package import CELLS_FILE, Package, read_package
from snnir.runtime.platform import Platform
from snnir.runtime.relocate import relocate, relocated

SAMPLES = 5
PACKAGES = {
    "unicast": sample_package,
    "multicast": lambda: sample_package("mesh4x4-128-shared", "digits_recurrent"),
    "recurrent": lambda: sample_package("mesh2x2-32", "digits_recurrent"),
    "tree": lambda: sample_package("tree16-32"),
    "stages": staged_package,
}
FLOORS: dict[str, dict[str, Any]] = {
    "as compiled": {},
    "one tile": {"mesh": (1, 1), "crossbars_per_tile": 40, "host": (0, 0)},
    "one crossbar per tile": {"mesh": (6, 5), "crossbars_per_tile": 1, "host": (3, 4)},
    "three per tile": {"mesh": (2, 7), "crossbars_per_tile": 3, "host": (1, 6)},
    "chips": {"mesh": (6, 6), "crossbars_per_tile": 1, "host": (5, 0), "chip": (3, 2)},
    "other tree": {"mesh": (33, 1), "crossbars_per_tile": 1, "host": (32, 0), "arity": 3},
}


@cache
def package_of(name: str) -> tuple[Package, Path]:
    """The package and its build directory."""
    path = PACKAGES[name]()
    return read_package(path), path.with_suffix("")


@cache
def spikes_of(name: str) -> tuple[dict[str, NDArray[np.uint8]], machine.Run]:
    """Spikes for the inputs, and what the configuration as compiled computes with them."""
    package, build = package_of(name)
    rng, steps = np.random.default_rng(7), package.config["steps"]
    inputs = {
        each["name"]: (rng.random((SAMPLES, steps, each["size"])) < 0.3).astype(np.uint8)
        for each in package.config["inputs"]
    }
    result = machine.run(machine.load(build / "machine"), inputs)
    assert all(spikes.any() for spikes in result.spikes.values())
    return inputs, result


def cases() -> list[tuple[str, str]]:
    """Packages with the floors that they can be on."""
    meshes = [(name, floor) for name in PACKAGES if name != "tree" for floor in FLOORS if floor != "other tree"]
    return [*meshes, ("tree", "as compiled"), ("tree", "other tree")]


def target_of(name: str, floor: str) -> Platform:
    """The machine of a package with other tiles."""
    built_for = package_of(name)[0].application.platform
    return replace(built_for, machine=replace(built_for.machine, **FLOORS[floor]))


@pytest.mark.parametrize(("name", "floor"), cases())
def test_spikes_are_the_same_wherever_clusters_are(name: str, floor: str, tmp_path: Path) -> None:
    package, _ = package_of(name)
    inputs, expected = spikes_of(name)
    target = target_of(name, floor)
    rng = np.random.default_rng(sum(map(ord, name + floor)))
    for number in range(3):
        places = rng.permutation(target.crossbars)[: len(package.application.clusters)]
        out = tmp_path / str(number)
        relocate(package, places.tolist(), target, out)
        configuration = machine.load(out)
        assert configuration.guarantee is None
        assert configuration.machine == target.machine
        found = [
            (tile[1] * target.machine.mesh[0] + tile[0]) * target.machine.crossbars_per_tile + index
            for tile, index in ((crossbar.tile, crossbar.index) for crossbar in configuration.crossbars)
        ]
        assert found == places.tolist()
        result = machine.run(configuration, inputs)
        for population, spikes in expected.spikes.items():
            assert np.array_equal(result.spikes[population], spikes), (population, places)
        # runs to its end: no order contradicts another, wherever the clusters are
        timing = machine.simulate(configuration, result.counts, 30)
        assert (np.diff(timing.finish) >= 0).all()


@pytest.mark.parametrize("name", PACKAGES)
def test_nothing_else_changes(name: str, tmp_path: Path) -> None:
    """At the place where the compiler had it, with the guarantee that it had, it is the same file."""
    package, build = package_of(name)
    application = package.application
    mesh, per_tile = application.platform.machine.mesh, application.platform.machine.crossbars_per_tile
    places = [
        (each["tile"][1] * mesh[0] + each["tile"][0]) * per_tile + each["index"] for each in package.config["crossbars"]
    ]
    guarantee = application.period, application.latency
    relocate(package, places, application.platform, tmp_path / "same", guarantee)
    for file in (CONFIG_FILE, CELLS_FILE):
        assert (tmp_path / "same" / file).read_bytes() == (build / "machine" / file).read_bytes()


def test_kinds_of_routes() -> None:
    trees = relocated(package_of("multicast")[0], *on_tiles("multicast"))["flows"]
    assert len({flow["from"] for flow in trees}) == len(trees)
    assert max(len(flow["to"]) for flow in trees) > 1
    ways = relocated(package_of("recurrent")[0], *on_tiles("recurrent"))["flows"]
    assert max(len(flow["to"]) for flow in ways) == 1
    assert len({flow["from"] for flow in ways}) < len(ways)


def on_tiles(name: str) -> tuple[list[int], Platform]:
    """Each cluster on a tile of its own."""
    return list(range(len(package_of(name)[0].application.clusters))), target_of(name, "one crossbar per tile")


def test_the_guarantee_is_replaced(tmp_path: Path) -> None:
    package, _ = package_of("unicast")
    places, target = on_tiles("unicast")
    relocate(package, places, target, tmp_path / "out", (Fraction(7000001, 3), Fraction(5)))
    guarantee, compiled = machine.load(tmp_path / "out").guarantee, package.config["guarantee"]
    assert guarantee is not None
    assert (guarantee.period, guarantee.latency) == (Fraction(7000001, 3), Fraction(5))
    assert guarantee.steps_per_second == pytest.approx(3e12 / 7000001)
    assert (guarantee.peaks, guarantee.activity) == (compiled["peaks"], compiled["activity"])


@pytest.mark.parametrize(
    ("places", "change", "message"),
    [
        ([0, 1], {}, "2 crossbars for 4 clusters"),
        ([0, 1, 2, 2], {}, "given to two clusters"),
        ([0, 1, 2, 8], {}, "no crossbar 8"),
        ([0, 1, 2, -1], {}, "no crossbar -1"),
        ([0, 1, 2, 3], {"rows": 32}, "with rows 64, these have 32"),
        ([0, 1, 2, 3], {"arity": 2, "mesh": (8, 1)}, "another topology"),
    ],
)
def test_places_that_are_none(places: list[int], change: dict[str, Any], message: str, tmp_path: Path) -> None:
    package, _ = package_of("unicast")
    built_for = package.application.platform
    target = replace(built_for, machine=replace(built_for.machine, **change))
    with pytest.raises(SnnirError, match=message):
        relocate(package, places, target, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_directories_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, _ = package_of("unicast")
    platform = package.application.platform
    (tmp_path / "there").mkdir()
    with pytest.raises(SnnirError, match="exists"):
        relocate(package, range(4), platform, tmp_path / "there")
    for name in ("no/such", 300 * "n"):
        with pytest.raises(SnnirError, match="cannot be written"):
            relocate(package, range(4), platform, tmp_path / name)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SnnirError, match="No space left"):
        relocate(package, range(4), platform, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
