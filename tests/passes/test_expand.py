"""`snn-expand`: no neuron has more inputs than rows, and nothing changes in real numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ordinary_networks import EXACT, assert_close, ordinary, outputs_of, program_in, values_for
from test_fold import CONTEXT
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import connections_of, real_values
from snnir.dialects.snn import ActivationOp, Conv2dOp, DenseOp, FlattenOp, InputOp, NetworkOp, OutputOp, ReluOp
from snnir.passes.snn.expand import SNNExpand
from snnir.passes.snn.legalize import SNNLegalize


def most_inputs(module: ModuleOp) -> int:
    """The most axons that a neuron reads; parallel synapses of one count once."""
    most = 0
    with real_values():
        for op in program_in(module).sources.values():
            if isinstance(op, ActivationOp):
                axons: dict[tuple[str, int], np.ndarray[tuple[int, int], np.dtype[np.int64]]] = {}
                for c in connections_of(op):
                    key = (c.source, c.delay)
                    axons[key] = axons.get(key, np.zeros((op.size, c.synapses.sources), np.int64))
                    axons[key] += c.synapses.csr().toarray() != 0
                counts = [(matrix > 0).sum(axis=1) for matrix in axons.values()]
                most = max(most, int(sum(counts, start=np.zeros(op.size, np.int64)).max()))
    return most


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(4, 9))
@example(seed=29084, rows=4)  # a plane so low that every window has one row of its kernel inside
@example(seed=1048577, rows=4)  # some rows of a kernel lie outside the plane wherever the window is
def test_fan_in_within_rows_and_the_same_values(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    module = ordinary(rng, EXACT)
    SNNLegalize(models=("relu", "clip")).apply(CONTEXT, module)
    data = values_for(module, rng)
    before = outputs_of(module, data)
    expand = SNNExpand(mode="pairs", rows=rows)
    expand.apply(CONTEXT, module)
    module.verify()
    assert_close(outputs_of(module, data), before)
    assert most_inputs(module) <= rows
    assert len(expand.layers) == expand.statistics["populations expanded"]


@pytest.mark.parametrize(("rows", "levels", "pairs"), [(200, 0, 0), (100, 1, 2), (20, 1, 10), (10, 2, 24)])
def test_a_tree_as_high_as_it_must_be(rows: int, levels: int, pairs: int) -> None:
    rng = np.random.default_rng(0)
    x = InputOp("x", SignalType.current(200))
    bias = TensorAttr.of("b", rng.normal(size=3))
    dense = DenseOp(x, TensorAttr.of("w", rng.normal(size=(3, 200))), SignalType.current(3), bias=bias)
    network = NetworkOp("n", 1e-3, 1)
    for op in (x, dense, h := ReluOp("h", [dense], SignalType.current(3)), OutputOp("y", h)):
        network.body.block.add_op(op)
    module = ModuleOp([network])
    data = values_for(module, rng)
    before = outputs_of(module, data)
    expand = SNNExpand(mode="pairs", rows=rows)
    expand.apply(CONTEXT, module)
    module.verify()
    assert_close(outputs_of(module, data), before)
    assert most_inputs(module) <= rows
    assert expand.statistics["levels of sums, most"] == levels
    assert expand.statistics["neurons for partial sums"] == 2 * 3 * pairs


def test_a_convolution_is_cut_by_channels_and_stays_one() -> None:
    rng = np.random.default_rng(1)
    x = InputOp("x", SignalType.current(8, 5, 5))
    conv = Conv2dOp(x, TensorAttr.of("w", rng.normal(size=(4, 8, 3, 3))), padding=([1, 1], [1, 1]))
    flat = FlattenOp(conv.current)
    network = NetworkOp("n", 1e-3, 1)
    for op in (x, conv, flat, h := ReluOp("h", [flat], SignalType.current(100)), OutputOp("y", h)):
        network.body.block.add_op(op)
    module = ModuleOp([network])
    data = values_for(module, rng)
    before = outputs_of(module, data)
    SNNExpand(mode="pairs", rows=20).apply(CONTEXT, module)
    module.verify()
    assert_close(outputs_of(module, data), before)
    parts = [op for op in program_in(module).body.block.ops if isinstance(op, Conv2dOp)]
    assert len(parts) == 8 and all(op.source_type.shape.data == (2, 5, 5) for op in parts)  # four pairs
