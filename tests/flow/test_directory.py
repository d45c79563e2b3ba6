"""The build directory appears whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from snnir.errors import SnnirError
from snnir.flow.directory import MANIFEST, Manifest, Stage, new_directory, read_manifest, write_manifest
from snnir.testing import Outcome, run_in_process

Snnc = Callable[..., Outcome]

PASSES = '''
"""A pass that the user interrupts."""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class Interrupted(ModulePass):
    """Wait for ever."""

    name = "interrupted"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise KeyboardInterrupt
'''


def names(folder: Path) -> list[str]:
    """Everything below a folder, hidden or not."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def fill(folder: Path, text: str) -> None:
    """What a build is: a manifest, and something else."""
    write_manifest(folder, Manifest(text, "", "", None, None, [Stage("import", "00-import.mlir")]))
    (folder / "content").write_text(text)


def test_what_a_build_holds(folder: Path, build: Path) -> None:
    manifest = read_manifest(build)
    assert (manifest.model, manifest.platform) == (str(folder / "net.snn"), "mesh2x2-32")
    assert [stage.name for stage in manifest.stages[:3]] == ["import", "snn-quantize", "snn-profile"]
    assert [stage.file for stage in manifest.stages[:2]] == ["00-import.mlir", "01-snn-quantize.mlir"]
    assert [stage.lossy for stage in manifest.stages[:3]] == [False, True, False]
    expected = ["build.json", "machine", "machine/cells.safetensors", "machine/config.json"]
    expected += ["metrics.json", "stages", "times.json", "transformation.json"]
    expected += [f"stages/{stage.file}" for stage in manifest.stages]
    assert set(names(build)) - {"stages/tensors.safetensors"} == set(expected)


def test_interrupted(folder: Path) -> None:
    (folder / "slow.py").write_text(PASSES)
    before = names(folder)
    pipeline = "snn-quantize, convert-snn-to-cluster, interrupted"
    command = ["snnc", "compile", str(folder / "net.snn"), "--load", str(folder / "slow.py")]
    command += ["--pass-pipeline", pipeline, "-o", str(folder / "new" / "out")]
    outcome = run_in_process(command)
    assert (outcome.code, outcome.err) == (130, "interrupted\n")
    assert [name for name in names(folder) if "__pycache__" not in name] == before


def test_a_failed_build_keeps_the_one_before(snnc: Snnc, folder: Path, build: Path) -> None:
    before = {name: (build / name).read_bytes() for name in names(build) if (build / name).is_file()}
    text = (folder / "machine.toml").read_text()
    (folder / "machine.toml").write_text(text.replace("[2, 2]", "[1, 1]"))
    outcome = snnc("compile", folder / "net.snn", "-o", build)
    assert outcome.code == 1
    assert {name: (build / name).read_bytes() for name in names(build) if (build / name).is_file()} == before
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


def test_a_build_is_replaced_whole(snnc: Snnc, folder: Path, build: Path) -> None:
    assert snnc("verify", build).code == 0
    assert (build / "verification.json").exists()
    assert snnc("compile", folder / "net.snn", "-o", build).code == 0
    assert not (build / "verification.json").exists()
    assert read_manifest(build).data is None
    assert [path.name for path in folder.iterdir() if "out" in path.name] == ["out"]


def test_a_foreign_folder_is_refused_before_work_starts(snnc: Snnc, folder: Path) -> None:
    for name in ("full", "file"):
        target = folder / name
        if name == "full":
            target.mkdir()
            (target / "thesis.tex").write_text("years of work")
        else:
            target.write_text("years of work")
        before = names(folder)
        outcome = snnc("compile", folder / "net.snn", "-o", target)
        assert outcome.code == 1
        assert outcome.err.startswith(f"{target}: error: exists and is no build directory")
        assert names(folder) == before
    (folder / "empty").mkdir()
    assert snnc("compile", folder / "net.snn", "-o", folder / "empty").code == 0


def test_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with new_directory(Path()) as folder:
        fill(folder, "new")
    assert names(tmp_path) == ["here", f"here/{MANIFEST}", "here/content"]


@pytest.mark.parametrize("failing", [1, 2])
def test_what_was_there_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    with new_directory(tmp_path / "out") as folder:
        fill(folder, "old")
    rename, calls = os.rename, 0

    def interrupted(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), new_directory(tmp_path / "out") as folder:
        fill(folder, "new")
    assert names(tmp_path) == ["out", f"out/{MANIFEST}", "out/content"]
    assert (tmp_path / "out" / "content").read_text() == "old"


def test_folders_above(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wrong"), new_directory(tmp_path / "a" / "b" / "c"):
        raise ValueError("wrong")
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(SnnirError, match="cannot be written"), new_directory(tmp_path / "file" / "out"):
        pass
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"version": 2}', '{"version": 1, "stages": []}', '{"version": 1, "stages": [{"a": 1}]}']
)
def test_damaged_manifests(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(SnnirError, match=r"damaged|version 2"):
        read_manifest(tmp_path)


def test_a_file_is_no_build_directory(snnc: Snnc, tmp_path: Path) -> None:
    path = tmp_path / "build"
    path.write_text("")
    for command in ("verify", "report"):
        assert snnc(command, path).err.startswith(f"{path}: error: this is no build directory\n")


def test_damaged_stages(snnc: Snnc, build: Path) -> None:
    stage = max((build / "stages").glob("*.mlir"))
    stage.write_text(stage.read_text()[:-30])
    for command in ("verify", "report"):
        outcome = snnc(command, build)
        assert outcome.code == 1
        assert outcome.err.startswith(f"{stage}:")
    stage.unlink()
    assert "cannot be read" in snnc("report", build).err


def test_damaged_verification(snnc: Snnc, build: Path) -> None:
    (build / "verification.json").write_text("{")
    assert snnc("report", build).err.startswith(f"{build / 'verification.json'}: error: the verification is damaged")


def test_report_is_json_and_text(snnc: Snnc, build: Path) -> None:
    summary = json.loads(snnc("report", build, "--json").out)
    assert summary["program"]["name"] == "small"
    assert summary["clusters"][0]["name"] == "c0"
    assert sum(cluster["cells"] for cluster in summary["clusters"]) == 12 * 40 + 12 * 12 + 3 * 12
    guarantee = summary["guarantee"]
    assert guarantee["activity"] == "peak"
    assert guarantee["critical_cycle"]
    assert guarantee["steps_per_second"] == pytest.approx(12 * guarantee["inferences_per_second"])
    text = snnc("report", build).out
    assert f"{guarantee['steps_per_second']:,.0f} steps/s" in text
    assert len(text.splitlines()) < 25
