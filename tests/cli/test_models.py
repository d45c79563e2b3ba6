"""`snnc import`, `sim`, `diff`, `profile` and `fmt`: what they print, write and return."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snnir.tensors import write_safetensors
from snnir.testing import Outcome, run_in_process

Snnc = Callable[..., Outcome]

PROGRAM = """\
network small {
  dt = 1 ms
  steps = 12
  weights = "weights.safetensors"
  input x[20]
  population h[12] : lif(tau = 4 ms, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population o[3] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir(reset = subtract)
  generate x : poisson(rate = 200 Hz, seed = 1)
  x -> h : dense(weights = "in")
  h -> h : dense(weights = "again", delay = 2)
  h -> o : dense(weights = "out", delay = 1)
  output y = o
}
"""


@pytest.fixture
def snnc() -> Snnc:
    """Run `snnc` in this process."""
    return lambda *arguments: run_in_process(["snnc", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program, its weights and spikes, as the working directory."""
    (tmp_path / "net.snn").write_text(PROGRAM)
    rng = np.random.default_rng(5)
    shapes = {"in": (12, 20), "again": (12, 12), "out": (3, 12)}
    weights = {key: (rng.integers(-40, 64, shape) / 128).astype("f4") for key, shape in shapes.items()}
    write_safetensors(tmp_path / "weights.safetensors", weights)
    spikes = (rng.random((6, 12, 20)) < 0.3).astype(np.uint8)
    np.savez(tmp_path / "spikes.npz", x=spikes, labels=np.array([0, 1, 2, 0, 1, 2]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


# import


def test_import_shows_what_there_is(snnc: Snnc, folder: Path) -> None:
    outcome = snnc("import", "net.snn")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "network    small from net.snn: dt 0.001 s, 12 steps per inference; 15 neurons, 420 synapses",
        "  x  input              20  spikes",
        "  h  lif                12  tau 0.004 r 4 v_leak 0 threshold 1 v_reset 0",
        "       <- x: dense 12x20xf32, 240 synapses",
        "       <- h: dense 12x12xf32 delay 2, 144 synapses",
        "  o  if                  3  r 1 threshold 1 v_reset 0",
        "       <- h: dense 3x12xf32 delay 1, 36 synapses",
        "  y  output                 o",
        "semantics  nir (as norse, snntorch) in 1 population",
        "           nir, reset = subtract in 1 population",
    ]
    found = json.loads(snnc("import", "net.snn", "--json").out)
    assert [each["name"] for each in found["populations"]] == ["h", "o"]
    assert found["populations"][0]["parameters"]["tau"] == 0.004
    assert found["populations"][1]["semantics"] == {"reset": "subtract"}
    assert found["populations"][0]["reads"][1]["ops"][0]["delay"] == 2
    assert found["populations"][0]["place"] == "net.snn:6:14"
    assert (found["neurons"], found["synapses"], found["notes"], found["written"]) == (15, 420, [], None)


@pytest.mark.parametrize("ending", ["snn", "nir", "mlir"])
def test_import_converts(snnc: Snnc, folder: Path, ending: str) -> None:
    (folder / "out").mkdir()
    outcome = snnc("import", "net.snn", "-o", f"out/net.{ending}")
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[-1] == f"written    out/net.{ending}"
    options = ("--dt", "1e-3", "--semantics", "nir") if ending == "nir" else ()
    data = ("--data", "spikes.npz", "-o")
    assert snnc("sim", "net.snn", *data, "a.npz").code == 0
    outcome = snnc("sim", f"out/net.{ending}", *options, *data, "b.npz")
    assert outcome.code == 0, outcome.err
    if ending != "nir":  # which states no resets
        assert snnc("diff", "net.snn", f"out/net.{ending}").code == 0
        assert snnc("diff", "a.npz", "b.npz").code == 0


def test_import_says_what_was_assumed(snnc: Snnc, samples: Path) -> None:
    path = samples / "digits" / "digits.nir"
    outcome = snnc("import", path, "--dt", "1e-3")
    assert (outcome.code, outcome.err) == (0, "")
    notes = outcome.out[outcome.out.index("\nnotes") :]
    assert "semantics nir are assumed" in notes
    assert str(path) not in notes
    found = json.loads(snnc("import", path, "--dt", "1e-3", "--json").out)
    assert all(note.startswith(f"{path}: note: ") for note in found["notes"])
    outcome = snnc("import", path, "--dt", "1e-3", "--semantics", "nir", "--reset", "subtract")
    assert "nir, reset = subtract" in outcome.out


def test_import_repairs(snnc: Snnc, shared_data: Path, tmp_path: Path) -> None:
    shutil.copy(shared_data / "nir" / "bad" / "flatten_start_dim.nir", tmp_path / "bad.nir")
    options = ("--dt", "1e-3", "--semantics", "nir")
    outcome = snnc("import", tmp_path / "bad.nir", *options)
    assert (outcome.code, outcome.out) == (1, "")
    assert f"{tmp_path / 'bad.nir'}:/nodes/" in outcome.err
    assert "`snnc import --fix`" in outcome.err
    outcome = snnc("import", tmp_path / "bad.nir", *options, "--fix", "-o", tmp_path / "good.nir")
    assert outcome.code == 0, outcome.err
    assert "repaired: " in outcome.out
    assert snnc("import", tmp_path / "good.nir", *options).code == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("import", "no.nir"), "no.nir: error: "),
        (
            ("import", "net.snn", "-o", "net.xyz"),
            "net.xyz: error: there is no writer for '.xyz' files\n  fix: there are ",
        ),
        (("import", "net.snn", "-o", "none/net.nir"), "none/net.nir: error: there is no directory none\n"),
        (("import", "net.snn", "--reset", "twice"), "net.snn:"),
        (("import", "net.snn", "--semantics", "mine"), "net.snn: error: --semantics: no semantics preset 'mine'\n"),
        (("import", "weights.safetensors"), "weights.safetensors: error: unknown file extension '.safetensors'\n"),
        (("sim", "net.snn", "--data", "no.npz"), "no.npz: error: no such file\n"),
        (("sim", "net.snn", "--data", "spikes.npz", "--samples", "0"), "spikes.npz: error: 0 samples\n"),
        (
            ("sim", "net.snn", "--data", "spikes.npz", "--voltages", "z"),
            "small: error: no population 'z' whose voltage",
        ),
        (("sim", "net.snn", "--names", "x"), "--names: error: 'x' is not SIGNAL=ARRAY\n"),
        (
            ("sim", "net.snn", "--data", "spikes.npz", "--names", "x=y"),
            "spikes.npz: error: --names: there is no array 'y'",
        ),
        (("sim", "net.snn", "--golden", "spikes.npz"), "spikes.npz: error: this recording has no population"),
        (("sim", "net.snn", "-o", "none/a.npz"), "none/a.npz: error: there is no directory none\n"),
        (("diff", "net.snn", "spikes.npz"), "spikes.npz: error: a recording is compared with a recording\n"),
        (("diff", "net.snn", "no.snn"), "no.snn: error: no such file\n"),
        (("profile", "net.snn", "--data", "weights.safetensors"), "weights.safetensors: error: not a readable .npz"),
        (("fmt", "weights.safetensors"), "weights.safetensors: error: "),
        (("fmt",), "snnc fmt: error: the following arguments are required: FILE\n"),
    ],
)
def test_errors(snnc: Snnc, folder: Path, arguments: tuple[str, ...], error: str) -> None:
    before = names(folder)
    outcome = snnc(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(error)
    assert outcome.err.count(": error: ") == 1
    assert names(folder) == before


# sim


def test_sim_runs_its_own_stimulus(snnc: Snnc, folder: Path) -> None:
    first = json.loads(snnc("sim", "net.snn", "--samples", "4", "--json").out)
    assert (first["samples"], first["steps"], first["accuracy"], first["golden"]) == (4, 12, None, None)
    assert first["spikes_per_step"]["x"] == pytest.approx(4, rel=0.3)
    text = snnc("sim", "net.snn", "--samples", "4").out.splitlines()
    assert text[0] == "4 samples x 12 steps"
    assert text[1].split() == ["x", f"{first['spikes_per_step']['x']:.3f}", "spikes/step"]


def test_sim_is_quiet_in_pipes(snnc: Snnc, folder: Path) -> None:
    outcome = snnc("sim", "net.snn", "--data", "spikes.npz")
    assert outcome.err == ""
    assert "\x1b" not in outcome.out
    assert "rich" not in [line.split()[0] for line in outcome.out.splitlines()]


def test_golden_that_is_equal(snnc: Snnc, folder: Path) -> None:
    assert snnc("sim", "net.snn", "--data", "spikes.npz", "--voltages", "h,o", "-o", "run.h5").code == 0
    for data in (("--data", "spikes.npz"), ()):
        outcome = snnc("sim", "net.snn", *data, "--golden", "run.h5")
        assert outcome.code == 0, outcome.err
        assert outcome.out.endswith("verdict    equal in all 1,080 neuron-steps\n")


@pytest.fixture
def other(snnc: Snnc, folder: Path) -> Path:
    """A recording of the same program with another reset, under other names."""
    (folder / "other.snn").write_text(PROGRAM.replace("using nir\n", "using nir(reset = subtract)\n"))
    assert snnc("sim", "other.snn", "--data", "spikes.npz", "-o", "run.npz").code == 0
    arrays = np.load(folder / "run.npz")
    np.savez(folder / "other.npz", theirs=arrays["h"], o=arrays["o"], more=arrays["o"])
    return folder / "other.npz"


def test_golden_that_differs(snnc: Snnc, other: Path) -> None:
    command = ("sim", "net.snn", "--data", "spikes.npz", "--golden", other, "--names", "h=theirs")
    outcome = snnc(*command, "--json")
    assert outcome.code == 1
    golden = json.loads(outcome.out)["golden"]
    first, trace = golden["first"], golden["trace"]
    assert not golden["equal"]
    assert first["population"] == "h"
    assert trace["expected"][first["step"] - trace["start"]] == first["expected"]
    assert trace["found"][first["step"] - trace["start"]] == first["found"]
    recorded = np.load(other)["theirs"]
    assert recorded[first["sample"], first["step"], first["neuron"]] == first["expected"]
    assert "reset = subtract" in [trial["what"] for trial in golden["explanation"]["explains"]]
    assert golden["not_compared"] == ["theirs", "more"]
    text = snnc(*command)
    assert text.code == 1
    place = f"@h[{first['neuron']}] at step {first['step']} of sample {first['sample']}"
    assert f"first      {place}: {first['expected']} expected, {first['found']} found\n" in text.out
    assert "\nexplained  by reset = subtract" in text.out
    assert text.out.splitlines()[-1].startswith("verdict    DIFFERENT in ")
    quick = json.loads(snnc(*command, "--explain", "0", "--json").out)["golden"]
    assert quick["explanation"] is None


def test_a_golden_run_may_be_short(snnc: Snnc, folder: Path) -> None:
    assert snnc("sim", "net.snn", "--data", "spikes.npz", "-o", "run.npz").code == 0
    arrays = np.load(folder / "run.npz")
    np.savez(folder / "short.npz", o=arrays["o"][0, :5])
    outcome = snnc("sim", "net.snn", "--data", "spikes.npz", "--golden", "short.npz")
    assert outcome.code == 0
    assert "short.npz: 1 sample x 5 steps compared" in outcome.out


# diff


def test_diff_of_recordings(snnc: Snnc, other: Path) -> None:
    assert snnc("diff", "run.npz", "run.npz").code == 0
    assert snnc("sim", "net.snn", "--data", "spikes.npz", "-o", "mine.h5").code == 0
    outcome = snnc("diff", "run.npz", "mine.h5")
    assert outcome.code == 1
    assert "compared   run.npz against mine.h5: 6 samples x 12 steps compared\n" in outcome.out
    assert " first, " in outcome.out
    found = json.loads(snnc("diff", "run.npz", "mine.h5", "--json").out)
    assert found["per_population"]["x"] == 0
    assert found["per_population"]["h"] > 0
    np.savez("none.npz", z=np.zeros((1, 2, 3)))
    assert "have no signal in common" in snnc("diff", "run.npz", "none.npz").err


def test_diff_of_programs(snnc: Snnc, other: Path) -> None:
    assert snnc("diff", "net.snn", "net.snn").out == (
        "program    equal: same populations, parameters, semantics, connections and weights\n"
    )
    outcome = snnc("diff", "net.snn", "other.snn")
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "program    1 difference",
        "  @h: reset",
        "    net.snn:6:14: value",
        "    other.snn:6:14: subtract",
    ]
    found = json.loads(snnc("diff", "net.snn", "other.snn", "--data", "spikes.npz", "--json").out)
    assert [each["what"] for each in found["program"]] == ["@h: reset"]
    assert found["runs"]["first"]["population"] == "h"
    text = snnc("diff", "net.snn", "other.snn", "--data", "spikes.npz").out
    assert "verdict    DIFFERENT in " in text


def test_diff_of_builds(snnc: Snnc, folder: Path, samples: Path) -> None:
    machine = ("--platform", samples / "platforms" / "mesh2x2-32.toml")
    assert snnc("compile", "net.snn", *machine, "-o", "a").code == 0
    outcome = snnc("diff", "a", "net.snn", "--data", "spikes.npz")
    assert outcome.code == 1
    assert "weights" in outcome.out
    assert "verdict    equal in all " in outcome.out  # weights of 8 bits are quantised without loss
    assert snnc("diff", "a", "a").code == 0


# profile


def test_profile(snnc: Snnc, folder: Path) -> None:
    outcome = snnc("profile", "net.snn", "--data", "spikes.npz", "--top", "2", "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert (found["samples"], found["steps"]) == (6, 12)
    assert snnc("sim", "net.snn", "--data", "spikes.npz", "-o", "run.npz").code == 0
    runs = np.load(folder / "run.npz")
    for name, each in found["signals"].items():
        per_step = runs[name].sum(axis=2, dtype=int).ravel()
        counts = runs[name].sum(axis=(0, 1), dtype=int)
        assert each["mean"] == pytest.approx(per_step.mean())
        assert (each["peak"], each["spikes"]) == (per_step.max(), per_step.sum())
        assert each["silent"] == (counts == 0).sum()
        assert each["most_active"][0]["spikes"] == counts.max()
        levels = [int(np.percentile(per_step, p, method="inverted_cdf")) for p in (50, 90, 99)]
        assert [each["p50"], each["p90"], each["p99"]] == levels
    text = snnc("profile", "net.snn", "-o", "profiled.mlir", "--data", "spikes.npz")
    assert text.code == 0
    assert "activity" in (folder / "profiled.mlir").read_text()
    assert len(text.out.splitlines()) == 5


# fmt


def test_fmt(snnc: Snnc, folder: Path) -> None:
    assert (snnc("fmt", "--check", "net.snn").code, (folder / "net.snn").read_text()) == (0, PROGRAM)
    bad = PROGRAM.replace("dt = 1 ms\n  steps", "dt=1 ms steps")
    (folder / "bad.snn").write_text(bad)
    outcome = snnc("fmt", "--check", "net.snn", "bad.snn")
    assert (outcome.code, outcome.out) == (1, "not formatted  bad.snn\n")
    assert (folder / "bad.snn").read_text() == bad
    (folder / "broken.snn").write_text("network {")
    outcome = snnc("fmt", "bad.snn", "broken.snn")
    assert outcome.code == 1
    assert outcome.err.startswith("broken.snn:1:")
    assert (folder / "bad.snn").read_text() == bad
    assert snnc("fmt", "bad.snn", "net.snn").out == "formatted  bad.snn\n"
    assert (folder / "bad.snn").read_text() == PROGRAM


# interruption


@pytest.mark.parametrize(
    "command",
    [("sim", "new.npz"), ("sim", "new.h5"), ("profile", "new.mlir"), ("import", "new.nir"), ("import", "new.snn")],
)
def test_interrupted_while_writing(
    snnc: Snnc, folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, str]
) -> None:
    """Ctrl-C just before a finished file gets its name: nothing stays."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = names(folder)
    monkeypatch.setattr(Path, "replace", interrupt)
    monkeypatch.setattr(os, "replace", interrupt)
    outcome = snnc(command[0], "net.snn", "-o", command[1])
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "interrupted\n")
    assert names(folder) == before
