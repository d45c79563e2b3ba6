"""What only a process of its own can show: start-up time, signals, pipes, and `xdsl-opt`."""

from __future__ import annotations

import argparse
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from xdsl.universe import Universe
from xdsl.xdsl_opt_main import xDSLOptMain

from snnir.cli.arguments import add_arguments
from snnir.universe import DIALECTS, PASSES

SNN_OPT = [sys.executable, "-m", "snnir.cli.snn_opt"]
SNNC = [sys.executable, "-m", "snnir.cli.snnc"]
PROGRAM = """\
network tiny {
  dt = 1 ms
  input x[4]
  population h[4] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> h : one_to_one(weights = 0.5)
  output y = h
}
"""


def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def test_help_is_fast() -> None:
    times: list[float] = []
    for _ in range(4):
        before = os.times()
        outcome = run(*SNN_OPT, "--help")
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert outcome.returncode == 0
        assert "--pass-pipeline" in outcome.stdout
    assert min(times) < 0.5


@pytest.mark.parametrize("tool", ["snn_opt", "snnc"])
def test_start_up_imports_nothing_heavy(tool: str) -> None:
    heavy = ["h5py", "lark", "nir", "numba", "numpy", "rich", "safetensors", "scipy", "torch", "xdsl"]
    code = f"""
import json, sys
import snnir.cli.{tool}
snnir.cli.{tool}.main(["--help"])
print(json.dumps([name for name in {heavy} if name in sys.modules]))
"""
    outcome = run(sys.executable, "-c", code)
    assert outcome.returncode == 0
    assert json.loads(outcome.stdout.splitlines()[-1]) == []


def test_small_dataflow_graphs_do_not_wait_for_numba() -> None:
    """Loading it takes longer than all of the analysis of such a graph."""
    graph = """
dataflow.graph of @pair unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 3 mean 3 reads() makes(1)
      : () -> !dataflow.token<1>
  %b = dataflow.actor slice @b on @c1 time 5 mean 5 reads(%a[1] capacity 2) makes(1)
      : (!dataflow.token<1>) -> !dataflow.token<1>
}
"""
    passes = "dataflow-size-buffers,dataflow-analyze-throughput,dataflow-simulate"
    code = f"""
import sys
from snnir.cli import snn_opt
status = snn_opt.main(["-", "-p", "{passes}"])
print(status, "numba" in sys.modules)
"""
    outcome = run(sys.executable, "-c", code, stdin=graph)
    assert outcome.stdout.splitlines()[-1] == "0 False", outcome.stderr


def test_exit_codes_reach_the_shell() -> None:
    assert run(*SNN_OPT, stdin="builtin.module {}").returncode == 0
    outcome = run(*SNN_OPT, stdin="builtin.module {")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("<stdin>:1:")
    assert outcome.stderr.count("\n") <= 3


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "in.mlir"
    path.write_text('"test.op"() : () -> ()\n')
    command = subprocess.Popen([*SNN_OPT, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()
    complaint = command.stderr.read()
    command.stderr.close()
    assert command.wait(timeout=60) == 141
    assert complaint == b""


def test_every_argument_of_xdsl_opt_is_there() -> None:
    stock, ours = argparse.ArgumentParser(), argparse.ArgumentParser()
    xDSLOptMain(args=[]).register_all_arguments(stock)
    add_arguments(ours)
    there, here = (
        {name for action in parser._actions for name in (*action.option_strings, action.dest)}  # pyright: ignore[reportPrivateUsage]
        for parser in (stock, ours)
    )
    assert "--shrink" in there
    assert there <= here


def test_xdsl_finds_our_dialects_and_passes() -> None:
    universe = Universe.get_multiverse()
    assert DIALECTS.keys() <= universe.all_dialects.keys()
    assert PASSES.keys() <= universe.all_passes.keys()
    driver = xDSLOptMain(args=["-p", ""])
    assert DIALECTS.keys() <= set(driver.ctx.registered_dialect_names)
    assert PASSES.keys() <= driver.available_passes.keys()


def test_xdsl_opt_reads_our_dialect() -> None:
    text = "snn.network @echo dt 0.001 {\n  %x = snn.input @pixels : !snn.signal<2, spike>\n}\n"
    code = "from xdsl.tools.xdsl_opt import main; main()"
    outcome = run(sys.executable, "-c", code, "-p", "canonicalize", stdin=text)
    assert outcome.returncode == 0, outcome.stderr
    assert "snn.network @echo" in outcome.stdout


@pytest.mark.parametrize("command", [[*SNNC, "sim", "net.snn", "--data"], SNN_OPT])
def test_interrupted(tmp_path: Path, command: list[str]) -> None:
    """A file that never ends, and Ctrl-C while it is read: one line, and nothing written."""
    (tmp_path / "net.snn").write_text(PROGRAM)
    path = tmp_path / ("pipe.npz" if command is not SNN_OPT else "pipe.mlir")
    os.mkfifo(path)
    before = sorted(tmp_path.iterdir())
    words = [*command, str(path), "-o", "out.npz"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with path.open("wb"):  # opens when the other side does
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_for_terminals(tmp_path: Path, terminal: bool) -> None:
    (tmp_path / "net.snn").write_text(PROGRAM)
    np.savez(tmp_path / "data.npz", x=np.ones((3, 50, 4), np.uint8))
    ours, theirs = pty.openpty() if terminal else os.pipe()
    words = [*SNNC, "profile", "net.snn", "--data", "data.npz"]
    outcome = subprocess.run(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False)
    os.close(theirs)
    said = b""
    while part := _read(ours):
        said += part
    os.close(ours)
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("3 samples x 50 steps")
    assert "\x1b" not in outcome.stdout
    assert (b"profiling" in said) == terminal
    assert terminal or said == b""


def _read(descriptor: int) -> bytes:
    """What is there; a terminal whose other side is closed is an error for the system."""
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""
