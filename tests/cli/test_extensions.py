"""Passes and dialects that users bring along."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from snnir.cli import extensions
from snnir.testing import Outcome

SnnOpt = Callable[..., Outcome]

TAG = """
from dataclasses import dataclass
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.passes import ModulePass
from xdsl.transforms.canonicalize import CanonicalizePass

@dataclass(frozen=True)
class Tag(ModulePass):
    name = "{name}"
    def apply(self, ctx, op):
        op.attributes["{attribute}"] = UnitAttr()
"""


def write(path: Path, name: str = "tag", attribute: str = "tagged") -> Path:
    """A file with one pass that puts an attribute on the module."""
    path.write_text(TAG.format(name=name, attribute=attribute))
    return path


def test_a_file(snn_opt: SnnOpt, program: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "my_pass.py")
    assert "attributes {tagged}" in snn_opt(program, "--load", path, "-p", "tag").out
    write(path, attribute="again")
    outcome = snn_opt(program, "--load", path, "-p", "builtin.module(tag)")
    assert "attributes {again}" in outcome.out


def test_options_of_a_loaded_pass(snn_opt: SnnOpt, program: Path, extra: str) -> None:
    pipeline = "mark{number=3 ratio=1e-3 text=a/b.npz sure mode=slow sizes=1,2 limit=9}"
    outcome = snn_opt(program, "--load", extra, "-p", pipeline)
    assert "(3, 0.001, 'a/b.npz', True, 'slow', (1, 2), 9)" in outcome.out


def test_a_dialect(snn_opt: SnnOpt, extra: str) -> None:
    outcome = snn_opt("--load", extra, "--disable-verify", stdin='"extra.broken"() : () -> ()')
    assert '"extra.broken"() : () -> ()' in outcome.out
    assert "not registered" in snn_opt(stdin='"extra.broken"() : () -> ()').err


def test_a_module_of_the_current_directory(
    snn_opt: SnnOpt, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my_snn_package"
    package.mkdir()
    (package / "__init__.py").touch()
    write(package / "tagging.py")
    monkeypatch.chdir(tmp_path)
    outcome = snn_opt(program, "--load", "my_snn_package.tagging", "-p", "tag")
    for name in ("my_snn_package", "my_snn_package.tagging"):
        sys.modules.pop(name)
    assert "attributes {tagged}" in outcome.out


def test_a_file_can_import_its_neighbour(snn_opt: SnnOpt, program: Path, tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_my_pass.py").write_text("ATTRIBUTE = 'tagged'\n")
    path = write(tmp_path / "my_pass.py", attribute='" + ATTRIBUTE + "')
    path.write_text("from neighbour_of_my_pass import ATTRIBUTE\n" + path.read_text())
    outcome = snn_opt(program, "--load", path, "-p", "tag")
    sys.modules.pop("neighbour_of_my_pass")
    assert "attributes {tagged}" in outcome.out
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("def f(:\n", "{path}:1:7: error: invalid Python: invalid syntax\n"),
        ("import os\n\n1 / 0\n", "{path}:3: error: cannot be loaded: ZeroDivisionError: division by zero\n"),
        ("import no_such_module\n", "{path}:1: error: cannot be loaded: ModuleNotFoundError: No module named"),
        ("x = 1\n", "{path}: error: no pass and no dialect in it\n"),
        (TAG.format(name="cse", attribute="x"), "{path}: error: there is already a pass 'cse'\n"),
        (TAG.format(name="snn-quantize", attribute="x"), "{path}: error: there is already a pass 'snn-quantize'\n"),
        (
            "from xdsl.ir import Dialect\nSNN = Dialect('snn', [], [])\n",
            "{path}: error: there is already a dialect 'snn'\n",
        ),
    ],
)
def test_files_that_cannot_be_loaded(snn_opt: SnnOpt, program: Path, tmp_path: Path, content: str, error: str) -> None:
    path = tmp_path / "my_pass.py"
    path.write_text(content)
    outcome = snn_opt(program, "--load", path)
    assert outcome.err.startswith(error.format(path=path))
    assert (outcome.code, outcome.out) == (1, "")


def test_names_of_things_that_are_not_there(snn_opt: SnnOpt, program: Path, tmp_path: Path) -> None:
    missing = tmp_path / "no.py"
    assert snn_opt(program, "--load", missing).err.startswith(f"{missing}: error: no such file\n")
    assert snn_opt(program, "--load", "no.such").err.startswith("no.such: error: no such module\n")


def test_two_files_with_one_pass(snn_opt: SnnOpt, program: Path, tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.py"), write(tmp_path / "two.py")
    outcome = snn_opt(program, "--load", one, "--load", two)
    assert outcome.err.startswith(f"{two}: error: there is already a pass 'tag'\n")


def test_a_dialect_that_is_only_imported_is_no_clash(snn_opt: SnnOpt, program: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "my_pass.py")
    path.write_text("from snnir.dialects.snn import SNN\nfrom xdsl.dialects.arith import Arith\n" + path.read_text())
    assert snn_opt(program, "--load", path, "-p", "tag").code == 0


class TestInstalledPackages:
    """The entry-point group `snnir.passes`."""

    @staticmethod
    def install(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str]) -> None:
        """Pretend that packages with these entry points are installed."""
        points = [EntryPoint(name, value, extensions.ENTRY_POINT_GROUP) for name, value in entries]

        def entry_points(group: str) -> list[EntryPoint]:
            return [point for point in points if point.group == group]

        monkeypatch.setattr(extensions, "entry_points", entry_points)

    def test_a_pass(self, snn_opt: SnnOpt, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install(monkeypatch, ("dce2", "xdsl.transforms.dead_code_elimination:DeadCodeElimination"))
        assert snn_opt(program, "-p", "cse").code == 0
        outcome = snn_opt(program, "-p", "dce2")
        assert "the pass calls itself 'dce'" in outcome.err

    def test_only_names_are_read(self, snn_opt: SnnOpt, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install(
            monkeypatch,
            ("lazy", "no_such_package.module:Pass"),
            ("licm", "xdsl.transforms.loop_invariant_code_motion:LoopInvariantCodeMotionPass"),
        )
        assert snn_opt(program).code == 0
        assert snn_opt(program, "-p", "licm").code == 0
        outcome = snn_opt(program, "-p", "lazy")
        assert outcome.code == 1
        assert "pass 'lazy' cannot be imported: No module named 'no_such_package'" in outcome.err

    def test_clashes(self, snn_opt: SnnOpt, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install(monkeypatch, ("snn-quantize", "a:B"))
        assert "there is already a pass 'snn-quantize'" in snn_opt(program).err
        self.install(monkeypatch, ("mine", "a:B"), ("mine", "c:D"))
        assert "two installed packages offer a pass 'mine'" in snn_opt(program).err

    def test_something_else(self, snn_opt: SnnOpt, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install(monkeypatch, ("path", "pathlib:Path"))
        assert "pathlib:Path is not a pass" in snn_opt(program, "-p", "path").err
