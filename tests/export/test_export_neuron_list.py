"""Neuron lists out: every linear op as single connections, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sonata_files import HERE, events, network_in, reference, value

from snnir.dialects.snn import NetworkOp, networks
from snnir.errors import SnnirError
from snnir.export import neuron_list as export
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
    Slice,
    Sparse,
    Transform,
)
from snnir.frontend.neuron_list import reader as neuron_list
from snnir.frontend.neuron_list.reader import Files, activity, read_lists
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.indices import Indices
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.sim.entry import network_of

CELL = {"r": value(1.0), "threshold": value(1e9), "v_reset": value(0.0)}
Shape = tuple[int, ...]


def behind(source: Shape, target: Shape, *ops: Any, element: Any = "spike") -> NetworkOp:
    """An input, one op behind the other, integrate-and-fire neurons that never fire; the output is their input."""
    transforms = [
        Transform(
            f"t{n}",
            (reference(f"t{n - 1}" if n else "x"),),
            op,
            HERE,
            target if n == len(ops) - 1 and sized(op) else None,
        )
        for n, op in enumerate(ops)
    ]
    last = (reference(transforms[-1].name),)
    population = Population("p", target, "if", CELL, Semantics(), HERE, last)
    outputs = [Output("o", last, HERE), Output("q", (reference("p"),), HERE)]
    inputs = [Input("x", source, HERE, element)]
    return network_in(Network("n", 1e-3, HERE, 8, HERE, inputs, transforms, [population], outputs, HERE))


def sized(op: Any) -> bool:
    """Whether an op takes the shape of its result from its reader."""
    return isinstance(op, Dense | Sparse | OneToOne)


def listed(network: NetworkOp, folder: Path, notes: Notes | None = None) -> NDArray[np.float64]:
    """The weights of the written connections from the input to the population, targets x sources."""
    export.write(network, folder, notes or Notes())
    lists = read_lists(Files.of(folder))
    assert lists.weights is not None
    lines, size = network.sources["x"].size, network.sources["p"].size
    matrix = np.zeros((size, lines))
    np.add.at(matrix, (lists.targets - lines, lists.sources), lists.weights)
    return matrix


def simulated(network: NetworkOp) -> NDArray[np.float64]:
    """The same by the simulator: the current that a spike on each line makes."""
    lines = network.sources["x"].size
    shape = network.sources["x"].signal.type.shape.data  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    inputs = np.zeros((lines, 8, lines), np.uint8)
    inputs[np.arange(lines), 0, np.arange(lines)] = 1
    arrays = network_of(network)
    found = simulate(arrays, {"x": inputs.reshape(lines, 8, *shape)}, record=list(arrays.signals))  # pyright: ignore[reportUnknownArgumentType]
    name = next(name for name in found if name not in ("x", "p"))
    return found[name].astype(np.float64).reshape(lines, 8, -1).sum(axis=1).T


RANDOM = np.random.default_rng(7)


def numbers(*shape: int) -> Any:
    """Weights; some are 0."""
    return value(np.round(RANDOM.normal(size=shape), 2) * (RANDOM.random(shape) < 0.8))


LINEAR: dict[str, tuple[Shape, Shape, tuple[Any, ...]]] = {
    "dense": ((4,), (3,), (Dense(numbers(3, 4)),)),
    "dense on the last dimension": ((2, 3), (2, 4), (Dense(numbers(4, 3)),)),
    "scaled": ((4,), (3,), (Dense(value(np.array([[1, -2, 0, 3]] * 3, np.int8)), scale=value(np.array([0.5, 2, 4]))),)),
    "one to one": ((4,), (4,), (OneToOne(numbers(4)),)),
    "sparse": ((4,), (3,), (Sparse(numbers(3), value(np.array([3, 0, 3])), value(np.array([0, 2, 0]))),)),
    "late": ((4,), (3,), (Delay(2), Dense(numbers(3, 4), delay=1))),
    "slice": ((5,), (3,), (Slice(Indices.of([4, 1])), Dense(numbers(3, 2)))),
    "slice behind": ((3,), (2,), (Dense(numbers(4, 3)), Slice(Indices.of([3, 1])))),
    "conv2d": ((2, 5, 6), (3, 2, 5), (Conv(numbers(3, 2, 3, 2), stride=(2, 1)),)),
    "conv2d with all": (
        (4, 5, 6),
        (6, 3, 4),
        (Conv(numbers(6, 2, 2, 3), stride=(2, 2), padding=((1, 2), (1, 3)), dilation=(2, 2), groups=2),),
    ),
    "conv1d": ((2, 7), (3, 4), (Conv(numbers(3, 2, 3), stride=(2,), padding=((1,), (1,))),)),
    "depthwise": ((3, 4, 4), (3, 3, 3), (Conv(numbers(3, 1, 2, 2), groups=3),)),
    "conv scaled": ((2, 4, 4), (3, 3, 3), (Conv(numbers(3, 2, 2, 2), scale=value(np.array([1.0, 2.0, 4.0]))),)),
    "sum pool": ((2, 4, 6), (2, 2, 3), (Pool("sum", (2, 2)),)),
    "average pool": ((2, 5, 5), (2, 3, 3), (Pool("avg", (3, 2), stride=(2, 2), padding=((1, 0), (1, 1))),)),
    "pool and dense": ((2, 4, 4), (3,), (Pool("avg", (2, 2)), Flatten(), Dense(numbers(3, 8)))),
    "conv, pool, conv": (
        (1, 6, 6),
        (2, 1, 1),
        (Conv(numbers(3, 1, 3, 3)), Pool("sum", (2, 2)), Conv(numbers(2, 3, 2, 2))),
    ),
}


@pytest.mark.parametrize("name", LINEAR)
def test_connections_are_what_the_simulator_computes(name: str, tmp_path: Path) -> None:
    source, target, ops = LINEAR[name]
    network = behind(source, target, *ops)
    found = listed(network, tmp_path / "lists")
    assert np.abs(found).sum() > 0
    np.testing.assert_allclose(found, simulated(network), rtol=1e-12, atol=1e-12)


def test_several_ways_through_layers_are_one_connection(tmp_path: Path) -> None:
    source, target, ops = LINEAR["conv, pool, conv"]
    listed(behind(source, target, *ops), tmp_path / "lists")
    lists = read_lists(Files.of(tmp_path / "lists"))
    pairs = set(zip(lists.sources.tolist(), lists.targets.tolist(), strict=True))
    assert len(pairs) == lists.sources.size == 36 * 2


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_random_convolutions(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, stride, dilation = data.draw(pairs), data.draw(pairs), data.draw(pairs)
    low, high = (
        data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
        data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
    )
    groups = data.draw(st.integers(1, 2))
    size = [max(d * (k - 1) + 1, 1) + data.draw(st.integers(0, 3)) for k, d in zip(kernel, dilation, strict=True)]
    channels, outputs = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2))
    op = Conv(
        numbers(outputs, channels // groups, *kernel),
        stride=stride,
        padding=(low, high),
        dilation=dilation,
        groups=groups,
    )
    result = [
        (n + a + b - d * (k - 1) - 1) // s + 1
        for n, k, s, a, b, d in zip(size, kernel, stride, low, high, dilation, strict=True)
    ]
    network = behind((channels, *size), (outputs, *result), op)
    expected = simulated(network)
    try:
        found = listed(network, tmp_path_factory.mktemp("lists") / "out")
    except SnnirError as error:
        assert "no connections" in error.message
        assert not expected.any()
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


# Round trips


def programs_of(path: Path) -> str:
    """The program in lists, as text."""
    return str(neuron_list.read(path, FrontendOptions()))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_in_out_in(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("lists")
    number = st.integers(0, 9)
    rows = data.draw(st.lists(st.tuples(number, st.lists(number, max_size=5)), min_size=1, max_size=8))
    if not any(targets for _, targets in rows):
        return
    weights = [[data.draw(st.floats(-2, 2)) for _ in targets] for _, targets in rows]
    size = max(max([source, *targets]) for source, targets in rows) + 1
    spikes = data.draw(
        st.lists(st.tuples(st.integers(0, size - 1), st.lists(st.integers(0, 20), max_size=4)), max_size=6)
    )
    prefix = folder / "connection_info.txt"
    prefix.write_text("".join(f"{' '.join(map(str, [source, *targets]))}\n" for source, targets in rows))
    lines = (f"{' '.join(map(str, [row[0], *values]))}\n" for row, values in zip(rows, weights, strict=True))
    (folder / "weight_info.txt").write_text("".join(lines))
    (folder / "spike_info.txt").write_text("".join(f"{' '.join(map(str, [n, *times]))}\n" for n, times in spikes))
    network = next(networks(neuron_list.read(folder, FrontendOptions())))
    export.write(network, folder / "again", Notes())
    again = next(networks(neuron_list.read(folder / "again", FrontendOptions())))
    assert str(again).replace("@again", "@neurons") == str(network)
    export.write(network, folder / "third", Notes(), neuron_list.read_spikes(folder))
    for name in ("connection_info.txt", "weight_info.txt", "spike_info.txt", "population_info.txt"):
        assert (folder / "third" / name).read_bytes() == (folder / "again" / name).read_bytes()


def test_what_is_in_the_files(tmp_path: Path) -> None:
    synapses = Sparse(
        value(np.array([0.5, -2.0, 0.0])), value(np.array([2, 0, 2])), value(np.array([1, 1, 0])), delay=1
    )
    network = behind((3,), (1, 3), synapses)
    spikes = events("x", [(0, 2), (3, 0)], 8) | events("p", [(7, 1)], 8)
    notes = Notes()
    export.write(network, tmp_path / "lists", notes, spikes)
    read = {path.name: path.read_text() for path in (tmp_path / "lists").iterdir()}
    assert read == {
        "connection_info.txt": "0 4\n2 3 4\n1\n5\n",
        "weight_info.txt": "0 -2.0\n2 0.0 0.5\n1\n5\n",
        "spike_info.txt": "0 3\n1\n2 0\n3\n4 7\n5\n",
        "population_info.txt": "x 0 3 input 3\np 3 3 if 1x3\n",
    }
    assert "delays are not part of neuron lists (1 ops have some)" in "".join(notes.lines)


def test_samples_follow_each_other(tmp_path: Path) -> None:
    network = behind((2,), (1,), Dense(value(np.ones((1, 2)))))
    spikes = events("x", [(1, 0), (2, 1)], 8) | events("p", [], 8)
    spikes["x.sample"] = np.array([1, 0])
    export.write(network, tmp_path / "lists", Notes(), spikes)
    assert (tmp_path / "lists" / "spike_info.txt").read_text() == "0 9\n1 2\n2\n"


def test_activity_gives_counts_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "connection_info.txt").write_text("0 2\n1 2\n")
    (tmp_path / "spike_info.txt").write_text("0 5 7 9\n1 2\n")
    network = next(networks(neuron_list.read(tmp_path, FrontendOptions())))
    export.write(network, tmp_path / "recorded", Notes())
    assert (tmp_path / "recorded" / "spike_info.txt").read_text() == "0 5 7 9\n1 2\n2\n"
    network.sources["inputs"].activity = activity("inputs", np.array([0, 1, 1]), np.array([1, 2, 3]), 2, 10)
    notes = Notes()
    export.write(network, tmp_path / "profiled", notes)
    assert (tmp_path / "profiled" / "spike_info.txt").read_text() == "0 0\n1 0 1\n2\n"
    assert "holds counts only" in "".join(notes.lines)


def test_without_activity_there_is_no_spike_list(tmp_path: Path) -> None:
    notes = Notes()
    export.write(behind((2,), (1,), Dense(value(np.ones((1, 2))), bias=value(1.0))), tmp_path / "lists", notes)
    assert not (tmp_path / "lists" / "spike_info.txt").exists()
    said = "".join(notes.lines)
    assert "no spike_info.txt is written" in said
    assert "biases are not part of neuron lists" in said
    assert "what neurons compute is not part" in said


# What is refused


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: behind((1, 2, 2), (1, 1, 1), Pool("max", (2, 2))), "snn.max_pool is no set of weighted connections"),
        (lambda: behind((2,), (1,), Dense(value(np.ones((1, 2)))), element="f64"), "snn.input @x emits a real number"),
        (lambda: behind((2,), (1,), Dense(value(np.zeros((1, 2))))), "the network has no connections"),
    ],
)
def test_refusals(network: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SnnirError) as caught:
        export.write(network(), tmp_path / "lists", Notes())
    assert message in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_too_many_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CONNECTION_LIMIT", 5)
    with pytest.raises(SnnirError, match="more than 5 connections"):
        export.write(behind((2,), (3,), Dense(value(np.ones((3, 2))))), tmp_path / "lists", Notes())
    assert list(tmp_path.iterdir()) == []


def test_spikes_must_be_complete(tmp_path: Path) -> None:
    network = behind((2,), (1,), Dense(value(np.ones((1, 2)))))
    with pytest.raises(SnnirError, match="there are no spikes of @p"):
        export.write(network, tmp_path / "lists", Notes(), events("x", [], 8))
    assert list(tmp_path.iterdir()) == []


def test_a_real_convolutional_network(shared_data: Path, tmp_path: Path) -> None:
    from snnir.frontend.nir import reader as nir  # noqa: PLC0415

    module = nir.read(shared_data / "nir" / "good" / "cnn_sinabs.nir", FrontendOptions(dt=1e-3))
    export.write(next(networks(module)), tmp_path / "lists", Notes())
    lists = read_lists(Files.of(tmp_path / "lists"))
    # 199,712 + 541,696 + 4 x 61,952 (behind a 2x2 pool) + 128 x 4 x 256 + 2,560: research on the shipped models, 1a
    assert lists.targets.size == 199712 + 541696 + 4 * 61952 + 512 * 256 + 2560
    assert (lists.inputs.size, lists.neurons.size) == (2312, 8970)
