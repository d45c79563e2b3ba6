"""What all tests share: `.mlir` files as tests, and the places of data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["snnir.testing"]

ROOT = Path(__file__).resolve().parent.parent


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
