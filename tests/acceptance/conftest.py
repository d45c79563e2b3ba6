"""What the acceptance tests share: the commands in process, changed platforms, and the check of a guarantee."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from snnir import machine
from snnir.testing import Outcome, run_in_process

TIGHTNESS = "tightness of "  # as in tests/conftest.py, which tabulates these properties
CheckGuarantee = Callable[[machine.Configuration, machine.Counts, int, str], Fraction | None]


@pytest.fixture
def snnc() -> Callable[..., Outcome]:
    """Run `snnc` in this process."""
    return lambda *arguments: run_in_process(["snnc", *map(str, arguments)])


@pytest.fixture
def snn_opt() -> Callable[..., Outcome]:
    """Run `snn-opt` in this process."""

    def run(*arguments: object, stdin: str = "") -> Outcome:
        return run_in_process(["snn-opt", *map(str, arguments)], stdin)

    return run


@pytest.fixture
def platform(samples: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of a sample platform with other values: `platform("mesh2x2-64", fanin='"relay"')`."""

    def write(name: str, **changes: object) -> Path:
        lines = (samples / "platforms" / f"{name}.toml").read_text().splitlines()
        for key, value in changes.items():
            (number,) = [n for n, line in enumerate(lines) if line.startswith(f"{key} =")]
            lines[number] = f"{key} = {value}"
        path = tmp_path / "platform.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def check_guarantee(record_property: Callable[[str, object], None]) -> CheckGuarantee:
    """Simulate some steps, with activity that the guarantee allows: no step may be late. Notes the tightness."""

    def check(configuration: machine.Configuration, counts: machine.Counts, steps: int, what: str) -> Fraction | None:
        timing = machine.simulate(configuration, counts, steps)
        result = machine.check_guarantee(configuration, timing, counts)
        assert not result.exceeded
        assert result.late_step is None, (result, what)
        assert result.slack >= 0
        if result.tightness is not None:
            record_property(TIGHTNESS + what, float(result.tightness))
        return result.tightness

    return check
