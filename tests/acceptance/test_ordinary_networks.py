"""An ordinary network through the commands: codes are made of its values, and the machine computes these codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.printer import Printer

from snnir import machine
from snnir.dialects.attributes import ShapeAttr, SignalType, TensorAttr
from snnir.dialects.snn import Conv2dOp, DenseOp, FlattenOp, InputOp, NetworkOp, OutputOp, SumPoolOp
from snnir.dialects.snn_activations import ReluOp, SoftmaxOp
from snnir.machine.__main__ import main
from snnir.sim import simulate
from snnir.sim.entry import network_of
from snnir.tensors import PrintingPolicy, printing
from snnir.testing import Outcome

Snnc = Callable[..., Outcome]
SAMPLES = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network of real numbers as `net.mlir`, and `values.npz` with the labels that it gives."""
    rng = np.random.default_rng(3)

    def tensor(key: str, *shape: int) -> TensorAttr:
        return TensorAttr.of(key, rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype("f4"))

    network = NetworkOp("ordinary", 1e-3, 1)
    plane = InputOp("x", SignalType(ShapeAttr((1, 8, 8)), f64))
    conv = Conv2dOp(plane.signal, tensor("conv", 4, 1, 3, 3), padding=((1, 1), (1, 1)))
    first = ReluOp("maps", [conv.current], conv.current_type)
    pool = SumPoolOp(first.signal, (2, 2))
    flat = FlattenOp(pool.results[0])
    dense = DenseOp(flat.results[0], tensor("dense", 20, 64), SignalType.current(20), bias=tensor("bias", 20))
    second = ReluOp("hidden", [dense.current], SignalType.current(20))
    last = DenseOp(second.signal, tensor("last", 5, 20), SignalType.current(5))
    tail = SoftmaxOp("probability", [last.current], SignalType.current(5))
    block = network.body.block
    block.add_ops([plane, conv, first, pool, flat, dense, second, last, tail, OutputOp("label", tail.signal)])
    module = ModuleOp([network])
    module.verify()
    with printing(PrintingPolicy("inline")), (tmp_path / "net.mlir").open("w") as file:
        Printer(file).print_op(module)
    values = rng.uniform(0, 1, (SAMPLES, 1, 1, 8, 8))
    labels = simulate(network_of(network), {"x": values})["probability"].sum(1).argmax(1)
    np.savez(tmp_path / "values.npz", x=values, labels=labels)
    return tmp_path


def test_compile_and_verify(snnc: Snnc, samples: Path, folder: Path) -> None:
    """The machine gives the codes of the last program, keeps its guarantee, and almost all labels."""
    platform, out = samples / "platforms" / "mesh4x4-128-codes.toml", folder / "out"
    model, data = folder / "net.mlir", folder / "values.npz"
    outcome = snnc("compile", model, "--platform", platform, "--data", data, "-o", out)
    assert outcome.code == 0, outcome.err
    outcome = snnc("verify", out, "--json")
    assert outcome.code == 0, outcome.out + outcome.err
    verification = json.loads(outcome.out)
    assert verification["holds"] and verification["exact"]
    assert verification["machine"]["different"] == 0 and verification["machine"]["compared"] > 10_000
    assert verification["accuracy"]["program"] == 1.0
    assert verification["accuracy"]["machine"] > 0.9
    assert [each["name"] for each in verification["passes"] if not each["lossy"] and each["different"]] == []
    configuration = machine.load(out / "machine")
    assert configuration.machine.signal_bits == 6
    (source,) = configuration.inputs
    assert source.code is not None and source.code.bits == 6
    assert snnc("report", out).code == 0


def test_what_an_ordinary_network_needs(snnc: Snnc, samples: Path, folder: Path) -> None:
    """Data, and a machine whose rows take codes: else one error, and nothing is written."""
    model, data = folder / "net.mlir", folder / "values.npz"
    platforms = samples / "platforms"
    outcome = snnc("compile", model, "--platform", platforms / "mesh4x4-128-codes.toml", "-o", folder / "out")
    assert outcome.code == 1
    assert "@ordinary computes with real values" in outcome.err and "--data values.npz" in outcome.err
    outcome = snnc("compile", model, "--platform", platforms / "mesh2x2-128.toml", "--data", data, "-o", folder / "out")
    assert outcome.code == 1
    assert "rows of 'mesh2x2-128' take spikes only" in outcome.err and "convert-ann-to-snn" in outcome.err
    assert not (folder / "out").exists()


def test_the_machine_encodes_values(
    snnc: Snnc, samples: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m snnir.machine` takes values, not codes, and finds the same answers."""
    platform, out = samples / "platforms" / "mesh4x4-128-codes.toml", folder / "out"
    data = folder / "values.npz"
    assert snnc("compile", folder / "net.mlir", "--platform", platform, "--data", data, "-o", out).code == 0
    assert main([str(out / "machine"), "--data", str(data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    verification = json.loads(snnc("verify", out, "--json").out)
    assert found["accuracy"] == verification["accuracy"]["machine"]
    with np.load(data) as arrays:
        values = arrays["x"].reshape(SAMPLES, 1, 64)
    configuration = machine.load(out / "machine")
    run = machine.run(configuration, machine.encoded(configuration, {"x": values}))
    activity = {part: counts.max() for part, counts in run.counts.spikes_out.items()}
    assert configuration.guarantee is not None
    assert all(most <= configuration.guarantee.peaks.get(part, most) for part, most in activity.items())
