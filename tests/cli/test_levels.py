"""Text -> IR -> text is the identity at every level of the IR, for a feed-forward and a recurrent network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from snnir.testing import Outcome

SnnOpt = Callable[..., Outcome]

LEVELS = {
    "snn": "snn-profile{{data={data}}}, snn-quantize",
    "cluster": "convert-snn-to-cluster{{algorithm=greedy}}, cluster-place, cluster-route",
    "dataflow": "convert-cluster-to-dataflow, dataflow-schedule, dataflow-analyze-throughput",
    "crossbar": "convert-dataflow-to-crossbar",
}
MARKS = {
    "snn": "snn.network @",
    "cluster": "cluster.cluster @",
    "dataflow": "dataflow.order @",
    "crossbar": "crossbar.crossbar @",
}
"""What the text of each level must hold, so that an empty one does not pass."""


@pytest.fixture(scope="module", params=["digits", "digits_recurrent"])
def network(request: pytest.FixtureRequest, samples: Path) -> Path:
    """A shipped program."""
    return samples / "digits" / f"{request.param}.snn"


@pytest.mark.parametrize("platform", ["mesh2x2-128", "mesh2x2-64"])
def test_every_level_reads_what_it_prints(
    snn_opt: SnnOpt, samples: Path, network: Path, tmp_path: Path, platform: str
) -> None:
    data = samples / "digits" / "test_spikes.npz"
    machine = samples / "platforms" / f"{platform}.toml"
    whole = snn_opt(network, "--platform", machine, "--pass-pipeline", ", ".join(LEVELS.values()).format(data=data))
    assert whole.code == 0, whole.err
    text = snn_opt(network, "--platform", machine).out
    for level, passes in LEVELS.items():
        reached = snn_opt("--pass-pipeline", f"builtin.module({passes.format(data=data)})", stdin=text)
        assert reached.code == 0, reached.err
        text = reached.out
        assert MARKS[level] in text
        assert snn_opt(stdin=text).out == text
        generic = snn_opt("--print-op-generic", stdin=text).out
        assert generic != text
        assert snn_opt("--print-op-generic", stdin=generic).out == generic
        assert snn_opt(stdin=generic).out == text
        located = snn_opt("--print-debuginfo", stdin=text).out
        assert snn_opt(stdin=located).out == text
        one, two = tmp_path / f"{level}.mlir", tmp_path / "copy.mlir"
        assert snn_opt("-o", one, stdin=text) == Outcome(0, "", "")
        assert snn_opt(one).out == text
        assert snn_opt(one, "-o", two) == Outcome(0, "", "")
        assert two.read_text().replace("copy.mlir", one.name) == one.read_text()
    assert text == whole.out


def test_large_tensors_leave_the_text(snn_opt: SnnOpt, network: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mlir"
    assert snn_opt(network, "-o", target).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mlir", "out.mlir.safetensors"]
    assert '"out.mlir.safetensors"' in target.read_text()
    assert len(target.read_text()) < len(snn_opt(network).out) / 5
    elided = snn_opt(network, "--elide-tensors").out
    assert "elided" in elided
    assert len(elided) < len(snn_opt(network).out) / 5
    assert snn_opt(stdin=elided).code == 1


def test_output_may_replace_its_input(snn_opt: SnnOpt, network: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mlir"
    snn_opt(network, "-o", target)
    before = target.read_text()
    assert snn_opt(target, "-o", target).code == 0
    assert target.read_text() == before
    assert snn_opt(target).out == snn_opt(network).out


def test_dumps_elide_and_do_not_disturb(snn_opt: SnnOpt, network: Path, tmp_path: Path) -> None:
    plain, observed = tmp_path / "plain.mlir", tmp_path / "observed.mlir"
    assert snn_opt(network, "-p", "snn-quantize,canonicalize", "-o", plain).code == 0
    outcome = snn_opt(network, "-p", "snn-quantize,canonicalize", "-o", observed, "--print-ir-after-all", "--timing")
    assert outcome.err.count("elided") >= 4
    assert outcome.out == ""
    assert observed.read_text().replace("observed.mlir", "plain.mlir") == plain.read_text()


def test_the_machine_of_ir_text_can_be_replaced(snn_opt: SnnOpt, network: Path, samples: Path) -> None:
    machines = samples / "platforms"
    text = snn_opt(network, "--platform", machines / "mesh2x2-32.toml").out
    assert '#platform.machine<"mesh2x2-32"' in text
    assert '#platform.machine<"mesh2x2-64"' in snn_opt("--platform", machines / "mesh2x2-64.toml", stdin=text).out
    bare = "builtin.module {\n}\n"
    assert '#platform.machine<"mesh2x2-64"' in snn_opt("--platform", machines / "mesh2x2-64.toml", stdin=bare).out
    assert snn_opt("--platform", "nope.toml", stdin=bare).err.startswith("nope.toml: error: ")
