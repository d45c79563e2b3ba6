"""Every NIR primitive, run by the simulator and compared with its formula written out in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nir_files import DT, Floats, chain, cuba, filled, lif, nir, rain, run, sink, source, spiking, written
from numpy.typing import NDArray

STEPS = 12


def through(folder: Path, node: Any, before: tuple[int, ...], after: tuple[int, ...], x: NDArray[Any]) -> Floats:
    """What one node makes of an input."""
    path = written(folder / "net.nir", {"a": source(*before), "n": node, "o": sink(*after)}, chain("a", "n", "o"))
    return run(path, {"a": x}, dt=DT)["o"].reshape(len(x), *after)


def test_linear_and_affine(tmp_path: Path) -> None:
    """W x, and W x + b in every step."""
    x, w, b = rain(1, STEPS, 4), np.arange(12.0).reshape(3, 4) - 5, np.array([0.5, -1.0, 2.0])
    np.testing.assert_array_equal(through(tmp_path, nir.Linear(weight=w), (4,), (3,), x), x @ w.T)
    np.testing.assert_array_equal(through(tmp_path, nir.Affine(weight=w, bias=b), (4,), (3,), x), x @ w.T + b)


def test_matrices_act_on_the_last_dimension(tmp_path: Path) -> None:
    x, w, b = rain(2, STEPS, 2, 3, 4), np.arange(20.0).reshape(5, 4), np.arange(5.0)
    found = through(tmp_path, nir.Affine(weight=w, bias=b), (2, 3, 4), (2, 3, 5), x)
    np.testing.assert_array_equal(found, np.einsum("tabi,oi->tabo", x, w) + b)


def test_one_matrix_for_each_entry(tmp_path: Path) -> None:
    """A weight of three dimensions: one matrix for each row of the signal."""
    x, w, b = rain(3, STEPS, 2, 4), np.arange(24.0).reshape(2, 3, 4), np.arange(3.0)
    found = through(tmp_path, nir.Affine(weight=w, bias=b), (2, 4), (2, 3), x)
    np.testing.assert_array_equal(found, np.einsum("tki,koi->tko", x, w) + b)
    found = through(tmp_path, nir.Linear(weight=w), (2, 4), (2, 3), x)
    np.testing.assert_array_equal(found, np.einsum("tki,koi->tko", x, w))


def test_scale(tmp_path: Path) -> None:
    x, s = rain(4, STEPS, 2, 3), np.arange(6.0).reshape(2, 3) - 2.5
    np.testing.assert_array_equal(through(tmp_path, nir.Scale(scale=s), (2, 3), (2, 3), x), x * s)
    np.testing.assert_array_equal(through(tmp_path, nir.Scale(scale=np.full((2, 3), 2.0)), (2, 3), (2, 3), x), x * 2)


def convolved(
    x: NDArray[Any],
    weight: NDArray[Any],
    bias: NDArray[Any],
    stride: Sequence[int],
    low: Sequence[int],
    high: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Floats:
    """Cross-correlation with explicit loops: (steps, channels, *space) -> (steps, channels, *space)."""
    n = len(stride)
    padded = np.pad(x.astype(float), [(0, 0), (0, 0), *zip(low, high, strict=True)])
    kernel = weight.shape[2:]
    size = [
        (p - d * (k - 1) - 1) // s + 1 for p, k, s, d in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    ]
    result = np.zeros((len(x), weight.shape[0], *size))
    per_group = weight.shape[0] // groups
    for channel in range(weight.shape[0]):
        first = channel // per_group * weight.shape[1]
        for place in product(*map(range, size)):
            total = np.full(len(x), bias[channel])
            for inner in range(weight.shape[1]):
                for offset in product(*map(range, kernel)):
                    at = tuple(place[i] * stride[i] + offset[i] * dilation[i] for i in range(n))
                    total += weight[channel, inner, *offset] * padded[:, first + inner, *at]
            result[:, channel, *place] = total
    return result


CONVOLUTIONS: list[tuple[str, dict[str, Any], tuple[int, int], tuple[int, ...]]] = [
    # what, settings, channels in and out, kernel
    ("plain", {}, (2, 3), (3, 3)),
    ("3x5 kernel", {}, (2, 2), (3, 5)),
    ("1x4 kernel with padding", {"padding": (2, 1)}, (1, 2), (1, 4)),
    ("stride", {"stride": (2, 3), "padding": 1}, (2, 2), (3, 2)),
    ("dilation", {"dilation": (2, 1), "padding": (0, 2)}, (2, 2), (3, 3)),
    ("depthwise", {"groups": 4, "padding": 1}, (4, 4), (3, 3)),
    ("groups", {"groups": 2, "stride": 2}, (4, 6), (2, 3)),
    ("valid", {"padding": "valid"}, (2, 2), (3, 3)),
    ("same", {"padding": "same"}, (2, 2), (3, 5)),
    ("same, even kernel", {"padding": "same"}, (1, 2), (4, 2)),
    ("same, dilated", {"padding": "same", "dilation": 2}, (1, 1), (3, 2)),
    ("same with stride", {"padding": "same", "stride": 2}, (2, 3), (3, 4)),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=lambda case: case[0])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_convolutions(
    tmp_path: Path, case: tuple[str, dict[str, Any], tuple[int, int], tuple[int, ...]], dimensions: int
) -> None:
    """Conv1d uses the second dimension of each case."""
    _, given, (channels, out), kernel = case

    def each(value: Any) -> tuple[int, ...]:
        return (value,) * dimensions if isinstance(value, int) else tuple(value)[2 - dimensions :]

    kernel = each(kernel)
    size = (7, 8)[2 - dimensions :]
    stride, dilation = each(given.get("stride", 1)), each(given.get("dilation", 1))
    padding, groups = given.get("padding", 0), given.get("groups", 1)
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        low, high = [t // 2 for t in total], [t - t // 2 for t in total]
    else:
        low = high = each(0 if padding == "valid" else padding)
    stored = padding if isinstance(padding, str) else low if dimensions == 2 else low[0]
    generator = np.random.default_rng(5)
    weight, bias = generator.integers(-3, 4, (out, channels // groups, *kernel)).astype(float), np.arange(out) - 0.5
    single = dimensions == 1
    node = (nir.Conv1d if single else nir.Conv2d)(
        input_shape=size[0] if single else size,
        weight=weight,
        stride=stride[0] if single else stride,
        padding=stored,
        dilation=dilation[0] if single else dilation,
        groups=groups,
        bias=bias,
    )
    x = rain(6, 4, channels, *size)
    expected = convolved(x, weight, bias, stride, low, high, dilation, groups)
    found = through(tmp_path, node, (channels, *size), expected.shape[1:], x)
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    groups=st.integers(1, 3),
    wide=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_random_convolutions(
    tmp_path: Path,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    wide: tuple[int, int],
) -> None:
    """Those that fit are computed; the shape is the one of PyTorch's formula."""
    if any(s + 2 * p < d * (k - 1) + 1 for s, p, d, k in zip(size, padding, dilation, kernel, strict=True)):
        return
    generator = np.random.default_rng(0)
    weight = generator.integers(-3, 4, (wide[1] * groups, wide[0], *kernel)).astype(np.float32)
    bias = generator.integers(-3, 4, len(weight)).astype(np.float32)
    node = nir.Conv2d(
        input_shape=size, weight=weight, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias
    )
    x = rain(7, 3, wide[0] * groups, *size, rate=0.6)
    expected = convolved(x, weight, bias, stride, padding, padding, dilation, groups)
    np.testing.assert_array_equal(through(tmp_path, node, x.shape[1:], expected.shape[1:], x), expected)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [((2, 2), (2, 2), (0, 0)), ((3, 2), (2, 1), (1, 0)), ((2, 3), (1, 3), (1, 1)), ((1, 4), (2, 2), (0, 2))],
)
@pytest.mark.parametrize("kind", ["SumPool2d", "AvgPool2d"])
def test_pools(
    tmp_path: Path, kind: str, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> None:
    """The average counts the padding: it is the sum divided by kernel height times width."""
    x = rain(8, 5, 3, 6, 7)
    ones = np.eye(3)[:, :, None, None] * np.ones(kernel)
    expected = convolved(x, ones, np.zeros(3), stride, padding, padding, (1, 1), 1)
    expected = expected / np.prod(kernel) if kind == "AvgPool2d" else expected
    node = getattr(nir, kind)(kernel_size=np.array(kernel), stride=np.array(stride), padding=np.array(padding))
    np.testing.assert_allclose(through(tmp_path, node, (3, 6, 7), expected.shape[1:], x), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("start", "end", "after"),
    [(0, -1, (24,)), (1, -1, (2, 12)), (0, 1, (6, 4)), (1, 1, (2, 3, 4)), (-2, -1, (2, 12)), (0, 2, (24,))],
)
def test_flatten(tmp_path: Path, start: int, end: int, after: tuple[int, ...]) -> None:
    x = rain(9, STEPS, 2, 3, 4)
    node = nir.Flatten(input_type={"input": np.array([2, 3, 4])}, start_dim=start, end_dim=end)
    np.testing.assert_array_equal(through(tmp_path, node, (2, 3, 4), after, x), x.reshape(STEPS, *after))


def test_delay(tmp_path: Path) -> None:
    """y(t) = x(t - delay), per element; nothing before the start."""
    x, delays = rain(10, STEPS, 2, 2), np.array([[0.0, 1e-3], [3e-3, 7e-3]])
    expected = np.zeros(x.shape)
    for index, delay in np.ndenumerate(np.rint(delays / DT).astype(int)):
        expected[delay:, *index] = x[: STEPS - delay, *index]
    np.testing.assert_array_equal(through(tmp_path, nir.Delay(delay=delays), (2, 2), (2, 2), x), expected)
    uniform = through(tmp_path, nir.Delay(delay=np.full((2, 2), 2e-3, np.float32)), (2, 2), (2, 2), x)
    np.testing.assert_array_equal(uniform, np.concatenate([np.zeros((2, 2, 2)), x[:-2]]))


def euler(model: str, values: dict[str, Floats], x: NDArray[Any]) -> Floats:
    """Forward Euler of NIR's equations, step by step: (steps, neurons) of spikes, or of v where there are none."""
    v, i = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    result = np.zeros(x.shape)
    for t, current in enumerate(x):
        if model == "Threshold":
            v = current
        elif model in ("I", "IF"):
            v = v + values["r"] * current
        else:
            if "Cuba" in model:
                i = i + DT / values["tau_syn"] * (values["w_in"] * current - i)
                current = i  # noqa: PLW2901
            tau = values["tau_mem" if "Cuba" in model else "tau"]
            v = v + DT / tau * (values["v_leak"] - v + values["r"] * current)
        if "threshold" not in values and "v_threshold" not in values:
            result[t] = v
            continue
        spikes = v > values["threshold" if model == "Threshold" else "v_threshold"]
        result[t] = spikes
        if model != "Threshold":
            v = np.where(spikes, values["v_reset"], v)
    return result


NEURONS: dict[str, dict[str, Any]] = {
    "I": {"r": [0.5, -1.0, 2.0]},
    "IF": {"r": [0.5, 1.0, 0.3], "v_threshold": [0.9, 1.5, 1.0], "v_reset": [0.0, 0.25, -0.5]},
    "LI": {"tau": [5e-3, 4e-3, 3e-3], "r": [1.0, 2.0, 3.0], "v_leak": [0.0, 0.5, -0.5]},
    "LIF": {
        "tau": [5e-3, 4e-3, 3e-3],
        "r": [5.0, 6.0, 7.0],
        "v_leak": [0.0, 0.1, 1.5],
        "v_threshold": [0.9, 1.0, 1.1],
        "v_reset": [0.0, 0.25, -0.5],
    },
    "CubaLI": {
        "tau_syn": [2e-3, 3e-3, 4e-3],
        "tau_mem": [5e-3, 4e-3, 3e-3],
        "r": [1.0, 2.0, 3.0],
        "v_leak": [0.0, 0.5, -0.5],
        "w_in": [1.0, 2.0, -3.0],
    },
    "CubaLIF": {
        "tau_syn": [2e-3, 3e-3, 4e-3],
        "tau_mem": [5e-3, 4e-3, 3e-3],
        "r": [5.0, 6.0, 7.0],
        "v_leak": [0.0, 0.1, 1.5],
        "v_threshold": [0.5, 0.6, 0.7],
        "v_reset": [0.0, 0.25, -0.5],
        "w_in": [2.0, 3.0, 1.0],
    },
    "Threshold": {"threshold": [0.5, 1.0, -0.5]},
}


@pytest.mark.parametrize("model", NEURONS)
@pytest.mark.parametrize("uniform", [False, True])
def test_neurons(tmp_path: Path, model: str, uniform: bool) -> None:
    """Per neuron and uniform parameters, by forward Euler."""
    values = {name: np.full(3, v[1]) if uniform else np.array(v) for name, v in NEURONS[model].items()}
    x, w = rain(11, 60, 2), np.array([[1.0, 0.5], [-0.5, 1.5], [1.0, 1.0]])
    nodes = {"a": source(2), "w": nir.Linear(weight=w), "n": getattr(nir, model)(**values), "o": sink(3)}
    path = written(tmp_path / "net.nir", nodes, chain("a", "w", "n", "o"))
    found = run(path, {"a": x}, dt=DT, semantics="nir")["o"]
    expected = euler(model, values, x @ w.T)
    assert len(np.unique(expected)) > 1
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_several_edges_into_a_node_are_a_sum(tmp_path: Path) -> None:
    """Before a matrix, a neuron and an Output."""
    x, y, w = rain(12, STEPS, 3), rain(13, STEPS, 3), np.arange(6.0).reshape(2, 3)
    nodes = {"a": source(3), "b": source(3), "w": nir.Linear(weight=w), "n": spiking(2, r=0.1), "o": sink(2)}
    nodes |= {"i": filled(nir.I, (2,), r=1.0), "v": nir.Linear(weight=-w)}
    edges = [("a", "w"), ("b", "w"), ("w", "n"), ("w", "i"), ("a", "v"), ("v", "i"), ("n", "o"), ("i", "o")]
    found = run(written(tmp_path / "net.nir", nodes, edges), {"a": x, "b": y})["o"]
    current = (x.astype(float) + y) @ w.T
    spikes = euler("IF", {"r": np.full(2, 0.1), "v_threshold": np.ones(2), "v_reset": np.zeros(2)}, current)
    np.testing.assert_allclose(found, spikes + np.cumsum(current - x @ w.T, axis=0))


def test_a_deep_network(tmp_path: Path) -> None:
    """Convolution, pool, Flatten, matrix and neurons one behind the other, on float32 numbers."""
    generator = np.random.default_rng(14)
    kernel = generator.integers(-2, 3, (3, 1, 3, 3)).astype(np.float32)
    w = generator.integers(-2, 3, (4, 12)).astype(np.float32)
    conv = nir.Conv2d(
        input_shape=(6, 6), weight=kernel, stride=1, padding=0, dilation=1, groups=1, bias=np.zeros(3, np.float32)
    )
    nodes = {"a": source(1, 6, 6), "c": conv, "n": spiking(3, 4, 4)}
    nodes |= {"p": nir.SumPool2d(kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([0, 0]))}
    nodes |= {"f": nir.Flatten(input_type={"input": np.array([3, 2, 2])}, start_dim=0), "w": nir.Linear(weight=w)}
    nodes |= {"m": cuba(4), "o": sink(4)}
    x = rain(15, 40, 1, 6, 6)
    found = run(written(tmp_path / "net.nir", nodes, chain("a", "c", "n", "p", "f", "w", "m", "o")), {"a": x})["o"]
    current = convolved(x, kernel, np.zeros(3), (1, 1), (0, 0), (0, 0), (1, 1), 1).reshape(40, -1)
    ones = np.ones(48)
    spikes = euler("IF", {"r": ones, "v_threshold": ones, "v_reset": 0 * ones}, current).reshape(40, 3, 2, 2, 2, 2)
    flat = spikes.sum(axis=(3, 5)).reshape(40, 12)
    values = {name: getattr(nodes["m"], name) for name in NEURONS["CubaLIF"]}
    np.testing.assert_array_equal(found, euler("CubaLIF", values, flat @ w.T))
    assert found.any()


def test_an_output_of_every_signal(tmp_path: Path) -> None:
    """Inputs, currents and membranes can be read."""
    nodes = {"a": source(2), "s": nir.Scale(scale=np.array([0.5, 2.0])), "n": lif(2)}
    nodes |= {"oa": sink(2), "os": sink(2), "on": sink(2)}
    edges = [("a", "s"), ("s", "n"), ("a", "oa"), ("s", "os"), ("n", "on")]
    x = rain(16, STEPS, 2)
    found = run(written(tmp_path / "net.nir", nodes, edges), {"a": x})
    np.testing.assert_array_equal(found["oa"], x)
    np.testing.assert_array_equal(found["os"], x * [0.5, 2.0])
    assert set(np.unique(found["on"])) == {0.0, 1.0}


def test_nir_itself_agrees_on_the_set_of_primitives() -> None:
    """A primitive that a later release adds is noticed here."""
    from snnir.frontend.nir.fields import FIELDS  # noqa: PLC0415
    from snnir.frontend.nir.file import GRAPH  # noqa: PLC0415

    base, names = nir.NIRNode, set(nir.ir.__all__)
    found = {name for name in names if isinstance(getattr(nir, name), type) and issubclass(getattr(nir, name), base)}
    assert found - {"NIRNode"} == {*FIELDS, GRAPH}
