"""The `.snn` language: what each construct becomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import DenseOp, InputOp, NetworkOp, NeuronOp, ScaleOp, networks
from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from snnir.semantics import Semantics, preset

LIF = "lif(tau = 5e-3, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0)"
PROGRAM = f"""# A comment.
network net {{
  dt = 1e-3
  steps = 25
  weights = "w.safetensors"

  input a[2]   # two pixels
  population b[3] : {LIF} using nir
  a -> b : dense(weights = "fc.weight", bias = "fc.bias")
  b -> b : dense(weights = "rec.weight", delay = 1)
  output o = b
}}
"""
Read = Callable[..., ModuleOp]


def network(module: ModuleOp) -> NetworkOp:
    """The only network of a module."""
    (found,) = networks(module)
    return found


def test_text(read_snn: Read) -> None:
    """Inputs, then projections before their population (the recurrent one reads ahead), then outputs."""
    expected = """\
builtin.module {
  snn.network @net dt 0.001 steps 25 {
    %a = snn.input @a : !snn.signal<2, spike>
    %fc = snn.dense %a weights #snn.tensor<"fc.weight", 3x2xf32, [0.5, -1.0, 0.25, 2.0, 1.0, 0.0]> bias \
#snn.tensor<"fc.bias", 3xf32, [0.0, 0.5, -0.5]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
    %rec = snn.dense %b weights #snn.tensor<"rec.weight", 3x3xf32, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]> \
delay 1 : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %b = snn.lif @b(%fc, %rec) with (tau = 0.005, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using <nir> \
: !snn.signal<3, spike>
    snn.output @o %b : !snn.signal<3, spike>
  }
}"""
    assert str(read_snn(PROGRAM)).strip() == expected


def test_text_is_parsed_back(read_snn: Read, reparsed: Callable[[ModuleOp], str]) -> None:
    """Text -> IR -> text is the identity, forward references included."""
    module = read_snn(PROGRAM)
    module.verify()
    assert reparsed(module) == str(module)


def test_every_op_has_the_place_of_its_declaration(read_snn: Read) -> None:
    """Line and column, from 1."""
    body = network(read_snn(PROGRAM)).body.block
    places = {op.name: op.location for op in body.ops if isinstance(op.location, FileLineColLoc)}
    assert len(list(body.ops)) == 5
    assert all(isinstance(op.location, FileLineColLoc) for op in body.ops)
    found = {name: (place.line.data, place.column.data) for name, place in places.items()}
    assert found == {"snn.input": (7, 9), "snn.dense": (10, 3), "snn.lif": (8, 14), "snn.output": (11, 10)}


def test_weights_stay_in_their_file(read_snn: Read) -> None:
    """Tensors of the weights file are memory-mapped views, not copies, and keep their key."""
    (dense, _) = [op for op in network(read_snn(PROGRAM)).body.block.ops if isinstance(op, DenseOp)]
    assert isinstance(dense.weights, TensorAttr)
    assert not isinstance(dense.weights.data.source, np.ndarray)
    assert dense.weights.data.key == "fc.weight"
    assert dense.weights.array.tolist() == [[0.5, -1.0], [0.25, 2.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0.25", 0.25),
        ("[4e-3, 5e-3, 6e-3]", [4e-3, 5e-3, 6e-3]),
        ('"taus"', [4e-3, 5e-3, 6e-3]),
        ("[5e-3, 5e-3, 5e-3]", 5e-3),
    ],
)
def test_parameters(read_snn: Read, given: str, expected: Any) -> None:
    """A number, a list, a key; a list of equal numbers is one number."""
    op = network(read_snn(PROGRAM.replace("tau = 5e-3", f"tau = {given}"))).sources["b"]
    assert isinstance(op, NeuronOp)
    found = op.parameters["tau"]
    assert (found.tolist() if isinstance(found, np.ndarray) else found) == expected


def test_inline_tensors_have_their_own_keys(read_snn: Read) -> None:
    """`<source>_to_<target>.weight` and `<population>.<parameter>`, different for different tensors."""
    text = PROGRAM.replace('"fc.weight", bias = "fc.bias"', "[[1,2],[3,4],[5,6]], bias = [1,2,3]")
    text = text.replace("tau = 5e-3", "tau = [4e-3, 5e-3, 6e-3]")
    text = text.replace("  output", "  a -> b : dense(weights = [[1,2],[3,4],[5,7]], bias = 2)\n  output")
    ops = list(network(read_snn(text)).body.block.ops)
    attributes = [value for op in ops for value in op.properties.values() if isinstance(value, TensorAttr)]
    keys = [value.data.key for value in attributes]
    assert keys == [
        "a_to_b.weight", "a_to_b.bias", "rec.weight", "a_to_b_2.weight", "a_to_b_2.bias", "b.tau",
    ]  # fmt: skip
    assert attributes[4].array.tolist() == [2.0, 2.0, 2.0]


def test_one_to_one_slices_and_shapes(read_snn: Read) -> None:
    """Slices choose neurons; a signal of several dimensions is flattened for a dense projection, once."""
    text = f"""network net {{
      dt = 1e-3
      input a[2x2]
      population b[2x2] : {LIF} using nir
      population c[2] : {LIF} using nir
      a -> b : one_to_one(weights = 0.5, delay = 3)
      a[0, 2:4] -> c : dense(weights = [[1,2,3],[4,5,6]], scale = [0.5, 2])
      b[3, 0] -> c : one_to_one(weights = [1, -1])
      b -> c : dense(weights = [[1,2,3,4],[4,5,6,7]])
      b -> c : dense(weights = [[1,2,3,4],[4,5,6,8]], delay = 2)
    }}"""
    module = read_snn(text)
    ops = list(network(module).body.block.ops)
    assert [op.name.removeprefix("snn.") for op in ops] == [
        "input", "scale", "lif", "slice", "dense", "slice", "scale", "flatten", "dense", "dense", "lif",
    ]  # fmt: skip
    lines = str(module).splitlines()
    assert "%a_slice = snn.slice %a [0, 2:4] : !snn.signal<2x2, spike> -> !snn.signal<3, spike>" in lines[5]
    assert "%b_slice = snn.slice %b [3, 0]" in lines[7]
    assert 'scale #snn.tensor<"a_to_c.scale", 2xf64, [0.5, 2.0]>' in lines[6]
    assert isinstance(ops[1], ScaleOp)
    assert ops[1].delay.data == 3
    module.verify()


def test_soft_keywords(read_snn: Read) -> None:
    """The words of the language, and names with dots, are names too."""
    text = f"""network network {{ dt = 1e-3
      input input[1]
      population population[1] : {LIF} using nir
      population lif1.lif[1] : {LIF} using nir
      input -> population : one_to_one(weights = 1)
      population -> lif1.lif : one_to_one(weights = 1,)
      output output = population }}"""
    op = network(read_snn(text))
    assert op.sym_name.data == "network"
    assert [*op.sources, *op.outputs] == ["input", "population", "lif1.lif", "output"]


def test_names_in_the_text_survive_printing(read_snn: Read, reparsed: Callable[[ModuleOp], str]) -> None:
    """Numbered names would lose their numbers one by one when parsed and printed."""
    text = f"""network n {{ dt = 1e-3
      input _1[1]
      population a_1_2[1] : {LIF} using nir
      population a_1[1] : {LIF} using nir
      _1 -> a_1_2 : one_to_one(weights = 1)
      a_1_2 -> a_1 : dense(weights = [[1]]) }}"""
    module = read_snn(text)
    assert reparsed(module) == str(module)


@pytest.mark.parametrize(
    ("using", "expected"),
    [
        ("using nir", Semantics()),
        ("using snntorch(reset = subtract_repeat)", Semantics(reset="subtract_repeat")),
        ("using spyx", Semantics(reset="subtract", out_delay=1)),
        ("using nir(refractory = 3, spikes = 1)", Semantics(refractory=3)),
        ("using nir(refractory = 2 ms, out_delay = 1)", Semantics(refractory=2, out_delay=1)),
        ("using nir(reset = subtract, spikes = 4)", Semantics(reset="subtract", spikes=4)),
        ("using sinabs", preset("sinabs", "lif")),
        ("using nir()", Semantics()),
        ("using nir(reset = subtract, compare = ge,)", Semantics(reset="subtract", compare="ge")),
        ("using norse(decay = exp, order = mem_first)", Semantics(decay="exp", order="mem_first")),
    ],
)
def test_semantics(read_snn: Read, using: str, expected: Semantics) -> None:
    """A preset and what differs from it."""
    op = network(read_snn(PROGRAM.replace("using nir", using))).sources["b"]
    assert isinstance(op, NeuronOp)
    assert op.semantics.data == expected


def test_options_fill_what_the_program_leaves_open(read_snn: Read) -> None:
    """`--dt`, `--steps` and `--semantics`."""
    text = PROGRAM.replace("  dt = 1e-3\n", "").replace("  steps = 25\n", "").replace(" using nir", "")
    op = network(read_snn(text, dt=2e-3, steps=7, semantics="spyx"))
    neuron = op.sources["b"]
    assert isinstance(neuron, NeuronOp)
    assert op.steps is not None
    assert (op.step_seconds, op.steps.data, neuron.semantics.data.out_delay) == (2e-3, 7, 1)
    neuron = network(read_snn(text, dt=2e-3, semantics="snntorch", reset="subtract")).sources["b"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.semantics.data == Semantics(reset="subtract_repeat")
    assert network(read_snn(text, dt=2e-3, semantics="nir")).steps is None


def test_options_may_repeat_what_the_program_says(read_snn: Read) -> None:
    """Only contradictions are errors."""
    assert str(read_snn(PROGRAM, dt=1e-3, steps=25, semantics="nir")) == str(read_snn(PROGRAM))


def test_platform(read_snn: Read, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The machine becomes an attribute of the module; `--platform` replaces it with a note."""
    (tmp_path / "small.toml").write_bytes((samples / "platforms" / "mesh2x2-32.toml").read_bytes())
    text = PROGRAM.replace("  steps", '  platform = "small.toml"\n  steps')
    machine = machine_of(read_snn(text))
    assert machine is not None
    assert machine.crossbar.rows == 32
    assert not capsys.readouterr().err
    large = samples / "platforms" / "mesh2x2-128.toml"
    machine = machine_of(read_snn(text, platform=large))
    assert machine is not None
    assert machine.crossbar.rows == 128
    assert (
        capsys.readouterr().err
        == f"{tmp_path}/net.snn:4:14: note: --platform {large} replaces the platform named here\n"
    )
    assert machine_of(read_snn(PROGRAM)) is None


def test_integer_weights_have_a_scale(read_snn: Read) -> None:
    """They stay integers; the scale is part of the projection."""
    module = read_snn(PROGRAM.replace('"fc.weight"', '"integers", scale = 0.125'))
    assert '#snn.tensor<"integers", 3x2xi8, [1, 2, 3, 4, 5, 6]> bias' in str(module)
    assert "scale 0.125 :" in str(module)


def test_windows_line_ends_tabs_and_byte_order_mark(read_snn: Read) -> None:
    """They change nothing but the columns."""
    text = PROGRAM.replace("\n", "\r\n").replace("  ", "\t")
    assert str(read_snn(b"\xef\xbb\xbf" + text.encode())) == str(read_snn(PROGRAM))


def test_a_network_needs_no_population(read_snn: Read) -> None:
    """An output may show an input."""
    op = network(read_snn("network echo { dt = 1 input a[3] output b = a }"))
    assert isinstance(op.outputs["b"].signal.owner, InputOp)


def test_path_may_be_text(tmp_path: Path) -> None:
    """`read` takes a str as well, and says it as given."""
    with pytest.raises(SnnirError, match=r"^nowhere\.snn: error: no such file"):
        snn.read("nowhere.snn", FrontendOptions())
