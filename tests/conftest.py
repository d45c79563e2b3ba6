"""What all tests share: `.mlir` files as tests, and the places of data."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

pytest_plugins = ["snnir.testing"]

ROOT = Path(__file__).resolve().parent.parent
TIGHTNESS = "tightness of "
"""Properties of this name, recorded by tests, are tabulated at the end of the session."""


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of shipped sample programs and platforms."""
    return ROOT / "samples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real-world files that are too large for the repository: `SNNIR_DATA`, or `../shared/data` beside the checkout."""
    path = Path(os.environ.get("SNNIR_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no data at {path}; set SNNIR_DATA")
    return path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Guarantee / simulated throughput of all guarantees that were tested: least, median and largest."""
    found: dict[str, list[float]] = defaultdict(list)
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name.startswith(TIGHTNESS) and report.when == "call":
                found[name.removeprefix(TIGHTNESS)].append(value)
    if found:
        terminalreporter.section("tightness = guarantee / simulated throughput")
        terminalreporter.write_line(f"{'':28}{'runs':>6}{'min':>8}{'median':>8}{'max':>8}")
    for what, values in sorted(found.items()):
        row = f"{what:28}{len(values):6}{min(values):8.3f}{median(values):8.3f}{max(values):8.3f}"
        terminalreporter.write_line(row)
