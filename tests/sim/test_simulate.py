"""The program simulator against a plain loop, against recorded references, and against hand-computed spikes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import naive_simulate
from numpy.typing import NDArray
from sim_networks import Maker, parse, population, projection
from xdsl.ir import SSAValue

from snnir.dialects.snn import NetworkOp, NeuronOp, SparseOp
from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn.reader import read
from snnir.semantics import CHOICES, SPIKING, Semantics
from snnir.sim import Network, chunks, run, simulate
from snnir.sim.data import read_spikes
from snnir.sim.entry import network_in, network_of
from snnir.sim.operators import Dense

SEEDS = st.integers(0, 2**32 - 1)
STEPS = 7


Case = tuple[NetworkOp, Network, dict[str, NDArray[Any]]]


def made(seed: int, *, exact: bool = True, whole: bool = False) -> Case:
    """A random program and data for it."""
    maker = Maker(np.random.default_rng(seed), exact=exact, whole=whole)
    op = maker.program()
    network = network_of(op)
    return op, network, maker.inputs(network, 2, STEPS)


def assert_same_as_the_loop(case: Case) -> Counter[Any]:
    """Run a random program both ways; every signal and every voltage must agree bit by bit."""
    op, network, inputs = case
    expected = naive_simulate(op, inputs)
    found = run(network, inputs, voltages=list(network.populations))
    for name in op.sources:
        assert np.array_equal(found.signals[name], expected[name]), f"signal {name}"
        if name in network.populations:
            voltages = found.voltages[name]
            assert np.array_equal(voltages, expected[f"{name}.v"].astype(voltages.dtype)), f"v of {name}"
    return Counter("spikes" if found.signals[name].any() else "silence" for name in network.populations)


@settings(max_examples=50, deadline=None)
@given(SEEDS)
def test_the_loop_says_the_same(seed: int) -> None:
    assert_same_as_the_loop(made(seed))


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_the_loop_says_the_same_where_sums_round(seed: int) -> None:
    assert_same_as_the_loop(made(seed, exact=False))


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_loop_says_the_same_in_integers(seed: int) -> None:
    case = made(seed, whole=True)
    try:
        assert_same_as_the_loop(case)
    except SnnirError as error:
        assert "32 bits" in str(error)
        op, _, inputs = case
        assert max(np.abs(v).max(initial=0) for v in naive_simulate(op, inputs).values()) > 2**28


def test_the_random_networks_cover_everything() -> None:
    seen: Counter[Any] = Counter()
    for seed in range(100):
        case = made(seed)
        op = case[0]
        seen.update(assert_same_as_the_loop(case))
        for each in op.body.block.ops:
            seen[each.name] += 1
            if isinstance(each, NeuronOp):
                seen.update((each.MODEL, name, value) for name, value in vars(each.semantics.data).items())
            if isinstance(each, SparseOp):
                seen["delays"] += each.delays is not None
            seen["input of several"] += isinstance(each, NeuronOp) and len(each.inputs) > 1
            seen["loop"] += any(reads(value, each.results[0], set()) for value in each.operands) if each.results else 0
    missing = {
        (model, field, value)
        for model in SPIKING
        for field in ("decay", "pulse", "order", "compare", "reset")
        for value in CHOICES[field]
        if value != "int12"
    } - set(seen)
    assert not missing
    ops = [
        "dense",
        "scale",
        "conv1d",
        "conv2d",
        "sum_pool",
        "avg_pool",
        "max_pool",
        "sparse",
        "flatten",
        "slice",
        "add",
        "delay",
    ]
    ops += ["if", "lif", "cuba_lif", "dual_lif", "threshold", "li", "cuba_li", "integrator", "input", "output"]
    assert not {f"snn.{name}" for name in ops} - set(seen)
    assert min(seen[what] for what in ("delays", "input of several", "loop", "silence")) > 5
    assert seen["spikes"] > 5 * seen["silence"]


def reads(value: SSAValue, wanted: SSAValue, seen: set[SSAValue]) -> bool:
    """Whether a signal depends on another."""
    if value == wanted or value in seen:
        return value == wanted
    seen.add(value)
    owner: Any = value.owner
    return any(reads(each, wanted, seen) for each in owner.operands)


@pytest.mark.parametrize("name", ["digits", "digits_recurrent"])
def test_recorded_references(samples: Path, name: str) -> None:
    folder = samples / "digits"
    module = read(folder / f"{name}.snn", FrontendOptions())
    found = simulate(network_of(network_in(module, name)), read_spikes(folder / "test_spikes.npz"))
    with np.load(folder / f"reference_{name}.npz") as reference:
        assert set(reference.files) == {"hidden", "out"}
        for each in reference.files:
            size = found[each].shape[2]
            expected = np.unpackbits(reference[each], axis=-1, count=size)
            assert expected.shape == (360, 25, size)
            assert expected.any()
            assert int((found[each] != expected).sum()) == 0


@pytest.mark.parametrize(
    ("using", "expected"),
    [
        # v after input 1, 1, 1, 1 with weight 0.5: threshold 1 is reached in step 1, exceeded in step 2
        ("nir", [0, 0, 1, 0]),
        ("nir, compare = ge", [0, 1, 0, 1]),
        ("nir, reset = subtract", [0, 0, 1, 0]),
        ("nir, compare = ge, reset = subtract", [0, 1, 0, 1]),
        ("nir, compare = ge, out_delay = 1", [0, 0, 1, 0]),
        ("nir, compare = ge, refractory = 1", [0, 1, 0, 0]),
        ("nir, compare = ge, out_delay = 9", [0, 0, 0, 0]),
    ],
)
def test_integrate_and_fire_by_hand(using: str, expected: list[int]) -> None:
    assert one_neuron(f"by 0.5, snn.if, (r = 1.0, threshold = 1.0, v_reset = 0.0) using <{using}>") == expected


def one_neuron(text: str, steps: int = 4) -> list[int]:
    """The output of one neuron with an input spike in every step."""
    weight, model, parameters = text.split(", ", 2)
    network = parse(f"""
        snn.network @n dt 0.001 {{
          %x = snn.input @x : !snn.signal<1, spike>
          %c = snn.scale %x {weight} : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %s = {model} @s(%c) with {parameters} : !snn.signal<1, spike>
          snn.output @y %s : !snn.signal<1, spike>
        }}""")
    return simulate(network, {"x": np.ones((1, steps, 1), np.uint8)})["s"].ravel().tolist()


def test_several_spikes_by_hand() -> None:
    parameters = "(r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, compare = ge, reset = subtract, spikes = {}>"
    # v: 2.5 gives 2 and leaves 0.5; 3.0 gives 3 and leaves 0; ...
    assert one_neuron(f"by 2.5, snn.if, {parameters.format(255)}") == [2, 3, 2, 3]
    # at most 2: 2.5 -> 2, 0.5 left; 3.0 -> 2, 1.0 left; 3.5 -> 2, 1.5 left; 4.0 -> 2
    assert one_neuron(f"by 2.5, snn.if, {parameters.format(2)}") == [2, 2, 2, 2]


def test_late_subtraction_by_hand() -> None:
    # weight 2.5: 2.5 fires; 2.5 + 2.5 - 1 = 4.0 fires; then 3.0, 2.0 fire, and 1.0 does not and stays
    text = "(r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, reset = subtract_late>"
    network = parse(f"""
        snn.network @n dt 0.001 {{
          %x = snn.input @x : !snn.signal<1, spike>
          %c = snn.scale %x by 2.5 : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %s = snn.if @s(%c) with {text} : !snn.signal<1, spike>
          snn.output @y %s : !snn.signal<1, spike>
        }}""")
    spikes = np.array([1, 1, 0, 0, 0, 0], np.uint8).reshape(1, 6, 1)
    found = run(network, {"x": spikes}, voltages=["s"])
    assert found.voltages["s"].ravel().tolist() == [2.5, 4.0, 3.0, 2.0, 1.0, 1.0]
    assert found.signals["s"].ravel().tolist() == [1, 1, 1, 1, 0, 0]


def test_repeated_subtraction_by_hand() -> None:
    # weight 2.5: v = 2.5 fires, 1.5 left, which is still above: lowered again before the next comparison
    # 1.5 - 1 + 2.5 = 3.0 fires (its reset was taken), 3.0 left; 3.0 - 1 + 2.5 = 4.5
    text = "(r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, reset = subtract_repeat>"
    network = parse(f"""
        snn.network @n dt 0.001 {{
          %x = snn.input @x : !snn.signal<1, spike>
          %c = snn.scale %x by 2.5 : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %s = snn.if @s(%c) with {text} : !snn.signal<1, spike>
          snn.output @y %s : !snn.signal<1, spike>
        }}""")
    spikes = np.array([1, 1, 0, 0, 0, 0, 0], np.uint8).reshape(1, 7, 1)
    found = run(network, {"x": spikes}, voltages=["s"])
    # after step 1: 3.0, still above; 2.0 fires and stays; 1.0 does not fire: the subtraction is given back: 2.0; ...
    assert found.voltages["s"].ravel().tolist() == [2.5, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0]
    assert found.signals["s"].ravel().tolist() == [1, 1, 1, 0, 0, 0, 0]


def test_cuba_lif_by_hand() -> None:
    # i: 0.5, 0.25 (one input spike of weight 1, factors 1/2); v = v / 2 + i / 2
    # synapse first: v = 0.25, 0.25, ...; membrane first sees i one step late: v = 0, 0.25, 0.25
    for order, expected in (("syn_first", [1, 0, 0, 0]), ("mem_first", [0, 1, 0, 0])):
        network = parse(f"""
            snn.network @n dt 0.001 {{
              %x = snn.input @x : !snn.signal<1, spike>
              %c = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
              %s = snn.cuba_lif @s(%c) with (tau_syn = 0.002, tau_mem = 0.002, r = 1.0, v_leak = 0.0,
                threshold = 0.24, v_reset = 0.0, w_in = 1.0) using <nir, order = {order}> : !snn.signal<1, spike>
              snn.output @y %s : !snn.signal<1, spike>
            }}""")
        spikes = np.zeros((1, 4, 1), np.uint8)
        spikes[0, 0] = 1
        assert simulate(network, {"x": spikes})["s"].ravel().tolist() == expected, order


def test_delays_start_silent_and_carry_nothing_from_sample_to_sample() -> None:
    network = parse("""
        snn.network @n dt 0.001 {
          %x = snn.input @x : !snn.signal<1, spike>
          %d = snn.delay %x by 2 : !snn.signal<1, spike>
          %c = snn.scale %d by 1.0 delay 1 : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %s = snn.if @s(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, compare = ge>
            : !snn.signal<1, spike>
          snn.output @y %s : !snn.signal<1, spike>
        }""")
    spikes = np.array([[1, 0, 1, 1, 1], [0, 0, 0, 0, 0]], np.uint8)[..., None]
    assert simulate(network, {"x": spikes})["s"][..., 0].tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]
    assert simulate(network, {"x": spikes[:, :2]})["s"].sum() == 0


def test_a_delayed_current_is_silent_at_first_bias_included() -> None:
    network = parse("""
        snn.network @n dt 0.001 {
          %x = snn.input @x : !snn.signal<1, spike>
          %c = snn.scale %x by 1.0 bias #snn.tensor<"b", 1xf64, [0.25]> delay 1
            : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %d = snn.delay %c by 2 : !snn.signal<1, f64>
          %v = snn.integrator @v(%d) with (r = 1.0) using <nir> : !snn.signal<1, f64>
          %w = snn.integrator @w(%c) with (r = 1.0) using <nir> : !snn.signal<1, f64>
          snn.output @late %d : !snn.signal<1, f64>
          snn.output @now %c : !snn.signal<1, f64>
        }""")
    found = simulate(network, {"x": np.array([1, 0, 0, 0, 0], np.uint8).reshape(1, 5, 1)})
    assert found["late"].ravel().tolist() == [0, 0, 0.25, 1.25, 0.25]
    assert found["now"].ravel().tolist() == [0.25, 1.25, 0.25, 0.25, 0.25]
    assert found["v"].ravel().tolist() == [0, 0, 0.25, 1.5, 1.75]
    assert found["w"].ravel().tolist() == [0.25, 1.5, 1.75, 2.0, 2.25]
    assert found["v"].dtype == np.float64
    assert network.outputs == {"late": "late", "now": "now"}


INTEGERS = "(tau = 0.002, r = 2.0, v_leak = 0.0, threshold = 5.0, v_reset = 0.0)"


def integer_neuron(weight: float) -> Network:
    """One integer neuron behind one input."""
    return parse(f"""
        snn.network @n dt 0.001 {{
          %x = snn.input @x : !snn.signal<1, spike>
          %c = snn.scale %x by {weight} : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %s = snn.lif @s(%c) with {INTEGERS} using <nir, decay = int12, state = i32> : !snn.signal<1, spike>
          snn.output @y %s : !snn.signal<1, spike>
        }}""")


def test_integers_are_cut_towards_zero() -> None:
    found = run(integer_neuron(-3.0), {"x": np.ones((1, 6, 1), np.uint8)}, voltages=["s"])
    assert found.voltages["s"].ravel().tolist() == [-3, -4, -5, -5, -5, -5]  # -4 / 2 - 3 = -5, -5 / 2 -> -2
    assert found.voltages["s"].dtype == np.int64


@pytest.mark.parametrize(
    ("weight", "words"),
    [(0.5, "whole numbers of 32 bits"), (2.0**31, "whole numbers of 32 bits"), (-1.2e9, "leaves 32 bits in step 3")],
)
def test_integers_that_do_not_fit_are_refused(weight: float, words: str) -> None:
    with pytest.raises(SnnirError, match=words):
        simulate(integer_neuron(weight), {"x": np.ones((1, 6, 1), np.uint8)})


def test_single_precision_is_single_precision() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.2, (3, 20)).astype("f4")
    semantics = Semantics(state="f32", decay="exp")
    single = population(
        "p", "lif", {"tau": 0.004, "r": 1.0, "v_leak": 0.1}, semantics, projection("x", Dense(weights), bias=0.3)
    )
    network = Network("n", 1e-3, None, {"x": 20}, {"p": single}, {"y": "p"})
    spikes = (rng.random((1, 50, 20)) < 0.3).astype(np.uint8)
    found = run(network, {"x": spikes}, voltages=["p"]).voltages["p"]
    c, f = single.coefficients, np.float32
    v = np.zeros(3, f)
    for t in range(50):
        total = np.zeros(3)
        for n in np.flatnonzero(spikes[0, t]):
            total += weights[:, n]
        v = f(c.decay) * v + f(c.gain) * (total + 0.3).astype(f) + f(c.drift)
        assert found[0, t].tolist() == v.tolist()
        v = np.where(v > f(c.threshold), f(c.v_reset), v).astype(f)
    assert found.dtype == f


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "no array 'x0'"),
        ({"x0": np.zeros((1, 2), np.uint8)}, r"shape \(1, 2\) for 2 lines\n  fix: give \(samples, steps, 2\)"),
        ({"x0": np.zeros((1, 2, 3), np.uint8)}, "for 2 lines"),
        ({"x0": np.zeros((0, 2, 2), np.uint8)}, r"shape \(0, 2, 2\)"),
        ({"x0": np.full((1, 2, 2), 256, np.int32)}, "0 or 1, or small counts, but the data is int32 from 256 to 256"),
        ({"x0": np.full((1, 2, 2), -1, np.int8)}, "from -1 to -1"),
        ({"x0": np.zeros((1, 2, 2))}, "float64 from 0 to 0"),
        ({"x0": np.full((1, 2, 2), "a")}, "type <U1"),
    ],
)
def test_inputs_that_do_not_fit(inputs: dict[str, NDArray[Any]], message: str) -> None:
    one = population("p", "if", {"r": 1.0}, Semantics(), projection("x0", Dense(np.ones((1, 2)))))
    network = Network("n", 1e-3, None, {"x0": 2}, {"p": one}, {"y": "p"})
    with pytest.raises(SnnirError, match=message):
        simulate(network, inputs)


def test_inputs_that_do_not_fit_each_other() -> None:
    one = population("p", "if", {"r": 1.0}, Semantics(), projection("x0", Dense(np.ones((1, 2)))))
    network = Network("n", 1e-3, None, {"x0": 2, "x1": 1}, {"p": one}, {"y": "p"}, real_inputs=frozenset({"x1"}))
    with pytest.raises(SnnirError, match="differ in samples or steps"):
        simulate(network, {"x0": np.zeros((1, 2, 2), np.uint8), "x1": np.zeros((1, 3, 1))})
    with pytest.raises(SnnirError, match="not finite"):
        simulate(network, {"x0": np.zeros((1, 2, 2), np.uint8), "x1": np.full((1, 2, 1), np.nan)})
    found = simulate(network, {"x0": np.zeros((1, 2, 2), np.uint8), "x1": np.ones((1, 2, 1), np.int8)})
    assert found["x1"].dtype == np.float64


def test_what_is_recorded() -> None:
    one = population("p", "if", {"r": 1.0}, Semantics(), projection("x", Dense(np.ones((1, 2)))))
    network = Network("n", 1e-3, None, {"x": 2}, {"p": one}, {"y": "p"})
    spikes = np.ones((5, 3, 2), np.uint8)
    assert set(simulate(network, {"x": spikes})) == {"x", "p"}
    assert set(simulate(network, {"x": spikes}, record=["p"])) == {"p"}
    assert run(network, {"x": spikes}, record=[], voltages=["p"]).voltages["p"].shape == (5, 3, 1)
    with pytest.raises(SnnirError, match="there are x, p"):
        run(network, {"x": spikes}, record=["q"])
    with pytest.raises(SnnirError, match="there are p"):
        run(network, {"x": spikes}, voltages=["x"])
    done: list[tuple[int, int]] = []
    simulate(network, {"x": spikes}, progress=lambda count, total: done.append((count, total)))
    assert done[-1] == (15, 15)
    whole = simulate(network, {"x": spikes})
    parts = list(chunks(network, {"x": spikes}))
    assert np.array_equal(np.concatenate([part["p"] for _, part in parts]), whole["p"])


def test_results_that_nobody_can_hold() -> None:
    one = population("p", "if", {"r": 1.0}, Semantics(), projection("x", Dense(np.ones((10**7, 1), np.int8))))
    network = Network("n", 1e-3, None, {"x": 1}, {"p": one}, {"y": "p"})
    with pytest.raises(SnnirError, match="GB\n  fix: record fewer signals"):
        simulate(network, {"x": np.ones((1, 10**4, 1), np.uint8)})
