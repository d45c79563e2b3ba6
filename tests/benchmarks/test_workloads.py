"""The networks that the compiler is measured with: shapes, counts, and that the same options give the same bytes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation

from benchmarks.workloads import WORKLOADS, build, largest_fanin, neurons, pairs, synapses
from benchmarks.workloads.__main__ import main
from benchmarks.workloads.filters import gaussian
from benchmarks.workloads.maker import Maker
from benchmarks.workloads.microcircuit import NAMES, PROBABILITIES, SIZES, drive_rates, synapse_counts
from snnir import tensors
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    AddOp,
    Conv2dOp,
    ConvOp,
    DelayOp,
    DenseOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    PoolOp,
    SparseOp,
    SumPoolOp,
    WeightedOp,
)
from snnir.sim import Network, simulate
from snnir.sim.entry import network_of
from snnir.testing import run_in_process

SMALL: dict[str, dict[str, Any]] = {
    "edge_detection": {"size": 16},
    "image_smoothing": {"size": 16},
    "reservoir": {"shape": (5, 5, 4)},
    "recurrent_digits": {"excitatory": 30},
    "vgg16": {"size": 32, "width": 0.125, "classes": 10},
    "resnet18": {"size": 32, "width": 0.125, "classes": 10},
    "mobilenet_v1": {"size": 32, "width": 0.5, "classes": 30},
    "microcircuit": {"scale": 0.02},
}
"""Options that make large workloads small."""
PUBLISHED = {
    "mlp784": (894, 79_400, 784),
    "lenet_disco": (11_844, 282_936, 576),
    "lenet28": (7_150, 377_736, 500),
    "alexnet_disco": (129_802, 43_450_432, 1_728),
    "respclass": (273, 18_420, 150),
    "edge_detection": (196_608, 3_863_364, 75),
}
"""Neurons, synapses and largest fan-in, as counted in the files of others."""
WEIGHTS = {"vgg16": 138_344_128, "resnet18": 11_678_912, "mobilenet_v1": 4_209_088}
"""Parameters as published, less biases (13,416; 1,000; 1,000) and batch normalisation (0; 9,600; 21,888)."""


def text_of(network: NetworkOp) -> str:
    """The module as text, with the digest of every large tensor."""
    with tensors.sink("beside.safetensors"):
        return str(ModuleOp([network]))


def ops_of(network: NetworkOp, kind: type[Any]) -> Iterator[Any]:
    """Its ops of one kind."""
    return (op for op in network.body.block.ops if isinstance(op, kind))


def weights_of(op: WeightedOp) -> NDArray[Any]:
    """The weights of a projection, as they are stored."""
    assert isinstance(op.weights, TensorAttr)
    return op.weights.array


def spikes(network: Network, steps: int, rate: float = 0.2) -> dict[str, NDArray[np.uint8]]:
    """One sample of random spikes for every input."""
    rng = np.random.default_rng(5)
    return {name: (rng.random((1, steps, n)) < rate).astype(np.uint8) for name, n in network.inputs.items()}


# --- counts


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_are_those_of_the_published_networks(name: str) -> None:
    network = build(name)
    assert (neurons(network), synapses(network), largest_fanin(network)) == PUBLISHED[name]


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_those_of_the_published_networks(name: str) -> None:
    network = build(name)
    ModuleOp([network]).verify()
    ops: list[WeightedOp] = [op for op in ops_of(network, WeightedOp) if isinstance(op.weights, TensorAttr)]
    assert sum(weights_of(op).size for op in ops) == WEIGHTS[name]
    assert all(weights_of(op).dtype == np.int8 for op in ops)


def test_populations_of_vgg16() -> None:
    shapes = {name: source.signal.type for name, source in build("vgg16").sources.items()}
    assert shapes["conv1_2"] == SignalType.spikes(64, 224, 224)
    assert shapes["pool5"] == SignalType.spikes(512, 7, 7)
    assert shapes["fc3"] == SignalType.spikes(1000)


def connected(op: Operation) -> set[tuple[int, int]]:
    """(target, source) of every synapse of a convolution or pool, one after the other."""
    assert isinstance(op, ConvOp | PoolOp)
    source, result = op.operands[0].type, op.results[0].type
    assert isinstance(source, SignalType)
    assert isinstance(result, SignalType)
    (channels, *size), (outputs, *places) = source.shape.data, result.shape.data
    if isinstance(op, ConvOp):
        kernel, dilation, groups = weights_of(op).shape[2:], op.dilation.data, op.groups.data
    else:
        kernel, dilation, groups = op.kernel.data, (1,) * len(op.kernel.data), channels
    found: set[tuple[int, int]] = set()
    for out, place, tap in product(range(outputs), np.ndindex(*places), np.ndindex(*kernel)):
        lines = zip(place, op.stride.data, op.padding_low.data, tap, dilation, strict=True)
        at = [p * stride - low + t * apart for p, stride, low, t, apart in lines]
        if all(0 <= where < n for where, n in zip(at, size, strict=True)):
            group = out * groups // outputs
            for channel in range(group * channels // groups, (group + 1) * channels // groups):
                target = np.ravel_multi_index((out, *place), (outputs, *places))
                found.add((int(target), int(np.ravel_multi_index((channel, *at), (channels, *size)))))
    return found


WINDOWS: list[tuple[Any, dict[str, Any]]] = [
    (Conv2dOp, {}),
    (Conv2dOp, {"stride": (2, 3), "padding": ((1, 0), (2, 1))}),
    (Conv2dOp, {"dilation": (2, 2), "groups": 2}),
    (Conv2dOp, {"padding": ((2, 2), (2, 2)), "groups": 4}),
    (SumPoolOp, {}),
    (SumPoolOp, {"stride": (2, 1), "padding": ((1, 1), (1, 1))}),
]
"""Convolutions and pools with every kind of window, for a source of 4x7x5."""


@pytest.mark.parametrize(("kind", "options"), WINDOWS)
def test_windows_are_counted_as_if_expanded(kind: Any, options: dict[str, Any]) -> None:
    make = Maker("windows", seed=0)
    pixels = make.input("pixels", 4, 7, 5)
    if kind is Conv2dOp:
        options = {**options, "weights": TensorAttr.of("w", np.ones((8, 4 // options.get("groups", 1), 3, 3), "f4"))}
        op = Conv2dOp(pixels, **options)
    else:
        op = SumPoolOp(pixels, (3, 3), **options)
    make.lif("p", make.add(op))
    expected = connected(op)
    assert synapses(make.network) == pairs(make.network) == len(expected)
    assert largest_fanin(make.network) == np.bincount([target for target, _ in expected]).max()


def test_sums_and_listed_synapses_are_counted() -> None:
    make = Maker("sums", seed=0)
    source = make.input("x", 3, 4)
    late = make.add(DelayOp(make.one_to_one(source), 2))
    last = DenseOp(source, TensorAttr.of("w", np.ones((4, 4), "f4")), SignalType.current(3, 4))
    population = make.lif("p", make.add(AddOp(late, make.add(last))))
    ends = np.array([[0, 1], [0, 1], [0, 1], [4, 11]])
    delays = TensorAttr.of("d", np.array([0, 0, 3, 0]))
    make.lif("q", make.sparse("s", population, ends, np.ones(4, np.float32), 5, delays=delays))
    ModuleOp([make.network]).verify()
    assert neurons(make.network) == 12 + 12 + 5
    assert synapses(make.network) == 12 + 12 * 4 + 4
    assert pairs(make.network) == 12 + 12 * 4 + 3
    assert largest_fanin(make.network) == 5


def test_what_is_no_projection_is_not_counted() -> None:
    make = Maker("max", seed=0)
    largest = make.add(MaxPoolOp(make.input("x", 1, 2, 2), (2, 2)))
    make.lif("p", make.add(AddOp(largest)))
    with pytest.raises(TypeError, match="max_pool"):
        synapses(make.network)


# --- what all have in common


@pytest.mark.parametrize("name", WORKLOADS)
def test_same_options_give_the_same_bytes(name: str) -> None:
    options = SMALL.get(name, {})
    first = text_of(build(name, activity=3.0, **options))
    assert text_of(build(name, activity=3.0, **options)) == first
    assert text_of(build(name, activity=3.0, seed=1, **options)) != first


@pytest.mark.parametrize("name", WORKLOADS)
def test_text_parses_to_the_same_network(name: str, tmp_path: Path) -> None:
    path = tmp_path / "network.mlir"
    words = [f"{key}={value}" for key, value in SMALL.get(name, {}).items()]
    assert main([name, *words, "activity=2.5", "-o", str(path)]) == 0
    outcome = run_in_process(["snn-opt", str(path)])
    assert outcome.code == 0, outcome.err
    path.write_text(outcome.out)
    assert run_in_process(["snn-opt", str(path)]).out == outcome.out
    assert text_of(build(name, activity=2.5, **SMALL.get(name, {}))).count("snn.") == outcome.out.count("snn.")


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name != "microcircuit"])
def test_small_ones_run(name: str) -> None:
    op = build(name, **SMALL.get(name, {}))
    ModuleOp([op]).verify()
    network = network_of(op)
    found = simulate(network, spikes(network, 40), record=list(network.populations))
    silent = [each for each, signal in found.items() if not signal.any()]
    assert not silent, "activity dies"
    # relays of a maximum may be as active as they like
    full = [each for each, signal in found.items() if signal.mean() > 0.45 and "pool" not in each and each != "flat"]
    assert not full, "activity fills the network"


@pytest.mark.parametrize("name", ["mlp784", "lenet28", "respclass", "mobilenet_v1"])
def test_weights_as_int8(name: str) -> None:
    whole = build(name, element="i8", **SMALL.get(name, {}))
    real = build(name, element="f32", **SMALL.get(name, {}))
    assert synapses(whole) == synapses(real)
    for first, second in zip(ops_of(whole, DenseOp), ops_of(real, DenseOp), strict=True):
        deviation = weights_of(first).std() * first.scale.value.data
        assert deviation == pytest.approx(float(weights_of(second).std()), rel=0.15)


def test_unknown_options_are_errors() -> None:
    with pytest.raises(KeyError):
        build("lenet5")
    with pytest.raises(TypeError):
        build("mlp784", size=3)
    with pytest.raises(ValueError, match="f32 or i8, not f16"):
        build("mlp784", element="f16")
    with pytest.raises(ValueError, match="multiple of 32, not 40"):
        build("resnet18", size=40)
    with pytest.raises(ValueError, match="from 1 to 0"):
        build("edge_detection", size=8, delays=0)


# --- activity


def test_activity_is_of_the_stated_mean() -> None:
    network = build("lenet_disco", activity=8.0, activity_steps=64)
    ModuleOp([network]).verify()
    for source in network.sources.values():
        activity = source.activity
        assert activity is not None
        assert activity.steps.data == 64
        if source.size > 500:
            assert activity.total.data / source.size == pytest.approx(8.0, rel=0.05)
            assert activity.counts.array.var() == pytest.approx(8.0, rel=0.3)
        levels = activity.percentiles.data
        assert levels[0] == pytest.approx(float(activity.mean), rel=0.1, abs=3)
        assert levels[0] < levels[2] <= activity.peak.data


def test_activity_by_population_at_the_limits() -> None:
    network = build("mlp784", activity={"fc1": 0.0, "fc2": 98.0})
    ModuleOp([network]).verify()
    assert isinstance(network.sources["pixels"], InputOp)
    assert network.sources["pixels"].activity is None
    silent, busy = network.sources["fc1"].activity, network.sources["fc2"].activity
    assert silent is not None
    assert busy is not None
    assert (silent.total.data, silent.peak.data) == (0, 0)
    assert busy.counts.array.max() == 100
    assert busy.peak.data == 10
    for mean in (-1.0, 100.0):
        with pytest.raises(ValueError, match="does not fit into 100 steps"):
            build("mlp784", activity=mean)


# --- single workloads


def test_max_pools_are_exact() -> None:
    make = Maker("pools", seed=0)
    pixels = make.input("pixels", 3, 9, 8)
    make.max_pool("pool", pixels, 3, 2, 1)
    largest = make.add(MaxPoolOp(pixels, (3, 3), (2, 2), ((1, 1), (1, 1))))
    make.output("expected", largest)
    network = network_of(make.network)
    found = simulate(network, spikes(network, 50, 0.08), record=["pool", "expected"])
    assert np.array_equal(found["pool"], found["expected"])
    assert 0.2 < found["pool"].mean() < 0.8


def test_average_pools_and_flattening_keep_counts() -> None:
    make = Maker("pools", seed=0)
    make.flatten("flat", make.avg_pool("pool", make.input("pixels", 2, 4, 4), 2))
    network = network_of(make.network)
    inputs = spikes(network, 40)
    found = simulate(network, inputs, record=["pool", "flat"])
    counted = inputs["pixels"].reshape(40, 2, 2, 2, 2, 2).sum(axis=(0, 3, 5)).ravel()
    assert np.array_equal(found["pool"].sum(axis=(0, 1)), counted // 4)
    assert np.array_equal(found["pool"], found["flat"])


def test_receptive_fields() -> None:
    assert gaussian(0.5).tolist() == [[1.0]]
    assert gaussian(3.0).shape == (5, 5)
    assert (gaussian(3.0) > 0).all()
    large = gaussian(5.0)
    assert large.shape == (9, 9)
    assert np.count_nonzero(large) == 69
    assert large[4, 4] / large[4, 0] == pytest.approx(np.exp(2.3026 * 16 / 25), rel=1e-5)


@pytest.mark.parametrize("name", ["image_smoothing", "edge_detection"])
def test_delays_of_pixels(name: str) -> None:
    op = build(name, size=8, delays=20)
    ModuleOp([op]).verify()
    (late,) = ops_of(op, DelayOp)
    assert {1, 20} <= set(late.delay.array.tolist()) <= set(range(1, 21))
    assert all(conv.delay.data == 0 for conv in ops_of(op, Conv2dOp))
    assert all(conv.delay.data == 1 for conv in ops_of(build(name, size=8), Conv2dOp))
    assert synapses(op) == synapses(build(name, size=8))


def test_liquid_is_local() -> None:
    network = build("reservoir")
    places = np.stack(np.unravel_index(np.arange(1000), (10, 10, 10)), axis=1)
    recurrent: list[SparseOp] = [op for op in ops_of(network, SparseOp) if op.source_type.size == 1000]
    slow, fast = recurrent
    assert (slow.delay.data, fast.delay.data) == (2, 1)
    sources, targets = (np.concatenate([getattr(op, end).array for op in recurrent]) for end in ("sources", "targets"))
    distances = np.sqrt(((places[sources] - places[targets]) ** 2).sum(axis=1))
    assert distances.min() == 1
    assert distances.mean() < 2.6, "the mean of all pairs is 5"
    assert len(sources) == len(set(zip(sources.tolist(), targets.tolist(), strict=True)))
    inhibitory = set(sources[np.concatenate([weights_of(op) for op in recurrent]) < 0].tolist())
    assert 0.15 < len(inhibitory) / 1000 < 0.25
    assert (weights_of(slow) > 0).all()
    assert not inhibitory & {*slow.sources.array.tolist(), *slow.targets.array.tolist()}


def test_rivals_inhibit_all_but_their_own() -> None:
    network = build("recurrent_digits", excitatory=30)
    _, rivalry = ops_of(network, DenseOp)
    assert rivalry.delay.data == 1
    assert np.array_equal(weights_of(rivalry) < 0, ~np.eye(30, dtype=np.bool_))
    assert synapses(network) == 30 * 785 + 30**2


def test_microcircuit_has_the_published_sizes() -> None:
    assert SIZES.sum() == 77_169
    assert synapse_counts(1.0).sum() == pytest.approx(0.299e9, rel=1e-3)
    pair = SIZES[0] * SIZES[1]
    # the probability that no synapse of K falls on a pair is that of the table
    assert (1 - 1 / pair) ** float(synapse_counts(1.0)[0, 1]) == pytest.approx(1 - PROBABILITIES[0, 1], rel=1e-6)
    network = build("microcircuit", scale=0.1)
    sizes = [network.sources[name].size for name in NAMES]
    assert sizes == [2068, 583, 2192, 548, 485, 106, 1440, 295]
    assert synapses(network) == synapse_counts(0.1).sum() + sum(sizes)
    assert 2.9e6 < synapses(network) < 3.0e6
    assert pairs(network) < synapses(network), "some pairs have several"


def test_microcircuit_has_the_published_weights_and_delays() -> None:
    network = build("microcircuit", scale=0.04)
    ops = {(op.source.owner.sym_name.data, op.results[0]): op for op in ops_of(network, SparseOp)}
    found = {
        (source, target): next(op for (name, _), op in ops.items() if name == source and op.current in uses)
        for target in NAMES
        for uses in [network.sources[target].operands]
        for source in NAMES
        if PROBABILITIES[NAMES.index(target), NAMES.index(source)]
    }
    assert len(found) == np.count_nonzero(PROBABILITIES) == 55
    for (source, target), op in found.items():
        expected = 87.8 / 0.2 * (-4 if source.endswith("I") else 1) * (2 if (source, target) == ("L4E", "L23E") else 1)
        weights = weights_of(op)
        if weights.size > 100:
            assert weights.mean() == pytest.approx(expected, rel=0.05)
            assert weights.std() == pytest.approx(abs(expected) / 10, rel=0.3)
        assert op.delay.data == (8 if source.endswith("I") else 15)


def test_microcircuit_options() -> None:
    network = build("microcircuit", scale=0.02, spread=True, refractory=True)
    ModuleOp([network]).verify()
    largest: SparseOp = max(ops_of(network, SparseOp), key=lambda op: weights_of(op).size)
    assert largest.delays is not None
    delays = largest.delays.array
    assert delays.min() == 1
    assert delays.mean() == pytest.approx(15, rel=0.05)
    assert all(op.semantics.data.refractory == 20 for op in ops_of(network, NeuronOp))


def test_microcircuit_fires_at_the_published_rates() -> None:
    scale, steps = 0.03, 3000
    network = network_of(build("microcircuit", scale=scale, refractory=True))
    rng = np.random.default_rng(2)
    rates = dict(zip(network.inputs, drive_rates(scale), strict=True))
    inputs = {name: rng.poisson(rates[name] * 1e-4, (1, steps, n)).astype("u1") for name, n in network.inputs.items()}
    found = simulate(network, inputs, record=list(NAMES))
    rate = {name: float(found[name][:, 1000:].mean()) * 1e4 for name in NAMES}
    assert all(each > 0 for each in rate.values())
    assert rate["L23E"] < 3
    assert rate["L6E"] < 3
    assert all(1 < rate[name] < 15 for name in ("L4E", "L4I", "L5E", "L6I"))


# --- page and command


def test_page_lists_all_with_their_counts(root: Path) -> None:
    text = (root / "docs" / "workloads.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]
    listed = {row[0].strip("`"): row[2:] for row in rows if len(row) == 5}
    assert list(listed) == list(WORKLOADS)
    for name in WORKLOADS:
        network = build(name)
        counts = neurons(network), synapses(network), largest_fanin(network)
        assert listed[name] == [f"{count:,}" for count in counts], name
    options = {name.strip(" `") for row in rows if len(row) == 3 for name in row[0].split(",")}
    known = {name for generator in WORKLOADS.values() for name in inspect.signature(generator).parameters}
    assert options == known | {"activity", "activity_steps"}


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lenet_disco", "seed=3"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["workload", "neurons", "synapses"]
    assert row.split()[:4] == ["lenet_disco", "11,844", "282,936", "576"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mlp784", "size=3"], "'size=3' is no option of mlp784; there are activity=None"),
        (["mlp784", "seed"], "'seed' is no option"),
        (["mlp784", "seed=x"], "no value that can be read"),
        (["mlp784", "activity=1000"], "does not fit"),
        (["-o", "x.mlir"], "name the workload to write"),
        (["lenet5"], "invalid choice"),
    ],
)
def test_wrong_commands(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_files_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mlp784", "-o", str(tmp_path / "missing" / "x.mlir")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_scales_of_whole_weights_are_numbers() -> None:
    (first, *_) = ops_of(build("mlp784", element="i8"), DenseOp)
    assert isinstance(first.scale, FloatAttr)
