"""The table of clusterings: what takes too long is stopped, and every row says what it is."""

from __future__ import annotations

import pytest

from benchmarks import clustering
from snnir.partition.problem import Options, Plan, Problem


def spinning(name: str, problem: Problem, options: Options) -> Plan:
    """An algorithm that never ends."""
    while True:
        pass


def test_what_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = clustering.problem_for("respclass", "digital")
    monkeypatch.setattr(clustering, "cluster", spinning)
    found = clustering.measured(clustering.Task(problem, "structured", Options()), 3, 1.0)
    assert found.failure == "> 1 s"


def test_a_row_is_an_algorithm_an_objective_or_a_plan_of_as_many_crossbars() -> None:
    assert clustering.options_of("greedy", {}) == Options()
    assert clustering.options_of("structured, spikes", {}) == Options("spikes")
    assert clustering.options_of(clustering.AT_PEER, {}) is None
    assert clustering.options_of(clustering.AT_PEER, {"hypergraph": clustering.Found(failure="> 1 s")}) is None
    peer = {"hypergraph": clustering.Found(125, 887.0, 15.7)}
    assert clustering.options_of(clustering.AT_PEER, peer) == Options("spikes", details={"most": 125})


def test_the_whole_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ("structured", "structured, spikes", "sequential")
    clustering.compare("respclass", "digital", rows, 1, 60.0)
    lines = capsys.readouterr().out.splitlines()
    assert [line[27:53].strip() for line in lines] == list(rows)
    ours, spikes, peer = (float(line.split()[-2]) for line in lines)
    assert spikes < ours < peer
