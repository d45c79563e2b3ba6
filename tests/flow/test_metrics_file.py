"""`metrics.json` of a build: valid, consistent, the same for the same input but for the time that it took."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from snnir.flow.directory import read_manifest
from snnir.report.metrics import FILE
from snnir.report.schemas import schema
from snnir.testing import Outcome, run_in_process

Snnc = Callable[..., Outcome]


def read(build: Path) -> dict[str, Any]:
    """The metrics of a build; they fit their schema."""
    found: dict[str, Any] = json.loads((build / FILE).read_text())
    jsonschema.validate(found, schema("metrics"))
    return found


@pytest.mark.parametrize("name", ["metrics", "platform-check"])
def test_the_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema("metrics" if name == "metrics" else "platform-check"))


def test_parts_add_up(build: Path) -> None:
    found = read(build)
    totals, machine = found["totals"], found["machine"]
    used = totals["used"]
    assert used["clusters"] == len(found["crossbars"]) == sum(tile["crossbars"] for tile in found["tiles"])
    assert used["weights"] == sum(each["weights"] for each in found["crossbars"])
    assert totals["traffic"]["driven"] == pytest.approx(sum(each["driven"] for each in found["crossbars"]))
    for tile in found["tiles"]:
        here = [each for each in found["crossbars"] if each["tile"] == tile["router"]]
        assert [tile[key] for key in ("rows", "columns", "weights")] == [
            sum(each[key] for each in here) for key in ("rows", "columns", "weights")
        ]
    assert max(each["rows"] for each in found["crossbars"]) <= machine["rows"]
    between = [link for link in found["links"] if link["kind"] == "between"]
    assert totals["routed"]["flits"] == pytest.approx(sum(link["flits"] for link in between))
    assert totals["routed"]["hops"] == sum(link["flows"] for link in between)
    assert totals["routed"]["entries"] == sum(tile["entries"] for tile in found["tiles"])
    into = {tuple(link["to"]): link["flits"] for link in found["links"] if link["kind"] == "eject"}
    assert {tuple(t["router"]): t["flits_in"] for t in found["tiles"] if t["flits_in"]} == pytest.approx(into)


def test_times(build: Path) -> None:
    """Every pass has one, those without a stage too."""
    seconds = json.loads((build / "times.json").read_text())
    kept = {stage.name for stage in read_manifest(build).stages} - {"import"}
    others = {"check-platform", "cluster-metrics", "verify", "write stages", "emit", "measure delays"}
    assert set(seconds["parts"]) == kept | others
    assert sum(seconds["parts"].values()) <= seconds["total"]


def test_the_same_again(build: Path, folder: Path, snnc: Snnc) -> None:
    assert snnc("compile", folder / "net.snn", "--data", folder / "spikes.npz", "-o", folder / "again").code == 0
    assert (build / "metrics.json").read_bytes() == (folder / "again" / "metrics.json").read_bytes()


def test_report(build: Path, snnc: Snnc) -> None:
    found = read(build)
    shown = json.loads(snnc("report", build, "--json").out)["metrics"]
    assert shown == {"totals": found["totals"], "seconds": json.loads((build / "times.json").read_text())}
    text = snnc("report", build).out
    used = found["totals"]["used"]
    assert f"rows {used['rows']:.0%}, columns {used['columns']:.0%} in use" in text
    assert f"{found['totals']['routed']['entries']} table entries" in text
    assert "\ncompiled   in " in text


def test_without_the_pass(folder: Path, snnc: Snnc) -> None:
    out = folder / "short"
    arguments = ["compile", folder / "net.snn", "--pass-pipeline", "snn-quantize, convert-snn-to-cluster", "-o", out]
    assert snnc(*arguments).code == 0
    assert read(out)["totals"] is None
    assert "traffic" not in snnc("report", out).out


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "snnir-metrics", "version": 2}'])
def test_damaged(build: Path, snnc: Snnc, text: str) -> None:
    (build / FILE).write_text(text)
    outcome = snnc("report", build)
    assert (outcome.code, outcome.out) == (1, "")
    assert f"{FILE}: error: " in outcome.err
    (build / FILE).unlink()
    assert snnc("report", build).code == 0


def test_the_attribute_is_in_the_stages(build: Path, folder: Path) -> None:
    """In the stage of the next pass; it survives text."""
    (stage,) = (each for each in read_manifest(build).stages if each.name == "convert-cluster-to-dataflow")
    text = (build / "stages" / stage.file).read_text()
    assert "#cluster.metrics<used(clusters = " in text
    again = run_in_process(["snn-opt", str(build / "stages" / stage.file), "-o", str(folder / "again.mlir")])
    assert again.code == 0, again.err
    line = next(line for line in text.splitlines() if "#cluster.metrics" in line)
    assert line in (folder / "again.mlir").read_text().splitlines()
