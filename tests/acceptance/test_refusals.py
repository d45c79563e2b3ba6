"""Bad input, through `snn-opt` and `snnc compile`: one located line, exit code 1, and nothing left behind."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from snnir.tensors import write_safetensors
from snnir.testing import Outcome, run_in_process

PROGRAM = """\
network small {
  dt = 1e-3
  steps = 10
  platform = "machine.toml"
  weights = "weights.safetensors"
  input pixels[4]
  population hidden[40] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population out[2] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  pixels -> hidden : dense(weights = "in")
  hidden -> out : dense(weights = "out")
  output label = out
}
"""
LOWERING = (
    "convert-snn-to-cluster{algorithm=greedy}, cluster-place, cluster-route, convert-cluster-to-dataflow, "
    "dataflow-schedule, dataflow-analyze-throughput, convert-dataflow-to-crossbar"
)
ERROR = re.compile(r"(\S[^\n]*: (error|warning): [^\n]+\n(  [^\n]+\n)*)+")
"""A line at the margin for each; how to fix it, or the place in the text, below it."""


@pytest.fixture
def folder(samples: Path, tmp_path: Path) -> Path:
    """A good program, its weights, a machine and spikes."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "net.snn").write_text(PROGRAM)
    (folder / "machine.toml").write_text((samples / "platforms" / "mesh2x2-32.toml").read_text())
    weights = {"in": rng.integers(0, 128, (40, 4)) / 128, "out": rng.integers(-128, 128, (2, 40)) / 256}
    write_safetensors(folder / "weights.safetensors", {k: w.astype("f4") for k, w in weights.items()})
    np.savez(folder / "spikes.npz", pixels=rng.integers(0, 2, (3, 10, 4), np.uint8))
    return folder


def change(folder: Path, find: str, replace: str, name: str = "net.snn") -> None:
    """Replace text that must be there."""
    text = (folder / name).read_text()
    assert text.count(find) >= 1
    (folder / name).write_text(text.replace(find, replace))


def everything(folder: Path) -> list[str]:
    """All files and folders below."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def commands(folder: Path, model: str, pipeline: str) -> list[list[str]]:
    """The ways to compile a model; outputs go into folders that do not exist yet, or beside the model."""
    options = ["--dt", "1e-3", "--semantics", "nir"] if model.endswith(".nir") else []
    options += ["--platform", str(folder / "machine.toml")] if model.endswith(".nir") else []
    source = [str(folder / model), *options]
    compile_ = ["snnc", "compile", *source, "--data", str(folder / "spikes.npz"), "-o", str(folder / "new/sub/out")]
    return [
        ["snn-opt", *source, "-p", pipeline, "-o", str(folder / "out.mlir")],
        compile_ if pipeline == LOWERING else [*compile_, "--pass-pipeline", pipeline],
    ]


def refused(folder: Path, model: str, pipeline: str = LOWERING) -> set[str]:
    """Both commands refuse; what they say, one error each, without the folder."""
    before = everything(folder)
    said: set[str] = set()
    for command in commands(folder, model, pipeline):
        outcome: Outcome = run_in_process(command)
        assert outcome.code == 1, command
        assert not outcome.out or "pipeline   snn-opt" in outcome.out
        assert ERROR.fullmatch(outcome.err), outcome.err
        assert "Traceback" not in outcome.err
        assert "internal error" not in outcome.err
        assert everything(folder) == before, command
        said.add(outcome.err.replace(f"{folder}/", ""))
    return said


def test_the_good_program_passes(folder: Path) -> None:
    before = everything(folder)
    for command in commands(folder, "net.snn", LOWERING):
        outcome = run_in_process(command)
        assert outcome.code == 0, outcome.err
    made = set(everything(folder)) - set(before)
    assert {"out.mlir", "new", "new/sub", "new/sub/out", "new/sub/out/machine/config.json"} <= made
    assert not [name for name in made if "/." in f"/{name}"]


@pytest.mark.parametrize(
    ("find", "replace", "place", "words"),
    [
        ("tau = 4e-3, r = 4.0", "tau = -4e-3, r = 4.0", "net.snn:7:37", "tau"),
        ("tau = 4e-3, r = 4.0", "tau = 1e-4, r = 4.0", "net.snn:7:37", "oscillate"),
        ("pixels[4]", "pixels[5]", "net.snn:9:38", "40x4"),
        ('"weights.safetensors"', '"absent.safetensors"', "absent.safetensors", "no such file"),
        ('platform = "machine.toml"', 'platform = "absent.toml"', "net.snn:4:14", "no platform file absent.toml"),
        ("population out[2]", "population out[2", "net.snn:8:20", "]"),
        ("output label = out\n", "hidden -> hidden : dense(weights = [[1.0]])\n", "net.snn:", "1x1"),
    ],
)
def test_programs(folder: Path, find: str, replace: str, place: str, words: str) -> None:
    change(folder, find, replace)
    (said,) = refused(folder, "net.snn")
    assert place in said
    assert words in said


OUT = "population out[2] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir"
HIDDEN_TO_OUT = 'hidden -> out : dense(weights = "out")'
PIXELS_TO_HIDDEN = 'pixels -> hidden : dense(weights = "in")'


@pytest.mark.parametrize(
    ("find", "replace", "place", "words"),
    [
        (OUT, f"{OUT}(refractory = 3)", "net.snn:8", "@out: no machine can do refractory = 3 yet"),
        (OUT, f"{OUT}(refractory = 3 ms)", "net.snn:8", "@out: no machine can do refractory = 3 yet"),
        (OUT, OUT.replace("nir", "spyx"), "net.snn:8", "@out: no machine can do out_delay = 1 yet"),
        (OUT, OUT.replace("nir", "speck"), "net.snn:8", "@out: no machine can do spikes = 255, weights = nearest8 yet"),
        (
            OUT,
            "population out[2] : li(tau = 4e-3, r = 4.0, v_leak = 0.0) using nir",
            "net.snn:8",
            "@out: no machine has li neurons yet",
        ),
        (
            PIXELS_TO_HIDDEN,
            'pixels -> hidden : one_to_one(weights = 1.0, bias = [0.5, 0.5, 0.5, 0.5]) | dense(weights = "in")',
            "net.snn:9",
            "reads a projection with a bias",
        ),
        ("output label = out", "output label = hidden[0:3]", "net.snn:11", "reads a part or a delayed copy of @hidden"),
        ("output label = out", "output label = pixels", "net.snn:11", "reads the input @pixels"),
    ],
)
def test_what_no_machine_can_do_yet(folder: Path, find: str, replace: str, place: str, words: str) -> None:
    """Refused before anything is placed, or profiled, at its place in the program; and `snnc sim` runs it all."""
    change(folder, find, replace)
    simulated = run_in_process(["snnc", "sim", str(folder / "net.snn"), "--data", str(folder / "spikes.npz")])
    assert simulated.code == 0, simulated.err
    for said in refused(folder, "net.snn"):
        assert said.splitlines()[0].startswith(place), said
        assert words in said
        assert "fix: " in said


def test_zero_delay_cycle(folder: Path) -> None:
    change(folder, "  output", '  out -> hidden : dense(weights = "back")\n  output')
    weights = {"in": (40, 4), "out": (2, 40), "back": (40, 2)}
    write_safetensors(folder / "weights.safetensors", {k: np.zeros(s, "f4") for k, s in weights.items()})
    (said,) = refused(folder, "net.snn")
    assert said.startswith("net.snn:")
    assert all(word in said for word in ("cycle", "hidden", "out", "delay"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(folder: Path, value: float) -> None:
    weights = np.zeros((40, 4), "f4")
    weights[3, 2] = value
    write_safetensors(folder / "weights.safetensors", {"in": weights, "out": np.zeros((2, 40), "f4")})
    (said,) = refused(folder, "net.snn")
    assert said.startswith("net.snn:9:")
    assert "[3, 2]" in said


def test_truncated_files(folder: Path, samples: Path) -> None:
    whole = (samples / "digits" / "digits.nir").read_bytes()
    (folder / "net.nir").write_bytes(whole[: len(whole) // 2])
    assert all(said.startswith("net.nir:") for said in refused(folder, "net.nir"))
    weights = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(weights[:-5])
    assert all("weights.safetensors:" in said and "truncated" in said for said in refused(folder, "net.snn"))
    (folder / "weights.safetensors").unlink()
    assert all("weights.safetensors:" in said for said in refused(folder, "net.snn"))


def test_wrong_digest(folder: Path) -> None:
    rows = {"in": np.zeros((40, 4), "f4"), "out": np.zeros((2, 40), "f4"), "wide": np.ones((40, 40), "f4")}
    write_safetensors(folder / "weights.safetensors", rows)
    change(folder, "  output", '  hidden -> hidden : dense(weights = "wide", delay = 1)\n  output')
    assert run_in_process(["snn-opt", str(folder / "net.snn"), "-o", str(folder / "ir.mlir")]).code == 0
    stored = bytearray((folder / "ir.mlir.safetensors").read_bytes())
    stored[-1] ^= 1
    (folder / "ir.mlir.safetensors").write_bytes(stored)
    (said,) = refused(folder, "ir.mlir")
    assert said.startswith("ir.mlir:")
    assert "digest" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"crossbars = 8": "crossbars = 1", "[2, 2]": "[1, 1]"}, "'mesh2x2-32' has 1"),
        ({"rows = 32": "rows = 16", '"digital"': '"none"'}, "40 axons, a crossbar"),
        ({"events = 2048": "events = 3"}, "needs an input buffer of"),
        ({'"lif", ': ""}, "has no lif neurons"),
        ({"rows = 32": "rows = 0"}, "crossbar.rows must be at least 1"),
    ],
)
def test_platform_too_small(folder: Path, changes: dict[str, str], words: str) -> None:
    for find, replace in changes.items():
        change(folder, find, replace, "machine.toml")
    for said in refused(folder, "net.snn"):
        assert words in said
        assert re.match(r"(net\.snn|machine\.toml):\d+", said)


def test_delay_beyond_the_machine(folder: Path) -> None:
    change(folder, 'weights = "out")', 'weights = "out", delay = 63)')
    assert all(said.startswith("net.snn:10:") and "63 steps" in said for said in refused(folder, "net.snn"))


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        ("snn-quantise", "<pass-pipeline>:1:1: error: unknown pass 'snn-quantise'"),
        ("snn-quantize{bits=many}", "<pass-pipeline>:1:14: error: snn-quantize: option 'bits' expects int"),
        ("snn-quantize{bit=8}", "did you mean 'bits'?"),
        ("builtin.module(snn-quantize", "<pass-pipeline>:1:28: error: expected ')'"),
        ("snn-quantize,, cluster-place", "<pass-pipeline>:1:14: error: "),
        ("cluster-place", "convert-snn-to-cluster"),
        ('snn-profile{data="absent.npz"}', "absent.npz: error: no such data file"),
    ],
)
def test_pipelines(folder: Path, pipeline: str, said: str) -> None:
    assert all(said in text for text in refused(folder, "net.snn", pipeline))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pixel": np.zeros((2, 10, 4), np.uint8)}, "no array 'pixels'"),
        ({"pixels": np.zeros((2, 10, 5), np.uint8)}, "for 4 lines"),
        ({"pixels": np.full((2, 10, 4), 256, np.uint16)}, "0 or 1"),
        ({"pixels": np.zeros((2, 10, 4))}, "0 or 1"),
        ({"pixels": np.zeros((0, 10, 4), np.uint8)}, "shape (0, 10, 4)"),
    ],
)
def test_data(folder: Path, arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]], words: str) -> None:
    np.savez(folder / "spikes.npz", **arrays)  # pyright: ignore[reportArgumentType]
    pipeline = f'snn-profile{{data="{folder / "spikes.npz"}"}}'
    assert all(words in text for text in refused(folder, "net.snn", pipeline))


def test_verify_and_report_of_something_else(folder: Path) -> None:
    for command in ("verify", "report"):
        outcome = run_in_process(["snnc", command, str(folder)])
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith(f"{folder}: error: this is no build directory")


def test_every_command_says_what_is_missing(folder: Path) -> None:
    change(folder, '  platform = "machine.toml"\n', "")
    outcome = run_in_process(["snnc", "compile", str(folder / "net.snn"), "-o", str(folder / "out")])
    assert (outcome.code, outcome.out) == (1, "")
    assert "no machine to compile for" in outcome.err
