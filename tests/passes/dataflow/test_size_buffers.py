"""What `dataflow-size-buffers` says and counts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from snnir.maxplus.buffers import EFFORT, smallest_distribution
from snnir.passes.dataflow import size_buffers
from snnir.testing import run_in_process

TEXT = """\
builtin.module {
  dataflow.graph @ring activity "worst" {
    %a = dataflow.actor task @a time 3 reads(%c[1] tokens 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor task @b time 4 reads(%a[1]) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %c = dataflow.actor task @c time 5 reads(%b[1], %a[1]) makes(1)
      : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
  }
}
"""


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A small graph to size."""
    path = tmp_path / "ring.mlir"
    path.write_text(TEXT)
    return path


def test_falling_back_is_said(ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = run_in_process(["snn-opt", str(ring), "-p", "dataflow-size-buffers"])
    assert (quiet.code, quiet.err) == (0, "")
    monkeypatch.setattr(size_buffers, "smallest_distribution", partial(smallest_distribution, effort=1))
    stopped = run_in_process(["snn-opt", str(ring), "-p", "dataflow-size-buffers"])
    assert stopped.code == 0
    said = f"note: an exact search would take more than {EFFORT} steps; smaller capacities may exist\n"
    assert stopped.err == f"{ring}:2:3: {said}"
    asked = run_in_process(["snn-opt", str(ring), "-p", "dataflow-size-buffers{algorithm=incremental}"])
    assert (asked.code, asked.err) == (0, "")
    exact = run_in_process(["snn-opt", str(ring), "-p", "dataflow-size-buffers{algorithm=exact}"])
    assert exact.code == 1
    assert "error: the search for the smallest capacities was stopped after 1 steps" in exact.err
    assert "the incremental algorithm takes less time" in exact.err


def test_too_many_firings_are_refused_before_any_analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wide.mlir"
    actors = (
        'builtin.module {\n  dataflow.graph @wide activity "worst" {\n'
        "    %a = dataflow.actor task @a time 3 makes(300000) : () -> !dataflow.token<1>\n"
        "    dataflow.actor task @b time 4 reads(%a[1]) : (!dataflow.token<1>) -> ()\n  }\n}\n"
    )
    path.write_text(actors)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("analysed")

    monkeypatch.setattr(size_buffers, "guarantee", never)
    outcome = run_in_process(["snn-opt", str(path), "-p", "dataflow-size-buffers"])
    assert outcome.code == 1
    assert "error: an iteration has 300001 firings, more than the limit of 200000" in outcome.err
