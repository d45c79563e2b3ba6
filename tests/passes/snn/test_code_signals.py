"""Programs with codes for signals compute what they did with reals, up to the rounding of the codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plain_networks import Array, clipped, cnn, dense, emitted, mlp, module_of, number, passed, stored, tensor, values
from xdsl.dialects.builtin import ModuleOp

from snnir.activations import Coding
from snnir.dialects.attributes import SignalType, value_of
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    ClipOp,
    Conv2dOp,
    DenseOp,
    InputOp,
    NeuronOp,
    OutputOp,
    ReluOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
)
from snnir.errors import SnnirError
from snnir.indices import Indices
from snnir.passes.base import program
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.forward import Forward
from snnir.sim.entry import network_of
from snnir.sim.network import Activation


def decoded(module: ModuleOp, found: Array, name: str) -> Array:
    source = program(module).sources[name]
    assert source.coding is not None
    return source.coding.decode(found)


def bounds(module: ModuleOp) -> dict[str, Array]:
    """How far each value of a coded program may be off: half a step of its own, and what its inputs are off."""
    network = network_of(program(module))
    off: dict[str, Array] = {}
    for name, coding in network.codings.items():
        off[name] = np.full(network.inputs[name], 0.5)
        assert isinstance(coding, Coding)
    for name in (name for group in network.groups for name in group.names):
        node = network.nodes[name]
        total = np.zeros(node.size)
        for p in node.projections:
            size = network.sizes[p.source]
            unit = np.eye(size)[:, None, :][..., p.indices]
            gain = np.abs(p.operator.apply(unit.astype(np.float64), None)) * p.scale
            total += np.einsum("int,i->t", gain, off[p.source])
        step = node.coding.step if isinstance(node, Activation) and node.coding is not None else 1.0
        off[name] = total / step + 0.5 * (step != 1.0)
    return off


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits", [4, 6, 10])
@pytest.mark.parametrize("make", [mlp, cnn])
def test_outputs_are_within_the_bound_of_their_steps(make: object, bits: int, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    assert make in (mlp, cnn)
    module = mlp(rng) if make is mlp else cnn(rng)
    x = values(rng, module, 40)
    coded = passed(module, SNNCodeSignals(data=stored(tmp_path, x), bits=bits, percentile=100.0))
    before, after = emitted(module, x), emitted(coded, x)
    y = program(coded).sources["y"]
    assert y.coding is not None
    error = np.abs(decoded(coded, after["y"], "y") - before["y"]).max(axis=(0, 1))
    assert (error <= bounds(coded)["y"] * y.coding.step + 1e-9).all()
    assert error.max() > 0


@pytest.mark.parametrize("make", ["mlp", "clip", "cnn"])
@pytest.mark.parametrize("signed", ["auto", "pair", "zero"])
@pytest.mark.parametrize("lines", [1, 2])
def test_many_bits_give_the_function_back(make: str, signed: str, lines: int, tmp_path: Path) -> None:
    """Inputs and hidden values of both signs, in all ways to carry them."""
    rng = np.random.default_rng(5)
    module = cnn(rng) if make == "cnn" else mlp(rng, hidden="clip" if make == "clip" else "relu")
    x = values(rng, module, 30, low=-0.7)
    code = SNNCodeSignals(data=stored(tmp_path, x), bits=14, signed=signed, lines=lines, percentile=100.0)  # pyright: ignore[reportArgumentType]
    coded = passed(module, code)
    np.testing.assert_allclose(decoded(coded, emitted(coded, x)["y"], "y"), emitted(module, x)["y"], atol=5e-3)
    assert all(op.coding is not None for op in program(coded).sources.values())
    assert len(code.layers) == len(program(module).sources)
    assert all(layer.sqnr is not None and layer.sqnr > 50 for layer in code.layers)


def test_data_of_another_network_are_refused(tmp_path: Path) -> None:
    """As many lines, but recorded over many steps: spikes, say."""
    rng = np.random.default_rng(0)
    module = mlp(rng)
    data = stored(tmp_path, np.repeat(values(rng, module, 5), 25, axis=1))
    with pytest.raises(SnnirError, match=r"25 steps per sample, but an inference of @.* has 1") as caught:
        passed(module, SNNCodeSignals(data=data, bits=6))
    assert "data.npz" in str(caught.value)


def test_who_carries_values_of_both_signs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    module, image = mlp(rng, hidden="clip"), cnn(rng)
    names = {}
    for signed in ("auto", "pair", "zero"):
        code = SNNCodeSignals(data=stored(tmp_path, values(rng, module, 20, -1.0)), bits=6, signed=signed)  # pyright: ignore[reportArgumentType]
        names[signed] = list(program(passed(module, code)).sources)
    sides = [f"{name}.{side}" for name in "hg" for side in ("positive", "negative")]
    assert names["auto"] == ["x", *sides, "y"]
    assert names["pair"] == ["x", "x.positive", "x.negative", *sides, "y"]
    assert names["zero"] == ["x", "h", "g", "y"]
    padded = passed(image, SNNCodeSignals(data=stored(tmp_path, values(rng, image, 20, -1.0)), bits=6))
    assert list(program(padded).sources)[:3] == ["x", "x.positive", "x.negative"]


@pytest.mark.parametrize("bits", [1, 3, 5])
def test_two_lines_carry_the_code_of_twice_the_bits(bits: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    module = mlp(rng)
    x = values(rng, module, 200)
    coded = passed(module, SNNCodeSignals(data=stored(tmp_path, x), bits=bits, lines=2))
    found = emitted(coded, 1.5 * x)
    low = program(coded).sources["h.low"].coding
    assert low is not None
    arrays = network_of(program(coded))
    current = Forward(program(coded), {"x": 1.5 * x}).current(program(coded).sources["h.high"])  # pyright: ignore[reportArgumentType]
    assert arrays.activations["h.high"].coding is not None
    whole = replace(low, most=(1 << 2 * bits) - 1).encode(np.maximum(current, 0.0))
    np.testing.assert_array_equal(found["h.high"].astype(np.int64) * (1 << bits) + found["h.low"], whole)
    assert found["h.high"].max() == (1 << bits) - 1


def test_input_and_pair_stand_for_the_same_values(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    module = cnn(rng)
    x = values(rng, module, 20, low=-1.0)
    coded = passed(module, SNNCodeSignals(data=stored(tmp_path, x), bits=5))
    found = emitted(coded, x)
    step = program(coded).sources["x.positive"].coding
    assert step is not None
    pair = step.step * (found["x.positive"].astype(np.float64) - found["x.negative"])
    np.testing.assert_allclose(pair, decoded(coded, found["x"], "x"), atol=1e-12)
    assert (np.minimum(found["x.positive"], found["x.negative"]) == 0).all()


def _all_ops(rng: np.random.Generator) -> ModuleOp:
    """Every linear op between populations; one population is read by an output and by others."""
    x = InputOp("x", SignalType.current(2, 4, 4))
    a = Conv2dOp(x, tensor("a", rng.normal(size=(2, 2, 2, 2))))
    sums, means = SumPoolOp(x, (2, 2), (1, 1)), AvgPoolOp(x, (2, 2), (1, 1))
    h = ReluOp("h", [a, sums, means], SignalType.current(2, 3, 3))
    pool = SumPoolOp(h, (2, 2), (1, 1))
    mean = AvgPoolOp(h, (2, 2), (1, 1))
    both = AddOp(pool, mean)
    integers = tensor("i", rng.integers(-3, 4, (3, 8)).astype(np.int8))
    flat = SliceOp(both.total, Indices.span(0, 8))
    b = DenseOp(flat, integers, SignalType.current(3), scale=tensor("i.scale", np.array([0.25, 0.5, 0.125])))
    part = SliceOp(h.signal, Indices.span(0, 3))
    sparse = SparseOp(
        part,
        tensor("s", rng.normal(size=3)),
        tensor("s.from", np.array([0, 1, 2])),
        tensor("s.to", np.array([2, 0, 0])),
        SignalType.current(3),
        bias=tensor("s.bias", rng.normal(size=3)),
    )
    total = AddOp(b, sparse, part)
    g = clipped("g", total, 2.0)
    late = dense(rng, g, "d", 2)
    y = clipped("y", late, 100.0)
    ops = [x, a, sums, means, h, pool, mean, both, flat, b, part, sparse, total, g, late, y]
    return module_of(*ops, OutputOp("scores", y), OutputOp("inner", g))


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_all_linear_ops(low: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    module = _all_ops(rng)
    x = values(rng, module, 25, low)
    coded = passed(module, SNNCodeSignals(data=stored(tmp_path, x), bits=14, signed="zero", percentile=100.0))
    before, after = emitted(module, x), emitted(coded, x)
    for name in "gy":
        np.testing.assert_allclose(decoded(coded, after[name], name), before[name], atol=2e-2)
    # an output and others read g: the output its codes with a sign, the others what they can carry
    assert {"g", "g.hidden"} <= set(program(coded).sources)


def test_small_values_of_a_clip_use_all_codes(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.current(1))
    c = ScaleOp(x, number(1.0), SignalType.current(1))
    h = ClipOp("h", [c], SignalType.current(1), {"low": number(0.0), "high": number(6.0)})
    d = ScaleOp(h, number(1.0), SignalType.current(1))
    y = clipped("y", d, 10.0)
    module = module_of(x, c, h, d, y, OutputOp("s", y))
    data = np.linspace(0.0, 30.0, 40).reshape(-1, 1, 1)
    coded = passed(module, SNNCodeSignals(data=stored(tmp_path, data), bits=4))
    step = value_of(program(coded).sources["h"].properties["step"])
    assert float(np.asarray(step)) <= 6.0 / 15


def test_evaluation_is_that_of_the_simulator(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    for module in (mlp(rng, hidden="clip"), cnn(rng), _all_ops(rng)):
        x = values(rng, module, 30, low=-1.0)
        coded = passed(module, SNNCodeSignals(data=stored(tmp_path, x), bits=5, signed="zero"))
        for each in (module, coded):
            network, found = program(each), emitted(each, x)
            forward = Forward(network, {"x": x})
            for name, source in network.sources.items():
                np.testing.assert_allclose(forward.signal(source.signal), found[name], atol=1e-9)


def test_codes_and_spikes_stay(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    module = mlp(rng)
    data = stored(tmp_path, values(rng, module, 10))
    coded = passed(module, SNNCodeSignals(data=data, bits=6))
    assert str(passed(coded, SNNCodeSignals(data="none.npz"))) == str(coded)
    assert str(passed(module, SNNCodeSignals(data=data, bits=6))) == str(coded)


def test_populations_that_no_code_fits(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    module = mlp(rng)
    data = stored(tmp_path, values(rng, module, 10))
    with pytest.raises(SnnirError, match="no precision for signals"):
        passed(module, SNNCodeSignals(data=data))
    with pytest.raises(SnnirError, match="3 lines"):
        passed(module, SNNCodeSignals(data=data, bits=4, lines=3))
    (y,) = (op for op in program(module).sources.values() if isinstance(op, NeuronOp) and op.size == 3)
    assert y.sym_name.data == "y"
