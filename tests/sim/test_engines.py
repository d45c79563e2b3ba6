"""All ways to run a network give the same: matrix products or events, any chunks, any batch, steps or events alone."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sim_networks import Maker, parse, population, projection

from snnir.errors import SnnirError
from snnir.semantics import Semantics
from snnir.sim import Events, Network, engine, run, simulate
from snnir.sim import convolution as convolutions
from snnir.sim import operators as operators_module
from snnir.sim import sparse as sparse_module
from snnir.sim.convolution import Conv
from snnir.sim.entry import network_of
from snnir.sim.operators import Dense, OneToOne, Shift
from snnir.sim.sparse import Sparse
from snnir.windows import Windows

SEEDS = st.integers(0, 2**32 - 1)
Arrays = dict[str, NDArray[Any]]
COSTS = (
    (operators_module, "dense_is_cheaper"),
    (convolutions, "windows_are_cheaper"),
    (sparse_module, "rows_are_cheaper"),
)
"""Where it is decided between matrix products and events."""


def made(seed: int, samples: int, steps: int, *, exact: bool) -> tuple[Network, Arrays]:
    """A random network and data for it."""
    maker = Maker(np.random.default_rng(seed), exact=exact)
    network = network_of(maker.program())
    return network, maker.inputs(network, samples, steps)


def assert_same(a: Arrays, b: Arrays) -> None:
    """Both hold the same bytes."""
    assert set(a) == set(b)
    for name, array in a.items():
        assert array.dtype == b[name].dtype
        assert array.tobytes() == b[name].tobytes(), name


@pytest.fixture
def prefer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make every cost model say yes or no to matrix products."""

    def set_to(product: bool) -> None:
        for module, name in COSTS:
            monkeypatch.setattr(module, name, Mock(return_value=product))

    return set_to


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("seed", range(15))
def test_products_and_events_give_the_same_bytes(seed: int, exact: bool, prefer: Any) -> None:
    network, inputs = made(seed, 3, 9, exact=exact)
    prefer(True)
    products = simulate(network, inputs)
    prefer(False)
    assert_same(products, simulate(network, inputs))


def test_both_ways_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Mock(return_value=False) for _ in COSTS]
    for (module, name), mock in zip(COSTS, asked, strict=True):
        monkeypatch.setattr(module, name, mock)
    for seed in range(25):
        simulate(*made(seed, 1, 3, exact=True))
    assert all(mock.called for mock in asked)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 200), st.integers(0, 4000), st.booleans())
def test_chunks_change_nothing(seed: int, elements: int, block: int, exact: bool) -> None:
    network, inputs = made(seed, 4, 11, exact=exact)
    names = list(network.populations)
    whole = run(network, inputs, voltages=names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "CHUNK_ELEMENTS", elements)
        patch.setattr(engine, "BLOCK_BYTES", block)
        patch.setattr(convolutions, "PIECE", 7)
        parts = run(network, inputs, voltages=names)
    assert_same(whole.signals, parts.signals)
    assert_same(whole.voltages, parts.voltages)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(0, 3))
def test_a_sample_does_not_depend_on_the_others(seed: int, sample: int) -> None:
    network, inputs = made(seed, 4, 8, exact=False)
    whole = simulate(network, inputs)
    alone = simulate(network, {name: array[sample : sample + 1] for name, array in inputs.items()})
    assert_same({name: array[sample : sample + 1] for name, array in whole.items()}, alone)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_a_longer_run_starts_like_a_shorter(seed: int) -> None:
    network, inputs = made(seed, 2, 12, exact=False)
    whole = simulate(network, inputs)
    short = simulate(network, {name: array[:, :5] for name, array in inputs.items()})
    assert_same({name: np.ascontiguousarray(array[:, :5]) for name, array in whole.items()}, short)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_lists_and_arrays_hold_the_same(seed: int) -> None:
    network, inputs = made(seed, 3, 9, exact=True)
    arrays = simulate(network, inputs)
    listed = {name: Events.from_array(array) for name, array in inputs.items()}
    assert_same(arrays, simulate(network, listed, engine="steps"))
    found = run(network, listed, engine="steps", lists=True).events
    assert set(found) == set(arrays)
    for name, events in found.items():
        assert np.array_equal(events.array(), arrays[name]), name


def quiet(seed: int) -> tuple[Network, dict[str, Events]]:
    """Populations that the event engine can run, in a loop, and few spikes. Factors are powers of 2: nothing rounds."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 7, 3)

    def weights(*shape: int) -> NDArray[Any]:
        return (rng.integers(-16, 60, shape) / 32).astype("f4")

    def sparse(inputs: int, targets: int) -> Sparse:
        count = int(rng.integers(1, 20))
        ends = rng.integers(0, inputs, count), rng.integers(0, targets, count)
        return Sparse(weights(count), *ends, rng.integers(0, 5, count), (targets, inputs))

    def semantics() -> Semantics:
        choose = rng.choice
        return Semantics(
            pulse="dirac",
            compare=choose(["gt", "ge"]),
            reset="subtract" if (several := bool(rng.random() < 0.5)) else "value",
            spikes=int(choose([1, 3])) if several else 1,
            floor=choose(["none", "threshold"]),
            start=choose(["zero", "half"]),
            refractory=int(choose([0, 0, 2, 5])),
            out_delay=int(choose([0, 0, 1, 3])),
        )

    def neurons(name: str, size: int, *projections: Any) -> Any:
        values = {"tau": 2e-3, "r": 2e-3, "v_reset": float(rng.choice([0.0, -0.5, 0.25]))}
        model = str(rng.choice(["if", "lif"]))
        chosen = values if model == "lif" else {"r": 1.0, "v_reset": values["v_reset"]}
        return population(name, model, chosen, semantics(), *projections)

    a, b, lines = (int(n) for n in sizes)
    first = neurons(
        "a",
        a,
        projection("x", sparse(lines, a), delay=int(rng.integers(0, 3))),
        projection("b", Dense(weights(a, b)), delay=int(rng.integers(1, 4)), scale=0.5),
    )
    second = neurons(
        "b",
        b,
        projection("a", Dense(weights(b, a)), scale=2.0 ** rng.integers(-1, 2, b)),
        projection("b", OneToOne(weights(b), b), delay=1),
        projection("x", Dense(weights(b, lines), 1)),
        projection("b", Shift(rng.integers(1, 4, b))),
    )
    network = Network("n", 1e-3, None, {"x": lines}, {"a": first, "b": second}, {"y": "b"})
    count = int(rng.integers(1, 9))
    spikes = Events.of(
        (2, 60, lines), rng.integers(0, 2, count), rng.integers(0, 60, count), rng.integers(0, lines, count)
    )
    return network, {"x": spikes}


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_events_alone_say_what_steps_say(seed: int) -> None:
    network, inputs = quiet(seed)
    steps = run(network, inputs, engine="steps", lists=True)
    events = run(network, inputs, engine="events", lists=True)
    assert (steps.engine, events.engine) == ("steps", "events")
    for name in steps.events:
        assert np.array_equal(steps.events[name].array(), events.events[name].array()), name
    assert_same(simulate(network, inputs, engine="steps"), simulate(network, inputs, engine="events"))


def test_the_quiet_networks_fire() -> None:
    assert sum(len(run(*quiet(seed), engine="events", lists=True).events["b"].step) for seed in range(25)) > 100


def test_the_engine_is_chosen() -> None:
    one = population("p", "if", {"r": 1.0}, Semantics(), projection("x", Dense(np.ones((1, 2)))))
    network = Network("n", 1e-3, None, {"x": 2}, {"p": one}, {"y": "p"})
    few = Events.of((1, 100, 2), np.array([0]), np.array([7]), np.array([0]))
    many = Events.of((1, 40, 2), np.zeros(40), np.arange(40), np.zeros(40))
    assert run(network, {"x": few}, lists=True).engine == "events"
    assert run(network, {"x": many}, lists=True).engine == "steps"
    assert run(network, {"x": few}, lists=True, voltages=["p"]).engine == "steps"
    assert run(network, {"x": few.array()}, lists=True).engine == "steps"
    assert set(simulate(network, {"x": few}, record=["p"])) == {"p"}


def test_what_events_alone_do_not_say() -> None:
    spikes = {"x": np.zeros((1, 5, 1), np.uint8)}
    one = projection("x", Dense(np.ones((1, 1))))
    leak = population("p", "lif", {"tau": 2e-3, "r": 1.0, "v_leak": 0.5}, Semantics(), one)
    readout = population("p", "li", {"tau": 2e-3, "r": 1.0}, Semantics(), one)
    single = population("p", "lif", {"tau": 2e-3, "r": 1.0}, Semantics(state="f32"), one)
    bias = population("p", "if", {"r": 1.0}, Semantics(), projection("x", Dense(np.ones((1, 1))), bias=0.5))
    for p, words in ((leak, "constant current"), (readout, "li population"), (single, "f32"), (bias, "constant")):
        network = Network("n", 1e-3, None, {"x": 1}, {"p": p}, {"y": "p"})
        with pytest.raises(SnnirError, match=words):
            run(network, spikes, engine="events")
        assert run(network, spikes).engine == "steps"


def test_a_convolution_is_what_everybody_calls_one() -> None:
    """Against scipy's correlation, plane by plane."""
    from scipy.signal import correlate2d  # noqa: PLC0415

    rng = np.random.default_rng(4)
    for groups, stride, low, high, dilation in (
        (1, (1, 1), (0, 0), (0, 0), (1, 1)),
        (2, (2, 1), (1, 2), (2, 0), (1, 1)),
        (4, (1, 3), (0, 1), (1, 1), (2, 1)),
        (1, (3, 2), (2, 2), (0, 1), (2, 3)),
    ):
        windows = Windows.of((9, 8), (3, 2), stride, low, high, dilation)
        weights = rng.integers(-5, 6, (8, 4 // groups, 3, 2)).astype("f4")
        operator = Conv(weights, 4, windows, groups)
        x = (rng.random((2, 3, 4, 9, 8)) < 0.2).astype(np.uint8)
        found = operator.apply(x.reshape(2, 3, -1), 1).reshape(2, 3, 8, *windows.result)
        kernel = np.zeros((8, 4 // groups, 2 * dilation[0] + 1, dilation[1] + 1))
        kernel[:, :, :: dilation[0], :: dilation[1]] = weights
        padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (low[0], high[0]), (low[1], high[1]))).astype(float)
        for t, s, o in np.ndindex(2, 3, 8):
            first = o // (8 // groups) * (4 // groups)
            planes: list[Any] = [
                correlate2d(padded[t, s, first + i], kernel[o, i], "valid") for i in range(4 // groups)
            ]
            expected = np.sum(planes, axis=0)[:: stride[0], :: stride[1]]
            assert np.array_equal(found[t, s, o], expected)


def test_large_weights_are_taken_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    operator = Dense(rng.normal(size=(40, 30)).astype("f4"))
    window = (rng.random((5, 2, 30)) < 0.1).astype(np.uint8)
    expected = Dense(operator.weights).apply(window, None)
    monkeypatch.setattr(operators_module, "KEPT_ELEMENTS", 50)
    assert operator.apply(window, None).tobytes() == expected.tobytes()
    assert operator.apply(0 * window, None).tobytes() == np.zeros((5, 2, 40)).tobytes()


def test_a_loop_runs_as_many_steps_at_once_as_it_can() -> None:
    text = """
        snn.network @n dt 0.001 {{
          %x = snn.input @x : !snn.signal<1, spike>
          %c = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %e = snn.scale %b by 1.0 delay {late} : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %a = snn.if @a(%c, %e) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
          %d = snn.scale %a by 1.0 delay {between} : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %b = snn.if @b(%d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, out_delay = {out}>
            : !snn.signal<1, spike>
          snn.output @y %b : !snn.signal<1, spike>
        }}"""
    for late, between, out, stride in ((3, 0, 0, 3), (0, 7, 2, 7), (0, 0, 2, 2), (1, 1, 0, 1), (5, 4, 0, 5)):
        network = parse(text.format(late=late, between=between, out=out))
        (group,) = network.groups
        assert (set(group.names), group.stride) == ({"a", "b"}, stride)
