"""The `.nir` reader as a whole: order and places of the ops, equality with other formats, options, memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nir_files import Edges, chain, h5py, lif, network, nir, read, replaced, sink, source, written
from xdsl.dialects.builtin import ModuleOp, NameLoc

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import DenseOp, NeuronOp, WeightedOp
from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn_frontend

Read = Callable[..., ModuleOp]
WEIGHT = np.array([[0.5, -1.0], [0.25, 2.0], [1.0, 0.0]], np.float32)


def plain() -> tuple[dict[str, Any], Edges]:
    """2 -> 3 recurrent neurons; the arrays are those of `w.safetensors` (see conftest.py)."""
    nodes = {
        "a": source(2),
        "fc": nir.Affine(weight=WEIGHT, bias=np.array([0.0, 0.5, -0.5], np.float32)),
        "rec": nir.Linear(weight=np.eye(3, dtype=np.float32)),
        "b": lif(3),
        "o": sink(3),
    }
    return nodes, [("a", "fc"), ("fc", "b"), ("b", "rec"), ("rec", "b"), ("b", "o")]


def bare(module: ModuleOp) -> str:
    """The text of a module without what is kept for writing the file again."""
    op = network(module)
    for each in (op, *op.body.block.ops):
        each.attributes.pop("nir", None)
    return str(module)


PROGRAM = """network net {
  dt = 1e-3
  weights = "w.safetensors"
  input a[2]
  population b[3] : lif(tau = 5e-3, r = 5.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  a -> b : dense(weights = "fc.weight", bias = "fc.bias")
  b -> b : dense(weights = "rec.weight", delay = 1)
  output o = b
}"""


def test_the_same_network_in_both_formats(tmp_path: Path, read_snn: Read) -> None:
    """`.nir` and `.snn` give the same text."""
    assert bare(read(written(tmp_path / "net.nir", *plain()))) == str(read_snn(PROGRAM))


@pytest.mark.parametrize("name", ["digits", "digits_recurrent"])
def test_the_samples_in_both_formats(samples: Path, name: str) -> None:
    """The shipped `.nir` files are the shipped programs."""
    folder = samples / "digits"
    if not (folder / f"{name}.nir").exists():
        pytest.skip("samples/digits is not trained")
    program = snn_frontend.read(folder / f"{name}.snn", FrontendOptions())
    platform = samples / "platforms" / "mesh2x2-128.toml"
    assert bare(read(folder / f"{name}.nir", steps=25, platform=platform)) == str(program)


def test_text_is_parsed_back(tmp_path: Path, reparsed: Callable[[ModuleOp], str]) -> None:
    """With everything that is kept of the file."""
    module = read(written(tmp_path / "net.nir", *plain()))
    assert "nir = {" in str(module)
    assert reparsed(module) == str(module)


def test_every_op_has_its_place_in_the_file(tmp_path: Path) -> None:
    module = read(written(tmp_path / "net.nir", *plain()))
    places = [op.location for op in network(module).body.block.ops]
    names = [place.desc.data.removeprefix(f"{tmp_path}/") for place in places if isinstance(place, NameLoc)]
    assert names == [f"net.nir:/nodes/{node}" for node in ["a", "fc", "rec", "b", "o"]]


def test_order(tmp_path: Path) -> None:
    """Populations in layers and by name; of a cycle the edge that leads back waits a step."""
    nodes: dict[str, Any] = {name: lif(1) for name in ("z", "y", "x", "late")}
    nodes |= {"in2": source(1), "in1": source(1), "out2": sink(1), "out1": sink(1)}
    edges = [("in1", "z"), ("in2", "y"), ("z", "x"), ("x", "late"), ("late", "z"), ("late", "late"), ("y", "late")]
    op = network(read(written(tmp_path / "net.nir", nodes, [*edges, ("late", "out1"), ("in1", "out2")])))
    assert list(op.sources) == ["in1", "in2", "y", "z", "x", "late"]
    assert list(op.outputs) == ["out1", "out2"]
    into = {
        name: [value.name_hint for value in each.inputs]
        for name, each in op.sources.items()
        if isinstance(each, NeuronOp)
    }
    assert into == {
        "y": ["in2_to_y"],
        "z": ["in1_to_z", "late_late_to_z"],
        "x": ["z_to_x"],
        "late": ["y_to_late", "x_to_late", "late_late_to_late"],
    }


def test_the_order_of_a_file_does_not_matter(tmp_path: Path) -> None:
    nodes, edges = plain()
    first = bare(read(written(tmp_path / "net.nir", nodes, edges)))
    turned = dict(reversed(nodes.items()))
    assert bare(read(written(tmp_path / "net.nir", turned, edges[::-1]))) == first


def test_numbers_keep_their_type(tmp_path: Path) -> None:
    """float32 and float64 stay; integers become float64, float16 becomes float32, both exactly."""
    for dtype, element in (("f4", "f32"), ("f8", "f64"), ("i1", "f64"), ("u2", "f64"), (">f4", "f32"), ("f2", "f32")):
        array = np.arange(6).reshape(3, 2).astype(dtype)
        nodes = {"a": source(2), "w": nir.Linear(weight=array), "n": lif(3), "o": sink(3)}
        module = read(written(tmp_path / "net.nir", nodes, chain("a", "w", "n", "o")))
        (dense,) = (op for op in network(module).body.block.ops if isinstance(op, DenseOp))
        assert isinstance(dense.weights, TensorAttr)
        assert (dense.weights.data.element, dense.weights.data.key) == (element, "w.weight")
        assert np.array_equal(dense.weights.array, array)


def test_parameters_are_numbers_or_tensors(tmp_path: Path) -> None:
    """Equal bytes in all entries give a number; a negative zero is another number than zero."""
    node = lif(3, tau=[4e-3, 5e-3, 6e-3], r=[4.0, 5.0, 6.0], v_leak=[0.0, 0.0, 0.0])
    node.tau = node.tau.astype(np.float32)
    nodes = {"a": source(3), "n": node, "o": sink(3)}
    op = network(read(written(tmp_path / "net.nir", nodes, chain("a", "n", "o")))).sources["n"]
    assert isinstance(op, NeuronOp)
    tau = op.properties["tau"]
    assert isinstance(tau, TensorAttr)
    assert (tau.data.key, tau.data.element) == ("n.tau", "f32")
    assert op.parameters["v_leak"] == 0.0


def test_names_that_are_no_symbols(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are changed, differently for different names, and that is said."""
    nodes = {"0": source(1), "n0": lif(1), "a b": lif(1), "a_b": lif(1), "lif1.lif": lif(1), "\u00e9": sink(1)}
    op = network(read(written(tmp_path / "2 nets.nir", nodes, chain(*nodes))))
    assert [op.sym_name.data, *op.sources, *op.outputs] == [
        "n2_nets", "n0_2", "n0", "a_b_2", "a_b", "lif1.lif", "_",
    ]  # fmt: skip
    changed = "'0' is n0_2, 'a b' is a_b_2, '\u00e9' is _"
    assert f"2 nets.nir: note: names that are no valid symbols were changed: {changed}\n" in capsys.readouterr().err


def test_notes_stand_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error is not followed by what would have been assumed."""
    path = written(tmp_path / "net.nir", *plain())
    with pytest.raises(SnnirError):
        read(path, dt=1.0)
    assert not capsys.readouterr().err


def test_neurons_that_nothing_feeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They may fire all the same."""
    nodes, edges = plain()
    path = written(tmp_path / "net.nir", {**nodes, "self": lif(2, v_leak=2.0), "p": sink(2)}, [*edges, ("self", "p")])
    assert "self" in network(read(path)).sources
    assert "/nodes/self: note: nothing feeds this LIF node\n" in capsys.readouterr().err


def test_options(tmp_path: Path, samples: Path) -> None:
    """Steps, semantics and the machine."""
    path = written(tmp_path / "net.nir", *plain())
    module = read(path, steps=9, semantics="sinabs", platform=samples / "platforms" / "mesh2x2-64.toml")
    op, machine = network(module), machine_of(module)
    assert op.steps is not None
    assert op.steps.data == 9
    neuron = op.sources["b"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.semantics.data.decay == "exp"
    assert machine is not None
    assert machine.name == "mesh2x2-64"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"semantics": "nirr"}, "--semantics: no semantics preset 'nirr'"),
        ({"reset": "zero"}, "--reset: 'zero' is not a value of reset"),
        ({"dt": 0.0}, "dt = 0 is not a positive number of seconds"),
        ({"dt": float("nan")}, "dt = nan is not a positive number of seconds"),
        ({"dt": 0.01}, "tau = 0.005 s is shorter than the step dt = 0.01 s"),
        ({"steps": 0}, "steps = 0, but an inference takes at least one step"),
        ({"platform": Path("nowhere.toml")}, "no such platform file"),
    ],
)
def test_options_are_checked(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    path = written(tmp_path / "net.nir", *plain())
    with pytest.raises(SnnirError) as caught:
        read(path, **options)
    assert message in caught.value.message


def large(path: Path, size: int, **storage: Any) -> Path:
    """A matrix of size x size float32 in a file of h5py's own making, contiguous unless `storage` says otherwise."""
    nodes = {"a": source(size), "w": nir.Linear(weight=np.zeros((1, 1), np.float32)), "o": sink(size)}
    written(path, nodes, chain("a", "w", "o"), replaced({"nodes/w/weight": None}))
    with h5py.File(path, "r+") as file:
        rows = file["node/nodes/w"].create_dataset("weight", (size, size), "f4", **storage)
        for row in range(size):
            rows[row] = np.arange(row, row + size) % 251
    return path


@pytest.mark.parametrize("storage", [{}, {"chunks": (100, 64)}, {"compression": "gzip"}, {"dtype": ">f4"}])
def test_large_arrays_stay_in_the_file(tmp_path: Path, storage: dict[str, Any]) -> None:
    """Their elements and digests are those of arrays in memory, however they are stored."""
    dtype, rest = storage.pop("dtype", "<f4"), storage
    path = large(tmp_path / "net.nir", 700, **rest)
    if dtype == ">f4":
        with h5py.File(path, "r+") as file:
            array = file["node/nodes/w/weight"][()]
            del file["node/nodes/w/weight"]
            file["node/nodes/w"].create_dataset("weight", data=array.astype(dtype))
    (dense,) = (op for op in network(read(path)).body.block.ops if isinstance(op, WeightedOp))
    assert isinstance(dense.weights, TensorAttr)
    tensor = dense.weights.data
    assert not isinstance(tensor.source, np.ndarray)
    rows = np.arange(700)
    expected = ((rows[:, None] + rows[None]) % 251).astype(np.float32)
    digest = type(tensor).of("x", expected).digest
    assert tensor.digest == digest
    assert np.array_equal(tensor.array, expected)
    assert tensor.array.dtype == np.dtype("<f4")
    assert not tensor.array.flags.writeable
    assert tensor.renamed("y").digest == digest


def test_not_finite_in_a_large_array(tmp_path: Path) -> None:
    path = large(tmp_path / "net.nir", 700)
    with h5py.File(path, "r+") as file:
        file["node/nodes/w/weight"][690, 3] = np.inf
    with pytest.raises(SnnirError, match=r"weight holds inf at \[690, 3\]"):
        read(path)


MEASURE = """
import json, sys
from snnir.frontend.nir import reader as nir
from snnir.frontend.options import FrontendOptions
def resident():
    lines = dict(line.split(":") for line in open("/proc/self/status"))
    return int(lines["VmHWM"].split()[0]) / 1024
before = resident()
nir.read(sys.argv[1], FrontendOptions())
print(json.dumps(resident() - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("storage", [{}, {"chunks": (64, 6000)}])
def test_memory(tmp_path: Path, storage: dict[str, Any]) -> None:
    """A file of 144 MB costs a small part of that until its weights are used."""
    path = large(tmp_path / "net.nir", 6000, **storage)
    assert path.stat().st_size > 140e6
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) < 50
