"""Plans polished neuron by neuron: never worse, never another program; and the best where it is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from snnir.partition.clustering.structured import structured
from snnir.partition.metrics import check, spikes_between
from snnir.partition.polish import polished
from snnir.partition.problem import Options, Part, Problem
from tests.partition.problems import cliques, problems, recurrent


@settings(max_examples=40, deadline=None)
@given(problems())
def test_spikes_first_is_no_worse_and_the_same_program(problem: Problem) -> None:
    first, spikes = structured(problem, Options()), structured(problem, Options("spikes"))
    check(problem, spikes)
    assert len(spikes) <= max(len(first) + 1, int(1.05 * len(first)))
    assert spikes_between(problem, spikes) <= spikes_between(problem, first) + 1e-9


def test_two_cliques_that_are_mixed_are_told_apart() -> None:
    """Neurons 0..3 and 4..7 read each other; a plan that mixes them becomes the one that does not."""
    problem = recurrent(8, cliques([[0, 1, 2, 3], [4, 5, 6, 7]], []), rows=5, columns=4)
    mixed = [[0, 1, 2, 4], [3, 5, 6, 7]]
    axons = [problem.axons_of(0, np.array(each)) for each in mixed]
    wide = Problem(problem.layers, problem.groups, 8, 4, problem.digital, problem.spikes)
    plan = [[Part(0, np.array(each), found)] for each, found in zip(mixed, axons, strict=True)]
    check(wide, plan)
    better = polished(wide, plan, Options("spikes"), 2)
    check(wide, better)
    assert spikes_between(wide, plan) > 0
    assert spikes_between(wide, better) == 0
    assert sorted(sorted(map(int, part.neurons)) for parts in better for part in parts) == [[0, 1, 2, 3], [4, 5, 6, 7]]
