"""Neuron lists in: both layouts, what becomes of them, and files that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnir.dialects.snn import IfOp, NetworkOp, SparseOp, networks
from snnir.errors import SnnirError
from snnir.frontend.neuron_list import reader as neuron_list
from snnir.frontend.neuron_list.reader import Files, read_lists
from snnir.frontend.options import FrontendOptions
from snnir.semantics import preset

Write = Callable[..., Path]

PAPER = {
    "connection": "0 6\n1 6 7 8\n2 7 8\n3 7\n4 7 8\n5 7 8\n",
    "spike": "0 1\n1 1 2\n2 1 2 3\n3 1 2 3 4\n4 1 2 3 4 5\n5 1 2 3 4 5 6\n",
}
"""`paper.connection_info.txt` and `paper.spike_info.txt` of Shihao-Song/ncc_prototype, ext/examples/clustering."""

LINES = {"connection": "0 2 3 \n1 3 \n3 2 \n", "weight": "0 0.5 -1 \n1 2e-1 \n3 1 \n", "spike": "0 1 4 \n3 \n2 2 \n"}
CARLSIM = {
    "connection": "0\n2 3 \n\n1\n3 \n\n3\n2 \n\n",
    "weight": "0 2 0.500000\n1 3 0.200000\n0 3 -1.000000\n3 2 1.000000\n2 0 0.000000\n",
    "spike": "0,2\n1 4 \n3,0\n\n2,1\n2 \n",
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lists under a prefix; returns the connection list."""

    def make(lists: Mapping[str, str], prefix: str = "net.") -> Path:
        for name, text in lists.items():
            (tmp_path / f"{prefix}{name}_info.txt").write_bytes(text.encode("latin-1"))
        return tmp_path / f"{prefix}connection_info.txt"

    return make


def program(path: Path, **options: Any) -> NetworkOp:
    """The network that the front end makes of lists."""
    return next(networks(neuron_list.read(path, FrontendOptions(**options))))


def synapses(network: NetworkOp) -> dict[str, list[tuple[int, int, float]]]:
    """For each sparse op its synapses."""
    return {
        op.weights.data.key.removesuffix(".weight"): list(  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
            zip(op.sources.array.tolist(), op.targets.array.tolist(), op.weights.array.tolist(), strict=True)  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownArgumentType]
        )
        for op in network.body.block.ops
        if isinstance(op, SparseOp)
    }


def test_the_published_example(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    network = program(write(PAPER, "paper."))
    assert network.sym_name.data == "paper"
    assert {name: op.size for name, op in network.sources.items()} == {"inputs": 6, "neurons": 3}
    expected = [(0, 0), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1), (4, 2), (5, 1), (5, 2)]
    assert synapses(network) == {"inputs_to_neurons": [(*edge, 1.0) for edge in expected]}
    activity = network.sources["inputs"].activity
    assert activity is not None
    assert activity.counts.array.tolist() == [1, 2, 3, 4, 5, 6]
    assert (activity.steps.data, activity.total.data, activity.peak.data) == (7, 21, 6)
    assert activity.percentiles.data == (3, 6, 6)
    silent = network.sources["neurons"].activity
    assert silent is not None
    assert silent.total.data == 0
    said = capsys.readouterr().err
    for part in (
        "does not say what neurons compute",
        "all weights are 1",
        "dt = 0.001 s is assumed",
        "3 neurons are not in this list and count as silent",
    ):
        assert part in said


@pytest.mark.parametrize("lists", [LINES, CARLSIM])
def test_both_layouts_say_the_same(write: Write, lists: Mapping[str, str]) -> None:
    path = write(lists)
    network = program(path, dt=1e-4, steps=9, semantics="norse")
    assert synapses(network) == {
        "inputs_to_neurons": [(0, 0, 0.5), (0, 1, -1.0), (1, 1, 0.2)],
        "neurons_to_neurons": [(1, 0, 1.0)],
    }
    assert all(op.delay.data == 1 for op in network.body.block.ops if isinstance(op, SparseOp))
    (neurons,) = (op for op in network.body.block.ops if isinstance(op, IfOp))
    assert neurons.semantics.data == preset("norse", "if")
    assert (network.step_seconds, str(network.steps)) == (1e-4, "#builtin.int<9>")
    spikes = neuron_list.read_spikes(path)
    assert {name: array.tolist() for name, array in spikes.items()} == {
        "inputs.sample": [0, 0],
        "inputs.step": [1, 4],
        "inputs.index": [0, 0],
        "inputs.shape": [1, 5],
        "neurons.sample": [0],
        "neurons.step": [2],
        "neurons.index": [0],
        "neurons.shape": [1, 5],
    }


def test_the_folder_names_the_lists(write: Write, tmp_path: Path) -> None:
    path = write(LINES, "")
    assert str(program(tmp_path)) == str(program(path))
    assert program(path).sym_name.data == "neurons"
    write(PAPER, "other.")
    with pytest.raises(SnnirError, match="2 connection lists in this folder"):
        program(tmp_path)


def test_inputs_need_not_come_first(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    network = program(write({"connection": "2 0\n5 0 1\n0 1\n"}))
    assert synapses(network) == {
        "inputs_to_neurons": [(0, 0, 1.0), (3, 0, 1.0), (3, 1, 1.0)],
        "neurons_to_neurons": [(0, 1, 1.0)],
    }
    assert "the 4 neurons to which nothing leads are @inputs, also number 2" in capsys.readouterr().err


def test_a_ring_has_no_inputs(write: Write) -> None:
    network = program(write({"connection": "0 1\n1 2\n2 0\n", "spike": "0 0 3\n1 1\n2 2\n"}))
    assert list(network.sources) == ["neurons"]
    activity = network.sources["neurons"].activity
    assert activity is not None
    assert activity.counts.array.tolist() == [2, 1, 1]


def test_two_lines_without_an_empty_one_are_two_neurons(write: Write) -> None:
    assert read_lists(Files.of(write({"connection": "0\n1 2\n"}))).sources.tolist() == [1]


def test_bursts_count(write: Write) -> None:
    network = program(write({"connection": "0 1\n", "spike": "0 3 3 3 1\n"}))
    activity = network.sources["inputs"].activity
    assert activity is not None
    assert (activity.peak.data, activity.total.data, activity.percentiles.data) == (3, 4, (0, 3, 3))


ERRORS: list[tuple[dict[str, str], str, str]] = [
    ({"connection": ""}, "connection_info.txt", "there are no connections in this file"),
    ({"connection": "0\n1\n"}, "connection_info.txt", "there are no connections in this file"),
    ({"connection": "0 1\n1 x\n"}, "connection_info.txt:2", "'x' is not a neuron's number"),
    ({"connection": "0 -1\n"}, "connection_info.txt:1", "'-1' is not a neuron's number"),
    ({"connection": "0 1.0\n"}, "connection_info.txt:1", "'1.0' is not a neuron's number"),
    ({"connection": "0 999999999999999999999\n"}, "connection_info.txt:1", "of 268435456 or more is refused"),
    ({"connection": "0 268435456\n"}, "connection_info.txt:1", "of 268435456 or more is refused"),
    ({"connection": "0 1\n\xff\n"}, "connection_info.txt", "not a text of numbers"),
    ({"connection": "0\n1 2\n\n3 4\n1\n\n"}, "connection_info.txt:4", "2 numbers where one source is expected"),
    ({"connection": "0\n1 2\n\n3\n1\n4\n"}, "connection_info.txt:6", "an empty line is expected after the targets"),
    (
        {"connection": "0 1 2\n1 2\n", "weight": "0 1 2\n2 1\n"},
        "weight_info.txt:2",
        "weights of neuron 2 where those of neuron 1",
    ),
    ({"connection": "0 1 2\n1 2\n", "weight": "0 1\n1 1\n"}, "weight_info.txt:1", "1 weights of neuron 0, which has 2"),
    ({"connection": "0 1 2\n1 2\n", "weight": "0 1 y\n1 1\n"}, "weight_info.txt:1", "'y' is not a weight"),
    ({"connection": "0 1 2\n1 2\n", "weight": "0 1 nan\n1 1\n"}, "weight_info.txt:1", "weight nan is not finite"),
    ({"connection": "0 1 2\n1 2\n", "weight": "0 1 2\n"}, "weight_info.txt", "there is no weight for 0 -> 2"),
    ({"connection": "0 1 2\n1 2\n", "weight": "0 1 2 3\n"}, "weight_info.txt:1", "4 values where a source, a target"),
    ({"connection": "0 1\n", "weight": "0 1 1\n0 1 1\n"}, "weight_info.txt:2", "the weight of 0 -> 1 is there twice"),
    ({"connection": "0 1\n", "weight": "0 1 1\n1 0 1\n"}, "weight_info.txt:2", "there is no connection 1 -> 0"),
    ({"connection": "0 1\n", "weight": "0 1 1\n7 0 1\n"}, "weight_info.txt:2", "there is no connection 7 -> 0"),
    ({"connection": "0 1\n", "spike": "2 1\n"}, "spike_info.txt:1", "neuron 2 has spikes, but the highest number"),
    ({"connection": "0 1\n", "spike": "0 1.5\n"}, "spike_info.txt:1", "'1.5' is not a neuron's number or a time"),
    ({"connection": "0 1\n", "spike": "0,2\n1\n"}, "spike_info.txt:2", "1 times of neuron 0, but 2 are announced"),
    ({"connection": "0 1\n", "spike": "0,2,3\n1\n"}, "spike_info.txt:1", "'0,2,3' is not a neuron's number, a comma"),
    ({"connection": "0 1\n", "spike": "0,2"}, "spike_info.txt:1", "0 times of neuron 0, but 2 are announced"),
]


@pytest.mark.parametrize(("lists", "place", "message"), ERRORS)
def test_errors(write: Write, lists: dict[str, str], place: str, message: str) -> None:
    path = write(lists)
    with pytest.raises(SnnirError) as caught:
        program(path)
    assert message in caught.value.message
    assert str(caught.value.place).endswith(place)


def test_names_and_options(write: Write, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("0 1\n")
    with pytest.raises(SnnirError, match="not called like a connection list"):
        program(tmp_path / "other.txt")
    with pytest.raises(SnnirError, match=r"no connection_info.txt in this folder"):
        program(tmp_path)
    with pytest.raises(SnnirError, match="no such file"):
        program(tmp_path / "connection_info.txt")
    path = write(LINES)
    with pytest.raises(SnnirError, match="--steps 4, but the last spike is in step 4"):
        program(path, steps=4)
    with pytest.raises(SnnirError, match="no semantics preset 'x'"):
        program(path, semantics="x")
    with pytest.raises(SnnirError, match="there is no spike list beside this file"):
        neuron_list.read_spikes(write({"connection": "0 1\n"}, "bare."))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_text_gives_a_network_or_an_error(write: Write, data: st.DataObject) -> None:
    lists = dict(data.draw(st.sampled_from([LINES, CARLSIM])))
    name = data.draw(st.sampled_from(sorted(lists)))
    text = list(lists[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place] = data.draw(st.sampled_from("0123456789 \n,.-ex\x00\xff"))
    lists[name] = "".join(text)
    try:
        found = read_lists(Files.of(write(lists)))
    except SnnirError as error:
        assert "\n" not in error.message
    else:
        assert np.array_equal(found.sources, np.sort(found.sources))
