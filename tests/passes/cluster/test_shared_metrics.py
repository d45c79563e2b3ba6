"""Metrics and bounds where a kernel is read at several positions in a step, counted position by position."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import run_passes, set_machine
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.cluster import ProgramOp
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles
from snnir.dialects.snn import Conv2dOp, IfOp, InputOp, NetworkOp, OutputOp
from snnir.passes.base import only
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.metrics import ClusterMetrics
from snnir.passes.limits import check
from snnir.semantics import Semantics

MACHINE = Machine("shared", Tiles((2, 2), 4), Crossbar(32, 16, 0, "digital", neurons=40), Buffers(4096))


def module_of(groups: int, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> ModuleOp:
    """A convolution of 2x6x6 spikes to four channels, its input as active as `counts` say in 10 steps."""
    rng = np.random.default_rng(0)
    network = NetworkOp("n", 1e-3, None)
    pixels = InputOp("x", SignalType.spikes(2, 6, 6))
    pixels.activity = ActivityAttr.of(
        10, int(counts.sum()), min(72, int(counts.sum())), TensorAttr.of("x.counts", counts)
    )
    weights = TensorAttr.of("w", rng.normal(size=(4, 2 // groups, 3, 3)).astype("f4"))
    current = Conv2dOp(pixels.signal, weights, padding=((1, 1), (1, 1)), groups=groups)
    parameters = {"r": 1.0, "threshold": 1.0, "v_reset": 0.0}
    values = {key: TensorAttr.of(key, np.full(144, value)) for key, value in parameters.items()}
    population = IfOp("h", [current.current], values, Semantics(), SignalType.spikes(4, 6, 6))
    network.body.block.add_ops([pixels, current, population, OutputOp("y", population.signal)])
    module = ModuleOp([network])
    set_machine(module, MACHINE)
    module.verify()
    return module


@pytest.mark.parametrize("groups", [1, 2])
def test_position_by_position(groups: int) -> None:
    counts = np.random.default_rng(1).integers(0, 10, 72)
    module = module_of(groups, counts)
    clustering, metrics = ConvertSNNToCluster(), ClusterMetrics()
    run_passes(module, clustering, metrics)
    program = only(module, ProgramOp, "")
    slices = [(cluster, part) for cluster in program.clusters for part in cluster.parts]
    assert any(part.reads > 1 for _, part in slices)
    (found,) = metrics.measures
    spikes = counts / 10
    for cluster, each in zip(program.clusters, found.crossbars, strict=True):
        driven = weights = 0.0
        for part in cluster.parts:
            assert part.windows is not None
            channels = part.neurons.array[:: part.reads] // 36
            for position in part.neurons.array[: part.reads] % 36:
                for place in part.windows.kernel.array.tolist():
                    channel, tap = divmod(place, 9)
                    row, column = position // 6 - 1 + tap // 3, position % 6 - 1 + tap % 3
                    if 0 <= row < 6 and 0 <= column < 6:
                        driven += spikes[channel * 36 + row * 6 + column]
            for place in part.windows.kernel.array.tolist():
                weights += sum(place // 9 // (2 // groups) == c // (4 // groups) for c in channels.tolist())
        assert each.driven == pytest.approx(driven)
        assert (each.weights, each.rows, each.columns) == (weights, cluster.rows, cluster.columns)


@pytest.mark.parametrize("neurons", [0, 40, 100, 144])
@pytest.mark.parametrize("groups", [1, 2])
def test_bounds(groups: int, neurons: int) -> None:
    """By the states that crossbars keep; no clustering is below."""
    module = module_of(groups, np.ones(72, np.int64))
    target = replace(MACHINE, crossbar=replace(MACHINE.crossbar, neurons=neurons))
    set_machine(module, target)
    found = check(only(module, NetworkOp, ""), target)
    assert found.least.neurons == (-(-144 // neurons) if neurons else 0)
    clustering = ConvertSNNToCluster()
    run_passes(module, clustering)
    assert clustering.statistics["clusters"] >= found.least.crossbars
    if neurons:
        assert found.least.columns == 1
