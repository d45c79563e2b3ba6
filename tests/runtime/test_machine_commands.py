"""`snnc machine`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir.cli.snnc import main
from snnir.machine.configuration import load
from snnir.machine.data import read_spikes
from snnir.machine.functional import run
from snnir.runtime.store import Store
from tests.runtime.applications import sample_package

PLATFORM = "samples/platforms/mesh4x4-128-shared.toml"
SPIKES = "samples/digits/test_spikes.npz"


@pytest.fixture
def machine(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "chip.db"
    assert main(["machine", "create", str(path), "--platform", str(root / PLATFORM)]) == 0
    capsys.readouterr()
    return path


@pytest.fixture
def package() -> Path:
    return sample_package("mesh4x4-128-shared")


def ask(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> Any:
    """The JSON that a command prints."""
    assert main(["machine", *map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What a command that fails says is wrong."""
    return told(capsys, *words)[0]


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[str, str]:
    """What a command that fails says: two lines, what is wrong and how to fix it, no traceback."""
    assert main(["machine", *map(str, words)]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2 and ": error: " in lines[0] and lines[1].startswith("  fix: "), lines
    return lines[0], lines[1]


def test_an_application_comes_and_goes(machine: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = ask(capsys, "admit", machine, package)
    second = ask(capsys, "admit", machine, package, "--name", "again", "--throughput", 1000)
    assert first["name"] == "digits" and second["steps_per_second"] == pytest.approx(1000)
    assert not {tuple(each) for each in first["crossbars"]} & {tuple(each) for each in second["crossbars"]}
    shown = ask(capsys, "show", machine)
    assert [each["name"] for each in shown["applications"]] == ["digits", "again"]
    assert shown["free"] == 64 - len(first["crossbars"]) - len(second["crossbars"])
    assert ask(capsys, "remove", machine, "digits") == {"removed": "digits", "crossbars": len(first["crossbars"])}
    assert ask(capsys, "fsck", machine) == {"sound": True, "findings": []}
    assert [each["name"] for each in ask(capsys, "show", machine)["applications"]] == ["again"]


def test_what_is_written_computes_the_same(
    machine: Path, package: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(capsys, "reserve", machine, "0,0,1")
    ask(capsys, "admit", machine, package, "--name", "a", "-o", tmp_path / "a")
    ask(capsys, "admit", machine, package, "--name", "b", "-o", tmp_path / "b")
    data = read_spikes(root / SPIKES)
    inputs = {name: array[:5] for name, array in data.inputs.items()}
    runs = [run(load(tmp_path / name), inputs, "spikes") for name in "ab"]
    for name, spikes in runs[0].spikes.items():
        assert spikes.any() and np.array_equal(spikes, runs[1].spikes[name])
    assert main(["machine", "emit", str(machine), "b", "-o", str(tmp_path / "c")]) == 0
    assert (tmp_path / "c" / "config.json").read_bytes() == (tmp_path / "b" / "config.json").read_bytes()


def test_a_failed_crossbar(machine: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ask(capsys, "admit", machine, package)["crossbars"][0]
    found = ask(capsys, "fail", machine, ",".join(map(str, place)))
    assert found["moved"]["now"]["name"] == "digits" and place not in found["moved"]["now"]["crossbars"]
    shown = ask(capsys, "show", machine)
    assert shown["faulty"] == [place]
    ask(capsys, "repair", machine, ",".join(map(str, place)))
    assert ask(capsys, "show", machine)["faulty"] == []
    assert ask(capsys, "fsck", machine)["sound"]


def test_with_no_place_to_go_it_leaves(machine: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ask(capsys, "admit", machine, package)["crossbars"][0]
    store = Store(machine)
    with store.changing() as change:
        for crossbar in np.flatnonzero(change.state.free).tolist():
            change.mark(crossbar, -3)
    store.close()
    found = ask(capsys, "fail", machine, ",".join(map(str, place)))
    assert found["moved"]["now"] is None and "are free" in found["moved"]["refused"]
    assert ask(capsys, "show", machine)["applications"] == []


def test_defragmentation_says_its_cost(machine: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abc":
        ask(capsys, "admit", machine, package, "--name", name, "--throughput", 1000)
    ask(capsys, "remove", machine, "a")
    planned = ask(capsys, "defragment", machine, "--dry-run")
    before = ask(capsys, "show", machine)
    assert planned and all(move["cells"] == move["crossbars"] * 128 * 128 for move in planned)
    assert [each["name"] for each in before["applications"]] == ["b", "c"]
    moved = ask(capsys, "defragment", machine)
    assert moved == planned
    assert ask(capsys, "defragment", machine) == []
    assert ask(capsys, "fsck", machine)["sound"]


def test_pictures(machine: Path, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, "admit", machine, package, "--name", "a<&>")
    ask(capsys, "reserve", machine, "3,3,0")
    assert main(["machine", "show", str(machine), "--svg", str(tmp_path / "chip.svg")]) == 0
    text = capsys.readouterr().out
    assert "a<&>" in text and text.splitlines()[1].startswith("aa.") and text.splitlines()[4].endswith("-...")
    picture = (tmp_path / "chip.svg").read_text()
    assert picture.startswith("<svg") and "a&lt;&amp;&gt;" in picture and picture.count("<rect") == 1 + 64 + 1


def test_a_replay(machine: Path, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = machine.read_bytes()
    trace = tmp_path / "trace.jsonl"
    found = ask(capsys, "replay", machine, package, "--events", 60, "--seed", 3, "--save-trace", trace)
    assert found["late_steps"] == 0 and found["broken"] == [] and found["steps"] > 100
    again = ask(capsys, "replay", machine, package, "--trace", trace)
    del found["admission_seconds"], again["admission_seconds"]
    assert found == again and machine.read_bytes() == before


def test_packages_that_cannot_be_replayed(
    machine: Path, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another name helps where two packages have the same, and only there."""
    error, fix = told(capsys, "replay", machine, package, sample_package("mesh2x2-64"))
    assert "rows" in error and "compile it for this machine" in fix and "rename" not in fix
    (tmp_path / package.name).write_bytes(package.read_bytes())
    error, fix = told(capsys, "replay", machine, package, tmp_path / package.name)
    assert f"two packages are called '{package.stem}'" in error and "rename it" in fix


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "this is no event"),
        ('{"time": 0, "event": "dance"}', "'dance' is no event"),
        ('{"time": 0, "event": "arrive", "name": "a", "package": "other"}', "there is no package 'other'"),
        ('{"time": 0, "event": "fail", "crossbar": 64}', "there is no crossbar 64"),
        ('{"time": -1, "event": "fail", "crossbar": 6}', "time -1"),
        ('{"time": 0, "event": "arrive", "package": "digits"}', "no name"),
        ('{"time": 0, "event": "arrive", "name": "a", "package": "digits", "throughput": "-1"}', "not positive"),
        ("[1]", "this is no event"),
    ],
)
def test_bad_traces(
    machine: Path, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    trace = tmp_path / "trace.jsonl"
    trace.write_text('{"time": 0, "event": "repair", "crossbar": 1}\n' + line + "\n")
    said = refused(capsys, "replay", machine, package, "--trace", trace)
    assert message in said and f"{trace}:2" in said


@pytest.mark.parametrize("name", ["", "a/b", "..", "two\nlines", "\x1b[31m", "\udc80", "n" * 201])
def test_names_that_nobody_may_have(
    machine: Path, package: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """They would break pictures, lines of text or addresses."""
    before = machine.read_bytes()
    assert "cannot have this name" in refused(capsys, "admit", machine, package, "--name", name)
    assert machine.read_bytes() == before


def test_what_cannot_be_written_does_not_stay(
    machine: Path, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 means that nothing has happened."""
    before = machine.read_bytes()
    assert "no folder" in refused(capsys, "admit", machine, package, "-o", tmp_path / "none" / "a")
    assert machine.read_bytes() == before

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.rename", full)
        assert "No space left" in refused(capsys, "admit", machine, package, "-o", tmp_path / "a")
    assert ask(capsys, "show", machine)["applications"] == [] and ask(capsys, "fsck", machine)["sound"]
    assert not list(tmp_path.glob("*a"))
    ask(capsys, "admit", machine, package, "-o", tmp_path / "a")


def test_crossbars_are_named_as_they_were_given(
    machine: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ",".join(map(str, ask(capsys, "admit", machine, package)["crossbars"][0]))
    assert refused(capsys, "reserve", machine, place) == f"{place}: error: the crossbar belongs to digits"
    ask(capsys, "fail", machine, "3,2,1")
    assert refused(capsys, "reserve", machine, "3,2,1") == "3,2,1: error: the crossbar is faulty"
    assert ask(capsys, "show", machine)["faulty"] == [[3, 2, 1]]
    ask(capsys, "repair", machine, "3,2,1")
    ask(capsys, "reserve", machine, "3,2,1")


def test_a_machine_forgets(machine: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for crossbar in ("3,3,3", "3,3,2"):
        ask(capsys, "fail", machine, crossbar)
    for _ in range(20):
        ask(capsys, "admit", machine, package, "--name", "a")
        ask(capsys, "remove", machine, "a")
    ask(capsys, "admit", machine, package, "--name", "b")
    before, size = ask(capsys, "show", machine), machine.stat().st_size
    found = ask(capsys, "compact", machine, "--keep", "3")
    assert (found["forgotten"], found["kept"]) == (40, 3) and found["bytes"] < found["bytes_before"] == size
    assert ask(capsys, "show", machine) == before and ask(capsys, "fsck", machine)["sound"]
    assert ask(capsys, "compact", machine)["forgotten"] == 0
    ask(capsys, "repair", machine, "3,3,2")
    assert ask(capsys, "compact", machine, "--keep", "0")["forgotten"] == 4
    assert ask(capsys, "fsck", machine)["sound"] and len(Store(machine).events()) == 1
    assert "no whole number" in refused(capsys, "compact", machine, "--keep", "-1")


def test_names_that_are_too_long(
    machine: Path, package: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two lines each, with the name as it was given and once."""
    ask(capsys, "admit", machine, package)
    before, long = machine.read_bytes(), tmp_path / ("n" * 300)
    for words in (
        ("create", long, "--platform", root / PLATFORM),
        ("show", long),
        ("show", machine, "--svg", long),
        ("emit", machine, "digits", "-o", long),
        ("admit", machine, package, "--name", "b", "-o", long),
        ("replay", machine, package, "--events", 1, "--save-trace", long),
        ("replay", machine, package, "--trace", long),
    ):
        error = refused(capsys, *words)
        assert error.startswith(f"{long}: error: ") and error.count(long.name) == 1
    assert machine.read_bytes() == before
    allowed = tmp_path / ("n" * 255)
    assert main(["machine", "show", str(machine), "--svg", str(allowed)]) == 0 and allowed.is_file()


def test_what_is_wrong_is_said(
    machine: Path, package: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Store(machine).state().owner.tolist()
    assert "no such file" in refused(capsys, "show", tmp_path / "none.db")
    assert "exists" in refused(capsys, "create", machine, "--platform", root / PLATFORM)
    assert "no application of this name" in refused(capsys, "remove", machine, "nobody")
    assert "is no crossbar" in refused(capsys, "fail", machine, "1,2")
    assert all("is no crossbar" in refused(capsys, do, machine, "-1,0,0") for do in ("fail", "repair", "reserve"))
    assert "there is no such crossbar" in refused(capsys, "fail", machine, "9,0,0")
    assert "is no crossbar" in refused(capsys, "fail", machine, f"{'9' * 5000},0,0")
    assert "no whole number" in refused(capsys, "replay", machine, package, "--seed", "-1")
    assert "no whole number" in refused(capsys, "replay", machine, package, "--events", "0")
    assert "rows" in refused(capsys, "admit", machine, sample_package("mesh2x2-64"))
    assert "cannot be guaranteed" in refused(capsys, "admit", machine, package, "--throughput", 1e9)
    (tmp_path / "bad.snnpkg").write_bytes(package.read_bytes()[:-100])
    refused(capsys, "admit", machine, tmp_path / "bad.snnpkg")
    assert "exists" in refused(capsys, "admit", machine, package, "-o", tmp_path)
    assert Store(machine).state().owner.tolist() == before
