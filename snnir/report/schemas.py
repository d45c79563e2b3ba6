"""The published schemas of reports: JSON Schema, draft 2020-12, beside this file."""

import json
from importlib.resources import files
from typing import Any, Literal


def schema(name: Literal["platform-check", "metrics", "sensitivity", "training", "transformation"]) -> dict[str, Any]:
    """The schema of `snnc check --json`, `metrics.json`, `snnc sensitivity --json`, `training.json` or
    `transformation.json`."""
    return json.loads(files("snnir.report").joinpath(f"{name}.schema.json").read_text(encoding="utf-8"))
