"""Synapses that are spread over many clusters: each has one place, and what is wrong is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_text import context
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, FloatAttr, ModuleOp, f64
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

from snnir.dialects import cluster_synapses, snn
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.cluster import ClusterOp
from snnir.dialects.cluster_attributes import Axons, AxonsAttr, Slice, SliceAttr
from snnir.dialects.platform import ATTRIBUTE, Buffers, Crossbar, Machine, MachineAttr, Tiles
from snnir.indices import Indices
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.semantics import Semantics

SOURCES, TARGETS = 30, 12


def program() -> list[ClusterOp]:
    """The clusters of an all-to-all and a one-to-one projection, on crossbars of 8 rows and 8 columns."""
    network = snn.NetworkOp("n", 0.001, None)
    x, z = (snn.InputOp(name, SignalType.spikes(size)) for name, size in (("x", SOURCES), ("z", TARGETS)))
    weights = TensorAttr.of("w", np.ones((TARGETS, SOURCES)))
    dense = snn.DenseOp(x.signal, weights, SignalType.current(TARGETS))
    scale = snn.ScaleOp(z.signal, FloatAttr(1.0, f64), SignalType.current(TARGETS), delay=1)
    values = {"r": FloatAttr(1.0, f64), "threshold": FloatAttr(0.5, f64), "v_reset": FloatAttr(0.0, f64)}
    p = snn.IfOp("p", [dense.current, scale.current], values, Semantics(), SignalType.spikes(TARGETS))
    network.body.block.add_ops([x, z, dense, scale, p, snn.OutputOp("y", p.signal)])
    module = ModuleOp([network])
    machine = Machine("m", Tiles((4, 4), 2, (0, 0)), Crossbar(8, 8, fanin="digital", max_delay=1), Buffers(64))
    module.attributes[ATTRIBUTE] = MachineAttr(machine)
    ConvertSNNToCluster().apply(Context(), module)
    module.verify()
    return [op for op in module.walk() if isinstance(op, ClusterOp)]


def find(clusters: list[ClusterOp], source: str) -> tuple[ClusterOp, int, int]:
    """The last cluster that reads a source, the group that does, and the row at which that starts."""
    for op in reversed(clusters):
        row = 0
        for number, (signal, axons) in enumerate(zip(op.signals, op.axons.data, strict=True)):
            if cluster_synapses.source_name(signal) == source:
                return op, number, row
            row += len(axons.data.neurons)
    raise AssertionError(source)


def with_axons(op: ClusterOp, number: int, axons: Axons) -> None:
    """Let a group read something else."""
    op.axons = ArrayAttr([AxonsAttr(axons) if n == number else each for n, each in enumerate(op.axons.data)])


def with_rows(op: ClusterOp, change: dict[int, bool]) -> None:
    """Let all slices of a cluster have some rows, or not."""

    def changed(part: Slice) -> SliceAttr:
        rows = (set(part.rows.array.tolist()) | {row for row in change if change[row]}) - {
            row for row in change if not change[row]
        }
        return SliceAttr(replace(part, rows=Indices.of(sorted(rows))))

    op.slices = ArrayAttr([changed(part) for part in op.parts])


def refusal(clusters: list[ClusterOp]) -> str:
    """What is wrong."""
    module = clusters[0].parent_op()
    assert module is not None
    with pytest.raises(VerifyException) as found:
        module.verify()
    return str(found.value)


@pytest.mark.parametrize("at_a_time", [1, 20, 1 << 20])
def test_synapses_are_spread_over_clusters(at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_synapses, "_AT_A_TIME", at_a_time)
    clusters = program()
    assert sum(part.is_partial for op in clusters for part in op.parts) > 3
    module = clusters[0].parent_op()
    assert module is not None
    module.verify()


@pytest.mark.parametrize("source", ["x", "z"])
def test_a_missing_synapse(source: str) -> None:
    clusters = program()
    op, _, row = find(clusters, source)
    with_rows(op, {row: False})
    assert f"the synapse from @{source}[" in refusal(clusters)
    assert "is on 0 crossbars instead of one" in refusal(clusters)


def test_a_doubled_synapse() -> None:
    clusters = program()
    op, number, _ = find(clusters, "x")
    other = next(c for c in clusters if c is not op and find([c], "x"))
    _, theirs, _ = find([other], "x")
    mine, given = op.axons.data[number].data, other.axons.data[theirs].data
    spare = next(n for n in given.neurons.array.tolist() if n not in mine.neurons.array)
    neurons = mine.neurons.array.copy()
    lost, neurons[0] = int(neurons[0]), spare
    with_axons(op, number, replace(mine, neurons=Indices.of(neurons)))
    first = min(lost, spare)
    assert f"@x[{first}] to @p[" in refusal(clusters)
    assert f"is on {2 if first == spare else 0} crossbars instead of one" in refusal(clusters)


def test_an_axon_of_a_wrong_delay() -> None:
    for source, wrong in (("x", 1), ("z", 0)):
        clusters = program()
        op, number, _ = find(clusters, source)
        with_axons(op, number, replace(op.axons.data[number].data, delay=wrong))
        problem = f"has a row of @{source} (delay {wrong}) that the population does not read"
        assert refusal(clusters).endswith(f"@{op.sym_name.data}: slice of @p {problem}")


def test_a_superfluous_row() -> None:
    clusters = program()
    op, number, row = find(clusters, "z")
    axons = op.axons.data[number].data
    made = {n for part in op.parts for n in part.neurons.array.tolist()}
    spare = next((n for n in range(TARGETS) if n not in made), None)
    if spare is None:
        pytest.fail("all neurons are in one cluster")
    # one more row of the same signal behind all others, in every slice
    op.wire([*op.signals, op.signals[number]], list(op.sums))
    op.axons = ArrayAttr([*op.axons.data, AxonsAttr(replace(axons, neurons=Indices.of([spare])))])
    with_rows(op, {op.fed - 1: True})
    assert row < op.fed - 1
    module = clusters[0].parent_op()
    assert module is not None
    assert f"has a row of @z[{spare}] (delay 1) that none of its neurons reads" in refusal(clusters)


SPLIT = """
snn.network @n dt 0.001 {{
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 2.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %s = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  %d = snn.scale %s by 2.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %t = snn.if @q(%d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %t : !snn.signal<2, spike>
}}
cluster.program of @n {{
  %x = cluster.input @x : !snn.signal<2, spike>
  %a = cluster.cluster @a axons(%x[0]) slices(neurons @p[0] rows [0] column 0) : (!snn.signal<2, spike>) -> !snn.signal<1, spike>
  %b = cluster.cluster @b axons(%x[1]) slices(neurons @p[1] rows [0] column 0) : (!snn.signal<2, spike>) -> !snn.signal<1, spike>
  %c = cluster.cluster @c axons(%{0}[0], %{1}[1]) slices(neurons @q[0:2] rows [0:2] column 0)
    : (!snn.signal<1, spike>, !snn.signal<1, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%c) : !snn.signal<2, spike>
}}
"""  # noqa: E501


def test_axons_come_with_the_signal_that_carries_them() -> None:
    Parser(context(), SPLIT.format("a", "b")).parse_module().verify()
    for wrong in ("ba", "aa", "bb"):
        with pytest.raises(VerifyException, match="@c: reads neurons of @p that the signal does not carry"):
            Parser(context(), SPLIT.format(*wrong)).parse_module().verify()
