"""What only a process of its own can show: start-up time, signals, pipes, and `xdsl-opt`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from xdsl.universe import Universe
from xdsl.xdsl_opt_main import xDSLOptMain

from snnir.cli.arguments import add_arguments
from snnir.universe import DIALECTS, PASSES

SNN_OPT = [sys.executable, "-m", "snnir.cli.snn_opt"]


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


def test_start_up_imports_nothing_heavy() -> None:
    heavy = ["h5py", "lark", "nir", "numba", "numpy", "rich", "safetensors", "scipy", "torch", "xdsl"]
    code = f"""
import json, sys
import snnir.cli.snn_opt
snnir.cli.snn_opt.main(["--help"])
print(json.dumps([name for name in {heavy} if name in sys.modules]))
"""
    outcome = run(sys.executable, "-c", code)
    assert outcome.returncode == 0
    assert json.loads(outcome.stdout.splitlines()[-1]) == []


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
