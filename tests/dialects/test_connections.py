"""Connections of every chain of linear ops against what the simulator makes of single spikes."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from networks import general_program
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import Connection, connections_of, emitter_of, refusals_of, source_of
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    Conv1dOp,
    Conv2dOp,
    DelayOp,
    DenseOp,
    DualLifOp,
    FlattenOp,
    IfOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
    networks,
)
from snnir.errors import SnnirError
from snnir.indices import Indices
from snnir.semantics import PARAMETERS, Semantics
from snnir.sim import simulate
from snnir.sim.entry import network_of
from snnir.synapses import Conv, Dense, OneToOne, Selected

STEPS = 24
LINEAR = {"conv", "pool", "sparse", "delay", "delays", "last", "slice", "bias", "scaled", "recurrent"}


def responses(
    network: NetworkOp, population: NeuronOp
) -> tuple[dict[tuple[str, int], NDArray[np.float64]], NDArray[np.float64]]:
    """What each spike adds to each neuron, (sources, targets) for each source and delay; and the constant current.

    All populations become inputs, so that each source can be given one spike.
    """
    copy = NetworkOp("linear", network.step_seconds, None)
    values: dict[SSAValue, SSAValue] = {}
    late: list[tuple[Operation, Operation]] = []
    for op in network.body.block.ops:
        if isinstance(op, InputOp | NeuronOp):
            new: Operation = InputOp(op.sym_name.data, SignalType.spikes(*op.results[0].type.shape.data))  # pyright: ignore
        elif isinstance(op, OutputOp):
            continue
        else:
            new = op.clone()
            late.append((op, new))
        values |= dict(zip(op.results, new.results, strict=True))
        copy.body.block.add_op(new)
    for op, new in late:
        new.operands = [values[operand] for operand in op.operands]
    total = AddOp(*(values[value] for value in population.inputs))
    copy.body.block.add_ops([total, OutputOp("current", total.results[0])])
    program = network_of(copy)
    found: dict[tuple[str, int], NDArray[np.float64]] = {}
    silent = {name: np.zeros((1, STEPS, size), np.uint8) for name, size in program.inputs.items()}
    bias = simulate(program, silent)[program.outputs["current"]][0, -1]
    for name, size in program.inputs.items():
        spikes = {other: np.zeros((size, STEPS, n), np.uint8) for other, n in program.inputs.items()}
        spikes[name][np.arange(size), 0, np.arange(size)] = 1
        current = simulate(program, spikes)[program.outputs["current"]] - bias
        for delay in range(STEPS):
            if np.abs(current[:, delay]).max() > 1e-9:
                found[name, delay] = current[:, delay]
    return found, bias


def connected(connections: list[Connection], size: int) -> dict[tuple[str, int], NDArray[np.float64]]:
    """The same from connections."""
    found: dict[tuple[str, int], NDArray[np.float64]] = defaultdict(lambda: np.zeros(()))
    for c in connections:
        block = c.synapses.block(np.arange(c.synapses.sources), np.arange(size))
        found[c.source, c.delay] = found[c.source, c.delay] + block * c.scale
    return {key: weights for key, weights in found.items() if np.abs(weights).max() > 1e-9}


def assert_same(network: NetworkOp, population: NeuronOp) -> list[Connection]:
    connections = connections_of(population)
    expected, bias = responses(network, population)
    found = connected(connections, population.size)
    assert set(found) == set(expected)
    for key, weights in expected.items():
        np.testing.assert_allclose(found[key], weights, rtol=1e-9, atol=1e-9)
    constant = sum((c.bias for c in connections), start=np.zeros(population.size))
    np.testing.assert_allclose(constant, bias, rtol=1e-9, atol=1e-9)
    return connections


def test_random_programs() -> None:
    seen: Counter[str] = Counter()
    for seed in range(80):
        (network,) = networks(general_program(np.random.default_rng(seed), LINEAR))
        for population in network.sources.values():
            if not isinstance(population, NeuronOp) or not population.inputs:
                continue
            try:
                connections_of(population)
            except SnnirError as error:
                seen[error.message.split(" ")[0]] += 1
                assert error.message in [each.message for each in refusals_of(population)]
                continue
            assert not refusals_of(population)
            for c in assert_same(network, population):
                inner = c.synapses.inner if isinstance(c.synapses, Selected) else c.synapses
                seen[type(inner).__name__] += 1
                seen["direct"] += c.direct
    assert {"Conv", "Dense", "OneToOne", "Listed", "direct", "snn.max_pool", "reads"} <= set(seen), seen


# --- programs by hand


def spikes(name: str, *shape: int) -> InputOp:
    return InputOp(name, SignalType.spikes(*shape))


def tensor(*shape: int, key: str = "w") -> TensorAttr:
    return TensorAttr.of(key, np.random.default_rng(sum(shape)).choice([-3, -1, 2, 5, 7], shape).astype("f4"))


def population(inputs: list[SSAValue], *shape: int, name: str = "h") -> IfOp:
    parameters = {key: FloatAttr(value, f64) for key, value in (("r", 1.0), ("threshold", 1.0), ("v_reset", 0.0))}
    return IfOp(name, inputs, parameters, Semantics(), SignalType.spikes(*shape))


def program(*ops: Operation) -> tuple[NetworkOp, NeuronOp]:
    """A verified program of these ops, the last of which is a population."""
    network = NetworkOp("n", 1e-3, None)
    last = ops[-1]
    assert isinstance(last, NeuronOp)
    network.body.block.add_ops([*ops, OutputOp("out", last.signal)])
    module = ModuleOp([network])
    module.verify()
    return network, last


def image() -> InputOp:
    return spikes("x", 2, 6, 6)


def test_a_pool_before_a_convolution() -> None:
    x = image()
    pool = AvgPoolOp(x.signal, (2, 2))
    conv = Conv2dOp(pool.pooled, tensor(3, 2, 3, 3), padding=((1, 1), (1, 1)), bias=tensor(3, key="b"), delay=2)
    (found,) = assert_same(*program(x, pool, conv, population([conv.current], 3, 3, 3)))
    assert isinstance(found.synapses, Conv)
    assert (found.delay, found.op, found.direct, found.plain) == (2, conv, False, None)


def test_two_pools_and_a_dense() -> None:
    x = image()
    pool = SumPoolOp(x.signal, (3, 3), (2, 2))
    flat = FlattenOp(pool.pooled)
    dense = DenseOp(flat.flat, tensor(5, 8), SignalType.current(5), scale=FloatAttr(0.25, f64))
    (found,) = assert_same(*program(x, pool, flat, dense, population([dense.current], 5)))
    assert isinstance(found.synapses, Selected)  # the last row and column are in no window
    assert isinstance(found.synapses.inner, Dense)
    assert found.synapses.fanin().tolist() == [50] * 5


def test_slices_of_spikes_and_of_currents() -> None:
    x = spikes("x", 9)
    some = SliceOp(x.signal, Indices.of([7, 1, 2, 5]))
    more = SliceOp(some.part, Indices.of([3, 0, 1]))
    dense = DenseOp(more.part, tensor(6, 3), SignalType.current(6), scale=tensor_of([1.0, 2, 3, 4, 5, 6]))
    part = SliceOp(dense.current, Indices.of([4, 1]))
    (found,) = assert_same(*program(x, some, more, dense, part, population([part.part], 2)))
    assert np.asarray(found.scale).tolist() == [5.0, 2.0]
    assert found.plain is None
    assert found.synapses.inputs(np.arange(2)).tolist() == [1, 5, 7]


def tensor_of(values: list[float], key: str = "s") -> TensorAttr:
    return TensorAttr.of(key, np.array(values))


def test_a_sum_of_spikes_and_currents() -> None:
    x, y = spikes("x", 4), spikes("y", 4)
    scaled = ScaleOp(y.signal, FloatAttr(0.5, f64), SignalType.current(4), delay=1)
    total = AddOp(x.signal, scaled.current, x.signal)
    found = assert_same(*program(x, y, scaled, total, population([total.results[0]], 4)))
    assert [(c.source, c.delay, c.direct) for c in found] == [("x", 0, False), ("y", 1, True), ("x", 0, False)]


def test_a_bias_of_a_projection_of_a_sum_is_there_once() -> None:
    x, y = spikes("x", 3), spikes("y", 3)
    total = AddOp(x.signal, y.signal)
    dense = DenseOp(total.results[0], tensor(2, 3), SignalType.current(2), bias=tensor(2, key="b"))
    found = assert_same(*program(x, y, total, dense, population([dense.current], 2)))
    assert [c.plain for c in found] == [None, None]


def test_a_delay_per_neuron() -> None:
    x = spikes("x", 4)
    late = DelayOp(x.signal, TensorAttr.of("d", np.array([0, 3, 0, 1])))
    dense = DenseOp(late.late, tensor(5, 4), SignalType.current(5))
    after = DelayOp(dense.current, TensorAttr.of("e", np.array([0, 1, 0, 1, 2])))
    found = assert_same(*program(x, late, dense, after, population([after.late], 5)))
    assert sorted({c.delay for c in found}) == [0, 1, 2, 3, 4, 5]
    assert all(c.synapses.count for c in found)


def test_a_delay_that_is_the_same_for_all_neurons() -> None:
    x = spikes("x", 4)
    late = DelayOp(x.signal, TensorAttr.of("d", np.full(4, 3)))
    dense = DenseOp(late.late, tensor(5, 4), SignalType.current(5))
    after = DelayOp(dense.current, 2)
    (found,) = assert_same(*program(x, late, dense, after, population([after.late], 5)))
    assert (found.delay, found.plain) == (5, None)
    assert isinstance(found.synapses, Dense)


def test_synapses_one_by_one() -> None:
    x = spikes("x", 3)
    ends = [TensorAttr.of(k, np.array(v)) for k, v in (("f", [0, 0, 2, 1]), ("t", [1, 1, 0, 1]), ("d", [0, 0, 2, 2]))]
    sparse = SparseOp(x.signal, tensor(4), ends[0], ends[1], SignalType.current(2), delays=ends[2], delay=1)
    found = assert_same(*program(x, sparse, population([sparse.current], 2)))
    assert [(c.delay, c.synapses.fanin().tolist()) for c in found] == [(1, [0, 1]), (3, [1, 1])]


def test_a_convolution_over_one_dimension_with_groups() -> None:
    x = spikes("x", 4, 9)
    conv = Conv1dOp(x.signal, tensor(6, 2, 3), stride=(2,), padding=((2,), (0,)), dilation=(2,), groups=2)
    flat = FlattenOp(conv.current)
    (found,) = assert_same(*program(x, conv, flat, population([flat.flat], 24)))
    assert isinstance(found.synapses, Conv)
    assert found.direct


def test_weights_along_the_last_dimension() -> None:
    x = spikes("x", 3, 4)
    dense = DenseOp(x.signal, tensor(2, 4), SignalType.current(3, 2), scale=tensor_of([1.0, 0.5]))
    (found,) = assert_same(*program(x, dense, population([dense.current], 3, 2)))
    assert found.synapses.fanin().tolist() == [4] * 6
    assert found.plain is None


def test_one_to_one_of_some() -> None:
    x = spikes("x", 5)
    some = SliceOp(x.signal, Indices.of([4, 0]))
    scale = ScaleOp(some.part, tensor(2), SignalType.current(2))
    (found,) = assert_same(*program(x, some, scale, population([scale.current], 2)))
    assert found.one_to_one
    assert found.plain is scale
    assert found.chosen.tolist() == [4, 0]
    assert isinstance(found.synapses, Selected)
    assert isinstance(found.synapses.inner, OneToOne)


def test_two_projections_in_a_row() -> None:
    x = spikes("x", 3)
    first = ScaleOp(x.signal, FloatAttr(0.5, f64), SignalType.current(3), scale=FloatAttr(0.5, f64))
    second = DenseOp(first.current, tensor(2, 3), SignalType.current(2), scale=tensor_of([2.0, 4.0]))
    (found,) = assert_same(*program(x, first, second, population([second.current], 2)))
    assert found.plain is None


# --- refusals


def refused(*ops: Operation) -> SnnirError:
    _, last = program(*ops)
    with pytest.raises(SnnirError) as caught:
        connections_of(last)
    return caught.value


def test_max_pool() -> None:
    x = image()
    pool = MaxPoolOp(x.signal, (2, 2))
    conv = Conv2dOp(pool.pooled, tensor(1, 2, 3, 3))
    error = refused(x, pool, conv, population([conv.current], 1, 1, 1))
    assert error.message == "snn.max_pool cannot be placed on crossbars, which add"
    assert "sum pool" in error.hint


def test_a_second_synapse() -> None:
    x = spikes("x", 2)
    scale = ScaleOp(x.signal, FloatAttr(1.0, f64), SignalType.current(2))
    parameters = {
        key: FloatAttr(0.004 if "tau" in key else 0.0 if key == "v_reset" else 1.0, f64)
        for key in PARAMETERS["dual_lif"]
    }
    dual = DualLifOp("h", [scale.current, scale.current], parameters, Semantics(), SignalType.spikes(2), 1)
    assert refused(x, scale, dual).message == "@h has a second synapse"


def test_a_biased_projection_in_between() -> None:
    x = spikes("x", 2)
    first = DenseOp(x.signal, tensor(2, 2), SignalType.current(2), bias=tensor(2, key="b"))
    second = DenseOp(first.current, tensor(2, 2), SignalType.current(2))
    message = "reads a projection with a bias, or with a scale per target"
    assert refused(x, first, second, population([second.current], 2)).message == message
    x = spikes("x", 2)
    first = DenseOp(x.signal, tensor(2, 2), SignalType.current(2), scale=tensor_of([1.0, 2.0]))
    second = DenseOp(first.current, tensor(2, 2), SignalType.current(2))
    assert refused(x, first, second, population([second.current], 2)).message == message


def test_a_late_bias() -> None:
    x = spikes("x", 2)
    dense = DenseOp(x.signal, tensor(2, 2), SignalType.current(2), bias=tensor(2, key="b"))
    late = DelayOp(dense.current, 1)
    assert "delays a current with a bias" in refused(x, dense, late, population([late.late], 2)).message


def test_currents() -> None:
    x = InputOp("x", SignalType.current(2))
    dense = DenseOp(x.signal, tensor(2, 2), SignalType.current(2))
    assert "@x brings currents" in refused(x, dense, population([dense.current], 2)).message


def test_outputs() -> None:
    x = spikes("x", 4)
    scale = ScaleOp(x.signal, FloatAttr(0.5, f64), SignalType.current(4))
    neurons = population([scale.current], 4)
    part = SliceOp(neurons.signal, Indices.of([1]))
    late = DelayOp(neurons.signal, 2)
    flat = FlattenOp(neurons.signal)
    values = {"whole": flat.flat, "part": part.part, "late": late.late, "current": scale.current}
    network = NetworkOp("n", 1e-3, None)
    network.body.block.add_ops([x, scale, neurons, part, late, flat, *(OutputOp(k, v) for k, v in values.items())])
    assert emitter_of(network.outputs["whole"]) == "h"
    for name, said in (("part", "reads a part or a delayed copy of @h"), ("late", "delayed"), ("current", "a current")):
        with pytest.raises(SnnirError, match=said):
            emitter_of(network.outputs[name])
    name, neurons_read, delay = source_of(late.late, late)
    assert (name, neurons_read.tolist(), delay) == ("h", [0, 1, 2, 3], 2)
