"""What is wrong with a `.nir` file is said with the path inside the file and a way to fix it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from snnir.errors import SnnirError
from snnir.frontend import nir as nir_frontend
from snnir.frontend.options import FrontendOptions

nir: Any = import_module("nir")
Read = Callable[..., ModuleOp]
Graph = tuple[dict[str, Any], list[tuple[str, str]]]
Make = Callable[..., Any]
ErrorOf = Callable[[Callable[[], object]], SnnirError]
Change = Callable[[Any], None]


def replaced(path: str, value: Any) -> Change:
    """A change that puts another value at a path of the file, or removes what is there (`None`)."""

    def change(file: Any) -> None:
        if path in file:
            del file[path]
        if value is not None:
            file[path] = value

    return change


def edges(*pairs: tuple[str, str]) -> Change:
    """A change of all edges."""
    return replaced("edges", [list(pair) for pair in pairs])


CASES: list[tuple[Change, str, str, str]] = [
    # what is changed in the file, the place, words of the message, words of the hint
    (
        replaced("nodes/b/tau", -np.ones(3)),
        "/nodes/b/tau",
        "'b': tau = -1 s, but a time constant must be positive",
        "5 ms",
    ),
    (replaced("nodes/b/tau", np.array([1.0, np.nan, 1.0])), "/nodes/b/tau", "tau 'b.tau' holds nan at [1]", "finite"),
    (replaced("nodes/b/v_threshold", np.zeros(3)), "/nodes/b/v_threshold", "threshold must lie above v_reset", "raise"),
    (
        replaced("nodes/b/r", np.ones(2)),
        "/nodes/b/r",
        "the parameters differ in shape: tau 3, r 2, v_leak 3,",
        "one shape",
    ),
    (replaced("nodes/b/r", 1.0), "/nodes/b/r", "the parameters differ in shape: tau 3, r no dimensions", "one shape"),
    (replaced("nodes/b/r", None), "/nodes/b/r", "field 'r' of this LIF node is missing", "export"),
    (replaced("nodes/b/r", np.ones(3, bool)), "/nodes/b/r", "numbers are expected here, not bool", "float32"),
    (replaced("nodes/b/r", "one"), "/nodes/b/r", "numbers are expected here, not text", "float32"),
    (replaced("nodes/b/r", np.ones(3, complex)), "/nodes/b/r", "neither numbers nor text", ""),
    (replaced("nodes/b/refractory", 3), "/nodes/b/refractory", "unknown field 'refractory' of a LIF node", "tau, r,"),
    (
        replaced("nodes/fc/weight", np.full((3, 2), np.inf)),
        "/nodes/fc/weight",
        "'fc.weight' holds inf at [0, 0]",
        "finite",
    ),
    (replaced("nodes/fc/weight", np.ones((2, 3))), "/nodes/fc/bias", "the bias is 3, but the weight has 2 rows", ""),
    (replaced("nodes/rec/weight", np.ones((3, 2))), "/nodes/rec", "this Linear takes 2 values, but it receives 3", ""),
    (replaced("nodes/rec/weight", np.ones((2, 3))), "/nodes/b", "this LIF has the shape 3, but it receives 2", ""),
    (
        replaced("nodes/rec/weight", np.ones((2, 3, 3))),
        "/nodes/rec/weight",
        "the weight is 2x3x3, but only matrices",
        "",
    ),
    (replaced("nodes/rec/weight", np.ones(3)), "/nodes/rec/weight", "the weight is 3, but only matrices", ""),
    (replaced("nodes/rec/weight", np.array(2**60)), "/nodes/rec/weight", "an integer beyond 2**53", "float64"),
    (replaced("nodes/fc/bias", True), "/nodes/fc/bias", "numbers are expected here, not bool", ""),
    (replaced("nodes/fc/bias", np.ones(2)), "/nodes/fc/bias", "the bias is 2, but the weight has 3 rows", ""),
    (
        replaced("nodes/a/shape", np.array([7, 2])),
        "/nodes/fc",
        "takes 2 values, but it receives 7x2",
        "no time or batch",
    ),
    (replaced("nodes/a/shape", np.array([0])), "/nodes/a", "'a' has the shape 0", ""),
    (replaced("nodes/a/shape", np.array([-2])), "/nodes/a", "'a' has the shape -2", ""),
    (replaced("nodes/a/shape", np.array([2.0])), "/nodes/a/shape", "a list of whole numbers is expected here", ""),
    (replaced("nodes/a/shape", np.array([2**62, 8])), "/nodes/a", "'a' has more than 2147483647 neurons", ""),
    (
        replaced("nodes/o/shape", np.array([1, 3])),
        "/nodes/o",
        "this Output has the shape 1x3, but it receives 3",
        "write 3",
    ),
    (
        replaced("nodes/o/type", "Delay"),
        "/nodes/o",
        "Delay nodes are not supported yet",
        "supported are Input, Output,",
    ),
    (replaced("nodes/o/type", "NIRGraph"), "/nodes/o", "a graph inside a graph (NIRGraph) is not supported yet", "top"),
    (replaced("nodes/o/type", None), "/nodes/o", "this node has no type", "export"),
    (replaced("nodes/o/type", 3), "/nodes/o/type", "text is expected here, not int64", ""),
    (replaced("nodes/o/type", ["Input", "Output"]), "/nodes/o/type", "the type of a node is one word", ""),
    (replaced("nodes/x/y/type", "LIF"), "/nodes/x", "this node has no type", "must not contain '/'"),
    (replaced("nodes/x", 3), "/nodes/x", "'x' is missing or not a group", ""),
    (replaced("nodes", None), "/nodes", "'nodes' is missing or not a group", ""),
    (replaced("edges", None), "/edges", "the list of edges is missing", ""),
    (replaced("edges", ["a", "b"]), "/edges", "edges are pairs of names, not 2", ""),
    (replaced("type", "LIF"), "", "the file holds a single LIF node, not a graph", "NIRGraph"),
    (
        edges(("a", "fc"), ("fc", "bb")),
        "/edges[1]",
        "the edge fc -> bb names 'bb', which is no node",
        "did you mean 'b'?",
    ),
    (edges(("a", "fc"), ("a", "fc")), "/edges[1]", "the edge a -> fc is listed twice", ""),
    (edges(("b", "a")), "/edges[0]", "the edge b -> a enters an Input", ""),
    (edges(("o", "b")), "/edges[0]", "the edge o -> b leaves an Output", ""),
    (
        edges(("a", "fc"), ("fc", "b"), ("b", "rec"), ("rec", "b")),
        "/nodes/o",
        "nothing feeds this Output",
        "spikes of one",
    ),
    (edges(("a", "fc"), ("fc", "b"), ("b", "o")), "/nodes/rec", "this node lies on no way", "delete it"),
    (edges(("a", "fc"), ("fc", "b"), ("b", "o"), ("rec", "b")), "/nodes/rec", "nothing feeds this Linear node", ""),
    (
        edges(("a", "fc"), ("fc", "rec"), ("rec", "b"), ("b", "o")),
        "/nodes/rec",
        "a Linear node fed by an Affine node",
        "",
    ),
    (
        edges(("a", "fc"), ("fc", "b"), ("b", "rec"), ("rec", "o")),
        "/nodes/o",
        "an Output fed by a Linear node is not",
        "",
    ),
    (
        edges(("a", "fc"), ("fc", "b"), ("b", "rec"), ("rec", "b"), ("b", "o"), ("a", "o")),
        "/nodes/o",
        "2 nodes feed",
        "",
    ),
]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][1]}: {CASES[number][2]}")
def test_place_and_words(
    read_nir: Read, graph: Callable[[], Graph], error_of: ErrorOf, tmp_path: Path, number: int
) -> None:
    change, place, message, hint = CASES[number]
    error = error_of(lambda: read_nir(*graph(), change))
    file = f"{tmp_path}/net.nir"
    assert message in error.message
    assert error.place == (f"{file}:{place}" if place else file)
    assert error.hint or "neither" in message or "'a' has" in message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("start", "end", "given", "place", "message"),
    [
        (1, -1, [2, 1, 2], "/nodes/flat/start_dim", "this Flatten keeps dimensions of 2x1x2 (start_dim 1, end_dim -1)"),
        (0, 1, [2, 1, 2], "/nodes/flat/start_dim", "this Flatten keeps dimensions of 2x1x2 (start_dim 0, end_dim 1)"),
        (0, -1, [4, 1], "/nodes/flat/input_type", "this Flatten is for 4x1, but it receives 2x1x2"),
    ],
)
def test_flatten(
    read_nir: Read,
    ends: tuple[Make, Make],
    lif: Make,
    error_of: ErrorOf,
    tmp_path: Path,
    start: int,
    end: int,
    given: list[int],
    place: str,
    message: str,
) -> None:
    flat = nir.Flatten(input_type={"input": np.array(given)}, start_dim=start, end_dim=end)
    nodes = {"a": ends[0](2, 1, 2), "flat": flat, "n": lif(4)}
    error = error_of(lambda: read_nir(nodes, [("a", "flat"), ("flat", "n")]))
    assert error.message == message
    assert error.place == f"{tmp_path}/net.nir:{place}"


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("f", "g"), ("g", "f"), ("f", "n")], "a Flatten fed by several nodes is not supported"),
        ([("f", "f"), ("f", "n"), ("a", "m")], "a cycle without a neuron"),
        ([("f", "n"), ("a", "m"), ("a", "g")], "nothing feeds this Flatten"),
        ([("a", "m"), ("a", "f"), ("b", "f"), ("f", "n")], "a Flatten fed by several nodes is not supported"),
        ([("a", "n"), ("b", "m"), ("f", "g"), ("g", "f")], "this node lies on no way"),
        ([("a", "f"), ("f", "o"), ("a", "n"), ("a", "m")], "an Output fed by a Flatten node is not supported yet"),
    ],
)
def test_flattens_in_odd_places(
    read_nir: Read, ends: tuple[Make, Make], lif: Make, error_of: ErrorOf, pairs: list[tuple[str, str]], message: str
) -> None:
    def flat() -> Any:
        return nir.Flatten(input_type={"input": np.array([2])}, start_dim=0)

    nodes = {"a": ends[0](2), "b": ends[0](2), "f": flat(), "g": flat(), "n": lif(2), "m": lif(2)}
    if any("o" in pair for pair in pairs):
        nodes["o"] = ends[1](2)
    if ("g", "f") in pairs and ("f", "n") in pairs:
        pairs = [*pairs, ("a", "f")]
    assert message in error_of(lambda: read_nir(nodes, pairs)).message


def test_scalar_parameters(read_nir: Read, graph: Callable[[], Graph], error_of: ErrorOf, tmp_path: Path) -> None:
    def change(file: Any) -> None:
        for field in ("tau", "r", "v_leak", "v_threshold", "v_reset"):
            replaced(f"nodes/b/{field}", 1.0)(file)

    error = error_of(lambda: read_nir(*graph(), change))
    assert error.place == f"{tmp_path}/net.nir:/nodes/b"
    assert error.message == "the parameters have no dimensions, so the number of neurons is unknown"


@pytest.mark.parametrize(
    ("file", "dt", "place", "message"),
    [
        ("good/feedback_graph", None, "/nodes/feedback_ir", "LI nodes are not supported yet"),
        ("good/cnn_sinabs", None, "/nodes/0", "Conv2d nodes are not supported yet"),
        (
            "good/braille_bias_zero_subgraph",
            None,
            "/nodes/lif1",
            "a graph inside a graph (NIRGraph) is not supported yet",
        ),
        ("good/lif_norse", None, "", "a NIR file does not say how long a step is, and nothing in this one shows it"),
        ("bad/conv2d_no_input_shape", None, "/nodes/0", "Conv2d nodes are not supported yet"),
        ("bad/dangling_edge_flat", None, "/edges[0]", "the edge fc1 -> lif1 names 'lif1', which is no node"),
        ("bad/dangling_edge_subgraph", None, "/nodes/lif1", "a graph inside a graph (NIRGraph) is not supported yet"),
        ("bad/flatten_start_dim", None, "/nodes/0", "Conv2d nodes are not supported yet"),
        (
            "bad/negative_tau",
            None,
            "/nodes/cu1/tau_syn",
            "tau_syn = -0.0831663 s, but a time constant must be positive",
        ),
        ("bad/output_shape_lif_rockpool", 1e-4, "/nodes/output", "the shape 1x1x1, but it receives 1"),
        ("bad/ragged_params", 1e-4, "/nodes/1/r", "the parameters differ in shape: tau 1, r no dimensions"),
        ("bad/scalar_params", None, "/nodes/lif1", "the parameters have no dimensions"),
        ("bad/subgraph_input_shape", None, "/nodes/hidden", "a graph inside a graph (NIRGraph) is not supported yet"),
        ("bad/time_dim_in_input", 1e-4, "/nodes/lif", "the parameters have no dimensions"),
    ],
)
def test_published_files(
    shared_data: Path, error_of: ErrorOf, file: str, dt: float | None, place: str, message: str
) -> None:
    """Files from public repositories: what is not supported yet, and what is wrong, each at its place."""
    path = shared_data / "nir" / f"{file}.nir"
    error = error_of(lambda: nir_frontend.read(path, FrontendOptions(dt=dt)))
    assert message in error.message
    assert error.place == (f"{path}:{place}" if place else str(path))
    assert error.hint


def test_files_that_are_no_nir(error_of: ErrorOf, tmp_path: Path) -> None:
    h5py: Any = import_module("h5py")
    path = tmp_path / "x.nir"

    def message() -> str:
        return error_of(lambda: nir_frontend.read(path, FrontendOptions())).message

    assert message() == "no such file"
    for content in (b"", b"PK\3\4 a zip", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(200)):
        path.write_bytes(content)
        assert "HDF5 file" in message()
    with h5py.File(path, "w") as file:
        file["data"] = 3
    assert message() == "this is not a NIR file: it holds data, but no 'node'"
    path.unlink()
    path.mkdir()
    assert message().startswith("cannot be read")


def test_options_are_checked(read_nir: Read, graph: Callable[[], Graph], error_of: ErrorOf) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"semantics": "nirr"}, "--semantics: no semantics preset 'nirr'"),
        ({"dt": 0.0}, "dt = 0 is not a positive number of seconds"),
        ({"dt": float("nan")}, "dt = nan is not a positive number of seconds"),
        ({"dt": 0.01}, "tau = 0.005 s is shorter than the step dt = 0.01 s"),
        ({"steps": 0}, "steps = 0, but an inference takes at least one step"),
        ({"platform": Path("nowhere.toml")}, "no such platform file"),
    ]
    for options, message in cases:
        assert message in error_of(lambda options=options: read_nir(*graph(), **options)).message
    assert error_of(lambda: read_nir(*graph(), semantics="nirr")).hint == "did you mean 'nir'?"


def test_a_dataset_that_announces_more_than_it_stores(
    read_nir: Read, graph: Callable[[], Graph], error_of: ErrorOf
) -> None:
    """A few bytes must not make the reader allocate 8 TB."""

    def change(file: Any) -> None:
        del file["nodes/fc/weight"]
        file["nodes/fc"].create_dataset("weight", shape=(10**6, 10**6), dtype="f8", chunks=(1000, 1000))

    error = error_of(lambda: read_nir(*graph(), change))
    assert "8000000000000 bytes are announced, 0 are stored" in error.message
