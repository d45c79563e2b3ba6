"""A network written as a `.snn` program and read again is the same network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp, StringAttr

from snnir import tensors
from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    AddOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    networks,
)
from snnir.errors import SnnirError
from snnir.export.snn import text as snn_text
from snnir.export.snn.writer import write
from snnir.frontend.build import build
from snnir.frontend.nir import reader as nir
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from snnir.frontend.snn.format import format_program
from snnir.indices import Indices
from snnir.semantics import PARAMETERS, PRESETS, Semantics, preset
from snnir.sim import simulate
from snnir.sim.entry import network_of
from tests.export.equality import description, normal_form
from tests.export.random_networks import Random
from tests.general_networks import general_program, random_signals


def written(network: NetworkOp, path: Path) -> list[str]:
    """Write a network; the notes."""
    notes = Notes()
    write(network, path, notes)
    return notes.lines


def network_in(path: Path) -> NetworkOp:
    """The network of a program."""
    (network,) = networks(snn.read(path, FrontendOptions()))
    return network


def read(text: str, path: Path) -> NetworkOp:
    """The network of a text."""
    path.write_text(text, encoding="utf-8")
    return network_in(path)


def unchanged(path: Path) -> None:
    """A written program, read and written again, is the same text with the same arrays."""
    second = path.parent / "again" / path.name
    second.parent.mkdir()
    written(network_in(path), second)
    first = {each.name: each.read_bytes() for each in path.parent.glob(f"{path.stem}.*")}
    assert {each.name: each.read_bytes() for each in second.parent.iterdir()} == first


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_networks_come_back(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng, directory = np.random.default_rng(seed), tmp_path_factory.mktemp("snn")
    (network,) = networks(build(Random(rng).network()))
    written(network, directory / "a.snn")
    back = network_in(directory / "a.snn")
    assert description(back) == description(network)
    program = (directory / "a.snn").read_text()
    assert format_program(program) == program
    unchanged(directory / "a.snn")
    if seed % 4 == 0:
        first, second = network_of(network), network_of(back)
        data = {name: rng.integers(0, 2, (2, 9, size)).astype(np.uint8) for name, size in first.inputs.items()}
        one, other = simulate(first, data), simulate(second, data)
        assert all(np.array_equal(one[name], other[name]) for name in (*one, *other))


@example(seed=943)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_network_comes_back_in_normal_form(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng, path = np.random.default_rng(seed), tmp_path_factory.mktemp("snn") / "a.snn"
    (network,) = networks(general_program(rng))
    written(network, path)
    back = network_in(path)
    assert normal_form(back) == normal_form(network)
    written(back, path.with_name("b.snn"))
    unchanged(path.with_name("b.snn"))
    ops = list(network.body.block.ops)
    rounded = any(isinstance(op, NeuronOp) and op.semantics.data.weights != "exact" for op in ops)
    if rounded and any(isinstance(op, AddOp) and len(op.inputs) == 1 for op in ops):
        return  # the program has a weight of 1 where the IR has none, and rounding sees it
    first, second = network_of(network), network_of(back)
    data = random_signals(rng, first, 2, 8)
    one, other = simulate(first, data), simulate(second, data)
    # an output that is an input or a population has no record of its own
    ends = [op for op in back.body.block.ops if isinstance(op, OutputOp)]
    read = {op.sym_name.data: getattr(op.operands[0].owner, "sym_name", op.sym_name).data for op in ends}
    assert all(np.array_equal(one[name], other[name if name in other else read[name]]) for name in (*one, *other))


@pytest.mark.parametrize("name", ["digits", "digits_recurrent"])
def test_the_samples_come_back(samples: Path, tmp_path: Path, name: str) -> None:
    network = network_in(samples / "digits" / f"{name}.snn")
    notes = written(network, tmp_path / "a.snn")
    assert description(network_in(tmp_path / "a.snn")) == description(network)
    assert any("the machine is not in a .snn program" in line for line in notes)
    first, second = ((tmp_path / f"a.{ending}").read_bytes() for ending in ("snn", "safetensors"))
    written(network, tmp_path / "a.snn")
    assert [(tmp_path / f"a.{ending}").read_bytes() for ending in ("snn", "safetensors")] == [first, second]


def test_a_real_network_comes_back(shared_data: Path, tmp_path: Path) -> None:
    module = nir.read(shared_data / "nir" / "good" / "cnn_sinabs.nir", FrontendOptions(semantics="sinabs"))
    (network,) = networks(module)
    written(network, tmp_path / "a.snn")
    program = (tmp_path / "a.snn").read_text()
    assert 'input -> n1 : conv2d(weights = "n0.weight", bias = "n0.bias", stride = [2, 2], padding = [1, 1])' in program
    assert program.count("using sinabs") == 5
    assert description(network_in(tmp_path / "a.snn")) == description(network)


def test_the_text_is_for_people(tmp_path: Path) -> None:
    program = """network tiny {
  dt = 0.1 ms
  steps = 25

  input pixels[4]
  input drive[3] : f64
  population hidden[3] : lif(tau = 4 ms, r = 4, v_leak = 0, threshold = [1, 0.5, 2], v_reset = 0) using spyx
  population both[3] : dual_lif(
    tau_exc = 2 ms, tau_inh = 0.25 ms, tau_mem = 12.5 ms, r = 1, v_leak = 0, threshold = 1, v_reset = -0.5, w_exc = 1,
    w_inh = 1e-7
  ) using nir(reset = subtract, refractory = 3)

  pixels -> hidden : dense(weights = [[0.5, 0, 0.25, 0], [0, 0.5, 0, 0.25], [1, 1, 0, 0]], delay = 1)
  drive -> hidden : direct
  hidden -> both : sparse(weights = [0.5, -0.25], from = [0, 2], to = [1, 1], delays = [0, 3])
  signal t = hidden : delay(steps = [0, 1, 2]) | one_to_one(weights = 0.75)
  t -> both : dense(weights = [[0, 1, 0], [0, 0, 1], [1, 0, 0]], bias = [1, 2, 3], into = inhibitory)
  pixels[0:2, 3] -> both : direct(into = inhibitory)
  output answer = drive + t
}
"""
    network = read(program, tmp_path / "a.snn")
    written(network, tmp_path / "b.snn")
    assert (tmp_path / "b.snn").read_text() == program
    assert not (tmp_path / "b.safetensors").exists()


def test_a_signal_keeps_its_name(tmp_path: Path) -> None:
    """Whatever it is made of: a flattened sum, a pool and a flattening, weights with a name of their own."""
    program = """network names {
  dt = 1 ms
  weights = "a.safetensors"

  input x[1x2x2]
  input z[1x2x2]
  population p[4] : threshold(threshold = 1) using nir

  signal rows = x + z : flatten
  rows -> p : direct
  rows -> p : direct
  signal pooled = x : avg_pool(kernel = [2, 2], stride = [1, 1]) | flatten
  signal second = pooled : dense(weights = "fc.weight")
  second -> p : direct
  signal second_2 = second : dense(weights = "other")
  second_2 -> p : direct
  output y = second
  output z_too = second_2
  output rest = pooled
}
"""
    arrays = {"fc.weight": np.ones((4, 1)), "other": np.arange(16.0).reshape(4, 4)}
    tensors.write_safetensors(tmp_path / "a.safetensors", arrays)
    network = read(program, tmp_path / "a.snn")
    (tmp_path / "written").mkdir()
    written(network, tmp_path / "written" / "a.snn")
    assert (tmp_path / "written" / "a.snn").read_text() == program
    unchanged(tmp_path / "written" / "a.snn")


def test_names_do_not_depend_on_the_order_of_ops(tmp_path: Path) -> None:
    """The IR may have them in any order that computes; the reader has one of its own."""
    x = InputOp("x", SignalType.spikes(2))
    first, second = (DenseOp(x.signal, TensorAttr.of(key, np.eye(2)), SignalType.current(2)) for key in "ab")
    first.current.name_hint = second.current.name_hint = "d"
    outputs = [OutputOp(f"{name}{n}", op.current) for n in (1, 2) for name, op in (("v", second), ("u", first))]
    network = network_with(x, first, second, *outputs)
    written(network, tmp_path / "a.snn")
    assert 'signal d = x : dense(weights = "b")' in (tmp_path / "a.snn").read_text()
    unchanged(tmp_path / "a.snn")


def test_arrays_keep_their_keys_and_types(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(2))
    weights = TensorAttr.of('we"ird\nkey', np.array([[1, 2], [3, 4]], np.int8))
    dense = DenseOp(x.signal, weights, SignalType.current(2), scale=TensorAttr.of("s", np.array([0.5, 2], "f4")))
    other = DenseOp(dense.current, TensorAttr.of("s", np.eye(2)), SignalType.current(2))
    network = network_with(x, dense, other, OutputOp("y", other.current))
    written(network, tmp_path / "a.snn")
    back = [op for op in network_in(tmp_path / "a.snn").body.block.ops if isinstance(op, DenseOp)]
    first, second = (op.weights for op in back)
    assert isinstance(first, TensorAttr)
    assert isinstance(second, TensorAttr)
    assert (first.data.key, first.data.element) == ("we_ird_key", "i8")
    assert second.data.element == "f64"  # two arrays of one key: one of them gets another
    assert {second.data.key, back[0].scale.data.key} == {"s", "s~1"}  # pyright: ignore
    assert np.array_equal(second.array, np.eye(2))


def network_with(*ops: Any) -> NetworkOp:
    """A network, in a module."""
    network = NetworkOp("n", 1e-3, None)
    network.body.block.add_ops(ops)
    ModuleOp([network]).verify()
    return network


def test_ops_outside_the_normal_form_mean_the_same(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(2, 2, 1, 2))
    flat = FlattenOp(x.signal, (4, 2))
    half = ScaleOp(flat.flat, TensorAttr.of("h", np.arange(8) / 4), SignalType.current(4, 2))
    current = AddOp(flat.flat)
    inner = AddOp(half.current, current.total)
    outer = AddOp(inner.total, half.current)
    network = network_with(x, flat, half, current, inner, outer, OutputOp("y", outer.total))
    written(network, tmp_path / "a.snn")
    back = network_in(tmp_path / "a.snn")
    data = {"x": np.random.default_rng(0).integers(0, 2, (2, 5, 8)).astype(np.uint8)}
    one, other = (simulate(network_of(each), data)["y"] for each in (network, back))
    assert one.any()
    assert np.array_equal(one, other)


def test_names_that_the_language_lacks(tmp_path: Path) -> None:
    x, y = InputOp("0/pixels", SignalType.spikes(2)), InputOp("using", SignalType.spikes(2))
    network = network_with(x, y, OutputOp("n0_pixels", x.signal), OutputOp("ms", y.signal))
    notes = written(network, tmp_path / "a.snn")
    names = [op.sym_name.data for op in network_in(tmp_path / "a.snn").body.block.ops]  # pyright: ignore
    assert names == ["n0_pixels_2", "nusing", "n0_pixels", "ms"]
    assert any("@0/pixels is n0_pixels_2" in line for line in notes)


def test_stimuli_come_back(tmp_path: Path) -> None:
    program = """network n {
  dt = 1 ms
  input a[3]
  input b[3]
  input c[2]
  generate a : poisson(rate = 50 Hz, seed = 7)
  generate b : poisson(rate = [1, 2, 3], seed = 8)
  generate c : file("spikes.npz")
  output y = a + b
  output z = c
}"""
    network = read(program, tmp_path / "a.snn")
    (tmp_path / "inner").mkdir()
    written(network, tmp_path / "inner" / "b.snn")
    text = (tmp_path / "inner" / "b.snn").read_text()
    assert "generate a : poisson(rate = 50 Hz, seed = 7)" in text
    assert "generate b : poisson(rate = [1, 2, 3], seed = 8)" in text
    assert 'generate c : file("../spikes.npz")' in text
    network_in(tmp_path / "inner" / "b.snn")


def test_what_a_program_does_not_hold_is_said(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.spikes(2))
    x.activity = ActivityAttr.of(2, 1, 1, TensorAttr.of("x.counts", np.array([1, 0])))
    unread = FlattenOp(x.signal)
    unread.flat.name_hint = "nobody"
    x.attributes["mine"] = StringAttr("kept nowhere")
    notes = written(network_with(x, unread, OutputOp("y", x.signal)), tmp_path / "a.snn")
    assert any("attributes are not in a .snn program: mine" in line for line in notes)
    assert any("measured activity is not in a .snn program: @x" in line for line in notes)
    assert any("left out, because nothing reads them: snn.flatten %nobody" in line for line in notes)


def test_a_program_that_could_not_be_read_again_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from snnir.export.snn import writer as module  # noqa: PLC0415

    x = InputOp("x", SignalType.spikes(2))
    network = network_with(x, OutputOp("y", x.signal))
    monkeypatch.setattr(module, "SIZE_LIMIT", 10)
    with pytest.raises(SnnirError, match="could not be read again"):
        written(network, tmp_path / "a.snn")
    assert not list(tmp_path.iterdir())


def test_a_slice_with_a_shape_is_refused(tmp_path: Path) -> None:
    """The language has no words for it: the program would come back with other shapes."""
    x = InputOp("x", SignalType.spikes(2, 3, 3))
    part = SliceOp(x.signal, Indices.span(0, 9), (1, 3, 3))
    network = network_with(x, part, OutputOp("y", part.part))
    with pytest.raises(SnnirError, match="gives what it selects a shape"):
        written(network, tmp_path / "a.snn")
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_when_the_arrays_cannot_be_written(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snnir.export.snn import writer as module  # noqa: PLC0415

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_safetensors", full)
    network = network_in(samples / "digits" / "digits.snn")
    with pytest.raises(SnnirError, match="No space left"):
        written(network, tmp_path / "a.snn")
    assert not list(tmp_path.iterdir())


def test_every_preset_is_named() -> None:
    assert snn_text.semantics(Semantics(), "lif") == "using nir"
    for name in PRESETS:
        for model in PARAMETERS:
            text = snn_text.semantics(preset(name, model), model)
            assert preset(text.removeprefix("using "), model) == preset(name, model)
    assert snn_text.semantics(Semantics(reset="subtract", spikes=3), "if") == "using nir(reset = subtract, spikes = 3)"


@example(value=5e-6)
@example(value=2.5e-4)
@example(value=3e-10)
@given(value=st.floats(1e-12, 1e6))
def test_times_are_read_as_they_were(value: float) -> None:
    from fractions import Fraction  # noqa: PLC0415

    number, unit = snn_text.seconds(value).split(" ")
    assert float(Fraction(number) / {"s": 1, "ms": 1000, "us": 10**6}[unit]) == value


def test_a_weights_file_may_be_the_one_that_is_read(samples: Path, tmp_path: Path) -> None:
    for ending in ("snn", "safetensors"):
        text = (samples / "digits" / f"digits.{ending}").read_bytes()
        (tmp_path / f"digits.{ending}").write_bytes(text.replace(b"../platforms", bytes(samples / "platforms")))
    network = network_in(tmp_path / "digits.snn")
    written(network, tmp_path / "digits.snn")
    assert tensors.keys_of(tmp_path / "digits.safetensors")
    assert description(network_in(tmp_path / "digits.snn")) == description(network)
