"""Bundles of delayed synapses in every format that can say them, and back; refused by name where none can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nir as _package  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import pytest
from numpy.typing import NDArray

from snnir.dialects.attributes import SemanticsAttr, SignalType, TensorAttr
from snnir.dialects.snn import BundleOp, DenseOp, InputOp, NetworkOp, NeuronOp, OutputOp, ReluOp, networks
from snnir.errors import SnnirError
from snnir.export import write
from snnir.export.sonata.edges import edges_of
from snnir.frontend.nir import reader as nir
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.sim.entry import network_of
from tests.bundled_networks import Weights, array_of, as_sparse, bundled_program, bundles_of, network_in
from tests.export.equality import description
from tests.export.test_export_formats import parsed
from tests.plain_networks import emitted, module_of, tensor

package: Any = _package
KINDS: tuple[Weights, ...] = ("float", "grid", "integer")


def plain(seed: int, weights: Weights = "grid", **options: Any) -> NetworkOp:
    """A random program of neurons as NIR means them."""
    network = network_in(bundled_program(seed, weights, **options))
    for op in network.sources.values():
        if isinstance(op, NeuronOp):
            op.semantics = SemanticsAttr(Semantics())
    return network


def same_spikes(network: NetworkOp, other: NetworkOp, seed: int) -> int:
    """Both emit the same; the number of spikes."""
    first, second = network_of(network), network_of(other)
    rng = np.random.default_rng(seed)
    inputs = {name: (rng.random((2, 40, size)) < 0.3).astype(np.uint8) for name, size in first.inputs.items()}
    expected, found = simulate(first, inputs), simulate(second, inputs)
    for name in "abc":
        assert np.array_equal(found[name], expected[name]), name
    return sum(int(expected[name].sum()) for name in "abc")


# --- our own text


@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_programs_come_back_as_text(seed: int, weights: Weights, tmp_path: Path) -> None:
    network = network_in(bundled_program(seed, weights))
    for name in ("a.snn", "a.mlir"):
        write(network, tmp_path / name, Notes())
    assert description(parsed(tmp_path / "a.mlir")) == description(network)
    (back,) = networks(snn.read(tmp_path / "a.snn", FrontendOptions()))
    assert len(bundles_of(back)) == len(bundles_of(network))
    for op, other in zip(bundles_of(network), bundles_of(back), strict=True):
        assert array_of(other).dtype == array_of(op).dtype
        assert array_of(other).tobytes() == array_of(op).tobytes()
        assert (other.stride, other.delay, other.current_type) == (op.stride, op.delay, op.current_type)
    same_spikes(network, back, seed)
    write(back, tmp_path / "b.snn", Notes())
    (again,) = networks(snn.read(tmp_path / "b.snn", FrontendOptions()))
    assert description(again) == description(back)


# --- NIR


@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_nir_has_a_delay_and_a_matrix_for_each_level(seed: int, weights: Weights, tmp_path: Path) -> None:
    network = plain(seed, weights)
    notes = Notes()
    write(network, tmp_path / "a.nir", notes)
    assert any("bundles are a Delay and a matrix for each delay level" in line for line in notes.lines)
    graph = package.read(tmp_path / "a.nir")
    matrices = sum(type(node).__name__ in ("Linear", "Affine") for node in graph.nodes.values())
    used = [np.flatnonzero(array_of(op).any(axis=(1, 2))).tolist() or [0] for op in bundles_of(network)]
    dense = sum(isinstance(op, DenseOp) for op in network.body.block.ops)
    assert matrices == sum(map(len, used)) + dense
    late = {
        (str(op.source), op.delay.data + level * op.stride.data)
        for op, levels in zip(bundles_of(network), used, strict=True)
        for level in levels
    }
    late |= {(str(op.source), op.delay.data) for op in network.body.block.ops if isinstance(op, DenseOp)}
    delays = [node for node in graph.nodes.values() if type(node).__name__ == "Delay"]
    assert len(delays) == sum(steps > 0 for _, steps in late)
    (back,) = networks(nir.read(tmp_path / "a.nir", FrontendOptions(dt=1e-3)))
    if weights != "float":  # sums of other matrices round otherwise
        same_spikes(network, back, seed)


def test_the_networks_in_nir_files_fire() -> None:
    assert sum(same_spikes(each, each, seed) > 0 for seed in range(6) for each in [plain(seed)]) > 4


# --- single connections


@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_edges_are_those_of_single_synapses(seed: int, weights: Weights) -> None:
    network = network_in(bundled_program(seed, weights, quiet=True))

    def edges(program: NetworkOp) -> dict[tuple[str, str], list[Any]]:
        found: dict[tuple[str, str], list[Any]] = {}
        for ends, each in edges_of(program, Notes()).items():
            rows = zip(*(a.tolist() for a in (each.sources, each.targets, each.delays, each.weights)), strict=True)
            found[ends] = sorted(row for row in rows if row[3])
        return {ends: rows for ends, rows in found.items() if rows}

    assert edges(network) == edges(as_sparse(network))
    for ends, each in edges_of(network, Notes()).items():
        assert each.weights.all(), ends


@pytest.mark.parametrize("seed", range(6))
def test_lists_of_neurons_are_those_of_single_synapses(seed: int, tmp_path: Path) -> None:
    network = network_in(bundled_program(seed, KINDS[seed % 3]))
    notes = Notes()
    write_lists(network, tmp_path / "a", notes)
    write_lists(as_sparse(network), tmp_path / "b", Notes())
    assert connections(tmp_path / "a") == connections(tmp_path / "b")
    assert any("delays are not part of neuron lists" in line for line in notes.lines)


def write_lists(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Write neuron lists."""
    from snnir.export import neuron_list  # noqa: PLC0415

    neuron_list.write(network, path, notes)


def connections(folder: Path) -> list[tuple[int, int, float]]:
    """All connections other than those of weight 0, as (source, target, weight)."""
    ends, weights = ((folder / name).read_text().splitlines() for name in ("connection_info.txt", "weight_info.txt"))
    found: list[tuple[int, int, float]] = []
    for line, values in zip(ends, weights, strict=False):
        source, *targets = map(int, line.split())
        found += [(source, t, float(w)) for t, w in zip(targets, values.split()[1:], strict=True) if float(w)]
    return sorted(found)


# --- ONNX


def relu_behind(raw: NDArray[Any], delay: int = 0) -> tuple[InputOp, BundleOp, ReluOp, OutputOp]:
    """A layer behind a bundle."""
    x = InputOp("x", SignalType.current(raw.shape[2]))
    bundle = BundleOp(x, tensor("w", raw), SignalType.current(raw.shape[1]), stride=3, delay=delay)
    h = ReluOp("h", [bundle.current], SignalType.current(raw.shape[1]))
    return x, bundle, h, OutputOp("y", h)


def test_onnx_files_have_no_delays(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    raw = np.zeros((2, 2, 3), np.float32)
    raw[0, 0, 1] = 0.5
    late = raw.copy()
    late[1, 0, 0] = 1
    for module in (module_of(*relu_behind(late)), module_of(*relu_behind(raw, 1))):
        with pytest.raises(SnnirError, match=r"snn\.bundle.* delays its signal, and an ONNX file knows no steps"):
            write(network_in(module), tmp_path / "a.onnx", Notes())
        assert not list(tmp_path.iterdir())


def test_a_bundle_without_delays_is_a_matrix_in_onnx(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime: Any = pytest.importorskip("onnxruntime")
    raw = np.zeros((2, 2, 3), np.float32)
    raw[0] = [[0.5, 0.0, -1.0], [0.0, 2.0, 0.25]]
    module = module_of(*relu_behind(raw))
    write(network_in(module), tmp_path / "a.onnx", Notes())
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    session = runtime.InferenceSession(str(tmp_path / "a.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(["y"], {"x": values})
    np.testing.assert_allclose(found, emitted(module, values[:, None])["h"][:, 0], rtol=1e-6)


# --- the language


PROGRAM = """network n {{
  dt = 1 ms
  input x[2]
  population p[{size}] : if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir
  x -> p : bundle({arguments})
  output y = p
}}
"""


def bundle_in(tmp_path: Path, arguments: str, size: str = "1") -> BundleOp:
    """The bundle of a program."""
    (tmp_path / "n.snn").write_text(PROGRAM.format(arguments=arguments, size=size))
    (op,) = bundles_of(next(networks(snn.read(tmp_path / "n.snn", FrontendOptions()))))
    return op


def test_arguments_of_a_bundle(tmp_path: Path) -> None:
    op = bundle_in(tmp_path, "weights = [[[0.5, 0]], [[0, 1]]], stride = 3 ms, delay = 2, bias = 0.25, scale = 2")
    assert array_of(op).tolist() == [[[0.5, 0.0]], [[0.0, 1.0]]]
    assert (op.stride.data, op.delay.data, op.longest) == (3, 2, 5)
    assert isinstance(op.bias, TensorAttr)
    assert op.bias.array.tolist() == [0.25]
    assert bundle_in(tmp_path, "weights = [[[0.5, 0]]]").stride.data == 1
    assert bundle_in(tmp_path, "weights = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]", "1x2").current_type.shape.data == (
        1,
        2,
    )


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ("", "this projection has no weights", "bundle(weights ="),
        ("weights = 0.5", "weights are a number, but a bundle needs a matrix for each delay level", "use dense"),
        ("weights = [[1, 2]]", "weights are 1x2, but a bundle needs a matrix for each delay level", "use dense"),
        ("weights = [[[1, 2, 3]]]", "weights are 1x1x3, but x -> p needs levels x 1x2", "targets x sources"),
        ("weights = [[[1], [2]]]", "weights are 1x2x1, but x -> p needs levels x 1x2", "transposed"),
        ("weights = [[[1, 2]]], stride = 0", "stride is a whole number of steps, 1 or more", "stride = 1"),
        ("weights = [[[1, 2]]], stride = 0.5 ms", "no whole number of steps", "multiple of dt"),
        ("weights = [[[1, 2]]], stride = [1, 1]", "stride is a whole number", ""),
        ("weights = [[[1, 2]], [[1, 2]]], stride = 2147483647, delay = 1", "a delay is a number of steps from 0", ""),
        ("weights = [[[1, 2]]], delays = 1", "no argument of bundle 'delays'", "delay"),
        ("weights = [[[1, 2]]], scale = -1", "scale is not positive", ""),
        ("weights = [[[1, 2]]], bias = [1, 2]", "bias has 2 entries, but x -> p has 1 targets", ""),
    ],
)
def test_mistakes_in_a_bundle(tmp_path: Path, arguments: str, message: str, hint: str) -> None:
    with pytest.raises(SnnirError) as caught:
        bundle_in(tmp_path, arguments)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert str(caught.value.place).startswith(f"{tmp_path / 'n.snn'}:5:")
