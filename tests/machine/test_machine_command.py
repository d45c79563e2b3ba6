"""`python -m snnir.machine`, the spike data files that it reads, and what the package promises about imports."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_builder import chain

from snnir.errors import SnnirError
from snnir.machine.__main__ import main
from snnir.machine.data import read_spikes

PIXELS = np.array([[[1, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]], [[0, 0, 0]] * 5], np.uint8)
PROMISE = {"period": "200", "latency": "500", "activity": "worst", "steps_per_second": 5e6}


def save(path: Path, **arrays: Any) -> None:
    np.savez(path, **arrays)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    builder = chain()
    builder.guarantee = PROMISE
    builder.load(tmp_path / "out")
    save(tmp_path / "spikes.npz", **{"in": PIXELS}, labels=np.array([0, 1]))
    return tmp_path


def command(directory: Path, *more: str, data: str = "spikes.npz") -> int:
    return main([str(directory / "out"), "--data", str(directory / data), *more])


def test_text(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(directory) == 0
    lines = capsys.readouterr().out.splitlines()
    # Population b has one neuron, so every answer is 0. Two of the spikes of a are in step 1, one in step 3.
    assert lines[:4] == [
        "network     tiny, 2 samples",
        "accuracy    50.00%",
        "spikes      1.5 per sample in a",
        "spikes      0.5 per sample in b",
    ]
    assert lines[4].startswith("throughput  ")
    assert lines[4].endswith("steps/s over 10 steps")
    assert lines[5] == "first step  286 ns"
    assert lines[6:8] == ["guarantee   5,000,000 steps/s (worst activity)", f"{'':<12}holds for every step"]
    assert lines[8].startswith("tightness   0.")


def test_json(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(directory, "--json", "--timing-steps", "2") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] == 0.5
    assert found["spikes"] == {"a": 3, "b": 1}
    assert found["timing"] | {"utilisation": 0, "link_flits": 0} == {
        "steps": 2,
        "unit": "ns",
        "first_step": 286,
        "last_step": 422,
        "throughput": "1/136",
        "steps_per_second": pytest.approx(1e9 / 136),
        "utilisation": 0,
        "link_flits": 0,
    }
    assert found["timing"]["utilisation"] == pytest.approx({"sa": 247 / 422, "sb": 232 / 422})
    assert found["guarantee"]["holds"]
    assert found["guarantee"]["tightness"] == pytest.approx(136 / 200)


def test_without_labels_and_guarantee_and_with_one_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain().load(tmp_path / "out")
    save(tmp_path / "spikes.npz", **{"in": PIXELS})
    assert command(tmp_path, "--timing-steps", "1") == 0
    text = capsys.readouterr().out
    assert "accuracy" not in text
    assert "throughput  not defined for one step over 1 steps" in text
    assert text.endswith("guarantee   none in this configuration\n")


@pytest.mark.parametrize(
    ("promise", "status", "line"),
    [
        ({"latency": "285"}, 1, "BROKEN: step 0 was late"),
        ({"latency": "285", "peaks": {"in": 1}}, 0, "not applicable: 'in' was more active than assumed"),
    ],
)
def test_a_broken_guarantee_counts_only_for_the_assumed_activity(
    directory: Path, capsys: pytest.CaptureFixture[str], promise: dict[str, Any], status: int, line: str
) -> None:
    builder = chain()
    builder.guarantee = {**PROMISE, **promise}
    builder.load(directory / "out")
    assert command(directory) == status
    assert line in capsys.readouterr().out


@pytest.mark.parametrize("steps", ["0", "11", "-1"])
def test_errors_are_two_lines(directory: Path, capsys: pytest.CaptureFixture[str], steps: str) -> None:
    assert command(directory, "--timing-steps", steps) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    expected = f"--timing-steps: error: {steps} steps asked for, the data has 10\n  fix: ask for 1 to 10\n"
    assert captured.err == expected


def test_as_a_program(directory: Path) -> None:
    arguments = [sys.executable, "-m", "snnir.machine", str(directory / "none"), "--data", "x"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == f"{directory}/none: error: no such directory"


def test_nothing_of_the_compiler_is_imported() -> None:
    code = (
        "import sys, snnir.machine.__main__; print(*[m for m in sys.modules if m.split('.')[0] in ('snnir', 'xdsl')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    others = {name for name in done.stdout.split() if not name.startswith("snnir.machine")}
    assert others == {"snnir", "snnir.errors"}


def test_shapes_are_made_flat(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4), labels=np.array([7]))
    data = read_spikes(tmp_path / "x.npz")
    assert data.inputs["image"].shape == (1, 2, 12)
    assert data.inputs["image"][0, 1].tolist() == list(range(12, 24))
    assert data.labels is not None
    assert data.labels.tolist() == [7]


@pytest.mark.parametrize(
    ("arrays", "place", "message"),
    [
        ({"in": np.zeros((2, 3), np.uint8)}, "in", r"the shape is \(2, 3\)"),
        ({"in": PIXELS, "labels": np.zeros(2)}, "labels", r"float64 of shape \(2,\)"),
        ({"in": PIXELS, "labels": np.zeros((2, 1), np.int64)}, "labels", r"int64 of shape \(2, 1\)"),
        ({"in": PIXELS, "labels": np.zeros(3, np.int64)}, "labels", "3 labels, but 'in' has 2 samples"),
    ],
)
def test_wrong_arrays(tmp_path: Path, arrays: dict[str, Any], place: str, message: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(SnnirError, match=message) as caught:
        read_spikes(tmp_path / "x.npz")
    assert caught.value.place == f"{tmp_path}/x.npz:{place}"


def test_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match=r"none\.npz: error: cannot be read: No such file"):
        read_spikes(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("spikes")
    with pytest.raises(SnnirError, match=r"text\.npz: error: not a readable \.npz file"):
        read_spikes(tmp_path / "text.npz")
    objects: Any = np.array([{}], dtype=object)
    np.savez(tmp_path / "objects.npz", x=objects)
    with pytest.raises(SnnirError, match=r"not a readable \.npz file"):
        read_spikes(tmp_path / "objects.npz")


@settings(max_examples=40, deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_an_error_or_the_same_spikes(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int, cut: bool
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "x.npz"
    save(path, **{"in": PIXELS})
    data = path.read_bytes()
    position %= len(data)
    path.write_bytes(data[:position] if cut else data[:position] + bytes([value]) + data[position + 1 :])
    try:
        inputs = read_spikes(path).inputs
    except SnnirError:
        return
    assert [array.tolist() for array in inputs.values()] in ([], [PIXELS.tolist()])


def test_trace(directory: Path) -> None:
    assert command(directory, "--timing-steps", "2", "--trace", str(directory / "trace.csv")) == 0
    lines = (directory / "trace.csv").read_bytes().decode().split("\n")
    # 120 + 1 * spikes in + 2 * spikes out for sa, 115 + spikes in for sb: see test_machine_timing.py
    assert lines[:2] == ["actor,firing,start,end,resource", "sa,0,12,133,c0"]
    assert [line.split(",")[:2] for line in lines[1:-1]] == [["sa", "0"], ["sa", "1"], ["sb", "0"], ["sb", "1"]]
    assert lines[-1] == ""
    assert not [path for path in directory.iterdir() if path.name.startswith(".")]


def test_a_trace_that_cannot_be_written(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(directory, "--trace", str(directory / "no" / "trace.csv")) == 1
    error = capsys.readouterr().err
    assert "No such file or directory" in error
    assert "write the trace to a folder that exists" in error
