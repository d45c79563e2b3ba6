"""The samples do what they say: RUN lines beside a pass, and a merged program that is still the same program."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from docs_random import write_case
from numpy.typing import NDArray

from snnir import machine
from snnir.sim.data import read_spike_arrays
from snnir.testing import expand, run_in_process, run_lines, run_pipe

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MERGE = SAMPLES / "custom_pass" / "merge_clusters.py"
TALL = SAMPLES / "custom_pass" / "mesh2x2-192x48.toml"
PLATFORMS = SAMPLES / "platforms"
DIGITS = SAMPLES / "digits"
SPIKES = DIGITS / "test_spikes.npz"
COUNT = 12
"""Samples that are run."""
LOWERING = (
    "cluster-place, cluster-route, convert-cluster-to-dataflow, dataflow-schedule, dataflow-analyze-throughput, "
    "convert-dataflow-to-crossbar"
)

Spikes = dict[str, NDArray[np.uint8]]


def run(*words: object) -> str:
    """What a command prints; it must succeed."""
    outcome = run_in_process([str(word) for word in words])
    assert outcome.code == 0, outcome.err
    return outcome.out


def program_spikes(program: Path, data: Path, folder: Path) -> Spikes:
    """What the program computes."""
    run("snnc", "sim", program, "--data", data, "--samples", COUNT, "-o", folder / "sim.npz")
    with np.load(folder / "sim.npz") as file:
        return {name: file[name] for name in file.files}


def crossbars_and_spikes(folder: Path, model: Path, platform: Path, data: Path, passes: str) -> tuple[int, Spikes]:
    """How many crossbars a model takes, and what the emitted machine computes."""
    pipeline = f"builtin.module({passes}, {LOWERING})"
    run("snnc", "compile", model, "--platform", platform, "--load", MERGE, "--pass-pipeline", pipeline, "-o", folder)
    configuration = machine.load(folder / "machine")
    result = machine.run(configuration, read_spike_arrays(data, COUNT))
    return len(configuration.crossbars), dict(result.spikes)


def differences(expected: Spikes, found: Spikes) -> int:
    """Neuron-steps in which populations differ."""
    assert found
    assert all(found[name].any() for name in found), "a silent population shows nothing"
    return sum(int((expected[name] != found[name]).sum()) for name in found)


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.mlir")), ids=lambda path: path.name)
def test_run_lines(path: Path) -> None:
    commands = run_lines(path.read_text())
    assert commands, "no RUN line"
    with tempfile.TemporaryDirectory() as directory:
        for command in commands:
            assert run_pipe(expand(command, path, Path(directory) / "t")) is not None


def test_merged_digits_are_the_same_program(tmp_path: Path) -> None:
    model = DIGITS / "digits.snn"
    clustered = "snn-quantize, convert-snn-to-cluster{slices=1}"
    before = run("snn-opt", model, "--platform", TALL, "-p", clustered).count("cluster.cluster")
    after, spikes = crossbars_and_spikes(tmp_path / "out", model, TALL, SPIKES, f"{clustered}, cluster-merge")
    assert (before, after) == (4, 3)
    assert differences(program_spikes(model, SPIKES, tmp_path), spikes) == 0
    manifest = json.loads((tmp_path / "out" / "build.json").read_text())
    merge = next(each for each in manifest["stages"] if each["name"] == "cluster-merge")
    assert merge["statistics"]["clusters before"] - merge["statistics"]["clusters"] == 1
    assert not merge["lossy"]


def test_clusters_of_a_small_machine_fit_a_large_one(tmp_path: Path) -> None:
    clustered = tmp_path / "clustered.mlir"
    program = DIGITS / "digits_recurrent.snn"
    passes = "snn-quantize, convert-snn-to-cluster"
    run("snn-opt", program, "--platform", PLATFORMS / "mesh2x2-32.toml", "-p", passes, "-o", clustered)
    assert clustered.read_text().count("cluster.cluster") == 28
    large = PLATFORMS / "mesh2x2-128.toml"
    count, spikes = crossbars_and_spikes(tmp_path / "out", clustered, large, SPIKES, "cluster-merge")
    assert count == 4
    assert differences(program_spikes(program, SPIKES, tmp_path), spikes) == 0


@pytest.mark.parametrize(("seed", "options"), [(0, ""), (1, "{cut=false prefer=full}"), (2, "{min-shared=1}")])
def test_random_programs_keep_their_spikes(tmp_path: Path, seed: int, options: str) -> None:
    case = write_case(tmp_path, seed)
    clustered = tmp_path / "clustered.mlir"
    run("snn-opt", case.program, "--platform", case.small, "-p", "convert-snn-to-cluster", "-o", clustered)
    before = clustered.read_text().count("cluster.cluster")
    merge = f"cluster-merge{options}"
    after, spikes = crossbars_and_spikes(tmp_path / "out", clustered, case.large, case.data, merge)
    assert after < before
    assert differences(program_spikes(case.program, case.data, tmp_path), spikes) == 0


def test_clusters_never_merge_whole(tmp_path: Path) -> None:
    """Two clusters that fit together would have been one from the start: the pass's README says so."""
    for seed in range(3):
        case = write_case(tmp_path, seed)
        passes = "convert-snn-to-cluster, cluster-merge{cut=false}"
        command = ["snn-opt", str(case.program), "--platform", str(case.small), "--load", str(MERGE)]
        outcome = run_in_process([*command, "--statistics", "-p", passes])
        assert outcome.code == 0
        assert f"{outcome.out.count('cluster.cluster')}  clusters before" in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("min-shared=-1", "min-shared=-1 is no number of axons"),
        ("prefer=nearest", "prefer"),
        ("share=1", "share"),
    ],
)
def test_wrong_options(options: str, message: str) -> None:
    command = ["snn-opt", str(MERGE.with_suffix(".mlir")), "--load", str(MERGE), "--split-input-file"]
    outcome = run_in_process([*command, "-p", f"cluster-merge{{{options}}}"])
    assert outcome.code == 1
    assert message in outcome.err
    assert not outcome.out
