"""2,000 clusters: one pass over the text, over the ops, over the neurons; nothing that grows with their product."""

from __future__ import annotations

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, FloatAttr, ModuleOp, f64
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

from snnir.cli.locations import diagnostics_kept_short
from snnir.dialects import cluster, snn
from snnir.dialects.attributes import SignalType
from snnir.dialects.cluster_attributes import Axons, Place, PlaceAttr, Slice
from snnir.dialects.platform import ATTRIBUTE, Buffers, Crossbar, Machine, MachineAttr, Platform, Tiles
from snnir.indices import Indices
from snnir.semantics import Semantics

CLUSTERS, EACH = 2000, 64


def network(size: int) -> snn.NetworkOp:
    """A population that copies its input."""
    result = snn.NetworkOp("n", 0.001, None)
    x = snn.InputOp("x", SignalType.spikes(size))
    c = snn.ScaleOp(x.signal, FloatAttr(1.0, f64), SignalType.current(size))
    values = {"r": FloatAttr(1.0, f64), "threshold": FloatAttr(0.5, f64), "v_reset": FloatAttr(0.0, f64)}
    p = snn.IfOp("p", [c.current], values, Semantics(), SignalType.spikes(size))
    result.body.block.add_ops([x, c, p, snn.OutputOp("y", p.signal)])
    return result


def program(clusters: int) -> ModuleOp:
    """The copy on many crossbars."""
    result, source = cluster.ProgramOp("n"), cluster.InputOp("x", SignalType.spikes(clusters * EACH))
    ops: list[cluster.ClusterOp] = []
    for number in range(clusters):
        mine = Indices.span(number * EACH, (number + 1) * EACH)
        op = cluster.ClusterOp(f"c{number}", [Axons(mine)], [Slice("neurons", "p", mine, Indices.span(0, EACH), 0)])
        op.wire([source.signal], [])
        op.place = PlaceAttr(Place((number % 50, number // 50), 0))
        ops.append(op)
    result.body.block.add_ops([source, *ops, cluster.OutputOp("y", [op.computed[0] for op in ops])])
    module = ModuleOp([network(clusters * EACH), result])
    tiles = Tiles((50, clusters // 50 + 1), 1)
    module.attributes[ATTRIBUTE] = MachineAttr(Machine("m", tiles, Crossbar(128, 128), Buffers(1024)))
    return module


def test_many_clusters_print_parse_and_verify() -> None:
    ctx = Context()
    for dialect in (Builtin, Platform, snn.SNN, cluster.Cluster):
        ctx.load_dialect(dialect)
    module = program(CLUSTERS)
    module.verify()
    text = str(module)
    again = Parser(ctx, text, "text").parse_module()
    again.verify()
    assert str(again) == text
    *_, last = (op for op in again.walk() if isinstance(op, cluster.ClusterOp))
    last.slices = type(last.slices)(
        [type(s)(Slice("neurons", "p", s.data.neurons, Indices.span(1, EACH), 0)) for s in last.slices]
    )
    message = rf"synapse from @x\[{(CLUSTERS - 1) * EACH}\] to @p\[{(CLUSTERS - 1) * EACH}\] \(delay 0\) is on 0"
    with diagnostics_kept_short(), pytest.raises(VerifyException, match=message):
        again.verify()
