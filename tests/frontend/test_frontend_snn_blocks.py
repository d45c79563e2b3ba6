"""Blocks, instances and includes of the `.snn` language."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from xdsl.dialects.builtin import CallSiteLoc, FileLineColLoc, ModuleOp

from snnir.dialects.places import place_of
from snnir.dialects.snn import NeuronOp, networks
from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import scope as snn_scope
from snnir.frontend.snn.reader import read

Read = Callable[..., ModuleOp]
ErrorOf = Callable[[Callable[[], object]], SnnirError]

CELL = "if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir"
PROGRAM = f"""let cell = {CELL}
block layer(source, n, w, late) {{
  let twice = 2 * n
  population cells[twice] : cell
  signal drive = source : dense(weights = w, delay = late)
  drive -> cells : direct
  instance memory : recurrent(who = cells, late = late)
  output seen = cells
}}
block recurrent(who, late) {{
  who -> who : one_to_one(weights = -1, delay = late)
}}
network net {{
  dt = 1 ms
  input a[2]
  instance l1 : layer(source = a, n = 1, w = [[1, 2], [3, 4]], late = 1)
  instance l2 : layer(source = l1.cells, n = 1, w = "turned2", late = 2 ms)
  output o = l2.cells
  weights = "w.safetensors"
}}
"""
FLAT = f"""network net {{
  dt = 1 ms
  input a[2]
  population l1.cells[2] : {CELL}
  signal l1.drive = a : dense(weights = [[1, 2], [3, 4]], delay = 1)
  l1.drive -> l1.cells : direct
  l1.cells -> l1.cells : one_to_one(weights = -1, delay = 1)
  output l1.seen = l1.cells
  population l2.cells[2] : {CELL}
  signal l2.drive = l1.cells : dense(weights = [[5, 6], [7, 8]], delay = 2)
  l2.drive -> l2.cells : direct
  l2.cells -> l2.cells : one_to_one(weights = -1, delay = 2)
  output l2.seen = l2.cells
  output o = l2.cells
}}
"""


def test_instances_are_their_declarations(read_snn: Read) -> None:
    """A program with blocks equals the one that is written out, names with prefixes."""
    text = PROGRAM.replace('"turned2"', "[[5, 6], [7, 8]]")
    assert str(read_snn(text)) == str(read_snn(FLAT))


def test_blocks_in_any_order(read_snn: Read) -> None:
    """A block may stand below those that use it; only constants are defined first."""
    text = PROGRAM.replace('"turned2"', "[[5, 6], [7, 8]]")
    first, second = text.index("block layer"), text.index("block recurrent")
    end = text.index("network net")
    assert str(read_snn(text[:first] + text[second:end] + text[first:second] + text[end:])) == str(read_snn(text))


def test_what_a_parameter_can_be(read_snn: Read) -> None:
    """Words, models, presets, texts, lists, signals; passed on from block to block."""
    text = f"""
    block outer(model, how, semantics, where, from_file, shape_of) {{
      instance in : inner(model = model, how = how, semantics = semantics, where = where, key = from_file, n = shape_of)
    }}
    block inner(model, how, semantics, where, key, n) {{
      population p[n x 2 x 2] : model(threshold = 2) using semantics
      where -> p : conv2d(weights = key, padding = how)
    }}
    let cell = {CELL}
    network net {{
      dt = 1 ms
      input x[1x2x2]
      let key = [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]
      instance a : outer(model = cell, how = same, semantics = spyx, where = x, from_file = key, shape_of = 1)
    }}"""
    flat = """
    network net {
      dt = 1 ms
      input x[1x2x2]
      population a.in.p[1x2x2] : if(r = 1.0, threshold = 2.0, v_reset = 0.0) using spyx
      x -> a.in.p : conv2d(weights = [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]], padding = [1, 1])
    }"""
    assert str(read_snn(text)) == str(read_snn(flat))


def test_names_of_the_network_are_seen_in_blocks(read_snn: Read) -> None:
    """But the block's own come first."""
    text = f"""
    block b() {{
      population cells[n] : {CELL}
      a -> cells : dense(weights = [[1], [1]])
      cells -> other : dense(weights = [[1, 1]])
    }}
    network net {{
      dt = 1 ms
      let n = 2
      input a[1]
      population cells[1] : {CELL}
      population other[1] : {CELL}
      instance i : b()
      i.cells -> cells : dense(weights = [[1, 2]])
    }}"""
    names = {
        op.sym_name.data: op.size for op in next(networks(read_snn(text))).body.block.ops if isinstance(op, NeuronOp)
    }
    assert names == {"cells": 1, "other": 1, "i.cells": 2}


def test_blocks_do_not_see_the_names_of_blocks_that_use_them(read_snn: Read) -> None:
    """What a name means is decided where the block is written, not where it is used."""
    text = f"""
    block outer(n) {{
      population p[n] : {CELL}
      instance i : inner()
    }}
    block inner() {{ population q[n] : {CELL} x -> q : direct }}
    network net {{
      dt = 1 ms
      let n = 2
      input x[2]
      instance o : outer(n = 5)
    }}"""
    sources = next(networks(read_snn(text))).sources
    assert {name: op.size for name, op in sources.items()} == {"x": 2, "o.p": 5, "o.i.q": 2}


def test_stimuli_in_blocks(read_snn: Read) -> None:
    text = """
    block source(hertz) {
      input x[2]
      generate x : poisson(rate = hertz, seed = 1)
    }
    network net { dt = 1 ms instance s : source(hertz = 20 Hz) output y = s.x }"""
    assert 'snn.input @"s.x" {stimulus = {kind = "poisson", rate = 2.0' in str(read_snn(text)).replace("@s.x", '@"s.x"')


def test_locations_are_call_sites(read_snn: Read, tmp_path: Path) -> None:
    """An op of a block comes from the block, called from the instance."""
    op = next(networks(read_snn(PROGRAM.replace('"turned2"', "[[5, 6], [7, 8]]")))).sources["l2.cells"]
    assert isinstance(op.location, CallSiteLoc)
    assert place_of(op) == f"{tmp_path}/net.snn:4:14"
    caller = op.location.caller
    assert isinstance(caller, FileLineColLoc)
    assert (caller.line.data, caller.column.data) == (17, 12)


def test_the_whole_text_of_an_error(read_snn: Read, error_of: ErrorOf, tmp_path: Path) -> None:
    """The line of the block, what it was given, and the instance."""
    error = error_of(lambda: read_snn(PROGRAM))
    file = f"{tmp_path}/net.snn"
    assert (
        str(error)
        == f"""{file}:5:43: error: no tensor 'turned2' in {tmp_path}/w.safetensors
    signal drive = source : dense(weights = w, delay = late)
                                            ^
  {file}:17:53: 'w' is given here
      instance l2 : layer(source = l1.cells, n = 1, w = "turned2", late = 2 ms)
                                                        ^^^^^^^^^
  {file}:17:12: in instance 'l2' of block 'layer'
      instance l2 : layer(source = l1.cells, n = 1, w = "turned2", late = 2 ms)
               ^^
  fix: did you mean 'turned'?"""
    )


ERRORS = [
    # what is replaced, by what, words of the message, of the hint, of the places below
    (": layer(source = a", ": layr(source = a", "there is no block 'layr'", "did you mean 'layer'?", ""),
    ("source = a, ", "", "instance 'l1' lacks source", "layer takes source, n, w, late", "the block is defined here"),
    ("n = 1, w = [[", "m = 1, w = [[", "no parameter of block layer 'm'", "", ""),
    ("n = 1, w = [[", "n = 1, n = 2, w = [[", "'n' is given twice", "keep one", ""),
    ("n = 1, w = [[", '"n", w = [[', "a text without a name", "name = value", ""),
    ("instance l2 :", "instance l1 :", "'l1' is declared twice", "different names", "'l1' is declared here"),
    (
        "output o = l2.cells",
        "output o = l3.cells",
        "there is no input or population 'l3.cells'",
        "did you mean 'l2.cells'?",
        "",
    ),
    ("source = a,", "source = b,", "there is no input or population 'b'", "", "as 'source' here"),
    ("source = a,", "source = 3,", "'source' is a plain number, no input or population", "", "'source' is given here"),
    ("source = a,", "source = o,", "'source' is an output, which only the host reads", "what the output reads", ""),
    ("(who = cells", "(who = w", "'who' is a list, no population", "", "in instance 'l1.memory' of block 'recurrent'"),
    ("population cells[", "population n[", "'n' is declared twice", "", "in instance 'l1' of block 'layer'"),
    ("let twice = 2 * n", "let twice = 2 * n let n = 1", "'n' is declared twice", "", "in instance 'l1'"),
    ("let twice = 2 * n", "let twice = 2 * m", "there is no constant 'm'", "", "in instance 'l1' of block 'layer'"),
    (
        "block recurrent(who, late)",
        "block recurrent(who, who)",
        "the parameter 'who' is named twice",
        "rename",
        "the first one",
    ),
    ("block recurrent", "block layer", "the block 'layer' is defined twice", "rename", "the other one"),
    (
        "  who -> who",
        "  instance x : layer() who -> who",
        "block 'layer' contains itself (layer -> recurrent -> layer)",
        "",
        "",
    ),
    (
        "  who -> who",
        "  instance x : recurrent() who -> who",
        "block 'recurrent' contains itself (recurrent -> recurrent)",
        "",
        "",
    ),
    ("drive -> cells : direct", "drive -> cell : direct", "'cell' is a neuron model, no population", "", ""),
    (
        "drive -> cells : direct",
        "drive -> drive : direct",
        "'drive' is a signal, which takes no proj",
        "signal drive =",
        "",
    ),
    (
        "drive -> cells : direct",
        "drive -> seen : direct",
        "'seen' is an output, which takes no proj",
        "output seen =",
        "",
    ),
    (
        "input a[2]",
        "input a[2] population l2.cells[1] : cell",
        "'l2.cells' is declared twice",
        "an instance has",
        "in instance",
    ),
]


@pytest.mark.parametrize(("old", "new", "message", "hint", "below"), ERRORS)
def test_wrong_blocks(
    read_snn: Read, error_of: ErrorOf, old: str, new: str, message: str, hint: str, below: str
) -> None:
    assert old in PROGRAM
    text = PROGRAM.replace('"turned2"', "[[5, 6], [7, 8]]")
    error = error_of(lambda: read_snn(text.replace(old, new, 1)))
    assert message in error.message
    assert hint in error.hint
    assert below in error.excerpt


def test_instances_cannot_blow_up(read_snn: Read, error_of: ErrorOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that hold two instances of the next double the program at each level."""
    monkeypatch.setattr(snn_scope, "DECLARATION_LIMIT", 1000)
    blocks = [f"block b{i}() {{ instance x : b{i + 1}() instance y : b{i + 1}() }}" for i in range(20)]
    text = "\n".join([*blocks, "block b20() { }", "network n { dt = 1 instance i : b0() }"])
    error = error_of(lambda: read_snn(text))
    assert error.message == "the program has more than 1000 declarations"
    assert "in instance 'i" in error.excerpt


def test_instances_cannot_be_too_deep(read_snn: Read, error_of: ErrorOf) -> None:
    blocks = [f"block b{i}() {{ instance x : b{i + 1}() }}" for i in range(1000)]
    text = "\n".join([*blocks, "block b1000() { }", "network n { dt = 1 instance i : b0() }"])
    error = error_of(lambda: read_snn(text))
    assert error.message == "instances are nested deeper than 32"
    assert len(error.excerpt.splitlines()) <= 26


def test_many_parameters_passed_down_stay_readable(read_snn: Read, error_of: ErrorOf) -> None:
    """An error thirty blocks deep shows its nearest places."""
    blocks = [f"block b{i}(p) {{ instance x : b{i + 1}(p = p) }}" for i in range(30)]
    text = "\n".join(
        [
            *blocks,
            "block b30(p) { population q[p] : if(r = 1, threshold = 1, v_reset = 0) using nir }",
            "network n { dt = 1 instance i : b0(p = v) }",
        ]
    )
    error = error_of(lambda: read_snn(text))
    assert "there is no constant 'v'" in error.message or "a shape is made of" in error.message
    assert len(error.excerpt.splitlines()) <= 26


# -- includes ---------------------------------------------------------------------------------------------------------

MAIN = """include "lib/neurons.snn"
network net {
  dt = 1 ms
  input a[1]
  population p[1] : cell
  instance i : pair(source = p)
  output y = i.second
}
"""
NEURONS = """# A library.
include "values.snn"
include "../lib/values.snn"
let cell = if(r = 1.0, threshold = level, v_reset = 0.0) using nir
block pair(source) {
  population second[1] : cell
  source -> second : sparse(file = "synapses.csv")
}
"""
VALUES = "let level = 15 mV\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A program and the files that it includes."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "net.snn").write_text(MAIN)
    (tmp_path / "lib" / "neurons.snn").write_text(NEURONS)
    (tmp_path / "lib" / "values.snn").write_text(VALUES)
    (tmp_path / "lib" / "synapses.csv").write_text("0,0,0.5\n")
    return tmp_path


def test_includes(library: Path) -> None:
    """Paths are relative to the file that names them; a file is read once."""
    op = next(networks(read(library / "net.snn", FrontendOptions()))).sources["i.second"]
    assert isinstance(op, NeuronOp)
    assert op.parameters["threshold"] == 0.015
    assert place_of(op) == f"{library}/lib/neurons.snn:6:14"


INCLUDES = [
    # file, what is replaced, by what, place, words of the message, of the hint, of the places below
    ("net.snn", "lib/neurons", "lib/neuron", "net.snn:1:9", "there is no file {0}/lib/neuron.snn", "folder of", ""),
    ("lib/values.snn", "let", 'include "neurons.snn" let', "lib/values.snn:1:9", "neurons.snn includes itself", "", ""),
    ("lib/values.snn", "let", 'include "../net.snn" let', "lib/values.snn:1:9", "net.snn includes itself", "", ""),
    ("lib/values.snn", "15 mV", "15 mA", "lib/values.snn:1:16", "no unit 'mA'", "", "net.snn:1:9: included here"),
    (
        "lib/values.snn",
        "level",
        "^",
        "lib/values.snn:1:5",
        "unexpected character",
        "",
        "neurons.snn:2:9: included here",
    ),
    (
        "lib/values.snn",
        "15 mV",
        "x",
        "lib/values.snn:1:13",
        "there is no constant 'x'",
        "",
        "net.snn:1:9: included here",
    ),
    ("lib/values.snn", "let", "network x { } let", "lib/values.snn:1:15", "unexpected `let`", "holds one network", ""),
    (
        "lib/values.snn",
        "let level = 15 mV",
        "network x { }",
        "lib/values.snn:1:9",
        "a network in an included",
        "main",
        "",
    ),
    (
        "lib/values.snn",
        "15 mV",
        "15 ms",
        "lib/neurons.snn:4:36",
        "threshold is a voltage",
        "",
        "values.snn:1:5: 'level'",
    ),
    (
        "lib/neurons.snn",
        "second[1]",
        "second[0]",
        "lib/neurons.snn:6:14",
        "has the shape 0",
        "",
        "net.snn:6:12: in inst",
    ),
    ("lib/synapses.csv", "0,0,0.5", "0,0,x", "lib/synapses.csv:1", "'x' is no number", "", ""),
]


@pytest.mark.parametrize(("file", "old", "new", "place", "message", "hint", "below"), INCLUDES)
def test_wrong_includes(
    library: Path, error_of: ErrorOf, file: str, old: str, new: str, place: str, message: str, hint: str, below: str
) -> None:
    path = library / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    error = error_of(lambda: read(library / "net.snn", FrontendOptions()))
    assert message.format(library) in error.message
    assert hint in error.hint
    assert error.place.replace("lib/../lib", "lib") == f"{library}/{place}"
    assert below in error.excerpt


def test_too_many_includes(tmp_path: Path, error_of: ErrorOf) -> None:
    for i in range(200):
        (tmp_path / f"f{i}.snn").write_text(f'include "f{i + 1}.snn"\n')
    error = error_of(lambda: read(tmp_path / "f0.snn", FrontendOptions()))
    assert error.message == "more than 100 files are included"


def test_a_file_without_a_network(tmp_path: Path, error_of: ErrorOf) -> None:
    (tmp_path / "net.snn").write_text("let a = 1\n\n")
    error = error_of(lambda: read(tmp_path / "net.snn", FrontendOptions()))
    assert error.message == "the file holds constants and blocks, but no network"
    assert error.place == f"{tmp_path}/net.snn:1:9"
