"""The documented pipeline, stage by stage, and `snnc compile` as a name for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import lower, program_of, random_spikes, run_passes, set_machine
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64
from xdsl.ir import Operation
from xdsl.parser import Parser

from snnir import machine
from snnir.cli.arguments import parse_arguments
from snnir.cli.driver import SNNOptMain
from snnir.cli.errors import Situation
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.cluster import ProgramOp
from snnir.dialects.snn import DenseOp, IfOp, InputOp, NetworkOp, OutputOp
from snnir.emit import emit
from snnir.frontend.platform import read_platform
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.split_fanin import SNNSplitFanin
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.testing import Outcome

ISSUE = (
    "builtin.module(snn-profile{data=DATA}, convert-snn-to-cluster{algorithm=greedy}, cluster-place, cluster-route, "
    "convert-cluster-to-dataflow, dataflow-schedule, dataflow-analyze-throughput, convert-dataflow-to-crossbar)"
)
Run = Callable[..., Outcome]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below and its bytes, but for how long passes took."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "times.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_the_documented_pipeline(snn_opt: Run, snnc: Run, samples: Path, tmp_path: Path) -> None:
    data, model = samples / "digits" / "test_spikes.npz", samples / "digits" / "digits.snn"
    pipeline = ISSUE.replace("DATA", str(data))
    whole = snn_opt(model, f"--pass-pipeline={pipeline}")
    assert (whole.code, whole.err) == (0, "")
    step = snn_opt(model).out
    names = re.findall(r"[a-z-]+(?:\{.*?\})?(?=,|\)$)", pipeline.removeprefix("builtin.module("))
    assert len(names) == 8
    for name in names:
        outcome = snn_opt("-p", name, stdin=step)
        assert (outcome.code, outcome.err) == (0, ""), name
        assert outcome.out != step
        step = outcome.out
        assert snn_opt(stdin=step).out == step, name
        generic = snn_opt("--print-op-generic", stdin=step).out
        assert snn_opt(stdin=generic).out == step, name
    assert step == whole.out
    assert "crossbar.machine @digits" in step
    target = tmp_path / "out"
    assert snnc("compile", model, "--pass-pipeline", pipeline, "-o", target).code == 0
    last = max((target / "stages").glob("*.mlir"))
    assert snn_opt(last).out == whole.out


@pytest.mark.parametrize("name", ["", "mesh2x2-32"])
def test_compile_does_what_the_printed_command_does(
    snn_opt: Run, snnc: Run, samples: Path, tmp_path: Path, name: str
) -> None:
    data, model = samples / "digits" / "test_spikes.npz", samples / "digits" / "digits_recurrent.snn"
    platform = ["--platform", samples / "platforms" / f"{name}.toml"] if name else []
    outcome = snnc("compile", model, *platform, "--data", data, "--samples", 20, "-o", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("pipeline ")]
    _, command, *arguments = shlex.split(line)
    assert command == "snn-opt"
    said = snn_opt(*arguments)
    assert said.code == 0
    assert not said.err or ": note: --platform" in said.err
    assert snn_opt(max((tmp_path / "out" / "stages").glob("*.mlir"))).out == said.out
    driver = SNNOptMain(parse_arguments([]), Situation("test"))
    module = Parser(driver.ctx, said.out).parse_module()
    (tmp_path / "emitted").mkdir()
    emit(module, tmp_path / "emitted")
    assert files(tmp_path / "emitted") == files(tmp_path / "out" / "machine")


def test_same_input_same_bytes(snnc: Run, samples: Path, tmp_path: Path) -> None:
    data, model = samples / "digits" / "test_spikes.npz", samples / "digits" / "digits_recurrent.snn"
    platform = samples / "platforms" / "mesh2x2-32.toml"
    found: list[dict[str, bytes]] = []
    for name in ("one", "two"):
        command = ("compile", model, "--platform", platform, "--data", data, "--samples", 10)
        assert snnc(*command, "-o", tmp_path / name).code == 0
        assert snnc("verify", tmp_path / name, "--timing-steps", 1000).code == 0
        found.append(files(tmp_path / name))
    assert len(found[0]) > 12
    assert found[0] == found[1]


def test_a_path_with_blanks_and_quotes(snnc: Run, snn_opt: Run, samples: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "folder"'
    folder.mkdir()
    spikes = np.load(samples / "digits" / "test_spikes.npz")
    np.savez(folder / "spikes.npz", pixels=spikes["pixels"][:4])
    model = samples / "digits" / "digits.snn"
    outcome = snnc("compile", model, "--data", folder / "spikes.npz", "-o", folder / "out")
    assert outcome.code == 0, outcome.err
    arguments = shlex.split(outcome.out.splitlines()[0])[2:]
    assert snn_opt(*arguments).code == 0
    assert snnc("verify", folder / "out", "--timing-steps", 10).code == 0


def mlp(samples: Path, fanin: str) -> ModuleOp:
    """784-100-10 with random weights, for 128x128 crossbars."""
    rng = np.random.default_rng(0)
    source: InputOp | IfOp = InputOp("image", SignalType.spikes(784))
    ops: list[Operation] = [source]
    for name, size, fan in (("hidden", 100, 784), ("out", 10, 100)):
        weights = TensorAttr.of(f"{name}.weight", rng.normal(0, 0.05, (size, fan)).astype("f4"))
        dense = DenseOp(source.results[0], weights, SignalType.current(size))
        parameters = {key: FloatAttr(value, f64) for key, value in (("r", 1.0), ("threshold", 1.0), ("v_reset", 0.0))}
        source = IfOp(name, [dense.current], parameters, Semantics(), SignalType.spikes(size))
        ops += [dense, source]
    network = NetworkOp("mlp", 1e-3, None)
    network.body.block.add_ops([*ops, OutputOp("label", source.results[0])])
    module = ModuleOp([network])
    target = read_platform(samples / "platforms" / "mesh2x2-128.toml").data
    tiles = replace(target.tiles, crossbars=4)
    set_machine(module, replace(target, tiles=tiles, crossbar=replace(target.crossbar, fanin=fanin)))
    return module


@pytest.mark.parametrize(("fanin", "most"), [("digital", 7), ("relay", 13)])
def test_clusters_of_an_mlp(samples: Path, tmp_path: Path, fanin: str, most: int) -> None:
    mapped = run_passes(mlp(samples, fanin), SNNSplitFanin(), SNNQuantize())
    module = run_passes(mapped.clone(), ConvertSNNToCluster())
    (program,) = (op for op in module.body.block.ops if isinstance(op, ProgramOp))
    assert len(program.clusters) <= most
    assert len(program.clusters) >= -(-784 // 128)
    network = program_of(module)
    inputs = random_spikes(np.random.default_rng(1), network, 2, 10)
    configuration = lower(mapped, tmp_path / "machine")
    assert len(configuration.crossbars) == len(program.clusters)
    spikes = machine.run(configuration, inputs).spikes
    assert all(
        np.array_equal(spikes[name], found) for name, found in simulate(network, inputs).items() if name in spikes
    )
