"""The builder that all front ends share: shapes, sums, sharing, order of ops, and what it blames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import StringAttr

from snnir.dialects.snn import (
    AddOp,
    Conv1dOp,
    Conv2dOp,
    DelayOp,
    DenseOp,
    DualLifOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    OutputOp,
    ScaleOp,
    SparseOp,
    SumPoolOp,
    networks,
)
from snnir.errors import SnnirError
from snnir.frontend.build import build
from snnir.frontend.build_ops import signal_shape
from snnir.frontend.network import (
    Conv,
    Delay,
    Dense,
    Flatten,
    Input,
    Network,
    OneToOne,
    Output,
    Pool,
    Population,
    Reference,
    Slice,
    Sparse,
    Transform,
    Value,
)
from snnir.frontend.source import Source, Span
from snnir.indices import Indices
from snnir.semantics import PARAMETERS, preset

TEXT = Source("net.snn", "abcdefghijklmnopqrstuvwxyz")
ORIGIN = TEXT.span(0, 1)


def at(position: int) -> Span:
    """A place that a test can recognise."""
    return TEXT.span(position, position + 1)


def refer(*names: str) -> tuple[Reference, ...]:
    return tuple(Reference(name, ORIGIN) for name in names)


def ones(*shape: int) -> Value:
    return Value(np.ones(shape), ORIGIN)


def population(name: str, shape: tuple[int, ...], *inputs: str, model: str = "if", **rest: Any) -> Population:
    values = {each: Value(1.0 if each not in ("v_leak", "v_reset") else 0.0, ORIGIN) for each in PARAMETERS[model]}
    return Population(name, shape, model, values, preset("nir", model), ORIGIN, refer(*inputs), **rest)


def made(
    shape: tuple[int, ...], transforms: Sequence[Transform], populations: Sequence[Population] = (), *outputs: str
) -> NetworkOp:
    """The program with one input `x` and, if no output is named, the output `y` of the last declaration."""
    read = outputs or ((*transforms, *populations)[-1].name,)
    network = Network(
        "n",
        1e-3,
        ORIGIN,
        None,
        ORIGIN,
        [Input("x", shape, ORIGIN)],
        transforms,
        populations,
        [Output(f"y{number}", refer(name), ORIGIN) for number, name in enumerate(read)],
        ORIGIN,
    )
    module = build(network)
    module.verify()
    (found,) = networks(module)
    return found


def ops(network: NetworkOp) -> list[type]:
    return [type(op) for op in network.body.block.ops]


def shape_of(network: NetworkOp) -> tuple[int, ...]:
    """The shape of what the first output reads."""
    (first, *_) = network.outputs.values()
    return signal_shape(first.signal)


@pytest.mark.parametrize(
    ("shape", "op", "expected"),
    [
        ((6,), Dense(ones(4, 6)), (4,)),
        ((3, 6), Dense(ones(4, 6)), (3, 4)),
        ((2, 3), Dense(ones(4, 6)), (4,)),
        ((2, 3), OneToOne(ones(6)), (2, 3)),
        ((2, 9), Conv(ones(4, 2, 3)), (4, 7)),
        ((2, 9), Conv(ones(4, 1, 3), groups=2, stride=(2,), padding=((1,), (0,)), dilation=(2,)), (4, 3)),
        ((2, 8, 9), Conv(ones(4, 2, 3, 5)), (4, 6, 5)),
        ((2, 8, 9), Conv(ones(4, 2, 2, 2), padding=((0, 0), (1, 1))), (4, 8, 9)),
        ((2, 8, 9), Pool("sum", (2, 3)), (2, 4, 3)),
        ((2, 8, 9), Pool("max", (3, 3), stride=(1, 2), padding=((1, 0), (1, 0))), (2, 8, 4)),
        ((2, 9), Pool("avg", (4,)), (2, 2)),
        ((2, 3, 4), Flatten(), (24,)),
        ((2, 3, 4), Flatten(1), (2, 12)),
        ((2, 3, 4), Flatten(0, 1), (6, 4)),
        ((2, 3, 4), Flatten(-2, -1), (2, 12)),
        ((2, 3), Slice(Indices.of([4, 1])), (2,)),
        ((2, 3), Delay(2), (2, 3)),
        ((2, 3), Delay(Value(np.arange(6), ORIGIN)), (2, 3)),
    ],
)
def test_shapes(shape: tuple[int, ...], op: Any, expected: tuple[int, ...]) -> None:
    assert shape_of(made(shape, [Transform("t", refer("x"), op, ORIGIN)])) == expected


def test_what_changes_nothing_makes_no_op() -> None:
    assert ops(made((3,), [Transform("t", refer("x"), Flatten(), ORIGIN)])) == [InputOp, OutputOp]
    assert ops(made((3,), [Transform("t", refer("x"), Delay(0), ORIGIN)])) == [InputOp, OutputOp]


def test_a_wanted_shape_is_made_of_a_matrix() -> None:
    network = made(
        (2, 3), [Transform("t", refer("x"), Dense(ones(4, 6)), ORIGIN, shape=(2, 2))], [population("p", (2, 2), "t")]
    )
    assert ops(network)[:3] == [InputOp, FlattenOp, DenseOp]
    assert shape_of(network) == (2, 2)


def test_along_the_last_dimension_nothing_is_flattened() -> None:
    network = made((3, 6), [Transform("t", refer("x"), Dense(ones(4, 6), ones(4)), ORIGIN)])
    assert ops(network) == [InputOp, DenseOp, OutputOp]


def test_flattenings_are_shared() -> None:
    dense = [Transform(name, refer("x"), Dense(ones(2, 4)), ORIGIN) for name in ("a", "b")]
    network = made((2, 2), dense, [population("p", (2,), "a", "b")])
    assert [op for op in ops(network) if op is FlattenOp] == [FlattenOp]


def test_several_inputs_of_a_transform_are_added_once() -> None:
    dense = [Transform(name, refer("x", "p"), Dense(ones(2, 2), delay=1), ORIGIN) for name in ("a", "b")]
    network = made((2,), dense, [population("p", (2,), "a", "b")])
    assert ops(network).count(AddOp) == 1


def test_spikes_into_a_population_become_a_current() -> None:
    network = made((2,), [], [population("p", (2,), "x")])
    assert ops(network)[:2] == [InputOp, ScaleOp]


def test_currents_into_a_population_stay_as_they_are() -> None:
    network = made(
        (1, 4, 4), [Transform("t", refer("x"), Pool("sum", (2, 2)), ORIGIN)], [population("p", (1, 2, 2), "t")]
    )
    assert ops(network)[1:3] == [SumPoolOp, type(network.sources["p"])]


def test_ops_stand_before_the_population_that_reads_them() -> None:
    transforms = [
        Transform("b", refer("p"), Conv(ones(1, 1, 2, 2)), ORIGIN),
        Transform("a", refer("x"), Pool("max", (2, 2)), ORIGIN),
        Transform("c", refer("a"), Conv(ones(1, 1, 1, 1)), ORIGIN),
    ]
    network = made((1, 4, 4), transforms, [population("p", (1, 2, 2), "c"), population("q", (1, 1, 1), "b")])
    names = [op.name for op in network.body.block.ops]
    assert names == ["snn.input", "snn.max_pool", "snn.conv2d", "snn.if", "snn.conv2d", "snn.if", "snn.output"]


def test_a_loop_through_any_ops_with_a_delay() -> None:
    transforms = [
        Transform("back", refer("late"), Dense(ones(2, 2)), ORIGIN),
        Transform("late", refer("p"), Delay(1), ORIGIN),
    ]
    network = made((2,), transforms, [population("p", (2,), "x", "back")])
    assert DelayOp in ops(network)


def test_inhibitory_inputs() -> None:
    network = made((2,), [], [population("p", (2,), "x", model="dual_lif", inhibitory=refer("x"))])
    op = network.sources["p"]
    assert isinstance(op, DualLifOp)
    assert (len(op.excitatory), len(op.inhibitory)) == (1, 1)


def test_sparse_synapses() -> None:
    numbers = Value(np.array([0, 1], np.int32), ORIGIN)
    op = Sparse(ones(2), numbers, numbers, delays=Value(np.array([0, 3]), ORIGIN))
    network = made((2,), [Transform("t", refer("x"), op, ORIGIN, shape=(2,))])
    (sparse,) = (op for op in network.body.block.ops if isinstance(op, SparseOp))
    assert [t.data.element for t in (sparse.sources, sparse.targets, sparse.delays) if t is not None] == ["i64"] * 3


def test_attributes_and_places_stay_on_the_op() -> None:
    mark = {"note": StringAttr("kept")}
    each = Transform("t", refer("x"), Conv(ones(1, 1, 2)), at(3), attributes=mark)
    network = made((1, 4), [each], [population("p", (1, 3), "t", attributes=mark)])
    (conv,) = (op for op in network.body.block.ops if isinstance(op, Conv1dOp))
    assert conv.attributes == mark == network.sources["p"].attributes
    assert str(conv.location) == str(at(3).location)


def test_an_output_of_several_sources_is_their_sum() -> None:
    network = Network(
        "n", 1e-3, ORIGIN, None, ORIGIN, [Input("x", (2,), ORIGIN), Input("c", (2,), ORIGIN, "f64")], [], [],
        [Output("y", refer("x", "c"), ORIGIN)], ORIGIN,
    )  # fmt: skip
    (found,) = networks(build(network))
    assert ops(found) == [InputOp, InputOp, AddOp, OutputOp]


@pytest.mark.parametrize(
    ("op", "shape", "message"),
    [
        (Dense(ones(4, 5)), (6,), r"weights are 4x5, but x -> t needs 4x6"),
        (Dense(ones(6, 4)), (6,), r"weights are 6x4, but x -> t needs"),
        (Dense(Value(2.0, ORIGIN)), (6,), r"dense weights are a matrix, not a number"),
        (Dense(ones(4, 6), ones(3)), (6,), r"bias has 3 entries, but x -> t has 4 targets"),
        (Dense(Value(np.ones((4, 6), np.int8), ORIGIN)), (6,), r"integers without a scale"),
        (OneToOne(ones(5)), (6,), r"weights has 5 entries, but x -> t has 6 targets"),
        (Conv(ones(4, 3, 3)), (2, 9), r"in 1 groups, but x -> t reads 2 channels"),
        (Conv(ones(3, 1, 3), groups=2), (2, 9), r"in 2 groups, but x -> t reads 2 channels"),
        (Conv(ones(4, 2, 3)), (2, 9, 9), r"convolves 1 dimensions and channels, but its source is 2x9x9"),
        (Conv(ones(4, 9)), (9,), r"a convolution needs output channels x input"),
        (Conv(ones(4, 2, 10)), (2, 9), r"a kernel of 10 does not fit 9"),
        (Pool("sum", (2, 2)), (2, 9), r"pools 2 dimensions and channels, but its source is 2x9"),
        (Pool("sum", (2, 10)), (2, 9, 9), r"a window of 2x10 does not fit 9x9"),
        (Flatten(2), (3, 4), r"dimensions 2 to -1 of 3x4 cannot be flattened"),
        (Slice(Indices.of([7])), (6,), r"reaches beyond the 6 neurons of 'x'"),
        (Delay(Value(np.arange(5), ORIGIN)), (6,), r"5 delays for 6 neurons of 'x'"),
        (Sparse(ones(2), ones(2), ones(2)), (6,), r"the number of targets of x -> t is unknown"),
    ],
)
def test_what_does_not_fit(op: Any, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(SnnirError, match=message):
        made(shape, [Transform("t", refer("x"), op, ORIGIN)])


@pytest.mark.parametrize(
    ("sources", "targets", "delays", "message"),
    [
        ([0, 6], [0, 0], None, r"from names neuron 6 of 6"),
        ([0, -1], [0, 0], None, r"from names neuron -1 of 6"),
        ([0, 0], [0, 3], None, r"to names neuron 3 of 3"),
        ([0, 0, 0], [0, 0], None, r"from is 3, but the weights are 2"),
        ([0, 0], [0, 0], [1], r"delays is 1, but the weights are 2"),
        ([0.0, 0.0], [0, 0], None, r"from holds no whole numbers"),
        ([0, 0], [0, 0], [0, -1], r"holds a negative number"),
    ],
)
def test_sparse_synapses_that_make_no_sense(
    sources: list[float], targets: list[int], delays: list[int] | None, message: str
) -> None:
    late = None if delays is None else Value(np.array(delays), ORIGIN)
    op = Sparse(ones(2), Value(np.array(sources), ORIGIN), Value(np.array(targets), ORIGIN), late)
    with pytest.raises(SnnirError, match=message):
        made((6,), [Transform("t", refer("x"), op, ORIGIN, shape=(3,))])


def test_shapes_that_do_not_meet() -> None:
    with pytest.raises(SnnirError, match="'x' has the shape 2x3, but 'p' has 6"):
        made((2, 3), [], [population("p", (6,), "x")])
    conv = Transform("t", refer("x"), Conv(ones(1, 1, 2)), ORIGIN, shape=(1, 9))
    with pytest.raises(SnnirError, match="x -> t makes 1x8, but 1x9 is needed"):
        made((1, 9), [conv], [population("p", (1, 9), "t")])
    both = Transform("t", refer("x", "q"), Delay(1), ORIGIN)
    with pytest.raises(SnnirError, match="'q' has the shape 3, but it is added to 'x' of 2"):
        made((2,), [both], [population("q", (3,)), population("p", (2,), "t")])


def test_what_leads_nowhere_or_comes_from_nowhere() -> None:
    lonely = Transform("t", refer("x"), Delay(1), at(5))
    with pytest.raises(SnnirError, match="nothing reads 'x -> t'") as caught:
        made((2,), [lonely], [population("p", (2,), "x")])
    assert caught.value.place == at(5).place
    with pytest.raises(SnnirError, match=r"'[^']*t' reads nothing"):
        made((2,), [Transform("t", (), Delay(1), ORIGIN)])
    with pytest.raises(SnnirError, match="there is no input or population 'z'"):
        made((2,), [], [population("p", (2,), "z")])


def test_a_cycle_without_a_population() -> None:
    ring = [Transform("a", refer("b"), Delay(1), ORIGIN), Transform("b", refer("a"), Delay(1), ORIGIN)]
    with pytest.raises(SnnirError, match=r"the cycle (a -> b -> a|b -> a -> b) has no population in it"):
        made((2,), ring, [population("p", (2,), "a")])


def test_a_zero_delay_cycle_blames_the_way_back() -> None:
    transforms = [
        Transform("forth", refer("p"), Dense(ones(2, 2)), at(7)),
        Transform("back", refer("q"), Dense(ones(2, 2)), at(9)),
    ]
    with pytest.raises(SnnirError, match="zero-delay cycle p -> q -> p") as caught:
        made((2,), transforms, [population("p", (2,), "x", "back"), population("q", (2,), "forth")])
    assert caught.value.place == at(9).place


def test_a_zero_delay_cycle_of_one_population() -> None:
    back = Transform("back", refer("p"), Dense(ones(2, 2)), at(4))
    with pytest.raises(SnnirError, match="zero-delay cycle p -> p") as caught:
        made((2,), [back], [population("p", (2,), "x", "back")])
    assert caught.value.place == at(4).place


def test_one_synapse_state_takes_no_inhibitory_input() -> None:
    with pytest.raises(SnnirError, match="if neurons have one synapse state"):
        made((2,), [], [population("p", (2,), "x", inhibitory=refer("x"))])


def test_max_pools_keep_spikes() -> None:
    network = made((1, 4), [Transform("t", refer("x"), Pool("max", (2,)), ORIGIN)])
    (pool,) = (op for op in network.body.block.ops if isinstance(op, MaxPoolOp))
    assert pool.pooled.type == network.outputs["y0"].signal.type
    assert "spike" in str(pool.pooled.type)


def test_arrays_are_named_after_their_transform() -> None:
    network = made((2, 8, 9), [Transform("deep", refer("x"), Conv(ones(4, 2, 3, 5)), ORIGIN)])
    (conv,) = (op for op in network.body.block.ops if isinstance(op, Conv2dOp))
    assert conv.weights.data.key == "deep.weight"  # pyright: ignore[reportAttributeAccessIssue]
