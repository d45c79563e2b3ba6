"""Every kind of defect: its message, its place, whether it is repaired, and that nothing else is said."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nir_defects import SCALARS, plain
from nir_defects_structure import STRUCTURE
from nir_defects_values import VALUES
from nir_files import h5py, lif, network, pairs, read, replaced, source, written

from snnir.errors import SnnirError
from snnir.frontend.nir.lints import FIX, LINTS, LintError

CASES = [*STRUCTURE, *VALUES]


def first_of(path: Path, **options: Any) -> tuple[LintError, list[str]]:
    """The error of a file, and the notes beside it."""
    stream = io.StringIO()
    with pytest.raises(LintError) as caught, redirect_stderr(stream):
        read(path, **options)
    return caught.value, stream.getvalue().splitlines()


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{number}-{each.lint}" for number, each in enumerate(CASES)]
)
def test_each_defect(tmp_path: Path, number: int) -> None:
    """Exact message and place; `others` more findings; the repair by `--fix` gives a network that is whole."""
    each = CASES[number]
    path = written(tmp_path / "net.nir", *each.base, replaced(each.change))
    error, notes = first_of(path, dt=each.dt)
    assert error.message == each.message
    assert error.place == (f"{path}:{each.place}" if each.place else str(path))
    assert error.findings[0].lint == each.lint
    assert len(error.findings) - 1 == len(notes) == each.others, notes
    assert all(f"{path}" in note and "note: also wrong: " in note and "; fix: " in note for note in notes)
    if not each.cure:
        assert error.hint == each.hint if each.hint else error.hint
        assert FIX not in error.hint
        with pytest.raises(SnnirError):
            read(path, dt=each.dt, fix=True)
        return
    assert LINTS[each.lint].repair
    assert error.hint == f"`{FIX}` {each.cure}"
    stream = io.StringIO()
    with redirect_stderr(stream):
        module = read(path, dt=each.dt or (1e-3 if each.place == "/nodes/a/shape" else None), fix=True)
    assert f"{error.place}: note: repaired: {each.message}; --fix {each.cure}\n" in stream.getvalue()
    assert network(module).sources


def test_each_lint_is_tested() -> None:
    """Those of whole files are in test_frontend_nir_hostile.py."""
    whole = {"not-hdf5", "truncated", "elsewhere"}
    assert {each.lint for each in CASES} == set(LINTS) - whole
    assert {each.lint for each in CASES if each.cure} == {name for name, lint in LINTS.items() if lint.repair}


def test_all_defects_at_once(tmp_path: Path) -> None:
    """What only the author can repair comes first, then what `--fix` can, then what an option would settle."""
    nodes, edges = plain()
    nodes["n"] = lif(3, r=1.0)
    change = {
        "nodes/n/tau": np.array([1.0, -1.0, 1.0]),
        "nodes/fc/bias": False,
        "nodes/fc/extra": 1,
        "nodes/o/shape": np.array([1, 3]),
        "edges": pairs(*edges, edges[0]),
    }
    path = written(tmp_path / "net.nir", nodes, edges, replaced(change))
    error, notes = first_of(path)
    lints = ["unknown-field", "time-constant", "bool-bias", "duplicate-edge", "output-shape", "unknown-dt"]
    assert [each.lint for each in error.findings] == lints
    assert notes[0] == (
        f"{path}:/nodes/n/tau: note: also wrong: tau = -1 s, but a time constant must be positive; "
        "fix: times are in seconds: 5e-3 is 5 ms"
    )
    error, _ = first_of(path, fix=True, dt=1e-3)
    assert [each.lint for each in error.findings] == ["unknown-field", "time-constant"]


def test_many_defects(tmp_path: Path) -> None:
    """No more than twenty are listed."""
    nodes = {"a": source(2)} | {f"n{i}": lif(2) for i in range(30)}
    change = {f"nodes/n{i}/tau": np.zeros(2) for i in range(30)}
    path = written(tmp_path / "net.nir", nodes, [("a", f"n{i}") for i in range(30)], replaced(change))
    error, notes = first_of(path, dt=1e-3)
    assert len(error.findings) == 30
    assert len(notes) == 20
    assert notes[-1] == f"{path}: note: 10 more defects"


def test_repairs_mean_what_they_say(tmp_path: Path) -> None:
    """A repaired file is the same network as the whole one."""
    nodes, edges = plain()
    whole = read(written(tmp_path / "net.nir", nodes, edges))
    broken = {**nodes, "x": lif(3)}
    change = {
        **SCALARS,
        "nodes/fc/weight": nodes["fc"].weight.T.copy(),
        "nodes/a/shape": np.array([9, 2]),
        "edges": pairs(*edges, edges[0]),
    }
    again = read(written(tmp_path / "net.nir", broken, edges, replaced(change)), fix=True)
    for op in (network(whole), network(again)):
        for each in (op, *op.body.block.ops):
            each.attributes.pop("nir", None)
    assert str(whole) == str(again)


def test_a_file_is_not_changed(tmp_path: Path) -> None:
    """Repairs are made in what is read."""
    path = written(tmp_path / "net.nir", *plain(), replaced({"nodes/fc/bias": False}))
    before = path.read_bytes()
    read(path, fix=True)
    assert path.read_bytes() == before
    with h5py.File(path) as file:
        assert file["node/nodes/fc/bias"].dtype == bool
