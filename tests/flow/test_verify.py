"""`snnc verify` holds a good build to be good, and finds what is wrong with others."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir.tensors import Tensor, keys_of, write_safetensors
from snnir.testing import Outcome

Snnc = Callable[..., Outcome]

TAMPER = '''
"""Passes that change something without saying so."""

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.crossbar import CrossbarOp
from snnir.dialects.snn import DenseOp
from snnir.passes.base import SNNPass


def changed(tensor: TensorAttr) -> TensorAttr:
    array = np.array(tensor.array)
    array.flat[np.flatnonzero(array)[:40]] = 0
    return TensorAttr.of(tensor.data.key, array)


@dataclass(frozen=True)
class TamperWeights(SNNPass):
    """Set some weights to zero."""

    name = "tamper-weights"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        dense = next(each for each in op.walk() if isinstance(each, DenseOp))
        dense.weights = changed(dense.weights)


@dataclass(frozen=True)
class TamperCells(ModulePass):
    """Set some cells to zero."""

    name = "tamper-cells"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        crossbar = next(each for each in op.walk() if isinstance(each, CrossbarOp))
        crossbar.cells = changed(crossbar.cells)
'''


def config(build: Path) -> dict[str, Any]:
    """The emitted configuration."""
    return json.loads((build / "machine" / "config.json").read_text())


def write_config(build: Path, document: dict[str, Any]) -> None:
    """Put a changed configuration in its place."""
    (build / "machine" / "config.json").write_text(json.dumps(document))


def verify(snnc: Snnc, build: Path, code: int) -> tuple[dict[str, Any], str]:
    """The outcome as JSON and as text."""
    outcome = snnc("verify", build, "--json")
    assert outcome.code == code, outcome.err
    text = snnc("verify", build)
    assert text.code == code
    assert text.out.splitlines()[-1].split() == ["verdict", "ok" if code == 0 else "FAILED"]
    return json.loads(outcome.out), text.out


def assert_found(result: dict[str, Any], text: str, populations: set[str]) -> None:
    """The fault has an address: population, neuron, step and sample."""
    first = result["machine"]["first"]
    assert not result["holds"]
    assert result["machine"]["different"] > 0
    assert result["machine"]["origin"] == ""
    assert first["population"] in populations
    assert first["expected"] != first["found"]
    place = f"@{first['population']}[{first['neuron']}] at step {first['step']} of sample {first['sample']}"
    assert place in text
    assert "the files in machine/ are not what the last pass made" in text


def test_a_good_build(snnc: Snnc, build: Path) -> None:
    result, text = verify(snnc, build, 0)
    assert (result["samples"], result["steps"], result["exact"]) == (6, 12, True)
    assert result["machine"] == {
        "compared": 6 * 12 * 15,
        "different": 0,
        "first": None,
        "per_population": {"h": 0, "o": 0},
        "origin": "",
    }
    assert [change["name"] for change in result["passes"]] == ["snn-quantize"]
    assert result["timing"]["steps"] == 72
    assert result["timing"]["late_step"] is None
    assert 0 < result["timing"]["tightness"] <= 1
    assert "machine = compiled program, 1,080 neuron-steps, exactly" in text
    report = json.loads(snnc("report", build, "--json").out)
    assert report["verification"] == result
    assert json.loads((build / "verification.json").read_text()) == result


def test_a_changed_cell(snnc: Snnc, build: Path) -> None:
    document = config(build)
    path = build / "machine" / "cells.safetensors"
    cells = {key: np.array(Tensor.open(path, key).array) for key in keys_of(path)}
    crossbar = next(c for c in document["crossbars"] if any(s["population"] == "o" for s in c["slices"]))
    (part,) = (s for s in crossbar["slices"] if s["population"] == "o")
    start = part["rows"][0][0]
    cells[crossbar["cells"]][start : start + 12, part["columns"][0] + 1] = 100
    write_safetensors(path, cells)
    assert snnc("verify", build).err.startswith(str(build / "machine"))  # the digest is wrong
    document["tensors"]["digest"] = blake2b(path.read_bytes(), digest_size=16).hexdigest()
    write_config(build, document)
    result, text = verify(snnc, build, 1)
    assert_found(result, text, {"o"})
    assert result["machine"]["first"]["neuron"] == 1
    assert result["machine"]["per_population"]["h"] == 0


def test_a_changed_threshold(snnc: Snnc, build: Path) -> None:
    document = config(build)
    (part,) = (
        s for c in document["crossbars"] for s in c["slices"] if s["population"] == "h" and s["kind"] == "neurons"
    )
    part["neuron"]["threshold"] = 1.5
    write_config(build, document)
    result, text = verify(snnc, build, 1)
    assert_found(result, text, {"h"})
    assert result["machine"]["first"]["found"] == 0


def test_a_changed_delay(snnc: Snnc, build: Path) -> None:
    document = config(build)
    (crossbar,) = (c for c in document["crossbars"] if any(s["population"] == "o" for s in c["slices"]))
    (rows,) = (r for r in crossbar["rows"] if (r["source"], r["delay"]) == ("h", 1))
    rows["delay"] = 3
    write_config(build, document)
    result, text = verify(snnc, build, 1)
    assert_found(result, text, {"o"})
    assert result["machine"]["first"]["step"] <= 3
    rows["delay"] = 0
    write_config(build, document)
    outcome = snnc("verify", build)  # nobody waits for these spikes, which would come too late
    assert (outcome.code, outcome.out) == (1, "")
    assert ": error: " in outcome.err


def test_a_changed_route(snnc: Snnc, build: Path) -> None:
    document = config(build)
    flow = next(flow for flow in document["flows"] if len(flow["branches"][0]) > 1)
    flow["branches"][0] = flow["branches"][0][:-1]
    write_config(build, document)
    outcome = snnc("verify", build)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"{build / 'machine' / 'config.json'}:/flows/")


def test_a_promise_that_is_too_good(snnc: Snnc, build: Path) -> None:
    document = config(build)
    document["guarantee"]["period"] = document["guarantee"]["latency"] = "1000"
    write_config(build, document)
    result, text = verify(snnc, build, 1)
    assert result["machine"]["different"] == 0
    assert result["timing"]["late_step"] == 0
    assert "GUARANTEE BROKEN" in text


def test_more_spikes_than_assumed(snnc: Snnc, folder: Path, build: Path) -> None:
    np.savez(folder / "busy.npz", x=np.ones((2, 12, 40), np.uint8))
    outcome = snnc("verify", build, "--data", folder / "busy.npz")
    assert outcome.code == 0, outcome.out
    assert "exceeded the assumed activity" in outcome.out


@pytest.mark.parametrize(
    ("passes", "named"),
    [
        ("snn-quantize, tamper-weights, LOWERING", "tamper-weights"),
        ("tamper-weights, snn-quantize, LOWERING", "tamper-weights"),
        ("snn-quantize, LOWERING, tamper-cells", "tamper-cells"),
    ],
)
def test_the_pass_that_did_it_is_named(snnc: Snnc, folder: Path, passes: str, named: str) -> None:
    lowering = (
        "convert-snn-to-cluster, cluster-place, cluster-route, convert-cluster-to-dataflow, dataflow-schedule, "
        "dataflow-analyze-throughput, convert-dataflow-to-crossbar"
    )
    (folder / "tamper.py").write_text(TAMPER)
    pipeline = passes.replace("LOWERING", lowering)
    command = ("compile", folder / "net.snn", "--load", folder / "tamper.py", "--pass-pipeline", pipeline)
    outcome = snnc(*command, "-o", folder / "bad")
    assert outcome.code == 0, outcome.err
    outcome = snnc("verify", folder / "bad", "--data", folder / "spikes.npz", "--json")
    assert outcome.code == 1
    result = json.loads(outcome.out)
    assert not result["holds"]
    guilty = [change["name"] for change in result["passes"] if change["different"] and not change["lossy"]]
    assert guilty + [result["machine"]["origin"]] * (named == "tamper-cells") == [named]
    text = snnc("verify", folder / "bad", "--data", folder / "spikes.npz").out
    assert f"brought in by {named}" in text or f"{named}: changed" in text
    assert ("ALTHOUGH IT MUST NOT" in text) == (named == "tamper-weights")


def test_samples_may_be_few(snnc: Snnc, build: Path, folder: Path) -> None:
    for words, steps in (((), 72), (("--samples", "1"), 12), (("--timing-steps", "5"), 5)):
        arguments = ("--data", folder / "spikes.npz", *words) if "--samples" in words else words
        outcome = snnc("verify", build, *arguments, "--json")
        assert json.loads(outcome.out)["timing"]["steps"] == steps
    assert json.loads(snnc("verify", build, "--timing-steps", "0", "--json").out)["timing"] is None
